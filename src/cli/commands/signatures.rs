//! `signatures`: the sign-offs of a release, with printed name, role, meaning and time (R21, 21 CFR 11.50).

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::json;
use crate::domain::Show as _;
use crate::jobs::{Failure, Releases, ShownSignOff};
use crate::store::Access;

/// Show who signed a release, as what, and whether it counts
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline signatures 1.4.0")]
pub(in crate::cli) struct SignaturesArgs {
    /// The release
    #[arg(value_name = "NAME")]
    name: String,
}

pub(super) fn run(args: &SignaturesArgs, context: &Context) -> Result<Answer, Failure> {
    let name = super::release::release_name(&args.name)?;
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let all = Releases::of(&log, &trust)?;
    let (status, sign_offs, void, signers) = match (all.find(&name), all.proposal(&name)) {
        (Some(stored), _) => {
            (stored.status.as_str(), stored.sign_offs.clone(), stored.void.clone(), stored.statement.signers().to_vec())
        }
        (None, Some(proposal)) => ("proposed", proposal.sign_offs.clone(), proposal.why.causes.clone(), Vec::new()),
        (None, None) => return Err(all.need(&name).err().unwrap_or_else(|| defect(&args.name))),
    };
    let mut text = format!("release {name}: {status}\n");
    for shown in &sign_offs {
        let counted = signers.contains(&shown.sign_off.person);
        text.push_str(&line(shown, counted));
    }
    for void in &void {
        let _ = writeln!(text, "  void       {}", void.shown());
    }
    let value = json!({
        "schema": "git-baseline/signatures/1",
        "release": name.as_str(),
        "status": status,
        "signoffs": sign_offs.iter().map(json::sign_off).collect::<Vec<_>>(),
        "counted": signers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "void": void,
    });
    Ok(Answer::done(value, text))
}

fn defect(name: &str) -> Failure {
    Failure::new(crate::jobs::Exit::Defect, "GB-DEFECT", format!("release {} is neither", name.escape_debug()))
}

fn line(shown: &ShownSignOff, counted: bool) -> String {
    let said = &shown.sign_off;
    let mut text = format!(
        "  {:<10} {} ({}) as {}, time claimed {}, place {} of the log{}\n             key {}\n",
        said.meaning.as_str(),
        said.printed_name.shown(),
        said.person,
        said.role,
        said.time,
        shown.position,
        if counted { "" } else { ", does not count so far" },
        shown.key
    );
    if !said.reason.is_empty() {
        let _ = writeln!(text, "             reason: {}", said.reason.shown());
    }
    text
}
