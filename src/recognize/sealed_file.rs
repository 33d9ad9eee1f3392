//! Files that are encrypted as a whole: age, Ansible Vault, git-crypt. Who can open them, never what is in them.
//!
//! Never here: files with encrypted values between plain ones. Serves the age-encryption.org/v1 specification.

use crate::domain::{Facts, RepoPath};

use super::text::{MOST_VALUES, bounded, trimmed};
use super::{Recognized, pem_file};

const AGE: &[u8] = b"age-encryption.org/v1\n";
const VAULT: &[u8] = b"$ANSIBLE_VAULT;";
const GIT_CRYPT: &[u8] = b"\0GITCRYPT\0";
const GIT_CRYPT_KEY: &[u8] = b"\0GITCRYPTKEY";

/// Recognises a file by the words that it begins with.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes.first()? {
        b'a' if bytes.starts_with(AGE) => age(bytes),
        b'-' if bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") => {
            let blocks = pem_file::blocks_of(path, bytes)?;
            blocks.whole.first().and_then(|block| age(&block.bytes))
        }
        b'$' => vault(bytes.strip_prefix(VAULT)?),
        0 if bytes.starts_with(GIT_CRYPT_KEY) => {
            Some(Recognized::key("git-crypt-key", Facts::new()).with_clear_symmetric_key(None))
        }
        0 if bytes.starts_with(GIT_CRYPT) => Some(Recognized::key("git-crypt", Facts::new())),
        _ => None,
    }
}

fn age(bytes: &[u8]) -> Option<Recognized> {
    let mut kinds = Vec::new();
    // The header ends with its checksum; recipients come before it.
    for line in bytes.strip_prefix(AGE)?.split(|byte| *byte == b'\n').take(MOST_VALUES * 64) {
        if line.starts_with(b"---") {
            let mut facts = Facts::new();
            facts.set("recipients", u32::try_from(kinds.len()).unwrap_or(u32::MAX));
            kinds.sort();
            kinds.dedup();
            facts.set("recipient_types", kinds);
            return Some(Recognized::key("age-encrypted", facts));
        }
        if let Some(stanza) = line.strip_prefix(b"-> ") {
            let kind = bounded(stanza.split(|byte| *byte == b' ').next().unwrap_or_default());
            // Implementations add a meaningless stanza now and then, so that nobody relies on there being none.
            if !kind.ends_with("-grease") && kinds.len() < MOST_VALUES {
                kinds.push(kind);
            }
        }
    }
    Some(Recognized::key("age-encrypted", Facts::new()).unreadable(Some(1), "the header of the age file has no end"))
}

fn vault(rest: &[u8]) -> Option<Recognized> {
    let mut fields = rest.split(|byte| *byte == b'\n').next()?.split(|byte| *byte == b';').map(trimmed);
    let mut facts = Facts::new();
    facts.set("version", fields.next()?);
    facts.set("cipher", fields.next()?);
    facts.set_some("vault_id", fields.next());
    Some(Recognized::key("ansible-vault", facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new("a"), text.as_bytes())
    }

    #[test]
    fn recipients_are_counted_and_grease_is_not() {
        let facts = found("age-encryption.org/v1\n-> X25519 AAA\nbody\n-> ssh-ed25519 AA BB\nbody\n-> x-grease C\n\n--- mac\n\0\n-> X25519 not here").unwrap().facts;
        assert_eq!(facts.number("recipients"), Some(2));
        assert_eq!(facts.list("recipient_types"), ["X25519".into(), "ssh-ed25519".into()]);
    }

    #[test]
    fn the_key_of_git_crypt_is_a_secret_and_what_it_sealed_is_none() {
        assert!(found("\0GITCRYPTKEY\0\0\0\x02").unwrap().secret);
        assert!(!found("\0GITCRYPT\0sealed").unwrap().secret);
    }

    #[test]
    fn a_header_without_end_is_unreadable() {
        assert_eq!(found("age-encryption.org/v1\n-> X25519 AAA\n").unwrap().observations[0].rule, "unreadable");
    }

    #[test]
    fn text_about_these_formats_is_left_alone() {
        for text in ["age-encryption.org/v1 is a format", "$ANSIBLE_VAULT is a marker", "$HOME;a;b"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
