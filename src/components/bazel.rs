//! Bazel's modules: `MODULE.bazel.lock`, with what `MODULE.bazel` declares.
//!
//! The lock lists files of the registry that were looked at. Only of the modules that were selected does Bazel look at
//! `source.json`; elder locks held the graph itself. A module's own hash is in neither. What other programs brought in
//! through extensions is not read, and said. Never here: running Starlark; a call is read as far as its arguments are
//! plain text.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::kind::Kind;
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};
use crate::domain::Scope;

/// Bazel's own registry, in the ways that its addresses begin.
const CENTRAL: &str = "https://bcr.bazel.build";

/// So many calls of one file are read.
const MOST_CALLS: usize = 5000;

/// No call is longer.
const LONGEST_CALL: usize = 5000;

/// Extensions that come with Bazel, and fetch nothing that others wrote.
const OWN_EXTENSIONS: [&str; 2] = ["@@bazel_tools", "@@platforms"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    #[serde(default)]
    registry_file_hashes: BTreeMap<String, Value>,
    #[serde(default)]
    module_dep_graph: BTreeMap<String, Module>,
    #[serde(default)]
    module_extensions: Map<String, Value>,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
}

/// One `bazel_dep`.
struct Declared {
    name: String,
    version: Option<String>,
    dev: bool,
}

/// Reads every module and every lock of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut locked: BTreeSet<&[u8]> = BTreeSet::new();
    for file in tree.of_kind(Kind::BazelLock) {
        match file.json::<Lock>() {
            Ok(lock) => {
                locked.insert(file.path.parent());
                readings.push(read_lock(tree, file, &lock));
            }
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    for file in tree.of_kind(Kind::BazelModule) {
        readings.push(match file.text() {
            Ok(text) => read_module(file, text, locked.contains(file.path.parent())),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        });
    }
    readings
}

fn read_lock(tree: &Tree<'_>, file: File<'_>, lock: &Lock) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let module = tree.in_folder(file.path.parent(), "MODULE.bazel").and_then(|file| file.text().ok());
    let declared: Option<BTreeMap<String, bool>> =
        module.map(|text| declared(text).0.into_iter().map(|one| (one.name, one.dev)).collect());
    if declared.is_none() {
        reading.gap("no MODULE.bazel beside it tells which components are direct");
    }
    let selected = lock.registry_file_hashes.keys().filter_map(|address| selected(address));
    let graph = lock.module_dep_graph.values().map(|module| (CENTRAL, module.name.as_str(), module.version.as_str()));
    // The product itself and what is overridden have no version.
    let all: BTreeSet<_> =
        selected.chain(graph).filter(|(_, name, version)| !name.is_empty() && !version.is_empty()).collect();
    for (registry, name, version) in all {
        let purl = purl::typed("bazel", name, Some(version), &origin(registry));
        let Some(mut component) = reading.component("bazel", name, Some(version), purl) else { continue };
        let dev = declared.as_ref().map(|declared| declared.get(name));
        component.direct = dev.map(|dev| dev.is_some());
        component.scope = if dev.flatten() == Some(&true) { Scope::Dev } else { Scope::Runtime };
        reading.add(component);
    }
    let foreign = |name: &&String| !OWN_EXTENSIONS.iter().any(|own| name.starts_with(own));
    let extensions = lock.module_extensions.keys().filter(foreign).count();
    if extensions > 0 {
        reading.gap(&format!("{extensions} extensions bring in more, which is not read"));
    }
    reading
}

/// `https://bcr.bazel.build/modules/<name>/<version>/source.json`.
fn selected(address: &str) -> Option<(&str, &str, &str)> {
    let (registry, path) = address.rsplit_once("/modules/")?;
    let (name, rest) = path.split_once('/')?;
    Some((registry, name, rest.strip_suffix("/source.json")?))
}

fn origin(registry: &str) -> Origin {
    if registry == CENTRAL { Origin::Usual } else { Origin::Registry(registry.to_owned()) }
}

fn read_module(file: File<'_>, text: &str, is_locked: bool) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let (declared, own) = declared(text);
    reading.names(declared.len());
    if declared.len() >= MOST_CALLS {
        reading.gap("it declares more than is read");
    }
    // A declared version is the least one: only the lock tells which is selected.
    for one in declared.iter().filter(|one| !is_locked && !own.contains(&one.name)) {
        reading.unlocked();
        let least = one.version.as_deref().unwrap_or("any version");
        reading.gap(&format!("{}: no lock says which version, {least} or later", one.name));
        let purl = purl::typed("bazel", &one.name, None, &Origin::Usual);
        if let Some(mut component) = reading.component("bazel", &one.name, None, purl) {
            component.direct = Some(true);
            component.scope = if one.dev { Scope::Dev } else { Scope::Runtime };
            reading.add(component);
        }
    }
    reading
}

/// Returns what is declared, and the names that stand for folders of the product.
fn declared(text: &str) -> (Vec<Declared>, BTreeSet<String>) {
    let (mut found, mut own) = (Vec::new(), BTreeSet::new());
    for (function, arguments) in calls(text) {
        let argument = |name: &str| arguments.get(name).cloned();
        match (function, argument("name"), argument("module_name")) {
            ("bazel_dep", Some(name), _) => {
                let version = argument("version").filter(|version| !version.is_empty());
                found.push(Declared { name, version, dev: argument("dev_dependency").as_deref() == Some("True") });
            }
            ("local_path_override", _, Some(name)) => drop(own.insert(name)),
            _ => {}
        }
    }
    (found, own)
}

/// Returns the calls at the beginning of a line, with the arguments that are names and plain values.
fn calls(text: &str) -> Vec<(&'static str, BTreeMap<String, String>)> {
    let mut found = Vec::new();
    for function in ["bazel_dep", "local_path_override"] {
        let starts = text.match_indices(function).filter_map(|(at, word)| {
            let before = text.get(..at)?.trim_end_matches([' ', '\t']);
            let inside = text.get(at + word.len()..)?.strip_prefix('(')?;
            (before.is_empty() || before.ends_with('\n')).then_some(inside)
        });
        for inside in starts.take(MOST_CALLS) {
            let end = inside.char_indices().nth(LONGEST_CALL).map_or(inside.len(), |(end, _)| end);
            found.push((function, arguments(inside.get(..end).unwrap_or_default())));
        }
    }
    found
}

/// Reads `name = "text", other = True` up to the closing bracket.
fn arguments(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if let Some(comment) = rest.strip_prefix('#') {
            rest = comment.split_once('\n').map_or("", |(_, next)| next);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let Some((key, after)) = rest.split_at_checked(end).filter(|(key, _)| !key.is_empty()) else {
            return found;
        };
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else { return found };
        let quote = value.chars().next().filter(|c| ['"', '\''].contains(c));
        let parted = if let Some(quote) = quote {
            value.get(1..).and_then(|inner| inner.split_once(quote))
        } else {
            let end = value.find([',', ')', '\n']).unwrap_or(value.len());
            value.split_at_checked(end)
        };
        let Some((value, next)) = parted else { return found };
        found.insert(key.to_owned(), value.trim().to_owned());
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    const MODULE: &str = "module(name = \"x\")\nbazel_dep(name = \"a\", version = \"1.0\")\nbazel_dep(\n    name = 'b',  # a comment\n    version = \"2.0\",\n    dev_dependency = True,\n)\n\
        # bazel_dep(name = \"not\", version = \"1\")\nbazel_dep(name = \"own\")\nlocal_path_override(module_name = \"own\", path = \"own\")\n";

    #[test]
    fn the_lock_tells_which_modules_were_selected() {
        let lock = r#"{"lockFileVersion": 13, "registryFileHashes": {
            "https://bcr.bazel.build/modules/a/1.0/MODULE.bazel": "00", "https://bcr.bazel.build/modules/a/1.1/MODULE.bazel": "00",
            "https://bcr.bazel.build/modules/a/1.1/source.json": "00", "https://r.example/modules/b/2.0/source.json": "00",
            "https://bcr.bazel.build/modules/c/3.0.bcr.1/source.json": "00", "https://bcr.bazel.build/bazel_registry.json": null},
            "moduleExtensions": {"@@rules_jvm//:x": {}, "@@bazel_tools//:y": {}}}"#;
        let old =
            r#"{"moduleDepGraph": {"<root>": {"name": "x", "version": ""}, "d@1.0": {"name": "d", "version": "1.0"}}}"#;
        let inventory =
            inventory(&[("MODULE.bazel", MODULE), ("MODULE.bazel.lock", lock), ("old/MODULE.bazel.lock", old)]);
        assert_eq!(found(&inventory, "pkg:bazel/a@1.1").direct, Some(true));
        assert_eq!(found(&inventory, "pkg:bazel/b@2.0?repository_url=https:%2F%2Fr.example").scope, Scope::Dev);
        assert_eq!(found(&inventory, "pkg:bazel/c@3.0.bcr.1").direct, Some(false));
        assert_eq!(found(&inventory, "pkg:bazel/d@1.0").direct, None);
        assert_eq!(inventory.components.len(), 4);
        assert_eq!(gaps(&inventory, "MODULE.bazel.lock"), ["1 extensions bring in more, which is not read"]);
        assert_eq!(status(&inventory, "MODULE.bazel"), CoverageStatus::Parsed);
    }

    #[test]
    fn without_a_lock_versions_are_only_the_least() {
        let inventory = inventory(&[("MODULE.bazel", MODULE)]);
        assert_eq!(status(&inventory, "MODULE.bazel"), CoverageStatus::Unlocked);
        assert_eq!(found(&inventory, "pkg:bazel/b").version, None);
        assert_eq!(
            gaps(&inventory, "MODULE.bazel"),
            ["a: no lock says which version, 1.0 or later", "b: no lock says which version, 2.0 or later"]
        );
    }
}
