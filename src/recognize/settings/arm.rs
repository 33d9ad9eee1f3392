//! Deployment templates of Azure: resources with their versions, the roles that they assign and the ports that they open.
//!
//! Format: ARM template schema. Expressions keep their spelling. Never here: Bicep, and what parameters hold.

use std::collections::BTreeSet;

use super::file::File;
use super::tree::{self, Node, Value};
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] =
    &[Kind { name: "arm-template", class: ItemClass::Component, looks: looks_template, read: read_template }];

fn looks_template(file: &File<'_>) -> Likeness {
    let object = file.opens_with() == Some('{');
    if object && file.head_holds("schema.management.azure.com") && file.holds("\"resources\"") {
        Likeness::Maybe
    } else {
        Likeness::None
    }
}

fn read_template(file: &File<'_>) -> Option<Reading> {
    let document = tree::json(file.text())?;
    document.text_at("$schema").filter(|schema| schema.contains("schema.management.azure.com"))?;
    let mut found = Found::default();
    search(document.get("resources")?, "", &mut found);
    let mut reading = Reading::default();
    reading.facts.set("resources", found.versions);
    for (name, entries) in [("role_assignments", found.grants), ("ingress", found.openings)] {
        if !entries.is_empty() {
            reading.facts.set(name, entries.into_iter().collect::<Vec<_>>());
        }
    }
    Some(reading)
}

/// What a template's resources say.
#[derive(Default)]
struct Found {
    versions: Facts,
    grants: BTreeSet<String>,
    openings: BTreeSet<String>,
}

/// Resources in a list, or by their symbolic names; inner ones are named after those around them. Depth is bounded.
fn search(resources: &Node, around: &str, found: &mut Found) {
    let by_name = resources.entries().iter().map(|(_, resource)| resource);
    for resource in resources.items().iter().chain(by_name) {
        let Some(own) = resource.text_at("type") else { continue };
        let kind =
            if around.is_empty() || own.contains("Microsoft.") { own.to_owned() } else { format!("{around}/{own}") };
        if let Some(version) = resource.text_at("apiVersion") {
            found.versions.set(kind.as_str(), version);
        }
        let properties = resource.get("properties");
        let text = |name: &str| properties.and_then(|inner| inner.get(name)).and_then(Node::scalar).unwrap_or("?");
        if own.ends_with("roleAssignments") {
            found.grants.insert(format!("{} to {}", text("roleDefinitionId"), text("principalId")));
        }
        let rules = properties.and_then(|inner| inner.get("securityRules")).map(Node::items).unwrap_or_default();
        let name = resource.text_at("name").unwrap_or("-");
        found
            .openings
            .extend(rules.iter().filter_map(|rule| rule.get("properties")).filter_map(|rule| opening(name, rule)));
        if own.ends_with("securityRules") {
            found.openings.extend(properties.and_then(|rule| opening(name, rule)));
        }
        if let Some(inner) = resource.get("resources") {
            search(inner, &kind, found);
        }
    }
}

/// `group: tcp 22 from *`
fn opening(group: &str, rule: &Node) -> Option<String> {
    let is = |name: &str, value: &str| rule.text_at(name).is_some_and(|text| text.eq_ignore_ascii_case(value));
    let one_or_all = |one: &str, many: &str| {
        let single = rule.get(one).filter(|node| node.value != Value::Text(String::new()));
        single.or_else(|| rule.get(many)).map(Node::texts).unwrap_or_default().join(",")
    };
    let protocol = rule.text_at("protocol").unwrap_or("*").to_ascii_lowercase();
    (is("direction", "Inbound") && is("access", "Allow")).then(|| {
        let ports = one_or_all("destinationPortRange", "destinationPortRanges");
        format!("{group}: {protocol} {ports} from {}", one_or_all("sourceAddressPrefix", "sourceAddressPrefixes"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::facts;

    #[test]
    fn roles_and_openings_are_facts_beside_the_versions() {
        let text = r#"{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "resources": [
              {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2023-05-01", "name": "g", "properties": {"securityRules": [
                {"name": "s", "properties": {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "destinationPortRange": "22", "sourceAddressPrefix": "*"}},
                {"name": "d", "properties": {"direction": "Inbound", "access": "Deny", "destinationPortRange": "1", "sourceAddressPrefix": "*"}}]},
               "resources": [{"type": "locks", "apiVersion": "2020-05-01"}]},
              {"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "properties": {"roleDefinitionId": "r", "principalId": "p"}}]}"#;
        let found = facts("main.json", text);
        assert_eq!(found.find("ingress"), Some(&vec!["g: tcp 22 from *"].into()));
        assert_eq!(found.find("role_assignments"), Some(&vec!["r to p"].into()));
        let versions = found.find("resources").map(ToString::to_string).unwrap();
        assert!(versions.contains("Microsoft.Network/networkSecurityGroups/locks=2020-05-01"), "{versions}");
    }
}
