//! Holds findings against the deviations that are meant to accept them, and says which of these do nothing.
//!
//! A deviation that nobody signed accepts nothing (contract §3.8), and a secret in clear is never accepted. Never here:
//! the log in which sign-offs stand.

use std::collections::{BTreeMap, BTreeSet};

use super::severities::is_deviable;
use super::{finding, order};
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Deviating, Finding, ObjectId, RepoPath, Timestamp};
use crate::policy::{DEVIATIONS_PATH, Deviation};

/// Marks the findings that a deviation is about, and adds what is wrong with the deviations. `signed` holds the ids of
/// those whose content was approved in the log.
pub fn apply(
    findings: &mut Vec<Finding>,
    items: &[ConfigurationItem],
    deviations: &[Deviation],
    signed: &BTreeSet<String>,
    as_of: Timestamp,
) {
    let contents: BTreeMap<&RepoPath, ObjectId> = items.iter().map(|item| (&item.path, item.git_id)).collect();
    let mut used = BTreeSet::new();
    for finding in findings.iter_mut().filter(|finding| is_deviable(finding.rule)) {
        let Some(path) = &finding.path else { continue };
        let covering = deviations.iter().filter(|deviation| {
            let same = deviation.git_id.is_none_or(|id| contents.get(path) == Some(&id));
            deviation.clause == finding.rule && same && deviation.covers(path)
        });
        for deviation in covering {
            used.insert(&deviation.id);
            let in_force = deviation.is_current(as_of) && signed.contains(&deviation.id);
            if in_force || finding.deviation.is_none() {
                finding.deviation = Some(Deviating { id: deviation.id.clone(), expires: deviation.expires, in_force });
            }
        }
    }
    findings.extend(deviations.iter().filter_map(|deviation| told(deviation, &used, signed, as_of)));
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
}

fn told(
    deviation: &Deviation,
    used: &BTreeSet<&String>,
    signed: &BTreeSet<String>,
    as_of: Timestamp,
) -> Option<Finding> {
    let id = &deviation.id;
    let (rule, message) = if !is_deviable(&deviation.clause) {
        let clause = deviation.clause.shown();
        ("deviation-void", format!("deviation {id} is about \"{clause}\", which it cannot be about"))
    } else if deviation.expires <= as_of {
        ("deviation-expired", format!("deviation {id} expired on {}", deviation.expires.date()))
    } else if !used.contains(id) {
        ("deviation-unused", format!("deviation {id} is about no finding"))
    } else if !signed.contains(id) {
        ("deviation-unsigned", format!("deviation {id} accepts nothing until somebody else approves it"))
    } else {
        return None;
    };
    let line = u32::try_from(deviation.line).ok();
    Some(finding(rule, Some(RepoPath::from(DEVIATIONS_PATH)), line, message))
}

#[cfg(test)]
mod tests {
    use super::super::tests::item;
    use super::*;
    use crate::domain::Facts;

    fn deviations(clause: &str, more: &str) -> Vec<Deviation> {
        let text = format!(
            "[[deviation]]\nid = \"D1\"\nclause = \"{clause}\"\nscope = \"*.pem\"\nreason = \"r\"\n\
             compensating_control = \"c\"\nissued = \"2026-01-01\"\nexpires = \"2026-07-01\"\n{more}"
        );
        Deviation::parse_all(text.as_bytes()).unwrap()
    }

    /// Whether the finding stands, and what is said of the deviation.
    fn judged(rule: &'static str, deviations: &[Deviation], signed: bool, as_of: &str) -> (bool, Vec<&'static str>) {
        let mut findings = vec![finding(rule, Some("a.pem".into()), None, "seen")];
        let items = [item("x509-certificate", "a.pem", Facts::new())];
        let signed = if signed { BTreeSet::from(["D1".to_owned()]) } else { BTreeSet::new() };
        apply(&mut findings, &items, deviations, &signed, Timestamp::parse(as_of).unwrap());
        let stands = findings.iter().find(|finding| finding.rule == rule).unwrap().stands();
        (stands, findings.iter().map(|finding| finding.rule).filter(|found| *found != rule).collect())
    }

    #[test]
    fn only_a_signed_deviation_within_its_time_accepts_a_finding() {
        let wildcard = deviations("certificate-wildcard", "");
        let judge = |signed, as_of| judged("certificate-wildcard", &wildcard, signed, as_of);
        assert_eq!(judge(true, "2026-03-01"), (false, vec![]));
        assert_eq!(judge(false, "2026-03-01"), (true, vec!["deviation-unsigned"]));
        assert_eq!(judge(true, "2026-07-01"), (true, vec!["deviation-expired"]));
        assert_eq!(judge(true, "2025-12-31"), (true, vec![]));
    }

    #[test]
    fn a_deviation_about_one_content_dies_with_it() {
        let same = deviations("certificate-wildcard", &format!("git_id = \"{}\"\n", "0".repeat(40)));
        let other = deviations("certificate-wildcard", &format!("git_id = \"{}\"\n", "1".repeat(40)));
        assert!(!judged("certificate-wildcard", &same, true, "2026-03-01").0);
        assert_eq!(judged("certificate-wildcard", &other, true, "2026-03-01"), (true, vec!["deviation-unused"]));
    }

    #[test]
    fn nothing_accepts_a_secret_in_clear() {
        for rule in ["private-key-in-clear", "secret-in-clear", "change-request-missing", "no-such-rule"] {
            assert_eq!(judged(rule, &deviations(rule, ""), true, "2026-03-01"), (true, vec!["deviation-void"]));
        }
    }
}
