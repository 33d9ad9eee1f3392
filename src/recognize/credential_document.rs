//! JSON and YAML documents by which programs log in: service accounts, kubeconfigs, Docker's registries.
//!
//! Who logs in where becomes a fact; keys, passwords and tokens never do. Serves the documentation of Google Cloud,
//! Kubernetes and Docker.

use base64ct::{Base64, Encoding};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::{Fact, Facts, ItemClass, RepoPath};

use super::text::{MOST_VALUES, bounded};
use super::{Recognized, embedded, path, secrecy, structured};

/// How large such a document may be.
const MOST_BYTES: usize = 1024 * 1024;

/// Recognises such a document by what stands in it.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if bytes.len() > MOST_BYTES || path::is_about(path) {
        return None;
    }
    let has = |marker: &[u8]| memchr::memmem::find(bytes, marker).is_some();
    let begins = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().first() == Some(&b'{');
    if begins && has(b"\"service_account\"") {
        return service_account(&structured::json(bytes)?, bytes);
    }
    if begins && (has(b"\"auths\"") || has(b"\"credHelpers\"") || has(b"\"credsStore\"")) {
        return docker(&structured::json(bytes)?, bytes);
    }
    if has(b"current-context") || has(b"client-key-data") || has(b"certificate-authority-data") {
        let documents = if begins { vec![structured::json(bytes)?] } else { structured::yaml(bytes)? };
        return documents.iter().find_map(|document| kubeconfig(document, bytes));
    }
    None
}

/// Returns the line on which a name stands for the `nth` time.
fn line_of(bytes: &[u8], name: &str, nth: usize) -> Option<u32> {
    let at = memchr::memmem::find_iter(bytes, name.as_bytes()).nth(nth)?;
    u32::try_from(memchr::memchr_iter(b'\n', bytes.get(..at)?).count()).ok()?.checked_add(1)
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn set_text(facts: &mut Facts, value: &Value, name: &str) {
    facts.set_some(name, text(value, name).map(|text| bounded(text.as_bytes())));
}

fn service_account(document: &Value, bytes: &[u8]) -> Option<Recognized> {
    text(document, "type").filter(|kind| *kind == "service_account")?;
    let private = text(document, "private_key")?;
    let mut facts = Facts::new();
    for name in ["client_email", "client_id", "private_key_id", "project_id", "token_uri"] {
        set_text(&mut facts, document, name);
    }
    let keys = embedded::keys(private.as_bytes());
    facts.set_some("private_key", keys.first().map(|key| key.facts.clone()));
    let found = Recognized::key("gcp-service-account", facts);
    let clear = keys.iter().any(|key| key.clear);
    Some(if clear { found.with_clear_key(line_of(bytes, "\"private_key\"", 0)) } else { found })
}

fn docker(document: &Value, bytes: &[u8]) -> Option<Recognized> {
    let map = document.as_object()?;
    let known = ["auths", "credHelpers", "credsStore", "HttpHeaders", "proxies", "currentContext", "psFormat"];
    let auths = map.get("auths").and_then(Value::as_object);
    if !map.keys().all(|name| known.contains(&name.as_str()) || name.ends_with("Format") || name == "plugins") {
        return None;
    }
    let mut facts = Facts::new();
    let registries = auths.into_iter().flatten().take(MOST_VALUES).map(|(name, _)| bounded(name.as_bytes()));
    facts.set("registries", registries.collect::<Vec<_>>());
    facts.set_some("credentials_store", text(document, "credsStore").map(|name| bounded(name.as_bytes())));
    let mut found = Recognized::key("docker-config", facts);
    for (name, entry) in auths.into_iter().flatten().take(MOST_VALUES) {
        let is_clear = |field| text(entry, field).is_some_and(|value| !secrecy::is_placeholder(value));
        if ["auth", "password", "identitytoken", "registrytoken"].into_iter().any(is_clear) {
            found.secret = true;
            let message = format!("the credentials of \"{}\" stand here in clear", bounded(name.as_bytes()));
            found = found.observe("secret-in-clear", line_of(bytes, name, 0), message);
        }
    }
    Some(found)
}

/// Returns the entries of a list with their names and what is said of them under `inner`.
fn named<'a>(document: &'a Value, list: &str, inner: &'a str) -> impl Iterator<Item = (String, &'a Value)> {
    let entries = document.get(list).and_then(Value::as_array).into_iter().flatten().take(MOST_VALUES);
    entries.filter_map(move |entry| Some((bounded(text(entry, "name")?.as_bytes()), entry.get(inner)?)))
}

fn kubeconfig(document: &Value, bytes: &[u8]) -> Option<Recognized> {
    text(document, "kind").filter(|kind| *kind == "Config")?;
    text(document, "apiVersion").filter(|version| *version == "v1")?;
    let mut facts = Facts::new();
    set_text(&mut facts, document, "current-context");
    let mut unverified = Vec::new();
    let clusters = named(document, "clusters", "cluster").map(|(name, cluster)| {
        let mut facts = Facts::new();
        set_text(&mut facts, cluster, "server");
        if cluster.get("insecure-skip-tls-verify") == Some(&Value::Bool(true)) {
            facts.set("verified", false);
            unverified.push(name.clone());
        }
        facts.set("name", name);
        Fact::Map(facts)
    });
    facts.set("clusters", Fact::List(clusters.collect()));
    let (mut keys, mut secrets) = (0, Vec::new());
    let mut users = Vec::new();
    for (name, user) in named(document, "users", "user") {
        let mut by = Vec::new();
        if text(user, "client-key-data").is_some_and(is_clear_key) {
            keys += 1;
        }
        for field in ["token", "password"] {
            if text(user, field).is_some_and(|value| !secrecy::is_placeholder(value)) {
                secrets.push((field, name.clone()));
            }
        }
        let fields = ["auth-provider", "client-certificate", "client-certificate-data", "exec", "password", "token"];
        by.extend(fields.into_iter().filter(|field| user.get(field).is_some()));
        let mut facts = Facts::new();
        facts.set("name", name);
        facts.set("by", by);
        users.push(Fact::Map(facts));
    }
    facts.set("users", Fact::List(users));
    let mut found = Recognized::new("kubeconfig", ItemClass::AccessControl, facts);
    for nth in 0..keys {
        found = found.with_clear_key(line_of(bytes, "client-key-data", nth));
    }
    for (field, name) in secrets {
        found.secret = true;
        found = found.observe(
            "secret-in-clear",
            line_of(bytes, &format!("{field}:"), 0).or_else(|| line_of(bytes, field, 0)),
            format!("the credentials of \"{name}\" stand here in clear"),
        );
    }
    for (nth, name) in unverified.into_iter().enumerate() {
        let line = line_of(bytes, "insecure-skip-tls-verify", nth);
        found = found.observe("tls-verification-off", line, format!("the certificate of \"{name}\" is not verified"));
    }
    Some(found)
}

fn is_clear_key(encoded: &str) -> bool {
    let packed: Zeroizing<String> = Zeroizing::new(encoded.split_whitespace().collect());
    let block = Base64::decode_vec(&packed).map(Zeroizing::new).unwrap_or_default();
    embedded::keys(&block).iter().any(|key| key.clear)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410 §10.3: a key that everybody knows.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    fn found(path: &str, text: &str) -> Option<Recognized> {
        let found = recognize(&RepoPath::new(path), text.as_bytes());
        let said = format!("{found:?}");
        assert!(!said.contains("hunter") && !said.contains("nwoy"), "{said}");
        found
    }

    fn seen(found: &Recognized) -> Vec<(&str, Option<u32>)> {
        found.observations.iter().map(|seen| (seen.rule, seen.line)).collect()
    }

    #[test]
    fn a_service_account_tells_who_it_is_and_its_key_is_seen() {
        let text = format!(
            "{{\n\"type\": \"service_account\", \"project_id\": \"p\",\n\"private_key\": {},\n\"client_email\": \"a@p.test\"}}",
            Value::from(KEY)
        );
        let found = found("gcp.json", &text).unwrap();
        assert_eq!((found.kind.as_str(), found.secret), ("gcp-service-account", true));
        assert_eq!(seen(&found), [("private-key-in-clear", Some(3))]);
        assert_eq!(found.facts.text("client_email"), Some("a@p.test"));
    }

    #[test]
    fn a_service_account_without_a_key_is_silent() {
        let text = r#"{"type": "service_account", "private_key": "<paste it here>"}"#;
        assert_eq!(seen(&found("gcp.json", text).unwrap()), []);
        assert_eq!(found("a.json", r#"{"kind": "service_account"}"#), None);
    }

    #[test]
    fn registries_with_credentials_are_told() {
        let text = "{\n\"auths\": {\n\"r.test\": {\"auth\": \"aHVudGVyMg==\"},\n\"s.test\": {}}}";
        let found_one = found(".docker/config.json", text).unwrap();
        assert_eq!((found_one.kind.as_str(), seen(&found_one)), ("docker-config", vec![("secret-in-clear", Some(3))]));
        assert_eq!(seen(&found("config.json", r#"{"auths": {"r.test": {}}, "credsStore": "pass"}"#).unwrap()), []);
        assert_eq!(found("config.json", r#"{"auths": {"a": 1}, "title": "of an app"}"#), None);
    }

    #[test]
    fn users_of_clusters_are_told_with_how_they_log_in() {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: c\n  cluster:\n    server: https://c.test\n    insecure-skip-tls-verify: true\nusers:\n- name: u\n  user:\n    client-key-data: {}\n- name: v\n  user:\n    token: hunter2\n- name: w\n  user:\n    exec: {{command: x}}\n",
            Base64::encode_string(KEY.as_bytes())
        );
        let found_one = found("home/.kube/config", &text).unwrap();
        assert_eq!((found_one.kind.as_str(), found_one.secret), ("kubeconfig", true));
        assert_eq!(
            seen(&found_one),
            [("private-key-in-clear", Some(12)), ("secret-in-clear", Some(15)), ("tls-verification-off", Some(8))]
        );
        assert_eq!(found("a.yaml", "current-context: x\nkind: Other\n"), None);
    }
}
