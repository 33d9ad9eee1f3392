//! `pylock.toml` (PEP 751).
//!
//! The format does not tell what the product asks for itself; markers on extras and groups, or the file's own name, tell
//! what a package is for. Never here: other markers' values.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Value;

use super::super::graph::Graph;
use super::super::kind::Kind;
use super::super::purl::Origin;
use super::super::reading::Reading;
use super::super::requirements::scope_by_words;
use super::super::tree::{File, Tree};
use super::{Locked, Names, add_hashes, package, registry};
use crate::domain::{CoverageStatus, Scope};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lock {
    lock_version: String,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    marker: Option<String>,
    index: Option<String>,
    vcs: Option<Vcs>,
    directory: Option<Value>,
    archive: Option<Artifact>,
    sdist: Option<Artifact>,
    #[serde(default)]
    wheels: Vec<Artifact>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Vcs {
    url: Option<String>,
    commit_id: Option<String>,
}

#[derive(Deserialize)]
struct Artifact {
    url: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: Option<String>,
    version: Option<String>,
}

/// Reads every `pylock.toml` of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::Pylock)
        .map(|file| match file.toml::<Lock>() {
            Ok(lock) => read_lock(file, &lock, locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(file: File<'_>, lock: &Lock, locked: &mut Locked) -> Reading {
    if lock.lock_version.split('.').next() != Some("1") {
        return Reading::ended(
            file.kind,
            file.path,
            CoverageStatus::Unsupported,
            "its version of the format is not known",
        );
    }
    let mut reading = Reading::new(file.kind, file.path);
    locked.insert(file.path.parent().to_vec());
    let by_name = scope_by_words(&String::from_utf8_lossy(file.path.file_name())).unwrap_or(Scope::Runtime);
    let (mut graph, mut names) = (Graph::default(), Names::default());
    for told in &lock.packages {
        let index = add(&mut graph, &mut reading, told, by_name);
        names.add(&told.name, told.version.as_deref().unwrap_or_default(), index);
    }
    for (from, told) in lock.packages.iter().enumerate() {
        for (name, one) in told.dependencies.iter().filter_map(|one| Some((one.name.as_deref()?, one))) {
            names.find(name, one.version.as_deref()).for_each(|to| graph.need(from, to, Scope::Runtime));
        }
    }
    graph.report(&mut reading);
    reading
}

fn add(graph: &mut Graph, reading: &mut Reading, told: &Package, by_name: Scope) -> usize {
    // What is needed by nobody that the lock names keeps its own scope, and own folders begin no walk.
    if told.directory.is_some() {
        return graph.foreign(None);
    }
    let origin = match (&told.vcs, &told.archive) {
        (Some(vcs), _) => {
            Origin::Git { url: vcs.url.clone().unwrap_or_default(), commit: vcs.commit_id.clone().unwrap_or_default() }
        }
        (None, Some(archive)) => archive.url.clone().map_or(Origin::Usual, Origin::Download),
        (None, None) => registry(told.index.as_deref().unwrap_or_default()),
    };
    let mut component = package(reading, &told.name, told.version.as_deref(), &origin);
    if let Some(component) = &mut component {
        component.scope = match told.marker.as_deref() {
            Some(marker) if marker.contains("in dependency_groups") => by_name.min(Scope::Dev),
            Some(marker) if marker.contains("in extras") => by_name.min(Scope::Optional),
            _ => by_name,
        };
        let artifacts = told.archive.iter().chain(&told.sdist).chain(&told.wheels);
        let hashes: Vec<String> =
            artifacts.flat_map(|one| &one.hashes).map(|(alg, value)| format!("{alg}:{value}")).collect();
        add_hashes(reading, component, hashes.iter().map(String::as_str));
    }
    graph.foreign(component)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn markers_and_file_names_tell_what_a_package_is_for() {
        let sum = "0".repeat(64);
        let lock = format!(
            "lock-version = \"1.0\"\n[[packages]]\nname = \"a\"\nversion = \"1.0\"\ndependencies = [{{name = \"b\"}}]\nsdist = {{name = \"a.tgz\", hashes = {{sha256 = \"{sum}\"}}}}\n\
             [[packages]]\nname = \"b\"\nversion = \"1.0\"\nmarker = \"'x' in extras\"\n[[packages]]\nname = \"c\"\nvcs = {{type = \"git\", url = \"https://h/c\", commit-id = \"0123456789012345678901234567890123456789\"}}\n\
             [[packages]]\nname = \"own\"\ndirectory = {{path = \".\"}}\n"
        );
        let inventory = inventory(&[
            ("pylock.toml", &lock),
            ("pylock.test.toml", "lock-version = '1.0'\n[[packages]]\nname = 't'\nversion = '1'\n"),
            ("n/pylock.toml", "lock-version = '2.0'"),
        ]);
        let a = found(&inventory, "pkg:pypi/a@1.0");
        assert_eq!((a.direct, a.scope, a.hashes.len(), a.dependencies.len()), (None, Scope::Runtime, 1, 1));
        assert_eq!(found(&inventory, "pkg:pypi/b@1.0").scope, Scope::Optional);
        assert_eq!(found(&inventory, "pkg:pypi/t@1").scope, Scope::Test);
        assert_eq!(gaps(&inventory, "pylock.toml"), ["c: the lock does not say which version"]);
        assert_eq!(inventory.components.len(), 4);
        assert_eq!(status(&inventory, "n/pylock.toml"), CoverageStatus::Unsupported);
    }
}
