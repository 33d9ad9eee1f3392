//! Which names of protocols and ciphers are weak, in the spellings of OpenSSL's users.
//!
//! RFC 8996, RFC 7465, RFC 9325. Never here: a file's grammar.

/// Says whether a protocol of that name is no longer to be used.
pub(super) fn is_weak_protocol(name: &str) -> bool {
    let name = name.trim_start_matches('+').to_ascii_lowercase();
    ["sslv2", "sslv3", "tlsv1", "tlsv1.0", "tlsv1.1", "tls1", "tls1.0", "tls1.1", "dtlsv1"].contains(&name.as_str())
}

/// Returns the weak ones of a list of ciphers in OpenSSL's syntax; what is excluded with `!` or `-` is none.
pub(super) fn weak_ciphers(list: &str) -> Vec<String> {
    let parts = list.split([':', ',', ' ']).filter(|part| !part.starts_with(['!', '-']));
    let names = parts.flat_map(|part| part.split('+')).map(|name| name.trim_matches(['"', '\'']));
    let mut weak: Vec<String> =
        names.filter(|name| is_weak_cipher(name)).map(|name| name.escape_debug().to_string()).collect();
    weak.dedup();
    weak
}

fn is_weak_cipher(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let whole =
        ["LOW", "EXP", "EXPORT", "MEDIUM", "NULL", "ENULL", "ANULL", "ADH", "AECDH", "SEED", "IDEA", "MD5", "DES"];
    let parts = ["RC4", "3DES", "DES-CBC", "RC2", "NULL-", "-NULL", "EXP-", "ADH-", "AECDH-", "-MD5"];
    whole.contains(&name.as_str()) || parts.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluded_ciphers_are_not_weak() {
        assert_eq!(weak_ciphers("HIGH:!aNULL:!MD5:-RC4:ECDHE+AESGCM"), Vec::<String>::new());
        assert_eq!(weak_ciphers("ECDHE-RSA-AES128-GCM-SHA256:RC4-SHA:DES-CBC3-SHA"), ["RC4-SHA", "DES-CBC3-SHA"]);
    }

    #[test]
    fn protocols_before_tls_1_2_are_weak() {
        assert!(["SSLv3", "TLSv1", "TLSv1.0", "tlsv1.1", "+TLSv1"].iter().all(|name| is_weak_protocol(name)));
        assert!(!["TLSv1.2", "TLSv1.3", "all"].iter().any(|name| is_weak_protocol(name)));
    }
}
