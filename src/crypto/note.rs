//! Signatures under checkpoints: the log's own, and the cosignatures of witnesses (C2SP signed-note, tlog-cosignature).
//!
//! Never here: the spelling of notes and checkpoints (`codec`), or who may sign the log (`threshold`). Serves contract
//! §2 ("Only checkpoints carry C2SP signatures, by a plain key with role `log`"). Format: docs/format.md §8.5.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

use super::key::{KeyParts, PLAIN, plain_key};
use super::private_key::{Signer, SigningError};
use super::signature::{NOTE_KEY_TYPE, SignatureDefect};
use super::wire::Reader;
use crate::domain::{KeyName, NoteSignature, PublicKey, SignedNote};

/// What the message of a cosignature begins with.
const COSIGNATURE: &str = "cosignature/v1\n";
/// What the message of an SSHSIG begins with.
const SSHSIG: &[u8] = b"SSHSIG";

/// What a key signs. One key under both has two key ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKeyType {
    /// A log: Ed25519 over the text (0x01).
    Log,
    /// A witness: Ed25519 over a header, a time and the text (0x04).
    Witness,
}

impl NoteKeyType {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A key that may sign notes: sound, and known from elsewhere than the note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: KeyName,
    key_type: NoteKeyType,
    key: VerifyingKey,
}

impl NoteKey {
    /// Wraps 32 bytes as the key of a log or witness.
    ///
    /// # Errors
    /// `GB-SIG-WEAK-KEY`.
    pub fn new(name: KeyName, key_type: NoteKeyType, point: [u8; 32]) -> Result<Self, SignatureDefect> {
        let key = KeyParts { point, application: None }.verifying_key()?;
        Ok(Self { name, key_type, key })
    }

    /// Takes the key of a person as the key of a log or witness.
    ///
    /// # Errors
    /// `GB-SIG-ALGORITHM` for a security key, which cannot sign notes; else as [`check_key`](super::check_key).
    pub fn from_public_key(name: KeyName, key_type: NoteKeyType, key: &PublicKey) -> Result<Self, SignatureDefect> {
        let parts = KeyParts::parse(key.as_wire())?;
        if parts.application.is_some() {
            return Err(SignatureDefect::algorithm(NOTE_KEY_TYPE, parts.algorithm().as_bytes()));
        }
        Self::new(name, key_type, parts.point)
    }

    /// Parses a verifier key, `<name>+<key id>+<base64>`, in its one spelling.
    ///
    /// # Errors
    /// `GB-SIG-MALFORMED`, `GB-SIG-ALGORITHM` or `GB-SIG-WEAK-KEY`.
    pub fn parse(vkey: &str) -> Result<Self, SignatureDefect> {
        let malformed = || SignatureDefect::Malformed("it is no verifier key of the form \"name+key id+base64\"");
        // The last part may hold plus signs, the first two cannot.
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(_), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let name = KeyName::parse(name).ok_or_else(malformed)?;
        let bytes = Base64::decode_vec(encoded).map_err(|_| malformed())?;
        let (first, point) = bytes.split_first().ok_or_else(malformed)?;
        let key_type = [NoteKeyType::Log, NoteKeyType::Witness].into_iter().find(|known| known.byte() == *first);
        let key_type = key_type.ok_or_else(|| SignatureDefect::algorithm(NOTE_KEY_TYPE, &[*first]))?;
        let key = Self::new(name, key_type, point.try_into().map_err(|_| malformed())?)?;
        if key.to_string() == vkey { Ok(key) } else { Err(malformed()) }
    }

    /// Returns whose key it is.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Returns what it signs.
    pub const fn key_type(&self) -> NoteKeyType {
        self.key_type
    }

    /// Returns the 32 bytes of the key, by which it is the same under any name.
    pub fn point(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Returns the key as persons hold it in a trust root.
    pub fn public_key(&self) -> PublicKey {
        plain_key(self.point())
    }

    /// Returns the first four bytes of SHA-256 over name, line feed, type and key.
    pub fn id(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        for part in [self.name.as_str().as_bytes(), b"\n", &[self.key_type.byte()], self.point()] {
            hash.update(part);
        }
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        [a, b, c, d]
    }

    /// Says whether a line claims to be made by this key.
    pub fn is_named_by(&self, signature: &NoteSignature) -> bool {
        signature.name == self.name && signature.key_id == self.id()
    }

    /// Checks that the log signed a checkpoint: that one line names this key, that the text's first line is the key's
    /// name, and that every line that names the key holds.
    ///
    /// # Errors
    /// `GB-SIG-MISSING` where no line names it, `GB-SIG-CONTEXT` where another log's checkpoint was signed, else as
    /// [`verify_note`].
    pub fn check_checkpoint(&self, note: &SignedNote) -> Result<(), SignatureDefect> {
        let origin = note.text.split('\n').next().unwrap_or_default();
        let mut named = note.signatures.iter().filter(|line| self.is_named_by(line)).peekable();
        if named.peek().is_none() {
            return Err(SignatureDefect::Missing(self.to_string()));
        }
        if origin != self.name.as_str() {
            return Err(context(self.name.as_str(), origin));
        }
        named.try_for_each(|line| verify_note(self, note.text.as_bytes(), line))
    }

    /// Returns the newest time at which this witness cosigned a checkpoint; none where no line names it.
    ///
    /// # Errors
    /// As [`verify_cosignature`], where any line that names the key does not hold.
    pub fn witnessed(&self, note: &SignedNote) -> Result<Option<u64>, SignatureDefect> {
        let mut newest = None;
        for line in note.signatures.iter().filter(|line| self.is_named_by(line)) {
            newest = newest.max(Some(verify_cosignature(self, note.text.as_bytes(), line)?));
        }
        Ok(newest)
    }

    /// Checks that a line is for this key, and that the key is one of that type.
    fn expect(&self, key_type: NoteKeyType, signature: &NoteSignature) -> Result<(), SignatureDefect> {
        if self.key_type != key_type {
            let word = |key_type| if key_type == NoteKeyType::Log { "signature of a log" } else { "cosignature" };
            return Err(context(word(key_type), word(self.key_type)));
        }
        if self.is_named_by(signature) { Ok(()) } else { Err(SignatureDefect::Missing(self.to_string())) }
    }

    fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureDefect> {
        // Strict: neither a point of small order nor a second spelling of the scalar passes.
        self.key
            .verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature))
            .map_err(|_| SignatureDefect::Invalid)
    }
}

/// Writes the verifier key.
impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = Base64::encode_string(&[&[self.key_type.byte()], &self.point()[..]].concat());
        write!(f, "{}+{}+{encoded}", self.name, Hex(self.id()))
    }
}

struct Hex([u8; 4]);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn context(expected: &str, found: &str) -> SignatureDefect {
    let found = found.chars().take(80).flat_map(char::escape_debug).collect();
    SignatureDefect::Context { expected: expected.to_owned(), found }
}

/// Checks that a log's key signed exactly this text.
///
/// # Errors
/// `GB-SIG-CONTEXT` for the key of a witness or the message of a cosignature, `GB-SIG-MISSING` for another key's
/// line, `GB-SIG-MALFORMED` where it has not 64 bytes, `GB-SIG-INVALID`.
pub fn verify_note(key: &NoteKey, text: &[u8], signature: &NoteSignature) -> Result<(), SignatureDefect> {
    key.expect(NoteKeyType::Log, signature)?;
    if text.starts_with(COSIGNATURE.as_bytes()) {
        // Where a log and a witness share a key, the cosignature would pass for a signature of the log.
        return Err(context("signature of a log", "cosignature"));
    }
    let bytes = signature.signature.as_slice().try_into();
    key.verify(text, bytes.map_err(|_| SignatureDefect::Malformed("a signature that has not 64 bytes"))?)
}

/// Checks that a witness cosigned the checkpoint of exactly this text, and returns when, in seconds since 1970.
///
/// # Errors
/// `GB-SIG-CONTEXT` for the key of a log, `GB-SIG-MISSING` for another key's line, `GB-SIG-MALFORMED` where it has
/// not 72 bytes or says no time, `GB-SIG-INVALID`.
pub fn verify_cosignature(key: &NoteKey, text: &[u8], signature: &NoteSignature) -> Result<u64, SignatureDefect> {
    key.expect(NoteKeyType::Witness, signature)?;
    let malformed = SignatureDefect::Malformed("a cosignature that has not 72 bytes");
    let (time, bytes) = signature.signature.split_first_chunk::<8>().ok_or_else(|| malformed.clone())?;
    let bytes = bytes.try_into().map_err(|_| malformed)?;
    let time = u64::from_be_bytes(*time);
    if !is_time(time) {
        return Err(SignatureDefect::Malformed("a cosignature whose time is 0 or beyond 2^63 - 1"));
    }
    key.verify(&cosigned(time, text), bytes)?;
    Ok(time)
}

/// Zero would say that the witness makes no statement about time, which only subtrees permit.
const fn is_time(time: u64) -> bool {
    time > 0 && time <= i64::MAX.unsigned_abs()
}

fn cosigned(time: u64, text: &[u8]) -> Vec<u8> {
    [format!("{COSIGNATURE}time {time}\n").as_bytes(), text].concat()
}

/// Checks that bytes are what a note may say, before a key signs them bare.
///
/// A bare signature is good for whatever protocol gives these bytes a meaning, so that only the text of notes is
/// signed. Above all no SSHSIG can be made here, which would be a sign-off without its namespace, nor an answer to the
/// challenge of an SSH server, which begins with a length and so with a zero byte.
///
/// # Errors
/// `GB-KEY-SIGN`.
pub fn check_note_text(text: &[u8]) -> Result<(), SigningError> {
    let plain = std::str::from_utf8(text).is_ok_and(|text| !text.contains(|c| c < ' ' && c != '\n'));
    if text.starts_with(SSHSIG) || !plain || !text.ends_with(b"\n") {
        return Err(SigningError::new("GB-KEY-SIGN", "only the text of a note is signed so"));
    }
    Ok(())
}

/// Returns what an agent signed, once it is known to hold.
///
/// # Errors
/// As [`NoteKey::from_public_key`]; `GB-SIG-MALFORMED`, `GB-SIG-ALGORITHM` or `GB-SIG-INVALID` where the blob is no
/// signature by the key over the text.
pub fn note_signature_of(key: &PublicKey, text: &[u8], blob: &[u8]) -> Result<[u8; 64], SignatureDefect> {
    let parts = KeyParts::parse(key.as_wire())?;
    if parts.application.is_some() {
        return Err(SignatureDefect::algorithm(NOTE_KEY_TYPE, parts.algorithm().as_bytes()));
    }
    let malformed = || SignatureDefect::Malformed("a signature blob that is cut off or has bytes after its end");
    let mut reader = Reader::new(blob);
    let algorithm = reader.string().ok_or_else(malformed)?;
    if algorithm != PLAIN.as_bytes() {
        return Err(SignatureDefect::algorithm("signature type", algorithm));
    }
    let bytes: [u8; 64] = reader.string().and_then(|bytes| bytes.try_into().ok()).ok_or_else(malformed)?;
    reader.end().ok_or_else(malformed)?;
    let signature = ed25519_dalek::Signature::from_bytes(&bytes);
    parts.verifying_key()?.verify_strict(text, &signature).map_err(|_| SignatureDefect::Invalid)?;
    Ok(bytes)
}

/// Signs a checkpoint for the log that its first line names.
///
/// # Errors
/// [`SigningError`]: the first line is no name of a key, the key is no plain one, or cannot sign.
pub fn sign_checkpoint(signer: &dyn Signer, body: &str) -> Result<NoteSignature, SigningError> {
    let refuse = |what: String| SigningError::new("GB-KEY-SIGN", what);
    if body.starts_with(COSIGNATURE) {
        return Err(refuse("a cosignature is not signed as a checkpoint".into()));
    }
    let origin = body.split('\n').next().and_then(KeyName::parse);
    let origin = origin.ok_or_else(|| refuse("the checkpoint's origin is no name for a key".into()))?;
    let key = own_key(signer, origin, NoteKeyType::Log)?;
    let signature = signer.sign_note(body.as_bytes())?.to_vec();
    let line = NoteSignature { name: key.name.clone(), key_id: key.id(), signature };
    verify_note(&key, body.as_bytes(), &line).map_err(|defect| refuse(defect.to_string()))?;
    Ok(line)
}

/// Cosigns a checkpoint as the witness of that name: what is said is that at `time` (seconds since 1970) this was the
/// largest tree that the witness had seen of this log, and that it is consistent with all before. Whoever calls this has
/// seen to that, and to it that the text is a checkpoint.
///
/// # Errors
/// [`SigningError`]: there is no such time, the key is no plain one, or cannot sign.
pub fn cosign(signer: &dyn Signer, name: &KeyName, time: u64, body: &str) -> Result<NoteSignature, SigningError> {
    let refuse = |what: String| SigningError::new("GB-KEY-SIGN", what);
    if !is_time(time) {
        return Err(refuse("a cosignature needs a time from 1 to 2^63 - 1".into()));
    }
    let key = own_key(signer, name.clone(), NoteKeyType::Witness)?;
    let proof = signer.sign_note(&cosigned(time, body.as_bytes()))?;
    let signature = [&time.to_be_bytes()[..], &proof].concat();
    let line = NoteSignature { name: key.name.clone(), key_id: key.id(), signature };
    verify_cosignature(&key, body.as_bytes(), &line).map_err(|defect| refuse(defect.to_string()))?;
    Ok(line)
}

fn own_key(signer: &dyn Signer, name: KeyName, key_type: NoteKeyType) -> Result<NoteKey, SigningError> {
    NoteKey::from_public_key(name, key_type, signer.public_key()).map_err(|defect| {
        let what = match defect {
            SignatureDefect::Algorithm { .. } => {
                "checkpoints are signed by plain ssh-ed25519 keys, and a security key cannot".to_owned()
            }
            other => other.to_string(),
        };
        SigningError::new("GB-KEY-SIGN", what)
    })
}

#[cfg(test)]
#[path = "note_tests.rs"]
mod tests;
