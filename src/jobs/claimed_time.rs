//! The time that is past at a place of the log, as far as two persons say so.
//!
//! Dates prove nothing. But whoever releases must not set the clock back, into the life of a deviation or of an
//! emergency (contract §3.8), and one person's wrong clock must not stop all later releases: so it takes two. Format:
//! docs/format.md §6.1.

use std::collections::BTreeMap;

use crate::domain::{PersonId, Timestamp};
use crate::jobs::Failure;
use crate::jobs::log::Log;
use crate::jobs::sign_offs;
use crate::jobs::trust::Trust;

/// So many sign-offs are looked at, the nearest first: what came long before is earlier.
const MOST_LOOKED_AT: usize = 256;

/// Who claimed what in which sign-off, as far as it was looked at: the releases of a log look at much the same.
#[derive(Default)]
pub(super) struct Claims {
    known: BTreeMap<String, Option<(PersonId, Timestamp)>>,
}

impl Claims {
    /// Returns the latest time that two distinct persons had claimed, in roles that they held, before a place of the log.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub(super) fn past(&mut self, log: &Log<'_>, trust: &Trust, place: u64) -> Result<Option<Timestamp>, Failure> {
        let until = usize::try_from(place).unwrap_or(usize::MAX).min(log.leaves.len());
        let before = log.leaves.get(..until).unwrap_or_default().iter().rev();
        let mut latest: BTreeMap<PersonId, Timestamp> = BTreeMap::new();
        for leaf in before.filter(|leaf| is_sign_off(&leaf.path)).take(MOST_LOOKED_AT) {
            if let Some((person, time)) = self.claim(log, trust, &leaf.path)? {
                let known = latest.entry(person).or_insert(time);
                *known = time.max(*known);
            }
        }
        let mut times: Vec<Timestamp> = latest.into_values().collect();
        times.sort_unstable();
        Ok(times.iter().rev().nth(1).copied())
    }

    fn claim(&mut self, log: &Log<'_>, trust: &Trust, path: &str) -> Result<Option<(PersonId, Timestamp)>, Failure> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        let claim = sign_offs::stands(log, trust, path)?.ok().and_then(|attested| {
            let (time, role) = (attested.value().time, attested.value().role);
            let held = attested.with_role(&trust.authority(log.position(path)), role).ok()?;
            Some((held.person().id.clone(), time))
        });
        self.known.insert(path.to_owned(), claim.clone());
        Ok(claim)
    }
}

fn is_sign_off(path: &str) -> bool {
    let (room, rest) = path.split_once('/').unwrap_or_default();
    let file = rest.rsplit_once('/').and_then(|(folder, file)| folder.ends_with("/signoffs").then_some(file));
    matches!(room, "releases" | "changes" | "deviations") && file.is_some_and(|file| file.ends_with(".cbor"))
}
