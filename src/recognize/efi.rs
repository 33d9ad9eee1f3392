//! Signature lists of UEFI Secure Boot (`.esl`) and signed updates of them (`.auth`): what a firmware trusts or refuses.
//!
//! Never here: checking the signature of an update. Serves the UEFI specification §32.4.1, `EFI_SIGNATURE_LIST`, and
//! §8.2.2, `EFI_VARIABLE_AUTHENTICATION_2`.

use crate::domain::{Fact, Facts, RepoPath, Timestamp};

use super::certificate::Certificate;
use super::text::{MOST_VALUES, hex};
use super::{Recognized, pkcs7};

/// `EFI_CERT_X509_GUID` and `EFI_CERT_SHA256_GUID` as they are stored.
const X509: [u8; 16] = [0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72];
const SHA256: [u8; 16] =
    [0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28];

/// How large a file of lists may be.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// `EFI_CERT_TYPE_PKCS7_GUID` as it is stored.
const PKCS7: [u8; 16] =
    [0x9d, 0xd2, 0xaf, 0x4a, 0xdf, 0x68, 0xee, 0x49, 0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7];

/// Recognises a file that is one list after the other, to its last byte, with or without the signature of an update.
pub(super) fn recognize(_path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let first = bytes.first_chunk::<16>()?;
    if bytes.len() > MOST_BYTES {
        return None;
    }
    if *first == X509 || *first == SHA256 {
        let lists = Lists::read(bytes)?;
        return Some(Recognized::certificate("efi-signature-list", lists.facts()));
    }
    signed_update(bytes)
}

/// `EFI_VARIABLE_AUTHENTICATION_2`: a moment, a signature of PKCS#7, and the lists that are signed.
fn signed_update(bytes: &[u8]) -> Option<Recognized> {
    let (time, rest) = bytes.split_first_chunk::<16>()?;
    let (head, _) = rest.split_first_chunk::<24>()?;
    // Revision 2.0 and WIN_CERT_TYPE_EFI_GUID.
    if head.get(4..8)? != [0, 2, 0xf1, 0x0e] || head.get(8..)? != PKCS7 {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes(*head.first_chunk::<4>()?)).ok()?;
    let (signature, lists) = rest.split_at_checked(length)?;
    let signers = pkcs7::signers(signature.get(24..)?, MOST_VALUES)?;
    // Without a list the update takes the variable's content away.
    let mut facts = Lists::read(lists)?.facts();
    let [low, high, month, day, hour, minute, second, ..] = *time;
    let year = u16::from_le_bytes([low, high]);
    let moment = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    facts.set_some("signed_at", Timestamp::parse(&moment).map(|moment| moment.to_string()));
    facts.set("signers", Fact::List(signers.iter().map(|found| Fact::Map(found.brief())).collect()));
    Some(Recognized::certificate("efi-signed-update", facts))
}

#[derive(Default)]
struct Lists {
    certificates: Vec<Certificate>,
    digests: Vec<String>,
    owners: Vec<String>,
}

impl Lists {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut found = Self::default();
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
                found.owners.push(hex(owner));
                match *kind {
                    X509 => found.certificates.push(Certificate::read(data)?),
                    SHA256 => found.digests.push(hex(data)),
                    _ => {}
                }
            }
            rest = rest.get(whole..)?;
        }
        Some(found)
    }

    fn facts(mut self) -> Facts {
        self.owners.sort();
        self.owners.dedup();
        self.owners.truncate(MOST_VALUES);
        let mut facts = Facts::new();
        facts.set("count", u32::try_from(self.certificates.len() + self.digests.len()).unwrap_or(u32::MAX));
        let described = self.certificates.iter().take(MOST_VALUES).map(|found| Fact::Map(found.brief()));
        facts.set("certificates", Fact::List(described.collect()));
        self.digests.truncate(MOST_VALUES);
        facts.set("digests_sha256", self.digests);
        facts.set("owners", self.owners);
        facts
    }
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

    /// An update at noon of 2026-07-01 whose signature holds no certificate.
    fn update(lists: &[u8]) -> Vec<u8> {
        let signed = [&[0x30, 9][..], &[2, 1, 1], &[0x31, 0], &[0x30, 2, 6, 0]].concat();
        let length = u32::try_from(24 + signed.len()).unwrap().to_le_bytes();
        let time = [0xea, 7, 7, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        [&time[..], &length, &[0, 2, 0xf1, 0x0e], &PKCS7, &signed, lists].concat()
    }

    #[test]
    fn a_signed_update_tells_its_moment_and_its_lists() {
        let seen = found(&update(&list(SHA256, 48, &[&[1; 32]]))).unwrap();
        assert_eq!(seen.kind, "efi-signed-update");
        assert_eq!(seen.facts.text("signed_at"), Some("2026-07-01T12:00:00Z"));
        assert_eq!(seen.facts.number("count"), Some(1));
        assert_eq!(found(&update(&[])).unwrap().facts.number("count"), Some(0));
        let whole = update(&list(SHA256, 48, &[&[1; 32]]));
        assert_eq!(found(&whole[..whole.len() - 1]), None);
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
