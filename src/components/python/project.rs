//! `pyproject.toml`: what a project declares, where no lock pins it.
//!
//! A lock accounts for all but what builds the project (`build-system`), which no lock of Python holds. Files that only
//! set up tools declare nothing and are not spoken of. Never here: an invented version.

use toml::Table;

use super::super::kind::Kind;
use super::super::purl::{self, Origin};
use super::super::reading::Reading;
use super::super::tree::{File, Tree};
use super::Locked;
use super::declared::{Declared, declared};
use crate::domain::Scope;

/// Reads every `pyproject.toml` of the tree.
pub(super) fn read(tree: &Tree<'_>, locked: &Locked) -> Vec<Reading> {
    tree.of_kind(Kind::PythonProject)
        .filter_map(|file| match file.toml::<Table>() {
            Ok(table) => {
                let found = declared(&table);
                (!found.is_empty()).then(|| read_declared(file, &found, locked))
            }
            Err(why) => Some(Reading::failed(file.kind, file.path, &why)),
        })
        .collect()
}

/// Lists what is declared, unless the folder has a lock.
pub(super) fn read_declared(file: File<'_>, found: &[Declared], locked: &Locked) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    reading.names(found.len());
    let is_locked = locked.contains(file.path.parent());
    for one in found.iter().filter(|one| !is_locked || one.scope == Scope::Build) {
        let purl = purl::pypi(&one.name, one.version.as_deref(), &one.origin);
        let Some(mut component) = reading.component("pypi", &one.name, one.version.as_deref(), purl) else { continue };
        component.scope = one.scope;
        component.direct = Some(true);
        reading.add(component);
        if one.version.is_some() {
            continue;
        }
        reading.gap(&match (&one.origin, is_locked) {
            (Origin::Usual | Origin::Registry(_), false) => format!("{}: no lock says which version", one.name),
            (Origin::Usual | Origin::Registry(_), true) => {
                format!("{}: it builds the project, and the lock does not hold it", one.name)
            }
            _ => format!("{}: taken from an address, which names no version", one.name),
        });
        if !is_locked {
            reading.unlocked();
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn settings_of_tools_are_no_gap_and_declarations_without_a_lock_are() {
        let inventory = inventory(&[
            ("a/pyproject.toml", "[tool.ruff]\nline-length = 100\n[tool.poetry.dependencies]\npython = \"^3\"\n"),
            ("b/pyproject.toml", "[project]\ndependencies = [\"x\"]\n"),
            ("c/pyproject.toml", "no toml"),
            ("d/pyproject.toml", "[project]\ndependencies = [\"y\"]\n[build-system]\nrequires = [\"hatchling\"]\n"),
            ("d/poetry.lock", "[[package]]\nname = \"y\"\nversion = \"1\"\n"),
        ]);
        assert_eq!(status(&inventory, "b/pyproject.toml"), CoverageStatus::Unlocked);
        assert_eq!(found(&inventory, "pkg:pypi/x").version, None);
        assert_eq!(status(&inventory, "c/pyproject.toml"), CoverageStatus::Failed);
        assert_eq!(status(&inventory, "d/pyproject.toml"), CoverageStatus::Parsed);
        assert_eq!(
            gaps(&inventory, "d/pyproject.toml"),
            ["hatchling: it builds the project, and the lock does not hold it"]
        );
        assert_eq!(found(&inventory, "pkg:pypi/hatchling").scope, Scope::Build);
        assert_eq!((inventory.coverage.len(), inventory.components.len()), (4, 3));
    }
}
