//! `trace`: the chain change request ↔ problem report ↔ approval ↔ commits ↔ items (R08, IEC 62304 cl. 8.2.4).

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::changes::{change_text, change_value};
use crate::cli::context::{Answer, Context};
use crate::domain::{ChangeId, ObjectId, RepoPath, Subject};
use crate::jobs::{Exit, Failure, JudgedChange, Releases, range_changes};
use crate::store::Access;

/// Follow a change request, a file or a commit through requests, approvals, commits and releases
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline trace CR-142
  git baseline trace tls/server.crt
  git baseline trace 1a2b3c4")]
pub(in crate::cli) struct TraceArgs {
    /// A change request, a path or package URL, or a commit
    #[arg(value_name = "TARGET")]
    target: String,
}

/// A range, by its name, with what is wanted of it.
struct Part {
    name: String,
    changes: Vec<JudgedChange>,
}

pub(super) fn run(args: &TraceArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let all = Releases::of(&log, &trust)?;
    let commit = repository.resolve_commit(&args.target).ok();
    let wanted = |change: &JudgedChange| is_about(change, &args.target, commit);
    let mut parts = Vec::new();
    let mut ends: Vec<(String, ObjectId)> =
        all.standing.iter().map(|release| (release.release().name.to_string(), release.release().commit)).collect();
    if let Some(head) = repository.head_commit()?.filter(|head| !ends.iter().any(|(_, end)| end == head)) {
        ends.push(("not released".to_owned(), head));
    }
    for (name, end) in ends {
        let review = range_changes(&repository, &log, &trust, None, end, context)?;
        let changes: Vec<JudgedChange> = review.changes.into_iter().filter(wanted).collect();
        if !changes.is_empty() {
            parts.push(Part { name, changes });
        }
    }
    if parts.is_empty() {
        let what = format!("nothing in the controlled history is about \"{}\"", args.target.escape_debug());
        return Err(Failure::new(Exit::Usage, "GB-USE-TARGET", what)
            .because("neither a change request, nor a path or package URL that a change touched, nor such a commit")
            .hint("git baseline changes"));
    }
    let mut text = String::new();
    for part in &parts {
        let title = if part.name == "not released" { part.name.clone() } else { format!("release {}", part.name) };
        let _ = writeln!(text, "{title}");
        part.changes.iter().for_each(|change| text.push_str(&change_text(change)));
    }
    let value = json!({
        "schema": "git-baseline/trace/1",
        "target": args.target,
        "parts": parts.iter().map(|part| json!({
            "release": (part.name != "not released").then_some(&part.name),
            "changes": part.changes.iter().map(change_value).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    });
    Ok(Answer::done(value, text))
}

fn is_about(change: &JudgedChange, target: &str, commit: Option<ObjectId>) -> bool {
    let path = RepoPath::from(target);
    let touches = |subject: &Subject| match subject {
        Subject::Path(found) => {
            let below = found.strip_prefix(path.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
            found == path.as_bytes() || below
        }
        Subject::Purl(purl) => {
            let rest = purl.strip_prefix(target);
            target.starts_with("pkg:") && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '?', '#']))
        }
    };
    let id = ChangeId::parse(target).ok();
    let problem = change.request.as_ref().is_some_and(|stored| stored.request.problems.iter().any(|p| p == target));
    id.as_ref() == Some(&change.id)
        || problem
        || commit.is_some_and(|commit| change.commits.contains(&commit))
        || change.segments.iter().any(|segment| touches(&segment.subject))
}
