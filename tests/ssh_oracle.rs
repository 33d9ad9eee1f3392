//! OpenSSH and OpenSSL as oracles: what they write is read, what is written they read, and the bytes are the same.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "real programs are run; a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ed25519_dalek::Signer as _;
use git_baseline::crypto::{
    KeyError, PrivateKey, Signature, Signer as _, fingerprint, openssh_line, parse_public_key, signed_data,
};
use git_baseline::domain::PublicKey;
use sha2::{Digest as _, Sha256};

const NAMESPACE: &str = "git-baseline.release";

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        private(&path);
        path
    }

    /// Has ssh-keygen make a key, and returns its file.
    fn key(&self, name: &str, passphrase: &str, arguments: &[&str]) -> PathBuf {
        let path = self.path(name);
        let output = Command::new("ssh-keygen")
            .args(["-q", "-C", "anna@example.org", "-N", passphrase, "-f"])
            .arg(&path)
            .args(arguments)
            .output()
            .unwrap();
        succeeded(&output);
        path
    }

    /// Has ssh-keygen verify a signature of `anna`, whose key is `line`.
    fn verifies(&self, line: &str, namespace: &str, message: &[u8], armor: &str) -> bool {
        let allowed = self.write("allowed", format!("anna {line}\n").as_bytes());
        let signature = self.write("signature", armor.as_bytes());
        let message = self.write("verified", message);
        let output = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-I", "anna", "-n", namespace, "-f"])
            .args([&allowed, Path::new("-s"), &signature])
            .stdin(fs::File::open(message).unwrap())
            .output();
        output.unwrap().status.success()
    }
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_path: &Path) {}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn open(path: &Path, passphrase: Option<&str>) -> Result<PrivateKey, KeyError> {
    PrivateKey::parse(&fs::read(path).unwrap(), passphrase)
}

/// Has ssh-keygen sign, and returns the armour.
fn ssh_keygen_signs(key: &Path, message: &[u8], arguments: &[&str]) -> Vec<u8> {
    use std::io::Write as _;
    let mut child = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", NAMESPACE, "-f"])
        .arg(key)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(message).unwrap();
    let output = child.wait_with_output().unwrap();
    succeeded(&output);
    output.stdout
}

fn openssl(arguments: &[&str], bench: &Bench) {
    succeeded(&Command::new("openssl").args(arguments).current_dir(bench.0.path()).output().unwrap());
}

#[test]
fn signatures_are_byte_for_byte_those_of_ssh_keygen() {
    let bench = Bench::new();
    let path = bench.key("id", "", &["-t", "ed25519"]);
    let key = open(&path, None).unwrap();
    let big = vec![0xa5; 100_000];
    for message in [&b""[..], b"configuration\n", &big] {
        let theirs = ssh_keygen_signs(&path, message, &[]);
        let ours = key.sign(NAMESPACE, message).unwrap();
        assert_eq!(ours.to_armor().into_bytes(), theirs);
        assert_eq!(Signature::parse_armor(&theirs), Ok(ours));
    }
}

#[test]
fn ssh_keygen_accepts_our_signatures_for_their_purpose_and_message_only() {
    let bench = Bench::new();
    let key = PrivateKey::generate([7; 32]);
    let line = openssh_line(key.public_key());
    let armor = key.sign(NAMESPACE, b"message").unwrap().to_armor();
    assert!(bench.verifies(&line, NAMESPACE, b"message", &armor));
    assert!(!bench.verifies(&line, "git-baseline.root", b"message", &armor));
    assert!(!bench.verifies(&line, NAMESPACE, b"massage", &armor));
    let other = openssh_line(PrivateKey::generate([8; 32]).public_key());
    assert!(!bench.verifies(&other, NAMESPACE, b"message", &armor));
}

#[test]
fn signatures_of_other_kinds_are_refused() {
    let bench = Bench::new();
    let ed25519 = bench.key("id", "", &["-t", "ed25519"]);
    let code = |armor: &[u8]| Signature::parse_armor(armor).map_err(|defect| defect.code());
    assert_eq!(code(&ssh_keygen_signs(&ed25519, b"m", &["-O", "hashalg=sha256"])), Err("GB-SIG-ALGORITHM"));
    assert!(code(&ssh_keygen_signs(&ed25519, b"m", &["-O", "hashalg=sha512"])).is_ok());
    for arguments in [["-t", "rsa", "-b", "2048"], ["-t", "ecdsa", "-b", "256"]] {
        let path = bench.key(arguments[1], "", &arguments);
        assert_eq!(code(&ssh_keygen_signs(&path, b"m", &[])), Err("GB-SIG-ALGORITHM"), "{arguments:?}");
    }
}

/// Signs as a security key would, by OpenSSH's PROTOCOL.u2f, with these flags.
fn token_signs(message: &[u8], flags: u8) -> (PublicKey, Signature) {
    let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let secret = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
    let algorithm = string(b"sk-ssh-ed25519@openssh.com");
    let wire = [&algorithm[..], &string(secret.verifying_key().as_bytes()), &string(b"ssh:")].concat();
    let hash = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let signed = [hash(b"ssh:"), vec![flags, 0, 0, 0, 9], hash(&signed_data(NAMESPACE, message))].concat();
    let blob = [&algorithm[..], &string(&secret.sign(&signed).to_bytes()), &[flags, 0, 0, 0, 9]].concat();
    let key = PublicKey::from_wire(wire);
    (key.clone(), Signature::from_parts(key, NAMESPACE, &blob).unwrap())
}

#[test]
fn security_keys_are_read_as_ssh_keygen_reads_them_and_must_be_touched_besides() {
    let bench = Bench::new();
    for (flags, touched) in [(0x01, true), (0x05, true), (0x00, false), (0x04, false)] {
        let (key, signature) = token_signs(b"message", flags);
        let (line, armor) = (openssh_line(&key), signature.to_armor());
        assert!(bench.verifies(&line, NAMESPACE, b"message", &armor), "ssh-keygen asks for no touch: {flags:#x}");
        assert!(!bench.verifies(&line, NAMESPACE, b"massage", &armor));
        let read = Signature::parse_armor(armor.as_bytes()).unwrap();
        let code = read.check(NAMESPACE, b"message").map_err(|defect| defect.code());
        assert_eq!(code, if touched { Ok(()) } else { Err("GB-SIG-NO-PRESENCE") }, "flags {flags:#x}");
        assert!(read.check(NAMESPACE, b"massage").is_err());
    }
}

#[test]
fn encrypted_keys_of_openssh_open_with_their_passphrase_only() {
    let bench = Bench::new();
    for cipher in ["aes256-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"] {
        let path = bench.key(cipher, "correct horse", &["-t", "ed25519", "-a", "2", "-Z", cipher]);
        let line = fs::read_to_string(format!("{}.pub", path.display())).unwrap();
        let public = parse_public_key(&line).unwrap();
        assert_eq!(open(&path, Some("correct horse")).unwrap().public_key(), &public, "{cipher}");
        for (passphrase, error) in [
            (None, KeyError::NeedsPassphrase),
            (Some("wrong horse"), KeyError::WrongPassphrase),
            (Some(""), KeyError::WrongPassphrase),
        ] {
            assert_eq!(open(&path, passphrase).unwrap_err(), error, "{cipher} {passphrase:?}");
        }
    }
}

#[test]
fn keys_of_openssl_open_plain_and_encrypted() {
    let bench = Bench::new();
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "plain.pem"], &bench);
    let plain = open(&bench.path("plain.pem"), None).unwrap();
    let ours = plain.sign(NAMESPACE, b"m").unwrap().to_armor();
    assert!(bench.verifies(&openssh_line(plain.public_key()), NAMESPACE, b"m", &ours));
    for method in [&["-v2", "aes-256-cbc"][..], &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"], &["-scrypt"]] {
        let seal = ["pkcs8", "-topk8", "-in", "plain.pem", "-out", "sealed.pem", "-passout", "pass:correct"];
        openssl(&[&seal[..], method].concat(), &bench);
        let sealed = bench.path("sealed.pem");
        assert_eq!(open(&sealed, Some("correct")).unwrap().public_key(), plain.public_key(), "{method:?}");
        assert_eq!(open(&sealed, Some("wrong")).unwrap_err(), KeyError::WrongPassphrase, "{method:?}");
        assert_eq!(open(&sealed, None).unwrap_err(), KeyError::NeedsPassphrase, "{method:?}");
    }
}

#[test]
fn keys_of_other_types_are_named() {
    let bench = Bench::new();
    let named = |path: &Path| open(path, None).unwrap_err().to_string();
    assert!(named(&bench.key("rsa", "", &["-t", "rsa", "-b", "2048"])).contains("type ssh-rsa is not supported"));
    assert!(named(&bench.key("ecdsa", "", &["-t", "ecdsa"])).contains("type ecdsa-sha2-nistp256"));
    assert!(named(&bench.key("locked", "secret", &["-t", "rsa", "-b", "2048"])).contains("type ssh-rsa"));
    assert!(named(&bench.key("old", "", &["-t", "rsa", "-b", "2048", "-m", "PEM"])).contains("RSA PRIVATE KEY"));
    openssl(&["genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "rsa.pem"], &bench);
    assert!(named(&bench.path("rsa.pem")).contains("type RSA"));
    openssl(&["genpkey", "-algorithm", "x25519", "-out", "x.pem"], &bench);
    assert!(named(&bench.path("x.pem")).contains("type X25519"));
}

#[test]
fn ssh_keygen_reads_the_keys_that_we_make() {
    let bench = Bench::new();
    let key = PrivateKey::generate([9; 32]);
    for passphrase in [None, Some("correct horse")] {
        let text = key.to_openssh("anna@example.org", passphrase, &[3; 32]).unwrap();
        let path = bench.write("made", text.as_bytes());
        let read = |passphrase: &str| {
            Command::new("ssh-keygen").args(["-y", "-P", passphrase, "-f"]).arg(&path).output().unwrap()
        };
        let output = read(passphrase.unwrap_or_default());
        succeeded(&output);
        let line = String::from_utf8(output.stdout).unwrap();
        assert_eq!(line.trim_end(), format!("{} anna@example.org", openssh_line(key.public_key())));
        assert_eq!(passphrase.is_some(), !read("wrong").status.success());
        assert_eq!(open(&path, passphrase).unwrap().public_key(), key.public_key());
    }
    bench.write("made.pub", openssh_line(key.public_key()).as_bytes());
    let output = Command::new("ssh-keygen").arg("-lf").arg(bench.path("made.pub")).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(&format!(" {} ", fingerprint(key.public_key()))));
}

#[test]
fn damaged_key_files_never_open_and_never_stop_the_program() {
    let bench = Bench::new();
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "plain.pem"], &bench);
    let openssh = fs::read(bench.key("id", "", &["-t", "ed25519"])).unwrap();
    let pkcs8 = fs::read(bench.path("plain.pem")).unwrap();
    // PKCS#8 holds no public half to compare with: a changed secret is another key there, which nobody knows.
    for (good, compares) in [(openssh, true), (pkcs8, false)] {
        let public = PrivateKey::parse(&good, None).unwrap().public_key().clone();
        for at in 0..good.len() {
            assert!(PrivateKey::parse(&good[..at], None).is_err() || good[at..].trim_ascii().is_empty(), "cut at {at}");
            for byte in [b'A', b'/', b'\n', 0] {
                let mut changed = good.clone();
                changed[at] = byte;
                let opened = PrivateKey::parse(&changed, None).map(|key| key.public_key().clone());
                assert!(!compares || opened.is_err() || opened == Ok(public.clone()), "byte {at} as {byte}");
            }
        }
    }
}

#[test]
fn nothing_secret_is_shown_by_debug() {
    let key = PrivateKey::generate([0x5e; 32]);
    assert_eq!(format!("{key:?}"), format!("PrivateKey({})", fingerprint(key.public_key())));
}
