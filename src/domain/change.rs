//! Change requests, and the content of a change that approvals are bound to.
//!
//! Serves IEC 62304 cl. 8.2 and contract §3.6: an approval speaks of exact content, survives a rebase or squash that
//! leaves it alone, and dies with any other. Never here: who may approve. Format: docs/format.md §6.3.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ChangeId, ComponentDelta, ComponentState, ConfigurationItem, Digest, ItemClass, ItemDelta, PersonId, Timestamp,
};

/// A request for change: a small record in the log, which says that it is a copy where the original is elsewhere.
/// Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequest {
    /// Its id, as trailers name it.
    pub id: ChangeId,
    /// Where the original is; may be empty.
    pub url: String,
    /// References into the risk file.
    pub risk: Vec<String>,
    /// When its requester says that he made it.
    pub time: Timestamp,
    /// How it is handled.
    #[serde(rename = "type")]
    pub change_type: ChangeType,
    /// What is asked for, in one line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Impact on safety, in words; may be empty.
    pub safety: String,
    /// Which tracker or document it is a copy from; may be empty.
    pub source: String,
    /// Problem reports that it answers.
    pub problems: Vec<String>,
    /// Impact on security, in words; may be empty.
    pub security: String,
    /// The bounds of a standing change.
    pub standing: Option<Standing>,
    /// Who asks.
    pub requester: PersonId,
}

/// How a change is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeType {
    /// Approved before it is released.
    Normal,
    /// One approver now, the rest within some days.
    Emergency,
    /// Approved once, within bounds, for a bot.
    Standard,
}

impl ChangeType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Emergency, Self::Standard];

    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Emergency => "emergency",
            Self::Standard => "standard",
        }
    }
}

impl fmt::Display for ChangeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The bounds of a standing change (contract §3.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Whose signed record each of its commits needs.
    pub bot: PersonId,
    /// How far a version may go.
    pub bound: VersionBound,
    /// How many commits may use it.
    pub count: u64,
    /// Until when.
    pub expires: Timestamp,
    /// The packages, as purls without version.
    pub packages: Vec<String>,
}

/// How far a version may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionBound {
    /// The first two numbers stay.
    Patch,
    /// The first number stays.
    Minor,
    /// Any.
    Major,
}

/// What a tester states (IEC 62304 cl. 9.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationRecord {
    /// When it was tested, in his words.
    pub date: String,
    /// With which tools.
    pub tools: String,
    /// Who tested.
    pub tester: String,
    /// What came out.
    pub results: String,
    /// What was odd.
    pub anomalies: String,
    /// On which hardware and software.
    pub configuration: String,
    /// Which version.
    pub version_tested: String,
}

/// One thing that can change: an item by its path, or a component by its purl.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The path of an item.
    Path(Vec<u8>),
    /// The purl of a component.
    Purl(String),
}

/// What a thing is at one moment, as far as an approval is bound to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// The item's kind; `component`.
    pub kind: String,
    /// Git's mode; none of a component.
    pub mode: Option<u32>,
    /// Its class.
    pub class: ItemClass,
    /// What tells its content apart: a digest, or Git's id where no digest may be stored.
    pub content: Vec<u8>,
}

/// One thing before and after.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// What changes.
    pub subject: Subject,
    /// What it was; none where it was not there.
    pub before: Option<State>,
    /// What it is; none where it is gone.
    pub after: Option<State>,
}

impl State {
    fn of_item(item: &ConfigurationItem) -> Self {
        let content = item.digest.map_or_else(|| item.git_id.as_bytes().to_vec(), |set| set.blake3.as_bytes().to_vec());
        Self { kind: item.kind.clone(), mode: Some(item.mode.bits()), class: item.class, content }
    }

    fn of_component(state: &ComponentState, digest: Digest) -> (Subject, Self) {
        let content = digest.as_bytes().to_vec();
        let kind = "component".to_owned();
        (Subject::Purl(state.purl.clone()), Self { kind, mode: None, class: ItemClass::Component, content })
    }
}

/// Takes a commit's delta apart into segments: what was renamed or upgraded goes under one name and comes under another.
/// `digest` gives the digest of a component's state.
pub fn segments(
    items: &[ItemDelta],
    components: &[ComponentDelta],
    digest: impl Fn(&ComponentState) -> Digest,
) -> Vec<Segment> {
    let mut sides: BTreeMap<Subject, (Option<State>, Option<State>)> = BTreeMap::new();
    let name = |item: &ConfigurationItem| Subject::Path(item.path.as_bytes().to_vec());
    for delta in items {
        if let Some(item) = &delta.before {
            sides.entry(name(item)).or_default().0 = Some(State::of_item(item));
        }
        if let Some(item) = &delta.after {
            sides.entry(name(item)).or_default().1 = Some(State::of_item(item));
        }
    }
    for delta in components {
        if let Some(state) = &delta.before {
            let (purl, state) = State::of_component(state, digest(state));
            sides.entry(purl).or_default().0 = Some(state);
        }
        if let Some(state) = &delta.after {
            let (purl, state) = State::of_component(state, digest(state));
            sides.entry(purl).or_default().1 = Some(state);
        }
    }
    let all = sides.into_iter().map(|(subject, (before, after))| Segment { subject, before, after });
    all.filter(|segment| segment.before != segment.after).collect()
}

/// Puts the segments of one change together, in the order of its commits: what begins where the one before it ended is
/// one, and what ends where it began is none. So a squash or rebase of the same content gives the same list, and the
/// same change made twice, with a revert between, gives another.
pub fn compose(segments: impl IntoIterator<Item = Segment>) -> Vec<Segment> {
    let mut runs: BTreeMap<Subject, Vec<Segment>> = BTreeMap::new();
    for segment in segments {
        let run = runs.entry(segment.subject.clone()).or_default();
        match run.last_mut() {
            Some(last) if last.after == segment.before => last.after = segment.after,
            _ => run.push(segment),
        }
    }
    let mut all: Vec<Segment> =
        runs.into_values().flatten().filter(|segment| segment.before != segment.after).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "what is gone is none, and stands beside it")]
    fn state(content: &[u8]) -> Option<State> {
        let content = content.to_vec();
        Some(State { kind: "k".into(), mode: Some(0o100_644), class: ItemClass::Key, content })
    }

    fn step(path: &str, before: Option<State>, after: Option<State>) -> Segment {
        Segment { subject: Subject::Path(path.as_bytes().to_vec()), before, after }
    }

    #[test]
    fn a_squash_has_the_content_of_its_commits() {
        let steps =
            [step("a", None, state(b"1")), step("b", state(b"x"), state(b"y")), step("a", state(b"1"), state(b"2"))];
        let squashed = [step("a", None, state(b"2")), step("b", state(b"x"), state(b"y"))];
        assert_eq!(compose(steps), compose(squashed));
    }

    #[test]
    fn a_change_made_twice_is_not_the_change_made_once() {
        let once = [step("a", state(b"1"), state(b"2"))];
        // The revert between them stands under another change request.
        let twice = [step("a", state(b"1"), state(b"2")), step("a", state(b"1"), state(b"2"))];
        assert_ne!(compose(once), compose(twice.clone()));
        assert_eq!(compose(twice).len(), 2);
    }

    #[test]
    fn what_ends_where_it_began_is_no_change() {
        assert_eq!(compose([step("a", state(b"1"), None), step("a", None, state(b"1"))]), []);
    }
}
