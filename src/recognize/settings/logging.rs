//! Where logs go and what is written to them: rsyslog, syslog-ng, journald, Log4j and Logback.
//!
//! Formats: rsyslog.conf(5) old and new, syslog-ng.conf(5), journald.conf(5), Log4j 2. Never here: who reads the logs.

use super::file::{File, words};
use super::{Kind, Likeness, Reading};
use crate::domain::ItemClass;

pub(super) const KINDS: &[Kind] =
    &[Kind { name: "logging-config", class: ItemClass::Hardening, looks: looks_logging, read: read_logging }];

/// Which program's words a file speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Rsyslog,
    SyslogNg,
    Journal,
    Library,
}

fn dialect(file: &File<'_>) -> Option<Dialect> {
    let conf = file.has_ending("conf");
    let first = || file.first_lines(&['#', ';']).next().unwrap_or_default();
    match file.name() {
        name if is_of_library(name) => Some(Dialect::Library),
        name if conf && (name.starts_with("rsyslog") || file.is_under("rsyslog.d")) => Some(Dialect::Rsyslog),
        name if name.starts_with("syslog-ng") && conf => Some(Dialect::SyslogNg),
        _ if file.is_under("syslog-ng") && conf => Some(Dialect::SyslogNg),
        name if name.starts_with("journald") && conf || file.is_under("journald.conf.d") => Some(Dialect::Journal),
        name if (conf || !name.contains('.')) && first().starts_with("@version:") && file.holds("destination") => {
            Some(Dialect::SyslogNg)
        }
        _ if conf && ["[Journal]", "[Upload]"].contains(&first()) => Some(Dialect::Journal),
        _ if conf && (file.holds("type=\"omfwd\"") || sends(first())) => Some(Dialect::Rsyslog),
        _ => None,
    }
}

/// `auth,authpriv.* @@host`: facilities and a host.
fn sends(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(selector), Some(target), None) = (words.next(), words.next(), words.next()) else { return false };
    let plain = selector.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"*.,;=!".contains(&c));
    plain && selector.contains('.') && target.starts_with('@') && target.len() > 2
}

/// Says whether a file of that name sets up Log4j or Logback.
pub(super) fn is_of_library(name: &str) -> bool {
    let ours = ["log4j", "logback"].iter().any(|library| name.starts_with(library));
    ours && ["xml", "properties", "yaml", "yml", "json"].iter().any(|ending| name.ends_with(&format!(".{ending}")))
}

fn looks_logging(file: &File<'_>) -> Likeness {
    match dialect(file) {
        Some(Dialect::Rsyslog | Dialect::SyslogNg) => Likeness::Named,
        Some(_) => Likeness::Maybe,
        None => Likeness::None,
    }
}

/// A place that logs are sent to.
struct Remote {
    place: String,
    line: u32,
    encrypted: bool,
}

fn read_logging(file: &File<'_>) -> Option<Reading> {
    let dialect = dialect(file).unwrap_or(Dialect::Rsyslog);
    let mut reading = Reading::default();
    let remotes = match dialect {
        Dialect::Rsyslog => rsyslog(file),
        Dialect::SyslogNg => syslog_ng(file),
        Dialect::Journal => journal(file, &mut reading)?,
        Dialect::Library => library(file),
    };
    let mut clear = Vec::new();
    for remote in &remotes {
        let host = remote.place.trim_start_matches("[::1]");
        let local = host.is_empty() || ["127.", "localhost", ":"].iter().any(|own| host.starts_with(own));
        if !remote.encrypted && !local {
            let message = format!("logs go to {} in clear", remote.place.escape_debug());
            reading.observe("logging-remote-cleartext", remote.line, message);
            clear.push(remote.place.clone());
        }
    }
    for (line, text) in file.lines(&['#']) {
        if writes_secret(text) {
            reading.observe("logging-sensitive", line, "a secret is written to the log");
        }
    }
    reading.observations.sort_by_key(|seen| seen.line);
    if !clear.is_empty() {
        reading.facts.set("cleartext", clear);
    }
    reading.facts.set("remote", remotes.into_iter().map(|remote| remote.place).collect::<Vec<_>>());
    Some(reading)
}

/// Lines joined while a bracket is open, each with the line where it begins.
fn statements(file: &File<'_>, open: char, close: char) -> Vec<(u32, String)> {
    let mut statements: Vec<(u32, String)> = Vec::new();
    let mut depth = 0_usize;
    for (line, text) in file.lines(&['#']) {
        match statements.last_mut().filter(|_| depth > 0) {
            Some((_, begun)) => {
                begun.push(' ');
                begun.push_str(text);
            }
            None => statements.push((line, text.to_owned())),
        }
        // What stands in quotation marks opens nothing.
        let bare = || text.split('"').step_by(2);
        let count = |mark: char| bare().map(|part| part.matches(mark).count()).sum::<usize>();
        depth = (depth + count(open)).saturating_sub(count(close));
    }
    statements
}

/// `*.* @@host:514` (TCP), `*.* @host` (UDP), or `action(type="omfwd" target="host" port="514")`.
fn rsyslog(file: &File<'_>) -> Vec<Remote> {
    let everywhere = ["$DefaultNetstreamDriver gtls", "$DefaultNetstreamDriver ossl", "$ActionSendStreamDriverMode 1"]
        .iter()
        .any(|mark| file.holds(mark));
    let mut remotes = Vec::new();
    for (line, text) in statements(file, '(', ')') {
        let lower = text.to_ascii_lowercase();
        let value = |key: &str| {
            let at = lower.find(&format!("{key}=\""))?;
            text.get(at + key.len() + 2..)?.split('"').next().map(str::to_owned)
        };
        if lower.contains("\"omfwd\"") || lower.contains("\"omrelp\"") {
            let port = value("port").unwrap_or_else(|| "514".to_owned());
            let driver = ["\"gtls\"", "\"ossl\""].iter().any(|name| lower.contains(&format!("streamdriver={name}")));
            let encrypted =
                everywhere || driver || lower.contains("streamdrivermode=\"1\"") || lower.contains(" tls=\"on\"");
            remotes.extend(value("target").map(|target| Remote { place: format!("{target}:{port}"), line, encrypted }));
            continue;
        }
        if text.starts_with('$') || lower.starts_with("template") {
            continue;
        }
        let target = words(&text).into_iter().skip(1).find_map(|word| word.strip_prefix('@').map(str::to_owned));
        let Some(target) = target else { continue };
        let target = target.trim_start_matches('@');
        // Options may stand in brackets before the host.
        let target = target.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(target, |(_, host)| host);
        let place = target.split(';').next().unwrap_or_default();
        if !place.is_empty() {
            remotes.push(Remote { place: place.to_owned(), line, encrypted: everywhere });
        }
    }
    remotes
}

/// `network("host" port(514) transport("tls"))` and its like, where logs are sent and not received.
fn syslog_ng(file: &File<'_>) -> Vec<Remote> {
    let mut remotes = Vec::new();
    let mut sends = false;
    for (line, text) in statements(file, '(', ')') {
        match text.split_whitespace().next().unwrap_or_default() {
            "destination" => sends = true,
            "source" | "filter" | "log" | "options" | "parser" | "template" | "rewrite" => sends = false,
            _ => {}
        }
        for driver in ["network(", "syslog(", "tcp(", "udp(", "tcp6(", "udp6("].iter().filter(|_| sends) {
            let Some((_, inner)) = text.split_once(driver) else { continue };
            let Some(host) = inner.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            let argument = |name: &str| {
                let mark = format!("{name}(");
                // `port(` also ends `transport(`.
                let is_whole = |at: &usize| inner.get(..*at).is_some_and(|head| !head.ends_with(char::is_alphabetic));
                let at = inner.match_indices(&mark).map(|(at, _)| at).find(is_whole)?;
                let value = inner.get(at + mark.len()..)?.split(')').next()?;
                Some(value.trim().trim_matches('"').to_owned())
            };
            let encrypted = argument("transport").is_some_and(|way| way == "tls") || inner.contains("tls(");
            let port = argument("port").unwrap_or_else(|| if encrypted { "6514" } else { "514" }.to_owned());
            remotes.push(Remote { place: format!("{host}:{port}"), line, encrypted });
            break;
        }
    }
    remotes
}

/// Names and values in sections; the address that a journal is sent to may be one in clear.
fn journal(file: &File<'_>, reading: &mut Reading) -> Option<Vec<Remote>> {
    let mut remotes = Vec::new();
    for (line, text) in file.lines(&['#', ';']) {
        if text.starts_with('[') {
            continue;
        }
        let (name, value) = text.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name == "URL" {
            let (scheme, host) = value.split_once("://").unwrap_or(("", value));
            let host = host.rsplit('@').next().unwrap_or_default();
            remotes.push(Remote { place: host.to_owned(), line, encrypted: scheme != "http" });
        } else {
            reading.facts.set(name, value);
        }
    }
    Some(remotes)
}

/// Hosts of appenders, as attributes of XML or as properties.
fn library(file: &File<'_>) -> Vec<Remote> {
    let mut remotes = Vec::new();
    if file.opens_with() == Some('<') {
        for (line, tag) in statements(file, '<', '>') {
            let value = |key: &str| tag.split(&format!(" {key}=\"")).nth(1)?.split('"').next();
            if let Some(host) = value("host") {
                let place = value("port").map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
                let encrypted = value("protocol").is_some_and(|way| way.eq_ignore_ascii_case("ssl"));
                remotes.push(Remote { place, line, encrypted: encrypted || file.holds("<Ssl") || file.holds("<SSL") });
            }
            let inner = |name: &str| tag.split(&format!("<{name}>")).nth(1)?.split('<').next();
            if let Some(host) = inner("remoteHost").or_else(|| inner("syslogHost")) {
                remotes.push(Remote { place: host.trim().to_owned(), line, encrypted: file.holds("<ssl") });
            }
        }
        return remotes;
    }
    let properties = || file.lines(&['#', '!']).filter_map(|(line, text)| Some((line, text.split_once('=')?)));
    for (line, (name, host)) in properties() {
        let name = name.trim();
        let Some((appender, key)) = name.rsplit_once('.') else { continue };
        if !name.contains("appender")
            || !["host", "remotehost", "sysloghost"].contains(&key.to_ascii_lowercase().as_str())
        {
            continue;
        }
        let beside = |key: &str| {
            let wanted = format!("{appender}.{key}");
            properties()
                .find(|(_, (name, _))| name.trim().eq_ignore_ascii_case(&wanted))
                .map(|(_, (_, value))| value.trim())
        };
        let host = host.trim();
        let place = beside("port").map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let encrypted = beside("protocol").is_some_and(|way| way.eq_ignore_ascii_case("ssl"));
        remotes.push(Remote { place, line, encrypted });
    }
    remotes
}

/// Says whether a pattern writes a value whose name is that of a secret.
fn writes_secret(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    ["%x{", "%mdc{", "${ctx:", "%req{", "%header{", "%reqheader{", "%requestheader{"]
        .iter()
        .any(|mark| lower.split(mark).skip(1).any(|rest| rest.split(['}', ':']).next().is_some_and(is_secret_name)))
}

/// Says whether a variable or header of that name carries a secret; the name is in small letters.
pub(super) fn is_secret_name(name: &str) -> bool {
    const NAMES: [&str; 9] =
        ["password", "passwd", "secret", "token", "authorization", "api_key", "apikey", "api-key", "cookie"];
    NAMES.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use crate::domain::Fact;

    const CLEAR: &str = "logging-remote-cleartext";

    fn remotes(path: &str, text: &str) -> Vec<String> {
        facts(path, text).list("remote").iter().map(Fact::to_string).collect()
    }

    #[test]
    fn every_way_to_name_a_host_of_rsyslog_is_read() {
        let text = "if $programname == \"x\" then @10.0.0.1:514\n*.*\t@@(o)logs.test;fmt\n& stop\naction(\n  type=\"omfwd\"\n  \
                    target=\"h\"\n)\n$template a,\"x @cee\"\n*.* @127.0.0.1\n";
        assert_eq!(rules("rsyslog.d/a.conf", text), [(CLEAR, Some(1)), (CLEAR, Some(2)), (CLEAR, Some(4))]);
        assert_eq!(remotes("rsyslog.d/a.conf", text), ["10.0.0.1:514", "logs.test", "h:514", "127.0.0.1"]);
        let tls = "action(type=\"omfwd\" Target=\"h\" port=\"6514\"\n StreamDriver=\"gtls\")\n";
        assert_eq!(rules("rsyslog.d/a.conf", tls), []);
        assert_eq!(remotes("rsyslog.d/a.conf", tls), ["h:6514"]);
    }

    #[test]
    fn destinations_of_syslog_ng_are_told_from_its_sources() {
        let text = "@version: 4.2\nsource s { network(ip(\"0.0.0.0\") port(514)); };\ndestination d {\n  network(\"h\"\n    port(601));\n};\n\
                    destination t { syslog(\"h\" transport(\"tls\")); };\n";
        assert_eq!(rules("x/logs.conf", text), [(CLEAR, Some(4))]);
        assert_eq!(remotes("x/logs.conf", text), ["h:601", "h:6514"]);
    }

    #[test]
    fn appenders_and_patterns_of_libraries_are_judged() {
        let xml = "<Configuration>\n <Socket name=\"s\" host=\"h\"\n   port=\"514\"/>\n <PatternLayout pattern=\"%X{userPassword} %m\"/>\n\
                   </Configuration>\n";
        assert_eq!(rules("conf/log4j2.xml", xml), [(CLEAR, Some(2)), ("logging-sensitive", Some(4))]);
        let properties =
            "appender.s.host = h\nappender.s.port = 1\nappender.s.protocol = SSL\nappender.c.pattern = %X{user} %m\n";
        assert_eq!(rules("log4j2.properties", properties), []);
        assert_eq!(remotes("log4j2.properties", properties), ["h:1"]);
    }

    #[test]
    fn a_journal_s_settings_are_facts() {
        assert_eq!(
            facts("etc/systemd/journald.conf", "[Journal]\nStorage=persistent\n").text("Storage"),
            Some("persistent")
        );
        assert_eq!(rules("upload.conf", "[Upload]\nURL=http://h:19532\n"), [(CLEAR, Some(2))]);
        assert_eq!(rules("before.conf", "auth,authpriv.*  @@logs.test:514\n"), [(CLEAR, Some(1))]);
        assert_eq!(kind_of("a.conf", "[Journal club]\nx=y\n"), None);
    }
}
