//! SPDX 2 documents, in JSON and as tags with values, as lists of packages.
//!
//! What a document describes is its subject, where it is one package among others. Never here: files and snippets;
//! SPDX 3, which is another model.

use serde::Deserialize;
use serde_json::Value;

use super::bills::{Bill, Entry};
use super::tree::File;

const DOCUMENT: &str = "SPDXRef-DOCUMENT";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: Option<String>,
    #[serde(rename = "@context")]
    context: Option<Value>,
    #[serde(default)]
    packages: Vec<Package>,
    #[serde(default)]
    relationships: Vec<Relationship>,
    #[serde(rename = "documentDescribes", default)]
    described: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID", default)]
    id: String,
    #[serde(default)]
    name: String,
    version_info: Option<String>,
    license_declared: Option<String>,
    supplier: Option<String>,
    #[serde(default)]
    checksums: Vec<Checksum>,
    #[serde(default)]
    external_refs: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: String,
    checksum_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_type: String,
    reference_locator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    #[serde(rename = "relationshipType")]
    kind: String,
    related_spdx_element: String,
}

/// Reads a document; nothing where it is JSON of another kind.
///
/// # Errors
/// Where it is not JSON, not of the format's shape, or of SPDX 3.
pub(super) fn json(file: File<'_>) -> Result<Option<Bill>, String> {
    let document: Document = file.json()?;
    if !document.spdx_version.as_deref().is_some_and(|version| version.starts_with("SPDX-2")) {
        let is_newer = document.context.is_some_and(|context| context.to_string().contains("spdx.org/rdf/3"));
        return if is_newer { Err("SPDX 3 is another model, and not read".to_owned()) } else { Ok(None) };
    }
    let mut links = Links { described: document.described, needs: Vec::new() };
    for one in document.relationships {
        links.take(one.spdx_element_id, &one.kind, one.related_spdx_element);
    }
    Ok(Some(links.bill(document.packages.into_iter().map(entry).collect())))
}

fn entry(package: Package) -> Entry {
    let purl = package.external_refs.into_iter().find(|reference| reference.reference_type == "purl");
    Entry {
        key: package.id,
        group: None,
        name: package.name,
        version: package.version_info.and_then(asserted),
        purl: purl.map(|reference| reference.reference_locator),
        hashes: package.checksums.into_iter().map(|sum| (sum.algorithm, sum.checksum_value)).collect(),
        licenses: package.license_declared.and_then(asserted).into_iter().collect(),
        supplier: package.supplier.and_then(supplier),
        scope: None,
    }
}

fn asserted(text: String) -> Option<String> {
    Some(text).filter(|text| !["NOASSERTION", "NONE", ""].contains(&text.as_str()))
}

/// `Organization: name`, or `Person: name`.
fn supplier(text: String) -> Option<String> {
    let text = asserted(text)?;
    Some(text.split_once(": ").map_or(text.as_str(), |(_, name)| name).trim().to_owned())
}

/// What the relationships say.
#[derive(Default)]
struct Links {
    described: Vec<String>,
    needs: Vec<(String, Vec<String>)>,
}

impl Links {
    fn take(&mut self, from: String, kind: &str, to: String) {
        match kind {
            "DESCRIBES" if from == DOCUMENT => self.described.push(to),
            "DESCRIBED_BY" if to == DOCUMENT => self.described.push(from),
            "DEPENDS_ON" | "CONTAINS" => self.needs.push((from, vec![to])),
            kind if kind == "CONTAINED_BY" || kind.ends_with("DEPENDENCY_OF") => self.needs.push((to, vec![from])),
            _ => {}
        }
    }

    fn bill(mut self, entries: Vec<Entry>) -> Bill {
        self.described.sort();
        self.described.dedup();
        let root = match self.described.as_slice() {
            [one] if entries.len() > 1 => Some(one.clone()),
            _ => None,
        };
        Bill { entries, root, needs: self.needs }
    }
}

/// Reads a document of tags and values; nothing where the file is another.
///
/// # Errors
/// Where it is not UTF-8.
pub(super) fn text(file: File<'_>) -> Result<Option<Bill>, String> {
    let text = file.text()?;
    if !text.lines().take(200).any(|line| line.starts_with("SPDXVersion: SPDX-2")) {
        return Ok(None);
    }
    let mut links = Links::default();
    let mut entries: Vec<Entry> = Vec::new();
    let mut in_package = false;
    let mut in_text = false;
    for line in text.lines() {
        let begins = line.contains("<text>");
        if in_text {
            in_text = !line.contains("</text>");
            continue;
        }
        in_text = begins && !line.contains("</text>");
        let Some((tag, value)) = line.split_once(':').filter(|_| !begins) else { continue };
        let value = value.trim();
        match tag {
            "PackageName" => {
                in_package = true;
                entries.push(Entry { name: value.to_owned(), ..Entry::default() });
            }
            "FileName" | "SnippetSPDXID" | "LicenseID" => in_package = false,
            "Relationship" => {
                let mut words = value.split_whitespace();
                if let (Some(from), Some(kind), Some(to)) = (words.next(), words.next(), words.next()) {
                    links.take(from.to_owned(), kind, to.to_owned());
                }
            }
            _ => entries.last_mut().filter(|_| in_package).into_iter().for_each(|entry| take(entry, tag, value)),
        }
    }
    Ok(Some(links.bill(entries)))
}

fn take(entry: &mut Entry, tag: &str, value: &str) {
    match tag {
        "SPDXID" => value.clone_into(&mut entry.key),
        "PackageVersion" => entry.version = asserted(value.to_owned()),
        "PackageSupplier" => entry.supplier = supplier(value.to_owned()),
        "PackageLicenseDeclared" => entry.licenses.extend(asserted(value.to_owned())),
        "PackageChecksum" => {
            let pair = value.split_once(':').map(|(alg, value)| (alg.trim().to_owned(), value.trim().to_owned()));
            entry.hashes.extend(pair);
        }
        "ExternalRef" => {
            let mut words = value.split_whitespace().skip(1);
            if words.next() == Some("purl") {
                entry.purl = words.next().map(str::to_owned);
            }
        }
        _ => {}
    }
}
