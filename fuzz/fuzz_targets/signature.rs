//! Reading any bytes as an armoured signature never panics, and what is accepted has one spelling.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(signature) = git_baseline::crypto::Signature::parse_armor(bytes) {
        assert_eq!(signature.to_armor().as_bytes(), bytes);
    }
});
