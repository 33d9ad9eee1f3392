//! GitLab's pipelines: what they include from elsewhere, and the images that their jobs run in.
//!
//! A project is named as GitLab names it, since the file does not tell the host. Variables have the values that the file
//! itself gives them. Never here: GitLab's own templates, which come with the server.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::kind::Kind;
use super::super::purl::{self, Origin};
use super::super::reading::{Reading, is_hex};
use super::super::structured::yaml;
use super::super::tree::{File, Tree};
use super::Movable;
use super::image::add_image;
use super::variables::filled;
use crate::domain::Scope;

/// Keys at the top that are no jobs.
const NO_JOBS: [&str; 5] = ["include", "spec", "stages", "variables", "workflow"];

/// Reads every pipeline of GitLab in the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::GitlabCi)
        .map(|file| match yaml::<Value>(&file) {
            Ok(documents) => read_documents(file, &documents),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_documents(file: File<'_>, documents: &[Value]) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let mut movable = Movable::default();
    for document in documents.iter().filter_map(Value::as_object) {
        match document.get("include") {
            Some(Value::Array(list)) => list.iter().for_each(|one| add_include(&mut reading, &mut movable, one)),
            Some(one) => add_include(&mut reading, &mut movable, one),
            None => {}
        }
        let variables = document.get("variables").and_then(Value::as_object).into_iter().flatten();
        let text = |value: &Value| value.get("value").unwrap_or(value).as_str().map(str::to_owned);
        let values: BTreeMap<String, String> =
            variables.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
        let jobs = document.iter().filter(|(name, job)| job.is_object() && !NO_JOBS.contains(&name.as_str()));
        for holder in jobs.map(|(_, job)| job.get("image").into_iter().chain(list(job.get("services")))) {
            holder.for_each(|value| add_filled(&mut reading, &mut movable, value, &values));
        }
        let top = document.get("image").into_iter().chain(list(document.get("services")));
        top.filter(|value| value.get("image").is_none())
            .for_each(|value| add_filled(&mut reading, &mut movable, value, &values));
    }
    movable.report(&mut reading);
    reading
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn add_filled(reading: &mut Reading, movable: &mut Movable, value: &Value, values: &BTreeMap<String, String>) {
    let Some(text) = value.get("name").unwrap_or(value).as_str().filter(|text| !text.is_empty()) else { return };
    match filled(text, values) {
        Some(text) => add_image(reading, movable, &text, Scope::Build),
        None => reading.gap(&format!("an image depends on a variable of the runner: {text}")),
    }
}

fn add_include(reading: &mut Reading, movable: &mut Movable, include: &Value) {
    let text = |key: &str| include.get(key).and_then(Value::as_str);
    let remote = text("remote").or_else(|| include.as_str().filter(|text| text.contains("://")));
    if let Some(address) = remote {
        let address = purl::plain_address(address);
        let name = address.rsplit('/').next().unwrap_or_default();
        let purl = purl::typed("generic", name, None, &Origin::Download(address.clone()));
        reading.gap(&format!("{address}: included from an address, which names no version"));
        return add(reading, name, None, purl);
    }
    if let Some(component) = text("component") {
        let (path, version) = component.rsplit_once('@').unwrap_or((component, ""));
        // `$CI_SERVER_FQDN/group/project/name`: the server that runs it.
        let path = path.split_once('/').map_or(path, |(host, rest)| if host.contains('$') { rest } else { path });
        return add_referenced(reading, movable, path, Some(version));
    }
    if let Some(project) = text("project") {
        add_referenced(reading, movable, project, text("ref"));
    }
}

fn add_referenced(reading: &mut Reading, movable: &mut Movable, path: &str, reference: Option<&str>) {
    let reference = reference.filter(|reference| !reference.is_empty());
    if path.contains('$') || reference.is_some_and(|reference| reference.contains('$')) {
        return reading.gap(&format!("an include depends on a variable of the runner: {path}"));
    }
    if !reference.is_some_and(|reference| is_hex(reference, 20) || is_hex(reference, 32)) {
        movable.commits.insert(format!("{path}@{}", reference.unwrap_or_default()));
    }
    add(reading, path, reference, purl::typed("generic", path, reference, &Origin::Usual));
}

fn add(reading: &mut Reading, name: &str, version: Option<&str>, purl: String) {
    let Some(mut component) = reading.component("gitlab", name, version, purl) else { return };
    component.scope = Scope::Build;
    component.direct = Some(true);
    if let Some(commit) = version.filter(|version| is_hex(version, 20) || is_hex(version, 32)) {
        component.hashes.push(reading.hash("git", commit));
    }
    reading.add(component);
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn includes_and_images_are_named() {
        let text = "include:\n  - local: /x.yml\n  - template: Security/SAST.gitlab-ci.yml\n  - project: g/p\n    ref: '0123456789012345678901234567890123456789'\n    file: /a.yml\n\
            \x20 - project: g/q\n    file: [/a.yml]\n  - remote: 'https://u:pw@host/x.yml?token=1'\n  - component: $CI_SERVER_FQDN/c/d/e@1.0\nvariables:\n  TAG: '3'\n\
            default:\n  image: {name: 'python:$TAG'}\njob:\n  image: $CI_REGISTRY_IMAGE:x\n  services: ['docker:dind']\n  script: !reference [.a, script]\n";
        let inventory = inventory(&[(".gitlab-ci.yml", text), ("bad.gitlab-ci.yml", "a: [")]);
        let p = found(&inventory, "pkg:generic/g/p@0123456789012345678901234567890123456789");
        assert_eq!((p.scope, p.hashes.len()), (Scope::Build, 1));
        found(&inventory, "pkg:generic/g/q");
        found(&inventory, "pkg:generic/x.yml?download_url=https:%2F%2Fhost%2Fx.yml");
        found(&inventory, "pkg:generic/c/d/e@1.0");
        found(&inventory, "pkg:docker/python@3");
        found(&inventory, "pkg:docker/docker@dind");
        assert_eq!(inventory.components.len(), 6);
        assert_eq!(
            gaps(&inventory, ".gitlab-ci.yml"),
            [
                "an image depends on a variable of the runner: $CI_REGISTRY_IMAGE:x",
                "https://host/x.yml: included from an address, which names no version",
                "not pinned to a commit: c/d/e@1.0, g/q@",
                "not pinned to a digest: docker:dind, python:3",
            ]
        );
        assert_eq!(status(&inventory, "bad.gitlab-ci.yml"), CoverageStatus::Failed);
    }
}
