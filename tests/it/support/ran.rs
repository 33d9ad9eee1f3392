//! What a run of a program said, and how it ended.

use std::process::Output;

use serde_json::Value;

/// A program that has ended.
pub(crate) struct Ran {
    what: String,
    /// Its exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn new(what: String, output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { what, code: output.status.code(), stdout: output.stdout, stderr }
    }

    /// What stands on stdout, without the last line feed.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }

    fn fail(&self, why: &str) -> ! {
        panic!("{why}\n$ {}\nexit {:?}\nstdout: {}\nstderr: {}", self.what, self.code, self.text(), self.stderr)
    }

    /// It must have ended so.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        if self.code != Some(code) {
            self.fail(&format!("exit {code} was expected"));
        }
        self
    }

    /// stderr must hold this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        if !self.stderr.contains(text) {
            self.fail(&format!("stderr does not say {text:?}"));
        }
        self
    }

    /// stdout must hold this.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        if !self.text().contains(text) {
            self.fail(&format!("stdout does not show {text:?}"));
        }
        self
    }

    /// Neither stream may hold this.
    #[track_caller]
    pub(crate) fn hides(self, text: &str) -> Self {
        if self.text().contains(text) || self.stderr.contains(text) {
            self.fail(&format!("{text:?} must not be said"));
        }
        self
    }

    /// It must have ended so, with this code on stderr, and with nothing that looks like a proof on stdout.
    #[track_caller]
    pub(crate) fn refuses(self, exit: i32, code: &str) -> Self {
        if self.text().contains("verified") {
            self.fail("what is not proven was called verified");
        }
        self.exits(exit).says(&format!("[{code}]"))
    }

    /// The answer as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| self.fail(&error.to_string()))
    }
}
