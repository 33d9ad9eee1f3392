//! What readers made of the trees before: a history has thousands of trees, and next to all of their lock files twice.
//!
//! A reader is asked again only where something that it asked the tree would have another answer. Never here: a guess
//! of what a reader looks at; it is noted while it looks.

use std::collections::VecDeque;

use super::reading::Reading;
use super::tree::{Answer, Question, Tree};
use super::{Inventory, LockFile, READERS, merged, too_long};
use crate::domain::RepoPath;

/// So many readings of each reader are kept: branches that were merged take turns in a history.
const MOST_KNOWN: usize = 4;

/// What readers made of the trees before.
#[derive(Default)]
pub struct Memory {
    readers: Vec<VecDeque<Known>>,
}

/// What one reader asked, which answers it got, and what it made of them.
struct Known {
    asked: Vec<(Question, Answer)>,
    readings: Vec<Reading>,
}

impl Memory {
    /// Does what [`super::read`] does, without reading again what was read before. Files need their ids.
    pub fn read(&mut self, files: &[LockFile], gitlinks: &[(RepoPath, String)]) -> Inventory {
        let tree = Tree::new(files.iter().filter_map(LockFile::known), gitlinks).noting();
        let several = tree.several();
        self.readers.resize_with(READERS.len(), VecDeque::new);
        let mut readings = Vec::new();
        for (reader, known) in READERS.iter().zip(&mut self.readers) {
            let holds = |known: &Known| known.asked.iter().all(|(asked, was)| tree.answer(asked, &several) == *was);
            let latest = known.iter().position(holds).and_then(|at| known.remove(at)).unwrap_or_else(|| {
                let readings = reader(&tree);
                let asked = tree.take_asked().into_iter().map(|asked| {
                    let answer = tree.answer(&asked, &several);
                    (asked, answer)
                });
                Known { asked: asked.collect(), readings }
            });
            readings.extend(latest.readings.iter().cloned());
            known.push_front(latest);
            known.truncate(MOST_KNOWN);
        }
        readings.extend(too_long(files));
        merged(readings)
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::super::testing::SCRIPT_SAMPLES;
    use super::*;
    use crate::components::samples;
    use crate::domain::ObjectId;

    fn file(path: &str, text: &str, version: u8) -> LockFile {
        LockFile::new(RepoPath::from(path), Some(ObjectId::Sha1([version; 20])), text.as_bytes())
    }

    #[test]
    fn what_is_remembered_is_what_would_be_read() {
        let samples: Vec<(&str, &str)> = SCRIPT_SAMPLES.iter().chain(samples::ALL).copied().collect();
        let mut memory = Memory::default();
        let all = |left_out: usize, cut: usize| -> Vec<LockFile> {
            let kept = samples.iter().enumerate().filter(|(at, _)| *at != left_out);
            kept.map(|(at, (path, text))| {
                if at == cut { file(path, "", u8::MAX) } else { file(path, text, u8::try_from(at % 200).unwrap_or(0)) }
            })
            .collect()
        };
        let whole = all(usize::MAX, usize::MAX);
        assert_eq!(memory.read(&whole, &[]), read(&whole, &[]));
        for (at, (path, _)) in samples.iter().enumerate() {
            for files in [all(at, usize::MAX), all(usize::MAX, at), whole.clone()] {
                assert_eq!(memory.read(&files, &[]), read(&files, &[]), "{path}");
            }
        }
        let links = [(RepoPath::from("z"), "0123456789012345678901234567890123456789".to_owned())];
        assert_eq!(memory.read(&whole, &links), read(&whole, &links));
    }

    #[test]
    fn the_same_ids_are_not_read_again() {
        let mut memory = Memory::default();
        let before = memory.read(&[file("requirements.txt", "a==1\n", 1)], &[]);
        // No repository has two contents of one id: it shows that nobody looked.
        assert_eq!(memory.read(&[file("requirements.txt", "b==2\n", 1)], &[]), before);
        assert_ne!(memory.read(&[file("requirements.txt", "b==2\n", 2)], &[]), before);
    }
}
