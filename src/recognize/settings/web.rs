//! Web servers and proxies: nginx, Apache and `HAProxy`.
//!
//! Protocols, ciphers, verification, headers, references to certificates. Never here: what included files say.

use std::collections::BTreeSet;

use super::file::{File, words};
use super::headers::Headers;
use super::logging::is_secret_name;
use super::tls::{is_weak_protocol, weak_ciphers};
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "nginx-config", class: ItemClass::Hardening, looks: looks_nginx, read: read_nginx },
    Kind { name: "apache-config", class: ItemClass::Hardening, looks: looks_apache, read: read_apache },
    Kind { name: "haproxy-config", class: ItemClass::Hardening, looks: looks_haproxy, read: read_haproxy },
];

fn looks_nginx(file: &File<'_>) -> Likeness {
    let named = file.name() == "nginx.conf" || (file.is_under("nginx") && file.has_ending("conf"));
    Likeness::named_or(named, || {
        let block = |line: &str| {
            ["server", "http", "upstream", "events", "stream"].iter().any(|name| {
                let rest = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '\t', '{']));
                rest.is_some_and(|rest| rest.trim_start().starts_with('{') || rest.contains(" {"))
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
    let (mut tls, mut directives, mut others) = (false, 0, 0);
    let mut headers = Headers::default();
    for (line, parts) in nginx_statements(file.text()) {
        let Some((name, values)) = parts.split_first() else { continue };
        let plain = name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        directives += i32::from(plain);
        others += i32::from(!plain);
        tls |= name == "listen" && values.iter().any(|value| value == "ssl" || value == "quic");
        tls |= name == "ssl" && values.iter().any(|value| value == "on");
        judge_nginx(name, values, line, &mut headers, &mut reading);
    }
    if directives == 0 || others > directives {
        return None;
    }
    headers.close(tls, &mut reading);
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

fn judge_nginx(name: &str, values: &[String], line: u32, headers: &mut Headers, reading: &mut Reading) {
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
        "proxy_ssl_verify" | "grpc_ssl_verify" | "uwsgi_ssl_verify" => {
            if value == "off" {
                reading.observe("tls-verification-off", line, "the certificate of the server behind is not verified");
            }
            reading.facts.set(name, value);
        }
        "add_header" => {
            let (header, rest) = values.split_first().map_or(("", values), |(header, rest)| (header, rest));
            let always = rest.len().saturating_sub(usize::from(rest.last().is_some_and(|word| word == "always")));
            headers.send(header, &rest.get(..always).unwrap_or_default().join(" "), line, reading);
        }
        "more_set_headers" => {
            for (header, value) in values.iter().filter_map(|value| value.split_once(':')) {
                headers.send(header, value, line, reading);
            }
        }
        // `$http_authorization`, `$cookie_session`, `$arg_token`: what a client sends in confidence.
        "log_format" if value.split('$').skip(1).any(is_secret_variable) => {
            reading.observe("logging-sensitive", line, "a secret is written to the log");
        }
        _ => {}
    }
}

fn is_secret_variable(rest: &str) -> bool {
    let rest = rest.trim_start_matches('{');
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    rest.get(..end).is_some_and(|name| name == "request_body" || is_secret_name(&name.to_ascii_lowercase()))
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

fn looks_apache(file: &File<'_>) -> Likeness {
    let place = ["apache2", "httpd", "apache"].iter().any(|folder| file.is_under(folder));
    let own = ["httpd.conf", "apache2.conf", ".htaccess"];
    let named = (place && file.has_ending("conf")) || own.contains(&file.name());
    Likeness::named_or(named, || {
        let first = file.first_lines(&['#']).next().unwrap_or_default();
        let opens =
            ["<VirtualHost ", "<IfModule ", "<Directory ", "SSLProtocol ", "SSLEngine ", "Listen ", "LoadModule "];
        let named = ["ServerName ", "ServerRoot ", "ServerAdmin ", "SSLCipherSuite ", "<Location", "Define "];
        let in_blocks = named.iter().any(|mark| first.starts_with(mark))
            && ["<VirtualHost ", "SSLEngine ", "SSLProtocol "].iter().any(|mark| file.head_holds(mark));
        (in_blocks || opens.iter().any(|mark| first.starts_with(mark)))
            && ["SSL", "DocumentRoot", "ServerName", "LoadModule", "Require "].iter().any(|mark| file.head_holds(mark))
            && !file.has_ending("html")
    })
}

fn read_apache(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut tls, mut directives) = (false, 0);
    let mut headers = Headers::default();
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
            "sslproxyverify" => {
                if value.eq_ignore_ascii_case("none") {
                    let message = "the certificate of the server behind is not verified";
                    reading.observe("tls-verification-off", line, message);
                }
                reading.facts.set("proxy_verify", value);
            }
            "header" => {
                let rest: Vec<&String> = values
                    .iter()
                    .filter(|v| !["always", "onsuccess", "set", "add", "append"].contains(&v.as_str()))
                    .collect();
                if let Some((header, content)) = rest.split_first() {
                    let content = content.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
                    headers.send(header, &content, line, &mut reading);
                }
            }
            // `%{Authorization}i` writes a header of the request.
            "logformat" | "customlog"
                if value.split("%{").skip(1).any(|rest| {
                    rest.split_once('}').is_some_and(|(name, _)| is_secret_name(&name.to_ascii_lowercase()))
                }) =>
            {
                reading.observe("logging-sensitive", line, "a secret is written to the log");
            }
            _ => {}
        }
    }
    if directives == 0 {
        return None;
    }
    headers.close(tls, &mut reading);
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
        let named = ["defaults", "frontend", "backend", "listen"];
        let opens = first == "global" || first.split_whitespace().next().is_some_and(|word| named.contains(&word));
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
    let (mut headers, mut verify) = (Headers::default(), Facts::new());
    for (line, text) in file.lines(&['#']) {
        let parts = words(text.split(" #").next().unwrap_or_default());
        if let [way, set, header, value, ..] = parts.as_slice()
            && way == "http-response"
            && ["set-header", "add-header"].contains(&set.as_str())
        {
            headers.send(header, value, line, &mut reading);
        }
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
        if let (Some("server"), Some(name), Some(level)) =
            (parts.first().map(String::as_str), parts.get(1), after("verify"))
        {
            verify.set(name.as_str(), level.as_str());
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
    headers.close(false, &mut reading);
    reading.facts.set("sections", sections);
    reading.facts.set("certificates", certificates);
    if !verify.is_empty() {
        reading.facts.set("verify", verify);
    }
    // A password of `stats auth` or `userlist` may stand in clear.
    reading.secret = file.holds("insecure-password ") || file.holds("stats auth ");
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
    fn a_log_of_what_clients_send_in_confidence_is_told() {
        let log = |what: &str| format!("log_format a '$remote_addr {what}';\nserver {{\n  listen 80;\n}}\n");
        assert_eq!(rules("nginx/a.conf", &log("\"$http_authorization\"")), [("logging-sensitive", Some(1))]);
        assert_eq!(rules("nginx/a.conf", &log("$request $status")), []);
        assert_eq!(rules("apache2/a.conf", "LogFormat \"%h %{Cookie}i\" x\n"), [("logging-sensitive", Some(1))]);
        assert_eq!(rules("apache2/a.conf", "LogFormat \"%h %{User-Agent}i\" x\n"), []);
    }

    #[test]
    fn blocks_on_one_line_are_blocks() {
        let text =
            "upstream a { server 10.0.0.1:80; }\nserver {\n listen 80;\n location / { proxy_ssl_verify off; }\n}\n";
        assert_eq!(rules("x.conf", text), [("tls-verification-off", Some(4))]);
    }

    #[test]
    fn a_plain_server_needs_no_hsts() {
        assert_eq!(rules("x", "server {\n listen 80;\n server_name a;\n}\n"), []);
    }

    #[test]
    fn a_site_may_begin_with_its_name() {
        let text = "ServerName a\n<VirtualHost *:443>\nSSLEngine on\nHeader always set Strict-Transport-Security \"max-age=31536000\"\n</VirtualHost>\n";
        assert_eq!(rules("site.conf", text), []);
        assert_eq!(kind_of("a.txt", "global warming\nfrontend people\n server side\n"), None);
    }

    #[test]
    fn style_sheets_and_code_are_not_taken() {
        for text in [".server { listen: none }\n", "server { is a word\n", "http {\n  not = nginx\n}\n"] {
            assert_eq!(kind_of("x", text), None, "{text}");
        }
    }
}
