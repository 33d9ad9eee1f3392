//! `Gemfile.lock` and `gems.locked`.
//!
//! A gem that is locked for several platforms is several files with hashes of their own, so that each is a component
//! with `?platform=`. What the product asks for stands in `DEPENDENCIES`; groups are in the `Gemfile`, a program, so
//! that every gem counts as needed at run time. Gems of `PATH` are the product's own. Never here: a group.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report};
use super::purl::{self, Origin};
use super::reading::{MOST_COMPONENTS, Reading};
use super::tree::{File, Tree};

const RUBYGEMS: [&str; 3] = ["https://rubygems.org", "http://rubygems.org", "https://index.rubygems.org"];

/// Reads every lock of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::GemLock).map(|file| or_failed(file, read_lock(file))).collect()
}

/// The block that a line stands in.
#[derive(Default)]
struct Block<'a> {
    name: &'a str,
    remotes: Vec<&'a str>,
    revision: &'a str,
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let text = file.text()?;
    if let Some(line) = text.lines().position(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
        return Err(format!("a conflict of a merge is left in line {}", line + 1));
    }
    let mut reading = Reading::new(file.kind, file.path);
    let mut block = Block::default();
    let mut packages: Vec<(&str, &str, Pinned)> = Vec::new();
    let mut own = BTreeSet::new();
    let mut direct = BTreeSet::new();
    let mut sums: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for line in text.lines() {
        let inner = line.trim();
        let indent = line.len() - line.trim_start().len();
        match (indent, block.name) {
            (0, _) if !inner.is_empty() => block = Block { name: inner, ..Block::default() },
            (2, "DEPENDENCIES") => {
                direct.insert(inner.split([' ', '!']).next().unwrap_or_default());
            }
            (2, "CHECKSUMS") => {
                if let Some((name, version, rest)) = entry(inner) {
                    sums.extend(
                        rest.split(',')
                            .find_map(|sum| sum.trim().strip_prefix("sha256="))
                            .map(|sum| ((name, version), sum)),
                    );
                }
            }
            (2, _) => match inner.split_once(": ") {
                Some(("remote", remote)) => block.remotes.push(remote.trim_end_matches('/')),
                Some(("revision", revision)) => block.revision = revision,
                _ => {}
            },
            (4, "GEM" | "GIT" | "PATH" | "PLUGIN SOURCE") => match entry(inner) {
                Some((name, version, _)) if block.name == "PATH" => {
                    reading.own("gem", name, Some(version), purl::plain("gem", name, Some(version)));
                    own.insert(name);
                }
                // One more than is kept, so that what is left out is said.
                Some(_) if packages.len() > MOST_COMPONENTS => {}
                Some((name, version, _)) => packages.push((name, version, pinned(&block, name, version))),
                None => reading.gap(&format!("an entry is not understood: {inner}")),
            },
            (6, "GEM" | "GIT" | "PLUGIN SOURCE") => {
                let needed = inner.split([' ', '!']).next().unwrap_or_default();
                packages.last_mut().into_iter().for_each(|(_, _, package)| package.needs.push(needed.to_owned()));
            }
            _ => {}
        }
    }
    let held: BTreeSet<&str> = packages.iter().map(|(name, _, _)| *name).collect();
    for name in direct.iter().filter(|name| !own.contains(*name) && !held.contains(*name) && !name.is_empty()) {
        reading.gap(&format!("{name}: the lock asks for it and does not hold it"));
    }
    let complete = packages.into_iter().map(|(name, version, mut package)| {
        package.direct = Some(direct.contains(name));
        package.hash("SHA-256", sums.get(&(name, version)).copied());
        (vec![name.to_owned()], package)
    });
    report(&mut reading, complete.collect());
    Ok(reading)
}

/// Takes `name (version) rest`.
fn entry(line: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = line.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    Some((name, version, rest.trim()))
}

/// A version has no `-` of its own: what follows one is the platform.
fn pinned(block: &Block<'_>, name: &str, locked: &str) -> Pinned {
    let (version, platform) = locked.split_once('-').unwrap_or((locked, ""));
    let origin = match block.remotes.as_slice() {
        [url] if block.name == "GIT" => Origin::Git { url: (*url).to_owned(), commit: block.revision.to_owned() },
        [url] if !RUBYGEMS.contains(url) => Origin::Registry((*url).to_owned()),
        // With several registries the lock does not say which of them serves a gem.
        _ => Origin::Usual,
    };
    let purl = purl::other("gem", name, Some(version), &origin, &[("platform", platform)]);
    let mut package = Pinned::new("gem", name, Some(version), purl);
    if block.name == "GIT" {
        package.hash("git", Some(block.revision));
    }
    package
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn blocks_platforms_and_checksums_are_read() {
        let sum = "a".repeat(64);
        let lock = format!(
            "GIT\n  remote: https://github.com/o/g.git\n  revision: 0123456789012345678901234567890123456789\n  branch: main\n  specs:\n    g (0.1)\n      rack (>= 1)\n\n\
             PATH\n  remote: .\n  specs:\n    own (1.0)\n      rack\n\n\
             GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.16.0-x86_64-linux)\n      racc (~> 1.4)\n    nokogiri (1.16.0)\n      racc\n    racc (1.7)\n    rack (3.0)\n\n\
             GEM\n  remote: https://gems.acme.org/\n  specs:\n    private (2.0)\n\n\
             PLATFORMS\n  ruby\n\nDEPENDENCIES\n  g!\n  nokogiri (~> 1.16)\n  own!\n  gone\n\nCHECKSUMS\n  rack (3.0) sha256={sum}\n  g (0.1)\n\nBUNDLED WITH\n   2.5\n"
        );
        let inventory = inventory(&[("Gemfile.lock", &lock)]);
        let linux = found(&inventory, "pkg:gem/nokogiri@1.16.0?platform=x86_64-linux");
        assert_eq!((linux.version.as_deref(), linux.direct), (Some("1.16.0"), Some(true)));
        assert_eq!(linux.dependencies, ["pkg:gem/racc@1.7"]);
        found(&inventory, "pkg:gem/nokogiri@1.16.0");
        assert_eq!(found(&inventory, "pkg:gem/rack@3.0").hashes[0].value, sum);
        let url = "git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fg.git%400123456789012345678901234567890123456789";
        assert_eq!(found(&inventory, &format!("pkg:gem/g@0.1?vcs_url={url}")).dependencies, ["pkg:gem/rack@3.0"]);
        found(&inventory, "pkg:gem/private@2.0?repository_url=https:%2F%2Fgems.acme.org");
        assert_eq!(inventory.components.len(), 6);
        assert_eq!(gaps(&inventory, "Gemfile.lock"), ["gone: the lock asks for it and does not hold it"]);
    }

    #[test]
    fn a_conflict_left_in_the_lock_is_a_failure() {
        let inventory = inventory(&[("gems.locked", "GEM\n<<<<<<< HEAD\n  specs:\n")]);
        assert_eq!(status(&inventory, "gems.locked"), CoverageStatus::Failed);
    }
}
