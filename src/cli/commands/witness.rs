//! `witness`: somebody outside says that he saw a checkpoint, with a key of his own (C2SP tlog-cosignature).

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::change::read;
use super::log_check::write;
use crate::cli::context::{Answer, Context};
use crate::cli::identity::KeySource;
use crate::crypto::{NoteKey, NoteKeyType};
use crate::domain::KeyName;
use crate::jobs::{Exit, Failure, cosign};
use crate::store::Access;

/// Cosign checkpoints as a witness, who holds no role in the trust root
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WitnessCommand {
    Cosign(CosignArgs),
    Key(KeyArgs),
}

/// Cosign a checkpoint that the log here continues
///
/// The log of this repository must begin with the checkpoint; what you saw before is remembered on this machine, so that
/// you never cosign two logs that exclude each other.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline witness cosign checkpoint.txt --key witness.key --name example.org/w1 -o cosigned.txt")]
pub(in crate::cli) struct CosignArgs {
    /// The checkpoint
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Your key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Your key's name, as the trust root has it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Write the cosigned checkpoint to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Print the verifier key that `trust add-witness` takes
#[derive(Args, Debug)]
pub(in crate::cli) struct KeyArgs {
    /// Your key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Your key's name, such as example.org/w1
    #[arg(long, value_name = "NAME")]
    name: String,
}

pub(super) fn run(command: &WitnessCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        WitnessCommand::Cosign(args) => cosigned(args, context),
        WitnessCommand::Key(args) => key(args),
    }
}

fn name(text: &str) -> Result<KeyName, Failure> {
    KeyName::parse(text).ok_or_else(|| {
        let what = format!("\"{}\" is no name of a key", text.escape_debug());
        Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what)
            .because("it has no white space and no +, such as example.org/w1")
    })
}

fn signer(text: &str) -> Result<Box<dyn crate::crypto::Signer>, Failure> {
    let source = KeySource::parse(&crate::cli::git::expand_home(text));
    Context::signer(&source.map_err(|error| crate::cli::context::key_failure(&error))?)
}

fn cosigned(args: &CosignArgs, context: &Context) -> Result<Answer, Failure> {
    let name = name(&args.name)?;
    let bytes = read(&args.file)?;
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let time = u64::try_from(context.now.seconds()).unwrap_or_default();
    let text = cosign(&log, &trust, &bytes, &name, signer(&args.key)?.as_ref(), time)?;
    let file = args.output.as_ref().map(|path| path.display().to_string());
    let value = json!({ "schema": "git-baseline/cosign/1", "name": name.as_str(), "checkpoint": text, "file": file });
    match &args.output {
        None => Ok(Answer::done(value, text)),
        Some(path) => {
            write(path, text.as_bytes())?;
            Ok(Answer::done(value, format!("{} written\n", path.display().to_string().escape_debug())))
        }
    }
}

fn key(args: &KeyArgs) -> Result<Answer, Failure> {
    let signer = signer(&args.key)?;
    let key = NoteKey::from_public_key(name(&args.name)?, NoteKeyType::Witness, signer.public_key());
    let key = key
        .map_err(|defect| Failure::new(Exit::Usage, defect.code(), "this key cannot be a witness's").because(defect))?;
    let value = json!({ "schema": "git-baseline/witness-key/1", "key": key.to_string() });
    Ok(Answer::done(value, format!("{key}\n")))
}
