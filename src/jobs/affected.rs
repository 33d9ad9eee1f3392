//! In which releases, or tags, a component stands, and in which versions.
//!
//! Serves IEC 81001-5-1 cl. 8 (versions sufficient to assess exposure). A release's list is the signed one; a tag's is
//! computed from its lock files. Never here: what is known against a component.

use crate::domain::{Component, ObjectId};
use crate::jobs::commit_delta::policy_of;
use crate::jobs::component_reader::ComponentReader;
use crate::jobs::examine::stored_manifest;
use crate::jobs::releases::{self, StoredRelease};
use crate::jobs::{Failure, Log, Progress, Trust};
use crate::store::Repository;

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
    let mut reader = ComponentReader::new(repository);
    // Neighbours by age are closest to each other; by name, 1.10 would come before 1.9.
    let mut tags = Vec::new();
    for name in repository.references_below("refs/tags/")? {
        let Some(commit) = repository.peeled_reference(&name)? else { continue };
        let read = repository.commit(commit)?;
        tags.push((read.committer.time, name.trim_start_matches("refs/tags/").to_owned(), commit, read.tree));
    }
    tags.sort();
    for (_, name, commit, tree) in tags {
        progress.step(&format!("looking at {name}"));
        let components = reader.components(tree, &policy_of(repository, tree)?)?;
        let components = components.iter().filter(|component| wanted(component)).cloned().collect();
        found.push(Affected { name, commit, verified: false, components });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}
