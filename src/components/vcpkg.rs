//! vcpkg: `vcpkg.json`, `vcpkg-configuration.json` and `vcpkg-lock.json`.
//!
//! There is no lock of versions: a baseline, a commit of a registry, decides, and the versions stand in that registry.
//! Only an override is exact. A port under a known baseline is named with that commit, so that anyone can look its
//! version up. Never here: the registry.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report_one};
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex};
use super::tree::{File, Tree};
use crate::domain::Scope;

/// Reads every manifest, configuration and lock of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let manifests = tree.of_kind(Kind::VcpkgManifest).map(|file| or_failed(file, read_manifest(tree, file)));
    let settings = tree.of_kind(Kind::VcpkgConfiguration).map(|file| or_failed(file, read_configuration(file)));
    let locks = tree.of_kind(Kind::VcpkgLock).map(|file| or_failed(file, read_lock(file)));
    manifests.chain(settings).chain(locks).collect()
}

fn read_manifest(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let manifest: Value = file.json()?;
    let mut reading = Reading::new(file.kind, file.path);
    let mut ports: BTreeMap<&str, Scope> = BTreeMap::new();
    let features = manifest.get("features").and_then(Value::as_object);
    let features =
        features.into_iter().flat_map(|features| features.values()).map(|feature| (feature, Scope::Optional));
    for (part, scope) in features.chain([(&manifest, Scope::Runtime)]) {
        for port in list(part, "dependencies") {
            let Some(name) = port.as_str().or_else(|| port.get("name")?.as_str()) else {
                reading.gap("a dependency has no name");
                continue;
            };
            // A `host` port is a tool of the build.
            let scope = if port.get("host") == Some(&Value::Bool(true)) { Scope::Build } else { scope };
            let known = ports.entry(name).or_insert(scope);
            *known = scope.max(*known);
        }
    }
    let own = manifest.get("name").and_then(Value::as_str);
    ports.remove(own.unwrap_or_default());
    if ports.is_empty() {
        return Ok(reading);
    }
    reading.unlocked();
    let overrides: BTreeMap<&str, &Value> =
        list(&manifest, "overrides").filter_map(|entry| Some((entry.get("name")?.as_str()?, entry))).collect();
    let baseline = baseline(tree, file, &manifest);
    match &baseline {
        Some(commit) => reading.gap(&format!("versions stand in the registry at its commit {commit}")),
        None => reading.gap("no baseline says which versions are taken"),
    }
    for (name, scope) in ports {
        let package = if let Some((version, port)) = overrides.get(name).and_then(|entry| version(entry)) {
            let purl = purl::other("vcpkg", name, Some(version), &Origin::Usual, &[("port_version", &port)]);
            Pinned::new("vcpkg", name, Some(version), purl)
        } else {
            reading.gap(&format!("{name}: no lock says which version"));
            let more = [("repository_revision", baseline.as_deref().unwrap_or_default())];
            Pinned::new("vcpkg", name, None, purl::other("vcpkg", name, None, &Origin::Usual, &more))
        };
        report_one(&mut reading, Pinned { scope, direct: Some(true), ..package });
    }
    Ok(reading)
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn version(entry: &Value) -> Option<(&str, String)> {
    let keys = ["version", "version-semver", "version-date", "version-string"];
    let version = keys.iter().find_map(|key| entry.get(key)?.as_str())?;
    let port = entry.get("port-version").and_then(Value::as_u64).filter(|port| *port > 0);
    // Some write both in one: `1.2.3#4`.
    match version.split_once('#') {
        Some((version, port)) => Some((version, port.to_owned())),
        None => Some((version, port.map(|port| port.to_string()).unwrap_or_default())),
    }
}

fn baseline(tree: &Tree<'_>, file: File<'_>, manifest: &Value) -> Option<String> {
    let commit = |value: &Value| value.as_str().filter(|commit| is_hex(commit, 20)).map(str::to_owned);
    let of = |configuration: &Value| commit(configuration.get("default-registry")?.get("baseline")?);
    let beside = tree.in_folder(file.path.parent(), "vcpkg-configuration.json");
    let beside = beside.and_then(|file| file.json::<Value>().ok());
    let inside = manifest.get("vcpkg-configuration").or_else(|| manifest.get("configuration"));
    let builtin = manifest.get("builtin-baseline").and_then(commit);
    inside.and_then(of).or_else(|| beside.as_ref().and_then(of)).or(builtin)
}

/// A registry is what the ports are built from: its recipes take part in the build.
fn read_configuration(file: File<'_>) -> Result<Reading, String> {
    let settings: Value = file.json()?;
    let mut reading = Reading::new(file.kind, file.path);
    for registry in settings.get("default-registry").into_iter().chain(list(&settings, "registries")) {
        let text = |key: &str| registry.get(key).and_then(Value::as_str);
        let (url, commit) = match (text("kind"), text("repository"), text("baseline")) {
            (Some("git"), Some(url), Some(commit)) => (url, commit),
            (Some("builtin"), _, Some(commit)) => ("https://github.com/microsoft/vcpkg", commit),
            (Some("filesystem"), ..) => continue,
            _ => {
                reading.gap("a registry has no baseline");
                continue;
            }
        };
        add_registry(&mut reading, url, commit);
    }
    Ok(reading)
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let lock: BTreeMap<String, BTreeMap<String, Value>> = file.json()?;
    let mut reading = Reading::new(file.kind, file.path);
    for (url, references) in &lock {
        for commit in references.values().filter_map(Value::as_str) {
            add_registry(&mut reading, url, commit);
        }
    }
    Ok(reading)
}

fn add_registry(reading: &mut Reading, url: &str, commit: &str) {
    let name = purl::repository_name(Some(url)).unwrap_or_else(|| "registry".to_owned());
    let purl = purl::repository(Some(url), commit, &name);
    let mut package =
        Pinned { scope: Scope::Build, direct: Some(true), ..Pinned::new("git", &name, Some(commit), purl) };
    package.hash("git", Some(commit));
    report_one(reading, package);
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn overrides_are_exact_and_all_else_hangs_on_the_baseline() {
        let manifest = format!(
            r#"{{"name": "me", "builtin-baseline": "{COMMIT}", "dependencies": ["fmt", {{"name": "zlib", "version>=": "1.2"}},
            {{"name": "tool", "host": true}}, 5], "features": {{"x": {{"dependencies": ["me", "opt"]}}}},
            "overrides": [{{"name": "zlib", "version": "1.3", "port-version": 1}}]}}"#
        );
        let lock = format!(r#"{{"https://github.com/Microsoft/vcpkg": {{"HEAD": "{COMMIT}"}}}}"#);
        let inventory = inventory(&[("vcpkg.json", &manifest), ("v/vcpkg-lock.json", &lock)]);
        assert_eq!(found(&inventory, &format!("pkg:vcpkg/fmt?repository_revision={COMMIT}")).version, None);
        found(&inventory, "pkg:vcpkg/zlib@1.3?port_version=1");
        assert_eq!(found(&inventory, &format!("pkg:vcpkg/tool?repository_revision={COMMIT}")).scope, Scope::Build);
        assert_eq!(found(&inventory, &format!("pkg:vcpkg/opt?repository_revision={COMMIT}")).scope, Scope::Optional);
        found(&inventory, &format!("pkg:github/microsoft/vcpkg@{COMMIT}"));
        assert_eq!(inventory.components.len(), 5);
        assert_eq!(status(&inventory, "vcpkg.json"), CoverageStatus::Unlocked);
        assert_eq!(gaps(&inventory, "vcpkg.json").len(), 5);
    }

    #[test]
    fn a_configuration_names_registries() {
        let text = format!(
            r#"{{"default-registry": {{"kind": "git", "repository": "https://github.com/a/b", "baseline": "{COMMIT}"}}, "registries": [{{"kind": "git"}}]}}"#
        );
        let inventory = inventory(&[("vcpkg-configuration.json", &text), ("vcpkg.json", r#"{"dependencies": ["x"]}"#)]);
        found(&inventory, &format!("pkg:github/a/b@{COMMIT}"));
        found(&inventory, &format!("pkg:vcpkg/x?repository_revision={COMMIT}"));
        assert_eq!(gaps(&inventory, "vcpkg-configuration.json"), ["a registry has no baseline"]);
    }
}
