//! Private keys: read from what OpenSSH and OpenSSL write, made, and used. Secrets are wiped when dropped.
//!
//! Never here: files, prompts, agents, randomness; the rim brings bytes, passphrases and random bytes. Serves
//! contract §2 ("Keys from an OpenSSH or PKCS#8 file (passphrase asked) or ssh-agent").

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::key::{PLAIN, plain_key};
use super::note::check_note_text;
use super::signature::{Signature, signed_data};
use super::wire::put_string;
use super::{envelope, pkcs};
use crate::domain::PublicKey;

/// No key file may be larger, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// Whatever can sign: a key in memory, or an agent that holds one.
pub trait Signer {
    /// Returns the key whose signatures it makes.
    fn public_key(&self) -> &PublicKey;

    /// Signs bytes for one purpose.
    ///
    /// # Errors
    /// [`SigningError`], where the key is out of reach, or its keeper refuses.
    fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<Signature, SigningError>;

    /// Signs the text of a note bare, without namespace: for checkpoints and cosignatures only, by
    /// [`sign_checkpoint`](super::sign_checkpoint) and [`cosign`](super::cosign). Whoever implements this begins with
    /// [`check_note_text`], so that no SSHSIG can be made through it.
    ///
    /// # Errors
    /// [`SigningError`], where the bytes are no such text, the key is on a token, out of reach, or its keeper refuses.
    fn sign_note(&self, text: &[u8]) -> Result<[u8; 64], SigningError>;
}

/// Why something could not be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningError {
    code: &'static str,
    what: String,
}

impl SigningError {
    /// Says that signing failed, and why.
    pub fn new(code: &'static str, what: impl Into<String>) -> Self {
        Self { code, what: what.into() }
    }

    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for SigningError {}

/// Why bytes give no private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The key is encrypted, and no passphrase was given.
    NeedsPassphrase,
    /// The passphrase does not open it.
    WrongPassphrase,
    /// It is damaged, or no private key at all.
    Unreadable(String),
    /// It is a key that this program does not sign with.
    Unsupported(String),
    /// It only points to a security key, which signs through ssh-agent.
    OnToken(PublicKey),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsPassphrase => f.write_str("the key is encrypted, and needs its passphrase"),
            Self::WrongPassphrase => f.write_str("the passphrase does not open the key"),
            Self::Unreadable(what) => write!(f, "no private key can be read: {what}"),
            Self::Unsupported(what) => write!(f, "{what} is not supported, only Ed25519"),
            Self::OnToken(_) => f.write_str("the key is on a security key, which signs through ssh-agent"),
        }
    }
}

impl std::error::Error for KeyError {}

/// An Ed25519 key pair in memory, wiped when dropped.
pub struct PrivateKey {
    secret: SigningKey,
    public: PublicKey,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", super::fingerprint(&self.public))
    }
}

impl PrivateKey {
    /// Reads an OpenSSH private key, or PKCS#8 in PEM, plain or encrypted.
    ///
    /// # Errors
    /// [`KeyError`]: the passphrase is missing or wrong, the bytes are no private key, or one of another type.
    pub fn parse(bytes: &[u8], passphrase: Option<&str>) -> Result<Self, KeyError> {
        if bytes.len() > MOST_BYTES {
            return Err(KeyError::Unreadable("more than 64 KiB".into()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| KeyError::Unreadable("it is not text".into()))?;
        let (label, pem) = label_of(text)?;
        let secret = match label {
            "OPENSSH PRIVATE KEY" => envelope::open(pem, passphrase),
            "PRIVATE KEY" => pkcs::open(pem),
            "ENCRYPTED PRIVATE KEY" => pkcs::decrypt(pem, passphrase),
            "RSA PRIVATE KEY" | "DSA PRIVATE KEY" | "EC PRIVATE KEY" => {
                Err(KeyError::Unsupported(format!("a key of the form \"{label}\"")))
            }
            other => {
                let other: String = other.chars().take(60).flat_map(char::escape_debug).collect();
                Err(KeyError::Unreadable(format!("it holds a \"{other}\"")))
            }
        }?;
        Ok(Self::from_secret(secret))
    }

    /// Makes a key pair from 32 random bytes.
    pub fn generate(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self::from_secret(SigningKey::from_bytes(&seed))
    }

    fn from_secret(secret: SigningKey) -> Self {
        let public = plain_key(secret.verifying_key().as_bytes());
        Self { secret, public }
    }

    /// Returns the key as an OpenSSH private key file; encrypted when there is a passphrase that is not empty.
    /// The random bytes become salt and check number, and must be fresh each time.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] where the comment cannot stand in a key file.
    pub fn to_openssh(
        &self,
        comment: &str,
        passphrase: Option<&str>,
        random: &[u8; 32],
    ) -> Result<Zeroizing<String>, KeyError> {
        if comment.chars().any(char::is_control) {
            return Err(KeyError::Unreadable("a comment cannot hold control characters".into()));
        }
        envelope::seal(&self.secret, comment, passphrase.filter(|text| !text.is_empty()), random)
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<Signature, SigningError> {
        let mut blob = Vec::new();
        put_string(&mut blob, PLAIN.as_bytes());
        put_string(&mut blob, &self.secret.sign(&signed_data(namespace, bytes)).to_bytes());
        Signature::from_parts(self.public.clone(), namespace, &blob)
            .map_err(|defect| SigningError::new("GB-KEY-SIGN", defect.to_string()))
    }

    fn sign_note(&self, text: &[u8]) -> Result<[u8; 64], SigningError> {
        check_note_text(text)?;
        Ok(self.secret.sign(text).to_bytes())
    }
}

/// Returns the label of the first PEM block, and the text from there on.
fn label_of(text: &str) -> Result<(&str, &str), KeyError> {
    let block = text.split_once("-----BEGIN ").and_then(|(before, rest)| {
        let (label, _) = rest.split_once("-----")?;
        Some((label, text.get(before.len()..)?))
    });
    block.ok_or_else(|| {
        if text.starts_with("PuTTY-User-Key-File") {
            return KeyError::Unsupported("a PuTTY key file".into());
        }
        KeyError::Unreadable("it is neither an OpenSSH private key nor PKCS#8 in PEM".into())
    })
}
