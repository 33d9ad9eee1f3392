//! Splits text into its PEM blocks: labels equal, headers understood, base64 decoded; text between blocks is allowed.
//!
//! A block is what stands between two marker lines, each at the start of its line. What begins like a block and is
//! none is reported, so that "unreadable" can be said. Never here: what a block means. Serves RFC 7468 and RFC 1421.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// How many blocks of one file are looked at; the largest trust stores in use hold some hundreds.
pub(super) const MOST_BLOCKS: usize = 4096;

/// The bytes that begin every block.
pub(super) const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// One decoded block.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// What the markers say, such as `CERTIFICATE`.
    pub label: &'a str,
    /// The line of the first marker, from 1.
    pub line: u32,
    /// The cipher of a `DEK-Info` header, or an empty text when only `Proc-Type` says that it is encrypted.
    pub encryption: Option<String>,
    /// The decoded bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Blocks<'a> {
    /// What was decoded, in order.
    pub whole: Vec<Block<'a>>,
    /// Label and line of what begins like a block and is none.
    pub broken: Vec<(&'a str, u32)>,
    /// Whether there were more than [`MOST_BLOCKS`].
    pub more: bool,
    /// Whether a block stands in a quotation: a code fence, a string of a program, a shell's here-document.
    pub quoted: bool,
}

/// Splits `text` in one pass.
pub(super) fn split(text: &[u8]) -> Blocks<'_> {
    let mut found = Blocks::default();
    let mut open: Option<Open<'_>> = None;
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut skip = 0;
    for at in memchr::memmem::find_iter(text, DASHES) {
        if at < skip || !starts_line(text, at) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let (begins, label) = match (label_after(rest, BEGIN), label_after(rest, END)) {
            (Some(label), _) => (true, label),
            (None, Some(label)) => (false, label),
            (None, None) => continue,
        };
        skip = at + BEGIN.len() + label.len();
        let closed = open.take();
        if found.whole.len() + found.broken.len() >= MOST_BLOCKS {
            found.more = true;
            break;
        }
        if begins {
            found.broken.extend(closed.map(|open| (open.label, open.line)));
            let body = at + BEGIN.len() + label.len() + DASHES.len();
            found.quoted |= is_quoted(text.get(..at).unwrap_or_default());
            open = Some(Open { label, line: lines.number_at(at), body });
        } else if let Some(open) = closed {
            match text.get(open.body..at).filter(|_| open.label == label).and_then(decode) {
                Some((encryption, bytes)) => {
                    found.whole.push(Block { label, line: open.line, encryption, bytes });
                }
                None => found.broken.push((open.label, open.line)),
            }
        }
    }
    found.broken.extend(open.map(|open| (open.label, open.line)));
    found
}

struct Open<'a> {
    label: &'a str,
    line: u32,
    body: usize,
}

/// Counts lines without looking at any byte twice.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn number_at(&mut self, at: usize) -> u32 {
        let passed = self.text.get(self.at..at).unwrap_or_default();
        let ends = memchr::memchr_iter(b'\n', passed).count();
        self.line = self.line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        self.at = at;
        self.line
    }
}

fn starts_line(text: &[u8], at: usize) -> bool {
    match at.checked_sub(1).and_then(|before| text.get(before)) {
        None | Some(b'\n' | b'\r') => true,
        // A byte order mark may stand before the first line.
        Some(_) => at == 3 && text.starts_with(b"\xef\xbb\xbf"),
    }
}

/// Returns the label of a marker line: capitals as a rule, and nothing but spaces behind the dashes.
fn label_after<'a>(rest: &'a [u8], marker: &[u8]) -> Option<&'a str> {
    let rest = rest.strip_prefix(marker)?;
    let head = rest.get(..rest.len().min(64))?;
    let end = memchr::memmem::find(head, DASHES)?;
    let behind = rest.get(end + DASHES.len()..)?.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    let label = std::str::from_utf8(head.get(..end)?).ok()?;
    let plain = !label.is_empty() && label.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (plain && matches!(behind, None | Some(b'\n' | b'\r'))).then_some(label)
}

/// Says whether the text before a marker opens a quotation.
fn is_quoted(before: &[u8]) -> bool {
    let tail = before.get(before.len().saturating_sub(400)..).unwrap_or_default().trim_ascii_end();
    let line = tail.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default().trim_ascii();
    let opens = [&b"\"\"\""[..], b"'''", b"`", b"(\"", b"= \"", b"=\"", b"\\"];
    line.starts_with(b"```")
        || line.starts_with(b"~~~")
        || opens.iter().any(|quote| line.ends_with(quote))
        || memchr::memmem::find(line, b"<<").is_some_and(|at| is_here_document(line.get(at + 2..).unwrap_or_default()))
}

fn is_here_document(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"-").unwrap_or(word).trim_ascii_start();
    word.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'"' | b'\\' | b'_'))
}

/// Decodes a body: headers up to an empty line, base64, and the checksum line of `OpenPGP`.
fn decode(body: &[u8]) -> Option<(Option<String>, Zeroizing<Vec<u8>>)> {
    let mut encryption = None;
    let mut base64 = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut in_headers = false;
    for line in body.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
        if base64.is_empty() && (in_headers && !line.is_empty() || line.contains(&b':')) {
            in_headers = true;
            read_header(line, &mut encryption);
        } else if line.is_empty() {
            in_headers = false;
        } else if line.first() == Some(&b'=') && line.len() == 5 {
            break;
        } else {
            base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
    let text = std::str::from_utf8(&base64).ok()?;
    let bytes = Zeroizing::new(Base64::decode_vec(text).ok()?);
    (!bytes.is_empty()).then_some((encryption, bytes))
}

fn read_header(line: &[u8], encryption: &mut Option<String>) {
    let line = String::from_utf8_lossy(line);
    let Some((name, value)) = line.split_once(':') else { return };
    match name {
        "Proc-Type" if value.contains("ENCRYPTED") => {
            encryption.get_or_insert_default();
        }
        "DEK-Info" => {
            let cipher = value.split(',').next().unwrap_or_default().trim();
            *encryption = Some(cipher.chars().take(32).collect());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels<'a>(found: &Blocks<'a>) -> Vec<(&'a str, u32)> {
        found.whole.iter().map(|block| (block.label, block.line)).collect()
    }

    #[test]
    fn blocks_are_found_between_text_with_their_lines() {
        let text = b"\xef\xbb\xbf-----BEGIN A-----\r\nAAEC\r\n-----END A-----\r\n\r\nsubject=\xfc\r\n-----BEGIN B-----  \r\nAw\r\n==\r\n-----END B-----";
        let found = split(text);
        assert_eq!(labels(&found), [("A", 1), ("B", 6)]);
        assert_eq!(*found.whole[0].bytes, [0, 1, 2]);
        assert_eq!(*found.whole[1].bytes, [3]);
        assert!(found.broken.is_empty() && !found.quoted);
    }

    #[test]
    fn headers_tell_the_encryption() {
        let text = b"-----BEGIN K-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAEC\n-----END K-----\n";
        assert_eq!(split(text).whole[0].encryption.as_deref(), Some("AES-128-CBC"));
    }

    #[test]
    fn a_checksum_line_ends_armour() {
        let text = b"-----BEGIN P-----\nComment: x\n\nAAEC\n=VLZz\n-----END P-----\n";
        assert_eq!(*split(text).whole[0].bytes, [0, 1, 2]);
    }

    #[test]
    fn broken_blocks_are_named_by_their_line() {
        for (text, line) in [
            (&b"-----BEGIN A-----\nMIIB!!!!\n-----END A-----\n"[..], 1),
            (b"\n-----BEGIN A-----\nAAEC\n-----END B-----\n", 2),
            (b"-----BEGIN A-----\nAAEC\n", 1),
            (b"-----BEGIN A-----\n-----END A-----\n", 1),
            (b"-----BEGIN A-----\nAAEC\n-----BEGIN B-----\nAAEC\n-----END B-----\n", 1),
        ] {
            assert_eq!(split(text).broken, [("A", line)], "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn markers_inside_a_line_are_no_blocks() {
        for text in [
            "Paste `-----BEGIN PRIVATE KEY-----` here",
            "const A: &str = \"-----BEGIN CERTIFICATE-----\";\n",
            "  -----BEGIN A-----\n  AAEC\n  -----END A-----\n",
            "-----BEGIN A----- and so on\nAAEC\n-----END A-----\n",
        ] {
            let found = split(text.as_bytes());
            assert!(found.whole.is_empty() && found.broken.is_empty(), "{text}");
        }
    }

    #[test]
    fn quotations_are_told_apart_from_text_between_blocks() {
        let block = "-----BEGIN A-----\nAAEC\n-----END A-----\n";
        for before in ["```\n", "```pem\n", "KEY = \"\"\"\n", "cat > a.pem <<EOF\n", "let key = `\n", "x = \"\\\n"] {
            assert!(split(format!("{before}{block}").as_bytes()).quoted, "{before}");
        }
        for before in ["# Root\n", "Given Root\n==========\n", "subject=/CN=\"a\"\n", "<cert>\n", "a << 1\n"] {
            assert!(!split(format!("{before}{block}").as_bytes()).quoted, "{before}");
        }
    }

    #[test]
    fn a_flood_of_blocks_is_cut_off() {
        let flood = "-----BEGIN A-----\n".repeat(20_000);
        let found = split(flood.as_bytes());
        assert!(found.more && found.broken.len() == MOST_BLOCKS);
    }
}
