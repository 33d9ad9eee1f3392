//! `status`: where control stands here and now (R09).

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::hooks;
use crate::cli::context::{Answer, Context};
use crate::cli::{human, json};
use crate::jobs::{Failure, Log, check_staged, unrecorded};
use crate::store::{Access, Repository};

/// Show what is staged, what has no record yet, and how hooks and trust stand
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline status")]
pub(in crate::cli) struct StatusArgs {}

pub(super) fn run(_args: &StatusArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let staged = if repository.is_bare() { None } else { Some(check_staged(&repository, context.now)?) };
    let control = control(context, &repository)?;
    let hooks = if repository.is_bare() { Vec::new() } else { hooks::states(context)? };
    let mut text = String::new();
    let _ = writeln!(text, "{}", control.text);
    if let Some(staged) = &staged {
        for finding in &staged.findings {
            text.push_str(&human::finding(finding, context.colors()));
        }
        let _ = writeln!(text, "staged: {} items changed, {}", staged.items, human::counts(&staged.findings));
        if staged.policy.change_control.required && staged.items > 0 {
            let trailer = &staged.policy.change_control.trailer;
            let _ =
                writeln!(text, "  this commit must name its change request: git commit --trailer \"{trailer}: ID\"");
        }
    }
    match control.unrecorded {
        Some(0) => text.push_str("records: every commit since the last release has one\n"),
        Some(count) => {
            let _ = writeln!(text, "records: {count} commits have none; next: git baseline record");
        }
        None => {}
    }
    let missing: Vec<&str> = hooks.iter().filter(|(_, state)| *state != "installed").map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        let _ = writeln!(text, "hooks: not installed: {}; next: git baseline hooks install", missing.join(", "));
    }
    let value = json!({
        "schema": "git-baseline/status/1",
        "staged": staged.as_ref().map(|staged| json!({
            "items": staged.items,
            "stops": staged.stops,
            "findings": staged.findings.iter().map(json::finding).collect::<Vec<_>>(),
            "change_request_required": staged.policy.change_control.required,
        })),
        "baseline": control.fingerprint,
        "pinned": control.pinned,
        "unrecorded": control.unrecorded,
        "hooks": hooks.iter().map(|(name, state)| json!({ "name": name, "state": state })).collect::<Vec<_>>(),
    });
    Ok(Answer::done(value, text))
}

struct Control {
    text: String,
    fingerprint: Option<String>,
    pinned: bool,
    unrecorded: Option<usize>,
}

fn control(context: &Context, repository: &Repository) -> Result<Control, Failure> {
    let Some(mut log) = Log::find(repository)? else {
        let text = "no baseline here; next: git baseline init --product NAME".to_owned();
        return Ok(Control { text, fingerprint: None, pinned: false, unrecorded: None });
    };
    let claimed = log.claimed_fingerprint()?;
    match log.trust(&context.anchor(None)?) {
        Ok(trust) => {
            let missing = unrecorded(repository, &log, &trust, repository.head_commit()?)?.len();
            let text = format!(
                "baseline of {}, trust pinned, {} releases",
                trust.root().product.escape_debug(),
                log.release_names().len()
            );
            let text = match log.pending.len() {
                0 => text,
                count => format!("{text}\npending: {count} statements wait for `git baseline checkpoint`"),
            };
            Ok(Control { text, fingerprint: Some(claimed.to_string()), pinned: true, unrecorded: Some(missing) })
        }
        Err(failure) if failure.code == "GB-TRUST-UNPINNED" => {
            let text = format!(
                "a baseline that is not pinned here; next: git baseline trust pin {claimed}, once it is confirmed"
            );
            Ok(Control { text, fingerprint: Some(claimed.to_string()), pinned: false, unrecorded: None })
        }
        Err(failure) => Err(failure),
    }
}
