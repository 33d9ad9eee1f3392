//! The checkpoint of a log, as whoever holds the log's key can sign it over whatever he likes.

use std::collections::BTreeMap;

use git_baseline::codec;
use git_baseline::crypto::{self, PrivateKey};
use git_baseline::domain::{Checkpoint, Digest, SignedNote, TrustRoot};

/// The files of a log's commit, by path.
pub(crate) type Added = BTreeMap<String, Vec<u8>>;

/// Returns the checkpoint over everything that the commits added, the oldest first.
pub(crate) fn checkpoint(commits: &[Added], key: &PrivateKey) -> String {
    let leaves = leaves(commits);
    let root = commits.iter().find_map(|added| added.get("trust/1/root.cbor")).expect("a log begins with a root");
    let (_, root) = codec::decode::<TrustRoot>(root).expect("the first root can be read");
    let stated = Checkpoint { origin: root.origin, head: codec::log_head(&leaves), extensions: Vec::new() };
    let text = codec::compose_checkpoint(&stated).expect("an origin is one line");
    let signature = crypto::sign_checkpoint(key, &text).expect("a plain key signs");
    codec::compose_signed_note(&SignedNote { text, signatures: vec![signature] }).expect("a note of one line")
}

/// Says whether a file of the log is computed from others.
pub(crate) fn is_derived(path: &str) -> bool {
    path == "checkpoint" || path.starts_with("tile/")
}

/// Returns the leaves of a log.
pub(crate) fn leaves(commits: &[Added]) -> Vec<Vec<u8>> {
    commits.iter().flat_map(leaves_of).collect()
}

fn leaves_of(added: &Added) -> Vec<Vec<u8>> {
    let files = || added.iter().filter(|(path, _)| !is_derived(path));
    let signs =
        |path: &str| path.strip_suffix(".sig").is_some_and(|of| !of.ends_with(".sig") && added.contains_key(of));
    let leaf = |(path, bytes): (&String, &Vec<u8>)| {
        let signature =
            Some(format!("{path}.sig")).filter(|beside| signs(beside)).and_then(|beside| added.get(&beside));
        codec::leaf(path, &Digest::of(bytes), signature.map(|bytes| Digest::of(bytes)).as_ref())
    };
    files().filter(|(path, _)| !signs(path)).map(leaf).collect()
}
