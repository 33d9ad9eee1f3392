//! `checkpoint`: a holder of role `log` says how far he has validated the log.

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::jobs::{Failure, missing_refs, sign_log};
use crate::store::Access;

/// Validate what is pending in the log, and sign a checkpoint over it
///
/// Statements count only once a checkpoint covers them. Whoever holds the role log signs one with everything that he
/// appends; what others append waits for this.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline checkpoint")]
pub(in crate::cli) struct CheckpointArgs {
    /// Sign with this key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(super) fn run(args: &CheckpointArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Write)?;
    let (log, trust) = context.trusted(&repository)?;
    let signer = Context::signer(&Context::key_source(args.key.as_deref(), &repository)?)?;
    let identity = context.git_identity(&repository);
    let covered = sign_log(&repository, &log, &trust, signer.as_ref(), &identity)?;
    // What counts now may be a release, whose ref brings it to others.
    let (log_now, trust_now) = context.trusted(&repository)?;
    missing_refs(&repository, &log_now, &trust_now)?;
    let size = log.leaves.len() + covered;
    let value = json!({ "schema": "git-baseline/checkpoint/1", "covered": covered, "size": size });
    let text = match covered {
        0 => format!("nothing is pending; the log's {size} statements are covered\n"),
        count => format!("{count} statements count now; the log has {size}\n"),
    };
    Ok(Answer::done(value, text))
}
