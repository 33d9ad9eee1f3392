//! Records ⇄ bytes: deterministic CBOR in one spelling only, the notes that carry commit records, and the log's tree,
//! tiles, checkpoints and proofs.
//!
//! Never here: signatures, Git, or trust. Bytes are checked (`strict`), then decoded, then encoded again and
//! compared, so that what is decoded is all that the bytes say. Format: docs/format.md §2, §8.

mod change_content;
mod checkpoint;
mod leaf;
mod merkle;
mod note;
mod proof;
mod record;
mod strict;
mod tile;

pub use change_content::{change_content, state_digest};
pub use checkpoint::{CheckpointDefect, compose_checkpoint, compose_signed_note, parse_checkpoint, parse_signed_note};
pub use leaf::{leaf, log_head};
pub use merkle::{
    MerkleDefect, consistency_proof, inclusion_proof, leaf_hash, merkle_root, prefix_roots, verify_consistency,
    verify_inclusion,
};
pub use note::{NoteDefect, RecordBlock, compose_note, parse_note};
pub use proof::{LogProof, ProofDefect, compose_proof, parse_proof};
pub use record::{DecodeError, Header, MOST_BYTES, Record, decode, encode, encode_plain};
pub use strict::{CborDefect, MOST_DEPTH, check};
pub use tile::{TileContent, TileDefect, TileName, parse_entries, parse_hashes, tiles};
