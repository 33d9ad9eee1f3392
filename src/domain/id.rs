//! Names and ids as parsed text: a value of one of these types has been checked once, where it came in.
//!
//! Never here: looking anything up. Format: contract §2, docs/format.md §3.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::parse_hex;

/// Says which text was refused as which kind of id, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidId {
    /// What the text should have been.
    pub what: &'static str,
    /// The text, escaped.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not a {}: {}", self.text.escape_debug(), self.what, self.rule)
    }
}

impl std::error::Error for InvalidId {}

/// A path inside the repository, as Git stores it: bytes, `/` between names, not necessarily UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RepoPath(#[serde(with = "serde_bytes")] Vec<u8>);

impl RepoPath {
    /// Wraps bytes that came from a Git tree or index, or from a walk of a directory.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the last name of the path.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Returns the path without its last name; empty at the top.
    pub fn parent(&self) -> &[u8] {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(at) => self.0.get(..at).unwrap_or_default(),
            None => &[],
        }
    }

    /// Returns the path as text when it is plain UTF-8 without control characters or quotes.
    fn as_plain_text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.0).ok()?;
        let plain = |c: char| !c.is_control() && c != '"' && c != '\\' && !is_bidirectional_control(c);
        text.chars().all(plain).then_some(text)
    }
}

/// Characters that reorder or hide what stands beside them on a screen.
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Plain paths as they are; all others quoted as C strings, as Git does (`core.quotePath`).
impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.as_plain_text() {
            return f.write_str(text);
        }
        f.write_str("\"")?;
        for byte in &self.0 {
            match byte {
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b'\n' => f.write_str("\\n")?,
                b'\t' => f.write_str("\\t")?,
                b'\r' => f.write_str("\\r")?,
                0x20..=0x7e => write!(f, "{}", *byte as char)?,
                other => write!(f, "\\{other:03o}")?,
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// The hash function that a repository's object ids are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFormat {
    /// 20-byte ids.
    Sha1,
    /// 32-byte ids.
    Sha256,
}

/// Git's id of an object: 20 bytes (SHA-1) or 32 (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "serde_bytes::ByteBuf", into = "serde_bytes::ByteBuf")]
pub enum ObjectId {
    /// An id of a SHA-1 repository.
    Sha1([u8; 20]),
    /// An id of a SHA-256 repository.
    Sha256([u8; 32]),
}

impl ObjectId {
    /// Takes 20 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            20 => bytes.try_into().ok().map(Self::Sha1),
            32 => bytes.try_into().ok().map(Self::Sha256),
            _ => None,
        }
    }

    /// Parses 40 or 64 lower-case hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        match hex.len() {
            40 => parse_hex(hex).map(Self::Sha1),
            64 => parse_hex(hex).map(Self::Sha256),
            _ => None,
        }
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }

    /// Returns the first 12 hexadecimal digits, for text meant for people.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<serde_bytes::ByteBuf> for ObjectId {
    type Error = &'static str;
    fn try_from(bytes: serde_bytes::ByteBuf) -> Result<Self, Self::Error> {
        Self::from_bytes(&bytes).ok_or("an object id has 20 or 32 bytes")
    }
}

impl From<ObjectId> for serde_bytes::ByteBuf {
    fn from(id: ObjectId) -> Self {
        Self::from(id.as_bytes().to_vec())
    }
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text` against the rule of this kind of name.
            ///
            /// # Errors
            /// [`InvalidId`], naming the text and the rule.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(InvalidId { what: $what, text: text.chars().take(120).collect(), rule: $rule })
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

/// True when `text` starts with `first`, goes on with `rest`, and has at most `most` characters.
fn shaped(text: &str, most: usize, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    text.len() <= most && text.bytes().next().is_some_and(first) && text.bytes().skip(1).all(rest)
}

checked_text!(
    /// A person's stable id in the trust root.
    PersonId, "person id", "it must match [a-z0-9][a-z0-9._-]{0,63}",
    |text| shaped(
        text,
        64,
        |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c),
    )
);

checked_text!(
    /// A release's name, which is the product's version.
    ReleaseName, "release name",
    "it must match [A-Za-z0-9][A-Za-z0-9._+-]{0,99}, without \"..\" and not ending in \".lock\" or \".\"",
    |text| shaped(
        text,
        100,
        |c| c.is_ascii_alphanumeric(),
        |c| c.is_ascii_alphanumeric() || b"._+-".contains(&c),
    ) && !text.contains("..") && !text.ends_with(".lock") && !text.ends_with('.')
);

impl ReleaseName {
    /// Returns the form under which names must be unique: file systems and people fold case.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

checked_text!(
    /// A change request's id, as the tracker writes it.
    ChangeId, "change request id", "it must have 1 to 100 printable ASCII characters without spaces",
    |text| shaped(text, 100, |c| c.is_ascii_graphic(), |c| c.is_ascii_graphic())
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_names_that_git_or_a_file_system_would_misread_are_refused() {
        for good in ["1.0.0", "2.4.0-rc.1+b7", "v1", "A"] {
            assert!(ReleaseName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-1", ".1", "1..2", "1.lock", "a/b", "1 0", "1\n", "ä", "1."] {
            assert!(ReleaseName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hostile_paths_are_quoted() {
        assert_eq!(RepoPath::from("a/ü.pem").to_string(), "a/ü.pem");
        assert_eq!(RepoPath::new(b"a\xff\n\x1b[2J".to_vec()).to_string(), "\"a\\377\\n\\033[2J\"");
        assert_eq!(RepoPath::from("a\u{202e}b").to_string(), "\"a\\342\\200\\256b\"");
    }
}
