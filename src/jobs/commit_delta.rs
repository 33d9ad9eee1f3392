//! What one commit changed against its first parent, in terms of items and components.
//!
//! Only changed files are read, unless the policy itself changed. Hooks, `record`, `verify` and `log` all use this
//! one function, so that what was recorded is what is recomputed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::checks;
use crate::collect::{self, Entry};
use crate::domain::{Component, ComponentDelta, ConfigurationItem, Digest, EntryKind, ItemDelta, ObjectId, RepoPath};
use crate::jobs::Failure;
use crate::jobs::component_reader::ComponentReader;
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

/// What a history wants to know of a commit; what is not wanted stays empty.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Items.
    pub items: bool,
    /// Components.
    pub components: bool,
}

/// A component's delta, with the files that name the component on either side.
#[derive(Clone, Debug)]
pub struct ComponentChange {
    /// What changed.
    pub delta: ComponentDelta,
    /// Sorted, those first that the commit changed.
    pub found_in: Vec<RepoPath>,
}

/// What one commit of many changed.
pub(super) struct Changes {
    /// Items, sorted by path.
    pub(super) items: Vec<ItemDelta>,
    /// Components, sorted.
    pub(super) components: Vec<ComponentChange>,
    policy: Option<Digest>,
}

/// One side of a comparison: a tree under its own policy.
struct Side {
    tree: ObjectId,
    policy: Arc<Policy>,
}

/// So many policies are kept: most commits have that of a neighbour.
const MOST_POLICIES: usize = 64;

/// Computes the deltas of one commit after the other, and remembers policies and lock files.
pub(super) struct CommitDeltas<'r> {
    repository: &'r Repository,
    reader: ComponentReader<'r>,
    policies: BTreeMap<Option<ObjectId>, Arc<Policy>>,
}

impl<'r> CommitDeltas<'r> {
    /// Begins with nothing in mind.
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { repository, reader: ComponentReader::new(repository), policies: BTreeMap::new() }
    }

    /// Returns the repository that is read.
    pub(super) const fn repository(&self) -> &'r Repository {
        self.repository
    }

    /// Computes what a commit changed against its first parent, or against nothing.
    ///
    /// # Errors
    /// Where an object is missing or malformed.
    pub(super) fn of(&mut self, commit: &Commit) -> Result<CommitDelta, Failure> {
        let Changes { items, components, policy } = self.changes(commit, Wanted { items: true, components: true })?;
        let components = components.into_iter().map(|change| change.delta).collect();
        Ok(CommitDelta { items, components, policy })
    }

    /// Computes what a commit changed and is wanted.
    ///
    /// # Errors
    /// As [`CommitDeltas::of`].
    pub(super) fn changes(&mut self, commit: &Commit, wanted: Wanted) -> Result<Changes, Failure> {
        let parent = match commit.parents.first() {
            Some(parent) => Some(self.repository.commit(*parent)?.tree),
            None => None,
        };
        let before = parent.map(|tree| self.side(tree)).transpose()?;
        let after = self.side(commit.tree)?;
        between(self.repository, &mut self.reader, before, &after, wanted)
    }

    /// Returns the policy of a tree as it is used for deltas: one that cannot be read hides nothing, so the built-in
    /// policy stands in for it. Releases refuse such a tree (`policy_of`).
    ///
    /// # Errors
    /// As [`CommitDeltas::of`].
    pub(super) fn policy(&mut self, tree: ObjectId) -> Result<Arc<Policy>, Failure> {
        let blob = self.repository.file_id(tree, &RepoPath::from(POLICY_PATH))?;
        if let Some(known) = self.policies.get(&blob) {
            return Ok(Arc::clone(known));
        }
        if self.policies.len() >= MOST_POLICIES {
            self.policies.clear();
        }
        let bytes = blob.map(|blob| self.repository.blob(blob)).transpose()?;
        let policy = Arc::new(Policy::from_file_or_built_in(bytes.as_deref()));
        self.policies.insert(blob, Arc::clone(&policy));
        Ok(policy)
    }

    fn side(&mut self, tree: ObjectId) -> Result<Side, Failure> {
        Ok(Side { tree, policy: self.policy(tree)? })
    }
}

/// Computes what a commit changed against its first parent, or against nothing.
///
/// # Errors
/// Where an object is missing or malformed.
pub fn commit_delta(repository: &Repository, commit: &Commit) -> Result<CommitDelta, Failure> {
    CommitDeltas::new(repository).of(commit)
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
    let mut deltas = CommitDeltas::new(repository);
    let mut side = |tree: ObjectId| match policy {
        Some(policy) => Ok(Side { tree, policy: Arc::new(policy.clone()) }),
        None => deltas.side(tree),
    };
    let all = Wanted { items: true, components: true };
    let before = before.map(&mut side).transpose()?;
    let after = side(after)?;
    let Changes { items, components, policy } =
        between(repository, &mut ComponentReader::new(repository), before, &after, all)?;
    let components = components.into_iter().map(|change| change.delta).collect();
    Ok(CommitDelta { items, components, policy })
}

fn between(
    repository: &Repository,
    reader: &mut ComponentReader<'_>,
    before: Option<Side>,
    after: &Side,
    wanted: Wanted,
) -> Result<Changes, Failure> {
    let changes = repository.changed_paths(before.as_ref().map(|side| side.tree), after.tree)?;
    let same_policy = before.as_ref().is_none_or(|before| before.policy.digest == after.policy.digest);
    let policy_changed = !same_policy && changes.iter().any(|change| change.path.as_bytes() == POLICY_PATH.as_bytes());
    let items =
        if wanted.items { items_of(repository, before.as_ref(), after, &changes, policy_changed)? } else { Vec::new() };
    let touched = policy_changed || changes.iter().any(|change| touches_components(&after.policy, change));
    let components = if wanted.components && touched {
        // The newer side first: a history goes back in time, and stands there already.
        let new = reader.components(after.tree, &after.policy)?;
        let old = before.map(|side| reader.components(side.tree, &side.policy)).transpose()?.unwrap_or_default();
        component_changes(&old, &new, &changes)
    } else {
        Vec::new()
    };
    Ok(Changes { items, components, policy: after.policy.digest })
}

fn items_of(
    repository: &Repository,
    before: Option<&Side>,
    after: &Side,
    changes: &[Change],
    policy_changed: bool,
) -> Result<Vec<ItemDelta>, Failure> {
    let (old, new) = if policy_changed {
        let old = before.map_or_else(|| Ok(Vec::new()), |side| all_items(repository, side))?;
        (old, all_items(repository, after)?)
    } else {
        changed_items(repository, before, after, changes)?
    };
    Ok(ItemDelta::between(&old, &new))
}

fn component_changes(old: &Arc<Vec<Component>>, new: &Arc<Vec<Component>>, changes: &[Change]) -> Vec<ComponentChange> {
    if Arc::ptr_eq(old, new) {
        return Vec::new();
    }
    let places = |list: &[Component], purl: Option<&str>| {
        let at = purl.and_then(|purl| list.binary_search_by(|component| component.purl.as_str().cmp(purl)).ok());
        at.and_then(|at| list.get(at)).map(|component| component.found_in.clone()).unwrap_or_default()
    };
    let changed = |path: &RepoPath| changes.binary_search_by(|change| change.path.cmp(path)).is_ok();
    let change = |delta: ComponentDelta| {
        let purl = |state: &Option<crate::domain::ComponentState>| state.as_ref().map(|state| state.purl.clone());
        let mut found_in = places(new, purl(&delta.after).as_deref());
        found_in.extend(places(old, purl(&delta.before).as_deref()));
        found_in.sort_by_cached_key(|path| (!changed(path), path.clone()));
        found_in.dedup();
        ComponentChange { delta, found_in }
    };
    ComponentDelta::between(old, new).into_iter().map(change).collect()
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
