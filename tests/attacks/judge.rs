//! How an attack must end: refused under its code, with the object named, and nothing else done.
//!
//! Every refusal is asked for three times: by an auditor who comes for the first time, by the same a second time, and by
//! another as JSON. `PATH` is empty, so that no program could be started, and every file of the machine is compared.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::support::{Ran, Repo, copy_folder, run, snapshot};
use crate::team::Team;

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) exit: i32,
    pub(crate) code: String,
    pub(crate) millis: u128,
}

thread_local! {
    static ROWS: RefCell<Vec<Row>> = const { RefCell::new(Vec::new()) };
}

/// Takes the lines that were noted on this thread.
pub(crate) fn take_rows() -> Vec<Row> {
    ROWS.with(|rows| std::mem::take(&mut *rows.borrow_mut()))
}

fn note(exit: i32, code: &str, millis: u128) {
    ROWS.with(|rows| rows.borrow_mut().push(Row { exit, code: code.to_owned(), millis }));
}

/// Everything on the machine but the folders of auditors.
fn machine(team: &Team) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = team.place.path("");
    let mut files = snapshot(&root);
    files.retain(|path, _| !path.strip_prefix(&root).unwrap().to_string_lossy().starts_with("state"));
    files
}

/// Runs the program without any other program in reach.
pub(crate) fn alone(repo: &Repo, state: &Path, arguments: &[&str]) -> Ran {
    let mut command = repo.command("git-baseline", arguments);
    command.env("PATH", "/nonexistent").env("XDG_STATE_HOME", state);
    run(command, b"")
}

impl Team {
    /// The repository in its shapes: as it is, bare, and as a linked worktree.
    pub(crate) fn shapes(&self) -> Vec<Self> {
        let bare = self.repo.at("bare.git");
        // A copy, and no clone: what is damaged stays so.
        let _ = fs::remove_dir_all(&bare.dir);
        copy_folder(&self.dir.join(".git"), &bare.dir);
        let config = fs::read_to_string(bare.dir.join("config")).unwrap();
        fs::write(bare.dir.join("config"), config.replace("bare = false", "bare = true")).unwrap();
        let linked = self.repo.at("linked");
        if !linked.dir.exists() {
            self.git(&["worktree", "add", "--quiet", "--detach", "--no-checkout", linked.dir.to_str().unwrap()]);
        }
        let of = |repo| Self { repo, fingerprint: self.fingerprint.clone() };
        vec![self.clone(), of(bare), of(linked)]
    }

    /// `arguments` must be refused, in every shape.
    #[track_caller]
    pub(crate) fn refused_everywhere(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        for team in self.shapes() {
            team.refused(arguments, exit, code, object);
        }
    }

    /// `git baseline ARGUMENTS --trust FINGERPRINT` must end so, under this code, and name the object.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        let trusting = [arguments, &["--trust", &self.fingerprint]].concat();
        self.refused_as_is(&trusting, exit, code, object);
    }

    /// `git baseline ARGUMENTS` must end so, under this code, and name the object.
    #[track_caller]
    pub(crate) fn refused_as_is(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        let state = self.fresh_state();
        let before = machine(self);
        let begun = Instant::now();
        let first = alone(&self.repo, &state, arguments);
        let millis = begun.elapsed().as_millis();
        let check = |ran: Ran| {
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            ran.refuses(exit, code).says(object)
        };
        check(first);
        check(alone(&self.repo, &state, arguments));
        let other = self.fresh_state();
        let json = alone(&self.repo, &other, &[arguments, &["--format", "json"]].concat()).exits(exit);
        let said = json.text() + &json.stderr;
        assert!(said.contains(code) && !said.contains("\"verdict\":\"verified\""), "{said}");
        assert!(before == machine(self), "something was written outside of the state folder");
        note(exit, code, millis);
    }

    /// A machine that has seen the true log before must say so.
    #[track_caller]
    pub(crate) fn refused_with_memory(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        let before = machine(self);
        let begun = Instant::now();
        for at in 0..2 {
            alone(&self.repo, &self.place.path("state"), arguments).refuses(exit, code).says(object);
            if at == 0 {
                note(exit, code, begun.elapsed().as_millis());
            }
        }
        assert!(before == machine(self), "something was written outside of the state folder");
    }

    /// The benign twin: the releases must verify, for somebody who comes for the first time, and again.
    #[track_caller]
    pub(crate) fn verified(&self, releases: &[&str]) {
        let state = self.fresh_state();
        let trust = ["--trust", self.fingerprint.as_str()];
        let before = machine(self);
        for _ in 0..2 {
            let mut ran = alone(&self.repo, &state, &[&["verify"], releases, &trust[..]].concat()).exits(0);
            for release in releases {
                ran = ran.shows(&format!("{release} verified"));
            }
        }
        assert!(before == machine(self), "something was written outside of the state folder");
    }

    /// The benign twin, in every shape.
    #[track_caller]
    pub(crate) fn verified_everywhere(&self, releases: &[&str]) {
        for team in self.shapes() {
            team.verified(releases);
        }
    }
}

/// A command of the program that writes must be refused, under this code.
#[track_caller]
pub(crate) fn stopped(ran: Ran, exit: i32, code: &str, object: &str) {
    note(exit, code, 0);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran.refuses(exit, code).says(object);
}

/// What was tried must have had no effect.
pub(crate) fn no_effect(code: &str) {
    note(0, code, 0);
}
