//! Proof or refusal: everything that a release claims, checked against the repository alone and one fingerprint.
//!
//! Default is deny: what cannot be checked is "unknown", never "passed". No network, no child process, nothing
//! written. Serves contract §3 and requirements R10.

use crate::codec;
use crate::collect;
use crate::domain::{CommitRecord, Digest, Manifest, ObjectId, RULE_SET, Release, ReleaseName};
use crate::jobs::commit_delta::policy_of;
use crate::jobs::evidence::{Anchor, Log, Trust};
use crate::jobs::inspect::Inspection;
use crate::jobs::misleading::{replacements, shadows};
use crate::jobs::releases::{self, ReleaseStatus, StoredRelease, bound, folder, stored_document};
use crate::jobs::verification::Verification;
use crate::jobs::{Exit, Failure, Progress, derived, range};
use crate::store::{DirectorySource, Repository};

/// Verifies a release.
pub fn verify_release(
    repository: &Repository,
    anchor: &Anchor,
    name: &ReleaseName,
    progress: &dyn Progress,
) -> Verification {
    let mut report = Verification::new(name.to_string());
    let Some((log, trust)) = log_and_trust(&mut report, repository, anchor) else { return report };
    let stored = releases::read(&log, &trust, name);
    let signed = |stored: &StoredRelease| {
        let persons = stored.statement.signers().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        format!(
            "{} of {} required signers: {persons}",
            stored.statement.signers().len(),
            trust.threshold(crate::domain::RoleName::Release)
        )
    };
    let Some(stored) = report.check("signatures", stored, signed) else { return report };
    report.sign_offs.clone_from(&stored.sign_offs);
    report.release = Some(stored.release().clone());
    report.check("statement", statement(repository, &trust, stored.release()), |()| {
        format!("of {}, under trust root {}", stored.release().product, stored.release().trust_version)
    });
    report.check("status", status(&stored), |()| "released, not withdrawn".to_owned());
    let before = report.check("sequence", sequence(&log, &trust, &stored), |before| match before.last() {
        None => "the first release".to_owned(),
        Some(last) => format!("number {}, after {}", stored.release().sequence, last.release().name),
    });
    report.check("log-head", log_prefix(&log, stored.release()), |size| {
        format!("the log begins with the {size} statements that its maker accepted")
    });
    report.check("documents", documents(&log, stored.release()), |count| format!("{count} stored documents"));
    let manifest = report.check("manifest", stored_manifest(&log, &trust, stored.release()), |manifest| {
        format!("{} items, {} components", manifest.items.len(), manifest.components.len())
    });
    report
        .check("source-commit", source_commit(repository, stored.release()), |()| stored.release().commit.to_string());
    progress.step("recomputing the manifest from the source tree");
    if let Some(manifest) = &manifest {
        let reproduced = reproduced(repository, stored.release(), manifest);
        report.check("source-tree", reproduced, |files| format!("recomputed from {files} files, byte for byte"));
        report.check("release-ref", derived::check_release(repository, &log, stored.release(), manifest), |()| {
            "as in the log".to_owned()
        });
    }
    if let Some(before) = before {
        progress.step("checking the records of the range");
        let records = records(repository, &log, &trust, &before, stored.release(), progress);
        report.check("records", records, |count| format!("{count} commits, each recorded and recomputed"));
    }
    report.check("name", shadows(repository, stored.release()), |()| "no tag or branch says otherwise".to_owned());
    let release = stored.release();
    let commits = release.range.iter().map(|entry| entry.commit);
    let replaced = replacements(repository, commits, &[release.commit, log.head]);
    report.check("replacements", replaced, |()| "Git shows what was signed".to_owned());
    report
}

/// Verifies the records on one commit.
pub fn verify_commit(repository: &Repository, anchor: &Anchor, id: ObjectId) -> Verification {
    let mut report = Verification::new(id.to_string());
    let Some((_, trust)) = log_and_trust(&mut report, repository, anchor) else { return report };
    let judged = repository.note(id).map_err(Failure::from).and_then(|note| match note {
        Some(note) => range::judge_note(repository, &trust, id, note),
        None => Err(Failure::new(
            Exit::Inconclusive,
            "GB-COVER-RECORD-MISSING",
            format!("commit {} has no record", id.short()),
        )
        .hint(format!("git baseline record {}", id.short()))),
    });
    report.check("record", judged, |judged| format!("recorded by {}", judged.record.recorder.person));
    report.check("replacements", replacements(repository, [].into_iter(), &[id]), |()| {
        "Git shows what was signed".to_owned()
    });
    report
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
    let log = report
        .check("log", Log::open(repository), |log| format!("linear and add-only, {} statements", log.leaves.len()))?;
    report.fingerprint = log.claimed_fingerprint().ok();
    let trust = report.check("trust", log.trust(anchor), |trust| {
        let how = if anchor.given.is_some() { "given" } else { "pinned" };
        format!("root {} of {}, fingerprint {how}", trust.root().version, trust.root().product)
    })?;
    report.pinned = true;
    let head = report.check("log-root", log.log_head(None), |head| format!("size {}, as of this log only", head.size));
    report.log = head;
    Some((log, trust))
}

/// What the statement repeats must be what the root and the repository say.
fn statement(repository: &Repository, trust: &Trust, release: &Release) -> Result<(), Failure> {
    let root = trust.root();
    let wrong = [
        ("its product", release.product != root.product),
        ("its trust root", release.trust_version != root.version),
        ("its object format", release.object_format != root.object_format),
        ("the repository's object format", release.object_format != repository.object_format()),
    ];
    match wrong.iter().find(|(_, wrong)| *wrong) {
        None => Ok(()),
        Some((what, _)) => {
            let name = &release.name;
            Err(Failure::new(
                Exit::Disproven,
                "GB-BIND-STATEMENT",
                format!("release {name} does not fit this baseline"),
            )
            .because(format!("{what} is another than the trust root says")))
        }
    }
}

fn status(stored: &StoredRelease) -> Result<(), Failure> {
    let name = &stored.release().name;
    match stored.status {
        ReleaseStatus::Released => Ok(()),
        ReleaseStatus::Proposed => {
            Err(Failure::new(Exit::Disproven, "GB-RELEASE-PROPOSED", format!("release {name} is only proposed")))
        }
        ReleaseStatus::Withdrawn => {
            Err(Failure::new(Exit::Disproven, "GB-RELEASE-WITHDRAWN", format!("release {name} has been withdrawn"))
                .hint(format!("git baseline show {name}")))
        }
    }
}

/// Each release names its predecessor by digest and is one more in number; two successors are a fork.
fn sequence(log: &Log<'_>, trust: &Trust, stored: &StoredRelease) -> Result<Vec<StoredRelease>, Failure> {
    let release = stored.release();
    let standing = releases::standing(log, trust)?;
    let twin =
        standing.iter().find(|other| other.digest != stored.digest && other.release().sequence == release.sequence);
    if let Some(twin) = twin {
        let what =
            format!("releases {} and {} both claim number {}", release.name, twin.release().name, release.sequence);
        return Err(Failure::new(Exit::Disproven, "GB-CHAIN-FORK", what));
    }
    let before: Vec<StoredRelease> =
        standing.into_iter().filter(|other| other.release().sequence < release.sequence).collect();
    let mut previous: Option<&StoredRelease> = None;
    for link in before.iter().chain([stored]) {
        let expected = previous.map(|previous| (previous.release().sequence, previous.digest));
        let said = link.release();
        if said.sequence != expected.map_or(0, |(number, _)| number) + 1
            || said.predecessor != expected.map(|(_, digest)| digest)
        {
            let name = &said.name;
            return Err(Failure::new(
                Exit::Disproven,
                "GB-CHAIN-PREDECESSOR",
                format!("release {name} does not follow the release before it"),
            )
            .because("a predecessor is missing from the log, or another one was signed"));
        }
        previous = Some(link);
    }
    Ok(before)
}

fn log_prefix(log: &Log<'_>, release: &Release) -> Result<u64, Failure> {
    let size = release.log.size;
    let count = usize::try_from(size).unwrap_or(usize::MAX);
    if count <= log.leaves.len() && log.log_head(Some(count))? == release.log {
        return Ok(size);
    }
    Err(Failure::new(
        Exit::Disproven,
        "GB-LOG-FORK",
        format!("the log that release {} was made on is not the beginning of this one", release.name),
    )
    .hint("fetch refs/baseline/log again from a source that you trust"))
}

fn documents(log: &Log<'_>, release: &Release) -> Result<usize, Failure> {
    for document in &release.documents {
        stored_document(log, release, &document.name)?;
    }
    Ok(release.documents.len())
}

/// Returns the manifest that was signed with a release.
pub(super) fn stored_manifest(log: &Log<'_>, trust: &Trust, release: &Release) -> Result<Manifest, Failure> {
    let path = format!("{}manifest.cbor", folder(&release.name));
    let bytes = log.need(&path)?;
    bound(&path, &bytes, release.manifest)?;
    let (header, manifest) = codec::decode::<Manifest>(&bytes).map_err(|error| Failure::undecodable(&path, &error))?;
    if header.baseline != Some(trust.fingerprint) {
        return Err(Failure::new(Exit::Disproven, "GB-BIND-BASELINE", format!("{path} belongs to another baseline")));
    }
    if manifest.source_tree.digest != release.source_tree || manifest.ruleset != release.ruleset {
        return Err(Failure::new(
            Exit::Disproven,
            "GB-BIND-DIGEST",
            format!("{path} and the statement contradict each other"),
        ));
    }
    Ok(manifest)
}

fn source_commit(repository: &Repository, release: &Release) -> Result<(), Failure> {
    let commit = repository.commit(release.commit)?;
    let own = release.range.iter().find(|entry| entry.commit == release.commit);
    let digest_differs = own.is_some_and(|entry| entry.digest != Digest::of(&commit.raw));
    if commit.tree != release.tree || digest_differs {
        let what = format!("commit {} is not the one that was released", release.commit.short());
        return Err(Failure::new(Exit::Disproven, "GB-BIND-COMMIT", what));
    }
    Ok(())
}

/// Recomputes the manifest from the commit's own tree under the commit's own policy.
fn reproduced(repository: &Repository, release: &Release, recorded: &Manifest) -> Result<u64, Failure> {
    let found = Inspection::of_tree(repository, release.tree)?.collected.manifest;
    if found.source_tree != recorded.source_tree {
        return Err(Failure::new(
            Exit::Disproven,
            "GB-REP-TREE",
            format!("the source tree of release {} is another than the one that was signed", release.name),
        )
        .because(format!(
            "recomputed {}, signed {}",
            found.source_tree.digest.short(),
            release.source_tree.short()
        )));
    }
    if release.ruleset != RULE_SET {
        return Err(Failure::new(
            Exit::Inconclusive,
            "GB-REP-RULESET",
            format!("release {} was made by rule set {}", release.name, release.ruleset),
        )
        .because(format!("this program knows {RULE_SET}; the digest of the source tree was checked and holds"))
        .hint(format!("verify with {}", release.tool)));
    }
    if found != *recorded {
        return Err(Failure::new(
            Exit::Disproven,
            "GB-REP-DIFFERS",
            format!("the manifest of release {} cannot be reproduced", release.name),
        )
        .hint(format!("git baseline reproduce {}", release.name)));
    }
    Ok(found.source_tree.files)
}

/// The range is recomputed; each of its commits must be sealed, and each sealed record must hold.
fn records(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    before: &[StoredRelease],
    release: &Release,
    progress: &dyn Progress,
) -> Result<usize, Failure> {
    let mut ids = range::of(repository, trust, before, release.commit)?;
    ids.sort();
    let stated: Vec<ObjectId> = release.range.iter().map(|entry| entry.commit).collect();
    if ids != stated {
        return Err(Failure::new(
            Exit::Disproven,
            "GB-COVER-RANGE",
            format!("release {} does not answer for exactly the commits since the one before", release.name),
        )
        .because(format!("its range has {} commits, and it names {}", ids.len(), stated.len())));
    }
    let mut judged = Vec::new();
    for (at, entry) in release.range.iter().enumerate() {
        if at > 0 && at % 100 == 0 {
            progress.step(&format!("checked {at} of {} records", stated.len()));
        }
        let path = range::sealed_path(&entry.commit);
        let sealed = log.need(&path)?;
        bound(&path, &sealed, entry.record)?;
        let record = range::judge_note(repository, trust, entry.commit, sealed)?;
        if record.commit_digest != entry.digest {
            return Err(Failure::new(
                Exit::Disproven,
                "GB-BIND-COMMIT",
                format!("commit {} is not the one that was recorded", entry.commit.short()),
            ));
        }
        judged.push(record);
    }
    if range::changes(&judged) != release.changes {
        let what = format!("release {} names other change requests than its commits do", release.name);
        return Err(Failure::new(Exit::Disproven, "GB-BIND-CHANGES", what));
    }
    // What is sealed comes first: a missing note must not hide a record that does not hold.
    let notes_here = repository.has_notes()?;
    for record in judged.iter().filter(|_| notes_here) {
        note_agrees(repository, trust, &record.record, &record.note)?;
    }
    if !notes_here && !release.range.is_empty() {
        return Err(Failure::new(
            Exit::Inconclusive,
            "GB-REF-MISSING",
            "refs/notes/baseline is not in this repository",
        )
        .because("the log holds the sealed records, and they hold; the notes were not fetched, or were deleted")
        .hint("git baseline repair"));
    }
    Ok(stated.len())
}

/// The note must hold what was sealed; further records in it are judged on their own.
fn note_agrees(repository: &Repository, trust: &Trust, record: &CommitRecord, sealed: &[u8]) -> Result<(), Failure> {
    let id = record.commit;
    let Some(note) = repository.note(id)? else {
        return Err(Failure::new(
            Exit::Inconclusive,
            "GB-REF-MISSING",
            format!("the note on commit {} is missing", id.short()),
        )
        .hint("git baseline repair"));
    };
    if note == sealed {
        return Ok(());
    }
    let kept = range::parse(id, sealed)?;
    let found = range::parse(id, &note)?;
    range::judge_note(repository, trust, id, note)?;
    if kept.iter().all(|block| found.contains(block)) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Disproven,
        "GB-NOTE-ALTERED",
        format!("the note on commit {} is not the one that was sealed", id.short()),
    )
    .hint("git baseline repair"))
}
