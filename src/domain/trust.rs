//! The trust root: who may say what. Its digest is what an auditor pins.
//!
//! Never here: signatures (crypto) and counting them (`crypto::threshold`). Format: docs/format.md §3.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::{ObjectFormat, ObjectId, PersonId, Severity, Timestamp};

/// Persons, their keys and roles, and the floors that no policy can go below. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustRoot {
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
    /// 1, then one more each time.
    pub version: u64,
    /// The product's document id; empty when there is none.
    pub document_id: String,
    /// The last commit before control; null when control covers the whole history.
    pub control_start: Option<ObjectId>,
    /// The repository's hash function.
    pub object_format: ObjectFormat,
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

    /// Returns the first rule that the root itself breaks: a person, key or address twice, an unknown holder,
    /// a threshold that nobody or not everybody could reach, or a list out of order.
    pub fn defect(&self) -> Option<String> {
        let mut seen: BTreeMap<&PublicKey, &PersonId> = BTreeMap::new();
        if self.version == 0 {
            return Some("version 0".into());
        }
        if !self.persons.is_sorted_by(|a, b| a.id < b.id) {
            return Some("persons are not sorted, or one stands twice".into());
        }
        for person in &self.persons {
            if !person.keys.is_sorted_by(|a, b| a < b) || !person.emails.is_sorted_by(|a, b| a < b) {
                return Some(format!("keys or addresses of {} are not sorted, or one stands twice", person.id));
            }
            for key in &person.keys {
                if let Some(other) = seen.insert(key, &person.id) {
                    return Some(format!("{other} and {} hold the same key", person.id));
                }
            }
        }
        if !self.roles.is_sorted_by(|a, b| a.name < b.name) {
            return Some("roles are not in order, or one stands twice".into());
        }
        self.roles.iter().find_map(|role| self.role_defect(role))
    }

    fn role_defect(&self, role: &Role) -> Option<String> {
        if !role.persons.is_sorted_by(|a, b| a < b) {
            return Some(format!("persons of role {} are not sorted, or one stands twice", role.name));
        }
        if let Some(stranger) = role.persons.iter().find(|id| !self.persons.iter().any(|person| person.id == **id)) {
            return Some(format!("role {} names {stranger}, who is no person of this root", role.name));
        }
        let reachable = role.threshold >= 1 && role.threshold <= role.persons.len() as u64;
        (!reachable).then(|| format!("threshold {} of role {} cannot be met", role.threshold, role.name))
    }
}
