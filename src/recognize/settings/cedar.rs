//! Cedar: who is permitted or forbidden what, on what, and under which conditions.
//!
//! Syntax: the Cedar policy language, versions 2 to 4. Conditions keep their spelling; nothing is evaluated here.

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] =
    &[Kind { name: "cedar-policy", class: ItemClass::Policy, looks: looks_cedar, read: read_cedar }];

/// How many characters of a condition are a fact.
const MOST_CHARACTERS: usize = 4_000;

fn looks_cedar(file: &File<'_>) -> Likeness {
    let first = file.lines(&['/']).next().map_or("", |(_, line)| line);
    let opens = ["permit", "forbid", "@id", "@"].iter().any(|word| first.starts_with(word));
    Likeness::named_or(file.has_ending("cedar"), || {
        opens && file.holds("principal") && file.holds("resource") && (file.holds("permit") || file.holds("forbid"))
    })
}

/// A policy as it is being read: its text with single blanks, and the line of its first word.
#[derive(Default)]
struct Policy {
    id: Option<String>,
    text: String,
    line: u32,
}

fn read_cedar(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut policies, mut ids) = (0_i64, Vec::new());
    let mut policy = Policy::default();
    let mut quoted = false;
    for (line, text) in file.lines(&['/']) {
        if let Some(annotation) = text.strip_prefix('@').filter(|_| policy.text.trim().is_empty()) {
            let (id, rest) = read_annotation(annotation);
            policy.id = id.map(str::to_owned).or(policy.id.take());
            if rest.is_empty() {
                continue;
            }
        }
        let text = if policy.text.trim().is_empty() { after_annotations(text) } else { text };
        policy.text.push(' ');
        let mut before = ' ';
        for c in text.chars() {
            if !quoted && c == '/' && before == '/' {
                policy.text.pop();
                break;
            }
            if policy.text.trim().is_empty() {
                policy.line = line;
            }
            quoted ^= c == '"' && before != '\\';
            before = c;
            if c != ';' || quoted {
                policy.text.push(c);
                continue;
            }
            let whole = std::mem::take(&mut policy);
            ids.extend(whole.id.clone());
            add(&whole, policies, &mut reading)?;
            policies += 1;
        }
    }
    if policies == 0 || !policy.text.trim().is_empty() {
        return None;
    }
    reading.facts.set("policies", policies);
    if !ids.is_empty() {
        reading.facts.set("ids", ids);
    }
    Some(reading)
}

/// `id("x")` and what follows on the line; none for another annotation.
fn read_annotation(text: &str) -> (Option<&str>, &str) {
    let rest = text.split_once(')').map_or("", |(_, rest)| rest.trim());
    let id = text.strip_prefix("id(\"").and_then(|inner| inner.split('"').next());
    (id, rest)
}

/// Passes over annotations that stand on the policy's own line.
fn after_annotations(text: &str) -> &str {
    let mut rest = text;
    while let Some(annotation) = rest.strip_prefix('@') {
        // A text may hold a bracket.
        let end = annotation.find("\")").map_or_else(|| annotation.find(')').map(|at| at + 1), |at| Some(at + 2));
        rest = end.and_then(|end| annotation.get(end..)).unwrap_or_default().trim_start();
    }
    rest
}

/// `permit (principal …, action …, resource …) when { … } unless { … }`
fn add(policy: &Policy, index: i64, reading: &mut Reading) -> Option<()> {
    let text = policy.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (effect, rest) = text.split_once('(')?;
    let effect = effect.trim();
    if !["permit", "forbid"].contains(&effect) {
        return None;
    }
    let (scope, conditions) = split_scope(rest)?;
    let mut facts = Facts::new();
    facts.set("effect", effect);
    let mut open = conditions.trim().is_empty();
    let mut parts = scope.iter();
    for name in ["principal", "action", "resource"] {
        let part = parts.next()?.trim();
        let bound = part.strip_prefix(name)?.trim();
        open &= bound.is_empty();
        facts.set(name, if bound.is_empty() { "*" } else { bound });
    }
    if !conditions.trim().is_empty() {
        facts.set("condition", conditions.trim().chars().take(MOST_CHARACTERS).collect::<String>());
    }
    if open && effect == "permit" {
        reading.observe("policy-default-allow", policy.line, "everyone may do everything");
    }
    let id = policy.id.clone().unwrap_or_else(|| index.to_string());
    reading.facts.set(format!("Statement[{id}]"), facts);
    Some(())
}

/// The parts between the brackets, split at commas that no inner bracket holds, and what follows.
fn split_scope(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                parts.push(text.get(from..at)?);
                // A comma may stand behind the last part.
                parts.retain(|part| !part.trim().is_empty());
                return Some((parts, text.get(at + 1..)?));
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use crate::domain::Fact;

    #[test]
    fn a_permission_of_everything_is_told() {
        let open = [("policy-default-allow", Some(2))];
        assert_eq!(rules("a.cedar", "// x\npermit (principal,\n action, resource);\n"), open);
        assert_eq!(rules("a.cedar", "@id(\"a;b\")\npermit(principal,action,resource,); // all\n"), open);
        assert_eq!(rules("a.cedar", "permit (principal == User::\"a\", action, resource);\n"), []);
        assert_eq!(rules("a.cedar", "permit (principal, action, resource) when { principal.admin };\n"), []);
        assert_eq!(rules("a.cedar", "forbid (principal, action, resource);\n"), []);
    }

    #[test]
    fn scopes_and_conditions_are_facts() {
        let text = "@id(\"r\") @reason(\"x; (y)\")\npermit(principal in G::\"s, t\", action in [A::\"r\", A::\"w\"], resource) // z\n\
                    when { context.mfa }\nunless { resource.locked };\n\n@id(\"n\") forbid(principal, action, resource);\n";
        let found = facts("a.cedar", text);
        assert_eq!(found.number("policies"), Some(2));
        let Some(Fact::Map(first)) = found.find("Statement[r]") else { panic!("{found:?}") };
        assert_eq!(first.text("principal"), Some("in G::\"s, t\""));
        assert_eq!(first.text("action"), Some("in [A::\"r\", A::\"w\"]"));
        assert_eq!(first.text("resource"), Some("*"));
        assert_eq!(first.text("condition"), Some("when { context.mfa } unless { resource.locked }"));
        assert!(found.find("Statement[n]").is_some());
    }

    #[test]
    fn other_texts_are_not_taken() {
        for text in [
            "permit the principal to use the resource;\n",
            "forbid(principal);\n",
            "permit(principal, action, resource)\n",
        ] {
            assert_eq!(kind_of("a.txt", text), None, "{text}");
        }
    }
}
