//! The components of a manifest as an SPDX 2.3 document (ISO/IEC 5962's line, in JSON).
//!
//! Its bytes follow from subject, manifest and time alone, as those of `CycloneDX` do, and for that reason the tool is
//! named without its version. Never here: certificates and keys, for which SPDX has files with a SHA-1 and nothing
//! else; a supplier, licence or version that nobody declared.

mod relation;

use serde::Serialize;

use super::component::{self, Kind};
use super::graph::gaps;
use super::license::{Declared, declared};
use super::{Subject, document};
use crate::domain::{Component, Digest, Manifest, Sha256Digest, Timestamp};
use relation::{Relationship, relationships};

/// Whatever nobody said.
const NOT_SAID: &str = "NOASSERTION";

/// The document's own id.
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

/// What the product itself is called inside the document.
const ROOT: &str = "SPDXRef-Product";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    #[serde(rename = "documentNamespace")]
    namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    creation_info: CreationInfo,
    packages: Vec<Package<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<OwnLicense>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: [&'static str; 1],
    comment: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    name: String,
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<&'a str>,
    supplier: String,
    download_location: &'static str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum<'a>>,
    license_concluded: &'static str,
    license_declared: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_comments: Option<String>,
    copyright_text: &'static str,
    primary_package_purpose: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef>,
    /// Until when it is supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum<'a> {
    algorithm: String,
    checksum_value: &'a str,
}

#[derive(Serialize)]
struct ExternalRef {
    #[serde(rename = "referenceCategory")]
    category: &'static str,
    #[serde(rename = "referenceType")]
    kind: &'static str,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnLicense {
    license_id: String,
    extracted_text: String,
    name: String,
}

/// Returns the document, which ends with a line feed. `time` is that of the release or of the commit: the format
/// cannot do without one.
#[must_use]
pub fn spdx(subject: &Subject<'_>, manifest: &Manifest, manifest_digest: &Digest, time: Timestamp) -> Vec<u8> {
    let licenses: Vec<Declared> = manifest.components.iter().map(|component| declared(&component.licenses)).collect();
    let mut own: Vec<(&String, &String)> = licenses.iter().flat_map(|declared| &declared.own).collect();
    own.sort();
    own.dedup_by_key(|(name, _)| *name);
    let own = own.into_iter().map(|(id, text)| OwnLicense {
        license_id: id.clone(),
        extracted_text: text.clone(),
        name: text.clone(),
    });
    let packages = manifest.components.iter().zip(&licenses).map(|(component, license)| package(component, license));
    let gaps = gaps(manifest);
    let text = format!("git-baseline spdx\0{manifest_digest}\0{}\0{}\0{time}", subject.name, subject.version);
    document::pretty(&Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: document::title(subject),
        namespace: format!("https://spdx.org/spdxdocs/git-baseline-{}", document::uuid(&text)),
        comment: document::lines(gaps.iter().map(|gap| ("gap", gap.as_str()))),
        creation_info: CreationInfo {
            created: time.to_string(),
            creators: ["Tool: git-baseline"],
            comment: "Read from lock and manifest files of the source, before any build",
        },
        packages: std::iter::once(product(subject, manifest, manifest_digest)).chain(packages).collect(),
        has_extracted_licensing_infos: own.collect(),
        relationships: relationships(manifest),
    })
}

fn product<'a>(subject: &Subject<'a>, manifest: &Manifest, manifest_digest: &Digest) -> Package<'a> {
    let origin = document::origin(subject, manifest, manifest_digest);
    Package {
        name: document::name(subject).to_owned(),
        id: ROOT.to_owned(),
        version_info: Some(subject.version).filter(|version| !version.is_empty()),
        supplier: NOT_SAID.to_owned(),
        download_location: NOT_SAID,
        files_analyzed: false,
        checksums: Vec::new(),
        license_concluded: NOT_SAID,
        license_declared: NOT_SAID.to_owned(),
        license_comments: None,
        copyright_text: NOT_SAID,
        primary_package_purpose: "APPLICATION",
        external_refs: subject
            .commit
            .map(|commit| external("PERSISTENT-ID", "gitoid", document::gitoid(commit)))
            .into_iter()
            .collect(),
        valid_until_date: None,
        source_info: None,
        comment: document::lines(origin.iter().map(|(name, value)| (*name, value.as_str()))),
    }
}

fn package<'a>(component: &'a Component, license: &Declared) -> Package<'a> {
    let checksum =
        |(alg, digits): (&str, &'a str)| Checksum { algorithm: alg.replace('-', ""), checksum_value: digits };
    let mut remarks = component::remarks(component);
    remarks.extend(component::hash_remarks(component));
    Package {
        name: component.name.clone(),
        id: id(component),
        version_info: component.version.as_deref(),
        supplier: component.supplier.as_deref().map_or_else(|| NOT_SAID.to_owned(), supplier),
        download_location: NOT_SAID,
        files_analyzed: false,
        checksums: component::checksums(component).into_iter().map(checksum).collect(),
        license_concluded: NOT_SAID,
        license_declared: license.expression.clone().unwrap_or_else(|| NOT_SAID.to_owned()),
        license_comments: license.comment.clone(),
        copyright_text: NOT_SAID,
        primary_package_purpose: match component::kind(component) {
            Kind::Library => "LIBRARY",
            Kind::Container => "CONTAINER",
        },
        external_refs: vec![external("PACKAGE-MANAGER", "purl", component.purl.clone())],
        valid_until_date: component
            .overlay
            .as_ref()
            .and_then(|stated| stated.end_of_support)
            .map(|end| end.to_string()),
        source_info: document::places(component),
        comment: document::lines(remarks.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
    }
}

/// Nobody declares whether a supplier is a person; the format wants to know, and most are not.
fn supplier(name: &str) -> String {
    let name = document::one_line(name.trim());
    if ["Organization: ", "Person: "].iter().any(|kind| name.starts_with(kind)) {
        return name;
    }
    format!("Organization: {name}")
}

/// An id of letters, digits, `.` and `-`: the name for people, and so much of a digest that no two purls meet.
fn id(component: &Component) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = component.name.chars().take(40).map(plain).collect();
    let digest = Sha256Digest::of(component.purl.as_bytes()).to_string();
    format!("SPDXRef-Package-{name}-{}", digest.get(..24).unwrap_or_default())
}

fn external(category: &'static str, kind: &'static str, locator: String) -> ExternalRef {
    ExternalRef { category, kind, locator }
}

#[cfg(test)]
mod tests;
