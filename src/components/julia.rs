//! Julia: `Manifest.toml` of both formats, with `Project.toml` for what the product names itself.
//!
//! A package's UUID tells it from others of its name. What has no tree of its own comes with Julia, at a version that
//! older manifests do not hold. A package of a path is the product's own. Never here: a registry.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::kind::Kind;
use super::pinned::{Pinned, declared, or_failed, report};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};
use crate::domain::{CoverageStatus, Scope};

/// The newest format that is known.
const NEWEST: &str = "2";

/// Reads every manifest and project of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let manifests = tree.of_kind(Kind::JuliaManifest).map(|file| or_failed(file, read_manifest(tree, file)));
    let projects = tree.of_kind(Kind::JuliaProject).map(|file| or_failed(file, read_project(tree, file)));
    manifests.chain(projects).collect()
}

fn read_manifest(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let manifest: Table = file.toml()?;
    let format = manifest.get("manifest_format").and_then(Value::as_str);
    if format.is_some_and(|format| format.split('.').next().is_some_and(|major| major > NEWEST || major.len() > 1)) {
        let why = "this version of the format is not known";
        return Ok(Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, why));
    }
    let mut reading = Reading::new(file.kind, file.path);
    // The first format has the packages at the top.
    let packages = if format.is_some() { manifest.get("deps").and_then(Value::as_table) } else { Some(&manifest) };
    let direct = tree.in_folder(file.path.parent(), "Project.toml").and_then(|file| file.toml::<Table>().ok());
    let direct = direct.as_ref().map(|project| uuids(project, "deps"));
    let mut list = Vec::new();
    for (name, entries) in packages.into_iter().flatten() {
        for entry in entries.as_array().into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let Some(uuid) = text("uuid") else {
                reading.gap(&format!("{name}: it has no UUID"));
                continue;
            };
            if text("path").is_some() {
                continue;
            }
            let version = text("version");
            if version.is_none() {
                reading.gap(&format!("{name}: it comes with Julia, at a version that the manifest does not hold"));
            }
            let commit = text("repo-rev").unwrap_or_default();
            let origin = text("repo-url")
                .map_or(Origin::Usual, |url| Origin::Git { url: url.to_owned(), commit: commit.to_owned() });
            let purl = purl::other("julia", name, version, &origin, &[("uuid", uuid)]);
            let mut package = Pinned::new("julia", name, version, purl);
            package.direct = direct.as_ref().map(|direct| direct.contains(uuid));
            package.hash("git-tree", text("git-tree-sha1"));
            package.needs = needs(entry.get("deps").or_else(|| entry.get("weakdeps")));
            list.push((vec![name.clone(), uuid.to_owned()], package));
        }
    }
    report(&mut reading, list);
    Ok(reading)
}

/// Names, or UUIDs where a name alone is not clear.
fn needs(needs: Option<&Value>) -> Vec<String> {
    match needs {
        Some(Value::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
        Some(Value::Table(table)) => table.values().filter_map(|uuid| uuid.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn uuids(project: &Table, key: &str) -> BTreeSet<String> {
    let table = project.get(key).and_then(Value::as_table);
    table.into_iter().flatten().filter_map(|(_, uuid)| uuid.as_str().map(str::to_owned)).collect()
}

/// Other tools have a `Project.toml` too; one without `deps` declares nothing.
fn read_project(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let project: Table = file.toml()?;
    let mut reading = Reading::new(file.kind, file.path);
    let mut declares: BTreeMap<(&str, &str), Scope> = BTreeMap::new();
    for (key, scope) in [("extras", Scope::Test), ("weakdeps", Scope::Optional), ("deps", Scope::Runtime)] {
        let table = project.get(key).and_then(Value::as_table);
        let named = table.into_iter().flatten().filter_map(|(name, uuid)| Some((name.as_str(), uuid.as_str()?)));
        declares.extend(named.map(|named| (named, scope)));
    }
    reading.names(declares.len());
    let locks = ["Manifest.toml", "JuliaManifest.toml"];
    if declares.is_empty() || locks.iter().any(|lock| tree.in_folder(file.path.parent(), lock).is_some()) {
        return Ok(reading);
    }
    reading.unlocked();
    for ((name, uuid), scope) in declares {
        let purl = purl::other("julia", name, None, &Origin::Usual, &[("uuid", uuid)]);
        declared(&mut reading, "julia", name, purl, scope);
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn both_formats_are_read_and_uuids_tell_namesakes_apart() {
        let tree = "0123456789abcdef0123456789abcdef01234567";
        let second = format!(
            "julia_version = \"1.9.0\"\nmanifest_format = \"2.0\"\n[[deps.A]]\nuuid = \"u-a\"\nversion = \"1.0.0\"\ngit-tree-sha1 = \"{tree}\"\n\
             [deps.A.deps]\nB = \"u-b2\"\n[[deps.B]]\nuuid = \"u-b1\"\nversion = \"1.0.0\"\n[[deps.B]]\nuuid = \"u-b2\"\n[[deps.Own]]\nuuid = \"u-o\"\npath = \"own\"\n"
        );
        let first =
            "[[C]]\ndeps = [\"D\"]\nuuid = \"u-c\"\nversion = \"2.0.0\"\n[[D]]\nuuid = \"u-d\"\nversion = \"3.0.0\"\n";
        let inventory = inventory(&[
            ("Manifest.toml", &second),
            ("Project.toml", "[deps]\nA = \"u-a\"\n"),
            ("x/Manifest.toml", first),
            ("y/Project.toml", "[deps]\nE = \"u-e\"\n"),
            ("z/Manifest.toml", "manifest_format = \"3.0\"\n"),
        ]);
        let a = found(&inventory, "pkg:julia/A@1.0.0?uuid=u-a");
        assert_eq!((a.direct, a.hashes[0].alg.as_str()), (Some(true), "git-tree"));
        assert_eq!(a.dependencies, ["pkg:julia/B?uuid=u-b2"]);
        assert_eq!(found(&inventory, "pkg:julia/C@2.0.0?uuid=u-c").dependencies, ["pkg:julia/D@3.0.0?uuid=u-d"]);
        assert!(gaps(&inventory, "Manifest.toml")[0].starts_with("B: it comes with Julia"));
        found(&inventory, "pkg:julia/E?uuid=u-e");
        assert_eq!(status(&inventory, "y/Project.toml"), CoverageStatus::Unlocked);
        assert_eq!(status(&inventory, "z/Manifest.toml"), CoverageStatus::Unsupported);
        assert_eq!(inventory.components.len(), 6);
    }
}
