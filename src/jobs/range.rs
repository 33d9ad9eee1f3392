//! A release's range: which commits it answers for, and whether each is recorded.
//!
//! Serves contract §3.4: every commit reachable from the release's commit, and neither from the control start nor
//! from an earlier release.

use std::collections::BTreeSet;

use crate::codec::{self, RecordBlock};
use crate::domain::{ChangeId, CommitRecord, Digest, ObjectId};
use crate::jobs::evidence::Trust;
use crate::jobs::records::Subject;
use crate::jobs::releases::{ReleaseStatus, StoredRelease};
use crate::jobs::{Exit, Failure, Progress};
use crate::store::Repository;

/// A commit whose record holds.
pub(super) struct Judged {
    /// The record.
    pub record: CommitRecord,
    /// BLAKE3 of the raw commit object.
    pub commit_digest: Digest,
    /// The note that carries the record.
    pub note: Vec<u8>,
}

impl Judged {
    /// Says whether the commit touched any item or component.
    pub(super) fn changes_something(&self) -> bool {
        !self.record.items.is_empty() || !self.record.components.is_empty()
    }
}

/// Returns the commits of the range that ends at `tip`, given the releases before it.
///
/// # Errors
/// Where history is cut off or malformed.
pub(super) fn of(
    repository: &Repository,
    trust: &Trust,
    before: &[StoredRelease],
    tip: ObjectId,
) -> Result<Vec<ObjectId>, Failure> {
    if repository.is_shallow() {
        return Err(Failure::new(
            Exit::Inconclusive,
            "GB-REPO-SHALLOW",
            "this clone is shallow: the history of the range is not here",
        )
        .hint("git fetch --unshallow"));
    }
    let released = before.iter().filter(|release| release.status == ReleaseStatus::Released);
    let mut excluded: Vec<ObjectId> = released.map(|release| release.release().commit).collect();
    excluded.extend(trust.root().control_start);
    Ok(repository.commits_between(tip, &excluded)?)
}

/// Returns where the log keeps the sealed note of a commit.
pub(super) fn sealed_path(commit: &ObjectId) -> String {
    let hex = commit.to_string();
    format!("records/{}/{hex}", hex.get(..2).unwrap_or_default())
}

/// Judges the notes of a range: each commit must have records, and each record must hold.
///
/// # Errors
/// `GB-COVER-RECORD-MISSING` where a commit has none, and the first record that does not hold.
pub(super) fn judge_notes(
    repository: &Repository,
    trust: &Trust,
    ids: &[ObjectId],
    progress: &dyn Progress,
) -> Result<Vec<Judged>, Failure> {
    let mut judged = Vec::new();
    let mut missing = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        if at > 0 && at % 100 == 0 {
            progress.step(&format!("checked {at} of {} records", ids.len()));
        }
        match repository.note(*id)? {
            Some(note) => judged.push(judge_note(repository, trust, *id, note)?),
            None => missing.push(*id),
        }
    }
    missing.first().map_or(Ok(judged), |first| {
        Err(Failure::new(
            Exit::Disproven,
            "GB-COVER-RECORD-MISSING",
            format!(
                "{} of {} commits in the range have no record, such as {}",
                missing.len(),
                ids.len(),
                first.short()
            ),
        )
        .hint("git baseline record"))
    })
}

/// Judges all records of one note. One that speaks of another commit is set aside where another holds: with
/// `notes.rewriteRef`, Git itself copies the record of a commit that was amended beside the new one.
///
/// # Errors
/// The first record that does not hold.
pub(super) fn judge_note(
    repository: &Repository,
    trust: &Trust,
    id: ObjectId,
    note: Vec<u8>,
) -> Result<Judged, Failure> {
    let subject = Subject::read(repository, id)?;
    let mut first = None;
    let mut aside = None;
    for block in parse(id, &note)? {
        match subject.judge(&block, &trust.fingerprint, &trust.root) {
            Ok(record) => first = first.or(Some(record)),
            Err(failure) if failure.code == "GB-BIND-COMMIT" => aside = aside.or(Some(failure)),
            Err(failure) => return Err(failure),
        }
    }
    let record = first.ok_or_else(|| aside.unwrap_or_else(|| damaged(id, "no record")))?;
    Ok(Judged { record, commit_digest: Digest::of(&subject.commit.raw), note })
}

/// Returns the change requests that commits name, sorted.
pub(super) fn changes(judged: &[Judged]) -> Vec<ChangeId> {
    let ids: BTreeSet<ChangeId> = judged.iter().flat_map(|judged| judged.record.changes.iter().cloned()).collect();
    ids.into_iter().collect()
}

/// Takes a note apart.
///
/// # Errors
/// `GB-NOTE-DAMAGED`.
pub(super) fn parse(id: ObjectId, note: &[u8]) -> Result<Vec<RecordBlock>, Failure> {
    codec::parse_note(note).map_err(|defect| damaged(id, &defect.to_string()))
}

fn damaged(id: ObjectId, what: &str) -> Failure {
    Failure::new(Exit::Disproven, "GB-NOTE-DAMAGED", format!("the note on commit {} is damaged", id.short()))
        .because(what)
        .hint("git baseline repair")
}
