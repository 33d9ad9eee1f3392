//! `refs/notes/baseline`: one note per commit, at whatever fan-out Git left it.
//!
//! Never here: what a note says. The tree of notes is never signed, for its fan-out is no function of its content.

use std::collections::BTreeMap;

use super::error::line;
use super::object::{from_git, to_git};
use super::{Identity, Repository, StoreError};
use crate::domain::{Mode, ObjectId};

const NOTES: &str = "refs/notes/baseline";

impl Repository {
    /// Returns the note on a commit.
    ///
    /// # Errors
    /// `GB-NOTE-DUPLICATE` where two notes stand on one commit, `GB-NOTE-DAMAGED` where it is no plain file, and where
    /// an object is missing.
    pub fn note(&self, commit: ObjectId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(head) = self.reference(NOTES)? else { return Ok(None) };
        let mut found = Vec::new();
        let root = self.notes_tree(head)?;
        self.find_notes(root, commit.to_string().as_bytes(), &mut found)?;
        match found.as_slice() {
            [] => Ok(None),
            [(Mode::FILE, blob)] => self.blob(*blob).map(Some),
            [_] => Err(StoreError::new("GB-NOTE-DAMAGED", format!("the note on commit {commit} is no plain file"))),
            _ => Err(StoreError::new("GB-NOTE-DUPLICATE", format!("{} notes stand on commit {commit}", found.len()))),
        }
    }

    /// Returns the tree of a notes commit, read once.
    fn notes_tree(&self, head: ObjectId) -> Result<ObjectId, StoreError> {
        Ok(self.commit(head)?.tree)
    }

    /// Looks at every place where Git could have put the note: `<hex>`, `<2>/<rest>`, `<2>/<2>/<rest>`, …
    fn find_notes(&self, tree: ObjectId, rest: &[u8], found: &mut Vec<(Mode, ObjectId)>) -> Result<(), StoreError> {
        let (folder, below) = rest.split_at_checked(2).unwrap_or((rest, &[]));
        for entry in self.tree(tree)?.iter() {
            if entry.name == rest && !entry.is_tree() {
                found.push((entry.mode, entry.id));
            } else if entry.name == rest {
                // A folder of that name is a note of a kind that Git never writes.
                found.push((Mode::GITLINK, entry.id));
            } else if entry.is_tree() && entry.name == folder && !below.is_empty() {
                self.find_notes(entry.id, below, found)?;
            }
        }
        Ok(())
    }

    /// Says whether there are any notes of ours.
    ///
    /// # Errors
    /// Where the ref is broken.
    pub fn has_notes(&self) -> Result<bool, StoreError> {
        Ok(self.reference(NOTES)?.is_some())
    }

    /// Returns every note of a notes commit: the commit that it stands on, and its blob. Where two stand on one, and where
    /// something else stands in the tree, nothing is returned for it.
    ///
    /// # Errors
    /// Where an object is missing or malformed.
    pub fn notes_at(&self, head: ObjectId) -> Result<BTreeMap<ObjectId, ObjectId>, StoreError> {
        let mut notes: BTreeMap<ObjectId, Option<ObjectId>> = BTreeMap::new();
        for entry in self.tree_entries(self.notes_tree(head)?)? {
            let hex: String = String::from_utf8_lossy(entry.path.as_bytes()).replace('/', "");
            if let Some(commit) = ObjectId::parse(&hex).filter(|_| entry.mode == Mode::FILE) {
                notes.entry(commit).and_modify(|known| *known = None).or_insert(Some(entry.id));
            }
        }
        Ok(notes.into_iter().filter_map(|(commit, blob)| Some((commit, blob?))).collect())
    }

    /// Writes `notes` over those of `first`, as the merge of two notes commits; the ref itself is moved by the caller.
    ///
    /// # Errors
    /// Where objects cannot be read or written.
    pub fn write_merged_notes(
        &self,
        first: ObjectId,
        second: ObjectId,
        notes: &BTreeMap<ObjectId, Vec<u8>>,
        identity: &Identity,
        message: &str,
    ) -> Result<ObjectId, StoreError> {
        let tree = self.commit(self.write_notes(Some(first), notes, identity, message)?)?.tree;
        self.write_commit(tree, &[first, second], identity, message)
    }

    /// Writes notes over those of `expected` and returns the new notes commit; the ref itself is moved by the caller.
    ///
    /// # Errors
    /// Where objects cannot be read or written.
    pub fn write_notes(
        &self,
        expected: Option<ObjectId>,
        notes: &BTreeMap<ObjectId, Vec<u8>>,
        identity: &Identity,
        message: &str,
    ) -> Result<ObjectId, StoreError> {
        let root = match expected {
            Some(head) => self.notes_tree(head)?,
            None => self.write_tree(&BTreeMap::new())?,
        };
        let failed =
            |error: gix::Error| StoreError::new("GB-REPO-WRITE", format!("notes cannot be written: {}", line(&error)));
        let mut state = gix::note::plumbing::State::new(to_git(root), &self.git).map_err(failed)?;
        for (commit, bytes) in notes {
            let blob = to_git(self.write_blob(bytes)?);
            state.edit(to_git(*commit), Some(blob), &self.git).map_err(failed)?;
        }
        let tree = from_git(&state.write(&self.git).map_err(failed)?);
        let parents: Vec<ObjectId> = expected.into_iter().collect();
        self.write_commit(tree, &parents, identity, message)
    }
}
