//! Makes a release: gate, manifest, statement, first sign-off, log, ref. It appears whole or not at all.
//!
//! Serves IEC 62304 cl. 5.8. The log's ref is the one that decides; what is written before it moves is invisible.

use std::collections::BTreeMap;

use crate::codec::{self, Record};
use crate::crypto::{SIGN_OFF_NAMESPACE, Signer};
use crate::domain::{
    Digest, Finding, GateResult, Manifest, Meaning, ObjectId, RangeEntry, Release, ReleaseName, RoleName, SignOff,
    StoredDocument, Target, Timestamp,
};
use crate::export;
use crate::jobs::evidence::{LOG_REF, Log, RELEASE_REFS, Trust};
use crate::jobs::inspect::{Inspection, request_missing};
use crate::jobs::releases::{self, ReleaseStatus, StoredRelease};
use crate::jobs::{Exit, Failure, Progress, derived, range, records};
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
    name_is_free(log, name)?;
    let before = releases::standing(log, trust)?;
    let commit = repository.commit(commit)?;
    progress.step("reading the source tree");
    let mut inspection = Inspection::of_tree(repository, commit.tree)?;
    inspection.policy = inspection.policy.raised_to(&trust.root().floors);
    progress.step("checking the records of its range");
    let ids = range::of(repository, trust, &before, commit.id)?;
    let mut judged = range::judge_notes(repository, trust, &ids, progress)?;
    for judged in &mut judged {
        sealed_before(repository, log, trust, judged)?;
    }
    let findings = gate_findings(inspection.findings(repository, commit.id, now)?, &inspection, &judged);
    let blocked = blocking(&inspection, &findings);
    let manifest = codec::encode(Some(&trust.fingerprint), &inspection.collected.manifest);
    let documents = documents(trust, name, &commit, &inspection, &Digest::of(&manifest), now);
    let (entries, sealed) = seal(&judged);
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
        changes: range::changes(&judged),
        product: trust.root().product.clone(),
        ruleset: inspection.collected.manifest.ruleset,
        manifest: Digest::of(&manifest),
        sequence: before.last().map_or(0, |last| last.release().sequence) + 1,
        artefacts: Vec::new(),
        documents: documents.iter().map(|(name, bytes)| document(name, bytes)).collect(),
        deviations: Vec::new(),
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
    match log.read(&range::sealed_path(&commit))? {
        Some(sealed) if sealed != judged.note => *judged = range::judge_note(repository, trust, commit, sealed)?,
        _ => {}
    }
    Ok(())
}

fn document(name: &str, bytes: &[u8]) -> StoredDocument {
    StoredDocument { name: name.to_owned(), digest: Digest::of(bytes) }
}

fn name_is_free(log: &Log<'_>, name: &ReleaseName) -> Result<(), Failure> {
    match log.release_names().iter().find(|taken| taken.folded() == name.folded()) {
        None => Ok(()),
        Some(taken) => Err(Failure::new(Exit::Usage, "GB-USE-NAME-TAKEN", format!("the release name {name} is taken"))
            .because(format!("the log holds release {taken}; a release is never changed"))
            .hint("choose the next version, or see it with `git baseline show`")),
    }
}

/// Findings of the tree, and of the commits of the range where change control asks for more.
fn gate_findings(mut findings: Vec<Finding>, inspection: &Inspection, judged: &[range::Judged]) -> Vec<Finding> {
    let required = inspection.policy.change_control.required;
    let unasked =
        judged.iter().filter(|judged| required && judged.changes_something() && judged.record.changes.is_empty());
    findings.extend(unasked.map(|judged| request_missing(&judged.record.commit, &inspection.policy)));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn blocking(inspection: &Inspection, findings: &[Finding]) -> Vec<String> {
    let stops =
        findings.iter().filter(|finding| finding.stands() && finding.severity >= inspection.policy.checks.block);
    stops.map(|f| f.path.as_ref().map_or_else(|| f.rule.to_owned(), |path| format!("{} at {path}", f.rule))).collect()
}

fn gate_results(findings: &[Finding]) -> Vec<GateResult> {
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

/// Returns the range as the statement says it, and the notes to be kept in the log.
fn seal(judged: &[range::Judged]) -> (Vec<RangeEntry>, BTreeMap<String, Vec<u8>>) {
    let mut sealed = BTreeMap::new();
    let mut entries = Vec::new();
    for judged in judged {
        entries.push(RangeEntry {
            commit: judged.record.commit,
            digest: judged.commit_digest,
            record: Digest::of(&judged.note),
        });
        sealed.insert(range::sealed_path(&judged.record.commit), judged.note.clone());
    }
    entries.sort_by_key(|entry| entry.commit);
    (entries, sealed)
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
    let folder = releases::folder(&name);
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
    let commit = repository.append_to_log(Some(log.head), &files, identity, &message)?;
    let reference =
        derived::write_release(repository, &draft.statement, &files, &draft.inspection.collected.manifest, &folder)?;
    let written = read_back(repository, log, commit, &folder, &statement)?;
    repository.update_refs(&[
        RefEdit { name: LOG_REF.to_owned(), expected: Some(log.head), new: commit, message: message.clone() },
        RefEdit { name: format!("{RELEASE_REFS}{name}"), expected: None, new: reference, message },
    ])?;
    let status = status_after(repository, trust, &name)?;
    Ok(Made { draft, status, digest: written })
}

fn status_after(repository: &Repository, trust: &Trust, name: &ReleaseName) -> Result<ReleaseStatus, Failure> {
    match releases::read(&Log::open(repository)?, trust, name) {
        Ok(StoredRelease { status, .. }) => Ok(status),
        Err(failure) if failure.code == "GB-SIG-THRESHOLD" => Ok(ReleaseStatus::Proposed),
        Err(failure) => Err(failure),
    }
}

fn blocked(draft: &Draft) -> Failure {
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
    failure.hint(format!("git baseline check {}", draft.statement.commit.short()))
}

/// Returns the sign-off's bytes and its armoured signature.
fn sign_off(trust: &Trust, release: &Release, bytes: &[u8], signer: &dyn Signer) -> Result<(Vec<u8>, String), Failure> {
    let person = trust.root().person_of(signer.public_key()).ok_or_else(|| records::unknown_key(signer))?;
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
