//! Inputs that must be accepted or refused, as files that other verifiers can read: `tests/vectors/README.md`.
//!
//! `UPDATE_VECTORS=1 cargo test --test vectors` writes them again; without it they are compared and judged.

#[path = "vectors/cases.rs"]
mod cases;
#[path = "vectors/judge.rs"]
mod judge;
mod samples;
#[path = "vectors/signed.rs"]
mod signed;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// Returns the folders of all vectors, as `accept/<name>` and `refuse/<name>`.
fn stored() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for kind in ["accept", "refuse"] {
        let Ok(entries) = fs::read_dir(folder().join(kind)) else { continue };
        names.extend(entries.map(|entry| format!("{kind}/{}", entry.unwrap().file_name().to_str().unwrap())));
    }
    names
}

fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn the_vectors_are_those_that_are_generated() {
    let made = cases::all();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        for old in stored().iter().filter(|name| !made.contains_key(*name)) {
            fs::remove_dir_all(folder().join(old)).unwrap();
        }
        for (name, files) in &made {
            let path = folder().join(name);
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            for (file, bytes) in files {
                fs::write(path.join(file), bytes).unwrap();
            }
        }
    }
    assert_eq!(stored(), made.keys().cloned().collect());
    for (name, wanted) in &made {
        assert!(
            files(&folder().join(name)) == *wanted,
            "{name} is another: run UPDATE_VECTORS=1 cargo test --test vectors"
        );
    }
}

#[test]
fn every_vector_is_judged_as_it_says() {
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        return; // They are being written.
    }
    let mut wrong = Vec::new();
    let mut codes = BTreeSet::new();
    for name in stored() {
        let files = files(&folder().join(&name));
        let expected: serde_json::Value = serde_json::from_slice(&files["expected.json"]).unwrap();
        let code = expected["code"].as_str().unwrap_or_default().to_owned();
        let verdict = judge::judge(&expected, &files);
        let found = verdict.as_ref().map_or_else(|code| *code, |()| "accept");
        assert_eq!(name.starts_with("accept/"), code == "accept", "{name}");
        println!("{name:<60} {code:<24} {found}");
        if found != code {
            wrong.push(format!("{name}: {found}, not {code}"));
        }
        codes.insert(code);
    }
    assert_eq!(wrong, Vec::<String>::new());
    let formats: BTreeSet<_> = codes.iter().filter(|code| code.starts_with("GB-FMT-")).collect();
    assert_eq!(formats.len(), 18, "a code of docs/format.md §2.2 has no vector: {formats:?}");
}
