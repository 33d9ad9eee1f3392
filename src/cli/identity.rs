//! The user's key: found in a file or in ssh-agent, opened with a passphrase, or made anew.
//!
//! Secrets stay in memory that is wiped, and are never printed. Never here: what is signed, or whether anybody
//! believes the key. Serves contract §2 ("Keys from an OpenSSH or PKCS#8 file (passphrase asked) or ssh-agent").

#![expect(clippy::disallowed_methods, reason = "the rim: key files are read and written here")]

mod passphrase;

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(super) use passphrase::ask_passphrase;

use super::agent::{Agent, AgentError};
use super::whole_file;
use crate::crypto::{self, KeyError, PrivateKey, Signer};
use crate::domain::PublicKey;

/// No key file may be larger, in bytes.
const MOST_BYTES: u64 = 64 * 1024;
/// How often a passphrase may be wrong.
const TRIES: usize = 3;

/// Where the user's key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeySource {
    /// In a file.
    File(PathBuf),
    /// In ssh-agent, under a fingerprint `SHA256:…`.
    Agent(String),
}

impl KeySource {
    /// Parses a path, or `agent:SHA256:…`.
    ///
    /// # Errors
    /// `GB-KEY-NAME`, where nothing is named, or what follows `agent:` is no fingerprint.
    pub(super) fn parse(text: &str) -> Result<Self, IdentityError> {
        let Some(fingerprint) = text.strip_prefix("agent:") else {
            let named = !text.is_empty() && !text.contains('\0');
            return if named { Ok(Self::File(text.into())) } else { Err(IdentityError::Name(text.to_owned())) };
        };
        let base64 = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
        let digest = fingerprint.strip_prefix("SHA256:").unwrap_or_default();
        if digest.len() == 43 && digest.bytes().all(base64) {
            return Ok(Self::Agent(fingerprint.to_owned()));
        }
        Err(IdentityError::Name(text.to_owned()))
    }
}

/// A path for messages: what stands in it cannot steer a terminal.
fn shown(path: &Path) -> impl fmt::Display {
    path.display().to_string().chars().flat_map(char::escape_debug).collect::<String>()
}

/// Why there is no key to sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IdentityError {
    /// The text names neither a file nor a key in an agent.
    Name(String),
    /// There is no such file.
    Missing(PathBuf),
    /// The file cannot be read as a key; why.
    Unreadable(PathBuf, String),
    /// Others can read the file.
    Permissions(PathBuf),
    /// It holds a key of another kind; which.
    Unsupported(PathBuf, String),
    /// The passphrase cannot be had, or is wrong; why.
    Passphrase(String),
    /// The agent is of no help; why.
    Agent(String),
    /// A file stands where the new key should be written.
    Exists(PathBuf),
    /// The new key cannot be written; why.
    Unwritten(PathBuf, String),
}

impl IdentityError {
    /// Returns the refusal's code.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "GB-KEY-NAME",
            Self::Missing(_) => "GB-KEY-MISSING",
            Self::Unreadable(..) => "GB-KEY-UNREADABLE",
            Self::Permissions(_) => "GB-KEY-PERMISSIONS",
            Self::Unsupported(..) => "GB-KEY-UNSUPPORTED",
            Self::Passphrase(_) => "GB-KEY-PASSPHRASE",
            Self::Agent(_) => "GB-KEY-AGENT",
            Self::Exists(_) => "GB-KEY-EXISTS",
            Self::Unwritten(..) => "GB-KEY-UNWRITTEN",
        }
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) => {
                write!(
                    f,
                    "\"{}\" names no key: give a file, or agent:SHA256:… as `ssh-add -l` shows it",
                    text.escape_debug()
                )
            }
            Self::Missing(path) => write!(f, "there is no key file {}", shown(path)),
            Self::Unreadable(path, why) => write!(f, "the key file {}: {why}", shown(path)),
            Self::Permissions(path) => {
                let path = shown(path);
                write!(
                    f,
                    "the key file {path} can be read by others, so it is no secret; mend it with `chmod 600 {path}`"
                )
            }
            Self::Unsupported(path, what) => write!(f, "the key file {}: {what}", shown(path)),
            Self::Passphrase(why) | Self::Agent(why) => f.write_str(why),
            Self::Exists(path) => write!(f, "{} exists already, and no key is overwritten", shown(path)),
            Self::Unwritten(path, why) => write!(f, "the key cannot be written to {}: {why}", shown(path)),
        }
    }
}

impl std::error::Error for IdentityError {}

impl From<AgentError> for IdentityError {
    fn from(error: AgentError) -> Self {
        Self::Agent(error.to_string())
    }
}

/// How a passphrase is asked for.
pub(super) type Ask<'a> = &'a dyn Fn(&str) -> Result<Zeroizing<String>, IdentityError>;

/// A key that was found, not yet necessarily opened.
enum Found {
    Ready(Box<dyn Signer>),
    Locked(PathBuf, Zeroizing<Vec<u8>>),
}

/// Opens the user's key. A `.pub` file, or a file whose private half is elsewhere, names a key in ssh-agent.
///
/// # Errors
/// [`IdentityError`]: the key is missing, unreadable, open to others, of another kind, or its passphrase is wrong.
pub(super) fn signer(source: &KeySource, ask: Ask<'_>) -> Result<Box<dyn Signer>, IdentityError> {
    match find(source, &Agent::from_environment())? {
        Found::Ready(signer) => Ok(signer),
        Found::Locked(path, bytes) => unlock(&path, &bytes, ask),
    }
}

/// Says whether signing with this key would ask for a passphrase.
pub(super) fn needs_prompt(source: &KeySource) -> bool {
    matches!(source, KeySource::File(_)) && matches!(find(source, &Agent::from_environment()), Ok(Found::Locked(..)))
}

type Known = Result<Agent, AgentError>;

fn find(source: &KeySource, agent: &Known) -> Result<Found, IdentityError> {
    match source {
        KeySource::Agent(fingerprint) => in_agent(fingerprint, agent),
        KeySource::File(path) => {
            if path.extension().is_some_and(|extension| extension == "pub") {
                return in_agent_or_file(path, &path.with_extension(""), agent);
            }
            let public = public_beside(path);
            if !path.exists() && public.exists() {
                return in_agent(&crypto::fingerprint(&read_public(&public)?), agent);
            }
            in_file(path, agent)
        }
    }
}

fn public_beside(path: &Path) -> PathBuf {
    let mut public = path.to_owned().into_os_string();
    public.push(".pub");
    public.into()
}

fn in_agent(fingerprint: &str, agent: &Known) -> Result<Found, IdentityError> {
    Ok(Found::Ready(Box::new(agent.clone()?.signer(fingerprint)?)))
}

/// As Git and ssh-keygen do for a `.pub` file: the agent first, then the private half beside it.
fn in_agent_or_file(public: &Path, private: &Path, agent: &Known) -> Result<Found, IdentityError> {
    let key = read_public(public)?;
    match in_agent(&crypto::fingerprint(&key), agent) {
        Err(IdentityError::Agent(_)) if private.exists() => in_file(private, agent),
        answer => answer,
    }
}

fn in_file(path: &Path, agent: &Known) -> Result<Found, IdentityError> {
    let bytes = read(path)?;
    let public = std::str::from_utf8(&bytes).ok().and_then(|text| crypto::parse_public_key(text).ok());
    if let Some(key) = public {
        return in_agent(&crypto::fingerprint(&key), agent);
    }
    let parsed = PrivateKey::parse(&bytes, None);
    if !matches!(parsed, Err(KeyError::Unreadable(_))) {
        check_permissions(path)?;
    }
    match parsed {
        Ok(key) => Ok(Found::Ready(Box::new(key))),
        Err(KeyError::NeedsPassphrase) => Ok(Found::Locked(path.to_owned(), bytes)),
        Err(KeyError::OnToken(key)) => in_agent(&crypto::fingerprint(&key), agent),
        Err(error) => Err(refusal(path, &error)),
    }
}

fn unlock(path: &Path, bytes: &[u8], ask: Ask<'_>) -> Result<Box<dyn Signer>, IdentityError> {
    for _ in 0..TRIES {
        let passphrase = ask(&format!("Passphrase for the key {}: ", shown(path)))?;
        if passphrase.is_empty() {
            return Err(IdentityError::Passphrase("no passphrase was given".into()));
        }
        match PrivateKey::parse(bytes, Some(&passphrase)) {
            Ok(key) => return Ok(Box::new(key)),
            Err(KeyError::WrongPassphrase) => {}
            Err(error) => return Err(refusal(path, &error)),
        }
    }
    Err(IdentityError::Passphrase(format!("no passphrase of {TRIES} opens the key {}", shown(path))))
}

fn refusal(path: &Path, error: &KeyError) -> IdentityError {
    let (path, why) = (path.to_owned(), error.to_string());
    match error {
        KeyError::Unsupported(_) | KeyError::OnToken(_) => IdentityError::Unsupported(path, why),
        KeyError::NeedsPassphrase | KeyError::WrongPassphrase => IdentityError::Passphrase(why),
        KeyError::Unreadable(_) => IdentityError::Unreadable(path, why),
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => IdentityError::Missing(path.to_owned()),
        _ => IdentityError::Unreadable(path.to_owned(), error.to_string()),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
    std::fs::File::open(path).map_err(unreadable)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(IdentityError::Unreadable(path.to_owned(), "more than 64 KiB".into()));
    }
    Ok(bytes)
}

pub(super) fn read_public(path: &Path) -> Result<PublicKey, IdentityError> {
    let bytes = read(path)?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| IdentityError::Unreadable(path.to_owned(), "it is not text".into()))?;
    crypto::parse_public_key(text).map_err(|defect| match defect {
        crypto::SignatureDefect::Algorithm { .. } => IdentityError::Unsupported(path.to_owned(), defect.to_string()),
        _ => IdentityError::Unreadable(path.to_owned(), defect.to_string()),
    })
}

/// As OpenSSH: a private key that others can read is refused.
#[cfg(unix)]
fn check_permissions(path: &Path) -> Result<(), IdentityError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata =
        std::fs::metadata(path).map_err(|error| IdentityError::Unreadable(path.to_owned(), error.to_string()))?;
    if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
        return Err(IdentityError::Permissions(path.to_owned()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(_path: &Path) -> Result<(), IdentityError> {
    Ok(())
}

/// Makes a key pair: the private half at `path` for its owner alone, the public half beside it as `.pub`.
///
/// # Errors
/// `GB-KEY-EXISTS` where either file exists; `GB-KEY-UNWRITTEN` where they cannot be written.
pub(super) fn generate(path: &Path, comment: &str, passphrase: Option<&str>) -> Result<PrivateKey, IdentityError> {
    let unwritten = |why: String| IdentityError::Unwritten(path.to_owned(), why);
    let public = public_beside(path);
    if let Some(taken) = [path, &public].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(IdentityError::Exists(taken.to_owned()));
    }
    let (mut seed, mut random) = (Zeroizing::new([0; 32]), [0; 32]);
    getrandom::fill(&mut *seed)
        .and_then(|()| getrandom::fill(&mut random))
        .map_err(|error| unwritten(error.to_string()))?;
    let key = PrivateKey::generate(*seed);
    let text = key.to_openssh(comment, passphrase, &random).map_err(|error| unwritten(error.to_string()))?;
    write_new(path, text.as_bytes(), 0o600)?;
    let line = format!("{} {comment}\n", crypto::openssh_line(key.public_key()));
    write_new(&public, line.as_bytes(), 0o644)?;
    Ok(key)
}

/// Writes a file that did not exist, never through a link.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), IdentityError> {
    whole_file::create(path, bytes, mode).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => IdentityError::Exists(path.to_owned()),
        _ => IdentityError::Unwritten(path.to_owned(), error.to_string()),
    })
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::cell::Cell;
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::agent::tests::{RealAgent, make_key};
    use super::*;

    fn nobody(_prompt: &str) -> Result<Zeroizing<String>, IdentityError> {
        panic!("nothing needs a passphrase here")
    }

    fn answers(text: &'static str) -> impl Fn(&str) -> Result<Zeroizing<String>, IdentityError> {
        move |_| Ok(Zeroizing::new(text.to_owned()))
    }

    fn file(path: &Path) -> KeySource {
        KeySource::parse(path.to_str().unwrap()).unwrap()
    }

    fn code(result: Result<Box<dyn Signer>, IdentityError>) -> &'static str {
        result.map_or_else(|error| error.code(), |_| "opened")
    }

    #[test]
    fn a_key_is_named_by_path_or_by_fingerprint_in_full() {
        let fingerprint = format!("SHA256:{}", "a".repeat(43));
        assert_eq!(KeySource::parse(&format!("agent:{fingerprint}")), Ok(KeySource::Agent(fingerprint)));
        assert_eq!(KeySource::parse("keys/id"), Ok(KeySource::File("keys/id".into())));
        for bad in ["", "agent:", "agent:SHA256:", "agent:MD5:aa", "agent:SHA256:short", "a\0b"] {
            assert_eq!(KeySource::parse(bad).unwrap_err().code(), "GB-KEY-NAME", "{bad:?}");
        }
    }

    #[test]
    fn a_made_key_opens_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        let key = generate(&path, "anna", Some("correct horse")).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let line = std::fs::read_to_string(public_beside(&path)).unwrap();
        assert_eq!(line, format!("{} anna\n", crypto::openssh_line(key.public_key())));
        let opened = signer(&file(&path), &answers("correct horse")).unwrap();
        assert_eq!(opened.public_key(), key.public_key());
        let before = std::fs::read(&path).unwrap();
        assert_eq!(generate(&path, "anna", None).unwrap_err().code(), "GB-KEY-EXISTS");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        let other = folder.path().join("other");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &other).unwrap();
        assert_eq!(generate(&other, "anna", None).unwrap_err().code(), "GB-KEY-EXISTS");
        assert_eq!(generate(&folder.path().join("no/such"), "anna", None).unwrap_err().code(), "GB-KEY-UNWRITTEN");
    }

    #[test]
    fn a_passphrase_is_asked_for_only_where_there_is_one_and_three_times_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        generate(&open, "anna", None).unwrap();
        assert_eq!(code(signer(&file(&open), &nobody)), "opened");
        assert!(!needs_prompt(&file(&open)));
        let locked = make_key(folder.path(), "locked", &["-t", "ed25519", "-N", "correct", "-a", "1"]);
        assert!(needs_prompt(&file(&locked)));
        let asked = Cell::new(0);
        let ask = |right: usize| {
            let asked = &asked;
            asked.set(0);
            move |prompt: &str| {
                assert!(prompt.contains("locked"), "{prompt}");
                asked.set(asked.get() + 1);
                Ok(Zeroizing::new(if asked.get() == right { "correct" } else { "wrong" }.to_owned()))
            }
        };
        assert_eq!((code(signer(&file(&locked), &ask(3))), asked.get()), ("opened", 3));
        assert_eq!((code(signer(&file(&locked), &ask(4))), asked.get()), ("GB-KEY-PASSPHRASE", 3));
        assert_eq!(code(signer(&file(&locked), &answers(""))), "GB-KEY-PASSPHRASE");
    }

    #[test]
    fn what_is_no_usable_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8], mode| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            code(signer(&file(&path), &nobody))
        };
        let text = PrivateKey::generate([1; 32]).to_openssh("", None, &[0; 32]).unwrap();
        assert_eq!(write("mine", text.as_bytes(), 0o600), "opened");
        assert_eq!(write("everybodys", text.as_bytes(), 0o644), "GB-KEY-PERMISSIONS");
        assert_eq!(write("groups", text.as_bytes(), 0o640), "GB-KEY-PERMISSIONS");
        assert_eq!(write("noise", &[0xff; 100], 0o600), "GB-KEY-UNREADABLE");
        assert_eq!(write("large", "a".repeat(70_000).as_bytes(), 0o600), "GB-KEY-UNREADABLE");
        assert_eq!(write("rsa.pub", b"ssh-rsa AAAA x", 0o644), "GB-KEY-UNSUPPORTED");
        assert_eq!(code(signer(&file(&folder.path().join("none")), &nobody)), "GB-KEY-MISSING");
        assert_eq!(code(signer(&file(folder.path()), &nobody)), "GB-KEY-UNREADABLE");
        let rsa = make_key(folder.path(), "rsa", &["-t", "rsa", "-b", "2048", "-N", ""]);
        assert_eq!(code(signer(&file(&rsa), &nobody)), "GB-KEY-UNSUPPORTED");
    }

    #[test]
    fn a_public_half_names_the_private_half_in_the_agent_or_beside_it() {
        let real = RealAgent::start();
        let (agent, none): (Known, Known) = (Ok(real.agent()), Agent::at("/nonexistent").keys().map(|_| real.agent()));
        let folder = tempfile::tempdir().unwrap();
        let path = make_key(folder.path(), "id", &["-t", "ed25519", "-N", "correct", "-a", "1"]);
        let public = public_beside(&path);
        let ready = |source: &KeySource, agent: &Known| match find(source, agent) {
            Ok(Found::Ready(_)) => "ready",
            Ok(Found::Locked(..)) => "locked",
            Err(error) => error.code(),
        };
        for empty in [&agent, &none] {
            assert_eq!(ready(&file(&public), empty), "locked", "the private half is beside it");
        }
        let fingerprint = crypto::fingerprint(&read_public(&public).unwrap());
        assert_eq!(ready(&KeySource::Agent(fingerprint.clone()), &agent), "GB-KEY-AGENT");
        let unlocked = folder.path().join("unlocked");
        let bytes = std::fs::read(&path).unwrap();
        let key = PrivateKey::parse(&bytes, Some("correct")).unwrap().to_openssh("", None, &[0; 32]).unwrap();
        write_new(&unlocked, key.as_bytes(), 0o600).unwrap();
        real.add(&unlocked);
        assert_eq!(ready(&file(&public), &agent), "ready");
        assert_eq!(ready(&KeySource::Agent(fingerprint), &agent), "ready");
        assert_eq!(ready(&file(&path), &agent), "locked", "a private file means the file");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(ready(&file(&path), &agent), "ready");
        assert_eq!(ready(&file(&public), &none), "GB-KEY-AGENT");
    }
}
