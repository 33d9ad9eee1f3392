//! Keys, judged by algorithm, length, curve, validity and whether they stand in clear.
//!
//! NIST SP 800-131A, RFC 9580, OpenSSH. Never here: key material; facts hold none.

use super::certificates::members;
use super::{Verdict, Yardstick};
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Fact, Facts, Timestamp};

/// The least bits of an elliptic curve and of a DH group.
const CURVE_MIN_BITS: i64 = 224;
const DH_MIN_BITS: i64 = 2048;

/// Judges the keys of an item, those inside certificates included.
pub(super) fn judge(item: &ConfigurationItem, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let facts = &item.facts;
    match item.kind.as_str() {
        "private-key-pem" | "private-key-der" => {
            judge_key(facts, "algorithm", "bits", by, found);
            judge_clear(facts, found);
            judge_container(facts, found);
        }
        "public-key-pem" | "public-key-der" => judge_key(facts, "algorithm", "bits", by, found),
        "x509-certificate" | "x509-certificate-der" | "x509-csr" => {
            judge_key(facts, "key_algorithm", "key_bits", by, found);
        }
        "certificate-bundle" | "pkcs7-certificates" | "jks-keystore" | "pkcs12-keystore" => {
            members(facts).for_each(|member| judge_key(member, "key_algorithm", "key_bits", by, found));
        }
        "pem-combined" => {
            if let Some(Fact::Map(key)) = facts.find("private_key") {
                judge_key(key, "algorithm", "bits", by, found);
                judge_clear(key, found);
            }
            members(facts).for_each(|member| judge_key(member, "key_algorithm", "key_bits", by, found));
        }
        "dh-parameters" => judge_group(facts, found),
        "jwk" => judge_jwk(facts, by, found),
        "jwks" => maps(facts, "keys").for_each(|key| judge_jwk(key, by, found)),
        "openssh-private-key" | "putty-private-key" => {
            judge_ssh_key(facts, by, found);
            judge_clear(facts, found);
        }
        "openssh-public-key" => judge_ssh_key(facts, by, found),
        "authorized-keys" => maps(facts, "keys").for_each(|key| judge_ssh_key(key, by, found)),
        "openssh-certificate" => {
            judge_ssh_key(facts, by, found);
            judge_ssh_certificate(facts, by, found);
        }
        "openpgp-public-key" => judge_pgp(facts, by, found),
        "openpgp-private-key" => {
            judge_pgp(facts, by, found);
            judge_clear(facts, found);
        }
        "minisign-secret-key" => judge_clear(facts, found),
        "age-identity" if facts.flag("on_token") != Some(true) => found.push(in_clear()),
        _ => {}
    }
}

/// Says whether an item is to be replaced from time to time: private keys, sealed or not, and certificates that are no
/// authority's. What only names the keys of others is replaced by them.
pub fn is_rotated(item: &ConfigurationItem) -> bool {
    match item.kind.as_str() {
        "private-key-pem"
        | "private-key-der"
        | "openssh-private-key"
        | "putty-private-key"
        | "openpgp-private-key"
        | "minisign-secret-key"
        | "age-identity"
        | "pem-combined"
        | "jks-keystore"
        | "pkcs12-keystore"
        | "dns-tsig-key"
        | "git-crypt-key"
        | "wireguard-config" => true,
        "jwk" => item.facts.flag("private") == Some(true),
        "x509-certificate" | "x509-certificate-der" => item.facts.flag("is_ca") == Some(false),
        _ => false,
    }
}

fn maps<'a>(facts: &'a Facts, name: &str) -> impl Iterator<Item = &'a Facts> {
    facts.list(name).iter().filter_map(|value| match value {
        Fact::Map(facts) => Some(facts),
        _ => None,
    })
}

fn in_clear() -> Verdict {
    ("private-key-in-clear", "a private key stands here without a password".to_owned())
}

fn judge_clear(facts: &Facts, found: &mut Vec<Verdict>) {
    if facts.flag("encrypted") == Some(false) {
        found.push(in_clear());
    }
}

/// Keys encrypted inside PEM headers have a key derived by one round of MD5.
fn judge_container(facts: &Facts, found: &mut Vec<Verdict>) {
    let container = facts.text("container").unwrap_or_default();
    if container.ends_with("-encrypted") && container != "pkcs8-encrypted" {
        let message = format!("the encryption of {} is old and weak", container.shown());
        found.push(("private-key-weak-encryption", message));
    }
}

fn judge_key(facts: &Facts, algorithm: &str, bits: &str, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let algorithm = facts.text(algorithm).unwrap_or_default().to_ascii_lowercase();
    let bits = facts.number(bits);
    if algorithm.starts_with("rsa") {
        judge_rsa(bits, facts.number("public_exponent"), by, found);
    } else if algorithm == "dsa" || algorithm.starts_with("dsaencryption") || algorithm.starts_with("id-dsa") {
        found.push(("dsa-key", "DSA keys are no longer to be used".to_owned()));
    } else if algorithm == "ec" || algorithm == "id-ecpublickey" {
        judge_curve(facts.text("curve"), bits, found);
    }
}

fn judge_rsa(bits: Option<i64>, exponent: Option<i64>, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let least = by.thresholds.rsa_min_bits;
    if let Some(bits) = bits.filter(|bits| *bits < least) {
        found.push(("rsa-too-short", format!("an RSA key of {bits} bits, fewer than {least}")));
    }
    if let Some(exponent) = exponent.filter(|exponent| *exponent < 3 || exponent % 2 == 0) {
        found.push(("rsa-bad-exponent", format!("an RSA key with the public exponent {exponent}")));
    }
}

fn judge_curve(curve: Option<&str>, bits: Option<i64>, found: &mut Vec<Verdict>) {
    if let Some(bits) = bits.filter(|bits| *bits < CURVE_MIN_BITS) {
        let curve = curve.unwrap_or("an unnamed curve").shown();
        found.push(("weak-curve", format!("a key of {bits} bits on {curve}")));
    }
}

fn judge_group(facts: &Facts, found: &mut Vec<Verdict>) {
    if let Some(bits) = facts.number("bits").filter(|bits| *bits < DH_MIN_BITS) {
        found.push(("dh-params-short", format!("a group of {bits} bits, fewer than {DH_MIN_BITS}")));
    }
}

fn judge_jwk(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let kind = facts.text("kty").unwrap_or_default();
    if facts.flag("private") == Some(true) {
        match kind {
            "oct" => found.push(("symmetric-key-in-clear", "a symmetric key stands here in clear".to_owned())),
            _ => found.push(in_clear()),
        }
    }
    if kind == "RSA" {
        judge_rsa(facts.number("bits"), None, by, found);
    }
}

fn judge_ssh_key(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let kind = facts.text("type").or_else(|| facts.text("algorithm")).unwrap_or_default();
    let least = by.thresholds.rsa_min_bits;
    match (kind, facts.number("bits")) {
        ("RSA" | "ssh-rsa", Some(bits)) if bits < least => {
            found.push(("ssh-key-too-short", format!("an RSA key of {bits} bits, fewer than {least}")));
        }
        ("DSA" | "ssh-dss", _) => found.push(("dsa-key", "DSA keys are no longer to be used".to_owned())),
        _ => {}
    }
}

/// `valid` is written as `ssh-keygen -L` does: `forever`, `from … to …`, `after …`, `before …`.
fn judge_ssh_certificate(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let Some(valid) = facts.text("valid") else { return };
    let end = valid.rsplit_once(" to ").map(|(_, end)| end).or_else(|| valid.strip_prefix("before "));
    let end = end.filter(|end| *end != "forever");
    match end {
        None => found.push(("ssh-certificate-unlimited", "the certificate never expires".to_owned())),
        Some(end) => {
            let moment = Timestamp::parse(&format!("{}Z", end.trim_end_matches('Z')));
            if let Some(moment) = moment.filter(|moment| *moment <= by.as_of) {
                found.push(("ssh-certificate-expired", format!("the certificate expired on {}", moment.date())));
            }
        }
    }
    if facts.list("principals").is_empty() {
        found.push(("ssh-certificate-unlimited", "the certificate stands for every principal".to_owned()));
    }
}

fn judge_pgp(facts: &Facts, by: &Yardstick<'_>, found: &mut Vec<Verdict>) {
    let expires = facts.text("expires").and_then(Timestamp::parse);
    if let Some(expires) = expires.filter(|expires| *expires < by.as_of) {
        found.push(("pgp-key-expired", format!("the key expired on {}", expires.date())));
    }
    let algorithm = facts.text("algorithm").unwrap_or_default();
    let bits = facts.number("bits");
    match algorithm.to_ascii_lowercase().as_str() {
        "dsa" | "elgamal" => {
            found.push(("pgp-key-weak", format!("{} keys are no longer to be used", algorithm.shown())));
        }
        name if name.starts_with("rsa") && bits.is_some_and(|bits| bits < by.thresholds.rsa_min_bits) => {
            found.push(("pgp-key-weak", format!("an RSA key of {} bits", bits.unwrap_or_default())));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{item, rules_of};
    use super::*;

    fn facts(pairs: &[(&str, Fact)]) -> Facts {
        let mut facts = Facts::new();
        for (name, value) in pairs {
            facts.set(*name, value.clone());
        }
        facts
    }

    fn rules(kind: &str, pairs: &[(&str, Fact)]) -> Vec<&'static str> {
        rules_of(&[item(kind, "a", facts(pairs))], "2027-01-01")
    }

    #[test]
    fn length_curve_and_exponent_are_judged_where_they_stand() {
        let rsa = |bits: i64, e: i64| {
            rules(
                "public-key-pem",
                &[("algorithm", "RSA".into()), ("bits", bits.into()), ("public_exponent", e.into())],
            )
        };
        assert!(rsa(2048, 65_537).is_empty());
        assert_eq!(rsa(2047, 65_537), ["rsa-too-short"]);
        assert_eq!(rsa(2048, 1), ["rsa-bad-exponent"]);
        let ec = |bits: i64| {
            rules("x509-certificate", &[("key_algorithm", "id-ecPublicKey".into()), ("key_bits", bits.into())])
        };
        assert!(ec(256).is_empty());
        assert_eq!(ec(192), ["weak-curve"]);
        assert_eq!(rules("private-key-pem", &[("algorithm", "DSA".into())]), ["dsa-key"]);
        assert_eq!(rules("dh-parameters", &[("bits", 1024_i64.into())]), ["dh-params-short"]);
        assert!(rules("dh-parameters", &[("bits", 2048_i64.into())]).is_empty());
    }

    #[test]
    fn only_a_private_key_without_a_password_is_in_clear() {
        for kind in ["private-key-pem", "openssh-private-key", "openpgp-private-key", "minisign-secret-key"] {
            assert_eq!(rules(kind, &[("encrypted", false.into())]), ["private-key-in-clear"], "{kind}");
            assert!(rules(kind, &[("encrypted", true.into())]).is_empty(), "{kind}");
        }
        let legacy = [("encrypted", true.into()), ("container", "pkcs1-encrypted".into())];
        assert_eq!(rules("private-key-pem", &legacy), ["private-key-weak-encryption"]);
        let jwk = |kty: &str, private: bool| rules("jwk", &[("kty", kty.into()), ("private", private.into())]);
        assert_eq!(jwk("OKP", true), ["private-key-in-clear"]);
        assert_eq!(jwk("oct", true), ["symmetric-key-in-clear"]);
        assert!(jwk("OKP", false).is_empty());
    }

    #[test]
    fn an_ssh_certificate_ends_when_it_says_so() {
        let valid =
            |text: &str| rules("openssh-certificate", &[("valid", text.into()), ("principals", vec!["deploy"].into())]);
        assert_eq!(valid("from 2025-01-01T00:00:00 to 2026-01-01T00:00:00"), ["ssh-certificate-expired"]);
        assert!(valid("from 2025-01-01T00:00:00 to 2028-01-01T00:00:00").is_empty());
        assert!(valid("before 2028-01-01T00:00:00").is_empty());
        assert_eq!(valid("forever"), ["ssh-certificate-unlimited"]);
        assert_eq!(valid("after 2025-01-01T00:00:00"), ["ssh-certificate-unlimited"]);
    }

    #[test]
    fn own_keys_and_leaves_are_rotated_and_the_keys_of_others_are_not() {
        let rotated =
            |kind: &str, name: &str, value: bool| is_rotated(&item(kind, "a", facts(&[(name, value.into())])));
        assert!(rotated("private-key-pem", "encrypted", true));
        assert!(rotated("x509-certificate", "is_ca", false));
        assert!(!rotated("x509-certificate", "is_ca", true));
        assert!(rotated("jwk", "private", true));
        assert!(!rotated("jwk", "private", false));
        assert!(!rotated("openssh-public-key", "encrypted", false));
    }

    #[test]
    fn openpgp_keys_expire_and_grow_weak() {
        let key = |name: &str, bits: i64, expires: &str| {
            rules(
                "openpgp-public-key",
                &[("algorithm", name.into()), ("bits", bits.into()), ("expires", expires.into())],
            )
        };
        assert!(key("EdDSA", 256, "2028-01-01").is_empty());
        assert_eq!(key("EdDSA", 256, "2026-01-01"), ["pgp-key-expired"]);
        assert_eq!(key("RSA", 1024, "2028-01-01"), ["pgp-key-weak"]);
        assert_eq!(key("DSA", 3072, "2028-01-01"), ["pgp-key-weak"]);
    }
}
