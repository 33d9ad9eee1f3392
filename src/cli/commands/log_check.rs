//! `log-check` and `log-proof`: the log's checkpoint, its consistency with an older one, and proofs of inclusion.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::change::read;
use crate::cli::context::{Answer, Context};
use crate::cli::human;
use crate::cli::whole_file;
use crate::crypto::{NoteKey, NoteKeyType};
use crate::domain::{KeyName, RoleName, TrustRoot};
use crate::jobs::{Exit, Failure, Kept, Log, check_proof, compose_checkpoint, log_proof};
use crate::store::Access;

/// Check the log against a checkpoint that you kept, or a proof that you were given
///
/// Prints the log's newest checkpoint with -o; keep it, and hold later logs against it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline log-check                                    size, root, who signed, how new
  git baseline log-check -o checkpoint.txt                  keep it outside of the repository
  git baseline log-check --since checkpoint.txt             is this log a continuation of that one?
  git baseline log-check --proof proof.txt                  does what the proof is about stand in the log?")]
pub(in crate::cli) struct LogCheckArgs {
    /// A checkpoint that the log must continue
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// A proof of inclusion
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Write the log's newest checkpoint to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The trust fingerprint, in full, as its maker gave it to you
    #[arg(long, value_name = "FINGERPRINT")]
    trust: Option<String>,
}

/// Prove that a release stands in the log, in one file that needs no repository (C2SP tlog-proof)
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline log-proof 1.4.0 -o proof.txt")]
pub(in crate::cli) struct LogProofArgs {
    /// The release
    #[arg(value_name = "NAME")]
    name: String,
    /// Write the proof to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn check(args: &LogCheckArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let mut anchor = context.anchor(args.trust.as_deref())?;
    if let Some(path) = &args.since {
        anchor.checkpoint = Some(Kept { bytes: read(path)?, place: path.display().to_string(), verified: false });
    }
    let mut log = Log::open(&repository)?;
    let trust = log.trust(&anchor)?;
    context.remember(&repository, &log, &trust);
    let proven = args.proof.as_deref().map(|path| check_proof(&trust, &read(path)?)).transpose()?;
    let accepted = &trust.checkpoint;
    if let Some(path) = &args.output {
        write(path, compose_checkpoint(&accepted.note)?.as_bytes())?;
    }
    let signers: Vec<String> = accepted.signers.iter().map(ToString::to_string).collect();
    let keys = log_keys(trust.root());
    let mut text = format!("log of {} statements\n  root       {}\n", accepted.head.size, accepted.head.root);
    let _ = writeln!(text, "  signed by  {}", signers.join(", "));
    let _ = writeln!(text, "  freshness  {}", human::freshness(&trust.freshness));
    for key in &keys {
        let _ = writeln!(text, "  log key    {key}");
    }
    if !log.pending.is_empty() {
        let _ = writeln!(text, "  pending    {} statements, which prove nothing yet", log.pending.len());
    }
    for void in &accepted.void {
        let _ = writeln!(text, "  void       {}", void.escape_debug());
    }
    if args.since.is_some() {
        text.push_str("  consistent with the checkpoint that you gave\n");
    }
    if let Some(proven) = &proven {
        let _ = writeln!(text, "  the proof holds: statement {} of a log of {}", proven.index, proven.size);
    }
    let value = json!({
        "schema": "git-baseline/log-check/1",
        "size": accepted.head.size,
        "root": accepted.head.root.to_string(),
        "signed_by": signers,
        "log_keys": keys,
        "pending": log.pending.len(),
        "void": accepted.void,
        "freshness": human::freshness(&trust.freshness),
        "consistent": args.since.is_some().then_some(true),
        "proof": proven.map(|proven| json!({ "index": proven.index, "size": proven.size })),
    });
    Ok(Answer::done(value, text))
}

/// Returns the verifier keys of those who may sign checkpoints.
fn log_keys(root: &TrustRoot) -> Vec<String> {
    let Some(name) = KeyName::parse(&root.origin) else { return Vec::new() };
    let holders = root.role(RoleName::Log).map(|role| role.persons.clone()).unwrap_or_default();
    let persons = root.persons.iter().filter(|person| holders.contains(&person.id));
    let keys = persons.flat_map(|person| &person.keys).filter(|key| root.barred(key, None).is_none());
    keys.filter_map(|key| NoteKey::from_public_key(name.clone(), NoteKeyType::Log, key).ok())
        .map(|key| key.to_string())
        .collect()
}

pub(super) fn proof(args: &LogProofArgs, context: &Context) -> Result<Answer, Failure> {
    let name = super::release::release_name(&args.name)?;
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let proof = log_proof(&log, &trust, &name)?;
    let file = args.output.as_ref().map(|path| path.display().to_string());
    let value = json!({ "schema": "git-baseline/log-proof/1", "release": name.as_str(), "proof": proof, "file": file });
    match &args.output {
        None => Ok(Answer::done(value, proof)),
        Some(path) => {
            write(path, proof.as_bytes())?;
            Ok(Answer::done(value, format!("{} written\n", path.display().to_string().escape_debug())))
        }
    }
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    whole_file::replace(path, bytes).map_err(|error| {
        let what = format!("\"{}\" cannot be written", path.display().to_string().escape_debug());
        Failure::new(Exit::Usage, "GB-USE-OUTPUT", what).because(error)
    })
}
