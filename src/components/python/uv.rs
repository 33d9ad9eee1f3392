//! `uv.lock`, and the locks that uv writes for scripts (`*.py.lock`).
//!
//! Members of the workspace, editable and virtual projects and folders are the product's own; the lock itself tells what
//! they need, for which extra and for which group. Never here: `pyproject.toml`; markers' values.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::graph::Graph;
use super::super::kind::Kind;
use super::super::purl::Origin;
use super::super::reading::Reading;
use super::super::tree::{File, Tree, resolved};
use super::{Locked, Names, add_hashes, group_scope, own, package, registry};
use crate::domain::{CoverageStatus, Scope};

/// The newest format of the lock that is known.
const NEWEST: u64 = 1;

#[derive(Deserialize)]
struct Lock {
    version: Option<u64>,
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    manifest: Manifest,
}

/// What is asked for by no package: by a script, or by a workspace that is none itself.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
struct Manifest {
    requirements: Vec<Dependency>,
    dependency_groups: BTreeMap<String, Vec<Dependency>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: Option<String>,
    #[serde(default)]
    source: Source,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<Dependency>>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, Vec<Dependency>>,
    sdist: Option<Artifact>,
    #[serde(default)]
    wheels: Vec<Artifact>,
}

#[derive(Deserialize, Default)]
struct Source {
    registry: Option<String>,
    git: Option<String>,
    url: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
    directory: Option<String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Artifact {
    hash: Option<String>,
}

impl Source {
    /// Returns the folder of the product's own package.
    fn own(&self) -> Option<&str> {
        self.editable.as_deref().or(self.r#virtual.as_deref()).or(self.directory.as_deref())
    }

    fn origin(&self) -> Origin {
        match (&self.git, &self.url, &self.registry) {
            (Some(git), ..) => {
                let (url, commit) = git.rsplit_once('#').unwrap_or((git, ""));
                Origin::Git { url: url.to_owned(), commit: commit.to_owned() }
            }
            (None, Some(url), _) => Origin::Download(url.clone()),
            (None, None, Some(url)) if url.contains("://") => registry(url),
            _ => Origin::Usual,
        }
    }
}

/// Reads every `uv.lock` of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    tree.of_kind(Kind::UvLock)
        .map(|file| match file.toml::<Lock>() {
            Ok(lock) => read_lock(file, &lock, locked),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(file: File<'_>, lock: &Lock, locked: &mut Locked) -> Reading {
    if let Some(version) = lock.version.filter(|version| *version > NEWEST) {
        let why = format!("version {version} of the format is not known");
        return Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why);
    }
    let mut reading = Reading::new(file.kind, file.path);
    let folder = file.path.parent();
    if file.path.file_name() == b"uv.lock" {
        locked.insert(folder.to_vec());
    }
    let (mut graph, mut names) = (Graph::default(), Names::default());
    for told in &lock.package {
        let index = match told.source.own() {
            Some(path) => {
                own(&mut reading, &told.name, told.version.as_deref());
                let at = resolved(folder, path);
                let index = graph.own(at.as_deref() == Some(folder));
                locked.extend(at);
                index
            }
            None => add(&mut graph, &mut reading, told),
        };
        names.add(&told.name, told.version.as_deref().unwrap_or_default(), index);
    }
    for (from, told) in lock.package.iter().enumerate() {
        let is_own = told.source.own().is_some();
        // What an extra of others needs is in the lock because something asks for that extra.
        let extra = if is_own { Scope::Optional } else { Scope::Runtime };
        need(&mut graph, &names, from, &told.dependencies, Scope::Runtime);
        told.optional_dependencies.values().for_each(|list| need(&mut graph, &names, from, list, extra));
        for (group, list) in told.dev_dependencies.iter().filter(|_| is_own) {
            need(&mut graph, &names, from, list, group_scope(group));
        }
    }
    if !lock.manifest.requirements.is_empty() || !lock.manifest.dependency_groups.is_empty() {
        let root = graph.own(true);
        need(&mut graph, &names, root, &lock.manifest.requirements, Scope::Runtime);
        for (group, list) in &lock.manifest.dependency_groups {
            need(&mut graph, &names, root, list, group_scope(group));
        }
    }
    graph.report(&mut reading);
    reading
}

fn need(graph: &mut Graph, names: &Names, from: usize, list: &[Dependency], scope: Scope) {
    for one in list {
        for to in names.find(&one.name, one.version.as_deref()) {
            graph.need(from, to, scope);
        }
    }
}

fn add(graph: &mut Graph, reading: &mut Reading, told: &Package) -> usize {
    let mut component = package(reading, &told.name, told.version.as_deref(), &told.source.origin());
    if let Some(component) = &mut component {
        let artifacts = told.sdist.iter().chain(&told.wheels);
        add_hashes(reading, component, artifacts.filter_map(|one| one.hash.as_deref()));
    }
    graph.foreign(component)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn members_are_own_and_extras_groups_and_versions_are_told_apart() {
        let sum = "0".repeat(64);
        let lock = format!(
            "version = 1\n[manifest]\nmembers = [\"app\", \"lib\"]\n\
             [[package]]\nname = \"app\"\nversion = \"0.1\"\nsource = {{ editable = \".\" }}\ndependencies = [{{ name = \"lib\" }}, {{ name = \"a\", version = \"2.0\", marker = \"x\" }}]\n\
             [package.optional-dependencies]\nx = [{{ name = \"o\" }}]\n[package.dev-dependencies]\ntest = [{{ name = \"t\" }}]\n\
             [[package]]\nname = \"lib\"\nversion = \"0.1\"\nsource = {{ virtual = \"lib\" }}\n\
             [[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\nwheels = [{{ url = \"u\", hash = \"sha256:{sum}\" }}]\n\
             [[package]]\nname = \"a\"\nversion = \"2.0\"\nsource = {{ registry = \"https://mirror.example/simple\" }}\ndependencies = [{{ name = \"g\" }}]\n\
             [[package]]\nname = \"o\"\nversion = \"1.0\"\nsource = {{ url = \"https://host/o.whl\" }}\n[[package]]\nname = \"t\"\nversion = \"1.0\"\nsource = {{ registry = \"../wheels\" }}\n\
             [[package]]\nname = \"g\"\nversion = \"1.0\"\nsource = {{ git = \"https://github.com/o/g?rev=x#0123456789012345678901234567890123456789\" }}\n"
        );
        let inventory = inventory(&[
            ("uv.lock", &lock),
            ("lib/pyproject.toml", "[project]\ndependencies = ['a']\n"),
            ("n/uv.lock", "version = 2"),
        ]);
        assert_eq!(found(&inventory, "pkg:pypi/a@1.0").direct, Some(false));
        let mirror = "pkg:pypi/a@2.0?repository_url=https:%2F%2Fmirror.example%2Fsimple";
        assert_eq!((found(&inventory, mirror).direct, found(&inventory, mirror).scope), (Some(true), Scope::Runtime));
        assert_eq!(found(&inventory, "pkg:pypi/o@1.0?download_url=https:%2F%2Fhost%2Fo.whl").scope, Scope::Optional);
        assert_eq!(found(&inventory, "pkg:pypi/t@1.0").scope, Scope::Test);
        let git = found(&inventory, mirror).dependencies[0].clone();
        assert_eq!(found(&inventory, &git).hashes[0].alg, "git");
        assert_eq!(inventory.components.len(), 5);
        assert_eq!(status(&inventory, "lib/pyproject.toml"), CoverageStatus::Parsed);
        assert_eq!(status(&inventory, "n/uv.lock"), CoverageStatus::Unsupported);
        assert!(gaps(&inventory, "uv.lock").is_empty());
    }

    #[test]
    fn a_script_has_a_lock_of_its_own() {
        let lock = "version = 1\n[manifest]\nrequirements = [{ name = \"a\" }]\n[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n";
        let inventory = inventory(&[("run.py.lock", lock)]);
        assert_eq!(found(&inventory, "pkg:pypi/a@1.0").direct, Some(true));
    }
}
