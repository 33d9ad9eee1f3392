//! Where a system gets its time and its randomness from: chrony, ntpd, systemd-timesyncd, and the feeders of entropy.
//!
//! Logs, validity of certificates and keys rest on both (NIST SP 800-53 SC-45, SP 800-90B). Never here: a key of NTP,
//! which stands in a file of its own.

use std::collections::BTreeSet;

use super::file::{File, unquoted};
use super::{Kind, Likeness, Reading};
use crate::domain::ItemClass;

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "time-config", class: ItemClass::Hardening, looks: looks_time, read: read_time },
    Kind { name: "entropy-config", class: ItemClass::Hardening, looks: looks_entropy, read: read_entropy },
];

/// Words that begin a line of chrony or ntpd.
const WORDS: [&str; 58] = [
    "acquisitionport",
    "allow",
    "authselectmode",
    "bindacqaddress",
    "bindaddress",
    "bindcmdaddress",
    "broadcast",
    "broadcastclient",
    "cmdallow",
    "cmddeny",
    "cmdport",
    "confdir",
    "crypto",
    "deny",
    "disable",
    "driftfile",
    "enable",
    "filegen",
    "fudge",
    "hwtimestamp",
    "include",
    "includefile",
    "initstepslew",
    "interface",
    "keyfile",
    "keys",
    "leapfile",
    "leapsectz",
    "local",
    "lock_all",
    "log",
    "logchange",
    "logconfig",
    "logdir",
    "logfile",
    "makestep",
    "maxdistance",
    "maxslewrate",
    "maxupdateskew",
    "minsources",
    "nts",
    "ntsdumpdir",
    "ntsservercert",
    "ntsserverkey",
    "peer",
    "pidfile",
    "pool",
    "port",
    "refclock",
    "restrict",
    "rtcsync",
    "server",
    "sourcedir",
    "statistics",
    "statsdir",
    "tinker",
    "tos",
    "trustedkey",
];

/// Names of the files that feed the kernel's pool, under `default` or `sysconfig`.
const FEEDERS: [&str; 5] = ["haveged", "jitterentropy", "rng-tools", "rng-tools-debian", "rngd"];

fn looks_time(file: &File<'_>) -> Likeness {
    let named = matches!(file.name(), "chrony.conf" | "ntp.conf" | "ntpd.conf" | "timesyncd.conf")
        || file.is_under("chrony") && (file.has_ending("conf") || file.has_ending("sources"))
        || file.is_under("timesyncd.conf.d") && file.has_ending("conf");
    Likeness::named_or(named, || {
        let mut sources = 0;
        let all = file.first_lines(&['#', '!', ';', '%']).all(|line| {
            let word = line.split_whitespace().next().unwrap_or_default();
            sources += usize::from(matches!(word, "server" | "pool") && line.split_whitespace().nth(1).is_some());
            WORDS.binary_search(&word).is_ok()
        });
        all && sources > 1
    })
}

fn read_time(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut sources, mut allowed, mut restricted) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut weakest = None;
    for (_, line) in file.lines(&['#', '!', ';', '%']) {
        if line.starts_with('[') {
            continue;
        }
        if let Some((name, value)) = line.split_once('=') {
            if matches!(name.trim(), "NTP" | "FallbackNTP") {
                sources.extend(value.split_whitespace().map(str::to_owned));
                weakest = Some("none");
            }
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let rest = words.get(1..).unwrap_or_default().join(" ");
        match words.first().copied()? {
            word @ ("server" | "pool" | "peer") => {
                let has = |option: &str| words.iter().any(|word| word.eq_ignore_ascii_case(option));
                let proof = if has("nts") {
                    "nts"
                } else if has("key") || has("autokey") {
                    "key"
                } else {
                    "none"
                };
                let order = ["none", "key", "nts"];
                let place = |name: &str| order.iter().position(|known| *known == name);
                weakest = weakest.filter(|known| place(known) <= place(proof)).or(Some(proof));
                sources.push(format!("{word} {}", words.get(1)?));
            }
            "allow" | "cmdallow" => drop(allowed.insert(format!("{} {rest}", words.first()?).trim().to_owned())),
            "restrict" => restricted.push(rest),
            "makestep" | "minsources" | "authselectmode" | "tinker" => {
                reading.facts.set(*words.first()?, rest);
            }
            // Programs grow words; one that we do not know makes the rest no less true.
            _ => {}
        }
    }
    reading.facts.set("servers", sources);
    reading.facts.set_some("authentication", weakest);
    reading.facts.set("allow", allowed.into_iter().collect::<Vec<_>>());
    reading.facts.set("restrict", restricted);
    Some(reading)
}

fn looks_entropy(file: &File<'_>) -> Likeness {
    let place = file.is_under("default") || file.is_under("sysconfig");
    if place && FEEDERS.contains(&file.name()) { Likeness::Maybe } else { Likeness::None }
}

fn read_entropy(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    for (_, line) in file.lines(&['#']) {
        let (name, value) = line.split_once('=')?;
        reading.facts.set(name.trim(), unquoted(value.trim()));
    }
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of};
    use super::*;

    #[test]
    fn words_can_be_searched() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn sources_say_how_they_prove_themselves() {
        let text = "server time.example.org iburst nts\npool ntp.example.org key 3\nallow 10.0.0.0/8\nmakestep 1.0 3\nrtcsync\n";
        let found = facts("etc/chrony/chrony.conf", text);
        assert_eq!(found.find("servers").unwrap().to_string(), "[server time.example.org, pool ntp.example.org]");
        assert_eq!((found.text("authentication"), found.text("makestep")), (Some("key"), Some("1.0 3")));
        let newer = facts("etc/chrony/chrony.conf", "server a nts\nratelimit interval 3\n");
        assert_eq!(newer.text("authentication"), Some("nts"));
        let found = facts("etc/systemd/timesyncd.conf", "[Time]\nNTP=a.example.org b.example.org\n");
        assert_eq!(found.text("authentication"), Some("none"));
    }

    #[test]
    fn other_lists_of_servers_are_none() {
        let two = "server a\nserver b\n";
        assert_eq!(kind_of("x.conf", two).as_deref(), Some("time-config"));
        for text in ["server a\n", "server a\nlisten 80\nserver b\n", "upstream a {\n server b;\n server c;\n}\n"] {
            assert_ne!(kind_of("x.conf", text).as_deref(), Some("time-config"), "{text}");
        }
    }

    #[test]
    fn feeders_of_entropy_are_known_by_their_place() {
        let text = "# the device\nHRNGDEVICE=/dev/hwrng\nRNGDOPTIONS=\"-W 80%\"\n";
        assert_eq!(facts("etc/default/rng-tools", text).text("HRNGDEVICE"), Some("/dev/hwrng"));
        assert_eq!(kind_of("rng-tools", text).as_deref(), None);
    }
}
