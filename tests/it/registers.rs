//! The register of keys and the deviations, as `check` goes by them.

use crate::support::{CERTIFICATE, Repo};

const DEVIATION: &str = "[[deviation]]\nid = \"DEV-1\"\nclause = \"certificate-expired\"\nscope = \"*.pem\"\n\
                         reason = \"r\"\ncompensating_control = \"c\"\nissued = \"2026-01-01\"\nexpires = \"2060-01-01\"\n";

fn check(repo: &Repo, as_of: &str) -> serde_json::Value {
    repo.baseline(&["check", "--as-of", as_of, "--format", "json"]).json()
}

fn rules(answer: &serde_json::Value) -> Vec<&str> {
    answer["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn a_deviation_that_nobody_signed_is_named_and_accepts_nothing() {
    let repo = Repo::empty(&[]);
    repo.write(".baseline/policy.toml", "[checks]\nblock = \"high\"\n");
    repo.write(".baseline/deviations.toml", DEVIATION);
    repo.write("gateway.pem", CERTIFICATE);
    repo.commit("First");
    let answer = check(&repo, "2050-01-01");
    assert!(rules(&answer).contains(&"deviation-unsigned"), "{answer}");
    let expired = answer["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "certificate-expired").unwrap();
    assert_eq!((&expired["deviation"], &expired["deviation_in_force"]), (&"DEV-1".into(), &false.into()));
    assert_eq!(answer["summary"]["deviated"], 0);
    repo.baseline(&["check", "--as-of", "2050-01-01"]).exits(1);
    assert!(rules(&check(&repo, "2061-01-01")).contains(&"deviation-expired"));
    assert!(rules(&check(&repo, "2026-06-01")).contains(&"deviation-unused"));
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_file_and_line() {
    let repo = Repo::empty(&[]);
    repo.write(".baseline/deviations.toml", DEVIATION.replace("scope", "skope"));
    repo.git(&["add", "--all"]);
    repo.baseline(&["check", "--staged"]).exits(1).shows("policy-invalid").shows(".baseline/deviations.toml:4");
    repo.commit("First");
    repo.baseline(&["check"]).refuses(2, "GB-POLICY-INVALID").says(".baseline/deviations.toml:4");
    repo.write(".baseline/deviations.toml", "");
    repo.write(".baseline/keys.toml", "[[key]]\nid = \"a\"\nsecret = \"x\"\n");
    repo.commit("Second");
    repo.baseline(&["check"]).refuses(2, "GB-POLICY-INVALID").says(".baseline/keys.toml");
}

#[test]
fn a_leaf_certificate_is_held_against_the_register_of_keys() {
    let repo = Repo::empty(&[]);
    let register = |print: &str| {
        format!(
            "[[key]]\nid = \"tls\"\npurpose = \"p\"\nalgorithm = \"Ed25519\"\nfingerprint = \"{print}\"\n\
             custody = \"HSM\"\nrotation_days = 1\n"
        )
    };
    repo.write("gateway.pem", CERTIFICATE);
    repo.write(".baseline/keys.toml", register(&"ab".repeat(32)));
    repo.commit("First");
    let answer = check(&repo, "2026-06-01");
    assert!(rules(&answer).contains(&"key-unregistered") && rules(&answer).contains(&"key-register-stale"), "{answer}");
    let items = repo.baseline(&["items", "--format", "json"]).json();
    let all = items["items"].as_array().unwrap();
    let item = all.iter().find(|item| item["path"] == "gateway.pem").unwrap();
    repo.write(".baseline/keys.toml", register(item["facts"]["spki_sha256"].as_str().unwrap()));
    repo.commit("Second");
    let told = check(&repo, "2060-01-01");
    let told = rules(&told);
    assert!(!told.iter().any(|rule| rule.starts_with("key-register-stale") || *rule == "key-unregistered"), "{told:?}");
    assert!(told.contains(&"rotation-overdue"), "{told:?}");
}

#[test]
fn a_range_names_the_commits_without_a_change_request() {
    let repo = Repo::empty(&[]);
    repo.write(".baseline/policy.toml", "[change_control]\nrequired = true\n");
    repo.commit("First\n\nChange-Request: CR-1");
    repo.write("gateway.pem", CERTIFICATE);
    repo.commit("Second");
    repo.write("README.md", "nothing that is an item");
    repo.commit("Third");
    let ran = repo.baseline(&["check", "HEAD~2..HEAD", "--as-of", "2026-06-01"]);
    assert_eq!(ran.text().matches("change-request-missing").count(), 1);
}
