//! `init`: begins a baseline, or joins the one that is there.
//!
//! Never commits for the user, asks nothing when given flags, and never makes a second first root.

#![expect(clippy::disallowed_methods, reason = "the rim: the proposed policy is written into the working tree")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::hooks;
use crate::cli::context::{Answer, Context, key_failure};
use crate::cli::git;
use crate::cli::identity::{self, KeySource};
use crate::cli::whole_file;
use crate::crypto::Signer;
use crate::domain::{Digest, ObjectId, PersonId};
use crate::jobs::{Exit, Failure, Founding, LOG_REF, Log, found, proposal};
use crate::policy::POLICY_PATH;
use crate::store::{Access, Repository};

/// Begin a baseline in this repository, or join the one that is there
///
/// Proposes .baseline/policy.toml from what the tree holds, founds the log with trust root 1, pins its fingerprint,
/// and installs refspecs and hooks. Where a log exists here or on a remote, it joins that one instead.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline init --product \"Infusion Gateway\" --document-id CMP-001
  git baseline init --product Gateway --person alice --name \"Alice Weber\" --email alice@example.org --key ~/.ssh/id_ed25519
  git baseline init --product Gateway --generate-key ~/.ssh/git-baseline --no-hooks
  git baseline init                       join a baseline that a remote has")]
pub(in crate::cli) struct InitArgs {
    /// The product's name
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// The document id of its configuration management plan
    #[arg(long, value_name = "ID", default_value = "")]
    document_id: String,
    /// Your id in the trust root; from your address when left out
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Your name in print; user.name when left out
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Your address; user.email when left out
    #[arg(long, value_name = "MAIL")]
    email: Option<String>,
    /// Your Ed25519 key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY", conflicts_with = "generate_key")]
    key: Option<String>,
    /// A plain key that signs checkpoints, where --key is a security key
    #[arg(long, value_name = "KEY")]
    log_key: Option<String>,
    /// Make a new key in this file
    #[arg(long, value_name = "FILE")]
    generate_key: Option<PathBuf>,
    /// Give the new key a passphrase; you are asked for it
    #[arg(long, requires = "generate_key")]
    passphrase: bool,
    /// The last commit before control; HEAD when left out
    #[arg(long, value_name = "REV")]
    start: Option<String>,
    /// Install no hooks
    #[arg(long)]
    no_hooks: bool,
    /// Ask no remote whether it has a log already
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(args: &InitArgs, context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Write)?;
    let folder = repository.work_dir().unwrap_or(repository.common_dir()).to_owned();
    let remotes = git::text(&folder, &["remote"])?.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
    if repository.reference(LOG_REF)?.is_some() || (!args.offline && fetched_from(&folder, &remotes)?) {
        return join(args, context, &folder, &remotes);
    }
    let founder = Founder::read(args, &folder)?;
    let start = control_start(args, &repository)?;
    let product = args.product.as_deref().ok_or_else(|| {
        Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", "a new baseline needs the product's name")
            .hint("git baseline init --product \"My Device\"")
    })?;
    let (key, signer) = key(args, &folder, &founder)?;
    let log_signer = args.log_key.as_deref().map(|text| {
        let source = KeySource::parse(&git::expand_home(text)).map_err(|error| key_failure(&error))?;
        Context::signer(&source)
    });
    let log_signer = log_signer.transpose()?;
    let founding = Founding {
        log_signer: log_signer.as_deref(),
        product,
        document_id: &args.document_id,
        person: founder.person.clone(),
        name: &founder.name,
        email: &founder.email,
        control_start: start,
        nonce: random()?,
        now: context.now,
    };
    let fingerprint = found(&repository, &founding, signer.as_ref())?;
    context.state.pin(&fingerprint, product, context.now)?;
    let sign_at = if identity::needs_prompt(&KeySource::parse(&key).map_err(|error| key_failure(&error))?) {
        "push"
    } else {
        "commit"
    };
    let settings = [("baseline.person", founder.person.as_str()), ("baseline.key", &key), ("baseline.signAt", sign_at)];
    for (name, value) in settings {
        git::set_config(&folder, name, value)?;
    }
    let policy = propose(args, &repository)?;
    let mut text = format!("baseline of {} begun\n  fingerprint {fingerprint}\n", product.escape_debug());
    let _ = writeln!(
        text,
        "  give it to your auditors by a way that nobody can change: paper, a signed letter, a second channel"
    );
    let since = start.map_or_else(|| "the first commit".to_owned(), |id| id.short());
    let _ = writeln!(text, "  control begins after {since}; you are {} with the key {key}", founder.person);
    let hooked = finish(args, context, &folder, &remotes, &mut text)?;
    match &policy {
        Some(path) => {
            let _ = writeln!(text, "  proposed {path}: read it, strike out what is wrong");
            let _ = writeln!(text, "next: git add {path} && git commit -m \"Begin configuration management\"");
        }
        None => text.push_str("next: git baseline status\n"),
    }
    let value = json!({
        "schema": "git-baseline/init/1",
        "fingerprint": fingerprint.to_string(),
        "joined": false,
        "person": founder.person.as_str(),
        "key": key,
        "sign_at": sign_at,
        "control_start": start.map(|id| id.to_string()),
        "policy": policy,
        "hooks": hooked,
    });
    Ok(Answer::done(value, text))
}

/// Joins the baseline that is there: hooks and refspecs, and what to confirm.
fn join(args: &InitArgs, context: &Context, folder: &Path, remotes: &[String]) -> Result<Answer, Failure> {
    // The log may just have been fetched, so the repository is opened anew.
    let repository = context.repository(Access::Write)?;
    let trust = Log::open(&repository)?.trust_as_claimed()?;
    let fingerprint: Digest = trust.fingerprint;
    let pinned = context.anchor(None)?.pinned.contains(&fingerprint);
    let product = trust.root().product.escape_debug().to_string();
    let mut text = format!("joined the baseline of {product}\n  fingerprint {fingerprint}\n");
    if let Some(key) = &args.key {
        git::set_config(folder, "baseline.key", key)?;
    }
    let hooked = finish(args, context, folder, remotes, &mut text)?;
    if pinned {
        text.push_str("next: git baseline status\n");
    } else {
        let _ = writeln!(
            text,
            "next: confirm the fingerprint with its maker by another way, then git baseline trust pin {fingerprint}"
        );
    }
    let value = json!({
        "schema": "git-baseline/init/1", "fingerprint": fingerprint.to_string(), "joined": true, "pinned": pinned, "hooks": hooked,
    });
    Ok(Answer::done(value, text))
}

/// Refspecs and hooks, for who begins and who joins.
fn finish(
    args: &InitArgs,
    context: &Context,
    folder: &Path,
    remotes: &[String],
    text: &mut String,
) -> Result<bool, Failure> {
    for remote in remotes {
        // Without `+`: a remote that was rewound is noticed. Into a room of its own: nothing live is moved by a fetch.
        let key = format!("remote.{remote}.fetch");
        git::add_config(folder, &key, &format!("refs/baseline/*:refs/baseline-remote/{remote}/*"))?;
        git::add_config(folder, &key, &format!("refs/notes/baseline*:refs/baseline-remote/{remote}/notes/baseline*"))?;
        let _ = writeln!(text, "  refspecs for {} added", remote.escape_debug());
    }
    if args.no_hooks {
        return Ok(false);
    }
    match hooks::install_all(context) {
        Ok(path) => {
            let _ = writeln!(text, "  hooks installed in {}", path.display().to_string().escape_debug());
            Ok(true)
        }
        Err(failure) => {
            let _ = writeln!(text, "  hooks not installed: {}", failure.message);
            for line in failure.causes.iter().chain(&failure.hint) {
                let _ = writeln!(text, "    {line}");
            }
            Ok(false)
        }
    }
}

/// Looks for a log on the remotes, and fetches the first that there is.
fn fetched_from(folder: &Path, remotes: &[String]) -> Result<bool, Failure> {
    for remote in remotes {
        let listed = git::text(folder, &["ls-remote", remote, LOG_REF]).map_err(|failure| {
            Failure::new(
                Exit::Inconclusive,
                "GB-REMOTE-UNREACHABLE",
                format!("the remote {} cannot be asked whether it has a log", remote.escape_debug()),
            )
            .because(failure)
            .hint("try again when it can be reached; `--offline` begins a new baseline without asking")
        })?;
        if !listed.is_empty() {
            let refs = ["refs/baseline/*:refs/baseline/*", "refs/notes/baseline*:refs/notes/baseline*"];
            git::text(folder, &["fetch", "--quiet", "--no-tags", remote, refs[0], refs[1]])?;
            // What it published is remembered, so that `sync` notices where it takes something back.
            let tracked = [
                format!("refs/baseline/*:refs/baseline-remote/{remote}/*"),
                format!("refs/notes/baseline*:refs/baseline-remote/{remote}/notes/baseline*"),
            ];
            git::text(folder, &["fetch", "--quiet", "--no-tags", remote, &tracked[0], &tracked[1]])?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Who begins the baseline.
struct Founder {
    person: PersonId,
    name: String,
    email: String,
}

impl Founder {
    fn read(args: &InitArgs, folder: &Path) -> Result<Self, Failure> {
        let missing = |what: &str, flag: &str| {
            Failure::new(Exit::Usage, "GB-USE-IDENTITY", format!("nobody says what your {what} is"))
                .because(format!("neither {flag} nor Git's configuration names it"))
                .hint(format!("git config --global user.{what} …"))
        };
        let name = args
            .name
            .clone()
            .or_else(|| git::author("NAME"))
            .or_else(|| git::config(folder, "user.name"))
            .ok_or_else(|| missing("name", "--name"))?;
        let email = args
            .email
            .clone()
            .or_else(|| git::author("EMAIL"))
            .or_else(|| git::config(folder, "user.email"))
            .ok_or_else(|| missing("email", "--email"))?;
        let person = match &args.person {
            Some(id) => PersonId::parse(id),
            None => PersonId::parse(&proposed_id(&email)),
        };
        let person = person.map_err(|error| {
            Failure::new(Exit::Usage, "GB-USE-IDENTITY", error.to_string())
                .hint("name one with `--person ID`, such as --person alice")
        })?;
        Ok(Self { person, name, email })
    }
}

fn proposed_id(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    local.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).take(64).collect()
}

fn control_start(args: &InitArgs, repository: &Repository) -> Result<Option<ObjectId>, Failure> {
    match &args.start {
        Some(revision) => Ok(Some(repository.resolve_commit(revision)?)),
        None => Ok(repository.head_commit()?),
    }
}

/// Finds or makes the founder's key, and returns how the configuration names it.
fn key(args: &InitArgs, folder: &Path, founder: &Founder) -> Result<(String, Box<dyn Signer>), Failure> {
    if let Some(path) = &args.generate_key {
        let passphrase = if args.passphrase {
            Some(identity::ask_passphrase("Passphrase of the new key: ").map_err(|error| key_failure(&error))?)
        } else {
            None
        };
        let path = absolute(path);
        let comment = format!("git-baseline {}", founder.person);
        let made = identity::generate(&path, &comment, passphrase.as_ref().map(|text| text.as_str()))
            .map_err(|error| key_failure(&error))?;
        return Ok((path.display().to_string(), Box::new(made)));
    }
    let configured =
        args.key.clone().or_else(|| git::config(folder, "baseline.key")).or_else(|| ssh_signing_key(folder));
    let text = configured.or_else(default_key).ok_or_else(|| {
        Failure::new(Exit::Usage, "GB-KEY-NONE", "no Ed25519 key to sign with")
            .because("no --key, no SSH signing key in Git's configuration, no ~/.ssh/id_ed25519")
            .hint("git baseline init --product NAME --generate-key ~/.ssh/git-baseline")
    })?;
    let text = git::expand_home(&text);
    let text = if text.starts_with("agent:") { text } else { absolute(Path::new(&text)).display().to_string() };
    let signer = Context::signer(&KeySource::parse(&text).map_err(|error| key_failure(&error))?)?;
    Ok((text, signer))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn ssh_signing_key(folder: &Path) -> Option<String> {
    let uses_ssh = git::config(folder, "gpg.format").is_some_and(|format| format == "ssh");
    git::config(folder, "user.signingkey")
        .filter(|key| uses_ssh && !key.starts_with("ssh-") && !key.starts_with("key::"))
}

fn default_key() -> Option<String> {
    let path = git::expand_home("~/.ssh/id_ed25519");
    Path::new(&path).is_file().then_some(path)
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Exit::Defect, "GB-DEFECT-RANDOM", "the system gives no random bytes").because(error)
    })?;
    Ok(bytes)
}

/// Writes the proposed policy where there is none. Returns its path when it was written.
fn propose(args: &InitArgs, repository: &Repository) -> Result<Option<String>, Failure> {
    let Some(tree) = repository.work_dir() else { return Ok(None) };
    let path = tree.join(POLICY_PATH);
    if path.exists() {
        return Ok(None);
    }
    let text = proposal(repository, args.product.as_deref().unwrap_or_default(), &args.document_id)?;
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| whole_file::replace(&path, text.as_bytes()));
    written.map_err(|error| {
        Failure::new(Exit::Usage, "GB-USE-OUTPUT", format!("{POLICY_PATH} cannot be written")).because(error)
    })?;
    Ok(Some(POLICY_PATH.to_owned()))
}
