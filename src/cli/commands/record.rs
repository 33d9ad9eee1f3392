//! `record`: signed commit records for commits that lack one (A3).

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::domain::ObjectId;
use crate::jobs::{Failure, Log, Trust, record, unrecorded};
use crate::store::{Access, Repository};

/// Sign commit records for commits that lack one
///
/// A record says what a commit changed in terms of items and components. It is kept as a Git note:
/// `git log --notes=baseline` shows it. Without arguments: every commit since the control start that has none.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline record
  git baseline record HEAD
  git baseline record v1.0..main")]
pub(in crate::cli) struct RecordArgs {
    /// One revision, or a range A..B
    #[arg(value_name = "REV")]
    revision: Option<String>,
    /// Sign with this key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(super) fn run(args: &RecordArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Write)?;
    let (log, trust) = context.trusted(&repository)?;
    let todo = wanted(args.revision.as_deref(), &repository, &log, &trust)?;
    let recorded = sign_all(context, &repository, &trust, &todo, args.key.as_deref())?;
    let value = json!({
        "schema": "git-baseline/record/1",
        "recorded": recorded.iter().map(|(id, line)| json!({ "commit": id.to_string(), "summary": line })).collect::<Vec<_>>(),
    });
    let mut text = String::new();
    for (id, line) in &recorded {
        let _ = writeln!(text, "{} {}", id.short(), line.escape_debug());
    }
    if recorded.is_empty() {
        text.push_str("nothing to record\n");
    }
    Ok(Answer::done(value, text))
}

fn wanted(name: Option<&str>, repository: &Repository, log: &Log<'_>, trust: &Trust) -> Result<Vec<ObjectId>, Failure> {
    match name {
        None => unrecorded(repository, log, trust, repository.head_commit()?),
        Some(text) => match super::split_range(text) {
            Some((from, to)) => {
                let excluded = repository.resolve_commit(from)?;
                Ok(repository.commits_between(repository.resolve_commit(to)?, &[excluded])?)
            }
            None => Ok(vec![repository.resolve_commit(text)?]),
        },
    }
}

/// Records commits; the key is opened only when there is something to sign.
pub(super) fn sign_all(
    context: &Context,
    repository: &Repository,
    trust: &Trust,
    commits: &[ObjectId],
    key: Option<&str>,
) -> Result<Vec<(ObjectId, String)>, Failure> {
    if crate::jobs::commits_without_record(repository, commits)?.is_empty() {
        return Ok(Vec::new());
    }
    let signer = Context::signer(&Context::key_source(key, repository)?)?;
    let identity = context.git_identity(repository);
    Ok(record(repository, trust, commits, signer.as_ref(), &identity, context)?.commits)
}
