//! The CDDL names every field that is written, in the order in which it is written, and no other; every JSON answer has
//! a schema. Whether answers are valid by their schemas, `tests/tools/validate_json.py` says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ciborium::Value;
use git_baseline::codec;
use git_baseline::domain::Digest;

mod samples;

const CDDL: &str = include_str!("../schemas/records.cddl");

/// The fields of a map rule, in order, with the text of their types.
type Fields = Vec<(String, String)>;

/// Reads the rules that are maps of named fields, one field a line.
fn rules() -> BTreeMap<String, Fields> {
    let mut rules = BTreeMap::new();
    let mut open: Option<(String, Fields)> = None;
    for line in CDDL.lines().map(|line| line.split(';').next().unwrap_or_default().trim()) {
        if let Some(name) = line.strip_suffix(" = {") {
            open = Some((name.trim().to_owned(), Vec::new()));
        } else if line == "}" {
            rules.extend(open.take());
        } else if let (Some((_, fields)), Some((name, kind))) = (&mut open, line.split_once(':')) {
            fields.push((name.trim().to_owned(), kind.trim().to_owned()));
        }
    }
    rules
}

/// Compares a value with a rule, and what it holds with the rules that the rule names.
fn compare(rules: &BTreeMap<String, Fields>, used: &mut BTreeSet<String>, kind: &str, value: &Value) {
    let words = kind.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let rule = words.into_iter().find_map(|word| rules.get_key_value(word));
    match (rule, value) {
        (Some((name, fields)), Value::Map(pairs)) => {
            used.insert(name.clone());
            let written: Vec<_> = pairs.iter().map(|(key, _)| key.as_text().unwrap_or_default()).collect();
            let stated: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(written, stated, "the fields of {name}: written, stated in the CDDL");
            for ((_, value), (_, kind)) in pairs.iter().zip(fields) {
                compare(rules, used, kind, value);
            }
        }
        (Some(_), Value::Array(list)) => list.iter().for_each(|value| compare(rules, used, kind, value)),
        (None, Value::Map(_)) => assert_eq!(kind, "facts", "a map that the CDDL does not name"),
        _ => {}
    }
}

fn body<T: codec::Record>(record: &T) -> Value {
    let bytes = codec::encode(Some(&Digest::of(b"baseline")), record);
    let frame: Value = ciborium::from_reader(bytes.as_slice()).expect("a record is CBOR");
    let frame = frame.into_array().expect("a record is an array");
    assert_eq!((frame.len(), frame[1].as_text()), (4, Some(T::TYPE)));
    frame.into_iter().nth(3).expect("a frame has four elements")
}

#[test]
fn the_cddl_names_the_fields_of_every_record_in_their_order() {
    let rules = rules();
    let mut used = BTreeSet::new();
    compare(&rules, &mut used, "root", &body(&samples::root()));
    compare(&rules, &mut used, "root", &body(&samples::next_root()));
    compare(&rules, &mut used, "manifest", &body(&samples::manifest()));
    compare(&rules, &mut used, "release", &body(&samples::release()));
    compare(&rules, &mut used, "signoff", &body(&samples::sign_off("anna", b"statement")));
    compare(&rules, &mut used, "signoff", &body(&samples::verified()));
    compare(&rules, &mut used, "change", &body(&samples::change_request()));
    compare(&rules, &mut used, "commit", &body(&samples::commit("summary\n")));
    // A rule that no sample reached would be compared with nothing.
    assert_eq!(used, rules.into_keys().collect());
}

/// Returns every `git-baseline/<name>/1` of the sources.
fn answers(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("the sources can be read") {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() {
            answers(&path, names);
        } else {
            let text = fs::read_to_string(&path).expect("a source is text");
            let quoted = text.split("\"git-baseline/").skip(1).filter_map(|rest| rest.split('"').next());
            names.extend(
                quoted
                    .filter_map(|name| name.strip_suffix("/1"))
                    .filter(|name| !name.contains('<'))
                    .map(ToOwned::to_owned),
            );
        }
    }
}

#[test]
fn every_json_answer_has_a_schema_that_bears_its_name_and_every_schema_an_answer() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    answers(&home.join("src"), &mut names);
    assert!(names.contains("verify"), "the search finds nothing any more: {names:?}");
    let mut described = BTreeSet::new();
    for entry in fs::read_dir(home.join("schemas")).expect("schemas can be read") {
        let path = entry.expect("schemas can be read").path();
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let Some(name) = file.strip_suffix(".schema.json") else { continue };
        let schema: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).expect("a schema can be read")).expect("a schema is JSON");
        let id = format!("git-baseline/{name}/1");
        assert_eq!(
            (schema["$id"].as_str(), schema["properties"]["schema"]["const"].as_str()),
            (Some(&*id), Some(&*id))
        );
        described.insert(name.to_owned());
    }
    assert_eq!(names, described);
}
