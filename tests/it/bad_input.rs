//! Bad input: each its own message, code and exit code, for people and as JSON, and nothing half done.
//!
//! Serves contract §4 ("Exit codes", "Messages") and §5 (errors).

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{EXPIRED, RENEWED, Ran, Repo, make_executable, make_private, run, snapshot};

/// The program must fail so, in words and as JSON, and leave no ref, log or note changed.
#[track_caller]
fn fails(repo: &Repo, arguments: &[&str], exit: i32, code: &str, message: &str) {
    fails_with(repo, &[], arguments, exit, code, message);
}

#[track_caller]
fn fails_with(repo: &Repo, variables: &[(&str, &str)], arguments: &[&str], exit: i32, code: &str, message: &str) {
    let refs = || repo.try_git(&["for-each-ref"]).text();
    let before = refs();
    let human = repo.baseline_with(variables, arguments);
    let text = format!("[{code}]: ");
    assert!(human.stderr.starts_with("error") || human.stderr.starts_with("unknown"), "{}", human.stderr);
    human.refuses(exit, code).says(&text).says(message);
    let ran = repo.baseline_with(variables, &[&["--format", "json"], arguments].concat()).exits(exit);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    assert_eq!(error["schema"], "git-baseline/error/1");
    assert_eq!(error["code"], code);
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    assert!(error["cause"].is_string() && (error["hint"].is_string() || error["hint"].is_null()), "{error}");
    let all = format!("{} {}", error["message"], error["cause"]).replace("\\\"", "\"");
    assert!(all.contains(message), "{error} does not say {message:?}");
    assert_eq!(before, refs(), "a failure moved a ref");
}

#[test]
fn a_policy_that_cannot_be_read_is_named_with_its_line() {
    for (policy, line, what) in [
        ("[product]\nname = \"x\"\n= broken\n", 3, ""),
        ("[product]\nname = \"x\"\n\nunknown = 1\n", 4, "unknown"),
        ("[[item]]\npattern = \"/a\"\nclass = \"no-such-class\"\n", 3, "no-such-class"),
        ("[checks]\nblock = \"grave\"\n", 2, "severity"),
        ("[[item]]\nkind = \"x\"\n", 1, "pattern"),
        ("[checks.severity]\ncrl-stale = \"low\"\nno-such-rule = \"low\"\n", 3, "no-such-rule"),
        ("[checks.severity]\nprivate-key-in-clear = \"info\"\n", 2, "below high"),
    ] {
        let repo = Repo::begun(&[]);
        repo.write(".baseline/policy.toml", policy);
        repo.git(&["commit", "--quiet", "--no-verify", "--all", "-m", "Break it"]);
        let place = format!(".baseline/policy.toml:{line}");
        fails(&repo, &["items"], 2, "GB-POLICY-INVALID", &place);
        fails(&repo, &["check"], 2, "GB-POLICY-INVALID", what);
        fails(&repo, &["release", "1.0.0"], 2, "GB-POLICY-INVALID", &place);
    }
}

#[test]
fn keys_that_cannot_sign_are_named_and_say_why() {
    let repo = Repo::begun(&[]);
    repo.commit("Another");
    repo.git(&["notes", "--ref=baseline", "remove", "HEAD"]);
    let file = |name: &str, content: &[u8]| {
        let path = repo.place.path(name);
        fs::write(&path, content).unwrap();
        make_private(&path);
        path.to_str().unwrap().to_owned()
    };
    let key = fs::read(repo.key()).unwrap();
    let rubbish = file("rubbish", b"no key at all\n");
    let open = file("open", &key);
    make_executable(std::path::Path::new(&open));
    let cut = file("cut", &key[..key.len() / 2]);
    let ecdsa = repo.place.path("ecdsa");
    repo.run("ssh-keygen", &["-q", "-t", "ecdsa", "-N", "", "-f", ecdsa.to_str().unwrap()]).exits(0);
    for (key, code) in [
        ("/nonexistent/key", "GB-KEY-MISSING"),
        (rubbish.as_str(), "GB-KEY-UNREADABLE"),
        (cut.as_str(), "GB-KEY-UNREADABLE"),
        (open.as_str(), "GB-KEY-PERMISSIONS"),
        (ecdsa.to_str().unwrap(), "GB-KEY-UNSUPPORTED"),
        ("agent:nothing", "GB-KEY-NAME"),
        ("agent:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "GB-KEY-AGENT"),
    ] {
        fails(&repo, &["record", "--key", key], 2, code, if key.starts_with('/') { key } else { "" });
    }
    repo.git(&["config", "--unset", "baseline.key"]);
    fails(&repo, &["record"], 2, "GB-KEY-NONE", "no key to sign with");
    repo.baseline(&["record", "--key", &repo.key()]).exits(0);
}

#[test]
fn a_wrong_passphrase_opens_nothing_and_the_right_one_does() {
    let repo = Repo::begun(&[]);
    repo.commit("Another");
    repo.git(&["notes", "--ref=baseline", "remove", "HEAD"]);
    let key = repo.key();
    repo.run("ssh-keygen", &["-q", "-p", "-a", "1", "-P", "", "-N", "opens it", "-f", &key]).exits(0);
    let answer = |name: &str, text: &str| {
        let path = repo.place.path(name);
        fs::write(&path, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
        make_executable(&path);
        path.to_str().unwrap().to_owned()
    };
    let (wrong, right) = (answer("wrong", "opens nothing"), answer("right", "opens it"));
    fails_with(&repo, &[("SSH_ASKPASS", &wrong)], &["record"], 2, "GB-KEY-PASSPHRASE", "no passphrase of 3 opens");
    fails_with(&repo, &[("SSH_ASKPASS", "false")], &["record"], 2, "GB-KEY-PASSPHRASE", "no passphrase was given");
    let ran = repo.baseline_with(&[("SSH_ASKPASS", &right)], &["record"]);
    ran.exits(0).hides("opens it").shows("no item or component changed");
}

#[test]
fn who_has_no_name_cannot_begin() {
    let repo = Repo::sample(&[]);
    fs::remove_file(repo.place.path("home/.gitconfig")).unwrap();
    let key = repo.key();
    let nobody = [("GIT_AUTHOR_NAME", ""), ("GIT_AUTHOR_EMAIL", "")];
    let begin = ["init", "--product", "X", "--generate-key", &key];
    fails_with(&repo, &nobody, &begin, 2, "GB-USE-IDENTITY", "name");
    fails_with(&repo, &nobody, &[&begin[..], &["--name", "A"]].concat(), 2, "GB-USE-IDENTITY", "email");
    fails(
        &repo,
        &["init", "--product", "X", "--name", "A", "--email", "a@b", "--person", "Not An Id"],
        2,
        "GB-USE-IDENTITY",
        "person",
    );
    assert!(!repo.place.path("home/id").exists() && !repo.dir.join(".baseline").exists(), "nothing is begun");
    fails(&repo, &["init", "--product", "X", "--name", "A", "--email", "a@b"], 2, "GB-KEY-NONE", "no Ed25519 key");
    fails(&repo, &["init", "--name", "A", "--email", "a@b", "--generate-key", &key], 2, "GB-USE-ARGUMENTS", "product");
    assert!(!repo.place.path("home/id").exists(), "no key is made for a baseline that is not begun");
}

#[test]
fn a_second_beginning_joins_the_first() {
    let repo = Repo::begun(&[]);
    let fingerprint = repo.fingerprint();
    let ran = repo.baseline(&["init", "--product", "Another", "--format", "json"]).exits(0).json();
    assert_eq!((&ran["joined"], &ran["fingerprint"]), (&Value::Bool(true), &Value::from(fingerprint)));
}

#[test]
fn a_dirty_tree_is_not_released_behind_its_authors_back() {
    let repo = Repo::begun(&[]);
    repo.write("config/tls/gateway.pem", RENEWED);
    fails(&repo, &["release", "1.0.0"], 2, "GB-REPO-DIRTY", "config/tls/gateway.pem");
    repo.git(&["add", "--all"]);
    fails(&repo, &["release", "1.0.0"], 2, "GB-REPO-DIRTY", "config/tls/gateway.pem");
    repo.baseline(&["release", "1.0.0", "--commit", "HEAD"]).exits(0);
}

#[test]
fn a_dirty_tree_is_noticed_from_any_folder_of_it() {
    let repo = Repo::begun(&[]);
    repo.write("config/tls/gateway.pem", RENEWED);
    let below = repo.at("repo/src");
    fails(&below, &["release", "1.0.0"], 2, "GB-REPO-DIRTY", "config/tls/gateway.pem");
}

#[test]
fn names_that_nobody_knows() {
    let repo = Repo::walked();
    for arguments in [
        &["items", "nothing"][..],
        &["diff", "1.0.0", "nothing"],
        &["check", "nothing"],
        &["record", "nothing"],
        &["release", "2.0.0", "--commit", "nothing"],
        &["verify", "--commit", "nothing"],
        &["log", "nothing..HEAD"],
    ] {
        fails(&repo, arguments, 2, "GB-REPO-REVISION", "nothing");
    }
    for arguments in [&["show", "3.0.0"][..], &["reproduce", "3.0.0"]] {
        fails(&repo, arguments, 2, "GB-USE-RELEASE", "3.0.0");
    }
    repo.verify(&["3.0.0"]).refuses(2, "GB-USE-RELEASE");
    fails(&repo, &["items", "\u{1b}[31m"], 2, "GB-REPO-REVISION", "");
    repo.baseline(&["items", "\u{1b}[31m"]).exits(2).hides("\u{1b}");
}

#[test]
fn a_release_name_is_taken_once_whatever_its_case() {
    let repo = Repo::walked();
    repo.baseline(&["release", "2.0.0-RC1"]).exits(0);
    for name in ["1.0.0", "2.0.0-RC1", "2.0.0-rc1"] {
        fails(&repo, &["release", name], 2, "GB-USE-NAME-TAKEN", name);
        fails(&repo, &["release", name, "--dry-run"], 2, "GB-USE-NAME-TAKEN", name);
    }
    for name in ["", ".", "a..b", "../x", "a/b", "a b", "x.lock", "-".repeat(101).as_str(), "ü", "a\nb"] {
        fails(&repo, &["release", "--", name], 2, "GB-USE-NAME", "");
        fails(&repo, &["show", "--", name], 2, "GB-USE-NAME", "");
    }
}

#[test]
fn wrong_usage_exits_with_two() {
    let repo = Repo::walked();
    for arguments in [
        &["no-such-command"][..],
        &["verify", "--no-such-flag"],
        &["release"],
        &["verify", "1.0.0", "--all"],
        &[],
        &["check", "--as-of", "tomorrow"],
        &["items", "--format", "xml"],
    ] {
        let ran = repo.baseline(arguments).exits(2);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{arguments:?}");
    }
    fails(&repo, &["verify"], 2, "GB-USE-ARGUMENTS", "nothing to verify");
    fails(&repo, &["verify", "--range", "HEAD..HEAD"], 2, "GB-USE-ARGUMENTS", "no commit");
    fails_with(&repo, &[("SOURCE_DATE_EPOCH", "noon")], &["items"], 2, "GB-USE-CLOCK", "noon");
    repo.baseline(&["--version"]).exits(0).shows("git-baseline");
    repo.baseline(&["--help"]).exits(0).shows("Exit codes");
}

#[test]
fn where_there_is_no_repository() {
    let repo = Repo::empty(&[]);
    let nowhere = repo.at("nowhere");
    fs::create_dir(&nowhere.dir).unwrap();
    for arguments in [&["status"][..], &["items"], &["verify", "--all"], &["release", "1.0.0"], &["hooks", "status"]] {
        fails(&nowhere, arguments, 2, "GB-REPO-NOT-FOUND", "no Git repository");
    }
    fails(&repo, &["-C", "/nonexistent", "status"], 2, "GB-REPO-NOT-FOUND", "/nonexistent");
}

#[test]
fn a_repository_of_another_user_is_read_and_never_written() {
    let repo = Repo::walked();
    repo.commit("Another");
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: only root can give a repository to another user");
        return;
    }
    for path in snapshot(&repo.dir).keys().chain([&repo.dir]) {
        chown(path, Some(65534), Some(65534)).unwrap();
    }
    let fingerprint = repo.baseline(&["trust", "fingerprint"]).exits(0).text();
    for arguments in [&["release", "2.0.0"][..], &["record"], &["repair"], &["init", "--product", "X"]] {
        repo.baseline(arguments).refuses(4, "GB-REPO-OWNER");
    }
    repo.baseline(&["verify", "1.0.0", "--trust", &fingerprint]).exits(0);
    repo.baseline(&["reproduce", "1.0.0"]).exits(0);
}

#[test]
fn a_reftable_repository_cannot_be_concluded() {
    let repo = Repo::empty(&[]);
    let other = repo.at("reftable");
    if repo.try_git(&["init", "--quiet", "--ref-format=reftable", other.dir.to_str().unwrap()]).code != Some(0) {
        eprintln!("skipped: this Git knows no reftable");
        return;
    }
    for arguments in [&["status"][..], &["items"], &["verify", "--all"], &["init", "--product", "X"]] {
        fails(&other, arguments, 3, "GB-REPO-REFTABLE", "reftable");
    }
    fs::create_dir(other.dir.join("below")).unwrap();
    other.baseline(&["-C", "below", "status"]).refuses(3, "GB-REPO-REFTABLE");
}

#[test]
fn a_shallow_clone_cannot_be_concluded() {
    let repo = Repo::walked();
    let url = format!("file://{}", repo.dir.display());
    let shallow = repo.at("shallow");
    repo.git(&["clone", "--quiet", "--depth", "1", &url, shallow.dir.to_str().unwrap()]);
    fails(&shallow, &["verify", "--all"], 3, "GB-LOG-MISSING", "refs/baseline/log");
    shallow.git(&["fetch", "--quiet", "--depth", "1", "origin", "refs/baseline/log:refs/baseline/log"]);
    shallow.baseline(&["verify", "--all"]).refuses(3, "GB-OBJ-MISSING");
    let whole = repo.at("whole-log");
    repo.git(&["clone", "--quiet", "--depth", "1", &url, whole.dir.to_str().unwrap()]);
    whole.git(&[
        "fetch",
        "--quiet",
        "origin",
        "refs/baseline/log:refs/baseline/log",
        "refs/notes/baseline:refs/notes/baseline",
    ]);
    whole.verify(&["1.1.0"]).refuses(3, "GB-REPO-SHALLOW");
    whole.baseline(&["release", "2.0.0"]).refuses(3, "GB-REPO-SHALLOW");
    whole.git(&["fetch", "--quiet", "--unshallow", "origin", "refs/baseline/*:refs/baseline/*"]);
    whole.verify(&["1.0.0", "1.1.0"]).exits(0);
}

#[test]
fn a_clone_without_blobs_cannot_be_concluded() {
    let repo = Repo::walked();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.dir.display());
    let partial = repo.at("partial.git");
    repo.git(&["clone", "--quiet", "--mirror", "--filter=blob:none", &url, partial.dir.to_str().unwrap()]);
    partial.verify(&["1.1.0"]).refuses(3, "GB-OBJ-MISSING");
    partial.baseline(&["reproduce", "1.1.0"]).refuses(3, "GB-OBJ-MISSING");
}

#[test]
fn an_index_in_conflict_is_not_judged() {
    let repo = Repo::begun(&[]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 1\n");
    repo.commit("One");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2\n");
    repo.commit("Two");
    repo.try_git(&["merge", "side"]).exits(1);
    fails(&repo, &["check", "--staged"], 2, "GB-REPO-CONFLICT", "etc/sshd_config");
    fails(&repo, &["status"], 2, "GB-REPO-CONFLICT", "etc/sshd_config");
    repo.baseline(&["items"]).exits(0);
}

#[test]
fn a_damaged_index_is_named() {
    let repo = Repo::begun(&[]);
    let index = repo.dir.join(".git/index");
    let good = fs::read(&index).unwrap();
    for bytes in [&b"rubbish"[..], &good[..good.len() / 2], &[]] {
        fs::write(&index, bytes).unwrap();
        let ran = repo.baseline(&["check", "--staged"]);
        assert!(ran.code == Some(2) && ran.stderr.contains("GB-REPO-INDEX"), "{:?} {}", ran.code, ran.stderr);
    }
    fs::write(&index, good).unwrap();
    repo.baseline(&["check", "--staged"]).exits(0);
}

#[test]
fn an_answer_that_nobody_got_is_no_success() {
    let repo = Repo::walked();
    for arguments in [&["verify", "--all"][..], &["items"], &["--help"], &["show"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = repo.command("git-baseline", arguments).stdout(full).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(70), "{arguments:?} to a full disk");
        let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let closed = reader.stdin.take().unwrap();
        reader.wait().unwrap();
        let status = repo.command("git-baseline", arguments).stdout(closed).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(70), "{arguments:?} into a closed pipe");
    }
}

#[test]
fn a_state_folder_that_cannot_be_used() {
    let repo = Repo::walked();
    let file = repo.place.path("no-folder");
    fs::write(&file, "").unwrap();
    let state = [("XDG_STATE_HOME", file.to_str().unwrap())];
    fails_with(&repo, &state, &["release", "2.0.0"], 2, "GB-USE-STATE", "no-folder");
    fails_with(&repo, &state, &["trust", "pin", &repo.fingerprint()], 2, "GB-USE-STATE", "no-folder");
    let nothing: [(&str, &str); 2] = [("XDG_STATE_HOME", ""), ("HOME", "relative")];
    fails_with(&repo, &nothing, &["trust", "pin", &repo.fingerprint()], 2, "GB-USE-STATE", "HOME");
    repo.baseline_with(&nothing, &["verify", "1.0.0", "--trust", &repo.fingerprint()]).exits(0);
}

#[test]
fn an_auditor_who_gives_the_fingerprint_needs_no_state_folder() {
    let repo = Repo::walked();
    let file = repo.place.path("no-folder");
    fs::write(&file, "").unwrap();
    let state = [("XDG_STATE_HOME", &file)];
    repo.baseline_with(&state, &["verify", "1.0.0", "--trust", &repo.fingerprint()]).exits(0);
    repo.baseline_with(&state, &["verify", "1.0.0"]).refuses(2, "GB-USE-STATE");
}

#[test]
fn the_variables_that_git_sets_for_hooks_count() {
    let repo = Repo::begun(&[]);
    let elsewhere = repo.at("elsewhere");
    fs::create_dir(&elsewhere.dir).unwrap();
    let git_dir = repo.dir.join(".git");
    let variables = [("GIT_DIR", git_dir.to_str().unwrap())];
    elsewhere.baseline_with(&variables, &["items", "HEAD"]).exits(0).shows("config/tls/gateway.pem");
    fails_with(&elsewhere, &[("GIT_DIR", "/nonexistent")], &["items"], 2, "GB-REPO-NOT-FOUND", "/nonexistent");
    // What is judged is the index that Git names, not the one that lies there.
    let index = repo.dir.join(".git/other-index");
    fs::copy(repo.dir.join(".git/index"), &index).unwrap();
    repo.write("config/tls/old.pem", EXPIRED);
    let mut add = repo.command("git", &["add", "config/tls/old.pem"]);
    add.env("GIT_INDEX_FILE", &index);
    run(add, b"").exits(0);
    repo.baseline(&["check", "--staged"]).exits(0);
    for name in [index.to_str().unwrap(), ".git/other-index"] {
        let ran: Ran = repo.baseline_with(&[("GIT_INDEX_FILE", name)], &["check", "--staged"]);
        ran.exits(1).shows("certificate-expired");
    }
}

/// Longer than any file that is held in memory: it is named as unread, and the lock beside it is read.
#[test]
fn a_lock_of_65_mebibytes_is_a_file_that_was_not_read() {
    let repo = Repo::empty(&[]);
    repo.write("requirements.txt", "requests==2.31.0\n");
    repo.write("a/package-lock.json", " ".repeat(65 << 20));
    repo.commit("First");
    let answer = repo.baseline(&["components", "HEAD", "--format", "json"]).exits(0).json();
    let components = answer["components"].as_array().unwrap();
    assert!(components.iter().any(|component| component["purl"] == "pkg:pypi/requests@2.31.0"), "{components:?}");
    let coverage = answer["coverage"].as_array().unwrap();
    let unread = coverage.iter().find(|entry| entry["path"] == "a/package-lock.json").unwrap();
    assert_eq!(unread["status"], "failed", "{unread}");
}
