//! `pdm.lock`.
//!
//! A package stands there once for each set of extras. What the product itself asks for stands in `pyproject.toml`;
//! where there is none, the lock's groups tell what a package is for. Never here: markers' values.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::graph::Graph;
use super::super::kind::Kind;
use super::super::purl::Origin;
use super::super::reading::Reading;
use super::super::requirement::asked;
use super::super::tree::{File, Tree};
use super::poetry::{Artifact, walk_from_project};
use super::{Locked, Names, add_hashes, group_scope, own, package};
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
    /// Before PDM 2.8, by `name version`.
    #[serde(default)]
    files: BTreeMap<String, Vec<Artifact>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    files: Vec<Artifact>,
    git: Option<String>,
    revision: Option<String>,
    url: Option<String>,
    path: Option<String>,
}

/// Reads every `pdm.lock` of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::PdmLock)
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
        for one in package.dependencies.iter().filter_map(|text| asked(text)) {
            names.need(&mut graph, from, &one.name, Scope::Runtime);
        }
    }
    walk_from_project(tree, folder, &mut graph, &names, &mut reading);
    graph.report(&mut reading);
    reading
}

fn add(graph: &mut Graph, reading: &mut Reading, told: &Package, metadata: &Metadata) -> usize {
    let origin = match (&told.git, &told.url, &told.path) {
        (Some(url), ..) => Origin::Git { url: url.clone(), commit: told.revision.clone().unwrap_or_default() },
        (None, Some(url), _) => Origin::Download(url.clone()),
        (None, None, Some(path)) if !path.ends_with(".whl") && !path.ends_with(".gz") => {
            own(reading, &told.name, Some(told.version.as_str()).filter(|version| !version.is_empty()));
            return graph.own(false);
        }
        _ => Origin::Usual,
    };
    let version = Some(told.version.as_str()).filter(|version| !version.is_empty());
    let mut component = package(reading, &told.name, version, &origin);
    if let Some(component) = &mut component {
        component.scope = told.groups.iter().map(|group| group_scope(group)).max().unwrap_or(Scope::Runtime);
        let apart = metadata.files.get(&format!("{} {}", told.name, told.version)).into_iter().flatten();
        let hashes = told.files.iter().chain(apart).map(|file| file.hash.as_str());
        add_hashes(reading, component, hashes.filter(|hash| !hash.is_empty()));
    }
    graph.foreign(component)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, inventory};
    use crate::domain::Scope;

    #[test]
    fn extras_are_the_same_package_and_own_folders_are_none() {
        let sum = "0".repeat(64);
        let lock = format!(
            "[metadata]\ngroups = [\"default\", \"test\"]\n[metadata.files]\n\"a 1.0\" = [{{url = \"x\", hash = \"sha256:{sum}\"}}]\n\
             [[package]]\nname = \"a\"\nversion = \"1.0\"\ngroups = [\"test\", \"default\"]\n\
             [[package]]\nname = \"a\"\nversion = \"1.0\"\nextras = [\"x\"]\ndependencies = [\"a==1.0\", \"B.c[y]>=2; os_name == 'nt'\"]\n\
             [[package]]\nname = \"b-c\"\nversion = \"2.0\"\ngroups = [\"test\"]\n[[package]]\nname = \"own\"\nversion = \"0\"\npath = \"./own\"\n"
        );
        let inventory = inventory(&[("pdm.lock", &lock)]);
        let a = found(&inventory, "pkg:pypi/a@1.0");
        assert_eq!((a.scope, a.dependencies.as_slice()), (Scope::Runtime, &["pkg:pypi/b-c@2.0".to_owned()][..]));
        assert_eq!(a.hashes.len(), 1);
        assert_eq!((inventory.components.len(), found(&inventory, "pkg:pypi/b-c@2.0").scope), (2, Scope::Test));
    }
}
