//! Any bytes as the blob of an SSH key or certificate, as OpenSSH's and PuTTY's containers, and as lists of keys, never
//! panic.
#![no_main]

use base64ct::{Base64, Encoding as _};
use git_baseline::domain::RepoPath;
use git_baseline::recognize::recognize;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in ["authorized_keys", "known_hosts", "allowed_signers", "key.ppk", "id.pub", "revoked_keys"] {
        recognize(&RepoPath::from(name), bytes);
    }
    let blob = Base64::encode_string(bytes);
    for kind in ["ssh-ed25519", "ssh-rsa", "ssh-ed25519-cert-v01@openssh.com"] {
        recognize(&RepoPath::from("id.pub"), format!("{kind} {blob} a@b\n").as_bytes());
    }
    let mut held = b"openssh-key-v1\0".to_vec();
    held.extend_from_slice(bytes);
    let text = Base64::encode_string(&held);
    let block = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n");
    recognize(&RepoPath::from("id"), block.as_bytes());
});
