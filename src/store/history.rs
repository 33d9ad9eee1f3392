//! Commits reached from commits, over raw objects: no commit-graph, no grafts, no replacement can lie here.

use std::collections::{BTreeSet, BinaryHeap};

use super::object::from_git;
use super::{Repository, StoreError};
use crate::domain::{Mode, ObjectId};

/// One commit of the log, with the files that it added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogCommit {
    /// The commit.
    pub id: ObjectId,
    /// Path and blob of each file that it added, sorted by path.
    pub added: Vec<(String, ObjectId)>,
    /// The checkpoint, where it wrote one.
    pub checkpoint: Option<ObjectId>,
}

/// The file that says how far somebody has validated the log. It is written anew each time.
pub const CHECKPOINT_PATH: &str = "checkpoint";
/// The folder of what is computed from the statements.
pub const TILE_FOLDER: &str = "tile/";

/// Says whether a file of the log is computed from its statements, and no statement itself.
pub(super) fn is_derived(path: &[u8]) -> bool {
    path == CHECKPOINT_PATH.as_bytes() || path.starts_with(TILE_FOLDER.as_bytes())
}

/// The files that a commit of the log added, and its checkpoint.
type Added = (Vec<(String, ObjectId)>, Option<ObjectId>);

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

    /// Returns the commits of the log, oldest first: each has one parent but the first, and only adds files.
    ///
    /// # Errors
    /// `GB-LOG-NOT-LINEAR`, `GB-LOG-REWRITTEN`; where an object is missing or malformed.
    pub fn log_history(&self, head: ObjectId) -> Result<Vec<LogCommit>, StoreError> {
        let mut commits = Vec::new();
        let mut next = Some(head);
        while let Some(id) = next {
            let commit = self.commit(id)?;
            next = match commit.parents.as_slice() {
                [] => None,
                [one] => Some(*one),
                _ => return Err(StoreError::new("GB-LOG-NOT-LINEAR", format!("commit {id} of the log is a merge"))),
            };
            commits.push(commit);
        }
        commits.reverse();
        let mut history = Vec::with_capacity(commits.len());
        let mut before = None;
        for commit in commits {
            let (added, checkpoint) = self.added_files(before, commit.tree, commit.id)?;
            history.push(LogCommit { id: commit.id, added, checkpoint });
            before = Some(commit.tree);
        }
        Ok(history)
    }

    fn added_files(&self, before: Option<ObjectId>, after: ObjectId, commit: ObjectId) -> Result<Added, StoreError> {
        let refuse = |what: String| StoreError::new("GB-LOG-REWRITTEN", format!("commit {commit} of the log {what}"));
        let (mut added, mut checkpoint) = (Vec::new(), None);
        for change in self.changed_paths(before, after)? {
            if is_derived(change.path.as_bytes()) {
                let written = change.after.filter(|(mode, _)| *mode == Mode::FILE);
                if change.path.as_bytes() == CHECKPOINT_PATH.as_bytes() {
                    checkpoint = written.map(|(_, blob)| blob);
                }
                continue;
            }
            match (change.before, change.after, String::from_utf8(change.path.as_bytes().to_vec())) {
                (None, Some((Mode::FILE, blob)), Ok(path)) => added.push((path, blob)),
                (Some(_), None, _) => return Err(refuse(format!("takes {} away", change.path))),
                (Some(_), Some(_), _) => return Err(refuse(format!("changes {} in place", change.path))),
                _ => return Err(refuse(format!("holds {}, which is no plain file", change.path))),
            }
        }
        Ok((added, checkpoint))
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
