//! The log's tree and leaves as files that witnesses and monitors read: C2SP tlog-tiles.
//!
//! A pure function of the leaves. Never here: which of these files the log holds already. Format: docs/format.md §8.4.

use std::collections::BTreeMap;
use std::fmt;

use super::merkle::{leaf_hash, merkle_root};
use crate::domain::Sha256Digest;

/// How many hashes or entries a full tile has.
const WIDTH: usize = 256;
/// The highest level that the format has a name for.
const HIGHEST_LEVEL: u8 = 63;

/// Why bytes are no tile, or leaves have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileDefect {
    /// A leaf has more bytes than an entry bundle can say; how many.
    LeafTooLong(usize),
    /// An entry ends after the bundle does.
    Truncated,
    /// No entries, or more than 256.
    Count,
}

impl TileDefect {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        "GB-LOG-TILE"
    }
}

impl fmt::Display for TileDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeafTooLong(size) => write!(f, "a leaf of {size} bytes is longer than the 65535 of an entry"),
            Self::Truncated => f.write_str("the bytes end inside an entry"),
            Self::Count => f.write_str("a tile has 1 to 256 entries"),
        }
    }
}

impl std::error::Error for TileDefect {}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileContent {
    /// Hashes of the tree, of this level: each over 256 times as many leaves as those of the level below.
    Hashes(u8),
    /// The leaves themselves.
    Entries,
}

/// Where a tile stands: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileName {
    /// What it holds.
    pub content: TileContent,
    /// Which one from the left.
    pub index: u64,
    /// How many hashes or entries, 1 to 256.
    pub width: u16,
}

impl TileName {
    /// Parses a path in its one spelling.
    pub fn parse(path: &str) -> Option<Self> {
        let (shelf, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let content = match shelf {
            "entries" => TileContent::Entries,
            level => TileContent::Hashes(level.parse().ok().filter(|level| *level <= HIGHEST_LEVEL)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| (1..256).contains(width))?),
            None => (rest, 256),
        };
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let name = Self { content, index: digits.parse().ok()?, width };
        // Signs, leading zeroes, groups of another length: whatever is not written so is not read.
        (name.to_string() == path).then_some(name)
    }
}

impl fmt::Display for TileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            TileContent::Hashes(level) => write!(f, "tile/{level}/")?,
            TileContent::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        f.write_str(&groups.join("/"))?;
        if usize::from(self.width) < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// Returns all tiles of a log that has exactly these leaves, by path: the full ones, and at the right edge of each level
/// the partial one, where it is not empty.
///
/// # Errors
/// [`TileDefect::LeafTooLong`].
pub fn tiles(leaves: &[Vec<u8>]) -> Result<BTreeMap<String, Vec<u8>>, TileDefect> {
    let mut tiles = BTreeMap::new();
    for (index, chunk) in (0..).zip(leaves.chunks(WIDTH)) {
        tiles.insert(name(TileContent::Entries, index, chunk.len()), compose_entries(chunk)?);
    }
    let mut hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    for level in 0..=HIGHEST_LEVEL {
        for (index, chunk) in (0..).zip(hashes.chunks(WIDTH)) {
            let bytes = chunk.iter().flat_map(Sha256Digest::as_bytes).copied().collect();
            tiles.insert(name(TileContent::Hashes(level), index, chunk.len()), bytes);
        }
        hashes = hashes.chunks_exact(WIDTH).map(merkle_root).collect();
        if hashes.is_empty() {
            break;
        }
    }
    Ok(tiles)
}

fn name(content: TileContent, index: u64, width: usize) -> String {
    TileName { content, index, width: u16::try_from(width).unwrap_or(u16::MAX) }.to_string()
}

fn compose_entries(entries: &[Vec<u8>]) -> Result<Vec<u8>, TileDefect> {
    let mut bundle = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TileDefect::LeafTooLong(entry.len()))?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

/// Takes an entry bundle apart, to the last byte. Its name says how many entries it must have.
///
/// # Errors
/// [`TileDefect`], where it is none.
pub fn parse_entries(bundle: &[u8]) -> Result<Vec<Vec<u8>>, TileDefect> {
    let (mut rest, mut entries) = (bundle, Vec::new());
    while !rest.is_empty() {
        if entries.len() == WIDTH {
            return Err(TileDefect::Count);
        }
        let (length, after) = rest.split_first_chunk::<2>().ok_or(TileDefect::Truncated)?;
        let (entry, after) = after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(TileDefect::Truncated)?;
        entries.push(entry.to_vec());
        rest = after;
    }
    if entries.is_empty() { Err(TileDefect::Count) } else { Ok(entries) }
}

/// Takes a tile of hashes apart, to the last byte. Its name says how many hashes it must have.
///
/// # Errors
/// [`TileDefect`], where it is none.
pub fn parse_hashes(tile: &[u8]) -> Result<Vec<Sha256Digest>, TileDefect> {
    let (hashes, rest) = tile.as_chunks::<32>();
    match (rest.is_empty(), hashes.len()) {
        (false, _) => Err(TileDefect::Truncated),
        (true, 1..=WIDTH) => Ok(hashes.iter().copied().map(Sha256Digest::from_bytes).collect()),
        (true, _) => Err(TileDefect::Count),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|number| number.to_string().into_bytes()).collect()
    }

    fn names(count: usize) -> Vec<String> {
        tiles(&leaves(count)).unwrap().into_keys().collect()
    }

    #[test]
    fn a_log_has_full_tiles_and_one_partial_tile_at_the_right_of_each_level() {
        assert_eq!(names(0), Vec::<String>::new());
        assert_eq!(names(1), ["tile/0/000.p/1", "tile/entries/000.p/1"]);
        assert_eq!(names(255), ["tile/0/000.p/255", "tile/entries/000.p/255"]);
        assert_eq!(names(256), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
        let more = ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/1"];
        assert_eq!(names(257), more);
    }

    #[test]
    fn the_example_of_the_specification_has_the_tiles_that_it_says() {
        let names = names(70_000);
        let count = |begin: &str, full: bool| {
            names.iter().filter(|name| name.starts_with(begin) && name.contains(".p/") != full).count()
        };
        assert_eq!((count("tile/0/", true), count("tile/0/", false)), (273, 1));
        assert_eq!((count("tile/1/", true), count("tile/1/", false)), (1, 1));
        assert_eq!((count("tile/2/", true), count("tile/2/", false), count("tile/3/", false)), (0, 1, 0));
        for name in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"] {
            assert!(names.iter().any(|found| found == name), "{name}");
        }
    }

    #[test]
    fn tiles_hold_what_hashes_to_the_root_and_come_back() {
        let (log, tiles) = (leaves(600), tiles(&leaves(600)).unwrap());
        let hashes = |name: &str| parse_hashes(&tiles[name]).unwrap();
        let bottom = [hashes("tile/0/000"), hashes("tile/0/001"), hashes("tile/0/002.p/88")];
        assert_eq!(hashes("tile/1/000.p/2"), [merkle_root(&bottom[0]), merkle_root(&bottom[1])]);
        assert_eq!(merkle_root(&bottom.concat()), super::super::log_head(&log).root);
        let names = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"];
        let entries = names.map(|name| parse_entries(&tiles[name]).unwrap());
        assert_eq!(entries.concat(), log);
        for (name, bytes) in &tiles {
            let name = TileName::parse(name).unwrap();
            let width = match name.content {
                TileContent::Hashes(_) => parse_hashes(bytes).unwrap().len(),
                TileContent::Entries => parse_entries(bytes).unwrap().len(),
            };
            assert_eq!(width, usize::from(name.width));
        }
    }

    #[test]
    fn a_leaf_has_at_most_65535_bytes() {
        let longest = tiles(&[vec![7; 65_535]]).unwrap();
        assert_eq!(parse_entries(&longest["tile/entries/000.p/1"]).unwrap(), [vec![7; 65_535]]);
        assert_eq!(tiles(&[vec![7; 65_536]]), Err(TileDefect::LeafTooLong(65_536)));
    }

    #[test]
    fn bundles_and_tiles_end_where_they_say() {
        for (bundle, defect) in [
            (&b""[..], TileDefect::Count),
            (b"\0", TileDefect::Truncated),
            (b"\0\x01", TileDefect::Truncated),
            (b"\0\x01ab", TileDefect::Truncated),
            (&[0; 514], TileDefect::Count),
        ] {
            assert_eq!(parse_entries(bundle), Err(defect), "{bundle:?}");
        }
        assert_eq!(parse_entries(&[0; 512]).unwrap().len(), 256, "an empty entry is one");
        for (tile, defect) in [(0, TileDefect::Count), (33, TileDefect::Truncated), (257 * 32, TileDefect::Count)] {
            assert_eq!(parse_hashes(&vec![0; tile]), Err(defect), "{tile}");
        }
    }

    #[test]
    fn paths_have_one_spelling() {
        let hashes = |index, width| TileName { content: TileContent::Hashes(0), index, width };
        assert_eq!(TileName::parse("tile/0/x001/x234/067"), Some(hashes(1_234_067, 256)));
        assert_eq!(TileName::parse("tile/0/000.p/1"), Some(hashes(0, 1)));
        assert_eq!(hashes(1000, 256).to_string(), "tile/0/x001/000");
        assert_eq!(hashes(u64::MAX, 255).to_string(), "tile/0/x018/x446/x744/x073/x709/x551/615.p/255");
        assert_eq!(TileName::parse("tile/63/000").map(|name| name.content), Some(TileContent::Hashes(63)));
        for bad in [
            "tile/64/000",
            "tile/00/000",
            "tile/+1/000",
            "tile/-1/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/000",
            "tile/0/001/234",
            "tile/0/x001",
            "tile/0/x01/234",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/0/000.p/",
            "tile/0/000/",
            "tile/0/",
            "tile/data/000",
            "/tile/0/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(TileName::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600), path in "\\PC*") {
            if let Ok(entries) = parse_entries(&bytes) {
                prop_assert_eq!(compose_entries(&entries), Ok(bytes.clone()));
            }
            let _ = parse_hashes(&bytes);
            for path in [path.clone(), format!("tile/{path}"), format!("tile/0/{path}")] {
                let name = TileName::parse(&path).map(|name| name.to_string());
                prop_assert!(name.is_none_or(|name| name == path));
            }
        }

        #[test]
        fn every_name_comes_back(index: u64, level in 0..64_u8, width in 1..=256_u16) {
            for content in [TileContent::Hashes(level), TileContent::Entries] {
                let name = TileName { content, index, width };
                prop_assert_eq!(TileName::parse(&name.to_string()), Some(name));
            }
        }
    }
}
