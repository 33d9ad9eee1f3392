//! `deno.lock`, versions 2 to 5: packages of npm, packages of JSR, and modules at addresses.
//!
//! JSR has no purl type of its own. Its packages are named as JSR's own door for npm names them (`@jsr/scope__name` at
//! npm.jsr.io), which every reader of a purl understands; the component keeps JSR's name. JSR's hash is of a list of
//! files and has the name `jsr-manifest`. Modules at addresses are taken together up to the part that holds a version.
//! Never here: `deno.json`; the lock repeats what it asks for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::graph::{Graph, MOST_NAMESAKES};
use super::super::kind::Kind;
use super::super::npm_manifest::Locked;
use super::super::purl::{self, Origin};
use super::super::reading::{Reading, is_hex};
use super::super::tree::{File, Tree, resolved};
use super::{add_integrity, package, split_at_version};
use crate::domain::{Component, CoverageStatus, Scope};

/// The newest format of the lock that is known.
const NEWEST: u32 = 5;

const JSR: &str = "https://npm.jsr.io";

/// The tables of one lock, wherever its version keeps them.
struct Lock<'a> {
    specifiers: BTreeMap<String, String>,
    npm: &'a Map<String, Value>,
    jsr: &'a Map<String, Value>,
    remote: &'a Map<String, Value>,
    workspace: Option<&'a Value>,
}

/// What is installed, by how it is asked for.
struct Index<'a> {
    specifiers: &'a BTreeMap<String, String>,
    /// `npm:` or `jsr:` with name and version.
    by_key: BTreeMap<String, usize>,
    by_name: BTreeMap<String, Vec<usize>>,
}

/// Reads every `deno.lock` of the tree.
pub(in crate::components) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::DenoLock)
        .map(|file| match file.json::<Value>() {
            Ok(lock) => read_lock(file, &lock, locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(file: File<'_>, lock: &Value, locked: &mut Locked) -> Reading {
    let version = lock.get("version").and_then(Value::as_str).and_then(|version| version.parse::<u32>().ok());
    let Some(version) = version else {
        return Reading::failed(file.kind, file.path, "it does not say which version of the format it has");
    };
    if version > NEWEST {
        let why = format!("version {version} of the format is not known");
        return Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why);
    }
    let mut reading = Reading::new(file.kind, file.path);
    let folder = file.path.parent();
    let empty = Map::new();
    let lock = Lock::new(lock, &empty);
    let members = lock.workspace.and_then(|workspace| workspace.get("members")?.as_object());
    locked.folders.insert(folder.to_vec());
    locked.folders.extend(members.into_iter().flatten().filter_map(|(path, _)| resolved(folder, path)));

    let mut graph = Graph::default();
    let mut index = Index { specifiers: &lock.specifiers, by_key: BTreeMap::new(), by_name: BTreeMap::new() };
    for (key, entry) in lock.npm {
        let component = npm_component(&mut reading, key, entry);
        index.add("npm:", key, graph.foreign(component));
    }
    for (key, entry) in lock.jsr {
        let component = jsr_component(&mut reading, key, entry);
        index.add("jsr:", key, graph.foreign(component));
    }
    let mut asked_by_others = BTreeSet::new();
    for (start, table) in [("npm:", lock.npm), ("jsr:", lock.jsr)] {
        for (key, entry) in table {
            let Some(&from) = index.by_key.get(&format!("{start}{key}")) else { continue };
            for (list, scope) in [("dependencies", Scope::Runtime), ("optionalDependencies", Scope::Optional)] {
                for asked in requests(entry.get(list)) {
                    if start == "jsr:" {
                        asked_by_others.insert(asked.clone());
                    }
                    let asked = if start == "jsr:" { asked } else { format!("npm:{asked}") };
                    index.find(&asked).into_iter().for_each(|to| graph.need(from, to, scope));
                }
            }
        }
    }
    let root = graph.own(true);
    let asked: Vec<String> = match lock.workspace {
        Some(workspace) => asked_by(workspace, members),
        None => lock.specifiers.keys().filter(|asked| !asked_by_others.contains(*asked)).cloned().collect(),
    };
    for asked in asked {
        index.find(&asked).into_iter().for_each(|to| graph.need(root, to, Scope::Runtime));
    }
    graph.report(&mut reading);
    add_modules(&mut reading, lock.remote);
    reading
}

impl<'a> Lock<'a> {
    fn new(lock: &'a Value, empty: &'a Map<String, Value>) -> Self {
        // Version 3 has one level more, version 2 knows npm only.
        let at = lock.get("packages").unwrap_or(lock);
        let table = |value: Option<&'a Value>| value.and_then(Value::as_object).unwrap_or(empty);
        let old = at.get("npm").filter(|npm| npm.get("packages").is_some_and(Value::is_object));
        let told = old.map_or_else(|| at.get("specifiers"), |npm| npm.get("specifiers"));
        let start = if old.is_some() { "npm:" } else { "" };
        let specifiers = table(told)
            .iter()
            .filter_map(|(asked, found)| Some((format!("{start}{asked}"), found.as_str()?.to_owned())));
        Self {
            specifiers: specifiers.collect(),
            npm: table(old.map_or_else(|| at.get("npm"), |npm| npm.get("packages"))),
            jsr: table(at.get("jsr")),
            remote: table(lock.get("remote")),
            workspace: lock.get("workspace"),
        }
    }
}

impl Index<'_> {
    fn add(&mut self, start: &str, key: &str, index: usize) {
        if let Some((name, _)) = split_at_version(key) {
            self.by_name.entry(format!("{start}{name}")).or_default().push(index);
        }
        self.by_key.insert(format!("{start}{key}"), index);
    }

    /// Finds a key, a specifier, an alias (`x@npm:y@1`), or a bare name.
    fn find(&self, asked: &str) -> Option<usize> {
        if let Some(found) = self.by_key.get(asked) {
            return Some(*found);
        }
        let (start, rest) = asked.split_at_checked(4)?;
        if let Some(found) = self.specifiers.get(asked) {
            let name = split_at_version(rest).map_or(rest, |(name, _)| name);
            let keys = [found.clone(), format!("{start}{found}"), format!("{start}{name}@{found}")];
            return keys.iter().find_map(|key| self.by_key.get(key)).copied();
        }
        if let Some((_, real)) = rest.split_once("@npm:") {
            return self.by_key.get(&format!("npm:{real}")).copied();
        }
        let name = split_at_version(rest).map_or(rest, |(name, _)| name);
        match self.by_name.get(&format!("{start}{name}"))?.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// Returns what an entry asks for: the members of a list, or a map's values.
fn requests(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    let map = value.and_then(Value::as_object).into_iter().flatten().map(|(_, value)| value);
    list.chain(map).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn asked_by(workspace: &Value, members: Option<&Map<String, Value>>) -> Vec<String> {
    let parts = members.into_iter().flatten().map(|(_, member)| member).chain([workspace]);
    let of = |part: &Value| {
        let of_package = part.get("packageJson").and_then(|package| package.get("dependencies"));
        [requests(part.get("dependencies")), requests(of_package)].concat()
    };
    parts.flat_map(of).collect()
}

/// A key is `name@version`, with `_peer@version` behind it.
fn npm_component(reading: &mut Reading, key: &str, entry: &Value) -> Option<Component> {
    let (name, version) = split_at_version(key).unwrap_or((key, ""));
    let version = version.split('_').next().filter(|version| !version.is_empty());
    let mut component = package(reading, name, version, &Origin::Usual)?;
    let integrity = entry.get("integrity").and_then(Value::as_str).unwrap_or_default();
    add_integrity(reading, &mut component, integrity);
    Some(component)
}

fn jsr_component(reading: &mut Reading, key: &str, entry: &Value) -> Option<Component> {
    let (name, version) = split_at_version(key).unwrap_or((key, ""));
    let door = format!("@jsr/{}", name.trim_start_matches('@').replacen('/', "__", 1));
    let version = Some(version).filter(|version| !version.is_empty());
    let purl = purl::npm(&door, version, &Origin::Registry(JSR.to_owned()));
    let mut component = reading.component("jsr", name, version, purl)?;
    let integrity = entry.get("integrity").and_then(Value::as_str).unwrap_or_default();
    if is_hex(integrity, 32) {
        component.hashes.push(reading.hash("jsr-manifest", integrity));
    }
    Some(component)
}

/// Takes modules at addresses together: `https://deno.land/std@0.1.0/path/mod.ts` is one of std 0.1.0.
fn add_modules(reading: &mut Reading, remote: &Map<String, Value>) {
    let mut without: BTreeMap<&str, usize> = BTreeMap::new();
    let mut with: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for address in remote.keys() {
        match versioned(address) {
            Some(found) => drop(with.insert(found)),
            None => *without.entry(host(address)).or_default() += 1,
        }
    }
    for (address, name, version) in with {
        let purl = purl::typed("generic", name, Some(version), &Origin::Download(address.to_owned()));
        if let Some(mut component) = reading.component("deno", name, Some(version), purl) {
            component.direct = None;
            reading.add(component);
        }
    }
    for (host, count) in without.into_iter().take(MOST_NAMESAKES) {
        reading.gap(&format!("{count} modules at {host} have no version in their addresses"));
    }
}

fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// Returns the address up to the version, the name before it, and the version.
fn versioned(address: &str) -> Option<(&str, &str, &str)> {
    let start = address.find("://")? + 3;
    let mut at = start + address.get(start..)?.find('/')? + 1;
    let first = at;
    for segment in address.get(first..)?.split('/').take(8) {
        let end = at + segment.len();
        if let Some(mark) = segment.rfind('@').filter(|mark| *mark > 0) {
            let version = segment.get(mark + 1..)?;
            let is_version = version.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
            return is_version.then_some((address.get(..end)?, address.get(first..at + mark)?, version));
        }
        at = end + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::{found, gaps, inventory, status};

    const SUM: &str = "ab";

    #[test]
    fn npm_jsr_and_modules_of_every_version_of_the_format() {
        let sum = SUM.repeat(32);
        let five = format!(
            r#"{{"version": "5", "specifiers": {{"jsr:@std/a@^1": "1.0.0", "jsr:@std/b@1": "1.1.0", "npm:c@5": "5.0.0_p@1.0.0"}},
            "jsr": {{"@std/a@1.0.0": {{"integrity": "{sum}", "dependencies": ["jsr:@std/b", "npm:c@5"]}}, "@std/b@1.1.0": {{}}}},
            "npm": {{"c@5.0.0_p@1.0.0": {{"integrity": "sha1-AAECAwQFBgcICQoLDA0ODxAREhM=", "dependencies": ["p", "x@npm:@s/y@2.0.0"]}},
                     "p@1.0.0": {{}}, "@s/y@2.0.0": {{}}}},
            "remote": {{"https://deno.land/std@0.1.0/a.ts": "0", "https://deno.land/std@0.1.0/b.ts": "0", "https://deno.land/x/oak@v1.0/mod.ts": "0",
                        "https://u:hunter2@host/x.ts": "0"}},
            "workspace": {{"dependencies": ["jsr:@std/a@^1"], "members": {{"m": {{"packageJson": {{"dependencies": ["npm:c@5"]}}}}}}}}}}"#
        );
        let two = r#"{"version": "2", "remote": {}, "npm": {"specifiers": {"d@^1": "d@1.0.0"}, "packages": {"d@1.0.0": {"dependencies": {"e": "e@1.0.0"}}, "e@1.0.0": {}}}}"#;
        let three = r#"{"version": "3", "packages": {"specifiers": {"npm:f@1": "npm:f@1.0.0"}, "npm": {"f@1.0.0": {"dependencies": {}}}}}"#;
        let inventory = inventory(&[
            ("5/deno.lock", &five),
            ("2/deno.lock", two),
            ("3/deno.lock", three),
            ("6/deno.lock", r#"{"version": "6"}"#),
            ("x/deno.lock", "{}"),
        ]);
        let a = found(&inventory, "pkg:npm/%40jsr/std__a@1.0.0?repository_url=https:%2F%2Fnpm.jsr.io");
        assert_eq!((a.name.as_str(), a.direct, a.hashes[0].alg.as_str()), ("@std/a", Some(true), "jsr-manifest"));
        assert_eq!(a.dependencies.len(), 2);
        let c = found(&inventory, "pkg:npm/c@5.0.0");
        assert_eq!(
            (c.direct, c.dependencies.as_slice()),
            (Some(true), &["pkg:npm/%40s/y@2.0.0".to_owned(), "pkg:npm/p@1.0.0".to_owned()][..])
        );
        assert_eq!(found(&inventory, "pkg:npm/d@1.0.0").direct, Some(true));
        assert_eq!(found(&inventory, "pkg:npm/e@1.0.0").direct, Some(false));
        assert_eq!(found(&inventory, "pkg:npm/f@1.0.0").direct, Some(true));
        found(&inventory, "pkg:generic/std@0.1.0?download_url=https:%2F%2Fdeno.land%2Fstd%400.1.0");
        found(&inventory, "pkg:generic/x/oak@v1.0?download_url=https:%2F%2Fdeno.land%2Fx%2Foak%40v1.0");
        assert_eq!(gaps(&inventory, "5/deno.lock"), ["1 modules at host have no version in their addresses"]);
        assert_eq!(status(&inventory, "6/deno.lock"), CoverageStatus::Unsupported);
        assert_eq!(status(&inventory, "x/deno.lock"), CoverageStatus::Failed);
    }
}
