//! pip's `requirements*.txt` and `constraints*.txt`.
//!
//! `==` and `===` pin; everything else is a component without a version, and a gap. A constraint pins what another
//! line asks for and names nothing itself. Comments as pip-compile writes them (`# via`) tell what needs what.
//! Never here: a file outside the tree, an index, or a marker's value: what is needed anywhere is listed.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex, is_usable};
use super::requirement::{Line, Requirement, Via, lines};
use super::tree::{File, Tree, resolved};
use crate::domain::{Component, Scope};

/// So many files may hang together by `-r` and `-c`.
const MOST_INCLUDES: usize = 50;

/// One file, parsed.
struct Parsed<'a> {
    file: File<'a>,
    lines: Vec<Line>,
    includes: BTreeSet<Vec<u8>>,
    constraints: BTreeSet<Vec<u8>>,
    gaps: Vec<String>,
}

/// All files, by path.
type Files<'t> = BTreeMap<&'t [u8], Parsed<'t>>;

/// What one file pins, by name; nothing where two of its lines disagree.
type Pins<'p> = BTreeMap<&'p str, Option<&'p str>>;

/// The files whose pins count for one file.
struct Constraints<'p>(Vec<&'p Pins<'p>>);

/// Reads every requirements file of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut files = Files::new();
    let mut readings = Vec::new();
    for file in tree.of_kind(Kind::Requirements) {
        let text = file.text();
        match text.and_then(|text| lines(text).ok_or_else(|| "it has more lines than any product needs".to_owned())) {
            Ok(lines) => drop(files.insert(file.path.as_bytes(), Parsed::new(tree, file, lines))),
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    let constraining: BTreeSet<&[u8]> = files.values().flat_map(|file| &file.constraints).map(Vec::as_slice).collect();
    let sources = sources(&files);
    let used: BTreeSet<&[u8]> = sources.values().flatten().copied().collect();
    let pins: BTreeMap<&[u8], Pins<'_>> =
        used.into_iter().filter_map(|path| Some((path, files.get(path)?.pins()))).collect();
    for (path, file) in &files {
        let constrains = constraining.contains(path) || file.is_constraints_by_name();
        let counting = sources.get(path).into_iter().flatten().filter_map(|source| pins.get(source)).collect();
        readings.push(file.read(constrains, &Constraints(counting)));
    }
    readings
}

/// Returns, for each file, the files that constrain it. pip applies constraints to the whole run: to the file that names
/// them, to what it includes, and to what includes it.
fn sources<'p>(files: &'p Files<'_>) -> BTreeMap<&'p [u8], BTreeSet<&'p [u8]>> {
    let mut included_by: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for (path, file) in files {
        for included in &file.includes {
            included_by.entry(included).or_default().push(path);
        }
    }
    let mut sources: BTreeMap<&[u8], BTreeSet<&[u8]>> = BTreeMap::new();
    for (path, file) in files.iter().filter(|(_, file)| !file.constraints.is_empty()) {
        let constraints = reached(files, file.constraints.iter(), |file| [&file.includes, &file.constraints]);
        let none = BTreeSet::new();
        let below = reached(files, std::iter::once(&path.to_vec()), |file| [&file.includes, &none]);
        let above = included_by.get(path).into_iter().flatten().take(MOST_INCLUDES).copied();
        for target in below.into_iter().chain(above) {
            let known = sources.entry(target).or_default();
            let room = MOST_INCLUDES.saturating_sub(known.len());
            known.extend(constraints.iter().take(room));
        }
    }
    sources
}

/// Returns the files that can be reached, each once, so that a cycle ends.
fn reached<'p, 'f>(
    files: &'p Files<'_>,
    from: impl Iterator<Item = &'f Vec<u8>>,
    next: impl Fn(&'p Parsed<'p>) -> [&'f BTreeSet<Vec<u8>>; 2],
) -> BTreeSet<&'p [u8]>
where
    'p: 'f,
{
    let mut seen = BTreeSet::new();
    let find = |path: &Vec<u8>| files.get_key_value(path.as_slice()).map(|(path, _)| *path);
    let mut open: Vec<&[u8]> = from.take(MOST_INCLUDES).filter_map(find).collect();
    while let Some(path) = open.pop() {
        if seen.len() < MOST_INCLUDES && seen.insert(path) {
            let more = files.get(path).map(&next).into_iter().flatten().flatten();
            open.extend(more.take(MOST_INCLUDES).filter_map(find));
        }
    }
    seen
}

impl Constraints<'_> {
    /// Returns the one version that they pin; nothing where two disagree.
    fn version(&self, name: &str) -> Option<&str> {
        let mut versions = self.0.iter().filter_map(|pins| pins.get(name).copied());
        let first = versions.next()?;
        versions.all(|version| version == first).then_some(first)?
    }
}

impl<'a> Parsed<'a> {
    fn new(tree: &Tree<'_>, file: File<'a>, lines: Vec<Line>) -> Self {
        let mut parsed =
            Self { file, lines: Vec::new(), includes: BTreeSet::new(), constraints: BTreeSet::new(), gaps: Vec::new() };
        for line in &lines {
            let (named, list) = match line {
                Line::Include(named) => (named, &mut parsed.includes),
                Line::Constraint(named) => (named, &mut parsed.constraints),
                Line::Requirement(_) | Line::Own | Line::Unclear(_) => continue,
            };
            match resolved(file.path.parent(), named) {
                Some(path) if tree.find(&path).is_some_and(|file| file.kind == Kind::Requirements) => {
                    list.insert(path);
                }
                Some(_) => parsed.gaps.push(format!("names a file that is not read: {}", purl::plain_address(named))),
                None => parsed.gaps.push(format!("names a file outside the tree: {}", purl::plain_address(named))),
            }
        }
        parsed.lines = lines;
        parsed
    }

    fn is_constraints_by_name(&self) -> bool {
        let name = self.file.path.file_name().to_ascii_lowercase();
        memchr::memmem::find(&name, b"constraints").is_some()
    }

    fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.lines.iter().filter_map(|line| match line {
            Line::Requirement(requirement) => Some(requirement.as_ref()),
            _ => None,
        })
    }

    fn pins(&self) -> Pins<'_> {
        let mut pins = Pins::new();
        for one in self.requirements() {
            if let Some(version) = &one.version {
                let pin = pins.entry(&one.name).or_insert(Some(version));
                *pin = pin.filter(|pin| pin == version);
            }
        }
        pins
    }

    fn read(&self, constrains: bool, pins: &Constraints<'_>) -> Reading {
        let mut reading = Reading::new(self.file.kind, self.file.path);
        self.gaps.iter().for_each(|gap| reading.gap(gap));
        for line in &self.lines {
            if let Line::Unclear(number) = line {
                reading.gap(&format!("line {number} is not understood"));
            }
        }
        if constrains {
            return reading;
        }
        let scope = scope_by_name(self.file.path.as_bytes());
        let all: Vec<&Requirement> = self.requirements().collect();
        let purls: Vec<Option<String>> = all.iter().map(|one| one.usable_purl(one.version(pins))).collect();
        let mut needs: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (index, one) in all.iter().enumerate() {
            for via in &one.via {
                if let Via::Project(name) = via {
                    needs.entry(name).or_default().insert(index);
                }
            }
        }
        for one in &all {
            let Some(mut component) = one.component(&mut reading, pins) else { continue };
            component.scope = scope;
            // Where a name has several versions, the comments do not tell which of them needs what: the first has all.
            let needed = needs.remove(one.name.as_str()).into_iter().flatten();
            component.dependencies = needed.filter_map(|index| purls.get(index)?.clone()).collect();
            reading.add(component);
        }
        reading
    }
}

impl Requirement {
    fn version<'v>(&'v self, pins: &'v Constraints<'_>) -> Option<&'v str> {
        let pinned = || pins.version(&self.name);
        self.version.as_deref().or_else(|| pinned().filter(|_| self.origin == Origin::Usual))
    }

    fn purl(&self, version: Option<&str>) -> String {
        purl::pypi(&self.name, version, &self.origin)
    }

    fn usable_purl(&self, version: Option<&str>) -> Option<String> {
        Some(self.purl(version)).filter(|purl| is_usable(&self.name, version, purl))
    }

    fn component(&self, reading: &mut Reading, pins: &Constraints<'_>) -> Option<Component> {
        let version = self.version(pins);
        let mut component = reading.component("pypi", &self.name, version, self.purl(version))?;
        match &self.origin {
            Origin::Git { commit, .. } if is_hex(commit, 20) || is_hex(commit, 32) => {
                component.hashes.push(reading.hash("git", commit));
                reading.gap(&format!("{}: pinned by a commit, which names no version", self.name));
            }
            Origin::Git { .. } => reading.gap(&format!("{}: taken from Git without a commit", self.name)),
            Origin::Download(_) => {
                reading.gap(&format!("{}: taken from an address, which names no version", self.name));
            }
            _ if version.is_none() => reading.gap(&format!("{}: a range, not an exact version", self.name)),
            _ => {}
        }
        for (alg, value) in &self.hashes {
            component.hashes.push(reading.hash(alg, value));
        }
        if self.bad_hashes > 0 {
            reading.gap(&format!("{}: {} of its hashes are of another kind", self.name, self.bad_hashes));
        }
        component.direct = match (self.via.is_empty(), version.is_some()) {
            (false, _) => Some(self.via.contains(&Via::Product)),
            // Programs write pins; only people write ranges.
            (true, false) => Some(true),
            (true, true) => None,
        };
        Some(component)
    }
}

/// What a file is for is told by its name only.
fn scope_by_name(path: &[u8]) -> Scope {
    let path = String::from_utf8_lossy(path);
    let names: Vec<&str> = path.rsplit('/').take(2).collect();
    scope_by_words(&names.join(" ")).unwrap_or(Scope::Runtime)
}

/// Returns what a name says that its holder is for.
pub(super) fn scope_by_words(name: &str) -> Option<Scope> {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |some: &[&str]| words.iter().any(|word| some.contains(word));
    if has(&["test", "tests", "testing"]) {
        return Some(Scope::Test);
    }
    if has(&["dev", "develop", "development", "doc", "docs", "lint", "typing", "mypy"]) {
        return Some(Scope::Dev);
    }
    has(&["build", "ci", "release"]).then_some(Scope::Build)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory};
    use crate::domain::Scope;

    #[test]
    fn constraints_pin_what_others_ask_for_and_name_nothing_themselves() {
        let inventory = inventory(&[
            ("requirements.txt", "-r requirements/base.txt\n-c limits/constraints.txt\nDjango>=3\n"),
            ("requirements/base.txt", "zope.interface\nflask==1.0\n"),
            ("limits/constraints.txt", "django==3.2\nzope-interface==5.0\nunused==1\n"),
        ]);
        let purls: Vec<_> = inventory.components.iter().map(|component| component.purl.as_str()).collect();
        assert_eq!(purls, ["pkg:pypi/django@3.2", "pkg:pypi/flask@1.0", "pkg:pypi/zope-interface@5.0"]);
        assert!(inventory.coverage.iter().all(|file| file.gaps.is_empty()), "{:?}", inventory.coverage);
    }

    #[test]
    fn what_is_not_pinned_has_no_version_and_a_gap() {
        let inventory = inventory(&[("requirements-dev.txt", "black\nblack==22.1\n<html>\n")]);
        assert_eq!(
            gaps(&inventory, "requirements-dev.txt"),
            ["black: a range, not an exact version", "line 3 is not understood"]
        );
        let black = found(&inventory, "pkg:pypi/black");
        assert_eq!((black.version.as_deref(), black.scope, black.direct), (None, Scope::Dev, Some(true)));
        assert_eq!(found(&inventory, "pkg:pypi/black@22.1").direct, None);
    }

    #[test]
    fn comments_of_the_compiler_tell_what_needs_what() {
        let text = "a==1\n    # via -r requirements.in\nb==2\n    # via\n    #   a\n    #   c\n";
        let inventory = inventory(&[("requirements.txt", text)]);
        assert_eq!(found(&inventory, "pkg:pypi/a@1").direct, Some(true));
        assert_eq!(found(&inventory, "pkg:pypi/a@1").dependencies, ["pkg:pypi/b@2"]);
        assert_eq!(found(&inventory, "pkg:pypi/b@2").direct, Some(false));
    }

    #[test]
    fn includes_never_leave_the_tree_and_cycles_end() {
        let inventory = inventory(&[
            ("requirements.txt", "-r ../../etc/passwd\n-r /etc/passwd\n-r other.txt\n-r b-requirements.txt\nx\n"),
            ("b-requirements.txt", "-r requirements.txt\n-c b-requirements.txt\nx==1\n"),
        ]);
        assert_eq!(
            gaps(&inventory, "requirements.txt"),
            [
                "names a file outside the tree: ../../etc/passwd",
                "names a file outside the tree: /etc/passwd",
                "names a file that is not read: other.txt"
            ]
        );
    }
}
