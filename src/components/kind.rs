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

    // Scripts' languages, pipelines, images and the tools of builds.
    /// `yarn.lock`, of either Yarn.
    YarnLock,
    /// `pnpm-lock.yaml`, `npm-shrinkwrap.yaml`.
    PnpmLock,
    /// `bun.lock`.
    BunLock,
    /// `deno.lock`.
    DenoLock,
    /// `Pipfile`.
    Pipfile,
    /// `Pipfile.lock`.
    PipfileLock,
    /// `poetry.lock`.
    PoetryLock,
    /// `pdm.lock`.
    PdmLock,
    /// `uv.lock`, `*.py.lock`.
    UvLock,
    /// `pylock.toml`, `pylock.*.toml`.
    Pylock,
    /// `pyproject.toml`.
    PythonProject,
    /// `setup.cfg`.
    SetupCfg,
    /// `setup.py`.
    SetupPy,
    /// `environment.yml`.
    CondaEnvironment,
    /// What a forge runs: `.github/workflows/*.yml` and the like, at the top.
    Workflow,
    /// `action.yml`.
    Action,
    /// `.gitlab-ci.yml`, and the texts in a folder `.gitlab/ci`.
    GitlabCi,
    /// `Dockerfile`, `Containerfile`, with any addition.
    Dockerfile,
    /// `compose.yml`, `docker-compose.yml`, with any addition.
    Compose,
    /// `Chart.lock`, `requirements.lock` of a chart.
    HelmLock,
    /// `Chart.yaml`, `requirements.yaml` beside one.
    HelmChart,
    /// `.terraform.lock.hcl`.
    TerraformLock,
    /// `flake.lock`.
    FlakeLock,
    /// `MODULE.bazel`.
    BazelModule,
    /// `MODULE.bazel.lock`.
    BazelLock,
    /// `go.work`.
    GoWork,
    /// `go.work.sum`.
    GoWorkSum,

    // Builds of the JVM, .NET, PHP, Ruby, Dart, Erlang, Apple, C and C++, Haskell, R, Julia, Perl; bills of materials.
    /// `pom.xml`, and those with more to their names.
    MavenPom,
    /// `.mvn/extensions.xml`.
    MavenExtensions,
    /// `gradle.lockfile`, and the older locks of one configuration each.
    GradleLock,
    /// `buildscript-gradle.lockfile`, `settings-gradle.lockfile`.
    GradleBuildLock,
    /// `libs.versions.toml`, and other catalogs.
    GradleCatalog,
    /// `packages.lock.json`.
    NugetLock,
    /// `Directory.Packages.props`.
    NugetCentral,
    /// `*.csproj`, `*.fsproj`, `*.vbproj`, `Directory.Build.props`, `Directory.Build.targets`.
    NugetProject,
    /// `packages.config`.
    NugetConfig,
    /// `paket.lock`.
    PaketLock,
    /// `composer.lock`.
    ComposerLock,
    /// `composer.json`.
    ComposerManifest,
    /// `Gemfile.lock`, those with more to their names, `gems.locked`.
    GemLock,
    /// `pubspec.lock`.
    PubLock,
    /// `pubspec.yaml`.
    PubManifest,
    /// `mix.lock`.
    MixLock,
    /// `rebar.lock`.
    RebarLock,
    /// `Package.resolved`.
    SwiftLock,
    /// `Podfile.lock`.
    PodLock,
    /// `Cartfile.resolved`.
    CartLock,
    /// `conan.lock`.
    ConanLock,
    /// `conanfile.txt`.
    ConanManifest,
    /// `vcpkg.json`.
    VcpkgManifest,
    /// `vcpkg-configuration.json`.
    VcpkgConfiguration,
    /// `vcpkg-lock.json`.
    VcpkgLock,
    /// `CMakeLists.txt`, `*.cmake`.
    Cmake,
    /// `west.yml`.
    WestManifest,
    /// `default.xml`, which is a manifest of Android's `repo` where it says so.
    RepoManifest,
    /// `platformio.ini`.
    Platformio,
    /// `stack.yaml.lock`.
    StackLock,
    /// `cabal.project.freeze`.
    CabalFreeze,
    /// `renv.lock`.
    RenvLock,
    /// `packrat/packrat.lock`.
    PackratLock,
    /// `Manifest.toml` of Julia.
    JuliaManifest,
    /// `Project.toml` of Julia.
    JuliaProject,
    /// `cpanfile.snapshot`.
    CpanSnapshot,
    /// `*.cdx.json`, `bom.json`.
    CyclonedxJson,
    /// `*.cdx.xml`, `bom.xml`.
    CyclonedxXml,
    /// `*.spdx.json`.
    SpdxJson,
    /// `*.spdx`.
    SpdxText,
    /// A manifest that is a program or of a syntax of its own, which is not evaluated; with the reader's name.
    Program(&'static str),

    /// Known, and not read by this version; with the name of the reader that is still to come.
    Unread(&'static str),
}

/// Lock files and manifests that pin or declare components and have no reader yet.
const UNREAD: [(&str, &str); 5] = [
    ("Gopkg.lock", "go-dep-lock"),
    ("bun.lockb", "bun-lock"),
    ("conda-lock.yml", "conda-lock"),
    ("glide.lock", "go-glide-lock"),
    ("pixi.lock", "pixi-lock"),
];

impl Kind {
    /// Returns what the file is, if its name is known.
    pub(super) fn of(path: &RepoPath) -> Option<Self> {
        let name = std::str::from_utf8(path.file_name()).ok()?;
        if let Some(kind) = Self::by_name(name, path.parent()).or_else(|| Self::by_ending(name)) {
            return Some(kind);
        }
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
                return of_scripts_and_pipelines(name, path.parent()).or_else(|| unread(name));
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
            Self::GoSum | Self::GoWorkSum => "go-sum",
            Self::GitModules => "git-submodules",
            Self::YarnLock => "yarn-lock",
            Self::PnpmLock => "pnpm-lock",
            Self::BunLock => "bun-lock",
            Self::DenoLock => "deno-lock",
            Self::Pipfile => "pipfile",
            Self::PipfileLock => "pipfile-lock",
            Self::PoetryLock => "poetry-lock",
            Self::PdmLock => "pdm-lock",
            Self::UvLock => "uv-lock",
            Self::Pylock => "pylock",
            Self::PythonProject => "python-project",
            Self::SetupCfg | Self::SetupPy => "setuptools",
            Self::CondaEnvironment => "conda-environment",
            Self::Workflow => "workflow",
            Self::Action => "action",
            Self::GitlabCi => "gitlab-ci",
            Self::Dockerfile => "dockerfile",
            Self::Compose => "compose",
            Self::HelmLock => "helm-lock",
            Self::HelmChart => "helm-chart",
            Self::TerraformLock => "terraform-lock",
            Self::FlakeLock => "nix-lock",
            Self::BazelModule => "bazel-module",
            Self::BazelLock => "bazel-lock",
            Self::GoWork => "go-work",
            Self::MavenPom => "maven-pom",
            Self::MavenExtensions => "maven-extensions",
            Self::GradleLock | Self::GradleBuildLock => "gradle-lock",
            Self::GradleCatalog => "gradle-catalog",
            Self::NugetLock => "nuget-lock",
            Self::NugetCentral => "nuget-central",
            Self::NugetProject => "nuget-project",
            Self::NugetConfig => "nuget-config",
            Self::PaketLock => "paket-lock",
            Self::ComposerLock => "composer-lock",
            Self::ComposerManifest => "composer-manifest",
            Self::GemLock => "gemfile-lock",
            Self::PubLock => "pub-lock",
            Self::PubManifest => "pub-manifest",
            Self::MixLock => "mix-lock",
            Self::RebarLock => "rebar-lock",
            Self::SwiftLock => "swift-resolved",
            Self::PodLock => "cocoapods-lock",
            Self::CartLock => "carthage-resolved",
            Self::ConanLock => "conan-lock",
            Self::ConanManifest => "conan-manifest",
            Self::VcpkgManifest => "vcpkg-manifest",
            Self::VcpkgConfiguration => "vcpkg-configuration",
            Self::VcpkgLock => "vcpkg-lock",
            Self::Cmake => "cmake",
            Self::WestManifest => "west-manifest",
            Self::RepoManifest => "repo-manifest",
            Self::Platformio => "platformio",
            Self::StackLock => "stack-lock",
            Self::CabalFreeze => "cabal-freeze",
            Self::RenvLock => "renv-lock",
            Self::PackratLock => "packrat-lock",
            Self::JuliaManifest => "julia-manifest",
            Self::JuliaProject => "julia-project",
            Self::CpanSnapshot => "cpan-snapshot",
            Self::CyclonedxJson | Self::CyclonedxXml => "cyclonedx",
            Self::SpdxJson | Self::SpdxText => "spdx",
            Self::Program(reader) | Self::Unread(reader) => reader,
        }
    }

    fn by_name(name: &str, folder: &[u8]) -> Option<Self> {
        let kind = match name {
            "pom.xml" => Self::MavenPom,
            "extensions.xml" if folder == b".mvn" || folder.ends_with(b"/.mvn") => Self::MavenExtensions,
            "gradle.lockfile" => Self::GradleLock,
            "buildscript-gradle.lockfile" | "settings-gradle.lockfile" => Self::GradleBuildLock,
            "build.gradle" | "build.gradle.kts" => Self::Program("gradle-build"),
            "packages.lock.json" => Self::NugetLock,
            "Directory.Packages.props" => Self::NugetCentral,
            "Directory.Build.props" | "Directory.Build.targets" => Self::NugetProject,
            "packages.config" => Self::NugetConfig,
            "paket.lock" => Self::PaketLock,
            "paket.dependencies" => Self::Program("paket-dependencies"),
            "composer.lock" => Self::ComposerLock,
            "composer.json" => Self::ComposerManifest,
            "Gemfile.lock" | "gems.locked" => Self::GemLock,
            "Gemfile" | "gems.rb" => Self::Program("gemfile"),
            "pubspec.lock" => Self::PubLock,
            "pubspec.yaml" => Self::PubManifest,
            "mix.lock" => Self::MixLock,
            "mix.exs" => Self::Program("mix-project"),
            "rebar.lock" => Self::RebarLock,
            "rebar.config" => Self::Program("rebar-config"),
            "Package.resolved" => Self::SwiftLock,
            "Package.swift" => Self::Program("swift-package"),
            "Podfile.lock" => Self::PodLock,
            "Podfile" => Self::Program("podfile"),
            "Cartfile.resolved" => Self::CartLock,
            "Cartfile" => Self::Program("cartfile"),
            "conan.lock" => Self::ConanLock,
            "conanfile.txt" => Self::ConanManifest,
            "conanfile.py" => Self::Program("conan-recipe"),
            "vcpkg.json" => Self::VcpkgManifest,
            "vcpkg-configuration.json" => Self::VcpkgConfiguration,
            "vcpkg-lock.json" => Self::VcpkgLock,
            "CMakeLists.txt" => Self::Cmake,
            "west.yml" => Self::WestManifest,
            "default.xml" => Self::RepoManifest,
            "platformio.ini" => Self::Platformio,
            "stack.yaml.lock" => Self::StackLock,
            "stack.yaml" => Self::Program("stack"),
            "cabal.project.freeze" => Self::CabalFreeze,
            "renv.lock" => Self::RenvLock,
            "packrat.lock" => Self::PackratLock,
            "Manifest.toml" | "JuliaManifest.toml" => Self::JuliaManifest,
            "Project.toml" | "JuliaProject.toml" => Self::JuliaProject,
            "cpanfile.snapshot" => Self::CpanSnapshot,
            "cpanfile" => Self::Program("cpanfile"),
            "build.sbt" => Self::Program("sbt-build"),
            "deps.edn" => Self::Program("clojure-deps"),
            "project.clj" => Self::Program("leiningen"),
            "ivy.xml" => Self::Program("ivy"),
            "bom.json" => Self::CyclonedxJson,
            "bom.xml" => Self::CyclonedxXml,
            _ => return None,
        };
        Some(kind)
    }

    fn by_ending(name: &str) -> Option<Self> {
        let (stem, ending) = name.rsplit_once('.')?;
        let kind = match ending {
            "xml" if stem.ends_with("-pom") || stem.starts_with("pom-") => Self::MavenPom,
            "xml" if stem.ends_with(".cdx") => Self::CyclonedxXml,
            "json" if stem.ends_with(".cdx") => Self::CyclonedxJson,
            "json" if stem.ends_with(".spdx") => Self::SpdxJson,
            "toml" if stem.ends_with(".versions") => Self::GradleCatalog,
            "toml" if stem.starts_with("Manifest-v") => Self::JuliaManifest,
            "spdx" => Self::SpdxText,
            "lockfile" => Self::GradleLock,
            "lock" if stem.starts_with("Gemfile") || stem.ends_with(".gemfile") => Self::GemLock,
            "csproj" | "fsproj" | "vbproj" => Self::NugetProject,
            "cmake" => Self::Cmake,
            "gemspec" => Self::Program("gemspec"),
            "cabal" => Self::Program("cabal-package"),
            _ => return None,
        };
        Some(kind)
    }
}

fn unread(name: &str) -> Option<Kind> {
    let at = UNREAD.binary_search_by(|(known, _)| known.as_bytes().cmp(name.as_bytes())).ok()?;
    Some(Kind::Unread(UNREAD.get(at)?.1))
}

fn of_scripts_and_pipelines(name: &str, folder: &[u8]) -> Option<Kind> {
    let kind = match name {
        "yarn.lock" => Kind::YarnLock,
        "pnpm-lock.yaml" | "npm-shrinkwrap.yaml" => Kind::PnpmLock,
        "bun.lock" => Kind::BunLock,
        "deno.lock" => Kind::DenoLock,
        "Pipfile" => Kind::Pipfile,
        "Pipfile.lock" => Kind::PipfileLock,
        "poetry.lock" => Kind::PoetryLock,
        "pdm.lock" => Kind::PdmLock,
        "uv.lock" => Kind::UvLock,
        "pyproject.toml" => Kind::PythonProject,
        "setup.cfg" => Kind::SetupCfg,
        "setup.py" => Kind::SetupPy,
        "environment.yml" | "environment.yaml" => Kind::CondaEnvironment,
        "action.yml" | "action.yaml" => Kind::Action,
        "Chart.lock" | "requirements.lock" => Kind::HelmLock,
        "Chart.yaml" | "requirements.yaml" => Kind::HelmChart,
        ".terraform.lock.hcl" => Kind::TerraformLock,
        "flake.lock" => Kind::FlakeLock,
        "MODULE.bazel" => Kind::BazelModule,
        "MODULE.bazel.lock" => Kind::BazelLock,
        "go.work" => Kind::GoWork,
        "go.work.sum" => Kind::GoWorkSum,
        // Of a script, as uv writes it.
        _ if name.ends_with(".py.lock") => Kind::UvLock,
        _ if is_image_recipe(name) => Kind::Dockerfile,
        _ => return of_addition(name, folder),
    };
    Some(kind)
}

/// Knows files by an addition to their names, or by where they stand.
fn of_addition(name: &str, folder: &[u8]) -> Option<Kind> {
    if name.starts_with("pylock.") && name.ends_with(".toml") {
        return Some(Kind::Pylock);
    }
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"))?;
    // The forges run those at the top only.
    let workflows: [&[u8]; 3] = [b".github/workflows", b".gitea/workflows", b".forgejo/workflows"];
    if workflows.contains(&folder) {
        return Some(Kind::Workflow);
    }
    let in_gitlab_ci = folder == b".gitlab/ci" || folder.starts_with(b".gitlab/ci/");
    if stem.ends_with(".gitlab-ci") || in_gitlab_ci {
        return Some(Kind::GitlabCi);
    }
    let compose = ["compose", "docker-compose", "podman-compose"].iter().find_map(|start| stem.strip_prefix(start));
    compose.filter(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_'])).map(|_| Kind::Compose)
}

/// `Dockerfile`, `Dockerfile.prod`, `prod.Dockerfile`, `Dockerfile-fpm`; what only ignores files or is code is none.
fn is_image_recipe(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["dockerfile", "containerfile"].iter().any(|word| {
        let after = lower.strip_prefix(word).is_some_and(|rest| {
            let parted = rest.is_empty() || rest.starts_with(['.', '-', '_']);
            let other = [".dockerignore", ".md", ".txt", ".py", ".go", ".ts", ".js", ".rs", ".sh", ".j2", ".tmpl"];
            parted && !other.iter().any(|ending| rest.ends_with(ending))
        });
        after || lower.strip_suffix(word).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
    })
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
            ("docker/prod.Dockerfile", Some(Kind::Dockerfile)),
            ("Dockerfile-fpm", Some(Kind::Dockerfile)),
            ("Containerfile.dev", Some(Kind::Dockerfile)),
            ("Dockerfile.dockerignore", None),
            ("dockerfile_parser.rs", None),
            (".github/workflows/ci.yaml", Some(Kind::Workflow)),
            ("vendor/.github/workflows/ci.yaml", None),
            ("a/action.yml", Some(Kind::Action)),
            ("docker-compose.prod.yml", Some(Kind::Compose)),
            ("composer.yml", None),
            ("pylock.dev.toml", Some(Kind::Pylock)),
            ("ci/build.gitlab-ci.yml", Some(Kind::GitlabCi)),
            ("gradle/libs.versions.toml", Some(Kind::GradleCatalog)),
            ("src/A.csproj", Some(Kind::NugetProject)),
            (".mvn/extensions.xml", Some(Kind::MavenExtensions)),
            ("extensions.xml", None),
            ("gemfiles/rails7.gemfile.lock", Some(Kind::GemLock)),
            ("Gemfile.next.lock", Some(Kind::GemLock)),
            ("x.cdx.json", Some(Kind::CyclonedxJson)),
            ("cmake/deps.cmake", Some(Kind::Cmake)),
            ("notes.txt", None),
        ] {
            assert_eq!(Kind::of(&RepoPath::from(path)), kind, "{path}");
        }
    }
}
