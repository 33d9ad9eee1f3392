//! `trust`: who may say what, and the fingerprint that an auditor pins.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::context::{self, Answer, Context};
use crate::crypto;
use crate::domain::TrustRoot;
use crate::jobs::{Exit, Failure, Log};
use crate::store::Access;

/// Show and pin the trust root
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TrustCommand {
    /// Show persons, keys, roles and thresholds
    Show,
    /// Print the fingerprint that this repository's log claims; confirm it by another way before you pin it
    Fingerprint,
    Pin(PinArgs),
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
        TrustCommand::Show => show(context),
        TrustCommand::Fingerprint => fingerprint(context),
        TrustCommand::Pin(args) => pin(args, context),
    }
}

fn show(context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let log = Log::open(&repository)?;
    let trust = log.trust_as_claimed()?;
    let pinned = context.anchor(None)?.pinned.contains(&trust.fingerprint);
    let root = trust.root();
    let mut value = value(root);
    if let Some(object) = value.as_object_mut() {
        object.insert("fingerprint".into(), json!(trust.fingerprint.to_string()));
        object.insert("pinned".into(), json!(pinned));
        object.insert("verified".into(), json!(pinned));
    }
    let mut text = String::new();
    if !pinned {
        text.push_str("UNVERIFIED: this is what the repository says of itself; its fingerprint is not pinned here\n");
    }
    let _ = writeln!(
        text,
        "trust root {} of {}\n  fingerprint {}",
        root.version,
        root.product.escape_debug(),
        trust.fingerprint
    );
    for person in &root.persons {
        let _ = writeln!(
            text,
            "  person      {} ({}) {}",
            person.id,
            person.name.escape_debug(),
            person.emails.join(" ").escape_debug()
        );
        for key in &person.keys {
            let _ = writeln!(text, "    key       {}", crypto::fingerprint(key));
        }
    }
    for role in &root.roles {
        let holders = role.persons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "  role        {:<10} {} of {holders}", role.name, role.threshold);
    }
    let start = root.control_start.map_or_else(|| "the first commit".to_owned(), |id| format!("after {id}"));
    let _ = writeln!(text, "  control     since {start}");
    Ok(Answer::done(value, text))
}

fn value(root: &TrustRoot) -> Value {
    json!({
        "schema": "git-baseline/trust/1",
        "version": root.version,
        "product": root.product,
        "document_id": root.document_id,
        "origin": root.origin,
        "control_start": root.control_start.map(|id| id.to_string()),
        "persons": root.persons.iter().map(|person| json!({
            "id": person.id.as_str(),
            "name": person.name,
            "emails": person.emails,
            "keys": person.keys.iter().map(crypto::fingerprint).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "roles": root.roles.iter().map(|role| json!({
            "role": role.name.as_str(),
            "threshold": role.threshold,
            "persons": role.persons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
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
    let Some(log) = Log::find(repository)? else { return Ok(None) };
    let trust = log.trust_as_claimed()?;
    Ok(Some((trust.fingerprint, trust.root().product.clone())))
}
