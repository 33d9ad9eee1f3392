//! Git's hooks: what they stop, what they never stop, and how they live beside those of others.

use std::fs;

use crate::support::{EXPIRED, RENEWED, Repo, make_executable};

fn install(repo: &Repo, name: &str, script: &str) {
    repo.write(&format!(".git/hooks/{name}"), script);
    make_executable(&repo.dir.join(".git/hooks").join(name));
}

fn hook(repo: &Repo, name: &str) -> String {
    fs::read_to_string(repo.dir.join(".git/hooks").join(name)).unwrap()
}

#[test]
fn a_private_key_in_clear_stops_the_commit() {
    let repo = Repo::begun(&[]);
    let before = repo.head();
    let key = repo.dir.join("config/tls/device.key");
    repo.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]).exits(0);
    fs::remove_file(repo.dir.join("config/tls/device.key.pub")).unwrap();
    repo.git(&["add", "--all"]);
    let ran = repo.try_git(&["commit", "-m", "A key"]).exits(1);
    let secret = fs::read_to_string(&key).unwrap();
    ran.says("private-key-in-clear")
        .says("config/tls/device.key")
        .says("GB-HOOK-STOPPED")
        .hides(secret.lines().nth(2).unwrap());
    assert_eq!(before, repo.head());
    // Its public half may be committed.
    repo.git(&["rm", "--quiet", "--cached", "config/tls/device.key"]);
    repo.run(
        "sh",
        &["-c", "ssh-keygen -y -f config/tls/device.key > config/tls/device.pub && rm config/tls/device.key"],
    )
    .exits(0);
    repo.commit("A public key");
}

#[test]
fn an_expired_certificate_stops_the_commit_and_a_valid_one_does_not() {
    let repo = Repo::begun(&[]);
    repo.write("config/tls/gateway.pem", EXPIRED);
    repo.git(&["add", "--all"]);
    repo.try_git(&["commit", "-m", "Old"]).exits(1).says("certificate-expired").says("config/tls/gateway.pem");
    repo.write("config/tls/gateway.pem", RENEWED);
    repo.commit("New");
}

#[test]
fn a_policy_that_cannot_be_read_stops_the_commit() {
    let repo = Repo::begun(&[]);
    let good = fs::read_to_string(repo.dir.join(".baseline/policy.toml")).unwrap();
    repo.write(".baseline/policy.toml", format!("{good}\nbroken = = 1\n"));
    repo.git(&["add", "--all"]);
    let line = good.lines().count() + 2;
    repo.try_git(&["commit", "-m", "Broken"])
        .exits(1)
        .says("policy-invalid")
        .says(&format!(".baseline/policy.toml:{line}"));
}

#[test]
fn a_change_request_is_demanded_where_the_policy_asks() {
    let repo = Repo::begun(&[]);
    let policy = fs::read_to_string(repo.dir.join(".baseline/policy.toml")).unwrap();
    repo.write(".baseline/policy.toml", policy.replace("required = false", "required = true "));
    repo.git(&["add", "--all"]);
    repo.try_git(&["commit", "-m", "Demand requests"]).exits(1).says("GB-CHANGE-MISSING");
    repo.git(&["commit", "--quiet", "-m", "Demand requests", "--trailer", "Change-Request: CR-1"]);
    // What changes no item needs none.
    repo.write("src/main.c", "int main(void) { return 1; }\n");
    repo.commit("Return one");
    repo.write("config/tls/gateway.pem", RENEWED);
    repo.git(&["add", "--all"]);
    for message in [
        "Renew",
        "Renew\n\nChange-Request: CR-2\n\nand more text",
        "Change-Request: CR-2",
        "Renew\n\n# Change-Request: CR-2",
    ] {
        repo.try_git(&["commit", "-m", message]).exits(1).says("GB-CHANGE-MISSING").says("--trailer");
    }
    repo.git(&["commit", "--quiet", "-m", "Renew\n\nChange-Request: CR-2"]);
    // A component is under control too.
    repo.write("requirements.txt", "requests==2.32.0\n");
    repo.git(&["add", "--all"]);
    repo.try_git(&["commit", "-m", "Update"]).exits(1).says("GB-CHANGE-MISSING");
}

#[test]
fn what_runs_after_a_commit_never_fails_it() {
    let repo = Repo::begun(&[]);
    fs::rename(repo.key(), repo.place.path("home/away")).unwrap();
    repo.write("config/tls/gateway.pem", RENEWED);
    repo.git(&["add", "--all"]);
    repo.try_git(&["commit", "-m", "Without the key"]).exits(0).says("not recorded").says("GB-KEY-AGENT");
    fs::rename(repo.place.path("home/away"), repo.key()).unwrap();
    fs::rename(repo.place.path("state"), repo.place.path("state-away")).unwrap();
    repo.try_git(&["commit", "--allow-empty", "-m", "Without the pin"]).exits(0).says("GB-TRUST-UNPINNED");
    fs::rename(repo.place.path("state-away"), repo.place.path("state")).unwrap();
    // A lock that a killed process left.
    repo.write(".git/refs/notes/baseline.lock", "");
    repo.try_git(&["commit", "--allow-empty", "-m", "While locked"]).exits(0).says("GB-REF-LOCKED");
    fs::remove_file(repo.dir.join(".git/refs/notes/baseline.lock")).unwrap();
    // The next commit's hook makes up for all of them.
    repo.try_git(&["commit", "--allow-empty", "-m", "Again"]).exits(0).hides("not recorded");
    repo.verify(&["--range", "HEAD~4..HEAD"]).exits(0);
}

#[test]
fn what_was_not_recorded_is_recorded_before_a_push() {
    let repo = Repo::begun(&[]);
    repo.git(&["config", "baseline.signAt", "push"]);
    repo.renew();
    repo.verify(&["--commit", "HEAD"]).refuses(3, "GB-COVER-RECORD-MISSING");
    let remote = repo.place.path("remote.git");
    repo.git(&["init", "--quiet", "--bare", remote.to_str().unwrap()]);
    repo.git(&["push", "--quiet", remote.to_str().unwrap(), "main"]);
    repo.verify(&["--commit", "HEAD"]).exits(0);
}

#[test]
fn hooks_of_others_run_too_and_come_back_byte_for_byte() {
    let repo = Repo::sample(&[]);
    let shell = "#!/bin/sh\n# mine\necho shell \"$1\" >> seen\nexit 0\n";
    let python = "#!/usr/bin/env python3\nopen('seen', 'a').write('python\\n')\n";
    let strict = "#!/bin/bash\nset -euo pipefail\nif grep -q forbidden \"$1\"; then exit 1; fi";
    install(&repo, "pre-commit", python);
    install(&repo, "post-commit", shell);
    install(&repo, "commit-msg", strict);
    repo.write(".git/info/exclude", "seen\n");
    repo.begin();
    let seen = || fs::read_to_string(repo.dir.join("seen")).unwrap_or_default();
    if repo.run("python3", &["-c", ""]).code == Some(0) {
        assert_eq!(seen(), "python\nshell \n", "both run, and in Git's order");
    }
    repo.verify(&["--commit", "HEAD"]).exits(0);
    repo.try_git(&["commit", "--allow-empty", "-m", "forbidden"]).exits(1);
    repo.write("config/tls/gateway.pem", EXPIRED);
    repo.git(&["add", "--all"]);
    repo.try_git(&["commit", "-m", "Old"]).exits(1).says("certificate-expired");
    repo.baseline(&["hooks", "install"]).exits(0);
    repo.baseline(&["hooks", "status"]).exits(0).shows("pre-push      installed");
    repo.baseline(&["hooks", "uninstall"]).exits(0);
    assert_eq!(
        (hook(&repo, "pre-commit"), hook(&repo, "post-commit"), hook(&repo, "commit-msg")),
        (python.into(), shell.into(), strict.into())
    );
    let left: Vec<_> =
        fs::read_dir(repo.dir.join(".git/hooks")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
    repo.baseline(&["hooks", "status"]).exits(0).shows("another hook stands there");
}

#[test]
fn the_mode_of_a_hook_of_others_comes_back_too() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = Repo::sample(&[]);
    let mode = |name: &str| fs::metadata(repo.dir.join(".git/hooks").join(name)).unwrap().permissions().mode() & 0o777;
    let silent = "#!/bin/sh\nexit 1\n";
    // One that its owner switched off must not begin to run because we came.
    repo.write(".git/hooks/pre-commit", silent);
    fs::set_permissions(repo.dir.join(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o644)).unwrap();
    repo.begin();
    repo.baseline(&["hooks", "uninstall"]).exits(0);
    assert_eq!((hook(&repo, "pre-commit").as_str(), mode("pre-commit")), (silent, 0o644));
}

#[test]
fn a_hook_manager_in_the_working_tree_is_left_alone() {
    let repo = Repo::sample(&[]);
    repo.write(".husky/pre-commit", "#!/bin/sh\nexit 0\n");
    make_executable(&repo.dir.join(".husky/pre-commit"));
    repo.commit("Husky");
    repo.git(&["config", "core.hooksPath", ".husky"]);
    let key = repo.key();
    repo.baseline(&["init", "--product", "X", "--generate-key", &key]).exits(0).shows("git-baseline hook pre-commit");
    repo.baseline(&["hooks", "install"]).refuses(2, "GB-HOOKS-MANAGED");
    repo.baseline(&["hooks", "uninstall"]).refuses(2, "GB-HOOKS-MANAGED");
    assert_eq!(fs::read_to_string(repo.dir.join(".husky/pre-commit")).unwrap(), "#!/bin/sh\nexit 0\n");
    assert_eq!(fs::read_dir(repo.dir.join(".husky")).unwrap().count(), 1);
    // The line that it asks for works.
    repo.write(".husky/pre-commit", "#!/bin/sh\ngit-baseline hook pre-commit \"$@\" </dev/null\n");
    repo.write("config/tls/gateway.pem", EXPIRED);
    repo.git(&["add", "--all"]);
    repo.try_git(&["commit", "-m", "Old"]).exits(1).says("certificate-expired");
}

#[test]
fn the_status_of_a_repository_with_a_hook_manager_can_be_seen() {
    let repo = Repo::begun(&[]);
    repo.git(&["config", "core.hooksPath", ".husky"]);
    repo.baseline(&["status"]).exits(0).shows("trust pinned");
}

#[test]
fn where_the_program_is_absent_hooks_say_so_and_let_git_go_on() {
    let repo = Repo::begun(&[]);
    let tools = repo.place.path("tools");
    fs::create_dir(&tools).unwrap();
    let git = repo.run("sh", &["-c", "command -v git"]).text();
    std::os::unix::fs::symlink(git, tools.join("git")).unwrap();
    repo.write("config/tls/gateway.pem", RENEWED);
    let path = format!("{}:/usr/bin:/bin", tools.display());
    let mut commit = repo.command("git", &["commit", "--all", "-m", "Without the program"]);
    commit.env("PATH", path);
    let ran = crate::support::run(commit, b"").exits(0);
    for name in ["pre-commit", "commit-msg", "post-commit"] {
        assert!(ran.stderr.contains(&format!("git-baseline is not installed: {name} was skipped")), "{}", ran.stderr);
    }
}
