//! What the tests stand on: a throw-away machine, repositories on it, and what a run of a program said.

#[path = "../../covered/mod.rs"]
mod covered;
mod log;
mod place;
mod ran;
mod repo;

pub(crate) use log::{append_to_log, cover, log_files, rewrite_log, write_tree};
pub(crate) use place::{Place, copy_folder, make_executable, make_private, snapshot};
pub(crate) use ran::Ran;
pub(crate) use repo::{Repo, run};

/// The moment at which every test takes place: 2026-06-01.
pub(crate) const NOW: &str = "1780272000";

/// A certificate for `gw.example`, valid until January 2027.
pub(crate) const CERTIFICATE: &str = include_str!("pki/gateway-2026.pem");
/// Its successor, with a second name, valid until April 2027.
pub(crate) const RENEWED: &str = include_str!("pki/gateway-2027.pem");
/// One that expired in January 2025.
pub(crate) const EXPIRED: &str = include_str!("pki/expired.pem");
