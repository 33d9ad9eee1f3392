//! Apple's locks by repository: `Package.resolved` versions 1 to 3, and `Cartfile.resolved`.
//!
//! A package without a version is locked to a commit, and that is its version: a branch is none. Never here:
//! `Package.swift`, a program: what is direct is not known, and neither are edges.

use serde::Deserialize;

use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report_one};
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex};
use super::tree::{File, Tree};
use crate::domain::CoverageStatus;

/// The newest format of the lock that is known.
const NEWEST: u64 = 3;

#[derive(Deserialize)]
struct Lock {
    version: u64,
    object: Option<Object>,
    #[serde(default)]
    pins: Vec<Pin>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    pins: Vec<Pin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pin {
    /// Version 1.
    package: Option<String>,
    #[serde(rename = "repositoryURL")]
    repository_url: Option<String>,
    /// Versions 2 and 3.
    identity: Option<String>,
    kind: Option<String>,
    location: Option<String>,
    state: State,
}

#[derive(Deserialize)]
struct State {
    revision: Option<String>,
    version: Option<String>,
}

/// Reads every lock of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let swift = tree.of_kind(Kind::SwiftLock).map(|file| or_failed(file, read_lock(file)));
    let carts = tree.of_kind(Kind::CartLock).map(|file| or_failed(file, read_cart(file)));
    swift.chain(carts).collect()
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let lock: Lock = file.json()?;
    if lock.version > NEWEST {
        let why = format!("version {} of the format is not known", lock.version);
        return Ok(Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, &why));
    }
    let mut reading = Reading::new(file.kind, file.path);
    for pin in lock.object.map(|object| object.pins).unwrap_or_default().iter().chain(&lock.pins) {
        if pin.kind.as_deref() == Some("localSourceControl") {
            continue;
        }
        let identity = pin.identity.as_deref().or(pin.package.as_deref()).unwrap_or_default();
        let version = pin.state.version.as_deref().or(pin.state.revision.as_deref());
        if version.is_none() {
            reading.gap(&format!("{identity}: the lock does not say which version"));
        }
        let path = match pin.location.as_deref().or(pin.repository_url.as_deref()) {
            _ if pin.kind.as_deref() == Some("registry") => identity.replacen('.', "/", 1),
            Some(url) => path_of(url),
            None => identity.to_owned(),
        };
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut package = Pinned::new("swift", name, version, purl::plain("swift", &path, version));
        package.hash("git", pin.state.revision.as_deref());
        report_one(&mut reading, package);
    }
    Ok(reading)
}

/// Returns host, owner and name of a repository.
fn path_of(url: &str) -> String {
    let address = purl::plain_address(url);
    let path = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let path = path.strip_prefix("git@").unwrap_or(path).trim_end_matches('/');
    path.strip_suffix(".git").unwrap_or(path).to_owned()
}

fn read_cart(file: File<'_>) -> Result<Reading, String> {
    let mut reading = Reading::new(file.kind, file.path);
    for (number, line) in file.text()?.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let mut quoted = line.split('"').skip(1).step_by(2);
        let (Some(place), Some(version)) = (quoted.next(), quoted.next()) else {
            reading.gap(&format!("line {} is not understood", number + 1));
            continue;
        };
        let kind = line.split_whitespace().next().unwrap_or_default();
        let title = place.trim_end_matches(".git").rsplit('/').next().unwrap_or_default();
        let (title, purl) = match kind {
            "github" if !place.contains("://") => {
                (title, purl::repository(Some(&format!("https://github.com/{place}")), version, title))
            }
            "github" | "git" => (title, purl::repository(Some(place), version, title)),
            "binary" => {
                let title = title.trim_end_matches(".json");
                (title, purl::other("generic", title, Some(version), &Origin::Download(place.to_owned()), &[]))
            }
            _ => {
                reading.gap(&format!("line {} is not understood", number + 1));
                continue;
            }
        };
        let mut package = Pinned::new("carthage", title, Some(version), purl);
        package.hash("git", Some(version).filter(|version| is_hex(version, 20)));
        report_one(&mut reading, package);
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn a_branch_is_no_version_and_a_commit_is() {
        let v2 = format!(
            r#"{{"version": 2, "pins": [
            {{"identity": "a", "kind": "remoteSourceControl", "location": "git@github.com:Acme/A.git", "state": {{"revision": "{COMMIT}", "version": "1.0.0"}}}},
            {{"identity": "b", "kind": "remoteSourceControl", "location": "https://h.org/x/y/B", "state": {{"branch": "main", "revision": "{COMMIT}"}}}},
            {{"identity": "own", "kind": "localSourceControl", "location": "/x/own", "state": {{"revision": "{COMMIT}"}}}},
            {{"identity": "mona.Linked", "kind": "registry", "location": "", "state": {{"version": "2.0.0"}}}}]}}"#
        );
        let v1 = format!(
            r#"{{"object": {{"pins": [{{"package": "C", "repositoryURL": "https://github.com/o/c.git", "state": {{"branch": null, "revision": "{COMMIT}", "version": "3.0.0"}}}}]}}, "version": 1}}"#
        );
        let inventory = inventory(&[
            ("Package.resolved", &v2),
            ("b/Package.resolved", &v1),
            ("c/Package.resolved", r#"{"version": 4}"#),
        ]);
        let a = found(&inventory, "pkg:swift/github.com/Acme/A@1.0.0");
        assert_eq!((a.name.as_str(), a.hashes[0].value.as_str()), ("A", COMMIT));
        found(&inventory, &format!("pkg:swift/h.org/x/y/B@{COMMIT}"));
        found(&inventory, "pkg:swift/mona/Linked@2.0.0");
        found(&inventory, "pkg:swift/github.com/o/c@3.0.0");
        assert_eq!(inventory.components.len(), 4);
        assert_eq!(status(&inventory, "c/Package.resolved"), CoverageStatus::Unsupported);
    }

    #[test]
    fn a_cart_names_repositories_and_archives() {
        let text = format!(
            "github \"Acme/Lib\" \"v1.0\"\ngit \"https://h.org/x.git\" \"{COMMIT}\"\nbinary \"https://h.org/B.json\" \"2.0\"\n# c\nnonsense\n"
        );
        let inventory = inventory(&[("Cartfile.resolved", &text)]);
        found(&inventory, "pkg:github/acme/lib@v1.0");
        found(&inventory, "pkg:generic/B@2.0?download_url=https:%2F%2Fh.org%2FB.json");
        assert_eq!(inventory.components.len(), 3);
        assert_eq!(gaps(&inventory, "Cartfile.resolved"), ["line 5 is not understood"]);
    }
}
