//! One sample of every record, with nothing left empty: what schemas and vectors are held against.

use git_baseline::crypto::{PrivateKey, Signer as _};
use git_baseline::domain::*;

/// A key of software, the same at every run.
pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::generate([seed; 32])
}

/// A checked name.
pub(crate) fn text<T: TryFrom<String>>(text: &str) -> T {
    T::try_from(text.to_owned()).unwrap_or_else(|_| panic!("{text:?} is refused"))
}

/// A digest of something.
pub(crate) fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

const COMMIT: ObjectId = ObjectId::Sha1([0xc0; 20]);
const TREE: ObjectId = ObjectId::Sha1([0x7e; 20]);

/// A moment.
pub(crate) fn moment() -> Timestamp {
    Timestamp::from_seconds(1_790_000_000)
}

fn person(id: &str, seeds: &[u8]) -> Person {
    let mut keys: Vec<PublicKey> = seeds.iter().map(|seed| key(*seed).public_key().clone()).collect();
    keys.sort();
    Person { id: text(id), keys, name: id.to_uppercase(), emails: vec![format!("{id}@example.org")] }
}

/// Anna holds the keys 1 and 2, Berta the key 3; a release takes two persons, everything else one.
pub(crate) fn root() -> TrustRoot {
    let witness = Witness { key: point(5), name: "example.org/witness".into(), operator: "Example".into() };
    let both = vec![text("anna"), text("berta")];
    // A bot holds no other role than developer, and neither of the two is one.
    let roles = RoleName::ALL.into_iter().filter(|name| *name != RoleName::Bot).map(|name| {
        let threshold = if name == RoleName::Release { 2 } else { 1 };
        let persons = if name == RoleName::Root { vec![text("anna")] } else { both.clone() };
        Role { name, persons, threshold }
    });
    TrustRoot {
        log: None,
        time: moment(),
        nonce: [7; 32],
        roles: roles.collect(),
        floors: Floors { block: Severity::High, approvals: 1, change_control: true, emergency_days: 7 },
        origin: "git-baseline/pump/0707070707070707".into(),
        persons: vec![person("anna", &[1, 2]), person("berta", &[3])],
        product: "Pump".into(),
        quorums: vec![Quorum {
            act: Act::Approve,
            class: Some(ItemClass::Key),
            groups: vec![Group { role: RoleName::Approver, count: 1 }, Group { role: RoleName::Security, count: 1 }],
        }],
        version: 1,
        witnesses: vec![witness],
        document_id: "CMP-001".into(),
        predecessor: None,
        revocations: Vec::new(),
        control_start: Some(COMMIT),
        object_format: ObjectFormat::Sha1,
        witness_quorum: 1,
    }
}

/// The 32 bytes of a plain key.
pub(crate) fn point(seed: u8) -> [u8; 32] {
    let wire = key(seed).public_key().as_wire().to_vec();
    wire[wire.len() - 32..].try_into().expect("a plain key ends with its point")
}

/// The root after that: Carl joins with the key 6, who may sign roots too, and Anna's key 2 is retired.
pub(crate) fn next_root() -> TrustRoot {
    let first = root();
    let mut next = TrustRoot {
        log: Some(LogHead { root: Sha256Digest::of(b"log"), size: 3 }),
        time: Timestamp::from_seconds(1_790_000_600),
        version: 2,
        predecessor: Some(Digest::of(&git_baseline::codec::encode(None, &first))),
        ..first
    };
    next.persons.push(person("carl", &[6]));
    next.roles[0].persons.push(text("carl"));
    next.revocations.push(Revocation {
        key: key(2).public_key().clone(),
        kind: RevocationKind::Retired,
        since: Some(LogHead { root: Sha256Digest::of(b"log"), size: 3 }),
        reason: "out of use".into(),
    });
    next
}

/// A standing change.
pub(crate) fn change_request() -> ChangeRequest {
    ChangeRequest {
        id: text("CR-1"),
        url: "https://example.org/CR-1".into(),
        risk: vec!["RISK-7".into()],
        time: moment(),
        change_type: ChangeType::Standard,
        title: "Update serde".into(),
        reason: "new versions".into(),
        safety: "none".into(),
        source: "tracker".into(),
        problems: vec!["PR-1".into()],
        security: "better".into(),
        standing: Some(Standing {
            bot: text("robot"),
            bound: VersionBound::Minor,
            count: 10,
            expires: moment(),
            packages: vec!["pkg:cargo/serde".into()],
        }),
        requester: text("anna"),
    }
}

/// A sign-off that says what was tested.
pub(crate) fn verified() -> SignOff {
    SignOff {
        meaning: Meaning::Verified,
        role: RoleName::Quality,
        target: Target { name: "CR-1".into(), record_type: "content".into(), digest: digest("content") },
        verification: Some(VerificationRecord {
            date: "2026-09-21".into(),
            tools: "bench 3".into(),
            tester: "Berta".into(),
            results: "passed".into(),
            anomalies: "none".into(),
            configuration: "rig 2".into(),
            version_tested: "1.0.0-rc1".into(),
        }),
        ..sign_off("berta", b"")
    }
}

fn item() -> ConfigurationItem {
    let mut inner = Facts::new();
    inner.set("b", -1_i64);
    let mut facts = Facts::new();
    facts.set("subject", "CN=pump");
    facts.set("is_ca", false);
    facts.set("san", vec!["DNS:pump", "DNS:p"]);
    facts.set("z", inner);
    ConfigurationItem {
        kind: "x509-certificate".into(),
        mode: Mode::FILE,
        path: RepoPath::new(b"etc/pump\xff.pem".to_vec()),
        size: 3,
        class: ItemClass::Certificate,
        facts,
        owner: Some("security".into()),
        digest: Some(DigestSet::of(b"abc")),
        git_id: ObjectId::Sha1([0xb1; 20]),
        declared: true,
    }
}

fn hashes() -> Vec<ComponentHash> {
    vec![ComponentHash { alg: "SHA-256".into(), value: "00".repeat(32), origin: RepoPath::from("Cargo.lock") }]
}

/// A manifest.
pub(crate) fn manifest() -> Manifest {
    Manifest {
        items: vec![item()],
        policy: Some(digest("policy")),
        ruleset: RULE_SET,
        coverage: vec![Coverage {
            gaps: vec!["1 of 2 packages has no checksum".into()],
            path: RepoPath::from("Cargo.lock"),
            reader: "cargo-lock".into(),
            status: CoverageStatus::Parsed,
            components: 1,
        }],
        services: vec!["clock".into()],
        components: vec![Component {
            name: "serde".into(),
            purl: "pkg:cargo/serde@1.0.0".into(),
            scope: Scope::Runtime,
            direct: Some(true),
            hashes: hashes(),
            overlay: Some(overlay()),
            support: Some("paid".into()),
            version: Some("1.0.0".into()),
            category: Some("supported".into()),
            found_in: vec![RepoPath::from("Cargo.lock")],
            licenses: vec!["MIT".into()],
            supplier: Some("serde-rs".into()),
            ecosystem: "cargo".into(),
            dependencies: vec!["pkg:cargo/serde_core@1.0.0".into()],
        }],
        source_tree: SourceTree { files: 2, digest: digest("tree"), gitlinks: 1 },
        object_format: ObjectFormat::Sha1,
    }
}

/// A release statement.
pub(crate) fn release() -> Release {
    Release {
        log: LogHead { root: Sha256Digest::of(b"log"), size: 2 },
        gate: vec![GateResult { rule: "certificate-wildcard".into(), count: 1, severity: Severity::Info }],
        name: text("1.0.0"),
        time: moment(),
        tool: "git-baseline 0.1.0".into(),
        tree: TREE,
        as_of: moment(),
        build: Some(digest("build")),
        range: vec![RangeEntry { commit: COMMIT, digest: digest("raw"), record: digest("note") }],
        commit: COMMIT,
        changes: vec![ReleasedChange {
            id: text("CR-1"),
            content: digest("content"),
            approvals: vec![digest("approval")],
            verifications: vec![digest("verification")],
        }],
        product: "Pump".into(),
        ruleset: RULE_SET,
        manifest: digest("manifest"),
        sequence: 2,
        artefacts: vec![StoredDocument { name: "pump.bin".into(), digest: digest("artefact") }],
        documents: vec![StoredDocument { name: "sbom.cdx.json".into(), digest: digest("sbom") }],
        deviations: vec!["DEV-1".into()],
        predecessor: Some(digest("before")),
        source_tree: digest("tree"),
        object_format: ObjectFormat::Sha1,
        trust_version: 1,
    }
}

/// A sign-off over a statement's bytes.
pub(crate) fn sign_off(person: &str, statement: &[u8]) -> SignOff {
    SignOff {
        role: RoleName::Release,
        time: moment(),
        person: text(person),
        reason: "tested".into(),
        target: Target { name: "1.0.0".into(), record_type: "release".into(), digest: Digest::of(statement) },
        meaning: Meaning::Released,
        printed_name: person.to_uppercase(),
        verification: None,
    }
}

fn overlay() -> Overlay {
    Overlay {
        risk: Some("RISK-7".into()),
        reason: None,
        anomaly_review: Some("DOC-12".into()),
        end_of_support: Some(moment()),
    }
}

/// A commit record whose note has this summary.
pub(crate) fn commit(summary: &str) -> CommitRecord {
    let state = |purl: &str| ComponentState {
        purl: purl.into(),
        scope: Scope::Runtime,
        hashes: vec![StateHash { alg: "SHA-256".into(), value: "00".repeat(32) }],
        overlay: Some(overlay()),
        support: None,
        category: Some("supported".into()),
        licenses: vec!["MIT".into()],
        supplier: None,
    };
    let before = ConfigurationItem { declared: false, ..item() };
    CommitRecord {
        time: moment(),
        tree: TREE,
        items: vec![ItemDelta { after: Some(item()), before: Some(before) }],
        commit: COMMIT,
        policy: Some(digest("policy")),
        changes: vec![text("CR-1")],
        parents: vec![ObjectId::Sha1([0xa0; 20])],
        ruleset: RULE_SET,
        summary: digest(summary),
        recorder: Recorder { person: text("anna"), made_by_me: true },
        components: vec![ComponentDelta {
            after: Some(state("pkg:cargo/serde@1.0.0")),
            before: Some(state("pkg:cargo/serde@0.9.0")),
        }],
        object_format: ObjectFormat::Sha1,
    }
}
