//! `sudoers(5)`: who may run what as whom.
//!
//! Aliases are expanded where they stand for everyone or every command. Never here: included files, or matching.

use std::collections::{BTreeMap, BTreeSet};

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[Kind { name: "sudoers", class: ItemClass::AccessControl, looks, read }];

/// Those who may run everything by custom.
const ADMINISTRATORS: [&str; 6] = ["root", "#0", "%sudo", "%admin", "%wheel", "%root"];

const ALIASES: [&str; 5] = ["User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias"];

fn looks(file: &File<'_>) -> Likeness {
    let named = file.name() == "sudoers" || file.is_under("sudoers.d");
    // `#include` looks like a comment and is none; no other line of a sudoers file is proof enough alone.
    Likeness::named_or(named, || {
        let mut sure = false;
        let plausible = file.first_lines(&['#']).all(|line| {
            let begun = line.trim_end_matches('\\');
            sure |= is_sure(begun);
            sure || is_directive(begun)
        });
        plausible && sure
    })
}

fn is_directive(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let defaults =
        first == "Defaults" || first.strip_prefix("Defaults").is_some_and(|of| of.starts_with(['@', ':', '!', '>']));
    defaults || ALIASES.contains(&first) || first == "@include" || first == "@includedir"
}

/// `who host=(as) …`, `who host=NOPASSWD: …` or `who ALL=…`: shapes that nothing else has.
fn is_sure(line: &str) -> bool {
    let Some((left, right)) = line.split_once('=') else { return false };
    let mut left = left.split_whitespace();
    let (Some(who), Some(host), None) = (left.next(), left.next(), left.next()) else { return false };
    let right = right.trim_start();
    let of_a_shell = ["export", "let", "local", "declare", "readonly", "set", "const", "var"].contains(&who);
    let run_as = right
        .strip_prefix('(')
        .and_then(|inner| inner.split_once(')'))
        .is_some_and(|(_, after)| after.trim_start().starts_with(|c: char| "/!".contains(c) || c.is_ascii_uppercase()));
    let tag = ["NOPASSWD:", "PASSWD:"].iter().any(|tag| right.starts_with(tag));
    !of_a_shell && (run_as || tag || (host == "ALL" && (right.starts_with('/') || right.starts_with("ALL"))))
}

/// What one user may do.
#[derive(Default)]
struct Grant {
    commands: BTreeSet<String>,
    tags: BTreeSet<String>,
    hosts: BTreeSet<String>,
    run_as: BTreeSet<String>,
}

fn read(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut specifications = Vec::new();
    let mut includes = Vec::new();
    let mut defaults = Vec::new();
    let whole = lines(file);
    let packed = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    reading.facts.set("lines", whole.iter().map(|(_, text)| packed(text)).collect::<Vec<_>>());
    for (line, text) in whole {
        let first = text.split_whitespace().next().unwrap_or_default();
        let rest = text.get(first.len()..).unwrap_or_default().trim();
        match first.trim_start_matches(['@', '#']) {
            "include" | "includedir" => includes.push(rest.to_owned()),
            _ if ALIASES.contains(&first) => {
                for definition in split_unescaped(rest, ':') {
                    let (name, members) = definition.split_once('=')?;
                    let members = split_unescaped(members, ',').iter().map(|member| member.trim().to_owned()).collect();
                    aliases.insert(name.trim().to_owned(), members);
                }
            }
            _ if is_directive(&text) => {
                let settings = split_unescaped(rest, ',');
                if settings
                    .iter()
                    .any(|setting| setting.split_whitespace().collect::<String>().ends_with("!authenticate"))
                {
                    reading.observe("sudo-no-authenticate", line, "no password is asked for");
                }
                defaults.push(text.get("Defaults".len()..).unwrap_or_default().trim().to_owned());
            }
            _ => specifications.push((line, text)),
        }
    }
    let known = Known::of(&aliases);
    let mut grants: BTreeMap<String, Grant> = BTreeMap::new();
    for (line, text) in &specifications {
        read_specification(*line, text, &known, &mut grants, &mut reading)?;
    }
    let grants = expanded(grants, &aliases);
    if specifications.is_empty() && defaults.is_empty() && aliases.is_empty() && includes.is_empty() {
        return None;
    }
    describe(&mut reading.facts, grants);
    if !defaults.is_empty() {
        reading.facts.set("Defaults", defaults);
    }
    if !includes.is_empty() {
        reading.facts.set("includes", includes);
    }
    reading.facts.set("rules", i64::try_from(specifications.len()).unwrap_or(i64::MAX));
    Some(reading)
}

/// Joined lines without comments; `#include` and `#1000` are no comments.
fn lines(file: &File<'_>) -> Vec<(u32, String)> {
    let mut lines = file.joined_lines(&[]);
    for (_, text) in &mut lines {
        let comment = text.match_indices('#').map(|(at, _)| at).find(|at| {
            let after = text.get(at + 1..).unwrap_or_default();
            let directive = *at == 0 && after.starts_with("include");
            !directive && !after.starts_with(|c: char| c.is_ascii_digit())
        });
        if let Some(at) = comment {
            text.truncate(at);
        }
        text.truncate(text.trim_end().len());
    }
    lines.retain(|(_, text)| !text.is_empty());
    lines
}

/// Splits at a mark that no backslash stands before and that is in no quotation marks.
fn split_unescaped(text: &str, mark: char) -> Vec<&str> {
    let (mut escaped, mut quoted) = (false, false);
    text.split(move |c: char| {
        let splits = c == mark && !escaped && !quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        splits
    })
    .collect()
}

fn read_specification(
    line: u32,
    text: &str,
    known: &Known<'_>,
    grants: &mut BTreeMap<String, Grant>,
    reading: &mut Reading,
) -> Option<()> {
    let (left, right) = text.split_once('=')?;
    let left = left.trim();
    // Lists may have blanks around their commas; the host is what stands after the last blank.
    let (users, hosts) = left.rsplit_once(char::is_whitespace)?;
    let users: Vec<String> =
        users.split(',').map(|user| user.trim().to_owned()).filter(|user| !user.is_empty()).collect();
    let mut new = Grant { hosts: hosts.split(',').map(|host| host.trim().to_owned()).collect(), ..Grant::default() };
    for command in split_unescaped(right, ',') {
        read_command(command.trim(), &mut new);
    }
    let everything = new.commands.iter().any(|command| known.everything.contains(command.as_str()));
    if new.tags.contains("NOPASSWD") {
        let who = users.join(", ");
        reading.observe("sudo-nopasswd", line, format!("{} runs commands without a password", who.escape_debug()));
    }
    let others: Vec<&str> =
        users.iter().map(String::as_str).filter(|user| !known.administrators.contains(*user)).collect();
    if everything && !others.is_empty() {
        let who = others.join(", ");
        reading.observe("sudo-all-commands", line, format!("{} may run every command", who.escape_debug()));
    }
    for user in users {
        let grant = grants.entry(user).or_default();
        grant.commands.extend(new.commands.iter().cloned());
        grant.tags.extend(new.tags.iter().cloned());
        grant.hosts.extend(new.hosts.iter().cloned());
        grant.run_as.extend(new.run_as.iter().cloned());
    }
    Some(())
}

/// `(as) OPTION=value TAG: TAG: command arguments`
fn read_command(text: &str, grant: &mut Grant) {
    let mut rest = text;
    if let Some((run_as, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
        grant.run_as.insert(run_as.trim().to_owned());
        rest = after.trim_start();
    }
    while let Some((tag, after)) = rest.split_once(':') {
        let tag = tag.trim();
        if tag.is_empty() || !tag.bytes().all(|c| c.is_ascii_uppercase() || c == b'_') {
            break;
        }
        grant.tags.insert(tag.to_owned());
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        grant.commands.insert(rest.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

/// Names that stand for every command, or for administrators alone, aliases included.
struct Known<'a> {
    everything: BTreeSet<&'a str>,
    administrators: BTreeSet<&'a str>,
}

/// How deep aliases may stand in each other.
const ALIAS_DEPTH: usize = 8;

impl<'a> Known<'a> {
    fn of(aliases: &'a BTreeMap<String, Vec<String>>) -> Self {
        let mut everything = BTreeSet::from(["ALL"]);
        let mut administrators = BTreeSet::from(ADMINISTRATORS);
        for _ in 0..ALIAS_DEPTH {
            for (name, members) in aliases {
                if members.iter().any(|member| everything.contains(member.as_str())) {
                    everything.insert(name);
                }
                if members.iter().all(|member| administrators.contains(member.as_str())) {
                    administrators.insert(name);
                }
            }
        }
        Self { everything, administrators }
    }
}

/// What the members of the aliases may do, and which members' commands.
fn expanded(grants: BTreeMap<String, Grant>, aliases: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Grant> {
    let all = |names: &BTreeSet<String>| names.iter().flat_map(|name| members(name, aliases)).collect::<BTreeSet<_>>();
    let mut of_members: BTreeMap<String, Grant> = BTreeMap::new();
    for (user, grant) in grants {
        let (commands, hosts) = (all(&grant.commands), all(&grant.hosts));
        for member in members(&user, aliases) {
            let of_member = of_members.entry(member).or_default();
            of_member.commands.extend(commands.iter().cloned());
            of_member.hosts.extend(hosts.iter().cloned());
            of_member.tags.extend(grant.tags.iter().cloned());
            of_member.run_as.extend(grant.run_as.iter().cloned());
        }
    }
    of_members
}

/// How many names one alias may stand for.
const MOST_MEMBERS: usize = 500;

/// The names that an alias stands for, aliases inside it opened too; `!` goes to each.
fn members(name: &str, aliases: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = open.pop() {
        let (sign, bare) = name.strip_prefix('!').map_or(("", name.as_str()), |bare| ("!", bare.trim_start()));
        match aliases.get(bare) {
            Some(inner) if seen.len() < MOST_MEMBERS && seen.insert(name.clone()) => {
                let signed = inner.iter().map(|member| format!("{sign}{member}").replace("!!", ""));
                open.extend(signed.filter(|member| !member.is_empty()).take(MOST_MEMBERS));
            }
            Some(_) => {}
            None => drop(found.insert(name)),
        }
        if found.len() >= MOST_MEMBERS {
            break;
        }
    }
    found
}

fn describe(facts: &mut Facts, grants: BTreeMap<String, Grant>) {
    for (user, grant) in grants {
        let mut of_user = Facts::new();
        of_user.set("commands", grant.commands.into_iter().collect::<Vec<_>>());
        of_user.set("hosts", grant.hosts.into_iter().collect::<Vec<_>>());
        if !grant.tags.is_empty() {
            of_user.set("tags", grant.tags.into_iter().collect::<Vec<_>>());
        }
        if !grant.run_as.is_empty() {
            of_user.set("run_as", grant.run_as.into_iter().collect::<Vec<_>>());
        }
        facts.set(user, of_user);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use crate::domain::Fact;

    #[test]
    fn tags_and_commands_are_read_over_continued_lines() {
        let text = "Defaults env_reset\ndeploy ALL=(root) NOPASSWD: /bin/a, \\\n  /bin/b --x\n";
        assert_eq!(rules("etc/sudoers", text), [("sudo-nopasswd", Some(2))]);
        let facts = facts("etc/sudoers", text);
        let Some(Fact::Map(deploy)) = facts.find("deploy") else { panic!("{facts:?}") };
        assert_eq!(deploy.find("commands"), Some(&vec!["/bin/a", "/bin/b --x"].into()));
        assert_eq!(deploy.find("tags"), Some(&vec!["NOPASSWD"].into()));
        assert_eq!(facts.number("rules"), Some(1));
    }

    #[test]
    fn aliases_that_stand_for_all_commands_are_seen_through() {
        let text = "Cmnd_Alias X = /bin/a, ALL\nCmnd_Alias LOOP = LOOP\nUser_Alias ADM = root, %wheel\n\
                    op ALL = X\nADM ALL = ALL\no2 ALL = LOOP\n";
        assert_eq!(rules("sudoers.d/x", text), [("sudo-all-commands", Some(4))]);
    }

    #[test]
    fn members_of_aliases_have_the_grants() {
        let text =
            "Cmnd_Alias A = /bin/a, B\nCmnd_Alias B = /bin/b, A\nUser_Alias OPS = ann, bob\nOPS ALL = (root) A, !B\n";
        let facts = facts("sudoers", text);
        let Some(Fact::Map(bob)) = facts.find("bob") else { panic!("{facts:?}") };
        assert_eq!(bob.find("commands"), Some(&vec!["!/bin/a", "!/bin/b", "/bin/a", "/bin/b"].into()));
        assert!(facts.find("OPS").is_none() && facts.find("ann").is_some());
    }

    #[test]
    fn customary_grants_are_silent() {
        let text = "root ALL=(ALL:ALL) ALL\n%wheel ALL=(ALL) ALL\na ALL=(root) /bin/a # NOPASSWD: is not set\n#includedir /x\n";
        assert_eq!(rules("before", text), []);
        assert_eq!(kind_of("before", text).as_deref(), Some("sudoers"));
    }

    #[test]
    fn authentication_turned_off_is_told() {
        assert_eq!(rules("sudoers", "Defaults:a env_reset, !authenticate\n"), [("sudo-no-authenticate", Some(1))]);
    }

    #[test]
    fn assignments_are_not_taken_for_grants() {
        for text in
            ["a = b\n", "export A=(x)\n", "let deploy = (root)\nmore\n", "To let deploy restart, add NOPASSWD.\n"]
        {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
