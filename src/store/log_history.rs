//! The commits of the log, over raw objects: one line, that only ever adds files.
//!
//! What was read of it in an earlier run is taken from there, as long as its objects are still here; whatever is used
//! is read and hashed again. Serves contract §3.2.

use super::known_log::{self, KnownLog};
use super::object::{not_its_id, to_git};
use super::{Repository, StoreError};
use crate::domain::{Digest, Mode, ObjectId};

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

/// The file whose digest is the fingerprint.
const FIRST_ROOT: &str = "trust/1/root.cbor";

impl Repository {
    /// Returns the commits of the log, oldest first: each has one parent but the first, and only adds files.
    ///
    /// # Errors
    /// `GB-LOG-NOT-LINEAR`, `GB-LOG-REWRITTEN`; where an object is missing or malformed.
    pub fn log_history(&self, head: ObjectId) -> Result<Vec<LogCommit>, StoreError> {
        let mut known = Some(self.known_log(head));
        let mut commits = Vec::new();
        let mut next = Some(head);
        let mut history = Vec::new();
        let mut before = None;
        while let Some(id) = next {
            let commit = self.commit(id)?;
            if let Some(up_to_it) = known.and_then(|known| known.up_to(&id)) {
                if self.are_here(up_to_it) {
                    self.known_log_holds.set(true);
                    history.extend_from_slice(up_to_it);
                    before = Some(commit.tree);
                    break;
                }
                // Then everything is read, once.
                known = None;
            }
            next = match commit.parents.as_slice() {
                [] => None,
                [one] => Some(*one),
                _ => return Err(StoreError::new("GB-LOG-NOT-LINEAR", format!("commit {id} of the log is a merge"))),
            };
            commits.push(commit);
        }
        for commit in commits.into_iter().rev() {
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

    /// Returns what was read before of the log that `head` belongs to.
    fn known_log(&self, head: ObjectId) -> &KnownLog {
        self.known_log.get_or_init(|| {
            let recalled = || {
                let recall = self.recall.as_ref()?;
                let root = self.file(self.commit(head).ok()?.tree, &FIRST_ROOT.into()).ok().flatten()?;
                KnownLog::parse(&recall(&Digest::of(&root))?)
            };
            recalled().unwrap_or_default()
        })
    }

    /// What is gone must be missed, whatever was known of it.
    fn are_here(&self, commits: &[LogCommit]) -> bool {
        let is_here = |id: &ObjectId| self.git.has_object(to_git(*id));
        commits.iter().all(|commit| {
            is_here(&commit.id)
                && commit.checkpoint.iter().all(is_here)
                && commit.added.iter().all(|(_, blob)| is_here(blob))
        })
    }

    fn known_digest(&self, blob: &ObjectId) -> Option<Digest> {
        let read = self.digests.borrow().get(blob).copied();
        // Only once its objects were found to be here.
        let known = self.known_log.get().filter(|_| self.known_log_holds.get());
        read.or_else(|| known.and_then(|known| known.digest(blob)))
    }

    /// Returns the digest of a file of the log, which was read now or before.
    ///
    /// # Errors
    /// Where its blob is missing or damaged.
    pub fn log_digest(&self, blob: ObjectId) -> Result<Digest, StoreError> {
        self.known_digest(&blob).map_or_else(|| self.log_file(blob).map(|bytes| Digest::of(&bytes)), Ok)
    }

    /// Returns the bytes of a file of the log: the same as when its digest was taken.
    ///
    /// # Errors
    /// Where its blob is missing or damaged, or another one than before.
    pub fn log_file(&self, blob: ObjectId) -> Result<Vec<u8>, StoreError> {
        let bytes = self.blob(blob)?;
        let digest = Digest::of(&bytes);
        match self.known_digest(&blob) {
            Some(known) if known != digest => return Err(not_its_id(blob, "blob")),
            Some(_) => {}
            None => {
                self.digests.borrow_mut().insert(blob, digest);
            }
        }
        Ok(bytes)
    }

    /// Returns what the next run need not read again, once so many files more than before have been read.
    pub fn log_memory(&self, commits: &[LogCommit], at_least: usize) -> Option<Vec<u8>> {
        let known = self.known_log.get().filter(|_| self.known_log_holds.get()).map_or(0, KnownLog::files);
        let files: usize = commits.iter().map(|commit| commit.added.len()).sum();
        let more = files.saturating_sub(known);
        if more == 0 || more < at_least {
            return None;
        }
        known_log::compose(commits, |blob| self.known_digest(blob))
    }
}
