//! The few things that Git itself does better: its configuration, and talking to remotes.
//!
//! Used by `init`, `hooks` and `tour` only; `verify` and `reproduce` start no process.

#![expect(clippy::disallowed_methods, reason = "the rim: Git is run here")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::jobs::{Exit, Failure};
use crate::store::Repository;

/// Runs Git in a folder and returns what it wrote.
pub(super) fn run(directory: &Path, arguments: &[&str]) -> Result<Output, Failure> {
    let output = Command::new("git").arg("-C").arg(directory).args(arguments).stdin(Stdio::null()).output();
    output.map_err(|error| Failure::new(Exit::Usage, "GB-GIT-MISSING", "git cannot be run").because(error))
}

/// Runs Git, which must succeed, and returns what it wrote without the last line feed.
pub(super) fn text(directory: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = run(directory, arguments)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().escape_debug().to_string();
    Err(Failure::new(Exit::Usage, "GB-GIT-FAILED", format!("git {} failed", arguments.join(" "))).because(said))
}

/// Sets a value of the repository's own configuration.
pub(super) fn set_config(directory: &Path, key: &str, value: &str) -> Result<(), Failure> {
    text(directory, &["config", "--local", key, value]).map(|_| ())
}

/// Adds a value to a key that may have several, once.
pub(super) fn add_config(directory: &Path, key: &str, value: &str) -> Result<(), Failure> {
    let present = run(directory, &["config", "--local", "--get-all", key])?;
    if String::from_utf8_lossy(&present.stdout).lines().any(|line| line == value) {
        return Ok(());
    }
    text(directory, &["config", "--local", "--add", key, value]).map(|_| ())
}

/// Returns a value of Git's whole configuration, the user's included.
pub(super) fn config(directory: &Path, key: &str) -> Option<String> {
    let output = run(directory, &["config", "--get", key]).ok()?;
    let value = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
    (output.status.success() && !value.is_empty()).then_some(value)
}

/// Returns name and address for commits that we make: Git's variables, the repository's configuration, or a
/// neutral author. No process is started, for hooks must be quick.
pub(super) fn user(repository: &Repository) -> (String, String) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let name = variable("GIT_COMMITTER_NAME").or_else(|| repository.config_text("user.name"));
    let email = variable("GIT_COMMITTER_EMAIL").or_else(|| repository.config_text("user.email"));
    (name.unwrap_or_else(|| "git-baseline".into()), email.unwrap_or_else(|| "git-baseline@localhost".into()))
}

/// Returns the author that Git's variables name: `NAME` or `EMAIL`.
pub(super) fn author(what: &str) -> Option<String> {
    std::env::var(format!("GIT_AUTHOR_{what}")).ok().filter(|value| !value.is_empty())
}

/// Replaces a leading `~/` by the user's home.
pub(super) fn expand_home(text: &str) -> String {
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest).to_string_lossy().into_owned(),
        _ => text.to_owned(),
    }
}
