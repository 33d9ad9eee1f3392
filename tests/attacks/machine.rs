//! A19, A22, A23, A25: what surrounds the evidence: Git's detours, the folder that is written to, configuration, and what
//! is not there.

use std::fs;

use crate::judge::{alone, no_effect, stopped};
use crate::support::{CERTIFICATE, make_executable, snapshot};
use crate::team::{Format, LOG, Team};

pub(crate) fn replaced_objects() {
    for format in [Format::Sha1, Format::Sha256] {
        for object in ["main", "main:etc/sshd_config", LOG, "refs/baseline/log:releases/1.1.0/manifest.cbor"] {
            let team = Team::of(format);
            let original = team.git(&["rev-parse", object]);
            let other = match team.git(&["cat-file", "-t", &original]).as_str() {
                "commit" => team.git(&["rev-parse", "main~1"]),
                _ => team.write_blob(b"PermitRootLogin yes\n"),
            };
            team.git(&["replace", &original, &other]);
            team.refused(&["verify", "1.1.0"], 1, "GB-OBJ-REPLACED", &original[..12]);
            team.git(&["replace", "-d", &original]);
            team.verified(&["1.1.0"]);
        }
    }
}

pub(crate) fn grafts_and_graphs() {
    let team = Team::new();
    let (tip, root) = (team.head(), team.git(&["rev-list", "--max-parents=0", "main"]));
    team.write(".git/info/grafts", format!("{tip} {root}\n"));
    team.verified(&["1.0.0", "1.1.0"]);
    fs::remove_file(team.dir.join(".git/info/grafts")).unwrap();
    // A commit graph whose second half is rubbish.
    team.git(&["commit-graph", "write", "--reachable"]);
    let graph = team.dir.join(".git/objects/info/commit-graph");
    let mut bytes = fs::read(&graph).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0);
    fs::remove_file(&graph).unwrap();
    fs::write(&graph, bytes).unwrap();
    team.verified(&["1.0.0", "1.1.0"]);
    no_effect("(no effect)");
    team.write(".git/shallow", format!("{tip}\n"));
    team.refused(&["verify", "1.1.0"], 3, "GB-REPO-SHALLOW", "shallow");
}

/// A tree of one entry, as Git itself would never write it.
fn raw_tree(team: &Team, entries: &[(&str, &str, &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend(format!("{mode} {name}\0").bytes());
        bytes.extend((0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
    }
    team.git_with(&["hash-object", "-t", "tree", "-w", "--stdin", "--literally"], &bytes)
}

pub(crate) fn paths_that_lead_out() {
    let long = "x".repeat(300) + ".pem";
    for name in [
        "../x.pem",
        "./x.pem",
        "/x.pem",
        ".git/x.pem",
        ".GIT/x.pem",
        "git~1/x.pem",
        ".g\u{200c}it/x.pem",
        "a\\b.pem",
        "CON/x.pem",
        "aux.pem",
        "x.pem.",
        "x.pem ",
        "x.pem:stream",
        "a\u{1}.pem",
        &long,
    ] {
        let team = Team::new();
        let blob = team.write_blob(CERTIFICATE.as_bytes());
        let leaf = |name: &str| raw_tree(&team, &[("100644", name, &blob)]);
        let tree = match name.split_once('/') {
            Some(("", _)) => leaf("/x.pem"),
            Some((folder, file)) => raw_tree(&team, &[("40000", folder, &leaf(file))]),
            None => leaf(name),
        };
        written_nowhere(&team, &tree, name);
    }
    let team = Team::new();
    let blob = team.write_blob(CERTIFICATE.as_bytes());
    let inner = raw_tree(&team, &[("100644", "x.pem", &blob)]);
    let link = team.write_blob(b"../../home");
    for (what, entries) in [
        ("a link and a folder of one name", vec![("120000", "a", link.as_str()), ("40000", "a", &inner)]),
        ("one name in two cases", vec![("100644", "A.pem", &blob), ("100644", "a.pem", &blob)]),
        ("one name in two forms", vec![("100644", "e\u{301}.pem", &blob), ("100644", "\u{e9}.pem", &blob)]),
        ("two files of one name", vec![("100644", "a.pem", &blob), ("100644", "a.pem", &blob)]),
        ("a link that leads out", vec![("120000", "a.pem", &link)]),
        ("set-uid", vec![("104755", "a.pem", &blob)]),
    ] {
        let team = Team::new();
        for bytes in [CERTIFICATE.as_bytes(), b"../../home"] {
            team.write_blob(bytes);
        }
        raw_tree(&team, &[("100644", "x.pem", &blob)]);
        written_nowhere(&team, &raw_tree(&team, &entries), what);
    }
    let twin = Team::new();
    let out = twin.place.path("out");
    twin.by("anna", &["reproduce", "1.1.0", "-o", out.to_str().unwrap()]).exits(0);
    assert!(out.join("etc/sshd_config").is_file());
}

/// The tree is released where somebody lets it, and written out: nothing may appear outside of the folder, and nothing of
/// a refused one inside.
fn written_nowhere(team: &Team, tree: &str, what: &str) {
    let commit = team.git(&["commit-tree", "-m", "Odd\n\nChange-Request: CR-3", "-p", "main", tree]);
    team.git(&["update-ref", "refs/heads/main", &commit]);
    team.by("anna", &["change", "open", "CR-3", "--title", "Odd"]).exits(0);
    let recording = team.by("anna", &["record"]);
    assert!(!recording.stderr.contains("panicked"), "{what}: {}", recording.stderr);
    if recording.code != Some(0) {
        assert_eq!(recording.code, Some(4), "{what}: {}", recording.stderr);
        let refused = alone(team, &team.place.path("state"), &["verify", "--commit", "main"]);
        assert_ne!(refused.code, Some(0), "{what}");
        return stopped(team.by("anna", &["record"]), 4, "GB-OBJ-MALFORMED", "");
    }
    team.release_past_the_gate("1.2.0", crate::support::NOW);
    let out = team.place.path("out");
    let before = outside(team);
    let ran = alone(team, &team.place.path("state"), &["reproduce", "1.2.0", "-o", out.to_str().unwrap()]);
    assert!(before == outside(team), "{what}: something was written outside");
    assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
    match ran.code {
        Some(0) => {
            // A link is kept as a link, and nothing goes through it.
            assert!(snapshot(&out).keys().all(|path| path.starts_with(&out)), "{what}");
        }
        code => {
            assert!(!out.exists(), "{what}: something was left behind");
            // A name that is too long is no attack, and cannot be written either.
            let (exit, code) = if code == Some(2) { (2, "GB-REPO-IO") } else { (4, "GB-PATH-UNSAFE") };
            stopped(ran, exit, code, "");
        }
    }
}

fn outside(team: &Team) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut files = snapshot(&team.place.path(""));
    let hidden = [team.place.path("out"), team.place.path("state")];
    files.retain(|path, _| !hidden.iter().any(|folder| path.starts_with(folder)));
    files
}

pub(crate) fn target_that_is_not_empty() {
    let team = Team::new();
    let out = team.place.path("out");
    fs::create_dir(&out).unwrap();
    std::os::unix::fs::symlink(team.place.path("home"), out.join("etc")).unwrap();
    let home = snapshot(&team.place.path("home"));
    let ran = team.by("anna", &["reproduce", "1.1.0", "-o", out.to_str().unwrap()]);
    stopped(ran, 2, "GB-USE-OUTPUT", "out");
    assert!(home == snapshot(&team.place.path("home")), "something was written through a link");
    fs::remove_dir_all(&out).unwrap();
    team.by("anna", &["reproduce", "1.1.0", "-o", out.to_str().unwrap()]).exits(0);
}

pub(crate) fn hostile_configuration() {
    let team = Team::new();
    let (witness, script) = (team.place.path("ran"), team.place.path("script"));
    fs::write(&script, format!("#!/bin/sh\ntouch {}\n", witness.display())).unwrap();
    make_executable(&script);
    let run = script.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "gpg.program",
        "gpg.ssh.program",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "core.askPass",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "diff.x.textconv",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "core.gitProxy",
        "core.alternateRefsCommand",
    ] {
        team.git(&["config", key, run]);
    }
    team.git(&["config", "core.hooksPath", team.place.path("").to_str().unwrap()]);
    for hook in ["pre-commit", "post-checkout", "reference-transaction", "post-index-change"] {
        fs::copy(&script, team.place.path(hook)).unwrap();
    }
    team.git(&["config", "extensions.partialClone", "evil"]);
    team.git(&["config", "remote.evil.promisor", "true"]);
    team.git(&["config", "remote.evil.url", &format!("ext::{run}")]);
    team.git(&["config", "include.path", "../../included"]);
    fs::write(
        team.place.path("included"),
        format!("[core]\n\tfsmonitor = {run}\n[baseline]\n\trefPrefix = refs/evil/\n"),
    )
    .unwrap();
    team.write(".git/info/attributes", "* filter=x diff=x\n");
    let _ = fs::remove_file(&witness);
    team.verified(&["1.0.0", "1.1.0"]);
    for arguments in [&["verify", "--all"][..], &["show", "1.1.0"], &["reproduce", "1.1.0"], &["check"], &["log"]] {
        let ran = alone(&team, &team.place.path("state"), arguments);
        assert!(ran.code == Some(0) || arguments == ["check"], "{arguments:?}: {}", ran.stderr);
        assert!(!witness.exists(), "{arguments:?} ran a program that the repository names");
    }
    no_effect("(no effect)");
    // An object that is not here is not fetched by a promisor's program either.
    let id = team.git(&["rev-parse", "main:etc/sshd_config"]);
    fs::remove_file(team.dir.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    team.refused(&["verify", "1.1.0"], 3, "GB-OBJ-MISSING", &id[..12]);
    assert!(!witness.exists(), "a missing object was fetched by a program that the repository names");
}

pub(crate) fn borrowed_objects() {
    // Objects of another repository are read like any other: what is not what its id says is refused.
    let team = Team::new();
    let other = team.place.path("lender");
    crate::support::copy_folder(&team.dir.join(".git/objects"), &other);
    for entry in fs::read_dir(team.dir.join(".git/objects")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().len() == 2 {
            fs::remove_dir_all(path).unwrap();
        }
    }
    team.write(".git/objects/info/alternates", format!("{}\n", other.display()));
    team.verified(&["1.0.0", "1.1.0"]);
    let place = |id: &str| other.join(&id[..2]).join(&id[2..]);
    let id = team.git(&["rev-parse", "main:etc/sshd_config"]);
    let evil = team.write_blob(b"PermitRootLogin yes\n");
    fs::remove_file(place(&id)).unwrap();
    fs::copy(team.dir.join(".git/objects").join(&evil[..2]).join(&evil[2..]), place(&id)).unwrap();
    team.refused(&["verify", "1.1.0"], 4, "GB-OBJ-HASH", &id[..12]);
    let lost = team.place.path("gone");
    fs::rename(&other, &lost).unwrap();
    team.refused(&["verify", "1.1.0"], 3, "GB-OBJ-MISSING", "");
}

pub(crate) fn incomplete_clones() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let url = format!("file://{}", team.dir.display());
        let shallow = Team { repo: team.repo.at("shallow"), fingerprint: team.fingerprint.clone() };
        team.git(&["clone", "--quiet", "--template=", "--depth", "1", &url, shallow.dir.to_str().unwrap()]);
        let refs = [
            "fetch",
            "--quiet",
            "origin",
            "refs/baseline/*:refs/baseline/*",
            "refs/notes/baseline:refs/notes/baseline",
        ];
        shallow.git(&refs);
        shallow.refused(&["verify", "1.0.0"], 3, "GB-REPO-SHALLOW", "shallow");
        let plain = Team { repo: team.repo.at("plain"), fingerprint: team.fingerprint.clone() };
        team.git(&["clone", "--quiet", "--template=", &url, plain.dir.to_str().unwrap()]);
        plain.refused(&["verify", "1.1.0"], 3, "GB-LOG-MISSING", LOG);
        plain.git(&refs);
        plain.verified(&["1.0.0", "1.1.0"]);
        for object in ["main:etc/sshd_config", "main^{tree}", "refs/baseline/log:trust/1/root.cbor"] {
            let team = Team::of(format);
            let id = team.git(&["rev-parse", object]);
            fs::remove_file(team.dir.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
            team.refused(&["verify", "1.1.0"], 3, "GB-OBJ-MISSING", &id[..12]);
        }
    }
}
