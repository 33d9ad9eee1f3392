//! Makes a release: gate, manifest, statement, first sign-off, log, ref. It appears whole or not at all.
//!
//! Serves IEC 62304 cl. 5.8. The log's ref is the one that decides; what is written before it moves is invisible.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::{self, Record};
use crate::crypto::{SIGN_OFF_NAMESPACE, Signer};
use crate::domain::{
    Digest, Finding, GateResult, Manifest, Meaning, ObjectId, RangeEntry, Release, ReleaseName, RoleName, SignOff,
    StoredDocument, Target, Timestamp,
};
use crate::export;
use crate::jobs::append::{self, Appending, moment};
use crate::jobs::change_control::{JudgedChange, Judging};
use crate::jobs::claimed_time::Claims;
use crate::jobs::commit_delta::CommitDeltas;
use crate::jobs::inspect::Inspection;
use crate::jobs::log::{LOG_REF, Log, RELEASE_REFS};
use crate::jobs::releases::{self, ReleaseStatus, Releases, StoredRelease, Unreleased};
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure, Progress, derived, gate, range, records};
use crate::store::{Commit, Identity, RefEdit, Repository};

/// The program's version, as statements name it.
pub const TOOL: &str = concat!("git-baseline ", env!("CARGO_PKG_VERSION"));

/// A release that is ready to be signed: everything that is decided by the repository alone.
pub struct Draft {
    /// The statement.
    pub statement: Release,
    /// The manifest's stored bytes.
    pub manifest: Vec<u8>,
    /// Findings that the gate saw, worst first.
    pub findings: Vec<Finding>,
    /// Whether the gate lets it pass.
    pub blocked: Vec<String>,
    documents: BTreeMap<String, Vec<u8>>,
    sealed: BTreeMap<String, Vec<u8>>,
    inspection: Inspection,
}

/// A release that was made.
pub struct Made {
    /// The draft that it was made from.
    pub draft: Draft,
    /// Released, or proposed where more persons must sign.
    pub status: ReleaseStatus,
    /// Digest of the statement's bytes.
    pub digest: Digest,
}

/// Computes a release without writing anything.
///
/// # Errors
/// Where the name is taken, a record is missing or does not hold, or something cannot be read. A gate that does not
/// let it pass is no error: see [`Draft::blocked`].
pub fn draft(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    name: &ReleaseName,
    commit: ObjectId,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Draft, Failure> {
    let known = Releases::of(log, trust)?;
    name_is_free(&known, name)?;
    let before = known.standing;
    // A clock that is behind must not make a release that nobody believes.
    let now = before.last().map_or(now, |last| moment(now, last.release().as_of.max(last.release().time)));
    let now = moment(now, trust.root().time);
    let now = Claims::default().past(log, trust, u64::MAX)?.map_or(now, |past| moment(now, past));
    let commit = repository.commit(commit)?;
    progress.step("reading the source tree");
    let mut inspection = Inspection::of_tree(repository, commit.tree)?;
    inspection.policy = gate::policy(repository, trust.root(), &before, inspection.policy)?;
    progress.step("checking the records of its range");
    let ids = range::of(repository, trust, &before, commit.id)?;
    let mut judged = range::judge_notes(repository, trust, &ids, progress)?;
    for judged in &mut judged {
        sealed_before(repository, log, trust, judged)?;
    }
    progress.step("judging the changes of its range");
    let until = None;
    let judging = Judging { log, trust, policy: &inspection.policy, as_of: now, until, earlier: &before };
    let controlled = gate::judge(repository, &judging, &judged)?;
    let mut findings = inspection.findings(repository, Some((log, trust, None)), commit.id, now)?;
    findings.extend(controlled.findings);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let blocked = blocking(&inspection, &findings);
    let manifest = codec::encode(Some(&trust.fingerprint), &inspection.collected.manifest);
    let documents = documents(trust, name, &commit, &inspection, &Digest::of(&manifest), now);
    let (entries, sealed) = seal(log, &judged)?;
    let statement = Release {
        log: log.log_head(None)?,
        gate: gate_results(&findings),
        name: name.clone(),
        time: now,
        tool: TOOL.to_owned(),
        tree: commit.tree,
        as_of: now,
        build: None,
        range: entries,
        commit: commit.id,
        changes: controlled.changes.iter().map(JudgedChange::released).collect(),
        product: trust.root().product.clone(),
        ruleset: inspection.collected.manifest.ruleset,
        manifest: Digest::of(&manifest),
        sequence: before.last().map_or(0, |last| last.release().sequence) + 1,
        artefacts: Vec::new(),
        documents: documents.iter().map(|(name, bytes)| document(name, bytes)).collect(),
        deviations: in_force(&findings),
        source_tree: inspection.collected.manifest.source_tree.digest,
        predecessor: before.last().map(|last| last.digest),
        object_format: repository.object_format(),
        trust_version: trust.root().version,
    };
    Ok(Draft { statement, manifest, findings, blocked, documents, sealed, inspection })
}

/// Takes the note that the log holds already, where it does: a release that was only proposed, or withdrawn, left it
/// there, nothing in the log ever changes, and a statement about any other note could never be verified.
fn sealed_before(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    judged: &mut range::Judged,
) -> Result<(), Failure> {
    let commit = judged.record.commit;
    for path in range::sealed_paths(log, &commit) {
        let sealed = log.need(&path)?;
        if sealed == judged.note {
            break;
        }
        // What does not hold was put there by somebody else, and the good note goes beside it.
        if let Ok(held) =
            range::judge_note(&mut CommitDeltas::new(repository), trust, commit, sealed, log.position(&path))
        {
            *judged = held;
            break;
        }
    }
    Ok(())
}

fn document(name: &str, bytes: &[u8]) -> StoredDocument {
    StoredDocument { name: name.to_owned(), digest: Digest::of(bytes) }
}

fn name_is_free(releases: &Releases, name: &ReleaseName) -> Result<(), Failure> {
    let taken = releases.standing.iter().map(|release| &release.release().name);
    if let Some(taken) = taken.into_iter().find(|taken| taken.folded() == name.folded()) {
        return Err(Failure::new(Exit::Usage, "GB-USE-NAME-TAKEN", format!("the release name {name} is taken"))
            .because(format!("the log holds release {taken}; a release is never changed"))
            .hint("choose the next version, or see it with `git baseline show`"));
    }
    let open = |other: &&Unreleased| other.name == *name && other.status == Some(ReleaseStatus::Proposed);
    match releases.others.iter().find(open) {
        None => Ok(()),
        Some(_) => Err(Failure::new(Exit::Usage, "GB-USE-NAME-TAKEN", format!("release {name} is proposed already"))
            .because("it waits for more signatures")
            .hint(format!("git baseline sign {name} --meaning released"))),
    }
}

/// Returns the ids of the deviations by which findings were let pass, sorted.
fn in_force(findings: &[Finding]) -> Vec<String> {
    let used = findings.iter().filter_map(|finding| finding.deviation.as_ref()).filter(|deviation| deviation.in_force);
    let ids: BTreeSet<String> = used.map(|deviation| deviation.id.clone()).collect();
    ids.into_iter().collect()
}

fn blocking(inspection: &Inspection, findings: &[Finding]) -> Vec<String> {
    let stops =
        findings.iter().filter(|finding| finding.stands() && finding.severity >= inspection.policy.checks.block);
    let named = |f: &Finding| match &f.path {
        Some(path) => format!("{} at {path}", f.rule),
        None => format!("{}: {}", f.rule, f.message),
    };
    stops.map(named).collect()
}

pub(super) fn gate_results(findings: &[Finding]) -> Vec<GateResult> {
    let mut counts: BTreeMap<&str, GateResult> = BTreeMap::new();
    for finding in findings {
        let result = counts.entry(finding.rule).or_insert_with(|| GateResult {
            rule: finding.rule.to_owned(),
            count: 0,
            severity: finding.severity,
        });
        result.count += 1;
    }
    counts.into_values().collect()
}

fn documents(
    trust: &Trust,
    name: &ReleaseName,
    commit: &Commit,
    inspection: &Inspection,
    manifest: &Digest,
    now: Timestamp,
) -> BTreeMap<String, Vec<u8>> {
    let subject = export::Subject {
        name: &trust.root().product,
        version: name.as_str(),
        document_id: &trust.root().document_id,
        commit: Some(&commit.id),
    };
    let components = &inspection.collected.manifest;
    let cyclonedx = export::cyclonedx(export::CycloneDxVersion::V1_6, &subject, components, manifest, Some(now));
    let spdx = export::spdx(&subject, components, manifest, now);
    BTreeMap::from([("sbom.cdx.json".to_owned(), cyclonedx), ("sbom.spdx.json".to_owned(), spdx)])
}

/// The range as the statement says it, and the notes to be kept in the log.
type Sealed = (Vec<RangeEntry>, BTreeMap<String, Vec<u8>>);

/// Returns the range as the statement says it, and the notes to be kept in the log.
fn seal(log: &Log<'_>, judged: &[range::Judged]) -> Result<Sealed, Failure> {
    let mut sealed = BTreeMap::new();
    let mut entries = Vec::new();
    for judged in judged {
        let record = Digest::of(&judged.note);
        entries.push(RangeEntry { commit: judged.record.commit, digest: judged.commit_digest, record });
        sealed.insert(range::place_of_sealed(log, &judged.record.commit, &judged.note)?, judged.note.clone());
    }
    entries.sort_by_key(|entry| entry.commit);
    Ok((entries, sealed))
}

/// Signs a draft, and appends it to the log.
///
/// # Errors
/// `GB-GATE-BLOCKED` where the gate does not let it pass; where the signer is not known or cannot sign; where the
/// log moved meanwhile.
pub fn make(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    draft: Draft,
    signer: &dyn Signer,
    identity: &Identity,
) -> Result<Made, Failure> {
    if !draft.blocked.is_empty() {
        return Err(blocked(&draft));
    }
    let name = draft.statement.name.clone();
    let statement = codec::encode(Some(&trust.fingerprint), &draft.statement);
    let (sign_off, signature) = sign_off(trust, &draft.statement, &statement, signer)?;
    let folder = log.place_for(&releases::folder(&name), "release.cbor", &statement)?;
    let mut files = BTreeMap::from([
        (format!("{folder}manifest.cbor"), draft.manifest.clone()),
        (format!("{folder}release.cbor"), statement.clone()),
        (format!("{folder}signoffs/{}.cbor", Digest::of(&sign_off)), sign_off.clone()),
        (format!("{folder}signoffs/{}.cbor.sig", Digest::of(&sign_off)), signature.into_bytes()),
    ]);
    files.extend(draft.documents.iter().map(|(name, bytes)| (format!("{folder}{name}"), bytes.clone())));
    files.extend(draft.sealed.iter().map(|(path, bytes)| (path.clone(), bytes.clone())));
    files.retain(|path, _| log.blob_id(path).is_none());
    let message = format!("Release {name}\n");
    let appending = Appending { identity, message: message.clone() };
    let commit = append::write(repository, log, trust, &files, signer, &appending)?;
    let reference =
        derived::write_release(repository, &draft.statement, &files, &draft.inspection.collected.manifest, &folder)?;
    let name_of_ref = format!("{RELEASE_REFS}{name}");
    let ref_before = repository.reference(&name_of_ref)?;
    let written = read_back(repository, log, commit, &folder, &statement)?;
    let mut edits =
        vec![RefEdit { name: LOG_REF.to_owned(), expected: Some(log.head), new: commit, message: message.clone() }];
    // A proposal has no ref yet: it may be overtaken, and a ref that was published cannot be taken back.
    let required = trust.root().release_groups().iter().fold(0, |sum: u64, group| group.count.saturating_add(sum));
    if required == 1 {
        edits.push(RefEdit { name: name_of_ref, expected: ref_before, new: reference, message });
    }
    repository.update_refs(&edits)?;
    let status = status_after(repository, &name)?;
    Ok(Made { draft, status, digest: written })
}

fn status_after(repository: &Repository, name: &ReleaseName) -> Result<ReleaseStatus, Failure> {
    let mut log = Log::open(repository)?;
    let trust = log.trust_as_claimed()?;
    match releases::read(&log, &trust, name) {
        Ok(StoredRelease { status, .. }) => Ok(status),
        // Until a checkpoint covers it, it is not even proposed.
        Err(failure) if ["GB-RELEASE-PROPOSED", "GB-USE-RELEASE"].contains(&failure.code) => {
            Ok(ReleaseStatus::Proposed)
        }
        Err(failure) => Err(failure),
    }
}

/// Returns the refusal of a draft that the gate does not let pass.
pub fn blocked(draft: &Draft) -> Failure {
    let name = &draft.statement.name;
    let mut failure = Failure::new(
        Exit::Disproven,
        "GB-GATE-BLOCKED",
        format!(
            "release {name} is stopped by {} finding{}",
            draft.blocked.len(),
            if draft.blocked.len() == 1 { "" } else { "s" }
        ),
    );
    failure.causes = draft.blocked.iter().take(20).cloned().collect();
    let about_changes = draft.blocked.iter().all(|what| what.starts_with("change-"));
    failure.hint(if about_changes {
        "git baseline changes".to_owned()
    } else {
        format!("git baseline check {}", draft.statement.commit.short())
    })
}

/// Returns the sign-off's bytes and its armoured signature.
fn sign_off(trust: &Trust, release: &Release, bytes: &[u8], signer: &dyn Signer) -> Result<(Vec<u8>, String), Failure> {
    let person = records::signing_person(trust.root(), signer)?;
    if !trust.root().role(RoleName::Release).is_some_and(|role| role.persons.contains(&person.id)) {
        return Err(Failure::new(Exit::Usage, "GB-SIG-ROLE", format!("{} does not hold the role release", person.id))
            .hint("let a release signer run this; see them with `git baseline trust show`"));
    }
    let sign_off = SignOff {
        role: RoleName::Release,
        time: release.time,
        person: person.id.clone(),
        reason: String::new(),
        target: Target {
            name: release.name.to_string(),
            record_type: Release::TYPE.to_owned(),
            digest: Digest::of(bytes),
        },
        meaning: Meaning::Released,
        printed_name: person.name.clone(),
        verification: None,
    };
    let bytes = codec::encode(Some(&trust.fingerprint), &sign_off);
    let signature = signer.sign(SIGN_OFF_NAMESPACE, &bytes).map_err(|error| {
        Failure::new(Exit::Usage, error.code(), "the release could not be signed").because(error).hint("ssh-add -l")
    })?;
    Ok((bytes, signature.to_armor()))
}

/// Reads the statement back through Git before any ref moves, and compares.
fn read_back(
    repository: &Repository,
    log: &Log<'_>,
    commit: ObjectId,
    folder: &str,
    statement: &[u8],
) -> Result<Digest, Failure> {
    let tree = repository.commit(commit)?.tree;
    let written = repository.file(tree, &format!("{folder}release.cbor").as_str().into())?;
    let manifest = repository.file(tree, &format!("{folder}manifest.cbor").as_str().into())?.unwrap_or_default();
    let readable = codec::decode::<Release>(statement).is_ok() && codec::decode::<Manifest>(&manifest).is_ok();
    let parent_kept = repository.commit(commit)?.parents == [log.head];
    if written.as_deref() == Some(statement) && parent_kept && readable {
        return Ok(Digest::of(statement));
    }
    Err(Failure::new(Exit::Defect, "GB-DEFECT-WRITTEN", "what was written is not what was meant to be written")
        .hint("no ref was moved; please report this"))
}
