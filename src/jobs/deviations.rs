//! Deviations that somebody else approved: which entries of `.baseline/deviations.toml` are in force.
//!
//! The file grants nothing; a sign-off in the log over an entry's exact content does (contract §3.8). Never here: what
//! a deviation is held against (`checks`).

use std::collections::BTreeSet;

use crate::codec;
use crate::crypto::{self, Demand};
use crate::domain::{Digest, Group, Meaning, ObjectId, PersonId, RepoPath, RoleName};
use crate::jobs::commit_delta::CommitDeltas;
use crate::jobs::log::Log;
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure, participants, range, sign_offs};
use crate::policy::{DEVIATIONS_PATH, Deviation};
use crate::store::Repository;

/// The type that sign-offs about a deviation name.
pub(super) const DEVIATION: &str = "deviation";

/// Returns the folder of a deviation in the log. Its id holds letters, digits, hyphens, dots and underscores.
pub(super) fn folder(id: &str) -> String {
    format!("deviations/{}/", id.to_lowercase())
}

/// Returns the bytes that an approval speaks of: everything that the entry says.
pub(super) fn content(baseline: &Digest, entry: &Deviation) -> Vec<u8> {
    let git_id = entry.git_id.map(|id| id.to_string());
    codec::encode_plain(&(
        "git-baseline.deviation",
        baseline,
        &entry.id,
        &entry.clause,
        entry.scope_text(),
        git_id,
        &entry.reason,
        &entry.compensating_control,
        entry.issued.seconds(),
        entry.expires.seconds(),
    ))
}

/// Returns an entry as a commit has it.
///
/// # Errors
/// `GB-USE-DEVIATION` where there is none of that id; where the file cannot be read.
pub(super) fn entry(repository: &Repository, commit: ObjectId, id: &str) -> Result<Deviation, Failure> {
    let entries = entries(repository, commit)?;
    let found = entries.into_iter().find(|entry| entry.id.eq_ignore_ascii_case(id));
    found.ok_or_else(|| {
        let what = format!("{DEVIATIONS_PATH} of commit {} has no deviation \"{}\"", commit.short(), id.escape_debug());
        Failure::new(Exit::Usage, "GB-USE-DEVIATION", what).hint("git baseline check")
    })
}

fn entries(repository: &Repository, commit: ObjectId) -> Result<Vec<Deviation>, Failure> {
    let tree = repository.commit(commit)?.tree;
    let bytes = repository.file(tree, &RepoPath::from(DEVIATIONS_PATH))?;
    Ok(bytes.map_or_else(|| Ok(Vec::new()), |bytes| Deviation::parse_all(&bytes))?)
}

/// Who wrote an entry as it is.
pub(super) struct Writers {
    /// Author, co-authors, committer and recorder of every commit that brought it, as persons.
    pub persons: BTreeSet<PersonId>,
    /// Whether each of these commits has an author who is proven to be who the commit says.
    pub proven: bool,
}

/// Returns who wrote an entry as it is, on whatever branch.
///
/// # Errors
/// Where history is cut off or an object is missing.
pub(super) fn writers(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    tip: ObjectId,
    entry: &Deviation,
) -> Result<Writers, Failure> {
    let wanted = content(&trust.fingerprint, entry);
    let has = |commit: ObjectId| {
        // A file that cannot be read holds no entry.
        let before = entries(repository, commit).unwrap_or_default();
        before.iter().any(|entry| content(&trust.fingerprint, entry) == wanted)
    };
    let mut writers = Writers { persons: BTreeSet::new(), proven: true };
    let (mut seen, mut queue) = (BTreeSet::from([tip]), vec![tip]);
    while let Some(id) = queue.pop() {
        let commit = repository.commit(id)?;
        let mut from = commit.parents.clone();
        from.retain(|parent| has(*parent));
        if from.is_empty() {
            match recorded(repository, log, trust, id)? {
                Some(judged) => {
                    let took_part = participants::of(trust, trust.root(), &judged);
                    writers.persons.extend(took_part.persons);
                    writers.proven &= took_part.proven;
                }
                // Before control began there are no records, and names are all there is.
                None => writers.persons.extend(participants::named(trust.root(), &commit)),
            }
        }
        queue.extend(from.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(writers)
}

/// Returns a commit with its record, sealed or not, where one holds.
fn recorded(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    id: ObjectId,
) -> Result<Option<range::Judged>, Failure> {
    for path in range::sealed_paths(log, &id) {
        if let Ok(judged) =
            range::judge_note(&mut CommitDeltas::new(repository), trust, id, log.need(&path)?, log.position(&path))
        {
            return Ok(Some(judged));
        }
    }
    let Some(note) = repository.note(id)? else { return Ok(None) };
    Ok(range::judge_note(&mut CommitDeltas::new(repository), trust, id, note, None).ok())
}

/// Returns the ids of those entries that are approved by somebody else, as far as the log says before `until`.
///
/// # Errors
/// Where the log, or an object, cannot be read.
pub(super) fn approved(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    tip: ObjectId,
    entries: &[Deviation],
    until: Option<u64>,
) -> Result<BTreeSet<String>, Failure> {
    let mut ids = BTreeSet::new();
    for entry in entries {
        let mut void = Vec::new();
        let mut said = sign_offs::attested(log, trust, &folder(&entry.id), &mut void)?;
        said.retain(|one| until.is_none_or(|until| one.position().is_some_and(|position| position < until)));
        if said.is_empty() {
            continue;
        }
        let Writers { persons: excluded, proven } = writers(repository, log, trust, tip, entry)?;
        if !proven {
            continue;
        }
        let bytes = content(&trust.fingerprint, entry);
        let by = |role| {
            let groups = [Group { role, count: 1 }];
            let demand = Demand {
                groups: &groups,
                meaning: Meaning::Approved,
                record_type: DEVIATION,
                name: &entry.id,
                excluded: &excluded,
            };
            crypto::vouched(&trust.authority(until), &demand, &bytes, &said).is_ok()
        };
        if by(RoleName::Quality) || by(RoleName::Security) {
            ids.insert(entry.id.clone());
        }
    }
    Ok(ids)
}
