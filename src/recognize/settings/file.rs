//! A file under examination: its path in small letters and its content as text, whatever the encoding.
//!
//! Never here: what a file means. Text is UTF-8 or else Latin-1, so reading never fails; a NUL byte makes it binary.

use std::borrow::Cow;

use crate::domain::RepoPath;

/// Settings are written by people: what is larger is something else.
pub(super) const MAX_BYTES: usize = 2 << 20;

/// How much of a file is looked at before its kind is known.
const HEAD: usize = 8 << 10;

/// One file.
pub(super) struct File<'a> {
    path: String,
    text: Cow<'a, str>,
}

impl<'a> File<'a> {
    /// Returns the file as text; none when it is binary, empty or too large for settings.
    pub(super) fn open(path: &RepoPath, bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.is_empty() || bytes.len() > MAX_BYTES || memchr::memchr(0, bytes).is_some() {
            return None;
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
        };
        Some(Self { path: String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase(), text })
    }

    /// Returns a file of that path without content.
    pub(super) fn empty(path: &RepoPath) -> File<'static> {
        File { path: String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase(), text: Cow::Borrowed("") }
    }

    /// Returns the path in small letters.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the last name of the path in small letters.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Says whether one of the folders of the path has that name.
    pub(super) fn is_under(&self, folder: &str) -> bool {
        let folders = self.path.rsplit_once('/').map_or("", |(folders, _)| folders);
        folders.split('/').any(|name| name == folder)
    }

    /// Says whether the name ends so, after a dot.
    pub(super) fn has_ending(&self, ending: &str) -> bool {
        self.name().rsplit_once('.').is_some_and(|(_, last)| last == ending)
    }

    /// Returns the content.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the beginning of the content, enough to tell most kinds.
    pub(super) fn head(&self) -> &str {
        let mut end = HEAD.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.get(..end).unwrap_or_default()
    }

    /// Says whether the beginning holds that text.
    pub(super) fn head_holds(&self, text: &str) -> bool {
        memchr::memmem::find(self.head().as_bytes(), text.as_bytes()).is_some()
    }

    /// Says whether the content holds that text.
    pub(super) fn holds(&self, text: &str) -> bool {
        memchr::memmem::find(self.text.as_bytes(), text.as_bytes()).is_some()
    }

    /// Returns the first character that is no white space.
    pub(super) fn opens_with(&self) -> Option<char> {
        self.head().trim_start().chars().next()
    }

    /// Returns the lines that are neither empty nor comments begun by one of `comments`, trimmed and numbered.
    pub(super) fn lines(&self, comments: &'static [char]) -> impl Iterator<Item = (u32, &str)> {
        significant(&self.text, comments)
    }

    /// Returns those of the first lines, without the last one when it may be cut off.
    pub(super) fn first_lines(&self, comments: &'static [char]) -> impl Iterator<Item = &str> {
        let head = self.head();
        let whole =
            if head.len() == self.text.len() { head } else { head.rsplit_once('\n').map_or("", |(all, _)| all) };
        significant(whole, comments).map(|(_, line)| line)
    }

    /// Returns the lines as [`File::lines`] does, with those that end in a backslash joined to the next.
    pub(super) fn joined_lines(&self, comments: &'static [char]) -> Vec<(u32, String)> {
        let mut joined: Vec<(u32, String)> = Vec::new();
        let mut open = false;
        for (number, line) in (1..).zip(self.text.lines()) {
            let trimmed = line.trim();
            if !open && (trimmed.is_empty() || trimmed.starts_with(comments)) {
                continue;
            }
            let (part, goes_on) = trimmed.strip_suffix('\\').map_or((trimmed, false), |part| (part, true));
            match joined.last_mut().filter(|_| open) {
                Some((_, begun)) if !trimmed.starts_with(comments) => {
                    begun.push(' ');
                    begun.push_str(part.trim());
                }
                Some(_) => continue,
                None => joined.push((number, part.trim().to_owned())),
            }
            open = goes_on;
        }
        joined
    }
}

fn significant<'t>(text: &'t str, comments: &'static [char]) -> impl Iterator<Item = (u32, &'t str)> {
    let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
    lines.filter(move |(_, line)| !line.is_empty() && !line.starts_with(comments))
}

/// Splits a line into words at white space; quotation marks hold a word together and are taken off.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut begun, mut quote) = (false, None);
    for c in line.chars() {
        match quote {
            Some(mark) if c == mark => quote = None,
            Some(_) => word.push(c),
            None if c == '"' || c == '\'' => (quote, begun) = (Some(c), true),
            None if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            None => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Takes one pair of quotation marks off.
pub(super) fn unquoted(text: &str) -> &str {
    let inner = |mark| text.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(bytes: &[u8]) -> File<'_> {
        File::open(&RepoPath::from("Etc/Some.CONF"), bytes).unwrap()
    }

    #[test]
    fn a_mark_at_the_beginning_line_ends_and_latin_1_are_taken_in_stride() {
        let file = open(b"\xef\xbb\xbf# x\r\n\r\na = \xfc\r\n");
        assert_eq!(file.lines(&['#']).collect::<Vec<_>>(), [(3, "a = ü")]);
        assert!(file.is_under("etc") && file.has_ending("conf") && file.name() == "some.conf");
    }

    #[test]
    fn continued_lines_keep_the_number_of_the_first() {
        let file = open(b"# c\na \\\n  # inner\n  b, \\\n c\nd\n");
        assert_eq!(file.joined_lines(&['#']), [(2, "a b, c".to_owned()), (6, "d".to_owned())]);
        assert_eq!(open(b"a \\").joined_lines(&['#']), [(1, "a".to_owned())]);
    }

    #[test]
    fn quotation_marks_hold_words_together() {
        assert_eq!(words(r#"a "b c" d='e f' """#), ["a", "b c", "d=e f", ""]);
        assert_eq!(words("a \"open"), ["a", "open"]);
    }

    #[test]
    fn binary_files_are_no_settings() {
        assert!(File::open(&RepoPath::from("a"), b"Port 22\n\0").is_none());
    }
}
