//! A27, A30, A37 to A40: what the design itself could be used for.

use std::collections::BTreeMap;
use std::fs;

use crate::judge::{alone, no_effect, stopped};
use crate::support::{log_files, run};
use crate::team::{Format, LOG, Team};

pub(crate) fn configuration_that_pins() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        for key in ["baseline.trust", "baseline.pin", "baseline.fingerprint", "baseline.pinned"] {
            team.git(&["config", key, &team.fingerprint]);
        }
        team.write(".git/included", format!("[baseline]\n\ttrust = {}\n", team.fingerprint));
        team.git(&["config", "include.path", "included"]);
        team.write(&format!(".git/git-baseline/pins/{}", team.fingerprint), "");
        team.write(&format!(".baseline/pins/{}", team.fingerprint), "");
        team.refused_as_is(&["verify", "1.1.0"], 3, "GB-TRUST-UNPINNED", &team.fingerprint);
        for state in [".", ".git", ""] {
            let mut command = team.command("git-baseline", &["verify", "1.1.0"]);
            command.env("PATH", "/nonexistent").env("XDG_STATE_HOME", state).env("HOME", ".");
            stopped(run(command, b""), 3, "GB-TRUST-UNPINNED", &team.fingerprint);
        }
        let other = team.fingerprint.replace(|digit: char| digit.is_ascii_hexdigit(), "0");
        team.refused_as_is(&["verify", "1.1.0", "--trust", &other], 1, "GB-TRUST-FINGERPRINT", &team.fingerprint);
        team.verified(&["1.1.0"]);
    }
}

pub(crate) fn sign_offs_of_another_product() {
    // A fork with the same persons, keys, commit, name and number.
    let team = Team::new();
    let fork = Team { repo: team.repo.at("fork"), fingerprint: String::new() };
    team.git(&["clone", "--quiet", "--template=", ".", fork.dir.to_str().unwrap()]);
    let key = team.key_of("anna");
    let who = ["--person", "anna", "--name", "Anna Adler", "--email", "anna@example.org", "--key", &key];
    let how = ["--no-hooks", "--offline", "--start", "HEAD~1"];
    fork.by("anna", &[&["init", "--product", "Infusion Gateway"], &who[..], &how].concat()).exits(0);
    let key = team.public("berta");
    let berta = ["trust", "add-person", "berta", "--name", "Berta Blum", "--email", "berta@example.org", "--key", &key];
    fork.by("anna", &[&berta[..], &["--role", "release"]].concat()).exits(0);
    let two = ["trust", "set-role", "release", "--person", "anna", "--person", "berta", "--threshold", "2"];
    fork.by("anna", &two).exits(0);
    let fork = Team { fingerprint: fork.fingerprint(), ..fork };
    let copied: BTreeMap<String, Vec<u8>> = log_files(&team, LOG)
        .keys()
        .filter(|path| path.starts_with("releases/") || path.starts_with("changes/") || path.starts_with("records/"))
        .map(|path| (path.clone(), team.blob(&format!("{LOG}:{path}"))))
        .collect();
    fork.log(&copied);
    fork.refused(&["verify", "1.1.0"], 1, "GB-SIG-THRESHOLD", "1.1.0");
    fork.git(&["update-ref", "refs/notes/baseline", &team.git(&["rev-parse", "refs/notes/baseline"])]);
    fork.refused(&["verify", "--commit", "HEAD"], 1, "GB-BIND-BASELINE", &team.head()[..12]);
    team.verified(&["1.1.0"]);
}

pub(crate) fn names_that_are_shadowed() {
    for (arguments, name) in [
        (&["tag", "1.1.0"][..], "refs/tags/1.1.0"),
        (&["tag", "v1.1.0"], "refs/tags/v1.1.0"),
        (&["tag", "-a", "-m", "x", "1.1.0"], "refs/tags/1.1.0"),
        (&["branch", "1.1.0"], "refs/heads/1.1.0"),
    ] {
        let team = Team::new();
        team.git(&[arguments, &["main~1"]].concat());
        team.refused(&["verify", "1.1.0"], 1, "GB-NAME-SHADOWED", name);
        team.git(&["update-ref", "-d", name]);
        team.git(&[arguments, &["main"]].concat());
        team.verified(&["1.1.0"]);
    }
}

pub(crate) fn evidence_of_what_is_not_verified() {
    let team = Team::new();
    let copied: BTreeMap<String, Vec<u8>> = log_files(&team, LOG)
        .keys()
        .filter_map(|path| Some((format!("releases/2.0.0/{}", path.strip_prefix("releases/1.1.0/")?), path)))
        .map(|(to, path)| (to, team.blob(&format!("{LOG}:{path}"))))
        .collect();
    team.log(&copied);
    let state = team.place.path("state");
    for arguments in [
        &["show", "2.0.0"][..],
        &["export", "2.0.0", "--as", "cyclonedx"],
        &["export", "2.0.0", "--as", "allowed-signers"],
        &["reproduce", "2.0.0"],
        &["log-proof", "2.0.0"],
    ] {
        stopped(alone(&team, &state, arguments), 1, "GB-SIG-THRESHOLD", "2.0.0");
    }
    for arguments in [&["show", "1.1.0"][..], &["export", "1.1.0", "--as", "cyclonedx"], &["reproduce", "1.1.0"]] {
        alone(&team, &state, arguments).exits(0);
    }
    // Without a pin nothing is presented as evidence.
    let nobody = team.fresh_state();
    stopped(
        alone(&team, &nobody, &["export", "1.1.0", "--as", "cyclonedx"]),
        3,
        "GB-TRUST-UNPINNED",
        &team.fingerprint,
    );
}

pub(crate) fn marker_of_a_secret_in_an_item() {
    let team = Team::new();
    team.change("CR-3", |team| team.write("etc/sudoers", "Defaults use_pty\nroot ALL=(ALL:ALL) ALL\n"));
    team.release("1.2.0");
    team.verified(&["1.2.0"]);
    let state = team.place.path("state");
    team.write("etc/sudoers", "# -----BEGIN PRIVATE KEY-----\nmallory ALL=(ALL:ALL) NOPASSWD: ALL\n");
    let commit = team.commit_as("anna", "A comment");
    team.by("anna", &["record"]).exits(0);
    let items = alone(&team, &state, &["items", "HEAD", "--format", "json"]).exits(0).json();
    let listed = items["items"].as_array().unwrap().iter().any(|item| item["path"] == "etc/sudoers");
    assert!(listed, "the file went out of control: {items}");
    stopped(team.by("anna", &["release", "1.3.0"]), 1, "GB-GATE-BLOCKED", &commit[..12]);
    team.release_past_the_gate("1.3.0", crate::support::NOW);
    team.refused(&["verify", "1.3.0"], 1, "GB-CHANGE-UNAPPROVED", &commit[..12]);
}

pub(crate) fn change_in_a_submodule_or_pointer() {
    let team = Team::new();
    let pinned = team.git(&["rev-parse", "main~1"]);
    let modules = "[submodule \"lib\"]\n\tpath = lib\n\turl = https://example.org/lib.git\n";
    team.change("CR-3", |team| {
        team.write(".gitmodules", modules);
        team.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{pinned},lib")]);
        // Declared by the policy: what is in its place is an item, whatever it holds.
        team.write("config/tls/gateway.pem", pointer('a'));
        fs::create_dir_all(team.dir.join("lib")).unwrap();
    });
    team.release("1.2.0");
    team.verified(&["1.2.0"]);
    for carried in ["submodule", "pointer"] {
        let other = Team { repo: team.repo.at(carried), fingerprint: team.fingerprint.clone() };
        crate::support::copy_folder(&team.dir, &other.dir);
        if carried == "submodule" {
            let newer = other.git(&["rev-parse", "main~3"]);
            other.git(&["update-index", "--cacheinfo", &format!("160000,{newer},lib")]);
        } else {
            other.write("config/tls/gateway.pem", pointer('b'));
            other.git(&["add", "config/tls/gateway.pem"]);
        }
        other.git(&["commit", "--quiet", "--no-verify", "-m", "Nothing to see"]);
        let commit = other.head();
        other.by("anna", &["record"]).exits(0);
        stopped(other.by("anna", &["release", "1.3.0"]), 1, "GB-GATE-BLOCKED", &commit[..12]);
    }
}

fn pointer(digit: char) -> String {
    let digest = digit.to_string().repeat(64);
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 12345\n")
}

pub(crate) fn change_in_an_excluded_folder() {
    let team = Team::new();
    team.change("CR-3", |team| {
        let policy = fs::read_to_string(team.dir.join(".baseline/policy.toml")).unwrap();
        let exclude = "\n[[exclude]]\npattern = \"/fixtures/\"\nreason = \"test data\"\n";
        team.write(".baseline/policy.toml", policy + exclude);
        team.write("fixtures/a.pem", "one");
    });
    team.release("1.2.0");
    team.verified(&["1.2.0"]);
    // The same release over a tree in which only the excluded folder differs.
    let path = "releases/1.2.0/release.cbor";
    let mut release: git_baseline::domain::Release = team.statement(path);
    team.write("fixtures/a.pem", "two");
    let commit = team.commit_as("anna", "Nothing to see");
    team.by("anna", &["record"]).exits(0);
    let parse = |id: &str| git_baseline::domain::ObjectId::parse(id).unwrap();
    release.predecessor = Some(git_baseline::domain::Digest::of(&team.blob(&format!("{LOG}:{path}"))));
    release.name = git_baseline::domain::ReleaseName::parse("1.2.1").unwrap();
    release.sequence += 1;
    release.log = team.log_head();
    release.commit = parse(&commit);
    release.tree = parse(&team.git(&["rev-parse", "main^{tree}"]));
    release.range.clear();
    let bytes = git_baseline::codec::encode(Some(&team.baseline_id()), &release);
    let mut files = team.released_by("1.2.1", &bytes, &["anna", "berta"]);
    files.insert("releases/1.2.1/release.cbor".into(), bytes);
    for name in ["manifest.cbor", "sbom.cdx.json", "sbom.spdx.json"] {
        files.insert(format!("releases/1.2.1/{name}"), team.blob(&format!("{LOG}:releases/1.2.0/{name}")));
    }
    team.log(&files);
    team.refused(&["verify", "1.2.1"], 1, "GB-REP-TREE", "1.2.1");
}

pub(crate) fn rule_set_that_is_blind() {
    let team = Team::new();
    let path = "releases/1.1.0/release.cbor";
    let mut release: git_baseline::domain::Release = team.statement(path);
    let mut manifest: git_baseline::domain::Manifest = team.statement("releases/1.1.0/manifest.cbor");
    (release.ruleset, manifest.ruleset) = (99, 99);
    manifest.items.clear();
    let manifest = git_baseline::codec::encode(Some(&team.baseline_id()), &manifest);
    release.manifest = git_baseline::domain::Digest::of(&manifest);
    release.predecessor = Some(git_baseline::domain::Digest::of(&team.blob(&format!("{LOG}:{path}"))));
    release.name = git_baseline::domain::ReleaseName::parse("1.2.0").unwrap();
    release.sequence += 1;
    release.log = team.log_head();
    release.range.clear();
    release.changes.clear();
    let bytes = git_baseline::codec::encode(Some(&team.baseline_id()), &release);
    let mut files = team.released_by("1.2.0", &bytes, &["anna", "berta"]);
    files.insert("releases/1.2.0/release.cbor".into(), bytes);
    files.insert("releases/1.2.0/manifest.cbor".into(), manifest);
    for name in ["sbom.cdx.json", "sbom.spdx.json"] {
        files.insert(format!("releases/1.2.0/{name}"), team.blob(&format!("{LOG}:releases/1.1.0/{name}")));
    }
    team.log(&files);
    team.refused(&["verify", "1.2.0"], 3, "GB-REP-RULESET", "1.2.0");
    team.verified(&["1.1.0"]);
}

pub(crate) fn exported_allowed_signers() {
    let team = Team::new();
    let file = team.place.path("home/allowed");
    let allowed = file.to_str().unwrap();
    team.by("anna", &["export", "1.1.0", "--as", "allowed-signers", "-o", allowed]).exits(0);
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), 2, "only who signs this release:\n{text}");
    for line in &lines {
        let principal = line.split(' ').next().unwrap();
        assert!(["anna", "berta"].contains(&principal), "a literal id: {line}");
        assert!(line.contains("namespaces=\"git-baseline.signoff\"") && !line.contains('*'), "{line}");
        assert!(!line.contains("valid-before") && !line.contains("cert-authority"), "{line}");
    }
    assert!(text.starts_with('#'), "a header says what ssh-keygen does not check:\n{text}");
    let sign_offs: Vec<String> =
        log_files(&team, LOG).into_keys().filter(|path| path.starts_with("releases/1.1.0/signoffs/")).collect();
    let paths: Vec<&String> = sign_offs.iter().filter(|path| path.ends_with(".cbor")).collect();
    let check = |principal: &str, namespace: &str, bytes: &[u8], armour: &[u8]| {
        let signature = team.place.path("home/checked.sig");
        fs::write(&signature, armour).unwrap();
        let arguments =
            ["-Y", "verify", "-f", allowed, "-I", principal, "-n", namespace, "-s", signature.to_str().unwrap()];
        run(team.command("ssh-keygen", &arguments), bytes).code == Some(0)
    };
    let mut good = 0;
    for path in paths {
        let bytes = team.blob(&format!("{LOG}:{path}"));
        let armour = team.blob(&format!("{LOG}:{path}.sig"));
        for principal in ["anna", "berta"] {
            good += usize::from(check(principal, "git-baseline.signoff", &bytes, &armour));
        }
        for (principal, namespace) in [("carl", "git-baseline.signoff"), ("*", "git-baseline.signoff"), ("anna", "git")]
        {
            assert!(!check(principal, namespace, &bytes, &armour), "{principal} {namespace}");
        }
        let own = team.sign_bytes("mallory", "git-baseline.signoff", &bytes);
        assert!(!check("anna", "git-baseline.signoff", &bytes, &own));
        let second = team.sign_bytes("anna2", "git-baseline.signoff", &bytes);
        assert!(!check("anna", "git-baseline.signoff", &bytes, &second), "a key that did not sign this release");
    }
    assert_eq!(good, 2);
    no_effect("(ssh-keygen)");
}
