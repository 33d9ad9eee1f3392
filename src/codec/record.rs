//! The frame of every record, and its typed form: `[format, type, baseline id, body]`.
//!
//! Never here: which records exist beyond their names and types. Format: docs/format.md §2.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::strict::{self, CborDefect};
use crate::domain::{ChangeRequest, CommitRecord, Digest, Manifest, Release, SignOff, TrustRoot};

/// The format that this program writes, and the only one that it reads.
const FORMAT: u64 = 1;

/// No record may be larger, in bytes.
pub const MOST_BYTES: usize = 256 * 1024 * 1024;

/// A body that can be framed as a record.
pub trait Record: Serialize + DeserializeOwned {
    /// The record type; signatures over it are made in the namespace `git-baseline.<type>`.
    const TYPE: &'static str;
}

impl Record for TrustRoot {
    const TYPE: &'static str = "root";
}

impl Record for Manifest {
    const TYPE: &'static str = "manifest";
}

impl Record for Release {
    const TYPE: &'static str = "release";
}

impl Record for SignOff {
    const TYPE: &'static str = "signoff";
}

impl Record for ChangeRequest {
    const TYPE: &'static str = "change";
}

impl Record for CommitRecord {
    const TYPE: &'static str = "commit";
}

/// What a record begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The baseline that it belongs to: the digest of its first trust root. Null only in that root itself, and
    /// in a manifest that was computed where no baseline exists.
    pub baseline: Option<Digest>,
}

/// Why bytes are not the record that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Larger than [`MOST_BYTES`].
    TooLarge(usize),
    /// Not in the one permitted spelling.
    Cbor(CborDefect),
    /// Another format version.
    Format(u64),
    /// Another record type.
    Type {
        /// What was needed.
        expected: &'static str,
        /// What the bytes say, escaped.
        found: String,
    },
    /// A field is missing, unknown or of another type.
    Field(String),
    /// The typed value is written otherwise.
    NotCanonical,
}

impl DecodeError {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "GB-FMT-TOO-LARGE",
            Self::Cbor(defect) => defect.code,
            Self::Format(_) => "GB-FMT-VERSION",
            Self::Type { .. } => "GB-FMT-TYPE",
            Self::Field(_) => "GB-FMT-FIELD",
            Self::NotCanonical => "GB-FMT-NOT-CANONICAL",
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(size) => write!(f, "{size} bytes are more than the {MOST_BYTES} that a record may have"),
            Self::Cbor(defect) => write!(f, "not in canonical form: {defect}"),
            Self::Format(version) => write!(f, "format version {version}; this program knows {FORMAT}"),
            Self::Type { expected, found } => write!(f, "a record of type \"{found}\" where \"{expected}\" is needed"),
            Self::Field(what) => write!(f, "a field is missing, unknown or of another type: {what}"),
            Self::NotCanonical => f.write_str("the same value is written otherwise"),
        }
    }
}

impl std::error::Error for DecodeError {}

#[derive(Serialize)]
struct FrameOut<'a, T>(u64, &'a str, Option<&'a Digest>, &'a T);

#[derive(Deserialize)]
struct FrameIn<T>(u64, String, Option<Digest>, T);

/// Returns the record's bytes.
pub fn encode<T: Record>(baseline: Option<&Digest>, body: &T) -> Vec<u8> {
    encode_plain(&FrameOut(FORMAT, T::TYPE, baseline, body))
}

/// Returns the deterministic CBOR of a value that is no record, such as a leaf of the log.
pub fn encode_plain<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    #[expect(
        clippy::expect_used,
        reason = "writing to memory cannot fail, and the domain's types all have a CBOR form"
    )]
    ciborium::into_writer(value, &mut bytes).expect("the domain's types have a CBOR form");
    bytes
}

/// Decodes a record: size, spelling, header, fields, and that encoding it again gives the same bytes.
///
/// # Errors
/// [`DecodeError`], naming the first defect.
pub fn decode<T: Record>(bytes: &[u8]) -> Result<(Header, T), DecodeError> {
    if bytes.len() > MOST_BYTES {
        return Err(DecodeError::TooLarge(bytes.len()));
    }
    strict::check(bytes).map_err(DecodeError::Cbor)?;
    check_header::<T>(bytes)?;
    let FrameIn(_, _, baseline, body) =
        from_bytes::<FrameIn<T>>(bytes).map_err(|error| DecodeError::Field(error.to_string()))?;
    if encode(baseline.as_ref(), &body) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok((Header { baseline }, body))
}

/// Looks at format and type before the body, so that an unknown record is named for what it is.
fn check_header<T: Record>(bytes: &[u8]) -> Result<(), DecodeError> {
    let FrameIn(format, found, _, _) =
        from_bytes::<FrameIn<serde::de::IgnoredAny>>(bytes).map_err(|error| DecodeError::Field(error.to_string()))?;
    if format != FORMAT {
        return Err(DecodeError::Format(format));
    }
    if found != T::TYPE {
        return Err(DecodeError::Type { expected: T::TYPE, found: found.escape_debug().take(40).collect() });
    }
    Ok(())
}

fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Box<dyn std::error::Error>> {
    let limit = 2 * strict::MOST_DEPTH + 8;
    ciborium::de::from_reader_with_recursion_limit(bytes, limit).map_err(|error| error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::check;
    use crate::domain::*;

    fn text<T: TryFrom<String>>(text: &str) -> T {
        T::try_from(text.to_owned()).ok().unwrap()
    }

    fn item() -> ConfigurationItem {
        let mut facts = Facts::new();
        facts.set("zz", 1_i64);
        facts.set("aaa", true);
        facts.set("list", vec!["b", "a"]);
        ConfigurationItem {
            kind: "x509-certificate".into(),
            mode: Mode::FILE,
            path: RepoPath::new(b"a\xff".to_vec()),
            size: 3,
            class: ItemClass::Certificate,
            facts,
            owner: Some("it".into()),
            digest: Some(DigestSet::of(b"abc")),
            git_id: ObjectId::Sha1([1; 20]),
            declared: true,
        }
    }

    fn component() -> Component {
        let origin = RepoPath::from("Cargo.lock");
        Component {
            name: "a".into(),
            purl: "pkg:cargo/a@1".into(),
            scope: Scope::Runtime,
            direct: None,
            hashes: vec![ComponentHash { alg: "SHA-256".into(), value: "00".into(), origin: origin.clone() }],
            overlay: Some(Overlay { reason: Some("r".into()), ..Overlay::default() }),
            support: None,
            version: Some("1".into()),
            category: None,
            found_in: vec![origin],
            licenses: vec![],
            supplier: None,
            ecosystem: "cargo".into(),
            dependencies: vec![],
        }
    }

    fn manifest() -> Manifest {
        Manifest {
            items: vec![item()],
            policy: Some(Digest::of(b"p")),
            ruleset: RULE_SET,
            coverage: vec![Coverage {
                gaps: vec!["none".into()],
                path: RepoPath::from("Cargo.lock"),
                reader: "cargo-lock".into(),
                status: CoverageStatus::Parsed,
                components: 1,
            }],
            services: vec![],
            components: vec![component()],
            source_tree: SourceTree { files: 1, digest: Digest::of(b"t"), gitlinks: 0 },
            object_format: ObjectFormat::Sha1,
        }
    }

    fn root() -> TrustRoot {
        TrustRoot {
            log: None,
            time: Timestamp::from_seconds(1),
            nonce: [7; 32],
            roles: vec![Role { name: RoleName::Root, persons: vec![text("a")], threshold: 1 }],
            floors: Floors { block: Severity::High, approvals: 0, change_control: false, emergency_days: 7 },
            origin: "o".into(),
            persons: vec![Person {
                id: text("a"),
                keys: vec![PublicKey::from_wire(vec![1])],
                name: "A".into(),
                emails: vec![],
            }],
            product: "P".into(),
            quorums: Vec::new(),
            version: 1,
            witnesses: Vec::new(),
            document_id: String::new(),
            predecessor: None,
            revocations: Vec::new(),
            control_start: None,
            object_format: ObjectFormat::Sha1,
            witness_quorum: 0,
        }
    }

    fn release() -> Release {
        let digest = Digest::of(b"d");
        Release {
            log: LogHead { root: Sha256Digest::of(b""), size: 0 },
            gate: vec![GateResult { rule: "r".into(), count: 1, severity: Severity::Low }],
            name: text("1.0"),
            time: Timestamp::from_seconds(1),
            tool: "t".into(),
            tree: ObjectId::Sha256([2; 32]),
            as_of: Timestamp::from_seconds(1),
            build: Some(digest),
            range: vec![RangeEntry { commit: ObjectId::Sha1([1; 20]), digest, record: digest }],
            commit: ObjectId::Sha1([1; 20]),
            changes: vec![ReleasedChange {
                id: text("CR-1"),
                content: digest,
                approvals: vec![digest],
                verifications: vec![],
            }],
            product: "P".into(),
            ruleset: 0,
            manifest: digest,
            sequence: 1,
            artefacts: vec![StoredDocument { name: "a".into(), digest }],
            documents: vec![],
            deviations: vec![],
            predecessor: Some(digest),
            source_tree: digest,
            object_format: ObjectFormat::Sha256,
            trust_version: 1,
        }
    }

    fn sign_off() -> SignOff {
        SignOff {
            role: RoleName::Release,
            time: Timestamp::from_seconds(-1),
            person: text("a"),
            reason: "why".into(),
            target: Target { name: "1.0".into(), record_type: "release".into(), digest: Digest::of(b"r") },
            meaning: Meaning::Released,
            printed_name: "A".into(),
            verification: None,
        }
    }

    fn verified() -> SignOff {
        let verification = VerificationRecord {
            date: "d".into(),
            tools: "t".into(),
            tester: "e".into(),
            results: "r".into(),
            anomalies: "a".into(),
            configuration: "c".into(),
            version_tested: "v".into(),
        };
        SignOff { meaning: Meaning::Verified, verification: Some(verification), ..sign_off() }
    }

    fn change_request() -> ChangeRequest {
        ChangeRequest {
            id: text("CR-1"),
            url: "u".into(),
            risk: vec!["r".into()],
            time: Timestamp::from_seconds(1),
            change_type: ChangeType::Standard,
            title: "t".into(),
            reason: "w".into(),
            safety: "s".into(),
            source: "o".into(),
            problems: vec!["p".into()],
            security: "e".into(),
            standing: Some(Standing {
                bot: text("b"),
                bound: VersionBound::Minor,
                count: 3,
                expires: Timestamp::from_seconds(9),
                packages: vec!["pkg:cargo/a".into()],
            }),
            requester: text("a"),
        }
    }

    fn commit_record() -> CommitRecord {
        let state = |purl: &str| ComponentState::of(&Component { purl: purl.into(), ..component() });
        CommitRecord {
            time: Timestamp::from_seconds(1),
            tree: ObjectId::Sha1([1; 20]),
            items: vec![ItemDelta { after: Some(item()), before: None }],
            commit: ObjectId::Sha1([1; 20]),
            policy: None,
            changes: vec![text("CR-1")],
            parents: vec![],
            ruleset: 0,
            summary: Digest::of(b"s"),
            recorder: Recorder { person: text("a"), made_by_me: true },
            components: vec![ComponentDelta { after: None, before: Some(state("pkg:cargo/a@1")) }],
            object_format: ObjectFormat::Sha1,
        }
    }

    /// Every record that we write must be one that we read: a field out of order would make releases that nobody can
    /// verify. Any flipped bit must be refused, or be another value.
    fn round_trip<T: Record + PartialEq + fmt::Debug>(value: &T) {
        let baseline = Digest::of(b"baseline");
        for baseline in [None, Some(&baseline)] {
            let bytes = encode(baseline, value);
            assert_eq!(check(&bytes), Ok(()), "{}", T::TYPE);
            let (header, decoded) = decode::<T>(&bytes).unwrap();
            assert_eq!((header.baseline.as_ref(), &decoded), (baseline, value));
            for at in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[at / 8] ^= 1 << (at % 8);
                if let Ok((header, other)) = decode::<T>(&flipped) {
                    assert!(header.baseline.as_ref() != baseline || other != *value, "bit {at} of {}", T::TYPE);
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read_and_has_one_spelling() {
        round_trip(&manifest());
        round_trip(&root());
        round_trip(&release());
        round_trip(&sign_off());
        round_trip(&verified());
        round_trip(&change_request());
        round_trip(&commit_record());
    }

    #[test]
    fn records_that_are_not_what_is_needed_are_refused_by_name() {
        let code = |bytes: &[u8]| decode::<SignOff>(bytes).map(|_| ()).map_err(|error| error.code());
        let good = encode(None, &sign_off());
        assert_eq!(code(&good), Ok(()));
        assert_eq!(code(&encode(None, &root())), Err("GB-FMT-TYPE"));
        assert_eq!(code(&[&good[..], b"\0"].concat()), Err("GB-FMT-TRAILING"));
        assert_eq!(code(&good[..good.len() - 1]), Err("GB-FMT-TRUNCATED"));
        assert_eq!(code(&[&[0x84, 0x02][..], &good[2..]].concat()), Err("GB-FMT-VERSION"));
        assert_eq!(
            code(&encode_plain(&FrameOut(FORMAT, SignOff::TYPE, None, &sign_off().target))),
            Err("GB-FMT-FIELD")
        );
    }
}
