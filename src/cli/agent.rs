//! A small client of ssh-agent: which keys it holds, and a signature by one of them.
//!
//! Private keys never come here; the agent, or the security key behind it, signs. Never here: which key the user
//! means (`identity`). Protocol: draft-miller-ssh-agent, messages 11 to 14.

#![expect(clippy::disallowed_methods, reason = "the rim: the agent's address comes from the environment")]

use std::fmt;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::crypto::{self, Signature, Signer, SigningError};
use crate::domain::PublicKey;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// No answer may be longer, in bytes; OpenSSH's own agent draws the same line.
const MOST_BYTES: usize = 256 * 1024;
/// How long an agent may think about what keys it has.
const LIST_TIME: Duration = Duration::from_secs(10);
/// How long a person may take to touch a token or to confirm.
const SIGN_TIME: Duration = Duration::from_secs(120);

/// Why the agent is of no help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AgentError(String);

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AgentError {}

/// Where an agent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agent {
    socket: PathBuf,
}

impl Agent {
    /// Finds the agent that `SSH_AUTH_SOCK` names.
    ///
    /// # Errors
    /// [`AgentError`], where it names none.
    pub(super) fn from_environment() -> Result<Self, AgentError> {
        match std::env::var_os("SSH_AUTH_SOCK") {
            Some(socket) if !socket.is_empty() => Ok(Self::at(socket)),
            _ => Err(AgentError(
                "no ssh-agent is known: SSH_AUTH_SOCK is not set; start one with `eval $(ssh-agent)`".into(),
            )),
        }
    }

    /// Names the agent that listens at a socket.
    pub(super) fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// Returns the keys that the agent holds and that this program accepts.
    ///
    /// # Errors
    /// [`AgentError`], where it cannot be reached, or answers something else.
    pub(super) fn keys(&self) -> Result<Vec<PublicKey>, AgentError> {
        let answer = self.ask(&[REQUEST_IDENTITIES], LIST_TIME)?;
        let keys = parse_identities(&answer).ok_or_else(|| self.failed("it did not answer with a list of keys"))?;
        Ok(keys.into_iter().filter(|key| crypto::check_key(key).is_ok()).collect())
    }

    /// Finds the key with a fingerprint `SHA256:…`.
    ///
    /// # Errors
    /// [`AgentError`], where the agent does not hold it.
    pub(super) fn signer(&self, fingerprint: &str) -> Result<AgentSigner, AgentError> {
        let found = self.keys()?.into_iter().find(|key| crypto::fingerprint(key) == fingerprint);
        let key =
            found.ok_or_else(|| self.failed(&format!("it holds no usable key {fingerprint}; see `ssh-add -l`")))?;
        Ok(AgentSigner { agent: self.clone(), key })
    }

    fn sign(&self, key: &PublicKey, data: &[u8]) -> Result<Vec<u8>, AgentError> {
        let mut request = vec![SIGN_REQUEST];
        put_string(&mut request, key.as_wire());
        put_string(&mut request, data);
        request.extend_from_slice(&[0; 4]);
        let answer = self.ask(&request, SIGN_TIME)?;
        parse_signature(&answer).map(<[u8]>::to_vec).ok_or_else(|| self.failed("it refused to sign"))
    }

    /// Sends one message, and returns the answer without its length.
    fn ask(&self, request: &[u8], patience: Duration) -> Result<Vec<u8>, AgentError> {
        let mut stream = self.connect(patience)?;
        exchange(&mut stream, request).map_err(|error| self.failed(&error.to_string()))
    }

    #[cfg(unix)]
    fn connect(&self, patience: Duration) -> Result<std::os::unix::net::UnixStream, AgentError> {
        let open = || {
            let stream = std::os::unix::net::UnixStream::connect(&self.socket)?;
            stream.set_read_timeout(Some(patience))?;
            stream.set_write_timeout(Some(LIST_TIME))?;
            Ok(stream)
        };
        open().map_err(|error: std::io::Error| self.failed(&error.to_string()))
    }

    #[cfg(not(unix))]
    fn connect(&self, _patience: Duration) -> Result<std::io::Empty, AgentError> {
        Err(AgentError("ssh-agent is supported on Unix only; use a key file".into()))
    }

    fn failed(&self, what: &str) -> AgentError {
        AgentError(format!("the ssh-agent at {}: {what}", self.socket.display().to_string().escape_debug()))
    }
}

fn exchange(stream: &mut (impl Read + Write), request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    put_string(&mut message, request);
    stream.write_all(&message)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MOST_BYTES {
        return Err(std::io::Error::other("it answers with more than 256 KiB"));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn parse_identities(answer: &[u8]) -> Option<Vec<PublicKey>> {
    let (kind, mut rest) = answer.split_first()?;
    if *kind != IDENTITIES_ANSWER {
        return None;
    }
    let (count, after) = rest.split_first_chunk::<4>()?;
    rest = after;
    let mut keys = Vec::new();
    // Each entry takes 8 bytes or more, so that a false count ends with the answer.
    for _ in 0..u32::from_be_bytes(*count) {
        keys.push(PublicKey::from_wire(take_string(&mut rest)?));
        take_string(&mut rest)?;
    }
    rest.is_empty().then_some(keys)
}

fn parse_signature(answer: &[u8]) -> Option<&[u8]> {
    let (kind, mut rest) = answer.split_first()?;
    let signature = take_string(&mut rest)?;
    (*kind == SIGN_RESPONSE && rest.is_empty()).then_some(signature)
}

fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (text, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = after;
    Some(text)
}

fn put_string(message: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(bytes);
}

/// A key that an agent holds.
#[derive(Clone, Debug)]
pub(super) struct AgentSigner {
    agent: Agent,
    key: PublicKey,
}

impl Signer for AgentSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Has the agent sign, and checks what it returns before anybody stores it.
    fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<Signature, SigningError> {
        let refuse = |what: String| SigningError::new("GB-KEY-AGENT", what);
        let data = crypto::signed_data(namespace, bytes);
        let blob = self.agent.sign(&self.key, &data).map_err(|error| refuse(error.to_string()))?;
        let signature = Signature::from_parts(self.key.clone(), namespace, &blob).and_then(|signature| {
            signature.check(namespace, bytes)?;
            Ok(signature)
        });
        signature
            .map_err(|defect| refuse(self.agent.failed(&format!("its signature does not hold: {defect}")).to_string()))
    }

    /// Has the agent sign a note, and checks what it returns before anybody stores it.
    fn sign_note(&self, text: &[u8]) -> Result<[u8; 64], SigningError> {
        let refuse = |what: String| SigningError::new("GB-KEY-AGENT", what);
        crypto::check_note_text(text)?;
        if !crypto::is_plain(&self.key) {
            // What it would sign is no bare Ed25519 over the text, and no witness could check it.
            let what = "the key is on a security key, which cannot sign checkpoints: use a plain ssh-ed25519 key";
            return Err(refuse(what.into()));
        }
        let blob = self.agent.sign(&self.key, text).map_err(|error| refuse(error.to_string()))?;
        crypto::note_signature_of(&self.key, text, &blob)
            .map_err(|defect| refuse(self.agent.failed(&format!("its signature does not hold: {defect}")).to_string()))
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
pub(super) mod tests {
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A real ssh-agent, which ends with the test.
    pub(in crate::cli) struct RealAgent {
        process: Child,
        folder: tempfile::TempDir,
    }

    impl RealAgent {
        pub(in crate::cli) fn start() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("agent");
            let process =
                Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
            while !socket.exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
            Self { process, folder }
        }

        pub(in crate::cli) fn agent(&self) -> Agent {
            Agent::at(self.folder.path().join("agent"))
        }

        pub(in crate::cli) fn add(&self, key: &Path) {
            let added = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", self.agent().socket).status();
            assert!(added.unwrap().success());
        }
    }

    impl Drop for RealAgent {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    pub(in crate::cli) fn make_key(folder: &Path, name: &str, arguments: &[&str]) -> PathBuf {
        let path = folder.join(name);
        let made = Command::new("ssh-keygen").args(["-q", "-f"]).arg(&path).args(arguments).status();
        assert!(made.unwrap().success());
        path
    }

    /// An agent that answers each message with the next of `answers`.
    fn agent_that_says(answers: Vec<Vec<u8>>) -> (tempfile::TempDir, Agent) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let mut length = [0; 4];
                let _ = stream.read_exact(&mut length);
                let mut request = vec![0; u32::from_be_bytes(length) as usize];
                let _ = stream.read_exact(&mut request);
                let _ = stream.write_all(&answer);
            }
        });
        (folder, Agent::at(socket))
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        put_string(&mut message, &[&[kind], body].concat());
        message
    }

    #[test]
    fn a_real_agent_signs_what_the_key_itself_would_sign() {
        let real = RealAgent::start();
        let folder = tempfile::tempdir().unwrap();
        let path = make_key(folder.path(), "id", &["-t", "ed25519", "-N", ""]);
        real.add(&path);
        real.add(&make_key(folder.path(), "rsa", &["-t", "rsa", "-b", "2048", "-N", ""]));
        let key = crypto::PrivateKey::parse(&std::fs::read(&path).unwrap(), None).unwrap();
        assert_eq!(real.agent().keys().unwrap(), [key.public_key().clone()], "the RSA key is none that we use");
        let signer = real.agent().signer(&crypto::fingerprint(key.public_key())).unwrap();
        assert_eq!(signer.sign("test", b"message"), key.sign("test", b"message"));
        assert_eq!(signer.sign_note(b"text\n"), key.sign_note(b"text\n"));
        let missing = real.agent().signer("SHA256:AAAA").unwrap_err();
        assert!(missing.to_string().contains("holds no usable key SHA256:AAAA"), "{missing}");
    }

    #[test]
    fn an_agent_that_answers_nonsense_is_named() {
        let key = crypto::PrivateKey::generate([1; 32]);
        let mut entry = Vec::new();
        put_string(&mut entry, key.public_key().as_wire());
        put_string(&mut entry, b"comment");
        let list = |count: u32| message(IDENTITIES_ANSWER, &[&count.to_be_bytes(), &entry[..]].concat());
        for (what, answer) in [
            ("a failure", message(5, b"")),
            ("a list cut off", list(2)),
            ("a count beyond all bounds", list(u32::MAX)),
            ("bytes after the list", list(0)),
            ("an empty message", vec![0; 4]),
            ("more than the limit", vec![0xff; 8]),
            ("nothing", Vec::new()),
        ] {
            let (_folder, agent) = agent_that_says(vec![answer]);
            assert!(agent.keys().is_err(), "{what}");
        }
        let (_folder, agent) = agent_that_says(vec![list(1)]);
        assert_eq!(agent.keys().unwrap(), [key.public_key().clone()]);
    }

    #[test]
    fn a_signature_that_does_not_hold_is_not_handed_on() {
        let key = crypto::PrivateKey::generate([1; 32]);
        let blob = |signature: &[u8]| {
            let (mut body, mut blob) = (Vec::new(), Vec::new());
            put_string(&mut blob, b"ssh-ed25519");
            put_string(&mut blob, signature);
            put_string(&mut body, &blob);
            message(SIGN_RESPONSE, &body)
        };
        for answer in [message(5, b""), blob(&[1; 64]), blob(&[1; 63]), message(SIGN_RESPONSE, b"\0\0\0\x09")] {
            let (_folder, agent) = agent_that_says(vec![answer]);
            let signer = AgentSigner { agent, key: key.public_key().clone() };
            assert_eq!(signer.sign("test", b"message").unwrap_err().code(), "GB-KEY-AGENT");
        }
    }

    #[test]
    fn a_note_is_signed_by_the_agent_only_as_its_key_would_and_only_when_it_is_one() {
        let key = crypto::PrivateKey::generate([1; 32]);
        let blob = |algorithm: &str, signature: &[u8], tail: &[u8]| {
            let (mut body, mut blob) = (Vec::new(), Vec::new());
            put_string(&mut blob, algorithm.as_bytes());
            put_string(&mut blob, signature);
            blob.extend_from_slice(tail);
            put_string(&mut body, &blob);
            message(SIGN_RESPONSE, &body)
        };
        let good = key.sign_note(b"text\n").unwrap();
        let other = key.sign_note(b"tex\n").unwrap();
        let sign = |answer: Vec<u8>, text: &[u8]| {
            let (_folder, agent) = agent_that_says(vec![answer]);
            AgentSigner { agent, key: key.public_key().clone() }.sign_note(text)
        };
        assert_eq!(sign(blob("ssh-ed25519", &good, b""), b"text\n"), Ok(good));
        for answer in [
            blob("ssh-ed25519", &other, b""),
            blob("ssh-ed25519", &good[..63], b""),
            blob("ssh-ed25519", &good, b"\x01\0\0\0\x07"),
            blob("ssh-rsa", &good, b""),
            message(5, b""),
        ] {
            assert_eq!(sign(answer, b"text\n").unwrap_err().code(), "GB-KEY-AGENT");
        }
        let sshsig = crypto::signed_data("git-baseline.release", b"x");
        assert_eq!(sign(blob("ssh-ed25519", &good, b""), &sshsig).unwrap_err().code(), "GB-KEY-SIGN");
    }

    #[test]
    fn a_security_key_in_the_agent_signs_no_note() {
        let mut wire = Vec::new();
        let point = [&[0x58][..], &[0x66; 31]].concat();
        for field in [&b"sk-ssh-ed25519@openssh.com"[..], &point, b"ssh:"] {
            put_string(&mut wire, field);
        }
        let signer = AgentSigner { agent: Agent::at("/nonexistent"), key: PublicKey::from_wire(wire) };
        let refused = signer.sign_note(b"text\n").unwrap_err();
        assert!(refused.to_string().contains("security key"), "{refused}");
    }

    #[test]
    fn no_agent_at_all_is_an_error_and_no_panic() {
        assert!(Agent::at("/nonexistent/\u{1b}socket").keys().unwrap_err().to_string().contains("\\u{1b}socket"));
    }
}
