//! `package-lock.json` versions 1 to 3 and `npm-shrinkwrap.json`.
//!
//! An entry is named after what is installed, not after the alias it is asked for by. Links and workspaces are the
//! product's own. What needs what is found as Node finds it: in the nearest `node_modules`, then further up. Never
//! here: a dependency tree on the stack; entries stand in one list and name their parents.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::npm_lock::{Entry, Lock, Nested};
use super::npm_manifest::{Locked, Manifest};
use super::purl::{self, Origin};
use super::reading::{Reading, hex, is_hex, is_usable};
use super::tree::{File, Tree, resolved, upwards};
use crate::domain::{Component, CoverageStatus};

/// The newest format of the lock that is known.
const NEWEST: u64 = 3;

/// No package is nested deeper, and no key is longer.
const DEEPEST: usize = 32;
const LONGEST_KEY: usize = 8000;

/// One place where a package is installed, or a package of the product itself.
struct Place<'a> {
    entry: &'a Entry,
    /// The name of its folder below `node_modules`; none for the product's own packages.
    folder: Option<&'a str>,
    /// Where a name that is not found here is looked for next.
    parent: Option<usize>,
}

/// All places of one lock; the first is the product itself.
#[derive(Default)]
struct Places<'a> {
    list: Vec<Place<'a>>,
    children: BTreeMap<(usize, &'a str), usize>,
}

/// Reads every npm lock of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::NpmLock).map(|file| read_lock(tree, file, locked)).collect()
}

fn read_lock(tree: &Tree<'_>, file: File<'_>, locked: &mut Locked) -> Reading {
    let lock: Lock = match file.json() {
        Ok(lock) => lock,
        Err(why) => return Reading::failed(file.kind, file.path, &why),
    };
    if let Some(version) = lock.lockfile_version.filter(|version| *version > NEWEST) {
        let why = format!("version {version} of the format is not known");
        return Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why);
    }
    let mut reading = Reading::new(file.kind, file.path);
    let folder = file.path.parent();
    locked.folders.insert(folder.to_vec());
    if let Some(packages) = &lock.packages {
        let keys = packages.keys().filter(|key| key.len() <= LONGEST_KEY);
        locked.folders.extend(keys.filter_map(|key| resolved(folder, key)));
        let places = Places::of_packages(packages, &mut reading);
        places.report(&mut reading, true);
        return reading;
    }
    let manifest = tree.in_folder(folder, "package.json").and_then(|file| file.json::<Manifest>().ok());
    let root = manifest.as_ref().map(Manifest::as_entry);
    let empty = Entry::default();
    let nested = lock.dependencies.unwrap_or_default();
    let flat = flattened(nested);
    let places = Places::of_nested(root.as_ref().unwrap_or(&empty), &flat);
    if root.is_none() {
        reading.gap("no package.json beside it tells which components are direct");
    }
    places.report(&mut reading, root.is_some());
    reading
}

/// One entry of the first format, taken out of its nest.
struct Flat {
    parent: Option<usize>,
    name: String,
    entry: Entry,
}

/// Unfolds the nests level by level; the list of the parents comes before the children's.
fn flattened(dependencies: BTreeMap<String, Nested>) -> Vec<Flat> {
    let mut flat: Vec<Flat> = Vec::new();
    let mut open = vec![(None, dependencies)];
    while let Some((parent, level)) = open.pop() {
        for (name, mut nested) in level {
            let inner = std::mem::take(&mut nested.dependencies);
            if !inner.is_empty() {
                open.push((Some(flat.len()), inner));
            }
            flat.push(Flat { parent, name, entry: nested.into_entry() });
        }
    }
    flat
}

impl<'a> Places<'a> {
    /// The second and third formats: keys are paths.
    fn of_packages(packages: &'a BTreeMap<String, Entry>, reading: &mut Reading) -> Self {
        let mut places = Self::default();
        let mut own: BTreeMap<&str, usize> = BTreeMap::new();
        let no_entry = Entry::none();
        for (key, entry) in std::iter::once(("", packages.get("").unwrap_or(no_entry)))
            .chain(packages.iter().map(|(key, entry)| (key.as_str(), entry)))
        {
            if !is_installed(key) && key.len() <= LONGEST_KEY && !own.contains_key(key) {
                let above = upwards(key.as_bytes()).skip(1).take(DEEPEST);
                let parent = above.filter_map(|folder| std::str::from_utf8(folder).ok()).find_map(|at| own.get(at));
                let parent = parent.or(own.get("")).copied();
                own.insert(key, places.push(Place { entry, folder: None, parent }));
            }
        }
        // Parents sort before what stands in them, since a path is longer than its beginning.
        for (key, entry) in packages.iter().filter(|(key, _)| is_installed(key)) {
            let Some((at, name)) = places.parent_of(key, &own) else {
                reading.gap(&format!("an entry stands nowhere: {key}"));
                continue;
            };
            let index = places.push(Place { entry, folder: Some(name), parent: Some(at) });
            places.children.insert((at, name), index);
        }
        places
    }

    /// The first format: entries stand in each other.
    fn of_nested(root: &'a Entry, flat: &'a [Flat]) -> Self {
        let mut places = Self::default();
        places.push(Place { entry: root, folder: None, parent: None });
        for Flat { parent, name, entry } in flat {
            let at = parent.map_or(0, |parent| parent + 1);
            let index = places.push(Place { entry, folder: Some(name), parent: Some(at) });
            places.children.insert((at, name), index);
        }
        places
    }

    fn push(&mut self, place: Place<'a>) -> usize {
        self.list.push(place);
        self.list.len() - 1
    }

    /// Walks a key such as `packages/a/node_modules/b/node_modules/@c/d` down to the last folder.
    fn parent_of(&self, key: &'a str, own: &BTreeMap<&str, usize>) -> Option<(usize, &'a str)> {
        if key.len() > LONGEST_KEY {
            return None;
        }
        let (start, rest) = match key.strip_prefix("node_modules/") {
            Some(rest) => ("", rest),
            None => key.split_once("/node_modules/")?,
        };
        let mut at = *own.get(start)?;
        let mut names = rest.split("/node_modules/").peekable();
        for _ in 0..DEEPEST {
            let name = names.next()?;
            if names.peek().is_none() {
                return Some((at, name));
            }
            at = *self.children.get(&(at, name))?;
        }
        None
    }

    /// Finds what `name` means to the package at `from`: here, or further up. Own packages are `None`.
    fn find(&self, from: usize, name: &str) -> Option<usize> {
        let mut at = Some(from);
        for _ in 0..=2 * DEEPEST {
            let here = at?;
            if let Some(found) = self.children.get(&(here, name)) {
                return Some(*found);
            }
            at = self.list.get(here)?.parent;
        }
        None
    }

    fn report(&self, reading: &mut Reading, knows_direct: bool) {
        let purls: Vec<Option<String>> = self.list.iter().map(Place::purl).collect();
        let mut direct = BTreeSet::new();
        for (index, place) in self.list.iter().enumerate().filter(|(_, place)| place.folder.is_none()) {
            direct.extend(place.entry.all_needs().filter_map(|name| self.find(index, name)));
        }
        for (index, place) in self.list.iter().enumerate() {
            let Some(Some(purl)) = purls.get(index) else {
                if place.is_foreign() {
                    reading.gap("an entry has an unusable name, version or address");
                }
                continue;
            };
            let Some(mut component) = place.component(reading, purl) else { continue };
            component.direct = knows_direct.then(|| direct.contains(&index));
            let needs = place.entry.needs().filter_map(|name| self.find(index, name));
            component.dependencies = needs.filter_map(|to| purls.get(to)?.clone()).collect();
            component.dependencies.sort();
            component.dependencies.dedup();
            reading.add(component);
        }
    }
}

impl Place<'_> {
    /// The product's own packages and links to them are no components.
    fn is_foreign(&self) -> bool {
        self.folder.is_some() && !self.entry.link && !self.entry.pinned().local
    }

    fn purl(&self) -> Option<String> {
        let name = self.entry.name(self.folder.filter(|_| self.is_foreign())?);
        let pinned = self.entry.pinned();
        let purl = purl::npm(name, pinned.version, &pinned.origin);
        is_usable(name, pinned.version, &purl).then_some(purl)
    }

    fn component(&self, reading: &mut Reading, purl: &str) -> Option<Component> {
        let entry = self.entry;
        let name = entry.name(self.folder?);
        let pinned = entry.pinned();
        let mut component = reading.component("npm", name, pinned.version, purl.to_owned())?;
        component.scope = entry.scope();
        component.licenses.extend(entry.license());
        if pinned.version.is_none() {
            reading.gap(&format!("{name}: the lock does not say which version"));
        }
        for (alg, value) in entry.hashes() {
            match value {
                Some(bytes) => component.hashes.push(reading.hash(alg, &hex(&bytes))),
                None => reading.gap(&format!("{name}: its integrity is no {alg}")),
            }
        }
        if let Origin::Git { commit, .. } = &pinned.origin {
            if is_hex(commit, 20) || is_hex(commit, 32) {
                component.hashes.push(reading.hash("git", commit));
            } else {
                reading.gap(&format!("{name}: taken from Git without a commit"));
            }
        }
        Some(component)
    }
}

fn is_installed(key: &str) -> bool {
    key.starts_with("node_modules/") || key.contains("/node_modules/")
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    const SHA1: &str = "sha1-AAECAwQFBgcICQoLDA0ODxAREhM=";

    #[test]
    fn entries_are_what_is_installed_where_node_would_find_it() {
        let lock = format!(
            r#"{{"lockfileVersion": 3, "packages": {{
            "": {{"dependencies": {{"a": "1", "own": "*"}}, "devDependencies": {{"alias": "npm:@s/real@2"}}}},
            "packages/own": {{"name": "own", "dependencies": {{"b": "1"}}}},
            "node_modules/own": {{"resolved": "packages/own", "link": true}},
            "node_modules/a": {{"version": "1.0.0", "integrity": "{SHA1}", "license": "MIT", "dependencies": {{"b": "2", "own": "1"}}}},
            "node_modules/a/node_modules/b": {{"version": "2.0.0", "inBundle": true, "peerDependencies": {{"a": "1"}}}},
            "node_modules/b": {{"version": "1.0.0", "devOptional": true}},
            "node_modules/alias": {{"name": "@s/real", "version": "2.0.0", "dev": true, "dependencies": {{"b": "1"}}}}
            }}}}"#
        );
        let inventory = inventory(&[("package-lock.json", &lock)]);
        let a = found(&inventory, "pkg:npm/a@1.0.0");
        assert_eq!(a.dependencies, ["pkg:npm/b@2.0.0"]);
        assert_eq!((a.direct, a.scope, a.licenses.join(",")), (Some(true), Scope::Runtime, "MIT".to_owned()));
        assert_eq!(
            (a.hashes[0].alg.as_str(), a.hashes[0].value.as_str()),
            ("SHA-1", "000102030405060708090a0b0c0d0e0f10111213")
        );
        let real = found(&inventory, "pkg:npm/%40s/real@2.0.0");
        assert_eq!((real.name.as_str(), real.direct, real.scope), ("@s/real", Some(true), Scope::Dev));
        let b = found(&inventory, "pkg:npm/b@1.0.0");
        assert_eq!((b.direct, b.scope), (Some(true), Scope::Optional));
        assert_eq!(found(&inventory, "pkg:npm/b@2.0.0").dependencies, ["pkg:npm/a@1.0.0"]);
        assert_eq!(found(&inventory, "pkg:npm/b@2.0.0").direct, Some(false));
        assert_eq!(inventory.components.len(), 4, "links and workspaces are the product's own");
    }

    #[test]
    fn the_first_format_nests_and_leans_on_package_json() {
        let commit = "0123456789012345678901234567890123456789";
        let lock = format!(
            r#"{{"lockfileVersion": 1, "requires": true, "dependencies": {{
            "a": {{"version": "1.0.0", "resolved": "https://r/a/-/a-1.0.0.tgz", "requires": {{"b": "2"}},
                  "dependencies": {{"b": {{"version": "2.0.0", "bundled": true, "requires": {{"c": "1"}}}}}}}},
            "b": {{"version": "npm:@x/b@1.0.0", "dev": true, "requires": false}},
            "c": {{"version": "git+ssh://git@github.com/o/c.git#{commit}", "from": "x"}},
            "d": {{"version": "file:../d"}}
            }}}}"#
        );
        let manifest = r#"{"dependencies": {"a": "^1"}, "devDependencies": {"b": "npm:@x/b@1"}}"#;
        let inventory = inventory(&[("p/package-lock.json", &lock), ("p/package.json", manifest)]);
        assert_eq!(found(&inventory, "pkg:npm/a@1.0.0").dependencies, ["pkg:npm/b@2.0.0"]);
        assert_eq!(found(&inventory, "pkg:npm/%40x/b@1.0.0").direct, Some(true));
        let c = format!("pkg:npm/c?vcs_url=git%2Bssh:%2F%2Fgit%40github.com%2Fo%2Fc.git%40{commit}");
        assert_eq!(found(&inventory, "pkg:npm/b@2.0.0").dependencies, [c.as_str()]);
        let c = found(&inventory, &c);
        assert_eq!((c.version.as_deref(), c.direct, c.hashes[0].alg.as_str()), (None, Some(false), "git"));
        assert_eq!(gaps(&inventory, "p/package-lock.json"), ["c: the lock does not say which version"]);
        assert_eq!(inventory.components.len(), 4);
    }

    #[test]
    fn a_manifest_is_covered_by_its_lock_its_workspace_or_no_one() {
        let lock = r#"{"lockfileVersion": 3, "packages": {"": {}, "w/a": {}, "node_modules/v": {"version": "1.0.0"}}}"#;
        let needs = r#"{"dependencies": {"x": "^1", "y": "file:../y"}, "peerDependencies": {"host": "*"}}"#;
        let inventory = inventory(&[
            ("package-lock.json", lock),
            ("package.json", needs),
            ("w/a/package.json", needs),
            ("node_modules/v/package.json", needs),
            ("w/b/package.json", needs),
            ("bun/bun.lockb", ""),
            ("bun/package.json", needs),
        ]);
        for (path, expected) in [
            ("package.json", CoverageStatus::Parsed),
            ("w/a/package.json", CoverageStatus::Parsed),
            ("node_modules/v/package.json", CoverageStatus::Parsed),
            ("w/b/package.json", CoverageStatus::Unlocked),
            ("bun/bun.lockb", CoverageStatus::Unsupported),
            ("bun/package.json", CoverageStatus::Parsed),
        ] {
            assert_eq!(status(&inventory, path), expected, "{path}");
        }
        assert_eq!(gaps(&inventory, "bun/package.json"), ["its lock bun/bun.lockb is not read by this version"]);
        let x = found(&inventory, "pkg:npm/x");
        assert_eq!((x.version.as_deref(), x.found_in.len()), (None, 1));
        assert_eq!(inventory.components.len(), 2);
    }

    #[test]
    fn hostile_locks_are_coverage_and_quick() {
        let deep = format!("{{\"dependencies\": {}", "{\"a\": {\"dependencies\": ".repeat(100_000));
        let path = format!("{{\"packages\": {{\"{}\": {{}}}}}}", "node_modules/a/".repeat(100_000));
        let nowhere = r#"{"packages": {"node_modules/a/node_modules/b": {"version": "1"}, "../x/node_modules/c": {}}}"#;
        let inventory = inventory(&[
            ("1/package-lock.json", &deep),
            ("2/package-lock.json", &path),
            ("3/package-lock.json", nowhere),
            ("4/package-lock.json", "[]"),
            ("5/package-lock.json", r#"{"lockfileVersion": 4}"#),
            (
                "6/package-lock.json",
                r#"{"packages": {"node_modules/a": {"version": "1", "integrity": "sha512-AAAA"}}}"#,
            ),
            ("7/package.json", "\"x\""),
        ]);
        assert_eq!(status(&inventory, "1/package-lock.json"), CoverageStatus::Failed);
        assert!(gaps(&inventory, "2/package-lock.json")[0].starts_with("an entry stands nowhere"));
        assert_eq!(gaps(&inventory, "3/package-lock.json").len(), 2);
        assert_eq!(status(&inventory, "4/package-lock.json"), CoverageStatus::Failed);
        assert_eq!(status(&inventory, "5/package-lock.json"), CoverageStatus::Unsupported);
        assert_eq!(gaps(&inventory, "6/package-lock.json"), ["a: its integrity is no SHA-512"]);
        assert_eq!(status(&inventory, "7/package.json"), CoverageStatus::Failed);
    }
}
