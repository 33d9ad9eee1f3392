//! The signed note and the checkpoint in it, in one spelling only: C2SP signed-note and tlog-checkpoint.
//!
//! Never here: whether a signature holds (`crypto::note`), or whether the log has that root. What is parsed is written
//! again and compared, so that nothing unsigned hides in a second spelling. Format: docs/format.md §8.5.

use std::fmt;

use base64ct::{Base64, Encoding as _};

use crate::domain::{Checkpoint, KeyName, LogHead, NoteSignature, Sha256Digest, SignedNote};

/// No signed note may be larger, in bytes.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// No note may hold more signature lines.
const MOST_SIGNATURES: usize = 64;
/// An em dash and a space, which begin each signature line.
const DASH: &str = "\u{2014} ";

/// Why bytes are no signed note or checkpoint, or why none can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointDefect {
    /// More than 64 KiB.
    TooLarge,
    /// Not text, or not text of that form.
    Text(&'static str),
    /// More than 64 signature lines.
    TooManySignatures,
    /// A signature line is none; which, from 1.
    Signature(usize),
    /// A line of the checkpoint is not what must stand there.
    Line(&'static str),
    /// The same value is written otherwise.
    NotCanonical,
}

impl CheckpointDefect {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        "GB-LOG-CHECKPOINT"
    }
}

impl fmt::Display for CheckpointDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("more than 64 KiB"),
            Self::Text(what) => f.write_str(what),
            Self::TooManySignatures => write!(f, "more than {MOST_SIGNATURES} signature lines"),
            Self::Signature(number) => write!(f, "signature line {number} is none"),
            Self::Line(what) => write!(f, "no checkpoint: {what}"),
            Self::NotCanonical => f.write_str("the same value is written otherwise"),
        }
    }
}

impl std::error::Error for CheckpointDefect {}

/// Returns the bytes of a signed note.
///
/// # Errors
/// [`CheckpointDefect`], where [`parse_signed_note`] would not give the same value back.
pub fn compose_signed_note(note: &SignedNote) -> Result<String, CheckpointDefect> {
    let written = write_note(note);
    if read_note(written.as_bytes())? == *note { Ok(written) } else { Err(CheckpointDefect::NotCanonical) }
}

/// Takes a signed note apart.
///
/// # Errors
/// [`CheckpointDefect`]: it is not what [`compose_signed_note`] writes.
pub fn parse_signed_note(bytes: &[u8]) -> Result<SignedNote, CheckpointDefect> {
    let note = read_note(bytes)?;
    if write_note(&note).as_bytes() == bytes { Ok(note) } else { Err(CheckpointDefect::NotCanonical) }
}

fn write_note(note: &SignedNote) -> String {
    let mut written = format!("{}\n", note.text);
    for NoteSignature { name, key_id, signature } in &note.signatures {
        let encoded = Base64::encode_string(&[&key_id[..], signature].concat());
        written.extend([DASH, name.as_str(), " ", &encoded, "\n"]);
    }
    written
}

fn read_note(bytes: &[u8]) -> Result<SignedNote, CheckpointDefect> {
    if bytes.len() > MOST_BYTES {
        return Err(CheckpointDefect::TooLarge);
    }
    let whole = std::str::from_utf8(bytes).map_err(|_| CheckpointDefect::Text("text that is not UTF-8"))?;
    if whole.contains(is_forbidden) {
        return Err(CheckpointDefect::Text("a control character in the text"));
    }
    // Text may hold blank lines; the last one stands before the signatures.
    let at = whole.rfind("\n\n").and_then(|at| at.checked_add(1));
    let (text, rest) = at.and_then(|at| whole.split_at_checked(at)).ok_or(NO_SIGNATURES)?;
    let lines = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n')).ok_or(NO_SIGNATURES)?;
    let mut signatures = Vec::new();
    for (number, line) in (1..).zip(lines.split('\n')) {
        if number > MOST_SIGNATURES {
            return Err(CheckpointDefect::TooManySignatures);
        }
        signatures.push(read_signature(line).ok_or(CheckpointDefect::Signature(number))?);
    }
    Ok(SignedNote { text: text.to_owned(), signatures })
}

/// Control characters below U+0020 other than the line feed, as the specification says.
const fn is_forbidden(character: char) -> bool {
    character < ' ' && character != '\n'
}

const NO_SIGNATURES: CheckpointDefect = CheckpointDefect::Text("no blank line with finished signature lines after it");

fn read_signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = Base64::decode_vec(encoded).ok()?;
    let (key_id, signature) = bytes.split_first_chunk::<4>()?;
    if signature.is_empty() {
        return None;
    }
    Some(NoteSignature { name: KeyName::parse(name)?, key_id: *key_id, signature: signature.to_vec() })
}

/// Returns the text of a checkpoint, which is what its log and its witnesses sign.
///
/// # Errors
/// [`CheckpointDefect`], where [`parse_checkpoint`] would not give the same value back.
pub fn compose_checkpoint(checkpoint: &Checkpoint) -> Result<String, CheckpointDefect> {
    let text = write_checkpoint(checkpoint);
    if read_checkpoint(&text)? == *checkpoint { Ok(text) } else { Err(CheckpointDefect::NotCanonical) }
}

/// Takes the text of a checkpoint apart.
///
/// # Errors
/// [`CheckpointDefect`]: it is not what [`compose_checkpoint`] writes.
pub fn parse_checkpoint(text: &str) -> Result<Checkpoint, CheckpointDefect> {
    let checkpoint = read_checkpoint(text)?;
    if write_checkpoint(&checkpoint) == text { Ok(checkpoint) } else { Err(CheckpointDefect::NotCanonical) }
}

fn write_checkpoint(checkpoint: &Checkpoint) -> String {
    let root = Base64::encode_string(checkpoint.head.root.as_bytes());
    let mut text = format!("{}\n{}\n{root}\n", checkpoint.origin, checkpoint.head.size);
    for line in &checkpoint.extensions {
        text.extend([line, "\n"]);
    }
    text
}

fn read_checkpoint(text: &str) -> Result<Checkpoint, CheckpointDefect> {
    if text.len() > MOST_BYTES {
        return Err(CheckpointDefect::TooLarge);
    }
    if text.contains(is_forbidden) {
        return Err(CheckpointDefect::Text("a control character in the text"));
    }
    let finished = text.strip_suffix('\n').ok_or(CheckpointDefect::Line("its last line has no end"))?;
    let mut lines = finished.split('\n');
    let origin = lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointDefect::Line("it has no origin"))?;
    let size = lines.next().and_then(read_number);
    let size = size.ok_or(CheckpointDefect::Line("its second line is no size"))?;
    let root = lines.next().and_then(read_hash).ok_or(CheckpointDefect::Line("its third line is no root hash"))?;
    let extensions: Vec<_> = lines.map(str::to_owned).collect();
    if extensions.iter().any(String::is_empty) {
        return Err(CheckpointDefect::Line("an extension line is empty"));
    }
    if size == 0 && root != Sha256Digest::of(b"") {
        return Err(CheckpointDefect::Line("an empty log has another root"));
    }
    Ok(Checkpoint { origin: origin.to_owned(), head: LogHead { root, size }, extensions })
}

/// Returns a decimal number without sign or leading zeroes.
pub(super) fn read_number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

/// Returns a hash in base64.
pub(super) fn read_hash(text: &str) -> Option<Sha256Digest> {
    let bytes = Base64::decode_vec(text).ok()?;
    bytes.try_into().ok().map(Sha256Digest::from_bytes)
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
