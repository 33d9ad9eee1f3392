//! Keys and certificates that nobody has replaced for longer than the policy allows.
//!
//! Serves NIST SP 800-57 pt. 1, 5.3 (cryptoperiods). Cheap: one walk along first parents to the moment in question, and
//! one listing of the tree as it was. Never here: content. A key that was sealed anew counts as replaced.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks;
use crate::domain::{ConfigurationItem, EntryKind, ObjectId, Observation, RepoPath, Timestamp};
use crate::jobs::{Exit, Failure};
use crate::store::Repository;

/// Returns the items of `commit` that stood in the same bytes, under whatever path, as many days ago as `days` allows.
///
/// # Errors
/// `GB-REPO-SHALLOW` where history is cut off; where an object is missing or malformed.
pub(super) fn overdue(
    repository: &Repository,
    commit: ObjectId,
    items: &[ConfigurationItem],
    days: impl Fn(&ConfigurationItem) -> Option<i64>,
    as_of: Timestamp,
) -> Result<Vec<(RepoPath, Observation)>, Failure> {
    let mut by_days: BTreeMap<i64, Vec<&ConfigurationItem>> = BTreeMap::new();
    for item in items.iter().filter(|item| checks::is_rotated(item)) {
        if let Some(days) = days(item) {
            by_days.entry(days).or_default().push(item);
        }
    }
    let mut overdue = Vec::new();
    for (days, wanted) in by_days {
        let Some(tree) = tree_at(repository, commit, as_of.plus_days(-days))? else { continue };
        let entries = repository.tree_entries(tree)?;
        let files = entries.into_iter().filter(|entry| entry.mode.kind() == EntryKind::File);
        let old: BTreeSet<ObjectId> = files.map(|entry| entry.id).collect();
        overdue.extend(wanted.into_iter().filter(|item| old.contains(&item.git_id)).map(|item| {
            let message = format!("it has not been replaced for {days} days or more");
            (item.path.clone(), Observation { rule: "rotation-overdue", line: None, message })
        }));
    }
    overdue.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(overdue)
}

/// Returns the tree as it was at a moment; none where there was nothing yet.
fn tree_at(repository: &Repository, tip: ObjectId, moment: Timestamp) -> Result<Option<ObjectId>, Failure> {
    if repository.is_shallow() {
        let what = "this clone is shallow: how long keys have been in use cannot be known";
        return Err(Failure::new(Exit::Inconclusive, "GB-REPO-SHALLOW", what).hint("git fetch --unshallow"));
    }
    let mut next = Some(tip);
    while let Some(id) = next {
        let commit = repository.commit(id)?;
        if Timestamp::from_seconds(commit.committer.time) <= moment {
            return Ok(Some(commit.tree));
        }
        next = commit.parents.first().copied();
    }
    Ok(None)
}
