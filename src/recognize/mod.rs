//! Bytes in, facts out: what kind of configuration item a file is and what it says.

mod settings;

use crate::domain::{Facts, ItemClass, Observation, RepoPath};

/// What a recogniser found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognized {
    /// The kind, named as in docs/items.md.
    pub kind: String,
    /// The class of that kind.
    pub class: ItemClass,
    /// What the file says.
    pub facts: Facts,
    /// What is wrong with the bytes whatever the time and the other files.
    pub observations: Vec<Observation>,
    /// Whether a secret stands in it in clear: then no digest of it may be kept.
    pub secret: bool,
}

/// Recognises a file by its content first and its path second.
pub fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    settings::recognize(path, bytes)
}

/// Reads a file that the policy declares to be of `kind`; an unreadable one is observed, not refused.
pub fn read_declared(path: &RepoPath, kind: &str, class: ItemClass, bytes: &[u8]) -> Recognized {
    if let Some(found) = settings::read_declared(path, kind, class, bytes) {
        return found;
    }
    Recognized { kind: kind.to_owned(), class, facts: Facts::new(), observations: Vec::new(), secret: false }
}
