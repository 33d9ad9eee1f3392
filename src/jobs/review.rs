//! The changes of a range, judged for whoever asks: `changes`, `trace`, `sign`, `status`.
//!
//! Never here: the verdict on a release (`gate`, `examine`), which uses the same judgement.

use crate::domain::{Finding, ObjectId, Timestamp};
use crate::jobs::change_control::{self, JudgedChange, Judging};
use crate::jobs::commit_delta::{CommitDeltas, policy_of};
use crate::jobs::log::Log;
use crate::jobs::range::Judged;
use crate::jobs::releases::{Releases, StoredRelease};
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure, Progress, gate, own_changes, range};
use crate::store::Repository;

/// What change control says of a range.
pub struct Review {
    /// The changes, sorted by id.
    pub changes: Vec<JudgedChange>,
    /// What is missing.
    pub findings: Vec<Finding>,
    /// Every commit of the range.
    pub commits: Vec<ObjectId>,
    /// Commits of the range that changed something and name no change request.
    pub unnamed: Vec<ObjectId>,
}

/// Judges the changes of `from..to`; without `from`, of what no release has sealed yet. A range that ends at a release
/// is judged as that release was: by what stood in the log before it.
///
/// # Errors
/// Where a commit has no record, an object is missing, or the log cannot be read.
pub fn range_changes(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    from: Option<ObjectId>,
    to: ObjectId,
    progress: &dyn Progress,
) -> Result<Review, Failure> {
    let all = Releases::of(log, trust)?;
    let sealed_by = all.standing.iter().find(|release| release.release().commit == to);
    let before = sealed_by.map_or_else(|| all.standing.clone(), |release| all.before(release.release()));
    let ids = match from {
        Some(from) => repository.commits_between(to, &[from])?,
        None => range::of(repository, trust, &before, to)?,
    };
    let judged = judge_records(repository, log, trust, &all.standing, &ids, progress)?;
    let until = sealed_by.and_then(|release| log.position(&format!("{}release.cbor", release.folder)));
    let root = trust.at(until).root.value();
    let policy = gate::policy(repository, root, &before, policy_of(repository, repository.commit(to)?.tree)?)?;
    let as_of = sealed_by.map_or_else(|| newest_time(&judged), |release| release.release().as_of);
    let judging = Judging { log, trust, policy: &policy, as_of, until, earlier: &before };
    let controlled = gate::judge(repository, &judging, &judged)?;
    let own = own_changes::of(repository, &judged, None)?;
    let unnamed = own.iter().filter(|one| !one.segments.is_empty() && one.judged.record.changes.is_empty());
    Ok(Review {
        changes: controlled.changes,
        findings: change_control::sorted(controlled.findings),
        commits: ids,
        unnamed: unnamed.map(|one| one.judged.record.commit).collect(),
    })
}

/// Takes the sealed record of each commit where there is one, and its note where there is none.
fn judge_records(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    standing: &[StoredRelease],
    ids: &[ObjectId],
    progress: &dyn Progress,
) -> Result<Vec<Judged>, Failure> {
    let mut judged = Vec::with_capacity(ids.len());
    let entries: std::collections::BTreeMap<ObjectId, crate::domain::Digest> = standing
        .iter()
        .flat_map(|release| &release.release().range)
        .map(|entry| (entry.commit, entry.record))
        .collect();
    let mut deltas = CommitDeltas::new(repository);
    for (at, id) in ids.iter().enumerate() {
        if at > 0 && at % 100 == 0 {
            progress.step(&format!("checked {at} of {} records", ids.len()));
        }
        let one = if let Some(record) = entries.get(id) {
            let (path, note) = range::sealed(log, id, record)?;
            range::judge_note(&mut deltas, trust, *id, note, log.position(&path))?
        } else {
            let note = repository.note(*id)?.ok_or_else(|| {
                let what = format!("commit {} has no record", id.short());
                Failure::new(Exit::Inconclusive, "GB-COVER-RECORD-MISSING", what).hint("git baseline record")
            })?;
            range::judge_note(&mut deltas, trust, *id, note, None)?
        };
        judged.push(one);
    }
    Ok(judged)
}

fn newest_time(judged: &[Judged]) -> Timestamp {
    judged.iter().map(|one| one.record.time).max().unwrap_or_else(|| Timestamp::from_seconds(0))
}
