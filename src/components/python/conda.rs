//! Conda's `environment.yml`.
//!
//! `name==1.0` and `name=1.0=build` are exact; `name=1.0` means any 1.0.x and is none. What stands under `pip` is of
//! Python's own index. Never here: a channel's contents.

use serde::Deserialize;
use serde_json::Value;

use super::super::kind::Kind;
use super::super::purl::{self, Origin};
use super::super::reading::Reading;
use super::super::requirement::asked;
use super::super::structured::yaml;
use super::super::tree::{File, Tree};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Environment {
    dependencies: Vec<Value>,
}

/// Reads every `environment.yml` of the tree; one that names no dependencies is of something else.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::CondaEnvironment)
        .filter_map(|file| match yaml::<Environment>(&file) {
            Ok(documents) => {
                let list: Vec<Value> = documents.into_iter().flat_map(|document| document.dependencies).collect();
                (!list.is_empty()).then(|| read_list(file, &list))
            }
            Err(why) => Some(Reading::failed(file.kind, file.path, &why)),
        })
        .collect()
}

fn read_list(file: File<'_>, list: &[Value]) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    for entry in list {
        if let Some(spec) = entry.as_str() {
            let (name, version) = exact(spec);
            add(&mut reading, "conda", &name, version, &purl::typed("conda", &name, version, &Origin::Usual));
        }
        let pip = entry.get("pip").and_then(Value::as_array).into_iter().flatten();
        for one in pip.filter_map(Value::as_str).filter(|text| !text.starts_with('-')).filter_map(asked) {
            let purl = purl::pypi(&one.name, one.version.as_deref(), &one.origin);
            add(&mut reading, "pypi", &one.name, one.version.as_deref(), &purl);
        }
    }
    reading
}

fn add(reading: &mut Reading, ecosystem: &str, name: &str, version: Option<&str>, purl: &str) {
    if version.is_none() {
        reading.gap(&format!("{name}: no lock says which version"));
        reading.unlocked();
    }
    if let Some(mut component) = reading.component(ecosystem, name, version, purl.to_owned()) {
        component.direct = Some(true);
        reading.add(component);
    }
}

/// Parts `channel::name=version=build` into the name and, where it is exact, the version.
fn exact(spec: &str) -> (String, Option<&str>) {
    let spec = spec.rsplit("::").next().unwrap_or_default();
    let end = spec.find(['=', '<', '>', '!', '~', ' ', '[']).unwrap_or(spec.len());
    let (name, rest) = spec.split_at_checked(end).unwrap_or((spec, ""));
    let rest = rest.trim();
    let version = match rest.strip_prefix("==") {
        Some(version) => Some(version),
        None => rest.strip_prefix('=').and_then(|rest| rest.split_once('=')).map(|(version, _)| version),
    };
    let plain = |version: &&str| !version.is_empty() && !version.contains(['*', ',', '|', '<', '>', ' ', '=']);
    (name.to_ascii_lowercase(), version.map(str::trim).filter(plain))
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn only_exact_pins_of_conda_have_a_version() {
        let text = "name: x\nchannels: [conda-forge]\ndependencies:\n  - conda-forge::numpy=1.21.0=py39_0\n  - Scipy==1.7\n  - python=3.9\n  - pip\n\
            \x20 - pip:\n    - flask==2.0\n    - -r requirements.txt\n";
        let inventory = inventory(&[
            ("environment.yml", text),
            ("o/environment.yml", "key: value\n"),
            ("x/environment.yml", "a: ["),
        ]);
        found(&inventory, "pkg:conda/numpy@1.21.0");
        found(&inventory, "pkg:conda/scipy@1.7");
        found(&inventory, "pkg:pypi/flask@2.0");
        assert_eq!(
            gaps(&inventory, "environment.yml"),
            ["pip: no lock says which version", "python: no lock says which version"]
        );
        assert_eq!(status(&inventory, "environment.yml"), CoverageStatus::Unlocked);
        assert_eq!(status(&inventory, "x/environment.yml"), CoverageStatus::Failed);
        assert_eq!(inventory.coverage.len(), 2);
    }
}
