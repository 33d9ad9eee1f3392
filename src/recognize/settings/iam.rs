//! AWS policies: statements that allow or deny actions on resources.
//!
//! Format: IAM JSON policy reference, version 2012-10-17. Never here: what several policies allow together.

use super::file::File;
use super::tree::{self, Node};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[Kind { name: "aws-iam-policy", class: ItemClass::Policy, looks, read }];

fn looks(file: &File<'_>) -> Likeness {
    let marks = ["\"Statement\"", "\"Effect\""];
    let object = file.opens_with() == Some('{');
    if object && marks.iter().all(|mark| file.holds(mark)) { Likeness::Maybe } else { Likeness::None }
}

fn read(file: &File<'_>) -> Option<Reading> {
    let document = tree::json(file.text())?;
    let statements = document.get("Statement")?.one_or_many();
    if statements.is_empty() || !statements.iter().all(is_statement) {
        return None;
    }
    let mut reading = Reading::default();
    for (index, statement) in statements.iter().enumerate() {
        let name = statement.text_at("Sid").filter(|sid| !sid.is_empty()).map_or(index.to_string(), str::to_owned);
        reading.facts.set(format!("Statement[{name}]"), describe(statement));
        judge(statement, &mut reading);
    }
    reading.facts.set("statements", i64::try_from(statements.len()).unwrap_or(i64::MAX));
    reading.facts.set_some("Version", document.text_at("Version"));
    Some(reading)
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

fn has(node: Option<&Node>, wanted: impl Fn(&str) -> bool) -> bool {
    node.is_some_and(|node| node.texts().iter().any(|text| wanted(text)))
}

fn judge(statement: &Node, reading: &mut Reading) {
    if statement.text_at("Effect") != Some("Allow") {
        return;
    }
    let action = statement.get("Action");
    let line = action.map_or(statement.line, |action| action.line);
    let everywhere = has(statement.get("Resource"), |resource| resource == "*");
    let everything = |action: &str| action == "*" || action == "*:*";
    if has(action, everything) && everywhere {
        reading.observe("iam-admin-star", line, "every action on every resource is allowed");
    } else if has(action, |action| everything(action) || action.ends_with(":*")) {
        reading.observe("iam-wildcard-action", line, "every action of a service is allowed");
    }
    if has(action, |action| action.eq_ignore_ascii_case("iam:PassRole")) && everywhere {
        reading.observe("iam-pass-role-star", line, "every role may be passed");
    }
    if let Some(principal) = statement.get("Principal").filter(|_| statement.get("Condition").is_none()) {
        let anyone = |node: &Node| has(Some(node), |text| text == "*");
        if anyone(principal) || principal.get("AWS").is_some_and(anyone) {
            reading.observe("iam-public-principal", principal.line, "everyone is allowed");
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
