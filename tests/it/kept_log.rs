//! What was read of a log is kept in the state folder, so that the next run reads only what is new. It changes no verdict:
//! what is gone is missed, what is damaged there is read again, and what lies there is found out.

use std::fs;
use std::path::PathBuf;

use git_baseline::domain::Digest;

use crate::support::{Ran, Repo};

const LOG: &str = "refs/baseline/log";

fn check(repo: &Repo, cache: &str) -> Ran {
    repo.baseline_with(&[("GIT_BASELINE_CACHE", cache)], &["log-check"])
}

fn kept(repo: &Repo) -> PathBuf {
    repo.place.path("state/git-baseline/logs").join(repo.fingerprint())
}

#[test]
fn what_is_gone_is_missed_whatever_was_kept() {
    let repo = Repo::walked();
    check(&repo, "always").exits(0);
    let text = fs::read_to_string(kept(&repo)).unwrap();
    assert!(text.contains("releases/1.1.0/release.cbor"), "{text}");
    // An object that this question itself would not read again.
    for object in ["releases/1.0.0/sbom.spdx.json", "releases/1.1.0/release.cbor"] {
        let id = repo.git(&["rev-parse", &format!("{LOG}:{object}")]);
        let path = repo.git_dir().join("objects").join(&id[..2]).join(&id[2..]);
        let aside = repo.place.path("aside");
        fs::rename(&path, &aside).unwrap();
        for cache in ["always", "off"] {
            check(&repo, cache).refuses(3, "GB-OBJ-MISSING").says(&id);
        }
        fs::rename(&aside, &path).unwrap();
    }
    check(&repo, "always").exits(0);
}

#[test]
fn what_is_not_whole_is_read_again() {
    let repo = Repo::walked();
    let said = check(&repo, "off").exits(0).text();
    assert!(!kept(&repo).exists(), "something was kept although nothing should be");
    check(&repo, "always").exits(0);
    let whole = fs::read(kept(&repo)).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"git-baseline log 1\nend 00\n"] {
        fs::write(kept(&repo), damaged).unwrap();
        assert_eq!(check(&repo, "always").exits(0).text().lines().next(), said.lines().next());
        assert_eq!(fs::read(kept(&repo)).unwrap(), whole);
    }
    repo.renew();
    repo.baseline(&["release", "1.2.0"]).exits(0);
    repo.baseline_with(&[("GIT_BASELINE_CACHE", "always")], &["verify", "--all"]).exits(0).shows("1.2.0 verified");
    assert!(fs::read(kept(&repo)).unwrap().len() > whole.len());
    check(&repo, "sometimes").refuses(2, "GB-USE-ARGUMENTS");
}

/// Whoever can write in the state folder could pin what he likes. Still, a lie there makes nothing true.
#[test]
fn a_lie_in_what_was_kept_makes_nothing_true() {
    let repo = Repo::walked();
    check(&repo, "always").exits(0);
    let text = fs::read_to_string(kept(&repo)).unwrap();
    let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
    let line = body.lines().find(|line| line.ends_with(" releases/1.1.0/release.cbor")).unwrap();
    let known = line.split(' ').nth(2).unwrap();
    let lied = body.replace(known, &Digest::of(b"another statement").to_string());
    fs::write(kept(&repo), format!("{lied}\nend {}\n", Digest::of(lied.as_bytes()))).unwrap();
    check(&repo, "always").exits(1).says("GB-LOG-ROOT");
    check(&repo, "off").exits(0);
}
