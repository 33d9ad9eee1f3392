//! What `CMake` fetches while it configures or builds: `FetchContent_Declare`, `ExternalProject_Add`, CPM.
//!
//! A commit or an archive with a hash pins; a tag is named as the version, and a branch is a gap. Variables are known
//! where the file, or a `CMakeLists.txt` above it, sets them to one value. `find_package` takes what the building
//! machine has, which no file tells. Never here: evaluation.

use std::collections::{BTreeMap, BTreeSet};

use super::cmake_text::{Command, commands};
use super::kind::Kind;
use super::pinned::{Pinned, report_one};
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex};
use super::tree::{File, Tree, joined, upwards};

const NAMES: [&str; 6] =
    ["set", "fetchcontent_declare", "externalproject_add", "cpmaddpackage", "cpmfindpackage", "find_package"];

/// Variables may name each other so deep, no value is longer, and no more values of one are told apart.
const DEEPEST: usize = 8;
const LONGEST: usize = 1000;
const MOST_VALUES: usize = 4;

/// A file that sets variables stands no further up.
const FURTHEST: usize = 16;

type Variables = BTreeMap<String, BTreeSet<String>>;

/// Reads every `CMake` file of the tree that takes something from elsewhere.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut variables: BTreeMap<&[u8], Variables> = BTreeMap::new();
    let mut parsed = Vec::new();
    for file in tree.of_kind(Kind::Cmake) {
        // Scripts of old are in other encodings, and what is looked for is plain.
        let text = String::from_utf8_lossy(file.bytes);
        let (set, rest): (Vec<_>, Vec<_>) =
            commands(&text, &NAMES).into_iter().partition(|command| command.name == "set");
        variables.insert(file.path.as_bytes(), values(set));
        parsed.push((file, rest));
    }
    let parsed = parsed.iter().filter(|(_, commands)| !commands.is_empty());
    parsed.map(|(file, commands)| read_file(*file, commands, &variables)).collect()
}

fn values(set: Vec<Command>) -> Variables {
    let mut variables = Variables::new();
    for command in set {
        let mut arguments = command.arguments.into_iter();
        let (Some(name), Some(value)) = (arguments.next(), arguments.next()) else { continue };
        let known = variables.entry(name).or_default();
        if known.len() < MOST_VALUES {
            known.insert(value);
        }
    }
    variables
}

fn read_file(file: File<'_>, commands: &[Command], variables: &BTreeMap<&[u8], Variables>) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let above = upwards(file.path.parent()).take(FURTHEST).map(|folder| joined(folder, b"CMakeLists.txt"));
    let above: Vec<Vec<u8>> = std::iter::once(file.path.as_bytes().to_vec()).chain(above).collect();
    let lists: Vec<&Variables> = above.iter().filter_map(|path| variables.get(path.as_slice())).collect();
    let mut found_elsewhere = BTreeSet::new();
    for command in commands {
        let Some(name) = command.arguments.first() else { continue };
        if command.name == "find_package" {
            // A name that is not known here is that of a function's caller.
            found_elsewhere.extend(expanded(name, &lists, DEEPEST).ok());
            continue;
        }
        let mut options = command.arguments.iter().zip(command.arguments.iter().skip(1));
        let name = options.find(|(key, _)| *key == "NAME").map_or(name, |(_, name)| name);
        match fetched(command, &lists) {
            Ok(Some(package)) => report_one(&mut reading, package),
            Ok(None) => {}
            Err(why) => reading.gap(&format!("{name}: {why}")),
        }
    }
    if !found_elsewhere.is_empty() {
        reading.unlocked();
    }
    for name in found_elsewhere {
        reading.gap(&format!("{name}: it is taken from wherever the building machine has it"));
    }
    reading
}

/// Where a command fetches from.
#[derive(Default)]
struct Place {
    name: String,
    git: Option<String>,
    tag: Option<String>,
    url: Option<String>,
    hash: Option<String>,
    version: Option<String>,
}

fn fetched(command: &Command, lists: &[&Variables]) -> Result<Option<Pinned>, String> {
    let mut place = if command.name.starts_with("cpm") && command.arguments.len() == 1 {
        short(command.arguments.first().map(String::as_str).unwrap_or_default())
    } else {
        long(command)
    };
    for field in [&mut place.git, &mut place.tag, &mut place.url, &mut place.hash, &mut place.version] {
        if let Some(text) = field.as_deref() {
            *field = Some(expanded(text, lists, DEEPEST).map_err(|name| format!("${{{name}}} has no one value here"))?);
        }
    }
    if let Some(git) = &place.git {
        return from_git(&place, git).map(Some);
    }
    match place.url.as_deref() {
        Some(url) if url.contains("://") => Ok(Some(from_archive(&place, url))),
        // A folder or an archive of the product's own.
        Some(_) | None => Ok(None),
    }
}

/// CPM's short form: `gh:owner/name#tag`, or `@version`.
fn short(text: &str) -> Place {
    let (address, tag) = match text.rsplit_once('#') {
        Some((address, tag)) => (address, Some(tag.to_owned())),
        None => match text.rsplit_once('@') {
            Some((address, version)) => (address, Some(format!("v{version}"))),
            None => (text, None),
        },
    };
    let git = match address.split_once(':') {
        Some(("gh", path)) => format!("https://github.com/{path}"),
        Some(("gl", path)) => format!("https://gitlab.com/{path}"),
        Some(("bb", path)) => format!("https://bitbucket.org/{path}"),
        _ => address.to_owned(),
    };
    let name = git.rsplit('/').next().unwrap_or_default().trim_end_matches(".git").to_owned();
    Place { name, git: Some(git), tag, ..Place::default() }
}

fn long(command: &Command) -> Place {
    let mut place = Place::default();
    // CPM writes the name as an option, the others put it first.
    if !command.name.starts_with("cpm") {
        place.name = command.arguments.first().cloned().unwrap_or_default();
    }
    for pair in command.arguments.windows(2) {
        let [key, value] = pair else { continue };
        let value = || Some(value.clone());
        match key.as_str() {
            "NAME" => place.name = value().unwrap_or_default(),
            "GIT_REPOSITORY" => place.git = value(),
            "GITHUB_REPOSITORY" => place.git = value().map(|path| format!("https://github.com/{path}")),
            "GITLAB_REPOSITORY" => place.git = value().map(|path| format!("https://gitlab.com/{path}")),
            "GIT_TAG" => place.tag = value(),
            "VERSION" => place.version = value(),
            "URL" => place.url = place.url.take().or_else(value),
            "URL_HASH" => place.hash = value(),
            "URL_MD5" => place.hash = value().map(|hash| format!("MD5={hash}")),
            _ => {}
        }
    }
    if place.tag.is_none() && command.name.starts_with("cpm") {
        place.tag = place.version.as_ref().map(|version| format!("v{version}"));
    }
    place
}

fn from_git(place: &Place, git: &str) -> Result<Pinned, String> {
    let tag = place.tag.as_deref().map(|tag| tag.trim_start_matches("tags/").trim_start_matches("origin/"));
    let tag = tag.filter(|tag| !["main", "master", "develop", "HEAD", ""].contains(tag));
    let tag = tag.ok_or("it is taken from a branch, so that no file says which version")?;
    let mut package = Pinned::new("cmake", &place.name, Some(tag), purl::repository(Some(git), tag, &place.name));
    package.hash("git", Some(tag).filter(|tag| is_hex(tag, 20)));
    package.direct = Some(true);
    Ok(package)
}

fn from_archive(place: &Place, url: &str) -> Pinned {
    let (version, purl) = if let Some((repository, tag)) = forge(url) {
        (Some(tag), purl::repository(Some(&repository), tag, &place.name))
    } else {
        let version = version_of(url);
        let origin = Origin::Download(url.to_owned());
        (version, purl::other("generic", &place.name, version, &origin, &[]))
    };
    let mut package = Pinned::new("cmake", &place.name, version, purl);
    package.direct = Some(true);
    if let Some((alg, value)) = place.hash.as_deref().and_then(|hash| hash.split_once('=')) {
        let alg = match alg.to_ascii_uppercase().as_str() {
            "MD5" => "MD5",
            "SHA1" => "SHA-1",
            "SHA256" => "SHA-256",
            "SHA384" => "SHA-384",
            "SHA512" => "SHA-512",
            _ => return package,
        };
        package.hash(alg, Some(value));
    }
    package
}

/// Returns repository and tag of an archive that GitHub makes of them.
fn forge(url: &str) -> Option<(String, &str)> {
    let path = url.strip_prefix("https://github.com/")?;
    let mut parts = path.splitn(3, '/');
    let (owner, name, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let tag = if let Some(rest) = rest.strip_prefix("releases/download/") {
        rest.split('/').next()?
    } else {
        let file = rest.strip_prefix("archive/")?;
        without_ending(file.strip_prefix("refs/tags/").unwrap_or(file))
    };
    Some((format!("https://github.com/{owner}/{name}"), tag))
}

fn without_ending(file: &str) -> &str {
    let endings = [".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".zip", ".7z"];
    endings.iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file)
}

/// The version in a file's name, such as `zlib-1.3.1.tar.gz`.
fn version_of(url: &str) -> Option<&str> {
    let file = url.split(['?', '#']).next()?.rsplit('/').next()?;
    let last = without_ending(file).rsplit(['-', '_']).next()?;
    let version = last.strip_prefix('v').unwrap_or(last);
    (version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.')).then_some(version)
}

/// Replaces `${name}` by its one value.
fn expanded(text: &str, lists: &[&Variables], deeper: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        let (name, after) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')).ok_or("…")?;
        out.push_str(before);
        let values = lists.iter().find_map(|list| list.get(name));
        let value = values.filter(|values| values.len() == 1 && deeper > 0).and_then(BTreeSet::first);
        out.push_str(&expanded(value.ok_or_else(|| name.to_owned())?, lists, deeper - 1)?);
        if out.len() > LONGEST {
            return Err(name.to_owned());
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn what_is_fetched_has_its_commit_tag_or_hash() {
        let sum = "a".repeat(64);
        let text = format!(
            "set(V 1.14.0)\ninclude(FetchContent)\nFetchContent_Declare(\n  googletest\n  GIT_REPOSITORY https://github.com/Google/googletest.git\n  GIT_TAG v${{V}} # tag\n)\n\
             FetchContent_Declare(fmt URL https://github.com/fmtlib/fmt/archive/refs/tags/10.2.1.tar.gz URL_HASH SHA256={sum})\n\
             ExternalProject_Add(z URL \"https://z.org/zlib-1.3.1.tar.gz\" URL_MD5 0123)\n\
             FetchContent_Declare(m GIT_REPOSITORY https://h.org/m.git GIT_TAG {COMMIT})\n\
             FetchContent_Declare(b GIT_REPOSITORY https://h.org/b.git GIT_TAG main)\nFetchContent_Declare(u GIT_REPOSITORY ${{NOWHERE}})\n\
             FetchContent_Declare(own SOURCE_DIR ${{CMAKE_SOURCE_DIR}}/own)\n\
             CPMAddPackage(\"gh:nlohmann/json@3.11.3\")\nCPMAddPackage(NAME spd VERSION 1.0 GITHUB_REPOSITORY gabime/spdlog)\n"
        );
        let inventory = inventory(&[("CMakeLists.txt", &text), ("x/CMakeLists.txt", "add_library(x x.c)\n")]);
        found(&inventory, "pkg:github/google/googletest@v1.14.0");
        assert_eq!(found(&inventory, "pkg:github/fmtlib/fmt@10.2.1").hashes[0].value, sum);
        let zlib = found(&inventory, "pkg:generic/z@1.3.1?download_url=https:%2F%2Fz.org%2Fzlib-1.3.1.tar.gz");
        assert_eq!(zlib.version.as_deref(), Some("1.3.1"));
        assert!(inventory.components.iter().any(|c| c.name == "m" && c.hashes[0].value == COMMIT));
        found(&inventory, "pkg:github/nlohmann/json@v3.11.3");
        found(&inventory, "pkg:github/gabime/spdlog@v1.0");
        assert_eq!(inventory.components.len(), 6);
        let gaps = gaps(&inventory, "CMakeLists.txt");
        assert_eq!(gaps.len(), 3, "{gaps:?}");
        assert_eq!(inventory.coverage.len(), 1, "a file that takes nothing is no manifest");
    }

    #[test]
    fn what_the_machine_has_is_a_gap() {
        let inventory = inventory(&[
            ("CMakeLists.txt", "set(URL_A https://a.org/a-1.0.zip)\n"),
            ("cmake/deps.cmake", "find_package(OpenSSL 1.1 REQUIRED)\nExternalProject_Add(a URL ${URL_A})\n"),
        ]);
        assert_eq!(status(&inventory, "cmake/deps.cmake"), CoverageStatus::Unlocked);
        assert_eq!(
            gaps(&inventory, "cmake/deps.cmake"),
            ["OpenSSL: it is taken from wherever the building machine has it"]
        );
        assert_eq!(inventory.components.len(), 1);
    }

    #[test]
    fn variables_that_name_themselves_end() {
        let set = |level: usize| format!("set(V{level} ${{V{0}}}${{V{0}}})\n", level - 1);
        let laughs = (1..40).map(set).collect::<Vec<_>>().concat();
        let text = format!(
            "set(V0 x)\n{laughs}set(ME ${{ME}})\nFetchContent_Declare(a URL ${{ME}})\nFetchContent_Declare(b URL ${{V39}})\n"
        );
        assert_eq!(gaps(&inventory(&[("CMakeLists.txt", &text)]), "CMakeLists.txt").len(), 2);
    }
}
