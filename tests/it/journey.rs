//! The whole path on one repository: begin, change, release, and prove it to a stranger.

use std::fs;

use serde_json::json;

use crate::support::{Repo, snapshot};

#[test]
fn a_commit_is_recorded_by_the_hook_and_the_note_says_what_changed() {
    let repo = Repo::begun(&[]);
    repo.renew();
    let log = repo.git(&["log", "-1", "--notes=baseline"]);
    assert!(log.contains("Notes (baseline):"), "{log}");
    assert!(log.contains("config/tls/gateway.pem"), "{log}");
    assert!(log.contains("2027-01-15") && log.contains("2027-04-15"), "both ends of validity: {log}");
    assert!(log.contains("gw2.example"), "the new name: {log}");
    repo.baseline(&["record"]).exits(0).shows("nothing to record");
    repo.baseline(&["verify", "--commit", "HEAD"]).exits(0).shows("verified");
}

#[test]
fn two_releases_differ_in_what_was_changed_between_them() {
    let repo = Repo::walked();
    let ran = repo.baseline(&["diff", "1.0.0", "1.1.0", "--format", "json"]).exits(0);
    let diff = ran.json();
    assert_eq!(diff["schema"], "git-baseline/diff/1");
    let items: Vec<_> = diff["items"].as_array().unwrap().iter().map(|item| &item["path"]).collect();
    assert_eq!(items, ["config/tls/gateway.pem"]);
    let facts = diff["items"][0]["facts"].as_array().unwrap();
    let end = facts.iter().find(|fact| fact["name"] == "not_after").unwrap();
    assert_eq!((&end["before"], &end["after"]), (&json!("2027-01-15T00:00:00Z"), &json!("2027-04-15T00:00:00Z")));
    let log = repo.baseline(&["log", "config/tls", "--format", "json"]).exits(0).json();
    assert_eq!(log["events"][0]["change"], "CR-7");
    assert_eq!(log["events"][0]["release"], "1.1.0");
}

#[test]
fn a_stranger_verifies_and_reproduces_from_a_mirror_alone() {
    let repo = Repo::walked();
    let fingerprint = repo.fingerprint();
    let mirror = repo.mirror("mirror.git");
    fs::rename(&repo.dir, repo.place.path("moved-away")).unwrap();
    fs::remove_dir_all(repo.place.path("state")).unwrap();
    mirror
        .verify(&["1.0.0", "1.1.0", "--trust", &fingerprint])
        .exits(0)
        .shows("1.0.0 verified")
        .shows("1.1.0 verified");
    mirror.verify(&["--all", "--trust", &fingerprint]).exits(0);
    mirror.refused("1.0.0", 3, "GB-TRUST-UNPINNED");
    mirror.verify(&["1.0.0", "--trust", &"0".repeat(64)]).refuses(1, "GB-TRUST-FINGERPRINT");
    mirror.verify(&["1.0.0", "--trust", &fingerprint[..63]]).refuses(2, "GB-USE-FINGERPRINT");
    let ran =
        mirror.baseline(&["reproduce", "1.0.0", "--trust", &fingerprint, "-o", "../out", "--format", "json"]).exits(0);
    assert_eq!(ran.json()["manifest"]["recorded"], ran.json()["manifest"]["recomputed"]);
    assert_eq!(ran.json()["verdict"], "reproduced");
    let out = repo.place.path("out");
    let written: Vec<_> = snapshot(&out).into_iter().filter(|(path, _)| path.is_file()).collect();
    assert_eq!(
        written.len(),
        3,
        "policy, certificate, sshd_config: {:?}",
        written.iter().map(|(path, _)| path).collect::<Vec<_>>()
    );
    for (path, bytes) in written {
        let name = path.strip_prefix(&out).unwrap().to_str().unwrap();
        // The second commit is the one that was released.
        assert_eq!(bytes, mirror.blob(&format!("main~1:{name}")), "{name}");
    }
}

#[test]
fn a_confirmed_fingerprint_is_remembered_outside_the_repository() {
    let repo = Repo::walked();
    let fingerprint = repo.fingerprint();
    let mirror = repo.mirror("mirror.git");
    fs::remove_dir_all(repo.place.path("state")).unwrap();
    mirror.baseline(&["trust", "pin", &"0".repeat(64)]).refuses(1, "GB-TRUST-FINGERPRINT");
    mirror.refused("1.0.0", 3, "GB-TRUST-UNPINNED");
    mirror.baseline(&["trust", "pin", &fingerprint]).exits(0);
    mirror.verify(&["1.0.0"]).exits(0).shows("1.0.0 verified");
}

#[test]
fn openssh_accepts_the_signature_of_a_release() {
    let repo = Repo::walked();
    let signers = repo.place.path("allowed");
    repo.baseline(&["export", "1.0.0", "--as", "allowed-signers", "-o", signers.to_str().unwrap()]).exits(0);
    let list = repo.baseline(&["export", "1.0.0", "--as", "signoff-list"]).exits(0).text();
    let [person, signed, signature] = list.split(' ').collect::<Vec<_>>()[..] else { panic!("{list}") };
    let file = repo.place.path("signature");
    fs::write(&file, repo.blob(&format!("refs/baseline/log:{signature}"))).unwrap();
    let verify = |bytes: &[u8]| {
        let arguments = [
            "-Y",
            "verify",
            "-f",
            signers.to_str().unwrap(),
            "-I",
            person,
            "-n",
            "git-baseline.signoff",
            "-s",
            file.to_str().unwrap(),
        ];
        crate::support::run(repo.command("ssh-keygen", &arguments), bytes)
    };
    let mut bytes = repo.blob(&format!("refs/baseline/log:{signed}"));
    verify(&bytes).exits(0);
    bytes[40] ^= 1;
    assert_ne!(verify(&bytes).code, Some(0), "the signature covers each byte");
}

#[test]
fn git_itself_finds_nothing_wrong_and_loses_nothing() {
    let repo = Repo::walked();
    repo.try_git(&["fsck", "--strict", "--full"]).exits(0).hides("error").hides("warning");
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    repo.verify(&["--all"]).exits(0);
    repo.git(&["bundle", "create", "--quiet", "../all.bundle", "--all"]);
    repo.git(&["bundle", "verify", "--quiet", "../all.bundle"]);
    let unpacked = repo.at("unpacked.git");
    repo.git(&["clone", "--quiet", "--mirror", "../all.bundle", unpacked.dir.to_str().unwrap()]);
    fs::rename(&repo.dir, repo.place.path("moved-away")).unwrap();
    unpacked.verify(&["1.0.0", "1.1.0"]).exits(0);
    unpacked.try_git(&["fsck", "--strict", "--full"]).exits(0).hides("error").hides("warning");
}

#[test]
fn the_stored_bill_of_materials_comes_out_unchanged() {
    let repo = Repo::walked();
    let exported = repo.baseline(&["export", "1.1.0", "--as", "cyclonedx"]).exits(0);
    assert_eq!(exported.stdout, repo.blob("refs/baseline/log:releases/1.1.0/sbom.cdx.json"));
    assert_eq!(exported.json()["bomFormat"], "CycloneDX");
}
