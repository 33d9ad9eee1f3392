//! Writing objects. Nothing that is written here is seen before a ref moves to it (`update_refs`).

use std::collections::BTreeMap;

use gix::objs::{Kind, Write as _};

use super::error::line;
use super::log_history::is_derived;
use super::object::from_git;
use super::{Identity, Repository, StoreError};
use crate::domain::{Mode, ObjectId};

/// A folder while its tree is being built.
#[derive(Default)]
struct Folder {
    files: BTreeMap<Vec<u8>, (Mode, ObjectId)>,
    folders: BTreeMap<Vec<u8>, Self>,
}

impl Folder {
    fn insert(&mut self, path: &[u8], entry: (Mode, ObjectId)) {
        match path.iter().position(|byte| *byte == b'/') {
            None => {
                self.files.insert(path.to_vec(), entry);
            }
            Some(at) => {
                let (name, rest) = path.split_at(at);
                self.folders.entry(name.to_vec()).or_default().insert(rest.get(1..).unwrap_or_default(), entry);
            }
        }
    }
}

impl Repository {
    fn write(&self, kind: Kind, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        let written = self.git.objects.write_buf(kind, bytes);
        written
            .map(|id| from_git(&id))
            .map_err(|error| StoreError::new("GB-REPO-WRITE", format!("a {kind} cannot be written: {}", line(&error))))
    }

    /// Writes a blob.
    ///
    /// # Errors
    /// Where the repository cannot be written.
    pub fn write_blob(&self, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        self.write(Kind::Blob, bytes)
    }

    /// Writes a tree, with its subtrees, of full paths.
    ///
    /// # Errors
    /// Where the repository cannot be written.
    pub fn write_tree(&self, entries: &BTreeMap<Vec<u8>, (Mode, ObjectId)>) -> Result<ObjectId, StoreError> {
        let mut root = Folder::default();
        for (path, entry) in entries {
            root.insert(path, *entry);
        }
        self.write_folder(&root)
    }

    fn write_folder(&self, folder: &Folder) -> Result<ObjectId, StoreError> {
        let mut lines: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let line =
            |mode: &str, name: &[u8], id: &ObjectId| [mode.as_bytes(), b" ", name, b"\0", id.as_bytes()].concat();
        for (name, (mode, id)) in &folder.files {
            lines.push((name.clone(), line(mode.to_string().trim_start_matches('0'), name, id)));
        }
        for (name, inner) in &folder.folders {
            lines.push(([name, &b"/"[..]].concat(), line("40000", name, &self.write_folder(inner)?)));
        }
        // Git sorts folders as if their names ended in a slash.
        lines.sort();
        self.write(Kind::Tree, &lines.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<u8>>())
    }

    /// Writes a commit by one identity.
    ///
    /// # Errors
    /// Where the repository cannot be written.
    pub fn write_commit(
        &self,
        tree: ObjectId,
        parents: &[ObjectId],
        identity: &Identity,
        message: &str,
    ) -> Result<ObjectId, StoreError> {
        let who = identity.to_line();
        let parents: Vec<String> = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let parents = parents.concat();
        let text = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\n{message}");
        self.write(Kind::Commit, text.as_bytes())
    }

    /// Writes a commit of the log that adds `files` to those of `head`, and that puts `derived` in the place of what was
    /// computed from the statements before; the ref itself is moved by the caller.
    ///
    /// # Errors
    /// `GB-LOG-REWRITTEN` where a file is there already; where objects cannot be read or written.
    pub fn append_to_log(
        &self,
        head: Option<ObjectId>,
        files: &BTreeMap<String, Vec<u8>>,
        derived: Option<&BTreeMap<String, Vec<u8>>>,
        identity: &Identity,
        message: &str,
    ) -> Result<ObjectId, StoreError> {
        let mut entries = BTreeMap::new();
        if let Some(head) = head {
            for entry in self.tree_entries(self.commit(head)?.tree)? {
                entries.insert(entry.path.as_bytes().to_vec(), (entry.mode, entry.id));
            }
        }
        for (path, bytes) in files {
            let blob = self.write_blob(bytes)?;
            if entries.insert(path.clone().into_bytes(), (Mode::FILE, blob)).is_some() {
                return Err(StoreError::new(
                    "GB-LOG-REWRITTEN",
                    format!("the log holds {path} already, and it never changes"),
                ));
            }
        }
        if let Some(derived) = derived {
            entries.retain(|path, _| !is_derived(path));
            for (path, bytes) in derived {
                entries.insert(path.clone().into_bytes(), (Mode::FILE, self.write_blob(bytes)?));
            }
        }
        let tree = self.write_tree(&entries)?;
        self.write_commit(tree, head.as_slice(), identity, message)
    }
}
