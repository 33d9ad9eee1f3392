//! The tracked files that checks go by beside the policy: the register of keys, and the deviations.
//!
//! Read from the tree under examination, strictly: a file that cannot be read is an error, not an empty one. Never
//! here: trust. What a deviation accepts is decided by sign-offs in the log.

use std::collections::BTreeMap;

use crate::domain::{ObjectId, RepoPath};
use crate::jobs::Failure;
use crate::policy::{DEVIATIONS_PATH, Deviation, KEYS_PATH, PolicyError, RegisteredKey};
use crate::store::Repository;

/// Both files of one tree.
#[derive(Default)]
pub(super) struct Registers {
    /// Keys by their fingerprints.
    pub(super) keys: BTreeMap<String, RegisteredKey>,
    /// Deviations in the order of the file.
    pub(super) deviations: Vec<Deviation>,
}

impl Registers {
    /// Reads both files of a tree.
    pub(super) fn of_tree(repository: &Repository, tree: ObjectId) -> Result<Self, Failure> {
        let file = |path: &str| repository.file(tree, &RepoPath::from(path));
        Ok(Self::parse(file(KEYS_PATH)?.as_deref(), file(DEVIATIONS_PATH)?.as_deref())?)
    }

    /// Reads both files where they exist.
    pub(super) fn parse(keys: Option<&[u8]>, deviations: Option<&[u8]>) -> Result<Self, PolicyError> {
        Ok(Self {
            keys: keys.map(RegisteredKey::parse_all).transpose()?.unwrap_or_default(),
            deviations: deviations.map(Deviation::parse_all).transpose()?.unwrap_or_default(),
        })
    }
}
