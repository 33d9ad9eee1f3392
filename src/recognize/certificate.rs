//! X.509 certificates: what they say, not whether it is true, in force or wise.
//!
//! Never here: checking a signature, or the time. Serves RFC 5280 §4.

use crate::domain::{Fact, Facts};

use super::der::{self, BIT_STRING, BOOLEAN, Element, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};
use super::name;
use super::oid;
use super::public_key::PublicKey;
use super::text::{MOST_VALUES, bounded, hex, moment, sha256_hex};

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
    key: PublicKey,
    extensions: Extensions,
}

/// The extensions that are facts.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    /// Subject alternative names with their types, sorted.
    pub san: Vec<String>,
    basic_constraints: Option<(bool, bool, Option<i64>)>,
    key_usage: Vec<&'static str>,
    ext_key_usage: Vec<String>,
    ski: Option<String>,
    aki: Option<String>,
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

impl Extensions {
    /// Reads a sequence of extensions; what cannot be read is left out.
    pub(super) fn read(list: Reader<'_>) -> Self {
        let mut found = Self::default();
        for extension in list {
            found.read_one(extension);
        }
        found
    }

    fn read_one(&mut self, extension: Element<'_>) -> Option<()> {
        let mut inside = extension.inside();
        let id = inside.read(OID)?.oid()?;
        let critical = inside.read(BOOLEAN).is_some_and(|flag| flag.content != [0]);
        let value = Reader::new(inside.read(OCTET_STRING)?.content).next()?;
        match id.as_str() {
            "2.5.29.14" => self.ski = Some(bounded(hex(value.content).as_bytes())),
            "2.5.29.15" => self.key_usage = key_usage(value),
            "2.5.29.17" => self.san = name::all_general(value.inside(), MOST_VALUES),
            "2.5.29.19" => {
                let mut constraints = value.inside();
                let is_ca = constraints.read(BOOLEAN).is_some_and(|flag| flag.content != [0]);
                let path_length = constraints.read(INTEGER).and_then(Element::number);
                self.basic_constraints = Some((is_ca, critical, path_length));
            }
            "2.5.29.35" => {
                let id = value.inside().find(|element| element.tag == 0x80);
                self.aki = id.map(|id| bounded(hex(id.content).as_bytes()));
            }
            "2.5.29.37" => {
                let usages = Iterator::take(value.inside(), MOST_VALUES).filter_map(Element::oid);
                self.ext_key_usage = usages.map(|usage| oid::usage(&usage).to_owned()).collect();
                self.ext_key_usage.sort();
            }
            _ => {}
        }
        Some(())
    }

    fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|(is_ca, ..)| is_ca)
    }

    /// Adds what is known to the facts of a certificate.
    fn describe(&self, facts: &mut Facts) {
        if let Some((_, critical, path_length)) = self.basic_constraints {
            facts.set("basic_constraints_critical", critical);
            facts.set_some("path_length", path_length);
        }
        facts.set_some("san", some_list(&self.san));
        facts.set_some("key_usage", some_list(&self.key_usage));
        facts.set_some("ext_key_usage", some_list(&self.ext_key_usage));
        facts.set_some("ski", self.ski.as_deref());
        facts.set_some("aki", self.aki.as_deref());
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

fn key_usage(value: Element<'_>) -> Vec<&'static str> {
    const NAMES: [&str; 9] = [
        "Digital Signature",
        "Non Repudiation",
        "Key Encipherment",
        "Data Encipherment",
        "Key Agreement",
        "Certificate Sign",
        "CRL Sign",
        "Encipher Only",
        "Decipher Only",
    ];
    let bytes = if value.tag == BIT_STRING { value.content.get(1..).unwrap_or_default() } else { &[] };
    let is_set = |bit: usize| bytes.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
    let mut names: Vec<_> = NAMES.iter().enumerate().filter(|(bit, _)| is_set(*bit)).map(|(_, name)| *name).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_spelled_as_openssl_does() {
        for (content, expected) in
            [(&[0x05, 0x20][..], "0520"), (&[0, 0x9b], "9b"), (&[0], "00"), (&[0x80], "-80"), (&[0xff, 0x01], "-ff")]
        {
            assert_eq!(serial(Element { tag: INTEGER, content, whole: &[] }), expected);
        }
    }

    #[test]
    fn usages_are_sorted_by_name() {
        let value = Element { tag: BIT_STRING, content: &[1, 0x06], whole: &[] };
        assert_eq!(key_usage(value), ["CRL Sign", "Certificate Sign"]);
    }
}
