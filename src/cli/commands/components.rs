//! `components`: external components of a release or revision (R02).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{Format, json};
use crate::codec;
use crate::domain::{Component, Digest, Manifest, Timestamp};
use crate::export::{self, CycloneDxVersion};
use crate::jobs::{Failure, Side};
use crate::policy::Product;
use crate::store::{Access, Repository};

/// List external components with their exact versions
///
/// Read from the lock files of the commit's own tree; nothing is installed, fetched or guessed. What could not be
/// read is listed as a gap.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline components
  git baseline components 1.4.0 --by ecosystem
  git baseline components 1.4.0 --format cyclonedx > sbom.cdx.json
  git baseline components 1.4.0 --format spdx > sbom.spdx.json
  git baseline components 1.4.0 --format csv > components.csv")]
pub(in crate::cli) struct ComponentsArgs {
    /// A release or any revision of Git
    #[arg(value_name = "REV")]
    revision: Option<String>,
    /// Group them
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<Grouping>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Grouping {
    Category,
    Ecosystem,
    License,
}

pub(super) fn run(args: &ComponentsArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let side = super::side(context, &repository, args.revision.as_deref())?;
    let inspection = side.inspect(&repository)?;
    let manifest = inspection.collected.manifest;
    let answer = json!({
        "schema": "git-baseline/components/1",
        "commit": side.commit.to_string(),
        "verified": side.is_verified(),
        "components": manifest.components.iter().map(json::component).collect::<Vec<_>>(),
        "coverage": json::coverage(&manifest.coverage),
        "gaps": json::gaps(&manifest.coverage),
    });
    if let Some(document) = document(context.format, &repository, &side, &inspection.policy.product, &manifest)? {
        return Ok(Answer::done(answer, String::from_utf8_lossy(&document).into_owned()));
    }
    let mut text = String::new();
    let mut groups: BTreeMap<String, Vec<&Component>> = BTreeMap::new();
    for component in &manifest.components {
        groups.entry(group(args.by, component)).or_default().push(component);
    }
    for (name, members) in groups {
        if args.by.is_some() {
            let _ = writeln!(text, "{} ({})", name.escape_debug(), members.len());
        }
        for component in members {
            let _ = writeln!(text, "{}", line(component));
        }
    }
    let _ = writeln!(text, "{} components from {} files", manifest.components.len(), manifest.coverage.len());
    for gap in json::gaps(&manifest.coverage) {
        let told = |name: &str| gap.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let _ = writeln!(text, "gap: {}: {}", told("path"), told("reason").escape_debug());
    }
    Ok(Answer::done(answer, text))
}

/// Returns the manifest's components in another's format, where one is asked for.
fn document(
    format: Format,
    repository: &Repository,
    side: &Side,
    product: &Product,
    manifest: &Manifest,
) -> Result<Option<Vec<u8>>, Failure> {
    let subject = export::Subject {
        name: &product.name,
        version: &side.name,
        document_id: &product.document_id,
        commit: Some(&side.commit),
    };
    let digest = || Digest::of(&codec::encode(side.baseline().as_ref(), manifest));
    let cyclonedx = |version| export::cyclonedx(version, &subject, manifest, &digest(), None);
    Ok(Some(match format {
        Format::Human | Format::Json | Format::Sarif => return Ok(None),
        Format::Cyclonedx => cyclonedx(CycloneDxVersion::V1_6),
        Format::Cyclonedx17 => cyclonedx(CycloneDxVersion::V1_7),
        Format::Spdx => export::spdx(&subject, manifest, &digest(), committed(repository, side)?),
        Format::Spdx3 => export::spdx_3(&subject, manifest, &digest(), committed(repository, side)?),
        Format::Csv => export::csv(manifest),
    }))
}

/// Returns when the commit was made, as it says: SPDX wants a time, and the clock's would be another each time.
fn committed(repository: &Repository, side: &Side) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_seconds(repository.commit(side.commit)?.committer.time))
}

fn group(by: Option<Grouping>, component: &Component) -> String {
    match by {
        None => String::new(),
        Some(Grouping::Category) => component.category.clone().unwrap_or_else(|| "no category".into()),
        Some(Grouping::Ecosystem) => component.ecosystem.clone(),
        Some(Grouping::License) => component.licenses.first().cloned().unwrap_or_else(|| "no licence declared".into()),
    }
}

fn line(component: &Component) -> String {
    let direct = match component.direct {
        Some(true) => "direct",
        Some(false) => "transitive",
        None => "",
    };
    let text = format!("{:<60} {:<9} {direct}", component.purl.escape_debug().to_string(), component.scope);
    text.trim_end().to_owned()
}
