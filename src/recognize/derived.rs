//! The public half of a private key of Curve25519 or DSA whose file does not hold it.
//!
//! Only so can a key be held against its certificate, and be known again in another file. Never here: a copy of the
//! private half that outlives the call. Serves RFC 8032 §5.1.5, RFC 7748 §5 and
//! FIPS 186-4 §4.1.

use ed25519_dalek::hazmat::ExpandedSecretKey;
use ed25519_dalek::{SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::der::{self, Element, INTEGER, OID, SEQUENCE};
use super::modular;

/// Returns the public key of a seed of Ed25519.
pub(super) fn ed25519(seed: &[u8]) -> Option<[u8; 32]> {
    let seed = seed.first_chunk::<32>().filter(|_| seed.len() == 32)?;
    Some(SigningKey::from_bytes(seed).verifying_key().to_bytes())
}

/// Returns the public key of a private number of X25519.
pub(super) fn x25519(private: &[u8]) -> Option<[u8; 32]> {
    let private = private.first_chunk::<32>().filter(|_| private.len() == 32)?;
    // Both forms of the curve have one group: the point is computed on one and spelled on the other.
    let mut expanded = Zeroizing::new([0; 64]);
    expanded.first_chunk_mut::<32>()?.copy_from_slice(private);
    let point = VerifyingKey::from(&ExpandedSecretKey::from_bytes(&expanded));
    Some(point.to_montgomery().to_bytes())
}

/// Returns the encoded public number of a private one of DSA, whose domain stands beside the algorithm's name.
pub(super) fn dsa(algorithm: Element<'_>, private: Element<'_>) -> Option<Vec<u8>> {
    let mut inside = algorithm.inside();
    inside.read(OID)?;
    let mut domain = inside.read(SEQUENCE)?.inside();
    let (p, _q, g) = (domain.read(INTEGER)?, domain.read(INTEGER)?, domain.read(INTEGER)?);
    let public = modular::power(g.magnitude()?, private.magnitude()?, p.magnitude()?)?;
    let public = der::unsigned(&public);
    // A number whose first bit is set has a zero before it, lest it be negative.
    let sign: &[u8] = if public.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    Some(der::encode(INTEGER, &[sign, public]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognize::text::hex;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn the_halves_are_those_of_openssl_and_rfc_8032() {
        let seed = bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(hex(&ed25519(&seed).unwrap()), public);
        let private = bytes("77076d0a7318a57d3c16c17251b26645df4c3c6cbb2ff9a7c6ae6c2cbc1a2c2a");
        let public = "346100b80def32b53b418ecadc6b9a781ff9bc07d3521e82720e69c61cb62507";
        assert_eq!(hex(&x25519(&private).unwrap()), public);
    }

    #[test]
    fn other_lengths_are_no_keys() {
        assert_eq!((ed25519(&[1; 31]), x25519(&[1; 33]), ed25519(&[])), (None, None, None));
    }

    #[test]
    fn a_public_number_of_dsa_is_found_and_encoded() {
        // p = 23, g = 5, x = 3: y = 10; with x = 11: y = 22, and so on. A set first bit has a zero before it.
        let domain = |p: &[u8], g: u8| {
            let numbers = [der::encode(INTEGER, &[p]), vec![INTEGER, 1, 11], vec![INTEGER, 1, g]];
            let numbers = der::encode(SEQUENCE, &[&numbers.concat()]);
            der::encode(SEQUENCE, &[&der::encode(OID, &[&[0x2a, 3]]), &numbers])
        };
        let public = |p: &[u8], g, x| {
            let (algorithm, private) = (domain(p, g), [INTEGER, 1, x]);
            dsa(der::only(&algorithm, SEQUENCE).unwrap(), der::only(&private, INTEGER).unwrap())
        };
        assert_eq!(public(&[23], 5, 3), Some(vec![INTEGER, 1, 10]));
        assert_eq!(public(&[0, 251], 5, 3), Some(vec![INTEGER, 1, 125]));
        assert_eq!(public(&[0, 251], 6, 3), Some(vec![INTEGER, 2, 0, 216]));
        assert_eq!(public(&[24], 5, 3), None);
    }
}
