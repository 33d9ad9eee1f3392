//! What a document of SPDX 3.0.1 must hold, whatever the manifest.

use serde_json::Value;

use super::*;
use crate::domain::Scope;
use crate::export::testing::{component, manifest, time, with_subject};

fn bytes(manifest: &Manifest) -> Vec<u8> {
    with_subject("1.0", |subject| spdx_3(subject, manifest, &Digest::of(b"manifest"), time()))
}

fn graph(manifest: &Manifest) -> Vec<Value> {
    let document: Value = serde_json::from_slice(&bytes(manifest)).unwrap();
    document["@graph"].as_array().unwrap().clone()
}

fn of_type<'a>(graph: &'a [Value], name: &str) -> Vec<&'a Value> {
    graph.iter().filter(|element| element["type"] == name).collect()
}

#[test]
fn the_same_manifest_gives_the_same_bytes() {
    let one = manifest(vec![component("a", &[])]);
    assert_eq!(bytes(&one), bytes(&one.clone()));
    assert_eq!(of_type(&graph(&one), "CreationInfo")[0]["created"], "2026-09-21T14:13:20Z");
}

#[test]
fn every_element_is_named_once_and_everything_is_reached_from_the_product() {
    let dev = Component { scope: Scope::Dev, ..component("dev", &[]) };
    let optional = Component { scope: Scope::Optional, ..component("optional", &[]) };
    let graph = graph(&manifest(vec![
        component("a", &["b", "gone"]),
        component("b", &["a"]),
        component("c", &[]),
        dev,
        optional,
    ]));
    let ids: Vec<&str> = graph.iter().filter_map(|element| element["spdxId"].as_str()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id is repeated");
    let packages: BTreeSet<&str> =
        of_type(&graph, "software_Package").iter().map(|package| package["spdxId"].as_str().unwrap()).collect();
    let mut reached: BTreeSet<&str> = packages.iter().copied().filter(|id| id.ends_with("#product")).collect();
    for _ in &graph {
        let known = reached.clone();
        for edge in graph.iter().filter(|edge| edge["from"].as_str().is_some_and(|from| known.contains(from))) {
            reached.extend(edge["to"].as_array().unwrap().iter().filter_map(Value::as_str));
        }
    }
    assert_eq!(reached, packages, "all is reached, and nothing dangles");
    let scopes: Vec<_> = of_type(&graph, "LifecycleScopedRelationship")
        .iter()
        .map(|edge| (edge["relationshipType"].as_str().unwrap(), edge["scope"].as_str().unwrap()))
        .collect();
    assert_eq!(scopes, [("dependsOn", "development"), ("hasOptionalDependency", "runtime"), ("dependsOn", "runtime")]);
}

#[test]
fn a_licence_of_nobodys_list_is_told_by_its_text() {
    let mut one = component("a", &[]);
    (one.licenses, one.supplier) = (vec!["Acme EULA".to_owned()], Some("Acme".to_owned()));
    let graph = graph(&manifest(vec![one]));
    let text = of_type(&graph, "simplelicensing_SimpleLicensingText")[0];
    assert_eq!(text["simplelicensing_licenseText"], "Acme EULA");
    let expression = of_type(&graph, "simplelicensing_LicenseExpression")[0];
    assert_eq!(expression["simplelicensing_customIdToUri"][0]["value"], text["spdxId"]);
    let agent = of_type(&graph, "Agent")[0];
    assert_eq!(of_type(&graph, "software_Package")[1]["suppliedBy"], agent["spdxId"]);
}

#[test]
fn what_is_not_known_of_edges_is_said() {
    let mut one = manifest(vec![component("a", &[])]);
    one.components[0].ecosystem = "pypi".to_owned();
    one.coverage.clear();
    let graph = graph(&one);
    let edge = of_type(&graph, "Relationship")[0];
    assert_eq!(edge["completeness"], "noAssertion");
    assert_eq!(of_type(&graph, "LifecycleScopedRelationship")[0]["completeness"], "noAssertion");
}
