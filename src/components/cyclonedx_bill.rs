//! `CycloneDX` documents, in JSON and XML, as lists of components.
//!
//! Never here: files, data and cryptographic items of a document, which are no software components.

use roxmltree::Node;
use serde::Deserialize;
use serde_json::Value;

use super::bills::{Bill, Entry, MOST};
use super::documents::{self, child, children, text_of};
use super::tree::File;
use crate::domain::Scope;

/// Kinds of entries that are no software.
const OTHERS: [&str; 4] = ["file", "data", "cryptographic-asset", "machine-learning-model"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    bom_format: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    bom_ref: Option<String>,
    #[serde(default)]
    r#type: String,
    group: Option<String>,
    #[serde(default)]
    name: String,
    version: Option<String>,
    purl: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    hashes: Vec<Hash>,
    #[serde(default)]
    licenses: Value,
    #[serde(default)]
    supplier: Value,
    #[serde(default)]
    components: Vec<Self>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    r#ref: String,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Reads a document; nothing where it is JSON of another kind.
///
/// # Errors
/// Where it is not JSON, or not of the format's shape.
pub(super) fn json(file: File<'_>) -> Result<Option<Bill>, String> {
    if memchr::memmem::find(file.bytes, b"\"bomFormat\"").is_none() && !file.path.file_name().ends_with(b".cdx.json") {
        return Ok(None);
    }
    let document: Document = file.json()?;
    if document.bom_format.as_deref() != Some("CycloneDX") {
        return Ok(None);
    }
    let mut bill = Bill { root: document.metadata.component.and_then(|subject| subject.bom_ref), ..Bill::default() };
    let mut open = document.components;
    while let Some(mut component) = open.pop() {
        open.append(&mut component.components);
        if !OTHERS.contains(&component.r#type.as_str()) && bill.entries.len() <= MOST {
            bill.entries.push(entry(component));
        }
    }
    bill.needs = document.dependencies.into_iter().map(|one| (one.r#ref, one.depends_on)).collect();
    Ok(Some(bill))
}

fn entry(component: Component) -> Entry {
    let license = |choice: &Value| {
        let license = choice.get("license");
        let named = license.and_then(|license| license.get("id").or_else(|| license.get("name")));
        named.or_else(|| choice.get("expression")).and_then(Value::as_str).map(str::to_owned)
    };
    Entry {
        key: component.bom_ref.or_else(|| component.purl.clone()).unwrap_or_default(),
        group: component.group.filter(|group| !group.is_empty()),
        name: component.name,
        version: component.version,
        purl: component.purl,
        hashes: component.hashes.into_iter().map(|hash| (hash.alg, hash.content)).collect(),
        licenses: component.licenses.as_array().into_iter().flatten().filter_map(license).collect(),
        supplier: component.supplier.get("name").and_then(Value::as_str).map(str::to_owned),
        scope: component.scope.as_deref().and_then(scope),
    }
}

/// `excluded` is what tests and tools need, and the product does not hold.
fn scope(scope: &str) -> Option<Scope> {
    match scope {
        "optional" => Some(Scope::Optional),
        "excluded" => Some(Scope::Dev),
        _ => None,
    }
}

/// Reads a document; nothing where it is XML of another kind.
///
/// # Errors
/// Where it is not XML.
pub(super) fn xml(file: File<'_>) -> Result<Option<Bill>, String> {
    let document = documents::xml(file)?;
    let root = document.root_element();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    if root.tag_name().name() != "bom" || !namespace.starts_with("http://cyclonedx.org/schema/bom") {
        return Ok(None);
    }
    let subject = child(root, "metadata").and_then(|metadata| child(metadata, "component"));
    let mut bill =
        Bill { root: subject.and_then(|subject| subject.attribute("bom-ref")).map(str::to_owned), ..Bill::default() };
    let mut open: Vec<Node<'_, '_>> = inner(root).collect();
    while let Some(node) = open.pop() {
        open.extend(inner(node));
        let kind = node.attribute("type").unwrap_or_default();
        if !OTHERS.contains(&kind) && bill.entries.len() <= MOST {
            bill.entries.push(entry_of(node));
        }
    }
    for node in child(root, "dependencies").into_iter().flat_map(|all| children(all, "dependency")) {
        let needs = children(node, "dependency").filter_map(|needed| needed.attribute("ref")).map(str::to_owned);
        bill.needs.push((node.attribute("ref").unwrap_or_default().to_owned(), needs.collect()));
    }
    Ok(Some(bill))
}

fn inner<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    child(node, "components").into_iter().flat_map(|all| children(all, "component"))
}

fn entry_of(node: Node<'_, '_>) -> Entry {
    let text = |name| text_of(node, name).map(str::to_owned);
    let license = |choice: Node<'_, '_>| match choice.tag_name().name() {
        "expression" => choice.text().map(|text| text.trim().to_owned()),
        _ => text_of(choice, "id").or_else(|| text_of(choice, "name")).map(str::to_owned),
    };
    let hashes = child(node, "hashes").into_iter().flat_map(|all| children(all, "hash"));
    let licenses = child(node, "licenses").into_iter().flat_map(|all| all.children());
    Entry {
        key: node.attribute("bom-ref").map(str::to_owned).or_else(|| text("purl")).unwrap_or_default(),
        group: text("group"),
        name: text("name").unwrap_or_default(),
        version: text("version"),
        purl: text("purl"),
        hashes: hashes
            .filter_map(|hash| Some((hash.attribute("alg")?.to_owned(), hash.text()?.trim().to_owned())))
            .collect(),
        licenses: licenses.filter(Node::is_element).filter_map(license).collect(),
        supplier: child(node, "supplier").and_then(|supplier| text_of(supplier, "name")).map(str::to_owned),
        scope: text_of(node, "scope").and_then(scope),
    }
}
