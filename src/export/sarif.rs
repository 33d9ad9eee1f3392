//! Findings as SARIF 2.1.0 (OASIS), for whoever shows findings beside code.
//!
//! The same findings give the same bytes: no invocation, no moment, no machine. Never here: content of a file, not
//! even as a snippet or a hash, since a finding may be about a secret.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::domain::{Digest, Finding, ObjectId, RepoPath, Rule, Severity};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What stands for the repository that the findings are about: where it is kept is nobody's business but its keeper's,
/// and remotes may have passwords in their names.
const HERE: &str = "file:.";

/// Returns the findings as one run, with all rules that could have been broken.
pub fn sarif(findings: &[Finding], rules: &[Rule], commit: Option<&ObjectId>) -> String {
    let places: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.name, at)).collect();
    let mut run = Map::new();
    run.insert(
        "tool".to_owned(),
        json!({ "driver": {
            "name": "git-baseline",
            "version": env!("CARGO_PKG_VERSION"),
            "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        }}),
    );
    if let Some(commit) = commit {
        let provenance = json!([{ "repositoryUri": HERE, "revisionId": commit.to_string() }]);
        run.insert("versionControlProvenance".to_owned(), provenance);
    }
    run.insert("columnKind".to_owned(), json!("unicodeCodePoints"));
    run.insert("results".to_owned(), results(findings, &places));
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] });
    format!("{log:#}\n")
}

fn rule(rule: &Rule) -> Value {
    let words = rule.name.replace('-', " ");
    let mut shown = json!({
        "id": rule.name,
        "shortDescription": { "text": words },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "clause": rule.clause,
            "security-severity": score(rule.severity),
            "tags": ["security"],
        },
    });
    if let (false, Value::Object(shown)) = (rule.hint.is_empty(), &mut shown) {
        shown.insert("help".to_owned(), json!({ "text": rule.hint }));
    }
    shown
}

fn results(findings: &[Finding], places: &BTreeMap<&str, usize>) -> Value {
    let mut seen: BTreeMap<(&str, Option<&RepoPath>), usize> = BTreeMap::new();
    let mut results = Vec::with_capacity(findings.len());
    for finding in findings {
        // The second finding of a rule in a file is told from the first, whatever lines they move to.
        let number = seen.entry((finding.rule, finding.path.as_ref())).or_default();
        *number += 1;
        results.push(result(finding, *number, places));
    }
    Value::Array(results)
}

fn result(finding: &Finding, number: usize, places: &BTreeMap<&str, usize>) -> Value {
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), json!(finding.rule));
    if let Some(at) = places.get(finding.rule) {
        result.insert("ruleIndex".to_owned(), json!(at));
    }
    result.insert("level".to_owned(), json!(level(finding.severity)));
    result.insert("message".to_owned(), json!({ "text": message(finding) }));
    if let Some(path) = &finding.path {
        let mut place = json!({ "artifactLocation": { "uri": uri(path) } });
        if let (Some(line), Value::Object(place)) = (finding.line.filter(|line| *line > 0), &mut place) {
            place.insert("region".to_owned(), json!({ "startLine": line }));
        }
        result.insert("locations".to_owned(), json!([{ "physicalLocation": place }]));
    }
    let path = finding.path.as_ref().map_or(&b""[..], RepoPath::as_bytes);
    let print = Digest::of(&[finding.rule.as_bytes(), b"\0", path, b"\0", number.to_string().as_bytes()].concat());
    result.insert("partialFingerprints".to_owned(), json!({ "rulePath/v1": print.to_string() }));
    result.insert("properties".to_owned(), json!({ "severity": finding.severity.as_str() }));
    if let Some(deviation) = &finding.deviation {
        let status = if deviation.in_force { "accepted" } else { "underReview" };
        let why = format!("deviation {}, until {}", deviation.id, deviation.expires.date());
        let suppression = json!([{ "kind": "external", "status": status, "justification": why }]);
        result.insert("suppressions".to_owned(), suppression);
    }
    Value::Object(result)
}

fn message(finding: &Finding) -> String {
    let clean = |text: &str| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect::<String>();
    if finding.hint.is_empty() {
        return clean(&finding.message);
    }
    format!("{} ({})", clean(&finding.message), clean(&finding.hint))
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The middle of each band of CVSS, as readers of `security-severity` expect a number in text.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

/// Percent-encodes a path (RFC 3986): every byte but the unreserved ones and the slash.
fn uri(path: &RepoPath) -> String {
    let mut text = String::with_capacity(path.as_bytes().len());
    for byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [Rule; 2] = [
        Rule { name: "crl-stale", severity: Severity::High, clause: "RFC 5280", hint: "fetch it" },
        Rule { name: "image-not-pinned", severity: Severity::Low, clause: "SLSA", hint: "" },
    ];

    fn finding(rule: &'static str, severity: Severity, path: Option<&[u8]>, line: Option<u32>) -> Finding {
        let path = path.map(|path| RepoPath::new(path.to_vec()));
        Finding {
            rule,
            severity,
            path,
            line,
            message: "seen\n".to_owned(),
            clause: "",
            hint: String::new(),
            deviation: None,
        }
    }

    fn written(findings: &[Finding], commit: Option<&ObjectId>) -> Value {
        let text = sarif(findings, &RULES, commit);
        assert_eq!(text, sarif(findings, &RULES, commit), "the same bytes");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_result_names_rule_level_and_place() {
        let log = written(&[finding("image-not-pinned", Severity::Medium, Some(b"a b/\xff%.yml"), Some(7))], None);
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "image-not-pinned");
        assert_eq!(result["ruleIndex"], 1);
        assert_eq!(result["level"], "warning", "the finding's severity counts, not the register's");
        assert_eq!(result["message"]["text"], "seen\u{fffd}");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/%FF%25.yml");
        assert_eq!(place["region"]["startLine"], 7);
    }

    #[test]
    fn severities_become_levels() {
        let levels = Severity::ALL.map(level);
        assert_eq!(levels, ["error", "error", "warning", "note", "note"]);
    }

    #[test]
    fn a_finding_without_file_or_line_has_no_place_that_was_made_up() {
        let log = written(
            &[finding("crl-stale", Severity::High, None, None), finding("crl-stale", Severity::High, Some(b"a"), None)],
            None,
        );
        let results = &log["runs"][0]["results"];
        assert_eq!(results[0].get("locations"), None);
        assert_eq!(results[1]["locations"][0]["physicalLocation"].get("region"), None);
    }

    #[test]
    fn fingerprints_hang_on_rule_and_path_and_never_on_lines_or_words() {
        let print =
            |finding: Finding| written(&[finding], None)["runs"][0]["results"][0]["partialFingerprints"].clone();
        let one = finding("crl-stale", Severity::High, Some(b"a"), Some(1));
        let moved = Finding { line: Some(9), message: "other".to_owned(), ..one.clone() };
        assert_eq!(print(one.clone()), print(moved));
        assert_ne!(print(one.clone()), print(finding("crl-stale", Severity::High, Some(b"b"), Some(1))));
        let log = written(&[one.clone(), one], None);
        let results = &log["runs"][0]["results"];
        assert_ne!(results[0]["partialFingerprints"], results[1]["partialFingerprints"], "two of one rule in one file");
    }

    #[test]
    fn the_commit_is_told_where_it_is_known() {
        let id = ObjectId::Sha1([7; 20]);
        let told = written(&[], Some(&id));
        assert_eq!(told["runs"][0]["versionControlProvenance"][0]["revisionId"], id.to_string());
        assert_eq!(written(&[], None)["runs"][0].get("versionControlProvenance"), None);
        assert_eq!(told["runs"][0]["results"], json!([]), "no result is a result");
    }

    #[test]
    fn every_rule_is_listed_with_its_clause() {
        let log = written(&[], None);
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().clone();
        assert_eq!(rules.len(), 2);
        assert_eq!(
            rules[0]["properties"],
            json!({ "clause": "RFC 5280", "security-severity": "8.0", "tags": ["security"] })
        );
        assert_eq!((rules[0]["help"]["text"].clone(), rules[1].get("help")), (json!("fetch it"), None));
    }
}
