//! Compares the recognisers with a labelled corpus: facts as openssl, ssh-keygen and gpg print them.
//!
//! The corpus is no part of the project; without `GIT_BASELINE_CORPUS` these tests say so and pass.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::domain::Fact;

/// Kinds that are read here; all others belong to settings.
const KINDS: &[&str] = &[
    "age-encrypted",
    "age-identity",
    "age-recipients",
    "ansible-vault",
    "certificate-bundle",
    "dh-parameters",
    "dns-tsig-key",
    "dotenv",
    "git-crypt",
    "jks-keystore",
    "jwk",
    "jwks",
    "k8s-secret",
    "minisign-public-key",
    "minisign-secret-key",
    "openssh-certificate",
    "openssh-private-key",
    "openssh-public-key",
    "openpgp-private-key",
    "openpgp-public-key",
    "pem-combined",
    "pkcs12-keystore",
    "pkcs7-certificates",
    "private-key-der",
    "private-key-pem",
    "public-key-der",
    "public-key-pem",
    "putty-private-key",
    "sealed-secret",
    "sops-file",
    "wireguard-config",
    "x509-certificate",
    "x509-certificate-der",
    "x509-crl",
    "x509-csr",
];

/// Facts that no recogniser can read from the bytes alone, with the reason.
const OUT_OF_REACH: &[(&str, &str)] = &[
    ("ssh/id_rsa", "comment"), // Encrypted; the label comes from the file beside it.
];

/// Rules that are observed here; all others are judged from facts elsewhere.
const OBSERVED: &[&str] = &[
    "private-key-in-clear",
    "private-key-weak-encryption",
    "symmetric-key-in-clear",
    "secret-in-clear",
    "k8s-secret-manifest",
    "keystore-default-password",
    "tsig-weak-algorithm",
    "unreadable",
];

fn corpus() -> Option<(PathBuf, Vec<Value>)> {
    let Some(folder) = std::env::var_os("GIT_BASELINE_CORPUS").map(PathBuf::from) else {
        println!("skipped: GIT_BASELINE_CORPUS names no corpus");
        return None;
    };
    let labels: Value = serde_json::from_slice(&std::fs::read(folder.join("labels.json")).unwrap()).unwrap();
    Some((folder, labels["items"].as_array().unwrap().clone()))
}

fn recognized(folder: &Path, label: &Value) -> (Option<Recognized>, Vec<u8>) {
    let path = label["path"].as_str().unwrap();
    let bytes = std::fs::read(folder.join(path)).unwrap();
    (recognize(&RepoPath::new(path), &bytes), bytes)
}

fn is_ours(label: &Value) -> bool {
    label["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind))
}

fn json(fact: &Fact) -> Value {
    match fact {
        Fact::Flag(flag) => (*flag).into(),
        Fact::Number(number) => (*number).into(),
        Fact::Text(text) => text.as_str().into(),
        Fact::List(list) => list.iter().map(json).collect(),
        Fact::Map(facts) => facts.iter().map(|(name, value)| (name.to_owned(), json(value))).collect(),
    }
}

#[test]
fn kinds_and_facts_are_those_of_the_labels() {
    let Some((folder, labels)) = corpus() else { return };
    let mut wrong = Vec::new();
    for label in labels.iter().filter(|label| is_ours(label)) {
        let path = label["path"].as_str().unwrap();
        let Some(found) = recognized(&folder, label).0 else {
            wrong.push(format!("{path}: not recognised"));
            continue;
        };
        if (found.kind.as_str(), found.class.as_str())
            != (label["kind"].as_str().unwrap(), label["class"].as_str().unwrap())
        {
            wrong.push(format!("{path}: {} {}", found.kind, found.class));
        }
        for (name, expected) in label["facts"].as_object().unwrap() {
            let fact = found.facts.find(name).map_or(Value::Null, json);
            if fact != *expected && !OUT_OF_REACH.contains(&(path, name)) {
                wrong.push(format!("{path}: {name} is {fact}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn observations_are_those_of_the_labels() {
    let Some((folder, labels)) = corpus() else { return };
    let mut wrong = Vec::new();
    for label in labels.iter().filter(|label| is_ours(label)) {
        let path = label["path"].as_str().unwrap();
        let expected = label["findings"].as_array().unwrap().iter();
        let expected = expected.map(|finding| finding["check"].as_str().unwrap());
        let expected: BTreeSet<_> = expected.filter(|rule| OBSERVED.contains(rule)).collect();
        let found = recognized(&folder, label).0;
        let found: BTreeSet<_> =
            found.iter().flat_map(|found| &found.observations).map(|observation| observation.rule).collect();
        if found != expected {
            wrong.push(format!("{path}: {found:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_secret_in_clear_is_flagged_and_never_repeated() {
    let Some((folder, labels)) = corpus() else { return };
    for label in labels.iter().filter(|label| is_ours(label)) {
        let (Some(found), bytes) = recognized(&folder, label) else { continue };
        let path = label["path"].as_str().unwrap();
        let clear = found
            .observations
            .iter()
            .any(|observation| observation.rule.ends_with("-in-clear") || observation.rule == "k8s-secret-manifest");
        assert_eq!(found.secret, clear, "{path}");
        let said = format!("{found:?}");
        for span in label["secret_spans"].as_array().into_iter().flatten() {
            let number = |index: usize| usize::try_from(span[index].as_u64().unwrap()).unwrap();
            let secret = &bytes[number(0)..number(0) + number(1)];
            for part in secret.split(u8::is_ascii_whitespace).filter(|part| part.len() >= 16) {
                // An OpenSSH key's span begins with its public half, which may be told; no line of it is.
                let part = String::from_utf8_lossy(part);
                assert!(!said.contains(part.as_ref()), "{path}");
            }
        }
    }
}

#[test]
fn near_misses_and_files_of_other_kinds_are_not_mistaken() {
    let Some((folder, labels)) = corpus() else { return };
    for label in labels.iter().filter(|label| !is_ours(label)) {
        let found = recognized(&folder, label).0.map(|found| found.kind);
        assert!(found.is_none() || found.as_deref() == label["kind"].as_str(), "{}: {found:?}", label["path"]);
    }
}
