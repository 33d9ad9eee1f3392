//! A24: too much of something, and names that forge a line.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use git_baseline::domain::{Digest, Timestamp};

use crate::judge::{alone, no_effect};
use crate::support::append_to_log;
use crate::team::{LOG, Team};

/// Long beyond what any of this takes, and far below what an attacker wants.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) fn ten_thousand_sign_offs() {
    let team = Team::new();
    let statement = team.blob(&format!("{LOG}:releases/1.1.0/release.cbor"));
    let mut files = BTreeMap::new();
    let one = team.sign_off("releases/1.1.0/", "anna", "anna", |sign_off| {
        sign_off.target.name = "1.1.0".into();
        sign_off.target.digest = Digest::of(&statement);
    });
    let armour = one.values().last().unwrap().clone();
    for number in 0..10_000_i64 {
        // The same signature under each: the attacker does not even sign.
        let bytes = format!("rubbish {number}").into_bytes();
        let path = format!("releases/1.1.0/signoffs/{}.cbor", Digest::of(&bytes));
        files.insert(format!("{path}.sig"), armour.clone());
        files.insert(path, bytes);
    }
    write_in_bulk(&team, &files);
    team.by("anna", &["checkpoint"]).exits(0);
    let begun = Instant::now();
    let arguments = ["verify", "1.1.0", "--trust", &team.fingerprint];
    alone(&team, &team.fresh_state(), &arguments).exits(0);
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    no_effect("(void)");
}

/// Appends many files in one commit, without a process for each.
fn write_in_bulk(team: &Team, files: &BTreeMap<String, Vec<u8>>) {
    let folder = team.place.path("flood");
    std::fs::create_dir(&folder).unwrap();
    let mut paths = Vec::new();
    for (number, bytes) in files.values().enumerate() {
        let path = folder.join(number.to_string());
        std::fs::write(&path, bytes).unwrap();
        paths.push(format!("{}\n", path.display()));
    }
    // No more at once than a pipe holds of the answer.
    let write = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
    let written: Vec<String> =
        paths.chunks(1000).map(|some| team.git_with(&write, some.concat().as_bytes()) + "\n").collect();
    let written = written.concat();
    let blobs = files.keys().cloned().zip(written.lines().map(ToOwned::to_owned));
    append_to_log(team, |log| log.extend(blobs));
}

pub(crate) fn many_checkpoints() {
    let team = Team::new();
    let mut head = team.log_head();
    for number in 0..100_u64 {
        head.size = 1 + number % 30;
        let rubbish = team.checkpoint_by("mallory", &team.origin(), head);
        team.put_checkpoint(&[rubbish.as_slice(), b""].concat());
    }
    let begun = Instant::now();
    team.verified(&["1.1.0"]);
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    no_effect("(void)");
}

pub(crate) fn too_large_and_too_deep() {
    let team = Team::new();
    let commit = team.head();
    let note = team.note("main");
    team.set_note("main", &vec![b'x'; 17 << 20]);
    team.refused(&["verify", "1.1.0"], 1, "GB-NOTE-DAMAGED", &commit[..12]);
    // The true record, and 16 MiB of the same once more.
    let many = note.repeat((16 << 20) / note.len());
    team.set_note("main", &many);
    let begun = Instant::now();
    let ran = alone(&team, &team.fresh_state(), &["verify", "1.1.0", "--trust", &team.fingerprint]);
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    assert!(!ran.stderr.contains("panicked") && ran.code.is_some_and(|code| code != 70), "{}", ran.stderr);
    team.set_note("main", &note);
    let mut tree = team.git(&["rev-parse", "main:etc"]);
    for _ in 0..3000 {
        tree = team.git_with(&["mktree"], format!("040000 tree {tree}\td\n").as_bytes());
    }
    let deep = team.git(&["commit-tree", "-m", "Deep", "-p", "main", &tree]);
    let ran = alone(&team, &team.place.path("state"), &["verify", "--commit", &deep]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    for arguments in [&["items", deep.as_str()][..], &["check", &deep], &["diff", "1.1.0", &deep]] {
        let ran = alone(&team, &team.place.path("state"), arguments);
        assert!(ran.code.is_some_and(|code| code != 70) && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    let blob = vec![0_u8; 20 << 20];
    team.log(&BTreeMap::from([("releases/9.9.9/release.cbor".to_owned(), blob)]));
    team.verified(&["1.1.0"]);
    team.refused(&["verify", "9.9.9"], 1, "GB-SIG-THRESHOLD", "9.9.9");
}

pub(crate) fn names_that_forge_a_line() {
    let team = Team::new();
    let lie = "x\u{1b}[2K\r1.2.0 verified\n1.2.0 verified\u{202e}";
    let rogue = team.sign_off("releases/9.9.9/", "anna", "anna", |sign_off| {
        sign_off.time = Timestamp::from_seconds(0);
        sign_off.reason = lie.into();
        sign_off.printed_name = lie.into();
        sign_off.target.name = lie.into();
        sign_off.target.record_type = lie.into();
    });
    let mut files = rogue;
    files.insert("releases/9.9.9/release.cbor".into(), lie.as_bytes().to_vec());
    team.log(&files);
    team.refused(&["verify", "9.9.9"], 1, "GB-SIG-THRESHOLD", "9.9.9");
    for arguments in
        [&["verify", "9.9.9"][..], &["signatures", "9.9.9"], &["show", "9.9.9"], &["verify", lie], &["show", lie]]
    {
        let ran = alone(&team, &team.place.path("state"), arguments);
        let said = ran.text() + &ran.stderr;
        assert!(
            !said.contains('\u{1b}') && !said.contains('\u{202e}') && !said.contains('\r'),
            "{arguments:?}: {said:?}"
        );
        assert!(!said.lines().any(|line| line == "1.2.0 verified"), "{arguments:?}: {said}");
        assert_ne!(ran.code, Some(0), "{arguments:?}");
    }
    team.verified(&["1.1.0"]);
}
