//! What files say of each other: one key in several roles, one certificate twice, revocation lists and their
//! authorities, private keys and the lists that let them in.
//!
//! NIST SP 800-57 pt. 1 and RFC 5280. Never here: what one file says alone. Every relation is told once, at the first
//! of its files in their order, so that a repository full of test keys is not drowned in findings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Verdict;
use super::chains::{certificates, standing_alone};
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Fact, Facts, RepoPath, Timestamp};

/// How many files a message names at most.
const NAMED_AT_MOST: usize = 3;

/// A key by its fingerprint, and who uses it for what.
type Uses<'a> = BTreeMap<&'a str, BTreeMap<String, &'a RepoPath>>;

/// Returns what is wrong between the items, each at its file.
pub(super) fn judge(items: &[ConfigurationItem]) -> Vec<(&RepoPath, Verdict)> {
    let mut found = duplicates(items);
    found.extend(reused(&certified(items), "stands for"));
    found.extend(reused(&let_in(items), "is"));
    found.extend(authorized(items));
    found.extend(revocation_lists(items));
    found
}

fn duplicates(items: &[ConfigurationItem]) -> Vec<(&RepoPath, Verdict)> {
    let mut places: BTreeMap<&str, Vec<&RepoPath>> = BTreeMap::new();
    for item in items {
        if let Some(print) = standing_alone(item).and_then(|facts| facts.text("fingerprint_sha256")) {
            places.entry(print).or_default().push(&item.path);
        }
    }
    let twice = places.into_values().filter_map(|mut paths| {
        paths.sort();
        let (first, others) = paths.split_first()?;
        let message = || format!("the same certificate stands in {}", names(others));
        (!others.is_empty()).then(|| (*first, ("certificate-duplicate", message())))
    });
    twice.collect()
}

fn names(paths: &[&RepoPath]) -> String {
    let mut text = paths.iter().take(NAMED_AT_MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if let Some(more) = paths.len().checked_sub(NAMED_AT_MOST).filter(|more| *more > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Keys by the subjects that certificates give them. One subject under two issuers or in two periods is one role.
fn certified(items: &[ConfigurationItem]) -> Uses<'_> {
    let mut uses = Uses::new();
    for item in items {
        if let Some(key) = item.facts.text("spki_sha256").filter(|_| item.kind.starts_with("openssh-")) {
            add(&mut uses, key, "an SSH key".to_owned(), &item.path);
        }
        for facts in certificates(item) {
            if let (Some(key), Some(subject)) = (facts.text("spki_sha256"), facts.text("subject")) {
                add(&mut uses, key, subject.shown().to_string(), &item.path);
            }
        }
    }
    uses
}

/// SSH keys by what lists let them do: log in, sign certificates, or stand for a host.
fn let_in(items: &[ConfigurationItem]) -> Uses<'_> {
    let mut uses = Uses::new();
    for item in items {
        for key in maps(&item.facts, "keys") {
            let Some(print) = key.text("fingerprint") else { continue };
            let role = match (item.kind.as_str(), key.text("marker")) {
                ("authorized-keys", _) if signs(&item.facts, print) => "an authority's key",
                ("authorized-keys", _) => "a user's key",
                ("known-hosts", Some("@cert-authority")) => "an authority's key",
                ("known-hosts", None) => "a host's key",
                _ => continue,
            };
            add(&mut uses, print, role.to_owned(), &item.path);
        }
    }
    uses
}

fn signs(facts: &Facts, print: &str) -> bool {
    let Some(Fact::Map(options)) = facts.find("options") else { return false };
    options.list(print).iter().any(|option| matches!(option, Fact::Text(text) if text == "cert-authority"))
}

fn add<'a>(uses: &mut Uses<'a>, key: &'a str, role: String, path: &'a RepoPath) {
    let first = uses.entry(key).or_default().entry(role).or_insert(path);
    *first = (*first).min(path);
}

/// A key in more than one role.
fn reused<'a>(uses: &Uses<'a>, verb: &str) -> Vec<(&'a RepoPath, Verdict)> {
    let told = uses.values().filter(|roles| roles.len() > 1).filter_map(|roles| {
        let place = *roles.values().min()?;
        let told: Vec<String> =
            roles.iter().take(NAMED_AT_MOST).map(|(role, path)| format!("{role} in {path}")).collect();
        let message = format!("one key {verb} {} things: {}", roles.len(), told.join(", "));
        Some((place, ("public-key-reused", message)))
    });
    told.collect()
}

/// Private keys, sealed or not, that a list of the same tree lets in.
fn authorized(items: &[ConfigurationItem]) -> impl Iterator<Item = (&RepoPath, Verdict)> {
    let mut lists: BTreeMap<&str, &RepoPath> = BTreeMap::new();
    for item in items {
        let listed = maps(&item.facts, "keys").filter(|_| item.kind == "authorized-keys");
        let keys = listed.filter_map(|key| key.text("fingerprint"));
        let signing = item.facts.text("signing_ca").filter(|_| item.kind == "openssh-certificate");
        for key in keys.chain(signing) {
            lists.entry(key).or_insert(&item.path);
        }
    }
    let private = items.iter().filter(|item| matches!(item.kind.as_str(), "openssh-private-key" | "putty-private-key"));
    private.filter_map(move |item| {
        let list = lists.get(item.facts.text("fingerprint")?)?;
        Some((&item.path, ("private-key-authorized", format!("{list} trusts the key that stands here in private"))))
    })
}

fn revocation_lists(items: &[ConfigurationItem]) -> Vec<(&RepoPath, Verdict)> {
    let mut begins: BTreeMap<&str, Vec<Option<Timestamp>>> = BTreeMap::new();
    let mut folders: BTreeSet<&[u8]> = BTreeSet::new();
    for item in items {
        for facts in certificates(item).filter(|facts| facts.flag("is_ca") != Some(false)) {
            folders.insert(item.path.parent());
            if let Some(subject) = facts.text("subject") {
                begins.entry(subject).or_default().push(facts.text("not_before").and_then(Timestamp::parse));
            }
        }
    }
    let lists: Vec<_> = items.iter().filter(|item| item.kind == "x509-crl").collect();
    let mut newest: BTreeMap<(&[u8], &str), (Timestamp, &RepoPath)> = BTreeMap::new();
    for item in &lists {
        if let (Some(issuer), Some(made)) = (item.facts.text("issuer"), made(item)) {
            let best = newest.entry((item.path.parent(), issuer)).or_insert((made, &item.path));
            *best = if made > best.0 { (made, &item.path) } else { *best };
        }
    }
    let mut found = Vec::new();
    for item in lists {
        let Some(issuer) = item.facts.text("issuer") else { continue };
        let known = begins.get(issuer);
        if known.is_none() && folders.contains(item.path.parent()) {
            let message = format!("none of the certificates is its issuer {}", issuer.shown());
            found.push((&item.path, ("crl-issuer-unknown", message)));
        }
        let Some(made) = made(item) else { continue };
        if let Some(begins) = known
            && begins.iter().all(|begin| begin.is_some_and(|begin| begin > made))
        {
            let message = format!("it was made on {}, before its authority's certificate was valid", made.date());
            found.push((&item.path, ("crl-older-than-authority", message)));
        }
        if let Some((later, path)) = newest.get(&(item.path.parent(), issuer)).filter(|(later, _)| *later > made) {
            let message = format!("{path}, of the same issuer, is newer: {}", later.date());
            found.push((&item.path, ("crl-superseded", message)));
        }
    }
    found
}

fn made(item: &ConfigurationItem) -> Option<Timestamp> {
    item.facts.text("this_update").and_then(Timestamp::parse)
}

fn maps<'a>(facts: &'a Facts, name: &str) -> impl Iterator<Item = &'a Facts> {
    facts.list(name).iter().filter_map(|value| match value {
        Fact::Map(facts) => Some(facts),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::item;
    use super::*;

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        let mut facts = Facts::new();
        for (name, value) in pairs {
            facts.set(*name, *value);
        }
        facts
    }

    fn told(items: &[ConfigurationItem]) -> Vec<(String, &'static str)> {
        judge(items).into_iter().map(|(path, (rule, _))| (path.to_string(), rule)).collect()
    }

    fn one(path: &str, rule: &'static str) -> Vec<(String, &'static str)> {
        vec![(path.to_owned(), rule)]
    }

    fn certificate(path: &str, print: &str, subject: &str, key: &str) -> ConfigurationItem {
        let facts = facts(&[("fingerprint_sha256", print), ("subject", subject), ("spki_sha256", key)]);
        item("x509-certificate", path, facts)
    }

    #[test]
    fn a_certificate_under_two_paths_is_told_once() {
        let twice = [certificate("b.pem", "01", "CN=a", "k"), certificate("a.der", "01", "CN=a", "k")];
        assert_eq!(told(&twice), one("a.der", "certificate-duplicate"));
        assert!(told(&[certificate("a.pem", "01", "CN=a", "k"), certificate("b.pem", "02", "CN=a", "l")]).is_empty());
    }

    #[test]
    fn a_certificate_in_a_bundle_as_well_is_no_duplicate() {
        let mut bundle = Facts::new();
        bundle.set("certificates", vec![certificate("", "01", "CN=a", "k").facts]);
        let bundle = item("certificate-bundle", "chain.pem", bundle);
        assert!(told(&[certificate("a.pem", "01", "CN=a", "k"), bundle]).is_empty());
    }

    #[test]
    fn one_key_under_two_subjects_is_told_and_a_renewal_is_not() {
        let two = [certificate("b.pem", "01", "CN=b", "k"), certificate("a.pem", "02", "CN=a", "k")];
        assert_eq!(told(&two), one("a.pem", "public-key-reused"));
        let mut ssh = Facts::new();
        ssh.set("spki_sha256", "k");
        let login = item("openssh-public-key", "id.pub", ssh);
        assert_eq!(told(&[certificate("a.pem", "02", "CN=a", "k"), login]), one("a.pem", "public-key-reused"));
        let renewed = [certificate("b.pem", "01", "CN=a", "k"), certificate("a.pem", "02", "CN=a", "k")];
        assert!(told(&renewed).is_empty());
    }

    fn list(kind: &str, path: &str, key: Facts) -> ConfigurationItem {
        let mut facts = Facts::new();
        facts.set("keys", vec![key]);
        item(kind, path, facts)
    }

    #[test]
    fn a_users_key_that_is_a_hosts_key_too_is_told() {
        let user = list("authorized-keys", "authorized_keys", facts(&[("fingerprint", "F")]));
        let host = |marker: Option<&str>| {
            let mut key = facts(&[("fingerprint", "F")]);
            key.set_some("marker", marker);
            list("known-hosts", "known_hosts", key)
        };
        assert_eq!(told(&[user.clone(), host(None)]), one("authorized_keys", "public-key-reused"));
        assert_eq!(told(&[user.clone(), host(Some("@cert-authority"))]).len(), 1);
        assert!(told(&[user.clone(), host(Some("@revoked"))]).is_empty());
        assert!(told(&[user.clone(), user]).is_empty());
    }

    #[test]
    fn a_private_key_that_is_let_in_is_told_and_another_is_not() {
        let key = |print| item("openssh-private-key", "id_ed25519", facts(&[("fingerprint", print)]));
        let user = list("authorized-keys", "authorized_keys", facts(&[("fingerprint", "F")]));
        assert_eq!(told(&[key("F"), user.clone()]), one("id_ed25519", "private-key-authorized"));
        assert!(told(&[key("G"), user]).is_empty());
        let public = item("openssh-public-key", "id.pub", facts(&[("fingerprint", "F")]));
        assert!(told(&[key("F"), public]).is_empty());
        let signed = item("openssh-certificate", "id-cert.pub", facts(&[("signing_ca", "F")]));
        assert_eq!(told(&[key("F"), signed]), one("id_ed25519", "private-key-authorized"));
    }

    fn revocation(path: &str, issuer: &str, made: &str) -> ConfigurationItem {
        item("x509-crl", path, facts(&[("issuer", issuer), ("this_update", made)]))
    }

    fn authority(path: &str, subject: &str, begins: &str) -> ConfigurationItem {
        let mut facts = facts(&[("subject", subject), ("not_before", begins)]);
        facts.set("is_ca", true);
        item("x509-certificate", path, facts)
    }

    #[test]
    fn a_revocation_list_is_held_against_the_authorities_that_are_here() {
        let list = revocation("pki/a.crl", "CN=A", "2026-05-01T00:00:00Z");
        assert!(told(std::slice::from_ref(&list)).is_empty(), "nothing is known");
        assert!(told(&[list.clone(), authority("pki/a.pem", "CN=A", "2026-01-01T00:00:00Z")]).is_empty());
        assert!(told(&[list.clone(), authority("other/b.pem", "CN=B", "2026-01-01T00:00:00Z")]).is_empty());
        let stranger = authority("pki/b.pem", "CN=B", "2026-01-01T00:00:00Z");
        assert_eq!(told(&[list.clone(), stranger]), one("pki/a.crl", "crl-issuer-unknown"));
        let renewed = authority("pki/a.pem", "CN=A", "2026-06-01T00:00:00Z");
        assert_eq!(told(&[list.clone(), renewed.clone()]), one("pki/a.crl", "crl-older-than-authority"));
        let kept = authority("pki/old.pem", "CN=A", "2020-01-01T00:00:00Z");
        assert!(told(&[list, renewed, kept]).is_empty());
    }

    #[test]
    fn the_older_of_two_lists_of_one_issuer_is_superseded() {
        let lists = [
            revocation("pki/a.crl", "CN=A", "2026-05-01T00:00:00Z"),
            revocation("pki/b.crl", "CN=A", "2026-06-01T00:00:00Z"),
            revocation("pki/c.crl", "CN=C", "2026-01-01T00:00:00Z"),
            revocation("old/a.crl", "CN=A", "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(told(&lists), one("pki/a.crl", "crl-superseded"));
    }
}
