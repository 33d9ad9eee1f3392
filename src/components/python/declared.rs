//! What a Python project declares in `pyproject.toml`, in the ways of PEP 621, PEP 735, Poetry, PDM and uv.
//!
//! Never here: a version that is not written as an exact one.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::purl::{Origin, pypi_name};
use super::super::requirement::asked;
use super::group_scope;
use crate::domain::Scope;

/// One project that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// Its normalized name.
    pub(super) name: String,
    /// The exact version, where one is written.
    pub(super) version: Option<String>,
    pub(super) origin: Origin,
    pub(super) scope: Scope,
}

/// Returns what a project asks for, the product's own left out.
pub(super) fn declared(table: &Table) -> Vec<Declared> {
    let mut found = Vec::new();
    let list = |path: &[&str], scope: Scope, found: &mut Vec<Declared>| {
        add_list(at(table, path), scope, found);
    };
    list(&["project", "dependencies"], Scope::Runtime, &mut found);
    list(&["build-system", "requires"], Scope::Build, &mut found);
    list(&["tool", "uv", "dev-dependencies"], Scope::Dev, &mut found);
    for (_, extra) in entries(at(table, &["project", "optional-dependencies"])) {
        add_list(Some(extra), Scope::Optional, &mut found);
    }
    for path in [&["dependency-groups"][..], &["tool", "pdm", "dev-dependencies"]] {
        for (group, members) in entries(at(table, path)) {
            add_list(Some(members), group_scope(group), &mut found);
        }
    }
    let poetry = |path: &[&str], scope: Scope, found: &mut Vec<Declared>| {
        for (name, value) in entries(at(table, path)).filter(|(name, _)| *name != "python") {
            found.extend(of_poetry(name, value, scope));
        }
    };
    poetry(&["tool", "poetry", "dependencies"], Scope::Runtime, &mut found);
    poetry(&["tool", "poetry", "dev-dependencies"], Scope::Dev, &mut found);
    for (group, _) in entries(at(table, &["tool", "poetry", "group"])) {
        poetry(&["tool", "poetry", "group", group, "dependencies"], group_scope(group), &mut found);
    }
    let own = own_sources(table);
    found.retain(|one| !own.contains(&one.name));
    found
}

/// Returns the projects that `tool.uv.sources` says are the product's own.
fn own_sources(table: &Table) -> BTreeSet<String> {
    let is_own = |value: &Value| value.get("workspace").is_some() || value.get("path").is_some();
    let sources = entries(at(table, &["tool", "uv", "sources"]));
    sources.filter(|(_, value)| is_own(value)).map(|(name, _)| pypi_name(name)).collect()
}

fn at<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_table).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// Requirements as PEP 508 writes them; `{ include-group = … }` names none.
fn add_list(value: Option<&Value>, scope: Scope, found: &mut Vec<Declared>) {
    let list = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    found.extend(list.filter_map(asked).map(|one| Declared {
        name: one.name,
        version: one.version,
        origin: one.origin,
        scope,
    }));
}

/// Poetry's own table: a range, a table, or several of them by marker.
fn of_poetry(name: &str, value: &Value, scope: Scope) -> Option<Declared> {
    let value = value.as_array().map_or(Some(value), |list| list.first())?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    if text("path").is_some() {
        return None;
    }
    let origin = match (text("git"), text("url")) {
        (Some(url), _) => Origin::Git { url: url.to_owned(), commit: text("rev").unwrap_or_default().to_owned() },
        (None, Some(url)) => Origin::Download(url.to_owned()),
        (None, None) => Origin::Usual,
    };
    let range = value.as_str().or_else(|| text("version")).unwrap_or_default();
    let exact = range.strip_prefix("==").map(str::trim);
    let exact = exact.filter(|exact| !exact.is_empty() && !exact.contains(['*', ' ', ',']));
    let optional = value.get("optional").and_then(Value::as_bool) == Some(true);
    let scope = if optional { scope.min(Scope::Optional) } else { scope };
    Some(Declared { name: pypi_name(name), version: exact.map(str::to_owned), origin, scope })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_declare_is_known_and_own_folders_are_left_out() {
        let text = "[project]\ndependencies = ['A.b>=1', 'own', 'c==1.0; x']\noptional-dependencies.x = ['d']\n[build-system]\nrequires = ['e']\n\
            [dependency-groups]\ntest = ['f', {include-group = 'dev'}]\n[tool.poetry.dependencies]\npython = '^3'\ng = '==2.0'\nh = {path = '../h'}\n\
            i = {version = '^1', optional = true}\n[tool.poetry.group.docs.dependencies]\nj = [{version = '1'}, {version = '2'}]\n\
            [tool.uv]\ndev-dependencies = ['k']\nsources.own = {workspace = true}\n";
        let found = declared(&toml::from_str(text).unwrap());
        let told: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.version.as_deref(), one.scope)).collect();
        assert_eq!(
            told,
            [
                ("a-b", None, Scope::Runtime),
                ("c", Some("1.0"), Scope::Runtime),
                ("e", None, Scope::Build),
                ("k", None, Scope::Dev),
                ("d", None, Scope::Optional),
                ("f", None, Scope::Test),
                ("g", Some("2.0"), Scope::Runtime),
                ("i", None, Scope::Optional),
                ("j", None, Scope::Dev),
            ]
        );
    }
}
