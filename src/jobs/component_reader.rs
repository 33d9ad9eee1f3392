//! The components of one tree after the other: from a tree to the next only what differs is looked at, and no lock file
//! is read twice.
//!
//! For histories and tags. Never here: another answer than `collect::collect_components` gives for the tree alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::collect::{self, Entry};
use crate::components::{LockFile, Memory};
use crate::domain::{Component, Digest, EntryKind, ObjectId, RepoPath};
use crate::jobs::Failure;
use crate::policy::Policy;
use crate::store::{Repository, TreeSource};

/// So many lists are kept: most trees have the lock files of a neighbour.
const MOST_KNOWN: usize = 16;

/// Reads the components of trees, and remembers.
pub(super) struct ComponentReader<'r> {
    repository: &'r Repository,
    memory: Memory,
    at: Option<Place>,
    /// The contents of the lock files of the tree read last.
    held: BTreeMap<ObjectId, LockFile>,
    known: VecDeque<(Digest, Arc<Vec<Component>>)>,
}

/// The tree that was looked at last: what in it can change its components.
struct Place {
    tree: ObjectId,
    policy: Option<Digest>,
    entries: BTreeMap<RepoPath, Entry>,
}

impl<'r> ComponentReader<'r> {
    /// Begins with nothing in mind.
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self { repository, memory: Memory::default(), at: None, held: BTreeMap::new(), known: VecDeque::new() }
    }

    /// Returns the components of a tree, sorted by purl.
    ///
    /// # Errors
    /// Where an object is missing or malformed.
    pub(super) fn components(&mut self, tree: ObjectId, policy: &Policy) -> Result<Arc<Vec<Component>>, Failure> {
        let place = self.moved_to(tree, policy)?;
        let entries: Vec<Entry> = place.entries.values().cloned().collect();
        self.at = Some(place);
        let key = key(policy, &entries);
        if let Some(at) = self.known.iter().position(|(known, _)| *known == key)
            && let Some(known) = self.known.remove(at)
        {
            let components = Arc::clone(&known.1);
            self.known.push_front(known);
            return Ok(components);
        }
        let locks = self.locks(tree, policy, &entries)?;
        let components =
            Arc::new(collect::remembered_components(&mut self.memory, &locks, policy, &entries).components);
        self.held = locks.into_iter().filter_map(|lock| Some((lock.id()?, lock))).collect();
        self.known.push_front((key, Arc::clone(&components)));
        self.known.truncate(MOST_KNOWN);
        Ok(components)
    }

    /// Goes to a tree, from the one before where that is under the same policy.
    fn moved_to(&mut self, tree: ObjectId, policy: &Policy) -> Result<Place, Failure> {
        let matters = |entry: &Entry| entry.mode.kind() == EntryKind::Gitlink || collect::is_lock(policy, entry);
        let Some(mut place) = self.at.take().filter(|place| place.policy == policy.digest) else {
            let entries = self.repository.tree_entries(tree)?;
            let entries = entries.into_iter().filter(matters).map(|entry| (entry.path.clone(), entry)).collect();
            return Ok(Place { tree, policy: policy.digest, entries });
        };
        for change in self.repository.changed_paths(Some(place.tree), tree)? {
            match change.entry_after().filter(matters) {
                Some(entry) => drop(place.entries.insert(change.path, entry)),
                // A file that became a folder is gone, and so is one that another kind of entry took the place of.
                None => drop(place.entries.remove(&change.path)),
            }
        }
        place.tree = tree;
        Ok(place)
    }

    /// Returns the lock files, reading those that are not held.
    fn locks(&self, tree: ObjectId, policy: &Policy, entries: &[Entry]) -> Result<Vec<LockFile>, Failure> {
        let is_held = |entry: &Entry| self.held.contains_key(&entry.id);
        let (held, new): (Vec<Entry>, Vec<Entry>) = entries.iter().cloned().partition(is_held);
        let mut locks = collect::read_locks(&TreeSource::new(self.repository, tree), policy, &new)?;
        let again = held.into_iter().filter(|entry| collect::is_lock(policy, entry));
        locks.extend(again.filter_map(|entry| Some(self.held.get(&entry.id)?.at(entry.path))));
        Ok(locks)
    }
}

/// Names what the components follow from.
fn key(policy: &Policy, entries: &[Entry]) -> Digest {
    let mut key = policy.digest.map_or([0; 32], |digest| *digest.as_bytes()).to_vec();
    for entry in entries {
        key.extend_from_slice(entry.mode.to_string().as_bytes());
        key.extend_from_slice(entry.id.to_string().as_bytes());
        key.extend_from_slice(entry.path.as_bytes());
        key.push(0);
    }
    Digest::of(&key)
}
