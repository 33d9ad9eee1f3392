//! How an attack must end: refused under its code, with the object named, and nothing else done.
//!
//! Every refusal is asked for three times: by an auditor who comes for the first time, by the same a second time, and by
//! another as JSON. `PATH` is empty, so that no program could be started, and every file of the machine is compared.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use crate::support::{Ran, Repo, copy_folder, run};
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

/// Everything on the machine but the folders of auditors: when each file was changed last, as the kernel says, and how
/// large it is.
fn machine(team: &Team) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let root = team.place.path("");
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if folder == root && entry.file_name().to_string_lossy().starts_with("state") {
                continue;
            }
            let about = entry.path().symlink_metadata().unwrap();
            if about.is_dir() {
                folders.push(entry.path());
            }
            files.insert(entry.path(), (about.len(), about.ctime(), about.ctime_nsec()));
        }
    }
    files
}

/// Runs the program without any other program in reach. Whatever it could keep of the log, it keeps.
pub(crate) fn alone(repo: &Repo, state: &Path, arguments: &[&str]) -> Ran {
    let mut command = repo.command("git-baseline", arguments);
    command.env("PATH", "/nonexistent").env("XDG_STATE_HOME", state).env("GIT_BASELINE_CACHE", "always");
    run(command, b"")
}

/// As [`alone`], with nothing kept, and watched where there is strace: no program is started, no connection opened.
fn watched(repo: &Repo, state: &Path, arguments: &[&str]) -> Ran {
    static STRACE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let strace = STRACE.get_or_init(|| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&folders).map(|folder| folder.join("strace")).find(|path| path.exists())?;
        let works = Command::new(&found).args(["-qq", "-e", "trace=execve", "true"]).output().ok()?;
        works.status.success().then_some(found)
    });
    let trace = state.join("trace");
    let mut command = match strace {
        None => repo.command("git-baseline", arguments),
        Some(strace) => {
            let calls = "trace=execve,execveat,fork,vfork,socket,connect";
            let options = ["-f", "--seccomp-bpf", "-qq", "-e", calls, "-o", trace.to_str().unwrap()];
            let program = [env!("CARGO_BIN_EXE_git-baseline")];
            repo.command(strace.to_str().unwrap(), &[&options[..], &program, arguments].concat())
        }
    };
    command.env("PATH", "/nonexistent").env("XDG_STATE_HOME", state).env("GIT_BASELINE_CACHE", "off");
    let ran = run(command, b"");
    if strace.is_some() {
        let calls = fs::read_to_string(&trace).unwrap();
        let calls: Vec<&str> = calls.lines().filter(|line| !line.contains("+++")).collect();
        assert_eq!(calls.len(), 1, "only the program itself is started: {calls:#?}");
    }
    ran
}

/// What a run over the true log kept of it: the next verdict on this machine must not depend on it.
const KEPT_LOGS: &str = "state-kept-logs";

impl Team {
    /// The repository in its shapes: as it is, bare, and as a linked worktree. What is bare already is that only.
    fn shapes(&self) -> Vec<Self> {
        if !self.dir.join(".git").is_dir() {
            return vec![self.clone()];
        }
        let name = self.dir.file_name().unwrap().to_str().unwrap();
        let bare = self.repo.at(&format!("{name}-bare.git"));
        // A copy, and no clone: what is damaged stays so.
        let _ = fs::remove_dir_all(&bare.dir);
        copy_folder(&self.dir.join(".git"), &bare.dir);
        let config = fs::read_to_string(bare.dir.join("config")).unwrap();
        fs::write(bare.dir.join("config"), config.replace("bare = false", "bare = true")).unwrap();
        let linked = self.repo.at(&format!("{name}-linked"));
        if !linked.dir.exists() {
            // Git itself must not fall for what the attack put into the configuration.
            let unhooked = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
            let add = ["worktree", "add", "--quiet", "--detach", "--no-checkout", linked.dir.to_str().unwrap()];
            self.git(&[&unhooked[..], &add].concat());
        }
        let of = |repo| Self { repo, fingerprint: self.fingerprint.clone() };
        vec![self.clone(), of(bare), of(linked)]
    }

    /// `git baseline ARGUMENTS --trust FINGERPRINT` must end so in every shape, under this code, and name the object.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        let trusting = [arguments, &["--trust", &self.fingerprint]].concat();
        self.refused_as_is(&trusting, exit, code, object);
    }

    /// `git baseline ARGUMENTS` must end so in every shape, under this code, and name the object.
    #[track_caller]
    pub(crate) fn refused_as_is(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        for team in self.shapes() {
            team.refused_here(arguments, exit, code, object);
        }
    }

    #[track_caller]
    fn refused_here(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        let state = self.fresh_state();
        let kept = self.place.path(KEPT_LOGS);
        if kept.exists() {
            copy_folder(&kept, &state.join("git-baseline/logs"));
        }
        let before = machine(self);
        let begun = Instant::now();
        let first = alone(&self.repo, &state, arguments);
        let millis = begun.elapsed().as_millis();
        let check = |ran: Ran| {
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            ran.refuses(exit, code).says(object)
        };
        check(first);
        note(exit, code, millis);
        if !self.is_original() {
            assert!(before == machine(self), "something was written outside of the state folder");
            return;
        }
        check(alone(&self.repo, &state, arguments));
        let other = self.fresh_state();
        let json = watched(&self.repo, &other, &[arguments, &["--format", "json"]].concat()).exits(exit);
        let said = json.text() + &json.stderr;
        assert!(said.contains(code) && !said.contains("\"verdict\":\"verified\""), "{said}");
        assert!(before == machine(self), "something was written outside of the state folder");
    }

    /// Says whether this is the repository itself, and not its bare or linked shape: there, one look is enough.
    fn is_original(&self) -> bool {
        self.dir.join(".git").is_dir()
    }

    /// A machine that has seen the true log before must say so.
    #[track_caller]
    pub(crate) fn refused_with_memory(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
        for team in self.shapes() {
            team.refused_with_memory_here(arguments, exit, code, object);
        }
    }

    #[track_caller]
    fn refused_with_memory_here(&self, arguments: &[&str], exit: i32, code: &str, object: &str) {
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

    /// The benign twin: the releases must verify in every shape.
    #[track_caller]
    pub(crate) fn verified(&self, releases: &[&str]) {
        for team in self.shapes() {
            team.verified_here(releases);
        }
    }

    /// The releases must verify, for somebody who comes for the first time, and again.
    #[track_caller]
    fn verified_here(&self, releases: &[&str]) {
        let state = self.fresh_state();
        let trust = ["--trust", self.fingerprint.as_str()];
        let before = machine(self);
        for _ in 0..if self.is_original() { 2 } else { 1 } {
            let mut ran = alone(&self.repo, &state, &[&["verify"], releases, &trust[..]].concat()).exits(0);
            for release in releases {
                ran = ran.shows(&format!("{release} verified"));
            }
        }
        let logs = state.join("git-baseline/logs");
        assert!(logs.exists(), "nothing was kept of the log");
        copy_folder(&logs, &self.place.path(KEPT_LOGS));
        assert!(before == machine(self), "something was written outside of the state folder");
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
