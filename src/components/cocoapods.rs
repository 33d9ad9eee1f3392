//! `Podfile.lock`.
//!
//! Parts of a pod (`Pod/Part`) are that pod, since they have one version and one source. The checksum is of the pod's
//! specification and of no file of its own, so that it stays apart from file hashes. A pod of a folder is the
//! product's own, unless a package manager put that folder there. Never here: `Podfile`, a program.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::documents::yaml;
use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};

/// Folders that other package managers fill.
const FILLED: [&str; 2] = [".symlinks/", "node_modules/"];

/// Pods that stand for Flutter's engine, of which the version is always `1.0.0`.
const STAND_INS: [&str; 2] = ["Flutter", "FlutterMacOS"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lock {
    #[serde(rename = "PODS")]
    pods: Option<Vec<Value>>,
    #[serde(rename = "DEPENDENCIES")]
    dependencies: Option<Vec<String>>,
    #[serde(rename = "EXTERNAL SOURCES")]
    external: Option<BTreeMap<String, BTreeMap<String, String>>>,
    #[serde(rename = "CHECKOUT OPTIONS")]
    checkout: Option<BTreeMap<String, BTreeMap<String, String>>>,
    #[serde(rename = "SPEC CHECKSUMS")]
    checksums: Option<BTreeMap<String, String>>,
}

/// Reads every lock of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::PodLock).map(|file| or_failed(file, read_lock(file))).collect()
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let lock: Lock = yaml(file)?;
    let mut reading = Reading::new(file.kind, file.path);
    let direct: BTreeSet<&str> = lock.dependencies.iter().flatten().map(|line| pod(line)).collect();
    let mut pods: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for entry in lock.pods.iter().flatten() {
        let (line, needs) = match entry {
            Value::String(line) => (line.as_str(), None),
            Value::Object(map) => {
                map.iter().next().map_or(("", None), |(line, needs)| (line.as_str(), needs.as_array()))
            }
            _ => ("", None),
        };
        let Some(version) = line.split_once(" (").and_then(|(_, rest)| rest.strip_suffix(')')) else {
            reading.gap("a pod is not understood");
            continue;
        };
        let needs = needs.into_iter().flatten().filter_map(Value::as_str).map(pod);
        pods.entry((pod(line), version)).or_default().extend(needs);
    }
    let mut packages = Vec::new();
    for ((name, version), needs) in pods {
        let option = |table: &Option<BTreeMap<String, BTreeMap<String, String>>>, key: &str| {
            Some(table.as_ref()?.get(name)?.get(key)?.clone())
        };
        if STAND_INS.contains(&name) {
            reading.gap(&format!("{name}: it stands for Flutter's engine, of which the lock pins no version"));
        } else if option(&lock.external, ":path").is_some_and(|path| !FILLED.iter().any(|filled| path.contains(filled)))
        {
            continue;
        }
        let commit = option(&lock.checkout, ":commit");
        let origin = match (option(&lock.checkout, ":git"), &commit) {
            (Some(url), commit) => Origin::Git {
                url,
                commit: commit.clone().or_else(|| option(&lock.checkout, ":tag")).unwrap_or_default(),
            },
            (None, _) => option(&lock.external, ":http").map_or(Origin::Usual, Origin::Download),
        };
        let mut package =
            Pinned::new("cocoapods", name, Some(version), purl::other("cocoapods", name, Some(version), &origin, &[]));
        package.direct = Some(direct.contains(name));
        package.hash("git", commit.as_deref());
        package.hash("podspec-sha1", lock.checksums.as_ref().and_then(|sums| Some(sums.get(name)?.as_str())));
        package.needs = needs.into_iter().filter(|needed| *needed != name).map(str::to_owned).collect();
        packages.push((vec![name.to_owned()], package));
    }
    report(&mut reading, packages);
    Ok(reading)
}

/// Returns the pod of `Pod/Part (1.0)`.
fn pod(line: &str) -> &str {
    let name = line.split_once(" (").map_or(line, |(name, _)| name);
    name.split('/').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn parts_are_their_pod_and_folders_are_the_products_own() {
        let lock = "PODS:\n  - A/Core (1.0):\n    - A/Part (= 1.0)\n    - B\n  - A/Part (1.0)\n  - B (2.0-beta)\n  - Flutter (1.0.0)\n\
            \x20 - G (0.1)\n  - Own (3.0):\n    - B\n  - Plugin (0.0.1):\n    - Flutter\n\nDEPENDENCIES:\n  - A/Core (~> 1)\n  - Own (from `../Own`)\n\n\
            EXTERNAL SOURCES:\n  Flutter:\n    :path: Flutter\n  G:\n    :git: https://github.com/o/g.git\n    :branch: main\n  Own:\n    :path: \"../Own\"\n\
            \x20 Plugin:\n    :path: \".symlinks/plugins/p/ios\"\n\nCHECKOUT OPTIONS:\n  G:\n    :commit: 0123456789012345678901234567890123456789\n\
            \x20   :git: https://github.com/o/g.git\n    :submodules: true\n\nSPEC CHECKSUMS:\n  A: 0123456789012345678901234567890123456789\n\nPODFILE CHECKSUM: x\n\nCOCOAPODS: 1.15.2\n";
        let inventory = inventory(&[("ios/Podfile.lock", lock), ("b/Podfile.lock", "PODS: 5\n")]);
        let a = found(&inventory, "pkg:cocoapods/A@1.0");
        assert_eq!((a.direct, a.hashes[0].alg.as_str()), (Some(true), "podspec-sha1"));
        assert_eq!(a.dependencies, ["pkg:cocoapods/B@2.0-beta"]);
        let url = "git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fg.git%400123456789012345678901234567890123456789";
        found(&inventory, &format!("pkg:cocoapods/G@0.1?vcs_url={url}"));
        assert_eq!(found(&inventory, "pkg:cocoapods/Plugin@0.0.1").dependencies, ["pkg:cocoapods/Flutter@1.0.0"]);
        assert_eq!(inventory.components.len(), 5);
        assert!(gaps(&inventory, "ios/Podfile.lock")[0].starts_with("Flutter: it stands for"));
        assert_eq!(status(&inventory, "b/Podfile.lock"), CoverageStatus::Failed);
    }
}
