//! Recomputes a release from the commit's own tree and compares it byte for byte; writes its items out.
//!
//! It recomputes and never reads the stored manifest as the answer. Serves requirements R04.

use std::path::Path;

use crate::codec;
use crate::domain::{Digest, ManifestDelta, Release, ReleaseName};
use crate::export;
use crate::jobs::inspect::Inspection;
use crate::jobs::log::Log;
use crate::jobs::trust::Anchor;
use crate::jobs::{Exit, Failure, Progress, releases};
use crate::store::{OutFile, Repository, write_out};

/// What came out.
pub struct Reproduction {
    /// The statement.
    pub release: Release,
    /// Digest of the manifest that was signed.
    pub recorded: Digest,
    /// Digest of the manifest that was recomputed.
    pub recomputed: Digest,
    /// What differs, in words.
    pub differences: Vec<String>,
    /// How many items were written out.
    pub written: usize,
    /// How many items the manifest has.
    pub items: usize,
    /// How many components the manifest has.
    pub components: usize,
}

/// Recomputes a release; with `output`, writes its items there once they are proven equal.
///
/// # Errors
/// Where trust, statement or objects fail; where the rule set is not known; where `output` is in use.
pub fn reproduce(
    repository: &Repository,
    anchor: &Anchor,
    name: &ReleaseName,
    output: Option<&Path>,
    progress: &dyn Progress,
) -> Result<Reproduction, Failure> {
    let mut log = Log::open(repository)?;
    let trust = log.trust(anchor)?;
    let stored = releases::read(&log, &trust, name)?;
    let release = stored.release().clone();
    progress.step("recomputing the manifest from the source tree");
    let inspection = Inspection::of_tree(repository, release.tree)?;
    let manifest = &inspection.collected.manifest;
    if manifest.ruleset != release.ruleset {
        return Err(Failure::new(
            Exit::Inconclusive,
            "GB-REP-RULESET",
            format!("release {name} was made by rule set {}", release.ruleset),
        )
        .because(format!("this program knows {}", manifest.ruleset))
        .hint(format!("reproduce it with {}", release.tool)));
    }
    let bytes = codec::encode(Some(&trust.fingerprint), manifest);
    let recomputed = Digest::of(&bytes);
    let mut differences = Vec::new();
    if recomputed != release.manifest {
        differences = name_differences(&log, &stored.folder, manifest)?;
    }
    let mut written = 0;
    if let Some(target) = output.filter(|_| differences.is_empty()) {
        progress.step("writing the items");
        written = write_items(repository, manifest, target)?;
    }
    let (items, components) = (manifest.items.len(), manifest.components.len());
    Ok(Reproduction { recorded: release.manifest, release, recomputed, differences, written, items, components })
}

/// The stored manifest is read only now, to say what differs.
fn name_differences(log: &Log<'_>, folder: &str, found: &crate::domain::Manifest) -> Result<Vec<String>, Failure> {
    let bytes = log.need(&format!("{folder}manifest.cbor"))?;
    let Ok((_, recorded)) = codec::decode::<crate::domain::Manifest>(&bytes) else {
        return Ok(vec!["the stored manifest cannot be read".to_owned()]);
    };
    let delta = ManifestDelta::between(&recorded, found);
    let mut words: Vec<String> = delta.items.iter().map(export::item_line).collect();
    words.extend(delta.components.iter().flat_map(export::component_lines));
    if recorded.source_tree != found.source_tree {
        words.push("the digest of the source tree".to_owned());
    }
    if words.is_empty() {
        words.push("the manifest's bytes, beyond items and components".to_owned());
    }
    Ok(words)
}

fn write_items(repository: &Repository, manifest: &crate::domain::Manifest, target: &Path) -> Result<usize, Failure> {
    let kept = manifest.items.iter().filter(|item| item.digest.is_some());
    let files: Vec<OutFile> =
        kept.map(|item| OutFile { path: item.path.clone(), mode: item.mode, blob: item.git_id }).collect();
    write_out(repository, &files, target)?;
    Ok(files.len())
}
