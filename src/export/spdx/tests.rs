//! What a document of SPDX 2.3 must hold, whatever the manifest.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::domain::{ComponentHash, RepoPath, Scope};
use crate::export::testing::{component, manifest, time, with_subject};

fn bytes(manifest: &Manifest, version: &str) -> Vec<u8> {
    with_subject(version, |subject| spdx(subject, manifest, &Digest::of(b"manifest"), time()))
}

fn document(manifest: &Manifest) -> Value {
    serde_json::from_slice(&bytes(manifest, "1.0")).unwrap()
}

fn edges(document: &Value) -> Vec<(&str, &str, &str)> {
    let text = |edge: &'_ Value, name: &str| edge[name].as_str().unwrap().to_owned().leak() as &str;
    let edges = document["relationships"].as_array().unwrap().iter();
    edges
        .map(|edge| (text(edge, "spdxElementId"), text(edge, "relationshipType"), text(edge, "relatedSpdxElement")))
        .collect()
}

#[test]
fn the_same_manifest_gives_the_same_bytes_and_another_version_another_namespace() {
    let one = manifest(vec![component("a", &[])]);
    assert_eq!(bytes(&one, "1.0"), bytes(&one.clone(), "1.0"));
    let namespace = |version: &str| {
        serde_json::from_slice::<Value>(&bytes(&one, version)).unwrap()["documentNamespace"].to_string()
    };
    assert_ne!(namespace("1.0"), namespace("1.1"));
    assert_eq!(document(&one)["creationInfo"]["created"], "2026-09-21T14:13:20Z");
}

#[test]
fn everything_is_reached_from_the_product_and_every_scope_has_its_own_relationship() {
    let scoped = |name: &str, scope: Scope| Component { scope, ..component(name, &[]) };
    let document = document(&manifest(vec![
        component("a", &["b", "gone"]),
        component("b", &[]),
        component("circle1", &["circle2"]),
        component("circle2", &["circle1"]),
        scoped("build", Scope::Build),
        scoped("dev", Scope::Dev),
        scoped("optional", Scope::Optional),
        scoped("test", Scope::Test),
    ]));
    let edges = edges(&document);
    assert_eq!(edges[0], (DOCUMENT, "DESCRIBES", ROOT));
    let mut reached = BTreeSet::from([ROOT]);
    for _ in 0..edges.len() {
        for (from, kind, to) in &edges {
            if *kind == "DEPENDS_ON" && reached.contains(from) {
                reached.insert(to);
            } else if kind.ends_with("_OF") && reached.contains(to) {
                reached.insert(from);
            }
        }
    }
    let ids: BTreeSet<&str> =
        document["packages"].as_array().unwrap().iter().map(|package| package["SPDXID"].as_str().unwrap()).collect();
    assert_eq!(reached, ids, "all is reached, and nothing dangles");
    assert_eq!(ids.len(), 9, "no id is repeated");
    for kind in ["BUILD", "DEV", "OPTIONAL", "TEST"] {
        assert_eq!(edges.iter().filter(|edge| edge.1 == format!("{kind}_DEPENDENCY_OF")).count(), 1, "{kind}");
    }
}

#[test]
fn names_that_look_alike_once_they_are_plain_have_different_ids() {
    let document = document(&manifest(vec![component("a_b", &[]), component("a~b", &[])]));
    assert_ne!(document["packages"][1]["SPDXID"], document["packages"][2]["SPDXID"]);
    let id = document["packages"][1]["SPDXID"].as_str().unwrap();
    assert!(id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b'-'), "{id}");
}

#[test]
fn only_checksums_of_the_package_itself_are_checksums() {
    let hash = |alg: &str, value: &str| ComponentHash {
        alg: alg.to_owned(),
        value: value.to_owned(),
        origin: RepoPath::from("go.sum"),
    };
    let mut one = component("a", &[]);
    one.hashes = vec![hash("SHA-512", &"0".repeat(128)), hash("SHA-256", "short"), hash("h1", "AAAA=")];
    let document = document(&manifest(vec![one]));
    let package = &document["packages"][1];
    assert_eq!(package["checksums"].as_array().unwrap().len(), 1);
    assert_eq!(package["checksums"][0]["algorithm"], "SHA512");
    assert!(package["comment"].as_str().unwrap().contains("\ngit-baseline:hash:h1=AAAA=\n"), "{package}");
}

#[test]
fn what_nobody_declared_is_not_invented() {
    let mut one = component("a", &[]);
    one.version = None;
    let mut two = component("b", &[]);
    (two.licenses, two.supplier) = (vec!["Acme EULA".to_owned()], Some("Acme\nCo".to_owned()));
    let document = document(&manifest(vec![one, two]));
    let [_, one, two] = document["packages"].as_array().unwrap().as_slice() else { panic!("{document}") };
    assert!(one.get("versionInfo").is_none());
    assert_eq!((&one["supplier"], &one["licenseDeclared"]), (&NOT_SAID.into(), &NOT_SAID.into()));
    assert_eq!(two["supplier"], "Organization: Acme\\nCo");
    assert_eq!(document["hasExtractedLicensingInfos"][0]["licenseId"], two["licenseDeclared"]);
    assert_eq!(document["hasExtractedLicensingInfos"][0]["extractedText"], "Acme EULA");
}

#[test]
fn what_is_not_known_of_edges_is_said() {
    let whole = manifest(vec![component("a", &[])]);
    let open = |manifest: &Manifest| edges(&document(manifest)).iter().filter(|edge| edge.2 == NOT_SAID).count();
    assert_eq!(open(&whole), 0);
    let mut gap = whole.clone();
    gap.coverage[0].gaps.push("a: a range".to_owned());
    assert_eq!(open(&gap), 1);
    assert_eq!(document(&gap)["comment"], "git-baseline:gap=Cargo.lock: parsed: a: a range");
    let mut other = whole;
    other.components[0].ecosystem = "pypi".to_owned();
    assert_eq!(open(&other), 1);
}
