//! Makes all vectors, the same bytes at every run: good records, and each defect put into them by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ciborium::Value;
use git_baseline::codec::{self, Record};
use git_baseline::domain::*;
use serde_json::json;

use crate::samples;

type Files = BTreeMap<String, Vec<u8>>;

/// A defect that is put into the four parts of a record.
type Change = Box<dyn Fn(&mut Vec<Value>)>;

/// A field's value that is refused: record type, defect, good bytes, where, what.
type BadField = (&'static str, &'static str, Vec<u8>, &'static [&'static str], Value);

/// A value in the first entry of a list that is refused: record type, defect, good bytes, list, field, what.
type BadMember<'b> = (&'static str, &'static str, &'b [u8], &'static str, &'static str, Value);

/// All vectors: `accept/<name>` or `refuse/<name>`, with their files.
pub fn all() -> BTreeMap<String, Files> {
    let mut cases = Cases::default();
    cases.records::<TrustRoot>(None, &samples::root());
    let baseline = Some(baseline());
    cases.records::<Manifest>(baseline, &samples::manifest());
    cases.records::<Release>(baseline, &samples::release());
    cases.records::<SignOff>(baseline, &samples::sign_off("anna", b"statement"));
    cases.records::<ChangeRequest>(baseline, &samples::change_request());
    cases.records::<CommitRecord>(baseline, &samples::commit(SUMMARY));
    cases.good("root-second", baseline, &samples::next_root());
    cases.good("signoff-verified", baseline, &samples::verified());
    cases.fields();
    cases.signatures();
    cases.roots();
    cases.notes();
    cases.next_roots();
    cases.sign_offs();
    cases.checkpoints();
    cases.contents();
    cases.0
}

pub fn baseline() -> Digest {
    Digest::of(&codec::encode(None, &samples::root()))
}

#[derive(Default)]
pub struct Cases(BTreeMap<String, Files>);

impl Cases {
    /// Adds a vector. `code` is `accept`, or the code of the refusal.
    pub fn add(&mut self, name: &str, code: &str, mut expected: serde_json::Value, files: &[(&str, &[u8])]) {
        expected["code"] = json!(code);
        let mut all: Files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        all.insert("expected.json".into(), format!("{expected:#}\n").into_bytes());
        let kind = if code == "accept" { "accept" } else { "refuse" };
        assert!(self.0.insert(format!("{kind}/{name}"), all).is_none(), "two vectors named {name}");
    }

    fn record(&mut self, kind: &str, defect: &str, code: &str, bytes: &[u8]) {
        let expected = json!({ "check": "record", "type": kind });
        self.add(&format!("{kind}-{defect}"), code, expected, &[("input.cbor", bytes)]);
    }

    /// A good record, with a twin for people.
    fn good<T: Record>(&mut self, name: &str, baseline: Option<Digest>, record: &T) {
        let good = codec::encode(baseline.as_ref(), record);
        let twin = format!("{:#}\n", readable(&value(&good)));
        let files = [("input.cbor", good.as_slice()), ("readable.json", twin.as_bytes())];
        self.add(&format!("{name}-good"), "accept", json!({ "check": "record", "type": T::TYPE }), &files);
    }

    /// Every code of docs/format.md §2.2, for one record type.
    fn records<T: Record>(&mut self, baseline: Option<Digest>, record: &T) {
        let kind = T::TYPE;
        let good = codec::encode(baseline.as_ref(), record);
        self.good(kind, baseline, record);

        // Byte 0 is the head of the frame, byte 1 the format, byte 2 the head of the type.
        let spliced = |bytes: &[u8]| [&good[..1], bytes, &good[2..]].concat();
        let mut bad_text = good.clone();
        bad_text[3] = 0xff;
        let raw: [(&str, &str, Vec<u8>); 11] = [
            ("empty", "GB-FMT-TRUNCATED", Vec::new()),
            ("truncated", "GB-FMT-TRUNCATED", good[..good.len() - 1].to_vec()),
            ("trailing-byte", "GB-FMT-TRAILING", [&good[..], b"\0"].concat()),
            ("written-twice", "GB-FMT-TRAILING", [&good[..], &good[..]].concat()),
            ("long-integer", "GB-FMT-NOT-SHORTEST", spliced(&[0x18, 0x01])),
            ("indefinite-array", "GB-FMT-INDEFINITE", [&[0x9f], &good[1..], &[0xff]].concat()),
            ("reserved-head", "GB-FMT-RESERVED", spliced(&[0x1c])),
            ("undefined", "GB-FMT-SIMPLE", spliced(&[0xf7])),
            ("text-not-utf8", "GB-FMT-UTF8", bad_text),
            ("other-version", "GB-FMT-VERSION", spliced(&[0x02])),
            ("length-beyond-end", "GB-FMT-TRUNCATED", b"\x84\x01\x7b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()),
        ];
        for (defect, code, bytes) in raw {
            self.record(kind, defect, code, &bytes);
        }
        let zeros = json!({ "check": "record", "type": kind, "zero_bytes": codec::MOST_BYTES + 1 });
        self.add(&format!("{kind}-too-large"), "GB-FMT-TOO-LARGE", zeros, &[]);

        let deep = (0..40).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        // A root's first field may be null, which is another code.
        let first = usize::from(kind == "root");
        let longest: Value = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz".into();
        let changed: [(&str, &str, Change); 16] = [
            ("tag", "GB-FMT-TAG", Box::new(|frame| frame[0] = Value::Tag(1, Box::new(1.into())))),
            ("float", "GB-FMT-FLOAT", Box::new(|frame| frame[0] = Value::Float(1.0))),
            ("number-as-key", "GB-FMT-KEY-TYPE", Box::new(|frame| body(frame)[0].0 = 1.into())),
            ("keys-out-of-order", "GB-FMT-KEY-ORDER", Box::new(|frame| body(frame).swap(0, 1))),
            (
                "key-twice",
                "GB-FMT-KEY-TWICE",
                Box::new(|frame| {
                    let first = body(frame)[0].clone();
                    body(frame).insert(0, first);
                }),
            ),
            ("nested-too-deep", "GB-FMT-DEPTH", Box::new(move |frame| frame[3] = deep.clone())),
            ("other-type", "GB-FMT-TYPE", Box::new(|frame| frame[1] = "receipt".into())),
            ("frame-of-three", "GB-FMT-FIELD", Box::new(|frame| drop(frame.pop()))),
            ("frame-of-five", "GB-FMT-NOT-CANONICAL", Box::new(|frame| frame.push(Value::Null))),
            ("short-baseline", "GB-FMT-FIELD", Box::new(|frame| frame[2] = Value::Bytes(vec![7; 31]))),
            ("baseline-as-text", "GB-FMT-FIELD", Box::new(|frame| frame[2] = "00".repeat(16).into())),
            ("baseline-as-list", "GB-FMT-NOT-CANONICAL", Box::new(|frame| frame[2] = Value::Array(vec![1.into(); 32]))),
            ("field-missing", "GB-FMT-FIELD", Box::new(move |frame| drop(body(frame).remove(first)))),
            ("field-unknown", "GB-FMT-FIELD", Box::new(move |frame| body(frame).push((longest.clone(), Value::Null)))),
            ("field-of-other-type", "GB-FMT-FIELD", Box::new(|frame| body(frame)[0].1 = Value::Bool(true))),
            (
                "body-as-list",
                "GB-FMT-FIELD",
                Box::new(|frame| {
                    frame[3] = Value::Array(body(frame).iter().map(|(_, value)| value.clone()).collect());
                }),
            ),
        ];
        for (defect, code, change) in changed {
            self.record(kind, defect, code, &altered(&good, change));
        }
    }

    /// Rules of single fields.
    fn fields(&mut self) {
        let baseline = Some(baseline());
        let cases: [BadField; 18] = [
            ("root", "short-nonce", codec::encode(None, &samples::root()), &["nonce"], Value::Bytes(vec![7; 31])),
            ("root", "time-beyond-64-bits", codec::encode(None, &samples::root()), &["time"], u64::MAX.into()),
            ("commit", "change-id-not-ascii", commit(), &["changes"], Value::Array(vec!["CR-\u{e9}".into()])),
            ("root", "negative-version", codec::encode(None, &samples::root()), &["version"], (-1).into()),
            (
                "root",
                "object-id-of-21-bytes",
                codec::encode(None, &samples::root()),
                &["control_start"],
                Value::Bytes(vec![1; 21]),
            ),
            ("manifest", "unknown-object-format", manifest(), &["object_format"], "md5".into()),
            ("manifest", "digest-null", manifest(), &["source_tree", "digest"], Value::Null),
            ("release", "name-with-slash", release(), &["name"], "1/0".into()),
            ("release", "name-with-two-dots", release(), &["name"], "1..0".into()),
            ("release", "name-that-locks", release(), &["name"], "1.lock".into()),
            ("release", "change-without-content", release(), &["changes"], Value::Array(vec!["CR-1".into()])),
            ("change", "unknown-type", change(), &["type"], "urgent".into()),
            ("change", "unknown-bound", change(), &["standing", "bound"], "any".into()),
            ("change", "id-with-space", change(), &["id"], "CR 1".into()),
            ("signoff", "verification-of-one-word", sign_off(baseline), &["verification"], "passed".into()),
            ("signoff", "unknown-role", sign_off(baseline), &["role"], "admin".into()),
            ("signoff", "unknown-meaning", sign_off(baseline), &["meaning"], "liked".into()),
            ("signoff", "person-in-capitals", sign_off(baseline), &["person"], "Anna".into()),
        ];
        for (kind, defect, good, path, new) in cases {
            let bytes = altered(&good, |frame| *at(&mut frame[3], path) = new.clone());
            self.record(kind, defect, "GB-FMT-FIELD", &bytes);
        }
        let left_out = altered(&manifest(), |frame| body(frame).retain(|(name, _)| name.as_text() != Some("policy")));
        self.record("manifest", "nullable-field-left-out", "GB-FMT-NOT-CANONICAL", &left_out);
        let members: [BadMember<'_>; 5] = [
            ("release", "change-id-with-space", &release(), "changes", "id", "CR 1".into()),
            ("root", "unknown-act", &next_root(), "quorums", "act", "sell".into()),
            ("root", "witness-key-of-31-bytes", &next_root(), "witnesses", "key", Value::Bytes(vec![1; 31])),
            ("root", "unknown-revocation", &next_root(), "revocations", "kind", "lost".into()),
            ("root", "revocation-since-a-number", &next_root(), "revocations", "since", 3.into()),
        ];
        for (kind, defect, good, list, field, new) in members {
            let bytes = altered(good, |frame| {
                let Value::Array(entries) = at(&mut frame[3], &[list]) else { panic!("no list") };
                *at(&mut entries[0], &[field]) = new.clone();
            });
            self.record(kind, defect, "GB-FMT-FIELD", &bytes);
        }
        let huge = altered(&manifest(), |frame| {
            let Value::Array(items) = at(&mut frame[3], &["items"]) else { panic!("no items") };
            *at(&mut items[0], &["facts", "is_ca"]) = Value::Integer(u64::MAX.into());
        });
        self.record("manifest", "fact-beyond-64-bits", "GB-FMT-FIELD", &huge);
    }
}

pub const SUMMARY: &str = "baseline: 1 item, 1 component changed\n  changed etc/pump.pem (x509-certificate)\n";

fn manifest() -> Vec<u8> {
    codec::encode(Some(&baseline()), &samples::manifest())
}

fn commit() -> Vec<u8> {
    codec::encode(Some(&baseline()), &samples::commit(SUMMARY))
}

fn release() -> Vec<u8> {
    codec::encode(Some(&baseline()), &samples::release())
}

fn change() -> Vec<u8> {
    codec::encode(Some(&baseline()), &samples::change_request())
}

fn next_root() -> Vec<u8> {
    codec::encode(Some(&baseline()), &samples::next_root())
}

pub fn sign_off(baseline: Option<Digest>) -> Vec<u8> {
    codec::encode(baseline.as_ref(), &samples::sign_off("anna", b"statement"))
}

fn value(bytes: &[u8]) -> Value {
    ciborium::from_reader(bytes).unwrap()
}

/// Changes a record's parts; maps are written in the order in which they are left.
fn altered(good: &[u8], change: impl Fn(&mut Vec<Value>)) -> Vec<u8> {
    let mut frame = value(good).into_array().unwrap();
    change(&mut frame);
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Array(frame), &mut bytes).unwrap();
    bytes
}

fn body(frame: &mut [Value]) -> &mut Vec<(Value, Value)> {
    frame[3].as_map_mut().unwrap()
}

fn at<'v>(value: &'v mut Value, path: &[&str]) -> &'v mut Value {
    path.iter().fold(value, |value, name| {
        let fields = value.as_map_mut().unwrap();
        &mut fields.iter_mut().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
    })
}

/// A record for people: byte strings as `h'…'`.
fn readable(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(number) => json!(i64::try_from(*number).unwrap()),
        Value::Bytes(bytes) => {
            let mut hex = String::new();
            for byte in bytes {
                write!(hex, "{byte:02x}").unwrap();
            }
            json!(format!("h'{hex}'"))
        }
        Value::Text(text) => json!(text),
        Value::Bool(flag) => json!(flag),
        Value::Array(list) => list.iter().map(readable).collect(),
        Value::Map(pairs) => {
            pairs.iter().map(|(key, value)| (key.as_text().unwrap().to_owned(), readable(value))).collect()
        }
        _ => json!(null),
    }
}
