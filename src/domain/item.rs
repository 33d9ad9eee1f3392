//! A configuration item: one controlled file, what it is, and what it says.
//!
//! Serves IEC 62304 cl. 8.1.1 (identify configuration items). Never here: its content.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DigestSet, Facts, ObjectId, RepoPath};

/// A controlled file with kind, class, owner, digests and facts. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationItem {
    /// What the file is, such as `x509-certificate`; the names are listed in docs/items.md.
    pub kind: String,
    /// Git's mode of the entry.
    pub mode: Mode,
    /// Where it stands.
    pub path: RepoPath,
    /// Its size in bytes, as Git stores it.
    pub size: u64,
    /// The group that the kind belongs to.
    pub class: ItemClass,
    /// What it says.
    pub facts: Facts,
    /// Who answers for it, as the policy names him.
    pub owner: Option<String>,
    /// Digests of its content; null where the content holds a secret in clear.
    pub digest: Option<DigestSet>,
    /// Git's id of its content.
    pub git_id: ObjectId,
    /// Whether a rule of the policy names it.
    pub declared: bool,
}

/// The group that an item's kind belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemClass {
    /// X.509 certificates, bundles, requests and revocation lists.
    Certificate,
    /// Keys and what holds them.
    Key,
    /// Rules that programs enforce.
    Policy,
    /// Who may get in.
    AccessControl,
    /// Settings that make a system harder to attack.
    Hardening,
    /// Declarations of components and services.
    Component,
    /// Process documents.
    Document,
}

impl ItemClass {
    /// Every class, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::Key,
        Self::Certificate,
        Self::Policy,
        Self::AccessControl,
        Self::Hardening,
        Self::Component,
        Self::Document,
    ];

    /// Returns the class of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::Policy => "policy",
            Self::AccessControl => "access-control",
            Self::Hardening => "hardening",
            Self::Component => "component",
            Self::Document => "document",
        }
    }
}

impl fmt::Display for ItemClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Git's mode of a tree entry, exactly as the tree holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mode(u32);

/// What a mode stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, executable or not.
    File,
    /// A symbolic link; its content is the target.
    Symlink,
    /// A submodule's commit, of which only Git's id is known.
    Gitlink,
}

impl Mode {
    /// A plain file.
    pub const FILE: Self = Self(0o100_644);
    /// An executable file.
    pub const EXECUTABLE: Self = Self(0o100_755);
    /// A symbolic link.
    pub const SYMLINK: Self = Self(0o120_000);
    /// A submodule.
    pub const GITLINK: Self = Self(0o160_000);

    /// Wraps the number that a tree holds.
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// Returns the number that a tree holds.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns what it stands for; every mode that is no link is a file.
    pub const fn kind(self) -> EntryKind {
        match self.0 & 0o170_000 {
            0o120_000 => EntryKind::Symlink,
            0o160_000 => EntryKind::Gitlink,
            _ => EntryKind::File,
        }
    }
}

/// Six octal digits, as `git ls-tree` prints them.
impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06o}", self.0)
    }
}
