//! `dependencies` and `compositions`.
//!
//! Never here: what the edges are, which all documents tell alike.

use std::collections::BTreeSet;

use serde::Serialize;

use super::ROOT;
use crate::domain::{Component, Manifest};
use crate::export::graph::{Completeness, Graph, completeness, edges_are_known};

/// What one entry needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency<'a> {
    r#ref: &'a str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    depends_on: BTreeSet<&'a str>,
}

/// How much is known of some entries.
#[derive(Serialize)]
pub(super) struct Composition<'a> {
    aggregate: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assemblies: Vec<&'a str>,
    dependencies: Vec<&'a str>,
}

/// Returns what needs what. From the root everything can be reached, and nothing dangles.
pub(super) fn dependencies<'a>(
    components: &'a [Component],
    assets: &'a [(String, Vec<String>)],
) -> Vec<Dependency<'a>> {
    let Graph { mut roots, mut needs } = Graph::of(components);
    for (item, parts) in assets {
        roots.insert(item);
        needs.insert(item, parts.iter().map(String::as_str).collect());
        needs.extend(parts.iter().map(|part| (part.as_str(), BTreeSet::new())));
    }
    let root = Dependency { r#ref: ROOT, depends_on: roots };
    let others = needs.into_iter().map(|(r#ref, depends_on)| Dependency { r#ref, depends_on });
    std::iter::once(root).chain(others).collect()
}

/// Says how much is known.
pub(super) fn compositions(manifest: &Manifest) -> Vec<Composition<'_>> {
    let aggregate = match completeness(manifest) {
        Completeness::Complete => "complete",
        Completeness::Incomplete => "incomplete",
        Completeness::Unknown => "unknown",
    };
    let unknown: Vec<&str> = manifest
        .components
        .iter()
        .filter(|component| !edges_are_known(component))
        .map(|component| component.purl.as_str())
        .collect();
    let mut compositions = vec![Composition { aggregate, assemblies: vec![ROOT], dependencies: vec![ROOT] }];
    if !unknown.is_empty() {
        compositions.push(Composition { aggregate: "unknown", assemblies: Vec::new(), dependencies: unknown });
    }
    compositions
}
