//! A10: thresholds that one person meets alone, or that sink later.

use git_baseline::domain::{Digest, Person, PersonId};

use crate::judge::{alone, no_effect};
use crate::team::{Format, LOG, Team};

/// The newest change, released by Anna alone.
fn proposed(team: &Team) -> Vec<u8> {
    team.change("CR-3", |team| team.write("etc/sshd_config", "PermitRootLogin no\nPort 2222\n"));
    team.by("anna", &["release", "1.2.0"]).exits(0);
    team.blob(&format!("{LOG}:releases/1.2.0/release.cbor"))
}

pub(crate) fn two_keys_of_one_person() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let statement = proposed(&team);
        team.log(&team.released_by("1.2.0", &statement, &["anna2"]));
        team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "a second key of Anna Adler (anna)");
        team.log(&team.released_by("1.2.0", &statement, &["berta"]));
        team.by("anna", &["repair"]).exits(0);
        team.verified(&["1.1.0", "1.2.0"]);
    }
}

pub(crate) fn one_key_twice() {
    let team = Team::new();
    let statement = proposed(&team);
    for time in 0..3 {
        let again = team.sign_off("releases/1.2.0/", "anna", "anna", |sign_off| {
            sign_off.time = git_baseline::domain::Timestamp::from_seconds(1_780_272_100 + time);
            sign_off.target.name = "1.2.0".into();
            sign_off.target.digest = Digest::of(&statement);
        });
        team.log(&again);
    }
    team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "one person counts once");
    team.verified(&["1.1.0"]);
}

pub(crate) fn a_sign_off_in_anothers_name() {
    let team = Team::new();
    let statement = proposed(&team);
    let forged = team.sign_off("releases/1.2.0/", "berta", "anna2", |sign_off| {
        sign_off.target.name = "1.2.0".into();
        sign_off.target.digest = Digest::of(&statement);
    });
    team.log(&forged);
    team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "names berta, and Anna Adler (anna) signed it");
    team.verified(&["1.1.0"]);
}

pub(crate) fn one_key_under_two_ids() {
    let team = Team::new();
    let key = git_baseline::crypto::parse_public_key(&std::fs::read_to_string(team.public("anna2")).unwrap()).unwrap();
    let mut token = b"\0\0\0\x1ask-ssh-ed25519@openssh.com\0\0\0\x20".to_vec();
    token.extend(&key.as_wire()[key.as_wire().len() - 32..]);
    token.extend(b"\0\0\0\x04ssh:");
    let twice = [key, git_baseline::domain::PublicKey::from_wire(token)];
    for (at, key) in twice.into_iter().enumerate() {
        let other =
            Person { id: PersonId::parse("dora").unwrap(), keys: vec![key], name: "Dora".into(), emails: vec![] };
        team.log(&team.root(&format!("trust/6~{at}/"), &["anna", "berta"], |root| {
            let at = root.persons.partition_point(|person| person.id < other.id);
            root.persons.insert(at, other);
        }));
        let arguments = ["verify", "1.1.0", "--trust", &team.fingerprint, "--format", "json"];
        assert_eq!(alone(&team, &team.fresh_state(), &arguments).exits(0).json()["trust"]["version"], 5);
    }
    no_effect("GB-TRUST-DEFECT");
}

pub(crate) fn threshold_that_sinks_later() {
    let team = Team::new();
    proposed(&team);
    team.refused(&["verify", "1.2.0"], 1, "GB-RELEASE-PROPOSED", "1 of 2");
    let one = ["trust", "set-role", "release", "--person", "anna", "--person", "berta", "--threshold", "1"];
    team.by("anna", &one).exits(0);
    team.by("anna", &["repair"]).exits(0);
    team.refused(&["verify", "1.2.0"], 1, "GB-RELEASE-PROPOSED", "1 of 2");
    team.verified(&["1.0.0", "1.1.0"]);
}

pub(crate) fn role_that_is_given_later() {
    let team = Team::new();
    let statement = proposed(&team);
    team.log(&team.released_by("1.2.0", &statement, &["carl"]));
    team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "Carl Cohn (carl) does not hold the role release");
    let three = ["trust", "set-role", "release", "--person", "anna", "--person", "berta", "--person", "carl"];
    team.by("anna", &[&three[..], &["--threshold", "2"]].concat()).exits(0);
    team.by("anna", &["repair"]).exits(0);
    team.refused(&["verify", "1.2.0"], 1, "GB-SIG-THRESHOLD", "carl");
    team.verified(&["1.1.0"]);
}

pub(crate) fn sign_off_before_the_statement() {
    // A sign-off that stands before the statement it speaks of was not made by somebody who had read it there.
    let team = Team::new();
    let statement = proposed(&team);
    let both = team.released_by("9.0.0", &statement, &["anna", "berta"]);
    team.log(&both);
    team.log(&[("releases/9.0.0/release.cbor".to_owned(), statement)].into());
    team.refused(&["verify", "9.0.0"], 1, "GB-SIG-THRESHOLD", "9.0.0");
    team.verified(&["1.1.0"]);
}
