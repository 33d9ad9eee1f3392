//! An external component: software that others made and this product contains, with its exact version.
//!
//! Serves IEC 62304 cl. 8.1.2 and IEC 81001-5-1 §8. Never here: an invented version, hash or supplier.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RepoPath, Timestamp};

/// One component, once per purl, with every place that names it. Field order is stored order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its name, as its ecosystem writes it.
    pub name: String,
    /// Its package URL, canonical.
    pub purl: String,
    /// What it is needed for; the widest of all places.
    pub scope: Scope,
    /// Named by the product itself (true), by another component (false), or not known.
    pub direct: Option<bool>,
    /// Hashes under their true algorithm, sorted.
    pub hashes: Vec<ComponentHash>,
    /// What people state of it, from the overlay; null where they state nothing.
    pub overlay: Option<Overlay>,
    /// Level of support, from the overlay.
    pub support: Option<String>,
    /// The exact version; null where it cannot be known, which is a gap.
    pub version: Option<String>,
    /// `maintained`, `supported` or `required`, from the overlay.
    pub category: Option<String>,
    /// Every file that names it, sorted.
    pub found_in: Vec<RepoPath>,
    /// Licences as declared, sorted.
    pub licenses: Vec<String>,
    /// Who supplies it, from the overlay or the lock file.
    pub supplier: Option<String>,
    /// `cargo`, `npm`, `pypi`, `golang`, `git`.
    pub ecosystem: String,
    /// The purls it depends on, sorted; none dangles.
    pub dependencies: Vec<String>,
}

/// What `.baseline/components.toml` states of a component, beside its supplier, category, support and licence.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Where the risk of using it is assessed.
    pub risk: Option<String>,
    /// Why it has its category.
    pub reason: Option<String>,
    /// Where, or when, the supplier's list of anomalies was reviewed.
    pub anomaly_review: Option<String>,
    /// When the supplier's support ends: the first moment without it.
    pub end_of_support: Option<Timestamp>,
}

/// A component's hash, with where it was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentHash {
    /// `SHA-1`, `SHA-256`, `SHA-512`, `git`; or a name of its own for what is no hash of a package's file: `h1` (Go's hash
    /// of a tree), `yarn-berry`, `nar-sha256`, `jsr-manifest`, `podspec-sha1`, `git-tree`.
    pub alg: String,
    /// Hexadecimal; `h1` in its own base64 form.
    pub value: String,
    /// The file that holds it.
    pub origin: RepoPath,
}

/// What a component is needed for, widest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Only while developing.
    Dev,
    /// Only by tests.
    Test,
    /// Only while building.
    Build,
    /// By a part that may be left out.
    Optional,
    /// By the product when it runs.
    Runtime,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Build => "build",
            Self::Optional => "optional",
            Self::Runtime => "runtime",
        })
    }
}

/// What became of one lock or manifest file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Why, or what is missing; empty when nothing is.
    pub gaps: Vec<String>,
    /// The file.
    pub path: RepoPath,
    /// The reader's name, such as `cargo-lock`.
    pub reader: String,
    /// What became of it.
    pub status: CoverageStatus,
    /// How many components it named.
    pub components: u64,
}

/// What became of a lock or manifest file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageStatus {
    /// Read in full.
    Parsed,
    /// Could not be read.
    Failed,
    /// Known by name, not read by this version.
    Unsupported,
    /// Declares ranges and has no lock beside it.
    Unlocked,
}

impl fmt::Display for CoverageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Parsed => "parsed",
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
            Self::Unlocked => "unlocked",
        })
    }
}
