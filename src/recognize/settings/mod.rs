//! Settings, policies and access lists: text files that programs obey.
//!
//! One table of kinds, in the order of trial; each says cheaply whether a file looks like it, and then reads it.
//! Content decides first and the path second. Never here: keys, certificates and secrets' containers.

mod access;
mod arm;
mod cedar;
mod clock;
mod containers;
mod file;
mod firewall;
mod github;
mod hcl;
mod headers;
mod iam;
mod ingress;
mod kubernetes;
mod languages;
mod logging;
mod mac;
mod network_policy;
mod nftables;
mod protection;
mod services;
mod ssh;
mod ssh_algorithms;
mod ssh_keys;
mod sudoers;
mod system;
mod terraform;
#[cfg(test)]
mod tests;
mod tls;
mod tree;
mod users;
mod values;
mod web;

use super::masking::{self, Taken};
use super::{Recognized, path};
use crate::domain::{Facts, ItemClass, Observation, RepoPath};
use file::File;

/// What reading a file as one kind brought.
#[derive(Default)]
struct Reading {
    facts: Facts,
    observations: Vec<Observation>,
    secret: bool,
}

impl Reading {
    /// Notes what is wrong with a line.
    fn observe(&mut self, rule: &'static str, line: u32, message: impl Into<String>) {
        self.observations.push(Observation { rule, line: Some(line), message: message.into() });
    }

    /// Notes what is wrong with the file as a whole.
    fn observe_whole(&mut self, rule: &'static str, message: impl Into<String>) {
        self.observations.push(Observation { rule, line: None, message: message.into() });
    }
}

/// How much a file looks like a kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// Not at all.
    None,
    /// It may be one; reading it decides.
    Maybe,
    /// Its name says so: when it cannot be read, that is worth a finding.
    Named,
}

impl Likeness {
    fn named_or(named: bool, maybe: impl FnOnce() -> bool) -> Self {
        match named {
            true => Self::Named,
            false if maybe() => Self::Maybe,
            false => Self::None,
        }
    }
}

/// One kind of item.
struct Kind {
    name: &'static str,
    class: ItemClass,
    looks: fn(&File<'_>) -> Likeness,
    read: fn(&File<'_>) -> Option<Reading>,
}

/// Every kind, those with the surest marks first.
const FAMILIES: &[&[Kind]] = &[
    ssh::KINDS,
    ssh_keys::KINDS,
    sudoers::KINDS,
    firewall::KINDS,
    nftables::KINDS,
    access::KINDS,
    users::KINDS,
    values::KINDS,
    clock::KINDS,
    iam::KINDS,
    github::KINDS,
    protection::KINDS,
    containers::KINDS,
    kubernetes::KINDS,
    languages::KINDS,
    cedar::KINDS,
    mac::KINDS,
    system::KINDS,
    logging::KINDS,
    web::KINDS,
    headers::KINDS,
    terraform::KINDS,
    services::KINDS,
    arm::KINDS,
];

fn kinds() -> impl Iterator<Item = &'static Kind> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// Returns the name and class of every kind.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = (&'static str, ItemClass)> {
    kinds().map(|kind| (kind.name, kind.class))
}

/// Says which kinds a file looks like, and whether it could be read as such.
pub(super) fn explain(path: &RepoPath, bytes: &[u8]) -> Vec<String> {
    if is_prose(path) {
        return vec!["as settings it is not looked at: its name is that of a program or document".to_owned()];
    }
    let Some(file) = File::open(path, bytes) else {
        return vec!["as settings it is not looked at: empty, binary or too large".to_owned()];
    };
    let mut said = Vec::new();
    for kind in kinds() {
        let likeness = match (kind.looks)(&file) {
            Likeness::None => continue,
            Likeness::Maybe => "looked like one",
            Likeness::Named => "has the name of one",
        };
        let readable = (kind.read)(&file).is_some();
        said.push(format!("{}: {likeness}, and {} be read", kind.name, if readable { "could" } else { "could not" }));
        if readable {
            break;
        }
    }
    said
}

/// Recognises a file of settings.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if is_prose(path) {
        return None;
    }
    let Some(file) = File::open(path, bytes) else { return named(path).filter(|_| bytes.len() > file::MAX_BYTES) };
    let mut named = None;
    for kind in kinds() {
        let likeness = (kind.looks)(&file);
        if likeness == Likeness::None {
            continue;
        }
        if let Some(reading) = (kind.read)(&file) {
            return Some(recognized(kind, reading, file.text()));
        }
        if likeness == Likeness::Named {
            named = named.or(Some(kind));
        }
    }
    named.map(|kind| recognized(kind, unreadable(), ""))
}

/// Reads a file that the policy declares to be of `kind`; none when the kind is not one of these.
pub(super) fn read_declared(path: &RepoPath, kind: &str, class: ItemClass, bytes: &[u8]) -> Option<Recognized> {
    let kind = kinds().find(|known| known.name == kind)?;
    let file = File::open(path, bytes);
    let reading = file.as_ref().and_then(|file| (kind.read)(file));
    let text = file.as_ref().map_or("", |file| file.text());
    Some(Recognized { class, ..recognized(kind, reading.unwrap_or_else(unreadable), text) })
}

/// Returns what a file is by its name, where it is too large to be read.
pub(super) fn named(path: &RepoPath) -> Option<Recognized> {
    let file = File::empty(path);
    let kind = kinds().find(|kind| (kind.looks)(&file) == Likeness::Named)?;
    Some(recognized(kind, Reading::default(), "").unreadable(None, "it is larger than what is looked at"))
}

/// Takes out what nobody must see. A token can be nothing else: where one stands, the file holds a secret in clear.
fn recognized(kind: &Kind, reading: Reading, text: &str) -> Recognized {
    let mut taken = Taken::default();
    let facts = masking::facts(&reading.facts, &mut taken);
    let mut observations = reading.observations;
    for seen in &mut observations {
        seen.message = masking::text(&seen.message, &mut Taken::default()).into_owned();
    }
    let mut found =
        Recognized { kind: kind.name.to_owned(), class: kind.class, facts, observations, secret: reading.secret };
    if let Some(token) = taken.tokens.first() {
        let line =
            text.lines().position(|line| line.contains(token.as_str())).and_then(|at| u32::try_from(at + 1).ok());
        found = found.observe("secret-in-clear", line, "a token stands here in clear");
        found.secret = true;
    }
    found
}

fn unreadable() -> Reading {
    let mut reading = Reading::default();
    reading.observe_whole("unreadable", "the file has the name of its kind, but cannot be read as such");
    reading
}

/// Text about settings, and programs, are none.
fn is_prose(path: &RepoPath) -> bool {
    const ENDINGS: [&str; 44] = [
        "md", "rst", "adoc", "html", "htm", "tex", "rs", "c", "h", "cc", "cpp", "hpp", "go", "py", "rb", "pl", "java",
        "kt", "scala", "js", "mjs", "ts", "tsx", "jsx", "cs", "swift", "php", "lua", "sh", "bash", "css", "scss",
        "svg", "xml", "sql", "patch", "diff", "ipynb", "lock", "log", "po", "map", "md5sum", "sha256",
    ];
    let name = path::lower_name(path);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let about = ["readme", "license", "changelog"].iter().any(|word| name.starts_with(word));
    about || ENDINGS.contains(&ending) && !logging::is_of_library(&name)
}
