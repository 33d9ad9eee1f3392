//! What changed, when, by whom: events over commits, and the difference of two baselines.
//!
//! Serves requirements R09 and R11. Deltas are recomputed from the commits, not read from notes.

use crate::codec;
use crate::components::Inventory;
use crate::domain::{
    ChangeId, ConfigurationItem, Digest, ItemDelta, ItemOperation, ManifestDelta, ObjectId, ReleaseName, RepoPath,
    Timestamp,
};
use crate::jobs::commit_delta::{Changes, CommitDeltas, ComponentChange, Wanted};
use crate::jobs::inspect::{self, Inspection};
use crate::jobs::log::Log;
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure, Progress, releases, trailers};
use crate::policy::Policy;
use crate::store::Repository;

/// One item or component changed by one commit.
#[derive(Clone, Debug)]
pub struct Event {
    /// The commit.
    pub commit: ObjectId,
    /// When its author says that he made it.
    pub time: Timestamp,
    /// The author's name and address, as the commit says.
    pub author: String,
    /// The change requests that it names.
    pub changes: Vec<ChangeId>,
    /// What changed.
    pub happened: Happened,
    /// The first release that holds the commit.
    pub release: Option<ReleaseName>,
}

/// What a commit changed.
#[derive(Clone, Debug)]
pub enum Happened {
    /// An item.
    Item(Box<ItemDelta>),
    /// A component.
    Component(Box<ComponentChange>),
}

/// Which events of a history are wanted.
pub struct Question<'a> {
    /// Only what is about these paths, folders, or package URLs; all where there are none.
    pub about: &'a [RepoPath],
    /// Which kinds at all.
    pub wanted: Wanted,
    /// Which items.
    pub item: &'a dyn Fn(&ItemDelta) -> bool,
}

/// Returns the events of commits, newest first, items before components. A renamed item keeps its history.
///
/// # Errors
/// Where an object is missing or malformed.
pub fn history(
    repository: &Repository,
    commits: &[ObjectId],
    question: &Question<'_>,
    carried_by: &dyn Fn(&ObjectId) -> Option<ReleaseName>,
    progress: &dyn Progress,
) -> Result<Vec<Event>, Failure> {
    let (purls, paths): (Vec<RepoPath>, Vec<RepoPath>) =
        question.about.iter().cloned().partition(|about| about.as_bytes().starts_with(b"pkg:"));
    let mut followed = paths.clone();
    let mut events = Vec::new();
    let mut deltas = CommitDeltas::new(repository);
    for (at, id) in commits.iter().enumerate() {
        if at > 0 && at % 500 == 0 {
            progress.step(&format!("looked at {at} of {} commits", commits.len()));
        }
        let commit = repository.commit(*id)?;
        let Changes { items, components, .. } = deltas.changes(&commit, question.wanted)?;
        let all = question.about.is_empty();
        let items = items.into_iter().filter(|delta| (question.item)(delta) && (all || concerns(delta, &mut followed)));
        let mut happened: Vec<Happened> = items.map(|delta| Happened::Item(Box::new(delta))).collect();
        let components = components.into_iter().filter(|change| all || is_about(change, &paths, &purls));
        happened.extend(components.map(|change| Happened::Component(Box::new(change))));
        for happened in happened {
            let trailer = Policy::built_in().change_control.trailer;
            events.push(Event {
                commit: *id,
                time: Timestamp::from_seconds(commit.author.time),
                author: format!("{} <{}>", commit.author.name, commit.author.email),
                changes: trailers::change_ids(&commit.message, &trailer),
                happened,
                release: carried_by(id),
            });
        }
    }
    Ok(events)
}

/// Says whether a path is that of a folder or stands in it.
fn is_below(path: &RepoPath, folder: &RepoPath) -> bool {
    path == folder || path.as_bytes().strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}

/// Says whether one of the files that name the component is asked for, or its package URL: in full, without its
/// version, or up to a slash.
fn is_about(change: &ComponentChange, paths: &[RepoPath], purls: &[RepoPath]) -> bool {
    let named = |asked: &RepoPath| {
        [&change.delta.before, &change.delta.after].into_iter().flatten().any(|state| {
            let rest = state.purl.as_bytes().strip_prefix(asked.as_bytes());
            rest.is_some_and(|rest| rest.first().is_none_or(|next| b"@/?#".contains(next)))
        })
    };
    purls.iter().any(named) || change.found_in.iter().any(|path| paths.iter().any(|folder| is_below(path, folder)))
}

/// Says whether the delta is about a followed path or a folder of it, and follows a rename back.
fn concerns(delta: &ItemDelta, followed: &mut Vec<RepoPath>) -> bool {
    let names = [&delta.before, &delta.after].into_iter().flatten().map(|item| &item.path);
    let concerned = names.into_iter().any(|path| followed.iter().any(|folder| is_below(path, folder)));
    if let (true, ItemOperation::Renamed, Some(before)) = (concerned, delta.operation(), &delta.before) {
        followed.push(before.path.clone());
    }
    concerned
}

/// One side of a comparison: a release of the verified log, or a revision of Git.
pub struct Side {
    /// What it was called.
    pub name: String,
    /// The commit.
    pub commit: ObjectId,
    /// The tree.
    pub tree: ObjectId,
    /// The release that it is, where the log was verified.
    release: Option<Signed>,
}

/// What a verified statement says of its manifest.
#[derive(Clone, Copy)]
struct Signed {
    baseline: Digest,
    manifest: Digest,
    ruleset: u64,
}

impl Side {
    /// Says whether it is a release of a verified log.
    pub const fn is_verified(&self) -> bool {
        self.release.is_some()
    }

    /// Returns the baseline that it is a release of.
    pub fn baseline(&self) -> Option<Digest> {
        self.release.map(|signed| signed.baseline)
    }

    /// Returns the items that its own policy gives. A release must come out as it was signed, for it is shown as
    /// evidence; of anything else no more is read than the items need.
    ///
    /// # Errors
    /// As [`Side::inspect`].
    pub fn items(&self, repository: &Repository) -> Result<Vec<ConfigurationItem>, Failure> {
        if self.is_verified() {
            return Ok(self.inspect(repository)?.collected.manifest.items);
        }
        inspect::items_of_tree(repository, self.tree)
    }

    /// Returns the components that its own policy lets in. Of anything but a release, lock files alone are read.
    ///
    /// # Errors
    /// As [`Side::inspect`].
    pub fn components(&self, repository: &Repository) -> Result<Inventory, Failure> {
        if self.is_verified() {
            let manifest = self.inspect(repository)?.collected.manifest;
            // What is own is not in the manifest, and follows from the tree alone.
            let first_party = inspect::components_of_tree(repository, self.tree)?.first_party;
            return Ok(Inventory { components: manifest.components, coverage: manifest.coverage, first_party });
        }
        inspect::components_of_tree(repository, self.tree)
    }

    /// Collects it under its own policy. A release must come out as it was signed, for it is shown as evidence.
    ///
    /// # Errors
    /// `GB-REP-DIFFERS` and `GB-REP-RULESET`; where the policy or an object cannot be read.
    pub fn inspect(&self, repository: &Repository) -> Result<Inspection, Failure> {
        let inspection = Inspection::of_tree(repository, self.tree)?;
        if let Some(signed) = self.release {
            let manifest = &inspection.collected.manifest;
            if manifest.ruleset != signed.ruleset {
                return Err(Failure::new(
                    Exit::Inconclusive,
                    "GB-REP-RULESET",
                    format!("release {} was made by rule set {}", self.name, signed.ruleset),
                )
                .because(format!("this program knows {}", manifest.ruleset)));
            }
            if Digest::of(&codec::encode(Some(&signed.baseline), manifest)) != signed.manifest {
                return Err(Failure::new(
                    Exit::Disproven,
                    "GB-REP-DIFFERS",
                    format!("the manifest of release {} cannot be reproduced", self.name),
                )
                .hint(format!("git baseline reproduce {}", self.name)));
            }
        }
        Ok(inspection)
    }
}

/// Resolves a name through the verified log first, and then through Git (contract §3.10).
///
/// # Errors
/// `GB-REPO-REVISION` where neither knows it.
pub fn side_of(repository: &Repository, known: Option<(&Log<'_>, &Trust)>, name: &str) -> Result<Side, Failure> {
    if let (Some((log, trust)), Ok(release)) = (known, ReleaseName::parse(name))
        && log.release_names().contains(&release)
    {
        let stored = releases::read(log, trust, &release)?;
        let release = stored.release();
        let signed = Signed { baseline: trust.fingerprint, manifest: release.manifest, ruleset: release.ruleset };
        return Ok(Side { name: name.to_owned(), commit: release.commit, tree: release.tree, release: Some(signed) });
    }
    let commit = repository.resolve_commit(name)?;
    let tree = repository.commit(commit)?.tree;
    Ok(Side { name: name.to_owned(), commit, tree, release: None })
}

/// What lies between two sides.
pub struct Comparison {
    /// The older side.
    pub before: Side,
    /// The newer side.
    pub after: Side,
    /// Items and components.
    pub delta: ManifestDelta,
}

/// Compares two sides, each under its own policy.
///
/// # Errors
/// Where a policy or an object cannot be read.
pub fn compare(repository: &Repository, before: Side, after: Side) -> Result<Comparison, Failure> {
    let old = before.inspect(repository)?.collected.manifest;
    let new = after.inspect(repository)?.collected.manifest;
    Ok(Comparison { before, after, delta: ManifestDelta::between(&old, &new) })
}
