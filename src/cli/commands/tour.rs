//! `tour`: everything once, on a throw-away repository.

use clap::Args;

use crate::cli::context::{Answer, Context};
use crate::jobs::Failure;

/// See all of it on a throw-away repository
#[derive(Args, Debug)]
pub(in crate::cli) struct TourArgs {}

pub(super) fn run(_args: &TourArgs, _context: &Context) -> Result<Answer, Failure> {
    Ok(Answer::done(serde_json::json!({}), ""))
}
