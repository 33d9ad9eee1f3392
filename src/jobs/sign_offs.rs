//! Sign-offs as they stand in the log, each proven by itself, in the order of the log.
//!
//! Never here: what they count for (`releases`, `changes`). One that does not stand is void, named, and bricks nothing
//! (contract §3.2). Format: docs/format.md §7.

use crate::codec;
use crate::crypto::{self, Attested, SIGN_OFF_NAMESPACE};
use crate::domain::{Digest, SignOff};
use crate::jobs::log::{Log, parse_signature};
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure};

/// Returns the sign-offs below `<folder>signoffs/` that stand, in the order of the log, and says of the others why not.
///
/// # Errors
/// Where a blob is missing or damaged.
pub(super) fn attested<'t>(
    log: &Log<'_>,
    trust: &'t Trust,
    folder: &str,
    void: &mut Vec<String>,
) -> Result<Vec<Attested<'t, SignOff>>, Failure> {
    let folder = format!("{folder}signoffs/");
    let mut attested = Vec::new();
    for path in log.below(&folder).filter(|path| path.ends_with(".cbor")) {
        match stands(log, trust, path)? {
            Ok(proved) => attested.push(proved),
            Err(why) => void.push(format!("{path}: {why}")),
        }
    }
    attested.sort_by_key(Attested::position);
    Ok(attested)
}

/// Returns a sign-off that stands, or why it does not.
///
/// # Errors
/// Where a blob is missing or damaged.
pub(super) fn stands<'t>(
    log: &Log<'_>,
    trust: &'t Trust,
    path: &str,
) -> Result<Result<Attested<'t, SignOff>, String>, Failure> {
    let bytes = log.need(path)?;
    let Some(signature) = log.signature(path)? else { return Ok(Err("no signature came with it".to_owned())) };
    let position = log.position(path).unwrap_or(u64::MAX);
    Ok(match prove(trust, path, &bytes, &signature) {
        Ok(proved) if proved.value().time < trust.at(Some(position)).root.value().time => {
            Err("it claims a time before the trust root that was in force".to_owned())
        }
        Ok(proved) => Ok(proved.at(position)),
        Err(failure) => Err(failure.to_string()),
    })
}

/// Returns the digest of a sign-off's stored bytes.
pub(super) fn digest(trust: &Trust, attested: &Attested<'_, SignOff>) -> Digest {
    // Decoding demanded that encoding gives the stored bytes again, so this is their digest.
    Digest::of(&codec::encode(Some(&trust.fingerprint), attested.value()))
}

/// Whose key it is, the newest root knows: no root forgets a key. Whether it counts where it stands is judged later.
fn prove<'t>(trust: &'t Trust, path: &str, bytes: &[u8], signature: &[u8]) -> Result<Attested<'t, SignOff>, Failure> {
    let signature = parse_signature(path, signature)?;
    let attested = crypto::attest(&trust.newest().root, SIGN_OFF_NAMESPACE, bytes, &signature)
        .map_err(|error| Failure::new(Exit::Disproven, error.code(), error.to_string()))?;
    attested.try_map(|bytes| {
        let (header, sign_off) = codec::decode::<SignOff>(bytes).map_err(|error| Failure::undecodable(path, &error))?;
        if header.baseline != Some(trust.fingerprint) {
            return Err(Failure::new(Exit::Disproven, "GB-BIND-BASELINE", "it belongs to another baseline"));
        }
        Ok(sign_off)
    })
}
