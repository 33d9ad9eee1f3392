//! Opening a repository as what it is, whatever its configuration and the environment claim.
//!
//! Isolated: only the repository's own configuration file is read, no variable, no program is started; replacement
//! objects are off. Writers also read the user's configuration, for `safe.directory` and `user.name` alone.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::error::line;
use super::known_log::KnownLog;
use super::tree::Trees;
use crate::domain::{Digest, ObjectFormat, ObjectId};

/// Where the repository is looked for.
#[derive(Clone, Debug, Default)]
pub struct Location {
    /// The folder to start from; its parents are searched.
    pub directory: PathBuf,
    /// The Git folder, where the caller knows it (hooks do).
    pub git_dir: Option<PathBuf>,
    /// The index file, where it is another than the repository's own (partial commits).
    pub index_file: Option<PathBuf>,
}

/// What the repository is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only; a repository of another owner is read like any other.
    Read,
    /// Writing too, which a foreign owner forbids.
    Write,
}

/// No object that is held in memory may be larger, in bytes; records have the same limit.
const MOST_HELD: usize = 256 * 1024 * 1024;

/// Delta bases that are kept, in bytes; gix's own default of 64 entries is fifteen times slower on deep packs.
const DELTA_CACHE: usize = 96 * 1024 * 1024;

/// Returns what was kept of the log with a fingerprint, if anything was.
pub type Recall = Box<dyn Fn(&Digest) -> Option<Vec<u8>>>;

/// A repository.
pub struct Repository {
    pub(super) git: gix::Repository,
    pub(super) index_file: Option<PathBuf>,
    /// Parents of commits that were read and found to be what their ids say.
    pub(super) parents: RefCell<BTreeMap<ObjectId, Vec<ObjectId>>>,
    /// Trees that were read and found to be what their ids say.
    pub(super) trees: RefCell<Trees>,
    /// Where to ask what was read of a log before.
    pub(super) recall: Option<Recall>,
    /// What was read of it before; asked for when the log is.
    pub(super) known_log: OnceCell<KnownLog>,
    /// Whether its objects were found to be here.
    pub(super) known_log_holds: Cell<bool>,
    /// The digests of files of the log that were read in this run.
    pub(super) digests: RefCell<BTreeMap<ObjectId, Digest>>,
}

impl Repository {
    /// Opens the repository at `location`, or around it.
    ///
    /// # Errors
    /// `GB-REPO-NOT-FOUND`, `GB-REPO-REFTABLE`, and `GB-REPO-OWNER` where it is to be written and is another user's.
    pub fn open(location: &Location, access: Access) -> Result<Self, StoreError> {
        let git = match &location.git_dir {
            Some(git_dir) => open_options(access).open(git_dir),
            None => discover(&location.directory, access),
        };
        let git = git.map_err(|error| not_opened(location, &error))?.to_thread_local();
        if git.common_dir().join("reftable").is_dir() || is_reftable(&git) {
            let what = "this repository keeps its refs in the reftable format, which this version cannot read";
            return Err(StoreError::new("GB-REPO-REFTABLE", what));
        }
        if access == Access::Write && git.git_dir_trust() != gix::sec::Trust::Full {
            return Err(foreign(git.git_dir()));
        }
        Ok(Self {
            git,
            index_file: location.index_file.clone(),
            parents: RefCell::default(),
            trees: RefCell::default(),
            recall: None,
            known_log: OnceCell::new(),
            known_log_holds: Cell::new(false),
            digests: RefCell::default(),
        })
    }

    /// Says where to ask what was read of a log before, so that the log need not be read whole each time.
    #[must_use]
    pub fn recalling(mut self, recall: Recall) -> Self {
        self.recall = Some(recall);
        self
    }

    /// Returns the hash function of object ids.
    pub fn object_format(&self) -> ObjectFormat {
        match self.git.object_hash() {
            gix::hash::Kind::Sha256 => ObjectFormat::Sha256,
            _ => ObjectFormat::Sha1,
        }
    }

    /// Says whether history was cut off when this repository was cloned.
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow().unwrap_or(true)
    }

    /// Says whether there is no working tree.
    pub fn is_bare(&self) -> bool {
        self.git.workdir().is_none()
    }

    /// Returns the working tree's folder.
    pub fn work_dir(&self) -> Option<&Path> {
        self.git.workdir()
    }

    /// Returns the folder that all worktrees share: refs, objects, hooks.
    pub fn common_dir(&self) -> &Path {
        self.git.common_dir()
    }

    /// Returns a value of the configuration that was read. Never a source of trust.
    pub fn config_text(&self, key: &str) -> Option<String> {
        self.git.config_snapshot().string(key).map(|value| value.to_string()).filter(|value| !value.is_empty())
    }

    /// Returns a second handle to the same objects, which another thread may use.
    pub(super) fn shared(&self) -> gix::ThreadSafeRepository {
        self.git.clone().into_sync()
    }
}

fn open_options(access: Access) -> gix::open::Options {
    let mut permissions = gix::open::Permissions::isolated();
    if access == Access::Write {
        permissions.config.system = true;
        permissions.config.git = true;
        permissions.config.user = true;
        permissions.env.home = gix::sec::Permission::Allow;
        permissions.env.xdg_config_home = gix::sec::Permission::Allow;
    }
    gix::open::Options::isolated().permissions(permissions).config_overrides([
        "core.useReplaceRefs=false".to_owned(),
        format!("core.deltaBaseCacheLimit={}", DELTA_CACHE / threads()),
        format!("gitoxide.objects.allocLimit={MOST_HELD}"),
    ])
}

/// Returns how many threads read objects: more than four would wait for memory, not for each other.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 4)
}

fn discover(directory: &Path, access: Access) -> gix::Result<gix::ThreadSafeRepository> {
    let trust = gix::sec::trust::Mapping { full: open_options(access), reduced: open_options(access) };
    // From inside Git's own folder, gix finds its way up only by a full path.
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    gix::ThreadSafeRepository::discover_opts(directory, gix::discover::upwards::Options::default(), trust)
}

fn is_reftable(git: &gix::Repository) -> bool {
    git.config_snapshot().string("extensions.refStorage").is_some_and(|value| value.eq_ignore_ascii_case(b"reftable"))
}

fn not_opened(location: &Location, error: &gix::Error) -> StoreError {
    let place = location.git_dir.as_ref().unwrap_or(&location.directory);
    if place.join("reftable").is_dir() || place.join(".git/reftable").is_dir() {
        let what = "this repository keeps its refs in the reftable format, which this version cannot read";
        return StoreError::new("GB-REPO-REFTABLE", what);
    }
    let place = place.display().to_string().escape_debug().to_string();
    StoreError::new("GB-REPO-NOT-FOUND", format!("there is no Git repository at \"{place}\": {}", line(error)))
}

fn foreign(git_dir: &Path) -> StoreError {
    let place = git_dir.display().to_string().escape_debug().to_string();
    StoreError::new(
        "GB-REPO-OWNER",
        format!("the repository \"{place}\" belongs to another user; nothing is written in it"),
    )
}
