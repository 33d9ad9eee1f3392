//! What a trust root must be before anybody counts who signed it: consistent, with keys that prove something.
//!
//! Never here: whether it is signed (`threshold`), or whether it is the right one (the pin says). Serves contract §2
//! ("Root 1", "weak or non-canonical keys refused on import").

use std::collections::BTreeMap;
use std::fmt;

use super::key::KeyParts;
use super::signature::SignatureDefect;
use super::threshold::Shortfall;
use crate::domain::{Digest, PersonId, RoleName, TrustRoot};

/// Why a trust root does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootDefect {
    /// It breaks a rule of its own.
    Inconsistent(String),
    /// It holds a key that proves nothing.
    Key {
        /// Whose key.
        person: PersonId,
        /// What is wrong with it.
        defect: SignatureDefect,
    },
    /// It does not follow the root before it.
    Chain(String),
    /// It loses a revocation.
    RevocationLost(String),
    /// Too few root signers of itself, or of the root before, signed it.
    Threshold {
        /// The version of the root whose signers they had to be.
        version: u64,
        /// Who is missing.
        shortfall: Shortfall,
    },
}

impl RootDefect {
    /// Returns the refusal's code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Inconsistent(_) => "GB-TRUST-DEFECT",
            Self::Key { defect, .. } => defect.code(),
            Self::Chain(_) => "GB-TRUST-CHAIN",
            Self::RevocationLost(_) => "GB-TRUST-REVOCATION-LOST",
            Self::Threshold { .. } => "GB-TRUST-THRESHOLD",
        }
    }
}

impl fmt::Display for RootDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inconsistent(what) => write!(f, "it contradicts itself: {what}"),
            Self::Key { person, defect } => write!(f, "a key of {person}: {defect}"),
            Self::Chain(what) => write!(f, "it does not follow the root before it: {what}"),
            Self::RevocationLost(what) => f.write_str(what),
            Self::Threshold { version, shortfall } => {
                write!(f, "{shortfall} in root {version}")?;
                shortfall.not_counted.iter().try_for_each(|why| write!(f, "; {why}"))
            }
        }
    }
}

impl std::error::Error for RootDefect {}

/// Checks everything about a first root but its signatures.
pub(super) fn check_first(root: &TrustRoot) -> Result<(), RootDefect> {
    check(root)?;
    if root.version != 1 {
        return Err(RootDefect::Inconsistent(format!("the first root has version {}", root.version)));
    }
    Ok(())
}

/// Checks everything about a root but its signatures, given the one before it and the digest of that one's bytes.
pub(super) fn check_next(root: &TrustRoot, before: &TrustRoot, digest: &Digest) -> Result<(), RootDefect> {
    check(root)?;
    if root.predecessor != Some(*digest) {
        return Err(RootDefect::Chain(format!("it does not name root {} by its digest", before.version)));
    }
    if let Some(lost) = root.lost_revocation(before) {
        return Err(RootDefect::RevocationLost(lost));
    }
    root.succession_defect(before).map_or(Ok(()), |what| Err(RootDefect::Chain(what)))
}

fn check(root: &TrustRoot) -> Result<(), RootDefect> {
    if let Some(what) = root.defect() {
        return Err(RootDefect::Inconsistent(what));
    }
    if root.role(RoleName::Root).is_none() {
        return Err(RootDefect::Inconsistent("nobody holds the role root".into()));
    }
    check_keys(root)
}

/// Checks every key of a root. A point that stands twice, as a plain key and on a token, would be one secret that
/// speaks for two.
fn check_keys(root: &TrustRoot) -> Result<(), RootDefect> {
    let mut points: BTreeMap<[u8; 32], &PersonId> = BTreeMap::new();
    for person in &root.persons {
        for key in &person.keys {
            let refuse = |defect| RootDefect::Key { person: person.id.clone(), defect };
            let parts = KeyParts::parse(key.as_wire()).map_err(refuse)?;
            parts.verifying_key().map_err(refuse)?;
            if let Some(other) = points.insert(parts.point, &person.id) {
                let what = format!("{other} and {} hold the same key in two forms", person.id);
                return Err(RootDefect::Inconsistent(what));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::key::plain_key;
    use super::super::testing::{Token, founded, id, key, person, root};
    use super::*;
    use crate::domain::PublicKey;

    #[test]
    fn a_first_root_that_contradicts_itself_is_refused() {
        let sound = || root(vec![person("anna", &[&key(1)])], 1);
        assert_eq!(founded(sound(), &key(1)).unwrap().signers(), [id("anna")]);
        let code = |change: fn(&mut TrustRoot)| {
            let mut changed = sound();
            change(&mut changed);
            founded(changed, &key(1)).unwrap_err().code()
        };
        assert_eq!(code(|root| root.roles[0].threshold = 0), "GB-TRUST-DEFECT");
        assert_eq!(code(|root| root.roles[0].threshold = 2), "GB-TRUST-DEFECT");
        assert_eq!(code(|root| root.version = 2), "GB-TRUST-DEFECT");
        assert_eq!(code(|root| drop(root.roles.remove(0))), "GB-TRUST-DEFECT");
        assert_eq!(code(|root| root.persons[0].keys[0] = PublicKey::from_wire([])), "GB-SIG-MALFORMED");
        let weak = |root: &mut TrustRoot| root.persons[0].keys[0] = plain_key(&[0; 32]);
        assert_eq!(code(weak), "GB-SIG-WEAK-KEY");
    }

    #[test]
    fn one_secret_in_two_forms_is_not_two_keys() {
        let twice = root(vec![person("anna", &[&key(4)]), person("berta", &[&Token::new(4, "ssh:", 1)])], 2);
        assert_eq!(founded(twice, &key(4)).unwrap_err().code(), "GB-TRUST-DEFECT");
    }
}
