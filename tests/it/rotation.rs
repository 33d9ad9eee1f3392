//! Keys and certificates that were not replaced in time, as the commits say.

use crate::support::{CERTIFICATE, RENEWED, Repo};

fn dated(repo: &Repo, date: &str, message: &str) {
    repo.git(&["add", "--all"]);
    let mut command = repo.command("git", &["commit", "--quiet", "--allow-empty", "-m", message]);
    command.env("GIT_COMMITTER_DATE", date).env("GIT_AUTHOR_DATE", date);
    crate::support::run(command, b"").exits(0);
}

fn is_overdue(repo: &Repo, as_of: &str) -> bool {
    repo.baseline(&["check", "--as-of", as_of]).text().contains("rotation-overdue")
}

#[test]
fn a_certificate_is_overdue_when_its_days_are_over_and_not_when_it_was_renewed_or_nobody_asks() {
    let repo = Repo::empty(&[]);
    repo.write(".baseline/policy.toml", "[checks]\nrotation_days = 90\n");
    repo.write("gateway.pem", CERTIFICATE);
    dated(&repo, "2026-01-01T00:00:00Z", "First");
    assert!(!is_overdue(&repo, "2026-03-01"));
    assert!(!is_overdue(&repo, "2026-03-31"));
    assert!(is_overdue(&repo, "2026-04-01"), "ninety days after");
    // Moving it is not replacing it.
    repo.git(&["mv", "gateway.pem", "moved.pem"]);
    dated(&repo, "2026-04-01T00:00:00Z", "Move");
    let ran = repo.baseline(&["check", "--as-of", "2026-04-02"]);
    ran.shows("rotation-overdue").shows("moved.pem");
    repo.write("moved.pem", RENEWED);
    dated(&repo, "2026-04-02T00:00:00Z", "Renew");
    assert!(!is_overdue(&repo, "2026-04-03"));
    assert!(is_overdue(&repo, "2026-09-01"));
    repo.write(".baseline/policy.toml", "[checks]\n");
    dated(&repo, "2026-04-03T00:00:00Z", "Ask no more");
    assert!(!is_overdue(&repo, "2026-09-01"));
}

#[test]
fn in_a_shallow_clone_nobody_knows() {
    let repo = Repo::empty(&[]);
    repo.write(".baseline/policy.toml", "[checks]\nrotation_days = 90\n");
    repo.write("gateway.pem", CERTIFICATE);
    repo.commit("First");
    repo.commit("Second");
    let shallow = repo.at("shallow");
    let url = format!("file://{}", repo.dir.display());
    repo.git(&["clone", "--quiet", "--depth", "1", &url, shallow.dir.to_str().unwrap()]);
    shallow.baseline(&["check"]).refuses(3, "GB-REPO-SHALLOW");
}
