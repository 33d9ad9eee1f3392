//! What a release's range is held against: the stricter of the rules at its two ends and the root's floors, and change
//! control over each of its commits.
//!
//! The gate and verification use this one judgement. Serves contract §3.4 to §3.8.

use crate::checks;
use crate::domain::{ChangeType, Finding, ReleasedChange, TrustRoot};
use crate::jobs::change_control::{self, JudgedChange, Judging};
use crate::jobs::change_requests::Requests;
use crate::jobs::commit_delta::policy_of;
use crate::jobs::range::Judged;
use crate::jobs::releases::{ReleaseStatus, StoredRelease};
use crate::jobs::{Failure, Silent, own_changes, range};
use crate::policy::Policy;
use crate::store::Repository;

/// The changes of a range, and what is missing of them.
pub(super) struct Controlled {
    /// The changes, sorted by id.
    pub changes: Vec<JudgedChange>,
    /// What is missing.
    pub findings: Vec<Finding>,
}

/// Returns the policy by which a range is judged: that of its last commit made stricter by that of the release before,
/// or of the control start, and by the floors of the root in force (contract §3.5).
///
/// # Errors
/// Where an object or a policy cannot be read.
pub(super) fn policy(
    repository: &Repository,
    root: &TrustRoot,
    before: &[StoredRelease],
    own: Policy,
) -> Result<Policy, Failure> {
    let last = before.iter().rev().find(|release| release.status == ReleaseStatus::Released);
    let base = match (last, root.control_start) {
        (Some(last), _) => Some(last.release().tree),
        (None, Some(start)) => Some(repository.commit(start)?.tree),
        (None, None) => None,
    };
    let judged = match base {
        Some(tree) => {
            let other = policy_of(repository, tree)?;
            // Before there was a policy nothing was asked for, and everything was in scope.
            if other.digest.is_some() && other.digest != own.digest { own.judged_with(&other) } else { own }
        }
        None => own,
    };
    Ok(judged.raised_to(&root.floors))
}

/// Judges the changes of a range.
///
/// # Errors
/// Where an object is missing or malformed, or the log cannot be read.
pub(super) fn judge(repository: &Repository, judging: &Judging<'_>, judged: &[Judged]) -> Result<Controlled, Failure> {
    let policies_differ = judged.iter().any(|one| one.record.policy != judging.policy.digest);
    let strict = (policies_differ || judging.policy.is_widened()).then_some(judging.policy);
    let own = own_changes::of(repository, judged, strict)?;
    let changes = change_control::judge(judging, &own)?;
    let mut findings = change_control::findings(judging, &own, &changes);
    findings.extend(overdue(repository, judging)?);
    Ok(Controlled { changes, findings })
}

/// Emergencies of earlier releases whose time to be approved and verified is over.
fn overdue(repository: &Repository, judging: &Judging<'_>) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    if !judging.policy.change_control.required {
        return Ok(findings);
    }
    let requests = Requests::of(judging.log, judging.trust)?;
    for (at, release) in judging.earlier.iter().enumerate() {
        let open = |change: &&ReleasedChange| {
            let request = requests.find(&change.id).map(|stored| stored.request.change_type);
            request == Some(ChangeType::Emergency) && (change.approvals.is_empty() || change.verifications.is_empty())
        };
        if release.status != ReleaseStatus::Released || !release.release().changes.iter().any(|change| open(&change)) {
            continue;
        }
        let earlier = judging.earlier.get(..at).unwrap_or_default();
        let range = range::sealed_range(repository, judging.log, judging.trust, release.release(), &Silent)?;
        let own = own_changes::of(repository, &range, Some(judging.policy))?;
        let now = change_control::judge(&Judging { earlier, ..*judging }, &own)?;
        for change in release.release().changes.iter().filter(open) {
            let done = now.iter().any(|one| one.id == change.id && one.approved && !one.verifications.is_empty());
            let Some(stored) = requests.find(&change.id).filter(|_| !done) else { continue };
            let days = i64::try_from(judging.policy.change_control.emergency_days).unwrap_or(i64::MAX);
            let until = stored.request.time.plus_days(days);
            if judging.as_of > until {
                let message = format!(
                    "the emergency change {} of release {} had to be approved and verified by {}",
                    change.id,
                    release.release().name,
                    until.date()
                );
                findings.push(checks::finding("emergency-overdue", None, None, message));
            }
        }
    }
    Ok(findings)
}
