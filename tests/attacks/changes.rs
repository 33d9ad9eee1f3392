//! A26, A31 to A33: change control that is bypassed, and approvals that are used for something else.

use git_baseline::domain::{ChangeRequest, ChangeType, Release, Timestamp};
use git_baseline::jobs;
use git_baseline::store::{Access, Identity, Location, Repository};

use crate::forge::Statements;
use crate::judge::{no_effect, stopped};
use crate::support::{CERTIFICATE, EXPIRED, NOW, RENEWED, log_files};
use crate::team::{Format, LOG, Team};

const DAY: i64 = 86_400;

fn later(days: i64) -> String {
    (NOW.parse::<i64>().unwrap() + days * DAY).to_string()
}

impl Team {
    /// Anna and Berta release what their own gate stops: Anna with a program without the gate, Berta with a key alone.
    pub(crate) fn release_past_the_gate(&self, name: &str, time: &str) {
        let location = Location { directory: self.dir.clone(), git_dir: None, index_file: None };
        let repository = Repository::open(&location, Access::Write).unwrap();
        let mut log = jobs::Log::open(&repository).unwrap();
        let trust = log.trust_as_claimed().unwrap();
        let release = git_baseline::domain::ReleaseName::parse(name).unwrap();
        let time: i64 = time.parse().unwrap();
        let now = Timestamp::from_seconds(time);
        let head = repository.head_commit().unwrap().unwrap();
        let mut draft = jobs::draft(&repository, &log, &trust, &release, head, now, &jobs::Silent).unwrap();
        draft.blocked.clear();
        // Our own program would not set its clock back.
        (draft.statement.time, draft.statement.as_of) = (now, now);
        let identity = Identity { name: "Anna Adler".into(), email: "anna@example.org".into(), time };
        jobs::make(&repository, &log, &trust, draft, &self.private("anna"), &identity).unwrap();
        let folder = format!("releases/{name}");
        let files = log_files(self, LOG);
        let path = files.keys().rfind(|path| path.starts_with(&folder) && path.ends_with("/release.cbor")).unwrap();
        let bytes = self.blob(&format!("{LOG}:{path}"));
        self.log(&self.released_by(name, &bytes, &["berta"]));
        self.by("anna", &["repair"]).exits(0);
    }

    /// The gate must stop a release for this reason, and verification must refuse it where somebody signed it all the same.
    #[track_caller]
    fn unreleasable(&self, name: &str, reason: &str) {
        stopped(self.by("anna", &["release", name]), 1, "GB-GATE-BLOCKED", reason);
        self.release_past_the_gate(name, NOW);
        self.refused(&["verify", name], 1, "GB-CHANGE-UNAPPROVED", reason);
    }
}

fn weaken(team: &Team) {
    let policy = std::fs::read_to_string(team.dir.join(".baseline/policy.toml")).unwrap();
    let weak = policy.replace("required = true", "required = false");
    team.write(".baseline/policy.toml", weak + "\n[[exclude]]\npattern = \"/config/\"\nreason = \"not ours\"\n");
}

fn recorded(team: &Team, message: &str) -> String {
    let commit = team.commit_as("anna", message);
    team.by("anna", &["record"]).exits(0);
    commit
}

pub(crate) fn rules_weakened_in_the_range() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        weaken(&team);
        team.write("config/tls/gateway.pem", CERTIFICATE);
        let commit = recorded(&team, "Tidy up");
        team.unreleasable("1.2.0", &commit[..12]);
    }
    // In three commits: out of control, swapped, and back again.
    let team = Team::new();
    let strict = std::fs::read(team.dir.join(".baseline/policy.toml")).unwrap();
    weaken(&team);
    recorded(&team, "Tidy up");
    team.write("config/tls/gateway.pem", CERTIFICATE);
    let swapped = recorded(&team, "Tidy up more");
    team.write(".baseline/policy.toml", strict);
    recorded(&team, "Tidy up again");
    team.unreleasable("1.2.0", &swapped[..12]);
    // The weakening under a request of its own, which quality approved, counts from the next release on.
    let twin = Team::new();
    twin.change("CR-3", weaken);
    twin.release("1.2.0");
    twin.write("config/tls/gateway.pem", CERTIFICATE);
    recorded(&twin, "Free now");
    twin.release("1.3.0");
    twin.verified(&["1.1.0", "1.2.0", "1.3.0"]);
}

pub(crate) fn weakening_approved_by_nobody_of_quality() {
    let team = Team::new();
    team.changed("CR-3", weaken);
    let only = ["trust", "set-role", "quality", "--person", "anna"];
    team.by("anna", &only).exits(0);
    team.by("berta", &["sign", "CR-3", "--meaning", "approved"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    team.unreleasable("1.2.0", "quality or security");
}

pub(crate) fn approval_used_again_after_a_revert() {
    let team = Team::new();
    team.change("CR-3", |team| team.write("config/tls/gateway.pem", CERTIFICATE));
    team.release("1.2.0");
    // The content of CR-2, which was approved before 1.1.0, once more.
    team.write("config/tls/gateway.pem", RENEWED);
    recorded(&team, "Again\n\nChange-Request: CR-2");
    team.unreleasable("1.3.0", "change CR-2 is not approved");
    team.verified(&["1.0.0", "1.1.0", "1.2.0"]);
}

pub(crate) fn approval_of_another_change() {
    let team = Team::new();
    team.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin yes\n"));
    team.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    team.changed("CR-4", |team| team.write("etc/sshd_config", "PermitRootLogin yes\n"));
    let moved: Statements = log_files(&team, LOG)
        .keys()
        .filter_map(|path| Some((format!("changes/CR-4/{}", path.strip_prefix("changes/CR-3/")?), path)))
        .filter(|(path, _)| path.contains("/signoffs/"))
        .map(|(to, path)| (to, team.blob(&format!("{LOG}:{path}"))))
        .collect();
    assert_eq!(moved.len(), 4);
    team.log(&moved);
    team.unreleasable("1.2.0", "change CR-4 is not approved");
    let twin = Team::new();
    twin.change("CR-4", |team| team.write("etc/sshd_config", "PermitRootLogin prohibit-password\n"));
    twin.release("1.2.0");
    twin.verified(&["1.2.0"]);
}

pub(crate) fn content_changed_after_approval() {
    let team = Team::new();
    team.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
    team.write("etc/sshd_config", "PermitRootLogin prohibit-password\nPort 2222\n");
    recorded(&team, "One more thing\n\nChange-Request: CR-3");
    team.unreleasable("1.2.0", "change CR-3 is not approved");
    // The same content in other words and other commits keeps its approval.
    let twin = Team::new();
    twin.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
    twin.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    recorded(&twin, "In other words\n\nChange-Request: CR-3");
    twin.release("1.2.0");
    twin.verified(&["1.2.0"]);
}

pub(crate) fn evil_merge_and_side_branch() {
    let team = Team::new();
    team.git(&["checkout", "--quiet", "-b", "side", "main~1"]);
    team.changed("CR-3", |team| team.write("requirements.txt", "requests==2.32.0\n"));
    team.approve("CR-3");
    team.git(&["checkout", "--quiet", "main"]);
    team.git(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    team.write("etc/sshd_config", "PermitRootLogin yes\n");
    let merge = recorded(&team, "Merge side");
    team.unreleasable("1.2.0", &merge[..12]);
    // A side branch that was never looked at.
    let team = Team::new();
    team.git(&["checkout", "--quiet", "-b", "side", "main~1"]);
    team.write("etc/sshd_config", "PermitRootLogin yes\n");
    let hidden = recorded(&team, "Quick fix");
    team.git(&["checkout", "--quiet", "main"]);
    team.git(&["merge", "--quiet", "--no-ff", "-m", "Merge side", "side"]);
    team.by("anna", &["record"]).exits(0);
    team.unreleasable("1.2.0", &hidden[..12]);
    // A merge that only brings together what was approved answers for nothing.
    let twin = Team::new();
    twin.git(&["checkout", "--quiet", "-b", "side", "main~1"]);
    twin.change("CR-3", |team| team.write("requirements.txt", "requests==2.32.0\n"));
    twin.git(&["checkout", "--quiet", "main"]);
    twin.git(&["merge", "--quiet", "--no-ff", "-m", "Merge side", "side"]);
    twin.by("anna", &["record"]).exits(0);
    twin.release("1.2.0");
    twin.verified(&["1.2.0"]);
}

pub(crate) fn predecessor_that_was_only_proposed() {
    let team = Team::new();
    team.write("etc/sshd_config", "PermitRootLogin yes\n");
    recorded(&team, "Nobody judges this");
    team.by("anna", &["change", "open", "CR-3", "--title", "Nothing"]).exits(0);
    // A proposal that answers for the commit, which nobody else signs.
    let path = "releases/1.1.0/release.cbor";
    let mut release: Release = team.statement(path);
    let before = git_baseline::domain::Digest::of(&team.blob(&format!("{LOG}:{path}")));
    release.name = git_baseline::domain::ReleaseName::parse("1.2.0-rc").unwrap();
    release.sequence = 3;
    release.predecessor = Some(before);
    release.commit = git_baseline::domain::ObjectId::parse(&team.head()).unwrap();
    let proposal = git_baseline::codec::encode(Some(&team.baseline_id()), &release);
    let mut files = team.released_by("1.2.0-rc", &proposal, &["anna"]);
    files.insert("releases/1.2.0-rc/release.cbor".into(), proposal.clone());
    team.log(&files);
    let mut next = release.clone();
    next.name = git_baseline::domain::ReleaseName::parse("1.2.0").unwrap();
    next.sequence = 4;
    next.log = team.log_head();
    next.predecessor = Some(git_baseline::domain::Digest::of(&proposal));
    let bytes = git_baseline::codec::encode(Some(&team.baseline_id()), &next);
    let mut files = team.released_by("1.2.0", &bytes, &["anna", "berta"]);
    files.insert("releases/1.2.0/release.cbor".into(), bytes);
    team.log(&files);
    team.refused(&["verify", "1.2.0"], 1, "GB-CHAIN-PREDECESSOR", "1.2.0");
    team.verified(&["1.1.0"]);
}

pub(crate) fn emergency_of_nobody() {
    let team = Team::new();
    team.by("anna", &["change", "open", "CR-3", "--title", "Now!", "--type", "emergency"]).exits(0);
    team.write("etc/sshd_config", "PermitRootLogin yes\n");
    recorded(&team, "Now\n\nEmergency: yes\nApproved-by: Berta Blum <berta@example.org>\nChange-Request: CR-3");
    team.unreleasable("1.2.0", "change CR-3 is not approved");
}

/// An emergency that one approver let pass, released, and never judged.
fn passed_emergency(team: &Team, open: impl FnOnce(&Team)) {
    open(team);
    team.by("berta", &["sign", "CR-3", "--meaning", "approved"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    recorded(team, "Now\n\nChange-Request: CR-3");
    team.release("1.2.0");
    team.verified(&["1.2.0"]);
    team.change("CR-4", |team| team.write("requirements.txt", "requests==2.32.0\n"));
}

pub(crate) fn emergency_overdue() {
    let team = Team::new();
    passed_emergency(&team, |team| {
        team.by("anna", &["change", "open", "CR-3", "--title", "Now!", "--type", "emergency"]).exits(0);
    });
    let late = later(30);
    stopped(team.at_time(&late, "anna", &["release", "1.3.0"]), 1, "GB-GATE-BLOCKED", "emergency change CR-3");
    team.release_past_the_gate("1.3.0", &late);
    team.refused(&["verify", "1.3.0"], 1, "GB-CHANGE-UNAPPROVED", "emergency change CR-3");
    let twin = Team::new();
    passed_emergency(&twin, |team| {
        team.by("anna", &["change", "open", "CR-3", "--title", "Now!", "--type", "emergency"]).exits(0);
    });
    twin.release("1.3.0");
    twin.verified(&["1.3.0"]);
}

pub(crate) fn emergency_that_is_never_overdue() {
    let team = Team::new();
    passed_emergency(&team, |team| {
        team.by("anna", &["change", "open", "CR-2b", "--title", "x"]).exits(0);
        let files = log_files(team, LOG);
        let path = files.keys().find(|path| path.starts_with("changes/CR-2b/requests/")).unwrap().clone();
        let mut request: ChangeRequest = team.statement(path.trim_end_matches(".sig"));
        request.id = git_baseline::domain::ChangeId::parse("CR-3").unwrap();
        request.change_type = ChangeType::Emergency;
        request.time = Timestamp::from_seconds(4_000_000_000);
        team.log(&team.signed("changes/CR-3/requests/x.cbor", &request, "anna"));
    });
    stopped(team.at_time(&later(30), "anna", &["release", "1.3.0"]), 1, "GB-GATE-BLOCKED", "emergency change CR-3");
}

pub(crate) fn clock_set_back() {
    let team = Team::new();
    passed_emergency(&team, |team| {
        team.by("anna", &["change", "open", "CR-3", "--title", "Now!", "--type", "emergency"]).exits(0);
    });
    let late = later(30);
    let reviewed = |person: &str| {
        team.at_time(&late, person, &["sign", "1.1.0", "--meaning", "reviewed"]).exits(0);
        team.by("anna", &["checkpoint"]).exits(0);
    };
    // One person's clock may be wrong, and stops nobody: the emergency is judged as the release's maker claims.
    reviewed("carl");
    team.by("anna", &["release", "1.3.0", "--dry-run"]).exits(0);
    // Two say that it is July, and the release's maker that it is June, where the emergency has time left.
    reviewed("berta");
    team.release_past_the_gate("1.3.0", NOW);
    team.refused(&["verify", "1.3.0"], 1, "GB-TIME-BACKWARDS", "1.3.0");
    team.verified(&["1.0.0", "1.1.0"]);
}

pub(crate) fn standing_change_of_nobody() {
    let team = Team::new();
    let file = team.place.path("home/standing.toml");
    let text = "title = \"Updates\"\ntype = \"standard\"\n[standing]\nbot = \"anna\"\nbound = \"patch\"\ncount = 9\n\
                expires = \"2027-01-01\"\npackages = [\"pkg:pypi/requests\"]\n";
    std::fs::write(&file, text).unwrap();
    let opening = ["change", "open", "CR-3", "--type", "standard", "--from", file.to_str().unwrap()];
    team.by("anna", &opening).exits(0);
    team.write("requirements.txt", "requests==2.31.1\n");
    recorded(&team, "Update\n\nStanding-Change: CR-3\nChange-Request: CR-3");
    team.unreleasable("1.2.0", "change CR-3 is not approved");
    // Approved as a request, but its commit is by a person and not by a bot.
    let team = Team::new();
    team.by("anna", &opening.map(|part| if part.ends_with(".toml") { "CR.toml" } else { part })).exits(2);
    std::fs::write(team.place.path("home/standing.toml"), text).unwrap();
    let path = team.place.path("home/standing.toml");
    let opening = ["change", "open", "CR-3", "--type", "standard", "--from", path.to_str().unwrap()];
    team.by("anna", &opening).exits(0);
    team.by("berta", &["sign", "CR-3", "--meaning", "approved"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    team.write("requirements.txt", "requests==2.31.1\n");
    recorded(&team, "Update\n\nChange-Request: CR-3");
    team.unreleasable("1.2.0", "does not hold the role bot");
}

const DEVIATION: &str = "[[deviation]]\nid = \"D-1\"\nclause = \"certificate-expired\"\nscope = \"/config/tls/old.pem\"\n\
     reason = \"approved by Berta Blum\"\ncompensating_control = \"none\"\nissued = \"2026-05-01\"\nexpires = \"2026-12-31\"\n";

fn deviate(team: &Team) {
    team.write("config/tls/old.pem", EXPIRED);
    team.write(".baseline/deviations.toml", DEVIATION);
}

pub(crate) fn deviation_by_its_text() {
    let team = Team::new();
    team.change("CR-3", deviate);
    stopped(team.by("anna", &["release", "1.2.0"]), 1, "GB-GATE-BLOCKED", "certificate-expired");
    stopped(team.by("anna", &["sign", "deviation:D-1", "--meaning", "approved"]), 1, "GB-CHANGE-OWN", "anna");
    team.by("berta", &["sign", "deviation:D-1", "--meaning", "approved"]).exits(0);
    team.release("1.2.0");
    team.verified(&["1.2.0"]);
    // Another reason is another deviation.
    team.change("CR-4", |team| {
        team.write(".baseline/deviations.toml", DEVIATION.replace("2026-12-31", "2027-12-31"));
    });
    stopped(team.by("anna", &["release", "1.3.0"]), 1, "GB-GATE-BLOCKED", "certificate-expired");
}

pub(crate) fn deviation_approved_by_its_writer_on_a_side_branch() {
    let team = Team::new();
    team.git(&["checkout", "--quiet", "-b", "side"]);
    team.change("CR-3", deviate);
    team.git(&["checkout", "--quiet", "main"]);
    let merge = ["merge", "--quiet", "--no-ff", "-m", "Merge side", "side"];
    let mut command = team.command("git", &merge);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Carl Cohn").env(format!("GIT_{role}_EMAIL"), "carl@example.org");
    }
    crate::support::run(command, b"").exits(0);
    team.by("carl", &["record"]).exits(0);
    stopped(team.by("anna", &["sign", "deviation:D-1", "--meaning", "approved"]), 1, "GB-CHANGE-OWN", "anna");
}

pub(crate) fn deviation_approved_by_its_writer_under_another_address() {
    let team = Team::new();
    team.by("anna", &["change", "open", "CR-3", "--title", "x"]).exits(0);
    deviate(&team);
    team.commit_under("anna", "anna@home.example", "A deviation\n\nChange-Request: CR-3");
    team.by("anna", &["record"]).exits(0);
    stopped(team.by("anna", &["sign", "deviation:D-1", "--meaning", "approved"]), 1, "GB-CHANGE-OWN", "anna");
}

pub(crate) fn gate_that_was_not_asked() {
    // Two signers release a commit that their own gate stops for what it holds.
    let team = Team::new();
    team.change("CR-3", |team| team.write("config/tls/old.pem", EXPIRED));
    stopped(team.by("anna", &["release", "1.2.0"]), 1, "GB-GATE-BLOCKED", "certificate-expired");
    team.release_past_the_gate("1.2.0", NOW);
    team.refused(&["verify", "1.2.0"], 1, "GB-GATE-BLOCKED", "certificate-expired");
}

pub(crate) fn stricter_rules_later_unmake_nothing() {
    let team = Team::new();
    let two = ["trust", "set-role", "approver", "--person", "berta", "--person", "carl", "--threshold", "2"];
    team.by("anna", &two).exits(0);
    team.verified(&["1.0.0", "1.1.0"]);
    team.by("anna", &["trust", "raise-floors", "--approvals", "2", "--change-control"]).exits(0);
    team.verified(&["1.0.0", "1.1.0"]);
    no_effect("(benign)");
}

pub(crate) fn missing_statement_of_a_range() {
    // A release that leaves out the commit that it does not want to answer for.
    let team = Team::new();
    team.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
    team.write("requirements.txt", "requests==2.32.0\n");
    let extra = team.commit_as("anna", "Nobody looks here\n\nChange-Request: CR-3");
    stopped(team.by("anna", &["release", "1.2.0"]), 1, "GB-COVER-RECORD-MISSING", &extra[..12]);
    team.by("anna", &["record"]).exits(0);
    team.approve("CR-3");
    team.release("1.2.0");
    team.verified(&["1.2.0"]);
    let path = "releases/1.2.0/release.cbor";
    let mut release: Release = team.statement(path);
    release.range.retain(|entry| entry.commit.to_string() != extra);
    release.name = git_baseline::domain::ReleaseName::parse("1.2.1").unwrap();
    release.sequence = 4;
    release.predecessor = Some(git_baseline::domain::Digest::of(&team.blob(&format!("{LOG}:{path}"))));
    release.log = team.log_head();
    let bytes = git_baseline::codec::encode(Some(&team.baseline_id()), &release);
    let mut files = team.released_by("1.2.1", &bytes, &["anna", "berta"]);
    files.insert("releases/1.2.1/release.cbor".into(), bytes);
    for name in ["manifest.cbor", "sbom.cdx.json", "sbom.spdx.json"] {
        files.insert(format!("releases/1.2.1/{name}"), team.blob(&format!("{LOG}:releases/1.2.0/{name}")));
    }
    team.log(&files);
    team.refused(&["verify", "1.2.1"], 1, "GB-COVER-RANGE", "1.2.1");
}
