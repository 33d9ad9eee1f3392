//! The world of `package.json`: one reader per lock format, and the manifests that the locks account for.
//!
//! Locks are of npm, Yarn, pnpm, Bun and Deno. All but npm's are read as a graph whose roots are the product's own
//! packages. Never here: a registry; a range that no lock resolves has no version.

mod bun;
mod deno;
mod pnpm;
mod yarn;
mod yarn_lock;

use super::npm;
use super::npm_lock::integrity;
use super::npm_manifest::{self, Locked};
use super::purl::{self, Origin};
use super::reading::{Reading, hex, is_hex};
use super::tree::Tree;
use crate::domain::Component;

/// Reads every lock and every `package.json` of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut locked = Locked::default();
    let mut readings = Vec::new();
    for reader in [npm::read, yarn::read, pnpm::read, bun::read, deno::read] {
        readings.extend(reader(tree, &mut locked));
    }
    readings.extend(npm_manifest::read(tree, &locked));
    readings
}

/// Begins the component of an npm package; what its origin leaves open is a gap.
fn package(reading: &mut Reading, name: &str, version: Option<&str>, origin: &Origin) -> Option<Component> {
    let mut component = reading.component("npm", name, version, purl::npm(name, version, origin))?;
    if version.is_none() {
        reading.gap(&format!("{name}: the lock does not say which version"));
    }
    if let Origin::Git { commit, .. } = origin {
        if is_hex(commit, 20) || is_hex(commit, 32) {
            component.hashes.push(reading.hash("git", commit));
        } else {
            reading.gap(&format!("{name}: taken from Git without a whole commit id"));
        }
    }
    Some(component)
}

/// Adds the hashes that the words of an `integrity` hold.
fn add_integrity(reading: &mut Reading, component: &mut Component, words: &str) {
    for (alg, bytes) in words.split_ascii_whitespace().take(16).filter_map(integrity) {
        match bytes {
            Some(bytes) => component.hashes.push(reading.hash(alg, &hex(&bytes))),
            None => reading.gap(&format!("{}: its integrity is no {alg}", component.name)),
        }
    }
}

/// Parts `name@rest`, where the name may begin with the `@` of a scope.
fn split_at_version(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    Some((text.get(..at)?, text.get(at + 1..)?))
}
