//! Patterns as in `.gitignore`, from the root of the repository, matched by Git's own rules.
//!
//! Never here: reading `.gitignore` itself, which has no say in what is controlled.

use gix_glob::pattern::Case;
use gix_glob::wildmatch::Mode;

use crate::domain::RepoPath;

/// One pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern(gix_glob::Pattern);

impl Pattern {
    /// Returns nothing for an empty pattern or a comment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        gix_glob::Pattern::from_bytes(text.as_bytes()).map(Self)
    }

    /// Says whether the pattern takes back what an earlier one matched.
    pub(super) fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// Says whether the pattern matches the file or a folder that it stands in.
    pub(super) fn matches(&self, path: &RepoPath) -> bool {
        let bytes = path.as_bytes();
        let folders = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').filter_map(|(at, _)| bytes.get(..at));
        self.matches_entry(bytes, false) || folders.into_iter().any(|folder| self.matches_entry(folder, true))
    }

    fn matches_entry(&self, path: &[u8], is_folder: bool) -> bool {
        let name = path.iter().rposition(|byte| *byte == b'/').map(|at| at + 1);
        let mode = Mode::NO_MATCH_SLASH_LITERAL;
        self.0.matches_repo_relative_path(path.into(), name, Some(is_folder), Case::Sensitive, mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_gitignore() {
        for (pattern, path, expected) in [
            ("*.pem", "a/b/c.pem", true),
            ("/*.pem", "a/c.pem", false),
            ("config/", "config/tls/a", true),
            ("config/", "x/config/a", true),
            ("/config/", "x/config/a", false),
            ("config/*", "config/tls/a", true),
            ("config/**/*.pem", "config/a.pem", true),
            ("config/*.pem", "config/tls/a.pem", false),
            ("a?b", "a/b", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(&path.into()), expected, "{pattern} {path}");
        }
    }
}
