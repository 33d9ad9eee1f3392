//! `composer.lock`, with `composer.json` for what the product names itself.
//!
//! Versions keep the `v` that the package's own tag has. PHP, its extensions and `lib-*` are the platform and no
//! components; a `path` package is the product's own. Never here: a hash where the lock's is empty, as those of
//! archives made on demand are.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::kind::Kind;
use super::pinned::{Pinned, declared, or_failed, report};
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex};
use super::structured::Bounded;
use super::tree::{File, Tree};
use crate::domain::Scope;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lock {
    #[serde(default)]
    packages: Bounded<Package>,
    packages_dev: Option<Bounded<Package>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Value,
    #[serde(default)]
    source: Place,
    #[serde(default)]
    dist: Place,
    #[serde(default)]
    require: Value,
    #[serde(default)]
    replace: Value,
    #[serde(default)]
    provide: Value,
    #[serde(default)]
    license: Value,
}

/// Where a package comes from. Fields of another shape are absent, for `null` and `false` are written too.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    r#type: Value,
    url: Value,
    reference: Value,
    shasum: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Manifest {
    require: Value,
    require_dev: Value,
}

/// Reads every `composer.lock` and `composer.json` of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let locks = tree.of_kind(Kind::ComposerLock).map(|file| or_failed(file, read_lock(tree, file)));
    let manifests = tree.of_kind(Kind::ComposerManifest).map(|file| or_failed(file, read_manifest(tree, file)));
    locks.chain(manifests).collect()
}

fn read_lock(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let lock: Lock = file.json()?;
    let mut reading = Reading::new(file.kind, file.path);
    let manifest = tree.in_folder(file.path.parent(), "composer.json").and_then(|file| file.json::<Manifest>().ok());
    let direct: Option<BTreeSet<String>> =
        manifest.as_ref().map(|manifest| names(&manifest.require).chain(names(&manifest.require_dev)).collect());
    if direct.is_none() {
        reading.gap("no composer.json beside it tells which components are direct");
    }
    let dev = lock.packages_dev.unwrap_or_default();
    let all = lock.packages.0.iter().map(|package| (package, Scope::Runtime));
    let mut packages = Vec::new();
    for (package, scope) in all.chain(dev.0.iter().map(|package| (package, Scope::Dev))) {
        if package.dist.r#type.as_str() == Some("path") {
            continue;
        }
        let (keys, mut pinned) = pinned(package);
        pinned.scope = scope;
        pinned.direct = direct.as_ref().map(|direct| direct.contains(&package.name.to_ascii_lowercase()));
        if pinned.version.is_none() {
            reading.gap(&format!("{}: its version is no text", package.name));
        }
        packages.push((keys, pinned));
    }
    report(&mut reading, packages);
    Ok(reading)
}

/// Returns a package with the names that others may need it by: its own, and those that it stands in for.
fn pinned(package: &Package) -> (Vec<String>, Pinned) {
    let version = package.version.as_str();
    let commit = package.source.reference.as_str().filter(|reference| is_hex(reference, 20));
    let purl = purl::other("composer", &package.name.to_ascii_lowercase(), version, &origin(package), &[]);
    let mut pinned = Pinned::new("composer", &package.name, version, purl);
    pinned.hash("SHA-1", package.dist.shasum.as_str());
    pinned.hash("git", commit);
    pinned.licenses = match &package.license {
        Value::Array(all) => all.iter().filter_map(|license| license.as_str().map(str::to_owned)).collect(),
        license => license.as_str().map(str::to_owned).into_iter().collect(),
    };
    pinned.needs = names(&package.require).collect();
    let keys = [package.name.to_ascii_lowercase()].into_iter();
    (keys.chain(names(&package.replace)).chain(names(&package.provide)).collect(), pinned)
}

/// A package without an archive is taken from its repository, and one that no registry serves as an archive from
/// wherever it lies. Forges' own archives are what the registry points to.
fn origin(package: &Package) -> Origin {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if package.dist.url.is_null() && package.source.r#type.as_str() == Some("git") {
        return Origin::Git { url: text(&package.source.url), commit: text(&package.source.reference) };
    }
    Origin::Usual
}

fn names(table: &Value) -> impl Iterator<Item = String> {
    table.as_object().into_iter().flatten().map(|(name, _)| name.to_ascii_lowercase())
}

/// A package has a vendor; what has none is the platform.
fn is_package(name: &str) -> bool {
    name.contains('/')
}

fn read_manifest(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let manifest: Manifest = file.json()?;
    let mut reading = Reading::new(file.kind, file.path);
    let mut needs: BTreeMap<String, Scope> = BTreeMap::new();
    needs.extend(names(&manifest.require_dev).filter(|name| is_package(name)).map(|name| (name, Scope::Dev)));
    needs.extend(names(&manifest.require).filter(|name| is_package(name)).map(|name| (name, Scope::Runtime)));
    reading.names(needs.len());
    if needs.is_empty() || tree.in_folder(file.path.parent(), "composer.lock").is_some() {
        return Ok(reading);
    }
    reading.unlocked();
    for (name, scope) in needs {
        let purl = purl::plain("composer", &name, None);
        declared(&mut reading, "composer", &name, purl, scope);
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    const LOCK: &str = r#"{"packages": [
        {"name": "Acme/Lib", "version": "v1.2.0", "dist": {"type": "zip", "url": "https://x", "shasum": ""},
         "source": {"type": "git", "url": "https://x", "reference": "0123456789012345678901234567890123456789"},
         "require": {"php": ">=8", "ext-json": "*", "illuminate/support": "^9"}, "license": ["MIT", "Apache-2.0"]},
        {"name": "laravel/framework", "version": "v9.0.0", "replace": {"illuminate/support": "self.version"}},
        {"name": "own/part", "version": "dev-main", "dist": {"type": "path", "url": "./part"}}],
        "packages-dev": [{"name": "phpunit/phpunit", "version": "10.0.1", "dist":
            {"type": "zip", "url": "https://x", "shasum": "0123456789012345678901234567890123456789"}, "license": "BSD"}]}"#;

    #[test]
    fn packages_keep_their_v_and_needs_find_what_stands_in_for_them() {
        let manifest = r#"{"require": {"php": "^8", "acme/lib": "^1"}, "require-dev": {"phpunit/phpunit": "^10"}}"#;
        let inventory = inventory(&[("composer.lock", LOCK), ("composer.json", manifest)]);
        let lib = found(&inventory, "pkg:composer/acme/lib@v1.2.0");
        assert_eq!(lib.dependencies, ["pkg:composer/laravel/framework@v9.0.0"]);
        assert_eq!((lib.direct, lib.licenses.len(), lib.hashes[0].alg.as_str()), (Some(true), 2, "git"));
        assert_eq!(found(&inventory, "pkg:composer/laravel/framework@v9.0.0").direct, Some(false));
        let unit = found(&inventory, "pkg:composer/phpunit/phpunit@10.0.1");
        assert_eq!((unit.scope, unit.hashes[0].alg.as_str()), (Scope::Dev, "SHA-1"));
        assert_eq!(inventory.components.len(), 3, "a path package is the product's own");
        assert_eq!(status(&inventory, "composer.json"), CoverageStatus::Parsed);
    }

    #[test]
    fn a_manifest_without_a_lock_names_packages_and_no_platform() {
        let inventory = inventory(&[("composer.json", r#"{"require": {"php": "*", "ext-x": "*", "a/b": "1.0"}}"#)]);
        assert_eq!(status(&inventory, "composer.json"), CoverageStatus::Unlocked);
        assert_eq!(found(&inventory, "pkg:composer/a/b").version, None);
        assert_eq!(gaps(&inventory, "composer.json"), ["a/b: no lock says which version"]);
    }
}
