//! The manifest as a `CycloneDX` document: components, certificates and keys, and what is not known of them.
//!
//! Its bytes follow from subject, manifest and time alone. Never here: vulnerabilities, which change while a release
//! does not; a key's value; a supplier, licence or version that nobody declared. Serves the minimum elements of NTIA.

mod asset;
mod edges;
mod license;

use std::collections::BTreeSet;

use serde::Serialize;

use super::component::{self, Kind};
use super::graph::gaps;
use super::{Subject, document};
use crate::domain::{Component, ConfigurationItem, Digest, DigestSet, ItemClass, Manifest, Scope, Timestamp};
use asset::CryptoProperties;
use edges::{Composition, Dependency, compositions, dependencies};
use license::LicenseChoice;

/// What the product itself is called inside the document.
const ROOT: &str = "git-baseline:product";

/// The version of the specification that a document keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycloneDxVersion {
    /// 1.6, which is what a release stores.
    V1_6,
    /// 1.7, which has more to say of certificates.
    V1_7,
}

impl CycloneDxVersion {
    const fn schema(self) -> &'static str {
        match self {
            Self::V1_6 => "http://cyclonedx.org/schema/bom-1.6.schema.json",
            Self::V1_7 => "http://cyclonedx.org/schema/bom-1.7.schema.json",
        }
    }

    const fn number(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Entry<'a>>,
    dependencies: Vec<Dependency<'a>>,
    compositions: Vec<Composition<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    lifecycles: [Lifecycle; 1],
    tools: Tools,
    component: Entry<'a>,
}

/// Lock files tell what will be built, not what was.
#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools {
    components: [Tool; 1],
}

/// Without a version: another version of the program must give the same bytes.
#[derive(Serialize)]
struct Tool {
    r#type: &'static str,
    name: &'static str,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Supplier<'a>>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crypto_properties: Option<CryptoProperties>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Supplier<'a> {
    name: &'a str,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

/// Returns the document, which ends with a line feed. `time` is the release's; without one there is no timestamp.
#[must_use]
pub fn cyclonedx(
    version: CycloneDxVersion,
    subject: &Subject<'_>,
    manifest: &Manifest,
    manifest_digest: &Digest,
    time: Option<Timestamp>,
) -> Vec<u8> {
    let components = &manifest.components;
    let assets: Vec<Entry<'_>> =
        manifest.items.iter().filter(|item| is_asset(item)).map(|item| asset_of(version, item)).collect();
    let asset_refs: Vec<(String, Vec<String>)> = assets.iter().map(refs).collect();
    let document = Document {
        schema: version.schema(),
        bom_format: "CycloneDX",
        spec_version: version.number(),
        serial_number: serial_number(subject, manifest_digest),
        version: 1,
        metadata: Metadata {
            timestamp: time.map(|time| time.to_string()),
            lifecycles: [Lifecycle { phase: "pre-build" }],
            tools: Tools { components: [Tool { r#type: "application", name: "git-baseline" }] },
            component: product(subject, manifest, manifest_digest),
        },
        components: components.iter().map(library).chain(assets).collect(),
        dependencies: dependencies(components, &asset_refs),
        compositions: compositions(manifest),
        properties: gaps(manifest).into_iter().map(|gap| property("gap", gap)).collect(),
    };
    document::pretty(&document)
}

fn serial_number(subject: &Subject<'_>, manifest_digest: &Digest) -> String {
    let text = format!("git-baseline cyclonedx\0{manifest_digest}\0{}\0{}", subject.name, subject.version);
    format!("urn:uuid:{}", document::uuid(&text))
}

fn product<'a>(subject: &Subject<'a>, manifest: &Manifest, manifest_digest: &Digest) -> Entry<'a> {
    let origin = document::origin(subject, manifest, manifest_digest);
    let properties = origin.into_iter().map(|(name, value)| property(name, value)).collect();
    Entry {
        r#type: "application",
        bom_ref: ROOT.to_owned(),
        name: subject.name.to_owned(),
        version: Some(subject.version).filter(|version| !version.is_empty()),
        properties,
        ..Entry::default()
    }
}

fn property(name: &str, value: impl std::fmt::Display) -> Property {
    Property { name: format!("git-baseline:{name}"), value: value.to_string() }
}

fn library(component: &Component) -> Entry<'_> {
    let hashes: BTreeSet<Hash> = component::checksums(component)
        .into_iter()
        .map(|(alg, content)| Hash { alg: alg.to_owned(), content: content.to_owned() })
        .collect();
    let places = component.found_in.iter().map(|path| ("found-in".to_owned(), path.to_string()));
    let told = component::remarks(component).into_iter().chain(places).chain(component::hash_remarks(component));
    let properties = told.map(|(name, value)| property(&name, value)).collect();
    Entry {
        r#type: match component::kind(component) {
            Kind::Library => "library",
            Kind::Container => "container",
        },
        bom_ref: component.purl.clone(),
        supplier: component.supplier.as_deref().map(|name| Supplier { name }),
        name: component.name.clone(),
        version: component.version.as_deref(),
        scope: Some(match component.scope {
            Scope::Runtime => "required",
            Scope::Optional => "optional",
            Scope::Dev | Scope::Test | Scope::Build => "excluded",
        }),
        hashes: hashes.into_iter().collect(),
        licenses: license::choice(&component.licenses),
        purl: Some(&component.purl),
        properties,
        ..Entry::default()
    }
}

fn is_asset(item: &ConfigurationItem) -> bool {
    matches!(item.class, ItemClass::Certificate | ItemClass::Key)
}

/// An item that holds one thing is that thing; one that holds several is a file with things inside.
fn asset_of(version: CycloneDxVersion, item: &ConfigurationItem) -> Entry<'_> {
    let bom_ref = format!("git-baseline:item:{}", item.path);
    let hashes = item.digest.as_ref().map(hashes_of).unwrap_or_default();
    let mut entry = Entry { bom_ref, name: item.path.to_string(), hashes, ..Entry::default() };
    entry.properties.push(property("kind", &item.kind));
    entry.properties.extend(item.owner.as_ref().map(|owner| property("owner", owner)));
    let parts = asset::parts(item);
    if parts.is_empty() {
        entry.r#type = "cryptographic-asset";
        entry.crypto_properties = Some(asset::properties(version, item.class, &item.kind, &item.facts));
        entry.properties.extend(asset::facts(&item.facts).map(|(name, value)| property(&name, value)));
        return entry;
    }
    entry.r#type = "file";
    for (number, (class, kind, facts)) in parts.into_iter().enumerate() {
        entry.components.push(Entry {
            r#type: "cryptographic-asset",
            bom_ref: format!("git-baseline:part:{}:{}", number + 1, item.path),
            name: format!("{} #{}", entry.name, number + 1),
            crypto_properties: Some(asset::properties(version, class, kind, facts)),
            properties: asset::facts(facts).map(|(name, value)| property(&name, value)).collect(),
            ..Entry::default()
        });
    }
    entry
}

fn hashes_of(digests: &DigestSet) -> Vec<Hash> {
    let hash = |alg: &str, content: String| Hash { alg: alg.to_owned(), content };
    vec![hash("BLAKE3", digests.blake3.to_string()), hash("SHA-256", digests.sha256.to_string())]
}

fn refs(entry: &Entry<'_>) -> (String, Vec<String>) {
    (entry.bom_ref.clone(), entry.components.iter().map(|part| part.bom_ref.clone()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::domain::{ComponentHash, Fact, Facts, Mode, ObjectId, RepoPath};
    use crate::export::testing::{component, manifest_with as manifest, time, with_subject};

    fn item(path: &str, class: ItemClass, kind: &str, facts: Facts) -> ConfigurationItem {
        ConfigurationItem {
            kind: kind.to_owned(),
            mode: Mode::FILE,
            path: RepoPath::from(path),
            size: 1,
            class,
            facts,
            owner: None,
            digest: Some(DigestSet::of(b"x")),
            git_id: ObjectId::Sha1([0; 20]),
            declared: false,
        }
    }

    fn bytes(manifest: &Manifest, version: &str) -> Vec<u8> {
        with_subject(version, |subject| {
            cyclonedx(CycloneDxVersion::V1_6, subject, manifest, &Digest::of(b"manifest"), Some(time()))
        })
    }

    fn document(manifest: &Manifest) -> Value {
        serde_json::from_slice(&bytes(manifest, "1.0")).unwrap()
    }

    #[test]
    fn the_same_manifest_gives_the_same_bytes_and_serial_number() {
        let one = manifest(vec![component("a", &[])], Vec::new());
        assert_eq!(bytes(&one, "1.0"), bytes(&one.clone(), "1.0"));
        let serial = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap()["serialNumber"].to_string();
        let first = serial(bytes(&one, "1.0"));
        assert_ne!(first, serial(bytes(&one, "1.1")));
        let uuid = first.trim_matches('"').strip_prefix("urn:uuid:").unwrap();
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'8', "version 8");
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "the variant of RFC 9562");
    }

    #[test]
    fn everything_is_reached_from_the_root_even_a_circle_and_nothing_dangles() {
        let mut direct = component("direct", &["b"]);
        direct.direct = Some(true);
        let components = vec![
            component("b", &["gone"]),
            component("circle1", &["circle2"]),
            component("circle2", &["circle1"]),
            direct,
            component("lonely", &[]),
        ];
        let key = item("a.key", ItemClass::Key, "private-key-pem", Facts::new());
        let document = document(&manifest(components, vec![key]));
        let edges: BTreeMap<&str, Vec<&str>> = document["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| {
                let needs = edge["dependsOn"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                (edge["ref"].as_str().unwrap(), needs)
            })
            .collect();
        assert_eq!(
            edges[ROOT],
            ["git-baseline:item:a.key", "pkg:cargo/circle1@1.0.0", "pkg:cargo/direct@1.0.0", "pkg:cargo/lonely@1.0.0"]
        );
        assert!(edges["pkg:cargo/b@1.0.0"].is_empty());
        assert_eq!(edges.len(), 7);
    }

    #[test]
    fn only_hashes_that_the_format_knows_stand_among_its_hashes() {
        let mut go = component("a", &[]);
        let hash = |alg: &str, value: &str| ComponentHash {
            alg: alg.to_owned(),
            value: value.to_owned(),
            origin: RepoPath::from("go.sum"),
        };
        go.hashes = vec![hash("SHA-1", &"0".repeat(40)), hash("h1", "AAAA=")];
        (go.version, go.scope) = (None, Scope::Build);
        let document = document(&manifest(vec![go], Vec::new()));
        let entry = &document["components"][0];
        assert_eq!(entry["hashes"].as_array().unwrap().len(), 1);
        assert!(entry.get("version").is_none(), "a version is never invented");
        assert_eq!(entry["scope"], "excluded");
        let properties = entry["properties"].to_string();
        assert!(properties.contains(r#"{"name":"git-baseline:hash:h1","value":"AAAA="}"#), "{properties}");
        assert!(properties.contains(r#"{"name":"git-baseline:scope","value":"build"}"#), "{properties}");
    }

    #[test]
    fn assets_are_told_by_facts_and_never_by_value() {
        let mut facts = Facts::new();
        facts.set("subject", "CN=a");
        facts.set("not_after", "2027-01-01T00:00:00Z");
        facts.set("value", "hunter2");
        let mut both = Facts::new();
        both.set("certificates", Fact::List(vec![Fact::Map(facts.clone())]));
        both.set("private_key", Fact::Map(facts.clone()));
        let document = document(&manifest(
            Vec::new(),
            vec![
                item("a.pem", ItemClass::Certificate, "x509-certificate", facts),
                item("b.pem", ItemClass::Key, "private-key-pem", both),
                item("c.txt", ItemClass::Policy, "policy", Facts::new()),
            ],
        ));
        let [certificate, file] = document["components"].as_array().unwrap().as_slice() else { panic!("{document}") };
        assert_eq!(certificate["cryptoProperties"]["certificateProperties"]["notValidAfter"], "2027-01-01T00:00:00Z");
        assert_eq!(certificate["hashes"][0]["alg"], "BLAKE3");
        assert_eq!(file["type"], "file");
        let key = &file["components"][1]["cryptoProperties"]["relatedCryptoMaterialProperties"];
        assert_eq!(key["type"], "private-key");
        assert!(!document.to_string().contains("hunter2"));
    }

    #[test]
    fn completeness_is_claimed_only_where_every_file_was_read() {
        let whole = manifest(vec![component("a", &[])], Vec::new());
        assert_eq!(document(&whole)["compositions"][0]["aggregate"], "complete");
        let mut gap = whole.clone();
        gap.coverage[0].gaps.push("a: a range".to_owned());
        let document_with_gap = document(&gap);
        assert_eq!(document_with_gap["compositions"][0]["aggregate"], "incomplete");
        assert_eq!(document_with_gap["properties"][0]["value"], "Cargo.lock: parsed: a: a range");
        let mut submodule = whole.clone();
        submodule.source_tree.gitlinks = 1;
        assert_eq!(document(&submodule)["compositions"][0]["aggregate"], "incomplete");
        let mut nothing = whole;
        nothing.coverage.clear();
        assert_eq!(document(&nothing)["compositions"][0]["aggregate"], "unknown");
    }
}
