//! Two writers, one log: what the remote has is verified and adopted; what was never published is appended again.
//!
//! No statement is lost; what was made on a log that has been overtaken is kept below `superseded/`, proves nothing, and
//! has to be signed again. A remote that does not continue what it published is a fork. Serves contract §3.9.
//! Never here: talking to the remote (the rim fetches and pushes).

use std::collections::{BTreeMap, BTreeSet};

use crate::codec;
use crate::crypto::Signer;
use crate::domain::{Digest, LogHead, ObjectId, Release, TrustRoot};
use crate::jobs::checkpoint::{self, derived, may_sign};
use crate::jobs::log::{LOG_REF, Log, NOTES_REF, RELEASE_REFS, leaves_of};
use crate::jobs::releases::Releases;
use crate::jobs::repair::settled_ref;
use crate::jobs::trust::{Anchor, Trust};
use crate::jobs::{Exit, Failure};
use crate::store::{Identity, RefEdit, Repository};

/// Where the rim put what it fetched.
pub struct Incoming {
    /// The room of the remote below which everything stands, such as `refs/baseline-remote/origin/`.
    pub tracking: String,
    /// The room for what was just fetched, and is not believed yet.
    pub fetched: String,
}

/// What became of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// The remote has no log yet.
    Nothing,
    /// Both have the same.
    Same,
    /// There is something to publish here.
    Ahead,
    /// The remote's log continued ours; so many statements came.
    Forward(usize),
    /// Both had gone on; ours came again after theirs.
    Rebased {
        /// How many statements came.
        came: usize,
        /// How many of ours were appended again.
        again: usize,
        /// What must be signed again, by its folder in the log.
        superseded: Vec<String>,
    },
}

/// What a synchronization did.
pub struct Synced {
    /// What became of the log.
    pub log: Adopted,
    /// How many notes came or were put together.
    pub notes: usize,
    /// How many statements are pending.
    pub pending: usize,
}

/// Verifies what was fetched, and adopts it.
///
/// # Errors
/// Whatever is wrong with the remote's log; `GB-LOG-FORK` with a proof, where it is none that continues what it
/// published; `GB-LOG-ROLLBACK` where it is older than what was seen; where a ref moved meanwhile.
pub fn adopt(
    repository: &Repository,
    anchor: &Anchor,
    incoming: &Incoming,
    signer: Option<&dyn Signer>,
    identity: &Identity,
) -> Result<Synced, Failure> {
    let Some(mut theirs) = Log::find_at(repository, &format!("{}log", incoming.fetched))? else {
        let log = match repository.reference(LOG_REF)? {
            Some(_) => Adopted::Ahead,
            None => Adopted::Nothing,
        };
        return Ok(Synced { log, notes: 0, pending: 0 });
    };
    let trust = theirs.trust(anchor)?;
    let mut edits = Vec::new();
    let log = adopt_log(repository, incoming, &theirs, &trust, signer, identity, &mut edits)?;
    let notes = adopt_notes(repository, incoming, identity, &mut edits)?;
    track(repository, incoming, &mut edits)?;
    edits.retain(|edit| edit.expected != Some(edit.new));
    if !edits.is_empty() {
        repository.update_refs(&edits)?;
    }
    if let Adopted::Rebased { superseded, .. } = &log {
        forget_overtaken(repository, incoming, superseded)?;
    }
    let mut pending = 0;
    if let Some(mut log) = Log::find(repository)? {
        let trust = log.trust_as_claimed()?;
        adopt_releases(repository, incoming, &log, &trust)?;
        pending = log.pending.len();
    }
    Ok(Synced { log, notes, pending })
}

fn adopt_log(
    repository: &Repository,
    incoming: &Incoming,
    theirs: &Log<'_>,
    trust: &Trust,
    signer: Option<&dyn Signer>,
    identity: &Identity,
    edits: &mut Vec<RefEdit>,
) -> Result<Adopted, Failure> {
    let move_to =
        |expected, new, message: &str| RefEdit { name: LOG_REF.to_owned(), expected, new, message: message.to_owned() };
    let came = theirs.leaves.len() + theirs.pending.len();
    let Some(head) = repository.reference(LOG_REF)? else {
        edits.push(move_to(None, theirs.head, "Adopt the remote's log\n"));
        return Ok(Adopted::Forward(came));
    };
    let their_commits = repository.log_history(theirs.head)?;
    let known: BTreeSet<ObjectId> = their_commits.iter().map(|commit| commit.id).collect();
    // What the remote published before, it must still have.
    let published = repository.reference(&format!("{}log", incoming.tracking))?;
    if let Some(before) = published.filter(|before| !known.contains(before)) {
        return Err(forked(repository, before, trust)?);
    }
    let my_commits = repository.log_history(head)?;
    if my_commits.iter().any(|commit| commit.id == theirs.head) {
        return Ok(if head == theirs.head { Adopted::Same } else { Adopted::Ahead });
    }
    let common = my_commits.iter().filter(|commit| known.contains(&commit.id)).count();
    if common == 0 {
        let what = "the remote's log and the one here have nothing in common";
        return Err(Failure::new(Exit::Disproven, "GB-LOG-FORK", what)
            .hint("one of them belongs to another baseline; compare `git baseline trust fingerprint`"));
    }
    let shared: usize = their_commits.iter().take(common).map(|commit| leaves_of(&commit.added).len()).sum();
    if common == my_commits.len() {
        edits.push(move_to(Some(head), theirs.head, "Adopt the remote's log\n"));
        return Ok(Adopted::Forward(came.saturating_sub(shared)));
    }
    let mut again = Again::after(repository, theirs, trust)?;
    for commit in my_commits.iter().skip(common) {
        let mut files = Vec::new();
        for (path, blob) in &commit.added {
            files.push((path.clone(), *blob, repository.blob(*blob)?));
        }
        again.append(&files, identity)?;
    }
    let new = again.finish(trust, signer, identity)?;
    let (count, superseded) = (again.count, again.superseded.into_iter().collect());
    edits.push(move_to(Some(head), new, "Append again what was not published\n"));
    Ok(Adopted::Rebased { came: came.saturating_sub(shared), again: count, superseded })
}

/// Two heads that the remote published, and that exclude each other: the checkpoints prove it.
fn forked(repository: &Repository, before: ObjectId, trust: &Trust) -> Result<Failure, Failure> {
    let old = repository.log_history(before)?.into_iter().rev().find_map(|commit| commit.checkpoint);
    let old = old.map(|blob| repository.blob(blob)).transpose()?.unwrap_or_default();
    let new = checkpoint::compose(&trust.checkpoint.note)?;
    let what = "the remote's log does not continue the one that it published before";
    Ok(Failure::new(Exit::Disproven, "GB-LOG-FORK", what)
        .because(format!("it published commit {}, which is not in it any more", before.short()))
        .hint("nothing was adopted; keep the proof, and ask who rewrote refs/baseline/log")
        .with_proof(format!("{}\n{new}", String::from_utf8_lossy(&old))))
}

/// Our statements, while they are appended again after theirs.
struct Again<'r> {
    repository: &'r Repository,
    head: ObjectId,
    leaves: Vec<Vec<u8>>,
    files: BTreeMap<String, ObjectId>,
    /// The version of the trust root that is in force in theirs.
    version: u64,
    /// Where a folder of ours went, when its place was taken or it was overtaken.
    moved: BTreeMap<String, String>,
    count: usize,
    superseded: BTreeSet<String>,
}

impl<'r> Again<'r> {
    fn after(repository: &'r Repository, theirs: &Log<'_>, trust: &Trust) -> Result<Self, Failure> {
        let files = theirs.all_files().map(|(path, blob)| (path.to_owned(), blob)).collect();
        let leaves = theirs.leaves_with(&BTreeMap::new())?;
        let (moved, superseded) = (BTreeMap::new(), BTreeSet::new());
        let version = trust.root().version;
        Ok(Self { repository, head: theirs.head, leaves, files, version, moved, count: 0, superseded })
    }

    fn append(&mut self, files: &[(String, ObjectId, Vec<u8>)], identity: &Identity) -> Result<(), Failure> {
        for (path, blob, bytes) in files {
            self.place(path, *blob, bytes);
        }
        let mut new: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for (path, blob, bytes) in files {
            let place = self.moved_path(path);
            match self.files.get(&place) {
                Some(known) if known == blob => {}
                // A signature or sealed note whose place is taken by other bytes stands beside it.
                Some(_) => {
                    new.insert(format!("{place}~{}", Digest::of(bytes).short()), bytes.clone());
                }
                None => {
                    new.insert(place, bytes.clone());
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let message = "Append again what was not published\n";
        self.head = self.repository.append_to_log(Some(self.head), &new, None, identity, message)?;
        let added: Vec<(String, ObjectId)> = new
            .iter()
            .map(|(path, bytes)| Ok((path.clone(), self.repository.write_blob(bytes)?)))
            .collect::<Result<_, Failure>>()?;
        for leaf in leaves_of(&added) {
            let digest = |path: &String| new.get(path).map(|bytes| Digest::of(bytes));
            if let Some(statement) = digest(&leaf.path) {
                let signature = leaf.signature.as_ref().and_then(digest);
                self.leaves.push(codec::leaf(&leaf.path, &statement, signature.as_ref()));
                self.count += 1;
            }
        }
        self.files.extend(added);
        Ok(())
    }

    /// Decides where a root or a release goes: to its own place, beside what took it, or to what was overtaken.
    fn place(&mut self, path: &str, blob: ObjectId, bytes: &[u8]) {
        let Some(folder) = folder_of(path) else { return };
        if self.files.get(path) == Some(&blob) {
            return;
        }
        if !self.still_fits(path, bytes) {
            self.superseded.insert(folder.to_owned());
            self.moved.insert(folder.to_owned(), format!("superseded/{}/{folder}", Digest::of(bytes).short()));
        } else if self.files.contains_key(path) {
            let hex = Digest::of(bytes).to_string();
            let beside = format!("{}~{}/", folder.trim_end_matches('/'), hex.get(..16).unwrap_or(&hex));
            self.moved.insert(folder.to_owned(), beside);
        }
    }

    /// Says whether a root or a release can count where it would now stand: the head that it names is the beginning of what
    /// it stands after, and no later root than the one that it follows has come into force.
    fn still_fits(&self, path: &str, bytes: &[u8]) -> bool {
        let (head, is_current) = if path.ends_with("root.cbor") {
            let Ok((_, root)) = codec::decode::<TrustRoot>(bytes) else { return true };
            (root.log, root.version > self.version)
        } else {
            let Ok((_, release)) = codec::decode::<Release>(bytes) else { return true };
            (Some(release.log), release.trust_version >= self.version)
        };
        let begins = |head: LogHead| {
            let size = usize::try_from(head.size).unwrap_or(usize::MAX);
            self.leaves.get(..size).is_some_and(|leaves| codec::log_head(leaves) == head)
        };
        is_current && head.is_none_or(begins)
    }

    fn moved_path(&self, path: &str) -> String {
        let moved = self.moved.iter().find_map(|(from, to)| Some(format!("{to}{}", path.strip_prefix(from.as_str())?)));
        moved.unwrap_or_else(|| path.to_owned())
    }

    /// Signs a checkpoint over it all, where the key may.
    fn finish(&self, trust: &Trust, signer: Option<&dyn Signer>, identity: &Identity) -> Result<ObjectId, Failure> {
        let Some(signer) = signer.filter(|signer| may_sign(trust.root(), *signer)) else { return Ok(self.head) };
        let derived = derived(&trust.root().origin, &self.leaves, signer)?;
        let message = format!("Checkpoint of {} statements\n", self.leaves.len());
        let none = BTreeMap::new();
        Ok(self.repository.append_to_log(Some(self.head), &none, Some(&derived), identity, &message)?)
    }
}

/// Returns the folder of a root or release, where a path is its statement.
fn folder_of(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("root.cbor").or_else(|| path.strip_suffix("release.cbor"))?;
    let in_room = folder.starts_with("trust/") || folder.starts_with("releases/");
    (in_room && folder.matches('/').count() == 2).then_some(folder)
}

/// The records of both sides stand in each note, theirs first.
fn adopt_notes(
    repository: &Repository,
    incoming: &Incoming,
    identity: &Identity,
    edits: &mut Vec<RefEdit>,
) -> Result<usize, Failure> {
    let Some(theirs) = repository.reference(&format!("{}notes/baseline", incoming.fetched))? else { return Ok(0) };
    let mine = repository.reference(NOTES_REF)?;
    let moved = |new| RefEdit {
        name: NOTES_REF.to_owned(),
        expected: mine,
        new,
        message: "Adopt the remote's notes\n".to_owned(),
    };
    let their_notes = repository.notes_at(theirs)?;
    let Some(head) = mine else {
        edits.push(moved(theirs));
        return Ok(their_notes.len());
    };
    if head == theirs || repository.is_ancestor(theirs, head)? {
        return Ok(0);
    }
    let my_notes = repository.notes_at(head)?;
    let came = their_notes.iter().filter(|(commit, blob)| my_notes.get(commit) != Some(blob)).count();
    let mut together = BTreeMap::new();
    for (commit, blob) in my_notes.iter().filter(|(commit, blob)| their_notes.get(commit) != Some(*blob)) {
        let own = repository.blob(*blob)?;
        match their_notes.get(commit) {
            Some(other) => {
                let other = repository.blob(*other)?;
                let both = union(&other, &own);
                if both != other {
                    together.insert(*commit, both);
                }
            }
            None => {
                together.insert(*commit, own);
            }
        }
    }
    // Whoever can push could also write notes on top of ours that leave some out: no record is lost (contract §3.9).
    if together.is_empty() && repository.is_ancestor(head, theirs)? {
        edits.push(moved(theirs));
        return Ok(came);
    }
    let message = "Put the records of two writers together\n";
    edits.push(moved(repository.write_merged_notes(theirs, head, &together, identity, message)?));
    Ok(came)
}

/// What cannot be read as records gives way to what can.
fn union(theirs: &[u8], own: &[u8]) -> Vec<u8> {
    let (Ok(first), Ok(second)) = (codec::parse_note(theirs), codec::parse_note(own)) else {
        return if codec::parse_note(theirs).is_ok() { theirs.to_vec() } else { own.to_vec() };
    };
    let mut note = theirs.to_vec();
    for block in second.iter().filter(|block| !first.contains(block)) {
        if !note.ends_with(b"\n") {
            note.push(b'\n');
        }
        note.extend_from_slice(&block.whole);
    }
    note
}

/// Release refs are derived, and only what the log says counts: of a release in force theirs is taken where it holds, else
/// ours stays where it holds, else it is built again. Of what is only proposed, theirs is taken where none is here.
fn adopt_releases(repository: &Repository, incoming: &Incoming, log: &Log<'_>, trust: &Trust) -> Result<(), Failure> {
    let room = format!("{}releases/", incoming.fetched);
    let releases = Releases::of(log, trust)?;
    let mut edits = Vec::new();
    for stored in &releases.standing {
        let theirs = repository.reference(&format!("{room}{}", stored.release().name))?;
        edits.extend(settled_ref(repository, log, trust, stored, theirs)?);
    }
    for name in repository.references_below(&room)? {
        let (Some(short), Some(new)) = (name.strip_prefix(&room), repository.reference(&name)?) else { continue };
        let own = format!("{RELEASE_REFS}{short}");
        let standing = releases.standing.iter().any(|stored| stored.release().name.as_str() == short);
        if !standing && repository.reference(&own)?.is_none() {
            edits.push(RefEdit { name: own, expected: None, new, message: "Adopt the remote's release\n".to_owned() });
        }
    }
    if edits.is_empty() { Ok(()) } else { Ok(repository.update_refs(&edits)?) }
}

/// The ref of a release that was overtaken, and that nobody else has, would stand in the way of the next one's.
fn forget_overtaken(repository: &Repository, incoming: &Incoming, superseded: &[String]) -> Result<(), Failure> {
    let names = superseded.iter().filter_map(|folder| folder.strip_prefix("releases/"));
    for name in names.map(|name| name.trim_end_matches('/')).map(|name| name.split('~').next().unwrap_or(name)) {
        let own = format!("{RELEASE_REFS}{name}");
        let theirs = repository.reference(&format!("{}releases/{name}", incoming.fetched))?;
        if let Some(seen) = repository.reference(&own)?.filter(|_| theirs.is_none()) {
            repository.delete_reference(&own, seen)?;
        }
    }
    Ok(())
}

/// What was verified is what the remote is held against next time.
fn track(repository: &Repository, incoming: &Incoming, edits: &mut Vec<RefEdit>) -> Result<(), Failure> {
    for name in ["log", "notes/baseline"] {
        let Some(new) = repository.reference(&format!("{}{name}", incoming.fetched))? else { continue };
        let tracked = format!("{}{name}", incoming.tracking);
        let expected = repository.reference(&tracked)?;
        edits.push(RefEdit { name: tracked, expected, new, message: "Follow the remote\n".to_owned() });
    }
    Ok(())
}

/// Remembers what was published, so that it is never appended again.
///
/// # Errors
/// Where a ref moved meanwhile.
pub fn published(repository: &Repository, tracking: &str) -> Result<(), Failure> {
    let mut edits = Vec::new();
    for (own, name) in [(LOG_REF, "log"), (NOTES_REF, "notes/baseline")] {
        let Some(new) = repository.reference(own)? else { continue };
        let tracked = format!("{tracking}{name}");
        let expected = repository.reference(&tracked)?;
        edits.push(RefEdit { name: tracked, expected, new, message: "Published\n".to_owned() });
    }
    edits.retain(|edit| edit.expected != Some(edit.new));
    if edits.is_empty() { Ok(()) } else { Ok(repository.update_refs(&edits)?) }
}
