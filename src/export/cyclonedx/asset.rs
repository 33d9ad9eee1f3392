//! Certificates and keys as `CycloneDX`'s cryptographic assets, made of facts only.
//!
//! Never here: a value. The format has a field for one, and no type of this file can hold it.

use serde::Serialize;

use super::CycloneDxVersion;
use crate::domain::{ConfigurationItem, Fact, Facts, ItemClass, Timestamp};

/// `cryptoProperties`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CryptoProperties {
    asset_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_properties: Option<CertificateProperties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related_crypto_material_properties: Option<MaterialProperties>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_valid_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_valid_after: Option<String>,
    certificate_format: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MaterialProperties {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
}

/// The facts that identify an asset without giving it away.
const TOLD: [&str; 13] = [
    "algorithm",
    "curve",
    "encrypted",
    "fingerprint",
    "fingerprint_sha256",
    "is_ca",
    "key_algorithm",
    "key_bits",
    "serial",
    "signature_algorithm",
    "spki_sha256",
    "subject",
    "type",
];

/// What a fact of a combined item holds: its name, and class and kind of each of its maps.
const PARTS: [(&str, ItemClass, &str); 5] = [
    ("certificates", ItemClass::Certificate, "x509-certificate"),
    ("private_key", ItemClass::Key, "private-key"),
    ("private_keys", ItemClass::Key, "private-key"),
    ("public_keys", ItemClass::Key, "public-key"),
    ("keys", ItemClass::Key, ""),
];

/// Returns the things inside an item that holds several, in their order; nothing for an item that is one thing.
pub(super) fn parts(item: &ConfigurationItem) -> Vec<(ItemClass, &str, &Facts)> {
    let mut parts = Vec::new();
    for (name, class, kind) in PARTS {
        let kind = if kind.is_empty() { item.kind.as_str() } else { kind };
        let single = item.facts.find(name).filter(|fact| matches!(fact, Fact::Map(_)));
        for fact in single.into_iter().chain(item.facts.list(name)) {
            if let Fact::Map(facts) = fact {
                parts.push((class, kind, facts));
            }
        }
    }
    parts
}

/// Returns what `CycloneDX` has fields for.
pub(super) fn properties(version: CycloneDxVersion, class: ItemClass, kind: &str, facts: &Facts) -> CryptoProperties {
    let text = |name: &str| facts.text(name).map(str::to_owned);
    let ssh = kind.starts_with("openssh");
    let certificate = CertificateProperties {
        serial_number: text("serial").filter(|_| version == CycloneDxVersion::V1_7),
        subject_name: text("subject").or_else(|| text("key_id")),
        issuer_name: text("issuer").or_else(|| text("signing_ca")),
        not_valid_before: moment(facts, "not_before"),
        not_valid_after: moment(facts, "not_after"),
        certificate_format: if ssh { "OpenSSH" } else { "X.509" },
    };
    // Requests and revocation lists are of the class of certificates and are none.
    if class == ItemClass::Certificate && kind.contains("certificate") || kind == "openssh-certificate" {
        return CryptoProperties {
            asset_type: "certificate",
            certificate_properties: Some(certificate),
            related_crypto_material_properties: None,
        };
    }
    let material = MaterialProperties {
        r#type: material(kind),
        id: text("spki_sha256").or_else(|| text("fingerprint")),
        expiration_date: moment(facts, "not_after"),
        size: facts.number("bits").or_else(|| facts.number("key_bits")).filter(|bits| *bits > 0),
        format: format(kind),
    };
    CryptoProperties {
        asset_type: "related-crypto-material",
        certificate_properties: None,
        related_crypto_material_properties: Some(material),
    }
}

/// Returns the other facts that may be told, by the names that they have as properties.
pub(super) fn facts(facts: &Facts) -> impl Iterator<Item = (String, &Fact)> {
    TOLD.iter().filter_map(|name| {
        let fact = facts.find(name)?;
        matches!(fact, Fact::Flag(_) | Fact::Number(_) | Fact::Text(_))
            .then(|| (format!("fact:{}", name.replace('_', "-")), fact))
    })
}

fn material(kind: &str) -> &'static str {
    if kind.contains("public-key") {
        return "public-key";
    }
    if ["private-key", "secret-key", "identity"].iter().any(|word| kind.contains(word)) {
        return "private-key";
    }
    if kind.contains("tsig") { "secret-key" } else { "other" }
}

fn format(kind: &str) -> Option<&'static str> {
    let formats =
        [("-pem", "PEM"), ("-der", "DER"), ("openssh-", "OpenSSH"), ("putty-", "PuTTY"), ("pkcs12-", "PKCS#12")];
    formats.iter().find(|(word, _)| kind.contains(word)).map(|(_, format)| *format)
}

fn moment(facts: &Facts, name: &str) -> Option<String> {
    let time = match facts.find(name)? {
        Fact::Text(text) => Timestamp::parse(text)?,
        Fact::Number(seconds) => Timestamp::from_seconds(*seconds),
        _ => return None,
    };
    Some(time.to_string())
}
