//! Certificates, the bundles that hold them, and the lists that revoke them.
//!
//! Serves RFC 5280 §4.1.2.5 (validity), §4.2.1 (names, usages, constraints) and §5 (revocation). Certificates are
//! named by their whole fingerprint, since a prefix can be forged.

use std::collections::BTreeMap;

use super::Direction::{Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, maps, shown, signed, values};
use super::strength::digest_rank;
use crate::domain::Show as _;
use crate::domain::{Fact, Facts, Timestamp};

const DAY: i64 = 86_400;

pub(super) fn tell(account: &mut Account<'_>) {
    let (before, after) = (&account.before.facts, &account.after.facts);
    if before.find("signature_algorithm").is_none() && before.find("not_after").is_none() {
        return;
    }
    if let (Some(old), Some(new)) = (lifetime(before), lifetime(after)) {
        match old.cmp(&new) {
            std::cmp::Ordering::Less => {
                account.headline(Neutral, format!("validity lengthened from {old} to {new} days"));
            }
            std::cmp::Ordering::Greater => {
                account.headline(Neutral, format!("validity shortened from {old} to {new} days"));
            }
            std::cmp::Ordering::Equal => {}
        }
    }
    for name in ["not_after", "next_update"] {
        if let Some(change) = account.change(name) {
            let moments = (moment(before, name), moment(after, name));
            let why = match (moments, name) {
                ((Some(old), Some(new)), "not_after") => {
                    if new > old {
                        "expires later"
                    } else {
                        "expires earlier"
                    }
                }
                ((_, None), _) => "never expires",
                _ => "",
            };
            account.say_change(&change, Neutral, why);
        }
    }
    tell_key(account);
    tell_names(account);
    tell_powers(account);
}

fn moment(facts: &Facts, name: &str) -> Option<i64> {
    facts.text(name).and_then(Timestamp::parse).map(Timestamp::seconds)
}

fn lifetime(facts: &Facts) -> Option<i64> {
    Some((moment(facts, "not_after")?.checked_sub(moment(facts, "not_before")?)?) / DAY)
}

/// The key's size and the signature's algorithm.
fn tell_key(account: &mut Account<'_>) {
    let (before, after) = (&account.before.facts, &account.after.facts);
    let same_algorithm = before.find("key_algorithm") == after.find("key_algorithm");
    if let Some(change) = account.change("key_bits") {
        match (before.number("key_bits"), after.number("key_bits")) {
            (Some(old), Some(new)) if same_algorithm && new < old => {
                account.say_change(&change, Weakened, "key shortened");
            }
            (Some(old), Some(new)) if same_algorithm && new > old => {
                account.say_change(&change, Hardened, "key lengthened");
            }
            _ => account.say_change(&change, Neutral, "of another algorithm"),
        }
    }
    if let Some(change) = account.change("signature_algorithm") {
        let rank = |facts: &Facts| facts.text("signature_algorithm").map(digest_rank);
        match rank(after).cmp(&rank(before)) {
            std::cmp::Ordering::Less => account.say_change(&change, Weakened, "signature algorithm weakened"),
            std::cmp::Ordering::Greater => account.say_change(&change, Hardened, "signature algorithm strengthened"),
            std::cmp::Ordering::Equal => {}
        }
    }
}

/// The names it stands for.
fn tell_names(account: &mut Account<'_>) {
    let Some(change) = account.change("san") else { return };
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    let (gone, come) = gone_and_come(&old, &new);
    if come.iter().any(|name| name.contains('*')) {
        account.say(Weakened, format!("san:{}: added, with a wildcard", signed('+', &come)));
    } else if !come.is_empty() {
        account.say(Neutral, format!("san:{}: added", signed('+', &come)));
    }
    if !gone.is_empty() {
        account.say(Neutral, format!("san:{}: removed", signed('-', &gone)));
    }
    account.mark("san");
}

/// What it may be used for.
fn tell_powers(account: &mut Account<'_>) {
    let is_ca = account.after.facts.flag("is_ca").unwrap_or(false);
    if let Some(change) = account.change("is_ca") {
        if is_ca {
            account.say_change(&change, Weakened, "became a certificate authority");
        } else {
            account.say_change(&change, Hardened, "is no certificate authority any more");
        }
    }
    if let Some(change) = account.change("path_length") {
        let number = |fact: &Option<Fact>| match fact {
            Some(Fact::Number(number)) => *number,
            _ => i64::MAX,
        };
        let wider = number(&change.after) > number(&change.before);
        account.say_change(
            &change,
            if wider { Weakened } else { Hardened },
            if wider { "may sign longer chains" } else { "may sign shorter chains" },
        );
    }
    if let Some(change) = account.change("basic_constraints_critical").filter(|_| is_ca) {
        let critical = account.after.facts.flag("basic_constraints_critical") == Some(true);
        account.say_change(&change, if critical { Hardened } else { Weakened }, "");
    }
    for (name, great) in
        [("key_usage", ["Certificate Sign", "CRL Sign"]), ("ext_key_usage", ["Any Extended Key Usage", "OCSP Signing"])]
    {
        let Some(change) = account.change(name) else { continue };
        let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
        let (gone, come) = gone_and_come(&old, &new);
        let direction = match () {
            // Where no usage is named, none is barred.
            () if new.is_empty() || come.iter().any(|usage| great.contains(usage)) => Weakened,
            () if old.is_empty() || gone.iter().any(|usage| great.contains(usage)) => Hardened,
            () => Neutral,
        };
        account.say_change(&change, direction, "usage");
    }
}

/// Bundles, chains, key stores: which certificates came, went or took another's place.
pub(super) fn tell_bundle(account: &mut Account<'_>) {
    let (before, after) = (&account.before.facts, &account.after.facts);
    let Some(change) = account.change("certificates") else { return };
    let old: BTreeMap<&str, &Facts> = by_fingerprint(before);
    let new: BTreeMap<&str, &Facts> = by_fingerprint(after);
    if old.is_empty() || new.is_empty() {
        return;
    }
    account.mark(change.name);
    account.mark("count");
    let mut gone: BTreeMap<&str, Vec<(&str, &Facts)>> = BTreeMap::new();
    for (print, facts) in old.iter().filter(|(print, _)| !new.contains_key(*print)) {
        gone.entry(facts.text("subject").unwrap_or_default()).or_default().push((print, facts));
    }
    let mut unchanged = true;
    for (print, facts) in new.iter().filter(|(print, _)| !old.contains_key(*print)) {
        unchanged = false;
        let subject = shown(facts, "subject");
        let what = role(facts);
        let name = print.shown();
        if let Some((known, was)) = gone.get_mut(facts.text("subject").unwrap_or_default()).and_then(Vec::pop) {
            let known = known.shown();
            let key = if was.find("spki_sha256") == facts.find("spki_sha256") { "same key" } else { "new key" };
            account.say(Neutral, format!("certificates: -{known} +{name}: {what} swapped, {key}: {subject}"));
        } else {
            let direction = if is_anchor(facts) { Weakened } else { Neutral };
            account.say(direction, format!("certificates: +{name}: {what} added: {subject}"));
        }
    }
    for (print, facts) in gone.into_values().flatten() {
        unchanged = false;
        let direction = if is_anchor(facts) { Hardened } else { Neutral };
        let (print, subject) = (print.shown(), shown(facts, "subject"));
        account.say(direction, format!("certificates: -{print}: {} removed: {subject}", role(facts)));
    }
    if unchanged {
        let chain = new.values().any(|facts| facts.flag("is_ca") == Some(false));
        account.headline(Neutral, if chain { "chain in another order" } else { "re-ordered, no semantic change" });
    }
}

fn by_fingerprint(facts: &Facts) -> BTreeMap<&str, &Facts> {
    maps(facts, "certificates").filter_map(|inner| Some((inner.text("fingerprint_sha256")?, inner))).collect()
}

fn is_anchor(facts: &Facts) -> bool {
    facts.flag("is_ca") == Some(true) && facts.find("subject") == facts.find("issuer")
}

fn role(facts: &Facts) -> &'static str {
    match facts.flag("is_ca") {
        _ if is_anchor(facts) => "trust anchor",
        Some(true) => "intermediate authority",
        _ => "certificate",
    }
}

/// Revocation lists: which serials came and went, and whether the list is an older one.
pub(super) fn tell_revocations(account: &mut Account<'_>) {
    if account.after.kind != "x509-crl" {
        return;
    }
    if let Some(change) = account.change("revoked_serials") {
        let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
        let (gone, come) = gone_and_come(&old, &new);
        for serial in gone {
            account.say(Weakened, format!("revoked_serials: -{}: no longer revoked", serial.shown()));
        }
        for serial in come {
            account.say(Hardened, format!("revoked_serials: +{}: revoked", serial.shown()));
        }
        account.mark("revoked_serials");
        account.mark("revoked_count");
    }
    let number = |facts: &Facts| facts.text("crl_number").map(|hex| hex.trim_start_matches('0').to_ascii_lowercase());
    let (old, new) = (number(&account.before.facts), number(&account.after.facts));
    if let (Some(old), Some(new), Some(change)) = (old, new, account.change("crl_number")) {
        let older = (new.len(), &new) < (old.len(), &old);
        let (direction, why) = if older { (Weakened, "an older list in its place") } else { (Neutral, "issued again") };
        account.say_change(&change, direction, why);
    }
    if let Some(change) = account.change("this_update") {
        let earlier = moment(&account.after.facts, "this_update") < moment(&account.before.facts, "this_update");
        account.say_change(&change, if earlier { Weakened } else { Neutral }, "");
    }
}
