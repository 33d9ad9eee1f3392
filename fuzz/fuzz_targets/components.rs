//! Reading any bytes as each of the lock files that are read never panics, and gives the same list twice.
#![no_main]

use git_baseline::components::read;
use git_baseline::domain::RepoPath;

const NAMES: [&str; 8] = [
    "Cargo.lock", "Cargo.toml", "package-lock.json", "package.json", "requirements.txt", "go.mod", "go.sum", ".gitmodules",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in NAMES {
        let files = [(RepoPath::from(name), bytes.to_vec())];
        assert_eq!(read(&files, &[]), read(&files, &[]));
    }
});
