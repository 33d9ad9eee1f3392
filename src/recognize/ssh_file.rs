//! Files that are one SSH key: OpenSSH's public keys and certificates, and `PuTTY`'s private keys.
//!
//! Never here: lists of keys, which say who may get in. Serves OpenSSH's sshd(8) and `PuTTY`'s documentation.

use crate::domain::{Fact, Facts, RepoPath};

use super::ssh::{self, SshKey};
use super::{Recognized, path, putty};

/// How large a file of one public key may be.
const MOST_BYTES: usize = 64 * 1024;

/// Parts of the names of files that list the keys of people or hosts.
const LISTS: [&str; 5] = ["authorized_keys", "known_hosts", "allowed_signers", "authorized-keys", "recipients"];

/// Recognises a file of one SSH key.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(putty::MAGIC) {
        return Some(putty_key(bytes));
    }
    // The first line may be a comment; everything else begins with the name of an algorithm.
    let may_be = matches!(bytes.trim_ascii_start().first(), Some(b's' | b'e' | b'r' | b'w' | b'#'));
    if !may_be || bytes.len() > MOST_BYTES {
        return None;
    }
    public_keys(path, bytes)
}

fn putty_key(bytes: &[u8]) -> Recognized {
    match putty::read(bytes) {
        Some((facts, true, line)) => Recognized::key("putty-private-key", facts).with_clear_key(Some(line)),
        Some((facts, false, _)) => Recognized::key("putty-private-key", facts),
        None => {
            let mut found = Recognized::key("putty-private-key", Facts::new())
                .unreadable(Some(1), "it begins like PuTTY's key file and cannot be read");
            found.secret = true;
            found
        }
    }
}

fn public_keys(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let name = path::lower_name(path);
    let of_authority = is_of_authority(&name);
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut keys = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && line.first() != Some(&b'#')) {
        keys.push(ssh::public_key_line(line)?);
        // Many keys under any other name are a list of who may get in.
        if keys.len() > 1 && path::extension(path).as_deref() != Some("pub") && !of_authority {
            return None;
        }
    }
    let (first, _) = keys.first().filter(|_| !LISTS.iter().any(|list| name.contains(list)))?;
    let kind = if ssh::is_certificate(first) { "openssh-certificate" } else { "openssh-public-key" };
    let described = keys.iter().map(|(blob, comment)| {
        if ssh::is_certificate(blob) {
            ssh::certificate(blob)
        } else {
            SshKey::read(blob).map(|key| key.facts(comment))
        }
    });
    let described: Vec<_> = described.collect::<Option<_>>()?;
    let mut found = Recognized::key(
        kind,
        match <[Facts; 1]>::try_from(described) {
            Ok([only]) => only,
            Err(many) => {
                let mut facts = Facts::new();
                facts.set("count", u32::try_from(many.len()).unwrap_or(u32::MAX));
                facts.set("keys", Fact::List(many.into_iter().map(Fact::Map).collect()));
                facts
            }
        },
    );
    if of_authority && kind == "openssh-public-key" {
        found.facts.set("role", "authority");
    }
    Some(found)
}

/// Says whether a name is that of a file for `TrustedUserCAKeys` or its like: what it holds signs certificates.
fn is_of_authority(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "ca" | "cakeys" | "userca" | "hostca" | "sshca"))
        || name.contains("trustedusercakeys")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExp1WSMwUBn2VRoTWmmB6ULCZnrwp0O5uZO7sRO4req a@b\n";

    fn found(path: &str, text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new(path), text.as_bytes())
    }

    #[test]
    fn the_key_of_an_authority_is_known_by_its_path() {
        for (path, role) in
            [("ssh/user_ca.pub", Some("authority")), ("etc/ssh/ca.pub", Some("authority")), ("cat.pub", None)]
        {
            assert_eq!(found(path, KEY).unwrap().facts.text("role"), role, "{path}");
        }
        let several = found("etc/ssh/trusted-user-ca-keys.pem", &KEY.repeat(2)).unwrap();
        assert_eq!((several.facts.number("count"), several.facts.text("role")), (Some(2), Some("authority")));
        assert_eq!(found("keys", &KEY.repeat(2)), None);
    }

    #[test]
    fn a_key_is_known_again_in_a_certificate() {
        // As openssl dgst -sha256 says of the SubjectPublicKeyInfo.
        let facts = found("a.pub", KEY).unwrap().facts;
        assert_eq!(facts.text("spki_sha256"), Some("f0f1086027d8d5688b758bdbba58d10f914db6da4d6e38a9b63b72c5ab5230e5"));
    }
}
