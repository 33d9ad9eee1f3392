//! Chains of certificates: is each followed by its issuer, and is the issuer the one that it names?
//!
//! RFC 8446 4.4.2 and RFC 5280 4.2.1.1. Never here: signatures. A name and a key's id show which authority is meant,
//! not whether it signed.

use std::collections::BTreeMap;

use super::Verdict;
use super::certificates::members;
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Facts, RepoPath};

/// Returns what is wrong with the chains of the items, each at its file.
pub(super) fn judge(items: &[ConfigurationItem]) -> Vec<(&RepoPath, Verdict)> {
    let mut found = Vec::new();
    for item in items.iter().filter(|item| matches!(item.kind.as_str(), "certificate-bundle" | "pem-combined")) {
        let members: Vec<&Facts> = members(&item.facts).collect();
        found.extend(judge_order(&members).map(|verdict| (&item.path, verdict)));
    }
    found.extend(issued_by_another_key(items));
    found
}

/// Only what begins with a leaf is meant to be a chain; everything else is a set of anchors, whose order is nobody's
/// business. A root may be absent: whoever verifies has it.
fn judge_order(members: &[&Facts]) -> Option<Verdict> {
    let (leaf, others) = members.split_first()?;
    let only_authorities = others.iter().all(|member| member.flag("is_ca") == Some(true));
    if leaf.flag("is_ca") != Some(false) || is_root(leaf) || others.is_empty() || !only_authorities {
        return None;
    }
    for (at, pair) in members.windows(2).enumerate() {
        let [certificate, next] = pair else { continue };
        let issuer = certificate.text("issuer")?;
        // Two authorities of one name in a row are two ways to a root.
        let fits = next.text("subject") == Some(issuer) || next.text("subject") == certificate.text("subject");
        if is_root(certificate) {
            return None;
        }
        if fits {
            continue;
        }
        let subject = certificate.text("subject").unwrap_or_default().shown();
        if members.iter().any(|member| member.text("subject") == Some(issuer)) {
            return Some((
                "chain-out-of-order",
                format!("{subject} is not followed by its issuer, which stands elsewhere"),
            ));
        }
        let missing = || format!("{subject} is followed by others, and its issuer {} is missing", issuer.shown());
        return (at == 0).then(|| ("chain-incomplete", missing()));
    }
    None
}

fn is_root(facts: &Facts) -> bool {
    facts.text("subject") == facts.text("issuer")
}

/// An authority of the issuer's name stands here, and has another key than the one that the certificate names.
/// Silent where any authority of that name does not tell its key's id, since it may be the one.
fn issued_by_another_key(items: &[ConfigurationItem]) -> impl Iterator<Item = (&RepoPath, Verdict)> {
    let mut authorities: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
    for facts in items.iter().flat_map(certificates).filter(|facts| facts.flag("is_ca") != Some(false)) {
        if let Some(subject) = facts.text("subject") {
            authorities.entry(subject).or_default().push(facts.text("ski"));
        }
    }
    items.iter().filter_map(move |item| {
        let facts = standing_alone(item).filter(|facts| !is_root(facts))?;
        let (issuer, wanted) = (facts.text("issuer")?, facts.text("aki")?);
        let known = authorities.get(issuer)?;
        let other = known.iter().all(|id| id.is_some_and(|id| !id.eq_ignore_ascii_case(wanted)));
        let message = format!("its issuer {} is here with another key than the one that signed", issuer.shown());
        other.then_some((&item.path, ("issuer-key-mismatch", message)))
    })
}

/// Returns the facts of an item that is one certificate.
pub(super) fn standing_alone(item: &ConfigurationItem) -> Option<&Facts> {
    matches!(item.kind.as_str(), "x509-certificate" | "x509-certificate-der").then_some(&item.facts)
}

/// Returns the facts of every certificate in an item.
pub(super) fn certificates(item: &ConfigurationItem) -> impl Iterator<Item = &Facts> {
    let listed = match item.kind.as_str() {
        "certificate-bundle" | "pem-combined" | "pkcs7-certificates" => Some(members(&item.facts)),
        _ => None,
    };
    standing_alone(item).into_iter().chain(listed.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::super::tests::item;
    use super::*;

    fn certificate(subject: &str, issuer: &str, is_ca: bool) -> Facts {
        let mut facts = Facts::new();
        facts.set("subject", subject);
        facts.set("issuer", issuer);
        facts.set("is_ca", is_ca);
        facts
    }

    fn rules(items: &[ConfigurationItem]) -> Vec<&'static str> {
        judge(items).into_iter().map(|(_, (rule, _))| rule).collect()
    }

    fn bundle(members: &[(&str, &str)]) -> Vec<&'static str> {
        let members: Vec<Facts> = members
            .iter()
            .map(|(subject, issuer)| certificate(subject, issuer, !subject.starts_with("leaf")))
            .collect();
        let mut facts = Facts::new();
        facts.set("certificates", members);
        rules(&[item("certificate-bundle", "chain.pem", facts)])
    }

    #[test]
    fn a_chain_in_order_is_silent_with_and_without_its_root() {
        assert!(bundle(&[("leaf", "I")]).is_empty());
        assert!(bundle(&[("leaf", "I"), ("I", "R")]).is_empty());
        assert!(bundle(&[("leaf", "I"), ("I", "R"), ("R", "R")]).is_empty());
        assert!(bundle(&[("leaf", "I"), ("I", "R"), ("I", "S"), ("S", "S")]).is_empty(), "two ways to a root");
        assert!(bundle(&[("leaf", "I"), ("I", "I"), ("X", "X")]).is_empty(), "what follows a root is nobody's issuer");
    }

    #[test]
    fn anchors_and_leaves_beside_each_other_are_no_chain() {
        assert!(bundle(&[("R", "R"), ("I", "R"), ("S", "S")]).is_empty());
        assert!(bundle(&[("leaf 1", "I"), ("leaf 2", "I")]).is_empty());
        assert!(bundle(&[("leaf", "leaf"), ("R", "R")]).is_empty());
        assert!(bundle(&[]).is_empty());
    }

    #[test]
    fn an_issuer_in_the_wrong_place_and_one_that_is_missing_are_told() {
        assert_eq!(bundle(&[("leaf", "I"), ("R", "R"), ("I", "R")]), ["chain-out-of-order"]);
        assert_eq!(bundle(&[("leaf", "I"), ("J", "R"), ("I", "J")]), ["chain-out-of-order"]);
        assert_eq!(bundle(&[("leaf", "I"), ("R", "R")]), ["chain-incomplete"]);
    }

    fn alone(path: &str, subject: &str, issuer: &str, own: Option<&str>, of_issuer: Option<&str>) -> ConfigurationItem {
        let mut facts = certificate(subject, issuer, subject != "leaf");
        facts.set_some("ski", own);
        facts.set_some("aki", of_issuer);
        item("x509-certificate", path, facts)
    }

    #[test]
    fn an_issuer_with_another_key_is_told_unless_the_right_one_may_be_here() {
        let leaf = alone("leaf.pem", "leaf", "CA", Some("09"), Some("01"));
        let authority = |id| alone("ca.pem", "CA", "CA", id, None);
        assert_eq!(rules(&[leaf.clone(), authority(Some("02"))]), ["issuer-key-mismatch"]);
        assert!(rules(&[leaf.clone(), authority(Some("01"))]).is_empty());
        assert!(rules(&[leaf.clone(), authority(Some("02")), authority(Some("01"))]).is_empty());
        assert!(rules(&[leaf.clone(), authority(None)]).is_empty());
        assert!(rules(&[leaf]).is_empty());
    }
}
