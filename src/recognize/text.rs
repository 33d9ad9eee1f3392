//! The spelling of values inside facts, and their bounds: hexadecimal, digests, moments, text of bounded length.
//!
//! Never here: a decision about what is worth a fact.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::domain::Timestamp;

use super::der::{Element, GENERALIZED_TIME, UTC_TIME};

/// How many values one list of facts holds at most; beside a list stands the full count.
pub(super) const MOST_VALUES: usize = 1000;

/// How many characters a text holds at most.
const MOST_CHARACTERS: usize = 512;

/// How large a file in UTF-16 may be to be looked at.
const MOST_UTF16: usize = 4 * 1024 * 1024;

/// Returns lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the SHA-256 of public bytes in hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns text of bounded length; bytes that are no UTF-8 are replaced.
pub(super) fn bounded(bytes: &[u8]) -> String {
    let head = bytes.get(..bytes.len().min(MOST_CHARACTERS * 4)).unwrap_or_default();
    let text = String::from_utf8_lossy(head);
    match text.char_indices().nth(MOST_CHARACTERS) {
        None => text.into_owned(),
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
    }
}

/// Returns a line of text without the white space at its ends.
pub(super) fn trimmed(bytes: &[u8]) -> String {
    bounded(bytes.trim_ascii())
}

/// Returns the text of a file in UTF-16, as some shells write it; none for any other file.
pub(super) fn from_utf16(bytes: &[u8]) -> Option<String> {
    let read = match bytes.first_chunk::<2>()? {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let units = bytes.get(2..).filter(|rest| rest.len() <= MOST_UTF16)?.as_chunks::<2>().0;
    Some(
        char::decode_utf16(units.iter().map(|unit| read(*unit)))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}

/// Returns a moment as RFC 3339 spells it; a moment that the calendar does not know is none.
pub(super) fn moment(element: Element<'_>) -> Option<String> {
    let text = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    let full = match (element.tag, text.len()) {
        (UTC_TIME, 10 | 12) => {
            // RFC 5280 §4.1.2.5.1: two digits mean 1950 to 2049.
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        (GENERALIZED_TIME, 12 | 14) => text.to_owned(),
        (GENERALIZED_TIME, _) => text.split_once('.')?.0.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| full.get(from..to);
    let seconds = part(12, 14).unwrap_or("00");
    let spelled =
        format!("{}-{}-{}T{}:{}:{seconds}Z", part(0, 4)?, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?);
    Timestamp::parse(&spelled).map(|moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment_of(tag: u8, text: &str) -> Option<String> {
        moment(Element { tag, content: text.as_bytes(), whole: &[] })
    }

    #[test]
    fn moments_are_spelled_in_one_way() {
        for (tag, text, expected) in [
            (UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"),
            (UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z"),
            (UTC_TIME, "9912312359Z", "1999-12-31T23:59:00Z"),
            (GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z"),
            (GENERALIZED_TIME, "20260101000000.5Z", "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(moment_of(tag, text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn impossible_moments_are_none() {
        for text in ["260230000000Z", "26010100000", "2601010000é0Z", "", "Z"] {
            assert_eq!(moment_of(UTC_TIME, text), None, "{text}");
        }
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(bounded("é".repeat(9999).as_bytes()).chars().count(), MOST_CHARACTERS + 1);
        assert_eq!(bounded(b"a\xff"), "a\u{fffd}");
    }
}
