//! docs/items.md and the register of kinds agree, word for word; every rule that a kind names is a rule.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use git_baseline::checks;
use git_baseline::domain::ItemClass;
use git_baseline::recognize::{KindRow, kinds};

const BEGIN: &str = "<!-- kinds -->\n";
const END: &str = "<!-- end of kinds -->";

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/items.md")
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn table() -> String {
    let mut table = String::new();
    for class in ItemClass::ALL {
        let rows: Vec<&KindRow> = kinds().iter().filter(|row| row.class == class).collect();
        if rows.is_empty() {
            continue;
        }
        writeln!(table, "\n### {class}\n").expect("text can be written");
        table.push_str("| kind | how it is known | facts | rules | standard |\n| --- | --- | --- | --- | --- |\n");
        for row in rows {
            let cells = [format!("`{}`", row.name), row.how.to_owned(), list(row.facts), list(row.rules)];
            let cells = cells.map(|cell| cell.replace('|', "\\|")).join(" | ");
            writeln!(table, "| {cells} | {} |", row.standard).expect("text can be written");
        }
    }
    table.push('\n');
    table
}

#[test]
fn the_register_of_kinds_is_documented_word_for_word() {
    let text = fs::read_to_string(place()).expect("docs/items.md is there");
    let (before, rest) = text.split_once(BEGIN).expect("docs/items.md has a place for kinds");
    let (found, after) = rest.split_once(END).expect("docs/items.md has an end of kinds");
    let expected = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let whole = format!("{before}{BEGIN}{expected}{END}{after}");
        return fs::write(place(), whole).expect("docs/items.md can be written");
    }
    assert!(found == expected, "run `UPDATE_DOCS=1 cargo test --test items_doc`");
}

#[test]
fn every_rule_that_a_kind_names_is_registered() {
    for row in kinds() {
        for name in row.rules {
            assert!(checks::rules().iter().any(|rule| rule.name == *name), "{}: {name}", row.name);
        }
    }
}
