//! What the tests of the readers ask for.

use super::{Inventory, LockFile, read};
use crate::domain::{Component, Coverage, CoverageStatus, RepoPath};

/// One file of each format of scripts' languages, pipelines, images and build tools. A damaged one may turn out to
/// declare nothing, and then is not spoken of.
pub(super) const SCRIPT_SAMPLES: [(&str, &str); 28] = [
    (
        "y1/yarn.lock",
        "# yarn lockfile v1\n\na@^1, \"b@npm:c@1\":\n  version \"1.0.0\"\n  resolved \"https://h/a.tgz#00\"\n  dependencies:\n    a \"^1\"\n",
    ),
    (
        "y2/yarn.lock",
        "__metadata:\n  version: 8\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@patch:a@npm%3A1#x\"\n  dependencies:\n    a: \"npm:^1\"\n  checksum: 10c0/00\n",
    ),
    (
        "p/pnpm-lock.yaml",
        "lockfileVersion: '9.0'\nimporters: {.: {dependencies: {a: {specifier: x, version: 1.0.0(b@1)}}}}\npackages: {a@1.0.0: {resolution: {integrity: sha1-AA}}}\nsnapshots: {a@1.0.0(b@1): {dependencies: {a: 1.0.0(b@1)}}}\n",
    ),
    (
        "b/bun.lock",
        r#"{"workspaces": {"": {"dependencies": {"a": "1"}}}, "packages": {"a": ["a@1.0.0", "", {"dependencies": {"b": "1"}}, "sha1-A"], "a/b": ["b@github:o/b#00"]},}"#,
    ),
    (
        "d/deno.lock",
        r#"{"version": "5", "specifiers": {"jsr:@s/a@1": "1.0.0"}, "jsr": {"@s/a@1.0.0": {"dependencies": ["npm:b"]}}, "npm": {"b@1.0.0_c@1": {}}, "remote": {"https://h/x@v1/m.ts": "0"}}"#,
    ),
    ("Pipfile", "[packages]\na = '*'\n"),
    ("Pipfile.lock", r#"{"_meta": {}, "default": {"a": {"version": "==1", "hashes": ["sha256:00"]}}}"#),
    (
        "o/poetry.lock",
        "[[package]]\nname = 'a'\nversion = '1'\n[package.dependencies]\na = '*'\n[package.source]\ntype = 'git'\nurl = 'git@h:a/b'\n",
    ),
    ("m/pdm.lock", "[[package]]\nname = 'a'\nversion = '1'\ndependencies = ['a[x]>=1']\n"),
    (
        "u/uv.lock",
        "version = 1\n[[package]]\nname = 'a'\nversion = '1'\nsource = { git = 'https://h/a#00' }\ndependencies = [{ name = 'a' }]\n",
    ),
    ("pylock.toml", "lock-version = '1.0'\n[[packages]]\nname = 'a'\nversion = '1'\ndependencies = [{ name = 'a' }]\n"),
    ("pyproject.toml", "[project]\ndependencies = ['a==1']\n[dependency-groups]\nx = ['b']\n"),
    ("setup.cfg", "[options]\ninstall_requires =\n  a\n"),
    ("setup.py", "setup(install_requires=['x'])"),
    ("environment.yml", "dependencies:\n  - a=1=0\n  - pip: [b==1]\n"),
    (
        ".github/workflows/a.yml",
        "jobs: {a: {container: 'a:1', steps: [{uses: a/b/c@v1}, {uses: 'docker://a@sha256:00'}]}}\n",
    ),
    ("action.yml", "runs: {steps: [{uses: a/b@v1}]}\n"),
    (".gitlab-ci.yml", "include: [{project: a/b, ref: c}, {remote: 'https://u@h/x'}]\njob: {image: 'a:$B'}\n"),
    ("Dockerfile", "# escape=`\nARG A=${B:-c}\nFROM a:$A AS x `\n # y\nRUN --mount=from=z <<E\nE\nCOPY --from=0 a b\n"),
    ("compose.yml", "x: &x {image: 'a:${B:-c}'}\nservices: {a: {<<: *x}}\n"),
    ("Chart.yaml", "dependencies: [{name: a, version: 1.0.0, repository: 'https://h'}]\n"),
    ("Chart.lock", "dependencies: [{name: a, version: 1.0.0, repository: 'https://h'}]\n"),
    (".terraform.lock.hcl", "provider \"r/a/b\" {\n  version = \"1\"\n  hashes = [\n    \"zh:00\",\n  ]\n}\n"),
    (
        "flake.lock",
        r#"{"nodes": {"r": {"inputs": {"a": "a", "b": ["a", "r"]}}, "a": {"inputs": {"r": ["b"]}, "locked": {"type": "github", "owner": "o", "repo": "a", "rev": "0"}}}, "root": "r"}"#,
    ),
    ("MODULE.bazel", "bazel_dep(name = 'a', version = \"1\")\n"),
    ("MODULE.bazel.lock", r#"{"registryFileHashes": {"https://h/modules/a/1/source.json": null}}"#),
    ("go.work", "use (\n\t.\n)\nreplace a.org/a => ./a\n"),
    ("go.work.sum", "a.org/a v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
];

/// Reads a tree without submodules.
pub(super) fn inventory(files: &[(&str, &str)]) -> Inventory {
    let file = |(path, text): &(&str, &str)| LockFile::new(RepoPath::from(*path), None, text.as_bytes());
    let files: Vec<_> = files.iter().map(file).collect();
    read(&files, &[])
}

/// Returns the component, or says which there are.
pub(super) fn found<'a>(inventory: &'a Inventory, purl: &str) -> &'a Component {
    let purls: Vec<_> = inventory.components.iter().map(|component| &component.purl).collect();
    let component = inventory.components.iter().find(|component| component.purl == purl);
    component.unwrap_or_else(|| panic!("no {purl} among {purls:#?}"))
}

pub(super) fn status(inventory: &Inventory, path: &str) -> CoverageStatus {
    coverage(inventory, path).status
}

pub(super) fn gaps<'a>(inventory: &'a Inventory, path: &str) -> &'a [String] {
    &coverage(inventory, path).gaps
}

fn coverage<'a>(inventory: &'a Inventory, path: &str) -> &'a Coverage {
    let found = inventory.coverage.iter().find(|coverage| coverage.path == RepoPath::from(path));
    found.unwrap_or_else(|| panic!("no coverage of {path}"))
}
