//! What needs what, from the product downwards, and how much of that is known.
//!
//! Never here: an edge that nobody declared, but for the product's own: what is in the product hangs on the product.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Component, Coverage, CoverageStatus, Manifest};

/// Of these a lock file tells what needs what; of all others the edges are not known.
const WITH_EDGES: [&str; 8] = ["cargo", "cocoapods", "composer", "cpan", "cran", "gem", "julia", "npm"];

/// Edges between components, all ends of which exist.
pub(super) struct Graph<'a> {
    /// What hangs on the product, so that everything can be reached from there.
    pub(super) roots: BTreeSet<&'a str>,
    /// What each component needs; each has an entry.
    pub(super) needs: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Graph<'a> {
    /// Returns the graph. On the product hangs what is direct, what nobody needs, and one of each circle that nobody
    /// outside needs.
    pub(super) fn of(components: &'a [Component]) -> Self {
        let mut needs: BTreeMap<&str, BTreeSet<&str>> =
            components.iter().map(|component| (component.purl.as_str(), BTreeSet::new())).collect();
        for component in components {
            let known: Vec<&str> =
                component.dependencies.iter().map(String::as_str).filter(|purl| needs.contains_key(purl)).collect();
            needs.entry(&component.purl).or_default().extend(known);
        }
        let needed: BTreeSet<&str> = needs.values().flatten().copied().collect();
        let first =
            |component: &&Component| component.direct == Some(true) || !needed.contains(component.purl.as_str());
        let mut roots: BTreeSet<&str> = BTreeSet::new();
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        for component in components.iter().filter(first).chain(components) {
            let mut open = vec![component.purl.as_str()];
            if first(&component) || !reached.contains(component.purl.as_str()) {
                roots.insert(&component.purl);
            }
            while let Some(purl) = open.pop() {
                if reached.insert(purl) {
                    open.extend(needs.get(purl).into_iter().flatten());
                }
            }
        }
        Self { roots, needs }
    }
}

/// How much of what the product contains is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    /// Every lock and manifest file was read in full.
    Complete,
    /// Something is known to be missing.
    Incomplete,
    /// There was nothing that could have told.
    Unknown,
}

/// Says how much is known. Without any lock or manifest file nothing is.
pub(super) fn completeness(manifest: &Manifest) -> Completeness {
    let whole = |coverage: &Coverage| coverage.status == CoverageStatus::Parsed && coverage.gaps.is_empty();
    if manifest.coverage.is_empty() {
        Completeness::Unknown
    } else if manifest.coverage.iter().all(whole) && manifest.source_tree.gitlinks == 0 {
        Completeness::Complete
    } else {
        Completeness::Incomplete
    }
}

/// Says whether the component's file tells what the component needs.
pub(super) fn edges_are_known(component: &Component) -> bool {
    WITH_EDGES.contains(&component.ecosystem.as_str()) && component.version.is_some()
}

/// Returns what is missing, one line each.
pub(super) fn gaps(manifest: &Manifest) -> Vec<String> {
    let of_file = |coverage: &Coverage| {
        let (path, status) = (coverage.path.clone(), coverage.status);
        let gaps = coverage.gaps.clone();
        gaps.into_iter().map(move |gap| format!("{path}: {status}: {gap}"))
    };
    let mut gaps: Vec<String> = manifest.coverage.iter().flat_map(of_file).collect();
    if manifest.source_tree.gitlinks > 0 {
        let count = manifest.source_tree.gitlinks;
        gaps.push(format!("{count} submodules: what stands inside them is not read"));
    }
    gaps
}
