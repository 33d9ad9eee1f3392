//! Records ⇄ bytes: deterministic CBOR in one spelling only, and the notes that carry commit records.
//!
//! Never here: signatures, Git, or trust. Bytes are checked (`strict`), then decoded, then encoded again and
//! compared, so that what is decoded is all that the bytes say. Format: docs/format.md §2.

mod change_content;
mod leaf;
mod note;
mod record;
mod strict;

pub use change_content::{change_content, state_digest};
pub use leaf::{leaf, log_head};
pub use note::{NoteDefect, RecordBlock, compose_note, parse_note};
pub use record::{DecodeError, Header, MOST_BYTES, Record, decode, encode, encode_plain};
pub use strict::{CborDefect, MOST_DEPTH, check};
