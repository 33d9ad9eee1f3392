//! The log, read and found to be linear and add-only, and the trust root in it.
//!
//! The log is the authority; nothing in it is believed before `trust` has verified the root against an anchor that
//! came from outside the repository (contract §3.1, §3.2).

use std::collections::{BTreeMap, BTreeSet};

use crate::codec;
use crate::crypto::{self, RootDefect, Signature, Verified};
use crate::domain::{Digest, LogHead, ObjectId, ReleaseName, RoleName, TrustRoot};
use crate::jobs::{Exit, Failure};
use crate::store::Repository;

/// The ref that holds the authority.
pub const LOG_REF: &str = "refs/baseline/log";
/// Where release refs stand.
pub const RELEASE_REFS: &str = "refs/baseline/releases/";
/// The ref that holds commit records as notes.
pub const NOTES_REF: &str = "refs/notes/baseline";

/// Where trust comes from: always from outside the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchor {
    /// A fingerprint given for this run.
    pub given: Option<Digest>,
    /// The fingerprints that the user has pinned before.
    pub pinned: Vec<Digest>,
}

/// The log as it was read: every file with its blob, in the order in which the log gained them.
pub struct Log<'r> {
    repository: &'r Repository,
    /// The commit that the log's ref points to.
    pub head: ObjectId,
    /// Its statements, in the order in which they came.
    pub leaves: Vec<Leaf>,
    files: BTreeMap<String, ObjectId>,
}

/// One statement's place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Where the statement stands.
    pub path: String,
    /// Where its signature stands, which came with it. One that came later has a leaf of its own and signs nothing:
    /// it must not inherit an earlier position (A29).
    pub signature: Option<String>,
}

/// Pairs the files of one commit of the log: a statement, and the signature that came with it.
fn leaves_of(added: &[(String, ObjectId)]) -> Vec<Leaf> {
    // A release seals a record for every commit of its range, so each path is looked up, not searched for.
    let paths: BTreeSet<&str> = added.iter().map(|(path, _)| path.as_str()).collect();
    // A signature signs a statement, and never another signature: no file stays without a leaf.
    let signs = |path: &str| path.strip_suffix(".sig").is_some_and(|of| !of.ends_with(".sig") && paths.contains(of));
    let signature =
        |path: &str| Some(format!("{path}.sig")).filter(|beside| paths.contains(beside.as_str()) && signs(beside));
    let single = added.iter().filter(|(path, _)| !signs(path));
    single.map(|(path, _)| Leaf { path: path.clone(), signature: signature(path) }).collect()
}

/// The trust root in force, verified.
pub struct Trust {
    /// The fingerprint: the baseline's id.
    pub fingerprint: Digest,
    /// The root.
    pub root: Verified<TrustRoot>,
}

impl<'r> Log<'r> {
    /// Reads the log.
    ///
    /// # Errors
    /// `GB-LOG-MISSING` where there is none; where it is not linear, or takes something back.
    pub fn open(repository: &'r Repository) -> Result<Self, Failure> {
        Self::find(repository)?.ok_or_else(|| {
            Failure::new(Exit::Inconclusive, "GB-LOG-MISSING", format!("this repository has no {LOG_REF}"))
                .because("the log holds trust roots and releases; a plain clone does not bring it")
                .hint("get it with `git fetch origin 'refs/baseline/*:refs/baseline/*' refs/notes/baseline:refs/notes/baseline`, or begin with `git baseline init --product NAME`")
        })
    }

    /// Reads the log, if there is one.
    ///
    /// # Errors
    /// Where it is not linear, or takes something back.
    pub fn find(repository: &'r Repository) -> Result<Option<Self>, Failure> {
        let Some(head) = repository.reference(LOG_REF)? else { return Ok(None) };
        let mut leaves = Vec::new();
        let mut files = BTreeMap::new();
        for commit in repository.log_history(head)? {
            leaves.extend(leaves_of(&commit.added));
            files.extend(commit.added);
        }
        Ok(Some(Self { repository, head, leaves, files }))
    }

    /// Returns the bytes of a file of the log.
    ///
    /// # Errors
    /// Where its blob is missing or damaged.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.files.get(path).map(|blob| self.repository.blob(*blob).map_err(Failure::from)).transpose()
    }

    /// Returns the bytes of a file that must be there.
    ///
    /// # Errors
    /// `GB-LOG-INCOMPLETE` where it is not.
    pub fn need(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.read(path)?.ok_or_else(|| {
            Failure::new(Exit::Disproven, "GB-LOG-INCOMPLETE", format!("the log has no {path}"))
                .hint("fetch refs/baseline/log again from a source that you trust")
        })
    }

    /// Returns the blob of a file of the log.
    pub fn blob_id(&self, path: &str) -> Option<ObjectId> {
        self.files.get(path).copied()
    }

    /// Returns the paths below a folder, sorted.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .range(folder.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(folder))
    }

    /// Returns the bytes of the signature that came with a statement.
    ///
    /// # Errors
    /// Where its blob is missing or damaged.
    pub fn signature(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let leaf = self.leaves.iter().find(|leaf| leaf.path == path);
        leaf.and_then(|leaf| leaf.signature.as_ref()).map(|path| self.need(path)).transpose()
    }

    /// Returns size and Merkle root of the first `count` leaves, or of all.
    ///
    /// # Errors
    /// Where a blob is missing or damaged.
    pub fn log_head(&self, count: Option<usize>) -> Result<LogHead, Failure> {
        let mut leaves = Vec::new();
        for leaf in self.leaves.iter().take(count.unwrap_or(usize::MAX)) {
            let signature = leaf.signature.as_ref().map(|path| self.need(path)).transpose()?;
            let signature = signature.map(|bytes| Digest::of(&bytes));
            leaves.push(codec::leaf(&leaf.path, &Digest::of(&self.need(&leaf.path)?), signature.as_ref()));
        }
        Ok(codec::log_head(&leaves))
    }

    /// Returns the names of the releases that the log holds, sorted.
    pub fn release_names(&self) -> Vec<ReleaseName> {
        let names =
            self.below("releases/").filter_map(|path| path.strip_prefix("releases/")?.strip_suffix("/release.cbor"));
        names.filter_map(|name| ReleaseName::parse(name).ok()).collect()
    }

    /// Returns the digest of the first trust root's bytes: what the log itself claims to be its fingerprint.
    ///
    /// # Errors
    /// Where the log has no first root.
    pub fn claimed_fingerprint(&self) -> Result<Digest, Failure> {
        Ok(Digest::of(&self.need("trust/1/root.cbor")?))
    }

    /// Verifies the trust root against an anchor from outside.
    ///
    /// # Errors
    /// `GB-TRUST-UNPINNED` where there is no anchor, `GB-TRUST-FINGERPRINT` where it is another one,
    /// and whatever is wrong with the root itself.
    pub fn trust(&self, anchor: &Anchor) -> Result<Trust, Failure> {
        let fingerprint = self.claimed_fingerprint()?;
        match anchor.given {
            Some(given) if given != fingerprint => {
                return Err(Failure::new(
                    Exit::Disproven,
                    "GB-TRUST-FINGERPRINT",
                    format!("this repository's trust root is not {given}"),
                )
                .because(format!("its root 1 has the fingerprint {fingerprint}"))
                .hint("compare with the fingerprint that the maker gave you by another way"));
            }
            None if !anchor.pinned.contains(&fingerprint) => return Err(unpinned(&fingerprint)),
            _ => {}
        }
        self.trust_as_claimed()
    }

    /// Verifies the trust root in itself: its signatures by its own threshold. Says nothing of who made it.
    ///
    /// # Errors
    /// Whatever is wrong with the root.
    pub fn trust_as_claimed(&self) -> Result<Trust, Failure> {
        if let Some(newer) = self.below("trust/").find(|path| !path.starts_with("trust/1/")) {
            return Err(Failure::new(
                Exit::Inconclusive,
                "GB-TRUST-VERSION",
                format!("the log holds {newer}, and this version knows only the first trust root"),
            )
            .hint("verify with a newer git-baseline"));
        }
        let bytes = self.need("trust/1/root.cbor")?;
        let mut signatures = Vec::new();
        let mut void = Vec::new();
        for path in self.below("trust/1/signatures/") {
            match parse_signature(path, &self.need(path)?) {
                Ok(signature) => signatures.push(signature),
                // The log never forgets, so one file that is no signature must not make it unreadable (contract §3.2).
                Err(failure) => void.push(failure.to_string()),
            }
        }
        let root = verify_root(&bytes, &signatures).map_err(|failure| void.iter().fold(failure, Failure::because))?;
        Ok(Trust { fingerprint: Digest::of(&bytes), root })
    }
}

fn unpinned(fingerprint: &Digest) -> Failure {
    Failure::new(Exit::Inconclusive, "GB-TRUST-UNPINNED", "nothing outside this repository says whom to trust")
        .because(format!("its log begins with the trust root {fingerprint}"))
        .hint(format!(
            "confirm the fingerprint with its maker by another way, then `git baseline trust pin {fingerprint}`"
        ))
}

/// Parses an armoured signature that stands in the log.
pub(super) fn parse_signature(path: &str, bytes: &[u8]) -> Result<Signature, Failure> {
    let refuse = |what: String| {
        Failure::new(Exit::Unsafe, "GB-SIG-MALFORMED", format!("{path} is no SSH signature")).because(what)
    };
    Signature::parse_armor(bytes).map_err(|error| refuse(error.to_string()))
}

/// The bytes are decoded to know the keys; the result is handed out only once they have signed these bytes.
fn verify_root(bytes: &[u8], signatures: &[Signature]) -> Result<Verified<TrustRoot>, Failure> {
    crypto::first_root(bytes, signatures, |bytes| {
        let (header, root) =
            codec::decode::<TrustRoot>(bytes).map_err(|error| Failure::undecodable("trust root 1", &error))?;
        if header.baseline.is_some() {
            let what = "trust/1 does not hold the first root of a baseline";
            return Err(Failure::new(Exit::Disproven, "GB-TRUST-CHAIN", what));
        }
        Ok(root)
    })
}

impl From<RootDefect> for Failure {
    fn from(defect: RootDefect) -> Self {
        Self::new(Exit::Disproven, defect.code(), "the trust root does not hold").because(defect)
    }
}

impl Trust {
    /// Returns the root.
    pub fn root(&self) -> &TrustRoot {
        self.root.value()
    }

    /// Returns how many persons a role takes.
    pub fn threshold(&self, role: RoleName) -> u64 {
        self.root().role(role).map_or(0, |role| role.threshold)
    }
}
