//! Reading any bytes as a policy, a register of keys, deviations or an overlay of components never panics, and what a
//! policy says of any path is one of three things.
#![no_main]

use git_baseline::policy::{ComponentOverlay, Deviation, Policy, RegisteredKey};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(policy) = Policy::parse(bytes) {
        policy.treatment(&git_baseline::domain::RepoPath::new(bytes.to_vec()));
    }
    let _ = (Deviation::parse_all(bytes), RegisteredKey::parse_all(bytes), ComponentOverlay::parse(bytes));
});
