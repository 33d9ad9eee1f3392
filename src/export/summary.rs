//! A delta in lines: those that stand in a note, in `log` and in `diff`.
//!
//! Deterministic and free of control characters; never here: colour, or any value that a recogniser withheld.

use super::words::{change_lines, component_words, headline};
use crate::domain::{ComponentDelta, ComponentState, ItemDelta, ItemOperation};

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
    lines.extend(components.iter().flat_map(component_lines).map(|line| format!("  {line}")));
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

/// Returns the line of a component's change, and those below it.
pub fn component_lines(delta: &ComponentDelta) -> Vec<String> {
    let purl = |state: &Option<ComponentState>| {
        state.as_ref().map(|state| state.purl.escape_debug().to_string()).unwrap_or_default()
    };
    let (old, new, operation) = (purl(&delta.before), purl(&delta.after), delta.operation());
    let (headline, below) = component_words(delta);
    let words = headline.map(|words| format!(": {words}")).unwrap_or_default();
    let line = if old == new || new.is_empty() || old.is_empty() {
        format!("{operation} {}{words}", if new.is_empty() { old } else { new })
    } else {
        format!("{operation} {old} → {new}{words}")
    };
    std::iter::once(line).chain(below.into_iter().map(|line| format!("  {line}"))).collect()
}
