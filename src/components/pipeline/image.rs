//! A reference to a container image: registry, name, tag and digest.
//!
//! The digest is the version where there is one, since a tag can be moved (purl's type `docker`). Docker Hub is the
//! registry that every reader of such a purl assumes, and its `library/` is left out. Never here: `latest`, where it is
//! not written.

use super::super::purl::{self, Origin};
use super::super::reading::{Reading, is_hex};
use super::Movable;
use crate::domain::Scope;

/// The names of Docker Hub.
const HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// One reference, parted.
#[derive(Debug, PartialEq, Eq)]
struct Image<'a> {
    registry: Option<&'a str>,
    name: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

/// Adds the component of an image; what can be moved is noted, and what is no image is a gap.
pub(super) fn add_image(reading: &mut Reading, movable: &mut Movable, text: &str, scope: Scope) {
    let Some(found) = parted(text) else {
        return reading.gap(&format!("it names an image that is not understood: {text}"));
    };
    let origin = found.registry.map_or(Origin::Usual, |host| Origin::Registry(host.to_ascii_lowercase()));
    let version = found.digest.or(found.tag);
    let purl = purl::typed("docker", found.name, version, &origin);
    let name = found.registry.map_or_else(|| found.name.to_owned(), |host| format!("{host}/{}", found.name));
    let Some(mut component) = reading.component("docker", &name, version, purl) else { return };
    component.scope = scope;
    component.direct = Some(true);
    match found.digest.and_then(|digest| digest.strip_prefix("sha256:")) {
        Some(digest) => component.hashes.push(reading.hash("SHA-256", digest)),
        None => drop(movable.digests.insert(text.to_owned())),
    }
    reading.add(component);
}

fn parted(text: &str) -> Option<Image<'_>> {
    let text = text.strip_prefix("docker://").unwrap_or(text);
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    if digest.is_some_and(|digest| !digest.strip_prefix("sha256:").is_some_and(|hex| is_hex(hex, 32))) {
        return None;
    }
    let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
    let colon = rest.get(name_start..)?.find(':').map(|at| name_start + at);
    let (path, tag) = match colon {
        Some(at) => (rest.get(..at)?, Some(rest.get(at + 1..)?)),
        None => (rest, None),
    };
    let (registry, name) = match path.split_once('/') {
        Some((host, name)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), name),
        _ => (None, path),
    };
    let registry = registry.filter(|host| !HUB.contains(host));
    let name = if registry.is_none() { name.strip_prefix("library/").unwrap_or(name) } else { name };
    let of = |text: &str, more: &[u8]| text.bytes().all(|c| c.is_ascii_alphanumeric() || more.contains(&c));
    let is_name = |part: &str| !part.is_empty() && of(part, b"._-") && !part.bytes().any(|c| c.is_ascii_uppercase());
    let is_plain = name.split('/').all(is_name)
        && tag.is_none_or(|tag| !tag.is_empty() && of(tag, b"._-"))
        && registry.is_none_or(|host| of(host, b".:-"));
    is_plain.then_some(Image { registry, name, tag, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_parted_as_docker_does() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let with = format!("docker.io/library/python:3.12-slim@{digest}");
        let image = |registry, name, tag, digest| Some(Image { registry, name, tag, digest });
        assert_eq!(parted(&with), image(None, "python", Some("3.12-slim"), Some(&digest)));
        assert_eq!(parted("localhost:5000/a/b"), image(Some("localhost:5000"), "a/b", None, None));
        assert_eq!(parted("ghcr.io/a/b:V1"), image(Some("ghcr.io"), "a/b", Some("V1"), None));
        assert_eq!(parted("a/b"), image(None, "a/b", None, None));
        for wrong in ["", "a@sha256:00", "A", "a b", "a:", "${{ x }}", "a/../b;", "https://h/a", "a//b"] {
            assert_eq!(parted(wrong), None, "{wrong}");
        }
    }
}
