//! Policies that grant: statements of IAM, rights of Kubernetes, lines of Casbin, profiles of seccomp.
//!
//! A grant that covers more is weaker, a refusal that covers more is harder; a statement without a name is found by
//! what it says, since its number shifts. Never here: what two policies grant together.

use std::collections::BTreeMap;

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, map, plain, values};
use super::network::{MOST_PATTERNS, compare_reach, is_everyone, tell_lines};
use crate::domain::Show as _;
use crate::domain::{Fact, FactChange, Facts};

pub(super) fn tell(account: &mut Account<'_>) {
    match account.after.kind.as_str() {
        "aws-iam-policy" | "iam-policy" | "cedar-policy" => tell_statements(account),
        "terraform" => {
            tell_statements(account);
            tell_openings(account);
        }
        "arm-template" => {
            tell_lines(account, "role_assignments", |_| (Weakened, "granted"));
            tell_openings(account);
        }
        "opa-rego" => tell_clauses(account),
        "k8s-rbac" => tell_rights(account),
        "casbin-policy" => tell_lines(account, "lines", |line| match line.rsplit(',').next().map(str::trim) {
            Some("deny") => (Hardened, "refused"),
            _ => (Weakened, "granted"),
        }),
        "seccomp-profile" => tell_calls(account),
        "casbin-model" => tell_effect(account),
        "apparmor-profile" => tell_lines(account, "rules", |rule| {
            let rule = rule.split_once(": ").map_or(rule, |(_, rule)| rule);
            match rule.split(' ').find(|word| *word != "audit") {
                Some("deny") => (Hardened, "refused"),
                Some("include" | "abi") => (Neutral, "in force"),
                _ => (Weakened, "allowed"),
            }
        }),
        "selinux-policy" => tell_lines(account, "allow", |_| (Weakened, "allowed")),
        _ => {}
    }
}

/// What the packet filters of a cloud let in.
fn tell_openings(account: &mut Account<'_>) {
    tell_lines(account, "ingress", |entry| (Weakened, if is_everyone(entry) { "open to everyone" } else { "let in" }));
}

/// Statements by name, those with a number for a name apart.
type Statements<'a> = BTreeMap<&'a str, &'a Facts>;

fn statements(facts: &Facts) -> (Statements<'_>, Statements<'_>) {
    let all = facts.iter().filter_map(|(name, fact)| match fact {
        Fact::Map(inner) if name.starts_with("Statement[") => Some((name, inner)),
        _ => None,
    });
    // The number may stand behind the place of the policy.
    let is_number = |name: &str| {
        let inner = name.trim_start_matches("Statement[").trim_end_matches(']');
        let last = inner.rsplit(' ').next().unwrap_or_default();
        !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
    };
    all.partition(|(name, _)| !is_number(name))
}

/// Statements that only moved to another number, in each policy by itself.
fn drop_moved<'a>(old: &mut Statements<'a>, new: &mut Statements<'a>) {
    let place = |name: &'a str| name.rsplit_once(' ').map_or("", |(place, _)| place);
    let mut there: BTreeMap<(&str, &Facts), Vec<&str>> = BTreeMap::new();
    for (name, facts) in new.iter().rev() {
        there.entry((place(name), facts)).or_default().push(name);
    }
    old.retain(|name, facts| match there.get_mut(&(place(name), facts)).and_then(Vec::pop) {
        Some(moved) => new.remove(moved).is_none(),
        None => true,
    });
}

fn tell_statements(account: &mut Account<'_>) {
    let (before, after) = (&account.before.facts, &account.after.facts);
    let (mut old, mut old_numbered) = statements(before);
    let (mut new, mut new_numbered) = statements(after);
    let same = |one: &Statements<'_>, name: &str, facts: &Facts| one.get(name).is_some_and(|known| *known == facts);
    let kept: Vec<&str> =
        old_numbered.iter().filter(|(name, facts)| same(&new_numbered, name, facts)).map(|(name, _)| *name).collect();
    for name in kept {
        old_numbered.remove(name);
        new_numbered.remove(name);
    }
    drop_moved(&mut old_numbered, &mut new_numbered);
    old.extend(old_numbered);
    new.extend(new_numbered);
    for change in account.untold() {
        if change.name.starts_with("Statement[") || ["statements", "policies", "ids"].contains(&change.name.as_str()) {
            account.mark(change.name);
        }
    }
    let mut told = false;
    for (name, facts) in &new {
        match old.remove(name) {
            Some(known) if known == *facts => continue,
            Some(known) => tell_statement(account, name, known, facts),
            None => whole(account, name, facts, "granted", "refused", false),
        }
        told = true;
    }
    for (name, facts) in &old {
        told = true;
        whole(account, name, facts, "no longer granted", "no longer refused", true);
    }
    if !told
        && account.before.git_id != account.after.git_id
        && account.before.facts != account.after.facts
        && account.untold().is_empty()
    {
        account.headline(Neutral, "re-ordered, no semantic change");
    }
}

fn allows(facts: &Facts) -> bool {
    facts.text("Effect") != Some("Deny") && facts.text("effect") != Some("forbid")
}

/// Cedar writes in small letters what IAM begins with a capital.
fn part_of<'f>(facts: &'f Facts, name: &str) -> Option<&'f Fact> {
    facts.find(name).or_else(|| facts.find(&name.to_ascii_lowercase()))
}

/// A statement that came or went.
fn whole(account: &mut Account<'_>, name: &str, facts: &Facts, grant: &str, refusal: &str, gone: bool) {
    let (direction, what) = if allows(facts) { (Weakened, grant) } else { (Hardened, refusal) };
    let direction = if gone { direction.opposite() } else { direction };
    let list = |names: [&str; 2]| {
        let found = names.into_iter().find_map(|name| part_of(facts, name).map(|fact| (name.starts_with("Not"), fact)));
        found.map(|(not, fact)| {
            let text = values(Some(fact)).join(", ");
            format!("{}{}", if not { "all but " } else { "" }, plain(&text))
        })
    };
    let action = list(["Action", "NotAction"]).unwrap_or_default();
    let resource = list(["Resource", "NotResource"]).map(|text| format!(" on {text}")).unwrap_or_default();
    let whose = list(["Principal", "NotPrincipal"]).map(|text| format!(" to {text}")).unwrap_or_default();
    let bound = if part_of(facts, "Condition").is_some() { " under a condition" } else { "" };
    let sign = if gone { '-' } else { '+' };
    account.say(direction, format!("{sign}{}: {what}: {action}{resource}{whose}{bound}", name.shown()));
}

fn tell_statement(account: &mut Account<'_>, name: &str, before: &Facts, after: &Facts) {
    let parts = before.iter().chain(after.iter()).map(|(part, _)| part).collect::<std::collections::BTreeSet<_>>();
    for part in parts {
        let (old, new) = (before.find(part), after.find(part));
        if old == new {
            continue;
        }
        // A single value stands for a list of one.
        let many = [old, new].iter().any(|side| matches!(side, Some(Fact::List(_))));
        let side = |fact: Option<&Fact>| match fact {
            Some(Fact::Text(text)) if many => Some(Fact::from(vec![text.as_str()])),
            fact => fact.cloned(),
        };
        let change = FactChange { name: format!("{name}.{part}"), before: side(old), after: side(new) };
        let allow = allows(after);
        let (direction, what) = judge_part(part, old, new);
        let direction = if allow || part.eq_ignore_ascii_case("Effect") { direction } else { direction.opposite() };
        let what = match (what, allow) {
            ("", _) => String::new(),
            (what, true) => format!("grant {what}"),
            (what, false) => format!("refusal {what}"),
        };
        let whose = values(part_of(after, "Principal"));
        let whose = match part {
            "Action" | "Resource" | "action" | "resource" if !whose.is_empty() && !what.is_empty() => {
                format!(" to {}", whose.join(", ").shown())
            }
            _ => String::new(),
        };
        account.say_change(&change, direction, &format!("{what}{whose}"));
    }
}

/// Which way a part moves a grant.
fn judge_part(part: &str, before: Option<&Fact>, after: Option<&Fact>) -> (Direction, &'static str) {
    let (old, new) = (values(before), values(after));
    let named = |direction| match direction {
        Weakened => (Weakened, "widened"),
        Hardened => (Hardened, "narrowed"),
        Neutral => (Neutral, "neither widened nor narrowed"),
    };
    match part {
        "Effect" | "effect" if ["Allow", "permit"].contains(&new.concat().as_str()) => (Weakened, ""),
        "Effect" | "effect" => (Hardened, ""),
        "Principal" | "principal" => named(compare_principals(&old, &new)),
        "action" | "resource" => named(compare_reach(&old, &new)),
        "Action" | "Resource" => {
            named(compare_reach(&lower_if(part == "Action", &old), &lower_if(part == "Action", &new)))
        }
        "NotAction" | "NotResource" | "NotPrincipal" => named(compare_reach(&old, &new).opposite()),
        "Condition" | "condition" => {
            let (gone, come) = gone_and_come(&old, &new);
            match (gone.is_empty(), come.is_empty()) {
                (true, false) => (Hardened, "narrowed by a condition"),
                (false, true) => (Weakened, "widened: a condition fell"),
                _ => (Neutral, "under another condition"),
            }
        }
        _ => (Neutral, ""),
    }
}

/// Names of actions have no case.
fn lower_if(lower: bool, list: &[String]) -> Vec<String> {
    list.iter().map(|text| if lower { text.to_ascii_lowercase() } else { text.clone() }).collect()
}

/// `*` and `AWS=*` are everybody.
fn compare_principals(before: &[String], after: &[String]) -> Direction {
    let open = |list: &[String]| {
        list.iter().map(|name| if name.ends_with("=*") { "*".to_owned() } else { name.clone() }).collect::<Vec<_>>()
    };
    compare_reach(&open(before), &open(after))
}

/// Casbin: an effect that only looks for denial lets through what no rule names.
fn tell_effect(account: &mut Account<'_>) {
    let Some(change) = account.change("effect") else { return };
    let open = |fact: &Option<Fact>| {
        let text = values(fact.as_ref()).concat();
        text.starts_with('!') && !text.contains("allow")
    };
    let (direction, why) = match (open(&change.before), open(&change.after)) {
        (false, true) => (Weakened, "what no rule denies is allowed"),
        (true, false) => (Hardened, "what no rule allows is denied"),
        _ => (Neutral, ""),
    };
    account.say_change(&change, direction, why);
}

/// Rego: a default that turned, and clauses of rules whose name says whether they let through or refuse.
fn tell_clauses(account: &mut Account<'_>) {
    let grants = |name: &str| ["allow", "authori", "permit", "grant"].iter().any(|word| name.contains(word));
    let refuses =
        |name: &str| ["deny", "violation", "forbid", "reject", "block"].iter().any(|word| name.contains(word));
    for change in account.untold() {
        let Some(rule) = change.name.strip_prefix("defaults.") else { continue };
        let is_true = |fact: &Option<Fact>| values(fact.as_ref()).concat() == "true";
        let direction = match (is_true(&change.before), is_true(&change.after)) {
            (false, true) if grants(rule) => Weakened,
            (true, false) if grants(rule) => Hardened,
            (false, true) if refuses(rule) => Hardened,
            (true, false) if refuses(rule) => Weakened,
            _ => Neutral,
        };
        account.say_change(&change, direction, "what no rule decides");
    }
    tell_lines(account, "clauses", |clause| {
        let end = clause.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(clause.len());
        match clause.get(..end).unwrap_or_default().to_ascii_lowercase().as_str() {
            name if ["allow", "authori", "permit", "grant"].iter().any(|word| name.contains(word)) => {
                (Weakened, "granted")
            }
            name if ["deny", "violation", "forbid", "reject"].iter().any(|word| name.contains(word)) => {
                (Hardened, "refused")
            }
            _ => (Neutral, "in force"),
        }
    });
}

fn tell_rights(account: &mut Account<'_>) {
    let (before, after) = (&account.before.facts, &account.after.facts);
    let empty = Facts::new();
    let (old, new) = (map(before, "grants").unwrap_or(&empty), map(after, "grants").unwrap_or(&empty));
    let names = old.iter().chain(new.iter()).map(|(name, _)| name).collect::<std::collections::BTreeSet<_>>();
    for name in names {
        let (was, is) = (values(old.find(name)), values(new.find(name)));
        let (gone, come) = gone_and_come(&was, &is);
        let few = was.len().max(is.len()) <= MOST_PATTERNS;
        let shown = name.shown();
        for right in &come {
            let covered = few && was.iter().any(|known| covers_right(known, right));
            let direction = if covered { Neutral } else { Weakened };
            account.say(direction, format!("grants.{shown}: +{}: granted", right.shown()));
        }
        for right in &gone {
            let covered = few && is.iter().any(|known| covers_right(known, right));
            let direction = if covered { Neutral } else { Hardened };
            account.say(direction, format!("grants.{shown}: -{}: no longer granted as such", right.shown()));
        }
    }
    account.mark("grants");
}

/// `get,list apps/deployments`: verbs, groups and resources, each with `*` for all.
fn covers_right(wide: &str, narrow: &str) -> bool {
    let parts = |text: &str| -> Option<[Vec<String>; 3]> {
        let (verbs, rest) = text.split_once(' ')?;
        let (groups, resources) = rest.split_once('/')?;
        (!rest.contains(" to ") && !rest.contains(' '))
            .then(|| [verbs, groups, resources].map(|list| list.split(',').map(str::to_owned).collect()))
    };
    match (parts(wide), parts(narrow)) {
        (Some(wide), Some(narrow)) => wide
            .iter()
            .zip(&narrow)
            .all(|(wide, narrow)| narrow.iter().all(|name| wide.iter().any(|known| known == "*" || known == name))),
        _ => wide == narrow,
    }
}

/// seccomp: what an action lets a process do decides which way a call in its list counts.
fn tell_calls(account: &mut Account<'_>) {
    let rank = |action: &str| match action {
        "SCMP_ACT_ALLOW" | "SCMP_ACT_LOG" | "SCMP_ACT_NOTIFY" | "SCMP_ACT_TRACE" => Weakened,
        _ => Hardened,
    };
    if let Some(change) = account.change("defaultAction") {
        let side = |fact: &Option<Fact>| rank(&values(fact.as_ref()).concat());
        let direction = if side(&change.before) == side(&change.after) { Neutral } else { side(&change.after) };
        account.say_change(&change, direction, "every call that no list names");
    }
    for change in account.untold() {
        let Some(action) = change.name.strip_prefix("syscalls.") else { continue };
        let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
        let (gone, come) = gone_and_come(&old, &new);
        let direction = match (gone.is_empty(), come.is_empty()) {
            (true, false) => rank(action),
            (false, true) => rank(action).opposite(),
            (true, true) => Neutral,
            (false, false) => Weakened,
        };
        account.say_change(&change, direction, "");
    }
}
