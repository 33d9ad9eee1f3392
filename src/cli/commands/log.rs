//! `log`: the history of items, in their own terms (R09, R11).

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{human, json};
use crate::domain::{ItemClass, ObjectId, ReleaseName, RepoPath};
use crate::jobs::{Failure, history, standing};
use crate::store::{Access, Repository};

/// Show what happened to items, newest first
///
/// One event for each item that a commit touched, with the facts that changed. A renamed item keeps its history.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline log                               every item
  git baseline log config/tls/gateway.pem        one item, or a folder
  git baseline log 1.0.0..HEAD --class certificate
  git baseline log --kind sshd-config --format json")]
pub(in crate::cli) struct LogArgs {
    /// Paths of items or folders, and at most one range A..B or revision
    #[arg(value_name = "PATH|A..B")]
    what: Vec<String>,
    /// Only items of this class
    #[arg(long, value_name = "CLASS", value_parser = super::items::parse_class)]
    class: Option<ItemClass>,
    /// Only items of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
}

pub(super) fn run(args: &LogArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let (commits, paths) = scope(args, context, &repository)?;
    let releases = releases_by_commit(context, &repository)?;
    let wanted = |delta: &crate::domain::ItemDelta| {
        delta.item().is_some_and(|item| {
            args.class.is_none_or(|class| item.class == class)
                && args.kind.as_ref().is_none_or(|kind| item.kind == *kind)
        })
    };
    let carried_by = |id: &ObjectId| releases.get(id).cloned();
    let events = history(&repository, &commits, &paths, &wanted, &carried_by, context)?;
    let value = json!({ "schema": "git-baseline/log/1", "events": events.iter().map(json::event).collect::<Vec<_>>() });
    let mut text = String::new();
    let mut last: Option<ObjectId> = None;
    for event in &events {
        if last != Some(event.commit) {
            text.push_str(&human::event_head(event, context.colors()));
        }
        text.push_str(&human::event(event));
        last = Some(event.commit);
    }
    if events.is_empty() {
        text.push_str("no item changed there\n");
    }
    Ok(Answer::done(value, text))
}

/// Sorts the arguments into a range and paths: two dots between two revisions make a range.
fn scope(
    args: &LogArgs,
    context: &Context,
    repository: &Repository,
) -> Result<(Vec<ObjectId>, Vec<RepoPath>), Failure> {
    let mut commits = None;
    let mut paths = Vec::new();
    for word in &args.what {
        match super::split_range(word) {
            Some((from, to)) if commits.is_none() && !word.contains('/') || looks_like_range(repository, word) => {
                let (from, to) = (resolve(context, repository, from)?, resolve(context, repository, to)?);
                commits = Some(repository.commits_between(to, &[from])?);
            }
            _ => paths.push(RepoPath::from(word.trim_start_matches("./").trim_end_matches('/'))),
        }
    }
    let commits = match (commits, repository.head_commit()?) {
        (Some(commits), _) => commits,
        (None, Some(head)) => repository.commits_between(head, &[])?,
        (None, None) => Vec::new(),
    };
    Ok((commits, paths))
}

fn looks_like_range(repository: &Repository, word: &str) -> bool {
    let known = |name: &str| repository.resolve_commit(name).is_ok();
    super::split_range(word).is_some_and(|(from, to)| known(from) && known(to))
}

fn resolve(context: &Context, repository: &Repository, name: &str) -> Result<ObjectId, Failure> {
    let known = context.known(repository)?;
    Ok(crate::jobs::side_of(repository, super::borrowed(known.as_ref()), name)?.commit)
}

fn releases_by_commit(context: &Context, repository: &Repository) -> Result<BTreeMap<ObjectId, ReleaseName>, Failure> {
    let mut releases = BTreeMap::new();
    if let Some((log, trust)) = context.known(repository)? {
        for stored in standing(&log, &trust)? {
            for entry in &stored.release().range {
                releases.entry(entry.commit).or_insert_with(|| stored.release().name.clone());
            }
        }
    }
    Ok(releases)
}
