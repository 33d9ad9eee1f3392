//! `kill -9` at the n-th call that writes, for every command that writes: what is left is the old state or the new one,
//! and the next run goes on from it.
//!
//! Needs strace, which kills the program, and whatever Git it started, at exactly that call. A few calls of each command are
//! tried; `GIT_BASELINE_KILLS=all` tries each of them.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use crate::support::{Repo, copy_folder};

const CALLS: &str =
    "write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,ftruncate,fsync,fdatasync";

fn is_missing() -> bool {
    let inject = ["-qq", "-e", "trace=rename", "-e", "inject=rename:signal=KILL:when=9", "true"];
    let works = Command::new("strace").args(inject).output().is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("skipped: there is no strace here, or it may not trace");
    }
    !works
}

/// Everything that a machine keeps, as it was.
struct Saved {
    repo: Repo,
}

const PARTS: [&str; 4] = ["repo", "state", "home", "remote.git"];

impl Saved {
    fn of(repo: &Repo) -> Self {
        for part in PARTS {
            if repo.place.path(part).exists() {
                copy_folder(&repo.place.path(part), &repo.place.path(&format!("saved/{part}")));
            }
        }
        Self { repo: repo.clone() }
    }

    fn restore(&self) {
        for part in PARTS {
            let _ = fs::remove_dir_all(self.repo.place.path(part));
            if self.repo.place.path(&format!("saved/{part}")).exists() {
                copy_folder(&self.repo.place.path(&format!("saved/{part}")), &self.repo.place.path(part));
            }
        }
        let _ = fs::remove_dir_all(self.repo.place.path("out"));
    }
}

/// Says whether the program was killed before it was done.
fn killed_at(repo: &Repo, arguments: &[&str], call: usize) -> bool {
    let inject = format!("inject={CALLS}:signal=KILL:when={call}");
    let trace = format!("trace={CALLS}");
    let options = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, env!("CARGO_BIN_EXE_git-baseline")];
    let mut command = repo.command("strace", &[&options, arguments].concat());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    status.signal().is_some() || status.code().is_some_and(|code| code != 0)
}

/// What a killed process of Git's, or of ours, leaves locked is named by the hint of the next one.
fn unlock(repo: &Repo) {
    let mut folders = vec![repo.dir.join(".git"), repo.place.path("remote.git")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "lock") {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

/// Kills a command at its calls, one after the other; `whole` judges what is left, before and after the next run.
fn killed_at_each(repo: &Repo, arguments: &[&str], again: &[i32], whole: impl Fn(&Repo)) {
    let saved = Saved::of(repo);
    let every = std::env::var("GIT_BASELINE_KILLS").is_ok_and(|value| value == "all");
    let mut call = 1;
    let mut tried = 0;
    loop {
        saved.restore();
        let killed = killed_at(repo, arguments, call);
        unlock(repo);
        whole(repo);
        let ran = repo.baseline(arguments);
        assert!(ran.code.is_some_and(|code| again.contains(&code)), "{arguments:?} after call {call}: {}", ran.stderr);
        whole(repo);
        tried += 1;
        if !killed {
            break;
        }
        // The calls at which something is left half done are spread over all of them.
        call += if every { 1 } else { 1 + call };
        assert!(call < 5_000, "{arguments:?} never ends");
    }
    assert!(tried > 1, "{arguments:?} was never killed");
    saved.restore();
}

/// The log holds, and what is derived from it can be put right.
fn holds(repo: &Repo) {
    repo.try_git(&["fsck", "--strict"]).exits(0).hides("error");
    let ran = repo.baseline(&["verify", "--all"]);
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.stderr);
    if ran.code == Some(3) {
        repo.baseline(&["repair"]).exits(0);
        repo.baseline(&["verify", "--all"]).exits(0);
    }
}

fn key(repo: &Repo, name: &str) -> String {
    let path = repo.place.path(&format!("home/{name}")).to_str().unwrap().to_owned();
    repo.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path]).exits(0);
    path
}

#[test]
fn the_log_is_the_old_one_or_the_new_one() {
    if is_missing() {
        return;
    }
    let repo = Repo::walked();
    let other = format!("{}.pub", key(&repo, "other"));
    let fingerprint = repo.run("ssh-keygen", &["-lf", &format!("{}.pub", repo.key())]).text();
    let fingerprint = fingerprint.split(' ').nth(1).unwrap().to_owned();
    let roles = ["--person", "alice", "--threshold", "1"];
    let change = ["change", "open", "CR-9", "--title", "A change"];
    killed_at_each(&repo, &change, &[0, 2], holds);
    killed_at_each(&repo, &["trust", "add-key", "alice", "--key", &other], &[0, 1, 2], holds);
    killed_at_each(&repo, &[&["trust", "set-role", "security"][..], &roles].concat(), &[0, 2], holds);
    killed_at_each(&repo, &["sign", "1.1.0", "--meaning", "reviewed"], &[0, 2], holds);
    repo.baseline(&["trust", "add-key", "alice", "--key", &other]).exits(0);
    let revoke = ["trust", "revoke-key", &fingerprint, "--as", "retired", "--sign-with"];
    let second = repo.place.path("home/other").to_str().unwrap().to_owned();
    killed_at_each(&repo, &[&revoke[..], &[&second]].concat(), &[0, 2], holds);
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    repo.git(&["-c", "core.hooksPath=/dev/null", "commit", "-qam", "Port"]);
    killed_at_each(&repo, &["record"], &[0], holds);
    repo.baseline(&["record"]).exits(0);
    killed_at_each(&repo, &["release", "1.2.0"], &[0, 2], holds);
}

#[test]
fn what_is_exchanged_and_rebuilt_is_whole() {
    if is_missing() {
        return;
    }
    let repo = Repo::walked();
    let remote = repo.place.path("remote.git");
    repo.git(&["init", "--quiet", "--bare", "--template=", remote.to_str().unwrap()]);
    repo.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    killed_at_each(&repo, &["sync"], &[0], holds);
    repo.baseline(&["sync"]).exits(0);
    repo.git(&["update-ref", "-d", "refs/notes/baseline"]);
    repo.git(&["update-ref", "-d", "refs/baseline/releases/1.1.0"]);
    killed_at_each(&repo, &["sync", "--fetch"], &[0], holds);
    killed_at_each(&repo, &["repair"], &[0], holds);
}

#[test]
fn a_file_that_is_written_is_the_old_one_or_the_new_one() {
    if is_missing() {
        return;
    }
    let repo = Repo::walked();
    let kept = repo.place.path("home/kept.txt");
    let shown = kept.to_str().unwrap();
    repo.baseline(&["log-check", "-o", shown]).exits(0);
    let old = fs::read(&kept).unwrap();
    repo.baseline(&["change", "open", "CR-9", "--title", "A change"]).exits(0);
    killed_at_each(&repo, &["log-check", "-o", shown], &[0], |repo| {
        let now = fs::read(&kept).unwrap();
        assert!(now == old || now.len() >= old.len(), "a checkpoint that was kept is lost");
        // Whatever stands there can be held against the log.
        repo.baseline(&["log-check", "--since", shown]).exits(0);
    });
    let out = repo.place.path("out");
    let target = out.to_str().unwrap();
    killed_at_each(&repo, &["reproduce", "1.1.0", "-o", target], &[0, 2], |repo| {
        // All of it or nothing.
        if out.exists() {
            repo.baseline(&["verify", "1.1.0", "--dir", target]).exits(0);
        }
    });
    killed_at_each(&repo, &["hooks", "install"], &[0], |repo| {
        repo.write("a", "b");
        repo.try_git(&["stash", "--quiet"]);
        repo.baseline(&["hooks", "status"]);
    });
}

#[test]
fn a_baseline_is_begun_or_not() {
    if is_missing() {
        return;
    }
    let repo = Repo::sample(&[]);
    let key = key(&repo, "founder");
    killed_at_each(&repo, &["init", "--product", "Pump", "--key", &key], &[0, 2], |repo| {
        if repo.try_git(&["rev-parse", "--verify", "--quiet", "refs/baseline/log"]).code == Some(0) {
            repo.baseline(&["trust", "show"]);
            repo.try_git(&["fsck", "--strict"]).exits(0).hides("error");
        }
    });
}
