//! Secrets in clear: stopped before the commit, found in any history, and never said, recorded or kept by the program.
//!
//! Serves contract §1 (nothing secret leaves the file that it stands in) and R12.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{Ran, Repo, snapshot};

/// Shorter pieces of a key could stand anywhere by chance.
const WINDOW: usize = 12;

const KEY: &str = "config/tls/device.key";

/// A private key of Git's own kind of text, and every piece of its body that must not turn up elsewhere.
struct Key {
    text: String,
    windows: BTreeSet<Vec<u8>>,
}

fn generate(repo: &Repo, path: &str, options: &[&str]) -> String {
    let file = repo.dir.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let arguments = [&["-q", "-N", "", "-C", "", "-f", file.to_str().unwrap()], options].concat();
    repo.run("ssh-keygen", &arguments).exits(0);
    fs::remove_file(file.with_extension("key.pub")).unwrap();
    fs::read_to_string(&file).unwrap()
}

/// The pieces of a key's body, written over lines and written as one.
fn windows(text: &str) -> BTreeSet<Vec<u8>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let whole = lines.concat();
    let pieces = lines.iter().copied().chain([whole.as_str()]);
    pieces.flat_map(|piece| piece.as_bytes().windows(WINDOW).map(<[u8]>::to_vec)).collect()
}

impl Key {
    /// Writes a new key, of the kind that the options name.
    fn write(repo: &Repo, path: &str, options: &[&str]) -> Self {
        let text = generate(repo, path, options);
        // What another key of its kind has too is the name of the kind, and no secret.
        let common = windows(&generate(repo, "other.key", options));
        fs::remove_file(repo.dir.join("other.key")).unwrap();
        let windows: BTreeSet<_> = windows(&text).difference(&common).cloned().collect();
        assert!(windows.len() > 150, "a key has a body");
        Self { text, windows }
    }

    #[track_caller]
    fn is_not_in(&self, what: &str, bytes: &[u8]) {
        let found = bytes.windows(WINDOW).find(|window| self.windows.contains(*window));
        assert!(found.is_none(), "{what} holds a part of the key: {:?}", found.map(String::from_utf8_lossy));
    }

    /// Neither stream of a run holds a part of it.
    #[track_caller]
    fn is_not_said(&self, ran: Ran) -> Ran {
        self.is_not_in("stdout", &ran.stdout);
        self.is_not_in("stderr", ran.stderr.as_bytes());
        ran
    }

    /// Nothing below `.git`, nor in what the program remembers, holds a part of it, but the content itself.
    #[track_caller]
    fn is_kept_only_as_its_content(&self, repo: &Repo) {
        let own = repo.git_with(&["hash-object", "--stdin"], self.text.as_bytes());
        let listed = repo.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"]);
        assert!(listed.contains(&own), "the search reads the content of Git's objects");
        for (id, kind) in listed.lines().map(|line| line.split_once(' ').unwrap()).filter(|(id, _)| *id != own) {
            self.is_not_in(id, &repo.try_git(&["cat-file", kind, id]).exits(0).stdout);
        }
        for folder in [repo.git_dir(), repo.place.path("state")] {
            for (path, bytes) in snapshot(&folder) {
                self.is_not_in(&path.to_string_lossy(), &bytes);
            }
        }
    }
}

const FORMATS: [&str; 3] = ["human", "json", "sarif"];

#[test]
fn a_staged_key_in_clear_is_stopped_with_its_path_its_line_and_the_way_out() {
    for options in [&["-t", "ed25519"][..], &["-t", "rsa", "-b", "2048", "-m", "PEM"]] {
        let repo = Repo::begun(&[]);
        let key = Key::write(&repo, KEY, options);
        repo.git(&["add", "--all"]);
        let ran = key.is_not_said(repo.try_git(&["commit", "-m", "A key"]).exits(1));
        ran.says(&format!("{KEY}:1")).says("git restore --staged config/tls/device.key").says("git gc --prune=now");
        for format in FORMATS {
            let ran = key.is_not_said(repo.baseline(&["check", "--staged", "--format", format]).exits(1));
            ran.shows("private-key-in-clear").shows(KEY).shows("git gc --prune=now");
        }
        key.is_kept_only_as_its_content(&repo);
        // The way out, word for word.
        let content = repo.git(&["rev-parse", &format!(":{KEY}")]);
        repo.git(&["restore", "--staged", KEY]);
        repo.git(&["gc", "--quiet", "--prune=now"]);
        assert_ne!(repo.try_git(&["cat-file", "-e", &content]).code, Some(0), "the content is gone");
    }
}

#[test]
fn before_the_first_commit_the_way_out_is_another() {
    let repo = Repo::empty(&[]);
    Key::write(&repo, KEY, &["-t", "ed25519"]);
    repo.git(&["add", "--all"]);
    repo.baseline(&["check", "--staged"]).exits(1).shows("git rm --cached config/tls/device.key");
    repo.git(&["rm", "--quiet", "--cached", KEY]);
}

#[test]
fn a_key_that_was_committed_past_the_hook_is_in_no_record_note_answer_or_state() {
    let repo = Repo::begun(&[]);
    let key = Key::write(&repo, KEY, &["-t", "ed25519"]);
    repo.git(&["add", "--all"]);
    // The hooks that run after it record it all the same.
    key.is_not_said(repo.try_git(&["commit", "--no-verify", "-m", "A key"]).exits(0));
    repo.verify(&["--commit", "HEAD"]).exits(0);
    key.is_kept_only_as_its_content(&repo);
    for line in ["items", "check", "check --history", "log", "diff HEAD~1 HEAD", "status", "release 1.0.0"] {
        for format in FORMATS {
            let words: Vec<&str> = line.split(' ').chain(["--format", format]).collect();
            key.is_not_said(repo.baseline(&words));
        }
    }
    key.is_kept_only_as_its_content(&repo);
}

fn findings(repo: &Repo, arguments: &[&str], exit: i32) -> Vec<Value> {
    let ran = repo.baseline(&[&["check", "--history", "--format", "json"], arguments].concat()).exits(exit);
    ran.json()["findings"].as_array().unwrap().clone()
}

#[test]
fn a_secret_of_the_past_is_found_with_commit_path_and_whether_it_is_still_there() {
    let repo = Repo::sample(&[]);
    assert!(findings(&repo, &[], 0).is_empty());
    let key = Key::write(&repo, KEY, &["-t", "ed25519"]);
    let brought = repo.commit("Bring it");
    let kept = findings(&repo, &[], 1);
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0]["in_head"].clone(), kept[0]["commit"].clone()), (true.into(), brought.clone().into()));
    repo.git(&["mv", KEY, "moved.key"]);
    let moved = repo.commit("Move it");
    repo.git(&["rm", "--quiet", "moved.key"]);
    repo.commit("Take it out");
    repo.baseline(&["check"]).hides("private-key-in-clear");
    let past = findings(&repo, &[], 1);
    let told: Vec<_> = past.iter().map(|f| (f["commit"].as_str().unwrap(), f["path"].as_str().unwrap())).collect();
    assert_eq!(told, [(&*brought, KEY), (&*moved, "moved.key")], "whoever expunges it needs both paths");
    assert!(past.iter().all(|f| f["in_head"] == false && f["line"] == 1 && f["rule"] == "private-key-in-clear"));
    let hint = past[1]["hint"].as_str().unwrap();
    assert!(hint.contains("git filter-repo --invert-paths --path moved.key"), "{hint}");
    assert!(hint.find("replace") < hint.find("filter-repo"), "a new secret comes first: {hint}");
    // A range answers for itself alone.
    assert!(findings(&repo, &["HEAD~1..HEAD"], 0).is_empty());
    assert_eq!(findings(&repo, &["HEAD~2..HEAD"], 1).len(), 1);
    assert_eq!(findings(&repo, &["HEAD~2"], 1).len(), 1, "a revision is where the search ends");
    for format in FORMATS {
        let ran = key.is_not_said(repo.baseline(&["check", "--history", "--format", format]).exits(1));
        let gone = if format == "json" { "\"in_head\": false" } else { "no longer in HEAD" };
        ran.shows(gone).shows("git filter-repo");
    }
}

#[test]
fn what_a_merge_takes_over_is_told_at_the_commit_that_brought_it_and_what_it_adds_at_the_merge() {
    let repo = Repo::sample(&[]);
    repo.git(&["switch", "--quiet", "-c", "side"]);
    Key::write(&repo, KEY, &["-t", "ed25519"]);
    let side = repo.commit("On the side");
    repo.git(&["switch", "--quiet", "main"]);
    repo.write("README", "text\n");
    repo.commit("On main");
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    Key::write(&repo, "evil.key", &["-t", "ed25519"]);
    let merge = repo.commit("Merge");
    let told: BTreeSet<_> = findings(&repo, &[], 1)
        .iter()
        .map(|f| (f["path"].as_str().unwrap().to_owned(), f["commit"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(told, BTreeSet::from([(KEY.to_owned(), side), ("evil.key".to_owned(), merge)]));
}

#[test]
fn sealed_and_public_keys_and_what_the_policy_excludes_are_not_secrets_of_the_past() {
    let repo = Repo::sample(&[]);
    let sealed = repo.dir.join("sealed.key");
    repo.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "a long passphrase", "-f", sealed.to_str().unwrap()])
        .exits(0);
    Key::write(&repo, "tests/fixtures/a.key", &["-t", "ed25519"]);
    let policy = "[[exclude]]\npattern = \"/tests/fixtures/\"\nreason = \"made for tests\"\n";
    repo.write(".baseline/policy.toml", policy);
    repo.commit("Keys");
    let ran = repo.baseline(&["check", "--history"]).exits(0);
    ran.shows("0 secrets in clear").shows("1 excluded by the policy");
    // A policy that cannot be read excludes nothing.
    repo.write(".baseline/policy.toml", format!("{policy}[checks.severity]\nno-such-rule = \"low\"\n"));
    repo.commit("Break it");
    assert_eq!(findings(&repo, &[], 1)[0]["path"], "tests/fixtures/a.key");
}

#[test]
fn a_history_that_is_cut_off_is_no_clean_history() {
    let repo = Repo::sample(&[]);
    repo.commit("Second");
    let shallow = repo.at("shallow");
    let url = format!("file://{}", repo.dir.display());
    repo.git(&["clone", "--quiet", "--depth", "1", &url, shallow.dir.to_str().unwrap()]);
    shallow.baseline(&["check", "--history"]).refuses(3, "GB-REPO-SHALLOW");
}

#[test]
fn findings_as_sarif_are_the_same_bytes_each_time_and_name_the_commit() {
    let repo = Repo::sample(&[]);
    repo.write("etc/sshd config", "PermitRootLogin yes\nCiphers 3des-cbc\n");
    repo.write(".baseline/policy.toml", "[[item]]\npattern = \"sshd config\"\nkind = \"sshd-config\"\n");
    repo.commit("Weaken");
    let first = repo.baseline(&["check", "--format", "sarif"]);
    assert_eq!(first.stdout, repo.baseline(&["check", "--format", "sarif"]).stdout);
    let run = first.json()["runs"][0].clone();
    assert_eq!(run["versionControlProvenance"][0]["revisionId"], repo.head());
    let found = run["results"].as_array().unwrap().iter().find(|result| result["ruleId"] == "root-login-permitted");
    let found = found.unwrap();
    assert_eq!(found["level"], "error");
    let place = &found["locations"][0]["physicalLocation"];
    assert_eq!(
        (place["artifactLocation"]["uri"].as_str(), place["region"]["startLine"].as_u64()),
        (Some("etc/sshd%20config"), Some(1))
    );
    let rule = &run["tool"]["driver"]["rules"][usize::try_from(found["ruleIndex"].as_u64().unwrap()).unwrap()];
    assert_eq!(rule["id"], "root-login-permitted");
    // The policy weighs a rule otherwise.
    repo.write(".baseline/policy.toml", "[[item]]\npattern = \"sshd config\"\nkind = \"sshd-config\"\n[checks.severity]\nroot-login-permitted = \"low\"\n");
    repo.commit("Weigh it");
    let run = repo.baseline(&["check", "--format", "sarif"]).json()["runs"][0].clone();
    let found =
        run["results"].as_array().unwrap().iter().find(|result| result["ruleId"] == "root-login-permitted").cloned();
    assert_eq!(found.unwrap()["level"], "note");
}
