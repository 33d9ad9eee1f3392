//! Keys, roots and forgeries for the tests of this module.

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};

use super::key::TOKEN;
use super::private_key::{PrivateKey, Signer, SigningError};
use super::signature::{Signature, signed_data, token_message};
use super::wire::put_string;
use super::{Attested, ROOT_NAMESPACE, RootDefect, RootSignature, SIGN_OFF_NAMESPACE, Verified, attest, first_root};
use crate::domain::{
    Digest, Floors, Meaning, ObjectFormat, Person, PersonId, PublicKey, Role, RoleName, Severity, SignOff, Target,
    Timestamp, TrustRoot,
};

/// The order of the group, which `s + L` adds to a signature's scalar; least significant byte first.
pub(super) const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn key(seed: u8) -> PrivateKey {
    PrivateKey::generate([seed; 32])
}

pub(super) fn id(text: &str) -> PersonId {
    PersonId::parse(text).unwrap()
}

pub(super) fn person(name: &str, keys: &[&dyn Signer]) -> Person {
    let mut keys: Vec<PublicKey> = keys.iter().map(|key| key.public_key().clone()).collect();
    keys.sort();
    Person { id: id(name), keys, name: name.to_uppercase(), emails: Vec::new() }
}

/// A root in which all persons hold `release` with the given threshold, and the first alone holds `root`.
pub(super) fn root(persons: Vec<Person>, threshold: u64) -> TrustRoot {
    let everybody: Vec<PersonId> = persons.iter().map(|person| person.id.clone()).collect();
    let founder = everybody.iter().take(1).cloned().collect();
    TrustRoot {
        log: None,
        time: Timestamp::from_seconds(0),
        nonce: [0; 32],
        roles: vec![
            Role { name: RoleName::Root, persons: founder, threshold: 1 },
            Role { name: RoleName::Release, persons: everybody, threshold },
        ],
        floors: Floors { block: Severity::Critical, approvals: 0, change_control: false, emergency_days: 30 },
        origin: "test".into(),
        persons,
        product: "Pump".into(),
        quorums: Vec::new(),
        version: 1,
        witnesses: Vec::new(),
        document_id: String::new(),
        predecessor: None,
        revocations: Vec::new(),
        control_start: None,
        object_format: ObjectFormat::Sha1,
        witness_quorum: 0,
    }
}

pub(super) const ROOT_BYTES: &[u8] = b"the stored bytes of a root";

/// Verifies a root that `founder` signed.
pub(super) fn founded(root: TrustRoot, founder: &dyn Signer) -> Result<Verified<TrustRoot>, RootDefect> {
    let signature = founder.sign(ROOT_NAMESPACE, ROOT_BYTES).unwrap();
    first_root(ROOT_BYTES, &[RootSignature { signature, position: None }], |_| Ok(root))
}

pub(super) const STATEMENT: &[u8] = b"the stored bytes of a release";

/// A sign-off that counts.
pub(super) fn sign_off(name: &str) -> SignOff {
    SignOff {
        role: RoleName::Release,
        time: Timestamp::from_seconds(0),
        person: id(name),
        reason: String::new(),
        target: Target { name: "1.0".into(), record_type: "release".into(), digest: Digest::of(STATEMENT) },
        meaning: Meaning::Released,
        printed_name: name.to_uppercase(),
        verification: None,
    }
}

/// Has a key sign a sign-off. Its encoding is of no matter here.
pub(super) fn attested<'t>(
    root: &'t Verified<TrustRoot>,
    signer: &dyn Signer,
    sign_off: &SignOff,
) -> Attested<'t, SignOff> {
    let bytes = format!("{sign_off:?}").into_bytes();
    let signature = signer.sign(SIGN_OFF_NAMESPACE, &bytes).unwrap();
    let attested = attest(root, SIGN_OFF_NAMESPACE, &bytes, &signature).unwrap();
    attested.try_map::<_, ()>(|_| Ok(sign_off.clone())).unwrap()
}

/// A security key made of software.
pub(super) struct Token {
    secret: SigningKey,
    public: PublicKey,
    application: &'static str,
    pub(super) flags: u8,
}

impl Token {
    pub(super) fn new(seed: u8, application: &'static str, flags: u8) -> Self {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let mut wire = Vec::new();
        for field in [TOKEN.as_bytes(), secret.verifying_key().as_bytes(), application.as_bytes()] {
            put_string(&mut wire, field);
        }
        Self { secret, public: PublicKey::from_wire(wire), application, flags }
    }
}

impl Signer for Token {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<Signature, SigningError> {
        let data = signed_data(namespace, bytes);
        let signature = self.secret.sign(&token_message(self.application.as_bytes(), self.flags, 7, &data));
        let mut blob = Vec::new();
        put_string(&mut blob, TOKEN.as_bytes());
        put_string(&mut blob, &signature.to_bytes());
        blob.extend_from_slice(&[self.flags, 0, 0, 0, 7]);
        Ok(Signature::from_parts(self.public.clone(), namespace, &blob).unwrap())
    }

    fn sign_note(&self, _: &[u8]) -> Result<[u8; 64], SigningError> {
        Err(SigningError::new("GB-KEY-SIGN", "a security key does not sign notes"))
    }
}

/// An SSHSIG of any fields, in armour.
pub(super) fn forged(version: u32, fields: [&[u8]; 5], tail: &[u8]) -> Vec<u8> {
    let mut blob = b"SSHSIG".to_vec();
    blob.extend_from_slice(&version.to_be_bytes());
    for field in fields {
        put_string(&mut blob, field);
    }
    blob.extend_from_slice(tail);
    armor(&blob)
}

pub(super) fn armor(blob: &[u8]) -> Vec<u8> {
    let lines: Vec<String> =
        Base64::encode_string(blob).as_bytes().chunks(70).map(|line| String::from_utf8_lossy(line).into()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n")).into_bytes()
}

/// The SSH signature blob of 64 bytes under an algorithm's name.
pub(super) fn proof(algorithm: &str, signature: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    put_string(&mut blob, algorithm.as_bytes());
    put_string(&mut blob, signature);
    blob
}
