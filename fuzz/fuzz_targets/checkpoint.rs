//! Any bytes as a signed note, a checkpoint, a proof, a tile or a verifier key never panic, and what is accepted is
//! written back as it was. Proofs of any hashes, for any sizes, end in an answer.
#![no_main]

use git_baseline::codec::{
    TileName, compose_checkpoint, compose_proof, compose_signed_note, parse_checkpoint, parse_entries, parse_hashes,
    parse_proof, parse_signed_note, tiles, verify_consistency, verify_inclusion,
};
use git_baseline::crypto::{NoteKey, check_note_text};
use git_baseline::domain::{LogHead, Sha256Digest};

/// A proof in which the bytes are put somewhere, so that what stands behind the first lines is reached too.
const PROOF: &str = "c2sp.org/tlog-proof@v1\nextra AAEC\nindex 1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    example.com/log\n2\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/log AAAAAAA=\n";

fn one_spelling(bytes: &[u8]) {
    if let Ok(note) = parse_signed_note(bytes) {
        assert_eq!(compose_signed_note(&note).expect("what was read").as_bytes(), bytes);
    }
    if let Ok(proof) = parse_proof(bytes) {
        assert_eq!(compose_proof(&proof).expect("what was read").as_bytes(), bytes);
        let _ = proof.check(b"leaf");
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    one_spelling(bytes);
    if let [at, cut, rest @ ..] = bytes {
        let (before, after) = PROOF.as_bytes().split_at(usize::from(*at) % PROOF.len());
        let after = after.get(usize::from(*cut) % 64..).unwrap_or_default();
        let proof = [before, rest, after].concat();
        one_spelling(&proof);
        one_spelling(proof.split_at(PROOF.find("example").unwrap_or(0).min(proof.len())).1);
    }
    if let Ok(entries) = parse_entries(bytes) {
        let tiles = tiles(&entries).expect("what was read");
        assert!(tiles.iter().any(|(name, tile)| name.starts_with("tile/entries/000") && tile == bytes));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(checkpoint) = parse_checkpoint(text) {
            assert_eq!(compose_checkpoint(&checkpoint).expect("what was read"), text);
        }
        if let Ok(key) = NoteKey::parse(text) {
            assert_eq!(key.to_string(), text);
        }
        if let Some(name) = TileName::parse(text) {
            assert_eq!(name.to_string(), text);
        }
    }
    if check_note_text(bytes).is_ok() {
        assert!(!bytes.starts_with(b"SSHSIG"));
    }
    let _ = parse_hashes(bytes);
    let (numbers, rest) = bytes.split_at(bytes.len().min(24));
    let [index, old, new] = [0, 8, 16].map(|at| {
        numbers.get(at..at + 8).map_or(0, |part| part.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte)))
    });
    let root = Sha256Digest::of(rest);
    let hashes: Vec<_> = rest.as_chunks::<32>().0.iter().copied().map(Sha256Digest::from_bytes).collect();
    let [old, new] = [old, new].map(|size| LogHead { root, size });
    let _ = verify_inclusion(&root, index, &new, &hashes);
    let _ = verify_consistency(&old, &new, &hashes);
});
