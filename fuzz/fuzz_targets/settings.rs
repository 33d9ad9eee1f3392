//! Any text as the settings of each program never panics; the first byte picks the program.
#![no_main]

use git_baseline::domain::{ItemClass, RepoPath};
use git_baseline::recognize::{kinds, read_declared};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    let kinds = kinds();
    for offset in 0..4 {
        let kind = &kinds[(usize::from(*first) * 4 + offset) % kinds.len()];
        read_declared(&RepoPath::from("a"), kind.name, ItemClass::Hardening, text);
    }
});
