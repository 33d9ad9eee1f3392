//! What a verification found: its checks in order, and the verdict that follows from the worst of them.
//!
//! Default is deny: what cannot be checked is "unknown", never "passed". Never here: a check itself (`verify`).

use crate::domain::{Digest, LogHead, Release};
use crate::jobs::memory::Freshness;
use crate::jobs::releases::ShownSignOff;
use crate::jobs::{Exit, Failure};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// It could not be decided.
    Unknown,
}

/// One check of a verification.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// What was checked, in one word or two with hyphens.
    pub id: &'static str,
    /// How it ended.
    pub status: CheckStatus,
    /// What was proven.
    pub detail: String,
    /// What is wrong.
    pub failure: Option<Failure>,
}

/// The verdict of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything holds.
    Verified,
    /// Something could not be decided.
    Inconclusive,
    /// Something does not hold.
    Refused,
}

impl Verdict {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Inconclusive => "inconclusive",
            Self::Refused => "refused",
        }
    }
}

/// What was verified, and how.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The name of the release or commit.
    pub target: String,
    /// Every check, in order.
    pub checks: Vec<CheckResult>,
    /// The fingerprint that the log claims, once it could be read.
    pub fingerprint: Option<Digest>,
    /// Whether that fingerprint was given or pinned.
    pub pinned: bool,
    /// The version of the newest trust root in force.
    pub trust_version: Option<u64>,
    /// What is known of how new the log is.
    pub freshness: Freshness,
    /// Size and root of the log.
    pub log: Option<LogHead>,
    /// The statement, once it was vouched for.
    pub release: Option<Release>,
    /// Statements of the log that have no effect, and why; they brick nothing.
    pub void: Vec<String>,
    /// The sign-offs that stand.
    pub sign_offs: Vec<ShownSignOff>,
}

impl Verification {
    pub(super) fn new(target: String) -> Self {
        Self {
            target,
            checks: Vec::new(),
            fingerprint: None,
            pinned: false,
            trust_version: None,
            freshness: Freshness::default(),
            log: None,
            release: None,
            void: Vec::new(),
            sign_offs: Vec::new(),
        }
    }

    /// Returns how the process must end: the worst of all checks.
    pub fn exit(&self) -> Exit {
        let worst = self.checks.iter().filter_map(|check| check.failure.as_ref()).map(|failure| failure.exit).max();
        match worst {
            Some(exit) => exit,
            // Nothing was checked, so nothing was proven.
            None if self.checks.is_empty() => Exit::Defect,
            None => Exit::Done,
        }
    }

    /// Returns the verdict.
    pub fn verdict(&self) -> Verdict {
        match self.exit() {
            Exit::Done => Verdict::Verified,
            Exit::Inconclusive | Exit::Usage | Exit::Changed => Verdict::Inconclusive,
            _ => Verdict::Refused,
        }
    }

    /// Returns what is wrong or could not be decided.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.checks.iter().filter_map(|check| check.failure.as_ref())
    }

    /// Adds a check, and returns what it found where it holds.
    pub(super) fn check<T>(
        &mut self,
        id: &'static str,
        result: Result<T, Failure>,
        detail: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let (status, detail, failure, value) = match result {
            Ok(value) => (CheckStatus::Passed, detail(&value), None, Some(value)),
            Err(failure) => {
                let unknown = matches!(failure.exit, Exit::Inconclusive | Exit::Usage | Exit::Changed);
                let status = if unknown { CheckStatus::Unknown } else { CheckStatus::Failed };
                (status, failure.message.clone(), Some(failure), None)
            }
        };
        self.checks.push(CheckResult { id, status, detail, failure });
        value
    }
}
