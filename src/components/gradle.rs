//! Gradle: its locks, and the catalogs of versions, which declare and do not lock.
//!
//! A lock names configurations, and their names tell what for: those that end in `runtimeClasspath` ship, those with
//! `test` in them test. A catalog says which versions are asked for; Gradle may choose higher ones. Never here: a
//! build script, which is a program.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report_one};
use super::purl;
use super::reading::Reading;
use super::tree::{File, Tree, stands_in, upwards};
use crate::domain::Scope;

/// Configurations that hold what builds or checks the product, and nothing of the product.
const TOOLS: [&str; 14] = [
    "annotationprocessor",
    "kapt",
    "ksp",
    "lint",
    "detekt",
    "checkstyle",
    "pmd",
    "spotbugs",
    "jacoco",
    "kotlincompiler",
    "kotlinbuildtools",
    "ktlint",
    "spotless",
    "errorprone",
];

/// Reads every lock and catalog of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let locks = tree.of_kind(Kind::GradleLock).chain(tree.of_kind(Kind::GradleBuildLock));
    let mut readings: Vec<Reading> = locks.map(|file| or_failed(file, read_lock(file))).collect();
    readings.extend(tree.of_kind(Kind::GradleCatalog).map(|file| or_failed(file, read_catalog(tree, file))));
    readings
}

fn read_lock(file: File<'_>) -> Result<Reading, String> {
    let mut reading = Reading::new(file.kind, file.path);
    // The older locks have one file per configuration, of which the file's name is the configuration.
    let name = String::from_utf8_lossy(file.path.file_name());
    let of_file = name.strip_suffix(".lockfile").filter(|name| *name != "gradle").unwrap_or("runtimeClasspath");
    for (number, line) in file.text()?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let (coordinates, configurations) = line.split_once('=').unwrap_or((line, of_file));
        let parts: Vec<&str> = coordinates.splitn(4, ':').collect();
        let [group, artifact, version] = parts[..] else {
            reading.gap(&format!("line {} is not understood", number + 1));
            continue;
        };
        let purl = purl::plain("maven", &format!("{group}/{artifact}"), Some(version));
        let mut package = Pinned::new("maven", &format!("{group}:{artifact}"), Some(version), purl);
        let scopes = configurations.split(',').map(scope);
        package.scope =
            if file.kind == Kind::GradleBuildLock { Scope::Build } else { scopes.max().unwrap_or(Scope::Runtime) };
        report_one(&mut reading, package);
    }
    Ok(reading)
}

/// What a configuration is for. One of a name that says nothing may ship.
fn scope(configuration: &str) -> Scope {
    let name = configuration.trim().to_ascii_lowercase();
    if TOOLS.iter().any(|tool| name.contains(tool)) {
        Scope::Build
    } else if name.contains("test") {
        Scope::Test
    } else if name.ends_with("compileclasspath") || name.ends_with("compileonly") {
        Scope::Build
    } else {
        Scope::Runtime
    }
}

fn read_catalog(tree: &Tree<'_>, file: File<'_>) -> Result<Reading, String> {
    let catalog: Table = file.toml()?;
    let mut reading = Reading::new(file.kind, file.path);
    let table = |name: &str| catalog.get(name).and_then(Value::as_table);
    let versions = table("versions");
    let mut declared: BTreeMap<(String, Scope), Option<Asked>> = BTreeMap::new();
    for (alias, entry) in table("libraries").into_iter().flatten() {
        match library(entry, versions) {
            Some((name, version)) => drop(declared.insert((name, Scope::Runtime), version)),
            None => reading.gap(&format!("the library {alias} is not understood")),
        }
    }
    for (alias, entry) in table("plugins").into_iter().flatten() {
        match plugin(entry, versions) {
            // What a plugin's name stands for in a repository.
            Some((id, version)) => {
                drop(declared.insert((format!("{id}:{id}.gradle.plugin"), Scope::Build), version));
            }
            None => reading.gap(&format!("the plugin {alias} is not understood")),
        }
    }
    if is_locked(tree, file) {
        reading.names(declared.len());
        return Ok(reading);
    }
    if !declared.is_empty() {
        reading.unlocked();
        reading.gap("no lock says whether Gradle takes these versions or higher ones, or what they need in turn");
    }
    for ((name, scope), version) in declared {
        let exact = match &version {
            Some(Asked::Exact(version)) => Some(version.as_str()),
            Some(Asked::Range(range)) => {
                reading.gap(&format!("{name}: declared as {range}"));
                None
            }
            None => {
                reading.gap(&format!("{name}: the catalog gives no version"));
                None
            }
        };
        let purl = purl::plain("maven", &name.replacen(':', "/", 1), exact);
        let package = Pinned { scope, direct: Some(true), ..Pinned::new("maven", &name, exact, purl) };
        report_one(&mut reading, package);
    }
    Ok(reading)
}

/// A lock beside the folder that the catalog stands in, or below it, tells what was taken.
fn is_locked(tree: &Tree<'_>, file: File<'_>) -> bool {
    let root = upwards(file.path.parent()).nth(1).unwrap_or_default();
    tree.of_kind(Kind::GradleLock).any(|lock| stands_in(lock.path.as_bytes(), root))
}

/// What a catalog asks for.
enum Asked {
    Exact(String),
    Range(String),
}

fn library(entry: &Value, versions: Option<&Table>) -> Option<(String, Option<Asked>)> {
    if let Some(text) = entry.as_str() {
        let mut parts = text.splitn(3, ':');
        let name = format!("{}:{}", parts.next()?, parts.next()?);
        return Some((name, parts.next().map(asked)));
    }
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let name = match text("module") {
        Some(module) if module.contains(':') => module.to_owned(),
        _ => format!("{}:{}", text("group")?, text("name")?),
    };
    Some((name, version_of(entry, versions)))
}

fn plugin(entry: &Value, versions: Option<&Table>) -> Option<(String, Option<Asked>)> {
    if let Some(text) = entry.as_str() {
        let (id, version) = text.split_once(':')?;
        return Some((id.to_owned(), Some(asked(version))));
    }
    Some((entry.get("id")?.as_str()?.to_owned(), version_of(entry, versions)))
}

fn version_of(entry: &Value, versions: Option<&Table>) -> Option<Asked> {
    let version = entry.get("version")?;
    let referred = version.get("ref").and_then(Value::as_str);
    let version = match referred {
        Some(name) => versions?.get(name)?,
        None => version,
    };
    // A rich version: the strictest of its words decides.
    let rich = ["strictly", "require", "prefer"].iter().find_map(|word| version.get(word)?.as_str());
    version.as_str().or(rich).map(asked)
}

fn asked(version: &str) -> Asked {
    let exact = version.trim_end_matches("!!");
    if exact.contains(['[', ']', '(', ')', ',', '+']) || exact.starts_with("latest.") {
        Asked::Range(version.to_owned())
    } else {
        Asked::Exact(exact.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::{CoverageStatus, Scope};

    #[test]
    fn the_names_of_configurations_tell_what_for() {
        let lock = "# c\ng:a:1=compileClasspath,testRuntimeClasspath,releaseRuntimeClasspath\ng:b:1=testCompileClasspath\n\
            g:c:1=compileClasspath\ng:d:1=kspDebugKotlinProcessorClasspath\ng:e:1=mystery\nempty=x\nbad\n";
        let inventory = inventory(&[
            ("gradle.lockfile", lock),
            ("buildscript-gradle.lockfile", "g:f:1=classpath\n"),
            ("gradle/dependency-locks/testRuntimeClasspath.lockfile", "g:h:1\n"),
        ]);
        for (purl, scope) in [
            ("pkg:maven/g/a@1", Scope::Runtime),
            ("pkg:maven/g/b@1", Scope::Test),
            ("pkg:maven/g/c@1", Scope::Build),
            ("pkg:maven/g/d@1", Scope::Build),
            ("pkg:maven/g/e@1", Scope::Runtime),
            ("pkg:maven/g/f@1", Scope::Build),
            ("pkg:maven/g/h@1", Scope::Test),
        ] {
            assert_eq!(found(&inventory, purl).scope, scope, "{purl}");
        }
        assert_eq!(gaps(&inventory, "gradle.lockfile"), ["line 8 is not understood"]);
    }

    #[test]
    fn a_catalog_declares_and_says_that_it_does_not_lock() {
        let catalog = "[versions]\nk = \"2.0\"\nrich = { strictly = \"[1,2[\", prefer = \"1.5\" }\n[libraries]\n\
            a = \"g:a:1.0\"\nb = { module = \"g:b\", version.ref = \"k\" }\nc = { group = \"g\", name = \"c\" }\n\
            d = { module = \"g:d\", version.ref = \"rich\" }\ne = 5\nf = { module = \"g:f\", version = { require = \"3\" } }\n\
            [bundles]\nx = [\"a\", \"b\"]\n[plugins]\np = { id = \"org.p\", version.ref = \"k\" }\n";
        let inventory = inventory(&[("gradle/libs.versions.toml", catalog), ("x/gradle.lockfile", "empty=\n")]);
        assert_eq!(status(&inventory, "gradle/libs.versions.toml"), CoverageStatus::Parsed, "a lock tells");
        let inventory = super::super::testing::inventory(&[("gradle/libs.versions.toml", catalog)]);
        assert_eq!(status(&inventory, "gradle/libs.versions.toml"), CoverageStatus::Unlocked);
        for purl in ["pkg:maven/g/a@1.0", "pkg:maven/g/b@2.0", "pkg:maven/g/c", "pkg:maven/g/d", "pkg:maven/g/f@3"] {
            found(&inventory, purl);
        }
        assert_eq!(found(&inventory, "pkg:maven/org.p/org.p.gradle.plugin@2.0").scope, Scope::Build);
        assert_eq!(gaps(&inventory, "gradle/libs.versions.toml").len(), 4);
    }
}
