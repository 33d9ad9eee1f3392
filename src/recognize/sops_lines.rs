//! What SOPS encrypted line by line: environment files and INI files.
//!
//! Names and recipients become facts; values never do. Never here: YAML and JSON. Serves SOPS' documentation.

use std::collections::BTreeSet;

use crate::domain::{Facts, RepoPath};

use super::secrecy::{self, Named};
use super::text::{MOST_VALUES, bounded};
use super::{Recognized, path};

/// How large such a file may be.
const MOST_BYTES: usize = 1024 * 1024;

/// Recognises a file by the checksum that SOPS leaves in it.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let has = |marker: &[u8]| memchr::memmem::find(bytes, marker).is_some();
    if bytes.len() > MOST_BYTES || path::is_about(path) || !has(b"=ENC[") && !has(b"= ENC[") {
        return None;
    }
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
    let (mut section, mut has_mac) = (String::new(), false);
    let (mut recipients, mut encrypted, mut plain) = (BTreeSet::new(), Vec::new(), Vec::new());
    let mut facts = Facts::new();
    let mut clear = None;
    for (line, number) in text.lines().map(str::trim).zip(1_u32..) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let (name, value) = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()))?;
        let own =
            if section == "sops" { Some(name) } else { name.strip_prefix("sops_").filter(|_| section.is_empty()) };
        match own {
            Some("mac") => has_mac = value.starts_with("ENC["),
            Some(field @ ("version" | "lastmodified")) => facts.set(field, bounded(value.as_bytes())),
            Some(field) if is_recipient(field) && recipients.len() < MOST_VALUES => {
                recipients.insert(bounded(value.as_bytes()));
            }
            Some(_) => {}
            None => {
                let whole = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
                let list = if value.starts_with("ENC[") { &mut encrypted } else { &mut plain };
                if list.len() < MOST_VALUES {
                    list.push(bounded(whole.as_bytes()));
                }
                let secret = secrecy::judge(name) == Named::Secret && !secrecy::is_placeholder(value);
                clear = clear.or_else(|| secret.then_some((number, whole)));
            }
        }
    }
    encrypted.sort();
    plain.sort();
    facts.set("recipients", recipients.into_iter().collect::<Vec<_>>());
    facts.set("encrypted_keys", encrypted);
    facts.set("plain_keys", plain);
    let mut found = has_mac.then(|| Recognized::key("sops-file", facts))?;
    if let Some((line, name)) = clear {
        found.secret = true;
        found =
            found.observe("secret-in-clear", Some(line), format!("\"{}\" is not encrypted", bounded(name.as_bytes())));
    }
    Some(found)
}

/// `age__list_0__map_recipient`, and the like of the other services.
fn is_recipient(field: &str) -> bool {
    ["_recipient", "_fp", "_arn", "_resource_id", "_vault_url", "_vault_address"].iter().any(|end| field.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new(path), text.as_bytes())
    }

    #[test]
    fn both_forms_tell_their_recipients() {
        let env = "A=ENC[AES256_GCM,data:x]\nB=c\nsops_age__list_0__map_recipient=age1x\nsops_age__list_0__map_enc=-----BEGIN\nsops_mac=ENC[x]\nsops_version=3.9.0\n";
        let ini = "[db]\nA = ENC[AES256_GCM,data:x]\nB = c\n[sops]\nage__list_0__map_recipient = age1x\nmac = ENC[x]\nversion = 3.9.0\n";
        for (path, text, name) in [("a.env", env, "A"), ("a.ini", ini, "db.A")] {
            let facts = found(path, text).unwrap().facts;
            assert_eq!(facts.list("recipients"), ["age1x".into()], "{path}");
            assert_eq!((facts.list("encrypted_keys"), facts.text("version")), (&[name.into()][..], Some("3.9.0")));
        }
    }

    #[test]
    fn a_value_left_in_clear_is_seen_and_not_told() {
        let found = found("a.env", "X=ENC[x]\nDB_PASSWORD=hunter2\nsops_mac=ENC[x]\n").unwrap();
        assert_eq!((found.observations[0].rule, found.observations[0].line), ("secret-in-clear", Some(2)));
        assert!(found.secret && !format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn files_without_the_checksum_are_none() {
        assert_eq!(found("a.env", "X=ENC[x]\n"), None);
        assert_eq!(found("a.md", "X=ENC[x]\nsops_mac=ENC[x]\n"), None);
        assert_eq!(found("a", "prose about X=ENC[x]\nand more\n"), None);
    }
}
