//! A repository in a room of its own, with two releases made by the program.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A repository, and a home that nobody else uses.
pub(crate) struct Room {
    /// Holds everything.
    pub home: tempfile::TempDir,
    /// The repository.
    pub repository: PathBuf,
    /// The fingerprint of its trust root.
    pub fingerprint: String,
}

impl Room {
    /// Returns a command that runs in the repository, and sees nothing of the machine but PATH.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.repository).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).env("XDG_STATE_HOME", self.home.path().join("state"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("SOURCE_DATE_EPOCH", "1790000000");
        for (name, value) in [("NAME", "Anna"), ("EMAIL", "anna@example.org"), ("DATE", "1790000000 +0000")] {
            command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        command
    }

    /// Runs Git with an input, and perhaps another index.
    pub(crate) fn git_with(&self, arguments: &[&str], input: &[u8], index: Option<&Path>) -> Vec<u8> {
        let mut command = self.command("git");
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Runs Git, and returns what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.git_with(arguments, b"", None)).unwrap().trim().to_owned()
    }

    /// Runs the program.
    pub(crate) fn baseline(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_git-baseline")).args(arguments).output().unwrap()
    }

    /// Runs the program, which must end in 0, and returns its answer.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.baseline(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Writes files, and commits them.
    pub(crate) fn commit(&self, files: &[(&str, &str)], message: &str) {
        for (path, text) in files {
            let path = self.repository.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", message]);
    }

    /// A product with two releases.
    pub(crate) fn build(format: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let repository = home.path().join("product");
        std::fs::create_dir(&repository).unwrap();
        let room = Self { home, repository, fingerprint: String::new() };
        room.git(&["init", "-q", "-b", "main", "--object-format", format]);
        room.commit(
            &[
                ("etc/sshd_config", "PermitRootLogin no\n"),
                ("a/b", "1"),
                ("a.c", "2"),
                ("requirements.txt", "requests==2.31.0\n"),
            ],
            "Begin",
        );
        let key = room.home.path().join("key");
        let key = key.to_str().unwrap();
        room.done(&[
            "init",
            "--product",
            "Pump",
            "--name",
            "Anna",
            "--email",
            "anna@example.org",
            "--generate-key",
            key,
            "--no-hooks",
        ]);
        room.commit(&[], "Begin configuration management");
        room.done(&["record"]);
        room.done(&["release", "1.0.0"]);
        room.git(&["checkout", "-qb", "side"]);
        room.commit(
            &[("etc/sshd_config", "PermitRootLogin no\nX11Forwarding no\n")],
            "Forbid X11\n\nChange-Request: CR-1",
        );
        room.git(&["checkout", "-q", "main"]);
        room.commit(&[("requirements.txt", "requests==2.32.0\n")], "Update requests");
        room.git(&["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
        room.done(&["record"]);
        room.done(&["release", "1.1.0"]);
        let fingerprint = room.done(&["trust", "fingerprint"]).trim().to_owned();
        Self { fingerprint, ..room }
    }
}
