//! Digests of content: BLAKE3 decides, SHA-256 stands beside it for auditors' own tools.
//!
//! Never here: keyed hashing, or a digest of anything that was found to be a secret (format.md §4).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// A BLAKE3-256 digest of exact bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(#[serde(with = "serde_bytes")] [u8; 32]);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Wraps 32 bytes that are known to be a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses exactly 64 lower-case hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        parse_hex::<32>(hex).map(Self)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first 12 hexadecimal digits, for text meant for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

/// A SHA-256 digest of exact bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256Digest(#[serde(with = "serde_bytes")] [u8; 32]);

impl Sha256Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Wraps 32 bytes that are known to be a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Both digests of one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestSet {
    /// BLAKE3-256, the digest that decides.
    pub blake3: Digest,
    /// SHA-256, for tools that do not know BLAKE3.
    pub sha256: Sha256Digest,
}

impl DigestSet {
    /// Returns both digests of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { blake3: Digest::of(bytes), sha256: Sha256Digest::of(bytes) }
    }
}

/// Computes a [`DigestSet`] over content that arrives in pieces and is never held whole.
#[derive(Default)]
pub struct ContentHasher {
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
    size: u64,
}

impl ContentHasher {
    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.blake3.update(piece);
        self.sha256.update(piece);
        self.size += piece.len() as u64;
    }

    /// Returns the number of bytes seen, and both digests.
    pub fn finish(self) -> (u64, DigestSet) {
        let digests = DigestSet {
            blake3: Digest(*self.blake3.finalize().as_bytes()),
            sha256: Sha256Digest(self.sha256.finalize().into()),
        };
        (self.size, digests)
    }
}

macro_rules! hexadecimal {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
hexadecimal!(Digest, Sha256Digest);

/// Parses exactly `2 * N` lower-case hexadecimal digits; upper case would be a second spelling.
pub(super) fn parse_hex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if hex.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().as_chunks::<2>().0) {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        let [high, low] = *pair;
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_whole_give_the_same_digests() {
        let mut hasher = ContentHasher::default();
        hasher.update(b"config");
        hasher.update(b"uration");
        assert_eq!(hasher.finish(), (13, DigestSet::of(b"configuration")));
    }

    #[test]
    fn hexadecimal_has_one_spelling() {
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse(&digest.to_string().to_uppercase()), None);
    }
}
