//! `relationships`: the document describes the product, on which everything hangs.
//!
//! Never here: a claim that what is not known does not exist; there `NOASSERTION` stands.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{DOCUMENT, NOT_SAID, ROOT, id};
use crate::domain::{Component, Manifest, Scope};
use crate::export::graph::{Completeness, Graph, completeness, edges_are_known};

/// One relationship.
#[derive(Debug, Serialize)]
pub(super) struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: String,
    #[serde(rename = "relationshipType")]
    kind: &'static str,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
}

/// Returns all relationships, from the document downwards.
pub(super) fn relationships(manifest: &Manifest) -> Vec<Relationship> {
    let graph = Graph::of(&manifest.components);
    let by_purl: BTreeMap<&str, (&Component, String)> =
        manifest.components.iter().map(|component| (component.purl.as_str(), (component, id(component)))).collect();
    let mut found = vec![relationship(DOCUMENT, "DESCRIBES", ROOT)];
    for (component, id) in graph.roots.iter().filter_map(|purl| by_purl.get(purl)) {
        found.push(match component.scope {
            Scope::Runtime => relationship(ROOT, "DEPENDS_ON", id),
            Scope::Optional => relationship(id, "OPTIONAL_DEPENDENCY_OF", ROOT),
            Scope::Build => relationship(id, "BUILD_DEPENDENCY_OF", ROOT),
            Scope::Test => relationship(id, "TEST_DEPENDENCY_OF", ROOT),
            Scope::Dev => relationship(id, "DEV_DEPENDENCY_OF", ROOT),
        });
    }
    if completeness(manifest) != Completeness::Complete {
        found.push(relationship(ROOT, "DEPENDS_ON", NOT_SAID));
    }
    for component in &manifest.components {
        let Some((_, from)) = by_purl.get(component.purl.as_str()) else { continue };
        let needs = graph.needs.get(component.purl.as_str()).into_iter().flatten();
        found.extend(needs.filter_map(|purl| by_purl.get(purl)).map(|(_, to)| relationship(from, "DEPENDS_ON", to)));
        if !edges_are_known(component) {
            found.push(relationship(from, "DEPENDS_ON", NOT_SAID));
        }
    }
    found
}

fn relationship(from: &str, kind: &'static str, to: &str) -> Relationship {
    Relationship { from: from.to_owned(), kind, to: to.to_owned() }
}
