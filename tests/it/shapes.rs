//! The whole path in every shape of repository that Git knows.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use crate::support::{CERTIFICATE, EXPIRED, RENEWED, Repo, run};

/// Releases, verifies and reproduces; then the same from a mirror, with the fingerprint alone.
fn holds(repo: &Repo, release: &str) {
    repo.baseline(&["release", release]).exits(0);
    holds_from_a_mirror(repo, release);
}

fn holds_from_a_mirror(repo: &Repo, release: &str) {
    repo.verify(&[release]).exits(0).shows("verified");
    let mirror = repo.mirror(&format!("mirror-{release}.git"));
    let fingerprint = repo.fingerprint();
    let arguments = ["verify", release, "--trust", &fingerprint];
    mirror.baseline_with(&[("XDG_STATE_HOME", "/nonexistent")], &arguments).exits(0).shows("verified");
    let out = repo.place.path(&format!("out-{release}"));
    mirror.baseline(&["reproduce", release, "-o", out.to_str().unwrap()]).exits(0);
    mirror.try_git(&["fsck", "--strict"]).exits(0).hides("error");
}

/// The paths that a commit's note speaks of.
fn recorded(repo: &Repo, commit: &str) -> String {
    let note = String::from_utf8(repo.note(commit)).unwrap();
    note.split_once("-----BEGIN").unwrap().0.to_owned()
}

#[test]
fn a_sha256_repository() {
    let repo = Repo::begun(&["--object-format=sha256"]);
    repo.renew();
    assert_eq!(repo.head().len(), 64);
    holds(&repo, "1.0.0");
    let show = repo.baseline(&["show", "1.0.0", "--format", "json"]).exits(0).json();
    assert_eq!(show["commit"], repo.head().as_str());
}

#[test]
fn a_linked_worktree() {
    let repo = Repo::begun(&[]);
    let linked = repo.at("linked");
    repo.git(&["worktree", "add", "--quiet", "-b", "side", linked.dir.to_str().unwrap()]);
    linked.renew();
    assert!(recorded(&linked, "side").contains("gateway.pem"), "the hook runs in a linked worktree too");
    linked.baseline(&["status"]).exits(0).shows("every commit since the last release has one").hides("not installed");
    holds(&linked, "1.0.0");
    repo.verify(&["1.0.0"]).exits(0);
}

#[test]
fn a_bare_repository() {
    let repo = Repo::begun(&[]);
    let bare = repo.mirror("bare.git");
    bare.baseline(&["release", "1.0.0"]).refuses(2, "GB-KEY-NONE");
    bare.git(&["config", "baseline.key", &repo.key()]);
    holds(&bare, "1.0.0");
    bare.baseline(&["items"]).exits(0).shows("config/tls/gateway.pem");
    bare.baseline(&["status"]).exits(0);
    bare.baseline(&["check"]).exits(0);
}

#[test]
fn an_unborn_branch() {
    let repo = Repo::empty(&[]);
    repo.write("config/tls/gateway.pem", CERTIFICATE);
    repo.git(&["add", "--all"]);
    repo.baseline(&["check", "--staged"]).exits(0);
    repo.baseline(&["status"]).exits(0).shows("staged: 1 items changed");
    repo.begin();
    let policy = fs::read_to_string(repo.dir.join(".baseline/policy.toml")).unwrap();
    assert!(policy.contains("config/tls/gateway.pem"), "what is staged is proposed: {policy}");
    assert!(recorded(&repo, "HEAD").contains("gateway.pem"), "control begins with the first commit");
    holds(&repo, "1.0.0");
}

#[test]
fn an_empty_repository() {
    let repo = Repo::empty(&[]);
    repo.baseline(&["status"]).exits(0).shows("no baseline here");
    repo.baseline(&["items"]).refuses(2, "GB-REPO-REVISION");
    repo.baseline(&["verify", "--all"]).refuses(3, "GB-LOG-MISSING");
    repo.baseline(&["check", "--staged"]).exits(0);
    repo.begin();
    repo.baseline(&["release", "1.0.0"]).exits(0);
    repo.verify(&["1.0.0"]).exits(0);
}

#[test]
fn a_detached_head() {
    let repo = Repo::begun(&[]);
    repo.git(&["checkout", "--quiet", "--detach"]);
    repo.renew();
    holds(&repo, "1.0.0");
}

#[test]
fn merges_are_part_of_a_range_and_an_evil_one_is_recorded() {
    let repo = Repo::begun(&[]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    repo.commit("Move the port");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.renew();
    repo.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\nMaxAuthTries 3\n");
    let merge = repo.commit("Merge, and more");
    let summary = recorded(&repo, &merge);
    assert!(
        summary.contains("MaxAuthTries") && !summary.contains("gateway.pem"),
        "against the first parent: {summary}"
    );
    holds(&repo, "1.0.0");
    let show = repo.baseline(&["show", "1.0.0", "--format", "json"]).exits(0).json();
    assert_eq!(show["commits"].as_array().unwrap().len(), 4, "policy, side, certificate, merge");
}

#[test]
fn a_merge_that_no_hook_saw_is_demanded_and_recorded() {
    let repo = Repo::begun(&[]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.renew();
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["-c", "core.hooksPath=/dev/null", "merge", "--quiet", "--no-ff", "side"]);
    repo.baseline(&["release", "1.0.0"]).refuses(1, "GB-COVER-RECORD-MISSING");
    repo.baseline(&["record"]).exits(0);
    holds(&repo, "1.0.0");
}

#[test]
fn a_submodule() {
    let repo = Repo::begun(&[]);
    let library = Repo::sample(&[]);
    let url = library.dir.to_str().unwrap();
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "vendored/library"]);
    repo.commit("Add a library");
    let list = repo.baseline(&["components", "--format", "json"]).exits(0).json();
    let names: Vec<_> = list["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["version"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.contains(&library.head()), "{names:?}");
    holds(&repo, "1.0.0");
}

#[test]
fn links_are_never_followed_not_even_one_that_is_named_like_an_item() {
    let repo = Repo::begun(&[]);
    let secret = repo.place.path("outside.pem");
    fs::write(&secret, CERTIFICATE).unwrap();
    for (target, name) in [
        (secret.as_path(), "config/tls/outside.pem"),
        ("gateway.pem".as_ref(), "config/tls/current.pem"),
        ("nowhere".as_ref(), "dangling"),
    ] {
        std::os::unix::fs::symlink(target, repo.dir.join(name)).unwrap();
    }
    repo.commit("Links");
    holds(&repo, "1.0.0");
    let out = repo.place.path("out-1.0.0");
    for entry in fs::read_dir(out.join("config/tls")).unwrap() {
        let path = entry.unwrap().path();
        assert!(!path.symlink_metadata().unwrap().is_symlink(), "{}", path.display());
    }
    let items = repo.baseline(&["items", "--format", "json"]).exits(0).json();
    for item in items["items"].as_array().unwrap().iter().filter(|item| item["mode"] == "120000") {
        assert_eq!(item["facts"].get("subject"), None, "{item}");
    }
}

#[test]
fn names_that_are_no_text() {
    let repo = Repo::begun(&[]);
    let name = OsStr::from_bytes(b"gateway-\xff\xfe.pem");
    fs::write(repo.dir.join("config/tls").join(name), RENEWED).unwrap();
    repo.write("config/tls/\u{1b}[31mred\n.pem", RENEWED);
    repo.commit("Odd names");
    let ran = repo.baseline(&["items"]).exits(0).shows("\\377\\376").hides("\u{1b}");
    assert!(ran.stdout.is_ascii() || std::str::from_utf8(&ran.stdout).is_ok());
    let items = repo.baseline(&["items", "--format", "json"]).exits(0).json();
    let paths: Vec<_> =
        items["items"].as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap().to_owned()).collect();
    assert!(paths.contains(&"\"config/tls/gateway-\\377\\376.pem\"".to_owned()), "{paths:?}");
    repo.baseline(&["release", "1.0.0"]).exits(0).hides("\u{1b}");
    repo.verify(&["1.0.0"]).exits(0).hides("\u{1b}");
    repo.baseline(&["log"]).exits(0).hides("\u{1b}");
    repo.baseline(&["diff", "HEAD~1", "HEAD"]).exits(0).hides("\u{1b}");
}

#[test]
fn a_file_whose_name_is_no_text_is_reproduced() {
    let repo = Repo::begun(&[]);
    let name = OsStr::from_bytes(b"gateway-\xff\xfe.pem");
    fs::write(repo.dir.join("config/tls").join(name), RENEWED).unwrap();
    repo.commit("An odd name");
    holds(&repo, "1.0.0");
    assert_eq!(fs::read_to_string(repo.place.path("out-1.0.0/config/tls").join(name)).unwrap(), RENEWED);
}

#[test]
fn what_counts_are_the_bytes_that_git_keeps_not_those_on_disk() {
    let repo = Repo::begun(&[]);
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write("config/tls/renewed.pem", RENEWED.replace('\n', "\r\n"));
    repo.write(".gitattributes", "raw.pem -text\n");
    repo.write("config/tls/raw.pem", RENEWED.replace('\n', "\r\n"));
    repo.commit("Line ends");
    holds(&repo, "1.0.0");
    let out = |name: &str| fs::read_to_string(repo.place.path("out-1.0.0/config/tls").join(name)).unwrap();
    assert_eq!(out("renewed.pem"), RENEWED);
    assert_eq!(out("raw.pem"), RENEWED.replace('\n', "\r\n"));
    let items = repo.baseline(&["items", "--format", "json"]).exits(0).json();
    let ends: Vec<_> =
        items["items"].as_array().unwrap().iter().filter_map(|item| item["facts"]["not_after"].as_str()).collect();
    assert_eq!(
        ends.iter().filter(|end| end.starts_with("2027-04-15")).count(),
        2,
        "both are read as certificates: {ends:?}"
    );
}

#[test]
fn three_thousand_files() {
    let repo = Repo::empty(&[]);
    let mut stream = String::from("commit refs/heads/main\ncommitter A <a@b> 1780272000 +0000\ndata 5\nFirst\n");
    for number in 0..3000 {
        let (path, content) = if number % 10 == 0 {
            ("config/tls", CERTIFICATE.to_owned())
        } else {
            ("src", format!("int f{number};\n"))
        };
        let name = if number % 10 == 0 { format!("{number}.pem") } else { format!("{}/f{number}.c", number % 50) };
        let _ = write!(stream, "M 100644 inline {path}/{name}\ndata {}\n{content}\n", content.len());
    }
    repo.git_with(&["fast-import", "--quiet"], stream.as_bytes());
    repo.git(&["reset", "--quiet", "--hard"]);
    repo.begin();
    repo.write("config/tls/10.pem", RENEWED);
    repo.commit("Renew one");
    assert_eq!(recorded(&repo, "HEAD").matches(".pem").count(), 1, "of three thousand, one was changed");
    repo.baseline(&["release", "1.0.0"]).exits(0);
    repo.verify(&["1.0.0"]).exits(0);
    let ran = repo.baseline(&["reproduce", "1.0.0", "--format", "json"]).exits(0).json();
    assert_eq!(ran["items"], 301, "300 certificates and the policy");
}

#[test]
fn a_partial_commit_is_judged_and_recorded_by_what_it_holds() {
    let repo = Repo::begun(&[]);
    repo.write("config/tls/gateway.pem", RENEWED);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    repo.write("config/tls/old.pem", EXPIRED);
    repo.git(&["add", "--all"]);
    repo.try_git(&["commit", "--quiet", "-m", "Old", "config/tls/old.pem"]).exits(1).says("certificate-expired");
    // What else is staged does not stop a commit that does not hold it.
    repo.git(&["commit", "--quiet", "-m", "Port", "etc/sshd_config"]);
    let summary = recorded(&repo, "HEAD");
    assert!(summary.contains("sshd_config") && !summary.contains(".pem"), "{summary}");
    repo.git(&["rm", "--quiet", "--cached", "config/tls/old.pem"]);
    repo.git(&["commit", "--quiet", "-m", "Certificate"]);
    assert!(recorded(&repo, "HEAD").contains("gateway.pem"));
    holds(&repo, "1.0.0");
}

#[test]
fn a_commit_that_was_amended_or_rebased_has_a_record_of_its_own() {
    let repo = Repo::begun(&[]);
    let first = repo.renew_and_amend();
    repo.verify(&["--commit", "HEAD"]).exits(0);
    assert_ne!(first, repo.head());
    repo.git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    repo.commit("One");
    repo.write("etc/sudoers", "root ALL=(ALL) ALL\n");
    repo.commit("Two");
    repo.git(&["rebase", "--quiet", "main"]);
    repo.verify(&["--range", "main..side"]).exits(0);
    repo.git(&["checkout", "--quiet", "-b", "picked", "main"]);
    repo.git(&["cherry-pick", "side"]);
    repo.verify(&["--commit", "HEAD"]).exits(0);
    holds(&repo, "1.0.0");
}

#[test]
fn notes_that_git_itself_carries_over_do_not_spoil_the_record() {
    for mode in ["concatenate", "overwrite", "ignore"] {
        let repo = Repo::begun(&[]);
        repo.git(&["config", "notes.rewriteRef", "refs/notes/baseline"]);
        repo.git(&["config", "notes.rewriteMode", mode]);
        repo.renew_and_amend();
        // What Git copied speaks of the commit that is gone; the next recording sets it right.
        repo.baseline(&["record"]).exits(0);
        repo.verify(&["--commit", "HEAD"]).exits(0);
        repo.baseline(&["release", "1.0.0"]).exits(0);
        repo.verify(&["1.0.0"]).exits(0);
    }
}

#[test]
fn packed_refs_and_packed_objects() {
    let repo = Repo::walked();
    repo.git(&["pack-refs", "--all"]);
    repo.git(&["repack", "-q", "-a", "-d"]);
    repo.verify(&["1.0.0", "1.1.0"]).exits(0);
    repo.commit("Another");
    holds(&repo, "1.2.0");
}

#[test]
fn objects_that_are_borrowed_from_another_repository() {
    let repo = Repo::walked();
    let borrower = repo.at("borrower.git");
    repo.git(&["clone", "--quiet", "--mirror", "--shared", ".", borrower.dir.to_str().unwrap()]);
    borrower.verify(&["1.0.0", "1.1.0"]).exits(0);
    fs::remove_file(borrower.dir.join("objects/info/alternates")).unwrap();
    borrower.baseline(&["verify", "1.1.0"]).refuses(3, "GB-OBJ-MISSING");
}

/// Slow for its size alone: `cargo test --test it -- --ignored`.
#[test]
#[ignore = "writes 1.2 GB"]
fn a_file_of_more_than_a_gigabyte_is_hashed_and_never_held() {
    let threshold = "1m";
    for repack in [false, true] {
        let repo = Repo::begun(&[]);
        let file = fs::File::create(repo.dir.join("image.bin")).unwrap();
        file.set_len(1_200_000_000).unwrap();
        repo.git(&["-c", &format!("core.bigFileThreshold={threshold}"), "add", "image.bin"]);
        repo.write(".baseline/policy.toml", "[[item]]\npattern = \"/image.bin\"\nkind = \"firmware\"\n");
        repo.git(&["-c", &format!("core.bigFileThreshold={threshold}"), "commit", "--quiet", "-a", "-m", "An image"]);
        if repack {
            repo.git(&["-c", &format!("core.bigFileThreshold={threshold}"), "repack", "-q", "-a", "-d"]);
        }
        let limited = |arguments: &str| {
            // In KiB of address space: what is mapped counts too, so what is held is less.
            run(repo.command("sh", &["-c", &format!("ulimit -v 500000; exec git-baseline {arguments}")]), b"")
        };
        limited("release 1.0.0").exits(0);
        limited("verify 1.0.0").exits(0).shows("verified");
        limited("reproduce 1.0.0").exits(0);
        limited("reproduce 1.0.0 -o ../out").exits(0);
        assert_eq!(fs::metadata(repo.place.path("out/image.bin")).unwrap().len(), 1_200_000_000);
    }
}
