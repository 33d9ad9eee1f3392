//! Reads a labelled corpus as one tree and counts, by kind: recognised, facts equal, findings found, missed and false.
//!
//! The corpus is no part of the project: `GIT_BASELINE_CORPUS` names its folder, and without it the test says so and
//! passes. `just corpus` runs it. No byte of a labelled secret may occur in anything that the program says.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "a test reads and reports")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use base64ct::{Base64, Base64Url, Encoding};
use git_baseline::checks::{self, Thresholds};
use git_baseline::domain::{
    ConfigurationItem, DigestSet, Finding, Mode, ObjectId, Observation, RepoPath, Severity, Timestamp,
};
use git_baseline::recognize::{self, Recognized};
use serde_json::Value;

/// Facts that cannot be read from the file alone; docs/items.md argues each.
const OUT_OF_REACH: &[(&str, &str)] = &[("ssh/id_rsa", "comment")];

/// How many bytes of a secret in a row are a leak.
const LEAK: usize = 12;

/// What was counted of one kind.
#[derive(Default)]
struct Row {
    files: usize,
    kind: usize,
    class: usize,
    facts: usize,
    equal: usize,
    found: usize,
    missed: usize,
    wrong: usize,
}

struct Corpus {
    folder: PathBuf,
    labels: Value,
}

impl Corpus {
    fn open() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os("GIT_BASELINE_CORPUS")?);
        let labels = serde_json::from_slice(&std::fs::read(folder.join("labels.json")).unwrap()).unwrap();
        Some(Self { folder, labels })
    }

    fn items(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.labels["items"].as_array().unwrap().iter().map(|label| (text(label, "path"), label))
    }

    fn thresholds(&self) -> Thresholds {
        let number = |name: &str| self.labels["policy"][name].as_i64().unwrap();
        Thresholds {
            rsa_min_bits: number("rsa_min_bits"),
            expiring_soon_days: number("expiring_soon_days"),
            max_leaf_days: number("max_leaf_days"),
            severities: BTreeMap::new(),
        }
    }

    fn read(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(path)).unwrap()
    }
}

fn text<'a>(label: &'a Value, name: &str) -> &'a str {
    label[name].as_str().unwrap_or_default()
}

/// What the program makes of the whole corpus.
struct Answer {
    found: BTreeMap<String, Recognized>,
    /// Findings of the rules that the labels know.
    findings: Vec<Finding>,
    /// Findings of rules that the labels do not know, and so can neither confirm nor deny.
    beside: Vec<Finding>,
    said: String,
}

fn answer(corpus: &Corpus) -> Answer {
    let mut found = BTreeMap::new();
    let mut items = Vec::new();
    let mut observations: Vec<(RepoPath, Observation)> = Vec::new();
    for (path, _) in corpus.items() {
        let bytes = corpus.read(path);
        let Some(recognized) = recognize::recognize(&RepoPath::new(path), &bytes) else { continue };
        observations.extend(recognized.observations.iter().map(|seen| (RepoPath::new(path), seen.clone())));
        items.push(item(path, &bytes, &recognized));
        found.insert(path.to_owned(), recognized);
    }
    let as_of = Timestamp::parse(text(&corpus.labels, "as_of")).unwrap();
    let all = checks::check_items(&items, &observations, as_of, &corpus.thresholds());
    let mut said = format!("{found:#?}{all:#?}{}", serde_json::to_string(&items).unwrap());
    for recognized in found.values() {
        recognized.facts.iter().for_each(|(name, fact)| writeln!(said, "{name}={fact}").unwrap());
    }
    let (findings, beside) = all.into_iter().partition(|finding| corpus.labels["checks"].get(finding.rule).is_some());
    Answer { found, findings, beside, said }
}

fn item(path: &str, bytes: &[u8], recognized: &Recognized) -> ConfigurationItem {
    ConfigurationItem {
        kind: recognized.kind.clone(),
        mode: Mode::FILE,
        path: path.into(),
        size: bytes.len() as u64,
        class: recognized.class,
        facts: recognized.facts.clone(),
        owner: None,
        digest: (!recognized.secret).then(|| DigestSet::of(bytes)),
        git_id: ObjectId::Sha1([0; 20]),
        declared: true,
    }
}

/// Relations between files, which the labels, given file by file, do not speak of.
const RELATIONS: [&str; 3] = ["certificate-duplicate", "private-key-authorized", "public-key-reused"];

type Key = (String, Option<u64>, String);

fn wanted(label: &Value) -> BTreeSet<Key> {
    let findings = label["findings"].as_array().unwrap().iter();
    let key =
        |found: &Value| (text(found, "check").to_owned(), found["line"].as_u64(), text(found, "severity").to_owned());
    findings.map(key).collect()
}

fn seen(findings: &[Finding], path: &str, wanted: &BTreeSet<Key>) -> BTreeSet<Key> {
    let of_path = findings.iter().filter(|found| found.path.as_ref().is_some_and(|at| *at == RepoPath::new(path)));
    let key = |found: &Finding| (found.rule.to_owned(), found.line.map(u64::from), found.severity.to_string());
    // A line is more than a label without one asks for.
    let without = |(rule, line, severity): Key| {
        let bare = (rule.clone(), None, severity.clone());
        if wanted.contains(&bare) { bare } else { (rule, line, severity) }
    };
    of_path.map(|found| without(key(found))).collect()
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    if whole == 0 { 1.0 } else { number(part) / number(whole) }
}

#[test]
fn the_corpus_is_read_as_it_is_labelled() {
    let Some(corpus) = Corpus::open() else {
        return println!("skipped: GIT_BASELINE_CORPUS names no corpus");
    };
    let answer = answer(&corpus);
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (path, label) in corpus.items() {
        let row = rows.entry(label["kind"].as_str().unwrap_or("(no item)")).or_default();
        judge(path, label, &answer, row, &mut wrong);
    }
    let mut total = Row::default();
    println!(
        "{:<28}{:>6}{:>6}{:>7}{:>10}{:>7}{:>8}{:>7}",
        "kind", "files", "kind", "class", "facts", "found", "missed", "false"
    );
    for (kind, row) in &rows {
        print(kind, row);
        total.add(row);
    }
    print("all", &total);
    for line in &wrong {
        println!("{line}");
    }
    for finding in &answer.beside {
        let place = finding.path.as_ref().map(ToString::to_string).unwrap_or_default();
        println!("not in the labels: {} at {place}: {}", finding.rule, finding.message);
        assert!(
            RELATIONS.contains(&finding.rule),
            "{} is neither in the labels nor a relation between files",
            finding.rule
        );
    }
    assert_eq!((total.kind, total.class), (total.files, total.files), "kinds");
    assert!(share(total.equal, total.facts) >= 0.99, "facts");
    assert!(share(total.found, total.found + total.missed) >= 0.98, "recall");
    assert!(share(total.found, total.found + total.wrong) >= 0.98, "precision");
}

fn judge(path: &str, label: &Value, answer: &Answer, row: &mut Row, wrong: &mut Vec<String>) {
    let found = answer.found.get(path);
    let (kind, class) = found.map_or(("", "none"), |found| (found.kind.as_str(), found.class.as_str()));
    row.files += 1;
    row.kind += usize::from(kind == text(label, "kind"));
    row.class += usize::from(class == text(label, "class"));
    if (kind, class) != (text(label, "kind"), text(label, "class")) {
        wrong.push(format!("{path}: {kind} {class}"));
    }
    for (name, expected) in label["facts"].as_object().into_iter().flatten() {
        let fact = found.and_then(|found| found.facts.find(name));
        // What is not said is left out: a null of the labels.
        let equal = fact.map_or(Value::Null, |fact| serde_json::to_value(fact).unwrap()) == *expected;
        row.facts += 1;
        row.equal += usize::from(equal);
        if !equal && !OUT_OF_REACH.contains(&(path, name)) {
            wrong.push(format!("{path}: {name} is {fact:?}, not {expected}"));
        }
    }
    let wanted = wanted(label);
    let seen = seen(&answer.findings, path, &wanted);
    row.found += seen.intersection(&wanted).count();
    row.missed += wanted.difference(&seen).count();
    row.wrong += seen.difference(&wanted).count();
    wrong.extend(wanted.difference(&seen).map(|finding| format!("{path}: missed {finding:?}")));
    wrong.extend(seen.difference(&wanted).map(|finding| format!("{path}: false {finding:?}")));
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.kind += other.kind;
        self.class += other.class;
        self.facts += other.facts;
        self.equal += other.equal;
        self.found += other.found;
        self.missed += other.missed;
        self.wrong += other.wrong;
    }
}

fn print(kind: &str, row: &Row) {
    let Row { files, kind: kinds, class, facts, equal, found, missed, wrong } = row;
    let facts = format!("{equal}/{facts}");
    println!("{kind:<28}{files:>6}{kinds:>6}{class:>7}{facts:>10}{found:>7}{missed:>8}{wrong:>7}");
}

/// Returns the bytes and what they are in base64 or hexadecimal, whichever way one cuts them.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let packed: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let mut forms = vec![bytes.to_vec(), packed.clone()];
    for run in packed.split(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'/' | b'-' | b'_')) {
        for start in 0..4.min(run.len()) {
            let run = &run[start..];
            let whole = std::str::from_utf8(&run[..run.len() - run.len() % 4]).unwrap();
            forms.extend(Base64::decode_vec(whole).or_else(|_| Base64Url::decode_vec(whole)).ok());
        }
        for start in 0..2.min(run.len()) {
            forms.extend(unhex(&run[start..]));
        }
    }
    forms.retain(|form| form.len() >= LEAK);
    forms
}

fn unhex(run: &[u8]) -> Option<Vec<u8>> {
    let pairs = run.as_chunks::<2>().0.iter();
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Returns what is said, word by word in every form, cut into pieces as long as a leak.
fn windows_of(said: &str) -> BTreeSet<Vec<u8>> {
    let words: BTreeSet<&str> = said.split(|c: char| c.is_whitespace() || c == '"').collect();
    let forms = words.iter().flat_map(|word| forms(word.as_bytes())).chain([said.as_bytes().to_vec()]);
    forms.flat_map(|form| form.windows(LEAK).map(<[u8]>::to_vec).collect::<Vec<_>>()).collect()
}

#[test]
fn no_secret_is_repeated_in_any_spelling() {
    let Some(corpus) = Corpus::open() else {
        return println!("skipped: GIT_BASELINE_CORPUS names no corpus");
    };
    let answer = answer(&corpus);
    let windows = windows_of(&answer.said);
    let mut secrets = 0;
    for (path, label) in corpus.items() {
        let bytes = corpus.read(path);
        for span in label["secret_spans"].as_array().into_iter().flatten() {
            secrets += 1;
            // Of a private key the public half may be told: what the label itself repeats.
            let public = windows_of(&label["facts"].to_string());
            for form in forms(secret(&bytes, span)) {
                let leak = form.windows(LEAK).position(|window| windows.contains(window) && !public.contains(window));
                assert_eq!(leak, None, "{path}: a part of a secret is told");
            }
        }
        if label["secret_spans"].is_array() && !path.ends_with(".htpasswd") {
            assert!(
                answer.found.get(path).is_none_or(|found| found.secret || is_locked(label)),
                "{path}: has a digest"
            );
        }
    }
    println!("{secrets} secrets, none told");
}

fn secret<'a>(bytes: &'a [u8], span: &Value) -> &'a [u8] {
    let number = |index: usize| usize::try_from(span[index].as_u64().unwrap()).unwrap();
    &bytes[number(0)..number(0) + number(1)]
}

fn is_locked(label: &Value) -> bool {
    label["facts"]["encrypted"] == Value::Bool(true)
}

#[test]
fn severities_are_those_of_the_labels() {
    let Some(corpus) = Corpus::open() else { return };
    let rules = checks::rules();
    for (name, check) in corpus.labels["checks"].as_object().unwrap() {
        let Some(rule) = rules.iter().find(|rule| rule.name == name) else { continue };
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == text(check, "severity"));
        assert_eq!(Some(rule.severity), severity, "{name}");
    }
}

#[test]
fn a_leak_is_seen_in_every_spelling() {
    let key = b"0123456789abcdefghijkl";
    let hex: Vec<String> = key.iter().map(|byte| format!("{byte:02x}")).collect();
    for told in [Base64::encode_string(&key[2..]), hex.concat()] {
        let windows = windows_of(&told);
        assert!(forms(key).iter().any(|form| form.windows(LEAK).any(|part| windows.contains(part))), "{told}");
    }
}
