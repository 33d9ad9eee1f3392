//! What lies between two manifests, or two commits: items and components before and after.
//!
//! Never here: how a difference is shown. Words such as "renewed" are derived in `export::words`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{ComponentDelta, ConfigurationItem, Fact, Facts, Manifest, RepoPath};

/// One item before and after; at least one of the two is there, and the paths differ for a rename.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemDelta {
    /// The item after the change; null when it was removed.
    pub after: Option<ConfigurationItem>,
    /// The item before the change; null when it was added.
    pub before: Option<ConfigurationItem>,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOperation {
    /// It is new.
    Added,
    /// Its content, mode, kind or declaration is another.
    Changed,
    /// It is gone.
    Removed,
    /// It stands elsewhere: the same content, or the same key or certificate in other bytes.
    Renamed,
}

impl ItemOperation {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
        }
    }
}

/// A fact that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactChange {
    /// The fact's name; names inside maps are joined by dots.
    pub name: String,
    /// Its value before, if there was one.
    pub before: Option<Fact>,
    /// Its value after, if there is one.
    pub after: Option<Fact>,
}

impl ItemDelta {
    /// Returns the item as it is after the change, or as it was when it is gone.
    pub fn item(&self) -> Option<&ConfigurationItem> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// Says what happened.
    pub fn operation(&self) -> ItemOperation {
        match (&self.before, &self.after) {
            (None, _) => ItemOperation::Added,
            (_, None) => ItemOperation::Removed,
            (Some(before), Some(after)) if before.path != after.path => ItemOperation::Renamed,
            _ => ItemOperation::Changed,
        }
    }

    /// Returns the facts that differ, sorted by name; nothing when an item was added or removed.
    pub fn fact_changes(&self) -> Vec<FactChange> {
        let mut changes = Vec::new();
        if let (Some(before), Some(after)) = (&self.before, &self.after) {
            compare_facts("", &before.facts, &after.facts, &mut changes);
        }
        changes
    }

    /// Returns the differences of two sets of items, sorted by path; a removed and an added item of the same
    /// content are one that was renamed, and so are two that hold the same certificate or the same key.
    pub fn between(before: &[ConfigurationItem], after: &[ConfigurationItem]) -> Vec<Self> {
        let old: BTreeMap<&RepoPath, _> = before.iter().map(|item| (&item.path, item)).collect();
        let new: BTreeMap<&RepoPath, _> = after.iter().map(|item| (&item.path, item)).collect();
        let mut deltas = Vec::new();
        let mut added = Vec::new();
        for (path, item) in &new {
            match old.get(path) {
                Some(known) if known == item => {}
                Some(known) => {
                    deltas.push(Self { before: Some((*known).clone()), after: Some((*item).clone()) });
                }
                None => added.push(*item),
            }
        }
        let mut removed: Vec<_> =
            old.iter().filter(|(path, _)| !new.contains_key(*path)).map(|(_, item)| *item).collect();
        // What is most surely the same is paired first.
        pair(&mut removed, &mut added, &mut deltas, |item| Some(("content", item.git_id.to_string())));
        pair(&mut removed, &mut added, &mut deltas, name_by_certificate);
        pair(&mut removed, &mut added, &mut deltas, name_by_key);
        deltas.extend(added.into_iter().map(|item| Self { before: None, after: Some(item.clone()) }));
        deltas.extend(removed.into_iter().map(|item| Self { before: Some(item.clone()), after: None }));
        deltas.sort_by(|a, b| a.item().map(|item| &item.path).cmp(&b.item().map(|item| &item.path)));
        deltas
    }
}

/// By what an item is found again, if it has such a thing.
type Name = (&'static str, String);

fn name_by_certificate(item: &ConfigurationItem) -> Option<Name> {
    item.facts.text("fingerprint_sha256").map(|print| ("certificate", print.to_owned()))
}

/// A private key is never found again in a public one, nor a key in a certificate.
fn name_by_key(item: &ConfigurationItem) -> Option<Name> {
    let part = match (item.facts.find("serial"), item.facts.find("encrypted"), item.facts.find("subject")) {
        (Some(_), ..) => "certificate",
        (_, Some(_), _) => "private",
        (_, _, Some(_)) => "request",
        _ => "public",
    };
    let print = ["spki_sha256", "fingerprint", "thumbprint_sha256"].into_iter().find_map(|name| item.facts.text(name));
    print.map(|print| (part, format!("{part} {print}")))
}

/// Pairs removed and added items of the same name, each in the order of their paths.
fn pair(
    removed: &mut Vec<&ConfigurationItem>,
    added: &mut Vec<&ConfigurationItem>,
    deltas: &mut Vec<ItemDelta>,
    name: impl Fn(&ConfigurationItem) -> Option<Name>,
) {
    let mut gone: BTreeMap<Name, VecDeque<&ConfigurationItem>> = BTreeMap::new();
    for item in removed.iter() {
        if let Some(name) = name(item) {
            gone.entry(name).or_default().push_back(item);
        }
    }
    let mut found = BTreeSet::new();
    added.retain(|item| {
        let Some(known) = name(item).and_then(|name| gone.get_mut(&name)).and_then(VecDeque::pop_front) else {
            return true;
        };
        found.insert(&known.path);
        deltas.push(ItemDelta { before: Some(known.clone()), after: Some((*item).clone()) });
        false
    });
    removed.retain(|item| !found.contains(&item.path));
}

fn compare_facts(prefix: &str, before: &Facts, after: &Facts, changes: &mut Vec<FactChange>) {
    let names: BTreeSet<&str> = before.iter().chain(after.iter()).map(|(name, _)| name).collect();
    for name in names {
        let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        match (before.find(name), after.find(name)) {
            (Some(Fact::Map(old)), Some(Fact::Map(new))) => compare_facts(&full, old, new, changes),
            (old, new) if old != new => {
                changes.push(FactChange { name: full, before: old.cloned(), after: new.cloned() });
            }
            _ => {}
        }
    }
}

/// What lies between two manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManifestDelta {
    /// Items, sorted by path.
    pub items: Vec<ItemDelta>,
    /// Components, sorted by purl.
    pub components: Vec<ComponentDelta>,
}

impl ManifestDelta {
    /// Returns what lies between two manifests.
    pub fn between(before: &Manifest, after: &Manifest) -> Self {
        Self {
            items: ItemDelta::between(&before.items, &after.items),
            components: ComponentDelta::between(&before.components, &after.components),
        }
    }

    /// Says whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.components.is_empty()
    }
}
