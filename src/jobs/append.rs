//! Appends statements to the log: written whole, read back, and seen only once the one ref has moved.
//!
//! Whoever may sign checkpoints signs one over everything that is then there; from others, statements are pending until
//! somebody does. Never here: what a statement says, or whether it may be said.

use std::collections::BTreeMap;

use crate::crypto::Signer;
use crate::domain::{ObjectId, Timestamp};
use crate::jobs::Failure;
use crate::jobs::checkpoint::{derived, may_sign};
use crate::jobs::log::{LOG_REF, Log};
use crate::jobs::trust::Trust;
use crate::store::{Identity, RefEdit, Repository};

/// Who appends, when, and with what words for `git log`.
pub(super) struct Appending<'a> {
    /// The author of the log's commit, whose name proves nothing.
    pub identity: &'a Identity,
    /// The commit's message.
    pub message: String,
}

/// Writes the commit that adds `files` to the log; the ref has not moved yet. What stands in the log already is left.
///
/// # Errors
/// Where the repository cannot be written.
pub(super) fn write(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    files: &BTreeMap<String, Vec<u8>>,
    signer: &dyn Signer,
    appending: &Appending<'_>,
) -> Result<ObjectId, Failure> {
    let mut new = files.clone();
    new.retain(|path, _| log.blob_id(path).is_none());
    let derived = if may_sign(trust.root(), signer) {
        Some(derived(&trust.root().origin, &log.leaves_with(&new)?, signer)?)
    } else {
        None
    };
    let (identity, message) = (appending.identity, &appending.message);
    Ok(repository.append_to_log(Some(log.head), &new, derived.as_ref(), identity, message)?)
}

/// Adds `files` to the log, and moves its ref.
///
/// # Errors
/// Where the repository cannot be written, or the log moved meanwhile.
pub(super) fn append(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    files: &BTreeMap<String, Vec<u8>>,
    signer: &dyn Signer,
    appending: &Appending<'_>,
) -> Result<ObjectId, Failure> {
    let new = write(repository, log, trust, files, signer, appending)?;
    let message = appending.message.clone();
    repository.update_refs(&[RefEdit { name: LOG_REF.to_owned(), expected: Some(log.head), new, message }])?;
    Ok(new)
}

/// Returns the moment to claim: no statement may claim an earlier one than those before it (contract §3.8).
pub(super) fn moment(now: Timestamp, earlier: Timestamp) -> Timestamp {
    now.max(earlier)
}
