//! Releases as they stand in the log: statements with the sign-offs that make them more than proposals.
//!
//! A statement is believed only after enough distinct persons vouched for its exact bytes. Format: docs/format.md §6.

use std::collections::BTreeSet;

use crate::codec::{self, Record};
use crate::crypto::{self, Attested, Demand, SIGN_OFF_NAMESPACE, Verified};
use crate::domain::{Digest, Meaning, PersonId, Release, ReleaseName, RoleName, SignOff};
use crate::jobs::evidence::{Log, Trust, parse_signature};
use crate::jobs::{Exit, Failure};

/// Where a release stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseStatus {
    /// Signed by fewer persons than its role takes.
    Proposed,
    /// Signed by enough.
    Released,
    /// Taken back.
    Withdrawn,
}

impl ReleaseStatus {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Released => "released",
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
}

/// A release with the bytes that were signed.
#[derive(Clone, Debug)]
pub struct StoredRelease {
    /// The statement, vouched for by role `release`.
    pub statement: Verified<Release>,
    /// Digest of the stored bytes.
    pub digest: Digest,
    /// Where it stands.
    pub status: ReleaseStatus,
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
}

/// The folder of a release in the log.
pub(super) fn folder(name: &ReleaseName) -> String {
    format!("releases/{name}/")
}

/// Reads a release and proves who stands for it.
///
/// # Errors
/// `GB-USE-RELEASE` where the log has none of that name, `GB-BIND-NAME` and `GB-BIND-BASELINE` where the statement
/// speaks of another, `GB-SIG-THRESHOLD` where too few persons signed, and whatever is wrong with its bytes.
pub fn read(log: &Log<'_>, trust: &Trust, name: &ReleaseName) -> Result<StoredRelease, Failure> {
    let path = format!("{}release.cbor", folder(name));
    let Some(bytes) = log.read(&path)? else { return Err(unknown(log, name)) };
    let mut void = Vec::new();
    let attested = sign_offs(log, trust, name, &mut void)?;
    let demand = |meaning, excluded| Demand {
        role: RoleName::Release,
        meaning,
        record_type: Release::TYPE,
        name: name.as_str(),
        at_least: 1,
        excluded,
    };
    let nobody: BTreeSet<PersonId> = BTreeSet::new();
    let vouched = crypto::vouched(&trust.root, &demand(Meaning::Released, &nobody), &bytes, &attested)
        .map_err(|shortfall| shortfall_of(name, &shortfall))?;
    let withdrawn = crypto::vouched(&trust.root, &demand(Meaning::Withdrawn, &nobody), &bytes, &attested).is_ok();
    let statement = vouched.try_map(|bytes| decode(trust, name, bytes))?;
    let status = if withdrawn { ReleaseStatus::Withdrawn } else { ReleaseStatus::Released };
    let sign_offs = attested.iter().map(|attested| shown(trust, attested)).collect();
    Ok(StoredRelease { statement, digest: Digest::of(&bytes), status, sign_offs, void })
}

fn shown(trust: &Trust, attested: &Attested<'_, SignOff>) -> ShownSignOff {
    // Decoding demanded that encoding gives the stored bytes again, so this is their digest.
    let digest = Digest::of(&codec::encode(Some(&trust.fingerprint), attested.value()));
    ShownSignOff { sign_off: attested.value().clone(), key: crypto::fingerprint(attested.key()), digest }
}

fn unknown(log: &Log<'_>, name: &ReleaseName) -> Failure {
    let known = log.release_names().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none yet".to_owned() } else { known };
    Failure::new(Exit::Usage, "GB-USE-RELEASE", format!("there is no release {name}"))
        .because(format!("releases in the log: {known}"))
        .hint("git baseline show")
}

fn shortfall_of(name: &ReleaseName, shortfall: &crypto::Shortfall) -> Failure {
    let mut failure =
        Failure::new(Exit::Disproven, shortfall.code(), format!("release {name} is not released: {shortfall}"));
    failure.causes.extend(shortfall.not_counted.iter().map(ToString::to_string));
    failure.hint("git baseline trust show")
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

/// Proves each sign-off on its own; one that does not stand is void, named, and bricks nothing (contract §3.2).
fn sign_offs<'t>(
    log: &Log<'_>,
    trust: &'t Trust,
    name: &ReleaseName,
    void: &mut Vec<String>,
) -> Result<Vec<Attested<'t, SignOff>>, Failure> {
    let folder = format!("{}signoffs/", folder(name));
    let mut attested = Vec::new();
    for path in log.below(&folder).filter(|path| path.ends_with(".cbor")) {
        let bytes = log.need(path)?;
        let Some(signature) = log.signature(path)? else {
            void.push(format!("{path}: no signature came with it"));
            continue;
        };
        match prove(trust, path, &bytes, &signature) {
            Ok(proved) => attested.push(proved),
            Err(failure) => void.push(format!("{path}: {failure}")),
        }
    }
    Ok(attested)
}

fn prove<'t>(trust: &'t Trust, path: &str, bytes: &[u8], signature: &[u8]) -> Result<Attested<'t, SignOff>, Failure> {
    let signature = parse_signature(path, signature)?;
    let attested = crypto::attest(&trust.root, SIGN_OFF_NAMESPACE, bytes, &signature)
        .map_err(|error| Failure::new(Exit::Disproven, error.code(), error.to_string()))?;
    attested.try_map(|bytes| {
        let (header, sign_off) = codec::decode::<SignOff>(bytes).map_err(|error| Failure::undecodable(path, &error))?;
        if header.baseline != Some(trust.fingerprint) {
            return Err(Failure::new(Exit::Disproven, "GB-BIND-BASELINE", "it belongs to another baseline"));
        }
        Ok(sign_off)
    })
}

/// Reads every release that stands, sorted by sequence.
///
/// # Errors
/// Where the log cannot be read; a release that does not stand, or is no record, is left out: a void statement has no
/// effect and bricks nothing (contract §3.2).
pub fn standing(log: &Log<'_>, trust: &Trust) -> Result<Vec<StoredRelease>, Failure> {
    let mut releases = Vec::new();
    for name in log.release_names() {
        match read(log, trust, &name) {
            Ok(release) => releases.push(release),
            Err(failure) if failure.exit == Exit::Disproven || failure.code.starts_with("GB-FMT-") => {}
            Err(failure) => return Err(failure),
        }
    }
    releases.sort_by_key(|release| release.release().sequence);
    Ok(releases)
}

/// Returns a document that was stored with a release, once it is what the statement says.
///
/// # Errors
/// `GB-LOG-INCOMPLETE` where the log does not hold it, `GB-BIND-DIGEST` where it is another.
pub fn stored_document(log: &Log<'_>, release: &Release, name: &str) -> Result<Vec<u8>, Failure> {
    let path = format!("{}{name}", folder(&release.name));
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
