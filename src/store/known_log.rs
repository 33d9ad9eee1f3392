//! What was read of a log before: its commits, and the digests of its files, so that the next run reads only what is new.
//!
//! It says nothing that the log's own objects do not say, and grants nothing: no signature, no verdict is kept. It comes
//! from the user's own state folder. What is not whole is not taken. Format: docs/format.md §12.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::log_history::LogCommit;
use crate::domain::{Digest, ObjectId};

const FIRST_LINE: &str = "git-baseline log 1";
/// What is larger is not kept, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The commits of a log, oldest first, and the digests of its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownLog {
    commits: Vec<LogCommit>,
    places: BTreeMap<ObjectId, usize>,
    digests: BTreeMap<ObjectId, Digest>,
}

impl KnownLog {
    /// Reads what [`compose`] wrote; nothing where a byte of it is another.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MOST_BYTES)?;
        let (body, last) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let digest = Digest::parse(last.strip_prefix("end ")?)?;
        let mut lines = body.lines();
        if digest != Digest::of(body.as_bytes()) || lines.next() != Some(FIRST_LINE) {
            return None;
        }
        let mut known = Self::default();
        for line in lines {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "commit" => {
                    let (id, checkpoint) = rest.split_once(' ').map_or((rest, None), |(id, blob)| (id, Some(blob)));
                    let checkpoint = checkpoint.map(|blob| ObjectId::parse(blob).ok_or(())).transpose().ok()?;
                    let id = ObjectId::parse(id)?;
                    known.places.insert(id, known.commits.len());
                    known.commits.push(LogCommit { id, added: Vec::new(), checkpoint });
                }
                "file" => {
                    let (blob, rest) = rest.split_once(' ')?;
                    let (digest, path) = rest.split_once(' ')?;
                    let blob = ObjectId::parse(blob)?;
                    known.digests.insert(blob, Digest::parse(digest)?);
                    known.commits.last_mut()?.added.push((path.to_owned(), blob));
                }
                _ => return None,
            }
        }
        Some(known)
    }

    /// Returns the commits up to one of them.
    pub(super) fn up_to(&self, id: &ObjectId) -> Option<&[LogCommit]> {
        self.places.get(id).and_then(|place| self.commits.get(..=*place))
    }

    /// Returns the digest of a file's blob.
    pub(super) fn digest(&self, blob: &ObjectId) -> Option<Digest> {
        self.digests.get(blob).copied()
    }

    /// Returns how many files it knows.
    pub(super) fn files(&self) -> usize {
        self.digests.len()
    }
}

/// Writes down what was read; nothing where that cannot be told in lines, or is too much.
pub(super) fn compose(commits: &[LogCommit], digest: impl Fn(&ObjectId) -> Option<Digest>) -> Option<Vec<u8>> {
    let mut text = FIRST_LINE.to_owned();
    for commit in commits {
        let _ = write!(text, "\ncommit {}", commit.id);
        if let Some(blob) = &commit.checkpoint {
            let _ = write!(text, " {blob}");
        }
        for (path, blob) in &commit.added {
            let _ = write!(text, "\nfile {blob} {} {path}", digest(blob)?);
            if path.contains(['\n', '\r']) || text.len() > MOST_BYTES {
                return None;
            }
        }
    }
    let end = Digest::of(text.as_bytes());
    let _ = write!(text, "\nend {end}\n");
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::Sha1([byte; 20])
    }

    fn commits() -> Vec<LogCommit> {
        let first = vec![("a b".to_owned(), id(2)), ("a b.sig".to_owned(), id(3))];
        let second = LogCommit { id: id(4), added: Vec::new(), checkpoint: Some(id(5)) };
        vec![LogCommit { id: id(1), added: first, checkpoint: None }, second]
    }

    fn digest(blob: &ObjectId) -> Digest {
        Digest::of(blob.as_bytes())
    }

    #[test]
    fn what_was_written_is_read() {
        let known = KnownLog::parse(&compose(&commits(), |blob| Some(digest(blob))).unwrap()).unwrap();
        assert_eq!(known.up_to(&id(4)).unwrap(), commits());
        assert_eq!(known.up_to(&id(1)).unwrap(), &commits()[..1]);
        assert_eq!(known.up_to(&id(2)), None);
        assert_eq!(known.digest(&id(3)), Some(digest(&id(3))));
    }

    #[test]
    fn any_other_byte_is_refused() {
        let bytes = compose(&commits(), |blob| Some(digest(blob))).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_eq!(KnownLog::parse(&other), None, "byte {at}");
            assert_eq!(KnownLog::parse(&bytes[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_path_that_breaks_the_line_is_not_kept() {
        let added = vec![("a\nend".to_owned(), id(2))];
        assert_eq!(compose(&[LogCommit { id: id(1), added, checkpoint: None }], |blob| Some(digest(blob))), None);
        assert_eq!(compose(&commits(), |_| None), None);
    }
}
