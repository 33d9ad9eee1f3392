//! Where content comes from: a commit, the staged index, a directory, or memory in tests.
//!
//! A source lists entries and reads them; it never judges. The implementations stand in `store`.

use crate::domain::{DigestSet, Mode, ObjectFormat, ObjectId, RepoPath};

/// Content above this many bytes is hashed as a stream and never held; nothing in it is recognised.
pub const HELD_AT_MOST: u64 = 64 * 1024 * 1024;

/// One entry of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub path: RepoPath,
    /// Git's mode.
    pub mode: Mode,
    /// Git's id of its content.
    pub id: ObjectId,
}

/// The content of one entry.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// The bytes as Git stores them; for a link, its target.
    Held(&'a [u8]),
    /// Too large to be held.
    Streamed {
        /// How many bytes it has.
        size: u64,
        /// Their digests.
        digests: DigestSet,
    },
    /// A submodule's commit: there is nothing to read.
    Gitlink,
}

/// Something that has entries with content.
pub trait Source {
    /// Why an entry could not be listed or read.
    type Error;

    /// Returns the hash function of the entries' ids.
    fn object_format(&self) -> ObjectFormat;

    /// Returns every entry, sorted by path bytes, each path once.
    ///
    /// # Errors
    /// Where the source cannot be read.
    fn entries(&self) -> Result<Vec<Entry>, Self::Error>;

    /// Reads the given entries, perhaps several at once, and returns what `look` makes of each, in their order.
    ///
    /// # Errors
    /// The first entry that is absent, or is not what its id says.
    fn read_each<T, F>(&self, entries: &[Entry], look: F) -> Result<Vec<T>, Self::Error>
    where
        T: Send,
        F: Fn(&Entry, Content<'_>) -> T + Sync;
}
