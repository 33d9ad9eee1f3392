//! Reading any bytes as the files that name components never panics, and gives the same list twice; the first byte picks
//! four of them.
#![no_main]

use git_baseline::components::{LockFile, read};
use git_baseline::domain::RepoPath;

const NAMES: &[&str] = &[
    "Cargo.lock", "Cargo.toml", "package-lock.json", "package.json", "requirements.txt", "go.mod", "go.sum", "go.work",
    ".gitmodules", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "deno.lock", "Pipfile", "Pipfile.lock", "poetry.lock",
    "pdm.lock", "uv.lock", "pylock.toml", "pyproject.toml", "setup.cfg", "environment.yml", ".github/workflows/a.yml",
    "action.yml", ".gitlab-ci.yml", "Dockerfile", "compose.yml", "Chart.lock", "Chart.yaml", ".terraform.lock.hcl",
    "flake.lock", "MODULE.bazel", "MODULE.bazel.lock", "pom.xml", ".mvn/extensions.xml", "gradle.lockfile",
    "gradle/libs.versions.toml", "packages.lock.json", "Directory.Packages.props", "a.csproj", "packages.config",
    "paket.lock", "composer.lock", "composer.json", "Gemfile.lock", "pubspec.lock", "pubspec.yaml", "mix.lock",
    "rebar.lock", "Package.resolved", "Podfile.lock", "Cartfile.resolved", "conan.lock", "conanfile.txt", "vcpkg.json",
    "vcpkg-configuration.json", "vcpkg-lock.json", "CMakeLists.txt", "west.yml", "default.xml", "platformio.ini",
    "stack.yaml.lock", "cabal.project.freeze", "renv.lock", "packrat/packrat.lock", "Manifest.toml", "Project.toml",
    "cpanfile.snapshot", "x.cdx.json", "x.cdx.xml", "x.spdx.json", "x.spdx",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, text)) = bytes.split_first() else { return };
    for offset in 0..4 {
        let name = NAMES[(usize::from(*first) * 4 + offset) % NAMES.len()];
        let files = [LockFile::new(RepoPath::from(name), None, text)];
        assert_eq!(read(&files, &[]), read(&files, &[]));
    }
});
