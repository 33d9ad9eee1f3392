//! Lays `.baseline/components.toml` over the list of components.
//!
//! Never an end: a file that cannot be read is a failed coverage entry here, since histories must not stop; whoever
//! judges a tree refuses it before (`jobs::policy_of`). Never here: dates and what they mean.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::components::{self, Inventory};
use crate::domain::{Component, ComponentHash, Coverage, CoverageStatus, Observation, Overlay, RepoPath};
use crate::policy::{COMPONENTS_PATH, ComponentOverlay, Declared, Stated, Statement};

/// The overlay's name among the readers.
const READER: &str = "baseline-components";

/// Adds what the file declares, then what it states; the last match wins, each field on its own. Returns what is stated
/// of no component.
pub(super) fn lay(inventory: &mut Inventory, bytes: Option<&[u8]>) -> Vec<(RepoPath, Observation)> {
    let Some(bytes) = bytes else {
        cover(inventory, CoverageStatus::Failed, 0, vec!["it is longer than what is read".to_owned()]);
        return Vec::new();
    };
    let overlay = match ComponentOverlay::parse(bytes) {
        Ok(overlay) => overlay,
        Err(error) => {
            let gap = format!("line {}: {}", error.line, error.message.escape_debug());
            cover(inventory, CoverageStatus::Failed, 0, vec![gap]);
            return Vec::new();
        }
    };
    let unversioned = overlay.declared.iter().filter(|declared| declared.version.is_none());
    let gaps = unversioned.map(|declared| format!("{}: no version is stated", declared.name)).collect();
    cover(inventory, CoverageStatus::Parsed, overlay.declared.len(), gaps);
    declare(&mut inventory.components, &overlay.declared);
    state(&mut inventory.components, &overlay.stated)
}

fn cover(inventory: &mut Inventory, status: CoverageStatus, components: usize, gaps: Vec<String>) {
    let path = RepoPath::from(COMPONENTS_PATH);
    inventory.coverage.push(Coverage { gaps, path, reader: READER.to_owned(), status, components: components as u64 });
    inventory.coverage.sort_by(|a, b| (&a.path, &a.reader).cmp(&(&b.path, &b.reader)));
}

fn declare(components: &mut Vec<Component>, declared: &[Declared]) {
    if declared.is_empty() {
        return;
    }
    let mut by_purl: BTreeMap<String, Component> =
        components.drain(..).map(|component| (component.purl.clone(), component)).collect();
    for declared in declared {
        let (purl, ecosystem) = purl_of(declared);
        let known = by_purl.entry(purl.clone()).or_insert_with(|| Component {
            name: declared.name.clone(),
            purl,
            scope: declared.scope,
            direct: None,
            hashes: Vec::new(),
            overlay: None,
            support: None,
            version: declared.version.clone(),
            category: None,
            found_in: Vec::new(),
            licenses: Vec::new(),
            supplier: None,
            ecosystem,
            dependencies: Vec::new(),
        });
        known.scope = known.scope.max(declared.scope);
        known.direct = known.direct.max(Some(declared.direct));
        let origin = RepoPath::from(COMPONENTS_PATH);
        let hash = |(alg, value): &(String, String)| ComponentHash {
            alg: alg.clone(),
            value: value.clone(),
            origin: origin.clone(),
        };
        add(&mut known.hashes, declared.hashes.iter().map(hash));
        add(&mut known.licenses, declared.licenses.iter().cloned());
        add(&mut known.found_in, [origin.clone()]);
        apply(known, declared.statement.clone());
    }
    components.extend(by_purl.into_values());
}

fn add<T: Ord>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    list.extend(more);
    list.sort();
    list.dedup();
}

/// Returns the purl of a declared component, and its ecosystem.
fn purl_of(declared: &Declared) -> (String, String) {
    let version = declared.version.as_deref();
    let written = declared.purl.as_deref().and_then(|purl| {
        let end = purl.find(['?', '#']).unwrap_or(purl.len());
        let (plain, rest) = purl.split_at_checked(end)?;
        let version = version.map(|version| format!("@{version}")).unwrap_or_default();
        components::canonical_purl(&format!("{}{version}{rest}", plain.trim_end_matches('/')))
    });
    written.unwrap_or_else(|| {
        let supplier = declared.statement.supplier.as_deref();
        (components::generic_purl(supplier, &declared.name, version), "generic".to_owned())
    })
}

fn state(components: &mut [Component], stated: &[Stated]) -> Vec<(RepoPath, Observation)> {
    let mut winners = vec![Statement::default(); if stated.is_empty() { 0 } else { components.len() }];
    let mut unused = Vec::new();
    // The last first, so that each field is written once however many match.
    for entry in stated.iter().rev() {
        let mut is_used = false;
        for range in matching(components, entry) {
            is_used |= !range.is_empty();
            for winner in winners.get_mut(range).unwrap_or_default() {
                fill(winner, &entry.statement);
            }
        }
        if !is_used {
            let end = if entry.is_prefix { "*" } else { "" };
            let message = format!("no component is {}{end}", entry.purl.escape_debug());
            let observation = Observation { rule: "overlay-unused", line: u32::try_from(entry.line).ok(), message };
            unused.push((RepoPath::from(COMPONENTS_PATH), observation));
        }
    }
    for (component, winner) in components.iter_mut().zip(winners) {
        apply(component, winner);
    }
    unused.reverse();
    unused
}

/// Returns where in the list, which is sorted by purl, a pattern matches. Without a version it matches every version,
/// without qualifiers any.
fn matching(components: &[Component], entry: &Stated) -> Vec<Range<usize>> {
    if entry.is_prefix {
        // What a name begins with is spelled as the whole is: a letter stands in for the rest.
        let whole = components::canonical_purl(&format!("{}x", entry.purl));
        let begin = whole.as_ref().and_then(|(purl, _)| purl.strip_suffix('x')).unwrap_or(&entry.purl);
        return Vec::from([beginning(components, begin)]);
    }
    let canonical = components::canonical_purl(&entry.purl);
    let purl = canonical.as_ref().map_or(entry.purl.as_str(), |(purl, _)| purl);
    let at = |purl: &str| components.partition_point(|component| component.purl.as_str() < purl);
    let start = at(purl);
    let is_there = components.get(start).is_some_and(|component| component.purl == purl);
    let whole = start..start + usize::from(is_there);
    let more = ["@", "?", "#"].into_iter().filter(|next| {
        // What is stated already cannot follow, nor what comes before it.
        let last = purl.rfind(['@', '?', '#']).and_then(|at| purl.get(at..=at));
        match last {
            None => true,
            Some("@") => *next != "@",
            Some("?") => *next == "#",
            _ => false,
        }
    });
    let more = more.map(|next| beginning(components, &format!("{purl}{next}")));
    std::iter::once(whole).chain(more).collect()
}

fn beginning(components: &[Component], begin: &str) -> Range<usize> {
    let start = components.partition_point(|component| component.purl.as_str() < begin);
    let rest = components.get(start..).unwrap_or_default();
    start..start + rest.partition_point(|component| component.purl.starts_with(begin))
}

fn fill(winner: &mut Statement, statement: &Statement) {
    fn one<T: Clone>(slot: &mut Option<T>, value: Option<&T>) {
        if slot.is_none() {
            *slot = value.cloned();
        }
    }
    one(&mut winner.supplier, statement.supplier.as_ref());
    one(&mut winner.category, statement.category.as_ref());
    one(&mut winner.reason, statement.reason.as_ref());
    one(&mut winner.support, statement.support.as_ref());
    one(&mut winner.end_of_support, statement.end_of_support.as_ref());
    one(&mut winner.anomaly_review, statement.anomaly_review.as_ref());
    one(&mut winner.risk, statement.risk.as_ref());
    one(&mut winner.license, statement.license.as_ref());
}

fn apply(component: &mut Component, statement: Statement) {
    let known = component.overlay.take().unwrap_or_default();
    component.supplier = statement.supplier.or(component.supplier.take());
    component.category = statement.category.or(component.category.take());
    component.support = statement.support.or(component.support.take());
    if let Some(license) = statement.license {
        component.licenses = vec![license];
    }
    let overlay = Overlay {
        risk: statement.risk.or(known.risk),
        reason: statement.reason.or(known.reason),
        anomaly_review: statement.anomaly_review.or(known.anomaly_review),
        end_of_support: statement.end_of_support.or(known.end_of_support),
    };
    component.overlay = (overlay != Overlay::default()).then_some(overlay);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::LockFile;

    const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1", "ab": "1", "@s/c": "1"}},
        "node_modules/a": {"version": "1.0.0", "license": "MIT"}, "node_modules/ab": {"version": "1.0.0"},
        "node_modules/@s/c": {"version": "2.0.0", "dependencies": {"a": "2"}},
        "node_modules/@s/c/node_modules/a": {"version": "2.0.0"}}}"#;

    fn laid(overlay: &str) -> (Inventory, Vec<String>) {
        let mut inventory =
            components::read(&[LockFile::new(RepoPath::from("package-lock.json"), None, LOCK.as_bytes())], &[]);
        assert_eq!(inventory.components.len(), 4, "{:?}", inventory.coverage);
        let unused = lay(&mut inventory, Some(overlay.as_bytes()));
        (inventory, unused.into_iter().map(|(_, seen)| seen.message).collect())
    }

    /// The levels of support that the components get, in the order of their purls: @s/c 2, a 1, a 2, ab 1.
    fn support(patterns: &[&str]) -> Vec<String> {
        let entry = |(at, purl): (usize, &&str)| format!("[[component]]\npurl = \"{purl}\"\nsupport = \"{at}\"\n");
        let (inventory, _) = laid(&patterns.iter().enumerate().map(entry).collect::<String>());
        inventory.components.iter().map(|component| component.support.clone().unwrap_or_default()).collect()
    }

    #[test]
    fn a_pattern_names_all_versions_or_one_or_all_that_begins_so() {
        assert_eq!(support(&["pkg:npm/a"]), ["", "0", "0", ""]);
        assert_eq!(support(&["pkg:npm/a@2.0.0"]), ["", "", "0", ""]);
        assert_eq!(support(&["pkg:npm/a@2.*"]), ["", "", "0", ""]);
        assert_eq!(support(&["pkg:npm/a*"]), ["", "0", "0", "0"]);
        assert_eq!(support(&["pkg:npm/@s/c"]), ["0", "", "", ""]);
        assert_eq!(support(&["pkg:npm/@s/*"]), ["0", "", "", ""]);
        assert_eq!(support(&["pkg:*"]), ["0", "0", "0", "0"]);
    }

    #[test]
    fn the_last_match_wins_each_field_on_its_own() {
        assert_eq!(support(&["pkg:npm/a", "pkg:npm/*", "pkg:npm/a@1.0.0"]), ["1", "2", "1", "1"]);
        let (inventory, _) = laid(
            "[[component]]\npurl = \"pkg:npm/a\"\ncategory = \"required\"\nreason = \"r\"\nlicense = \"ISC\"\n\
             [[component]]\npurl = \"pkg:npm/*\"\ncategory = \"supported\"\nend_of_support = \"2027-01-01\"\n",
        );
        let a = &inventory.components[1];
        assert_eq!((a.category.as_deref(), a.licenses.as_slice()), (Some("supported"), ["ISC".to_owned()].as_slice()));
        let overlay = a.overlay.as_ref().unwrap();
        assert_eq!((overlay.reason.as_deref(), overlay.end_of_support.is_some()), (Some("r"), true));
        assert_eq!(inventory.components[0].overlay.as_ref().unwrap().reason, None);
    }

    #[test]
    fn what_is_stated_of_nothing_is_told() {
        let (_, unused) = laid("[[component]]\npurl = \"pkg:npm/b\"\nrisk = \"R-1\"\n");
        assert_eq!(unused, ["no component is pkg:npm/b"]);
    }

    #[test]
    fn a_declared_component_is_one_of_the_list() {
        let (inventory, _) = laid(
            "[[declared]]\nname = \"zlib\"\nversion = \"1.3\"\nsupplier = \"Mark/Adler\"\ncategory = \"required\"\n\
             [[declared]]\nname = \"a\"\nversion = \"1.0.0\"\npurl = \"pkg:npm/a\"\nlicenses = [\"ISC\"]\n\
             [[declared]]\nname = \"rtos\"\n\
             [[component]]\npurl = \"pkg:generic/mark-adler/*\"\nsupport = \"no\"\n\
             [[component]]\npurl = \"pkg:generic/rtos\"\nsupport = \"paid\"\n",
        );
        let purls: Vec<_> = inventory.components.iter().map(|component| component.purl.as_str()).collect();
        assert_eq!(&purls[..2], ["pkg:generic/Mark-Adler/zlib@1.3", "pkg:generic/rtos"]);
        assert_eq!(inventory.components[1].support.as_deref(), Some("paid"));
        let a = inventory.components.iter().find(|component| component.purl == "pkg:npm/a@1.0.0").unwrap();
        assert_eq!((a.found_in.len(), a.licenses.len(), inventory.components.len()), (2, 2, 6));
        let coverage = &inventory.coverage[0];
        assert_eq!(
            (coverage.components, coverage.gaps.as_slice()),
            (3, ["rtos: no version is stated".into()].as_slice())
        );
    }

    #[test]
    fn a_malformed_file_fails_by_itself() {
        let (inventory, _) = laid("[[component]]\nx = 1\n");
        assert_eq!((inventory.coverage[0].status, inventory.components.len()), (CoverageStatus::Failed, 4));
        assert!(inventory.coverage[0].gaps[0].starts_with("line 2: "), "{:?}", inventory.coverage[0].gaps);
    }
}
