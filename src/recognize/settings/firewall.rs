//! Packet filters: nft(8) rule sets and the output of iptables-save(8).
//!
//! What a chain does with a packet that no rule takes is the fact that matters most. Never here: counters.

use std::collections::BTreeMap;

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "nftables", class: ItemClass::AccessControl, looks: looks_nft, read: read_nft },
    Kind { name: "iptables-save", class: ItemClass::AccessControl, looks: looks_iptables, read: read_iptables },
];

const FAMILIES: [&str; 6] = ["inet", "ip", "ip6", "arp", "bridge", "netdev"];

fn looks_nft(file: &File<'_>) -> Likeness {
    let named = file.name() == "nftables.conf" || file.has_ending("nft");
    Likeness::named_or(named, || {
        file.first_lines(&['#']).next().is_some_and(|line| {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("flush"), Some(what)) => what.trim_end_matches(';') == "ruleset",
                (Some("table"), Some(family)) => FAMILIES.contains(&family) && file.head_holds("chain"),
                (Some("add"), Some("table")) => true,
                (Some("define"), Some(_)) => file.holds("\ntable ") && file.head_holds("chain "),
                _ => false,
            }
        })
    })
}

/// A chain that the kernel hands packets to.
struct Chain {
    name: String,
    hook: String,
    policy: Option<String>,
    line: u32,
    closed: bool,
}

fn read_nft(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut chains: Vec<Chain> = Vec::new();
    let (mut table, mut chain) = (String::new(), String::new());
    let (mut rules, mut tables) = (Vec::new(), 0_i64);
    for (line, text) in file.lines(&['#']) {
        let text = text.split(" # ").next().unwrap_or_default();
        let text = text.strip_prefix("add ").unwrap_or(text);
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == ';').filter(|w| !w.is_empty()).collect();
        let words = words.as_slice();
        match words {
            ["table", rest @ ..] => {
                let named: Vec<&str> = rest.iter().copied().take_while(|word| *word != "{").collect();
                // The family is `ip` where none is named.
                table = if named.len() == 1 { format!("ip {}", named.concat()) } else { named.join(" ") };
                tables += 1;
            }
            ["chain", rest @ ..] => {
                let named: Vec<&str> = rest.iter().copied().take_while(|word| *word != "{").collect();
                chain = if named.len() > 1 { named.join(" ") } else { format!("{table} {}", named.concat()) };
                if let Some(at) = words.iter().position(|word| *word == "type") {
                    chains.extend(base_chain(&chain, words.get(at..).unwrap_or_default(), line));
                }
            }
            ["type", "filter" | "nat" | "route", "hook", ..] => chains.extend(base_chain(&chain, words, line)),
            ["policy", verdict, ..] => {
                if let Some(last) = chains.last_mut() {
                    last.policy = Some((*verdict).to_owned());
                    last.line = line;
                }
            }
            [
                "{" | "}" | "flush" | "set" | "map" | "elements" | "define" | "include" | "flags" | "delete"
                | "elements={",
                ..,
            ]
            | [] => {}
            _ => {
                let (place, rule) = match words {
                    // `rule inet filter input tcp dport 22 accept`
                    ["rule", family, of, chain, rule @ ..] if FAMILIES.contains(family) => {
                        (format!("{family} {of} {chain}"), rule)
                    }
                    ["rule", of, chain, rule @ ..] => (format!("ip {of} {chain}"), rule),
                    rule => (chain.clone(), rule),
                };
                let rule = plain_rule(rule);
                if let Some(source) = open_to_everyone(&rule) {
                    let message = format!("{}: {source}", rule.escape_debug());
                    reading.observe("firewall-open-world", line, message);
                }
                rules.push(format!("{place}: {rule}"));
                let ends = matches!(words, ["drop" | "reject", ..] | ["counter" | "log", "drop" | "reject", ..]);
                if let Some(last) = chains.last_mut().filter(|last| last.name == chain) {
                    last.closed = ends;
                }
            }
        }
    }
    if tables == 0 && rules.is_empty() {
        return None;
    }
    let mut policies = Facts::new();
    for chain in chains {
        let policy = chain.policy.as_deref().unwrap_or("accept");
        if policy == "accept"
            && chain.policy.is_some()
            && !chain.closed
            && ["input", "forward"].contains(&chain.hook.as_str())
        {
            let name = chain.name.escape_debug();
            reading.observe("firewall-default-accept", chain.line, format!("{name} accepts what no rule takes"));
        }
        policies.set(chain.name, policy);
    }
    reading.observations.sort_by_key(|seen| seen.line);
    reading.facts.set("chains", policies);
    set_rules(rules, &mut reading);
    Some(reading)
}

fn set_rules(rules: Vec<String>, reading: &mut Reading) {
    reading.facts.set("rules", i64::try_from(rules.len()).unwrap_or(i64::MAX));
    if !rules.is_empty() {
        reading.facts.set("rule_list", rules);
    }
}

/// A rule without its counters and its comment, which let nobody in.
fn plain_rule(words: &[&str]) -> String {
    let mut plain: Vec<&str> = Vec::new();
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        match word {
            "packets" | "bytes" | "-c" | "--set-counters" => drop(words.next()),
            "comment" | "--comment" => {
                // A quoted comment may hold blanks.
                let quoted =
                    |word: &str| word.starts_with(['"', '\'']) && !(word.len() > 1 && word.ends_with(['"', '\'']));
                if words.next().is_some_and(quoted) {
                    while words.next().is_some_and(|word| !word.ends_with(['"', '\''])) {}
                }
                if plain.ends_with(&["-m"]) {
                    plain.pop();
                }
            }
            "-m" if words.peek() == Some(&"comment") => drop(words.next()),
            word => plain.push(word),
        }
    }
    plain.join(" ")
}

/// Ports that nobody should reach from everywhere; web servers' are not among them.
const PUBLIC_PORTS: [&str; 4] = ["80", "443", "http", "https"];

/// Says that a rule names every address as a source, for a port that is no web server's.
fn open_to_everyone(rule: &str) -> Option<&'static str> {
    let words: Vec<&str> = rule.split_whitespace().map(|word| word.trim_matches(['{', '}', ','])).collect();
    let after =
        |keys: &[&str]| words.iter().position(|word| keys.contains(word)).and_then(|at| words.get(at + 1)).copied();
    let accepts = words.last() == Some(&"accept") || after(&["-j", "--jump"]) == Some("ACCEPT");
    let source = after(&["saddr", "-s", "--source", "--src"])?;
    let everyone = ["0.0.0.0/0", "::/0"].contains(&source) && !rule.contains("! -s");
    let port = after(&["dport", "--dport", "--dports", "--destination-port"])?;
    let web = port.split(',').all(|port| PUBLIC_PORTS.contains(&port));
    (accepts && everyone && !web).then_some("open to everyone")
}

/// `type filter hook input priority 0 policy accept`
fn base_chain(name: &str, words: &[&str], line: u32) -> Option<Chain> {
    let after =
        |key| words.iter().position(|word| *word == key).and_then(|at| words.get(at + 1)).map(|w| (*w).to_owned());
    let filters = after("type").as_deref() == Some("filter");
    let hook = after("hook")?;
    let hook = if filters { hook } else { format!("{hook} without filter") };
    Some(Chain { name: name.to_owned(), hook, policy: after("policy"), line, closed: false })
}

fn looks_iptables(file: &File<'_>) -> Likeness {
    let first = file.first_lines(&['#']).next().unwrap_or_default();
    let table = ["*filter", "*nat", "*mangle", "*raw", "*security"].contains(&first);
    if table && file.holds("COMMIT") { Likeness::Maybe } else { Likeness::None }
}

fn read_iptables(file: &File<'_>) -> Option<Reading> {
    let mut table = "";
    let mut chains: BTreeMap<String, (&str, u32, bool)> = BTreeMap::new();
    let mut reading = Reading::default();
    let mut rules = Vec::new();
    for (line, text) in file.lines(&['#']) {
        if let Some(name) = text.strip_prefix('*') {
            table = name;
        } else if let Some(chain) = text.strip_prefix(':') {
            let mut words = chain.split_whitespace();
            let (name, policy) = (words.next()?, words.next()?);
            chains.insert(format!("{table} {name}"), (policy, line, false));
        } else if let Some(at) = text.find("-A ") {
            let words: Vec<&str> = text.get(at..).unwrap_or_default().split_whitespace().collect();
            let rule = plain_rule(words.get(2..).unwrap_or_default());
            if let Some(source) = open_to_everyone(&rule) {
                reading.observe("firewall-open-world", line, format!("{}: {source}", rule.escape_debug()));
            }
            rules.push(format!("{table} {}: {rule}", words.get(1).copied().unwrap_or_default()));
            let closes = matches!(words.as_slice(), [_, _, "-j", "DROP" | "REJECT", ..]);
            let name = format!("{table} {}", words.get(1).copied().unwrap_or_default());
            if let Some((_, _, closed)) = chains.get_mut(&name) {
                *closed = closes;
            }
        } else if text != "COMMIT" {
            return None;
        }
    }
    let mut policies = Facts::new();
    for (name, (policy, line, closed)) in chains {
        if policy == "ACCEPT" && !closed && ["filter INPUT", "filter FORWARD"].contains(&name.as_str()) {
            let message = format!("{} accepts what no rule takes", name.escape_debug());
            reading.observe("firewall-default-accept", line, message);
        }
        // Chains of one's own have no policy, which is written `-`.
        if policy != "-" {
            policies.set(name, policy);
        }
    }
    reading.observations.sort_by_key(|seen| seen.line);
    reading.facts.set("chains", policies);
    set_rules(rules, &mut reading);
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use crate::domain::Fact;

    #[test]
    fn an_input_chain_that_accepts_by_default_is_told() {
        let text = "table ip t {\n chain in { type filter hook input priority 0; policy accept; }\n chain out {\n  \
                    type filter hook output priority 0; policy accept;\n }\n}\n";
        assert_eq!(rules("a.nft", text), [("firewall-default-accept", Some(2))]);
        let facts = facts("x", text);
        let Some(Fact::Map(chains)) = facts.find("chains") else { panic!("{facts:?}") };
        assert_eq!(chains.text("ip t in"), Some("accept"));
    }

    #[test]
    fn a_chain_that_drops_by_policy_or_last_rule_is_silent() {
        let text = "flush ruleset\ntable inet f {\n chain input {\n  type filter hook input priority filter\n  policy drop\n }\n \
                    chain forward {\n  type filter hook forward priority 0; policy accept;\n  ct state established accept\n  \
                    counter drop\n }\n}\n";
        assert_eq!(rules("x", text), []);
    }

    #[test]
    fn saved_tables_of_iptables_are_read_without_counters() {
        let text = "# Generated\n*filter\n:INPUT ACCEPT [1:2]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:mine - [0:0]\n\
                    [5:6] -A INPUT -p tcp --dport 22 -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n";
        assert_eq!(rules("rules.v4", text), [("firewall-default-accept", Some(3))]);
        let chains = facts("rules.v4", text).find("chains").map(ToString::to_string);
        assert_eq!(chains.as_deref(), Some("[filter FORWARD=ACCEPT, filter INPUT=ACCEPT, filter OUTPUT=ACCEPT]"));
    }

    #[test]
    fn rules_are_facts_without_counters_and_comments() {
        let nft = "table inet f {\n chain in {\n  type filter hook input priority 0; policy drop;\n  ip saddr 0.0.0.0/0 tcp dport 5432 \
                   counter packets 1 bytes 60 accept comment \"a b\"\n }\n}\nadd rule ip nat out oif eth0 masquerade # why\n";
        let wanted = ["inet f in: ip saddr 0.0.0.0/0 tcp dport 5432 counter accept", "ip nat out: oif eth0 masquerade"];
        assert_eq!(facts("a.nft", nft).find("rule_list"), Some(&wanted.to_vec().into()));
        assert_eq!(rules("a.nft", nft), [("firewall-open-world", Some(4))]);
        let saved = "*filter\n:INPUT DROP [0:0]\n[3:9] -A INPUT -s 0.0.0.0/0 -p tcp -m tcp --dport 443 -m comment --comment \"a b\" -j ACCEPT\nCOMMIT\n";
        let wanted = ["filter INPUT: -s 0.0.0.0/0 -p tcp -m tcp --dport 443 -j ACCEPT"];
        assert_eq!(facts("a.v4", saved).find("rule_list"), Some(&wanted.to_vec().into()));
        assert_eq!(rules("a.v4", saved), []);
        assert_eq!(rules("a.v4", &saved.replace("443", "5432")), [("firewall-open-world", Some(3))]);
    }

    #[test]
    fn tables_of_other_things_are_not_taken() {
        for text in ["table ip of contents\n", "*filter your coffee\n", "flush the pipes\n"] {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
