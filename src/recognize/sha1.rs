//! SHA-1, only because OpenPGP names its keys by it and Java checks its key stores with it.
//!
//! Never here: any use as a protection; nothing is trusted for it. Serves RFC 9580 §5.5.4.2.

use sha1::Digest as _;

/// Returns the SHA-1 of some parts, one after the other.
pub(super) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut hasher = sha1::Sha1::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
