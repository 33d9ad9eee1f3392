//! JSON answers: one object each, `"schema": "git-baseline/<name>/1"`, only ever extended (contract §5).
//!
//! Own shapes, not dumps of internal types. The schemas stand in `schemas/`.

use serde_json::{Map, Value, json};

use crate::components::FirstParty;
use crate::domain::{
    Component, ComponentDelta, ComponentState, ConfigurationItem, Coverage, CoverageStatus, Fact, FactChange, Facts,
    Finding, ItemClass, ItemDelta, Severity, StateHash, Timestamp,
};
use crate::jobs::{CheckStatus, ComponentChange, Event, Exit, Failure, Happened, Verification};

/// Returns the text of an answer.
pub(super) fn text(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Returns an error.
pub(super) fn failure(failure: &Failure) -> Value {
    json!({
        "schema": "git-baseline/error/1",
        "code": failure.code,
        "message": failure.message,
        "cause": failure.causes.join("; "),
        "hint": failure.hint,
    })
}

fn fact(value: &Fact) -> Value {
    match value {
        Fact::Flag(flag) => json!(flag),
        Fact::Number(number) => json!(number),
        Fact::Text(text) => json!(text),
        Fact::List(list) => list.iter().map(fact).collect(),
        Fact::Map(map) => facts(map),
    }
}

fn facts(facts: &Facts) -> Value {
    Value::Object(facts.iter().map(|(name, value)| (name.to_owned(), fact(value))).collect::<Map<_, _>>())
}

/// Returns an item.
pub(super) fn item(item: &ConfigurationItem) -> Value {
    let digest = item.digest.map(|set| json!({ "blake3": set.blake3.to_string(), "sha256": set.sha256.to_string() }));
    json!({
        "path": item.path.to_string(),
        "kind": item.kind,
        "class": item.class.as_str(),
        "digest": digest.unwrap_or_else(|| json!({ "blake3": null, "sha256": null })),
        "git_id": item.git_id.to_string(),
        "size": item.size,
        "mode": item.mode.to_string(),
        "owner": item.owner,
        "declared": item.declared,
        "facts": facts(&item.facts),
    })
}

/// Returns a component.
pub(super) fn component(component: &Component) -> Value {
    let hashes: Vec<Value> = component
        .hashes
        .iter()
        .map(|hash| json!({ "alg": hash.alg, "value": hash.value, "origin": hash.origin.to_string() }))
        .collect();
    let stated = component.overlay.as_ref();
    json!({
        "purl": component.purl,
        "name": component.name,
        "version": component.version,
        "ecosystem": component.ecosystem,
        "direct": component.direct,
        "scope": component.scope.to_string(),
        "hashes": hashes,
        "licenses": component.licenses,
        "supplier": component.supplier,
        "category": component.category,
        "support": component.support,
        "reason": stated.and_then(|overlay| overlay.reason.as_ref()),
        "end_of_support": stated.and_then(|overlay| overlay.end_of_support).map(Timestamp::date),
        "anomaly_review": stated.and_then(|overlay| overlay.anomaly_review.as_ref()),
        "risk": stated.and_then(|overlay| overlay.risk.as_ref()),
        "found_in": component.found_in.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "dependencies": component.dependencies,
    })
}

/// Returns a package of the product's own.
pub(super) fn first_party(package: &FirstParty) -> Value {
    json!({
        "purl": package.purl,
        "name": package.name,
        "version": package.version,
        "ecosystem": package.ecosystem,
        "found_in": package.found_in.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Returns what is missing in the list of components: a file at a time.
pub(super) fn gaps(coverage: &[Coverage]) -> Vec<Value> {
    let mut gaps = Vec::new();
    for file in coverage {
        let reasons = file.gaps.iter().map(|reason| json!({ "path": file.path.to_string(), "reason": reason }));
        gaps.extend(reasons);
        if file.gaps.is_empty() && file.status != CoverageStatus::Parsed {
            gaps.push(json!({ "path": file.path.to_string(), "reason": file.status.to_string() }));
        }
    }
    gaps
}

/// Returns what became of each lock and manifest file.
pub(super) fn coverage(coverage: &[Coverage]) -> Vec<Value> {
    let file = |file: &Coverage| {
        json!({
            "path": file.path.to_string(),
            "reader": file.reader,
            "status": file.status.to_string(),
            "components": file.components,
        })
    };
    coverage.iter().map(file).collect()
}

/// Returns a finding.
pub(super) fn finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "severity": finding.severity.as_str(),
        "path": finding.path.as_ref().map(ToString::to_string),
        "line": finding.line,
        "message": finding.message,
        "clause": finding.clause,
        "hint": finding.hint,
        "deviation": finding.deviation.as_ref().map(|deviation| &deviation.id),
        "deviation_in_force": finding.deviation.as_ref().map(|deviation| deviation.in_force),
    })
}

/// Returns how many findings there are of each severity.
pub(super) fn summary(findings: &[Finding]) -> Value {
    let standing = || findings.iter().filter(|finding| finding.stands());
    let count = |severity| standing().filter(|finding| finding.severity == severity).count();
    let mut summary: Map<String, Value> =
        Severity::ALL.into_iter().map(|severity| (severity.as_str().to_owned(), json!(count(severity)))).collect();
    summary.insert("deviated".to_owned(), json!(findings.len() - standing().count()));
    Value::Object(summary)
}

fn fact_change(change: &FactChange) -> Value {
    json!({
        "name": change.name,
        "before": change.before.as_ref().map(fact),
        "after": change.after.as_ref().map(fact),
    })
}

fn statements(delta: &ItemDelta) -> Vec<Value> {
    crate::export::statements(delta).iter().map(statement).collect()
}

fn statement(statement: &crate::export::Statement) -> Value {
    json!({ "text": statement.text, "direction": statement.direction.as_str() })
}

/// Returns an item's difference.
pub(super) fn item_delta(delta: &ItemDelta) -> Value {
    let item = delta.item();
    json!({
        "path": item.map(|item| item.path.to_string()),
        "kind": item.map(|item| item.kind.clone()),
        "class": item.map(|item| item.class.as_str()),
        "op": delta.operation().as_str(),
        "words": crate::export::words(delta),
        "statements": statements(delta),
        "from": delta.before.as_ref().map(|item| item.path.to_string()),
        "facts": delta.fact_changes().iter().map(fact_change).collect::<Vec<_>>(),
    })
}

/// Returns a component's difference.
pub(super) fn component_delta(delta: &ComponentDelta) -> Value {
    json!({
        "purl_before": delta.before.as_ref().map(|state| state.purl.clone()),
        "purl_after": delta.after.as_ref().map(|state| state.purl.clone()),
        "op": delta.operation(),
        "statements": crate::export::component_statements(delta).iter().map(statement).collect::<Vec<_>>(),
    })
}

/// Returns one event of a history.
pub(super) fn event(event: &Event) -> Value {
    let mut value = match &event.happened {
        Happened::Item(delta) => item_event(delta),
        Happened::Component(change) => component_event(change),
    };
    let of_the_commit = json!({
        "commit": event.commit.to_string(),
        "time": event.time.to_string(),
        "author": event.author,
        "change": event.changes.first().map(ToString::to_string),
        "changes": event.changes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "approved_by": [],
        "release": event.release.as_ref().map(ToString::to_string),
    });
    if let (Value::Object(value), Value::Object(of_the_commit)) = (&mut value, of_the_commit) {
        value.extend(of_the_commit);
    }
    value
}

fn item_event(delta: &ItemDelta) -> Value {
    let state = |item: &Option<ConfigurationItem>| {
        item.as_ref().map(|item| {
            json!({ "path": item.path.to_string(), "git_id": item.git_id.to_string(),
            "blake3": item.digest.map(|set| set.blake3.to_string()) })
        })
    };
    let item = delta.item();
    json!({
        "path": item.map(|item| item.path.to_string()),
        "kind": item.map(|item| item.kind.clone()),
        "class": item.map(|item| item.class.as_str()),
        "op": delta.operation().as_str(),
        "words": crate::export::words(delta),
        "statements": statements(delta),
        "from": state(&delta.before),
        "to": state(&delta.after),
        "facts": delta.fact_changes().iter().map(fact_change).collect::<Vec<_>>(),
    })
}

fn component_event(change: &ComponentChange) -> Value {
    let delta = &change.delta;
    let state = |state: &Option<ComponentState>| state.as_ref().map(|state| json!({ "purl": state.purl }));
    let told = crate::export::component_statements(delta);
    let words: Vec<String> = told.iter().map(ToString::to_string).collect();
    json!({
        "path": change.found_in.first().map(ToString::to_string),
        "kind": "component",
        "class": ItemClass::Component.as_str(),
        "op": delta.operation(),
        "words": (!words.is_empty()).then(|| words.join("; ")),
        "statements": told.iter().map(statement).collect::<Vec<_>>(),
        "from": state(&delta.before),
        "to": state(&delta.after),
        "facts": component_facts(delta),
    })
}

/// Returns what of a component is another before and after; nothing where it came or went.
fn component_facts(delta: &ComponentDelta) -> Vec<Value> {
    let (Some(before), Some(after)) = (&delta.before, &delta.after) else { return Vec::new() };
    let facts = |state: &ComponentState| -> Vec<(&'static str, Value)> {
        let overlay = state.overlay.clone().unwrap_or_default();
        let hash = |hash: &StateHash| format!("{}:{}", hash.alg, hash.value);
        // An empty list is what nobody knows, like a missing text.
        let list = |list: Vec<String>| if list.is_empty() { Value::Null } else { json!(list) };
        vec![
            ("version", json!(state.version())),
            ("scope", json!(state.scope.to_string())),
            ("hashes", list(state.hashes.iter().map(hash).collect())),
            ("licenses", list(state.licenses.clone())),
            ("supplier", json!(state.supplier)),
            ("category", json!(state.category)),
            ("support", json!(state.support)),
            ("end_of_support", json!(overlay.end_of_support.map(|end| end.to_string()))),
            ("reason", json!(overlay.reason)),
            ("anomaly_review", json!(overlay.anomaly_review)),
            ("risk", json!(overlay.risk)),
        ]
    };
    let both = facts(before).into_iter().zip(facts(after));
    both.filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| json!({ "name": name, "before": old, "after": new }))
        .collect()
}

/// Returns a verification.
pub(super) fn verification(report: &Verification) -> Value {
    let checks: Vec<Value> = report
        .checks
        .iter()
        .map(|check| {
            let status = match check.status {
                CheckStatus::Passed => "passed",
                CheckStatus::Failed => "failed",
                CheckStatus::Unknown => "unknown",
            };
            json!({
                "id": check.id,
                "status": status,
                "code": check.failure.as_ref().map(|failure| failure.code),
                "detail": check.detail,
            })
        })
        .collect();
    let release = report.release.as_ref().map(|release| {
        json!({
            "name": release.name.as_str(),
            "commit": release.commit.to_string(),
            "manifest": release.manifest.to_string(),
            "source_tree": release.source_tree.to_string(),
            "sequence": release.sequence,
            "previous": release.predecessor.map(|digest| digest.to_string()),
        })
    });
    json!({
        "schema": "git-baseline/verify/1",
        "target": report.target,
        "verdict": report.verdict().as_str(),
        "trust": {
            "fingerprint": report.fingerprint.map(|digest| digest.to_string()),
            "version": report.trust_version,
            "pinned": report.pinned,
        },
        "log": report.log.map(|head| json!({
            "size": head.size, "root": head.root.to_string(), "freshness": super::human::freshness(&report.freshness),
            "seen": report.freshness.seen,
            "witnesses": report.freshness.witnesses.iter().map(|(operator, time)| json!({ "operator": operator, "time": time })).collect::<Vec<_>>(),
            "quorum_time": report.freshness.quorum,
        })),
        "checks": checks,
        "release": release,
        "void": report.void,
        "signoffs": report.sign_offs.iter().map(sign_off).collect::<Vec<_>>(),
    })
}

/// Returns a sign-off.
pub(super) fn sign_off(shown: &crate::jobs::ShownSignOff) -> Value {
    let said = &shown.sign_off;
    json!({
        "person": said.person.as_str(),
        "printed_name": said.printed_name,
        "role": said.role.as_str(),
        "meaning": said.meaning.as_str(),
        "reason": said.reason,
        "time": said.time.to_string(),
        "key": shown.key,
        "digest": shown.digest.to_string(),
    })
}

/// Joins several verifications under the worst verdict.
pub(super) fn verifications(reports: &[Verification]) -> (Value, Exit) {
    let worst = reports.iter().map(Verification::exit).max().unwrap_or(Exit::Defect);
    let results: Vec<Value> = reports.iter().map(verification).collect();
    match (&results[..], reports.iter().map(Verification::verdict).max()) {
        ([one], _) => (one.clone(), worst),
        (_, verdict) => {
            let verdict = verdict.map(crate::jobs::Verdict::as_str);
            (json!({ "schema": "git-baseline/verify/1", "verdict": verdict, "results": results }), worst)
        }
    }
}
