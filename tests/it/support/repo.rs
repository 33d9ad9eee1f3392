//! A repository on a throw-away machine, and the ways in which tests begin one.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

use super::{CERTIFICATE, Place, RENEWED, Ran, copy_folder, snapshot};

/// A repository: the folder that Git is run in.
#[derive(Clone)]
pub(crate) struct Repo {
    pub(crate) place: Arc<Place>,
    pub(crate) dir: PathBuf,
}

impl Repo {
    /// An empty repository; `options` go to `git init`.
    pub(crate) fn empty(options: &[&str]) -> Self {
        let place = Arc::new(Place::new());
        let repo = Self { dir: place.path("repo"), place };
        fs::create_dir(&repo.dir).unwrap();
        repo.git(&[&["init", "--quiet", "--initial-branch=main", "--template="], options].concat());
        repo
    }

    /// A repository with a small device product in its first commit.
    pub(crate) fn sample(options: &[&str]) -> Self {
        let repo = Self::empty(options);
        repo.write("config/tls/gateway.pem", CERTIFICATE);
        repo.write("etc/sshd_config", "PermitRootLogin no\nPort 22\n");
        repo.write("requirements.txt", "requests==2.31.0\n");
        repo.write("src/main.c", "int main(void) { return 0; }\n");
        repo.commit("First");
        repo
    }

    /// The sample, with a baseline and hooks, its policy committed.
    pub(crate) fn begun(options: &[&str]) -> Self {
        let repo = Self::sample(options);
        repo.begin();
        repo
    }

    /// Begins the baseline of this repository, and commits the proposed policy.
    pub(crate) fn begin(&self) {
        let key = self.key();
        self.baseline(&["init", "--product", "Infusion Gateway", "--generate-key", &key]).exits(0);
        self.commit("Begin configuration management");
    }

    /// The sample after two releases, 1.0.0 and 1.1.0, between which a certificate was renewed. Built once; this is a copy.
    pub(crate) fn walked() -> Self {
        static BUILT: Mutex<Weak<Place>> = Mutex::new(Weak::new());
        let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let original = built.upgrade().unwrap_or_else(|| {
            let repo = Self::begun(&[]);
            repo.baseline(&["release", "1.0.0"]).exits(0);
            repo.renew();
            repo.baseline(&["release", "1.1.0"]).exits(0);
            *built = Arc::downgrade(&repo.place);
            repo.place
        });
        drop(built);
        let place = Place::new();
        for part in ["home", "state", "repo"] {
            copy_folder(&original.path(part), &place.path(part));
        }
        let repo = Self { dir: place.path("repo"), place: Arc::new(place) };
        repo.git(&["config", "baseline.key", &repo.key()]);
        repo
    }

    /// The same product on the same machine, begun by somebody else, whom nobody has pinned.
    pub(crate) fn walked_by_another(other: &Self) -> Self {
        let repo = other.at("another");
        let home = other.place.path("another-home");
        copy_folder(&other.place.path("home"), &home);
        other.git(&["clone", "--quiet", "--template=", ".", repo.dir.to_str().unwrap()]);
        let key = home.join("another-id");
        let arguments = [
            "init",
            "--offline",
            "--product",
            "Infusion Gateway",
            "--generate-key",
            key.to_str().unwrap(),
            "--start",
            "HEAD~1",
        ];
        let state = repo.place.path("another-state");
        repo.baseline_with(&[("XDG_STATE_HOME", &state)], &arguments).exits(0);
        repo.baseline_with(&[("XDG_STATE_HOME", &state)], &["record"]).exits(0);
        repo.baseline_with(&[("XDG_STATE_HOME", &state)], &["release", "1.0.0"]).exits(0);
        repo
    }

    /// Commits the certificate's successor under a change request.
    pub(crate) fn renew(&self) {
        self.write("config/tls/gateway.pem", RENEWED);
        self.commit("Renew the gateway's certificate\n\nChange-Request: CR-7");
    }

    /// Renews the certificate, and amends that commit. Returns the commit that is gone.
    pub(crate) fn renew_and_amend(&self) -> String {
        self.renew();
        let gone = self.head();
        self.git(&["commit", "--quiet", "--amend", "-m", "Renew, in other words\n\nChange-Request: CR-7"]);
        gone
    }

    /// The same machine, another folder.
    pub(crate) fn at(&self, name: &str) -> Self {
        Self { place: self.place.clone(), dir: self.place.path(name) }
    }

    /// A mirror on the same machine.
    pub(crate) fn mirror(&self, name: &str) -> Self {
        let mirror = self.at(name);
        self.git(&["clone", "--quiet", "--mirror", "--template=", ".", mirror.dir.to_str().unwrap()]);
        mirror
    }

    /// The founder's key.
    pub(crate) fn key(&self) -> String {
        self.place.path("home/id").to_str().unwrap().to_owned()
    }

    pub(crate) fn git_dir(&self) -> PathBuf {
        self.dir.join(self.git(&["rev-parse", "--git-common-dir"]))
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits everything in the folder, hooks and all, and returns the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs Git, which must succeed, and returns what it wrote.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.try_git(arguments).exits(0).text()
    }

    pub(crate) fn try_git(&self, arguments: &[&str]) -> Ran {
        self.run("git", arguments)
    }

    /// Runs Git with bytes on stdin; it must succeed.
    #[track_caller]
    pub(crate) fn git_with(&self, arguments: &[&str], input: &[u8]) -> String {
        run(self.command("git", arguments), input).exits(0).text()
    }

    /// The bytes of an object of Git's.
    #[track_caller]
    pub(crate) fn blob(&self, name: &str) -> Vec<u8> {
        self.try_git(&["cat-file", "blob", name]).exits(0).stdout
    }

    pub(crate) fn write_blob(&self, bytes: &[u8]) -> String {
        self.git_with(&["hash-object", "-w", "--stdin"], bytes)
    }

    /// The note on a commit, byte for byte.
    pub(crate) fn note(&self, commit: &str) -> Vec<u8> {
        let blob = self.git(&["notes", "--ref=baseline", "list", commit]);
        self.blob(&blob)
    }

    /// Puts a note on a commit, byte for byte.
    pub(crate) fn set_note(&self, commit: &str, bytes: &[u8]) {
        let blob = self.write_blob(bytes);
        self.git(&["notes", "--ref=baseline", "add", "--force", "-C", &blob, commit]);
    }

    /// Runs the program.
    pub(crate) fn baseline(&self, arguments: &[&str]) -> Ran {
        self.run("git-baseline", arguments)
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        run(self.command(program, arguments), b"")
    }

    /// Runs the program with further variables.
    pub(crate) fn baseline_with<V: AsRef<OsStr>>(&self, variables: &[(&str, V)], arguments: &[&str]) -> Ran {
        let mut command = self.command("git-baseline", arguments);
        for (name, value) in variables {
            command.env(name, value);
        }
        run(command, b"")
    }

    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.place.command(program, &self.dir);
        command.args(arguments);
        command
    }

    /// Forgets which log was seen here: what an auditor knows who comes for the first time.
    pub(crate) fn forget(&self) {
        let _ = fs::remove_dir_all(self.place.path("state/git-baseline/heads"));
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.baseline(&["trust", "fingerprint"]).exits(0).text()
    }

    /// Verifies, and shows that nothing was written in the repository.
    #[track_caller]
    pub(crate) fn verify(&self, arguments: &[&str]) -> Ran {
        let folder = self.git_dir();
        let before = snapshot(&folder);
        let ran = self.baseline(&[&["verify"], arguments].concat());
        assert!(before == snapshot(&folder), "verify wrote in the repository");
        ran
    }

    /// Both releases of [`Repo::walked`] must be refused or undecided, under this code.
    #[track_caller]
    pub(crate) fn refused(&self, release: &str, exit: i32, code: &str) {
        self.verify(&[release]).refuses(exit, code);
    }
}

/// Runs a command to its end, with bytes on stdin.
pub(crate) fn run(mut command: Command, input: &[u8]) -> Ran {
    let what = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who does not read what it is given closes the pipe.
    let _ = stdin.write_all(input);
    drop(stdin);
    Ran::new(what.split_once("PATH=").map_or(what.clone(), |_| shorten(&what)), child.wait_with_output().unwrap())
}

/// A command line without its environment.
fn shorten(what: &str) -> String {
    what.rsplit_once("XDG_STATE_HOME=")
        .map_or(what, |(_, rest)| rest.split_once(' ').map_or(rest, |(_, rest)| rest))
        .to_owned()
}
