//! What is remembered outside every repository: the fingerprints that the user has confirmed.
//!
//! `$XDG_STATE_HOME/git-baseline/pins/<fingerprint>`, one small file each. No repository can write here, and
//! nothing in a repository's configuration is ever taken for a pin (contract §3.1).

#![expect(clippy::disallowed_methods, reason = "the rim: the user's state folder is read and written here only")]

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::domain::{Digest, Timestamp};
use crate::jobs::{Exit, Failure};

/// The user's state folder.
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

    /// Remembers a fingerprint; the file says which product it was and when it was pinned.
    pub(super) fn pin(&self, fingerprint: &Digest, product: &str, now: Timestamp) -> Result<PathBuf, Failure> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join("pins")) else {
            return Err(Failure::new(Exit::Usage, "GB-USE-STATE", "there is no folder to remember the pin in")
                .because("neither XDG_STATE_HOME nor HOME is an absolute path"));
        };
        let path = folder.join(fingerprint.to_string());
        let write = || -> io::Result<()> {
            std::fs::create_dir_all(&folder)?;
            let temporary = folder.join(format!(".{fingerprint}.new"));
            let mut file = std::fs::File::create(&temporary)?;
            writeln!(file, "product {}\npinned {now}", product.escape_debug())?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(|error| unusable(&folder, &error))?;
        Ok(path)
    }
}

fn unusable(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, "GB-USE-STATE", format!("the state folder {} cannot be used", folder.display()))
        .because(error)
}
