//! YAML, TOML and JSON within limits, and JSON with comments: how readers parse what may be hostile.
//!
//! Never here: what a document means; a reason that repeats a document's content, which may be a secret.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::reading::MOST_COMPONENTS;
use super::tree::File;

/// How deep a document may nest.
const MOST_DEPTH: usize = 64;

/// How far a line of YAML may be indented, in bytes.
const MOST_INDENTATION: usize = 200;

/// How many `-`, `?` and `:` may stand on one line of YAML.
const MOST_SIGNS: usize = 24;

/// A longer YAML file is not read: the largest known locks have some two million bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Reads the documents of a YAML stream.
///
/// # Errors
/// Where it is no YAML, of another shape or beyond the limits; the reason names the place.
pub(super) fn yaml<T: DeserializeOwned>(file: &File<'_>) -> Result<Vec<T>, String> {
    let text = file.text()?;
    if text.len() > MOST_BYTES {
        return Err(format!("{} bytes are more than any YAML file of its kind needs", text.len()));
    }
    if is_too_deep(text) {
        return Err("it nests too deep".to_owned());
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MOST_DEPTH,
            flow_nesting_limit: MOST_DEPTH,
            max_events: 600_000,
            max_nodes: 450_000,
            max_aliases: 2_000,
            max_anchors: 500,
            max_recorded_anchor_events: 200_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 200_000,
            max_replay_stack_depth: 8,
        },
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| match error.location() {
        Some(at) => format!("not YAML of the expected shape at line {}, column {}", at.line(), at.column()),
        None => "not YAML of the expected shape".to_owned(),
    })
}

/// Says whether YAML nests so deep that its scanner, which recurses before any budget is asked, could not bear it.
fn is_too_deep(text: &str) -> bool {
    text.lines().any(|line| {
        let inner = line.trim_start();
        let signs = inner.split_whitespace().filter(|word| ["-", "?", ":"].contains(word));
        line.len() - inner.len() > MOST_INDENTATION || signs.take(MOST_SIGNS + 1).count() > MOST_SIGNS
    })
}

/// What a TOML file may weigh: a lock of eight million bytes with nothing but hashes in it weighs less.
const MOST_TOML: usize = 3_000_000;

/// What a table weighs: its parser makes room for eleven entries at once.
const TABLE: usize = 27;

/// Says whether TOML would become too much in memory. Its parser keeps every sign before anybody can stop it, and three
/// bytes are enough for a table.
pub(super) fn is_too_much_toml(text: &str) -> bool {
    let mut weight = 0_usize;
    text.lines().any(|line| {
        weight = weight.saturating_add(toml_weight(line));
        weight > MOST_TOML
    })
}

fn toml_weight(line: &str) -> usize {
    // Of strings that go on over lines it cannot be told here where they end, so that all of the line counts.
    let skips_strings = !line.contains("\"\"\"") && !line.contains("'''");
    let (mut weight, mut within, mut escaped) = (1_usize, None, false);
    for (at, byte) in line.trim_start().bytes().enumerate() {
        if let Some(quote) = within {
            if byte == quote && !escaped {
                within = None;
            }
            escaped = byte == b'\\' && quote == b'"' && !escaped;
            continue;
        }
        weight += match byte {
            b'"' | b'\'' => {
                within = skips_strings.then_some(byte);
                1
            }
            b'[' if at == 0 => TABLE,
            b'{' | b'.' => TABLE,
            b'=' | b'[' => 4,
            b',' | b'}' | b']' => 1,
            _ => 0,
        };
    }
    weight
}

/// What JSON may weigh, in values: the largest locks of npm have a hundred thousand objects.
const MOST_JSON: usize = 6_000_000;

/// Says whether JSON would become too much in memory, where three bytes are enough for an object.
pub(super) fn is_too_much_json(bytes: &[u8]) -> bool {
    let weight = |byte: &u8| match byte {
        b'{' => 20,
        b'[' => 5,
        b',' => 1,
        _ => 0_usize,
    };
    bytes.iter().map(weight).sum::<usize>() > MOST_JSON
}

/// A list of which no more is kept than may become components, and one more, so that it is seen that there are more.
#[derive(Debug)]
pub(super) struct Bounded<T>(pub(super) Vec<T>);

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BoundedList(PhantomData))
    }
}

struct BoundedList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for BoundedList<T> {
    type Value = Bounded<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bounded<T>, A::Error> {
        let mut kept = Vec::new();
        while kept.len() <= MOST_COMPONENTS {
            match list.next_element()? {
                Some(element) => kept.push(element),
                None => return Ok(Bounded(kept)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Bounded(kept))
    }
}

/// Reads JSON that may have comments and commas before a closing bracket.
///
/// # Errors
/// As [`File::json`].
pub(super) fn jsonc<T: DeserializeOwned>(file: &File<'_>) -> Result<T, String> {
    let bytes = plain_json(file.text()?.as_bytes());
    if is_too_much_json(&bytes) {
        return Err("it holds more objects and values than any lock file needs".to_owned());
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = if error.is_data() { "of another shape" } else { "not JSON" };
        format!("{what} at line {}, column {}", error.line(), error.column())
    })
}

/// Blanks comments and trailing commas, so that every place stays where it was.
fn plain_json(bytes: &[u8]) -> Vec<u8> {
    let mut plain = bytes.to_vec();
    let mut comma = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let (length, is_blank) = match byte {
            b'"' => (string(rest), false),
            b'/' if rest.starts_with(b"//") => (memchr::memchr(b'\n', rest).unwrap_or(rest.len()), true),
            b'/' if rest.starts_with(b"/*") => {
                (memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2), true)
            }
            _ => (1, false),
        };
        if is_blank {
            blank(&mut plain, at, length);
        } else if byte == b',' {
            comma = Some(at);
        } else if !byte.is_ascii_whitespace()
            && let Some(comma) = comma.take().filter(|_| matches!(byte, b'}' | b']'))
        {
            blank(&mut plain, comma, 1);
        }
        at += length;
    }
    plain
}

/// Returns the length of the string that begins here, quotes included.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn blank(plain: &mut [u8], at: usize, length: usize) {
    for byte in plain.iter_mut().skip(at).take(length).filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::components::kind::Kind;
    use crate::domain::RepoPath;

    fn with<T>(text: &str, read: impl Fn(&File<'_>) -> T) -> T {
        let path = RepoPath::from("x");
        read(&File { path: &path, kind: Kind::GoSum, bytes: text.as_bytes(), id: None })
    }

    #[test]
    fn comments_and_trailing_commas_are_no_part_of_json() {
        let text = "{ // one, }\n \"a,}//\\\"\": [1, /* ,] */ 2, /* x */ ],\n}";
        assert_eq!(with(text, jsonc::<Value>), Ok(json!({"a,}//\"": [1, 2]})));
        for damaged in ["{\"a\": [1,,]}", "{\"a", "{\"a\\", "/*", "//", ",}"] {
            assert!(with(damaged, jsonc::<Value>).is_err(), "{damaged}");
        }
    }

    #[test]
    fn bombs_and_endless_nests_are_refused() {
        for unit in ["- ", "? ", "[", "{a: ", "- [ "] {
            assert!(with(&unit.repeat(100_000), yaml::<Value>).is_err(), "{unit}");
        }
        let level = |level: usize| {
            let below = if level == 0 { "x".to_owned() } else { format!("*a{}", level - 1) };
            format!("a{level}: &a{level} [{}]\n", [below.as_str(); 9].join(", "))
        };
        let text: String = (0..12).map(level).collect();
        assert!(with(&text, yaml::<Value>).is_err());
        assert!(with(&"[".repeat(100_000), jsonc::<Value>).is_err());
    }

    #[test]
    fn toml_of_nothing_but_tables_is_refused_and_the_largest_locks_are_not() {
        for unit in [
            "[",
            "a.",
            "{a=",
            "[a.b.c]\n",
            "a = [\"a\"]\n",
            "{ name = \"a\" },\n",
            "'''a'b''' = {}\n",
            "\"\\\"\" = {}\n",
        ] {
            assert!(is_too_much_toml(&unit.repeat(8_000_000 / unit.len())), "{unit}");
        }
        let hash = "a".repeat(64);
        let wheel = format!(
            "    {{ url = \"https://files.pythonhosted.org/packages/ab/cd/{hash}/a-1.0.0-cp310-musllinux_1_2.whl\", \
             hash = \"sha256:{hash}\", size = 1234, upload-time = \"2025-01-01T00:00:00.000Z\" }},\n"
        );
        assert!(!is_too_much_toml(&wheel.repeat(8_000_000 / wheel.len())));
        assert!(!is_too_much_toml(&"\"\"\"\nlong . text = [ of a description\n\"\"\"\n".repeat(1000)));
    }

    #[test]
    fn json_of_nothing_but_objects_is_refused_and_long_lists_are_cut() {
        for unit in ["{\"\":1},", "[1],", "{\"a\":\"b\",\"c\":\"d\"},"] {
            assert!(is_too_much_json(unit.repeat(8_000_000 / unit.len()).as_bytes()), "{unit}");
        }
        let package = r#""node_modules/package": {"version": "1.0.0", "resolved": "https://registry.npmjs.org/package/-/package-1.0.0.tgz", "integrity": "sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "dependencies": {"a": "^1.0.0", "b": "^1.0.0"}, "engines": {"node": ">=1"}},"#;
        assert!(!is_too_much_json(package.repeat(8_000_000 / package.len()).as_bytes()));
        let text = format!("[{}1]", "1,".repeat(2 * MOST_COMPONENTS));
        assert_eq!(serde_json::from_str::<Bounded<u8>>(&text).unwrap().0.len(), MOST_COMPONENTS + 1);
        assert!(serde_json::from_str::<Bounded<u8>>(&text[..text.len() - 1]).is_err());
    }

    #[test]
    fn anchors_merges_and_unknown_tags_are_borne() {
        let text = "x: &x {image: a}\ny: {<<: *x, b: !reference [c, d]}\n---\nz: 1\n";
        let documents = with(text, yaml::<Value>).unwrap();
        assert_eq!(documents, [json!({"x": {"image": "a"}, "y": {"image": "a", "b": ["c", "d"]}}), json!({"z": 1})]);
    }
}
