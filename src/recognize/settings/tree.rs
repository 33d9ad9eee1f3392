//! JSON and YAML as one tree that knows its lines, so that a finding can name the place.
//!
//! JSON is read here, since no reader at hand keeps lines; YAML by `serde-saphyr` within a budget. Depth is bounded.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::recognize::structured;

/// The deepest nesting that settings have. A level of YAML takes far more of the stack than one of JSON.
const MAX_DEPTH: usize = 60;
const MAX_YAML_DEPTH: usize = 24;

/// A value, the line where it begins, and the line of the key that it stands under.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) line: u32,
    /// That of the value where there is no key.
    pub(super) key_line: u32,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Flag(bool),
    /// Numbers keep their spelling.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Returns the value under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Returns the value under a path of keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Returns the text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns text or number, as written.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text under a key.
    pub(super) fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    /// Says whether the value is `true`, or one of the words that YAML 1.1 takes for it.
    pub(super) fn is_true(&self) -> bool {
        self.value == Value::Flag(true) || matches!(self.text(), Some("yes" | "on" | "Yes" | "On"))
    }

    /// Returns the list's values; none for anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// Returns the list's values, or the value itself where one stands for a list.
    pub(super) fn one_or_many(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ => std::slice::from_ref(self),
        }
    }

    /// Returns the map's entries in their order; none for anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the first text of a list, or the one text, that is wanted.
    pub(super) fn find_text(&self, wanted: impl Fn(&str) -> bool) -> Option<&Self> {
        self.one_or_many().iter().find(|node| node.scalar().is_some_and(&wanted))
    }

    /// Returns the texts of a list, or the one text.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.one_or_many().iter().filter_map(Self::scalar).collect()
    }
}

/// Reads one JSON value; comments and a comma before a closing bracket are passed over.
pub(super) fn json(text: &str) -> Option<Node> {
    json_from(text, 1)
}

/// Reads one JSON value that begins on a given line of its file.
pub(super) fn json_from(text: &str, line: u32) -> Option<Node> {
    let mut reader = Json { rest: text, line };
    let node = reader.value(0)?;
    reader.skip()?;
    reader.rest.is_empty().then_some(node)
}

struct Json<'a> {
    rest: &'a str,
    line: u32,
}

impl Json<'_> {
    fn skip(&mut self) -> Option<()> {
        loop {
            let trimmed = self.rest.trim_start();
            self.advance(self.rest.len() - trimmed.len())?;
            let length = match self.rest {
                rest if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                rest if rest.starts_with("/*") => rest.find("*/")? + 2,
                _ => return Some(()),
            };
            self.advance(length)?;
        }
    }

    fn advance(&mut self, length: usize) -> Option<()> {
        let (gone, rest) = self.rest.split_at_checked(length)?;
        let lines = memchr::memchr_iter(b'\n', gone.as_bytes()).count();
        self.line = self.line.saturating_add(u32::try_from(lines).ok()?);
        self.rest = rest;
        Some(())
    }

    fn take(&mut self, mark: char) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip()?;
        let line = self.line;
        let value = match self.rest.chars().next()? {
            '{' => self.map(depth)?,
            '[' => self.list(depth)?,
            '"' => Value::Text(self.text()?),
            _ => self.word()?,
        };
        Some(Node { line, key_line: line, value })
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        self.take('{');
        let mut entries = Vec::new();
        loop {
            self.skip()?;
            if self.take('}') {
                return Some(Value::Map(entries));
            }
            let key_line = self.line;
            let key = self.text()?;
            self.skip()?;
            if !self.take(':') {
                return None;
            }
            entries.push((key, Node { key_line, ..self.value(depth + 1)? }));
            self.skip()?;
            if !self.take(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.take('[');
        let mut values = Vec::new();
        loop {
            self.skip()?;
            if self.take(']') {
                return Some(Value::List(values));
            }
            values.push(self.value(depth + 1)?);
            self.skip()?;
            if !self.take(',') && !self.rest.starts_with(']') {
                return None;
            }
        }
    }

    /// Finds the closing mark and leaves the escapes to `serde_json`.
    fn text(&mut self) -> Option<String> {
        let bytes = self.rest.as_bytes();
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let mut at = 1;
        loop {
            at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes.get(at) == Some(&b'"') {
                break;
            }
            at += 2;
        }
        let text = serde_json::from_str(self.rest.get(..=at)?).ok()?;
        self.advance(at + 1)?;
        Some(text)
    }

    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| c.is_whitespace() || ",]}/".contains(c)).unwrap_or(self.rest.len());
        let word = self.rest.get(..end)?;
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            number if number.parse::<f64>().is_ok() => Value::Number(number.to_owned()),
            _ => return None,
        };
        self.advance(end)?;
        Some(value)
    }
}

/// Reads every document of a YAML stream, empty ones left out; none when one cannot be read.
pub(super) fn yaml(text: &str) -> Option<Vec<Node>> {
    if structured::is_too_deep(text) {
        return None;
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_YAML_DEPTH,
            flow_nesting_limit: MAX_YAML_DEPTH,
            max_events: 200_000,
            max_aliases: 2_000,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        // `on:` is the name of a key of workflows.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
    };
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<Value>>(text, options).ok()?;
    Some(documents.into_iter().map(node).filter(|node| node.value != Value::Null).collect())
}

fn node(spanned: Spanned<Value>) -> Node {
    let line = line_of(&spanned);
    Node { line, key_line: line, value: spanned.value }
}

fn line_of<T>(spanned: &Spanned<T>) -> u32 {
    u32::try_from(spanned.referenced.line()).unwrap_or(u32::MAX)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(format!("{value:?}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_byte_buf<E>(self, _: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(spanned) = access.next_element::<Spanned<Value>>()? {
            list.push(node(spanned));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Spanned<Value>>()? {
            let key_line = line_of(&key);
            let value = Node { key_line, ..node(access.next_value::<Spanned<Value>>()?) };
            let key = match key.value {
                Value::Text(text) | Value::Number(text) => text,
                Value::Flag(flag) => flag.to_string(),
                _ => continue,
            };
            entries.push((key, value));
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_values_know_their_lines() {
        let tree = json("{\n \"a\": [1,\n  \"x\\n\\u00e4\"], // why\n \"b\": {\"c\": true,},\n}\n").unwrap();
        assert_eq!(
            tree.get("a").unwrap().items()[1],
            Node { line: 3, key_line: 3, value: Value::Text("x\nä".to_owned()) }
        );
        assert_eq!(tree.at(&["b", "c"]).unwrap().line, 4);
    }

    #[test]
    fn broken_json_is_refused() {
        for text in ["", "{", "{\"a\"}", "[1 2]", "{\"a\":1} x", "\"\\", "{\"a\":nul}", &"[".repeat(5_000)] {
            assert_eq!(json(text), None, "{text:.20}");
        }
    }

    #[test]
    fn yaml_values_know_their_lines_over_all_documents() {
        let documents = yaml("a: b\n---\non: push\nlist:\n- {x: 1}\n- y\n").unwrap();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[1].get("list").unwrap().items()[1].line, 6);
        assert_eq!(documents[1].get("list").unwrap().key_line, 4);
        assert_eq!(documents[1].text_at("on"), Some("push"));
        assert_eq!(documents[1].get("list").unwrap().items()[0].get("x").unwrap().scalar(), Some("1"));
    }

    #[test]
    fn hostile_yaml_is_refused() {
        let steps = |sign: &str, depth| {
            let lines: Vec<String> = (0..depth).map(|at| " ".repeat(at) + sign).collect();
            lines.join("\n")
        };
        let stairs = [steps("a:", 1_000), steps("-", 190), steps("a:", 190), steps("?", 190)];
        let deep = ["[", "{a: ", "- ", "? ", "-\t", ": ", "- ? ", "!!a ", "&a ", "- &a ", "- !t "]
            .map(|unit| unit.repeat(50_000));
        for text in deep.iter().chain(&stairs) {
            assert_eq!(yaml(text), None, "{text:.10}");
        }
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n\
                    f: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
        assert_eq!(yaml(bomb), None);
    }
}
