//! What is remembered outside every repository: the fingerprints that the user has confirmed, and the newest log of each
//! that was seen.
//!
//! `$XDG_STATE_HOME/git-baseline/pins/<fingerprint>` and `heads/<fingerprint>` (a checkpoint), one small file each, and
//! `logs/<fingerprint>`, which spares reading a long log again. No repository can write here, and
//! nothing in a repository's configuration is ever taken for a pin (contract §3.1).

#![expect(clippy::disallowed_methods, reason = "the rim: the user's state folder is read and written here only")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::whole_file;
use crate::domain::{Digest, Timestamp};
use crate::jobs::{Exit, Failure, Kept, parse_checkpoint};

/// The user's state folder.
#[derive(Clone)]
pub(super) struct State {
    folder: Option<PathBuf>,
}

impl State {
    /// Finds the folder from `XDG_STATE_HOME` and `HOME`.
    pub(super) fn from_environment() -> Self {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        Self { folder: state.map(|state| state.join("git-baseline")) }
    }

    /// Returns every pinned fingerprint.
    pub(super) fn pins(&self) -> Result<Vec<Digest>, Failure> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("pins")) else { return Ok(Vec::new()) };
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| unusable(&folder, &error))?,
        };
        let mut pins = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| unusable(&folder, &error))?.file_name();
            pins.extend(name.to_str().and_then(Digest::parse));
        }
        pins.sort_unstable();
        Ok(pins)
    }

    /// Returns the newest checkpoint of each baseline that was seen on this machine.
    pub(super) fn heads(&self) -> Result<BTreeMap<Digest, Kept>, Failure> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("heads")) else { return Ok(BTreeMap::new()) };
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries.map_err(|error| unusable(&folder, &error))?,
        };
        let mut heads = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(|error| unusable(&folder, &error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(Digest::parse);
            if let Some(fingerprint) = name {
                let bytes = std::fs::read(&path).map_err(|error| unusable(&path, &error))?;
                heads.insert(fingerprint, Kept { bytes, place: path.display().to_string(), verified: true });
            }
        }
        Ok(heads)
    }

    /// Remembers the newest checkpoint of a baseline. A smaller one never takes its place.
    pub(super) fn remember(&self, fingerprint: &Digest, size: u64, note: &str) -> Result<(), Failure> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("heads")) else { return Ok(()) };
        let path = folder.join(fingerprint.to_string());
        let known = std::fs::read(&path).ok().and_then(|bytes| parse_checkpoint(&bytes).ok());
        if known.is_some_and(|(_, known)| known.head.size >= size) {
            return Ok(());
        }
        replace(&folder, &path, note.as_bytes()).map_err(|error| unusable(&folder, &error))
    }

    /// Returns what was read of a log before. What cannot be read is read again from the repository.
    pub(super) fn log(&self, fingerprint: &Digest) -> Option<Vec<u8>> {
        std::fs::read(self.folder.as_ref()?.join("logs").join(fingerprint.to_string())).ok()
    }

    /// Keeps what was read of a log.
    pub(super) fn keep_log(&self, fingerprint: &Digest, bytes: &[u8]) -> io::Result<()> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("logs")) else { return Ok(()) };
        replace(&folder, &folder.join(fingerprint.to_string()), bytes)
    }

    /// Writes a proof that two logs exclude each other, under the name of its digest, and returns where.
    pub(super) fn keep_proof(&self, proof: &str) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?.join("proofs");
        let path = folder.join(format!("{}.txt", Digest::of(proof.as_bytes()).short()));
        replace(&folder, &path, proof.as_bytes()).ok().map(|()| path)
    }

    /// Remembers a fingerprint; the file says which product it was and when it was pinned.
    pub(super) fn pin(&self, fingerprint: &Digest, product: &str, now: Timestamp) -> Result<PathBuf, Failure> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("pins")) else {
            return Err(Failure::new(Exit::Usage, "GB-USE-STATE", "there is no folder to remember the pin in")
                .because("neither XDG_STATE_HOME nor HOME is an absolute path"));
        };
        let path = folder.join(fingerprint.to_string());
        let text = format!("product {}\npinned {now}\n", product.escape_debug());
        replace(&folder, &path, text.as_bytes()).map_err(|error| unusable(&folder, &error))?;
        Ok(path)
    }
}

fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    whole_file::replace(path, bytes)
}

fn unusable(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, "GB-USE-STATE", format!("the state folder {} cannot be used", folder.display()))
        .because(error)
}
