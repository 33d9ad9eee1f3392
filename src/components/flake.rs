//! Nix's `flake.lock`: the inputs of a flake, each at a commit.
//!
//! Nix's hash is of an archive of the tree that only Nix makes; it has the name `nar-sha256`. There is no purl type of
//! Nix, and none is needed: an input is a repository at a commit. Never here: what a flake builds.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::graph::Graph;
use super::kind::Kind;
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex, is_sound};
use super::tree::{File, Tree};
use crate::domain::{Component, CoverageStatus, Scope};

/// The newest format of the lock that is known.
const NEWEST: u64 = 7;

/// No input follows others through more steps.
const MOST_STEPS: usize = 16;

/// So many inputs of one node are followed.
const MOST_INPUTS: usize = 10_000;

#[derive(Deserialize)]
struct Lock {
    nodes: BTreeMap<String, Node>,
    root: String,
    version: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Node {
    locked: Option<Locked>,
    /// A node's name, or a path of inputs from the root.
    inputs: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Locked {
    r#type: String,
    owner: String,
    repo: String,
    rev: Option<String>,
    url: Option<String>,
    host: Option<String>,
    nar_hash: Option<String>,
}

/// Reads every `flake.lock` of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::FlakeLock)
        .map(|file| match file.json::<Lock>() {
            Ok(lock) => read_lock(file, &lock),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(file: File<'_>, lock: &Lock) -> Reading {
    if let Some(version) = lock.version.filter(|version| *version > NEWEST) {
        let why = format!("version {version} of the format is not known");
        return Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why);
    }
    let mut reading = Reading::new(file.kind, file.path);
    let mut graph = Graph::default();
    let mut indexes: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, node) in &lock.nodes {
        let is_own = *name == lock.root || node.locked.as_ref().is_some_and(|locked| locked.r#type == "path");
        let index = if is_own {
            graph.own(*name == lock.root)
        } else {
            let component = node.locked.as_ref().and_then(|locked| component(&mut reading, name, locked));
            graph.foreign(component)
        };
        indexes.insert(name, index);
    }
    for (name, node) in &lock.nodes {
        for input in node.inputs.values().take(MOST_INPUTS) {
            let target = target(lock, input).and_then(|name| indexes.get(name));
            if let (Some(&from), Some(&to)) = (indexes.get(name.as_str()), target) {
                graph.need(from, to, Scope::Build);
            }
        }
    }
    graph.report(&mut reading);
    reading
}

/// Follows a path of inputs from the root; each step may be a path again.
fn target<'l>(lock: &'l Lock, input: &'l Value) -> Option<&'l str> {
    let mut steps = 0;
    let mut at: Option<&str> = input.as_str();
    let mut list: Vec<&str> =
        input.as_array().into_iter().flatten().filter_map(Value::as_str).take(MOST_STEPS).collect();
    list.reverse();
    if at.is_none() {
        at = Some(&lock.root);
    }
    while let Some(name) = list.pop() {
        steps += 1;
        let next = lock.nodes.get(at?)?.inputs.get(name).filter(|_| steps < MOST_STEPS)?;
        match next {
            Value::String(name) => at = Some(name),
            Value::Array(path) => {
                // What is left goes on from where this path leads.
                list.extend(path.iter().take(MOST_STEPS).rev().filter_map(Value::as_str));
                at = Some(&lock.root);
            }
            _ => return None,
        }
    }
    at
}

fn component(reading: &mut Reading, name: &str, locked: &Locked) -> Option<Component> {
    let (owner, repo) = (&locked.owner, &locked.repo);
    let rev = locked.rev.as_deref().filter(|rev| is_hex(rev, 20) || is_hex(rev, 32));
    let default = match locked.r#type.as_str() {
        "github" => "github.com",
        "gitlab" => "gitlab.com",
        "sourcehut" => "git.sr.ht",
        _ => "",
    };
    let host = locked.host.as_deref().unwrap_or(default);
    let url = match (default, &locked.url) {
        ("", url) => url.clone(),
        _ => Some(format!("https://{host}/{owner}/{repo}")),
    };
    let title = if repo.is_empty() { name } else { repo.as_str() };
    let purl = match (rev, &url) {
        (Some(rev), _) => purl::repository(url.as_deref(), rev, title),
        (None, Some(url)) => purl::typed("generic", title, None, &Origin::Download(url.clone())),
        (None, None) => purl::typed("generic", title, None, &Origin::Usual),
    };
    if rev.is_none() {
        reading.gap(&format!("{name}: the lock does not say which commit"));
    }
    let mut component = reading.component("nix", title, rev, purl)?;
    component.scope = Scope::Build;
    component.hashes.extend(rev.map(|rev| reading.hash("git", rev)));
    let nar = locked.nar_hash.as_deref().and_then(|hash| hash.strip_prefix("sha256-"));
    if let Some(hash) = nar.filter(|hash| hash.len() == 44 && is_sound(hash)) {
        component.hashes.push(reading.hash("nar-sha256", hash));
    }
    Some(component)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn inputs_are_repositories_at_a_commit() {
        let rev = "0123456789012345678901234567890123456789";
        let lock = format!(
            r#"{{"nodes": {{
            "root": {{"inputs": {{"utils": "utils", "pkgs": "pkgs", "t": "t"}}}},
            "utils": {{"inputs": {{"systems": "systems", "loop": ["utils", "loop"], "p": ["pkgs"]}}, "locked": {{"type": "github", "owner": "numtide", "repo": "flake-utils", "rev": "{rev}", "narHash": "sha256-{}="}}}},
            "systems": {{"locked": {{"type": "gitlab", "owner": "a", "repo": "b", "rev": "{rev}"}}}},
            "pkgs": {{"locked": {{"type": "git", "url": "https://u:pw@h/pkgs.git", "rev": "{rev}"}}}},
            "own": {{"locked": {{"type": "path"}}}},
            "t": {{"locked": {{"type": "tarball", "url": "https://h/x.tar.gz"}}}}}}, "root": "root", "version": 7}}"#,
            "A".repeat(43)
        );
        let inventory =
            inventory(&[("flake.lock", &lock), ("n/flake.lock", r#"{"nodes": {}, "root": "r", "version": 8}"#)]);
        let utils = found(&inventory, &format!("pkg:github/numtide/flake-utils@{rev}"));
        assert_eq!((utils.scope, utils.direct, utils.dependencies.len()), (Scope::Build, Some(true), 2));
        assert_eq!(utils.hashes[1].alg, "nar-sha256");
        let systems =
            found(&inventory, &format!("pkg:generic/b@{rev}?vcs_url=git%2Bhttps:%2F%2Fgitlab.com%2Fa%2Fb%40{rev}"));
        assert_eq!(systems.direct, Some(false));
        assert_eq!(gaps(&inventory, "flake.lock"), ["t: the lock does not say which commit"]);
        assert_eq!(inventory.components.len(), 4);
        assert_eq!(status(&inventory, "n/flake.lock"), CoverageStatus::Unsupported);
    }
}
