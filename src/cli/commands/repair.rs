//! `repair`: notes and release refs rebuilt from the log.

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::jobs::{Failure, repair};
use crate::store::Access;

/// Rebuild notes and release refs from the log
///
/// Both are derived: what is missing or altered is put back as the log has it. The log itself is never changed.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline repair")]
pub(in crate::cli) struct RepairArgs {}

pub(super) fn run(_args: &RepairArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Write)?;
    let (log, trust) = context.trusted(&repository)?;
    let repaired = repair(&repository, &log, &trust, &context.git_identity(&repository))?;
    let value = json!({
        "schema": "git-baseline/repair/1",
        "notes": repaired.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "releases": repaired.releases.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    let text = format!("put back {} notes and {} release refs\n", repaired.notes.len(), repaired.releases.len());
    Ok(Answer::done(value, text))
}
