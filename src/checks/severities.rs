//! The severities that a policy gives to rules: which rules exist, and what no policy may do.
//!
//! Never here: what a finding of a severity leads to. Serves IEC 81001-5-1 cl. 5.2 (security requirements are the
//! product's own to weigh); reference: docs/policy.md.

use std::collections::BTreeMap;

use super::register;
use crate::domain::Severity;
use crate::domain::Show as _;
use crate::policy::{POLICY_PATH, Policy, PolicyError, SeverityRule};

/// Rules about secrets that stand in clear.
const CLEAR_SECRETS: [&str; 4] =
    ["private-key-in-clear", "symmetric-key-in-clear", "secret-in-clear", "k8s-secret-manifest"];

/// Rules that are not the policy's to weigh: the trust root's floors demand the one, the other is about the policy.
const FIXED: [&str; 7] = [
    "change-request-missing",
    "change-request-unknown",
    "change-unapproved",
    "change-unverified",
    "segregation-unproven",
    "emergency-overdue",
    "policy-invalid",
];

/// Says whether a deviation may be about a rule.
pub(super) fn is_deviable(rule: &str) -> bool {
    let about_itself = rule.starts_with("deviation-");
    register::find(rule).is_some() && !is_clear_secret(rule) && !FIXED.contains(&rule) && !about_itself
}

/// Says whether a rule is about a secret that stands in clear.
pub fn is_clear_secret(rule: &str) -> bool {
    CLEAR_SECRETS.contains(&rule)
}

/// Returns the severities that a policy gives to rules.
///
/// A rule about a secret in clear stays high at the least: the commit hands the secret to everybody who ever clones,
/// for good, and the policy that would call this harmless can be changed by whoever commits the secret.
///
/// # Errors
/// [`PolicyError`] with file and line: a rule that does not exist or is not the policy's to weigh, or a secret in clear
/// below high.
pub fn severities(policy: &Policy) -> Result<BTreeMap<&'static str, Severity>, PolicyError> {
    policy.severities.iter().map(|wanted| severity(wanted, policy.severity_floor)).collect()
}

fn severity(wanted: &SeverityRule, floor: Option<Severity>) -> Result<(&'static str, Severity), PolicyError> {
    let error = |message| PolicyError { file: POLICY_PATH.to_owned(), line: wanted.line, message };
    let Some(rule) = register::find(&wanted.rule) else {
        return Err(error(format!("\"{}\" is no rule; docs/checks.md lists them", wanted.rule.shown())));
    };
    if is_clear_secret(rule.name) && wanted.severity < Severity::High {
        let why = "who clones the repository has the secret for good, whatever the policy says";
        return Err(error(format!("{} cannot be below high: {why}", rule.name)));
    }
    if FIXED.contains(&rule.name) {
        return Err(error(format!("the severity of {} cannot be changed", rule.name)));
    }
    // What the trust root lets stop a release still stops it under another severity.
    let floor = floor.filter(|floor| rule.severity >= *floor);
    Ok((rule.name, floor.map_or(wanted.severity, |floor| wanted.severity.max(floor))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Floors;

    fn read(text: &str) -> Result<BTreeMap<&'static str, Severity>, PolicyError> {
        severities(&Policy::parse(format!("[checks.severity]\n{text}").as_bytes()).unwrap())
    }

    #[test]
    fn a_policy_raises_and_lowers_rules() {
        let given = read("crl-stale = \"info\"\nbundle-duplicate = \"critical\"\n").unwrap();
        let wanted = BTreeMap::from([("crl-stale", Severity::Info), ("bundle-duplicate", Severity::Critical)]);
        assert_eq!(given, wanted);
    }

    #[test]
    fn a_rule_that_does_not_exist_is_refused_with_its_line() {
        let error = read("crl-stale = \"info\"\ncrl-stael = \"info\"\n").unwrap_err();
        assert_eq!((error.line, error.message.contains("crl-stael")), (3, true));
    }

    #[test]
    fn what_the_trust_root_may_demand_cannot_be_lowered() {
        for rule in FIXED {
            assert!(read(&format!("{rule} = \"info\"\n")).unwrap_err().message.contains(rule));
        }
    }

    #[test]
    fn what_stops_a_release_by_the_trust_root_stops_it_under_any_policy() {
        let text = b"[checks.severity]\ncrl-stale = \"info\"\nbundle-duplicate = \"info\"\n";
        let floors = Floors { block: Severity::High, approvals: 0, change_control: false, emergency_days: 7 };
        let given = severities(&Policy::parse(text).unwrap().raised_to(&floors)).unwrap();
        assert_eq!(given, BTreeMap::from([("crl-stale", Severity::High), ("bundle-duplicate", Severity::Info)]));
    }

    #[test]
    fn a_secret_in_clear_stays_high_at_the_least() {
        for rule in CLEAR_SECRETS {
            assert!(register::find(rule).is_some_and(|rule| rule.severity == Severity::Critical), "{rule}");
            assert!(read(&format!("{rule} = \"high\"\n")).is_ok(), "{rule}");
            for severity in ["medium", "low", "info"] {
                assert_eq!(read(&format!("{rule} = \"{severity}\"\n")).unwrap_err().line, 2, "{rule}");
            }
        }
    }
}
