//! Environment files: names, open values, and which secrets stand in them.
//!
//! Never here: a secret's value, or substitution. Serves the grammar that Docker, systemd and dotenv libraries share.

use crate::domain::{Fact, Facts, RepoPath};

use super::secrecy::{self, Named, WITHHELD};
use super::text::{MOST_VALUES, bounded};
use super::{Recognized, embedded, path};

/// How large an environment file may be.
const MOST_BYTES: usize = 256 * 1024;

/// Recognises an environment file by its name and grammar.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let file = path::lower_name(path);
    let named = file == ".env" || file.starts_with(".env.") || path::extension(path).as_deref() == Some("env");
    // Of other files only those are wanted that set variables, and one of them to a private key.
    let is_wanted = || named || is_shell(path, &file) && embedded::may_hold(bytes);
    if bytes.len() > MOST_BYTES || !is_wanted() {
        return None;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let variables = parse(&String::from_utf8_lossy(bytes))?;
    if !named && !variables.iter().any(|variable| variable.key) {
        return None;
    }
    let sample = ["example", "sample", "template", "dist", "defaults"].iter().any(|word| file.contains(word));
    let mut shown = Facts::new();
    let mut clear = Vec::new();
    for variable in variables.iter().take(MOST_VALUES) {
        let secret = variable.is_secret();
        if secret && !sample {
            clear.push(variable);
        }
        let text = if secret { WITHHELD.to_owned() } else { bounded(variable.value.as_bytes()) };
        shown.set(bounded(variable.name.as_bytes()), text);
    }
    let mut facts = Facts::new();
    let names = variables.iter().take(MOST_VALUES).map(|variable| bounded(variable.name.as_bytes()));
    facts.set("keys", names.collect::<Vec<_>>());
    facts.set("values", Fact::Map(shown));
    let mut found = Recognized::key("dotenv", facts);
    found.secret = !clear.is_empty();
    Some(clear.into_iter().fold(found, |found, variable| {
        if variable.key {
            return found.with_clear_key(Some(variable.line));
        }
        let message = format!("\"{}\" has a value in clear", bounded(variable.name.as_bytes()));
        found.observe("secret-in-clear", Some(variable.line), message)
    }))
}

struct Variable {
    name: String,
    value: String,
    line: u32,
    /// Whether the value is a private key in clear.
    key: bool,
}

impl Variable {
    fn is_secret(&self) -> bool {
        let named = self.key || secrecy::judge(&self.name) == Named::Secret && !secrecy::is_placeholder(&self.value);
        named || secrecy::has_credentials(&self.value) || secrecy::is_token(&self.value)
    }
}

/// Says whether shells read such a file.
fn is_shell(path: &RepoPath, file: &str) -> bool {
    const READ: [&str; 8] = ["bash", "bash_profile", "bashrc", "envrc", "profile", "sh", "zsh", "zshrc"];
    !file.contains('.') || path::extension(path).is_some_and(|extension| READ.contains(&extension.as_ref()))
}

/// Returns every assignment; none when a line is anything else.
fn parse(text: &str) -> Option<Vec<Variable>> {
    let mut variables = Vec::new();
    let mut lines = text.lines().zip(1_u32..);
    while let Some((line, number)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let name = name.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        if name.is_empty() || !name.bytes().all(plain) {
            return None;
        }
        let value = value.trim();
        let value = match value.chars().next().filter(|quote| matches!(quote, '"' | '\'')) {
            Some(quote) => quoted(value, quote, &mut lines),
            None => value.split(" #").next().unwrap_or_default().trim_end().to_owned(),
        };
        let key = embedded::may_hold(value.as_bytes()) && embedded::keys(value.as_bytes()).iter().any(|key| key.clear);
        variables.push(Variable { name: name.to_owned(), value, line: number, key });
    }
    (!variables.is_empty()).then_some(variables)
}

/// Returns a quoted value, which may go on over some lines.
fn quoted<'a>(first: &str, quote: char, lines: &mut impl Iterator<Item = (&'a str, u32)>) -> String {
    let rest = first.get(1..).unwrap_or_default();
    let mut value = String::new();
    for line in std::iter::once(rest).chain(lines.map(|(line, _)| line)) {
        if let Some(end) = line.find(quote) {
            value.push_str(line.get(..end).unwrap_or_default());
            break;
        }
        value.push_str(line);
        value.push('\n');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new(path), text.as_bytes())
    }

    #[test]
    fn secrets_are_named_with_their_lines_and_withheld() {
        let text = "# x\nLOG=debug # why\nexport API_KEY='hunter2\nhunter3'\r\nURL=pg://a:hunter4@c\nX=ghp_0123456789abcdefghijABCDEFGHIJ012345\n";
        let found = found("a/.env.prod", text).unwrap();
        assert_eq!(found.observations.iter().map(|seen| seen.line).collect::<Vec<_>>(), [Some(3), Some(5), Some(6)]);
        let said = format!("{found:?}");
        assert!(found.secret && !said.contains("hunter") && !said.contains("ghp_") && said.contains("debug"), "{said}");
    }

    #[test]
    fn a_private_key_is_seen_whatever_its_name_and_in_exports_of_shells() {
        let key = "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\\n-----END PRIVATE KEY-----";
        let text = format!("A=b\nSERVICE=\"{key}\"\n");
        let found_in =
            |path, text: &str| found(path, text).map(|found| (found.observations[0].rule, found.observations[0].line));
        assert_eq!(found_in(".env", &text), Some(("private-key-in-clear", Some(2))));
        let export = format!("#!/bin/sh\nexport SERVICE='{}'\n", key.replace("\\n", "\n"));
        for path in [".envrc", "set-env.sh", "secrets"] {
            assert_eq!(found_in(path, &export), Some(("private-key-in-clear", Some(2))), "{path}");
            assert_eq!(found(path, &format!("{export}\nmake install\n")), None);
        }
        assert_eq!(found(".envrc", "export A=b\n"), None);
    }

    #[test]
    fn a_template_is_no_leak() {
        let found = found(".env.example", "DB_PASSWORD=secret\n").unwrap();
        assert!(!found.secret && found.observations.is_empty());
    }

    #[test]
    fn scripts_and_other_names_are_left_alone() {
        assert_eq!(found(".env", "if true; then\nA=b\nfi\n"), None);
        assert_eq!(found(".env", "# nothing\n"), None);
        assert_eq!(found("settings", "A=b\n"), None);
    }
}
