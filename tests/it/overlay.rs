//! The overlay of components, as `components`, `check`, `diff` and records go by it.

use crate::support::Repo;

const OVERLAY: &str = "[[component]]\npurl = \"pkg:npm/a\"\ncategory = \"supported\"\nreason = \"r\"\n\
                       end_of_support = \"2027-01-31\"\n[[declared]]\nname = \"rtos\"\nversion = \"1.2\"\nsupplier = \"S\"\n";

fn lock(version: &str, digest: char) -> String {
    let digest = digest.to_string().repeat(27);
    format!(
        r#"{{"lockfileVersion": 3, "packages": {{"": {{"dependencies": {{"a": "1"}}}},
        "node_modules/a": {{"version": "{version}", "integrity": "sha1-{digest}="}}}}}}"#
    )
}

fn repo() -> Repo {
    let repo = Repo::empty(&[]);
    repo.write("package-lock.json", lock("1.0.0", 'A'));
    repo.commit("First");
    repo.write(".baseline/components.toml", OVERLAY);
    repo.commit("Second");
    repo
}

fn diff(repo: &Repo, before: &str, after: &str) -> Vec<(String, Vec<String>)> {
    let answer = repo.baseline(&["diff", before, after, "--class", "component", "--format", "json"]).json();
    let told = |delta: &serde_json::Value| {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let statements = delta["statements"].as_array().unwrap();
        let told = |one: &serde_json::Value| format!("{} ({})", text(&one["text"]), text(&one["direction"]));
        let purls = format!("{} {} {}", text(&delta["op"]), text(&delta["purl_before"]), text(&delta["purl_after"]));
        (purls, statements.iter().map(told).collect())
    };
    answer["components"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn what_is_stated_and_declared_is_listed() {
    let repo = repo();
    let answer = repo.baseline(&["components", "--format", "json"]).json();
    let (rtos, a) = (&answer["components"][0], &answer["components"][1]);
    assert_eq!((rtos["purl"].as_str(), rtos["direct"].as_bool()), (Some("pkg:generic/S/rtos@1.2"), Some(true)));
    assert_eq!(rtos["found_in"][0], ".baseline/components.toml");
    assert_eq!((&a["category"], &a["reason"]), (&"supported".into(), &"r".into()));
    assert_eq!(a["end_of_support"], "2027-01-31");
    let text = repo.baseline(&["components", "--by", "category"]).text();
    assert!(text.contains("supported (1)") && text.contains("ends: 2027-01-31; reason: r"), "{text}");
    let listed = |date: &str| {
        let answer = repo.baseline(&["components", "--eos-before", date, "--format", "json"]).json();
        answer["components"].as_array().unwrap().len()
    };
    assert_eq!((listed("2027-01-31"), listed("2027-02-01")), (0, 1));
    repo.baseline(&["components", "--eos-before", "soon"]).exits(2);
}

#[test]
fn the_end_of_support_and_an_unused_entry_are_findings() {
    let repo = repo();
    let more = format!("{OVERLAY}[[component]]\npurl = \"pkg:npm/gone\"\nrisk = \"R\"\n");
    repo.write(".baseline/components.toml", more);
    repo.commit("Third");
    let told = |as_of: &str| repo.baseline(&["check", "--as-of", as_of]).text();
    let early = told("2026-06-01");
    assert!(early.contains("overlay-unused") && early.contains(".baseline/components.toml:11"), "{early}");
    assert!(!early.contains("component-support-ending"), "{early}");
    assert!(told("2026-12-01").contains("component-support-ending"));
    assert!(told("2027-02-01").contains("component-out-of-support"));
}

#[test]
fn a_malformed_overlay_stops_those_who_judge_and_no_history() {
    let repo = repo();
    repo.write(".baseline/components.toml", OVERLAY.replace("reason", "because"));
    repo.git(&["add", "--all"]);
    repo.baseline(&["check", "--staged"]).exits(1).shows("policy-invalid").shows(".baseline/components.toml:4");
    repo.commit("Third");
    for command in ["check", "components", "items"] {
        repo.baseline(&[command]).refuses(2, "GB-POLICY-INVALID").says(".baseline/components.toml:4");
    }
    repo.baseline(&["log"]).exits(0);
    repo.baseline(&["components", "HEAD~1"]).exits(0);
}

#[test]
fn a_change_of_the_overlay_is_a_change_of_components() {
    let repo = repo();
    assert_eq!(
        diff(&repo, "HEAD~1", "HEAD"),
        [
            ("added - pkg:generic/S/rtos@1.2".to_owned(), vec![]),
            (
                "revised pkg:npm/a@1.0.0 pkg:npm/a@1.0.0".to_owned(),
                vec![
                    "category: none → supported: now stated (neutral)".to_owned(),
                    "end_of_support: none → 2027-01-31: now stated (neutral)".to_owned(),
                    "reason: none → r: now stated (neutral)".to_owned(),
                ]
            ),
        ]
    );
    repo.write(".baseline/policy.toml", "[change_control]\nrequired = true\n");
    repo.write(".baseline/components.toml", OVERLAY.replace("supported", "required"));
    repo.git(&["add", "--all"]);
    repo.commit("Third");
    let told = diff(&repo, "HEAD~1", "HEAD");
    assert_eq!(told[0].1, ["category: supported → required: less is promised (weakened)"]);
}

#[test]
fn another_hash_at_the_same_version_is_an_alarm_and_versions_have_an_order() {
    let repo = repo();
    repo.write("package-lock.json", lock("1.0.0", 'E'));
    repo.commit("Altered");
    repo.write("package-lock.json", lock("1.10.0", 'I'));
    repo.commit("Upgraded");
    repo.write("package-lock.json", lock("1.9.0", 'M'));
    repo.commit("Downgraded");
    repo.git(&["mv", "package-lock.json", "npm-shrinkwrap.json"]);
    repo.commit("Moved");
    let text = repo.baseline(&["diff", "HEAD~4", "HEAD~3"]).text();
    assert!(text.contains("altered pkg:npm/a@1.0.0: hash differs at the same version (SHA-1) (weakened)"), "{text}");
    assert_eq!(diff(&repo, "HEAD~3", "HEAD~2"), [("upgraded pkg:npm/a@1.0.0 pkg:npm/a@1.10.0".to_owned(), vec![])]);
    let older = vec!["an older version (weakened)".to_owned()];
    assert_eq!(diff(&repo, "HEAD~2", "HEAD~1"), [("downgraded pkg:npm/a@1.10.0 pkg:npm/a@1.9.0".to_owned(), older)]);
    assert_eq!(diff(&repo, "HEAD~1", "HEAD"), []);
}
