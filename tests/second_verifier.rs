//! Two verifiers, one verdict: the program, and `tests/tools/verify.py`, which follows docs/format.md and shares no code.
//!
//! Skipped, with a note, where Git, Python or its packages are missing.

use std::path::Path;
use std::process::{Command, Output};

use git_baseline::codec;
use git_baseline::crypto::{PrivateKey, Signer as _};
use git_baseline::domain::{Digest, Release, SignOff};

mod room;

use room::Room;

const LOG: &str = "refs/baseline/log";
const MANIFEST: &str = "releases/1.1.0/manifest.cbor";
const STATEMENT: &str = "releases/1.1.0/release.cbor";

impl Room {
    /// A mirror to do harm to.
    fn mirror(&self, name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let repository = home.path().join(name);
        self.git(&["clone", "-q", "--mirror", ".", repository.to_str().unwrap()]);
        Self { home, repository, fingerprint: self.fingerprint.clone() }
    }

    fn log_file(&self, path: &str) -> Vec<u8> {
        self.git_with(&["cat-file", "blob", &format!("{LOG}:{path}")], b"", None)
    }

    fn log_paths(&self, folder: &str) -> Vec<String> {
        self.git(&["ls-tree", "-r", "--name-only", LOG, folder]).lines().map(ToOwned::to_owned).collect()
    }

    /// Writes a commit of the log: instead of the last one, or after it. No bytes: the file is taken away.
    fn write_log(&self, instead: bool, files: &[(&str, Option<&[u8]>)]) {
        let index = self.home.path().join("index");
        let git = |arguments: &[&str], input: &[u8]| {
            String::from_utf8(self.git_with(arguments, input, Some(&index))).unwrap().trim().to_owned()
        };
        git(&["read-tree", LOG], b"");
        for (path, bytes) in files {
            match bytes {
                None => {
                    let nothing = format!("0 {}\t{path}\n", "0".repeat(self.git(&["rev-parse", LOG]).len()));
                    git(&["update-index", "--index-info"], nothing.as_bytes());
                }
                Some(bytes) => {
                    let blob = git(&["hash-object", "-w", "--stdin"], bytes);
                    git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")], b"");
                }
            }
        }
        let tree = git(&["write-tree"], b"");
        let parent = if instead { format!("{LOG}^") } else { LOG.to_owned() };
        let commit = git(&["commit-tree", "-p", &self.git(&["rev-parse", &parent]), "-m", "harm", &tree], b"");
        self.git(&["update-ref", LOG, &commit]);
    }

    /// Demands that both verifiers end with this exit code, over release 1.1.0.
    fn both(&self, what: &str, expected: i32) {
        self.both_over("1.1.0", what, expected);
    }

    fn both_over(&self, name: &str, what: &str, expected: i32) {
        let first = self.baseline(&["verify", name, "--trust", &self.fingerprint]);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/verify.py");
        let mut python = self.command("python3");
        python.arg(script).arg(".").arg(&self.fingerprint).arg(name).env("PYTHONDONTWRITEBYTECODE", "1");
        let second = python.output().unwrap();
        let said = |output: &Output| {
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        };
        let found = (first.status.code(), second.status.code());
        println!("{what:<44} program {:?}, verify.py {:?}, expected {expected}", found.0, found.1);
        assert_eq!(found, (Some(expected), Some(expected)), "{what}\n{}\n{}", said(&first), said(&second));
        let verified =
            said(&first).contains(&format!("verified {name}")) || said(&second).contains(&format!("verified {name}"));
        assert_eq!(verified, expected == 0, "{what}: what is not 0 says nothing of verified");
    }
}

fn is_missing() -> bool {
    let works = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let missing = !works("git", &["--version"]) || !works("python3", &["-c", "import blake3, cryptography"]);
    if missing {
        println!("skipped: Git, or python3 with blake3 and cryptography, is not here");
    }
    missing
}

#[test]
fn both_verifiers_judge_alike() {
    if is_missing() {
        return;
    }
    let product = Room::build("sha1");
    product.both("a good repository", 0);
    product.mirror("mirror").both("its mirror", 0);

    let harmed = product.mirror("flipped");
    let mut manifest = harmed.log_file(MANIFEST);
    let middle = manifest.len() / 2;
    manifest[middle] ^= 1;
    harmed.write_log(true, &[(MANIFEST, Some(&manifest))]);
    harmed.both("one flipped bit in the manifest", 1);

    let harmed = product.mirror("resigned");
    resign(&harmed);
    harmed.both("a statement signed anew by a stranger", 1);

    let harmed = product.mirror("removed");
    harmed.write_log(false, &[("releases/1.0.0/sbom.cdx.json", None)]);
    harmed.both("a commit of the log takes a file away", 1);

    let harmed = product.mirror("altered");
    harmed.write_log(false, &[("releases/1.0.0/sbom.cdx.json", Some(b"{}"))]);
    harmed.both("a commit of the log alters a file", 1);

    let harmed = product.mirror("void");
    harmed.write_log(
        false,
        &[("trust/1/signatures/void.sig", Some(b"no signature")), ("releases/1.1.0/void", Some(b"?"))],
    );
    harmed.both("files in the log that nobody signed", 0);

    let mut harmed = product.mirror("other-fingerprint");
    harmed.fingerprint = "00".repeat(32);
    harmed.both("another fingerprint", 1);

    let harmed = product.mirror("no-log");
    harmed.git(&["update-ref", "-d", LOG]);
    harmed.both("no log", 3);

    let harmed = product.mirror("no-notes");
    harmed.git(&["update-ref", "-d", "refs/notes/baseline"]);
    harmed.both("no notes", 3);

    let harmed = product.mirror("no-release-ref");
    harmed.git(&["update-ref", "-d", "refs/baseline/releases/1.1.0"]);
    harmed.both("no release ref", 3);

    let harmed = product.mirror("other-release-ref");
    harmed.git(&["update-ref", "refs/baseline/releases/1.1.0", "refs/baseline/releases/1.0.0"]);
    harmed.both("the release ref of another release", 1);

    let harmed = product.mirror("lying-note");
    let note = harmed.git_with(&["notes", "--ref=baseline", "show", "main"], b"", None);
    let note = String::from_utf8(note).unwrap().replacen("baseline: ", "baseline: nothing but ", 1);
    harmed.git_with(&["notes", "--ref=baseline", "add", "-f", "--file=-", "main"], note.as_bytes(), None);
    harmed.both("a note whose summary lies", 1);

    let harmed = product.mirror("shadowed");
    harmed.git(&["tag", "v1.1.0", "main~1"]);
    harmed.both("a tag that points elsewhere", 1);
}

/// A release that was never vouched for, or was withdrawn, has sealed records that the next one answers for again.
#[test]
fn a_release_seals_the_record_that_the_log_holds_already() {
    if is_missing() {
        return;
    }
    let product = Room::build("sha1");
    product.commit(&[("etc/sshd_config", "PermitRootLogin no\nPort 22\n")], "Name the port");
    product.done(&["record"]);
    let note = || product.git_with(&["notes", "--ref=baseline", "show", "HEAD"], b"", None);
    let first = note();
    let commit = product.git(&["rev-parse", "HEAD"]);
    product.write_log(false, &[(&format!("records/{}/{commit}", &commit[..2]), Some(&first))]);
    product.git(&["notes", "--ref=baseline", "remove", "HEAD"]);
    let again = product
        .command(env!("CARGO_BIN_EXE_git-baseline"))
        .arg("record")
        .env("SOURCE_DATE_EPOCH", "1790000001")
        .output();
    assert!(again.unwrap().status.success());
    let both = [first, note()].concat();
    product.git_with(&["notes", "--ref=baseline", "add", "-f", "--file=-", "HEAD"], &both, None);
    product.done(&["release", "1.2.0"]);
    product.both_over("1.2.0", "a record that was sealed before", 0);
}

/// Changes the statement, and lets a stranger sign it in Anna's name.
fn resign(room: &Room) {
    let (header, mut release) = codec::decode::<Release>(&room.log_file(STATEMENT)).unwrap();
    release.tool = "another".into();
    let statement = codec::encode(header.baseline.as_ref(), &release);
    let paths = room.log_paths("releases/1.1.0/signoffs/");
    let old = paths.iter().find(|path| path.strip_suffix(".cbor").is_some()).unwrap();
    let (_, mut sign_off) = codec::decode::<SignOff>(&room.log_file(old)).unwrap();
    sign_off.target.digest = Digest::of(&statement);
    let bytes = codec::encode(header.baseline.as_ref(), &sign_off);
    let signature = PrivateKey::generate([9; 32]).sign("git-baseline.signoff", &bytes).unwrap().to_armor();
    let new = format!("releases/1.1.0/signoffs/{}.cbor", Digest::of(&bytes));
    let beside = format!("{new}.sig");
    let mut files: Vec<(&str, Option<&[u8]>)> = paths.iter().map(|path| (path.as_str(), None)).collect();
    files.extend([(STATEMENT, Some(statement.as_slice())), (new.as_str(), Some(bytes.as_slice()))]);
    files.push((beside.as_str(), Some(signature.as_bytes())));
    room.write_log(true, &files);
}

#[test]
fn both_verifiers_read_sha256_repositories() {
    if is_missing() {
        return;
    }
    let product = Room::build("sha256");
    product.both("a good repository of SHA-256", 0);
    let harmed = product.mirror("removed");
    harmed.write_log(false, &[(MANIFEST, None)]);
    harmed.both("a commit of the log takes the manifest away", 1);
}

#[test]
fn the_second_verifier_judges_every_vector_alike() {
    if is_missing() {
        return;
    }
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new("python3");
    python.env("PYTHONDONTWRITEBYTECODE", "1").arg(home.join("tests/tools/verify.py"));
    let output = python.arg("--vectors").arg(home.join("tests/vectors")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
