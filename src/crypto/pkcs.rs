//! Private keys as PKCS#8 in PEM (RFC 5958, RFC 8018), as OpenSSL and key services write them.
//!
//! The cost parameters of an encrypted key are bounded before any work is done.

use ed25519_dalek::SigningKey;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, ScryptParams};
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument, pkcs5};

use super::private_key::KeyError;

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// Other key types, by the names that people know them under.
const OTHERS: [(ObjectIdentifier, &str); 6] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"), "RSA"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"), "RSA-PSS"),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"), "EC"),
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"), "DSA"),
    (ObjectIdentifier::new_unwrap("1.3.101.110"), "X25519"),
    (ObjectIdentifier::new_unwrap("1.3.101.113"), "Ed448"),
];
const MOST_ITERATIONS: u32 = 10_000_000;
const MOST_SCRYPT_BYTES: u64 = 256 * 1024 * 1024;
const MOST_SCRYPT_LANES: u16 = 16;

/// Reads a plain key.
pub(super) fn open(pem: &str) -> Result<SigningKey, KeyError> {
    let document = document(pem)?;
    key_of(&document)
}

/// Reads an encrypted key.
pub(super) fn decrypt(pem: &str, passphrase: Option<&str>) -> Result<SigningKey, KeyError> {
    let document = document(pem)?;
    let sealed = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|error| KeyError::Unreadable(error.to_string()))?;
    check_cost(&sealed.encryption_algorithm)?;
    let passphrase = passphrase.ok_or(KeyError::NeedsPassphrase)?;
    let opened = sealed.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::UnsupportedAlgorithm { oid }) => {
            KeyError::Unsupported(format!("encryption by algorithm {oid}"))
        }
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::AlgorithmParametersInvalid { .. }) => {
            KeyError::Unreadable(error.to_string())
        }
        // One wrong passphrase in 256 gives well-padded noise, which is no key either.
        _ => KeyError::WrongPassphrase,
    })?;
    if PrivateKeyInfoRef::try_from(opened.as_bytes()).is_err() {
        return Err(KeyError::WrongPassphrase);
    }
    key_of(&opened)
}

fn document(pem: &str) -> Result<SecretDocument, KeyError> {
    let (_, document) =
        SecretDocument::from_pem(pem.trim_end()).map_err(|error| KeyError::Unreadable(error.to_string()))?;
    Ok(document)
}

fn key_of(document: &SecretDocument) -> Result<SigningKey, KeyError> {
    let unreadable = |error: pkcs8::Error| KeyError::Unreadable(error.to_string());
    let info =
        PrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|error| KeyError::Unreadable(error.to_string()))?;
    let algorithm = info.algorithm.oid;
    if algorithm != ED25519 {
        let name = OTHERS.iter().find(|(oid, _)| *oid == algorithm).map(|(_, name)| (*name).to_owned());
        let name = name.unwrap_or_else(|| algorithm.to_string());
        return Err(KeyError::Unsupported(format!("a key of type {name}")));
    }
    SigningKey::try_from(info).map_err(unreadable)
}

fn check_cost(scheme: &EncryptionScheme) -> Result<(), KeyError> {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return Err(KeyError::Unsupported("encryption by PBES1".into()));
    };
    let bearable = match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MOST_ITERATIONS,
        Kdf::Scrypt(scrypt) => scrypt_is_bearable(scrypt),
        _ => false,
    };
    if bearable { Ok(()) } else { Err(KeyError::Unsupported("a passphrase of such a cost".into())) }
}

/// A cost of 0 would stop the library, which takes its logarithm; a high one would eat the memory.
fn scrypt_is_bearable(scrypt: &ScryptParams) -> bool {
    let block = 128 * u64::from(scrypt.block_size);
    scrypt.cost_parameter.is_power_of_two()
        && scrypt.cost_parameter.checked_mul(block).is_some_and(|bytes| bytes <= MOST_SCRYPT_BYTES)
        && scrypt.parallelization <= MOST_SCRYPT_LANES
}

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::pbes2::{EncryptionScheme as Cipher, Parameters, Pbkdf2Params, Salt};

    use super::*;

    fn scrypt(cost_parameter: u64, block_size: u16, parallelization: u16) -> Kdf {
        let salt = Salt::try_from(&b"salt"[..]).unwrap();
        Kdf::Scrypt(ScryptParams { salt, cost_parameter, block_size, parallelization, key_length: None })
    }

    fn bearable(kdf: Kdf) -> bool {
        check_cost(&EncryptionScheme::Pbes2(Parameters { kdf, encryption: Cipher::Aes256Cbc { iv: [0; 16] } })).is_ok()
    }

    #[test]
    fn a_passphrase_cannot_cost_the_machine() {
        assert!(bearable(scrypt(16_384, 8, 1)), "what OpenSSL writes");
        assert!(bearable(Pbkdf2Params::hmac_sha256(600_000, b"salt").unwrap().into()));
        for (cost, block, lanes) in
            [(0, 8, 1), (3, 8, 1), (1 << 40, 8, 1), (u64::MAX, 1, 1), (1 << 63, 2, 1), (16, 8, 9999)]
        {
            assert!(!bearable(scrypt(cost, block, lanes)), "{cost} {block} {lanes}");
        }
        assert!(!bearable(Pbkdf2Params::hmac_sha256(100_000_000, b"salt").unwrap().into()));
    }
}
