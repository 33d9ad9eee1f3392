//! Workflows of GitHub and its kin, and actions: whose actions, workflows and images they run.
//!
//! `uses: owner/repository/path@ref` is the repository at that reference, with the path in the purl's subpath; a whole
//! commit id pins it. What begins with `./` or `$/` is the product's own. Never here: what an action itself uses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::kind::Kind;
use super::super::purl;
use super::super::reading::{Reading, is_hex};
use super::super::structured::yaml;
use super::super::tree::{File, Tree};
use super::Movable;
use super::image::add_image;
use crate::domain::Scope;

/// How references to the product's own repository begin.
const OWN: [&str; 3] = ["./", "../", "$/"];

#[derive(Deserialize, Default)]
#[serde(default)]
struct Document {
    jobs: Option<BTreeMap<String, Option<Job>>>,
    runs: Option<Runs>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Job {
    uses: Value,
    steps: Option<Vec<Option<Step>>>,
    container: Value,
    services: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Runs {
    image: Value,
    steps: Option<Vec<Option<Step>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Step {
    uses: Value,
}

/// Reads every workflow and action of the tree; an `action.yml` that runs nothing is of something else.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let workflows = tree.of_kind(Kind::Workflow);
    workflows
        .chain(tree.of_kind(Kind::Action))
        .filter_map(|file| match yaml::<Document>(&file) {
            Ok(documents) if file.kind == Kind::Action && documents.iter().all(|found| found.runs.is_none()) => None,
            Ok(documents) => Some(read_documents(file, &documents)),
            Err(why) => Some(Reading::failed(file.kind, file.path, &why)),
        })
        .collect()
}

fn read_documents(file: File<'_>, documents: &[Document]) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let mut movable = Movable::default();
    for document in documents {
        let jobs = || document.jobs.iter().flat_map(BTreeMap::values).flatten();
        let lists = jobs().map(|job| &job.steps).chain(document.runs.as_ref().map(|runs| &runs.steps));
        let steps = lists.flatten().flatten().flatten().map(|step| &step.uses);
        for uses in jobs().map(|job| &job.uses).chain(steps).filter_map(Value::as_str) {
            add(&mut reading, &mut movable, uses.trim());
        }
        let containers = jobs().flat_map(|job| {
            let services = job.services.as_object().into_iter().flatten().map(|(_, service)| service);
            services.chain([&job.container]).filter_map(|value| value.get("image").unwrap_or(value).as_str())
        });
        let own = document.runs.as_ref().and_then(|runs| runs.image.as_str());
        for text in containers.chain(own.filter(|text| text.starts_with("docker://"))) {
            add_plain(&mut reading, &mut movable, text);
        }
    }
    movable.report(&mut reading);
    reading
}

fn add_plain(reading: &mut Reading, movable: &mut Movable, text: &str) {
    if text.contains("${{") {
        return reading.gap(&format!("an image depends on an expression: {text}"));
    }
    let text = text.trim();
    if !text.is_empty() {
        add_image(reading, movable, text, Scope::Build);
    }
}

fn add(reading: &mut Reading, movable: &mut Movable, uses: &str) {
    if OWN.iter().any(|start| uses.starts_with(start)) {
        return;
    }
    if uses.starts_with("docker://") {
        return add_plain(reading, movable, uses);
    }
    let (path, reference) = uses.rsplit_once('@').map_or((uses, None), |(path, found)| (path, Some(found)));
    if let Some((_, rest)) = path.split_once("://") {
        let name = rest.rsplit('/').next().unwrap_or_default();
        let purl = purl::repository(Some(path), reference.unwrap_or_default(), name);
        return add_component(reading, movable, path, reference, purl);
    }
    let mut parts = path.splitn(3, '/');
    let (Some(owner), Some(repository)) = (parts.next(), parts.next()) else {
        return reading.gap(&format!("it uses what is not understood: {uses}"));
    };
    if uses.contains("${{") || owner.is_empty() || repository.is_empty() {
        return reading.gap(&format!("it uses what is not understood: {uses}"));
    }
    let purl = purl::github(&format!("{owner}/{repository}"), reference, parts.next().unwrap_or_default());
    add_component(reading, movable, path, reference, purl);
}

fn add_component(reading: &mut Reading, movable: &mut Movable, name: &str, reference: Option<&str>, purl: String) {
    let Some(mut component) = reading.component("github-actions", name, reference, purl) else { return };
    component.scope = Scope::Build;
    component.direct = Some(true);
    match reference.filter(|reference| is_hex(reference, 20) || is_hex(reference, 32)) {
        Some(commit) => component.hashes.push(reading.hash("git", commit)),
        None => drop(movable.commits.insert(format!("{name}@{}", reference.unwrap_or_default()))),
    }
    reading.add(component);
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn actions_workflows_and_images_are_named_and_movable_ones_said() {
        let digest = "0".repeat(64);
        let text = format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    container: node:20\n    services: {{db: {{image: 'postgres@sha256:{digest}'}}}}\n    steps:\n\
             \x20     - uses: Actions/Checkout@0123456789012345678901234567890123456789 # v4\n      - uses: github/codeql-action/init@v3\n\
             \x20     - uses: ./local\n      - uses: docker://alpine:3.8\n      - run: |\n          uses: not/this@v1\n      -\n\
             \x20 b:\n    uses: o/r/.github/workflows/x.yml@main\n  c:\n    container: {{image: '${{{{ matrix.image }}}}'}}\n"
        );
        let action = "name: x\nruns:\n  using: composite\n  steps:\n    - uses: a/b@v1\n";
        let inventory = inventory(&[
            (".github/workflows/ci.yml", &text),
            (".github/actions/x/action.yml", action),
            ("other/action.yml", "verb: go\n"),
            (".github/workflows/bad.yml", "jobs: ["),
        ]);
        let checkout = found(&inventory, "pkg:github/actions/checkout@0123456789012345678901234567890123456789");
        assert_eq!((checkout.scope, checkout.hashes[0].alg.as_str()), (Scope::Build, "git"));
        for purl in [
            "pkg:github/github/codeql-action@v3#init",
            "pkg:github/o/r@main#.github/workflows/x.yml",
            "pkg:docker/node@20",
            "pkg:docker/alpine@3.8",
            "pkg:github/a/b@v1",
        ] {
            found(&inventory, purl);
        }
        assert_eq!(found(&inventory, &format!("pkg:docker/postgres@sha256:{digest}")).hashes[0].alg, "SHA-256");
        assert_eq!(inventory.components.len(), 7);
        assert_eq!(
            gaps(&inventory, ".github/workflows/ci.yml"),
            [
                "an image depends on an expression: ${{ matrix.image }}",
                "not pinned to a commit: github/codeql-action/init@v3, o/r/.github/workflows/x.yml@main",
                "not pinned to a digest: docker://alpine:3.8, node:20",
            ]
        );
        assert_eq!(status(&inventory, ".github/workflows/bad.yml"), CoverageStatus::Failed);
        assert_eq!(inventory.coverage.len(), 3);
    }
}
