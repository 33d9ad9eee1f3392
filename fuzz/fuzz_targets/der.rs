//! Any bytes as DER, bare and inside every kind of PEM block, never panic: certificates, requests, lists, keys, stores.
#![no_main]

use base64ct::{Base64, Encoding as _};
use git_baseline::domain::RepoPath;
use git_baseline::recognize::recognize;

const LABELS: [&str; 9] = [
    "CERTIFICATE", "CERTIFICATE REQUEST", "X509 CRL", "PKCS7", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY",
    "EC PRIVATE KEY", "PUBLIC KEY",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in ["a.der", "a.p12", "a.jks", "a.esl"] {
        recognize(&RepoPath::from(name), bytes);
    }
    let text = Base64::encode_string(bytes);
    let first = usize::from(bytes.first().copied().unwrap_or_default());
    let label = LABELS[first % LABELS.len()];
    recognize(&RepoPath::from("a.pem"), format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").as_bytes());
});
