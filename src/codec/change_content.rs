//! The bytes of a change's content: what approvals and verifications are bound to.
//!
//! Deterministic CBOR over sorted segments, with the baseline, the change and the rule set before them, so that no
//! approval can be carried to another change or product (contract §3.6). Format: docs/format.md §6.3.

use serde::{Serialize, Serializer};

use crate::codec::encode_plain;
use crate::domain::{ChangeId, ComponentState, Digest, Segment, State, Subject};

/// What the bytes begin with, so that they are never taken for another record.
const NAME: &str = "git-baseline.content";

#[derive(Serialize)]
struct Entry<'a>(Name<'a>, Option<Side<'a>>, Option<Side<'a>>);

#[derive(Serialize)]
struct Side<'a>(&'a str, Option<u32>, #[serde(with = "serde_bytes")] &'a [u8]);

struct Name<'a>(&'a Subject);

/// A path is a byte string, a purl is text.
impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Subject::Path(path) => serializer.serialize_bytes(path),
            Subject::Purl(purl) => serializer.serialize_str(purl),
        }
    }
}

/// Returns the bytes of a change's content.
pub fn change_content(baseline: &Digest, change: &ChangeId, ruleset: u64, segments: &[Segment]) -> Vec<u8> {
    let entries: Vec<Entry<'_>> = segments.iter().map(entry).collect();
    encode_plain(&(NAME, baseline, change.as_str(), ruleset, entries))
}

fn entry(segment: &Segment) -> Entry<'_> {
    Entry(Name(&segment.subject), segment.before.as_ref().map(part), segment.after.as_ref().map(part))
}

fn part(state: &State) -> Side<'_> {
    Side(&state.kind, state.mode, &state.content)
}

/// Returns the digest that stands for a component's state in a change's content.
pub fn state_digest(state: &ComponentState) -> Digest {
    Digest::of(&encode_plain(state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ItemClass;

    #[test]
    fn content_is_bound_to_baseline_change_and_rule_set() {
        let state = State { kind: "k".into(), mode: Some(0o100_644), class: ItemClass::Key, content: vec![1; 32] };
        let segments = [Segment { subject: Subject::Path(b"a\xff".to_vec()), before: None, after: Some(state) }];
        let change = |id: &str| ChangeId::parse(id).unwrap();
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let content = change_content(&one, &change("CR-1"), 0, &segments);
        assert!(crate::codec::check(&content).is_ok());
        assert_ne!(content, change_content(&other, &change("CR-1"), 0, &segments));
        assert_ne!(content, change_content(&one, &change("CR-2"), 0, &segments));
        assert_ne!(content, change_content(&one, &change("CR-1"), 1, &segments));
        assert_ne!(content, change_content(&one, &change("CR-1"), 0, &[]));
    }
}
