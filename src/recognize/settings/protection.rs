//! Rules of a forge about branches: rule sets of GitHub, and its older protection of a branch.
//!
//! Formats: export of a rule set, answer and request of the branch protection API in JSON, `settings.yml` of the Settings
//! app. Never here: which branches there are.

use super::file::File;
use super::tree::{self, Node, Value};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[Kind { name: "github-ruleset", class: ItemClass::AccessControl, looks, read }];

fn looks(file: &File<'_>) -> Likeness {
    if has_rules(file) || has_branch(file) { Likeness::Maybe } else { Likeness::None }
}

fn read(file: &File<'_>) -> Option<Reading> {
    if has_rules(file) { read_rules(file) } else { read_branch(file) }
}

fn has_rules(file: &File<'_>) -> bool {
    let object = file.opens_with() == Some('{') && file.holds("\"enforcement\"") && file.holds("\"rules\"");
    let marks = ["\"target\"", "\"conditions\"", "\"bypass_actors\""];
    object && marks.iter().any(|mark| file.holds(mark))
}

fn read_rules(file: &File<'_>) -> Option<Reading> {
    let document = tree::json(file.text())?;
    let enforcement = document.get("enforcement")?;
    let level = enforcement.text()?;
    let rules = document.get("rules")?.items();
    let kinds: Vec<&str> = rules.iter().map(|rule| rule.text_at("type")).collect::<Option<_>>()?;
    if !["active", "evaluate", "disabled"].contains(&level) {
        return None;
    }
    let mut reading = Reading::default();
    let branch = document.text_at("target").is_none_or(|target| target == "branch");
    if level != "active" {
        reading.observe("branch-protection-weak", enforcement.line, format!("the rules are not enforced, but {level}"));
    } else if branch {
        judge_review(rules, &document, &mut reading);
    }
    reading.facts.set("enforcement", level);
    reading.facts.set("rules", kinds);
    reading.facts.set_some("target", document.text_at("target"));
    let bypass = document.get("bypass_actors").map(Node::items).unwrap_or_default();
    let actors = bypass.iter().map(|actor| {
        let part = |key| actor.get(key).and_then(Node::scalar).unwrap_or("-");
        format!("{} {} {}", part("actor_type"), part("actor_id"), part("bypass_mode"))
    });
    reading.facts.set("bypass_actors", actors.collect::<Vec<_>>());
    let mut parameters = Facts::new();
    for rule in rules {
        let of_rule = rule.get("parameters").map(settings).unwrap_or_default();
        if let (Some(kind), false) = (rule.text_at("type"), of_rule.is_empty()) {
            parameters.set(kind, of_rule);
        }
    }
    if !parameters.is_empty() {
        reading.facts.set("parameters", parameters);
    }
    if let Some(names) = document.at(&["conditions", "ref_name"]) {
        reading.facts.set("branches", settings(names));
    }
    Some(reading)
}

/// Switches, numbers and lists of a map; lists are sorted, since their order says nothing.
fn settings(node: &Node) -> Facts {
    let mut facts = Facts::new();
    for (name, inner) in node.entries() {
        let fact: Option<Fact> = match &inner.value {
            Value::Flag(flag) => Some((*flag).into()),
            Value::Number(number) => number.parse::<i64>().ok().map(Fact::from),
            Value::Text(text) => Some(text.as_str().into()),
            Value::List(list) => {
                let name_of = |entry: &Node| {
                    let named = ["context", "slug", "login"].iter().find_map(|key| entry.text_at(key));
                    named.or_else(|| entry.scalar()).map(str::to_owned)
                };
                let mut names: Vec<String> = list.iter().filter_map(name_of).collect();
                names.sort();
                Some(names.into())
            }
            Value::Map(_) | Value::Null => None,
        };
        facts.set_some(name.as_str(), fact);
    }
    facts
}

fn judge_review(rules: &[Node], document: &Node, reading: &mut Reading) {
    let rule = rules.iter().find(|rule| rule.text_at("type") == Some("pull_request"));
    let count = rule.and_then(|rule| rule.at(&["parameters", "required_approving_review_count"]));
    match (rule, count) {
        (None, _) => {
            let line = document.get("rules").map_or(document.line, |rules| rules.key_line);
            reading.observe("branch-protection-weak", line, "no pull request is required");
        }
        (Some(_), Some(count)) if count.scalar() == Some("0") => {
            reading.observe("branch-protection-weak", count.line, "no review is required");
        }
        _ => {}
    }
}

const REVIEWS: &str = "required_pull_request_reviews";

fn has_branch(file: &File<'_>) -> bool {
    let json = file.opens_with() == Some('{');
    let yaml = file.has_ending("yml") || file.has_ending("yaml");
    let marks = ["enforce_admins", "required_status_checks", "allow_force_pushes", "restrictions"];
    (json || yaml) && file.holds(REVIEWS) && marks.iter().any(|mark| file.holds(mark))
}

fn read_branch(file: &File<'_>) -> Option<Reading> {
    let documents = match file.opens_with() {
        Some('{') => vec![tree::json(file.text())?],
        _ => tree::yaml(file.text())?,
    };
    let [document] = documents.as_slice() else { return None };
    // The Settings app lists branches; the API answers with one.
    let branches: Vec<(&str, &Node)> = match document.get("branches") {
        Some(list) => list.items().iter().filter_map(|b| Some((b.text_at("name")?, b.get("protection")?))).collect(),
        None => vec![("", document)],
    };
    let branches: Vec<_> = branches.into_iter().filter(|(_, protection)| protection.get(REVIEWS).is_some()).collect();
    let mut reading = Reading::default();
    let mut rules: Vec<String> = Vec::new();
    let (mut parameters, mut names) = (Facts::new(), Vec::new());
    for (name, protection) in &branches {
        judge_branch(protection, &mut reading);
        for (rule, node) in protection.entries().iter().filter(|(_, node)| is_on(node)) {
            rules.push(rule.clone());
            let inner = settings(node);
            if !inner.is_empty() {
                parameters.set(rule.as_str(), inner);
            }
        }
        names.push(*name);
    }
    if branches.is_empty() {
        return None;
    }
    rules.retain(|rule| rule != "url");
    rules.sort();
    rules.dedup();
    reading.facts.set("enforcement", "active");
    reading.facts.set("rules", rules);
    if !parameters.is_empty() {
        reading.facts.set("parameters", parameters);
    }
    if document.get("branches").is_some() {
        reading.facts.set("branches", names);
    }
    Some(reading)
}

/// A switch may stand alone or under `enabled`.
fn is_on(node: &Node) -> bool {
    match node.get("enabled") {
        Some(enabled) => enabled.is_true(),
        None => !matches!(node.value, Value::Null | Value::Flag(false)),
    }
}

/// One finding is enough: what is missing first, then what is let through.
fn judge_branch(protection: &Node, reading: &mut Reading) {
    let reviews = protection.get(REVIEWS);
    let count = reviews.and_then(|reviews| reviews.get("required_approving_review_count"));
    let loose = ["allow_force_pushes", "allow_deletions"]
        .iter()
        .find_map(|name| Some((*name, protection.get(name)?)).filter(|(_, node)| is_on(node)));
    match (reviews, count, loose) {
        (Some(reviews), ..) if reviews.value == Value::Null => {
            reading.observe("branch-protection-weak", reviews.line, "no pull request is required");
        }
        (_, Some(count), _) if count.scalar() == Some("0") => {
            reading.observe("branch-protection-weak", count.line, "no review is required");
        }
        (_, _, Some((name, node))) => {
            let line = node.get("enabled").map_or(node.line, |enabled| enabled.line);
            reading.observe("branch-protection-weak", line, format!("{name} is on"));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn rules_that_are_enforced_with_a_review_are_silent() {
        let text = |level: &str, count: u8| {
            format!(
                "{{\"target\": \"branch\", \"enforcement\": \"{level}\", \"rules\": [{{\"type\": \"pull_request\",\n\
                 \"parameters\": {{\"required_approving_review_count\": {count}}}}}]}}"
            )
        };
        assert_eq!(rules("a.json", &text("active", 1)), []);
        assert_eq!(rules("a.json", &text("active", 0)), [("branch-protection-weak", Some(2))]);
        assert_eq!(rules("a.json", &text("disabled", 1)), [("branch-protection-weak", Some(1))]);
        assert_eq!(kind_of("a.json", &text("strict", 1)), None);
    }

    #[test]
    fn protection_of_a_branch_is_judged_in_json_and_yaml() {
        let answer = |count: u8, forced: bool| {
            format!(
                "{{\"url\": \"x\", \"required_pull_request_reviews\": {{\n\"required_approving_review_count\": {count}}},\n\
                 \"enforce_admins\": {{\"enabled\": true}}, \"allow_force_pushes\": {{\n\"enabled\": {forced}}}}}"
            )
        };
        assert_eq!(rules("p.json", &answer(1, false)), []);
        assert_eq!(rules("p.json", &answer(0, false)), [("branch-protection-weak", Some(2))]);
        assert_eq!(rules("p.json", &answer(1, true)), [("branch-protection-weak", Some(4))]);
        let wanted = vec!["enforce_admins", "required_pull_request_reviews"];
        assert_eq!(facts("p.json", &answer(1, false)).find("rules"), Some(&wanted.into()));
        let app = "branches:\n- name: main\n  protection:\n    required_pull_request_reviews: null\n    enforce_admins: true\n";
        assert_eq!(rules(".github/settings.yml", app), [("branch-protection-weak", Some(4))]);
        let about = "required_pull_request_reviews: text\nrestrictions: none\nbranches: many\n";
        assert_eq!(kind_of("a.yml", about), None);
    }
}
