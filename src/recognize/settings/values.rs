//! Files of one name and one value a line: sysctl, login.defs and pwquality.conf.
//!
//! Never here: files with sections. The last value of a name is the one that holds.

use std::collections::BTreeMap;

use super::file::{File, unquoted};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "sysctl", class: ItemClass::Hardening, looks: looks_kernel, read: read_kernel },
    Kind { name: "login-defs", class: ItemClass::Hardening, looks: looks_login, read: read_login },
    Kind { name: "pwquality", class: ItemClass::Hardening, looks: looks_quality, read: read_quality },
];

/// Names and values with their lines, each name's last one.
type Values<'a> = BTreeMap<String, (u32, &'a str)>;

const KERNEL_TREES: [&str; 8] = ["kernel", "net", "vm", "fs", "user", "dev", "abi", "debug"];

fn looks_kernel(file: &File<'_>) -> Likeness {
    let named = file.name() == "sysctl.conf" || (file.is_under("sysctl.d") && file.has_ending("conf"));
    Likeness::named_or(named, || {
        let mut lines = file.first_lines(&['#', ';']).peekable();
        lines.peek().is_some() && lines.all(|line| kernel_setting(line).is_some())
    })
}

/// `-net/ipv4.ip_forward = 0`: a leading `-` forgives errors, and `/` may stand for `.`.
fn kernel_setting(line: &str) -> Option<(String, &str)> {
    let (name, value) = match line.split_once('=') {
        Some((name, value)) => (name.trim(), value.trim()),
        // A name alone takes a pattern out of those before it.
        None => (line.strip_prefix('-')?, ""),
    };
    let name = name.trim_start_matches('-').trim();
    let tree = name.split(['.', '/']).next()?;
    let plain = name.bytes().all(|c| c.is_ascii_alphanumeric() || b"._/-*:@".contains(&c));
    let deep = name.len() > tree.len() + 1;
    (plain && deep && KERNEL_TREES.contains(&tree)).then(|| (name.replace('/', "."), value))
}

fn read_kernel(file: &File<'_>) -> Option<Reading> {
    let mut values = Values::new();
    for (line, text) in file.lines(&['#', ';']) {
        let (name, value) = kernel_setting(text)?;
        values.insert(name, (line, value));
    }
    let mut reading = Reading::default();
    for (name, (line, value)) in values {
        if let Some(wanted) = wanted(&name).filter(|wanted| !wanted.is_met(value)) {
            let message = format!("{} is {}, {}", name.escape_debug(), value.escape_debug(), wanted.words());
            reading.observe("sysctl-weak", line, message);
        }
        reading.facts.set(name, value);
    }
    reading.observations.sort_by_key(|seen| seen.line);
    Some(reading)
}

/// What a kernel setting should be.
enum Wanted {
    Is(i64),
    AtLeast(i64),
    Not(i64),
}

impl Wanted {
    fn is_met(&self, value: &str) -> bool {
        // A value that is no number is not judged.
        let Ok(value) = value.trim().parse::<i64>() else { return true };
        match self {
            Self::Is(wanted) => value == *wanted,
            Self::AtLeast(least) => value >= *least,
            Self::Not(bad) => value != *bad,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Is(wanted) => format!("should be {wanted}"),
            Self::AtLeast(least) => format!("should be {least} or more"),
            Self::Not(bad) => format!("should not be {bad}"),
        }
    }
}

fn wanted(name: &str) -> Option<Wanted> {
    let interface = name.strip_prefix("net.ipv4.conf.").or_else(|| name.strip_prefix("net.ipv6.conf."));
    match interface.and_then(|rest| rest.rsplit_once('.')).map_or(name, |(_, option)| option) {
        "kernel.randomize_va_space" => Some(Wanted::Is(2)),
        "kernel.kptr_restrict"
        | "kernel.dmesg_restrict"
        | "kernel.yama.ptrace_scope"
        | "kernel.unprivileged_bpf_disabled"
        | "net.core.bpf_jit_harden"
        | "net.ipv4.tcp_syncookies"
        | "fs.protected_hardlinks"
        | "fs.protected_symlinks"
        | "rp_filter" => Some(Wanted::AtLeast(1)),
        "kernel.perf_event_paranoid" => Some(Wanted::AtLeast(2)),
        "kernel.sysrq" | "fs.suid_dumpable" => Some(Wanted::Not(1)),
        "net.ipv4.icmp_echo_ignore_broadcasts" | "net.ipv4.icmp_ignore_bogus_error_responses" => Some(Wanted::Is(1)),
        "accept_redirects" | "send_redirects" | "accept_source_route" if interface.is_some() => Some(Wanted::Is(0)),
        _ => None,
    }
}

fn looks_login(file: &File<'_>) -> Likeness {
    Likeness::named_or(file.name() == "login.defs", || {
        let first = file.first_lines(&['#']).next().unwrap_or_default();
        ["ENCRYPT_METHOD", "PASS_MAX_DAYS", "PASS_MIN_DAYS", "PASS_MIN_LEN", "PASS_WARN_AGE", "MAIL_DIR", "UID_MIN"]
            .iter()
            .any(|name| first.strip_prefix(name).is_some_and(|rest| rest.starts_with(char::is_whitespace)))
    })
}

fn read_login(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    for (line, text) in file.lines(&['#']) {
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let value = value.split(" #").next().unwrap_or_default();
        if !name.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_') {
            return None;
        }
        let value = unquoted(value.trim()).trim();
        let weak = ["DES", "MD5", "SHA1"].iter().any(|weak| weak.eq_ignore_ascii_case(value));
        if name == "ENCRYPT_METHOD" && weak {
            reading.observe("password-hash-weak", line, format!("passwords are hashed with {}", value.escape_debug()));
        }
        // The older switch counts where the newer word is missing.
        if name == "MD5_CRYPT_ENAB" && value.eq_ignore_ascii_case("yes") && !file.holds("\nENCRYPT_METHOD") {
            reading.observe("password-hash-weak", line, "passwords are hashed with MD5");
        }
        reading.facts.set(name, number_or_text(value));
    }
    (!reading.facts.is_empty()).then_some(reading)
}

fn number_or_text(value: &str) -> Fact {
    // A leading zero says octal, as in a file mode.
    let plain = value == "0" || !value.trim_start_matches('-').starts_with('0');
    match value.parse::<i64>() {
        Ok(number) if plain && !value.starts_with('+') => number.into(),
        _ => value.into(),
    }
}

/// The least length of a password.
const MIN_LENGTH: i64 = 8;

fn looks_quality(file: &File<'_>) -> Likeness {
    let named = file.name() == "pwquality.conf" || file.is_under("pwquality.conf.d");
    Likeness::named_or(named, || {
        let name = |line: &str| line.split(['=', ' ', '\t']).next().is_some_and(|word| QUALITY.contains(&word));
        let known = file.first_lines(&['#']).filter(|line| name(line)).count();
        // Two of its words, and no other: `retry = 3` alone may be anybody's.
        known > 1 && file.first_lines(&['#']).all(name)
    })
}

/// The words of pwquality.conf(5).
const QUALITY: [&str; 19] = [
    "badwords",
    "dcredit",
    "dictcheck",
    "dictpath",
    "difok",
    "enforce_for_root",
    "enforcing",
    "gecoscheck",
    "lcredit",
    "local_users_only",
    "maxclassrepeat",
    "maxrepeat",
    "maxsequence",
    "minclass",
    "minlen",
    "ocredit",
    "retry",
    "ucredit",
    "usercheck",
];

fn read_quality(file: &File<'_>) -> Option<Reading> {
    let mut values = Values::new();
    for (line, text) in file.lines(&['#']) {
        let text = text.split('#').next().unwrap_or_default();
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
            return None;
        }
        values.insert(name.to_owned(), (line, value.trim()));
    }
    let mut reading = Reading::default();
    for (name, (line, value)) in values {
        if name == "minlen" && value.parse::<i64>().is_ok_and(|length| length < MIN_LENGTH) {
            let message = format!("passwords of {value} characters are accepted, fewer than {MIN_LENGTH}");
            reading.observe("password-policy-weak", line, message);
        }
        let fact = if value.is_empty() { true.into() } else { number_or_text(value) };
        reading.facts.set(name, fact);
    }
    Some(reading)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn the_last_value_of_a_kernel_setting_is_judged() {
        let text = "net/ipv4/conf/all/accept_redirects=1\n-kernel.sysrq = 1\n; x\nkernel.sysrq = 0\nkernel.core_pattern = |/x y\n";
        assert_eq!(rules("deep/sysctl.d/9.conf", text), [("sysctl-weak", Some(1))]);
        assert_eq!(facts("a", text).text("kernel.sysrq"), Some("0"));
    }

    #[test]
    fn sound_kernel_settings_are_silent() {
        let text = "kernel.randomize_va_space = 2\nkernel.kptr_restrict = 2\nnet.ipv4.conf.default.rp_filter = 2\n\
                    net.ipv6.conf.all.accept_redirects = 0\nnet.ipv4.tcp_syncookies = 1\nvm.swappiness = 10\n";
        assert_eq!(rules("a", text), []);
        assert_eq!(kind_of("a", text).as_deref(), Some("sysctl"));
    }

    #[test]
    fn properties_of_other_programs_are_not_taken() {
        for text in ["net.example = 1\nserver.port = 2\n", "user = a\n", "kernel = x\n", "", "# only a comment\n"] {
            assert_eq!(kind_of("application.properties", text), None, "{text}");
        }
    }

    #[test]
    fn passwords_are_judged_by_hash_and_length() {
        assert_eq!(rules("etc/login.defs", "UMASK 027\nENCRYPT_METHOD MD5\n"), [("password-hash-weak", Some(2))]);
        assert_eq!(rules("etc/login.defs", "ENCRYPT_METHOD YESCRYPT\n"), []);
        assert_eq!(rules("etc/login.defs", "ENCRYPT_METHOD \"DES\" # x\n"), [("password-hash-weak", Some(1))]);
        assert_eq!(rules("etc/login.defs", "MD5_CRYPT_ENAB yes\n"), [("password-hash-weak", Some(1))]);
        assert_eq!(
            rules("quality.cfg", "difok = 5\nminlen = 6\nenforce_for_root\n"),
            [("password-policy-weak", Some(2))]
        );
        assert_eq!(kind_of("app.cfg", "retry = 3\n"), None);
        assert_eq!(facts("etc/login.defs", "UMASK\t027\nPASS_MAX_DAYS 90\n").text("UMASK"), Some("027"));
        assert_eq!(rules("etc/security/pwquality.conf", "minlen = 6\n"), [("password-policy-weak", Some(1))]);
        assert_eq!(rules("etc/security/pwquality.conf", "minlen=14\nenforce_for_root\n"), []);
    }
}
