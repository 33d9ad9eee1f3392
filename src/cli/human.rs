//! Text for people: short lines, aligned where it helps, everything from a repository escaped.

use std::fmt::Write as _;

use crate::domain::{ConfigurationItem, Fact, Finding, Severity, Timestamp};
use crate::export;
use crate::jobs::{CheckStatus, Event, Failure, Freshness, Happened, Verdict, Verification};

/// Wraps text in a colour, or leaves it.
pub(super) fn paint(text: &str, code: &str, colors: bool) -> String {
    if colors { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// Returns `error[CODE]: …` with causes and hint; `unknown[CODE]` where nothing could be concluded.
pub(super) fn failure(failure: &Failure, colors: bool) -> String {
    let (word, code) =
        if failure.exit == crate::jobs::Exit::Inconclusive { ("unknown", "33") } else { ("error", "31") };
    let mut text =
        format!("{}: {}\n", paint(&format!("{word}[{}]", failure.code), code, colors), clean(&failure.message));
    for cause in &failure.causes {
        let _ = writeln!(text, " cause: {}", clean(cause));
    }
    if let Some(hint) = &failure.hint {
        let _ = writeln!(text, " hint: {}", clean(hint));
    }
    text
}

/// Removes control characters that a repository may have smuggled in.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Returns `finding[rule]: …` with place and hint.
pub(super) fn finding(finding: &Finding, colors: bool) -> String {
    let color = match finding.severity {
        Severity::Critical | Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low | Severity::Info => "36",
    };
    let place = match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!(", at {path}:{line}"),
        (Some(path), None) => format!(", at {path}"),
        _ => String::new(),
    };
    let head = paint(&format!("{}[{}]", finding.severity, finding.rule), color, colors);
    let mut text = format!("{head}: {}{place}\n", clean(&finding.message));
    if let Some(deviation) = &finding.deviation {
        let state = if deviation.in_force { "accepted by" } else { "not accepted: nothing signed counts of" };
        let _ = writeln!(text, " deviation: {state} {}, until {}", deviation.id, deviation.expires.date());
    }
    if !finding.hint.is_empty() {
        let _ = writeln!(text, " hint: {}", clean(&finding.hint));
    }
    text
}

/// Returns an item's one line: path, kind, and its most telling facts.
pub(super) fn item(item: &ConfigurationItem, width: usize) -> String {
    let told: Vec<String> = TELLING
        .iter()
        .filter_map(|name| item.facts.find(name).map(|value| format!("{name} {}", shorten(value))))
        .take(3)
        .collect();
    let undeclared = if item.declared { "" } else { "  (not declared)" };
    let secret = if item.digest.is_none() { "  (holds a secret in clear)" } else { "" };
    format!("{:width$}  {:<22} {}{undeclared}{secret}\n", item.path.to_string(), item.kind, told.join(", "))
}

const TELLING: [&str; 10] = [
    "subject",
    "not_after",
    "type",
    "algorithm",
    "bits",
    "fingerprint",
    "comment",
    "PermitRootLogin",
    "rules",
    "chains",
];

fn shorten(value: &Fact) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { text.chars().take(59).chain(['…']).collect() } else { text }
}

/// Returns the line above the events of one commit: who, when, under which change request, in which release.
pub(super) fn event_head(event: &Event, colors: bool) -> String {
    let changes = event.changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let because = if changes.is_empty() { String::new() } else { format!("  [{changes}]") };
    let release = event.release.as_ref().map(|release| format!("  (release {release})")).unwrap_or_default();
    let id = paint(&event.commit.short(), "33", colors);
    format!(
        "{id} {} {}{because}{release}
",
        event.time.date(),
        clean(&event.author)
    )
}

/// Returns one event of a history with its facts.
pub(super) fn event(event: &Event) -> String {
    let lines = match &event.happened {
        Happened::Item(delta) => {
            let below = export::change_lines(delta).into_iter().map(|line| format!("  {line}"));
            std::iter::once(export::item_line(delta)).chain(below).collect()
        }
        Happened::Component(change) => export::component_lines(&change.delta),
    };
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "  {}", clean(&line));
    }
    text
}

/// Returns the verdict and its checks. A proven target gets the word only where nothing beside it failed: a script
/// that looks for the word must not find it in an answer that is not 0 (contract §4).
pub(super) fn verification(report: &Verification, all_proven: bool, colors: bool) -> String {
    let (word, color) = match report.verdict() {
        Verdict::Verified if all_proven => ("verified", "32"),
        Verdict::Verified => ("holds", "32"),
        Verdict::Refused => ("REFUSED", "31"),
        Verdict::Inconclusive => ("INCONCLUSIVE", "33"),
    };
    let mut text = format!("{} {}\n", clean(&report.target), paint(word, color, colors));
    for check in &report.checks {
        let mark = match check.status {
            CheckStatus::Passed => "ok     ",
            CheckStatus::Failed => "FAILED ",
            CheckStatus::Unknown => "unknown",
        };
        let _ = writeln!(text, "  {mark} {:<14} {}", check.id, clean(&check.detail));
    }
    for void in report.void.iter().take(MOST_SIGN_OFFS) {
        let _ = writeln!(text, "  void    {}", clean(void));
    }
    if report.verdict() == Verdict::Verified {
        for shown in report.sign_offs.iter().take(MOST_SIGN_OFFS) {
            let said = &shown.sign_off;
            let _ = writeln!(
                text,
                "  signed by {} ({}), {} as {}, time claimed {}",
                clean(&said.printed_name),
                said.person,
                said.meaning,
                said.role,
                said.time
            );
        }
        if report.sign_offs.len() > MOST_SIGN_OFFS {
            let _ = writeln!(text, "  … and {} sign-offs more", report.sign_offs.len() - MOST_SIGN_OFFS);
        }
        let _ = writeln!(text, "  {}", freshness(&report.freshness));
    }
    text
}

/// No more sign-offs than these are shown; `signatures` shows all.
const MOST_SIGN_OFFS: usize = 60;

/// Says what is known of how new the log is.
pub(super) fn freshness(freshness: &Freshness) -> String {
    let moment = |time: u64| Timestamp::from_seconds(i64::try_from(time).unwrap_or(i64::MAX));
    if let Some(quorum) = freshness.quorum {
        let names: Vec<_> = freshness.witnesses.iter().map(|(operator, _)| clean(operator)).collect();
        return format!("as new as {}, which {} witnessed", moment(quorum), names.join(", "));
    }
    let witnessed: Vec<String> = freshness
        .witnesses
        .iter()
        .map(|(operator, time)| format!("; {} saw it at {}", clean(operator), moment(*time)))
        .collect();
    match freshness.seen {
        Some(size) => format!("continues the log of {size} statements seen before{}", witnessed.concat()),
        None => format!("as of this log only, freshness unknown{}", witnessed.concat()),
    }
}

/// Returns how many findings there are, worst first.
pub(super) fn counts(findings: &[Finding]) -> String {
    let standing = || findings.iter().filter(|finding| finding.stands());
    let count = |severity: Severity| standing().filter(|finding| finding.severity == severity).count();
    let mut told: Vec<String> = Severity::ALL
        .into_iter()
        .filter(|severity| count(*severity) > 0)
        .map(|severity| format!("{} {severity}", count(severity)))
        .collect();
    let deviated = findings.len() - standing().count();
    told.extend((deviated > 0).then(|| format!("{deviated} accepted by deviations")));
    if told.is_empty() { "no findings".to_owned() } else { format!("findings: {}", told.join(", ")) }
}
