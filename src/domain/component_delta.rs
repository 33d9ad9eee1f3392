//! One component before and after: another version, other content under the same version, or another statement of it.
//!
//! Serves requirements R02 and R14. Never here: how a difference is told (`export::words`), and the files that name a
//! component: one that is named elsewhere than before is the same component.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Component, Overlay, Scope, version};

/// What of a component a change can touch. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentState {
    /// Its package URL, with the version.
    pub purl: String,
    /// What it is needed for.
    pub scope: Scope,
    /// Its hashes, sorted, each once.
    pub hashes: Vec<StateHash>,
    /// What people state of it.
    pub overlay: Option<Overlay>,
    /// Level of support.
    pub support: Option<String>,
    /// `maintained`, `supported` or `required`.
    pub category: Option<String>,
    /// Licences, sorted.
    pub licenses: Vec<String>,
    /// Who supplies it.
    pub supplier: Option<String>,
}

/// A component's hash, wherever it was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateHash {
    /// The algorithm.
    pub alg: String,
    /// The value, as in the list of components.
    pub value: String,
}

/// One component before and after.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentDelta {
    /// After the change; null when it is gone.
    pub after: Option<ComponentState>,
    /// Before the change; null when it is new.
    pub before: Option<ComponentState>,
}

impl ComponentState {
    /// Returns the state of a component.
    pub fn of(component: &Component) -> Self {
        let hash = |hash: &super::ComponentHash| StateHash { alg: hash.alg.clone(), value: hash.value.clone() };
        let hashes: BTreeSet<StateHash> = component.hashes.iter().map(hash).collect();
        Self {
            purl: component.purl.clone(),
            scope: component.scope,
            hashes: hashes.into_iter().collect(),
            overlay: component.overlay.clone(),
            support: component.support.clone(),
            category: component.category.clone(),
            licenses: component.licenses.clone(),
            supplier: component.supplier.clone(),
        }
    }

    /// Returns the version in its package URL, as that spells it; nothing where there is none.
    pub fn version(&self) -> Option<&str> {
        let end = self.purl.find(['?', '#']).unwrap_or(self.purl.len());
        self.purl.get(..end)?.rsplit_once('@').map(|(_, version)| version)
    }

    fn values(&self, alg: &str) -> BTreeSet<&str> {
        self.hashes.iter().filter(|hash| hash.alg == alg).map(|hash| hash.value.as_str()).collect()
    }
}

impl ComponentDelta {
    /// Returns `added`, `removed`; `upgraded`, `downgraded`, or `changed` where the order of the versions cannot be
    /// known; at the same purl `altered` (another hash) or `revised` (anything else).
    pub fn operation(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            (Some(before), Some(after)) if before.purl == after.purl => {
                if self.differing_hashes().is_empty() {
                    "revised"
                } else {
                    "altered"
                }
            }
            (Some(before), Some(after)) => match order(before, after) {
                Some(Ordering::Less) => "upgraded",
                Some(Ordering::Greater) => "downgraded",
                _ => "changed",
            },
        }
    }

    /// Returns the algorithms by which the content differs at one and the same version: a value went and another came.
    /// Values that only came, as of a further archive of the version, are no other content.
    pub fn differing_hashes(&self) -> Vec<&str> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return Vec::new() };
        if before.version() != after.version() || before.version().is_none() && before.purl != after.purl {
            return Vec::new();
        }
        let algorithms: BTreeSet<&str> = before.hashes.iter().map(|hash| hash.alg.as_str()).collect();
        let differs = |alg: &&str| {
            let (old, new) = (before.values(alg), after.values(alg));
            old.difference(&new).next().is_some() && new.difference(&old).next().is_some()
        };
        algorithms.into_iter().filter(differs).collect()
    }

    /// Returns the differences of two sets of components. Versions of one name that went are paired with such that
    /// came: first those of the same version, then those that begin with the same numbers, then the highest with the
    /// highest.
    pub fn between(before: &[Component], after: &[Component]) -> Vec<Self> {
        let mut names: BTreeMap<(&str, &str), Sides> = BTreeMap::new();
        let new: BTreeMap<&str, &Component> =
            after.iter().map(|component| (component.purl.as_str(), component)).collect();
        let mut deltas = Vec::new();
        let mut known = BTreeSet::new();
        for component in before {
            let state = ComponentState::of(component);
            let Some(same) = new.get(component.purl.as_str()) else {
                names.entry((&component.ecosystem, &component.name)).or_default().0.push(state);
                continue;
            };
            known.insert(component.purl.as_str());
            let come = ComponentState::of(same);
            if come != state {
                deltas.push(Self { before: Some(state), after: Some(come) });
            }
        }
        for component in after.iter().filter(|component| !known.contains(component.purl.as_str())) {
            names.entry((&component.ecosystem, &component.name)).or_default().1.push(ComponentState::of(component));
        }
        for sides in names.into_values() {
            pair(sides, &mut deltas);
        }
        deltas.sort_by(|a, b| a.key().cmp(&b.key()));
        deltas
    }

    fn key(&self) -> (Option<&str>, Option<&str>) {
        (
            self.after.as_ref().or(self.before.as_ref()).map(|state| state.purl.as_str()),
            self.before.as_ref().map(|state| state.purl.as_str()),
        )
    }
}

/// States that went and states that came, of one ecosystem and name.
type Sides = (Vec<ComponentState>, Vec<ComponentState>);

fn pair(sides: Sides, deltas: &mut Vec<ComponentDelta>) {
    let whole = |state: &ComponentState| state.version().unwrap_or_default().to_owned();
    let numbers =
        |most: usize| move |state: &ComponentState| version::leading(state.version().unwrap_or_default(), most);
    let left = pair_by(sides, whole, deltas);
    let left = pair_by(left, numbers(2), deltas);
    let left = pair_by(left, numbers(1), deltas);
    let (gone, come) = pair_by(left, |_| String::new(), deltas);
    deltas.extend(gone.into_iter().map(|state| ComponentDelta { before: Some(state), after: None }));
    deltas.extend(come.into_iter().map(|state| ComponentDelta { before: None, after: Some(state) }));
}

/// Pairs states of the same name, the highest versions first, and returns those without a partner.
fn pair_by(sides: Sides, name: impl Fn(&ComponentState) -> String, deltas: &mut Vec<ComponentDelta>) -> Sides {
    let mut groups: BTreeMap<String, Sides> = BTreeMap::new();
    for state in sides.0 {
        groups.entry(name(&state)).or_default().0.push(state);
    }
    for state in sides.1 {
        groups.entry(name(&state)).or_default().1.push(state);
    }
    let mut left = Sides::default();
    for (mut gone, mut come) in groups.into_values() {
        // Padded numbers give a total order, which the order of versions is not.
        gone.sort_by_cached_key(|state| (padded(state), state.purl.clone()));
        come.sort_by_cached_key(|state| (padded(state), state.purl.clone()));
        let pairs = gone.len().min(come.len());
        let (old, new) = (gone.split_off(gone.len() - pairs), come.split_off(come.len() - pairs));
        let both = old.into_iter().zip(new);
        deltas.extend(both.map(|(old, new)| ComponentDelta { before: Some(old), after: Some(new) }));
        left.0.extend(gone);
        left.1.extend(come);
    }
    left
}

/// Returns the version with its numbers padded, so that texts compare as numbers do.
fn padded(state: &ComponentState) -> String {
    let version = state.version().unwrap_or_default();
    let plain = version.strip_prefix(['v', 'V']).unwrap_or(version);
    plain.split('.').map(|part| format!("{part:0>12}")).collect::<Vec<_>>().join(".")
}

fn order(before: &ComponentState, after: &ComponentState) -> Option<Ordering> {
    // In a purl a `+` is encoded.
    let plain = |state: &ComponentState| state.version().map(|version| version.replace("%2B", "+"));
    version::compare(&plain(before)?, &plain(after)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ComponentHash, RepoPath};

    fn component(name: &str, version: &str, place: &str) -> Component {
        Component {
            name: name.into(),
            purl: format!("pkg:npm/{name}@{version}"),
            scope: Scope::Runtime,
            direct: None,
            hashes: vec![ComponentHash { alg: "SHA-1".into(), value: "aa".into(), origin: RepoPath::from(place) }],
            overlay: None,
            support: None,
            version: Some(version.into()),
            category: None,
            found_in: vec![RepoPath::from(place)],
            licenses: vec![],
            supplier: None,
            ecosystem: "npm".into(),
            dependencies: vec![],
        }
    }

    fn versions(list: &[&str]) -> Vec<Component> {
        list.iter().map(|version| component("a", version, "x")).collect()
    }

    fn told(before: &[Component], after: &[Component]) -> Vec<String> {
        let version =
            |state: &Option<ComponentState>| state.as_ref().and_then(ComponentState::version).unwrap_or("-").to_owned();
        let tell = |delta: &ComponentDelta| {
            format!("{} {} {}", delta.operation(), version(&delta.before), version(&delta.after))
        };
        ComponentDelta::between(before, after).iter().map(tell).collect()
    }

    #[test]
    fn versions_side_by_side_are_paired_with_their_neighbours() {
        let told = |before: &[&str], after: &[&str]| told(&versions(before), &versions(after));
        assert_eq!(told(&["1.0.0", "2.0.0"], &["1.1.0", "2.0.1"]), ["upgraded 1.0.0 1.1.0", "upgraded 2.0.0 2.0.1"]);
        assert_eq!(told(&["1.0.0"], &["1.0.1", "3.0.0"]), ["upgraded 1.0.0 1.0.1", "added - 3.0.0"]);
        assert_eq!(told(&["1.0.0", "2.0.0"], &["2.0.0"]), ["removed 1.0.0 -"]);
        assert_eq!(told(&["1.0.0", "9.0.0"], &["10.0.0"]), ["removed 1.0.0 -", "upgraded 9.0.0 10.0.0"]);
        assert_eq!(told(&["2.0.0"], &["1.0.0"]), ["downgraded 2.0.0 1.0.0"]);
        assert_eq!(told(&["main"], &["next"]), ["changed main next"]);
        assert_eq!(told(&["2.0.0%2Bb"], &["10.0.0%2Ba"]), ["upgraded 2.0.0%2Bb 10.0.0%2Ba"]);
    }

    #[test]
    fn another_hash_at_the_same_version_is_told_and_a_further_one_is_not() {
        let before = versions(&["1.0.0"]);
        let mut further = before.clone();
        further[0].hashes.push(ComponentHash { alg: "SHA-1".into(), value: "bb".into(), origin: "x".into() });
        assert_eq!(told(&before, &further), ["revised 1.0.0 1.0.0"]);
        let mut other = before.clone();
        other[0].hashes[0].value = "bb".into();
        assert_eq!(told(&before, &other), ["altered 1.0.0 1.0.0"]);
        assert_eq!(ComponentDelta::between(&before, &other)[0].differing_hashes(), ["SHA-1"]);
    }

    #[test]
    fn one_that_is_named_elsewhere_is_the_same() {
        assert_eq!(told(&[component("a", "1", "x")], &[component("a", "1", "y")]), Vec::<String>::new());
    }

    #[test]
    fn what_people_state_of_it_is_part_of_it() {
        let mut after = versions(&["1.0.0"]);
        after[0].category = Some("required".into());
        assert_eq!(told(&versions(&["1.0.0"]), &after), ["revised 1.0.0 1.0.0"]);
    }
}
