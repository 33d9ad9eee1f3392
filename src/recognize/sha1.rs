//! SHA-1, only because `OpenPGP` names its keys by it and Java checks its key stores with it; nothing is trusted for it.
//!
//! Never here: any use as a protection. Serves FIPS 180-4 §6.1.

/// Returns the SHA-1 of some parts, one after the other.
pub(super) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut message = parts.concat();
    let bits = (message.len() as u64).wrapping_mul(8);
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend_from_slice(&bits.to_be_bytes());
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in message.as_chunks::<64>().0 {
        compress(&mut state, block);
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}

#[expect(clippy::many_single_char_names, reason = "the standard names them so")]
fn compress(state: &mut [u32; 5], block: &[u8; 64]) {
    // The sixteen words that the next is made of; the oldest is replaced.
    let mut words = [0_u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for round in 0..80 {
        let now = round % 16;
        if round >= 16 {
            let mixed = words[(round + 13) % 16] ^ words[(round + 8) % 16] ^ words[(round + 2) % 16] ^ words[now];
            words[now] = mixed.rotate_left(1);
        }
        let (mixed, constant) = match round / 20 {
            0 => (b & c | !b & d, 0x5a82_7999_u32),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let sum = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(constant).wrapping_add(words[now]);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    for (word, value) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognize::text::hex;

    #[test]
    fn digests_are_those_of_the_standard() {
        for (message, expected) in [
            (&b""[..], "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        ] {
            assert_eq!(hex(&sha1(&[message])), expected);
        }
        assert_eq!(
            hex(&sha1(&[&vec![b'a'; 500_000], &vec![b'a'; 500_000]])),
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f"
        );
    }

    #[test]
    fn every_length_around_a_block_is_padded_right() {
        let digests: std::collections::BTreeSet<_> = (0..200).map(|length| sha1(&[&vec![7; length]])).collect();
        assert_eq!(digests.len(), 200);
        assert_eq!(hex(&sha1(&[&[b'a'; 55]])), "c1c8bbdc22796e28c0e15163d20899b65621d65a");
        assert_eq!(hex(&sha1(&[&[b'a'; 56]])), "c2db330f6083854c99d4b5bfb6e8f29f201be699");
        assert_eq!(hex(&sha1(&[&[b'a'; 64]])), "0098ba824b5c16427bd7a1122a5a442a25ec644d");
    }
}
