//! The one shape of an element: its type, and those of its fields that the type has.
//!
//! Never here: which type has which field, which the documents' validators know.

use serde::Serialize;

/// The node that says who made the document and when; every element points to it.
pub(super) const CREATION: &str = "_:creation";

/// One node of the graph.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element {
    pub(super) r#type: &'static str,
    #[serde(rename = "spdxId", skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
    #[serde(rename = "@id", skip_serializing_if = "Option::is_none")]
    pub(super) local_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) creation_info: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spec_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) created_by: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) created_using: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) external_identifier: Vec<Identifier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) verified_using: Vec<Sum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supplied_by: Option<String>,
    #[serde(rename = "software_packageVersion", skip_serializing_if = "Option::is_none")]
    pub(super) package_version: Option<String>,
    #[serde(rename = "software_packageUrl", skip_serializing_if = "Option::is_none")]
    pub(super) package_url: Option<String>,
    #[serde(rename = "software_primaryPurpose", skip_serializing_if = "Option::is_none")]
    pub(super) primary_purpose: Option<&'static str>,
    #[serde(rename = "software_sourceInfo", skip_serializing_if = "Option::is_none")]
    pub(super) source_info: Option<String>,
    #[serde(rename = "software_sbomType", skip_serializing_if = "Vec::is_empty")]
    pub(super) sbom_type: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) profile_conformance: Vec<&'static str>,
    #[serde(rename = "rootElement", skip_serializing_if = "Vec::is_empty")]
    pub(super) roots: Vec<String>,
    #[serde(rename = "element", skip_serializing_if = "Vec::is_empty")]
    pub(super) members: Vec<String>,
    #[serde(rename = "simplelicensing_licenseExpression", skip_serializing_if = "Option::is_none")]
    pub(super) license_expression: Option<String>,
    #[serde(rename = "simplelicensing_customIdToUri", skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_id_to_uri: Vec<Entry>,
    #[serde(rename = "simplelicensing_licenseText", skip_serializing_if = "Option::is_none")]
    pub(super) license_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) relationship_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completeness: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) to: Vec<String>,
}

/// Returns an element with nothing but a type and a name.
pub(super) fn by_type(r#type: &'static str, id: String) -> Element {
    Element { r#type, id, creation_info: Some(CREATION), ..Element::default() }
}

/// `Hash`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sum {
    r#type: &'static str,
    algorithm: String,
    hash_value: String,
}

impl Sum {
    pub(super) fn of(algorithm: String, digits: &str) -> Self {
        Self { r#type: "Hash", algorithm, hash_value: digits.to_owned() }
    }
}

/// `ExternalIdentifier`.
#[derive(Serialize)]
pub(super) struct Identifier {
    r#type: &'static str,
    #[serde(rename = "externalIdentifierType")]
    kind: &'static str,
    #[serde(rename = "identifier")]
    text: String,
}

impl Identifier {
    pub(super) fn gitoid(text: String) -> Self {
        Self { r#type: "ExternalIdentifier", kind: "gitoid", text }
    }
}

/// `DictionaryEntry`.
#[derive(Serialize)]
pub(super) struct Entry {
    r#type: &'static str,
    key: String,
    value: String,
}

impl Entry {
    pub(super) fn of(key: String, value: String) -> Self {
        Self { r#type: "DictionaryEntry", key, value }
    }
}
