//! `sign`: a person's word about a release, a change or a deviation (R05, R07, R20, R21).

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::change::{change_id, read};
use crate::cli::context::{Answer, Context};
use crate::domain::{ChangeId, Meaning, ReleaseName, RoleName};
use crate::jobs::{Exit, Failure, Log, ReleaseStatus, Releases, Requests, SignTarget, Signed, Signing, Trust, sign};
use crate::policy::verification_record;
use crate::store::Access;

/// Sign a release, a change request, or a deviation
///
/// What is signed is recomputed first: the manifest and range of a release, the content of a change. An approval speaks
/// of exactly that content; it survives a rebase or squash that leaves it alone, and dies with any other. Whoever took
/// part in a change cannot approve or verify it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline sign CR-142 --meaning approved
  git baseline sign CR-142 --meaning verified --record test-report.toml
  git baseline sign 1.4.0 --meaning released
  git baseline sign 1.4.0 --meaning withdrawn --reason \"recall 2027-3\"
  git baseline sign deviation:DEV-1 --meaning approved")]
pub(in crate::cli) struct SignArgs {
    /// A release, a change request, or deviation:ID; release:NAME and change:ID where one name is both
    #[arg(value_name = "TARGET")]
    target: String,
    /// What your signature means
    #[arg(long, value_enum)]
    meaning: Word,
    /// In which role; the first that fits when left out
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The verification record: results, anomalies, `version_tested`, configuration, tools, date, tester
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Look at the commits up to this one instead of HEAD
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    commit: String,
    /// Sign with this key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// What a signature can mean.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    /// Read and found in order
    Reviewed,
    /// Agreed to
    Approved,
    /// Tested; takes --record
    Verified,
    /// Released for use
    Released,
    /// Seen
    Witnessed,
    /// Taken back
    Withdrawn,
}

impl Word {
    const fn meaning(self) -> Meaning {
        match self {
            Self::Reviewed => Meaning::Reviewed,
            Self::Approved => Meaning::Approved,
            Self::Verified => Meaning::Verified,
            Self::Released => Meaning::Released,
            Self::Witnessed => Meaning::Witnessed,
            Self::Withdrawn => Meaning::Withdrawn,
        }
    }
}

pub(super) fn run(args: &SignArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Write)?;
    let signer = Context::signer(&Context::key_source(args.key.as_deref(), &repository)?)?;
    let (log, trust) = context.settled(&repository, signer.as_ref())?;
    let target = target(&args.target, &log, &trust)?;
    let verification =
        args.record.as_deref().map(|path| Ok::<_, Failure>(verification_record(&read(path)?)?)).transpose()?;
    let role = args.role.as_deref().map(role).transpose()?;
    let tip = repository.resolve_commit(&args.commit)?;
    let identity = context.git_identity(&repository);
    let signing = Signing {
        meaning: args.meaning.meaning(),
        role,
        reason: args.reason.clone(),
        verification,
        tip,
        signer: signer.as_ref(),
        identity: &identity,
    };
    let signed = sign(&repository, &log, &trust, &target, &signing, context)?;
    context.tell_pending(&repository);
    Ok(answer(&signed))
}

fn role(text: &str) -> Result<RoleName, Failure> {
    RoleName::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
        Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", format!("there is no role \"{}\"", text.escape_debug()))
            .because(format!("known: {}", RoleName::ALL.map(RoleName::as_str).join(", ")))
    })
}

/// A name that is both a release and a change request must be told apart by the user.
fn target(text: &str, log: &Log<'_>, trust: &Trust) -> Result<SignTarget, Failure> {
    if let Some(id) = text.strip_prefix("deviation:") {
        return Ok(SignTarget::Deviation(id.to_owned()));
    }
    if let Some(name) = text.strip_prefix("release:") {
        return Ok(SignTarget::Release(super::release::release_name(name)?));
    }
    if let Some(id) = text.strip_prefix("change:") {
        return Ok(SignTarget::Change(change_id(id)?));
    }
    let releases = Releases::of(log, trust)?;
    let release = ReleaseName::parse(text)
        .ok()
        .filter(|name| releases.find(name).is_some() || releases.others.iter().any(|other| other.name == *name));
    let requests = Requests::of(log, trust)?;
    let change = ChangeId::parse(text).ok().filter(|id| requests.find(id).is_some());
    match (release, change) {
        (Some(name), None) => Ok(SignTarget::Release(name)),
        (None, Some(id)) => Ok(SignTarget::Change(id)),
        (Some(_), Some(_)) => {
            let what = format!("{} is both a release and a change request", text.escape_debug());
            Err(Failure::new(Exit::Usage, "GB-USE-TARGET", what).hint(format!("git baseline sign change:{text} …")))
        }
        (None, None) => {
            let what = format!("there is no release and no change request {}", text.escape_debug());
            Err(Failure::new(Exit::Usage, "GB-USE-TARGET", what)
                .hint("see them with `git baseline show` and `git baseline change list`"))
        }
    }
}

fn answer(signed: &Signed) -> Answer {
    let said = &signed.sign_off;
    let value = json!({
        "schema": "git-baseline/sign/1",
        "target": said.target.name,
        "target_type": said.target.record_type,
        "digest": said.target.digest.to_string(),
        "person": said.person.as_str(),
        "printed_name": said.printed_name,
        "role": said.role.as_str(),
        "meaning": said.meaning.as_str(),
        "reason": said.reason,
        "time": said.time.to_string(),
        "about": signed.about,
        "status": signed.status.map(ReleaseStatus::as_str),
    });
    let printed = said.printed_name.escape_debug();
    let mut text = format!("{} signed by {printed} ({}) as {}:\n", said.meaning, said.person, said.role);
    for line in signed.about.iter().take(60) {
        let _ = writeln!(text, "  {}", line.escape_debug());
    }
    if signed.about.len() > 60 {
        let _ = writeln!(text, "  … and {} more", signed.about.len() - 60);
    }
    if let Some(status) = signed.status {
        let _ = writeln!(text, "release {} is {}", said.target.name.escape_debug(), status.as_str());
    }
    Answer::done(value, text)
}
