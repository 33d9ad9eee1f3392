//! What pipelines and images are made of: actions, included pipelines and container images.
//!
//! Each is fetched by a name and a reference. A reference that can be moved, such as a branch or a tag, pins nothing: it
//! is the component's version as written, and a gap. Never here: a registry; a variable of the runner.

mod compose;
mod dockerfile;
mod gitlab;
mod image;
mod recipe;
mod variables;
mod workflow;

use std::collections::BTreeSet;

use super::reading::Reading;
use super::tree::Tree;

/// So long may a gap be that lists references.
const LONGEST_LIST: usize = 280;

/// Reads every workflow, action, pipeline, image recipe and composition of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    [workflow::read, gitlab::read, dockerfile::read, compose::read].iter().flat_map(|reader| reader(tree)).collect()
}

/// References of one file that can be moved.
#[derive(Default)]
struct Movable {
    commits: BTreeSet<String>,
    digests: BTreeSet<String>,
}

impl Movable {
    /// Says them, in as few gaps as they fit in.
    fn report(&self, reading: &mut Reading) {
        for (what, list) in [("commit", &self.commits), ("digest", &self.digests)] {
            let start = format!("not pinned to a {what}: ");
            let mut line = String::new();
            for one in list {
                if !line.is_empty() && start.len() + line.len() + one.len() > LONGEST_LIST {
                    reading.gap(&format!("{start}{line}"));
                    line.clear();
                }
                if !line.is_empty() {
                    line.push_str(", ");
                }
                line.push_str(one);
            }
            if !line.is_empty() {
                reading.gap(&format!("{start}{line}"));
            }
        }
    }
}
