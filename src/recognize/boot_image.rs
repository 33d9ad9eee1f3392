//! Device trees of verified boot: which keys must sign a FIT image (`.its`), and with what.
//!
//! Never here: device trees that sign nothing. Serves U-Boot's documentation of FIT signatures.

use crate::domain::{Fact, Facts, ItemClass, RepoPath};

use super::text::{MOST_VALUES, bounded};
use super::{Recognized, path};

/// How large such a file may be.
const MOST_BYTES: usize = 1024 * 1024;

/// How deep nodes may nest.
const MOST_DEPTH: usize = 32;

/// Recognises a source that names a key to sign with.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let is_source = path::extension(path).is_some_and(|end| matches!(end.as_ref(), "its" | "dts" | "dtsi"));
    if !is_source || bytes.len() > MOST_BYTES || memchr::memmem::find(bytes, b"key-name-hint").is_none() {
        return None;
    }
    let text = without_comments(std::str::from_utf8(bytes).ok()?);
    let mut nodes: Vec<(String, Facts)> = Vec::new();
    let mut signatures = Vec::new();
    let mut facts = Facts::new();
    let mut rest = text.as_str();
    while let Some((statement, end, behind)) = statement(rest) {
        rest = behind;
        match end {
            '{' => {
                // A label stands before the name.
                let name = statement.rsplit(':').next().unwrap_or_default().trim();
                nodes.push((bounded(name.as_bytes()), Facts::new()));
                if nodes.len() > MOST_DEPTH {
                    return None;
                }
            }
            '}' => {
                let (name, mut node) = nodes.pop()?;
                if node.find("key_name_hint").is_some() && signatures.len() < MOST_VALUES {
                    let above: Vec<_> = nodes.iter().map(|(name, _)| name.trim_matches('/')).collect();
                    node.set("node", format!("{}/{name}", above.join("/")));
                    signatures.push(node);
                }
            }
            _ => {
                let (name, value) = statement.split_once('=').unwrap_or((statement, ""));
                let value = || bounded(value.replace('"', "").trim().as_bytes());
                let Some((_, node)) = nodes.last_mut() else { continue };
                match name.trim() {
                    "algo" => node.set("algorithm", value()),
                    "key-name-hint" => node.set("key_name_hint", value()),
                    "required" => node.set("required", value()),
                    "sign-images" => node.set("sign_images", value()),
                    "default" => facts.set("default", value()),
                    _ => {}
                }
            }
        }
    }
    facts.set("signatures", Fact::List(signatures.iter().cloned().map(Fact::Map).collect()));
    (!signatures.is_empty()).then(|| Recognized::new("fit-image-source", ItemClass::Hardening, facts))
}

/// Returns the text up to the next end of a statement outside of quotation marks, that end, and what follows.
fn statement(text: &str) -> Option<(&str, char, &str)> {
    let mut quoted = false;
    let (at, end) = text.char_indices().find(|(_, character)| {
        quoted ^= *character == '"';
        !quoted && matches!(character, '{' | '}' | ';')
    })?;
    Some((text.get(..at)?.trim(), end, text.get(at + 1..)?))
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let (before, after) = rest.split_at(at);
        kept.push_str(before);
        let end = match after.as_bytes().get(1) {
            Some(b'*') => after.find("*/").map_or(after.len(), |end| end + 2),
            Some(b'/') if !before.ends_with(':') => after.find('\n').unwrap_or(after.len()),
            _ => {
                kept.push('/');
                1
            }
        };
        rest = after.get(end..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "/dts-v1/;\n/ {\n  images { kernel { data = /incbin/(\"a;{\"); hash-1 { algo = \"sha256\"; }; }; };\n  \
        configurations {\n    default = \"conf-1\"; // the one\n    conf-1 {\n      sig: signature-1 {\n        \
        algo = \"sha256,rsa2048\"; /* { */\n        key-name-hint = \"dev\";\n        sign-images = \"fdt\", \"kernel\";\n      \
        };\n    };\n  };\n};\n";

    fn found(path: &str, text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new(path), text.as_bytes())
    }

    #[test]
    fn the_key_that_signs_a_configuration_is_told() {
        let facts = found("boot/kernel.its", SOURCE).unwrap().facts;
        assert_eq!(facts.text("default"), Some("conf-1"));
        let [Fact::Map(signature)] = facts.list("signatures") else { panic!("{facts:?}") };
        assert_eq!(signature.text("node"), Some("/configurations/conf-1/signature-1"));
        assert_eq!(signature.text("algorithm"), Some("sha256,rsa2048"));
        assert_eq!(signature.text("key_name_hint"), Some("dev"));
        assert_eq!(signature.text("sign_images"), Some("fdt, kernel"));
    }

    #[test]
    fn trees_that_sign_nothing_and_broken_ones_are_left_alone() {
        assert_eq!(found("a.its", &SOURCE.replace("key-name-hint", "hint")), None);
        assert_eq!(found("a.txt", SOURCE), None);
        assert_eq!(found("a.its", "/* key-name-hint */ / { };"), None);
        assert_eq!(found("a.its", &("key-name-hint".to_owned() + &"{".repeat(100_000))), None);
    }
}
