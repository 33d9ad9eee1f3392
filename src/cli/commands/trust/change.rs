//! `trust add-person`, `add-key`, `set-role`, `set-quorum`, `revoke-key`, `raise-floors`, `sign`: the next trust root.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::context::{Answer, Context, key_failure};
use crate::cli::identity;
use crate::crypto::{self, NoteKey, NoteKeyType};
use crate::domain::{
    Act, Floors, Group, ItemClass, Person, PersonId, PublicKey, RevocationKind, Role, RoleName, Severity, Witness,
};
use crate::jobs::{Changed, Exit, Failure, TrustChange, endorse, propose};
use crate::store::Access;

/// What every change of the trust root takes.
#[derive(Args, Debug)]
struct Signing {
    /// Sign with this key: a file, or agent:SHA256:…; `baseline.key` when left out
    #[arg(long, value_name = "KEY")]
    sign_with: Option<String>,
}

/// Add a person with a key
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline trust add-person berta --name \"Berta Beispiel\" --email berta@example.org --key berta.pub --role approver")]
pub(in crate::cli) struct AddPersonArgs {
    /// His id, for ever: [a-z0-9][a-z0-9._-]*
    #[arg(value_name = "ID")]
    id: String,
    /// His name in print
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The addresses that he commits under
    #[arg(long, value_name = "MAIL")]
    email: Vec<String>,
    /// The file with his public key
    #[arg(long, value_name = "FILE.pub")]
    key: PathBuf,
    /// The roles that he gets
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

/// Add a key to a person; he still counts once
#[derive(Args, Debug)]
pub(in crate::cli) struct AddKeyArgs {
    /// Whose key it is
    #[arg(value_name = "ID")]
    id: String,
    /// The file with the public key
    #[arg(long, value_name = "FILE.pub")]
    key: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// Say who holds a role, and how many of them it takes
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline trust set-role release --person anna --person berta --threshold 2")]
pub(in crate::cli) struct SetRoleArgs {
    /// root, release, approver, security, quality, developer, log or bot
    #[arg(value_name = "ROLE")]
    role: String,
    /// Who holds it; nobody else does then
    #[arg(long = "person", value_name = "ID", required = true)]
    persons: Vec<String>,
    /// How many distinct persons it takes
    #[arg(long, value_name = "N", default_value_t = 1)]
    threshold: u64,
    #[command(flatten)]
    signing: Signing,
}

/// Ask for more than one role: so many of each, and nobody counts twice
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline trust set-quorum release --group developer=2 --group security=1
  git baseline trust set-quorum approve --class key --group security=1     where a key changes
  git baseline trust set-quorum release                                    ask for the role's threshold only")]
pub(in crate::cli) struct SetQuorumArgs {
    /// release or approve
    #[arg(value_name = "ACT")]
    act: String,
    /// Only where an item of this class changes (approve)
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// How many persons of which role
    #[arg(long = "group", value_name = "ROLE=N")]
    groups: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

/// Why a key is revoked.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum As {
    /// Out of use: what it signed so far counts
    Retired,
    /// In other hands since some moment: what it signed before counts
    Compromised,
    /// Nothing that it signed counts
    CompromisedAlways,
}

/// Take a key out of use
///
/// What counts of it is bound to a place in the log, never to a date. A revocation is never taken back.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline trust revoke-key SHA256:… --as retired
  git baseline trust revoke-key SHA256:… --as compromised --since 40     the first 40 statements of the log count")]
pub(in crate::cli) struct RevokeKeyArgs {
    /// The key's fingerprint, SHA256:…
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
    /// Why
    #[arg(long = "as", value_enum)]
    kind: As,
    /// How many statements of the log still count; all that are there when left out
    #[arg(long, value_name = "HEAD")]
    since: Option<u64>,
    /// In words
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    signing: Signing,
}

/// Raise what no policy can go below; floors never sink again
#[derive(Args, Debug)]
pub(in crate::cli) struct RaiseFloorsArgs {
    /// The mildest severity that stops a release: critical, high, medium, low, info
    #[arg(long, value_name = "SEVERITY")]
    block: Option<String>,
    /// How many approvals a change needs
    #[arg(long, value_name = "N")]
    approvals: Option<u64>,
    /// Each change needs a change request
    #[arg(long)]
    change_control: bool,
    /// Within how many days an emergency must be approved
    #[arg(long, value_name = "N")]
    emergency_days: Option<u64>,
    #[command(flatten)]
    signing: Signing,
}

/// Name a witness who cosigns checkpoints, and how many of them it takes to believe that a log is the newest
#[derive(Args, Debug)]
#[command(after_help = "Example:
  git baseline trust add-witness example.org/w1+01234567+BAAA… --operator \"Notified Body 0123\" --quorum 2")]
pub(in crate::cli) struct AddWitnessArgs {
    /// His verifier key, as `witness key` prints it
    #[arg(value_name = "VKEY")]
    key: String,
    /// Who runs it; two keys of one operator are one witness
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// How many distinct operators it takes from now on
    #[arg(long, value_name = "N")]
    quorum: Option<u64>,
    #[command(flatten)]
    signing: Signing,
}

/// Sign the trust root that waits for signatures; see it first with `trust show`
#[derive(Args, Debug)]
pub(in crate::cli) struct SignArgs {
    /// Sign with this key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(super) fn add_person(args: &AddPersonArgs, context: &Context) -> Result<Answer, Failure> {
    let mut emails = args.email.clone();
    emails.sort();
    emails.dedup();
    let keys = vec![public_key(&args.key)?];
    let person = Person { id: person_id(&args.id)?, keys, name: args.name.clone(), emails };
    let roles = args.roles.iter().map(|text| role_name(text)).collect::<Result<Vec<_>, _>>()?;
    change(TrustChange::AddPerson(person, roles), &args.signing, context)
}

pub(super) fn add_key(args: &AddKeyArgs, context: &Context) -> Result<Answer, Failure> {
    change(TrustChange::AddKey(person_id(&args.id)?, public_key(&args.key)?), &args.signing, context)
}

pub(super) fn set_role(args: &SetRoleArgs, context: &Context) -> Result<Answer, Failure> {
    let persons = args.persons.iter().map(|text| person_id(text)).collect::<Result<Vec<_>, _>>()?;
    let role = Role { name: role_name(&args.role)?, persons, threshold: args.threshold };
    change(TrustChange::SetRole(role), &args.signing, context)
}

pub(super) fn set_quorum(args: &SetQuorumArgs, context: &Context) -> Result<Answer, Failure> {
    let act = match args.act.as_str() {
        "release" => Act::Release,
        "approve" => Act::Approve,
        other => return Err(unknown("act", other, "release, approve")),
    };
    let class = args.class.as_deref().map(|text| {
        ItemClass::parse(text).ok_or_else(|| unknown("class", text, &ItemClass::ALL.map(ItemClass::as_str).join(", ")))
    });
    let group = |text: &String| {
        let (role, count) = text.split_once('=').unwrap_or((text, "1"));
        let count = count.parse().map_err(|_| unknown("number", count, "such as developer=2"))?;
        Ok(Group { role: role_name(role)?, count })
    };
    let groups = args.groups.iter().map(group).collect::<Result<Vec<_>, Failure>>()?;
    change(TrustChange::SetQuorum(act, class.transpose()?, groups), &args.signing, context)
}

pub(super) fn revoke_key(args: &RevokeKeyArgs, context: &Context) -> Result<Answer, Failure> {
    let kind = match args.kind {
        As::Retired => RevocationKind::Retired,
        As::Compromised => RevocationKind::Compromised,
        As::CompromisedAlways => RevocationKind::CompromisedAlways,
    };
    let repository = context.repository(Access::Read)?;
    let (log, _) = context.trusted(&repository)?;
    let since = match args.since {
        None => None,
        Some(size) => {
            let count = usize::try_from(size).ok().filter(|count| *count <= log.leaves.len()).ok_or_else(|| {
                let what = format!("the log has no {size} statements, but {}", log.leaves.len());
                Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what).hint("git baseline trust show")
            })?;
            Some(log.log_head(Some(count))?)
        }
    };
    let (fingerprint, reason) = (args.fingerprint.clone(), args.reason.clone());
    change(TrustChange::RevokeKey { fingerprint, kind, since, reason }, &args.signing, context)
}

pub(super) fn raise_floors(args: &RaiseFloorsArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let (_, trust) = context.trusted(&repository)?;
    let old = &trust.root().floors;
    let block = args.block.as_deref().map(|text| {
        let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
        found.ok_or_else(|| unknown("severity", text, "critical, high, medium, low, info"))
    });
    let floors = Floors {
        block: block.transpose()?.unwrap_or(old.block),
        approvals: args.approvals.unwrap_or(old.approvals),
        change_control: old.change_control || args.change_control,
        emergency_days: args.emergency_days.unwrap_or(old.emergency_days),
    };
    change(TrustChange::RaiseFloors(floors), &args.signing, context)
}

pub(super) fn add_witness(args: &AddWitnessArgs, context: &Context) -> Result<Answer, Failure> {
    let refuse = |why: String| Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", "this is no witness's key").because(why);
    let key = NoteKey::parse(&args.key).map_err(|defect| refuse(defect.to_string()))?;
    if key.key_type() != NoteKeyType::Witness {
        return Err(refuse("it is the key of a log".into()).hint("git baseline witness key --key FILE --name NAME"));
    }
    let (name, operator) = (key.name().as_str().to_owned(), args.operator.clone());
    let witness = Witness { key: *key.point(), name, operator };
    change(TrustChange::AddWitness(witness, args.quorum), &args.signing, context)
}

pub(super) fn sign(args: &SignArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Write)?;
    let signer = Context::signer(&Context::key_source(args.key.as_deref(), &repository)?)?;
    let (log, trust) = context.settled(&repository, signer.as_ref())?;
    let identity = context.git_identity(&repository);
    let changed = endorse(&repository, &log, &trust, signer.as_ref(), &identity)?;
    context.tell_pending(&repository);
    Ok(answer(&changed))
}

fn change(change: TrustChange, signing: &Signing, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Write)?;
    let signer = Context::signer(&Context::key_source(signing.sign_with.as_deref(), &repository)?)?;
    let (log, trust) = context.settled(&repository, signer.as_ref())?;
    let identity = context.git_identity(&repository);
    let changed = propose(&repository, &log, &trust, change, signer.as_ref(), &identity)?;
    context.tell_pending(&repository);
    Ok(answer(&changed))
}

fn answer(changed: &Changed) -> Answer {
    let value = json!({
        "schema": "git-baseline/trust-change/1",
        "version": changed.version,
        "in_force": changed.in_force,
        "awaits": changed.awaits,
        "own_key_goes": changed.own_key_goes,
        "changes": changed.words,
    });
    let state = if changed.in_force { "is in force" } else { "waits for more signatures" };
    let mut text = format!("trust root {} {state}\n", changed.version);
    for word in &changed.words {
        let _ = writeln!(text, "  {word}");
    }
    if let Some(awaits) = &changed.awaits {
        let _ = writeln!(text, "  {awaits}");
        let next = if changed.own_key_goes {
            "  the key that signed this is one that it takes away, and does not count\n\
             next: sign with another key, `git baseline trust sign --key FILE`, or let another root signer do so"
        } else {
            "next: another root signer runs `git baseline trust sign`"
        };
        let _ = writeln!(text, "{next}");
    }
    Answer::done(value, text)
}

fn public_key(path: &std::path::Path) -> Result<PublicKey, Failure> {
    let key = identity::read_public(path).map_err(|error| key_failure(&error))?;
    crypto::check_key(&key).map_err(|defect| {
        let what = format!("the key in {} is not accepted", path.display().to_string().escape_debug());
        Failure::new(Exit::Usage, defect.code(), what).because(defect)
    })?;
    Ok(key)
}

fn person_id(text: &str) -> Result<PersonId, Failure> {
    PersonId::parse(text)
        .map_err(|error| Failure::new(Exit::Usage, "GB-USE-PERSON", error.to_string()).hint("such as anna, or a.weber"))
}

fn role_name(text: &str) -> Result<RoleName, Failure> {
    let found = RoleName::ALL.into_iter().find(|role| role.as_str() == text);
    found.ok_or_else(|| unknown("role", text, &RoleName::ALL.map(RoleName::as_str).join(", ")))
}

fn unknown(what: &str, text: &str, known: &str) -> Failure {
    Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", format!("there is no {what} \"{}\"", text.escape_debug()))
        .because(format!("known: {known}"))
}
