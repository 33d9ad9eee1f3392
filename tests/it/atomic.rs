//! A release or record appears whole or not at all: under `kill -9` at any moment, and when two work at once.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Repo, copy_folder};

/// Starts the program, and kills it after a while.
fn killed(repo: &Repo, arguments: &[&str], after: Duration) {
    let mut command = repo.command("git-baseline", arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sleep(after);
    let _ = child.kill();
    child.wait().unwrap();
}

/// Removes the locks that a killed process left, as the hint says. Returns how many there were.
fn unlock(folder: &Path) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += unlock(&path);
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            fs::remove_file(path).unwrap();
            count += 1;
        }
    }
    count
}

/// What the log shows is proven, or can be put right; it is never refused.
fn whole(repo: &Repo, moment: Duration) {
    // Not by way of a snapshot: Git, started by the killed process, may still be at work.
    let ran = repo.baseline(&["verify", "--all"]);
    assert!(
        matches!(ran.code, Some(0 | 3)),
        "killed after {moment:?}: exit {:?}\n{}\n{}",
        ran.code,
        ran.text(),
        ran.stderr
    );
    if ran.code == Some(3) {
        assert!(ran.stderr.contains("git baseline repair"), "{}", ran.stderr);
        unlock(&repo.dir.join(".git"));
        repo.baseline(&["repair"]).exits(0);
    }
    repo.baseline(&["verify", "--all"]).exits(0);
    repo.try_git(&["fsck", "--strict"]).exits(0).hides("error");
}

/// Moments all over the time that the command takes here, measured once.
fn moments(repo: &Repo, arguments: &[&str]) -> Vec<Duration> {
    let begun = Instant::now();
    repo.baseline(arguments).exits(0);
    let whole = begun.elapsed();
    [20, 40, 55, 65, 75, 80, 85, 90, 95, 100].map(|percent| whole * percent / 100).to_vec()
}

/// A copy of a repository on its machine.
fn copy(repo: &Repo, name: &str) -> Repo {
    let copy = repo.at(name);
    copy_folder(&repo.dir, &copy.dir);
    // Each copy is a log of its own, and what was seen of another is no memory of this one.
    repo.forget();
    copy
}

#[test]
fn a_release_that_was_killed_is_there_or_is_not() {
    let repo = Repo::walked();
    repo.commit("Another");
    let arguments = ["release", "1.2.0"];
    for (number, moment) in moments(&copy(&repo, "timed"), &arguments).into_iter().enumerate() {
        let repo = copy(&repo, &format!("copy-{number}"));
        killed(&repo, &arguments, moment);
        whole(&repo, moment);
        unlock(&repo.dir.join(".git"));
        // The same command either says that it is there, or makes it now.
        let again = repo.baseline(&arguments);
        assert!(matches!(again.code, Some(0 | 2)), "{}", again.stderr);
        repo.verify(&["1.0.0", "1.1.0", "1.2.0"]).exits(0);
    }
}

#[test]
fn records_that_were_being_written_when_killed_are_there_or_are_not() {
    let repo = Repo::walked();
    for number in 0..5 {
        repo.write("etc/sshd_config", format!("PermitRootLogin no\nPort {number}\n"));
        repo.git(&["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--all", "-m", "Move the port"]);
    }
    let arguments = ["record"];
    for (number, moment) in moments(&copy(&repo, "timed"), &arguments).into_iter().enumerate() {
        let repo = copy(&repo, &format!("copy-{number}"));
        killed(&repo, &arguments, moment);
        whole(&repo, moment);
        unlock(&repo.dir.join(".git"));
        repo.baseline(&arguments).exits(0);
        repo.verify(&["--range", "HEAD~5..HEAD"]).exits(0);
    }
}

#[test]
fn a_lock_that_a_killed_process_left_is_told() {
    for name in ["refs/baseline/log", "refs/baseline/releases/1.2.0"] {
        let repo = Repo::walked();
        repo.commit("Another");
        let before = repo.git(&["rev-parse", "refs/baseline/log"]);
        repo.write(&format!(".git/{name}.lock"), "");
        repo.baseline(&["release", "1.2.0"]).refuses(6, "GB-REF-LOCKED");
        assert_eq!(before, repo.git(&["rev-parse", "refs/baseline/log"]), "one ref that cannot move holds all");
        assert_eq!(unlock(&repo.dir.join(".git")), 1, "its own locks are gone, the other's stays");
        repo.baseline(&["release", "1.2.0"]).exits(0);
        repo.verify(&["--all"]).exits(0);
    }
}

#[test]
fn of_two_who_release_under_one_name_exactly_one_wins() {
    for _ in 0..4 {
        let repo = Repo::walked();
        repo.commit("Another");
        let mut codes = at_once(&repo, [&["release", "1.2.0"], &["release", "1.2.0"]]);
        codes.sort_unstable();
        assert!(codes == [0, 2] || codes == [0, 6], "{codes:?}");
        repo.verify(&["--all"]).exits(0);
        let shown = repo.baseline(&["show", "--format", "json"]).exits(0).json();
        assert_eq!(shown["releases"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn two_who_release_or_record_at_once_lose_nothing() {
    let repo = Repo::walked();
    repo.git(&["-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--allow-empty", "-m", "Another"]);
    for code in at_once(&repo, [&["record"], &["record"]]) {
        assert!(matches!(code, 0 | 6), "{code}");
    }
    repo.verify(&["--commit", "HEAD"]).exits(0);
    let codes = at_once(&repo, [&["release", "1.2.0"], &["release", "1.3.0"]]);
    assert!(codes.contains(&0) && codes.iter().all(|code| matches!(code, 0 | 6)), "{codes:?}");
    for name in ["1.2.0", "1.3.0"] {
        let again = repo.baseline(&["release", name]);
        assert!(matches!(again.code, Some(0 | 2)), "{}", again.stderr);
    }
    repo.verify(&["--all"]).exits(0);
}

fn at_once(repo: &Repo, commands: [&[&str]; 2]) -> [i32; 2] {
    let start = |arguments: &&[&str]| {
        repo.command("git-baseline", arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = commands.iter().map(start).collect();
    let mut codes = children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap_or(-1));
    [codes.next().unwrap(), codes.next().unwrap()]
}
