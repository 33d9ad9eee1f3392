//! PKCS#12: what stands in such a store without encryption, and whether its password is one that manuals hand out.
//!
//! Never here: opening an encrypted part. Serves RFC 7292, appendix B for the key of the checksum.

use sha2::Digest as _;
use zeroize::Zeroizing;

use crate::domain::{Fact, Facts};

use super::Recognized;
use super::certificate::{Certificate, algorithm_name};
use super::der::{self, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};
use super::sha1::sha1;
use super::text::MOST_VALUES;

/// Passwords that manuals and installers hand out; the empty one is among them.
const DEFAULTS: [&str; 3] = ["", "changeit", "password"];

/// How often a key may be hashed, and how large a store may be, for its passwords to be tried.
const MOST_ITERATIONS: i64 = 10_000;
const MOST_TRIED: usize = 1024 * 1024;

/// A store's checksum.
struct Mac<'a> {
    hash: Option<String>,
    digest: &'a [u8],
    salt: &'a [u8],
    iterations: i64,
}

/// Recognises a store.
pub(super) fn read(whole: Element<'_>) -> Option<Recognized> {
    let mut fields = whole.inside();
    if fields.read(INTEGER)?.number()? != 3 {
        return None;
    }
    let mut safe = fields.read(SEQUENCE)?.inside();
    let content_type = safe.read(OID)?.oid()?;
    if !content_type.starts_with("1.2.840.113549.1.7.") {
        return None;
    }
    let mac = match fields.read(SEQUENCE) {
        Some(mac) => Some(Mac::read(mac)?),
        None => None,
    };
    let mut facts = Facts::new();
    if let Some(mac) = &mac {
        facts.set_some("mac", mac.hash.as_deref());
        facts.set("mac_iterations", mac.iterations);
    }
    let content = safe.read(0xa0).and_then(|explicit| explicit.inside().next());
    let content = content.filter(|content| content.tag == OCTET_STRING).map(|data| data.content);
    let mut bags = Bags::default();
    if let Some(safes) = content.and_then(|content| der::only(content, SEQUENCE)) {
        Iterator::take(safes.inside(), MOST_VALUES).for_each(|safe| bags.add(safe));
        facts.set("encrypted", !bags.clear_key);
    }
    if !bags.certificates.is_empty() {
        let certificates = bags.certificates.iter().map(|found| Fact::Map(found.facts()));
        facts.set("certificates", Fact::List(certificates.collect()));
    }
    let mut found = Recognized::key("pkcs12-keystore", facts);
    if bags.clear_key {
        found = found.with_clear_key(None);
    }
    let known = content.zip(mac).is_some_and(|(content, mac)| mac.has_default_password(content));
    let message = "the key store's password is one that manuals hand out";
    Some(if known { found.observe("keystore-default-password", None, message) } else { found })
}

/// What the unencrypted parts hold.
#[derive(Default)]
struct Bags {
    clear_key: bool,
    certificates: Vec<Certificate>,
}

impl Bags {
    fn add(&mut self, safe: Element<'_>) {
        let mut inside = safe.inside();
        let is_data = inside.read(OID).and_then(Element::oid).is_some_and(|id| id == "1.2.840.113549.1.7.1");
        let data = inside.read(0xa0).and_then(|explicit| explicit.inside().read(OCTET_STRING));
        let Some(bags) = data.filter(|_| is_data).and_then(|data| der::only(data.content, SEQUENCE)) else { return };
        for bag in Iterator::take(bags.inside(), MOST_VALUES) {
            let mut inside = bag.inside();
            match inside.read(OID).and_then(Element::oid).as_deref() {
                Some("1.2.840.113549.1.12.10.1.1") => self.clear_key = true,
                Some("1.2.840.113549.1.12.10.1.3") if self.certificates.len() < MOST_VALUES => {
                    self.certificates.extend(inside.read(0xa0).and_then(certificate));
                }
                _ => {}
            }
        }
    }
}

fn certificate(explicit: Element<'_>) -> Option<Certificate> {
    let mut bag = explicit.inside().read(SEQUENCE)?.inside();
    bag.read(OID)?;
    Certificate::read(bag.read(0xa0)?.inside().read(OCTET_STRING)?.content)
}

impl<'a> Mac<'a> {
    fn read(mac: Element<'a>) -> Option<Self> {
        let mut mac = mac.inside();
        let mut digest = mac.read(SEQUENCE)?.inside();
        let hash = digest.read(SEQUENCE).and_then(algorithm_name);
        let digest = digest.read(OCTET_STRING).map_or(&[][..], |digest| digest.content);
        let salt = mac.read(OCTET_STRING)?.content;
        let iterations = mac.read(INTEGER).and_then(Element::number).unwrap_or(1);
        Some(Self { hash, digest, salt, iterations })
    }

    fn has_default_password(&self, content: &[u8]) -> bool {
        if content.len() > MOST_TRIED || self.salt.len() > 64 || !(1..=MOST_ITERATIONS).contains(&self.iterations) {
            return false;
        }
        let Some((hash, block)) = self.hash.as_deref().and_then(function) else { return false };
        let ends: [&[u8]; 2] = [&[0, 0], &[]];
        DEFAULTS.iter().any(|password| {
            // Some programs take no password for none at all, and others for its end alone.
            let ends = if password.is_empty() { &ends[..] } else { &ends[..1] };
            ends.iter().any(|end| {
                let wide: Vec<u8> =
                    password.encode_utf16().flat_map(u16::to_be_bytes).chain(end.iter().copied()).collect();
                self.is_of(&wide, content, hash, block)
            })
        })
    }

    fn is_of(&self, password: &[u8], content: &[u8], hash: Hash, block: usize) -> bool {
        let filled = |bytes: &[u8]| -> Vec<u8> {
            bytes.iter().copied().cycle().take(bytes.len().div_ceil(block) * block).collect()
        };
        let mut key = Zeroizing::new(hash(&[&vec![3; block], &filled(self.salt), &filled(password)]));
        for _ in 1..self.iterations {
            *key = hash(&[&key]);
        }
        let padded = |mask: u8| -> Vec<u8> {
            key.iter().copied().chain(std::iter::repeat(0)).take(block).map(|byte| byte ^ mask).collect()
        };
        let inner = hash(&[&padded(0x36), content]);
        hash(&[&padded(0x5c), &inner]) == self.digest
    }
}

type Hash = fn(&[&[u8]]) -> Vec<u8>;

/// Returns the function of that name with the length of its blocks.
fn function(name: &str) -> Option<(Hash, usize)> {
    Some(match name.to_ascii_lowercase().replace('-', "").as_str() {
        "sha1" => (|parts| sha1(parts).to_vec(), 64),
        "sha256" => (|parts| sha2::Sha256::digest(parts.concat()).to_vec(), 64),
        "sha384" => (|parts| sha2::Sha384::digest(parts.concat()).to_vec(), 128),
        "sha512" => (|parts| sha2::Sha512::digest(parts.concat()).to_vec(), 128),
        _ => return None,
    })
}
