//! Key stores: PKCS#12, and Java's JKS and JCEKS, whose certificates can be read without a password.
//!
//! Never here: opening a store. One thing is tried: the few passwords that Java's own manuals hand out.
//! Serves RFC 7292 and `sun.security.provider.JavaKeyStore`.

use crate::domain::{Fact, Facts, RepoPath};

use super::Recognized;
use super::certificate::{Certificate, algorithm_name};
use super::der::{self, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};
use super::sha1::sha1;
use super::text::{MOST_VALUES, trimmed};

const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

/// Passwords that manuals and installers hand out.
const DEFAULTS: [&str; 6] = ["changeit", "changeme", "password", "secret", "123456", "keystore"];

/// How large a store may be for its passwords to be tried.
const MOST_TRIED: usize = 1024 * 1024;

/// Recognises a Java key store; PKCS#12 is DER and found by its reader.
pub(super) fn recognize(_path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    if *magic != JKS && *magic != JCEKS {
        return None;
    }
    let format = if *magic == JKS { "JKS" } else { "JCEKS" };
    let mut stream = Stream(rest);
    let version = stream.word().filter(|version| matches!(version, 1 | 2))?;
    let mut store = Store::default();
    let whole = store.read(&mut stream, version);
    let mut facts = Facts::new();
    facts.set("format", format);
    facts.set("entries", store.entries);
    facts.set("aliases", store.aliases);
    facts.set("certificates", Fact::List(store.certificates.iter().map(|found| Fact::Map(found.facts())).collect()));
    let mut found = Recognized::key("jks-keystore", facts);
    if whole.is_none() && store.entries > 0 {
        found = found.unreadable(None, "not every entry of the key store can be read");
    }
    if has_default_password(bytes) {
        found =
            found.observe("keystore-default-password", None, "the key store's password is one that manuals hand out");
    }
    Some(found)
}

/// The store ends with a digest over the password, a phrase, and all before it.
fn has_default_password(bytes: &[u8]) -> bool {
    let Some((content, digest)) = bytes.split_last_chunk::<20>() else { return false };
    bytes.len() <= MOST_TRIED
        && DEFAULTS.iter().any(|password| {
            let wide: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
            sha1(&[&wide, b"Mighty Aphrodite", content]) == *digest
        })
}

#[derive(Default)]
struct Store {
    entries: u32,
    aliases: Vec<String>,
    certificates: Vec<Certificate>,
}

impl Store {
    fn read(&mut self, stream: &mut Stream<'_>, version: u32) -> Option<()> {
        let count = stream.word()?;
        self.entries = count;
        for _ in 0..count {
            let kind = stream.word()?;
            let alias = trimmed(stream.text()?);
            if self.aliases.len() < MOST_VALUES {
                self.aliases.push(alias);
            }
            stream.take(8)?;
            let chain = match kind {
                1 => {
                    stream.long_bytes()?;
                    stream.word()?
                }
                2 => 1,
                // A secret key is a serialised Java object of unknown length.
                _ => return None,
            };
            for _ in 0..chain {
                if version == 2 {
                    stream.text()?;
                }
                let certificate = Certificate::read(stream.long_bytes()?);
                if self.certificates.len() < MOST_VALUES {
                    self.certificates.extend(certificate);
                }
            }
        }
        Some(())
    }
}

struct Stream<'a>(&'a [u8]);

impl<'a> Stream<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.take(2)?.try_into().ok().map(u16::from_be_bytes)?;
        self.take(length.into())
    }

    fn long_bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.word()?;
        self.take(usize::try_from(length).ok()?)
    }
}

/// Returns the facts of a PKCS#12 store.
pub(super) fn pkcs12(whole: Element<'_>) -> Option<Facts> {
    let mut fields = whole.inside();
    if fields.read(INTEGER)?.number()? != 3 {
        return None;
    }
    let mut safe = fields.read(SEQUENCE)?.inside();
    let content_type = safe.read(OID)?.oid()?;
    if !content_type.starts_with("1.2.840.113549.1.7.") {
        return None;
    }
    let mut facts = Facts::new();
    if let Some(mac) = fields.read(SEQUENCE) {
        let mut mac = mac.inside();
        facts.set_some("mac", mac.read(SEQUENCE)?.inside().read(SEQUENCE).and_then(algorithm_name));
        mac.read(OCTET_STRING)?;
        facts.set("mac_iterations", mac.read(INTEGER).and_then(Element::number).unwrap_or(1));
    }
    let content = safe.read(0xa0).and_then(|explicit| explicit.inside().next());
    let safes =
        content.filter(|content| content.tag == OCTET_STRING).and_then(|data| der::only(data.content, SEQUENCE));
    if let Some(safes) = safes {
        facts.set("encrypted", !holds_clear_key(safes));
    }
    Some(facts)
}

/// Says whether an unencrypted part of the store holds an unencrypted key.
fn holds_clear_key(safes: Element<'_>) -> bool {
    Iterator::take(safes.inside(), MOST_VALUES).any(|safe| {
        let mut inside = safe.inside();
        let is_data = inside.read(OID).and_then(Element::oid).is_some_and(|id| id == "1.2.840.113549.1.7.1");
        let data = inside.read(0xa0).and_then(|explicit| explicit.inside().read(OCTET_STRING));
        let bags = data.filter(|_| is_data).and_then(|data| der::only(data.content, SEQUENCE));
        bags.is_some_and(|bags| {
            Iterator::take(bags.inside(), MOST_VALUES).any(|bag| {
                bag.inside().read(OID).and_then(Element::oid).is_some_and(|id| id == "1.2.840.113549.1.12.10.1.1")
            })
        })
    })
}
