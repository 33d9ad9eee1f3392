//! Lock files in, components out: which external software a tree pins, and what became of each file that says so.
//!
//! One bad file never ends the run: it is a coverage entry. Never here: network, disk, package managers, or an
//! invented version, hash or supplier. Serves IEC 62304 cl. 8.1.2. Format: docs/format.md §4.

mod bazel;
mod bills;
mod cargo;
mod cargo_manifest;
mod cmake;
mod cmake_text;
mod cocoapods;
mod composer;
mod conan;
mod cpan;
mod cran;
mod cyclonedx_bill;
mod dart;
mod documents;
mod erlang_terms;
mod first_party;
mod flake;
mod gem;
mod golang;
mod gradle;
mod graph;
mod haskell;
mod helm;
mod hex;
mod javascript;
mod julia;
mod kind;
mod maven;
mod maven_build;
mod maven_pom;
mod memory;
mod npm;
mod npm_lock;
mod npm_manifest;
mod nuget;
mod nuget_projects;
mod pinned;
mod pipeline;
mod programs;
mod purl;
mod python;
mod reading;
mod requirement;
mod requirements;
#[cfg(test)]
mod samples;
mod spdx_bill;
mod structured;
mod submodules;
mod swift;
mod terraform;
#[cfg(test)]
mod testing;
mod tree;
mod unread;
mod vcpkg;
mod workspaces;

use std::collections::BTreeMap;

use std::sync::Arc;

use crate::domain::{Component, Coverage, ObjectId, RepoPath};
pub use first_party::FirstParty;
use kind::Kind;
pub use memory::Memory;
use reading::Reading;
use tree::{File, Tree};

/// A longer lock file is not read: none is known to come near it.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The readers, one per ecosystem. Each sees the whole tree, since a lock and its manifests explain each other.
const READERS: &[fn(&Tree<'_>) -> Vec<Reading>] = &[
    cargo::read,
    javascript::read,
    python::read,
    requirements::read,
    golang::read,
    submodules::read,
    pipeline::read,
    helm::read,
    terraform::read,
    flake::read,
    bazel::read,
    maven::read,
    gradle::read,
    nuget::read,
    composer::read,
    gem::read,
    dart::read,
    hex::read,
    swift::read,
    cocoapods::read,
    conan::read,
    vcpkg::read,
    cmake::read,
    workspaces::read,
    haskell::read,
    cran::read,
    julia::read,
    cpan::read,
    bills::read,
    programs::read,
    unread::read,
];

/// Components and what became of each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Sorted by purl, one per purl.
    pub components: Vec<Component>,
    /// Sorted by path.
    pub coverage: Vec<Coverage>,
    /// The product's own packages, which are no components. Sorted by purl, one per purl; no manifest holds them.
    pub first_party: Vec<FirstParty>,
}

/// A file that `is_wanted`, as the readers get it.
#[derive(Clone, Debug)]
pub struct LockFile {
    path: RepoPath,
    id: Option<ObjectId>,
    size: u64,
    /// None where it is longer than any lock file.
    bytes: Option<Arc<[u8]>>,
}

impl LockFile {
    /// Takes what a file holds, unless that is too long.
    #[must_use]
    pub fn new(path: RepoPath, id: Option<ObjectId>, bytes: &[u8]) -> Self {
        let held = (bytes.len() <= MOST_BYTES).then(|| Arc::from(bytes));
        Self { path, id, size: bytes.len() as u64, bytes: held }
    }

    /// Takes note of a file that was too long to be held at all.
    #[must_use]
    pub fn too_long(path: RepoPath, id: Option<ObjectId>, size: u64) -> Self {
        Self { path, id, size, bytes: None }
    }

    /// Returns the same content at another path.
    #[must_use]
    pub fn at(&self, path: RepoPath) -> Self {
        Self { path, ..self.clone() }
    }

    /// Returns where it stands.
    #[must_use]
    pub fn path(&self) -> &RepoPath {
        &self.path
    }

    /// Returns Git's id of its content.
    #[must_use]
    pub fn id(&self) -> Option<ObjectId> {
        self.id
    }

    /// Returns what it holds; nothing where that is too long.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    fn known(&self) -> Option<File<'_>> {
        Some(File { path: &self.path, kind: Kind::of(&self.path)?, bytes: self.bytes()?, id: self.id })
    }
}

/// Says whether the file of that name is one that `read` wants to see.
#[must_use]
pub fn is_wanted(path: &RepoPath) -> bool {
    Kind::of(path).is_some()
}

/// Returns a package URL in its canonical spelling, with its type; nothing where it is none.
#[must_use]
pub fn canonical_purl(text: &str) -> Option<(String, String)> {
    purl::canonical(text)
}

/// Returns the package URL of something that no ecosystem serves.
#[must_use]
pub fn generic_purl(supplier: Option<&str>, name: &str, version: Option<&str>) -> String {
    // A slash in a name would make a namespace of what is before it.
    let path: Vec<String> = supplier.into_iter().chain([name]).map(|text| text.replace('/', "-")).collect();
    purl::plain("generic", &path.join("/"), version)
}

/// Reads all wanted files of one tree together. `gitlinks` are the tree's submodules: path and commit id in hex.
#[must_use]
pub fn read(files: &[LockFile], gitlinks: &[(RepoPath, String)]) -> Inventory {
    let tree = Tree::new(files.iter().filter_map(LockFile::known), gitlinks);
    let mut readings: Vec<Reading> = READERS.iter().flat_map(|reader| reader(&tree)).collect();
    readings.extend(too_long(files));
    merged(readings)
}

/// What is said of files that no reader gets.
fn too_long(files: &[LockFile]) -> impl Iterator<Item = Reading> {
    files.iter().filter(|file| file.bytes.is_none()).filter_map(|file| {
        let why = format!("{} bytes are more than any lock file needs", file.size);
        Some(Reading::failed(Kind::of(&file.path)?, &file.path, &why))
    })
}

/// One component per purl, with every place that names it; nothing dangles.
fn merged(readings: Vec<Reading>) -> Inventory {
    let mut coverage: Vec<Coverage> = readings.iter().map(Reading::coverage).collect();
    coverage.sort_by(|a, b| (&a.path, &a.reader).cmp(&(&b.path, &b.reader)));
    let own = readings.iter().flat_map(|reading| reading.first_party.iter().cloned()).collect();
    let mut found: Vec<Component> = readings.into_iter().flat_map(Reading::into_components).collect();
    // The spelling of a name and its first place must not hang on the order of reading.
    found.sort_by(|a, b| (&a.purl, &a.found_in, &a.name).cmp(&(&b.purl, &b.found_in, &b.name)));
    let mut by_purl: BTreeMap<String, Component> = BTreeMap::new();
    for component in found {
        match by_purl.get_mut(&component.purl) {
            Some(known) => join(known, component),
            None => drop(by_purl.insert(component.purl.clone(), component)),
        }
    }
    let purls: std::collections::BTreeSet<String> = by_purl.keys().cloned().collect();
    let mut components: Vec<Component> = by_purl.into_values().collect();
    for component in &mut components {
        let purl = component.purl.clone();
        component.dependencies.retain(|needed| *needed != purl && purls.contains(needed));
        sort(&mut component.dependencies);
        sort(&mut component.found_in);
        sort(&mut component.hashes);
        sort(&mut component.licenses);
    }
    Inventory { components, coverage, first_party: first_party::joined(own) }
}

fn join(known: &mut Component, other: Component) {
    known.scope = known.scope.max(other.scope);
    known.direct = known.direct.max(other.direct);
    known.hashes.extend(other.hashes);
    known.found_in.extend(other.found_in);
    known.licenses.extend(other.licenses);
    known.dependencies.extend(other.dependencies);
}

fn sort<T: Ord>(values: &mut Vec<T>) {
    values.sort();
    values.dedup();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples;
    use super::testing::{SCRIPT_SAMPLES, found, inventory, status};
    use super::*;
    use crate::domain::CoverageStatus;

    const SAMPLES: [(&str, &str); 7] = [
        (
            "Cargo.lock",
            "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"a\"]\n[[package]]\n\
             name = \"a\"\nversion = \"1.0.0\"\nsource = \"git+https://h/a?rev=1#0123456789012345678901234567890123456789\"\n",
        ),
        ("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\na = { version = \"1\", optional = true }\n"),
        (
            "package-lock.json",
            r#"{"lockfileVersion": 2, "packages": {"": {"dependencies": {"a": "1"}}, "node_modules/a": {"version": "1.0.0",
            "integrity": "sha1-AAECAwQFBgcICQoLDA0ODxAREhM=", "dependencies": {"b": "1"}}, "node_modules/a/node_modules/b":
            {"version": "2.0.0"}}, "dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2"}}}}}"#,
        ),
        (
            "requirements.txt",
            "-r requirements.txt\na[x]==1 ; python_version<'3' \\\n --hash=sha256:00\nb @ git+https://u@h/b@1#egg=b\n",
        ),
        ("go.mod", "module m\ngo 1.20\nrequire (\n\ta.org/a v1.0.0 // indirect\n)\nreplace a.org/a => ../a\n"),
        ("go.sum", "a.org/a v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
        (".gitmodules", "[submodule \"z\"]\n\tpath = z\n\turl = git@host:a/z.git\n"),
    ];

    #[test]
    fn one_component_has_all_its_places_and_the_widest_scope() {
        let inventory = inventory(&[
            (
                "b/requirements-test.txt",
                "A==1 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
            ),
            ("a/requirements.txt", "a==1\n"),
        ]);
        let a = found(&inventory, "pkg:pypi/a@1");
        let places: Vec<_> = a.found_in.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["a/requirements.txt", "b/requirements-test.txt"]);
        assert_eq!((a.scope, a.hashes.len()), (crate::domain::Scope::Runtime, 1));
    }

    #[test]
    fn own_packages_are_told_beside_the_components() {
        let pyproject = "[project]\nname = \"Tool_A\"\nversion = \"2.0\"\n";
        let uv = "version = 1\n[[package]]\nname = \"svc\"\nsource = { editable = \".\" }\n";
        let files = [
            SAMPLES[0],
            ("x/Cargo.lock", SAMPLES[0].1),
            ("js/package-lock.json", r#"{"lockfileVersion": 3, "packages": {"": {}, "packages/p": {}}}"#),
            ("js/package.json", r#"{"name": "web", "version": "1.2.3"}"#),
            ("js/packages/p/package.json", r#"{"name": "@o/p"}"#),
            ("js/node_modules/z/package.json", r#"{"name": "z"}"#),
            ("unlocked/package.json", r#"{"name": "y"}"#),
            ("poetry.lock", "package = []\n"),
            ("pyproject.toml", pyproject),
            ("u/uv.lock", uv),
            ("go.mod", "module example.org/m\n"),
            ("Gemfile.lock", "PATH\n  remote: .\n  specs:\n    own (0.1)\n"),
        ];
        let inventory = inventory(&files);
        let told: Vec<_> = inventory.first_party.iter().map(|own| (own.purl.as_str(), own.found_in.len())).collect();
        let expected = [
            ("pkg:cargo/app@0.1.0", 2),
            ("pkg:gem/own@0.1", 1),
            ("pkg:golang/example.org/m", 1),
            ("pkg:npm/%40o/p", 1),
            ("pkg:npm/web@1.2.3", 1),
            ("pkg:pypi/svc", 1),
            ("pkg:pypi/tool-a@2.0", 1),
        ];
        assert_eq!(told, expected);
        assert!(inventory.components.iter().all(|component| expected.iter().all(|(purl, _)| component.purl != *purl)));
    }

    #[test]
    fn a_file_without_a_reader_and_a_file_that_is_too_long_are_said() {
        let long = " ".repeat(MOST_BYTES + 1);
        let inventory = inventory(&[("pixi.lock", ""), ("go.mod", &long), ("README.md", "")]);
        assert_eq!(status(&inventory, "pixi.lock"), CoverageStatus::Unsupported);
        assert_eq!(status(&inventory, "go.mod"), CoverageStatus::Failed);
        assert_eq!(inventory.coverage.len(), 2);
    }

    #[test]
    fn a_file_that_names_more_than_any_product_has_is_cut_and_said() {
        let text = (0..25_010).fold(String::new(), |text, number| text + &format!("a{number}==1\n"));
        let inventory = inventory(&[("requirements.txt", &text)]);
        assert_eq!(inventory.components.len(), 25_000);
        assert_eq!(inventory.coverage[0].gaps, ["it names more components than are kept"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn damaged_files_never_end_the_run(
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in prop::option::of(any::<prop::sample::Index>()),
            swapped in 0..SAMPLES.len() + SCRIPT_SAMPLES.len() + samples::ALL.len(),
        ) {
            let mut files = Vec::new();
            for (index, (path, text)) in SAMPLES.iter().chain(&SCRIPT_SAMPLES).chain(samples::ALL).enumerate() {
                let mut bytes = text.as_bytes().to_vec();
                for (at, byte) in &damage {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                if let Some(cut) = cut.filter(|_| index == swapped) {
                    bytes.truncate(cut.index(bytes.len()));
                }
                files.push(LockFile::new(RepoPath::from(*path), None, &bytes));
            }
            let links = [(RepoPath::from("z"), "0123456789012345678901234567890123456789".to_owned())];
            let inventory = read(&files, &links);
            prop_assert!(inventory.coverage.iter().any(|coverage| coverage.path == RepoPath::from("z")));
            for (path, _) in SAMPLES.iter().chain(samples::ALL).filter(|(path, _)| !samples::SILENT.contains(path)) {
                prop_assert!(inventory.coverage.iter().any(|coverage| coverage.path == RepoPath::from(*path)), "{path}");
            }
            files.reverse();
            prop_assert_eq!(&read(&files, &links), &inventory);
            for component in &inventory.components {
                prop_assert!(component.purl.bytes().all(|c| c.is_ascii_graphic()));
                for needed in &component.dependencies {
                    prop_assert!(inventory.components.iter().any(|other| other.purl == *needed));
                }
            }
        }
    }
}
