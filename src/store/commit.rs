//! A commit's raw bytes, taken apart strictly: a second `tree` or `author` line is an attack, not a commit (A20).
//!
//! Never here: re-encoding. What is hashed and signed are the bytes that were read.

use super::StoreError;
use crate::domain::ObjectId;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents, in their order.
    pub parents: Vec<ObjectId>,
    /// Who says to have written it.
    pub author: Identity,
    /// Who says to have committed it.
    pub committer: Identity,
    /// What stands after the headers.
    pub message: Vec<u8>,
    /// The whole object, without Git's own header.
    pub raw: Vec<u8>,
}

/// A name, an address, and a time in seconds since 1970, as a commit claims them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// Seconds since 1970.
    pub time: i64,
}

impl Commit {
    pub(super) fn parse(id: ObjectId, raw: Vec<u8>) -> Result<Self, StoreError> {
        let fail = |what: &str| StoreError::malformed(id, what);
        let end = raw.windows(2).position(|pair| pair == b"\n\n");
        let head = raw.get(..end.map_or(raw.len(), |at| at + 1)).unwrap_or_default();
        let message = end.and_then(|at| raw.get(at + 2..)).unwrap_or_default().to_vec();
        if head.contains(&0) {
            return Err(fail("a NUL in its headers"));
        }
        // A line that begins with a space continues the one before, as signatures do.
        let mut lines =
            head.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b" ")).peekable();
        let named = |line: Option<&[u8]>, name: &str| -> Option<Vec<u8>> {
            Some(line?.strip_prefix(name.as_bytes())?.strip_prefix(b" ")?.to_vec())
        };
        let object = |value: &[u8]| std::str::from_utf8(value).ok().and_then(ObjectId::parse);
        let tree = named(lines.next(), "tree").and_then(|value| object(&value)).ok_or_else(|| fail("no tree first"))?;
        let mut parents = Vec::new();
        while let Some(value) = named(lines.peek().copied(), "parent") {
            parents.push(object(&value).ok_or_else(|| fail("a parent that is no id"))?);
            lines.next();
        }
        let author = named(lines.next(), "author").ok_or_else(|| fail("no author after tree and parents"))?;
        let committer = named(lines.next(), "committer").ok_or_else(|| fail("no committer after the author"))?;
        for line in lines {
            if [&b"tree "[..], b"parent ", b"author ", b"committer "].iter().any(|name| line.starts_with(name)) {
                return Err(fail("a header that must stand once stands again"));
            }
        }
        Ok(Self {
            id,
            tree,
            parents,
            author: Identity::parse(&author),
            committer: Identity::parse(&committer),
            message,
            raw,
        })
    }
}

impl Commit {
    /// Returns what Git's own signature of the commit covers, and that signature in its armour; nothing where there is
    /// none, or more than one.
    pub fn signed_payload(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let end = self.raw.windows(2).position(|pair| pair == b"\n\n")?;
        let (head, rest) = self.raw.split_at(end + 1);
        let (mut payload, mut armour, mut inside, mut found) = (Vec::new(), Vec::new(), false, 0);
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let first = ["gpgsig ", "gpgsig-sha256 "].iter().find_map(|name| line.strip_prefix(name.as_bytes()));
            match (first, line.strip_prefix(b" ")) {
                (Some(first), _) => {
                    (inside, found) = (true, found + 1);
                    armour.extend_from_slice(first);
                }
                (None, Some(more)) if inside => armour.extend_from_slice(more),
                _ => {
                    inside = false;
                    payload.extend_from_slice(line);
                }
            }
        }
        payload.extend_from_slice(rest);
        (found == 1).then_some((payload, armour))
    }
}

impl Identity {
    /// Takes `Name <address> seconds zone` apart; what is missing is empty, for old commits are of every kind.
    fn parse(line: &[u8]) -> Self {
        let text = String::from_utf8_lossy(line);
        let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
        let (email, rest) = rest.split_once('>').unwrap_or((rest, ""));
        let time = rest.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        Self { name: name.trim().to_owned(), email: email.trim().to_owned(), time }
    }

    /// Returns the form that commits hold, without what would break it.
    pub(super) fn to_line(&self) -> String {
        let plain =
            |text: &str| text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect::<String>();
        format!("{} <{}> {} +0000", plain(&self.name).trim(), plain(&self.email).trim(), self.time.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
    const PEOPLE: &str = "author A <a@b> 1 +0000\ncommitter C <c@d> 2 +0100\n";

    fn parse(text: &str) -> Result<Commit, StoreError> {
        Commit::parse(ObjectId::Sha1([0; 20]), text.as_bytes().to_vec())
    }

    #[test]
    fn a_commit_with_a_signature_is_read() {
        let commit = parse(&format!("{TREE}{PEOPLE}gpgsig x\n tree y\n\nTitle\n\nBody\n")).unwrap();
        assert_eq!((commit.author.name.as_str(), commit.committer.time), ("A", 2));
        assert_eq!(commit.message, b"Title\n\nBody\n");
    }

    #[test]
    fn commits_that_say_something_twice_are_refused() {
        for bad in [
            format!("{TREE}{TREE}{PEOPLE}\nx"),
            format!("{TREE}{PEOPLE}author B <b@b> 1 +0000\n\nx"),
            format!("{TREE}{PEOPLE}{TREE}\nx"),
            format!("{PEOPLE}{TREE}\nx"),
            format!("{TREE}author A\0<a@b> 1 +0000\ncommitter C <c@d> 2 +0100\n\nx"),
            format!("{TREE}\nx"),
            String::new(),
        ] {
            assert_eq!(parse(&bad).map_err(|error| error.code()), Err("GB-OBJ-MALFORMED"), "{bad:?}");
        }
    }
}
