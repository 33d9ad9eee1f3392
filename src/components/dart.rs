//! `pubspec.lock`, and `pubspec.yaml` where there is none.
//!
//! Packages of an SDK (Flutter's own) have the version that the lock writes, which for most is `0.0.0`: the SDK's
//! version decides, and the lock does not pin it. Packages of a path are the product's own. Never here: edges, which
//! the lock does not hold, so that what a package of development needs counts as needed at run time.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::documents::yaml;
use super::kind::Kind;
use super::pinned::{Pinned, declared, or_failed, report_one};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree, upwards};
use crate::domain::Scope;

const PUB_DEV: [&str; 3] = ["https://pub.dev", "https://pub.dartlang.org", "https://pub.dartlang.org/"];

/// A workspace's lock stands no further up.
const FURTHEST: usize = 16;

#[derive(Deserialize)]
struct Lock {
    packages: Option<BTreeMap<String, Package>>,
}

#[derive(Deserialize)]
struct Package {
    dependency: String,
    #[serde(default)]
    description: Value,
    source: String,
    version: String,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    dependencies: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    dev_dependencies: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    resolution: Value,
}

/// Reads every `pubspec.lock` and `pubspec.yaml` of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let locks = tree.of_kind(Kind::PubLock).map(|file| or_failed(file, read_lock(file)));
    let manifests = tree.of_kind(Kind::PubManifest).map(|file| or_failed(file, read_manifest(tree, file)));
    locks.chain(manifests).collect()
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let lock: Lock = yaml(file)?;
    let mut reading = Reading::new(file.kind, file.path);
    for (name, package) in lock.packages.iter().flatten() {
        let text = |key: &str| package.description.get(key).and_then(Value::as_str).unwrap_or_default();
        let origin = match package.source.as_str() {
            "path" => continue,
            "git" => Origin::Git { url: text("url").to_owned(), commit: text("resolved-ref").to_owned() },
            "hosted" if !text("url").is_empty() && !PUB_DEV.contains(&text("url")) => {
                Origin::Registry(text("url").to_owned())
            }
            "hosted" => Origin::Usual,
            "sdk" => {
                reading.gap(&format!("{name}: it comes with an SDK, of which the lock pins no version"));
                Origin::Usual
            }
            other => {
                reading.gap(&format!("{name}: taken from a source that is not known: {other}"));
                continue;
            }
        };
        let version = Some(package.version.as_str());
        let purl = purl::other("pub", &name.to_ascii_lowercase(), version, &origin, &[]);
        let mut pinned = Pinned::new("pub", name, version, purl);
        pinned.direct = Some(package.dependency.starts_with("direct"));
        pinned.scope = if package.dependency == "direct dev" { Scope::Dev } else { Scope::Runtime };
        pinned.hash("SHA-256", Some(text("sha256")));
        if package.source == "git" {
            pinned.hash("git", Some(text("resolved-ref")));
        }
        report_one(&mut reading, pinned);
    }
    Ok(reading)
}

fn read_manifest(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let manifest: Manifest = yaml(file)?;
    let mut reading = Reading::new(file.kind, file.path);
    let mut needs = BTreeMap::new();
    for (table, scope) in [(&manifest.dev_dependencies, Scope::Dev), (&manifest.dependencies, Scope::Runtime)] {
        let external =
            table.iter().flatten().filter(|(_, asked)| asked.get("path").is_none() && asked.get("sdk").is_none());
        needs.extend(external.map(|(name, _)| (name.as_str(), scope)));
    }
    reading.names(needs.len());
    let further = if manifest.resolution.as_str() == Some("workspace") { FURTHEST } else { 1 };
    let mut beside = upwards(file.path.parent()).take(further);
    if needs.is_empty() || beside.any(|folder| tree.in_folder(folder, "pubspec.lock").is_some()) {
        return Ok(reading);
    }
    reading.unlocked();
    for (name, scope) in needs {
        declared(&mut reading, "pub", name, purl::plain("pub", &name.to_ascii_lowercase(), None), scope);
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn hosted_git_and_sdk_packages_are_told_apart() {
        let sum = "a".repeat(64);
        let lock = format!(
            "packages:\n  a:\n    dependency: \"direct dev\"\n    description:\n      name: a\n      sha256: \"{sum}\"\n      url: \"https://pub.dev\"\n    source: hosted\n    version: \"1.0.0\"\n\
             \x20 b:\n    dependency: transitive\n    description:\n      path: \".\"\n      ref: HEAD\n      resolved-ref: \"0123456789012345678901234567890123456789\"\n      url: \"git@github.com:o/b.git\"\n    source: git\n    version: \"2.0.0\"\n\
             \x20 flutter:\n    dependency: \"direct main\"\n    description: flutter\n    source: sdk\n    version: \"0.0.0\"\n\
             \x20 own:\n    dependency: \"direct main\"\n    description:\n      path: own\n      relative: true\n    source: path\n    version: \"0.1.0\"\nsdks:\n  dart: \">=3.0.0\"\n"
        );
        let inventory = inventory(&[("pubspec.lock", &lock), ("pubspec.yaml", "name: x\ndependencies:\n  a: ^1\n")]);
        let a = found(&inventory, "pkg:pub/a@1.0.0");
        assert_eq!((a.scope, a.direct, a.hashes.len()), (Scope::Dev, Some(true), 1));
        let url = "git%2Bssh:%2F%2Fgit%40github.com%2Fo%2Fb.git%400123456789012345678901234567890123456789";
        assert_eq!(found(&inventory, &format!("pkg:pub/b@2.0.0?vcs_url={url}")).direct, Some(false));
        found(&inventory, "pkg:pub/flutter@0.0.0");
        assert_eq!(inventory.components.len(), 3);
        assert!(gaps(&inventory, "pubspec.lock")[0].starts_with("flutter: it comes with an SDK"));
        assert_eq!(status(&inventory, "pubspec.yaml"), CoverageStatus::Parsed);
    }

    #[test]
    fn a_manifest_without_a_lock_is_unlocked() {
        let text = "name: x\ndependencies:\n  flutter:\n    sdk: flutter\n  a: ^1.0.0\n  own:\n    path: ../own\ndev_dependencies:\n";
        let inventory = inventory(&[("pubspec.yaml", text), ("b/pubspec.lock", "packages: [")]);
        assert_eq!(status(&inventory, "pubspec.yaml"), CoverageStatus::Unlocked);
        assert_eq!(found(&inventory, "pkg:pub/a").version, None);
        assert_eq!(inventory.components.len(), 1);
        assert_eq!(status(&inventory, "b/pubspec.lock"), CoverageStatus::Failed);
    }
}
