//! Java's key stores JKS and JCEKS, whose certificates can be read without a password.
//!
//! Never here: opening a store. One thing is tried: the few passwords that Java's own manuals hand out.
//! Serves `sun.security.provider.JavaKeyStore`.

use crate::domain::{Fact, Facts, RepoPath};

use super::certificate::Certificate;
use super::sha1::sha1;
use super::text::{MOST_VALUES, trimmed};
use super::{Recognized, java_object};

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
                // A secret key is a sealed Java object; how long it is only its own reader knows.
                3 => {
                    let length = java_object::length(stream.0)?;
                    stream.take(length)?;
                    0
                }
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
