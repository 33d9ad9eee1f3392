//! Declared licences in the three ways that `CycloneDX` has for them.
//!
//! An expression only where every word of it is a licence that SPDX names, an id where it is one of them, and else a
//! name, as it was declared. Never here: a guess at what was meant.

use serde::Serialize;

use crate::export::license::{is_expression, is_listed};

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

/// Returns the entries for what a component declares.
pub(super) fn choice(declared: &[String]) -> Vec<LicenseChoice> {
    let expression = |text: &&String| !is_listed(text) && is_expression(text);
    if let Some(only) = declared.first().filter(|_| declared.len() == 1).filter(expression) {
        return vec![LicenseChoice::Expression { expression: only.clone(), acknowledgement: "declared" }];
    }
    let license = |text: &String| {
        let is_id = is_listed(text);
        let (id, name) = if is_id { (Some(text.clone()), None) } else { (None, Some(text.clone())) };
        LicenseChoice::License { license: License { id, name, acknowledgement: "declared" } }
    };
    declared.iter().map(license).collect()
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
