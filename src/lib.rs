//! git-baseline keeps the configuration of health software in Git itself, signed and reproducible.
pub mod checks;
pub mod codec;
pub mod collect;
pub mod components;
pub mod domain;
pub mod export;
pub mod policy;
pub mod recognize;
