//! Why the repository could not be read or written: a code in words, and a sentence that names the object.
//!
//! Never here: how the process ends, which the jobs decide (`jobs::failure`).

use std::fmt;

use crate::domain::ObjectId;

/// Why something could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    code: &'static str,
    message: String,
}

impl StoreError {
    /// Returns an error of that code.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Returns the error of an object that is not here.
    pub(super) fn missing(id: ObjectId, what: &str) -> Self {
        Self::new("GB-OBJ-MISSING", format!("{what} {id} is not in this repository"))
    }

    /// Returns the error of an object that Git would not have written.
    pub(super) fn malformed(id: ObjectId, what: impl fmt::Display) -> Self {
        Self::new("GB-OBJ-MALFORMED", format!("object {id} is malformed: {what}"))
    }

    /// Returns the code in words.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

/// Returns a failure's text without line breaks: libraries' chains of causes on one line.
pub(super) fn line(error: &dyn fmt::Display) -> String {
    error.to_string().split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}
