//! Other people's formats, and the words in which differences are told.
//!
//! Pure: values in, bytes out. Never here: Git, disk, clock, or any value that a recogniser withheld.

mod allowed_signers;
mod component;
mod csv;
mod cyclonedx;
mod document;
mod graph;
mod license;
mod profile;
mod sarif;
mod spdx;
mod spdx3;
mod summary;
#[cfg(test)]
mod testing;
mod words;

use crate::domain::ObjectId;

pub use allowed_signers::allowed_signers;
pub use csv::csv;
pub use cyclonedx::{CycloneDxVersion, cyclonedx};
pub use profile::{ElementCount, Profile, profile};
pub use sarif::sarif;
pub use spdx::spdx;
pub use spdx3::spdx_3;
pub use summary::{component_lines, item_line, summary};
pub use words::{Direction, Statement, change_lines, component_statements, fact_line, statements, words};

/// What a document speaks of: a product in one version.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The product's name.
    pub name: &'a str,
    /// Its version, which is the release's name.
    pub version: &'a str,
    /// The document id of its configuration management plan; may be empty.
    pub document_id: &'a str,
    /// The commit that was released.
    pub commit: Option<&'a ObjectId>,
}
