//! A release's range: which commits it answers for, and whether each is recorded.
//!
//! Serves contract §3.4: every commit reachable from the release's commit, and neither from the control start nor
//! from an earlier release.

use crate::codec::{self, RecordBlock};
use crate::domain::{CommitRecord, Digest, ObjectId, Release};
use crate::jobs::commit_delta::CommitDeltas;
use crate::jobs::log::Log;
use crate::jobs::records::Subject;
use crate::jobs::releases::{ReleaseStatus, StoredRelease, bound};
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure, Progress};
use crate::store::{Commit, Repository};

/// A commit whose record holds.
pub(super) struct Judged {
    /// The record.
    pub record: CommitRecord,
    /// BLAKE3 of the raw commit object.
    pub commit_digest: Digest,
    /// The note that carries the record.
    pub note: Vec<u8>,
    /// The commit.
    pub commit: Commit,
    /// Where the note stands in the log; nowhere before a release has sealed it.
    pub position: Option<u64>,
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

/// Returns every sealed note of a commit that the log holds, the first one first. Rubbish that somebody pushed into its
/// place stays there, and the note then stands beside it.
pub(super) fn sealed_paths(log: &Log<'_>, commit: &ObjectId) -> Vec<String> {
    let path = sealed_path(commit);
    let mut paths: Vec<String> =
        log.below(&path).filter(|found| is_beside(found, &path)).map(ToOwned::to_owned).collect();
    paths.sort_by_key(|path| log.position(path));
    paths
}

/// Returns where a note goes that is to be sealed.
///
/// # Errors
/// Where a blob is missing or damaged.
pub(super) fn place_of_sealed(log: &Log<'_>, commit: &ObjectId, note: &[u8]) -> Result<String, Failure> {
    let path = sealed_path(commit);
    Ok(match log.read(&path)? {
        Some(taken) if taken != note => format!("{path}~{}", Digest::of(note).short()),
        _ => path,
    })
}

fn is_beside(found: &str, path: &str) -> bool {
    found.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('~') && !rest.ends_with(".sig"))
}

/// Returns the path and bytes of the sealed note that has a digest.
///
/// # Errors
/// `GB-LOG-INCOMPLETE` where the log holds none, `GB-BIND-DIGEST` where those that it holds are others.
pub(super) fn sealed(log: &Log<'_>, commit: &ObjectId, digest: &Digest) -> Result<(String, Vec<u8>), Failure> {
    for path in sealed_paths(log, commit) {
        let bytes = log.need(&path)?;
        if Digest::of(&bytes) == *digest {
            return Ok((path, bytes));
        }
    }
    let path = sealed_path(commit);
    bound(&path, &log.need(&path)?, *digest)?;
    Err(Failure::new(Exit::Disproven, "GB-LOG-INCOMPLETE", format!("the log has no {path}")))
}

/// Returns where the log keeps the sealed note of a commit, where nothing else stands there.
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
    let mut deltas = CommitDeltas::new(repository);
    for (at, id) in ids.iter().enumerate() {
        if at > 0 && at % 100 == 0 {
            progress.step(&format!("checked {at} of {} records", ids.len()));
        }
        match repository.note(*id)? {
            Some(note) => judged.push(judge_note(&mut deltas, trust, *id, note, None)?),
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

/// Where another record of the same note holds, these do not spoil it: with `notes.rewriteRef`, Git itself copies the
/// record of a commit that was amended beside the new one; and what a person recorded who left, or whose key was
/// revoked, is recorded again by somebody else.
const SET_ASIDE: [&str; 3] = ["GB-BIND-COMMIT", "GB-SIG-REVOKED", "GB-SIG-ROLE"];

/// Judges all records of one note, which stands at a position of the log once a release has sealed it.
///
/// # Errors
/// The first record that does not hold.
pub(super) fn judge_note(
    deltas: &mut CommitDeltas<'_>,
    trust: &Trust,
    id: ObjectId,
    note: Vec<u8>,
    position: Option<u64>,
) -> Result<Judged, Failure> {
    let subject = Subject::read(deltas, id)?;
    let mut first = None;
    let mut aside = None;
    for block in parse(id, &note)? {
        match subject.judge(&block, trust, position) {
            Ok(record) => first = first.or(Some(record)),
            Err(failure) if SET_ASIDE.contains(&failure.code) => aside = aside.or(Some(failure)),
            Err(failure) => return Err(failure),
        }
    }
    let record = first.ok_or_else(|| aside.unwrap_or_else(|| damaged(id, "no record")))?;
    Ok(Judged { record, commit_digest: Digest::of(&subject.commit.raw), note, commit: subject.commit, position })
}

/// Judges the sealed notes of a release's range.
///
/// # Errors
/// The first record that does not hold; where one is missing, or speaks of another commit than the release does.
pub(super) fn sealed_range(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    release: &Release,
    progress: &dyn Progress,
) -> Result<Vec<Judged>, Failure> {
    let mut judged = Vec::with_capacity(release.range.len());
    let mut deltas = CommitDeltas::new(repository);
    for (at, entry) in release.range.iter().enumerate() {
        if at > 0 && at % 100 == 0 {
            progress.step(&format!("checked {at} of {} records", release.range.len()));
        }
        let (path, note) = sealed(log, &entry.commit, &entry.record)?;
        let one = judge_note(&mut deltas, trust, entry.commit, note, log.position(&path))?;
        if one.commit_digest != entry.digest {
            return Err(Failure::new(
                Exit::Disproven,
                "GB-BIND-COMMIT",
                format!("commit {} is not the one that was recorded", entry.commit.short()),
            ));
        }
        judged.push(one);
    }
    Ok(judged)
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
