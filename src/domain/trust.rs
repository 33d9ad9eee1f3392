//! The trust root: who may say what. The digest of the first one is what an auditor pins.
//!
//! Never here: signatures (crypto) and counting them (`crypto::threshold`). Format: docs/format.md §3.

mod defect;
mod revocation;

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::{Digest, ItemClass, LogHead, ObjectFormat, ObjectId, PersonId, Severity, Timestamp};
pub use revocation::{Revocation, RevocationKind};

/// Persons, their keys and roles, and the floors that no policy can go below. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustRoot {
    /// The log that its makers accepted, before this root; null in the first.
    pub log: Option<LogHead>,
    /// When its makers say that they made it.
    pub time: Timestamp,
    /// 32 random bytes: two roots are never equal.
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 32],
    /// Roles by name.
    pub roles: Vec<Role>,
    /// Lower bounds of every policy.
    pub floors: Floors,
    /// The log's name in checkpoints (C2SP signed notes).
    pub origin: String,
    /// Persons, sorted by id.
    pub persons: Vec<Person>,
    /// The product's name.
    pub product: String,
    /// Where a role's threshold is not enough: how many of which roles an act takes; sorted by act and class.
    pub quorums: Vec<Quorum>,
    /// 1, then one more each time.
    pub version: u64,
    /// Who cosigns checkpoints, sorted by name.
    pub witnesses: Vec<Witness>,
    /// The product's document id; empty when there is none.
    pub document_id: String,
    /// Digest of the stored bytes of the root before; null in the first.
    pub predecessor: Option<Digest>,
    /// Keys that no longer count, sorted by key. A revocation is never taken back.
    pub revocations: Vec<Revocation>,
    /// The last commit before control; null when control covers the whole history.
    pub control_start: Option<ObjectId>,
    /// The repository's hash function.
    pub object_format: ObjectFormat,
    /// How many witnesses, distinct operators, it takes to believe that a log is the newest; 0 where none are asked.
    pub witness_quorum: u64,
}

/// A person with names and keys. One person counts once, whatever keys he uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// His stable id.
    pub id: PersonId,
    /// His keys, sorted.
    pub keys: Vec<PublicKey>,
    /// His name in print.
    pub name: String,
    /// The addresses he commits under, sorted.
    pub emails: Vec<String>,
}

/// A public key in SSH's wire form (`ssh-ed25519`, or `sk-ssh-ed25519@openssh.com`), checked where it is used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "serde_bytes")] Vec<u8>);

impl PublicKey {
    /// Wraps the wire form.
    pub fn from_wire(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the wire form.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bytes)", self.0.len())
    }
}

/// What a person may sign as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// Signs trust roots.
    Root,
    /// Signs releases.
    Release,
    /// Approves changes.
    Approver,
    /// Security officer.
    Security,
    /// Quality management.
    Quality,
    /// Makes commit records.
    Developer,
    /// Signs checkpoints of the log.
    Log,
    /// Automation, which never approves.
    Bot,
}

impl RoleName {
    /// Every role, in stored order.
    pub const ALL: [Self; 8] = [
        Self::Root,
        Self::Release,
        Self::Approver,
        Self::Security,
        Self::Quality,
        Self::Developer,
        Self::Log,
        Self::Bot,
    ];

    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Release => "release",
            Self::Approver => "approver",
            Self::Security => "security",
            Self::Quality => "quality",
            Self::Developer => "developer",
            Self::Log => "log",
            Self::Bot => "bot",
        }
    }
}

impl Serialize for RoleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who holds a role, and how many of them it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The role.
    pub name: RoleName,
    /// Who holds it, sorted.
    pub persons: Vec<PersonId>,
    /// How many distinct persons must sign, at least 1 and at most all.
    pub threshold: u64,
}

/// What takes more than one role's threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Approving a change.
    Approve,
    /// Releasing.
    Release,
}

impl Act {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Release => "release",
        }
    }
}

/// How many persons of which roles an act takes, such as two developers and one security officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// The act.
    pub act: Act,
    /// The class of items that a change must touch for this to be asked; null: every change, every release.
    pub class: Option<ItemClass>,
    /// The groups, sorted by role. Nobody counts in two of them.
    pub groups: Vec<Group>,
}

/// So many persons of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The role.
    pub role: RoleName,
    /// How many persons.
    pub count: u64,
}

/// Somebody outside who cosigns checkpoints (C2SP tlog-cosignature), and holds no role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// His Ed25519 key.
    #[serde(with = "serde_bytes")]
    pub key: [u8; 32],
    /// The key's name in notes.
    pub name: String,
    /// Who runs it; two keys of one operator are one witness.
    pub operator: String,
}

/// What no policy can go below (contract §2, "Baseline id").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    /// The mildest severity that stops a release.
    pub block: Severity,
    /// How many approvals a change needs.
    pub approvals: u64,
    /// Whether each change needs a change request.
    pub change_control: bool,
    /// Within how many days an emergency must be approved.
    pub emergency_days: u64,
}

impl TrustRoot {
    /// Returns the holder of a key.
    pub fn person_of(&self, key: &PublicKey) -> Option<&Person> {
        self.persons.iter().find(|person| person.keys.contains(key))
    }

    /// Returns a role.
    pub fn role(&self, name: RoleName) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// Returns how many persons of which roles a release takes.
    pub fn release_groups(&self) -> Vec<Group> {
        let own =
            Group { role: RoleName::Release, count: self.role(RoleName::Release).map_or(1, |role| role.threshold) };
        self.groups_of(Act::Release, &[], own)
    }

    /// Returns how many persons of which roles must approve a change that touches items of `classes`, given how many
    /// approvals the policy asks for.
    pub fn approval_groups(&self, classes: &[ItemClass], approvals: u64) -> Vec<Group> {
        let threshold = self.role(RoleName::Approver).map_or(1, |role| role.threshold);
        let own = Group { role: RoleName::Approver, count: threshold.max(approvals).max(self.floors.approvals).max(1) };
        self.groups_of(Act::Approve, classes, own)
    }

    /// Every quorum that applies counts, in each role the largest number.
    fn groups_of(&self, act: Act, classes: &[ItemClass], own: Group) -> Vec<Group> {
        let applies = |quorum: &&Quorum| quorum.act == act && quorum.class.is_none_or(|class| classes.contains(&class));
        let mut groups = vec![own];
        for group in self.quorums.iter().filter(applies).flat_map(|quorum| &quorum.groups) {
            match groups.iter_mut().find(|known| known.role == group.role) {
                Some(known) => known.count = known.count.max(group.count),
                None => groups.push(*group),
            }
        }
        groups.sort();
        groups
    }

    /// Returns the revocation that keeps a key's word at a position of the log from counting, if there is one. What
    /// is not in the log has no position.
    pub fn barred(&self, key: &PublicKey, position: Option<u64>) -> Option<&Revocation> {
        self.revocations.iter().find(|revocation| revocation.key == *key && revocation.bars(position))
    }
}
