//! The work, in order: each job reads what it needs, returns a report, and prints nothing.
//!
//! Never here: terminal, environment, clock (moments are given), or a decision of trust that `crypto` makes.

mod affected;
mod append;
mod change_control;
mod change_requests;
mod checkpoint;
mod claimed_time;
mod commit_delta;
mod component_reader;
mod derived;
mod deviations;
mod examine;
mod failure;
mod gate;
mod history;
mod history_secrets;
mod initialize;
mod inspect;
mod log;
mod log_proof;
mod memory;
mod misleading;
mod own_changes;
mod participants;
mod range;
mod record;
mod records;
mod registers;
mod release;
mod releases;
mod repair;
mod reproduce;
mod review;
mod rotation;
mod sign;
mod sign_offs;
mod standing_change;
mod sync;
mod trailers;
mod trust;
mod trust_change;
mod verification;
mod verify;

pub use affected::{Affected, affected_releases, affected_tags};
pub use change_control::{CONTENT, JudgedChange, Judging};
pub use change_requests::{Requests, StoredRequest, open_change};
pub use checkpoint::{
    Accepted, compose as compose_checkpoint, may_sign as may_sign_log, parse as parse_checkpoint, sign_log,
};
pub use commit_delta::{CommitDelta, ComponentChange, Wanted, commit_delta, policy_of};
pub use failure::{Exit, Failure};
pub use history::{Comparison, Event, Happened, Question, Side, compare, history, side_of};
pub use history_secrets::{HistorySecrets, PastSecret, history_secrets};
pub use initialize::{Founding, found, proposal};
pub use inspect::{Inspection, StagedCheck, check_staged, policy_finding, requests_missing, thresholds};
pub use log::{LOG_REF, Log, NOTES_REF, RELEASE_REFS};
pub use log_proof::{Proven, check_proof, cosign, log_proof};
pub use memory::{Freshness, Kept};
pub use record::{Recorded, commits_without_record, record, unrecorded, unrecorded_tip};
pub use release::{Draft, Made, TOOL, blocked as gate_blocked, draft, make};
pub use releases::{
    ReleaseStatus, Releases, ShownSignOff, Statement, StoredRelease, Unreleased, read as read_release, standing,
    stored_document,
};
pub use repair::{Repaired, missing_refs, repair};
pub use reproduce::{Reproduction, reproduce};
pub use review::{Review, range_changes};
pub use sign::{SignTarget, Signed, Signing, sign};
pub use sync::{Adopted, Incoming, Synced, adopt, published};
pub use trailers::change_ids;
pub use trust::{Anchor, Link, Proposal, Trust};
pub use trust_change::{Changed, TrustChange, endorse, propose, waiting, words as trust_words};
pub use verification::{CheckResult, CheckStatus, Verdict, Verification};
pub use verify::{Verifier, verify_directory};

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
