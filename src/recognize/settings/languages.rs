//! Policy languages: Casbin and Rego.
//!
//! A few words are enough for facts; nothing is evaluated here.

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "casbin-model", class: ItemClass::Policy, looks: looks_model, read: read_model },
    Kind { name: "casbin-policy", class: ItemClass::Policy, looks: looks_rules, read: read_rules },
    Kind { name: "opa-rego", class: ItemClass::Policy, looks: looks_rego, read: read_rego },
];

fn looks_model(file: &File<'_>) -> Likeness {
    let marks = ["[request_definition]", "[policy_effect]"];
    if marks.iter().all(|mark| file.head_holds(mark)) { Likeness::Maybe } else { Likeness::None }
}

fn read_model(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut section = "";
    for (line, text) in file.lines(&['#']) {
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            continue;
        }
        let (name, value) = text.split_once('=')?;
        let value = value.trim();
        match (section, name.trim()) {
            ("policy_effect", "e") => {
                // Without a rule that allows, an effect that only looks for denial lets everything pass.
                if value.starts_with('!') && !value.contains("allow") {
                    reading.observe("policy-default-allow", line, "what no rule denies is allowed");
                }
                reading.facts.set("effect", value);
            }
            ("matchers", "m") => reading.facts.set("matcher", value),
            ("request_definition", "r") => reading.facts.set("request", value),
            _ => {}
        }
    }
    reading.facts.find("effect")?;
    Some(reading)
}

fn casbin_rule(line: &str) -> Option<bool> {
    let mut fields = line.split(',').map(str::trim);
    let kind = fields.next()?;
    let digits = |rest: &str| rest.bytes().all(|c| c.is_ascii_digit());
    let policy = kind.strip_prefix('p').is_some_and(digits);
    let grouping = kind.strip_prefix('g').is_some_and(digits);
    let count = fields.count();
    ((policy && count >= 2) || (grouping && (2..=4).contains(&count))).then_some(policy)
}

fn looks_rules(file: &File<'_>) -> Likeness {
    if !file.has_ending("csv") {
        return Likeness::None;
    }
    let mut lines = file.first_lines(&['#']).peekable();
    let plausible = lines.peek().is_some() && lines.all(|line| casbin_rule(line).is_some());
    if plausible { Likeness::Maybe } else { Likeness::None }
}

fn read_rules(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut rules, mut groupings) = (Vec::new(), Vec::new());
    for (_, text) in file.lines(&['#']) {
        let fields = text.split(',').map(str::trim).collect::<Vec<_>>().join(", ");
        if casbin_rule(text)? { rules.push(fields) } else { groupings.push(fields) }
    }
    let count = |list: &Vec<String>| i64::try_from(list.len()).unwrap_or(i64::MAX);
    reading.facts.set("rules", count(&rules));
    reading.facts.set("groupings", count(&groupings));
    rules.extend(groupings);
    rules.sort();
    reading.facts.set("lines", rules);
    Some(reading)
}

fn looks_rego(file: &File<'_>) -> Likeness {
    let first = file.first_lines(&['#']).next().unwrap_or_default();
    let package = first.strip_prefix("package ").is_some_and(|name| !name.ends_with([';', '{']));
    Likeness::named_or(file.has_ending("rego"), || {
        package
            && ["\nimport rego.", "\ndefault ", "\nallow", "\ndeny", "\nviolation"]
                .iter()
                .any(|mark| file.head_holds(mark))
    })
}

fn read_rego(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut rules: Vec<String> = Vec::new();
    let (mut defaults, mut clauses) = (Facts::new(), Vec::new());
    for (line, text) in (1..).zip(file.text().lines()) {
        let text = text.split(" #").next().unwrap_or_default().trim_end();
        // Only what stands at the margin begins a rule.
        let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let rest = text.get(name.len()..).unwrap_or_default().trim_start();
        match name.as_str() {
            "" => continue_clause(text, &mut clauses),
            "import" => {}
            "package" => reading.facts.set("package", rest.split_whitespace().next().unwrap_or_default()),
            "default" => {
                let value = rest.split_once('=').map(|(_, value)| value.trim());
                let rule: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if value == Some("true") && GRANTING.contains(&rule.as_str()) {
                    reading.observe("policy-default-allow", line, "what no rule decides is allowed");
                }
                defaults.set_some(rule.as_str(), value);
                rules.push(rule);
            }
            _ if rest.starts_with(['{', ':', '=', '[', '(', '.'])
                || rest.starts_with("if ")
                || rest.starts_with("contains ")
                || rest.is_empty() =>
            {
                clauses.push(packed(text));
                rules.push(name);
            }
            _ => {}
        }
    }
    reading.facts.find("package")?;
    rules.sort();
    rules.dedup();
    clauses.sort();
    reading.facts.set("rules", rules);
    if !defaults.is_empty() {
        reading.facts.set("defaults", defaults);
    }
    if !clauses.is_empty() {
        reading.facts.set("clauses", clauses);
    }
    Some(reading)
}

/// Names of rules that let something through.
const GRANTING: [&str; 4] = ["allow", "allowed", "authorized", "permit"];

/// How many bytes of a clause are a fact.
const MOST_CHARACTERS: usize = 4_000;

/// What is indented, or closes a bracket, belongs to the clause before.
fn continue_clause(text: &str, clauses: &mut [String]) {
    let part = packed(text);
    if part.is_empty() || part.starts_with('#') {
        return;
    }
    if let Some(clause) = clauses.last_mut().filter(|clause| clause.len() < MOST_CHARACTERS) {
        clause.push(' ');
        clause.push_str(&part);
    }
}

fn packed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn defaults_that_allow_are_told() {
        assert_eq!(rules("a.rego", "package a\n\ndefault allow := true\n"), [("policy-default-allow", Some(3))]);
        assert_eq!(rules("a.rego", "package a\n\ndefault allow = false\nallow if { true }\n"), []);
        assert_eq!(rules("a.rego", "package a\ndefault allow := true # x\n"), [("policy-default-allow", Some(2))]);
        let found =
            facts("a.rego", "package a\ndefault allow := false\nallow if {\n  # why\n  x\n\n  y  ==  1 # z\n}\n");
        assert_eq!(found.find("clauses"), Some(&vec!["allow if { x y == 1 }"].into()));
        assert_eq!(found.find("defaults").map(ToString::to_string).as_deref(), Some("[allow=false]"));
        let model = |effect: &str| format!("[request_definition]\nr = a\n[policy_effect]\ne = {effect}\n");
        assert_eq!(rules("m", &model("!some(where (p.eft == deny))")), [("policy-default-allow", Some(4))]);
        assert_eq!(rules("m", &model("some(where (p.eft == allow))")), []);
    }

    #[test]
    fn rules_are_counted_by_kind() {
        let text = "p, a, b, c\r\np2, x, y\r\ng, a, b\r\n";
        assert_eq!(facts("a.csv", text).number("rules"), Some(2));
        for text in ["p, a\n", "price, a, b\n", "g, a, b\nname, x, y\n", ""] {
            assert_eq!(kind_of("a.csv", text), None, "{text}");
        }
    }

    #[test]
    fn go_and_java_packages_are_not_taken() {
        assert_eq!(kind_of("a", "package main\n\nimport \"fmt\"\n"), None);
        assert_eq!(kind_of("a", "package a.b;\nallow\n"), None);
    }
}
