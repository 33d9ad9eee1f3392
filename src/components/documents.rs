//! YAML and XML within bounds: what is longer, deeper or more entangled than any lock file is refused.
//!
//! Never here: entities of a document type, which may multiply or point elsewhere; a message that repeats content.

use roxmltree::{Document, Node, ParsingOptions};
use serde::de::DeserializeOwned;

use super::structured;
use super::tree::File;

/// No lock nests deeper.
const MOST_DEPTH: usize = 64;

const MOST_NODES: usize = 1_000_000;

/// The parser holds every attribute of an element against all others, and hands every namespace down.
const MOST_ATTRIBUTES: usize = 100;
const MOST_NAMESPACES: usize = 2000;

/// Reads one YAML document.
///
/// # Errors
/// As [`structured::yaml`]; and where there is not one.
pub(super) fn yaml<T: DeserializeOwned>(file: File<'_>) -> Result<T, String> {
    let mut documents = structured::yaml(&file)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => Ok(document),
        _ => Err("not one YAML document".to_owned()),
    }
}

/// Reads an XML document without a document type.
///
/// # Errors
/// Where it is none, or beyond the bounds.
pub(super) fn xml(file: File<'_>) -> Result<Document<'_>, String> {
    let text = file.text()?;
    check_tags(text)?;
    let options =
        ParsingOptions { nodes_limit: u32::try_from(MOST_NODES).unwrap_or(u32::MAX), ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => "it has a document type, whose entities are not read".to_owned(),
        roxmltree::Error::NodesLimitReached => format!("it has more than {MOST_NODES} nodes"),
        error => format!("not XML at line {}", error.pos().row),
    })
}

/// Looks at tags without understanding them, so that comments may look deep: the parser calls itself for every level.
fn check_tags(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    if memchr::memmem::find_iter(bytes, b"xmlns").nth(MOST_NAMESPACES).is_some() {
        return Err(format!("it declares more than {MOST_NAMESPACES} namespaces"));
    }
    let mut depth = 0_usize;
    for at in memchr::memchr_iter(b'<', bytes) {
        match bytes.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!' | b'?') => {}
            _ => {
                let (attributes, closes) = tag(bytes.get(at + 1..).unwrap_or_default());
                if attributes > MOST_ATTRIBUTES {
                    return Err(format!("an element has more than {MOST_ATTRIBUTES} attributes"));
                }
                depth += usize::from(!closes);
            }
        }
        if depth > 4 * MOST_DEPTH {
            return Err("nested too deep".to_owned());
        }
    }
    Ok(())
}

/// Returns how many attributes the tag has that begins here, and whether it closes itself. A value may hold `/>`, but
/// no `<`.
fn tag(rest: &[u8]) -> (usize, bool) {
    let (mut attributes, mut within, mut last) = (0, None, b' ');
    for byte in rest {
        match (within, *byte) {
            (Some(quote), byte) if byte == quote => within = None,
            (None, b'"' | b'\'') => within = Some(*byte),
            (None, b'>') => return (attributes, last == b'/'),
            (None, b'=') => attributes += 1,
            (_, b'<') => break,
            _ => {}
        }
        last = *byte;
    }
    (attributes, false)
}

/// Returns the children of that name, in whatever namespace.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// Returns the first child of that name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// Returns the text of the first child of that name, without the space around it; nothing where there is none.
pub(super) fn text_of<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::components::kind::Kind;
    use crate::domain::RepoPath;

    fn with<T>(text: &str, read: impl FnOnce(File<'_>) -> T) -> T {
        let path = RepoPath::from("x");
        read(File { path: &path, kind: Kind::PubLock, bytes: text.as_bytes(), id: None })
    }

    #[test]
    fn bombs_and_depths_are_refused() {
        let deep = "<a>".repeat(100_000);
        assert_eq!(with(&deep, |file| xml(file).map(|_| ())), Err("nested too deep".to_owned()));
        let laughs = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>";
        assert!(with(laughs, |file| xml(file).map(|_| ())).unwrap_err().contains("document type"));
        assert_eq!(with("<x><y></x>", |file| xml(file).map(|_| ())), Err("not XML at line 1".to_owned()));
        for deep in [
            "[".repeat(100_000),
            "- ".repeat(100_000),
            (0..2000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n"),
        ] {
            assert!(with(&deep, yaml::<Value>).is_err());
        }
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let refs = vec![format!("*a{}", level - 1); 10].join(", ");
            laughs = format!("{laughs}a{level}: &a{level} [{refs}]\n");
        }
        assert!(with(&laughs, yaml::<Value>).is_err());
    }

    #[test]
    fn elements_of_nothing_but_attributes_and_namespaces_are_refused() {
        let many = |count: usize| (0..count).fold(String::new(), |text, number| text + &format!(" a{number}='/>'"));
        let refused = |text: &str| with(text, |file| xml(file).map(|_| ())).unwrap_err();
        assert_eq!(refused(&format!("<x{}/>", many(101))), "an element has more than 100 attributes");
        assert_eq!(with(&format!("<x{}/>", many(100)), |file| xml(file).map(|_| ())), Ok(()));
        let spaces = "<y xmlns='z'/>".repeat(2001);
        assert_eq!(refused(&format!("<x>{spaces}</x>")), "it declares more than 2000 namespaces");
        assert_eq!(refused(&"<a b='/>'>".repeat(1000)), "nested too deep");
    }

    #[test]
    fn names_count_without_their_namespaces() {
        let text = "<p xmlns='http://maven.apache.org/POM/4.0.0'><v> 1.0 <!-- c --></v><e/></p>";
        with(text, |file| {
            let document = xml(file).unwrap();
            assert_eq!(text_of(document.root_element(), "v"), Some("1.0"));
            assert_eq!(text_of(document.root_element(), "e"), None);
        });
    }
}
