//! The note that carries commit records: a summary for people, the record in armour, its SSH signature.
//!
//! Several records may stand one after the other, as `git notes merge -s union` leaves them. Never here: whether
//! a signature holds, or whether the summary's digest is the one in the record. Format: docs/format.md §5.2.

use std::fmt;

use base64ct::{Base64, Encoding};

const BEGIN: &str = "-----BEGIN GIT-BASELINE RECORD-----\n";
const END: &str = "-----END GIT-BASELINE RECORD-----\n";
const BEGIN_SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END_SIGNATURE: &str = "-----END SSH SIGNATURE-----\n";
const COLUMNS: usize = 76;

/// No note may be larger, in bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// No note may hold more records.
const MOST_RECORDS: usize = 64;

/// One record with what stands around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBlock {
    /// The text before the record, exactly.
    pub summary: String,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// The armoured SSH signature over the record's bytes.
    pub signature: String,
    /// All bytes of this block.
    pub whole: Vec<u8>,
}

/// Why a note is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteDefect {
    /// Offset of the block that is damaged.
    pub at: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl NoteDefect {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        "GB-NOTE-DAMAGED"
    }
}

impl fmt::Display for NoteDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in the block at byte {}", self.what, self.at)
    }
}

impl std::error::Error for NoteDefect {}

/// Returns a note of one record. A summary ends with a line feed and holds no armour and no leading blank line.
pub fn compose_note(summary: &str, record: &[u8], signature: &str) -> String {
    let mut note = String::from(summary);
    note.push_str(BEGIN);
    let armour = Base64::encode_string(record);
    for line in armour.as_bytes().chunks(COLUMNS) {
        note.extend(line.iter().map(|byte| char::from(*byte)));
        note.push('\n');
    }
    note.push_str(END);
    note.push_str(signature);
    note
}

/// Takes a note apart.
///
/// # Errors
/// [`NoteDefect`]: the note is not what [`compose_note`] writes, once or several times with blank lines between.
pub fn parse_note(note: &[u8]) -> Result<Vec<RecordBlock>, NoteDefect> {
    let fail = |at, what| Err(NoteDefect { at, what });
    if note.len() > MOST_BYTES {
        return fail(0, "more than 16 MiB");
    }
    let Ok(text) = std::str::from_utf8(note) else { return fail(0, "text that is not UTF-8") };
    let mut blocks = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        if blocks.len() == MOST_RECORDS {
            return fail(at, "more than 64 records");
        }
        let (block, after) = parse_block(rest).map_err(|what| NoteDefect { at, what })?;
        blocks.push(block);
        rest = after.trim_start_matches('\n');
    }
    if blocks.is_empty() { fail(0, "no record") } else { Ok(blocks) }
}

fn parse_block(text: &str) -> Result<(RecordBlock, &str), &'static str> {
    let (summary, rest) = text.split_once(BEGIN).ok_or("no record after the summary")?;
    if summary.is_empty() || !summary.ends_with('\n') || summary.contains("-----") {
        return Err("a summary that is empty, unfinished or holds armour");
    }
    let (armour, rest) = rest.split_once(END).ok_or("a record without end")?;
    let record = Base64::decode_vec(&armour.replace('\n', "")).map_err(|_| "a record that is not base64")?;
    let (before, rest) = rest.split_once(END_SIGNATURE).ok_or("no signature after the record")?;
    if !before.starts_with(BEGIN_SIGNATURE) {
        return Err("something between record and signature");
    }
    let signature = format!("{before}{END_SIGNATURE}");
    let whole = compose_note(summary, &record, &signature);
    if !text.starts_with(&whole) {
        return Err("armour that is broken into other lines");
    }
    Ok((RecordBlock { summary: summary.to_owned(), record, signature, whole: whole.into_bytes() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----\n";

    #[test]
    fn a_note_comes_back_as_it_was_written_also_after_a_union_merge() {
        let one = compose_note("1 item changed\n", &[7; 200], SIGNATURE);
        let two = compose_note("2 items added\n", b"x", SIGNATURE);
        let blocks = parse_note(format!("{one}\n\n{two}").as_bytes()).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].summary.as_str(), blocks[0].record.len()), ("1 item changed\n", 200));
        assert_eq!(blocks[1].whole, two.as_bytes());
    }

    #[test]
    fn damaged_notes_are_refused() {
        let good = compose_note("summary\n", &[7; 200], SIGNATURE);
        for bad in [
            String::new(),
            good.replace("summary\n", ""),
            good.replace("BwcH", "BwcH\n"),
            good.replace('\n', "\r\n"),
            good.trim_end().to_owned(),
            format!("{good}tail"),
            good.replace("-----END GIT-BASELINE RECORD-----\n", "-----END GIT-BASELINE RECORD-----\nnote\n"),
        ] {
            assert!(parse_note(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
