//! docs/checks.md and the program agree: every refusal code, and every rule, in both directions.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    fs::read_to_string(home().join("docs/checks.md")).expect("docs/checks.md is there")
}

/// Returns the codes in a text; what ends in a hyphen is the beginning of many.
fn codes(text: &str, found: &mut BTreeSet<String>) {
    for rest in text.split("GB-").skip(1) {
        let name: String =
            rest.chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '-').collect();
        if !name.is_empty() && !name.ends_with('-') {
            found.insert(format!("GB-{name}"));
        }
    }
}

fn sources(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the sources can be read") {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            codes(&fs::read_to_string(&path).expect("a source is text"), found);
        }
    }
}

#[test]
fn every_code_of_the_sources_is_documented_and_no_other() {
    let mut used = BTreeSet::new();
    sources(&home().join("src"), &mut used);
    assert!(used.contains("GB-SIG-THRESHOLD"), "the search finds nothing any more: {used:?}");
    let mut documented = BTreeSet::new();
    for line in document().lines().filter(|line| line.starts_with("| `GB-")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let whole = cells.len() == 6 && cells.iter().skip(1).take(4).all(|cell| !cell.is_empty());
        assert!(whole, "code, exit, meaning and what to do: {line}");
        codes(cells[1], &mut documented);
    }
    let missing: Vec<_> = used.difference(&documented).collect();
    let left: Vec<_> = documented.difference(&used).collect();
    assert!(missing.is_empty(), "docs/checks.md does not explain {missing:#?}");
    assert!(left.is_empty(), "docs/checks.md explains codes that the sources do not have: {left:#?}");
}

const BEGIN: &str = "<!-- rules -->\n";
const END: &str = "<!-- end of rules -->";

fn rules() -> String {
    let mut table = String::from("\n| rule | severity | clause | hint |\n| --- | --- | --- | --- |\n");
    for rule in git_baseline::checks::rules() {
        let plain = |text: &str| text.replace('|', "\\|");
        let row = (rule.name, rule.severity, plain(rule.clause), plain(rule.hint));
        writeln!(table, "| `{}` | {} | {} | {} |", row.0, row.1, row.2, row.3).expect("text can be written");
    }
    table.push('\n');
    table
}

#[test]
fn every_rule_of_the_register_is_documented_word_for_word() {
    let text = document();
    let (before, rest) = text.split_once(BEGIN).expect("docs/checks.md has a place for rules");
    let (table, after) = rest.split_once(END).expect("docs/checks.md has an end of rules");
    let expected = rules();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let whole = format!("{before}{BEGIN}{expected}{END}{after}");
        return fs::write(home().join("docs/checks.md"), whole).expect("docs/checks.md can be written");
    }
    for (found, wanted) in table.lines().zip(expected.lines()) {
        assert_eq!(found, wanted, "run `UPDATE_DOCS=1 cargo test --test codes`");
    }
    assert_eq!(table.lines().count(), expected.lines().count(), "run `UPDATE_DOCS=1 cargo test --test codes`");
}

#[test]
fn the_example_of_the_policy_document_is_a_policy() {
    let text = fs::read_to_string(home().join("docs/policy.md")).expect("docs/policy.md is there");
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    git_baseline::policy::Policy::parse(example.as_bytes()).expect("the example is a policy");
}
