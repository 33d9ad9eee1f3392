//! Private keys in PKCS#1, SEC 1, PKCS#8 and OpenSSL's DSA form: the public half, and how the private one is protected.
//!
//! Never here: a copy of a private number, in a fact, a message or a digest. Serves RFC 5958, RFC 8017 A.1.2,
//! RFC 5915, RFC 8018.

use crate::domain::Facts;

use super::der::{self, BIT_STRING, Element, INTEGER, OCTET_STRING, OID, SEQUENCE};
use super::public_key::PublicKey;
use super::{derived, oid};

/// What may be known about a private key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PrivateKey {
    /// The format that holds it, such as `pkcs8`.
    pub container: &'static str,
    /// The public half; none when it is encrypted too.
    pub public: Option<PublicKey>,
    /// How it is protected; none when it stands in clear.
    pub protection: Option<Protection>,
}

/// A private key's encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Protection {
    /// The scheme, such as `PBES2`.
    pub scheme: String,
    /// The function that makes a key of the password.
    pub kdf: Option<String>,
    /// The cipher.
    pub cipher: Option<String>,
    /// How often the function is repeated.
    pub iterations: Option<i64>,
    /// Why it is weak, where it is.
    pub weakness: Option<&'static str>,
}

impl PrivateKey {
    /// Reads a block of PEM: `headers` is the cipher of its `DEK-Info` header.
    pub(super) fn from_pem(label: &str, headers: Option<&str>, bytes: &[u8]) -> Option<Self> {
        if let Some(cipher) = headers {
            let container = match label {
                "RSA PRIVATE KEY" => "pkcs1-encrypted",
                "EC PRIVATE KEY" => "sec1-encrypted",
                _ => "openssl-encrypted",
            };
            let protection = Protection {
                scheme: "OpenSSL PEM".to_owned(),
                cipher: (!cipher.is_empty()).then(|| cipher.to_owned()),
                weakness: Some("its password is hashed by one round of MD5"),
                ..Protection::default()
            };
            return Some(Self { container, public: None, protection: Some(protection) });
        }
        let whole = der::Reader::new(bytes).read(SEQUENCE)?;
        match label {
            "RSA PRIVATE KEY" => Self::pkcs1(whole),
            "EC PRIVATE KEY" => Self::sec1(whole, None),
            "DSA PRIVATE KEY" => Self::dsa(whole),
            "ENCRYPTED PRIVATE KEY" => Self::encrypted(whole),
            _ => Self::pkcs8(whole),
        }
        // Some programs write one form under another's label.
        .or_else(|| Self::from_der(whole))
    }

    /// Reads a DER file of any of these forms.
    pub(super) fn from_der(whole: Element<'_>) -> Option<Self> {
        Self::pkcs8(whole)
            .filter(|key| key.public.as_ref().is_some_and(PublicKey::is_known))
            .or_else(|| Self::encrypted(whole))
            .or_else(|| Self::pkcs1(whole))
            .or_else(|| Self::sec1(whole, None).filter(|key| key.public.is_some()))
            .or_else(|| Self::dsa(whole))
    }

    /// Returns what is said of a key that stands beside its certificate.
    pub(super) fn brief(&self) -> Facts {
        let mut facts = self.public.as_ref().map(PublicKey::facts).unwrap_or_default();
        facts.set("encrypted", self.protection.is_some());
        facts
    }

    /// Returns the facts of a key that stands alone.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = self.brief();
        facts.set("container", self.container);
        if let Some(protection) = &self.protection {
            facts.set("encryption", protection.scheme.as_str());
            facts.set_some("kdf", protection.kdf.as_deref());
            facts.set_some("kdf_iterations", protection.iterations);
            facts.set_some("cipher", protection.cipher.as_deref());
        }
        facts
    }

    fn clear(container: &'static str, public: Option<PublicKey>) -> Self {
        Self { container, public, protection: None }
    }

    fn pkcs1(whole: Element<'_>) -> Option<Self> {
        // Nine numbers, and a list of further primes where there are more than two.
        let numbers: Vec<_> = Iterator::take(whole.inside(), 11).collect();
        let [version, modulus, exponent, d, p, q, ..] = numbers.as_slice() else { return None };
        if !matches!((version.number()?, numbers.len()), (0, 9) | (1, 10))
            || [d, p, q].iter().any(|number| number.tag != INTEGER)
            || der::bit_length(modulus.magnitude()?) < 256
        {
            return None;
        }
        let public = der::encode(SEQUENCE, &[modulus.whole, exponent.whole]);
        Some(Self::clear("pkcs1", Some(PublicKey::from_pkcs1(der::only(&public, SEQUENCE)?)?)))
    }

    fn dsa(whole: Element<'_>) -> Option<Self> {
        let numbers: Vec<_> = Iterator::take(whole.inside(), 7).collect();
        let [version, p, q, g, public, private] = numbers.as_slice() else { return None };
        if version.number() != Some(0)
            || numbers.iter().any(|number| number.tag != INTEGER)
            || private.content.is_empty()
        {
            return None;
        }
        Some(Self::clear("openssl-dsa", Some(PublicKey::from_dsa_parts([*p, *q, *g], *public)?)))
    }

    /// Reads an `ECPrivateKey`; inside PKCS#8 the curve stands outside of it.
    fn sec1(whole: Element<'_>, algorithm: Option<Element<'_>>) -> Option<Self> {
        let mut fields = whole.inside();
        if fields.read(INTEGER)?.number()? != 1 {
            return None;
        }
        fields.read(OCTET_STRING)?;
        let curve = fields.read(0xa0).and_then(|explicit| explicit.inside().next());
        let point = fields.read(0xa1).and_then(|explicit| explicit.inside().read(BIT_STRING));
        let public = match (algorithm, curve) {
            (Some(algorithm), _) => PublicKey::from_parts(algorithm, point.map(|point| point.whole)),
            (None, Some(curve)) => PublicKey::from_ec_parts(curve, point),
            (None, None) => None,
        };
        Some(Self::clear("sec1", public))
    }

    fn pkcs8(whole: Element<'_>) -> Option<Self> {
        let mut fields = whole.inside();
        if !matches!(fields.read(INTEGER)?.number()?, 0 | 1) {
            return None;
        }
        let algorithm = fields.read(SEQUENCE)?;
        let private = fields.read(OCTET_STRING)?;
        let name = PublicKey::from_algorithm(algorithm)?;
        let public = match name.algorithm.as_str() {
            "RSA" | "RSA-PSS" => {
                let mut numbers = der::only(private.content, SEQUENCE)?.inside();
                numbers.read(INTEGER)?;
                let (modulus, exponent) = (numbers.read(INTEGER)?, numbers.read(INTEGER)?);
                let public = der::encode(SEQUENCE, &[modulus.whole, exponent.whole]);
                PublicKey::from_rsa_parts(algorithm, &public)?
            }
            "EC" => {
                let inner = der::only(private.content, SEQUENCE)?;
                Self::sec1(inner, Some(algorithm))?.public?
            }
            _ => {
                let seed = der::only(private.content, OCTET_STRING).map(|seed| seed.content);
                // Version 2 may bring the public key along, as an implicit bit string.
                let public = fields.find(|field| field.tag == 0x81);
                let derived = || match name.algorithm.as_str() {
                    "Ed25519" => derived::ed25519(seed?).map(Vec::from),
                    "X25519" => derived::x25519(seed?).map(Vec::from),
                    "DSA" => derived::dsa(algorithm, der::only(private.content, INTEGER)?),
                    _ => None,
                };
                let key = match public {
                    Some(public) => Some(der::encode(BIT_STRING, &[public.content])),
                    None => derived().map(|key| der::encode(BIT_STRING, &[&[0], &key])),
                };
                PublicKey::from_parts(algorithm, key.as_deref())?
            }
        };
        Some(Self::clear("pkcs8", Some(public)))
    }

    fn encrypted(whole: Element<'_>) -> Option<Self> {
        let mut fields = whole.inside();
        let protection = Protection::read(fields.read(SEQUENCE)?)?;
        let has_body = fields.read(OCTET_STRING).is_some_and(|body| !body.content.is_empty()) && fields.is_done();
        has_body.then_some(Self { container: "pkcs8-encrypted", public: None, protection: Some(protection) })
    }
}

impl Protection {
    /// Reads the `AlgorithmIdentifier` of an encryption by password.
    pub(super) fn read(algorithm: Element<'_>) -> Option<Self> {
        let mut inside = algorithm.inside();
        let dotted = inside.read(OID)?.oid()?;
        let by_password = ["1.2.840.113549.1.5.", "1.2.840.113549.1.12.1."].iter().any(|arc| dotted.starts_with(arc));
        if !by_password {
            return None;
        }
        let mut parameters = inside.read(SEQUENCE)?.inside();
        let scheme = oid::algorithm(&dotted).to_owned();
        if scheme != "PBES2" {
            parameters.read(OCTET_STRING)?;
            let iterations = parameters.read(INTEGER).and_then(Element::number);
            let weakness = Some("PBES1 is kept for old files only");
            return Some(Self { scheme, kdf: None, cipher: None, iterations, weakness });
        }
        let mut kdf = parameters.read(SEQUENCE)?.inside();
        let kdf_name = kdf.read(OID)?.oid()?;
        let cipher = parameters.read(SEQUENCE)?.inside().read(OID)?.oid()?;
        let iterations = kdf.read(SEQUENCE).and_then(|values| values.inside().read(INTEGER)).and_then(Element::number);
        let cipher = oid::algorithm(&cipher).to_owned();
        let weakness = matches!(cipher.as_str(), "des-cbc" | "rc2-cbc").then_some("its cipher is broken");
        Some(Self {
            scheme,
            kdf: Some(oid::algorithm(&kdf_name).to_owned()),
            cipher: Some(cipher),
            iterations,
            weakness,
        })
    }
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding};

    use super::*;

    #[test]
    fn a_key_under_another_form_s_label_is_read_all_the_same() {
        // RFC 8410 §10.3: a key that everybody knows.
        let key = Base64::decode_vec("MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC").unwrap();
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let found = PrivateKey::from_pem(label, None, &key).unwrap();
            assert_eq!((found.container, found.protection), ("pkcs8", None), "{label}");
        }
        assert_eq!(PrivateKey::from_pem("PRIVATE KEY", None, key.get(..20).unwrap()), None);
    }
}
