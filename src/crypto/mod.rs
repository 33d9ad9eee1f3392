//! Keys, SSH signatures, signatures under checkpoints, and who may be believed on the strength of them. Pure: bytes in, verdicts out.
//!
//! Whoever holds an [`Attested`] knows who signed it; whoever holds a [`Verified`] knows that enough distinct persons
//! did. Neither can be made outside this module. Never here: files, agents, randomness (the rim brings them), or
//! the records' CBOR (`codec`). Serves contract §2 (sign-offs) and §3.3; format: docs/format.md §7.

mod attest;
mod envelope;
mod key;
mod note;
mod pkcs;
mod private_key;
mod root;
mod signature;
#[cfg(test)]
mod testing;
mod threshold;
mod wire;

pub use attest::{Attested, Authority, attest};
pub use key::{check_key, fingerprint, is_plain, openssh_line, parse_public_key};
pub use note::{
    NoteKey, NoteKeyType, check_note_text, cosign, note_signature_of, sign_checkpoint, verify_cosignature, verify_note,
};
pub use private_key::{KeyError, PrivateKey, Signer, SigningError};
pub use root::RootDefect;
pub use signature::{Signature, SignatureDefect, signed_data};
pub use threshold::{
    Demand, NotCounted, RootSignature, Shortfall, Verified, Witnessed, first_root, logged, may_have_logged, next_root,
    vouched, witnessed,
};

/// The namespace that sign-offs are signed in.
pub const SIGN_OFF_NAMESPACE: &str = "git-baseline.signoff";
/// The namespace that trust roots are signed in.
pub const ROOT_NAMESPACE: &str = "git-baseline.root";
