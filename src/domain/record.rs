//! The commit record: what one commit changed, in terms of items and components, said by a known person.
//!
//! Format: docs/format.md §5. Never here: the note that carries it (`codec::note`).

use serde::{Deserialize, Serialize};

use super::{ChangeId, ComponentDelta, Digest, ItemDelta, ObjectFormat, ObjectId, PersonId, Timestamp};

/// The delta of a commit against its first parent. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitRecord {
    /// When the recorder says that he made it.
    pub time: Timestamp,
    /// Git's id of the commit's tree.
    pub tree: ObjectId,
    /// Items added, changed, removed or renamed, sorted by path.
    pub items: Vec<ItemDelta>,
    /// The commit that this speaks of.
    pub commit: ObjectId,
    /// Digest of the commit's `.baseline/policy.toml`; null where there is none.
    pub policy: Option<Digest>,
    /// The change requests that the commit's trailers name, in their order.
    pub changes: Vec<ChangeId>,
    /// The commit's parents, in their order.
    pub parents: Vec<ObjectId>,
    /// The rules that the delta was computed by.
    pub ruleset: u64,
    /// Digest of the summary that stands before the record in the note.
    pub summary: Digest,
    /// Who made this record.
    pub recorder: Recorder,
    /// Components that came, went or changed, sorted.
    pub components: Vec<ComponentDelta>,
    /// The repository's hash function.
    pub object_format: ObjectFormat,
}

/// Who made a commit record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorder {
    /// The person, as the trust root knows him.
    pub person: PersonId,
    /// Whether he claims to be the commit's author.
    pub made_by_me: bool,
}
