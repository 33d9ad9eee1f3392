//! Saved rules of iptables, and what rules of all packet filters have in common.
//!
//! Format: iptables-save(8). Never here: counters or comments, which let nobody in.

use std::collections::BTreeMap;

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] =
    &[Kind { name: "iptables-save", class: ItemClass::AccessControl, looks: looks_iptables, read: read_iptables }];

/// How many rules one rule with sets may stand for in the facts.
const MOST_OF_ONE: usize = 64;

/// Notes how many rules there are, and each of them once for every port and address of its sets: so a port that comes
/// into a set is one rule more, and no other rule.
pub(super) fn set_rules(rules: &[String], reading: &mut Reading) {
    reading.facts.set("rules", i64::try_from(rules.len()).unwrap_or(i64::MAX));
    if !rules.is_empty() {
        reading.facts.set("rule_list", rules.iter().flat_map(|rule| spread(rule)).collect::<Vec<_>>());
    }
}

/// `tcp dport { 22, 80 } accept` and `--dports 22,80` as one rule a port. Maps, whose entries have a `:`, stay whole.
fn spread(rule: &str) -> Vec<String> {
    let (mut open, mut done) = (vec![rule.to_owned()], Vec::new());
    while let Some(rule) = open.pop() {
        match set_of(&rule) {
            Some((head, members, tail)) if open.len() + done.len() + members.len() <= MOST_OF_ONE => {
                open.extend(members.iter().rev().map(|member| format!("{head}{member}{tail}")));
            }
            _ => done.push(rule),
        }
    }
    done
}

/// What stands before the first set, its members, and what stands behind it.
fn set_of(rule: &str) -> Option<(&str, Vec<&str>, &str)> {
    let split = |inner: &'_ str| inner.contains(',') && !inner.contains(':');
    let (from, inner, to) = if let Some(at) = rule.find("dports ") {
        let from = at + "dports ".len();
        let to = rule.get(from..)?.find(' ').map_or(rule.len(), |length| from + length);
        (from, rule.get(from..to)?, to)
    } else {
        let from = rule.find("{ ")?;
        let to = rule.get(from..)?.find('}')? + from + 1;
        (from, rule.get(from + 1..to - 1)?, to)
    };
    let members: Vec<&str> = inner.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    (split(inner) && members.len() > 1).then_some((rule.get(..from)?, members, rule.get(to..)?))
}

/// A rule without its counters and its comment, which let nobody in.
pub(super) fn plain_rule(words: &[&str]) -> String {
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

/// Says whether a rule names every address as a source, for a port that is no web server's.
pub(super) fn open_to_everyone(rule: &str) -> bool {
    let words: Vec<&str> = rule.split_whitespace().collect();
    let place = |keys: &[&str]| words.iter().position(|word| keys.contains(word)).map(|at| at + 1);
    let after = |keys: &[&str]| place(keys).and_then(|at| words.get(at)).copied().unwrap_or_default();
    let accepts = words.last() == Some(&"accept") || after(&["-j", "--jump"]) == "ACCEPT";
    let source = after(&["saddr", "-s", "--source", "--src"]);
    let everyone = ["0.0.0.0/0", "::/0"].contains(&source) && !words.contains(&"!");
    let Some(at) = place(&["dport", "--dport", "--dports", "--destination-port"]) else { return false };
    let ports = words.get(at..).unwrap_or_default();
    let ports = match ports.first() {
        // `{ 80, 443 }`
        Some(&"{") => ports.split(|word| *word == "}").next().unwrap_or_default(),
        _ => ports.get(..1).unwrap_or_default(),
    };
    let mut names = ports.iter().flat_map(|word| word.split(',')).filter(|word| !["", "{"].contains(word));
    accepts && everyone && !names.all(|port| PUBLIC_PORTS.contains(&port))
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
            if open_to_everyone(&rule) {
                reading.observe("firewall-open-world", line, format!("{}: open to everyone", rule.escape_debug()));
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
    set_rules(&rules, &mut reading);
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
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
        let saved = "*filter\n:INPUT DROP [0:0]\n[3:9] -A INPUT -s 0.0.0.0/0 -p tcp -m tcp --dport 443 -m comment --comment \"a b\" -j ACCEPT\nCOMMIT\n";
        let wanted = ["filter INPUT: -s 0.0.0.0/0 -p tcp -m tcp --dport 443 -j ACCEPT"];
        assert_eq!(facts("a.v4", saved).find("rule_list"), Some(&wanted.to_vec().into()));
        assert_eq!(rules("a.v4", saved), []);
        assert_eq!(rules("a.v4", &saved.replace("443", "5432")), [("firewall-open-world", Some(3))]);
    }

    #[test]
    fn a_rule_is_spread_over_its_sets() {
        let wanted = [
            "c: ip saddr a tcp dport 1 x",
            "c: ip saddr a tcp dport 2 x",
            "c: ip saddr b tcp dport 1 x",
            "c: ip saddr b tcp dport 2 x",
        ];
        assert_eq!(super::spread("c: ip saddr { a, b } tcp dport { 1, 2 } x"), wanted);
        assert_eq!(
            super::spread("c: -m multiport --dports 1,2 -j X"),
            ["c: -m multiport --dports 1 -j X", "c: -m multiport --dports 2 -j X"]
        );
        for whole in
            ["c: iif vmap { lo : accept, eth0 : drop }", "c: tcp dport { 1 } x", "c: {", "c: { a, b", "c: --dports "]
        {
            assert_eq!(super::spread(whole), [whole]);
        }
        let many = format!("c: {{ {} }}", vec!["a"; 100].join(", "));
        assert_eq!(super::spread(&many).len(), 1);
    }

    #[test]
    fn web_servers_may_be_open_to_everyone() {
        for (rule, open) in [
            ("ip saddr 0.0.0.0/0 tcp dport { 80, 443 } accept", false),
            ("ip saddr 0.0.0.0/0 tcp dport { 22, 443 } accept", true),
            ("ip6 saddr ::/0 tcp dport ssh accept", true),
            ("ip saddr 0.0.0.0/0 tcp dport 22 drop", false),
            ("-s 0.0.0.0/0 -p tcp -m multiport --dports 80,443 -j ACCEPT", false),
            ("! -s 0.0.0.0/0 -p tcp --dport 22 -j ACCEPT", false),
            ("tcp dport 22 accept", false),
        ] {
            assert_eq!(super::open_to_everyone(rule), open, "{rule}");
        }
    }

    #[test]
    fn tables_of_other_things_are_not_taken() {
        for text in ["*filter your coffee\n", "*nat\nis a table\n"] {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
