//! The log as an insider writes it who holds keys: statements that say what is not so, signed by whom the attacker
//! likes, under checkpoints that are valid.

use std::collections::BTreeMap;

use git_baseline::codec::{self, Record};
use git_baseline::crypto::{SIGN_OFF_NAMESPACE, sign_checkpoint};
use git_baseline::domain::{
    Checkpoint, Digest, LogHead, Meaning, PersonId, Release, RoleName, SignOff, SignedNote, Target, Timestamp,
    TrustRoot,
};

use crate::support::{append_to_log, log_files};
use crate::team::{LOG, Team};

/// Paths and bytes of what is to be added to the log.
pub(crate) type Statements = BTreeMap<String, Vec<u8>>;

impl Team {
    /// Appends files in one commit of the log, with no checkpoint.
    pub(crate) fn push_to_log(&self, files: &Statements) {
        let blobs: Vec<(String, String)> =
            files.iter().map(|(path, bytes)| (path.clone(), self.write_blob(bytes))).collect();
        append_to_log(self, |log| log.extend(blobs));
    }

    /// Appends files, and covers them with a checkpoint by Anna, who holds the role log.
    pub(crate) fn log(&self, files: &Statements) {
        self.push_to_log(files);
        self.seal("anna");
    }

    /// The leaves of the log that is here, as anybody can compute them.
    pub(crate) fn leaves(&self) -> Vec<Vec<u8>> {
        let mut before = BTreeMap::new();
        let mut leaves = Vec::new();
        for commit in self.git(&["rev-list", "--reverse", LOG]).lines() {
            let files = log_files(self, commit);
            let derived = |path: &str| path == "checkpoint" || path.starts_with("tile/");
            let new = |path: &str| files.contains_key(path) && !before.contains_key(path) && !derived(path);
            for (path, blob) in files.iter().filter(|(path, _)| new(path)) {
                let signs = path.strip_suffix(".sig").is_some_and(|of| new(of) && !of.ends_with(".sig"));
                if signs {
                    continue;
                }
                let beside = format!("{path}.sig");
                let signature =
                    (new(&beside) && !path.ends_with(".sig")).then(|| Digest::of(&self.blob(&files[&beside])));
                leaves.push(codec::leaf(path, &Digest::of(&self.blob(blob)), signature.as_ref()));
            }
            before = files;
        }
        leaves
    }

    /// The checkpoint over the log that is here, signed by a person.
    pub(crate) fn checkpoint_by(&self, person: &str, origin: &str, head: LogHead) -> Vec<u8> {
        let stated = Checkpoint { origin: origin.to_owned(), head, extensions: Vec::new() };
        let text = codec::compose_checkpoint(&stated).unwrap();
        let signatures = vec![sign_checkpoint(&self.private(person), &text).unwrap()];
        codec::compose_signed_note(&SignedNote { text, signatures }).unwrap().into_bytes()
    }

    pub(crate) fn origin(&self) -> String {
        self.statement::<TrustRoot>("trust/1/root.cbor").origin
    }

    pub(crate) fn log_head(&self) -> LogHead {
        codec::log_head(&self.leaves())
    }

    /// Puts a checkpoint by a person over the whole log.
    pub(crate) fn seal(&self, person: &str) {
        let checkpoint = self.checkpoint_by(person, &self.origin(), self.log_head());
        self.put_checkpoint(&checkpoint);
    }

    /// Puts some bytes in the checkpoint's place, in a commit of its own.
    pub(crate) fn put_checkpoint(&self, bytes: &[u8]) {
        let blob = self.write_blob(bytes);
        append_to_log(self, |files| {
            files.insert("checkpoint".into(), blob);
        });
    }

    /// A statement under `path` with the signature of a person beside it.
    pub(crate) fn signed<R: Record>(&self, path: &str, record: &R, person: &str) -> Statements {
        let bytes = codec::encode(Some(&self.baseline_id()), record);
        let namespace = format!("git-baseline.{}", R::TYPE);
        let armour = self.sign_bytes(person, &namespace, &bytes);
        BTreeMap::from([(path.to_owned(), bytes), (format!("{path}.sig"), armour)])
    }

    /// A sign-off in a folder, about some target, by a person with a key.
    pub(crate) fn sign_off(
        &self,
        folder: &str,
        person: &str,
        key: &str,
        change: impl FnOnce(&mut SignOff),
    ) -> Statements {
        let root: TrustRoot = self.statement(&self.newest_root().0);
        let id = PersonId::parse(person).unwrap();
        let name = root.persons.iter().find(|known| known.id == id).map_or("Mallory", |known| known.name.as_str());
        let mut sign_off = SignOff {
            role: RoleName::Release,
            time: Timestamp::from_seconds(1_780_272_001),
            person: id,
            reason: String::new(),
            target: Target { name: String::new(), record_type: Release::TYPE.to_owned(), digest: Digest::of(b"") },
            meaning: Meaning::Released,
            printed_name: name.to_owned(),
            verification: None,
        };
        change(&mut sign_off);
        let bytes = codec::encode(Some(&self.baseline_id()), &sign_off);
        let path = format!("{folder}signoffs/{}.cbor", Digest::of(&bytes));
        let armour = self.sign_bytes(key, SIGN_OFF_NAMESPACE, &bytes);
        BTreeMap::from([(path.clone(), bytes), (format!("{path}.sig"), armour)])
    }

    /// Sign-offs by which persons release exactly these bytes under a name.
    pub(crate) fn released_by(&self, name: &str, bytes: &[u8], persons: &[&str]) -> Statements {
        let folder = format!("releases/{name}/");
        let all = persons.iter().flat_map(|person| {
            let id = person.trim_end_matches('2');
            self.sign_off(&folder, id, person, |sign_off| {
                name.clone_into(&mut sign_off.target.name);
                sign_off.target.digest = Digest::of(bytes);
            })
        });
        all.collect()
    }

    /// A later trust root made of the newest by `change`, signed by persons.
    pub(crate) fn root(&self, folder: &str, persons: &[&str], change: impl FnOnce(&mut TrustRoot)) -> Statements {
        let (path, version) = self.newest_root();
        let bytes = self.blob(&format!("{LOG}:{path}"));
        let mut root: TrustRoot = self.statement(&path);
        root.version = version + 1;
        root.predecessor = Some(Digest::of(&bytes));
        root.log = Some(self.log_head());
        change(&mut root);
        let bytes = codec::encode(Some(&self.baseline_id()), &root);
        let mut files = BTreeMap::new();
        for person in persons {
            let armour = self.sign_bytes(person, "git-baseline.root", &bytes);
            files.insert(format!("{folder}signatures/{}.sig", Digest::of(&armour)), armour);
        }
        files.insert(format!("{folder}root.cbor"), bytes);
        files
    }
}
