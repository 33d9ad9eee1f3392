//! What one reader made of one file: components, gaps, and whether it could be read at all.
//!
//! Never here: a name or version that would act up on a terminal or in a file of ours; such entries are gaps.

use std::collections::BTreeSet;

use super::first_party::FirstParty;
use super::kind::Kind;
use crate::domain::{Component, ComponentHash, Coverage, CoverageStatus, RepoPath, Scope};

/// So many gaps of one file are spelled out; a hostile file could name millions.
const MOST_GAPS: usize = 200;

/// No registry allows longer names or versions.
const LONGEST: usize = 300;

/// A purl is repeated wherever something depends on it, so that a long one would multiply.
const LONGEST_PURL: usize = 1000;

/// So many dependencies of one file's components are kept; the largest products have some ten thousand.
const MOST_EDGES: usize = 200_000;

/// So many components of one file are kept; the largest products have some ten thousand in all.
pub(super) const MOST_COMPONENTS: usize = 25_000;

/// The result of reading one file.
#[derive(Clone)]
pub(super) struct Reading {
    /// The file.
    pub(super) path: RepoPath,
    components: Vec<Component>,
    /// The product's own packages that the file names.
    pub(super) first_party: Vec<FirstParty>,
    reader: &'static str,
    status: CoverageStatus,
    gaps: BTreeSet<String>,
    more_gaps: usize,
    edges: usize,
    /// How many components were begun, whether or not they were added.
    begun: usize,
    /// How many components it names, where they are listed elsewhere.
    named: Option<u64>,
}

impl Reading {
    /// Begins a reading that will go well.
    pub(super) fn new(kind: Kind, path: &RepoPath) -> Self {
        Self {
            path: path.clone(),
            components: Vec::new(),
            first_party: Vec::new(),
            reader: kind.reader(),
            status: CoverageStatus::Parsed,
            gaps: BTreeSet::new(),
            more_gaps: 0,
            edges: 0,
            begun: 0,
            named: None,
        }
    }

    /// Returns the reading of a file that has another end than to be read.
    pub(super) fn ended(kind: Kind, path: &RepoPath, status: CoverageStatus, why: &str) -> Self {
        let mut reading = Self::new(kind, path);
        reading.status = status;
        reading.gap(why);
        reading
    }

    /// Returns the reading of a file that could not be read.
    pub(super) fn failed(kind: Kind, path: &RepoPath, why: &str) -> Self {
        Self::ended(kind, path, CoverageStatus::Failed, why)
    }

    /// Marks the file as one that declares components and has no lock.
    pub(super) fn unlocked(&mut self) {
        self.status = CoverageStatus::Unlocked;
    }

    /// Says how many components the file names when the reading lists none of them.
    pub(super) fn names(&mut self, count: usize) {
        self.named = Some(count as u64);
    }

    /// Adds what is missing.
    pub(super) fn gap(&mut self, gap: &str) {
        let gap = shown(gap);
        if self.gaps.len() < MOST_GAPS {
            self.gaps.insert(gap);
        } else if !self.gaps.contains(&gap) {
            self.more_gaps += 1;
        }
    }

    /// Begins a component that this file names; an entry with an unusable name or version is a gap instead.
    pub(super) fn component(
        &mut self,
        ecosystem: &str,
        name: &str,
        version: Option<&str>,
        purl: String,
    ) -> Option<Component> {
        if self.begun >= MOST_COMPONENTS {
            self.gap("it names more components than are kept");
            return None;
        }
        self.begun += 1;
        if !is_usable(name, version, &purl) {
            self.gap(&format!("an entry has an unusable name or version: {name} {}", version.unwrap_or_default()));
            return None;
        }
        Some(Component {
            name: name.to_owned(),
            purl,
            scope: Scope::Runtime,
            direct: None,
            hashes: Vec::new(),
            overlay: None,
            support: None,
            version: version.map(str::to_owned),
            category: None,
            found_in: vec![self.path.clone()],
            licenses: Vec::new(),
            supplier: None,
            ecosystem: ecosystem.to_owned(),
            dependencies: Vec::new(),
        })
    }

    /// Notes a package of the product's own. One that cannot be shown is left out: it is in nobody's list.
    pub(super) fn own(&mut self, ecosystem: &str, name: &str, version: Option<&str>, purl: String) {
        if self.first_party.len() >= MOST_COMPONENTS || !is_usable(name, version, &purl) {
            return;
        }
        self.first_party.push(FirstParty {
            purl,
            name: name.to_owned(),
            version: version.map(str::to_owned),
            ecosystem: ecosystem.to_owned(),
            found_in: vec![self.path.clone()],
        });
    }

    /// Adds a component that this file names.
    pub(super) fn add(&mut self, mut component: Component) {
        let left = MOST_EDGES - self.edges;
        if component.dependencies.len() > left {
            self.gap("it names more dependencies than are kept");
            component.dependencies.truncate(left);
        }
        self.edges += component.dependencies.len();
        self.components.push(component);
    }

    /// Returns a hash that this file holds.
    pub(super) fn hash(&self, alg: &str, value: &str) -> ComponentHash {
        ComponentHash { alg: alg.to_owned(), value: value.to_owned(), origin: self.path.clone() }
    }

    /// Returns what the file named, unmerged.
    pub(super) fn into_components(self) -> Vec<Component> {
        self.components
    }

    /// Returns what became of the file. Components are counted once per purl.
    pub(super) fn coverage(&self) -> Coverage {
        let purls: BTreeSet<&str> = self.components.iter().map(|component| component.purl.as_str()).collect();
        let mut gaps: Vec<String> = self.gaps.iter().cloned().collect();
        if self.more_gaps > 0 {
            gaps.push(format!("… and {} more", self.more_gaps));
        }
        Coverage {
            path: self.path.clone(),
            gaps,
            status: self.status,
            reader: self.reader.to_owned(),
            components: self.named.unwrap_or(purls.len() as u64),
        }
    }
}

/// Says whether a component of that name, version and purl may be stored.
pub(super) fn is_usable(name: &str, version: Option<&str>, purl: &str) -> bool {
    is_sound(name) && version.is_none_or(is_sound) && purl.len() <= LONGEST_PURL
}

/// Says whether a name or version may be stored and shown: no control, space or invisible character.
pub(super) fn is_sound(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !is_invisible(c);
    !text.is_empty() && text.len() <= LONGEST && text.chars().all(plain)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns foreign text so that it can be stored and shown: short, and without control characters.
fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_control() || is_invisible(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Says whether text is so many bytes in lower-case hexadecimal.
pub(super) fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}
