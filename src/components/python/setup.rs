//! setuptools: `setup.cfg`, which declares, and `setup.py`, which is a program and therefore not read.
//!
//! Never here: running anything; an invented version.

use memchr::memmem;

use super::super::kind::Kind;
use super::super::reading::Reading;
use super::super::requirement::{Line, Requirement, requirement};
use super::super::tree::Tree;
use super::Locked;
use super::declared::Declared;
use super::project::read_declared;
use crate::domain::{CoverageStatus, Scope};

/// Reads every `setup.cfg`, and names every `setup.py` that asks for something.
pub(super) fn read(tree: &Tree<'_>, locked: &Locked) -> Vec<Reading> {
    let configured = tree.of_kind(Kind::SetupCfg).filter_map(|file| match file.text() {
        Ok(text) => {
            let (found, not_understood) = declared(text);
            (!found.is_empty() || not_understood > 0).then(|| {
                let mut reading = read_declared(file, &found, locked);
                if not_understood > 0 {
                    reading.gap(&format!("{not_understood} of its requirements are not understood or too many"));
                }
                reading
            })
        }
        Err(why) => Some(Reading::failed(file.kind, file.path, &why)),
    });
    let programs = tree.of_kind(Kind::SetupPy).filter(|file| {
        let asks = ["install_requires", "setup_requires", "extras_require"];
        asks.iter().any(|word| memmem::find(file.bytes, word.as_bytes()).is_some())
    });
    let programs = programs.map(|file| {
        let why = "it is a program, which is not run: what it asks for is not known";
        Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, why)
    });
    configured.chain(programs).collect()
}

/// So many requirements of one file are kept.
const MOST: usize = 20_000;

/// Returns what it asks for, and how many entries are left out.
///
/// Reads the sections `options` and `options.extras_require`; values go on in indented lines.
fn declared(text: &str) -> (Vec<Declared>, usize) {
    let (mut found, mut left_out) = (Vec::new(), 0);
    let (mut section, mut scope) = ("", None);
    for line in text.lines() {
        let inner = line.trim();
        if inner.is_empty() || inner.starts_with(['#', ';']) {
            continue;
        }
        let mut value = inner;
        if !line.starts_with([' ', '\t']) {
            if let Some(name) = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                (section, scope) = (name.trim(), None);
                continue;
            }
            let (key, rest) = inner.split_once(['=', ':']).unwrap_or((inner, ""));
            scope = scope_of(section, key.trim());
            value = rest.trim();
        }
        if let Some(scope) = scope.filter(|_| !value.is_empty()) {
            match requirement(value, 0) {
                Line::Requirement(one) if found.len() < MOST => {
                    let Requirement { name, version, origin, .. } = *one;
                    found.push(Declared { name, version, origin, scope });
                }
                Line::Own => {}
                _ => left_out += 1,
            }
        }
    }
    (found, left_out)
}

fn scope_of(section: &str, key: &str) -> Option<Scope> {
    match (section, key) {
        ("options", "install_requires") => Some(Scope::Runtime),
        ("options", "setup_requires") => Some(Scope::Build),
        ("options", "tests_require") => Some(Scope::Test),
        ("options.extras_require", _) => Some(Scope::Optional),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn requirements_that_are_left_out_are_said() {
        let many = (0..20_001).fold(String::new(), |text, number| text + &format!("  a{number}==1\n"));
        let cfg = format!("[options]\ninstall_requires =\n{many}  [[\n  ./own\n");
        let inventory = inventory(&[("setup.cfg", &cfg), ("a/setup.cfg", "[options]\ninstall_requires = [[\n")]);
        for (path, count) in [("setup.cfg", 2), ("a/setup.cfg", 1)] {
            let gap = format!("{count} of its requirements are not understood or too many");
            assert!(gaps(&inventory, path).contains(&gap), "{path}: {:?}", gaps(&inventory, path).last());
        }
    }

    #[test]
    fn setup_cfg_declares_and_setup_py_is_not_run() {
        let cfg = "[metadata]\nname = x\n[options]\nzip_safe = no\ninstall_requires =\n    # a comment\n    A.b>=1; python_version < '3'\n    c == 1.0\n\
            setup_requires = s\n[options.extras_require]\ntest =\n    t\n[flake8]\nignore =\n    E1\n";
        let inventory = inventory(&[
            ("setup.cfg", cfg),
            ("o/setup.cfg", "[flake8]\nmax-line-length = 100\n"),
            ("setup.py", "setup(install_requires=['x'])\n"),
            ("o/setup.py", "setup()\n"),
        ]);
        assert_eq!(status(&inventory, "setup.cfg"), CoverageStatus::Unlocked);
        assert_eq!(found(&inventory, "pkg:pypi/a-b").scope, Scope::Runtime);
        assert_eq!(found(&inventory, "pkg:pypi/c@1.0").direct, Some(true));
        assert_eq!(found(&inventory, "pkg:pypi/s").scope, Scope::Build);
        assert_eq!(found(&inventory, "pkg:pypi/t").scope, Scope::Optional);
        assert_eq!((inventory.components.len(), inventory.coverage.len()), (4, 2));
        assert_eq!(gaps(&inventory, "setup.py"), ["it is a program, which is not run: what it asks for is not known"]);
    }
}
