//! Judges one vector with the library, by docs/format.md §2, §3, §5.3, §7.

use std::collections::{BTreeMap, BTreeSet};

use git_baseline::codec::{self, Record};
use git_baseline::crypto::{self, Demand, RootDefect, SIGN_OFF_NAMESPACE, Signature, Verified};
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
        "note" => note(expected, files),
        "sign-offs" => sign_offs(files),
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

fn root(files: &Files) -> Result<(Digest, Verified<TrustRoot>), &'static str> {
    let bytes = &files["root.cbor"];
    let armours = files
        .iter()
        .filter(|(name, _)| name.strip_prefix("root.").is_some_and(|rest| rest.strip_suffix(".sig").is_some()));
    // A file that is no signature is void.
    let signatures: Vec<_> = armours.filter_map(|(_, armour)| Signature::parse_armor(armour).ok()).collect();
    let root = crypto::first_root(bytes, &signatures, |bytes| match decode::<TrustRoot>(bytes) {
        Ok((None, root)) => Ok(root),
        Ok(_) => Err(Refusal::Code("GB-TRUST-CHAIN")),
        Err(code) => Err(Refusal::Code(code)),
    });
    root.map(|root| (Digest::of(bytes), root)).map_err(|refusal| match refusal {
        Refusal::Root(defect) => defect.code(),
        Refusal::Code(code) => code,
    })
}

fn note(expected: &Value, files: &Files) -> Verdict {
    let (baseline, root) = root(files)?;
    let id = ObjectId::parse(expected["commit"].as_str().unwrap()).unwrap();
    for block in codec::parse_note(&files["input.note"]).map_err(|defect| defect.code())? {
        let attested = Signature::parse_armor(block.signature.as_bytes())
            .and_then(|signature| crypto::attest(&root, "git-baseline.commit", &block.record, &signature))
            .and_then(|attested| attested.with_role(RoleName::Developer))
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

/// The statement is called `1.0.0`, and needs to be `released` by two persons.
fn sign_offs(files: &Files) -> Verdict {
    let (baseline, root) = root(files)?;
    let mut attested = Vec::new();
    for (name, bytes) in
        files.iter().filter(|(name, _)| name.starts_with("signoff-") && name.strip_suffix(".cbor").is_some())
    {
        let Ok(signature) = Signature::parse_armor(&files[&format!("{name}.sig")]) else { continue };
        let Ok(proven) = crypto::attest(&root, SIGN_OFF_NAMESPACE, bytes, &signature) else { continue };
        let decoded = proven.try_map(|bytes| match decode::<SignOff>(bytes) {
            Ok((header, sign_off)) if header == Some(baseline) => Ok(sign_off),
            _ => Err(()),
        });
        attested.extend(decoded);
    }
    let nobody = BTreeSet::new();
    let demand = Demand {
        role: RoleName::Release,
        meaning: Meaning::Released,
        record_type: Release::TYPE,
        name: "1.0.0",
        at_least: 1,
        excluded: &nobody,
    };
    crypto::vouched(&root, &demand, &files["statement.cbor"], &attested).map(|_| ()).map_err(|short| short.code())
}
