//! `export`: a verified release in other people's formats; stored documents come out unchanged (R22).

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::whole_file;
use crate::crypto;
use crate::domain::{Meaning, ReleaseName};
use crate::export;
use crate::jobs::{Failure, ShownSignOff, StoredRelease, Trust, Verdict, Verifier, read_release, stored_document};
use crate::store::Access;

/// Export a release in another format
///
/// The release is verified first. Documents that were stored with it come out byte for byte.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline export 1.4.0 --as cyclonedx -o sbom.cdx.json
  git baseline export 1.4.0 --as allowed-signers -o allowed_signers
  git baseline export 1.4.0 --as signoff-list     where signatures and signed bytes stand in the log")]
pub(in crate::cli) struct ExportArgs {
    /// The release
    #[arg(value_name = "NAME")]
    name: String,
    /// The format
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    target: ExportFormat,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The trust fingerprint, in full
    #[arg(long, value_name = "FINGERPRINT")]
    trust: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// CycloneDX 1.6, as stored
    Cyclonedx,
    /// SPDX 2.3, as stored
    Spdx,
    /// The keys whose sign-offs count in this release, for `ssh-keygen -Y verify`
    AllowedSigners,
    /// Paths of sign-offs and signatures in refs/baseline/log, one pair a line
    SignoffList,
}

pub(super) fn run(args: &ExportArgs, context: &Context) -> Result<Answer, Failure> {
    let name = super::release::release_name(&args.name)?;
    let repository = context.repository(Access::Read)?;
    let anchor = context.anchor(args.trust.as_deref())?;
    let verifier = Verifier::open(&repository, &anchor);
    let reports = verifier.releases(std::slice::from_ref(&name), context);
    let proven = reports.iter().all(|report| report.verdict() == Verdict::Verified);
    let Some((log, trust)) = verifier.opened().filter(|_| proven) else {
        return Ok(super::verify::answer(context, &reports));
    };
    context.remember(&repository, log, trust);
    let stored = read_release(log, trust, &name)?;
    let bytes = match args.target {
        ExportFormat::Cyclonedx => stored_document(log, &stored.placed(), "sbom.cdx.json")?,
        ExportFormat::Spdx => stored_document(log, &stored.placed(), "sbom.spdx.json")?,
        ExportFormat::AllowedSigners => allowed_signers(trust, &name, &stored).into_bytes(),
        ExportFormat::SignoffList => signoff_list(&stored).into_bytes(),
    };
    let file = args.output.as_ref().map(|path| path.display().to_string());
    let value =
        json!({ "schema": "git-baseline/export/1", "release": name.as_str(), "file": file, "size": bytes.len() });
    let Some(path) = &args.output else {
        return Ok(Answer::done(value, String::from_utf8_lossy(&bytes).into_owned()));
    };
    write(path, &bytes)?;
    Ok(Answer::done(value, format!("{} written, {} bytes\n", path.display().to_string().escape_debug(), bytes.len())))
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    whole_file::replace(path, bytes).map_err(|error| {
        let what = format!("\"{}\" cannot be written", path.display().to_string().escape_debug());
        Failure::new(crate::jobs::Exit::Usage, "GB-USE-OUTPUT", what).because(error)
    })
}

fn allowed_signers(trust: &Trust, name: &ReleaseName, stored: &StoredRelease) -> String {
    let mut rows = Vec::new();
    // Only the keys of those who counted: a sign-off that does not count here must not count elsewhere.
    let counted = |shown: &&ShownSignOff| {
        shown.sign_off.meaning == Meaning::Released && stored.statement.signers().contains(&shown.sign_off.person)
    };
    for shown in stored.sign_offs.iter().filter(counted) {
        let person = trust.root().persons.iter().find(|person| person.id == shown.sign_off.person);
        let key = person.and_then(|person| person.keys.iter().find(|key| crypto::fingerprint(key) == shown.key));
        if let (Some(person), Some(key)) = (person, key) {
            rows.push((person.id.as_str(), person.name.as_str(), crypto::openssh_line(key)));
        }
    }
    rows.sort();
    rows.dedup();
    let lines: Vec<_> =
        rows.iter().map(|(id, printed, line)| (*id, *printed, line.as_str(), crypto::SIGN_OFF_NAMESPACE)).collect();
    export::allowed_signers(name.as_str(), &lines)
}

fn signoff_list(stored: &StoredRelease) -> String {
    let line = |shown: &ShownSignOff| {
        let path = format!("{}signoffs/{}.cbor", stored.folder, shown.digest);
        format!("{} {path} {path}.sig\n", shown.sign_off.person)
    };
    stored.sign_offs.iter().map(line).collect()
}
