//! `change open`, `change list`, `change show`: change requests (IEC 62304 cl. 8.2.1).

#![expect(clippy::disallowed_methods, reason = "the rim: the file that the user named")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::context::{Answer, Context};
use crate::domain::{ChangeId, ChangeRequest, ChangeType, PersonId, Show as _, Timestamp};
use crate::jobs::{Exit, Failure, Requests, StoredRequest, open_change};
use crate::policy::ChangeFile;
use crate::store::Access;

/// Open, list and show change requests
///
/// A request is a small signed record in the log. It grants nothing: approvals of the content do.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ChangeCommand {
    Open(OpenArgs),
    /// List the change requests of the log
    List,
    Show(ShowArgs),
}

/// Open a change request
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline change open CR-142 --title \"Renew the TLS certificate\"
  git baseline change open CR-143 --title \"Revoke a leaked key\" --type emergency
  git baseline change open CR-144 --from change.toml     title, type, reason, source, url, safety, security, risk,
                                                         problems, [standing]
Then name it in commits: git commit --trailer \"Change-Request: CR-142\"")]
pub(in crate::cli) struct OpenArgs {
    /// Its id, as commits will name it
    #[arg(value_name = "ID")]
    id: String,
    /// What is asked for, in one line
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
    /// normal, emergency or standard
    #[arg(long = "type", value_name = "TYPE")]
    change_type: Option<String>,
    /// A TOML file that says more
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Sign with this key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Show a change request
#[derive(Args, Debug)]
pub(in crate::cli) struct ShowArgs {
    /// Its id
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) fn run(command: &ChangeCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        ChangeCommand::Open(args) => open(args, context),
        ChangeCommand::List => list(context),
        ChangeCommand::Show(args) => show(args, context),
    }
}

/// Reads a small file that the user named.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        let what = format!("\"{}\" cannot be read", path.display().to_string().escape_debug());
        Failure::new(Exit::Usage, "GB-USE-FILE", what).because(error)
    })
}

pub(super) fn change_id(text: &str) -> Result<ChangeId, Failure> {
    ChangeId::parse(text).map_err(|error| Failure::new(Exit::Usage, "GB-USE-CHANGE", error.to_string()))
}

fn open(args: &OpenArgs, context: &Context) -> Result<Answer, Failure> {
    let id = change_id(&args.id)?;
    let file = match &args.from {
        Some(path) => ChangeFile::parse(&read(path)?)?,
        None => ChangeFile::default(),
    };
    let title = args.title.clone().or(file.title).filter(|title| !title.trim().is_empty()).ok_or_else(|| {
        Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", "a change request needs a title")
            .hint(format!("git baseline change open {id} --title \"What is asked for\""))
    })?;
    let wanted = args.change_type.clone().or(file.change_type).unwrap_or_else(|| "normal".to_owned());
    let change_type = ChangeType::ALL.into_iter().find(|known| known.as_str() == wanted).ok_or_else(|| {
        let what = format!("there is no type of change \"{}\"", wanted.escape_debug());
        Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what).because("known: normal, emergency, standard")
    })?;
    if (change_type == ChangeType::Standard) != file.standing.is_some() {
        let what = "a standard change, and only that, has bounds";
        return Err(Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what)
            .because("bot, bound, count, expires and packages stand under [standing] in a file")
            .hint(format!("git baseline change open {id} --type standard --from FILE")));
    }
    let repository = context.repository(Access::Write)?;
    let signer = Context::signer(&Context::key_source(args.key.as_deref(), &repository)?)?;
    let (log, trust) = context.settled(&repository, signer.as_ref())?;
    let identity = context.git_identity(&repository);
    let request = ChangeRequest {
        id,
        url: file.url,
        risk: file.risk,
        time: Timestamp::from_seconds(identity.time),
        change_type,
        title,
        reason: file.reason,
        safety: file.safety,
        source: file.source,
        problems: file.problems,
        security: file.security,
        standing: file.standing,
        requester: nobody()?,
    };
    let stored = open_change(&repository, &log, &trust, request, signer.as_ref(), &identity)?;
    context.tell_pending(&repository);
    let id = &stored.request.id;
    let next = format!("next: git commit --trailer \"Change-Request: {id}\"\n");
    Ok(Answer::done(value(&stored), format!("change {id} is open\n{next}")))
}

/// Whoever signs is the requester; until then there is none.
fn nobody() -> Result<PersonId, Failure> {
    PersonId::parse("nobody").map_err(|error| Failure::new(Exit::Defect, "GB-DEFECT", error.to_string()))
}

fn list(context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let requests = Requests::of(&log, &trust)?;
    let mut text = String::new();
    for stored in requests.all() {
        let request = &stored.request;
        let title = request.title.shown();
        let _ = writeln!(
            text,
            "{:<20} {:<10} {}  {} ({})",
            request.id.to_string(),
            request.change_type,
            request.time.date(),
            title,
            request.requester
        );
    }
    for void in &requests.void {
        let _ = writeln!(text, "void: {}", void.shown());
    }
    if text.is_empty() {
        text.push_str("no change requests yet; next: git baseline change open ID --title TITLE\n");
    }
    let value = json!({
        "schema": "git-baseline/changes-open/1",
        "changes": requests.all().map(value).collect::<Vec<_>>(),
        "void": requests.void,
    });
    Ok(Answer::done(value, text))
}

fn show(args: &ShowArgs, context: &Context) -> Result<Answer, Failure> {
    let id = change_id(&args.id)?;
    let repository = context.repository(Access::Read)?;
    let (log, trust) = context.trusted(&repository)?;
    let requests = Requests::of(&log, &trust)?;
    let Some(stored) = requests.find(&id) else {
        let what = format!("there is no change request {id}");
        return Err(Failure::new(Exit::Usage, "GB-USE-CHANGE", what).hint("git baseline change list"));
    };
    let request = &stored.request;
    let mut text = format!("change {id}, {}: {}\n", request.change_type, request.title.shown());
    let rows = [
        ("requested by", request.requester.to_string()),
        ("time claimed", request.time.to_string()),
        ("reason", request.reason.shown().to_string()),
        ("copy of", request.source.shown().to_string()),
        ("url", request.url.shown().to_string()),
        ("safety", request.safety.shown().to_string()),
        ("security", request.security.shown().to_string()),
        ("risk", request.risk.join(", ").shown().to_string()),
        ("problems", request.problems.join(", ").shown().to_string()),
        ("statement", stored.digest.to_string()),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "  {name:<13} {value}");
    }
    if let Some(standing) = &request.standing {
        let _ = writeln!(
            text,
            "  standing      {} commits by {} until {}: {}",
            standing.count,
            standing.bot,
            standing.expires.date(),
            standing.packages.join(", ").shown()
        );
    }
    Ok(Answer::done(value(stored), text))
}

fn value(stored: &StoredRequest) -> Value {
    let request = &stored.request;
    json!({
        "schema": "git-baseline/change/1",
        "id": request.id.as_str(),
        "type": request.change_type.as_str(),
        "title": request.title,
        "reason": request.reason,
        "source": request.source,
        "url": request.url,
        "safety": request.safety,
        "security": request.security,
        "risk": request.risk,
        "problems": request.problems,
        "requester": request.requester.as_str(),
        "time": request.time.to_string(),
        "statement": stored.digest.to_string(),
        "position": stored.position,
        "standing": request.standing.as_ref().map(|standing| json!({
            "bot": standing.bot.as_str(),
            "count": standing.count,
            "expires": standing.expires.to_string(),
            "packages": standing.packages,
        })),
    })
}
