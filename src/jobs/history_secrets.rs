//! Secrets in clear that a history holds, whether or not they are still in HEAD.
//!
//! Serves IEC 81001-5-1 cl. 5.6: what was once committed is with everybody who cloned. Never here: a secret, a part
//! of one, or a digest of one. Only branches that the given commit descends from are looked at.

use std::collections::BTreeSet;

use crate::checks;
use crate::collect::{self, Entry};
use crate::domain::{EntryKind, Finding, ObjectId, RepoPath, Timestamp};
use crate::jobs::commit_delta::valid_policy;
use crate::jobs::inspect::thresholds;
use crate::jobs::{Exit, Failure, Progress};
use crate::policy::{POLICY_PATH, Policy, Treatment};
use crate::store::{Commit, Repository, TreeSource};

/// How many contents are read together: enough for several threads, few enough to hold what was found.
const READ_TOGETHER: usize = 8192;

/// A secret in clear that some commit brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastSecret {
    /// The commit that brought it.
    pub commit: ObjectId,
    /// When it was committed, as the commit says.
    pub time: Timestamp,
    /// Where it stood, by which rule it is one, and how to get rid of it.
    pub finding: Finding,
    /// Whether HEAD still holds it, under whatever path.
    pub in_head: bool,
}

/// What a history was searched for, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistorySecrets {
    /// How many commits were walked.
    pub commits: usize,
    /// How many contents were read; each once under each of its paths.
    pub contents: usize,
    /// How many were passed by because the policy excludes their paths.
    pub excluded: usize,
    /// What was found, oldest first.
    pub secrets: Vec<PastSecret>,
}

/// A content, and the commit that brought it.
struct Brought {
    entry: Entry,
    commit: ObjectId,
    time: Timestamp,
}

/// Looks at everything that the commits up to `tip`, and not up to `from`, added or changed.
///
/// The policy of `tip` says what is excluded; one that cannot be read excludes nothing.
///
/// # Errors
/// `GB-REPO-SHALLOW` where history is cut off; where an object is missing or malformed.
pub fn history_secrets(
    repository: &Repository,
    from: Option<ObjectId>,
    tip: ObjectId,
    progress: &dyn Progress,
) -> Result<HistorySecrets, Failure> {
    if repository.is_shallow() {
        let what = "this clone is shallow: secrets of the history that is not here cannot be found";
        return Err(Failure::new(Exit::Inconclusive, "GB-REPO-SHALLOW", what).hint("git fetch --unshallow"));
    }
    let policy_bytes = repository.file(repository.commit(tip)?.tree, &RepoPath::from(POLICY_PATH))?;
    let policy = valid_policy(policy_bytes.as_deref()).unwrap_or_else(|_| Policy::built_in());
    let mut search = Search { repository, policy, kept: kept(repository)?, found: HistorySecrets::default() };
    let mut seen = BTreeSet::new();
    let mut waiting = Vec::new();
    let commits = repository.commits_between(tip, from.as_slice())?;
    for (at, id) in commits.iter().rev().enumerate() {
        if at > 0 && at % 500 == 0 {
            progress.step(&format!("looked at {at} of {} commits", commits.len()));
        }
        let commit = repository.commit(*id)?;
        for entry in brought(repository, &commit)? {
            if !seen.insert((entry.id, entry.path.clone())) {
                continue;
            }
            if search.policy.treatment(&entry.path) == Treatment::Excluded {
                search.found.excluded += 1;
                continue;
            }
            waiting.push(Brought { entry, commit: *id, time: Timestamp::from_seconds(commit.committer.time) });
        }
        if waiting.len() >= READ_TOGETHER {
            search.read(&std::mem::take(&mut waiting), commit.tree)?;
        }
    }
    search.read(&waiting, repository.commit(tip)?.tree)?;
    search.found.commits = commits.len();
    Ok(search.found)
}

/// Returns the contents of HEAD.
fn kept(repository: &Repository) -> Result<BTreeSet<ObjectId>, Failure> {
    let Some(tree) = repository.head_tree()? else { return Ok(BTreeSet::new()) };
    Ok(repository.tree_entries(tree)?.into_iter().map(|entry| entry.id).collect())
}

/// Returns the files that no parent has so: what a merge took over from one of its sides is not its own.
fn brought(repository: &Repository, commit: &Commit) -> Result<Vec<Entry>, Failure> {
    let mut trees = Vec::new();
    for parent in &commit.parents {
        trees.push(Some(repository.commit(*parent)?.tree));
    }
    let first = trees.first().copied().flatten();
    let mut entries: Vec<Entry> =
        repository.changed_paths(first, commit.tree)?.iter().filter_map(crate::store::Change::entry_after).collect();
    entries.retain(|entry| entry.mode.kind() == EntryKind::File);
    for other in trees.into_iter().skip(1) {
        let changes = repository.changed_paths(other, commit.tree)?;
        let own: BTreeSet<(&RepoPath, ObjectId)> =
            changes.iter().filter_map(|change| Some((&change.path, change.after?.1))).collect();
        entries.retain(|entry| own.contains(&(&entry.path, entry.id)));
    }
    Ok(entries)
}

struct Search<'r> {
    repository: &'r Repository,
    policy: Policy,
    kept: BTreeSet<ObjectId>,
    found: HistorySecrets,
}

impl Search<'_> {
    /// Reads contents by their ids; the tree only names the source.
    fn read(&mut self, waiting: &[Brought], tree: ObjectId) -> Result<(), Failure> {
        let entries: Vec<Entry> = waiting.iter().map(|brought| brought.entry.clone()).collect();
        let looked = collect::look_at_each(&TreeSource::new(self.repository, tree), &self.policy, &entries)?;
        self.found.contents += entries.len();
        let thresholds = thresholds(&self.policy);
        for (brought, looked) in waiting.iter().zip(looked) {
            let Some((item, observations)) = looked else { continue };
            let observations: Vec<_> = observations.into_iter().map(|seen| (item.path.clone(), seen)).collect();
            let holds_secret = item.digest.is_none();
            // No rule about secrets asks for the time.
            let mut findings = checks::check_items(&[item], &observations, brought.time, &thresholds);
            findings.retain(|finding| checks::is_clear_secret(finding.rule));
            let path = &brought.entry.path;
            if findings.is_empty() && holds_secret {
                findings.push(checks::finding(
                    "secret-in-clear",
                    Some(path.clone()),
                    None,
                    "a secret stands here in clear",
                ));
            }
            let in_head = self.kept.contains(&brought.entry.id);
            for mut finding in findings {
                finding.hint = way_out_of_history(path, in_head);
                self.found.secrets.push(PastSecret { commit: brought.commit, time: brought.time, finding, in_head });
            }
        }
        Ok(())
    }
}

/// Says how to get a path out of a history. What was pushed is known to others, so the secret is replaced first.
fn way_out_of_history(path: &RepoPath, in_head: bool) -> String {
    let word = shell_word(path);
    let first = if in_head { format!("`git rm --cached {word}` and commit, ") } else { String::new() };
    format!(
        "replace the secret everywhere it is in use, then {first}`git filter-repo --invert-paths --path {word}`, \
         and have every clone made anew"
    )
}

/// Says how to get a staged path out of the index and out of the objects, where `git add` already wrote it.
pub(super) fn way_out_of_index(path: &RepoPath, head: bool) -> String {
    let word = shell_word(path);
    let unstage = if head { format!("git restore --staged {word}") } else { format!("git rm --cached {word}") };
    format!(
        "`{unstage}`, and keep the file out of Git; its content already lies in .git/objects: \
         after that, `git gc --prune=now` removes it"
    )
}

/// Returns a path as one word of a shell's command line.
fn shell_word(path: &RepoPath) -> String {
    let bytes = path.as_bytes();
    if !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._/+@,-".contains(byte)) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => format!("'{}'", text.replace('\'', "'\\''")),
        _ => {
            let octal = bytes.iter().map(|byte| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(*byte)),
                b' '..=b'~' => char::from(*byte).to_string(),
                other => format!("\\{other:03o}"),
            });
            format!("$'{}'", octal.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        for (path, word) in [
            (&b"config/tls/a.key"[..], "config/tls/a.key"),
            (b"a b; rm x", "'a b; rm x'"),
            (b"it's", "'it'\\''s'"),
            (b"a\nb\xff'", "$'a\\012b\\377\\''"),
        ] {
            assert_eq!(shell_word(&RepoPath::new(path.to_vec())), word);
        }
    }

    #[test]
    fn the_way_out_begins_with_a_new_secret_and_ends_with_new_clones() {
        let hint = way_out_of_history(&"a.key".into(), true);
        let order = ["replace", "git rm --cached a.key", "git filter-repo --invert-paths --path a.key", "clone"];
        let places: Vec<_> = order.iter().map(|word| hint.find(word).unwrap()).collect();
        assert!(places.is_sorted(), "{hint}");
        assert!(!way_out_of_history(&"a.key".into(), false).contains("git rm"));
        assert!(way_out_of_index(&"a.key".into(), false).contains("git rm --cached a.key"), "there is no HEAD yet");
    }
}
