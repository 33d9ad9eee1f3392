//! The log as an attacker writes it: with Git's own tools, and no thought for its rules.

use std::collections::BTreeMap;

use git_baseline::crypto::PrivateKey;

use super::Repo;
use super::covered::{self, Added};

/// Path and blob of each file of a tree.
pub(crate) type Files = BTreeMap<String, String>;

const LOG: &str = "refs/baseline/log";

/// The files of a commit.
pub(crate) fn log_files(repo: &Repo, commit: &str) -> Files {
    let listed = repo.git(&["ls-tree", "-r", "--full-tree", commit]);
    let file = |line: &str| {
        let (head, path) = line.split_once('\t').unwrap();
        (path.to_owned(), head.split(' ').nth(2).unwrap().to_owned())
    };
    listed.lines().map(file).collect()
}

/// Writes a tree of plain files.
pub(crate) fn write_tree(repo: &Repo, files: &Files) -> String {
    let index = repo.place.path("forged-index");
    let _ = std::fs::remove_file(&index);
    let lines: Vec<String> = files.iter().map(|(path, blob)| format!("100644 {blob}\t{path}\n")).collect();
    let git = |arguments: &[&str], input: &[u8]| {
        let mut command = repo.command("git", arguments);
        command.env("GIT_INDEX_FILE", &index);
        super::repo::run(command, input).exits(0).text()
    };
    git(&["update-index", "--add", "--index-info"], lines.concat().as_bytes());
    git(&["write-tree"], b"")
}

/// Writes every commit of the log again, its files changed by `change`, which is told their number from 0.
pub(crate) fn rewrite_log(repo: &Repo, change: impl Fn(usize, &mut Files)) {
    let mut parent: Option<String> = None;
    for (number, commit) in repo.git(&["rev-list", "--reverse", LOG]).lines().enumerate() {
        let mut files = log_files(repo, commit);
        change(number, &mut files);
        let tree = write_tree(repo, &files);
        let parents = parent.iter().flat_map(|parent| ["-p", parent.as_str()]);
        let arguments: Vec<&str> = ["commit-tree", "-m", "forged", &tree].into_iter().chain(parents).collect();
        parent = Some(repo.git(&arguments));
    }
    repo.git(&["update-ref", LOG, &parent.unwrap()]);
}

/// Appends a commit to the log, its files those of the head changed by `change`.
pub(crate) fn append_to_log(repo: &Repo, change: impl FnOnce(&mut Files)) {
    let mut files = log_files(repo, LOG);
    change(&mut files);
    let tree = write_tree(repo, &files);
    let commit = repo.git(&["commit-tree", "-m", "forged", "-p", LOG, &tree]);
    repo.git(&["update-ref", LOG, &commit]);
}

/// Signs a checkpoint over whatever the log holds now with the founder's key, and without a look at it: what an insider
/// does, or a careless program. What then still refuses is no matter of the log.
pub(crate) fn cover(repo: &Repo) {
    let mut commits: Vec<Added> = Vec::new();
    let mut before = Files::new();
    for commit in repo.git(&["rev-list", "--reverse", LOG]).lines() {
        let files = log_files(repo, commit);
        let added = files.iter().filter(|(path, _)| !covered::is_derived(path) && !before.contains_key(*path));
        commits.push(added.map(|(path, blob)| (path.clone(), repo.blob(blob))).collect());
        before = files;
    }
    // Two checkpoints of one size would tell on him.
    rewrite_log(repo, |_, files| files.retain(|path, _| !covered::is_derived(path)));
    // Who saw the log before would call it a fork at once; here it must be refused for what it is.
    repo.forget();
    let key = PrivateKey::parse(&std::fs::read(repo.key()).unwrap(), None).unwrap();
    let blob = repo.write_blob(covered::checkpoint(&commits, &key).as_bytes());
    append_to_log(repo, |files| drop(files.insert("checkpoint".into(), blob)));
}
