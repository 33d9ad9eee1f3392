//! What the log says of itself to the world: a checkpoint, the note that it stands in, and the lines that sign it.
//!
//! Never here: their spelling (`codec::checkpoint`), or whether a signature holds (`crypto::note`). Terms of C2SP
//! signed-note and tlog-checkpoint; format: docs/format.md §8.5.

use std::fmt;

use super::LogHead;

/// The name of a log or witness, as it stands in signature lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// Accepts text without white space, `+` and control characters that is not empty: nothing else can stand in a
    /// signature line or a verifier key.
    pub fn parse(name: &str) -> Option<Self> {
        let fits = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+');
        fits.then(|| Self(name.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One signature line. Nothing is known yet about who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Whose key it claims to be.
    pub name: KeyName,
    /// Which key of that name; four bytes, so that it finds a key and proves nothing.
    pub key_id: [u8; 4],
    /// What follows the key id; never empty.
    pub signature: Vec<u8>,
}

/// Text with signature lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    /// What is signed, with its last line feed.
    pub text: String,
    /// The lines, in their order.
    pub signatures: Vec<NoteSignature>,
}

/// A log's statement of its own size and root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Its size and root.
    pub head: LogHead,
    /// Lines that mean nothing here. Ours has none.
    pub extensions: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_between_spaces_and_plus_signs() {
        for good in ["example.com/log42", "git-baseline/9f", "é", "—"] {
            assert_eq!(KeyName::parse(good).map(|name| name.to_string()), Some(good.to_owned()));
        }
        for bad in ["", " ", "a b", "a+b", "a\u{a0}b", "a\u{2028}", "a\n", "a\0", "a\u{85}", "\u{3000}", "a\u{7f}"] {
            assert_eq!(KeyName::parse(bad), None, "{bad:?}");
        }
    }
}
