//! `release`: gate, manifest, statement, first sign-off, log, ref (R03, R19).

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::context::{Answer, Context};
use crate::cli::{git, human, json};
use crate::domain::{Digest, ReleaseName};
use crate::jobs::{self, Draft, Exit, Failure, ReleaseStatus};
use crate::store::{Access, Repository};

/// Release a commit: gate, manifest, signature, log
///
/// The release appears whole or not at all. Its name is the product's version, and is never used again.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline release 1.4.0 --dry-run      what the gate says, and the manifest's digest
  git baseline release 1.4.0                release HEAD
  git baseline release 1.3.1 --commit v1.3-fixes --tag")]
pub(in crate::cli) struct ReleaseArgs {
    /// The product version
    #[arg(value_name = "NAME")]
    name: String,
    /// Release this commit instead of HEAD
    #[arg(long, value_name = "REV")]
    commit: Option<String>,
    /// Only say what would be released
    #[arg(long)]
    dry_run: bool,
    /// Also make a Git tag of that name
    #[arg(long)]
    tag: bool,
    /// Sign with this key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(super) fn run(args: &ReleaseArgs, context: &Context) -> Result<Answer, Failure> {
    let name = release_name(&args.name)?;
    let repository = context.repository(if args.dry_run { Access::Read } else { Access::Write })?;
    if args.commit.is_none() {
        refuse_dirty(context, &repository)?;
    }
    let commit = repository.resolve_commit(args.commit.as_deref().unwrap_or("HEAD"))?;
    if args.dry_run {
        let (log, trust) = context.trusted(&repository)?;
        let draft = jobs::draft(&repository, &log, &trust, &name, commit, context.now, context)?;
        let exit = if draft.blocked.is_empty() { Exit::Done } else { Exit::Disproven };
        let word = if draft.blocked.is_empty() { "would be released" } else { "would be stopped" };
        return Ok(Answer::done(value(&draft, None, None), text(context, &draft, word)).ending(exit));
    }
    let (log, trust) = context.trusted(&repository)?;
    // A gate that stops asks for no passphrase, unless what is pending could make it pass.
    let early = jobs::draft(&repository, &log, &trust, &name, commit, context.now, context)?;
    if log.pending.is_empty() && !early.blocked.is_empty() {
        return Err(jobs::gate_blocked(&early));
    }
    let signer = Context::signer(&Context::key_source(args.key.as_deref(), &repository)?)?;
    let judged_on = log.head;
    let (log, trust) = context.settled(&repository, signer.as_ref())?;
    // What was pending is settled now, and another writer may have been first: the draft must follow the log that it
    // is appended to.
    let draft = if log.head == judged_on {
        early
    } else {
        jobs::draft(&repository, &log, &trust, &name, commit, context.now, context)?
    };
    let identity = context.git_identity(&repository);
    let made = jobs::make(&repository, &log, &trust, draft, signer.as_ref(), &identity)?;
    if args.tag {
        git::text(&context.directory, &["tag", name.as_str(), &made.draft.statement.commit.to_string()])?;
    }
    context.tell_pending(&repository);
    let status = Some(made.status);
    let mut text = text(context, &made.draft, made.status.as_str());
    if made.status == ReleaseStatus::Proposed {
        let _ = writeln!(text, "next: let others who may release it run `git baseline sign {name} --meaning released`");
    }
    let _ = writeln!(text, "next: git push origin refs/baseline/log refs/notes/baseline refs/baseline/releases/{name}");
    Ok(Answer::done(value(&made.draft, status, Some(made.digest)), text))
}

pub(super) fn release_name(text: &str) -> Result<ReleaseName, Failure> {
    ReleaseName::parse(text).map_err(|error| {
        Failure::new(Exit::Usage, "GB-USE-NAME", error.to_string())
            .hint("a release is named by its version, such as 1.4.0")
    })
}

/// What is not committed would be missing in the release, and nobody would notice.
fn refuse_dirty(context: &Context, repository: &Repository) -> Result<(), Failure> {
    if repository.is_bare() {
        return Ok(());
    }
    // Without its lock on the index: a dry run writes nothing, and a killed release leaves no lock behind.
    let status = ["--no-optional-locks", "status", "--porcelain=v1", "--untracked-files=no"];
    let changed = git::text(&context.directory, &status)?;
    let Some(first) = changed.lines().next() else { return Ok(()) };
    let count = changed.lines().count();
    Err(Failure::new(
        Exit::Usage,
        "GB-REPO-DIRTY",
        format!("{count} tracked files differ from HEAD and would not be in the release"),
    )
    .because(first.escape_debug())
    .hint("commit them, or release what is committed with `--commit HEAD`"))
}

fn value(draft: &Draft, status: Option<ReleaseStatus>, digest: Option<Digest>) -> Value {
    let statement = &draft.statement;
    json!({
        "schema": "git-baseline/release/1",
        "release": statement.name.as_str(),
        "manifest": statement.manifest.to_string(),
        "source_tree": statement.source_tree.to_string(),
        "commit": statement.commit.to_string(),
        "sequence": statement.sequence,
        "status": status.map(ReleaseStatus::as_str),
        "dry_run": status.is_none(),
        "statement": digest.map(|digest| digest.to_string()),
        "gate": draft.findings.iter().map(json::finding).collect::<Vec<_>>(),
        "blocked": draft.blocked,
    })
}

fn text(context: &Context, draft: &Draft, word: &str) -> String {
    let statement = &draft.statement;
    let mut text: String = draft.findings.iter().map(|finding| human::finding(finding, context.colors())).collect();
    let _ = writeln!(
        text,
        "release {} {word}: {} commits since the one before, from {}",
        statement.name,
        statement.range.len(),
        statement.commit.short()
    );
    let _ = writeln!(text, "  manifest    {}", statement.manifest);
    let _ = writeln!(text, "  source tree {}", statement.source_tree);
    text
}
