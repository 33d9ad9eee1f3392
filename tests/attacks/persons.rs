//! A34: who took part, and who says so; and keys of persons who left.

use git_baseline::codec::{compose_note, parse_note};
use git_baseline::domain::CommitRecord;

use crate::judge::{no_effect, stopped};
use crate::support::run;
use crate::team::{Format, Team};

const EDIT: &str = "PermitRootLogin no\nPort 2222\n";

/// A change that is committed under an address and recorded by somebody.
fn committed(team: &Team, mail: &str, recorder: &str, trailer: &str) {
    team.by("berta", &["change", "open", "CR-3", "--title", "x", "--key", &team.key_of("carl")]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    team.write("etc/sshd_config", EDIT);
    team.commit_under("anna", mail, &format!("Change\n\n{trailer}Change-Request: CR-3"));
    team.by(recorder, &["record"]).exits(0);
}

pub(crate) fn approval_by_the_author() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        committed(&team, "anna@example.org", "anna", "");
        for key in ["anna", "anna2"] {
            stopped(team.by(key, &["sign", "CR-3", "--meaning", "approved"]), 1, "GB-CHANGE-OWN", "anna");
        }
        // Past the program: the sign-off stands in the log, and does not count.
        let content = content_of(&team);
        let folder = "changes/CR-3/";
        team.log(&team.sign_off(folder, "anna", "anna2", |sign_off| {
            sign_off.role = git_baseline::domain::RoleName::Approver;
            sign_off.meaning = git_baseline::domain::Meaning::Approved;
            sign_off.target.name = "CR-3".into();
            sign_off.target.record_type = "content".into();
            sign_off.target.digest = content;
        }));
        stopped(team.by("anna", &["release", "1.2.0"]), 1, "GB-GATE-BLOCKED", "Anna Adler (anna) took part");
        team.verified(&["1.1.0"]);
    }
}

/// The digest of what is to be approved, as the program shows it.
fn content_of(team: &Team) -> git_baseline::domain::Digest {
    let location = git_baseline::store::Location { directory: team.dir.clone(), git_dir: None, index_file: None };
    let repository = git_baseline::store::Repository::open(&location, git_baseline::store::Access::Read).unwrap();
    let mut log = git_baseline::jobs::Log::open(&repository).unwrap();
    let trust = log.trust_as_claimed().unwrap();
    let head = repository.head_commit().unwrap().unwrap();
    let review =
        git_baseline::jobs::range_changes(&repository, &log, &trust, None, head, &git_baseline::jobs::Silent).unwrap();
    review.changes.iter().find(|change| change.id.as_str() == "CR-3").unwrap().digest()
}

pub(crate) fn commit_in_anothers_name() {
    let team = Team::new();
    // Anna commits as Berta, records it herself, and Berta approves in good faith.
    committed(&team, "berta@example.org", "anna", "");
    stopped(team.by("berta", &["sign", "CR-3", "--meaning", "approved"]), 1, "GB-CHANGE-OWN", "berta");
    stopped(team.by("anna", &["sign", "CR-3", "--meaning", "approved"]), 1, "GB-CHANGE-OWN", "anna");
    stopped(team.by("anna", &["release", "1.2.0"]), 1, "GB-GATE-BLOCKED", "segregation of duties is not proven");
}

pub(crate) fn author_under_another_address() {
    let team = Team::new();
    committed(&team, "anna@home.example", "berta", "");
    team.by("anna", &["sign", "CR-3", "--meaning", "approved"]).exits(0);
    stopped(team.by("anna", &["release", "1.2.0"]), 1, "GB-GATE-BLOCKED", "segregation of duties is not proven");
    team.release_past_the_gate("1.2.0", crate::support::NOW);
    team.refused(&["verify", "1.2.0"], 1, "GB-CHANGE-UNAPPROVED", "segregation of duties is not proven");
}

pub(crate) fn co_author() {
    for trailer in ["Co-authored-by: Berta Blum <berta@example.org>\n", "co-authored-by: B <BERTA@EXAMPLE.ORG>\n"] {
        let team = Team::new();
        committed(&team, "anna@example.org", "anna", trailer);
        stopped(team.by("berta", &["sign", "CR-3", "--meaning", "approved"]), 1, "GB-CHANGE-OWN", "berta");
    }
    let twin = Team::new();
    committed(&twin, "anna@example.org", "anna", "Reviewed-by: Berta Blum <berta@example.org>\n");
    twin.by("berta", &["sign", "CR-3", "--meaning", "approved"]).exits(0);
    twin.release("1.2.0");
    twin.verified(&["1.2.0"]);
}

pub(crate) fn record_that_claims_authorship() {
    // Anna wrote it under Berta's name; Carl, who records for the team, says that he made it, and Anna approves.
    let team = Team::new();
    team.by("berta", &["change", "open", "CR-3", "--title", "x"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    team.write("etc/sshd_config", EDIT);
    team.commit_under("anna", "berta@example.org", "Change\n\nChange-Request: CR-3");
    team.by("carl", &["record"]).exits(0);
    let block = parse_note(&team.note("main")).unwrap().remove(0);
    let (_, mut record) = git_baseline::codec::decode::<CommitRecord>(&block.record).unwrap();
    assert!(!record.recorder.made_by_me);
    record.recorder.made_by_me = true;
    let bytes = git_baseline::codec::encode(Some(&team.baseline_id()), &record);
    let armour = String::from_utf8(team.sign_bytes("carl", "git-baseline.commit", &bytes)).unwrap();
    team.set_note("main", compose_note(&block.summary, &bytes, &armour).as_bytes());
    team.by("anna", &["sign", "CR-3", "--meaning", "approved"]).exits(0);
    stopped(team.by("anna", &["release", "1.2.0"]), 1, "GB-GATE-BLOCKED", "segregation of duties is not proven");
}

pub(crate) fn record_in_anothers_name() {
    let team = Team::new();
    committed(&team, "anna@example.org", "anna", "");
    let block = parse_note(&team.note("main")).unwrap().remove(0);
    let (_, mut record) = git_baseline::codec::decode::<CommitRecord>(&block.record).unwrap();
    record.recorder.person = git_baseline::domain::PersonId::parse("carl").unwrap();
    let bytes = git_baseline::codec::encode(Some(&team.baseline_id()), &record);
    let armour = String::from_utf8(team.sign_bytes("anna", "git-baseline.commit", &bytes)).unwrap();
    team.set_note("main", compose_note(&block.summary, &bytes, &armour).as_bytes());
    team.refused(&["verify", "--commit", "main"], 1, "GB-BIND-PERSON", "carl");
}

pub(crate) fn retired_key_of_an_author() {
    // Anna signed her commit with Git's own means, Berta recorded it. Then Anna's key is retired.
    let team = Team::new();
    team.by("carl", &["change", "open", "CR-3", "--title", "x"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    team.write("etc/sshd_config", EDIT);
    team.git(&["add", "--all"]);
    team.git(&["config", "gpg.format", "ssh"]);
    team.git(&["config", "user.signingKey", &team.key_of("anna2")]);
    let message = "Change\n\nChange-Request: CR-3";
    let mut command = team.command("git", &["commit", "--quiet", "--no-verify", "-S", "-m", message]);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Anna Adler").env(format!("GIT_{role}_EMAIL"), "anna@example.org");
    }
    run(command, b"").exits(0);
    team.by("carl", &["record"]).exits(0);
    team.by("berta", &["sign", "CR-3", "--meaning", "approved"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    team.release("1.2.0");
    team.verified(&["1.2.0"]);
    let key = team.ssh_fingerprint("anna2");
    team.by("anna", &["trust", "revoke-key", &key, "--as", "retired"]).exits(0);
    team.verified(&["1.0.0", "1.1.0", "1.2.0"]);
    no_effect("(benign)");
}
