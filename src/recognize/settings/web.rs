//! Web servers and proxies: nginx, Apache, `HAProxy`, and files of headers.
//!
//! Protocols, ciphers, verification, references to certificates. Never here: what included files say.

use std::collections::BTreeSet;

use super::file::{File, unquoted, words};
use super::tls::{is_weak_protocol, weak_ciphers};
use super::{Kind, Likeness, Reading};
use crate::domain::ItemClass;

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "nginx-config", class: ItemClass::Hardening, looks: looks_nginx, read: read_nginx },
    Kind { name: "apache-config", class: ItemClass::Hardening, looks: looks_apache, read: read_apache },
    Kind { name: "haproxy-config", class: ItemClass::Hardening, looks: looks_haproxy, read: read_haproxy },
    Kind { name: "http-headers", class: ItemClass::Policy, looks: looks_headers, read: read_headers },
];

/// A year, the least that is of use.
const HSTS_MIN_SECONDS: i64 = 31_536_000;

fn looks_nginx(file: &File<'_>) -> Likeness {
    let named = file.name() == "nginx.conf" || (file.is_under("nginx") && file.has_ending("conf"));
    Likeness::named_or(named, || {
        let block = |line: &str| {
            ["server", "http", "upstream", "events", "stream"].iter().any(|name| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.trim_start().starts_with('{') || rest.trim_end().ends_with('{'))
            })
        };
        let first = file.first_lines(&['#']).next().unwrap_or_default();
        let directive = ["user ", "worker_processes ", "error_log ", "pid ", "load_module ", "ssl_", "add_header "]
            .iter()
            .any(|name| first.starts_with(name) && first.ends_with(';'));
        let marks = ["listen ", "server_name ", "proxy_pass ", "ssl_protocols ", "worker_connections "];
        let whole = file
            .first_lines(&['#'])
            .all(|line| line.ends_with(['{', '}', ';', ',']) || line.contains(" #") || line.contains('\''));
        (block(first) || directive) && whole && marks.iter().any(|mark| file.head_holds(mark))
    })
}

fn read_nginx(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut tls, mut hsts, mut directives, mut others) = (false, false, 0, 0);
    for (line, parts) in nginx_statements(file.text()) {
        let Some((name, values)) = parts.split_first() else { continue };
        let plain = name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        directives += i32::from(plain);
        others += i32::from(!plain);
        tls |= name == "listen" && values.iter().any(|value| value == "ssl" || value == "quic");
        tls |= name == "ssl" && values.iter().any(|value| value == "on");
        hsts |= judge_nginx(name, values, line, &mut reading);
    }
    if directives == 0 || others > directives {
        return None;
    }
    if tls && !hsts {
        reading.observe_whole("hsts-missing-or-short", "Strict-Transport-Security is not sent");
    }
    Some(reading)
}

/// Splits at `;`, `{` and `}` outside quotation marks; each statement has the line of its first word.
fn nginx_statements(text: &str) -> Vec<(u32, Vec<String>)> {
    let mut statements: Vec<(u32, Vec<String>)> = vec![(1, Vec::new())];
    let mut word = String::new();
    let (mut quote, mut comment, mut line) = (None, false, 1_u32);
    for c in text.chars() {
        let Some((begun, parts)) = statements.last_mut() else { break };
        match (quote, c) {
            (_, '\n') if comment => comment = false,
            _ if comment => {}
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') if word.is_empty() => {
                if parts.is_empty() {
                    *begun = line;
                }
                quote = Some(c);
            }
            (None, '#') if word.is_empty() => comment = true,
            (None, c) if c.is_whitespace() || ";{}".contains(c) => {
                if !word.is_empty() {
                    parts.push(std::mem::take(&mut word));
                }
                if ";{}".contains(c) {
                    statements.push((line, Vec::new()));
                }
            }
            (None, c) => {
                if parts.is_empty() && word.is_empty() {
                    *begun = line;
                }
                word.push(c);
            }
        }
        line = line.saturating_add(u32::from(c == '\n'));
    }
    statements
}

/// Judges one directive; says whether it sends a long enough HSTS header.
fn judge_nginx(name: &str, values: &[String], line: u32, reading: &mut Reading) -> bool {
    let value = values.join(" ");
    match name {
        "ssl_protocols" => {
            judge_protocols(values.iter().map(String::as_str), line, reading);
            reading.facts.set("tls_protocols", values.to_vec());
        }
        "ssl_ciphers" => {
            judge_ciphers(&value, line, reading);
            reading.facts.set("tls_ciphers", value);
        }
        "ssl_certificate" => reading.facts.set("certificate", value),
        "ssl_certificate_key" => reading.facts.set("certificate_key", value),
        "ssl_client_certificate" => reading.facts.set("client_authority", value),
        "ssl_verify_client" => reading.facts.set("verify_client", value),
        "proxy_ssl_verify" | "grpc_ssl_verify" | "uwsgi_ssl_verify" if value == "off" => {
            reading.observe("tls-verification-off", line, "the certificate of the server behind is not verified");
        }
        "add_header" | "more_set_headers" => {
            let header = values.first().map(|header| header.trim_end_matches(':').to_ascii_lowercase());
            return judge_header(
                header.as_deref().unwrap_or_default(),
                &values.get(1..).unwrap_or_default().join(" "),
                line,
                reading,
            );
        }
        _ => {}
    }
    false
}

fn judge_protocols<'v>(values: impl Iterator<Item = &'v str>, line: u32, reading: &mut Reading) {
    let weak: Vec<_> = values.filter(|name| is_weak_protocol(name)).collect();
    if !weak.is_empty() {
        reading.observe("tls-weak-protocol", line, format!("allowed: {}", weak.join(", ").escape_debug()));
    }
}

fn judge_ciphers(list: &str, line: u32, reading: &mut Reading) {
    let weak = weak_ciphers(list);
    if !weak.is_empty() {
        reading.observe("tls-weak-cipher", line, format!("allowed: {}", weak.join(", ")));
    }
}

/// Judges one header; says whether it is HSTS for long enough.
fn judge_header(name: &str, value: &str, line: u32, reading: &mut Reading) -> bool {
    match name {
        "content-security-policy" => judge_sources(value, line, reading),
        "access-control-allow-origin" if unquoted(value.trim()).split_whitespace().next() == Some("*") => {
            reading.observe("cors-wildcard", line, "every origin may read the answers");
        }
        "strict-transport-security" => {
            let age = value.to_ascii_lowercase();
            let age = age.split("max-age=").nth(1).map(|rest| rest.trim_start_matches('"'));
            let digits: String = age.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
            if digits.parse::<i64>().is_ok_and(|seconds| seconds >= HSTS_MIN_SECONDS) {
                return true;
            }
            let message = format!("Strict-Transport-Security holds for less than {HSTS_MIN_SECONDS} seconds");
            reading.observe("hsts-missing-or-short", line, message);
            // It is sent, if short: that is one finding, not two.
            return true;
        }
        _ => {}
    }
    false
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

fn looks_apache(file: &File<'_>) -> Likeness {
    let place = ["apache2", "httpd", "apache"].iter().any(|folder| file.is_under(folder));
    let named = (place && file.has_ending("conf")) || ["httpd.conf", "apache2.conf"].contains(&file.name());
    Likeness::named_or(named, || {
        let first = file.first_lines(&['#']).next().unwrap_or_default();
        let opens =
            ["<VirtualHost ", "<IfModule ", "<Directory ", "SSLProtocol ", "SSLEngine ", "Listen ", "LoadModule "];
        opens.iter().any(|mark| first.starts_with(mark))
            && ["SSL", "DocumentRoot", "ServerName", "LoadModule", "Require "].iter().any(|mark| file.head_holds(mark))
            && !file.has_ending("html")
    })
}

fn read_apache(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut tls, mut hsts, mut directives) = (false, false, 0);
    for (line, text) in file.joined_lines(&['#']) {
        let parts = words(&text);
        let Some((name, values)) = parts.split_first() else { continue };
        directives += i32::from(name.starts_with(|c: char| c == '<' || c.is_ascii_uppercase()));
        let value = values.join(" ");
        match name.to_ascii_lowercase().as_str() {
            "sslengine" => tls |= value.eq_ignore_ascii_case("on"),
            "sslprotocol" => {
                judge_apache_protocols(values, line, &mut reading);
                reading.facts.set("tls_protocols", value);
            }
            "sslciphersuite" => {
                judge_ciphers(&value, line, &mut reading);
                reading.facts.set("tls_ciphers", value);
            }
            "sslcertificatefile" => reading.facts.set("certificate", value),
            "sslcertificatekeyfile" => reading.facts.set("certificate_key", value),
            "sslverifyclient" => reading.facts.set("verify_client", value),
            "sslproxyverify" if value.eq_ignore_ascii_case("none") => {
                reading.observe("tls-verification-off", line, "the certificate of the server behind is not verified");
            }
            "header" => {
                let rest: Vec<&String> = values
                    .iter()
                    .filter(|v| !["always", "onsuccess", "set", "add", "append"].contains(&v.as_str()))
                    .collect();
                if let Some((header, content)) = rest.split_first() {
                    let content = content.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
                    hsts |= judge_header(&header.to_ascii_lowercase(), &content, line, &mut reading);
                }
            }
            _ => {}
        }
    }
    if directives == 0 {
        return None;
    }
    if tls && !hsts {
        reading.observe_whole("hsts-missing-or-short", "Strict-Transport-Security is not sent");
    }
    Some(reading)
}

/// `all -SSLv3`: from left to right, what is added and what is taken away.
fn judge_apache_protocols(values: &[String], line: u32, reading: &mut Reading) {
    let mut weak = BTreeSet::new();
    for value in values {
        let name = value.trim_start_matches(['+', '-']).to_ascii_lowercase();
        match (value.starts_with('-'), name.as_str()) {
            (true, "all") => weak.clear(),
            (true, name) => {
                weak.remove(name);
            }
            (false, "all") => weak.extend(["tlsv1", "tlsv1.1"].map(str::to_owned)),
            (false, name) if is_weak_protocol(name) => {
                weak.insert(name.to_owned());
            }
            (false, _) => {}
        }
    }
    judge_protocols(weak.iter().map(String::as_str), line, reading);
}

fn looks_haproxy(file: &File<'_>) -> Likeness {
    let named = file.name() == "haproxy.cfg" || (file.is_under("haproxy") && file.has_ending("cfg"));
    Likeness::named_or(named, || {
        let first = file.first_lines(&['#']).next().unwrap_or_default();
        let section = ["global", "defaults", "frontend", "backend", "listen"];
        let opens = first.split_whitespace().next().is_some_and(|word| section.contains(&word));
        opens
            && (file.holds("\nfrontend ")
                || file.holds("\nbackend ")
                || file.holds("\nlisten ")
                || first.starts_with("frontend "))
            && (file.holds(" bind ") || file.holds("\tbind ") || file.holds(" server ") || file.holds("\tserver "))
    })
}

fn read_haproxy(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut sections = Vec::new();
    let mut certificates = Vec::new();
    for (line, text) in file.lines(&['#']) {
        let parts = words(text.split(" #").next().unwrap_or_default());
        let after = |key: &str| parts.iter().position(|part| part == key).and_then(|at| parts.get(at + 1));
        match parts.first().map(String::as_str) {
            Some("frontend" | "backend" | "listen" | "global" | "defaults") => sections.push(parts.join(" ")),
            Some("ssl-default-bind-ciphers" | "ssl-default-server-ciphers") => {
                judge_ciphers(parts.get(1).map(String::as_str).unwrap_or_default(), line, &mut reading);
            }
            _ => {}
        }
        if let Some(least) = after("ssl-min-ver") {
            judge_protocols(std::iter::once(least.as_str()), line, &mut reading);
            reading.facts.set("ssl_min_ver", least.as_str());
        }
        let forced = [("force-sslv3", "SSLv3"), ("force-tlsv10", "TLSv1.0"), ("force-tlsv11", "TLSv1.1")];
        for (_, protocol) in forced.iter().filter(|(option, _)| parts.iter().any(|part| part == option)) {
            judge_protocols(std::iter::once(*protocol), line, &mut reading);
        }
        if let Some(list) = after("ciphers") {
            judge_ciphers(list, line, &mut reading);
        }
        let to_server = parts.first().is_some_and(|word| word == "server" || word == "default-server");
        let unverified = to_server && after("verify").is_some_and(|level| level == "none");
        if unverified || after("ssl-server-verify").is_some_and(|level| level == "none") {
            reading.observe("tls-verification-off", line, "the certificate of the server behind is not verified");
        }
        certificates.extend(after("crt").cloned());
    }
    if sections.is_empty() {
        return None;
    }
    reading.facts.set("sections", sections);
    reading.facts.set("certificates", certificates);
    // A password of `stats auth` or `userlist` may stand in clear.
    reading.secret = file.holds("insecure-password ") || file.holds("stats auth ");
    Some(reading)
}

fn looks_headers(file: &File<'_>) -> Likeness {
    Likeness::named_or(file.name() == "_headers", || false)
}

/// Paths at the margin, headers indented below (Netlify, Cloudflare Pages).
fn read_headers(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut paths = Vec::new();
    for (line, text) in (1..).zip(file.text().lines()) {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if !text.starts_with([' ', '\t']) {
            paths.push(trimmed);
            continue;
        }
        let (name, value) = trimmed.split_once(':')?;
        judge_header(&name.trim().to_ascii_lowercase(), value.trim(), line, &mut reading);
    }
    if paths.is_empty() {
        return None;
    }
    reading.facts.set("paths", paths);
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn a_modern_server_is_silent() {
        let nginx = "server {\n  listen 443 ssl;\n  ssl_protocols TLSv1.2 TLSv1.3;\n  ssl_ciphers HIGH:!aNULL;\n  \
                     add_header Strict-Transport-Security \"max-age=63072000\" always;\n  \
                     add_header Content-Security-Policy \"default-src 'self'; img-src *\";\n}\n";
        assert_eq!(rules("x.conf", nginx), []);
        let apache = "<VirtualHost *:443>\nSSLEngine on\nSSLProtocol -all +TLSv1.3\nServerName a\n\
                      Header always set Strict-Transport-Security \"max-age=63072000\"\n</VirtualHost>\n";
        assert_eq!(rules("x.conf", apache), []);
        assert_eq!(facts("x.conf", apache).text("tls_protocols"), Some("-all +TLSv1.3"));
        let haproxy = "global\n  ssl-default-bind-options ssl-min-ver TLSv1.2\nbackend b\n  server s 10.0.0.1:443 ssl verify required\n";
        assert_eq!(rules("x.cfg", haproxy), []);
    }

    #[test]
    fn a_plain_server_needs_no_hsts() {
        assert_eq!(rules("x", "server {\n listen 80;\n server_name a;\n}\n"), []);
    }

    #[test]
    fn headers_are_judged_by_line() {
        let text = "/*\n  Strict-Transport-Security: max-age=300\n  Access-Control-Allow-Origin: *\n/a\n  Access-Control-Allow-Origin: https://a\n";
        assert_eq!(rules("public/_headers", text), [("hsts-missing-or-short", Some(2)), ("cors-wildcard", Some(3))]);
        let nonce = "/*\n  Content-Security-Policy: script-src 'nonce-x' 'unsafe-inline'\n";
        assert_eq!(rules("_headers", nonce), []);
    }

    #[test]
    fn style_sheets_and_code_are_not_taken() {
        for text in [".server { listen: none }\n", "server { is a word\n", "http {\n  not = nginx\n}\n"] {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
