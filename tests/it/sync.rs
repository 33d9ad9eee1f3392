//! Two writers and one bare remote: whatever they do in whatever order, both end with the same log, and nothing is lost.
//!
//! `GIT_BASELINE_INTERLEAVINGS` says how many orders are tried; a few by default.

use std::collections::BTreeSet;

use crate::support::{Repo, log_files};

/// A clone with a state folder and a key of its own.
struct Writer {
    repo: Repo,
    state: String,
    key: String,
}

impl Writer {
    fn run(&self, arguments: &[&str]) -> crate::support::Ran {
        self.repo.baseline_with(&[("XDG_STATE_HOME", &self.state)], arguments)
    }

    /// Every blob that its log holds.
    fn statements(&self) -> BTreeSet<String> {
        let files = log_files(&self.repo, "refs/baseline/log");
        let derived = |path: &str| path == "checkpoint" || path.starts_with("tile/");
        files.into_iter().filter(|(path, _)| !derived(path)).map(|(_, blob)| blob).collect()
    }
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Anna's repository and Berta's clone of it, joined by a bare remote.
fn two() -> [Writer; 2] {
    let anna = Repo::begun(&[]);
    let remote = anna.place.path("remote.git");
    anna.git(&["init", "--quiet", "--bare", "--initial-branch=main", "--template=", remote.to_str().unwrap()]);
    anna.git(&["-C", remote.to_str().unwrap(), "config", "receive.denyNonFastForwards", "true"]);
    anna.git(&["-C", remote.to_str().unwrap(), "config", "receive.denyDeletes", "true"]);
    anna.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    let key = anna.place.path("home/berta").to_str().unwrap().to_owned();
    anna.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]).exits(0);
    let public = format!("{key}.pub");
    let roles = ["root", "release", "developer", "log", "approver", "quality"];
    let mut add =
        vec!["trust", "add-person", "berta", "--name", "Berta", "--email", "berta@example.org", "--key", &public];
    for role in roles {
        add.extend(["--role", role]);
    }
    anna.baseline(&add).exits(0);
    anna.git(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    anna.baseline(&["sync"]).exits(0);
    let berta = anna.at("berta");
    anna.git(&["clone", "--quiet", "--template=", remote.to_str().unwrap(), berta.dir.to_str().unwrap()]);
    let writer = |repo: &Repo, name: &str, key: String| Writer {
        state: repo.place.path(name).to_str().unwrap().to_owned(),
        repo: repo.clone(),
        key,
    };
    let writers = [writer(&anna, "state", anna.key()), writer(&berta, "state-of-berta", key)];
    let [_, second] = &writers;
    second.run(&["init", "--key", &second.key, "--no-hooks"]).exits(0);
    let fingerprint = second.run(&["trust", "fingerprint"]).exits(0).text();
    second.run(&["trust", "pin", &fingerprint]).exits(0);
    writers
}

/// One thing that a writer does. Some are refused, where another was first; none may crash or be half done.
fn act(writer: &Writer, dice: &mut Dice, number: usize, seen: &mut BTreeSet<String>) {
    let name = format!("{number}");
    let ran = match dice.roll(6) {
        0 => writer.run(&["change", "open", &format!("CR-{}", dice.roll(4)), "--title", "A change"]),
        1 => {
            writer.repo.git(&["commit", "--quiet", "--allow-empty", "-m", &name]);
            writer.run(&["record"])
        }
        2 => {
            writer.run(&["record"]);
            writer.run(&["release", &format!("1.{}", dice.roll(3))])
        }
        3 => writer.run(&["sign", &format!("CR-{}", dice.roll(4)), "--meaning", "approved"]),
        4 => {
            let fresh = format!("{}-{number}", writer.key);
            writer.repo.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &fresh]).exits(0);
            let whose = if dice.roll(2) == 0 { "alice" } else { "berta" };
            writer.run(&["trust", "add-key", whose, "--key", &format!("{fresh}.pub")])
        }
        _ => {
            let synced = writer.run(&["sync"]);
            assert!(matches!(synced.code, Some(0)), "{}", synced.stderr);
            synced
        }
    };
    assert!(matches!(ran.code, Some(0..=3 | 6)), "exit {:?}: {}", ran.code, ran.stderr);
    seen.extend(writer.statements());
}

#[test]
fn two_writers_converge_and_lose_nothing() {
    let count = std::env::var("GIT_BASELINE_INTERLEAVINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_u64);
    let begin = std::env::var("GIT_BASELINE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    for seed in begin..begin + count {
        let writers = two();
        let mut dice = Dice(seed.wrapping_mul(2_654_435_761).wrapping_add(1));
        let mut seen = BTreeSet::new();
        for number in 0..10 {
            let who = usize::from(dice.roll(2) == 1);
            act(&writers[who], &mut dice, number, &mut seen);
        }
        for _ in 0..2 {
            for writer in &writers {
                writer.run(&["sync"]).exits(0);
            }
        }
        let [anna, berta] = &writers;
        for name in ["refs/baseline/log", "refs/notes/baseline"] {
            let of = |writer: &Writer| writer.repo.git(&["rev-parse", name]);
            assert_eq!(of(anna), of(berta), "seed {seed}: {name}");
        }
        let lost: Vec<_> = seen.difference(&anna.statements()).cloned().collect();
        assert!(lost.is_empty(), "seed {seed}: statements that are gone: {lost:?}");
        let shown = |writer: &Writer| writer.run(&["show", "--format", "json"]).exits(0).json();
        assert_eq!(shown(anna), shown(berta), "seed {seed}");
        let releases = shown(anna)["releases"].as_array().unwrap().clone();
        let numbers: BTreeSet<_> = releases.iter().map(|release| release["sequence"].as_u64().unwrap()).collect();
        assert_eq!(numbers.len(), releases.len(), "seed {seed}: one successor of each release");
        for writer in &writers {
            let verified = writer.run(&["verify", "--all"]);
            assert!(matches!(verified.code, Some(0)) || releases.is_empty(), "seed {seed}: {}", verified.stderr);
            let roots = writer.run(&["trust", "show", "--format", "json"]).exits(0).json();
            let versions: Vec<_> = roots["roots"].as_array().unwrap().iter().map(|r| r["version"].as_u64()).collect();
            assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: one root of each version");
        }
        anna.repo.try_git(&["fsck", "--strict"]).exits(0).hides("error");
    }
}

#[test]
fn a_release_made_under_a_root_that_was_overtaken_is_kept_and_named() {
    let [anna, berta] = &two();
    berta.run(&["release", "1.0"]).exits(0);
    let key = format!("{}-more", anna.key);
    anna.repo.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]).exits(0);
    anna.run(&["trust", "add-key", "alice", "--key", &format!("{key}.pub")]).exits(0);
    anna.run(&["sync"]).exits(0);
    anna.run(&["release", "1.0"]).exits(0);
    // Berta's stood on the root before: it cannot count after the new one, and says so instead of being void.
    berta.run(&["sync"]).exits(0).shows("overtaken: releases/1.0/");
    anna.run(&["sync"]).exits(0);
    berta.run(&["sync"]).exits(0);
    for writer in [anna, berta] {
        writer.run(&["verify", "--all"]).exits(0).shows("1.0 verified");
    }
}

/// Whoever can push writes notes on top of those that are there: without some, or with rubbish in their place.
#[test]
fn no_record_is_lost_to_notes_that_leave_it_out() {
    let [anna, berta] = &two();
    anna.repo.git(&["commit", "--quiet", "--allow-empty", "-m", "More"]);
    anna.run(&["record"]).exits(0);
    anna.repo.git(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    anna.run(&["sync"]).exits(0);
    berta.repo.git(&["fetch", "--quiet", "origin"]);
    berta.run(&["sync"]).exits(0);
    let (head, mine) = (anna.repo.head(), anna.repo.git(&["rev-parse", "refs/notes/baseline"]));
    let record = anna.repo.note(&head);
    let junk = anna.repo.write_blob(b"rubbish");
    let large = anna.repo.write_blob(&vec![b'a'; 20 << 20]);
    let empty = String::new();
    let beside = format!("100644 blob {junk}\tno-commit\n120000 blob {junk}\tlink\n160000 commit {head}\tmodule\n");
    for entries in [empty, beside, format!("100644 blob {junk}\t{head}\n"), format!("100644 blob {large}\t{head}\n")] {
        let tree = anna.repo.git_with(&["mktree"], entries.as_bytes());
        let commit = anna.repo.git(&["commit-tree", "-m", "x", "-p", &mine, &tree]);
        anna.repo.git(&["push", "--quiet", "--force", "origin", &format!("{commit}:refs/notes/baseline")]);
        for writer in [anna, berta] {
            writer.run(&["sync"]).exits(0);
            assert_eq!(writer.repo.note(&head), record, "{entries}");
            writer.run(&["verify", "--commit", &head]).exits(0);
        }
        let remote = anna.repo.place.path("remote.git");
        let remote = remote.to_str().unwrap();
        anna.repo.git(&["-C", remote, "update-ref", "refs/notes/baseline", &mine]);
        anna.repo.git(&["update-ref", "refs/notes/baseline", &mine]);
        berta.repo.git(&["update-ref", "refs/notes/baseline", &mine]);
    }
}

#[test]
fn rubbish_in_the_place_of_a_release_ref_stops_nobody() {
    let [anna, berta] = &two();
    let head = anna.repo.head();
    anna.repo.git(&["push", "--quiet", "origin", &format!("{head}:refs/baseline/releases/1.0")]);
    anna.run(&["release", "1.0"]).exits(0);
    anna.run(&["sync"]).exits(0).says("it proves nothing, and can be deleted");
    berta.run(&["sync"]).exits(0);
    for writer in [anna, berta] {
        writer.run(&["verify", "1.0"]).exits(0);
    }
}

#[test]
fn a_release_that_was_overtaken_is_kept_and_made_again() {
    let [anna, berta] = &two();
    berta.run(&["change", "open", "CR-1", "--title", "First on Berta's side"]).exits(0);
    berta.run(&["release", "1.0-b"]).exits(0);
    anna.run(&["release", "1.0"]).exits(0);
    anna.run(&["sync"]).exits(0);
    let synced = berta.run(&["sync"]).exits(0).shows("overtaken: releases/1.0-b/");
    assert!(synced.text().contains("appended again"), "{}", synced.text());
    berta.run(&["verify", "1.0"]).exits(0);
    berta.run(&["verify", "1.0-b"]).refuses(2, "GB-USE-RELEASE");
    berta.run(&["release", "1.0-b"]).exits(0);
    berta.run(&["sync"]).exits(0);
    anna.run(&["sync"]).exits(0);
    anna.run(&["verify", "1.0", "1.0-b"]).exits(0);
    anna.run(&["change", "list"]).exits(0).shows("CR-1");
}

#[test]
fn a_remote_that_takes_something_back_is_a_fork_or_stale() {
    let [anna, berta] = &two();
    anna.run(&["change", "open", "CR-1", "--title", "One"]).exits(0);
    anna.run(&["sync"]).exits(0);
    berta.run(&["sync"]).exits(0);
    let remote = anna.place_of("remote.git");
    let log = anna.repo.git(&["-C", &remote, "rev-parse", "refs/baseline/log~1"]);
    anna.repo.git(&["-C", &remote, "update-ref", "refs/baseline/log", &log]);
    // Older than what was seen.
    berta.run(&["sync"]).refuses(5, "GB-LOG-ROLLBACK");
    // Somebody who saw neither goes on from there: another log of the same length.
    let before = anna.repo.git(&["rev-parse", "refs/baseline/log"]);
    anna.repo.git(&["update-ref", "refs/baseline/log", &log]);
    let innocent = [("XDG_STATE_HOME", anna.place_of("innocent"))];
    let fingerprint = anna.run(&["trust", "fingerprint"]).exits(0).text();
    let run = |arguments: &[&str]| anna.repo.baseline_with(&innocent, arguments);
    run(&["trust", "pin", &fingerprint]).exits(0);
    run(&["change", "open", "CR-2", "--title", "Two"]).exits(0);
    run(&["change", "open", "CR-3", "--title", "Three"]).exits(0);
    anna.repo.git(&["push", "--quiet", "--no-verify", "origin", "refs/baseline/log"]);
    let forked = berta.run(&["sync"]).refuses(1, "GB-LOG-FORK");
    assert!(forked.stderr.contains("proof written to"), "{}", forked.stderr);
    assert_eq!(berta.repo.git(&["rev-parse", "refs/baseline/log"]), before, "nothing was adopted");
}

impl Writer {
    fn place_of(&self, name: &str) -> String {
        self.repo.place.path(name).to_str().unwrap().to_owned()
    }
}
