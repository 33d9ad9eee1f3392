//! One signature by one known person: the smallest thing that may be believed.
//!
//! Never here: counting (`threshold`). Serves contract §3.3 ("persons, not keys").

use super::signature::{Signature, SignatureDefect};
use super::threshold::Verified;
use crate::domain::{Person, PublicKey, RoleName, TrustRoot};

/// By whom a word is judged: the root in force where it stands in the log, and the newest one, whose revocations reach
/// back (contract §3.3).
#[derive(Clone, Copy, Debug)]
pub struct Authority<'t> {
    /// The root in force there.
    pub root: &'t Verified<TrustRoot>,
    /// The newest root of the log.
    pub newest: &'t Verified<TrustRoot>,
}

impl<'t> Authority<'t> {
    /// The newest root judges what it saw happen.
    pub const fn newest(root: &'t Verified<TrustRoot>) -> Self {
        Self { root, newest: root }
    }
}

/// Something that a known person signed. Only [`attest`] makes one, over bytes; decoding keeps what it proves.
#[derive(Clone, Debug)]
pub struct Attested<'t, T> {
    value: T,
    person: &'t Person,
    key: PublicKey,
    position: Option<u64>,
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

    /// Returns where it stands in the log; nothing where it is not in the log.
    pub const fn position(&self) -> Option<u64> {
        self.position
    }

    /// Says where it stands in the log. The signature came with it, so that it has no earlier place.
    pub fn at(self, position: u64) -> Self {
        Self { position: Some(position), ..self }
    }

    /// Says why the key does not count, where it does not: revoked, or not in the root that judges.
    pub(super) fn barred(&self, authority: &Authority<'_>) -> Option<SignatureDefect> {
        if let Some(revocation) = authority.newest.value().barred(&self.key, self.position) {
            return Some(SignatureDefect::Revoked {
                key: super::fingerprint(&self.key),
                person: self.person.id.clone(),
                kind: revocation.kind,
                since: revocation.since.map(|since| since.size),
                position: self.position,
            });
        }
        let holder = authority.root.value().person_of(&self.key);
        let same = holder.is_some_and(|holder| holder.id == self.person.id);
        (!same).then(|| SignatureDefect::UnknownKey(super::fingerprint(&self.key)))
    }

    /// Says whether its key counts, as the authority says.
    pub fn counts(&self, authority: &Authority<'_>) -> bool {
        self.barred(authority).is_none()
    }

    /// Passes it on only when its key counts and its signer holds a role, as the authority says.
    ///
    /// # Errors
    /// `GB-SIG-REVOKED`, `GB-SIG-UNKNOWN-KEY`, `GB-SIG-ROLE`.
    pub fn with_role(self, authority: &Authority<'_>, role: RoleName) -> Result<Self, SignatureDefect> {
        if let Some(defect) = self.barred(authority) {
            return Err(defect);
        }
        if authority.root.value().role(role).is_some_and(|held| held.persons.contains(&self.person.id)) {
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
        Ok(Attested { value, person: self.person, key: self.key, position: self.position })
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
    Ok(Attested { value: bytes, person, key: key.clone(), position: None })
}
