//! Headers of HTTP: which sources a policy lets in, which origins may read, how long TLS is demanded.
//!
//! CSP 3, the Fetch standard, RFC 6797. Never here: whether a browser obeys.

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, plain_line, values};
use super::network::compare_reach;
use crate::domain::{Fact, FactChange, Facts};

pub(super) fn tell(account: &mut Account<'_>) {
    for change in account.untold() {
        if !change.name.starts_with("headers") {
            continue;
        }
        for part in parts(&change) {
            let (direction, why) = judge(&part);
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            account.say(direction, format!("{}{why}", plain_line(&part)));
        }
        account.mark(change.name);
    }
}

/// A map that came or went, told by what stands in it.
fn parts(change: &FactChange) -> Vec<FactChange> {
    let inner = |facts: &Facts, gone: bool| {
        let all = facts.iter().flat_map(|(name, fact)| {
            let (before, after) = if gone { (Some(fact.clone()), None) } else { (None, Some(fact.clone())) };
            parts(&FactChange { name: format!("{}.{name}", change.name), before, after })
        });
        all.collect()
    };
    match (&change.before, &change.after) {
        (None, Some(Fact::Map(facts))) => inner(facts, false),
        (Some(Fact::Map(facts)), None) => inner(facts, true),
        _ => vec![change.clone()],
    }
}

fn judge(change: &FactChange) -> (Direction, &'static str) {
    let name = change.name.as_str();
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    if name.contains("content-security-policy-report-only") {
        return (Neutral, "");
    }
    if let Some((_, directive)) = name.rsplit_once("content-security-policy.") {
        return judge_directive(directive, change, &old, &new);
    }
    match name.rsplit('.').next().unwrap_or_default() {
        "strict-transport-security" => by(&old, &new, &|text| max_age(text)),
        "access-control-allow-origin" if new.is_empty() => (Hardened, ""),
        "access-control-allow-origin" if old.is_empty() => (Weakened, "another origin may read"),
        "access-control-allow-origin" => match (old == ["*"], new == ["*"]) {
            (_, true) => (Weakened, "every origin may read"),
            (true, _) => (Hardened, ""),
            _ => (Neutral, "another origin may read"),
        },
        "access-control-allow-credentials" => by(&old, &new, &|text| i64::from(text != "true")),
        "access-control-allow-methods" | "access-control-allow-headers" => {
            (compare_reach(&list(&old), &list(&new)), "")
        }
        "x-frame-options" => by(&old, &new, &|text| match text.to_ascii_uppercase().as_str() {
            "DENY" => 2,
            "SAMEORIGIN" => 1,
            _ => 0,
        }),
        _ if old.is_empty() => (Hardened, ""),
        _ if new.is_empty() => (Weakened, ""),
        _ => (Neutral, ""),
    }
}

/// Compares two values by a number that grows with the protection; a header that is absent has none.
fn by(old: &[String], new: &[String], rank: &dyn Fn(&str) -> i64) -> (Direction, &'static str) {
    let of = |values: &[String]| values.first().map(|text| rank(text));
    let direction = match (of(old), of(new)) {
        (Some(old), Some(new)) if new < old => Weakened,
        (Some(old), Some(new)) if new > old => Hardened,
        (Some(old), None) if old > 0 => Weakened,
        (None, Some(new)) if new > 0 => Hardened,
        (None, Some(0)) => Weakened,
        _ => Neutral,
    };
    (direction, "")
}

fn max_age(value: &str) -> i64 {
    let lower = value.to_ascii_lowercase();
    let rest = lower.split("max-age=").nth(1).unwrap_or_default().trim_start_matches('"');
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

fn list(values: &[String]) -> Vec<String> {
    values.iter().flat_map(|value| value.split(',')).map(|part| part.trim().to_ascii_lowercase()).collect()
}

/// A directive holds back what it does not name, so one that comes hardens; a source that comes lets more in.
fn judge_directive(name: &str, change: &FactChange, old: &[String], new: &[String]) -> (Direction, &'static str) {
    let switch = ["upgrade-insecure-requests", "block-all-mixed-content"].contains(&name);
    let reports = ["report-uri", "report-to"].contains(&name);
    let guard = |source: &str| source == "'none'" || source.starts_with("'nonce-") || source.starts_with("'sha");
    match (&change.before, &change.after) {
        _ if reports => (Neutral, ""),
        (None, _) => (Hardened, "what it does not name is held back"),
        (_, None) => (Weakened, "nothing is held back any more"),
        _ if switch => (Neutral, ""),
        _ => {
            let (gone, come) = gone_and_come(old, new);
            let loose = |list: &[&str]| list.iter().any(|source| !guard(source));
            match (loose(&come), loose(&gone)) {
                (true, _) => (Weakened, "more sources let in"),
                (false, true) => (Hardened, "fewer sources let in"),
                (false, false) if come.contains(&"'none'") => (Hardened, ""),
                _ => (Neutral, ""),
            }
        }
    }
}
