//! Judges how long components are supported, as `.baseline/components.toml` states it.
//!
//! Serves requirement R15 (FDA 524B). Never here: components whose end of support nobody stated.

use crate::domain::{Component, Observation, RepoPath, Timestamp};
use crate::policy::COMPONENTS_PATH;

/// From how many days before its end the end of support is told.
const SOON: i64 = 90;

/// Returns the components whose support has ended at the moment `as_of`, or ends soon after.
pub fn judge(components: &[Component], as_of: Timestamp) -> Vec<(RepoPath, Observation)> {
    let mut found = Vec::new();
    for component in components {
        let Some(end) = component.overlay.as_ref().and_then(|overlay| overlay.end_of_support) else { continue };
        let purl = component.purl.escape_debug();
        let observation = if end <= as_of {
            let message = format!("{purl} is without support since {}", end.date());
            Observation { rule: "component-out-of-support", line: None, message }
        } else if end <= as_of.plus_days(SOON) {
            let message = format!("the support of {purl} ends on {}", end.date());
            Observation { rule: "component-support-ending", line: None, message }
        } else {
            continue;
        };
        found.push((RepoPath::from(COMPONENTS_PATH), observation));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Overlay, Scope};

    fn rules(end: Option<&str>, as_of: &str) -> Vec<&'static str> {
        let component = Component {
            name: "a".into(),
            purl: "pkg:npm/a@1".into(),
            scope: Scope::Runtime,
            direct: None,
            hashes: vec![],
            overlay: end.map(|end| Overlay { end_of_support: Timestamp::parse(end), ..Overlay::default() }),
            support: None,
            version: Some("1".into()),
            category: None,
            found_in: vec![],
            licenses: vec![],
            supplier: None,
            ecosystem: "npm".into(),
            dependencies: vec![],
        };
        judge(&[component], Timestamp::parse(as_of).unwrap()).into_iter().map(|(_, seen)| seen.rule).collect()
    }

    #[test]
    fn support_ends_on_its_day_and_is_told_ninety_days_before() {
        let told = |as_of: &str| rules(Some("2027-04-01"), as_of);
        assert_eq!(told("2026-12-31"), Vec::<&str>::new());
        assert_eq!(told("2027-01-01"), ["component-support-ending"]);
        assert_eq!(told("2027-03-31"), ["component-support-ending"]);
        assert_eq!(told("2027-04-01"), ["component-out-of-support"]);
        assert_eq!(rules(None, "2100-01-01"), Vec::<&str>::new());
    }
}
