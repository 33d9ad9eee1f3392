//! Taking any bytes apart as a note never panics, and each block stands in it as it was.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(blocks) = git_baseline::codec::parse_note(bytes) {
        for block in blocks {
            assert!(bytes.windows(block.whole.len()).any(|part| part == block.whole));
        }
    }
});
