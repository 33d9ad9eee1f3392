//! The frame of every record, and its typed form: `[format, type, baseline id, body]`.
//!
//! Never here: which records exist beyond their names and types. Format: docs/format.md §2.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::strict::{self, CborDefect};
use crate::domain::{CommitRecord, Digest, Manifest, Release, SignOff, TrustRoot};

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
