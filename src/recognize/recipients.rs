//! Lists of those who can open what age encrypts: its own recipients, and SSH keys.
//!
//! Never here: identities, which are private. Serves the manual of age(1), `--recipients-file`.

use crate::domain::{Facts, ItemClass, RepoPath};

use super::ssh::{self, SshKey};
use super::text::{MOST_VALUES, bounded};
use super::{Recognized, path};

/// How large a list may be.
const MOST_BYTES: usize = 256 * 1024;

/// Recognises a list of recipients: one a line, at least one of age's own where the name says nothing.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let named = path::lower_name(path).contains("recipients");
    if bytes.len() > MOST_BYTES || path::is_about(path) || !named && memchr::memmem::find(bytes, b"age1").is_none() {
        return None;
    }
    let mut recipients = Vec::new();
    let mut own = 0;
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    for line in lines.filter(|line| !line.is_empty() && line.first() != Some(&b'#')) {
        let is_own = is_recipient(line);
        let name = if is_own { bounded(line) } else { fingerprint(line)? };
        own += usize::from(is_own);
        if recipients.len() < MOST_VALUES {
            recipients.push(name);
        }
    }
    if recipients.is_empty() || own == 0 && !named {
        return None;
    }
    let mut facts = Facts::new();
    facts.set("recipients", recipients);
    Some(Recognized::new("age-recipients", ItemClass::AccessControl, facts))
}

/// Says whether a line is a recipient in Bech32, of age itself or of a plugin.
fn is_recipient(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"age1").unwrap_or_default();
    rest.len() >= 30 && rest.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn fingerprint(line: &[u8]) -> Option<String> {
    let (blob, _) = ssh::public_key_line(line)?;
    SshKey::read(&blob)?.facts("").text("fingerprint").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "age1dz4ql66trusk38r494ad7p0m454l0uvwenaxkyewm2lp635lyg7qa9wnu4";
    const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExp1WSMwUBn2VRoTWmmB6ULCZnrwp0O5uZO7sRO4req a@b";

    fn found(path: &str, text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new(path), text.as_bytes())
    }

    #[test]
    fn recipients_are_named_in_the_order_of_the_file() {
        let found = found("x", &format!("# team\r\n{OWN}\r\n\r\n{SSH}\r\n")).unwrap();
        assert_eq!((found.kind.as_str(), found.class), ("age-recipients", ItemClass::AccessControl));
        assert_eq!(found.facts.list("recipients").len(), 2);
        assert_eq!(found.facts.list("recipients")[0], OWN.into());
    }

    #[test]
    fn other_lists_of_keys_and_prose_are_left_alone() {
        assert_eq!(found("authorized_keys", SSH), None);
        assert_eq!(found("docs/recipients.md", OWN), None);
        assert_eq!(found("notes", &format!("Our recipient is {OWN}\n")), None);
        assert_eq!(found("recipients.txt", "alice@example.test\n"), None);
        assert_eq!(found("recipients.txt", "# none yet\n"), None);
        assert!(found("recipients.txt", SSH).is_some());
    }
}
