//! R: `renv.lock` and `packrat.lock`.
//!
//! A package of a forge is named by its commit there; one of Bioconductor by that registry. The locks' hashes are of
//! package descriptions and of no file, so that they are left out. Never here: what is direct, which scripts tell.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report};
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex};
use super::tree::{File, Tree};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lock {
    #[serde(default)]
    packages: BTreeMap<String, Package>,
}

/// A package. What it needs is a list, or a text in which commas part.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Package {
    version: Option<String>,
    source: Option<String>,
    remote_type: Option<String>,
    remote_username: Option<String>,
    remote_repo: Option<String>,
    remote_sha: Option<String>,
    remote_url: Option<String>,
    requirements: Value,
    depends: Value,
    imports: Value,
    linking_to: Value,
    license: Option<String>,
}

/// Reads every lock of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let renv = tree.of_kind(Kind::RenvLock).map(|file| or_failed(file, read_renv(file)));
    let packrat = tree.of_kind(Kind::PackratLock).map(|file| or_failed(file, read_packrat(file)));
    renv.chain(packrat).collect()
}

fn read_renv(file: File<'_>) -> Result<Reading, String> {
    let lock: Lock = file.json()?;
    Ok(read_packages(file, &lock.packages))
}

/// Records of `Key: value`, parted by empty lines; a line that begins with space goes on with the one before.
fn read_packrat(file: File<'_>) -> Result<Reading, String> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    let mut record: BTreeMap<&str, String> = BTreeMap::new();
    let mut key = "";
    for line in file.text()?.lines().chain([""]) {
        if line.trim().is_empty() {
            let mut record = std::mem::take(&mut record);
            if let Some(name) = record.remove("Package") {
                packages.insert(name, packrat_package(record));
            }
        } else if let (true, Some(value)) = (line.starts_with([' ', '\t']), record.get_mut(key)) {
            value.push_str(line);
        } else if let Some((name, value)) = line.split_once(':') {
            key = name.trim();
            record.insert(key, value.trim().to_owned());
        }
    }
    Ok(read_packages(file, &packages))
}

fn packrat_package(mut record: BTreeMap<&str, String>) -> Package {
    let requirements = record.remove("Requires").map_or(Value::Null, Value::String);
    let mut take = |key: &str| record.remove(key);
    Package {
        version: take("Version"),
        source: take("Source"),
        remote_username: take("GithubUsername").or_else(|| take("RemoteUsername")),
        remote_repo: take("GithubRepo").or_else(|| take("RemoteRepo")),
        remote_sha: take("GithubSHA1").or_else(|| take("RemoteSha")),
        requirements,
        ..Package::default()
    }
}

fn read_packages(file: File<'_>, packages: &BTreeMap<String, Package>) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let mut list = Vec::new();
    for (name, package) in packages {
        if package.source.as_deref() == Some("Local") {
            reading.gap(&format!("{name}: it was installed from a folder, which is not known"));
        }
        if package.version.is_none() {
            reading.gap(&format!("{name}: the lock does not say which version"));
        }
        let mut pinned = pinned(name, package);
        pinned.licenses.extend(package.license.clone());
        let needs = [&package.requirements, &package.depends, &package.imports, &package.linking_to];
        pinned.needs = needs.into_iter().flat_map(names).collect();
        list.push((vec![name.clone()], pinned));
    }
    report(&mut reading, list);
    reading
}

fn pinned(name: &str, package: &Package) -> Pinned {
    let version = package.version.as_deref();
    let kind = package.remote_type.as_deref().or(package.source.as_deref()).unwrap_or_default().to_ascii_lowercase();
    let host = match kind.as_str() {
        "github" => "https://github.com",
        "gitlab" => "https://gitlab.com",
        "bitbucket" => "https://bitbucket.org",
        _ => "",
    };
    let commit = package.remote_sha.as_deref().filter(|commit| is_hex(commit, 20));
    let url = match (&package.remote_username, &package.remote_repo) {
        (Some(user), Some(repository)) if !host.is_empty() => Some(format!("{host}/{user}/{repository}")),
        _ if kind == "git" || kind == "git2r" || kind == "xgit" => package.remote_url.clone(),
        _ => None,
    };
    let origin = match (url, commit) {
        (Some(url), Some(commit)) => Origin::Git { url, commit: commit.to_owned() },
        _ if kind == "bioconductor" => Origin::Registry("https://bioconductor.org".to_owned()),
        _ => Origin::Usual,
    };
    let mut pinned = Pinned::new("cran", name, version, purl::other("cran", name, version, &origin, &[]));
    if matches!(origin, Origin::Git { .. }) {
        pinned.hash("git", commit);
    }
    pinned
}

/// Takes the names out of `a (>= 1)` and `a, b`.
fn names(needs: &Value) -> Vec<String> {
    let texts: Vec<&str> = match needs {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        needs => needs.as_str().into_iter().flat_map(|text| text.split(',')).collect(),
    };
    let names = texts.iter().filter_map(|text| text.trim().split([' ', '(', '\n']).next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory};

    #[test]
    fn registries_and_forges_are_told_apart() {
        let commit = "0123456789012345678901234567890123456789";
        let lock = format!(
            r#"{{"R": {{"Version": "4.3.1"}}, "Packages": {{
            "a": {{"Package": "a", "Version": "1.0-4", "Source": "Repository", "Repository": "CRAN", "Requirements": ["R", "b"]}},
            "b": {{"Package": "b", "Version": "2", "Source": "Bioconductor", "Imports": ["g (>= 1)", "methods"]}},
            "g": {{"Package": "g", "Version": "0.1", "Source": "GitHub", "RemoteType": "github", "RemoteUsername": "o",
                   "RemoteRepo": "g", "RemoteSha": "{commit}"}},
            "l": {{"Package": "l", "Source": "Local"}}}}}}"#
        );
        let inventory = inventory(&[("renv.lock", &lock)]);
        let b = "pkg:cran/b@2?repository_url=https:%2F%2Fbioconductor.org";
        assert_eq!(found(&inventory, "pkg:cran/a@1.0-4").dependencies, [b]);
        let g = format!("pkg:cran/g@0.1?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fg%40{commit}");
        assert_eq!(found(&inventory, b).dependencies, [g.as_str()]);
        assert_eq!(found(&inventory, &g).hashes[0].alg, "git");
        assert_eq!(gaps(&inventory, "renv.lock").len(), 2);
    }

    #[test]
    fn records_of_packrat_are_read() {
        let lock = "PackratFormat: 1.4\nRVersion: 3.2\n\nPackage: a\nSource: CRAN\nVersion: 1.0\nHash: x\nRequires: b,\n  c\n\nPackage: b\nSource: CRAN\nVersion: 2\n";
        let inventory = inventory(&[("packrat/packrat.lock", lock)]);
        assert_eq!(found(&inventory, "pkg:cran/a@1.0").dependencies, ["pkg:cran/b@2"]);
        assert_eq!(inventory.components.len(), 2);
    }
}
