//! `go.mod`, with the hashes of `go.sum`, and the workspaces of `go.work`.
//!
//! `go.mod` alone says which versions are selected; `go.sum` holds more than the build and only lends its hashes, which
//! are Go's own hash of a tree (`h1`) and no file's SHA-256. A replacement is what is built, so it is the component.
//! Never here: a version for the standard library, which the toolchain of the build decides.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::Kind;
use super::purl;
use super::reading::{Reading, is_sound};
use super::tree::{File, Tree, joined, resolved, upwards};
use crate::domain::{RepoPath, Scope};

/// From this version on, `go.mod` lists indirect modules too.
const COMPLETE_SINCE: (u32, u32) = (1, 17);

/// No package stands deeper in its module.
const DEEPEST: usize = 64;

/// A module and its version; a folder or every version where there is none.
type Place<'a> = (&'a str, Option<&'a str>);

#[derive(Default)]
struct GoMod<'a> {
    module: Option<&'a str>,
    go: Option<&'a str>,
    /// Module, version, and whether the comment calls it indirect.
    required: Vec<(&'a str, &'a str, bool)>,
    /// Module and version, or every version of it, with what stands in its place.
    replaced: BTreeMap<Place<'a>, Place<'a>>,
    excluded: BTreeSet<(&'a str, &'a str)>,
    tools: Vec<&'a str>,
    /// The folders that a `go.work` takes together.
    uses: Vec<&'a str>,
    /// Lines of another shape, from 1.
    unclear: Vec<usize>,
}

/// A `go.work`: its replacements count for every module that it takes together, and those are the product's own.
struct Workspace<'a> {
    folder: &'a [u8],
    work: GoMod<'a>,
    sums: Hashes<'a>,
    members: BTreeSet<Vec<u8>>,
    /// The paths of its modules.
    own: BTreeSet<&'a str>,
}

/// The hash of each module's tree, with the file that holds it.
type Hashes<'a> = BTreeMap<Version<'a>, (&'a str, &'a RepoPath)>;

/// Module and version.
type Version<'a> = (&'a str, &'a str);

/// Reads every `go.mod`, `go.sum` and `go.work` of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut readings = Vec::new();
    for (kind, beside) in [(Kind::GoSum, "go.mod"), (Kind::GoWorkSum, "go.work")] {
        readings.extend(tree.of_kind(kind).map(|file| match file.text() {
            Ok(_) => {
                let mut reading = Reading::new(file.kind, file.path);
                if tree.in_folder(file.path.parent(), beside).is_none() {
                    reading.gap(&format!("no {beside} beside it tells which of its versions are selected"));
                }
                reading
            }
            Err(why) => Reading::failed(file.kind, file.path, &why),
        }));
    }
    let mut workspaces = Vec::new();
    for file in tree.of_kind(Kind::GoWork) {
        match file.text().map(GoMod::parse) {
            Ok(work) => {
                let mut reading = Reading::new(file.kind, file.path);
                work.unclear.iter().for_each(|line| reading.gap(&format!("line {line} is not understood")));
                readings.push(reading);
                workspaces.push(Workspace::new(tree, file, work));
            }
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    readings.extend(tree.of_kind(Kind::GoMod).map(|file| match file.text().map(GoMod::parse) {
        Ok(parsed) => {
            let workspace = workspaces.iter().find(|workspace| workspace.members.contains(file.path.parent()));
            parsed.read(tree, file, workspace)
        }
        Err(why) => Reading::failed(file.kind, file.path, &why),
    }));
    readings
}

impl<'a> Workspace<'a> {
    fn new(tree: &Tree<'a>, file: File<'a>, work: GoMod<'a>) -> Self {
        let folder = file.path.parent();
        let members: BTreeSet<Vec<u8>> = work.uses.iter().filter_map(|path| resolved(folder, path)).collect();
        let modules = members.iter().filter_map(|at| tree.in_folder(at, "go.mod")?.text().ok());
        let own = modules.filter_map(|text| GoMod::parse(text).module).collect();
        let sums = tree.in_folder(folder, "go.work.sum").map(hashes_of).unwrap_or_default();
        Self { folder, work, sums, members, own }
    }
}

fn hashes_of(file: File<'_>) -> Hashes<'_> {
    let hashes = file.text().map(tree_hashes).unwrap_or_default();
    hashes.into_iter().map(|(key, hash)| (key, (hash, file.path))).collect()
}

impl<'a> GoMod<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parsed = Self::default();
        let mut block: Option<&str> = None;
        for (number, raw) in text.lines().enumerate() {
            let (code, comment) = raw.split_once("//").map_or((raw, ""), |(code, comment)| (code, comment.trim()));
            let mut words: Vec<&str> = code.split_whitespace().map(unquoted).collect();
            if words.is_empty() {
                continue;
            }
            if words == [")"] {
                block = None;
                continue;
            }
            let verb = match block {
                Some(verb) => verb,
                None => words.remove(0),
            };
            if block.is_none() && words == ["("] {
                block = Some(verb);
                continue;
            }
            let indirect = comment == "indirect" || comment.starts_with("indirect;");
            if parsed.line(verb, &words, indirect).is_none() {
                parsed.unclear.push(number + 1);
            }
        }
        parsed
    }

    /// Takes one directive; nothing when it has another shape than Go allows.
    fn line(&mut self, verb: &str, words: &[&'a str], indirect: bool) -> Option<()> {
        match (verb, words) {
            ("module", [path]) => self.module = Some(path),
            ("go", [version]) => self.go = Some(version),
            ("require", [path, version]) => self.required.push((path, version, indirect)),
            ("exclude", [path, version]) => drop(self.excluded.insert((path, version))),
            ("tool", [path]) => self.tools.push(path),
            ("use", [path]) => self.uses.push(path),
            ("replace", [path, "=>", to @ ..]) => drop(self.replaced.insert((path, None), place(to)?)),
            ("replace", [path, version, "=>", to @ ..]) => {
                self.replaced.insert((path, Some(version)), place(to)?);
            }
            ("retract" | "toolchain" | "godebug" | "ignore" | "module", _) => {}
            _ => return None,
        }
        Some(())
    }

    fn read(&self, tree: &Tree<'_>, file: File<'_>, workspace: Option<&Workspace<'_>>) -> Reading {
        let mut reading = Reading::new(file.kind, file.path);
        let folder = file.path.parent();
        let sums = tree.in_folder(folder, "go.sum").map(hashes_of).unwrap_or_default();
        if let Some(module) = self.module {
            reading.own("golang", module, None, purl::golang(module, None));
        }
        for line in &self.unclear {
            reading.gap(&format!("line {line} is not understood"));
        }
        if !self.required.is_empty() && !self.lists_indirect() {
            reading.gap("before go 1.17 a go.mod does not list every indirect module");
        }
        for (path, version, _) in
            self.required.iter().filter(|(path, version, _)| self.excluded.contains(&(*path, *version)))
        {
            reading.gap(&format!("{path} {version} is required and excluded: which version is built is not told"));
        }
        let tools = self.tool_modules();
        for (path, version, indirect) in self.selected() {
            if workspace.is_some_and(|workspace| workspace.own.contains(path)) {
                continue;
            }
            // A workspace's replacement wins over a module's.
            let above = workspace.and_then(|above| Some((above.work.replacement(path, version)?, above.folder)));
            let replacement = above.or_else(|| Some((self.replacement(path, version)?, folder)));
            let (path, version) = match replacement {
                None => (path, version),
                Some(((to, Some(version)), _)) => (to, version),
                Some(((to, None), from)) => {
                    let own = resolved(from, to).is_some_and(|at| tree.find(&joined(&at, b"go.mod")).is_some());
                    if !own {
                        reading.gap(&format!("{path} is replaced by a folder that is not in the tree: {to}"));
                    }
                    continue;
                }
            };
            let purl = purl::golang(path, Some(version));
            let Some(mut component) = reading.component("golang", path, Some(version), purl) else { continue };
            let tool = tools.contains(path.as_bytes());
            component.direct = Some(!indirect || tool);
            // A tool that the product does not import itself is marked as indirect.
            component.scope = if indirect && tool { Scope::Build } else { Scope::Runtime };
            let above = || workspace.and_then(|workspace| workspace.sums.get(&(path, version)));
            match sums.get(&(path, version)).or_else(above) {
                Some((hash, sum)) => {
                    let mut hash = reading.hash("h1", hash);
                    hash.origin = (*sum).clone();
                    component.hashes.push(hash);
                }
                None => reading.gap(&format!("{path} {version}: go.sum holds no hash of it")),
            }
            reading.add(component);
        }
        reading
    }

    /// Of several versions of one module Go selects the highest; a later line is taken as the higher one only when the
    /// file repeats itself, which Go's own programs never write.
    fn selected(&self) -> impl Iterator<Item = (&'a str, &'a str, bool)> {
        let mut selected: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
        for (path, version, indirect) in &self.required {
            if !self.excluded.contains(&(*path, *version)) {
                selected.insert(path, (version, *indirect));
            }
        }
        selected.into_iter().map(|(path, (version, indirect))| (path, version, indirect))
    }

    fn replacement(&self, path: &str, version: &str) -> Option<Place<'a>> {
        self.replaced.get(&(path, Some(version))).or_else(|| self.replaced.get(&(path, None))).copied()
    }

    /// Returns the modules that provide tools: of those whose path begins a tool's path, the longest.
    fn tool_modules(&self) -> BTreeSet<&'a [u8]> {
        let modules: BTreeSet<&[u8]> = self.required.iter().map(|(path, _, _)| path.as_bytes()).collect();
        let provider = |tool: &&'a str| upwards(tool.as_bytes()).take(DEEPEST).find(|path| modules.contains(path));
        self.tools.iter().filter_map(provider).collect()
    }

    fn lists_indirect(&self) -> bool {
        let mut parts = self.go.unwrap_or("1.16").split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= COMPLETE_SINCE
    }
}

fn place<'a>(words: &[&'a str]) -> Option<Place<'a>> {
    match words {
        [path] => Some((path, None)),
        [path, version] => Some((path, Some(version))),
        _ => None,
    }
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '`'])
}

/// Returns the hash of each module's tree; lines about a `go.mod` alone are left out.
fn tree_hashes(text: &str) -> BTreeMap<(&str, &str), &str> {
    let mut hashes = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(path), Some(version), Some(hash)) = (words.next(), words.next(), words.next()) else { continue };
        // 32 bytes in base64.
        if let Some(hash) = hash.strip_prefix("h1:").filter(|hash| hash.len() == 44 && is_sound(hash)) {
            hashes.insert((path, version), hash);
        }
    }
    hashes
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory};
    use crate::domain::Scope;

    const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    #[test]
    fn go_mod_selects_and_go_sum_lends_hashes() {
        let go_mod = "module example.com/app // the product\n\ngo 1.24\ntoolchain go1.24.1\n\
            require github.com/Foo/Bar/v2 v2.0.0+incompatible\n\
            require (\n\tb.org/b v1.0.0 // indirect\n\t\"c.org/c\" v1.0.0 // indirect; kept\n\
            \town.org/own v0.0.0\n\tgone.org/gone v0.0.0\n\tx.org/tool v1.0.0 // indirect\n)\n\
            replace (\n\tb.org/b => fork.org/b v1.1.0\n\town.org/own => ./own\n\tgone.org/gone v0.0.0 => ../gone\n)\n\
            tool x.org/tool/cmd/t\nretract [v1.0.0, v1.1.0]\nnonsense\n";
        let go_sum = format!(
            "github.com/Foo/Bar/v2 v2.0.0+incompatible h1:{HASH}\nb.org/b v1.0.0 h1:{HASH}\n\
             fork.org/b v1.1.0/go.mod h1:{HASH}\nc.org/c v1.0.0 h1:{HASH}\nx.org/tool v1.0.0 h1:{HASH}\n"
        );
        let inventory = inventory(&[("go.mod", go_mod), ("go.sum", &go_sum), ("own/go.mod", "module own.org/own\n")]);
        let bar = found(&inventory, "pkg:golang/github.com/foo/bar/v2@v2.0.0%2Bincompatible");
        assert_eq!((bar.name.as_str(), bar.direct), ("github.com/Foo/Bar/v2", Some(true)));
        assert_eq!((bar.hashes[0].alg.as_str(), bar.hashes[0].origin.to_string()), ("h1", "go.sum".to_owned()));
        assert_eq!(found(&inventory, "pkg:golang/fork.org/b@v1.1.0").direct, Some(false));
        assert_eq!(found(&inventory, "pkg:golang/c.org/c@v1.0.0").scope, Scope::Runtime);
        let tool = found(&inventory, "pkg:golang/x.org/tool@v1.0.0");
        assert_eq!((tool.scope, tool.direct), (Scope::Build, Some(true)));
        assert_eq!(inventory.components.len(), 4);
        assert_eq!(
            gaps(&inventory, "go.mod"),
            [
                "fork.org/b v1.1.0: go.sum holds no hash of it",
                "gone.org/gone is replaced by a folder that is not in the tree: ../gone",
                "line 20 is not understood"
            ]
        );
    }

    #[test]
    fn an_old_go_mod_says_that_it_is_not_complete() {
        let inventory = inventory(&[("go.mod", "module m\ngo 1.16\nrequire a.org/a v1.0.0\nexclude a.org/a v1.0.0\n")]);
        assert_eq!(
            gaps(&inventory, "go.mod"),
            [
                "a.org/a v1.0.0 is required and excluded: which version is built is not told",
                "before go 1.17 a go.mod does not list every indirect module"
            ]
        );
    }

    #[test]
    fn a_workspace_replaces_for_its_members_and_makes_them_own() {
        let work = "go 1.22\nuse (\n\t./a\n\t./b\n)\nreplace x.org/x => ./x\nreplace y.org/y => fork.org/y v2.0.0\n";
        let a = "module m.org/a\ngo 1.22\nrequire (\n\tm.org/b v0.0.0\n\tx.org/x v1.0.0\n\ty.org/y v1.0.0\n)\nreplace y.org/y => other.org/y v3.0.0\n";
        let sum = format!("fork.org/y v2.0.0 h1:{HASH}\n");
        let inventory = inventory(&[
            ("go.work", work),
            ("go.work.sum", &sum),
            ("a/go.mod", a),
            ("b/go.mod", "module m.org/b\ngo 1.22\n"),
            ("x/go.mod", "module x.org/x\n"),
            ("alone/go.mod", "module m.org/c\ngo 1.22\nrequire y.org/y v1.0.0\n"),
        ]);
        let y = found(&inventory, "pkg:golang/fork.org/y@v2.0.0");
        assert_eq!(y.hashes[0].origin.to_string(), "go.work.sum");
        found(&inventory, "pkg:golang/y.org/y@v1.0.0");
        assert_eq!(inventory.components.len(), 2);
        assert!(gaps(&inventory, "a/go.mod").is_empty());
    }
}
