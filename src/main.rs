//! The program: parse, run, return the exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_baseline::cli::main()
}
