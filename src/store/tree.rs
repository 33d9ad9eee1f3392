//! Trees: parsed strictly, walked, and compared.
//!
//! Never here: what an entry means. Names are bytes; a name that Git cannot have written is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Repository, StoreError};
use crate::collect::Entry;
use crate::domain::{Mode, ObjectId, RepoPath};

/// How deep folders may nest.
const MOST_DEPTH: usize = 512;

const FOLDER: u32 = 0o040_000;

/// One entry of one tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TreeEntry {
    pub(super) name: Vec<u8>,
    pub(super) mode: Mode,
    pub(super) id: ObjectId,
    folder: bool,
}

impl TreeEntry {
    pub(super) fn is_tree(&self) -> bool {
        self.folder
    }

    /// Git sorts folders as if their names ended in a slash.
    fn key(&self) -> impl Iterator<Item = &u8> {
        self.name.iter().chain(self.folder.then_some(&b'/'))
    }
}

/// Trees that were read: of neighbouring commits, most are the same.
#[derive(Default)]
pub(super) struct Trees {
    held: BTreeMap<ObjectId, Rc<Vec<TreeEntry>>>,
    entries: usize,
}

/// No more entries are kept of all trees together.
const MOST_ENTRIES: usize = 65_536;

impl Trees {
    pub(super) fn get(&self, id: &ObjectId) -> Option<Rc<Vec<TreeEntry>>> {
        self.held.get(id).map(Rc::clone)
    }

    pub(super) fn keep(&mut self, id: ObjectId, entries: &Rc<Vec<TreeEntry>>) {
        self.entries = self.entries.saturating_add(entries.len()).saturating_add(1);
        if self.entries > MOST_ENTRIES {
            self.held.clear();
            self.entries = entries.len().saturating_add(1);
        }
        if self.entries <= MOST_ENTRIES {
            self.held.insert(id, Rc::clone(entries));
        }
    }
}

/// A path that differs between two trees, or between a tree and the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// Mode and id before; none where it is new.
    pub before: Option<(Mode, ObjectId)>,
    /// Mode and id after; none where it is gone.
    pub after: Option<(Mode, ObjectId)>,
}

impl Change {
    /// Returns the entry as it was.
    pub fn entry_before(&self) -> Option<Entry> {
        self.before.map(|(mode, id)| Entry { path: self.path.clone(), mode, id })
    }

    /// Returns the entry as it is.
    pub fn entry_after(&self) -> Option<Entry> {
        self.after.map(|(mode, id)| Entry { path: self.path.clone(), mode, id })
    }
}

/// Parses a tree's bytes.
pub(super) fn parse(id: ObjectId, bytes: &[u8]) -> Result<Vec<TreeEntry>, StoreError> {
    let fail = |what: &str| StoreError::malformed(id, what);
    let width = id.as_bytes().len();
    let mut entries: Vec<TreeEntry> = Vec::with_capacity(bytes.len() / 40);
    let mut rest = bytes;
    while !rest.is_empty() {
        let space = memchr::memchr(b' ', rest).ok_or_else(|| fail("an entry without name"))?;
        let (digits, after) = rest.split_at(space);
        let nul = memchr::memchr(0, after).ok_or_else(|| fail("an entry without end"))?;
        let name = after.get(1..nul).unwrap_or_default();
        let tail = after.get(nul + 1..).unwrap_or_default();
        let target =
            tail.get(..width).and_then(ObjectId::from_bytes).ok_or_else(|| fail("an entry that is cut off"))?;
        rest = tail.get(width..).unwrap_or_default();
        let mode = octal(digits).ok_or_else(|| fail("a mode that is no octal number"))?;
        if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
            return Err(fail("a name that no file can have"));
        }
        let entry = TreeEntry { name: name.to_vec(), mode: Mode::new(mode), id: target, folder: mode == FOLDER };
        if entries.last().is_some_and(|last| last.name == entry.name || !last.key().lt(entry.key())) {
            return Err(fail("entries that are not in order, or one that stands twice"));
        }
        // A file and a folder of one name need not stand side by side, and would be written over each other.
        let twin = |other: &TreeEntry| other.name.iter().chain(other.folder.then_some(&b'/')).cmp(&entry.name);
        if entry.folder && entries.binary_search_by(twin).is_ok() {
            return Err(fail("a file and a folder of the same name"));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn octal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 7 {
        return None;
    }
    digits
        .iter()
        .try_fold(0, |value, digit| (b'0'..=b'7').contains(digit).then(|| value << 3 | u32::from(digit - b'0')))
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

impl Repository {
    /// Returns every file, link and submodule of a tree, sorted by path bytes.
    ///
    /// # Errors
    /// Where a tree is missing, damaged, malformed, or too deep.
    pub fn tree_entries(&self, root: ObjectId) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        self.list(root, &[], 0, &mut entries)?;
        Ok(entries)
    }

    pub(super) fn list(
        &self,
        id: ObjectId,
        folder: &[u8],
        depth: usize,
        into: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        if depth > MOST_DEPTH {
            return Err(StoreError::malformed(id, "folders nest deeper than 512"));
        }
        for entry in self.tree(id)?.iter() {
            let path = join(folder, &entry.name);
            if entry.is_tree() {
                self.list(entry.id, &path, depth + 1, into)?;
            } else {
                into.push(Entry { path: RepoPath::new(path), mode: entry.mode, id: entry.id });
            }
        }
        Ok(())
    }

    /// Returns the first object of a tree, itself and its folders included, that is one of `wanted`.
    ///
    /// # Errors
    /// As [`Repository::tree_entries`].
    pub fn first_in_tree(&self, root: ObjectId, wanted: &BTreeSet<ObjectId>) -> Result<Option<ObjectId>, StoreError> {
        let mut queue = vec![(root, 0)];
        while let Some((id, depth)) = queue.pop() {
            if wanted.contains(&id) {
                return Ok(Some(id));
            }
            if depth > MOST_DEPTH {
                return Err(StoreError::malformed(id, "folders nest deeper than 512"));
            }
            for entry in self.tree(id)?.iter() {
                if entry.is_tree() {
                    queue.push((entry.id, depth + 1));
                } else if wanted.contains(&entry.id) {
                    return Ok(Some(entry.id));
                }
            }
        }
        Ok(None)
    }

    /// Returns the paths that differ between two trees, sorted; equal subtrees are not read.
    ///
    /// # Errors
    /// As [`Repository::tree_entries`].
    pub fn changed_paths(&self, before: Option<ObjectId>, after: ObjectId) -> Result<Vec<Change>, StoreError> {
        let mut changes = Vec::new();
        if before != Some(after) {
            self.compare(before, Some(after), &[], 0, &mut changes)?;
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    fn compare(
        &self,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
        folder: &[u8],
        depth: usize,
        into: &mut Vec<Change>,
    ) -> Result<(), StoreError> {
        if let (Some(id), true) = (after.or(before), depth > MOST_DEPTH) {
            return Err(StoreError::malformed(id, "folders nest deeper than 512"));
        }
        let entries = |id: Option<ObjectId>| id.map_or_else(|| Ok(Rc::default()), |id| self.tree(id));
        let (old, new) = (entries(before)?, entries(after)?);
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        loop {
            // Entries of one name and kind meet; a file that became a folder is gone, and the folder is new.
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.key().cmp(b.key()),
            };
            let gone = if order.is_le() { old.next() } else { None };
            let come = if order.is_ge() { new.next() } else { None };
            let Some(named) = come.or(gone) else { return Ok(()) };
            if let (Some(a), Some(b)) = (gone, come)
                && (a.mode, a.id) == (b.mode, b.id)
            {
                continue;
            }
            let path = join(folder, &named.name);
            if named.is_tree() {
                self.compare(gone.map(|entry| entry.id), come.map(|entry| entry.id), &path, depth + 1, into)?;
            } else {
                let side = |entry: Option<&TreeEntry>| entry.map(|entry| (entry.mode, entry.id));
                into.push(Change { path: RepoPath::new(path), before: side(gone), after: side(come) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str)]) -> Vec<u8> {
        entries
            .iter()
            .flat_map(|(mode, name)| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &[7; 20]].concat())
            .collect()
    }

    fn code(bytes: &[u8]) -> Result<usize, &'static str> {
        parse(ObjectId::Sha1([0; 20]), bytes).map(|entries| entries.len()).map_err(|error| error.code())
    }

    #[test]
    fn trees_as_git_writes_them_are_read() {
        assert_eq!(code(&tree(&[("100644", "a.c"), ("40000", "a"), ("100755", "a0")])), Ok(3));
        assert_eq!(code(b""), Ok(0));
    }

    #[test]
    fn trees_that_git_cannot_have_written_are_refused() {
        for bad in [
            tree(&[("100644", "b"), ("100644", "a")]),
            tree(&[("100644", "a"), ("100644", "a")]),
            tree(&[("100644", "a"), ("40000", "a")]),
            tree(&[("120000", "a"), ("100644", "a.c"), ("40000", "a")]),
            tree(&[("100644", "a/b")]),
            tree(&[("100644", "..")]),
            tree(&[("100644", "")]),
            tree(&[("109644", "a")]),
            tree(&[("100644", "a")])[..20].to_vec(),
        ] {
            assert_eq!(code(&bad), Err("GB-OBJ-MALFORMED"), "{bad:?}");
        }
    }
}
