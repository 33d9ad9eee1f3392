//! One file that proves without a network that a leaf is in the log: C2SP tlog-proof.
//!
//! Never here: whether its checkpoint's signatures hold (`crypto::note`): until they do, it proves nothing. Serves the
//! offline auditor. Format: docs/format.md §8.6.

use std::fmt;

use base64ct::{Base64, Encoding as _};

use super::checkpoint::{
    self, CheckpointDefect, compose_signed_note, parse_checkpoint, parse_signed_note, read_hash, read_number,
};
use super::merkle::{MerkleDefect, leaf_hash, verify_inclusion};
use crate::domain::{Checkpoint, Sha256Digest, SignedNote};

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";
/// No proof may have more hashes: a log of 2^64 − 1 leaves has no deeper leaf.
const MOST_HASHES: usize = 64;
/// No proof may be larger, in bytes.
const MOST_BYTES: usize = 2 * checkpoint::MOST_BYTES;

/// A proof that has the right form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// What whoever made it wants to say besides. Nobody signed it.
    pub extra: Option<Vec<u8>>,
    /// The leaf's place, from 0.
    pub index: u64,
    /// From the leaf's sibling up.
    pub hashes: Vec<Sha256Digest>,
    /// The log's checkpoint, with its signatures.
    pub note: SignedNote,
}

/// Why a file proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofDefect {
    /// It is none, or not in its one spelling.
    Malformed(&'static str),
    /// Its checkpoint is none.
    Checkpoint(CheckpointDefect),
    /// Its hashes do not lead from the leaf to the root.
    Merkle(MerkleDefect),
}

impl ProofDefect {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "GB-LOG-PROOF",
            Self::Checkpoint(defect) => defect.code(),
            Self::Merkle(defect) => defect.code(),
        }
    }
}

impl fmt::Display for ProofDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "no proof: {what}"),
            Self::Checkpoint(defect) => write!(f, "the proof's checkpoint: {defect}"),
            Self::Merkle(defect) => defect.fmt(f),
        }
    }
}

impl std::error::Error for ProofDefect {}

impl From<CheckpointDefect> for ProofDefect {
    fn from(defect: CheckpointDefect) -> Self {
        Self::Checkpoint(defect)
    }
}

impl LogProof {
    /// Checks that a leaf of these bytes stands at `index` in the tree of the checkpoint, and returns that checkpoint,
    /// on which all now rests: its origin and signatures are still to be checked.
    ///
    /// # Errors
    /// [`ProofDefect`].
    pub fn check(&self, leaf: &[u8]) -> Result<Checkpoint, ProofDefect> {
        let checkpoint = parse_checkpoint(&self.note.text)?;
        verify_inclusion(&leaf_hash(leaf), self.index, &checkpoint.head, &self.hashes).map_err(ProofDefect::Merkle)?;
        Ok(checkpoint)
    }
}

/// Returns the bytes of a proof.
///
/// # Errors
/// [`ProofDefect`], where [`parse_proof`] would not give the same value back.
pub fn compose_proof(proof: &LogProof) -> Result<String, ProofDefect> {
    let written = write(proof)?;
    if read(written.as_bytes())? == *proof { Ok(written) } else { Err(SECOND_SPELLING) }
}

/// Takes a proof apart. Says only that it has the form of one.
///
/// # Errors
/// [`ProofDefect`]: it is not what [`compose_proof`] writes.
pub fn parse_proof(bytes: &[u8]) -> Result<LogProof, ProofDefect> {
    let proof = read(bytes)?;
    if write(&proof)?.as_bytes() == bytes { Ok(proof) } else { Err(SECOND_SPELLING) }
}

const SECOND_SPELLING: ProofDefect = ProofDefect::Malformed("the same value is written otherwise");

fn write(proof: &LogProof) -> Result<String, ProofDefect> {
    let mut written = String::from(HEADER);
    if let Some(extra) = &proof.extra {
        written.extend(["extra ", &Base64::encode_string(extra), "\n"]);
    }
    written.extend(["index ", &proof.index.to_string(), "\n"]);
    for hash in &proof.hashes {
        written.extend([&Base64::encode_string(hash.as_bytes()), "\n"]);
    }
    written.extend(["\n", &compose_signed_note(&proof.note)?]);
    Ok(written)
}

fn read(bytes: &[u8]) -> Result<LogProof, ProofDefect> {
    let malformed = ProofDefect::Malformed;
    if bytes.len() > MOST_BYTES {
        return Err(malformed("more than 128 KiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("text that is not UTF-8"))?;
    let body = text.strip_prefix(HEADER).ok_or(malformed("another first line"))?;
    // No line before the checkpoint is empty, so that the first blank line stands before it.
    let (head, note) = body.split_once("\n\n").ok_or(malformed("no blank line before the checkpoint"))?;
    let mut lines = head.split('\n').peekable();
    let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
        Some(encoded) => {
            lines.next();
            let extra = Base64::decode_vec(encoded).ok().filter(|extra| !extra.is_empty());
            Some(extra.ok_or(malformed("extra data that is not base64, or empty"))?)
        }
        None => None,
    };
    let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(read_number);
    let index = index.ok_or(malformed("no index where it must stand"))?;
    let hashes: Option<Vec<_>> = lines.by_ref().take(MOST_HASHES).map(read_hash).collect();
    let hashes = hashes.ok_or(malformed("a hash that is none"))?;
    if lines.next().is_some() {
        return Err(malformed("more than 64 hashes"));
    }
    let note = parse_signed_note(note.as_bytes())?;
    parse_checkpoint(&note.text)?;
    Ok(LogProof { extra, index, hashes, note })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::merkle::inclusion_proof;
    use super::super::{compose_checkpoint, log_head};
    use super::*;
    use crate::domain::{KeyName, NoteSignature};

    fn leaves(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|number| vec![7; number]).collect()
    }

    fn proof(index: usize, size: usize) -> LogProof {
        let leaves = leaves(size);
        let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let checkpoint =
            Checkpoint { origin: "example.com/log".into(), head: log_head(&leaves), extensions: Vec::new() };
        let name = KeyName::parse("example.com/log").unwrap();
        LogProof {
            extra: None,
            index: index as u64,
            hashes: inclusion_proof(&hashes, index as u64).unwrap(),
            note: SignedNote {
                text: compose_checkpoint(&checkpoint).unwrap(),
                signatures: vec![NoteSignature { name, key_id: [1, 2, 3, 4], signature: vec![9; 64] }],
            },
        }
    }

    #[test]
    fn a_proof_comes_back_and_proves_its_leaf_at_its_place_only() {
        for (index, size) in [(0, 1), (3, 7), (6, 7), (255, 300)] {
            for extra in [None, Some(b"out of band".to_vec())] {
                let made = LogProof { extra, ..proof(index, size) };
                let read = parse_proof(compose_proof(&made).unwrap().as_bytes()).unwrap();
                assert_eq!(read, made);
                assert_eq!(read.check(&leaves(size)[index]).unwrap().head, log_head(&leaves(size)));
                let other = read.check(&[8]).unwrap_err();
                assert_eq!(other, ProofDefect::Merkle(MerkleDefect::Root));
                assert!(LogProof { index: 9_999, ..read.clone() }.check(&leaves(size)[index]).is_err());
                if size > 1 {
                    let moved = LogProof { index: made.index ^ 1, ..read };
                    assert!(moved.check(&leaves(size)[index]).is_err());
                }
            }
        }
    }

    #[test]
    fn the_file_looks_as_the_specification_says() {
        let written = compose_proof(&LogProof { extra: Some(vec![0, 1, 2]), ..proof(1, 3) }).unwrap();
        let lines: Vec<_> = written.split('\n').collect();
        assert_eq!(&lines[..3], ["c2sp.org/tlog-proof@v1", "extra AAEC", "index 1"]);
        assert_eq!(
            (lines[3].len(), lines[4].len(), lines[5], lines[6], lines[7]),
            (44, 44, "", "example.com/log", "3")
        );
    }

    #[test]
    fn any_other_spelling_is_refused() {
        let good = compose_proof(&LogProof { extra: Some(vec![0, 1]), ..proof(1, 3) }).unwrap();
        assert!(parse_proof(good.as_bytes()).is_ok());
        for (bad, code) in [
            (String::new(), "GB-LOG-PROOF"),
            (good.replace("@v1", "@v2"), "GB-LOG-PROOF"),
            (good.replace("extra AAE=", "extra AAF="), "GB-LOG-PROOF"),
            (good.replace("extra AAE=", "extra AAE"), "GB-LOG-PROOF"),
            (good.replace("extra AAE=", "extra "), "GB-LOG-PROOF"),
            (good.replace("extra AAE=", "extra"), "GB-LOG-PROOF"),
            (good.replace("extra AAE=\n", "extra AAE=\nextra AAE=\n"), "GB-LOG-PROOF"),
            (good.replace("index 1", "index 01"), "GB-LOG-PROOF"),
            (good.replace("index 1", "index +1"), "GB-LOG-PROOF"),
            (good.replace("index 1", "index  1"), "GB-LOG-PROOF"),
            (good.replace("index 1", "index 18446744073709551616"), "GB-LOG-PROOF"),
            (good.replace("index 1", "index -1"), "GB-LOG-PROOF"),
            (good.replace("index 1\n", ""), "GB-LOG-PROOF"),
            (good.replace("index 1\n", "index 1\nAAAA\n"), "GB-LOG-PROOF"),
            (good.replace("\n\nexample", "\nexample"), "GB-LOG-PROOF"),
            (good.replace("\n\nexample", "\n\n\nexample"), "GB-LOG-CHECKPOINT"),
            (good.replace('\n', "\r\n"), "GB-LOG-PROOF"),
            (good.replace("log\n3\n", "log\n03\n"), "GB-LOG-CHECKPOINT"),
            (format!("{good}\n"), "GB-LOG-CHECKPOINT"),
            (format!("\n{good}"), "GB-LOG-PROOF"),
            (good.trim_end().to_owned(), "GB-LOG-CHECKPOINT"),
            ("c2sp.org/tlog-proof@v1\n".repeat(6_000), "GB-LOG-PROOF"),
        ] {
            assert_ne!(bad, good, "the case changes something");
            assert_eq!(parse_proof(bad.as_bytes()).unwrap_err().code(), code, "{bad:?}");
        }
        let empty = LogProof { extra: Some(Vec::new()), ..proof(1, 3) };
        assert!(compose_proof(&empty).is_err(), "no extra data is no line");
        let deep = LogProof { hashes: vec![Sha256Digest::of(b""); 65], ..proof(1, 3) };
        assert_eq!(compose_proof(&deep), Err(ProofDefect::Malformed("more than 64 hashes")));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer_and_what_is_read_is_written_so(
            bytes in prop::collection::vec(any::<u8>(), 0..300), at: prop::sample::Index, byte: u8,
        ) {
            let mut changed = compose_proof(&proof(3, 7)).unwrap().into_bytes();
            let at = at.index(changed.len());
            changed[at] = byte;
            for bytes in [bytes, changed] {
                if let Ok(proof) = parse_proof(&bytes) {
                    prop_assert_eq!(compose_proof(&proof).unwrap().into_bytes(), bytes);
                }
            }
        }
    }
}
