//! `log`: the history of items and components, in their own terms (R09, R11).

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{Format, human, json};
use crate::components::canonical_purl;
use crate::domain::{ItemClass, ObjectId, ReleaseName, RepoPath};
use crate::jobs::{Failure, Question, Wanted, history, standing};
use crate::store::{Access, Repository};

/// Show what happened to items and components, newest first
///
/// One event for each item that a commit touched, with the facts that changed, and one for each external component that
/// came, went or became another version. A renamed item keeps its history.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline log                               every item and component
  git baseline log config/tls/gateway.pem        one item, or a folder
  git baseline log package-lock.json             the components that it names
  git baseline log pkg:npm/lodash                one component, in all its versions
  git baseline log 1.0.0..HEAD --class certificate
  git baseline log 1.0.0..HEAD --class component
  git baseline log --kind sshd-config --format json")]
pub(in crate::cli) struct LogArgs {
    /// Paths of items, lock files or folders, package URLs with or without a version, and at most one range A..B
    #[arg(value_name = "PATH|PURL|A..B")]
    what: Vec<String>,
    /// Only items of this class; component shows external components too
    #[arg(long, value_name = "CLASS", value_parser = super::items::parse_class)]
    class: Option<ItemClass>,
    /// Only items of this kind; component shows external components alone
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
}

/// The kind of a component's event.
const COMPONENT: &str = "component";

pub(super) fn run(args: &LogArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let (commits, paths) = scope(args, context, &repository)?;
    let releases = releases_by_commit(context, &repository)?;
    let item = |delta: &crate::domain::ItemDelta| {
        delta.item().is_some_and(|item| {
            args.class.is_none_or(|class| item.class == class)
                && args.kind.as_ref().is_none_or(|kind| item.kind == *kind)
        })
    };
    let carried_by = |id: &ObjectId| releases.get(id).cloned();
    let wanted = Wanted {
        items: args.kind.as_deref() != Some(COMPONENT)
            && args.class != Some(ItemClass::Component)
            && (paths.is_empty() || paths.iter().any(|path| !is_purl(path.as_bytes()))),
        components: args.kind.as_deref().is_none_or(|kind| kind == COMPONENT)
            && args.class.is_none_or(|class| class == ItemClass::Component),
    };
    let question = Question { about: &paths, wanted, item: &item };
    let events = history(&repository, &commits, &question, &carried_by, context)?;
    // A long history has a hundred thousand events: they are told in one way only.
    if context.format == Format::Json {
        let told: Vec<_> = events.iter().map(json::event).collect();
        return Ok(Answer::done(json!({ "schema": "git-baseline/log/1", "events": told }), String::new()));
    }
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
        text.push_str("no item or component changed there\n");
    }
    Ok(Answer::done(json!({}), text))
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
            _ if is_purl(word.as_bytes()) => {
                // Without a name it is none yet, and stands for all that begin so.
                let purl = canonical_purl(word).map_or_else(|| word.trim_end_matches('/').to_owned(), |(purl, _)| purl);
                paths.push(RepoPath::from(purl.as_str()));
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

fn is_purl(word: &[u8]) -> bool {
    word.starts_with(b"pkg:")
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
