//! The order in which objects stand in the packs: read so, what an object was packed against has just been read.
//!
//! Only a hint about speed: an index that cannot be read, or lies, changes the order of reading and nothing else.

use gix::odb::pack::index::File;

use super::Repository;
use super::object::to_git;
use crate::collect::Entry;

/// Returns the positions of all entries, in the order of the packs; those that are in none come last.
pub(super) fn pack_order(repository: &Repository, entries: &[Entry]) -> Vec<usize> {
    let indices = indices(repository);
    let place = |entry: &Entry| {
        let id = to_git(entry.id);
        let mut found = indices.iter().enumerate().filter_map(|(pack, index)| Some((pack, index, index.lookup(id)?)));
        found.next().map_or((usize::MAX, 0), |(pack, index, at)| (pack, index.pack_offset_at_index(at)))
    };
    let mut order: Vec<_> = entries.iter().map(place).zip(0..).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, at)| at).collect()
}

fn indices(repository: &Repository) -> Vec<File> {
    let folder = repository.git.objects.store_ref().path().join("pack");
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = files.flatten().map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "idx"));
    paths.sort();
    let hash = repository.git.object_hash();
    paths.iter().filter_map(|path| File::at(path, hash).ok()).collect()
}
