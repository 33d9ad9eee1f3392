//! Refuses every CBOR spelling but the one of RFC 8949 §4.2.1, before anything is decoded.
//!
//! Allowed: integers, byte strings, UTF-8 text, arrays, maps, false, true, null; shortest heads, definite
//! lengths, map keys as text in bytewise order of their encoding, nothing after the end. Never here: meaning.

use std::fmt;

/// How deep arrays and maps may nest.
pub const MOST_DEPTH: usize = 32;

/// Why bytes are not deterministic CBOR, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CborDefect {
    /// Offset of the first byte that is wrong.
    pub at: usize,
    /// The defect's code, such as `GB-FMT-KEY-ORDER`.
    pub code: &'static str,
    /// The defect in words.
    pub what: &'static str,
}

impl fmt::Display for CborDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for CborDefect {}

macro_rules! defects {
    ($($name:ident = $code:literal, $what:literal;)*) => {
        $(const $name: (&str, &str) = ($code, $what);)*
    };
}

defects! {
    TRUNCATED = "GB-FMT-TRUNCATED", "the bytes end inside a value";
    NOT_SHORTEST = "GB-FMT-NOT-SHORTEST", "an integer or a length is not in its shortest form";
    INDEFINITE = "GB-FMT-INDEFINITE", "an indefinite length";
    KEY_TYPE = "GB-FMT-KEY-TYPE", "a map key is not text";
    KEY_ORDER = "GB-FMT-KEY-ORDER", "map keys are out of order";
    KEY_TWICE = "GB-FMT-KEY-TWICE", "a map key stands twice";
    TAG = "GB-FMT-TAG", "a tag";
    FLOAT = "GB-FMT-FLOAT", "a floating-point number";
    SIMPLE = "GB-FMT-SIMPLE", "a simple value other than false, true and null";
    UTF8 = "GB-FMT-UTF8", "text is not UTF-8";
    DEPTH = "GB-FMT-DEPTH", "nesting is deeper than 32";
    RESERVED = "GB-FMT-RESERVED", "a reserved head";
    TRAILING = "GB-FMT-TRAILING", "bytes follow the value";
}

/// Checks that `bytes` are exactly one value in deterministic form.
///
/// # Errors
/// The first [`CborDefect`].
pub fn check(bytes: &[u8]) -> Result<(), CborDefect> {
    let mut reader = Reader { bytes, at: 0 };
    reader.value(0)?;
    if reader.at == bytes.len() { Ok(()) } else { Err(reader.defect(reader.at, TRAILING)) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A head: major type and argument.
struct Head {
    major: u8,
    argument: u64,
}

impl<'a> Reader<'a> {
    #[expect(clippy::unused_self, reason = "reads like a sentence where it is used")]
    fn defect(&self, at: usize, (code, what): (&'static str, &'static str)) -> CborDefect {
        CborDefect { at, code, what }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], CborDefect> {
        let start = self.at;
        let end = usize::try_from(count).ok().and_then(|count| start.checked_add(count));
        let taken = end.and_then(|end| self.bytes.get(start..end)).ok_or_else(|| self.defect(start, TRUNCATED))?;
        self.at += taken.len();
        Ok(taken)
    }

    fn head(&mut self) -> Result<Head, CborDefect> {
        let at = self.at;
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let (major, low) = (first >> 5, first & 0x1f);
        if major == 7 {
            return self.simple(at, low);
        }
        if low == 31 {
            return Err(self.defect(at, INDEFINITE));
        }
        let width = match low {
            0..=23 => return Ok(Head { major, argument: low.into() }),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(self.defect(at, RESERVED)),
        };
        let argument = self.take(width)?.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let least = match width {
            1 => 24,
            2 => 0x100,
            4 => 0x1_0000,
            _ => 0x1_0000_0000,
        };
        if argument < least {
            return Err(self.defect(at, NOT_SHORTEST));
        }
        Ok(Head { major, argument })
    }

    fn simple(&self, at: usize, low: u8) -> Result<Head, CborDefect> {
        match low {
            20..=22 => Ok(Head { major: 7, argument: low.into() }),
            25..=27 => Err(self.defect(at, FLOAT)),
            28..=30 => Err(self.defect(at, RESERVED)),
            31 => Err(self.defect(at, INDEFINITE)),
            _ => Err(self.defect(at, SIMPLE)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), CborDefect> {
        let at = self.at;
        if depth > MOST_DEPTH {
            return Err(self.defect(at, DEPTH));
        }
        let head = self.head()?;
        match head.major {
            0 | 1 | 7 => Ok(()),
            2 => self.take(head.argument).map(|_| ()),
            3 => self.text(head.argument),
            4 => (0..head.argument).try_for_each(|_| self.value(depth + 1)),
            5 => self.map(head.argument, depth),
            _ => Err(self.defect(at, TAG)),
        }
    }

    fn text(&mut self, length: u64) -> Result<(), CborDefect> {
        let at = self.at;
        let text = self.take(length)?;
        std::str::from_utf8(text).map(|_| ()).map_err(|error| self.defect(at + error.valid_up_to(), UTF8))
    }

    fn map(&mut self, pairs: u64, depth: usize) -> Result<(), CborDefect> {
        let mut previous: Option<&[u8]> = None;
        for _ in 0..pairs {
            let start = self.at;
            let head = self.head()?;
            if head.major != 3 {
                return Err(self.defect(start, KEY_TYPE));
            }
            self.text(head.argument)?;
            let key = self.bytes.get(start..self.at).unwrap_or_default();
            match previous.map(|previous| previous.cmp(key)) {
                Some(std::cmp::Ordering::Equal) => return Err(self.defect(start, KEY_TWICE)),
                Some(std::cmp::Ordering::Greater) => return Err(self.defect(start, KEY_ORDER)),
                _ => previous = Some(key),
            }
            self.value(depth + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &[u8]) -> Option<&'static str> {
        check(bytes).err().map(|defect| defect.code)
    }

    #[test]
    fn the_one_spelling_is_accepted() {
        for bytes in [
            &b"\x00"[..],
            b"\x18\x18",
            b"\x1b\x00\x00\x00\x01\x00\x00\x00\x00",
            b"\x38\x18",
            b"\x43abc",
            b"\x63\xe2\x82\xac",
            b"\x83\xf4\xf5\xf6",
            b"\xa2\x61b\x01\x62aa\x02",
        ] {
            assert_eq!(code(bytes), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn every_other_spelling_is_refused_by_name() {
        for (bytes, expected) in [
            (&b""[..], "GB-FMT-TRUNCATED"),
            (b"\x43ab", "GB-FMT-TRUNCATED"),
            (b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "GB-FMT-TRUNCATED"),
            (b"\x9b\x00\x00\x01\x00\x00\x00\x00\x00", "GB-FMT-TRUNCATED"),
            (b"\x18\x17", "GB-FMT-NOT-SHORTEST"),
            (b"\x19\x00\xff", "GB-FMT-NOT-SHORTEST"),
            (b"\x1a\x00\x00\xff\xff", "GB-FMT-NOT-SHORTEST"),
            (b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", "GB-FMT-NOT-SHORTEST"),
            (b"\x58\x01a", "GB-FMT-NOT-SHORTEST"),
            (b"\x9f\xff", "GB-FMT-INDEFINITE"),
            (b"\xbf\xff", "GB-FMT-INDEFINITE"),
            (b"\x7f\x61a\xff", "GB-FMT-INDEFINITE"),
            (b"\xff", "GB-FMT-INDEFINITE"),
            (b"\xa1\x01\x02", "GB-FMT-KEY-TYPE"),
            (b"\xa2\x62aa\x02\x61b\x01", "GB-FMT-KEY-ORDER"),
            (b"\xa2\x61b\x01\x61a\x01", "GB-FMT-KEY-ORDER"),
            (b"\xa2\x61a\x01\x61a\x01", "GB-FMT-KEY-TWICE"),
            (b"\xc2\x41\x01", "GB-FMT-TAG"),
            (b"\xf9\x00\x00", "GB-FMT-FLOAT"),
            (b"\xf7", "GB-FMT-SIMPLE"),
            (b"\xf8\x20", "GB-FMT-SIMPLE"),
            (b"\x61\xff", "GB-FMT-UTF8"),
            (b"\x1c", "GB-FMT-RESERVED"),
            (b"\x00\x00", "GB-FMT-TRAILING"),
        ] {
            assert_eq!(code(bytes), Some(expected), "{bytes:02x?}");
        }
        assert_eq!(code(&[0x81; 100]), Some("GB-FMT-DEPTH"));
    }
}
