//! An SSH signature (SSHSIG version 1), read in one spelling only: the one that `ssh-keygen -Y sign` writes.
//!
//! Never here: who holds the key that made it (`attest`). Serves contract §2 ("detached SSHSIG (v1, sha512, empty
//! reserved field)"). Format: OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f, docs/format.md §7.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256, Sha512};

use super::key::KeyParts;
use super::wire::{Reader, put_string};
use crate::domain::{PersonId, PublicKey, RevocationKind, RoleName};

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----\n";
const COLUMNS: usize = 70;
const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const HASH: &[u8] = b"sha512";
/// No armour may be larger, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// Checkpoints are signed by fewer types of keys than records.
pub(super) const NOTE_KEY_TYPE: &str = "key type for notes";
/// Set by a security key that was touched.
const PRESENCE: u8 = 0x01;

/// Why a signature or a public key is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureDefect {
    /// It is not the one permitted spelling of a signature or key.
    Malformed(&'static str),
    /// Another key type or hash function than the permitted ones.
    Algorithm {
        /// What kind of name it is.
        what: &'static str,
        /// The name, escaped.
        found: String,
    },
    /// A key that proves nothing, or that has a second spelling.
    WeakKey(&'static str),
    /// It was made for another purpose.
    Context {
        /// The namespace that was needed.
        expected: String,
        /// The namespace that it was made in, escaped.
        found: String,
    },
    /// Nobody in the trust root holds its key; the fingerprint.
    UnknownKey(String),
    /// Its key was revoked, and the word stands where it no longer counts.
    Revoked {
        /// The key's fingerprint.
        key: String,
        /// Whose key it is.
        person: PersonId,
        /// Why it was revoked.
        kind: RevocationKind,
        /// The first position of the log that no longer counts; none where nothing does.
        since: Option<u64>,
        /// Where the word stands; none outside of the log.
        position: Option<u64>,
    },
    /// No line of the note names the key; the verifier key.
    Missing(String),
    /// The key did not sign these bytes.
    Invalid,
    /// The security key was not touched.
    NoPresence,
    /// Its signer does not hold the role.
    Role {
        /// Who signed.
        person: PersonId,
        /// The role that is missing.
        role: RoleName,
    },
}

impl SignatureDefect {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "GB-SIG-MALFORMED",
            Self::Algorithm { .. } => "GB-SIG-ALGORITHM",
            Self::WeakKey(_) => "GB-SIG-WEAK-KEY",
            Self::Context { .. } => "GB-SIG-CONTEXT",
            Self::UnknownKey(_) => "GB-SIG-UNKNOWN-KEY",
            Self::Revoked { .. } => "GB-SIG-REVOKED",
            Self::Missing(_) => "GB-SIG-MISSING",
            Self::Invalid => "GB-SIG-INVALID",
            Self::NoPresence => "GB-SIG-NO-PRESENCE",
            Self::Role { .. } => "GB-SIG-ROLE",
        }
    }

    pub(super) fn algorithm(what: &'static str, found: &[u8]) -> Self {
        Self::Algorithm { what, found: found.escape_ascii().take(80).map(char::from).collect() }
    }
}

impl fmt::Display for SignatureDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "malformed: {what}"),
            Self::Algorithm { what, found } if *what == NOTE_KEY_TYPE => {
                write!(f, "the {what} \"{found}\" is not accepted: only plain Ed25519")
            }
            Self::Algorithm { what, found } => {
                write!(f, "the {what} \"{found}\" is not accepted: only ssh-ed25519 and sk-ssh-ed25519, with sha512")
            }
            Self::WeakKey(what) => write!(f, "the key is not accepted: {what}"),
            Self::Context { expected, found } => {
                write!(f, "it was made in the namespace \"{found}\", and \"{expected}\" is needed")
            }
            Self::UnknownKey(fingerprint) => write!(f, "the trust root knows no person with the key {fingerprint}"),
            Self::Revoked { key, person, kind, since, position } => {
                write!(f, "the key {key} of {person} was revoked as {kind}")?;
                if let Some(since) = since {
                    write!(f, " from position {since} of the log on")?;
                }
                match position {
                    Some(position) => write!(f, ", and this stands at {position}; its own date is ignored"),
                    None => f.write_str(", and this is not in the log"),
                }
            }
            Self::Missing(key) => write!(f, "no signature names the key {key}"),
            Self::Invalid => f.write_str("the key did not sign these bytes"),
            Self::NoPresence => f.write_str("nobody touched the security key when it signed"),
            Self::Role { person, role } => write!(f, "{person} does not hold the role {role}"),
        }
    }
}

impl std::error::Error for SignatureDefect {}

/// What the key itself produced.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Proof {
    signature: [u8; 64],
    /// Flags and counter of a security key; none for a plain key.
    token: Option<(u8, u32)>,
}

/// A signature that is well formed. It says which key made it in which namespace; whether that is so, and who holds
/// the key, is for [`attest`](super::attest()) to say.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    key: PublicKey,
    namespace: String,
    proof: Proof,
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({} by {})", self.namespace.escape_debug(), super::fingerprint(&self.key))
    }
}

impl Signature {
    /// Parses armour exactly as `ssh-keygen -Y sign` writes it.
    ///
    /// # Errors
    /// `GB-SIG-MALFORMED` for any other spelling, `GB-SIG-ALGORITHM` for any other key type or hash.
    pub fn parse_armor(armor: &[u8]) -> Result<Self, SignatureDefect> {
        if armor.len() > MOST_BYTES {
            return Err(SignatureDefect::Malformed("more than 64 KiB"));
        }
        let body = std::str::from_utf8(armor).ok().and_then(|text| text.strip_prefix(BEGIN)?.strip_suffix(END));
        let body = body.ok_or(SignatureDefect::Malformed("no armour of an SSH signature"))?;
        let blob = Base64::decode_vec(&body.replace('\n', ""))
            .map_err(|_| SignatureDefect::Malformed("armour that is not canonical base64"))?;
        let signature = Self::parse_blob(&blob)?;
        // One value, one spelling: lines broken elsewhere or a missing last line feed end here.
        if signature.to_armor().as_bytes() == armor {
            Ok(signature)
        } else {
            Err(SignatureDefect::Malformed("armour that is broken into other lines"))
        }
    }

    fn parse_blob(blob: &[u8]) -> Result<Self, SignatureDefect> {
        let cut = SignatureDefect::Malformed("a signature that is cut off");
        let mut reader = Reader::new(blob);
        if reader.array() != Some(*MAGIC) || reader.number() != Some(VERSION) {
            return Err(SignatureDefect::Malformed("no SSH signature of version 1"));
        }
        let fields =
            (|| Some((reader.string()?, reader.string()?, reader.string()?, reader.string()?, reader.string()?)))();
        let (key, namespace, reserved, hash, proof) = fields.ok_or(cut)?;
        reader.end().ok_or(SignatureDefect::Malformed("bytes after the signature"))?;
        if !reserved.is_empty() {
            return Err(SignatureDefect::Malformed("a reserved field that is not empty"));
        }
        let namespace =
            std::str::from_utf8(namespace).map_err(|_| SignatureDefect::Malformed("a namespace that is not UTF-8"))?;
        if hash != HASH {
            KeyParts::parse(key)?;
            return Err(SignatureDefect::algorithm("hash function", hash));
        }
        Self::from_parts(PublicKey::from_wire(key), namespace, proof)
    }

    /// Puts a signature together from what an agent or a token returned: the SSH signature blob over
    /// [`signed_data`] of the namespace and the bytes.
    ///
    /// # Errors
    /// `GB-SIG-MALFORMED` and `GB-SIG-ALGORITHM` where key, namespace or blob are not the permitted ones.
    pub fn from_parts(key: PublicKey, namespace: &str, blob: &[u8]) -> Result<Self, SignatureDefect> {
        let parts = KeyParts::parse(key.as_wire())?;
        if namespace.is_empty() || namespace.len() > 1024 {
            return Err(SignatureDefect::Malformed("a namespace that is empty or too long"));
        }
        let malformed = SignatureDefect::Malformed("a signature blob that is cut off or has bytes after its end");
        let mut reader = Reader::new(blob);
        let algorithm = reader.string().ok_or_else(|| malformed.clone())?;
        if algorithm != parts.algorithm().as_bytes() {
            return Err(SignatureDefect::algorithm("signature type", algorithm));
        }
        let proof = parse_proof(&mut reader, parts.application.is_some()).ok_or(malformed)?;
        Ok(Self { key, namespace: namespace.to_owned(), proof })
    }

    /// Returns the armour that `ssh-keygen -Y sign` would write.
    pub fn to_armor(&self) -> String {
        let encoded = Base64::encode_string(&self.to_blob());
        let mut armor = String::from(BEGIN);
        for line in encoded.as_bytes().chunks(COLUMNS) {
            armor.extend(line.iter().map(|byte| char::from(*byte)));
            armor.push('\n');
        }
        armor.push_str(END);
        armor
    }

    fn to_blob(&self) -> Vec<u8> {
        let algorithm = if self.proof.token.is_some() { super::key::TOKEN } else { super::key::PLAIN };
        let mut proof = Vec::new();
        put_string(&mut proof, algorithm.as_bytes());
        put_string(&mut proof, &self.proof.signature);
        if let Some((flags, counter)) = self.proof.token {
            proof.push(flags);
            proof.extend_from_slice(&counter.to_be_bytes());
        }
        let mut blob = MAGIC.to_vec();
        blob.extend_from_slice(&VERSION.to_be_bytes());
        for field in [self.key.as_wire(), self.namespace.as_bytes(), b"", HASH, &proof] {
            put_string(&mut blob, field);
        }
        blob
    }

    /// Returns the key that it names.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Checks that its own key made it over exactly these bytes in this namespace. Says nothing about who that is.
    ///
    /// # Errors
    /// `GB-SIG-CONTEXT`, `GB-SIG-WEAK-KEY`, `GB-SIG-NO-PRESENCE` or `GB-SIG-INVALID`.
    pub fn check(&self, namespace: &str, bytes: &[u8]) -> Result<(), SignatureDefect> {
        if self.namespace != namespace {
            let found = self.namespace.chars().take(80).flat_map(char::escape_debug).collect();
            return Err(SignatureDefect::Context { expected: namespace.to_owned(), found });
        }
        let parts = KeyParts::parse(self.key.as_wire())?;
        let key = parts.verifying_key()?;
        let mut message = signed_data(namespace, bytes);
        if let (Some(application), Some((flags, counter))) = (parts.application, self.proof.token) {
            if flags & PRESENCE == 0 {
                return Err(SignatureDefect::NoPresence);
            }
            message = token_message(application, flags, counter, &message);
        }
        // Strict: neither a point of small order nor a second spelling of the scalar passes.
        key.verify_strict(&message, &ed25519_dalek::Signature::from_bytes(&self.proof.signature))
            .map_err(|_| SignatureDefect::Invalid)
    }
}

fn parse_proof(reader: &mut Reader<'_>, token: bool) -> Option<Proof> {
    let signature = reader.string()?.try_into().ok()?;
    let token = if token { Some((reader.byte()?, reader.number()?)) } else { None };
    reader.end()?;
    Some(Proof { signature, token })
}

/// Returns what a key signs for an SSHSIG over `bytes`.
pub fn signed_data(namespace: &str, bytes: &[u8]) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    for field in [namespace.as_bytes(), b"", HASH, &Sha512::digest(bytes)] {
        put_string(&mut data, field);
    }
    data
}

/// Returns what a security key signs when it is asked to sign `data`.
pub(super) fn token_message(application: &[u8], flags: u8, counter: u32, data: &[u8]) -> Vec<u8> {
    let mut message = Sha256::digest(application).to_vec();
    message.push(flags);
    message.extend_from_slice(&counter.to_be_bytes());
    message.extend_from_slice(&Sha256::digest(data));
    message
}

#[cfg(test)]
mod tests {
    use super::super::Signer as _;
    use super::super::key::{PLAIN, TOKEN, plain_key};
    use super::super::testing::{L, Token, armor, forged, key, proof};
    use super::*;

    const MESSAGE: &[u8] = b"configuration";

    fn good() -> Signature {
        key(1).sign("test", MESSAGE).unwrap()
    }

    fn refused(armor: &[u8]) -> &'static str {
        Signature::parse_armor(armor).map_or_else(|defect| defect.code(), |_| "read")
    }

    #[test]
    fn a_signature_comes_back_from_its_armour_and_holds_for_its_bytes_only() {
        for signature in [good(), Token::new(2, "ssh:", 1).sign("test", MESSAGE).unwrap()] {
            let back = Signature::parse_armor(signature.to_armor().as_bytes()).unwrap();
            assert_eq!(back, signature);
            assert_eq!(back.check("test", MESSAGE), Ok(()));
            assert_eq!(back.check("test", b"configuratio"), Err(SignatureDefect::Invalid));
        }
    }

    #[test]
    fn a_signature_for_another_purpose_is_refused() {
        assert_eq!(good().check("test2", MESSAGE).unwrap_err().code(), "GB-SIG-CONTEXT");
        // Nor does it hold when its unsigned label is changed: the namespace is inside what is signed.
        let blob = proof(PLAIN, &good().proof.signature);
        let relabelled = Signature::from_parts(good().key, "test2", &blob).unwrap();
        assert_eq!(relabelled.check("test2", MESSAGE), Err(SignatureDefect::Invalid));
    }

    #[test]
    fn armour_has_one_spelling() {
        let text = good().to_armor();
        assert_eq!(refused(text.as_bytes()), "read");
        let inside = text.find("U1NIU0lH").unwrap();
        for bad in [
            text.trim_end().to_owned(),
            format!("{text}\n"),
            format!("\n{text}"),
            format!(" {text}"),
            text.replace('\n', "\r\n"),
            text.replacen("U1NI", "U1NI\n", 1),
            text.replacen('\n', "\n\n", 1),
            text.replacen("U1NI", "U1NI ", 1),
            text.replace("BEGIN SSH", "BEGIN  SSH"),
            text.get(..inside + 8).unwrap().to_owned(),
            String::new(),
            format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", "A".repeat(70_000)),
        ] {
            assert_eq!(refused(bad.as_bytes()), "GB-SIG-MALFORMED", "{bad:?}");
        }
        // The last base64 digit before "=" carries bits that mean nothing; only zeros are read.
        let mut digits = armor(&[good().to_blob(), vec![0]].concat());
        let at = digits.windows(2).position(|pair| pair == b"A=" || pair == b"==").unwrap();
        digits[at] = b'B';
        assert_eq!(refused(&digits), "GB-SIG-MALFORMED");
    }

    #[test]
    fn each_field_is_the_permitted_one() {
        let signer = key(1);
        let public = signer.public_key().as_wire();
        let sound = proof(PLAIN, &good().proof.signature);
        let fields = |at: usize, value| {
            let mut fields: [&[u8]; 5] = [public, b"test", b"", b"sha512", &sound];
            fields[at] = value;
            fields
        };
        assert_eq!(forged(1, fields(1, b"test"), b""), good().to_armor().into_bytes());
        let reserved = Signature::parse_armor(&forged(1, fields(2, b"x"), b"")).unwrap_err();
        assert_eq!(reserved.to_string(), "malformed: a reserved field that is not empty");
        let rsa = proof("ssh-rsa", &[1; 64]);
        let certificate = proof("ssh-ed25519-cert-v01@openssh.com", &[1; 32]);
        let cases: [(&str, &str, Vec<u8>); 12] = [
            ("version 2", "GB-SIG-MALFORMED", forged(2, fields(1, b"test"), b"")),
            ("a trailing byte", "GB-SIG-MALFORMED", forged(1, fields(1, b"test"), b"\0")),
            ("reserved is not empty", "GB-SIG-MALFORMED", forged(1, fields(2, b"x"), b"")),
            ("no namespace", "GB-SIG-MALFORMED", forged(1, fields(1, b""), b"")),
            ("a namespace that is no text", "GB-SIG-MALFORMED", forged(1, fields(1, b"\xff"), b"")),
            ("hash sha256", "GB-SIG-ALGORITHM", forged(1, fields(3, b"sha256"), b"")),
            ("an RSA key", "GB-SIG-ALGORITHM", forged(1, fields(0, &rsa), b"")),
            ("a certificate", "GB-SIG-ALGORITHM", forged(1, fields(0, &certificate), b"")),
            ("an RSA signature", "GB-SIG-ALGORITHM", forged(1, fields(4, &rsa), b"")),
            ("63 bytes", "GB-SIG-MALFORMED", forged(1, fields(4, &proof(PLAIN, &[1; 63])), b"")),
            ("flags for a plain key", "GB-SIG-MALFORMED", forged(1, fields(4, &[&sound[..], &[1; 5]].concat()), b"")),
            ("a token's signature", "GB-SIG-ALGORITHM", forged(1, fields(4, &proof(TOKEN, &[1; 64])), b"")),
        ];
        for (defect, code, armor) in cases {
            assert_eq!(refused(&armor), code, "{defect}");
        }
    }

    #[test]
    fn a_scalar_plus_the_group_order_is_refused() {
        let mut bytes = good().proof.signature;
        let mut carry = 0;
        for (digit, order) in bytes.iter_mut().skip(32).zip(L) {
            let sum = u16::from(*digit) + u16::from(order) + carry;
            *digit = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        let malleable = Signature { proof: Proof { signature: bytes, token: None }, ..good() };
        assert_eq!(malleable.check("test", MESSAGE), Err(SignatureDefect::Invalid));
        assert_eq!(good().check("test", MESSAGE), Ok(()));
    }

    #[test]
    fn a_key_that_everybody_can_sign_for_is_refused() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let lenient = ed25519_dalek::VerifyingKey::from_bytes(&neutral).unwrap();
        let message = signed_data("test", MESSAGE);
        let sound =
            ed25519_dalek::Verifier::verify(&lenient, &message, &ed25519_dalek::Signature::from_bytes(&signature));
        assert!(sound.is_ok(), "without strictness it would pass for any message");
        let forged = Signature::from_parts(plain_key(&neutral), "test", &proof(PLAIN, &signature)).unwrap();
        assert_eq!(forged.check("test", MESSAGE).unwrap_err().code(), "GB-SIG-WEAK-KEY");
    }

    #[test]
    fn a_security_key_must_have_been_touched() {
        let untouched = Token::new(2, "ssh:", 0).sign("test", MESSAGE).unwrap();
        assert_eq!(untouched.check("test", MESSAGE), Err(SignatureDefect::NoPresence));
        let token = Some((1, 7));
        let claimed = Signature { proof: Proof { token, ..untouched.proof }, ..untouched };
        assert_eq!(claimed.check("test", MESSAGE), Err(SignatureDefect::Invalid));
    }

    #[test]
    fn no_changed_byte_survives() {
        let blob = good().to_blob();
        for at in 0..blob.len() {
            for bit in [0x01, 0x80] {
                let mut changed = blob.clone();
                changed[at] ^= bit;
                let survives = Signature::parse_armor(&armor(&changed)).and_then(|one| one.check("test", MESSAGE));
                assert!(survives.is_err(), "bit {bit:#x} of byte {at}");
            }
        }
        for length in 0..blob.len() {
            assert!(Signature::parse_armor(&armor(&blob[..length])).is_err(), "cut off after {length}");
        }
    }
}
