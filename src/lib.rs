//! git-baseline keeps the configuration of health software in Git itself, signed and reproducible.
pub mod checks;
pub mod cli;
pub mod codec;
pub mod collect;
pub mod components;
pub mod crypto;
pub mod domain;
pub mod export;
pub mod jobs;
pub mod policy;
pub mod recognize;
pub mod store;
