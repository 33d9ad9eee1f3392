//! What an attacker with write access does, with Git's own tools: each is refused under its own code, and nothing is
//! written. Beside each stands a benign twin, so that refusing everything does not pass.
//!
//! Serves contract §3, and the attacks A01 to A37 as far as one trust root goes.

use std::fs;

use git_baseline::codec::{compose_note, parse_note};
use git_baseline::crypto::{PrivateKey, Signer as _};

use crate::support::{
    RENEWED, Repo, append_to_log, cover, log_files, make_executable, make_private, rewrite_log, write_tree,
};

const LOG: &str = "refs/baseline/log";

fn both_are_verified(repo: &Repo) {
    repo.verify(&["1.0.0", "1.1.0"]).exits(0).shows("1.0.0 verified").shows("1.1.0 verified");
}

/// Signs bytes as a key's holder could with ssh-keygen.
fn sign(key: &str, namespace: &str, bytes: &[u8]) -> String {
    let key = PrivateKey::parse(&fs::read(key).unwrap(), None).unwrap();
    key.sign(namespace, bytes).unwrap().to_armor()
}

/// Makes a key that no trust root knows.
fn foreign_key(repo: &Repo) -> String {
    let path = repo.place.path("home/foreign");
    let text = PrivateKey::generate([7; 32]).to_openssh("mallory", None, &[7; 32]).unwrap();
    fs::write(&path, text.as_bytes()).unwrap();
    make_private(&path);
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_flipped_byte_in_a_manifest_is_refused_though_the_log_was_written_anew() {
    let repo = Repo::walked();
    let path = "releases/1.1.0/manifest.cbor";
    let mut bytes = repo.blob(&format!("{LOG}:{path}"));
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let blob = repo.write_blob(&bytes);
    rewrite_log(&repo, |_, files| {
        files.entry(path.to_owned()).and_modify(|found| found.clone_from(&blob));
    });
    repo.forget();
    repo.refused("1.1.0", 1, "GB-LOG-ROOT");
    cover(&repo);
    repo.refused("1.1.0", 1, "GB-BIND-DIGEST");
    repo.verify(&["1.0.0"]).exits(0);
    // Whatever is not 0 calls nothing verified, not even the release that is.
    repo.verify(&["--all"]).refuses(1, "GB-BIND-DIGEST");
}

#[test]
fn a_flipped_byte_in_any_file_of_a_release_is_refused() {
    for path in ["release.cbor", "sbom.cdx.json"] {
        let repo = Repo::walked();
        let path = format!("releases/1.1.0/{path}");
        let mut bytes = repo.blob(&format!("{LOG}:{path}"));
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let blob = repo.write_blob(&bytes);
        rewrite_log(&repo, |_, files| {
            files.entry(path.clone()).and_modify(|found| found.clone_from(&blob));
        });
        cover(&repo);
        let ran = repo.verify(&["1.1.0"]);
        assert!(ran.code == Some(1) && !ran.text().contains("verified"), "{path}: {}", ran.stderr);
    }
}

#[test]
fn a_log_that_is_written_anew_with_the_same_content_is_as_good() {
    let repo = Repo::walked();
    let before = repo.git(&["rev-parse", LOG]);
    rewrite_log(&repo, |_, _| {});
    assert_ne!(before, repo.git(&["rev-parse", LOG]));
    both_are_verified(&repo);
}

#[test]
fn a_note_that_was_moved_to_another_commit_is_refused() {
    let repo = Repo::walked();
    let note = repo.note("main");
    repo.set_note("main~1", &note);
    repo.verify(&["--commit", "main~1"]).refuses(1, "GB-BIND-COMMIT");
    repo.refused("1.0.0", 1, "GB-BIND-COMMIT");
    repo.set_note("main", &note);
    repo.verify(&["--commit", "main"]).exits(0);
    repo.verify(&["1.1.0"]).exits(0);
    repo.baseline(&["repair"]).exits(0).shows("1 notes");
    both_are_verified(&repo);
}

#[test]
fn a_release_ref_that_points_elsewhere_is_refused_until_it_is_repaired() {
    let repo = Repo::walked();
    for target in ["refs/baseline/releases/1.0.0", "main", LOG] {
        repo.git(&["update-ref", "refs/baseline/releases/1.1.0", target]);
        repo.refused("1.1.0", 1, "GB-REF-ALTERED");
    }
    repo.verify(&["1.0.0"]).exits(0);
    repo.baseline(&["repair"]).exits(0).shows("1 release refs");
    both_are_verified(&repo);
}

#[test]
fn a_release_ref_with_other_items_is_refused() {
    let repo = Repo::walked();
    let name = "refs/baseline/releases/1.1.0";
    let mut files = log_files(&repo, name);
    files.insert("items/etc/sshd_config".into(), repo.write_blob(b"PermitRootLogin yes\n"));
    let tree = write_tree(&repo, &files);
    let commit = repo.git(&["commit-tree", "-m", "forged", "-p", "main", &tree]);
    repo.git(&["update-ref", name, &commit]);
    repo.refused("1.1.0", 1, "GB-REF-ALTERED");
}

#[test]
fn an_object_that_git_shows_another_for_is_refused_and_what_was_signed_is_read() {
    for object in [
        "main",
        "main^{tree}",
        "main:etc",
        "main:etc/sshd_config",
        "refs/baseline/log",
        "refs/baseline/log:releases/1.1.0/manifest.cbor",
    ] {
        let repo = Repo::walked();
        let original = repo.git(&["rev-parse", object]);
        let kind = repo.git(&["cat-file", "-t", &original]);
        let other = match kind.as_str() {
            "commit" => repo.git(&["rev-parse", "main~1"]),
            "tree" => repo.git(&["rev-parse", "main~1^{tree}"]),
            _ => repo.write_blob(b"PermitRootLogin yes\n"),
        };
        repo.git(&["replace", &original, &other]);
        repo.refused("1.1.0", 1, "GB-OBJ-REPLACED");
        let out = repo.place.path("out");
        repo.baseline(&["reproduce", "1.1.0", "-o", out.to_str().unwrap()]).exits(0);
        assert_eq!(fs::read(out.join("etc/sshd_config")).unwrap(), b"PermitRootLogin no\nPort 22\n");
        repo.git(&["replace", "-d", &original]);
        both_are_verified(&repo);
    }
}

#[test]
fn a_replacement_of_what_no_release_holds_changes_no_verdict() {
    let repo = Repo::walked();
    let (mine, other) = (repo.write_blob(b"mine"), repo.write_blob(b"other"));
    repo.git(&["replace", &mine, &other]);
    // History before control, as a graft of older history replaces it.
    let first = repo.git(&["rev-list", "--max-parents=0", "main"]);
    repo.git(&["replace", &first, &repo.git(&["commit-tree", "-m", "older", "main~2^{tree}"])]);
    both_are_verified(&repo);
}

#[test]
fn a_summary_that_lies_is_refused() {
    let repo = Repo::walked();
    let note = String::from_utf8(repo.note("main")).unwrap();
    let lying = note.replacen("2027-04-15", "2037-04-15", 1);
    assert_ne!(note, lying);
    repo.set_note("main", lying.as_bytes());
    repo.verify(&["--commit", "main"]).refuses(1, "GB-NOTE-SUMMARY");
    repo.refused("1.1.0", 1, "GB-NOTE-SUMMARY");
    repo.verify(&["1.0.0"]).exits(0);
}

#[test]
fn a_record_that_was_edited_or_cut_off_is_refused() {
    let repo = Repo::walked();
    let note = String::from_utf8(repo.note("main")).unwrap();
    let block = parse_note(note.as_bytes()).unwrap().remove(0);
    let mut bytes = block.record.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    repo.set_note("main", compose_note(&block.summary, &bytes, &block.signature).as_bytes());
    repo.verify(&["--commit", "main"]).refuses(1, "GB-SIG-INVALID");
    repo.refused("1.1.0", 1, "GB-SIG-INVALID");
    let without_end = note.replace("-----END GIT-BASELINE RECORD-----\n", "");
    for damaged in [&note[..note.len() - 30], "made by hand\n", &without_end] {
        repo.set_note("main", damaged.as_bytes());
        repo.verify(&["--commit", "main"]).refuses(1, "GB-NOTE-DAMAGED");
        repo.refused("1.1.0", 1, "GB-NOTE-DAMAGED");
    }
}

#[test]
fn a_developer_who_signs_something_else_than_the_commit_says_is_refused() {
    let repo = Repo::walked();
    let block = parse_note(&repo.note("main")).unwrap().remove(0);
    let at = block.record.windows(9).position(|window| window == b"tls/gatew").unwrap();
    let mut bytes = block.record.clone();
    bytes[at] = b'T';
    let signature = sign(&repo.key(), "git-baseline.commit", &bytes);
    repo.set_note("main", compose_note(&block.summary, &bytes, &signature).as_bytes());
    repo.verify(&["--commit", "main"]).refuses(1, "GB-RECORD-DELTA");
    repo.refused("1.1.0", 1, "GB-RECORD-DELTA");
    // The same hands, the true record: a second signature over the same bytes is the same signature.
    let signature = sign(&repo.key(), "git-baseline.commit", &block.record);
    repo.set_note("main", compose_note(&block.summary, &block.record, &signature).as_bytes());
    both_are_verified(&repo);
}

#[test]
fn a_signature_for_another_purpose_is_refused() {
    let repo = Repo::walked();
    let block = parse_note(&repo.note("main")).unwrap().remove(0);
    for namespace in ["git", "file", "git-baseline.signoff"] {
        let signature = sign(&repo.key(), namespace, &block.record);
        repo.set_note("main", compose_note(&block.summary, &block.record, &signature).as_bytes());
        repo.verify(&["--commit", "main"]).refuses(1, "GB-SIG-CONTEXT");
    }
}

#[test]
fn a_key_that_the_trust_root_does_not_know_proves_nothing() {
    let repo = Repo::walked();
    let foreign = foreign_key(&repo);
    let block = parse_note(&repo.note("main")).unwrap().remove(0);
    let signature = sign(&foreign, "git-baseline.commit", &block.record);
    repo.set_note("main", compose_note(&block.summary, &block.record, &signature).as_bytes());
    repo.verify(&["--commit", "main"]).refuses(1, "GB-SIG-UNKNOWN-KEY");
    repo.commit("Another");
    repo.git(&["notes", "--ref=baseline", "remove", "HEAD"]);
    repo.baseline(&["record", "--key", &foreign]).refuses(2, "GB-SIG-UNKNOWN-KEY");
    repo.baseline(&["record"]).exits(0);
    repo.baseline(&["release", "1.2.0", "--key", &foreign]).refuses(2, "GB-SIG-UNKNOWN-KEY");
}

#[test]
fn a_sign_off_by_a_foreign_key_does_not_release() {
    let repo = Repo::walked();
    let foreign = foreign_key(&repo);
    let files = log_files(&repo, LOG);
    let path =
        files.keys().find(|path| path.starts_with("releases/1.1.0/signoffs/") && path.ends_with(".sig")).unwrap();
    let bytes = repo.blob(&format!("{LOG}:{}", path.strip_suffix(".sig").unwrap()));
    let blob = repo.write_blob(sign(&foreign, "git-baseline.signoff", &bytes).as_bytes());
    rewrite_log(&repo, |_, files| {
        files.entry(path.clone()).and_modify(|found| found.clone_from(&blob));
    });
    repo.forget();
    repo.refused("1.1.0", 1, "GB-LOG-ROOT");
    cover(&repo);
    repo.refused("1.1.0", 1, "GB-SIG-THRESHOLD");
    repo.verify(&["1.0.0"]).exits(0);
}

#[test]
fn a_configuration_that_claims_a_pin_pins_nothing() {
    let repo = Repo::walked();
    let fingerprint = repo.fingerprint();
    let mirror = repo.mirror("mirror.git");
    fs::remove_dir_all(repo.place.path("state")).unwrap();
    for key in ["baseline.trust", "baseline.pin", "baseline.fingerprint", "baseline.pinned"] {
        mirror.git(&["config", key, &fingerprint]);
    }
    fs::write(mirror.dir.join("included"), format!("[baseline]\n\ttrust = {fingerprint}\n")).unwrap();
    mirror.git(&["config", "include.path", "included"]);
    fs::create_dir_all(mirror.dir.join("git-baseline/pins")).unwrap();
    fs::write(mirror.dir.join("git-baseline/pins").join(&fingerprint), "").unwrap();
    mirror.refused("1.1.0", 3, "GB-TRUST-UNPINNED");
    // A state folder that is named relative to where one stands could be the repository's own.
    let ran = mirror.baseline_with(&[("XDG_STATE_HOME", ".")], &["verify", "1.1.0"]);
    ran.refuses(3, "GB-TRUST-UNPINNED");
    mirror.verify(&["1.1.0", "--trust", &fingerprint]).exits(0);
}

#[test]
fn a_loose_object_that_was_swapped_is_refused() {
    for object in [
        "main:etc/sshd_config",
        "main^{tree}",
        "main",
        "refs/baseline/log",
        "refs/baseline/log:releases/1.1.0/release.cbor",
    ] {
        let repo = Repo::walked();
        let id = repo.git(&["rev-parse", object]);
        let kind = repo.git(&["cat-file", "-t", &id]);
        let other = match kind.as_str() {
            "commit" => repo.git(&["rev-parse", "main~1"]),
            "tree" => repo.git(&["rev-parse", "main~1^{tree}"]),
            _ => repo.write_blob(b"PermitRootLogin yes\n"),
        };
        let place = |id: &str| repo.dir.join(".git/objects").join(&id[..2]).join(&id[2..]);
        fs::remove_file(place(&id)).unwrap();
        fs::copy(place(&other), place(&id)).unwrap();
        repo.refused("1.1.0", 4, "GB-OBJ-HASH");
    }
}

#[test]
fn a_log_that_takes_something_back_is_refused() {
    for change in ["remove", "alter", "link"] {
        let repo = Repo::walked();
        let blob = repo.write_blob(b"other");
        append_to_log(&repo, |files| {
            let path = "releases/1.0.0/sbom.cdx.json";
            match change {
                "remove" => files.remove(path),
                "alter" => files.insert(path.into(), blob),
                _ => files
                    .insert("releases/1.0.0/sbom.cdx.json/x".into(), files[path].clone())
                    .or_else(|| files.remove(path)),
            };
        });
        repo.refused("1.1.0", 1, "GB-LOG-REWRITTEN");
        repo.baseline(&["release", "1.2.0"]).refuses(1, "GB-LOG-REWRITTEN");
    }
}

#[test]
fn a_merge_in_the_log_is_refused() {
    let repo = Repo::walked();
    let tree = repo.git(&["rev-parse", "refs/baseline/log^{tree}"]);
    let merge = repo.git(&["commit-tree", "-m", "merge", "-p", LOG, "-p", "refs/baseline/log~1", &tree]);
    repo.git(&["update-ref", LOG, &merge]);
    repo.refused("1.1.0", 1, "GB-LOG-NOT-LINEAR");
}

#[test]
fn a_log_that_was_cut_off_or_founded_by_another_is_not_this_one() {
    let repo = Repo::walked();
    repo.git(&["update-ref", LOG, "refs/baseline/log~1"]);
    repo.refused("1.1.0", 5, "GB-LOG-ROLLBACK");
    repo.forget();
    repo.refused("1.1.0", 2, "GB-USE-RELEASE");
    let other = Repo::walked_by_another(&repo);
    repo.git(&["fetch", "--quiet", "--no-tags", other.dir.to_str().unwrap(), "+refs/baseline/*:refs/baseline/*"]);
    repo.refused("1.0.0", 3, "GB-TRUST-UNPINNED");
}

#[test]
fn a_log_without_its_beginning_is_refused_by_a_release_that_saw_it() {
    let repo = Repo::walked();
    // A statement that is slipped in before 1.1.0 moves every position after it.
    let blob = repo.write_blob(b"slipped in");
    rewrite_log(&repo, |number, files| {
        if number > 0 {
            files.insert("changes/CR-1/request.cbor".into(), blob.clone());
        }
    });
    repo.forget();
    repo.refused("1.1.0", 1, "GB-LOG-ROOT");
    cover(&repo);
    repo.refused("1.1.0", 1, "GB-LOG-FORK");
}

#[test]
fn a_statement_under_another_name_is_refused() {
    let repo = Repo::walked();
    append_to_log(&repo, |files| {
        let copies: Vec<_> = files
            .iter()
            .filter_map(|(path, blob)| {
                path.strip_prefix("releases/1.1.0/").map(|rest| (format!("releases/2.0.0/{rest}"), blob.clone()))
            })
            .collect();
        files.extend(copies);
    });
    repo.git(&["update-ref", "refs/baseline/releases/2.0.0", "refs/baseline/releases/1.1.0"]);
    // Until somebody who holds the log's key covers it, it is not there.
    repo.refused("2.0.0", 2, "GB-USE-RELEASE");
    both_are_verified(&repo);
    repo.baseline(&["checkpoint"]).exits(0);
    repo.refused("2.0.0", 1, "GB-SIG-THRESHOLD");
    both_are_verified(&repo);
    repo.baseline(&["show", "2.0.0"]).refuses(1, "GB-SIG-THRESHOLD");
    repo.baseline(&["export", "2.0.0", "--as", "cyclonedx"]).refuses(1, "GB-SIG-THRESHOLD");
}

#[test]
fn a_sign_off_counts_for_the_release_that_it_names_only() {
    let is_sign_off = |path: &str, release: &str| path.starts_with(&format!("releases/{release}/signoffs/"));
    let repo = Repo::walked();
    let all = log_files(&repo, LOG);
    let moved = |path: &String| path.replace("releases/1.0.0/", "releases/1.1.0/");
    let foreign: Vec<_> = all
        .iter()
        .filter(|(path, _)| is_sign_off(path, "1.0.0"))
        .map(|(path, blob)| (moved(path), blob.clone()))
        .collect();
    // Beside the true one it changes nothing.
    append_to_log(&repo, |files| files.extend(foreign.clone()));
    both_are_verified(&repo);
    cover(&repo);
    both_are_verified(&repo);
    // In its place it releases nothing.
    rewrite_log(&repo, |number, files| {
        files.retain(|path, _| !is_sign_off(path, "1.1.0"));
        if number >= 2 {
            files.extend(foreign.clone());
        }
    });
    cover(&repo);
    repo.refused("1.1.0", 1, "GB-SIG-THRESHOLD");
    repo.verify(&["1.0.0"]).exits(0);
}

#[test]
fn a_signature_that_comes_later_than_its_statement_signs_nothing() {
    let repo = Repo::walked();
    let late = |path: &str| path.starts_with("releases/1.1.0/signoffs/") && path.ends_with(".sig");
    let all = log_files(&repo, LOG);
    rewrite_log(&repo, |_, files| files.retain(|path, _| !late(path)));
    repo.forget();
    repo.refused("1.1.0", 1, "GB-LOG-ROOT");
    cover(&repo);
    repo.refused("1.1.0", 1, "GB-SIG-THRESHOLD");
    append_to_log(&repo, |files| files.extend(all.into_iter().filter(|(path, _)| late(path))));
    repo.refused("1.1.0", 1, "GB-SIG-THRESHOLD");
    cover(&repo);
    repo.refused("1.1.0", 1, "GB-SIG-THRESHOLD");
    repo.verify(&["1.0.0"]).exits(0);
}

#[test]
fn a_tag_or_branch_of_a_releases_name_must_not_point_elsewhere() {
    for (arguments, name) in [
        (&["tag", "1.1.0"][..], "refs/tags/1.1.0"),
        (&["tag", "v1.1.0"], "refs/tags/v1.1.0"),
        (&["tag", "-a", "-m", "x", "1.1.0"], "refs/tags/1.1.0"),
        (&["branch", "1.1.0"], "refs/heads/1.1.0"),
    ] {
        let repo = Repo::walked();
        repo.git(&[arguments, &["main~1"]].concat());
        repo.refused("1.1.0", 1, "GB-NAME-SHADOWED");
        // The name still means the release.
        let diff = repo.baseline(&["diff", "1.0.0", "1.1.0", "--format", "json"]).exits(0).json();
        assert_eq!(diff["items"][0]["path"], "config/tls/gateway.pem");
        repo.git(&["update-ref", "-d", name]);
        repo.git(&[arguments, &["main"]].concat());
        both_are_verified(&repo);
    }
}

#[test]
fn what_is_missing_makes_a_verdict_inconclusive_and_is_rebuilt() {
    let repo = Repo::walked();
    for name in ["refs/baseline/releases/1.1.0", "refs/notes/baseline"] {
        repo.git(&["update-ref", "-d", name]);
        repo.refused("1.1.0", 3, "GB-REF-MISSING");
        repo.baseline(&["repair"]).exits(0);
        both_are_verified(&repo);
    }
    repo.git(&["notes", "--ref=baseline", "remove", "main"]);
    repo.refused("1.1.0", 3, "GB-REF-MISSING");
    repo.verify(&["--commit", "main"]).refuses(3, "GB-COVER-RECORD-MISSING");
    repo.baseline(&["repair"]).exits(0);
    both_are_verified(&repo);
    let log = repo.git(&["rev-parse", LOG]);
    repo.git(&["update-ref", "-d", LOG]);
    repo.refused("1.1.0", 3, "GB-LOG-MISSING");
    repo.verify(&["--all"]).refuses(3, "GB-LOG-MISSING");
    repo.git(&["update-ref", LOG, &log]);
    both_are_verified(&repo);
}

#[test]
fn refs_that_lead_to_other_refs_or_to_nothing_are_refused() {
    let repo = Repo::walked();
    let log = repo.git(&["rev-parse", LOG]);
    repo.git(&["update-ref", "refs/heads/log", &log]);
    repo.git(&["symbolic-ref", LOG, "refs/heads/log"]);
    repo.refused("1.1.0", 4, "GB-REF-SYMBOLIC");
    fs::write(repo.dir.join(".git/refs/baseline/log"), format!("{}\n", "a".repeat(40))).unwrap();
    repo.refused("1.1.0", 3, "GB-OBJ-MISSING");
    fs::write(repo.dir.join(".git/refs/baseline/log"), "rubbish\n").unwrap();
    repo.refused("1.1.0", 4, "GB-REF-BROKEN");
}

#[test]
fn two_notes_on_one_commit_are_refused_and_any_fan_out_is_read() {
    let repo = Repo::walked();
    let commit = repo.head();
    let blob = repo.write_blob(&repo.note("main"));
    let flat = log_files(&repo, "refs/notes/baseline");
    let (folder, rest) = commit.split_at(2);
    let (inner, end) = rest.split_at(2);
    let set = |files| {
        let tree = write_tree(&repo, &files);
        let head = repo.git(&["commit-tree", "-m", "fan-out", "-p", "refs/notes/baseline", &tree]);
        repo.git(&["update-ref", "refs/notes/baseline", &head]);
    };
    let mut fanned = flat.clone();
    fanned.remove(&commit);
    for place in [format!("{folder}/{rest}"), format!("{folder}/{inner}/{end}")] {
        let mut files = fanned.clone();
        files.insert(place.clone(), blob.clone());
        set(files);
        both_are_verified(&repo);
        let mut files = flat.clone();
        files.insert(place, blob.clone());
        set(files);
        repo.refused("1.1.0", 4, "GB-NOTE-DUPLICATE");
    }
}

#[test]
fn the_union_of_two_writers_notes_holds() {
    let repo = Repo::walked();
    let ours = repo.note("main");
    repo.git(&["update-ref", "refs/notes/other", "refs/notes/baseline~1"]);
    let notes = repo.git(&["rev-parse", "refs/notes/baseline"]);
    repo.git(&["update-ref", "refs/notes/baseline", "refs/notes/baseline~1"]);
    repo.baseline_with(&[("SOURCE_DATE_EPOCH", "1780272060")], &["record", "main"]).exits(0);
    repo.git(&["update-ref", "refs/notes/other", "refs/notes/baseline"]);
    let theirs = repo.note("main");
    assert_ne!(ours, theirs, "a minute later is another record");
    repo.git(&["update-ref", "refs/notes/baseline", &notes]);
    repo.git(&["notes", "--ref=baseline", "merge", "--quiet", "-s", "union", "refs/notes/other"]);
    assert_eq!(parse_note(&repo.note("main")).unwrap().len(), 2);
    both_are_verified(&repo);
    repo.verify(&["--commit", "main"]).exits(0);
    // The other record alone is not the one that was sealed.
    repo.set_note("main", &theirs);
    repo.refused("1.1.0", 1, "GB-NOTE-ALTERED");
}

#[test]
fn rubbish_in_the_log_bricks_nothing() {
    let repo = Repo::walked();
    let blob = repo.write_blob(b"rubbish");
    let mut bricked = Vec::new();
    for path in [
        "junk/file",
        "checkpoint",
        "changes/CR-9/request.cbor",
        "releases/9.9.9/release.cbor",
        "releases/9.9.9/manifest.cbor",
        "releases/bad name/release.cbor",
        "releases/release.cbor",
        "releases/1.1.0/extra.txt",
        "releases/1.1.0/manifest.cbor.sig",
        "releases/1.1.0/signoffs/rubbish.cbor",
        "records/zz/rubbish",
        "trust/1/signatures/rubbish.sig",
        "trust/1/rubbish",
    ] {
        append_to_log(&repo, |files| {
            files.insert(path.to_owned(), blob.clone());
            if path.ends_with("signoffs/rubbish.cbor") {
                files.insert(format!("{path}.sig"), blob.clone());
            }
        });
        let ran = repo.verify(&["1.1.0"]);
        if ran.code != Some(0) {
            bricked.push(format!("{path}: {}", ran.stderr));
            repo.git(&["update-ref", LOG, "refs/baseline/log~1"]);
        }
    }
    assert!(bricked.is_empty(), "{bricked:#?}");
    repo.baseline(&["show"]).exits(0).shows("1.1.0").hides("9.9.9");
    repo.baseline(&["release", "1.2.0"]).exits(0);
    // What was pending is covered now, and still bricks nothing: not even the name that it squats.
    repo.baseline(&["release", "9.9.9"]).exits(0);
    assert!(log_files(&repo, LOG).keys().any(|path| path.starts_with("releases/9.9.9~")));
    repo.verify(&["1.0.0", "1.1.0", "1.2.0", "9.9.9"]).exits(0);
}

#[test]
fn a_commit_that_says_something_twice_is_unsafe() {
    let repo = Repo::walked();
    let raw = repo.git(&["cat-file", "commit", "main"]);
    let tree = repo.git(&["rev-parse", "main~1^{tree}"]);
    let twice = format!("tree {tree}\n{raw}\n");
    let id = repo.git_with(&["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], twice.as_bytes());
    repo.set_note(&id, &repo.note("main"));
    repo.verify(&["--commit", &id]).refuses(4, "GB-OBJ-MALFORMED");
    repo.baseline(&["release", "1.2.0", "--commit", &id]).refuses(4, "GB-OBJ-MALFORMED");
}

#[test]
fn items_that_no_folder_should_get_are_not_written_out() {
    let repo = Repo::begun(&[]);
    repo.write("keys/a\\b.pem", RENEWED);
    repo.commit("A name that is two names elsewhere");
    repo.baseline(&["release", "1.0.0"]).exits(0);
    repo.verify(&["1.0.0"]).exits(0);
    let out = repo.place.path("out");
    repo.baseline(&["reproduce", "1.0.0", "-o", out.to_str().unwrap()]).refuses(4, "GB-PATH-UNSAFE");
    assert!(!out.exists());
    repo.baseline(&["reproduce", "1.0.0"]).exits(0).shows("reproduced");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine"), "").unwrap();
    Repo::walked().baseline(&["reproduce", "1.0.0", "-o", out.to_str().unwrap()]).refuses(2, "GB-USE-OUTPUT");
}

#[test]
fn looking_at_a_hostile_repository_runs_nothing() {
    let repo = Repo::walked();
    let witness = repo.place.path("ran");
    let script = repo.place.path("script");
    fs::write(&script, format!("#!/bin/sh\ntouch {}\n", witness.display())).unwrap();
    make_executable(&script);
    let script = script.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "gpg.program",
        "gpg.ssh.program",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "filter.x.clean",
        "filter.x.smudge",
        "diff.x.textconv",
        "core.askPass",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "core.gitProxy",
    ] {
        repo.git(&["config", key, script]);
    }
    repo.git(&["config", "filter.x.process", script]);
    repo.write(".git/info/attributes", "* filter=x diff=x\n");
    for arguments in [
        &["verify", "--all"][..],
        &["reproduce", "1.1.0"],
        &["show"],
        &["show", "1.1.0"],
        &["items"],
        &["components"],
        &["check"],
        &["check", "--staged"],
        &["log"],
        &["diff", "1.0.0", "1.1.0"],
        &["export", "1.1.0", "--as", "cyclonedx"],
        &["trust", "show"],
        &["status"],
        &["hooks", "status"],
        &["verify", "--commit", "HEAD"],
    ] {
        repo.baseline(arguments).exits(0);
        assert!(!witness.exists(), "{arguments:?} ran a program that the repository names");
    }
}
