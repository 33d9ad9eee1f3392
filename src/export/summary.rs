//! A delta in plain words: the lines that stand in a note, in `log` and in `diff`.
//!
//! Deterministic and free of control characters; never here: colour, or any value that a recogniser withheld.

use crate::domain::{ComponentDelta, ConfigurationItem, Fact, FactChange, ItemDelta, ItemOperation};

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
        lines.extend(delta.fact_changes().iter().map(|change| format!("    {}", fact_line(change))));
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
    let words = words(delta).map(|words| format!(": {words}")).unwrap_or_default();
    format!("{} {}{from} ({}){words}", operation.as_str(), item.path, item.kind)
}

/// Returns one line for a fact's change.
pub fn fact_line(change: &FactChange) -> String {
    match (&change.before, &change.after) {
        (Some(Fact::List(before)), Some(Fact::List(after))) => {
            let gone = before.iter().filter(|value| !after.contains(value)).map(|value| format!(" -{value}"));
            let come = after.iter().filter(|value| !before.contains(value)).map(|value| format!(" +{value}"));
            let parts: String = gone.chain(come).collect();
            let name = change.name.escape_debug();
            if parts.is_empty() { format!("{name}: another order") } else { format!("{name}:{parts}") }
        }
        (before, after) => {
            let show = |value: &Option<Fact>| value.as_ref().map_or_else(|| "(none)".to_owned(), Fact::to_string);
            format!("{}: {} → {}", change.name.escape_debug(), show(before), show(after))
        }
    }
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

/// Says what happened in the field's own words, where there are any.
pub fn words(delta: &ItemDelta) -> Option<&'static str> {
    let (Some(before), Some(after)) = (&delta.before, &delta.after) else { return None };
    let fact = |item: &'_ ConfigurationItem, name: &str| item.facts.find(name).cloned();
    let same = |name: &str| fact(before, name) == fact(after, name);
    if before.declared != after.declared && before.git_id == after.git_id {
        return Some(if after.declared {
            "now declared by a rule"
        } else {
            "no longer declared by any rule (weakened)"
        });
    }
    if before.facts == after.facts && before.kind == after.kind && !before.facts.is_empty() {
        return Some(if before.git_id == after.git_id { "content unchanged" } else { "no semantic change" });
    }
    if before.kind == after.kind && fact(after, "serial").is_some() && !same("fingerprint_sha256") {
        return Some(match (same("spki_sha256"), same("issuer")) {
            (true, true) => "renewed, same key",
            (true, false) => "reissued by another authority, same key",
            (false, true) => "renewed, new key",
            (false, false) => "replaced: new key, another authority",
        });
    }
    let key_changed = ["spki_sha256", "fingerprint"].iter().any(|name| fact(after, name).is_some() && !same(name));
    match (before.facts.flag("encrypted"), after.facts.flag("encrypted")) {
        (Some(true), Some(false)) => Some("decrypted in place (weakened)"),
        (Some(false), Some(true)) => Some("encrypted in place"),
        _ if key_changed => Some("key replaced"),
        _ => None,
    }
}
