//! Signature lists of UEFI Secure Boot (`.esl`): the certificates and digests that a firmware trusts or refuses.
//!
//! Never here: the signed updates around such lists. Serves the UEFI specification §32.4.1, `EFI_SIGNATURE_LIST`.

use crate::domain::{Fact, Facts, ItemClass, RepoPath};

use super::Recognized;
use super::certificate::Certificate;
use super::text::{MOST_VALUES, hex};

/// `EFI_CERT_X509_GUID` and `EFI_CERT_SHA256_GUID` as they are stored.
const X509: [u8; 16] = [0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72];
const SHA256: [u8; 16] =
    [0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28];

/// How large a file of lists may be.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Recognises a file that is one list after the other, to its last byte.
pub(super) fn recognize(_path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let first = bytes.first_chunk::<16>()?;
    if bytes.len() > MOST_BYTES || *first != X509 && *first != SHA256 {
        return None;
    }
    let (mut certificates, mut digests, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = bytes;
    while !rest.is_empty() {
        let word = |at: usize| {
            let word = rest.get(at..at + 4)?.first_chunk::<4>()?;
            usize::try_from(u32::from_le_bytes(*word)).ok()
        };
        let (whole, header, each) = (word(16)?, word(20)?, word(24)?);
        let kind = rest.first_chunk::<16>()?;
        let body = rest.get(..whole)?.get(28_usize.checked_add(header)?..)?;
        if each <= 16 || body.len() % each != 0 {
            return None;
        }
        for entry in body.chunks(each) {
            let (owner, data) = entry.split_at_checked(16)?;
            owners.push(hex(owner));
            match *kind {
                X509 => certificates.push(Certificate::read(data)?),
                SHA256 => digests.push(hex(data)),
                _ => {}
            }
        }
        rest = rest.get(whole..)?;
    }
    owners.sort();
    owners.dedup();
    owners.truncate(MOST_VALUES);
    let mut facts = Facts::new();
    facts.set("count", u32::try_from(certificates.len() + digests.len()).unwrap_or(u32::MAX));
    let described = certificates.iter().take(MOST_VALUES).map(|found| Fact::Map(found.brief()));
    facts.set("certificates", Fact::List(described.collect()));
    digests.truncate(MOST_VALUES);
    facts.set("digests_sha256", digests);
    facts.set("owners", owners);
    Some(Recognized::new("efi-signature-list", ItemClass::Certificate, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(kind: [u8; 16], size: u32, entries: &[&[u8]]) -> Vec<u8> {
        let body: Vec<u8> = entries.iter().flat_map(|data| [&[7; 16][..], data].concat()).collect();
        let whole = 28 + u32::try_from(body.len()).unwrap();
        [&kind[..], &whole.to_le_bytes(), &0_u32.to_le_bytes(), &size.to_le_bytes(), &body].concat()
    }

    fn found(bytes: &[u8]) -> Option<Recognized> {
        recognize(&RepoPath::new("dbx.esl"), bytes)
    }

    #[test]
    fn digests_of_all_lists_are_told() {
        let bytes = [list(SHA256, 48, &[&[1; 32], &[2; 32]]), list(SHA256, 48, &[&[3; 32]])].concat();
        let facts = found(&bytes).unwrap().facts;
        assert_eq!((facts.number("count"), facts.list("owners").len()), (Some(3), 1));
        assert_eq!(facts.list("digests_sha256")[2], "03".repeat(32).into());
    }

    #[test]
    fn lists_that_do_not_fit_are_none() {
        let whole = list(SHA256, 48, &[&[1; 32]]);
        assert_eq!(found(&whole[..whole.len() - 1]), None);
        assert_eq!(found(&list(SHA256, 0, &[&[1; 32]])), None);
        assert_eq!(found(&list(SHA256, 47, &[&[1; 32]])), None);
        assert_eq!(found(&list(X509, 48, &[&[1; 32]])), None);
        assert_eq!(found(&[&SHA256[..], &[0; 12]].concat()), None);
    }
}
