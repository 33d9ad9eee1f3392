//! What every command gets: where it stands, how to answer, what time it is, whom the user trusts.

#![expect(clippy::disallowed_methods, reason = "the rim: clock and environment are read here and nowhere below")]

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use serde_json::Value;

use super::identity::{self, KeySource};
use super::state::State;
use super::{Color, Format, git};
use crate::crypto::Signer;
use crate::domain::{Digest, RoleName, Timestamp};
use crate::jobs::{Anchor, Exit, Failure, Log, Progress, Trust, compose_checkpoint, may_sign_log, sign_log};
use crate::store::{Access, Identity, Location, Repository};

/// What every command gets.
pub(super) struct Context {
    /// Where to look for the repository.
    pub(super) directory: PathBuf,
    /// How to answer.
    pub(super) format: Format,
    /// Say nothing but the answer.
    pub(super) quiet: bool,
    /// Now, or `SOURCE_DATE_EPOCH`.
    pub(super) now: Timestamp,
    /// What is remembered outside every repository.
    pub(super) state: State,
    color: Color,
    cache: Cache,
}

/// When what was read of a log is kept for the next run: `GIT_BASELINE_CACHE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cache {
    /// Never, and nothing that was kept is used: `off`.
    Off,
    /// When reading it again would be felt.
    Sparing,
    /// Each time: `always`.
    Always,
}

/// A log of fewer new files is read as fast as it is looked up.
const WORTH_KEEPING: usize = 512;

/// What a command answers: both forms, how the process ends, and what else must be said on stderr.
pub(super) struct Answer {
    pub(super) json: Value,
    pub(super) human: String,
    pub(super) exit: Exit,
    pub(super) failures: Vec<Failure>,
}

impl Answer {
    /// Returns an answer that ends in 0.
    pub(super) fn done(json: Value, human: impl Into<String>) -> Self {
        Self { json, human: human.into(), exit: Exit::Done, failures: Vec::new() }
    }

    /// Sets how the process ends.
    pub(super) fn ending(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl Context {
    pub(super) fn new(directory: Option<PathBuf>, format: Format, color: Color, quiet: bool) -> Result<Self, Failure> {
        let now = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(text) => text.parse().map_err(|_| {
                let what = format!("SOURCE_DATE_EPOCH is \"{}\", not seconds since 1970", text.escape_debug());
                Failure::new(Exit::Usage, "GB-USE-CLOCK", what).hint("unset SOURCE_DATE_EPOCH")
            })?,
            Err(_) => clock(),
        };
        let cache = match std::env::var("GIT_BASELINE_CACHE").as_deref() {
            Ok("off") => Cache::Off,
            Ok("always") => Cache::Always,
            Ok("") | Err(_) => Cache::Sparing,
            Ok(other) => {
                let what = format!("GIT_BASELINE_CACHE is \"{}\", not off or always", other.escape_debug());
                return Err(Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what).hint("unset GIT_BASELINE_CACHE"));
            }
        };
        let directory = directory.unwrap_or_else(|| PathBuf::from("."));
        Ok(Self {
            directory,
            format,
            quiet,
            now: Timestamp::from_seconds(now),
            state: State::from_environment(),
            color,
            cache,
        })
    }

    /// Opens the repository; Git's own variables count, as they do in hooks.
    pub(super) fn repository(&self, access: Access) -> Result<Repository, Failure> {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let location = Location {
            directory: self.directory.clone(),
            git_dir: path("GIT_DIR"),
            index_file: path("GIT_INDEX_FILE"),
        };
        let repository = Repository::open(&location, access)?;
        if self.cache == Cache::Off {
            return Ok(repository);
        }
        let state = self.state.clone();
        Ok(repository.recalling(Box::new(move |fingerprint| state.log(fingerprint))))
    }

    /// Returns where trust comes from: `--trust`, and the pins.
    pub(super) fn anchor(&self, given: Option<&str>) -> Result<Anchor, Failure> {
        let given = given.map(fingerprint).transpose()?;
        // Who gives the fingerprint needs no memory: an auditor's machine may have none that can be read.
        let pinned = if given.is_some() { Vec::new() } else { self.state.pins()? };
        let seen = match self.state.heads() {
            Ok(seen) => seen,
            Err(_) if given.is_some() => BTreeMap::new(),
            Err(failure) => return Err(failure),
        };
        Ok(Anchor { given, pinned, seen, checkpoint: None })
    }

    /// Opens log and trust for commands that write, or that resolve release names. The pins decide.
    pub(super) fn trusted<'r>(&self, repository: &'r Repository) -> Result<(Log<'r>, Trust), Failure> {
        let mut log = Log::open(repository)?;
        let trust = log.trust(&self.anchor(None)?)?;
        self.remember(repository, &log, &trust);
        Ok((log, trust))
    }

    /// Remembers the newest log of a baseline that was seen here. Where that cannot be written, nothing else fails: what
    /// is remembered only ever makes a later verdict stricter.
    ///
    /// Where a remote is followed, only what it has is remembered: what was never published may yet be appended again,
    /// after what another writer was first with.
    pub(super) fn remember(&self, repository: &Repository, log: &Log<'_>, trust: &Trust) {
        let kept = match self.cache {
            Cache::Off => None,
            Cache::Sparing => log.memory(WORTH_KEEPING),
            Cache::Always => log.memory(1),
        };
        if let Some(bytes) = kept {
            // Where it cannot be kept, it is read again.
            let _ = self.state.keep_log(&trust.fingerprint, &bytes);
        }
        let followed = repository.references_below("refs/baseline-remote/").unwrap_or_default();
        let mut logs =
            followed.iter().filter(|name| name.ends_with("/log") && !name.ends_with("/fetched/log")).peekable();
        let published = |name: &String| repository.reference(name).ok().flatten() == Some(log.head);
        if logs.peek().is_some() && !logs.any(published) {
            return;
        }
        if let Ok(note) = compose_checkpoint(&trust.checkpoint.note)
            && let Err(failure) = self.state.remember(&trust.fingerprint, trust.checkpoint.head.size, &note)
        {
            self.remark(&format!("warning: the newest log could not be remembered: {failure}"));
        }
    }

    /// Opens log and trust for whoever is about to add to the log. Where his key may sign checkpoints, what others added
    /// is validated first, so that it counts for what he does now.
    pub(super) fn settled<'r>(
        &self,
        repository: &'r Repository,
        signer: &dyn Signer,
    ) -> Result<(Log<'r>, Trust), Failure> {
        let (log, trust) = self.trusted(repository)?;
        if log.pending.is_empty() || !may_sign_log(trust.root(), signer) {
            return Ok((log, trust));
        }
        sign_log(repository, &log, &trust, signer, &self.git_identity(repository))?;
        self.trusted(repository)
    }

    /// Says on stderr what still waits for a checkpoint.
    pub(super) fn tell_pending(&self, repository: &Repository) {
        let Ok((log, trust)) = self.trusted(repository) else { return };
        if log.pending.is_empty() {
            return;
        }
        let holders = trust.root().role(RoleName::Log).map(|role| role.persons.clone()).unwrap_or_default();
        let holders: Vec<String> = holders.iter().map(ToString::to_string).collect();
        self.remark(&format!(
            "pending: {} statements do not count before a checkpoint covers them; next: {} runs `git baseline checkpoint`",
            log.pending.len(),
            holders.join(" or ")
        ));
    }

    /// Returns log and trust where there are any that the pins confirm; looking commands work without.
    pub(super) fn known<'r>(&self, repository: &'r Repository) -> Result<Option<(Log<'r>, Trust)>, Failure> {
        let Some(mut log) = Log::find(repository)? else { return Ok(None) };
        match log.trust(&self.anchor(None)?) {
            Ok(trust) => {
                self.remember(repository, &log, &trust);
                Ok(Some((log, trust)))
            }
            Err(failure) if failure.exit == Exit::Inconclusive => Ok(None),
            Err(failure) if failure.exit == Exit::Stale => {
                self.remark(&format!("warning: {failure}; what follows is not verified"));
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Returns the user's key: the one given, or the one of the repository's configuration.
    pub(super) fn key_source(given: Option<&str>, repository: &Repository) -> Result<KeySource, Failure> {
        let configured = repository.config_text("baseline.key");
        let Some(text) = given.map(ToOwned::to_owned).or(configured) else {
            return Err(Failure::new(Exit::Usage, "GB-KEY-NONE", "no key to sign with")
                .because("neither --key nor baseline.key in this repository's configuration names one")
                .hint("git config baseline.key ~/.ssh/id_ed25519"));
        };
        KeySource::parse(&git::expand_home(&text)).map_err(|error| key_failure(&error))
    }

    /// Opens a key, asking for its passphrase where it has one.
    pub(super) fn signer(source: &KeySource) -> Result<Box<dyn Signer>, Failure> {
        identity::signer(source, &identity::ask_passphrase).map_err(|error| key_failure(&error))
    }

    /// Returns who Git says commits here, for commits that we make.
    pub(super) fn git_identity(&self, repository: &Repository) -> Identity {
        let (name, email) = git::user(repository);
        Identity { name, email, time: self.now.seconds() }
    }

    /// Says whether stdout may be coloured.
    pub(super) fn colors(&self) -> bool {
        self.wants_color(std::io::stdout().is_terminal())
    }

    /// Says whether stderr may be coloured.
    pub(super) fn colors_stderr(&self) -> bool {
        self.wants_color(std::io::stderr().is_terminal())
    }

    fn wants_color(&self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Says something beside the answer.
    pub(super) fn remark(&self, text: &str) {
        if !self.quiet {
            // Where stderr is closed, nobody wanted remarks.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }
}

/// Progress on stderr, on terminals only.
impl Progress for Context {
    fn step(&self, what: &str) {
        if !self.quiet && std::io::stderr().is_terminal() {
            self.remark(&format!("… {what}"));
        }
    }
}

/// Parses a fingerprint in full.
pub(super) fn fingerprint(text: &str) -> Result<Digest, Failure> {
    Digest::parse(text).ok_or_else(|| {
        Failure::new(Exit::Usage, "GB-USE-FINGERPRINT", format!("\"{}\" is no fingerprint", text.escape_debug()))
            .because("a fingerprint has 64 lower-case hexadecimal digits; a part of one proves nothing")
            .hint("git baseline trust fingerprint")
    })
}

pub(super) fn key_failure(error: &identity::IdentityError) -> Failure {
    Failure::new(Exit::Usage, error.code(), error.to_string())
        .hint("name another with `--key FILE` or `git config baseline.key FILE`")
}

fn clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
