//! A04, A06, A36: an older log, two logs, and an auditor who has never been here.

use std::fs;

use crate::judge::alone;
use crate::support::rewrite_log;
use crate::team::{Format, LOG, Team};

pub(crate) fn yesterdays_log() {
    for format in [Format::Sha1, Format::Sha256] {
        let team = Team::of(format);
        let state = team.place.path("state");
        alone(&team, &state, &["verify", "--all"]).exits(0);
        let newest = team.git(&["rev-parse", LOG]);
        team.git(&["update-ref", LOG, "refs/baseline/log~3"]);
        team.refused_with_memory(&["verify", "1.0.0"], 5, "GB-LOG-ROLLBACK", "seen before");
        team.git(&["update-ref", LOG, &newest]);
        alone(&team, &state, &["verify", "--all"]).exits(0);
        team.verified(&["1.0.0", "1.1.0"]);
    }
}

pub(crate) fn two_logs() {
    let team = Team::new();
    let kept = team.place.path("home/kept.txt");
    team.by("anna", &["log-check", "-o", kept.to_str().unwrap()]).exits(0);
    alone(&team, &team.place.path("state"), &["verify", "--all"]).exits(0);
    // Same size, other content.
    let blob = team.write_blob(b"another SBOM");
    rewrite_log(&team, |_, files| {
        files.entry("releases/1.1.0/sbom.cdx.json".into()).and_modify(|found| found.clone_from(&blob));
        // Two checkpoints of one size in one log would tell by themselves.
        files.retain(|path, _| path != "checkpoint" && !path.starts_with("tile/"));
    });
    team.seal("anna");
    team.refused_with_memory(&["verify", "1.0.0"], 1, "GB-LOG-FORK", "seen before");
    let proofs = fs::read_dir(team.place.path("state/git-baseline/proofs")).unwrap();
    let proof = fs::read_to_string(proofs.last().unwrap().unwrap().path()).unwrap();
    assert!(proof.matches(&team.origin()).count() >= 2, "a proof holds both checkpoints:\n{proof}");
    let arguments = ["verify", "1.0.0", "--checkpoint", kept.to_str().unwrap()];
    team.refused(&arguments, 1, "GB-LOG-FORK", "kept.txt");
    // Nobody who sees one of them for the first time can tell.
    team.verified(&["1.0.0"]);
    let other = Team::new();
    other.refused_twin(&kept);
}

impl Team {
    /// The true log continues what was kept.
    fn refused_twin(&self, kept: &std::path::Path) {
        let kept = fs::read(kept).unwrap();
        let path = self.place.path("home/kept.txt");
        fs::write(&path, kept).unwrap();
        let arguments = ["verify", "1.0.0", "--trust", &self.fingerprint, "--checkpoint", path.to_str().unwrap()];
        alone(self, &self.fresh_state(), &arguments).exits(0);
    }
}

pub(crate) fn cold_auditor() {
    let team = Team::new();
    let newest = team.git(&["rev-parse", LOG]);
    for person in ["anna", "berta"] {
        team.by(person, &["sign", "1.1.0", "--meaning", "withdrawn"]).exits(0);
    }
    team.by("anna", &["checkpoint"]).exits(0);
    let kept = team.place.path("home/kept.txt");
    let kept = kept.to_str().unwrap();
    team.by("anna", &["log-check", "-o", kept]).exits(0);
    team.refused(&["verify", "1.1.0"], 1, "GB-RELEASE-WITHDRAWN", "1.1.0");
    team.git(&["update-ref", LOG, &newest]);
    let arguments = ["verify", "1.1.0", "--trust", &team.fingerprint];
    let said = alone(&team, &team.fresh_state(), &arguments).exits(0).shows("freshness unknown").text();
    assert!(said.contains("size ") && said.contains("root 5"), "head and root version must be named:\n{said}");
    team.refused(&["verify", "1.1.0", "--checkpoint", kept], 5, "GB-LOG-ROLLBACK", "kept.txt");
    team.refused_with_memory(&["verify", "1.1.0"], 5, "GB-LOG-ROLLBACK", "seen before");
}

pub(crate) fn memory_that_was_poisoned() {
    let team = Team::new();
    let heads = team.place.path("state/git-baseline/heads");
    let path = heads.join(&team.fingerprint);
    let head = team.log_head();
    // Rubbish in one's own state folder is a matter of one's own machine: named, and never "verified".
    fs::write(&path, "rubbish").unwrap();
    team.refused_with_memory(&["verify", "1.1.0"], 2, "GB-LOG-CHECKPOINT", &team.fingerprint[..12]);
    fs::remove_file(&path).unwrap();
    // What a repository brings never gets there: not a checkpoint by a stranger, and not one of another log.
    let larger = git_baseline::domain::LogHead { size: head.size + 9, ..head };
    for checkpoint in [
        team.checkpoint_by("mallory", &team.origin(), larger),
        team.checkpoint_by("anna", &team.origin(), larger),
        team.checkpoint_by("anna", "git-baseline/another-log", larger),
    ] {
        team.put_checkpoint(&checkpoint);
        alone(&team, &team.place.path("state"), &["verify", "1.1.0"]).exits(0);
        let kept = fs::read_to_string(&path).unwrap();
        assert!(kept.lines().nth(1).unwrap().parse::<u64>().unwrap() == head.size, "{kept}");
    }
}

pub(crate) fn forged_kept_checkpoint() {
    let team = Team::new();
    let path = team.place.path("home/kept.txt");
    let kept = path.to_str().unwrap();
    let larger = git_baseline::domain::LogHead { size: 999, ..team.log_head() };
    // Nobody whom the log knows signed it, so it says nothing of the log, and must not be called an older view of it.
    fs::write(&path, team.checkpoint_by("mallory", &team.origin(), larger)).unwrap();
    team.refused(&["verify", "1.1.0", "--checkpoint", kept], 3, "GB-LOG-CHECKPOINT", "kept.txt");
    team.verified(&["1.1.0"]);
}
