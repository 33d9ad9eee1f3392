//! Lists of SSH keys: `authorized_keys`, `known_hosts` and `allowed_signers`.
//!
//! Formats: sshd(8), ssh-keygen(1) ALLOWED SIGNERS. A key is its fingerprint: SHA-256 of its blob. Never here: private
//! keys, or a public key that stands alone in its file.

use base64ct::{Base64, Base64Unpadded, Encoding};
use sha2::{Digest, Sha256};

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "authorized-keys", class: ItemClass::AccessControl, looks: looks_authorized, read: read_authorized },
    Kind { name: "allowed-signers", class: ItemClass::AccessControl, looks: looks_signers, read: read_signers },
    Kind { name: "known-hosts", class: ItemClass::AccessControl, looks: looks_hosts, read: read_hosts },
];

/// One line: what stands before the key, and the key.
struct Entry<'a> {
    line: u32,
    before: Vec<&'a str>,
    key: Key,
    comment: &'a str,
}

/// What a public key's blob says.
struct Key {
    kind: String,
    bits: Option<i64>,
    fingerprint: String,
}

/// The least bits of an RSA key; more is asked by the policy.
const RSA_MIN_BITS: i64 = 2048;

/// Names of key types, as `ssh-keygen -l` prints them.
const TYPES: [(&str, &str, Option<i64>); 9] = [
    ("ssh-ed25519", "ED25519", Some(256)),
    ("ssh-rsa", "RSA", None),
    ("ssh-dss", "DSA", None),
    ("ecdsa-sha2-nistp256", "ECDSA", Some(256)),
    ("ecdsa-sha2-nistp384", "ECDSA", Some(384)),
    ("ecdsa-sha2-nistp521", "ECDSA", Some(521)),
    ("sk-ssh-ed25519@openssh.com", "ED25519-SK", Some(256)),
    ("sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", Some(256)),
    ("ssh-ed448", "ED448", Some(448)),
];

/// Reads type and blob.
fn key(name: &str, blob: &str) -> Option<Key> {
    let bytes = Base64::decode_vec(blob).or_else(|_| Base64Unpadded::decode_vec(blob)).ok()?;
    let (inner, rest) = field(&bytes)?;
    if inner != name.as_bytes() {
        return None;
    }
    // What is cut off lets nobody in. A certificate's numbers are no fields.
    if !name.contains("-cert-") {
        let mut left = rest;
        while !left.is_empty() {
            left = field(left)?.1;
        }
    }
    let (kind, bits) = match TYPES.iter().find(|(known, _, _)| *known == name) {
        Some((_, kind, bits)) => ((*kind).to_owned(), *bits),
        None => (name.strip_suffix("-cert-v01@openssh.com").unwrap_or(name).to_ascii_uppercase(), None),
    };
    let bits = match name {
        "ssh-rsa" => field(rest).and_then(|(_, rest)| field(rest)).map(|(modulus, _)| bit_length(modulus)),
        "ssh-dss" => field(rest).map(|(prime, _)| bit_length(prime)),
        _ => bits,
    };
    let fingerprint = format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(&bytes)));
    Some(Key { kind, bits, fingerprint })
}

/// A length of four bytes, and as many bytes (RFC 4251 s5).
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn bit_length(number: &[u8]) -> i64 {
    let digits = number.iter().skip_while(|byte| **byte == 0).collect::<Vec<_>>();
    let first = digits.first().map_or(0, |first| 8 - i64::from(first.leading_zeros()));
    i64::try_from(digits.len()).unwrap_or(i64::MAX / 8).saturating_sub(1).max(0) * 8 + first
}

fn is_key_type(word: &str) -> bool {
    TYPES.iter().any(|(name, _, _)| *name == word) || word.ends_with("-cert-v01@openssh.com")
}

/// No line with a key is longer.
const MAX_LINE: usize = 16 << 10;

/// Splits a line at white space outside quotation marks and reads the key in it.
fn entry(line: u32, text: &str) -> Option<Entry<'_>> {
    if text.len() > MAX_LINE {
        return None;
    }
    let mut before = Vec::new();
    let mut rest = text;
    // Markers or principals, options, type: a key's type is at most the third word.
    for _ in 0..4 {
        let (word, after) = quoted_word(rest)?;
        if is_key_type(word) {
            let (blob, comment) = quoted_word(after)?;
            return Some(Entry { line, before, key: key(word, blob)?, comment: comment.trim() });
        }
        before.push(word);
        rest = after;
    }
    None
}

fn quoted_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (mut quoted, mut escaped) = (false, false);
    let end = text.find(|c: char| {
        let ends = c.is_whitespace() && !quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        ends
    });
    let (word, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    (!word.is_empty()).then_some((word, rest))
}

/// Splits options at commas outside quotation marks, and takes the marks off.
fn options(text: &str) -> Vec<String> {
    let mut options = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => options.push(String::new()),
            c => options.iter_mut().next_back().into_iter().for_each(|option| option.push(c)),
        }
    }
    options.retain(|option| !option.is_empty());
    options
}

const OPTIONS: [&str; 23] = [
    "agent-forwarding",
    "cert-authority",
    "command",
    "environment",
    "expiry-time",
    "from",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "principals",
    "pty",
    "restrict",
    "tunnel",
    "user-rc",
    "verify-required",
    "x11-forwarding",
    "no-require-user-presence",
];

const SIGNER_OPTIONS: [&str; 4] = ["cert-authority", "namespaces", "valid-after", "valid-before"];

fn all_known(text: &str, known: &[&str]) -> bool {
    let name = |option: &String| option.split('=').next().unwrap_or_default().to_ascii_lowercase();
    options(text).iter().all(|option| known.contains(&name(option).as_str()))
}

/// The first line's entry, when there is one.
fn first<'f>(file: &'f File<'_>) -> Option<Entry<'f>> {
    // Every blob begins with a length below 2^18.
    let (line, text) = file.lines(&['#']).next().filter(|_| file.head_holds(" AAAA"))?;
    entry(line, text)
}

fn looks_authorized(file: &File<'_>) -> Likeness {
    let named = file.name().starts_with("authorized_keys") || file.is_under("authorized_keys.d");
    Likeness::named_or(named, || {
        let several = || file.lines(&['#']).nth(1).is_some();
        first(file).is_some_and(|entry| match entry.before.as_slice() {
            [] => several() && !file.has_ending("pub"),
            [options] => all_known(options, &OPTIONS),
            _ => false,
        })
    })
}

fn looks_signers(file: &File<'_>) -> Likeness {
    Likeness::named_or(file.name().trim_start_matches('.').starts_with("allowed_signers"), || {
        first(file).is_some_and(|entry| match entry.before.as_slice() {
            [principals, options] => !principals.starts_with('@') && all_known(options, &SIGNER_OPTIONS),
            [principals] => {
                principals.contains('@') && !principals.starts_with('@') && !all_known(principals, &OPTIONS)
            }
            _ => false,
        })
    })
}

fn looks_hosts(file: &File<'_>) -> Likeness {
    let named = ["known_hosts", "known_hosts2", "ssh_known_hosts", "ssh_known_hosts2"].contains(&file.name());
    Likeness::named_or(named, || {
        first(file).is_some_and(|entry| match entry.before.as_slice() {
            [marker, _] => marker.starts_with('@'),
            [hosts] => !hosts.starts_with('@') && !all_known(hosts, &OPTIONS),
            _ => false,
        })
    })
}

/// Reads all lines. In a file that is named as such a list, a line that is no key is passed over and observed, as
/// sshd passes over it; anywhere else it means that the file is something else.
fn entries<'f>(file: &'f File<'_>, looks: fn(&File<'_>) -> Likeness, reading: &mut Reading) -> Option<Vec<Entry<'f>>> {
    let mut entries = Vec::new();
    for (line, text) in file.lines(&['#']) {
        match entry(line, text) {
            Some(entry) => entries.push(entry),
            None if looks(file) == Likeness::Named => reading.observe("unreadable", line, "the line holds no key"),
            None => return None,
        }
    }
    (!entries.is_empty() || reading.observations.is_empty()).then_some(entries)
}

fn read_authorized(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut keys = Vec::new();
    let mut all_options = Facts::new();
    let root = file.path().contains("root/.ssh/") || file.path().ends_with("authorized_keys.d/root");
    let entries = entries(file, looks_authorized, &mut reading)?;
    for Entry { line, before, key, comment } in &entries {
        let mut options = before.first().map(|text| options(text)).unwrap_or_default();
        options.iter_mut().for_each(hide_value_of_variable);
        options.sort();
        let limited = options.iter().any(|option| option == "restrict" || option.starts_with("from="));
        if root && !limited {
            let message = format!("root's key {} works from anywhere without limits", key.fingerprint);
            reading.observe("authorized-keys-unrestricted-root", *line, message);
        }
        judge(key, *line, &mut reading);
        if !options.is_empty() {
            all_options.set(key.fingerprint.clone(), options);
        }
        let mut facts = describe(key);
        facts.set_some("comment", (!comment.is_empty()).then_some(*comment));
        keys.push(facts);
    }
    reading.facts.set("count", i64::try_from(keys.len()).unwrap_or(i64::MAX));
    reading.facts.set("keys", keys);
    if !all_options.is_empty() {
        reading.facts.set("options", all_options);
    }
    Some(reading)
}

/// A variable of the environment may hold a secret; its name says enough.
fn hide_value_of_variable(option: &mut String) {
    if let Some(rest) = option.strip_prefix("environment=") {
        let name = rest.split('=').next().unwrap_or_default().len();
        option.truncate("environment=".len() + name);
    }
}

fn judge(key: &Key, line: u32, reading: &mut Reading) {
    match (key.kind.as_str(), key.bits) {
        ("RSA", Some(bits)) if bits < RSA_MIN_BITS => {
            reading.observe("ssh-key-too-short", line, format!("an RSA key of {bits} bits, fewer than {RSA_MIN_BITS}"));
        }
        ("DSA", _) => reading.observe("dsa-key", line, "DSA keys are no longer to be used"),
        _ => {}
    }
}

fn describe(key: &Key) -> Facts {
    let mut facts = Facts::new();
    facts.set("type", key.kind.clone());
    facts.set_some("bits", key.bits);
    facts.set("fingerprint", key.fingerprint.clone());
    facts
}

fn read_signers(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut principals, mut fingerprints, mut signers) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries(file, looks_signers, &mut reading)? {
        let (names, limits) = match entry.before.as_slice() {
            [names] => (*names, Vec::new()),
            [names, limits] => (*names, options(limits)),
            _ => return None,
        };
        judge(&entry.key, entry.line, &mut reading);
        principals.extend(options(names));
        fingerprints.push(entry.key.fingerprint.clone());
        let mut signer = describe(&entry.key);
        signer.set("principals", options(names));
        if !limits.is_empty() {
            signer.set("options", limits);
        }
        signers.push(signer);
    }
    reading.facts.set("principals", principals);
    reading.facts.set("fingerprints", fingerprints);
    reading.facts.set("signers", signers);
    Some(reading)
}

fn read_hosts(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut hashed, mut revoked, mut authorities) = (0_i64, 0_i64, 0_i64);
    let mut keys = Vec::new();
    for entry in entries(file, looks_hosts, &mut reading)? {
        let (marker, hosts) = match entry.before.as_slice() {
            [hosts] => ("", *hosts),
            [marker, hosts] if marker.starts_with('@') => (*marker, *hosts),
            _ => return None,
        };
        revoked += i64::from(marker == "@revoked");
        authorities += i64::from(marker == "@cert-authority");
        hashed += i64::from(hosts.starts_with("|1|"));
        if marker != "@revoked" {
            judge(&entry.key, entry.line, &mut reading);
        }
        let mut facts = describe(&entry.key);
        facts.set("hosts", options(hosts));
        facts.set_some("marker", (!marker.is_empty()).then_some(marker));
        keys.push(facts);
    }
    reading.facts.set("entries", i64::try_from(keys.len()).unwrap_or(i64::MAX));
    reading.facts.set("hashed", hashed);
    reading.facts.set("revoked", revoked);
    reading.facts.set("cert_authority", authorities);
    reading.facts.set("keys", keys);
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use super::*;
    use crate::domain::Fact;

    /// A key of the RFC 8032 test vector 1, public by nature.
    fn ed25519() -> String {
        let mut blob = vec![0, 0, 0, 11];
        blob.extend(b"ssh-ed25519\0\0\0\x20");
        blob.extend([7; 32]);
        format!("ssh-ed25519 {}", Base64::encode_string(&blob))
    }

    fn rsa(bits: usize) -> String {
        let mut blob = vec![0, 0, 0, 7];
        blob.extend(b"ssh-rsa\0\0\0\x03\x01\0\x01");
        blob.extend(u32::try_from(bits / 8 + 1).unwrap().to_be_bytes());
        blob.extend(std::iter::once(0).chain(std::iter::repeat_n(0xff, bits / 8)));
        format!("ssh-rsa {}", Base64::encode_string(&blob))
    }

    #[test]
    fn options_with_quotes_and_commas_are_held_apart() {
        let text = format!("from=\"10.0.0.0/8,::1\",command=\"a, \\\"b\\\"\",restrict {} me\n", ed25519());
        assert_eq!(kind_of("after", &text), Some("authorized-keys".to_owned()));
        let facts = facts("after", &text);
        let Some(Fact::Map(options)) = facts.find("options") else { panic!("{facts:?}") };
        let (_, list) = options.iter().next().unwrap();
        assert_eq!(list.to_string(), "[command=a, \\b\\, from=10.0.0.0/8,::1, restrict]");
    }

    #[test]
    fn a_short_rsa_key_is_told_with_its_line_and_a_long_one_is_not() {
        let text = format!("{} a\n\n{} b\n", rsa(2048), rsa(1024));
        assert_eq!(rules("authorized_keys", &text), [("ssh-key-too-short", Some(3))]);
        assert_eq!(facts("authorized_keys", &text).number("count"), Some(2));
    }

    #[test]
    fn only_root_s_unlimited_keys_are_told() {
        let text = format!("{}\nrestrict {}\n", ed25519(), ed25519());
        assert_eq!(rules("root/.ssh/authorized_keys", &text), [("authorized-keys-unrestricted-root", Some(1))]);
        assert_eq!(rules("home/a/.ssh/authorized_keys", &text), []);
    }

    #[test]
    fn the_three_lists_are_told_apart_by_content() {
        let key = ed25519();
        for (text, kind) in [
            (format!("git.example.test,10.0.0.1 {key}\n"), Some("known-hosts")),
            (format!("@cert-authority * {key}\n"), Some("known-hosts")),
            (format!("a@example.test {key}\n"), Some("allowed-signers")),
            (format!("* cert-authority,namespaces=\"git\" {key}\n"), Some("allowed-signers")),
            (format!("no-pty {key}\n"), Some("authorized-keys")),
            (format!("{key} alone\n"), None),
            (format!("{key} x\nand then some prose\n"), None),
        ] {
            assert_eq!(kind_of("list", &text).as_deref(), kind, "{text}");
        }
    }

    #[test]
    fn a_type_that_is_not_the_blob_s_is_refused() {
        let text = ed25519().replace("ssh-ed25519 ", "ssh-rsa ");
        assert_eq!(rules("authorized_keys", &text), [("unreadable", None)]);
    }

    #[test]
    fn a_broken_line_is_told_and_hides_no_other() {
        let text = format!("{}\nssh-dss AAAAB3NzaC1kc3MAAACB\n", ed25519());
        assert_eq!(rules("authorized_keys", &text), [("unreadable", Some(2))]);
        assert_eq!(kind_of("list", &text), None);
    }

    #[test]
    fn the_value_of_a_variable_is_no_fact() {
        let text = format!("environment=\"TOKEN=opensesame\" {}\n", ed25519());
        let shown = format!("{:?}", facts("authorized_keys", &text));
        assert!(shown.contains("environment=TOKEN") && !shown.contains("opensesame"), "{shown}");
    }
}
