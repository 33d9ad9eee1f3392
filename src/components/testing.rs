//! What the tests of the readers ask for.

use super::{Inventory, read};
use crate::domain::{Component, Coverage, CoverageStatus, RepoPath};

/// Reads a tree without submodules.
pub(super) fn inventory(files: &[(&str, &str)]) -> Inventory {
    let files: Vec<_> = files.iter().map(|(path, text)| (RepoPath::from(*path), text.as_bytes().to_vec())).collect();
    read(&files, &[])
}

/// Returns the component, or says which there are.
pub(super) fn found<'a>(inventory: &'a Inventory, purl: &str) -> &'a Component {
    let purls: Vec<_> = inventory.components.iter().map(|component| &component.purl).collect();
    let component = inventory.components.iter().find(|component| component.purl == purl);
    component.unwrap_or_else(|| panic!("no {purl} among {purls:#?}"))
}

pub(super) fn status(inventory: &Inventory, path: &str) -> CoverageStatus {
    coverage(inventory, path).status
}

pub(super) fn gaps<'a>(inventory: &'a Inventory, path: &str) -> &'a [String] {
    &coverage(inventory, path).gaps
}

fn coverage<'a>(inventory: &'a Inventory, path: &str) -> &'a Coverage {
    let found = inventory.coverage.iter().find(|coverage| coverage.path == RepoPath::from(path));
    found.unwrap_or_else(|| panic!("no coverage of {path}"))
}
