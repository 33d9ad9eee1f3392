//! Keys that sign zones of DNS, as BIND writes them: the record in `K….key`, the private half in `K….private`.
//!
//! Never here: a private number. Serves RFC 4034 §2 and appendix B, and the private key format of BIND.

use base64ct::{Base64, Encoding};

use crate::domain::{Facts, RepoPath};

use super::text::{bounded, trimmed};
use super::{Recognized, der, path};

/// How large such a file may be.
const MOST_BYTES: usize = 64 * 1024;

/// Algorithms that are in use, by number.
const ALGORITHMS: [(u8, &str, Option<i64>); 10] = [
    (1, "RSAMD5", None),
    (3, "DSA", None),
    (5, "RSASHA1", None),
    (7, "NSEC3RSASHA1", None),
    (8, "RSASHA256", None),
    (10, "RSASHA512", None),
    (13, "ECDSAP256SHA256", Some(256)),
    (14, "ECDSAP384SHA384", Some(384)),
    (15, "ED25519", Some(256)),
    (16, "ED448", Some(456)),
];

/// Recognises a key of a zone.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if bytes.len() > MOST_BYTES || path::is_about(path) {
        return None;
    }
    if bytes.starts_with(b"Private-key-format: v1.") {
        return private(bytes);
    }
    let wanted =
        path::extension(path).is_some_and(|extension| matches!(extension.as_ref(), "key" | "dnskey" | "state"));
    (wanted && memchr::memmem::find(bytes, b"KEY").is_some()).then(|| public(bytes))?
}

/// One record, with comments around it.
fn public(bytes: &[u8]) -> Option<Recognized> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text: Vec<&str> = text.lines().map(|line| line.split(';').next().unwrap_or_default()).collect();
    let text = text.join(" ");
    let mut words = text.split_whitespace().filter(|word| !matches!(*word, "(" | ")"));
    let zone = words.next()?;
    let mut word = words.next()?;
    while word.bytes().all(|byte| byte.is_ascii_digit()) || matches!(word, "IN" | "CH") {
        word = words.next()?;
    }
    if !matches!(word, "DNSKEY" | "KEY" | "CDNSKEY") {
        return None;
    }
    let (flags, protocol, algorithm) =
        (words.next()?.parse::<u16>().ok()?, words.next()?.parse::<u8>().ok()?, words.next()?.parse::<u8>().ok()?);
    let key = Base64::decode_vec(&words.collect::<String>()).ok().filter(|key| !key.is_empty())?;
    let mut facts = Facts::new();
    facts.set("zone", bounded(zone.as_bytes()));
    facts.set("flags", u32::from(flags));
    facts.set("role", if flags & 1 == 1 { "key-signing" } else { "zone-signing" });
    facts.set("revoked", flags & 0x80 != 0);
    set_algorithm(&mut facts, algorithm);
    if facts.number("bits").is_none() {
        facts.set_some("bits", modulus(&key).filter(|_| algorithm != 3).map(der::bit_length));
    }
    facts.set("key_tag", key_tag(flags, protocol, algorithm, &key));
    Some(Recognized::key("dnssec-public-key", facts))
}

fn set_algorithm(facts: &mut Facts, number: u8) {
    let known = ALGORITHMS.iter().find(|(known, ..)| *known == number);
    facts.set("algorithm", known.map_or_else(|| number.to_string(), |(_, name, _)| (*name).to_owned()));
    facts.set_some("bits", known.and_then(|(.., bits)| *bits));
}

/// RFC 3110: the exponent's length, the exponent, the modulus.
fn modulus(key: &[u8]) -> Option<&[u8]> {
    let (first, rest) = key.split_first()?;
    match first {
        0 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            rest.get(u16::from_be_bytes(*length).into()..)
        }
        length => rest.get(usize::from(*length)..),
    }
}

/// RFC 4034 appendix B.
fn key_tag(flags: u16, protocol: u8, algorithm: u8, key: &[u8]) -> u32 {
    let head = [flags.to_be_bytes(), [protocol, algorithm]].concat();
    let sum = head.iter().chain(key).enumerate().fold(0_u32, |sum, (index, byte)| {
        sum.wrapping_add(if index % 2 == 0 { u32::from(*byte) << 8 } else { u32::from(*byte) })
    });
    sum.wrapping_add(sum >> 16 & 0xffff) & 0xffff
}

fn private(bytes: &[u8]) -> Option<Recognized> {
    const SECRETS: [&[u8]; 4] = [b"PrivateKey", b"PrivateExponent", b"Private_value(x)", b"Prime1"];
    let mut facts = Facts::new();
    let mut clear = None;
    for (line, number) in bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).zip(1_u32..) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        match name {
            b"Algorithm" => {
                let word = trimmed(value.split(|byte| *byte == b' ').next().unwrap_or_default());
                set_algorithm(&mut facts, word.parse().ok()?);
            }
            b"Modulus" => {
                let modulus = std::str::from_utf8(value).ok().and_then(|text| Base64::decode_vec(text).ok())?;
                facts.set("bits", der::bit_length(&modulus));
            }
            b"Created" | b"Publish" | b"Activate" | b"Inactive" | b"Delete" => {
                facts.set(trimmed(name).to_ascii_lowercase(), trimmed(value));
            }
            _ if SECRETS.contains(&name) && !value.is_empty() => clear = clear.or(Some(number)),
            _ => {}
        }
    }
    facts.text("algorithm")?;
    facts.set("encrypted", clear.is_none());
    let found = Recognized::key("dnssec-private-key", facts);
    Some(if clear.is_some() { found.with_clear_key(clear) } else { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new(path), text.as_bytes())
    }

    #[test]
    fn the_example_of_rfc_4034_has_its_key_tag() {
        // RFC 4034 §5.4.
        let text = "; a key\ndskey.example.com. 86400 IN DNSKEY 256 3 5 ( AQOeiiR0GOMYkDshWoSKz9Xz\n fwJr1AYtsmx3TGkJaNXVbfi/\n 2pHm822aJ5iI9BMzNXxeYCmZ\n DRD99WYwYqUSdjMmmAphXdvx\n egXd/M5+X7OrzKBaMbCVdFLU\n Uh6DhweJBjEVv5f2wwjM9Xzc\n nOf+EPbtG9DMBmADjFDc2w/r\n ljwvFw==\n ) ; key id = 60485\n";
        let facts = found("Kdskey.example.com.+005+60485.key", text).unwrap().facts;
        assert_eq!(facts.number("key_tag"), Some(60485));
        assert_eq!((facts.text("algorithm"), facts.number("bits")), (Some("RSASHA1"), Some(1024)));
        assert_eq!((facts.text("zone"), facts.text("role")), (Some("dskey.example.com."), Some("zone-signing")));
    }

    #[test]
    fn a_private_half_is_seen_and_one_on_a_token_is_none() {
        let head = "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n";
        let clear =
            found("Ka.+013+1.private", &format!("{head}PrivateKey: aHVudGVyMmh1bnRlcjI=\nCreated: 20260101000000\n"));
        let clear = clear.unwrap();
        assert_eq!(
            clear.observations.first().map(|seen| (seen.rule, seen.line)),
            Some(("private-key-in-clear", Some(3)))
        );
        assert!(clear.secret && !format!("{clear:?}").contains("aHVu"));
        assert!(!found("Ka.+013+1.private", &format!("{head}Engine: cGtjczEx\nLabel: x\n")).unwrap().secret);
    }

    #[test]
    fn other_files_of_that_extension_are_left_alone() {
        for text in ["KEY", "a b c KEY\n", "a. IN DNSKEY 256 3 13 !!\n", "a. IN DNSKEY 256 3\n", ""] {
            assert_eq!(found("a.key", text), None, "{text}");
        }
    }
}
