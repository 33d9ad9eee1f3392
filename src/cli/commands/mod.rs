//! One file per command: its help, its arguments, and how it turns a job's report into an answer.
//!
//! Never here: work that a job does, or text for a terminal beyond putting lines together.

mod affected;
mod change;
mod changes;
mod check;
mod checkpoint;
mod components;
mod diff;
mod export;
mod hook;
mod hooks;
mod init;
mod items;
mod log;
mod log_check;
mod record;
mod release;
mod repair;
mod reproduce;
mod show;
mod sign;
mod signatures;
mod status;
mod sync;
mod tour;
mod trace;
mod trust;
mod verify;
mod witness;

use clap::Subcommand;

use super::context::{Answer, Context};
use crate::jobs::{Failure, Log, Side, Trust, side_of};
use crate::store::Repository;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Init(init::InitArgs),
    Status(status::StatusArgs),
    Items(items::ItemsArgs),
    Components(components::ComponentsArgs),
    Affected(affected::AffectedArgs),
    Check(check::CheckArgs),
    Record(record::RecordArgs),
    Log(log::LogArgs),
    Diff(diff::DiffArgs),
    #[command(subcommand)]
    Change(change::ChangeCommand),
    Changes(changes::ChangesArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    Trace(trace::TraceArgs),
    Sign(sign::SignArgs),
    Release(release::ReleaseArgs),
    Show(show::ShowArgs),
    Signatures(signatures::SignaturesArgs),
    Verify(verify::VerifyArgs),
    Reproduce(reproduce::ReproduceArgs),
    Export(export::ExportArgs),
    Sync(sync::SyncArgs),
    LogProof(log_check::LogProofArgs),
    LogCheck(log_check::LogCheckArgs),
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
    Repair(repair::RepairArgs),
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    #[command(subcommand)]
    Hooks(hooks::HooksCommand),
    #[command(subcommand, hide = true)]
    Hook(hook::HookCommand),
    Tour(tour::TourArgs),
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Init(args) => init::run(&args, context),
            Self::Status(args) => status::run(&args, context),
            Self::Items(args) => items::run(&args, context),
            Self::Components(args) => components::run(&args, context),
            Self::Affected(args) => affected::run(&args, context),
            Self::Check(args) => check::run(&args, context),
            Self::Record(args) => record::run(&args, context),
            Self::Log(args) => log::run(&args, context),
            Self::Diff(args) => diff::run(&args, context),
            Self::Change(command) => change::run(&command, context),
            Self::Changes(args) => changes::run(&args, context),
            Self::Checkpoint(args) => checkpoint::run(&args, context),
            Self::Trace(args) => trace::run(&args, context),
            Self::Sign(args) => sign::run(&args, context),
            Self::Release(args) => release::run(&args, context),
            Self::Show(args) => show::run(&args, context),
            Self::Signatures(args) => signatures::run(&args, context),
            Self::Verify(args) => verify::run(&args, context),
            Self::Reproduce(args) => reproduce::run(&args, context),
            Self::Export(args) => export::run(&args, context),
            Self::Sync(args) => sync::run(&args, context),
            Self::LogProof(args) => log_check::proof(&args, context),
            Self::LogCheck(args) => log_check::check(&args, context),
            Self::Witness(command) => witness::run(&command, context),
            Self::Repair(args) => repair::run(&args, context),
            Self::Trust(command) => trust::run(&command, context),
            Self::Hooks(command) => hooks::run(&command, context),
            Self::Hook(command) => hook::run(&command, context),
            Self::Tour(args) => tour::run(&args, context),
        }
    }
}

/// Resolves a name to a commit, and says on stderr when what follows is no verified release.
fn side(context: &Context, repository: &Repository, name: Option<&str>) -> Result<Side, Failure> {
    let known = context.known(repository)?;
    let side = side_of(repository, borrowed(known.as_ref()), name.unwrap_or("HEAD"))?;
    if !side.is_verified() && name.is_some() {
        context.remark(&format!(
            "UNVERIFIED: commit {} as Git has it, not a release of a verified log",
            side.commit.short()
        ));
    }
    Ok(side)
}

fn borrowed<'a, 'r>(known: Option<&'a (Log<'r>, Trust)>) -> Option<(&'a Log<'r>, &'a Trust)> {
    known.map(|(log, trust)| (log, trust))
}

/// Splits `A..B`; nothing where there are no two dots.
fn split_range(text: &str) -> Option<(&str, &str)> {
    let (from, to) = text.split_once("..")?;
    let to = if to.is_empty() { "HEAD" } else { to };
    (!from.is_empty() && !to.starts_with('.')).then_some((from, to))
}
