//! Variables in references, as the shell, Docker and Compose write them: `$A`, `${A}`, `${A:-default}`, `${A:+other}`.
//!
//! Never here: the environment. What no file sets has no value.

use std::collections::BTreeMap;

/// No reference is longer, even with its variables filled in.
const LONGEST: usize = 1000;

/// Returns the text with its variables filled in; nothing where one has no value.
pub(super) fn filled(text: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (value, left) = variable(after, values)?;
        out.push_str(&value);
        rest = left;
        if out.len() > LONGEST {
            return None;
        }
    }
    out.push_str(rest);
    (out.len() <= LONGEST).then_some(out)
}

/// Returns the value of the variable that begins here, and what follows it.
fn variable<'t>(text: &'t str, values: &BTreeMap<String, String>) -> Option<(String, &'t str)> {
    let known = |name: &str| values.get(name).filter(|value| !value.is_empty()).cloned();
    let Some(inner) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        return Some((known(name)?, rest));
    };
    let (inside, rest) = inner.split_once('}')?;
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
    let (name, operator) = inside.split_at_checked(end)?;
    let value = known(name);
    if operator.is_empty() {
        return Some((value?, rest));
    }
    let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
    if let Some(default) = default.filter(|default| !default.contains('$')) {
        return Some((value.unwrap_or_else(|| default.to_owned()), rest));
    }
    if let Some(other) = operator.strip_prefix(":+").or_else(|| operator.strip_prefix('+')) {
        return Some((value.map(|_| other.to_owned()).unwrap_or_default(), rest));
    }
    // `:?` demands a value.
    Some((value?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_count_and_unknown_variables_do_not() {
        let values = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("E".to_owned(), String::new())]);
        for (text, expected) in [
            ("x:$A-y", Some("x:1-y")),
            ("x:${A}", Some("x:1")),
            ("x:${B:-2}", Some("x:2")),
            ("x:${E:-2}", Some("x:2")),
            ("x${A:+-slim}", Some("x-slim")),
            ("x${B:+-slim}", Some("x")),
            ("x:${A?needed}", Some("x:1")),
            ("x:$B", None),
            ("x:${B", None),
            ("x:${B:-$C}", None),
            ("$", None),
        ] {
            assert_eq!(filled(text, &values).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_value_never_grows_without_end() {
        let values = BTreeMap::from([("A".to_owned(), "x".repeat(900))]);
        assert_eq!(filled(&"$A".repeat(1_000_000), &values), None);
    }
}
