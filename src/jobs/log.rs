//! The log, read and found to be linear and add-only: what was said, in the order in which it was said.
//!
//! The log is the authority; nothing in it is believed before a trust root has been verified against an anchor that
//! came from outside the repository (`trust`). Serves contract §3.2. Format: docs/format.md §8.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::codec;
use crate::crypto::Signature;
use crate::domain::{Digest, LogHead, ObjectId, ReleaseName};
use crate::jobs::{Exit, Failure};
use crate::store::{LogCommit, Repository};

/// The ref that holds the authority.
pub const LOG_REF: &str = "refs/baseline/log";
/// Where release refs stand.
pub const RELEASE_REFS: &str = "refs/baseline/releases/";
/// The ref that holds commit records as notes.
pub const NOTES_REF: &str = "refs/notes/baseline";

/// The log as it was read: every file with its blob, in the order in which the log gained them.
pub struct Log<'r> {
    repository: &'r Repository,
    /// The commit that the log's ref points to.
    pub head: ObjectId,
    /// Its statements, in the order in which they came; once trust was found, those that a checkpoint covers.
    pub leaves: Vec<Leaf>,
    /// Statements that no checkpoint covers yet: they prove nothing.
    pub pending: Vec<Leaf>,
    /// Where each statement stands among them.
    positions: BTreeMap<String, usize>,
    files: BTreeMap<String, ObjectId>,
    /// The files of pending statements.
    pending_files: BTreeMap<String, ObjectId>,
    /// Every checkpoint that the log held, the newest first.
    pub(super) checkpoints: Vec<ObjectId>,
    commits: Vec<LogCommit>,
    encoded: OnceCell<Vec<Vec<u8>>>,
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
pub(super) fn leaves_of(added: &[(String, ObjectId)]) -> Vec<Leaf> {
    // A release seals a record for every commit of its range, so each path is looked up, not searched for.
    let paths: BTreeSet<&str> = added.iter().map(|(path, _)| path.as_str()).collect();
    // A signature signs a statement, and never another signature: no file stays without a leaf.
    let signs = |path: &str| path.strip_suffix(".sig").is_some_and(|of| !of.ends_with(".sig") && paths.contains(of));
    let signature =
        |path: &str| Some(format!("{path}.sig")).filter(|beside| paths.contains(beside.as_str()) && signs(beside));
    let single = added.iter().filter(|(path, _)| !signs(path));
    single.map(|(path, _)| Leaf { path: path.clone(), signature: signature(path) }).collect()
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
        Self::find_at(repository, LOG_REF)
    }

    /// Reads the log that another ref holds, such as the one that was fetched from a remote.
    ///
    /// # Errors
    /// As [`Log::find`].
    pub fn find_at(repository: &'r Repository, name: &str) -> Result<Option<Self>, Failure> {
        let Some(head) = repository.reference(name)? else { return Ok(None) };
        let (mut leaves, mut files, mut positions) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut checkpoints = Vec::new();
        let commits = repository.log_history(head)?;
        for commit in &commits {
            checkpoints.extend(commit.checkpoint);
            for leaf in leaves_of(&commit.added) {
                positions.insert(leaf.path.clone(), leaves.len());
                leaves.push(leaf);
            }
            files.extend(commit.added.iter().cloned());
        }
        checkpoints.reverse();
        Ok(Some(Self {
            repository,
            head,
            leaves,
            pending: Vec::new(),
            positions,
            files,
            pending_files: BTreeMap::new(),
            checkpoints,
            commits,
            encoded: OnceCell::new(),
        }))
    }

    /// Sets aside what stands after the first `size` statements: it is pending, and proves nothing (contract §3.2).
    pub(super) fn accept(&mut self, size: usize) {
        self.pending = self.leaves.split_off(size.min(self.leaves.len()));
        for leaf in &self.pending {
            self.positions.remove(&leaf.path);
            for path in [Some(&leaf.path), leaf.signature.as_ref()].into_iter().flatten() {
                if let Some(blob) = self.files.remove(path) {
                    self.pending_files.insert(path.clone(), blob);
                }
            }
        }
        if let Some(encoded) = self.encoded.get_mut() {
            encoded.truncate(size);
        }
    }

    /// Returns the leaves that the log has when `files` are added, pending ones too.
    ///
    /// # Errors
    /// Where a blob is missing or damaged.
    pub(super) fn leaves_with(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Vec<u8>>, Failure> {
        let mut leaves = self.encoded()?.to_vec();
        for leaf in &self.pending {
            leaves.push(self.encode(leaf)?);
        }
        let unread = ObjectId::Sha1([0; 20]);
        let added: Vec<(String, ObjectId)> = files.keys().map(|path| (path.clone(), unread)).collect();
        for leaf in leaves_of(&added) {
            let bytes = |path: &String| files.get(path).map(|bytes| Digest::of(bytes));
            if let Some(statement) = bytes(&leaf.path) {
                leaves.push(codec::leaf(&leaf.path, &statement, leaf.signature.as_ref().and_then(bytes).as_ref()));
            }
        }
        Ok(leaves)
    }

    fn encode(&self, leaf: &Leaf) -> Result<Vec<u8>, Failure> {
        let nothing = Digest::of(&[]);
        let digest = |path: &String| self.blob_id(path).map_or(Ok(nothing), |blob| self.repository.log_digest(blob));
        let signature = leaf.signature.as_ref().map(digest).transpose()?;
        Ok(codec::leaf(&leaf.path, &digest(&leaf.path)?, signature.as_ref()))
    }

    /// Returns the bytes of a file of the log, of pending statements too.
    fn read_any(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.blob_id(path).map(|blob| self.repository.log_file(blob).map_err(Failure::from)).transpose()
    }

    /// Returns what the next run need not read again, once so many files more than before have been read.
    pub fn memory(&self, at_least: usize) -> Option<Vec<u8>> {
        self.repository.log_memory(&self.commits, at_least)
    }

    /// Returns the repository that it was read from.
    pub(super) const fn repository(&self) -> &'r Repository {
        self.repository
    }

    /// Returns the bytes of a file of the log.
    ///
    /// # Errors
    /// Where its blob is missing or damaged.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.files.get(path).map(|blob| self.repository.log_file(*blob).map_err(Failure::from)).transpose()
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

    /// Returns the blob of a file of the log, of pending statements too.
    pub fn blob_id(&self, path: &str) -> Option<ObjectId> {
        self.files.get(path).or_else(|| self.pending_files.get(path)).copied()
    }

    /// Returns every file with its blob, of pending statements too, sorted by path.
    pub(super) fn all_files(&self) -> impl Iterator<Item = (&str, ObjectId)> {
        self.files.iter().chain(&self.pending_files).map(|(path, blob)| (path.as_str(), *blob))
    }

    /// Returns the paths below a folder, sorted.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .range(folder.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(folder))
    }

    /// Returns where a statement stands in the order of the log.
    pub fn position(&self, path: &str) -> Option<u64> {
        self.positions.get(path).map(|at| *at as u64)
    }

    /// Returns the bytes of the signature that came with a statement.
    ///
    /// # Errors
    /// Where its blob is missing or damaged.
    pub fn signature(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let leaf = self.positions.get(path).and_then(|at| self.leaves.get(*at));
        leaf.and_then(|leaf| leaf.signature.as_ref()).map(|path| self.need(path)).transpose()
    }

    /// Returns size and Merkle root of the first `count` leaves, or of all.
    ///
    /// # Errors
    /// Where a blob is missing or damaged.
    pub fn log_head(&self, count: Option<usize>) -> Result<LogHead, Failure> {
        let leaves = self.encoded()?;
        Ok(codec::log_head(count.and_then(|count| leaves.get(..count)).unwrap_or(leaves)))
    }

    /// Says whether the log begins with a head that somebody named.
    ///
    /// # Errors
    /// Where a blob is missing or damaged.
    pub fn begins_with(&self, head: &LogHead) -> Result<bool, Failure> {
        let count = usize::try_from(head.size).ok().filter(|count| *count <= self.leaves.len());
        count.map_or(Ok(false), |count| Ok(self.log_head(Some(count))? == *head))
    }

    /// Returns the leaves' bytes, each made from the blobs that it names.
    ///
    /// # Errors
    /// Where a blob is missing or damaged.
    pub fn encoded(&self) -> Result<&[Vec<u8>], Failure> {
        if let Some(known) = self.encoded.get() {
            return Ok(known);
        }
        let leaves = self.leaves.iter().map(|leaf| self.encode(leaf)).collect::<Result<Vec<_>, Failure>>()?;
        Ok(self.encoded.get_or_init(|| leaves))
    }

    /// Returns where a new statement goes. Its name may be taken, by another writer or by rubbish that somebody pushed;
    /// what stands there stays, so the statement then stands beside it, under its own digest (docs/format.md §1).
    ///
    /// # Errors
    /// Where a blob is missing or damaged.
    pub fn place_for(&self, folder: &str, file: &str, bytes: &[u8]) -> Result<String, Failure> {
        let path = format!("{folder}{file}");
        match self.read_any(&path)? {
            None => Ok(folder.to_owned()),
            Some(taken) if taken == bytes => Ok(folder.to_owned()),
            Some(_) => Ok(beside(folder, &Digest::of(bytes))),
        }
    }

    /// Returns the names of the releases that the log holds, sorted.
    pub fn release_names(&self) -> Vec<ReleaseName> {
        let names = self.candidates("releases/", "release.cbor").into_iter();
        let parsed: BTreeSet<ReleaseName> = names.filter_map(|(name, _)| ReleaseName::parse(&name).ok()).collect();
        parsed.into_iter().collect()
    }

    /// Returns the folders that hold `file` below `room`, as names without what tells them apart, and the folders.
    pub fn candidates(&self, room: &str, file: &str) -> Vec<(String, String)> {
        let folders =
            self.below(room).filter_map(|path| path.strip_suffix(file)?.strip_prefix(room)?.strip_suffix('/'));
        let folders = folders.filter(|folder| !folder.contains('/'));
        folders.map(|folder| (plain(folder).to_owned(), format!("{room}{folder}/"))).collect()
    }
}

/// Returns the folder beside a taken one: `releases/1.0/` becomes `releases/1.0~0123456789abcdef/`.
fn beside(folder: &str, digest: &Digest) -> String {
    let hex = digest.to_string();
    format!("{}~{}/", folder.trim_end_matches('/'), hex.get(..16).unwrap_or(&hex))
}

/// Takes away what tells a folder apart from the one beside it.
fn plain(folder: &str) -> &str {
    folder.split_once('~').map_or(folder, |(name, _)| name)
}

/// Parses an armoured signature that stands in the log.
///
/// # Errors
/// `GB-SIG-MALFORMED`.
pub(super) fn parse_signature(path: &str, bytes: &[u8]) -> Result<Signature, Failure> {
    let refuse = |what: String| {
        Failure::new(Exit::Unsafe, "GB-SIG-MALFORMED", format!("{path} is no SSH signature")).because(what)
    };
    Signature::parse_armor(bytes).map_err(|error| refuse(error.to_string()))
}
