//! JSON, YAML and TOML as one tree, each parsed within limits: size, depth, number of values, aliases.
//!
//! Never here: what a document means.

use serde_json::Value;

/// How large a structured file may be.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// How deep a document may nest.
const MOST_DEPTH: usize = 64;

/// Returns a JSON document.
pub(super) fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bounded(bytes)?).ok()
}

/// How far a line of YAML may be indented, in bytes.
const MOST_INDENTATION: usize = 200;

/// How many `-`, `?` and `:` may stand on one line of YAML.
const MOST_SIGNS: usize = 24;

/// Says whether YAML nests so deep that its scanner, which recurses before any budget is asked, could not bear it.
pub(super) fn is_too_deep(text: &str) -> bool {
    text.lines().any(|line| {
        let inner = line.trim_start();
        let signs = inner.split_whitespace().filter(|word| ["-", "?", ":"].contains(word));
        line.len() - inner.len() > MOST_INDENTATION || signs.take(MOST_SIGNS + 1).count() > MOST_SIGNS
    })
}

/// Returns the documents of a YAML stream.
pub(super) fn yaml(bytes: &[u8]) -> Option<Vec<Value>> {
    let text = std::str::from_utf8(bounded(bytes)?).ok()?;
    if is_too_deep(text) {
        return None;
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MOST_DEPTH,
            flow_nesting_limit: MOST_DEPTH,
            max_events: 200_000,
            max_nodes: 100_000,
            max_aliases: 200,
            max_anchors: 200,
            max_recorded_anchor_events: 100_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 8,
        },
    };
    serde_saphyr::from_multiple_with_options(text, options).ok()
}

/// Returns a TOML document; moments become text.
pub(super) fn toml(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bounded(bytes)?).ok()?;
    let table: toml::Table = toml::from_str(text).ok()?;
    Some(from_toml(toml::Value::Table(table)))
}

fn bounded(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    (bytes.len() <= MOST_BYTES).then_some(bytes)
}

/// The parser bounds the depth.
fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(list) => list.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, from_toml(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_that_nests_without_end_is_refused_before_it_is_scanned() {
        for unit in ["- ", "? ", "[", "{a: ", "- [ "] {
            assert_eq!(yaml(unit.repeat(100_000).as_bytes()), None, "{unit}");
        }
        let stairs: String = (0..2_000).map(|depth| format!("{}-\n", " ".repeat(depth))).collect();
        assert_eq!(yaml(stairs.as_bytes()), None);
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let level = |level: usize| {
            let below = if level == 0 { "x".to_owned() } else { format!("*a{}", level - 1) };
            format!(
                "a{level}: &a{level} [{}]
",
                [below.as_str(); 9].join(", ")
            )
        };
        let text: String = (0..12).map(level).collect();
        assert_eq!(yaml(text.as_bytes()), None);
    }

    #[test]
    fn depth_is_bounded_in_every_format() {
        let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(5000), close.repeat(5000));
        assert_eq!(json(deep("[", "]").as_bytes()), None);
        assert_eq!(yaml(deep("[", "]").as_bytes()), None);
        assert_eq!(toml(format!("a = {}", deep("[", "]")).as_bytes()), None);
        assert_eq!(yaml(deep("- ", "").as_bytes()), None);
    }

    #[test]
    fn the_three_formats_make_one_tree() {
        let expected = serde_json::json!({"a": [1, true, "x"], "b": {"c": "2026-01-01"}});
        assert_eq!(json(br#"{"a":[1,true,"x"],"b":{"c":"2026-01-01"}}"#).as_ref(), Some(&expected));
        assert_eq!(yaml(b"a: [1, true, x]\nb: {c: 2026-01-01}\n"), Some(vec![expected.clone()]));
        assert_eq!(toml(b"a = [1, true, \"x\"]\nb.c = 2026-01-01\n"), Some(expected));
        assert_eq!(yaml(b"a: 1\n---\nb: 2\n").map(|documents| documents.len()), Some(2));
    }
}
