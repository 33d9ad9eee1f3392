//! Signatures, roots, notes and sign-offs: good ones, and each defect put into them by hand.

use base64ct::{Base64, Encoding as _};
use git_baseline::codec;
use git_baseline::crypto::{self, PrivateKey, Signer as _};
use git_baseline::domain::*;
use serde_json::json;

use crate::cases::{Cases, SUMMARY, baseline, sign_off};
use crate::samples;

/// What root 2 keeps of a revocation.
type Kept = (RevocationKind, Option<LogHead>);

/// A defect that is put into a root.
type Change = fn(&mut TrustRoot);

impl Cases {
    pub fn signatures(&mut self) {
        let message = b"configuration";
        let signer = samples::key(1);
        let public = signer.public_key().as_wire();
        let armor = signer.sign("test", message).unwrap().to_armor();
        let blob = unarmoured(&armor);
        let relabelled = unarmoured(&signer.sign("test2", message).unwrap().to_armor());
        let proof = blob[blob.len() - 83..].to_vec();
        let scalar = |change: fn(&mut [u8])| {
            let mut changed = proof.clone();
            change(&mut changed[19..]);
            changed
        };
        let made = |version, fields: [&[u8]; 5], tail: &[u8]| armoured(&sshsig(version, fields, tail), 70);
        let good: [&[u8]; 5] = [public, b"test", b"", b"sha512", &proof];
        let with = |at: usize, value| {
            let mut fields = good;
            fields[at] = value;
            made(1, fields, b"")
        };
        assert_eq!(made(1, good, b""), armor.as_bytes());
        let mut cut = public.to_vec();
        cut.truncate(40);
        let rsa = strings(&[b"ssh-rsa", b"\x01\x00\x01", &[1; 64]]);
        let certificate = strings(&[b"ssh-ed25519-cert-v01@openssh.com", &[1; 32]]);
        let small = |first| strings(&[b"ssh-ed25519", &[&[first][..], &[0; 31]].concat()]);
        let no_curve = strings(&[b"ssh-ed25519", &[&[2][..], &[0; 31]].concat()]);
        // p + 3 and 3 are one number, and only 3 is written so; 3 is on the curve.
        let second_spelling = strings(&[b"ssh-ed25519", &[&[0xf0][..], &[0xff; 30], &[0x7f]].concat()]);
        let text = |text: String| text.into_bytes();
        let cases: Vec<(&str, &str, Vec<u8>)> = vec![
            ("good", "accept", text(armor.clone())),
            ("armour-missing", "GB-SIG-MALFORMED", blob.clone()),
            ("armour-without-last-line-feed", "GB-SIG-MALFORMED", text(armor.trim_end().to_owned())),
            ("armour-with-carriage-returns", "GB-SIG-MALFORMED", text(armor.replace('\n', "\r\n"))),
            ("armour-in-lines-of-64", "GB-SIG-MALFORMED", armoured(&blob, 64)),
            ("armour-with-empty-line", "GB-SIG-MALFORMED", text(armor.replacen("\nU1NI", "\n\nU1NI", 1))),
            ("armour-with-text-before", "GB-SIG-MALFORMED", text(format!("note\n{armor}"))),
            ("armour-with-text-after", "GB-SIG-MALFORMED", text(format!("{armor}note\n"))),
            ("armour-too-large", "GB-SIG-MALFORMED", armoured(&[0; 60_000], 70)),
            ("version-2", "GB-SIG-MALFORMED", made(2, good, b"")),
            ("byte-after-the-end", "GB-SIG-MALFORMED", made(1, good, b"\0")),
            ("cut-off", "GB-SIG-MALFORMED", armoured(&blob[..blob.len() - 1], 70)),
            ("reserved-not-empty", "GB-SIG-MALFORMED", with(2, b"x")),
            ("namespace-empty", "GB-SIG-MALFORMED", with(1, b"")),
            ("namespace-not-utf8", "GB-SIG-MALFORMED", with(1, b"te\xff")),
            ("key-cut-off", "GB-SIG-MALFORMED", with(0, &cut)),
            ("hash-sha256", "GB-SIG-ALGORITHM", with(3, b"sha256")),
            ("key-rsa", "GB-SIG-ALGORITHM", with(0, &rsa)),
            ("key-certificate", "GB-SIG-ALGORITHM", with(0, &certificate)),
            ("signature-type-rsa", "GB-SIG-ALGORITHM", with(4, &strings(&[b"ssh-rsa", &proof[19..]]))),
            ("signature-of-63-bytes", "GB-SIG-MALFORMED", with(4, &strings(&[b"ssh-ed25519", &[1; 63]]))),
            ("signature-with-token-fields", "GB-SIG-MALFORMED", with(4, &[&proof[..], &[1, 0, 0, 0, 7]].concat())),
            ("point-of-order-1", "GB-SIG-WEAK-KEY", with(0, &small(1))),
            ("point-of-order-4", "GB-SIG-WEAK-KEY", with(0, &small(0))),
            ("point-not-on-curve", "GB-SIG-WEAK-KEY", with(0, &no_curve)),
            ("point-in-second-spelling", "GB-SIG-WEAK-KEY", with(0, &second_spelling)),
            ("other-namespace", "GB-SIG-CONTEXT", signer.sign("test2", message).unwrap().to_armor().into_bytes()),
            ("namespace-relabelled", "GB-SIG-INVALID", with(4, &relabelled[relabelled.len() - 83..])),
            ("other-message", "GB-SIG-INVALID", signer.sign("test", b"other").unwrap().to_armor().into_bytes()),
            ("other-key", "GB-SIG-INVALID", with(0, samples::key(2).public_key().as_wire())),
            ("flipped-bit", "GB-SIG-INVALID", with(4, &scalar(|bytes| bytes[0] ^= 1))),
            ("scalar-plus-group-order", "GB-SIG-INVALID", with(4, &scalar(|bytes| add_order(&mut bytes[32..])))),
        ];
        for (name, code, armour) in cases {
            let expected = json!({ "check": "signature", "namespace": "test" });
            self.add(&format!("sshsig-{name}"), code, expected, &[("input.sig", &armour), ("message", message)]);
        }
        self.tokens(message);
    }

    /// Security keys.
    fn tokens(&mut self, message: &[u8]) {
        use ed25519_dalek::Signer as _;
        let secret = ed25519_dalek::SigningKey::from_bytes(&[4; 32]);
        let make = |application: &[u8], flags: u8, counter_signed: u8| {
            let name: &[u8] = b"sk-ssh-ed25519@openssh.com";
            let public = strings(&[name, secret.verifying_key().as_bytes(), application]);
            let hash = |bytes: &[u8]| *Sha256Digest::of(bytes).as_bytes();
            let data = crypto::signed_data("test", message);
            let signed = [&hash(application)[..], &[flags, 0, 0, 0, counter_signed], &hash(&data)].concat();
            let proof = [&strings(&[name, &secret.sign(&signed).to_bytes()])[..], &[flags, 0, 0, 0, 7]].concat();
            armoured(&sshsig(1, [&public, b"test", b"", b"sha512", &proof], b""), 70)
        };
        for (name, code, armour) in [
            ("token-good", "accept", make(b"ssh:", 5, 7)),
            ("token-not-touched", "GB-SIG-NO-PRESENCE", make(b"ssh:", 4, 7)),
            ("token-of-a-web-site", "GB-SIG-WEAK-KEY", make(b"https://example.org", 1, 7)),
            ("token-other-counter", "GB-SIG-INVALID", make(b"ssh:", 1, 8)),
        ] {
            let expected = json!({ "check": "signature", "namespace": "test" });
            self.add(&format!("sshsig-{name}"), code, expected, &[("input.sig", &armour), ("message", message)]);
        }
    }

    pub fn roots(&mut self) {
        let anna = samples::key(1);
        let weak: Change = |root| {
            root.persons[1].keys = vec![PublicKey::from_wire(strings(&[b"ssh-ed25519", &[0; 32]]))];
        };
        let rsa: Change = |root| root.persons[1].keys = vec![PublicKey::from_wire(strings(&[b"ssh-rsa", &[0; 32]]))];
        let cases: [(&str, &str, Change); 24] = [
            ("good", "accept", |_| {}),
            ("version-2", "GB-TRUST-DEFECT", |root| root.version = 2),
            ("without-role-root", "GB-TRUST-DEFECT", |root| drop(root.roles.remove(0))),
            ("role-twice", "GB-TRUST-DEFECT", |root| root.roles.insert(0, root.roles[0].clone())),
            ("roles-out-of-order", "GB-TRUST-DEFECT", |root| root.roles.swap(0, 1)),
            ("persons-out-of-order", "GB-TRUST-DEFECT", |root| root.persons.swap(0, 1)),
            ("keys-out-of-order", "GB-TRUST-DEFECT", |root| root.persons[0].keys.reverse()),
            ("key-of-two-persons", "GB-TRUST-DEFECT", |root| {
                root.persons[1].keys = vec![root.persons[0].keys[0].clone()];
            }),
            ("point-in-two-keys", "GB-TRUST-DEFECT", |root| {
                let point = root.persons[0].keys[0].as_wire()[19..].to_vec();
                let token = strings(&[b"sk-ssh-ed25519@openssh.com", &point, b"ssh:"]);
                root.persons[1].keys = vec![PublicKey::from_wire(token)];
            }),
            ("version-0", "GB-TRUST-DEFECT", |root| root.version = 0),
            ("first-with-log", "GB-TRUST-DEFECT", |root| root.log = samples::next_root().log),
            ("first-with-predecessor", "GB-TRUST-DEFECT", |root| root.predecessor = Some(samples::digest("root"))),
            ("address-of-two-persons", "GB-TRUST-DEFECT", |root| {
                root.persons[1].emails = vec!["ANNA@example.org".into()];
            }),
            ("bot-that-approves", "GB-TRUST-DEFECT", |root| {
                root.roles.push(Role { name: RoleName::Bot, persons: vec![samples::text("berta")], threshold: 1 });
            }),
            ("quorum-beyond-holders", "GB-TRUST-DEFECT", |root| root.quorums[0].groups[0].count = 3),
            ("quorum-without-groups", "GB-TRUST-DEFECT", |root| root.quorums[0].groups.clear()),
            ("revocation-of-a-strange-key", "GB-TRUST-DEFECT", |root| {
                root.revocations = samples::next_root().revocations;
                root.revocations[0].key = samples::key(9).public_key().clone();
            }),
            ("revocation-without-bound", "GB-TRUST-DEFECT", |root| {
                root.revocations = samples::next_root().revocations;
                root.revocations[0].since = None;
            }),
            ("witness-who-is-a-person", "GB-TRUST-DEFECT", |root| root.witnesses[0].operator = "anna".into()),
            ("more-witnesses-than-operators", "GB-TRUST-DEFECT", |root| root.witness_quorum = 2),
            ("weak-key", "GB-SIG-WEAK-KEY", weak),
            ("rsa-key", "GB-SIG-ALGORITHM", rsa),
            ("holder-unknown", "GB-TRUST-DEFECT", |root| root.roles[1].persons = vec![samples::text("carl")]),
            ("second-holder-missing", "GB-TRUST-THRESHOLD", |root| {
                root.roles[0] = Role {
                    name: RoleName::Root,
                    persons: vec![samples::text("anna"), samples::text("berta")],
                    threshold: 2,
                };
            }),
        ];
        for (name, code, change) in cases {
            let mut root = samples::root();
            change(&mut root);
            let bytes = codec::encode(None, &root);
            let sigs = [anna.clone_signature(ROOT, &bytes), samples::key(2).clone_signature(ROOT, &bytes)];
            self.root(name, code, &bytes, &sigs);
        }
        for (name, change) in [("threshold-0", 0), ("threshold-beyond-holders", 2)] {
            let mut root = samples::root();
            root.roles[0].threshold = change;
            let bytes = codec::encode(None, &root);
            self.root(name, "GB-TRUST-DEFECT", &bytes, &[anna.clone_signature(ROOT, &bytes)]);
        }
        let good = codec::encode(None, &samples::root());
        let framed = codec::encode(Some(&baseline()), &samples::root());
        let sign = |key: u8, namespace, bytes: &[u8]| samples::key(key).clone_signature(namespace, bytes);
        self.root("with-baseline-id", "GB-TRUST-CHAIN", &framed, &[sign(1, ROOT, &framed)]);
        self.root("not-signed", "GB-TRUST-THRESHOLD", &good, &[]);
        self.root("signed-by-a-stranger", "GB-TRUST-THRESHOLD", &good, &[sign(9, ROOT, &good)]);
        self.root("signed-without-the-role", "GB-TRUST-THRESHOLD", &good, &[sign(3, ROOT, &good)]);
        self.root("signed-in-other-namespace", "GB-TRUST-THRESHOLD", &good, &[sign(1, SIGN_OFF, &good)]);
        self.root("signature-over-other-bytes", "GB-TRUST-THRESHOLD", &good, &[sign(1, ROOT, &framed)]);
        self.root(
            "with-void-signatures",
            "accept",
            &good,
            &[b"no signature\n".to_vec(), sign(9, ROOT, &good), sign(1, ROOT, &good)],
        );
    }

    /// Root 2, signed by Anna, who alone holds `root` before it.
    pub fn next_roots(&mut self) {
        let cases: [(&str, &str, Change); 17] = [
            ("good", "accept", |_| {}),
            ("version-3", "GB-TRUST-CHAIN", |root| root.version = 3),
            ("of-another-predecessor", "GB-TRUST-CHAIN", |root| root.predecessor = Some(samples::digest("other"))),
            ("without-log", "GB-TRUST-DEFECT", |root| root.log = None),
            ("of-another-product", "GB-TRUST-CHAIN", |root| root.product = "Valve".into()),
            ("of-another-origin", "GB-TRUST-CHAIN", |root| root.origin = "elsewhere".into()),
            ("of-another-control-start", "GB-TRUST-CHAIN", |root| root.control_start = None),
            ("made-earlier", "GB-TRUST-CHAIN", |root| root.time = Timestamp::from_seconds(1)),
            ("that-blocks-less", "GB-TRUST-CHAIN", |root| root.floors.block = Severity::Critical),
            ("with-fewer-approvals", "GB-TRUST-CHAIN", |root| root.floors.approvals = 0),
            ("without-change-control", "GB-TRUST-CHAIN", |root| root.floors.change_control = false),
            ("with-more-emergency-days", "GB-TRUST-CHAIN", |root| root.floors.emergency_days = 8),
            ("that-forgets-a-person", "GB-TRUST-CHAIN", |root| {
                root.persons.remove(1);
                root.roles.retain(|role| role.name == RoleName::Root);
                root.quorums.clear();
            }),
            ("that-forgets-a-key", "GB-TRUST-CHAIN", |root| {
                root.persons[0].keys.retain(|key| key == samples::key(1).public_key());
                root.revocations.clear();
            }),
            ("that-moves-a-key", "GB-TRUST-CHAIN", |root| {
                let moved = root.persons[1].keys.remove(0);
                root.persons[2].keys.push(moved);
                root.persons[2].keys.sort();
            }),
            ("that-needs-carl-too", "GB-TRUST-THRESHOLD", |root| root.roles[0].threshold = 2),
            ("with-floors-raised", "accept", |root| {
                root.floors = Floors { block: Severity::Low, approvals: 2, change_control: true, emergency_days: 1 };
            }),
        ];
        for (name, code, change) in cases {
            let mut root = samples::next_root();
            change(&mut root);
            let bytes = codec::encode(Some(&baseline()), &root);
            self.next_root(name, code, &bytes, &[1]);
        }
        let bytes = |change: Change| {
            let mut root = samples::next_root();
            change(&mut root);
            codec::encode(Some(&baseline()), &root)
        };
        let both: Change = |root| root.roles[0].threshold = 2;
        self.next_root("signed-by-both", "accept", &bytes(both), &[1, 6]);
        self.next_root("signed-by-the-new-holder-alone", "GB-TRUST-THRESHOLD", &bytes(|_| {}), &[6]);
        self.next_root("signed-by-the-key-that-it-revokes", "GB-TRUST-THRESHOLD", &bytes(|_| {}), &[2]);
        self.next_root("not-signed", "GB-TRUST-THRESHOLD", &bytes(|_| {}), &[]);
        self.next_root("of-another-baseline", "GB-BIND-BASELINE", &codec::encode(None, &samples::next_root()), &[1]);
        self.lost_revocations();
    }

    /// Root 1 has a revocation already, which root 2 loses or weakens.
    fn lost_revocations(&mut self) {
        let mut first = samples::root();
        first.revocations = samples::next_root().revocations;
        first.revocations[0].kind = RevocationKind::Compromised;
        let bytes = codec::encode(None, &first);
        let since = |size| Some(LogHead { root: Sha256Digest::of(b"log"), size });
        let cases: [(&str, &str, Option<Kept>); 6] = [
            ("keeps-a-revocation", "accept", Some((RevocationKind::Compromised, since(3)))),
            ("sharpens-a-revocation", "accept", Some((RevocationKind::CompromisedAlways, None))),
            ("moves-a-revocation-back", "accept", Some((RevocationKind::Compromised, since(2)))),
            ("moves-a-revocation-on", "GB-TRUST-REVOCATION-LOST", Some((RevocationKind::Compromised, since(4)))),
            ("softens-a-revocation", "GB-TRUST-REVOCATION-LOST", Some((RevocationKind::Retired, since(3)))),
            ("loses-a-revocation", "GB-TRUST-REVOCATION-LOST", None),
        ];
        for (name, code, kept) in cases {
            let mut next = samples::next_root();
            next.predecessor = Some(Digest::of(&bytes));
            next.revocations = kept.map_or_else(Vec::new, |(kind, since)| {
                vec![Revocation { kind, since, ..first.revocations[0].clone() }]
            });
            let next = codec::encode(Some(&Digest::of(&bytes)), &next);
            let (one, two) =
                (samples::key(1).clone_signature(ROOT, &bytes), samples::key(1).clone_signature(ROOT, &next));
            let files: [(&str, &[u8]); 4] =
                [("root.cbor", &bytes), ("root.1.sig", &one), ("next.cbor", &next), ("next.1.sig", &two)];
            self.add(&format!("trust-next-{name}"), code, json!({ "check": "next-root" }), &files);
        }
    }

    fn next_root(&mut self, name: &str, code: &str, next: &[u8], keys: &[u8]) {
        let first = codec::encode(None, &samples::root());
        let own = samples::key(1).clone_signature(ROOT, &first);
        let signed: Vec<(String, Vec<u8>)> = keys
            .iter()
            .map(|key| (format!("next.{key}.sig"), samples::key(*key).clone_signature(ROOT, next)))
            .collect();
        let mut files: Vec<(&str, &[u8])> = vec![("root.cbor", &first), ("root.1.sig", &own), ("next.cbor", next)];
        files.extend(signed.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        self.add(&format!("trust-next-{name}"), code, json!({ "check": "next-root" }), &files);
    }

    /// Checkpoints of a log of three statements. Anna and Berta hold `log`, of whom one is enough.
    pub fn checkpoints(&mut self) {
        let root = codec::encode(None, &samples::root());
        let signature = samples::key(1).clone_signature(ROOT, &root);
        let stated = |origin: &str| Checkpoint {
            origin: origin.into(),
            head: LogHead { root: Sha256Digest::of(b"log"), size: 3 },
            extensions: Vec::new(),
        };
        let origin = samples::root().origin;
        let signed = |key: u8, origin: &str| {
            let text = codec::compose_checkpoint(&stated(origin)).unwrap();
            let line = crypto::sign_checkpoint(&samples::key(key), &text).unwrap();
            codec::compose_signed_note(&SignedNote { text, signatures: vec![line] }).unwrap()
        };
        let good = signed(1, &origin);
        let witness = KeyName::parse("example.org/witness").unwrap();
        let text = codec::compose_checkpoint(&stated(&origin)).unwrap();
        let line = |text: &str| crypto::cosign(&samples::key(5), &witness, 1_790_000_000, text).unwrap();
        let cosigned = |signatures: Vec<NoteSignature>| {
            codec::compose_signed_note(&SignedNote { text: text.clone(), signatures }).unwrap()
        };
        let own = crypto::sign_checkpoint(&samples::key(1), &text).unwrap();
        let cases: Vec<(&str, &str, String)> = vec![
            ("good", "accept", good.clone()),
            ("by-a-second-key", "accept", signed(2, &origin)),
            ("with-a-cosignature", "accept", cosigned(vec![own, line(&text)])),
            ("with-a-cosignature-alone", "GB-SIG-THRESHOLD", cosigned(vec![line(&text)])),
            ("by-a-stranger", "GB-SIG-THRESHOLD", signed(9, &origin)),
            ("of-another-log", "GB-LOG-CHECKPOINT", signed(1, "elsewhere")),
            ("of-another-size", "GB-SIG-THRESHOLD", good.replacen("\n3\n", "\n4\n", 1)),
            ("with-leading-zero", "GB-LOG-CHECKPOINT", good.replacen("\n3\n", "\n03\n", 1)),
            ("without-signature", "GB-LOG-CHECKPOINT", text.clone()),
            ("with-carriage-returns", "GB-LOG-CHECKPOINT", good.replace('\n', "\r\n")),
            ("without-last-line-feed", "GB-LOG-CHECKPOINT", good.trim_end().to_owned()),
        ];
        for (name, code, note) in cases {
            let files = [("checkpoint", note.as_bytes()), ("root.cbor", &root), ("root.1.sig", &signature)];
            self.add(&format!("checkpoint-{name}"), code, json!({ "check": "checkpoint" }), &files);
        }
    }

    /// The content of a change, from the records of its commits.
    pub fn contents(&mut self) {
        let first = samples::commit(SUMMARY);
        let item = |content: &[u8]| {
            let digest = Some(DigestSet::of(content));
            ConfigurationItem { digest, ..first.items[0].after.clone().unwrap() }
        };
        let step = |before: Option<&[u8]>, after: Option<&[u8]>| CommitRecord {
            items: vec![ItemDelta { after: after.map(item), before: before.map(item) }],
            components: Vec::new(),
            ..samples::commit(SUMMARY)
        };
        let secret = ConfigurationItem { digest: None, path: RepoPath::from("b"), ..item(b"s") };
        let renamed = CommitRecord {
            items: vec![ItemDelta { after: Some(secret), before: Some(item(b"1")) }],
            ..samples::commit(SUMMARY)
        };
        let cases: Vec<(&str, Vec<CommitRecord>)> = vec![
            ("of-one-commit", vec![first.clone()]),
            ("of-two-commits", vec![step(None, Some(b"1")), step(Some(b"1"), Some(b"2"))]),
            ("squashed", vec![step(None, Some(b"2"))]),
            ("made-twice", vec![step(Some(b"1"), Some(b"2")), step(Some(b"1"), Some(b"2"))]),
            ("renamed", vec![renamed]),
            ("undone", vec![step(Some(b"1"), None), step(None, Some(b"1"))]),
        ];
        for (name, records) in cases {
            let steps = records.iter().flat_map(|one| segments(&one.items, &one.components, codec::state_digest));
            let change = samples::text("CR-1");
            let content = codec::change_content(&baseline(), &change, RULE_SET, &compose(steps));
            let stored: Vec<_> = (1..)
                .zip(&records)
                .map(|(at, one)| (format!("commit-{at}.cbor"), codec::encode(Some(&baseline()), one)))
                .collect();
            let mut files: Vec<(&str, &[u8])> = vec![("content.cbor", &content)];
            files.extend(stored.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
            let digest = Digest::of(&content).to_string();
            let expected = json!({ "check": "content", "change": "CR-1", "baseline": baseline().to_string(), "ruleset": RULE_SET, "digest": digest });
            self.add(&format!("content-{name}"), "accept", expected, &files);
        }
    }

    fn root(&mut self, name: &str, code: &str, bytes: &[u8], signatures: &[Vec<u8>]) {
        let names: Vec<String> = (1..=signatures.len()).map(|number| format!("root.{number}.sig")).collect();
        let mut files: Vec<(&str, &[u8])> = vec![("root.cbor", bytes)];
        files.extend(names.iter().zip(signatures).map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        self.add(&format!("trust-{name}"), code, json!({ "check": "root" }), &files);
    }

    pub fn notes(&mut self) {
        let record = samples::commit(SUMMARY);
        let bytes = codec::encode(Some(&baseline()), &record);
        let block = |summary: &str, bytes: &[u8], key: u8, namespace: &str| {
            let signature = samples::key(key).sign(namespace, bytes).unwrap().to_armor();
            codec::compose_note(summary, bytes, &signature)
        };
        let good = block(SUMMARY, &bytes, 1, COMMIT);
        let other = |change: fn(&mut CommitRecord)| {
            let mut changed = samples::commit(SUMMARY);
            change(&mut changed);
            block(SUMMARY, &codec::encode(Some(&baseline()), &changed), 1, COMMIT)
        };
        let second = other(|record| record.time = Timestamp::from_seconds(5));
        let armour = "-----BEGIN GIT-BASELINE RECORD-----\n";
        let end = "-----END GIT-BASELINE RECORD-----\n";
        let cases: Vec<(&str, &str, String)> = vec![
            ("good", "accept", good.clone()),
            ("after-a-union-merge", "accept", format!("{good}\n\n{second}\n")),
            ("merged-without-blank-line", "accept", format!("{good}{second}")),
            ("empty", "GB-NOTE-DAMAGED", String::new()),
            ("without-summary", "GB-NOTE-DAMAGED", good.replace(SUMMARY, "")),
            ("without-record", "GB-NOTE-DAMAGED", SUMMARY.to_owned()),
            ("without-signature", "GB-NOTE-DAMAGED", good.split_once("-----BEGIN SSH").unwrap().0.to_owned()),
            ("without-last-line-feed", "GB-NOTE-DAMAGED", good.trim_end().to_owned()),
            ("with-text-after", "GB-NOTE-DAMAGED", format!("{good}tail\n")),
            ("with-text-before-signature", "GB-NOTE-DAMAGED", good.replace(end, &format!("{end}tail\n"))),
            ("with-carriage-returns", "GB-NOTE-DAMAGED", good.replace('\n', "\r\n")),
            (
                "lines-broken-elsewhere",
                "GB-NOTE-DAMAGED",
                good.replacen(&format!("{armour}h"), &format!("{armour}h\n"), 1),
            ),
            ("record-not-base64", "GB-NOTE-DAMAGED", good.replacen(&format!("{armour}h"), &format!("{armour}%"), 1)),
            ("summary-with-armour", "GB-NOTE-DAMAGED", format!("-----\n{good}")),
            ("more-than-64-records", "GB-NOTE-DAMAGED", good.repeat(65)),
            ("summary-that-lies", "GB-NOTE-SUMMARY", good.replacen("1 item", "0 items", 1)),
            ("summary-with-a-line-more", "GB-NOTE-SUMMARY", good.replacen(SUMMARY, &format!("{SUMMARY}\n"), 1)),
            ("second-block-lies", "GB-NOTE-SUMMARY", format!("{good}\n{}", second.replacen("1 item", "0 items", 1))),
            ("of-another-commit", "GB-BIND-COMMIT", other(|record| record.commit = ObjectId::Sha1([9; 20]))),
            ("of-another-recorder", "GB-BIND-PERSON", other(|record| record.recorder.person = samples::text("berta"))),
            (
                "of-another-baseline",
                "GB-BIND-BASELINE",
                block(SUMMARY, &codec::encode(Some(&samples::digest("x")), &record), 1, COMMIT),
            ),
            ("without-baseline", "GB-BIND-BASELINE", block(SUMMARY, &codec::encode(None, &record), 1, COMMIT)),
            ("signed-by-a-stranger", "GB-SIG-UNKNOWN-KEY", block(SUMMARY, &bytes, 9, COMMIT)),
            ("signed-as-sign-off", "GB-SIG-CONTEXT", block(SUMMARY, &bytes, 1, SIGN_OFF)),
            ("that-holds-a-sign-off", "GB-FMT-TYPE", block(SUMMARY, &sign_off(Some(baseline())), 1, COMMIT)),
        ];
        let root = codec::encode(None, &samples::root());
        let signature = samples::key(1).clone_signature(ROOT, &root);
        for (name, code, note) in cases {
            let expected = json!({ "check": "note", "commit": record.commit.to_string() });
            let files = [("input.note", note.as_bytes()), ("root.cbor", &root), ("root.1.sig", &signature)];
            self.add(&format!("note-{name}"), code, expected, &files);
        }
    }

    /// A release takes two persons. Anna holds the keys 1 and 2, Berta the key 3.
    pub fn sign_offs(&mut self) {
        let statement = codec::encode(Some(&baseline()), &samples::release());
        let signed = |key: u8, namespace: &str, baseline: Digest, said: SignOff| {
            let bytes = codec::encode(Some(&baseline), &said);
            let signature = samples::key(key).clone_signature(namespace, &bytes);
            (bytes, signature)
        };
        let anna = |key: u8| signed(key, SIGN_OFF, baseline(), samples::sign_off("anna", &statement));
        let berta = |change: fn(&mut SignOff)| {
            let mut said = samples::sign_off("berta", &statement);
            change(&mut said);
            signed(3, SIGN_OFF, baseline(), said)
        };
        let plain = || samples::sign_off("berta", &statement);
        let good = berta(|_| {});
        let mut unsigned = berta(|_| {});
        unsigned.1 = b"no signature\n".to_vec();
        let short = "GB-SIG-THRESHOLD";
        let cases = vec![
            ("good", "accept", vec![anna(1), good.clone()]),
            ("good-with-void-beside", "accept", vec![anna(1), unsigned.clone(), good.clone(), anna(2)]),
            ("none", short, vec![]),
            ("one-person", short, vec![anna(1)]),
            (
                "one-key-twice",
                short,
                vec![
                    anna(1),
                    signed(
                        1,
                        SIGN_OFF,
                        baseline(),
                        SignOff { reason: "again".into(), ..samples::sign_off("anna", &statement) },
                    ),
                ],
            ),
            ("two-keys-of-one-person", short, vec![anna(1), anna(2)]),
            ("signature-is-none", short, vec![anna(1), unsigned]),
            ("by-a-stranger", short, vec![anna(1), signed(9, SIGN_OFF, baseline(), plain())]),
            ("in-other-namespace", short, vec![anna(1), signed(3, "git-baseline.release", baseline(), plain())]),
            ("of-another-baseline", short, vec![anna(1), signed(3, SIGN_OFF, samples::digest("other"), plain())]),
            ("signature-of-the-other-sign-off", short, vec![anna(1), (good.0.clone(), anna(1).1)]),
            ("for-another-name", short, vec![anna(1), berta(|said| said.target.name = "2.0.0".into())]),
            ("for-another-digest", short, vec![anna(1), berta(|said| said.target.digest = samples::digest("other"))]),
            ("for-another-type", short, vec![anna(1), berta(|said| said.target.record_type = "manifest".into())]),
            ("of-another-meaning", short, vec![anna(1), berta(|said| said.meaning = Meaning::Reviewed)]),
            ("in-another-role", short, vec![anna(1), berta(|said| said.role = RoleName::Quality)]),
            ("under-another-name-in-print", short, vec![anna(1), berta(|said| said.printed_name = "ANNA".into())]),
            ("in-the-name-of-another", short, vec![anna(1), signed(1, SIGN_OFF, baseline(), plain())]),
        ];
        let root = codec::encode(None, &samples::root());
        let signature = samples::key(1).clone_signature(ROOT, &root);
        for (name, code, said) in cases {
            let names: Vec<_> =
                (1..=said.len()).map(|n| (format!("signoff-{n}.cbor"), format!("signoff-{n}.cbor.sig"))).collect();
            let mut files: Vec<(&str, &[u8])> =
                vec![("root.cbor", &root), ("root.1.sig", &signature), ("statement.cbor", &statement)];
            for ((record, armour), (bytes, signature)) in names.iter().zip(&said) {
                files.extend([(record.as_str(), bytes.as_slice()), (armour.as_str(), signature.as_slice())]);
            }
            self.add(&format!("signoff-threshold-{name}"), code, json!({ "check": "sign-offs" }), &files);
        }
        self.revoked(&statement, &root, &signature);
    }

    /// Root 2 retires Anna's key 2 from position 3 on.
    fn revoked(&mut self, statement: &[u8], root: &[u8], signature: &[u8]) {
        let next = codec::encode(Some(&baseline()), &samples::next_root());
        let own = samples::key(1).clone_signature(ROOT, &next);
        let signed = |key: u8, person: &str| {
            let bytes = codec::encode(Some(&baseline()), &samples::sign_off(person, statement));
            let signature = samples::key(key).clone_signature(SIGN_OFF, &bytes);
            (bytes, signature)
        };
        let (anna, berta, carl) = (signed(2, "anna"), signed(3, "berta"), signed(6, "carl"));
        let short = "GB-SIG-THRESHOLD";
        let cases = [
            ("by-a-key-before-it-was-retired", "accept", json!(2), [&anna, &berta]),
            ("by-a-key-after-it-was-retired", short, json!(3), [&anna, &berta]),
            ("by-a-retired-key-nowhere", short, json!(null), [&anna, &berta]),
            ("by-somebody-who-joined-later", short, json!(2), [&carl, &berta]),
        ];
        for (name, code, position, said) in cases {
            let expected = json!({ "check": "sign-offs", "position": position });
            let files: [(&str, &[u8]); 9] = [
                ("root.cbor", root),
                ("root.1.sig", signature),
                ("next.cbor", &next),
                ("next.1.sig", &own),
                ("statement.cbor", statement),
                ("signoff-1.cbor", &said[0].0),
                ("signoff-1.cbor.sig", &said[0].1),
                ("signoff-2.cbor", &said[1].0),
                ("signoff-2.cbor.sig", &said[1].1),
            ];
            self.add(&format!("signoff-threshold-{name}"), code, expected, &files);
        }
    }
}

const ROOT: &str = "git-baseline.root";
const SIGN_OFF: &str = "git-baseline.signoff";
const COMMIT: &str = "git-baseline.commit";

trait Armoured {
    fn clone_signature(&self, namespace: &str, bytes: &[u8]) -> Vec<u8>;
}

impl Armoured for PrivateKey {
    fn clone_signature(&self, namespace: &str, bytes: &[u8]) -> Vec<u8> {
        self.sign(namespace, bytes).unwrap().to_armor().into_bytes()
    }
}

/// SSH strings, one after the other.
fn strings(fields: &[&[u8]]) -> Vec<u8> {
    let length = |field: &[u8]| u32::try_from(field.len()).unwrap().to_be_bytes();
    fields.iter().flat_map(|field| [&length(field)[..], field].concat()).collect()
}

fn sshsig(version: u32, fields: [&[u8]; 5], tail: &[u8]) -> Vec<u8> {
    [b"SSHSIG", &version.to_be_bytes()[..], &strings(&fields), tail].concat()
}

fn unarmoured(armor: &str) -> Vec<u8> {
    Base64::decode_vec(&armor.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

fn armoured(blob: &[u8], columns: usize) -> Vec<u8> {
    let text = Base64::encode_string(blob);
    let lines: Vec<&str> = text.as_bytes().chunks(columns).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n")).into_bytes()
}

/// Adds the order of the group to a scalar, least significant byte first: the same number to a careless verifier.
fn add_order(scalar: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, added) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
}
