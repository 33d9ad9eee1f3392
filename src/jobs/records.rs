//! Commit records: made, and judged. A record holds when a known developer signed exactly what this program
//! recomputes from the commit it stands on.
//!
//! Serves IEC 62304 cl. 8.2 and 8.3 (change history). Format: docs/format.md §5.

use crate::codec::{self, Record, RecordBlock};
use crate::crypto::{self, Signature, Signer};
use crate::domain::{CommitRecord, Digest, ObjectId, Person, RULE_SET, Recorder, RoleName, Timestamp, TrustRoot};
use crate::export;
use crate::jobs::commit_delta::CommitDeltas;
use crate::jobs::trust::Trust;
use crate::jobs::{Exit, Failure, trailers};
use crate::store::Commit;

/// A commit with everything that a record about it must say.
pub(super) struct Subject {
    /// The commit.
    pub commit: Commit,
    expected: CommitRecord,
}

impl Subject {
    /// Reads a commit and computes what a record about it must say.
    ///
    /// # Errors
    /// Where an object is missing or malformed.
    pub(super) fn read(deltas: &mut CommitDeltas<'_>, id: ObjectId) -> Result<Self, Failure> {
        let commit = deltas.repository().commit(id)?;
        let delta = deltas.of(&commit)?;
        let policy = deltas.policy(commit.tree)?;
        let summary = export::summary(&delta.items, &delta.components);
        let expected = CommitRecord {
            time: Timestamp::from_seconds(0),
            tree: commit.tree,
            items: delta.items,
            commit: id,
            policy: delta.policy,
            changes: trailers::change_ids(&commit.message, &policy.change_control.trailer),
            parents: commit.parents.clone(),
            ruleset: RULE_SET,
            summary: Digest::of(summary.as_bytes()),
            // Not recomputed: who records is said by the signature, and checked against it.
            recorder: Recorder { person: unknown(), made_by_me: false },
            components: delta.components,
            object_format: deltas.repository().object_format(),
        };
        Ok(Self { commit, expected })
    }

    /// Returns the note that `signer` makes about this commit.
    ///
    /// # Errors
    /// `GB-SIG-UNKNOWN-KEY` where the trust root does not know the key, `GB-SIG-ROLE` where its holder is no
    /// developer, and where the key cannot sign.
    pub(super) fn make_note(
        &self,
        baseline: &Digest,
        root: &TrustRoot,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let person = signing_person(root, signer)?;
        if !root.role(RoleName::Developer).is_some_and(|role| role.persons.contains(&person.id)) {
            return Err(Failure::new(
                Exit::Usage,
                "GB-SIG-ROLE",
                format!("{} does not hold the role developer", person.id),
            )
            .hint("let a developer of the trust root record it; see them with `git baseline trust show`"));
        }
        let made_by_me = person.emails.iter().any(|mail| mail.eq_ignore_ascii_case(&self.commit.author.email));
        let record = CommitRecord {
            time: now,
            recorder: Recorder { person: person.id.clone(), made_by_me },
            ..self.expected.clone()
        };
        let bytes = codec::encode(Some(baseline), &record);
        let signature = sign(signer, CommitRecord::TYPE, &bytes)?;
        let summary = export::summary(&record.items, &record.components);
        Ok(codec::compose_note(&summary, &bytes, &signature))
    }

    /// Judges one record of a note, which stands at a position of the log once a release has sealed it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its own code.
    pub(super) fn judge(
        &self,
        block: &RecordBlock,
        trust: &Trust,
        position: Option<u64>,
    ) -> Result<CommitRecord, Failure> {
        let id = self.commit.id;
        let refuse = |code, what: String| {
            Failure::new(Exit::Disproven, code, format!("the record on commit {} does not hold", id.short()))
                .because(what)
        };
        let attested = Signature::parse_armor(block.signature.as_bytes())
            .and_then(|signature| {
                crypto::attest(&trust.newest().root, &namespace(CommitRecord::TYPE), &block.record, &signature)
            })
            .map(|attested| position.map_or_else(|| attested.clone(), |position| attested.clone().at(position)))
            .and_then(|attested| attested.with_role(&trust.authority(position), RoleName::Developer))
            .map_err(|error| refuse(error.code(), error.to_string()))?;
        let signer = attested.person();
        let (header, record) = codec::decode::<CommitRecord>(attested.value())
            .map_err(|error| Failure::undecodable(&format!("the record on commit {}", id.short()), &error))?;
        if header.baseline != Some(trust.fingerprint) {
            return Err(refuse("GB-BIND-BASELINE", "it belongs to another baseline".into()));
        }
        if record.commit != id {
            let said = record.commit.short();
            return Err(refuse("GB-BIND-COMMIT", format!("it speaks of commit {said}, and stands on {}", id.short())));
        }
        if Digest::of(block.summary.as_bytes()) != record.summary {
            return Err(refuse("GB-NOTE-SUMMARY", "the summary before it is not the one that was signed".into()));
        }
        if record.recorder.person != signer.id {
            let said = format!("it names {} as recorder, and {} signed it", record.recorder.person, signer.id);
            return Err(refuse("GB-BIND-PERSON", said));
        }
        if record.ruleset != RULE_SET {
            let said = format!("it was made by rule set {}, and this program knows {RULE_SET}", record.ruleset);
            let failure = Failure::new(
                Exit::Inconclusive,
                "GB-REP-RULESET",
                format!("the record on commit {} cannot be recomputed", id.short()),
            );
            return Err(failure.because(said).hint("verify with the version that made it"));
        }
        self.compare(&record).map_or(Ok(record), |what| Err(refuse("GB-RECORD-DELTA", what)))
    }

    /// Names the first field in which a record differs from what the commit says.
    fn compare(&self, record: &CommitRecord) -> Option<String> {
        let expected = CommitRecord { time: record.time, recorder: record.recorder.clone(), ..self.expected.clone() };
        if *record == expected {
            return None;
        }
        let differs = [
            ("its tree", record.tree != expected.tree),
            ("its parents", record.parents != expected.parents),
            ("its policy", record.policy != expected.policy),
            ("its change requests", record.changes != expected.changes),
            ("its items", record.items != expected.items),
            ("its components", record.components != expected.components),
        ];
        let named: Vec<_> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
        Some(format!(
            "recomputed from the commit, it differs in {}",
            if named.is_empty() { "its summary".into() } else { named.join(", ") }
        ))
    }
}

/// Returns the SSHSIG namespace of a record type.
pub(super) fn namespace(record_type: &str) -> String {
    format!("git-baseline.{record_type}")
}

/// Signs a record's bytes and returns the armoured signature.
///
/// # Errors
/// Where the key cannot sign.
pub(super) fn sign(signer: &dyn Signer, record_type: &str, bytes: &[u8]) -> Result<String, Failure> {
    let signature = signer.sign(&namespace(record_type), bytes).map_err(|error| {
        Failure::new(Exit::Usage, "GB-KEY-SIGN", "the key could not sign").because(error).hint("ssh-add -l")
    })?;
    Ok(signature.to_armor())
}

/// Returns the person of the newest root whose key this is, if it still counts.
///
/// # Errors
/// `GB-SIG-UNKNOWN-KEY`, `GB-SIG-REVOKED`.
pub(super) fn signing_person<'t>(root: &'t TrustRoot, signer: &dyn Signer) -> Result<&'t Person, Failure> {
    let person = root.person_of(signer.public_key()).ok_or_else(|| unknown_key(signer))?;
    if let Some(revocation) = root.barred(signer.public_key(), None) {
        let fingerprint = crypto::fingerprint(signer.public_key());
        let what = format!("the key {fingerprint} of {} was revoked as {}", person.id, revocation.kind);
        return Err(Failure::new(Exit::Usage, "GB-SIG-REVOKED", what)
            .hint("sign with another key: `git config baseline.key FILE`; see them with `git baseline trust show`"));
    }
    Ok(person)
}

/// Returns the refusal of a key that the trust root does not know.
fn unknown_key(signer: &dyn Signer) -> Failure {
    let fingerprint = crypto::fingerprint(signer.public_key());
    Failure::new(
        Exit::Usage,
        "GB-SIG-UNKNOWN-KEY",
        format!("the trust root knows no person with the key {fingerprint}"),
    )
    .hint("sign with a key of the trust root: `git config baseline.key FILE`; see them with `git baseline trust show`")
}

fn unknown() -> crate::domain::PersonId {
    #[expect(clippy::expect_used, reason = "the text is a valid person id")]
    crate::domain::PersonId::parse("unknown").expect("a valid person id")
}
