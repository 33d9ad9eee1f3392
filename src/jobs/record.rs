//! Makes commit records for commits that lack one.

use std::collections::BTreeMap;

use crate::crypto::Signer;
use crate::domain::{ObjectId, Timestamp};
use crate::jobs::evidence::{NOTES_REF, Trust};
use crate::jobs::records::Subject;
use crate::jobs::{Failure, Progress};
use crate::store::{Identity, RefEdit, Repository};

/// What was recorded.
pub struct Recorded {
    /// The commits that have a record now, with the first line of its summary.
    pub commits: Vec<(ObjectId, String)>,
}

/// Returns those of `commits` that have no note at all.
///
/// # Errors
/// Where the notes cannot be read.
pub fn commits_without_record(repository: &Repository, commits: &[ObjectId]) -> Result<Vec<ObjectId>, Failure> {
    let mut without = Vec::new();
    for id in commits {
        if repository.note(*id)?.is_none() {
            without.push(*id);
        }
    }
    Ok(without)
}

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
    for (at, id) in todo.iter().enumerate() {
        if at > 0 && at % 100 == 0 {
            progress.step(&format!("recorded {at} of {} commits", todo.len()));
        }
        let subject = Subject::read(repository, *id)?;
        let note = subject.make_note(&trust.fingerprint, &trust.root, signer, now)?;
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
