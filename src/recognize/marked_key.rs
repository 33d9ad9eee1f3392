//! Keys between markers of their own: the public keys of RFC 4716, ssh.com's private keys, and trust that `GnuPG` lists.
//!
//! Never here: PEM. Serves RFC 4716 and gpg(1), `--export-ownertrust`.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::domain::{Fact, Facts, ItemClass, RepoPath};

use super::ssh::{SshKey, Wire};
use super::text::{MOST_VALUES, bounded, trimmed};
use super::{Recognized, path};

const PUBLIC: &[u8] = b"---- BEGIN SSH2 PUBLIC KEY ----";
const PRIVATE: &[u8] = b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----";

/// How large such a file may be.
const MOST_BYTES: usize = 256 * 1024;

/// Recognises a file by the line that it begins with.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match bytes.first()? {
        _ if bytes.len() > MOST_BYTES => None,
        b'-' if bytes.starts_with(PUBLIC) => ssh2_public(bytes),
        b'-' if bytes.starts_with(PRIVATE) => ssh2_private(bytes),
        b'#' | b'0'..=b'9' | b'A'..=b'F' if !path::is_about(path) => ownertrust(bytes),
        1 if bytes.starts_with(b"\x01gpg") => {
            Some(Recognized::new("openpgp-trustdb", ItemClass::AccessControl, Facts::new()))
        }
        _ => None,
    }
}

/// Returns the comment among the headers, and the decoded body.
fn body(bytes: &[u8]) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let (mut comment, mut base64, mut continued) = (String::new(), Zeroizing::new(String::new()), false);
    for line in bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).skip(1) {
        if line.starts_with(b"---- END SSH2") {
            return Some((comment, Zeroizing::new(Base64::decode_vec(&base64).ok()?)));
        }
        if continued || line.contains(&b':') {
            continued = line.ends_with(b"\\");
            if let Some(value) = line.strip_prefix(b"Comment:") {
                trimmed(value).trim_matches('"').clone_into(&mut comment);
            }
        } else {
            base64.push_str(std::str::from_utf8(line).ok()?);
        }
    }
    None
}

fn ssh2_public(bytes: &[u8]) -> Option<Recognized> {
    let (comment, blob) = body(bytes)?;
    Some(Recognized::key("openssh-public-key", SshKey::read(&blob)?.facts(&comment)))
}

fn ssh2_private(bytes: &[u8]) -> Option<Recognized> {
    let (comment, blob) = body(bytes)?;
    let mut wire = Wire(blob.strip_prefix(b"\x3f\x6f\xf9\xeb")?.get(4..)?);
    let (algorithm, cipher) = (bounded(wire.string()?), bounded(wire.string()?));
    let clear = cipher == "none";
    let mut facts = Facts::new();
    facts.set("algorithm", algorithm);
    facts.set("encrypted", !clear);
    facts.set_some("cipher", (!clear).then_some(cipher));
    facts.set_some("comment", (!comment.is_empty()).then_some(comment));
    let found = Recognized::key("ssh2-private-key", facts);
    Some(if clear { found.with_clear_key(Some(1)) } else { found })
}

/// `FINGERPRINT:LEVEL:`, one a line.
fn ownertrust(bytes: &[u8]) -> Option<Recognized> {
    const LEVELS: [(&str, &str); 5] =
        [("2", "undefined"), ("3", "never"), ("4", "marginal"), ("5", "full"), ("6", "ultimate")];
    let mut keys = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() || line.first() == Some(&b'#') {
            continue;
        }
        let (print, level) = std::str::from_utf8(line).ok()?.strip_suffix(':')?.split_once(':')?;
        let is_print = matches!(print.len(), 40 | 64) && print.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (_, level) = LEVELS.iter().find(|(number, _)| is_print && *number == level)?;
        let mut facts = Facts::new();
        facts.set("fingerprint", print);
        facts.set("trust", *level);
        keys.push(Fact::Map(facts));
    }
    keys.sort();
    keys.truncate(MOST_VALUES);
    let mut facts = Facts::new();
    let found = !keys.is_empty();
    facts.set("keys", Fact::List(keys));
    found.then(|| Recognized::new("openpgp-ownertrust", ItemClass::AccessControl, facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Option<Recognized> {
        recognize(&RepoPath::new("a"), bytes)
    }

    #[test]
    fn a_key_of_rfc_4716_is_the_key_of_openssh() {
        let text = "---- BEGIN SSH2 PUBLIC KEY ----\r\nSubject: x\\\r\n y\r\nComment: \"a: b\"\r\nAAAAC3NzaC1lZDI1NTE5AAAAIExp1WSM\r\nwUBn2VRoTWmmB6ULCZnrwp0O5uZO7sRO4req\r\n---- END SSH2 PUBLIC KEY ----\r\n";
        let found = found(text.as_bytes()).unwrap();
        assert_eq!(found.kind, "openssh-public-key");
        assert_eq!(found.facts.text("fingerprint"), Some("SHA256:8o8wgQ2u21WLK4wQ0+topvg5Z9Una+5g9Na8scBXZHo"));
        assert_eq!(found.facts.text("comment"), Some("a: b"));
    }

    #[test]
    fn a_private_key_says_whether_it_is_encrypted() {
        for (cipher, secret) in [("none", true), ("3des-cbc", false)] {
            let mut blob = b"\x3f\x6f\xf9\xeb\0\0\0\x40\0\0\0\x02if".to_vec();
            blob.extend_from_slice(
                &[&u32::try_from(cipher.len()).unwrap().to_be_bytes()[..], cipher.as_bytes(), b"\0\0"].concat(),
            );
            let body = Base64::encode_string(&blob);
            let text = format!(
                "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{body}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n"
            );
            assert_eq!(found(text.as_bytes()).map(|found| found.secret), Some(secret));
        }
    }

    #[test]
    fn trust_is_listed_by_fingerprint() {
        let text = "# List of assigned trustvalues\n772B9FD295836786B1FDA96EE7B7F9A910000C5C:6:\n";
        let found_one = found(text.as_bytes()).unwrap();
        assert_eq!(
            Fact::Map(found_one.facts).to_string(),
            "[keys=[[fingerprint=772B9FD295836786B1FDA96EE7B7F9A910000C5C, trust=ultimate]]]"
        );
        for text in
            ["# x\n", "10:20:\n", "772B9FD295836786B1FDA96EE7B7F9A910000C5C:9:\n", "---- BEGIN SSH2 PUBLIC KEY ----\n"]
        {
            assert_eq!(found(text.as_bytes()), None, "{text}");
        }
    }
}
