//! `items`: configuration items with their facts (R01, R11).

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{human, json};
use crate::domain::{ConfigurationItem, ItemClass, RULE_SET, RepoPath, Timestamp};
use crate::jobs::{Exit, Failure, Side};
use crate::recognize;
use crate::store::{Access, Repository};

/// List configuration items with what they say
///
/// Keys, certificates, policies, access lists and hardening files of a release or revision, as the policy of that
/// revision declares them and as their content shows.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline items                        of HEAD
  git baseline items 1.4.0 --class key      of a release
  git baseline items --expiring 90d         what ends within 90 days
  git baseline items --explain etc/app.conf  why that file is an item, or none
  git baseline items --format json")]
pub(in crate::cli) struct ItemsArgs {
    /// A release or any revision of Git
    #[arg(value_name = "REV")]
    revision: Option<String>,
    /// Only items of this class
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: Option<ItemClass>,
    /// Only items of this kind, such as x509-certificate
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only items that end within so many days
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    expiring: Option<i64>,
    /// Say why the file at this path is of its kind, or of none
    #[arg(long, value_name = "PATH", conflicts_with_all = ["class", "kind", "expiring"])]
    explain: Option<String>,
}

pub(super) fn parse_class(text: &str) -> Result<ItemClass, String> {
    ItemClass::parse(text)
        .ok_or_else(|| format!("the classes are {}", ItemClass::ALL.map(ItemClass::as_str).join(", ")))
}

fn parse_days(text: &str) -> Result<i64, String> {
    let number = text.strip_suffix('d').unwrap_or(text).parse::<u32>();
    number.map(i64::from).map_err(|_| "a number of days, such as 90d".to_owned())
}

pub(super) fn run(args: &ItemsArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let side = super::side(context, &repository, args.revision.as_deref())?;
    if let Some(path) = &args.explain {
        return explained(path, &side, &repository);
    }
    let all = side.items(&repository)?;
    let wanted = |item: &&ConfigurationItem| {
        args.class.is_none_or(|class| item.class == class)
            && args.kind.as_ref().is_none_or(|kind| item.kind == *kind)
            && args.expiring.is_none_or(|days| ends_before(item, context.now.plus_days(days)))
    };
    let items: Vec<&ConfigurationItem> = all.iter().filter(wanted).collect();
    let width = items.iter().map(|item| item.path.to_string().chars().count()).max().unwrap_or(0).min(60);
    let mut text: String = items.iter().map(|item| human::item(item, width)).collect();
    if items.is_empty() {
        let _ = writeln!(text, "no items in {}", side.name.escape_debug());
    }
    let answer = json!({
        "schema": "git-baseline/items/1",
        "commit": side.commit.to_string(),
        "verified": side.is_verified(),
        "ruleset": RULE_SET,
        "items": items.into_iter().map(json::item).collect::<Vec<_>>(),
    });
    Ok(Answer::done(answer, text).ending(Exit::Done))
}

/// Says why one file is of its kind.
fn explained(path: &str, side: &Side, repository: &Repository) -> Result<Answer, Failure> {
    let Some(bytes) = repository.file(side.tree, &RepoPath::new(path))? else {
        let message = format!("{} has no file {}", side.name.escape_debug(), path.escape_debug());
        return Err(Failure::new(Exit::Usage, "GB-PATH-UNKNOWN", message).hint("git baseline items"));
    };
    let reasons = recognize::explain(&RepoPath::new(path), &bytes);
    let mut text = String::new();
    for reason in &reasons {
        let _ = writeln!(text, "{}", reason.escape_debug());
    }
    let answer = json!({
        "schema": "git-baseline/explanation/1",
        "commit": side.commit.to_string(),
        "verified": side.is_verified(),
        "path": path,
        "reasons": reasons,
    });
    Ok(Answer::done(answer, text))
}

fn ends_before(item: &ConfigurationItem, moment: Timestamp) -> bool {
    let end = ["not_after", "valid_before", "expires", "next_update"].iter().find_map(|name| item.facts.text(name));
    end.and_then(Timestamp::parse).is_some_and(|end| end <= moment)
}
