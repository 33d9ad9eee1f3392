//! Helm: `Chart.lock`, `requirements.lock`, and the charts that declare what no lock pins.
//!
//! The lock's digest is of the list and of no chart, so that a component has no hash. A chart at `file://` is the
//! product's own. `helm` is no registered purl type, yet what others use. Never here: a range's meaning.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::kind::Kind;
use super::purl::{self, Origin};
use super::reading::Reading;
use super::structured::yaml;
use super::tree::{File, Tree, joined};
use crate::domain::{CoverageStatus, Scope};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Chart {
    dependencies: Option<Vec<Dependency>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Dependency {
    name: String,
    version: Value,
    repository: Option<String>,
    condition: Option<String>,
    tags: Option<Vec<Value>>,
}

/// Reads every lock and every chart of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let charts: BTreeMap<&[u8], BTreeMap<String, Scope>> = tree
        .of_kind(Kind::HelmChart)
        .filter_map(|file| Some((file.path.parent(), scopes(&dependencies(&file).ok()?))))
        .collect();
    let mut locked: BTreeSet<&[u8]> = BTreeSet::new();
    let mut readings = Vec::new();
    for file in tree.of_kind(Kind::HelmLock) {
        if !is_of_chart(tree, &file) {
            let why = "it is of no chart, and this version has no other reader for it";
            readings.push(Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, why));
            continue;
        }
        match dependencies(&file) {
            Ok(list) => {
                locked.insert(file.path.parent());
                readings.push(read_lock(file, &list, charts.get(file.path.parent())));
            }
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    for file in tree.of_kind(Kind::HelmChart).filter(|file| is_of_chart(tree, file)) {
        match dependencies(&file) {
            Ok(list) if list.is_empty() => {}
            Ok(list) => readings.push(read_chart(file, &list, locked.contains(file.path.parent()))),
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    readings
}

/// Files called `requirements` are of Helm only beside a chart.
fn is_of_chart(tree: &Tree<'_>, file: &File<'_>) -> bool {
    let is_old = file.path.file_name().starts_with(b"requirements");
    !is_old || tree.find(&joined(file.path.parent(), b"Chart.yaml")).is_some()
}

fn dependencies(file: &File<'_>) -> Result<Vec<Dependency>, String> {
    let documents = yaml::<Option<Chart>>(file)?;
    Ok(documents.into_iter().flatten().filter_map(|chart| chart.dependencies).flatten().collect())
}

/// A chart that a condition or a tag may leave out is optional.
fn scopes(list: &[Dependency]) -> BTreeMap<String, Scope> {
    let scope = |one: &Dependency| {
        if one.condition.is_some() || one.tags.is_some() { Scope::Optional } else { Scope::Runtime }
    };
    list.iter().map(|one| (one.name.clone(), scope(one))).collect()
}

fn read_lock(file: File<'_>, list: &[Dependency], scopes: Option<&BTreeMap<String, Scope>>) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    for one in list {
        let scope = scopes.and_then(|scopes| scopes.get(&one.name)).copied().unwrap_or(Scope::Runtime);
        let version = one.version.as_str().filter(|version| !version.is_empty());
        if version.is_none() {
            reading.gap(&format!("{}: the lock does not say which version", one.name));
        }
        add(&mut reading, one, version, scope);
    }
    reading
}

fn read_chart(file: File<'_>, list: &[Dependency], is_locked: bool) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    reading.names(list.len());
    for one in list.iter().filter(|_| !is_locked) {
        let exact = one.version.as_str().filter(|version| is_exact(version));
        if exact.is_none() && !one.is_own() {
            reading.unlocked();
            reading.gap(&format!("{}: no lock says which version", one.name));
        }
        let scope = scopes(std::slice::from_ref(one)).into_values().next().unwrap_or(Scope::Runtime);
        add(&mut reading, one, exact, scope);
    }
    reading
}

/// Three numbers, and what may stand behind them, are one version.
fn is_exact(version: &str) -> bool {
    let plain = version.strip_prefix('v').unwrap_or(version);
    let core = plain.split(['-', '+']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    core.split('.').count() == 3 && core.split('.').all(is_number) && !version.contains([' ', ',', '|'])
}

fn add(reading: &mut Reading, one: &Dependency, version: Option<&str>, scope: Scope) {
    if one.is_own() {
        return;
    }
    // An alias of a repository (`@stable`) is of one machine.
    let url = one.repository.as_deref().filter(|url| url.contains("://"));
    if url.is_none() {
        reading.gap(&format!("{}: where it comes from is not told", one.name));
    }
    let origin = url.map_or(Origin::Usual, |url| Origin::Registry(url.to_owned()));
    let purl = purl::typed("helm", &one.name, version, &origin);
    if let Some(mut component) = reading.component("helm", &one.name, version, purl) {
        component.scope = scope;
        component.direct = Some(true);
        reading.add(component);
    }
}

impl Dependency {
    fn is_own(&self) -> bool {
        self.repository.as_deref().is_some_and(|url| url.starts_with("file:"))
    }
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn locks_pin_and_charts_declare() {
        let chart = "apiVersion: v2\nname: x\ndependencies:\n  - {name: a, version: ^1, repository: 'https://r.example/charts', condition: a.on}\n  - {name: own, version: 1.0.0, repository: 'file://../own'}\n";
        let lock = "dependencies:\n- name: a\n  repository: https://r.example/charts\n  version: 1.2.3\n- name: b\n  repository: '@stable'\n  version: 2.0.0\ndigest: sha256:00\n";
        let inventory = inventory(&[
            ("c/Chart.yaml", chart),
            ("c/Chart.lock", lock),
            (
                "d/Chart.yaml",
                "dependencies: [{name: e, version: 1.0.0, repository: 'oci://r.example/x'}, {name: f, version: ~1, repository: 'https://r'}]",
            ),
            ("x/requirements.lock", "not: helm"),
            ("y/Chart.lock", "a: ["),
        ]);
        let a = found(&inventory, "pkg:helm/a@1.2.3?repository_url=https:%2F%2Fr.example%2Fcharts");
        assert_eq!((a.scope, a.hashes.len()), (Scope::Optional, 0));
        found(&inventory, "pkg:helm/b@2.0.0");
        found(&inventory, "pkg:helm/e@1.0.0?repository_url=oci:%2F%2Fr.example%2Fx");
        assert_eq!(status(&inventory, "c/Chart.yaml"), CoverageStatus::Parsed);
        assert_eq!(status(&inventory, "d/Chart.yaml"), CoverageStatus::Unlocked);
        assert_eq!(gaps(&inventory, "d/Chart.yaml"), ["f: no lock says which version"]);
        assert_eq!(status(&inventory, "y/Chart.lock"), CoverageStatus::Failed);
        assert_eq!(status(&inventory, "x/requirements.lock"), CoverageStatus::Unsupported);
        assert_eq!((inventory.components.len(), inventory.coverage.len()), (4, 5));
    }
}
