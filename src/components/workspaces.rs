//! Lists of repositories and libraries that a device's workspace is put together from: `west.yml` (Zephyr), the
//! manifests of Android's `repo`, and `platformio.ini`.
//!
//! A commit or tag is the version; where a branch may move, that is a gap. Never here: the lists that such a
//! repository brings along.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::documents::{child, children, xml, yaml};
use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report_one};
use super::purl;
use super::reading::{Reading, is_hex};
use super::tree::{File, Tree};
use crate::domain::Scope;

#[derive(Deserialize)]
struct West {
    manifest: Manifest,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    remotes: Vec<Remote>,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    projects: Vec<Project>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Remote {
    name: String,
    url_base: String,
}

#[derive(Deserialize, Default)]
struct Defaults {
    remote: Option<String>,
    revision: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Project {
    name: String,
    remote: Option<String>,
    url: Option<String>,
    repo_path: Option<String>,
    revision: Option<String>,
    #[serde(default)]
    import: Value,
}

/// Reads every workspace of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let west = tree.of_kind(Kind::WestManifest).map(|file| or_failed(file, read_west(file)));
    let repo = tree.of_kind(Kind::RepoManifest).filter_map(read_repo);
    let platformio = tree.of_kind(Kind::Platformio).map(|file| or_failed(file, read_platformio(file)));
    west.chain(repo).chain(platformio).collect()
}

fn read_west(file: File<'_>) -> Result<Reading, String> {
    let West { manifest } = yaml(file)?;
    let mut reading = Reading::new(file.kind, file.path);
    let bases: BTreeMap<&str, &str> =
        manifest.remotes.iter().map(|remote| (remote.name.as_str(), remote.url_base.as_str())).collect();
    for project in &manifest.projects {
        let remote = project.remote.as_ref().or(manifest.defaults.remote.as_ref());
        let base = remote.and_then(|remote| bases.get(remote.as_str()));
        let path = project.repo_path.as_deref().unwrap_or(&project.name);
        let url = project.url.clone().or_else(|| base.map(|base| format!("{}/{path}", base.trim_end_matches('/'))));
        // West takes this branch where nothing else is said.
        let revision = project.revision.as_ref().or(manifest.defaults.revision.as_ref());
        let revision = revision.map_or("master", String::as_str);
        if !matches!(project.import, Value::Null | Value::Bool(false)) {
            reading.gap(&format!("{}: it brings a list of its own, which is not in the repository", project.name));
        }
        add(&mut reading, "west", &project.name, url.as_deref(), revision);
    }
    Ok(reading)
}

fn add(reading: &mut Reading, ecosystem: &'static str, name: &str, url: Option<&str>, revision: &str) {
    let revision = revision.trim_start_matches("refs/tags/").trim_start_matches("refs/heads/");
    if !is_hex(revision, 20) && !revision.contains(|c: char| c.is_ascii_digit()) {
        reading.gap(&format!("{name}: {revision} is a branch, so that no file says which version"));
    }
    if url.is_none() {
        reading.gap(&format!("{name}: nothing says where it comes from"));
    }
    let mut package = Pinned::new(ecosystem, name, Some(revision), purl::repository(url, revision, name));
    package.hash("git", Some(revision).filter(|revision| is_hex(revision, 20)));
    package.direct = Some(true);
    report_one(reading, package);
}

/// Many files are called so; only a manifest of `repo` is one.
fn read_repo(file: File<'_>) -> Option<Reading> {
    let document = xml(file).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "manifest" || child(root, "project").is_none() || child(root, "remote").is_none() {
        return None;
    }
    let mut reading = Reading::new(file.kind, file.path);
    let remotes: BTreeMap<_, _> = children(root, "remote")
        .filter_map(|remote| {
            Some((remote.attribute("name")?, (remote.attribute("fetch")?, remote.attribute("revision"))))
        })
        .collect();
    let default = child(root, "default");
    let default = |key: &'static str| default.and_then(|node| node.attribute(key));
    for project in children(root, "project") {
        let Some(name) = project.attribute("name") else {
            reading.gap("a project has no name");
            continue;
        };
        let remote = project.attribute("remote").or_else(|| default("remote")).and_then(|remote| remotes.get(remote));
        let url = remote.filter(|(fetch, _)| fetch.contains("://"));
        let url = url.map(|(fetch, _)| format!("{}/{name}", fetch.trim_end_matches('/')));
        let of_remote = remote.and_then(|(_, revision)| *revision);
        let revision = project.attribute("revision").or(of_remote).or_else(|| default("revision"));
        let Some(revision) = revision else {
            reading.gap(&format!("{name}: nothing says which revision"));
            continue;
        };
        add(&mut reading, "repo", name, url.as_deref(), revision);
    }
    if child(root, "include").is_some() {
        reading.gap("it includes other manifests, which are not read");
    }
    Some(reading)
}

fn read_platformio(file: File<'_>) -> Result<Reading, String> {
    let mut reading = Reading::new(file.kind, file.path);
    let mut key = "";
    for line in file.text()?.lines() {
        let code = line.split(" ;").next().unwrap_or_default();
        if code.trim().is_empty() || code.trim_start().starts_with([';', '#']) {
            continue;
        }
        let value = match code.split_once('=') {
            // A line that begins with space goes on with the value before.
            Some((name, value)) if !code.starts_with([' ', '\t']) => {
                key = name.trim();
                value
            }
            _ if code.starts_with('[') => {
                key = "";
                continue;
            }
            _ => code,
        };
        let scope = match key {
            "lib_deps" => Scope::Runtime,
            "platform" | "platform_packages" => Scope::Build,
            _ => continue,
        };
        for spec in value.split(',').map(str::trim).filter(|spec| !spec.is_empty() && !spec.starts_with("${")) {
            add_library(&mut reading, spec, scope);
        }
    }
    Ok(reading)
}

fn add_library(reading: &mut Reading, spec: &str, scope: Scope) {
    // `name=address` gives an address a name.
    let address =
        spec.split_once('=').filter(|(_, address)| address.contains("://")).map_or(spec, |(_, address)| address);
    if ["file://", "symlink://", "./", "../", "/"].iter().any(|start| address.starts_with(start)) {
        return;
    }
    if address.contains("://") || address.starts_with("git@") {
        let (url, revision) = address.split_once('#').unwrap_or((address, ""));
        let name = purl::repository_name(Some(url)).unwrap_or_else(|| "library".to_owned());
        if revision.is_empty() {
            reading.unlocked();
            reading.gap(&format!("{name}: no lock says which version"));
        }
        let version = Some(revision).filter(|revision| !revision.is_empty());
        let mut package = Pinned::new("platformio", &name, version, purl::repository(Some(url), revision, &name));
        package.hash("git", version.filter(|revision| is_hex(revision, 20)));
        return report_one(reading, Pinned { scope, direct: Some(true), ..package });
    }
    let (name, asked) = spec.split_once('@').unwrap_or((spec, ""));
    let (name, asked) = (name.trim(), asked.trim());
    let exact =
        Some(asked).filter(|asked| asked.starts_with(|c: char| c.is_ascii_digit()) && !asked.contains([' ', '*', ',']));
    if exact.is_none() {
        reading.unlocked();
        reading.gap(&format!("{name}: no lock says which version"));
    }
    let purl = purl::plain("generic", name, exact);
    // Names may hold spaces, and no name of ours does.
    let package = Pinned::new("platformio", &name.replace(' ', "_"), exact, purl);
    report_one(reading, Pinned { scope, direct: Some(true), ..package });
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn projects_of_west_come_from_their_remotes() {
        let text = format!(
            "manifest:\n  remotes:\n    - name: z\n      url-base: https://github.com/zephyrproject-rtos/\n  defaults:\n    remote: z\n\
             \x20 projects:\n    - name: zephyr\n      revision: v3.6.0\n      import: true\n    - name: hal\n      repo-path: hal_x\n      revision: {COMMIT}\n\
             \x20   - name: bare\n      url: https://h.org/bare\n  self:\n    path: app\n"
        );
        let inventory = inventory(&[("west.yml", &text)]);
        found(&inventory, "pkg:github/zephyrproject-rtos/zephyr@v3.6.0");
        assert_eq!(found(&inventory, &format!("pkg:github/zephyrproject-rtos/hal_x@{COMMIT}")).hashes.len(), 1);
        assert_eq!(gaps(&inventory, "west.yml").len(), 2);
    }

    #[test]
    fn a_manifest_of_repo_is_told_from_other_files() {
        let text = format!(
            "<manifest><remote name=\"a\" fetch=\"https://a.org/p\"/><default remote=\"a\" revision=\"refs/tags/r1\"/>\
             <project name=\"x/y\"/><project path=\"z\" name=\"z\" revision=\"{COMMIT}\"/><project/></manifest>"
        );
        let inventory = inventory(&[("default.xml", &text), ("a/default.xml", "<x/>"), ("b/default.xml", "no")]);
        assert_eq!(inventory.components.len(), 2);
        assert_eq!(inventory.coverage.len(), 1);
        assert_eq!(gaps(&inventory, "default.xml"), ["a project has no name"]);
    }

    #[test]
    fn libraries_of_platformio_are_exact_or_unlocked() {
        let text = "[env:x]\nplatform = espressif32@6.4.0\nlib_deps =\n  me/Lib@1.2.3\n  other/Lib @ ^2\n  https://github.com/o/r.git#v1\n  ${env.lib_deps}\n\
            \x20 Plain Name ; why\n  symlink://../own\nboard = y\n";
        let inventory = inventory(&[("platformio.ini", text)]);
        assert_eq!(found(&inventory, "pkg:generic/espressif32@6.4.0").scope, Scope::Build);
        found(&inventory, "pkg:generic/me/Lib@1.2.3");
        assert_eq!(found(&inventory, "pkg:generic/other/Lib").version, None);
        found(&inventory, "pkg:github/o/r@v1");
        assert_eq!(inventory.components.len(), 5);
        assert_eq!(status(&inventory, "platformio.ini"), CoverageStatus::Unlocked);
    }
}
