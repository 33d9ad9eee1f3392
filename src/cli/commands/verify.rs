//! `verify`: proof or refusal, from the repository and one fingerprint alone (R10, R13).

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::{Answer, Context};
use crate::cli::{human, json};
use crate::jobs::{Exit, Failure, Kept, Releases, Verdict, Verification, Verifier, verify_directory};
use crate::store::{Access, Repository};

/// Verify releases or commits: proof or refusal
///
/// Works in any clone that has refs/baseline/log, bare ones included, offline, and starts no other program. Trust
/// comes only from --trust or from a fingerprint pinned before; nothing in the repository can grant it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline verify 1.4.0 --trust FINGERPRINT
  git baseline verify --all
  git baseline verify --commit HEAD
  git baseline verify 1.4.0 --dir /opt/product   compare what is installed

Exit codes: 0 verified, 1 refused, 3 inconclusive, 4 malformed or hostile input")]
pub(in crate::cli) struct VerifyArgs {
    /// Releases
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Every release in the log
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// The record on one commit
    #[arg(long, value_name = "REV", conflicts_with_all = ["names", "all"])]
    commit: Option<String>,
    /// The records on a range of commits
    #[arg(long, value_name = "A..B", conflicts_with_all = ["names", "all", "commit"])]
    range: Option<String>,
    /// The trust fingerprint, in full, as its maker gave it to you
    #[arg(long, value_name = "FINGERPRINT")]
    trust: Option<String>,
    /// A checkpoint that you kept, with or without cosignatures: the log must continue it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Compare this directory with the release's items
    #[arg(long, value_name = "DIR", conflicts_with_all = ["commit", "range", "all"])]
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &VerifyArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let mut anchor = context.anchor(args.trust.as_deref())?;
    if let Some(path) = &args.checkpoint {
        anchor.checkpoint =
            Some(Kept { bytes: super::change::read(path)?, place: path.display().to_string(), verified: false });
    }
    let verifier = Verifier::open(&repository, &anchor);
    let mut reports = Vec::new();
    if let Some(revision) = &args.commit {
        reports.push(verifier.commit(repository.resolve_commit(revision)?));
    } else if let Some(range) = &args.range {
        reports.extend(range_of(&repository, range)?.into_iter().map(|id| verifier.commit(id)));
    } else if args.all && verifier.opened().is_none() {
        reports.push(verifier.refused("the log"));
    } else {
        reports = verifier.releases(&names(args, &verifier)?, context);
    }
    if let Some((log, trust)) = verifier.opened() {
        context.remember(&repository, log, trust);
    }
    if let Some(directory) = &args.dir {
        for report in reports.iter_mut().filter(|report| report.verdict() == Verdict::Verified) {
            verify_directory(&repository, report, directory)?;
        }
    }
    Ok(answer(context, &reports))
}

/// Returns the answer of some verifications: the worst verdict ends the process.
pub(super) fn answer(context: &Context, reports: &[Verification]) -> Answer {
    let (value, exit) = json::verifications(reports);
    let proven = exit == Exit::Done;
    let text: String = reports.iter().map(|report| human::verification(report, proven, context.colors())).collect();
    let failures = reports.iter().flat_map(Verification::failures).cloned().collect();
    Answer { json: value, human: text, exit, failures }
}

fn range_of(repository: &Repository, text: &str) -> Result<Vec<crate::domain::ObjectId>, Failure> {
    let (from, to) = super::split_range(text).ok_or_else(|| usage("a range has the form A..B"))?;
    let excluded = repository.resolve_commit(from)?;
    let ids = repository.commits_between(repository.resolve_commit(to)?, &[excluded])?;
    if ids.is_empty() { Err(usage("there is no commit in that range")) } else { Ok(ids) }
}

fn names(args: &VerifyArgs, verifier: &Verifier<'_>) -> Result<Vec<crate::domain::ReleaseName>, Failure> {
    if !args.names.is_empty() {
        return args.names.iter().map(|name| super::release::release_name(name)).collect();
    }
    if !args.all {
        return Err(usage("nothing to verify was named").hint("git baseline verify --all"));
    }
    let Some((log, trust)) = verifier.opened() else { return Ok(Vec::new()) };
    let releases = Releases::of(log, trust)?;
    let names: Vec<_> = releases.standing.iter().map(|release| release.release().name.clone()).collect();
    if !names.is_empty() {
        return Ok(names);
    }
    let none = Failure::new(Exit::Inconclusive, "GB-RELEASE-NONE", "the log holds no release that is in force");
    let none = releases.others.iter().take(20).fold(none, |none, other| none.because(&other.why));
    Err(match (log.pending.len(), releases.others.first()) {
        (0, None) => none.hint("git baseline release 1.0.0"),
        (0, Some(other)) => none.hint(format!("git baseline sign {} --meaning released", other.name)),
        (pending, _) => none
            .because(format!("{pending} statements are pending: they prove nothing before a checkpoint covers them"))
            .hint("let a holder of role log run `git baseline checkpoint`"),
    })
}

fn usage(what: &str) -> Failure {
    Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what).hint("git baseline verify --help")
}
