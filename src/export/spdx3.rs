//! The components of a manifest as an SPDX 3.0.1 document (JSON-LD, one graph).
//!
//! Its bytes follow from subject, manifest and time alone. Never here: certificates and keys, for which the profiles
//! `core`, `software` and `simpleLicensing` have no classes; a supplier, licence or version that nobody declared.

mod element;
mod relation;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::component::{self, Kind};
use super::graph::gaps;
use super::license::declared;
use super::{Subject, document};
use crate::domain::{Component, Digest, Manifest, Sha256Digest, Timestamp};
use element::{CREATION, Element, Entry, Identifier, Sum, by_type};

/// Names of the elements of one document: all begin with the document's own name space.
struct Names {
    space: String,
}

impl Names {
    fn of(&self, name: &str) -> String {
        format!("{}#{name}", self.space)
    }

    /// An element that belongs to some text: so much of a digest that no two texts meet.
    fn for_text(&self, kind: &str, text: &str) -> String {
        let digest = Sha256Digest::of(text.as_bytes()).to_string();
        format!("{}#{kind}-{}", self.space, digest.get(..24).unwrap_or_default())
    }

    fn product(&self) -> String {
        self.of("product")
    }

    fn component(&self, purl: &str) -> String {
        self.for_text("package", purl)
    }
}

#[derive(Serialize)]
struct Document {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    graph: Vec<Element>,
}

/// Returns the document, which ends with a line feed. `time` is that of the release or of the commit.
#[must_use]
pub fn spdx_3(subject: &Subject<'_>, manifest: &Manifest, manifest_digest: &Digest, time: Timestamp) -> Vec<u8> {
    let text = format!("git-baseline spdx-3\0{manifest_digest}\0{}\0{}\0{time}", subject.name, subject.version);
    let names = Names { space: format!("https://spdx.org/spdxdocs/git-baseline-{}", document::uuid(&text)) };
    let mut elements = vec![product(&names, subject, manifest, manifest_digest)];
    elements.push(named(&names, "SoftwareAgent", "agent", "git-baseline"));
    elements.push(named(&names, "Tool", "tool", "git-baseline"));
    elements.extend(suppliers(&names, &manifest.components));
    elements.extend(manifest.components.iter().map(|component| package(&names, component)));
    elements.extend(licenses(&names, &manifest.components));
    elements.extend(relation::needs(&names, manifest));
    elements.extend(relation::licenses(&names, &manifest.components));
    let gaps = gaps(manifest);
    let bill = Element {
        roots: vec![names.product()],
        sbom_type: vec!["source"],
        members: elements.iter().map(|element| element.id.clone()).collect(),
        comment: document::lines(gaps.iter().map(|gap| ("gap", gap.as_str()))),
        ..by_type("software_Sbom", names.of("bill"))
    };
    let whole = Element {
        name: Some(document::title(subject)),
        roots: vec![bill.id.clone()],
        profile_conformance: vec!["core", "software", "simpleLicensing"],
        ..by_type("SpdxDocument", names.of("document"))
    };
    let creation = Element {
        local_id: Some(CREATION),
        spec_version: Some("3.0.1"),
        created: Some(time.to_string()),
        created_by: vec![names.of("agent")],
        created_using: vec![names.of("tool")],
        creation_info: None,
        ..by_type("CreationInfo", String::new())
    };
    document::pretty(&Document {
        context: "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        graph: [creation, whole, bill].into_iter().chain(elements).collect(),
    })
}

fn named(names: &Names, r#type: &'static str, id: &str, name: &str) -> Element {
    Element { name: Some(name.to_owned()), ..by_type(r#type, names.of(id)) }
}

fn product(names: &Names, subject: &Subject<'_>, manifest: &Manifest, manifest_digest: &Digest) -> Element {
    let origin = document::origin(subject, manifest, manifest_digest);
    Element {
        name: Some(document::name(subject).to_owned()),
        package_version: Some(subject.version.to_owned()).filter(|version| !version.is_empty()),
        primary_purpose: Some("application"),
        external_identifier: subject
            .commit
            .map(|commit| Identifier::gitoid(document::gitoid(commit)))
            .into_iter()
            .collect(),
        comment: document::lines(origin.iter().map(|(name, value)| (*name, value.as_str()))),
        ..by_type("software_Package", names.product())
    }
}

fn package(names: &Names, component: &Component) -> Element {
    let sum = |(alg, digits): (&str, &str)| Sum::of(alg.replace('-', "").to_ascii_lowercase(), digits);
    let mut remarks = component::remarks(component);
    remarks.extend(component::hash_remarks(component));
    let license = declared(&component.licenses).comment;
    remarks.extend(license.map(|comment| ("license".to_owned(), comment)));
    Element {
        name: Some(component.name.clone()),
        package_version: component.version.clone(),
        package_url: Some(component.purl.clone()),
        primary_purpose: Some(match component::kind(component) {
            Kind::Library => "library",
            Kind::Container => "container",
        }),
        supplied_by: component.supplier.as_deref().map(|name| names.for_text("supplier", name)),
        verified_using: component::checksums(component).into_iter().map(sum).collect(),
        source_info: document::places(component),
        comment: document::lines(remarks.iter().map(|(name, value)| (name.as_str(), value.as_str()))),
        ..by_type("software_Package", names.component(&component.purl))
    }
}

/// Nobody declares whether a supplier is a person or an organisation: he is an agent.
fn suppliers(names: &Names, components: &[Component]) -> Vec<Element> {
    let suppliers: BTreeSet<&str> = components.iter().filter_map(|component| component.supplier.as_deref()).collect();
    let agent = |name: &str| Element {
        name: Some(document::one_line(name)),
        ..by_type("Agent", names.for_text("supplier", name))
    };
    suppliers.into_iter().map(agent).collect()
}

/// Returns one element for each expression, and one for each text that is no expression of SPDX's own licences.
fn licenses(names: &Names, components: &[Component]) -> Vec<Element> {
    let mut expressions = BTreeMap::new();
    let mut texts = BTreeMap::new();
    for declared in components.iter().map(|component| declared(&component.licenses)) {
        let Some(expression) = declared.expression else { continue };
        texts.extend(declared.own.clone());
        expressions.insert(expression, declared.own.into_keys().collect::<Vec<_>>());
    }
    let text = |(own, text): (String, String)| Element {
        name: Some(own.clone()),
        license_text: Some(text),
        ..by_type("simplelicensing_SimpleLicensingText", names.for_text("license-text", &own))
    };
    let expression = |(expression, own): (String, Vec<String>)| {
        let uri = |own: String| Entry::of(own.clone(), names.for_text("license-text", &own));
        Element {
            id: names.for_text("license", &expression),
            license_expression: Some(expression),
            custom_id_to_uri: own.into_iter().map(uri).collect(),
            ..by_type("simplelicensing_LicenseExpression", String::new())
        }
    };
    texts.into_iter().map(text).chain(expressions.into_iter().map(expression)).collect()
}

#[cfg(test)]
mod tests;
