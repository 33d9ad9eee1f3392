//! One line of a requirements file (PEP 508 and pip's own options), as far as a list of components needs it.
//!
//! Never here: other files, markers' values, or version arithmetic.

use super::purl::{Origin, pypi_name};
use super::reading::is_hex;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Asks for a project.
    Requirement(Box<Requirement>),
    /// `-r`: the requirements of another file.
    Include(String),
    /// `-c`: the constraints of another file.
    Constraint(String),
    /// A folder or file of the product itself.
    Own,
    /// Nothing that is known, in the line of that number. Its text is not repeated: it may be a secret.
    Unclear(usize),
}

/// A project that is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Its normalized name.
    pub(super) name: String,
    /// The exact version, where the line pins one.
    pub(super) version: Option<String>,
    /// Where it comes from.
    pub(super) origin: Origin,
    /// Algorithm and value.
    pub(super) hashes: Vec<(&'static str, String)>,
    /// How many hashes have another shape.
    pub(super) bad_hashes: usize,
    /// Who needs it, where comments tell.
    pub(super) via: Vec<Via>,
}

/// Who needs a project, as pip-compile and uv write it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// The product, by one of its own files.
    Product,
    /// Another project.
    Project(String),
}

/// The longest files that compilers write have some ten thousand lines, most of them hashes.
const MOST_LINES: usize = 200_000;

/// Returns what the lines of a file say; nothing where they are more than any product needs. Continued lines are one; comments count for the requirement before them.
pub(super) fn lines(text: &str) -> Option<Vec<Line>> {
    if text.lines().nth(MOST_LINES).is_some() {
        return None;
    }
    let mut found: Vec<Line> = Vec::new();
    let mut whole = String::new();
    let mut in_via = false;
    let mut number = 0;
    for raw in text.lines() {
        number += 1;
        let (code, comment) = split_comment(raw);
        if let Some(code) = code.strip_suffix('\\').filter(|_| comment.is_none()) {
            whole.push_str(code);
            whole.push(' ');
            continue;
        }
        whole.push_str(code);
        let line = std::mem::take(&mut whole);
        if !line.trim().is_empty() {
            in_via = false;
            found.extend(line_of(line.trim(), number));
        }
        if let (Some(comment), Some(Line::Requirement(last))) = (comment, found.last_mut()) {
            in_via = add_via(comment.trim(), in_via, &mut last.via);
        }
        if raw.trim().is_empty() {
            in_via = false;
        }
    }
    found.extend(Some(whole.trim()).filter(|rest| !rest.is_empty()).and_then(|rest| line_of(rest, number)));
    Some(found)
}

/// Returns what one requirement asks for; nothing where it is the product's own, or not understood.
pub(super) fn asked(text: &str) -> Option<Requirement> {
    match requirement(text.trim(), 0) {
        Line::Requirement(found) => Some(*found),
        _ => None,
    }
}

/// A comment begins at `#` at the start or after a space, since addresses hold `#` too.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let start = line
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t'])));
    match start.and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?))) {
        Some((code, comment)) => (code, Some(comment)),
        None => (line, None),
    }
}

/// Takes `via a, b`, or `via` with one name on each following line. Returns whether more may follow.
fn add_via(comment: &str, in_via: bool, via: &mut Vec<Via>) -> bool {
    let names = match comment.strip_prefix("via") {
        Some(rest) if rest.is_empty() || rest.starts_with(' ') => rest,
        _ if in_via => comment,
        _ => return false,
    };
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let of_file =
            name.starts_with('-') || name.contains(['(', '/', ':']) || has_ending(name, &["txt", "in", "toml"]);
        via.push(if of_file { Via::Product } else { Via::Project(pypi_name(name)) });
    }
    true
}

fn has_ending(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
}

fn line_of(line: &str, number: usize) -> Option<Line> {
    let (option, value) =
        line.split_once([' ', '=', '\t']).map_or((line, ""), |(option, value)| (option, value.trim()));
    let value = value.trim_start_matches('=').trim().trim_matches(['"', '\'']);
    match option {
        "-r" | "--requirement" => return Some(Line::Include(value.to_owned())),
        "-c" | "--constraint" => return Some(Line::Constraint(value.to_owned())),
        "-e" | "--editable" => return Some(requirement(value, number)),
        _ => {}
    }
    if let Some(path) = line.strip_prefix("-r").filter(|path| !path.starts_with('-')) {
        return Some(Line::Include(path.to_owned()));
    }
    if let Some(path) = line.strip_prefix("-c") {
        return Some(Line::Constraint(path.to_owned()));
    }
    // Options such as --index-url name no component; their values may hold credentials and are not repeated.
    if line.starts_with('-') { None } else { Some(requirement(line, number)) }
}

pub(super) fn requirement(line: &str, number: usize) -> Line {
    let (spec, options) = line.split_once(" --").map_or((line, ""), |(spec, options)| (spec, options));
    let (spec, _marker) = match spec.split_once(" ;").or_else(|| split_marker(spec)) {
        Some((spec, marker)) => (spec.trim(), marker),
        None => (spec.trim(), ""),
    };
    let mut found = match spec.split_once('@').filter(|(name, _)| is_name(without_extras(name).trim())) {
        Some((name, address)) => {
            let address = address.trim();
            if is_local(address) {
                return Line::Own;
            }
            named(without_extras(name), None, origin(address))
        }
        None if is_address(spec) => match egg(spec) {
            Some(name) => named(name, None, origin(spec)),
            None => return Line::Unclear(number),
        },
        None if is_local(spec) => return Line::Own,
        None => match specified(spec) {
            Some(found) => found,
            None => return Line::Unclear(number),
        },
    };
    for option in options.split(" --") {
        if let Some(hash) = option.trim().strip_prefix("hash").map(|hash| hash.trim_start_matches(['=', ' '])) {
            match hash_of(hash.trim()) {
                Some(hash) => found.hashes.push(hash),
                None => found.bad_hashes += 1,
            }
        }
    }
    Line::Requirement(Box::new(found))
}

/// A marker begins at `;`; only in an address may one belong to something else.
fn split_marker(spec: &str) -> Option<(&str, &str)> {
    if is_address(spec) || spec.contains("://") { None } else { spec.split_once(';') }
}

fn named(name: &str, version: Option<&str>, origin: Origin) -> Requirement {
    Requirement { name: pypi_name(name.trim()), version: version.map(str::to_owned), origin, ..Requirement::default() }
}

/// Reads `name[extras] specifiers`.
fn specified(spec: &str) -> Option<Requirement> {
    let end = spec.find(['[', '(', '=', '<', '>', '!', '~', ' ', '\t']).unwrap_or(spec.len());
    let (name, rest) = spec.split_at_checked(end)?;
    if !is_name(name) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
    let rest = rest.trim().trim_start_matches('(').trim_end_matches(')');
    let mut version = None;
    for clause in rest.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
        if !clause.starts_with(['=', '<', '>', '!', '~']) {
            return None;
        }
        let exact = clause.strip_prefix("===").or_else(|| clause.strip_prefix("==")).map(str::trim);
        version = version.or(exact.filter(|exact| !exact.is_empty() && !exact.contains(['*', ' '])));
    }
    Some(named(name, version, Origin::Usual))
}

/// PEP 508: letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_name(name: &str) -> bool {
    let ends =
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.ends_with(|c: char| c.is_ascii_alphanumeric());
    ends && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
}

fn without_extras(name: &str) -> &str {
    name.split('[').next().unwrap_or_default()
}

fn is_address(spec: &str) -> bool {
    spec.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(&c))
    })
}

fn is_local(spec: &str) -> bool {
    let path = spec.starts_with(['.', '/', '~']) || spec.starts_with("file:");
    path || has_ending(spec, &["whl", "zip", "gz"]) && !is_address(spec) && !spec.contains("==")
}

fn egg(address: &str) -> Option<&str> {
    let (_, fragment) = address.split_once('#')?;
    let name = fragment.split('&').find_map(|part| part.strip_prefix("egg="))?;
    Some(without_extras(name)).filter(|name| is_name(name))
}

/// `git+https://host/path@revision#…` is a commit of a repository, every other address a file.
fn origin(address: &str) -> Origin {
    let address = address.split('#').next().unwrap_or_default();
    if !address.starts_with("git+") && !address.starts_with("git:") {
        return Origin::Download(address.to_owned());
    }
    // An `@` before the path parts user and host.
    let path = address.find("://").and_then(|at| Some(at + 3 + address.get(at + 3..)?.find('/')?));
    let at = address.rfind('@').filter(|at| path.is_some_and(|path| *at > path));
    let (url, commit) = match at.and_then(|at| Some((address.get(..at)?, address.get(at + 1..)?))) {
        Some((url, commit)) => (url, commit),
        None => (address, ""),
    };
    Origin::Git { url: url.to_owned(), commit: commit.to_owned() }
}

/// Returns algorithm and value of `sha256:…`, where it is one.
pub(super) fn hash_of(text: &str) -> Option<(&'static str, String)> {
    let (alg, value) = text.split_once(':')?;
    let (alg, bytes) = match alg {
        "sha256" => ("SHA-256", 32),
        "sha384" => ("SHA-384", 48),
        "sha512" => ("SHA-512", 64),
        _ => return None,
    };
    let value = value.to_ascii_lowercase();
    is_hex(&value, bytes).then_some((alg, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Requirement {
        match lines(line).unwrap().pop() {
            Some(Line::Requirement(found)) => *found,
            other => panic!("{line:?} gave {other:?}"),
        }
    }

    #[test]
    fn only_exact_pins_give_a_version() {
        for (line, version) in [
            ("Django==3.2", Some("3.2")),
            ("django === 3.2 ; python_version < '3.9'", Some("3.2")),
            ("django[argon2, bcrypt]==3.2;sys_platform=='x'", Some("3.2")),
            ("django (==3.2)", Some("3.2")),
            ("django ==3.2, <4", Some("3.2")),
            ("django==3.*", None),
            ("django>=3.2", None),
            ("django~=3.2", None),
            ("django", None),
            ("django@https://host/d-3.2.tar.gz", None),
        ] {
            let found = one(line);
            assert_eq!((found.name.as_str(), found.version.as_deref()), ("django", version), "{line}");
        }
    }

    #[test]
    fn continued_lines_carry_their_hashes() {
        let sum = "ab".repeat(32);
        let found = one(&format!(
            "a==1 \\\n    --hash=sha256:{sum} \\\n    --hash=md5:00\n    # via\n    #   -r x.in\n    #   b.c\n"
        ));
        assert_eq!(found.hashes, [("SHA-256", sum)]);
        assert_eq!(found.bad_hashes, 1);
        assert_eq!(found.via, [Via::Product, Via::Project("b-c".to_owned())]);
    }

    #[test]
    fn a_commit_is_taken_from_behind_the_path_only() {
        let found = one("git+ssh://git@host/a/b.git@0123#egg=Lib_X[y]");
        assert_eq!(found.name, "lib-x");
        assert_eq!(
            found.origin,
            Origin::Git { url: "git+ssh://git@host/a/b.git".to_owned(), commit: "0123".to_owned() }
        );
        assert_eq!(
            one("b @ git+https://u:p@host/a.git").origin,
            Origin::Git { url: "git+https://u:p@host/a.git".to_owned(), commit: String::new() }
        );
    }

    #[test]
    fn own_folders_options_and_nonsense_are_no_requirements() {
        assert_eq!(lines("-e .\n./lib\nx @ file:///y\n").unwrap(), [Line::Own, Line::Own, Line::Own]);
        assert_eq!(lines("--index-url https://u:p@host/\n# a comment\n").unwrap(), []);
        assert_eq!(
            lines("-r a.txt\n--constraint=c.txt\n").unwrap(),
            [Line::Include("a.txt".to_owned()), Line::Constraint("c.txt".to_owned())]
        );
        assert_eq!(lines("<html>").unwrap(), [Line::Unclear(1)]);
    }
}
