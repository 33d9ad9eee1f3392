//! Any text as JSON, YAML, TOML or HCL under names that say so never panics: policies, workflows, manifests, secrets.
#![no_main]

use git_baseline::domain::RepoPath;
use git_baseline::recognize::recognize;

const NAMES: [&str; 8] = [
    "a.json", "a.yaml", ".github/workflows/a.yml", "a.tf", "a.toml", ".env", "deploy/secret.enc.yaml", "kubeconfig",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in NAMES {
        recognize(&RepoPath::from(name), bytes);
    }
});
