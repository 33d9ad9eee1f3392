//! What most locks come down to: packages that call each other by a name of the lock's own.
//!
//! Never here: a lock's syntax. Each reader fills the list; here names become purls, and what is unusable a gap.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::reading::{Reading, is_hex, is_usable};
use super::tree::File;
use crate::domain::Scope;

/// So many packages of one name are told apart; a lock holds several for platforms and for versions.
const MOST_NAMESAKES: usize = 64;

/// One package as a lock pins it.
pub(super) struct Pinned {
    /// Its ecosystem.
    pub(super) ecosystem: Cow<'static, str>,
    /// Its name, as its ecosystem writes it.
    pub(super) name: String,
    /// The exact version, where it is known.
    pub(super) version: Option<String>,
    /// Its purl.
    pub(super) purl: String,
    /// What it is needed for.
    pub(super) scope: Scope,
    /// Whether the product itself names it.
    pub(super) direct: Option<bool>,
    /// Algorithm and value, which is checked here.
    pub(super) hashes: Vec<(&'static str, String)>,
    /// As declared.
    pub(super) licenses: Vec<String>,
    /// Who supplies it, where the file tells.
    pub(super) supplier: Option<String>,
    /// The keys of what it needs.
    pub(super) needs: Vec<String>,
}

impl Pinned {
    /// Begins a package that is needed at run time, with nothing more known of it.
    pub(super) fn new(
        ecosystem: impl Into<Cow<'static, str>>,
        name: &str,
        version: Option<&str>,
        purl: String,
    ) -> Self {
        Self {
            ecosystem: ecosystem.into(),
            name: name.to_owned(),
            version: version.map(str::to_owned),
            purl,
            scope: Scope::Runtime,
            direct: None,
            hashes: Vec::new(),
            licenses: Vec::new(),
            supplier: None,
            needs: Vec::new(),
        }
    }

    /// Adds a hash where there is one.
    pub(super) fn hash(&mut self, alg: &'static str, value: Option<&str>) {
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        self.hashes.extend(value.map(|value| (alg, value.to_ascii_lowercase())));
    }
}

/// Returns the reading, or that of a file that could not be read.
pub(super) fn or_failed(file: File<'_>, reading: Result<Reading, String>) -> Reading {
    reading.unwrap_or_else(|why| Reading::failed(file.kind, file.path, &why))
}

/// Adds every package under the keys that others know it by. What a lock needs and does not hold is left out: it is
/// a platform, or something that another package stands in for.
pub(super) fn report(reading: &mut Reading, packages: Vec<(Vec<String>, Pinned)>) {
    let mut purls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (keys, package) in &packages {
        if !is_usable(&package.name, package.version.as_deref(), &package.purl) {
            continue;
        }
        for key in keys {
            let known = purls.entry(key.clone()).or_default();
            if known.len() < MOST_NAMESAKES {
                known.push(package.purl.clone());
            }
        }
    }
    for (_, package) in packages {
        add(reading, package, &purls);
    }
}

/// Adds one package on its own.
pub(super) fn report_one(reading: &mut Reading, package: Pinned) {
    add(reading, package, &BTreeMap::new());
}

fn add(reading: &mut Reading, package: Pinned, purls: &BTreeMap<String, Vec<String>>) {
    let version = package.version.as_deref();
    let Some(mut component) = reading.component(&package.ecosystem, &package.name, version, package.purl) else {
        return;
    };
    component.scope = package.scope;
    component.direct = package.direct;
    for (alg, value) in package.hashes {
        if is_of(alg, &value) {
            component.hashes.push(reading.hash(alg, &value));
        } else {
            reading.gap(&format!("{}: its checksum is no {alg}", package.name));
        }
    }
    let plain = |license: &String| !license.trim().is_empty() && !license.chars().any(char::is_control);
    component.licenses = package.licenses.into_iter().filter(plain).take(MOST_NAMESAKES).collect();
    component.supplier = package.supplier.filter(|supplier| plain(supplier));
    component.dependencies = package.needs.iter().filter_map(|key| purls.get(key)).flatten().cloned().collect();
    component.dependencies.sort();
    component.dependencies.dedup();
    reading.add(component);
}

/// Says whether text is a value of that algorithm.
fn is_of(alg: &str, value: &str) -> bool {
    match alg {
        "MD5" => is_hex(value, 16),
        "SHA-1" | "podspec-sha1" | "git-tree" => is_hex(value, 20),
        "SHA-256" => is_hex(value, 32),
        "SHA-384" => is_hex(value, 48),
        "SHA-512" => is_hex(value, 64),
        "git" => is_hex(value, 20) || is_hex(value, 32),
        _ => false,
    }
}

/// Adds a component that a manifest declares and no lock pins.
pub(super) fn declared(reading: &mut Reading, ecosystem: &'static str, name: &str, purl: String, scope: Scope) {
    reading.gap(&format!("{name}: no lock says which version"));
    let package = Pinned { scope, direct: Some(true), ..Pinned::new(ecosystem, name, None, purl) };
    report_one(reading, package);
}
