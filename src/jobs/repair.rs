//! Rebuilds what is derived: notes and release refs, from the log alone.
//!
//! Never here: anything that the log does not hold; an altered ref is put back, a statement is never changed.

use std::collections::BTreeMap;

use crate::domain::{Manifest, ObjectId, ReleaseName};
use crate::jobs::examine::stored_manifest;
use crate::jobs::inspect::Inspection;
use crate::jobs::log::{Log, NOTES_REF, RELEASE_REFS};
use crate::jobs::releases::{self, StoredRelease};
use crate::jobs::trust::Trust;
use crate::jobs::{Failure, derived, range};
use crate::store::{Identity, RefEdit, Repository};

/// What was put back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Commits whose notes were put back.
    pub notes: Vec<ObjectId>,
    /// Releases whose refs were put back.
    pub releases: Vec<ReleaseName>,
}

/// Puts back notes and release refs that are missing or altered.
///
/// # Errors
/// Where an object is missing, or a ref moved meanwhile.
pub fn repair(repository: &Repository, log: &Log<'_>, trust: &Trust, identity: &Identity) -> Result<Repaired, Failure> {
    let mut repaired = Repaired::default();
    let mut notes = BTreeMap::new();
    let mut edits = Vec::new();
    for stored in releases::standing(log, trust)? {
        let release = stored.release();
        for entry in &release.range {
            let (_, sealed) = range::sealed(log, &entry.commit, &entry.record)?;
            if !note_holds(repository, entry.commit, &sealed)? {
                notes.insert(entry.commit, sealed);
            }
        }
        let inspection = Inspection::of_tree(repository, release.tree)?;
        let manifest = &inspection.collected.manifest;
        if derived::check_release(repository, log, &stored.placed(), manifest).is_err() {
            edits.push(rebuild(repository, log, &stored, manifest)?);
            repaired.releases.push(release.name.clone());
        }
    }
    repaired.notes = notes.keys().copied().collect();
    if !notes.is_empty() {
        let expected = repository.reference(NOTES_REF)?;
        let message = "Repair notes\n".to_owned();
        let new = repository.write_notes(expected, &notes, identity, &message)?;
        edits.push(RefEdit { name: NOTES_REF.to_owned(), expected, new, message });
    }
    if !edits.is_empty() {
        repository.update_refs(&edits)?;
    }
    Ok(repaired)
}

/// Writes the refs of releases in force that have none, as far as their objects are here.
///
/// # Errors
/// Where a ref moved meanwhile.
pub fn missing_refs(repository: &Repository, log: &Log<'_>, trust: &Trust) -> Result<(), Failure> {
    let mut edits = Vec::new();
    for stored in releases::standing(log, trust)? {
        if repository.reference(&format!("{RELEASE_REFS}{}", stored.release().name))?.is_none() {
            edits.extend(settled_ref(repository, log, trust, &stored, None)?);
        }
    }
    if edits.is_empty() { Ok(()) } else { Ok(repository.update_refs(&edits)?) }
}

/// Returns how the ref of a release in force must be moved: to what the remote has where that holds; nowhere where ours
/// holds; else to what the log says, as far as its objects are here.
///
/// # Errors
/// Where the log or an object is damaged.
pub(super) fn settled_ref(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    stored: &StoredRelease,
    theirs: Option<ObjectId>,
) -> Result<Option<RefEdit>, Failure> {
    let release = stored.release();
    let name = format!("{RELEASE_REFS}{}", release.name);
    let own = repository.reference(&name)?;
    if repository.commit(release.commit).is_err() {
        return Ok(None);
    }
    let manifest = stored_manifest(log, trust, &stored.placed())?;
    let holds = |id: &ObjectId| derived::check_commit(repository, log, &stored.placed(), &manifest, *id).is_ok();
    match (theirs.filter(holds), own.filter(holds)) {
        (Some(new), _) if own == Some(new) => Ok(None),
        (Some(new), _) => {
            let message = "Adopt the remote's release\n".to_owned();
            Ok(Some(RefEdit { name, expected: own, new, message }))
        }
        (None, Some(_)) => Ok(None),
        (None, None) => rebuild(repository, log, stored, &manifest).map(Some),
    }
}

/// A note holds what was sealed when each sealed record stands in it, whatever else does.
fn note_holds(repository: &Repository, commit: ObjectId, sealed: &[u8]) -> Result<bool, Failure> {
    let Some(note) = repository.note(commit)? else { return Ok(false) };
    let (Ok(found), Ok(wanted)) = (range::parse(commit, &note), range::parse(commit, sealed)) else { return Ok(false) };
    Ok(wanted.iter().all(|block| found.contains(block)))
}

/// Writes again the commit that a release's ref must point to.
fn rebuild(
    repository: &Repository,
    log: &Log<'_>,
    stored: &StoredRelease,
    manifest: &Manifest,
) -> Result<RefEdit, Failure> {
    let (release, folder) = (stored.release(), &stored.folder);
    let mut files = BTreeMap::new();
    for path in log.below(folder) {
        files.insert(path.to_owned(), log.need(path)?);
    }
    let new = derived::write_release(repository, release, &files, manifest, folder)?;
    let name = format!("{RELEASE_REFS}{}", release.name);
    let expected = repository.reference(&name)?;
    Ok(RefEdit { name, expected, new, message: format!("Repair release {}\n", release.name) })
}
