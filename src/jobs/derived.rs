//! The release ref: a convenience that brings statement, items and source commit with one fetch.
//!
//! It is derived from the log and the source commit alone, byte for byte, so that it can be rebuilt and compared.
//! Proof never needs it. Format: docs/format.md §9.

use std::collections::BTreeMap;

use crate::domain::{Manifest, Mode, ObjectId, Release};
use crate::jobs::log::{Log, RELEASE_REFS};
use crate::jobs::releases::Statement;
use crate::jobs::{Exit, Failure};
use crate::store::{Identity, Repository};

/// Writes the objects of a release ref and returns its commit; the ref itself is moved by the caller.
///
/// # Errors
/// Where objects cannot be written.
pub(super) fn write_release(
    repository: &Repository,
    release: &Release,
    files: &BTreeMap<String, Vec<u8>>,
    manifest: &Manifest,
    folder: &str,
) -> Result<ObjectId, Failure> {
    let mut entries: BTreeMap<Vec<u8>, (Mode, ObjectId)> = BTreeMap::new();
    for (path, bytes) in files {
        if let Some(name) = path.strip_prefix(folder) {
            entries.insert(name.as_bytes().to_vec(), (Mode::FILE, repository.write_blob(bytes)?));
        }
    }
    entries.extend(manifest_entries(manifest));
    let tree = repository.write_tree(&entries)?;
    let message = format!("Release {} of {}\n", release.name, release.product);
    Ok(repository.write_commit(tree, &[release.commit], &author(release), &message)?)
}

/// The same author for everybody who rebuilds it.
fn author(release: &Release) -> Identity {
    Identity {
        name: "git-baseline".to_owned(),
        email: "git-baseline@localhost".to_owned(),
        time: release.time.seconds(),
    }
}

/// Compares a release ref with the log and the manifest. What the log gained later, such as
/// sign-offs, may be absent in it.
///
/// # Errors
/// `GB-REF-MISSING` where there is none, `GB-REF-ALTERED` where it says something else.
pub(super) fn check_release(
    repository: &Repository,
    log: &Log<'_>,
    statement: &Statement<'_>,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let release = statement.release;
    let name = format!("{RELEASE_REFS}{}", release.name);
    let Some(id) = repository.reference(&name)? else {
        return Err(Failure::new(Exit::Inconclusive, "GB-REF-MISSING", format!("{name} is not in this repository"))
            .because("the log has the release; its ref was not fetched, or was deleted")
            .hint("git baseline repair"));
    };
    check_commit(repository, log, statement, manifest, id)
}

/// Compares a commit that a release ref could point to with the log and the manifest.
///
/// # Errors
/// `GB-REF-ALTERED` where it says something else.
pub(super) fn check_commit(
    repository: &Repository,
    log: &Log<'_>,
    statement: &Statement<'_>,
    manifest: &Manifest,
    id: ObjectId,
) -> Result<(), Failure> {
    let release = statement.release;
    let altered = |what: String| {
        let what_is = format!("{RELEASE_REFS}{} is not what the log says of release {0}", release.name);
        Failure::new(Exit::Disproven, "GB-REF-ALTERED", what_is).because(what).hint("git baseline repair")
    };
    let Ok(commit) = repository.commit(id) else { return Err(altered(format!("{} is no commit", id.short()))) };
    if commit.parents != [release.commit] {
        let found = commit.parents.first().map_or_else(|| "nothing".to_owned(), ObjectId::short);
        return Err(altered(format!("it stands on {found}, and the release was made from {}", release.commit.short())));
    }
    let mut expected = manifest_entries(manifest);
    let folder = statement.folder;
    for path in log.below(folder) {
        let blob = log.blob_id(path).map(|blob| (Mode::FILE, blob));
        expected.extend(path.strip_prefix(folder).zip(blob).map(|(name, entry)| (name.as_bytes().to_vec(), entry)));
    }
    for entry in repository.tree_entries(commit.tree)? {
        if expected.remove(entry.path.as_bytes()) != Some((entry.mode, entry.id)) {
            return Err(altered(format!("{} is another than in the log or the manifest", entry.path)));
        }
    }
    match expected.keys().find(|path| is_needed(release, path)) {
        None => Ok(()),
        Some(path) => Err(altered(format!("{} is missing", crate::domain::RepoPath::new(path.clone())))),
    }
}

/// What was there when the release was made. Whatever the log gained below the release's folder later need not be in
/// its ref: who may append to the log must not be able to make a good release fail (contract §3.2).
fn is_needed(release: &Release, path: &[u8]) -> bool {
    let stated = release.documents.iter().any(|document| document.name.as_bytes() == path);
    stated || path == b"release.cbor" || path == b"manifest.cbor" || path.starts_with(b"items/")
}

fn manifest_entries(manifest: &Manifest) -> BTreeMap<Vec<u8>, (Mode, ObjectId)> {
    let kept = manifest.items.iter().filter(|item| item.digest.is_some());
    kept.map(|item| ([b"items/", item.path.as_bytes()].concat(), (item.mode, item.git_id))).collect()
}
