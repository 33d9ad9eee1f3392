//! A release statement, and the sign-offs that make it more than a proposal.
//!
//! Serves IEC 62304 cl. 5.8 and 8.2, 21 CFR 11.50. Format: docs/format.md §6 and §7.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ChangeId, Digest, ObjectFormat, ObjectId, PersonId, ReleaseName, Severity, Timestamp, VerificationRecord};

/// What is released, bound by digests to everything that it consists of. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The log that its maker accepted, before this release.
    pub log: LogHead,
    /// The gate's results.
    pub gate: Vec<GateResult>,
    /// Its name, the product's version.
    pub name: ReleaseName,
    /// When its maker says that he made it.
    pub time: Timestamp,
    /// The program's version.
    pub tool: String,
    /// Git's id of the source tree.
    pub tree: ObjectId,
    /// The moment at which the gate judged what depends on time.
    pub as_of: Timestamp,
    /// How it was built; its room.
    pub build: Option<Digest>,
    /// Every commit of its range, sorted by commit id.
    pub range: Vec<RangeEntry>,
    /// The source commit.
    pub commit: ObjectId,
    /// The changes that its range holds, sorted by id.
    pub changes: Vec<ReleasedChange>,
    /// The product's name.
    pub product: String,
    /// The rules that its manifest was computed by.
    pub ruleset: u64,
    /// Digest of the stored bytes of its manifest.
    pub manifest: Digest,
    /// 1 for the first release, then one more than its predecessor's.
    pub sequence: u64,
    /// Delivered files; their room.
    pub artefacts: Vec<StoredDocument>,
    /// The documents stored beside it, sorted by name.
    pub documents: Vec<StoredDocument>,
    /// Deviations in force; their room.
    pub deviations: Vec<String>,
    /// Digest of the predecessor's stored statement; null for the first.
    pub predecessor: Option<Digest>,
    /// Digest of the complete source tree (docs/format.md §4.3).
    pub source_tree: Digest,
    /// The repository's hash function.
    pub object_format: ObjectFormat,
    /// The version of the trust root in force.
    pub trust_version: u64,
}

/// The state of the log: how many statements it holds, and the Merkle root over them (docs/format.md §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogHead {
    /// RFC 6962 tree hash over the leaves.
    pub root: super::Sha256Digest,
    /// The number of leaves.
    pub size: u64,
}

/// One commit of a release's range. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeEntry {
    /// Git's id of the commit.
    pub commit: ObjectId,
    /// BLAKE3 of the raw commit object, so that nothing rests on SHA-1.
    pub digest: Digest,
    /// BLAKE3 of the sealed note, `records/<aa>/<commit>` in the log.
    pub record: Digest,
}

/// A change of a release's range, with the sign-offs that it was let through by. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedChange {
    /// Its id.
    pub id: ChangeId,
    /// Digest of its content, which approvals and verifications speak of (docs/format.md §6.3).
    pub content: Digest,
    /// Digests of the approvals that counted, sorted. They are spent by this release.
    pub approvals: Vec<Digest>,
    /// Digests of the verifications that counted, sorted.
    pub verifications: Vec<Digest>,
}

/// A file that is bound by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredDocument {
    /// Its name.
    pub name: String,
    /// BLAKE3 of its bytes.
    pub digest: Digest,
}

/// How many findings of one rule the gate saw and let pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateResult {
    /// The rule's name.
    pub rule: String,
    /// How many findings.
    pub count: u64,
    /// How bad each is.
    pub severity: Severity,
}

/// A person's signed word about a statement. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    /// The role in which he signs.
    pub role: super::RoleName,
    /// When he says that he signed.
    pub time: Timestamp,
    /// Who, as the trust root knows him.
    pub person: PersonId,
    /// Why, in his words; may be empty.
    pub reason: String,
    /// What he signs.
    pub target: Target,
    /// What his signature means.
    pub meaning: Meaning,
    /// His name in print (21 CFR 11.50).
    pub printed_name: String,
    /// What was tested and how, where the meaning is `verified`; else null.
    pub verification: Option<VerificationRecord>,
}

/// What a sign-off speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The name of the statement, such as the release's.
    pub name: String,
    /// The statement's record type, such as `release`.
    #[serde(rename = "type")]
    pub record_type: String,
    /// BLAKE3 of the statement's stored bytes.
    pub digest: Digest,
}

/// What a signature means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    /// Read and found in order.
    Reviewed,
    /// Agreed to.
    Approved,
    /// Tested.
    Verified,
    /// Released for use.
    Released,
    /// Seen.
    Witnessed,
    /// Taken back.
    Withdrawn,
}

impl Meaning {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reviewed => "reviewed",
            Self::Approved => "approved",
            Self::Verified => "verified",
            Self::Released => "released",
            Self::Witnessed => "witnessed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
