//! The table of file names: which lock and manifest files are known, and which of them this version reads.
//!
//! Decided by name alone, so that asking is cheap. Never here: a look into a file.

use crate::domain::RepoPath;

/// What a file is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `Cargo.lock`.
    CargoLock,
    /// `Cargo.toml`.
    CargoManifest,
    /// `package-lock.json`, `npm-shrinkwrap.json`.
    NpmLock,
    /// `package.json`.
    NpmManifest,
    /// `requirements*.txt`, `constraints*.txt`, and every text in a folder called `requirements`.
    Requirements,
    /// `go.mod`.
    GoMod,
    /// `go.sum`.
    GoSum,
    /// `.gitmodules` at the top.
    GitModules,
    /// Known, and not read by this version; with the name of the reader that is still to come.
    Unread(&'static str),
}

/// Lock files and manifests that pin or declare components and have no reader yet.
const UNREAD: [(&str, &str); 58] = [
    (".terraform.lock.hcl", "terraform-lock"),
    ("Cartfile.resolved", "carthage-resolved"),
    ("Chart.lock", "helm-lock"),
    ("Directory.Packages.props", "nuget-central"),
    ("Gemfile", "gemfile"),
    ("Gemfile.lock", "gemfile-lock"),
    ("Gopkg.lock", "go-dep-lock"),
    ("MODULE.bazel", "bazel-module"),
    ("MODULE.bazel.lock", "bazel-lock"),
    ("Manifest.toml", "julia-manifest"),
    ("Package.resolved", "swift-resolved"),
    ("Paket.lock", "paket-lock"),
    ("Pipfile", "pipfile"),
    ("Pipfile.lock", "pipfile-lock"),
    ("Podfile.lock", "cocoapods-lock"),
    ("build.gradle", "gradle-build"),
    ("build.gradle.kts", "gradle-build"),
    ("build.sbt", "sbt-build"),
    ("buildscript-gradle.lockfile", "gradle-lock"),
    ("bun.lock", "bun-lock"),
    ("bun.lockb", "bun-lock"),
    ("cabal.project.freeze", "cabal-freeze"),
    ("composer.json", "composer-manifest"),
    ("composer.lock", "composer-lock"),
    ("conan.lock", "conan-lock"),
    ("conanfile.py", "conan-recipe"),
    ("conanfile.txt", "conan-recipe"),
    ("cpanfile.snapshot", "cpan-snapshot"),
    ("deno.lock", "deno-lock"),
    ("deps.edn", "clojure-deps"),
    ("environment.yaml", "conda-environment"),
    ("environment.yml", "conda-environment"),
    ("flake.lock", "nix-lock"),
    ("glide.lock", "go-glide-lock"),
    ("go.work", "go-work"),
    ("gradle.lockfile", "gradle-lock"),
    ("ivy.xml", "ivy"),
    ("libs.versions.toml", "gradle-catalog"),
    ("mix.lock", "mix-lock"),
    ("npm-shrinkwrap.yaml", "pnpm-lock"),
    ("packages.config", "nuget-config"),
    ("packages.lock.json", "nuget-lock"),
    ("paket.lock", "paket-lock"),
    ("pdm.lock", "pdm-lock"),
    ("pnpm-lock.yaml", "pnpm-lock"),
    ("poetry.lock", "poetry-lock"),
    ("pom.xml", "maven-pom"),
    ("pubspec.lock", "pub-lock"),
    ("pylock.toml", "pylock"),
    ("pyproject.toml", "python-project"),
    ("rebar.lock", "rebar-lock"),
    ("renv.lock", "renv-lock"),
    ("setup.cfg", "setuptools"),
    ("setup.py", "setuptools"),
    ("stack.yaml.lock", "stack-lock"),
    ("uv.lock", "uv-lock"),
    ("vcpkg.json", "vcpkg-manifest"),
    ("yarn.lock", "yarn-lock"),
];

impl Kind {
    /// Returns what the file is, if its name is known.
    pub(super) fn of(path: &RepoPath) -> Option<Self> {
        let name = std::str::from_utf8(path.file_name()).ok()?;
        let kind = match name {
            "Cargo.lock" => Self::CargoLock,
            "Cargo.toml" => Self::CargoManifest,
            "package-lock.json" | "npm-shrinkwrap.json" => Self::NpmLock,
            "package.json" => Self::NpmManifest,
            "go.mod" => Self::GoMod,
            "go.sum" => Self::GoSum,
            // Git reads the one at the top only.
            ".gitmodules" if path.parent().is_empty() => Self::GitModules,
            _ if is_requirements(name, path.parent()) => Self::Requirements,
            _ => {
                let at = UNREAD.binary_search_by(|(known, _)| known.as_bytes().cmp(name.as_bytes())).ok()?;
                Self::Unread(UNREAD.get(at)?.1)
            }
        };
        Some(kind)
    }

    /// Returns the name of its reader.
    pub(super) const fn reader(self) -> &'static str {
        match self {
            Self::CargoLock => "cargo-lock",
            Self::CargoManifest => "cargo-manifest",
            Self::NpmLock => "npm-lock",
            Self::NpmManifest => "npm-manifest",
            Self::Requirements => "pip-requirements",
            Self::GoMod => "go-mod",
            Self::GoSum => "go-sum",
            Self::GitModules => "git-submodules",
            Self::Unread(reader) => reader,
        }
    }
}

fn is_requirements(name: &str, folder: &[u8]) -> bool {
    let Some(stem) = name.strip_suffix(".txt") else { return false };
    let stem = stem.to_ascii_lowercase();
    let in_folder = folder.rsplit(|byte| *byte == b'/').next() == Some(b"requirements");
    in_folder || stem.contains("requirements") || stem.contains("constraints")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(UNREAD.is_sorted_by(|a, b| a.0 < b.0));
        for (name, reader) in UNREAD {
            assert_eq!(Kind::of(&RepoPath::from(name)), Some(Kind::Unread(reader)), "{name}");
        }
    }

    #[test]
    fn files_are_known_by_name_alone() {
        for (path, kind) in [
            ("a/Cargo.lock", Some(Kind::CargoLock)),
            ("requirements-dev.txt", Some(Kind::Requirements)),
            ("requirements/base.txt", Some(Kind::Requirements)),
            ("base.txt", None),
            ("requirements.md", None),
            (".gitmodules", Some(Kind::GitModules)),
            ("vendor/.gitmodules", None),
            ("cargo.lock", None),
        ] {
            assert_eq!(Kind::of(&RepoPath::from(path)), kind, "{path}");
        }
    }
}
