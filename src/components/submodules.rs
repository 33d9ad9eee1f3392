//! Submodules: the commits that the tree binds, and where `.gitmodules` says they come from.
//!
//! The tree decides what is there: an entry of `.gitmodules` without a gitlink is nothing. Never here: the submodule's
//! own content, which a tree does not hold.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::purl;
use super::reading::{Reading, is_hex};
use super::tree::Tree;
use crate::domain::{RepoPath, Scope};

/// Names every submodule of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut urls = BTreeMap::new();
    let file = tree.of_kind(Kind::GitModules).next();
    if let Some(file) = file {
        match file.text() {
            Ok(text) => {
                urls = addresses(text);
                let mut reading = Reading::new(file.kind, file.path);
                reading.names(urls.len());
                readings.push(reading);
            }
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    let file = file.map(|file| file.path);
    for (path, commit) in tree.gitlinks() {
        let mut reading = Reading::new(Kind::GitModules, path);
        let url = std::str::from_utf8(path.as_bytes()).ok().and_then(|path| urls.get(path));
        add(&mut reading, path, commit, url.map(String::as_str), file);
        readings.push(reading);
    }
    readings
}

fn add(reading: &mut Reading, path: &RepoPath, commit: &str, url: Option<&str>, file: Option<&RepoPath>) {
    if !is_hex(commit, 20) && !is_hex(commit, 32) {
        return reading.gap("its commit id is none");
    }
    let known = url.filter(|url| !url.starts_with("./") && !url.starts_with("../") && !url.starts_with('/'));
    match url {
        None => reading.gap(".gitmodules does not say where it comes from"),
        Some(_) if known.is_none() => reading.gap("its address is relative, so that it depends on the clone"),
        Some(_) => {}
    }
    let name = String::from_utf8_lossy(path.file_name()).into_owned();
    let purl = purl::repository(known, commit, &name);
    let title = purl::repository_name(known).unwrap_or(name);
    let Some(mut component) = reading.component("git", &title, Some(commit), purl) else { return };
    component.scope = Scope::Runtime;
    component.direct = Some(true);
    component.hashes.push(reading.hash("git", commit));
    component.found_in.extend(file.filter(|_| url.is_some()).cloned());
    reading.add(component);
}

/// Returns the address of each path. Git's configuration syntax, as far as `.gitmodules` uses it.
fn addresses(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (mut path, mut url) = (None, None);
    for line in text.lines().map(str::trim).chain(["["]) {
        if line.starts_with('[') {
            if let (Some(path), Some(url)) = (path.take(), url.take()) {
                // Git takes the last of two entries for one path.
                found.insert(path, url);
            }
            (path, url) = (None, None);
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches('"').trim_end_matches('/').to_owned();
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => path = Some(value),
                "url" => url = Some(value),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps};
    use crate::components::{LockFile, read};
    use crate::domain::RepoPath;

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn the_tree_says_which_commit_and_gitmodules_says_where_from() {
        let text = "[submodule \"z\"]\n\tpath = deps/z\n\turl = https://u:pw@github.com/Madler/zlib.git\n\
            [submodule \"r\"]\n\turl = ../r.git\n\tpath = deps/r\n[submodule \"gone\"]\n\tpath = gone\n\turl = x\n";
        let files = [LockFile::new(RepoPath::from(".gitmodules"), None, text.as_bytes())];
        let links: Vec<_> =
            ["deps/z", "deps/r", "bare"].iter().map(|path| (RepoPath::from(*path), COMMIT.to_owned())).collect();
        let inventory = read(&files, &links);
        let zlib = found(&inventory, &format!("pkg:github/madler/zlib@{COMMIT}"));
        assert_eq!((zlib.name.as_str(), zlib.version.as_deref(), zlib.found_in.len()), ("zlib", Some(COMMIT), 2));
        found(&inventory, &format!("pkg:generic/r@{COMMIT}"));
        found(&inventory, &format!("pkg:generic/bare@{COMMIT}"));
        assert_eq!(inventory.components.len(), 3, "an entry without a gitlink is nothing");
        assert_eq!(gaps(&inventory, "bare"), [".gitmodules does not say where it comes from"]);
        assert_eq!(gaps(&inventory, "deps/r"), ["its address is relative, so that it depends on the clone"]);
    }
}
