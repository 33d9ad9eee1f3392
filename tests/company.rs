//! Three persons, seven trust roots, a retired key, and a change that was approved and verified: both verifiers agree on
//! it, and on what becomes of it when those who hold the keys lie.
//!
//! Skipped, with a note, where Git, Python or its packages are missing.

mod covered;
mod room;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use git_baseline::codec;
use git_baseline::crypto::{PrivateKey, Signer as _, fingerprint, openssh_line};
use git_baseline::domain::{Digest, PersonId, Release, SignOff, Timestamp, TrustRoot};

use covered::Added;
use room::Room;

const LOG: &str = "refs/baseline/log";
const RECORD: &str = "results = \"passed\"\nanomalies = \"none\"\nversion_tested = \"1.3.0-rc1\"\nconfiguration = \"rig 2\"\n\
                      tools = \"bench\"\ndate = \"2026-09-21\"\ntester = \"Carl\"\n";

/// A room with more people.
struct Company {
    room: Room,
    anna: PrivateKey,
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::generate([seed; 32])
}

fn person(id: &str) -> PersonId {
    PersonId::parse(id).unwrap()
}

/// Anna's second key is 31, Berta's 32, Carl's 33.
fn keys() -> BTreeMap<PersonId, PrivateKey> {
    [("anna", 31), ("berta", 32), ("carl", 33)].into_iter().map(|(id, seed)| (person(id), key(seed))).collect()
}

impl Company {
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.room.home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, line: &str) {
        self.room.done(&line.split(' ').collect::<Vec<_>>());
    }

    /// A change of trust by Anna, and Berta's signature.
    fn both(&self, line: &str) {
        self.run(line);
        self.run(&format!("trust sign --key {}", self.path("berta")));
    }

    fn path(&self, name: &str) -> String {
        self.room.home.path().join(name).to_str().unwrap().to_owned()
    }

    fn begin() -> Self {
        let room = Room::build("sha1");
        let text = std::fs::read(room.home.path().join("key")).unwrap();
        let company = Self { room, anna: PrivateKey::parse(&text, None).unwrap() };
        for (name, seed) in [("anna2", 31), ("berta", 32), ("carl", 33)] {
            company.file(name, key(seed).to_openssh(name, None, &[seed; 32]).unwrap().as_bytes());
            company.file(&format!("{name}.pub"), format!("{}\n", openssh_line(key(seed).public_key())).as_bytes());
        }
        company.file("record.toml", RECORD.as_bytes());
        company
    }

    fn build() -> Self {
        let company = Self::begin();
        let key_of = |name: &str| company.path(&format!("{name}.pub"));
        let roles = "--role release --role developer --role approver --role quality";
        company.run(&format!(
            "trust add-person berta --name Berta --email b@example.org --key {} {roles} --role root --role log",
            key_of("berta")
        ));
        company
            .run(&format!("trust add-person carl --name Carl --email c@example.org --key {} {roles}", key_of("carl")));
        company.run(&format!("trust add-key anna --key {}", key_of("anna2")));
        company.both("trust set-role root --person anna --person berta --threshold 2");
        company.both("trust set-role release --person anna --person berta --person carl --threshold 2");
        let old = fingerprint(company.anna.public_key());
        // Not with the key that goes: the root that revokes it does not count it any more.
        company.both(&format!("trust revoke-key {old} --as retired --sign-with {}", company.path("anna2")));
        company.room.git(&["config", "baseline.key", &company.path("anna2")]);
        company.change("CR-2", &[(".baseline/policy.toml", &company.policy())]);
        company.release("1.2.0");
        company.change("CR-3", &[("etc/sshd_config", "PermitRootLogin no\n"), ("a/c", "3")]);
        company.release("1.3.0");
        company
    }

    fn policy(&self) -> String {
        let path = self.room.repository.join(".baseline/policy.toml");
        std::fs::read_to_string(path).unwrap().replace("required = false", "required = true ")
    }

    /// Anna changes something, Berta approves it, Carl tests it.
    fn change(&self, id: &str, files: &[(&str, &str)]) {
        self.run(&format!("change open {id} --title Title"));
        self.room.commit(files, &format!("Change\n\nChange-Request: {id}"));
        self.run("record");
        self.run(&format!("sign {id} --meaning approved --key {}", self.path("berta")));
        let record = self.path("record.toml");
        self.run(&format!("sign {id} --meaning verified --record {record} --key {}", self.path("carl")));
    }

    fn release(&self, name: &str) {
        self.room.done(&["release", name]);
        self.run(&format!("sign {name} --meaning released --key {}", self.path("berta")));
    }

    /// What each commit of the log added.
    fn commits(&self) -> Vec<Added> {
        let (mut commits, mut before) = (Vec::new(), Added::new());
        for commit in self.room.git(&["rev-list", "--reverse", LOG]).lines() {
            let listed = self.room.git(&["ls-tree", "-r", "--name-only", commit]);
            let mut added = Added::new();
            for path in listed.lines().filter(|path| !covered::is_derived(path) && !before.contains_key(*path)) {
                let bytes = self.room.git_with(&["cat-file", "blob", &format!("{commit}:{path}")], b"", None);
                added.insert(path.to_owned(), bytes);
            }
            before.extend(added.clone());
            commits.push(added);
        }
        commits
    }

    /// Writes the log anew in a mirror, and has Anna sign it.
    fn mirror(&self, name: &str, commits: &[Added]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let repository = home.path().join(name);
        self.room.git(&["clone", "-q", "--mirror", ".", repository.to_str().unwrap()]);
        let room = Room { home, repository, fingerprint: self.room.fingerprint.clone() };
        let index = room.home.path().join("index");
        let git = |arguments: &[&str], input: &[u8]| {
            String::from_utf8(room.git_with(arguments, input, Some(&index))).unwrap().trim().to_owned()
        };
        let add = |path: &str, bytes: &[u8]| {
            let blob = git(&["hash-object", "-w", "--stdin"], bytes);
            git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")], b"");
        };
        let mut parent: Option<String> = None;
        for (number, added) in commits.iter().enumerate() {
            for (path, bytes) in added {
                add(path, bytes);
            }
            if number + 1 == commits.len() {
                add("checkpoint", covered::checkpoint(commits, &key(31)).as_bytes());
            }
            let tree = git(&["write-tree"], b"");
            let parents = parent.iter().flat_map(|parent| ["-p", parent.as_str()]);
            parent =
                Some(git(&["commit-tree", "-m", "log", &tree].into_iter().chain(parents).collect::<Vec<_>>(), b""));
        }
        room.git(&["update-ref", LOG, &parent.unwrap()]);
        Self { room, anna: key(31) }
    }

    /// Demands that both verifiers end alike: with this exit code, and for the same reason.
    fn judged(&self, name: &str, what: &str, expected: &str) {
        let first = self.room.baseline(&["verify", name, "--trust", &self.room.fingerprint]);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/verify.py");
        let mut python = self.room.command("python3");
        python.arg(script).arg(".").arg(&self.room.fingerprint).arg(name).env("PYTHONDONTWRITEBYTECODE", "1");
        let second = python.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (one, two) = (text(&first.stdout) + &text(&first.stderr), text(&second.stdout) + &text(&second.stderr));
        println!("{what:<60} {expected}: program {:?}, verify.py {:?}", first.status.code(), second.status.code());
        assert_eq!(first.status.code(), second.status.code(), "{what}\n{one}\n{two}");
        if expected == "verified" {
            assert_eq!(first.status.code(), Some(0), "{what}\n{one}\n{two}");
        } else {
            assert!(
                one.contains(&format!("[{expected}]")) && two.contains(expected),
                "{what}: {expected}\n{one}\n{two}"
            );
            assert!(!one.contains(&format!("verified {name}")) && !two.contains(&format!("verified {name}")), "{what}");
        }
    }
}

/// The place of a file, and the commit that added it.
fn find(commits: &[Added], wanted: impl Fn(&str) -> bool) -> (usize, String) {
    let found = commits
        .iter()
        .enumerate()
        .find_map(|(at, added)| added.keys().find(|path| wanted(path)).map(|path| (at, path.clone())));
    found.expect("the log has such a file")
}

/// The sign-offs in a folder, as paths.
fn sign_offs(commits: &[Added], folder: &str) -> Vec<(usize, String)> {
    let all = commits.iter().enumerate().flat_map(|(at, added)| added.keys().map(move |path| (at, path.clone())));
    let within = |path: &str| path.starts_with(&format!("{folder}signoffs/")) && path.strip_suffix(".cbor").is_some();
    all.filter(|(_, path)| within(path)).collect()
}

/// Puts another sign-off in the place of one, signed by `key`. Returns its digest.
fn replace(
    commits: &mut [Added],
    (at, path): &(usize, String),
    key: &PrivateKey,
    change: impl FnOnce(&mut SignOff),
) -> Digest {
    let bytes = commits[*at].remove(path).unwrap();
    commits[*at].remove(&format!("{path}.sig"));
    let (header, mut said) = codec::decode::<SignOff>(&bytes).unwrap();
    change(&mut said);
    let bytes = codec::encode(header.baseline.as_ref(), &said);
    let digest = Digest::of(&bytes);
    let signature = key.sign("git-baseline.signoff", &bytes).unwrap().to_armor();
    let folder = path.rsplit_once('/').unwrap().0;
    commits[*at].insert(format!("{folder}/{digest}.cbor.sig"), signature.into_bytes());
    commits[*at].insert(format!("{folder}/{digest}.cbor"), bytes);
    digest
}

/// Has everybody sign release 1.3.0 again, with something else in it, on the log as it is now.
fn release_again(commits: &mut [Added], change: impl FnOnce(&mut Release)) {
    let folder = "releases/1.3.0/";
    let statement = format!("{folder}release.cbor");
    let (at, _) = find(commits, |path| path == statement);
    let (header, mut release) = codec::decode::<Release>(&commits[at][&statement]).unwrap();
    let leaves = covered::leaves(commits);
    let count = covered::leaves(&commits[..at]).len();
    release.log = codec::log_head(&leaves[..count]);
    change(&mut release);
    let bytes = codec::encode(header.baseline.as_ref(), &release);
    let digest = Digest::of(&bytes);
    commits[at].insert(statement, bytes);
    let keys = keys();
    for place in sign_offs(commits, folder) {
        let (_, said) = codec::decode::<SignOff>(&commits[place.0][&place.1]).unwrap();
        replace(commits, &place, &keys[&said.person], |said| said.target.digest = digest);
    }
}

fn approval(commits: &[Added], id: &str) -> (usize, String) {
    let all = sign_offs(commits, &format!("changes/{id}/"));
    let approves = |place: &&(usize, String)| {
        let (_, said) = codec::decode::<SignOff>(&commits[place.0][&place.1]).unwrap();
        said.meaning.as_str() == "approved"
    };
    all.iter().find(approves).unwrap().clone()
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
fn both_verifiers_judge_a_company_alike() {
    if is_missing() {
        return;
    }
    let company = Company::build();
    for name in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        company.judged(name, "what three persons did", "verified");
    }
    let good = company.commits();
    company.mirror("anew", &good).judged("1.3.0", "the log written anew", "verified");
    let forged = |what: &str, expected: &str, change: &dyn Fn(&mut Vec<Added>)| {
        let mut commits = good.clone();
        change(&mut commits);
        company.mirror("forged", &commits).judged("1.3.0", what, expected);
    };

    forged("everybody signs the same release again", "verified", &|commits| release_again(commits, |_| {}));
    forged("an approval by the author's other key", "GB-BIND-CHANGES", &|commits| {
        let place = approval(commits, "CR-3");
        let digest = replace(commits, &place, &key(31), |said| {
            said.person = person("anna");
            said.printed_name = "Anna".into();
        });
        release_again(commits, |release| release.changes[0].approvals = vec![digest]);
    });
    forged("no approval at all, and none stated", "GB-CHANGE-UNAPPROVED", &|commits| {
        let (at, path) = approval(commits, "CR-3");
        commits[at].retain(|found, _| !found.starts_with(&path));
        release_again(commits, |release| release.changes[0].approvals.clear());
    });
    forged("an approval of another change", "GB-BIND-CHANGES", &|commits| {
        let (at, path) = approval(commits, "CR-2");
        let copied: Vec<_> = commits[at].iter().filter(|(found, _)| found.starts_with(&path)).collect();
        let copied: Added =
            copied.into_iter().map(|(found, bytes)| (found.replace("CR-2", "CR-3"), bytes.clone())).collect();
        let digest = copied.iter().find(|(path, _)| path.strip_suffix(".cbor").is_some()).map(|(_, b)| Digest::of(b));
        let (at, path) = approval(commits, "CR-3");
        commits[at].retain(|found, _| !found.starts_with(&path));
        commits[at].extend(copied);
        release_again(commits, |release| release.changes[0].approvals = digest.into_iter().collect());
    });
    forged("an approval of other content", "GB-BIND-CHANGES", &|commits| {
        let place = approval(commits, "CR-3");
        let digest = replace(commits, &place, &key(32), |said| said.target.digest = Digest::of(b"before"));
        release_again(commits, |release| release.changes[0].approvals = vec![digest]);
    });
    forged("a content that the records do not have", "GB-BIND-CHANGES", &|commits| {
        let content = Digest::of(b"other");
        let place = approval(commits, "CR-3");
        let digest = replace(commits, &place, &key(32), |said| said.target.digest = content);
        release_again(commits, |release| {
            release.changes[0].content = content;
            release.changes[0].approvals = vec![digest];
            release.changes[0].verifications.clear();
        });
    });
    forged("a verification that says nothing of what was tested", "GB-BIND-CHANGES", &|commits| {
        let all = sign_offs(commits, "changes/CR-3/");
        let place = all.iter().find(|place| **place != approval(commits, "CR-3")).unwrap().clone();
        let digest = replace(commits, &place, &key(33), |said| said.verification = None);
        release_again(commits, |release| release.changes[0].verifications = vec![digest]);
    });
    let later = |commits: &mut Vec<Added>, both: bool| {
        let tomorrow = |said: &mut SignOff| said.time = Timestamp::from_seconds(1_790_086_400);
        let approved = approval(commits, "CR-3");
        let all = sign_offs(commits, "changes/CR-3/");
        let verified = all.iter().find(|place| **place != approved).unwrap().clone();
        let verified = replace(commits, &verified, &key(33), tomorrow);
        let approved =
            replace(commits, &approved, &key(32), |said| if both { tomorrow(said) } else { said.reason = "x".into() });
        release_again(commits, |release| {
            release.changes[0].approvals = vec![approved];
            release.changes[0].verifications = vec![verified];
        });
    };
    // One person's clock stops nobody: all that is left to say is that the old statement's ref is not this one's.
    forged("a release earlier than one person's claim before it", "GB-REF-ALTERED", &|commits| later(commits, false));
    forged("a release earlier than two persons' claims before it", "GB-TIME-BACKWARDS", &|commits| {
        later(commits, true);
    });
    forged("one signature of two", "GB-RELEASE-PROPOSED", &|commits| {
        let (at, path) = sign_offs(commits, "releases/1.3.0/").pop().unwrap();
        commits[at].retain(|found, _| !found.starts_with(&path));
    });
    forged("a signature by the key that was retired", "GB-SIG-THRESHOLD", &|commits| {
        let place = sign_offs(commits, "releases/1.3.0/").into_iter().next().unwrap();
        replace(commits, &place, &company.anna, |said| said.reason = "with the old key".into());
    });
    forged("two signatures of one person", "GB-SIG-THRESHOLD", &|commits| {
        let place = sign_offs(commits, "releases/1.3.0/").pop().unwrap();
        replace(commits, &place, &key(31), |said| {
            said.person = person("anna");
            said.printed_name = "Anna".into();
            said.reason = "once more".into();
        });
    });
    roots(&company, &good);
}

/// The newest root that the log has, with its place.
fn newest_root(commits: &[Added]) -> (usize, String) {
    let mut roots = commits.iter().enumerate().flat_map(|(at, added)| added.keys().map(move |path| (at, path.clone())));
    roots.rfind(|(_, path)| path.starts_with("trust/") && path.ends_with("/root.cbor")).unwrap()
}

fn roots(company: &Company, good: &[Added]) {
    let (at, path) = newest_root(good);
    let folder = path.strip_suffix("root.cbor").unwrap().to_owned();
    let (header, root) = codec::decode::<TrustRoot>(&good[at][&path]).unwrap();

    // Berta's signature came after it: without it the root is no more than a proposal.
    let mut commits = good.to_vec();
    let berta = |added: &Added| added.keys().any(|found| found.starts_with(&format!("{folder}signatures/")));
    let second = commits.iter().rposition(berta).unwrap();
    assert!(second > at);
    commits[second].retain(|found, _| !found.starts_with(&format!("{folder}signatures/")));
    release_again(&mut commits, |_| {});
    let forged = company.mirror("below", &commits);
    forged.judged("1.3.0", "a root signed below the threshold of the one before", "GB-BIND-STATEMENT");

    // Its revocation is taken out of its bytes, which nobody signed so.
    let stripped = TrustRoot { revocations: Vec::new(), ..root.clone() };
    let mut commits = good.to_vec();
    commits[at].insert(path.clone(), codec::encode(header.baseline.as_ref(), &stripped));
    release_again(&mut commits, |_| {});
    company.mirror("stripped", &commits).judged("1.3.0", "a revocation taken out", "GB-BIND-STATEMENT");

    // Both sign a next one without the revocation, or with a lower floor: it has no effect, and refuses nothing.
    let next = TrustRoot {
        version: root.version + 1,
        predecessor: Some(Digest::of(&good[at][&path])),
        log: Some(codec::log_head(&covered::leaves(good))),
        time: Timestamp::from_seconds(root.time.seconds() + 1),
        ..root
    };
    let append = |next: &TrustRoot| {
        let bytes = codec::encode(header.baseline.as_ref(), next);
        let mut added = Added::from([(format!("trust/{}/root.cbor", next.version), bytes.clone())]);
        for signer in [key(31), key(32)] {
            let armour = signer.sign("git-baseline.root", &bytes).unwrap().to_armor();
            let name = format!("trust/{}/signatures/{}.sig", next.version, Digest::of(armour.as_bytes()));
            added.insert(name, armour.into_bytes());
        }
        company.mirror("next", &[good, &[added]].concat())
    };
    append(&next).judged("1.3.0", "a next root, signed by both", "verified");
    let lost = TrustRoot { revocations: Vec::new(), ..next.clone() };
    append(&lost).judged("1.3.0", "a next root that loses the revocation", "verified");
    // Enough persons signed for another log than this: nothing is believed.
    let mut head = next.log.unwrap();
    head.size -= 1;
    append(&TrustRoot { log: Some(head), ..next.clone() }).judged("1.3.0", "a root made on another log", "GB-LOG-FORK");
    // A revocation that reaches back takes the approval with it.
    let mut always = next;
    always.revocations.push(git_baseline::domain::Revocation {
        key: key(33).public_key().clone(),
        kind: git_baseline::domain::RevocationKind::CompromisedAlways,
        since: None,
        reason: String::new(),
    });
    always.revocations.sort_by(|a, b| a.key.cmp(&b.key));
    append(&always).judged("1.3.0", "the tester's key was never to be trusted", "GB-BIND-CHANGES");
}
