//! `status`: where control stands here and now (R09).

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::hooks;
use crate::cli::context::{Answer, Context};
use crate::cli::{human, json};
use crate::domain::ChangeId;
use crate::jobs::{Failure, Log, ReleaseStatus, Releases, Requests, Trust, check_staged, unrecorded, waiting};
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
        "pending": control.pending,
        "open_changes": control.open,
        "hooks": hooks.iter().map(|(name, state)| json!({ "name": name, "state": state })).collect::<Vec<_>>(),
    });
    Ok(Answer::done(value, text))
}

struct Control {
    pending: usize,
    open: Vec<String>,
    text: String,
    fingerprint: Option<String>,
    pinned: bool,
    unrecorded: Option<usize>,
}

/// Returns the change requests that no release in force has sealed.
fn open_changes(log: &Log<'_>, trust: &Trust) -> Result<Vec<String>, Failure> {
    let standing = Releases::of(log, trust)?.standing;
    let sealed = |id: &ChangeId| {
        let released = standing.iter().filter(|release| release.status == ReleaseStatus::Released);
        released.flat_map(|release| &release.release().changes).any(|change| change.id == *id)
    };
    let requests = Requests::of(log, trust)?;
    let open = requests.all().map(|stored| &stored.request.id).filter(|id| !sealed(id));
    Ok(open.map(ToString::to_string).collect())
}

fn control(context: &Context, repository: &Repository) -> Result<Control, Failure> {
    let Some(mut log) = Log::find(repository)? else {
        let text = "no baseline here; next: git baseline init --product NAME".to_owned();
        return Ok(Control { text, pending: 0, open: Vec::new(), fingerprint: None, pinned: false, unrecorded: None });
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
            let mut text = text;
            if !log.pending.is_empty() {
                let _ = write!(text, "\npending: {} statements wait for `git baseline checkpoint`", log.pending.len());
            }
            for proposal in waiting(&log, &trust) {
                let version = proposal.root.as_ref().map_or(0, |root| root.version);
                let _ = write!(text, "\ntrust root {version} waits for signatures: `git baseline trust sign`");
            }
            let open = open_changes(&log, &trust)?;
            if !open.is_empty() {
                let _ = write!(text, "\nopen changes: {}; next: git baseline changes", open.join(", "));
            }
            let (pending, fingerprint) = (log.pending.len(), Some(claimed.to_string()));
            Ok(Control { pending, open, text, fingerprint, pinned: true, unrecorded: Some(missing) })
        }
        Err(failure) if failure.code == "GB-TRUST-UNPINNED" => {
            let text = format!(
                "a baseline that is not pinned here; next: git baseline trust pin {claimed}, once it is confirmed"
            );
            let (open, fingerprint) = (Vec::new(), Some(claimed.to_string()));
            Ok(Control { pending: 0, open, text, fingerprint, pinned: false, unrecorded: None })
        }
        Err(failure) => Err(failure),
    }
}
