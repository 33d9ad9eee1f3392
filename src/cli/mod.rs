//! Words, exit codes, terminal, clock and environment: the rim.
//!
//! stdout is the answer, stderr the rest. Never here: a decision about trust or content.

mod agent;
mod commands;
mod context;
mod git;
mod human;
mod identity;
mod json;
mod state;
mod whole_file;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use crate::jobs::{Exit, Failure};
use context::{Answer, Context};

/// Git-native, content-addressed configuration management for health software.
///
/// Hashes keys, certificates, policies, access lists, hardening files and every external component into signed
/// manifests that live in Git itself, so that each release can be reproduced and verified from the repository alone.
#[derive(Debug, Parser)]
#[command(name = "git-baseline", bin_name = "git baseline", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    /// How to answer; json is one object with a "schema"
    #[arg(long, value_enum, default_value_t = Format::Human, global = true, value_name = "FORMAT")]
    format: Format,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true, value_name = "WHEN")]
    color: Color,
    /// Say nothing but the answer
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: commands::Command,
}

const EXAMPLES: &str = "Examples:
  git baseline init --product \"Infusion Gateway\"     begin: policy, trust root, hooks
  git baseline items                                 what is under control here
  git baseline release 1.0.0                         gate, manifest, signature
  git baseline verify 1.0.0 --trust FINGERPRINT      proof, from any clone, offline
  git baseline tour                                  see all of it on a throw-away repository

Exit codes: 0 proven or done, 1 disproven or findings, 2 usage, 3 cannot conclude, 4 unsafe input,
5 stale, 6 changed under us, 70 a defect of ours";

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// One JSON object.
    Json,
    /// CycloneDX 1.6 (components only).
    Cyclonedx,
    /// CycloneDX 1.7 (components only).
    #[value(name = "cyclonedx-1.7")]
    Cyclonedx17,
    /// SPDX 2.3 (components only).
    Spdx,
    /// SPDX 3.0.1, as JSON-LD (components only).
    #[value(name = "spdx-3")]
    Spdx3,
    /// A table (components only).
    Csv,
    /// SARIF 2.1.0 (check only).
    Sarif,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On terminals.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Runs the program and returns its exit code. A panic is a defect of ours, and never 0.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        // No payload: it could hold a part of what was being read.
        let _ = writeln!(
            std::io::stderr(),
            "error[GB-DEFECT]: a defect of git-baseline, at {place}\n hint: please report this place and the command"
        );
    }));
    let outcome = std::panic::catch_unwind(|| match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => usage(&error),
    });
    match outcome {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(_) => ExitCode::from(Exit::Defect.code()),
    }
}

fn usage(error: &clap::Error) -> Exit {
    // Arguments that could not be read cannot say how to answer, so they are looked at as they stand.
    let words: Vec<_> = std::env::args_os().collect();
    let json = words.iter().any(|word| word == "--format=json")
        || words.windows(2).any(|pair| matches!(pair, [flag, value] if flag == "--format" && value == "json"));
    if json && error.use_stderr() {
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return report(
            Format::Json,
            &Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", what).hint("git baseline --help"),
            false,
        );
    }
    match error.print() {
        Err(_) => Exit::Defect,
        Ok(()) if error.use_stderr() => Exit::Usage,
        Ok(()) => Exit::Done,
    }
}

fn run(cli: Cli) -> Exit {
    let context = match Context::new(cli.directory, cli.format, cli.color, cli.quiet) {
        Ok(context) => context,
        Err(failure) => return report(cli.format, &failure, false),
    };
    let fits = match context.format {
        Format::Human | Format::Json => true,
        Format::Sarif => matches!(cli.command, commands::Command::Check(_)),
        _ => matches!(cli.command, commands::Command::Components(_)),
    };
    if !fits {
        let failure = Failure::new(Exit::Usage, "GB-USE-ARGUMENTS", "this command does not answer in that format")
            .because("cyclonedx, spdx and csv are for `components`, sarif for `check`")
            .hint("--format json");
        return report(cli.format, &failure, context.colors_stderr());
    }
    match cli.command.run(&context) {
        Ok(answer) => print(&context, &answer),
        Err(failure) => report(cli.format, &failure, context.colors_stderr()),
    }
}

/// Writes the answer; a closed stdout means that nobody got it.
fn print(context: &Context, answer: &Answer) -> Exit {
    let text = match context.format {
        Format::Json => json::text(&answer.json),
        _ => answer.human.clone(),
    };
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    let mut worst = if written.is_ok() { answer.exit } else { Exit::Defect };
    for failure in &answer.failures {
        worst = worst.max(report(context.format, failure, context.colors_stderr()));
    }
    worst
}

/// Writes what went wrong to stderr.
fn report(format: Format, failure: &Failure, colors: bool) -> Exit {
    let kept = failure.proof.as_ref().and_then(|proof| state::State::from_environment().keep_proof(proof));
    let told = kept.map(|path| failure.clone().because(format!("proof written to {}", path.display())));
    let failure = told.as_ref().unwrap_or(failure);
    let text = match format {
        Format::Json => json::text(&json::failure(failure)),
        _ => human::failure(failure, colors),
    };
    // Where even stderr is closed, the exit code still tells.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    failure.exit
}
