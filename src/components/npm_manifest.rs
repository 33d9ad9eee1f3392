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

/// Locks of other package managers, which cover a manifest without telling us what it holds.
const OTHER_LOCKS: [&str; 5] = ["yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock"];

/// The folders that npm's locks account for.
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
}

impl Manifest {
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
    if external.is_empty() || locked.folders.contains(folder) {
        return reading;
    }
    let other = upwards(folder).take(64).find_map(|at| OTHER_LOCKS.iter().find_map(|name| tree.in_folder(at, name)));
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
