//! `Dockerfile` and `Containerfile`: the images that stages stand on, or copy from.
//!
//! Only what the last stage stands on or copies from is in the product; the images of other stages build it. A stage's
//! name is no image. Arguments before the first stage have their defaults. Never here: arguments of the build.

use std::collections::{BTreeMap, BTreeSet};

use super::super::kind::Kind;
use super::super::reading::Reading;
use super::super::tree::{File, Tree};
use super::Movable;
use super::image::add_image;
use super::recipe::{self, instructions};
use super::variables::filled;
use crate::domain::Scope;

/// What a stage stands on or copies from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Stage(usize),
    Image(String),
    /// A reference whose variables no file sets.
    Open(String),
}

#[derive(Default)]
struct Stage {
    base: Option<Source>,
    copies: Vec<Source>,
    mounts: Vec<Source>,
}

/// Reads every image recipe of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::Dockerfile)
        .map(|file| match file.text() {
            Ok(text) => read_recipe(file, text),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_recipe(file: File<'_>, text: &str) -> Reading {
    let instructions = instructions(text);
    let stages = stages(&instructions);
    if stages.is_empty() {
        return Reading::failed(file.kind, file.path, "it has no FROM");
    }
    let mut reading = Reading::new(file.kind, file.path);
    if instructions.len() >= recipe::MOST {
        reading.gap("it has more instructions than are read");
    }
    let mut movable = Movable::default();
    let mut sources: BTreeMap<&Source, Scope> = BTreeMap::new();
    let in_product = last_chain(&stages);
    for (at, stage) in stages.iter().enumerate() {
        let scope = if in_product.contains(&at) { Scope::Runtime } else { Scope::Build };
        let copied = stage.base.iter().chain(&stage.copies).map(|source| (source, scope));
        for (source, scope) in copied.chain(stage.mounts.iter().map(|source| (source, Scope::Build))) {
            let known = sources.entry(source).or_insert(scope);
            *known = scope.max(*known);
        }
    }
    let syntax = instructions.iter().find(|(word, _)| word == "#SYNTAX");
    let frontend = syntax.map(|(_, text)| Source::Image(text.clone()));
    sources.extend(frontend.iter().map(|source| (source, Scope::Build)));
    for (source, scope) in sources {
        match source {
            Source::Image(text) => add_image(&mut reading, &mut movable, text, scope),
            Source::Open(text) => reading.gap(&format!("an image depends on an argument without a default: {text}")),
            Source::Stage(_) => {}
        }
    }
    movable.report(&mut reading);
    reading
}

/// Returns the last stage and what it stands on.
fn last_chain(stages: &[Stage]) -> BTreeSet<usize> {
    let mut chain = BTreeSet::new();
    let mut at = stages.len().checked_sub(1);
    while let Some(here) = at.filter(|here| chain.insert(*here)) {
        at = match stages.get(here).and_then(|stage| stage.base.as_ref()) {
            Some(Source::Stage(below)) => Some(*below),
            _ => None,
        };
    }
    chain
}

fn stages(instructions: &[(String, String)]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (word, rest) in instructions {
        match word.as_str() {
            "ARG" if stages.is_empty() => {
                for (name, default) in rest.split_whitespace().filter_map(|one| one.split_once('=')) {
                    let default = default.trim_matches(['"', '\'']);
                    values.extend(filled(default, &values).map(|value| (name.to_owned(), value)));
                }
            }
            "FROM" => {
                let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
                let base =
                    words.next().and_then(|text| source(text.trim_matches(['"', '\'']), &values, &names, &stages));
                let name = words.next().filter(|word| word.eq_ignore_ascii_case("as")).and_then(|_| words.next());
                names.extend(name.map(|name| (name.to_ascii_lowercase(), stages.len())));
                stages.push(Stage { base, ..Stage::default() });
            }
            "COPY" | "ADD" | "RUN" => {
                let flags = rest.split_whitespace().take_while(|word| word.starts_with("--"));
                let found: Vec<(bool, Source)> = flags
                    .filter_map(|flag| {
                        let (is_mount, text) = match flag.strip_prefix("--from=") {
                            Some(text) => (false, text),
                            None => (
                                true,
                                flag.strip_prefix("--mount=")?.split(',').find_map(|one| one.strip_prefix("from="))?,
                            ),
                        };
                        Some((is_mount, source(text, &values, &names, &stages)?))
                    })
                    .collect();
                for (is_mount, source) in found {
                    let Some(stage) = stages.last_mut() else { break };
                    if is_mount { stage.mounts.push(source) } else { stage.copies.push(source) }
                }
            }
            _ => {}
        }
    }
    stages
}

/// Returns what a name means: a stage before, by name or number, nothing at all (`scratch`), or an image.
fn source(
    text: &str,
    values: &BTreeMap<String, String>,
    names: &BTreeMap<String, usize>,
    stages: &[Stage],
) -> Option<Source> {
    let Some(whole) = filled(text, values) else { return Some(Source::Open(text.to_owned())) };
    if whole == "scratch" || whole.is_empty() {
        return None;
    }
    if let Some(stage) = names.get(&whole.to_ascii_lowercase()) {
        return Some(Source::Stage(*stage));
    }
    match whole.parse::<usize>() {
        Ok(number) if number < stages.len() => Some(Source::Stage(number)),
        _ => Some(Source::Image(whole)),
    }
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn stages_are_no_images_and_arguments_have_defaults() {
        let digest = "0".repeat(64);
        let text = format!(
            "# syntax=docker/dockerfile:1\nARG VERSION=3.12 OPEN\nARG BASE=python:${{VERSION}}-slim\nFROM --platform=$BUILDPLATFORM golang:1.22 AS Build\n\
             RUN --mount=type=bind,from=ghcr.io/a/b:1,target=/x true\nFROM ${{BASE}} AS base\nFROM scratch AS none\nFROM $OPEN AS open\nFROM base\n\
             COPY --from=build /x /x\nCOPY --chown=a --from=nginx@sha256:{digest} /y /y\nCOPY --from=0 /z /z\n"
        );
        let inventory = inventory(&[("Dockerfile", &text), ("sub/prod.Dockerfile", "# nothing\n")]);
        assert_eq!(found(&inventory, "pkg:docker/golang@1.22").scope, Scope::Build);
        assert_eq!(found(&inventory, "pkg:docker/python@3.12-slim").scope, Scope::Runtime);
        assert_eq!(found(&inventory, &format!("pkg:docker/nginx@sha256:{digest}")).scope, Scope::Runtime);
        assert_eq!(found(&inventory, "pkg:docker/a/b@1?repository_url=ghcr.io").scope, Scope::Build);
        found(&inventory, "pkg:docker/docker/dockerfile@1");
        assert_eq!(inventory.components.len(), 5);
        assert_eq!(
            gaps(&inventory, "Dockerfile"),
            [
                "an image depends on an argument without a default: $OPEN",
                "not pinned to a digest: docker/dockerfile:1, ghcr.io/a/b:1, golang:1.22, python:3.12-slim"
            ]
        );
        assert_eq!(status(&inventory, "sub/prod.Dockerfile"), CoverageStatus::Failed);
    }
}
