//! A05, A07, A28, A29, A35: a log that loses, gains, or moves something.

use std::collections::BTreeMap;
use std::fs;

use git_baseline::codec;
use git_baseline::domain::{LogHead, Sha256Digest};

use crate::judge::{alone, no_effect};
use crate::support::{append_to_log, log_files, rewrite_log};
use crate::team::{Format, LOG, Team};

pub(crate) fn refs_deleted() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        for (name, verify, code) in [
            ("refs/baseline/releases/1.1.0", "1.1.0", "GB-REF-MISSING"),
            ("refs/notes/baseline", "1.1.0", "GB-REF-MISSING"),
            (LOG, "1.1.0", "GB-LOG-MISSING"),
        ] {
            let before = team.git(&["rev-parse", name]);
            team.git(&["update-ref", "-d", name]);
            team.refused(&["verify", verify], 3, code, name);
            team.git(&["update-ref", name, &before]);
        }
        team.verified(&["1.0.0", "1.1.0"]);
    }
}

pub(crate) fn log_cut_off() {
    let team = Team::new();
    let kept = team.place.path("home/kept.txt");
    let kept = kept.to_str().unwrap();
    team.by("anna", &["log-check", "-o", kept]).exits(0);
    team.git(&["update-ref", LOG, "refs/baseline/log~3"]);
    team.refused(&["verify", "1.0.0", "--checkpoint", kept], 5, "GB-LOG-ROLLBACK", "kept.txt");
    // Without anything kept, nobody can know.
    team.verified(&["1.0.0"]);
}

pub(crate) fn leaves_changed() {
    let dropped = |files: &mut BTreeMap<String, String>| {
        files.retain(|path, _| !path.starts_with("changes/CR-2/signoffs/"));
    };
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        rewrite_log(&team, |_, files| dropped(files));
        team.refused(&["verify", "1.1.0"], 1, "GB-LOG-ROOT", "checkpoint");
        let team = Team::of(format);
        let blob = team.write_blob(b"slipped in");
        rewrite_log(&team, |number, files| {
            if number > 3 {
                files.insert("assessments/a".into(), blob.clone());
            }
        });
        team.refused(&["verify", "1.1.0"], 1, "GB-LOG-ROOT", "checkpoint");
    }
    // Whoever holds the log's key can sign it again; the release was made on another log, and says so.
    let team = Team::new();
    rewrite_log(&team, |_, files| {
        dropped(files);
        // The checkpoints before would tell.
        files.retain(|path, _| path != "checkpoint" && !path.starts_with("tile/"));
    });
    team.seal("anna");
    team.refused(&["verify", "1.1.0"], 1, "GB-LOG-FORK", "1.1.0");
    let same = Team::new();
    rewrite_log(&same, |_, _| {});
    same.verified(&["1.0.0", "1.1.0"]);
}

pub(crate) fn statement_never_logged() {
    let team = Team::new();
    team.git(&["update-ref", "refs/baseline/releases/3.0.0", "refs/baseline/releases/1.1.0"]);
    team.refused(&["verify", "3.0.0"], 2, "GB-USE-RELEASE", "3.0.0");
    // In the log, and under no checkpoint: pending, which proves nothing.
    let files: BTreeMap<String, Vec<u8>> = log_files(&team, LOG)
        .keys()
        .filter_map(|path| Some((format!("releases/3.0.0/{}", path.strip_prefix("releases/1.1.0/")?), path)))
        .map(|(to, path)| (to, team.blob(&format!("{LOG}:{path}"))))
        .collect();
    team.push_to_log(&files);
    team.refused(&["verify", "3.0.0"], 2, "GB-USE-RELEASE", "3.0.0");
    team.verified(&["1.1.0"]);
}

pub(crate) fn proof_of_another_leaf() {
    let team = Team::new();
    let path = team.place.path("home/proof.txt");
    let file = path.to_str().unwrap();
    team.by("anna", &["log-proof", "1.1.0", "-o", file]).exits(0);
    let check = |text: &str| {
        fs::write(&path, text).unwrap();
        alone(&team, &team.place.path("state"), &["log-check", "--proof", file])
    };
    let text = fs::read_to_string(&path).unwrap();
    check(&text).exits(0);
    let other = {
        let second = team.place.path("home/other.txt");
        team.by("anna", &["log-proof", "1.0.0", "-o", second.to_str().unwrap()]).exits(0);
        fs::read_to_string(second).unwrap()
    };
    let extra = |text: &str| text.lines().find(|line| line.starts_with("extra ")).unwrap().to_owned();
    crate::judge::stopped(check(&text.replace(&extra(&text), &extra(&other))), 1, "GB-LOG-PROOF", "");
    let index = text.lines().find(|line| line.starts_with("index ")).unwrap();
    crate::judge::stopped(check(&text.replace(index, "index 1")), 1, "GB-LOG-PROOF", "");
    // A checkpoint that a stranger signed over the same.
    let stated = team.checkpoint_by("mallory", &team.origin(), team.log_head());
    let (head, _) = text.split_once(&format!("{}\n", team.origin())).unwrap();
    let foreign = format!("{head}{}", String::from_utf8(stated).unwrap());
    crate::judge::stopped(check(&foreign), 1, "GB-SIG-THRESHOLD", "");
}

pub(crate) fn slipped_in_before_a_revocation() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let before = team.git(&["rev-list", "--count", LOG]).parse::<usize>().unwrap();
        let key = team.ssh_fingerprint("berta");
        team.by("anna", &["trust", "revoke-key", &key, "--as", "compromised"]).exits(0);
        let statement = team.blob(&format!("{LOG}:releases/1.1.0/release.cbor"));
        let slipped: Vec<(String, String)> = team
            .released_by("1.1.1", &statement, &["berta"])
            .into_iter()
            .map(|(path, bytes)| (path, team.write_blob(&bytes)))
            .collect();
        rewrite_log(&team, |number, files| {
            if number + 3 >= before {
                files.extend(slipped.clone());
            }
        });
        team.seal("anna");
        team.refused(&["verify", "1.1.0"], 1, "GB-LOG-FORK", "trust root 6");
    }
    Team::new().verified(&["1.1.0"]);
}

pub(crate) fn file_taken_back_or_edited() {
    for format in [Format::Sha1, Format::Sha256] {
        for change in ["remove", "edit", "link", "program", "folder"] {
            let team = Team::of(format);
            let path = "releases/1.0.0/sbom.cdx.json";
            let blob = team.write_blob(b"other");
            append_to_log(&team, |files| {
                match change {
                    "edit" => files.insert(path.into(), blob),
                    "folder" => {
                        let own = files.remove(path).unwrap();
                        files.insert(format!("{path}/x"), own)
                    }
                    _ => files.remove(path),
                };
            });
            if matches!(change, "link" | "program") {
                let mode = if change == "link" { "120000" } else { "100755" };
                let index = team.place.path("other-index");
                let run = |arguments: &[&str]| {
                    let mut command = team.command("git", arguments);
                    command.env("GIT_INDEX_FILE", &index);
                    crate::support::run(command, b"").exits(0).text()
                };
                team.git(&["update-ref", LOG, "refs/baseline/log~1"]);
                run(&["read-tree", LOG]);
                let entry = format!("{mode},{},assessments/new", team.write_blob(b"../../etc/passwd"));
                run(&["update-index", "--add", "--cacheinfo", &entry]);
                let tree = run(&["write-tree"]);
                let commit = team.git(&["commit-tree", "-m", "x", "-p", LOG, &tree]);
                team.git(&["update-ref", LOG, &commit]);
                fs::remove_file(&index).unwrap();
            }
            let named = if matches!(change, "link" | "program") { "assessments/new" } else { path };
            team.refused(&["verify", "1.1.0"], 1, "GB-LOG-REWRITTEN", named);
        }
    }
    let team = Team::new();
    let tree = team.git(&["rev-parse", "refs/baseline/log^{tree}"]);
    let merge = team.git(&["commit-tree", "-m", "merge", "-p", LOG, "-p", "refs/baseline/log~1", &tree]);
    team.git(&["update-ref", LOG, &merge]);
    team.refused(&["verify", "1.1.0"], 1, "GB-LOG-NOT-LINEAR", &merge);
}

pub(crate) fn late_signature() {
    let team = Team::new();
    team.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
    team.by("anna", &["release", "1.2.0"]).exits(0);
    let statement = team.blob(&format!("{LOG}:releases/1.2.0/release.cbor"));
    let mut sign_off = team.released_by("1.2.0", &statement, &["berta"]);
    let (path, bytes) = sign_off.pop_first().unwrap();
    team.log(&[(path.clone(), bytes.clone())].into());
    let key = team.ssh_fingerprint("berta");
    team.by("anna", &["trust", "revoke-key", &key, "--as", "compromised"]).exits(0);
    // The key's thief brings the signature now, beside a statement that stood there before the revocation.
    team.log(&sign_off);
    team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "1 of 2");
    team.verified(&["1.1.0"]);
}

pub(crate) fn junk_leaves() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let junk = |path: &str, bytes: &[u8]| team.log(&[(path.to_owned(), bytes.to_vec())].into());
        let main = team.head();
        for path in [
            "trust/2/rubbish.cbor",
            "trust/6/root.cbor",
            "trust/6/signatures/x.sig",
            "trust/1/signatures/rubbish.sig",
            "releases/9.9/release.cbor",
            "releases/1.1.0/signoffs/rubbish.cbor",
            "releases/1.1.0/signoffs/rubbish.cbor.sig.sig",
            "releases/../evil/release.cbor",
            "records/aa/rubbish",
            "changes/x/requests/rubbish.cbor",
            "changes/CR-2/signoffs/rubbish.cbor",
            "deviations/D-1/signoffs/rubbish.cbor",
            "superseded/x/trust/1/root.cbor",
            "odd name/x y",
        ] {
            if !path.contains("..") {
                junk(path, b"\xff rubbish");
            }
        }
        junk(&format!("records/{}/{main}~x", &main[..2]), b"rubbish");
        team.verified(&["1.0.0", "1.1.0"]);
        no_effect("(void)");
        // Work goes on, and what stood in the way is passed by.
        team.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
        team.release("1.2.0");
        let key = team.public("dora");
        let who = ["trust", "add-person", "dora", "--name", "Dora", "--email", "dora@example.org", "--key", &key];
        team.by("anna", &who).exits(0);
        team.verified(&["1.0.0", "1.1.0", "1.2.0"]);
    }
}

pub(crate) fn junk_before_the_true_statement() {
    let team = Team::new();
    team.changed("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
    let main = team.head();
    let sealed = format!("records/{}/{main}", &main[..2]);
    let taken = ["trust/6/root.cbor", "releases/1.2.0/release.cbor", "releases/1.2.0/manifest.cbor", &sealed];
    team.log(&taken.iter().map(|path| ((*path).to_owned(), b"rubbish".to_vec())).collect());
    team.approve("CR-3");
    team.release("1.2.0");
    team.verified(&["1.0.0", "1.1.0", "1.2.0"]);
    no_effect("(void)");
}

pub(crate) fn junk_checkpoints() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let head = team.log_head();
        let larger = LogHead { size: head.size + 1000, ..head };
        let other = LogHead { root: Sha256Digest::of(b"x"), ..head };
        let origin = team.origin();
        let carl = codec::compose_checkpoint(&git_baseline::domain::Checkpoint {
            origin: origin.clone(),
            head: other,
            extensions: vec![],
        });
        for checkpoint in [
            b"rubbish".to_vec(),
            Vec::new(),
            carl.unwrap().into_bytes(),
            team.checkpoint_by("mallory", &origin, head),
            team.checkpoint_by("carl", &origin, other),
            team.checkpoint_by("anna", "git-baseline/another-log", other),
            team.checkpoint_by("anna", &origin, larger),
        ] {
            team.put_checkpoint(&checkpoint);
            team.verified(&["1.0.0", "1.1.0"]);
        }
        // No checkpoint, and no tiles: the one before holds.
        append_to_log(&team, |files| files.retain(|path, _| path != "checkpoint" && !path.starts_with("tile/")));
        team.verified(&["1.0.0", "1.1.0"]);
        no_effect("(void)");
        let none = Team::of(format);
        rewrite_log(&none, |_, files| files.retain(|path, _| path != "checkpoint"));
        none.refused(&["verify", "1.1.0"], 3, "GB-LOG-UNSIGNED", "no checkpoint");
    }
}

pub(crate) fn checkpoint_over_another_log() {
    let team = Team::new();
    let other = LogHead { root: Sha256Digest::of(b"x"), ..team.log_head() };
    team.put_checkpoint(&team.checkpoint_by("anna", &team.origin(), other));
    team.refused(&["verify", "1.1.0"], 1, "GB-LOG-ROOT", "checkpoint");
}

pub(crate) fn smaller_checkpoint_over_another_log() {
    let team = Team::new();
    let newest = team.blob(&format!("{LOG}:checkpoint"));
    let earlier = codec::log_head(&team.leaves()[..7]);
    // A smaller one over the same statements is nothing special.
    team.put_checkpoint(&team.checkpoint_by("anna", &team.origin(), earlier));
    team.put_checkpoint(&newest);
    team.verified(&["1.0.0", "1.1.0"]);
    // One over others tells that the log's key signed two histories, whatever the newest says.
    let other = LogHead { root: Sha256Digest::of(b"x"), ..earlier };
    team.put_checkpoint(&team.checkpoint_by("anna", &team.origin(), other));
    team.put_checkpoint(&newest);
    team.refused(&["verify", "1.1.0"], 1, "GB-LOG-ROOT", "first 7 statements");
    // Nobody else can do that.
    let team = Team::new();
    team.put_checkpoint(&team.checkpoint_by("mallory", &team.origin(), other));
    team.put_checkpoint(&newest);
    team.verified(&["1.0.0", "1.1.0"]);
}

pub(crate) fn old_checkpoint_replayed() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let old = team.blob(&format!("{LOG}:checkpoint"));
        for person in ["anna", "berta"] {
            team.by(person, &["sign", "1.1.0", "--meaning", "withdrawn"]).exits(0);
        }
        team.by("anna", &["checkpoint"]).exits(0);
        team.refused(&["verify", "1.1.0"], 1, "GB-RELEASE-WITHDRAWN", "1.1.0");
        // Everything is still there; only the old checkpoint stands in the newest one's place again.
        team.put_checkpoint(&old);
        team.refused(&["verify", "1.1.0"], 1, "GB-RELEASE-WITHDRAWN", "1.1.0");
        team.verified(&["1.0.0"]);
        team.refused_with_memory(&["verify", "1.1.0"], 1, "GB-RELEASE-WITHDRAWN", "1.1.0");
    }
}

pub(crate) fn void_leaves_are_reported() {
    let team = Team::new();
    team.log(&[("trust/6/root.cbor".to_owned(), b"rubbish".to_vec())].into());
    let said = alone(&team, &team.place.path("state"), &["trust", "show"]).exits(0).text();
    assert!(said.contains("trust/6"), "a void root is named nowhere:\n{said}");
    no_effect("(void)");
}

pub(crate) fn server_that_cuts_the_log() {
    let team = Team::new();
    let remote = team.place.path("remote.git");
    let format = format!("--object-format={}", team.git(&["rev-parse", "--show-object-format"]));
    team.git(&["init", "--quiet", "--bare", &format, remote.to_str().unwrap()]);
    team.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    team.by("anna", &["sync"]).exits(0);
    for person in ["anna", "berta"] {
        team.by(person, &["sign", "1.1.0", "--meaning", "withdrawn"]).exits(0);
    }
    team.by("anna", &["checkpoint"]).exits(0);
    team.by("anna", &["sync"]).exits(0);
    let server = |arguments: &[&str]| team.git(&[&["--git-dir", remote.to_str().unwrap()], arguments].concat());
    let whole = server(&["rev-parse", LOG]);
    let mine = team.git(&["rev-parse", LOG]);
    assert_eq!(whole, mine);
    // The server loses the withdrawal, and waits for an honest client to append the rest again.
    server(&["update-ref", LOG, "refs/baseline/log~3"]);
    let cut = server(&["rev-parse", LOG]);
    let own = team.fresh_state();
    fs::create_dir_all(own.join("git-baseline/pins")).unwrap();
    fs::write(own.join("git-baseline/pins").join(&team.fingerprint), "").unwrap();
    for (state, exit, code) in [(team.place.path("state"), 5, "GB-LOG-ROLLBACK"), (own, 1, "GB-LOG-FORK")] {
        let mut command = team.command("git-baseline", &["sync"]);
        command.env("XDG_STATE_HOME", state);
        crate::judge::stopped(crate::support::run(command, b""), exit, code, "");
        assert_eq!(team.git(&["rev-parse", LOG]), mine, "nothing is adopted");
        assert_eq!(server(&["rev-parse", LOG]), cut, "nothing is published on top of it");
    }
    server(&["update-ref", LOG, &whole]);
    team.by("anna", &["sync"]).exits(0);
}
