//! Private keys inside other files: strings of JSON, indented blocks of YAML, here-documents of Terraform, variables.
//!
//! A key is one when its block can be parsed, whatever its marker says; documents and programs only quote keys.
//! Never here: a file that is made of blocks, and a byte of a private part. Serves RFC 7468.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::domain::{Fact, Facts, RepoPath};

use super::pem::{self, BEGIN};
use super::text::MOST_VALUES;
use super::{Recognized, openpgp, path, pem_file};

/// How a block begins in base64, as Kubernetes keeps files in its configurations.
const ENCODED: &[u8] = b"LS0tLS1CRUdJTi";

/// How large the text of one key may be.
const MOST_BYTES: usize = 128 * 1024;

/// Extensions of files that are data: what they quote is what programs read.
const DATA: &[&str] = &[
    "auto",
    "cfg",
    "cnf",
    "conf",
    "config",
    "env",
    "envrc",
    "hcl",
    "ini",
    "json",
    "json5",
    "jsonc",
    "nomad",
    "ovpn",
    "plist",
    "properties",
    "tf",
    "tfstate",
    "tfvars",
    "toml",
    "xml",
    "yaml",
    "yml",
];

/// Folders of examples and of vectors that a standard publishes.
const EXAMPLES: [&str; 6] = ["doc", "docs", "examples", "testdata", "test-vectors", "vectors"];

/// A private key inside another file.
pub(super) struct Key {
    /// The line on which it begins, from 1.
    pub line: u32,
    /// Whether it stands without a password.
    pub clear: bool,
    /// What is public about it.
    pub facts: Facts,
}

/// Adds the private keys that a file holds between other text to what was found.
pub(super) fn add(path: &RepoPath, bytes: &[u8], found: Option<Recognized>) -> Option<Recognized> {
    // Whoever already says that a secret stands here has read it in its own way.
    let settled = found.as_ref().is_some_and(|found| found.secret);
    if settled || found.is_none() && !is_data(path) || !may_hold(bytes) || memchr::memchr(0, bytes).is_some() {
        return found;
    }
    let keys = keys(bytes);
    if keys.is_empty() {
        return found;
    }
    let mut found = found.unwrap_or_else(|| Recognized::key("embedded-private-key", facts(&keys)));
    for key in keys.iter().filter(|key| key.clear).take(MOST_VALUES) {
        found = found.with_clear_key(Some(key.line));
    }
    Some(found)
}

fn facts(keys: &[Key]) -> Facts {
    let mut facts = Facts::new();
    facts.set("count", u32::try_from(keys.len()).unwrap_or(u32::MAX));
    let list = keys.iter().take(MOST_VALUES).map(|key| Fact::Map(key.facts.clone()));
    facts.set("keys", Fact::List(list.collect()));
    facts
}

fn is_data(path: &RepoPath) -> bool {
    let is_example = || {
        let folders = String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase();
        folders.split('/').rev().skip(1).any(|folder| EXAMPLES.contains(&folder))
    };
    path::extension(path).is_some_and(|extension| DATA.binary_search(&extension.as_ref()).is_ok()) && !is_example()
}

/// Says at the price of a search whether there may be a key.
pub(super) fn may_hold(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"PRIVATE KEY").is_some() || memchr::memmem::find(bytes, ENCODED).is_some()
}

/// Returns every private key in the text that can be parsed, in order.
pub(super) fn keys(text: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    let begins: Vec<usize> = memchr::memmem::find_iter(text, BEGIN).take(pem::MOST_BLOCKS).collect();
    for (index, at) in begins.iter().copied().enumerate() {
        let end = begins.get(index + 1).copied().unwrap_or(text.len()).min(at + MOST_BYTES);
        let line = || line_at(text, at);
        keys.extend(text.get(at..end).and_then(written).into_iter().flat_map(|block| read(&block, &line)));
    }
    let mut from = 0;
    for at in memchr::memmem::find_iter(text, ENCODED).take(pem::MOST_BLOCKS) {
        // The text of one key is decoded once, however often its beginning stands in it.
        if at < from {
            continue;
        }
        let run = text.get(at..(at + MOST_BYTES).min(text.len())).unwrap_or_default();
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let run = run.get(..run.iter().position(|byte| !is_base64(byte)).unwrap_or(run.len())).unwrap_or_default();
        from = at + run.len();
        let decoded = std::str::from_utf8(run).ok().and_then(|run| Base64::decode_vec(run).ok()).map(Zeroizing::new);
        keys.extend(decoded.iter().flat_map(|block| read(block, &|| line_at(text, at))));
    }
    keys.sort_by_key(|key| key.line);
    keys
}

/// Returns the block as a file would hold it: no escapes, quotation marks, indentation or continuations.
fn written(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let head = text.get(BEGIN.len()..text.len().min(96))?;
    let length = memchr::memmem::find(head, b"-----")?;
    let label = head.get(..length).filter(|label| memchr::memmem::find(label, b"PRIVATE KEY").is_some())?;
    let rest = text.get(BEGIN.len() + length + 5..)?;
    let body = rest.get(..memchr::memmem::find(rest, b"-----END ")?)?;
    let mut block = Zeroizing::new(Vec::with_capacity(text.len() + 16));
    block.extend_from_slice(&[BEGIN, label, b"-----\n"].concat());
    let mut escaped = false;
    for byte in body.iter().copied() {
        match (escaped, byte) {
            (true, b'n' | b'r' | b't') => block.push(b'\n'),
            (_, b'"' | b'\'' | b'`' | b'\\') => {}
            _ => block.push(byte),
        }
        // Two backslashes are the escape of an escape.
        escaped = byte == b'\\';
    }
    block.extend_from_slice(&[b"\n-----END ", label, b"-----\n"].concat());
    Some(block)
}

/// Reads the private keys of decoded blocks.
fn read(block: &[u8], line: &impl Fn() -> u32) -> Vec<Key> {
    let key = |facts, clear| Key { line: line(), clear, facts };
    let blocks = pem::split(block);
    let mut keys = Vec::new();
    for block in blocks.whole.iter().filter(|block| block.label.contains("PRIVATE KEY")) {
        if let Some((facts, clear)) = pem_file::private_key(block) {
            keys.push(key(facts, clear));
        } else if block.label == "PGP PRIVATE KEY BLOCK" {
            let found = openpgp::read(&block.bytes).unwrap_or_default();
            keys.extend(found.iter().filter(|found| found.is_private()).map(|pgp| key(pgp.facts(), pgp.is_clear())));
        }
    }
    keys
}

fn line_at(text: &[u8], at: usize) -> u32 {
    let before = text.get(..at).unwrap_or_default();
    u32::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognize::recognize;

    /// RFC 8410 §10.3: a key that everybody knows.
    const BODY: &str = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";

    fn block(between: &str) -> String {
        ["-----BEGIN PRIVATE KEY-----", BODY, "-----END PRIVATE KEY-----", ""].join(between)
    }

    /// Kind, and rules with their lines.
    type Found = (String, Vec<(&'static str, Option<u32>)>);

    fn found(path: &str, text: &str) -> Option<Found> {
        let found = recognize(&RepoPath::new(path), text.as_bytes())?;
        assert!(!format!("{found:?}").contains(&BODY[30..42]), "{path}");
        assert!(found.secret || found.observations.is_empty(), "{path}");
        Some((found.kind, found.observations.iter().map(|seen| (seen.rule, seen.line)).collect()))
    }

    #[test]
    fn data_is_sorted() {
        assert!(DATA.is_sorted());
    }

    #[test]
    fn keys_are_found_however_they_are_written() {
        let encoded = Base64::encode_string(block("\n").as_bytes());
        for (path, text, line) in [
            ("a.json", format!("{{\n\"k\": \"{}\"}}", block("\\n")), 2),
            ("a.json", format!("{{\"k\": \"{}\"}}", block("\\r\\n")), 1),
            ("a.json", format!("{{\"k\": \"{{\\\"k\\\": \\\"{}\\\"}}\"}}", block("\\\\n")), 1),
            ("values.yaml", format!("a: 1\nk: |\n  {}", block("\n  ")), 3),
            ("values.yaml", format!("k: \"{}\"\n", block("\\n")), 1),
            ("values.yaml", format!("k: >-\r\n  {}", block("\r\n  ")), 2),
            ("values.yaml", format!("list:\n- {encoded}\n"), 2),
            ("a.tfvars", format!("k = <<-EOT\n  {}EOT\n", block("\n  ")), 2),
            ("a.tfvars", format!("k = <<EOT\n{}EOT\n", block("\n")), 2),
            ("a.toml", format!("k = \"\"\"\n{}\"\"\"\n", block("\n")), 2),
            ("a.properties", format!("k={}\n", block("\\n\\\n  ")), 1),
        ] {
            let expected = Some(("embedded-private-key".to_owned(), vec![("private-key-in-clear", Some(line))]));
            assert_eq!(found(path, &text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn a_known_kind_keeps_its_name() {
        let text = format!("resource \"a\" \"b\" {{\n  key = <<EOF\n{}EOF\n}}\n", block("\n"));
        assert_eq!(found("a.tf", &text), Some(("terraform".to_owned(), vec![("private-key-in-clear", Some(3))])));
    }

    #[test]
    fn documents_programs_vectors_and_markers_without_keys_are_left_alone() {
        let json = format!("{{\"k\": \"{}\"}}", block("\\n"));
        for path in ["a.md", "a.py", "a.rs", "a.js", "a", "docs/a.json", "tests/vectors/a.json"] {
            assert_eq!(found(path, &json), None, "{path}");
        }
        for text in [
            json.replace(BODY, "..."),
            json.replace(BODY, "${PRIVATE_KEY}"),
            json.replace(BODY, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
            json.replace("END", "BEGIN"),
            json.replace("PRIVATE KEY", "PUBLIC KEY"),
        ] {
            assert_eq!(found("a.json", &text), None, "{text}");
        }
    }

    #[test]
    fn a_flood_of_markers_ends_soon() {
        let flood = "\"-----BEGIN PRIVATE KEY-----".repeat(50_000) + &"LS0tLS1CRUdJTi".repeat(50_000);
        assert!(keys(flood.as_bytes()).is_empty());
    }
}
