//! Reads DER (and the few BER habits that are met in practice) element by element, without copying.
//!
//! Tolerant on purpose: what OpenSSL prints, this reads, so that an odd certificate is described instead of refused.
//! Never here: the meaning of an element. Serves X.690.

use std::fmt::Write as _;

/// A constructed sequence.
pub(super) const SEQUENCE: u8 = 0x30;
/// A constructed set.
pub(super) const SET: u8 = 0x31;
/// A truth value.
pub(super) const BOOLEAN: u8 = 0x01;
/// A whole number.
pub(super) const INTEGER: u8 = 0x02;
/// Bits.
pub(super) const BIT_STRING: u8 = 0x03;
/// Bytes.
pub(super) const OCTET_STRING: u8 = 0x04;
/// An object identifier.
pub(super) const OID: u8 = 0x06;
/// A date with a year of two digits.
pub(super) const UTC_TIME: u8 = 0x17;
/// A date with a year of four digits.
pub(super) const GENERALIZED_TIME: u8 = 0x18;

/// How deep elements of indefinite length may nest.
const MOST_DEPTH: usize = 16;

/// One element: its tag, what is in it, and its complete encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// The identifier byte.
    pub tag: u8,
    /// What is in it.
    pub content: &'a [u8],
    /// Identifier, length and content.
    pub whole: &'a [u8],
}

/// Walks over the elements of some bytes.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    /// Returns a reader of what is in it.
    pub(super) fn inside(self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// Returns the bytes of a bit string that has no unused bits.
    pub(super) fn bits(self) -> Option<&'a [u8]> {
        match self.content.split_first() {
            Some((0, bytes)) if self.tag == BIT_STRING => Some(bytes),
            _ => None,
        }
    }

    /// Returns the bytes of a positive integer without leading zeros.
    pub(super) fn magnitude(self) -> Option<&'a [u8]> {
        let positive = self.tag == INTEGER && self.content.first().is_some_and(|first| first & 0x80 == 0);
        positive.then(|| unsigned(self.content))
    }

    /// Returns a small number.
    pub(super) fn number(self) -> Option<i64> {
        let magnitude = self.magnitude()?;
        let value =
            (magnitude.len() <= 8).then(|| magnitude.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))?;
        i64::try_from(value).ok()
    }

    /// Returns an object identifier in dotted notation.
    pub(super) fn oid(self) -> Option<String> {
        (self.tag == OID).then(|| dotted(self.content))?
    }
}

impl<'a> Reader<'a> {
    /// Begins with the first element of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns the next element.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (element, rest) = split(self.rest, 0)?;
        self.rest = rest;
        Some(element)
    }

    /// Returns the next element when it has that tag.
    pub(super) fn read(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.rest.first() == Some(&tag) { self.next() } else { None }
    }

    /// Says whether nothing is left.
    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Yields every element, and stops at the first that is none.
impl<'a> Iterator for Reader<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        Reader::next(self)
    }
}

/// Returns the one element that `bytes` are; a line end after it is forgiven.
pub(super) fn only(bytes: &[u8], tag: u8) -> Option<Element<'_>> {
    if bytes.first() != Some(&tag) {
        return None;
    }
    let (element, rest) = split(bytes, 0)?;
    matches!(rest, b"" | b"\n" | b"\r\n").then_some(element)
}

/// Returns the encoding of an element that holds `parts`, one after the other.
pub(super) fn encode(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let big = length.to_be_bytes();
            let big = unsigned(&big);
            bytes.push(0x80 | u8::try_from(big.len()).unwrap_or_default());
            bytes.extend_from_slice(big);
        }
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Returns the number of bits that a number has.
pub(super) fn bit_length(magnitude: &[u8]) -> i64 {
    let magnitude = unsigned(magnitude);
    let Some(first) = magnitude.first() else { return 0 };
    i64::try_from(magnitude.len()).unwrap_or(i64::MAX).saturating_mul(8) - i64::from(first.leading_zeros())
}

/// Drops leading zeros.
pub(super) fn unsigned(mut bytes: &[u8]) -> &[u8] {
    while let Some((0, rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}

fn split(bytes: &[u8], depth: usize) -> Option<(Element<'_>, &[u8])> {
    let (&tag, after_tag) = bytes.split_first()?;
    // No format that is read here has tags of more than one byte.
    if tag & 0x1f == 0x1f || tag == 0 {
        return None;
    }
    let (&first, after_first) = after_tag.split_first()?;
    let (length, body) = match first {
        0..=0x7f => (usize::from(first), after_first),
        0x80 => return split_indefinite(bytes, tag, after_first, depth),
        0x81..=0x84 => {
            let (head, body) = after_first.split_at_checked(usize::from(first & 0x7f))?;
            (head.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)), body)
        }
        _ => return None,
    };
    let (content, rest) = body.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - rest.len())?;
    Some((Element { tag, content, whole }, rest))
}

/// BER's open end, which old programs write into PKCS#7 and PKCS#12.
fn split_indefinite<'a>(bytes: &'a [u8], tag: u8, body: &'a [u8], depth: usize) -> Option<(Element<'a>, &'a [u8])> {
    if tag & 0x20 == 0 || depth >= MOST_DEPTH {
        return None;
    }
    let mut rest = body;
    while !rest.starts_with(&[0, 0]) {
        rest = split(rest, depth + 1)?.1;
    }
    let content = body.get(..body.len() - rest.len())?;
    let rest = rest.get(2..)?;
    Some((Element { tag, content, whole: bytes.get(..bytes.len() - rest.len())? }, rest))
}

fn dotted(content: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut arc = 0_u64;
    let mut open = true;
    for byte in content {
        arc = arc.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        open = byte & 0x80 != 0;
        if !open {
            if text.is_empty() {
                let first = (arc / 40).min(2);
                text = format!("{first}.{}", arc - first * 40);
            } else {
                let _ = write!(text, ".{arc}");
            }
            arc = 0;
        }
    }
    (!open).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_after_the_other() {
        let mut reader = only(&[0x30, 5, 2, 1, 7, 5, 0], SEQUENCE).unwrap().inside();
        assert_eq!(reader.read(INTEGER).and_then(Element::number), Some(7));
        assert_eq!(reader.read(OID), None);
        assert!(!reader.is_done());
        assert_eq!(reader.next().map(|element| element.tag), Some(5));
        assert!(reader.is_done());
    }

    #[test]
    fn an_open_end_is_found_and_its_depth_is_bounded() {
        let bytes = [0x30, 0x80, 0x24, 0x80, 4, 1, 9, 0, 0, 0, 0];
        let element = only(&bytes, SEQUENCE).unwrap();
        assert_eq!(element.content, &bytes[2..9]);
        assert_eq!(only(&[0x30, 0x80].repeat(10_000), SEQUENCE), None);
    }

    #[test]
    fn wrong_lengths_are_no_elements() {
        for bytes in
            [&b"\x30"[..], b"\x30\x05\x02\x01", b"\x30\x84\xff\xff\xff\xff", b"\x30\x85\0\0\0\0\0", b"\x30\x00x"]
        {
            assert_eq!(only(bytes, SEQUENCE), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn object_identifiers_are_dotted() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]).as_deref(), Some("1.2.840.113549.1.1.11"));
        assert_eq!(dotted(&[0x55, 4, 3]).as_deref(), Some("2.5.4.3"));
        assert_eq!(dotted(&[0x88, 0x37, 1]).as_deref(), Some("2.999.1"));
        assert_eq!(dotted(&[0x55, 0x84]), None);
        assert_eq!(dotted(&[0xff; 30]), None);
    }

    #[test]
    fn what_is_encoded_is_read_again() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![1; length];
            let bytes = encode(OCTET_STRING, &[&content]);
            assert_eq!(only(&bytes, OCTET_STRING).unwrap().content, content);
        }
    }
}
