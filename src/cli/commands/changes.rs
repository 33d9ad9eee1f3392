//! `changes`: change control over a range (R05, R06, R07).

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use super::{borrowed, split_range};
use crate::cli::context::{Answer, Context};
use crate::cli::{human, json};
use crate::domain::{ChangeType, Finding, ObjectId, RepoPath, Segment, Show as _, Subject};
use crate::jobs::{Exit, Failure, JudgedChange, Review, range_changes, side_of};
use crate::store::{Access, Repository};

/// Show what changed in a range under which change request, and who approved and verified it
///
/// With one of the questions below, only what answers it is shown, and the exit code is 1 where there is any.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline changes 1.3.0..1.4.0
  git baseline changes 1.4.0                        what that release brought
  git baseline changes 1.3.0..HEAD --unapproved
  git baseline changes 1.3.0..1.4.0 --sod           could anybody approve his own change?
  git baseline changes                              since the last release")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct ChangesArgs {
    /// Releases or revisions; `B` alone begins with the release before it. Since the last release when left out
    #[arg(value_name = "[A..]B")]
    range: Option<String>,
    /// Changes whose content is not approved, and commits that name no change
    #[arg(long)]
    unapproved: bool,
    /// Changes whose content nobody verified
    #[arg(long)]
    unverified: bool,
    /// Who took part, who approved, and where nothing proves who wrote a commit
    #[arg(long)]
    sod: bool,
    /// Emergency changes
    #[arg(long)]
    emergency: bool,
}

pub(super) fn run(args: &ChangesArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let known = (log, trust);
    let commit = |name: &str| Ok::<_, Failure>(side_of(&repository, borrowed(Some(&known)), name)?.commit);
    let (from, to) = match args.range.as_deref() {
        None => (None, commit("HEAD")?),
        // With nothing before the dots, or without dots: from the release before it.
        Some(text) => match split_range(text) {
            Some((from, to)) => (Some(commit(from)?), commit(to)?),
            None => (None, commit(text.strip_prefix("..").unwrap_or(text))?),
        },
    };
    let review = range_changes(&repository, &known.0, &known.1, from, to, context)?;
    Ok(answer(args, context, &repository, &review, to))
}

fn asked(args: &ChangesArgs, change: &JudgedChange) -> bool {
    let emergency = change.request.as_ref().is_some_and(|r| r.request.change_type == ChangeType::Emergency);
    let any = args.unapproved || args.unverified || args.sod || args.emergency;
    !any || args.unapproved && !(change.approved || change.let_pass.is_some())
        || args.unverified && change.verifications.is_empty()
        || args.sod && !change.unproven.is_empty()
        || args.emergency && emergency
}

fn answer(args: &ChangesArgs, context: &Context, repository: &Repository, review: &Review, to: ObjectId) -> Answer {
    let shown: Vec<&JudgedChange> = review.changes.iter().filter(|change| asked(args, change)).collect();
    let question = args.unapproved || args.unverified || args.sod || args.emergency;
    let unnamed: &[ObjectId] = if question && !args.unapproved { &[] } else { &review.unnamed };
    let findings: &[Finding] = if question { &[] } else { &review.findings };
    let mut text = String::new();
    for change in &shown {
        text.push_str(&change_text(change));
    }
    for commit in unnamed {
        let title = title(repository, commit);
        let _ = writeln!(text, "{} changes items and names no change request: {title}", commit.short());
    }
    for finding in findings {
        text.push_str(&human::finding(finding, context.colors()));
    }
    let _ = writeln!(
        text,
        "{} commits, {} change requests{}",
        review.commits.len(),
        review.changes.len(),
        if question { format!(", {} that were asked for", shown.len() + unnamed.len()) } else { String::new() }
    );
    let value = json!({
        "schema": "git-baseline/changes/1",
        "to": to.to_string(),
        "commits": review.commits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "changes": shown.iter().map(|change| change_value(change)).collect::<Vec<_>>(),
        "unnamed": unnamed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "findings": findings.iter().map(json::finding).collect::<Vec<_>>(),
    });
    let missing = question && !(shown.is_empty() && unnamed.is_empty());
    let exit = if missing || (!question && !findings.is_empty()) { Exit::Disproven } else { Exit::Done };
    Answer::done(value, text).ending(exit)
}

fn title(repository: &Repository, commit: &ObjectId) -> String {
    let message = repository.commit(*commit).map(|commit| commit.message).unwrap_or_default();
    let text = String::from_utf8_lossy(&message).into_owned();
    text.lines().next().unwrap_or_default().shown().to_string()
}

/// Returns the lines of one change.
pub(super) fn change_text(change: &JudgedChange) -> String {
    let (kind, about) = change.request.as_ref().map_or_else(
        || ("unknown".to_owned(), "no change request of this id is in the log".to_owned()),
        |stored| (stored.request.change_type.to_string(), stored.request.title.shown().to_string()),
    );
    let mut text = format!("{} ({kind}): {about}\n", change.id);
    if let Some(stored) = &change.request {
        let _ = writeln!(text, "  requested  {}", stored.request.requester);
        if !stored.request.problems.is_empty() {
            let _ = writeln!(text, "  problems   {}", stored.request.problems.join(", ").shown());
        }
    }
    let persons = |found: &[(crate::domain::Digest, crate::domain::PersonId)]| {
        found.iter().map(|(_, person)| person.to_string()).collect::<Vec<_>>().join(", ")
    };
    let approved = match (change.approved, change.let_pass) {
        (true, _) => persons(&change.approvals),
        (false, Some(how)) => format!("not yet; let pass as {how}"),
        (false, None) => format!("NO: {}", change.why.join("; ").shown()),
    };
    let verified = if change.verifications.is_empty() { "NO".to_owned() } else { persons(&change.verifications) };
    let took_part: Vec<String> = change.excluded.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "  took part  {}", took_part.join(", "));
    let _ = writeln!(text, "  approved   {approved}\n  verified   {verified}");
    for commit in &change.unproven {
        let _ = writeln!(text, "  unproven   nothing proves who wrote {}", commit.short());
    }
    let commits: Vec<String> = change.commits.iter().map(ObjectId::short).collect();
    let _ = writeln!(text, "  commits    {}", commits.join(" "));
    for segment in change.segments.iter().take(30) {
        let _ = writeln!(text, "  {}", segment_text(segment));
    }
    if change.segments.len() > 30 {
        let _ = writeln!(text, "  … and {} more", change.segments.len() - 30);
    }
    text
}

fn segment_text(segment: &Segment) -> String {
    let verb = match (&segment.before, &segment.after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    format!("{verb:<10} {}", subject_text(&segment.subject))
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Path(path) => RepoPath::new(path.clone()).to_string(),
        Subject::Purl(purl) => purl.shown().to_string(),
    }
}

/// Returns one change.
pub(super) fn change_value(change: &JudgedChange) -> Value {
    let signed = |found: &[(crate::domain::Digest, crate::domain::PersonId)]| {
        let one = |(digest, person): &(crate::domain::Digest, crate::domain::PersonId)| json!({ "digest": digest.to_string(), "person": person.as_str() });
        found.iter().map(one).collect::<Vec<_>>()
    };
    json!({
        "id": change.id.as_str(),
        "type": change.request.as_ref().map(|stored| stored.request.change_type.as_str()),
        "title": change.request.as_ref().map(|stored| stored.request.title.clone()),
        "problems": change.request.as_ref().map_or_else(Vec::new, |stored| stored.request.problems.clone()),
        "requester": change.request.as_ref().map(|stored| stored.request.requester.to_string()),
        "content": change.digest().to_string(),
        "commits": change.commits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "took_part": change.excluded.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "unproven": change.unproven.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "approved": change.approved,
        "let_pass": change.let_pass,
        "approvals": signed(&change.approvals),
        "verifications": signed(&change.verifications),
        "why": change.why,
        "content_changes": change.segments.iter().map(|segment| json!({
            "subject": subject_text(&segment.subject),
            "kind": segment.after.as_ref().or(segment.before.as_ref()).map(|state| state.kind.clone()),
            "added": segment.before.is_none(),
            "removed": segment.after.is_none(),
        })).collect::<Vec<_>>(),
    })
}
