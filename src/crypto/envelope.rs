//! OpenSSH's own private key files (`openssh-key-v1`, OpenSSH's PROTOCOL.key).
//!
//! What is outside the encryption is looked at first: a key of another type is named instead of asked a passphrase
//! for, and a file cannot demand hours of work.

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::SigningKey;
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Cipher, Error, Kdf, LineEnding};
use zeroize::Zeroizing;

use super::key::{PLAIN, TOKEN};
use super::private_key::KeyError;
use super::wire::Reader;
use crate::domain::PublicKey;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";
/// What `ssh-keygen` takes today: about a quarter of a second.
const ROUNDS: u32 = 24;
/// More than this would take longer than anybody waits.
const MOST_ROUNDS: u32 = 4096;

/// What stands outside the encryption.
struct Outside {
    encrypted: bool,
    rounds: u32,
    public: Vec<u8>,
}

/// Opens a key file.
pub(super) fn open(pem: &str, passphrase: Option<&str>) -> Result<SigningKey, KeyError> {
    let outside = look(pem).ok_or_else(|| KeyError::Unreadable("its armour is damaged".into()))?;
    let algorithm = Reader::new(&outside.public).string().unwrap_or_default();
    if algorithm == TOKEN.as_bytes() {
        return Err(KeyError::OnToken(PublicKey::from_wire(outside.public)));
    }
    if algorithm != PLAIN.as_bytes() {
        let name: String = algorithm.escape_ascii().take(80).map(char::from).collect();
        return Err(KeyError::Unsupported(format!("a key of type {name}")));
    }
    if outside.rounds > MOST_ROUNDS {
        return Err(KeyError::Unsupported(format!("a passphrase of {} rounds", outside.rounds)));
    }
    let unreadable = |error: Error| KeyError::Unreadable(error.to_string());
    let key = ssh_key::PrivateKey::from_openssh(pem.trim_end()).map_err(unreadable)?;
    let key = match (outside.encrypted, passphrase) {
        (false, _) => key,
        (true, None) => return Err(KeyError::NeedsPassphrase),
        (true, Some(passphrase)) => key.decrypt(passphrase).map_err(|error| match error {
            Error::Crypto => KeyError::WrongPassphrase,
            other => unreadable(other),
        })?,
    };
    let pair = key.key_data().ed25519().ok_or_else(|| KeyError::Unreadable("it holds another key inside".into()))?;
    SigningKey::try_from(pair).map_err(unreadable)
}

fn look(pem: &str) -> Option<Outside> {
    let (armour, _) = pem.strip_prefix(BEGIN)?.split_once(END)?;
    let armour: Zeroizing<String> = Zeroizing::new(armour.split_ascii_whitespace().collect());
    let bytes = Zeroizing::new(Base64::decode_vec(&armour).ok()?);
    let mut reader = Reader::new(&bytes);
    if reader.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let (cipher, _, options) = (reader.string()?, reader.string()?, reader.string()?);
    let mut options = Reader::new(options);
    let rounds = options.string().and_then(|_| options.number()).unwrap_or(0);
    let _ = reader.number()?;
    Some(Outside { encrypted: cipher != b"none", rounds, public: reader.string()?.to_vec() })
}

/// Writes a key file.
pub(super) fn seal(
    secret: &SigningKey,
    comment: &str,
    passphrase: Option<&str>,
    random: &[u8; 32],
) -> Result<Zeroizing<String>, KeyError> {
    let unwritten = |error: Error| KeyError::Unreadable(error.to_string());
    let pair = KeypairData::from(Ed25519Keypair::from(secret));
    let mut key = ssh_key::PrivateKey::new(pair, comment).map_err(unwritten)?;
    if let Some(passphrase) = passphrase {
        let (salt, rest) = random.split_at(16);
        let check = rest.first_chunk::<4>().copied().map_or(0, u32::from_be_bytes);
        let kdf = Kdf::Bcrypt { salt: salt.to_vec(), rounds: ROUNDS };
        key = key.encrypt_with(Cipher::Aes256Ctr, kdf, check, passphrase).map_err(unwritten)?;
    }
    key.to_openssh(LineEnding::LF).map_err(unwritten)
}
