//! `package.json`: which packages the product names itself, and whether a lock accounts for it.
//!
//! Never here: versions. A manifest declares ranges; only a lock pins.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::kind::Kind;
use super::npm_lock::Entry;
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree, upwards};
use crate::domain::Scope;

/// A lock that covers a manifest without telling us what it holds.
const OTHER_LOCK: &str = "bun.lockb";

/// The folders that locks account for.
#[derive(Default)]
pub(super) struct Locked {
    /// Folders of locks, of workspaces and of installed packages.
    pub(super) folders: BTreeSet<Vec<u8>>,
}

/// A manifest. A table of another shape is read as empty.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(super) struct Manifest {
    dependencies: Value,
    dev_dependencies: Value,
    optional_dependencies: Value,
    peer_dependencies: Value,
    workspaces: Value,
    resolutions: Value,
    name: Value,
    version: Value,
}

impl Manifest {
    /// Returns the package's own name.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_str()
    }

    /// Returns the packages that it names itself, each with the range and what for.
    pub(super) fn needs(&self) -> BTreeMap<&str, (&str, Scope)> {
        let mut needs = BTreeMap::new();
        // A later table wins, as it does in npm and Yarn.
        for (table, scope) in [
            (&self.dev_dependencies, Scope::Dev),
            (&self.dependencies, Scope::Runtime),
            (&self.optional_dependencies, Scope::Optional),
        ] {
            let entries = table.as_object().into_iter().flatten();
            needs.extend(entries.filter_map(|(name, range)| Some((name.as_str(), (range.as_str()?, scope)))));
        }
        needs
    }

    /// Returns the patterns of the folders that are packages of the same product.
    pub(super) fn workspaces(&self) -> impl Iterator<Item = &str> {
        let list = self.workspaces.get("packages").unwrap_or(&self.workspaces);
        list.as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns what stands in for what was asked for, by name alone.
    pub(super) fn resolutions(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.resolutions.as_object().into_iter().flatten();
        entries.filter_map(|(name, range)| Some((name.as_str(), range.as_str()?)))
    }

    /// Returns it as the entry that later locks hold for the product itself.
    pub(super) fn as_entry(&self) -> Entry {
        let tables = [&self.dependencies, &self.dev_dependencies, &self.optional_dependencies, &self.peer_dependencies];
        Entry::needing(
            tables.into_iter().filter_map(Value::as_object).flat_map(|table| table.keys().cloned()).collect(),
        )
    }

    /// Returns the packages that come from elsewhere. What the host must bring (`peerDependencies`) is not among them.
    fn external(&self) -> BTreeMap<&str, Scope> {
        let mut external = BTreeMap::new();
        // npm lets an optional entry win over a plain one of the same name.
        for (table, scope) in [
            (&self.dev_dependencies, Scope::Dev),
            (&self.dependencies, Scope::Runtime),
            (&self.optional_dependencies, Scope::Optional),
        ] {
            for (name, range) in table.as_object().into_iter().flatten() {
                if !range.as_str().is_some_and(is_local) {
                    external.insert(name.as_str(), scope);
                }
            }
        }
        external
    }
}

fn is_local(range: &str) -> bool {
    ["file:", "link:", "workspace:", "portal:", "./", "../", "/", "~/"].iter().any(|start| range.starts_with(start))
}

/// Reads every `package.json` of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &Locked) -> Vec<Reading> {
    tree.of_kind(Kind::NpmManifest)
        .map(|file| match file.json() {
            Ok(manifest) => read_manifest(tree, file, &manifest, locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_manifest(tree: &Tree<'_>, file: File<'_>, manifest: &Manifest, locked: &Locked) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let external = manifest.external();
    reading.names(external.len());
    let folder = file.path.parent();
    let installed = folder.split(|byte| *byte == b'/').any(|part| part == b"node_modules");
    if let Some(name) = manifest.name().filter(|_| locked.folders.contains(folder) && !installed) {
        let version = manifest.version.as_str();
        reading.own("npm", name, version, purl::npm(name, version, &Origin::Usual));
    }
    if external.is_empty() || locked.folders.contains(folder) {
        return reading;
    }
    let other = upwards(folder).take(64).find_map(|at| tree.in_folder(at, OTHER_LOCK));
    if let Some(other) = other {
        reading.gap(&format!("its lock {} is not read by this version", other.path));
        return reading;
    }
    reading.unlocked();
    for (name, scope) in external {
        reading.gap(&format!("{name}: no lock says which version"));
        let purl = purl::npm(name, None, &Origin::Usual);
        let Some(mut component) = reading.component("npm", name, None, purl) else { continue };
        component.scope = scope;
        component.direct = Some(true);
        reading.add(component);
    }
    reading
}
