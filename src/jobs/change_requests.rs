//! Change requests as they stand in the log: opened, found, and listed.
//!
//! Never here: whether a change is approved (`change_control`). A request grants nothing. Format: docs/format.md §6.3.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::codec::{self, Record as _};
use crate::crypto::{self, Signer};
use crate::domain::{ChangeId, ChangeRequest, Digest, Timestamp};
use crate::jobs::append::{Appending, append, moment};
use crate::jobs::log::{Log, parse_signature};
use crate::jobs::records::{namespace, sign, signing_person};
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure};
use crate::store::{Identity, Repository};

/// A change request of the log.
#[derive(Clone, Debug)]
pub struct StoredRequest {
    /// What it says.
    pub request: ChangeRequest,
    /// Digest of its stored bytes.
    pub digest: Digest,
    /// Its place in the log.
    pub position: u64,
}

/// The change requests of a log.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    found: BTreeMap<ChangeId, StoredRequest>,
    /// What stands under `changes/` and is no request, and why.
    pub void: Vec<String>,
}

impl Requests {
    /// Reads them. Of two under one id the first counts.
    ///
    /// # Errors
    /// Where a blob is missing or damaged.
    pub fn of(log: &Log<'_>, trust: &Trust) -> Result<Self, Failure> {
        let mut requests = Self::default();
        for path in log.below("changes/").filter(|path| path.ends_with(".cbor") && path.contains("/requests/")) {
            match judge(log, trust, path)? {
                Ok(stored) => {
                    let id = stored.request.id.clone();
                    let earlier = requests.found.get(&id).is_some_and(|known| known.position < stored.position);
                    if !earlier {
                        requests.found.insert(id, stored);
                    }
                }
                Err(why) => requests.void.push(format!("{path}: {why}")),
            }
        }
        Ok(requests)
    }

    /// Returns the request of an id.
    pub fn find(&self, id: &ChangeId) -> Option<&StoredRequest> {
        self.found.get(id)
    }

    /// Returns all, sorted by id.
    pub fn all(&self) -> impl Iterator<Item = &StoredRequest> {
        self.found.values()
    }
}

/// Returns the folder of a change in the log. What could be taken for a path is written as in URLs.
pub(super) fn folder(id: &ChangeId) -> String {
    let mut name = String::new();
    for (at, byte) in id.as_str().bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || byte == b'.' && at > 0;
        if plain {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    format!("changes/{name}/")
}

fn judge(log: &Log<'_>, trust: &Trust, path: &str) -> Result<Result<StoredRequest, Failure>, Failure> {
    let bytes = log.need(path)?;
    let position = log.position(path).unwrap_or(u64::MAX);
    let Some(armour) = log.signature(path)? else {
        return Ok(Err(Failure::new(Exit::Disproven, "GB-SIG-MALFORMED", "no signature came with it")));
    };
    Ok(prove(trust, path, &bytes, &armour, position))
}

fn prove(trust: &Trust, path: &str, bytes: &[u8], armour: &[u8], position: u64) -> Result<StoredRequest, Failure> {
    let refuse = |code, what: String| Failure::new(Exit::Disproven, code, what);
    let signature = parse_signature(path, armour)?;
    let attested = crypto::attest(&trust.newest().root, &namespace(ChangeRequest::TYPE), bytes, &signature)
        .map(|attested| attested.at(position))
        .map_err(|defect| refuse(defect.code(), defect.to_string()))?;
    if !attested.counts(&trust.authority(Some(position))) {
        return Err(refuse("GB-SIG-REVOKED", format!("the key of {} does not count there", attested.person().id)));
    }
    let (header, request) =
        codec::decode::<ChangeRequest>(attested.value()).map_err(|error| Failure::undecodable(path, &error))?;
    if header.baseline != Some(trust.fingerprint) {
        return Err(refuse("GB-BIND-BASELINE", "it belongs to another baseline".into()));
    }
    if request.requester != attested.person().id {
        let what = format!("it names {}, and {} signed it", request.requester, attested.person().id);
        return Err(refuse("GB-BIND-PERSON", what));
    }
    if request.time < trust.at(Some(position)).root.value().time {
        return Err(refuse("GB-TIME-BACKWARDS", "it claims a time before the trust root that was in force".into()));
    }
    if !path.starts_with(&format!("{}requests/", folder(&request.id))) {
        return Err(refuse("GB-BIND-NAME", format!("it is the request {}", request.id)));
    }
    Ok(StoredRequest { request, digest: Digest::of(bytes), position })
}

/// Opens a change request.
///
/// # Errors
/// `GB-USE-NAME-TAKEN` where the id is taken; where the signer is not known, or the log moved meanwhile.
pub fn open_change(
    repository: &Repository,
    log: &Log<'_>,
    trust: &Trust,
    request: ChangeRequest,
    signer: &dyn Signer,
    identity: &Identity,
) -> Result<StoredRequest, Failure> {
    let requests = Requests::of(log, trust)?;
    if requests.find(&request.id).is_some() {
        let what = format!("there is a change request {} already", request.id);
        return Err(Failure::new(Exit::Usage, "GB-USE-NAME-TAKEN", what)
            .hint(format!("git baseline change show {}", request.id)));
    }
    let person = signing_person(trust.root(), signer)?;
    let now = Timestamp::from_seconds(identity.time);
    let request = ChangeRequest { requester: person.id.clone(), time: moment(now, trust.root().time), ..request };
    let bytes = codec::encode(Some(&trust.fingerprint), &request);
    let armour = sign(signer, ChangeRequest::TYPE, &bytes)?;
    let digest = Digest::of(&bytes);
    let path = format!("{}requests/{digest}.cbor", folder(&request.id));
    let files = BTreeMap::from([(path.clone(), bytes), (format!("{path}.sig"), armour.into_bytes())]);
    let message = format!("Open change {}\n", request.id);
    append(repository, log, trust, &files, signer, &Appending { identity, message })?;
    Ok(StoredRequest { request, digest, position: log.leaves.len() as u64 })
}
