//! `cpanfile.snapshot` of Carton.
//!
//! A distribution provides modules, and modules are what others need. Perl itself and its core modules are the
//! platform. Never here: `cpanfile`, a program.

use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};

const ENDINGS: [&str; 4] = [".tar.gz", ".tgz", ".tar.bz2", ".zip"];

/// Reads every snapshot of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::CpanSnapshot).map(|file| or_failed(file, read_snapshot(file))).collect()
}

fn read_snapshot(file: File<'_>) -> Result<Reading, String> {
    let text = file.text()?;
    if !text.lines().any(|line| line.trim() == "DISTRIBUTIONS") {
        return Err("it has no list of distributions".to_owned());
    }
    let mut reading = Reading::new(file.kind, file.path);
    let mut list: Vec<(Vec<String>, Pinned)> = Vec::new();
    let mut section = "";
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let inner = line.trim();
        let indent = line.len() - line.trim_start().len();
        let word = inner.split(' ').next().unwrap_or_default();
        match (indent, list.last_mut()) {
            (2, _) => match distribution(inner) {
                Some(package) => list.push((Vec::new(), package)),
                None => reading.gap(&format!("a distribution is not understood: {inner}")),
            },
            (4, Some((_, package))) => {
                section = word;
                if let Some(path) = inner.strip_prefix("pathname: ") {
                    place(package, path);
                }
            }
            (6, Some((provides, _))) if section == "provides:" => provides.push(word.to_owned()),
            (6, Some((_, package))) if section == "requirements:" => package.needs.push(word.to_owned()),
            _ => {}
        }
    }
    report(&mut reading, list);
    Ok(reading)
}

/// Takes `Name-Of-It-1.0`.
fn distribution(text: &str) -> Option<Pinned> {
    let (name, version) = text.rsplit_once('-')?;
    Some(Pinned::new("cpan", name, Some(version), purl::plain("cpan", name, Some(version))))
}

/// Takes `A/AU/AUTHOR/Name-1.0.tar.gz`, which parts name and version as the author does.
fn place(package: &mut Pinned, path: &str) {
    let mut parts = path.rsplit('/');
    let (Some(archive), Some(author)) = (parts.next(), parts.next()) else { return };
    let stem = ENDINGS.iter().find_map(|ending| archive.strip_suffix(ending)).unwrap_or(archive);
    if let Some((name, version)) = stem.rsplit_once('-') {
        (package.name, package.version) = (name.to_owned(), Some(version.to_owned()));
    }
    let version = package.version.as_deref();
    package.purl = purl::other("cpan", &package.name, version, &Origin::Usual, &[("author", author)]);
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn modules_lead_to_their_distributions() {
        let text = "# carton snapshot format: version 1.0\nDISTRIBUTIONS\n  libwww-perl-6.76\n    pathname: O/OA/OALDERS/libwww-perl-6.76.tar.gz\n\
            \x20   provides:\n      LWP 6.76\n      LWP::UserAgent 6.76\n    requirements:\n      URI 1.10\n      perl 5.008\n\
            \x20 URI-5.21\n    pathname: S/SI/SIMBABQUE/URI-5.21.tar.gz\n    provides:\n      URI 5.21\n    requirements:\n      perl 5.008\n";
        let inventory = inventory(&[("cpanfile.snapshot", text), ("b/cpanfile.snapshot", "x")]);
        let lwp = found(&inventory, "pkg:cpan/libwww-perl@6.76?author=OALDERS");
        assert_eq!(lwp.dependencies, ["pkg:cpan/URI@5.21?author=SIMBABQUE"]);
        assert_eq!(inventory.components.len(), 2);
        assert_eq!(status(&inventory, "b/cpanfile.snapshot"), CoverageStatus::Failed);
    }
}
