//! One signature by one known person: the smallest thing that may be believed.
//!
//! Never here: counting (`threshold`). Serves contract §3.3 ("persons, not keys").

use super::signature::{Signature, SignatureDefect};
use super::threshold::Verified;
use crate::domain::{Person, PublicKey, RoleName, TrustRoot};

/// Something that a known person signed. Only [`attest`] makes one, over bytes; decoding keeps what it proves.
#[derive(Clone, Debug)]
pub struct Attested<'t, T> {
    value: T,
    root: &'t TrustRoot,
    person: &'t Person,
    key: PublicKey,
}

impl<'t, T> Attested<'t, T> {
    /// Returns what was signed.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Returns who signed it.
    pub const fn person(&self) -> &'t Person {
        self.person
    }

    /// Returns the key that signed it.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Passes it on only when its signer holds a role.
    ///
    /// # Errors
    /// `GB-SIG-ROLE`.
    pub fn with_role(self, role: RoleName) -> Result<Self, SignatureDefect> {
        if self.root.role(role).is_some_and(|held| held.persons.contains(&self.person.id)) {
            return Ok(self);
        }
        Err(SignatureDefect::Role { person: self.person.id.clone(), role })
    }
}

impl<'t> Attested<'t, &[u8]> {
    /// Decodes the signed bytes, and keeps who signed them.
    ///
    /// # Errors
    /// Whatever `decode` refuses.
    pub fn try_map<U, E>(self, decode: impl FnOnce(&[u8]) -> Result<U, E>) -> Result<Attested<'t, U>, E> {
        let value = decode(self.value)?;
        Ok(Attested { value, root: self.root, person: self.person, key: self.key })
    }
}

/// Proves that some person of the trust root signed exactly these bytes for this purpose.
///
/// # Errors
/// [`SignatureDefect`], the first thing that is wrong.
pub fn attest<'t, 'b>(
    root: &'t Verified<TrustRoot>,
    namespace: &str,
    bytes: &'b [u8],
    signature: &Signature,
) -> Result<Attested<'t, &'b [u8]>, SignatureDefect> {
    attest_by(root.value(), namespace, bytes, signature)
}

/// As [`attest`], by a root that is only about to be verified.
pub(super) fn attest_by<'t, 'b>(
    root: &'t TrustRoot,
    namespace: &str,
    bytes: &'b [u8],
    signature: &Signature,
) -> Result<Attested<'t, &'b [u8]>, SignatureDefect> {
    signature.check(namespace, bytes)?;
    let key = signature.key();
    let person = root.person_of(key).ok_or_else(|| SignatureDefect::UnknownKey(super::fingerprint(key)))?;
    Ok(Attested { value: bytes, root, person, key: key.clone() })
}
