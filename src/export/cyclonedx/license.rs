//! Declared licences in the three ways that `CycloneDX` has for them.
//!
//! An expression only where every word of it is a licence that SPDX names, an id where it is one of them, and else a
//! name, as it was declared. Never here: a guess at what was meant.

use serde::Serialize;

/// One entry of `licenses`.
#[derive(Serialize, Debug, PartialEq, Eq)]
#[serde(untagged)]
pub(super) enum LicenseChoice {
    License { license: License },
    Expression { expression: String, acknowledgement: &'static str },
}

/// A licence by its SPDX id or by a name.
#[derive(Serialize, Debug, PartialEq, Eq)]
pub(super) struct License {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    acknowledgement: &'static str,
}

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

/// Returns the entries for what a component declares.
pub(super) fn choice(declared: &[String]) -> Vec<LicenseChoice> {
    let expression = |text: &&String| !IDS.contains(&text.as_str()) && is_expression(text);
    if let Some(only) = declared.first().filter(|_| declared.len() == 1).filter(expression) {
        return vec![LicenseChoice::Expression { expression: only.clone(), acknowledgement: "declared" }];
    }
    let license = |text: &String| {
        let is_id = IDS.contains(&text.as_str());
        let (id, name) = if is_id { (Some(text.clone()), None) } else { (None, Some(text.clone())) };
        LicenseChoice::License { license: License { id, name, acknowledgement: "declared" } }
    };
    declared.iter().map(license).collect()
}

/// `id [WITH exception]`, joined by `AND` and `OR`, in brackets or not.
fn is_expression(text: &str) -> bool {
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

    fn shape(declared: &[&str]) -> String {
        let declared: Vec<String> = declared.iter().map(|text| (*text).to_owned()).collect();
        serde_json::to_string(&choice(&declared)).unwrap().replace(",\"acknowledgement\":\"declared\"", "")
    }

    #[test]
    fn ids_expressions_and_names_are_told_apart() {
        for (declared, expected) in [
            (&["MIT"][..], r#"[{"license":{"id":"MIT"}}]"#),
            (&["(MIT OR Apache-2.0)"], r#"[{"expression":"(MIT OR Apache-2.0)"}]"#),
            (
                &["GPL-2.0-only WITH Classpath-exception-2.0"],
                r#"[{"expression":"GPL-2.0-only WITH Classpath-exception-2.0"}]"#,
            ),
            (&["MIT OR"], r#"[{"license":{"name":"MIT OR"}}]"#),
            (&["(MIT"], r#"[{"license":{"name":"(MIT"}}]"#),
            (&["MIT MIT"], r#"[{"license":{"name":"MIT MIT"}}]"#),
            (&["UNLICENSED"], r#"[{"license":{"name":"UNLICENSED"}}]"#),
            (&["SEE LICENSE IN x"], r#"[{"license":{"name":"SEE LICENSE IN x"}}]"#),
            (&["MIT", "MIT OR ISC"], r#"[{"license":{"id":"MIT"}},{"license":{"name":"MIT OR ISC"}}]"#),
            (&[], "[]"),
        ] {
            assert_eq!(shape(declared), expected);
        }
    }
}
