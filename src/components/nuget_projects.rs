//! `.NET` projects without a lock: what they and the lists above them declare.
//!
//! A declared version is the lowest that is taken; `NuGet` may take a higher one, so that these components have the
//! version declared and their files the state `unlocked`. Conditions are not judged: what is declared under several
//! of them is listed with each version. Never here: `MSBuild`'s functions, or a value that a condition decides.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

use super::documents::{text_of, xml};
use super::kind::Kind;
use super::pinned::{Pinned, report_one};
use super::purl;
use super::reading::{MOST_COMPONENTS, Reading};
use super::tree::{File, Tree, joined, stands_in, upwards};
use crate::domain::Scope;

/// Lists stand no further above a project, and no more versions of one package are told apart.
const FURTHEST: usize = 32;
const MOST_VERSIONS: usize = 16;

/// Properties may name each other so deep, and no version is longer.
const DEEPEST: usize = 8;
const LONGEST: usize = 400;

/// One project, or one list that projects below it share.
struct Project {
    /// Values by name in lower case; several where conditions decide.
    properties: BTreeMap<String, BTreeSet<String>>,
    uses: Vec<Use>,
    /// Central versions by name in lower case.
    central: BTreeMap<String, Vec<Use>>,
    /// Whether it leans on another file of its kind.
    imports: bool,
    is_test: bool,
}

#[derive(Clone)]
struct Use {
    id: String,
    version: Option<String>,
    scope: Scope,
}

/// All projects of a tree.
pub(super) struct Projects<'a> {
    read: BTreeMap<&'a [u8], (File<'a>, Result<Project, String>)>,
}

impl<'a> Projects<'a> {
    /// Reads the projects of a tree.
    pub(super) fn new(tree: &Tree<'a>) -> Self {
        let files = tree.of_kind(Kind::NugetProject).chain(tree.of_kind(Kind::NugetCentral));
        let read = files.map(|file| {
            let project = xml(file).map(|document| Project::of(&document));
            (file.path.as_bytes(), (file, project))
        });
        Self { read: read.collect() }
    }

    /// Says whether a project in the folder is one of tests.
    pub(super) fn is_test(&self, folder: &[u8]) -> bool {
        let inside = self.read.range(folder..).take_while(|(path, _)| path.starts_with(folder)).take(1000);
        let mut beside = inside.filter(|(_, (file, _))| file.path.parent() == folder);
        beside.any(|(_, (_, project))| project.as_ref().is_ok_and(|project| project.is_test))
    }

    /// Returns a reading of each.
    pub(super) fn read(&self, tree: &Tree<'_>) -> Vec<Reading> {
        let used: BTreeSet<String> =
            self.all().flat_map(|(_, project)| &project.uses).map(|used| used.id.to_lowercase()).collect();
        let locks: Vec<_> = tree.of_kind(Kind::NugetLock).map(|file| file.path).collect();
        let each = self.read.values().map(|(file, project)| match project {
            Err(why) => Reading::failed(file.kind, file.path, why),
            Ok(project) if file.kind == Kind::NugetCentral => {
                let locked = locks.iter().any(|lock| stands_in(lock.as_bytes(), file.path.parent()));
                let is_shared = self.all().any(|(other, project)| {
                    let below = stands_in(other.path.as_bytes(), file.path.parent());
                    below && other.kind == Kind::NugetProject && !project.uses.is_empty()
                });
                self.read_central(*file, project, is_shared.then_some(&used), locked)
            }
            Ok(project) => {
                let locked = tree.in_folder(file.path.parent(), "packages.lock.json").is_some();
                self.read_project(*file, project, locked)
            }
        });
        each.collect()
    }

    fn all(&self) -> impl Iterator<Item = (File<'a>, &Project)> {
        self.read.values().filter_map(|(file, project)| Some((*file, project.as_ref().ok()?)))
    }

    fn read_project(&self, file: File<'_>, project: &Project, locked: bool) -> Reading {
        let mut reading = Reading::new(file.kind, file.path);
        if locked || project.uses.is_empty() {
            reading.names(project.uses.len());
            return reading;
        }
        begin_unlocked(&mut reading);
        let above = self.above(file.path.parent());
        for used in &project.uses {
            let scope = if project.is_test { used.scope.min(Scope::Test) } else { used.scope };
            let central = above.iter().find_map(|list| list.central.get(&used.id.to_lowercase()));
            // Names are one whatever their case; the central list's spelling is the product's.
            let id =
                central.and_then(|central| central.first()).map_or(used.id.as_str(), |central| central.id.as_str());
            let versions: Vec<&str> = match (&used.version, central) {
                (Some(version), _) => vec![version],
                (None, Some(central)) => central.iter().filter_map(|version| version.version.as_deref()).collect(),
                (None, None) => Vec::new(),
            };
            if versions.is_empty() {
                reading.gap(&format!("{}: nothing in the repository gives its version", used.id));
                add(&mut reading, id, None, scope);
            }
            for version in versions {
                add_version(&mut reading, id, version, scope, (project, &above));
            }
        }
        reading
    }

    fn read_central(
        &self,
        file: File<'_>,
        project: &Project,
        used: Option<&BTreeSet<String>>,
        locked: bool,
    ) -> Reading {
        let mut reading = Reading::new(file.kind, file.path);
        let versions = project.central.values().flatten();
        if locked || (project.central.is_empty() && project.uses.is_empty()) {
            reading.names(versions.count());
            return reading;
        }
        begin_unlocked(&mut reading);
        let above = self.above(file.path.parent());
        for central in versions.chain(&project.uses) {
            // Without any project the list is all that is known.
            if used.is_some_and(|used| !used.contains(&central.id.to_lowercase())) {
                reading.gap(&format!("{}: it has a version here, and no project uses it", central.id));
                continue;
            }
            match &central.version {
                Some(version) => add_version(&mut reading, &central.id, version, central.scope, (project, &above)),
                None => reading.gap(&format!("{}: it has no version", central.id)),
            }
        }
        reading
    }

    /// The lists that a project in the folder shares: of each kind the nearest, and those that it leans on.
    fn above(&self, folder: &[u8]) -> Vec<&Project> {
        let mut found = Vec::new();
        for name in ["Directory.Build.props", "Directory.Packages.props", "Directory.Build.targets"] {
            for at in upwards(folder).take(FURTHEST) {
                let path = joined(at, name.as_bytes());
                let Some((_, Ok(list))) = self.read.get(path.as_slice()) else { continue };
                found.push(list);
                if !list.imports {
                    break;
                }
            }
        }
        found
    }
}

/// Adds a package at what a version comes to among the lists of its project.
fn add_version(reading: &mut Reading, id: &str, version: &str, scope: Scope, lists: (&Project, &[&Project])) {
    let found = expanded(version, lists.0, lists.1, DEEPEST);
    match found.as_ref().map(|version| exact(version)) {
        Ok(Some(version)) => return add(reading, id, Some(version), scope),
        Ok(None) => reading.gap(&format!("{id}: declared as {version}")),
        Err(name) => reading.gap(&format!("{id}: $({name}) has no one value in the repository")),
    }
    add(reading, id, None, scope);
}

fn begin_unlocked(reading: &mut Reading) {
    reading.unlocked();
    reading.gap("no lock says whether NuGet takes these versions or higher ones, or what they need in turn");
}

fn add(reading: &mut Reading, id: &str, version: Option<&str>, scope: Scope) {
    let package = Pinned::new("nuget", id, version, purl::plain("nuget", id, version));
    report_one(reading, Pinned { scope, direct: Some(true), ..package });
}

/// A plain version is the lowest, `[1.0]` the only one; all else is a range.
fn exact(version: &str) -> Option<&str> {
    let version = version.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(version).trim();
    (!version.is_empty() && !version.contains(['[', ']', '(', ')', ',', '*'])).then_some(version)
}

/// Replaces `$(Name)`, asking the project first and then the lists above it.
fn expanded(text: &str, project: &Project, above: &[&Project], deeper: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$(") {
        let (name, after) = after.split_once(')').ok_or_else(|| "without an end".to_owned())?;
        out.push_str(before);
        let key = name.to_lowercase();
        let values = std::iter::once(&project).chain(above).find_map(|list| list.properties.get(&key));
        let value = values.filter(|values| values.len() == 1).and_then(BTreeSet::first).filter(|_| deeper > 0);
        out.push_str(&expanded(value.ok_or_else(|| name.to_owned())?, project, above, deeper - 1)?);
        if out.len() > LONGEST {
            return Err(name.to_owned());
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

impl Project {
    fn of(document: &Document<'_>) -> Self {
        let root = document.root_element();
        let mut project = Self {
            properties: BTreeMap::new(),
            uses: Vec::new(),
            central: BTreeMap::new(),
            imports: false,
            is_test: false,
        };
        project.uses.extend(root.attribute("Sdk").into_iter().flat_map(|sdks| sdks.split(';')).filter_map(sdk));
        for node in root.descendants().filter(Node::is_element) {
            project.take(node);
        }
        let one = |name: &str| project.properties.get(name).is_some_and(|values| values.contains("true"));
        project.is_test = one("istestproject")
            || project.uses.iter().any(|used| used.id.eq_ignore_ascii_case("Microsoft.NET.Test.Sdk"));
        project
    }

    fn take(&mut self, node: Node<'_, '_>) {
        // One more than is kept, so that what is left out is said.
        if self.uses.len() > MOST_COMPONENTS {
            return;
        }
        let attribute = |name: &'static str| node.attribute(name).or_else(|| text_of(node, name));
        let ids = || {
            let ids = node.attribute("Include").or_else(|| node.attribute("Update")).unwrap_or_default();
            ids.split(';').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned)
        };
        let version =
            |name| attribute(name).map(|version| version.trim().to_owned()).filter(|version| !version.is_empty());
        match node.tag_name().name() {
            "PackageReference" => {
                let private = attribute("PrivateAssets").is_some_and(|assets| assets.eq_ignore_ascii_case("all"));
                let scope = if private { Scope::Build } else { Scope::Runtime };
                let version = version("VersionOverride").or_else(|| version("Version"));
                // An update changes what is included elsewhere; alone it includes nothing.
                if node.attribute("Include").is_some() || version.is_some() {
                    self.uses.extend(ids().map(|id| Use { id, version: version.clone(), scope }));
                }
            }
            "GlobalPackageReference" | "PackageDownload" | "DotNetCliToolReference" => {
                let version = version("Version");
                self.uses.extend(ids().map(|id| Use { id, version: version.clone(), scope: Scope::Build }));
            }
            "PackageVersion" => {
                let version = version("Version");
                for id in ids() {
                    let key = id.to_lowercase();
                    // What for is told by the projects that use it; the widest scope wins.
                    let scope = Scope::Dev;
                    let known = self.central.entry(key).or_default();
                    if known.len() < MOST_VERSIONS {
                        known.push(Use { id, version: version.clone(), scope });
                    }
                }
            }
            "Sdk" => {
                let (name, version) = (node.attribute("Name"), node.attribute("Version"));
                self.uses.extend(name.zip(version).and_then(|(name, version)| sdk(&format!("{name}/{version}"))));
            }
            "Import" => self.imports = true,
            name if node.parent_element().is_some_and(|parent| parent.tag_name().name() == "PropertyGroup") => {
                let value = node.text().unwrap_or_default().trim();
                let known = self.properties.entry(name.to_lowercase()).or_default();
                if known.len() < MOST_VERSIONS {
                    known.insert(value.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// What builds the project, where its version is named: `Name/1.0`.
fn sdk(text: &str) -> Option<Use> {
    let (id, version) = text.trim().split_once('/')?;
    Some(Use { id: id.to_owned(), version: Some(version.to_owned()), scope: Scope::Build })
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn central_versions_overrides_and_properties_are_resolved() {
        let central = r#"<Project><PropertyGroup><V>2.0</V></PropertyGroup><ItemGroup>
            <PackageVersion Include="A" Version="1.0"/><PackageVersion Include="B" Version="$(V).1"/>
            <PackageVersion Include="B" Version="1.9" Condition="'$(TargetFramework)' == 'net6.0'"/>
            <PackageVersion Include="Unused" Version="1"/><GlobalPackageReference Include="G" Version="3"/></ItemGroup></Project>"#;
        let project = r#"<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="a"/>
            <PackageReference Include="B"><PrivateAssets>all</PrivateAssets></PackageReference>
            <PackageReference Include="A" VersionOverride="1.5"/><PackageReference Include="C" Version="1.*"/>
            <PackageReference Include="D" Version="$(Nowhere)"/><PackageReference Include="E" Version="[4.0]"/>
            <ProjectReference Include="..\x\x.csproj"/></ItemGroup></Project>"#;
        let inventory = inventory(&[("Directory.Packages.props", central), ("src/x/x.csproj", project)]);
        for (purl, scope) in [
            ("pkg:nuget/A@1.0", Scope::Runtime),
            ("pkg:nuget/A@1.5", Scope::Runtime),
            ("pkg:nuget/B@2.0.1", Scope::Build),
            ("pkg:nuget/B@1.9", Scope::Build),
            ("pkg:nuget/C", Scope::Runtime),
            ("pkg:nuget/D", Scope::Runtime),
            ("pkg:nuget/E@4.0", Scope::Runtime),
        ] {
            assert_eq!(found(&inventory, purl).scope, scope, "{purl}");
        }
        assert_eq!(status(&inventory, "src/x/x.csproj"), CoverageStatus::Unlocked);
        assert_eq!(gaps(&inventory, "src/x/x.csproj").len(), 3);
        assert!(gaps(&inventory, "Directory.Packages.props").iter().any(|gap| gap.starts_with("Unused")));
    }

    #[test]
    fn a_locked_project_lists_nothing_and_a_project_of_tests_is_test() {
        let project = r#"<Project><ItemGroup><PackageReference Include="A" Version="1"/>
            <PackageReference Include="Microsoft.NET.Test.Sdk" Version="17"/></ItemGroup></Project>"#;
        let lock = r#"{"version": 1, "dependencies": {"net8.0": {"A": {"type": "Direct", "resolved": "1.0.0"}}}}"#;
        let inventory = inventory(&[
            ("t/t.csproj", project),
            ("u/u.fsproj", project),
            ("u/packages.lock.json", lock),
            ("bad.vbproj", "<Project>"),
        ]);
        assert_eq!(found(&inventory, "pkg:nuget/A@1").scope, Scope::Test);
        assert_eq!(found(&inventory, "pkg:nuget/A@1.0.0").scope, Scope::Test);
        assert_eq!(status(&inventory, "u/u.fsproj"), CoverageStatus::Parsed);
        assert_eq!(status(&inventory, "bad.vbproj"), CoverageStatus::Failed);
    }
}
