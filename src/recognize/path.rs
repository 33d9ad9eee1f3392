//! What a path says of a file, for where its content cannot: claims of key material, and text about key material.
//!
//! Never here: a decision against the content.

use std::borrow::Cow;

use crate::domain::{ItemClass, RepoPath};

/// Extensions of files that claim to be key material, with the kind that they claim.
const CLAIMS: &[(&str, &str, ItemClass)] = &[
    ("pem", "x509-certificate", ItemClass::Certificate),
    ("crt", "x509-certificate", ItemClass::Certificate),
    ("cer", "x509-certificate", ItemClass::Certificate),
    ("cert", "x509-certificate", ItemClass::Certificate),
    ("der", "x509-certificate-der", ItemClass::Certificate),
    ("csr", "x509-csr", ItemClass::Certificate),
    ("crl", "x509-crl", ItemClass::Certificate),
    ("p7b", "pkcs7-certificates", ItemClass::Certificate),
    ("p7c", "pkcs7-certificates", ItemClass::Certificate),
    ("key", "private-key-pem", ItemClass::Key),
    ("p8", "private-key-der", ItemClass::Key),
    ("pk8", "private-key-der", ItemClass::Key),
    ("p12", "pkcs12-keystore", ItemClass::Key),
    ("pfx", "pkcs12-keystore", ItemClass::Key),
    ("jks", "jks-keystore", ItemClass::Key),
    ("ppk", "putty-private-key", ItemClass::Key),
];

/// Extensions of program text and documents, which quote key material more often than they are it.
const ABOUT: &[&str] = &[
    "adoc", "asciidoc", "asm", "bash", "bat", "c", "cc", "cjs", "clj", "cmd", "cpp", "cs", "css", "cxx", "dart",
    "diff", "el", "erl", "ex", "exs", "fish", "fs", "go", "groovy", "h", "hh", "hpp", "hrl", "hs", "htm", "html",
    "ipynb", "java", "jl", "js", "jsx", "kt", "kts", "less", "lisp", "lua", "m", "markdown", "md", "mdx", "mjs", "ml",
    "mli", "mm", "nim", "pas", "patch", "php", "pl", "pm", "po", "proto", "ps1", "py", "pyi", "r", "rb", "rs", "rst",
    "scala", "scss", "sh", "snap", "sql", "svelte", "swift", "t", "tcl", "tex", "ts", "tsx", "vb", "vim", "vue",
    "xhtml", "zig", "zsh",
];

/// Returns the kind of key material that the path claims.
pub(super) fn claim(path: &RepoPath) -> Option<(&'static str, ItemClass)> {
    let name = lower_name(path);
    let is_ssh = ["id_rsa", "id_ed25519", "id_ecdsa", "id_dsa"].contains(&name.as_ref());
    if is_ssh || name.starts_with("ssh_host_") && name.ends_with("_key") {
        return Some(("openssh-private-key", ItemClass::Key));
    }
    let extension = extension(path)?;
    CLAIMS.iter().find(|(claim, ..)| *claim == extension).map(|(_, kind, class)| (*kind, *class))
}

/// Says whether the path names program text or a document.
pub(super) fn is_about(path: &RepoPath) -> bool {
    extension(path).is_some_and(|extension| ABOUT.binary_search(&extension.as_ref()).is_ok())
}

/// Returns the file's name in lower case.
pub(super) fn lower_name(path: &RepoPath) -> Cow<'_, str> {
    lower(path.file_name())
}

/// Returns the extension in lower case.
pub(super) fn extension(path: &RepoPath) -> Option<Cow<'_, str>> {
    let name = path.file_name();
    memchr::memrchr(b'.', name).map(|dot| lower(name.get(dot + 1..).unwrap_or_default()))
}

/// Most names need no copy, and this is asked of every file of a tree many times.
fn lower(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(name) if !name.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Borrowed(name),
        _ => Cow::Owned(String::from_utf8_lossy(name).to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_text_can_be_searched() {
        assert!(ABOUT.is_sorted());
    }

    #[test]
    fn extensions_are_read_whatever_their_case() {
        let path = |text: &str| RepoPath::new(text);
        assert_eq!(claim(&path("pki/Server.CRT")).map(|(kind, _)| kind), Some("x509-certificate"));
        assert_eq!(claim(&path("pki/server")), None);
        assert_eq!(claim(&path("etc/ssh/ssh_host_rsa_key")).map(|(kind, _)| kind), Some("openssh-private-key"));
        assert!(is_about(&path("docs/TLS.md")) && !is_about(&path("tls.pem")));
    }
}
