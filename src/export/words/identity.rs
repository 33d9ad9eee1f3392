//! Whether it is still the same key or certificate, and what became of its wrapping.
//!
//! Never here: a claim that the facts cannot carry. Where a format hides its public half, that is said.

use super::Direction::{Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, maps};
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, EntryKind, Fact, Facts};

/// Facts that name a key, each comparable only with itself.
const KEY_NAMES: [&str; 5] = ["spki_sha256", "fingerprint", "thumbprint_sha256", "key_id", "recipient"];

/// Kinds whose facts say all that their bytes mean.
const COMPLETE: [&str; 26] = [
    "allowed-signers",
    "apparmor-profile",
    "authorized-keys",
    "aws-iam-policy",
    "casbin-policy",
    "cedar-policy",
    "certificate-bundle",
    "codeowners",
    "iptables-save",
    "jwks",
    "k8s-network-policy",
    "k8s-rbac",
    "known-hosts",
    "login-defs",
    "nftables",
    "openssh-public-key",
    "pg-hba",
    "pkcs7-certificates",
    "public-key-der",
    "public-key-pem",
    "pwquality",
    "selinux-config",
    "sshd-config",
    "sudoers",
    "sysctl",
    "x509-crl",
];

/// Objects of Kubernetes whose facts say all that matters, where a file holds no others.
const COMPLETE_OBJECTS: [&str; 7] =
    ["ClusterRole", "ClusterRoleBinding", "Namespace", "NetworkPolicy", "Role", "RoleBinding", "ServiceAccount"];

fn is_complete(item: &ConfigurationItem) -> bool {
    let is_known = |object: &Fact| match object {
        Fact::Text(title) => title.split('/').next().is_some_and(|kind| COMPLETE_OBJECTS.contains(&kind)),
        _ => false,
    };
    COMPLETE.contains(&item.kind.as_str()) && item.facts.list("objects").iter().all(is_known)
}

/// Says whether both name the same key; none where one of them hides it.
pub(super) fn same_key(before: &Facts, after: &Facts) -> Option<bool> {
    KEY_NAMES.iter().find_map(|name| Some(before.text(name)? == after.text(name)?))
}

pub(super) fn tell(account: &mut Account<'_>) {
    let (before, after) = (account.before, account.after);
    tell_place(account);
    tell_keys(account);
    tell_expiry(account);
    if before.git_id == after.git_id {
        tell_other(account);
    } else if let (Some(old), Some(new)) =
        (before.facts.text("fingerprint_sha256"), after.facts.text("fingerprint_sha256"))
    {
        if old == new {
            let same = before.kind == after.kind;
            account.headline(Neutral, if same { "no semantic change" } else { "re-encoded, no semantic change" });
        } else {
            let text = match (
                same_key(&before.facts, &after.facts),
                before.facts.find("issuer") == after.facts.find("issuer"),
            ) {
                (Some(true), true) => "renewed, same key",
                (Some(true), false) => "reissued by another authority, same key",
                (_, true) => "renewed, new key",
                (_, false) => "replaced: new key, another authority",
            };
            account.headline(Neutral, text);
        }
    } else if after.kind == "openssh-certificate" && before.kind == after.kind {
        tell_signed_key(account);
    } else if let (Some(old), Some(new)) = (before.facts.flag("encrypted"), after.facts.flag("encrypted")) {
        tell_private_key(account, old, new);
    } else {
        tell_other(account);
    }
}

/// Where it stands, who answers for it, what kind of entry it is.
fn tell_place(account: &mut Account<'_>) {
    let (before, after) = (account.before, account.after);
    match (before.declared, after.declared) {
        (false, true) => account.headline(Neutral, "now declared by a rule"),
        (true, false) => account.headline(Weakened, "no longer declared by any rule"),
        _ => {}
    }
    if before.owner != after.owner {
        let show = |item: &ConfigurationItem| {
            item.owner.as_deref().map_or_else(|| "(none)".to_owned(), |owner| owner.shown().to_string())
        };
        account.headline(Neutral, format!("owner {} → {}", show(before), show(after)));
    }
    if before.mode != after.mode {
        let text = match (before.mode.kind(), after.mode.kind()) {
            (EntryKind::File, EntryKind::Symlink) => "a symbolic link in place of the file".to_owned(),
            (EntryKind::Symlink, EntryKind::File) => "a file in place of the symbolic link".to_owned(),
            _ => format!("mode {} → {}", before.mode, after.mode),
        };
        account.headline(Neutral, text);
    }
}

/// Sets of keys: JWK sets, key rings, an OpenPGP key's subkeys.
fn tell_keys(account: &mut Account<'_>) {
    if !account.after.kind.starts_with("openpgp-") && account.after.kind != "jwks" {
        return;
    }
    let name = |key: &Facts| {
        let name = ["thumbprint_sha256", "fingerprint", "kid"].into_iter().find_map(|name| key.text(name));
        name.map(|name| name.shown().to_string())
    };
    for list in ["keys", "subkeys"] {
        if account.change(list).is_none() {
            continue;
        }
        let prints = |item: &ConfigurationItem| maps(&item.facts, list).filter_map(name).collect::<Vec<_>>();
        let (old, new) = (prints(account.before), prints(account.after));
        let (gone, come) = gone_and_come(&old, &new);
        for print in &come {
            account.say(Neutral, format!("{list}: +{print}: key added"));
        }
        for print in &gone {
            account.say(Neutral, format!("{list}: -{print}: key removed"));
        }
        // Where the same keys say something else, the generic line tells it.
        if !gone.is_empty() || !come.is_empty() {
            account.mark(list);
            account.mark("count");
        }
    }
}

/// OpenPGP dates, which compare as text.
fn tell_expiry(account: &mut Account<'_>) {
    let Some(change) = account.change("expires") else { return };
    let why = match (account.before.facts.text("expires"), account.after.facts.text("expires")) {
        (_, None) => "never expires",
        (Some(old), Some(new)) if new > old => "expires later",
        _ => "expires earlier",
    };
    account.say_change(&change, Neutral, why);
}

fn tell_signed_key(account: &mut Account<'_>) {
    let (before, after) = (account.before, account.after);
    if before.facts == after.facts {
        return tell_other(account);
    }
    let same_authority = before.facts.find("signing_ca") == after.facts.find("signing_ca");
    let text = match (same_key(&before.facts, &after.facts), same_authority) {
        (Some(true), true) => "signed again, same key",
        (Some(true), false) => "signed by another authority, same key",
        (_, true) => "signed again, new key",
        (_, false) => "replaced: new key, another authority",
    };
    account.headline(Neutral, text);
}

fn tell_private_key(account: &mut Account<'_>, was_encrypted: bool, is_encrypted: bool) {
    let (before, after) = (account.before, account.after);
    let same = same_key(&before.facts, &after.facts);
    match (was_encrypted, is_encrypted) {
        (true, false) => account.headline(Weakened, "decrypted in place"),
        (false, true) => account.headline(Hardened, "encrypted in place"),
        _ => {}
    }
    if was_encrypted != is_encrypted {
        for detail in ["encryption", "cipher", "kdf", "kdf_iterations"] {
            account.mark(detail);
        }
    }
    match (same, was_encrypted && is_encrypted) {
        (Some(false), _) => account.headline(Neutral, "key replaced"),
        (Some(true), true) => account.headline(Neutral, "encrypted again, same key inside"),
        (None, true) => account.headline(Neutral, "encrypted again; whether the key inside is the same cannot be seen"),
        (Some(true), false) if was_encrypted == is_encrypted => account.headline(Neutral, "re-encoded, same key"),
        (None, false) if was_encrypted == is_encrypted => {
            account.headline(Neutral, "content differs; whether the key is the same cannot be seen");
        }
        _ => {}
    }
}

fn tell_other(account: &mut Account<'_>) {
    let (before, after) = (account.before, account.after);
    let same_kind = before.kind == after.kind;
    match same_key(&before.facts, &after.facts) {
        Some(false) => return account.headline(Neutral, "key replaced"),
        Some(true) if !same_kind && before.git_id != after.git_id => {
            return account.headline(Neutral, "re-encoded, same key");
        }
        _ => {}
    }
    if !same_kind {
        let (old, new) = (before.kind.shown(), after.kind.shown());
        account.headline(Neutral, format!("another kind: {old} → {new}"));
    } else if before.facts == after.facts && !before.facts.is_empty() {
        if before.git_id == after.git_id {
            if before.declared == after.declared {
                account.headline(Neutral, "content unchanged");
            }
        } else if is_complete(after) {
            account.headline(Neutral, "no semantic change");
        } else if !super::secrets::may_have_changed(account) {
            account.headline(Neutral, "content differs, no recorded fact does");
        }
    }
}
