//! Takes secrets out of text that is to be a fact: a policy or a command line may name one where nobody expects it.
//!
//! Never here: a guess from randomness. Tokens have their shapes, addresses carry passwords before an `@`, and a literal
//! beside a name that announces a secret is one.

use std::borrow::Cow;

use super::secrecy::{self, Named, WITHHELD};
use crate::domain::{Fact, Facts};

/// What had to be taken out.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Tokens that a service handed out: nothing else has their shape.
    pub(super) tokens: Vec<zeroize::Zeroizing<String>>,
}

/// Returns facts without the secrets that stand in their text.
pub(super) fn facts(facts: &Facts, taken: &mut Taken) -> Facts {
    let mut clean = Facts::new();
    for (name, value) in facts.iter() {
        clean.set(text(name, taken), fact(value, taken));
    }
    clean
}

/// Recognisers bound how deep facts go.
fn fact(value: &Fact, taken: &mut Taken) -> Fact {
    match value {
        Fact::Text(value) => Fact::Text(text(value, taken).into_owned()),
        Fact::List(values) => Fact::List(values.iter().map(|value| fact(value, taken)).collect()),
        Fact::Map(inner) => Fact::Map(facts(inner, taken)),
        Fact::Flag(_) | Fact::Number(_) => value.clone(),
    }
}

/// Returns text without the secrets in it.
pub(super) fn text<'t>(text: &'t str, taken: &mut Taken) -> Cow<'t, str> {
    let mut out = String::new();
    let mut kept = 0;
    // The name that an operator follows, as in `input.password == "…"` or `--token=…`.
    let mut named = "";
    let mut assigned = false;
    for (start, word) in words(text) {
        let end = start + word.len();
        let token = secrecy::is_token(word);
        let secret = assigned && announces(named) && !secrecy::is_placeholder(word) && is_literal(text, start, named);
        if token {
            taken.tokens.push(zeroize::Zeroizing::new(word.to_owned()));
        }
        if token || secret {
            out.push_str(text.get(kept..start).unwrap_or_default());
            out.push_str(WITHHELD);
            kept = end;
        } else if let Some(password) = password(word) {
            out.push_str(text.get(kept..start + password.start).unwrap_or_default());
            out.push_str(WITHHELD);
            kept = start + password.end;
        }
        let after = text.get(end..).unwrap_or_default().trim_start_matches(['"', '\'']).trim_start();
        assigned = after.starts_with(['=', ':']);
        named = word;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

/// Says whether a name announces a secret. `PrivateTmp` and its like are switches.
fn announces(name: &str) -> bool {
    let is_switch = name.starts_with("Private") && !name.contains("Key");
    !is_switch && secrecy::judge(name) == Named::Secret
}

/// A literal is quoted, or stands right behind the sign of an assignment without a space.
fn is_literal(text: &str, start: usize, named: &str) -> bool {
    let before = text.get(..start).unwrap_or_default();
    before.ends_with(['"', '\'']) || before.ends_with(&format!("{named}=")[..])
}

/// Returns runs of what a name, a token or an address may consist of, with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let parts = |c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '!')
        };
        let start = rest + text.get(rest..)?.find(|c: char| !parts(c) && c != ':')?;
        let tail = text.get(start..)?;
        // A colon ends a name, but is a part of an address.
        let length = tail.find(|c: char| parts(c)).unwrap_or(tail.len());
        let word = tail.get(..length)?;
        let word = word.strip_suffix(':').unwrap_or(word);
        rest = start + length;
        Some((start, word))
    })
}

/// Returns where the password of an address stands in it.
fn password(word: &str) -> Option<std::ops::Range<usize>> {
    if !secrecy::has_credentials(word) {
        return None;
    }
    let start = word.find("://")? + 3;
    let rest = word.get(start..)?;
    let authority = rest.get(..rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
    let end = authority.rfind('@')?;
    let colon = authority.get(..end)?.find(':')?;
    Some(start + colon + 1..start + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(value: &str) -> String {
        text(value, &mut Taken::default()).into_owned()
    }

    #[test]
    fn secrets_are_taken_out_and_the_rest_stays() {
        for (value, wanted) in [
            ("allow { input.password == \"hunter2\" }", "allow { input.password == \"(withheld)\" }"),
            ("x when { context.apiKey == 'abcdef' }", "x when { context.apiKey == '(withheld)' }"),
            ("ALL = /usr/bin/mount --password=s3cr3t /mnt", "ALL = /usr/bin/mount --password=(withheld) /mnt"),
            ("postgres://app:hunter2@db/x", "postgres://app:(withheld)@db/x"),
            ("Bearer ghp_0123456789abcdefghij01", "Bearer (withheld)"),
            ("{\"token\": \"abc\"}", "{\"token\": \"(withheld)\"}"),
        ] {
            assert_eq!(masked(value), wanted);
        }
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        for value in [
            "password required pam_unix.so",
            "PasswordAuthentication no",
            "allow { input.password_length == \"12\" }",
            "token=${TOKEN}",
            "https://example.org/a:b@c",
            "secret = data.secret",
            "PrivateTmp=yes",
            "a: b, c = d",
            "",
        ] {
            assert_eq!(masked(value), value);
        }
    }

    #[test]
    fn a_token_is_told_and_a_literal_only_taken_out() {
        let mut taken = Taken::default();
        let mut before = Facts::new();
        before.set("lines", vec!["x AKIA0123456789ABCDEF y", "password='hunter2'"]);
        let after = facts(&before, &mut taken);
        assert_eq!(taken.tokens.len(), 1);
        assert!(!format!("{after:?}").contains("hunter2") && !format!("{after:?}").contains("AKIA"));
    }
}
