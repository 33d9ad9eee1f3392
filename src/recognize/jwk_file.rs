//! JSON Web Keys and sets of them: what is public, and whether something private stands beside it.
//!
//! Never here: a private or symmetric number. Serves RFC 7517, RFC 7638 (thumbprints), RFC 8037.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::{Fact, Facts, RepoPath};

use super::text::{MOST_VALUES, bounded};
use super::{Recognized, der, path, structured};

/// How large a key set may be.
const MOST_BYTES: usize = 1024 * 1024;

/// Recognises a key or a set of keys.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let begins = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().first() == Some(&b'{');
    if !begins || bytes.len() > MOST_BYTES || memchr::memmem::find(bytes, b"\"kty\"").is_none() {
        return None;
    }
    let document = structured::json(bytes).filter(|_| !path::is_about(path))?;
    let map = document.as_object()?;
    if let Some(key) = Jwk::read(map) {
        return Some(key.observe(Recognized::key("jwk", key.facts(true)), bytes));
    }
    let list = map.get("keys")?.as_array().filter(|list| !list.is_empty())?;
    let keys: Vec<_> = list.iter().map(|key| Jwk::read(key.as_object()?)).collect::<Option<_>>()?;
    let mut facts = Facts::new();
    facts.set("count", u32::try_from(keys.len()).unwrap_or(u32::MAX));
    let described = keys.iter().take(MOST_VALUES).map(|key| Fact::Map(key.facts(false)));
    facts.set("keys", Fact::List(described.collect()));
    let worst = keys.iter().max_by_key(|key| (key.private, key.kty == "oct"))?;
    Some(worst.observe(Recognized::key("jwks", facts), bytes))
}

struct Jwk<'a> {
    map: &'a Map<String, Value>,
    kty: &'a str,
    private: bool,
}

impl<'a> Jwk<'a> {
    /// A map is a key when it has the members that its type demands.
    fn read(map: &'a Map<String, Value>) -> Option<Self> {
        let kty = map.get("kty")?.as_str()?;
        let has = |names: &[&str]| names.iter().all(|name| map.get(*name).is_some_and(Value::is_string));
        let whole = match kty {
            "RSA" => has(&["n", "e"]),
            "EC" => has(&["crv", "x", "y"]),
            "OKP" => has(&["crv", "x"]),
            "oct" => has(&["k"]),
            "AKP" => has(&["alg", "pub"]),
            _ => false,
        };
        let private = kty == "oct" || ["d", "p", "q", "priv"].iter().any(|name| map.contains_key(*name));
        whole.then_some(Self { map, kty, private })
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.map.get(name)?.as_str()
    }

    fn facts(&self, alone: bool) -> Facts {
        let mut facts = Facts::new();
        facts.set("kty", self.kty);
        facts.set("private", self.private);
        let names: &[_] = if alone { &["kid", "crv", "use", "alg"] } else { &["kid", "crv"] };
        for name in names.iter().copied() {
            facts.set_some(name, self.text(name).map(|text| bounded(text.as_bytes())));
        }
        facts.set_some("bits", self.bits());
        facts.set_some("thumbprint_sha256", self.thumbprint());
        if !alone {
            return facts;
        }
        let operations = self.map.get("key_ops").and_then(Value::as_array).into_iter().flatten();
        let operations: Vec<_> = operations.filter_map(Value::as_str).map(|text| bounded(text.as_bytes())).collect();
        facts.set_some("key_ops", (!operations.is_empty()).then_some(operations));
        facts
    }

    fn bits(&self) -> Option<i64> {
        let length = |name: &str| {
            let bytes = Base64UrlUnpadded::decode_vec(self.text(name)?.trim_end_matches('=')).ok()?;
            Some((bytes.len(), der::bit_length(&bytes)))
        };
        match self.kty {
            "RSA" => length("n").map(|(_, bits)| bits),
            "oct" => length("k").and_then(|(bytes, _)| i64::try_from(bytes).ok()?.checked_mul(8)),
            _ => None,
        }
    }

    /// A symmetric key has a thumbprint too, but it would tell the key to whoever guesses.
    fn thumbprint(&self) -> Option<String> {
        let names: &[&str] = match self.kty {
            "RSA" => &["e", "kty", "n"],
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            _ => return None,
        };
        let members = names.iter().map(|name| Some(format!("{}:{}", quoted(name)?, quoted(self.text(name)?)?)));
        let canonical = format!("{{{}}}", members.collect::<Option<Vec<_>>>()?.join(","));
        Some(Base64UrlUnpadded::encode_string(&Sha256::digest(canonical)))
    }

    fn observe(&self, found: Recognized, bytes: &[u8]) -> Recognized {
        if !self.private {
            return found;
        }
        let line = |name: &[u8]| {
            let at = memchr::memmem::find(bytes, name)?;
            u32::try_from(memchr::memchr_iter(b'\n', bytes.get(..at)?).count()).ok()?.checked_add(1)
        };
        if self.kty == "oct" {
            return found.with_clear_symmetric_key(line(b"\"k\""));
        }
        found.with_clear_key(line(b"\"d\"").or_else(|| line(b"\"priv\"")))
    }
}

fn quoted(text: &str) -> Option<String> {
    serde_json::to_string(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new("a.json"), text.as_bytes())
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let found = found(text).unwrap();
        assert_eq!(found.facts.text("thumbprint_sha256"), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
        assert!(!found.secret);
    }

    #[test]
    fn private_members_are_seen_and_not_told() {
        let text = "{\n\"kty\":\"oct\",\n\"k\":\"c2VjcmV0LXNlY3JldA\"}";
        let key = found(text).unwrap();
        assert_eq!(key.observations[0].rule, "symmetric-key-in-clear");
        assert_eq!(key.observations[0].line, Some(3));
        assert!(key.secret && !format!("{key:?}").contains("c2Vj"));
        let set = found(
            r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}"#,
        );
        assert_eq!(set.unwrap().observations[0].rule, "private-key-in-clear");
    }

    #[test]
    fn other_json_is_no_key() {
        for text in [
            r#"{"kty":"RSA"}"#,
            r#"{"kty":1}"#,
            r#"{"a":{"kty":"oct","k":""}}"#,
            r#"{"kty" "#,
            r#"{"keys":[],"kty":0}"#,
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
