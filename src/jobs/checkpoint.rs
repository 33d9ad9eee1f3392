//! Checkpoints: how far a holder of role `log` has validated the log, for everybody to hold others against.
//!
//! Never here: the bytes (`codec`), or counting who signed (`crypto::threshold`). Serves contract §3.2; C2SP
//! tlog-checkpoint and tlog-tiles; format: docs/format.md §8.

use std::collections::BTreeMap;

use crate::codec;
use crate::crypto::{self, Signer};
use crate::domain::{Checkpoint, LogHead, PersonId, RoleName, Sha256Digest, SignedNote, TrustRoot};
use crate::jobs::append::{Appending, append};
use crate::jobs::log::Log;
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure};
use crate::store::{CHECKPOINT_PATH, Identity, Repository};

/// How far a log was validated, and by whom.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The checkpoint with its signatures.
    pub note: SignedNote,
    /// Size and root that it signs.
    pub head: LogHead,
    /// The holders of role `log` who counted.
    pub signers: Vec<PersonId>,
    /// Newer checkpoints in the log that do not hold, and why.
    pub void: Vec<String>,
}

impl Default for Accepted {
    /// Nothing was validated.
    fn default() -> Self {
        let head = LogHead { root: Sha256Digest::of(b""), size: 0 };
        let note = SignedNote { text: String::new(), signatures: Vec::new() };
        Self { note, head, signers: Vec::new(), void: Vec::new() }
    }
}

/// Parses a checkpoint with its signatures, about which nothing is known yet.
///
/// # Errors
/// `GB-LOG-CHECKPOINT`.
pub fn parse(bytes: &[u8]) -> Result<(SignedNote, Checkpoint), Failure> {
    let refuse = |error: codec::CheckpointDefect| {
        Failure::new(Exit::Unsafe, error.code(), "this is no checkpoint of a log").because(error)
    };
    let note = codec::parse_signed_note(bytes).map_err(refuse)?;
    let stated = codec::parse_checkpoint(&note.text).map_err(refuse)?;
    Ok((note, stated))
}

/// Returns a checkpoint as a file.
///
/// # Errors
/// `GB-LOG-CHECKPOINT`, where it has more signatures than may stand in one.
pub fn compose(note: &SignedNote) -> Result<String, Failure> {
    codec::compose_signed_note(note)
        .map_err(|error| Failure::new(Exit::Usage, error.code(), "this checkpoint cannot be written").because(error))
}

/// Says whether a key may sign checkpoints: a plain key that counts, whose holder holds role `log`.
pub fn may_sign(root: &TrustRoot, signer: &dyn Signer) -> bool {
    let key = signer.public_key();
    let holds =
        |role: &crate::domain::Role| root.person_of(key).is_some_and(|person| role.persons.contains(&person.id));
    crypto::is_plain(key) && root.barred(key, None).is_none() && root.role(RoleName::Log).is_some_and(holds)
}

/// Returns what is computed from leaves: the checkpoint, signed, and the tiles.
///
/// # Errors
/// Where the key cannot sign, or a leaf is too long for a tile.
pub(super) fn derived(
    origin: &str,
    leaves: &[Vec<u8>],
    signer: &dyn Signer,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let defect =
        |code, why: String| Failure::new(Exit::Usage, code, "the log's checkpoint cannot be made").because(why);
    let stated = Checkpoint { origin: origin.to_owned(), head: codec::log_head(leaves), extensions: Vec::new() };
    let text = codec::compose_checkpoint(&stated).map_err(|error| defect(error.code(), error.to_string()))?;
    let signature = crypto::sign_checkpoint(signer, &text).map_err(|error| defect(error.code(), error.to_string()))?;
    let mut files = codec::tiles(leaves).map_err(|error| defect(error.code(), error.to_string()))?;
    let note = compose(&SignedNote { text, signatures: vec![signature] })?;
    files.insert(CHECKPOINT_PATH.to_owned(), note.into_bytes());
    Ok(files)
}

/// Validates what is pending, and signs a checkpoint over it.
///
/// # Errors
/// `GB-SIG-ROLE` where the signer may not; where the key cannot sign, or the log moved meanwhile.
pub fn sign_log(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    signer: &dyn Signer,
    identity: &Identity,
) -> Result<usize, Failure> {
    if !may_sign(trust.root(), signer) {
        return Err(Failure::new(Exit::Usage, "GB-SIG-ROLE", "this key may not sign checkpoints of the log")
            .because("it takes a plain Ed25519 key of somebody who holds the role log")
            .hint("see who does with `git baseline trust show`"));
    }
    if log.pending.is_empty() {
        return Ok(0);
    }
    let message = format!("Checkpoint of {} statements\n", log.leaves.len() + log.pending.len());
    append(repository, log, trust, &BTreeMap::new(), signer, &Appending { identity, message })?;
    Ok(log.pending.len())
}
