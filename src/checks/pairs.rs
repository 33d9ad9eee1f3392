//! A certificate and the key beside it: do they belong together?
//!
//! They are held to be a pair when they stand in one folder under one stem (`tls.crt`, `tls.key`), or in one file.

use std::collections::BTreeMap;

use super::certificates::members;
use crate::domain::{ConfigurationItem, Fact, Facts, RepoPath};

/// The endings that are no part of a stem.
const ENDINGS: [&[u8]; 8] = [b".pem", b".crt", b".cer", b".cert", b".der", b".key", b".p8", b".chain"];

/// Folder and stem.
type Stand<'a> = (&'a [u8], &'a [u8]);

/// Returns the certificates whose key is another than the one beside them, each with what is wrong.
pub(super) fn mismatches(items: &[ConfigurationItem]) -> impl Iterator<Item = (&RepoPath, String)> {
    let mut keys: BTreeMap<Stand<'_>, Vec<(&ConfigurationItem, &str)>> = BTreeMap::new();
    for item in items.iter().filter(|item| matches!(item.kind.as_str(), "private-key-pem" | "private-key-der")) {
        if let Some(key) = item.facts.text("spki_sha256") {
            keys.entry(stand(item)).or_default().push((item, key));
        }
    }
    items.iter().filter_map(move |item| {
        let certified = certified_key(item)?;
        if let Some(Fact::Map(inside)) = item.facts.find("private_key") {
            let inside = inside.text("spki_sha256")?;
            let message = "the private key in this file belongs to another certificate".to_owned();
            return (inside != certified).then_some((&item.path, message));
        }
        let beside = keys.get(&stand(item))?;
        let (other, _) = beside.first()?;
        let fits = beside.iter().any(|(_, key)| *key == certified);
        (!fits).then(|| (&item.path, format!("the key beside it, {}, belongs to another certificate", other.path)))
    })
}

fn certified_key(item: &ConfigurationItem) -> Option<&str> {
    let first = |facts| -> Option<&Facts> { members(facts).next() };
    match item.kind.as_str() {
        "x509-certificate" | "x509-certificate-der" => item.facts.text("spki_sha256"),
        "certificate-bundle" | "pem-combined" => first(&item.facts)?.text("spki_sha256"),
        _ => None,
    }
}

fn stand(item: &ConfigurationItem) -> Stand<'_> {
    let mut stem = item.path.file_name();
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| stem.strip_suffix(*ending)).filter(|s| !s.is_empty()) {
        stem = shorter;
    }
    (item.path.parent(), stem)
}

#[cfg(test)]
mod tests {
    use super::super::tests::item;
    use super::*;

    fn with_key(kind: &str, path: &str, spki: &str) -> ConfigurationItem {
        let mut facts = Facts::new();
        facts.set("spki_sha256", spki);
        item(kind, path, facts)
    }

    fn told(items: &[ConfigurationItem]) -> Vec<String> {
        mismatches(items).map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn another_key_under_the_same_stem_is_told_at_the_certificate() {
        let certificate = with_key("x509-certificate", "a/tls.crt", "01");
        assert_eq!(told(&[certificate.clone(), with_key("private-key-pem", "a/tls.key", "02")]), ["a/tls.crt"]);
        assert!(told(&[certificate.clone(), with_key("private-key-pem", "a/tls.key", "01")]).is_empty());
        assert!(told(&[certificate.clone(), with_key("private-key-pem", "b/tls.key", "02")]).is_empty());
        assert!(told(&[certificate, with_key("private-key-pem", "a/other.key", "02")]).is_empty());
    }

    #[test]
    fn a_combined_file_is_its_own_pair() {
        for (spki, wrong) in [("01", false), ("02", true)] {
            let mut member = Facts::new();
            member.set("spki_sha256", "01");
            let mut key = Facts::new();
            key.set("spki_sha256", spki);
            let mut facts = Facts::new();
            facts.set("certificates", vec![member]);
            facts.set("private_key", key);
            assert_eq!(!told(&[item("pem-combined", "site.pem", facts)]).is_empty(), wrong);
        }
    }
}
