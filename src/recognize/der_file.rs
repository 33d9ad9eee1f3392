//! Files that are one DER element: certificates, requests, revocation lists, keys, containers.
//!
//! Never here: binary files that merely begin with the same byte; the length must fit and the shape must be right.

use crate::domain::{Facts, RepoPath};

use super::certificate::Certificate;
use super::der::{self, Element, INTEGER, SEQUENCE};
use super::private_key::PrivateKey;
use super::public_key::PublicKey;
use super::text::MOST_VALUES;
use super::{Recognized, path, pem_file, pkcs7, pkcs12, request};

/// Recognises a DER file.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if bytes.first() != Some(&SEQUENCE) {
        return None;
    }
    match der::only(bytes, SEQUENCE) {
        Some(whole) => from_element(whole).or_else(|| claimed(path, bytes)),
        None => claimed(path, bytes),
    }
}

fn from_element(whole: Element<'_>) -> Option<Recognized> {
    if let Some(certificate) = Certificate::from_element(whole) {
        return Some(Recognized::certificate("x509-certificate-der", certificate.facts()));
    }
    if let Some(facts) = request::request(whole) {
        return Some(Recognized::certificate("x509-csr", facts));
    }
    if let Some(facts) = request::revocation_list(whole) {
        return Some(Recognized::certificate("x509-crl", facts));
    }
    if let Some(certificates) = pkcs7::certificates(whole, MOST_VALUES) {
        return Some(Recognized::certificate("pkcs7-certificates", pem_file::bundle(&certificates)));
    }
    if let Some(found) = pkcs12::read(whole) {
        return Some(found);
    }
    if let Some(key) = PrivateKey::from_der(whole) {
        return Some(pem_file::observe_key(Recognized::key("private-key-der", key.facts()), &key, None));
    }
    if let Some(bits) = dh_parameters(whole) {
        return Some(Recognized::key("dh-parameters", pem_file::dh_parameters(bits)));
    }
    public_key(whole).map(|key| Recognized::key("public-key-der", key.facts()))
}

fn public_key(whole: Element<'_>) -> Option<PublicKey> {
    let spki = PublicKey::from_spki(whole).filter(|key| key.is_known() && whole.inside().count() == 2);
    spki.or_else(|| pkcs1(whole))
}

/// A bare RSA key is two numbers, as are signatures and DH parameters: only the sizes tell them apart.
fn pkcs1(whole: Element<'_>) -> Option<PublicKey> {
    let numbers: Vec<_> = Iterator::take(whole.inside(), 3).collect();
    let [modulus, exponent] = numbers.as_slice() else { return None };
    let odd = |number: &Element<'_>| number.content.last().is_some_and(|last| last & 1 == 1);
    let fits = modulus.tag == INTEGER && der::bit_length(modulus.content) >= 512 && odd(modulus) && odd(exponent);
    (fits && exponent.number().is_some_and(|number| number > 2)).then(|| PublicKey::from_pkcs1(whole))?
}

/// Two or three numbers too: a large odd one and one that generates, which no RSA key has as its exponent.
fn dh_parameters(whole: Element<'_>) -> Option<i64> {
    let numbers: Vec<_> = Iterator::take(whole.inside(), 4).collect();
    let (prime, generator) = match numbers.as_slice() {
        [prime, generator] => (prime, generator),
        [prime, generator, length] if length.number().is_some_and(|bits| bits > 64) => (prime, generator),
        _ => return None,
    };
    let bits = der::bit_length(prime.magnitude()?);
    let is_odd = prime.content.last().is_some_and(|last| last & 1 == 1);
    let fits = match generator.number() {
        Some(number) => number == 2 || number == 5 && numbers.len() == 3,
        None => generator.magnitude().is_some_and(|large| (256..=bits).contains(&der::bit_length(large))),
    };
    (bits >= 512 && is_odd && fits).then_some(bits)
}

/// A file that begins like DER, and whose name says what it was meant to be.
fn claimed(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let (kind, class) = path::claim(path)?;
    let kind = match kind {
        "x509-certificate" => "x509-certificate-der",
        "private-key-pem" => "private-key-der",
        _ => kind,
    };
    // A long length, as such files have: a line of text may begin with "0" too.
    let begins_long = matches!(bytes.get(1), Some(0x80..=0x84));
    let mut found =
        Recognized::new(kind, class, Facts::new()).unreadable(None, "it begins like DER and cannot be read");
    found.secret = kind == "private-key-der";
    begins_long.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognize::der::encode;

    fn kind(bytes: &[u8]) -> Option<String> {
        recognize(&RepoPath::new("a.bin"), bytes).map(|found| found.kind)
    }

    #[test]
    fn a_group_is_told_from_a_public_key_by_its_generator() {
        let large = |first: u8| encode(INTEGER, &[&[0, first], &[1; 255]]);
        let pair = |first: &[u8], second: &[u8]| encode(SEQUENCE, &[first, second]);
        assert_eq!(kind(&pair(&large(0xff), &[INTEGER, 1, 2])).as_deref(), Some("dh-parameters"));
        assert_eq!(kind(&pair(&large(0xff), &large(0x80))).as_deref(), Some("dh-parameters"));
        assert_eq!(kind(&pair(&large(0xff), &[INTEGER, 3, 1, 0, 1])).as_deref(), Some("public-key-der"));
        assert_eq!(kind(&pair(&[INTEGER, 1, 7], &[INTEGER, 1, 2])), None);
    }

    #[test]
    fn many_and_deep_elements_are_no_key_and_end_soon() {
        let wide = encode(SEQUENCE, &[&[INTEGER, 1, 1].repeat(1_000_000)]);
        let nested = [&[SEQUENCE, 0x80][..], &[SEQUENCE, 0x80, 0, 0].repeat(200_000), &[0, 0]].concat();
        for bytes in [wide, nested, [SEQUENCE, 0x80].repeat(100_000)] {
            assert_eq!(kind(&bytes), None);
        }
    }
}
