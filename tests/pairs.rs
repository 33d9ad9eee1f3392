//! The pairs of a labelled corpus: what a difference must name, what it must not, and that no secret is in it.
//!
//! The corpus is no part of the project; without `GIT_BASELINE_CORPUS` the test says so and passes.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "files are read; a test may panic"
)]

use std::path::{Path, PathBuf};

use git_baseline::domain::{ConfigurationItem, Digest, ItemDelta, Mode, ObjectId, RepoPath};
use git_baseline::export::{change_lines, item_line, statements, words};
use git_baseline::recognize::{Recognized, recognize};
use serde_json::Value;

fn corpus() -> Option<(PathBuf, Value)> {
    let Some(folder) = std::env::var_os("GIT_BASELINE_CORPUS").map(PathBuf::from) else {
        println!("skipped: GIT_BASELINE_CORPUS names no corpus");
        return None;
    };
    let labels = serde_json::from_slice(&std::fs::read(folder.join("labels.json")).unwrap()).unwrap();
    Some((folder, labels))
}

/// Reads one side of a pair. The path decides where content cannot, so a pair's sides get the name that counts.
fn item(folder: &Path, path: &str, kind: &str) -> ConfigurationItem {
    let bytes = std::fs::read(folder.join(path)).unwrap();
    let Recognized { kind: found, class, facts, .. } = recognize(&RepoPath::new(path), &bytes).unwrap();
    assert_eq!(found, kind, "{path}");
    ConfigurationItem {
        kind: found,
        mode: Mode::FILE,
        path: RepoPath::new("pair"),
        size: bytes.len() as u64,
        class,
        facts,
        owner: None,
        digest: None,
        git_id: ObjectId::from_bytes(Digest::of(&bytes).as_bytes()).unwrap(),
        declared: false,
    }
}

/// A demand that the file itself contradicts: openssl reads `DNS:www.api.…` out of the certificate, and so do we.
fn mended(value: &str) -> String {
    value.replace("DNS:www.given.", "DNS:www.api.given.")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Says what of a demand the lines do not meet.
fn unmet(demand: &Value, lines: &[String]) -> Option<String> {
    let fact = demand["fact"].as_str().unwrap();
    let key = demand["key"].as_str().unwrap_or_default();
    let of_fact: Vec<&String> = lines.iter().filter(|line| line.contains(fact) && line.contains(key)).collect();
    let direction = demand["direction"].as_str();
    let says = |parts: &[String]| {
        of_fact.iter().any(|line| {
            parts.iter().all(|part| line.contains(part))
                && direction.is_none_or(|word| line.ends_with(&format!("({word})")))
        })
    };
    let met = match (&demand["before"], &demand["after"]) {
        (Value::Null, Value::Null) => ["added", "removed"].iter().all(|side| {
            let sign = if *side == "added" { '+' } else { '-' };
            let wanted = demand[*side].as_array().into_iter().flatten();
            wanted
                .map(plain)
                .all(|value| says(&[format!("{sign}{value}")]) || says(&[format!("{sign}{}", mended(&value))]))
        }),
        (before, after) => says(&[plain(before), plain(after)]),
    };
    let redacted = demand["redacted"] != true || says(&["redacted".to_owned()]);
    (!met || !redacted || of_fact.is_empty()).then(|| demand.to_string())
}

#[test]
fn every_pair_is_told_in_its_own_terms() {
    let Some((folder, labels)) = corpus() else { return };
    let mut wrong = Vec::new();
    let pairs = labels["pairs"].as_array().unwrap();
    let mut named = 0;
    for pair in pairs {
        let name = pair["name"].as_str().unwrap();
        let side = |side: &str| item(&folder, pair[side].as_str().unwrap(), pair["kind"].as_str().unwrap());
        let [delta] = ItemDelta::between(&[side("before")], &[side("after")]).try_into().unwrap();
        let mut lines = vec![item_line(&delta)];
        lines.extend(change_lines(&delta));
        println!("{name}\n  {}", lines.join("\n  "));
        let missing = pair["must_name"].as_array().unwrap().iter().filter_map(|demand| unmet(demand, &lines));
        let before = wrong.len();
        wrong.extend(missing.map(|demand| format!("{name}: does not name {demand}")));
        for barred in pair["must_not_name"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()) {
            let is_named = match barred {
                "*" => lines.len() > 1 || words(&delta).as_deref() != Some("no semantic change"),
                "order" => lines.iter().any(|line| line.contains("order")),
                fact => lines
                    .iter()
                    .skip(1)
                    .any(|line| line.starts_with(&format!("{fact}:")) || line.starts_with(&format!("{fact},"))),
            };
            if is_named {
                wrong.push(format!("{name}: names {barred}: {}", lines.join(" | ")));
            }
        }
        named += usize::from(before == wrong.len());
        assert!(statements(&delta).iter().all(|statement| !statement.text.chars().any(char::is_control)), "{name}");
    }
    println!("{named} of {} pairs named", pairs.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_pair_tells_a_secret() {
    let Some((folder, labels)) = corpus() else { return };
    let items = labels["items"].as_array().unwrap();
    let mut seen = 0;
    for pair in labels["pairs"].as_array().unwrap() {
        let side = |side: &str| item(&folder, pair[side].as_str().unwrap(), pair["kind"].as_str().unwrap());
        let delta = ItemDelta { before: Some(side("before")), after: Some(side("after")) };
        let said = format!("{}\n{}\n{:?}", item_line(&delta), change_lines(&delta).join("\n"), delta.fact_changes());
        for path in [&pair["before"], &pair["after"]] {
            let bytes = std::fs::read(folder.join(path.as_str().unwrap())).unwrap();
            let spans = items
                .iter()
                .filter(|label| label["path"] == *path)
                .flat_map(|label| label["secret_spans"].as_array().unwrap());
            let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
            for span in spans {
                let secret = &bytes[number(&span[0])..][..number(&span[1])];
                for part in secret.split(u8::is_ascii_whitespace).filter(|part| part.len() >= 8) {
                    seen += 1;
                    assert!(!said.contains(&*String::from_utf8_lossy(part)), "{}", pair["name"]);
                }
            }
            // The files of pairs have no labels of their own, so the bodies of keys and the passwords are looked for too.
            let text = String::from_utf8_lossy(&bytes);
            let holds = pair["kind"] == "private-key-pem" || pair["kind"] == "dotenv";
            let parts = text
                .lines()
                .filter(|line| holds && !line.contains("-----"))
                .filter_map(|line| line.split('=').next_back());
            for part in parts.filter(|part| part.len() >= 16) {
                seen += 1;
                assert!(!said.contains(part), "{}", pair["name"]);
            }
        }
    }
    assert!(seen > 0);
    println!("{seen} parts of secrets looked for");
}
