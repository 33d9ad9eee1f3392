//! YAML and JSON documents that carry secrets: SOPS files, and Kubernetes' `Secret` and `SealedSecret`.
//!
//! Names, recipients and schemes become facts; values never do. Serves SOPS' and Kubernetes' documentation.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::{Facts, RepoPath};

use super::secrecy::{self, Named};
use super::text::{MOST_VALUES, bounded};
use super::{Recognized, path, structured};

/// How large such a document may be.
const MOST_BYTES: usize = 1024 * 1024;

/// Recognises a document by what stands in it.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if bytes.len() > MOST_BYTES || !is_document(path) {
        return None;
    }
    let has = |marker: &[u8]| memchr::memmem::find(bytes, marker).is_some();
    let (sops, secret) = (has(b"sops") && has(b"ENC["), names_secret(bytes));
    if !sops && !secret {
        return None;
    }
    let documents = match path::extension(path).as_deref() {
        Some("json") => vec![structured::json(bytes)?],
        _ => structured::yaml(bytes)?,
    };
    if sops && let Some(found) = documents.iter().find_map(|document| sops_file(document.as_object()?, bytes)) {
        return Some(found);
    }
    let manifests: Vec<_> = documents.iter().filter_map(Manifest::read).collect();
    // Among other resources only a secret with values decides what the file is.
    let first = manifests.iter().find(|manifest| manifest.is_clear()).or_else(|| {
        manifests.first().filter(|_| manifests.len() == documents.iter().filter(|document| !document.is_null()).count())
    })?;
    Some(first.recognized(bytes))
}

fn is_document(path: &RepoPath) -> bool {
    path::extension(path).is_none_or(|extension| matches!(extension.as_ref(), "yaml" | "yml" | "json" | "enc" | "sops"))
}

/// Says whether "Secret" stands somewhere as the value of "kind": parsing every document would cost too much.
fn names_secret(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b"Secret").any(|at| {
        let before = bytes.get(at.saturating_sub(32)..at).unwrap_or_default();
        let before = before.strip_suffix(b"Sealed").unwrap_or(before);
        let end =
            before.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\'')).map_or(0, |last| last + 1);
        let before = before.get(..end).unwrap_or_default();
        [&b"kind:"[..], b"kind\":", b"kind':"].iter().any(|name| before.ends_with(name))
    })
}

/// A secret of Kubernetes.
struct Manifest<'a> {
    sealed: bool,
    name: Option<&'a str>,
    namespace: Option<&'a str>,
    values: Vec<(&'a str, &'a Value)>,
}

impl<'a> Manifest<'a> {
    fn read(document: &'a Value) -> Option<Self> {
        let map = document.as_object()?;
        let version = map.get("apiVersion")?.as_str()?;
        let sealed = match map.get("kind")?.as_str()? {
            "Secret" if version == "v1" => false,
            "SealedSecret" if version.starts_with("bitnami.com/") => true,
            _ => return None,
        };
        let parts: Vec<_> = if sealed {
            vec![map.get("spec").and_then(|spec| spec.get("encryptedData"))]
        } else {
            vec![map.get("data"), map.get("stringData")]
        };
        let values = parts.into_iter().flatten().filter_map(Value::as_object).flatten();
        let metadata = |name: &str| map.get("metadata").and_then(|metadata| metadata.get(name)).and_then(Value::as_str);
        Some(Self {
            sealed,
            name: metadata("name"),
            namespace: metadata("namespace"),
            values: values.map(|(name, value)| (name.as_str(), value)).take(MOST_VALUES).collect(),
        })
    }

    /// Says whether a value stands there that nobody encrypted.
    fn is_clear(&self) -> bool {
        let is_value = |value: &Value| value.as_str().is_some_and(|text| !secrecy::is_placeholder(text));
        !self.sealed && self.values.iter().any(|(_, value)| is_value(value))
    }

    fn recognized(&self, bytes: &[u8]) -> Recognized {
        let mut facts = Facts::new();
        facts.set_some("name", self.name.map(|name| bounded(name.as_bytes())));
        facts.set_some("namespace", self.namespace.map(|name| bounded(name.as_bytes())));
        let mut keys: Vec<_> = self.values.iter().map(|(name, _)| bounded(name.as_bytes())).collect();
        keys.sort();
        facts.set("keys", keys);
        let mut found = Recognized::key(if self.sealed { "sealed-secret" } else { "k8s-secret" }, facts);
        if !self.is_clear() {
            return found;
        }
        found.secret = true;
        let line = self.values.first().and_then(|(name, _)| line_of_key(bytes, name));
        found.observe("k8s-secret-manifest", line, "values of a Kubernetes secret stand here in clear")
    }
}

/// Returns the line on which a key stands, after the word that opens the data.
fn line_of_key(bytes: &[u8], name: &str) -> Option<u32> {
    let opens = |line: &[u8]| {
        [&b"data:"[..], b"stringData:", b"\"data\"", b"\"stringData\""].iter().any(|word| line.starts_with(word))
    };
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).zip(1_u32..);
    let mut after = lines.skip_while(|(line, _)| !opens(line));
    let is_key = |line: &[u8]| memchr::memmem::find(line, name.as_bytes()).is_some();
    let (first, number) = after.next()?;
    if is_key(first) { Some(number) } else { after.find(|(line, _)| is_key(line)).map(|(_, number)| number) }
}

fn sops_file(document: &Map<String, Value>, bytes: &[u8]) -> Option<Recognized> {
    let sops = document.get("sops")?.as_object()?;
    sops.get("mac")?;
    let mut facts = Facts::new();
    let mut recipients = BTreeSet::new();
    recipients_of(sops, &mut recipients, 0);
    facts.set("recipients", recipients.into_iter().take(MOST_VALUES).collect::<Vec<_>>());
    for name in ["version", "lastmodified"] {
        facts.set_some(name, sops.get(name).and_then(Value::as_str).map(|text| bounded(text.as_bytes())));
    }
    let mut paths = Paths::default();
    for (name, value) in document.iter().filter(|(name, _)| *name != "sops") {
        paths.walk(name, value, secrecy::judge(name), 0);
    }
    paths.encrypted.sort();
    paths.plain.sort();
    facts.set("encrypted_keys", paths.encrypted);
    facts.set("plain_keys", paths.plain);
    let mut found = Recognized::key("sops-file", facts);
    if let Some(name) = paths.clear {
        found.secret = true;
        let last = name.rsplit('.').next().unwrap_or_default();
        let at = memchr::memmem::find(bytes, last.as_bytes()).and_then(|at| bytes.get(..at));
        let line = at.and_then(|before| u32::try_from(memchr::memchr_iter(b'\n', before).count() + 1).ok());
        found = found.observe("secret-in-clear", line, format!("\"{}\" is not encrypted", bounded(name.as_bytes())));
    }
    Some(found)
}

/// Collects whoever can open the file, whatever the service.
fn recipients_of(group: &Map<String, Value>, recipients: &mut BTreeSet<String>, depth: usize) {
    const SERVICES: [(&str, &str); 6] = [
        ("age", "recipient"),
        ("pgp", "fp"),
        ("kms", "arn"),
        ("gcp_kms", "resource_id"),
        ("azure_kv", "vault_url"),
        ("hc_vault", "vault_address"),
    ];
    for (service, name) in SERVICES {
        let entries = group.get(service).and_then(Value::as_array).into_iter().flatten();
        let named = entries.filter_map(|entry| entry.get(name)?.as_str());
        recipients.extend(named.take(MOST_VALUES).map(|text| bounded(text.as_bytes())));
    }
    let groups = group.get("key_groups").and_then(Value::as_array).filter(|_| depth == 0);
    for group in groups.into_iter().flatten().take(MOST_VALUES).filter_map(Value::as_object) {
        recipients_of(group, recipients, depth + 1);
    }
}

/// The paths of a document's values.
#[derive(Default)]
struct Paths {
    encrypted: Vec<String>,
    plain: Vec<String>,
    /// The first plain value under a name that announces a secret.
    clear: Option<String>,
}

impl Paths {
    fn walk(&mut self, at: &str, value: &Value, named: Named, depth: usize) {
        if self.encrypted.len() + self.plain.len() >= MOST_VALUES || depth > 32 {
            return;
        }
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    self.walk(&format!("{at}.{name}"), value, secrecy::judge(name), depth + 1);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.walk(&format!("{at}[{index}]"), value, named, depth + 1);
                }
            }
            Value::String(text) if text.starts_with("ENC[") => self.encrypted.push(bounded(at.as_bytes())),
            _ => {
                let is_secret = value.as_str().is_some_and(|text| !secrecy::is_placeholder(text));
                if named == Named::Secret && is_secret && self.clear.is_none() {
                    self.clear = Some(at.to_owned());
                }
                self.plain.push(bounded(at.as_bytes()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new("a.yaml"), text.as_bytes())
    }

    #[test]
    fn a_value_that_sops_left_in_clear_is_seen_and_not_told() {
        let text = "password: hunter2\nuser: ENC[AES256,x]\nsops:\n  mac: ENC[x]\n  pgp:\n    - fp: ABC\n";
        let found = found(text).unwrap();
        assert_eq!((found.observations[0].rule, found.observations[0].line), ("secret-in-clear", Some(1)));
        assert!(found.secret && !format!("{found:?}").contains("hunter2"));
        assert_eq!(found.facts.list("recipients"), ["ABC".into()]);
    }

    #[test]
    fn a_secret_among_other_resources_decides() {
        let text = "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  x: hunter2\n";
        let found = found(text).unwrap();
        assert_eq!((found.kind.as_str(), found.observations[0].line), ("k8s-secret", Some(8)));
        assert!(found.secret && !format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn documents_that_mention_secrets_are_left_alone() {
        for text in [
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: Secret\n",
            "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
            "kind: Secret\n",
            "sops: mac\n",
            "apiVersion: v1\nkind: Secret\ndata: {{ .Values }}\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
