//! An SSH signature (SSHSIG version 1), read in one spelling only: the one that `ssh-keygen -Y sign` writes.
//!
//! Never here: who holds the key that made it (`attest`). Serves contract §2 ("detached SSHSIG (v1, sha512, empty
//! reserved field)"). Format: OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f, docs/format.md §7.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256, Sha512};

use super::key::KeyParts;
use super::wire::{Reader, put_string};
use crate::domain::{PersonId, PublicKey, RoleName};

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----\n";
const COLUMNS: usize = 70;
const MAGIC: &[u8; 6] = b"SSHSIG";
const VERSION: u32 = 1;
const HASH: &[u8] = b"sha512";
/// No armour may be larger, in bytes.
const MOST_BYTES: usize = 64 * 1024;
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
            Self::Algorithm { what, found } => {
                write!(f, "the {what} \"{found}\" is not accepted: only ssh-ed25519 and sk-ssh-ed25519, with sha512")
            }
            Self::WeakKey(what) => write!(f, "the key is not accepted: {what}"),
            Self::Context { expected, found } => {
                write!(f, "it was made in the namespace \"{found}\", and \"{expected}\" is needed")
            }
            Self::UnknownKey(fingerprint) => write!(f, "the trust root knows no person with the key {fingerprint}"),
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
/// the key, is for [`attest`](super::attest) to say.
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
