//! Counts persons. Everything that takes more than one signature is decided in `count`, and nowhere else.
//!
//! A person counts once, whatever keys he signs with; a sign-off that does not count is named with the reason.
//! Serves contract §3.3 and §3.7 (segregation of duties), 21 CFR 11.10(g), 11.200.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::attest::{Attested, Authority, attest_by};
use super::note::{NoteKey, NoteKeyType};
use super::root::{self, RootDefect};
use super::signature::Signature;
use crate::domain::{
    Digest, Group, KeyName, Meaning, Person, PersonId, PublicKey, RoleName, SignOff, SignedNote, TrustRoot,
};

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
    /// How many persons of which roles it takes. Nobody counts in two of them.
    pub groups: &'a [Group],
    /// What they must mean.
    pub meaning: Meaning,
    /// The record type of the statement.
    pub record_type: &'a str,
    /// The name of the statement.
    pub name: &'a str,
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
    /// How many distinct persons of which roles it takes.
    pub groups: Vec<Group>,
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

    /// Returns how many distinct persons it takes in all.
    pub fn required(&self) -> u64 {
        self.groups.iter().fold(0, |sum, group| group.count.saturating_add(sum))
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let required = self.required();
        let signers = if required == 1 { "signer" } else { "signers" };
        write!(f, "signed by {} of {required} required {signers}", self.counted.len())?;
        match self.groups.as_slice() {
            [one] => write!(f, " of role \"{}\"", one.role),
            groups => {
                let named: Vec<_> = groups.iter().map(|group| format!("{} {}", group.count, group.role)).collect();
                write!(f, ": {}", named.join(" and "))
            }
        }
    }
}

impl std::error::Error for Shortfall {}

/// One proven signature, with the role that it is made in, and what keeps it from counting, if anything does.
struct Voice<'a> {
    person: &'a Person,
    key: &'a PublicKey,
    role: RoleName,
    obstacle: Option<String>,
}

/// The one place in the program where signers are counted: distinct persons who hold the roles that they speak in, and
/// whose voice has nothing against it. Returns them sorted.
fn count<'a>(
    root: &TrustRoot,
    groups: &[Group],
    voices: impl Iterator<Item = Voice<'a>>,
) -> Result<Vec<PersonId>, Shortfall> {
    let mut counted: BTreeMap<(&PersonId, RoleName), &PublicKey> = BTreeMap::new();
    let mut not_counted = Vec::new();
    for voice in voices {
        let (who, role) = (named(voice.person), voice.role);
        let holds = root.role(role).is_some_and(|role| role.persons.contains(&voice.person.id));
        let first = counted.get(&(&voice.person.id, role)).copied();
        let why = match (voice.obstacle, first) {
            (Some(obstacle), _) => obstacle,
            (None, _) if !groups.iter().any(|group| group.role == role) => {
                format!("{who} signed as {role}, which is not asked for")
            }
            (None, _) if !holds => format!("{who} does not hold the role {role}"),
            (None, Some(first)) if first == voice.key => format!("{who} once more: one person counts once"),
            (None, Some(_)) => format!("a second key of {who}: one person counts once"),
            (None, None) => {
                counted.insert((&voice.person.id, role), voice.key);
                continue;
            }
        };
        not_counted.push(NotCounted(why));
    }
    // A threshold of 0 must not let a statement through that nobody signed.
    let groups: Vec<Group> = groups.iter().map(|group| Group { count: group.count.max(1), ..*group }).collect();
    let met = !groups.is_empty() && each_in_one_group(&groups, &counted);
    let persons: BTreeSet<PersonId> = counted.into_keys().map(|(person, _)| person.clone()).collect();
    let counted: Vec<PersonId> = persons.into_iter().collect();
    if met { Ok(counted) } else { Err(Shortfall { groups, counted, not_counted }) }
}

/// Says whether persons can be dealt out so that each group is full and nobody is in two: for every choice of groups,
/// those who signed for any of them are as many as these groups need together (Hall's condition).
fn each_in_one_group(groups: &[Group], counted: &BTreeMap<(&PersonId, RoleName), &PublicKey>) -> bool {
    // There are 8 roles, and each role is in one group at most.
    let choices = 1_u32.checked_shl(u32::try_from(groups.len()).unwrap_or(u32::MAX)).unwrap_or(0);
    choices > 1
        && (1..choices).all(|choice| {
            let chosen: Vec<&Group> =
                groups.iter().enumerate().filter(|(at, _)| choice >> at & 1 == 1).map(|(_, group)| group).collect();
            let needed = chosen.iter().fold(0_u64, |sum, group| sum.saturating_add(group.count));
            let persons: BTreeSet<&PersonId> =
                counted.keys().filter(|(_, role)| chosen.iter().any(|g| g.role == *role)).map(|(id, _)| *id).collect();
            persons.len() as u64 >= needed
        })
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
    authority: &Authority<'_>,
    demand: &Demand<'_>,
    bytes: &[u8],
    attested: &[Attested<'_, SignOff>],
) -> Result<Verified<Vec<u8>>, Shortfall> {
    let digest = Digest::of(bytes);
    let voices = attested.iter().map(|attested| Voice {
        person: attested.person(),
        key: attested.key(),
        role: attested.value().role,
        obstacle: obstacle(authority, demand, &digest, attested),
    });
    let signers = count(authority.root.value(), demand.groups, voices)?;
    Ok(Verified { value: bytes.to_vec(), signers })
}

/// Says why a sign-off does not speak for this statement in this sense, if it does not.
fn obstacle(
    authority: &Authority<'_>,
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
    if let Some(defect) = attested.barred(authority) {
        return Some(format!("the sign-off of {who}: {defect}"));
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
    if sign_off.meaning != demand.meaning {
        return Some(format!("the sign-off of {who} means \"{}\", not \"{}\"", sign_off.meaning, demand.meaning));
    }
    if (sign_off.meaning == Meaning::Verified) != sign_off.verification.is_some() {
        // IEC 62304 cl. 9.8: a verification that does not say what was tested is none.
        return Some(format!("the sign-off of {who} does not say what was tested, or says it where nothing was"));
    }
    if target.digest != *digest {
        return about(&format!("another content, {}", target.digest.short()), &format!("this one, {}", digest.short()));
    }
    let excluded = demand.excluded.contains(&person.id);
    excluded.then(|| format!("{who} took part in what is signed, and cannot vouch for it"))
}

/// Proves that the log was validated up to a checkpoint: as many holders of role `log` as it takes signed the note, each
/// with a key that still counts for a log of that size.
///
/// # Errors
/// [`Shortfall`], with the reason for each signature that did not count.
pub fn logged(root: &Verified<TrustRoot>, note: &SignedNote, size: u64) -> Result<Verified<String>, Shortfall> {
    let value = root.value();
    let position = size.checked_sub(1);
    let mut voices = Vec::new();
    for person in &value.persons {
        for key in &person.keys {
            let name = KeyName::parse(&value.origin);
            let known = name.and_then(|name| NoteKey::from_public_key(name, NoteKeyType::Log, key).ok());
            if known.is_none_or(|known| known.check_checkpoint(note).is_err()) {
                continue;
            }
            let revoked = value.barred(key, position);
            let why =
                |by: &crate::domain::Revocation| format!("a key of {} that was revoked as {}", named(person), by.kind);
            voices.push(Voice { person, key, role: RoleName::Log, obstacle: revoked.map(why) });
        }
    }
    let threshold = value.role(RoleName::Log).map_or(1, |role| role.threshold);
    let signers = count(value, &[Group { role: RoleName::Log, count: threshold }], voices.into_iter())?;
    Ok(Verified { value: note.text.clone(), signers })
}

/// Says whether any key of a root signed a note as the log: a quick look that decides nothing by itself.
pub fn may_have_logged(root: &TrustRoot, note: &SignedNote) -> bool {
    let Some(name) = KeyName::parse(&root.origin) else { return false };
    let keys = root.persons.iter().flat_map(|person| &person.keys);
    let mut known = keys.filter_map(|key| NoteKey::from_public_key(name.clone(), NoteKeyType::Log, key).ok());
    known.any(|key| key.check_checkpoint(note).is_ok())
}

/// Who outside saw a checkpoint, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// The newest time of each operator, in seconds since 1970.
    pub operators: BTreeMap<String, u64>,
    /// The newest time by which as many as the root asks for had seen it; none where too few did, or none is asked for.
    pub quorum: Option<u64>,
}

/// Counts the witnesses of a checkpoint: distinct operators, who hold no other role (contract §3.2).
pub fn witnessed(root: &TrustRoot, note: &SignedNote) -> Witnessed {
    let mut operators: BTreeMap<String, u64> = BTreeMap::new();
    for witness in &root.witnesses {
        let Some(name) = KeyName::parse(&witness.name) else { continue };
        let Ok(key) = NoteKey::new(name, NoteKeyType::Witness, witness.key) else { continue };
        if let Ok(Some(time)) = key.witnessed(note) {
            let newest = operators.entry(witness.operator.clone()).or_default();
            *newest = time.max(*newest);
        }
    }
    let mut times: Vec<u64> = operators.values().copied().collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let asked = usize::try_from(root.witness_quorum).unwrap_or(usize::MAX);
    let quorum = asked.checked_sub(1).and_then(|at| times.get(at)).copied();
    Witnessed { operators, quorum }
}

/// A signature over a trust root, and where it stands in the log; nowhere while the root is being made.
#[derive(Clone, Debug)]
pub struct RootSignature {
    /// The signature.
    pub signature: Signature,
    /// Its place in the log.
    pub position: Option<u64>,
}

/// Verifies the first trust root of a baseline by itself: it is consistent, its keys are acceptable, and the
/// threshold of its own role `root` signed exactly these bytes. Whether it is the right one, the pin says.
///
/// # Errors
/// Whatever `decode` refuses, and [`RootDefect`].
pub fn first_root<E: From<RootDefect>>(
    bytes: &[u8],
    signatures: &[RootSignature],
    decode: impl FnOnce(&[u8]) -> Result<TrustRoot, E>,
) -> Result<Verified<TrustRoot>, E> {
    let root = decode(bytes)?;
    root::check_first(&root)?;
    let signers = root_signers(&root, bytes, signatures)?;
    Ok(Verified { value: root, signers })
}

/// Verifies the root after another one: it keeps what must be kept, and both its own threshold and that of the one
/// before signed exactly these bytes (contract §3.3). `digest` is that of the stored bytes of the one before.
///
/// # Errors
/// Whatever `decode` refuses, and [`RootDefect`].
pub fn next_root<E: From<RootDefect>>(
    before: &Verified<TrustRoot>,
    digest: &Digest,
    bytes: &[u8],
    signatures: &[RootSignature],
    decode: impl FnOnce(&[u8]) -> Result<TrustRoot, E>,
) -> Result<Verified<TrustRoot>, E> {
    let root = decode(bytes)?;
    root::check_next(&root, before.value(), digest)?;
    root_signers(before.value(), bytes, signatures)?;
    let signers = root_signers(&root, bytes, signatures)?;
    Ok(Verified { value: root, signers })
}

fn root_signers(root: &TrustRoot, bytes: &[u8], signatures: &[RootSignature]) -> Result<Vec<PersonId>, RootDefect> {
    let mut void = Vec::new();
    let mut proven = Vec::new();
    for RootSignature { signature, position } in signatures {
        match attest_by(root, super::ROOT_NAMESPACE, bytes, signature) {
            Ok(attested) => proven.push((attested, *position)),
            Err(defect) => {
                let key = super::fingerprint(signature.key());
                void.push(NotCounted(format!("a signature by {key}: {defect}")));
            }
        }
    }
    let voices = proven.iter().map(|(attested, position)| Voice {
        person: attested.person(),
        key: attested.key(),
        role: RoleName::Root,
        obstacle: root
            .barred(attested.key(), *position)
            .map(|revocation| format!("a key of {} that was revoked as {}", named(attested.person()), revocation.kind)),
    });
    let threshold = root.role(RoleName::Root).map_or(1, |role| role.threshold);
    count(root, &[Group { role: RoleName::Root, count: threshold }], voices).map_err(|mut shortfall| {
        shortfall.not_counted.append(&mut void);
        RootDefect::Threshold { version: root.version, shortfall }
    })
}

#[cfg(test)]
mod tests;
