//! How a job ends when it cannot give its answer: a code, what is wrong, why, and one way out.
//!
//! Never here: printing. Exit codes: contract §4.

use std::fmt;

use crate::codec::DecodeError;
use crate::policy::PolicyError;
use crate::store::StoreError;

/// What the process says when it ends, mildest first; the worst of several wins, so that what is disproven is never
/// hidden behind what could not be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Proven, or done.
    Done,
    /// Wrong usage, unreadable policy, key or identity, unknown revision or release, name taken.
    Usage,
    /// Changed under us, try again.
    Changed,
    /// Cannot conclude.
    Inconclusive,
    /// Older than something already seen.
    Stale,
    /// Disproven, or findings.
    Disproven,
    /// Malformed or hostile input.
    Unsafe,
    /// A defect of ours.
    Defect,
}

impl Exit {
    /// Returns the process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Disproven => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Unsafe => 4,
            Self::Stale => 5,
            Self::Changed => 6,
            Self::Defect => 70,
        }
    }
}

/// Why a job could not give its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code in words, such as `GB-REPO-SHALLOW`.
    pub code: &'static str,
    /// How the process ends.
    pub exit: Exit,
    /// What is wrong, naming the object.
    pub message: String,
    /// Why, one line per layer.
    pub causes: Vec<String>,
    /// One thing to do, as a command to paste.
    pub hint: Option<String>,
    /// A text that proves it to others, for the rim to write out.
    pub proof: Option<String>,
}

impl Failure {
    /// Returns a failure without causes or hint.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { code, exit, message: message.into(), causes: Vec::new(), hint: None, proof: None }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds what proves it to others.
    #[must_use]
    pub fn with_proof(mut self, proof: impl Into<String>) -> Self {
        self.proof = Some(proof.into());
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the failure of a stored record that cannot be decoded.
    pub fn undecodable(what: &str, error: &DecodeError) -> Self {
        Self::new(Exit::Unsafe, error.code(), format!("{what} cannot be read as a record"))
            .because(error)
            .hint("this was not written by git-baseline, or by a newer one; compare with docs/format.md")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, "; {cause}"))
    }
}

impl std::error::Error for Failure {}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::new(Exit::Usage, "GB-POLICY-INVALID", format!("the policy cannot be read: {error}"))
            .hint("mend that line; docs/policy.md shows every key")
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = error.code();
        let (exit, hint) = match code {
            "GB-REPO-NOT-FOUND" => (Exit::Usage, "run this inside a Git repository, or name one with `-C DIR`"),
            "GB-REPO-REVISION" => {
                (Exit::Usage, "see what there is with `git log --oneline --all` and `git baseline show`")
            }
            "GB-REPO-CONFLICT" => (Exit::Usage, "resolve the conflicts first: `git status`"),
            "GB-REPO-REFTABLE" => (Exit::Inconclusive, "convert a copy with `git refs migrate --ref-format=files`"),
            "GB-REPO-SHALLOW" => (Exit::Inconclusive, "git fetch --unshallow"),
            "GB-OBJ-MISSING" => {
                (Exit::Inconclusive, "fetch the missing objects, or work on a full clone: `git clone --mirror URL`")
            }
            "GB-REPO-OWNER" => (Exit::Unsafe, "work on a clone of your own: `git clone --mirror DIR`"),
            "GB-OBJ-TOO-LARGE" => (
                Exit::Inconclusive,
                "repack so that large files are stored whole: `git -c core.bigFileThreshold=64m repack -adF`",
            ),
            "GB-REF-RACE" => (Exit::Changed, "run the same command again"),
            "GB-REF-LOCKED" => (
                Exit::Changed,
                "run the same command again; a lock file that a killed process left must be removed by hand",
            ),
            "GB-REPO-INDEX" => (Exit::Usage, "git status"),
            "GB-USE-OUTPUT" => (Exit::Usage, "name a folder that does not exist yet"),
            "GB-LOG-NOT-LINEAR" | "GB-LOG-REWRITTEN" => {
                (Exit::Disproven, "fetch refs/baseline/log again from a source that you trust")
            }
            "GB-NOTE-DAMAGED" => (Exit::Disproven, "git baseline repair"),
            "GB-REPO-IO" | "GB-REPO-WRITE" => (Exit::Usage, ""),
            _ => (Exit::Unsafe, "do not trust this repository; get it again from its source"),
        };
        let failure = Self::new(exit, code, error.to_string());
        if hint.is_empty() { failure } else { failure.hint(hint) }
    }
}
