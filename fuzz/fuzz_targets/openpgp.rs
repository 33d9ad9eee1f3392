//! Any bytes as OpenPGP packets, bare and armoured, never panic.
#![no_main]

use base64ct::{Base64, Encoding as _};
use git_baseline::domain::RepoPath;
use git_baseline::recognize::recognize;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in ["a.gpg", "trustdb.gpg", "ownertrust.txt"] {
        recognize(&RepoPath::from(name), bytes);
    }
    let text = Base64::encode_string(bytes);
    for label in ["PUBLIC", "PRIVATE"] {
        let block = format!("-----BEGIN PGP {label} KEY BLOCK-----\n\n{text}\n-----END PGP {label} KEY BLOCK-----\n");
        recognize(&RepoPath::from("a.asc"), block.as_bytes());
    }
});
