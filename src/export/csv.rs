//! The components of a manifest as a table (RFC 4180): UTF-8, a header, lines that end with CR LF, every cell quoted
//! that needs it.
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe in front, as OWASP advises: who opens a list
//! of other people's names must not run what they wrote. Only a cell that begins with `=`, `+`, `-`, `@`, a tab or a
//! line end is changed, which no purl ever is; who needs exact names reads JSON. Several values stand in one cell, one
//! beside the other with `; ` between them. Never here: certificates, keys and gaps.

use crate::domain::{Component, Manifest};

const HEADER: [&str; 12] = [
    "purl",
    "name",
    "version",
    "ecosystem",
    "scope",
    "direct",
    "licenses",
    "supplier",
    "category",
    "support",
    "hashes",
    "found_in",
];

/// Returns the table, sorted as the manifest is. What is not known is an empty cell.
#[must_use]
pub fn csv(manifest: &Manifest) -> Vec<u8> {
    let mut table = String::new();
    row(&mut table, &HEADER.map(str::to_owned));
    for component in &manifest.components {
        row(&mut table, &cells(component));
    }
    table.into_bytes()
}

fn cells(component: &Component) -> [String; 12] {
    let known = |value: &Option<String>| value.clone().unwrap_or_default();
    let hashes: Vec<String> = component.hashes.iter().map(|hash| format!("{}:{}", hash.alg, hash.value)).collect();
    let places: Vec<String> = component.found_in.iter().map(ToString::to_string).collect();
    [
        component.purl.clone(),
        component.name.clone(),
        known(&component.version),
        component.ecosystem.clone(),
        component.scope.to_string(),
        component.direct.map(|direct| direct.to_string()).unwrap_or_default(),
        component.licenses.join("; "),
        known(&component.supplier),
        known(&component.category),
        known(&component.support),
        hashes.join("; "),
        places.join("; "),
    ]
}

fn row(table: &mut String, cells: &[String]) {
    for (at, text) in cells.iter().enumerate() {
        if at > 0 {
            table.push(',');
        }
        cell(table, text);
    }
    table.push_str("\r\n");
}

fn cell(table: &mut String, text: &str) {
    // A spreadsheet may drop what is blank before it looks for a formula.
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']);
    let quoted = formula || text.contains([',', '"', '\r', '\n', ';']) || text.trim() != text;
    if quoted {
        table.push('"');
    }
    if formula {
        table.push('\'');
    }
    for character in text.chars() {
        if character == '"' {
            table.push('"');
        }
        table.push(character);
    }
    if quoted {
        table.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut table = String::new();
        cell(&mut table, text);
        table
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (text, expected) in [
            ("serde", "serde"),
            ("a,b", "\"a,b\""),
            ("a\"b\"", "\"a\"\"b\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("@babel/core", "\"'@babel/core\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-1", "\"'-1\""),
            ("+1", "\"'+1\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'\t=1\""),
            ("1-2", "1-2"),
            ("", ""),
        ] {
            assert_eq!(written(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_table_has_a_header_and_one_line_for_each_component() {
        let manifest = crate::export::testing::manifest(vec![crate::export::testing::component("a", &[])]);
        let table = String::from_utf8(csv(&manifest)).unwrap();
        let lines: Vec<&str> = table.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].split(',').count(), 12);
        assert_eq!(lines[1], "pkg:cargo/a@1.0.0,a,1.0.0,cargo,runtime,false,,,,,,Cargo.lock");
    }
}
