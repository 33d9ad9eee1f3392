//! OpenSSH's keys and certificates: the public half, its fingerprint, and how a private half is protected.
//!
//! Never here: lists of keys that grant access, or a private number. Serves RFC 4253 §6.6 and OpenSSH's PROTOCOL.key
//! and PROTOCOL.certkeys.

use base64ct::{Base64, Base64Unpadded, Encoding};
use sha2::{Digest as _, Sha256};

use crate::domain::{Fact, Facts, Timestamp};

use super::der;
use super::public_key::PublicKey;
use super::text::{MOST_VALUES, bounded, trimmed};

/// What an OpenSSH private key begins with.
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Reads the length-prefixed values of SSH.
#[derive(Clone, Debug)]
pub(super) struct Wire<'a>(pub &'a [u8]);

impl<'a> Wire<'a> {
    /// Returns the next bytes that have a length before them.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (value, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(value)
    }

    fn number(&mut self) -> Option<u32> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*value))
    }

    fn long(&mut self) -> Option<u64> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*value))
    }
}

/// A public key in SSH's own encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SshKey {
    /// The type, as `ssh-keygen -l` prints it.
    pub kind: String,
    /// The size in bits.
    pub bits: Option<i64>,
    /// `SHA256:` and the digest of the encoding.
    pub fingerprint: String,
    /// SHA-256 of the `SubjectPublicKeyInfo` that a certificate of X.509 would hold.
    spki: Option<String>,
}

impl SshKey {
    /// Reads a public key; a type that is not known keeps its own name and has no size.
    pub(super) fn read(blob: &[u8]) -> Option<Self> {
        let mut wire = Wire(blob);
        let name = std::str::from_utf8(wire.string()?).ok()?;
        let (kind, bits) = match name {
            "ssh-rsa" => {
                wire.string()?;
                ("RSA", Some(der::bit_length(wire.string()?)))
            }
            "ssh-dss" => ("DSA", Some(der::bit_length(wire.string()?))),
            "ssh-ed25519" => ("ED25519", (wire.string()?.len() == 32).then_some(256)),
            "ssh-ed448" => ("ED448", (wire.string()?.len() == 57).then_some(456)),
            "sk-ssh-ed25519@openssh.com" => ("ED25519-SK", (wire.string()?.len() == 32).then_some(256)),
            "ecdsa-sha2-nistp256" => ("ECDSA", wire.string().map(|_| 256)),
            "ecdsa-sha2-nistp384" => ("ECDSA", wire.string().map(|_| 384)),
            "ecdsa-sha2-nistp521" => ("ECDSA", wire.string().map(|_| 521)),
            "sk-ecdsa-sha2-nistp256@openssh.com" => ("ECDSA-SK", wire.string().map(|_| 256)),
            _ if is_algorithm(name) => (name, None),
            _ => return None,
        };
        Some(Self { kind: kind.to_owned(), bits, fingerprint: fingerprint(blob), spki: spki(blob) })
    }

    /// Returns the facts of a key that stands alone.
    pub(super) fn facts(&self, comment: &str) -> Facts {
        let mut facts = Facts::new();
        facts.set("type", self.kind.as_str());
        facts.set_some("bits", self.bits);
        facts.set("fingerprint", self.fingerprint.as_str());
        facts.set_some("spki_sha256", self.spki.as_deref());
        facts.set_some("comment", (!comment.is_empty()).then_some(comment));
        facts
    }
}

/// An OpenSSH private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SshPrivateKey {
    /// The public half, which is never encrypted.
    pub public: SshKey,
    /// The cipher; none when the key stands in clear.
    pub cipher: Option<String>,
    kdf: Option<String>,
    comment: String,
}

impl SshPrivateKey {
    /// Reads the decoded body of an `OPENSSH PRIVATE KEY`.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut wire = Wire(bytes.strip_prefix(MAGIC)?);
        let cipher = wire.string()?;
        let kdf = wire.string()?;
        wire.string()?;
        if wire.number()? == 0 {
            return None;
        }
        let public = SshKey::read(wire.string()?)?;
        let private = wire.string()?;
        let clear = cipher == b"none";
        let comment = if clear { comment_of(private).unwrap_or_default() } else { String::new() };
        let named = |name: &[u8]| (!clear).then(|| bounded(name));
        Some(Self { public, cipher: named(cipher), kdf: named(kdf), comment })
    }

    /// Returns the facts of a key that stands alone.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = self.public.facts(&self.comment);
        facts.set("encrypted", self.cipher.is_some());
        facts.set_some("cipher", self.cipher.as_deref());
        facts.set_some("kdf", self.kdf.as_deref());
        facts
    }
}

/// Returns the comment behind the private numbers, of which only the lengths are looked at.
fn comment_of(private: &[u8]) -> Option<String> {
    let mut wire = Wire(private);
    if wire.number()? != wire.number()? {
        return None;
    }
    let strings = match wire.string()? {
        b"ssh-rsa" => 6,
        b"ssh-dss" => 5,
        b"ssh-ed25519" => 2,
        b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => 3,
        // Keys on a token: application, flags, handle and something reserved follow; the comment is left alone.
        _ => return None,
    };
    for _ in 0..strings {
        wire.string()?;
    }
    wire.string().map(trimmed)
}

/// Returns a key and its comment from a line such as `ssh-ed25519 AAAA… comment`; none when it grants anything more.
pub(super) fn public_key_line(line: &[u8]) -> Option<(Vec<u8>, String)> {
    let mut words = line.trim_ascii().splitn(3, |byte| matches!(byte, b' ' | b'\t'));
    let name = std::str::from_utf8(words.next()?).ok().filter(|name| is_algorithm(name))?;
    let blob = Base64::decode_vec(std::str::from_utf8(words.next()?).ok()?).ok()?;
    (Wire(&blob).string()? == name.as_bytes()).then(|| (blob, words.next().map(trimmed).unwrap_or_default()))
}

/// Says whether a word looks like the name of a public key algorithm of SSH.
pub(super) fn is_algorithm(name: &str) -> bool {
    let begins = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "rsa-sha2-", "webauthn-sk-"];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'@' | b'.');
    name.len() <= 64 && begins.iter().any(|begin| name.starts_with(begin)) && name.bytes().all(plain)
}

/// Says whether a key's name is that of a certificate.
pub(super) fn is_certificate(blob: &[u8]) -> bool {
    let name = Wire(blob).string().unwrap_or_default();
    memchr::memmem::find(name, b"-cert-v0").is_some()
}

/// Returns the facts of an OpenSSH certificate.
pub(super) fn certificate(blob: &[u8]) -> Option<Facts> {
    let mut wire = Wire(blob);
    let name = std::str::from_utf8(wire.string()?).ok()?;
    let plain = name.split("-cert-v0").next()?;
    // A token's type keeps the domain that the certificate's name has behind its version.
    let plain = if plain.starts_with("sk-") { format!("{plain}@openssh.com") } else { plain.to_owned() };
    let strings = match plain.as_str() {
        "ssh-rsa"
        | "ecdsa-sha2-nistp256"
        | "ecdsa-sha2-nistp384"
        | "ecdsa-sha2-nistp521"
        | "sk-ssh-ed25519@openssh.com" => 2,
        "ssh-dss" => 4,
        "ssh-ed25519" => 1,
        "sk-ecdsa-sha2-nistp256@openssh.com" => 3,
        _ => return None,
    };
    wire.string()?;
    let before = wire.0;
    for _ in 0..strings {
        wire.string()?;
    }
    let key_length = before.len() - wire.0.len();
    // The fingerprint is that of the plain key.
    let mut public = u32::try_from(plain.len()).ok()?.to_be_bytes().to_vec();
    public.extend_from_slice(plain.as_bytes());
    public.extend_from_slice(before.get(..key_length)?);
    let public = SshKey::read(&public)?;

    let mut facts = Facts::new();
    facts.set("type", public.kind.as_str());
    facts.set_some("bits", public.bits);
    facts.set("fingerprint", public.fingerprint.as_str());
    let serial = wire.long()?;
    facts.set("serial", i64::try_from(serial).map_or_else(|_| Fact::from(serial.to_string()), Fact::from));
    let kind = match wire.number()? {
        1 => "user",
        2 => "host",
        _ => return None,
    };
    facts.set("cert_type", kind);
    facts.set("key_id", bounded(wire.string()?));
    facts.set("principals", names(wire.string()?, false));
    let (after, before) = (wire.long()?, wire.long()?);
    facts.set("valid", validity(after, before));
    facts.set_some("not_before", (after > 0).then(|| moment(after)));
    facts.set_some("not_after", (before < u64::MAX).then(|| moment(before)));
    facts.set("critical_options", names(wire.string()?, true));
    facts.set("extensions", names(wire.string()?, true));
    wire.string()?;
    facts.set("signing_ca", fingerprint(wire.string()?));
    Some(facts)
}

/// Returns a list of names; options have a value behind each name, which is shown where it is text.
fn names(list: &[u8], with_values: bool) -> Vec<String> {
    let mut wire = Wire(list);
    let mut names = Vec::new();
    while let Some(name) = wire.string().filter(|_| names.len() < MOST_VALUES) {
        let value = if with_values { wire.string().and_then(|value| Wire(value).string()) } else { None };
        names.push(match value {
            Some(value) => format!("{}={}", bounded(name), bounded(value)),
            None => bounded(name),
        });
    }
    names
}

fn validity(after: u64, before: u64) -> String {
    let local = |seconds| moment(seconds).trim_end_matches('Z').to_owned();
    match (after, before) {
        (0, u64::MAX) => "forever".to_owned(),
        (0, _) => format!("before {}", local(before)),
        (_, u64::MAX) => format!("after {}", local(after)),
        _ => format!("from {} to {}", local(after), local(before)),
    }
}

fn moment(seconds: u64) -> String {
    Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)).to_string()
}

/// Returns the digest by which the same key is known in a certificate of X.509; keys on tokens stand in none.
fn spki(blob: &[u8]) -> Option<String> {
    const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
    const P521: &[u8] = &[0x2b, 0x81, 4, 0, 35];
    let mut wire = Wire(blob);
    let name = wire.string()?;
    // Numbers of SSH are those of DER, length and all but the tag.
    let number = |value: &[u8]| der::encode(der::INTEGER, &[value]);
    let bits = |value: &[u8]| der::encode(der::BIT_STRING, &[&[0], value]);
    let key = match name {
        b"ssh-rsa" => {
            let exponent = number(wire.string()?);
            let pkcs1 = der::encode(der::SEQUENCE, &[&number(wire.string()?), &exponent]);
            PublicKey::from_pkcs1(der::only(&pkcs1, der::SEQUENCE)?)
        }
        b"ssh-ed25519" => {
            let algorithm = der::encode(der::SEQUENCE, &[&der::encode(der::OID, &[ED25519])]);
            PublicKey::from_parts(der::only(&algorithm, der::SEQUENCE)?, Some(&bits(wire.string()?)))
        }
        b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ecdsa-sha2-nistp521" => {
            let curve = match wire.string()? {
                b"nistp256" => P256,
                b"nistp384" => P384,
                b"nistp521" => P521,
                _ => return None,
            };
            let (curve, point) = (der::encode(der::OID, &[curve]), bits(wire.string()?));
            PublicKey::from_ec_parts(der::only(&curve, der::OID)?, der::only(&point, der::BIT_STRING))
        }
        _ => None,
    };
    key?.spki
}

fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(blob)))
}
