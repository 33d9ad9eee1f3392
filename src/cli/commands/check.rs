//! `check`: findings of a revision, of what is staged, or of what a range changed; secrets of a whole history.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{Format, human, json};
use crate::domain::{Finding, ItemDelta, ObjectId, Timestamp};
use crate::jobs::{
    Exit, Failure, HistorySecrets, PastSecret, check_staged, compare, history_secrets, requests_missing, side_of,
};
use crate::store::{Access, Repository};
use crate::{checks, export};

/// Check items and components
///
/// Findings are judged at --as-of where they depend on time. Exit code 1 when there are findings of the policy's
/// blocking severity or worse. --history looks for secrets in clear in everything that was ever committed, up to HEAD or
/// in a range, and says how to get them out.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline check                         HEAD, now
  git baseline check --staged                what the next commit would bring
  git baseline check 1.4.0 --as-of 2027-01-01
  git baseline check main..feature           what a range changed
  git baseline check --history               secrets in all commits up to HEAD
  git baseline check --format sarif          for whoever shows findings beside code")]
pub(in crate::cli) struct CheckArgs {
    /// A release, a revision, or a range A..B
    #[arg(value_name = "REV", conflicts_with = "staged")]
    revision: Option<String>,
    /// Check what is staged
    #[arg(long)]
    staged: bool,
    /// Look for secrets in clear in every commit up to REV, or of A..B
    #[arg(long, conflicts_with_all = ["staged", "as_of"])]
    history: bool,
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
    if args.history {
        return past(args.revision.as_deref(), context, &repository);
    }
    if args.staged {
        let staged = check_staged(&repository, as_of)?;
        let exit = if staged.stops { Exit::Disproven } else { Exit::Done };
        return Ok(answer(context, None, as_of, &staged.findings, exit));
    }
    let range = args.revision.as_deref().and_then(super::split_range);
    let name = range.map_or(args.revision.as_deref(), |(_, to)| Some(to));
    let side = super::side(context, &repository, name)?;
    let commit = side.commit;
    let inspection = side.inspect(&repository)?;
    let mut findings = inspection.findings(
        &repository,
        super::borrowed(context.known(&repository)?.as_ref()).map(|(log, trust)| (log, trust, None)),
        commit,
        as_of,
    )?;
    if let Some((from, _)) = range {
        let from = super::side(context, &repository, Some(from))?;
        let missing = requests_missing(&repository, from.commit, side.commit, &inspection.policy)?;
        let delta = compare(&repository, from, side)?.delta;
        let changed: BTreeSet<_> = delta.items.iter().filter_map(ItemDelta::item).map(|item| &item.path).collect();
        findings.retain(|finding| finding.path.as_ref().is_some_and(|path| changed.contains(path)));
        findings.extend(missing);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }
    let blocks = findings.iter().any(|finding| finding.stands() && finding.severity >= inspection.policy.checks.block);
    let exit = if blocks { Exit::Disproven } else { Exit::Done };
    Ok(answer(context, Some(&commit), as_of, &findings, exit))
}

fn answer(context: &Context, commit: Option<&ObjectId>, as_of: Timestamp, findings: &[Finding], exit: Exit) -> Answer {
    let value = json!({
        "schema": "git-baseline/check/1",
        "commit": commit.map(ToString::to_string),
        "as_of": as_of.to_string(),
        "findings": findings.iter().map(json::finding).collect::<Vec<_>>(),
        "summary": json::summary(findings),
    });
    if context.format == Format::Sarif {
        return Answer::done(value, export::sarif(findings, checks::rules(), commit)).ending(exit);
    }
    let mut text: String = findings.iter().map(|finding| human::finding(finding, context.colors())).collect();
    let counts = human::counts(findings);
    let _ = writeln!(text, "{counts}, as of {as_of}");
    Answer::done(value, text).ending(exit)
}

/// Answers `--history`.
fn past(revision: Option<&str>, context: &Context, repository: &Repository) -> Result<Answer, Failure> {
    let range = revision.and_then(super::split_range);
    let known = context.known(repository)?;
    let known = super::borrowed(known.as_ref());
    let commit = |name: &str| side_of(repository, known, name).map(|side| side.commit);
    let from = range.map(|(from, _)| commit(from)).transpose()?;
    let to = commit(range.map_or(revision, |(_, to)| Some(to)).unwrap_or("HEAD"))?;
    let found = history_secrets(repository, from, to, context)?;
    let exit = if found.secrets.is_empty() { Exit::Done } else { Exit::Disproven };
    let text = match context.format {
        Format::Sarif => {
            let findings: Vec<Finding> = found.secrets.iter().map(told_with_commit).collect();
            export::sarif(&findings, checks::rules(), Some(&to))
        }
        _ => past_text(&found, context.colors()),
    };
    Ok(Answer::done(past_json(&found, from, to), text).ending(exit))
}

fn whether_kept(secret: &PastSecret) -> &'static str {
    if secret.in_head { "still in HEAD" } else { "no longer in HEAD" }
}

fn told_with_commit(secret: &PastSecret) -> Finding {
    let message =
        format!("{} since commit {}, {}", secret.finding.message, secret.commit.short(), whether_kept(secret));
    Finding { message, ..secret.finding.clone() }
}

fn past_json(found: &HistorySecrets, from: Option<ObjectId>, to: ObjectId) -> serde_json::Value {
    let secret = |secret: &PastSecret| {
        let mut value = json::finding(&secret.finding);
        if let Some(value) = value.as_object_mut() {
            value.insert("commit".to_owned(), json!(secret.commit.to_string()));
            value.insert("time".to_owned(), json!(secret.time.to_string()));
            value.insert("in_head".to_owned(), json!(secret.in_head));
        }
        value
    };
    json!({
        "schema": "git-baseline/check-history/1",
        "from": from.map(|from| from.to_string()),
        "to": to.to_string(),
        "commits": found.commits,
        "contents": found.contents,
        "excluded": found.excluded,
        "findings": found.secrets.iter().map(secret).collect::<Vec<_>>(),
    })
}

fn past_text(found: &HistorySecrets, colors: bool) -> String {
    let mut text: String =
        found.secrets.iter().map(|secret| human::finding(&told_with_commit(secret), colors)).collect();
    let excluded = match found.excluded {
        0 => String::new(),
        many => format!(", {many} excluded by the policy"),
    };
    let (secrets, commits, contents) = (found.secrets.len(), found.commits, found.contents);
    let _ = writeln!(text, "{secrets} secrets in clear in {commits} commits, {contents} contents read{excluded}");
    if !found.secrets.is_empty() {
        text.push_str(
            "A history that is written anew has other commits: records and releases of the old ones stay with it. \
             Forges keep old commits too; ask yours to remove them.\n",
        );
    }
    text
}
