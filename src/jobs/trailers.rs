//! Trailers, read strictly from the last paragraph of a commit's message (git-interpret-trailers(1)).
//!
//! Never here: what a trailer grants, which is nothing (contract §3.8).

use crate::domain::ChangeId;

/// Returns the values of a trailer, in their order. The block is the last paragraph after the title, and every line
/// in it is `Token: value` or a continuation.
fn trailers<'m>(message: &'m str, token: &str) -> Vec<&'m str> {
    let text = message.trim_end();
    let Some((_, block)) = text.rsplit_once("\n\n") else { return Vec::new() };
    let lines = || block.lines().filter(|line| !line.starts_with([' ', '\t']));
    let parse = |line: &'m str| -> Option<(&'m str, &'m str)> {
        let (name, value) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
        let is_token = !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        is_token.then(|| (name, value.trim()))
    };
    if !lines().all(|line| parse(line).is_some()) {
        return Vec::new();
    }
    lines().filter_map(parse).filter(|(name, _)| name.eq_ignore_ascii_case(token)).map(|(_, value)| value).collect()
}

/// Returns the change requests that a message names under `token`; several may stand on one line, with commas.
pub fn change_ids(message: &[u8], token: &str) -> Vec<ChangeId> {
    let text = String::from_utf8_lossy(message);
    let values = trailers(&text, token);
    let mut ids = Vec::new();
    for id in values.iter().flat_map(|value| value.split(',')).filter_map(|text| ChangeId::parse(text.trim()).ok()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Returns the addresses of those whom a message names as co-authors.
pub(super) fn co_authors(message: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(message);
    let address = |value: &str| Some(value.rsplit_once('<')?.1.split_once('>')?.0.trim().to_owned());
    trailers(&text, "Co-authored-by").into_iter().filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(message: &str) -> Vec<String> {
        change_ids(message.as_bytes(), "Change-Request").into_iter().map(String::from).collect()
    }

    #[test]
    fn only_the_trailer_block_counts() {
        assert_eq!(ids("Rotate\n\nWhy\n\nChange-Request: CR-1\nSigned-off-by: A <a@b>\n"), ["CR-1"]);
        assert_eq!(ids("Rotate\n\nchange-request: CR-1, CR-2\nChange-Request: CR-2\n"), ["CR-1", "CR-2"]);
        assert_eq!(ids("Change-Request: CR-1\n"), Vec::<String>::new());
        assert_eq!(ids("Rotate\n\nChange-Request: CR-1\n\nmore text\n"), Vec::<String>::new());
        assert_eq!(ids("Rotate\n\nChange-Request: CR-1\nnot a trailer\n"), Vec::<String>::new());
    }
}
