//! Every claim of a release statement, held against the repository: by whoever verifies it, and by whoever is asked to
//! sign it.
//!
//! Never here: who signed it (`releases`). Default is deny. Serves contract §3; the steps: docs/format.md §10.

use crate::codec;
use crate::domain::{Digest, Finding, Manifest, ObjectId, RULE_SET, Release, ReleasedChange, Severity};
use crate::jobs::change_control::{JudgedChange, Judging};
use crate::jobs::commit_delta::CommitDeltas;
use crate::jobs::inspect::Inspection;
use crate::jobs::log::Log;
use crate::jobs::misleading::{replacements, shadows};
use crate::jobs::range::Judged;
use crate::jobs::release::gate_results;
use crate::jobs::releases::{Statement, StoredRelease, bound, stored_document};
use crate::jobs::trust::Trust;
use crate::jobs::verification::Verification;
use crate::jobs::{Exit, Failure, Progress, derived, gate, range};
use crate::store::Repository;

/// What a statement is held against.
pub(super) struct Grounds<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The log.
    pub log: &'a Log<'a>,
    /// The trust roots.
    pub trust: &'a Trust,
    /// The releases before it.
    pub before: &'a [StoredRelease],
    /// Whether it is in force; a proposal has no ref yet.
    pub in_force: bool,
}

/// Checks everything that a statement claims.
pub(super) fn examine(
    report: &mut Verification,
    grounds: &Grounds<'_>,
    statement: &Statement<'_>,
    progress: &dyn Progress,
) {
    let (repository, log, release) = (grounds.repository, grounds.log, statement.release);
    report.release = Some(release.clone());
    report.check("statement", self::statement(repository, grounds.trust, release), |()| {
        format!("of {}, under trust root {}", release.product, release.trust_version)
    });
    // Whoever made the list of releases judged these two already.
    report.check("sequence", Ok(()), |()| match grounds.before.last() {
        None => "the first release".to_owned(),
        Some(last) => format!("number {}, after {}", release.sequence, last.release().name),
    });
    report.check("log-head", Ok(release.log.size), |size| {
        format!("the log begins with the {size} statements that its maker accepted")
    });
    report.check("documents", documents(log, statement), |count| format!("{count} stored documents"));
    let manifest = report.check("manifest", stored_manifest(log, grounds.trust, statement), |manifest| {
        format!("{} items, {} components", manifest.items.len(), manifest.components.len())
    });
    report.check("source-commit", source_commit(repository, release), |()| release.commit.to_string());
    progress.step("recomputing the manifest from the source tree");
    if let Some(manifest) = &manifest {
        let reproduced = reproduced(repository, release, manifest);
        report.check("source-tree", reproduced, |files| format!("recomputed from {files} files, byte for byte"));
        if grounds.in_force {
            let derived = derived::check_release(repository, log, statement, manifest);
            report.check("release-ref", derived, |()| "as in the log".to_owned());
        }
    }
    progress.step("checking the records of the range");
    let records = records(grounds, release, progress);
    let judged =
        report.check("records", records, |judged| format!("{} commits, each recorded and recomputed", judged.len()));
    if let Some(judged) = judged {
        report.check("changes", changes(grounds, statement, &judged), |count| format!("{count} changes, as approved"));
        // What is sealed comes first: a missing note must not hide a record that does not hold.
        report.check("notes", notes(repository, grounds.trust, &judged), |count| format!("{count} as sealed"));
    }
    report.check("name", shadows(repository, release), |()| "no tag or branch says otherwise".to_owned());
    let commits = release.range.iter().map(|entry| entry.commit);
    let replaced = replacements(repository, commits, &[release.commit, log.head]);
    report.check("replacements", replaced, |()| "Git shows what was signed".to_owned());
}

/// What the statement repeats must be what the root and the repository say.
fn statement(repository: &Repository, trust: &Trust, release: &Release) -> Result<(), Failure> {
    let root = trust.root();
    let wrong = [
        ("its product", release.product != root.product),
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

fn documents(log: &Log<'_>, statement: &Statement<'_>) -> Result<usize, Failure> {
    let documents = &statement.release.documents;
    for document in documents {
        stored_document(log, statement, &document.name)?;
    }
    Ok(documents.len())
}

/// Returns the manifest that was signed with a release.
pub(super) fn stored_manifest(log: &Log<'_>, trust: &Trust, statement: &Statement<'_>) -> Result<Manifest, Failure> {
    let (release, path) = (statement.release, format!("{}manifest.cbor", statement.folder));
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
fn records(grounds: &Grounds<'_>, release: &Release, progress: &dyn Progress) -> Result<Vec<Judged>, Failure> {
    let mut ids = range::of(grounds.repository, grounds.trust, grounds.before, release.commit)?;
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
    range::sealed_range(grounds.repository, grounds.log, grounds.trust, release, progress)
}

/// The changes of the range are put together again and held against the sign-offs that stood before the statement.
fn changes(grounds: &Grounds<'_>, statement: &Statement<'_>, judged: &[Judged]) -> Result<usize, Failure> {
    let release = statement.release;
    let until = grounds.log.position(&format!("{}release.cbor", statement.folder));
    let mut inspection = Inspection::of_tree(grounds.repository, release.tree)?;
    let root = grounds.trust.at(until).root.value();
    inspection.policy = gate::policy(grounds.repository, root, grounds.before, inspection.policy)?;
    let policy = &inspection.policy;
    let judging = Judging {
        log: grounds.log,
        trust: grounds.trust,
        policy,
        as_of: release.as_of,
        until,
        earlier: grounds.before,
    };
    let controlled = gate::judge(grounds.repository, &judging, judged)?;
    let recomputed: Vec<ReleasedChange> = controlled.changes.iter().map(JudgedChange::released).collect();
    if recomputed != release.changes {
        let what = format!("release {} names other changes than its commits do", release.name);
        let differs = recomputed
            .iter()
            .chain(&release.changes)
            .find(|change| !(recomputed.contains(change) && release.changes.contains(change)));
        let failure = Failure::new(Exit::Disproven, "GB-BIND-CHANGES", what);
        return Err(differs.map_or_else(
            || failure.clone(),
            |change| failure.clone().because(format!("change {} has other content or other sign-offs", change.id)),
        ));
    }
    let stops = stopping(&controlled.findings, policy.checks.block);
    if !stops.is_empty() {
        let what = format!("change control of release {} does not hold", release.name);
        let failure = Failure::new(Exit::Disproven, "GB-CHANGE-UNAPPROVED", what);
        return Err(Failure { causes: stops, ..failure });
    }
    gate_held(grounds, release, &inspection, controlled.findings, until)?;
    Ok(recomputed.len())
}

/// Whoever signed a release past a gate that stops it signed what no gate let through.
fn gate_held(
    grounds: &Grounds<'_>,
    release: &Release,
    inspection: &Inspection,
    controlled: Vec<Finding>,
    until: Option<u64>,
) -> Result<(), Failure> {
    if release.ruleset != RULE_SET {
        return Ok(());
    }
    let evidence = Some((grounds.log, grounds.trust, until));
    let mut findings = inspection.findings(grounds.repository, evidence, release.commit, release.as_of)?;
    findings.extend(controlled);
    let stops = stopping(&findings, inspection.policy.checks.block);
    if !stops.is_empty() {
        let what = format!("release {} was signed past its gate", release.name);
        let failure = Failure::new(Exit::Disproven, "GB-GATE-BLOCKED", what);
        return Err(Failure { causes: stops, ..failure });
    }
    if gate_results(&findings) == release.gate {
        return Ok(());
    }
    let what = format!("the gate of release {} saw something else than what is found now", release.name);
    Err(Failure::new(Exit::Disproven, "GB-BIND-GATE", what))
}

fn stopping(findings: &[Finding], block: Severity) -> Vec<String> {
    let stops = findings.iter().filter(|finding| finding.stands() && finding.severity >= block);
    stops.take(20).map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
}

/// Each note must hold what was sealed.
fn notes(repository: &Repository, trust: &Trust, judged: &[Judged]) -> Result<usize, Failure> {
    if !repository.has_notes()? && !judged.is_empty() {
        return Err(Failure::new(
            Exit::Inconclusive,
            "GB-REF-MISSING",
            "refs/notes/baseline is not in this repository",
        )
        .because("the log holds the sealed records, and they hold; the notes were not fetched, or were deleted")
        .hint("git baseline repair"));
    }
    judged.iter().try_for_each(|judged| note_agrees(repository, trust, judged)).map(|()| judged.len())
}

/// The note must hold what was sealed; further records in it are judged on their own.
fn note_agrees(repository: &Repository, trust: &Trust, judged: &Judged) -> Result<(), Failure> {
    let (id, sealed) = (judged.record.commit, judged.note.as_slice());
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
    range::judge_note(&mut CommitDeltas::new(repository), trust, id, note, judged.position)?;
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
