//! AWS policies: statements that allow or deny actions on resources.
//!
//! Format: IAM JSON policy reference, version 2012-10-17; alone, or inside templates and what the API answers, in JSON or
//! YAML. Never here: what several policies allow together.

use super::file::File;
use super::tree::{self, Node};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[Kind { name: "aws-iam-policy", class: ItemClass::Policy, looks, read }];

/// Keys that hold statements: the grammar's own, and those of the Serverless framework.
const HOLDERS: [&str; 3] = ["Statement", "iamRoleStatements", "statements"];

/// Keys of templates that say nothing of whose policy stands there.
const WRAPPERS: [&str; 6] = ["Resources", "Properties", "PolicyDocument", "PolicyDocuments", "Policies", "Policy"];

fn looks(file: &File<'_>) -> Likeness {
    let yaml = ["yaml", "yml", "template"].iter().any(|ending| file.has_ending(ending));
    let plausible = (file.opens_with() == Some('{') || yaml)
        && HOLDERS.iter().any(|holder| file.holds(holder))
        && has_effect(file.text());
    if plausible { Likeness::Maybe } else { Likeness::None }
}

/// Says whether `Effect` stands somewhere as a key with one of its two values.
fn has_effect(text: &str) -> bool {
    const KEY: &str = "Effect";
    memchr::memmem::find_iter(text.as_bytes(), KEY).any(|at| {
        let rest = text.get(at + KEY.len()..).unwrap_or_default().trim_start_matches(['"', '\'']).trim_start();
        let value = rest.strip_prefix(':').map(|value| value.trim_start().trim_start_matches(['"', '\'']));
        value.is_some_and(|value| value.starts_with("Allow") || value.starts_with("Deny"))
    })
}

fn read(file: &File<'_>) -> Option<Reading> {
    let documents = match file.opens_with() {
        Some('{') => vec![tree::json(file.text())?],
        _ => tree::yaml(file.text())?,
    };
    // An interface may carry the policy of its gateway, and stays an interface.
    if documents.iter().any(|document| document.get("openapi").or(document.get("swagger")).is_some()) {
        return None;
    }
    let mut reading = Reading::default();
    let mut count = 0_i64;
    for document in &documents {
        for (place, statements) in policies(document) {
            for (index, statement) in statements.iter().enumerate() {
                add(&place, index, statement, &mut reading);
                count += 1;
            }
        }
    }
    if count == 0 {
        return None;
    }
    reading.observations.sort_by_key(|seen| seen.line);
    reading.facts.set("statements", count);
    reading.facts.set_some("Version", documents.first().and_then(|document| document.text_at("Version")));
    Some(reading)
}

/// Returns every list of statements in a document, with the names on the way to it.
pub(super) fn policies(document: &Node) -> Vec<(String, &[Node])> {
    let mut found = Vec::new();
    search(document, &mut Vec::new(), &mut found);
    found
}

/// The tree's depth is bounded.
fn search<'n>(node: &'n Node, path: &mut Vec<&'n str>, found: &mut Vec<(String, &'n [Node])>) {
    for (name, inner) in node.entries() {
        let statements = inner.one_or_many();
        if HOLDERS.contains(&name.as_str()) && !statements.is_empty() && statements.iter().all(is_statement) {
            let place: Vec<&str> = path.iter().copied().filter(|name| !WRAPPERS.contains(name)).collect();
            found.push((place.join("."), statements));
            continue;
        }
        path.push(name);
        search(inner, path, found);
        path.pop();
    }
    node.items().iter().for_each(|inner| search(inner, path, found));
}

/// Adds a statement to the facts and judges it. Its name is its Sid or its number, behind the place that it stands in.
pub(super) fn add(place: &str, index: usize, statement: &Node, reading: &mut Reading) {
    let own = statement.text_at("Sid").filter(|sid| !sid.is_empty()).map_or(index.to_string(), str::to_owned);
    let named = |own: &str| match place {
        "" => format!("Statement[{own}]"),
        place => format!("Statement[{place} {own}]"),
    };
    let mut name = named(&own);
    if reading.facts.find(&name).is_some() {
        name = named(&format!("{own} {index}"));
    }
    reading.facts.set(name, describe(statement));
    judge(statement, reading);
}

fn is_statement(node: &Node) -> bool {
    let effect = matches!(node.text_at("Effect"), Some("Allow" | "Deny"));
    effect && (node.get("Action").is_some() || node.get("NotAction").is_some())
}

/// Lists are sorted: their order means nothing. A single value stays one.
fn describe(statement: &Node) -> Facts {
    let mut facts = Facts::new();
    for (name, node) in statement.entries() {
        if name != "Sid" {
            facts.set(name.as_str(), fact(node));
        }
    }
    facts
}

fn fact(node: &Node) -> Fact {
    match (node.scalar(), node.entries(), node.items()) {
        (Some(text), ..) => text.into(),
        (None, [], items) => {
            let mut values: Vec<Fact> = items.iter().filter_map(Node::scalar).map(Fact::from).collect();
            values.sort();
            match values.as_slice() {
                [] if node.is_true() => true.into(),
                [one] => one.clone(),
                _ => Fact::List(values),
            }
        }
        (None, entries, _) => {
            let mut facts = Facts::new();
            for (name, inner) in entries {
                facts.set(name.as_str(), fact(inner));
            }
            facts.into()
        }
    }
}

/// Each finding has the line of the value at fault.
fn judge(statement: &Node, reading: &mut Reading) {
    if statement.text_at("Effect") != Some("Allow") {
        return;
    }
    let action = |wanted: fn(&str) -> bool| statement.get("Action").and_then(|action| action.find_text(wanted));
    let everywhere = statement.get("Resource").is_some_and(|node| node.find_text(|text| text == "*").is_some());
    let everything = action(|action| action == "*" || action == "*:*");
    match everything {
        Some(all) if everywhere => {
            reading.observe("iam-admin-star", all.line, "every action on every resource is allowed");
        }
        _ => {
            if let Some(all) = everything.or_else(|| action(|action| action.ends_with(":*"))) {
                reading.observe("iam-wildcard-action", all.line, "every action of a service is allowed");
            }
        }
    }
    if let Some(pass) = action(|action| action.eq_ignore_ascii_case("iam:PassRole")).filter(|_| everywhere) {
        reading.observe("iam-pass-role-star", pass.line, "every role may be passed");
    }
    if let Some(principal) = statement.get("Principal").filter(|_| statement.get("Condition").is_none()) {
        let anyone = |node: &Node| node.find_text(|text| text == "*").map(|node| node.line);
        if let Some(line) = anyone(principal).or_else(|| principal.get("AWS").and_then(anyone)) {
            reading.observe("iam-public-principal", line, "everyone is allowed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use crate::domain::Fact;

    fn policy(statement: &str) -> String {
        format!("{{\"Statement\": [{{\"Effect\": \"Allow\",\n{statement}}}]}}")
    }

    #[test]
    fn each_widening_has_its_rule() {
        for (statement, rule) in [
            (r#""Action": "*", "Resource": ["*"]"#, "iam-admin-star"),
            (r#""Action": ["s3:*"], "Resource": "arn:aws:s3:::a""#, "iam-wildcard-action"),
            (r#""Action": "iam:passrole", "Resource": "*""#, "iam-pass-role-star"),
            (r#""Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "a""#, "iam-public-principal"),
        ] {
            assert_eq!(rules("a.json", &policy(statement)), [(rule, Some(2))], "{statement}");
        }
    }

    #[test]
    fn narrow_statements_are_silent() {
        for statement in [
            r#""Action": ["s3:Get*", "s3:ListBucket"], "Resource": "*""#,
            r#""Action": "iam:PassRole", "Resource": "arn:aws:iam::1:role/a""#,
            r#""Principal": "*", "Action": "s3:GetObject", "Resource": "a", "Condition": {"Bool": {"a": "true"}}"#,
        ] {
            assert_eq!(rules("a.json", &policy(statement)), [], "{statement}");
        }
        let deny = r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#;
        assert_eq!(rules("a.json", deny), []);
    }

    #[test]
    fn the_order_of_actions_is_no_fact() {
        let one = facts("a", &policy(r#""Sid": "R", "Action": ["b", "a"], "Resource": "r""#));
        let two = facts("a", &policy(r#""Resource": "r", "Action": ["a", "b"], "Sid": "R""#));
        assert_eq!(one, two);
        let Some(Fact::Map(statement)) = one.find("Statement[R]") else { panic!("{one:?}") };
        assert_eq!(statement.find("Action"), Some(&vec!["a", "b"].into()));
    }

    #[test]
    fn policies_inside_templates_and_answers_are_found_and_named_by_their_place() {
        let template = "Resources:\n  R:\n    Properties:\n      Policies:\n      - PolicyDocument:\n          Statement:\n          \
                        - Effect: Allow\n            Action:\n            - s3:GetObject\n            - iam:PassRole\n            \
                        Resource: '*'\n          - {Effect: Allow, Action: 'a:b', Resource: !Sub 'x${y}'}\n";
        assert_eq!(rules("stack.yaml", template), [("iam-pass-role-star", Some(10))]);
        let found = facts("stack.yaml", template);
        assert_eq!(found.number("statements"), Some(2));
        assert!(found.find("Statement[R 1]").is_some(), "{found:?}");
        let answer = r#"{"Role": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "sts:AssumeRole"}]}}}"#;
        assert_eq!(rules("role.json", answer), [("iam-public-principal", Some(1))]);
        let interface = r#"{"openapi": "3.0.0", "info": {"title": "a", "version": "1"}, "x-policy": {"Statement": {"Effect": "Allow", "Action": "a:b"}}}"#;
        assert_eq!(kind_of("api.json", interface).as_deref(), Some("openapi"));
    }

    #[test]
    fn texts_with_the_same_words_are_not_taken() {
        for text in [
            r#"{"Statement": "marketing", "Effect": "big"}"#,
            r#"{"Statement": [], "Effect": "Allow"}"#,
            r#"{"Statement": [{"Effect": "Maybe", "Action": "x"}]}"#,
            r#"{"Statement": [{"Effect": "Allow"}]"#,
        ] {
            assert_eq!(kind_of("a.json", text), None, "{text}");
        }
    }
}
