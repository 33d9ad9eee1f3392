//! Trust roots: the chain of them in the log, each in force from the place where enough persons had signed it.
//!
//! The first is believed because its digest was given from outside the repository; each next one because the persons
//! of the one before signed it. Serves contract §3.1 to §3.3. Format: docs/format.md §3.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec;
use crate::crypto::{self, Authority, RootDefect, RootSignature, Verified};
use crate::domain::{Checkpoint, Digest, LogHead, PersonId, RoleName, SignedNote, TrustRoot};
use crate::jobs::checkpoint::{self, Accepted};
use crate::jobs::log::{Log, parse_signature};
use crate::jobs::memory::{self, Freshness, Kept};
use crate::jobs::{Exit, Failure};

/// Where trust comes from: always from outside the repository.
#[derive(Clone, Debug, Default)]
pub struct Anchor {
    /// A fingerprint given for this run.
    pub given: Option<Digest>,
    /// The fingerprints that the user has pinned before.
    pub pinned: Vec<Digest>,
    /// The newest checkpoint of each baseline that was seen on this machine.
    pub seen: BTreeMap<Digest, Kept>,
    /// A checkpoint given for this run.
    pub checkpoint: Option<Kept>,
}

/// A trust root that was in force from some place of the log on.
pub struct Link {
    /// The root.
    pub root: Verified<TrustRoot>,
    /// Digest of its stored bytes.
    pub digest: Digest,
    /// The position of the statement that brought it into force.
    pub position: u64,
}

/// A next root that not enough persons have signed yet, or that does not hold.
pub struct Proposal {
    /// Its folder in the log.
    pub folder: String,
    /// Its stored bytes.
    pub bytes: Vec<u8>,
    /// What it says, where it can be read.
    pub root: Option<TrustRoot>,
    /// The holders of role `root` of the root in force who signed it: whoever can push could propose anything.
    pub signed_by: Vec<PersonId>,
    /// Why it is not in force.
    pub why: Failure,
}

/// The trust roots of a log, verified.
pub struct Trust {
    /// The fingerprint: the baseline's id.
    pub fingerprint: Digest,
    /// The roots that were in force, oldest first; never empty.
    chain: Vec<Link>,
    newest: Link,
    /// Roots in the log that have no effect.
    pub proposals: Vec<Proposal>,
    /// How far the log was validated.
    pub checkpoint: Accepted,
    /// What is known of how new the log is.
    pub freshness: Freshness,
}

impl Log<'_> {
    /// Returns the digest of the first trust root's bytes: what the log itself claims to be its fingerprint.
    ///
    /// # Errors
    /// Where the log has no first root.
    pub fn claimed_fingerprint(&self) -> Result<Digest, Failure> {
        Ok(Digest::of(&self.need("trust/1/root.cbor")?))
    }

    /// Verifies the trust roots against an anchor from outside.
    ///
    /// # Errors
    /// `GB-TRUST-UNPINNED` where there is no anchor, `GB-TRUST-FINGERPRINT` where it is another one,
    /// and whatever is wrong with the first root itself, or with the checkpoint. What no checkpoint covers is set aside.
    pub fn trust(&mut self, anchor: &Anchor) -> Result<Trust, Failure> {
        let fingerprint = self.claimed_fingerprint()?;
        match anchor.given {
            Some(given) if given != fingerprint => {
                return Err(Failure::new(
                    Exit::Disproven,
                    "GB-TRUST-FINGERPRINT",
                    format!("this repository's trust root is not {given}"),
                )
                .because(format!("its root 1 has the fingerprint {fingerprint}"))
                .hint("compare with the fingerprint that the maker gave you by another way"));
            }
            None if !anchor.pinned.contains(&fingerprint) => return Err(unpinned(&fingerprint)),
            _ => {}
        }
        let mut trust = self.trust_as_claimed()?;
        let mut freshness = Freshness::default();
        memory::add_witnesses(trust.root(), &trust.checkpoint.note, &mut freshness);
        for kept in anchor.seen.get(&fingerprint).into_iter().chain(&anchor.checkpoint) {
            memory::compare(self, trust.root(), &trust.checkpoint, kept, &mut freshness)?;
        }
        trust.freshness = freshness;
        Ok(trust)
    }

    /// Verifies the trust roots in themselves: each is signed as it must be. Says nothing of who made the first.
    ///
    /// # Errors
    /// Whatever is wrong with the first root; `GB-LOG-FORK` where a later one was made on another log;
    /// `GB-LOG-UNSIGNED` where no checkpoint covers anything, `GB-LOG-ROOT` where one signs another log.
    pub fn trust_as_claimed(&mut self) -> Result<Trust, Failure> {
        let (trust, size) = self.accepted()?;
        self.accept(size);
        Ok(trust)
    }

    /// Takes the largest checkpoint that enough holders of role `log` signed, as the roots that it covers say. One that
    /// does not hold is named and has no effect: whoever can push could bring one. Nor does it matter which one was put
    /// there last: an old one on top of a log takes nothing back.
    fn accepted(&self) -> Result<(Trust, usize), Failure> {
        let mut void = Vec::new();
        let note_void = |void: &mut Vec<String>, why: String| {
            if void.len() < MOST_REASONS {
                void.push(why);
            }
        };
        // No root forgets a key, so the newest knows every key that could have signed. Whoever cannot sign must not be able
        // to make this slow, either.
        let widest = Walk::begin(self)?.up_to(self.leaves.len()).ok();
        let signed =
            |note: &SignedNote| widest.as_ref().is_none_or(|trust| crypto::may_have_logged(trust.root(), note));
        let mut stated = Vec::new();
        for blob in self.checkpoints.iter().collect::<BTreeSet<_>>() {
            match checkpoint::parse(&self.repository().blob(*blob)?) {
                Ok((note, _)) if !signed(&note) => {
                    note_void(&mut void, "a checkpoint that no key of this log signed".to_owned());
                }
                Ok(found) => stated.push(found),
                Err(failure) => note_void(&mut void, failure.to_string()),
            }
        }
        stated.sort_by(|(_, a), (_, b)| b.head.size.cmp(&a.head.size).then_with(|| a.head.root.cmp(&b.head.root)));
        let mut stated = stated.into_iter();
        while let Some((note, first)) = stated.next() {
            if let Some((trust, size)) = self.held_against(note, &first, &mut void)? {
                self.agree(&trust, stated)?;
                return Ok((trust, size));
            }
        }
        let mut failure = Failure::new(Exit::Inconclusive, "GB-LOG-UNSIGNED", "no checkpoint of this log holds")
            .hint("let a holder of role log run `git baseline checkpoint`");
        failure.causes = void;
        Err(failure)
    }

    /// Every other checkpoint that enough holders of role `log` signed must say the same of this log: a log's key that
    /// signed two histories is caught by it.
    fn agree(&self, trust: &Trust, others: impl Iterator<Item = (SignedNote, Checkpoint)>) -> Result<(), Failure> {
        let size_of = |stated: &Checkpoint| usize::try_from(stated.head.size).unwrap_or(usize::MAX);
        let counts = |note: &SignedNote, stated: &Checkpoint| {
            let root = &trust.at(Some(stated.head.size)).root;
            let own = root.value().origin == stated.origin && stated.head.size > 0;
            own && crypto::logged(root, note, stated.head.size).is_ok()
        };
        let others: Vec<Checkpoint> =
            others.filter(|(note, stated)| counts(note, stated)).map(|(_, stated)| stated).collect();
        let hashes: Vec<_> = self.encoded()?.iter().map(|leaf| codec::leaf_hash(leaf)).collect();
        let roots = codec::prefix_roots(&hashes, &others.iter().map(size_of).collect());
        let other =
            others.iter().find(|stated| roots.get(&size_of(stated)).is_some_and(|root| *root != stated.head.root));
        other.map_or(Ok(()), |stated| {
            let found = roots.get(&size_of(stated)).copied().unwrap_or(stated.head.root);
            Err(not_signed(stated, &LogHead { root: found, size: stated.head.size }))
        })
    }

    fn held_against(
        &self,
        note: SignedNote,
        stated: &Checkpoint,
        void: &mut Vec<String>,
    ) -> Result<Option<(Trust, usize)>, Failure> {
        let size = usize::try_from(stated.head.size).ok().filter(|size| *size <= self.leaves.len() && *size > 0);
        let Some(size) = size else {
            void.push(format!(
                "a checkpoint of {} statements, and the log has {}",
                stated.head.size,
                self.leaves.len()
            ));
            return Ok(None);
        };
        let mut trust = Walk::begin(self)?.up_to(size)?;
        if trust.root().origin != stated.origin {
            void.push(format!("a checkpoint of another log, \"{}\"", stated.origin.escape_debug()));
            return Ok(None);
        }
        match crypto::logged(&trust.newest.root, &note, stated.head.size) {
            Err(shortfall) => {
                let causes: Vec<String> = shortfall.not_counted.iter().map(ToString::to_string).collect();
                let why = [vec![shortfall.to_string()], causes].concat().join("; ");
                void.push(format!("a checkpoint of {size} statements: {why}"));
                return Ok(None);
            }
            Ok(signed) => trust.checkpoint.signers = signed.signers().to_vec(),
        }
        // Signed by the log's own key, over other statements than these: somebody lies.
        let head = self.log_head(Some(size))?;
        if head != stated.head {
            return Err(not_signed(stated, &head));
        }
        trust.checkpoint = Accepted { note, head: stated.head, void: std::mem::take(void), ..trust.checkpoint };
        Ok(Some((trust, size)))
    }
}

fn not_signed(stated: &Checkpoint, head: &LogHead) -> Failure {
    let what = format!("the log's first {} statements are not those that its checkpoint signs", head.size);
    Failure::new(Exit::Disproven, "GB-LOG-ROOT", what)
        .because(format!("they give the root {}, the checkpoint says {}", head.root, stated.head.root))
        .hint("fetch refs/baseline/log again from a source that you trust")
}

fn unpinned(fingerprint: &Digest) -> Failure {
    Failure::new(Exit::Inconclusive, "GB-TRUST-UNPINNED", "nothing outside this repository says whom to trust")
        .because(format!("its log begins with the trust root {fingerprint}"))
        .hint(format!(
            "confirm the fingerprint with its maker by another way, then `git baseline trust pin {fingerprint}`"
        ))
}

/// A root in the log with what was signed of it so far.
struct Candidate {
    bytes: Vec<u8>,
    /// What it says, where it can be read; believed once it is signed.
    root: Option<TrustRoot>,
    signatures: Vec<RootSignature>,
    void: Vec<String>,
}

/// So many reasons are kept of what is void beside a root.
const MOST_REASONS: usize = 20;

/// Goes through the log once, and brings each root into force where it is.
struct Walk<'l, 'r> {
    log: &'l Log<'r>,
    candidates: BTreeMap<String, Candidate>,
    chain: Vec<Link>,
    newest: Link,
    at: usize,
}

impl<'l, 'r> Walk<'l, 'r> {
    /// Goes as far as the first root. All of its signatures count, wherever they stand: which root is the first one, the
    /// fingerprint says.
    fn begin(log: &'l Log<'r>) -> Result<Self, Failure> {
        let bytes = log.need("trust/1/root.cbor")?;
        let position = log.position("trust/1/root.cbor").unwrap_or_default();
        let root = decode(&bytes, None)?;
        let mut candidate = Candidate { bytes, root: Some(root), signatures: Vec::new(), void: Vec::new() };
        for path in log.below("trust/1/signatures/") {
            candidate.add(log, path)?;
        }
        let root = crypto::first_root(&candidate.bytes, &candidate.signatures, |bytes| decode(bytes, None))
            .map_err(|failure: Failure| candidate.void.iter().fold(failure, Failure::because))?;
        let newest = Link { root, digest: Digest::of(&candidate.bytes), position };
        Ok(Self { log, candidates: BTreeMap::new(), chain: Vec::new(), newest, at: 0 })
    }

    fn up_to(mut self, size: usize) -> Result<Trust, Failure> {
        let fingerprint = self.newest.digest;
        while let Some(leaf) = self.log.leaves.get(self.at).filter(|_| self.at < size) {
            if let Some(folder) = folder_of(&leaf.path)
                && self.gain(folder, &leaf.path, &fingerprint)?
            {
                // What two roots were signed for at once, the one that was complete first decides.
                self.advance(folder, &fingerprint)?;
            }
            self.at += 1;
        }
        let proposals = self.proposals(&fingerprint);
        let (checkpoint, freshness) = (Accepted::default(), Freshness::default());
        Ok(Trust { fingerprint, chain: self.chain, newest: self.newest, proposals, checkpoint, freshness })
    }

    /// Takes up a root or a signature; says whether that could bring the root into force.
    fn gain(&mut self, folder: &str, path: &str, fingerprint: &Digest) -> Result<bool, Failure> {
        if path.strip_prefix(folder) == Some("root.cbor") {
            let bytes = self.log.need(path)?;
            let root = decode(&bytes, Some(fingerprint)).ok();
            let candidate = Candidate { bytes, root, signatures: Vec::new(), void: Vec::new() };
            self.candidates.insert(folder.to_owned(), candidate);
            return Ok(false);
        }
        self.candidates.get_mut(folder).map_or(Ok(false), |candidate| candidate.add(self.log, path))
    }

    fn advance(&mut self, folder: &str, fingerprint: &Digest) -> Result<(), Failure> {
        let Some(candidate) = self.candidates.get(folder) else { return Ok(()) };
        let Ok(root) = self.judge(candidate, fingerprint) else { return Ok(()) };
        let heads = root.value().log.iter().chain(root.value().revocations.iter().filter_map(|r| r.since.as_ref()));
        for head in heads {
            self.continues(head, root.value().version)?;
        }
        let next = Link { root, digest: Digest::of(&candidate.bytes), position: self.at as u64 };
        self.chain.push(std::mem::replace(&mut self.newest, next));
        self.candidates.remove(folder);
        Ok(())
    }

    /// What enough persons signed names the log that they saw. Where that is not the beginning of this one, this log
    /// was rebuilt, and what is missing in it may be a revocation: nothing can be believed (A28).
    fn continues(&self, head: &LogHead, version: u64) -> Result<(), Failure> {
        if head.size <= self.at as u64 && self.log.begins_with(head)? {
            return Ok(());
        }
        let what = format!("the log that trust root {version} was made on is not the beginning of this one");
        Err(Failure::new(Exit::Disproven, "GB-LOG-FORK", what)
            .because(format!("it names a log of {} statements, and enough persons signed it", head.size))
            .hint("fetch refs/baseline/log again from a source that you trust"))
    }

    fn judge(&self, candidate: &Candidate, fingerprint: &Digest) -> Result<Verified<TrustRoot>, Failure> {
        let newest = &self.newest;
        crypto::next_root(&newest.root, &newest.digest, &candidate.bytes, &candidate.signatures, |bytes| {
            decode(bytes, Some(fingerprint))
        })
    }

    /// For showing and for going on from a proposal; nothing is counted here.
    fn supporters(&self, candidate: &Candidate) -> Vec<PersonId> {
        let newest = self.newest.root.value();
        let holds = |id: &PersonId| newest.role(RoleName::Root).is_some_and(|role| role.persons.contains(id));
        let signers =
            candidate.signatures.iter().filter(|one| newest.barred(one.signature.key(), one.position).is_none());
        let persons = signers.filter_map(|one| newest.person_of(one.signature.key())).map(|person| person.id.clone());
        persons.filter(holds).collect()
    }

    fn proposals(&self, fingerprint: &Digest) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        for (folder, candidate) in &self.candidates {
            let Err(mut why) = self.judge(candidate, fingerprint) else { continue };
            why.causes.extend(candidate.void.iter().cloned());
            let root = candidate.root.clone();
            let signed_by = self.supporters(candidate);
            proposals.push(Proposal { folder: folder.clone(), bytes: candidate.bytes.clone(), root, signed_by, why });
        }
        proposals
    }
}

impl Candidate {
    /// Adds what stands at a path, where it is a signature by a key that could count, and the first of that key. The log
    /// never forgets, so whatever else somebody pushed there must neither make it unreadable nor slow (contract §3.2).
    fn add(&mut self, log: &Log<'_>, path: &str) -> Result<bool, Failure> {
        let why = match parse_signature(path, &log.need(path)?) {
            Ok(signature) => {
                let known = self.root.as_ref().is_some_and(|root| root.person_of(signature.key()).is_some());
                let again = self.signatures.iter().any(|other| other.signature.key() == signature.key());
                match signature.check(crypto::ROOT_NAMESPACE, &self.bytes) {
                    Ok(()) if known && !again => {
                        self.signatures.push(RootSignature { signature, position: log.position(path) });
                        return Ok(true);
                    }
                    Ok(()) if again => return Ok(false),
                    Ok(()) => format!("{path}: the root knows no person with its key"),
                    Err(defect) => format!("{path}: {defect}"),
                }
            }
            Err(failure) => failure.to_string(),
        };
        if self.void.len() < MOST_REASONS {
            self.void.push(why);
        }
        Ok(false)
    }
}

/// Returns the folder of a later root, where a path stands in one: `trust/<n>/` or `trust/<n>~<digest>/`.
fn folder_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("trust/")?;
    let (name, file) = rest.split_once('/')?;
    let known = file == "root.cbor" || file.strip_prefix("signatures/").is_some_and(|name| !name.contains('/'));
    (name != "1" && known).then(|| path.split_at("trust/".len() + name.len() + 1).0)
}

/// The bytes are decoded to know the keys; the result is handed out only once they have signed these bytes.
fn decode(bytes: &[u8], baseline: Option<&Digest>) -> Result<TrustRoot, Failure> {
    let what = if baseline.is_none() { "trust root 1" } else { "a trust root" };
    let (header, root) = codec::decode::<TrustRoot>(bytes).map_err(|error| Failure::undecodable(what, &error))?;
    match (header.baseline, baseline) {
        (None, None) => Ok(root),
        (Some(_), None) => {
            let what = "trust/1 does not hold the first root of a baseline";
            Err(Failure::new(Exit::Disproven, "GB-TRUST-CHAIN", what))
        }
        (found, Some(baseline)) if found == Some(*baseline) => Ok(root),
        _ => Err(Failure::new(Exit::Disproven, "GB-BIND-BASELINE", format!("{what} belongs to another baseline"))),
    }
}

impl From<RootDefect> for Failure {
    fn from(defect: RootDefect) -> Self {
        Self::new(Exit::Disproven, defect.code(), "the trust root does not hold").because(defect)
    }
}

impl Trust {
    /// Returns the newest root in force.
    pub fn root(&self) -> &TrustRoot {
        self.newest.root.value()
    }

    /// Returns the newest root in force, with who signed it.
    pub const fn newest(&self) -> &Link {
        &self.newest
    }

    /// Returns every root that was in force, oldest first.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.chain.iter().chain([&self.newest])
    }

    /// Returns the root that was in force at a position of the log; the newest for what is not in the log.
    pub fn at(&self, position: Option<u64>) -> &Link {
        let Some(position) = position else { return &self.newest };
        let later = |link: &&Link| link.position < position;
        self.links().filter(later).last().or_else(|| self.links().next()).unwrap_or(&self.newest)
    }

    /// Returns by whom a statement at a position of the log is judged.
    pub fn authority(&self, position: Option<u64>) -> Authority<'_> {
        Authority { root: &self.at(position).root, newest: &self.newest.root }
    }

    /// Returns how many persons a role takes.
    pub fn threshold(&self, role: RoleName) -> u64 {
        self.root().role(role).map_or(0, |role| role.threshold)
    }
}
