//! `poetry.lock`, of Poetry 1 and 2.
//!
//! What the product itself asks for stands in `pyproject.toml`; where there is none, the lock's own groups (Poetry 2) or
//! category (up to 1.4) tell what a package is for. Folders are the product's own. Never here: a range's meaning.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Table, Value};

use super::super::graph::Graph;
use super::super::kind::Kind;
use super::super::purl::Origin;
use super::super::reading::Reading;
use super::super::tree::{File, Tree};
use super::declared::declared;
use super::{Locked, Names, add_hashes, group_scope, own, package, registry};
use crate::domain::Scope;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    /// Up to Poetry 1.2, by name.
    #[serde(default)]
    files: BTreeMap<String, Vec<Artifact>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    category: Option<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    files: Vec<Artifact>,
    #[serde(default)]
    dependencies: BTreeMap<String, Value>,
    source: Option<Source>,
}

/// One file of a release.
#[derive(Deserialize)]
pub(super) struct Artifact {
    #[serde(default)]
    pub(super) hash: String,
}

#[derive(Deserialize)]
struct Source {
    r#type: Option<String>,
    #[serde(default)]
    url: String,
    resolved_reference: Option<String>,
}

/// Reads every `poetry.lock` of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::PoetryLock)
        .map(|file| match file.toml::<Lock>() {
            Ok(lock) => read_lock(tree, file, &lock, locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(tree: &Tree<'_>, file: File<'_>, lock: &Lock, locked: &mut Locked) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let folder = file.path.parent();
    locked.insert(folder.to_vec());
    let (mut graph, mut names) = (Graph::default(), Names::default());
    for package in &lock.package {
        let index = add(&mut graph, &mut reading, package, &lock.metadata);
        names.add(&package.name, &package.version, index);
    }
    for (from, package) in lock.package.iter().enumerate() {
        for (name, value) in &package.dependencies {
            let optional = value.get("optional").and_then(Value::as_bool) == Some(true);
            names.need(&mut graph, from, name, if optional { Scope::Optional } else { Scope::Runtime });
        }
    }
    walk_from_project(tree, folder, &mut graph, &names, &mut reading);
    graph.report(&mut reading);
    reading
}

/// Adds the project beside a lock as the product, with what it asks for.
pub(super) fn walk_from_project(
    tree: &Tree<'_>,
    folder: &[u8],
    graph: &mut Graph,
    names: &Names,
    reading: &mut Reading,
) {
    let Some(project) = tree.in_folder(folder, "pyproject.toml").and_then(|file| file.toml::<Table>().ok()) else {
        graph.without_root();
        return reading.gap("no pyproject.toml beside it tells which components are direct");
    };
    let tables = [project.get("project"), project.get("tool").and_then(|tool| tool.get("poetry"))];
    if let Some((table, name)) =
        tables.into_iter().flatten().find_map(|table| Some((table, table.get("name")?.as_str()?)))
    {
        own(reading, name, table.get("version").and_then(Value::as_str));
    }
    let root = graph.own(true);
    for one in declared(&project).iter().filter(|one| one.scope != Scope::Build) {
        names.need(graph, root, &one.name, one.scope);
    }
}

fn add(graph: &mut Graph, reading: &mut Reading, told: &Package, metadata: &Metadata) -> usize {
    let origin = match &told.source {
        None => Origin::Usual,
        Some(source) => match source.r#type.as_deref() {
            Some("directory") => {
                own(reading, &told.name, Some(&told.version));
                return graph.own(false);
            }
            Some("git") => {
                let commit = source.resolved_reference.clone().unwrap_or_default();
                Origin::Git { url: source.url.clone(), commit }
            }
            Some("url") => Origin::Download(source.url.clone()),
            Some("file") => Origin::Usual,
            _ => registry(&source.url),
        },
    };
    let mut component = package(reading, &told.name, Some(&told.version), &origin);
    if let Some(component) = &mut component {
        component.scope = told.scope();
        let apart = metadata.files.get(&told.name).into_iter().flatten();
        let hashes = told.files.iter().chain(apart).map(|file| file.hash.as_str());
        add_hashes(reading, component, hashes.filter(|hash| !hash.is_empty()));
    }
    graph.foreign(component)
}

impl Package {
    fn scope(&self) -> Scope {
        let groups = self.groups.iter().map(|group| group_scope(group)).max();
        let widest = groups.or_else(|| self.category.as_deref().map(group_scope)).unwrap_or(Scope::Runtime);
        if self.optional { widest.min(Scope::Optional) } else { widest }
    }
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory};
    use crate::domain::Scope;

    const LOCK: &str = "[[package]]\nname = \"A_b\"\nversion = \"1.0\"\ngroups = [\"main\"]\nfiles = [{file = \"x\", hash = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"}, {file = \"y\", hash = \"md5:0\"}]\n\
        [package.dependencies]\nc = [{version = \">=1\", markers = \"x\"}, {version = \"<1\"}]\n\
        [[package]]\nname = \"c\"\nversion = \"1.0\"\ncategory = \"dev\"\n[[package]]\nname = \"c\"\nversion = \"2.0\"\noptional = true\n\
        [[package]]\nname = \"own\"\nversion = \"0\"\n[package.source]\ntype = \"directory\"\nurl = \"../own\"\n\
        [[package]]\nname = \"g\"\nversion = \"3.0\"\n[package.source]\ntype = \"git\"\nurl = \"https://u:pw@host/g.git\"\nresolved_reference = \"0123456789012345678901234567890123456789\"\n";

    #[test]
    fn groups_and_categories_count_where_no_project_stands_beside() {
        let inventory = inventory(&[("poetry.lock", LOCK)]);
        let a = found(&inventory, "pkg:pypi/a-b@1.0");
        assert_eq!((a.scope, a.direct, a.hashes.len()), (Scope::Runtime, None, 1));
        assert_eq!(a.dependencies, ["pkg:pypi/c@1.0", "pkg:pypi/c@2.0"]);
        assert_eq!(found(&inventory, "pkg:pypi/c@1.0").scope, Scope::Dev);
        assert_eq!(found(&inventory, "pkg:pypi/c@2.0").scope, Scope::Optional);
        let g = found(
            &inventory,
            "pkg:pypi/g@3.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fg.git%400123456789012345678901234567890123456789",
        );
        assert_eq!(g.hashes[0].alg, "git");
        assert_eq!(inventory.components.len(), 4);
        assert_eq!(gaps(&inventory, "poetry.lock").len(), 2);
    }

    #[test]
    fn the_walk_begins_at_the_project() {
        let project = "[tool.poetry.group.test.dependencies]\na-b = \"^1\"\n[tool.poetry.dependencies]\nown = {path = \"../own\"}\n";
        let inventory = inventory(&[("poetry.lock", LOCK), ("pyproject.toml", project)]);
        assert_eq!(found(&inventory, "pkg:pypi/a-b@1.0").scope, Scope::Test);
        assert_eq!(found(&inventory, "pkg:pypi/a-b@1.0").direct, Some(true));
        assert_eq!(found(&inventory, "pkg:pypi/c@1.0").scope, Scope::Test);
        assert_eq!(found(&inventory, "pkg:pypi/c@1.0").direct, Some(false));
    }
}
