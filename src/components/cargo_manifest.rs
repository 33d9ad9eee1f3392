//! `Cargo.toml`: which crates a package names itself, and what for.
//!
//! Never here: versions. A manifest declares ranges; only a lock pins.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::kind::Kind;
use super::tree::{File, Tree, upwards};
use crate::domain::Scope;

/// The tables that name dependencies. Both spellings are Cargo's.
const TABLES: [(&str, Scope); 5] = [
    ("dependencies", Scope::Runtime),
    ("build-dependencies", Scope::Build),
    ("build_dependencies", Scope::Build),
    ("dev-dependencies", Scope::Dev),
    ("dev_dependencies", Scope::Dev),
];

/// One package's manifest.
pub(super) struct Manifest<'a> {
    /// The file.
    pub(super) file: File<'a>,
    /// The package's name; none in a workspace's root that holds no package.
    pub(super) name: Option<String>,
    /// The package's version, where it is not inherited.
    pub(super) version: Option<String>,
    /// Every crate that it needs, by its true name, with the widest scope.
    pub(super) needs: BTreeMap<String, Need>,
}

/// Why a package needs a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// What for.
    pub(super) scope: Scope,
    /// Whether the crate comes from elsewhere, and not from a folder of the tree.
    pub(super) external: bool,
}

/// Returns the manifests of a tree, sorted by path, each read or with the reason why it could not be.
pub(super) fn manifests<'a>(tree: &Tree<'a>) -> Vec<(File<'a>, Result<Manifest<'a>, String>)> {
    let parsed: Vec<_> = tree.of_kind(Kind::CargoManifest).map(|file| (file, file.toml::<Table>())).collect();
    let workspaces: BTreeMap<&[u8], &Table> = parsed
        .iter()
        .filter_map(|(file, table)| {
            let workspace = table.as_ref().ok()?.get("workspace")?.as_table()?;
            Some((file.path.parent(), workspace))
        })
        .collect();
    let read = |(file, table): &(File<'a>, Result<Table, String>)| {
        let workspace = upwards(file.path.parent()).find_map(|folder| workspaces.get(folder).copied());
        let manifest = table.as_ref().map(|table| manifest(*file, table, workspace)).map_err(Clone::clone);
        (*file, manifest)
    };
    parsed.iter().map(read).collect()
}

fn manifest<'a>(file: File<'a>, table: &Table, workspace: Option<&Table>) -> Manifest<'a> {
    let package = table.get("package").or_else(|| table.get("project")).and_then(Value::as_table);
    let text = |key: &str| package?.get(key)?.as_str().map(str::to_owned);
    let mut needs = BTreeMap::new();
    let targets = table.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    for table in std::iter::once(table).chain(targets) {
        for (key, scope) in TABLES {
            let entries = table.get(key).and_then(Value::as_table);
            for (alias, entry) in entries.into_iter().flatten() {
                let (name, need) = need(alias, entry, scope, workspace);
                let known = needs.entry(name).or_insert(need);
                known.scope = known.scope.max(need.scope);
                known.external |= need.external;
            }
        }
    }
    Manifest { file, name: text("name"), version: text("version"), needs }
}

/// Resolves one entry: `package` renames it, `workspace = true` inherits it.
fn need(alias: &str, entry: &Value, scope: Scope, workspace: Option<&Table>) -> (String, Need) {
    let inherits = entry.get("workspace").and_then(Value::as_bool) == Some(true);
    let inherited = workspace.and_then(|workspace| workspace.get("dependencies")?.as_table()?.get(alias));
    let source = if inherits { inherited.unwrap_or(entry) } else { entry };
    let name = source.get("package").and_then(Value::as_str).unwrap_or(alias);
    let optional = entry.get("optional").and_then(Value::as_bool) == Some(true);
    let scope = if optional { scope.min(Scope::Optional) } else { scope };
    (name.to_owned(), Need { scope, external: source.get("path").is_none() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RepoPath;

    fn needs(files: &[(&str, &str)], of: &str) -> BTreeMap<String, Need> {
        let files: Vec<_> = files.iter().map(|(path, text)| (RepoPath::from(*path), text.as_bytes())).collect();
        let files = files.iter().map(|(path, bytes)| File { path, kind: Kind::CargoManifest, bytes, id: None });
        let tree = Tree::new(files, &[]);
        let mut found = manifests(&tree).into_iter().filter(|(file, _)| file.path.as_bytes() == of.as_bytes());
        found.next().unwrap().1.unwrap_or_else(|why| panic!("{why}")).needs
    }

    #[test]
    fn renamed_inherited_and_targeted_crates_have_their_true_names() {
        let root =
            "[workspace.dependencies]\nlog2 = { package = \"log\", version = \"0.4\" }\nown = { path = \"own\" }\n";
        let member = "[package]\nname = \"m\"\n[dependencies]\nlog2.workspace = true\nown.workspace = true\n\
            [target.'cfg(unix)'.build-dependencies]\ncc = \"1\"\n[dev-dependencies]\nlog = \"0.4\"\n";
        let needs = needs(&[("Cargo.toml", root), ("m/Cargo.toml", member)], "m/Cargo.toml");
        assert_eq!(needs.get("log"), Some(&Need { scope: Scope::Runtime, external: true }));
        assert_eq!(needs.get("own"), Some(&Need { scope: Scope::Runtime, external: false }));
        assert_eq!(needs.get("cc"), Some(&Need { scope: Scope::Build, external: true }));
        assert_eq!(needs.get("log2"), None);
    }
}
