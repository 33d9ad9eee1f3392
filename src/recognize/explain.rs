//! Why a file was classed as it was, in sentences for people: blocks, names, and which recognisers were asked.
//!
//! Never here: a decision, or a byte of the content beyond the labels of its blocks.

use crate::domain::RepoPath;

use super::text::bounded;
use super::{RECOGNIZERS, embedded, kinds, path, pem, settings, text};

/// How many blocks are named.
const MOST_BLOCKS: usize = 8;

/// Returns why the file is of its kind, or of none: one sentence each.
pub fn explain(path: &RepoPath, bytes: &[u8]) -> Vec<String> {
    let mut said = Vec::new();
    let wide = text::from_utf16(bytes).map(zeroize::Zeroizing::new);
    if wide.is_some() {
        said.push("it is text in UTF-16, and read as such".to_owned());
    }
    let bytes = wide.as_ref().map_or(bytes, |text| text.as_bytes());
    let taken = RECOGNIZERS.iter().find_map(|(name, recognizer)| Some((*name, recognizer(path, bytes)?)));
    let by = taken.as_ref().map(|(name, _)| *name);
    match embedded::add(path, bytes, taken.map(|(_, found)| found)) {
        None => said.push("no item: no recogniser takes it".to_owned()),
        Some(found) => {
            let kind = bounded(found.kind.as_bytes());
            let how = kinds::find(&kind).map_or("", |row| row.how);
            said.push(format!("{kind} ({}): {how}", found.class));
            let by = by.unwrap_or("private keys between other text");
            said.push(format!("recognised by the reader of {by}"));
            if found.secret {
                said.push("a secret stands in it in clear: no digest of it is kept".to_owned());
            }
            said.extend(found.observations.iter().take(MOST_BLOCKS).map(|seen| {
                let place = seen.line.map_or_else(String::new, |line| format!("line {line}: "));
                format!("{place}{} ({})", seen.message, seen.rule)
            }));
        }
    }
    let passed: Vec<_> = RECOGNIZERS.iter().map(|(name, _)| *name).take_while(|name| Some(*name) != by).collect();
    if !passed.is_empty() {
        said.push(format!("asked before, and passed: {}", passed.join(", ")));
    }
    said.extend(of_path(path));
    said.extend(of_blocks(bytes));
    if by.is_none_or(|by| by == "settings") {
        said.extend(settings::explain(path, bytes));
    }
    said
}

fn of_path(path: &RepoPath) -> Vec<String> {
    let claim = path::claim(path).map(|(kind, _)| format!("its name claims {kind}; content decides"));
    let about = "its name is that of a program or document: what such a file quotes is not taken";
    claim.into_iter().chain(path::is_about(path).then(|| about.to_owned())).collect()
}

fn of_blocks(bytes: &[u8]) -> Vec<String> {
    let blocks = pem::split(bytes);
    let label = |label: &str| bounded(label.as_bytes());
    let whole = blocks.whole.iter().map(|block| format!("line {}: a block {}", block.line, label(block.label)));
    let broken =
        blocks.broken.iter().map(|(name, line)| format!("line {line}: a block {} that cannot be read", label(name)));
    let mut said: Vec<_> = whole.chain(broken).take(MOST_BLOCKS).collect();
    if blocks.quoted {
        said.push("its blocks stand in a quotation".to_owned());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str, text: &str) -> String {
        explain(&RepoPath::new(path), text.as_bytes()).join("\n")
    }

    #[test]
    fn an_item_says_who_took_it_and_who_passed() {
        let said = said("etc/sysctl.d/10-net.conf", "net.ipv4.ip_forward = 0\n");
        assert!(said.starts_with("sysctl (hardening): "), "{said}");
        assert!(said.contains("reader of settings") && said.contains("passed: DER, PEM blocks"), "{said}");
        assert!(said.contains("sysctl: has the name of one, and could be read"), "{said}");
    }

    #[test]
    fn a_file_that_is_none_says_why() {
        let block = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
        let said = said("docs/tls.md", &format!("# How\n```\n{block}```\n"));
        assert!(said.starts_with("no item"), "{said}");
        assert!(said.contains("program or document") && said.contains("line 3: a block CERTIFICATE"), "{said}");
        assert!(said.contains("quotation"), "{said}");
    }

    #[test]
    fn a_secret_is_no_part_of_the_reasons() {
        let said = said(".env", "DB_PASSWORD=hunter2\n");
        assert!(said.contains("line 1") && said.contains("no digest") && !said.contains("hunter"), "{said}");
    }
}
