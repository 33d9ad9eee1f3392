//! Files in which programs keep their users' credentials, known by their names: netrc, pgpass, npmrc, pip.conf, …
//!
//! Who logs in where becomes a fact; passwords and tokens never do. Never here: files of other names.
//! Serves the manuals of the programs.

use crate::domain::{Fact, Facts, ItemClass, RepoPath};

use super::secrecy::{self, Named};
use super::text::{MOST_VALUES, bounded};
use super::{Recognized, path};

/// How large such a file may be.
const MOST_BYTES: usize = 256 * 1024;

/// What a file's lines told.
#[derive(Default)]
struct Told {
    entries: Vec<Facts>,
    /// Lines on which a secret stands in clear, with what it opens.
    clear: Vec<(u32, String)>,
    /// Lines that switch the check of certificates off.
    trusting: Vec<u32>,
}

/// Recognises a file of credentials by its name and grammar.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let name = path::lower_name(path);
    let (kind, class, list, read): (_, _, _, fn(&str) -> Option<Told>) = match name.as_ref() {
        ".netrc" | "_netrc" | "netrc" => ("netrc", ItemClass::Key, "machines", netrc),
        ".pgpass" | "pgpass.conf" | "pgpass" => ("pgpass", ItemClass::Key, "entries", pgpass),
        ".git-credentials" => ("git-credentials", ItemClass::Key, "addresses", git_credentials),
        ".npmrc" | "npmrc" => ("npmrc", ItemClass::Hardening, "registries", npmrc),
        "pip.conf" | "pip.ini" | ".pypirc" => ("pip-config", ItemClass::Hardening, "sections", sections),
        "credentials" if is_in_aws_folder(path) => ("aws-credentials", ItemClass::Key, "profiles", aws),
        _ if names_aws(bytes) => ("aws-credentials", ItemClass::Key, "profiles", aws),
        _ => return None,
    };
    if bytes.len() > MOST_BYTES || memchr::memchr(0, bytes).is_some() || path::is_about(path) {
        return None;
    }
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let told = read(&text)?;
    let mut facts = Facts::new();
    facts.set(list, Fact::List(told.entries.into_iter().take(MOST_VALUES).map(Fact::Map).collect()));
    let mut found = Recognized::new(kind, class, facts);
    for line in told.trusting.into_iter().take(MOST_VALUES) {
        found = found.observe("tls-verification-off", Some(line), "the server's certificate is not verified");
    }
    found.secret = !told.clear.is_empty();
    let clear = told.clear.into_iter().take(MOST_VALUES);
    Some(clear.fold(found, |found, (line, what)| {
        found.observe("secret-in-clear", Some(line), format!("the credentials of \"{what}\" stand here in clear"))
    }))
}

fn is_in_aws_folder(path: &RepoPath) -> bool {
    String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase().ends_with("aws/credentials")
}

/// A file of another name is one of AWS's when a line of it can be nothing else.
fn names_aws(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| matches!(first, b'[' | b'#'))
        && bytes.len() <= MOST_BYTES
        && memchr::memmem::find(bytes, b"aws_secret_access_key").is_some()
}

fn entry(pairs: &[(&str, &str)]) -> Facts {
    let mut facts = Facts::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        facts.set(*name, bounded(value.as_bytes()));
    }
    facts
}

/// Returns lines that are neither empty nor comments, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (&str, u32)> {
    let lines = text.lines().map(str::trim).zip(1_u32..);
    lines.filter(|(line, _)| !line.is_empty() && !line.starts_with(['#', ';']))
}

/// `machine HOST login NAME password SECRET`, over as many lines as one likes.
fn netrc(text: &str) -> Option<Told> {
    let mut told = Told::default();
    let (mut host, mut login) = (String::new(), String::new());
    let mut words = lines(text).flat_map(|(line, number)| line.split_whitespace().map(move |word| (word, number)));
    while let Some((word, _)) = words.next() {
        match word {
            "machine" | "default" => {
                host = if word == "default" { word.to_owned() } else { bounded(words.next()?.0.as_bytes()) };
                login.clear();
                told.entries.push(entry(&[("machine", &host)]));
            }
            "login" | "user" => {
                login = bounded(words.next()?.0.as_bytes());
                told.entries.last_mut()?.set("login", login.as_str());
            }
            "password" | "passwd" => {
                let (secret, line) = words.next()?;
                if !secrecy::is_placeholder(secret) && login != "anonymous" {
                    told.clear.push((line, host.clone()));
                }
            }
            "account" => {
                words.next()?;
            }
            // A macro runs to the next empty line; nothing after it is told.
            "macdef" => break,
            _ => return None,
        }
    }
    (!told.entries.is_empty()).then_some(told)
}

/// `host:port:database:user:password`, with a backslash before a colon that is none.
fn pgpass(text: &str) -> Option<Told> {
    let mut told = Told::default();
    for (line, number) in lines(text) {
        let mut fields = vec![String::new()];
        let mut escaped = false;
        for c in line.chars() {
            match c {
                '\\' if !escaped => escaped = true,
                ':' if !escaped && fields.len() < 5 => fields.push(String::new()),
                _ => {
                    fields.last_mut()?.push(c);
                    escaped = false;
                }
            }
        }
        let [host, port, database, user, secret] = fields.as_slice() else { return None };
        told.entries.push(entry(&[("host", host), ("port", port), ("database", database), ("user", user)]));
        if !secrecy::is_placeholder(secret) {
            told.clear.push((number, bounded(format!("{user}@{host}").as_bytes())));
        }
    }
    (!told.entries.is_empty()).then_some(told)
}

/// An address with user and password on each line.
fn git_credentials(text: &str) -> Option<Told> {
    let mut told = Told::default();
    for (line, number) in lines(text) {
        let (scheme, rest) = line.split_once("://")?;
        let (user, host) = rest.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        told.entries.push(entry(&[("scheme", scheme), ("host", host), ("user", name)]));
        if secrecy::has_credentials(line) {
            told.clear.push((number, bounded(host.as_bytes())));
        }
    }
    (!told.entries.is_empty()).then_some(told)
}

/// `key=value`, where keys of a registry begin with its address.
fn npmrc(text: &str) -> Option<Told> {
    const SECRETS: [&str; 3] = ["_authtoken", "_auth", "_password"];
    let mut told = Told::default();
    for (line, number) in lines(text) {
        let (name, value) = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()))?;
        let (registry, key) = name.rsplit_once(':').filter(|(at, _)| at.starts_with("//")).unwrap_or(("", name));
        let key = key.to_ascii_lowercase();
        if SECRETS.contains(&key.as_str()) {
            told.entries.push(entry(&[("registry", registry), ("by", &key)]));
            if !secrecy::is_placeholder(value) {
                told.clear.push((number, bounded(if registry.is_empty() { b"npm" } else { registry.as_bytes() })));
            }
        } else if secrecy::has_credentials(value) {
            told.clear.push((number, bounded(name.as_bytes())));
        } else if key == "registry" || key.ends_with(":registry") {
            told.entries.push(entry(&[("registry", value), ("scope", key.trim_end_matches("registry"))]));
        } else if key == "strict-ssl" && value == "false" {
            told.trusting.push(number);
        }
    }
    (!told.entries.is_empty() || !told.clear.is_empty() || !told.trusting.is_empty()).then_some(told)
}

/// `[section]` and `name = value`; the value may go on over indented lines.
fn ini(text: &str, mut each: impl FnMut(&str, &str, &str, u32)) -> Option<()> {
    let (mut section, mut key) = ("", "");
    for (raw, number) in text.lines().zip(1_u32..) {
        let line = raw.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.strip_suffix(']')?;
        } else if raw.starts_with([' ', '\t']) && !key.is_empty() && !line.contains(" = ") {
            each(section, key, line, number);
        } else {
            let (name, value) = line.split_once('=').or_else(|| line.split_once(':'))?;
            key = name.trim();
            each(section, key, value.trim(), number);
        }
    }
    Some(())
}

fn sections(text: &str) -> Option<Told> {
    let mut told = Told::default();
    ini(text, |section, key, value, line| {
        let secret = secrecy::has_credentials(value)
            || secrecy::judge(key) == Named::Secret && !secrecy::is_placeholder(value)
            || secrecy::is_token(value);
        let what = bounded(section.as_bytes());
        if secret {
            told.clear.push((line, what));
        } else if key == "trusted-host" && !value.is_empty() {
            told.trusting.push(line);
            told.entries.push(entry(&[("section", section), (key, value)]));
        } else if ["index-url", "extra-index-url", "repository", "username", "find-links"].contains(&key)
            && !value.is_empty()
        {
            told.entries.push(entry(&[("section", section), (key, value)]));
        }
    })?;
    (!told.entries.is_empty() || !told.clear.is_empty() || !told.trusting.is_empty()).then_some(told)
}

fn aws(text: &str) -> Option<Told> {
    let mut told = Told::default();
    ini(text, |section, key, value, line| {
        if told.entries.last().and_then(|last| last.text("profile")) != Some(section) {
            told.entries.push(entry(&[("profile", section)]));
        }
        let secret = ["aws_secret_access_key", "aws_session_token"].contains(&key.to_ascii_lowercase().as_str());
        if secret && !secrecy::is_placeholder(value) {
            told.clear.push((line, bounded(section.as_bytes())));
        } else if let Some(entry) = told.entries.last_mut()
            && ["region", "role_arn", "source_profile", "sso_account_id"].contains(&key)
        {
            entry.set(key, bounded(value.as_bytes()));
        }
    })?;
    (!told.entries.is_empty()).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, facts, and rules with their lines.
    type Found = (String, String, Vec<(&'static str, u32)>);

    fn found(path: &str, text: &str) -> Option<Found> {
        let found = recognize(&RepoPath::new(path), text.as_bytes())?;
        let said = format!("{found:?}");
        assert!(!said.contains("hunter"), "{said}");
        assert_eq!(found.secret, said.contains("secret-in-clear"));
        let seen = found.observations.iter().map(|seen| (seen.rule, seen.line.unwrap())).collect();
        Some((found.kind.clone(), Fact::Map(found.facts).to_string(), seen))
    }

    #[test]
    fn passwords_are_seen_with_their_lines_and_never_told() {
        for (path, text, facts, line) in [
            (
                "home/.netrc",
                "# x\nmachine a.test\n login me\n password hunter2\n",
                "[machines=[[login=me, machine=a.test]]]",
                4,
            ),
            (
                ".pgpass",
                "*:5432:db:app:hunt\\:er\\\\2hunter2\n",
                "[entries=[[database=db, host=*, port=5432, user=app]]]",
                1,
            ),
            (
                ".git-credentials",
                "https://me:hunter2@a.test\n",
                "[addresses=[[host=a.test, scheme=https, user=me]]]",
                1,
            ),
            (
                ".npmrc",
                "save-exact=true\n//r.test/:_authToken=hunter2-hunter2\n",
                "[registries=[[by=_authtoken, registry=//r.test/]]]",
                2,
            ),
            ("etc/pip.conf", "[global]\nindex-url = https://me:hunter2@a.test/simple\n", "[sections=[]]", 2),
            (
                ".pypirc",
                "[pypi]\nusername = __token__\npassword = pypi-hunter2\n",
                "[sections=[[section=pypi, username=__token__]]]",
                3,
            ),
            (
                ".aws/credentials",
                "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = hunter2\nregion = a\n",
                "[profiles=[[profile=default, region=a]]]",
                3,
            ),
        ] {
            let (_, told, seen) = found(path, text).unwrap();
            assert_eq!((told.as_str(), seen), (facts, vec![("secret-in-clear", line)]), "{path}");
        }
    }

    #[test]
    fn references_templates_and_other_files_are_silent() {
        assert_eq!(found(".npmrc", "//r.test/:_authToken=${NPM_TOKEN}\n").unwrap().2, []);
        assert_eq!(found(".netrc", "machine a login b password <password>\n").unwrap().2, []);
        assert_eq!(found(".aws/credentials", "[a]\nrole_arn = arn:aws:iam::1:role/x\n").unwrap().2, []);
        assert_eq!(found("docs/netrc.md", "machine a login b password hunter2\n"), None);
        assert_eq!(found("netrc", "This is how netrc works.\n"), None);
        assert_eq!(found(".npmrc", "save-exact=true\n"), None);
        assert_eq!(found("credentials", "me:hunter2\n"), None);
    }

    #[test]
    fn unverified_servers_are_told() {
        assert_eq!(
            found("pip.conf", "[global]\ntrusted-host = a.test\n b.test\n").unwrap().2,
            [("tls-verification-off", 2), ("tls-verification-off", 3)]
        );
        assert_eq!(found(".npmrc", "strict-ssl=false\n").unwrap().2, [("tls-verification-off", 1)]);
    }
}
