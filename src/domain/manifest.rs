//! The manifest: everything that a commit's configuration consists of, as one value.
//!
//! A pure function of the commit's content and the rule set: no clock, author, host or tool version.
//! Serves IEC 62304 cl. 8.1.3. Format: docs/format.md §4.

use serde::{Deserialize, Serialize};

use super::{Component, ConfigurationItem, Coverage, Digest, ObjectFormat};

/// The rule set that this program applies. 0 is experimental: it promises nothing between versions.
/// It is raised whenever the bytes of any manifest would change (contract §2).
pub const RULE_SET: u64 = 0;

/// Items, components, services and the digest of the complete source tree. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Every recognised or declared file in scope, sorted by path.
    pub items: Vec<ConfigurationItem>,
    /// Digest of `.baseline/policy.toml`; null where the built-in policy was used.
    pub policy: Option<Digest>,
    /// The rules that items and components were read by.
    pub ruleset: u64,
    /// What became of each lock and manifest file, sorted by path.
    pub coverage: Vec<Coverage>,
    /// Pinned services, sorted; their room, empty in rule set 0.
    pub services: Vec<String>,
    /// External components, sorted by purl.
    pub components: Vec<Component>,
    /// What binds every other file of the commit.
    pub source_tree: SourceTree,
    /// The repository's hash function, which gives the Git ids their length.
    pub object_format: ObjectFormat,
}

/// The digest of a complete source tree (docs/format.md §4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceTree {
    /// How many entries are files and links.
    pub files: u64,
    /// BLAKE3 over `mode SP type SP hex SP path NUL` of every entry, sorted by path bytes.
    pub digest: Digest,
    /// How many entries are submodules, which are bound by Git's id only.
    pub gitlinks: u64,
}
