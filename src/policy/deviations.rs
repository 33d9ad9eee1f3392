//! `.baseline/deviations.toml`: findings that somebody means to accept for a time, with the reason.
//!
//! Never here: whether a deviation counts. The file grants nothing (contract §3.8): a sign-off in the log does.

use serde::Deserialize;
use toml::Spanned;

use super::PolicyError;
use super::pattern::Pattern;
use super::place::{self, Place};
use crate::domain::{ObjectId, RepoPath, Timestamp};

/// Where deviations stand in the tree.
pub const DEVIATIONS_PATH: &str = ".baseline/deviations.toml";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawDeviations {
    deviation: Vec<RawDeviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeviation {
    id: Spanned<String>,
    clause: Spanned<String>,
    scope: Spanned<String>,
    git_id: Option<Spanned<String>>,
    reason: Spanned<String>,
    compensating_control: Spanned<String>,
    issued: Spanned<String>,
    expires: Spanned<String>,
}

/// A finding that is to be accepted for a time.
#[derive(Clone, Debug)]
pub struct Deviation {
    /// Its id, unique in the file.
    pub id: String,
    /// The rule whose findings it is about.
    pub clause: String,
    /// The content that it is about, where it is about no other.
    pub git_id: Option<ObjectId>,
    /// Why the finding is accepted.
    pub reason: String,
    /// What is done instead.
    pub compensating_control: String,
    /// From when on.
    pub issued: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// The line of its id, from 1.
    pub line: usize,
    scope: Pattern,
    scope_text: String,
}

impl Deviation {
    /// Returns its scope as the file has it.
    pub fn scope_text(&self) -> &str {
        &self.scope_text
    }

    /// Says whether a path lies in its scope.
    pub fn covers(&self, path: &RepoPath) -> bool {
        !self.scope.is_negative() && self.scope.matches(path)
    }

    /// Says whether a moment lies in its time.
    pub fn is_current(&self, moment: Timestamp) -> bool {
        self.issued <= moment && moment < self.expires
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`PolicyError`] with file and line: no TOML, an unknown key, a repeated id, a date that is none.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, PolicyError> {
        let (place, raw): (_, RawDeviations) = place::read(DEVIATIONS_PATH, bytes)?;
        let mut deviations: Vec<Self> = Vec::new();
        for raw in raw.deviation {
            if deviations.iter().any(|known| known.id.eq_ignore_ascii_case(raw.id.get_ref())) {
                return Err(place.at(&raw.id, "an id that another deviation has"));
            }
            deviations.push(deviation(&place, raw)?);
        }
        Ok(deviations)
    }
}

fn deviation(place: &Place, raw: RawDeviation) -> Result<Deviation, PolicyError> {
    let (issued, expires) = (moment(place, &raw.issued)?, moment(place, &raw.expires)?);
    if expires <= issued {
        return Err(place.at(&raw.expires, "it expires before it is issued"));
    }
    let git_id = match raw.git_id {
        None => None,
        Some(text) => {
            let id = ObjectId::parse(text.get_ref());
            Some(id.ok_or_else(|| place.at(&text, "a Git id has 40 or 64 hexadecimal digits"))?)
        }
    };
    Ok(Deviation {
        git_id,
        issued,
        expires,
        line: place.line(raw.id.span().start),
        scope: place.pattern(&raw.scope)?,
        scope_text: raw.scope.get_ref().clone(),
        id: place.id(raw.id)?,
        clause: place.text(raw.clause, "the clause")?,
        reason: place.text(raw.reason, "the reason")?,
        compensating_control: place.text(raw.compensating_control, "the compensating control")?,
    })
}

fn moment(place: &Place, text: &Spanned<String>) -> Result<Timestamp, PolicyError> {
    Timestamp::parse(text.get_ref()).ok_or_else(|| place.at(text, "a date such as 2027-01-31 in quotation marks"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[deviation]]\nid = \"DEV-1\"\nclause = \"certificate-wildcard\"\nscope = \"tls/*.pem\"\n\
                        reason = \"r\"\ncompensating_control = \"c\"\nissued = \"2026-01-01\"\nexpires = \"2026-07-01\"\n";

    fn refused(text: &str) -> (usize, String) {
        let error = Deviation::parse_all(text.as_bytes()).unwrap_err();
        assert_eq!(error.file, DEVIATIONS_PATH);
        (error.line, error.message)
    }

    #[test]
    fn a_deviation_has_a_scope_and_a_time() {
        let deviations = Deviation::parse_all(GOOD.as_bytes()).unwrap();
        let deviation = &deviations[0];
        assert!(deviation.covers(&"tls/a.pem".into()) && !deviation.covers(&"tls/a.key".into()));
        let current = |text: &str| deviation.is_current(Timestamp::parse(text).unwrap());
        assert!(!current("2025-12-31") && current("2026-01-01") && !current("2026-07-01"));
    }

    #[test]
    fn what_is_missing_or_cannot_be_is_refused_with_its_line() {
        assert_eq!(refused(&GOOD.replace("\"r\"", "\" \"")), (5, "the reason is empty".to_owned()));
        assert_eq!(refused(&GOOD.replace("2026-07-01", "never")).0, 8);
        assert_eq!(refused(&GOOD.replace("2026-07-01", "2025-07-01")).0, 8);
        assert_eq!(refused(&GOOD.replace("DEV-1", "../x")).0, 2);
        assert_eq!(refused(&GOOD.replace("reason", "because")).0, 5);
        assert_eq!(refused(&format!("{GOOD}{GOOD}")).0, 10);
        assert_eq!(refused(&GOOD.replace("expires", "git_id = \"12\"\nexpires")).0, 8);
    }
}
