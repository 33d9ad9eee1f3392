//! What misleads people beside a release that holds: names that point elsewhere, and objects that Git shows in place of
//! others.
//!
//! Never here: the proof itself, which reads neither. Serves contract §3.10 (A19, A37).

use std::collections::BTreeSet;

use crate::domain::{ObjectId, Release};
use crate::jobs::{Exit, Failure};
use crate::store::Repository;

/// A tag or branch of the release's name that points elsewhere misleads people (contract §3.10).
///
/// # Errors
/// `GB-NAME-SHADOWED`; where a ref or object cannot be read.
pub(super) fn shadows(repository: &Repository, release: &Release) -> Result<(), Failure> {
    for prefix in ["refs/tags/", "refs/heads/", "refs/tags/v"] {
        let name = format!("{prefix}{}", release.name);
        let Some(id) = repository.peeled_reference(&name)? else { continue };
        if id != release.commit {
            let what = format!(
                "{name} points to {}, and release {} was made from {}",
                id.short(),
                release.name,
                release.commit.short()
            );
            return Err(
                Failure::new(Exit::Disproven, "GB-NAME-SHADOWED", what).hint(format!("git update-ref -d {name}"))
            );
        }
    }
    Ok(())
}

/// Where `git replace` keeps what it was told.
const REPLACEMENTS: &str = "refs/replace/";

/// `git replace` makes Git show another object in place of one that was signed. Nothing here reads the other, but what
/// people see would not be what was proven (A19).
///
/// # Errors
/// `GB-OBJ-REPLACED`; where a ref or object cannot be read.
pub(super) fn replacements(
    repository: &Repository,
    mut commits: impl Iterator<Item = ObjectId>,
    tips: &[ObjectId],
) -> Result<(), Failure> {
    let names = repository.references_below(REPLACEMENTS)?;
    let replaced: BTreeSet<ObjectId> =
        names.iter().filter_map(|name| ObjectId::parse(name.strip_prefix(REPLACEMENTS)?)).collect();
    if replaced.is_empty() {
        return Ok(());
    }
    let mut found = commits.find(|commit| replaced.contains(commit));
    for tip in tips {
        found = found.or(Some(*tip).filter(|tip| replaced.contains(tip)));
        if found.is_none() {
            found = repository.first_in_tree(repository.commit(*tip)?.tree, &replaced)?;
        }
    }
    let Some(id) = found else { return Ok(()) };
    let what = format!("Git shows another object in place of {id}, which was signed");
    Err(Failure::new(Exit::Disproven, "GB-OBJ-REPLACED", what)
        .because(format!("{REPLACEMENTS}{id} exists; what was signed is here too, but people see something else"))
        .hint(format!("git replace -d {id}")))
}
