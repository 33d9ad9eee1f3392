//! `trust`: who may say what, and the fingerprint that an auditor pins.

mod change;
mod show;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::context::{self, Answer, Context};
use crate::jobs::{Exit, Failure, Log};
use crate::store::Access;

/// Who may say what: show it, pin it, change it
///
/// Every change proposes the next trust root and signs it. It is in force once as many root signers have signed it as
/// both the root before and the new one ask for.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TrustCommand {
    /// Show persons, keys, roles, thresholds, and what waits for signatures
    Show,
    /// Print the fingerprint that this repository's log claims; confirm it by another way before you pin it
    Fingerprint,
    Pin(PinArgs),
    AddPerson(change::AddPersonArgs),
    AddKey(change::AddKeyArgs),
    SetRole(change::SetRoleArgs),
    SetQuorum(change::SetQuorumArgs),
    RevokeKey(change::RevokeKeyArgs),
    RaiseFloors(change::RaiseFloorsArgs),
    AddWitness(change::AddWitnessArgs),
    Sign(change::SignArgs),
}

/// Remember a confirmed fingerprint on this machine, outside every repository
#[derive(Args, Debug)]
pub(in crate::cli) struct PinArgs {
    /// The fingerprint, in full
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
}

pub(super) fn run(command: &TrustCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        TrustCommand::Show => show::run(context),
        TrustCommand::Fingerprint => fingerprint(context),
        TrustCommand::Pin(args) => pin(args, context),
        TrustCommand::AddPerson(args) => change::add_person(args, context),
        TrustCommand::AddKey(args) => change::add_key(args, context),
        TrustCommand::SetRole(args) => change::set_role(args, context),
        TrustCommand::SetQuorum(args) => change::set_quorum(args, context),
        TrustCommand::RevokeKey(args) => change::revoke_key(args, context),
        TrustCommand::AddWitness(args) => change::add_witness(args, context),
        TrustCommand::RaiseFloors(args) => change::raise_floors(args, context),
        TrustCommand::Sign(args) => change::sign(args, context),
    }
}

fn fingerprint(context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let claimed = Log::open(&repository)?.claimed_fingerprint()?;
    let pinned = context.anchor(None)?.pinned.contains(&claimed);
    let value = json!({ "schema": "git-baseline/fingerprint/1", "fingerprint": claimed.to_string(), "pinned": pinned });
    Ok(Answer::done(value, format!("{claimed}\n")))
}

fn pin(args: &PinArgs, context: &Context) -> Result<Answer, Failure> {
    let wanted = context::fingerprint(&args.fingerprint)?;
    // Inside a repository, a fingerprint that is not its own is most likely a mistake.
    let product = match context.repository(Access::Read).ok().map(|repository| product_of(&repository)) {
        Some(Ok(Some((claimed, _)))) if claimed != wanted => {
            return Err(Failure::new(
                Exit::Disproven,
                "GB-TRUST-FINGERPRINT",
                format!("this repository's trust root is not {wanted}"),
            )
            .because(format!("its root 1 has the fingerprint {claimed}"))
            .hint("run this outside of the repository to pin another baseline's fingerprint"));
        }
        Some(Ok(Some((_, product)))) => product,
        _ => String::new(),
    };
    let path = context.state.pin(&wanted, &product, context.now)?;
    let value = json!({ "schema": "git-baseline/pin/1", "fingerprint": wanted.to_string(), "product": product });
    Ok(Answer::done(value, format!("pinned {wanted} in {}\n", path.display().to_string().escape_debug())))
}

fn product_of(repository: &crate::store::Repository) -> Result<Option<(crate::domain::Digest, String)>, Failure> {
    let Some(mut log) = Log::find(repository)? else { return Ok(None) };
    let trust = log.trust_as_claimed()?;
    Ok(Some((trust.fingerprint, trust.root().product.clone())))
}
