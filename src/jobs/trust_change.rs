//! The next trust root: proposed by one person, signed by others, in force once the thresholds of both roots are met.
//!
//! Never here: counting (`crypto::threshold`), or what is in force (`trust`). Serves contract §3.3 and §4, `trust`.

use std::collections::BTreeMap;

use crate::codec;
use crate::crypto::{self, ROOT_NAMESPACE, RootDefect, RootSignature, Signer};
use crate::domain::{
    Act, Digest, Floors, Group, ItemClass, LogHead, Person, PersonId, PublicKey, Quorum, Revocation, RevocationKind,
    Role, RoleName, Timestamp, TrustRoot, Witness,
};
use crate::jobs::append::{Appending, append, moment};
use crate::jobs::log::{Log, parse_signature};
use crate::jobs::records::signing_person;
use crate::jobs::trust::{Proposal, Trust};
use crate::jobs::{Exit, Failure};
use crate::store::{Identity, Repository};

/// One change of the trust root.
pub enum TrustChange {
    /// A person joins, with the roles that he is to hold.
    AddPerson(Person, Vec<RoleName>),
    /// A person gets one more key.
    AddKey(PersonId, PublicKey),
    /// These persons, and no others, hold a role.
    SetRole(Role),
    /// An act takes these groups; none: the quorum goes.
    SetQuorum(Act, Option<ItemClass>, Vec<Group>),
    /// A key no longer counts.
    RevokeKey {
        /// Its fingerprint.
        fingerprint: String,
        /// Why.
        kind: RevocationKind,
        /// The head of the log whose statements still count; where none is given, the one that is here.
        since: Option<LogHead>,
        /// In words.
        reason: String,
    },
    /// Somebody outside cosigns checkpoints; how many distinct operators it takes.
    AddWitness(Witness, Option<u64>),
    /// What no policy can go below is raised.
    RaiseFloors(Floors),
}

/// What became of a change.
pub struct Changed {
    /// The version of the root that was proposed or signed.
    pub version: u64,
    /// Whether it is in force now.
    pub in_force: bool,
    /// Why it is not, where it is not.
    pub awaits: Option<String>,
    /// Whether the key that signed it is one that the root itself takes away, so that it does not count.
    pub own_key_goes: bool,
    /// What it changes, in words.
    pub words: Vec<String>,
}

/// Proposes the next root with one change, on top of a proposal of the same person that still waits for signatures, and
/// signs it.
///
/// # Errors
/// Where the change cannot be made, the signer holds no role `root` before or after it, or the log moved meanwhile.
pub fn propose(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    change: TrustChange,
    signer: &dyn Signer,
    identity: &Identity,
) -> Result<Changed, Failure> {
    let head = log.log_head(None)?;
    // Only on what the same person has signed: nobody signs another's changes unawares with his own.
    let person = signing_person(trust.root(), signer).map(|person| person.id.clone()).ok();
    let own = |proposal: &&&Proposal| person.as_ref().is_some_and(|person| proposal.signed_by.contains(person));
    let open = waiting(log, trust).iter().rfind(own).and_then(|proposal| proposal.root.clone());
    let mut root = open.unwrap_or_else(|| trust.root().clone());
    apply(&mut root, change, head)?;
    can_act(&root)?;
    root.version = trust.root().version.saturating_add(1);
    root.predecessor = Some(trust.newest().digest);
    root.log = Some(head);
    root.time = moment(Timestamp::from_seconds(identity.time), trust.root().time);
    let bytes = codec::encode(Some(&trust.fingerprint), &root);
    let mut files = BTreeMap::new();
    let folder = log.place_for(&format!("trust/{}/", root.version), "root.cbor", &bytes)?;
    files.insert(format!("{folder}root.cbor"), bytes.clone());
    finish(repository, log, trust, &folder, &root, &bytes, files, signer, identity)
}

/// Signs the proposal that waits for signatures.
///
/// # Errors
/// `GB-USE-PROPOSAL` where none does; where the signer holds no role `root` before or after it.
pub fn endorse(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    signer: &dyn Signer,
    identity: &Identity,
) -> Result<Changed, Failure> {
    let proposals = waiting(log, trust);
    let Some(proposal) = proposals.last() else {
        return Err(Failure::new(Exit::Usage, "GB-USE-PROPOSAL", "no trust root waits for a signature")
            .hint("git baseline trust show"));
    };
    let root = proposal.root.clone().unwrap_or_else(|| trust.root().clone());
    let files = BTreeMap::new();
    finish(repository, log, trust, &proposal.folder, &root, &proposal.bytes, files, signer, identity)
}

/// Returns the proposals that a root signer has signed and that lack nothing but signatures, in the order of the log.
pub fn waiting<'t>(log: &Log<'_>, trust: &'t Trust) -> Vec<&'t Proposal> {
    let mut waiting: Vec<&Proposal> = trust
        .proposals
        .iter()
        .filter(|proposal| proposal.why.code == "GB-TRUST-THRESHOLD" && !proposal.signed_by.is_empty())
        .filter(|proposal| {
            let next = proposal.root.as_ref();
            next.is_some_and(|root| root.predecessor == Some(trust.newest().digest))
        })
        .collect();
    waiting.sort_by_key(|proposal| log.position(&format!("{}root.cbor", proposal.folder)));
    waiting
}

#[expect(clippy::too_many_arguments, reason = "the two ways in share this end, and nothing else does")]
fn finish(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    folder: &str,
    root: &TrustRoot,
    bytes: &[u8],
    mut files: BTreeMap<String, Vec<u8>>,
    signer: &dyn Signer,
    identity: &Identity,
) -> Result<Changed, Failure> {
    may_sign(trust.root(), root, signer)?;
    let signature = signer.sign(ROOT_NAMESPACE, bytes).map_err(|error| {
        Failure::new(Exit::Usage, error.code(), "the trust root could not be signed").because(error)
    })?;
    let armour = signature.to_armor();
    files.insert(format!("{folder}signatures/{}.sig", Digest::of(armour.as_bytes())), armour.into_bytes());
    let mut signatures = vec![RootSignature { signature, position: None }];
    for path in log.below(&format!("{folder}signatures/")) {
        if let Ok(signature) = parse_signature(path, &log.need(path)?) {
            signatures.push(RootSignature { signature, position: log.position(path) });
        }
    }
    let newest = trust.newest();
    let judged =
        crypto::next_root::<RootDefect>(&newest.root, &newest.digest, bytes, &signatures, |_| Ok(root.clone()));
    let awaits = match judged {
        Ok(_) => None,
        Err(RootDefect::Threshold { version, shortfall }) => Some(format!("{shortfall} in root {version}")),
        Err(defect) => return Err(cannot(defect.code(), &defect.to_string())),
    };
    let verb = if awaits.is_some() { "Propose" } else { "Set" };
    let message = format!("{verb} trust root {}\n", root.version);
    append(repository, log, trust, &files, signer, &Appending { identity, message })?;
    let words = words(trust.root(), root);
    let own_key_goes = root.barred(signer.public_key(), None).is_some();
    Ok(Changed { version: root.version, in_force: awaits.is_none(), awaits, own_key_goes, words })
}

fn cannot(code: &'static str, why: &str) -> Failure {
    Failure::new(Exit::Usage, code, "this would be no trust root").because(why).hint("git baseline trust show")
}

/// No change may leave a root that nobody could ever follow: as many holders of role `root` as it takes must have a key
/// that counts.
fn can_act(root: &TrustRoot) -> Result<(), Failure> {
    let Some(role) = root.role(RoleName::Root) else { return Ok(()) };
    let has_key = |person: &&Person| person.keys.iter().any(|key| root.barred(key, None).is_none());
    let able = root.persons.iter().filter(|person| role.persons.contains(&person.id)).filter(has_key).count() as u64;
    if able >= role.threshold {
        return Ok(());
    }
    let why =
        format!("role root takes {} persons, and {able} of its holders would have a key that counts", role.threshold);
    Err(cannot("GB-TRUST-THRESHOLD", &why)
        .hint("give the holder another key first: `git baseline trust add-key PERSON --key FILE.pub`"))
}

/// Signing counts for whoever holds role `root` before or after the change.
fn may_sign(before: &TrustRoot, after: &TrustRoot, signer: &dyn Signer) -> Result<(), Failure> {
    let holds = |root: &TrustRoot| -> Result<bool, Failure> {
        let person = signing_person(root, signer)?;
        Ok(root.role(RoleName::Root).is_some_and(|role| role.persons.contains(&person.id)))
    };
    let before = holds(before);
    if matches!(before, Ok(true)) || matches!(holds(after), Ok(true)) {
        return Ok(());
    }
    before?;
    Err(Failure::new(Exit::Usage, "GB-SIG-ROLE", "this key's holder does not hold the role root")
        .hint("let a root signer run this; see them with `git baseline trust show`"))
}

fn apply(root: &mut TrustRoot, change: TrustChange, head: LogHead) -> Result<(), Failure> {
    match change {
        TrustChange::AddPerson(person, roles) => add_person(root, person, &roles),
        TrustChange::AddKey(id, key) => {
            let person = person_mut(root, &id)?;
            person.keys.push(key);
            person.keys.sort();
            Ok(())
        }
        TrustChange::SetRole(mut role) => {
            role.persons.sort();
            role.persons.dedup();
            root.roles.retain(|other| other.name != role.name);
            root.roles.push(role);
            root.roles.sort_by_key(|role| role.name);
            Ok(())
        }
        TrustChange::SetQuorum(act, class, mut groups) => {
            groups.sort();
            root.quorums.retain(|other| (other.act, other.class) != (act, class));
            if !groups.is_empty() {
                root.quorums.push(Quorum { act, class, groups });
            }
            root.quorums.sort_by_key(|quorum| (quorum.act, quorum.class.map(ItemClass::as_str)));
            Ok(())
        }
        TrustChange::RevokeKey { fingerprint, kind, since, reason } => {
            let keys = root.persons.iter().flat_map(|person| &person.keys);
            let key = keys.into_iter().find(|key| crypto::fingerprint(key) == fingerprint).cloned();
            let key =
                key.ok_or_else(|| cannot("GB-SIG-UNKNOWN-KEY", &format!("nobody holds the key {fingerprint}")))?;
            let since = (kind != RevocationKind::CompromisedAlways).then(|| since.unwrap_or(head));
            root.revocations.retain(|other| other.key != key);
            root.revocations.push(Revocation { key, kind, since, reason });
            root.revocations.sort_by(|a, b| a.key.cmp(&b.key));
            Ok(())
        }
        TrustChange::AddWitness(witness, quorum) => {
            root.witnesses.retain(|other| other.name != witness.name);
            root.witnesses.push(witness);
            root.witnesses.sort_by(|a, b| a.name.cmp(&b.name));
            root.witness_quorum = quorum.unwrap_or(root.witness_quorum);
            Ok(())
        }
        TrustChange::RaiseFloors(floors) => {
            root.floors = floors;
            Ok(())
        }
    }
}

fn add_person(root: &mut TrustRoot, person: Person, roles: &[RoleName]) -> Result<(), Failure> {
    if root.persons.iter().any(|other| other.id == person.id) {
        return Err(cannot("GB-USE-PERSON", &format!("there is a person {} already", person.id)));
    }
    for name in roles {
        match root.roles.iter_mut().find(|role| role.name == *name) {
            Some(role) => {
                role.persons.push(person.id.clone());
                role.persons.sort();
            }
            None => root.roles.push(Role { name: *name, persons: vec![person.id.clone()], threshold: 1 }),
        }
    }
    root.roles.sort_by_key(|role| role.name);
    root.persons.push(person);
    root.persons.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}

fn person_mut<'r>(root: &'r mut TrustRoot, id: &PersonId) -> Result<&'r mut Person, Failure> {
    let found = root.persons.iter_mut().find(|person| person.id == *id);
    found.ok_or_else(|| cannot("GB-USE-PERSON", &format!("there is no person {id}")))
}

/// Says what one root changes of another, for whoever is asked to sign it.
pub fn words(before: &TrustRoot, after: &TrustRoot) -> Vec<String> {
    let mut words = Vec::new();
    for person in &after.persons {
        let known = before.persons.iter().find(|other| other.id == person.id);
        if known.is_none() {
            words.push(format!("{} ({}) joins", person.name.escape_debug(), person.id));
        }
        let new = person.keys.iter().filter(|key| known.is_none_or(|known| !known.keys.contains(key)));
        words.extend(new.map(|key| format!("{} gets the key {}", person.id, crypto::fingerprint(key))));
        if let Some(known) = known.filter(|known| known.name != person.name || known.emails != person.emails) {
            words.push(format!("name or addresses of {} change", known.id));
        }
    }
    for role in &after.roles {
        let said = |role: &Role| {
            let holders: Vec<_> = role.persons.iter().map(ToString::to_string).collect();
            format!("{} of {}", role.threshold, holders.join(", "))
        };
        match before.role(role.name) {
            Some(known) if known == role => {}
            Some(known) => words.push(format!("role {}: {}, before: {}", role.name, said(role), said(known))),
            None => words.push(format!("role {}: {}, new", role.name, said(role))),
        }
    }
    let gone = before.roles.iter().filter(|role| after.role(role.name).is_none());
    words.extend(gone.map(|role| format!("role {} is held by nobody any more", role.name)));
    for revocation in after.revocations.iter().filter(|revocation| !before.revocations.contains(revocation)) {
        let bound =
            revocation.since.map_or_else(|| "always".to_owned(), |since| format!("from position {} on", since.size));
        let key = crypto::fingerprint(&revocation.key);
        words.push(format!("the key {key} no longer counts, {bound}: {}", revocation.kind));
    }
    if before.quorums != after.quorums {
        words.push("how many of which roles an act takes changes".to_owned());
    }
    if before.witnesses != after.witnesses || before.witness_quorum != after.witness_quorum {
        words.push(format!("witnesses: {} of {}", after.witness_quorum, after.witnesses.len()));
    }
    if before.floors != after.floors {
        words.push("the floors of every policy rise".to_owned());
    }
    words
}
