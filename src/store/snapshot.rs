//! A commit's tree as a source: entries listed once, contents read by several threads and hashed again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::object::{Found, read};
use super::pack_order::pack_order;
use super::{Repository, StoreError, large, repository};
use crate::collect::{Content, Entry, HELD_AT_MOST, Source};
use crate::domain::{EntryKind, ObjectFormat, ObjectId};

/// A tree of a repository.
pub struct TreeSource<'r> {
    repository: &'r Repository,
    tree: ObjectId,
}

impl<'r> TreeSource<'r> {
    /// Returns the source of a tree.
    pub fn new(repository: &'r Repository, tree: ObjectId) -> Self {
        Self { repository, tree }
    }
}

impl Source for TreeSource<'_> {
    type Error = StoreError;

    fn object_format(&self) -> ObjectFormat {
        self.repository.object_format()
    }

    fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.repository.tree_entries(self.tree)
    }

    fn read_each<T, F>(&self, entries: &[Entry], look: F) -> Result<Vec<T>, StoreError>
    where
        T: Send,
        F: Fn(&Entry, Content<'_>) -> T + Sync,
    {
        read_each(self.repository, entries, look)
    }
}

/// How many entries a thread takes at a time: neighbours in a pack often share delta bases.
const CHUNK: usize = 256;

/// Reads entries, several threads at a time and in the order of the packs where there are many; of several failures the
/// first one in the order of reading is returned.
pub(super) fn read_each<T, F>(repository: &Repository, entries: &[Entry], look: F) -> Result<Vec<T>, StoreError>
where
    T: Send,
    F: Fn(&Entry, Content<'_>) -> T + Sync,
{
    if entries.len() <= CHUNK {
        return entries.iter().map(|entry| read_one(&repository.git, entry, &look)).collect();
    }
    let shared = repository.shared();
    let order: Vec<(usize, &Entry)> =
        pack_order(repository, entries).into_iter().filter_map(|at| Some((at, entries.get(at)?))).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..repository::threads() {
            let git = shared.to_thread_local();
            let (order, next, done, look) = (&order, &next, &done, &look);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(chunk) = order.chunks(CHUNK).nth(at) else { return };
                    let read: Result<Vec<(usize, T)>, StoreError> =
                        chunk.iter().map(|(at, entry)| Ok((*at, read_one(&git, entry, look)?))).collect();
                    let failed = read.is_err();
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, read));
                    if failed {
                        // What others hold is finished; nobody begins anything new.
                        next.store(entries.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    let mut values = Vec::with_capacity(entries.len());
    for (_, read) in done {
        values.extend(read?);
    }
    values.sort_unstable_by_key(|(at, _)| *at);
    Ok(values.into_iter().map(|(_, value)| value).collect())
}

fn read_one<T>(
    git: &gix::Repository,
    entry: &Entry,
    look: &impl Fn(&Entry, Content<'_>) -> T,
) -> Result<T, StoreError> {
    if entry.mode.kind() == EntryKind::Gitlink {
        return Ok(look(entry, Content::Gitlink));
    }
    match read(git, entry.id, "blob")? {
        Found::Held(gix::objs::Kind::Blob, bytes) if bytes.len() as u64 <= HELD_AT_MOST => {
            Ok(look(entry, Content::Held(&bytes)))
        }
        Found::Held(gix::objs::Kind::Blob, bytes) => {
            let digests = crate::domain::DigestSet::of(&bytes);
            Ok(look(entry, Content::Streamed { size: bytes.len() as u64, digests }))
        }
        Found::Held(kind, _) => {
            Err(StoreError::malformed(entry.id, format!("{} is a {kind} where a blob is needed", entry.path)))
        }
        Found::TooLarge => {
            let (size, digests) = large::digests(git, entry.id)?;
            Ok(look(entry, Content::Streamed { size, digests }))
        }
    }
}
