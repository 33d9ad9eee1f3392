//! A package of the product's own that a lock or manifest names: told beside the components, and no component.
//!
//! Never here: anything that a manifest of a baseline holds. Serves the second half of IEC 62304 cl. 8.1.2: what is not
//! taken from elsewhere.

use std::collections::BTreeMap;

use crate::domain::RepoPath;

/// A package of the product's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstParty {
    /// What a list of packages would call it.
    pub purl: String,
    /// Its name as written.
    pub name: String,
    /// Nothing where none is stated.
    pub version: Option<String>,
    /// The ecosystem whose package it is.
    pub ecosystem: String,
    /// Sorted, without repeats.
    pub found_in: Vec<RepoPath>,
}

/// Returns one per purl, sorted, with every place that names it.
pub(super) fn joined(mut found: Vec<FirstParty>) -> Vec<FirstParty> {
    // The spelling of a name must not hang on the order of reading.
    found.sort_by(|a, b| (&a.purl, &a.found_in, &a.name).cmp(&(&b.purl, &b.found_in, &b.name)));
    let mut by_purl: BTreeMap<String, FirstParty> = BTreeMap::new();
    for package in found {
        match by_purl.get_mut(&package.purl) {
            Some(known) => known.found_in.extend(package.found_in),
            None => drop(by_purl.insert(package.purl.clone(), package)),
        }
    }
    let mut packages: Vec<FirstParty> = by_purl.into_values().collect();
    for package in &mut packages {
        package.found_in.sort();
        package.found_in.dedup();
    }
    packages
}
