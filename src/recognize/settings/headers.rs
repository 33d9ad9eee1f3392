//! Headers of HTTP that protect, wherever they are set: in files of headers, nginx, Apache and `HAProxy`.
//!
//! CSP 3, RFC 6797, the Fetch standard. Never here: a header that is not known to protect, since its value may be a
//! secret.

use super::file::{File, unquoted};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] =
    &[Kind { name: "http-headers", class: ItemClass::Policy, looks: looks_headers, read: read_headers }];

/// A year, the least that is of use.
const HSTS_MIN_SECONDS: i64 = 31_536_000;

const POLICIES: [&str; 2] = ["content-security-policy", "content-security-policy-report-only"];

/// Headers whose values are facts.
const KNOWN: [&str; 12] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
];

/// The headers that are sent for one path or by one server.
#[derive(Default)]
pub(super) struct Headers {
    facts: Facts,
    has_hsts: bool,
}

impl Headers {
    /// Judges a header and keeps what it says.
    pub(super) fn send(&mut self, name: &str, value: &str, line: u32, reading: &mut Reading) {
        let name = name.trim().trim_end_matches(':').to_ascii_lowercase();
        let value = unquoted(value.trim());
        match name.as_str() {
            "content-security-policy" => judge_sources(value, line, reading),
            "access-control-allow-origin" if value.split_whitespace().next() == Some("*") => {
                reading.observe("cors-wildcard", line, "every origin may read the answers");
            }
            "strict-transport-security" => {
                // It is sent, if short: that is one finding, not two.
                self.has_hsts = true;
                if max_age(value).is_none_or(|seconds| seconds < HSTS_MIN_SECONDS) {
                    let message = format!("Strict-Transport-Security holds for less than {HSTS_MIN_SECONDS} seconds");
                    reading.observe("hsts-missing-or-short", line, message);
                }
            }
            _ => {}
        }
        if POLICIES.contains(&name.as_str()) {
            self.facts.set(name, directives(value));
        } else if KNOWN.contains(&name.as_str()) {
            self.facts.set(name, value);
        }
    }

    /// Ends a server's configuration: one that speaks TLS should send HSTS.
    pub(super) fn close(self, tls: bool, reading: &mut Reading) {
        if tls && !self.has_hsts {
            reading.observe_whole("hsts-missing-or-short", "Strict-Transport-Security is not sent");
        }
        if !self.facts.is_empty() {
            reading.facts.set("headers", self.facts);
        }
    }
}

fn max_age(value: &str) -> Option<i64> {
    let lower = value.to_ascii_lowercase();
    let rest = lower.split("max-age=").nth(1)?.trim_start_matches('"');
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// Each directive with its sources, sorted, since their order means nothing; of a nonce only that it is one.
fn directives(policy: &str) -> Facts {
    let mut facts = Facts::new();
    for directive in policy.split(';') {
        let mut words = directive.split_whitespace();
        let Some(name) = words.next() else { continue };
        let mut sources: Vec<Fact> = words
            .map(|source| if source.starts_with("'nonce-") { "'nonce-…'".into() } else { source.into() })
            .collect();
        sources.sort();
        sources.dedup();
        facts.set(name.to_ascii_lowercase(), Fact::List(sources));
    }
    facts
}

fn judge_sources(policy: &str, line: u32, reading: &mut Reading) {
    let mut unsafe_sources = Vec::new();
    for directive in policy.split(';') {
        let mut words = directive.split_whitespace().map(|word| word.trim_matches('"'));
        let name = words.next().unwrap_or_default();
        if !["default-src", "script-src", "script-src-elem", "script-src-attr", "object-src", "base-uri"]
            .contains(&name)
        {
            continue;
        }
        let sources: Vec<&str> = words.collect();
        // With a nonce, a hash or strict-dynamic browsers pass over 'unsafe-inline'.
        let guarded = sources.iter().any(|s| {
            ["nonce-", "sha256-", "sha384-", "sha512-", "strict-dynamic"]
                .iter()
                .any(|g| s.trim_start_matches('\'').starts_with(g))
        });
        for source in sources {
            let bare = source.trim_matches('\'');
            if bare == "unsafe-eval" || source == "*" || (bare == "unsafe-inline" && !guarded) {
                unsafe_sources.push(format!("{name} {bare}"));
            }
        }
    }
    if !unsafe_sources.is_empty() {
        reading.observe("csp-unsafe", line, format!("allowed: {}", unsafe_sources.join(", ").escape_debug()));
    }
}

/// `_headers`, or a path at the margin and one of the known headers below it.
fn looks_headers(file: &File<'_>) -> Likeness {
    Likeness::named_or(file.name() == "_headers", || {
        let mut lines = file.head().lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let path =
            lines.next().is_some_and(|line| line.starts_with('/') && !line.trim_end().ends_with(['{', ';', ':']));
        let header = |line: &str| {
            let name = line.split_once(':').map_or("", |(name, _)| name).trim().to_ascii_lowercase();
            line.starts_with([' ', '\t']) && (KNOWN.contains(&name.as_str()) || POLICIES.contains(&name.as_str()))
        };
        path && lines.next().is_some_and(header)
    })
}

/// Paths at the margin, headers indented below (Netlify, Cloudflare Pages).
fn read_headers(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut paths: Vec<(&str, Headers)> = Vec::new();
    for (line, text) in (1..).zip(file.text().lines()) {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if !text.starts_with([' ', '\t']) {
            paths.push((trimmed, Headers::default()));
            continue;
        }
        // `! Name` takes a header away.
        if trimmed.starts_with('!') {
            continue;
        }
        let (name, value) = trimmed.split_once(':')?;
        if let Some((_, headers)) = paths.last_mut() {
            headers.send(name, value, line, &mut reading);
        }
    }
    if paths.is_empty() {
        return None;
    }
    reading.facts.set("paths", paths.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    let mut headers = Facts::new();
    for (path, of_path) in paths.into_iter().filter(|(_, headers)| !headers.facts.is_empty()) {
        headers.set(path, of_path.facts);
    }
    if !headers.is_empty() {
        reading.facts.set("headers", headers);
    }
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn headers_are_judged_by_line() {
        let text = "/*\n  Strict-Transport-Security: max-age=300\n  Access-Control-Allow-Origin: *\n/a\n  Access-Control-Allow-Origin: https://a\n";
        assert_eq!(rules("public/_headers", text), [("hsts-missing-or-short", Some(2)), ("cors-wildcard", Some(3))]);
        let nonce = "/*\n  Content-Security-Policy: script-src 'nonce-x' 'unsafe-inline'\n";
        assert_eq!(rules("_headers", nonce), []);
    }

    #[test]
    fn sources_are_facts_and_a_nonce_or_an_unknown_header_is_none() {
        let text = "/*\n  Content-Security-Policy: Script-Src 'nonce-r4nd0m' b a; frame-ancestors 'none'\n  Basic-Auth: me:pw\n";
        let headers = facts("_headers", text).find("headers").map(ToString::to_string);
        let wanted = "[/*=[content-security-policy=[frame-ancestors=['none'], script-src=['nonce-…', a, b]]]]";
        assert_eq!(headers.as_deref().map(|text| text.replace("\\'", "'")), Some(wanted.to_owned()));
        assert_eq!(kind_of("site/headers.txt", "/*\n  X-Frame-Options: DENY\n").as_deref(), Some("http-headers"));
        assert_eq!(kind_of("a.yaml", "/pets:\n  X-Frame-Options: DENY\n"), None);
    }
}
