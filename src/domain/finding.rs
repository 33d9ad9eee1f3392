//! Findings are values: a rule's result about one place. How they are shown is decided elsewhere.
//!
//! Never here: text for a terminal, or any part of a secret.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RepoPath, Timestamp};

/// How bad a finding is, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Worth mending.
    Low,
    /// Should be mended.
    Medium,
    /// Must be mended, or accepted as a deviation.
    High,
    /// Stops everything.
    Critical,
}

impl Severity {
    /// Every severity, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something a recogniser saw in the bytes, which no time and no other file can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The rule's name, in words.
    pub rule: &'static str,
    /// The line, from 1, where there is one.
    pub line: Option<u32>,
    /// What was seen; never a part of a secret.
    pub message: String,
}

/// What is known of a rule without any file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, in words.
    pub name: &'static str,
    /// How bad a finding of it is, unless a policy says otherwise.
    pub severity: Severity,
    /// The clause or standard that asks for it.
    pub clause: &'static str,
    /// What to do, as a command where there is one.
    pub hint: &'static str,
}

/// A rule's result about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, in words, such as `certificate-expired`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The file; none when it is about the whole.
    pub path: Option<RepoPath>,
    /// The line, from 1, where there is one.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// The clause or standard that asks for it.
    pub clause: &'static str,
    /// What to do, as a command where there is one.
    pub hint: String,
    /// The deviation that covers it, where the product has one.
    pub deviation: Option<Deviating>,
}

/// How a deviation bears on a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviating {
    /// The deviation's id.
    pub id: String,
    /// Until when it runs.
    pub expires: Timestamp,
    /// Whether it counts: within its time, and signed in the log.
    pub in_force: bool,
}

impl Finding {
    /// Says whether it stands, as it does until a deviation in force accepts it.
    pub fn stands(&self) -> bool {
        self.deviation.as_ref().is_none_or(|deviation| !deviation.in_force)
    }
}
