//! A lock as a graph: the product's own packages, the components that others made, what needs what, and what for.
//!
//! The walk from the product's own packages carries scopes on: the widest path wins, and a component is needed for no
//! more than what needs it. Never here: a format.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::reading::Reading;
use crate::domain::{Component, Scope};

/// So many edges of one lock are kept; the largest products have some ten thousand.
const MOST_EDGES: usize = 400_000;

/// So many versions of one name are taken for what an entry needs.
pub(super) const MOST_NAMESAKES: usize = 64;

/// A lock's packages and their edges.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    edges: usize,
    /// What the product itself needs is not told, so that no walk can begin.
    rootless: bool,
}

/// One package.
struct Node {
    /// None for the product's own packages, and where an entry is unusable.
    component: Option<Component>,
    own: bool,
    /// Always a product of its own, whoever needs it.
    root: bool,
    needs: Vec<(usize, Scope)>,
}

impl Graph {
    /// Adds a package of the product itself; a `root` is one that is no mere part of another.
    pub(super) fn own(&mut self, root: bool) -> usize {
        self.push(Node { component: None, own: true, root, needs: Vec::new() })
    }

    /// Adds a package that others made; none where its entry is unusable, so that what it needs is still reached.
    pub(super) fn foreign(&mut self, component: Option<Component>) -> usize {
        self.push(Node { component, own: false, root: false, needs: Vec::new() })
    }

    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Says that one package needs another for a purpose, which is `Runtime` wherever nothing narrows it.
    pub(super) fn need(&mut self, from: usize, to: usize, scope: Scope) {
        if let Some(node) = self.nodes.get_mut(from).filter(|_| self.edges < MOST_EDGES) {
            node.needs.push((to, scope));
            self.edges += 1;
        }
    }

    /// Says whether a walk can begin: any package is the product's own.
    pub(super) fn has_own(&self) -> bool {
        !self.rootless && self.nodes.iter().any(|node| node.own)
    }

    /// Says that nothing tells what the product itself needs, whatever folders of it are named.
    pub(super) fn without_root(&mut self) {
        self.rootless = true;
    }

    /// Adds every component to the reading. Where the walk reaches nothing, for there is no own package to begin with,
    /// components keep the scope that they came with, and whether they are direct is not known.
    pub(super) fn report(self, reading: &mut Reading) {
        if self.edges >= MOST_EDGES {
            reading.gap("it names more dependencies than are kept");
        }
        let has_own = self.has_own();
        let scopes = if has_own { self.scopes() } else { Vec::new() };
        let own = self.nodes.iter().filter(|node| node.own);
        let direct: BTreeSet<usize> = own.flat_map(|node| node.needs.iter().map(|(to, _)| *to)).collect();
        let purls: Vec<Option<String>> =
            self.nodes.iter().map(|node| node.component.as_ref().map(|component| component.purl.clone())).collect();
        // An entry that nothing reaches may be another spelling of one that is reached, such as a patched one.
        let mut reached: BTreeMap<&str, Scope> = BTreeMap::new();
        for (purl, scope) in purls.iter().zip(&scopes).filter_map(|(purl, scope)| Some((purl.as_deref()?, (*scope)?))) {
            reached.entry(purl).and_modify(|known| *known = scope.max(*known)).or_insert(scope);
        }
        for (index, node) in self.nodes.into_iter().enumerate() {
            let Some(mut component) = node.component else { continue };
            let scope = scopes.get(index).copied().flatten();
            component.scope =
                scope.or_else(|| reached.get(component.purl.as_str()).copied()).unwrap_or(component.scope);
            if has_own {
                component.direct = Some(direct.contains(&index));
            }
            let mut needs: Vec<usize> = node.needs.into_iter().map(|(to, _)| to).collect();
            needs.sort_unstable();
            needs.dedup();
            component.dependencies.extend(needs.into_iter().filter_map(|to| purls.get(to)?.clone()));
            reading.add(component);
        }
    }

    /// The widest path: a package's scope is final when it is taken from the heap.
    fn scopes(&self) -> Vec<Option<Scope>> {
        let mut scopes = vec![None; self.nodes.len()];
        let own: Vec<usize> =
            (0..self.nodes.len()).filter(|at| self.nodes.get(*at).is_some_and(|node| node.own)).collect();
        let needed: BTreeSet<usize> = own
            .iter()
            .filter_map(|at| self.nodes.get(*at))
            .flat_map(|node| node.needs.iter().map(|(to, _)| *to))
            .collect();
        // What no own package needs is a product; own packages that only need each other are products too.
        let is_root = |at: &usize| !needed.contains(at) || self.nodes.get(*at).is_some_and(|node| node.root);
        let (roots, rest): (Vec<usize>, Vec<usize>) = own.iter().partition(|at| is_root(at));
        self.spread(roots, &mut scopes);
        for at in rest {
            if scopes.get(at) == Some(&None) {
                self.spread(vec![at], &mut scopes);
            }
        }
        scopes
    }

    fn spread(&self, roots: Vec<usize>, scopes: &mut [Option<Scope>]) {
        let mut heap: BinaryHeap<(Scope, usize)> = roots.into_iter().map(|root| (Scope::Runtime, root)).collect();
        while let Some((scope, at)) = heap.pop() {
            let Some(known) = scopes.get_mut(at) else { continue };
            if known.is_some_and(|known| known >= scope) {
                continue;
            }
            *known = Some(scope);
            let needs = self.nodes.get(at).into_iter().flat_map(|node| &node.needs);
            heap.extend(needs.map(|(to, limit)| (scope.min(*limit), *to)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::kind::Kind;
    use crate::domain::RepoPath;

    #[test]
    fn the_widest_path_wins_and_a_circle_ends() {
        let path = RepoPath::from("Cargo.lock");
        let mut reading = Reading::new(Kind::CargoLock, &path);
        let mut graph = Graph::default();
        let app = graph.own(true);
        let part = graph.own(false);
        let nodes: Vec<usize> = ["a", "b", "c", "lonely"]
            .iter()
            .map(|name| {
                let component = reading.component("npm", name, Some("1"), format!("pkg:npm/{name}@1"));
                graph.foreign(component)
            })
            .collect();
        graph.need(app, part, Scope::Dev);
        graph.need(part, nodes[0], Scope::Runtime);
        graph.need(app, nodes[1], Scope::Optional);
        graph.need(nodes[0], nodes[2], Scope::Runtime);
        graph.need(nodes[1], nodes[2], Scope::Runtime);
        graph.need(nodes[2], nodes[0], Scope::Runtime);
        graph.report(&mut reading);
        let told: Vec<_> =
            reading.into_components().into_iter().map(|found| (found.name, found.scope, found.direct)).collect();
        assert_eq!(
            told,
            [
                ("a".to_owned(), Scope::Optional, Some(true)),
                ("b".to_owned(), Scope::Optional, Some(true)),
                ("c".to_owned(), Scope::Optional, Some(false)),
                ("lonely".to_owned(), Scope::Runtime, Some(false)),
            ]
        );
    }
}
