//! Services and their interfaces: `OpenAPI` documents and declared services.
//!
//! Serves IEC 62304 cl. 8.1.2 for what is called over a network. Never here: calling it.

use std::collections::BTreeMap;

use super::file::File;
use super::tree::{self, Node};
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "openapi", class: ItemClass::Component, looks: looks_interface, read: read_interface },
    Kind { name: "service-declaration", class: ItemClass::Component, looks: looks_services, read: read_services },
];

fn looks_interface(file: &File<'_>) -> Likeness {
    let ending = ["yaml", "yml", "json"].iter().any(|ending| file.has_ending(ending));
    let keys = ["openapi", "swagger", "asyncapi"];
    let first = file.first_lines(&['#']).find(|line| *line != "---").unwrap_or_default();
    let yaml = keys.iter().any(|key| first.trim_matches('"').starts_with(key) || file.head_holds(&format!("\n{key}:")));
    let json = file.opens_with() == Some('{') && keys.iter().any(|key| file.head_holds(&format!("\"{key}\"")));
    if ending && (yaml || json) && file.holds("info") { Likeness::Maybe } else { Likeness::None }
}

fn read_interface(file: &File<'_>) -> Option<Reading> {
    let document = match file.opens_with() {
        Some('{') => tree::json(file.text())?,
        _ => tree::yaml(file.text())?.into_iter().next()?,
    };
    let (name, version) = ["openapi", "swagger", "asyncapi"]
        .into_iter()
        .find_map(|key| document.get(key).and_then(Node::scalar).map(|version| (key, version)))?;
    let info = document.get("info")?;
    let mut reading = Reading::default();
    reading.facts.set(name, version);
    reading.facts.set_some("title", info.get("title").and_then(Node::scalar));
    reading.facts.set_some("version", info.get("version").and_then(Node::scalar));
    // OpenAPI 2 names the ways in which its host is called.
    let schemes = document.get("schemes").map(Node::items).unwrap_or_default();
    if let (Some(scheme), Some(host)) =
        (schemes.iter().find(|way| way.text() == Some("http")), document.text_at("host"))
        && !schemes.iter().any(|way| way.text() == Some("https"))
    {
        judge_endpoint(&format!("http://{host}"), scheme.line, &mut reading);
    }
    let servers = document.get("servers").map(Node::items).unwrap_or_default();
    let urls: Vec<&Node> = servers.iter().filter_map(|server| server.get("url")).collect();
    for url in &urls {
        judge_endpoint(url.text().unwrap_or_default(), url.line, &mut reading);
    }
    reading.facts.set("servers", urls.iter().filter_map(|url| url.text()).map(without_password).collect::<Vec<_>>());
    Some(reading)
}

fn judge_endpoint(url: &str, line: u32, reading: &mut Reading) {
    let host = url.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    if let Some(host) = host.filter(|host| !["localhost", "127.0.0.1", "[", ""].contains(host)) {
        reading.observe("cleartext-endpoint", line, format!("{} is called in clear", host.escape_debug()));
    }
}

/// `scheme://user:password@host` without what stands before the `@`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host = rest.split('/').next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{}", rest.get(user.len() + 1..).unwrap_or_default()),
        None => url.to_owned(),
    }
}

fn looks_services(file: &File<'_>) -> Likeness {
    let plausible = file.has_ending("toml") && file.holds("[[service]]");
    if plausible { Likeness::Maybe } else { Likeness::None }
}

fn read_services(file: &File<'_>) -> Option<Reading> {
    let table: toml::Table = toml::from_str(file.text()).ok()?;
    let services = table.get("service")?.as_array()?;
    let mut reading = Reading::default();
    let (mut versions, mut endpoints) = (Facts::new(), Facts::new());
    let text = |service: &toml::Value, key: &str| service.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let places = places(file);
    let line_of = |index: usize, key: &str| {
        let place = places.get(index);
        place.map_or(1, |(header, keys)| keys.get(key).copied().unwrap_or(*header))
    };
    for (index, service) in services.iter().enumerate() {
        let name = text(service, "name")?;
        let version = text(service, "api_version").or_else(|| text(service, "version"));
        if version.as_deref().is_none_or(is_loose) {
            let line = line_of(index, "api_version");
            reading.observe(
                "api-version-unpinned",
                line,
                format!("the version of {} is not fixed", name.escape_debug()),
            );
        }
        if let Some(endpoint) = text(service, "endpoint").or_else(|| text(service, "url")) {
            judge_endpoint(&endpoint, line_of(index, "endpoint"), &mut reading);
            endpoints.set(name.clone(), without_password(&endpoint));
        }
        versions.set(name, version.unwrap_or_default());
    }
    reading.facts.set("services", versions);
    reading.facts.set("endpoints", endpoints);
    Some(reading)
}

fn is_loose(version: &str) -> bool {
    ["", "latest", "*", "stable", "current", "main"].contains(&version) || version.starts_with(['^', '~', '>', '<'])
}

/// The line of each table's header, and of its keys.
fn places<'f>(file: &'f File<'_>) -> Vec<(u32, BTreeMap<&'f str, u32>)> {
    let mut places: Vec<(u32, BTreeMap<&str, u32>)> = Vec::new();
    for (line, text) in file.lines(&['#']) {
        if text.starts_with("[[service]]") {
            places.push((line, BTreeMap::new()));
        } else if let (Some((_, keys)), Some((key, _))) = (places.last_mut(), text.split_once('=')) {
            keys.entry(key.trim()).or_insert(line);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn endpoints_are_told_when_they_are_in_clear_and_not_local() {
        let text = |url: &str| format!("openapi: 3.1.0\ninfo: {{title: a, version: 1.10.0}}\nservers:\n- url: {url}\n");
        assert_eq!(rules("a.yaml", &text("http://a.example.test/")), [("cleartext-endpoint", Some(4))]);
        assert_eq!(rules("a.yaml", &text("https://a.example.test/")), []);
        assert_eq!(rules("a.yaml", &text("http://localhost:8080/")), []);
        let old =
            |ways: &str| format!("swagger: '2.0'\ninfo: {{title: a, version: 1}}\nhost: a.test\nschemes: [{ways}]\n");
        assert_eq!(rules("a.yaml", &old("http")), [("cleartext-endpoint", Some(4))]);
        assert_eq!(rules("a.yaml", &old("http, https")), []);
        let facts = facts("a.yaml", &text("https://me:pw@a.example.test/x"));
        assert_eq!(facts.find("servers"), Some(&vec!["https://a.example.test/x"].into()));
        assert_eq!(facts.text("version"), Some("1.10.0"));
    }

    #[test]
    fn a_service_without_a_fixed_version_is_told() {
        let text = "[[service]]\nname = \"a\"\napi_version = \"7.4\"\n[[service]]\nname = \"b\"\n";
        assert_eq!(rules("x.toml", text), [("api-version-unpinned", Some(4))]);
        assert_eq!(kind_of("x.toml", "[[services]]\nname = \"a\"\n"), None);
    }
}
