//! Holds the house: which floor may import which, where outside crates may be named, how long a file may be, and that
//! each file says at its head what it is. The table is the one of docs/architecture.md.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "the sources are read; a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms by floor, highest first. Whoever stands on a floor may import what stands below, and nothing beside it.
const FLOORS: [&[&str]; 6] = [
    &["cli"],
    &["jobs"],
    &["store"],
    &["collect", "checks", "export"],
    &["policy", "recognize", "components", "codec", "crypto"],
    &["domain"],
];

/// Outside crates that few rooms alone may name; `recognize` computes public halves, and signs nothing.
const OWNED: [(&str, &[&str]); 9] = [
    ("gix", &["store"]),
    ("clap", &["cli"]),
    ("ed25519_dalek", &["crypto", "recognize"]),
    ("ssh_key", &["crypto"]),
    ("ciborium", &["codec"]),
    ("walkdir", &["store"]),
    ("blake3", &["domain"]),
    ("rpassword", &["cli"]),
    ("roxmltree", &["components"]),
];

const MOST_LINES: usize = 500;

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Returns the words that follow `crate::` in a line, comments and doc comments left out.
fn imports(line: &str) -> Vec<&str> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::")
        .map(|(at, found)| word(&code[at + found.len()..]))
        .filter(|word| !word.is_empty())
        .collect()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Returns what is wrong with one file's text, each with its line.
fn judge(room: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.starts_with("//! ") {
        wrong.push("1: no `//!` head that says what this is".to_owned());
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        wrong.push(format!("{lines}: longer than {MOST_LINES} lines"));
    }
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        for imported in imports(line) {
            let (from, to) = (floor(room), floor(imported));
            if room != imported && to.is_some() && from.is_some() && to <= from {
                wrong.push(format!(
                    "{number}: `{room}` imports `{imported}`, which does not stand below it: {}",
                    line.trim()
                ));
            }
        }
        let code = line.split("//").next().unwrap_or_default();
        for (outside, owners) in OWNED {
            let named = code.match_indices(outside).any(|(at, found)| {
                let before =
                    code[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '"');
                before && code[at + found.len()..].starts_with("::")
            });
            if named && !owners.contains(&room) && room != "main" {
                wrong.push(format!(
                    "{number}: `{outside}` is named outside of `{}`: {}",
                    owners.join(", "),
                    line.trim()
                ));
            }
        }
    }
    wrong
}

/// Returns the room of a file below `src`.
fn room_of(path: &Path, root: &Path) -> String {
    let first = path.strip_prefix(root).unwrap().components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_point_down_and_files_are_short_and_say_what_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > 60, "the sources were found");
    let mut wrong = BTreeSet::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        for what in judge(&room_of(&path, &root), &text) {
            wrong.insert(format!("{}:{what}", path.strip_prefix(&root).unwrap().display()));
        }
    }
    let lines: Vec<_> = wrong.into_iter().collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
fn an_upward_or_sideways_import_is_found() {
    let text = "//! x\nuse crate::cli::run;\nuse crate::codec;\nuse gix::open;\n// crate::cli\n";
    let wrong = judge("crypto", text);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[0].starts_with("2: `crypto` imports `cli`"));
    assert!(wrong[1].starts_with("3: `crypto` imports `codec`"));
    assert!(wrong[2].starts_with("4: `gix` is named outside of `store`"));
    assert_eq!(
        judge("jobs", "//! x\nuse crate::store::Repository;\nuse crate::domain::Digest;\n"),
        Vec::<String>::new()
    );
    assert_eq!(judge("domain", "use x;\n").len(), 1);
}

#[test]
fn every_room_has_a_floor() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for room in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        assert!(floor(room).is_some(), "{room} stands on no floor");
    }
}
