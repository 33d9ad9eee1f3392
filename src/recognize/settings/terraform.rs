//! Terraform: resources of a configuration, what they grant and open, and the providers that its lock file pins.
//!
//! Expressions are not evaluated. Never here: variables' values.

use std::collections::BTreeSet;

use super::file::{File, unquoted};
use super::hcl::{self, Body};
use super::tree::{self, Node, Value};
use super::{Kind, Likeness, Reading, iam, ingress};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "terraform-lock", class: ItemClass::Component, looks: looks_lock, read: read_lock },
    Kind { name: "terraform", class: ItemClass::AccessControl, looks: looks_resources, read: read_resources },
];

fn looks_lock(file: &File<'_>) -> Likeness {
    let content = || file.has_ending("hcl") && file.head_holds("provider \"") && file.head_holds("hashes");
    Likeness::named_or(file.name() == ".terraform.lock.hcl", content)
}

fn read_lock(file: &File<'_>) -> Option<Reading> {
    let mut providers = Facts::new();
    let mut provider = "";
    for (_, text) in file.lines(&['#']) {
        if let Some(rest) = text.strip_prefix("provider ") {
            provider = unquoted(rest.trim_end_matches('{').trim());
        } else if let Some(rest) = text.strip_prefix("version").map(str::trim_start)
            && let Some(version) = rest.strip_prefix('=')
        {
            providers.set(provider, unquoted(version.trim()));
        }
    }
    if providers.is_empty() {
        return None;
    }
    let mut reading = Reading::default();
    reading.facts.set("providers", providers);
    Some(reading)
}

fn looks_resources(file: &File<'_>) -> Likeness {
    let plausible = (file.has_ending("tf") || file.has_ending("tofu"))
        && ["resource \"", "data \"", "module \""].iter().any(|mark| file.holds(mark));
    if plausible { Likeness::Maybe } else { Likeness::None }
}

fn read_resources(file: &File<'_>) -> Option<Reading> {
    let document = hcl::read(file.text());
    let mut reading = Reading::default();
    let (mut resources, mut openings) = (Vec::new(), Vec::new());
    let mut blocks = 0;
    for block in &document.blocks {
        match (block.kind.as_str(), block.labels.as_slice()) {
            ("resource", [kind, name]) => {
                let title = format!("{kind}.{name}");
                openings.extend(ingress::of_resource(kind, &block.body).into_iter().map(|open| (title.clone(), open)));
                read_policies(&title, &block.body, &mut reading);
                resources.push(title);
            }
            ("data", [kind, name]) if kind == "aws_iam_policy_document" => {
                for (index, statement) in block.body.of_kind("statement").enumerate() {
                    iam::add(&format!("data.{name}"), index, &statement_of(statement), &mut reading);
                }
            }
            ("module", [name]) => judge_module(name, &block.body, &mut reading),
            ("data", [_, _]) => {}
            _ => continue,
        }
        blocks += 1;
    }
    if blocks == 0 {
        return None;
    }
    for (title, opening) in &openings {
        opening.judge(title, &mut reading);
    }
    let entries: BTreeSet<String> = openings
        .iter()
        .flat_map(|(title, opening)| opening.entries().map(move |entry| format!("{title}: {entry}")))
        .collect();
    reading.observations.sort_by_key(|seen| seen.line);
    reading.facts.set("resources", resources);
    if !entries.is_empty() {
        reading.facts.set("ingress", entries.into_iter().collect::<Vec<_>>());
    }
    Some(reading)
}

/// Policies that are written out: as values of `jsonencode`, or as JSON in a text.
fn read_policies(title: &str, body: &Body, reading: &mut Reading) {
    for (_, value) in &body.attributes {
        let inner = value.text().filter(|text| text.trim_start().starts_with('{') && text.contains("\"Statement\""));
        let document = inner.and_then(|text| tree::json_from(text, value.line));
        let mut index = 0;
        for (_, statements) in iam::policies(document.as_ref().unwrap_or(value)) {
            for statement in statements {
                iam::add(title, index, statement, reading);
                index += 1;
            }
        }
    }
    body.blocks.iter().for_each(|inner| read_policies(title, &inner.body, reading));
}

/// A block of `aws_iam_policy_document` as a statement in JSON would say it.
fn statement_of(body: &Body) -> Node {
    let here = |value| Node { line: 0, key_line: 0, value };
    let mut entries = Vec::new();
    if body.get("effect").is_none() {
        entries.push(("Effect".to_owned(), here(Value::Text("Allow".to_owned()))));
    }
    let names = [
        ("sid", "Sid"),
        ("effect", "Effect"),
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ];
    for (own, name) in names {
        entries.extend(body.get(own).map(|node| (name.to_owned(), node.clone())));
    }
    for (own, name) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        let whose: Vec<(String, Node)> = body
            .of_kind(own)
            .filter_map(|inner| Some((inner.get("type")?.text()?.to_owned(), inner.get("identifiers")?.clone())))
            .map(|(kind, names)| (if kind == "*" { "AWS".to_owned() } else { kind }, names))
            .collect();
        if !whose.is_empty() {
            entries.push((name.to_owned(), here(Value::Map(whose))));
        }
    }
    let conditions: Vec<(String, Node)> = body
        .of_kind("condition")
        .filter_map(|inner| {
            let key = (inner.get("variable")?.text()?.to_owned(), inner.get("values")?.clone());
            Some((inner.get("test")?.text()?.to_owned(), here(Value::Map(vec![key]))))
        })
        .collect();
    if !conditions.is_empty() {
        entries.push(("Condition".to_owned(), here(Value::Map(conditions))));
    }
    here(Value::Map(entries))
}

/// A module from elsewhere is fixed by a version, or by a revision in its address.
fn judge_module(name: &str, body: &Body, reading: &mut Reading) {
    let Some(source) = body.get("source") else { return };
    let text = source.text().unwrap_or_default();
    let local = text.starts_with(['.', '/', '$']);
    let fetched =
        text.contains("::") || text.contains("://") || text.contains(".git") || text.starts_with("github.com/");
    let fixed = if fetched { text.contains("ref=") || text.ends_with(".zip") } else { body.get("version").is_some() };
    if !local && !fixed {
        let message = format!("the module {} can change under its name", name.escape_debug());
        reading.observe("component-not-pinned", source.line, message);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn policies_are_judged_however_they_are_written() {
        let document = "data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    actions = [\n      \"*\"\n    ]\n    \
                        resources = [\"*\"]\n  }\n}\n";
        assert_eq!(rules("a.tf", document), [("iam-admin-star", Some(4))]);
        let encoded = "resource \"aws_iam_role_policy\" \"p\" {\n  policy = jsonencode({\n    Statement = [\n      {\n        \
                       Effect = \"Allow\"\n        Action = [\"iam:PassRole\"]\n        Resource = \"*\"\n      },\n    ]\n  })\n}\n";
        assert_eq!(rules("a.tf", encoded), [("iam-pass-role-star", Some(6))]);
        let text = "resource \"aws_iam_policy\" \"p\" {\n  policy = <<EOF\n{\"Statement\": [{\"Effect\": \"Allow\",\n\
                    \"Action\": \"s3:*\", \"Resource\": \"x\"}]}\nEOF\n}\n";
        assert_eq!(rules("a.tf", text), [("iam-wildcard-action", Some(4))]);
        let refusal = "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({ Statement = [{ Effect = \"Deny\", \
                       Action = \"*\", Resource = \"*\" }] })\n}\n";
        assert_eq!(rules("a.tf", refusal), []);
    }

    #[test]
    fn modules_from_elsewhere_need_a_version() {
        let module = |lines: &str| format!("module \"m\" {{\n  {lines}\n}}\n");
        let loose = [("component-not-pinned", Some(2))];
        assert_eq!(rules("a.tf", &module("source = \"a/b/aws\"")), loose);
        assert_eq!(rules("a.tf", &module("source = \"git::https://x.test/a.git\"")), loose);
        for sound in
            ["source = \"./own\"", "source = \"a/b/aws\"\n  version = \"1.2.3\"", "source = \"git::ssh://x/a?ref=v1\""]
        {
            assert_eq!(rules("a.tf", &module(sound)), [], "{sound}");
        }
    }

    #[test]
    fn locked_providers_are_facts() {
        let text = "provider \"r/a\" {\n  version     = \"1.2.3\"\n  hashes = [\n  ]\n}\n";
        let providers = facts(".terraform.lock.hcl", text).find("providers").map(ToString::to_string);
        assert_eq!(providers.as_deref(), Some("[r/a=1.2.3]"));
        assert_eq!(kind_of("variables.tf", "variable \"a\" {}\n"), None);
    }
}
