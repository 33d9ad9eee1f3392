//! `sshd_config(5)` and `ssh_config(5)`: keywords, where the first value wins, in blocks of `Match` and `Host`.
//!
//! Never here: what an included file says; `Include` is a fact. Keys are read in `ssh_keys`.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{File, words};
use super::ssh_algorithms::{is_weak_cipher, is_weak_exchange, is_weak_mac, judge_algorithms};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "sshd-config", class: ItemClass::Hardening, looks: looks_server, read: read_server },
    Kind { name: "ssh-config", class: ItemClass::Hardening, looks: looks_client, read: read_client },
];

/// Keywords that both know.
const COMMON: &[&str] = &[
    "AddressFamily",
    "CASignatureAlgorithms",
    "ChannelTimeout",
    "Ciphers",
    "Compression",
    "GSSAPIAuthentication",
    "GSSAPIKexAlgorithms",
    "GSSAPIKeyExchange",
    "HostbasedAcceptedAlgorithms",
    "HostbasedAuthentication",
    "HostKeyAlgorithms",
    "Include",
    "IPQoS",
    "KbdInteractiveAuthentication",
    "ChallengeResponseAuthentication",
    "KexAlgorithms",
    "LogLevel",
    "LogVerbose",
    "MACs",
    "Match",
    "PasswordAuthentication",
    "PermitRemoteOpen",
    "Port",
    "Protocol",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAcceptedKeyTypes",
    "PubkeyAuthentication",
    "RekeyLimit",
    "RequiredRSASize",
    "SecurityKeyProvider",
    "SetEnv",
    "StreamLocalBindMask",
    "StreamLocalBindUnlink",
    "SyslogFacility",
    "TCPKeepAlive",
];

/// Keywords of the server alone.
const SERVER: &[&str] = &[
    "AcceptEnv",
    "AllowAgentForwarding",
    "AllowGroups",
    "AllowStreamLocalForwarding",
    "AllowTcpForwarding",
    "AllowUsers",
    "AuthenticationMethods",
    "AuthorizedKeysCommand",
    "AuthorizedKeysCommandUser",
    "AuthorizedKeysFile",
    "AuthorizedPrincipalsCommand",
    "AuthorizedPrincipalsCommandUser",
    "AuthorizedPrincipalsFile",
    "Banner",
    "ChrootDirectory",
    "ClientAliveCountMax",
    "ClientAliveInterval",
    "DebianBanner",
    "DenyGroups",
    "DenyUsers",
    "DisableForwarding",
    "ExposeAuthInfo",
    "FingerprintHash",
    "ForceCommand",
    "GatewayPorts",
    "GSSAPICleanupCredentials",
    "GSSAPIStrictAcceptorCheck",
    "HostCertificate",
    "HostKey",
    "HostKeyAgent",
    "HostbasedUsesNameFromPacketOnly",
    "IgnoreRhosts",
    "IgnoreUserKnownHosts",
    "KerberosAuthentication",
    "KerberosOrLocalPasswd",
    "KerberosTicketCleanup",
    "KeyRegenerationInterval",
    "ListenAddress",
    "LoginGraceTime",
    "MaxAuthTries",
    "MaxSessions",
    "MaxStartups",
    "ModuliFile",
    "PermitEmptyPasswords",
    "PermitListen",
    "PermitOpen",
    "PermitRootLogin",
    "PermitTTY",
    "PermitTunnel",
    "PermitUserEnvironment",
    "PermitUserRC",
    "PerSourceMaxStartups",
    "PerSourceNetBlockSize",
    "PerSourcePenalties",
    "PerSourcePenaltyExemptList",
    "PidFile",
    "PrintLastLog",
    "PrintMotd",
    "PubkeyAuthOptions",
    "RDomain",
    "RefuseConnection",
    "RevokedKeys",
    "SshdSessionPath",
    "StrictModes",
    "Subsystem",
    "TrustedUserCAKeys",
    "UnusedConnectionTimeout",
    "UseDNS",
    "UseLogin",
    "UsePAM",
    "UsePrivilegeSeparation",
    "VersionAddendum",
    "X11DisplayOffset",
    "X11Forwarding",
    "X11UseLocalhost",
    "XAuthLocation",
];

/// Keywords of the client alone.
const CLIENT: &[&str] = &[
    "AddKeysToAgent",
    "BatchMode",
    "BindAddress",
    "BindInterface",
    "CanonicalDomains",
    "CanonicalizeFallbackLocal",
    "CanonicalizeHostname",
    "CanonicalizeMaxDots",
    "CanonicalizePermittedCNAMEs",
    "CertificateFile",
    "CheckHostIP",
    "ClearAllForwardings",
    "ConnectionAttempts",
    "ConnectTimeout",
    "ControlMaster",
    "ControlPath",
    "ControlPersist",
    "DynamicForward",
    "EnableEscapeCommandline",
    "EnableSSHKeysign",
    "EscapeChar",
    "ExitOnForwardFailure",
    "ForkAfterAuthentication",
    "ForwardAgent",
    "ForwardX11",
    "ForwardX11Timeout",
    "ForwardX11Trusted",
    "GlobalKnownHostsFile",
    "GSSAPIDelegateCredentials",
    "HashKnownHosts",
    "Host",
    "HostKeyAlias",
    "Hostname",
    "IdentitiesOnly",
    "IdentityAgent",
    "IdentityFile",
    "IgnoreUnknown",
    "KnownHostsCommand",
    "LocalCommand",
    "LocalForward",
    "NoHostAuthenticationForLocalhost",
    "NumberOfPasswordPrompts",
    "ObscureKeystrokeTiming",
    "PermitLocalCommand",
    "PKCS11Provider",
    "PreferredAuthentications",
    "ProxyCommand",
    "ProxyJump",
    "ProxyUseFdpass",
    "RemoteCommand",
    "RemoteForward",
    "RequestTTY",
    "RevokedHostKeys",
    "SendEnv",
    "ServerAliveCountMax",
    "ServerAliveInterval",
    "SessionType",
    "StdinNull",
    "StrictHostKeyChecking",
    "Tag",
    "Tunnel",
    "TunnelDevice",
    "UpdateHostKeys",
    "UseKeychain",
    "User",
    "UserKnownHostsFile",
    "VerifyHostKeyDNS",
    "VisualHostKey",
];

/// Keywords that add up instead of letting the first value win.
const ADDING: &[&str] = &[
    "AcceptEnv",
    "AllowGroups",
    "AllowUsers",
    "CertificateFile",
    "DenyGroups",
    "DenyUsers",
    "HostCertificate",
    "HostKey",
    "IdentityFile",
    "Include",
    "ListenAddress",
    "Port",
    "SendEnv",
    "SetEnv",
    "Subsystem",
];

/// Keywords whose value is a list with commas.
const LISTS: &[&str] = &[
    "CASignatureAlgorithms",
    "Ciphers",
    "HostbasedAcceptedAlgorithms",
    "HostKeyAlgorithms",
    "KexAlgorithms",
    "MACs",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAcceptedKeyTypes",
];

fn canonical<'k>(word: &str, tables: &[&'k [&'k str]]) -> Option<&'k str> {
    tables.iter().flat_map(|table| table.iter()).find(|known| known.eq_ignore_ascii_case(word)).copied()
}

/// The keyword of a line; `=` may stand for white space.
fn keyword(line: &str) -> &str {
    line.split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default()
}

fn looks_server(file: &File<'_>) -> Likeness {
    let named =
        file.name() == "sshd_config" || file.name().starts_with("sshd_config.") || file.is_under("sshd_config.d");
    Likeness::named_or(named, || speaks(file, SERVER))
}

fn looks_client(file: &File<'_>) -> Likeness {
    let own = file.name() == "config" && (file.is_under(".ssh") || file.is_under("dot_ssh"));
    let named = own || file.name() == "ssh_config" || file.is_under("ssh_config.d");
    Likeness::named_or(named, || speaks(file, CLIENT))
}

/// Says whether every line begins with a keyword and has a value, and one of them is of the given side.
/// The first line that does not ends the look.
fn speaks(file: &File<'_>, side: &[&str]) -> bool {
    let mut own = 0;
    for line in file.first_lines(&['#']) {
        let word = keyword(line);
        if line.len() == word.len() || line.contains(['{', '}', ';']) {
            return false;
        }
        match canonical(word, &[side]) {
            // Words of daily speech prove nothing.
            Some("Host" | "User" | "Tag" | "Tunnel" | "Banner" | "Hostname" | "Subsystem") => {}
            Some(_) => own += 1,
            None if canonical(word, &[COMMON]).is_some() => {}
            None => return false,
        }
    }
    own > 0
}

fn read_server(file: &File<'_>) -> Option<Reading> {
    read(file, &[COMMON, SERVER], "Match")
}

fn read_client(file: &File<'_>) -> Option<Reading> {
    read(file, &[COMMON, CLIENT], "Host")
}

/// Settings of one block: the first value of each, or all of those that add up.
#[derive(Default)]
struct Block {
    title: String,
    facts: Facts,
    adding: BTreeMap<String, Vec<Fact>>,
}

fn read(file: &File<'_>, tables: &[&[&str]], opener: &str) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut blocks = vec![Block::default()];
    let mut hosts: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let (mut known, mut unknown) = (0_u32, 0_u32);
    for (line, text) in file.lines(&['#']) {
        let word = keyword(text);
        let Some(name) = canonical(word, tables) else {
            unknown += 1;
            continue;
        };
        known += 1;
        let rest = text.get(word.len()..).unwrap_or_default().trim_start().trim_start_matches('=');
        let mut values = values(rest);
        if name == "SetEnv" {
            // A variable may hold a secret; its name says enough.
            for value in &mut values {
                value.truncate(value.find('=').unwrap_or(value.len()));
            }
        }
        if name == "Match" || name == "Host" {
            if name == "Host" {
                hosts.extend(values.iter().filter(|host| seen.insert((*host).clone())).cloned());
            }
            blocks.push(Block { title: format!("{name} {}", values.join(" ")), ..Block::default() });
            continue;
        }
        if let Some(block) = blocks.last_mut()
            && block.set(name, &values)
        {
            judge(name, &values, line, &mut reading);
        }
    }
    if known == 0 && unknown > 0 || unknown > known {
        return None;
    }
    let mut blocks = blocks.into_iter();
    reading.facts = blocks.next().map(Block::into_facts).unwrap_or_default();
    for block in blocks {
        reading.facts.set(block.title.clone(), block.into_facts());
    }
    if opener == "Host" {
        reading.facts.set("hosts", hosts);
    }
    Some(reading)
}

/// The values of a line, up to a comment.
fn values(rest: &str) -> Vec<String> {
    let mut values = words(rest);
    if let Some(comment) = values.iter().position(|value| value.starts_with('#')) {
        values.truncate(comment);
    }
    values
}

impl Block {
    /// Sets an option unless it is set already; says whether the value counts.
    fn set(&mut self, name: &str, values: &[String]) -> bool {
        if ADDING.contains(&name) {
            let all = self.adding.entry(name.to_owned()).or_default();
            all.extend(values.iter().map(|value| fact(name, value)));
            return true;
        }
        if self.facts.find(name).is_some() {
            return false;
        }
        let value = values.join(if LISTS.contains(&name) { "," } else { " " });
        let fact = if LISTS.contains(&name) {
            value.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>().into()
        } else {
            fact(name, &value)
        };
        self.facts.set(name, fact);
        true
    }

    fn into_facts(mut self) -> Facts {
        for (name, mut values) in self.adding {
            let alone = values.len() == 1 && name == "Port";
            match values.pop_if(|_| alone) {
                Some(only) => self.facts.set(name, only),
                None => self.facts.set(name, Fact::List(values)),
            }
        }
        self.facts
    }
}

/// Numbers as numbers; the old names of values as the new ones.
fn fact(name: &str, value: &str) -> Fact {
    match (name, value.parse::<i64>()) {
        (_, Ok(number)) if !value.starts_with(['0', '+']) || value == "0" => number.into(),
        ("PermitRootLogin", _) if value.eq_ignore_ascii_case("without-password") => "prohibit-password".into(),
        _ if ["yes", "no"].iter().any(|word| word.eq_ignore_ascii_case(value)) => value.to_ascii_lowercase().into(),
        _ => value.into(),
    }
}

fn judge(name: &str, values: &[String], line: u32, reading: &mut Reading) {
    let value = values.join(" ").to_ascii_lowercase();
    match (name, value.as_str()) {
        ("PermitRootLogin", "yes") => {
            reading.observe("root-login-permitted", line, "root may log in with a password");
        }
        ("PasswordAuthentication", "yes") => {
            reading.observe("password-authentication-enabled", line, "passwords are accepted");
        }
        ("PermitEmptyPasswords", "yes") => {
            reading.observe("empty-passwords-permitted", line, "empty passwords are accepted");
        }
        ("X11Forwarding", "yes") => reading.observe("x11-forwarding-enabled", line, "X11 forwarding is on"),
        ("PermitUserEnvironment", value) if value != "no" => {
            reading.observe("user-environment-permitted", line, "users may set variables of their environment");
        }
        ("MaxAuthTries", value) if value.parse::<i64>().is_ok_and(|tries| tries > 4) => {
            reading.observe("max-auth-tries-high", line, format!("{value} tries are allowed, more than 4"));
        }
        ("StrictHostKeyChecking", "no" | "off") => {
            reading.observe("host-key-checking-off", line, "unknown and changed host keys are accepted");
        }
        ("Ciphers", value) => judge_algorithms("ssh-weak-cipher", value, is_weak_cipher, line, reading),
        ("MACs", value) => judge_algorithms("ssh-weak-mac", value, is_weak_mac, line, reading),
        ("KexAlgorithms", value) => judge_algorithms("ssh-weak-kex", value, is_weak_exchange, line, reading),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};
    use super::*;

    #[test]
    fn the_first_value_wins_and_each_match_block_has_its_own() {
        let text =
            "Port 22\nPermitRootLogin no\nPermitRootLogin yes\nMatch User \"a b\"\n  permitrootlogin=yes # why\n";
        assert_eq!(rules("etc/ssh/sshd_config", text), [("root-login-permitted", Some(5))]);
        let facts = facts("etc/ssh/sshd_config", text);
        assert_eq!(facts.text("PermitRootLogin"), Some("no"));
        assert_eq!(facts.number("Port"), Some(22));
        let Some(Fact::Map(block)) = facts.find("Match User a b") else { panic!("{facts:?}") };
        assert_eq!(block.text("PermitRootLogin"), Some("yes"));
    }

    #[test]
    fn hardened_settings_are_silent() {
        let text = "PermitRootLogin without-password\nPasswordAuthentication no\nPermitEmptyPasswords no\nX11Forwarding no\n\
                    PermitUserEnvironment no\nMaxAuthTries 4\nCiphers -aes128-cbc,3des-cbc\nMACs hmac-sha2-256\n\
                    KexAlgorithms sntrup761x25519-sha512@openssh.com,diffie-hellman-group14-sha256\n";
        assert_eq!(rules("a", text), []);
        assert_eq!(facts("a", text).text("PermitRootLogin"), Some("prohibit-password"));
    }

    #[test]
    fn weak_algorithms_are_named() {
        let text =
            "Ciphers +3des-cbc\nMACs hmac-sha1-etm@openssh.com\nKexAlgorithms diffie-hellman-group1-sha1\nUsePAM yes\n";
        let expected = [("ssh-weak-cipher", Some(1)), ("ssh-weak-mac", Some(2)), ("ssh-weak-kex", Some(3))];
        assert_eq!(rules("a.conf", text), expected);
    }

    #[test]
    fn a_client_s_file_lists_its_hosts() {
        let text = "Host *\r\n StrictHostKeyChecking accept-new\r\nHost a b\r\n StrictHostKeyChecking off\r\n";
        assert_eq!(kind_of("x/config", text), Some("ssh-config".to_owned()));
        assert_eq!(rules("x/config", text), [("host-key-checking-off", Some(4))]);
        assert_eq!(facts("x/config", text).find("hosts"), Some(&vec!["*", "a", "b"].into()));
    }

    #[test]
    fn prose_and_other_files_are_not_taken() {
        for text in ["Port of Hamburg is large.\nIt has ships.\n", "User alice\nHost b\n", "Port 22\n", "Match me\n"] {
            assert_eq!(kind_of("notes", text), None, "{text}");
        }
    }
}
