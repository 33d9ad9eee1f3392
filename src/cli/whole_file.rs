//! Writes a file whole or not at all: a killed process leaves the old one, or none.
//!
//! Never here: what is written, or where a repository's own files go (`store`).

#![expect(clippy::disallowed_methods, reason = "the rim: files that the user named, and his state folder")]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file in the place of what stands there. What is no plain file, such as a pipe, is written to.
///
/// # Errors
/// Where its folder cannot be written.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let found = fs::metadata(path).ok();
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    // Through a link, to what it names.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let temporary = write_beside(&place, bytes, None)?;
    let kept = found.map_or(Ok(()), |found| fs::set_permissions(&temporary, found.permissions()));
    kept.and_then(|()| fs::rename(&temporary, &place)).inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// Writes a file where none is, with these permissions (Unix).
///
/// # Errors
/// `AlreadyExists` where something stands there; where its folder cannot be written.
pub(super) fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let temporary = write_beside(path, bytes, Some(mode))?;
    let linked = fs::hard_link(&temporary, path);
    // Where there are no links, nobody else may come first between looking and moving; a key is made by one person.
    let placed = match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&temporary, path),
        linked => linked,
    };
    let _ = fs::remove_file(&temporary);
    placed
}

fn write_beside(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let temporary = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if let Some(mode) = mode {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    }
    let written = options.open(&temporary).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map(|()| temporary.clone()).inspect_err(|_| drop(fs::remove_file(&temporary)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_keeps_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        replace(&file, b"one").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
        replace(Path::new("/dev/null"), b"three").unwrap();
        assert!(replace(&folder.path().join("none/file"), b"four").is_err());
    }

    #[test]
    fn nothing_is_overwritten_by_what_must_be_new() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        create(&file, b"one", 0o600).unwrap();
        assert_eq!(create(&file, b"two", 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&file).unwrap(), b"one");
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(&file).unwrap()) & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
