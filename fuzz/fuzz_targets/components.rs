//! Reading any bytes as each of the lock files that are read never panics, and gives the same list twice.
#![no_main]

use git_baseline::components::read;
use git_baseline::domain::RepoPath;

const NAMES: [&str; 47] = [
    "Cargo.lock", "Cargo.toml", "package-lock.json", "package.json", "requirements.txt", "go.mod", "go.sum",
    ".gitmodules", "pom.xml", ".mvn/extensions.xml", "gradle.lockfile", "gradle/libs.versions.toml",
    "packages.lock.json", "Directory.Packages.props", "a.csproj", "packages.config", "paket.lock", "composer.lock",
    "composer.json", "Gemfile.lock", "pubspec.lock", "pubspec.yaml", "mix.lock", "rebar.lock", "Package.resolved",
    "Podfile.lock", "Cartfile.resolved", "conan.lock", "conanfile.txt", "vcpkg.json", "vcpkg-configuration.json",
    "vcpkg-lock.json", "CMakeLists.txt", "west.yml", "default.xml", "platformio.ini", "stack.yaml.lock",
    "cabal.project.freeze", "renv.lock", "packrat.lock", "Manifest.toml", "Project.toml", "cpanfile.snapshot",
    "x.cdx.json", "x.cdx.xml", "x.spdx.json", "x.spdx",
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for name in NAMES {
        let files = [(RepoPath::from(name), bytes.to_vec())];
        assert_eq!(read(&files, &[]), read(&files, &[]));
    }
});
