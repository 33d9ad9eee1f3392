//! Who counts, and who does not.

use super::super::testing::{STATEMENT, attested, founded, id, key, person, root as root_of, sign_off};
use super::super::{Authority, PrivateKey, ROOT_NAMESPACE, SIGN_OFF_NAMESPACE, Signer, attest};
use super::*;
use crate::domain::{LogHead, Revocation, RevocationKind, Role, Sha256Digest};

const TWO: [Group; 1] = [Group { role: RoleName::Release, count: 2 }];
const ONE: [Group; 1] = [Group { role: RoleName::Release, count: 1 }];

fn demand<'a>(groups: &'a [Group], excluded: &'a BTreeSet<PersonId>) -> Demand<'a> {
    Demand { groups, meaning: Meaning::Released, record_type: "release", name: "1.0", excluded }
}

fn by(root: &Verified<TrustRoot>) -> Authority<'_> {
    Authority::newest(root)
}

/// Anna holds the keys 1 and 2, Berta the key 3; a release takes two persons.
fn two_persons() -> Verified<TrustRoot> {
    let persons = vec![person("anna", &[&key(1), &key(2)]), person("berta", &[&key(3)])];
    founded(root_of(persons, 2), &key(1)).unwrap()
}

fn judge(voices: &[(&PrivateKey, SignOff)]) -> Result<Verified<Vec<u8>>, Shortfall> {
    let root = two_persons();
    let attested: Vec<_> = voices.iter().map(|(key, sign_off)| attested(&root, *key, sign_off)).collect();
    vouched(&by(&root), &demand(&TWO, &BTreeSet::new()), STATEMENT, &attested)
}

/// Says what Berta's sign-off does not count for; Anna's counts.
fn berta_says(change: impl FnOnce(&mut SignOff)) -> String {
    let mut changed = sign_off("berta");
    change(&mut changed);
    let shortfall = judge(&[(&key(1), sign_off("anna")), (&key(3), changed)]).unwrap_err();
    assert_eq!(shortfall.to_string(), "signed by 1 of 2 required signers of role \"release\"");
    assert_eq!(shortfall.not_counted.len(), 1);
    shortfall.not_counted[0].to_string()
}

#[test]
fn two_persons_are_two_in_any_order() {
    let verified = judge(&[(&key(3), sign_off("berta")), (&key(2), sign_off("anna"))]).unwrap();
    assert_eq!((verified.signers(), verified.value().as_slice()), (&[id("anna"), id("berta")][..], STATEMENT));
}

#[test]
fn one_persons_two_keys_are_one() {
    let shortfall = judge(&[(&key(1), sign_off("anna")), (&key(2), sign_off("anna"))]).unwrap_err();
    assert_eq!((shortfall.code(), shortfall.counted.as_slice()), ("GB-SIG-THRESHOLD", &[id("anna")][..]));
    assert_eq!(shortfall.not_counted[0].to_string(), "a second key of ANNA (anna): one person counts once");
}

#[test]
fn one_sign_off_twice_is_one() {
    let shortfall = judge(&[(&key(1), sign_off("anna")), (&key(1), sign_off("anna"))]).unwrap_err();
    assert_eq!(shortfall.not_counted[0].to_string(), "ANNA (anna) once more: one person counts once");
}

#[test]
fn nobody_signed_is_not_enough() {
    let shortfall = judge(&[]).unwrap_err();
    assert_eq!(shortfall.to_string(), "signed by 0 of 2 required signers of role \"release\"");
}

#[test]
fn a_sign_off_for_something_else_does_not_count() {
    let other = Digest::of(b"another statement");
    assert!(berta_says(|said| said.target.digest = other).contains("is about another content"));
    assert!(berta_says(|said| said.target.name = "1.1".into()).contains("is about 1.1, and not about 1.0"));
    assert!(berta_says(|said| said.target.record_type = "change".into()).contains("is about a change"));
    assert!(berta_says(|said| said.meaning = Meaning::Withdrawn).contains("means \"withdrawn\""));
    assert!(berta_says(|said| said.role = RoleName::Quality).contains("signed as quality, which is not asked for"));
}

#[test]
fn a_sign_off_in_another_persons_name_does_not_count() {
    assert!(berta_says(|said| said.person = id("anna")).contains("names anna, and BERTA (berta) signed it"));
    assert!(berta_says(|said| said.printed_name = "ANNA\u{1b}[2J".into()).contains("\"ANNA\\u{1b}[2J\""));
}

#[test]
fn an_excluded_person_does_not_count() {
    let root = two_persons();
    let voices = [attested(&root, &key(1), &sign_off("anna")), attested(&root, &key(3), &sign_off("berta"))];
    let authors = BTreeSet::from([id("berta")]);
    let shortfall = vouched(&by(&root), &demand(&TWO, &authors), STATEMENT, &voices).unwrap_err();
    assert!(shortfall.not_counted[0].to_string().starts_with("BERTA (berta) took part"));
    assert!(vouched(&by(&root), &demand(&TWO, &BTreeSet::new()), STATEMENT, &voices).is_ok());
}

#[test]
fn who_lacks_the_role_does_not_count() {
    let persons = vec![person("anna", &[&key(1)]), person("berta", &[&key(3)])];
    let mut one_signer = root_of(persons, 1);
    one_signer.roles[1].persons = vec![id("anna")];
    let root = founded(one_signer, &key(1)).unwrap();
    let voices = [attested(&root, &key(3), &sign_off("berta"))];
    let shortfall = vouched(&by(&root), &demand(&ONE, &BTreeSet::new()), STATEMENT, &voices).unwrap_err();
    assert_eq!(shortfall.not_counted[0].to_string(), "BERTA (berta) does not hold the role release");
}

#[test]
fn a_demand_can_ask_for_more_but_never_for_less() {
    let root = two_persons();
    let voices = [attested(&root, &key(1), &sign_off("anna")), attested(&root, &key(3), &sign_off("berta"))];
    let nobody = BTreeSet::new();
    let required = |role, count, voices| {
        let groups = [Group { role, count }];
        vouched(&by(&root), &demand(&groups, &nobody), STATEMENT, voices).map_err(|short| short.required())
    };
    assert_eq!(required(RoleName::Release, 3, &voices).unwrap_err(), 3);
    assert_eq!(required(RoleName::Release, 0, &voices[..0]).unwrap_err(), 1);
    // Nobody holds this role: a missing role has no threshold, and must not pass on nothing.
    assert_eq!(required(RoleName::Quality, 0, &[]).unwrap_err(), 1);
    assert_eq!(vouched(&by(&root), &demand(&[], &nobody), STATEMENT, &voices).unwrap_err().required(), 0);
}

#[test]
fn a_threshold_of_none_still_takes_one() {
    let unchecked = root_of(vec![person("anna", &[&key(1)])], 0);
    let none = [Group { role: RoleName::Release, count: 0 }];
    assert_eq!(count(&unchecked, &none, std::iter::empty()).unwrap_err().required(), 1);
}

#[test]
fn a_sign_off_proven_under_another_root_does_not_count() {
    let persons = vec![person("anna", &[&key(1)]), person("berta", &[&key(9)])];
    let other = founded(root_of(persons, 2), &key(1)).unwrap();
    let root = two_persons();
    let voices = [attested(&root, &key(1), &sign_off("anna")), attested(&other, &key(9), &sign_off("berta"))];
    let shortfall = vouched(&by(&root), &demand(&TWO, &BTreeSet::new()), STATEMENT, &voices).unwrap_err();
    assert!(shortfall.not_counted[0].to_string().contains("the trust root knows no person with the key"));
}

#[test]
fn an_unknown_key_and_another_purpose_are_named() {
    let root = two_persons();
    let signed = |key: &PrivateKey, namespace| {
        let signature = key.sign(namespace, b"bytes").unwrap();
        attest(&root, SIGN_OFF_NAMESPACE, b"bytes", &signature).map_err(|defect| defect.code())
    };
    assert_eq!(signed(&key(9), SIGN_OFF_NAMESPACE).unwrap_err(), "GB-SIG-UNKNOWN-KEY");
    assert_eq!(signed(&key(1), ROOT_NAMESPACE).unwrap_err(), "GB-SIG-CONTEXT");
    let attested = signed(&key(1), SIGN_OFF_NAMESPACE).unwrap();
    assert_eq!((attested.person().id.as_str(), *attested.value()), ("anna", &b"bytes"[..]));
    assert_eq!(
        attested.clone().with_role(&by(&root), RoleName::Release).map(|kept| kept.person().id.clone()),
        Ok(id("anna"))
    );
    assert_eq!(attested.with_role(&by(&root), RoleName::Log).unwrap_err().code(), "GB-SIG-ROLE");
}

#[test]
fn a_first_root_is_signed_by_its_own_threshold_over_its_own_bytes() {
    let mut both = root_of(vec![person("anna", &[&key(1), &key(2)]), person("berta", &[&key(3)])], 1);
    both.roles[0] = Role { name: RoleName::Root, persons: vec![id("anna"), id("berta")], threshold: 2 };
    let verify = |signatures: &[(u8, &str, &[u8])]| {
        let sign = |(seed, namespace, bytes): &(u8, &str, &[u8])| RootSignature {
            signature: key(*seed).sign(namespace, bytes).unwrap(),
            position: None,
        };
        let signatures: Vec<_> = signatures.iter().map(sign).collect();
        first_root::<RootDefect>(b"root", &signatures, |_| Ok(both.clone()))
    };
    let (anna, berta) = ((1, ROOT_NAMESPACE, &b"root"[..]), (3, ROOT_NAMESPACE, &b"root"[..]));
    assert_eq!(verify(&[berta, anna]).unwrap().signers(), [id("anna"), id("berta")]);
    let second_key = (2, ROOT_NAMESPACE, &b"root"[..]);
    let stranger = (9, ROOT_NAMESPACE, &b"root"[..]);
    let other_bytes = (3, ROOT_NAMESPACE, &b"toor"[..]);
    let other_purpose = (3, SIGN_OFF_NAMESPACE, &b"root"[..]);
    for second in [anna, second_key, stranger, other_bytes, other_purpose] {
        let defect = verify(&[anna, second]).unwrap_err();
        assert_eq!(defect.code(), "GB-TRUST-THRESHOLD", "{defect}");
        assert!(
            defect.to_string().starts_with("signed by 1 of 2 required signers of role \"root\" in root 1; "),
            "{defect}"
        );
    }
    // A void signature beside two good ones has no effect.
    assert!(verify(&[stranger, anna, other_bytes, berta]).is_ok());
    assert_eq!(verify(&[]).unwrap_err().code(), "GB-TRUST-THRESHOLD");
}

/// Three persons who hold several roles: a release takes one of `release`, two developers and one security officer.
fn groups_of_three() -> Verified<TrustRoot> {
    let persons = vec![person("anna", &[&key(1)]), person("berta", &[&key(3)]), person("carl", &[&key(4)])];
    let mut root = root_of(persons, 1);
    let all = vec![id("anna"), id("berta"), id("carl")];
    root.roles.push(Role { name: RoleName::Security, persons: vec![id("anna"), id("carl")], threshold: 1 });
    root.roles.push(Role { name: RoleName::Developer, persons: all, threshold: 1 });
    founded(root, &key(1)).unwrap()
}

#[test]
fn nobody_counts_in_two_groups() {
    let root = groups_of_three();
    let groups = [Group { role: RoleName::Security, count: 1 }, Group { role: RoleName::Developer, count: 2 }];
    let says = |seed: u8, name: &str, role| attested(&root, &key(seed), &SignOff { role, ..sign_off(name) });
    let judge =
        |voices: &[Attested<'_, SignOff>]| vouched(&by(&root), &demand(&groups, &BTreeSet::new()), STATEMENT, voices);
    let (dev, sec) = (RoleName::Developer, RoleName::Security);
    let three = [says(1, "anna", dev), says(3, "berta", dev), says(4, "carl", sec)];
    assert_eq!(judge(&three).unwrap().signers().len(), 3);
    // Anna in both roles is one person, so that two stand where three must.
    let two = [says(1, "anna", dev), says(3, "berta", dev), says(1, "anna", sec)];
    let shortfall = judge(&two).unwrap_err();
    assert_eq!(shortfall.to_string(), "signed by 2 of 3 required signers: 1 security and 2 developer");
    // Carl in both roles fills the place that Anna leaves.
    let dealt = [says(1, "anna", dev), says(3, "berta", dev), says(4, "carl", dev), says(4, "carl", sec)];
    assert!(judge(&dealt).is_ok());
}

#[test]
fn a_revoked_key_counts_up_to_its_place_in_the_log_and_no_further() {
    let revoked = |kind, since: Option<u64>| {
        let mut root = root_of(vec![person("anna", &[&key(1)]), person("berta", &[&key(3)])], 1);
        let since = since.map(|size| LogHead { root: Sha256Digest::of(b""), size });
        let key = key(3).public_key().clone();
        root.revocations = vec![Revocation { key, kind, since, reason: String::new() }];
        founded(root, &key_of_founder()).unwrap()
    };
    let judge = |root: &Verified<TrustRoot>, position| {
        let voice = attested(root, &key(3), &sign_off("berta"));
        let voice = if let Some(position) = position { voice.at(position) } else { voice };
        vouched(&by(root), &demand(&ONE, &BTreeSet::new()), STATEMENT, &[voice])
            .map_err(|s| s.not_counted[0].to_string())
    };
    let retired = revoked(RevocationKind::Retired, Some(40));
    assert!(judge(&retired, Some(39)).is_ok());
    let why = judge(&retired, Some(57)).unwrap_err();
    assert!(why.contains("revoked as retired from position 40 of the log on, and this stands at 57"), "{why}");
    assert!(judge(&retired, None).unwrap_err().contains("not in the log"));
    assert!(judge(&revoked(RevocationKind::CompromisedAlways, None), Some(0)).is_err());
}

fn key_of_founder() -> PrivateKey {
    key(1)
}

#[test]
fn the_next_root_is_signed_by_the_one_before_and_by_itself() {
    let first = root_of(vec![person("anna", &[&key(1)]), person("berta", &[&key(3)])], 1);
    let before = founded(first.clone(), &key(1)).unwrap();
    let digest = Digest::of(b"the first");
    let mut next = first;
    next.version = 2;
    next.predecessor = Some(digest);
    next.log = Some(LogHead { root: Sha256Digest::of(b""), size: 2 });
    next.roles[0].persons = vec![id("berta")];
    let verify = |next: &TrustRoot, seeds: &[u8]| {
        let sign =
            |seed: &u8| RootSignature { signature: key(*seed).sign(ROOT_NAMESPACE, b"next").unwrap(), position: None };
        let signatures: Vec<_> = seeds.iter().map(sign).collect();
        next_root::<RootDefect>(&before, &digest, b"next", &signatures, |_| Ok(next.clone()))
            .map_err(|defect| defect.code())
    };
    assert_eq!(verify(&next, &[1, 3]).unwrap().value().version, 2);
    assert_eq!(verify(&next, &[1]).unwrap_err(), "GB-TRUST-THRESHOLD");
    assert_eq!(verify(&next, &[3]).unwrap_err(), "GB-TRUST-THRESHOLD");
    let refused = |change: fn(&mut TrustRoot)| {
        let mut changed = next.clone();
        change(&mut changed);
        verify(&changed, &[1, 3]).unwrap_err()
    };
    assert_eq!(refused(|root| root.version = 3), "GB-TRUST-CHAIN");
    assert_eq!(refused(|root| root.predecessor = Some(Digest::of(b"another"))), "GB-TRUST-CHAIN");
    assert_eq!(refused(|root| root.product = "Pumpe".into()), "GB-TRUST-CHAIN");
    assert_eq!(refused(|root| root.floors.emergency_days = 31), "GB-TRUST-CHAIN");
    assert_eq!(refused(|root| root.persons[0].keys.clear()), "GB-TRUST-CHAIN");
    assert_eq!(refused(|root| root.control_start = Some(crate::domain::ObjectId::Sha1([1; 20]))), "GB-TRUST-CHAIN");
}

#[test]
fn the_next_root_keeps_every_revocation() {
    let mut first = root_of(vec![person("anna", &[&key(1)]), person("berta", &[&key(3)])], 1);
    let since = Some(LogHead { root: Sha256Digest::of(b""), size: 2 });
    let key_of_berta = key(3).public_key().clone();
    first.revocations =
        vec![Revocation { key: key_of_berta, kind: RevocationKind::Compromised, since, reason: String::new() }];
    let before = founded(first.clone(), &key(1)).unwrap();
    let digest = Digest::of(b"the first");
    let next = TrustRoot { version: 2, predecessor: Some(digest), log: since, ..first };
    let code = |next: &TrustRoot| {
        let signature = RootSignature { signature: key(1).sign(ROOT_NAMESPACE, b"next").unwrap(), position: None };
        next_root::<RootDefect>(&before, &digest, b"next", &[signature], |_| Ok(next.clone()))
            .map_err(|defect| defect.code())
    };
    assert!(code(&next).is_ok());
    let stripped = TrustRoot { revocations: Vec::new(), ..next.clone() };
    assert_eq!(code(&stripped).unwrap_err(), "GB-TRUST-REVOCATION-LOST");
    let mut milder = next;
    milder.revocations[0].kind = RevocationKind::Retired;
    assert_eq!(code(&milder).unwrap_err(), "GB-TRUST-REVOCATION-LOST");
}
