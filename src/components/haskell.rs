//! `stack.yaml.lock` and `cabal.project.freeze`.
//!
//! Stack's lock pins what a project adds to a snapshot; the snapshot decides all else and stands elsewhere. Its hashes
//! are of package descriptions and of no archive, so that they are left out. Never here: what is direct, or edges.

use serde::Deserialize;

use super::documents::yaml;
use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report_one};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: Vec<Entry>,
    #[serde(default)]
    snapshots: Vec<Snapshot>,
}

#[derive(Deserialize)]
struct Entry {
    completed: Completed,
}

#[derive(Deserialize)]
struct Completed {
    hackage: Option<String>,
    name: Option<String>,
    version: Option<String>,
    git: Option<String>,
    commit: Option<String>,
    url: Option<String>,
    archive: Option<String>,
}

#[derive(Deserialize)]
struct Snapshot {
    completed: SnapshotPlace,
}

#[derive(Deserialize)]
struct SnapshotPlace {
    url: Option<String>,
}

/// Reads every lock and freeze file of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let locks = tree.of_kind(Kind::StackLock).map(|file| or_failed(file, read_lock(file)));
    let freezes = tree.of_kind(Kind::CabalFreeze).map(|file| or_failed(file, read_freeze(file)));
    locks.chain(freezes).collect()
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let lock: Lock = yaml(file)?;
    let mut reading = Reading::new(file.kind, file.path);
    for Entry { completed } in &lock.packages {
        let Some((name, version)) = name_and_version(completed) else {
            reading.gap("a package is not understood");
            continue;
        };
        let origin = match (&completed.git, completed.url.as_ref().or(completed.archive.as_ref())) {
            (Some(url), _) => Origin::Git { url: url.clone(), commit: completed.commit.clone().unwrap_or_default() },
            (None, Some(url)) => Origin::Download(url.clone()),
            (None, None) => Origin::Usual,
        };
        let purl = purl::other("hackage", name, Some(version), &origin, &[]);
        let mut package = Pinned::new("hackage", name, Some(version), purl);
        package.hash("git", completed.commit.as_deref());
        report_one(&mut reading, package);
    }
    for url in lock.snapshots.iter().filter_map(|snapshot| snapshot.completed.url.as_deref()) {
        reading.gap(&format!("all other versions stand in a snapshot elsewhere: {}", purl::plain_address(url)));
    }
    Ok(reading)
}

/// `hackage` holds `name-1.0@sha256:…,size`.
fn name_and_version(completed: &Completed) -> Option<(&str, &str)> {
    match &completed.hackage {
        Some(text) => text.split('@').next()?.rsplit_once('-'),
        None => completed.name.as_deref().zip(completed.version.as_deref()),
    }
}

fn read_freeze(file: File<'_>) -> Result<Reading, String> {
    let mut reading = Reading::new(file.kind, file.path);
    let mut field = "";
    for line in file.text()?.lines().filter(|line| !line.trim_start().starts_with("--")) {
        let value = match line.split_once(':') {
            Some((name, value)) if !line.starts_with(' ') => {
                field = name.trim();
                value
            }
            _ => line,
        };
        if field != "constraints" {
            continue;
        }
        for constraint in value.split(',').map(str::trim).filter(|constraint| !constraint.is_empty()) {
            let Some(constraint) = constraint.strip_prefix("any.") else { continue };
            if let Some((name, version)) = constraint.split_once("==") {
                let (name, version) = (name.trim(), version.trim());
                let purl = purl::plain("hackage", name, Some(version));
                report_one(&mut reading, Pinned::new("hackage", name, Some(version), purl));
            } else {
                // `any.base installed`.
                let name = constraint.split_whitespace().next().unwrap_or_default();
                reading.gap(&format!("{name}: it comes with the compiler, whose version the file does not hold"));
            }
        }
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory};

    #[test]
    fn a_stack_lock_names_what_it_adds_to_a_snapshot() {
        let text = "packages:\n- completed:\n    hackage: configurator-pg-0.2.6@sha256:cd9b,2849\n  original:\n    hackage: x\n\
            - completed:\n    name: mine\n    version: 1.10\n    git: https://github.com/o/mine\n    commit: 0123456789abcdef0123456789abcdef01234567\n\
            snapshots:\n- completed:\n    sha256: aa\n    size: 5\n    url: https://h.org/lts-20.yaml\n";
        let inventory = inventory(&[("stack.yaml.lock", text)]);
        found(&inventory, "pkg:hackage/configurator-pg@0.2.6");
        let url = "git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fmine%400123456789abcdef0123456789abcdef01234567";
        assert_eq!(found(&inventory, &format!("pkg:hackage/mine@1.10?vcs_url={url}")).hashes.len(), 1);
        assert_eq!(gaps(&inventory, "stack.yaml.lock").len(), 1);
    }

    #[test]
    fn a_freeze_file_pins_and_skips_flags() {
        let text = "active-repositories: hackage.haskell.org:merge\nconstraints: any.Cabal ==3.2.1.0,\n             any.base installed,\n\
            \x20            tls +compat -hans,\n             any.HTTP ==4000.3.16\nindex-state: any.no ==1\n";
        let inventory = inventory(&[("cabal.project.freeze", text)]);
        found(&inventory, "pkg:hackage/Cabal@3.2.1.0");
        found(&inventory, "pkg:hackage/HTTP@4000.3.16");
        assert_eq!(inventory.components.len(), 2);
        assert!(gaps(&inventory, "cabal.project.freeze")[0].starts_with("base: it comes with the compiler"));
    }
}
