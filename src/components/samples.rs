//! One small file of each kind, for the tests that damage them, and the hostile files that every reader must bear.
//!
//! Never here: what a reader makes of a sound file; each reader's own tests say that.

use super::{LockFile, read};
use crate::domain::RepoPath;

/// Files that say by their content whether they are manifests, so that damage may make them nothing.
pub(super) const SILENT: [&str; 6] =
    ["CMakeLists.txt", "default.xml", "bom.json", "x.cdx.json", "x.spdx.json", "x.spdx"];

/// A sample of each kind, with its path.
pub(super) const ALL: &[(&str, &str)] = &[
    (
        "pom.xml",
        "<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version></parent><artifactId>a</artifactId>\
         <properties><v>1</v></properties><dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>b</artifactId>\
         <version>${v}</version><type>pom</type><scope>import</scope></dependency></dependencies></dependencyManagement><dependencies>\
         <dependency><groupId>g</groupId><artifactId>c</artifactId><version>[1,2)</version></dependency></dependencies></project>",
    ),
    (
        ".mvn/extensions.xml",
        "<extensions><extension><groupId>g</groupId><artifactId>e</artifactId><version>1</version></extension></extensions>",
    ),
    ("gradle.lockfile", "g:a:1=runtimeClasspath\nempty=x\n"),
    (
        "gradle/libs.versions.toml",
        "[versions]\nk = \"1\"\n[libraries]\na = { module = \"g:a\", version.ref = \"k\" }\n",
    ),
    (
        "packages.lock.json",
        r#"{"version": 1, "dependencies": {"net8.0": {"A": {"type": "Direct", "resolved": "1.0.0", "contentHash": "AAAA"}}}}"#,
    ),
    (
        "Directory.Packages.props",
        "<Project><ItemGroup><PackageVersion Include=\"A\" Version=\"$(V)\"/></ItemGroup></Project>",
    ),
    ("a.csproj", "<Project Sdk=\"X/1\"><ItemGroup><PackageReference Include=\"A\"/></ItemGroup></Project>"),
    ("packages.config", "<packages><package id=\"N\" version=\"1.2\"/></packages>"),
    ("paket.lock", "NUGET\n  remote: x\n    A (1.0)\n      B (>= 1)\nGITHUB\n  remote: o/r\n    f (abc)\n"),
    (
        "composer.lock",
        r#"{"packages": [{"name": "a/b", "version": "v1", "require": {"c/d": "*"}, "license": ["MIT"]}], "packages-dev": []}"#,
    ),
    ("composer.json", r#"{"require": {"a/b": "1"}}"#),
    (
        "Gemfile.lock",
        "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0-x86)\n      b (~> 1)\n\nDEPENDENCIES\n  a\n\nCHECKSUMS\n  a (1.0-x86) sha256=00\n",
    ),
    (
        "pubspec.lock",
        "packages:\n  a:\n    dependency: transitive\n    description:\n      url: \"https://x\"\n    source: hosted\n    version: \"1.0.0\"\n",
    ),
    ("pubspec.yaml", "name: x\ndependencies:\n  a: ^1\n"),
    (
        "mix.lock",
        "%{\n  \"a\": {:hex, :a, \"1.0\", \"00\", [:mix], [{:b, \"~> 1\", [hex: :b]}], \"hexpm\", \"00\"},\n}\n",
    ),
    (
        "rebar.lock",
        "{\"1.2.0\",[{<<\"a\">>,{pkg,<<\"a\">>,<<\"1\">>},0}]}.\n[{pkg_hash_ext,[{<<\"a\">>,<<\"00\">>}]}].\n",
    ),
    (
        "Package.resolved",
        r#"{"version": 2, "pins": [{"identity": "a", "location": "https://h/o/a.git", "state": {"revision": "00", "version": "1"}}]}"#,
    ),
    ("Podfile.lock", "PODS:\n  - A/B (1.0):\n    - C (= 1)\nDEPENDENCIES:\n  - A/B\nSPEC CHECKSUMS:\n  A: ab\n"),
    ("Cartfile.resolved", "github \"o/r\" \"v1\"\nbinary \"https://h/x.json\" \"2\"\n"),
    ("conan.lock", r#"{"version": "0.5", "requires": ["a/1.0@u/c#r%1"], "build_requires": ["b/2"]}"#),
    ("conanfile.txt", "[requires]\na/[>1]\n"),
    ("vcpkg.json", r#"{"dependencies": ["a", {"name": "b"}], "overrides": [{"name": "b", "version": "1"}]}"#),
    (
        "vcpkg-configuration.json",
        r#"{"default-registry": {"kind": "git", "repository": "https://h/r", "baseline": "ab"}}"#,
    ),
    ("vcpkg-lock.json", r#"{"https://h/r": {"HEAD": "ab"}}"#),
    (
        "CMakeLists.txt",
        "set(V 1)\nFetchContent_Declare(a GIT_REPOSITORY https://h/o/a GIT_TAG v${V})\nfind_package(X)\n",
    ),
    ("west.yml", "manifest:\n  projects:\n    - name: a\n      url: https://h/a\n      revision: v1\n"),
    (
        "default.xml",
        "<manifest><remote name=\"r\" fetch=\"https://h\"/><default remote=\"r\" revision=\"m\"/><project name=\"a\"/></manifest>",
    ),
    ("platformio.ini", "[env:x]\nplatform = p@1.0\nlib_deps =\n  a/b@^1\n  https://h/o/r.git#v1\n"),
    (
        "stack.yaml.lock",
        "packages:\n- completed:\n    hackage: a-1.0@sha256:ab,1\nsnapshots:\n- completed:\n    url: https://h/x\n",
    ),
    ("cabal.project.freeze", "constraints: any.a ==1.0,\n             any.base installed\n"),
    ("renv.lock", r#"{"Packages": {"a": {"Version": "1", "Source": "Repository", "Requirements": ["b (>= 1)"]}}}"#),
    ("packrat/packrat.lock", "Package: a\nSource: CRAN\nVersion: 1\nRequires: b\n"),
    ("Manifest.toml", "manifest_format = \"2.0\"\n[[deps.A]]\nuuid = \"u\"\nversion = \"1.0.0\"\ndeps = [\"B\"]\n"),
    ("Project.toml", "[deps]\nA = \"u\"\n"),
    (
        "cpanfile.snapshot",
        "DISTRIBUTIONS\n  A-B-1.0\n    pathname: X/XX/XXX/A-B-1.0.tar.gz\n    provides:\n      A::B 1.0\n",
    ),
    (
        "bom.json",
        r#"{"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1"}]}"#,
    ),
    ("x.cdx.json", r#"{"bomFormat": "CycloneDX", "components": [{"name": "a", "components": [{"name": "b"}]}]}"#),
    ("x.spdx.json", r#"{"spdxVersion": "SPDX-2.3", "packages": [{"SPDXID": "a", "name": "a", "versionInfo": "1"}]}"#),
    (
        "x.spdx",
        "SPDXVersion: SPDX-2.2\nPackageName: c\nSPDXID: c\nPackageVersion: 3\nExternalRef: P purl pkg:generic/c@3\n",
    ),
    ("Gemfile", "gem 'a'\n"),
];

#[test]
fn every_sample_names_something_and_leaves_its_place() {
    for (path, text) in ALL {
        let inventory = read(&[LockFile::new(RepoPath::from(*path), None, text.as_bytes())], &[]);
        assert_eq!(inventory.coverage.len(), 1, "{path}");
        let is_silent = ["composer.json", "pubspec.yaml", "Gemfile"].contains(path);
        assert!(is_silent || !inventory.components.is_empty(), "{path}: {:?}", inventory.coverage);
    }
}

#[test]
fn hostile_files_of_every_kind_are_entries_that_can_be_shown() {
    let depths = ["[", "{", "(", "<a>", "<", "{\"a\":", "[[", "- ", "? ", "a:\n ", "%{a:", "\"", "<<\"", "${", "$("];
    let mut hostile: Vec<String> = depths.iter().map(|open| open.repeat(20_000)).collect();
    hostile.push("\u{1b}[31m\u{202e}\0\r".repeat(1000));
    hostile.push(format!("{}\n", "a".repeat(500_000)));
    hostile.push("a: &a [*a]\nb: *a\n".repeat(1000));
    for (path, _) in ALL {
        for text in &hostile {
            let inventory = read(&[LockFile::new(RepoPath::from(*path), None, text.as_bytes())], &[]);
            let shown = inventory.coverage.iter().flat_map(|coverage| &coverage.gaps);
            assert!(shown.clone().all(|gap| gap.len() < 2000 && !gap.chars().any(char::is_control)), "{path}");
        }
    }
}

#[test]
fn names_that_would_act_up_are_gaps_wherever_they_stand() {
    for (path, text) in ALL {
        for bad in ["\u{202e}", "\u{200b}"] {
            let damaged = text.replace('a', &format!("a{bad}"));
            let inventory = read(&[LockFile::new(RepoPath::from(*path), None, damaged.as_bytes())], &[]);
            for component in &inventory.components {
                assert!(!component.name.contains(bad), "{path}: {:?}", component.name);
                assert!(component.purl.is_ascii(), "{path}");
            }
        }
    }
}
