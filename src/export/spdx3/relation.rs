//! Relationships: what needs what, in which part of life, and under which licence.
//!
//! Never here: a claim that what is not known does not exist; its completeness is `noAssertion`.

use std::collections::BTreeMap;

use super::Names;
use super::element::{Element, by_type};
use crate::domain::{Component, Manifest, Scope};
use crate::export::graph::{Completeness, Graph, completeness, edges_are_known};
use crate::export::license::declared;

/// The element that stands for whatever is not known.
const NOT_SAID: &str = "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement";

/// Returns the edges from the product downwards.
pub(super) fn needs(names: &Names, manifest: &Manifest) -> Vec<Element> {
    let graph = Graph::of(&manifest.components);
    let mut by_scope: BTreeMap<Scope, Vec<String>> = BTreeMap::new();
    for component in manifest.components.iter().filter(|component| graph.roots.contains(component.purl.as_str())) {
        by_scope.entry(component.scope).or_default().push(names.component(&component.purl));
    }
    let whole = match completeness(manifest) {
        Completeness::Complete => "complete",
        Completeness::Incomplete => "incomplete",
        Completeness::Unknown => "noAssertion",
    };
    if whole != "complete" {
        by_scope.entry(Scope::Runtime).or_insert_with(|| vec![NOT_SAID.to_owned()]);
    }
    let mut found: Vec<Element> = by_scope.into_iter().map(|(scope, to)| of_product(names, scope, to, whole)).collect();
    for component in &manifest.components {
        let needs = graph.needs.get(component.purl.as_str()).into_iter().flatten();
        let to: Vec<String> = needs.map(|purl| names.component(purl)).collect();
        let known = edges_are_known(component);
        if to.is_empty() && known {
            continue;
        }
        found.push(Element {
            from: Some(names.component(&component.purl)),
            relationship_type: Some("dependsOn"),
            completeness: (!known).then_some("noAssertion"),
            to: if to.is_empty() { vec![NOT_SAID.to_owned()] } else { to },
            ..by_type("Relationship", names.for_text("needs", &component.purl))
        });
    }
    found
}

fn of_product(names: &Names, scope: Scope, to: Vec<String>, completeness: &'static str) -> Element {
    let (relationship, lifecycle) = match scope {
        Scope::Runtime => ("dependsOn", "runtime"),
        Scope::Optional => ("hasOptionalDependency", "runtime"),
        Scope::Build => ("dependsOn", "build"),
        Scope::Test => ("dependsOn", "test"),
        Scope::Dev => ("dependsOn", "development"),
    };
    Element {
        from: Some(names.product()),
        relationship_type: Some(relationship),
        scope: Some(lifecycle),
        completeness: Some(completeness),
        to,
        ..by_type("LifecycleScopedRelationship", names.of(&format!("product-needs-{scope}")))
    }
}

/// Returns the declared licence of each component that has one.
pub(super) fn licenses(names: &Names, components: &[Component]) -> Vec<Element> {
    let of_component = |component: &Component| {
        let expression = declared(&component.licenses).expression?;
        Some(Element {
            from: Some(names.component(&component.purl)),
            relationship_type: Some("hasDeclaredLicense"),
            to: vec![names.for_text("license", &expression)],
            ..by_type("Relationship", names.for_text("declares", &component.purl))
        })
    };
    components.iter().filter_map(of_component).collect()
}
