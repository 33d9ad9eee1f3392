//! Holds the register of keys against the items: which key is not in it, which is nowhere, which is where it must not be.
//!
//! Serves NIST SP 800-57 pt. 2 (key inventories). Never here: private halves; fingerprints are all that is compared.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::is_rotated;
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Fact, Facts, Observation, RepoPath};
use crate::policy::{Custody, KEYS_PATH, RegisteredKey, canonical};

/// Facts that name a key by its public half.
const PRINTS: [&str; 5] = ["fingerprint", "fingerprint_sha256", "recipient", "spki_sha256", "thumbprint_sha256"];

/// Facts that name a key's algorithm, and those that give its length in bits.
const ALGORITHMS: [&str; 4] = ["key_algorithm", "algorithm", "type", "kty"];
const LENGTHS: [&str; 2] = ["key_bits", "bits"];

/// Returns what is wrong between register and items; nothing where there is no register.
pub fn judge(items: &[ConfigurationItem], register: &BTreeMap<String, RegisteredKey>) -> Vec<(RepoPath, Observation)> {
    let mut found = Vec::new();
    if register.is_empty() {
        return found;
    }
    let mut borne = BTreeSet::new();
    // The register's own text, which is an item too, is no key.
    for item in items.iter().filter(|item| !item.kind.starts_with("baseline-")) {
        let keys: Vec<_> =
            prints(&item.facts).into_iter().filter_map(|(print, facts)| Some((register.get(&print)?, facts))).collect();
        borne.extend(keys.iter().map(|(key, _)| key.id.as_str()));
        let own = is_rotated(item);
        if own && keys.is_empty() && !prints(&item.facts).is_empty() {
            found.push(at(&item.path, "key-unregistered", "the register of keys does not name this key".to_owned()));
        }
        for (key, facts) in keys {
            if let Some(is) = differing(key, facts) {
                let message = format!("key {} is {is}, and in the register {}", key.id, key.algorithm.shown());
                found.push(at(&item.path, "key-register-differs", message));
            }
            if let Custody::Device(device) = &key.custody
                && own
                && !item.kind.starts_with("x509-certificate")
            {
                let message =
                    format!("key {} stands here in private, and in the register in {}", key.id, device.shown());
                found.push(at(&item.path, "key-outside-custody", message));
            }
        }
    }
    for key in register.values().filter(|key| !borne.contains(key.id.as_str())) {
        let message = format!("no item bears key {}", key.id);
        let observation = Observation { rule: "key-register-stale", line: u32::try_from(key.line).ok(), message };
        found.push((RepoPath::from(KEYS_PATH), observation));
    }
    found.sort_by(|a, b| (&a.0, a.1.line, a.1.rule).cmp(&(&b.0, b.1.line, b.1.rule)));
    found
}

/// Returns the key of the register that an item is, or certifies.
pub fn registered<'r>(
    item: &ConfigurationItem,
    register: &'r BTreeMap<String, RegisteredKey>,
) -> Option<&'r RegisteredKey> {
    prints(&item.facts).into_iter().find_map(|(print, _)| register.get(&print))
}

fn at(path: &RepoPath, rule: &'static str, message: String) -> (RepoPath, Observation) {
    (path.clone(), Observation { rule, line: None, message })
}

/// Every fingerprint in an item's facts, with the facts beside it. Recognisers bound how deep these go.
fn prints(facts: &Facts) -> Vec<(String, &Facts)> {
    let mut found = Vec::new();
    let mut open = vec![facts];
    while let Some(facts) = open.pop() {
        for (name, value) in facts.iter() {
            match value {
                Fact::Text(print) if PRINTS.contains(&name) => found.push((canonical(print), facts)),
                Fact::Map(inner) => open.push(inner),
                Fact::List(list) => open.extend(list.iter().filter_map(|value| match value {
                    Fact::Map(inner) => Some(inner),
                    _ => None,
                })),
                _ => {}
            }
        }
    }
    found
}

/// Returns the key's algorithm and length where they are not what the register says: its first word names the
/// algorithm, a number in it the length.
fn differing(key: &RegisteredKey, facts: &Facts) -> Option<String> {
    let algorithm = ALGORITHMS.iter().find_map(|name| facts.text(name))?;
    let length = LENGTHS.iter().find_map(|name| facts.number(name));
    let word = |text: &str| {
        let word = text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| !word.is_empty());
        word.unwrap_or_default().to_ascii_lowercase()
    };
    let family = |text: &str| match word(text).as_str() {
        "ecdsa" | "ecdh" | "ec" => "ec".to_owned(),
        "ed25519" | "eddsa" | "okp" => "ed25519".to_owned(),
        other => other.to_owned(),
    };
    let said = key.algorithm.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse::<i64>().ok());
    let other_length = family(algorithm) == "rsa" && said.zip(length).is_some_and(|(said, length)| said != length);
    let is = length.map_or_else(|| algorithm.to_owned(), |length| format!("{algorithm} of {length} bits"));
    (family(algorithm) != family(&key.algorithm) || other_length).then(|| is.shown().to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tests::item;
    use super::*;

    const PRINT: &str = "aabbccddeeff00112233445566778899aabbccdd";

    fn register(algorithm: &str, custody: &str) -> BTreeMap<String, RegisteredKey> {
        let text = format!(
            "[[key]]\nid = \"tls\"\npurpose = \"p\"\nalgorithm = \"{algorithm}\"\nfingerprint = \"{PRINT}\"\n\
             custody = \"{custody}\"\n"
        );
        RegisteredKey::parse_all(text.as_bytes()).unwrap()
    }

    fn key(kind: &str, print: &str) -> ConfigurationItem {
        let mut facts = Facts::new();
        facts.set("algorithm", "RSA");
        facts.set("bits", 3072_i64);
        facts.set("spki_sha256", print);
        item(kind, "a", facts)
    }

    fn told(items: &[ConfigurationItem], register: &BTreeMap<String, RegisteredKey>) -> Vec<&'static str> {
        judge(items, register).into_iter().map(|(_, observation)| observation.rule).collect()
    }

    #[test]
    fn a_key_that_is_as_registered_is_silent() {
        let key = key("private-key-pem", PRINT);
        for algorithm in ["RSA", "rsa-3072", "RSA 3072"] {
            assert!(told(std::slice::from_ref(&key), &register(algorithm, "release engineer")).is_empty());
        }
        assert!(told(&[key], &BTreeMap::new()).is_empty());
    }

    #[test]
    fn what_the_register_and_the_files_disagree_about_is_told() {
        let here = key("private-key-pem", PRINT);
        assert_eq!(told(std::slice::from_ref(&here), &register("RSA 2048", "anna")), ["key-register-differs"]);
        assert_eq!(told(std::slice::from_ref(&here), &register("EC P-256", "anna")), ["key-register-differs"]);
        assert_eq!(told(&[here], &register("RSA", "HSM")), ["key-outside-custody"]);
        assert_eq!(told(&[key("public-key-pem", PRINT)], &register("RSA", "HSM")), [] as [&str; 0]);
        let stranger = key("private-key-pem", &PRINT.replace("aa", "00"));
        assert_eq!(told(&[stranger], &register("RSA", "anna")), ["key-register-stale", "key-unregistered"]);
    }

    #[test]
    fn a_key_inside_a_bundle_is_found() {
        let mut facts = Facts::new();
        facts.set("certificates", vec![key("", PRINT).facts]);
        let register = register("RSA", "anna");
        assert_eq!(registered(&item("certificate-bundle", "b", facts), &register).unwrap().id, "tls");
    }
}
