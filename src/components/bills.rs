//! Bills of materials that stand in the tree: what a `CycloneDX` or SPDX document says that something contains.
//!
//! The document's own subject is no component of itself. A purl is taken as it is, in its canonical spelling; without
//! one a component is `generic`. Never here: whether the document is true, or up to date.

use std::collections::{BTreeMap, BTreeSet};

use super::cyclonedx_bill;
use super::kind::Kind;
use super::pinned::{Pinned, report};
use super::purl;
use super::reading::Reading;
use super::spdx_bill;
use super::tree::{File, Tree};
use crate::domain::{CoverageStatus, Scope};

/// No document of one product lists more.
pub(super) const MOST: usize = 200_000;

/// What one document lists.
#[derive(Default)]
pub(super) struct Bill {
    pub(super) entries: Vec<Entry>,
    /// The subject's own key, where there is one.
    pub(super) root: Option<String>,
    /// What needs what, by key.
    pub(super) needs: Vec<(String, Vec<String>)>,
}

/// One entry.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) group: Option<String>,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) purl: Option<String>,
    /// Algorithm as the document spells it, and value.
    pub(super) hashes: Vec<(String, String)>,
    pub(super) licenses: Vec<String>,
    pub(super) supplier: Option<String>,
    pub(super) scope: Option<Scope>,
}

/// Reads every document of the tree that says of itself that it is one.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let kinds = [Kind::CyclonedxJson, Kind::CyclonedxXml, Kind::SpdxJson, Kind::SpdxText];
    let files = kinds.into_iter().flat_map(|kind| tree.of_kind(kind));
    files.filter_map(read_file).collect()
}

fn read_file(file: File<'_>) -> Option<Reading> {
    let bill = match file.kind {
        Kind::CyclonedxJson => cyclonedx_bill::json(file),
        Kind::CyclonedxXml => cyclonedx_bill::xml(file),
        Kind::SpdxJson => spdx_bill::json(file),
        _ => spdx_bill::text(file),
    };
    // `bom.json` and `bom.xml` are common names; one that is broken may be anything.
    let is_common = file.path.file_name().starts_with(b"bom.");
    match bill {
        Ok(Some(bill)) => Some(reading_of(file, bill)),
        Ok(None) => None,
        Err(_) if is_common => None,
        Err(why) if why.starts_with("SPDX 3") => {
            Some(Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why))
        }
        Err(why) => Some(Reading::failed(file.kind, file.path, &why)),
    }
}

fn reading_of(file: File<'_>, bill: Bill) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    if bill.entries.len() > MOST {
        reading.gap(&format!("it lists more than {MOST} components"));
    }
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (from, to) in bill.needs {
        needs.entry(from).or_default().extend(to);
    }
    let direct: Option<BTreeSet<String>> =
        bill.root.as_ref().and_then(|root| needs.get(root)).map(|direct| direct.iter().cloned().collect());
    let mut packages = Vec::new();
    for entry in bill.entries.into_iter().take(MOST) {
        if bill.root.as_ref().is_some_and(|root| *root == entry.key) {
            continue;
        }
        if entry.name.trim().is_empty() {
            reading.gap("an entry has no name");
            continue;
        }
        let mut package = pinned(&entry);
        if package.version.is_none() {
            reading.gap(&format!("{}: the document gives no version", entry.name));
        }
        package.direct = direct.as_ref().map(|direct| direct.contains(&entry.key));
        package.needs = needs.remove(&entry.key).unwrap_or_default();
        packages.push((vec![entry.key], package));
    }
    report(&mut reading, packages);
    reading
}

fn pinned(entry: &Entry) -> Pinned {
    let version = entry.version.as_deref().filter(|version| !version.is_empty());
    let path = match &entry.group {
        Some(group) => format!("{group}/{}", entry.name),
        None => entry.name.clone(),
    };
    let known = entry.purl.as_deref().and_then(purl::canonical);
    let (purl, kind) = known.unwrap_or_else(|| (purl::plain("generic", &path, version), "generic".to_owned()));
    // A space would part a name in two wherever names are listed.
    let name = entry.name.split_whitespace().collect::<Vec<_>>().join("_");
    let mut package = Pinned::new(kind, &name, version, purl);
    package.scope = entry.scope.unwrap_or(Scope::Runtime);
    for (alg, value) in &entry.hashes {
        let alg = match alg.to_ascii_uppercase().replace('-', "").as_str() {
            "MD5" => "MD5",
            "SHA1" => "SHA-1",
            "SHA256" => "SHA-256",
            "SHA384" => "SHA-384",
            "SHA512" => "SHA-512",
            _ => continue,
        };
        package.hash(alg, Some(value));
    }
    package.licenses.clone_from(&entry.licenses);
    package.supplier.clone_from(&entry.supplier);
    package
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn a_cyclonedx_document_lists_all_but_its_subject() {
        let text = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"bom-ref": "me", "type": "application", "name": "me"}},
            "components": [
              {"bom-ref": "1", "type": "library", "group": "@s", "name": "a", "version": "1.0", "purl": "pkg:npm/@s/a@1.0",
               "hashes": [{"alg": "SHA-1", "content": "0123456789012345678901234567890123456789"}, {"alg": "BLAKE3", "content": "x"}],
               "licenses": [{"license": {"id": "MIT"}}, {"expression": "Apache-2.0 OR MIT"}], "supplier": {"name": "ACME Inc."},
               "components": [{"type": "library", "name": "inner", "version": "2", "scope": "optional"}]},
              {"bom-ref": "2", "type": "operating-system", "name": "My OS"}, {"type": "file", "name": "f.txt"},
              {"type": "cryptographic-asset", "name": "k"}],
            "dependencies": [{"ref": "me", "dependsOn": ["1"]}, {"ref": "1", "dependsOn": ["2", "gone"]}]}"#;
        let inventory =
            inventory(&[("sbom/x.cdx.json", text), ("bom.json", "{}"), ("b.cdx.json", "{"), ("c/bom.json", "[")]);
        let a = found(&inventory, "pkg:npm/%40s/a@1.0");
        assert_eq!((a.direct, a.licenses.len(), a.supplier.as_deref()), (Some(true), 2, Some("ACME Inc.")));
        assert_eq!(a.dependencies, ["pkg:generic/My%20OS"]);
        assert_eq!(found(&inventory, "pkg:generic/inner@2").scope, Scope::Optional);
        assert_eq!(inventory.components.len(), 3);
        assert_eq!(gaps(&inventory, "sbom/x.cdx.json"), ["My OS: the document gives no version"]);
        assert_eq!(status(&inventory, "b.cdx.json"), CoverageStatus::Failed);
        assert_eq!(inventory.coverage.len(), 2, "a file of the name alone is no document");
    }

    #[test]
    fn a_cyclonedx_document_in_xml_says_the_same() {
        let text = r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.4" version="1"><metadata><component type="application" bom-ref="me"><name>me</name></component></metadata>
            <components><component type="library" bom-ref="1"><group>g</group><name>a</name><version>1</version>
            <hashes><hash alg="MD5">0123456789abcdef0123456789abcdef</hash></hashes><licenses><license><id>MIT</id></license></licenses>
            <purl>pkg:maven/g/a@1</purl><components><component type="library" bom-ref="2"><name>b</name><version>2</version></component></components></component></components>
            <dependencies><dependency ref="1"><dependency ref="2"/></dependency></dependencies></bom>"#;
        let inventory = inventory(&[("bom.xml", text), ("x/bom.xml", "<x/>")]);
        let a = found(&inventory, "pkg:maven/g/a@1");
        assert_eq!((a.dependencies.len(), a.hashes.len(), a.licenses.len()), (1, 1, 1));
        assert_eq!(inventory.coverage.len(), 1);
    }

    #[test]
    fn spdx_documents_of_both_forms_are_read() {
        let json = r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [
            {"SPDXID": "SPDXRef-me", "name": "me"},
            {"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1.0", "licenseDeclared": "MIT", "supplier": "Organization: ACME (x@y)",
             "checksums": [{"algorithm": "SHA1", "checksumValue": "0123456789012345678901234567890123456789"}],
             "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:gem/a@1.0"}]},
            {"SPDXID": "SPDXRef-b", "name": "b", "versionInfo": "2", "licenseDeclared": "NOASSERTION"}],
            "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-me"},
            {"spdxElementId": "SPDXRef-b", "relationshipType": "DEPENDENCY_OF", "relatedSpdxElement": "SPDXRef-a"}]}"#;
        let text = "SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\nPackageName: c\nSPDXID: SPDXRef-c\nPackageVersion: 3\n\
            PackageComment: <text>PackageName: no\n</text>\nPackageChecksum: MD5: 0123456789abcdef0123456789abcdef\nPackageLicenseDeclared: BSD-3-Clause\n\
            ExternalRef: PACKAGE-MANAGER purl pkg:generic/c@3\nFileName: ./x\nSPDXID: SPDXRef-x\nPackageName: d\nSPDXID: SPDXRef-d\n\
            Relationship: SPDXRef-c DEPENDS_ON SPDXRef-d\n";
        let inventory = inventory(&[
            ("a.spdx.json", json),
            ("b.spdx", text),
            ("c.spdx", "no document"),
            ("d.spdx.json", "{\"@context\": \"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}"),
        ]);
        let a = found(&inventory, "pkg:gem/a@1.0");
        assert_eq!(
            (a.dependencies.as_slice(), a.supplier.as_deref()),
            (&["pkg:generic/b@2".to_owned()][..], Some("ACME (x@y)"))
        );
        let c = found(&inventory, "pkg:generic/c@3");
        assert_eq!((c.dependencies.as_slice(), c.hashes.len()), (&["pkg:generic/d".to_owned()][..], 1));
        assert_eq!(inventory.components.len(), 4);
        assert_eq!(status(&inventory, "d.spdx.json"), CoverageStatus::Unsupported);
        assert_eq!(inventory.coverage.len(), 3);
    }
}
