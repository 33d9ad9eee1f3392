//! `bun.lock`, the JSON with comments that Bun writes since 1.2. Its binary elder `bun.lockb` has no reader.
//!
//! A key is where a package is installed: `a/b` is the `b` that stands below `a`. What needs what is found as Node finds
//! it, below the package itself and then further up. Never here: a range's meaning.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::graph::Graph;
use super::super::kind::Kind;
use super::super::npm_lock;
use super::super::npm_manifest::{Locked, Manifest};
use super::super::purl::Origin;
use super::super::reading::Reading;
use super::super::structured::jsonc;
use super::super::tree::{File, Tree, resolved};
use super::{add_integrity, package, split_at_version};
use crate::domain::{CoverageStatus, Scope};

/// The newest format of the lock that is known.
const NEWEST: u64 = 1;

/// No package is nested deeper, no key is longer, and so many places are looked at.
const DEEPEST: usize = 32;
const LONGEST_KEY: usize = 1000;
const MOST_LOOKS: usize = 1_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    lockfile_version: Option<u64>,
    #[serde(default)]
    workspaces: BTreeMap<String, Manifest>,
    #[serde(default)]
    packages: BTreeMap<String, Vec<Value>>,
}

/// Reads every `bun.lock` of the tree.
pub(in crate::components) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::BunLock)
        .map(|file| match jsonc::<Lock>(&file) {
            Ok(lock) => read_lock(file, &lock, locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(file: File<'_>, lock: &Lock, locked: &mut Locked) -> Reading {
    if let Some(version) = lock.lockfile_version.filter(|version| *version > NEWEST) {
        let why = format!("version {version} of the format is not known");
        return Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why);
    }
    let mut reading = Reading::new(file.kind, file.path);
    let folder = file.path.parent();
    locked.folders.insert(folder.to_vec());
    locked.folders.extend(lock.workspaces.keys().filter_map(|path| resolved(folder, path)));
    let mut graph = Graph::default();
    let mut places = Places { by_key: BTreeMap::new(), looks: 0 };
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    for path in lock.workspaces.keys() {
        own.insert(path, graph.own(path.is_empty()));
    }
    for (key, entry) in &lock.packages {
        let told = entry.first().and_then(Value::as_str).unwrap_or_default();
        let index = match told.split_once("@workspace:") {
            Some((_, path)) => own.get(path).copied(),
            None => None,
        };
        places.by_key.insert(key, index.unwrap_or_else(|| add(&mut graph, &mut reading, told, entry)));
    }
    let mut unresolved = 0;
    for (path, manifest) in &lock.workspaces {
        let Some(&from) = own.get(path.as_str()) else { continue };
        let at = manifest.name().filter(|_| !path.is_empty()).unwrap_or_default();
        for (name, (_, scope)) in manifest.needs() {
            match places.find(at, name) {
                Some(to) => graph.need(from, to, scope),
                None => unresolved += 1,
            }
        }
    }
    for (key, entry) in &lock.packages {
        let (Some(&from), Some(info)) = (places.by_key.get(key.as_str()), entry.iter().find_map(Value::as_object))
        else {
            continue;
        };
        for (table, scope) in [("dependencies", Scope::Runtime), ("optionalDependencies", Scope::Optional)] {
            for name in info.get(table).and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) {
                match places.find(key, name) {
                    Some(to) => graph.need(from, to, scope),
                    // What another platform needs may be left out.
                    None if scope == Scope::Optional => {}
                    None => unresolved += 1,
                }
            }
        }
    }
    if unresolved > 0 {
        reading.gap(&format!("{unresolved} of its dependencies are not among its packages"));
    }
    graph.report(&mut reading);
    reading
}

fn add(graph: &mut Graph, reading: &mut Reading, told: &str, entry: &[Value]) -> usize {
    let (name, rest) = split_at_version(told).unwrap_or((told, ""));
    let is_archive = [".tgz", ".tar.gz"].iter().any(|ending| rest.ends_with(ending));
    let is_local = ["root:", "link:", "workspace:"].iter().any(|start| rest.starts_with(start));
    if is_local || rest.starts_with("file:") && !is_archive {
        return graph.own(false);
    }
    // A version has no `:`; all else is an address.
    let is_version = !rest.is_empty() && !rest.contains([':', '/']);
    let origin = if is_version { Origin::Usual } else { npm_lock::origin(rest) };
    let mut component = package(reading, name, is_version.then_some(rest), &origin);
    if let Some(component) = &mut component {
        let words = entry.iter().skip(1).filter_map(Value::as_str).filter(|word| word.starts_with("sha"));
        words.for_each(|word| add_integrity(reading, component, word));
    }
    graph.foreign(component)
}

/// Where packages are installed.
struct Places<'a> {
    by_key: BTreeMap<&'a str, usize>,
    looks: usize,
}

impl Places<'_> {
    /// Looks below the package itself, then below each that it stands in, then at the top.
    fn find(&mut self, key: &str, name: &str) -> Option<usize> {
        let mut at = Some(key).filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
        for _ in 0..DEEPEST {
            let Some(here) = at.filter(|_| self.looks < MOST_LOOKS) else { break };
            self.looks += 1;
            if let Some(found) = self.by_key.get(format!("{here}/{name}").as_str()) {
                return Some(*found);
            }
            at = above(here);
        }
        self.by_key.get(name).copied()
    }
}

/// Returns the key of the package that this one stands in. A scope and its name are one.
fn above(key: &str) -> Option<&str> {
    let at = key.rfind('/')?;
    let start = key.get(..at)?.rfind('/').map_or(0, |slash| slash + 1);
    let end = if key.get(start..)?.starts_with('@') { start.checked_sub(1)? } else { at };
    key.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::{found, gaps, inventory, status};

    #[test]
    fn keys_are_places_and_the_nearest_counts() {
        let lock = r#"{ // a comment
            "lockfileVersion": 1,
            "workspaces": {
                "": {"name": "app", "dependencies": {"a": "^1", "part": "workspace:*", "gone": "1",}, "devDependencies": {"@s/d": "1"}},
                "packages/part": {"name": "part", "optionalDependencies": {"b": "^3"}},
            },
            "packages": {
                "a": ["a@1.0.0", "", {"dependencies": {"b": "^2"}}, "sha1-AAECAwQFBgcICQoLDA0ODxAREhM="],
                "b": ["b@1.0.0", "", {}, "sha512-x"],
                "a/b": ["b@2.0.0", "", {"dependencies": {"@s/d": "1"}}],
                "part/b": ["real@3.0.0", "", {}],
                "@s/d": ["@s/d@1.0.0", "", {"dependencies": {"g": "x"}}],
                "g": ["g@github:o/g#6c1c75b", {}, "o-g-6c1c75b"],
                "part": ["part@workspace:packages/part"],
                "app": ["app@root:", {}],
            },
        }"#;
        let inventory =
            inventory(&[("bun.lock", lock), ("packages/part/package.json", r#"{"dependencies": {"x": "1"}}"#)]);
        assert_eq!(found(&inventory, "pkg:npm/a@1.0.0").dependencies, ["pkg:npm/b@2.0.0"]);
        assert_eq!(found(&inventory, "pkg:npm/%40s/d@1.0.0").scope, Scope::Runtime);
        assert_eq!(found(&inventory, "pkg:npm/real@3.0.0").scope, Scope::Optional);
        assert_eq!(found(&inventory, "pkg:npm/b@1.0.0").direct, Some(false));
        found(&inventory, "pkg:npm/g?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fg%406c1c75b");
        assert_eq!(inventory.components.len(), 6);
        assert_eq!(
            gaps(&inventory, "bun.lock"),
            [
                "1 of its dependencies are not among its packages",
                "b: its integrity is no SHA-512",
                "g: taken from Git without a whole commit id",
                "g: the lock does not say which version"
            ]
        );
        assert_eq!(status(&inventory, "packages/part/package.json"), CoverageStatus::Parsed);
    }

    #[test]
    fn the_package_above_is_found_with_its_scope() {
        for (key, expected) in
            [("a", None), ("a/b", Some("a")), ("@s/a", None), ("@s/a/b", Some("@s/a")), ("a/@s/b", Some("a"))]
        {
            assert_eq!(above(key), expected, "{key}");
        }
    }

    #[test]
    fn the_binary_lock_and_a_newer_one_are_said() {
        let inventory = inventory(&[
            ("bun.lockb", "#!/usr/bin/env bun"),
            ("package.json", r#"{"dependencies": {"x": "1"}}"#),
            ("n/bun.lock", r#"{"lockfileVersion": 2}"#),
        ]);
        assert_eq!(status(&inventory, "bun.lockb"), CoverageStatus::Unsupported);
        assert_eq!(gaps(&inventory, "package.json"), ["its lock bun.lockb is not read by this version"]);
        assert_eq!(status(&inventory, "n/bun.lock"), CoverageStatus::Unsupported);
    }
}
