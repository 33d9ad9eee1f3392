//! `kill -9` at any write of any command that adds to the log: the old state or the new one, and the next run heals.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Repo, copy_folder};

/// Removes the locks that a killed process left, as the hint says.
fn unlock(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            unlock(&path);
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            fs::remove_file(path).unwrap();
        }
    }
}

/// A copy of a repository on its machine.
fn copy(repo: &Repo, name: &str) -> Repo {
    let copy = repo.at(name);
    copy_folder(&repo.dir, &copy.dir);
    copy
}

/// Kills a command at moments all over its time. Whatever it left is proven or can be put right, and the command, run
/// again, is done or says that it was.
fn killed_anywhere(repo: &Repo, arguments: &[&str]) {
    // Each copy is a log of its own, and what was seen of another is no memory of this one.
    let forget = || drop(fs::remove_dir_all(repo.place.path("state/git-baseline/heads")));
    forget();
    let timed = format!("timed-{}", arguments.join("-").replace('/', "-"));
    let begun = Instant::now();
    copy(repo, &timed).baseline(arguments).exits(0);
    let whole = begun.elapsed();
    for (number, percent) in [30, 55, 70, 80, 88, 95, 100].into_iter().enumerate() {
        forget();
        let repo = copy(repo, &format!("{timed}-{number}"));
        let moment: Duration = whole * percent / 100;
        let mut child =
            repo.command("git-baseline", arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(moment);
        let _ = child.kill();
        child.wait().unwrap();
        unlock(&repo.dir.join(".git"));
        let after = repo.baseline(&["verify", "--all"]);
        assert!(matches!(after.code, Some(0 | 3)), "{arguments:?} killed after {moment:?}: {}", after.stderr);
        if after.code == Some(3) {
            repo.baseline(&["repair"]).exits(0);
        }
        repo.baseline(&["verify", "--all"]).exits(0);
        repo.try_git(&["fsck", "--strict"]).exits(0).hides("error");
        let again = repo.baseline(arguments);
        assert!(matches!(again.code, Some(0 | 2)), "{arguments:?}: {}", again.stderr);
        repo.baseline(&["verify", "--all"]).exits(0);
    }
}

#[test]
fn whatever_adds_to_the_log_is_done_or_not() {
    let repo = Repo::walked();
    repo.baseline(&["change", "open", "CR-1", "--title", "A change"]).exits(0);
    let fresh = repo.place.path("home/fresh").to_str().unwrap().to_owned();
    repo.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &fresh]).exits(0);
    let public = format!("{fresh}.pub");
    killed_anywhere(&repo, &["change", "open", "CR-2", "--title", "Another"]);
    killed_anywhere(&repo, &["trust", "add-key", "alice", "--key", &public]);
    killed_anywhere(&repo, &["sign", "1.1.0", "--meaning", "reviewed"]);
}

#[test]
fn a_sync_that_was_killed_is_done_or_not() {
    let repo = Repo::walked();
    let remote = repo.place.path("remote.git");
    repo.git(&["init", "--quiet", "--bare", "--template=", remote.to_str().unwrap()]);
    repo.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    repo.baseline(&["sync"]).exits(0);
    repo.baseline(&["change", "open", "CR-1", "--title", "A change"]).exits(0);
    killed_anywhere(&repo, &["sync"]);
}
