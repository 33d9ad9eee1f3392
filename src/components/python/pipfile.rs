//! `Pipfile.lock` in all its categories, and the `Pipfile` that declares what is direct.
//!
//! A category is what a package is for: `default`, `develop` or any name the product chose. The lock tells nothing of
//! what needs what. Never here: a range's meaning.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use toml::Table;

use super::super::kind::Kind;
use super::super::purl::{Origin, pypi_name};
use super::super::reading::Reading;
use super::super::tree::{File, Tree};
use super::declared::Declared;
use super::project::read_declared;
use super::{Locked, add_hashes, group_scope, package};
use crate::domain::{Component, Scope};

/// Tables of a `Pipfile` that name no packages.
const OTHER_TABLES: [&str; 4] = ["pipenv", "requires", "scripts", "source"];

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    version: Option<String>,
    hashes: Vec<String>,
    git: Option<String>,
    r#ref: Option<String>,
    path: Option<String>,
    file: Option<String>,
}

/// Reads every `Pipfile.lock` and `Pipfile` of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &mut Locked) -> Vec<Reading> {
    let mut with_lock = Locked::new();
    let mut readings: Vec<Reading> = tree
        .of_kind(Kind::PipfileLock)
        .map(|file| match file.json::<BTreeMap<String, Value>>() {
            Ok(lock) => {
                with_lock.insert(file.path.parent().to_vec());
                read_lock(tree, file, &lock)
            }
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect();
    readings.extend(tree.of_kind(Kind::Pipfile).map(|file| match file.toml::<Table>() {
        Ok(table) => read_declared(file, &declared(&table), &with_lock),
        Err(why) => Reading::failed(file.kind, file.path, &why),
    }));
    locked.extend(with_lock);
    readings
}

fn read_lock(tree: &Tree<'_>, file: File<'_>, lock: &BTreeMap<String, Value>) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let pipfile = tree.in_folder(file.path.parent(), "Pipfile").and_then(|file| file.toml::<Table>().ok());
    let direct: Option<BTreeSet<String>> =
        pipfile.map(|table| declared(&table).into_iter().map(|one| one.name).collect());
    if direct.is_none() {
        reading.gap("no Pipfile beside it tells which components are direct");
    }
    for (category, entries) in lock.iter().filter(|(category, _)| *category != "_meta") {
        for (name, entry) in entries.as_object().into_iter().flatten() {
            let Ok(entry) = Entry::deserialize(entry) else {
                reading.gap(&format!("an entry of {category} has another shape: {name}"));
                continue;
            };
            let Some(mut component) = component(&mut reading, name, &entry) else { continue };
            component.scope = scope(category);
            component.direct = direct.as_ref().map(|direct| direct.contains(&pypi_name(name)));
            reading.add(component);
        }
    }
    reading
}

fn scope(category: &str) -> Scope {
    match category {
        "packages" => Scope::Runtime,
        "dev-packages" => Scope::Dev,
        name => group_scope(name),
    }
}

fn component(reading: &mut Reading, name: &str, entry: &Entry) -> Option<Component> {
    let version = entry.version.as_deref().map(|version| version.trim_start_matches('='));
    let version = version.filter(|version| !version.is_empty() && *version != "*");
    let origin = match (&entry.git, &entry.file) {
        (Some(url), _) => Origin::Git { url: url.clone(), commit: entry.r#ref.clone().unwrap_or_default() },
        (None, Some(url)) if url.contains("://") => Origin::Download(url.clone()),
        (None, _) if version.is_none() && (entry.path.is_some() || entry.file.is_some()) => return None,
        _ => Origin::Usual,
    };
    let mut component = package(reading, name, version, &origin)?;
    add_hashes(reading, &mut component, entry.hashes.iter().map(String::as_str));
    Some(component)
}

/// Returns what a `Pipfile` asks for.
fn declared(table: &Table) -> Vec<Declared> {
    let tables = table.iter().filter(|(name, _)| !OTHER_TABLES.contains(&name.as_str()));
    let all = tables.flat_map(|(category, table)| {
        let entries = table.as_table().into_iter().flatten();
        entries.map(move |(name, value)| (scope(category), name, value))
    });
    all.filter(|(_, _, value)| value.get("path").is_none() && value.get("file").is_none())
        .map(|(scope, name, value)| {
            let range = value.as_str().or_else(|| value.get("version")?.as_str()).unwrap_or_default();
            let exact = range.strip_prefix("==").filter(|exact| !exact.contains(['*', ',', ' ']));
            let git = value.get("git").and_then(toml::Value::as_str);
            let commit = value.get("ref").and_then(toml::Value::as_str).unwrap_or_default();
            let origin = git.map(|url| Origin::Git { url: url.to_owned(), commit: commit.to_owned() });
            let (version, origin) = (exact.map(str::to_owned), origin.unwrap_or_default());
            Declared { name: pypi_name(name), version, origin, scope }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn every_category_counts_and_the_pipfile_tells_what_is_direct() {
        let sum = "0".repeat(64);
        let lock = format!(
            r#"{{"_meta": {{"sources": []}}, "default": {{"A.b": {{"version": "==1.0", "hashes": ["sha256:{sum}"]}}, "own": {{"path": ".", "editable": true}},
            "g": {{"git": "https://u:pw@h/g.git", "ref": "0123456789012345678901234567890123456789"}}}},
            "develop": {{"d": {{"version": "==1.0"}}, "x": 1}}, "docs": {{"e": {{"version": "==1.0"}}}}, "workers": {{"f": {{"version": "==1.0"}}}}}}"#
        );
        let pipfile = "[[source]]\nurl = 'x'\n[packages]\na-b = '*'\n[workers]\nf = '*'\n";
        let inventory = inventory(&[("Pipfile.lock", &lock), ("Pipfile", pipfile), ("n/Pipfile", pipfile)]);
        let a = found(&inventory, "pkg:pypi/a-b@1.0");
        assert_eq!((a.direct, a.scope, a.hashes.len()), (Some(true), Scope::Runtime, 1));
        assert_eq!(found(&inventory, "pkg:pypi/d@1.0").direct, Some(false));
        assert_eq!(found(&inventory, "pkg:pypi/e@1.0").scope, Scope::Dev);
        assert_eq!(found(&inventory, "pkg:pypi/f@1.0").direct, Some(true));
        let told = gaps(&inventory, "Pipfile.lock");
        assert_eq!(told, ["an entry of develop has another shape: x", "g: the lock does not say which version"]);
        assert_eq!(status(&inventory, "Pipfile"), CoverageStatus::Parsed);
        assert_eq!(status(&inventory, "n/Pipfile"), CoverageStatus::Unlocked);
    }
}
