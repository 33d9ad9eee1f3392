//! The log's leaves and the head over them (RFC 6962 §2.1, SHA-256, so that public witnesses can follow).
//!
//! Never here: the tree itself (`merkle`), tiles and checkpoints, which are written over the same leaves. Format: docs/format.md §8.

use super::encode_plain;
use super::merkle::{leaf_hash, merkle_root};
use crate::domain::{Digest, LogHead};

/// Returns the leaf of one statement that the log gained: deterministic CBOR of `[path, BLAKE3 of its bytes, BLAKE3 of
/// its one signature]`, the last null where the statement carries none beside it (contract §3.2).
pub fn leaf(path: &str, statement: &Digest, signature: Option<&Digest>) -> Vec<u8> {
    encode_plain(&(path, statement, signature))
}

/// Returns size and root over leaves, in the order in which the log gained them.
pub fn log_head(leaves: &[Vec<u8>]) -> LogHead {
    let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    LogHead { root: merkle_root(&hashes), size: leaves.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_equal_the_published_vectors_of_rfc_6962() {
        // Leaves and roots of the certificate-transparency reference tests.
        let leaves: Vec<Vec<u8>> = vec![vec![], vec![0], vec![0x10], vec![0x20, 0x21], vec![0x30, 0x31]];
        let root = |count: usize| log_head(&leaves[..count]).root.to_string();
        assert_eq!(root(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(root(1), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(root(2), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
        assert_eq!(root(3), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
        assert_eq!(root(4), "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
    }
}
