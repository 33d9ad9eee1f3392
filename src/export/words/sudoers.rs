//! sudoers(5): which commands, as whom, on which hosts, and without which question.

use std::collections::BTreeSet;

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, map, signed, values};
use crate::domain::Facts;
use crate::domain::Show as _;

/// Tags that take a barrier away.
const LOOSE_TAGS: [&str; 6] = ["EXEC", "NOLOG_INPUT", "NOLOG_OUTPUT", "NOPASSWD", "NOINTERCEPT", "SETENV"];
/// Switches under `Defaults` that protect, without their value.
const GUARDS: [&str; 12] = [
    "always_set_home",
    "authenticate",
    "env_reset",
    "fqdn",
    "ignore_dot",
    "log_input",
    "log_output",
    "logfile",
    "noexec",
    "requiretty",
    "secure_path",
    "use_pty",
];

pub(super) fn tell(account: &mut Account<'_>) {
    if account.after.kind != "sudoers" {
        return;
    }
    account.mark("rules");
    let (before, after) = (&account.before.facts, &account.after.facts);
    let users: BTreeSet<&str> = before.iter().chain(after.iter()).map(|(name, _)| name).collect();
    for user in users {
        match (map(before, user), map(after, user)) {
            (Some(old), Some(new)) if old != new => tell_user(account, user, old, new),
            (None, Some(grant)) => {
                account.say(Weakened, format!("{}: granted {}", user.shown(), describe(grant)));
                account.mark(user);
            }
            (Some(grant), None) => {
                account.say(Hardened, format!("{}: no longer granted {}", user.shown(), describe(grant)));
                account.mark(user);
            }
            _ => {}
        }
    }
    if let Some(change) = account.change("Defaults") {
        let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
        let (gone, come) = gone_and_come(&old, &new);
        for (sign, option) in gone.iter().map(|text| ('-', text)).chain(come.iter().map(|text| ('+', text))) {
            let direction = judge_default(option);
            let direction = if sign == '-' { direction.opposite() } else { direction };
            account.say(direction, format!("Defaults: {sign}{}", option.shown()));
        }
        account.mark("Defaults");
    }
    // The lines say how grants are written; that counts where nothing else was told, since the last one that fits wins.
    if !account.is_unspoken() {
        account.mark("lines");
    }
}

fn judge_default(option: &str) -> Direction {
    let (off, name) = match option.strip_prefix('!') {
        Some(name) => (true, name),
        None => (false, option),
    };
    let name = name.split(['=', '+', '-', ' ']).next().unwrap_or_default();
    let direction = match name {
        _ if GUARDS.contains(&name) => Hardened,
        "visiblepw" | "setenv" | "env_keep" => Weakened,
        _ => Neutral,
    };
    if off { direction.opposite() } else { direction }
}

fn describe(grant: &Facts) -> String {
    let list = |name: &str| values(grant.find(name)).join(", ").shown().to_string();
    let part = |name: &str, before: &str| {
        let text = list(name);
        if text.is_empty() { text } else { format!("{before}{text}") }
    };
    format!("{}{}{}{}", list("commands"), part("run_as", " as "), part("hosts", " on "), part("tags", " with "))
}

fn tell_user(account: &mut Account<'_>, user: &str, before: &Facts, after: &Facts) {
    for part in ["commands", "tags", "run_as", "hosts"] {
        let (old, new) = (before.find(part), after.find(part));
        if old == new {
            continue;
        }
        let (was, is) = (values(old), values(new));
        let name = format!("{user}.{part}");
        let (gone, come) = gone_and_come(&was, &is);
        let all = |list: &[String]| list.iter().any(|entry| entry == "ALL");
        for (sign, entries) in [('+', come), ('-', gone)] {
            if entries.is_empty() {
                continue;
            }
            let given = sign == '+';
            let direction = match part {
                "tags" => tags(&entries),
                // A command behind `!` is taken away, and what ALL held already is nothing new.
                _ if all(if given { &was } else { &is }) && !entries.iter().any(|entry| entry.starts_with('!')) => {
                    Neutral
                }
                _ if entries.iter().all(|entry| entry.starts_with('!')) => Hardened,
                _ => Weakened,
            };
            let direction = if given { direction } else { direction.opposite() };
            let text = signed(sign, &entries);
            let what = match (part, given) {
                ("tags", _) => "",
                (_, true) => ": granted",
                (_, false) => ": no longer granted",
            };
            account.say(direction, format!("{}:{text}{what}", name.shown()));
        }
        account.mark(name);
    }
}

fn tags(tags: &[&str]) -> Direction {
    match tags.iter().any(|tag| LOOSE_TAGS.contains(tag)) {
        true => Weakened,
        false if tags.iter().all(|tag| *tag == "MAIL" || *tag == "NOMAIL" || *tag == "FOLLOW") => Neutral,
        false => Hardened,
    }
}
