//! Which algorithms of SSH are weak: broken ciphers, short or old MACs, key exchanges over SHA-1.
//!
//! Never here: where they are set. After ssh-audit and NIST SP 800-131A.

use super::Reading;
use crate::domain::Observation;

/// Observes the weak ones of a list of algorithms.
pub(super) fn judge_algorithms(
    rule: &'static str,
    value: &str,
    weak: fn(&str) -> bool,
    line: u32,
    reading: &mut Reading,
) {
    // A leading `-` takes algorithms away.
    if value.starts_with('-') {
        return;
    }
    let names = value.trim_start_matches(['+', '^']).split(',').map(str::trim);
    let found: Vec<_> = names.filter(|name| weak(name)).map(|name| name.escape_debug().to_string()).collect();
    if !found.is_empty() {
        reading.observations.push(Observation {
            rule,
            line: Some(line),
            message: format!("weak: {}", found.join(", ")),
        });
    }
}

pub(super) fn is_weak_cipher(name: &str) -> bool {
    let base = name.split('@').next().unwrap_or_default();
    base.ends_with("-cbc")
        || ["3des", "des", "arcfour", "blowfish", "cast128", "none"].iter().any(|w| base.starts_with(w))
}

pub(super) fn is_weak_mac(name: &str) -> bool {
    let marks = ["md5", "sha1", "ripemd", "-96", "umac-64"];
    name == "none" || marks.iter().any(|mark| name.contains(mark))
}

pub(super) fn is_weak_exchange(name: &str) -> bool {
    let base = name.split('@').next().unwrap_or_default();
    base.ends_with("-sha1") || base.contains("-sha1-") || base.contains("group1-")
}
