//! Placeholder head, written next.
mod source;
pub use source::{Content, Entry, HELD_AT_MOST, Source};
