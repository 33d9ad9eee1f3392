//! Who reaches what: packet filters, `pg_hba.conf`, and the comparison of sets of addresses and patterns.
//!
//! Never here: whether a rule is reached at all; what stands before it may take the packet.

use std::net::IpAddr;

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, map, plain, values};
use crate::domain::Facts;
use crate::domain::Show as _;

/// Longer lists are compared by their entries alone, since patterns cost a pair each.
pub(super) const MOST_PATTERNS: usize = 300;
/// Longer ones are compared byte by byte, since stars cost their product.
const LONGEST_PATTERN: usize = 2_048;

/// Says whether a set of addresses or patterns reaches further than another; one that does both weakens.
pub(super) fn compare_reach(before: &[String], after: &[String]) -> Direction {
    let (gone, come) = gone_and_come(before, after);
    if gone.iter().chain(&come).any(|entry| entry.starts_with('!')) {
        return Neutral;
    }
    let few = before.len().max(after.len()) <= MOST_PATTERNS;
    let is_covered = |entry: &str, by: &[String]| few && by.iter().any(|pattern| covers(pattern, entry));
    let wider = come.iter().any(|entry| !is_covered(entry, before));
    let narrower = gone.iter().any(|entry| !is_covered(entry, after));
    match (wider, narrower) {
        (true, _) => Weakened,
        (false, true) => Hardened,
        (false, false) => Neutral,
    }
}

/// Says whether everything that `narrow` stands for is in `wide`.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    if wide == narrow || wide == "*" || wide.eq_ignore_ascii_case("all") {
        return true;
    }
    match (subnet(wide), subnet(narrow)) {
        (Some((wide, bits)), Some((narrow, narrow_bits))) => {
            wide.is_ipv4() == narrow.is_ipv4() && bits <= narrow_bits && number(wide, bits) == number(narrow, bits)
        }
        _ => wide.len().max(narrow.len()) <= LONGEST_PATTERN && matches(wide.as_bytes(), narrow.as_bytes()),
    }
}

fn subnet(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

/// The first bits of an address as a number.
fn number(address: IpAddr, bits: u32) -> u128 {
    let (value, most) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32_u32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    value.checked_shr(most.saturating_sub(bits)).unwrap_or(0)
}

/// Shell patterns: `*` for any run, `?` for one byte. A pattern's own `*` is matched by `*` alone.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(seen) {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at, seen));
                at += 1;
            }
            Some(b'?') if *byte != b'*' => (at, seen) = (at + 1, seen + 1),
            Some(wanted) if wanted == byte => (at, seen) = (at + 1, seen + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (at, seen) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

pub(super) fn tell(account: &mut Account<'_>) {
    if account.is_one_of(&["nftables", "iptables-save", "ufw", "firewalld"]) {
        tell_packets(account);
    } else if account.is_one_of(&["k8s-network-policy"]) {
        tell_peers(account);
    } else if account.is_one_of(&["pg-hba"]) {
        tell_lines(account, "lines", judge_login);
    }
}

/// Says of every line of a list that came or went which way it moves the protection.
pub(super) fn tell_lines(account: &mut Account<'_>, name: &str, judge: fn(&str) -> (Direction, &'static str)) {
    let Some(change) = account.change(name) else { return };
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    let (gone, come) = gone_and_come(&old, &new);
    if gone.is_empty() && come.is_empty() {
        return account.say_change(&change, Neutral, "the first that fits decides");
    }
    for line in gone {
        let (direction, what) = judge(line);
        account.say(direction.opposite(), format!("{name}: -{}: {what} no more", plain(line)));
    }
    for line in come {
        let (direction, what) = judge(line);
        account.say(direction, format!("{name}: +{}: {what}", plain(line)));
    }
    account.mark(name);
}

fn judge_login(line: &str) -> (Direction, &'static str) {
    let words = || line.split_whitespace();
    match () {
        () if words().any(|word| word == "reject") => (Hardened, "refused"),
        () if words().any(|word| word == "trust") => (Weakened, "let in without a password"),
        () if words().any(|word| word == "password") => (Weakened, "let in by a password in clear"),
        () => (Weakened, "let in"),
    }
}

fn tell_packets(account: &mut Account<'_>) {
    for change in account.untold() {
        if let Some(chain) = change.name.strip_prefix("chains.") {
            let verdict = |side: &Option<_>| values(side.as_ref()).concat().to_ascii_lowercase();
            let rank = |verdict: &str| match verdict {
                "accept" => Some(0),
                "drop" | "reject" => Some(1),
                _ => None,
            };
            let (old, new) = (verdict(&change.before), verdict(&change.after));
            let direction = match (rank(&old), rank(&new)) {
                (Some(1) | None, Some(0)) if !old.is_empty() => Weakened,
                (Some(1), None) => Weakened,
                (Some(0) | None, Some(1)) => Hardened,
                _ => Neutral,
            };
            let why = match new.as_str() {
                "" => format!("chain {} is gone", chain.shown()),
                "accept" => "what no rule takes is let in".to_owned(),
                _ => "what no rule takes is kept out".to_owned(),
            };
            account.say_change(&change, direction, &why);
        }
    }
    if account.change("rule_list").is_some() {
        // The count is that of the list.
        account.mark("rules");
    }
    for name in ["rules", "accepts", "open", "rule_list"] {
        let is_list = account.change(name).is_some_and(|change| {
            values(change.after.as_ref()).iter().any(|v| v.contains(' '))
                || values(change.before.as_ref()).iter().any(|v| v.contains(' '))
        });
        if is_list {
            tell_lines(account, name, judge_packet);
        }
    }
}

/// Says whether every address is the source in a line about a rule.
pub(super) fn is_everyone(rule: &str) -> bool {
    let last = rule.rsplit(' ').next().unwrap_or_default();
    rule.contains("0.0.0.0/0")
        || rule.contains("::/0")
        || rule.contains("from anyone")
        || ["*", "Internet"].contains(&last)
}

/// Network policies of Kubernetes: a peer that comes is let in; that a policy isolates at all keeps the others out.
fn tell_peers(account: &mut Account<'_>) {
    let (before, after) = (&account.before.facts, &account.after.facts);
    let empty = Facts::new();
    let (old, new) = (map(before, "policies").unwrap_or(&empty), map(after, "policies").unwrap_or(&empty));
    for (name, is) in new.iter() {
        // A policy that came or went is told by its name.
        let Some(was) = old.find(name) else { continue };
        let (was, is) = (values(Some(was)), values(Some(is)));
        let (gone, come) = gone_and_come(&was, &is);
        let name = name.shown();
        for (sign, line) in gone.iter().map(|line| ('-', line)).chain(come.iter().map(|line| ('+', line))) {
            let direction = match line.split(' ').next() {
                Some("ingress" | "egress") => Weakened,
                Some("isolates") => Hardened,
                _ => Neutral,
            };
            let direction = if sign == '-' { direction.opposite() } else { direction };
            let what = match (sign, is_everyone(&line.replace(" on ", " "))) {
                ('+', true) => ": open to everyone",
                _ => "",
            };
            account.say(direction, format!("policies.{name}: {sign}{}{what}", line.shown()));
        }
    }
    account.mark("policies");
}

fn judge_packet(rule: &str) -> (Direction, &'static str) {
    let mut words = rule.split(|c: char| c.is_whitespace() || c == ';');
    let port = rule.contains("dport");
    match words.find_map(|word| match word.to_ascii_lowercase().as_str() {
        "accept" | "allow" => Some(true),
        "drop" | "reject" | "deny" => Some(false),
        _ => None,
    }) {
        Some(true) if port && is_everyone(rule) => (Weakened, "port open to everyone"),
        Some(true) if port => (Weakened, "port open"),
        Some(true) => (Weakened, "let in"),
        Some(false) if port => (Hardened, "port closed"),
        Some(false) => (Hardened, "kept out"),
        None => (Neutral, "in force"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(before: &[&str], after: &[&str]) -> Direction {
        let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        compare_reach(&own(before), &own(after))
    }

    #[test]
    fn addresses_and_patterns_are_compared_by_what_they_reach() {
        assert_eq!(reach(&["10.0.0.0/8"], &["0.0.0.0/0"]), Weakened);
        assert_eq!(reach(&["10.0.0.0/8"], &["10.1.0.0/16"]), Hardened);
        assert_eq!(reach(&["10.0.0.0/8"], &["11.0.0.0/8"]), Weakened);
        assert_eq!(reach(&["2001:db8::/32"], &["2001:db8:1::/48"]), Hardened);
        assert_eq!(reach(&["s3:Get*"], &["s3:GetObject"]), Hardened);
        assert_eq!(reach(&["s3:GetObject"], &["s3:*"]), Weakened);
        assert_eq!(reach(&["s3:*", "s3:GetObject"], &["s3:*"]), Neutral);
        assert_eq!(reach(&["a?"], &["a*"]), Weakened);
        assert_eq!(reach(&["a*"], &["a?"]), Hardened);
        assert_eq!(reach(&["a"], &["a", "!b"]), Neutral);
    }
}
