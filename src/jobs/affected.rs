//! In which releases, or tags, a component stands, and in which versions.
//!
//! Serves IEC 81001-5-1 cl. 8 (versions sufficient to assess exposure). A release's list is the signed one; a tag's is
//! computed from its lock files. Never here: what is known against a component.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::collect::{self, Source as _};
use crate::domain::{Component, Digest, EntryKind, ObjectId};
use crate::jobs::commit_delta::policy_of;
use crate::jobs::examine::stored_manifest;
use crate::jobs::releases::{self, StoredRelease};
use crate::jobs::{Failure, Log, Progress, Trust};
use crate::store::{Repository, TreeSource};

/// A release or tag, with what was asked for in it.
#[derive(Clone, Debug)]
pub struct Affected {
    /// Its name.
    pub name: String,
    /// Its commit.
    pub commit: ObjectId,
    /// Whether it is a release of the verified log.
    pub verified: bool,
    /// The components, sorted by purl; empty where it has none of them.
    pub components: Vec<Component>,
}

/// Returns the standing releases of the verified log in their order, each with the components that are wanted.
///
/// # Errors
/// Where a release or its manifest is missing, or is not what was signed.
pub fn affected_releases(
    log: &Log<'_>,
    trust: &Trust,
    wanted: &dyn Fn(&Component) -> bool,
) -> Result<Vec<Affected>, Failure> {
    let list = |stored: &StoredRelease| {
        let release = stored.release();
        let components = stored_manifest(log, trust, &stored.placed())?.components;
        Ok(Affected {
            name: release.name.to_string(),
            commit: release.commit,
            verified: true,
            components: components.into_iter().filter(|component| wanted(component)).collect(),
        })
    };
    releases::standing(log, trust)?.iter().map(list).collect()
}

/// Returns the repository's tags by name, each with the components that are wanted.
///
/// # Errors
/// Where an object or a policy cannot be read.
pub fn affected_tags(
    repository: &Repository,
    wanted: &dyn Fn(&Component) -> bool,
    progress: &dyn Progress,
) -> Result<Vec<Affected>, Failure> {
    let mut found = Vec::new();
    // Most tags have the lock files of the one before.
    let mut known: BTreeMap<Digest, Vec<Component>> = BTreeMap::new();
    for name in repository.references_below("refs/tags/")? {
        let Some(commit) = repository.peeled_reference(&name)? else { continue };
        let name = name.trim_start_matches("refs/tags/").to_owned();
        progress.step(&format!("looking at {name}"));
        let tree = repository.commit(commit)?.tree;
        let policy = policy_of(repository, tree)?;
        let source = TreeSource::new(repository, tree);
        let mut key = policy.digest.map_or([0; 32], |digest| *digest.as_bytes()).to_vec();
        for entry in source.entries()? {
            if entry.mode.kind() == EntryKind::Gitlink || collect::is_lock(&policy, &entry) {
                key.extend_from_slice(entry.id.to_string().as_bytes());
                key.extend_from_slice(entry.path.as_bytes());
                key.push(0);
            }
        }
        let key = Digest::of(&key);
        let components = match known.entry(key) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                let all = collect::collect_components(&source, &policy)?.components;
                place.insert(all.into_iter().filter(|component| wanted(component)).collect()).clone()
            }
        };
        found.push(Affected { name, commit, verified: false, components });
    }
    Ok(found)
}
