//! One tracked TOML file of ours, and where in it something stands: every error names file and line.
//!
//! Never here: what the file means.

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::PolicyError;
use super::pattern::Pattern;

/// No such file may be larger, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// Turns byte offsets of a file into lines.
pub(super) struct Place {
    file: &'static str,
    /// Where lines end, so that many errors and lines are found in a short time.
    ends: Vec<usize>,
}

/// Reads a file's TOML strictly; what it means is checked by the caller, who has the place of each value.
pub(super) fn read<T: DeserializeOwned>(file: &'static str, bytes: &[u8]) -> Result<(Place, T), PolicyError> {
    if bytes.len() > MOST_BYTES {
        return Err(Place { file, ends: Vec::new() }.error(0, "the file is larger than 1 MiB"));
    }
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let place = Place { file, ends };
    let text =
        std::str::from_utf8(bytes).map_err(|error| place.error(error.valid_up_to(), "text that is not UTF-8"))?;
    let raw = toml::from_str(text)
        .map_err(|error| place.error(error.span().map_or(0, |span| span.start), error.message().replace('\n', " ")))?;
    Ok((place, raw))
}

impl Place {
    /// Returns the line of a byte, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }

    fn error(&self, offset: usize, message: impl Into<String>) -> PolicyError {
        PolicyError { file: self.file.to_owned(), line: self.line(offset), message: message.into() }
    }

    /// Returns what is wrong with a value.
    pub(super) fn at<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> PolicyError {
        self.error(value.span().start, message)
    }

    /// Reads a pattern.
    pub(super) fn pattern(&self, text: &Spanned<String>) -> Result<Pattern, PolicyError> {
        Pattern::parse(text.get_ref()).ok_or_else(|| self.at(text, "an empty pattern, or a comment"))
    }

    /// Reads text that must say something.
    pub(super) fn text(&self, text: Spanned<String>, what: &str) -> Result<String, PolicyError> {
        if text.get_ref().trim().is_empty() {
            return Err(self.at(&text, format!("{what} is empty")));
        }
        Ok(text.into_inner())
    }

    /// Reads an id that can be named on a command line and in a path.
    pub(super) fn id(&self, text: Spanned<String>) -> Result<String, PolicyError> {
        let id = text.get_ref();
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
        let begins = id.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        if !begins || id.len() > 64 || !id.bytes().all(fits) || id.contains("..") {
            return Err(self.at(&text, "an id has 1 to 64 letters, digits, dots, hyphens and underscores"));
        }
        Ok(text.into_inner())
    }
}
