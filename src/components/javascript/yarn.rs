//! `yarn.lock`, of Yarn 1 and of Yarn 2 and later.
//!
//! An entry is what is installed, not the alias that asked for it. What the product itself needs, and what for, stands
//! in its `package.json` files. Yarn 2's checksum is of the archive that Yarn packs, and no hash of the registry's: it
//! has the name `yarn-berry`. Never here: a range's meaning; a request is found by its own text.

use std::collections::{BTreeMap, BTreeSet};

use super::super::graph::Graph;
use super::super::kind::Kind;
use super::super::npm_lock;
use super::super::npm_manifest::{Locked, Manifest};
use super::super::purl::Origin;
use super::super::reading::{Reading, is_hex};
use super::super::tree::{File, Tree, resolved, stands_in};
use super::yarn_lock::{Entry, Lock};
use super::{add_integrity, package, split_at_version};
use crate::domain::Scope;

/// So many patterns of workspaces are held against the manifests, and none that is longer; so are paths.
const MOST_PATTERNS: usize = 50;
const LONGEST_PATTERN: usize = 100;
const LONGEST_PATH: usize = 300;

/// What an entry is.
enum What<'a> {
    /// A package of the product, in that folder below the lock's.
    Own(&'a str),
    /// A package of others.
    Foreign { name: &'a str, version: Option<&'a str>, origin: Origin },
}

/// The entries by what asks for them.
struct Requests<'a> {
    by_pattern: BTreeMap<&'a str, usize>,
    /// The only entry of a name; none where there are several.
    by_name: BTreeMap<&'a str, Option<usize>>,
    /// What stands in for every request of a name.
    instead: BTreeMap<String, String>,
}

/// Reads every `yarn.lock` of the tree.
pub(in crate::components) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::YarnLock)
        .map(|file| match file.text() {
            Ok(text) => read_lock(tree, file, &Lock::parse(text), locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(tree: &Tree<'_>, file: File<'_>, lock: &Lock<'_>, locked: &mut Locked) -> Reading {
    if lock.entries.is_empty() && !lock.unclear.is_empty() {
        return Reading::failed(file.kind, file.path, "no lock of Yarn");
    }
    let mut reading = Reading::new(file.kind, file.path);
    let folder = file.path.parent();
    locked.folders.insert(folder.to_vec());
    lock.unclear.iter().for_each(|line| reading.gap(&format!("line {line} is not understood")));

    let root = manifest_in(tree, folder);
    let requests = Requests::new(lock, root.as_ref());
    let mut graph = Graph::default();
    let mut own_folders = Vec::new();
    for entry in &lock.entries {
        match what(entry) {
            What::Own(path) => {
                let at = resolved(folder, path);
                graph.own(at.as_deref() == Some(folder));
                locked.folders.extend(at.clone());
                own_folders.push(at);
            }
            What::Foreign { name, version, origin } => {
                let mut component = package(&mut reading, name, version, &origin);
                if let Some(component) = &mut component {
                    add_integrity(&mut reading, component, entry.integrity.unwrap_or_default());
                    let fragment = entry.resolved.and_then(|from| from.rsplit_once('#')).map_or("", |(_, hash)| hash);
                    if is_hex(fragment, 20) && !matches!(origin, Origin::Git { .. }) {
                        component.hashes.push(reading.hash("SHA-1", fragment));
                    }
                    if let Some(checksum) = entry.checksum {
                        component.hashes.push(reading.hash("yarn-berry", checksum));
                    }
                }
                graph.foreign(component);
                own_folders.push(None);
            }
        }
    }
    let mut unresolved = 0;
    for (from, entry) in lock.entries.iter().enumerate() {
        // Yarn 2 writes what a workspace needs for development among the rest; its manifest tells them apart.
        let manifest = own_folders.get(from).and_then(|at| manifest_in(tree, at.as_deref()?));
        let scopes = manifest.as_ref().map(Manifest::needs).unwrap_or_default();
        for need in &entry.needs {
            let narrowed = if entry.is_optional(need) { Scope::Optional } else { Scope::Runtime };
            let scope = scopes.get(need.name).map_or(narrowed, |(_, scope)| narrowed.min(*scope));
            match requests.find(need.name, need.range) {
                Some(to) => graph.need(from, to, scope),
                None => unresolved += 1,
            }
        }
    }
    if !lock.berry {
        let own = own_packages(tree, folder, root.as_ref());
        let own_names: BTreeSet<&str> = own.iter().filter_map(|(_, manifest)| manifest.name()).collect();
        for (at, manifest) in &own {
            let from = graph.own(at.as_slice() == folder);
            locked.folders.insert(at.clone());
            for (name, (range, scope)) in manifest.needs() {
                match requests.find(name, range) {
                    Some(to) => graph.need(from, to, scope),
                    None if own_names.contains(name) || range.starts_with("link:") => {}
                    None => unresolved += 1,
                }
            }
        }
    }
    if unresolved > 0 {
        reading.gap(&format!("{unresolved} of its dependencies are not among its entries"));
    }
    if !graph.has_own() {
        reading.gap("no package.json beside it tells which components are direct");
    }
    graph.report(&mut reading);
    reading
}

fn manifest_in(tree: &Tree<'_>, folder: &[u8]) -> Option<Manifest> {
    tree.in_folder(folder, "package.json")?.json().ok()
}

/// Returns the product's own packages: the one beside the lock, and those that its `workspaces` match.
fn own_packages(tree: &Tree<'_>, folder: &[u8], root: Option<&Manifest>) -> Vec<(Vec<u8>, Manifest)> {
    let Some(root) = root else { return Vec::new() };
    let mut own: Vec<_> = manifest_in(tree, folder).map(|manifest| (folder.to_vec(), manifest)).into_iter().collect();
    let patterns: Vec<&str> =
        root.workspaces().filter(|pattern| pattern.len() <= LONGEST_PATTERN).take(MOST_PATTERNS).collect();
    if patterns.is_empty() {
        return own;
    }
    for file in tree.of_kind(Kind::NpmManifest) {
        let at = file.path.parent();
        if at.len() <= LONGEST_PATH && at != folder && stands_in(at, folder) && !is_installed(at) {
            let below = at.get(folder.len()..).unwrap_or_default();
            let below = below.strip_prefix(b"/").unwrap_or(below);
            if patterns.iter().any(|pattern| matches(pattern.trim_start_matches("./").as_bytes(), below)) {
                own.extend(file.json().ok().map(|manifest| (at.to_vec(), manifest)));
            }
        }
    }
    own
}

fn is_installed(folder: &[u8]) -> bool {
    folder.split(|byte| *byte == b'/').any(|name| name == b"node_modules")
}

/// Says whether a path matches a pattern of workspaces: `*` within a name, `**` for any number of folders.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let names = |text: &[u8]| text.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (pattern, path) = (names(pattern.strip_suffix(b"/").unwrap_or(pattern)), names(path));
    matched(&pattern, &path, |one| one == b"**", |one, name| matched(one, name, |c| *c == b'*', |a, b| a == b))
}

/// Matches two lists, of which the first may hold signs for any number of the second's members.
fn matched<A, B>(pattern: &[A], list: &[B], is_any: impl Fn(&A) -> bool, is_one: impl Fn(&A, &B) -> bool) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut retry = None;
    while let Some(member) = list.get(of) {
        match pattern.get(at) {
            Some(sign) if is_any(sign) => {
                retry = Some((at, of));
                at += 1;
                continue;
            }
            Some(sign) if is_one(sign, member) => {
                (at, of) = (at + 1, of + 1);
                continue;
            }
            _ => {}
        }
        // The last sign for any number takes one member more.
        let Some((sign, from)) = retry else { return false };
        retry = Some((sign, from + 1));
        (at, of) = (sign + 1, from + 1);
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(is_any))
}

impl<'a> Requests<'a> {
    fn new(lock: &Lock<'a>, root: Option<&Manifest>) -> Self {
        let (mut by_pattern, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for (index, entry) in lock.entries.iter().enumerate() {
            for pattern in &entry.patterns {
                by_pattern.entry(*pattern).or_insert(index);
                if let Some((name, _)) = split_at_version(pattern) {
                    let only = by_name.entry(name).or_insert(Some(index));
                    *only = only.filter(|only| *only == index);
                }
            }
        }
        let instead = root.into_iter().flat_map(Manifest::resolutions);
        // A resolution may narrow itself to what stands below some package; by name alone it is a guess, and not made.
        let instead = instead.filter(|(name, _)| name.trim_start_matches('@').matches('/').count() < 2);
        let instead = instead.map(|(name, range)| (name.to_owned(), range.to_owned())).collect();
        Self { by_pattern, by_name, instead }
    }

    fn find(&self, name: &str, range: &str) -> Option<usize> {
        let of = |range: &str| {
            let plain = self.by_pattern.get(format!("{name}@{range}").as_str());
            plain.or_else(|| self.by_pattern.get(format!("{name}@npm:{range}").as_str())).copied()
        };
        let instead = || self.instead.get(name).and_then(|range| of(range));
        of(range).or_else(instead).or_else(|| self.by_name.get(name).copied().flatten())
    }
}

fn what<'a>(entry: &Entry<'a>) -> What<'a> {
    match entry.resolution {
        Some(resolution) => resolved_by_berry(entry, resolution),
        None => resolved_by_classic(entry),
    }
}

/// `name@protocol:rest`, with parameters behind `::`.
fn resolved_by_berry<'a>(entry: &Entry<'a>, resolution: &'a str) -> What<'a> {
    let (name, reference) = split_at_version(resolution).unwrap_or((resolution, ""));
    let reference = reference.split("::").next().unwrap_or_default();
    let (protocol, rest) = reference.split_once(':').unwrap_or(("npm", reference));
    let foreign = |origin| What::Foreign { name, version: entry.version, origin };
    match protocol {
        "workspace" | "link" | "portal" => What::Own(rest),
        "file" if !is_archive(rest) => What::Own(rest.split('#').next().unwrap_or_default()),
        "npm" => What::Foreign { name, version: Some(rest).filter(|rest| !rest.is_empty()), origin: Origin::Usual },
        "patch" | "file" => foreign(Origin::Usual),
        _ => match reference.split_once('#') {
            Some((url, fragment)) => {
                let commit = fragment.split('&').find_map(|part| part.strip_prefix("commit=")).unwrap_or_default();
                foreign(Origin::Git { url: url.to_owned(), commit: commit.to_owned() })
            }
            None => foreign(npm_lock::origin(reference)),
        },
    }
}

/// Yarn 1 keeps the request's alias for a name, and the address for an origin.
fn resolved_by_classic<'a>(entry: &Entry<'a>) -> What<'a> {
    let requests = entry.patterns.iter().filter_map(|pattern| split_at_version(pattern));
    let alias = requests.clone().find_map(|(_, range)| range.strip_prefix("npm:"));
    let (name, range) = requests.clone().next().unwrap_or_default();
    let name = alias.map_or(name, |alias| split_at_version(alias).map_or(alias, |(name, _)| name));
    let Some(from) = entry.resolved else {
        let path = range.strip_prefix("file:").or_else(|| range.strip_prefix("link:"));
        return match path.or_else(|| range.starts_with(['.', '/']).then_some(range)) {
            Some(path) => What::Own(path),
            None => What::Foreign { name, version: entry.version, origin: Origin::Usual },
        };
    };
    let (address, fragment) = from.split_once('#').unwrap_or((from, ""));
    let is_git = address.ends_with(".git") || address.starts_with("git");
    let origin = if is_git {
        Origin::Git { url: address.to_owned(), commit: fragment.to_owned() }
    } else {
        npm_lock::origin(address)
    };
    What::Foreign { name, version: entry.version, origin }
}

fn is_archive(path: &str) -> bool {
    let path = path.split('#').next().unwrap_or_default();
    [".tgz", ".tar.gz", ".tar"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn yarn_1_is_joined_with_the_manifests_of_its_workspaces() {
        let sum = "0".repeat(40);
        let lock = format!(
            "# yarn lockfile v1\n\na@^1.0.0:\n  version \"1.0.0\"\n  resolved \"https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#{sum}\"\n\
             \x20 dependencies:\n    b \"^2\"\n\nb@^2:\n  version \"2.0.0\"\n\n\
             \"alias@npm:@s/real@^3\":\n  version \"3.0.0\"\n  resolved \"https://registry.yarnpkg.com/@s/real/-/real-3.0.0.tgz\"\n\n\
             \"g@https://github.com/o/g.git\":\n  version \"4.0.0\"\n  resolved \"https://github.com/o/g.git#{sum}\"\n\n\
             \"own@file:./own\":\n  version \"0.0.0\"\n"
        );
        let root = r#"{"name": "app", "workspaces": ["packages/*"], "dependencies": {"own": "file:./own"},
            "devDependencies": {"alias": "npm:@s/real@^3"}}"#;
        let part = r#"{"name": "part", "dependencies": {"a": "^1.0.0", "app": "1"}, "optionalDependencies": {"g": "https://github.com/o/g.git"}}"#;
        let inventory = inventory(&[
            ("yarn.lock", &lock),
            ("package.json", root),
            ("packages/part/package.json", part),
            ("other/package.json", part),
        ]);
        let a = found(&inventory, "pkg:npm/a@1.0.0");
        assert_eq!((a.direct, a.scope, a.hashes[0].alg.as_str()), (Some(true), Scope::Runtime, "SHA-1"));
        assert_eq!(a.dependencies, ["pkg:npm/b@2.0.0"]);
        assert_eq!(found(&inventory, "pkg:npm/b@2.0.0").direct, Some(false));
        assert_eq!(found(&inventory, "pkg:npm/%40s/real@3.0.0").scope, Scope::Dev);
        let git = format!("pkg:npm/g@4.0.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fg.git%40{sum}");
        assert_eq!(found(&inventory, &git).scope, Scope::Optional);
        assert!(gaps(&inventory, "yarn.lock").is_empty(), "{:?}", gaps(&inventory, "yarn.lock"));
        assert_eq!(status(&inventory, "packages/part/package.json"), CoverageStatus::Parsed);
        assert_eq!(status(&inventory, "other/package.json"), CoverageStatus::Unlocked);
    }

    #[test]
    fn later_yarns_tell_workspaces_patches_and_aliases_by_resolution() {
        let lock = "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\
            \"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n  dependencies:\n    a: \"npm:^1\"\n    alias: \"npm:@s/real@^3\"\n\
            \x20   part: \"workspace:*\"\n  languageName: unknown\n  linkType: soft\n\n\
            \"part@workspace:*, part@workspace:packages/part\":\n  version: 0.0.0-use.local\n  resolution: \"part@workspace:packages/part\"\n  linkType: soft\n\n\
            \"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n  dependencies:\n    f: \"npm:~2\"\n  dependenciesMeta:\n    f:\n      optional: true\n  checksum: 10c0/ab\n\n\
            \"f@npm:~2\":\n  version: 2.0.0\n  resolution: \"f@npm:2.0.0\"\n\n\
            \"f@patch:f@npm%3A~2#optional!builtin<compat/f>\":\n  version: 2.0.0\n  resolution: \"f@patch:f@npm%3A2.0.0#optional!builtin<compat/f>::version=2.0.0&hash=df\"\n\n\
            \"alias@npm:@s/real@^3\":\n  version: 3.0.0\n  resolution: \"@s/real@npm:3.0.0\"\n\n\
            \"g@https://github.com/o/g.git\":\n  version: 4.0.0\n  resolution: \"g@https://github.com/o/g.git#commit=0123456789012345678901234567890123456789\"\n";
        let root = r#"{"name": "app", "dependencies": {"a": "^1", "part": "workspace:*"}, "devDependencies": {"alias": "npm:@s/real@^3"}}"#;
        let inventory = inventory(&[
            ("yarn.lock", lock),
            ("package.json", root),
            ("packages/part/package.json", r#"{"dependencies": {"x": "1"}}"#),
        ]);
        let a = found(&inventory, "pkg:npm/a@1.0.0");
        assert_eq!(
            (a.hashes[0].alg.as_str(), a.hashes[0].value.as_str(), a.direct),
            ("yarn-berry", "10c0/ab", Some(true))
        );
        assert_eq!(found(&inventory, "pkg:npm/f@2.0.0").scope, Scope::Optional);
        assert_eq!(found(&inventory, "pkg:npm/%40s/real@3.0.0").scope, Scope::Dev);
        assert_eq!(inventory.components.len(), 4, "workspaces and patches are no components of their own");
        assert_eq!(status(&inventory, "packages/part/package.json"), CoverageStatus::Parsed);
        assert!(gaps(&inventory, "yarn.lock").is_empty());
    }

    #[test]
    fn patterns_of_workspaces_match_as_yarn_does() {
        for (pattern, path, expected) in [
            ("packages/*", "packages/a", true),
            ("packages/*", "packages/a/b", false),
            ("packages/**", "packages/a/b", true),
            ("a*c/**/x", "abc/x", true),
            ("*", "a/b", false),
            ("**/**/**/z", "a/a/a/a/a/a/b", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_lock_of_nonsense_is_a_failure() {
        let inventory = inventory(&[("yarn.lock", "nonsense\n"), ("e/yarn.lock", "# yarn lockfile v1\n\n")]);
        assert_eq!(status(&inventory, "yarn.lock"), CoverageStatus::Failed);
        assert_eq!(status(&inventory, "e/yarn.lock"), CoverageStatus::Parsed);
    }
}
