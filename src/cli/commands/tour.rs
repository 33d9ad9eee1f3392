//! `tour`: everything once, on a throw-away repository, each command shown as it runs.
//!
//! Never here: anything that a user could not type. Nothing outside a temporary folder is read or written, but for
//! the project's own repository, which is cloned.

#![expect(clippy::disallowed_methods, reason = "the rim: commands are run in a temporary folder")]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::context::{Answer, Context};
use crate::cli::{Format, git, human};
use crate::jobs::{Exit, Failure};

/// See all of it on a throw-away repository
///
/// Made from this project's own history and the sample device under tests/sample: sets up, commits a certificate
/// change, releases twice, verifies and reproduces from a bare clone, and shows the difference.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  git baseline tour
  git baseline tour --keep /tmp/tour      keep the repositories to look around")]
pub(in crate::cli) struct TourArgs {
    /// Work in this new folder and leave it there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

const SAMPLE: &str = "tests/sample";

pub(super) fn run(args: &TourArgs, context: &Context) -> Result<Answer, Failure> {
    let mut tour = Tour::begin(args, context)?;
    let done = tour.walk();
    if args.keep.is_none() {
        // What is left behind is a temporary folder that says what it is.
        let _ = fs::remove_dir_all(&tour.folder);
    }
    done?;
    let text =
        "everything above can be typed by hand; the auditor needed the clone and the fingerprint, nothing else\n";
    Ok(Answer::done(json!({ "schema": "git-baseline/tour/1", "steps": tour.steps }), text))
}

struct Tour<'a> {
    context: &'a Context,
    source: PathBuf,
    folder: PathBuf,
    steps: Vec<Value>,
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Defect, "GB-TOUR-FAILED", format!("the tour ended early: {what}")).because(error)
}

impl<'a> Tour<'a> {
    fn begin(args: &TourArgs, context: &'a Context) -> Result<Self, Failure> {
        let source = PathBuf::from(git::text(&context.directory, &["rev-parse", "--show-toplevel"])?);
        if !source.join(SAMPLE).is_dir() {
            return Err(Failure::new(Exit::Usage, "GB-USE-TOUR", format!("there is no {SAMPLE} here"))
                .because("the tour is made from a checkout of git-baseline itself")
                .hint("run it in a clone of git-baseline: cargo run --release --locked -- tour"));
        }
        let named = args.keep.clone();
        let folder =
            named.unwrap_or_else(|| std::env::temp_dir().join(format!("git-baseline-tour-{}", std::process::id())));
        let made = || -> io::Result<PathBuf> {
            fs::create_dir_all(folder.parent().unwrap_or(&folder))?;
            fs::create_dir(&folder)?;
            fs::create_dir(folder.join("bin"))?;
            fs::copy(std::env::current_exe()?, folder.join("bin/git-baseline"))?;
            fs::canonicalize(&folder)
        };
        let folder = made().map_err(|error| {
            let shown = folder.display().to_string().escape_debug().to_string();
            Failure::new(Exit::Usage, "GB-USE-OUTPUT", format!("\"{shown}\" cannot be made"))
                .because(error)
                .hint("name a folder that does not exist yet")
        })?;
        Ok(Self { context, source, folder, steps: Vec::new() })
    }

    fn walk(&mut self) -> Result<(), Failure> {
        let product = self.folder.join("product");
        self.say("A developer begins: the project's history, and a device's settings beside it.");
        let source = self.source.display().to_string();
        self.quiet(&self.folder.clone(), &["git", "clone", "--quiet", "--no-hardlinks", &source, "product"])?;
        copy(&product.join(SAMPLE).join("device"), &product.join("device"))
            .map_err(|error| failed("copying the sample", &error))?;
        self.shown(&product, &["git", "add", "device"])?;
        self.shown(&product, &["git", "commit", "--quiet", "-m", "Add the gateway's configuration"])?;
        self.shown(
            &product,
            &[
                "git",
                "baseline",
                "init",
                "--product",
                "Sample Gateway",
                "--document-id",
                "CMP-001",
                "--generate-key",
                "../dana.key",
                "--offline",
            ],
        )?;
        self.shown(&product, &["git", "add", ".baseline"])?;
        self.shown(&product, &["git", "commit", "--quiet", "-m", "Begin configuration management"])?;
        self.shown(&product, &["git", "baseline", "items"])?;
        self.shown(&product, &["git", "baseline", "release", "1.0.0"])?;
        self.say("A certificate is replaced, a setting weakened, a component updated.");
        let next = [
            ("gateway.pem", "tls/gateway.pem"),
            ("sshd_config", "ssh/sshd_config"),
            ("requirements.txt", "app/requirements.txt"),
        ];
        for (from, to) in next {
            let (from, to) = (product.join(SAMPLE).join("next").join(from), product.join("device").join(to));
            fs::copy(from, to).map_err(|error| failed("copying the sample", &error))?;
        }
        let message = "Renew the gateway's certificate";
        self.shown(&product, &["git", "commit", "--quiet", "-a", "-m", message, "--trailer", "Change-Request: CR-7"])?;
        self.summary_of_note(&product)?;
        self.shown(&product, &["git", "baseline", "release", "1.1.0"])?;
        self.shown(&product, &["git", "baseline", "diff", "1.0.0", "1.1.0"])?;
        self.shown(&product, &["git", "baseline", "log", "device/tls"])?;
        self.audit(&product)
    }

    /// The auditor has a bare clone, the fingerprint, and nothing else.
    fn audit(&mut self, product: &Path) -> Result<(), Failure> {
        let fingerprint = self.quiet(product, &["git", "baseline", "trust", "fingerprint"])?;
        let fingerprint = String::from_utf8_lossy(&fingerprint.stdout).trim().to_owned();
        self.say("An auditor has a bare clone and the fingerprint; the original is gone.");
        let folder = self.folder.clone();
        self.shown(&folder, &["git", "clone", "--quiet", "--mirror", "product", "audit.git"])?;
        fs::rename(product, folder.join("gone")).map_err(|error| failed("moving the original away", &error))?;
        fs::create_dir(folder.join("auditor")).map_err(|error| failed("making the auditor's folder", &error))?;
        self.shown(
            &folder,
            &["git", "baseline", "-C", "audit.git", "verify", "1.0.0", "1.1.0", "--trust", &fingerprint],
        )?;
        self.shown(
            &folder,
            &[
                "git",
                "baseline",
                "-C",
                "audit.git",
                "reproduce",
                "1.0.0",
                "--trust",
                &fingerprint,
                "-o",
                "items-of-1.0.0",
            ],
        )?;
        let written = folder.join("items-of-1.0.0/device/tls/gateway.pem");
        let shipped = self.source.join(SAMPLE).join("device/tls/gateway.pem");
        let same = fs::read(written).ok().zip(fs::read(shipped).ok()).is_some_and(|(a, b)| a == b);
        if same { Ok(()) } else { Err(failed("the reproduced certificate", &"it is not the one that was committed")) }
    }

    fn summary_of_note(&mut self, product: &Path) -> Result<(), Failure> {
        let arguments = ["git", "log", "-1", "--format=%s%n%N", "--notes=baseline"];
        let output = self.quiet(product, &arguments)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let summary = text.split("-----BEGIN").next().unwrap_or_default();
        self.print(&format!("{}\n{}\n", self.prompt(&arguments), summary.trim_end()));
        Ok(())
    }

    fn say(&mut self, text: &str) {
        self.print(&format!("\n{}\n", human::paint(text, "1", self.context.colors())));
    }

    fn prompt(&self, arguments: &[&str]) -> String {
        let quoted = |word: &&str| if word.contains([' ', '%']) { format!("'{word}'") } else { (*word).to_owned() };
        let line = arguments.iter().map(quoted).collect::<Vec<_>>().join(" ");
        human::paint(&format!("$ {line}"), "36", self.context.colors())
    }

    /// A tour is read while it goes.
    fn print(&self, text: &str) {
        if self.context.format == Format::Human {
            // Where stdout is closed, the exit code still tells.
            let _ = io::stdout().lock().write_all(text.as_bytes());
        }
    }

    fn shown(&mut self, directory: &Path, arguments: &[&str]) -> Result<(), Failure> {
        self.print(&format!("{}\n", self.prompt(arguments)));
        let output = self.quiet(directory, arguments)?;
        self.print(&String::from_utf8_lossy(&output.stdout));
        Ok(())
    }

    fn quiet(&mut self, directory: &Path, arguments: &[&str]) -> Result<Output, Failure> {
        let line = arguments.join(" ");
        let (program, rest) = arguments.split_first().ok_or_else(|| failed("no command", &line))?;
        let mut path = self.folder.join("bin").into_os_string();
        path.push(if cfg!(windows) { ";" } else { ":" });
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command.current_dir(directory).args(rest).stdin(Stdio::null());
        for name in
            ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX", "GIT_CONFIG_PARAMETERS", "SOURCE_DATE_EPOCH"]
        {
            command.env_remove(name);
        }
        let settings = [("GIT_AUTHOR_NAME", "Dana Sample"), ("GIT_AUTHOR_EMAIL", "dana@example.org")];
        let committer = [
            ("GIT_COMMITTER_NAME", "Dana Sample"),
            ("GIT_COMMITTER_EMAIL", "dana@example.org"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
        ];
        command.envs(settings).envs(committer).env("PATH", path);
        command
            .env("HOME", &self.folder)
            .env("XDG_STATE_HOME", self.folder.join("state"))
            .env("XDG_CONFIG_HOME", self.folder.join("none"));
        command.env("GIT_CONFIG_GLOBAL", self.folder.join("gitconfig"));
        fs::write(
            self.folder.join("gitconfig"),
            "[user]\n\tname = Dana Sample\n\temail = dana@example.org\n[safe]\n\tdirectory = *\n",
        )
        .map_err(|error| failed("writing Git's configuration", &error))?;
        let output = command.output().map_err(|error| failed(&line, &error))?;
        self.steps.push(json!({ "command": line, "exit": output.status.code() }));
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().escape_debug().to_string();
        self.print(&String::from_utf8_lossy(&output.stdout));
        Err(failed(&line, &said))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
