//! Keys that no longer count, and from where in the log on.
//!
//! A bound is a head of the log, never a date: dates inside signed objects decide nothing (contract §3.3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{LogHead, PublicKey};

/// Why a key no longer counts, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationKind {
    /// Out of use: what it signed before counts.
    Retired,
    /// In other hands since some moment: what it signed before counts.
    Compromised,
    /// Never to be trusted: nothing that it signed counts.
    CompromisedAlways,
}

impl RevocationKind {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retired => "retired",
            Self::Compromised => "compromised",
            Self::CompromisedAlways => "compromised-always",
        }
    }
}

impl fmt::Display for RevocationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A key that no longer counts. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The key.
    pub key: PublicKey,
    /// Why.
    pub kind: RevocationKind,
    /// The head of the log whose statements still count; null where none do (`compromised-always`).
    pub since: Option<LogHead>,
    /// In its makers' words; may be empty.
    pub reason: String,
}

impl Revocation {
    /// Says whether a statement at a position of the log no longer counts. What is not in the log has no position, and
    /// could have been made at any time.
    pub fn bars(&self, position: Option<u64>) -> bool {
        match (self.since, position) {
            (Some(since), Some(position)) => position >= since.size,
            _ => true,
        }
    }

    /// Says whether this takes nothing back of an earlier revocation of the same key.
    pub(super) fn keeps(&self, earlier: &Self) -> bool {
        let bound = match (self.since, earlier.since) {
            (None, _) => true,
            (Some(now), Some(then)) => now.size <= then.size,
            (Some(_), None) => false,
        };
        self.key == earlier.key && self.kind >= earlier.kind && bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Sha256Digest;

    fn revocation(kind: RevocationKind, size: Option<u64>) -> Revocation {
        let since = size.map(|size| LogHead { root: Sha256Digest::of(b""), size });
        Revocation { key: PublicKey::from_wire(*b"key"), kind, since, reason: String::new() }
    }

    #[test]
    fn a_bound_is_a_place_in_the_log() {
        let retired = revocation(RevocationKind::Retired, Some(40));
        assert!(!retired.bars(Some(39)) && retired.bars(Some(40)) && retired.bars(None));
        assert!(revocation(RevocationKind::CompromisedAlways, None).bars(Some(0)));
    }

    #[test]
    fn a_revocation_is_never_taken_back() {
        use RevocationKind::{Compromised, CompromisedAlways, Retired};
        let (retired, always) = (revocation(Retired, Some(40)), revocation(CompromisedAlways, None));
        assert!(retired.keeps(&retired) && always.keeps(&retired));
        assert!(revocation(Compromised, Some(30)).keeps(&retired));
        assert!(!revocation(Compromised, Some(41)).keeps(&retired));
        assert!(!revocation(Retired, Some(30)).keeps(&revocation(Compromised, Some(40))));
        assert!(!revocation(CompromisedAlways, Some(0)).keeps(&always));
    }
}
