//! nft(8) rule sets: tables, the chains that the kernel hands packets to, rules and the sets that they name.
//!
//! What a chain does with a packet that no rule takes is the fact that matters most. Never here: counters or comments.

use super::file::File;
use super::firewall::{open_to_everyone, plain_rule, set_rules};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] =
    &[Kind { name: "nftables", class: ItemClass::AccessControl, looks: looks_nft, read: read_nft }];

const FAMILIES: [&str; 6] = ["inet", "ip", "ip6", "arp", "bridge", "netdev"];

/// Words that open a block of statements; every other brace holds a set.
const BLOCKS: [&str; 12] =
    ["table", "chain", "set", "map", "meter", "flowtable", "counter", "quota", "limit", "ct", "secmark", "synproxy"];

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

/// One step of a rule set, with the line where it begins.
#[derive(Debug, PartialEq)]
enum Step {
    Open(String),
    Close,
    Statement(String),
}

/// Splits a rule set at line ends, `;` and the braces of blocks; sets and texts stay whole.
fn steps(text: &str) -> Vec<(u32, Step)> {
    let mut steps = Vec::new();
    let mut part = String::new();
    let (mut line, mut begun, mut sets) = (1_u32, 1_u32, 0_usize);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if part.trim().is_empty() {
            begun = line;
        }
        match c {
            '"' => {
                part.push(c);
                while let Some(inner) = characters.next_if(|inner| *inner != '\n') {
                    part.push(inner);
                    if inner == '"' {
                        break;
                    }
                }
            }
            '#' => while characters.next_if(|inner| *inner != '\n').is_some() {},
            '\\' if matches!(characters.peek(), Some('\n' | '\r')) => {
                while let Some(end) = characters.next_if(|end| ['\r', '\n'].contains(end)) {
                    line += u32::from(end == '\n');
                }
                part.push(' ');
            }
            '{' if sets > 0 || !opens_block(&part) => {
                sets += 1;
                part.push_str("{ ");
            }
            '{' => steps.push((begun, Step::Open(std::mem::take(&mut part)))),
            '}' if sets > 0 => {
                sets -= 1;
                part.push_str(" }");
            }
            '}' | ';' | '\n' if sets == 0 => {
                let whole = std::mem::take(&mut part);
                if !whole.trim().is_empty() {
                    steps.push((begun, Step::Statement(whole)));
                }
                if c == '}' {
                    steps.push((line, Step::Close));
                }
            }
            '\n' => part.push(' '),
            c => part.push(c),
        }
        line = line.saturating_add(u32::from(c == '\n'));
    }
    if !part.trim().is_empty() {
        steps.push((begun, Step::Statement(part)));
    }
    steps
}

fn opens_block(head: &str) -> bool {
    let mut words = head.split_whitespace().skip_while(|word| ["add", "create"].contains(word));
    let first = words.next().unwrap_or_default();
    // `ct state { … }` and `limit rate` are parts of rules.
    let of_rule = ["ct", "limit", "counter", "quota"].contains(&first) && head.split_whitespace().count() > 3;
    BLOCKS.contains(&first) && !of_rule && !head.contains("ct state") && !head.contains("elements")
}

/// A chain that the kernel hands packets to.
struct Chain {
    name: String,
    hook: String,
    policy: Option<String>,
    line: u32,
    closed: bool,
}

/// Where in the file a statement stands.
#[derive(Clone)]
enum Scope {
    Table(String),
    Chain(String),
    Other(String),
}

#[derive(Default)]
struct Reader {
    scopes: Vec<Scope>,
    chains: Vec<Chain>,
    rules: Vec<String>,
    definitions: Vec<String>,
    hooks: Facts,
    tables: usize,
}

fn read_nft(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut reader = Reader::default();
    for (line, step) in steps(file.text()) {
        match step {
            Step::Open(head) => reader.open(&head),
            Step::Close => drop(reader.scopes.pop()),
            Step::Statement(text) => reader.statement(&text, line, &mut reading),
        }
    }
    if reader.tables == 0 && reader.rules.is_empty() {
        return None;
    }
    let mut policies = Facts::new();
    for chain in reader.chains {
        let policy = chain.policy.as_deref().unwrap_or("accept");
        if chain.policy.is_some()
            && policy == "accept"
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
    set_rules(&reader.rules, &mut reading);
    for (name, fact) in [("hooks", reader.hooks.into()), ("definitions", Fact::from(reader.definitions))] {
        if !matches!(&fact, Fact::Map(facts) if facts.is_empty()) && fact != Fact::List(Vec::new()) {
            reading.facts.set(name, fact);
        }
    }
    Some(reading)
}

impl Reader {
    fn open(&mut self, head: &str) {
        let words: Vec<&str> = head.split_whitespace().skip_while(|word| ["add", "create"].contains(word)).collect();
        let scope = match words.as_slice() {
            // The family is `ip` where none is named.
            ["table", name] => Scope::Table(format!("ip {name}")),
            ["table", names @ ..] => Scope::Table(names.join(" ")),
            ["chain", names @ ..] => Scope::Chain(self.full_name(names)),
            [_, names @ ..] => Scope::Other(self.full_name(names)),
            [] => Scope::Other(String::new()),
        };
        self.tables += usize::from(matches!(scope, Scope::Table(_)));
        self.scopes.push(scope);
    }

    /// A name alone stands in the table around it.
    fn full_name(&self, names: &[&str]) -> String {
        match (names, self.scopes.last()) {
            ([name], Some(Scope::Table(table))) => format!("{table} {name}"),
            ([table, name], _) => format!("ip {table} {name}"),
            _ => names.join(" "),
        }
    }

    fn statement(&mut self, text: &str, line: u32, reading: &mut Reading) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let scope = self.scopes.last().cloned();
        match (scope, words.as_slice()) {
            (Some(Scope::Chain(name)), ["type", rest @ ..]) => {
                self.chains.extend(base_chain(&name, rest, line));
                self.hooks.set(name, rest.join(" "));
            }
            (Some(Scope::Chain(name)), ["policy", verdict, ..]) => {
                if let Some(chain) = self.chains.iter_mut().find(|chain| chain.name == name) {
                    chain.policy = Some((*verdict).to_owned());
                    chain.line = line;
                }
            }
            (Some(Scope::Chain(_)), ["comment" | "devices" | "flags", ..]) => {}
            (Some(Scope::Chain(name)), rule) => self.rule(&name, rule, line, reading),
            (Some(Scope::Other(name)), ["elements", ..]) => {
                self.definitions.push(format!("{name}: {}", words.join(" ")));
            }
            (Some(Scope::Other(_)), _) => {}
            (_, ["add" | "create", "table", ..] | ["table", ..]) => self.tables += 1,
            (_, ["add" | "insert", "rule", family, table, chain, rule @ ..]) if FAMILIES.contains(family) => {
                self.rule(&format!("{family} {table} {chain}"), rule, line, reading);
            }
            (_, ["add" | "insert", "rule", table, chain, rule @ ..]) => {
                self.rule(&format!("ip {table} {chain}"), rule, line, reading);
            }
            (_, ["define" | "redefine" | "include" | "flush", ..] | ["add", "element", ..]) => {
                self.definitions.push(words.join(" "));
            }
            _ => {}
        }
    }

    fn rule(&mut self, chain: &str, words: &[&str], line: u32, reading: &mut Reading) {
        let rule = plain_rule(words);
        if open_to_everyone(&rule) {
            reading.observe("firewall-open-world", line, format!("{}: open to everyone", rule.escape_debug()));
        }
        let ends = matches!(words, ["drop" | "reject", ..] | ["counter" | "log", "drop" | "reject", ..]);
        if let Some(known) = self.chains.iter_mut().find(|known| known.name == chain) {
            known.closed = ends;
        }
        self.rules.push(format!("{chain}: {rule}"));
    }
}

/// `filter hook input priority 0`, after `type`.
fn base_chain(name: &str, words: &[&str], line: u32) -> Option<Chain> {
    let (kind, rest) = words.split_first()?;
    let at = rest.iter().position(|word| *word == "hook")?;
    let hook = rest.get(at + 1)?;
    let hook = if *kind == "filter" { (*hook).to_owned() } else { format!("{hook} without filter") };
    Some(Chain { name: name.to_owned(), hook, policy: None, line, closed: false })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use super::*;

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
    fn rules_and_sets_are_facts_without_counters_and_comments() {
        let text = "define LAN = 10.0.0.0/8\ntable inet f {\n set s { type ipv4_addr; elements = { 1.1.1.1,\n  2.2.2.2 } }\n \
                    chain in {\n  type filter hook input priority 0; policy drop;\n  ct state { established, related } accept\n  \
                    ip saddr 0.0.0.0/0 tcp dport {\n   5432\n  } counter packets 1 bytes 60 accept comment \"a; b\"\n }\n}\n\
                    add rule ip nat out oif eth0 masquerade # why\n";
        let wanted = [
            "inet f in: ct state established accept",
            "inet f in: ct state related accept",
            "inet f in: ip saddr 0.0.0.0/0 tcp dport { 5432 } counter accept",
            "ip nat out: oif eth0 masquerade",
        ];
        assert_eq!(facts("a.nft", text).find("rule_list"), Some(&wanted.to_vec().into()));
        assert_eq!(facts("a.nft", text).number("rules"), Some(3));
        let sets = ["define LAN = 10.0.0.0/8", "inet f s: elements = { 1.1.1.1, 2.2.2.2 }"];
        assert_eq!(facts("a.nft", text).find("definitions"), Some(&sets.to_vec().into()));
        assert_eq!(rules("a.nft", text), [("firewall-open-world", Some(8))]);
    }

    #[test]
    fn rules_added_one_by_one_belong_to_their_chains() {
        let text = "add table inet t\nadd chain inet t in { type filter hook input priority 0; policy accept; }\n\
                    add rule inet t in tcp dport 22 accept\nadd rule inet t in drop\n";
        assert_eq!(rules("a.nft", text), []);
        assert_eq!(facts("a.nft", text).list("rule_list").len(), 2);
    }

    #[test]
    fn tables_of_other_things_are_not_taken() {
        for text in ["table ip of contents\n", "flush the pipes\n"] {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
