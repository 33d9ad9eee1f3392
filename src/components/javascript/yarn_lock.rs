//! `yarn.lock` as entries: Yarn's own format of version 1, and the YAML that later versions write of it.
//!
//! Both are lines whose indentation says what they belong to, and Yarn writes nothing else; so one parser reads both,
//! in one pass. Never here: what an entry means.

use std::collections::BTreeSet;

/// A lock.
#[derive(Default)]
pub(super) struct Lock<'a> {
    /// Whether it is of Yarn 2 or later.
    pub(super) berry: bool,
    pub(super) entries: Vec<Entry<'a>>,
    /// Lines of another shape, from 1.
    pub(super) unclear: Vec<usize>,
}

/// What several requests were resolved to.
#[derive(Default)]
pub(super) struct Entry<'a> {
    /// Each request, as `name@range`.
    pub(super) patterns: Vec<&'a str>,
    pub(super) version: Option<&'a str>,
    /// Yarn 2 and later: what is installed.
    pub(super) resolution: Option<&'a str>,
    /// Yarn 1: where it is taken from.
    pub(super) resolved: Option<&'a str>,
    pub(super) integrity: Option<&'a str>,
    /// Yarn 2 and later: the hash of the archive that Yarn itself packs.
    pub(super) checksum: Option<&'a str>,
    /// Name and range of what it needs.
    pub(super) needs: Vec<Need<'a>>,
    /// Yarn 2 and later: the names of what it can do without.
    optional: BTreeSet<&'a str>,
}

/// One dependency of an entry.
pub(super) struct Need<'a> {
    pub(super) name: &'a str,
    pub(super) range: &'a str,
    optional: bool,
}

/// What the lines of a deeper indentation belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Other,
    Needs {
        optional: bool,
    },
    /// `dependenciesMeta`, which marks what is optional.
    Meta,
}

impl<'a> Lock<'a> {
    /// Parses the text of a lock.
    pub(super) fn parse(text: &'a str) -> Self {
        let mut lock = Self::default();
        let (mut part, mut in_entry, mut marked) = (Part::Other, false, None);
        for (number, raw) in text.lines().enumerate() {
            let line = raw.trim_end();
            let inner = line.trim_start_matches(' ');
            if inner.is_empty() || inner.starts_with('#') {
                continue;
            }
            let indent = line.len() - inner.len();
            // A long key has a line of its own, and the colon another.
            if indent == 0 && inner == ":" {
                continue;
            }
            let understood = match indent {
                0 => {
                    part = Part::Other;
                    in_entry = lock.begin(inner);
                    in_entry || inner == "__metadata:"
                }
                2 if in_entry => {
                    part = lock.entries.last_mut().map_or(Part::Other, |entry| entry.field(inner));
                    part != Part::Other || pair(inner).is_some()
                }
                4.. if in_entry && part == Part::Meta => {
                    match (indent, lock.entries.last_mut()) {
                        (4, _) => marked = inner.strip_suffix(':').map(unquoted),
                        (_, Some(entry)) if inner == "optional: true" => entry.optional.extend(marked),
                        _ => {}
                    }
                    true
                }
                4.. if in_entry => match part {
                    Part::Needs { optional } => pair(inner).is_some_and(|(name, range)| {
                        let entry = lock.entries.last_mut();
                        entry.map(|entry| entry.needs.push(Need { name, range, optional })).is_some()
                    }),
                    Part::Other | Part::Meta => true,
                },
                _ => !in_entry,
            };
            if !understood {
                lock.unclear.push(number + 1);
            }
        }
        lock
    }

    /// Begins what a line without indentation names.
    fn begin(&mut self, line: &'a str) -> bool {
        let line = line.strip_prefix("? ").unwrap_or(line);
        let key = line.strip_suffix(':').unwrap_or(line);
        if key == "__metadata" {
            self.berry = true;
            return false;
        }
        let patterns: Vec<&str> = if self.berry {
            unquoted(key).split(", ").filter(|pattern| pattern.contains('@')).collect()
        } else {
            key.split(", ").map(unquoted).filter(|pattern| pattern.contains('@')).collect()
        };
        if patterns.is_empty() || key.starts_with(['<', '=', '>']) {
            return false;
        }
        self.entries.push(Entry { patterns, ..Entry::default() });
        true
    }
}

impl<'a> Entry<'a> {
    /// Takes one field; returns what deeper lines belong to.
    fn field(&mut self, line: &'a str) -> Part {
        match line {
            "dependencies:" => return Part::Needs { optional: false },
            "optionalDependencies:" => return Part::Needs { optional: true },
            "dependenciesMeta:" => return Part::Meta,
            _ => {}
        }
        let Some((key, value)) = pair(line) else { return Part::Other };
        match key {
            "version" => self.version = Some(value),
            "resolution" => self.resolution = Some(value),
            "resolved" => self.resolved = Some(value),
            "integrity" => self.integrity = Some(value),
            "checksum" => self.checksum = Some(value),
            _ => {}
        }
        Part::Other
    }

    /// Says whether it can do without what it needs.
    pub(super) fn is_optional(&self, need: &Need<'_>) -> bool {
        need.optional || self.optional.contains(need.name)
    }
}

/// Parts a key and its value: `key "value"` or `key: value`, either of them quoted or not; the value may be empty.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = match line.strip_prefix('"') {
        Some(rest) => rest.split_once('"')?,
        None => line.split_once([' ', ':'])?,
    };
    Some((key, unquoted(rest.trim_start_matches(':').trim()))).filter(|(key, _)| !key.is_empty())
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_entries() {
        let one = "# yarn lockfile v1\n\n\"@s/a@^1\", a@^1, \"b@>= 1 < 2\":\n  version \"1.0.0\"\n  resolved \"https://r/a.tgz#00\"\n\
            \x20 integrity sha512-AA==\n  dependencies:\n    \"@s/c\" \"^2 || ^3\"\n  optionalDependencies:\n    d \"*\"\n";
        let two = "__metadata:\n  version: 8\n\n\"@s/a@npm:^1, a@npm:^1, b@npm:>= 1 < 2\":\n  version: 1.0.0\n\
            \x20 resolution: \"@s/a@npm:1.0.0\"\n  dependencies:\n    \"@s/c\": \"npm:^2\"\n    d: \"npm:*\"\n  dependenciesMeta:\n    d:\n\
            \x20     optional: true\n  bin:\n    a: ./x.js\n  checksum: 10c0/ab\n  linkType: hard\n\n? \"long@npm:1, long@npm:2\"\n:\n  version: 2.0.0\n";
        let (one, two) = (Lock::parse(one), Lock::parse(two));
        assert_eq!(one.entries[0].patterns, ["@s/a@^1", "a@^1", "b@>= 1 < 2"]);
        assert_eq!(two.entries[0].patterns, ["@s/a@npm:^1", "a@npm:^1", "b@npm:>= 1 < 2"]);
        for lock in [&one, &two] {
            let needs: Vec<_> =
                lock.entries[0].needs.iter().map(|need| (need.name, lock.entries[0].is_optional(need))).collect();
            assert_eq!((lock.entries[0].version, needs), (Some("1.0.0"), vec![("@s/c", false), ("d", true)]));
            assert!(lock.unclear.is_empty(), "{:?}", lock.unclear);
        }
        assert_eq!((one.berry, two.berry, two.entries[0].checksum), (false, true, Some("10c0/ab")));
        assert_eq!((two.entries[1].patterns.len(), two.entries[1].version), (2, Some("2.0.0")));
    }

    #[test]
    fn lines_of_another_shape_are_told() {
        assert_eq!(Lock::parse("<<<<<<< HEAD\na@1:\n  version \"1\"\n=======\nnonsense\n").unclear, [1, 4, 5]);
    }
}
