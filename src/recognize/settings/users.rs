//! The accounts of a system: `passwd(5)`, `group(5)` and `shadow(5)`.
//!
//! Never here: the hash of a password; its scheme is the fact.

use super::access::scheme;
use super::file::File;
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "passwd", class: ItemClass::AccessControl, looks: looks_passwd, read: read_passwd },
    Kind { name: "group", class: ItemClass::AccessControl, looks: looks_group, read: read_group },
    Kind { name: "shadow", class: ItemClass::AccessControl, looks: looks_shadow, read: read_shadow },
];

/// No system has more accounts than are told; a file that has is said to be unreadable, not cut.
const MOST_ACCOUNTS: usize = 5000;

/// Programs that let nobody in.
const CLOSED: [&str; 5] = ["nologin", "false", "sync", "shutdown", "halt"];

/// The fields of a line, where there are so many of them.
fn fields<const N: usize>(line: &str) -> Option<[&str; N]> {
    let fields: Vec<&str> = line.split(':').collect();
    <[&str; N]>::try_from(fields).ok()
}

/// A name as `useradd(8)` lets it be: no number, or lines of times would be accounts. NIS entries begin with a sign.
fn is_name(text: &str) -> bool {
    let name = text.trim_start_matches(['+', '-']).trim_end_matches('$');
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    name.len() <= 64 && name.bytes().all(plain) && (!name.is_empty() || text.starts_with(['+', '-']))
}

fn passwd_line(line: &str) -> Option<[&str; 7]> {
    let account: [&str; 7] = fields(line)?;
    let [name, _, uid, gid, _, home, _] = account;
    let is_number = |text: &str| text.parse::<u32>().is_ok() || name.starts_with(['+', '-']) && text.is_empty();
    (is_name(name) && is_number(uid) && is_number(gid) && (home.is_empty() || home.starts_with('/'))).then_some(account)
}

fn group_line(line: &str) -> Option<[&str; 4]> {
    let group: [&str; 4] = fields(line)?;
    let [name, _, gid, members] = group;
    let fits = is_name(name) && gid.parse::<u32>().is_ok() && members.split(',').all(|m| m.is_empty() || is_name(m));
    fits.then_some(group)
}

fn shadow_line(line: &str) -> Option<[&str; 9]> {
    let account: [&str; 9] = fields(line)?;
    let [name, _, days @ ..] = account;
    (is_name(name) && days.iter().all(|day| day.is_empty() || day.parse::<i64>().is_ok())).then_some(account)
}

/// Whether every line is one, of two or more, or of any number under the file's own name.
fn looks<const N: usize>(file: &File<'_>, names: &[&str], line: fn(&str) -> Option<[&str; N]>) -> Likeness {
    let named = names.contains(&file.name().trim_end_matches('-'));
    if named && file.is_under("etc") {
        // A line that is none must not take the whole file out of sight.
        return Likeness::Named;
    }
    let mut lines = 0;
    for text in file.first_lines(&['#']) {
        if line(text).is_none() {
            return Likeness::None;
        }
        lines += 1;
    }
    if lines > usize::from(!named) { Likeness::Maybe } else { Likeness::None }
}

fn looks_passwd(file: &File<'_>) -> Likeness {
    looks(file, &["passwd"], passwd_line)
}

fn looks_group(file: &File<'_>) -> Likeness {
    looks(file, &["group"], group_line)
}

fn looks_shadow(file: &File<'_>) -> Likeness {
    looks(file, &["shadow"], shadow_line)
}

fn read_passwd(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut superusers, mut logins, mut accounts) = (Vec::new(), Vec::new(), Facts::new());
    for (line, text) in file.lines(&['#']) {
        let [name, password, uid, gid, _, home, shell] = passwd_line(text)?;
        if uid.parse() == Ok(0_u32) {
            superusers.push(name);
            if superusers.len() > 1 {
                reading.observe("account-second-superuser", line, format!("{name} has user id 0, as root has"));
            }
        }
        let program = shell.rsplit('/').next().unwrap_or_default();
        if !CLOSED.contains(&program) {
            logins.push(name);
        }
        judge(&mut reading, line, name, password);
        let shell = if shell.is_empty() { "/bin/sh" } else { shell };
        let account = format!("uid {uid}, gid {gid}, {} {}", home.escape_debug(), shell.escape_debug());
        accounts.set(name, account);
    }
    if accounts.iter().count() > MOST_ACCOUNTS {
        return None;
    }
    reading.facts.set("accounts", accounts);
    reading.facts.set("superusers", superusers);
    reading.facts.set("login_users", logins);
    Some(reading)
}

fn read_group(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut ids, mut members) = (Facts::new(), Facts::new());
    for (_, text) in file.lines(&['#']) {
        let [name, _, gid, list] = group_line(text)?;
        ids.set(name, gid.parse::<u32>().ok()?);
        let list: Vec<&str> = list.split(',').filter(|member| !member.is_empty()).collect();
        if !list.is_empty() {
            members.set(name, list);
        }
    }
    if ids.iter().count() > MOST_ACCOUNTS {
        return None;
    }
    reading.facts.set("groups", ids);
    reading.facts.set("members", members);
    Some(reading)
}

fn read_shadow(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let (mut passwords, mut longest) = (Facts::new(), Facts::new());
    for (line, text) in file.lines(&['#']) {
        let [name, password, _, _, most, ..] = shadow_line(text)?;
        passwords.set(name, judge(&mut reading, line, name, password));
        longest.set_some(name, most.parse::<i64>().ok());
    }
    if passwords.iter().count() > MOST_ACCOUNTS {
        return None;
    }
    reading.facts.set("passwords", passwords);
    reading.facts.set("max_days", longest);
    Some(reading)
}

/// Returns how a password is kept, and notes what is wrong with that.
fn judge(reading: &mut Reading, line: u32, name: &str, password: &str) -> &'static str {
    if password.is_empty() && !name.starts_with(['+', '-']) {
        reading.observe("account-without-password", line, format!("{name} logs in without a password"));
        return "none";
    }
    if matches!(password, "x" | "") {
        return "shadow";
    }
    // What is locked can be opened again with the password that it has.
    let (locked, hash) =
        password.strip_prefix('!').map_or((false, password), |rest| (true, rest.trim_start_matches('!')));
    if hash.is_empty() || hash.starts_with('*') {
        return "locked";
    }
    let (kept, strong) = scheme(hash).unwrap_or(("unknown", true));
    if !strong {
        reading.observe("account-weak-hash", line, format!("the password of {name} is kept as {kept}"));
    }
    if locked { "locked" } else { kept }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nwww:x:33:33::/var/www:/usr/sbin/nologin\n";

    #[test]
    fn accounts_say_who_may_log_in_and_as_whom() {
        let facts = facts("etc/passwd", PASSWD);
        assert_eq!(facts.find("login_users").unwrap().to_string(), "[root]");
        assert_eq!(
            rules("etc/passwd", &format!("{PASSWD}toor::0:0::/:\n")),
            [("account-second-superuser", Some(3)), ("account-without-password", Some(3))]
        );
    }

    #[test]
    fn a_hash_is_no_fact_and_a_weak_one_is_told() {
        let text =
            "root:$6$salt$hash:19000:0:99999:7:::\nold:$1$salt$hash:1::::::\nbin:*:1:0:99999:7:::\nx:!:1:0:9:7:::\n";
        assert_eq!(rules("etc/shadow", text), [("account-weak-hash", Some(2))]);
        let facts = facts("etc/shadow", text);
        assert_eq!(
            facts.find("passwords").unwrap().to_string(),
            "[bin=locked, old=md5-crypt, root=sha512-crypt, x=locked]"
        );
        assert!(!format!("{facts:?}").contains("salt"));
    }

    #[test]
    fn a_broken_line_or_too_many_hide_nothing() {
        assert_eq!(rules("etc/passwd", &format!("{PASSWD}broken\n")), [("unreadable", None)]);
        let many = (0..5001).fold(String::new(), |text, n| text + &format!("u{n}:x:{n}:1::/:/bin/sh\n"));
        assert_eq!(rules("etc/passwd", &many), [("unreadable", None)]);
    }

    #[test]
    fn members_of_groups_are_listed() {
        let facts = facts("etc/group", "sudo:x:27:anna,ben\nusers:x:100:\n");
        assert_eq!(facts.find("members").unwrap().to_string(), "[sudo=[anna, ben]]");
    }

    #[test]
    fn other_lines_with_colons_are_none() {
        for (path, text) in [
            ("passwd", "usage: passwd [options]\n"),
            ("a.txt", "root:x:0:0:root:/root:/bin/bash\n"),
            ("docs/passwd.md", PASSWD),
            ("group", "a:b:c:d\n"),
            ("macs", "00:11:22:33\n01:12:23:34\n"),
            ("times", "12:30:45:00\n13:30:45:00\nx\n"),
            ("shadow", "a:b\n"),
        ] {
            assert_eq!(kind_of(path, text), None, "{path}");
        }
    }
}
