//! Certificates, bundles of them, and revocation lists, judged by their facts.
//!
//! RFC 5280 and the CA/Browser Forum's baseline requirements. Never here: parsing, or trust in an issuer.

use super::{Verdict, Yardstick};
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Fact, Facts, Timestamp};

/// Judges certificates wherever they stand in an item.
pub(super) fn judge(item: &ConfigurationItem, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    match item.kind.as_str() {
        "x509-certificate" | "x509-certificate-der" => judge_certificate(&item.facts, by, found),
        "certificate-bundle" | "pkcs7-certificates" => {
            members(&item.facts).for_each(|member| judge_certificate(member, by, found));
            judge_bundle(&item.facts, found);
        }
        "pem-combined" | "jks-keystore" | "pkcs12-keystore" => {
            members(&item.facts).for_each(|member| judge_certificate(member, by, found));
        }
        "x509-crl" => judge_revocation_list(&item.facts, by, found),
        _ => {}
    }
}

/// Returns the certificates that an item lists.
pub(super) fn members(facts: &Facts) -> impl Iterator<Item = &Facts> {
    facts.list("certificates").iter().filter_map(|member| match member {
        Fact::Map(member) => Some(member),
        _ => None,
    })
}

fn judge_certificate(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let Some(subject) = facts.text("subject") else { return };
    let subject = subject.shown();
    judge_time(facts, by, found);
    let authority = facts.flag("is_ca") == Some(true);
    let signature = facts.text("signature_algorithm").unwrap_or_default();
    let signature = facts.text("signature_hash").unwrap_or(signature);
    // Nobody checks the signature of a root under itself.
    if is_weak(signature) && !(authority && is_self_issued(facts)) {
        found.push(("certificate-weak-signature", format!("{subject} is signed with {}", signature.shown())));
    }
    if facts.number("version") == Some(1) {
        found.push(("certificate-version-1", format!("{subject} is of X.509 version 1")));
    }
    if authority {
        judge_authority(facts, found);
    } else if serves_tls(facts) {
        judge_server(facts, by, found);
    }
}

fn judge_time(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let subject = facts.text("subject").unwrap_or_default().shown();
    let (from, until) = validity(facts);
    if let Some(until) = until {
        if until < by.as_of {
            found.push(("certificate-expired", format!("{subject} expired on {}", until.date())));
        } else if until < by.as_of.plus_days(by.thresholds.expiring_soon_days) {
            found.push(("certificate-expiring-soon", format!("{subject} expires on {}", until.date())));
        }
    }
    if let Some(from) = from.filter(|from| *from > by.as_of) {
        found.push(("certificate-not-yet-valid", format!("{subject} is valid from {} on", from.date())));
    }
}

fn validity(facts: &Facts) -> (Option<Timestamp>, Option<Timestamp>) {
    let moment = |name| facts.text(name).and_then(Timestamp::parse);
    (moment("not_before"), moment("not_after"))
}

fn judge_authority(facts: &Facts, found: &mut Vec<Verdict>) {
    let subject = facts.text("subject").unwrap_or_default().shown();
    if facts.flag("basic_constraints_critical") == Some(false) {
        let message = format!("basicConstraints of the authority {subject} is not critical");
        found.push(("ca-basic-constraints-not-critical", message));
    }
    let usage = facts.list("key_usage");
    if !usage.is_empty() && !has(usage, "Certificate Sign") {
        found.push(("ca-missing-key-cert-sign", format!("keyUsage of the authority {subject} lacks keyCertSign")));
    }
}

/// A leaf for TLS servers, or one that does not say what it is for.
fn serves_tls(facts: &Facts) -> bool {
    let usage = facts.list("ext_key_usage");
    usage.is_empty() || has(usage, "TLS Web Server Authentication")
}

fn judge_server(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    // Members of a bundle may be listed with fewer facts; without a version nothing is known of extensions.
    if facts.number("version").is_none() {
        return;
    }
    let subject = facts.text("subject").unwrap_or_default().shown();
    let most = by.thresholds.max_leaf_days;
    if let (Some(from), Some(until)) = validity(facts)
        && until > from.plus_days(most)
    {
        let days = until.seconds().saturating_sub(from.seconds()) / 86_400;
        let message = format!("{subject} is valid for {days} days, more than {most}");
        found.push(("certificate-validity-too-long", message));
    }
    let names = facts.list("san");
    if names.is_empty() {
        found.push(("certificate-missing-san", format!("{subject} has no subjectAltName")));
    }
    let wild = names.iter().find(|name| matches!(name, Fact::Text(name) if name.starts_with("DNS:*")));
    if let Some(wild) = wild {
        found.push(("certificate-wildcard", format!("{subject} stands for {wild}")));
    }
}

fn judge_bundle(facts: &Facts, found: &mut Vec<Verdict>) {
    let members: Vec<&Facts> = members(facts).collect();
    let mut seen = std::collections::BTreeSet::new();
    for member in &members {
        let Some(fingerprint) = member.text("fingerprint_sha256") else { continue };
        if !seen.insert(fingerprint) {
            let subject = member.text("subject").unwrap_or_default().shown();
            found.push(("bundle-duplicate", format!("{subject} is listed twice")));
        }
    }
    // A leaf followed by its issuer is a server's chain, not a set of trust anchors.
    let is_chain = matches!(members.as_slice(), [leaf, issuer, ..] if leaf.text("issuer") == issuer.text("subject"));
    for member in members.iter().skip(usize::from(is_chain)) {
        let root_of_version_1 = is_self_issued(member) && member.number("version") == Some(1);
        if member.flag("is_ca") == Some(false) && !root_of_version_1 {
            let subject = member.text("subject").unwrap_or_default().shown();
            found.push(("bundle-contains-leaf", format!("{subject} is no authority")));
        }
    }
}

fn judge_revocation_list(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let next = facts.text("next_update").and_then(Timestamp::parse);
    if let Some(next) = next.filter(|next| *next < by.as_of) {
        found.push(("crl-stale", format!("its next update was due on {}", next.date())));
    }
}

fn is_self_issued(facts: &Facts) -> bool {
    facts.flag("self_issued").unwrap_or_else(|| facts.text("subject") == facts.text("issuer"))
}

fn is_weak(signature: &str) -> bool {
    let name = signature.to_ascii_lowercase();
    ["md2", "md4", "md5", "sha1"].iter().any(|weak| name.contains(weak)) || name == "sha-1"
}

fn has(list: &[Fact], wanted: &str) -> bool {
    list.iter().any(|value| matches!(value, Fact::Text(text) if text == wanted))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{item, rules_of};
    use super::*;

    fn leaf() -> Facts {
        let mut facts = Facts::new();
        facts.set("subject", "CN=a.example.test");
        facts.set("issuer", "CN=CA");
        facts.set("not_before", "2026-07-01T00:00:00Z");
        facts.set("not_after", "2027-06-01T00:00:00Z");
        facts.set("signature_algorithm", "ecdsa-with-SHA256");
        facts.set("fingerprint_sha256", "01");
        facts.set("version", 3_i64);
        facts.set("is_ca", false);
        facts.set("san", vec!["DNS:a.example.test"]);
        facts
    }

    fn authority() -> Facts {
        let mut facts = leaf();
        facts.set("subject", "CN=CA");
        facts.set("is_ca", true);
        facts.set("fingerprint_sha256", "02");
        facts.set("san", Vec::<&str>::new());
        facts.set("basic_constraints_critical", true);
        facts.set("key_usage", vec!["CRL Sign", "Certificate Sign"]);
        facts
    }

    type Change = fn(&mut Facts);

    fn alone(change: impl Fn(&mut Facts), base: Facts) -> Vec<&'static str> {
        let mut facts = base;
        change(&mut facts);
        rules_of(&[item("x509-certificate", "a.pem", facts)], "2027-01-01")
    }

    #[test]
    fn a_sound_leaf_and_a_sound_authority_are_silent() {
        assert!(alone(|_| (), leaf()).is_empty());
        assert!(alone(|_| (), authority()).is_empty());
    }

    #[test]
    fn each_defect_of_a_certificate_has_its_rule() {
        let cases: [(&str, Change); 9] = [
            ("certificate-expired", |f| f.set("not_after", "2026-12-31T23:59:59Z")),
            ("certificate-expiring-soon", |f| f.set("not_after", "2027-01-15T00:00:00Z")),
            ("certificate-not-yet-valid", |f| f.set("not_before", "2027-02-01T00:00:00Z")),
            ("certificate-weak-signature", |f| f.set("signature_algorithm", "sha1WithRSAEncryption")),
            ("certificate-weak-signature", |f| f.set("signature_hash", "sha1")),
            ("certificate-version-1", |f| f.set("version", 1_i64)),
            ("certificate-validity-too-long", |f| f.set("not_after", "2029-06-01T00:00:00Z")),
            ("certificate-missing-san", |f| f.set("san", Vec::<&str>::new())),
            ("certificate-wildcard", |f| f.set("san", vec!["DNS:*.example.test"])),
        ];
        for (rule, change) in cases {
            assert_eq!(alone(change, leaf()), [rule]);
        }
        assert_eq!(
            alone(|f| f.set("basic_constraints_critical", false), authority()),
            ["ca-basic-constraints-not-critical"]
        );
        assert_eq!(alone(|f| f.set("key_usage", vec!["Digital Signature"]), authority()), ["ca-missing-key-cert-sign"]);
    }

    #[test]
    fn the_last_second_of_validity_still_counts_and_the_thirtieth_day_is_not_soon() {
        assert_eq!(alone(|f| f.set("not_after", "2027-01-01T00:00:00Z"), leaf()), ["certificate-expiring-soon"]);
        assert!(alone(|f| f.set("not_after", "2027-01-31T00:00:00Z"), leaf()).is_empty());
    }

    #[test]
    fn a_root_signed_with_sha_1_is_silent_and_so_is_a_client_certificate_without_names() {
        let root = |f: &mut Facts| {
            f.set("issuer", "CN=CA");
            f.set("signature_algorithm", "sha1WithRSAEncryption");
        };
        assert!(alone(root, authority()).is_empty());
        let client = |f: &mut Facts| {
            f.set("ext_key_usage", vec!["TLS Web Client Authentication"]);
            f.set("san", Vec::<&str>::new());
        };
        assert!(alone(client, leaf()).is_empty());
    }

    fn bundle(members: Vec<Facts>) -> Vec<&'static str> {
        let mut facts = Facts::new();
        facts.set("certificates", members);
        rules_of(&[item("certificate-bundle", "ca.crt", facts)], "2027-01-01")
    }

    #[test]
    fn a_chain_is_silent_and_a_leaf_among_anchors_is_not() {
        assert!(bundle(vec![leaf(), authority()]).is_empty());
        assert_eq!(bundle(vec![authority(), leaf()]), ["bundle-contains-leaf"]);
        assert_eq!(bundle(vec![authority(), authority()]), ["bundle-duplicate"]);
    }

    #[test]
    fn a_revocation_list_is_stale_after_its_next_update() {
        for (next, rules) in [("2026-12-31T00:00:00Z", vec!["crl-stale"]), ("2027-03-01T00:00:00Z", vec![])] {
            let mut facts = Facts::new();
            facts.set("next_update", next);
            assert_eq!(rules_of(&[item("x509-crl", "a.crl", facts)], "2027-01-01"), rules);
        }
    }
}
