//! The world of Python: one reader per lock format, and the projects that declare what no lock pins.
//!
//! Names are compared as PEP 503 normalizes them. Where a name has several versions, by marker, all are listed and
//! whatever needs the name needs all. Never here: `requirements*.txt`, which has a reader of its own; markers' values.

mod conda;
mod declared;
mod pdm;
mod pipfile;
mod poetry;
mod project;
mod pylock;
mod setup;
mod uv;

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Graph, MOST_NAMESAKES};
use super::purl::{self, Origin, pypi_name};
use super::reading::{Reading, is_hex};
use super::requirement::hash_of;
use super::requirements::scope_by_words;
use super::tree::Tree;
use crate::domain::{Component, Scope};

/// So many hashes of one release are kept: large projects have some hundred files.
const MOST_HASHES: usize = 1000;

/// The folders whose projects a lock accounts for.
type Locked = BTreeSet<Vec<u8>>;

/// Reads every lock and every project of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut locked = Locked::new();
    let mut readings = Vec::new();
    for reader in [pipfile::read, poetry::read, pdm::read, uv::read, pylock::read] {
        readings.extend(reader(tree, &mut locked));
    }
    readings.extend(project::read(tree, &locked));
    readings.extend(setup::read(tree, &locked));
    readings.extend(conda::read(tree));
    readings
}

/// Begins the component of a project; what its origin leaves open is a gap.
fn package(reading: &mut Reading, name: &str, version: Option<&str>, origin: &Origin) -> Option<Component> {
    let normal = pypi_name(name);
    let mut component = reading.component("pypi", &normal, version, purl::pypi(name, version, origin))?;
    match origin {
        Origin::Git { commit, .. } if is_hex(commit, 20) || is_hex(commit, 32) => {
            component.hashes.push(reading.hash("git", commit));
        }
        Origin::Git { .. } => reading.gap(&format!("{normal}: taken from Git without a whole commit id")),
        _ => {}
    }
    if version.is_none() {
        reading.gap(&format!("{normal}: the lock does not say which version"));
    }
    Some(component)
}

/// Notes a project of the product's own.
fn own(reading: &mut Reading, name: &str, version: Option<&str>) {
    reading.own("pypi", &pypi_name(name), version, purl::pypi(name, version, &Origin::Usual));
}

/// Adds hashes such as `sha256:…`; those of another kind are a gap.
fn add_hashes<'h>(reading: &mut Reading, component: &mut Component, hashes: impl Iterator<Item = &'h str>) {
    let mut others = 0;
    for text in hashes.take(MOST_HASHES) {
        match hash_of(text) {
            Some((alg, value)) => component.hashes.push(reading.hash(alg, &value)),
            None => others += 1,
        }
    }
    if others > 0 {
        reading.gap(&format!("{}: {others} of its hashes are of another kind", component.name));
    }
}

/// Returns the origin for a registry's address.
fn registry(url: &str) -> Origin {
    let usual = ["https://pypi.org/simple", "https://pypi.python.org/simple", "https://files.pythonhosted.org"];
    if url.is_empty() || usual.contains(&url.trim_end_matches('/')) {
        return Origin::Usual;
    }
    Origin::Registry(url.to_owned())
}

/// Returns what a group of dependencies is for: all but the main one serve development (PEP 735).
fn group_scope(name: &str) -> Scope {
    match name {
        "default" | "main" => Scope::Runtime,
        name => scope_by_words(name).unwrap_or(Scope::Dev),
    }
}

/// A lock's packages by name.
#[derive(Default)]
struct Names(BTreeMap<String, Vec<(String, usize)>>);

impl Names {
    fn add(&mut self, name: &str, version: &str, index: usize) {
        self.0.entry(pypi_name(name)).or_default().push((version.to_owned(), index));
    }

    /// Returns the packages of a name, of that version where one is told.
    fn find(&self, name: &str, version: Option<&str>) -> impl Iterator<Item = usize> {
        let all = self.0.get(&pypi_name(name)).into_iter().flatten().take(4 * MOST_NAMESAKES);
        let fits = move |known: &&(String, usize)| version.is_none_or(|version| known.0 == version);
        all.filter(fits).take(MOST_NAMESAKES).map(|(_, index)| *index)
    }

    /// Says that one package needs whatever has that name.
    fn need(&self, graph: &mut Graph, from: usize, name: &str, scope: Scope) {
        for to in self.find(name, None) {
            graph.need(from, to, scope);
        }
    }
}
