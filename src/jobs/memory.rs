//! What was seen of a log before, held against what is here: an older log is stale, another one is a fork.
//!
//! Never here: where the memory is kept (the rim). Serves contract §3.2 and §3.9 (A04 to A06, A35, A36).

use crate::crypto;
use crate::domain::{Checkpoint, SignedNote, TrustRoot};
use crate::jobs::checkpoint::{self, Accepted};
use crate::jobs::log::Log;
use crate::jobs::{Exit, Failure};

/// A checkpoint that was kept outside of the repository.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where it was kept, for messages.
    pub place: String,
    /// Whether it was verified before it was kept, as what this program remembers is.
    pub verified: bool,
}

/// What is known of how new a log is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// The size of the newest checkpoint that was seen before and that this log continues.
    pub seen: Option<u64>,
    /// The operators of witnesses who cosigned the accepted checkpoint, with their newest times.
    pub witnesses: Vec<(String, u64)>,
    /// The time by which as many operators as the trust root asks for had seen it.
    pub quorum: Option<u64>,
}

/// Holds a log against a checkpoint that was seen before.
///
/// # Errors
/// `GB-LOG-ROLLBACK` (stale) where the log is older, `GB-LOG-FORK` where it is another one; `GB-LOG-CHECKPOINT` where
/// what was kept is no checkpoint of this log.
pub(super) fn compare(
    log: &Log<'_>,
    root: &TrustRoot,
    accepted: &Accepted,
    kept: &Kept,
    freshness: &mut Freshness,
) -> Result<(), Failure> {
    let (note, stated) = checkpoint::parse(&kept.bytes)
        .map_err(|failure| Failure { exit: Exit::Usage, ..failure.because(&kept.place) })?;
    if stated.origin != root.origin {
        let what = format!("{} holds a checkpoint of another log", kept.place);
        return Err(Failure::new(Exit::Usage, "GB-LOG-CHECKPOINT", what).because(format!(
            "it says \"{}\", and this is \"{}\"",
            stated.origin.escape_debug(),
            root.origin
        )));
    }
    // A stranger's file proves nothing of this log.
    if !kept.verified && !crypto::may_have_logged(root, &note) && crypto::witnessed(root, &note).operators.is_empty() {
        let what = format!("no key that this log knows signed the checkpoint in {}", kept.place);
        return Err(Failure::new(Exit::Inconclusive, "GB-LOG-CHECKPOINT", what)
            .because("it is another's, or was signed by a key of a later trust root that is missing here")
            .hint("get the newest log with `git baseline sync`, or leave `--checkpoint` out"));
    }
    if stated.head.size > accepted.head.size {
        return Err(older(root, &note, &stated, accepted, &kept.place));
    }
    if !log.begins_with(&stated.head)? {
        return Err(fork(&note, &stated, accepted, &kept.place));
    }
    freshness.seen = freshness.seen.max(Some(stated.head.size));
    // Witnesses of the very checkpoint that the log ends with tell how new it is.
    if note.text == accepted.note.text {
        add_witnesses(root, &note, freshness);
    }
    Ok(())
}

/// Adds the witnesses who cosigned a note.
pub(super) fn add_witnesses(root: &TrustRoot, note: &SignedNote, freshness: &mut Freshness) {
    let seen = crypto::witnessed(root, note);
    freshness.quorum = freshness.quorum.max(seen.quorum);
    for (operator, time) in seen.operators {
        match freshness.witnesses.iter_mut().find(|(known, _)| *known == operator) {
            Some((_, known)) => *known = time.max(*known),
            None => freshness.witnesses.push((operator, time)),
        }
    }
}

fn older(root: &TrustRoot, note: &SignedNote, stated: &Checkpoint, accepted: &Accepted, place: &str) -> Failure {
    let what = format!("the log has {} statements, and {} were seen before", accepted.head.size, stated.head.size);
    let mut failure = Failure::new(Exit::Stale, "GB-LOG-ROLLBACK", what).because(format!("seen in {place}"));
    for (operator, time) in crypto::witnessed(root, note).operators {
        let time = crate::domain::Timestamp::from_seconds(i64::try_from(time).unwrap_or(i64::MAX));
        failure = failure.because(format!("witness {} cosigned it at {time}", operator.escape_debug()));
    }
    failure.hint("get the newest log with `git baseline sync`; where it stays so, somebody took statements back")
}

/// Two checkpoints of one log that exclude each other are a proof against whoever signed them.
fn fork(note: &SignedNote, stated: &Checkpoint, accepted: &Accepted, place: &str) -> Failure {
    let what =
        format!("this log is not the one that was seen before: its first {} statements differ", stated.head.size);
    let proof = [note, &accepted.note].map(|note| checkpoint::compose(note).unwrap_or_default()).join("\n");
    Failure::new(Exit::Disproven, "GB-LOG-FORK", what)
        .because(format!("seen in {place}"))
        .hint("keep the proof, and ask the log's keepers which of the two is theirs")
        .with_proof(proof)
}
