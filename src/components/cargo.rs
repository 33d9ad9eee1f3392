//! `Cargo.lock`, versions 1 to 4, read together with the `Cargo.toml` files of its tree.
//!
//! A package without a source is the product's own and no component. The lock does not tell what a crate is needed
//! for; the manifests do, and the walk from the product's own packages carries it on: the widest scope wins, and what
//! a crate of others needs has the scope of that crate. Never here: resolving, features or targets.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use serde::Deserialize;

use super::cargo_manifest::{Manifest, manifests};
use super::kind::Kind;
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex, is_usable};
use super::tree::{File, Tree, stands_in};
use crate::domain::{Component, CoverageStatus, RepoPath, Scope};

/// The newest format of the lock that is known.
const NEWEST: i64 = 4;

/// So many manifests of one name are compared.
const MOST_NAMESAKES: usize = 1000;

const CRATES_IO: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

#[derive(Deserialize)]
struct Lock {
    version: Option<i64>,
    root: Option<Package>,
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    metadata: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// A lock with its edges resolved to places in `packages`.
struct Graph {
    packages: Vec<Package>,
    edges: Vec<Vec<usize>>,
    unresolved: Vec<String>,
}

/// What the manifests say about a lock's packages.
struct Walk {
    scopes: Vec<Option<Scope>>,
    direct: BTreeSet<usize>,
    /// Own packages whose manifest was not found.
    unknown: BTreeSet<usize>,
}

/// The manifests that locks account for.
#[derive(Default)]
struct Covered<'a> {
    paths: BTreeSet<&'a RepoPath>,
    /// Folder of a lock, with each foreign package that it pins: a manifest of that name below is a vendored copy.
    pinned: BTreeMap<(String, String), Vec<Vec<u8>>>,
}

/// Reads every `Cargo.lock` and `Cargo.toml` of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let manifests = manifests(tree);
    let mut by_name: BTreeMap<&str, Vec<&Manifest<'_>>> = BTreeMap::new();
    for manifest in manifests.iter().filter_map(|(_, manifest)| manifest.as_ref().ok()) {
        if let Some(name) = &manifest.name {
            by_name.entry(name).or_default().push(manifest);
        }
    }
    let mut covered = Covered::default();
    let mut readings: Vec<Reading> =
        tree.of_kind(Kind::CargoLock).map(|file| read_lock(file, &by_name, &mut covered)).collect();
    readings.extend(manifests.iter().map(|(file, manifest)| match manifest {
        Ok(manifest) => read_manifest(manifest, &covered),
        Err(why) => Reading::failed(file.kind, file.path, why),
    }));
    readings
}

fn read_lock<'a>(file: File<'_>, by_name: &BTreeMap<&str, Vec<&Manifest<'a>>>, covered: &mut Covered<'a>) -> Reading {
    let lock: Lock = match file.toml() {
        Ok(lock) => lock,
        Err(why) => return Reading::failed(file.kind, file.path, &why),
    };
    if let Some(version) = lock.version.filter(|version| *version > NEWEST) {
        let why = format!("version {version} of the format is not known");
        return Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why);
    }
    let metadata = lock.metadata;
    let graph = Graph::new(lock.package.into_iter().chain(lock.root).collect());
    let folder = file.path.parent();
    let own: Vec<_> = graph.packages.iter().map(|package| manifest_of(package, folder, by_name)).collect();
    let walk = graph.walk(folder, &own);
    covered.paths.extend(own.iter().flatten().map(|manifest| manifest.file.path));

    let mut reading = Reading::new(file.kind, file.path);
    for text in &graph.unresolved {
        reading.gap(&format!("a dependency is not among the packages: {text}"));
    }
    for package in walk.unknown.iter().filter_map(|index| graph.packages.get(*index)) {
        reading.gap(&format!("no Cargo.toml of {} tells what its dependencies are for", package.name));
    }
    for package in graph.packages.iter().filter(|package| package.source.is_none()) {
        let purl = purl::cargo(&package.name, Some(&package.version), &Origin::Usual);
        reading.own("cargo", &package.name, Some(&package.version), purl);
    }
    let purls: Vec<Option<String>> = graph.packages.iter().map(usable_purl).collect();
    for (index, package) in graph.packages.iter().enumerate().filter(|(_, package)| package.source.is_some()) {
        let key = (package.name.clone(), package.version.clone());
        covered.pinned.entry(key).or_default().push(folder.to_vec());
        let Some(mut component) = component(&mut reading, package, &metadata) else { continue };
        component.scope = walk.scopes.get(index).copied().flatten().unwrap_or(Scope::Runtime);
        component.direct = Some(walk.direct.contains(&index));
        let needed = graph.edges.get(index).into_iter().flatten();
        component.dependencies = needed.filter_map(|to| purls.get(*to)?.clone()).collect();
        reading.add(component);
    }
    reading
}

fn component(reading: &mut Reading, package: &Package, metadata: &BTreeMap<String, toml::Value>) -> Option<Component> {
    let mut component = reading.component("cargo", &package.name, Some(&package.version), purl_of(package))?;
    let source = package.source.as_deref().unwrap_or_default();
    let apart = || metadata.get(&format!("checksum {} {} ({source})", package.name, package.version))?.as_str();
    match package.checksum.as_deref().or_else(apart) {
        Some(sum) if is_hex(sum, 32) => component.hashes.push(reading.hash("SHA-256", sum)),
        Some("<none>") | None => {}
        Some(_) => reading.gap(&format!("the checksum of {} {} is no SHA-256", package.name, package.version)),
    }
    match source.rsplit_once('#') {
        Some((_, commit)) if is_git(source) && (is_hex(commit, 20) || is_hex(commit, 32)) => {
            component.hashes.push(reading.hash("git", commit));
        }
        _ if is_git(source) => {
            reading.gap(&format!("{} {} is taken from Git without a commit", package.name, package.version));
        }
        _ => {}
    }
    Some(component)
}

fn is_git(source: &str) -> bool {
    source.starts_with("git+")
}

/// Returns the purl of a package that is no own one and can be stored.
fn usable_purl(package: &Package) -> Option<String> {
    let purl = package.source.as_ref().map(|_| purl_of(package))?;
    is_usable(&package.name, Some(&package.version), &purl).then_some(purl)
}

fn purl_of(package: &Package) -> String {
    let source = package.source.as_deref().unwrap_or_default();
    let origin = match source.rsplit_once('#') {
        _ if CRATES_IO.contains(&source) => Origin::Usual,
        Some((url, commit)) if is_git(source) => Origin::Git { url: url.to_owned(), commit: commit.to_owned() },
        None if is_git(source) => Origin::Git { url: source.to_owned(), commit: String::new() },
        _ => Origin::Registry(source.trim_start_matches("registry+").trim_start_matches("sparse+").to_owned()),
    };
    purl::cargo(&package.name, Some(&package.version), &origin)
}

/// Returns the manifest of an own package: the one of that name, best below the lock's folder, best of that version.
fn manifest_of<'m, 'a>(
    package: &Package,
    folder: &[u8],
    by_name: &BTreeMap<&str, Vec<&'m Manifest<'a>>>,
) -> Option<&'m Manifest<'a>> {
    let candidates = by_name.get(package.name.as_str()).filter(|_| package.source.is_none())?;
    candidates.iter().copied().take(MOST_NAMESAKES).min_by_key(|manifest| {
        let path = manifest.file.path;
        let other = manifest.version.as_deref().is_some_and(|version| version != package.version);
        (!stands_in(path.as_bytes(), folder), other, path.as_bytes().len(), path)
    })
}

impl Graph {
    fn new(packages: Vec<Package>) -> Self {
        let mut by_key: BTreeMap<(&str, &str, &str), Option<usize>> = BTreeMap::new();
        for (index, package) in packages.iter().enumerate() {
            let source = without_commit(package.source.as_deref().unwrap_or_default());
            let (name, version) = (package.name.as_str(), package.version.as_str());
            // Two packages under one key: a dependency by that key alone would be a guess.
            for key in BTreeSet::from([(name, "", ""), (name, version, ""), (name, version, source)]) {
                by_key.entry(key).and_modify(|place| *place = None).or_insert(Some(index));
            }
        }
        let mut unresolved = Vec::new();
        let mut edges = Vec::with_capacity(packages.len());
        for package in &packages {
            let mut to = Vec::with_capacity(package.dependencies.len());
            for text in &package.dependencies {
                let mut words = text.splitn(3, ' ');
                let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                let source = words.next().unwrap_or_default().trim_start_matches('(').trim_end_matches(')');
                match by_key.get(&(name, version, without_commit(source))).copied().flatten() {
                    Some(index) => to.push(index),
                    None => unresolved.push(text.clone()),
                }
            }
            to.sort_unstable();
            to.dedup();
            edges.push(to);
        }
        Self { packages, edges, unresolved }
    }

    /// Carries scopes from the product's own packages to all that they need.
    fn walk(&self, folder: &[u8], own: &[Option<&Manifest<'_>>]) -> Walk {
        let mut walk =
            Walk { scopes: vec![None; self.packages.len()], direct: BTreeSet::new(), unknown: BTreeSet::new() };
        let is_own = |index: usize| self.packages.get(index).is_some_and(|package| package.source.is_none());
        let own_indexes: Vec<usize> = (0..self.packages.len()).filter(|index| is_own(*index)).collect();
        let needed: BTreeSet<usize> =
            own_indexes.iter().filter_map(|index| self.edges.get(*index)).flatten().copied().collect();
        let manifest = |index: usize| own.get(index).copied().flatten();
        let at_top = |index: usize| manifest(index).is_some_and(|manifest| manifest.file.path.parent() == folder);
        // What no own package needs is a product; own packages that only need each other are products too.
        let (roots, rest): (Vec<usize>, Vec<usize>) =
            own_indexes.iter().partition(|index| !needed.contains(*index) || at_top(**index));
        self.spread(roots, own, &mut walk);
        for index in rest {
            if walk.scopes.get(index) == Some(&None) {
                self.spread(vec![index], own, &mut walk);
            }
        }
        walk.direct = needed;
        walk.unknown = own_indexes
            .into_iter()
            .filter(|index| self.edges.get(*index).is_some_and(|to| !to.is_empty()) && manifest(*index).is_none())
            .collect();
        walk
    }

    /// The widest path: a package's scope is final when it is taken from the heap.
    fn spread(&self, roots: Vec<usize>, own: &[Option<&Manifest<'_>>], walk: &mut Walk) {
        let mut heap: BinaryHeap<(Scope, usize)> = roots.into_iter().map(|root| (Scope::Runtime, root)).collect();
        while let Some((scope, index)) = heap.pop() {
            let Some(known) = walk.scopes.get_mut(index) else { continue };
            if known.is_some_and(|known| known >= scope) {
                continue;
            }
            *known = Some(scope);
            let manifest = own.get(index).copied().flatten();
            for to in self.edges.get(index).into_iter().flatten() {
                let name = self.packages.get(*to).map_or("", |package| package.name.as_str());
                let need = manifest.and_then(|manifest| manifest.needs.get(name));
                heap.push((need.map_or(scope, |need| need.scope.min(scope)), *to));
            }
        }
    }
}

fn without_commit(source: &str) -> &str {
    source.split('#').next().unwrap_or_default()
}

/// A manifest is covered when a lock names its package; otherwise its crates are known by name only.
fn read_manifest(manifest: &Manifest<'_>, covered: &Covered<'_>) -> Reading {
    let file = manifest.file;
    let mut reading = Reading::new(file.kind, file.path);
    let external: Vec<_> = manifest.needs.iter().filter(|(_, need)| need.external).collect();
    reading.names(external.len());
    if external.is_empty() || covered.paths.contains(file.path) || is_vendored(manifest, covered) {
        return reading;
    }
    reading.unlocked();
    for (name, need) in external {
        reading.gap(&format!("{name}: no lock says which version"));
        let purl = purl::cargo(name, None, &Origin::Usual);
        let Some(mut component) = reading.component("cargo", name, None, purl) else { continue };
        component.scope = need.scope;
        component.direct = Some(true);
        reading.add(component);
    }
    reading
}

fn is_vendored(manifest: &Manifest<'_>, covered: &Covered<'_>) -> bool {
    let (Some(name), Some(version)) = (&manifest.name, &manifest.version) else { return false };
    let folders = covered.pinned.get(&(name.clone(), version.clone()));
    folders.into_iter().flatten().any(|folder| stands_in(manifest.file.path.as_bytes(), folder))
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    const SUM: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn package(name: &str, version: &str, needs: &[&str]) -> String {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"{SUM}\"\n\
             dependencies = {needs:?}\n"
        )
    }

    fn own(name: &str, needs: &[&str]) -> String {
        format!("[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\ndependencies = {needs:?}\n")
    }

    #[test]
    fn scopes_walk_from_the_own_packages_and_the_widest_wins() {
        let lock = [
            "version = 4\n".to_owned(),
            own("app", &["a", "b", "c", "lib"]),
            own("lib", &["d"]),
            package("a", "1.0.0", &["shared"]),
            package("b", "1.0.0", &["shared", "only-b"]),
            package("c", "1.0.0", &[]),
            package("d", "1.0.0", &[]),
            package("shared", "1.0.0", &[]),
            package("only-b", "1.0.0", &["b"]),
        ]
        .concat();
        let app = "[package]\nname = \"app\"\n[dependencies]\na = \"1\"\nc = { version = \"1\", optional = true }\n\
            [dev-dependencies]\nb = \"1\"\nlib = { path = \"lib\" }\n";
        let lib = "[package]\nname = \"lib\"\n[build-dependencies]\nd = \"1\"\n";
        let inventory = inventory(&[("Cargo.lock", &lock), ("Cargo.toml", app), ("lib/Cargo.toml", lib)]);
        for (purl, scope, direct) in [
            ("pkg:cargo/a@1.0.0", Scope::Runtime, true),
            ("pkg:cargo/b@1.0.0", Scope::Dev, true),
            ("pkg:cargo/c@1.0.0", Scope::Optional, true),
            ("pkg:cargo/d@1.0.0", Scope::Dev, true),
            ("pkg:cargo/shared@1.0.0", Scope::Runtime, false),
            ("pkg:cargo/only-b@1.0.0", Scope::Dev, false),
        ] {
            let component = found(&inventory, purl);
            assert_eq!((component.scope, component.direct), (scope, Some(direct)), "{purl}");
        }
        assert_eq!(inventory.components.len(), 6, "own packages are no components");
        assert_eq!(found(&inventory, "pkg:cargo/only-b@1.0.0").dependencies, ["pkg:cargo/b@1.0.0"]);
        assert!(inventory.coverage.iter().all(|file| file.status == CoverageStatus::Parsed && file.gaps.is_empty()));
    }

    #[test]
    fn checksums_of_the_first_format_stand_in_its_metadata() {
        let lock = format!(
            "[root]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\"]\n\
             [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
             [metadata]\n\"checksum a 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\" = \"{SUM}\"\n"
        );
        let inventory = inventory(&[("Cargo.lock", &lock)]);
        let a = found(&inventory, "pkg:cargo/a@1.0.0");
        assert_eq!((a.hashes[0].value.as_str(), a.direct), (SUM, Some(true)));
        assert_eq!(gaps(&inventory, "Cargo.lock"), ["no Cargo.toml of app tells what its dependencies are for"]);
    }

    #[test]
    fn other_sources_are_in_the_purl_and_no_credentials_are() {
        let commit = "0123456789012345678901234567890123456789";
        let lock = format!(
            "[[package]]\nname = \"g\"\nversion = \"1.0.0\"\nsource = \"git+https://u:pw@host/g.git?branch=x#{commit}\"\n\
             [[package]]\nname = \"r\"\nversion = \"1.0.0\"\nsource = \"sparse+https://pw@reg.example/index/\"\n"
        );
        let inventory = inventory(&[("Cargo.lock", &lock)]);
        let git = format!("pkg:cargo/g@1.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fg.git%40{commit}");
        assert_eq!(found(&inventory, &git).hashes[0].alg, "git");
        found(&inventory, "pkg:cargo/r@1.0.0?repository_url=https:%2F%2Freg.example%2Findex%2F");
    }

    #[test]
    fn a_manifest_without_a_lock_declares_names_only() {
        let toml = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\nown = { path = \"../own\" }\n";
        let inventory = inventory(&[("x/Cargo.toml", toml)]);
        assert_eq!(status(&inventory, "x/Cargo.toml"), CoverageStatus::Unlocked);
        assert_eq!(found(&inventory, "pkg:cargo/a").version, None);
        assert_eq!(inventory.components.len(), 1);
    }

    #[test]
    fn a_vendored_copy_is_covered_by_the_lock_that_pins_it() {
        let lock = package("a", "1.0.0", &[]);
        let toml = "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\nz = \"1\"\n";
        let inventory = inventory(&[("Cargo.lock", &lock), ("vendor/a/Cargo.toml", toml)]);
        assert_eq!(status(&inventory, "vendor/a/Cargo.toml"), CoverageStatus::Parsed);
    }

    #[test]
    fn locks_that_cannot_be_read_are_coverage_and_end_nothing() {
        let good = package("a", "1.0.0", &["gone"]);
        let bad_name = "[[package]]\nname = \"a\\u001b[2J\"\nversion = \"1\"\nsource = \"registry+x\"\n";
        let deep = format!("x = {}", "[".repeat(100_000));
        let inventory = inventory(&[
            ("1/Cargo.lock", "no toml"),
            ("2/Cargo.lock", "version = 9\n"),
            ("3/Cargo.lock", &good),
            ("4/Cargo.lock", bad_name),
            ("5/Cargo.lock", &deep),
            ("6/Cargo.toml", "[package"),
        ]);
        assert_eq!(status(&inventory, "1/Cargo.lock"), CoverageStatus::Failed);
        assert_eq!(status(&inventory, "2/Cargo.lock"), CoverageStatus::Unsupported);
        assert_eq!(gaps(&inventory, "3/Cargo.lock"), ["a dependency is not among the packages: gone"]);
        assert_eq!(gaps(&inventory, "4/Cargo.lock"), ["an entry has an unusable name or version: a\\u{1b}[2J 1"]);
        assert_eq!(status(&inventory, "5/Cargo.lock"), CoverageStatus::Failed);
        assert_eq!(status(&inventory, "6/Cargo.toml"), CoverageStatus::Failed);
        assert_eq!(inventory.components.len(), 1);
    }
}
