//! `show`: one release, or the list of all (R03).

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::context::{Answer, Context};
use crate::cli::json;
use crate::jobs::{Failure, StoredRelease, read_release, standing};
use crate::store::Access;

/// Show a release, or list all
///
/// Signatures are verified against the pinned trust root; the source is not recomputed (that is `verify`).
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline show
  git baseline show 1.4.0")]
pub(in crate::cli) struct ShowArgs {
    /// The release
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(super) fn run(args: &ShowArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let Some(name) = &args.name else {
        let releases = standing(&log, &trust)?;
        let value =
            json!({ "schema": "git-baseline/releases/1", "releases": releases.iter().map(value).collect::<Vec<_>>() });
        let mut text: String = releases.iter().map(line).collect();
        if releases.is_empty() {
            text.push_str("no releases yet\n");
        }
        return Ok(Answer::done(value, text));
    };
    let stored = read_release(&log, &trust, &super::release::release_name(name)?)?;
    let mut value = value(&stored);
    if let Some(object) = value.as_object_mut() {
        object.insert("schema".into(), json!("git-baseline/show/1"));
    }
    Ok(Answer::done(value, text(&stored)))
}

fn value(stored: &StoredRelease) -> Value {
    let release = stored.release();
    json!({
        "release": release.name.as_str(),
        "status": stored.status.as_str(),
        "sequence": release.sequence,
        "commit": release.commit.to_string(),
        "tree": release.tree.to_string(),
        "product": release.product,
        "manifest": release.manifest.to_string(),
        "source_tree": release.source_tree.to_string(),
        "statement": stored.digest.to_string(),
        "predecessor": release.predecessor.map(|digest| digest.to_string()),
        "ruleset": release.ruleset,
        "tool": release.tool,
        "as_of": release.as_of.to_string(),
        "changes": release.changes.iter().map(|change| change.id.to_string()).collect::<Vec<_>>(),
        "changes_approved": release.changes.iter().map(|change| json!({
            "id": change.id.as_str(),
            "content": change.content.to_string(),
            "approvals": change.approvals.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "verifications": change.verifications.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "commits": release.range.iter().map(|entry| entry.commit.to_string()).collect::<Vec<_>>(),
        "documents": release.documents.iter().map(|document| json!({ "name": document.name, "blake3": document.digest.to_string() })).collect::<Vec<_>>(),
        "gate": release.gate.iter().map(|gate| json!({ "rule": gate.rule, "severity": gate.severity.as_str(), "count": gate.count })).collect::<Vec<_>>(),
        "signoffs": stored.sign_offs.iter().map(json::sign_off).collect::<Vec<_>>(),
        "void": stored.void,
    })
}

fn line(stored: &StoredRelease) -> String {
    let release = stored.release();
    format!(
        "{:>4}  {:<20} {:<10} {}  {}\n",
        release.sequence,
        release.name.to_string(),
        stored.status.as_str(),
        release.commit.short(),
        release.time
    )
}

fn text(stored: &StoredRelease) -> String {
    let release = stored.release();
    let mut text =
        format!("release {} of {}: {}\n", release.name, release.product.escape_debug(), stored.status.as_str());
    let rows = [
        ("number", release.sequence.to_string()),
        ("commit", release.commit.to_string()),
        ("manifest", release.manifest.to_string()),
        ("source tree", release.source_tree.to_string()),
        ("statement", stored.digest.to_string()),
        ("follows", release.predecessor.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string())),
        ("rule set", release.ruleset.to_string()),
        ("made by", release.tool.escape_debug().to_string()),
        ("commits", release.range.len().to_string()),
        ("changes", release.changes.iter().map(|change| change.id.to_string()).collect::<Vec<_>>().join(", ")),
    ];
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:<12} {value}");
    }
    for gate in &release.gate {
        let _ = writeln!(text, "  let pass     {} × {} ({})", gate.count, gate.rule.escape_debug(), gate.severity);
    }
    for shown in &stored.sign_offs {
        let said = &shown.sign_off;
        let _ = writeln!(
            text,
            "  signed by    {} ({}), {} as {}, time claimed {}",
            said.printed_name.escape_debug(),
            said.person,
            said.meaning,
            said.role,
            said.time
        );
    }
    for void in &stored.void {
        let _ = writeln!(text, "  void         {}", void.escape_debug());
    }
    text
}
