//! Counts persons. Everything that takes more than one signature is decided in `count`, and nowhere else.
//!
//! A person counts once, whatever keys he signs with; a sign-off that does not count is named with the reason.
//! Serves contract §3.3 and §3.7 (segregation of duties), 21 CFR 11.10(g), 11.200.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::attest::{Attested, attest_by};
use super::root::{self, RootDefect};
use super::signature::Signature;
use crate::domain::{Digest, Meaning, Person, PersonId, PublicKey, RoleName, SignOff, TrustRoot};

/// Something that enough distinct persons signed. Only this file makes one.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    signers: Vec<PersonId>,
}

impl<T> Verified<T> {
    /// Returns what was signed.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Returns the persons who counted, distinct and sorted.
    pub fn signers(&self) -> &[PersonId] {
        &self.signers
    }
}

impl Verified<Vec<u8>> {
    /// Decodes the signed bytes, and keeps who signed them.
    ///
    /// # Errors
    /// Whatever `decode` refuses.
    pub fn try_map<U, E>(self, decode: impl FnOnce(&[u8]) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified { value: decode(&self.value)?, signers: self.signers })
    }
}

/// What sign-offs must say to count.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// The role in which they must be made.
    pub role: RoleName,
    /// What they must mean.
    pub meaning: Meaning,
    /// The record type of the statement.
    pub record_type: &'a str,
    /// The name of the statement.
    pub name: &'a str,
    /// How many distinct persons it takes, where that is more than the role's threshold.
    pub at_least: u64,
    /// Who does not count: authors, committers, recorders, requesters.
    pub excluded: &'a BTreeSet<PersonId>,
}

/// A sign-off or signature that did not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCounted(String);

impl fmt::Display for NotCounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Too few persons signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The role that was needed.
    pub role: RoleName,
    /// How many distinct persons it takes.
    pub required: u64,
    /// Who counted, sorted.
    pub counted: Vec<PersonId>,
    /// What did not count.
    pub not_counted: Vec<NotCounted>,
}

impl Shortfall {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        "GB-SIG-THRESHOLD"
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signers = if self.required == 1 { "signer" } else { "signers" };
        write!(f, "signed by {} of {} required {signers} of role \"{}\"", self.counted.len(), self.required, self.role)
    }
}

impl std::error::Error for Shortfall {}

/// One proven signature, with what keeps it from counting, if anything does.
struct Voice<'a> {
    person: &'a Person,
    key: &'a PublicKey,
    obstacle: Option<String>,
}

/// The one place in the program where signers are counted: distinct persons who hold the role, and whose voice has
/// nothing against it. Returns them sorted.
fn count<'a>(
    root: &TrustRoot,
    role: RoleName,
    at_least: u64,
    voices: impl Iterator<Item = Voice<'a>>,
) -> Result<Vec<PersonId>, Shortfall> {
    let holders = root.role(role);
    let mut counted: BTreeMap<&PersonId, &PublicKey> = BTreeMap::new();
    let mut not_counted = Vec::new();
    for voice in voices {
        let who = named(voice.person);
        let holds = holders.is_some_and(|role| role.persons.contains(&voice.person.id));
        let first = counted.get(&voice.person.id).copied();
        let why = match (voice.obstacle, first) {
            (Some(obstacle), _) => obstacle,
            (None, _) if !holds => format!("{who} does not hold the role {role}"),
            (None, Some(first)) if first == voice.key => format!("{who} once more: one person counts once"),
            (None, Some(_)) => format!("a second key of {who}: one person counts once"),
            (None, None) => {
                counted.insert(&voice.person.id, voice.key);
                continue;
            }
        };
        not_counted.push(NotCounted(why));
    }
    // A role that is missing, or a threshold of 0, must not let a statement through that nobody signed.
    let required = holders.map_or(1, |role| role.threshold).max(at_least).max(1);
    let counted: Vec<PersonId> = counted.into_keys().cloned().collect();
    if counted.len() as u64 >= required { Ok(counted) } else { Err(Shortfall { role, required, counted, not_counted }) }
}

/// Names a person for people: what stands in a root is not trusted to be printable.
fn named(person: &Person) -> String {
    format!("{} ({})", person.name.escape_debug(), person.id)
}

/// Decides whether enough distinct persons vouched for exactly these bytes, as `demand` says.
///
/// # Errors
/// [`Shortfall`], with the reason for each sign-off that did not count.
pub fn vouched(
    root: &Verified<TrustRoot>,
    demand: &Demand<'_>,
    bytes: &[u8],
    attested: &[Attested<'_, SignOff>],
) -> Result<Verified<Vec<u8>>, Shortfall> {
    let digest = Digest::of(bytes);
    let voices = attested.iter().map(|attested| Voice {
        person: attested.person(),
        key: attested.key(),
        obstacle: obstacle(root.value(), demand, &digest, attested),
    });
    let signers = count(root.value(), demand.role, demand.at_least, voices)?;
    Ok(Verified { value: bytes.to_vec(), signers })
}

/// Says why a sign-off does not speak for this statement in this sense, if it does not.
fn obstacle(
    root: &TrustRoot,
    demand: &Demand<'_>,
    digest: &Digest,
    attested: &Attested<'_, SignOff>,
) -> Option<String> {
    let (sign_off, person) = (attested.value(), attested.person());
    let (target, who) = (&sign_off.target, named(person));
    let about = |found: &str, needed: &str| {
        let found: String = found.chars().take(80).flat_map(char::escape_debug).collect();
        Some(format!("the sign-off of {who} is about {found}, and not about {needed}"))
    };
    if root.person_of(attested.key()).is_none_or(|holder| holder.id != person.id) {
        return Some(format!("{who} does not hold this key in the trust root in force"));
    }
    if sign_off.person != person.id {
        return Some(format!("the sign-off names {}, and {who} signed it", sign_off.person));
    }
    if sign_off.printed_name != person.name {
        let printed: String = sign_off.printed_name.chars().take(80).flat_map(char::escape_debug).collect();
        return Some(format!("the sign-off of {who} prints the name \"{printed}\""));
    }
    if target.record_type != demand.record_type {
        return about(&format!("a {}", target.record_type), &format!("a {}", demand.record_type));
    }
    if target.name != demand.name {
        return about(&target.name, demand.name);
    }
    if target.digest != *digest {
        return about(&format!("a statement {}", target.digest.short()), &format!("this one, {}", digest.short()));
    }
    if sign_off.meaning != demand.meaning {
        return Some(format!("the sign-off of {who} means \"{}\", not \"{}\"", sign_off.meaning, demand.meaning));
    }
    if sign_off.role != demand.role {
        return Some(format!("{who} signed as {}, not as {}", sign_off.role, demand.role));
    }
    let excluded = demand.excluded.contains(&person.id);
    excluded.then(|| format!("{who} took part in what is signed, and cannot vouch for it"))
}

/// Verifies the first trust root of a baseline by itself: it is consistent, its keys are acceptable, and the
/// threshold of its own role `root` signed exactly these bytes. Whether it is the right one, the pin says.
///
/// # Errors
/// Whatever `decode` refuses, and [`RootDefect`].
pub fn first_root<E: From<RootDefect>>(
    bytes: &[u8],
    signatures: &[Signature],
    decode: impl FnOnce(&[u8]) -> Result<TrustRoot, E>,
) -> Result<Verified<TrustRoot>, E> {
    let root = decode(bytes)?;
    let signers = root_signers(&root, bytes, signatures)?;
    Ok(Verified { value: root, signers })
}

/// Says whether enough persons of role `root` of a verified root signed these bytes as the next root.
///
/// # Errors
/// [`RootDefect`], where they did not.
pub fn endorsed(root: &Verified<TrustRoot>, bytes: &[u8], signatures: &[Signature]) -> Result<(), RootDefect> {
    root_signers(root.value(), bytes, signatures).map(|_| ())
}

fn root_signers(root: &TrustRoot, bytes: &[u8], signatures: &[Signature]) -> Result<Vec<PersonId>, RootDefect> {
    root::check(root)?;
    let mut void = Vec::new();
    let mut proven = Vec::new();
    for signature in signatures {
        match attest_by(root, super::ROOT_NAMESPACE, bytes, signature) {
            Ok(attested) => proven.push(attested),
            Err(defect) => {
                let key = super::fingerprint(signature.key());
                void.push(NotCounted(format!("a signature by {key}: {defect}")));
            }
        }
    }
    let voices = proven.iter().map(|attested| Voice { person: attested.person(), key: attested.key(), obstacle: None });
    count(root, RoleName::Root, 1, voices).map_err(|mut shortfall| {
        shortfall.not_counted.append(&mut void);
        RootDefect::Threshold(shortfall)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{STATEMENT, attested, founded, id, key, person, root as root_of, sign_off};
    use super::super::{PrivateKey, ROOT_NAMESPACE, SIGN_OFF_NAMESPACE, Signer, attest};
    use super::*;
    use crate::domain::Role;

    fn demand(excluded: &BTreeSet<PersonId>) -> Demand<'_> {
        Demand {
            role: RoleName::Release,
            meaning: Meaning::Released,
            record_type: "release",
            name: "1.0",
            at_least: 1,
            excluded,
        }
    }

    /// Anna holds the keys 1 and 2, Berta the key 3; a release takes two persons.
    fn two_persons() -> Verified<TrustRoot> {
        let persons = vec![person("anna", &[&key(1), &key(2)]), person("berta", &[&key(3)])];
        founded(root_of(persons, 2), &key(1)).unwrap()
    }

    fn judge(voices: &[(&PrivateKey, SignOff)]) -> Result<Verified<Vec<u8>>, Shortfall> {
        let root = two_persons();
        let attested: Vec<_> = voices.iter().map(|(key, sign_off)| attested(&root, *key, sign_off)).collect();
        vouched(&root, &demand(&BTreeSet::new()), STATEMENT, &attested)
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
        assert!(berta_says(|said| said.target.digest = other).contains("is about a statement"));
        assert!(berta_says(|said| said.target.name = "1.1".into()).contains("is about 1.1, and not about 1.0"));
        assert!(berta_says(|said| said.target.record_type = "change".into()).contains("is about a change"));
        assert!(berta_says(|said| said.meaning = Meaning::Withdrawn).contains("means \"withdrawn\""));
        assert!(berta_says(|said| said.role = RoleName::Quality).contains("signed as quality"));
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
        let shortfall = vouched(&root, &demand(&authors), STATEMENT, &voices).unwrap_err();
        assert!(shortfall.not_counted[0].to_string().starts_with("BERTA (berta) took part"));
        assert!(vouched(&root, &demand(&BTreeSet::new()), STATEMENT, &voices).is_ok());
    }

    #[test]
    fn who_lacks_the_role_does_not_count() {
        let persons = vec![person("anna", &[&key(1)]), person("berta", &[&key(3)])];
        let mut one_signer = root_of(persons, 1);
        one_signer.roles[1].persons = vec![id("anna")];
        let root = founded(one_signer, &key(1)).unwrap();
        let voices = [attested(&root, &key(3), &sign_off("berta"))];
        let shortfall = vouched(&root, &demand(&BTreeSet::new()), STATEMENT, &voices).unwrap_err();
        assert_eq!(shortfall.not_counted[0].to_string(), "BERTA (berta) does not hold the role release");
    }

    #[test]
    fn a_demand_can_ask_for_more_but_never_for_less() {
        let root = two_persons();
        let voices = [attested(&root, &key(1), &sign_off("anna")), attested(&root, &key(3), &sign_off("berta"))];
        let nobody = BTreeSet::new();
        let required = |at_least, voices| {
            vouched(&root, &Demand { at_least, ..demand(&nobody) }, STATEMENT, voices).map_err(|short| short.required)
        };
        assert_eq!(required(3, &voices).unwrap_err(), 3);
        assert_eq!(required(0, &voices[..1]).unwrap_err(), 2);
        // Nobody holds this role: a missing role has no threshold, and must not pass on nothing.
        let unheld = Demand { role: RoleName::Quality, at_least: 0, ..demand(&nobody) };
        assert_eq!(vouched(&root, &unheld, STATEMENT, &[]).unwrap_err().required, 1);
    }

    #[test]
    fn a_threshold_of_none_still_takes_one() {
        let unchecked = root_of(vec![person("anna", &[&key(1)])], 0);
        assert_eq!(count(&unchecked, RoleName::Release, 0, std::iter::empty()).unwrap_err().required, 1);
    }

    #[test]
    fn a_sign_off_proven_under_another_root_does_not_count() {
        let persons = vec![person("anna", &[&key(1)]), person("berta", &[&key(9)])];
        let other = founded(root_of(persons, 2), &key(1)).unwrap();
        let root = two_persons();
        let voices = [attested(&root, &key(1), &sign_off("anna")), attested(&other, &key(9), &sign_off("berta"))];
        let shortfall = vouched(&root, &demand(&BTreeSet::new()), STATEMENT, &voices).unwrap_err();
        assert!(shortfall.not_counted[0].to_string().contains("does not hold this key"));
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
        assert_eq!(attested.clone().with_role(RoleName::Release).map(|kept| kept.person().id.clone()), Ok(id("anna")));
        assert_eq!(attested.with_role(RoleName::Log).unwrap_err().code(), "GB-SIG-ROLE");
    }

    #[test]
    fn a_first_root_is_signed_by_its_own_threshold_over_its_own_bytes() {
        let mut both = root_of(vec![person("anna", &[&key(1), &key(2)]), person("berta", &[&key(3)])], 1);
        both.roles[0] = Role { name: RoleName::Root, persons: vec![id("anna"), id("berta")], threshold: 2 };
        let verify = |signatures: &[(u8, &str, &[u8])]| {
            let sign = |(seed, namespace, bytes): &(u8, &str, &[u8])| key(*seed).sign(namespace, bytes).unwrap();
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
            assert!(defect.to_string().starts_with("signed by 1 of 2 required signers of role \"root\"; "), "{defect}");
        }
        // A void signature beside two good ones has no effect.
        assert!(verify(&[stranger, anna, other_bytes, berta]).is_ok());
        assert_eq!(verify(&[]).unwrap_err().code(), "GB-TRUST-THRESHOLD");
    }
}
