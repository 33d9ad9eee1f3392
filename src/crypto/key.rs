//! Public keys: which ones are acceptable at all, and their spellings for people.
//!
//! Acceptable: Ed25519, plain or on a security key, in exactly one encoding, of no small order. Never here: whose key it
//! is. Serves contract §2 ("weak or non-canonical keys refused on import").

use std::str::FromStr as _;

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use ed25519_dalek::VerifyingKey;

use super::signature::SignatureDefect;
use super::wire::{Reader, put_string};
use crate::domain::{PublicKey, Sha256Digest};

pub(super) const PLAIN: &str = "ssh-ed25519";
pub(super) const TOKEN: &str = "sk-ssh-ed25519@openssh.com";

/// Security keys made for SSH name applications that begin so; a web site's credential must never sign here.
const APPLICATION: &[u8] = b"ssh:";

/// A public key taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyParts<'a> {
    /// The compressed point.
    pub(super) point: [u8; 32],
    /// The application that a security key signs for; none for a plain key.
    pub(super) application: Option<&'a [u8]>,
}

impl<'a> KeyParts<'a> {
    /// Takes the wire form apart, to the last byte. Says nothing yet about the point.
    pub(super) fn parse(wire: &'a [u8]) -> Result<Self, SignatureDefect> {
        let malformed = SignatureDefect::Malformed("its public key is cut off or has bytes after its end");
        let mut reader = Reader::new(wire);
        let algorithm = reader.string().ok_or_else(|| malformed.clone())?;
        let parts = match std::str::from_utf8(algorithm) {
            Ok(PLAIN) => Self::rest(&mut reader, false),
            Ok(TOKEN) => Self::rest(&mut reader, true),
            _ => return Err(SignatureDefect::algorithm("key type", algorithm)),
        };
        parts.ok_or(malformed)
    }

    fn rest(reader: &mut Reader<'a>, token: bool) -> Option<Self> {
        let point = reader.string()?.try_into().ok()?;
        let application = if token { Some(reader.string()?) } else { None };
        reader.end()?;
        Some(Self { point, application })
    }

    /// Returns the name of its algorithm, which its signatures bear too.
    pub(super) const fn algorithm(&self) -> &'static str {
        if self.application.is_some() { TOKEN } else { PLAIN }
    }

    /// Checks the point and the application, and returns the key to verify with.
    pub(super) fn verifying_key(&self) -> Result<VerifyingKey, SignatureDefect> {
        let key = VerifyingKey::from_bytes(&self.point)
            .map_err(|_| SignatureDefect::WeakKey("its point is not on the curve"))?;
        if key.is_weak() {
            return Err(SignatureDefect::WeakKey("its point has a small order, so that anybody can sign for it"));
        }
        if key.to_edwards().compress().to_bytes() != self.point {
            return Err(SignatureDefect::WeakKey("its point is not written in the canonical way"));
        }
        if self.application.is_some_and(|application| !application.starts_with(APPLICATION)) {
            return Err(SignatureDefect::WeakKey("its security key was not made for SSH"));
        }
        Ok(key)
    }
}

/// Checks that a public key is one that this program accepts.
///
/// # Errors
/// `GB-SIG-MALFORMED`, `GB-SIG-ALGORITHM` or `GB-SIG-WEAK-KEY`.
pub fn check_key(key: &PublicKey) -> Result<(), SignatureDefect> {
    KeyParts::parse(key.as_wire())?.verifying_key().map(|_| ())
}

/// Says whether a key is a plain one, which alone can sign checkpoints.
pub fn is_plain(key: &PublicKey) -> bool {
    KeyParts::parse(key.as_wire()).is_ok_and(|parts| parts.application.is_none())
}

/// Returns the wire form of a plain key.
pub(super) fn plain_key(point: &[u8; 32]) -> PublicKey {
    let mut wire = Vec::new();
    put_string(&mut wire, PLAIN.as_bytes());
    put_string(&mut wire, point);
    PublicKey::from_wire(wire)
}

/// Returns `SHA256:…`, as `ssh-keygen -l` prints it.
pub fn fingerprint(key: &PublicKey) -> String {
    format!("SHA256:{}", Base64Unpadded::encode_string(Sha256Digest::of(key.as_wire()).as_bytes()))
}

/// Returns the key as one line without comment, as `.pub` and `allowed_signers` files have it.
pub fn openssh_line(key: &PublicKey) -> String {
    let algorithm = KeyParts::parse(key.as_wire()).map_or("unknown", |parts| parts.algorithm());
    format!("{algorithm} {}", Base64::encode_string(key.as_wire()))
}

/// Parses the line of a `.pub` file: algorithm, key in base64, and a comment that is ignored.
///
/// # Errors
/// As [`check_key`]; also where the line has another shape, options before the key, or says another algorithm than
/// the key itself.
pub fn parse_public_key(text: &str) -> Result<PublicKey, SignatureDefect> {
    let malformed = SignatureDefect::Malformed("it is no line of the form \"ssh-ed25519 AAAA… comment\"");
    let line = text.trim_matches(['\n', '\r', ' ', '\t']);
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let (Some(algorithm), Some(armour)) = (words.next(), words.next()) else { return Err(malformed) };
    if line.contains(['\n', '\r']) {
        return Err(malformed);
    }
    if algorithm != PLAIN && algorithm != TOKEN {
        let looks_like_one = ssh_key::Algorithm::from_str(algorithm).is_ok() || algorithm.contains("-cert-");
        let named = looks_like_one.then(|| SignatureDefect::algorithm("key type", algorithm.as_bytes()));
        return Err(named.unwrap_or(malformed));
    }
    let key = PublicKey::from_wire(Base64::decode_vec(armour).map_err(|_| malformed.clone())?);
    let parts = KeyParts::parse(key.as_wire())?;
    parts.verifying_key()?;
    if parts.algorithm() == algorithm { Ok(key) } else { Err(malformed) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Token, key};
    use super::super::{Signer as _, check_key};
    use super::*;

    /// 2^255 - 19, least significant byte first.
    fn prime_plus(small: u8) -> [u8; 32] {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed + small;
        bytes[31] = 0x7f;
        bytes
    }

    fn code(key: &PublicKey) -> &'static str {
        check_key(key).map_or_else(|defect| defect.code(), |()| "accepted")
    }

    #[test]
    fn points_of_small_order_are_refused() {
        let mut order_2 = prime_plus(0);
        order_2[0] -= 1;
        let mut one = [0; 32];
        one[0] = 1;
        for point in [one, [0; 32], order_2] {
            assert!(VerifyingKey::from_bytes(&point).is_ok_and(|key| key.is_weak()), "{point:?} has a small order");
            assert_eq!(code(&plain_key(&point)), "GB-SIG-WEAK-KEY");
        }
    }

    #[test]
    fn a_point_with_a_second_spelling_is_refused() {
        let sound = |point: &[u8; 32]| VerifyingKey::from_bytes(point).is_ok_and(|key| !key.is_weak());
        let spelled_twice: Vec<_> = (0..19).map(prime_plus).filter(sound).collect();
        assert!(!spelled_twice.is_empty(), "the library reads some of them, so that we must refuse them");
        for point in spelled_twice {
            let defect = check_key(&plain_key(&point)).unwrap_err();
            assert_eq!(defect, SignatureDefect::WeakKey("its point is not written in the canonical way"));
        }
    }

    #[test]
    fn only_whole_keys_of_the_two_types_are_accepted() {
        let plain = key(1).public_key().clone();
        let token = Token::new(2, "ssh:", 1).public_key().clone();
        assert_eq!((code(&plain), code(&token)), ("accepted", "accepted"));
        let longer = |key: &PublicKey| PublicKey::from_wire([key.as_wire(), b"\0"].concat());
        let shorter = |key: &PublicKey| PublicKey::from_wire(&key.as_wire()[..key.as_wire().len() - 1]);
        for bad in [longer(&plain), shorter(&plain), longer(&token), shorter(&token), PublicKey::from_wire([])] {
            assert_eq!(code(&bad), "GB-SIG-MALFORMED");
        }
        for algorithm in ["ssh-rsa", "ssh-ed25519-cert-v01@openssh.com", "ecdsa-sha2-nistp256", "ssh-ed25519\0"] {
            let mut wire = Vec::new();
            put_string(&mut wire, algorithm.as_bytes());
            put_string(&mut wire, &[9; 32]);
            assert_eq!(code(&PublicKey::from_wire(wire)), "GB-SIG-ALGORITHM", "{algorithm}");
        }
    }

    #[test]
    fn a_credential_of_a_web_site_is_no_key_here() {
        assert_eq!(code(Token::new(2, "https://example.org", 1).public_key()), "GB-SIG-WEAK-KEY");
    }

    #[test]
    fn lines_of_pub_files_come_back_and_other_lines_are_refused() {
        let key = key(1).public_key().clone();
        let line = openssh_line(&key);
        assert_eq!(parse_public_key(&format!("{line} anna@example.org\n")), Ok(key.clone()));
        let short = line.get(..line.len() - 4).unwrap();
        let as_token = line.replace(PLAIN, TOKEN);
        for bad in ["", "ssh-ed25519", short, &as_token, &format!("no-pty {line}"), &format!("{line}\n{line}")] {
            assert_eq!(parse_public_key(bad).unwrap_err().code(), "GB-SIG-MALFORMED", "{bad}");
        }
        for other in ["ssh-rsa AAAA", "ssh-ed25519-cert-v01@openssh.com AAAA"] {
            assert_eq!(parse_public_key(other).unwrap_err().code(), "GB-SIG-ALGORITHM", "{other}");
        }
    }
}
