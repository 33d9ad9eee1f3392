//! Who may log in where: `pg_hba.conf` of Postgres and Apache's `.htpasswd`.
//!
//! Never here: a hash or a password; only its scheme is a fact.

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "pg-hba", class: ItemClass::AccessControl, looks: looks_hba, read: read_hba },
    Kind { name: "htpasswd", class: ItemClass::AccessControl, looks: looks_passwords, read: read_passwords },
];

const CONNECTIONS: [&str; 6] = ["local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"];
const METHODS: [&str; 14] = [
    "trust",
    "reject",
    "scram-sha-256",
    "md5",
    "password",
    "gss",
    "sspi",
    "ident",
    "peer",
    "ldap",
    "radius",
    "cert",
    "pam",
    "bsd",
];

/// Connection type, address (empty for local ones) and method of a line.
fn hba_rule(line: &str) -> Option<(&str, &str, &str)> {
    let words: Vec<&str> = line.split('#').next()?.split_whitespace().collect();
    let kind = words.first().copied().filter(|kind| CONNECTIONS.contains(kind))?;
    if kind == "local" {
        let method = words.get(3).copied().filter(|method| METHODS.contains(method))?;
        return Some((kind, "", method));
    }
    // A mask may stand apart from the address.
    let method = words.get(4..6.min(words.len()))?.iter().copied().find(|word| METHODS.contains(word))?;
    Some((kind, words.get(3)?, method))
}

fn looks_hba(file: &File<'_>) -> Likeness {
    Likeness::named_or(file.name() == "pg_hba.conf", || {
        let mut lines = file.first_lines(&['#']).peekable();
        lines.peek().is_some() && lines.all(|line| hba_rule(line).is_some())
    })
}

fn read_hba(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut lines = Vec::new();
    for (line, text) in file.lines(&['#']) {
        if text.starts_with("include") || text.starts_with('@') {
            continue;
        }
        let (kind, address, method) = hba_rule(text)?;
        let from = if address.is_empty() { "local connections".to_owned() } else { address.escape_debug().to_string() };
        match method {
            "trust" => reading.observe("pg-hba-trust", line, format!("{from} log in without a password")),
            "password" if kind != "hostssl" => {
                reading.observe("pg-hba-weak-method", line, format!("{from} send passwords in clear"));
            }
            "md5" | "password" => reading.observe("pg-hba-weak-method", line, format!("{from} log in by {method}")),
            _ => {}
        }
        lines.push(text.split('#').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "));
    }
    reading.facts.set("rules", i64::try_from(lines.len()).unwrap_or(i64::MAX));
    // The first line that matches decides, so their order is kept. A secret of RADIUS is no fact.
    let plain = lines.iter().map(|line| line.split(" radiussecrets=").next().unwrap_or_default().to_owned());
    reading.secret = lines.iter().any(|line| line.contains("radiussecrets=") || line.contains("ldapbindpasswd="));
    reading.facts.set(
        "lines",
        plain.map(|line| line.split(" ldapbindpasswd=").next().unwrap_or_default().to_owned()).collect::<Vec<_>>(),
    );
    Some(reading)
}

/// A user's scheme: its name, and whether it withstands guessing.
pub(super) fn scheme(hash: &str) -> Option<(&'static str, bool)> {
    const SCHEMES: [(&str, &str, bool); 10] = [
        ("$2y$", "bcrypt", true),
        ("$2b$", "bcrypt", true),
        ("$2a$", "bcrypt", true),
        ("$argon2", "argon2", true),
        ("$y$", "yescrypt", true),
        ("$6$", "sha512-crypt", true),
        ("$5$", "sha256-crypt", true),
        ("$apr1$", "apr1", false),
        ("$1$", "md5-crypt", false),
        ("{SHA}", "sha1", false),
    ];
    let known = SCHEMES.iter().find(|(mark, _, _)| hash.starts_with(mark)).map(|(_, name, strong)| (*name, *strong));
    let crypt = hash.len() == 13 && hash.bytes().all(|c| c.is_ascii_alphanumeric() || b"./".contains(&c));
    known.or(crypt.then_some(("crypt", false)))
}

fn user(line: &str) -> Option<(&str, &str)> {
    let (user, hash) = line.split_once(':')?;
    let plain = !user.is_empty() && user.bytes().all(|c| !c.is_ascii_whitespace() && !b"\"'{}<>=/".contains(&c));
    (plain && !hash.is_empty() && !hash.contains([' ', '\t'])).then_some((user, hash))
}

fn looks_passwords(file: &File<'_>) -> Likeness {
    Likeness::named_or(file.name().trim_start_matches('.').starts_with("htpasswd"), || {
        let mut lines = file.first_lines(&['#']).peekable();
        // `user:x:` is a line of passwd(5) or shadow(5).
        lines.peek().is_some()
            && lines.all(|line| {
                user(line).is_some_and(|(_, hash)| {
                    scheme(hash).is_some_and(|(name, _)| name != "crypt") && !hash.contains(':')
                })
            })
    })
}

fn read_passwords(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut users = Vec::new();
    let mut schemes = Facts::new();
    for (line, text) in file.lines(&['#']) {
        let (user, hash) = user(text)?;
        let (name, strong) = scheme(hash).unwrap_or(("plain", false));
        reading.secret |= name == "plain";
        if !strong {
            let message = format!("the password of {} is kept as {name}", user.escape_debug());
            reading.observe("htpasswd-weak-hash", line, message);
        }
        users.push(user);
        schemes.set(user, name);
    }
    reading.facts.set("users", users);
    reading.facts.set("schemes", schemes);
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{kind_of, rules};

    #[test]
    fn methods_are_judged_where_they_stand() {
        let text = "local all all peer\nhost a b 10.0.0.0 255.0.0.0 md5\nhostssl all all ::/0 scram-sha-256\nlocal x y trust # z\n";
        assert_eq!(rules("hba", text), [("pg-hba-weak-method", Some(2)), ("pg-hba-trust", Some(4))]);
    }

    #[test]
    fn only_schemes_that_can_be_guessed_are_told() {
        let text = "a:$2y$12$x\nb:$6$x$y\nc:$apr1$x$y\n";
        assert_eq!(rules("users", text), [("htpasswd-weak-hash", Some(3))]);
        let plain = super::super::recognize(&".htpasswd".into(), b"a:opensesame\n").unwrap();
        assert!(plain.secret && !format!("{plain:?}").contains("opensesame"));
    }

    #[test]
    fn other_lists_with_colons_are_not_taken() {
        for text in [
            "root:x:0:0:root:/root:/bin/sh\n",
            "root:$6$a$b:1:0:9:7:::\n",
            "key: value\n",
            "a:abcdefghijklm\n",
            "host alone\n",
        ] {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
