//! Recognising any bytes under any name never panics; the first line is the name.
#![no_main]

use git_baseline::domain::{ItemClass, RepoPath};
use git_baseline::recognize;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, content) = bytes.split_at(at);
    let path = RepoPath::new(name.to_vec());
    recognize::recognize(&path, content);
    recognize::read_declared(&path, "any", ItemClass::Policy, content);
});
