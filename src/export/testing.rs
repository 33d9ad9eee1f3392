//! Components and manifests for the tests of documents.

use crate::domain::{
    Component, ConfigurationItem, Coverage, CoverageStatus, Digest, Manifest, ObjectFormat, ObjectId, RepoPath, Scope,
    SourceTree, Timestamp,
};
use crate::export::Subject;

/// Returns a crate in version 1.0.0 that needs others.
pub(super) fn component(name: &str, needs: &[&str]) -> Component {
    let purl = |name: &str| format!("pkg:cargo/{name}@1.0.0");
    Component {
        overlay: None,
        name: name.to_owned(),
        purl: purl(name),
        scope: Scope::Runtime,
        direct: Some(false),
        hashes: Vec::new(),
        support: None,
        version: Some("1.0.0".to_owned()),
        category: None,
        found_in: vec![RepoPath::from("Cargo.lock")],
        licenses: Vec::new(),
        supplier: None,
        ecosystem: "cargo".to_owned(),
        dependencies: needs.iter().map(|name| purl(name)).collect(),
    }
}

/// Returns a manifest of components that were all read.
pub(super) fn manifest(components: Vec<Component>) -> Manifest {
    manifest_with(components, Vec::new())
}

/// Returns a manifest of components and items.
pub(super) fn manifest_with(components: Vec<Component>, items: Vec<ConfigurationItem>) -> Manifest {
    let coverage = Coverage {
        path: RepoPath::from("Cargo.lock"),
        gaps: Vec::new(),
        status: CoverageStatus::Parsed,
        reader: "cargo-lock".to_owned(),
        components: components.len() as u64,
    };
    Manifest {
        items,
        policy: None,
        ruleset: 0,
        coverage: vec![coverage],
        services: Vec::new(),
        components,
        source_tree: SourceTree { files: 1, digest: Digest::of(b""), gitlinks: 0 },
        object_format: ObjectFormat::Sha1,
    }
}

/// Calls with a product in a version.
pub(super) fn with_subject<T>(version: &str, call: impl FnOnce(&Subject<'_>) -> T) -> T {
    let commit = ObjectId::Sha1([1; 20]);
    call(&Subject { name: "Pump", version, document_id: "CMP-1", commit: Some(&commit) })
}

/// Returns a time.
pub(super) fn time() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}
