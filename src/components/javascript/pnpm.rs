//! `pnpm-lock.yaml`, versions 5, 6 and 9, and its elder name `npm-shrinkwrap.yaml`; several documents in one file too.
//!
//! A key names a package, its version and, behind `(` or `_`, the peers it is installed with; those are left out of the
//! component. Version 9 keeps what needs what in `snapshots`. What a component is needed for is told by the walk from
//! the importers, the product's own packages. Never here: `package.json`; the lock repeats what it needs of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::graph::Graph;
use super::super::kind::Kind;
use super::super::npm_lock;
use super::super::npm_manifest::Locked;
use super::super::purl::Origin;
use super::super::reading::Reading;
use super::super::structured::yaml;
use super::super::tree::{File, Tree, resolved};
use super::{add_integrity, package, split_at_version};
use crate::domain::{CoverageStatus, Scope};

/// The newest format of the lock that is known.
const NEWEST: u32 = 9;

/// A lock. Before there were importers, the one package's dependencies stood at the top.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Lock {
    lockfile_version: Option<Version>,
    importers: BTreeMap<String, Importer>,
    dependencies: BTreeMap<String, Dependency>,
    dev_dependencies: BTreeMap<String, Dependency>,
    optional_dependencies: BTreeMap<String, Dependency>,
    packages: BTreeMap<String, Option<Package>>,
    snapshots: BTreeMap<String, Option<Package>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Number(f64),
    Text(String),
    Other(IgnoredAny),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Importer {
    dependencies: BTreeMap<String, Dependency>,
    dev_dependencies: BTreeMap<String, Dependency>,
    optional_dependencies: BTreeMap<String, Dependency>,
    config_dependencies: BTreeMap<String, Dependency>,
    package_manager_dependencies: BTreeMap<String, Dependency>,
}

/// What a request was resolved to.
#[derive(Deserialize)]
#[serde(untagged)]
enum Dependency {
    Text(String),
    Pair { version: String },
    Other(IgnoredAny),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Package {
    resolution: Resolution,
    name: Option<String>,
    version: Option<String>,
    dependencies: BTreeMap<String, Dependency>,
    optional_dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resolution {
    integrity: Option<String>,
    tarball: Option<String>,
    directory: Option<String>,
    repo: Option<String>,
    commit: Option<String>,
}

impl Version {
    fn major(&self) -> Option<u32> {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Other(_) => return None,
        }
        .split(['.', '-'])
        .next()?
        .parse()
        .ok()
    }
}

impl Dependency {
    fn version(&self) -> Option<&str> {
        match self {
            Self::Text(version) | Self::Pair { version } => Some(version),
            Self::Other(_) => None,
        }
    }
}

impl Importer {
    fn needs(&self) -> impl Iterator<Item = (&str, &Dependency, Scope)> {
        [
            (&self.dependencies, Scope::Runtime),
            (&self.dev_dependencies, Scope::Dev),
            (&self.optional_dependencies, Scope::Optional),
            (&self.config_dependencies, Scope::Build),
            (&self.package_manager_dependencies, Scope::Build),
        ]
        .into_iter()
        .flat_map(|(table, scope)| table.iter().map(move |(name, found)| (name.as_str(), found, scope)))
    }
}

/// Reads every lock of pnpm in the tree.
pub(in crate::components) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::PnpmLock)
        .map(|file| match yaml::<Lock>(&file) {
            Ok(documents) => read_lock(file, documents, locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(file: File<'_>, documents: Vec<Lock>, locked: &mut Locked) -> Reading {
    let majors: Vec<Option<u32>> =
        documents.iter().map(|lock| lock.lockfile_version.as_ref().and_then(Version::major)).collect();
    if majors.is_empty() || majors.contains(&None) {
        return Reading::failed(file.kind, file.path, "it does not say which version of the format it has");
    }
    if let Some(newer) = majors.iter().flatten().find(|major| **major > NEWEST) {
        let why = format!("version {newer} of the format is not known");
        return Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why);
    }
    let mut reading = Reading::new(file.kind, file.path);
    locked.folders.insert(file.path.parent().to_vec());
    for lock in documents {
        read_document(file, lock, &mut reading, locked);
    }
    reading
}

fn read_document(file: File<'_>, lock: Lock, reading: &mut Reading, locked: &mut Locked) {
    let folder = file.path.parent();
    let mut importers = lock.importers;
    if importers.is_empty() {
        let (dependencies, dev_dependencies) = (lock.dependencies, lock.dev_dependencies);
        let optional_dependencies = lock.optional_dependencies;
        let alone = Importer { dependencies, dev_dependencies, optional_dependencies, ..Importer::default() };
        importers.insert(".".to_owned(), alone);
    }
    let none = Package::default();
    let entries = if lock.snapshots.is_empty() { &lock.packages } else { &lock.snapshots };
    let mut graph = Graph::default();
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, entry) in entries {
        let plain = without_peers(key);
        let told = lock.packages.get(key).or_else(|| lock.packages.get(plain)).and_then(Option::as_ref);
        let told = told.or(entry.as_ref()).unwrap_or(&none);
        keys.insert(key, add(&mut graph, reading, plain, told));
    }
    let mut folders: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for path in importers.keys() {
        let at = resolved(folder, path);
        let index = graph.own(at.as_deref() == Some(folder));
        locked.folders.extend(at.clone());
        folders.extend(at.map(|at| (at, index)));
    }
    let mut unresolved = 0;
    for (path, importer) in &importers {
        let Some(at) = resolved(folder, path) else { continue };
        let Some(&from) = folders.get(&at) else { continue };
        for (name, found, scope) in importer.needs() {
            let Some(version) = found.version() else { continue };
            if let Some(link) = version.strip_prefix("link:") {
                if let Some(&to) = resolved(&at, link).and_then(|to| folders.get(&to)) {
                    graph.need(from, to, scope);
                }
                continue;
            }
            match find(&keys, name, version) {
                Some(to) => graph.need(from, to, scope),
                None => unresolved += 1,
            }
        }
    }
    for (key, entry) in entries {
        let (Some(&from), Some(entry)) = (keys.get(key.as_str()), entry) else { continue };
        for (table, scope) in [(&entry.dependencies, Scope::Runtime), (&entry.optional_dependencies, Scope::Optional)] {
            for (name, version) in table.iter().filter_map(|(name, found)| Some((name, found.version()?))) {
                match find(&keys, name, version) {
                    Some(to) => graph.need(from, to, scope),
                    None if version.starts_with("link:") => {}
                    None => unresolved += 1,
                }
            }
        }
    }
    if unresolved > 0 {
        reading.gap(&format!("{unresolved} of its dependencies are not among its packages"));
    }
    graph.report(reading);
}

/// The formats write the same as `name@version`, `/name@version`, `/name/version`, or, for an alias, in full.
fn find(keys: &BTreeMap<&str, usize>, name: &str, version: &str) -> Option<usize> {
    let spellings = [format!("{name}@{version}"), format!("/{name}@{version}"), format!("/{name}/{version}")];
    let found = spellings.iter().find_map(|key| keys.get(key.as_str()));
    found.or_else(|| keys.get(version)).or_else(|| keys.get(format!("/{version}").as_str())).copied()
}

/// Version 6 and later: `name@1.0.0(peer@2.0.0)`.
fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or_default()
}

fn add(graph: &mut Graph, reading: &mut Reading, key: &str, told: &Package) -> usize {
    let resolution = &told.resolution;
    if resolution.directory.is_some() {
        return graph.own(false);
    }
    let (name, version) = named(key);
    let name = told.name.as_deref().unwrap_or(name);
    let is_plain = |version: &&str| !version.is_empty() && !version.contains([':', '/']);
    let version = told.version.as_deref().or_else(|| Some(version).filter(is_plain));
    let origin = match (&resolution.repo, &resolution.tarball) {
        (Some(repo), _) => Origin::Git { url: repo.clone(), commit: resolution.commit.clone().unwrap_or_default() },
        (None, Some(tarball)) => npm_lock::origin(tarball),
        (None, None) => Origin::Usual,
    };
    let mut component = package(reading, name, version, &origin);
    if let Some(component) = &mut component {
        add_integrity(reading, component, resolution.integrity.as_deref().unwrap_or_default());
    }
    graph.foreign(component)
}

/// Parts a key into name and version. Keys without a leading `/` are of version 9, or an address.
fn named(key: &str) -> (&str, &str) {
    let inner = key.strip_prefix('/').unwrap_or(key);
    if let Some((name, version)) = split_at_version(inner).filter(|(name, _)| is_name(name)) {
        return (name, version);
    }
    // Version 5: `/@scope/name/1.0.0_peer@2.0.0`, with the registry's host before it where it is another one.
    let (path, version) = inner.split_once('_').unwrap_or((inner, "")).0.rsplit_once('/').unwrap_or((inner, ""));
    let start = path.rfind("/@").map(|at| at + 1).or_else(|| path.starts_with('@').then_some(0));
    let start = start.or_else(|| path.rfind('/').map(|at| at + 1)).unwrap_or(0);
    (path.get(start..).unwrap_or(path), version)
}

fn is_name(name: &str) -> bool {
    let bare = name.strip_prefix('@').map_or(Some(name), |scoped| scoped.split_once('/').map(|(_, bare)| bare));
    bare.is_some_and(|bare| !bare.is_empty() && !bare.contains(['/', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::{found, gaps, inventory, status};

    const SUM: &str = "sha1-AAECAwQFBgcICQoLDA0ODxAREhM=";

    #[test]
    fn version_9_walks_from_its_importers_through_its_snapshots() {
        let lock = format!(
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0(p@2.0.0)\n\
             \x20     own: {{specifier: 'workspace:*', version: 'link:packages/own'}}\n      alias: {{specifier: 'npm:@s/real@3', version: '@s/real@3.0.0'}}\n\
             \x20 packages/own:\n    devDependencies:\n      d: {{specifier: ^1, version: 1.0.0}}\n      g: {{specifier: x, version: 'https://codeload.github.com/o/g/tar.gz/0123456789012345678901234567890123456789'}}\n\
             packages:\n  a@1.0.0: {{resolution: {{integrity: {SUM}}}}}\n  p@2.0.0: {{resolution: {{integrity: {SUM}}}}}\n  d@1.0.0: {{resolution: {{integrity: {SUM}}}}}\n\
             \x20 '@s/real@3.0.0': {{resolution: {{integrity: {SUM}}}}}\n\
             \x20 g@https://codeload.github.com/o/g/tar.gz/0123456789012345678901234567890123456789:\n    resolution: {{tarball: https://codeload.github.com/o/g/tar.gz/0123456789012345678901234567890123456789}}\n    version: 4.0.0\n\
             snapshots:\n  a@1.0.0(p@2.0.0):\n    dependencies: {{p: 2.0.0}}\n  p@2.0.0: {{}}\n  d@1.0.0:\n    optionalDependencies: {{p: 2.0.0}}\n  '@s/real@3.0.0': {{}}\n\
             \x20 g@https://codeload.github.com/o/g/tar.gz/0123456789012345678901234567890123456789: {{}}\n"
        );
        let inventory = inventory(&[
            ("pnpm-lock.yaml", &lock),
            ("packages/own/package.json", r#"{"devDependencies": {"d": "1"}}"#),
        ]);
        let a = found(&inventory, "pkg:npm/a@1.0.0");
        assert_eq!((a.direct, a.scope, a.hashes.len()), (Some(true), Scope::Runtime, 1));
        assert_eq!(a.dependencies, ["pkg:npm/p@2.0.0"]);
        assert_eq!(found(&inventory, "pkg:npm/p@2.0.0").scope, Scope::Runtime);
        assert_eq!(found(&inventory, "pkg:npm/d@1.0.0").scope, Scope::Dev);
        found(&inventory, "pkg:npm/%40s/real@3.0.0");
        let git =
            "pkg:npm/g@4.0.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fg%400123456789012345678901234567890123456789";
        assert_eq!(found(&inventory, git).scope, Scope::Dev);
        assert_eq!(inventory.components.len(), 5);
        assert!(inventory.coverage.iter().all(|file| file.gaps.is_empty()), "{:?}", inventory.coverage);
    }

    #[test]
    fn older_versions_and_several_documents_are_read() {
        let five = "lockfileVersion: 5.4\nspecifiers: {a: ^1}\ndependencies:\n  a: 1.0.0_p@2.0.0\ndevDependencies:\n  '@s/d': 1.0.0\n\
            packages:\n  /a/1.0.0_p@2.0.0:\n    resolution: {integrity: sha1-x}\n    dependencies: {p: 2.0.0}\n  /p/2.0.0: {}\n  /@s/d/1.0.0: {dev: true}\n\
            \x20 file:../own: {resolution: {directory: ../own, type: directory}, name: own}\n";
        let six = "lockfileVersion: '6.0'\ndependencies:\n  a: {specifier: ^1, version: 1.0.0(p@2.0.0)}\npackages:\n  /a@1.0.0(p@2.0.0):\n    resolution: {integrity: x}\n";
        let two = "---\nlockfileVersion: '9.0'\nimporters:\n  .:\n    packageManagerDependencies: {pnpm: {specifier: '1', version: 1.0.0}}\npackages: {pnpm@1.0.0: {}}\nsnapshots: {pnpm@1.0.0: {}}\n\
            ---\nlockfileVersion: '9.0'\nimporters: {.: {dependencies: {z: {specifier: '1', version: 1.0.0}}}}\npackages: {z@1.0.0: {}}\nsnapshots: {z@1.0.0: {}}\n";
        let inventory = inventory(&[
            ("5/pnpm-lock.yaml", five),
            ("6/pnpm-lock.yaml", six),
            ("9/pnpm-lock.yaml", two),
            ("0/pnpm-lock.yaml", "lockfileVersion: 10.0"),
            ("x/pnpm-lock.yaml", "a: ["),
        ]);
        assert_eq!(found(&inventory, "pkg:npm/a@1.0.0").found_in.len(), 2);
        assert_eq!(found(&inventory, "pkg:npm/%40s/d@1.0.0").scope, Scope::Dev);
        assert_eq!(found(&inventory, "pkg:npm/p@2.0.0").direct, Some(false));
        assert_eq!(found(&inventory, "pkg:npm/pnpm@1.0.0").scope, Scope::Build);
        assert_eq!(found(&inventory, "pkg:npm/z@1.0.0").scope, Scope::Runtime);
        assert_eq!(inventory.components.len(), 5);
        assert_eq!(gaps(&inventory, "5/pnpm-lock.yaml"), ["a: its integrity is no SHA-1"]);
        assert_eq!(status(&inventory, "0/pnpm-lock.yaml"), CoverageStatus::Unsupported);
        assert_eq!(status(&inventory, "x/pnpm-lock.yaml"), CoverageStatus::Failed);
    }
}
