//! PKCS#7 and CMS as a container of certificates: signed data that signs nothing.
//!
//! Never here: signatures over content, which are no configuration. Serves RFC 2315 §9 and RFC 5652 §5.

use super::certificate::Certificate;
use super::der::{Element, INTEGER, OID, SEQUENCE, SET};

/// `signedData`.
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// Returns the certificates of a container that holds nothing else but revocation lists.
pub(super) fn certificates(whole: Element<'_>, most: usize) -> Option<Vec<Certificate>> {
    let mut outer = whole.inside();
    if outer.read(OID)?.oid()? != SIGNED_DATA {
        return None;
    }
    let mut fields = outer.read(0xa0)?.inside().read(SEQUENCE)?.inside();
    fields.read(INTEGER)?;
    fields.read(SET)?;
    let mut signed = fields.read(SEQUENCE)?.inside();
    signed.read(OID)?;
    let certificates = fields.read(0xa0)?;
    fields.read(0xa1);
    let signers = fields.read(SET);
    let signs = !signed.is_done() || signers.is_some_and(|signers| !signers.content.is_empty());
    let found: Vec<_> = Iterator::take(certificates.inside(), most).filter_map(Certificate::from_element).collect();
    (!signs && !found.is_empty()).then_some(found)
}
