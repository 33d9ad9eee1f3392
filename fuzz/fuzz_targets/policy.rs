//! Reading any bytes as a policy never panics, and what it says of any path is one of three things.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(policy) = git_baseline::policy::Policy::parse(bytes) {
        policy.treatment(&git_baseline::domain::RepoPath::new(bytes.to_vec()));
    }
});
