//! `.baseline/components.toml`: what no lock file knows of a component, and components that stand in no file at all.
//!
//! Serves requirements R14 and R15 (IEC 81001-5-1: maintained, supported and required software). Never here: the list
//! of components that this is laid over, and any judgement of dates.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::PolicyError;
use super::place::{self, Place};
use crate::domain::{Scope, Timestamp};

/// Where the overlay stands in the tree.
pub const COMPONENTS_PATH: &str = ".baseline/components.toml";

/// Each pattern with `*` may be about every component; more than these would take long.
const MOST_WILDCARDS: usize = 250;

/// Algorithms of hashes stated by hand, with their lengths in hexadecimal digits.
const ALGORITHMS: [(&str, usize); 4] = [("SHA-1", 40), ("SHA-256", 64), ("SHA-384", 96), ("SHA-512", 128)];

type Text = Option<Spanned<String>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawOverlay {
    component: Vec<RawStated>,
    declared: Vec<RawDeclared>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStated {
    purl: Spanned<String>,
    supplier: Text,
    category: Text,
    reason: Text,
    support: Text,
    end_of_support: Text,
    anomaly_review: Text,
    risk: Text,
    license: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeclared {
    name: Spanned<String>,
    version: Text,
    purl: Text,
    scope: Option<Scope>,
    direct: Option<bool>,
    #[serde(default)]
    hashes: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    licenses: Vec<Spanned<String>>,
    supplier: Text,
    category: Text,
    reason: Text,
    support: Text,
    end_of_support: Text,
    anomaly_review: Text,
    risk: Text,
}

/// The parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentOverlay {
    /// Statements about components, in the order of the file.
    pub stated: Vec<Stated>,
    /// Components declared by hand, in the order of the file.
    pub declared: Vec<Declared>,
}

/// What is stated of the components that a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The pattern without its `*`, as written.
    pub purl: String,
    /// Whether a `*` ended it, so that it matches all that begins so.
    pub is_prefix: bool,
    /// What is stated.
    pub statement: Statement,
    /// The line of its purl, from 1.
    pub line: usize,
}

/// What people know of a component; nothing where they state nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Who supplies it.
    pub supplier: Option<String>,
    /// `maintained`, `supported` or `required`.
    pub category: Option<String>,
    /// Why it has that category.
    pub reason: Option<String>,
    /// Level of support.
    pub support: Option<String>,
    /// From when on it is without support.
    pub end_of_support: Option<Timestamp>,
    /// Where, or when, its anomalies were reviewed.
    pub anomaly_review: Option<String>,
    /// Where the risk of using it is assessed.
    pub risk: Option<String>,
    /// Its licence.
    pub license: Option<String>,
}

/// A component that stands in no lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Its version; none is a gap.
    pub version: Option<String>,
    /// Its purl without a version, as written; none, and a generic one is made.
    pub purl: Option<String>,
    /// What it is needed for.
    pub scope: Scope,
    /// Whether the product itself needs it.
    pub direct: bool,
    /// Algorithm and hexadecimal value.
    pub hashes: Vec<(String, String)>,
    /// Licences, as written.
    pub licenses: Vec<String>,
    /// What else is stated of it.
    pub statement: Statement,
}

impl ComponentOverlay {
    /// Parses the file.
    ///
    /// # Errors
    /// [`PolicyError`] with file and line: no TOML, an unknown key, a category or a date that is none, no purl.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let (place, raw): (_, RawOverlay) = place::read(COMPONENTS_PATH, bytes)?;
        let mut overlay = Self::default();
        let mut wildcards = 0;
        for raw in raw.component {
            wildcards += usize::from(raw.purl.get_ref().ends_with('*'));
            if wildcards > MOST_WILDCARDS {
                return Err(place.at(&raw.purl, format!("more than {MOST_WILDCARDS} patterns with *")));
            }
            overlay.stated.push(stated(&place, raw)?);
        }
        for raw in raw.declared {
            overlay.declared.push(declared(&place, raw)?);
        }
        Ok(overlay)
    }
}

fn stated(place: &Place, raw: RawStated) -> Result<Stated, PolicyError> {
    let statement = Statement {
        supplier: said(place, raw.supplier, "the supplier")?,
        category: category(place, raw.category)?,
        reason: said(place, raw.reason, "the reason")?,
        support: said(place, raw.support, "the level of support")?,
        end_of_support: date(place, raw.end_of_support.as_ref())?,
        anomaly_review: said(place, raw.anomaly_review, "the anomaly review")?,
        risk: said(place, raw.risk, "the risk reference")?,
        license: said(place, raw.license, "the licence")?,
    };
    if statement == Statement::default() {
        return Err(place.at(&raw.purl, "it states nothing"));
    }
    let text = raw.purl.get_ref();
    let (purl, is_prefix) = text.strip_suffix('*').map_or((text.as_str(), false), |purl| (purl, true));
    if purl.contains('*') {
        return Err(place.at(&raw.purl, "a * stands at the end of a pattern only"));
    }
    if !is_purl(purl, is_prefix) {
        return Err(place.at(&raw.purl, NO_PURL));
    }
    Ok(Stated { purl: purl.to_owned(), is_prefix, statement, line: place.line(raw.purl.span().start) })
}

fn declared(place: &Place, raw: RawDeclared) -> Result<Declared, PolicyError> {
    let mut version = said(place, raw.version.clone(), "the version")?;
    if let Some((written, text)) = raw.version.as_ref().zip(version.as_ref())
        && text.contains(|c: char| !c.is_ascii_graphic() || "?#@%/".contains(c))
    {
        return Err(place.at(written, "a version has no spaces, and none of ? # @ % /"));
    }
    let mut purl = None;
    if let Some(written) = &raw.purl {
        if !is_purl(written.get_ref(), false) {
            return Err(place.at(written, NO_PURL));
        }
        let (plain, in_purl) = without_version(written.get_ref());
        match in_purl {
            Some(text) if text.contains('%') || version.as_ref().is_some_and(|version| *version != text) => {
                return Err(place.at(written, "leave the version out of the purl, and write it in `version`"));
            }
            Some(text) if !text.is_empty() => version = Some(text),
            _ => {}
        }
        purl = Some(plain);
    }
    let licenses = raw.licenses.into_iter().map(|text| clean(place, text, "the licence"));
    Ok(Declared {
        version,
        purl,
        name: clean(place, raw.name, "the name")?,
        scope: raw.scope.unwrap_or(Scope::Runtime),
        direct: raw.direct.unwrap_or(true),
        hashes: hashes(place, raw.hashes)?,
        licenses: licenses.collect::<Result<_, _>>()?,
        statement: Statement {
            supplier: said(place, raw.supplier, "the supplier")?,
            category: category(place, raw.category)?,
            reason: said(place, raw.reason, "the reason")?,
            support: said(place, raw.support, "the level of support")?,
            end_of_support: date(place, raw.end_of_support.as_ref())?,
            anomaly_review: said(place, raw.anomaly_review, "the anomaly review")?,
            risk: said(place, raw.risk, "the risk reference")?,
            license: None,
        },
    })
}

fn hashes(
    place: &Place,
    raw: BTreeMap<Spanned<String>, Spanned<String>>,
) -> Result<Vec<(String, String)>, PolicyError> {
    let mut hashes = Vec::new();
    for (alg, value) in raw {
        let Some((name, length)) = ALGORITHMS.iter().find(|(name, _)| name == alg.get_ref()) else {
            return Err(place.at(&alg, "an algorithm is SHA-1, SHA-256, SHA-384 or SHA-512"));
        };
        let text = value.get_ref().to_ascii_lowercase();
        if text.len() != *length || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
            return Err(place.at(&value, format!("{name} has {length} hexadecimal digits")));
        }
        hashes.push(((*name).to_owned(), text));
    }
    Ok(hashes)
}

const NO_PURL: &str = "a purl is pkg:type/name or pkg:type/namespace/name, with @version where one is meant";

/// Says whether it is a package URL by its shape; the beginning of one where `is_prefix`.
fn is_purl(text: &str, is_prefix: bool) -> bool {
    let Some(rest) = text.strip_prefix("pkg:").filter(|rest| rest.bytes().all(|c| c.is_ascii_graphic())) else {
        return false;
    };
    let encoded = rest
        .split('%')
        .skip(1)
        .all(|after| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    let named = rest.split_once('/').is_some_and(|(kind, name)| {
        // An `@` that begins a name is a scope, which names something after a slash.
        let name = name.trim_matches('/');
        let is_scope = name.starts_with('@') && name.contains('/');
        !kind.is_empty() && !name.is_empty() && (is_scope || !name.starts_with(['@', '?', '#']))
    });
    encoded && (is_prefix || named)
}

/// Parts a purl from its version.
fn without_version(purl: &str) -> (String, Option<String>) {
    let end = purl.find(['?', '#']).unwrap_or(purl.len());
    let (plain, rest) = purl.split_at_checked(end).unwrap_or((purl, ""));
    let last = plain.rfind('/').map_or(0, |at| at + 1);
    match plain.split_at_checked(last).and_then(|(path, name)| Some((path, name.rsplit_once('@')?))) {
        // An `@` that begins a name is a scope.
        Some((path, (name, version))) if !name.is_empty() => (format!("{path}{name}{rest}"), Some(version.to_owned())),
        _ => (purl.to_owned(), None),
    }
}

fn said(place: &Place, text: Text, what: &str) -> Result<Option<String>, PolicyError> {
    text.map(|text| clean(place, text, what)).transpose()
}

fn clean(place: &Place, text: Spanned<String>, what: &str) -> Result<String, PolicyError> {
    if text.get_ref().contains(char::is_control) {
        return Err(place.at(&text, format!("{what} holds a control character")));
    }
    place.text(text, what)
}

fn category(place: &Place, text: Text) -> Result<Option<String>, PolicyError> {
    match text {
        Some(text) if !matches!(text.get_ref().as_str(), "maintained" | "supported" | "required") => {
            Err(place.at(&text, "a category is maintained, supported or required"))
        }
        text => Ok(text.map(Spanned::into_inner)),
    }
}

fn date(place: &Place, text: Option<&Spanned<String>>) -> Result<Option<Timestamp>, PolicyError> {
    let read = |text: &Spanned<String>| {
        let date = Timestamp::parse(text.get_ref()).filter(|_| !text.get_ref().contains('T'));
        date.ok_or_else(|| place.at(text, "a date such as 2027-01-31 in quotation marks"))
    };
    text.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATED: &str =
        "[[component]]\npurl = \"pkg:npm/a\"\ncategory = \"supported\"\nend_of_support = \"2027-01-31\"\n";
    const DECLARED: &str = "[[declared]]\nname = \"zlib\"\nversion = \"1.3\"\npurl = \"pkg:generic/zlib?x=y\"\n\
                            hashes = { SHA-1 = \"000102030405060708090A0B0C0D0E0F10111213\" }\n";

    fn refused(text: &str) -> (usize, String) {
        let error = ComponentOverlay::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.file, COMPONENTS_PATH);
        (error.line, error.message)
    }

    fn purl_of(text: &str) -> (Option<String>, Option<String>) {
        let overlay = ComponentOverlay::parse(text.as_bytes()).unwrap();
        (overlay.declared[0].purl.clone(), overlay.declared[0].version.clone())
    }

    #[test]
    fn statements_and_declarations_are_read() {
        let overlay = ComponentOverlay::parse(format!("{STATED}{DECLARED}").as_bytes()).unwrap();
        assert_eq!(overlay.stated[0].statement.category.as_deref(), Some("supported"));
        assert_eq!((overlay.stated[0].line, overlay.stated[0].is_prefix), (2, false));
        let declared = &overlay.declared[0];
        assert_eq!((declared.scope, declared.direct), (Scope::Runtime, true));
        assert_eq!(declared.hashes, [("SHA-1".into(), "000102030405060708090a0b0c0d0e0f10111213".into())]);
    }

    #[test]
    fn the_version_stands_in_one_place() {
        let plain = |purl: &str| (Some(purl.to_owned()), Some("1.3".to_owned()));
        assert_eq!(purl_of(DECLARED), plain("pkg:generic/zlib?x=y"));
        let inside = DECLARED.replace("version = \"1.3\"\n", "").replace("zlib?", "zlib@1.3?");
        assert_eq!(purl_of(&inside), plain("pkg:generic/zlib?x=y"));
        let scoped = DECLARED.replace("pkg:generic/zlib?x=y", "pkg:npm/@a/b");
        assert_eq!(purl_of(&scoped), plain("pkg:npm/@a/b"));
        assert_eq!(refused(&DECLARED.replace("zlib?", "zlib@1.4?")).0, 4);
        assert_eq!(refused(&DECLARED.replace("1.3", "1 3")).0, 3);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        assert_eq!(refused(&STATED.replace("supported\"", "mine\"")).0, 3);
        assert_eq!(refused(&STATED.replace("2027-01-31", "2027-02-30")).0, 4);
        assert_eq!(refused(&STATED.replace("2027-01-31", "2027-01-31T00:00:00Z")).0, 4);
        assert_eq!(refused(&STATED.replace("category", "kategory")).0, 3);
        assert_eq!(refused("[[component]]\npurl = \"pkg:npm/a\"\n"), (2, "it states nothing".to_owned()));
        for purl in ["a", "pkg:npm", "pkg:/a", "pkg:npm/a b", "pkg:npm/%zz", "pkg:npm/*/a", "pkg:npm/@", "pkg:pypi/@1"]
        {
            assert_eq!(refused(&STATED.replace("pkg:npm/a", purl)).0, 2, "{purl}");
        }
        assert_eq!(refused(&DECLARED.replace("SHA-1", "MD5")).0, 5);
        assert_eq!(refused(&DECLARED.replace("0A0B", "")).0, 5);
        assert_eq!(refused(&DECLARED.replace("\"zlib\"", "\"z\\u001b\"")).0, 2);
        assert_eq!(
            refused(&STATED.replace("supported\"", "supported\"\nreason = \" \"")),
            (4, "the reason is empty".into())
        );
    }

    #[test]
    fn wildcards_are_bounded() {
        let many = "[[component]]\npurl = \"pkg:npm/*\"\nsupport = \"x\"\n".repeat(MOST_WILDCARDS + 1);
        assert!(refused(&many).1.contains("more than"));
    }
}
