//! `mix.lock` and `rebar.lock`.
//!
//! A package is named after what Hex serves, not after the application that asks for it. Of the two checksums of a
//! lock only the outer one is of the package's file; the inner one is none of any file and is left out. Never here:
//! `mix.exs`, a program: what is direct or only for development is not known.

use std::collections::BTreeMap;

use super::erlang_terms::{Term, terms};
use super::kind::Kind;
use super::pinned::{Pinned, or_failed, report};
use super::purl::{self, Origin};
use super::reading::Reading;
use super::tree::{File, Tree};

/// Reads every lock of the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    let mix = tree.of_kind(Kind::MixLock).map(|file| or_failed(file, read_mix(file)));
    let rebar = tree.of_kind(Kind::RebarLock).map(|file| or_failed(file, read_rebar(file)));
    mix.chain(rebar).collect()
}

fn read_mix(file: File<'_>) -> Result<Reading, String> {
    let found = terms(file.text()?)?;
    let mut reading = Reading::new(file.kind, file.path);
    let mut packages = Vec::new();
    for pair in found.first().and_then(Term::list).unwrap_or_default() {
        let entry = pair.tuple().and_then(|pair| {
            let app = pair.first().and_then(|name| name.text().or(name.atom()))?;
            Some((app, mix_package(app, pair.get(1)?.tuple()?)))
        });
        match entry {
            Some((_, Some(package))) => packages.push(package),
            // A folder of the product.
            Some((_, None)) if pair.tuple().is_some_and(is_path) => {}
            Some((app, None)) => reading.gap(&format!("{app}: its entry is not understood")),
            None => reading.gap("an entry is not understood"),
        }
    }
    report(&mut reading, packages);
    Ok(reading)
}

fn is_path(pair: &[Term]) -> bool {
    let entry = pair.get(1).and_then(Term::tuple);
    entry.and_then(|entry| entry.first()?.atom()) == Some("path")
}

fn mix_package(app: &str, entry: &[Term]) -> Option<(Vec<String>, Pinned)> {
    let package = match entry.first()?.atom()? {
        // :hex, name, version, inner checksum, build tools, needs, registry, outer checksum.
        "hex" => {
            let (name, version) = (entry.get(1)?.atom()?, entry.get(2)?.text()?);
            let registry = entry.get(6).and_then(Term::text).unwrap_or("hexpm");
            let mut package = hex_package(name, version, registry);
            package.hash("SHA-256", entry.get(7).and_then(Term::text));
            let needs = entry.get(5).and_then(Term::list).unwrap_or_default().iter().filter_map(Term::tuple);
            package.needs = needs.filter_map(|need| Some(need.first()?.atom()?.to_owned())).collect();
            package
        }
        // :git, address, commit, options.
        "git" => git_package(app, entry.get(1)?.text()?, entry.get(2)?.text()?),
        _ => return None,
    };
    Some((vec![app.to_owned()], package))
}

fn hex_package(name: &str, version: &str, registry: &str) -> Pinned {
    // An organisation's registry is called `hexpm:name`; its name is the namespace.
    let (path, origin) = match registry.split_once(':') {
        Some(("hexpm", organisation)) => (format!("{organisation}/{name}"), Origin::Usual),
        _ if registry == "hexpm" => (name.to_owned(), Origin::Usual),
        _ => (name.to_owned(), Origin::Registry(registry.to_owned())),
    };
    let purl = purl::other("hex", &path.to_ascii_lowercase(), Some(version), &origin, &[]);
    Pinned::new("hex", name, Some(version), purl)
}

/// A commit is what is locked; the version stands in the repository.
fn git_package(app: &str, url: &str, commit: &str) -> Pinned {
    let mut package = Pinned::new("git", app, Some(commit), purl::repository(Some(url), commit, app));
    package.hash("git", Some(commit));
    package
}

/// Before version 1.1.0 a lock is the list alone.
fn read_rebar(file: File<'_>) -> Result<Reading, String> {
    let found = terms(file.text()?)?;
    let mut reading = Reading::new(file.kind, file.path);
    let first = found.first().ok_or("it is empty")?;
    let list = first.tuple().and_then(|pair| pair.get(1)).unwrap_or(first).list().ok_or("it holds no list")?;
    let sums = found.get(1).and_then(|sums| sums.get("pkg_hash_ext")).and_then(Term::list).unwrap_or_default();
    let sums = sums.iter().filter_map(Term::tuple);
    let sums: BTreeMap<&str, &str> =
        sums.filter_map(|pair| Some((pair.first()?.text()?, pair.get(1)?.text()?))).collect();
    let mut packages = Vec::new();
    for entry in list {
        match rebar_package(entry, &sums) {
            Some(package) => packages.push((Vec::new(), package)),
            None => reading.gap("an entry is not understood"),
        }
    }
    report(&mut reading, packages);
    Ok(reading)
}

fn rebar_package(entry: &Term, sums: &BTreeMap<&str, &str>) -> Option<Pinned> {
    let entry = entry.tuple()?;
    let app = entry.first()?.text()?;
    let source = entry.get(1)?.tuple()?;
    let mut package = match source.first()?.atom()? {
        "pkg" => hex_package(source.get(1)?.text()?, source.get(2)?.text()?, "hexpm"),
        "git" | "git_subdir" => git_package(app, source.get(1)?.text()?, source.get(2)?.tuple()?.get(1)?.text()?),
        _ => return None,
    };
    package.direct = entry.get(2).and_then(Term::atom).map(|level| level == "0");
    package.hash("SHA-256", sums.get(app).copied().filter(|_| package.ecosystem == "hex"));
    Some(package)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory, status};
    use crate::domain::CoverageStatus;

    #[test]
    fn what_is_served_names_the_component_and_not_what_asks() {
        let sum = "ab".repeat(32);
        let lock = format!(
            "%{{\n  \"eini\": {{:hex, :eini_beam, \"2.2.4\", \"00\", [:rebar3], [], \"hexpm\", \"{sum}\"}},\n\
             \x20 \"a\": {{:hex, :a, \"1.0.0\", \"00\", [:mix], [{{:eini, \"~> 2\", [hex: :eini_beam, optional: false]}}, {{:gone, \"1\", []}}], \"hexpm:acme\"}},\n\
             \x20 \"g\": {{:git, \"https://github.com/o/g.git\", \"0123456789012345678901234567890123456789\", [branch: \"x\"]}},\n\
             \x20 \"x\": {{:path, \"../x\"}},\n \"y\": {{:svn, 1}},\n}}\n"
        );
        let inventory = inventory(&[("mix.lock", &lock), ("b/mix.lock", "IO.puts(1)")]);
        assert_eq!(found(&inventory, "pkg:hex/acme/a@1.0.0").dependencies, ["pkg:hex/eini_beam@2.2.4"]);
        assert_eq!(found(&inventory, "pkg:hex/eini_beam@2.2.4").hashes[0].value, sum);
        found(&inventory, "pkg:github/o/g@0123456789012345678901234567890123456789");
        assert_eq!(gaps(&inventory, "mix.lock"), ["y: its entry is not understood"]);
        assert_eq!(status(&inventory, "b/mix.lock"), CoverageStatus::Failed);
    }

    #[test]
    fn a_lock_of_rebar_is_read_with_its_outer_checksums() {
        let sum = "AB".repeat(32);
        let lock = format!(
            "{{\"1.2.0\",\n[{{<<\"a\">>,{{pkg,<<\"a_beam\">>,<<\"1.0\">>}},0}},\n {{<<\"g\">>,{{git,\"https://github.com/o/g\",{{ref,\"0123456789012345678901234567890123456789\"}}}},1}}]}}.\n\
             [\n{{pkg_hash,[\n {{<<\"a\">>, <<\"00\">>}}]}},\n{{pkg_hash_ext,[{{<<\"a\">>, <<\"{sum}\">>}}]}}\n].\n"
        );
        let inventory = inventory(&[("rebar.lock", &lock), ("b/rebar.lock", "[].\n"), ("c/rebar.lock", "")]);
        let a = found(&inventory, "pkg:hex/a_beam@1.0");
        assert_eq!((a.direct, a.hashes[0].value.as_str()), (Some(true), sum.to_lowercase().as_str()));
        assert_eq!(found(&inventory, "pkg:github/o/g@0123456789012345678901234567890123456789").direct, Some(false));
        assert_eq!(status(&inventory, "b/rebar.lock"), CoverageStatus::Parsed);
        assert_eq!(status(&inventory, "c/rebar.lock"), CoverageStatus::Failed);
    }
}
