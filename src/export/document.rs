//! What JSON documents share: one way to write them, and serial numbers that follow from what they describe.
//!
//! Never here: a random number or a clock.

use serde::Serialize;

use super::Subject;
use crate::domain::{Component, Digest, Manifest, ObjectId, Sha256Digest};

/// Returns the document as text that people can read, which ends with a line feed.
#[expect(clippy::expect_used, reason = "writing plain structs of text and numbers to memory cannot fail")]
pub(super) fn pretty(document: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(document).expect("a document of text and numbers");
    bytes.push(b'\n');
    bytes
}

/// Returns a UUID of version 8 (RFC 9562 §5.8): 122 bits of a digest over the text, so that two documents have one
/// serial number only when they describe the same.
pub(super) fn uuid(text: &str) -> String {
    let hex = Sha256Digest::of(text.as_bytes()).to_string();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    // The variant's two bits are `10`, which leaves two bits of the digit to the digest.
    let variant = match part(16, 17).as_bytes().first().map_or(0, |digit| digit % 4) {
        0 => '8',
        1 => '9',
        2 => 'a',
        _ => 'b',
    };
    format!("{}-{}-8{}-{variant}{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// Returns text on one line: what moves a cursor or ends a line is escaped.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Returns the product's name; a repository without a policy gives none, and most formats want one.
pub(super) fn name<'a>(subject: &Subject<'a>) -> &'a str {
    if subject.name.is_empty() { "unnamed product" } else { subject.name }
}

/// Returns what a document about the subject is called.
pub(super) fn title(subject: &Subject<'_>) -> String {
    format!("{} {}", name(subject), subject.version).trim_end().to_owned()
}

/// Returns what tells which content the document speaks of; nothing that is empty.
pub(super) fn origin(
    subject: &Subject<'_>,
    manifest: &Manifest,
    manifest_digest: &Digest,
) -> Vec<(&'static str, String)> {
    let mut origin = vec![("document-id", subject.document_id.to_owned())];
    origin.extend(subject.commit.map(|commit| ("commit", commit.to_string())));
    origin.push(("manifest-blake3", manifest_digest.to_string()));
    origin.push(("source-tree-blake3", manifest.source_tree.digest.to_string()));
    origin.push(("ruleset", manifest.ruleset.to_string()));
    origin.retain(|(_, value)| !value.is_empty());
    origin
}

/// Returns names and values as the lines of a comment; nothing where there are none.
pub(super) fn lines<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let lines: Vec<String> = pairs.map(|(name, value)| format!("git-baseline:{name}={}", one_line(value))).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Returns the files that name a component, as one sentence.
pub(super) fn places(component: &Component) -> Option<String> {
    let places: Vec<String> = component.found_in.iter().map(ToString::to_string).collect();
    (!places.is_empty()).then(|| format!("Found in: {}", places.join("; ")))
}

/// Returns a commit's id as an address of Git's own objects.
pub(super) fn gitoid(commit: &ObjectId) -> String {
    let hex = commit.to_string();
    let algorithm = if hex.len() == 64 { "sha256" } else { "sha1" };
    format!("gitoid:commit:{algorithm}:{hex}")
}
