//! pip's `requirements*.txt` and `constraints*.txt`.
//!
//! `==` and `===` pin; everything else is a component without a version, and a gap. A constraint pins what another
//! line asks for and names nothing itself. Comments as pip-compile writes them (`# via`) tell what needs what.
//! Never here: a file outside the tree, an index, or a marker's value: what is needed anywhere is listed.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex};
use super::requirement::{Line, Requirement, Via, lines};
use super::tree::{File, Tree, resolved};
use crate::domain::{Component, Scope};

/// So many files may hang together by `-r` and `-c`.
const MOST_INCLUDES: usize = 200;

/// One file, parsed.
struct Parsed<'a> {
    file: File<'a>,
    lines: Vec<Line>,
    includes: Vec<Vec<u8>>,
    constraints: Vec<Vec<u8>>,
    gaps: Vec<String>,
}

/// What constraints pin, by name; nothing where two of them disagree.
type Pins = BTreeMap<String, Option<String>>;

/// Reads every requirements file of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut parsed: BTreeMap<&[u8], Parsed<'_>> = BTreeMap::new();
    let mut readings = Vec::new();
    for file in tree.of_kind(Kind::Requirements) {
        match file.text() {
            Ok(text) => drop(parsed.insert(file.path.as_bytes(), Parsed::new(tree, file, lines(text)))),
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    let constraining: BTreeSet<&[u8]> = parsed.values().flat_map(|file| &file.constraints).map(Vec::as_slice).collect();
    let pins = pins_of_all(&parsed);
    let none = Pins::new();
    for (path, file) in &parsed {
        let constrains = constraining.contains(path) || file.is_constraints_by_name();
        readings.push(file.read(constrains, pins.get(path).unwrap_or(&none)));
    }
    readings
}

/// Every file sees the constraints of the files that include it, as pip applies them to the whole run.
fn pins_of_all<'p>(parsed: &'p BTreeMap<&'p [u8], Parsed<'_>>) -> BTreeMap<&'p [u8], Pins> {
    let mut all: BTreeMap<&[u8], Pins> = BTreeMap::new();
    let constrained = parsed.values().filter(|file| !file.constraints.is_empty()).take(MOST_INCLUDES);
    for file in constrained {
        let mut pins = Pins::new();
        for path in reached(parsed, &file.constraints, |file| [&file.includes, &file.constraints]) {
            let pinned = parsed.get(path).map(Parsed::requirements);
            for requirement in pinned.into_iter().flatten() {
                let Some(version) = &requirement.version else { continue };
                let known = pins.entry(requirement.name.clone()).or_insert_with(|| Some(version.clone()));
                if known.as_ref() != Some(version) {
                    *known = None;
                }
            }
        }
        let own = [file.file.path.as_bytes().to_vec()];
        // Constraints count for the file and what it includes, and for what includes it.
        let below = reached(parsed, &own, |file| [&file.includes, &[]]);
        let above = parsed.iter().filter(|(_, other)| other.includes.contains(&own[0])).map(|(path, _)| *path);
        for path in below.into_iter().chain(above) {
            let known = all.entry(path).or_default();
            for (name, version) in &pins {
                let pin = known.entry(name.clone()).or_insert_with(|| version.clone());
                if pin != version {
                    *pin = None;
                }
            }
        }
    }
    all
}

/// Returns the files that can be reached, each once, so that a cycle ends.
fn reached<'p, 't: 'p>(
    parsed: &'p BTreeMap<&'p [u8], Parsed<'t>>,
    from: &[Vec<u8>],
    next: impl Fn(&'p Parsed<'t>) -> [&'p [Vec<u8>]; 2],
) -> BTreeSet<&'p [u8]> {
    let mut seen = BTreeSet::new();
    let find = |path: &Vec<u8>| parsed.get_key_value(path.as_slice()).map(|(path, _)| *path);
    let mut open: Vec<&[u8]> = from.iter().filter_map(find).collect();
    while let Some(path) = open.pop() {
        if seen.len() < MOST_INCLUDES && seen.insert(path) {
            let more = parsed.get(path).map(&next).into_iter().flatten().flatten();
            open.extend(more.filter_map(find));
        }
    }
    seen
}

impl<'a> Parsed<'a> {
    fn new(tree: &Tree<'_>, file: File<'a>, lines: Vec<Line>) -> Self {
        let mut parsed =
            Self { file, lines: Vec::new(), includes: Vec::new(), constraints: Vec::new(), gaps: Vec::new() };
        for line in &lines {
            let (named, list) = match line {
                Line::Include(named) => (named, &mut parsed.includes),
                Line::Constraint(named) => (named, &mut parsed.constraints),
                Line::Requirement(_) | Line::Own | Line::Unclear(_) => continue,
            };
            match resolved(file.path.parent(), named) {
                Some(path) if tree.find(&path).is_some_and(|file| file.kind == Kind::Requirements) => list.push(path),
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

    fn read(&self, constrains: bool, pins: &Pins) -> Reading {
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
        let versions: BTreeMap<&str, Option<&str>> =
            self.requirements().map(|one| (one.name.as_str(), one.version(pins))).collect();
        let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for one in self.requirements() {
            let needed = one.purl(one.version(pins));
            for via in &one.via {
                if let Via::Project(name) = via {
                    needs.entry(name).or_default().push(needed.clone());
                }
            }
        }
        for one in self.requirements() {
            let Some(mut component) = one.component(&mut reading, pins) else { continue };
            component.scope = scope;
            if versions.get(one.name.as_str()) == Some(&one.version(pins)) {
                component.dependencies = needs.remove(one.name.as_str()).unwrap_or_default();
            }
            reading.components.push(component);
        }
        reading
    }
}

impl Requirement {
    fn version<'v>(&'v self, pins: &'v Pins) -> Option<&'v str> {
        let pinned = || pins.get(&self.name)?.as_deref();
        self.version.as_deref().or_else(|| pinned().filter(|_| self.origin == Origin::Usual))
    }

    fn purl(&self, version: Option<&str>) -> String {
        purl::pypi(&self.name, version, &self.origin)
    }

    fn component(&self, reading: &mut Reading, pins: &Pins) -> Option<Component> {
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
    let path = String::from_utf8_lossy(path).to_ascii_lowercase();
    let names: Vec<&str> = path.rsplit('/').take(2).collect();
    let words: Vec<&str> = names.iter().flat_map(|name| name.split(|c: char| !c.is_ascii_alphanumeric())).collect();
    let has = |some: &[&str]| words.iter().any(|word| some.contains(word));
    if has(&["test", "tests", "testing"]) {
        return Scope::Test;
    }
    if has(&["dev", "develop", "development", "doc", "docs", "lint", "typing", "mypy"]) {
        return Scope::Dev;
    }
    if has(&["build", "ci", "release"]) { Scope::Build } else { Scope::Runtime }
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
