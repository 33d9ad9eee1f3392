//! Certificate signing requests and revocation lists: what is asked for, and what is taken back.
//!
//! Never here: the time; whether a list is stale is judged elsewhere. Serves RFC 2986 and RFC 5280 §5.

use crate::domain::Facts;

use super::certificate::{algorithm_name, serial, signature_hash};
use super::der::{BIT_STRING, Element, GENERALIZED_TIME, INTEGER, OID, Reader, SEQUENCE, SET, UTC_TIME};
use super::extension::Extensions;
use super::name;
use super::public_key::PublicKey;
use super::text::{MOST_VALUES, moment, sha256_hex};

/// The attribute of a request that holds extensions, as PKCS#9 and as Microsoft number it.
const EXTENSION_REQUESTS: [&str; 2] = ["1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"];

/// Returns the facts of a signing request.
pub(super) fn request(whole: Element<'_>) -> Option<Facts> {
    let mut outer = whole.inside();
    let mut fields = outer.read(SEQUENCE)?.inside();
    let signature = outer.read(SEQUENCE)?;
    outer.read(BIT_STRING)?;
    fields.read(INTEGER)?;
    let subject = fields.read(SEQUENCE)?;
    let key = PublicKey::from_spki(fields.read(SEQUENCE)?)?;
    let mut facts = Facts::new();
    facts.set("subject", name::distinguished(subject)?);
    facts.set("key_algorithm", key.algorithm.as_str());
    facts.set_some("key_bits", key.bits);
    facts.set_some("curve", key.curve.as_deref());
    facts.set_some("spki_sha256", key.spki.as_deref());
    facts.set("signature_algorithm", algorithm_name(signature)?);
    facts.set_some("signature_hash", signature_hash(signature));
    if let Some(extensions) = fields.read(0xa0).and_then(requested) {
        extensions.describe(&mut facts);
    }
    Some(facts)
}

fn requested(attributes: Element<'_>) -> Option<Extensions> {
    attributes.inside().find_map(|attribute| {
        let mut inside = attribute.inside();
        let id = inside.read(OID)?.oid()?;
        let list = EXTENSION_REQUESTS.contains(&id.as_str()).then(|| inside.read(SET)?.inside().read(SEQUENCE))??;
        Some(Extensions::read(list.inside()))
    })
}

/// Returns the facts of a revocation list.
pub(super) fn revocation_list(whole: Element<'_>) -> Option<Facts> {
    let mut outer = whole.inside();
    let mut fields = outer.read(SEQUENCE)?.inside();
    let signature = outer.read(SEQUENCE)?;
    outer.read(BIT_STRING)?;
    fields.read(INTEGER);
    fields.read(SEQUENCE)?;
    let issuer = fields.read(SEQUENCE)?;
    let this_update = time(&mut fields)?;
    let mut facts = Facts::new();
    facts.set("issuer", name::distinguished(issuer)?);
    facts.set("signature_algorithm", algorithm_name(signature)?);
    facts.set_some("this_update", moment(this_update));
    facts.set_some("next_update", time(&mut fields).and_then(moment));
    let mut revoked = fields.read(SEQUENCE).map(|list| serials(list.inside())).unwrap_or_default();
    revoked.sort();
    facts.set("revoked_count", u32::try_from(revoked.len()).unwrap_or(u32::MAX));
    if revoked.len() > MOST_VALUES {
        // A long list is told by its digest: a change shows, though not which one.
        facts.set("revoked_sha256", sha256_hex(revoked.join("\n").as_bytes()));
    } else {
        facts.set("revoked_serials", revoked);
    }
    let extensions = fields.read(0xa0).and_then(|explicit| explicit.inside().read(SEQUENCE));
    if let Some(list) = extensions {
        Extensions::read(list.inside()).describe_list(&mut facts);
    }
    Some(facts)
}

fn time<'a>(fields: &mut Reader<'a>) -> Option<Element<'a>> {
    fields.read(UTC_TIME).or_else(|| fields.read(GENERALIZED_TIME))
}

fn serials(list: Reader<'_>) -> Vec<String> {
    // Capitals, as `openssl crl` prints them.
    list.filter_map(|entry| entry.inside().read(INTEGER)).map(|number| serial(number).to_uppercase()).collect()
}
