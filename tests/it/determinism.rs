//! The same commit gives the same bytes on every machine, and verifying needs nothing but the repository.

use std::fs;

use crate::support::{CERTIFICATE, RENEWED, Repo, run, snapshot};

/// The digest that a machine like this one computes.
fn digest(repo: &Repo, variables: &[(&str, &str)]) -> String {
    let arguments = ["release", "9.0.0", "--commit", "main", "--dry-run", "--format", "json"];
    let answer = repo.baseline_with(variables, &arguments).exits(0).json();
    assert_eq!(answer["dry_run"], true);
    answer["manifest"].as_str().unwrap().to_owned()
}

#[test]
fn two_people_on_two_machines_get_the_same_manifest() {
    let repo = Repo::begun(&[]);
    repo.renew();
    let here = digest(&repo, &[]);
    assert_eq!(here.len(), 64);
    let other = repo.at("deep/below/another name");
    fs::create_dir_all(other.dir.parent().unwrap()).unwrap();
    repo.git(&["clone", "--quiet", ".", other.dir.to_str().unwrap()]);
    other.git(&[
        "fetch",
        "--quiet",
        "origin",
        "refs/baseline/*:refs/baseline/*",
        "refs/notes/baseline:refs/notes/baseline",
    ]);
    other.git(&["repack", "-q", "-a", "-d"]);
    let home = repo.place.path("other-home");
    fs::create_dir(&home).unwrap();
    fs::write(
        home.join(".gitconfig"),
        "[core]\n\tautocrlf = true\n\tquotePath = false\n[user]\n\tname = Bob\n\temail = b@c\n",
    )
    .unwrap();
    let state = home.join("state");
    let reversed = std::env::join_paths(
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect::<Vec<_>>().iter().rev(),
    )
    .unwrap();
    let variables = [
        ("HOME", home.to_str().unwrap()),
        ("XDG_STATE_HOME", state.to_str().unwrap()),
        ("TZ", "Pacific/Kiritimati"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANG", "tr_TR.UTF-8"),
        ("PATH", reversed.to_str().unwrap()),
        ("SOURCE_DATE_EPOCH", "1790000000"),
        ("USER", "bob"),
        ("COLUMNS", "20"),
    ];
    other.baseline_with(&variables, &["trust", "pin", &repo.fingerprint()]).exits(0);
    assert_eq!(digest(&other, &variables), here);
    let below = other.at("deep/below/another name/src");
    assert_eq!(digest(&below, &variables), here, "from a folder below");
    // And it can differ: another commit is another manifest.
    repo.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n");
    repo.commit("Move the port");
    assert_ne!(digest(&repo, &[]), here);
}

#[test]
fn the_way_to_a_tree_does_not_matter() {
    let files = [
        ("config/tls/a.pem", CERTIFICATE),
        ("config/tls/b.pem", RENEWED),
        ("etc/sshd_config", "PermitRootLogin no\n"),
        ("a/z", "1"),
        ("a.b", "2"),
    ];
    let (forward, backward) = (Repo::empty(&[]), Repo::empty(&["--object-format=sha1"]));
    for (path, content) in files {
        forward.write(path, content);
        forward.commit(path);
    }
    for (path, content) in files.iter().rev() {
        backward.write(path, content);
        backward.git(&["add", path]);
    }
    backward.commit("All at once");
    backward.git(&["gc", "--quiet"]);
    let items = |repo: &Repo| repo.baseline(&["items", "--format", "json"]).exits(0).json()["items"].clone();
    assert_eq!(items(&forward).as_array().unwrap().len(), 3);
    assert_eq!(items(&forward), items(&backward));
    let components =
        |repo: &Repo| repo.baseline(&["components", "--format", "json"]).exits(0).json()["components"].clone();
    assert_eq!(components(&forward), components(&backward));
}

#[test]
fn a_verdict_needs_no_git_on_the_machine() {
    let repo = Repo::walked();
    let mirror = repo.mirror("mirror.git");
    let fingerprint = repo.fingerprint();
    let verdict = |path: Option<&str>| {
        let mut command =
            mirror.command("git-baseline", &["verify", "--all", "--trust", &fingerprint, "--format", "json"]);
        if let Some(path) = path {
            command.env("PATH", path);
        }
        run(command, b"").exits(0).json()
    };
    let with = verdict(None);
    assert_eq!(with["verdict"], "verified");
    assert_eq!(with, verdict(Some("")));
    let mut reproduce =
        mirror.command("git-baseline", &["reproduce", "1.1.0", "--trust", &fingerprint, "-o", "../out"]);
    reproduce.env_clear();
    run(reproduce, b"").exits(0).shows("reproduced");
}

#[test]
fn verifying_starts_no_program_and_opens_no_connection() {
    let repo = Repo::walked();
    let trace = repo.place.path("trace");
    let fingerprint = repo.fingerprint();
    for arguments in
        [&["verify", "--all", "--trust", &fingerprint][..], &["reproduce", "1.1.0"], &["verify", "--commit", "HEAD"]]
    {
        let program = env!("CARGO_BIN_EXE_git-baseline");
        let options = [
            "-f",
            "-qq",
            "-o",
            trace.to_str().unwrap(),
            "-e",
            "trace=execve,execveat,fork,vfork,socket,connect",
            program,
        ];
        let mut command = repo.command("strace", &[&options, arguments].concat());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let Ok(status) = command.status() else {
            eprintln!("skipped: there is no strace here");
            return;
        };
        if !status.success() && !fs::read_to_string(&trace).is_ok_and(|trace| trace.contains("execve(")) {
            eprintln!("skipped: nothing can be traced here");
            return;
        }
        assert!(status.success(), "{arguments:?}");
        let calls = fs::read_to_string(&trace).unwrap();
        let calls: Vec<_> = calls.lines().filter(|line| !line.contains("+++")).collect();
        assert_eq!(calls.len(), 1, "only the program itself is started: {calls:#?}");
    }
}

#[test]
fn a_verdict_does_not_depend_on_where_one_stands() {
    let repo = Repo::walked();
    let from = |directory: &str, arguments: &[&str]| {
        let at = repo.at(directory);
        let answer = at.baseline(&[arguments, &["verify", "1.1.0", "--format", "json"]].concat()).exits(0);
        answer.json()
    };
    let here = from("repo", &[]);
    assert_eq!(here, from("repo/src", &[]));
    assert_eq!(here, from("home", &["-C", "../repo"]));
    assert_eq!(here, from("repo/.git", &[]));
}

#[test]
fn looking_writes_nothing() {
    let repo = Repo::walked();
    // The same bytes in another file, which `git status` would note down in the index.
    let policy = fs::read(repo.dir.join(".baseline/policy.toml")).unwrap();
    fs::remove_file(repo.dir.join(".baseline/policy.toml")).unwrap();
    repo.write(".baseline/policy.toml", policy);
    let before = snapshot(&repo.dir);
    for arguments in [
        &["release", "1.2.0", "--dry-run"][..],
        &["status"],
        &["check", "--staged"],
        &["items"],
        &["components"],
        &["log"],
        &["diff", "1.0.0", "1.1.0"],
        &["show"],
        &["export", "1.1.0", "--as", "cyclonedx"],
        &["hooks", "status"],
        &["trust", "show"],
    ] {
        repo.baseline(arguments).exits(0);
        assert!(before == snapshot(&repo.dir), "{arguments:?} wrote in the repository");
    }
}
