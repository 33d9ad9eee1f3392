//! Manifests that are programs, or of a syntax of their own: whether a lock accounts for them.
//!
//! Never here: evaluation. What such a file declares is known only to the tool that runs it, so that without a lock
//! it is said to be unlocked, with no component invented.

use super::kind::Kind;
use super::reading::Reading;
use super::tree::{File, Tree, joined, upwards};

/// A lock of a workspace stands no further up.
const FURTHEST: usize = 16;

/// Names every manifest that is not evaluated.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.programs().map(|file| read_file(tree, file)).collect()
}

fn read_file(tree: &Tree<'_>, file: File<'_>) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    if locked(tree, file) {
        return reading;
    }
    reading.unlocked();
    reading.gap("what it declares is not evaluated, and no lock beside it tells");
    reading
}

/// Returns the locks that account for a manifest, and whether one further up does too.
fn locks(reader: &str) -> (&'static [&'static str], bool) {
    match reader {
        "gradle-build" => (&["gradle.lockfile"], false),
        "paket-dependencies" => (&["paket.lock"], false),
        "gemfile" => (&["Gemfile.lock", "gems.locked"], false),
        "gemspec" => (&["Gemfile.lock", "gems.locked"], true),
        "mix-project" => (&["mix.lock"], true),
        "rebar-config" => (&["rebar.lock"], true),
        "swift-package" => (&["Package.resolved"], false),
        "podfile" => (&["Podfile.lock"], false),
        "cartfile" => (&["Cartfile.resolved"], false),
        "conan-recipe" => (&["conan.lock"], false),
        "stack" => (&["stack.yaml.lock"], false),
        "cabal-package" => (&["cabal.project.freeze", "stack.yaml.lock"], true),
        "cpanfile" => (&["cpanfile.snapshot"], false),
        _ => (&[], false),
    }
}

fn locked(tree: &Tree<'_>, file: File<'_>) -> bool {
    let (names, further_up) = locks(file.kind.reader());
    let folder = file.path.parent();
    let beside = upwards(folder).take(if further_up { FURTHEST } else { 1 });
    let mut folders = beside.flat_map(|at| names.iter().map(move |name| tree.in_folder(at, name)));
    folders.any(|found| found.is_some()) || file.kind == Kind::Program("swift-package") && in_xcode(tree, folder)
}

/// Xcode keeps the lock of a package deep inside of its workspace.
fn in_xcode(tree: &Tree<'_>, folder: &[u8]) -> bool {
    let at = joined(folder, b".swiftpm/xcode/package.xcworkspace/xcshareddata/swiftpm");
    tree.in_folder(&at, "Package.resolved").is_some()
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn a_program_is_covered_by_its_lock_or_said_to_be_unlocked() {
        let inventory = inventory(&[
            ("Gemfile", "gem 'a'"),
            ("a/Gemfile", "gem 'a'"),
            ("a/Gemfile.lock", "GEM\n  remote: https://rubygems.org/\n  specs:\n"),
            ("a/gems/b/b.gemspec", ""),
            ("app/build.gradle.kts", "dependencies {}"),
            ("Package.swift", ""),
            (".swiftpm/xcode/package.xcworkspace/xcshareddata/swiftpm/Package.resolved", "{\"version\":2,\"pins\":[]}"),
        ]);
        for (path, expected) in [
            ("Gemfile", CoverageStatus::Unlocked),
            ("a/Gemfile", CoverageStatus::Parsed),
            ("a/gems/b/b.gemspec", CoverageStatus::Parsed),
            ("app/build.gradle.kts", CoverageStatus::Unlocked),
            ("Package.swift", CoverageStatus::Parsed),
        ] {
            assert_eq!(status(&inventory, path), expected, "{path}");
        }
    }
}
