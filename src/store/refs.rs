//! References: read by full name only, and moved only from the value that was seen.

use gix::refs::Target;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit as GitEdit, RefLog};

use super::error::line;
use super::object::{from_git, to_git};
use super::{Repository, StoreError};
use crate::domain::ObjectId;

/// A move of one reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefEdit {
    /// Its full name.
    pub name: String,
    /// The value that it must have; none where it must not exist.
    pub expected: Option<ObjectId>,
    /// The value that it gets.
    pub new: ObjectId,
    /// The line for its log.
    pub message: String,
}

pub(super) fn broken(name: &str, error: &gix::Error) -> StoreError {
    StoreError::new("GB-REF-BROKEN", format!("{name} cannot be read: {}", line(error)))
}

impl Repository {
    /// Returns what a reference points to, tags not followed; nothing where it does not exist.
    ///
    /// # Errors
    /// Where it is broken.
    pub fn reference(&self, name: &str) -> Result<Option<ObjectId>, StoreError> {
        let full: gix::refs::FullName = name.try_into().map_err(|_| {
            StoreError::new("GB-REF-BROKEN", format!("\"{}\" is no name of a ref", name.escape_debug()))
        })?;
        let found = self.git.refs.try_find(full.as_ref().as_partial_name()).map_err(|error| broken(name, &error))?;
        match found.filter(|found| found.name == full).map(|found| found.target) {
            None => Ok(None),
            Some(Target::Object(id)) => Ok(Some(from_git(&id))),
            Some(Target::Symbolic(_)) => Err(StoreError::new(
                "GB-REF-SYMBOLIC",
                format!("{name} points to another ref, and must point to an object"),
            )),
        }
    }

    /// Returns the commit that a reference leads to; nothing where it does not exist or is no commit.
    ///
    /// # Errors
    /// Where it is broken, or an object is missing.
    pub fn peeled_reference(&self, name: &str) -> Result<Option<ObjectId>, StoreError> {
        let Some(id) = self.reference(name)? else { return Ok(None) };
        match self.peel(id) {
            Ok(commit) => Ok(Some(commit)),
            Err(error) if error.code() == "GB-REPO-REVISION" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the full names of the references below a prefix, sorted.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub fn references_below(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let platform = self.git.references().map_err(|error| broken(prefix, &error))?;
        let found = platform.prefixed(prefix).map_err(|error| broken(prefix, &error))?;
        let mut names: Vec<String> =
            found.filter_map(Result::ok).map(|found| found.name().as_bstr().to_string()).collect();
        names.sort();
        Ok(names)
    }

    /// Deletes a reference that is at the value that was seen.
    ///
    /// # Errors
    /// `GB-REF-RACE` where another process moved it meanwhile, `GB-REF-LOCKED` where it is locked.
    pub fn delete_reference(&self, name: &str, seen: ObjectId) -> Result<(), StoreError> {
        let full = name.try_into().map_err(|_| {
            StoreError::new("GB-REF-BROKEN", format!("\"{}\" is no name of a ref", name.escape_debug()))
        })?;
        let expected = PreviousValue::MustExistAndMatch(Target::Object(to_git(seen)));
        let change = Change::Delete { expected, log: RefLog::AndReference };
        self.git
            .edit_references_as([GitEdit { change, name: full, deref: false }], Some(committer()))
            .map(|_| ())
            .map_err(|error| moved(&error))
    }

    /// Moves references together: where one of them is not at the value that was seen, none is moved.
    ///
    /// # Errors
    /// `GB-REF-RACE` where another process moved one meanwhile, `GB-REF-LOCKED` where one is locked.
    pub fn update_refs(&self, edits: &[RefEdit]) -> Result<(), StoreError> {
        let edits: Vec<GitEdit> = edits.iter().map(edit).collect::<Result<_, _>>()?;
        self.git.edit_references_as(edits, Some(committer())).map(|_| ()).map_err(|error| moved(&error))
    }
}

fn committer() -> gix::actor::SignatureRef<'static> {
    let name = gix::bstr::BStr::new("git-baseline");
    let email = gix::bstr::BStr::new("git-baseline@localhost");
    gix::actor::SignatureRef { name, email, time: "0 +0000" }
}

fn moved(error: &gix::Error) -> StoreError {
    let why = line(error);
    // What is locked stands in a cause only, and gix tells it by its words.
    let locked = format!("{error:?}").contains("lock");
    let code = if locked { "GB-REF-LOCKED" } else { "GB-REF-RACE" };
    let what = if locked { "a ref is locked by another process" } else { "a ref was moved by another process" };
    StoreError::new(code, format!("{what}, and nothing was moved: {why}"))
}

fn edit(edit: &RefEdit) -> Result<GitEdit, StoreError> {
    let name = edit.name.as_str().try_into();
    let name = name.map_err(|_| {
        StoreError::new("GB-REF-BROKEN", format!("\"{}\" is no name of a ref", edit.name.escape_debug()))
    })?;
    let expected = edit
        .expected
        .map_or(PreviousValue::MustNotExist, |id| PreviousValue::MustExistAndMatch(Target::Object(to_git(id))));
    let log = LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: edit.message.trim().into() };
    Ok(GitEdit { change: Change::Update { log, expected, new: Target::Object(to_git(edit.new)) }, name, deref: false })
}
