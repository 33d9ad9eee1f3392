//! Paths of the repository as paths of this system, and back.

use std::path::{Path, PathBuf};

use super::StoreError;
use crate::domain::RepoPath;

/// Returns the system's spelling of a repository's path.
pub(super) fn to_native(path: &RepoPath) -> Result<PathBuf, StoreError> {
    let spelled = gix::path::from_bstr(gix::bstr::BStr::new(path.as_bytes()));
    let unsayable = || StoreError::new("GB-PATH-UNSAFE", format!("{path} has no spelling on this system"));
    spelled.map(std::borrow::Cow::into_owned).map_err(|_| unsayable())
}

/// Returns the bytes of a path as Git would store it.
pub(super) fn from_native(path: &Path) -> Result<RepoPath, StoreError> {
    let bytes = gix::path::into_bstr(path).map_err(|_| {
        let shown = path.display().to_string().escape_debug().to_string();
        StoreError::new("GB-PATH-UNSAFE", format!("\"{shown}\" has no spelling in Git"))
    })?;
    Ok(RepoPath::new(gix::path::to_unix_separators_on_windows(bytes).to_vec()))
}
