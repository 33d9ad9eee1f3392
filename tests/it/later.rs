//! What comes later changes no verdict on what was released before: roots that ask for more or for less, and releases
//! that are taken back. With it, the way of a change through a company of two.
//!
//! Serves contract §3.3 to §3.7.

use std::fs;

use git_baseline::crypto::{PrivateKey, Signer as _, openssh_line};

use crate::support::{RENEWED, Repo, make_private};

/// Makes a key for somebody, and lets him join. Returns the key's path.
fn join(repo: &Repo, id: &str, seed: u8, roles: &[&str]) -> String {
    let key = PrivateKey::generate([seed; 32]);
    let path = repo.place.path(&format!("home/{id}"));
    fs::write(&path, key.to_openssh(id, None, &[seed; 32]).unwrap().as_bytes()).unwrap();
    make_private(&path);
    let public = repo.place.path(&format!("home/{id}.pub"));
    fs::write(&public, format!("{}\n", openssh_line(key.public_key()))).unwrap();
    let mail = format!("{id}@example.org");
    let mut arguments = vec!["trust", "add-person", id, "--name", id, "--email", &mail, "--key"];
    arguments.push(public.to_str().unwrap());
    arguments.extend(roles.iter().flat_map(|role| ["--role", *role]));
    repo.baseline(&arguments).exits(0).shows("is in force");
    path.to_str().unwrap().to_owned()
}

/// Release 1.0.0 without change control, 1.1.0 with it: Alice changed something, Berta approved.
fn controlled() -> (Repo, String) {
    let repo = Repo::begun(&[]);
    repo.baseline(&["release", "1.0.0"]).exits(0);
    let berta = join(&repo, "berta", 21, &["approver", "quality", "release", "developer"]);
    repo.baseline(&["change", "open", "CR-1", "--title", "Control changes"]).exits(0);
    let policy = fs::read_to_string(repo.dir.join(".baseline/policy.toml")).unwrap();
    repo.write(".baseline/policy.toml", policy.replace("required = false", "required = true "));
    repo.write("config/tls/gateway.pem", RENEWED);
    repo.commit("Control changes\n\nChange-Request: CR-1");
    repo.baseline(&["release", "1.1.0"]).refuses(1, "GB-GATE-BLOCKED");
    repo.baseline(&["sign", "CR-1", "--meaning", "approved"]).refuses(1, "GB-CHANGE-OWN");
    repo.baseline(&["sign", "CR-1", "--meaning", "approved", "--key", &berta]).exits(0);
    repo.baseline(&["release", "1.1.0"]).exits(0);
    repo.verify(&["1.0.0", "1.1.0"]).exits(0);
    (repo, berta)
}

#[test]
fn a_root_that_asks_for_more_refuses_no_release_that_was_made_before() {
    let (repo, _) = controlled();
    let two = ["--person", "alice", "--person", "berta", "--threshold", "2"];
    for role in ["approver", "release"] {
        repo.baseline(&[&["trust", "set-role", role][..], &two].concat()).exits(0);
    }
    repo.baseline(&["trust", "raise-floors", "--approvals", "2", "--change-control", "--block", "low"]).exits(0);
    repo.verify(&["1.0.0", "1.1.0"]).exits(0);
    // What is made from now on is judged by it.
    repo.baseline(&["change", "open", "CR-2", "--title", "Port"]).exits(0);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    repo.commit("Port\n\nChange-Request: CR-2");
    repo.baseline(&["release", "1.2.0"]).refuses(1, "GB-GATE-BLOCKED").says("0 of 2 required");
}

#[test]
fn a_release_that_is_taken_back_changes_no_range_of_a_later_one() {
    let (repo, _) = controlled();
    repo.baseline(&["sign", "1.0.0", "--meaning", "withdrawn", "--reason", "recall"]).exits(0);
    repo.verify(&["1.1.0"]).exits(0);
    repo.refused("1.0.0", 1, "GB-RELEASE-WITHDRAWN");
}

#[test]
fn a_root_that_asks_for_less_releases_nothing_by_itself() {
    let repo = Repo::begun(&[]);
    let berta = join(&repo, "berta", 21, &["release"]);
    let both = ["trust", "set-role", "release", "--person", "alice", "--person", "berta"];
    repo.baseline(&[&both[..], &["--threshold", "2"]].concat()).exits(0);
    repo.baseline(&["release", "1.0.0"]).shows("proposed");
    repo.refused("1.0.0", 1, "GB-RELEASE-PROPOSED");
    repo.baseline(&[&both[..], &["--threshold", "1"]].concat()).exits(0);
    repo.refused("1.0.0", 1, "GB-RELEASE-PROPOSED");
    repo.baseline(&["sign", "1.0.0", "--meaning", "released", "--key", &berta]).exits(0);
    // Berta holds no role log, so that her word is pending until somebody covers it.
    repo.refused("1.0.0", 1, "GB-RELEASE-PROPOSED");
    repo.baseline(&["checkpoint"]).exits(0);
    repo.verify(&["1.0.0"]).exits(0);
}

#[test]
fn what_a_retired_key_signed_before_counts_and_nothing_after() {
    let (repo, berta) = controlled();
    let shown = repo.baseline(&["trust", "show", "--format", "json"]).exits(0).json();
    let persons = shown["persons"].as_array().unwrap();
    let key = persons.iter().find(|person| person["id"] == "berta").unwrap()["keys"][0].as_str().unwrap().to_owned();
    repo.baseline(&["trust", "revoke-key", &key, "--as", "retired"]).exits(0);
    repo.verify(&["1.0.0", "1.1.0"]).exits(0);
    repo.baseline(&["sign", "1.1.0", "--meaning", "withdrawn", "--key", &berta]).refuses(2, "GB-SIG-REVOKED");
    // Never to be trusted: her approval goes, and with it the release that rests on it.
    repo.baseline(&["trust", "revoke-key", &key, "--as", "compromised-always"]).exits(0);
    repo.refused("1.1.0", 1, "GB-BIND-CHANGES");
    repo.verify(&["1.0.0"]).exits(0);
}
