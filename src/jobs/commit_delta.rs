//! What one commit changed against its first parent, in terms of items and components.
//!
//! Only changed files are read, unless the policy itself changed. Hooks, `record`, `verify` and `log` all use this
//! one function, so that what was recorded is what is recomputed.

use crate::checks;
use crate::collect::{self, Entry};
use crate::domain::{ComponentDelta, ConfigurationItem, Digest, EntryKind, ItemDelta, ObjectId, RepoPath};
use crate::jobs::Failure;
use crate::policy::{COMPONENTS_PATH, ComponentOverlay, POLICY_PATH, Policy, PolicyError};
use crate::store::{Change, Commit, Repository, TreeSource};

/// The delta of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitDelta {
    /// Items, sorted by path.
    pub items: Vec<ItemDelta>,
    /// Components, sorted.
    pub components: Vec<ComponentDelta>,
    /// Digest of the policy in the commit's tree.
    pub policy: Option<Digest>,
}

/// One side of a comparison: a tree under its own policy.
struct Side {
    tree: ObjectId,
    policy: Policy,
}

/// Computes what a commit changed against its first parent, or against nothing.
///
/// # Errors
/// Where an object is missing or malformed.
pub fn commit_delta(repository: &Repository, commit: &Commit) -> Result<CommitDelta, Failure> {
    let parent = match commit.parents.first() {
        Some(parent) => Some(repository.commit(*parent)?.tree),
        None => None,
    };
    delta_between(repository, parent, commit.tree, None)
}

/// Computes what lies between two trees, each under its own policy; with `policy`, both under that one.
///
/// # Errors
/// Where an object is missing or malformed.
pub(super) fn delta_between(
    repository: &Repository,
    before: Option<ObjectId>,
    after: ObjectId,
    policy: Option<&Policy>,
) -> Result<CommitDelta, Failure> {
    let side = |tree: ObjectId| match policy {
        Some(policy) => Ok(Side { tree, policy: policy.clone() }),
        None => side(repository, tree),
    };
    let before = before.map(side).transpose()?;
    let after = side(after)?;
    let changes = repository.changed_paths(before.as_ref().map(|side| side.tree), after.tree)?;
    let policy_changed =
        policy.is_none() && changes.iter().any(|change| change.path.as_bytes() == POLICY_PATH.as_bytes());
    let (old, new) = if policy_changed {
        (
            before.as_ref().map_or_else(|| Ok(Vec::new()), |side| all_items(repository, side))?,
            all_items(repository, &after)?,
        )
    } else {
        changed_items(repository, before.as_ref(), &after, &changes)?
    };
    let components = if policy_changed || changes.iter().any(|change| touches_components(&after.policy, change)) {
        let old = before.as_ref().map(|side| components(repository, side)).transpose()?.unwrap_or_default();
        ComponentDelta::between(&old, &components(repository, &after)?)
    } else {
        Vec::new()
    };
    Ok(CommitDelta { items: ItemDelta::between(&old, &new), components, policy: after.policy.digest })
}

/// Returns the policy of a tree as it is used for deltas: one that cannot be read hides nothing, so the built-in
/// policy stands in for it. Releases refuse such a tree (`policy_of`).
fn side(repository: &Repository, tree: ObjectId) -> Result<Side, Failure> {
    let bytes = repository.file(tree, &RepoPath::from(POLICY_PATH))?;
    Ok(Side { tree, policy: Policy::from_file_or_built_in(bytes.as_deref()) })
}

/// Returns the policy of a tree whose overlay of components can be read too, since collecting only passes over one that
/// cannot.
///
/// # Errors
/// Where one of the two cannot be read; the failure names file and line.
pub fn policy_of(repository: &Repository, tree: ObjectId) -> Result<Policy, Failure> {
    let bytes = repository.file(tree, &RepoPath::from(POLICY_PATH))?;
    if let Some(overlay) = repository.file(tree, &RepoPath::from(COMPONENTS_PATH))? {
        ComponentOverlay::parse(&overlay)?;
    }
    Ok(valid_policy(bytes.as_deref())?)
}

/// Returns a policy whose rules exist and may have the severities that it gives them.
///
/// # Errors
/// [`PolicyError`] with file and line.
pub(super) fn valid_policy(bytes: Option<&[u8]>) -> Result<Policy, PolicyError> {
    let policy = Policy::from_file(bytes)?;
    checks::severities(&policy).map(|_| policy)
}

fn all_items(repository: &Repository, side: &Side) -> Result<Vec<ConfigurationItem>, Failure> {
    let source = TreeSource::new(repository, side.tree);
    let entries = collect::Source::entries(&source)?;
    Ok(collect::collect_items(&source, &side.policy, &entries)?.items)
}

fn changed_items(
    repository: &Repository,
    before: Option<&Side>,
    after: &Side,
    changes: &[Change],
) -> Result<(Vec<ConfigurationItem>, Vec<ConfigurationItem>), Failure> {
    let entries = |pick: fn(&Change) -> Option<Entry>| changes.iter().filter_map(pick).collect::<Vec<_>>();
    let items = |side: &Side, entries: &[Entry]| {
        let source = TreeSource::new(repository, side.tree);
        collect::collect_items(&source, &side.policy, entries).map(|found| found.items)
    };
    let old = before.map(|side| items(side, &entries(Change::entry_before))).transpose()?.unwrap_or_default();
    Ok((old, items(after, &entries(Change::entry_after))?))
}

/// Says whether a change can change the list of components.
pub(super) fn touches_components(policy: &Policy, change: &Change) -> bool {
    [change.entry_before(), change.entry_after()]
        .into_iter()
        .flatten()
        .any(|entry| entry.mode.kind() == EntryKind::Gitlink || collect::is_lock(policy, &entry))
}

fn components(repository: &Repository, side: &Side) -> Result<Vec<crate::domain::Component>, Failure> {
    let source = TreeSource::new(repository, side.tree);
    Ok(collect::collect_components(&source, &side.policy)?.components)
}
