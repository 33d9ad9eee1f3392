//! A delta in lines: those that stand in a note, in `log` and in `diff`.
//!
//! Deterministic and free of control characters; never here: colour, or any value that a recogniser withheld.

use super::words::{change_lines, headline};
use crate::domain::{ComponentDelta, ItemDelta, ItemOperation};

/// No more changes than these are spelled out in a note.
const MOST_LINES: usize = 60;

/// Returns the summary of a commit's delta; it ends with a line feed.
pub fn summary(items: &[ItemDelta], components: &[ComponentDelta]) -> String {
    if items.is_empty() && components.is_empty() {
        return "baseline: no item or component changed\n".to_owned();
    }
    let mut lines: Vec<String> = Vec::new();
    for delta in items {
        lines.push(format!("  {}", item_line(delta)));
        lines.extend(change_lines(delta).into_iter().map(|line| format!("    {line}")));
    }
    lines.extend(components.iter().map(|delta| format!("  {}", component_line(delta))));
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("  … and {more} more lines in the record"));
    }
    let head = format!("baseline: {}, {}", count(items.len(), "item"), count(components.len(), "component"));
    // Five dashes would look like armour.
    format!("{head} changed\n{}\n", lines.join("\n")).replace("-----", "- - -")
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Returns one line for an item's change, such as `changed a.pem (x509-certificate): renewed, same key`.
pub fn item_line(delta: &ItemDelta) -> String {
    let operation = delta.operation();
    let Some(item) = delta.item() else { return String::new() };
    let from = match (&delta.before, operation) {
        (Some(before), ItemOperation::Renamed) => format!(" from {}", before.path),
        _ => String::new(),
    };
    let words = headline(delta).map(|words| format!(": {words}")).unwrap_or_default();
    format!("{} {}{from} ({}){words}", operation.as_str(), item.path, item.kind)
}

/// Returns one line for a component's change.
pub fn component_line(delta: &ComponentDelta) -> String {
    let purl = |state: &Option<crate::domain::ComponentState>| {
        state.as_ref().map(|state| state.purl.escape_debug().to_string()).unwrap_or_default()
    };
    match delta.operation() {
        "added" => format!("added {}", purl(&delta.after)),
        "removed" => format!("removed {}", purl(&delta.before)),
        "altered" => format!("altered {}: other hashes at the same version", purl(&delta.after)),
        _ => format!("changed {} → {}", purl(&delta.before), purl(&delta.after)),
    }
}
