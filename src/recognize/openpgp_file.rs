//! Files of `OpenPGP` keys, armoured or not.
//!
//! Never here: messages and detached signatures, which are no configuration. Serves RFC 9580 §6.2 and §10.1.

use crate::domain::{Fact, Facts, RepoPath};

use super::Recognized;
use super::openpgp::{self, PgpKey};
use super::pem::Blocks;
use super::text::MOST_VALUES;

/// Recognises a keyring that is not armoured.
pub(super) fn recognize(_path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if !openpgp::may_begin(bytes) {
        return None;
    }
    openpgp::read(bytes).and_then(|keys| describe(&keys, None))
}

/// Recognises a keyring among the blocks of a file.
pub(super) fn armoured(blocks: &Blocks<'_>, bytes: &[u8]) -> Option<Recognized> {
    let (mut keys, mut line, mut unreadable) = (Vec::new(), None, None);
    for block in blocks.whole.iter().filter(|block| is_key(block.label)) {
        match openpgp::read(&block.bytes) {
            Some(found) => {
                if found.iter().any(PgpKey::is_clear) {
                    line = line.or(Some(block.line));
                }
                keys.extend(found);
            }
            None => unreadable = Some((block.label, block.line)),
        }
    }
    unreadable = unreadable.or_else(|| blocks.broken.iter().copied().find(|(label, _)| is_key(label)));
    let Some((label, at)) = unreadable else { return describe(&keys, line) };
    let private = label.contains("PRIVATE");
    let kind = if private { "openpgp-private-key" } else { "openpgp-public-key" };
    // Without a single good key only a file that is nothing but the block counts as an attempt.
    let attempt =
        || bytes.trim_ascii_start().starts_with(b"-----BEGIN PGP P").then(|| Recognized::key(kind, Facts::new()));
    let mut found = describe(&keys, line).or_else(attempt)?;
    found.secret |= private;
    Some(found.unreadable(Some(at), format!("a block {label} begins here and cannot be read")))
}

fn is_key(label: &str) -> bool {
    matches!(label, "PGP PUBLIC KEY BLOCK" | "PGP PRIVATE KEY BLOCK")
}

fn describe(keys: &[PgpKey], line: Option<u32>) -> Option<Recognized> {
    let facts = match keys {
        [] => return None,
        [only] => only.facts(),
        many => {
            let mut facts = Facts::new();
            facts.set("count", u32::try_from(many.len()).unwrap_or(u32::MAX));
            let list = many.iter().take(MOST_VALUES).map(|key| Fact::Map(key.facts()));
            facts.set("keys", Fact::List(list.collect()));
            facts
        }
    };
    let private = keys.iter().any(PgpKey::is_private);
    let found = Recognized::key(if private { "openpgp-private-key" } else { "openpgp-public-key" }, facts);
    Some(if keys.iter().any(PgpKey::is_clear) { found.with_clear_key(line) } else { found })
}
