//! A throw-away machine: a home, a state folder, and programs that see nothing else of the world.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::NOW;

/// A folder with a home and a state folder, gone with the test.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = match memory() {
            Some(folder) => tempfile::tempdir_in(folder).unwrap(),
            None => tempfile::tempdir().unwrap(),
        };
        fs::create_dir(root.path().join("home")).unwrap();
        let config = "[user]\n\tname = Alice Weber\n\temail = alice@example.org\n[gc]\n\tauto = 0\n";
        fs::write(root.path().join("home/.gitconfig"), config).unwrap();
        Self { root }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A command with an environment of its own: pinned names and dates, and the built program first on `PATH`.
    pub(crate) fn command(&self, program: &str, directory: &Path) -> Command {
        let ours = Path::new(env!("CARGO_BIN_EXE_git-baseline")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(ours.to_owned()).chain(std::env::split_paths(&path))).unwrap();
        let mut command =
            Command::new(if program == "git-baseline" { env!("CARGO_BIN_EXE_git-baseline") } else { program });
        command.current_dir(directory).env_clear().env("PATH", path).stdin(std::process::Stdio::null());
        command.env("HOME", self.path("home")).env("XDG_STATE_HOME", self.path("state"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_EDITOR", "true").env("LC_ALL", "C").env("TZ", "UTC");
        command.env("SOURCE_DATE_EPOCH", NOW).env("SSH_ASKPASS_REQUIRE", "force");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Alice Weber")
                .env(format!("GIT_{role}_EMAIL"), "alice@example.org");
            command.env(format!("GIT_{role}_DATE"), format!("{NOW} +0000"));
        }
        command
    }
}

/// A folder in memory, where there is one that programs may be started from: the disk is not what is tested.
fn memory() -> Option<&'static Path> {
    static USABLE: OnceLock<bool> = OnceLock::new();
    let folder = Path::new("/dev/shm");
    let starts_programs = || {
        let probe = tempfile::tempdir_in(folder).ok()?;
        let script = probe.path().join("probe");
        fs::write(&script, "#!/bin/sh\n").ok()?;
        make_executable(&script);
        Command::new(&script).status().ok().filter(std::process::ExitStatus::success)
    };
    USABLE.get_or_init(|| starts_programs().is_some()).then_some(folder)
}

/// Lets a file be run.
pub(crate) fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Lets its owner alone read a file.
pub(crate) fn make_private(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Copies a folder with everything in it, links as links.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&source, &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

/// Every file below a folder with its bytes: two snapshots are equal when nothing was written between them.
pub(crate) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap();
            if kind.is_dir() {
                files.insert(path.clone(), Vec::new());
                folders.push(path);
            } else if kind.is_file() {
                files.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    files
}
