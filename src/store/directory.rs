//! A directory as a source: an installed product that is compared with a release.
//!
//! Links are read as links and never followed; what is no file, link or folder is left out. Git's own folder is no content.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::StoreError;
use super::native::{from_native, to_native};
use super::object::from_git;
use crate::collect::{Content, Entry, HELD_AT_MOST, Source};
use crate::domain::{ContentHasher, EntryKind, Mode, ObjectFormat, RepoPath};

/// A directory.
pub struct DirectorySource {
    root: PathBuf,
    format: ObjectFormat,
}

impl DirectorySource {
    /// Returns the source of a directory, with ids as a repository of that format would give them.
    pub fn new(root: &Path, format: ObjectFormat) -> Self {
        Self { root: root.to_owned(), format }
    }

    fn kind(&self) -> gix::hash::Kind {
        match self.format {
            ObjectFormat::Sha1 => gix::hash::Kind::Sha1,
            ObjectFormat::Sha256 => gix::hash::Kind::Sha256,
        }
    }

    fn entry(&self, found: &walkdir::DirEntry) -> Result<Option<Entry>, StoreError> {
        let kind = found.file_type();
        let metadata = found.metadata().map_err(|error| unreadable(found.path(), &error))?;
        let mode = if kind.is_symlink() {
            Mode::SYMLINK
        } else if !kind.is_file() {
            return Ok(None);
        } else if is_executable(&metadata) {
            Mode::EXECUTABLE
        } else {
            Mode::FILE
        };
        let relative = found.path().strip_prefix(&self.root).unwrap_or(found.path());
        let path = from_native(relative)?;
        let mut git = gix::hash::hasher(self.kind());
        let size = if mode == Mode::SYMLINK { link_target(found.path())?.len() as u64 } else { metadata.len() };
        git.update(format!("blob {size}\0").as_bytes());
        read_pieces(found.path(), mode, &mut |piece| git.update(piece))?;
        let id = git.try_finalize().map_err(|error| unreadable(found.path(), &error))?;
        Ok(Some(Entry { path, mode, id: from_git(&id) }))
    }

    fn place(&self, path: &RepoPath) -> Result<PathBuf, StoreError> {
        Ok(self.root.join(to_native(path)?))
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    let place = path.display().to_string().escape_debug().to_string();
    StoreError::new("GB-REPO-IO", format!("\"{place}\" cannot be read: {error}"))
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

fn link_target(path: &Path) -> Result<Vec<u8>, StoreError> {
    let target = std::fs::read_link(path).map_err(|error| unreadable(path, &error))?;
    Ok(from_native(&target)?.as_bytes().to_vec())
}

fn read_pieces(path: &Path, mode: Mode, take: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
    if mode == Mode::SYMLINK {
        take(&link_target(path)?);
        return Ok(());
    }
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = file.read(&mut buffer).map_err(|error| unreadable(path, &error))?;
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        take(piece);
    }
}

impl Source for DirectorySource {
    type Error = StoreError;

    fn object_format(&self) -> ObjectFormat {
        self.format
    }

    fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        if !self.root.is_dir() {
            return Err(unreadable(&self.root, &"it is no folder"));
        }
        let mut entries = Vec::new();
        let walk = WalkDir::new(&self.root).follow_links(false).min_depth(1).into_iter();
        for found in walk.filter_entry(|found| found.depth() != 1 || found.file_name() != ".git") {
            let found = found.map_err(|error| unreadable(error.path().unwrap_or(&self.root), &error))?;
            entries.extend(self.entry(&found)?);
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn read_each<T, F>(&self, entries: &[Entry], look: F) -> Result<Vec<T>, StoreError>
    where
        T: Send,
        F: Fn(&Entry, Content<'_>) -> T + Sync,
    {
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.mode.kind() == EntryKind::Gitlink {
                values.push(look(entry, Content::Gitlink));
                continue;
            }
            let mut held = Vec::new();
            let mut hasher = ContentHasher::default();
            read_pieces(&self.place(&entry.path)?, entry.mode, &mut |piece| {
                hasher.update(piece);
                if held.len() as u64 <= HELD_AT_MOST {
                    held.extend_from_slice(piece);
                }
            })?;
            let (size, digests) = hasher.finish();
            let content = if size > HELD_AT_MOST { Content::Streamed { size, digests } } else { Content::Held(&held) };
            values.push(look(entry, content));
        }
        Ok(values)
    }
}
