//! What became of an external component: an older version, other content under the same version, a lower category.
//!
//! Serves requirement R14. Never here: which versions belong together (`domain::ComponentDelta`).

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::Statement;
use crate::domain::{ComponentDelta, ComponentState, Overlay, Scope, Timestamp};

/// Returns what a change did to a component, those of it as a whole first; nothing when it was added or removed.
pub fn component_statements(delta: &ComponentDelta) -> Vec<Statement> {
    let (Some(before), Some(after)) = (&delta.before, &delta.after) else { return Vec::new() };
    let mut told = Vec::new();
    for alg in delta.differing_hashes() {
        told.push(whole(Weakened, format!("hash differs at the same version ({})", alg.escape_debug())));
    }
    if delta.operation() == "downgraded" {
        told.push(whole(Weakened, "an older version".to_owned()));
    }
    if before.version() == after.version() && before.purl != after.purl {
        told.push(whole(Neutral, "the same version from elsewhere".to_owned()));
    }
    if after.hashes.is_empty() && !before.hashes.is_empty() {
        told.push(part(Weakened, "hashes: none any more".to_owned()));
    } else if delta.operation() == "revised" && before.hashes != after.hashes {
        told.push(part(Neutral, format!("hashes: {} → {}", before.hashes.len(), after.hashes.len())));
    }
    told.extend(scope(before.scope, after.scope));
    told.extend(licenses(before, after));
    told.extend(change("supplier", before.supplier.as_deref(), after.supplier.as_deref(), "another supplier"));
    told.extend(category(before.category.as_deref(), after.category.as_deref()));
    told.extend(change("support", before.support.as_deref(), after.support.as_deref(), "another level"));
    overlay(before.overlay.as_ref(), after.overlay.as_ref(), &mut told);
    told
}

fn whole(direction: Direction, text: String) -> Statement {
    Statement { text, direction, headline: true }
}

fn part(direction: Direction, text: String) -> Statement {
    Statement { text, direction, headline: false }
}

fn scope(before: Scope, after: Scope) -> Option<Statement> {
    let what = if after > before { "widened" } else { "narrowed" };
    (before != after).then(|| part(Neutral, format!("scope: {before} → {after}: {what}")))
}

fn licenses(before: &ComponentState, after: &ComponentState) -> Option<Statement> {
    let joined = |state: &ComponentState| (!state.licenses.is_empty()).then(|| state.licenses.join(", "));
    change("licenses", joined(before).as_deref(), joined(after).as_deref(), "re-licensed")
}

/// One value that became another; `what` is said where both are stated.
fn change(name: &str, before: Option<&str>, after: Option<&str>, what: &str) -> Option<Statement> {
    moved(name, before, after, Neutral, what)
}

fn moved(name: &str, before: Option<&str>, after: Option<&str>, direction: Direction, what: &str) -> Option<Statement> {
    let (direction, what) = match (before, after) {
        _ if before == after => return None,
        (None, _) => (Neutral, "now stated"),
        (_, None) => (Neutral, "no longer stated"),
        _ => (direction, what),
    };
    let show = |value: Option<&str>| value.map_or_else(|| "none".to_owned(), |text| text.escape_debug().to_string());
    Some(part(direction, format!("{name}: {} → {}: {what}", show(before), show(after))))
}

/// How much of the care for a component's security its category promises (IEC 81001-5-1).
fn promise(category: Option<&str>) -> Option<u8> {
    Some(match category? {
        "maintained" => 3,
        "supported" => 2,
        "required" => 1,
        _ => return None,
    })
}

fn category(before: Option<&str>, after: Option<&str>) -> Option<Statement> {
    let (direction, what) = match promise(after).cmp(&promise(before)) {
        std::cmp::Ordering::Less => (Weakened, "less is promised"),
        std::cmp::Ordering::Greater => (Hardened, "more is promised"),
        std::cmp::Ordering::Equal => (Neutral, "another category"),
    };
    let told = moved("category", before, after, direction, what)?;
    // One that is not stated any more promises nothing.
    Some(if after.is_none() { Statement { direction: Weakened, ..told } } else { told })
}

fn overlay(before: Option<&Overlay>, after: Option<&Overlay>, told: &mut Vec<Statement>) {
    let nothing = Overlay::default();
    let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
    let (direction, what) =
        if after.end_of_support < before.end_of_support { (Weakened, "ends earlier") } else { (Neutral, "ends later") };
    let date = |end: Option<Timestamp>| end.map(Timestamp::date);
    let (old, new) = (date(before.end_of_support), date(after.end_of_support));
    told.extend(moved("end_of_support", old.as_deref(), new.as_deref(), direction, what));
    told.extend(change("reason", before.reason.as_deref(), after.reason.as_deref(), "another reason"));
    let (old, new) = (before.anomaly_review.as_deref(), after.anomaly_review.as_deref());
    told.extend(change("anomaly_review", old, new, "another review"));
    told.extend(change("risk", before.risk.as_deref(), after.risk.as_deref(), "another assessment"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StateHash;

    fn state(version: &str) -> ComponentState {
        ComponentState {
            purl: format!("pkg:npm/a@{version}"),
            scope: Scope::Dev,
            hashes: vec![StateHash { alg: "SHA-1".into(), value: "aa".into() }],
            overlay: None,
            support: None,
            category: Some("supported".into()),
            licenses: vec!["MIT".into()],
            supplier: None,
        }
    }

    fn told(before: ComponentState, after: ComponentState) -> Vec<String> {
        let delta = ComponentDelta { before: Some(before), after: Some(after) };
        component_statements(&delta).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn other_content_at_the_same_version_is_an_alarm() {
        let after =
            ComponentState { hashes: vec![StateHash { alg: "SHA-1".into(), value: "bb".into() }], ..state("1") };
        assert_eq!(told(state("1"), after.clone()), ["hash differs at the same version (SHA-1) (weakened)"]);
        assert_eq!(told(state("0.9"), after), Vec::<String>::new());
        let without = ComponentState { hashes: vec![], ..state("1") };
        assert_eq!(told(state("1"), without), ["hashes: none any more (weakened)"]);
    }

    #[test]
    fn scope_licence_supplier_and_category_are_told() {
        let after = ComponentState {
            scope: Scope::Runtime,
            licenses: vec!["GPL-3.0-only".into()],
            category: Some("required".into()),
            supplier: Some("B\u{1b}".into()),
            ..state("1")
        };
        assert_eq!(
            told(state("2"), after),
            [
                "an older version (weakened)",
                "scope: dev → runtime: widened",
                "licenses: MIT → GPL-3.0-only: re-licensed",
                "supplier: none → B\\u{1b}: now stated",
                "category: supported → required: less is promised (weakened)",
            ]
        );
        let dropped = ComponentState { category: None, ..state("1") };
        assert_eq!(told(state("1"), dropped), ["category: supported → none: no longer stated (weakened)"]);
    }

    #[test]
    fn an_earlier_end_of_support_weakens() {
        let with = |end: &str| ComponentState {
            overlay: Some(Overlay { end_of_support: Timestamp::parse(end), ..Overlay::default() }),
            ..state("1")
        };
        let told = told(with("2027-01-01"), with("2026-06-30"));
        assert_eq!(told, ["end_of_support: 2027-01-01 → 2026-06-30: ends earlier (weakened)"]);
    }
}
