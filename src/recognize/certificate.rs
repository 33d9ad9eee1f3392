//! X.509 certificates: what they say, not whether it is true, in force or wise.
//!
//! Never here: checking a signature, or the time. Serves RFC 5280 §4.

use crate::domain::{Fact, Facts};

use super::der::{self, BIT_STRING, Element, INTEGER, OID, Reader, SEQUENCE};
use super::extension::Extensions;
use super::public_key::PublicKey;
use super::text::{hex, moment, sha256_hex};
use super::{name, oid};

/// A certificate's fields.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    subject: String,
    issuer: String,
    self_issued: bool,
    serial: String,
    not_before: Option<String>,
    not_after: Option<String>,
    fingerprint: String,
    version: i64,
    signature_algorithm: String,
    signature_hash: Option<String>,
    key: PublicKey,
    extensions: Extensions,
}

impl Certificate {
    /// Reads the certificate that `bytes` begin with; `TRUSTED CERTIFICATE` has more behind it.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        Self::from_element(Reader::new(bytes).read(SEQUENCE)?)
    }

    /// Reads a certificate.
    pub(super) fn from_element(whole: Element<'_>) -> Option<Self> {
        let mut outer = whole.inside();
        let mut fields = outer.read(SEQUENCE)?.inside();
        let signature = outer.read(SEQUENCE)?;
        outer.read(BIT_STRING)?;
        let version = match fields.read(0xa0) {
            Some(explicit) => explicit.inside().next()?.number()?.checked_add(1)?,
            None => 1,
        };
        let serial = serial(fields.read(INTEGER)?);
        fields.read(SEQUENCE)?;
        let issuer = fields.read(SEQUENCE)?;
        let mut validity = fields.read(SEQUENCE)?.inside();
        let subject = fields.read(SEQUENCE)?;
        let key = PublicKey::from_spki(fields.read(SEQUENCE)?)?;
        let extensions = fields.find(|element| element.tag == 0xa3);
        Some(Self {
            self_issued: subject.content == issuer.content,
            subject: name::distinguished(subject)?,
            issuer: name::distinguished(issuer)?,
            serial,
            not_before: validity.next().and_then(moment),
            not_after: validity.next().and_then(moment),
            fingerprint: sha256_hex(whole.whole),
            version,
            signature_algorithm: algorithm_name(signature)?,
            signature_hash: signature_hash(signature),
            key,
            extensions: extensions
                .and_then(|explicit| explicit.inside().read(SEQUENCE))
                .map_or_else(Extensions::default, |list| Extensions::read(list.inside())),
        })
    }

    /// Returns all that is known, for a certificate that stands alone.
    pub(super) fn facts(&self) -> Facts {
        let mut facts = self.brief();
        facts.set("version", self.version);
        facts.set("self_issued", self.self_issued);
        facts.set_some("signature_hash", self.signature_hash.as_deref());
        facts.set_some("curve", self.key.curve.as_deref());
        self.extensions.describe(&mut facts);
        facts
    }

    /// Returns what tells a member of a bundle from the others.
    pub(super) fn brief(&self) -> Facts {
        let mut facts = Facts::new();
        facts.set("subject", self.subject.as_str());
        facts.set("issuer", self.issuer.as_str());
        facts.set("serial", self.serial.as_str());
        facts.set_some("not_before", self.not_before.as_deref());
        facts.set_some("not_after", self.not_after.as_deref());
        facts.set("fingerprint_sha256", self.fingerprint.as_str());
        facts.set("signature_algorithm", self.signature_algorithm.as_str());
        facts.set("key_algorithm", self.key.long_name.as_str());
        facts.set_some("key_bits", self.key.bits);
        facts.set_some("spki_sha256", self.key.spki.as_deref());
        facts.set("is_ca", self.extensions.is_ca());
        facts
    }
}

/// Returns a list, unless it is empty.
pub(super) fn some_list<T: AsRef<str>>(values: &[T]) -> Option<Fact> {
    let list: Vec<_> = values.iter().map(|value| Fact::from(value.as_ref())).collect();
    (!list.is_empty()).then_some(Fact::List(list))
}

/// Returns the name in an `AlgorithmIdentifier`.
pub(super) fn algorithm_name(algorithm: Element<'_>) -> Option<String> {
    algorithm.inside().read(OID)?.oid().map(|dotted| oid::algorithm(&dotted).to_owned())
}

/// Returns the digest of an RSA-PSS signature, which its parameters name and its algorithm does not; SHA-1 unless said.
pub(super) fn signature_hash(algorithm: Element<'_>) -> Option<String> {
    let mut inside = algorithm.inside();
    if oid::algorithm(&inside.read(OID)?.oid()?) != "rsassaPss" {
        return None;
    }
    let named = inside.read(SEQUENCE).and_then(|parameters| parameters.inside().read(0xa0));
    let named = named.and_then(|explicit| explicit.inside().read(SEQUENCE)).and_then(algorithm_name);
    Some(named.unwrap_or_else(|| "sha1".to_owned()))
}

/// Returns a serial number as OpenSSL prints it, in lower case.
pub(super) fn serial(number: Element<'_>) -> String {
    let bytes = number.content.get(..number.content.len().min(256)).unwrap_or_default();
    match bytes.first() {
        None => "00".to_owned(),
        Some(first) if first & 0x80 == 0 => match der::unsigned(bytes) {
            [] => "00".to_owned(),
            magnitude => hex(magnitude),
        },
        Some(_) => {
            // Two's complement of a negative number, which old issuers wrote by mistake.
            let mut carry = true;
            let mut magnitude: Vec<u8> = bytes
                .iter()
                .rev()
                .map(|byte| {
                    let (flipped, over) = (!byte).overflowing_add(u8::from(carry));
                    carry = over;
                    flipped
                })
                .collect();
            magnitude.reverse();
            format!("-{}", hex(der::unsigned(&magnitude)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_pss_signature_is_the_one_named_or_sha_1() {
        let pss: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
        let sha256: &[u8] = &[0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0];
        let named = der::encode(SEQUENCE, &[pss, &der::encode(SEQUENCE, &[&der::encode(0xa0, &[sha256])])]);
        let silent = der::encode(SEQUENCE, &[pss, &[0x30, 0]]);
        for (algorithm, expected) in [(&named[..], Some("sha256")), (&silent, Some("sha1")), (sha256, None)] {
            assert_eq!(signature_hash(der::only(algorithm, SEQUENCE).unwrap()).as_deref(), expected);
        }
    }

    #[test]
    fn serial_numbers_are_spelled_as_openssl_does() {
        for (content, expected) in
            [(&[0x05, 0x20][..], "0520"), (&[0, 0x9b], "9b"), (&[0], "00"), (&[0x80], "-80"), (&[0xff, 0x01], "-ff")]
        {
            assert_eq!(serial(Element { tag: INTEGER, content, whole: &[] }), expected);
        }
    }
}
