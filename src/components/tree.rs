//! The wanted files of one tree, by path and by kind, and the paths that files name each other by.
//!
//! Never here: a file outside the tree. A relative path that leaves the tree has no answer.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::kind::Kind;
use super::structured;
use crate::domain::{Digest, ObjectId, RepoPath};

/// A view of the files that the readers share.
pub(super) struct Tree<'a> {
    files: BTreeMap<&'a [u8], File<'a>>,
    gitlinks: &'a [(RepoPath, String)],
    asked: Option<RefCell<BTreeSet<Question>>>,
}

/// What a reader asks of a tree. What it makes of the tree follows from the answers, and from nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    OfKind(Kind),
    Unread,
    Programs,
    Submodules,
    At(Vec<u8>),
}

/// What a tree answers, told by the ids of contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Several(Digest),
    One(Option<ObjectId>),
}

/// One file.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    /// Where it stands.
    pub(super) path: &'a RepoPath,
    /// What it is by its name.
    pub(super) kind: Kind,
    /// What it says.
    pub(super) bytes: &'a [u8],
    /// Git's id of its content, where it is known.
    pub(super) id: Option<ObjectId>,
}

impl<'a> Tree<'a> {
    /// Takes the files whose names are known.
    pub(super) fn new(files: impl Iterator<Item = File<'a>>, gitlinks: &'a [(RepoPath, String)]) -> Self {
        Self { files: files.map(|file| (file.path.as_bytes(), file)).collect(), gitlinks, asked: None }
    }

    /// From now on it is noted what is asked.
    pub(super) fn noting(self) -> Self {
        Self { asked: Some(RefCell::default()), ..self }
    }

    /// Returns what was asked since the last time.
    pub(super) fn take_asked(&self) -> BTreeSet<Question> {
        self.asked.as_ref().map(RefCell::take).unwrap_or_default()
    }

    fn note(&self, question: impl FnOnce() -> Question) {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().insert(question());
        }
    }

    /// Answers for the sets of files; the same answer means the same files with the same contents.
    pub(super) fn several(&self) -> BTreeMap<Question, Answer> {
        let mut lists: BTreeMap<Question, Vec<u8>> = BTreeMap::new();
        let mut put = |question: Question, path: &[u8], id: &str| {
            let list = lists.entry(question).or_default();
            list.extend_from_slice(path);
            list.push(0);
            list.extend_from_slice(id.as_bytes());
            list.push(0);
        };
        for file in self.files.values() {
            let id = file.id.map(|id| id.to_string()).unwrap_or_default();
            put(Question::OfKind(file.kind), file.path.as_bytes(), &id);
            match file.kind {
                Kind::Unread(_) => put(Question::Unread, file.path.as_bytes(), &id),
                Kind::Program(_) => put(Question::Programs, file.path.as_bytes(), &id),
                _ => {}
            }
        }
        for (path, id) in self.gitlinks {
            put(Question::Submodules, path.as_bytes(), id);
        }
        lists.into_iter().map(|(question, list)| (question, Answer::Several(Digest::of(&list)))).collect()
    }

    /// Answers one question; `several` is what this tree answers for sets.
    pub(super) fn answer(&self, question: &Question, several: &BTreeMap<Question, Answer>) -> Answer {
        match question {
            Question::At(path) => Answer::One(self.files.get(path.as_slice()).and_then(|file| file.id)),
            // A kind without files has no list.
            set => several.get(set).cloned().unwrap_or(Answer::One(None)),
        }
    }

    /// Returns path and commit of each submodule.
    pub(super) fn gitlinks(&self) -> &'a [(RepoPath, String)] {
        self.note(|| Question::Submodules);
        self.gitlinks
    }

    /// Returns the files of a kind, sorted by path.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = File<'a>> {
        self.note(|| Question::OfKind(kind));
        self.files.values().copied().filter(move |file| file.kind == kind)
    }

    /// Returns the files that no reader takes.
    pub(super) fn unread(&self) -> impl Iterator<Item = File<'a>> {
        self.note(|| Question::Unread);
        self.files.values().copied().filter(|file| matches!(file.kind, Kind::Unread(_)))
    }

    /// Returns the manifests that are not evaluated.
    pub(super) fn programs(&self) -> impl Iterator<Item = File<'a>> {
        self.note(|| Question::Programs);
        self.files.values().copied().filter(|file| matches!(file.kind, Kind::Program(_)))
    }

    /// Returns the file at a path.
    pub(super) fn find(&self, path: &[u8]) -> Option<File<'a>> {
        self.note(|| Question::At(path.to_vec()));
        self.files.get(path).copied()
    }

    /// Returns the file of that name in a folder.
    pub(super) fn in_folder(&self, folder: &[u8], name: &str) -> Option<File<'a>> {
        self.find(&joined(folder, name.as_bytes()))
    }
}

impl<'a> File<'a> {
    /// Returns the content as text, without a byte order mark.
    ///
    /// # Errors
    /// Where it is not UTF-8.
    pub(super) fn text(&self) -> Result<&'a str, String> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.bytes);
        std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 from byte {}", error.valid_up_to()))
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// Where it is another shape; the reason names the place and never repeats the content, which may be a secret.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        let text = self.text()?;
        if structured::is_too_much_json(text.as_bytes()) {
            return Err("it holds more objects and values than any lock file needs".to_owned());
        }
        serde_json::from_str(text).map_err(|error| {
            let what = if error.is_data() { "of another shape" } else { "not JSON" };
            format!("{what} at line {}, column {}", error.line(), error.column())
        })
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// As [`File::json`].
    pub(super) fn toml<T: DeserializeOwned>(&self) -> Result<T, String> {
        let text = self.text()?;
        if structured::is_too_much_toml(text) {
            return Err("it holds more tables and values than any lock file needs".to_owned());
        }
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.as_bytes().get(..span.start));
            let line = before.map_or(0, |before| memchr::memchr_iter(b'\n', before).count()) + 1;
            format!("not TOML of the expected shape at line {line}")
        })
    }
}

/// Returns a folder and a name as one path.
pub(super) fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() || name.is_empty() {
        return [folder, name].concat();
    }
    [folder, b"/", name].concat()
}

/// Returns the path that `relative` names from `folder`; nothing where it is absolute, leaves the tree or tries to
/// look like something else.
pub(super) fn resolved(folder: &[u8], relative: &str) -> Option<Vec<u8>> {
    if relative.starts_with('/') || relative.chars().any(|c| c.is_control() || c == '\\' || c == ':') {
        return None;
    }
    let mut names: Vec<&[u8]> = folder.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
    for name in relative.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name.as_bytes()),
        }
    }
    Some(names.join(&b'/'))
}

/// Returns a folder, the folder that it stands in, and so on up to the top, which is empty.
pub(super) fn upwards(folder: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(Some(folder), |folder| match folder.iter().rposition(|byte| *byte == b'/') {
        Some(at) => folder.get(..at),
        None if folder.is_empty() => None,
        None => Some(&[]),
    })
}

/// Says whether a path stands in a folder, at any depth.
pub(super) fn stands_in(path: &[u8], folder: &[u8]) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_never_leave_the_tree() {
        for (folder, relative, path) in [
            ("a/b", "../c.txt", Some("a/c.txt")),
            ("", "./x", Some("x")),
            ("a", "../../etc/passwd", None),
            ("a", "/etc/passwd", None),
            ("a", "..\\x", None),
            ("a", "https://host/x", None),
            ("a", "x\0y", None),
        ] {
            let found = resolved(folder.as_bytes(), relative);
            assert_eq!(found.as_deref(), path.map(str::as_bytes), "{relative:?}");
        }
    }

    #[test]
    fn upwards_ends_at_the_top() {
        let folders: Vec<_> = upwards(b"a/b").collect();
        assert_eq!(folders, [&b"a/b"[..], b"a", b""]);
    }
}
