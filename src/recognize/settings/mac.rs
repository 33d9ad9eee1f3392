//! Mandatory access control: modules of `SELinux` and its switch, profiles of `AppArmor`.
//!
//! Never here: what a policy allows in sum.

use super::file::{File, unquoted};
use super::{Kind, Likeness, Reading};
use crate::domain::ItemClass;

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "selinux-policy", class: ItemClass::Policy, looks: looks_module, read: read_module },
    Kind { name: "selinux-config", class: ItemClass::Hardening, looks: looks_switch, read: read_switch },
    Kind { name: "apparmor-profile", class: ItemClass::Policy, looks: looks_profile, read: read_profile },
];

fn looks_module(file: &File<'_>) -> Likeness {
    let first = file.first_lines(&['#']).next().unwrap_or_default();
    let header = first.starts_with("policy_module(")
        || (first.starts_with("module ") && first.ends_with(';') && file.holds("require"))
        || (file.has_ending("te") && ["\nallow ", "\ntype "].iter().any(|mark| file.holds(mark)) && file.holds(";"));
    if header { Likeness::Maybe } else { Likeness::None }
}

fn read_module(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut allowed, mut permissive) = (Vec::new(), Vec::new());
    for (line, text) in file.lines(&['#']) {
        let text = text.split('#').next().unwrap_or_default().trim();
        if let Some(rest) = text.strip_prefix("policy_module(") {
            let inner = rest.split(')').next().unwrap_or_default();
            let (name, version) = inner.split_once(',').unwrap_or((inner, ""));
            // m4 quotes with a back tick and an apostrophe.
            let bare = |text: &'_ str| text.trim().trim_matches(['`', '\'']).to_owned();
            reading.facts.set("module", bare(name));
            reading.facts.set_some("version", Some(bare(version)).filter(|version| !version.is_empty()));
        } else if let Some(rest) = text.strip_prefix("module ") {
            let mut words = rest.trim_end_matches(';').split_whitespace();
            reading.facts.set_some("module", words.next());
            reading.facts.set_some("version", words.next());
        } else if let Some(domain) = text.strip_prefix("permissive ") {
            let domain = domain.trim_end_matches(';').trim();
            let message = format!("the domain {} is not confined", domain.escape_debug());
            reading.observe("mac-permissive", line, message);
            permissive.push(domain.to_owned());
        } else if text.starts_with("allow ") {
            allowed.push(text.trim_end_matches(';').split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    if reading.facts.is_empty() && allowed.is_empty() {
        return None;
    }
    allowed.sort();
    reading.facts.set("allow", allowed);
    if !permissive.is_empty() {
        reading.facts.set("permissive", permissive);
    }
    Some(reading)
}

fn looks_switch(file: &File<'_>) -> Likeness {
    let named = file.is_under("selinux") && file.name() == "config";
    let first = file.first_lines(&['#']).next().unwrap_or_default();
    Likeness::named_or(named, || first.starts_with("SELINUX=") || first.starts_with("SELINUXTYPE="))
}

fn read_switch(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    for (line, text) in file.lines(&['#']) {
        let (name, value) = text.split_once('=')?;
        let value = unquoted(value.split('#').next().unwrap_or_default().trim());
        if name.trim() == "SELINUX" && !value.eq_ignore_ascii_case("enforcing") {
            reading.observe("mac-permissive", line, format!("SELinux is {}", value.escape_debug()));
        }
        reading.facts.set(name.trim(), value);
    }
    reading.facts.find("SELINUX")?;
    Some(reading)
}

fn looks_profile(file: &File<'_>) -> Likeness {
    let first = file.first_lines(&[]).find(|line| !line.starts_with("# ") && *line != "#").unwrap_or_default();
    let opens =
        ["abi <", "include <tunables/", "#include <tunables/", "profile "].iter().any(|mark| first.starts_with(mark));
    let header = first.starts_with('/') && first.ends_with('{');
    if (opens || header) && file.holds("{") && file.lines(&['#']).any(|(_, line)| profile(line).is_some()) {
        return Likeness::Maybe;
    }
    Likeness::None
}

/// `profile name /path flags=(complain) {` or `/path {`: the name and the flags.
fn profile(line: &str) -> Option<(&str, Vec<&str>)> {
    let header = line.strip_suffix('{')?.trim_end();
    let (named, rest) = header.strip_prefix("profile ").map_or((false, header), |rest| (true, rest.trim_start()));
    let name = rest.split_whitespace().next()?;
    if !(named || name.starts_with('/') || name.starts_with("@{") || name.starts_with('"')) {
        return None;
    }
    let flags =
        header.split_once("flags=(").and_then(|(_, flags)| flags.split_once(')')).map_or("", |(flags, _)| flags);
    Some((unquoted(name), flags.split([',', ' ']).filter(|flag| !flag.is_empty()).collect()))
}

fn read_profile(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut profiles, mut all_flags) = (Vec::new(), Vec::new());
    let mut rules = Vec::new();
    for (line, text) in file.lines(&['#']) {
        let text = text.split(" #").next().unwrap_or_default().trim_end();
        if text.ends_with(',') || text.starts_with("include ") {
            let rule = text.trim_end_matches(',').split_whitespace().collect::<Vec<_>>().join(" ");
            rules.push(profiles.last().map_or_else(|| rule.clone(), |profile| format!("{profile}: {rule}")));
        }
        if !(text.ends_with([',', '{', '}']) || text.starts_with("include ") || text.starts_with("@{")) {
            return None;
        }
        if let Some((name, flags)) = profile(text) {
            if flags.contains(&"complain") || flags.contains(&"unconfined") {
                reading.observe("mac-permissive", line, format!("the profile {} is not enforced", name.escape_debug()));
            }
            profiles.push(name);
            all_flags.extend(flags);
        } else if is_unconfined_execution(text) {
            let program = text.split_whitespace().find(|word| word.starts_with(['/', '@'])).unwrap_or("a program");
            let message = format!("{} runs unconfined", program.escape_debug());
            reading.observe("apparmor-unconfined-exec", line, message);
        }
    }
    if profiles.is_empty() || rules.is_empty() {
        return None;
    }
    rules.sort();
    rules.dedup();
    reading.facts.set("profiles", profiles);
    reading.facts.set("flags", all_flags);
    reading.facts.set("rules", rules);
    Some(reading)
}

/// `/path Ux,` or `rux /path,`
fn is_unconfined_execution(line: &str) -> bool {
    let Some(rule) = line.strip_suffix(',') else { return false };
    let mut words = rule.split_whitespace().filter(|word| !["owner", "audit", "deny", "allow"].contains(word));
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    let modes = if first.starts_with(['/', '@', '"']) { second } else { first };
    let letters = modes.len() <= 8 && modes.bytes().all(|c| b"rwaxmklpcuiPCUIDx".contains(&c));
    !line.starts_with("deny")
        && letters
        && ["ux", "Ux"].iter().any(|mode| modes.contains(mode))
        && !modes.contains(['p', 'P', 'c', 'C'])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn enforced_profiles_are_silent() {
        let text = "#include <tunables/global>\n/usr/bin/a {\n  /usr/bin/b Px,\n  /usr/bin/c ix,\n  /etc/** r,\n  deny /x ux,\n}\n";
        assert_eq!(rules("a", text), []);
        assert_eq!(facts("a", text).find("profiles"), Some(&vec!["/usr/bin/a"].into()));
    }

    #[test]
    fn a_module_and_the_switch_are_judged() {
        let module = "module local 1.2;\nrequire { type a_t; }\nallow a_t self:file read;\n";
        assert_eq!(rules("x.te", module), []);
        assert_eq!(facts("x.te", module).text("version"), Some("1.2"));
        assert_eq!(rules("etc/selinux/config", "SELINUX=permissive\n"), [("mac-permissive", Some(1))]);
        assert_eq!(rules("etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n"), []);
    }

    #[test]
    fn programs_are_no_profiles() {
        for text in ["module a;\nwire b;\n", "profile the user\n", "/api/v1 {\n", "/* {\n"] {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
