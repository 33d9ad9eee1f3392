//! Makes commit records for commits that lack one.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec;
use crate::crypto::Signer;
use crate::domain::{CommitRecord, ObjectId, Timestamp};
use crate::jobs::commit_delta::CommitDeltas;
use crate::jobs::log::{Log, NOTES_REF};
use crate::jobs::records::Subject;
use crate::jobs::trust::Trust;
use crate::jobs::{Failure, Progress, range, releases};
use crate::store::{Identity, RefEdit, Repository};

/// What was recorded.
pub struct Recorded {
    /// The commits that have a record now, with the first line of its summary.
    pub commits: Vec<(ObjectId, String)>,
}

/// Returns those of `commits` that have no record of their own.
///
/// # Errors
/// Where the notes cannot be read.
pub fn commits_without_record(repository: &Repository, commits: &[ObjectId]) -> Result<Vec<ObjectId>, Failure> {
    let mut without = Vec::new();
    for id in commits {
        if !has_record(repository, *id)? {
            without.push(*id);
        }
    }
    Ok(without)
}

/// Says whether a note on the commit speaks of it. One that `notes.rewriteRef` copied from a commit that was amended
/// speaks of that commit, and would be refused for ever. Whether a record holds, `verify` says.
fn has_record(repository: &Repository, id: ObjectId) -> Result<bool, Failure> {
    let Some(note) = repository.note(id)? else { return Ok(false) };
    let Ok(blocks) = codec::parse_note(&note) else { return Ok(true) };
    let decoded =
        |block: &codec::RecordBlock| codec::decode::<CommitRecord>(&block.record).map(|(_, record)| record.commit);
    Ok(blocks.iter().any(|block| decoded(block).is_ok_and(|commit| commit == id)))
}

/// Returns the commits that the next release answers for and that have no record, newest first.
///
/// # Errors
/// Where history is cut off or the log cannot be read.
pub fn unrecorded(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    head: Option<ObjectId>,
) -> Result<Vec<ObjectId>, Failure> {
    let Some(head) = head else { return Ok(Vec::new()) };
    let before = releases::standing(log, trust)?;
    commits_without_record(repository, &range::of(repository, trust, &before, head)?)
}

/// Returns the commits without record between `tip` and the nearest ones that have one: what a hook needs, at a cost
/// that does not grow with history.
///
/// # Errors
/// Where a commit or the notes cannot be read.
pub fn unrecorded_tip(repository: &Repository, trust: &Trust, tip: ObjectId) -> Result<Vec<ObjectId>, Failure> {
    let mut seen = BTreeSet::new();
    let mut without = Vec::new();
    let mut queue = vec![tip];
    while let Some(id) = queue.pop() {
        if trust.root().control_start == Some(id) || !seen.insert(id) || has_record(repository, id)? {
            continue;
        }
        without.push(id);
        // A branch from before the control start has no end that a hook could find; `record` finds it.
        if without.len() == MOST_AT_ONCE {
            break;
        }
        queue.extend(repository.commit(id)?.parents);
    }
    Ok(without)
}

/// No hook records more commits than these.
const MOST_AT_ONCE: usize = 100;

/// Records each of `commits` that has no record, in one notes commit.
///
/// # Errors
/// Where the signer is no developer of the trust root, an object is missing, or the notes moved meanwhile.
pub fn record(
    repository: &Repository,
    trust: &Trust,
    commits: &[ObjectId],
    signer: &dyn Signer,
    identity: &Identity,
    progress: &dyn Progress,
) -> Result<Recorded, Failure> {
    let now = Timestamp::from_seconds(identity.time);
    let mut notes = BTreeMap::new();
    let mut recorded = Vec::new();
    let todo = commits_without_record(repository, commits)?;
    let mut deltas = CommitDeltas::new(repository);
    for (at, id) in todo.iter().enumerate() {
        if at > 0 && at % 100 == 0 {
            progress.step(&format!("recorded {at} of {} commits", todo.len()));
        }
        let subject = Subject::read(&mut deltas, *id)?;
        let note = subject.make_note(&trust.fingerprint, trust.root(), signer, now)?;
        recorded.push((*id, note.lines().next().unwrap_or_default().to_owned()));
        notes.insert(*id, note.into_bytes());
    }
    if !notes.is_empty() {
        let expected = repository.reference(NOTES_REF)?;
        let message = format!("Record {} commit{}\n", notes.len(), if notes.len() == 1 { "" } else { "s" });
        let new = repository.write_notes(expected, &notes, identity, &message)?;
        repository.update_refs(&[RefEdit { name: NOTES_REF.to_owned(), expected, new, message }])?;
    }
    Ok(Recorded { commits: recorded })
}
