//! What needs what, from the product downwards, and how much of that is known.
//!
//! Never here: an edge that nobody declared, but for the root's own: what is in the product hangs on the product.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ROOT;
use crate::domain::{Component, Coverage, CoverageStatus, Manifest};

/// Of these a lock file tells what needs what; of all others the edges are not known.
const WITH_EDGES: [&str; 8] = ["cargo", "cocoapods", "composer", "cpan", "cran", "gem", "julia", "npm"];

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

/// From the root everything can be reached: what is direct, what nobody needs, and one of each circle that nobody
/// outside needs. Nothing dangles.
pub(super) fn dependencies<'a>(
    components: &'a [Component],
    assets: &'a [(String, Vec<String>)],
) -> Vec<Dependency<'a>> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> =
        components.iter().map(|component| (component.purl.as_str(), BTreeSet::new())).collect();
    for component in components {
        let known: Vec<&str> =
            component.dependencies.iter().map(String::as_str).filter(|purl| edges.contains_key(purl)).collect();
        edges.entry(&component.purl).or_default().extend(known);
    }
    let needed: BTreeSet<&str> = edges.values().flatten().copied().collect();
    let first = |component: &&Component| component.direct == Some(true) || !needed.contains(component.purl.as_str());
    let mut roots: BTreeSet<&str> = BTreeSet::new();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    for component in components.iter().filter(first).chain(components) {
        let mut open = vec![component.purl.as_str()];
        if first(&component) || !reached.contains(component.purl.as_str()) {
            roots.insert(&component.purl);
        }
        while let Some(purl) = open.pop() {
            if reached.insert(purl) {
                open.extend(edges.get(purl).into_iter().flatten());
            }
        }
    }
    for (item, parts) in assets {
        roots.insert(item);
        edges.insert(item, parts.iter().map(String::as_str).collect());
        edges.extend(parts.iter().map(|part| (part.as_str(), BTreeSet::new())));
    }
    let root = Dependency { r#ref: ROOT, depends_on: roots };
    let others = edges.into_iter().map(|(r#ref, depends_on)| Dependency { r#ref, depends_on });
    std::iter::once(root).chain(others).collect()
}

/// Says how much is known. Without any lock or manifest file nothing is.
pub(super) fn compositions(manifest: &Manifest) -> Vec<Composition<'_>> {
    let whole = |coverage: &Coverage| coverage.status == CoverageStatus::Parsed && coverage.gaps.is_empty();
    let aggregate = if manifest.coverage.is_empty() {
        "unknown"
    } else if manifest.coverage.iter().all(whole) && manifest.source_tree.gitlinks == 0 {
        "complete"
    } else {
        "incomplete"
    };
    let no_edges =
        |component: &&Component| !WITH_EDGES.contains(&component.ecosystem.as_str()) || component.version.is_none();
    let unknown: Vec<&str> =
        manifest.components.iter().filter(no_edges).map(|component| component.purl.as_str()).collect();
    let mut compositions = vec![Composition { aggregate, assemblies: vec![ROOT], dependencies: vec![ROOT] }];
    if !unknown.is_empty() {
        compositions.push(Composition { aggregate: "unknown", assemblies: Vec::new(), dependencies: unknown });
    }
    compositions
}
