//! Three persons with keys as OpenSSH makes them: a plain file, one that lives in ssh-agent only, and one behind a
//! passphrase. They open a change, approve and verify it, and release at a threshold of two; an auditor with a bare clone
//! and one fingerprint gets his answers.
//!
//! Serves requirements §3, questions 3, 4, 5 and 9. What is refused on the way is refused by name.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{RENEWED, Ran, Repo, make_executable};

const RECORD: &str = "results = \"passed\"\nanomalies = \"none\"\nversion_tested = \"1.0-rc1\"\nconfiguration = \"rig 2\"\n\
                      tools = \"bench\"\ndate = \"2026-09-21\"\ntester = \"Carl\"\n";

/// An agent of its own, gone with the test.
struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(repo: &Repo) -> Self {
        let socket = repo.place.path("agent");
        let process = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !socket.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { process, socket }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Company {
    repo: Repo,
    agent: Agent,
    /// Answers with the passphrase of Berta's key.
    askpass: PathBuf,
    /// Names Carl's key, whose file is gone.
    carl: String,
}

impl Company {
    fn path(&self, name: &str) -> String {
        self.repo.place.path(&format!("home/{name}")).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.repo.baseline_with(&[("SSH_AUTH_SOCK", &self.agent.socket), ("SSH_ASKPASS", &self.askpass)], arguments)
    }

    fn keygen(repo: &Repo, name: &str, passphrase: &str) {
        let path = repo.place.path(&format!("home/{name}"));
        let key = ["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", path.to_str().unwrap()];
        repo.run("ssh-keygen", &key).exits(0);
    }

    fn begin() -> Self {
        let repo = Repo::sample(&[]);
        for (name, passphrase) in [("anna", ""), ("anna2", ""), ("berta", "two secret words"), ("carl", "")] {
            Self::keygen(&repo, name, passphrase);
        }
        let agent = Agent::start(&repo);
        let carl = repo.place.path("home/carl");
        let mut add = repo.command("ssh-add", &["-q", carl.to_str().unwrap()]);
        assert!(add.env("SSH_AUTH_SOCK", &agent.socket).status().unwrap().success());
        fs::remove_file(&carl).unwrap();
        let shown = repo.run("ssh-keygen", &["-lf", repo.place.path("home/carl.pub").to_str().unwrap()]).text();
        let askpass = repo.place.path("askpass");
        fs::write(&askpass, "#!/bin/sh\necho 'two secret words'\n").unwrap();
        make_executable(&askpass);
        let carl = format!("agent:{}", shown.split(' ').nth(1).unwrap());
        fs::write(repo.place.path("home/record.toml"), RECORD).unwrap();
        let company = Self { repo, agent, askpass, carl };
        company.found();
        company
    }

    /// Anna founds the baseline, lets the others join, and asks for two signatures under a release.
    fn found(&self) {
        let (key, second) = (self.path("anna"), self.path("anna2.pub"));
        let person = ["--person", "alice", "--name", "Alice Weber", "--email", "alice@example.org", "--key", &key];
        let begin = ["init", "--product", "Pump", "--offline", "--no-hooks"];
        self.run(&[&begin[..], &person].concat()).exits(0);
        for name in ["berta", "carl"] {
            let (mail, public) = (format!("{name}@example.org"), self.path(&format!("{name}.pub")));
            let who = ["trust", "add-person", name, "--name", name, "--email", &mail, "--key", &public];
            let roles = "--role release --role developer --role approver --role quality".split(' ');
            self.run(&who.into_iter().chain(roles).collect::<Vec<_>>()).exits(0).shows("is in force");
        }
        self.run(&["trust", "add-key", "alice", "--key", &second]).exits(0);
        let all = ["--person", "alice", "--person", "berta", "--person", "carl", "--threshold", "2"];
        self.run(&[&["trust", "set-role", "release"][..], &all].concat()).exits(0);
    }

    /// Anna works under a change request.
    fn work(&self, id: &str, path: &str, content: &str) {
        self.repo.write(path, content);
        self.repo.commit(&format!("Change {path}\n\nChange-Request: {id}"));
        self.run(&["record"]).exits(0);
    }

    fn approve(&self, id: &str, key: &str) -> Ran {
        self.run(&["sign", id, "--meaning", "approved", "--key", key])
    }

    fn change(&self) {
        self.run(&["change", "open", "CR-1", "--title", "Renew the certificate"]).exits(0);
        // Before the work, whoever asked for it may say that he looked at it; agree to it he cannot.
        self.run(&["sign", "CR-1", "--meaning", "reviewed"]).exits(0).shows("no commit names it yet");
        self.run(&["sign", "CR-1", "--meaning", "approved"]).refuses(1, "GB-CHANGE-OWN");
        let policy = fs::read_to_string(self.repo.dir.join(".baseline/policy.toml")).unwrap();
        self.work("CR-1", ".baseline/policy.toml", &policy.replace("required = false", "required = true "));
        self.work("CR-1", "config/tls/gateway.pem", RENEWED);
    }

    /// Berta approves, Carl verifies; neither may sign the log, so Anna covers what they said.
    fn judge(&self, id: &str) {
        self.approve(id, &self.path("berta")).exits(0).says("pending");
        let record = self.path("record.toml");
        self.run(&["sign", id, "--meaning", "verified", "--record", &record, "--key", &self.carl]).exits(0);
        self.run(&["checkpoint"]).exits(0);
    }

    fn release(&self) {
        self.run(&["release", "1.0"]).exits(0).shows("sign 1.0 --meaning released");
        self.run(&["verify", "1.0"]).refuses(1, "GB-RELEASE-PROPOSED");
        // Another key of the same person is the same person.
        let second = self.path("anna2");
        self.run(&["sign", "1.0", "--meaning", "released", "--key", &second]).refuses(2, "GB-USE-SIGNED").says("alice");
        self.run(&["verify", "--all"]).refuses(3, "GB-RELEASE-NONE").says("sign 1.0 --meaning released");
        self.run(&["sign", "1.0", "--meaning", "released", "--key", &self.path("berta")]).exits(0);
        self.run(&["verify", "--all"]).refuses(3, "GB-RELEASE-NONE").says("git baseline checkpoint");
        self.run(&["checkpoint"]).exits(0);
    }
}

#[test]
fn a_change_goes_through_three_persons_and_an_auditor_gets_his_answers() {
    let company = Company::begin();
    company.change();
    company.approve("CR-1", &company.path("anna2")).refuses(1, "GB-CHANGE-OWN").says("alice took part in change CR-1");
    company.judge("CR-1");
    company.release();
    let fingerprint = company.repo.fingerprint();
    let bare = company.repo.mirror("bare.git");
    let state = company.repo.place.path("auditor");
    let auditor = |arguments: &[&str]| bare.baseline_with(&[("XDG_STATE_HOME", &state)], arguments);
    auditor(&["verify", "--all"]).refuses(3, "GB-TRUST-UNPINNED");
    auditor(&["verify", "--all", "--trust", &fingerprint]).exits(0).shows("2 of 2 required signers: alice, berta");
    auditor(&["trust", "pin", &fingerprint]).exits(0);
    // 3: what changed, and who approved each.
    let changes = auditor(&["changes", "1.0", "--format", "json"]).exits(0).json();
    let change = &changes["changes"][0];
    assert_eq!(change["id"], "CR-1");
    assert_eq!(change["approvals"][0]["person"], "berta");
    assert_eq!(change["verifications"][0]["person"], "carl");
    assert_eq!(auditor(&["changes", "..1.0", "--format", "json"]).exits(0).json(), changes);
    // 4: this file: which change request, which approval, which test.
    let trace = auditor(&["trace", "config/tls/gateway.pem"]).exits(0);
    for line in ["CR-1 (normal): Renew the certificate", "approved   berta", "verified   carl", "release 1.0"] {
        assert!(trace.text().contains(line), "{line}");
    }
    // 5: could an author approve his own change.
    auditor(&["changes", "1.0", "--sod"]).exits(0).shows("0 that were asked for");
    // 9: who signed, as what.
    let signatures = auditor(&["signatures", "1.0"]).exits(0).text();
    assert!(signatures.contains("Alice Weber (alice) as release") && signatures.contains("berta (berta) as release"));
}

#[test]
fn an_approval_is_bound_to_its_change_and_to_its_content() {
    let company = Company::begin();
    company.change();
    company.judge("CR-1");
    company.run(&["release", "1.0", "--dry-run"]).exits(0);
    // One more commit under the same change: what was approved is something else.
    company.work("CR-1", "etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    company.run(&["release", "1.0"]).refuses(1, "GB-GATE-BLOCKED");
    company.run(&["changes"]).exits(1).shows("change-unapproved");
    company.approve("CR-1", &company.path("berta")).exits(0);
    company.run(&["checkpoint"]).exits(0);
    company.run(&["release", "1.0", "--dry-run"]).exits(0);
    // What was approved under one change says nothing of another.
    company.run(&["change", "open", "CR-2", "--title", "Another"]).exits(0);
    company.work("CR-2", "etc/sshd_config", "PermitRootLogin no\nPort 22\n");
    company.run(&["release", "1.0"]).refuses(1, "GB-GATE-BLOCKED");
    company.run(&["changes", "--unapproved"]).exits(1).shows("CR-2");
}

#[test]
fn a_key_does_not_sign_itself_away() {
    let company = Company::begin();
    let shown = |name: &str| {
        let public = company.path(&format!("{name}.pub"));
        company.repo.run("ssh-keygen", &["-lf", &public]).text().split(' ').nth(1).unwrap().to_owned()
    };
    let revoke = |key: &str| company.run(&["trust", "revoke-key", key, "--as", "retired"]);
    // What a key signs against itself does not count, and the command says who has to sign.
    revoke(&shown("anna")).exits(0).shows("trust sign --key FILE").shows("does not count");
    company.run(&["trust", "sign", "--key", &company.path("anna2")]).exits(0).shows("is in force");
    company.repo.git(&["config", "baseline.key", &company.path("anna2")]);
    // The last key of the only root signer would leave a baseline that nobody can ever change again.
    revoke(&shown("anna2")).refuses(2, "GB-TRUST-THRESHOLD").says("add-key");
}
