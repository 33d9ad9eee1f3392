//! Standing changes: approved once, within bounds, for a bot's updates of components (contract §3.8).
//!
//! Never here: whether the request itself was approved (`change_control`).

use crate::codec;
use crate::domain::{
    ChangeId, CommitRecord, ComponentDelta, ObjectId, RoleName, Segment, Standing, Subject, VersionBound,
};
use crate::jobs::Failure;
use crate::jobs::change_control::Judging;
use crate::jobs::log::Log;
use crate::jobs::own_changes::OwnChange;
use crate::jobs::range;
use crate::jobs::releases::StoredRelease;

/// Says why a standing change does not cover the commits of a range that name it; nothing where it does.
///
/// # Errors
/// Where a sealed record is missing or damaged.
pub(super) fn obstacle(
    judging: &Judging<'_>,
    id: &ChangeId,
    standing: &Standing,
    commits: &[&OwnChange<'_>],
) -> Result<Option<String>, Failure> {
    if judging.as_of >= standing.expires {
        return Ok(Some(format!("it expired on {}", standing.expires.date())));
    }
    let holds = judging.root().role(RoleName::Bot).is_some_and(|role| role.persons.contains(&standing.bot));
    if !holds {
        return Ok(Some(format!("{} does not hold the role bot", standing.bot)));
    }
    for one in commits {
        let record = &one.judged.record;
        if record.recorder.person != standing.bot {
            let by = &record.recorder.person;
            return Ok(Some(format!("{} was recorded by {by}, not by {}", record.commit.short(), standing.bot)));
        }
        if let Some(what) = one.segments.iter().find(|segment| !allowed(standing, segment)) {
            return Ok(Some(format!("{} changes {}", record.commit.short(), shown(&what.subject))));
        }
        if let Some(delta) = record.components.iter().find(|delta| !within(standing.bound, delta)) {
            let state = delta.after.as_ref().or(delta.before.as_ref());
            let purl = state.map_or("a component", |state| state.purl.as_str()).escape_debug().to_string();
            return Ok(Some(format!("{} goes beyond its version bound at {purl}", record.commit.short())));
        }
    }
    let uses = uses_before(judging.log, judging.earlier, id)?.saturating_add(commits.len() as u64);
    Ok((uses > standing.count).then(|| format!("{uses} commits name it, and {} may", standing.count)))
}

fn shown(subject: &Subject) -> String {
    match subject {
        Subject::Path(path) => path.escape_ascii().to_string(),
        Subject::Purl(purl) => purl.escape_debug().to_string(),
    }
}

fn without_version(purl: &str) -> &str {
    let end = purl.find(['?', '#']).unwrap_or(purl.len());
    let purl = purl.get(..end).unwrap_or(purl);
    // A scope's own @ is escaped in a purl, so the last one begins the version.
    purl.rsplit_once('@').map_or(purl, |(name, _)| name)
}

fn allowed(standing: &Standing, segment: &Segment) -> bool {
    match &segment.subject {
        Subject::Path(_) => false,
        Subject::Purl(purl) => standing.packages.iter().any(|package| package == without_version(purl)),
    }
}

/// An update has both sides, and keeps as many of the first numbers as the bound says.
fn within(bound: VersionBound, delta: &ComponentDelta) -> bool {
    let (Some(before), Some(after)) = (&delta.before, &delta.after) else { return false };
    let numbers = |version: Option<&str>| -> Vec<String> {
        version.unwrap_or_default().split(['.', '-', '+']).map(ToOwned::to_owned).collect()
    };
    let (before, after) = (numbers(before.version()), numbers(after.version()));
    let kept = match bound {
        VersionBound::Patch => 2,
        VersionBound::Minor => 1,
        VersionBound::Major => 0,
    };
    before.len() >= kept && before.iter().take(kept).eq(after.iter().take(kept))
}

fn uses_before(log: &Log<'_>, earlier: &[StoredRelease], id: &ChangeId) -> Result<u64, Failure> {
    let mut uses = 0;
    let releases = earlier.iter().map(StoredRelease::release);
    for release in releases.filter(|release| release.changes.iter().any(|change| change.id == *id)) {
        for entry in &release.range {
            let (_, note) = range::sealed(log, &entry.commit, &entry.record)?;
            uses += u64::from(names(&note, &entry.commit, id));
        }
    }
    Ok(uses)
}

fn names(note: &[u8], commit: &ObjectId, id: &ChangeId) -> bool {
    let blocks = codec::parse_note(note).unwrap_or_default();
    blocks.iter().any(|block| {
        let decoded = codec::decode::<CommitRecord>(&block.record);
        decoded.is_ok_and(|(_, record)| record.commit == *commit && record.changes.contains(id))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ComponentState, Scope};

    fn update(before: &str, after: &str) -> ComponentDelta {
        let state = |version: &str| ComponentState {
            purl: format!("pkg:cargo/serde@{version}"),
            scope: Scope::Runtime,
            hashes: Vec::new(),
            overlay: None,
            support: None,
            category: None,
            licenses: Vec::new(),
            supplier: None,
        };
        ComponentDelta { before: Some(state(before)), after: Some(state(after)) }
    }

    #[test]
    fn a_bound_keeps_the_first_numbers() {
        assert!(within(VersionBound::Patch, &update("1.2.3", "1.2.9")));
        assert!(!within(VersionBound::Patch, &update("1.2.3", "1.3.0")));
        assert!(within(VersionBound::Minor, &update("1.2.3", "1.3.0")));
        assert!(!within(VersionBound::Minor, &update("1.2.3", "2.0.0")));
        let added = ComponentDelta { before: None, ..update("1.2.3", "1.2.4") };
        assert!(!within(VersionBound::Major, &added));
    }
}
