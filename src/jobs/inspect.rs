//! What a commit, or the staged index, consists of, and what is wrong with it.
//!
//! Serves requirements R01, R02 and R12. Nothing here is signed; what depends on time is judged at a given moment.

use std::collections::BTreeSet;

use crate::checks::{self, Thresholds};
use crate::collect::{self, Collected, Entry, Items, Source as _};
use crate::components::Inventory;
use crate::domain::{
    Component, ConfigurationItem, Coverage, CoverageStatus, Finding, ObjectId, Observation, RepoPath, Severity,
    Timestamp,
};
use crate::jobs::commit_delta::{commit_delta, policy_of, touches_components, valid_policy};
use crate::jobs::history_secrets::way_out_of_index;
use crate::jobs::log::Log;
use crate::jobs::registers::Registers;
use crate::jobs::trust::Trust;
use crate::jobs::{Failure, deviations, rotation, trailers};
use crate::policy::{COMPONENTS_PATH, ComponentOverlay, DEVIATIONS_PATH, KEYS_PATH, POLICY_PATH, Policy, PolicyError};
use crate::store::{Change, IndexSource, Repository, TreeSource};

/// A tree's manifest, the policy it was collected under, and what was observed.
pub struct Inspection {
    /// The policy of that tree.
    pub policy: Policy,
    /// Manifest and observations.
    pub collected: Collected,
}

impl Inspection {
    /// Collects a tree under its own policy.
    ///
    /// # Errors
    /// Where the policy or an object cannot be read.
    pub fn of_tree(repository: &Repository, tree: ObjectId) -> Result<Self, Failure> {
        let policy = policy_of(repository, tree)?;
        let collected = collect::collect(&TreeSource::new(repository, tree), &policy)?;
        Ok(Self { policy, collected })
    }

    /// Returns the findings, worst first, judging at `as_of` what depends on time. `commit` is the one whose tree this
    /// is; how long a key has been in use is seen from there.
    ///
    /// # Errors
    /// Only where the policy sets `rotation_days`: `GB-REPO-SHALLOW`; where an object is missing or malformed.
    pub fn findings(
        &self,
        repository: &Repository,
        evidence: Option<(&Log<'_>, &Trust, Option<u64>)>,
        commit: ObjectId,
        as_of: Timestamp,
    ) -> Result<Vec<Finding>, Failure> {
        let manifest = &self.collected.manifest;
        let mut observations = self.collected.observations.clone();
        observations.extend(component_observations(&manifest.components, &manifest.coverage));
        observations.extend(checks::judge_support(&manifest.components, as_of));
        let registers = Registers::of_tree(repository, repository.commit(commit)?.tree)?;
        observations.extend(checks::judge_key_register(&manifest.items, &registers.keys));
        let days = |item: &ConfigurationItem| {
            let key = checks::registered(item, &registers.keys);
            key.and_then(|key| key.rotation_days).or(self.policy.checks.rotation_days)
        };
        observations.extend(rotation::overdue(repository, commit, &manifest.items, days, as_of)?);
        let mut findings = checks::check_items(&manifest.items, &observations, as_of, &thresholds(&self.policy));
        // Without a log that can be believed, nobody approved anything.
        let signed = match evidence {
            Some((log, trust, until)) => {
                deviations::approved(repository, log, trust, commit, &registers.deviations, until)?
            }
            None => BTreeSet::new(),
        };
        checks::apply_deviations(&mut findings, &manifest.items, &registers.deviations, &signed, as_of);
        Ok(findings)
    }
}

/// Returns the items of a tree under its own policy.
///
/// # Errors
/// Where the policy or an object cannot be read.
pub(super) fn items_of_tree(repository: &Repository, tree: ObjectId) -> Result<Vec<ConfigurationItem>, Failure> {
    let policy = policy_of(repository, tree)?;
    let source = TreeSource::new(repository, tree);
    let entries = source.entries()?;
    Ok(collect::collect_items(&source, &policy, &entries)?.items)
}

/// Returns the components of a tree under its own policy.
///
/// # Errors
/// Where the policy or an object cannot be read.
pub(super) fn components_of_tree(repository: &Repository, tree: ObjectId) -> Result<Inventory, Failure> {
    let policy = policy_of(repository, tree)?;
    Ok(collect::collect_components(&TreeSource::new(repository, tree), &policy)?)
}

/// What the staged changes say before they become a commit.
pub struct StagedCheck {
    /// Everything found in the staged items.
    pub findings: Vec<Finding>,
    /// Whether one of them stops the commit.
    pub stops: bool,
    /// The staged items that differ from HEAD.
    pub items: usize,
    /// Whether a lock file or submodule is staged, so that components may change.
    pub components: bool,
    /// The policy that the commit will have.
    pub policy: Policy,
}

impl StagedCheck {
    /// Says whether a finding is one that stops the commit.
    pub fn stops_on(&self, finding: &Finding) -> bool {
        STOPPING.contains(&finding.rule)
            || checks::is_clear_secret(finding.rule)
            || finding.severity == Severity::Critical
    }
}

/// Rules whose findings stop a commit, whatever the policy says, as secrets in clear do (issue: "staged items only").
const STOPPING: [&str; 3] = ["certificate-expired", "unreadable", "policy-invalid"];

/// Checks what is staged: only items that differ from HEAD are read.
///
/// # Errors
/// Where the index or an object cannot be read.
pub fn check_staged(repository: &Repository, as_of: Timestamp) -> Result<StagedCheck, Failure> {
    let head = repository.head_tree()?;
    let index = IndexSource::open(repository)?;
    let policy_bytes = index.file(&RepoPath::from(POLICY_PATH))?;
    let parsed = valid_policy(policy_bytes.as_deref());
    let invalid = parsed.as_ref().err().map(policy_finding);
    let policy = parsed.unwrap_or_else(|_| Policy::built_in());
    let changes = repository.staged_changes(&index, head)?;
    let entries: Vec<Entry> = changes.iter().filter_map(Change::entry_after).collect();
    let components = changes.iter().any(|change| touches_components(&policy, change));
    let found: Items = collect::collect_items(&index, &policy, &entries)?;
    let mut findings = checks::check_items(&found.items, &found.observations, as_of, &thresholds(&policy));
    findings.retain(|finding| !checks::needs_every_item(finding.rule));
    for finding in findings.iter_mut().filter(|finding| checks::is_clear_secret(finding.rule)) {
        if let Some(path) = &finding.path {
            finding.hint = way_out_of_index(path, head.is_some());
        }
    }
    match Registers::parse(
        index.file(&RepoPath::from(KEYS_PATH))?.as_deref(),
        index.file(&RepoPath::from(DEVIATIONS_PATH))?.as_deref(),
    ) {
        Ok(registers) => {
            checks::apply_deviations(&mut findings, &found.items, &registers.deviations, &BTreeSet::new(), as_of);
            // Whether a deviation is about anything is seen in the whole tree only.
            findings.retain(|finding| !finding.rule.starts_with("deviation-"));
        }
        Err(error) => findings.insert(0, policy_finding(&error)),
    }
    let overlay = index.file(&RepoPath::from(COMPONENTS_PATH))?;
    let overlay = overlay.and_then(|bytes| ComponentOverlay::parse(&bytes).err());
    findings.splice(0..0, invalid.into_iter().chain(overlay.as_ref().map(policy_finding)));
    let mut staged = StagedCheck { findings, stops: false, items: found.items.len(), components, policy };
    staged.stops = staged.findings.iter().any(|finding| staged.stops_on(finding));
    Ok(staged)
}

/// Returns a finding for every commit after `from`, up to `to`, that changes items or components and names no change
/// request, where the policy asks for one.
///
/// # Errors
/// Where an object is missing or malformed.
pub fn requests_missing(
    repository: &Repository,
    from: ObjectId,
    to: ObjectId,
    policy: &Policy,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    if !policy.change_control.required {
        return Ok(findings);
    }
    for id in repository.commits_between(to, &[from])? {
        let commit = repository.commit(id)?;
        if trailers::change_ids(&commit.message, &policy.change_control.trailer).is_empty() {
            let delta = commit_delta(repository, &commit)?;
            let changes = !delta.items.is_empty() || !delta.components.is_empty();
            findings.extend(changes.then(|| request_missing(&id, policy)));
        }
    }
    Ok(findings)
}

/// Returns the finding of a commit that names no change request.
pub(super) fn request_missing(commit: &ObjectId, policy: &Policy) -> Finding {
    let trailer = &policy.change_control.trailer;
    let message = format!("commit {} changes items and names no change request ({trailer}:)", commit.short());
    checks::finding("change-request-missing", None, None, message)
}

/// Returns the finding of a policy that cannot be read.
pub fn policy_finding(error: &PolicyError) -> Finding {
    let line = u32::try_from(error.line).ok();
    checks::finding("policy-invalid", Some(RepoPath::from(error.file.as_str())), line, error.message.clone())
}

/// Returns the thresholds that a policy sets.
pub fn thresholds(policy: &Policy) -> Thresholds {
    Thresholds {
        rsa_min_bits: policy.checks.rsa_min_bits,
        expiring_soon_days: policy.checks.expiring_soon_days,
        max_leaf_days: policy.checks.max_leaf_days,
        // One that cannot be used was refused before; where it was not, the register's severities hide nothing.
        severities: checks::severities(policy).unwrap_or_default(),
    }
}

/// Turns gaps in the list of components into observations, so that they are findings like all others.
fn component_observations(components: &[Component], coverage: &[Coverage]) -> Vec<(RepoPath, Observation)> {
    let mut observations = Vec::new();
    for component in components.iter().filter(|component| component.version.is_none()) {
        let message = format!("the version of {} cannot be known", component.name.escape_debug());
        let place = component.found_in.first().cloned().unwrap_or_else(|| RepoPath::from(""));
        observations.push((place, Observation { rule: "component-version-unknown", line: None, message }));
    }
    for file in coverage {
        let rule = match file.status {
            CoverageStatus::Failed => "lock-unreadable",
            CoverageStatus::Unlocked => "lock-missing",
            CoverageStatus::Unsupported => "lock-unsupported",
            CoverageStatus::Parsed => continue,
        };
        let why = file.gaps.first().map_or("no reason given", String::as_str);
        let message = format!("{}: {}", file.reader, why.escape_debug());
        observations.push((file.path.clone(), Observation { rule, line: None, message }));
    }
    observations
}
