//! The nouns of the program, in the standards' own terms (ISO 10007, IEC 62304, TUF, CycloneDX).
//!
//! Never here: Git, disk, clock, environment, terminal, or anything of ours above this floor. Types derive
//! `serde` because their field order *is* the stored order (docs/format.md §2); nothing is encoded here.

mod change;
mod checkpoint;
mod component;
mod component_delta;
mod delta;
mod digest;
mod fact;
mod finding;
mod id;
mod item;
mod manifest;
mod record;
mod release;
mod shown;
mod time;
mod trust;
mod version;

pub use change::{
    ChangeRequest, ChangeType, Segment, Standing, State, Subject, VerificationRecord, VersionBound, compose, segments,
};
pub use checkpoint::{Checkpoint, KeyName, NoteSignature, SignedNote};
pub use component::{Component, ComponentHash, Coverage, CoverageStatus, Overlay, Scope};
pub use component_delta::{ComponentDelta, ComponentState, StateHash};
pub use delta::{FactChange, ItemDelta, ItemOperation, ManifestDelta};
pub use digest::{ContentHasher, Digest, DigestSet, Sha256Digest};
pub use fact::{Fact, Facts};
pub use finding::{Deviating, Finding, Observation, Rule, Severity};
pub use id::{ChangeId, InvalidId, ObjectFormat, ObjectId, PersonId, ReleaseName, RepoPath};
pub use item::{ConfigurationItem, EntryKind, ItemClass, Mode};
pub use manifest::{Manifest, RULE_SET, SourceTree};
pub use record::{CommitRecord, Recorder};
pub use release::{GateResult, LogHead, Meaning, RangeEntry, Release, ReleasedChange, SignOff, StoredDocument, Target};
pub use shown::{Show, Shown};
pub use time::Timestamp;
pub use trust::{
    Act, Floors, Group, Person, PublicKey, Quorum, Revocation, RevocationKind, Role, RoleName, TrustRoot, Witness,
};
