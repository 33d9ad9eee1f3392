//! Change control over a range: which change requests its commits stand under, who approved and verified exactly that
//! content, and what is missing.
//!
//! One judgement for the gate, `changes`, `trace`, and verification. Serves IEC 62304 cl. 8.2 and contract §3.4 to §3.8.
//! Never here: counting persons (`crypto::threshold`).

use std::collections::{BTreeMap, BTreeSet};

use crate::checks;
use crate::codec::{self, Record as _};
use crate::crypto::{self, Attested, Demand};
use crate::domain::{
    ChangeId, ChangeRequest, ChangeType, Digest, Finding, Group, ItemClass, Meaning, ObjectId, PersonId, RULE_SET,
    ReleasedChange, RoleName, Segment, SignOff, Subject, Timestamp, TrustRoot, compose,
};
use crate::jobs::change_requests::{Requests, StoredRequest, folder};
use crate::jobs::inspect::request_missing;
use crate::jobs::log::Log;
use crate::jobs::own_changes::OwnChange;
use crate::jobs::releases::{ReleaseStatus, StoredRelease};
use crate::jobs::trust::Trust;
use crate::jobs::{Failure, participants, sign_offs, standing_change};
use crate::policy::Policy;

/// The record type of a change's content, as sign-offs name it.
pub const CONTENT: &str = "content";

/// One change of a range.
#[derive(Clone, Debug)]
pub struct JudgedChange {
    /// Its id.
    pub id: ChangeId,
    /// The request, where the log holds one.
    pub request: Option<StoredRequest>,
    /// The commits that name it, parents before children.
    pub commits: Vec<ObjectId>,
    /// What it changes, put together.
    pub segments: Vec<Segment>,
    /// The bytes that approvals speak of.
    pub content: Vec<u8>,
    /// Who took part, and so cannot approve.
    pub excluded: BTreeSet<PersonId>,
    /// Commits whose author nothing proves.
    pub unproven: Vec<ObjectId>,
    /// The approvals that count: digest and person.
    pub approvals: Vec<(Digest, PersonId)>,
    /// The verifications that count.
    pub verifications: Vec<(Digest, PersonId)>,
    /// Whether the approvals are enough.
    pub approved: bool,
    /// Whether one person let it pass as an emergency, or a standing change covers it.
    pub let_pass: Option<&'static str>,
    /// Why approvals are missing or do not count.
    pub why: Vec<String>,
}

impl JudgedChange {
    /// Returns the digest of its content.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.content)
    }

    /// Returns what a release states of it.
    pub fn released(&self) -> ReleasedChange {
        let digests = |found: &[(Digest, PersonId)]| {
            let sorted: BTreeSet<Digest> = found.iter().map(|(digest, _)| *digest).collect();
            sorted.into_iter().collect()
        };
        ReleasedChange {
            id: self.id.clone(),
            content: self.digest(),
            approvals: digests(&self.approvals),
            verifications: digests(&self.verifications),
        }
    }
}

/// What a judgement of changes goes by.
pub struct Judging<'a> {
    /// The log.
    pub log: &'a Log<'a>,
    /// The trust roots.
    pub trust: &'a Trust,
    /// The policy, with the floors, and the stricter of both ends of the range.
    pub policy: &'a Policy,
    /// The moment for what depends on time.
    pub as_of: Timestamp,
    /// Only what stands before this place in the log; all of it where none is given.
    pub until: Option<u64>,
    /// The releases before the range, which spent their approvals.
    pub earlier: &'a [StoredRelease],
}

impl<'a> Judging<'a> {
    /// Returns the root in force where the judgement is made: what a later one asks for changes nothing of the past.
    pub(super) fn root(&self) -> &'a TrustRoot {
        self.trust.at(self.until).root.value()
    }
}

/// Judges the changes of a range, sorted by id.
///
/// # Errors
/// Where the log cannot be read.
pub(super) fn judge(judging: &Judging<'_>, own: &[OwnChange<'_>]) -> Result<Vec<JudgedChange>, Failure> {
    let requests = Requests::of(judging.log, judging.trust)?;
    let mut named: BTreeMap<ChangeId, Vec<&OwnChange<'_>>> = BTreeMap::new();
    for one in own {
        for id in &one.judged.record.changes {
            named.entry(id.clone()).or_default().push(one);
        }
    }
    named.into_iter().map(|(id, commits)| judge_one(judging, &requests, id, &commits)).collect()
}

fn judge_one(
    judging: &Judging<'_>,
    requests: &Requests,
    id: ChangeId,
    commits: &[&OwnChange<'_>],
) -> Result<JudgedChange, Failure> {
    let trust = judging.trust;
    let before = |stored: &&StoredRequest| judging.until.is_none_or(|until| stored.position < until);
    let request = requests.find(&id).filter(before).cloned();
    let segments = compose(commits.iter().flat_map(|one| one.segments.iter().cloned()));
    let mut excluded: BTreeSet<PersonId> = request.iter().map(|stored| stored.request.requester.clone()).collect();
    let mut unproven = Vec::new();
    for one in commits.iter().filter(|one| !one.segments.is_empty()) {
        let took_part = participants::of(trust, judging.root(), one.judged);
        excluded.extend(took_part.persons);
        if !took_part.proven {
            unproven.push(one.judged.record.commit);
        }
    }
    let mut change = JudgedChange {
        content: codec::change_content(&trust.fingerprint, &id, RULE_SET, &segments),
        commits: commits.iter().map(|one| one.judged.record.commit).collect(),
        id,
        request,
        segments,
        excluded,
        unproven,
        approvals: Vec::new(),
        verifications: Vec::new(),
        approved: false,
        let_pass: None,
        why: Vec::new(),
    };
    count(judging, &mut change, commits)?;
    Ok(change)
}

/// Finds out who approved and verified a change.
fn count(judging: &Judging<'_>, change: &mut JudgedChange, commits: &[&OwnChange<'_>]) -> Result<(), Failure> {
    let folder = folder(&change.id);
    let mut said = sign_offs::attested(judging.log, judging.trust, &folder, &mut change.why)?;
    said.retain(|one| judging.until.is_none_or(|until| one.position().is_some_and(|position| position < until)));
    let digest = |one: &Attested<'_, SignOff>| sign_offs::digest(judging.trust, one);
    let spent = spent(judging.earlier);
    said.retain(|one| !spent.contains(&digest(one)));
    let classes: Vec<ItemClass> =
        change.segments.iter().flat_map(|s| [&s.before, &s.after]).flatten().map(|state| state.class).collect();
    let groups = judging.root().approval_groups(&classes, judging.policy.change_control.approvals);
    let guarded = change.segments.iter().any(touches_rules);
    let mut shortfalls = Vec::new();
    for (groups, held) in required(&groups, guarded) {
        match vouched(judging, change, &change.content, &groups, Meaning::Approved, CONTENT, &said) {
            Ok(persons) if held && !persons.iter().any(|person| guards(judging, person)) => {
                change
                    .why
                    .push("what touches the baseline's own rules takes an approver of quality or security".into());
            }
            Ok(persons) => {
                change.approvals = named(&said, Meaning::Approved, &change.content, &persons, &digest);
                change.approved = true;
                change.why.clear();
                break;
            }
            Err(shortfall) => shortfalls.push(shortfall),
        }
    }
    if !change.approved {
        if let Some(shortfall) = shortfalls.first() {
            change.why.push(format!("approval: {shortfall}"));
            change.why.extend(shortfall.not_counted.iter().map(ToString::to_string));
        }
        change.let_pass = let_pass(judging, change, commits, &said)?;
    }
    for role in VERIFYING {
        let groups = [Group { role, count: 1 }];
        if let Ok(persons) = vouched(judging, change, &change.content, &groups, Meaning::Verified, CONTENT, &said) {
            change.verifications.extend(named(&said, Meaning::Verified, &change.content, &persons, &digest));
        }
    }
    change.verifications.sort();
    change.verifications.dedup();
    Ok(())
}

/// An approval applies once: the release that sealed it spent it, unless that one was withdrawn (A31).
fn spent(earlier: &[StoredRelease]) -> BTreeSet<Digest> {
    let released = earlier.iter().filter(|release| release.status == ReleaseStatus::Released);
    let changes = released.flat_map(|release| &release.release().changes);
    changes.flat_map(|change| change.approvals.iter().chain(&change.verifications)).copied().collect()
}

/// Who may verify: everybody but automation, and never who took part.
const VERIFYING: [RoleName; 4] = [RoleName::Approver, RoleName::Security, RoleName::Quality, RoleName::Developer];

/// A change of the baseline's own rules takes quality or security besides (contract §3.5).
fn touches_rules(segment: &Segment) -> bool {
    matches!(&segment.subject, Subject::Path(path) if path.starts_with(b".baseline/"))
}

const GUARDS: [RoleName; 2] = [RoleName::Quality, RoleName::Security];

fn guards(judging: &Judging<'_>, person: &PersonId) -> bool {
    let root = judging.root();
    GUARDS.iter().any(|role| root.role(*role).is_some_and(|role| role.persons.contains(person)))
}

/// Returns what may satisfy the gate: the groups that are asked for; where the baseline's own rules change, with one
/// among them who holds quality or security, or with one of these in the place of an approver.
fn required(groups: &[Group], guarded: bool) -> Vec<(Vec<Group>, bool)> {
    if !guarded || groups.iter().any(|group| GUARDS.contains(&group.role)) {
        return vec![(groups.to_vec(), false)];
    }
    let with = |role| {
        let mut with = groups.to_vec();
        if let Some(own) = with.iter_mut().find(|group| group.role == RoleName::Approver) {
            own.count -= u64::from(own.count > 0);
        }
        with.retain(|group| group.count > 0);
        with.push(Group { role, count: 1 });
        with.sort();
        (with, false)
    };
    let mut all = vec![(groups.to_vec(), true)];
    all.extend(GUARDS.map(with));
    all
}

fn vouched(
    judging: &Judging<'_>,
    change: &JudgedChange,
    bytes: &[u8],
    groups: &[Group],
    meaning: Meaning,
    record_type: &str,
    said: &[Attested<'_, SignOff>],
) -> Result<Vec<PersonId>, crypto::Shortfall> {
    let relevant: Vec<Attested<'_, SignOff>> =
        said.iter().filter(|one| one.value().meaning == meaning).cloned().collect();
    let authority = judging.trust.authority(judging.until);
    let name = change.id.as_str();
    let demand = Demand { groups, meaning, record_type, name, excluded: &change.excluded };
    crypto::vouched(&authority, &demand, bytes, &relevant).map(|vouched| vouched.signers().to_vec())
}

/// Names the sign-offs of those who counted.
fn named(
    said: &[Attested<'_, SignOff>],
    meaning: Meaning,
    content: &[u8],
    persons: &[PersonId],
    digest: &dyn Fn(&Attested<'_, SignOff>) -> Digest,
) -> Vec<(Digest, PersonId)> {
    let about = Digest::of(content);
    let counted = said.iter().filter(|one| {
        let sign_off = one.value();
        sign_off.meaning == meaning && sign_off.target.digest == about && persons.contains(&sign_off.person)
    });
    counted.map(|one| (digest(one), one.value().person.clone())).collect()
}

/// An emergency takes one person now; a standing change was approved before, within its bounds (contract §3.8).
fn let_pass(
    judging: &Judging<'_>,
    change: &mut JudgedChange,
    commits: &[&OwnChange<'_>],
    said: &[Attested<'_, SignOff>],
) -> Result<Option<&'static str>, Failure> {
    let Some(stored) = change.request.clone() else { return Ok(None) };
    let bytes = codec::encode(Some(&judging.trust.fingerprint), &stored.request);
    let approver = [Group { role: RoleName::Approver, count: 1 }];
    let by_one = |change: &JudgedChange, bytes: &[u8], record_type| {
        vouched(judging, change, bytes, &approver, Meaning::Approved, record_type, said).is_ok()
    };
    Ok(match (stored.request.change_type, &stored.request.standing) {
        (ChangeType::Emergency, _) => {
            let agreed = by_one(change, &bytes, ChangeRequest::TYPE) || by_one(change, &change.content, CONTENT);
            agreed.then_some("emergency")
        }
        (ChangeType::Standard, Some(standing)) => {
            let agreed = by_one(change, &bytes, ChangeRequest::TYPE);
            if !agreed {
                change.why.push(format!("the standing change {} was not approved", change.id));
                return Ok(None);
            }
            let obstacle = standing_change::obstacle(judging, &change.id, standing, commits)?;
            let covers = obstacle.is_none();
            change.why.extend(obstacle.map(|why| format!("the standing change does not cover it: {why}")));
            covers.then_some("standing change")
        }
        _ => None,
    })
}

/// Sorts findings, worst first.
pub(super) fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.message.cmp(&b.message)));
    findings
}

/// Returns what is missing in a range, as findings. Nothing is, where change control is not required.
pub(super) fn findings(judging: &Judging<'_>, own: &[OwnChange<'_>], changes: &[JudgedChange]) -> Vec<Finding> {
    if !judging.policy.change_control.required {
        return Vec::new();
    }
    let unnamed = own.iter().filter(|one| !one.segments.is_empty() && one.judged.record.changes.is_empty());
    let mut findings: Vec<Finding> =
        unnamed.map(|one| request_missing(&one.judged.record.commit, judging.policy)).collect();
    for change in changes.iter().filter(|change| !change.segments.is_empty()) {
        let id = &change.id;
        let mut add = |rule, message: String| findings.push(checks::finding(rule, None, None, message));
        if change.request.is_none() {
            add("change-request-unknown", format!("the log holds no change request {id}"));
        }
        if !change.approved && change.let_pass.is_none() {
            let why = change.why.join("; ");
            add("change-unapproved", format!("change {id} is not approved as it is: {why}"));
        }
        if change.verifications.is_empty() {
            add("change-unverified", format!("nobody verified change {id} as it is"));
        }
        if let Some(first) = change.unproven.first() {
            let what = format!("nothing proves who wrote {} of change {id}", first.short());
            add("segregation-unproven", format!("{what}, so that segregation of duties is not proven"));
        }
    }
    findings
}
