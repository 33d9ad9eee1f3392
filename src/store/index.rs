//! The staged index as a source, and what it changes against HEAD.
//!
//! Never here: the working tree. What is judged are the bytes that the commit will hold. Git's cache of trees is used
//! as a shortcut; the index is local and proves nothing, so a lie in it could only mislead its owner's own hook.

use std::collections::BTreeMap;

use gix::index::entry::{Mode as IndexMode, Stage};
use gix::index::extension::Tree as CachedTree;

use super::error::line;
use super::object::from_git;
use super::tree::Change;
use super::{Repository, StoreError, snapshot};
use crate::collect::{Content, Entry, Source};
use crate::domain::{Mode, ObjectFormat, ObjectId, RepoPath};

/// The staged index.
pub struct IndexSource<'r> {
    repository: &'r Repository,
    index: Option<gix::index::File>,
}

impl<'r> IndexSource<'r> {
    /// Opens the index: the one that the location named, or the repository's own. A missing one is empty.
    ///
    /// # Errors
    /// Where it cannot be read, and `GB-REPO-CONFLICT` where a merge is not finished.
    pub fn open(repository: &'r Repository) -> Result<Self, StoreError> {
        let path = repository.index_file.clone().unwrap_or_else(|| repository.git.index_path());
        let options = gix::index::decode::Options::default();
        let index = if path.exists() {
            let read = gix::index::File::at(&path, repository.git.object_hash(), false, options);
            Some(read.map_err(|error| {
                StoreError::new("GB-REPO-INDEX", format!("the index cannot be read: {}", line(&error)))
            })?)
        } else {
            None
        };
        let source = Self { repository, index };
        if let Some(path) =
            source.raw_entries().find(|(_, entry)| entry.stage() != Stage::Unconflicted).map(|(path, _)| path)
        {
            return Err(StoreError::new(
                "GB-REPO-CONFLICT",
                format!("{} is in conflict", RepoPath::new(path.to_vec())),
            ));
        }
        Ok(source)
    }

    fn raw_entries(&self) -> impl Iterator<Item = (&[u8], &gix::index::Entry)> {
        let index = self.index.as_ref();
        index.into_iter().flat_map(|index| index.entries().iter().map(|entry| (entry.path(index).as_ref(), entry)))
    }

    /// Returns the staged content of a file; nothing where there is no such file.
    ///
    /// # Errors
    /// Where its blob is missing or damaged.
    pub fn file(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(index) = &self.index else { return Ok(None) };
        let entry = index.entry_by_path(path.as_bytes().into());
        entry.map(|entry| self.repository.blob(from_git(&entry.id))).transpose()
    }

    /// Returns the entries, those below `skipped` folders left out; folders of a sparse index are spelled out.
    fn list(&self, skipped: &[Vec<u8>]) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for (path, entry) in self.raw_entries() {
            if is_below(path, skipped) || entry.flags.contains(gix::index::entry::Flags::INTENT_TO_ADD) {
                continue;
            }
            let id = from_git(&entry.id);
            if entry.mode == IndexMode::DIR {
                let folder = path.strip_suffix(b"/").unwrap_or(path);
                self.repository.list(id, folder, 0, &mut entries)?;
            } else {
                entries.push(Entry { path: RepoPath::new(path.to_vec()), mode: Mode::new(entry.mode.bits()), id });
            }
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }
}

/// Says whether a path stands below one of some folders, which are sorted and end in a slash.
fn is_below(path: &[u8], folders: &[Vec<u8>]) -> bool {
    if folders.first().is_some_and(Vec::is_empty) {
        return true;
    }
    let at = folders.partition_point(|folder| folder.as_slice() <= path);
    // Equal folders never nest, so only the nearest one before can hold the path.
    at.checked_sub(1).and_then(|at| folders.get(at)).is_some_and(|folder| path.starts_with(folder))
}

impl Repository {
    /// Returns what is staged against a tree, sorted by path.
    ///
    /// # Errors
    /// Where a tree is missing or damaged.
    pub fn staged_changes(&self, index: &IndexSource<'_>, head: Option<ObjectId>) -> Result<Vec<Change>, StoreError> {
        let mut equal = Vec::new();
        let mut old = BTreeMap::new();
        if let Some(head) = head {
            let cached = index.index.as_ref().and_then(|index| index.tree());
            self.list_unequal(head, cached, &[], &mut equal, &mut old)?;
        }
        equal.sort();
        let mut changes = Vec::new();
        for entry in index.list(&equal)? {
            let (path, after) = (entry.path, (entry.mode, entry.id));
            let before = old.remove(&path);
            if before != Some(after) {
                changes.push(Change { path, before, after: Some(after) });
            }
        }
        changes.extend(old.into_iter().map(|(path, before)| Change { path, before: Some(before), after: None }));
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    /// Lists a tree without the subtrees that the index is known to hold unchanged, and names those.
    fn list_unequal(
        &self,
        id: ObjectId,
        cached: Option<&CachedTree>,
        folder: &[u8],
        equal: &mut Vec<Vec<u8>>,
        old: &mut BTreeMap<RepoPath, (Mode, ObjectId)>,
    ) -> Result<(), StoreError> {
        if cached.is_some_and(|cached| cached.num_entries.is_some() && from_git(&cached.id) == id) {
            equal.push(folder.to_vec());
            return Ok(());
        }
        for entry in self.tree(id)?.iter() {
            let path = [folder, &entry.name].concat();
            if !entry.is_tree() {
                old.insert(RepoPath::new(path), (entry.mode, entry.id));
                continue;
            }
            let children = cached.map(|cached| cached.children.as_slice()).unwrap_or_default();
            let child = children.iter().find(|child| child.name.as_slice() == entry.name);
            self.list_unequal(entry.id, child, &[&path, &b"/"[..]].concat(), equal, old)?;
        }
        Ok(())
    }
}

impl Source for IndexSource<'_> {
    type Error = StoreError;

    fn object_format(&self) -> ObjectFormat {
        self.repository.object_format()
    }

    fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.list(&[])
    }

    fn read_each<T, F>(&self, entries: &[Entry], look: F) -> Result<Vec<T>, StoreError>
    where
        T: Send,
        F: Fn(&Entry, Content<'_>) -> T + Sync,
    {
        snapshot::read_each(self.repository, entries, look)
    }
}
