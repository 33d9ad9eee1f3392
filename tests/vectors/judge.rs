//! Judges one vector with the library, by docs/format.md §2, §3, §5.3, §7.

use std::collections::{BTreeMap, BTreeSet};

use git_baseline::codec::{self, Record};
use git_baseline::crypto::{
    self, Attested, Authority, Demand, RootDefect, RootSignature, SIGN_OFF_NAMESPACE, Signature, Verified,
};
use git_baseline::domain::*;
use serde_json::Value;

type Files = BTreeMap<String, Vec<u8>>;
type Verdict = Result<(), &'static str>;

/// Returns nothing, or the code of the first defect.
pub fn judge(expected: &Value, files: &Files) -> Verdict {
    match expected["check"].as_str().unwrap() {
        "record" => record(expected, files),
        "signature" => signature(expected, files),
        "root" => root(files).map(|_| ()),
        "next-root" => root(files).and_then(|(baseline, first)| next_root(files, &baseline, &first)).map(|_| ()),
        "note" => note(expected, files),
        "sign-offs" => sign_offs(expected, files),
        "checkpoint" => checkpoint(files),
        "content" => content(expected, files),
        other => panic!("no check of the name {other}"),
    }
}

fn record(expected: &Value, files: &Files) -> Verdict {
    // What is too large for a file is described.
    let zeros = expected["zero_bytes"].as_u64().map(|count| vec![0; usize::try_from(count).unwrap()]);
    let bytes = zeros.as_ref().unwrap_or_else(|| &files["input.cbor"]);
    match expected["type"].as_str().unwrap() {
        "root" => decode::<TrustRoot>(bytes).map(|_| ()),
        "manifest" => decode::<Manifest>(bytes).map(|_| ()),
        "release" => decode::<Release>(bytes).map(|_| ()),
        "signoff" => decode::<SignOff>(bytes).map(|_| ()),
        "change" => decode::<ChangeRequest>(bytes).map(|_| ()),
        "commit" => decode::<CommitRecord>(bytes).map(|_| ()),
        other => panic!("no record type {other}"),
    }
}

fn decode<T: Record>(bytes: &[u8]) -> Result<(Option<Digest>, T), &'static str> {
    codec::decode::<T>(bytes).map(|(header, value)| (header.baseline, value)).map_err(|error| error.code())
}

fn signature(expected: &Value, files: &Files) -> Verdict {
    let signature = Signature::parse_armor(&files["input.sig"]).map_err(|defect| defect.code())?;
    signature.check(expected["namespace"].as_str().unwrap(), &files["message"]).map_err(|defect| defect.code())
}

enum Refusal {
    Root(RootDefect),
    Code(&'static str),
}

impl From<RootDefect> for Refusal {
    fn from(defect: RootDefect) -> Self {
        Self::Root(defect)
    }
}

impl Refusal {
    fn code(self) -> &'static str {
        match self {
            Self::Root(defect) => defect.code(),
            Self::Code(code) => code,
        }
    }
}

/// The signatures over `<name>.cbor`, none of which has a place in a log. A file that is no signature is void.
fn signatures(files: &Files, name: &str) -> Vec<RootSignature> {
    let armours = files.iter().filter(|(file, _)| {
        file.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest.ends_with(".sig"))
    });
    let parsed = armours.filter_map(|(_, armour)| Signature::parse_armor(armour).ok());
    parsed.map(|signature| RootSignature { signature, position: None }).collect()
}

fn root(files: &Files) -> Result<(Digest, Verified<TrustRoot>), &'static str> {
    let bytes = &files["root.cbor"];
    let root = crypto::first_root(bytes, &signatures(files, "root"), |bytes| match decode::<TrustRoot>(bytes) {
        Ok((None, root)) => Ok(root),
        Ok(_) => Err(Refusal::Code("GB-TRUST-CHAIN")),
        Err(code) => Err(Refusal::Code(code)),
    });
    root.map(|root| (Digest::of(bytes), root)).map_err(Refusal::code)
}

fn next_root(
    files: &Files,
    baseline: &Digest,
    first: &Verified<TrustRoot>,
) -> Result<Verified<TrustRoot>, &'static str> {
    let (bytes, signatures) = (&files["next.cbor"], signatures(files, "next"));
    let root = crypto::next_root(first, baseline, bytes, &signatures, |bytes| match decode::<TrustRoot>(bytes) {
        Ok((found, root)) if found == Some(*baseline) => Ok(root),
        Ok(_) => Err(Refusal::Code("GB-BIND-BASELINE")),
        Err(code) => Err(Refusal::Code(code)),
    });
    root.map_err(Refusal::code)
}

fn note(expected: &Value, files: &Files) -> Verdict {
    let (baseline, root) = root(files)?;
    let id = ObjectId::parse(expected["commit"].as_str().unwrap()).unwrap();
    for block in codec::parse_note(&files["input.note"]).map_err(|defect| defect.code())? {
        let attested = Signature::parse_armor(block.signature.as_bytes())
            .and_then(|signature| crypto::attest(&root, "git-baseline.commit", &block.record, &signature))
            .and_then(|attested| attested.with_role(&Authority::newest(&root), RoleName::Developer))
            .map_err(|defect| defect.code())?;
        let signer = attested.person().id.clone();
        let (header, record) = decode::<CommitRecord>(attested.value())?;
        let defects = [
            ("GB-BIND-BASELINE", header != Some(baseline)),
            ("GB-BIND-COMMIT", record.commit != id),
            ("GB-NOTE-SUMMARY", record.summary != Digest::of(block.summary.as_bytes())),
            ("GB-BIND-PERSON", record.recorder.person != signer),
        ];
        if let Some((code, _)) = defects.into_iter().find(|(_, defect)| *defect) {
            return Err(code);
        }
    }
    Ok(())
}

/// The statement is called `1.0.0`, and needs to be `released` as the first root says, whose keys the next one, where
/// there is one, may have revoked.
fn sign_offs(expected: &Value, files: &Files) -> Verdict {
    let (baseline, first) = root(files)?;
    let next = files.contains_key("next.cbor").then(|| next_root(files, &baseline, &first)).transpose()?;
    let newest = next.as_ref().unwrap_or(&first);
    let mut attested: Vec<Attested<'_, SignOff>> = Vec::new();
    for (name, bytes) in
        files.iter().filter(|(name, _)| name.starts_with("signoff-") && name.strip_suffix(".cbor").is_some())
    {
        let Ok(signature) = Signature::parse_armor(&files[&format!("{name}.sig")]) else { continue };
        let Ok(proven) = crypto::attest(newest, SIGN_OFF_NAMESPACE, bytes, &signature) else { continue };
        let decoded = proven.try_map(|bytes| match decode::<SignOff>(bytes) {
            Ok((header, sign_off)) if header == Some(baseline) => Ok(sign_off),
            _ => Err(()),
        });
        let placed = decoded.map(|one| match expected["position"].as_u64() {
            Some(position) => one.at(position),
            None => one,
        });
        attested.extend(placed);
    }
    let nobody = BTreeSet::new();
    let groups = first.value().release_groups();
    let demand = Demand {
        groups: &groups,
        meaning: Meaning::Released,
        record_type: Release::TYPE,
        name: "1.0.0",
        excluded: &nobody,
    };
    let authority = Authority { root: &first, newest };
    let vouched = crypto::vouched(&authority, &demand, &files["statement.cbor"], &attested);
    vouched.map(|_| ()).map_err(|short| short.code())
}

fn checkpoint(files: &Files) -> Verdict {
    let (_, root) = root(files)?;
    let note = codec::parse_signed_note(&files["checkpoint"]).map_err(|defect| defect.code())?;
    let stated = codec::parse_checkpoint(&note.text).map_err(|defect| defect.code())?;
    if stated.origin != root.value().origin {
        return Err("GB-LOG-CHECKPOINT");
    }
    crypto::logged(&root, &note, stated.head.size).map(|_| ()).map_err(|short| short.code())
}

/// The records stand in the order of their commits.
fn content(expected: &Value, files: &Files) -> Verdict {
    let mut steps = Vec::new();
    for (_, bytes) in files.iter().filter(|(name, _)| name.starts_with("commit-")) {
        let (_, record) = decode::<CommitRecord>(bytes)?;
        steps.extend(segments(&record.items, &record.components, codec::state_digest));
    }
    let baseline = Digest::parse(expected["baseline"].as_str().unwrap()).unwrap();
    let change = ChangeId::parse(expected["change"].as_str().unwrap()).unwrap();
    let bytes = codec::change_content(&baseline, &change, expected["ruleset"].as_u64().unwrap(), &compose(steps));
    let same = bytes == files["content.cbor"] && Digest::of(&bytes).to_string() == expected["digest"].as_str().unwrap();
    if same { Ok(()) } else { Err("GB-BIND-CHANGES") }
}
