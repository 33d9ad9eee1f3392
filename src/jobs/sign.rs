//! A person's word about a release, a change or a deviation, given after this program has recomputed what it is about.
//!
//! Never here: whether it counts (`releases`, `change_control`, `deviations`). Serves 21 CFR 11.50 and contract §3.6 to §3.8.

use std::collections::BTreeMap;

use crate::codec::{self, Record as _};
use crate::crypto::{SIGN_OFF_NAMESPACE, Signer};
use crate::domain::{
    ChangeId, ChangeRequest, Digest, Meaning, ObjectId, PersonId, Release, ReleaseName, RoleName, SignOff, Target,
    Timestamp, TrustRoot, VerificationRecord,
};
use crate::jobs::append::{Appending, append, moment};
use crate::jobs::change_control::{CONTENT, JudgedChange};
use crate::jobs::change_requests::{self, Requests};
use crate::jobs::examine::{Grounds, examine};
use crate::jobs::log::Log;
use crate::jobs::records::signing_person;
use crate::jobs::releases::{ReleaseStatus, Releases, Statement};
use crate::jobs::review::range_changes;
use crate::jobs::trust::Trust;
use crate::jobs::verification::Verification;
use crate::jobs::{Exit, Failure, Progress, deviations, repair};
use crate::store::{Identity, Repository};

/// What is to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignTarget {
    /// A release, by its name.
    Release(ReleaseName),
    /// A change, by its id.
    Change(ChangeId),
    /// An entry of `.baseline/deviations.toml`, by its id.
    Deviation(String),
}

/// How it is to be signed.
pub struct Signing<'a> {
    /// What the signature means.
    pub meaning: Meaning,
    /// In which role; the first that fits where none is given.
    pub role: Option<RoleName>,
    /// Why, in words.
    pub reason: String,
    /// What was tested; for `verified`.
    pub verification: Option<VerificationRecord>,
    /// The commit up to which a change is looked at, or whose deviations are meant.
    pub tip: ObjectId,
    /// The key.
    pub signer: &'a dyn Signer,
    /// The author of the log's commit.
    pub identity: &'a Identity,
}

/// What was signed.
pub struct Signed {
    /// The sign-off.
    pub sign_off: SignOff,
    /// What it is about, in words, line by line.
    pub about: Vec<String>,
    /// Where a release stands now.
    pub status: Option<ReleaseStatus>,
}

/// What a sign-off is made over.
struct Subject {
    folder: String,
    target: Target,
    roles: Vec<RoleName>,
    about: Vec<String>,
}

/// Recomputes what is to be signed, signs it, and appends the sign-off to the log.
///
/// # Errors
/// Where the target is not known, does not hold, or may not be signed by this person in this meaning; where the key
/// cannot sign, or the log moved meanwhile.
pub fn sign(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    target: &SignTarget,
    signing: &Signing<'_>,
    progress: &dyn Progress,
) -> Result<Signed, Failure> {
    let person = signing_person(trust.root(), signing.signer)?;
    if (signing.meaning == Meaning::Verified) != signing.verification.is_some() {
        return Err(Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", "a verification, and only that, has a record")
            .hint("git baseline sign TARGET --meaning verified --record FILE"));
    }
    let subject = match target {
        SignTarget::Release(name) => release(repository, log, trust, name, signing.meaning, progress)?,
        SignTarget::Change(id) => change(repository, log, trust, id, signing, &person.id, progress)?,
        SignTarget::Deviation(id) => deviation(repository, (log, trust), signing, id, &person.id)?,
    };
    let role = role_of(trust.root(), &person.id, signing.role, &subject.roles)?;
    let sign_off = SignOff {
        role,
        time: moment(Timestamp::from_seconds(signing.identity.time), trust.root().time),
        person: person.id.clone(),
        reason: signing.reason.clone(),
        target: subject.target,
        meaning: signing.meaning,
        printed_name: person.name.clone(),
        verification: signing.verification.clone(),
    };
    let (path, files) = files_of(trust, &subject.folder, &sign_off, signing.signer)?;
    if log.blob_id(&path).is_some() {
        return Err(Failure::new(Exit::Usage, "GB-USE-SIGNED", format!("{} has signed this already", person.id))
            .because("persons are counted, not keys: the log holds this very sign-off"));
    }
    let message = format!("Sign {}: {}\n", sign_off.target.name, sign_off.meaning);
    append(repository, log, trust, &files, signing.signer, &Appending { identity: signing.identity, message })?;
    let status = match target {
        SignTarget::Release(name) => {
            let mut log = Log::open(repository)?;
            let trust = log.trust_as_claimed()?;
            repair::missing_refs(repository, &log, &trust)?;
            Releases::of(&log, &trust)?.status(name)
        }
        _ => None,
    };
    Ok(Signed { sign_off, about: subject.about, status })
}

/// Returns the files of a sign-off, and the path of its statement.
pub(super) fn files_of(
    trust: &Trust,
    folder: &str,
    sign_off: &SignOff,
    signer: &dyn Signer,
) -> Result<(String, BTreeMap<String, Vec<u8>>), Failure> {
    let bytes = codec::encode(Some(&trust.fingerprint), sign_off);
    let signature = signer.sign(SIGN_OFF_NAMESPACE, &bytes).map_err(|error| {
        Failure::new(Exit::Usage, error.code(), "the key could not sign").because(error).hint("ssh-add -l")
    })?;
    let path = format!("{folder}signoffs/{}.cbor", Digest::of(&bytes));
    let armour = signature.to_armor().into_bytes();
    Ok((path.clone(), BTreeMap::from([(path.clone(), bytes), (format!("{path}.sig"), armour)])))
}

fn role_of(
    root: &TrustRoot,
    person: &PersonId,
    wanted: Option<RoleName>,
    fitting: &[RoleName],
) -> Result<RoleName, Failure> {
    let holds = |role: &RoleName| root.role(*role).is_some_and(|role| role.persons.contains(person));
    let found = match wanted {
        Some(role) => Some(role).filter(holds),
        None => fitting.iter().copied().find(holds),
    };
    found.ok_or_else(|| {
        let roles: Vec<_> = wanted.map_or_else(|| fitting.to_vec(), |role| vec![role]);
        let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        let what = format!("{person} does not hold the role {}", roles.join(" or "));
        Failure::new(Exit::Usage, "GB-SIG-ROLE", what).hint("see who does with `git baseline trust show`")
    })
}

/// Whoever signs a release has everything recomputed that it claims.
fn release(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    name: &ReleaseName,
    meaning: Meaning,
    progress: &dyn Progress,
) -> Result<Subject, Failure> {
    let all = Releases::of(log, trust)?;
    let (folder, bytes) = match (all.find(name), all.proposal(name)) {
        (Some(standing), _) => (standing.folder.clone(), log.need(&format!("{}release.cbor", standing.folder))?),
        (None, Some(proposal)) => (proposal.folder.clone(), proposal.bytes.clone()),
        (None, None) => return Err(all.need(name).err().unwrap_or_else(|| unknown(name.as_str()))),
    };
    let (header, statement) = codec::decode::<Release>(&bytes)
        .map_err(|error| Failure::undecodable(&format!("the statement of release {name}"), &error))?;
    if header.baseline != Some(trust.fingerprint) || statement.name != *name {
        let what = format!("the statement of release {name} speaks of another release or baseline");
        return Err(Failure::new(Exit::Disproven, "GB-BIND-NAME", what));
    }
    // Taking back needs no proof that all is well.
    if meaning != Meaning::Withdrawn {
        all.follows(&statement)?;
        let before = all.before(&statement);
        let mut report = Verification::new(name.to_string());
        let placed = Statement { release: &statement, folder: &folder, digest: Digest::of(&bytes) };
        let in_force = all.find(name).is_some();
        examine(&mut report, &Grounds { repository, log, trust, before: &before, in_force }, &placed, progress);
        if let Some(first) = report.failures().next() {
            return Err(first.clone());
        }
    }
    let about = vec![
        format!("release {name}, number {}, of commit {}", statement.sequence, statement.commit.short()),
        format!("manifest {}, recomputed", statement.manifest),
        format!("{} commits, {} changes", statement.range.len(), statement.changes.len()),
    ];
    let roles = trust.root().release_groups().into_iter().map(|group| group.role);
    // Whoever holds the role release signs as that, whatever else is asked for.
    let mut roles: Vec<RoleName> = roles.collect();
    roles.sort_by_key(|role| *role != RoleName::Release);
    if !matches!(meaning, Meaning::Released | Meaning::Withdrawn) {
        roles.extend([RoleName::Quality, RoleName::Security, RoleName::Approver, RoleName::Developer]);
    }
    let target = Target { name: name.to_string(), record_type: Release::TYPE.to_owned(), digest: Digest::of(&bytes) };
    Ok(Subject { folder, target, roles, about })
}

/// An approval speaks of the content of the commits that name the change; before there are any, of the request itself.
fn change(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    id: &ChangeId,
    signing: &Signing<'_>,
    person: &PersonId,
    progress: &dyn Progress,
) -> Result<Subject, Failure> {
    let requests = Requests::of(log, trust)?;
    let stored = requests.find(id).ok_or_else(|| unknown(id.as_str()))?;
    let review = range_changes(repository, log, trust, None, signing.tip, progress)?;
    let found = review.changes.iter().find(|change| change.id == *id && !change.segments.is_empty());
    let folder = change_requests::folder(id);
    let roles = match signing.meaning {
        Meaning::Verified => vec![RoleName::Quality, RoleName::Security, RoleName::Approver, RoleName::Developer],
        _ => vec![RoleName::Approver, RoleName::Quality, RoleName::Security],
    };
    let mut about = vec![format!("change {id}: {}", stored.request.title)];
    let (record_type, digest) = match found {
        Some(change) => {
            not_own(change, person, signing.meaning)?;
            about.extend(change.segments.iter().map(segment_words));
            (CONTENT.to_owned(), change.digest())
        }
        None if signing.meaning == Meaning::Verified => {
            let what =
                format!("no commit since the last release names change {id}, so that there is nothing to verify");
            return Err(Failure::new(Exit::Usage, "GB-USE-CHANGE", what));
        }
        None => {
            if signing.meaning == Meaning::Approved && stored.request.requester == *person {
                return Err(own_work(id, person));
            }
            about.push("no commit names it yet: this agrees to the request, and not to any content".to_owned());
            (ChangeRequest::TYPE.to_owned(), stored.digest)
        }
    };
    Ok(Subject { folder, target: Target { name: id.to_string(), record_type, digest }, roles, about })
}

fn not_own(change: &JudgedChange, person: &PersonId, meaning: Meaning) -> Result<(), Failure> {
    let judges = matches!(meaning, Meaning::Approved | Meaning::Verified);
    if judges && change.excluded.contains(person) { Err(own_work(&change.id, person)) } else { Ok(()) }
}

fn own_work(id: &ChangeId, person: &PersonId) -> Failure {
    let what = format!("{person} took part in change {id}, and cannot judge it");
    Failure::new(Exit::Disproven, "GB-CHANGE-OWN", what)
        .because("author, co-authors, committer, recorder and requester are persons, whatever key they use")
        .hint(format!("let another approver run `git baseline sign {id} --meaning approved`"))
}

fn segment_words(segment: &crate::domain::Segment) -> String {
    let name = match &segment.subject {
        crate::domain::Subject::Path(path) => crate::domain::RepoPath::new(path.clone()).to_string(),
        crate::domain::Subject::Purl(purl) => purl.escape_debug().to_string(),
    };
    let verb = match (&segment.before, &segment.after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    format!("{verb} {name}")
}

/// A deviation is agreed to by another person than the one who wrote it (contract §3.8).
fn deviation(
    repository: &Repository,
    (log, trust): (&Log<'_>, &Trust),
    signing: &Signing<'_>,
    id: &str,
    person: &PersonId,
) -> Result<Subject, Failure> {
    if signing.meaning != Meaning::Approved {
        return Err(Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", "a deviation can be approved, and nothing else")
            .hint(format!("git baseline sign deviation:{id} --meaning approved")));
    }
    let entry = deviations::entry(repository, signing.tip, id)?;
    let writers = deviations::writers(repository, log, trust, signing.tip, &entry)?;
    if writers.persons.contains(person) {
        let what = format!("{person} wrote deviation {id}, and cannot approve it");
        return Err(Failure::new(Exit::Disproven, "GB-CHANGE-OWN", what));
    }
    if !writers.proven {
        let what = format!("nothing proves who wrote deviation {id}, so that nobody can be told apart from him");
        return Err(Failure::new(Exit::Disproven, "GB-CHANGE-OWN", what)
            .hint("let its author record the commit: `git baseline record`"));
    }
    let about = vec![
        format!("deviation {id} from {}, until {}", entry.clause.escape_debug(), entry.expires.date()),
        format!("reason: {}", entry.reason.escape_debug()),
        format!("instead: {}", entry.compensating_control.escape_debug()),
    ];
    let target = Target {
        name: id.to_owned(),
        record_type: deviations::DEVIATION.to_owned(),
        digest: Digest::of(&deviations::content(&trust.fingerprint, &entry)),
    };
    let roles = vec![RoleName::Quality, RoleName::Security];
    Ok(Subject { folder: deviations::folder(id), target, roles, about })
}

fn unknown(name: &str) -> Failure {
    Failure::new(Exit::Usage, "GB-USE-TARGET", format!("there is no release and no change request {name}"))
        .hint("see them with `git baseline show` and `git baseline change list`")
}
