//! A08, A09, A11 to A14: roots that no quorum made, revocations, keys of nobody.

use std::collections::BTreeMap;

use git_baseline::crypto;
use git_baseline::domain::{Digest, Person, PersonId, PublicKey, RevocationKind, RoleName};

use crate::judge::{alone, no_effect, stopped};
use crate::support::NOW;
use crate::team::{Format, LOG, Team};

/// A later root that the attacker brought must have no effect, and bricks nothing.
fn void_root(team: &Team, code: &str) {
    let version = 5;
    team.verified(&["1.0.0", "1.1.0"]);
    let state = team.place.path("state");
    let report = alone(team, &state, &["verify", "1.1.0", "--format", "json"]).exits(0).json();
    assert_eq!(report["trust"]["version"], version, "{report}");
    no_effect(code);
    // The true next root still finds its way.
    let key = team.public("dora");
    let who = ["trust", "add-person", "dora", "--name", "Dora", "--email", "dora@example.org", "--key", &key];
    team.by("anna", &who).exits(0);
    let report = alone(team, &state, &["verify", "1.1.0", "--format", "json"]).exits(0).json();
    assert_eq!(report["trust"]["version"], version + 1, "{report}");
}

fn mallory(team: &Team) -> Person {
    let key = std::fs::read_to_string(team.public("mallory")).unwrap();
    let keys = vec![crypto::parse_public_key(&key).unwrap()];
    Person { id: PersonId::parse("mallory").unwrap(), keys, name: "Mallory".into(), emails: vec![] }
}

pub(crate) fn older_root_again() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let files: BTreeMap<String, Vec<u8>> = crate::support::log_files(&team, LOG)
            .keys()
            .filter_map(|path| Some((format!("trust/6/{}", path.strip_prefix("trust/3/")?), path)))
            .map(|(to, path)| (to, team.blob(&format!("{LOG}:{path}"))))
            .collect();
        team.log(&files);
        void_root(&team, "GB-TRUST-CHAIN");
    }
}

pub(crate) fn root_of_its_own_keys() {
    let team = Team::new();
    let person = mallory(&team);
    let files = team.root("trust/6/", &["mallory"], |root| {
        for role in &mut root.roles {
            role.persons = vec![person.id.clone()];
            role.threshold = 1;
        }
        root.persons.push(person);
    });
    team.log(&files);
    // What it would allow: a release by the attacker alone.
    let release = team.blob(&format!("{LOG}:releases/1.1.0/release.cbor"));
    let mut files = team.released_by("6.6.6", &release, &["mallory"]);
    files.insert("releases/6.6.6/release.cbor".to_owned(), release);
    team.log(&files);
    team.refused(&["verify", "6.6.6"], 1, "GB-SIG-THRESHOLD", "6.6.6");
    // Nobody builds on it: see proposal_of_a_stranger. Here only what is in force is looked at.
    team.verified(&["1.0.0", "1.1.0"]);
}

pub(crate) fn proposal_of_a_stranger() {
    let team = Team::new();
    let person = mallory(&team);
    let files = team.root("trust/6/", &["mallory"], |root| {
        for role in &mut root.roles {
            if role.name != RoleName::Developer {
                role.persons.push(person.id.clone());
                role.persons.sort();
            }
        }
        root.persons.push(person);
    });
    // Pushed, and no more: the attacker holds no key that counts.
    team.push_to_log(&files);
    let key = team.public("dora");
    let who = ["trust", "add-person", "dora", "--name", "Dora", "--email", "dora@example.org", "--key", &key];
    team.by("anna", &who).exits(0);
    let shown = alone(&team, &team.place.path("state"), &["trust", "show"]).exits(0).text();
    assert!(!shown.contains("mallory"), "Anna signed what a stranger proposed:\n{shown}");
    team.verified(&["1.0.0", "1.1.0"]);
    no_effect("GB-TRUST-THRESHOLD");
}

pub(crate) fn root_below_the_old_threshold() {
    let team = Team::new();
    let two = ["trust", "set-role", "root", "--person", "anna", "--person", "berta", "--threshold", "2"];
    team.by("anna", &two).exits(0);
    team.by("berta", &["trust", "sign"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    let files = team.root("trust/7/", &["anna", "anna2"], |root| {
        let role = root.roles.iter_mut().find(|role| role.name == RoleName::Root).unwrap();
        role.threshold = 1;
    });
    team.log(&files);
    let state = team.fresh_state();
    let arguments = ["verify", "1.1.0", "--trust", &team.fingerprint, "--format", "json"];
    assert_eq!(alone(&team, &state, &arguments).exits(0).json()["trust"]["version"], 6);
    no_effect("GB-TRUST-THRESHOLD");
    // With the second person it is in force.
    team.by("berta", &["trust", "sign"]).exits(0);
    team.by("anna", &["checkpoint"]).exits(0);
    assert_eq!(alone(&team, &state, &arguments).exits(0).json()["trust"]["version"], 7);
}

pub(crate) fn root_that_skips_a_version() {
    let team = Team::new();
    let files = team.root("trust/7/", &["anna", "berta"], |root| root.version = 7);
    team.log(&files);
    void_root(&team, "GB-TRUST-CHAIN");
}

pub(crate) fn root_that_lowers_what_must_not_sink() {
    let team = Team::new();
    team.by("anna", &["trust", "raise-floors", "--change-control"]).exits(0);
    let files = team.root("trust/7~0/", &["anna", "berta"], |root| root.floors.change_control = false);
    team.log(&files);
    let arguments = ["verify", "1.1.0", "--trust", &team.fingerprint, "--format", "json"];
    let state = team.fresh_state();
    assert_eq!(alone(&team, &state, &arguments).exits(0).json()["trust"]["version"], 6);
    let start = team.root("trust/7~1/", &["anna", "berta"], |root| root.control_start = None);
    team.log(&start);
    assert_eq!(alone(&team, &state, &arguments).exits(0).json()["trust"]["version"], 6);
    no_effect("GB-TRUST-CHAIN");
}

/// Revokes a key, as the root signers do.
fn revoke(team: &Team, person: &str, kind: &str) {
    let key = team.ssh_fingerprint(person);
    team.by("anna", &["trust", "revoke-key", &key, "--as", kind]).exits(0);
}

pub(crate) fn release_by_a_revoked_key() {
    for kind in ["compromised", "retired"] {
        let team = Team::new();
        team.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
        team.by("anna", &["release", "1.2.0"]).exits(0);
        revoke(&team, "berta", kind);
        // The thief signs with a time long before the revocation.
        let statement = team.blob(&format!("{LOG}:releases/1.2.0/release.cbor"));
        let early = team.sign_off("releases/1.2.0/", "berta", "berta", |sign_off| {
            sign_off.time = git_baseline::domain::Timestamp::from_seconds(1_700_000_000);
            sign_off.target.name = "1.2.0".into();
            sign_off.target.digest = Digest::of(&statement);
        });
        team.log(&early);
        team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "1.2.0");
        // Its date is told from its place: it is earlier than that of the root in force there.
        team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "before the trust root that was in force");
        let late = team.sign_off("releases/1.2.0/", "berta", "berta", |sign_off| {
            sign_off.target.name = "1.2.0".into();
            sign_off.target.digest = Digest::of(&statement);
        });
        team.log(&late);
        team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", &format!("revoked as {kind}"));
        // What it signed before its revocation holds.
        team.verified(&["1.0.0", "1.1.0"]);
        let signing = team.by("berta", &["sign", "1.2.0", "--meaning", "released"]);
        stopped(signing, 2, "GB-SIG-REVOKED", &team.ssh_fingerprint("berta"));
    }
}

pub(crate) fn key_that_never_counted() {
    let team = Team::new();
    revoke(&team, "berta", "compromised-always");
    team.refused(&["verify", "1.1.0"], 1, "GB-SIG-THRESHOLD", "revoked as compromised-always");
    let other = Team::new();
    revoke(&other, "anna2", "compromised-always");
    other.verified(&["1.0.0", "1.1.0"]);
}

pub(crate) fn revocation_dropped() {
    let team = Team::new();
    revoke(&team, "berta", "retired");
    let drop = |folder: &str| team.root(folder, &["anna"], |root| root.revocations.clear());
    team.log(&drop("trust/7~0/"));
    let arguments = ["verify", "1.1.0", "--trust", &team.fingerprint, "--format", "json"];
    let state = team.fresh_state();
    assert_eq!(alone(&team, &state, &arguments).exits(0).json()["trust"]["version"], 6);
    // Nor a milder one, nor one that counts longer.
    let mut milder = team.root("trust/7~1/", &["anna"], |root| {
        root.revocations[0].since.as_mut().unwrap().size += 1;
    });
    milder.extend(team.root("trust/7~2/", &["anna"], |root| {
        let person = root.persons.iter_mut().find(|person| person.id.as_str() == "berta").unwrap();
        person.keys.clear();
        root.revocations.clear();
        root.roles.iter_mut().for_each(|role| role.persons.retain(|id| id.as_str() != "berta"));
    }));
    team.log(&milder);
    assert_eq!(alone(&team, &state, &arguments).exits(0).json()["trust"]["version"], 6);
    no_effect("GB-TRUST-REVOCATION-LOST");
    // A stricter one is in force.
    let stricter = team.root("trust/7~3/", &["anna"], |root| root.revocations[0].kind = RevocationKind::Compromised);
    team.log(&stricter);
    assert_eq!(alone(&team, &state, &arguments).exits(0).json()["trust"]["version"], 7);
}

pub(crate) fn key_of_the_tree_under_test() {
    let team = Team::new();
    let key = std::fs::read_to_string(team.public("mallory")).unwrap();
    team.write(".baseline/allowed_signers", format!("* namespaces=\"*\" {key}"));
    team.write(".baseline/trust.toml", format!("[[person]]\nid = \"mallory\"\nkey = \"{}\"\n", key.trim()));
    team.git(&["config", "gpg.ssh.allowedSignersFile", ".baseline/allowed_signers"]);
    let commit = team.commit_as("mallory", "Trust me\n\nChange-Request: CR-2");
    let recording = team.by("mallory", &["record"]);
    stopped(recording, 2, "GB-SIG-UNKNOWN-KEY", &team.ssh_fingerprint("mallory"));
    // With a record that the library makes for him.
    let block = git_baseline::codec::parse_note(&team.note("main~1")).unwrap().remove(0);
    let armour = String::from_utf8(team.sign_bytes("mallory", "git-baseline.commit", &block.record)).unwrap();
    team.set_note("main", git_baseline::codec::compose_note(&block.summary, &block.record, &armour).as_bytes());
    team.refused(&["verify", "--commit", "main"], 1, "GB-SIG-UNKNOWN-KEY", &commit[..12]);
    team.verified(&["1.1.0"]);
}

/// A signature over the same bytes by the same key with `s + L`, which a careless verifier takes.
fn malleable(armour: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let text = String::from_utf8(armour.to_vec()).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut blob = <base64ct::Base64 as base64ct::Encoding>::decode_vec(&body).unwrap();
    let at = blob.len() - 32;
    let mut carry = 0_u16;
    for (byte, order) in blob[at..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let body = <base64ct::Base64 as base64ct::Encoding>::encode_string(&blob);
    let lines: Vec<&str> = body.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n")).into_bytes()
}

pub(crate) fn weak_keys_and_signatures() {
    let team = Team::new();
    let block = git_baseline::codec::parse_note(&team.note("main")).unwrap().remove(0);
    let compose = |armour: &[u8]| {
        let armour = std::str::from_utf8(armour).unwrap();
        git_baseline::codec::compose_note(&block.summary, &block.record, armour)
    };
    team.set_note("main", compose(&malleable(block.signature.as_bytes())).as_bytes());
    team.refused(&["verify", "--commit", "main"], 1, "GB-SIG-INVALID", &team.head()[..12]);
    team.set_note("main", compose(block.signature.as_bytes()).as_bytes());
    // A root that would bring a key under which everything is signed.
    for point in [
        [0_u8; 32],
        {
            let mut one = [0; 32];
            one[0] = 1;
            one
        },
        [0xff; 32],
    ] {
        let mut wire = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        wire.extend(point);
        let files = team.root("trust/6/", &["anna"], |root| {
            let person = Person { keys: vec![PublicKey::from_wire(wire)], ..mallory(&team) };
            root.persons.push(person);
        });
        let Ok(()) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| team.log(&files))) else { continue };
        let arguments = ["verify", "1.1.0", "--trust", &team.fingerprint, "--format", "json"];
        assert_eq!(alone(&team, &team.fresh_state(), &arguments).exits(0).json()["trust"]["version"], 5);
        team.git(&["update-ref", LOG, "refs/baseline/log~2"]);
    }
    no_effect("GB-SIG-WEAK-KEY");
    let file = team.place.path("home/weak.pub");
    let line = <base64ct::Base64 as base64ct::Encoding>::encode_string(
        &[b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec(), vec![0; 32]].concat(),
    );
    std::fs::write(&file, format!("ssh-ed25519 {line} weak\n")).unwrap();
    let adding = team.at_time(NOW, "anna", &["trust", "add-key", "anna", "--key", file.to_str().unwrap()]);
    stopped(adding, 2, "GB-KEY-UNREADABLE", "small order");
    team.verified(&["1.1.0"]);
}
