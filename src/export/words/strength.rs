//! Which algorithms and protocols are weak, and which of two is the weaker.
//!
//! Serves NIST SP 800-131A and RFC 8996, 7568, 9142. Never here: which setting they stand in.

use std::collections::BTreeSet;

/// Parts of names that make an algorithm weak, compared between separators.
const WEAK_PARTS: [&str; 22] = [
    "3des", "anull", "arcfour", "blowfish", "cast128", "cbc", "crypt", "des", "des3", "dsa", "dss", "enull", "exp",
    "export", "group1", "low", "md2", "md4", "md5", "null", "rc2", "rc4",
];

/// Says whether an algorithm is one that nobody should offer any more.
pub(super) fn is_weak(algorithm: &str) -> bool {
    let name = algorithm.trim_start_matches(['+', '^']).to_ascii_lowercase();
    let mut parts = name.split(['-', '_', '@', '.', '/', ' ']);
    name == "ssh-rsa"
        || name.starts_with("ssh-rsa-cert")
        || ["sha1", "arcfour128", "arcfour256", "umac-64"].iter().any(|weak| name.contains(weak))
        || parts.any(|part| WEAK_PARTS.contains(&part))
}

/// Returns the weak ones of a list; an entry behind `!` or `-` takes one away.
pub(super) fn weak_ones(values: &[String]) -> BTreeSet<String> {
    let names = || values.iter().flat_map(|value| value.split([',', ':', ' '])).filter(|name| !name.is_empty());
    let barred: BTreeSet<String> =
        names().filter_map(|name| name.strip_prefix(['!', '-'])).map(str::to_ascii_lowercase).collect();
    names()
        .filter(|name| !name.starts_with(['!', '-']) && is_weak(name))
        .map(|name| name.trim_start_matches(['+', '^']).to_ascii_lowercase())
        .filter(|name| !barred.contains(name))
        .collect()
}

/// Returns how strong a signature's digest is: 0 broken, 1 weak, 2 good.
pub(super) fn digest_rank(algorithm: &str) -> u8 {
    let name = algorithm.to_ascii_lowercase();
    match () {
        () if ["md2", "md4", "md5"].iter().any(|weak| name.contains(weak)) => 0,
        () if name.contains("sha1") || name.ends_with("ssh-rsa") || name == "dsa" => 1,
        () => 2,
    }
}

/// Versions of TLS with their ancestors, weakest first.
const VERSIONS: [&str; 6] = ["sslv2", "sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"];

/// Returns a version's place among all.
pub(super) fn version_rank(name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase().replace('_', ".");
    let name = match name.as_str() {
        "tlsv1.0" | "tls1" | "tls1.0" | "tls10" | "tls1_0" | "1.0" => "tlsv1",
        "tls1.1" | "tls11" | "versiontls11" | "1.1" => "tlsv1.1",
        "tls1.2" | "tls12" | "versiontls12" | "1.2" => "tlsv1.2",
        "tls1.3" | "tls13" | "versiontls13" | "1.3" => "tlsv1.3",
        "ssl3" | "sslv3.0" => "sslv3",
        other => return VERSIONS.iter().position(|version| *version == other),
    };
    VERSIONS.iter().position(|version| *version == name)
}

/// Returns the outdated versions that a list of protocols lets in; `all` means those that programs still speak.
pub(super) fn outdated(values: &[String]) -> BTreeSet<usize> {
    let outdated_below = 4;
    let mut open = BTreeSet::new();
    for name in values.iter().flat_map(|value| value.split([' ', ','])).filter(|name| !name.is_empty()) {
        let (barred, name) = match name.strip_prefix(['-', '!']) {
            Some(name) => (true, name),
            None => (false, name.trim_start_matches('+')),
        };
        let ranks: Vec<usize> = match version_rank(name) {
            Some(rank) => vec![rank],
            None if name.eq_ignore_ascii_case("all") => vec![1, 2, 3],
            None => continue,
        };
        for rank in ranks.into_iter().filter(|rank| *rank < outdated_below) {
            if barred {
                open.remove(&rank)
            } else {
                open.insert(rank)
            };
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_algorithms_are_told_from_strong_ones_of_similar_names() {
        for weak in [
            "aes128-cbc",
            "3des-cbc",
            "hmac-md5",
            "hmac-sha1-etm@openssh.com",
            "RC4-SHA",
            "ssh-rsa",
            "diffie-hellman-group1-sha1",
            "arcfour256",
            "rc4-hmac",
            "ssh-dss",
            "EXP-DES-CBC-SHA",
        ] {
            assert!(is_weak(weak), "{weak}");
        }
        for strong in [
            "aes256-gcm@openssh.com",
            "rsa-sha2-512",
            "hmac-sha2-256-etm@openssh.com",
            "curve25519-sha256",
            "diffie-hellman-group14-sha256",
            "ecdsa-sha2-nistp256",
            "HIGH",
            "ssh-ed25519",
            "diffie-hellman-group16-sha512",
        ] {
            assert!(!is_weak(strong), "{strong}");
        }
    }

    #[test]
    fn a_protocol_that_is_barred_is_not_let_in() {
        let of = |text: &str| outdated(&[text.to_owned()]);
        assert_eq!(of("all -SSLv3 -TLSv1 -TLSv1.1"), BTreeSet::new());
        assert_eq!(of("-all +TLSv1.2"), BTreeSet::new());
        assert_eq!(of("TLSv1 TLSv1.2"), BTreeSet::from([2]));
    }
}
