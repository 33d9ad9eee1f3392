//! `conan.lock` of Conan 1 and 2, and `conanfile.txt`.
//!
//! A reference is `name/version@user/channel#revision%time`; the revision of the recipe is part of what is locked.
//! Never here: `conanfile.py`, a program; package ids and revisions, which are of binaries of one machine.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report, report_one};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};
use crate::domain::Scope;

#[derive(Deserialize)]
struct Lock {
    /// Conan 1.
    #[serde(rename = "graph_lock")]
    graph: Option<Graph>,
    /// Conan 2.
    requires: Option<Vec<String>>,
    build_requires: Option<Vec<String>>,
    python_requires: Option<Vec<String>>,
    config_requires: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    r#ref: Option<String>,
    /// Before revisions had a field of their own.
    pref: Option<String>,
    path: Option<String>,
    #[serde(default)]
    requires: Option<Vec<String>>,
    #[serde(default)]
    build_requires: Option<Vec<String>>,
    context: Option<String>,
}

/// Reads every lock and `conanfile.txt` of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let locks = tree.of_kind(Kind::ConanLock).map(|file| or_failed(file, read_lock(file)));
    let manifests = tree.of_kind(Kind::ConanManifest).map(|file| or_failed(file, read_manifest(tree, file)));
    locks.chain(manifests).collect()
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let lock: Lock = file.json()?;
    let mut reading = Reading::new(file.kind, file.path);
    if let Some(graph) = &lock.graph {
        read_graph(&mut reading, graph);
        return Ok(reading);
    }
    if lock.requires.is_none() && lock.build_requires.is_none() && lock.python_requires.is_none() {
        return Err("it has neither a graph nor a list of references".to_owned());
    }
    for (list, scope) in [
        (&lock.requires, Scope::Runtime),
        (&lock.build_requires, Scope::Build),
        (&lock.python_requires, Scope::Build),
        (&lock.config_requires, Scope::Build),
    ] {
        for text in list.iter().flatten() {
            match package(text) {
                Some(package) => report_one(&mut reading, Pinned { scope, ..package }),
                None => reading.gap(&format!("a reference is not understood: {}", shown(text))),
            }
        }
    }
    Ok(reading)
}

/// What the product's own node names is direct; what it needs to build is build, with all below it.
fn read_graph(reading: &mut Reading, graph: &Graph) {
    let own = |node: &Node| node.path.is_some() || node.text().is_none_or(|text| package(text).is_none());
    let all = |node: &Node| {
        let lists = [&node.requires, &node.build_requires].into_iter().flatten();
        lists.flatten().cloned().collect::<Vec<_>>()
    };
    let direct: Vec<String> = graph.nodes.values().filter(|node| own(node)).flat_map(all).collect();
    let direct: BTreeSet<String> = direct.into_iter().collect();
    let mut packages = Vec::new();
    for (key, node) in &graph.nodes {
        let Some(text) = node.text().filter(|text| !text.is_empty()) else { continue };
        let Some(mut package) = package(text) else {
            if text.contains('/') && node.path.is_none() {
                reading.gap(&format!("a reference is not understood: {}", shown(text)));
            }
            continue;
        };
        if node.path.is_some() {
            continue;
        }
        package.scope = if node.context.as_deref() == Some("build") { Scope::Build } else { Scope::Runtime };
        // A graph without the product's own node does not tell.
        package.direct = (!direct.is_empty()).then(|| direct.contains(key));
        package.needs = all(node);
        packages.push((vec![key.clone()], package));
    }
    report(reading, packages);
}

impl Node {
    fn text(&self) -> Option<&str> {
        self.r#ref.as_deref().or(self.pref.as_deref())
    }
}

/// The part of a reference that holds no secret.
fn shown(text: &str) -> &str {
    text.split(['@', '#', ' ']).next().unwrap_or_default()
}

/// Takes a reference with one exact version.
fn package(text: &str) -> Option<Pinned> {
    // `%` begins a time, and `:` a package id.
    let text = text.split(['%', ':']).next().unwrap_or_default().trim();
    let (text, revision) = text.split_once('#').unwrap_or((text, ""));
    let (text, place) = text.split_once('@').unwrap_or((text, ""));
    let (user, channel) = place.split_once('/').unwrap_or((place, ""));
    let (name, version) = text.split_once('/')?;
    if name.is_empty() || version.is_empty() || version.contains(['[', ']', '/', ' ']) {
        return None;
    }
    // `_` says that there is none.
    let given = |text| if text == "_" { "" } else { text };
    let more = [("channel", given(channel)), ("rrev", given(revision)), ("user", given(user))];
    let purl = purl::other("conan", name, Some(version), &Origin::Usual, &more);
    Some(Pinned::new("conan", name, Some(version), purl))
}

/// A reference of a manifest has no revision, and a range no version.
fn read_manifest(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let mut reading = Reading::new(file.kind, file.path);
    let mut section = "";
    let mut declared = Vec::new();
    for line in file.text()?.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        match line {
            line if line.is_empty() || line.starts_with('#') => {}
            line if line.starts_with('[') => section = line,
            line => match section {
                "[requires]" => declared.push((line, Scope::Runtime)),
                "[build_requires]" | "[tool_requires]" => declared.push((line, Scope::Build)),
                "[test_requires]" => declared.push((line, Scope::Test)),
                _ => {}
            },
        }
    }
    if declared.is_empty() || tree.in_folder(file.path.parent(), "conan.lock").is_some() {
        reading.names(declared.len());
        return Ok(reading);
    }
    reading.unlocked();
    reading.gap("no lock says which revisions are taken, or what they need in turn");
    for (line, scope) in declared {
        let name = line.split('/').next().unwrap_or_default();
        let package = package(line).unwrap_or_else(|| {
            reading.gap(&format!("{name}: no lock says which version"));
            Pinned::new("conan", name, None, purl::plain("conan", name, None))
        });
        report_one(&mut reading, Pinned { scope, direct: Some(true), ..package });
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn references_of_both_formats_are_read() {
        let first = r#"{"version": "0.4", "graph_lock": {"nodes": {"0": {"ref": "", "path": "conanfile.txt", "requires": ["1"], "build_requires": ["3"]},
            "1": {"ref": "a/1.0@me/stable#aa", "requires": ["2"]}, "2": {"ref": "b/2.0"}, "3": {"ref": "cmake/3.0#bb", "context": "build"}}}}"#;
        let second = r#"{"version": "0.5", "requires": ["z/1.3#cc%1675278904.07", "bad"], "build_requires": ["ninja/1.1@_/_"], "python_requires": []}"#;
        let inventory = inventory(&[("1/conan.lock", first), ("2/conan.lock", second), ("3/conan.lock", "{}")]);
        let a = found(&inventory, "pkg:conan/a@1.0?channel=stable&rrev=aa&user=me");
        assert_eq!((a.direct, a.dependencies.as_slice()), (Some(true), &["pkg:conan/b@2.0".to_owned()][..]));
        assert_eq!(found(&inventory, "pkg:conan/b@2.0").direct, Some(false));
        assert_eq!(found(&inventory, "pkg:conan/cmake@3.0?rrev=bb").scope, Scope::Build);
        found(&inventory, "pkg:conan/z@1.3?rrev=cc");
        assert_eq!(found(&inventory, "pkg:conan/ninja@1.1").scope, Scope::Build);
        assert_eq!(gaps(&inventory, "2/conan.lock"), ["a reference is not understood: bad"]);
        assert_eq!(status(&inventory, "3/conan.lock"), CoverageStatus::Failed);
    }

    #[test]
    fn a_manifest_declares() {
        let text = "[requires]\nzlib/1.2.11\nfmt/[>=9 <11]\n[tool_requires]\ncmake/3.22 # c\n[generators]\nCMakeDeps\n";
        let inventory = inventory(&[("conanfile.txt", text)]);
        found(&inventory, "pkg:conan/zlib@1.2.11");
        assert_eq!(found(&inventory, "pkg:conan/fmt").version, None);
        assert_eq!(found(&inventory, "pkg:conan/cmake@3.22").scope, Scope::Build);
        assert_eq!(status(&inventory, "conanfile.txt"), CoverageStatus::Unlocked);
    }
}
