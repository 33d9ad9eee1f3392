//! Asks the user for a passphrase: by the program that `SSH_ASKPASS` names, or on the terminal.
//!
//! Never here: what the passphrase opens. What is typed stays in memory that is wiped.

#![expect(clippy::disallowed_methods, reason = "the rim: the user is asked, or the program that he named")]

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::{IdentityError, shown};

/// How long a passphrase may be, in bytes.
const MOST_PASSPHRASE: usize = 4096;

/// Asks for a passphrase: through `SSH_ASKPASS` as OpenSSH would, else on the terminal.
///
/// # Errors
/// `GB-KEY-PASSPHRASE`, where nobody can be asked, or nobody answers.
pub(in crate::cli) fn ask_passphrase(prompt: &str) -> Result<Zeroizing<String>, IdentityError> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let program = variable("SSH_ASKPASS");
    let require = variable("SSH_ASKPASS_REQUIRE").unwrap_or_default();
    let terminal = has_terminal();
    let by_program = require == "force" || require == "prefer" || (require != "never" && !terminal);
    match program {
        Some(program) if by_program => ask_program(Path::new(&program), prompt),
        _ if terminal => {
            let answer = rpassword::prompt_password(prompt).map(Zeroizing::new);
            answer.map_err(|error| IdentityError::Passphrase(format!("the terminal gave no passphrase: {error}")))
        }
        _ => Err(IdentityError::Passphrase(
            "the key needs a passphrase, and there is no terminal to ask for it: add the key to ssh-agent with `ssh-add` \
             and name it as agent:SHA256:…, or set SSH_ASKPASS"
                .into(),
        )),
    }
}

/// Hooks run without stdin, but mostly still with a terminal.
fn has_terminal() -> bool {
    if cfg!(unix) { std::fs::File::open("/dev/tty").is_ok() } else { std::io::stdin().is_terminal() }
}

fn ask_program(program: &Path, prompt: &str) -> Result<Zeroizing<String>, IdentityError> {
    let refuse = |why: String| IdentityError::Passphrase(format!("SSH_ASKPASS ({}): {why}", shown(program)));
    let mut child = Command::new(program)
        .arg(prompt)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| refuse(error.to_string()))?;
    let mut answer = Zeroizing::new(Vec::with_capacity(MOST_PASSPHRASE + 1));
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(MOST_PASSPHRASE as u64 + 1).read_to_end(&mut answer),
        None => Ok(0),
    };
    let status = child.wait().map_err(|error| refuse(error.to_string()))?;
    read.map_err(|error| refuse(error.to_string()))?;
    if !status.success() {
        return Err(refuse("no passphrase was given".into()));
    }
    let text = std::str::from_utf8(&answer).ok().filter(|text| text.len() <= MOST_PASSPHRASE);
    let line = text.and_then(|text| text.split(['\r', '\n']).next());
    line.map(|line| Zeroizing::new(line.to_owned())).ok_or_else(|| refuse("its answer is no passphrase".into()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_can_give_the_passphrase() {
        let run = |name: &str| ask_program(Path::new(name), "the prompt").map(|text| text.as_str().to_owned());
        assert_eq!(run("echo"), Ok("the prompt".into()));
        for (what, program) in [("cancels", "false"), ("never ends", "yes"), ("does not exist", "/nonexistent")] {
            assert_eq!(run(program).unwrap_err().code(), "GB-KEY-PASSPHRASE", "{what}");
        }
    }
}
