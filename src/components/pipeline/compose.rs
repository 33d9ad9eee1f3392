//! `compose.yml` and `docker-compose.yml`: the images of services that others built.
//!
//! A service that is built here names its own result. Variables have the defaults that the file gives them. Never here:
//! `.env`, which is of one machine.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::kind::Kind;
use super::super::reading::Reading;
use super::super::structured::yaml;
use super::super::tree::{File, Tree};
use super::Movable;
use super::image::add_image;
use super::variables::filled;
use crate::domain::Scope;

/// Reads every composition of the tree; a file without services is of something else.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::Compose)
        .filter_map(|file| match yaml::<Value>(&file) {
            Ok(documents) if documents.iter().any(|document| services(document).next().is_some()) => {
                Some(read_documents(file, &documents))
            }
            Ok(_) => None,
            Err(why) => Some(Reading::failed(file.kind, file.path, &why)),
        })
        .collect()
}

fn services(document: &Value) -> impl Iterator<Item = &Value> {
    // The first format had the services at the top.
    let has_image = |value: &&Value| value.get("image").is_some();
    let old = document.as_object().into_iter().flatten().map(|(_, value)| value).filter(has_image);
    let new = document.get("services").and_then(Value::as_object).into_iter().flatten().map(|(_, value)| value);
    new.chain(old)
}

fn read_documents(file: File<'_>, documents: &[Value]) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let mut movable = Movable::default();
    let none = BTreeMap::new();
    for service in documents.iter().flat_map(services).filter(|service| service.get("build").is_none()) {
        let Some(text) = service.get("image").and_then(Value::as_str) else { continue };
        match filled(text, &none) {
            Some(text) => add_image(&mut reading, &mut movable, &text, Scope::Runtime),
            None => reading.gap(&format!("an image depends on a variable without a default: {text}")),
        }
    }
    movable.report(&mut reading);
    reading
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory};

    #[test]
    fn images_that_others_built_are_components() {
        let text = "x-common: &common\n  image: redis:7\nservices:\n  a:\n    <<: *common\n  b:\n    build: .\n    image: own:latest\n  c:\n    image: ${REG:-ghcr.io}/x/y:${TAG:-1.0}\n  d: {image: 'z:${TAG}'}\n";
        let inventory = inventory(&[
            ("docker-compose.yml", text),
            ("compose.yaml", "{}"),
            ("old/docker-compose.yml", "db:\n  image: postgres:9\n"),
        ]);
        found(&inventory, "pkg:docker/redis@7");
        found(&inventory, "pkg:docker/x/y@1.0?repository_url=ghcr.io");
        found(&inventory, "pkg:docker/postgres@9");
        assert_eq!((inventory.components.len(), inventory.coverage.len()), (3, 2));
        assert_eq!(
            gaps(&inventory, "docker-compose.yml"),
            [
                "an image depends on a variable without a default: z:${TAG}",
                "not pinned to a digest: ghcr.io/x/y:1.0, redis:7"
            ]
        );
    }
}
