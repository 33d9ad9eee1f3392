//! `PuTTY`'s private key files, versions 2 and 3: the public half and the protection.
//!
//! Never here: the private lines. Serves `PuTTY`'s documentation, appendix C.

use base64ct::{Base64, Encoding};

use crate::domain::Facts;

use super::ssh::SshKey;
use super::text::{bounded, trimmed};

/// What every such file begins with.
pub(super) const MAGIC: &[u8] = b"PuTTY-User-Key-File-";

/// How many lines of a public key are read.
const MOST_LINES: usize = 256;

/// Returns the facts of a key, whether it stands in clear, and the line where its private part begins.
pub(super) fn read(bytes: &[u8]) -> Option<(Facts, bool, u32)> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).zip(1_u32..);
    let (first, _) = lines.next()?;
    let (version, algorithm) = split_field(first.strip_prefix(MAGIC)?)?;
    let mut facts = Facts::new();
    facts.set("algorithm", trimmed(algorithm));
    facts.set("version", bounded(version));
    let mut clear = None;
    while let Some((line, number)) = lines.next() {
        let Some((name, value)) = split_field(line) else { continue };
        match name {
            b"Encryption" => {
                clear = Some(value == b"none");
                facts.set("encrypted", value != b"none");
                facts.set_some("cipher", (value != b"none").then(|| bounded(value)));
            }
            b"Comment" => facts.set_some("comment", (!value.is_empty()).then(|| bounded(value))),
            b"Key-Derivation" => facts.set("kdf", bounded(value)),
            b"Public-Lines" => {
                let count = std::str::from_utf8(value).ok()?.parse::<usize>().ok()?.min(MOST_LINES);
                let base64: Vec<u8> = lines.by_ref().take(count).flat_map(|(line, _)| line).copied().collect();
                let key = SshKey::read(&Base64::decode_vec(std::str::from_utf8(&base64).ok()?).ok()?)?;
                facts.set_some("bits", key.bits);
                facts.set("fingerprint", key.fingerprint);
            }
            b"Private-Lines" => return clear.map(|clear| (facts, clear, number)),
            _ => {}
        }
    }
    None
}

fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b':', line)?;
    Some((line.get(..at)?, line.get(at + 1..)?.trim_ascii()))
}
