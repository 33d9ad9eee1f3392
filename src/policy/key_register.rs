//! `.baseline/keys.toml`: the register of the product's keys, by their public halves. Never a key.
//!
//! Serves NIST SP 800-57 pt. 2 (key inventories). Never here: the items that the register is held against.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::PolicyError;
use super::place::{self, Place};

/// Where the register stands in the tree.
pub const KEYS_PATH: &str = ".baseline/keys.toml";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRegister {
    key: Vec<RawKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    id: Spanned<String>,
    purpose: Spanned<String>,
    algorithm: Spanned<String>,
    fingerprint: Spanned<String>,
    custody: Spanned<String>,
    rotation_days: Option<Spanned<u32>>,
}

/// One key of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredKey {
    /// Its id, unique in the file.
    pub id: String,
    /// What it is for.
    pub purpose: String,
    /// Its algorithm, as facts name it.
    pub algorithm: String,
    /// Its public fingerprint, as [`canonical`] writes it.
    pub fingerprint: String,
    /// Who or what holds the private half.
    pub custody: Custody,
    /// After how many days it must have been replaced.
    pub rotation_days: Option<i64>,
    /// The line of its id, from 1.
    pub line: usize,
}

/// Who or what holds a private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Custody {
    /// A device that never gives it away: `hsm`, `kms`, `tpm`, `token`. Its private half stands in no file.
    Device(String),
    /// A person or role, as written.
    Holder(String),
}

impl RegisteredKey {
    /// Reads the file; keys by their fingerprints.
    ///
    /// # Errors
    /// [`PolicyError`] with file and line: no TOML, an unknown key, a repeated id or fingerprint.
    pub fn parse_all(bytes: &[u8]) -> Result<BTreeMap<String, Self>, PolicyError> {
        let (place, raw): (_, RawRegister) = place::read(KEYS_PATH, bytes)?;
        let mut keys: BTreeMap<String, Self> = BTreeMap::new();
        for raw in raw.key {
            let (id, fingerprint) = (raw.id.clone(), raw.fingerprint.clone());
            let key = registered(&place, raw)?;
            if keys.values().any(|known| known.id.eq_ignore_ascii_case(&key.id)) {
                return Err(place.at(&id, "an id that another key has"));
            }
            if keys.insert(key.fingerprint.clone(), key).is_some() {
                return Err(place.at(&fingerprint, "a fingerprint that another key has"));
            }
        }
        Ok(keys)
    }
}

fn registered(place: &Place, raw: RawKey) -> Result<RegisteredKey, PolicyError> {
    let fingerprint = canonical(raw.fingerprint.get_ref());
    let is_hex = fingerprint.len() >= 40 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex && !fingerprint.starts_with("SHA256:") && !fingerprint.starts_with("age1") {
        let message = "a fingerprint is SHA256:… as ssh-keygen prints it, or 40 to 64 hexadecimal digits";
        return Err(place.at(&raw.fingerprint, message));
    }
    let rotation_days = match raw.rotation_days {
        Some(days) if *days.get_ref() == 0 => return Err(place.at(&days, "a key is in use for a day at least")),
        days => days.map(|days| i64::from(days.into_inner())),
    };
    Ok(RegisteredKey {
        fingerprint,
        rotation_days,
        line: place.line(raw.id.span().start),
        id: place.id(raw.id)?,
        purpose: place.text(raw.purpose, "the purpose")?,
        algorithm: place.text(raw.algorithm, "the algorithm")?,
        custody: custody(place.text(raw.custody, "the custody")?),
    })
}

fn custody(text: String) -> Custody {
    let words = text.to_ascii_lowercase();
    let is_device = words
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| matches!(word, "hsm" | "kms" | "tpm" | "token" | "smartcard" | "yubikey"));
    if is_device { Custody::Device(text) } else { Custody::Holder(text) }
}

/// Returns a fingerprint in one spelling: hexadecimal digits small and without colons or spaces, others as they are.
pub fn canonical(fingerprint: &str) -> String {
    let plain: String = fingerprint.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
    if plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return plain.to_ascii_lowercase();
    }
    fingerprint.trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[key]]\nid = \"tls\"\npurpose = \"server\"\nalgorithm = \"EC\"\n\
                        fingerprint = \"AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD\"\ncustody = \"HSM in room 3\"\n";

    fn refused(text: &str) -> usize {
        RegisteredKey::parse_all(text.as_bytes()).unwrap_err().line
    }

    #[test]
    fn a_key_is_known_by_one_spelling_of_its_fingerprint() {
        let keys = RegisteredKey::parse_all(GOOD.as_bytes()).unwrap();
        let key = &keys["aabbccddeeff00112233445566778899aabbccdd"];
        assert_eq!(key.custody, Custody::Device("HSM in room 3".to_owned()));
        assert_eq!(canonical("SHA256:a+/Bc="), "SHA256:a+/Bc");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        assert_eq!(refused(&GOOD.replace("AA:", "zz:")), 5);
        assert_eq!(refused(&format!("{GOOD}{GOOD}")), 8);
        assert_eq!(refused(&format!("{GOOD}{}", GOOD.replace("\"tls\"", "\"b\""))), 11);
        assert_eq!(refused(&format!("{GOOD}rotation_days = 0\n")), 7);
        assert_eq!(refused(&format!("{GOOD}private = \"x\"\n")), 7);
    }
}
