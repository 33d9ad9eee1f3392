//! `check`: findings of a revision, of what is staged, or of what a range changed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{human, json};
use crate::domain::{Finding, ItemDelta, RepoPath, Timestamp};
use crate::jobs::{Exit, Failure, check_staged, compare, side_of};
use crate::store::{Access, Repository};

/// Check items and components
///
/// Findings are judged at --as-of where they depend on time. Exit code 1 when there are findings of the policy's
/// blocking severity or worse.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline check                         HEAD, now
  git baseline check --staged                what the next commit would bring
  git baseline check 1.4.0 --as-of 2027-01-01
  git baseline check main..feature           what a range changed")]
pub(in crate::cli) struct CheckArgs {
    /// A release, a revision, or a range A..B
    #[arg(value_name = "REV", conflicts_with = "staged")]
    revision: Option<String>,
    /// Check what is staged
    #[arg(long)]
    staged: bool,
    /// Judge as of this moment: 2027-01-01, or 2027-01-01T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = parse_moment)]
    as_of: Option<Timestamp>,
}

fn parse_moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a date such as 2027-01-01, or a time such as 2027-01-01T12:00:00Z".to_owned())
}

pub(super) fn run(args: &CheckArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let as_of = args.as_of.unwrap_or(context.now);
    if args.staged {
        let staged = check_staged(&repository, as_of)?;
        let exit = if staged.stops { Exit::Disproven } else { Exit::Done };
        return Ok(answer(context, None, as_of, &staged.findings, exit));
    }
    let range = args.revision.as_deref().and_then(super::split_range);
    let name = range.map_or(args.revision.as_deref(), |(_, to)| Some(to));
    let side = super::side(context, &repository, name)?;
    let inspection = side.inspect(&repository)?;
    let mut findings = inspection.findings(as_of);
    if let Some((from, to)) = range {
        let changed = changed_paths(context, &repository, from, to)?;
        findings.retain(|finding| finding.path.as_ref().is_some_and(|path| changed.contains(path)));
    }
    let blocks = findings.iter().any(|finding| finding.severity >= inspection.policy.checks.block);
    let exit = if blocks { Exit::Disproven } else { Exit::Done };
    Ok(answer(context, Some(&side.commit.to_string()), as_of, &findings, exit))
}

fn changed_paths(
    context: &Context,
    repository: &Repository,
    from: &str,
    to: &str,
) -> Result<BTreeSet<RepoPath>, Failure> {
    let known = context.known(repository)?;
    let known = super::borrowed(known.as_ref());
    let delta = compare(repository, side_of(repository, known, from)?, side_of(repository, known, to)?)?.delta;
    Ok(delta.items.iter().filter_map(ItemDelta::item).map(|item| item.path.clone()).collect())
}

fn answer(context: &Context, commit: Option<&str>, as_of: Timestamp, findings: &[Finding], exit: Exit) -> Answer {
    let value = json!({
        "schema": "git-baseline/check/1",
        "commit": commit,
        "as_of": as_of.to_string(),
        "findings": findings.iter().map(json::finding).collect::<Vec<_>>(),
        "summary": json::summary(findings),
    });
    let mut text: String = findings.iter().map(|finding| human::finding(finding, context.colors())).collect();
    let counts = human::counts(findings);
    let _ = writeln!(text, "{counts}, as of {as_of}");
    Answer::done(value, text).ending(exit)
}
