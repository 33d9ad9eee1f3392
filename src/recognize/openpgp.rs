//! `OpenPGP` keys packet by packet: fingerprints, users, subkeys, expiry, and how private halves are protected.
//!
//! Signatures are not checked: what they say is what the file says. Never here: a private number. Serves RFC 9580.

use sha2::{Digest as _, Sha256};

use crate::domain::{Fact, Facts, Timestamp};

use super::der::{self, Element};
use super::oid;
use super::sha1::sha1;
use super::text::{MOST_VALUES, bounded, hex};

/// How many packets of a file are looked at.
const MOST_PACKETS: usize = 100_000;

const SIGNATURE: u8 = 2;
const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;
const SECRET_SUBKEY: u8 = 7;
const USER_ID: u8 = 13;
const PUBLIC_SUBKEY: u8 = 14;

/// A key with its users and subkeys.
#[derive(Debug)]
pub(super) struct PgpKey {
    primary: Part,
    users: Vec<String>,
    subkeys: Vec<Part>,
}

/// A primary key or a subkey.
#[derive(Debug)]
struct Part {
    key: Packet,
    /// When the latest signature by the primary key was made, and after how many seconds it lets the key expire.
    latest: (u32, Option<u32>),
    revoked: bool,
}

/// A key packet.
#[derive(Debug)]
struct Packet {
    fingerprint: Option<String>,
    algorithm: &'static str,
    bits: Option<i64>,
    created: u32,
    /// None for a public key.
    encrypted: Option<bool>,
}

/// Reads every key of a keyring; none when the bytes are anything else.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<PgpKey>> {
    let mut packets = Packets(bytes);
    let mut keys: Vec<PgpKey> = Vec::new();
    for _ in 0..MOST_PACKETS {
        if packets.0.is_empty() {
            break;
        }
        let (tag, body) = packets.next()?;
        match tag {
            SECRET_KEY | PUBLIC_KEY => {
                let primary = Part::new(Packet::read(body, tag == SECRET_KEY)?);
                keys.push(PgpKey { primary, users: Vec::new(), subkeys: Vec::new() });
            }
            _ => keys.last_mut()?.add(tag, body),
        }
    }
    (!keys.is_empty()).then_some(keys)
}

/// Says whether bytes may begin with a key packet.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0x94..=0x96 | 0x98..=0x9a | 0xc5 | 0xc6))
        && Packets(bytes).next().is_some_and(|(_, body)| matches!(body.first(), Some(3..=6)))
}

impl PgpKey {
    /// Says whether the file holds the private half.
    pub(super) fn is_private(&self) -> bool {
        self.primary.key.encrypted.is_some()
    }

    /// Says whether any private half stands in clear.
    pub(super) fn is_clear(&self) -> bool {
        self.parts().any(|part| part.key.encrypted == Some(false))
    }

    /// Returns what is public.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = self.primary.facts();
        facts.set("user_ids", self.users.clone());
        if self.is_private() {
            facts.set("encrypted", !self.is_clear());
        }
        let subkeys: Vec<_> = self.subkeys.iter().map(|part| Fact::Map(part.facts())).collect();
        facts.set_some("subkeys", (!subkeys.is_empty()).then_some(Fact::List(subkeys)));
        facts
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.primary).chain(&self.subkeys)
    }

    fn add(&mut self, tag: u8, body: &[u8]) {
        match tag {
            USER_ID if self.users.len() < MOST_VALUES => self.users.push(bounded(body)),
            PUBLIC_SUBKEY | SECRET_SUBKEY if self.subkeys.len() < MOST_VALUES => {
                let packet = Packet::read(body, tag == SECRET_SUBKEY);
                self.subkeys.extend(packet.map(Part::new));
            }
            SIGNATURE => {
                let Some(signature) = Signature::read(body) else { return };
                if !signature.is_by(self.primary.key.fingerprint.as_deref()) {
                    return;
                }
                match (signature.kind, self.subkeys.last_mut()) {
                    // A direct signature may only name a revoker; then the users' signatures tell the expiry.
                    (0x1f, _) if signature.expires.is_none() => {}
                    (0x10..=0x13 | 0x1f, _) => self.primary.note(&signature),
                    (0x20, _) => self.primary.revoked = true,
                    (0x18, Some(subkey)) => subkey.note(&signature),
                    (0x28, Some(subkey)) => subkey.revoked = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

impl Part {
    fn new(key: Packet) -> Self {
        Self { key, latest: (0, None), revoked: false }
    }

    fn note(&mut self, signature: &Signature) {
        if signature.created >= self.latest.0 {
            self.latest = (signature.created, signature.expires);
        }
    }

    fn facts(&self) -> Facts {
        let date = |seconds: i64| Timestamp::from_seconds(seconds).date();
        let created = i64::from(self.key.created);
        let mut facts = Facts::new();
        facts.set_some("fingerprint", self.key.fingerprint.as_deref());
        facts.set("algorithm", self.key.algorithm);
        facts.set_some("bits", self.key.bits);
        facts.set("created", date(created));
        let expires = self.latest.1.filter(|seconds| *seconds > 0);
        facts.set_some("expires", expires.map(|seconds| date(created + i64::from(seconds))));
        facts.set_some("revoked", self.revoked.then_some(true));
        facts
    }
}

impl Packet {
    fn read(body: &[u8], secret: bool) -> Option<Self> {
        let mut bytes = Bytes(body);
        let version = bytes.byte()?;
        let created = bytes.word()?;
        if version == 3 {
            bytes.take(2)?;
        }
        let algorithm = bytes.byte()?;
        if version > 4 {
            bytes.word()?;
        }
        let (name, bits) = material(algorithm, &mut bytes)?;
        let public = body.get(..body.len() - bytes.0.len())?;
        if !secret && !bytes.0.is_empty() {
            return None;
        }
        let encrypted = if secret { Some(bytes.byte()? != 0) } else { None };
        Some(Self { fingerprint: fingerprint(version, public), algorithm: name, bits, created, encrypted })
    }
}

/// Reads the public numbers and returns the algorithm's name and size.
fn material(algorithm: u8, bytes: &mut Bytes<'_>) -> Option<(&'static str, Option<i64>)> {
    Some(match algorithm {
        1..=3 => ("RSA", bytes.numbers(2)),
        16 | 20 => ("ElGamal", bytes.numbers(3)),
        17 => ("DSA", bytes.numbers(4)),
        18 => {
            let bits = curve_bits(&bytes.point()?);
            let length = bytes.byte()?;
            bytes.take(length.into())?;
            ("ECDH", bits)
        }
        19 => ("ECDSA", curve_bits(&bytes.point()?)),
        22 => ("EdDSA", curve_bits(&bytes.point()?)),
        25 => ("X25519", bytes.take(32).map(|_| 253)),
        26 => ("X448", bytes.take(56).map(|_| 448)),
        27 => ("Ed25519", bytes.take(32).map(|_| 256)),
        28 => ("Ed448", bytes.take(57).map(|_| 456)),
        _ => return None,
    })
    .filter(|(_, bits)| bits.is_some() || matches!(algorithm, 18 | 19 | 22))
}

fn fingerprint(version: u8, public: &[u8]) -> Option<String> {
    let digest = match version {
        4 => sha1(&[&[0x99], &u16::try_from(public.len()).ok()?.to_be_bytes(), public]).to_vec(),
        5 | 6 => {
            let length = u32::try_from(public.len()).ok()?.to_be_bytes();
            Sha256::new().chain_update([0x95 + version]).chain_update(length).chain_update(public).finalize().to_vec()
        }
        _ => return None,
    };
    Some(hex(&digest).to_uppercase())
}

/// What a signature says of a key.
#[derive(Debug, Default)]
struct Signature {
    kind: u8,
    created: u32,
    expires: Option<u32>,
    issuer: String,
}

impl Signature {
    fn read(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body);
        let version = bytes.byte()?;
        let mut signature = Self { kind: bytes.byte()?, ..Self::default() };
        bytes.take(2)?;
        let mut length = || match version {
            4 | 5 => bytes.take(2).map(|length| length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))),
            6 => bytes.word().and_then(|length| usize::try_from(length).ok()),
            _ => None,
        };
        let hashed = length()?;
        let hashed = bytes.take(hashed)?;
        signature.note(hashed, true);
        if signature.issuer.is_empty() {
            // The issuer's short name is often left unhashed.
            let rest = bytes.0.get(2..)?;
            signature.note(rest, false);
        }
        Some(signature)
    }

    fn note(&mut self, subpackets: &[u8], hashed: bool) {
        let mut bytes = Bytes(subpackets);
        while let Some(body) = bytes.length().and_then(|length| bytes.take(length)) {
            let Some((kind, value)) = body.split_first() else { continue };
            let word = || Bytes(value).word();
            match kind & 0x7f {
                2 if hashed => self.created = word().unwrap_or_default(),
                9 if hashed => self.expires = word(),
                16 if self.issuer.is_empty() => self.issuer = hex(value).to_uppercase(),
                33 => self.issuer = value.get(1..).map(hex).unwrap_or_default().to_uppercase(),
                _ => {}
            }
        }
    }

    /// A long name, or the key id that it ends (version 4) or begins (version 6) with.
    fn is_by(&self, fingerprint: Option<&str>) -> bool {
        let Some(fingerprint) = fingerprint.filter(|_| !self.issuer.is_empty()) else { return false };
        fingerprint.ends_with(&self.issuer) || fingerprint.len() == 64 && fingerprint.starts_with(&self.issuer)
    }
}

struct Packets<'a>(&'a [u8]);

impl<'a> Packets<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let mut bytes = Bytes(self.0);
        let head = bytes.byte()?;
        if head & 0x80 == 0 {
            return None;
        }
        let (tag, length) = if head & 0x40 != 0 {
            (head & 0x3f, bytes.length()?)
        } else {
            let length = match head & 3 {
                0 => bytes.byte()?.into(),
                1 => bytes.take(2)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
                2 => usize::try_from(bytes.word()?).ok()?,
                _ => return None,
            };
            (head >> 2 & 0xf, length)
        };
        let body = bytes.take(length)?;
        self.0 = bytes.0;
        Some((tag, body))
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn word(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// A length of one, two or five bytes; keys are never cut into pieces.
    fn length(&mut self) -> Option<usize> {
        match self.byte()? {
            short @ 0..=191 => Some(short.into()),
            first @ 192..=223 => Some((usize::from(first) - 192) * 256 + usize::from(self.byte()?) + 192),
            255 => usize::try_from(self.word()?).ok(),
            _ => None,
        }
    }

    /// Passes a number and returns its size.
    fn number(&mut self) -> Option<i64> {
        let bits = self.take(2)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        Some(der::bit_length(self.take(bits.div_ceil(8))?))
    }

    /// Passes some numbers and returns the size of the first.
    fn numbers(&mut self, count: usize) -> Option<i64> {
        let first = self.number()?;
        (1..count).try_for_each(|_| self.number().map(|_| ()))?;
        Some(first)
    }

    /// Passes a point and returns its curve.
    fn point(&mut self) -> Option<String> {
        let length = self.byte()?;
        let content = self.take(length.into())?;
        self.number()?;
        Element { tag: der::OID, content, whole: content }.oid()
    }
}

fn curve_bits(dotted: &str) -> Option<i64> {
    match dotted {
        // Curve25519 and its signing twin as they were numbered before they had numbers.
        "1.3.6.1.4.1.11591.15.1" | "1.3.6.1.4.1.3029.1.5.1" => Some(256),
        _ => oid::curve(dotted).map(|(_, bits)| bits).or_else(|| oid::key_algorithm(dotted)?.1),
    }
}
