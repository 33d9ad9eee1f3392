//! Objects as the bytes that their ids name: each one is hashed again when it is read.
//!
//! gix looks an object up by its id and believes the store; a proof cannot. Serves contract §3 (A21).

use std::rc::Rc;

use gix::objs::Kind;

use super::commit::Commit;
use super::error::line;
use super::tree::{self, TreeEntry};
use super::{Repository, StoreError};
use crate::domain::{EntryKind, ObjectId, RepoPath};

pub(super) fn to_git(id: ObjectId) -> gix::ObjectId {
    match id {
        ObjectId::Sha1(bytes) => gix::ObjectId::Sha1(bytes),
        ObjectId::Sha256(bytes) => gix::ObjectId::Sha256(bytes),
    }
}

pub(super) fn from_git(id: &gix::oid) -> ObjectId {
    match id.to_owned() {
        gix::ObjectId::Sha256(bytes) => ObjectId::Sha256(bytes),
        gix::ObjectId::Sha1(bytes) => ObjectId::Sha1(bytes),
        // gix's enum may grow; an id of another length is no id of ours, and is never found.
        _ => ObjectId::Sha1([0; 20]),
    }
}

/// What could be read of an object.
pub(super) enum Found {
    /// Its kind and bytes, hashed again.
    Held(Kind, Vec<u8>),
    /// It is larger than the limit of the store that was asked.
    TooLarge,
}

/// Reads an object and hashes it again.
pub(super) fn read(git: &gix::Repository, id: ObjectId, what: &str) -> Result<Found, StoreError> {
    use gix::objs::Find as _;
    let wanted = to_git(id);
    if wanted.kind() != git.object_hash() {
        return Err(StoreError::missing(id, what));
    }
    let mut buffer = Vec::new();
    let found = match git.objects.try_find(&wanted, &mut buffer) {
        Ok(found) => found.map(|data| data.kind),
        Err(error) if is_too_large(&error) => return Ok(Found::TooLarge),
        Err(error) => {
            return Err(StoreError::new("GB-OBJ-DAMAGED", format!("{what} {id} cannot be read: {}", line(&error))));
        }
    };
    let Some(kind) = found else { return Err(StoreError::missing(id, what)) };
    match gix::objs::compute_hash(wanted.kind(), kind, &buffer) {
        Ok(actual) if actual == wanted => Ok(Found::Held(kind, buffer)),
        _ => Err(not_its_id(id, what)),
    }
}

pub(super) fn not_its_id(id: ObjectId, what: &str) -> StoreError {
    StoreError::new("GB-OBJ-HASH", format!("{what} {id} is not what its id says"))
}

/// gix tells a refused size by its words only.
fn is_too_large(error: &gix::Error) -> bool {
    let text = format!("{error} {error:?}");
    text.contains("limit") || text.contains("too large")
}

impl Repository {
    fn object(&self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, StoreError> {
        let what = match kind {
            Kind::Blob => "blob",
            Kind::Tree => "tree",
            Kind::Commit => "commit",
            Kind::Tag => "tag",
        };
        match read(&self.git, id, what)? {
            Found::Held(found, bytes) if found == kind => Ok(bytes),
            Found::Held(found, _) => {
                Err(StoreError::malformed(id, format!("it is a {found} where a {what} is needed")))
            }
            Found::TooLarge => Err(StoreError::new("GB-OBJ-TOO-LARGE", format!("{what} {id} is larger than 256 MiB"))),
        }
    }

    /// Returns the bytes of a blob.
    ///
    /// # Errors
    /// Where it is missing, damaged, no blob, or larger than 256 MiB.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, StoreError> {
        self.object(id, Kind::Blob)
    }

    /// Returns a commit.
    ///
    /// # Errors
    /// Where it is missing, damaged, no commit, or malformed.
    pub fn commit(&self, id: ObjectId) -> Result<Commit, StoreError> {
        let raw = self.object(id, Kind::Commit)?;
        let commit = Commit::parse(id, raw)?;
        self.parents.borrow_mut().insert(id, commit.parents.clone());
        Ok(commit)
    }

    /// Returns the entries of one tree, not of its subtrees.
    pub(super) fn tree(&self, id: ObjectId) -> Result<Rc<Vec<TreeEntry>>, StoreError> {
        if let Some(known) = self.trees.borrow().get(&id) {
            return Ok(known);
        }
        let entries = Rc::new(tree::parse(id, &self.object(id, Kind::Tree)?)?);
        self.trees.borrow_mut().keep(id, &entries);
        Ok(entries)
    }

    /// Follows tags to the commit that they name.
    pub(super) fn peel(&self, mut id: ObjectId) -> Result<ObjectId, StoreError> {
        for _ in 0..16 {
            match read(&self.git, id, "object")? {
                Found::Held(Kind::Commit, _) => return Ok(id),
                Found::Held(Kind::Tag, bytes) => {
                    let target =
                        bytes.strip_prefix(b"object ").and_then(|rest| rest.split(|byte| *byte == b'\n').next());
                    let target = target.and_then(|hex| ObjectId::parse(std::str::from_utf8(hex).ok()?));
                    id = target.ok_or_else(|| StoreError::malformed(id, "a tag without object"))?;
                }
                _ => break,
            }
        }
        Err(StoreError::new("GB-REPO-REVISION", format!("{id} is no commit")))
    }

    /// Returns the content of a file of a tree; nothing where there is no such file.
    ///
    /// # Errors
    /// Where an object on the way is missing or damaged.
    pub fn file(&self, root: ObjectId, path: &RepoPath) -> Result<Option<Vec<u8>>, StoreError> {
        self.file_id(root, path)?.map(|blob| self.blob(blob)).transpose()
    }

    /// Returns the blob of a file of a tree; nothing where there is no such file.
    ///
    /// # Errors
    /// Where a tree on the way is missing or damaged.
    pub fn file_id(&self, root: ObjectId, path: &RepoPath) -> Result<Option<ObjectId>, StoreError> {
        let mut id = root;
        let mut names = path.as_bytes().split(|byte| *byte == b'/').peekable();
        while let Some(name) = names.next() {
            let entries = self.tree(id)?;
            let Some(entry) = entries.iter().find(|entry| entry.name == name) else { return Ok(None) };
            match (names.peek().is_some(), entry.is_tree()) {
                (true, true) => id = entry.id,
                (false, false) if entry.mode.kind() == EntryKind::File => return Ok(Some(entry.id)),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }
}
