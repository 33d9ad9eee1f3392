//! TOML files that people write for `change open --from` and `sign --meaning verified --record`.
//!
//! Never here: who signs what they say. Unknown keys are errors that name the line.

use serde::Deserialize;
use toml::Spanned;

use super::PolicyError;
use super::place::{self, Place};
use crate::domain::{PersonId, Standing, Timestamp, VerificationRecord, VersionBound};

/// How errors name the two files; their paths are the user's.
const CHANGE_FILE: &str = "change file";
const RECORD_FILE: &str = "verification record";

/// What a change file may say; all of it is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFile {
    /// What is asked for, in one line.
    pub title: Option<String>,
    /// `normal`, `emergency` or `standard`.
    pub change_type: Option<String>,
    /// Why.
    pub reason: String,
    /// Which tracker it is a copy from.
    pub source: String,
    /// Where the original is.
    pub url: String,
    /// Impact on safety.
    pub safety: String,
    /// Impact on security.
    pub security: String,
    /// References into the risk file.
    pub risk: Vec<String>,
    /// Problem reports that it answers.
    pub problems: Vec<String>,
    /// The bounds of a standing change.
    pub standing: Option<Standing>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawChange {
    title: Option<String>,
    #[serde(rename = "type")]
    change_type: Option<String>,
    reason: String,
    source: String,
    url: String,
    safety: String,
    security: String,
    risk: Vec<String>,
    problems: Vec<String>,
    standing: Option<RawStanding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStanding {
    bot: Spanned<String>,
    bound: VersionBound,
    count: u64,
    expires: Spanned<String>,
    packages: Vec<Spanned<String>>,
}

impl ChangeFile {
    /// Reads a change file.
    ///
    /// # Errors
    /// [`PolicyError`] with the line: no TOML, an unknown key, a date or id that is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let (place, raw): (_, RawChange) = place::read(CHANGE_FILE, bytes)?;
        Ok(Self {
            title: raw.title,
            change_type: raw.change_type,
            reason: raw.reason,
            source: raw.source,
            url: raw.url,
            safety: raw.safety,
            security: raw.security,
            risk: raw.risk,
            problems: raw.problems,
            standing: raw.standing.map(|standing| standing_of(&place, standing)).transpose()?,
        })
    }
}

fn standing_of(place: &Place, raw: RawStanding) -> Result<Standing, PolicyError> {
    let bot = PersonId::parse(raw.bot.get_ref()).map_err(|error| place.at(&raw.bot, error.to_string()))?;
    let expires = Timestamp::parse(raw.expires.get_ref())
        .ok_or_else(|| place.at(&raw.expires, "a date such as 2027-01-31 in quotation marks"))?;
    let mut packages = Vec::new();
    for package in raw.packages {
        if !package.get_ref().starts_with("pkg:") {
            return Err(place.at(&package, "a package URL without version, such as pkg:cargo/serde"));
        }
        packages.push(package.into_inner());
    }
    packages.sort();
    packages.dedup();
    Ok(Standing { bot, bound: raw.bound, count: raw.count, expires, packages })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecord {
    results: Spanned<String>,
    anomalies: Spanned<String>,
    version_tested: Spanned<String>,
    configuration: Spanned<String>,
    tools: Spanned<String>,
    date: Spanned<String>,
    tester: Spanned<String>,
}

/// Reads a verification record: seven fields, none of them empty (IEC 62304 cl. 9.8).
///
/// # Errors
/// [`PolicyError`] with the line: no TOML, a field that is missing, unknown or empty.
pub fn verification_record(bytes: &[u8]) -> Result<VerificationRecord, PolicyError> {
    let (place, raw): (_, RawRecord) = place::read(RECORD_FILE, bytes)?;
    Ok(VerificationRecord {
        date: place.text(raw.date, "the date")?,
        tools: place.text(raw.tools, "what it was tested with")?,
        tester: place.text(raw.tester, "the tester")?,
        results: place.text(raw.results, "the results")?,
        anomalies: place.text(raw.anomalies, "the anomalies; write \"none\" where there were none")?,
        configuration: place.text(raw.configuration, "the test configuration")?,
        version_tested: place.text(raw.version_tested, "the version tested")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "results = \"pass\"\nanomalies = \"none\"\nversion_tested = \"1.0\"\nconfiguration = \"rig 2\"\n\
                          tools = \"pytest 8\"\ndate = \"2026-11-01\"\ntester = \"Carla\"\n";

    #[test]
    fn a_verification_has_seven_fields_and_no_empty_one() {
        assert_eq!(verification_record(RECORD.as_bytes()).unwrap().configuration, "rig 2");
        let empty = RECORD.replace("\"none\"", "\"\"");
        assert_eq!(verification_record(empty.as_bytes()).unwrap_err().line, 2);
        assert!(verification_record(RECORD.replace("tester", "who").as_bytes()).is_err());
    }

    #[test]
    fn a_standing_change_has_bounds() {
        let text = "title = \"t\"\n[standing]\nbot = \"renovate\"\nbound = \"patch\"\ncount = 10\nexpires = \"2027-01-01\"\n\
                    packages = [\"pkg:cargo/serde\"]\n";
        assert_eq!(ChangeFile::parse(text.as_bytes()).unwrap().standing.unwrap().bound, VersionBound::Patch);
        assert_eq!(ChangeFile::parse(text.replace("pkg:", "").as_bytes()).unwrap_err().line, 7);
        assert_eq!(ChangeFile::parse(b"title = 1\n").unwrap_err().line, 1);
    }
}
