//! `components`: external components of a release or revision (R02).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::{Format, json};
use crate::codec;
use crate::components::Inventory;
use crate::domain::{Component, Coverage, CoverageStatus, Digest, Manifest, Timestamp};
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
  git baseline components 1.4.0 --by category
  git baseline components --eos-before 2027-01-31
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
    /// Only those whose support ends before this date, as .baseline/components.toml states it
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    eos_before: Option<Timestamp>,
    /// Say who has what a list of minimum elements asks for
    #[arg(long, value_enum, value_name = "LIST", conflicts_with = "by")]
    profile: Option<ProfileName>,
}

fn parse_date(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "a date such as 2027-01-31 is expected".to_owned())
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
    if args.profile.is_some() || !matches!(context.format, Format::Human | Format::Json) {
        let inspection = side.inspect(&repository)?;
        let manifest = &inspection.collected.manifest;
        if let Some(name) = args.profile {
            return profiled(name, context.format, &side, manifest);
        }
        let document = document(context.format, &repository, &side, &inspection.policy.product, manifest)?;
        return Ok(Answer::done(json!({}), String::from_utf8_lossy(&document).into_owned()));
    }
    let Inventory { components, coverage, first_party } = side.components(&repository)?;
    let listed: Vec<&Component> =
        components.iter().filter(|component| ends_before(component, args.eos_before)).collect();
    let answer = json!({
        "schema": "git-baseline/components/1",
        "commit": side.commit.to_string(),
        "verified": side.is_verified(),
        "components": listed.iter().map(|component| json::component(component)).collect::<Vec<_>>(),
        "first_party": first_party.iter().map(json::first_party).collect::<Vec<_>>(),
        "coverage": json::coverage(&coverage),
        "gaps": json::gaps(&coverage),
    });
    let (mut text, shown) = (String::new(), listed.len());
    let mut groups: BTreeMap<String, Vec<&Component>> = BTreeMap::new();
    for component in listed {
        groups.entry(group(args.by, component)).or_default().push(component);
    }
    for (name, members) in groups {
        if args.by.is_some() {
            let _ = writeln!(text, "{} ({})", name.escape_debug(), members.len());
        }
        for component in members {
            let _ = writeln!(text, "{}", line(component));
            if args.eos_before.is_some() || matches!(args.by, Some(Grouping::Category)) {
                text.extend(stated(component).map(|words| format!("    {words}\n")));
            }
        }
    }
    let of = args.eos_before.map(|date| format!("{shown} without support before {}, of ", date.date()));
    let (of, all) = (of.unwrap_or_default(), components.len());
    let _ = writeln!(text, "{of}{all} components from {} files{}", coverage.len(), ends(&coverage));
    match first_party.len() {
        0 => {}
        1 => text.push_str("and 1 package of its own\n"),
        own => drop(writeln!(text, "and {own} packages of its own")),
    }
    for gap in gap_lines(&coverage) {
        let _ = writeln!(text, "gap: {gap}");
    }
    Ok(Answer::done(answer, text))
}

/// Says how many of the files were not read in full, and how, if any were not.
fn ends(coverage: &[Coverage]) -> String {
    let mut counts: BTreeMap<CoverageStatus, usize> = BTreeMap::new();
    for file in coverage.iter().filter(|file| file.status != CoverageStatus::Parsed) {
        *counts.entry(file.status).or_default() += 1;
    }
    let told: Vec<String> = counts.into_iter().map(|(status, count)| format!("{count} {status}")).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

/// Returns the gaps as lines: what is the same of several components of one file is said once.
fn gap_lines(coverage: &[Coverage]) -> Vec<String> {
    let mut lines = Vec::new();
    for file in coverage {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for gap in &file.gaps {
            let (name, reason) = gap.split_once(": ").unwrap_or(("", gap));
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) => names.push(name),
                None => reasons.push((reason, vec![name])),
            }
        }
        let status = match file.status {
            CoverageStatus::Parsed | CoverageStatus::Unlocked => String::new(),
            status => format!("{status}: "),
        };
        if reasons.is_empty() && file.status != CoverageStatus::Parsed {
            lines.push(format!("{}: {}", file.path, file.status));
        }
        for (reason, names) in reasons {
            let names = names.join(", ");
            let told = if names.is_empty() { reason.to_owned() } else { format!("{names}: {reason}") };
            lines.push(format!("{}: {status}{}", file.path, told.escape_debug()));
        }
    }
    lines
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

/// Returns the manifest's components in another's format.
fn document(
    format: Format,
    repository: &Repository,
    side: &Side,
    product: &Product,
    manifest: &Manifest,
) -> Result<Vec<u8>, Failure> {
    let subject = export::Subject {
        name: &product.name,
        version: &side.name,
        document_id: &product.document_id,
        commit: Some(&side.commit),
    };
    let digest = || Digest::of(&codec::encode(side.baseline().as_ref(), manifest));
    let cyclonedx = |version| export::cyclonedx(version, &subject, manifest, &digest(), None);
    Ok(match format {
        Format::Cyclonedx17 => cyclonedx(CycloneDxVersion::V1_7),
        Format::Spdx => export::spdx(&subject, manifest, &digest(), committed(repository, side)?),
        Format::Spdx3 => export::spdx_3(&subject, manifest, &digest(), committed(repository, side)?),
        Format::Csv => export::csv(manifest),
        // No command line asks for a document that is none.
        Format::Cyclonedx | Format::Human | Format::Json | Format::Sarif => cyclonedx(CycloneDxVersion::V1_6),
    })
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
    let unknown = if component.version.is_none() { "  (no version known)" } else { "" };
    let purl = component.purl.escape_debug().to_string();
    let text = format!("{purl:<60} {:<9} {direct:<10}{unknown}", component.scope);
    text.trim_end().to_owned()
}

/// Says whether a component is one of those asked for: its support ends before the date, if there is one.
fn ends_before(component: &Component, date: Option<Timestamp>) -> bool {
    let end = component.overlay.as_ref().and_then(|overlay| overlay.end_of_support);
    date.is_none_or(|date| end.is_some_and(|end| end < date))
}

/// Returns what people state of a component, if they state anything.
fn stated(component: &Component) -> Option<String> {
    let overlay = component.overlay.as_ref();
    let end = overlay.and_then(|overlay| overlay.end_of_support).map(Timestamp::date);
    let said = [
        ("supplier", component.supplier.as_deref()),
        ("support", component.support.as_deref()),
        ("ends", end.as_deref()),
        ("reason", overlay.and_then(|overlay| overlay.reason.as_deref())),
    ];
    let words: Vec<String> = said
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}: {}", value.escape_debug())))
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RepoPath;

    fn covered(path: &str, status: CoverageStatus, gaps: &[&str]) -> Coverage {
        let gaps = gaps.iter().map(|gap| (*gap).to_owned()).collect();
        Coverage { gaps, path: RepoPath::from(path), reader: "x".into(), status, components: 0 }
    }

    #[test]
    fn the_same_gap_of_several_components_is_one_line() {
        let coverage = [
            covered("a", CoverageStatus::Unlocked, &["no baseline", "x: no lock", "y: no lock", "z: \u{1b}"]),
            covered("b", CoverageStatus::Failed, &["not JSON"]),
            covered("c", CoverageStatus::Unsupported, &[]),
            covered("d", CoverageStatus::Parsed, &[]),
        ];
        let lines = gap_lines(&coverage);
        let told = ["a: no baseline", "a: x, y: no lock", "a: z: \\u{1b}", "b: failed: not JSON", "c: unsupported"];
        assert_eq!(lines, told);
        assert_eq!(ends(&coverage), " (1 failed, 1 unsupported, 1 unlocked)");
    }
}
