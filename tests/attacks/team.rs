//! The product under attack: three persons, two keys for one of them, two releases that two persons signed each.
//!
//! Built once a shape with the real program, Git and ssh-keygen, kept in memory, and written out anew for each attack.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use git_baseline::codec::{self, Record};
use git_baseline::crypto::{PrivateKey, Signer as _};
use git_baseline::domain::Digest;

use crate::support::{CERTIFICATE, NOW, Place, RENEWED, Ran, Repo, log_files, run};

pub(crate) const LOG: &str = "refs/baseline/log";

/// Git's hash functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Sha1,
    Sha256,
}

impl Format {
    /// `GIT_BASELINE_ATTACKS=sha256` runs every attack in repositories of that hash function.
    pub(crate) fn of_this_run() -> Self {
        match std::env::var("GIT_BASELINE_ATTACKS").as_deref() {
            Ok("sha256") => Self::Sha256,
            _ => Self::Sha1,
        }
    }
}

/// A repository of three persons.
#[derive(Clone)]
pub(crate) struct Team {
    pub(crate) repo: Repo,
    pub(crate) fingerprint: String,
}

impl Deref for Team {
    type Target = Repo;

    fn deref(&self) -> &Repo {
        &self.repo
    }
}

/// What a person is called, and under which address he commits.
fn named(person: &str) -> (&'static str, &'static str) {
    match person {
        "anna" | "anna2" => ("Anna Adler", "anna@example.org"),
        "berta" => ("Berta Blum", "berta@example.org"),
        "carl" => ("Carl Cohn", "carl@example.org"),
        _ => ("Mallory", "mallory@example.net"),
    }
}

impl Team {
    /// The product after its releases 1.0.0 and 1.1.0, in the hash function that this run is about.
    pub(crate) fn new() -> Self {
        Self::of(Format::of_this_run())
    }

    pub(crate) fn of(format: Format) -> Self {
        static SHA1: OnceLock<Packed> = OnceLock::new();
        static SHA256: OnceLock<Packed> = OnceLock::new();
        let cell = if format == Format::Sha1 { &SHA1 } else { &SHA256 };
        cell.get_or_init(|| Packed::of(&Self::build(format))).unpack()
    }

    fn build(format: Format) -> Self {
        let options: &[&str] = if format == Format::Sha1 { &[] } else { &["--object-format=sha256"] };
        let repo = Repo::empty(options);
        for key in ["anna", "anna2", "berta", "carl", "dora", "mallory"] {
            let path = repo.place.path(&format!("home/{key}"));
            repo.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", path.to_str().unwrap()])
                .exits(0);
        }
        let mut team = Self { repo, fingerprint: String::new() };
        team.write("config/tls/gateway.pem", CERTIFICATE);
        team.write("etc/sshd_config", "PermitRootLogin no\nPort 22\n");
        team.write("requirements.txt", "requests==2.31.0\n");
        team.commit_as("anna", "First");
        let (name, mail) = named("anna");
        let who = ["--product", "Infusion Gateway", "--person", "anna", "--name", name, "--email", mail];
        let how = ["--key", &team.key_of("anna"), "--no-hooks", "--offline"];
        team.by("anna", &[&["init"], &who[..], &how[..]].concat()).exits(0);
        let policy = fs::read_to_string(team.dir.join(".baseline/policy.toml")).unwrap();
        team.write(".baseline/policy.toml", policy.replace("required = false", "required = true"));
        team.join("berta", &["release", "root", "developer", "approver", "quality"]);
        team.join("carl", &["developer", "approver", "security"]);
        team.by("anna", &["trust", "add-key", "anna", "--key", &team.public("anna2")]).exits(0);
        let two = ["trust", "set-role", "release", "--person", "anna", "--person", "berta", "--threshold", "2"];
        team.by("anna", &two).exits(0);
        team.by("anna", &["change", "open", "CR-1", "--title", "Begin"]).exits(0);
        team.commit_as("anna", "Begin configuration management\n\nChange-Request: CR-1");
        team.by("anna", &["record"]).exits(0);
        team.approve("CR-1");
        team.release("1.0.0");
        team.change("CR-2", |team| team.write("config/tls/gateway.pem", RENEWED));
        team.release("1.1.0");
        team.fingerprint = team.repo.fingerprint();
        team
    }

    fn join(&self, person: &str, roles: &[&str]) {
        let (name, mail) = named(person);
        let key = self.public(person);
        let who = ["trust", "add-person", person, "--name", name, "--email", mail, "--key", &key];
        let roles: Vec<&str> = roles.iter().flat_map(|role| ["--role", role]).collect();
        self.by("anna", &[&who[..], &roles].concat()).exits(0);
    }

    pub(crate) fn key_of(&self, person: &str) -> String {
        self.place.path(&format!("home/{person}")).to_str().unwrap().to_owned()
    }

    pub(crate) fn public(&self, person: &str) -> String {
        format!("{}.pub", self.key_of(person))
    }

    /// A key's fingerprint, as ssh-keygen prints it.
    pub(crate) fn ssh_fingerprint(&self, person: &str) -> String {
        let printed = self.run("ssh-keygen", &["-lf", &self.public(person)]).exits(0).text();
        printed.split(' ').nth(1).unwrap().to_owned()
    }

    /// Runs the program as a person at some moment.
    pub(crate) fn at_time(&self, time: &str, person: &str, arguments: &[&str]) -> Ran {
        self.git(&["config", "baseline.key", &self.key_of(person)]);
        let mut command = self.command("git-baseline", arguments);
        let (name, mail) = named(person);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), mail);
        }
        command.env("SOURCE_DATE_EPOCH", time);
        run(command, b"")
    }

    /// Runs the program as a person.
    pub(crate) fn by(&self, person: &str, arguments: &[&str]) -> Ran {
        self.at_time(NOW, person, arguments)
    }

    /// Commits everything as a person; returns the commit.
    pub(crate) fn commit_as(&self, person: &str, message: &str) -> String {
        let (_, mail) = named(person);
        self.commit_under(person, mail, message)
    }

    /// Commits everything as a person, under some address.
    pub(crate) fn commit_under(&self, person: &str, mail: &str, message: &str) -> String {
        self.git(&["add", "--all"]);
        let mut command = self.command("git", &["commit", "--quiet", "--no-verify", "--allow-empty", "-m", message]);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), named(person).0).env(format!("GIT_{role}_EMAIL"), mail);
        }
        run(command, b"").exits(0);
        self.head()
    }

    /// One change by Anna: requested, committed, recorded, approved and verified.
    pub(crate) fn change(&self, id: &str, edit: impl FnOnce(&Self)) {
        self.changed(id, edit);
        self.approve(id);
    }

    /// One change by Anna: requested, committed and recorded, and judged by nobody.
    pub(crate) fn changed(&self, id: &str, edit: impl FnOnce(&Self)) {
        self.by("anna", &["change", "open", id, "--title", "A change"]).exits(0);
        edit(self);
        self.commit_as("anna", &format!("Change\n\nChange-Request: {id}"));
        self.by("anna", &["record"]).exits(0);
    }

    /// Berta approves, Carl verifies.
    pub(crate) fn approve(&self, id: &str) {
        self.by("berta", &["sign", id, "--meaning", "approved"]).exits(0);
        self.verify_change(id);
        self.by("anna", &["checkpoint"]).exits(0);
    }

    /// Carl verifies a change.
    pub(crate) fn verify_change(&self, id: &str) {
        let record = self.place.path("home/verification.toml");
        let fields = ["results", "anomalies", "version_tested", "configuration", "tools", "date", "tester"];
        let lines: Vec<String> = fields.iter().map(|field| format!("{field} = \"as written\"\n")).collect();
        fs::write(&record, lines.concat()).unwrap();
        let record = record.to_str().unwrap();
        self.by("carl", &["sign", id, "--meaning", "verified", "--record", record]).exits(0);
    }

    /// Anna proposes a release, Berta signs it, and Anna's checkpoint covers it.
    #[track_caller]
    pub(crate) fn release(&self, name: &str) {
        self.by("anna", &["release", name]).exits(0);
        self.by("berta", &["sign", name, "--meaning", "released"]).exits(0);
        self.by("anna", &["checkpoint"]).exits(0);
    }

    /// A statement of the log, decoded.
    pub(crate) fn statement<R: Record>(&self, path: &str) -> R {
        codec::decode(&self.blob(&format!("{LOG}:{path}"))).unwrap().1
    }

    /// The newest trust root's path and number in the log.
    pub(crate) fn newest_root(&self) -> (String, u64) {
        let files = log_files(self, LOG);
        let version = |path: &String| path.strip_prefix("trust/")?.strip_suffix("/root.cbor")?.parse::<u64>().ok();
        let newest = files.keys().filter_map(version).max().unwrap();
        (format!("trust/{newest}/root.cbor"), newest)
    }

    pub(crate) fn baseline_id(&self) -> Digest {
        Digest::parse(&self.fingerprint).unwrap()
    }

    pub(crate) fn private(&self, person: &str) -> PrivateKey {
        PrivateKey::parse(&fs::read(self.key_of(person)).unwrap(), None).unwrap()
    }

    /// Signs bytes as the holder of a key can.
    pub(crate) fn sign_bytes(&self, person: &str, namespace: &str, bytes: &[u8]) -> Vec<u8> {
        self.private(person).sign(namespace, bytes).unwrap().to_armor().into_bytes()
    }

    /// Gives the folder of an auditor who has never been here.
    pub(crate) fn fresh_state(&self) -> PathBuf {
        let at =
            (0..1000).map(|number| self.place.path(&format!("state-{number}"))).find(|path| !path.exists()).unwrap();
        fs::create_dir(&at).unwrap();
        at
    }
}

/// A machine, kept in memory.
struct Packed {
    files: BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>,
    fingerprint: String,
}

impl Packed {
    fn of(team: &Team) -> Self {
        let root = team.place.path("");
        let mut files = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let found = path.symlink_metadata().unwrap();
                let short = path.strip_prefix(&root).unwrap().to_owned();
                let content = found.is_file().then(|| fs::read(&path).unwrap());
                files.insert(short, (found.mode(), content));
                if found.is_dir() {
                    folders.push(path);
                }
            }
        }
        Self { files, fingerprint: team.fingerprint.clone() }
    }

    fn unpack(&self) -> Team {
        let place = Place::new();
        for (path, (mode, content)) in &self.files {
            write(&place.path("").join(path), *mode, content.as_deref());
        }
        let repo = Repo { dir: place.path("repo"), place: Arc::new(place) };
        let team = Team { repo, fingerprint: self.fingerprint.clone() };
        team.git(&["config", "baseline.key", &team.key_of("anna")]);
        team
    }
}

fn write(path: &Path, mode: u32, content: Option<&[u8]>) {
    match content {
        None => fs::create_dir_all(path).unwrap(),
        Some(bytes) => {
            fs::write(path, bytes).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o777)).unwrap();
        }
    }
}
