//! Declared licences: which of them are expressions of SPDX, and what the others become in its documents.
//!
//! Never here: a guess at what was meant, at whether one or all of several apply, or at a text that was not read.

use std::collections::BTreeMap;

use crate::domain::Sha256Digest;
use crate::export::document::one_line;

/// The ids that packages nearly always have. An id that is missing here is still told, as a name.
const IDS: [&str; 53] = [
    "0BSD",
    "AFL-2.1",
    "AGPL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-3-Clause-Clear",
    "BSD-4-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDDL-1.0",
    "CDLA-Permissive-2.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUPL-1.2",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "ISC",
    "JSON",
    "LGPL-2.0-or-later",
    "LGPL-2.1",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT-0",
    "MPL-1.1",
    "MPL-2.0",
    "MS-PL",
    "NCSA",
    "OFL-1.1",
    "OpenSSL",
    "PSF-2.0",
    "Python-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "WTFPL",
    "Zlib",
];

const EXCEPTIONS: [&str; 4] = ["Classpath-exception-2.0", "GCC-exception-3.1", "LLVM-exception", "Linux-syscall-note"];

/// What the documents of SPDX say of a component's declared licences.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    /// A valid expression, where there is one.
    pub(super) expression: Option<String>,
    /// The `LicenseRef-`s of the expression, each with what was declared.
    pub(super) own: BTreeMap<String, String>,
    /// What no expression can say.
    pub(super) comment: Option<String>,
}

/// Returns what can be said. A text that is no expression is a licence of its own; of several declarations nobody said
/// whether one or all of them apply, so that they are only told.
pub(super) fn declared(licenses: &[String]) -> Declared {
    let said: Vec<&str> = licenses.iter().map(|text| text.trim()).filter(|text| says_something(text)).collect();
    match said.as_slice() {
        [] => Declared::default(),
        [text] if is_expression(text) => {
            let words = text.split(|c: char| c.is_ascii_whitespace() || c == '(' || c == ')');
            let own = words.filter(|word| word.starts_with("LicenseRef-"));
            let own =
                own.map(|word| (word.to_owned(), format!("{word}, as declared; its text was not read"))).collect();
            Declared { expression: Some((*text).to_owned()), own, comment: None }
        }
        [text] => {
            let hex = Sha256Digest::of(text.as_bytes()).to_string();
            let name = format!("LicenseRef-declared-{}", hex.get(..16).unwrap_or_default());
            let own = BTreeMap::from([(name.clone(), one_line(text))]);
            Declared { expression: Some(name), own, comment: None }
        }
        several => {
            let list = several.iter().map(|text| one_line(text)).collect::<Vec<_>>().join("; ");
            let comment = Some(format!("Declared, without a word on whether one or all of them apply: {list}"));
            Declared { comment, ..Declared::default() }
        }
    }
}

fn says_something(text: &str) -> bool {
    !text.is_empty() && text != "NOASSERTION"
}

/// Says whether the text is one of SPDX's ids, alone.
pub(super) fn is_listed(text: &str) -> bool {
    IDS.contains(&text)
}

/// Says whether the text is `id [WITH exception]`, joined by `AND` and `OR`, in brackets or not.
pub(super) fn is_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut open = 0_usize;
    let mut before = "";
    let mut wants_id = true;
    for word in spaced.split_ascii_whitespace() {
        let fits = match word {
            "(" => {
                open += 1;
                wants_id
            }
            ")" if open > 0 => {
                open -= 1;
                !wants_id
            }
            "AND" | "OR" | "WITH" => !std::mem::replace(&mut wants_id, true),
            exception if before == "WITH" => {
                wants_id = false;
                EXCEPTIONS.contains(&exception)
            }
            id => std::mem::replace(&mut wants_id, false) && is_id(id),
        };
        if !fits {
            return false;
        }
        before = word;
    }
    open == 0 && !wants_id
}

fn is_id(word: &str) -> bool {
    let own = word
        .strip_prefix("LicenseRef-")
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || b".-".contains(&c)));
    own || IDS.contains(&word.strip_suffix('+').unwrap_or(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(licenses: &[&str]) -> Declared {
        declared(&licenses.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn an_expression_stays_and_another_text_becomes_a_licence_of_its_own() {
        assert_eq!(said(&["(MIT OR Apache-2.0)"]).expression.unwrap(), "(MIT OR Apache-2.0)");
        let own = said(&["SEE LICENSE IN x\n"]);
        let name = own.expression.unwrap();
        assert!(name.starts_with("LicenseRef-declared-"), "{name}");
        assert_eq!(own.own[&name], "SEE LICENSE IN x");
        let referred = said(&["MIT AND (LicenseRef-Acme)"]);
        assert_eq!(referred.own.keys().collect::<Vec<_>>(), ["LicenseRef-Acme"]);
    }

    #[test]
    fn several_licences_are_told_and_never_joined() {
        let several = said(&["MIT", "ISC"]);
        assert_eq!(several.expression, None);
        assert!(several.comment.unwrap().ends_with(": MIT; ISC"));
        assert_eq!(said(&[]), Declared::default());
        assert_eq!(said(&["NOASSERTION"]), Declared::default());
    }
}
