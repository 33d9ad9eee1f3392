//! A small client of ssh-agent: which keys it holds, and a signature by one of them.
//!
//! Private keys never come here; the agent, or the security key behind it, signs. Never here: which key the user
//! means (`identity`). Protocol: draft-miller-ssh-agent, messages 11 to 14.

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
pub struct AgentError(String);

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AgentError {}

/// Where an agent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    socket: PathBuf,
}

impl Agent {
    /// Finds the agent that `SSH_AUTH_SOCK` names.
    ///
    /// # Errors
    /// [`AgentError`], where it names none.
    pub fn from_environment() -> Result<Self, AgentError> {
        match std::env::var_os("SSH_AUTH_SOCK") {
            Some(socket) if !socket.is_empty() => Ok(Self::at(socket)),
            _ => Err(AgentError(
                "no ssh-agent is known: SSH_AUTH_SOCK is not set; start one with `eval $(ssh-agent)`".into(),
            )),
        }
    }

    /// Names the agent that listens at a socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// Returns the keys that the agent holds and that this program accepts.
    ///
    /// # Errors
    /// [`AgentError`], where it cannot be reached, or answers something else.
    pub fn keys(&self) -> Result<Vec<PublicKey>, AgentError> {
        let answer = self.ask(&[REQUEST_IDENTITIES], LIST_TIME)?;
        let keys = parse_identities(&answer).ok_or_else(|| self.failed("it did not answer with a list of keys"))?;
        Ok(keys.into_iter().filter(|key| crypto::check_key(key).is_ok()).collect())
    }

    /// Finds the key with a fingerprint `SHA256:…`.
    ///
    /// # Errors
    /// [`AgentError`], where the agent does not hold it.
    pub fn signer(&self, fingerprint: &str) -> Result<AgentSigner, AgentError> {
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
pub struct AgentSigner {
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
}
