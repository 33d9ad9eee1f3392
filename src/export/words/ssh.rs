//! Who gained or lost access: authorized keys, known hosts, allowed signers, SSH certificates, `WireGuard` peers.
//!
//! Serves sshd(8), `authorized_keys`, and ssh-keygen(1) "ALLOWED SIGNERS". Never here: the keys themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, map, maps, values};
use crate::domain::Show as _;
use crate::domain::{Fact, Facts};

/// Options that give something back which others take, or that trust more than one key.
const GIVING: [&str; 9] = [
    "agent-forwarding",
    "cert-authority",
    "environment",
    "no-touch-required",
    "port-forwarding",
    "pty",
    "tunnel",
    "user-rc",
    "x11-forwarding",
];

pub(super) fn tell(account: &mut Account<'_>) {
    match account.after.kind.as_str() {
        "authorized-keys" => tell_authorized(account),
        "known-hosts" => tell_hosts(account),
        "allowed-signers" => tell_signers(account),
        "openssh-certificate" => tell_certificate(account),
        "wireguard-config" => tell_peers(account),
        _ => {}
    }
}

fn by_name<'a>(facts: &'a Facts, list: &str, name: &str) -> BTreeMap<&'a str, &'a Facts> {
    maps(facts, list).filter_map(|inner| Some((inner.text(name)?, inner))).collect()
}

fn tell_authorized(account: &mut Account<'_>) {
    let (before, after) = (&account.before.facts, &account.after.facts);
    let (old, new) = (by_name(before, "keys", "fingerprint"), by_name(after, "keys", "fingerprint"));
    let options = |facts: &Facts, print: &str| values(map(facts, "options").and_then(|all| all.find(print)));
    if account.change("keys").is_some() {
        account.mark("keys");
        account.mark("count");
        let mut told = false;
        for (print, key) in new.iter().filter(|(print, _)| !old.contains_key(*print)) {
            told = true;
            let limits = options(after, print);
            let limits = if limits.is_empty() { String::new() } else { format!(" with {}", limits.join(", ").shown()) };
            account.say(Weakened, format!("keys: +{}: gained access{limits}: {}", print.shown(), holder(key)));
        }
        for (print, key) in old.iter().filter(|(print, _)| !new.contains_key(*print)) {
            told = true;
            account.say(Hardened, format!("keys: -{}: lost access: {}", print.shown(), holder(key)));
        }
        for (print, key) in &new {
            if let Some(was) = old.get(print).filter(|was| was.find("comment") != key.find("comment")) {
                told = true;
                account.say(Neutral, format!("keys: {}: comment {} → {}", print.shown(), holder(was), holder(key)));
            }
        }
        if !told {
            account.say(Neutral, "keys: another order, nobody gained or lost access");
        }
    }
    for print in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        account.mark(format!("options.{print}"));
        if let (Some(_), Some(key)) = (old.get(print), new.get(print)) {
            let (was, is) = (options(before, print), options(after, print));
            let name = format!("options[{}]", print.shown());
            tell_options(account, &name, &was, &is, &holder(key));
        }
    }
    // The first key with options makes the fact appear as a whole, the last takes it away.
    account.mark("options");
}

fn holder(key: &Facts) -> String {
    key.text("comment").map_or_else(|| "(no comment)".to_owned(), |comment| comment.shown().to_string())
}

/// Options as `name=value`: one of the same name on both sides is a change of its value.
fn tell_options(account: &mut Account<'_>, name: &str, before: &[String], after: &[String], whose: &str) {
    let (gone, come) = gone_and_come(before, after);
    let head = |option: &str| option.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let mut left: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for option in gone {
        left.entry(head(option)).or_default().push(option);
    }
    for option in come {
        let known = left.get_mut(&head(option)).and_then(Vec::pop);
        let direction = match known {
            Some(was) => compare_option(was, option),
            None => opposite_if(GIVING.contains(&head(option).as_str()), Hardened),
        };
        let text = match known {
            Some(was) => format!("{name}: {} → {}: {whose}", was.shown(), option.shown()),
            None => format!("{name}: +{}: {whose}", option.shown()),
        };
        account.say(direction, text);
    }
    for option in left.into_values().flatten() {
        let direction = opposite_if(GIVING.contains(&head(option).as_str()), Weakened);
        account.say(direction, format!("{name}: -{}: {whose}", option.shown()));
    }
}

const fn opposite_if(turn: bool, direction: Direction) -> Direction {
    if turn { direction.opposite() } else { direction }
}

/// `from=`, `principals=` and `namespaces=` name those who may; times bound the validity.
fn compare_option(before: &str, after: &str) -> Direction {
    let (Some((name, old)), Some((_, new))) = (before.split_once('='), after.split_once('=')) else { return Neutral };
    match name.to_ascii_lowercase().as_str() {
        "from" | "principals" | "namespaces" | "permitopen" | "permitlisten" => {
            let list = |text: &str| text.trim_matches('"').split(',').map(str::to_owned).collect::<Vec<_>>();
            super::network::compare_reach(&list(old), &list(new))
        }
        "expiry-time" | "valid-before" => opposite_if(new > old, if new == old { Neutral } else { Hardened }),
        "valid-after" => opposite_if(new < old, if new == old { Neutral } else { Hardened }),
        _ => Neutral,
    }
}

fn tell_hosts(account: &mut Account<'_>) {
    if account.change("keys").is_none() {
        return;
    }
    for name in ["keys", "entries", "hashed", "revoked", "cert_authority"] {
        account.mark(name);
    }
    let (old, new) = (trusted(&account.before.facts), trusted(&account.after.facts));
    let mut gone: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
    for (host, kind, marker, print) in old.difference(&new) {
        gone.insert((host, kind, marker), print);
    }
    if old == new {
        account.say(Neutral, "keys: another order");
    }
    for (host, kind, marker, print) in new.difference(&old) {
        let (shown, print) = (host.shown(), print.shown());
        match (gone.remove(&(host.as_str(), kind.as_str(), marker.as_str())), marker.trim_start_matches('@')) {
            (Some(was), "") => {
                account.say(Neutral, format!("keys: -{} +{print}: host key of {shown} replaced", was.shown()));
            }
            (Some(was), mark) => {
                let mark = mark.shown();
                account.say(Neutral, format!("keys: -{} +{print}: {mark} key for {shown} replaced", was.shown()));
            }
            (None, "revoked") => account.say(Hardened, format!("keys: +{print}: revoked for {shown}")),
            (None, "cert-authority") => account.say(Weakened, format!("keys: +{print}: trusted to sign for {shown}")),
            (None, _) => account.say(Neutral, format!("keys: +{print}: trusted as {shown}")),
        }
    }
    for ((host, _, marker), print) in gone {
        let (direction, what) = match marker.trim_start_matches('@') {
            "revoked" => (Weakened, "no longer revoked for"),
            "cert-authority" => (Hardened, "no longer trusted to sign for"),
            _ => (Neutral, "no longer trusted as"),
        };
        account.say(direction, format!("keys: -{}: {what} {}", print.shown(), host.shown()));
    }
}

/// Host, type of key, marker and fingerprint of every entry.
fn trusted(facts: &Facts) -> BTreeSet<(String, String, String, String)> {
    let text = |key: &Facts, name: &str| key.text(name).unwrap_or_default().to_owned();
    maps(facts, "keys")
        .flat_map(|key| {
            let rest = (text(key, "type"), text(key, "marker"), text(key, "fingerprint"));
            values(key.find("hosts"))
                .into_iter()
                .map(move |host| (host, rest.0.clone(), rest.1.clone(), rest.2.clone()))
        })
        .collect()
}

fn tell_signers(account: &mut Account<'_>) {
    if account.change("signers").is_none() {
        return;
    }
    for name in ["signers", "fingerprints", "principals"] {
        account.mark(name);
    }
    let (before, after) = (&account.before.facts, &account.after.facts);
    let (old, new) = (by_name(before, "signers", "fingerprint"), by_name(after, "signers", "fingerprint"));
    let mut told = false;
    for (print, signer) in &new {
        let name = print.shown();
        let whose = values(signer.find("principals")).join(", ").shown().to_string();
        match old.get(print) {
            None => account.say(Weakened, format!("signers: +{name}: may sign as {whose}")),
            Some(was) if was == signer => continue,
            Some(was) => {
                let (was_named, is_named) = (values(was.find("principals")), values(signer.find("principals")));
                let (gone, come) = gone_and_come(&was_named, &is_named);
                for principal in come {
                    account.say(Weakened, format!("signers: {name}: may sign as {}", principal.shown()));
                }
                for principal in gone {
                    account.say(Hardened, format!("signers: {name}: may no longer sign as {}", principal.shown()));
                }
                let (was_bound, is_bound) = (values(was.find("options")), values(signer.find("options")));
                tell_options(account, &format!("signers[{name}]"), &was_bound, &is_bound, &whose);
            }
        }
        told = true;
    }
    for (print, signer) in old.iter().filter(|(print, _)| !new.contains_key(*print)) {
        told = true;
        let whose = values(signer.find("principals")).join(", ");
        account.say(Hardened, format!("signers: -{}: may no longer sign as {}", print.shown(), whose.shown()));
    }
    if !told {
        account.say(Neutral, "signers: another order");
    }
}

fn tell_certificate(account: &mut Account<'_>) {
    for (name, more) in [("principals", Weakened), ("extensions", Weakened), ("critical_options", Hardened)] {
        let Some(change) = account.change(name) else { continue };
        let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
        let (gone, come) = gone_and_come(&old, &new);
        // Without a principal it stands for everybody.
        let open = name == "principals" && new.is_empty();
        let direction = match (come.is_empty(), gone.is_empty()) {
            _ if open => Weakened,
            (true, true) => Neutral,
            (false, true) => more,
            (true, false) => more.opposite(),
            (false, false) => Weakened,
        };
        account.say_change(&change, direction, if open { "valid for every principal" } else { "" });
    }
}

fn tell_peers(account: &mut Account<'_>) {
    if account.change("peers").is_none() {
        return;
    }
    account.mark("peers");
    let (before, after) = (&account.before.facts, &account.after.facts);
    let (old, new) = (by_name(before, "peers", "public_key"), by_name(after, "peers", "public_key"));
    let route = |peer: &Facts| values(peer.find("allowed_ips")).join(", ").shown().to_string();
    for (key, peer) in &new {
        let name = key.shown();
        match old.get(key) {
            None => account.say(Weakened, format!("peers: +{name}: may connect as {}", route(peer))),
            Some(was) => {
                let list = |peer: &Facts| {
                    let text = peer.find("allowed_ips").map(Fact::to_string).unwrap_or_default();
                    text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>()
                };
                let (was_open, is_open) = (list(was), list(peer));
                if was_open != is_open {
                    let direction = super::network::compare_reach(&was_open, &is_open);
                    account.say(direction, format!("peers[{name}].allowed_ips: {} → {}", route(was), route(peer)));
                }
                if was.find("endpoint") != peer.find("endpoint") {
                    let end = |peer: &Facts| super::account::shown(peer, "endpoint");
                    account.say(Neutral, format!("peers[{name}].endpoint: {} → {}", end(was), end(peer)));
                }
            }
        }
    }
    for (key, peer) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        account.say(Hardened, format!("peers: -{}: may no longer connect as {}", key.shown(), route(peer)));
    }
}
