//! Documents that hold secrets: who can open them, and that a withheld value may be another.
//!
//! No digest of a clear secret is kept, so nobody can say that one changed; that is said instead. Never here: values.

use std::collections::BTreeSet;

use super::Direction::{Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, values};
use crate::domain::Show as _;
use crate::domain::{Fact, Facts};

/// What a recogniser writes in place of a secret.
const WITHHELD: &str = "(withheld)";

/// Kinds whose content is a secret in whole or in part.
const HOLDERS: [&str; 15] = [
    "age-encrypted",
    "ansible-vault",
    "dns-tsig-key",
    "dotenv",
    "git-crypt",
    "htpasswd",
    "jks-keystore",
    "jwk",
    "k8s-secret",
    "passwords",
    "pkcs12-keystore",
    "sealed-secret",
    "secret-document",
    "sops-file",
    "wireguard-config",
];

pub(super) fn tell(account: &mut Account<'_>) {
    for name in ["recipients", "recipient_types"] {
        let Some(change) = account.change(name) else { continue };
        if matches!((&change.before, &change.after), (Some(Fact::Number(_)), _) | (_, Some(Fact::Number(_)))) {
            account.say_change(&change, Neutral, "number of those who can read it");
            continue;
        }
        let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
        let (gone, come) = gone_and_come(&old, &new);
        for recipient in come {
            account.say(Weakened, format!("{name}: +{}: recipient added, can read it", recipient.shown()));
        }
        for recipient in gone {
            account
                .say(Hardened, format!("{name}: -{}: recipient removed, can read earlier versions", recipient.shown()));
        }
        account.mark(name);
    }
    tell_cover(account);
    if account.before.git_id == account.after.git_id {
        return;
    }
    let mut names = Vec::new();
    withheld("", &account.before.facts, &account.after.facts, &mut names);
    if !names.is_empty() {
        account.say(Neutral, format!("{}: redacted, may have changed", names.join(", ")));
    }
}

/// Values that were encrypted and are no longer, and the other way round.
fn tell_cover(account: &mut Account<'_>) {
    let (Some(_), Some(plain)) = (account.before.facts.find("plain_keys"), account.change("plain_keys")) else {
        return;
    };
    let list = |facts: &Facts, name: &str| values(facts.find(name)).into_iter().collect::<BTreeSet<_>>();
    let (was, is) = (list(&account.before.facts, "encrypted_keys"), list(&account.after.facts, "encrypted_keys"));
    let (old, new) = (values(plain.before.as_ref()), values(plain.after.as_ref()));
    let (gone, come) = gone_and_come(&old, &new);
    for name in come {
        if was.contains(name) {
            account.say(Weakened, format!("{}: decrypted, now in clear", name.shown()));
        }
    }
    for name in gone {
        if is.contains(name) {
            account.say(Hardened, format!("{}: encrypted, was in clear", name.shown()));
        }
    }
}

/// Says that a holder of secrets may hold others, when all that is known of it is the same; or passes.
pub(super) fn may_have_changed(account: &mut Account<'_>) -> bool {
    let holds = account.is_one_of(&HOLDERS) && account.only_bytes_differ();
    if holds {
        account.headline(Neutral, "a secret value may have changed (redacted), no recorded fact did");
    }
    holds
}

/// Collects the names whose value is withheld on both sides.
fn withheld(prefix: &str, before: &Facts, after: &Facts, names: &mut Vec<String>) {
    for (name, old) in before.iter() {
        let full = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        match (old, after.find(name)) {
            (Fact::Map(old), Some(Fact::Map(new))) => withheld(&full, old, new, names),
            (Fact::Text(old), Some(Fact::Text(new))) if old == WITHHELD && new == WITHHELD => {
                names.push(full.shown().to_string());
            }
            _ => {}
        }
    }
}
