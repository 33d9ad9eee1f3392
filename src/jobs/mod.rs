//! The work, in order: each job reads what it needs, returns a report, and prints nothing.
//!
//! Never here: terminal, environment, clock (moments are given), or a decision of trust that `crypto` makes.

mod affected;
mod commit_delta;
mod component_reader;
mod derived;
mod evidence;
mod failure;
mod history;
mod history_secrets;
mod initialize;
mod inspect;
mod misleading;
mod range;
mod record;
mod records;
mod registers;
mod release;
mod releases;
mod repair;
mod reproduce;
mod rotation;
mod trailers;
mod verification;
mod verify;

pub use affected::{Affected, affected_releases, affected_tags};
pub use commit_delta::{CommitDelta, ComponentChange, Wanted, commit_delta, policy_of};
pub use evidence::{Anchor, LOG_REF, Log, NOTES_REF, RELEASE_REFS, Trust};
pub use failure::{Exit, Failure};
pub use history::{Comparison, Event, Happened, Question, Side, compare, history, side_of};
pub use history_secrets::{HistorySecrets, PastSecret, history_secrets};
pub use initialize::{Founding, found, proposal};
pub use inspect::{Inspection, StagedCheck, check_staged, policy_finding, requests_missing, thresholds};
pub use record::{Recorded, commits_without_record, record, unrecorded, unrecorded_tip};
pub use release::{Draft, Made, TOOL, draft, make};
pub use releases::{ReleaseStatus, ShownSignOff, StoredRelease, read as read_release, standing, stored_document};
pub use repair::{Repaired, repair};
pub use reproduce::{Reproduction, reproduce};
pub use trailers::change_ids;
pub use verification::{CheckResult, CheckStatus, Verdict, Verification};
pub use verify::{verify_commit, verify_directory, verify_release};

/// Tells somebody who waits what goes on; a job never depends on it.
pub trait Progress {
    /// A new step has begun.
    fn step(&self, what: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _what: &str) {}
}
