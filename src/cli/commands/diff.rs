//! `diff`: what lies between two baselines (R09).

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::json;
use crate::domain::{ItemClass, ItemDelta};
use crate::export;
use crate::jobs::{Failure, compare};
use crate::store::Access;

/// Show what changed between two releases or revisions
///
/// Items in their own terms (a certificate is "renewed, new key"), and components by version.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline diff 1.0.0 1.1.0
  git baseline diff 1.1.0 HEAD --class key")]
pub(in crate::cli) struct DiffArgs {
    /// The older release or revision
    #[arg(value_name = "A")]
    before: String,
    /// The newer one
    #[arg(value_name = "B")]
    after: String,
    /// Only items of this class
    #[arg(long, value_name = "CLASS", value_parser = super::items::parse_class)]
    class: Option<ItemClass>,
}

pub(super) fn run(args: &DiffArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let before = super::side(context, &repository, Some(&args.before))?;
    let after = super::side(context, &repository, Some(&args.after))?;
    let verified = before.is_verified() && after.is_verified();
    let comparison = compare(&repository, before, after)?;
    let wanted =
        |delta: &&ItemDelta| args.class.is_none_or(|class| delta.item().is_some_and(|item| item.class == class));
    let items: Vec<&ItemDelta> = comparison.delta.items.iter().filter(wanted).collect();
    let components = if args.class.is_none_or(|class| class == ItemClass::Component) {
        comparison.delta.components.as_slice()
    } else {
        &[]
    };
    let value = json!({
        "schema": "git-baseline/diff/1",
        "a": comparison.before.name,
        "b": comparison.after.name,
        "verified": verified,
        "items": items.iter().map(|delta| json::item_delta(delta)).collect::<Vec<_>>(),
        "components": components.iter().map(json::component_delta).collect::<Vec<_>>(),
        "services": [],
        "categories": [],
    });
    let mut text = String::new();
    for delta in &items {
        let _ = writeln!(text, "{}", export::item_line(delta));
        for line in export::change_lines(delta) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for delta in components {
        for line in export::component_lines(delta) {
            let _ = writeln!(text, "{line}");
        }
    }
    if text.is_empty() {
        text.push_str("no item or component differs\n");
    }
    Ok(Answer::done(value, text))
}
