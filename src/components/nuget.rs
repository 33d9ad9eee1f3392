//! `NuGet`'s locks: `packages.lock.json`, `packages.config` and `paket.lock`.
//!
//! A lock has one list per framework; a package in several of them is one component. The `contentHash` is the SHA-512
//! of the package. Projects of the tree are the product's own. Never here: projects without a lock, which
//! `nuget_projects` reads.

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;

use super::documents::{children, xml};
use super::kind::Kind;
use super::nuget_projects;
use super::pinned::{Pinned, or_failed, report, report_one};
use super::purl::{self, Origin};
use super::reading::{Reading, hex};
use super::tree::{File, Tree};
use crate::domain::{CoverageStatus, Scope};

/// The newest format of the lock that is known.
const NEWEST: u64 = 2;

#[derive(Deserialize)]
struct Lock {
    version: Option<u64>,
    #[serde(default)]
    dependencies: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    r#type: Option<String>,
    resolved: Option<String>,
    content_hash: Option<String>,
    #[serde(default, deserialize_with = "super::npm_lock::names")]
    dependencies: BTreeSet<String>,
}

/// Reads every lock, project and central list of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let projects = nuget_projects::Projects::new(tree);
    let locks = tree.of_kind(Kind::NugetLock).map(|file| or_failed(file, read_lock(file, &projects)));
    let configs = tree.of_kind(Kind::NugetConfig).map(|file| or_failed(file, read_config(file)));
    let paket = tree.of_kind(Kind::PaketLock).map(|file| or_failed(file, read_paket(file)));
    locks.chain(configs).chain(paket).chain(projects.read(tree)).collect()
}

fn read_lock(file: File<'_>, projects: &nuget_projects::Projects<'_>) -> Result<Reading, String> {
    let lock: Lock = file.json()?;
    if let Some(version) = lock.version.filter(|version| *version > NEWEST) {
        let why = format!("version {version} of the format is not known");
        return Ok(Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why));
    }
    let mut reading = Reading::new(file.kind, file.path);
    let scope = if projects.is_test(file.path.parent()) { Scope::Test } else { Scope::Runtime };
    let mut packages = Vec::new();
    for (framework, entries) in &lock.dependencies {
        let key = |name: &str| format!("{framework}\n{}", name.to_lowercase());
        for (name, entry) in entries.iter().filter(|(_, entry)| entry.r#type.as_deref() != Some("Project")) {
            let version = entry.resolved.as_deref();
            let mut package = Pinned::new("nuget", name, version, purl::plain("nuget", name, version));
            package.scope = scope;
            package.direct = Some(entry.r#type.as_deref() == Some("Direct"));
            if version.is_none() {
                reading.gap(&format!("{name}: the lock does not say which version"));
            }
            match entry.content_hash.as_deref().map(Base64::decode_vec) {
                Some(Ok(bytes)) => package.hash("SHA-512", Some(&hex(&bytes))),
                Some(Err(_)) => reading.gap(&format!("{name}: its content hash is no base64")),
                None => {}
            }
            package.needs = entry.dependencies.iter().map(|name| key(name)).collect();
            packages.push((vec![key(name)], package));
        }
    }
    report(&mut reading, packages);
    Ok(reading)
}

/// The list of a project of the old form: everything it uses, direct or not, each at its version.
fn read_config(file: File<'_>) -> Result<Reading, String> {
    let document = xml(file)?;
    let mut reading = Reading::new(file.kind, file.path);
    for node in children(document.root_element(), "package") {
        let (Some(id), Some(version)) = (node.attribute("id"), node.attribute("version")) else {
            reading.gap("a package has no id or no version");
            continue;
        };
        let mut package = Pinned::new("nuget", id, Some(version), purl::plain("nuget", id, Some(version)));
        if node.attribute("developmentDependency") == Some("true") {
            package.scope = Scope::Build;
        }
        report_one(&mut reading, package);
    }
    Ok(reading)
}

/// What the lines of a `paket.lock` stand below.
#[derive(Default)]
struct Heading<'a> {
    group: &'a str,
    source: &'a str,
    remote: &'a str,
}

fn read_paket(file: File<'_>) -> Result<Reading, String> {
    let mut reading = Reading::new(file.kind, file.path);
    let mut heading = Heading::default();
    let mut packages: Vec<(Vec<String>, Pinned)> = Vec::new();
    for line in file.text()?.lines() {
        let inner = line.trim();
        let indent = line.len() - line.trim_start().len();
        let key = |group: &str, name: &str| format!("{group}\n{}", name.to_lowercase());
        match indent {
            0 => match inner.split_once(' ') {
                Some(("GROUP", group)) => heading = Heading { group: group.trim(), ..Heading::default() },
                None if !inner.is_empty() => heading.source = inner,
                // `RESTRICTION: …` and other settings.
                _ => {}
            },
            2 => heading.remote = inner.strip_prefix("remote:").map_or(heading.remote, str::trim),
            4 => {
                let Some((name, version)) = paket_entry(inner) else { continue };
                if let Some(mut package) = paket_package(&heading, name, version) {
                    package.scope = group_scope(heading.group);
                    packages.push((vec![key(heading.group, name)], package));
                } else {
                    reading.gap(&format!("{name}: taken from {}, which is not read", heading.source));
                }
            }
            6 => {
                let needed = inner.split([' ', '(']).next().unwrap_or_default();
                if let Some((_, package)) = packages.last_mut() {
                    package.needs.push(key(heading.group, needed));
                }
            }
            _ => {}
        }
    }
    report(&mut reading, packages);
    Ok(reading)
}

/// Takes `Name (1.0) - restriction`.
fn paket_entry(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(" (")?;
    Some((name.trim(), rest.split_once(')')?.0.trim()))
}

fn paket_package(heading: &Heading<'_>, name: &str, version: &str) -> Option<Pinned> {
    match heading.source {
        "NUGET" => Some(Pinned::new("nuget", name, Some(version), purl::plain("nuget", name, Some(version)))),
        // One file of a repository at a commit.
        "GITHUB" | "GIT" => {
            let (url, title) = match heading.source {
                "GITHUB" => (format!("https://github.com/{}", heading.remote), heading.remote),
                _ => (heading.remote.to_owned(), name),
            };
            let mut package = Pinned::new("git", title, Some(version), purl::repository(Some(&url), version, name));
            package.hash("git", Some(version));
            Some(package)
        }
        "HTTP" => {
            let origin = Origin::Download(format!("{}/{version}", heading.remote));
            Some(Pinned::new("generic", name, None, purl::other("generic", name, None, &origin, &[])))
        }
        _ => None,
    }
}

fn group_scope(group: &str) -> Scope {
    let group = group.to_ascii_lowercase();
    match group.as_str() {
        group if group.contains("test") => Scope::Test,
        group if group.contains("build") || group.contains("docs") => Scope::Build,
        _ => Scope::Runtime,
    }
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn a_package_of_several_frameworks_is_one_component() {
        let hash = "A".repeat(86) + "==";
        let lock = format!(
            r#"{{"version": 2, "dependencies": {{
            "net8.0": {{"A.B": {{"type": "Direct", "requested": "[1.0, )", "resolved": "1.0.1", "contentHash": "{hash}",
                        "dependencies": {{"c": "2.0.0"}}}}, "C": {{"type": "CentralTransitive", "resolved": "2.0.0"}},
                        "own": {{"type": "Project", "dependencies": {{"C": "1"}}}}}},
            "net8.0/linux-x64": {{"A.B": {{"type": "Direct", "resolved": "1.0.1", "contentHash": "AAAA"}}}}}}}}"#
        );
        let inventory = inventory(&[("p/packages.lock.json", &lock), ("q/packages.lock.json", r#"{"version": 3}"#)]);
        let a = found(&inventory, "pkg:nuget/A.B@1.0.1");
        assert_eq!((a.direct, a.hashes.len(), a.hashes[0].value.len()), (Some(true), 1, 128));
        assert_eq!(a.dependencies, ["pkg:nuget/C@2.0.0"]);
        assert_eq!(found(&inventory, "pkg:nuget/C@2.0.0").direct, Some(false));
        assert_eq!(inventory.components.len(), 2);
        assert_eq!(gaps(&inventory, "p/packages.lock.json"), ["A.B: its checksum is no SHA-512"]);
        assert_eq!(status(&inventory, "q/packages.lock.json"), CoverageStatus::Unsupported);
    }

    #[test]
    fn older_lists_are_read() {
        let config = r#"<packages><package id="N" version="1.2" targetFramework="net48"/>
            <package id="T" version="3" developmentDependency="true"/><package id="x"/></packages>"#;
        let paket = "STORAGE: NONE\nNUGET\n  remote: https://api.nuget.org/v3/index.json\n    F.Core (4.7) - restriction: >= net45\n\
            \u{20}     N (>= 1.0)\n    N (1.2)\nGITHUB\n  remote: fs/FAKE\n    modules/a.fs (0123456789012345678901234567890123456789)\n\
            GROUP Test\nNUGET\n  remote: x\n    X (2.0)\n";
        let inventory = inventory(&[("packages.config", config), ("paket.lock", paket)]);
        assert_eq!(found(&inventory, "pkg:nuget/N@1.2").found_in.len(), 2);
        assert_eq!(found(&inventory, "pkg:nuget/T@3").scope, Scope::Build);
        assert_eq!(found(&inventory, "pkg:nuget/F.Core@4.7").dependencies, ["pkg:nuget/N@1.2"]);
        assert_eq!(found(&inventory, "pkg:nuget/X@2.0").scope, Scope::Test);
        found(&inventory, "pkg:github/fs/fake@0123456789012345678901234567890123456789");
        assert_eq!(gaps(&inventory, "packages.config"), ["a package has no id or no version"]);
    }
}
