//! `components`: external components of a release or revision (R02).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{Format, json};
use crate::codec;
use crate::domain::{Component, Digest, Manifest, Timestamp};
use crate::export::{self, CycloneDxVersion, Profile};
use crate::jobs::{Exit, Failure, Side};
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
  git baseline components 1.4.0 --format csv > components.csv
  git baseline components 1.4.0 --profile ntia")]
pub(in crate::cli) struct ComponentsArgs {
    /// A release or any revision of Git
    #[arg(value_name = "REV")]
    revision: Option<String>,
    /// Group them
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<Grouping>,
    /// Say who has what a list of minimum elements asks for
    #[arg(long, value_enum, value_name = "LIST", conflicts_with = "by")]
    profile: Option<ProfileName>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileName {
    /// NTIA's minimum elements, 2021
    Ntia,
    /// CISA's draft of their successor
    #[value(name = "cisa-2025")]
    Cisa2025,
    /// NTIA's, with support and its end
    Fda,
    /// BSI TR-03183-2, version 2.1
    #[value(name = "bsi-2.1")]
    Bsi21,
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
    if let Some(name) = args.profile {
        return profiled(name, context.format, &side, &manifest);
    }
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

/// Returns who has what a list of minimum elements asks for.
fn profiled(name: ProfileName, format: Format, side: &Side, manifest: &Manifest) -> Result<Answer, Failure> {
    if !matches!(format, Format::Human | Format::Json) {
        let what = "--profile does not answer in that format";
        return Err(Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what).hint("--format json"));
    }
    let (profile, title) = match name {
        ProfileName::Ntia => (Profile::Ntia, "ntia"),
        ProfileName::Cisa2025 => (Profile::Cisa2025, "cisa-2025"),
        ProfileName::Fda => (Profile::Fda, "fda"),
        ProfileName::Bsi21 => (Profile::Bsi21, "bsi-2.1"),
    };
    let elements = export::profile(profile, manifest);
    let mut text = format!("{title}: {} components\n", manifest.components.len());
    for element in &elements {
        let _ = writeln!(text, "{:>6} of {:<6} {}", element.have, element.of, element.name);
        // Where nobody has it, a list of everybody says no more.
        for purl in element.lacking.iter().filter(|_| element.have > 0) {
            let _ = writeln!(text, "       lacks it: {}", purl.escape_debug());
        }
    }
    let element = |element: &export::ElementCount<'_>| json!({ "name": element.name, "have": element.have, "of": element.of, "lacking": element.lacking });
    let answer = json!({
        "schema": "git-baseline/profile/1",
        "commit": side.commit.to_string(),
        "verified": side.is_verified(),
        "profile": title,
        "elements": elements.iter().map(element).collect::<Vec<_>>(),
    });
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
