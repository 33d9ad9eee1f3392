//! Bytes in, facts out: what kind of configuration item a file is and what it says.
//!
//! Content decides, the path only where content cannot. Each recogniser begins with a look that costs next to
//! nothing, so that ordinary files pass by untouched. Never here: the time, other files, or the value of a secret.

mod app_permissions;
mod boot_image;
mod certificate;
#[cfg(test)]
mod corpus;
mod credential_document;
mod credential_file;
mod declared;
mod der;
mod der_file;
mod derived;
mod dnssec;
mod dotenv;
mod efi;
mod embedded;
mod explain;
mod extension;
mod java_object;
mod jwk_file;
mod keystore;
mod kinds;
mod marked_key;
mod masking;
mod modular;
mod name;
mod oid;
mod openpgp;
mod openpgp_file;
mod path;
#[cfg(test)]
mod peers;
mod pem;
mod pem_file;
mod pkcs12;
mod pkcs7;
mod private_key;
mod public_key;
mod putty;
mod recipients;
mod request;
mod sealed_file;
mod secrecy;
mod secret_document;
mod settings;
mod sha1;
mod sops_lines;
mod ssh;
mod ssh_file;
mod structured;
mod text;
mod token_file;

use crate::domain::{Facts, ItemClass, Observation, RepoPath};
pub use explain::explain;
pub use kinds::{KindRow, kinds};

/// What a recogniser found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognized {
    /// The kind, named as in docs/items.md.
    pub kind: String,
    /// The class of that kind.
    pub class: ItemClass,
    /// What the file says.
    pub facts: Facts,
    /// What is wrong with the bytes whatever the time and the other files.
    pub observations: Vec<Observation>,
    /// Whether a secret stands in it in clear: then no digest of it may be kept.
    pub secret: bool,
}

/// Looks at a file and says what it is, or passes.
type Recognizer = fn(&RepoPath, &[u8]) -> Option<Recognized>;

/// The recognisers with what they read, in the order in which they are asked.
const RECOGNIZERS: &[(&str, Recognizer)] = &[
    ("DER", der_file::recognize),
    ("PEM blocks", pem_file::recognize),
    ("OpenPGP", openpgp_file::recognize),
    ("Java key stores", keystore::recognize),
    ("EFI signature lists", efi::recognize),
    ("boot images", boot_image::recognize),
    ("permissions of applications", app_permissions::recognize),
    ("SSH keys", ssh_file::recognize),
    ("JSON Web Keys", jwk_file::recognize),
    ("small key files", token_file::recognize),
    ("age recipients", recipients::recognize),
    ("marked keys", marked_key::recognize),
    ("DNSSEC keys", dnssec::recognize),
    ("encrypted files", sealed_file::recognize),
    ("secret documents", secret_document::recognize),
    ("SOPS lines", sops_lines::recognize),
    ("credential documents", credential_document::recognize),
    ("credential files", credential_file::recognize),
    ("environment files", dotenv::recognize),
    ("settings", settings::recognize),
];

/// Recognises a file by its content first and its path second.
pub fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let text = text::from_utf16(bytes).map(zeroize::Zeroizing::new);
    let bytes = text.as_ref().map_or(bytes, |text| text.as_bytes());
    embedded::add(path, bytes, RECOGNIZERS.iter().find_map(|(_, recognizer)| recognizer(path, bytes)))
}

/// Returns what a file is by its name, where it is too large to be read: silence would hide what stands in it.
pub fn recognize_unread(path: &RepoPath) -> Option<Recognized> {
    let claimed = path::claim(path).map(|(kind, class)| {
        Recognized::new(kind, class, Facts::new()).unreadable(None, "it is larger than what is looked at")
    });
    claimed.or_else(|| settings::named(path))
}

/// Reads a file that the policy declares to be of `kind`; an unreadable one is observed, not refused.
pub fn read_declared(path: &RepoPath, kind: &str, class: ItemClass, bytes: &[u8]) -> Recognized {
    settings::read_declared(path, kind, class, bytes).unwrap_or_else(|| declared::read(path, kind, class, bytes))
}

impl Recognized {
    fn new(kind: &str, class: ItemClass, facts: Facts) -> Self {
        Self { kind: kind.to_owned(), class, facts, observations: Vec::new(), secret: false }
    }

    fn key(kind: &str, facts: Facts) -> Self {
        Self::new(kind, ItemClass::Key, facts)
    }

    fn certificate(kind: &str, facts: Facts) -> Self {
        Self::new(kind, ItemClass::Certificate, facts)
    }

    /// Adds an observation.
    fn observe(mut self, rule: &'static str, line: Option<u32>, message: impl Into<String>) -> Self {
        self.observations.push(Observation { rule, line, message: message.into() });
        self
    }

    /// Says that a private key stands in it in clear.
    fn with_clear_key(mut self, line: Option<u32>) -> Self {
        self.secret = true;
        self.observe("private-key-in-clear", line, "a private key stands here without a password")
    }

    /// Says that a symmetric key stands in it in clear.
    fn with_clear_symmetric_key(mut self, line: Option<u32>) -> Self {
        self.secret = true;
        self.observe("symmetric-key-in-clear", line, "a symmetric key stands here in clear")
    }

    /// Says that what it claims to be cannot be read.
    fn unreadable(self, line: Option<u32>, message: impl Into<String>) -> Self {
        self.observe("unreadable", line, message)
    }
}
