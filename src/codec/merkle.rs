//! The Merkle tree of RFC 6962 over leaf hashes: roots, and proofs that a leaf is in it or that it only grew.
//!
//! Every function is total: sizes up to 2^64 − 1 and proofs of any length end in an answer. Never here: leaves of ours
//! (`leaf`), tiles, or who signed a root. Serves contract §3.2; the verifying halves are the algorithms of RFC 9162
//! §2.1.3.2 and §2.1.4.2. Format: docs/format.md §8.3, §8.6.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::domain::{LogHead, Sha256Digest};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MerkleDefect {
    /// It speaks of a leaf or size that the tree does not have.
    Range,
    /// It has too few or too many hashes for that place in a tree of that size.
    Length,
    /// It leads to another root.
    Root,
}

impl MerkleDefect {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        "GB-LOG-PROOF"
    }
}

impl fmt::Display for MerkleDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Range => "the proof speaks of what a log of that size does not have",
            Self::Length => "the proof has too few or too many hashes",
            Self::Root => "the proof leads to another root",
        })
    }
}

impl std::error::Error for MerkleDefect {}

/// Returns the hash of one leaf.
pub fn leaf_hash(leaf: &[u8]) -> Sha256Digest {
    // The prefixes 0 and 1 keep a leaf from being taken for a node.
    Sha256Digest::of(&[&[0], leaf].concat())
}

fn node(left: &Sha256Digest, right: &Sha256Digest) -> Sha256Digest {
    let mut bytes = [1; 65];
    let [_, halves @ ..] = &mut bytes;
    let (first, second) = halves.split_at_mut(32);
    first.copy_from_slice(left.as_bytes());
    second.copy_from_slice(right.as_bytes());
    Sha256Digest::of(&bytes)
}

/// Returns the root over leaf hashes.
pub fn merkle_root(hashes: &[Sha256Digest]) -> Sha256Digest {
    match hashes {
        [] => Sha256Digest::of(b""),
        [one] => *one,
        _ => {
            let (left, right) = halves(hashes);
            node(&merkle_root(left), &merkle_root(right))
        }
    }
}

/// Returns the roots over the first so many hashes, for each of some sizes, in one pass.
pub fn prefix_roots(hashes: &[Sha256Digest], sizes: &BTreeSet<usize>) -> BTreeMap<usize, Sha256Digest> {
    // Whole subtrees, the largest first, with how many leaves each has.
    let mut whole: Vec<(Sha256Digest, usize)> = Vec::new();
    let mut roots = BTreeMap::new();
    if sizes.contains(&0) {
        roots.insert(0, merkle_root(&[]));
    }
    for (at, hash) in hashes.iter().enumerate() {
        let (mut hash, mut leaves) = (*hash, 1_usize);
        while let Some((left, _)) = whole.pop_if(|(_, count)| *count == leaves) {
            hash = node(&left, &hash);
            leaves = leaves.saturating_mul(2);
        }
        whole.push((hash, leaves));
        if sizes.contains(&at.saturating_add(1)) {
            let root = whole.iter().rev().map(|(hash, _)| *hash).reduce(|right, left| node(&left, &right));
            roots.extend(root.map(|root| (at.saturating_add(1), root)));
        }
    }
    roots
}

/// Splits two or more hashes at the largest power of two below their count (RFC 6962 §2.1).
fn halves(hashes: &[Sha256Digest]) -> (&[Sha256Digest], &[Sha256Digest]) {
    let half = 1_usize << hashes.len().saturating_sub(1).checked_ilog2().unwrap_or(0);
    hashes.split_at(half.min(hashes.len()))
}

/// Returns the proof that leaf `index` is in the tree over `hashes`, from the leaf's sibling up; none where the tree has
/// no such leaf.
pub fn inclusion_proof(hashes: &[Sha256Digest], index: u64) -> Option<Vec<Sha256Digest>> {
    let mut at = usize::try_from(index).ok().filter(|at| *at < hashes.len())?;
    let (mut within, mut proof) = (hashes, Vec::new());
    while within.len() > 1 {
        let (left, right) = halves(within);
        if at < left.len() {
            proof.push(merkle_root(right));
            within = left;
        } else {
            proof.push(merkle_root(left));
            at = at.saturating_sub(left.len());
            within = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Checks that the leaf with that hash stands at `index` in the tree that `head` names.
///
/// # Errors
/// [`MerkleDefect`], where the proof is not exactly the one.
pub fn verify_inclusion(
    leaf: &Sha256Digest,
    index: u64,
    head: &LogHead,
    proof: &[Sha256Digest],
) -> Result<(), MerkleDefect> {
    if index >= head.size {
        return Err(MerkleDefect::Range);
    }
    let (mut at, mut last) = (index, head.size.saturating_sub(1));
    let mut root = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(MerkleDefect::Length);
        }
        if at & 1 == 1 || at == last {
            root = node(sibling, &root);
            climb_to_left_child(&mut at, &mut last);
        } else {
            root = node(&root, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(MerkleDefect::Length);
    }
    if root == head.root { Ok(()) } else { Err(MerkleDefect::Root) }
}

/// Leaves out the levels on which the rightmost node has no sibling.
fn climb_to_left_child(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        (*at, *last) = (*at >> 1, *last >> 1);
    }
}

/// Returns the proof that the tree over the first `old` hashes is the beginning of the tree over all; empty where there
/// is nothing to prove (`old` is 0 or all), none where there are fewer hashes than `old`.
pub fn consistency_proof(hashes: &[Sha256Digest], old: u64) -> Option<Vec<Sha256Digest>> {
    let mut old = usize::try_from(old).ok().filter(|old| *old <= hashes.len())?;
    let (mut within, mut proof) = (hashes, Vec::new());
    if old == 0 {
        return Some(proof);
    }
    // Whether what is left of the old tree is the whole old tree, whose root the verifier has.
    let mut known = true;
    while old < within.len() {
        let (left, right) = halves(within);
        if old <= left.len() {
            proof.push(merkle_root(right));
            within = left;
        } else {
            proof.push(merkle_root(left));
            old = old.saturating_sub(left.len());
            within = right;
            known = false;
        }
    }
    if !known {
        proof.push(merkle_root(within));
    }
    proof.reverse();
    Some(proof)
}

/// Checks that the tree that `old` names is the beginning of the one that `new` names.
///
/// Every tree begins with the empty one, which needs no proof: a verifier who remembers only that knows nothing.
///
/// # Errors
/// [`MerkleDefect`], where the proof is not exactly the one.
pub fn verify_consistency(old: &LogHead, new: &LogHead, proof: &[Sha256Digest]) -> Result<(), MerkleDefect> {
    if old.size > new.size {
        return Err(MerkleDefect::Range);
    }
    if old.size == 0 || old.size == new.size {
        let same = if old.size == new.size { new.root } else { old.root };
        let expected = if old.size == 0 { merkle_root(&[]) } else { old.root };
        return match (proof.is_empty(), old.root == expected && same == expected) {
            (false, _) => Err(MerkleDefect::Length),
            (true, false) => Err(MerkleDefect::Root),
            (true, true) => Ok(()),
        };
    }
    // A complete old tree is itself the first node on the way.
    let start = if old.size.is_power_of_two() { Some((&old.root, proof)) } else { proof.split_first() };
    let (start, rest) = start.ok_or(MerkleDefect::Length)?;
    let (mut at, mut last) = (old.size.saturating_sub(1), new.size.saturating_sub(1));
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut old_root, mut new_root) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(MerkleDefect::Length);
        }
        if at & 1 == 1 || at == last {
            old_root = node(sibling, &old_root);
            new_root = node(sibling, &new_root);
            climb_to_left_child(&mut at, &mut last);
        } else {
            new_root = node(&new_root, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(MerkleDefect::Length);
    }
    if old_root == old.root && new_root == new.root { Ok(()) } else { Err(MerkleDefect::Root) }
}

#[cfg(test)]
#[path = "merkle_tests.rs"]
mod tests;
