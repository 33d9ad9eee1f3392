//! Proof or refusal: everything that a release claims, checked against the repository alone and one fingerprint.
//!
//! Default is deny: what cannot be checked is "unknown", never "passed". No network, no child process, nothing
//! written. Serves contract §3 and requirements R10.

use crate::collect;
use crate::domain::{ObjectId, ReleaseName};
use crate::jobs::commit_delta::{CommitDeltas, policy_of};
use crate::jobs::examine::{Grounds, examine};
use crate::jobs::inspect::Inspection;
use crate::jobs::log::Log;
use crate::jobs::misleading::replacements;
use crate::jobs::releases::{ReleaseStatus, Releases, StoredRelease};
use crate::jobs::trust::{Anchor, Trust};
use crate::jobs::verification::Verification;
use crate::jobs::{Exit, Failure, Progress, range};
use crate::store::{DirectorySource, Repository};

/// A log and its trust, opened and judged once, for any number of verifications.
pub struct Verifier<'r> {
    repository: &'r Repository,
    /// What was checked of log and trust; every verification begins with it.
    opening: Verification,
    opened: Option<(Log<'r>, Trust)>,
}

impl<'r> Verifier<'r> {
    /// Opens the log, and verifies its trust roots and checkpoint.
    pub fn open(repository: &'r Repository, anchor: &Anchor) -> Self {
        let mut opening = Verification::new(String::new());
        let opened = log_and_trust(&mut opening, repository, anchor);
        Self { repository, opening, opened }
    }

    /// Returns log and trust, where both hold.
    pub const fn opened(&self) -> Option<&(Log<'r>, Trust)> {
        self.opened.as_ref()
    }

    fn begin(&self, target: String) -> Verification {
        Verification { target, ..self.opening.clone() }
    }

    /// Returns the report of a log that does not hold, for whoever wanted to verify what is in it.
    pub fn refused(&self, target: &str) -> Verification {
        self.begin(target.to_owned())
    }

    /// Verifies releases, each by itself; the list of all is judged once.
    pub fn releases(&self, names: &[ReleaseName], progress: &dyn Progress) -> Vec<Verification> {
        let Some((log, trust)) = &self.opened else {
            return names.iter().map(|name| self.begin(name.to_string())).collect();
        };
        let all = Releases::of(log, trust);
        let one = |name: &ReleaseName| {
            let mut report = self.begin(name.to_string());
            let listed = report.check("releases", all.clone(), |all| {
                format!("{} in force, {} others", all.standing.len(), all.others.len())
            });
            if let Some(all) = listed {
                let void = all.others.iter().filter(|other| other.status.is_none() && other.name != *name);
                report.void.extend(void.map(|other| format!("{}: {}", other.folder, other.why)));
                self.release(&mut report, log, trust, &all, name, progress);
            }
            report
        };
        names.iter().map(one).collect()
    }

    fn release(
        &self,
        report: &mut Verification,
        log: &Log<'_>,
        trust: &Trust,
        all: &Releases,
        name: &ReleaseName,
        progress: &dyn Progress,
    ) {
        let stored = all.need(name).cloned();
        let signed = |stored: &StoredRelease| {
            let persons = stored.statement.signers().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let groups = trust.at(Some(stored.position)).root.value().release_groups();
            let required = groups.iter().fold(0, |sum, group| group.count.saturating_add(sum));
            format!("{} of {required} required signers: {persons}", stored.statement.signers().len())
        };
        // A statement that enough persons signed can still stand in the wrong place.
        let step = match stored.as_ref().err().map(|failure| failure.code) {
            Some("GB-CHAIN-PREDECESSOR" | "GB-RELEASE-SUPERSEDED") => "sequence",
            Some("GB-LOG-FORK") => "log-head",
            Some("GB-BIND-STATEMENT") => "statement",
            _ => "signatures",
        };
        let Some(stored) = report.check(step, stored, signed) else { return };
        report.sign_offs.clone_from(&stored.sign_offs);
        report.check("status", status(&stored), |()| "released, not withdrawn".to_owned());
        let before = all.before(stored.release());
        let grounds = Grounds { repository: self.repository, log, trust, before: &before, in_force: true };
        examine(report, &grounds, &stored.placed(), progress);
    }

    /// Verifies the records on one commit.
    pub fn commit(&self, id: ObjectId) -> Verification {
        let mut report = self.begin(id.to_string());
        let Some((_, trust)) = &self.opened else { return report };
        let judged = self.repository.note(id).map_err(Failure::from).and_then(|note| match note {
            Some(note) => range::judge_note(&mut CommitDeltas::new(self.repository), trust, id, note, None),
            None => Err(Failure::new(
                Exit::Inconclusive,
                "GB-COVER-RECORD-MISSING",
                format!("commit {} has no record", id.short()),
            )
            .hint(format!("git baseline record {}", id.short()))),
        });
        report.check("record", judged, |judged| format!("recorded by {}", judged.record.recorder.person));
        report.check("replacements", replacements(self.repository, [].into_iter(), &[id]), |()| {
            "Git shows what was signed".to_owned()
        });
        report
    }
}

/// Compares a directory with the items of a release that has been verified.
///
/// # Errors
/// Where the directory or an object cannot be read.
pub fn verify_directory(
    repository: &Repository,
    report: &mut Verification,
    directory: &std::path::Path,
) -> Result<(), Failure> {
    let Some(release) = report.release.clone() else { return Ok(()) };
    let policy = policy_of(repository, release.tree)?;
    let recorded = Inspection::of_tree(repository, release.tree)?.collected.manifest;
    let source = DirectorySource::new(directory, repository.object_format());
    let found = collect::collect(&source, &policy)?.manifest;
    let differs = |item: &&crate::domain::ConfigurationItem| {
        !found.items.iter().any(|other| other.path == item.path && other.git_id == item.git_id)
    };
    let missing: Vec<String> = recorded.items.iter().filter(differs).map(|item| item.path.to_string()).collect();
    let result = if missing.is_empty() {
        Ok(recorded.items.len())
    } else {
        let mut failure = Failure::new(
            Exit::Disproven,
            "GB-REP-DIRECTORY",
            format!(
                "{} of {} items in the directory differ from release {}",
                missing.len(),
                recorded.items.len(),
                release.name
            ),
        );
        failure.causes = missing;
        Err(failure)
    };
    report.check("directory", result, |count| format!("{count} items, byte for byte"));
    Ok(())
}

fn log_and_trust<'r>(
    report: &mut Verification,
    repository: &'r Repository,
    anchor: &Anchor,
) -> Option<(Log<'r>, Trust)> {
    let mut log = report
        .check("log", Log::open(repository), |log| format!("linear and add-only, {} statements", log.leaves.len()))?;
    report.fingerprint = log.claimed_fingerprint().ok();
    let trust = report.check("trust", log.trust(anchor), |trust| {
        let how = if anchor.given.is_some() { "given" } else { "pinned" };
        format!("root {} of {}, fingerprint {how}", trust.root().version, trust.root().product)
    })?;
    report.pinned = true;
    report.trust_version = Some(trust.root().version);
    let pending = match log.pending.len() {
        0 => String::new(),
        count => format!("; {count} statements after it are pending and prove nothing"),
    };
    let signed = trust.checkpoint.signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let head = report.check("log-root", log.log_head(None), |head| {
        format!("size {}, checkpoint signed by {signed}{pending}", head.size)
    });
    report.log = head;
    report.freshness = trust.freshness.clone();
    report.void.clone_from(&trust.checkpoint.void);
    let unsupported = trust.proposals.iter().filter(|proposal| proposal.signed_by.is_empty());
    report.void.extend(unsupported.map(|proposal| format!("{}: {}", proposal.folder, proposal.why)));
    Some((log, trust))
}

fn status(stored: &StoredRelease) -> Result<(), Failure> {
    let name = &stored.release().name;
    match stored.status {
        ReleaseStatus::Released => Ok(()),
        ReleaseStatus::Proposed | ReleaseStatus::Superseded => {
            Err(Failure::new(Exit::Disproven, "GB-RELEASE-PROPOSED", format!("release {name} is not in force")))
        }
        ReleaseStatus::Withdrawn => {
            Err(Failure::new(Exit::Disproven, "GB-RELEASE-WITHDRAWN", format!("release {name} has been withdrawn"))
                .hint(format!("git baseline show {name}")))
        }
    }
}
