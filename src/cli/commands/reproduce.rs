//! `reproduce`: a release recomputed from the commit's own tree (R04).

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::jobs::{Exit, Failure, reproduce};
use crate::store::Access;

/// Recompute a release from its source and compare it byte for byte
///
/// The stored manifest is not the answer but what the answer is compared with. With -o, the release's items are
/// written out once they are proven equal.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline reproduce 1.4.0 --trust FINGERPRINT
  git baseline reproduce 1.4.0 -o items/")]
pub(in crate::cli) struct ReproduceArgs {
    /// The release
    #[arg(value_name = "NAME")]
    name: String,
    /// Write the items into this new folder
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The trust fingerprint, in full
    #[arg(long, value_name = "FINGERPRINT")]
    trust: Option<String>,
}

pub(super) fn run(args: &ReproduceArgs, context: &Context) -> Result<Answer, Failure> {
    let name = super::release::release_name(&args.name)?;
    let repository = context.repository(Access::Read)?;
    let anchor = context.anchor(args.trust.as_deref())?;
    let found = reproduce(&repository, &anchor, &name, args.output.as_deref(), context)?;
    let same = found.differences.is_empty();
    let verdict = if same { "reproduced" } else { "differs" };
    let value = json!({
        "schema": "git-baseline/reproduce/1",
        "release": name.as_str(),
        "verdict": verdict,
        "manifest": { "recorded": found.recorded.to_string(), "recomputed": found.recomputed.to_string() },
        "commit": found.release.commit.to_string(),
        "items": found.items,
        "components": found.components,
        "written": found.written,
        "differences": found.differences,
    });
    let mut text = format!(
        "release {name} {verdict} from {}: {} items, {} components\n",
        found.release.commit.short(),
        found.items,
        found.components
    );
    let _ = writeln!(text, "  manifest {}", found.recomputed);
    if let (true, Some(folder)) = (same, &args.output) {
        let _ = writeln!(text, "  {} items written to {}", found.written, folder.display().to_string().escape_debug());
    }
    if same {
        return Ok(Answer::done(value, text));
    }
    let mut failure = Failure::new(
        Exit::Disproven,
        "GB-REP-DIFFERS",
        format!("release {name} cannot be reproduced: {} differences", found.differences.len()),
    );
    failure.causes = found.differences;
    Ok(Answer { json: value, human: text, exit: Exit::Disproven, failures: vec![failure] })
}
