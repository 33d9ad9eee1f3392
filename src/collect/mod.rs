//! From a source and a policy to a manifest. The same function runs on the staged index, a commit and a directory,
//! so that "reproducible" is a property of the design.
//!
//! Never here: Git, disk or clock. Order of reading never matters. Format: docs/format.md §4.

mod overlay;
mod source;

use crate::components::{self, Inventory, LockFile, Memory};
use crate::domain::{
    ConfigurationItem, Digest, DigestSet, EntryKind, Facts, ItemClass, Manifest, Observation, RULE_SET, RepoPath,
    SourceTree,
};
use crate::policy::{COMPONENTS_PATH, ItemRule, Policy, Treatment};
use crate::recognize::{self, Recognized};

pub use source::{Content, Entry, HELD_AT_MOST, Source};

/// A manifest, and what the recognisers saw on the way that is no part of it.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The manifest.
    pub manifest: Manifest,
    /// What is wrong with items whatever the time, sorted by path.
    pub observations: Vec<(RepoPath, Observation)>,
}

/// Items of some entries, with what was observed in them; sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// The items.
    pub items: Vec<ConfigurationItem>,
    /// What is wrong with them.
    pub observations: Vec<(RepoPath, Observation)>,
}

/// An item, and what was observed in it.
pub type Seen = (ConfigurationItem, Vec<Observation>);

/// What one entry gave.
struct Looked {
    item: Option<Seen>,
    lock: Option<LockFile>,
    digest: Option<Digest>,
}

/// Computes the manifest of a whole source.
///
/// # Errors
/// Where an entry cannot be listed or read, or is not what its id says.
pub fn collect<S: Source>(source: &S, policy: &Policy) -> Result<Collected, S::Error> {
    let entries = source.entries()?;
    let looked = source.read_each(&entries, |entry, content| Looked {
        item: look_at(policy, entry, content),
        lock: held_lock(policy, entry, content),
        digest: content_digest(content),
    })?;
    let source_tree = source_tree(&entries, &looked);
    let mut items = Items::default();
    let mut locks = Vec::new();
    for looked in looked {
        items.add(looked.item);
        locks.extend(looked.lock);
    }
    let (inventory, unused) = with_overlay(components::read(&locks, &gitlinks(policy, &entries)), &locks);
    items.observations.extend(unused);
    items.observations.sort_by(|a, b| a.0.cmp(&b.0));
    let manifest = Manifest {
        items: items.items,
        policy: policy.digest,
        ruleset: RULE_SET,
        coverage: inventory.coverage,
        services: Vec::new(),
        components: inventory.components,
        source_tree,
        object_format: source.object_format(),
    };
    Ok(Collected { manifest, observations: items.observations })
}

/// Computes the items of some entries only, as a hook or a commit's delta needs them.
///
/// # Errors
/// As [`collect`].
pub fn collect_items<S: Source>(source: &S, policy: &Policy, entries: &[Entry]) -> Result<Items, S::Error> {
    let mut items = Items::default();
    let wanted: Vec<_> = entries.iter().filter(|entry| entry.mode.kind() != EntryKind::Gitlink).cloned().collect();
    for found in look_at_each(source, policy, &wanted)? {
        items.add(found);
    }
    Ok(items)
}

/// Returns for each entry the item that it is, with what was observed in it; nothing where it is none. Two entries may
/// have one path, as the versions of a file have.
///
/// # Errors
/// As [`collect`].
pub fn look_at_each<S: Source>(source: &S, policy: &Policy, entries: &[Entry]) -> Result<Vec<Option<Seen>>, S::Error> {
    source.read_each(entries, |entry, content| look_at(policy, entry, content))
}

/// Computes the components of a source, reading lock and manifest files and what people state of them only.
///
/// # Errors
/// As [`collect`].
pub fn collect_components<S: Source>(source: &S, policy: &Policy) -> Result<Inventory, S::Error> {
    let entries = source.entries()?;
    let locks = read_locks(source, policy, &entries)?;
    Ok(with_overlay(components::read(&locks, &gitlinks(policy, &entries)), &locks).0)
}

/// Returns those of the entries that are lock and manifest files, with what they hold.
///
/// # Errors
/// As [`collect`].
pub fn read_locks<S: Source>(source: &S, policy: &Policy, entries: &[Entry]) -> Result<Vec<LockFile>, S::Error> {
    let wanted: Vec<_> = entries.iter().filter(|entry| is_lock(policy, entry)).cloned().collect();
    let held = source.read_each(&wanted, |entry, content| held_lock(policy, entry, content))?;
    Ok(held.into_iter().flatten().collect())
}

/// Computes what [`collect_components`] does from files read before. `entries` need to hold the submodules.
pub fn remembered_components(memory: &mut Memory, locks: &[LockFile], policy: &Policy, entries: &[Entry]) -> Inventory {
    with_overlay(memory.read(locks, &gitlinks(policy, entries)), locks).0
}

/// Lays over the components what people state; also returns what is stated of nothing.
fn with_overlay(mut inventory: Inventory, locks: &[LockFile]) -> (Inventory, Vec<(RepoPath, Observation)>) {
    let stated = locks.iter().find(|lock| is_overlay(lock.path()));
    let unused = stated.map(|lock| overlay::lay(&mut inventory, lock.bytes())).unwrap_or_default();
    (inventory, unused)
}

fn is_overlay(path: &RepoPath) -> bool {
    path.as_bytes() == COMPONENTS_PATH.as_bytes()
}

/// Says whether the entry can change the list of components.
pub fn is_lock(policy: &Policy, entry: &Entry) -> bool {
    entry.mode.kind() == EntryKind::File
        && (components::is_wanted(&entry.path) || is_overlay(&entry.path))
        && policy.treatment(&entry.path) != Treatment::Excluded
}

impl Items {
    fn add(&mut self, found: Option<Seen>) {
        let Some((item, observations)) = found else { return };
        self.observations.extend(observations.into_iter().map(|observation| (item.path.clone(), observation)));
        self.items.push(item);
    }
}

fn gitlinks(policy: &Policy, entries: &[Entry]) -> Vec<(RepoPath, String)> {
    let links = entries.iter().filter(|entry| entry.mode.kind() == EntryKind::Gitlink);
    let in_scope = links.filter(|entry| policy.treatment(&entry.path) != Treatment::Excluded);
    in_scope.map(|entry| (entry.path.clone(), entry.id.to_string())).collect()
}

/// What is too large to be held must be said of too, so that it is a lock as well.
fn held_lock(policy: &Policy, entry: &Entry, content: Content<'_>) -> Option<LockFile> {
    match content {
        _ if !is_lock(policy, entry) => None,
        Content::Held(bytes) => Some(LockFile::new(entry.path.clone(), Some(entry.id), bytes)),
        Content::Streamed { size, .. } => Some(LockFile::too_long(entry.path.clone(), Some(entry.id), size)),
        Content::Gitlink => None,
    }
}

fn content_digest(content: Content<'_>) -> Option<Digest> {
    match content {
        Content::Held(bytes) => Some(Digest::of(bytes)),
        Content::Streamed { digests, .. } => Some(digests.blake3),
        Content::Gitlink => None,
    }
}

/// Decides whether an entry is an item, and which.
fn look_at(policy: &Policy, entry: &Entry, content: Content<'_>) -> Option<Seen> {
    let file = entry.mode.kind() == EntryKind::File;
    let recognized = match content {
        Content::Held(bytes) if file => recognize::recognize(&entry.path, bytes),
        Content::Streamed { .. } if file => recognize::recognize_unread(&entry.path),
        _ => None,
    };
    let (rule, declared) = match policy.treatment(&entry.path) {
        Treatment::Excluded => return None,
        Treatment::Declared(rule) => (rule, true),
        Treatment::Undeclared if recognized.is_none() => return None,
        Treatment::Undeclared => (ItemRule::default(), false),
    };
    let (size, digest) = match content {
        Content::Held(bytes) => (bytes.len() as u64, DigestSet::of(bytes)),
        Content::Streamed { size, digests } => (size, digests),
        Content::Gitlink => return None,
    };
    let held = match content {
        Content::Held(bytes) if file => Some(bytes),
        _ => None,
    };
    let read = read_by_rule(&rule, &entry.path, held, recognized);
    let item = ConfigurationItem {
        kind: read.kind,
        mode: entry.mode,
        path: entry.path.clone(),
        size,
        class: rule.class.unwrap_or(read.class),
        facts: read.facts,
        owner: rule.owner,
        digest: (!read.secret).then_some(digest),
        git_id: entry.id,
        declared,
    };
    Some((item, read.observations))
}

/// The rule names the kind; the content says what is in it.
fn read_by_rule(rule: &ItemRule, path: &RepoPath, held: Option<&[u8]>, recognized: Option<Recognized>) -> Recognized {
    let class = rule.class.unwrap_or(ItemClass::Policy);
    match (&rule.kind, recognized, held) {
        (Some(kind), Some(found), _) => Recognized { kind: kind.clone(), ..found },
        (None, Some(found), _) => found,
        (Some(kind), None, Some(bytes)) => recognize::read_declared(path, kind, class, bytes),
        (kind, None, _) => Recognized {
            kind: kind.clone().unwrap_or_else(|| "file".to_owned()),
            class: rule.class.unwrap_or(ItemClass::Document),
            facts: Facts::new(),
            observations: Vec::new(),
            secret: false,
        },
    }
}

/// Computes the digest of the complete source tree (docs/format.md §4.3): it covers excluded entries too.
fn source_tree(entries: &[Entry], looked: &[Looked]) -> SourceTree {
    let mut lines = Vec::with_capacity(entries.len() * 128);
    let mut gitlinks = 0;
    for (entry, looked) in entries.iter().zip(looked) {
        let (kind, id) = match looked.digest {
            Some(digest) => ("blob", digest.to_string()),
            None => ("commit", entry.id.to_string()),
        };
        gitlinks += u64::from(looked.digest.is_none());
        lines.extend_from_slice(format!("{} {kind} {id} ", entry.mode).as_bytes());
        lines.extend_from_slice(entry.path.as_bytes());
        lines.push(0);
    }
    SourceTree { files: entries.len() as u64 - gitlinks, digest: Digest::of(&lines), gitlinks }
}
