//! Package URLs in their one canonical spelling (ECMA-427 and its type definitions).
//!
//! Which rule decides where the specification and an ecosystem differ:
//! - cargo, npm: names are case-exact; npm's scope is a namespace and its `@` is written `%40`.
//! - pypi: PEP 503 (lower case, every run of `-`, `_` and `.` is one `-`), so that one project has one purl.
//! - golang: the type definition says that namespace and name shall be lower case, although Go itself tells
//!   `Sirupsen` from `sirupsen`; a component's `name` keeps Go's own spelling.
//! - github, bitbucket: lower case, since these forges do not tell case apart.
//!
//! Never here: credentials. Addresses lose user names, queries and fragments before they are written.

/// Returns a purl; `path` is namespace and name, parted by `/`.
fn purl(kind: &str, path: &str, version: Option<&str>, qualifiers: &[(&str, String)]) -> String {
    let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(encode).collect();
    let mut purl = format!("pkg:{kind}/{}", segments.join("/"));
    if let Some(version) = version.filter(|version| !version.is_empty()) {
        purl.push('@');
        purl.push_str(&encode(version));
    }
    let mut between = '?';
    for (key, value) in qualifiers.iter().filter(|(_, value)| !value.is_empty()) {
        purl.push(between);
        purl.push_str(key);
        purl.push('=');
        purl.push_str(&encode(value));
        between = '&';
    }
    purl
}

/// Returns a purl of any other type, from where such packages are usually served.
pub(super) fn plain(kind: &str, path: &str, version: Option<&str>) -> String {
    purl(kind, path, version, &[])
}

/// Returns a purl of any other type; `path` is namespace and name, parted by `/`. Qualifiers are put into order.
pub(super) fn other(
    kind: &str,
    path: &str,
    version: Option<&str>,
    origin: &Origin,
    more: &[(&'static str, &str)],
) -> String {
    let mut qualifiers = origin.qualifiers();
    qualifiers.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
    qualifiers.sort_unstable();
    purl(kind, path, version, &qualifiers)
}

/// Types whose names are one whatever their case.
const CASELESS: [&str; 6] = ["bitbucket", "composer", "github", "golang", "hex", "pub"];

/// Returns a foreign purl in its canonical spelling, with its type; nothing where it is none.
pub(super) fn canonical(text: &str) -> Option<(String, String)> {
    let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
    let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (kind, path) = rest.split_once('/')?;
    let kind = kind.to_ascii_lowercase();
    // An `@` before the last segment begins a scope that was not encoded.
    let name_at = path.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1);
    let (path, version) = match path.get(name_at..)?.rsplit_once('@') {
        Some((name, version)) => (path.get(..name_at + name.len())?, Some(decoded(version)?)),
        None => (path, None),
    };
    let mut path = decoded(path)?;
    if CASELESS.contains(&kind.as_str()) {
        path = path.to_ascii_lowercase();
    } else if kind == "pypi" {
        path = pypi_name(&path);
    }
    let sound = |text: &str| text.bytes().all(|c| c.is_ascii_alphanumeric() || b".-_+".contains(&c));
    if kind.is_empty() || !sound(&kind) || path.split('/').all(str::is_empty) {
        return None;
    }
    let mut pairs = Vec::new();
    for pair in qualifiers.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=')?;
        pairs.push((key.to_ascii_lowercase(), decoded(value)?));
    }
    pairs.retain(|(key, _)| sound(key));
    pairs.sort_unstable();
    let pairs: Vec<(&str, String)> = pairs.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let mut canonical = purl(&kind, &path, version.as_deref(), &pairs);
    let subpath = decoded(subpath)?;
    let segments: Vec<String> = subpath.split('/').filter(|part| !["", ".", ".."].contains(part)).map(encode).collect();
    if !segments.is_empty() {
        canonical = format!("{canonical}#{}", segments.join("/"));
    }
    Some((canonical, kind))
}

/// Decodes `%` and two digits; nothing where that makes no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(bytes).ok()
}

/// Where a package comes from, when that is not its ecosystem's own registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// The registry that every reader of a purl assumes.
    #[default]
    Usual,
    /// Another registry.
    Registry(String),
    /// A file at an address.
    Download(String),
    /// A commit of a repository.
    Git { url: String, commit: String },
}

impl Origin {
    fn qualifiers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Usual => Vec::new(),
            Self::Registry(url) => vec![("repository_url", plain_address(url))],
            Self::Download(url) => vec![("download_url", plain_address(url))],
            Self::Git { url, commit } => vec![("vcs_url", vcs_url(url, commit))],
        }
    }
}

/// Returns the purl of a crate.
pub(super) fn cargo(name: &str, version: Option<&str>, origin: &Origin) -> String {
    purl("cargo", name, version, &origin.qualifiers())
}

/// Returns the purl of an npm package; `name` may have a scope.
pub(super) fn npm(name: &str, version: Option<&str>, origin: &Origin) -> String {
    purl("npm", name, version, &origin.qualifiers())
}

/// Returns the purl of a Python project.
pub(super) fn pypi(name: &str, version: Option<&str>, origin: &Origin) -> String {
    purl("pypi", &pypi_name(name), version, &origin.qualifiers())
}

/// Returns a Python project's name as PEP 503 normalizes it.
pub(super) fn pypi_name(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// Returns the purl of a Go module.
pub(super) fn golang(module: &str, version: Option<&str>) -> String {
    purl("golang", &module.to_ascii_lowercase(), version, &[])
}

/// Returns the purl of a package of any other type; `path` is namespace and name.
pub(super) fn typed(kind: &str, path: &str, version: Option<&str>, origin: &Origin) -> String {
    purl(kind, path, version, &origin.qualifiers())
}

/// Returns the purl of what stands in a repository at GitHub: of the whole where `subpath` is empty.
pub(super) fn github(repository: &str, reference: Option<&str>, subpath: &str) -> String {
    let mut purl = purl("github", &repository.to_ascii_lowercase(), reference, &[]);
    for (at, segment) in subpath.split('/').filter(|segment| !["", ".", ".."].contains(segment)).enumerate() {
        purl.push(if at == 0 { '#' } else { '/' });
        purl.push_str(&encode(segment));
    }
    purl
}

/// Returns the purl of a repository's commit: by forge where the address is one of a forge with a purl type of
/// its own, else generic. `fallback` is the name where the address gives none.
pub(super) fn repository(url: Option<&str>, commit: &str, fallback: &str) -> String {
    let Some(url) = url else { return purl("generic", fallback, Some(commit), &[]) };
    let address = plain_address(url);
    let (host, path) = host_and_path(&address);
    let forge = match host.trim_start_matches("www.") {
        "github.com" | "ssh.github.com" => Some("github"),
        "bitbucket.org" => Some("bitbucket"),
        _ => None,
    };
    if let Some(forge) = forge.filter(|_| path.split('/').filter(|part| !part.is_empty()).count() == 2) {
        return purl(forge, &path.to_ascii_lowercase(), Some(commit), &[]);
    }
    let name = path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(fallback);
    purl("generic", name, Some(commit), &[("vcs_url", vcs_url(url, commit))])
}

/// Returns a repository's name, as its address spells it.
pub(super) fn repository_name(url: Option<&str>) -> Option<String> {
    let address = plain_address(url?);
    let (_, path) = host_and_path(&address);
    path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn host_and_path(address: &str) -> (&str, &str) {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.strip_prefix("git@").unwrap_or(rest).trim_end_matches('/');
    let (host, path) = rest.split_once('/').unwrap_or(("", rest));
    (host, path.strip_suffix(".git").unwrap_or(path))
}

fn vcs_url(url: &str, commit: &str) -> String {
    let address = plain_address(url);
    let prefix = if address.starts_with("git+") || address.starts_with("git:") { "" } else { "git+" };
    let commit = if commit.is_empty() { String::new() } else { format!("@{commit}") };
    format!("{prefix}{address}{commit}")
}

/// Returns an address without user name, password, query and fragment, of which each may be a secret.
pub(super) fn plain_address(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    if let Some((scheme, rest)) = url.split_once("://") {
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
        let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        // `git` is what every forge calls the user of its SSH door.
        let user = if user == "git" && scheme.ends_with("ssh") { "git@" } else { "" };
        let path = path.map(|path| format!("/{path}")).unwrap_or_default();
        return format!("{scheme}://{user}{}{path}", host.to_ascii_lowercase());
    }
    // `user@host:path`, as scp writes it.
    match url.split_once(':') {
        Some((place, path)) if !place.contains('/') && !path.is_empty() => {
            let host = place.rsplit('@').next().unwrap_or_default();
            format!("ssh://git@{}/{}", host.to_ascii_lowercase(), path.trim_start_matches('/'))
        }
        _ => url.to_owned(),
    }
}

/// Percent-encodes every octet but the ones that the specification leaves plain.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            encoded.push(byte as char);
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'));
            encoded.push('%');
            encoded.extend(digits.map(|digit| digit.to_ascii_uppercase()));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_are_spelled_as_the_specification_says() {
        let usual = Origin::Usual;
        assert_eq!(npm("@angular/animation", Some("12.3.1"), &usual), "pkg:npm/%40angular/animation@12.3.1");
        assert_eq!(cargo("rand", Some("0.7.2"), &usual), "pkg:cargo/rand@0.7.2");
        assert_eq!(cargo("a", Some("1.0.0+b"), &usual), "pkg:cargo/a@1.0.0%2Bb");
        assert_eq!(pypi("Django__Package.x", Some("1.11.1"), &usual), "pkg:pypi/django-package-x@1.11.1");
        assert_eq!(
            golang("github.com/Masterminds/semver/v3", Some("v3.4.0")),
            "pkg:golang/github.com/masterminds/semver/v3@v3.4.0"
        );
        assert_eq!(npm("ü", None, &usual), "pkg:npm/%C3%BC");
    }

    #[test]
    fn foreign_purls_are_brought_into_one_spelling() {
        for (foreign, expected) in [
            ("pkg:npm/@angular/animation@12.3.1", Some("pkg:npm/%40angular/animation@12.3.1")),
            ("pkg://NPM/%40a/b@1%2B2?z=1&a=2", Some("pkg:npm/%40a/b@1%2B2?a=2&z=1")),
            ("pkg:pypi/Django_x@1", Some("pkg:pypi/django-x@1")),
            ("pkg:golang/github.com/A/b@v1#sub/../dir", Some("pkg:golang/github.com/a/b@v1#sub/dir")),
            ("pkg:generic/a b", Some("pkg:generic/a%20b")),
            ("pkg:npm", None),
            ("pkg:np m/x", None),
            ("https://x", None),
            ("pkg:npm/", None),
        ] {
            assert_eq!(canonical(foreign).map(|(purl, _)| purl).as_deref(), expected, "{foreign}");
        }
    }

    #[test]
    fn repositories_are_named_by_forge_or_by_address() {
        let c = "cc55108da32";
        for url in ["https://github.com/Acme/Lib.git", "git@github.com:acme/lib.git", "ssh://git@github.com/acme/lib/"]
        {
            assert_eq!(repository(Some(url), c, "x"), "pkg:github/acme/lib@cc55108da32", "{url}");
        }
        assert_eq!(
            repository(Some("https://git.fsfe.org/dxtr/bitwarderl"), c, "x"),
            "pkg:generic/bitwarderl@cc55108da32?vcs_url=git%2Bhttps:%2F%2Fgit.fsfe.org%2Fdxtr%2Fbitwarderl%40cc55108da32"
        );
        assert_eq!(repository(None, c, "deps/zlib"), "pkg:generic/deps/zlib@cc55108da32");
    }

    #[test]
    fn addresses_never_keep_credentials() {
        for url in [
            "https://me:hunter2@host/a/b.git?token=hunter2#hunter2",
            "git+https://hunter2@host/a/b.git",
            "https://a@hunter2@host/a/b.git",
            "hunter2@host:a/b.git",
        ] {
            assert!(!repository(Some(url), "c", "x").contains("hunter2"), "{url}");
        }
    }
}
