//! What each family says of real files, and where it must stay silent.

mod grants;
mod settings;

use super::*;
use crate::domain::{ConfigurationItem, Digest, Fact, Facts, ItemClass, Mode, ObjectId, RepoPath};
use crate::recognize::recognize;

fn item(path: &str, kind: &str, facts: Facts, bytes: &[u8]) -> ConfigurationItem {
    ConfigurationItem {
        kind: kind.to_owned(),
        mode: Mode::FILE,
        path: RepoPath::new(path),
        size: 1,
        class: ItemClass::Hardening,
        facts,
        owner: None,
        digest: None,
        git_id: ObjectId::from_bytes(Digest::of(bytes).as_bytes()).unwrap(),
        declared: false,
    }
}

fn lines_of(before: ConfigurationItem, after: ConfigurationItem) -> Vec<String> {
    let delta = ItemDelta { before: Some(before), after: Some(after) };
    let mut lines: Vec<String> = headline(&delta).into_iter().collect();
    lines.extend(change_lines(&delta));
    lines
}

/// Reads two versions of a file and returns what is said of them.
fn told(path: &str, before: &str, after: &str) -> Vec<String> {
    let read = |text: &str| {
        let found = recognize(&RepoPath::new(path), text.as_bytes()).unwrap_or_else(|| panic!("{path}: {text}"));
        item(path, &found.kind, found.facts, text.as_bytes())
    };
    lines_of(read(before), read(after))
}

/// Returns what is said of two sets of facts; a text with commas is a list.
fn said(kind: &str, before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
    let facts = |pairs: &[(&str, &str)]| {
        let mut facts = Facts::new();
        for (name, value) in pairs {
            let fact = match (*value, value.parse::<i64>()) {
                ("true" | "false", _) => Fact::from(*value == "true"),
                (_, Ok(number)) if *name != "serial" => number.into(),
                _ if value.contains(", ") => value.split(", ").map(Fact::from).collect::<Vec<_>>().into(),
                _ => (*value).into(),
            };
            facts.set(*name, fact);
        }
        facts
    };
    let (old, new) = (facts(before), facts(after));
    lines_of(
        item("a", kind, old, format!("{before:?}").as_bytes()),
        item("a", kind, new, format!("{after:?} ").as_bytes()),
    )
}

const LEAF: &[(&str, &str)] = &[
    ("serial", "01"),
    ("issuer", "CN=ca"),
    ("fingerprint_sha256", "aa"),
    ("spki_sha256", "k1"),
    ("key_algorithm", "rsaEncryption"),
    ("key_bits", "3072"),
    ("signature_algorithm", "sha256WithRSAEncryption"),
    ("not_before", "2026-01-01T00:00:00Z"),
    ("not_after", "2027-01-01T00:00:00Z"),
    ("san", "DNS:a.test, DNS:b.test"),
    ("is_ca", "false"),
];

fn with<'a>(base: &[(&'a str, &'a str)], other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base.iter().filter(|(name, _)| !other.iter().any(|(new, _)| new == name));
    kept.chain(other).filter(|(_, value)| !value.is_empty()).copied().collect()
}

#[test]
fn a_certificate_is_renewed_reissued_or_replaced() {
    for (other, expected) in [
        (&[("fingerprint_sha256", "bb")][..], "renewed, same key"),
        (&[("fingerprint_sha256", "bb"), ("spki_sha256", "k2")], "renewed, new key"),
        (&[("fingerprint_sha256", "bb"), ("issuer", "CN=b")], "reissued by another authority, same key"),
        (
            &[("fingerprint_sha256", "bb"), ("issuer", "CN=b"), ("spki_sha256", "k2")],
            "replaced: new key, another authority",
        ),
    ] {
        assert_eq!(said("x509-certificate", LEAF, &with(LEAF, other)).first().unwrap(), expected);
    }
}

#[test]
fn a_certificate_says_what_it_gained_and_lost() {
    for (other, expected) in [
        (&[("not_after", "2026-07-01T00:00:00Z")][..], "validity shortened from 365 to 181 days"),
        (&[("not_after", "2028-01-01T00:00:00Z")], "validity lengthened from 365 to 730 days"),
        (&[("san", "DNS:a.test, DNS:*.test")], "san: +DNS:*.test: added, with a wildcard (weakened)"),
        (&[("san", "DNS:a.test, DNS:*.test")], "san: -DNS:b.test: removed"),
        (&[("is_ca", "true")], "is_ca: false → true: became a certificate authority (weakened)"),
        (&[("key_bits", "1024")], "key_bits: 3072 → 1024: key shortened (weakened)"),
        (&[("key_bits", "256"), ("key_algorithm", "id-ecPublicKey")], "key_bits: 3072 → 256: of another algorithm"),
        (
            &[("signature_algorithm", "sha1WithRSAEncryption")],
            "signature_algorithm: sha256WithRSAEncryption → sha1WithRSAEncryption: signature algorithm weakened (weakened)",
        ),
        (
            &[("ext_key_usage", "Any Extended Key Usage")],
            "ext_key_usage: (none) → Any Extended Key Usage: usage (weakened)",
        ),
    ] {
        let other = with(other, &[("fingerprint_sha256", "bb")]);
        let lines = said("x509-certificate", LEAF, &with(LEAF, &other));
        assert!(lines.iter().flat_map(|line| line.split("; ")).any(|line| line == expected), "{expected}\n{lines:?}");
    }
}

#[test]
fn a_certificate_in_another_wrapping_is_the_same() {
    let read = |kind: &str, bytes: &[u8]| {
        let facts = LEAF.iter().fold(Facts::new(), |mut facts, (name, value)| {
            facts.set(*name, *value);
            facts
        });
        item("a", kind, facts, bytes)
    };
    let (pem, der) = (read("x509-certificate", b"pem"), read("x509-certificate-der", b"der"));
    assert_eq!(lines_of(pem.clone(), der), ["re-encoded, no semantic change"]);
    assert_eq!(lines_of(pem.clone(), read("x509-certificate", b"with a preamble")), ["no semantic change"]);
    let moved = ConfigurationItem { path: RepoPath::new("b"), ..pem.clone() };
    assert_eq!(lines_of(pem, moved), ["content unchanged"]);
}

fn bundle(certificates: &[(&str, &str, &str, bool)]) -> Facts {
    let list = certificates.iter().map(|(print, subject, key, is_ca)| {
        let mut facts = Facts::new();
        facts.set("fingerprint_sha256", *print);
        facts.set("subject", *subject);
        facts.set("issuer", if *is_ca { *subject } else { "CN=other" });
        facts.set("spki_sha256", *key);
        facts.set("is_ca", *is_ca);
        Fact::Map(facts)
    });
    let mut facts = Facts::new();
    facts.set("certificates", Fact::List(list.collect()));
    facts
}

#[test]
fn a_bundle_says_which_anchor_came_went_or_was_swapped() {
    let lines = |before: &[_], after: &[_]| {
        lines_of(
            item("b", "certificate-bundle", bundle(before), b"1"),
            item("b", "certificate-bundle", bundle(after), b"2"),
        )
    };
    let (a, b) = (("aa", "CN=a", "k1", true), ("bb", "CN=b", "k2", true));
    assert_eq!(lines(&[a], &[a, b]), ["certificates: +bb: trust anchor added: CN=b (weakened)"]);
    assert_eq!(lines(&[a, b], &[b]), ["certificates: -aa: trust anchor removed: CN=a (hardened)"]);
    assert_eq!(
        lines(&[a, b], &[b, ("cc", "CN=a", "k3", true)]),
        ["certificates: -aa +cc: trust anchor swapped, new key: CN=a"]
    );
    assert_eq!(lines(&[a, b], &[b, a]), ["re-ordered, no semantic change"]);
    let leaf = ("dd", "CN=d", "k4", false);
    assert_eq!(lines(&[leaf, a], &[a, leaf]), ["chain in another order"]);
}

#[test]
fn a_revocation_list_says_what_is_no_longer_revoked() {
    let lines = said(
        "x509-crl",
        &[("crl_number", "0A"), ("revoked_serials", "01, 02"), ("this_update", "2026-02-01T00:00:00Z")],
        &[("crl_number", "09"), ("revoked_serials", "02, 03"), ("this_update", "2026-01-01T00:00:00Z")],
    );
    assert!(lines.contains(&"revoked_serials: -01: no longer revoked (weakened)".to_owned()), "{lines:?}");
    assert!(lines.contains(&"revoked_serials: +03: revoked (hardened)".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("this_update") && line.ends_with("(weakened)")), "{lines:?}");
}

#[test]
fn a_private_key_says_what_became_of_its_protection() {
    let kind = "openssh-private-key";
    let (open, shut) =
        ([("encrypted", "false"), ("fingerprint", "k1")], [("encrypted", "true"), ("fingerprint", "k1")]);
    assert_eq!(said(kind, &shut, &open).first().unwrap(), "decrypted in place (weakened)");
    assert_eq!(said(kind, &open, &shut).first().unwrap(), "encrypted in place (hardened)");
    assert_eq!(said(kind, &shut, &shut), ["encrypted again, same key inside"]);
    assert_eq!(said(kind, &open, &open), ["re-encoded, same key"]);
    assert_eq!(said(kind, &shut, &with(&shut, &[("fingerprint", "k2")])).first().unwrap(), "key replaced");
    let hidden = [("encrypted", "true"), ("kdf", "scrypt")];
    assert_eq!(
        said("private-key-pem", &hidden, &hidden),
        ["encrypted again; whether the key inside is the same cannot be seen"]
    );
    let bare = [("encrypted", "false"), ("spki_sha256", "k")];
    let lines = said("private-key-pem", &hidden, &bare);
    assert!(!lines.iter().any(|line| line.contains("replaced")), "{lines:?}");
}

const KEY_A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExp1WSMwUBn2VRoTWmmB6ULCZnrwp0O5uZO7sRO4req";
const KEY_B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGnYCNWgzYoLN7lsHxusOZLDg/ppWhmCCx9Xd1U5Cex4";
const PRINT_A: &str = "SHA256:8o8wgQ2u21WLK4wQ0+topvg5Z9Una+5g9Na8scBXZHo";
const PRINT_B: &str = "SHA256:vihMb7kwBpR0/no476zzRso5VSSMDv2lTap+ysSyQVA";

#[test]
fn access_by_key_is_gained_lost_and_bounded() {
    let told = |before: &str, after: &str| told("home/.ssh/authorized_keys", before, after);
    let (a, b) = (format!("{KEY_A} ann\n"), format!("{KEY_B} bob\n"));
    assert_eq!(told(&a, &format!("{a}{b}")), [format!("keys: +{PRINT_B}: gained access: bob (weakened)")]);
    assert_eq!(told(&format!("{a}{b}"), &a), [format!("keys: -{PRINT_B}: lost access: bob (hardened)")]);
    assert_eq!(told(&format!("{a}{b}"), &format!("{b}{a}")), ["keys: another order, nobody gained or lost access"]);
    assert_eq!(told(&a, &format!("# who\n{a}")), ["no semantic change"]);
    assert_eq!(told(&a, &format!("restrict {a}")), [format!("options[{PRINT_A}]: +restrict: ann (hardened)")]);
    assert_eq!(told(&format!("restrict {a}"), &a), [format!("options[{PRINT_A}]: -restrict: ann (weakened)")]);
    let from = |address: &str| format!("from=\"{address}\" {a}");
    assert!(told(&from("10.0.0.0/8"), &from("10.2.0.0/16")).concat().ends_with("(hardened)"));
    assert!(told(&from("10.0.0.0/8"), &from("*")).concat().ends_with("(weakened)"));
    assert!(told(&a, &format!("cert-authority {a}")).concat().ends_with("(weakened)"));
}

#[test]
fn hosts_and_signers_are_told_by_name() {
    let hosts = |before: &str, after: &str| told("home/.ssh/known_hosts", before, after);
    let (a, b) = (format!("git.test {KEY_A}\n"), format!("git.test {KEY_B}\n"));
    assert_eq!(hosts(&a, &b), [format!("keys: -{PRINT_A} +{PRINT_B}: host key of git.test replaced")]);
    assert_eq!(hosts(&a, &format!("{a}@revoked * {KEY_B}\n")), [format!("keys: +{PRINT_B}: revoked for * (hardened)")]);
    let signers = |before: &str, after: &str| told(".allowed_signers", before, after);
    let (a, b) = (format!("ann@a.test {KEY_A}\n"), format!("bob@a.test {KEY_B}\n"));
    assert_eq!(signers(&a, &format!("{a}{b}")), [format!("signers: +{PRINT_B}: may sign as bob@a.test (weakened)")]);
    let bound = format!("ann@a.test namespaces=\"git\" {KEY_A}\n");
    assert_eq!(signers(&bound, &a), [format!("signers[{PRINT_A}]: -namespaces=git: ann@a.test (weakened)")]);
}

#[test]
fn sudo_says_who_may_do_what_and_unasked() {
    let told = |before: &str, after: &str| told("etc/sudoers", before, after);
    let base = "deploy ALL=(root) /bin/a\n";
    assert_eq!(told(base, "deploy ALL=(root) ALL\n").first().unwrap(), "deploy.commands: +ALL: granted (weakened)");
    assert_eq!(told("deploy ALL=(root) NOPASSWD: /bin/a\n", base), ["deploy.tags: -NOPASSWD (hardened)"]);
    assert_eq!(told(base, &format!("{base}%ops ALL=(ALL) ALL\n")), ["%ops: granted ALL as ALL on ALL (weakened)"]);
    assert_eq!(
        told(&format!("Defaults use_pty\n{base}"), &format!("Defaults !authenticate\n{base}")),
        ["Defaults: -use_pty (weakened)", "Defaults: +!authenticate (weakened)"]
    );
}

fn iam(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

#[test]
fn a_policy_says_what_is_widened_and_to_whom() {
    let told = |before: &str, after: &str| told("iam/a.json", &iam(before), &iam(after));
    let get = r#"{"Sid": "R", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}"#;
    let action = |action: &str| get.replace("s3:GetObject", action);
    assert_eq!(
        told(get, &action("s3:Get*")),
        ["Statement[R].Action: s3:GetObject → s3:Get*: grant widened (weakened)"]
    );
    assert_eq!(told(&action("*"), get), ["Statement[R].Action: * → s3:GetObject: grant narrowed (hardened)"]);
    let deny = |text: &str| text.replace("Allow", "Deny");
    assert_eq!(
        told(&deny(get), &deny(&action("s3:*"))),
        ["Statement[R].Action: s3:GetObject → s3:*: refusal widened (hardened)"]
    );
    let whom = |whom: &str| get.replace("\"Action\"", &format!("\"Principal\": {whom}, \"Action\""));
    let lines = told(&whom(r#"{"AWS": "arn:aws:iam::1:root"}"#), &whom("\"*\""));
    assert!(lines.concat().ends_with("grant widened (weakened)"), "{lines:?}");
    let bound = get.replace("\"Action\"", r#""Condition": {"Bool": {"aws:SecureTransport": "true"}}, "Action""#);
    assert!(told(&bound, get).concat().ends_with("grant widened: a condition fell (weakened)"));
}

#[test]
fn a_policy_in_another_order_is_the_same() {
    let (a, b) = (
        r#"{"Effect": "Allow", "Action": ["s3:Get", "s3:Put"], "Resource": "*"}"#,
        r#"{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}"#,
    );
    let swapped = r#"{"Resource": "*", "Action": ["s3:Put", "s3:Get"], "Effect": "Allow"}"#;
    assert_eq!(told("a.json", &iam(a), &iam(swapped)), ["no semantic change"]);
    assert_eq!(
        told("a.json", &iam(&format!("{a},{b}")), &iam(&format!("{b},{a}"))),
        ["re-ordered, no semantic change"]
    );
    assert_eq!(told("a.json", &iam(a), &iam(&format!("{b},{a}"))), ["+Statement[0]: refused: iam:* on * (hardened)"]);
}

#[test]
fn a_withheld_value_is_never_said_to_be_the_same() {
    let lines = told(".env", "DB_PASSWORD=one-long-secret-1\n", "DB_PASSWORD=one-long-secret-2\n");
    assert!(lines.iter().any(|line| line.contains("DB_PASSWORD: redacted, may have changed")), "{lines:?}");
    assert!(!lines.concat().contains("no semantic change") && !lines.concat().contains("one-long"), "{lines:?}");
    let vault = [("cipher", "AES256")];
    assert!(said("ansible-vault", &vault, &vault).concat().contains("redacted"));
}

#[test]
fn facts_that_do_not_say_all_claim_nothing() {
    let rules = [("triggers", "push")];
    assert_eq!(said("github-workflow", &rules, &rules), ["content differs, no recorded fact does"]);
}

#[test]
fn control_characters_stay_out_and_what_weakens_is_not_cut_off() {
    let names = (0..300).map(|number| format!("CN=\u{1b}{number}")).collect::<Vec<_>>();
    let all: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str(), "k", true)).collect();
    let first = [("aa", "CN=a", "k", true)];
    let (before, after) = (item("b", "x", bundle(&first), b"1"), item("b", "x", bundle(&all), b"2"));
    let statements = statements(&ItemDelta { before: Some(before), after: Some(after) });
    assert_eq!(statements.len(), 201);
    assert_eq!(statements.last().unwrap().direction, Direction::Weakened);
    assert!(statements.iter().all(|statement| !statement.text.contains('\u{1b}')));
}

#[test]
fn a_key_is_found_again_under_another_path() {
    let at = |path: &str, kind: &str, name: &str, value: &str, bytes: &[u8]| {
        let mut facts = Facts::new();
        facts.set(name, value);
        if kind.contains("private") {
            facts.set("encrypted", true);
        }
        item(path, kind, facts, bytes)
    };
    let old = at("a/key", "openssh-private-key", "fingerprint", "k1", b"1");
    let public = at("b/key.pub", "openssh-public-key", "fingerprint", "k1", b"2");
    let moved = at("c/key", "openssh-private-key", "fingerprint", "k1", b"3");
    let deltas = ItemDelta::between(std::slice::from_ref(&old), &[public, moved]);
    let lines: Vec<String> = deltas.iter().map(crate::export::item_line).collect();
    assert_eq!(
        lines,
        [
            "added b/key.pub (openssh-public-key)",
            "renamed c/key from a/key (openssh-private-key): encrypted again, same key inside"
        ]
    );
    let other = at("c/key", "openssh-private-key", "fingerprint", "k2", b"3");
    assert_eq!(ItemDelta::between(&[old], &[other]).len(), 2);
}

#[test]
fn twenty_thousand_entries_are_told_at_once() {
    let facts = |mark: &str| {
        let rights: Vec<String> = (0..20_000).map(|number| format!("get a/{mark}{number}")).collect();
        let mut grants = Facts::new();
        grants.set("ClusterRole/a", rights);
        let mut facts = Facts::new();
        facts.set("grants", grants);
        facts
    };
    let started = std::time::Instant::now();
    let (before, after) = (item("a", "k8s-rbac", facts("a"), b"1"), item("a", "k8s-rbac", facts("b"), b"2"));
    assert!(lines_of(before, after).last().unwrap().starts_with("… and"));
    assert!(started.elapsed().as_secs() < 10);
}

#[test]
fn a_sops_value_in_clear_and_a_recipient_are_told() {
    let lines = said(
        "sops-file",
        &[("recipients", "age1a, age1b"), ("encrypted_keys", "a, b, c"), ("plain_keys", "d, e")],
        &[("recipients", "age1b, age1c"), ("encrypted_keys", "a, b"), ("plain_keys", "c, d, e")],
    );
    for expected in [
        "recipients: +age1c: recipient added, can read it (weakened)",
        "recipients: -age1a: recipient removed, can read earlier versions (hardened)",
        "c: decrypted, now in clear (weakened)",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}\n{lines:?}");
    }
}

#[test]
fn a_kubernetes_right_is_weighed_by_what_it_covers() {
    let grants = |right: &str| {
        let mut inner = Facts::new();
        inner.set("Role/a", vec![right]);
        let mut facts = Facts::new();
        facts.set("grants", inner);
        facts
    };
    let lines = |before: &str, after: &str| {
        lines_of(item("a", "k8s-rbac", grants(before), b"1"), item("a", "k8s-rbac", grants(after), b"2"))
    };
    assert_eq!(
        lines("get,list /pods", "* /pods"),
        ["grants.Role/a: +* /pods: granted (weakened)", "grants.Role/a: -get,list /pods: no longer granted as such"]
    );
    assert_eq!(
        lines("* */*", "get /pods"),
        ["grants.Role/a: +get /pods: granted", "grants.Role/a: -* */*: no longer granted as such (hardened)"]
    );
}
