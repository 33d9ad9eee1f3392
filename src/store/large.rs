//! Blobs that are too large to be held: inflated as a stream, hashed on the way, never kept.
//!
//! Git stores files above `core.bigFileThreshold` (512 MiB) without deltas, so a stream is all that it takes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use gix::objs::Kind;
use gix::odb::pack;

use super::StoreError;
use super::object::{not_its_id, to_git};
use crate::domain::{ContentHasher, DigestSet, ObjectId};

/// Takes the pieces of a blob, one after the other.
type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> io::Result<()>;

/// Returns size and digests of a blob of any size.
pub(super) fn digests(git: &gix::Repository, id: ObjectId) -> Result<(u64, DigestSet), StoreError> {
    stream(git, id, &mut |_| Ok(()))
}

/// Hands a blob of any size to `sink`, and returns its size and digests. Only then is it known to be what its id says.
pub(super) fn stream(git: &gix::Repository, id: ObjectId, sink: Sink<'_>) -> Result<(u64, DigestSet), StoreError> {
    let hex = id.to_string();
    let (folder, rest) = hex.split_at_checked(2).unwrap_or((&hex, ""));
    let objects = git.objects.store_ref().path().to_owned();
    let damaged =
        |error: &dyn std::fmt::Display| StoreError::new("GB-OBJ-DAMAGED", format!("blob {id} cannot be read: {error}"));
    if let Ok(file) = File::open(objects.join(folder).join(rest)) {
        return loose(file, git.object_hash(), id, sink).map_err(|error| damaged(&error))?;
    }
    let mut indexes: Vec<_> = std::fs::read_dir(objects.join("pack"))
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
        .unwrap_or_default();
    indexes.retain(|path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "idx"));
    indexes.sort();
    for index in indexes {
        if let Some(found) = packed(&index, git.object_hash(), id, sink).map_err(|error| damaged(&error))? {
            return found;
        }
    }
    Err(StoreError::new(
        "GB-OBJ-TOO-LARGE",
        format!("blob {id} is larger than 256 MiB, and not stored so that it can be read as a stream"),
    ))
}

type Streamed = Result<(u64, DigestSet), StoreError>;

fn loose(file: File, hash: gix::hash::Kind, id: ObjectId, sink: Sink<'_>) -> io::Result<Streamed> {
    let mut inflated = BufReader::new(Inflated::new(BufReader::new(file)));
    let mut head = Vec::new();
    inflated.by_ref().take(64).read_until(0, &mut head)?;
    let size =
        std::str::from_utf8(&head).ok().and_then(|text| text.strip_prefix("blob ")?.strip_suffix('\0')?.parse().ok());
    match size {
        Some(size) => hash_all(inflated, size, hash, id, sink),
        None => Ok(Err(not_its_id(id, "blob"))),
    }
}

/// Reads the blob out of a pack, where the pack holds it whole.
fn packed(
    index: &Path,
    hash: gix::hash::Kind,
    id: ObjectId,
    sink: Sink<'_>,
) -> Result<Option<Streamed>, Box<dyn std::error::Error>> {
    let names = pack::index::File::at(index, hash).map_err(|error| error.to_string())?;
    let Some(at) = names.lookup(to_git(id)) else { return Ok(None) };
    let offset = names.pack_offset_at_index(at);
    let mut file = BufReader::new(File::open(index.with_extension("pack"))?);
    file.seek(SeekFrom::Start(offset))?;
    let entry = pack::data::Entry::from_read(&mut file, offset, hash.len_in_bytes())?;
    if entry.header.as_kind() != Some(Kind::Blob) {
        return Ok(None);
    }
    Ok(Some(hash_all(Inflated::new(file), entry.decompressed_size, hash, id, sink)?))
}

/// Hashes exactly `size` bytes, as Git does and as we do, and compares with the id.
fn hash_all(
    content: impl Read,
    size: u64,
    hash: gix::hash::Kind,
    id: ObjectId,
    sink: Sink<'_>,
) -> io::Result<Streamed> {
    let mut git = gix::hash::hasher(hash);
    git.update(format!("blob {size}\0").as_bytes());
    let mut ours = ContentHasher::default();
    let mut buffer = vec![0; 256 * 1024];
    // One byte too many is enough to know that it is not what its id says.
    let mut content = content.take(size.saturating_add(1));
    loop {
        let count = content.read(&mut buffer)?;
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        git.update(piece);
        ours.update(piece);
        sink(piece)?;
    }
    let (seen, digests) = ours.finish();
    let right = seen == size && git.try_finalize().is_ok_and(|actual| actual == to_git(id));
    Ok(if right { Ok((seen, digests)) } else { Err(not_its_id(id, "blob")) })
}

/// What a zlib stream holds.
struct Inflated<R> {
    input: R,
    state: gix::zlib::Decompress,
}

impl<R> Inflated<R> {
    fn new(input: R) -> Self {
        Self { input, state: gix::zlib::Decompress::new() }
    }
}

impl<R: BufRead> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        gix::zlib::stream::inflate::read(&mut self.input, &mut self.state, buffer)
    }
}
