//! `pom.xml`: what each pom uses itself, with the version that its own repository gives it.
//!
//! There is no lock: what the components need in turn is resolved by Maven alone, and that is a gap of every pom.
//! Poms of the tree are the product's own. Scopes: `compile`, `runtime` and `system` are runtime; `provided` is build,
//! since the host brings its own at run time; plugins, extensions, processors, parents and imported lists are build.
//! What only a profile uses is optional. Never here: a version that the repository does not give.

use super::kind::Kind;
use super::maven_build::{Build, Resolved};
use super::maven_pom::{Layer, Pom, Role, Use, extensions};
use super::pinned::{Pinned, report_one};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};
use crate::domain::Scope;

/// So much of what parents use is looked at again in their children's places.
const MOST_INHERITED: usize = 200_000;

/// Reads every pom of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut poms = Vec::new();
    for file in tree.of_kind(Kind::MavenPom) {
        match Pom::parse(file) {
            Ok(Some(pom)) => poms.push((file, pom)),
            Ok(None) => readings.push(Reading::failed(file.kind, file.path, "its root is no project")),
            Err(why) => readings.push(Reading::failed(file.kind, file.path, &why)),
        }
    }
    let build = Build::new(poms);
    let mut inherited = 0;
    readings.extend((0..build.members.len()).filter_map(|index| read_pom(&build, index, &mut inherited)));
    readings.extend(tree.of_kind(Kind::MavenExtensions).map(|file| read_extensions(&build, file)));
    readings
}

fn read_pom(build: &Build<'_>, index: usize, inherited: &mut usize) -> Option<Reading> {
    let member = build.members.get(index)?;
    let mut reading = Reading::new(member.file.kind, member.file.path);
    // What a parent in the tree lacks stands in the parent's own reading.
    let is_last = member.line.len() == 1;
    if let Some(broken) = member.broken.as_ref().filter(|_| is_last || member.outside.is_none()) {
        reading.gap(broken);
    }
    for import in &member.foreign_imports {
        reading.gap(&format!("its imported list {import} is not in the repository"));
    }
    if member.pom.has_too_many_profiles {
        reading.gap("it has more profiles than are read");
    }
    let mut dependencies = false;
    for (at, layer) in member.pom.layers.iter().enumerate() {
        for used in &layer.uses {
            match build.resolve(index, layer, used) {
                Ok(resolved) => dependencies |= add(&mut reading, build, used.role, &resolved, at > 0 && !layer.active),
                Err(why) => reading.gap(&why),
            }
        }
        for import in layer.managed.iter().filter(|managed| managed.scope.as_deref() == Some("import")) {
            match build.resolve(index, layer, &as_tool(import)) {
                Ok(resolved) => drop(add(&mut reading, build, Role::Tool, &resolved, false)),
                Err(why) => reading.gap(&why),
            }
        }
    }
    for (group, artifact, version) in member.outside.iter().filter(|_| is_last) {
        let resolved = Resolved {
            group: group.clone(),
            artifact: artifact.clone(),
            version: version.clone().ok_or_else(|| "the pom gives no version".to_owned()),
            packaging: Some("pom".to_owned()),
            classifier: None,
            scope: None,
            optional: false,
        };
        add(&mut reading, build, Role::Tool, &resolved, false);
    }
    if build.is_exhausted() {
        reading.gap("the tree's poms lean on each other more than is looked through");
    }
    if dependencies {
        reading.gap("what its components need in turn is not in any file, for Maven has no lock");
    }
    add_inherited(&mut reading, build, index, inherited);
    Some(reading)
}

/// What a parent uses stands in the parent's reading, and here only where this pom makes another version of it.
fn add_inherited(reading: &mut Reading, build: &Build<'_>, index: usize, inherited: &mut usize) {
    let Some(member) = build.members.get(index) else { return };
    for (at, parent) in member.line.iter().skip(1).filter_map(|at| Some((*at, build.members.get(*at)?))) {
        let layers = parent.pom.layers.iter().filter(|layer| layer.active);
        for (layer, used) in layers.flat_map(|layer| layer.uses.iter().map(move |used| (layer, used))) {
            *inherited += 1;
            if *inherited > MOST_INHERITED {
                return reading.gap("what it inherits was not looked at, for the parents use too much");
            }
            let here = build.resolve(index, outermost(build, index, layer), used);
            if let (Ok(here), Ok(there)) = (here, build.resolve(at, layer, used))
                && here != there
                && here.version.is_ok()
            {
                add(reading, build, used.role, &here, false);
            }
        }
    }
}

/// In the child's place the child's properties come before those of the parent's own layer.
fn outermost<'b>(build: &'b Build<'_>, index: usize, layer: &'b Layer) -> &'b Layer {
    build.members.get(index).and_then(|member| member.pom.layers.first()).unwrap_or(layer)
}

fn as_tool(import: &Use) -> Use {
    Use {
        role: Role::Tool,
        group: import.group.clone(),
        artifact: import.artifact.clone(),
        version: import.version.clone(),
        packaging: Some("pom".to_owned()),
        classifier: None,
        scope: None,
        optional: None,
    }
}

/// Adds what is no own module; returns whether something was added that has needs of its own.
fn add(reading: &mut Reading, build: &Build<'_>, role: Role, resolved: &Resolved, in_profile: bool) -> bool {
    let Resolved { group, artifact, .. } = resolved;
    let name = format!("{group}:{artifact}");
    if build.own_at(group, artifact, resolved.version.as_deref().ok()).is_some() {
        return false;
    }
    let version = resolved.version.as_ref().ok().and_then(|version| fixed(reading, &name, version));
    if let Err(why) = &resolved.version {
        reading.gap(&format!("{name}: {why}"));
    }
    let purl = purl_of(resolved, version.as_deref());
    let mut package = Pinned::new("maven", &name, version.as_deref(), purl);
    package.direct = Some(true);
    package.scope = scope(role, resolved, in_profile);
    report_one(reading, package);
    role == Role::Dependency
}

fn purl_of(resolved: &Resolved, version: Option<&str>) -> String {
    let Resolved { group, artifact, .. } = resolved;
    let classifier = resolved.classifier.as_deref().unwrap_or_default();
    let packaging = resolved.packaging.as_deref().unwrap_or_default();
    let more = [("classifier", classifier), ("type", packaging)];
    purl::other("maven", &format!("{group}/{artifact}"), version, &Origin::Usual, &more)
}

/// A range or a word such as `LATEST` is no version; `[1.0]` is one.
fn fixed(reading: &mut Reading, name: &str, version: &str) -> Option<String> {
    let exact = version.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(version).trim();
    if exact.contains(['[', ']', '(', ')', ',']) || ["LATEST", "RELEASE"].contains(&exact) {
        reading.gap(&format!("{name}: declared as {version}, and Maven has no lock that says which version"));
        return None;
    }
    if exact.ends_with("-SNAPSHOT") {
        reading.gap(&format!("{name}: {exact} is not one fixed version"));
    }
    Some(exact.to_owned())
}

fn scope(role: Role, resolved: &Resolved, in_profile: bool) -> Scope {
    let scope = match (role, resolved.scope.as_deref()) {
        (Role::Dependency, Some("test")) => Scope::Test,
        (Role::Dependency, Some("provided")) | (Role::Plugin | Role::Tool, _) => Scope::Build,
        (Role::Dependency, _) => Scope::Runtime,
    };
    if in_profile || resolved.optional { scope.min(Scope::Optional) } else { scope }
}

fn read_extensions(build: &Build<'_>, file: File<'_>) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let nothing = Layer::default();
    match extensions(file) {
        Ok(found) => {
            for used in &found {
                match build.resolve(usize::MAX, &nothing, used) {
                    Ok(resolved) => drop(add(&mut reading, build, Role::Tool, &resolved, false)),
                    Err(why) => reading.gap(&why),
                }
            }
        }
        Err(why) => return Reading::failed(file.kind, file.path, &why),
    }
    reading
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    fn pom(inner: &str) -> String {
        format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>{inner}</project>"
        )
    }

    fn uses(lines: &[&str]) -> String {
        let each = lines.iter().map(|line| {
            let mut parts = line.split(' ');
            let mut field = |name: &str| match parts.next().filter(|value| *value != "-") {
                Some(value) => format!("<{name}>{value}</{name}>"),
                None => String::new(),
            };
            let inner = [field("groupId"), field("artifactId"), field("version"), field("scope"), field("type")];
            format!("<dependency>{}</dependency>", inner.concat())
        });
        format!("<dependencies>{}</dependencies>", each.collect::<String>())
    }

    fn managed(lines: &[&str]) -> String {
        format!("<dependencyManagement>{}</dependencyManagement>", uses(lines))
    }

    const OWN: &str = "<groupId>org.me</groupId><artifactId>top</artifactId><version>1-SNAPSHOT</version>";
    const PARENT: &str =
        "<parent><groupId>org.me</groupId><artifactId>top</artifactId><version>1-SNAPSHOT</version></parent>";

    #[test]
    fn parents_properties_and_imported_lists_of_the_repository_are_resolved() {
        let top = pom(&format!(
            "{OWN}<properties><a.version>1.0</a.version><b.version>${{a.version}}.1</b.version></properties>{}",
            managed(&["org.me bom ${project.version} import pom", "g a ${a.version} test"])
        ));
        let bom = pom(&format!(
            "{PARENT}<artifactId>bom</artifactId>{}",
            managed(&["g b ${b.version}", "g a 9", "${project.groupId} lib ${project.version}"])
        ));
        let lib = pom(&format!(
            "{PARENT}<artifactId>lib</artifactId><properties><a.version>2.0</a.version></properties>{}",
            uses(&[
                "g a",
                "g b",
                "g c ${a.version} provided",
                "org.me lib",
                "org.me bom 0.9 - pom",
                "g d ${missing}",
                "g e"
            ])
        ));
        let inventory = inventory(&[("pom.xml", &top), ("bom/pom.xml", &bom), ("lib/pom.xml", &lib)]);
        for (purl, scope) in [
            ("pkg:maven/g/a@2.0", Scope::Test),
            ("pkg:maven/g/b@1.0.1", Scope::Runtime),
            ("pkg:maven/g/c@2.0", Scope::Build),
            ("pkg:maven/org.me/bom@0.9?type=pom", Scope::Runtime),
            ("pkg:maven/g/d", Scope::Runtime),
            ("pkg:maven/g/e", Scope::Runtime),
        ] {
            assert_eq!(found(&inventory, purl).scope, scope, "{purl}");
        }
        assert_eq!(inventory.components.len(), 6, "own modules are no components");
        assert_eq!(found(&inventory, "pkg:maven/g/d").version, None);
        let gaps = gaps(&inventory, "lib/pom.xml");
        assert!(gaps.contains(&"g:d: ${missing} is not defined in the repository".to_owned()), "{gaps:?}");
        assert!(gaps.contains(&"g:e: nothing in the repository gives its version".to_owned()), "{gaps:?}");
    }

    #[test]
    fn what_stands_outside_of_the_repository_is_named() {
        let text = pom(&format!(
            "<parent><groupId>org.boot</groupId><artifactId>parent</artifactId><version>3.1</version><relativePath/></parent>\
             <artifactId>app</artifactId>{}{}<build><plugins><plugin><artifactId>maven-x-plugin</artifactId></plugin></plugins></build>",
            managed(&["org.cloud deps 2023 import pom"]),
            uses(&["g a [1.0,2.0)", "g b [1.5]", "g c 1-SNAPSHOT"])
        ));
        let inventory = inventory(&[("pom.xml", &text)]);
        assert_eq!(found(&inventory, "pkg:maven/org.boot/parent@3.1?type=pom").scope, Scope::Build);
        assert_eq!(found(&inventory, "pkg:maven/org.cloud/deps@2023?type=pom").scope, Scope::Build);
        assert_eq!(found(&inventory, "pkg:maven/org.apache.maven.plugins/maven-x-plugin").scope, Scope::Build);
        assert_eq!(found(&inventory, "pkg:maven/g/a").version, None);
        found(&inventory, "pkg:maven/g/b@1.5");
        found(&inventory, "pkg:maven/g/c@1-SNAPSHOT");
        let gaps = gaps(&inventory, "pom.xml").join("\n");
        for part in
            ["parent org.boot:parent 3.1", "list org.cloud:deps 2023", "[1.0,2.0)", "not one fixed version", "no lock"]
        {
            assert!(gaps.contains(part), "{part}: {gaps}");
        }
    }

    #[test]
    fn a_child_that_changes_a_property_changes_what_it_inherits() {
        let top = pom(&format!("{OWN}<properties><v>1</v></properties>{}", uses(&["g a ${v}", "g b 1"])));
        let child = pom(&format!("{PARENT}<artifactId>c</artifactId><properties><v>2</v></properties>"));
        let inventory = inventory(&[("pom.xml", &top), ("c/pom.xml", &child)]);
        assert_eq!(found(&inventory, "pkg:maven/g/a@2").found_in.len(), 1);
        found(&inventory, "pkg:maven/g/a@1");
        assert_eq!(found(&inventory, "pkg:maven/g/b@1").found_in.len(), 1);
    }

    #[test]
    fn profiles_are_optional_and_lend_what_they_agree_on() {
        let text = pom(&format!(
            "{OWN}<profiles><profile><id>x</id><properties><v>1</v></properties>{}</profile>\
             <profile><id>y</id><activation><activeByDefault>true</activeByDefault></activation>{}</profile></profiles>{}",
            uses(&["g a ${v}"]),
            uses(&["g b 1"]),
            uses(&["g c ${v}"])
        ));
        let inventory = inventory(&[("pom.xml", &text)]);
        assert_eq!(found(&inventory, "pkg:maven/g/a@1").scope, Scope::Optional);
        assert_eq!(found(&inventory, "pkg:maven/g/b@1").scope, Scope::Runtime);
        found(&inventory, "pkg:maven/g/c@1");
    }

    #[test]
    fn circles_and_bombs_end() {
        let circle = pom(&format!("{PARENT}{OWN}"));
        let circle = circle.replacen("</parent>", "<relativePath>../x/pom.xml</relativePath></parent>", 1);
        let mut laughs = String::new();
        for level in 1..40 {
            let below = level - 1;
            laughs = format!("{laughs}<p{level}>${{p{below}}}${{p{below}}}</p{level}>");
        }
        let bomb = pom(&format!(
            "{OWN}<properties><p0>x</p0>{laughs}<me>${{me}}</me></properties>{}",
            uses(&["g a ${p39}", "g b ${me}", "g c ${open", "${p39} d 1"])
        ));
        let inventory =
            inventory(&[("x/pom.xml", &circle), ("w/pom.xml", &circle), ("y/pom.xml", &bomb), ("z/pom.xml", "<a/>")]);
        assert!(gaps(&inventory, "x/pom.xml")[0].contains("circle"), "{:?}", gaps(&inventory, "x/pom.xml"));
        assert_eq!(gaps(&inventory, "y/pom.xml").len(), 5);
        assert_eq!(status(&inventory, "z/pom.xml"), CoverageStatus::Failed);
        assert_eq!(inventory.components.len(), 3);
    }
}
