//! Git and directories: the only door to the disk. Everything that comes in is hashed again and parsed strictly.
//!
//! `gix` is named here and nowhere else. Never here: trust, policy, or what a file means.

#![expect(clippy::disallowed_methods, reason = "the store is where the disk is touched")]

mod commit;
mod directory;
mod error;
mod history;
mod index;
mod known_log;
mod large;
mod log_history;
mod native;
mod notes;
mod object;
mod out;
mod pack_order;
mod refs;
mod repository;
mod snapshot;
mod tree;
mod write;

pub use commit::{Commit, Identity};
pub use directory::DirectorySource;
pub use error::StoreError;
pub use index::IndexSource;
pub use log_history::{CHECKPOINT_PATH, LogCommit, TILE_FOLDER};
pub use out::{OutFile, write_out};
pub use refs::RefEdit;
pub use repository::{Access, Location, Recall, Repository};
pub use snapshot::TreeSource;
pub use tree::Change;
