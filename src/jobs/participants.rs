//! Who took part in a commit, as persons: whoever did cannot approve it (contract §3.7).
//!
//! Names and addresses in commits are claims, so they can only add to the excluded. That the author is who the commit
//! says is proven by the commit's own signature, or by a record that its author made.

use std::collections::BTreeSet;

use crate::crypto::{self, Authority, Signature};
use crate::domain::{PersonId, TrustRoot};
use crate::jobs::range::Judged;
use crate::jobs::trailers;
use crate::jobs::trust::Trust;
use crate::store::Commit;

/// Who took part in a commit.
pub(super) struct Participants {
    /// Author, co-authors, committer and recorder, as far as the trust root knows them.
    pub persons: BTreeSet<PersonId>,
    /// Whether the author is proven to be who the commit says.
    pub proven: bool,
}

/// Returns who took part in a commit, as far as `root` knows them.
pub(super) fn of(root: &TrustRoot, trust: &Trust, judged: &Judged) -> Participants {
    let commit = &judged.commit;
    let mut persons = named(root, commit);
    persons.insert(judged.record.recorder.person.clone());
    let author = person_of_address(root, &commit.author.email);
    let signed = author.is_some_and(|author| signer_of(trust, commit).as_ref() == Some(&author));
    Participants { persons, proven: judged.record.recorder.made_by_me || signed }
}

/// Returns those whom a commit names as author, co-authors and committer, as far as `root` knows them.
pub(super) fn named(root: &TrustRoot, commit: &Commit) -> BTreeSet<PersonId> {
    let co_authors = trailers::co_authors(&commit.message);
    let own = [commit.author.email.as_str(), commit.committer.email.as_str()];
    let addresses = co_authors.iter().map(String::as_str).chain(own);
    addresses.filter_map(|address| person_of_address(root, address)).collect()
}

fn person_of_address(root: &TrustRoot, address: &str) -> Option<PersonId> {
    let same = |mail: &String| mail.eq_ignore_ascii_case(address);
    root.persons.iter().find(|person| person.emails.iter().any(same)).map(|person| person.id.clone())
}

/// Returns the person of the newest root whose SSH key signed the commit with Git's own means, if that still counts.
fn signer_of(trust: &Trust, commit: &Commit) -> Option<PersonId> {
    let (payload, armour) = commit.signed_payload()?;
    let signature = Signature::parse_armor(&armour).ok()?;
    let attested = crypto::attest(&trust.newest().root, "git", &payload, &signature).ok()?;
    attested.counts(&Authority::newest(&trust.newest().root)).then(|| attested.person().id.clone())
}
