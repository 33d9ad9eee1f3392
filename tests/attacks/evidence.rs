//! A01 to A03, A15, A17, A18, A20, A21: statements, notes and objects that are not what was signed.

use std::fs;

use git_baseline::codec::{compose_note, parse_note};
use git_baseline::domain::Release;

use crate::forge::Statements;
use crate::support::{log_files, rewrite_log, write_tree};
use crate::team::{Format, LOG, Team};

/// Changes one file of the log where it stands, as whoever holds Anna's log key can, and signs the log again.
fn edit_in_log(team: &Team, path: &str, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = team.blob(&format!("{LOG}:{path}"));
    edit(&mut bytes);
    let blob = team.write_blob(&bytes);
    rewrite_log(team, |_, files| {
        files.entry(path.to_owned()).and_modify(|found| found.clone_from(&blob));
        // Two checkpoints of one size would tell on whoever signs the second.
        files.retain(|path, _| path != "checkpoint" && !path.starts_with("tile/"));
    });
    team.seal("anna");
}

pub(crate) fn edited_manifest() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        team.verified(&["1.0.0", "1.1.0"]);
        edit_in_log(&team, "releases/1.1.0/manifest.cbor", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
        team.refused(&["verify", "1.1.0"], 1, "GB-BIND-DIGEST", "releases/1.1.0/manifest.cbor");
        team.verified(&["1.0.0"]);
        team.refused_with_memory(&["verify", "1.0.0"], 1, "GB-LOG-FORK", "seen before");
    }
}

pub(crate) fn edited_statement() {
    let team = Team::new();
    edit_in_log(&team, "releases/1.1.0/release.cbor", |bytes| {
        let at = bytes.windows(5).position(|window| window == b"1.1.0").unwrap();
        bytes[at + 4] = b'1';
    });
    team.refused(&["verify", "1.1.0"], 1, "GB-SIG-THRESHOLD", "1.1.0");
    team.verified(&["1.0.0"]);
}

pub(crate) fn note_of_another_commit() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let (note, other) = (team.note("main"), team.git(&["rev-parse", "main~1"]));
        team.set_note("main~1", &note);
        team.refused(&["verify", "--commit", "main~1"], 1, "GB-BIND-COMMIT", &other[..12]);
        team.refused(&["verify", "1.0.0"], 1, "GB-BIND-COMMIT", &other[..12]);
        team.by("anna", &["repair"]).exits(0);
        team.verified(&["1.0.0", "1.1.0"]);
    }
}

pub(crate) fn statement_under_another_name() {
    let team = Team::new();
    let copied: Statements = log_files(&team, LOG)
        .keys()
        .filter_map(|path| Some((format!("releases/2.0.0/{}", path.strip_prefix("releases/1.1.0/")?), path)))
        .map(|(to, path)| (to, team.blob(&format!("{LOG}:{path}"))))
        .collect();
    team.log(&copied);
    team.git(&["update-ref", "refs/baseline/releases/2.0.0", "refs/baseline/releases/1.1.0"]);
    team.refused(&["verify", "2.0.0"], 1, "GB-SIG-THRESHOLD", "2.0.0");
    team.verified(&["1.0.0", "1.1.0"]);
}

pub(crate) fn release_ref_of_another() {
    let team = Team::new();
    team.git(&["update-ref", "refs/baseline/releases/1.1.0", "refs/baseline/releases/1.0.0"]);
    team.refused(&["verify", "1.1.0"], 1, "GB-REF-ALTERED", "refs/baseline/releases/1.1.0");
    team.verified(&["1.0.0"]);
    team.by("anna", &["repair"]).exits(0);
    team.verified(&["1.1.0"]);
}

pub(crate) fn signature_for_another_purpose() {
    let team = Team::new();
    let block = parse_note(&team.note("main")).unwrap().remove(0);
    let namespaces = ["git", "file", "git-baseline.signoff", "git-baseline.release", "git-baseline.commit.v1", ""];
    for namespace in namespaces.into_iter().filter(|name| !name.is_empty()) {
        let armour = team.sign_bytes("anna", namespace, &block.record);
        let armour = String::from_utf8(armour).unwrap();
        team.set_note("main", compose_note(&block.summary, &block.record, &armour).as_bytes());
        team.refused(&["verify", "--commit", "main"], 1, "GB-SIG-CONTEXT", namespace);
    }
    // The same hands, the right purpose, and by ssh-keygen itself.
    let file = team.place.path("home/record");
    fs::write(&file, &block.record).unwrap();
    let arguments =
        ["-Y", "sign", "-q", "-n", "git-baseline.commit", "-f", &team.key_of("anna"), file.to_str().unwrap()];
    team.run("ssh-keygen", &arguments).exits(0);
    let armour = fs::read_to_string(file.with_extension("sig")).unwrap();
    team.set_note("main", compose_note(&block.summary, &block.record, &armour).as_bytes());
    team.verified(&["1.1.0"]);
}

pub(crate) fn two_notes_on_one_commit() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let commit = team.head();
        let blob = team.write_blob(&team.note("main"));
        let flat = log_files(&team, "refs/notes/baseline");
        let set = |files| {
            let tree = write_tree(&team, &files);
            let head = team.git(&["commit-tree", "-m", "fan-out", "-p", "refs/notes/baseline", &tree]);
            team.git(&["update-ref", "refs/notes/baseline", &head]);
        };
        let (folder, rest) = commit.split_at(2);
        let mut files = flat.clone();
        files.remove(&commit);
        files.insert(format!("{folder}/{rest}"), blob.clone());
        set(files.clone());
        team.verified(&["1.0.0", "1.1.0"]);
        files.insert(commit.clone(), blob.clone());
        set(files);
        team.refused(&["verify", "1.1.0"], 4, "GB-NOTE-DUPLICATE", &commit[..12]);
    }
}

pub(crate) fn damaged_notes() {
    let team = Team::new();
    let note = String::from_utf8(team.note("main")).unwrap();
    let commit = team.head();
    let stripped = note.replace("-----END GIT-BASELINE RECORD-----\n", "");
    for damaged in [stripped.as_str(), "written by hand\n", &note[..note.len() - 30]] {
        team.set_note("main", damaged.as_bytes());
        team.refused(&["verify", "1.1.0"], 1, "GB-NOTE-DAMAGED", &commit[..12]);
    }
    // As `git notes merge -s cat_sort_uniq` leaves it: every line, sorted.
    let mut lines: Vec<&str> = note.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    team.set_note("main", lines.join("\n").as_bytes());
    team.refused(&["verify", "1.1.0"], 1, "GB-NOTE-DAMAGED", &commit[..12]);
    team.by("anna", &["repair"]).exits(0);
    team.verified(&["1.1.0"]);
}

pub(crate) fn malformed_commit() {
    let team = Team::new();
    let raw = team.git(&["cat-file", "commit", "main"]);
    let other = team.git(&["rev-parse", "main~1^{tree}"]);
    let author = raw.lines().find(|line| line.starts_with("author ")).unwrap().to_owned();
    let forms = [
        format!("tree {other}\n{raw}\n"),
        raw.replacen(&author, &format!("{author}\n{author}"), 1) + "\n",
        raw.replacen("author ", "author \0", 1) + "\n",
        raw.replacen("\ncommitter ", "\ntree {other}\ncommitter ", 1) + "\n",
    ];
    let write = ["hash-object", "-t", "commit", "-w", "--stdin", "--literally"];
    for form in forms {
        let id = team.git_with(&write, form.as_bytes());
        team.set_note(&id, &team.note("main"));
        team.refused(&["verify", "--commit", &id], 4, "GB-OBJ-MALFORMED", &id[..12]);
    }
    // What Git itself writes is read, whatever language the message is in.
    team.changed("CR-3", |team| team.git(&["config", "i18n.commitEncoding", "ISO-8859-1"]).clear());
    team.verified(&["1.1.0"]);
    let head = team.head();
    crate::judge::alone(&team, &team.place.path("state"), &["verify", "--commit", &head]).exits(0);
}

pub(crate) fn swapped_object() {
    for format in [Format::Sha1, Format::Sha256] {
        for object in ["main:etc/sshd_config", "main^{tree}", "refs/baseline/log:releases/1.1.0/release.cbor"] {
            let team = Team::of(format);
            let id = team.git(&["rev-parse", object]);
            let kind = team.git(&["cat-file", "-t", &id]);
            let other = match kind.as_str() {
                "tree" => team.git(&["rev-parse", "main~1^{tree}"]),
                _ => team.write_blob(b"PermitRootLogin yes\n"),
            };
            let place = |id: &str| team.dir.join(".git/objects").join(&id[..2]).join(&id[2..]);
            fs::remove_file(place(&id)).unwrap();
            fs::copy(place(&other), place(&id)).unwrap();
            team.refused(&["verify", "1.1.0"], 4, "GB-OBJ-HASH", &id[..12]);
        }
    }
    Team::new().verified(&["1.1.0"]);
}

pub(crate) fn tree_of_another_digest() {
    // A commit whose tree was swapped for a colliding one would have the same Git id; the digests in the statement are
    // BLAKE3 of what is there. Two signers who sign another source tree than the commit has are told apart by that.
    let team = Team::new();
    let path = "releases/1.1.0/release.cbor";
    let mut release: Release = team.statement(path);
    let first: Release = team.statement("releases/1.0.0/release.cbor");
    release.source_tree = first.source_tree;
    let bytes = git_baseline::codec::encode(Some(&team.baseline_id()), &release);
    let mut files = team.released_by("1.1.0", &bytes, &["anna", "berta"]);
    files.insert(path.to_owned(), bytes);
    rewrite_log(&team, |_, files| {
        // Two checkpoints of one size would tell on whoever signs the second.
        let kept =
            |path: &String| !["releases/1.1.0/", "checkpoint", "tile/"].iter().any(|name| path.starts_with(name));
        files.retain(|path, _| kept(path));
    });
    let manifest = team.blob("refs/baseline/releases/1.1.0:manifest.cbor");
    files.insert("releases/1.1.0/manifest.cbor".to_owned(), manifest);
    for document in ["sbom.cdx.json", "sbom.spdx.json"] {
        let bytes = team.blob(&format!("refs/baseline/releases/1.1.0:{document}"));
        files.insert(format!("releases/1.1.0/{document}"), bytes);
    }
    team.log(&files);
    team.refused(&["verify", "1.1.0"], 1, "GB-BIND-DIGEST", "releases/1.1.0/manifest.cbor");
    team.verified(&["1.0.0"]);
}
