//! `affected`: in which releases, or tags, a component stands (R02).

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::context::{Answer, Context};
use crate::components::canonical_purl;
use crate::domain::Component;
use crate::jobs::{Affected, Exit, Failure, affected_releases, affected_tags};
use crate::store::Access;

/// Say in which releases a component stands
///
/// A purl without a version asks for every version. The lists of releases are the signed ones; --tags computes those of
/// all tags from their lock files instead.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline affected pkg:npm/lodash
  git baseline affected pkg:npm/lodash@4.17.20
  git baseline affected pkg:cargo/time --tags      before there were releases")]
pub(in crate::cli) struct AffectedArgs {
    /// A package URL, with or without a version
    #[arg(value_name = "PURL")]
    purl: String,
    /// Look at the repository's tags instead of releases
    #[arg(long)]
    tags: bool,
}

pub(super) fn run(args: &AffectedArgs, context: &Context) -> Result<Answer, Failure> {
    let Some((purl, _)) = canonical_purl(&args.purl) else {
        let message = format!("\"{}\" is no package URL", args.purl.escape_debug());
        return Err(Failure::new(Exit::Usage, "GB-USE-PURL", message).hint("git baseline affected pkg:npm/lodash"));
    };
    let repository = context.repository(Access::Read)?;
    let wanted = |component: &Component| is_asked_for(&component.purl, &purl);
    let places = if args.tags {
        context.remark("UNVERIFIED: tags as Git has them, not releases of a verified log");
        affected_tags(&repository, &wanted, context)?
    } else {
        let (log, trust) = context.trusted(&repository)?;
        affected_releases(&log, &trust, &wanted)?
    };
    let value = json!({
        "schema": "git-baseline/affected/1",
        "purl": purl,
        "places": places.iter().map(place).collect::<Vec<_>>(),
    });
    let mut text = String::new();
    for place in places.iter().filter(|place| !place.components.is_empty()) {
        let _ = writeln!(text, "{} ({})", place.name.escape_debug(), place.commit.short());
        for component in &place.components {
            let files: Vec<String> = component.found_in.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "  {:<60} {:<9} {}", component.purl, component.scope, files.join(", "));
        }
    }
    let with = places.iter().filter(|place| !place.components.is_empty()).count();
    let what = if args.tags { "tags" } else { "releases" };
    let _ = writeln!(text, "{with} of {} {what} have it", places.len());
    Ok(Answer::done(value, text))
}

/// Qualifiers and subpaths are not asked about; a purl without a version asks for all of them.
fn is_asked_for(purl: &str, asked: &str) -> bool {
    let bare = |purl: &str| purl.split(['?', '#']).next().unwrap_or_default().to_owned();
    let (purl, asked) = (bare(purl), bare(asked));
    // An `@` of a name is encoded, so that the only one begins the version.
    purl == asked || !asked.contains('@') && purl.split('@').next() == Some(&asked)
}

fn place(place: &Affected) -> Value {
    let component = |component: &Component| {
        json!({
            "purl": component.purl,
            "version": component.version,
            "scope": component.scope.to_string(),
            "direct": component.direct,
            "found_in": component.found_in.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    json!({
        "name": place.name,
        "commit": place.commit.to_string(),
        "verified": place.verified,
        "components": place.components.iter().map(component).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purl_without_a_version_asks_for_all() {
        assert!(is_asked_for("pkg:npm/%40a/b@1.0.0", "pkg:npm/%40a/b"));
        assert!(is_asked_for("pkg:npm/b@1.0.0?vcs_url=x", "pkg:npm/b@1.0.0"));
        assert!(!is_asked_for("pkg:npm/b@1.0.1", "pkg:npm/b@1.0.0"));
        assert!(!is_asked_for("pkg:npm/bb@1.0.0", "pkg:npm/b"));
    }
}
