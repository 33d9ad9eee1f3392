//! Judges items: observations become findings, and facts are held against rules at a given moment.
//!
//! Pure: no clock (the moment is an argument), no files, no content. Serves IEC 62304 cl. 8.3 and IEC 81001-5-1;
//! the rules are listed in [`rules`], one family a file.

mod certificates;
mod chains;
mod deviations;
mod key_register;
mod keys;
mod pairs;
mod register;
mod relations;
mod severities;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Finding, Observation, RepoPath, Severity, Timestamp};
pub use deviations::apply as apply_deviations;
pub use key_register::{judge as judge_key_register, registered};
pub use keys::is_rotated;
pub use register::rules;
pub use severities::{is_clear_secret, severities};
pub use support::judge as judge_support;

/// Thresholds that a policy sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// The least length of an RSA key, in bits.
    pub rsa_min_bits: i64,
    /// From how many days before its end a certificate is reported.
    pub expiring_soon_days: i64,
    /// The longest validity of a server's certificate, in days.
    pub max_leaf_days: i64,
    /// Severities of rules, where the policy has its own.
    pub severities: BTreeMap<&'static str, Severity>,
}

/// What judging goes by, beside the facts.
struct Yardstick<'a> {
    as_of: Timestamp,
    thresholds: &'a Thresholds,
}

/// A rule's name and what is wrong.
type Verdict = (&'static str, String);

/// Returns a finding with severity, clause and hint from the register.
///
/// A rule that the register does not know is held to be of high severity: nothing is lost, nothing panics.
pub fn finding(rule: &'static str, path: Option<RepoPath>, line: Option<u32>, message: impl Into<String>) -> Finding {
    let known = register::find(rule);
    Finding {
        rule,
        severity: known.map_or(Severity::High, |rule| rule.severity),
        path,
        line,
        message: message.into(),
        clause: known.map_or("", |rule| rule.clause),
        hint: known.map_or("", |rule| rule.hint).to_owned(),
        deviation: None,
    }
}

/// Returns what is wrong with the items at the moment `as_of`: worst first, then by path and line.
///
/// What was observed in the bytes has the better place (a line), so a rule that was observed in a file is not
/// judged again from its facts.
pub fn check_items(
    items: &[ConfigurationItem],
    observations: &[(RepoPath, Observation)],
    as_of: Timestamp,
    thresholds: &Thresholds,
) -> Vec<Finding> {
    let yardstick = Yardstick { as_of, thresholds };
    let observed: BTreeSet<(&RepoPath, &str)> = observations.iter().map(|(path, seen)| (path, seen.rule)).collect();
    let mut findings: Vec<Finding> = observations
        .iter()
        .map(|(path, seen)| finding(seen.rule, place(path), seen.line, seen.message.clone()))
        .collect();
    for item in items {
        let mut verdicts = Vec::new();
        certificates::judge(item, &yardstick, &mut verdicts);
        keys::judge(item, &yardstick, &mut verdicts);
        if !item.declared {
            verdicts.push(("item-undeclared", format!("no rule of the policy names this {}", item.kind.shown())));
        }
        let fresh = verdicts.into_iter().filter(|(rule, _)| !observed.contains(&(&item.path, *rule)));
        findings.extend(fresh.map(|(rule, message)| finding(rule, place(&item.path), None, message)));
    }
    findings.extend(
        pairs::mismatches(items).map(|(path, message)| finding("certificate-key-mismatch", place(path), None, message)),
    );
    let related = chains::judge(items).into_iter().chain(relations::judge(items));
    findings.extend(related.map(|(path, (rule, message))| finding(rule, place(path), None, message)));
    for finding in &mut findings {
        finding.severity = thresholds.severities.get(finding.rule).copied().unwrap_or(finding.severity);
    }
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings.dedup();
    findings
}

/// Says whether a rule can be judged only where all items of a tree are known, not some that changed.
pub fn needs_every_item(rule: &str) -> bool {
    matches!(rule, "item-undeclared" | "crl-issuer-unknown" | "crl-older-than-authority" | "issuer-key-mismatch")
}

/// An empty path stands for no file.
fn place(path: &RepoPath) -> Option<RepoPath> {
    (!path.as_bytes().is_empty()).then(|| path.clone())
}

fn order(finding: &Finding) -> impl Ord + '_ {
    let Finding { severity, path, line, rule, message, .. } = finding;
    (std::cmp::Reverse(*severity), path, line, rule, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Facts, ItemClass, Mode, ObjectId};

    pub(super) const THRESHOLDS: Thresholds =
        Thresholds { rsa_min_bits: 2048, expiring_soon_days: 30, max_leaf_days: 398, severities: BTreeMap::new() };

    pub(super) fn item(kind: &str, path: &str, facts: Facts) -> ConfigurationItem {
        ConfigurationItem {
            kind: kind.to_owned(),
            mode: Mode::FILE,
            path: path.into(),
            size: 1,
            class: ItemClass::Key,
            facts,
            owner: None,
            digest: None,
            git_id: ObjectId::Sha1([0; 20]),
            declared: true,
        }
    }

    pub(super) fn rules_of(items: &[ConfigurationItem], as_of: &str) -> Vec<&'static str> {
        let as_of = Timestamp::parse(as_of).unwrap();
        check_items(items, &[], as_of, &THRESHOLDS).into_iter().map(|finding| finding.rule).collect()
    }

    fn observed(path: &str, rule: &'static str, line: u32) -> (RepoPath, Observation) {
        (path.into(), Observation { rule, line: Some(line), message: "seen".to_owned() })
    }

    #[test]
    fn worst_comes_first_then_path_then_line() {
        let observations = [
            observed("b", "image-not-pinned", 1),
            observed("b", "pg-hba-trust", 9),
            observed("b", "pg-hba-trust", 2),
            observed("a", "pg-hba-trust", 30),
        ];
        let as_of = Timestamp::from_seconds(0);
        let found = check_items(&[], &observations, as_of, &THRESHOLDS);
        let places: Vec<_> = found.iter().map(|f| (f.path.clone().unwrap().to_string(), f.line.unwrap())).collect();
        assert_eq!(places, [("a".into(), 30), ("b".into(), 2), ("b".into(), 9), ("b".into(), 1)]);
    }

    #[test]
    fn what_was_observed_with_a_line_is_not_said_twice() {
        let mut facts = Facts::new();
        facts.set("bits", 1024_i64);
        facts.set("type", "RSA");
        let items = [item("openssh-public-key", "id.pub", facts)];
        let observations = [observed("id.pub", "ssh-key-too-short", 1)];
        let found = check_items(&items, &observations, Timestamp::from_seconds(0), &THRESHOLDS);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, Some(1));
    }

    #[test]
    fn an_undeclared_item_is_told_and_a_declared_one_is_not() {
        let mut undeclared = item("sysctl", "a", Facts::new());
        undeclared.declared = false;
        assert_eq!(rules_of(&[undeclared, item("sysctl", "b", Facts::new())], "2027-01-01"), ["item-undeclared"]);
    }

    #[test]
    fn the_policys_severity_counts_also_in_the_order() {
        let observations = [observed("a", "image-not-pinned", 1), observed("b", "pg-hba-trust", 2)];
        let severities = BTreeMap::from([("pg-hba-trust", Severity::Info)]);
        let thresholds = Thresholds { severities, ..THRESHOLDS };
        let found = check_items(&[], &observations, Timestamp::from_seconds(0), &thresholds);
        let told: Vec<_> = found.iter().map(|found| (found.rule, found.severity)).collect();
        assert_eq!(told, [("image-not-pinned", Severity::Low), ("pg-hba-trust", Severity::Info)]);
    }

    #[test]
    fn a_rule_without_an_entry_is_high_and_does_not_panic() {
        assert_eq!(finding("no-such-rule", None, None, "x").severity, Severity::High);
    }
}
