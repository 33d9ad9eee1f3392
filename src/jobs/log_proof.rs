//! Proofs for whoever keeps no repository: that a release stands in the log, in the form of C2SP's tlog-proof.
//!
//! Never here: the hashing (`codec::merkle`). Format: docs/format.md §8.6.

use crate::codec::{self, LogProof};
use crate::crypto;
use crate::domain::ReleaseName;
use crate::jobs::checkpoint;
use crate::jobs::log::Log;
use crate::jobs::releases;
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure};

/// Makes the proof that a release's statement stands in the log. The leaf stands in the proof's extra line.
///
/// # Errors
/// Where the release is not in force, or a blob is missing.
pub fn log_proof(log: &Log<'_>, trust: &Trust, name: &ReleaseName) -> Result<String, Failure> {
    let stored = releases::read(log, trust, name)?;
    let path = format!("{}release.cbor", stored.folder);
    let missing = || Failure::new(Exit::Defect, "GB-DEFECT", format!("{path} has no place in the log"));
    let index = log.position(&path).ok_or_else(missing)?;
    let leaves = log.encoded()?;
    let leaf = usize::try_from(index).ok().and_then(|at| leaves.get(at)).ok_or_else(missing)?;
    let hashes: Vec<_> = leaves.iter().map(|leaf| codec::leaf_hash(leaf)).collect();
    let hashes = codec::inclusion_proof(&hashes, index).ok_or_else(missing)?;
    let proof = LogProof { extra: Some(leaf.clone()), index, hashes, note: trust.checkpoint.note.clone() };
    codec::compose_proof(&proof)
        .map_err(|error| Failure::new(Exit::Usage, error.code(), "the proof cannot be written").because(error))
}

/// What a proof shows.
pub struct Proven {
    /// The leaf's place.
    pub index: u64,
    /// The size of the log that it stands in.
    pub size: u64,
    /// The leaf's bytes.
    pub leaf: Vec<u8>,
}

/// Checks a proof of inclusion against the keys that the trust root gives role `log`.
///
/// # Errors
/// `GB-LOG-PROOF` where it does not hold, `GB-SIG-THRESHOLD` where its checkpoint is not signed by this log.
pub fn check_proof(trust: &Trust, bytes: &[u8]) -> Result<Proven, Failure> {
    let refuse = |error: codec::ProofDefect| {
        Failure::new(Exit::Disproven, error.code(), "the proof does not hold").because(error)
    };
    let proof = codec::parse_proof(bytes).map_err(refuse)?;
    let leaf = proof.extra.clone().ok_or_else(|| {
        Failure::new(Exit::Usage, "GB-LOG-PROOF", "the proof does not say which statement it is about")
    })?;
    let stated = proof.check(&leaf).map_err(refuse)?;
    if stated.origin != trust.root().origin {
        return Err(Failure::new(Exit::Disproven, "GB-LOG-PROOF", "the proof is one of another log"));
    }
    crypto::logged(&trust.newest().root, &proof.note, stated.head.size).map_err(|shortfall| {
        Failure::new(Exit::Disproven, shortfall.code(), "the proof's checkpoint is not signed by this log")
            .because(shortfall)
    })?;
    Ok(Proven { index: proof.index, size: stated.head.size, leaf })
}

/// Adds a witness's cosignature to a checkpoint that this log continues.
///
/// # Errors
/// `GB-LOG-FORK` where the log here does not begin with it; where the key cannot sign.
pub fn cosign(
    log: &Log<'_>,
    trust: &Trust,
    bytes: &[u8],
    name: &crate::domain::KeyName,
    signer: &dyn crypto::Signer,
    time: u64,
) -> Result<String, Failure> {
    let (mut note, stated) = checkpoint::parse(bytes)?;
    if stated.origin != trust.root().origin || !log.begins_with(&stated.head)? {
        let what = "the log that is here does not begin with that checkpoint";
        return Err(Failure::new(Exit::Disproven, "GB-LOG-FORK", what)
            .hint("fetch refs/baseline/log first; where it stays so, do not cosign"));
    }
    let signature = crypto::cosign(signer, name, time, &note.text)
        .map_err(|error| Failure::new(Exit::Usage, error.code(), "the key could not cosign").because(error))?;
    note.signatures.push(signature);
    checkpoint::compose(&note)
}
