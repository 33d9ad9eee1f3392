//! git-baseline keeps the configuration of health software in Git itself, signed and reproducible.
pub mod collect;
pub mod components;
pub mod domain;
pub mod recognize;
