//! Says of every fact that no other family told which way it moved, where the table knows the setting.
//!
//! Never here: which settings there are; that is `table`.

use std::collections::{BTreeMap, BTreeSet};

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, values};
use super::network::covers;
use super::strength::{outdated, version_rank, weak_ones};
use super::table::{Order, ROWS, Row};
use crate::domain::Show as _;
use crate::domain::{Fact, FactChange};

pub(super) fn tell(account: &mut Account<'_>) {
    if account.after.kind == "pam" {
        tell_stack(account);
    }
    if account.after.kind == "codeowners" {
        // Patterns that came or went are told by their owners.
        if let Some(change) = account.change("order") {
            account.mark("rules");
            if is_another_order(&change) {
                account.say_change(&change, Neutral, "the last that fits decides");
            } else {
                account.mark("order");
            }
        }
    }
    if account.after.kind == "auditd-rules" {
        // A watch that came or went is told by its path.
        for change in account.untold().into_iter().filter(|change| change.name.starts_with("permissions")) {
            if change.before.is_none() || change.after.is_none() {
                account.mark(change.name);
            }
        }
    }
    if account.after.kind == "systemd-unit" {
        tell_sandbox(account);
    }
    let key_is_another = super::identity::same_key(&account.before.facts, &account.after.facts) == Some(false);
    let mut reordered = false;
    for change in account.untold() {
        let Some(row) = row(&account.after.kind, &change.name) else { continue };
        if is_set(&row.2) && is_another_order(&change) {
            account.mark(change.name);
            reordered = true;
            continue;
        }
        if row.1 == "bits" && (change.before.is_none() || change.after.is_none() || !key_is_another) {
            continue;
        }
        let (direction, why) = judge(row, &change);
        if direction != Neutral || !why.is_empty() {
            account.say_change(&change, direction, why);
        }
    }
    if reordered && account.is_silent() {
        account.headline(Neutral, "re-ordered, no semantic change");
    }
}

/// Lists whose order says nothing.
const fn is_set(order: &Order) -> bool {
    matches!(order, Order::Grants | Order::Limits | Order::Held | Order::Loose(_))
}

fn is_another_order(change: &FactChange) -> bool {
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    let (gone, come) = gone_and_come(&old, &new);
    gone.is_empty() && come.is_empty() && old.len() == new.len()
}

/// The row for a fact: its name's last part, or the map that it stands in.
fn row(kind: &str, name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|Row(kinds, wanted, ..)| {
        let named = match wanted.strip_suffix(".*") {
            Some(map) => name.strip_prefix(map).is_some_and(|rest| rest.starts_with('.')),
            None => name == *wanted || name.strip_suffix(wanted).is_some_and(|head| head.ends_with('.')),
        };
        named && (kinds.is_empty() || kinds.contains(&kind))
    })
}

/// Says which way a setting moved, and why where the values do not say it.
fn judge(row: &Row, change: &FactChange) -> (Direction, &'static str) {
    let Row(_, _, order, default) = row;
    let side = |fact: &Option<Fact>| match (fact, default) {
        (None, Some(default)) => vec![(*default).to_owned()],
        (fact, _) => values(fact.as_ref()),
    };
    let (old, new) = (side(&change.before), side(&change.after));
    match order {
        Order::Scale(steps) => (by_rank(&old, &new, |value| scale(steps, value), last(steps)), ""),
        Order::OnWeakens => (by_rank(&old, &new, switch, 1).opposite(), ""),
        Order::OnHardens => (by_rank(&old, &new, switch, 1), ""),
        Order::MoreHardens => (by_number(&old, &new), ""),
        Order::MoreWeakens => (by_number(&old, &new).opposite(), ""),
        Order::LeastProtocol => (by_rank(&old, &new, version_rank, 5), ""),
        Order::Mask => (by_mask(&old, &new), ""),
        Order::Grants => (by_entries(&old, &new, Weakened), ""),
        Order::Limits => (by_entries(&old, &new, Hardened).opposite(), ""),
        Order::Held => (by_entries(&old, &new, Neutral).opposite(), ""),
        Order::Loose(shapes) => more_or_less(&loose_ones(shapes, &old), &loose_ones(shapes, &new), "", ""),
        Order::Permissions => {
            let side = |fact: &Option<Fact>| match fact {
                // The repository's own setting holds, which may let the token write.
                None => vec!["1".to_owned()],
                fact => permissions(&values(fact.as_ref())),
            };
            (by_rank(&side(&change.before), &side(&change.after), |word| word.parse().ok(), 3), "")
        }
        Order::Algorithms => {
            more_or_less(&weak_ones(&old), &weak_ones(&new), "weak algorithm added", "weak algorithm removed")
        }
        Order::Protocols => {
            more_or_less(&outdated(&old), &outdated(&new), "outdated protocol let in", "outdated protocol barred")
        }
    }
}

fn last(steps: &[&str]) -> usize {
    steps.len().saturating_sub(1)
}

fn scale(steps: &[&str], value: &str) -> Option<usize> {
    let at = steps.iter().position(|step| step.split('|').any(|word| word.eq_ignore_ascii_case(value)));
    // A scale of one step names the weak value; every other is better.
    if steps.len() == 1 { Some(usize::from(at.is_none())) } else { at }
}

fn switch(value: &str) -> Option<usize> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" | "enabled" | "y" => Some(1),
        "no" | "false" | "off" | "0" | "disabled" | "n" => Some(0),
        // sysrq's mask and the like: something is on.
        other => other.parse::<i64>().ok().map(|_| 1),
    }
}

/// Compares two ranks. Where one side is unset and nothing holds then, an extreme value speaks for itself.
fn by_rank(old: &[String], new: &[String], rank: impl Fn(&str) -> Option<usize>, most: usize) -> Direction {
    let of = |values: &[String]| values.first().map(|value| rank(value));
    match (of(old), of(new)) {
        (Some(Some(old)), Some(Some(new))) => compare(&old, &new),
        (None, Some(Some(0))) => Weakened,
        (None, Some(Some(new))) if new >= most => Hardened,
        (Some(Some(0)), None) => Hardened,
        (Some(Some(old)), None) if old >= most => Weakened,
        _ => Neutral,
    }
}

fn compare<T: Ord>(old: &T, new: &T) -> Direction {
    match new.cmp(old) {
        std::cmp::Ordering::Less => Weakened,
        std::cmp::Ordering::Greater => Hardened,
        std::cmp::Ordering::Equal => Neutral,
    }
}

fn by_number(old: &[String], new: &[String]) -> Direction {
    match (old.first().and_then(|text| number(text)), new.first().and_then(|text| number(text))) {
        (Some(old), Some(new)) => compare(&old, &new),
        _ => Neutral,
    }
}

/// `120`, `2m`, `1h`: seconds where a unit stands behind it.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (digits, factor) = match text.as_bytes().last() {
        Some(b's' | b'S') => (text.get(..text.len() - 1)?, 1),
        Some(b'm' | b'M') => (text.get(..text.len() - 1)?, 60),
        Some(b'h' | b'H') => (text.get(..text.len() - 1)?, 3_600),
        Some(b'd' | b'D') => (text.get(..text.len() - 1)?, 86_400),
        _ => (text, 1),
    };
    digits.parse::<i64>().ok()?.checked_mul(factor)
}

fn by_mask(old: &[String], new: &[String]) -> Direction {
    let mask = |values: &[String]| values.first().and_then(|text| u32::from_str_radix(text, 8).ok());
    match (mask(old), mask(new)) {
        (Some(old), Some(new)) if old & new == new && old != new => Weakened,
        (Some(old), Some(new)) if old & new == old && old != new => Hardened,
        (Some(old), Some(new)) if old != new => Weakened,
        _ => Neutral,
    }
}

/// More entries weaken and fewer harden; `mixed` is what it means when some came and some went. For lists that
/// restrain, the answer is turned round.
fn by_entries(old: &[String], new: &[String], mixed: Direction) -> Direction {
    let (gone, come) = gone_and_come(old, new);
    match (gone.is_empty(), come.is_empty()) {
        (true, true) => Neutral,
        (true, false) => Weakened,
        (false, true) => Hardened,
        (false, false) => mixed,
    }
}

fn loose_ones(shapes: &[&str], values: &[String]) -> BTreeSet<String> {
    let is_loose = |value: &&String| shapes.iter().any(|shape| covers(shape, value));
    values.iter().filter(is_loose).cloned().collect()
}

/// Ranks what a token may do: 0 writes all, 1 writes something, 2 reads, 3 nothing.
fn permissions(values: &[String]) -> Vec<String> {
    let level = |value: &String| match value.rsplit('=').next().unwrap_or_default() {
        "write-all" => 0,
        "write" => 1,
        "read-all" | "read" => 2,
        _ => 3,
    };
    vec![values.iter().map(level).min().unwrap_or(3).to_string()]
}

/// systemd.exec(5): options by name; of those with steps it is known which protects more.
fn tell_sandbox(account: &mut Account<'_>) {
    let Some(change) = account.change("sandbox") else { return };
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    let (gone, come) = gone_and_come(&old, &new);
    let name = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let mut left: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for option in gone {
        left.entry(name(option)).or_default().push(option);
    }
    for option in come {
        if let Some(was) = left.get_mut(&name(option)).and_then(Vec::pop) {
            let direction = match (sandbox_step(was), sandbox_step(option)) {
                (Some(old), Some(new)) => compare(&old, &new),
                _ => Neutral,
            };
            account.say(direction, format!("sandbox: {} → {}", was.shown(), option.shown()));
        } else {
            account.say(Hardened, format!("sandbox: +{}", option.shown()));
        }
    }
    for option in left.into_values().flatten() {
        account.say(Weakened, format!("sandbox: -{}", option.shown()));
    }
    account.mark("sandbox");
}

fn sandbox_step(option: &str) -> Option<usize> {
    let (name, value) = option.split_once('=')?;
    let steps: &[&str] = match name {
        "ProtectSystem" => &["yes|true|on|1", "full", "strict"],
        "ProtectHome" => &["tmpfs", "read-only", "yes|true|on|1"],
        _ => return None,
    };
    scale(steps, value)
}

fn more_or_less<T: Ord>(
    old: &BTreeSet<T>,
    new: &BTreeSet<T>,
    more: &'static str,
    less: &'static str,
) -> (Direction, &'static str) {
    match (new.is_subset(old), old.is_subset(new)) {
        (true, true) => (Neutral, ""),
        (true, false) => (Hardened, less),
        (false, _) => (Weakened, more),
    }
}

/// pam.conf(5): a line that lets in whoever has no password, or that asks nothing, weakens.
fn tell_stack(account: &mut Account<'_>) {
    let Some(change) = account.change("stack") else { return };
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    let (gone, come) = gone_and_come(&old, &new);
    let loose = |lines: &[&str], mark: &str| lines.iter().any(|line| line.split_whitespace().any(|word| word == mark));
    let guards =
        ["pam_faillock.so", "pam_deny.so", "pam_pwquality.so", "pam_wheel.so", "pam_tally2.so", "pam_cracklib.so"];
    let guarded = |lines: &[&str]| lines.iter().filter(|line| guards.iter().any(|guard| line.contains(guard))).count();
    let (direction, why) = match () {
        () if loose(&come, "nullok") && !loose(&gone, "nullok") => (Weakened, "an empty password is let in"),
        () if loose(&gone, "nullok") && !loose(&come, "nullok") => (Hardened, "an empty password is no longer let in"),
        () if loose(&come, "pam_permit.so") && !loose(&gone, "pam_permit.so") => (Weakened, "let in unasked"),
        () if guarded(&come) < guarded(&gone) => (Weakened, "a barrier fell"),
        () if guarded(&come) > guarded(&gone) => (Hardened, "a barrier more"),
        () if gone.is_empty() && come.is_empty() => (Neutral, "the order decides"),
        () => (Neutral, "another stack"),
    };
    account.say_change(&change, direction, why);
    account.mark("modules");
}
