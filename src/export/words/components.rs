//! Versions: services, interfaces, providers, base images and actions, and whether they are pinned.

use std::collections::BTreeMap;

use super::Direction::{self, Hardened, Neutral, Weakened};
use super::account::{Account, gone_and_come, values};
use crate::domain::Fact;

/// Facts that list what is fetched from elsewhere, as `name@version`, `name:tag` or `name@sha256:…`.
const FETCHED: [&str; 4] = ["base_images", "images", "uses", "image"];

pub(super) fn tell(account: &mut Account<'_>) {
    for name in FETCHED {
        tell_fetched(account, name);
    }
    for change in account.untold() {
        let name = change.name.clone();
        let what = match account.after.kind.as_str() {
            "service-declaration" if name.starts_with("services.") => "API version drift",
            "terraform-lock" if name.starts_with("providers.") => "provider version drift",
            "openapi" if name == "version" => "API version drift",
            "arm-template" | "bicep" if name.starts_with("resources.") => "API version drift",
            _ => {
                tell_address(account, &change);
                continue;
            }
        };
        let (old, new) = (values(change.before.as_ref()).concat(), values(change.after.as_ref()).concat());
        let (direction, what) = match (pin(&old), pin(&new)) {
            _ if change.before.is_none() => (Neutral, "declared"),
            _ if change.after.is_none() => (Neutral, "no longer declared"),
            (Pin::None, Pin::None) | (Pin::Tag | Pin::Digest, Pin::Tag | Pin::Digest) => (Neutral, what),
            (Pin::None, _) => (Hardened, "pinned"),
            (_, Pin::None) => (Weakened, "no longer pinned"),
        };
        if name.starts_with("services.") && change.before.is_some() && change.after.is_some() {
            let show = |fact: &Option<Fact>| fact.as_ref().map(Fact::to_string).unwrap_or_default();
            let (old, new) = (show(&change.before), show(&change.after));
            account.say(direction, format!("{}.api_version: {old} → {new}: {what}", name.escape_debug()));
            account.mark(name);
        } else {
            account.say_change(&change, direction, what);
        }
    }
}

/// An address that loses or gains encryption on its way.
fn tell_address(account: &mut Account<'_>, change: &crate::domain::FactChange) {
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    if old.is_empty() || new.is_empty() {
        return;
    }
    let clear = |list: &[String]| {
        list.iter().any(|text| {
            ["http://", "ldap://", "ftp://", "ws://", "mqtt://"].iter().any(|scheme| text.starts_with(scheme))
        })
    };
    let sealed = |list: &[String]| {
        list.iter().any(|text| {
            ["https://", "ldaps://", "sftp://", "wss://", "mqtts://"].iter().any(|scheme| text.starts_with(scheme))
        })
    };
    match (clear(&old), clear(&new)) {
        (false, true) if sealed(&old) => account.say_change(change, Weakened, "no longer encrypted on its way"),
        (true, false) if sealed(&new) => account.say_change(change, Hardened, "encrypted on its way"),
        _ => {}
    }
}

/// How firmly a version is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pin {
    None,
    Tag,
    Digest,
}

fn pin(version: &str) -> Pin {
    match version {
        "" | "latest" | "main" | "master" | "*" | "head" | "HEAD" => Pin::None,
        _ if version.starts_with("sha256:") || is_commit(version) => Pin::Digest,
        _ => Pin::Tag,
    }
}

fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Splits `name:tag@sha256:…` into what is fetched and in which version; a digest counts before a tag.
fn split(text: &str) -> (&str, &str) {
    let (name, digest) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let path_at = name.rfind('/').map_or(0, |at| at + 1);
    match name.get(path_at..).and_then(|last| last.find(':')) {
        Some(at) => {
            let (name, tag) = name.split_at(path_at + at);
            (name, digest.unwrap_or_else(|| tag.trim_start_matches(':')))
        }
        None => (name, digest.unwrap_or_default()),
    }
}

fn tell_fetched(account: &mut Account<'_>, fact: &str) {
    let Some(change) = account.change(fact) else { return };
    let (old, new) = (values(change.before.as_ref()), values(change.after.as_ref()));
    let (gone, come) = gone_and_come(&old, &new);
    if gone.is_empty() && come.is_empty() {
        return;
    }
    let mut left: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in gone {
        left.entry(split(text).0).or_default().push(text);
    }
    for text in come {
        let shown = text.escape_debug();
        if let Some(was) = left.get_mut(split(text).0).and_then(Vec::pop) {
            let (direction, what) = compare(pin(split(was).1), pin(split(text).1));
            account.say(direction, format!("{fact}: {} → {shown}: {what}", was.escape_debug()));
        } else {
            let floats = pin(split(text).1) == Pin::None && !text.starts_with("./");
            account.say(if floats { Weakened } else { Neutral }, format!("{fact}: +{shown}: added"));
        }
    }
    for text in left.into_values().flatten() {
        account.say(Neutral, format!("{fact}: -{}: removed", text.escape_debug()));
    }
    account.mark(fact);
}

fn compare(old: Pin, new: Pin) -> (Direction, &'static str) {
    match new.cmp(&old) {
        std::cmp::Ordering::Less => (Weakened, "pinned less firmly"),
        std::cmp::Ordering::Greater => (Hardened, "pinned more firmly"),
        std::cmp::Ordering::Equal => (Neutral, if new == Pin::Digest { "other content" } else { "version drift" }),
    }
}
