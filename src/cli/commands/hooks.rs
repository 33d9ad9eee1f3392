//! `hooks`: the developer's hooks, beside those of other managers.
//!
//! A hook that is a shell script of somebody else gets a marked block after its first line; one that is no script, or
//! that its owner switched off, is kept under another name and run after ours where it can be run. `uninstall` gives back what was there, byte for byte.

#![expect(clippy::disallowed_methods, reason = "the rim: hook files are written here")]

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::git;
use crate::jobs::{Exit, Failure};
use crate::store::Access;

/// Install, remove or inspect the Git hooks
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HooksCommand {
    /// Install pre-commit, commit-msg, post-commit, post-rewrite, post-merge and pre-push beside what is there
    Install,
    /// Remove them, and give back what was there
    Uninstall,
    /// Say which are installed
    Status,
}

/// The hooks as they stand in the project's `hooks/` folder.
const HOOKS: [(&str, &str); 6] = [
    ("pre-commit", include_str!("../../../hooks/pre-commit")),
    ("commit-msg", include_str!("../../../hooks/commit-msg")),
    ("post-commit", include_str!("../../../hooks/post-commit")),
    ("post-rewrite", include_str!("../../../hooks/post-rewrite")),
    ("post-merge", include_str!("../../../hooks/post-merge")),
    ("pre-push", include_str!("../../../hooks/pre-push")),
];

/// The code of a hooks folder that is not ours to write in.
const MANAGED: &str = "GB-HOOKS-MANAGED";

const BEGIN: &str = "# >>> git-baseline >>>\n";
const END: &str = "# <<< git-baseline <<<\n";

pub(super) fn run(command: &HooksCommand, context: &Context) -> Result<Answer, Failure> {
    let folder = folder(context)?;
    let mut rows = Vec::new();
    for (name, script) in HOOKS {
        let path = folder.join(name);
        let state = match command {
            HooksCommand::Install => install(&path, name, script),
            HooksCommand::Uninstall => uninstall(&path, script),
            HooksCommand::Status => state(&path, script),
        };
        rows.push((name, state.map_err(|error| unwritable(&path, &error))?));
    }
    let value = json!({
        "schema": "git-baseline/hooks/1",
        "folder": folder.display().to_string(),
        "hooks": rows.iter().map(|(name, state)| json!({ "name": name, "state": state })).collect::<Vec<_>>(),
    });
    let mut text = String::new();
    for (name, state) in rows {
        let _ = writeln!(text, "{name:<13} {state}");
    }
    Ok(Answer::done(value, text))
}

/// Returns each hook's state, for `status`, which another hook manager must not stop.
pub(super) fn states(context: &Context) -> Result<Vec<(&'static str, &'static str)>, Failure> {
    let folder = match folder(context) {
        Err(failure) if failure.code == MANAGED => {
            return Ok(HOOKS.map(|(name, _)| (name, "another manager's")).to_vec());
        }
        folder => folder?,
    };
    HOOKS
        .iter()
        .map(|(name, script)| {
            let path = folder.join(name);
            state(&path, script).map(|state| (*name, state)).map_err(|error| unwritable(&path, &error))
        })
        .collect()
}

/// Installs all hooks, for `init`.
pub(super) fn install_all(context: &Context) -> Result<PathBuf, Failure> {
    let folder = folder(context)?;
    for (name, script) in HOOKS {
        let path = folder.join(name);
        install(&path, name, script).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(folder)
}

/// Asks Git, which knows about `core.hooksPath` and worktrees. A folder inside the working tree belongs to a manager
/// such as husky, whose files are tracked: what to add is said, and nothing is written there.
fn folder(context: &Context) -> Result<PathBuf, Failure> {
    let repository = context.repository(Access::Read)?;
    let start = repository.work_dir().unwrap_or(repository.common_dir()).to_owned();
    let path = PathBuf::from(git::text(&start, &["rev-parse", "--git-path", "hooks"])?);
    let path = if path.is_absolute() { path } else { start.join(path) };
    let managed = git::config(&start, "core.hooksPath").is_some()
        && repository
            .work_dir()
            .is_some_and(|tree| path.starts_with(tree) && !path.starts_with(repository.common_dir()));
    if managed {
        let shown = path.display().to_string().escape_debug().to_string();
        return Err(Failure::new(
            Exit::Usage,
            MANAGED,
            format!("core.hooksPath points to {shown}, which another hook manager keeps in the working tree"),
        )
        .because("add one line to each of its hooks pre-commit, commit-msg, post-commit, post-rewrite, post-merge and pre-push")
        .hint("git-baseline hook pre-commit \"$@\" </dev/null"));
    }
    Ok(path)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let what = format!("the hook \"{}\" cannot be read or written", path.display().to_string().escape_debug());
    Failure::new(Exit::Usage, "GB-HOOKS-IO", what).because(error)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn state(path: &Path, script: &str) -> io::Result<&'static str> {
    Ok(match read(path)? {
        Some(found) if found == script.as_bytes() || block_of(&found).is_some() || kept(path).exists() => "installed",
        Some(_) => "another hook stands there",
        None => "not installed",
    })
}

fn install(path: &Path, name: &str, script: &str) -> io::Result<&'static str> {
    match read(path)? {
        None => write(path, script.as_bytes())?,
        Some(_) if state(path, script)? == "installed" => {}
        Some(found) if is_shell(&found) && is_executable(path)? => write(path, &with_block(&found, name))?,
        Some(_) => {
            fs::rename(path, kept(path))?;
            write(path, chained(name).as_bytes())?;
        }
    }
    Ok("installed")
}

fn uninstall(path: &Path, script: &str) -> io::Result<&'static str> {
    let Some(found) = read(path)? else { return Ok("not installed") };
    if found == script.as_bytes() {
        fs::remove_file(path)?;
    } else if let Some((before, after)) = block_of(&found) {
        write(path, &[before, after].concat())?;
    } else if kept(path).exists() {
        fs::rename(kept(path), path)?;
    } else {
        return Ok("another hook stands there");
    }
    Ok("removed")
}

/// Where a hook that is no shell script waits.
fn kept(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".before-git-baseline");
    PathBuf::from(name)
}

fn chained(name: &str) -> String {
    format!(
        "#!/bin/sh\nif command -v git-baseline >/dev/null; then git-baseline hook {name} \"$@\" </dev/null || exit $?; fi\n\
         if [ -x \"$0.before-git-baseline\" ]; then exec \"$0.before-git-baseline\" \"$@\"; fi\n"
    )
}

fn is_shell(found: &[u8]) -> bool {
    let first = found.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(first);
    line.starts_with("#!")
        && line.split(['/', ' ']).any(|word| matches!(word.trim(), "sh" | "bash" | "dash" | "ksh" | "zsh"))
}

fn with_block(found: &[u8], name: &str) -> Vec<u8> {
    let at = found.iter().position(|byte| *byte == b'\n').map_or(found.len(), |at| at + 1);
    let (head, rest) = found.split_at(at);
    let line = format!(
        "if command -v git-baseline >/dev/null; then git-baseline hook {name} \"$@\" </dev/null || exit $?; fi\n"
    );
    [head, BEGIN.as_bytes(), line.as_bytes(), END.as_bytes(), rest].concat()
}

/// Returns what stands before and after our block.
fn block_of(found: &[u8]) -> Option<(&[u8], &[u8])> {
    let find = |needle: &str| memchr::memmem::find(found, needle.as_bytes());
    let (begin, end) = (find(BEGIN)?, find(END)?);
    Some((found.get(..begin)?, found.get(end + END.len()..)?))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension("new");
    fs::write(&temporary, bytes)?;
    match fs::metadata(path) {
        Ok(before) => fs::set_permissions(&temporary, before.permissions())?,
        Err(_) => make_executable(&temporary)?,
    }
    fs::rename(&temporary, path)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_peoples_hooks_come_back_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pre-commit");
        let script = HOOKS[0].1;
        for before in ["#!/bin/bash\nset -e\necho mine", "#!/usr/bin/env python3\nprint(1)\n", "no shebang"] {
            fs::write(&path, before).unwrap();
            assert_eq!(install(&path, "pre-commit", script).unwrap(), "installed");
            assert_eq!(install(&path, "pre-commit", script).unwrap(), "installed");
            assert_ne!(fs::read_to_string(&path).unwrap(), before);
            assert_eq!(uninstall(&path, script).unwrap(), "removed");
            assert_eq!(fs::read_to_string(&path).unwrap(), before);
        }
        fs::remove_file(&path).unwrap();
        install(&path, "pre-commit", script).unwrap();
        uninstall(&path, script).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
