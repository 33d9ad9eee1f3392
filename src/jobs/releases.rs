//! Releases as they stand in the log: statements with the sign-offs that make them more than proposals, and the chain
//! that they form.
//!
//! A statement is believed only after enough distinct persons vouched for its exact bytes; of two successors of one
//! release, the one that had them first is in force (contract §3.4, §3.9). Format: docs/format.md §6.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::{self, Record};
use crate::crypto::{self, Attested, Demand, Verified};
use crate::domain::{Digest, Meaning, PersonId, Release, ReleaseName, SignOff};
use crate::jobs::claimed_time::Claims;
use crate::jobs::log::Log;
use crate::jobs::sign_offs;
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure};

/// Where a release stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseStatus {
    /// Signed by fewer persons than it takes.
    Proposed,
    /// Signed by enough.
    Released,
    /// Another one came first.
    Superseded,
    /// Taken back.
    Withdrawn,
}

impl ReleaseStatus {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Released => "released",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A sign-off that stands, for showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSignOff {
    /// What was signed.
    pub sign_off: SignOff,
    /// The fingerprint of the key that signed it.
    pub key: String,
    /// Digest of its stored bytes, which name it in the log.
    pub digest: Digest,
    /// Its place in the log.
    pub position: u64,
}

/// A release with the bytes that were signed.
#[derive(Clone, Debug)]
pub struct StoredRelease {
    /// The statement, vouched for by enough persons.
    pub statement: Verified<Release>,
    /// Digest of the stored bytes.
    pub digest: Digest,
    /// Where it stands.
    pub status: ReleaseStatus,
    /// Its folder in the log.
    pub folder: String,
    /// The place in the log of the statement.
    pub place: u64,
    /// The place in the log of the sign-off that made it a release.
    pub position: u64,
    /// The place in the log of the sign-off that took it back.
    pub withdrawn: Option<u64>,
    /// Its sign-offs.
    pub sign_offs: Vec<ShownSignOff>,
    /// Sign-offs in the log that do not stand, and why.
    pub void: Vec<String>,
}

impl StoredRelease {
    /// Returns the statement.
    pub fn release(&self) -> &Release {
        self.statement.value()
    }

    /// Returns the statement with its place.
    pub fn placed(&self) -> Statement<'_> {
        Statement { release: self.release(), folder: &self.folder, digest: self.digest }
    }
}

/// A release statement with its place in the log, whoever signed it.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// What it says.
    pub release: &'a Release,
    /// Its folder in the log.
    pub folder: &'a str,
    /// Digest of its stored bytes.
    pub digest: Digest,
}

/// A statement in the log that is no release in force, and why.
#[derive(Clone, Debug)]
pub struct Unreleased {
    /// The name under which it stands.
    pub name: ReleaseName,
    /// Its folder in the log.
    pub folder: String,
    /// Its stored bytes.
    pub bytes: Vec<u8>,
    /// Proposed or superseded; nothing where it is void.
    pub status: Option<ReleaseStatus>,
    /// Why it is not in force.
    pub why: Failure,
    /// The sign-offs that stand.
    pub sign_offs: Vec<ShownSignOff>,
}

/// Every release of a log.
#[derive(Clone, Debug, Default)]
pub struct Releases {
    /// Those in force and withdrawn ones, in their order.
    pub standing: Vec<StoredRelease>,
    /// What else stands under `releases/`.
    pub others: Vec<Unreleased>,
}

impl Releases {
    /// Judges everything below `releases/`.
    ///
    /// # Errors
    /// Where the log cannot be read; a statement that does not hold bricks nothing (contract §3.2).
    pub fn of(log: &Log<'_>, trust: &Trust) -> Result<Self, Failure> {
        let mut released = Vec::new();
        let mut others = Vec::new();
        let mut claims = Claims::default();
        for (name, folder) in log.candidates("releases/", "release.cbor") {
            let Ok(name) = ReleaseName::parse(&name) else { continue };
            match judge(log, trust, &name, &folder, &mut claims)? {
                Ok(release) => released.push(release),
                Err(other) => others.push(*other),
            }
        }
        released.sort_by_key(|release| release.position);
        let mut releases = Self { standing: Vec::new(), others };
        for release in released {
            match releases.obstacle(&release) {
                None => releases.standing.push(release),
                Some(why) => releases.others.push(Unreleased {
                    name: release.release().name.clone(),
                    bytes: log.need(&format!("{}release.cbor", release.folder))?,
                    folder: release.folder,
                    status: (why.code == "GB-RELEASE-SUPERSEDED").then_some(ReleaseStatus::Superseded),
                    why,
                    sign_offs: release.sign_offs,
                }),
            }
        }
        Ok(releases)
    }

    /// Each release names its predecessor by digest and is one more in number; of two successors the first counts.
    fn obstacle(&self, release: &StoredRelease) -> Option<Failure> {
        let (said, last) = (release.release(), self.standing.last());
        let name = &said.name;
        let known = |digest: &Digest| self.standing.iter().find(|before| before.digest == *digest);
        if said.predecessor == last.map(|last| last.digest) {
            if said.sequence != last.map_or(0, |last| last.release().sequence).saturating_add(1) {
                return Some(unchained(name, "its number is not one more than that of the release before"));
            }
            if let Some(last) = last.map(StoredRelease::release)
                && (said.time < last.time || said.as_of < last.as_of)
            {
                return Some(backwards(name, &format!("release {}", last.name)));
            }
            let twin = self.standing.iter().find(|before| before.release().name.folded() == name.folded())?;
            let what = format!("the name of release {name} was taken by {}", twin.release().name);
            return Some(Failure::new(Exit::Disproven, "GB-RELEASE-SUPERSEDED", what));
        }
        let overtaken = said.predecessor.as_ref().is_none_or(|digest| known(digest).is_some());
        if !overtaken {
            return Some(unchained(name, "it names a predecessor that is no release of this log"));
        }
        let first = self.standing.iter().find(|before| before.release().predecessor == said.predecessor)?;
        let what = format!("release {name} was overtaken by {}, which has the same predecessor", first.release().name);
        let hint = format!("make it again on the newest log: `git baseline release {name}`");
        Some(Failure::new(Exit::Disproven, "GB-RELEASE-SUPERSEDED", what).hint(hint))
    }

    /// Returns a release in force, or one that was withdrawn.
    pub fn find(&self, name: &ReleaseName) -> Option<&StoredRelease> {
        self.standing.iter().find(|release| release.release().name == *name)
    }

    /// Returns the newest proposal of a name.
    pub fn proposal(&self, name: &ReleaseName) -> Option<&Unreleased> {
        let open = |other: &&Unreleased| other.name == *name && other.status == Some(ReleaseStatus::Proposed);
        self.others.iter().rfind(open)
    }

    /// Returns where the release of a name stands.
    pub fn status(&self, name: &ReleaseName) -> Option<ReleaseStatus> {
        let standing = self.find(name).map(|release| release.status);
        standing.or_else(|| self.proposal(name).and_then(|proposal| proposal.status))
    }

    /// Says whether a statement that is about to be signed follows the last release.
    ///
    /// # Errors
    /// `GB-RELEASE-SUPERSEDED` where it does not.
    pub fn follows(&self, release: &Release) -> Result<(), Failure> {
        let known = self.find(&release.name).is_some();
        if known || release.predecessor == self.standing.last().map(|last| last.digest) {
            return Ok(());
        }
        let name = &release.name;
        let what = format!("release {name} was proposed before another one came");
        Err(Failure::new(Exit::Disproven, "GB-RELEASE-SUPERSEDED", what)
            .hint(format!("make it again on the newest log: `git baseline release {name}`")))
    }

    /// Returns the releases before one, in their order, as they stood when its statement came: what is taken back later
    /// changes no range, and gives no approval back.
    pub fn before(&self, release: &Release) -> Vec<StoredRelease> {
        let place = self.standing.iter().find(|other| other.release() == release).map_or(u64::MAX, |own| own.place);
        let earlier = self.standing.iter().filter(|other| other.release().sequence < release.sequence).cloned();
        let then = |other: StoredRelease| match other.withdrawn {
            Some(at) if at > place => StoredRelease { status: ReleaseStatus::Released, ..other },
            _ => other,
        };
        earlier.map(then).collect()
    }

    /// Takes a release out, or says why there is none of that name.
    ///
    /// # Errors
    /// `GB-USE-RELEASE` where the log has none of that name; why the statement of that name is not in force.
    pub fn need(&self, name: &ReleaseName) -> Result<&StoredRelease, Failure> {
        if let Some(found) = self.find(name) {
            return Ok(found);
        }
        // Of several statements of one name, the one that was farthest on tells most.
        let mut named: Vec<&Unreleased> = self.others.iter().filter(|other| other.name == *name).collect();
        named.sort_by_key(|other| (other.status.is_none(), other.folder.len(), &other.folder));
        named.first().map_or_else(|| Err(self.unknown(name)), |other| Err(other.why.clone()))
    }

    fn unknown(&self, name: &ReleaseName) -> Failure {
        let names = self.standing.iter().map(|release| release.release().name.to_string());
        let known = names.collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none yet".to_owned() } else { known };
        Failure::new(Exit::Usage, "GB-USE-RELEASE", format!("there is no release {name}"))
            .because(format!("releases in the log: {known}"))
            .hint("git baseline show")
    }
}

/// Dates decide nothing, and so that none can be set into a deviation's life, they never go back (contract §3.8).
fn backwards(name: &ReleaseName, before: &str) -> Failure {
    let what = format!("release {name} claims an earlier time than what the log has already");
    Failure::new(Exit::Disproven, "GB-TIME-BACKWARDS", what).because(format!("it is earlier than {before}"))
}

fn unchained(name: &ReleaseName, why: &str) -> Failure {
    let what = format!("release {name} does not follow the release before it");
    Failure::new(Exit::Disproven, "GB-CHAIN-PREDECESSOR", what).because(why)
}

/// The folder of a release in the log, where nobody took it before.
pub(super) fn folder(name: &ReleaseName) -> String {
    format!("releases/{name}/")
}

/// Reads a release and proves who stands for it.
///
/// # Errors
/// `GB-USE-RELEASE` where the log has none of that name, `GB-BIND-NAME` and `GB-BIND-BASELINE` where the statement
/// speaks of another, `GB-RELEASE-PROPOSED` and `GB-SIG-THRESHOLD` where too few persons signed,
/// `GB-RELEASE-SUPERSEDED` where another came first, and whatever is wrong with its bytes.
pub fn read(log: &Log<'_>, trust: &Trust, name: &ReleaseName) -> Result<StoredRelease, Failure> {
    Releases::of(log, trust)?.need(name).cloned()
}

/// Reads every release that stands, in their order.
///
/// # Errors
/// As [`Releases::of`].
pub fn standing(log: &Log<'_>, trust: &Trust) -> Result<Vec<StoredRelease>, Failure> {
    Ok(Releases::of(log, trust)?.standing)
}

/// Judges one statement by itself. The outer error is a log that cannot be read.
fn judge(
    log: &Log<'_>,
    trust: &Trust,
    name: &ReleaseName,
    folder: &str,
    claims: &mut Claims,
) -> Result<Result<StoredRelease, Box<Unreleased>>, Failure> {
    let path = format!("{folder}release.cbor");
    let bytes = log.need(&path)?;
    let place = log.position(&path).unwrap_or(u64::MAX);
    let mut void = Vec::new();
    let attested = sign_offs::attested(log, trust, folder, &mut void)?;
    let shown: Vec<ShownSignOff> = attested.iter().map(|attested| shown(trust, attested)).collect();
    let refused = |status, why| {
        let (name, folder) = (name.clone(), folder.to_owned());
        Ok(Err(Box::new(Unreleased { name, folder, bytes: bytes.clone(), status, why, sign_offs: shown.clone() })))
    };
    let (position, vouched) = match vouched(trust, name, Meaning::Released, place, &bytes, &attested) {
        Ok(found) => found,
        Err(shortfall) => return refused(proposed(&shortfall), shortfall_of(name, &shortfall, &void)),
    };
    let withdrawn = self::vouched(trust, name, Meaning::Withdrawn, place, &bytes, &attested).ok().map(|(at, _)| at);
    let statement = match vouched.try_map(|bytes| decode(trust, name, bytes)) {
        Ok(statement) => statement,
        Err(why) => return refused(None, why),
    };
    if let Some(why) = misplaced(log, trust, statement.value(), place, claims)? {
        return refused(None, why);
    }
    let status = if withdrawn.is_some() { ReleaseStatus::Withdrawn } else { ReleaseStatus::Released };
    Ok(Ok(StoredRelease {
        statement,
        digest: Digest::of(&bytes),
        status,
        folder: folder.to_owned(),
        place,
        position,
        withdrawn,
        sign_offs: shown,
        void,
    }))
}

/// Goes through the sign-offs in the order of the log: the statement is signed from the place on where those so far are
/// enough, as the root in force there says. A root that asks for less later changes nothing.
fn vouched(
    trust: &Trust,
    name: &ReleaseName,
    meaning: Meaning,
    place: u64,
    bytes: &[u8],
    attested: &[Attested<'_, SignOff>],
) -> Result<(u64, Verified<Vec<u8>>), crypto::Shortfall> {
    let nobody: BTreeSet<PersonId> = BTreeSet::new();
    let asked = |position: Option<u64>, so_far: &[Attested<'_, SignOff>]| {
        let authority = trust.authority(position);
        let groups = authority.root.value().release_groups();
        let demand =
            Demand { groups: &groups, meaning, record_type: Release::TYPE, name: name.as_str(), excluded: &nobody };
        crypto::vouched(&authority, &demand, bytes, so_far)
    };
    let relevant = relevant(attested, meaning);
    let mut outcome = asked(Some(place), &[]).map(|vouched| (place, vouched));
    for (at, last) in relevant.iter().enumerate() {
        let position = last.position().filter(|position| *position > place);
        if let (Some(position), Some(so_far)) = (position, relevant.get(..=at)) {
            outcome = asked(Some(position), so_far).map(|vouched| (position, vouched));
            if outcome.is_ok() {
                break;
            }
        }
    }
    outcome
}

/// Leaves out what cannot change the count, so that a release with very many sign-offs is judged in the time that they
/// take to be proven: those of another meaning, and what the same person says again with the same key in the same role.
/// The first of these has the best place that any revocation could ask for; the second tells that there are more.
fn relevant<'t>(attested: &[Attested<'t, SignOff>], meaning: Meaning) -> Vec<Attested<'t, SignOff>> {
    let mut seen: BTreeMap<_, u32> = BTreeMap::new();
    let mut relevant = Vec::new();
    for one in attested.iter().filter(|one| one.value().meaning == meaning) {
        let said = one.value();
        let about = (&said.target.name, &said.target.record_type, said.target.digest);
        let times = seen.entry((one.key(), &said.person, said.role, &said.printed_name, about)).or_default();
        *times += 1;
        if *times <= 2 {
            relevant.push(one.clone());
        }
    }
    relevant
}

fn proposed(shortfall: &crypto::Shortfall) -> Option<ReleaseStatus> {
    (!shortfall.counted.is_empty()).then_some(ReleaseStatus::Proposed)
}

/// What the statement says of the log and of trust must be so where it stands.
fn misplaced(
    log: &Log<'_>,
    trust: &Trust,
    release: &Release,
    place: u64,
    claims: &mut Claims,
) -> Result<Option<Failure>, Failure> {
    let name = &release.name;
    if release.log.size > place || !log.begins_with(&release.log)? {
        let what = format!("the log that release {name} was made on is not the beginning of this one");
        return Ok(Some(
            Failure::new(Exit::Disproven, "GB-LOG-FORK", what)
                .hint("fetch refs/baseline/log again from a source that you trust"),
        ));
    }
    let root = trust.at(Some(place)).root.value();
    if release.time < root.time || release.as_of < root.time {
        return Ok(Some(backwards(name, &format!("trust root {}, which was in force", root.version))));
    }
    if claims.past(log, trust, place)?.is_some_and(|past| release.time < past || release.as_of < past) {
        return Ok(Some(backwards(name, "what two persons had claimed in the log before it")));
    }
    let version = root.version;
    if release.trust_version != version {
        let what = format!("release {name} does not fit this baseline");
        let why = format!("it names trust root {}, and root {version} was in force", release.trust_version);
        return Ok(Some(Failure::new(Exit::Disproven, "GB-BIND-STATEMENT", what).because(why)));
    }
    Ok(None)
}

fn shown(trust: &Trust, attested: &Attested<'_, SignOff>) -> ShownSignOff {
    ShownSignOff {
        sign_off: attested.value().clone(),
        key: crypto::fingerprint(attested.key()),
        digest: sign_offs::digest(trust, attested),
        position: attested.position().unwrap_or_default(),
    }
}

fn shortfall_of(name: &ReleaseName, shortfall: &crypto::Shortfall, void: &[String]) -> Failure {
    // Where everything that was signed counts, more persons are awaited; where something does not, it is refused.
    let awaited = !shortfall.counted.is_empty() && shortfall.not_counted.is_empty() && void.is_empty();
    let code = if awaited { "GB-RELEASE-PROPOSED" } else { shortfall.code() };
    let mut failure = Failure::new(Exit::Disproven, code, format!("release {name} is not released: {shortfall}"));
    failure.causes.extend(shortfall.not_counted.iter().map(ToString::to_string));
    failure.causes.extend(void.iter().take(20).cloned());
    failure.hint(if awaited {
        format!("git baseline sign {name} --meaning released")
    } else {
        "git baseline trust show".to_owned()
    })
}

/// Decodes bytes that have been vouched for, and checks that they speak of this release of this baseline.
fn decode(trust: &Trust, name: &ReleaseName, bytes: &[u8]) -> Result<Release, Failure> {
    let what = format!("the statement of release {name}");
    let (header, release) = codec::decode::<Release>(bytes).map_err(|error| Failure::undecodable(&what, &error))?;
    if header.baseline != Some(trust.fingerprint) {
        return Err(Failure::new(Exit::Disproven, "GB-BIND-BASELINE", format!("{what} belongs to another baseline")));
    }
    if release.name != *name {
        let said = format!("the signed statement names release {}", release.name);
        return Err(
            Failure::new(Exit::Disproven, "GB-BIND-NAME", format!("{what} speaks of another release")).because(said)
        );
    }
    Ok(release)
}

/// Returns a document that was stored with a release, once it is what the statement says.
///
/// # Errors
/// `GB-LOG-INCOMPLETE` where the log does not hold it, `GB-BIND-DIGEST` where it is another.
pub fn stored_document(log: &Log<'_>, statement: &Statement<'_>, name: &str) -> Result<Vec<u8>, Failure> {
    let (release, path) = (statement.release, format!("{}{name}", statement.folder));
    let bytes = log.need(&path)?;
    let stated = release.documents.iter().find(|document| document.name == name).map(|document| document.digest);
    let Some(stated) = stated else {
        return Err(Failure::new(
            Exit::Usage,
            "GB-USE-DOCUMENT",
            format!("release {} has no document {name}", release.name),
        ));
    };
    bound(&path, &bytes, stated)?;
    Ok(bytes)
}

/// Compares a file of the log with the digest that was signed.
pub(super) fn bound(path: &str, bytes: &[u8], digest: Digest) -> Result<(), Failure> {
    if Digest::of(bytes) == digest {
        return Ok(());
    }
    Err(Failure::new(Exit::Disproven, "GB-BIND-DIGEST", format!("{path} is not what was signed"))
        .because(format!("its digest is {}, the statement says {}", Digest::of(bytes).short(), digest.short()))
        .hint("fetch refs/baseline/log again from a source that you trust"))
}
