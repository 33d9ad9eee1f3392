//! Files that the policy declares and whose content nobody recognised: JSON, YAML and TOML as facts of their
//! canonical structure, bounded in depth, number and size.
//!
//! Never here: a value under a name that announces a secret.

use serde_json::Value;

use crate::domain::{Fact, Facts, ItemClass, RepoPath};

use super::secrecy::{self, Named, WITHHELD};
use super::text::bounded;
use super::{Recognized, path, pem, structured};

/// How deep facts may nest.
const MOST_DEPTH: usize = 16;

/// How many facts one file may give.
const MOST_FACTS: usize = 2000;

/// Reads a declared file by its extension; a file of any other format has no facts.
pub(super) fn read(path: &RepoPath, kind: &str, class: ItemClass, bytes: &[u8]) -> Recognized {
    let documents = match path::extension(path).as_deref() {
        Some("json") => structured::json(bytes).map(|document| vec![document]),
        Some("yaml" | "yml") => structured::yaml(bytes),
        Some("toml") => structured::toml(bytes).map(|document| vec![document]),
        _ => Some(Vec::new()),
    };
    let mut found = Recognized::new(kind, class, Facts::new());
    found.secret = holds_private_key(bytes);
    let Some(documents) = documents else {
        return found.unreadable(None, "declared by the policy, and neither JSON, YAML nor TOML within the limits");
    };
    let mut canon = Canon { left: MOST_FACTS, secret: None };
    found.facts = match <[Value; 1]>::try_from(documents) {
        Ok([document]) => canon.document(&document),
        Err(documents) if documents.is_empty() => Facts::new(),
        Err(documents) => {
            let list = documents.iter().map(|document| canon.value(document, 1, Named::Open)).collect();
            single("documents", Fact::List(list))
        }
    };
    if canon.left == 0 {
        found.facts.set("truncated", true);
    }
    if let Some(name) = canon.secret {
        found.secret = true;
        let line = line_of(bytes, &name);
        return found.observe(
            "secret-in-clear",
            line,
            format!("\"{}\" has a value in clear", bounded(name.as_bytes())),
        );
    }
    found
}

/// Turns a tree into facts.
struct Canon {
    left: usize,
    /// The first name that holds a secret in clear.
    secret: Option<String>,
}

impl Canon {
    fn document(&mut self, document: &Value) -> Facts {
        match self.value(document, 0, Named::Open) {
            Fact::Map(facts) => facts,
            other => single("value", other),
        }
    }

    /// `named` is what the names above say.
    fn value(&mut self, value: &Value, depth: usize, named: Named) -> Fact {
        self.left = self.left.saturating_sub(1);
        if depth >= MOST_DEPTH && matches!(value, Value::Array(_) | Value::Object(_)) {
            return Fact::from("(deeper)");
        }
        match value {
            Value::Null => Fact::from("null"),
            Value::Bool(flag) => Fact::from(*flag),
            Value::Number(_) if named == Named::Secret => Fact::from(WITHHELD),
            Value::Number(number) => number.as_i64().map_or_else(|| Fact::from(number.to_string()), Fact::from),
            Value::String(text) if named == Named::Secret && !secrecy::is_placeholder(text) => Fact::from(WITHHELD),
            Value::String(text) if secrecy::has_credentials(text) || secrecy::is_token(text) => Fact::from(WITHHELD),
            Value::String(text) => Fact::from(bounded(text.as_bytes())),
            Value::Array(list) => {
                let mut facts = Vec::new();
                for value in list {
                    if self.left == 0 {
                        break;
                    }
                    facts.push(self.value(value, depth + 1, named));
                }
                Fact::List(facts)
            }
            Value::Object(map) => {
                let mut facts = Facts::new();
                for (name, value) in map {
                    if self.left == 0 {
                        break;
                    }
                    let named = match secrecy::judge(name) {
                        Named::Open => named,
                        judged => judged,
                    };
                    self.note(name, value, named);
                    facts.set(bounded(name.as_bytes()), self.value(value, depth + 1, named));
                }
                Fact::Map(facts)
            }
        }
    }

    /// Remembers the first name whose value is a secret in clear.
    fn note(&mut self, name: &str, value: &Value, named: Named) {
        let is_secret = match value {
            Value::String(text) => {
                named == Named::Secret && !secrecy::is_placeholder(text)
                    || secrecy::has_credentials(text)
                    || secrecy::is_token(text)
            }
            Value::Number(_) => named == Named::Secret,
            Value::Array(list) => {
                named == Named::Secret
                    && list.iter().any(|value| value.as_str().is_some_and(|text| !secrecy::is_placeholder(text)))
            }
            _ => false,
        };
        if is_secret && self.secret.is_none() {
            self.secret = Some(name.to_owned());
        }
    }
}

fn single(name: &str, value: Fact) -> Facts {
    let mut facts = Facts::new();
    facts.set(name, value);
    facts
}

/// Says whether a private key stands in the file, quoted or not.
fn holds_private_key(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"PRIVATE KEY-----").is_some()
        && pem::split(bytes).whole.iter().any(|block| block.label.ends_with("PRIVATE KEY"))
}

/// Returns the line where a name first stands.
fn line_of(bytes: &[u8], name: &str) -> Option<u32> {
    let at = memchr::memmem::find(bytes, name.as_bytes())?;
    let before = memchr::memchr_iter(b'\n', bytes.get(..at)?).count();
    u32::try_from(before).ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(path: &str, text: &str) -> Recognized {
        read(&RepoPath::new(path), "policy", ItemClass::Policy, text.as_bytes())
    }

    #[test]
    fn spelling_and_order_do_not_matter() {
        let first = declared("a.yaml", "b: 1\na: {c: [x, 2.5, null]}\n");
        let second = declared("a.json", r#"{ "a": {"c": ["x", 2.5, null]}, "b": 1 }"#);
        assert_eq!(first.facts, second.facts);
        assert_eq!(first.facts.number("b"), Some(1));
        assert!(!first.secret && first.observations.is_empty());
    }

    #[test]
    fn secrets_are_withheld_and_rules_about_them_are_not() {
        let found =
            declared("a.yaml", "x: 1\ndb:\n  password: hunter2\n  password_min_length: 12\n  url: pg://a:b2@c/d\n");
        let said = format!("{found:?}");
        assert!(found.secret && !said.contains("hunter2") && !said.contains("b2"), "{said}");
        assert!(said.contains("12"));
        assert_eq!(
            found.observations.first().map(|found| (found.rule, found.line)),
            Some(("secret-in-clear", Some(3)))
        );
        assert!(!declared("a.yaml", "password: ${DB_PASSWORD}\n").secret);
    }

    #[test]
    fn lists_and_maps_below_a_secret_name_are_withheld() {
        let said = format!("{:?}", declared("a.json", r#"{"tokens": [{"value": "hunter2"}, "hunter3"], "pin": 1234}"#));
        assert!(!said.contains("hunter") && !said.contains("1234"), "{said}");
    }

    #[test]
    fn an_unreadable_file_is_observed() {
        for (path, text) in [("a.json", "{"), ("a.toml", "a = "), ("a.yaml", "a: [")] {
            let found = declared(path, text);
            assert_eq!(found.observations.first().map(|found| found.rule), Some("unreadable"), "{path}");
        }
        assert!(declared("a.txt", "{").observations.is_empty());
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        assert!(format!("{:?}", declared("a.json", &deep).facts).contains("(deeper)"));
        let wide = format!("[{}1]", "1,".repeat(100_000));
        let facts = declared("a.json", &wide).facts;
        assert_eq!((facts.flag("truncated"), facts.list("value").len() < MOST_FACTS), (Some(true), true));
    }
}
