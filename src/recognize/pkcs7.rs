//! PKCS#7 and CMS as a container of certificates: signed data that signs nothing.
//!
//! Never here: signatures over content, which are no configuration. Serves RFC 2315 §9 and RFC 5652 §5.

use super::certificate::Certificate;
use super::der::{Element, INTEGER, OID, Reader, SEQUENCE, SET};

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

/// Returns the certificates of signed data that signs something, with or without the wrapper that names its type.
pub(super) fn signers(bytes: &[u8], most: usize) -> Option<Vec<Certificate>> {
    let whole = Reader::new(bytes).read(SEQUENCE)?;
    let mut outer = whole.inside();
    let mut fields = match outer.read(OID) {
        Some(kind) if kind.oid()? == SIGNED_DATA => outer.read(0xa0)?.inside().read(SEQUENCE)?.inside(),
        Some(_) => return None,
        None => outer,
    };
    fields.read(INTEGER)?;
    fields.read(SET)?;
    fields.read(SEQUENCE)?;
    let certificates = fields.read(0xa0).map(Element::inside);
    let certificates = certificates.into_iter().flat_map(|list| Iterator::take(list, most));
    Some(certificates.filter_map(Certificate::from_element).collect())
}
