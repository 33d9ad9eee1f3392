//! The files that are known by name and have no reader in this version: each is named, so that silence never passes
//! for completeness.
//!
//! Never here: a look into them, but for one: some are mostly settings of tools and only sometimes declare anything.

use memchr::memmem;
use toml::{Table, Value};

use super::reading::Reading;
use super::tree::{File, Tree};
use crate::domain::CoverageStatus;

/// Names every file that declares components and is not read.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let why = "this version has no reader for it";
    let unsupported = |file: File<'_>| Reading::ended(file.kind, file.path, CoverageStatus::Unsupported, why);
    tree.unread()
        .filter_map(|file| match declares(file) {
            Ok(true) => Some(unsupported(file)),
            Ok(false) => None,
            Err(why) => Some(Reading::failed(file.kind, file.path, &why)),
        })
        .collect()
}

/// Says whether the file declares any component.
fn declares(file: File<'_>) -> Result<bool, String> {
    match file.path.file_name() {
        b"setup.py" | b"setup.cfg" => Ok(memmem::find(file.bytes, b"install_requires").is_some()),
        b"pyproject.toml" => Ok(project_declares(&file.toml()?)),
        _ => Ok(true),
    }
}

/// PEP 621, PEP 735 and Poetry's own tables. What only builds the project (`build-system`) counts too.
fn project_declares(table: &Table) -> bool {
    let filled = |path: &[&str]| {
        let mut value = path.first().and_then(|key| table.get(*key));
        for key in path.iter().skip(1) {
            value = value.and_then(|value| value.get(*key));
        }
        match value {
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Table(table)) => table.keys().any(|key| key != "python"),
            _ => false,
        }
    };
    [
        &["project", "dependencies"][..],
        &["project", "optional-dependencies"],
        &["dependency-groups"],
        &["build-system", "requires"],
        &["tool", "poetry", "dependencies"],
        &["tool", "poetry", "group"],
        &["tool", "poetry", "dev-dependencies"],
    ]
    .iter()
    .any(|path| filled(path))
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn settings_of_tools_are_no_gap_and_declarations_are() {
        let inventory = inventory(&[
            ("a/pyproject.toml", "[tool.ruff]\nline-length = 100\n[tool.poetry.dependencies]\npython = \"^3\"\n"),
            ("b/pyproject.toml", "[project]\ndependencies = [\"x\"]\n"),
            ("c/pyproject.toml", "no toml"),
            ("d/setup.cfg", "[flake8]\nmax-line-length = 100\n"),
            ("e/setup.py", "setup(install_requires=['x'])\n"),
        ]);
        assert_eq!(status(&inventory, "b/pyproject.toml"), CoverageStatus::Unsupported);
        assert_eq!(status(&inventory, "c/pyproject.toml"), CoverageStatus::Failed);
        assert_eq!(status(&inventory, "e/setup.py"), CoverageStatus::Unsupported);
        assert_eq!(inventory.coverage.len(), 3);
    }
}
