//! Settings of a system's services: units, auditing, PAM, Kerberos and OpenSSL's defaults.
//!
//! Never here: the order in which drop-in files are read; each file is judged alone.

use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "systemd-unit", class: ItemClass::Hardening, looks: looks_unit, read: read_unit },
    Kind { name: "auditd-rules", class: ItemClass::Hardening, looks: looks_audit, read: read_audit },
    Kind { name: "pam", class: ItemClass::Hardening, looks: looks_pam, read: read_pam },
    Kind { name: "krb5-config", class: ItemClass::Hardening, looks: looks_kerberos, read: read_kerberos },
    Kind { name: "openssl-config", class: ItemClass::Hardening, looks: looks_openssl, read: read_openssl },
];

/// Options that put a service into a sandbox.
const SANDBOX: [&str; 22] = [
    "CapabilityBoundingSet",
    "DynamicUser",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictSUIDSGID",
    "SystemCallFilter",
];

fn looks_unit(file: &File<'_>) -> Likeness {
    let units = ["service", "socket", "timer", "mount", "path", "target"];
    let ending = units.iter().any(|ending| file.has_ending(ending));
    let drop_in = file.has_ending("conf") && file.path().contains(".service.d/");
    let section = ["[Unit]", "[Service]", "[Socket]", "[Timer]", "[Install]", "[Mount]", "[Path]"];
    let first = file.first_lines(&['#', ';']).next().unwrap_or_default();
    let opens = section.contains(&first);
    if opens && (ending || drop_in || file.holds("[Service]\n") || file.holds("[Service]\r")) {
        Likeness::Maybe
    } else {
        Likeness::None
    }
}

fn read_unit(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut section = "";
    let mut sandbox: Vec<String> = Vec::new();
    let (mut is_service, mut starts) = (false, false);
    let lines = file.joined_lines(&['#', ';']);
    for (_, text) in &lines {
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            is_service |= name == "Service";
            continue;
        }
        let (name, value) = text.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if section != "Service" {
            continue;
        }
        let off = ["no", "false", "0", "off", ""].contains(&value);
        match name {
            _ if SANDBOX.contains(&name) && !off => sandbox.push(format!("{name}={value}")),
            "User" | "Group" => reading.facts.set(name, value),
            "ExecStart" => {
                starts = true;
                // Arguments may hold a secret; the program says enough.
                reading.facts.set("ExecStart", value.split_whitespace().next().unwrap_or_default());
            }
            _ => {}
        }
    }
    if is_service && starts && sandbox.is_empty() {
        reading.observe_whole("systemd-no-sandbox", "the service runs without any sandbox option");
    }
    sandbox.sort();
    reading.facts.set("sandbox", sandbox);
    Some(reading)
}

fn looks_audit(file: &File<'_>) -> Likeness {
    let named = file.name() == "audit.rules" || (file.path().contains("audit/rules.d/") && file.has_ending("rules"));
    Likeness::named_or(named, || {
        let mut sure = false;
        let all = file.first_lines(&['#']).all(|line| {
            let watches =
                line.starts_with("-w /") || line.starts_with("-a always,exit") || line.starts_with("-a exit,always");
            sure |= watches;
            watches || is_audit_control(line)
        });
        all && sure
    })
}

fn is_audit_control(line: &str) -> bool {
    ["-D", "-b", "-f", "-e", "-r", "-i", "-c", "-a", "-A", "-w", "--backlog_wait_time", "--loginuid-immutable"]
        .contains(&line.split_whitespace().next().unwrap_or_default())
}

fn read_audit(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut watches, mut calls, mut permissions) = (Vec::new(), Vec::new(), Facts::new());
    let mut enabled = None;
    for (line, text) in file.lines(&['#']) {
        if !is_audit_control(text) {
            return None;
        }
        let mut parts = text.split_whitespace();
        match (parts.next(), parts.next()) {
            (Some("-w"), Some(path)) => {
                watches.push(path.to_owned());
                // Without `-p` every access is written down.
                let kinds = parts.clone().skip_while(|word| *word != "-p").nth(1).unwrap_or("rwxa");
                permissions.set(path, kinds.chars().map(|c| c.to_string()).collect::<Vec<_>>());
            }
            (Some("-a" | "-A"), Some(_)) => calls.push(text.split_whitespace().collect::<Vec<_>>().join(" ")),
            (Some("-e"), Some(value)) => enabled = Some((line, value.to_owned())),
            _ => {}
        }
    }
    match enabled.as_ref().map(|(line, value)| (*line, value.as_str())) {
        Some((line, "0")) => reading.observe("audit-disabled", line, "auditing is switched off"),
        Some((_, "2")) => {}
        // One file of several ends the rules; another cannot.
        _ if file.is_under("rules.d") && file.name() != "audit.rules" => {}
        _ => reading.observe_whole("audit-not-immutable", "the rules can be changed until the next boot"),
    }
    reading.facts.set("watches", watches);
    if !permissions.is_empty() {
        reading.facts.set("permissions", permissions);
    }
    reading.facts.set("rules", calls);
    reading.facts.set_some("enabled", enabled.map(|(_, value)| value));
    Some(reading)
}

const PAM_TYPES: [&str; 4] = ["auth", "account", "password", "session"];

/// Type, control and what follows of a line of a PAM stack.
fn pam_rule(line: &str) -> Option<(&str, &str, Vec<&str>)> {
    let kind = line.split_whitespace().next()?;
    let rest = line.get(kind.len()..)?.trim_start();
    let kind = kind.trim_start_matches('-');
    let (control, rest) = match rest.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => rest.split_once(char::is_whitespace)?,
    };
    let rest: Vec<&str> = rest.split_whitespace().collect();
    let modules = ["include", "substack"].contains(&control)
        || rest.first().is_some_and(|module| module.strip_suffix(".so").is_some());
    (PAM_TYPES.contains(&kind) && modules).then_some((kind, control, rest))
}

/// A line of pam.conf begins with the name of the service.
fn pam_rule_of(line: &str, with_service: bool) -> Option<(&str, &str, Vec<&str>)> {
    let rule = if with_service { line.split_once(char::is_whitespace)?.1.trim_start() } else { line };
    pam_rule(rule)
}

fn looks_pam(file: &File<'_>) -> Likeness {
    let with_service = file.name() == "pam.conf";
    let included = |line: &str| file.is_under("pam.d") && line.starts_with("@include ");
    // The first line alone tells most files apart; a long one may go on in the next.
    let first = file.first_lines(&['#']).next().unwrap_or_default();
    let kind = first.trim_start_matches('-').split_whitespace().next().unwrap_or_default();
    if !with_service && !included(first) && !PAM_TYPES.contains(&kind) {
        return Likeness::None;
    }
    let mut lines = file.joined_lines(&['#']).into_iter().map(|(_, line)| line).take(MOST_LINES).peekable();
    if lines.peek().is_some() && lines.all(|line| included(&line) || pam_rule_of(&line, with_service).is_some()) {
        return Likeness::Maybe;
    }
    Likeness::None
}

/// How many lines of a stack are looked at before it is read.
const MOST_LINES: usize = 40;

/// The least length of a password.
const MIN_LENGTH: i64 = 8;

fn read_pam(file: &File<'_>) -> Option<Reading> {
    let with_service = file.name() == "pam.conf";
    let mut reading = Reading::default();
    let (mut modules, mut stack) = (Vec::new(), Vec::new());
    let mut denied = false;
    for (line, text) in file.joined_lines(&['#']) {
        if text.starts_with("@include ") {
            stack.push(text);
            continue;
        }
        let (kind, control, rest) = pam_rule_of(&text, with_service)?;
        let Some((module, options)) = rest.split_first() else { continue };
        let options: Vec<&str> = options.iter().copied().take_while(|option| !option.starts_with('#')).collect();
        let module = module.rsplit('/').next().unwrap_or_default();
        if options.contains(&"nullok") || options.contains(&"nullok_secure") {
            reading.observe("pam-nullok", line, "empty passwords are accepted");
        }
        denied |= kind == "auth" && module == "pam_deny.so";
        if kind == "auth" && module == "pam_permit.so" && !denied && !control.starts_with("optional") {
            reading.observe("pam-permit", line, "everyone is let in");
        }
        let least = options.iter().find_map(|option| option.strip_prefix("minlen=")?.parse::<i64>().ok());
        if let Some(length) = least.filter(|length| kind == "password" && *length < MIN_LENGTH) {
            let message = format!("passwords of {length} characters are accepted, fewer than {MIN_LENGTH}");
            reading.observe("password-policy-weak", line, message);
        }
        modules.push(module.to_owned());
        let service = if with_service { text.split_whitespace().next() } else { None };
        let rule = format!("{kind} [{control}] {module} {}", options.join(" "));
        stack.push(service.map_or(rule.clone(), |service| format!("{service} {rule}")).trim_end().to_owned());
    }
    if stack.is_empty() {
        return None;
    }
    reading.facts.set("modules", modules);
    reading.facts.set("stack", stack);
    Some(reading)
}

fn looks_kerberos(file: &File<'_>) -> Likeness {
    let named = ["krb5.conf", "kdc.conf"].contains(&file.name()) || file.is_under("krb5.conf.d");
    Likeness::named_or(named, || {
        file.head_holds("=") && ["[libdefaults]", "[kdcdefaults]"].iter().any(|mark| file.head_holds(mark))
    })
}

fn read_kerberos(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut section = "";
    let mut settings = 0;
    for (line, text) in file.lines(&['#', ';']) {
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        }
        let Some((name, value)) = text.split_once('=') else { continue };
        let (name, value) = (name.trim(), value.trim());
        settings += 1;
        let list = || value.split([' ', ',', '\t']).filter(|part| !part.is_empty());
        match name {
            "allow_weak_crypto"
                if ["true", "yes", "1", "on", "y", "t"].contains(&value.to_ascii_lowercase().as_str()) =>
            {
                reading.observe("krb5-weak-enctype", line, "weak encryption types are allowed");
            }
            "default_tgs_enctypes" | "default_tkt_enctypes" | "permitted_enctypes" | "supported_enctypes" => {
                let weak: Vec<_> = list().filter(|name| is_weak_enctype(name)).collect();
                if !weak.is_empty() {
                    reading.observe("krb5-weak-enctype", line, format!("allowed: {}", weak.join(", ").escape_debug()));
                }
                reading.facts.set(name, list().collect::<Vec<_>>());
            }
            _ => {}
        }
        if section == "libdefaults" && reading.facts.find(name).is_none() {
            reading.facts.set(name, value);
        }
    }
    (settings > 0 || file.holds("include")).then_some(reading)
}

fn is_weak_enctype(name: &str) -> bool {
    let name = name.trim_start_matches('+').to_ascii_lowercase();
    !name.starts_with('-') && ["des", "rc4", "arcfour"].iter().any(|weak| name.starts_with(weak))
}

fn looks_openssl(file: &File<'_>) -> Likeness {
    let named =
        file.name().starts_with("openssl") && ["cnf", "conf", "cfg"].iter().any(|ending| file.has_ending(ending));
    Likeness::named_or(named, || {
        let words =
            ["openssl_conf", "system_default", "distinguished_name", "default_ca", "MinProtocol", "TLS.MinProtocol"];
        ["cnf", "conf"].iter().any(|ending| file.has_ending(ending))
            && words.iter().any(|word| {
                file.lines(&['#'])
                    .any(|(_, line)| line.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('=')))
            })
    })
}

fn read_openssl(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut settings = 0;
    for (line, text) in file.joined_lines(&['#', ';']) {
        if text.starts_with('[') || text.starts_with('.') {
            continue;
        }
        let (name, value) = text.split_once('=')?;
        let (name, value) = (name.trim(), value.split('#').next().unwrap_or_default().trim());
        settings += 1;
        let short = name.rsplit('.').next().unwrap_or_default();
        match short {
            "MinProtocol" => {
                if super::tls::is_weak_protocol(value) || value == "None" {
                    reading.observe("openssl-weak-policy", line, format!("{} is allowed", value.escape_debug()));
                }
                reading.facts.set("MinProtocol", value);
            }
            "CipherString" | "Ciphersuites" => {
                let level = value.split("SECLEVEL=").nth(1);
                let level = level.and_then(|rest| {
                    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<i64>().ok()
                });
                if let Some(level) = level {
                    if level < 2 {
                        reading.observe("openssl-weak-policy", line, format!("the security level is {level}"));
                    }
                    reading.facts.set("SECLEVEL", level);
                }
                reading.facts.set(short, value);
            }
            "default_md" | "default_bits" | "default_days" => reading.facts.set(short, value),
            "input_password" | "output_password" => reading.secret = true,
            _ => {}
        }
    }
    (settings > 0).then_some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{kind_of, rules};

    #[test]
    fn one_sandbox_option_ends_the_complaint() {
        let unit = |option: &str| format!("[Unit]\nDescription=a\n[Service]\nExecStart=/bin/a \\\n --x\n{option}\n");
        assert_eq!(rules("a.service", &unit("NoNewPrivileges=no")), [("systemd-no-sandbox", None)]);
        assert_eq!(rules("a.service", &unit("NoNewPrivileges=yes")), []);
        assert_eq!(rules("a.timer", "[Timer]\nOnCalendar=daily\n"), []);
    }

    #[test]
    fn audit_rules_are_judged_by_their_end() {
        assert_eq!(rules("audit.rules", "-w /etc/passwd -p wa\n-e 2\n"), []);
        assert_eq!(rules("audit.rules", "-w /etc/passwd -p wa\n-e 0\n"), [("audit-disabled", Some(2))]);
        assert_eq!(rules("audit/rules.d/10-a.rules", "-w /etc/passwd -p wa\n"), []);
        assert_eq!(kind_of("x", "-w /a is an option\nprose\n"), None);
    }

    #[test]
    fn a_stack_that_permits_before_it_denies_is_told() {
        assert_eq!(rules("x", "auth sufficient pam_permit.so\n"), [("pam-permit", Some(1))]);
        assert_eq!(rules("x", "auth requisite pam_deny.so\nauth required pam_permit.so\n"), []);
        assert_eq!(rules("x", "account required pam_permit.so\nsession include common\n"), []);
        assert_eq!(kind_of("x", "auth is important\n"), None);
        let joined = "auth required pam_env.so # x\npassword required pam_unix.so sha512 \\\n  shadow nullok\n";
        assert_eq!(rules("pam.d/x", joined), [("pam-nullok", Some(2))]);
        let whole = "login auth required pam_unix.so nullok\nother auth required pam_deny.so\n";
        assert_eq!(rules("etc/pam.conf", whole), [("pam-nullok", Some(1))]);
        let short = "password requisite pam_pwquality.so retry=3 minlen=6\n";
        assert_eq!(rules("pam.d/x", short), [("password-policy-weak", Some(1))]);
        assert_eq!(rules("pam.d/x", &short.replace("=6", "=14")), []);
    }

    #[test]
    fn strong_kerberos_and_openssl_are_silent() {
        assert_eq!(
            rules("krb5.conf", "[libdefaults]\nallow_weak_crypto = false\npermitted_enctypes = aes256-cts -rc4\n"),
            []
        );
        assert_eq!(rules("openssl.cnf", "[s]\nMinProtocol = TLSv1.2\nCipherString = DEFAULT:@SECLEVEL=2\n"), []);
    }
}
