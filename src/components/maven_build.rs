//! The poms of one tree together: parents, properties, what is managed, and which coordinates are the product's own.
//!
//! What Maven would fetch from elsewhere is named as missing. Never here: a guess at what is missing. Walks up the
//! parents and through imports are bounded, since a hostile tree may turn in circles.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::maven_pom::{Layer, Pom, Role, Use};
use super::tree::{File, resolved};

/// No product has a longer line of parents, or more imports.
const MOST_PARENTS: usize = 32;
const MOST_IMPORTS: usize = 200;

/// Properties may name each other so deep, and no value that can be used is longer.
const DEEPEST: usize = 8;
const LONGEST: usize = 400;

/// So many properties and candidates are looked through for one tree; the largest builds need a fortieth of it.
const MOST_STEPS: usize = 2_000_000;

/// A pom in its place.
pub(super) struct Member<'a> {
    pub(super) file: File<'a>,
    pub(super) pom: Pom,
    /// Itself and its parents in the tree, nearest first.
    pub(super) line: Vec<usize>,
    /// What is wrong with its line: a parent elsewhere, or a circle.
    pub(super) broken: Option<String>,
    /// The parent that its line ends at, when that is elsewhere.
    pub(super) outside: Option<(String, String, Option<String>)>,
    /// Imported lists that stand in the tree, in their order, those that they import included.
    imports: Vec<usize>,
    /// Imported lists of its own that do not.
    pub(super) foreign_imports: Vec<String>,
}

/// Place and version of a pom.
type Own = (usize, Option<String>);

/// The imports of one pom: places in the tree, and names of what is elsewhere.
type Imports = (Vec<usize>, Vec<String>);

/// Follows `import` from one pom through the lists of the tree, each once.
fn imports_of(lists: &[Imports], index: usize) -> Vec<usize> {
    let (mut known, mut found, mut open) = (BTreeSet::new(), Vec::new(), vec![index]);
    while let Some(at) = open.pop() {
        if known.len() >= MOST_IMPORTS || !known.insert(at) {
            continue;
        }
        if at != index {
            found.push(at);
        }
        // The stack gives back the last first, so that the first import is looked through first.
        open.extend(lists.get(at).into_iter().flat_map(|(next, _)| next.iter().rev()));
    }
    found
}

/// All poms of a tree.
pub(super) struct Build<'a> {
    pub(super) members: Vec<Member<'a>>,
    /// Place and version by group and artifact, resolved.
    own: BTreeMap<(String, String), Vec<Own>>,
    steps: Cell<usize>,
}

/// What is written, resolved in one pom's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) group: String,
    pub(super) artifact: String,
    /// The version, or why there is none.
    pub(super) version: Result<String, String>,
    pub(super) packaging: Option<String>,
    pub(super) classifier: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) optional: bool,
}

impl<'a> Build<'a> {
    /// Links the poms of a tree.
    pub(super) fn new(poms: Vec<(File<'a>, Pom)>) -> Self {
        let members = poms.into_iter().map(|(file, pom)| Member {
            file,
            pom,
            line: Vec::new(),
            broken: None,
            outside: None,
            imports: Vec::new(),
            foreign_imports: Vec::new(),
        });
        let mut build = Self { members: members.collect(), own: BTreeMap::new(), steps: Cell::new(0) };
        build.link_parents();
        for index in 0..build.members.len() {
            if let Some((group, artifact, version)) = build.coordinates(index) {
                build.own.entry((group, artifact)).or_default().push((index, version));
            }
        }
        let lists: Vec<Imports> = (0..build.members.len()).map(|index| build.imports_at(index)).collect();
        for (index, (_, foreign)) in lists.iter().enumerate() {
            let (imports, foreign) = (imports_of(&lists, index), foreign.clone());
            if let Some(member) = build.members.get_mut(index) {
                (member.imports, member.foreign_imports) = (imports, foreign);
            }
        }
        build
    }

    fn pom(&self, index: usize) -> Option<&Pom> {
        self.members.get(index).map(|member| &member.pom)
    }

    fn line(&self, index: usize) -> impl Iterator<Item = &Pom> {
        let line = self.members.get(index).map(|member| member.line.as_slice()).unwrap_or_default();
        line.iter().filter_map(|at| self.pom(*at))
    }

    fn link_parents(&mut self) {
        let by_path: BTreeMap<&[u8], usize> =
            self.members.iter().enumerate().map(|(at, member)| (member.file.path.as_bytes(), at)).collect();
        let mut by_name: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (at, member) in self.members.iter().enumerate() {
            if let (Some(group), Some(artifact)) = (member.pom.group(), member.pom.own.artifact.as_deref()) {
                by_name.entry((group, artifact)).or_default().push(at);
            }
        }
        let parents: Vec<Option<usize>> =
            self.members.iter().map(|member| self.parent_of(member, &by_path, &by_name)).collect();
        for at in 0..self.members.len() {
            let mut line = vec![at];
            let mut last = at;
            let mut broken = None;
            while let Some(parent) = parents.get(last).copied().flatten() {
                if line.contains(&parent) || line.len() == MOST_PARENTS {
                    broken = Some("its parents go in a circle or are too many".to_owned());
                    break;
                }
                line.push(parent);
                last = parent;
            }
            let outside = self.pom(last).and_then(|pom| pom.parent.as_ref()).filter(|_| broken.is_none());
            let outside = outside
                .and_then(|parent| Some((parent.group.clone()?, parent.artifact.clone()?, parent.version.clone())));
            if let Some((group, artifact, version)) = &outside {
                let version = version.as_deref().unwrap_or("of no version");
                broken = Some(format!("its parent {group}:{artifact} {version} is not in the repository"));
            }
            if let Some(member) = self.members.get_mut(at) {
                (member.line, member.broken, member.outside) = (line, broken, outside);
            }
        }
    }

    /// By its path first, as Maven does, and then among all of the tree: a parent is the one of these coordinates.
    fn parent_of(
        &self,
        member: &Member<'_>,
        by_path: &BTreeMap<&[u8], usize>,
        by_name: &BTreeMap<(&str, &str), Vec<usize>>,
    ) -> Option<usize> {
        let parent = member.pom.parent.as_ref()?;
        let (group, artifact) = (parent.group.as_deref()?, parent.artifact.as_deref()?);
        let fits = |at: &usize| {
            let Some(pom) = self.pom(*at) else { return false };
            let version = match (pom.version(), parent.version.as_deref()) {
                (Some(has), Some(asks)) => has == asks || has.contains("${") || asks.contains("${"),
                _ => true,
            };
            pom.group() == Some(group) && pom.own.artifact.as_deref() == Some(artifact) && version
        };
        let beside = member.pom.parent_path.as_deref().and_then(|path| resolved(member.file.path.parent(), path));
        let beside = beside.and_then(|path| {
            by_path.get(path.as_slice()).or_else(|| by_path.get([&path[..], b"/pom.xml"].concat().as_slice())).copied()
        });
        beside.filter(fits).or_else(|| {
            let named = by_name.get(&(group, artifact))?.iter().take(MOST_IMPORTS).copied();
            let mut fitting = named.filter(fits);
            let first = fitting.next()?;
            // Two poms of the same coordinates: which of them is meant is not told.
            fitting.next().is_none().then_some(first)
        })
    }

    /// Returns the imports of one pom and of its parents that stand in the tree, in their order, and those of its own
    /// that do not: those of parents and of imported lists stand in their readings.
    fn imports_at(&self, at: usize) -> Imports {
        let (mut found, mut foreign) = (Vec::new(), Vec::new());
        let layers = self.line(at).enumerate().flat_map(|(far, pom)| pom.layers.iter().map(move |layer| (far, layer)));
        for (far, layer) in layers {
            for import in layer.managed.iter().filter(|managed| managed.scope.as_deref() == Some("import")) {
                match self.place_of(at, layer, import) {
                    Ok(place) => found.push(place),
                    Err(outside) if far == 0 => foreign.push(outside),
                    Err(_) => {}
                }
            }
        }
        foreign.sort();
        foreign.dedup();
        foreign.truncate(MOST_IMPORTS);
        (found, foreign)
    }

    fn place_of(&self, index: usize, layer: &Layer, import: &Use) -> Result<usize, String> {
        let text = |text: &str| self.interpolated(index, layer, text).unwrap_or_else(|_| text.to_owned());
        let (group, artifact) = (text(&import.group), text(&import.artifact));
        let version = import.version.as_deref().map(text);
        let outside = format!("{group}:{artifact} {}", version.as_deref().unwrap_or("of no version"));
        self.own_at(&group, &artifact, version.as_deref()).ok_or(outside)
    }

    /// Returns the pom of these coordinates; another version is another artifact, from elsewhere.
    pub(super) fn own_at(&self, group: &str, artifact: &str, version: Option<&str>) -> Option<usize> {
        let all = self.own.get(&(group.to_owned(), artifact.to_owned()))?;
        let fits = |has: Option<&str>| has.is_none() || version.is_none() || has == version;
        all.iter().take(MOST_IMPORTS).find(|(_, has)| fits(has.as_deref())).map(|(at, _)| *at)
    }

    /// Says whether the tree asked for more than is looked through.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.get() > MOST_STEPS
    }

    fn spend(&self, steps: usize) -> Option<()> {
        self.steps.set(self.steps.get().saturating_add(steps));
        (!self.is_exhausted()).then_some(())
    }

    /// Returns group, artifact and version of a pom, in which no property is left.
    fn coordinates(&self, index: usize) -> Option<(String, String, Option<String>)> {
        let pom = self.pom(index)?;
        let layer = pom.layers.first()?;
        let text = |text: &str| self.interpolated(index, layer, text).ok();
        let version = pom.version().and_then(text);
        Some((text(pom.group()?)?, text(pom.own.artifact.as_deref()?)?, version))
    }

    /// Replaces every `${property}` as Maven does in the place of that pom, `layer` being asked first.
    ///
    /// # Errors
    /// With the name of a property that the repository does not define.
    pub(super) fn interpolated(&self, index: usize, layer: &Layer, text: &str) -> Result<String, String> {
        self.replaced(index, layer, text, DEEPEST)
    }

    fn replaced(&self, index: usize, layer: &Layer, text: &str, deeper: usize) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| "${ without an end".to_owned())?;
            out.push_str(before);
            let value = self.property(index, layer, name).ok_or_else(|| name.to_owned())?;
            if deeper == 0 || out.len() + value.len() > LONGEST {
                return Err(name.to_owned());
            }
            out.push_str(&self.replaced(index, layer, value, deeper - 1)?);
            if out.len() > LONGEST {
                return Err(name.to_owned());
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn property<'b>(&'b self, index: usize, layer: &'b Layer, name: &str) -> Option<&'b str> {
        let pom = self.pom(index)?;
        let own = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom.")).unwrap_or(name);
        let of_parent = own.strip_prefix("parent.").and_then(|field| {
            let parent = pom.parent.as_ref()?;
            match field {
                "groupId" => parent.group.as_deref(),
                "artifactId" => parent.artifact.as_deref(),
                "version" => parent.version.as_deref(),
                _ => None,
            }
        });
        let of_project = match own {
            "groupId" => pom.group(),
            "artifactId" => pom.own.artifact.as_deref(),
            "version" => pom.version(),
            _ => None,
        };
        if let Some(value) = of_parent.or(of_project) {
            return Some(value);
        }
        self.spend(1)?;
        // A profile that is not in force knows its own properties all the same.
        let own = layer.properties.get(name).filter(|_| !layer.active);
        let in_force = || self.line(index).find_map(|pom| pom.in_force.get(name));
        // What only profiles define that are not in force is known when they all say the same.
        let elsewhere = || {
            let mut values = self.line(index).filter_map(|pom| pom.elsewhere.get(name));
            let first = values.next()?.as_ref()?;
            values.all(|value| value.as_ref() == Some(first)).then_some(first)
        };
        own.or_else(in_force).or_else(elsewhere).map(String::as_str)
    }

    /// Resolves what is written in a layer, in the place of the pom `index`.
    ///
    /// # Errors
    /// Where not even its name can be told.
    pub(super) fn resolve(&self, index: usize, layer: &Layer, used: &Use) -> Result<Resolved, String> {
        let text = |text: &str| self.interpolated(index, layer, text);
        let unnamed =
            |name: String| format!("{}:{}: ${{{name}}} is not defined in the repository", used.group, used.artifact);
        let option = |value: &Option<String>| value.as_deref().and_then(|value| text(value).ok());
        let mut resolved = Resolved {
            group: text(&used.group).map_err(unnamed)?,
            artifact: text(&used.artifact).map_err(unnamed)?,
            version: Err(String::new()),
            packaging: option(&used.packaging),
            classifier: used.classifier.as_deref().map(text).transpose().map_err(unnamed)?,
            scope: option(&used.scope),
            optional: used.optional == Some(true),
        };
        let version = |index: usize, layer: &Layer, version: &str| {
            self.interpolated(index, layer, version)
                .map_err(|name| format!("${{{name}}} is not defined in the repository"))
        };
        let managed = match used.role {
            Role::Dependency => self.managed(index, &resolved),
            Role::Plugin if used.version.is_none() => self.managed_plugin(index, &resolved),
            _ => None,
        };
        if let Some((_, _, managed)) = managed {
            resolved.scope = resolved.scope.or_else(|| option(&managed.scope));
            resolved.optional |= used.optional.is_none() && managed.optional == Some(true);
        }
        resolved.version = match (used.version.as_deref(), managed) {
            (Some(written), _) => version(index, layer, written),
            (None, Some((at, layer, managed))) => match managed.version.as_deref() {
                Some(written) => version(at, layer, written),
                None => Err("what manages it gives no version".to_owned()),
            },
            (None, None) => Err("nothing in the repository gives its version".to_owned()),
        };
        Ok(resolved)
    }

    /// Finds who manages a dependency: the pom and its parents, then the imported lists in their order. Returns it
    /// with the place and layer that its properties are resolved in.
    fn managed(&self, index: usize, wanted: &Resolved) -> Option<(usize, &Layer, &Use)> {
        let imports = self.members.get(index)?.imports.iter().copied();
        std::iter::once(index).chain(imports).find_map(|at| self.managed_in_line(at, wanted))
    }

    fn managed_in_line(&self, at: usize, wanted: &Resolved) -> Option<(usize, &Layer, &Use)> {
        self.spend(1)?;
        for pom in self.line(at) {
            let named = pom.managed_at.get(&wanted.artifact).into_iter().flatten().take(MOST_IMPORTS);
            for (layer, place) in named {
                self.spend(1)?;
                let Some(layer) = pom.layers.get(*layer) else { continue };
                let Some(managed) = layer.managed.get(*place) else { continue };
                let same = |written: Option<&str>, wanted: Option<&str>| match written {
                    Some(written) => self.interpolated(at, layer, written).ok().as_deref() == wanted,
                    None => wanted.is_none(),
                };
                if managed.scope.as_deref() != Some("import")
                    && same(Some(&managed.group), Some(&wanted.group))
                    && same(managed.packaging.as_deref(), wanted.packaging.as_deref())
                    && same(managed.classifier.as_deref(), wanted.classifier.as_deref())
                {
                    return Some((at, layer, managed));
                }
            }
        }
        None
    }

    fn managed_plugin(&self, index: usize, wanted: &Resolved) -> Option<(usize, &Layer, &Use)> {
        let layers: Vec<&Layer> = self.line(index).flat_map(|pom| &pom.layers).collect();
        self.spend(layers.iter().map(|layer| layer.managed_plugins.len()).sum())?;
        let mut plugins =
            layers.into_iter().flat_map(|layer| layer.managed_plugins.iter().map(move |plugin| (layer, plugin)));
        let found = plugins.find(|(_, plugin)| {
            plugin.artifact == wanted.artifact && plugin.group == wanted.group && plugin.version.is_some()
        });
        found.map(|(layer, plugin)| (index, layer, plugin))
    }
}
