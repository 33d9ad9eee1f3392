//! The entries of an npm lock, as the formats write them, and what each of them says.
//!
//! Never here: what stands around an entry. Fields of an unexpected shape are read as absent, for old versions of npm
//! wrote many shapes; what must be there and is not becomes a gap.

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::purl::Origin;
use super::reading::is_hex;
use crate::domain::Scope;

/// A lock.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lock {
    pub(super) lockfile_version: Option<u64>,
    /// Versions 2 and 3.
    pub(super) packages: Option<BTreeMap<String, Entry>>,
    /// Version 1; in version 2 a copy for old programs.
    pub(super) dependencies: Option<BTreeMap<String, Nested>>,
}

/// One entry of `packages`.
#[expect(clippy::struct_excessive_bools, reason = "the format's own flags")]
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Entry {
    name: Option<String>,
    #[serde(deserialize_with = "text")]
    version: Option<String>,
    #[serde(deserialize_with = "text")]
    resolved: Option<String>,
    #[serde(deserialize_with = "text")]
    integrity: Option<String>,
    #[serde(deserialize_with = "text")]
    license: Option<String>,
    /// A link to a folder of the product.
    pub(super) link: bool,
    dev: bool,
    optional: bool,
    dev_optional: bool,
    #[serde(deserialize_with = "names")]
    dependencies: BTreeSet<String>,
    #[serde(deserialize_with = "names")]
    optional_dependencies: BTreeSet<String>,
    #[serde(deserialize_with = "names")]
    peer_dependencies: BTreeSet<String>,
    #[serde(deserialize_with = "names")]
    dev_dependencies: BTreeSet<String>,
}

/// One entry of version 1.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Nested {
    #[serde(deserialize_with = "text")]
    version: Option<String>,
    #[serde(deserialize_with = "text")]
    resolved: Option<String>,
    #[serde(deserialize_with = "text")]
    integrity: Option<String>,
    dev: bool,
    optional: bool,
    #[serde(deserialize_with = "names")]
    requires: BTreeSet<String>,
    pub(super) dependencies: BTreeMap<String, Self>,
}

/// Which version of what an entry pins.
pub(super) struct Pinned<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) origin: Origin,
    /// A folder of the product itself.
    pub(super) local: bool,
}

impl Entry {
    /// Returns the entry of a product that names nothing.
    pub(super) fn none() -> &'static Self {
        static NONE: Entry = Entry {
            name: None,
            version: None,
            resolved: None,
            integrity: None,
            license: None,
            link: false,
            dev: false,
            optional: false,
            dev_optional: false,
            dependencies: BTreeSet::new(),
            optional_dependencies: BTreeSet::new(),
            peer_dependencies: BTreeSet::new(),
            dev_dependencies: BTreeSet::new(),
        };
        &NONE
    }

    /// Returns an entry that needs the given packages.
    pub(super) fn needing(dependencies: BTreeSet<String>) -> Self {
        Self { dependencies, ..Self::default() }
    }

    /// Returns the name of what is installed in `folder`, which differs where it was asked for by an alias.
    pub(super) fn name<'a>(&'a self, folder: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(folder)
    }

    /// Returns the licence, as the package declares it.
    pub(super) fn license(&self) -> Option<String> {
        self.license.clone().filter(|license| !license.trim().is_empty() && !license.chars().any(char::is_control))
    }

    /// Returns what the package is needed for. `devOptional` means: by development, or by an optional part.
    pub(super) fn scope(&self) -> Scope {
        match (self.dev, self.optional || self.dev_optional) {
            (true, _) => Scope::Dev,
            (false, true) => Scope::Optional,
            (false, false) => Scope::Runtime,
        }
    }

    /// Returns the names that the package needs wherever it is installed.
    pub(super) fn needs(&self) -> impl Iterator<Item = &str> {
        let all = [&self.dependencies, &self.optional_dependencies, &self.peer_dependencies];
        all.into_iter().flatten().map(String::as_str)
    }

    /// Returns the names that the package needs where it is developed.
    pub(super) fn all_needs(&self) -> impl Iterator<Item = &str> {
        self.needs().chain(self.dev_dependencies.iter().map(String::as_str))
    }

    /// Returns the version and origin.
    pub(super) fn pinned(&self) -> Pinned<'_> {
        let resolved = self.resolved.as_deref().unwrap_or_default();
        let version = self.version.as_deref().filter(|version| !version.is_empty());
        // Version 1 writes the address in place of a version.
        let (version, from) = match version {
            Some(address) if address.contains(':') => (None, address),
            version => (version, resolved),
        };
        let local = version.is_none() && (from.starts_with("file:") || from.starts_with("link:"));
        Pinned { version, origin: origin(from), local }
    }

    /// Returns the hashes, each with its algorithm; without a value where it is not one of that algorithm.
    pub(super) fn hashes(&self) -> Vec<(&'static str, Option<Vec<u8>>)> {
        let words = self.integrity.as_deref().unwrap_or_default().split_ascii_whitespace().take(16);
        words.filter_map(integrity).collect()
    }
}

impl Nested {
    /// Returns the entry as the later formats would have written it.
    pub(super) fn into_entry(self) -> Entry {
        let mut entry = Entry {
            version: self.version,
            resolved: self.resolved,
            integrity: self.integrity,
            dev: self.dev,
            optional: self.optional,
            dependencies: self.requires,
            ..Entry::default()
        };
        let alias = entry.version.as_deref().and_then(|version| version.strip_prefix("npm:"));
        // The last `@` parts name and version, for the first may begin a scope.
        if let Some((name, version)) = alias.and_then(|alias| alias.rsplit_once('@')) {
            (entry.name, entry.version) = (Some(name.to_owned()), Some(version.to_owned()));
        }
        entry
    }
}

/// A registry's address has `/-/` before the file; every other is an origin of its own.
pub(super) fn origin(from: &str) -> Origin {
    if let Some((url, commit)) = archive_of_commit(from) {
        return Origin::Git { url, commit };
    }
    let is_git = from.starts_with("git+") || from.starts_with("git:") || from.starts_with("github:");
    if is_git {
        let (url, commit) = from.split_once('#').unwrap_or((from, ""));
        let url = url.replacen("github:", "git+https://github.com/", 1);
        return Origin::Git { url, commit: commit.to_owned() };
    }
    if (from.starts_with("https://") || from.starts_with("http://")) && !from.contains("/-/") {
        return Origin::Download(from.to_owned());
    }
    Origin::Usual
}

/// An archive that GitHub makes of a commit is that commit.
fn archive_of_commit(from: &str) -> Option<(String, String)> {
    let path = from.strip_prefix("https://codeload.github.com/")?;
    let (repository, commit) = path.split_once("/tar.gz/")?;
    is_hex(commit, 20).then(|| (format!("https://github.com/{repository}"), commit.to_owned()))
}

/// Returns a hash's algorithm and bytes (Subresource Integrity); no bytes where they are not of that algorithm.
pub(super) fn integrity(word: &str) -> Option<(&'static str, Option<Vec<u8>>)> {
    let (alg, value) = word.split_once('-')?;
    let value = value.split('?').next().unwrap_or_default();
    let (name, length) = match alg {
        "sha1" => ("SHA-1", 20),
        "sha256" => ("SHA-256", 32),
        "sha384" => ("SHA-384", 48),
        "sha512" => ("SHA-512", 64),
        _ => return None,
    };
    let bytes = Base64::decode_vec(value).or_else(|_| Base64Unpadded::decode_vec(value)).ok();
    Some((name, bytes.filter(|bytes| bytes.len() == length)))
}

/// Reads text; anything else is absent.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Shape::deserialize(deserializer)? {
        Shape::Text(text) => Some(text),
        Shape::Other(_) => None,
    })
}

/// Reads the keys of a map; anything else has none.
pub(super) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        #[expect(clippy::zero_sized_map_values, reason = "the values are skipped, the keys are wanted")]
        Map(BTreeMap<String, IgnoredAny>),
        Other(IgnoredAny),
    }
    Ok(match Shape::deserialize(deserializer)? {
        Shape::Map(map) => map.into_keys().collect(),
        Shape::Other(_) => BTreeSet::new(),
    })
}
