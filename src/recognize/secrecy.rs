//! Which names announce a secret, and which values are none: empty ones, references, encrypted ones.
//!
//! Never here: a guess from the value's randomness. A value that is withheld is shown as [`WITHHELD`].

/// What stands in a fact instead of a secret.
pub(super) const WITHHELD: &str = "(withheld)";

/// Words that announce a secret.
const SECRET: &[&str] = &[
    "apikey",
    "authkey",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pin",
    "private",
    "privatekey",
    "psk",
    "pwd",
    "secret",
    "secretkey",
    "secrets",
    "token",
    "tokens",
];

/// Words that announce a secret when "key" or "keys" stands behind them.
const KEYS: &[&str] =
    &["access", "account", "api", "auth", "encryption", "hmac", "master", "session", "shared", "signing"];

/// Words that make of a secret's name the name of a rule about it, or of its place.
const ABOUT: &[&str] = &[
    "age",
    "algorithm",
    "allowed",
    "attempts",
    "class",
    "complexity",
    "count",
    "days",
    "enabled",
    "endpoint",
    "expire",
    "expires",
    "expiry",
    "field",
    "file",
    "format",
    "history",
    "id",
    "issuer",
    "kind",
    "length",
    "lifetime",
    "max",
    "maximum",
    "min",
    "minimum",
    "mode",
    "name",
    "namespace",
    "path",
    "policy",
    "ref",
    "required",
    "reuse",
    "rotation",
    "rounds",
    "scope",
    "store",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
    "validity",
    "version",
];

/// What is said of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nothing of secrets.
    Open,
    /// A secret.
    Secret,
    /// A rule about a secret, or its place.
    About,
}

/// Judges a name such as `DB_PASSWORD`, `clientSecret` or `password-min-length`.
pub(super) fn judge(name: &str) -> Named {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.binary_search(&word.as_str()).is_ok());
    let keyed = words.windows(2).any(|pair| match pair {
        [kind, key] => (key == "key" || key == "keys") && KEYS.binary_search(&kind.as_str()).is_ok(),
        _ => false,
    });
    let ends_as_key = words.len() > 1 && words.last().is_some_and(|last| last == "key") && !has(&["public"]);
    match (has(SECRET) || keyed, has(ABOUT)) {
        (true, true) => Named::About,
        (true, false) => Named::Secret,
        (false, _) if ends_as_key && name.chars().all(|c| !c.is_ascii_lowercase()) => Named::Secret,
        (false, _) => Named::Open,
    }
}

/// Says whether a value cannot be a secret: empty, a reference to where it stands, or already encrypted.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']).trim();
    let refers =
        ["${", "$(", "{{", "<", "%{", "ENC[", "$ANSIBLE_VAULT", "vault:", "file:", "env:", "arn:", "ref+", "op://"];
    let named = ["changeme", "change-me", "change_me", "example", "null", "none", "redacted", "xxx", "todo", "***"];
    let lower = value.to_ascii_lowercase();
    let variable =
        value.strip_prefix('$').is_some_and(|name| name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
    value.is_empty()
        || variable
        || refers.iter().any(|start| value.starts_with(start))
        || named.contains(&lower.trim_matches(['<', '>', '*', '_']))
        || value.bytes().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.'))
}

/// Says whether a value has the shape of a token that a service hands out.
pub(super) fn is_token(value: &str) -> bool {
    const BEGINNINGS: [&str; 14] = [
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "sk_live_",
        "rk_live_",
        "xoxb-",
        "xoxp-",
        "AKIA",
        "ASIA",
        "AIza",
        "npm_",
        "pypi-",
    ];
    let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let jwt = value.starts_with("eyJ") && value.bytes().filter(|byte| *byte == b'.').count() == 2 && value.len() > 40;
    jwt || plain && value.len() >= 20 && BEGINNINGS.iter().any(|beginning| value.starts_with(beginning))
        || value.contains("PRIVATE KEY-----")
}

/// Says whether an address carries a password, as `postgres://user:password@host` does.
pub(super) fn has_credentials(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    password.is_some_and(|password| !is_placeholder(password))
}

/// Splits a name at everything that is no letter, and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for character in name.chars().take(256) {
        let begins = character.is_ascii_uppercase() && small;
        if (begins || !character.is_ascii_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_ascii_alphanumeric()) {
            word.push(character.to_ascii_lowercase());
        }
        small = character.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_can_be_searched() {
        assert!(SECRET.is_sorted() && KEYS.is_sorted() && ABOUT.is_sorted());
    }

    #[test]
    fn names_announce_secrets_or_rules_about_them() {
        for name in
            ["DB_PASSWORD", "clientSecret", "api-key", "apiKey", "AUTH_TOKEN", "private_key", "STRIPE_KEY", "pwd"]
        {
            assert_eq!(judge(name), Named::Secret, "{name}");
        }
        for name in ["password_min_length", "tokenTtl", "secretName", "PASSWORD_FILE", "token_url"] {
            assert_eq!(judge(name), Named::About, "{name}");
        }
        for name in ["PUBLIC_URL", "host", "tokenizer", "public_key", "keyboard", "monkey", "primary_key"] {
            assert_eq!(judge(name), Named::Open, "{name}");
        }
    }

    #[test]
    fn references_are_no_secrets() {
        for value in
            ["", "\"\"", "${DB}", "$DB", "{{ vault }}", "<password>", "ENC[AES256]", "changeme", "****", "xxxx"]
        {
            assert!(is_placeholder(value), "{value}");
        }
        for value in ["hunter2", "pa$$word", "a1b2", "test-only"] {
            assert!(!is_placeholder(value), "{value}");
        }
    }

    #[test]
    fn passwords_in_addresses_are_seen() {
        assert!(has_credentials("postgres://app:hunter2@db.test/app"));
        for value in ["https://a.test/x:y@z", "postgres://app@db.test", "postgres://app:${PW}@db", "a:b@c"] {
            assert!(!has_credentials(value), "{value}");
        }
    }
}
