//! The TOML of the policy, as written, turned into a [`Policy`] or an error with its line.
//!
//! Never here: what a policy means.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::pattern::Pattern;
use super::place::{self, Place};
use super::{
    ChangeControl, Checks, Exclusion, ItemRule, POLICY_PATH, Policy, PolicyError, Process, Product, SeverityRule,
};
use crate::domain::{Digest, ItemClass, RepoPath, Severity};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawPolicy {
    product: RawProduct,
    scope: RawScope,
    item: Vec<RawItem>,
    change_control: RawChangeControl,
    process: Vec<RawProcess>,
    checks: RawChecks,
    /// Pinned advisory repositories: their room (vulnerability work).
    advisories: Vec<RawAdvisories>,
    exclude: Vec<RawExclude>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawProduct {
    name: String,
    document_id: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawScope {
    paths: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    pattern: Spanned<String>,
    kind: Option<Spanned<String>>,
    class: Option<Spanned<String>>,
    owner: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawChangeControl {
    required: Option<bool>,
    trailer: Option<Spanned<String>>,
    approvals: Option<u64>,
    emergency_days: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProcess {
    phase: Spanned<String>,
    document_id: String,
    path: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawChecks {
    block: Option<Spanned<String>>,
    rsa_min_bits: Option<u32>,
    expiring_soon_days: Option<u32>,
    max_leaf_days: Option<u32>,
    rotation_days: Option<u32>,
    severity: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "checked for shape only; nothing reads advisories yet")]
struct RawAdvisories {
    name: String,
    path: String,
    commit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExclude {
    pattern: Spanned<String>,
    reason: Spanned<String>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Policy, PolicyError> {
    let (place, raw): (_, RawPolicy) = place::read(POLICY_PATH, bytes)?;
    let items = raw.item.into_iter().map(|item| rule(&place, item)).collect::<Result<_, _>>()?;
    let excludes = raw.exclude.into_iter().map(|exclude| exclusion(&place, exclude)).collect::<Result<_, _>>()?;
    Ok(Policy {
        digest: Some(Digest::of(bytes)),
        product: Product { name: raw.product.name, document_id: raw.product.document_id },
        change_control: change_control(&place, raw.change_control)?,
        processes: raw.process.into_iter().map(|process| self::process(&place, process)).collect::<Result<_, _>>()?,
        checks: checks(&place, &raw.checks)?,
        severities: severities(&place, &raw.checks.severity)?,
        severity_floor: None,
        items,
        excludes,
        also: None,
        scope: raw.scope.paths.iter().map(|path| place.pattern(path)).collect::<Result<_, _>>()?,
    })
}

fn rule(place: &Place, raw: RawItem) -> Result<(Pattern, ItemRule), PolicyError> {
    let pattern = place.pattern(&raw.pattern)?;
    let class = match &raw.class {
        None => None,
        Some(text) => Some(ItemClass::parse(text.get_ref()).ok_or_else(|| {
            let known = ItemClass::ALL.map(ItemClass::as_str).join(", ");
            place.at(text, format!("\"{}\" is no class; the classes are {known}", text.get_ref().escape_debug()))
        })?),
    };
    if let Some(kind) = &raw.kind {
        let named = kind.get_ref();
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if named.is_empty() || named.len() > 64 || !named.bytes().all(fits) {
            return Err(place.at(kind, "a kind has 1 to 64 lower-case letters, digits and hyphens"));
        }
    }
    Ok((pattern, ItemRule { kind: raw.kind.map(Spanned::into_inner), class, owner: raw.owner }))
}

fn exclusion(place: &Place, raw: RawExclude) -> Result<(Pattern, Exclusion), PolicyError> {
    if raw.reason.get_ref().trim().is_empty() {
        return Err(place.at(&raw.reason, "an exclusion needs a reason"));
    }
    let pattern = place.pattern(&raw.pattern)?;
    Ok((pattern, Exclusion { pattern: raw.pattern.into_inner(), reason: raw.reason.into_inner() }))
}

fn change_control(place: &Place, raw: RawChangeControl) -> Result<ChangeControl, PolicyError> {
    let default = ChangeControl::default();
    if let Some(trailer) = &raw.trailer {
        let text = trailer.get_ref();
        if text.is_empty() || !text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
            return Err(place.at(trailer, "a trailer's name has letters, digits and hyphens"));
        }
    }
    Ok(ChangeControl {
        required: raw.required.unwrap_or(default.required),
        trailer: raw.trailer.map_or(default.trailer, Spanned::into_inner),
        approvals: raw.approvals.unwrap_or(default.approvals),
        emergency_days: raw.emergency_days.unwrap_or(default.emergency_days),
    })
}

fn process(place: &Place, raw: RawProcess) -> Result<Process, PolicyError> {
    let phase = raw.phase.get_ref();
    if !["development", "maintenance", "support"].contains(&phase.as_str()) {
        return Err(place.at(&raw.phase, "a phase is development, maintenance or support"));
    }
    Ok(Process { phase: raw.phase.into_inner(), document_id: raw.document_id, path: RepoPath::from(raw.path.as_str()) })
}

fn checks(place: &Place, raw: &RawChecks) -> Result<Checks, PolicyError> {
    let default = Checks::default();
    let block = match &raw.block {
        None => default.block,
        Some(text) => severity(place, text)?,
    };
    Ok(Checks {
        block,
        rsa_min_bits: raw.rsa_min_bits.map_or(default.rsa_min_bits, i64::from),
        expiring_soon_days: raw.expiring_soon_days.map_or(default.expiring_soon_days, i64::from),
        max_leaf_days: raw.max_leaf_days.map_or(default.max_leaf_days, i64::from),
        rotation_days: raw.rotation_days.map(i64::from),
    })
}

fn severity(place: &Place, text: &Spanned<String>) -> Result<Severity, PolicyError> {
    let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == text.get_ref());
    known.ok_or_else(|| place.at(text, "a severity is critical, high, medium, low or info"))
}

/// Returns the severities in the order of their lines.
fn severities(
    place: &Place,
    raw: &BTreeMap<Spanned<String>, Spanned<String>>,
) -> Result<Vec<SeverityRule>, PolicyError> {
    let rule = |(name, text): (&Spanned<String>, &Spanned<String>)| {
        let severity = severity(place, text)?;
        Ok(SeverityRule { rule: name.get_ref().clone(), severity, line: place.line(name.span().start) })
    };
    let mut rules = raw.iter().map(rule).collect::<Result<Vec<_>, PolicyError>>()?;
    rules.sort_by_key(|rule| rule.line);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Treatment;

    fn refused(text: &str) -> (usize, String) {
        let error = parse(text.as_bytes()).unwrap_err();
        (error.line, error.message)
    }

    #[test]
    fn errors_name_their_line() {
        assert_eq!(refused("[product]\nname = \"x\"\n[chekcs]\n").0, 3);
        assert_eq!(refused("[product]\nname = \n").0, 2);
        assert_eq!(refused("\n[[item]]\npattern = \"*.pem\"\nclass = \"secret\"\n").0, 4);
        assert_eq!(
            refused("[[exclude]]\npattern = \"x/\"\nreason = \" \"\n"),
            (3, "an exclusion needs a reason".into())
        );
        assert_eq!(refused("[[item]]\nkind = \"x\"\n").0, 1);
        assert_eq!(refused("[checks]\n[checks.severity]\ncrl-stale = \"worse\"\n").0, 3);
    }

    #[test]
    fn severities_keep_name_and_line() {
        let policy = parse(b"[checks.severity]\n# why\ncrl-stale = \"low\"\nbundle-duplicate = \"high\"\n").unwrap();
        let told: Vec<_> = policy.severities.iter().map(|s| (s.rule.as_str(), s.severity, s.line)).collect();
        assert_eq!(told, [("crl-stale", Severity::Low, 3), ("bundle-duplicate", Severity::High, 4)]);
    }

    #[test]
    fn the_last_match_wins_and_the_policy_itself_cannot_be_excluded() {
        let text = "[[item]]\npattern = \"*.json\"\nkind = \"access-policy\"\nowner = \"it\"\n\
                    [[item]]\npattern = \"!public/*.json\"\n\
                    [[exclude]]\npattern = \"tests/\"\nreason = \"fixtures\"\n\
                    [[exclude]]\npattern = \".baseline/\"\nreason = \"hide\"\n\
                    [[process]]\nphase = \"support\"\ndocument_id = \"D\"\npath = \"tests/plan.md\"\n";
        let policy = parse(text.as_bytes()).unwrap();
        let kind = |path: &str| match policy.treatment(&path.into()) {
            Treatment::Declared(rule) => rule.kind.unwrap_or_default(),
            other => format!("{other:?}"),
        };
        assert_eq!(kind("a/b.json"), "access-policy");
        assert_eq!(kind("public/b.json"), "Undeclared");
        assert_eq!(kind("tests/a.json"), "Excluded");
        assert_eq!(kind(".baseline/policy.toml"), "baseline-policy");
        assert_eq!(kind("tests/plan.md"), "process-document");
    }
}
