//! Commits reached from commits, over raw objects: no commit-graph, no grafts, no replacement can lie here.

use std::collections::{BTreeSet, BinaryHeap};

use super::object::from_git;
use super::{Repository, StoreError};
use crate::domain::ObjectId;

impl Repository {
    /// Returns every commit reachable from `tip` and from none of `excluded`, newest first as their committers say.
    ///
    /// # Errors
    /// Where a commit is missing, damaged or malformed.
    pub fn commits_between(&self, tip: ObjectId, excluded: &[ObjectId]) -> Result<Vec<ObjectId>, StoreError> {
        let mut old = BTreeSet::new();
        let mut queue = excluded.to_vec();
        while let Some(id) = queue.pop() {
            if old.insert(id) {
                queue.extend(self.parents_of(id)?);
            }
        }
        let mut seen = BTreeSet::new();
        let mut order = Vec::new();
        let mut heap = BinaryHeap::new();
        if !old.contains(&tip) {
            heap.push((self.commit(tip)?.committer.time, tip));
            seen.insert(tip);
        }
        while let Some((_, id)) = heap.pop() {
            order.push(id);
            for parent in self.parents_of(id)? {
                if !old.contains(&parent) && seen.insert(parent) {
                    heap.push((self.commit(parent)?.committer.time, parent));
                }
            }
        }
        Ok(order)
    }

    fn parents_of(&self, id: ObjectId) -> Result<Vec<ObjectId>, StoreError> {
        if let Some(parents) = self.parents.borrow().get(&id) {
            return Ok(parents.clone());
        }
        Ok(self.commit(id)?.parents)
    }

    /// Says whether one commit is reached from another, or is the same.
    ///
    /// # Errors
    /// Where a commit is missing, damaged or malformed.
    pub fn is_ancestor(&self, old: ObjectId, new: ObjectId) -> Result<bool, StoreError> {
        let mut seen = BTreeSet::new();
        let mut queue = vec![new];
        while let Some(id) = queue.pop() {
            if id == old {
                return Ok(true);
            }
            if seen.insert(id) {
                queue.extend(self.parents_of(id)?);
            }
        }
        Ok(false)
    }

    /// Resolves a name of Git's to a commit.
    ///
    /// # Errors
    /// `GB-REPO-REVISION` where Git knows nothing of that name, or no commit.
    pub fn resolve_commit(&self, name: &str) -> Result<ObjectId, StoreError> {
        let unknown = || {
            let shown: String = name.chars().take(200).collect();
            StoreError::new("GB-REPO-REVISION", format!("there is no commit or release \"{}\"", shown.escape_debug()))
        };
        let id = self.git.rev_parse_single(name).map_err(|_| unknown())?;
        self.peel(from_git(&id))
    }

    /// Returns the commit that HEAD names; nothing on an unborn branch.
    ///
    /// # Errors
    /// Where HEAD is broken.
    pub fn head_commit(&self) -> Result<Option<ObjectId>, StoreError> {
        let head = self.git.head().map_err(|error| super::refs::broken("HEAD", &error))?;
        head.id().map(|id| self.peel(from_git(&id))).transpose()
    }

    /// Returns the tree of HEAD; nothing on an unborn branch.
    ///
    /// # Errors
    /// As [`Repository::head_commit`].
    pub fn head_tree(&self) -> Result<Option<ObjectId>, StoreError> {
        let head = self.head_commit()?;
        head.map(|id| self.commit(id).map(|commit| commit.tree)).transpose()
    }
}
