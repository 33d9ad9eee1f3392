//! The files that are known by name and have no reader in this version: each is named, so that silence never passes
//! for completeness.
//!
//! Never here: a look into them.

use super::reading::Reading;
use super::tree::Tree;
use crate::domain::CoverageStatus;

/// Names every file that declares components and is not read.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let why = "this version has no reader for it";
    tree.unread().map(|file| Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, why)).collect()
}
