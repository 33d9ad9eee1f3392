//! Public keys: algorithm, size, and the SHA-256 of the one encoding by which keys of all formats can be compared.
//!
//! Never here: private parts, or a judgement about a size. Serves RFC 5280 §4.1.2.7, RFC 8017, RFC 5480, RFC 8410.

use crate::domain::Facts;

use super::der::{self, BIT_STRING, Element, INTEGER, OID, SEQUENCE};
use super::oid;
use super::text::{bounded, hex, sha256_hex};

/// `rsaEncryption` with its empty parameters.
const RSA: &[u8] = &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// `id-ecPublicKey`.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// `dsaEncryption`.
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];

/// What is public about a key. A private key without its public half has no `spki`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// The algorithm's short name, such as `RSA`.
    pub algorithm: String,
    /// The algorithm's name as certificates print it, such as `rsaEncryption`.
    pub long_name: String,
    /// The size in bits.
    pub bits: Option<i64>,
    /// The curve's name.
    pub curve: Option<String>,
    /// The public exponent, in hexadecimal when it is large.
    pub exponent: Option<Exponent>,
    /// SHA-256 of the `SubjectPublicKeyInfo`.
    pub spki: Option<String>,
}

/// A public exponent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exponent {
    /// One that fits.
    Small(i64),
    /// One that does not, in hexadecimal.
    Large(String),
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`; an unknown algorithm is named by its number.
    pub(super) fn from_spki(spki: Element<'_>) -> Option<Self> {
        let mut inside = spki.inside();
        let algorithm = inside.read(SEQUENCE)?;
        let key = inside.read(BIT_STRING)?;
        let mut found = Self::from_algorithm(algorithm)?;
        if matches!(found.algorithm.as_str(), "RSA" | "RSA-PSS") {
            found.read_rsa(key.bits()?)?;
        }
        found.spki = Some(sha256_hex(spki.whole));
        Some(found)
    }

    /// Reads an `AlgorithmIdentifier`: all that it says about a key.
    pub(super) fn from_algorithm(algorithm: Element<'_>) -> Option<Self> {
        let mut inside = algorithm.inside();
        let dotted = inside.read(OID)?.oid()?;
        let known = oid::key_algorithm(&dotted);
        let mut found = Self {
            algorithm: known.map_or_else(|| dotted.clone(), |(name, _)| name.to_owned()),
            long_name: oid::algorithm(&dotted).to_owned(),
            bits: known.and_then(|(_, bits)| bits),
            ..Self::default()
        };
        match (found.algorithm.as_str(), inside.next()) {
            ("EC", Some(curve)) => found.read_curve(curve),
            ("DSA" | "DH" | "DHX", Some(domain)) => found.bits = integer_bits(domain),
            _ => {}
        }
        Some(found)
    }

    /// Reads the public key of PKCS#1.
    pub(super) fn from_pkcs1(key: Element<'_>) -> Option<Self> {
        Self::from_rsa_parts(der::only(RSA, SEQUENCE)?, key.whole)
    }

    /// Puts an RSA public key and its algorithm together.
    pub(super) fn from_rsa_parts(algorithm: Element<'_>, pkcs1: &[u8]) -> Option<Self> {
        let spki = der::encode(SEQUENCE, &[algorithm.whole, &der::encode(BIT_STRING, &[&[0], pkcs1])]);
        Self::from_spki(der::only(&spki, SEQUENCE)?)
    }

    /// Puts a curve and, where there is one, the bit string of a point together.
    pub(super) fn from_ec_parts(curve: Element<'_>, point: Option<Element<'_>>) -> Option<Self> {
        let algorithm = der::encode(SEQUENCE, &[&der::encode(OID, &[EC]), curve.whole]);
        Self::from_parts(der::only(&algorithm, SEQUENCE)?, point.map(|point| point.whole))
    }

    /// Puts the numbers of a DSA key together: its domain (p, q, g) and the public number.
    pub(super) fn from_dsa_parts(domain: [Element<'_>; 3], public: Element<'_>) -> Option<Self> {
        let domain = der::encode(SEQUENCE, &domain.map(|number| number.whole));
        let algorithm = der::encode(SEQUENCE, &[&der::encode(OID, &[DSA]), &domain]);
        let key = der::encode(BIT_STRING, &[&[0], public.whole]);
        Self::from_parts(der::only(&algorithm, SEQUENCE)?, Some(&key))
    }

    /// Puts an algorithm and, where there is one, the encoded bit string of a public key together.
    pub(super) fn from_parts(algorithm: Element<'_>, key: Option<&[u8]>) -> Option<Self> {
        match key {
            None => Self::from_algorithm(algorithm),
            Some(key) => Self::from_spki(der::only(&der::encode(SEQUENCE, &[algorithm.whole, key]), SEQUENCE)?),
        }
    }

    /// Says whether the algorithm is one that this reader knows.
    pub(super) fn is_known(&self) -> bool {
        !self.algorithm.starts_with(|first: char| first.is_ascii_digit())
    }

    /// Returns the facts of a key that stands alone.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        facts.set("algorithm", self.algorithm.as_str());
        facts.set_some("bits", self.bits);
        facts.set_some("curve", self.curve.as_deref());
        match &self.exponent {
            Some(Exponent::Small(number)) => facts.set("public_exponent", *number),
            Some(Exponent::Large(hex)) => facts.set("public_exponent", format!("0x{hex}")),
            None => {}
        }
        facts.set_some("spki_sha256", self.spki.as_deref());
        facts
    }

    fn read_rsa(&mut self, pkcs1: &[u8]) -> Option<()> {
        let mut inside = der::only(pkcs1, SEQUENCE)?.inside();
        let modulus = inside.read(INTEGER)?;
        let exponent = inside.read(INTEGER)?;
        self.bits = Some(der::bit_length(modulus.content));
        self.exponent = Some(match exponent.number() {
            Some(number) => Exponent::Small(number),
            None => Exponent::Large(bounded(hex(exponent.content).as_bytes())),
        });
        Some(())
    }

    fn read_curve(&mut self, curve: Element<'_>) {
        if let Some(dotted) = curve.oid() {
            let known = oid::curve(&dotted);
            self.bits = known.map(|(_, bits)| bits);
            self.curve = Some(known.map_or(dotted, |(name, _)| name.to_owned()));
        } else {
            // Explicit parameters: version, field, curve, base point, order. The order tells the size.
            let order = curve.inside().filter(|element| element.tag == INTEGER).nth(1);
            self.bits = order.map(|order| der::bit_length(order.content));
            self.curve = Some("explicit".to_owned());
        }
    }
}

/// Returns the size of the first number in a sequence.
fn integer_bits(domain: Element<'_>) -> Option<i64> {
    domain.inside().read(INTEGER).map(|prime| der::bit_length(prime.content))
}
