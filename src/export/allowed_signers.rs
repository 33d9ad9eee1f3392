//! An `allowed_signers` file of OpenSSH: who may check a release's sign-offs with `ssh-keygen -Y verify` alone.
//!
//! Never here: a pattern. OpenSSH reads names as patterns, so only ids that cannot be one are written; all else is
//! left out, visibly. What `ssh-keygen` does not check is said at the top.

/// Returns the file. Each signer is person id, printed name, public key in OpenSSH's own form, and namespace.
#[must_use]
pub fn allowed_signers(release_name: &str, signers: &[(&str, &str, &str, &str)]) -> String {
    let mut file = format!(
        "# Keys whose sign-offs count for release {}, and for no other.\n\
         # Names are ids and no patterns. ssh-keygen checks one signature by one key. It does NOT check:\n\
         # - how many signers a role needs, or whether they are different persons\n\
         # - that the log holds the release, and that nothing was left out or put in its place\n\
         # - whether a key was revoked, or when a signature was made\n\
         # \"git-baseline verify\" checks these.\n",
        comment(release_name)
    );
    for (id, printed_name, key, namespace) in signers {
        let name = comment(printed_name);
        let line = line(id, key, namespace)
            .unwrap_or_else(|| "# left out: its id, key or namespace is not written as this file needs it".to_owned());
        file.extend(["# ", name.as_str(), "\n", line.as_str(), "\n"]);
    }
    file
}

fn line(id: &str, key: &str, namespace: &str) -> Option<String> {
    let is_id = id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) && is_plain(id, b"._-");
    let mut words = key.split_ascii_whitespace();
    let (kind, key) = (words.next()?, words.next()?);
    let is_key = is_plain(kind, b"@.-") && key.bytes().all(|c| c.is_ascii_alphanumeric() || b"+/=".contains(&c));
    (is_id && is_key && !namespace.is_empty() && is_plain(namespace, b"._-@"))
        .then(|| format!("{id} namespaces=\"{namespace}\" {kind} {key}"))
}

fn is_plain(text: &str, also: &[u8]) -> bool {
    text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(&c))
}

/// Text that cannot end its line.
fn comment(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBYlpHgxMPBDYOe8zC1ZLxCmJKuk1rzIq7rMPYT3Ck1y her@laptop";

    #[test]
    fn a_signer_is_one_line_without_the_keys_own_comment() {
        let file = allowed_signers("2.4.0", &[("mara", "Mara Holt", KEY, "git-baseline.signoff")]);
        let expected = "mara namespaces=\"git-baseline.signoff\" ssh-ed25519 \
            AAAAC3NzaC1lZDI1NTE5AAAAIBYlpHgxMPBDYOe8zC1ZLxCmJKuk1rzIq7rMPYT3Ck1y";
        assert_eq!(file.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>(), [expected]);
        assert!(file.starts_with("# Keys whose sign-offs count for release 2.4.0,"));
        assert!(file.contains("# Mara Holt\n"));
    }

    #[test]
    fn nothing_can_act_as_a_pattern_an_option_or_a_second_line() {
        let hostile = [
            ("*", "x", KEY, "n"),
            ("mara,*", "x", KEY, "n"),
            ("!mara", "x", KEY, "n"),
            ("", "x", KEY, "n"),
            ("ma ra", "x", KEY, "n"),
            ("mara", "x", "ssh-ed25519", "n"),
            ("mara", "x", "cert-authority=\"\" AAAA", "n"),
            ("mara", "x", KEY, "*"),
            ("mara", "x", KEY, "n\",cert-authority=\""),
            ("mara", "x\n* ssh-ed25519 AAAA", "", "n"),
        ];
        let file = allowed_signers("1\n* ssh-ed25519 AAAA", &hostile);
        assert!(file.lines().all(|line| line.starts_with('#')), "{file}");
        assert_eq!(file.matches("# left out").count(), hostile.len());
    }
}
