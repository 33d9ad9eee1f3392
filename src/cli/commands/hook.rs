//! `hook`: what Git's hooks run. Quick, and silent when nothing is wrong.
//!
//! A hook is a convenience for the developer; the verdict belongs to `verify`. What runs after a commit never fails.

#![expect(clippy::disallowed_methods, reason = "the rim: the message file that Git names")]

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::record::sign_all;
use crate::cli::context::{Answer, Context};
use crate::cli::human;
use crate::jobs::{Exit, Failure, change_ids, check_staged, commits_without_record, unrecorded_tip};
use crate::store::{Access, Repository};

/// Run by Git's hooks
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HookCommand {
    /// Check what is staged: clear secrets, expired certificates, unreadable items
    PreCommit(Ignored),
    /// Ask for the change request where the policy demands one
    CommitMsg(CommitMsgArgs),
    /// Record the commit
    PostCommit(Ignored),
    /// Record what was rewritten
    PostRewrite(Ignored),
    /// Record a merge
    PostMerge(Ignored),
    /// Record what is not recorded yet
    PrePush(Ignored),
}

/// Arguments that Git passes and nobody needs.
#[derive(Args, Debug)]
pub(in crate::cli) struct Ignored {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}

/// The file with the commit's message.
#[derive(Args, Debug)]
pub(in crate::cli) struct CommitMsgArgs {
    file: PathBuf,
}

pub(super) fn run(command: &HookCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        HookCommand::PreCommit(_) => pre_commit(context),
        HookCommand::CommitMsg(args) => commit_msg(args, context),
        HookCommand::PostCommit(_) | HookCommand::PostRewrite(_) | HookCommand::PostMerge(_) => {
            Ok(after_commit(context, When::Commit))
        }
        HookCommand::PrePush(_) => Ok(after_commit(context, When::Push)),
    }
}

fn silent() -> Answer {
    Answer::done(json!({ "schema": "git-baseline/hook/1" }), "")
}

fn pre_commit(context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let staged = check_staged(&repository, context.now)?;
    let stopping = staged.findings.iter().filter(|finding| staged.stops_on(finding));
    for finding in stopping {
        context.remark(human::finding(finding, context.colors_stderr()).trim_end());
    }
    if staged.stops {
        let failure = Failure::new(
            Exit::Disproven,
            "GB-HOOK-STOPPED",
            "this commit was stopped: what is staged must not be committed",
        )
        .hint("mend it and commit again; `git baseline check --staged` shows everything");
        return Err(failure);
    }
    Ok(silent())
}

fn commit_msg(args: &CommitMsgArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let staged = check_staged(&repository, context.now)?;
    let control = &staged.policy.change_control;
    if !control.required || (staged.items == 0 && !staged.components) {
        return Ok(silent());
    }
    let message = std::fs::read(&args.file).map_err(|error| {
        Failure::new(Exit::Usage, "GB-USE-MESSAGE", "the commit's message cannot be read").because(error)
    })?;
    let said: Vec<u8> = message
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"#"))
        .flatten()
        .copied()
        .collect();
    if !change_ids(&said, &control.trailer).is_empty() {
        return Ok(silent());
    }
    let failure = Failure::new(
        Exit::Disproven,
        "GB-CHANGE-MISSING",
        format!("this commit changes controlled items and names no change request ({}:)", control.trailer),
    )
    .because("the policy demands one: [change_control] required = true")
    .hint(format!("git commit --trailer \"{}: CR-…\"", control.trailer));
    Err(failure)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Commit,
    Push,
}

/// Records what was just committed, or everything before a push. A failure is told and stops nothing.
fn after_commit(context: &Context, when: When) -> Answer {
    if let Err(failure) = try_record(context, when) {
        // Whoever has not pinned the baseline, or holds no key of it, commits without records and knows it.
        context.remark(&format!("git-baseline: not recorded: {} [{}]", failure.message, failure.code));
    }
    silent()
}

fn try_record(context: &Context, when: When) -> Result<(), Failure> {
    let repository = context.repository(Access::Write)?;
    if repository.reference(crate::jobs::LOG_REF)?.is_none() {
        return Ok(());
    }
    let sign_at_push = repository.config_text("baseline.signAt").is_some_and(|value| value == "push");
    if sign_at_push && when == When::Commit {
        return Ok(());
    }
    let Some(head) = repository.head_commit()? else { return Ok(()) };
    let (_, trust) = context.trusted(&repository)?;
    let todo = unrecorded_tip(&repository, &trust, head)?;
    if commits_without_record(&repository, &todo)?.is_empty() {
        return Ok(());
    }
    record_all(context, &repository, &trust, &todo)
}

fn record_all(
    context: &Context,
    repository: &Repository,
    trust: &crate::jobs::Trust,
    todo: &[crate::domain::ObjectId],
) -> Result<(), Failure> {
    sign_all(context, repository, trust, todo, None).map(|_| ())
}
