//! What every document tells of one component alike: what it is, its checksums, and what no format has a field for.
//!
//! Never here: a checksum under a name that is not its own. Go's `h1`, Yarn's, Nix's and Git's hashes are over something
//! else than the package's file, and stay remarks.

use std::collections::BTreeSet;

use crate::domain::{Component, ComponentHash};

/// What a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part that others made: what `CycloneDX` recommends for all that is reused, actions of a pipeline included.
    Library,
    /// An image of a container.
    Container,
}

/// Says what a component is.
pub(super) fn kind(component: &Component) -> Kind {
    match component.ecosystem.as_str() {
        "docker" | "oci" => Kind::Container,
        _ => Kind::Library,
    }
}

/// The algorithms that all formats know, among those that a component's hash may have, with their lengths in digits.
const ALGORITHMS: [(&str, usize); 4] = [("SHA-1", 40), ("SHA-256", 64), ("SHA-384", 96), ("SHA-512", 128)];

fn is_checksum(hash: &ComponentHash) -> bool {
    let hexadecimal = hash.value.bytes().all(|c| c.is_ascii_hexdigit());
    hexadecimal && ALGORITHMS.contains(&(hash.alg.as_str(), hash.value.len()))
}

/// Returns algorithm and digits of each checksum of the package itself.
pub(super) fn checksums(component: &Component) -> BTreeSet<(&str, &str)> {
    pairs(component, true)
}

/// Returns the hashes that are no checksums of the package itself.
pub(super) fn other_hashes(component: &Component) -> BTreeSet<(&str, &str)> {
    pairs(component, false)
}

fn pairs(component: &Component, checksums: bool) -> BTreeSet<(&str, &str)> {
    let wanted = component.hashes.iter().filter(|hash| is_checksum(hash) == checksums);
    wanted.map(|hash| (hash.alg.as_str(), hash.value.as_str())).collect()
}

/// Returns names and values of what is known beyond a format's own fields, but for the places.
pub(super) fn remarks(component: &Component) -> Vec<(String, String)> {
    let mut remarks = vec![("scope".to_owned(), component.scope.to_string())];
    remarks.extend(component.direct.map(|direct| ("direct".to_owned(), direct.to_string())));
    remarks.extend(component.category.as_ref().map(|category| ("category".to_owned(), category.clone())));
    remarks.extend(component.support.as_ref().map(|support| ("support".to_owned(), support.clone())));
    if let Some(stated) = &component.overlay {
        let texts =
            [("category-reason", &stated.reason), ("anomaly-review", &stated.anomaly_review), ("risk", &stated.risk)];
        let told = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?)));
        remarks.extend(told);
        remarks.extend(stated.end_of_support.map(|end| ("end-of-support".to_owned(), end.date())));
    }
    remarks
}

/// Returns names and values of the hashes that no format has a field for, and of where all of them were read.
pub(super) fn hash_remarks(component: &Component) -> Vec<(String, String)> {
    let others = other_hashes(component).into_iter().map(|(alg, value)| (format!("hash:{alg}"), value.to_owned()));
    let origins: BTreeSet<_> = component.hashes.iter().map(|hash| (&hash.alg, &hash.origin)).collect();
    let origins = origins.into_iter().map(|(alg, origin)| (format!("hash-origin:{alg}"), origin.to_string()));
    others.chain(origins).collect()
}
