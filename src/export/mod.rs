//! Other people's formats, and the words in which differences are told.
//!
//! Pure: values in, bytes out. Never here: Git, disk, clock, or any value that a recogniser withheld.

mod summary;

pub use summary::{component_line, fact_line, item_line, summary, words};
