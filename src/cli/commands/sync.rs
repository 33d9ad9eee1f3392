//! `sync`: union of records with a remote (contract §3.9).

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::cli::context::{Answer, Context};
use crate::cli::git;
use crate::crypto::Signer;
use crate::jobs::{Adopted, Exit, Failure, Incoming, LOG_REF, RELEASE_REFS, Synced, adopt, published};
use crate::store::{Access, Repository};

/// How often another writer may be first.
const TRIES: usize = 5;

/// Exchange log, records and releases with a remote
///
/// What the remote has is verified before it is adopted. What you have and never published is appended again after it; a
/// release or trust root that was overtaken is kept, proves nothing, and must be signed again. Nothing is ever forced.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline sync                 with origin, both ways
  git baseline sync upstream --fetch")]
pub(in crate::cli) struct SyncArgs {
    /// The remote; origin, or the only one
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,
    /// Only adopt
    #[arg(long, conflicts_with = "push")]
    fetch: bool,
    /// Adopt, and publish even where nothing came
    #[arg(long)]
    push: bool,
    /// Sign the checkpoint with this key: a file, or agent:SHA256:…
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

pub(super) fn run(args: &SyncArgs, context: &Context) -> Result<Answer, Failure> {
    let folder = {
        let repository = context.repository(Access::Write)?;
        repository.work_dir().unwrap_or(repository.common_dir()).to_owned()
    };
    let remote = remote(args, &folder)?;
    let mut notes = 0;
    for _ in 0..TRIES {
        fetch(&folder, &remote)?;
        let repository = context.repository(Access::Write)?;
        let synced = take(args, context, &repository, &remote)?;
        notes += synced.notes;
        if args.fetch {
            return Ok(answer(context, &remote, &synced, notes, false));
        }
        if push(context, &folder, &remote)? {
            let repository = context.repository(Access::Write)?;
            published(&repository, &tracking(&remote))?;
            context.trusted(&repository)?;
            warn_about_server(context, &folder, &remote);
            return Ok(answer(context, &remote, &synced, notes, true));
        }
    }
    let what = format!("other writers were first {TRIES} times");
    Err(Failure::new(Exit::Changed, "GB-REF-RACE", what).hint("git baseline sync"))
}

fn tracking(remote: &str) -> String {
    format!("refs/baseline-remote/{remote}/")
}

fn fetched(remote: &str) -> String {
    format!("refs/baseline-remote/{remote}/fetched/")
}

fn remote(args: &SyncArgs, folder: &Path) -> Result<String, Failure> {
    let remotes: Vec<String> = git::text(folder, &["remote"])?.lines().map(ToOwned::to_owned).collect();
    let found = match &args.remote {
        Some(wanted) => remotes.iter().find(|name| *name == wanted),
        None => {
            remotes.iter().find(|name| *name == "origin").or_else(|| remotes.first().filter(|_| remotes.len() == 1))
        }
    };
    found.cloned().ok_or_else(|| {
        let what = args.remote.as_ref().map_or_else(
            || "no remote to exchange with".to_owned(),
            |name| format!("there is no remote {}", name.escape_debug()),
        );
        Failure::new(Exit::Usage, "GB-USE-REMOTE", what).hint("git remote add origin URL")
    })
}

/// Fetches into a room where nothing is believed yet; what was there before goes first.
fn fetch(folder: &Path, remote: &str) -> Result<(), Failure> {
    let room = fetched(remote);
    let old = git::text(folder, &["for-each-ref", "--format=%(refname)", &room])?;
    for name in old.lines().filter(|line| !line.is_empty()) {
        git::text(folder, &["update-ref", "-d", name])?;
    }
    let specs = [format!("+refs/baseline/*:{room}*"), format!("+refs/notes/baseline:{room}notes/baseline")];
    let listed = git::run(folder, &["ls-remote", remote, "refs/baseline/*", "refs/notes/baseline"])?;
    if !listed.status.success() {
        let said = String::from_utf8_lossy(&listed.stderr).trim().escape_debug().to_string();
        let what = format!("the remote {} cannot be reached", remote.escape_debug());
        return Err(Failure::new(Exit::Inconclusive, "GB-REMOTE-UNREACHABLE", what).because(said));
    }
    let has_notes = String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.ends_with("refs/notes/baseline"));
    let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", remote, &specs[0]];
    if has_notes {
        arguments.push(&specs[1]);
    }
    git::text(folder, &arguments).map(|_| ())
}

fn take(args: &SyncArgs, context: &Context, repository: &Repository, remote: &str) -> Result<Synced, Failure> {
    let anchor = context.anchor(None)?;
    let signer: Option<Box<dyn Signer>> = match Context::key_source(args.key.as_deref(), repository) {
        Ok(source) if args.key.is_some() || !crate::cli::identity::needs_prompt(&source) => {
            Some(Context::signer(&source)?)
        }
        _ => None,
    };
    let incoming = Incoming { tracking: tracking(remote), fetched: fetched(remote) };
    adopt(repository, &anchor, &incoming, signer.as_deref(), &context.git_identity(repository))
}

/// Publishes without force; says whether it was taken, or whether somebody else was first.
fn push(context: &Context, folder: &Path, remote: &str) -> Result<bool, Failure> {
    let mine =
        git::text(folder, &["for-each-ref", "--format=%(refname)", LOG_REF, "refs/notes/baseline", RELEASE_REFS])?;
    let there = git::text(folder, &["for-each-ref", "--format=%(refname) %(objectname)", &fetched(remote)])?;
    let ours = git::text(folder, &["for-each-ref", "--format=%(refname) %(objectname)", RELEASE_REFS])?;
    // Whoever can push could squat a release's ref with rubbish. It proves nothing, and must not stop the log.
    let squatted = |name: &str| {
        let other = format!("{}{} ", fetched(remote), name.strip_prefix("refs/baseline/").unwrap_or(name));
        let own = ours.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let found = there.lines().find_map(|line| line.strip_prefix(&other));
        name.starts_with(RELEASE_REFS) && found.is_some() && found != own
    };
    let (others, refs): (Vec<&str>, Vec<&str>) =
        mine.lines().filter(|line| !line.is_empty()).partition(|name| squatted(name));
    for name in others {
        context.remark(&format!(
            "warning: {} of {} is another than the log says, and was left there; it proves nothing, and can be deleted",
            name.escape_debug(),
            remote.escape_debug()
        ));
    }
    if refs.is_empty() {
        return Ok(true);
    }
    let mut arguments = vec!["push", "--quiet", "--atomic", "--no-verify", remote];
    arguments.extend(&refs);
    let pushed = git::run(folder, &arguments)?;
    if pushed.status.success() {
        return Ok(true);
    }
    let said = String::from_utf8_lossy(&pushed.stderr).into_owned();
    let raced = ["non-fast-forward", "fetch first", "cannot lock ref", "stale info", "failed to update ref"];
    if raced.iter().any(|word| said.contains(word)) {
        return Ok(false);
    }
    let what = format!("the remote {} did not take it", remote.escape_debug());
    Err(Failure::new(Exit::Usage, "GB-REMOTE-REFUSED", what).because(said.trim().escape_debug()))
}

/// A default server lets anybody with push access rewrite or delete these refs (contract §3.9).
fn warn_about_server(context: &Context, folder: &Path, remote: &str) {
    let Ok(url) = git::text(folder, &["remote", "get-url", remote]) else { return };
    // Only of a folder can it be seen.
    let path = folder.join(&url);
    let refuses = |key: &&str| git::config(&path, key).as_deref() == Some("true");
    let keys = ["receive.denyNonFastForwards", "receive.denyDeletes"];
    if let Some(key) = keys.iter().find(|key| path.is_dir() && !refuses(key)) {
        context.remark(&format!(
            "warning: {} allows refs/baseline/log to be rewritten or deleted; next: git -C {} config {key} true",
            remote.escape_debug(),
            url.escape_debug()
        ));
    }
}

fn answer(context: &Context, remote: &str, synced: &Synced, notes: usize, pushed: bool) -> Answer {
    let (word, came, again, superseded) = match &synced.log {
        Adopted::Nothing => ("none", 0, 0, Vec::new()),
        Adopted::Same => ("same", 0, 0, Vec::new()),
        Adopted::Ahead => ("ahead", 0, 0, Vec::new()),
        Adopted::Forward(came) => ("adopted", *came, 0, Vec::new()),
        Adopted::Rebased { came, again, superseded } => ("appended-again", *came, *again, superseded.clone()),
    };
    let mut text = format!("{}: {came} statements came", remote.escape_debug());
    if again > 0 {
        let _ = write!(text, ", {again} of yours were appended again after them");
    }
    if notes > 0 {
        let _ = write!(text, ", {notes} notes");
    }
    text.push_str(if pushed { "; published\n" } else { "\n" });
    for folder in &superseded {
        let _ = writeln!(text, "  overtaken: {}; it is kept, and must be made and signed again", folder.escape_debug());
    }
    if synced.pending > 0 {
        context.remark(&format!("pending: {} statements wait for `git baseline checkpoint`", synced.pending));
    }
    let value = json!({
        "schema": "git-baseline/sync/1",
        "remote": remote,
        "log": word,
        "came": came,
        "again": again,
        "superseded": superseded,
        "notes": notes,
        "pending": synced.pending,
        "published": pushed,
    });
    Answer::done(value, text)
}
