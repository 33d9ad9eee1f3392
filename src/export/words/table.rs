//! The settings whose direction is known: kind, name, and which of two values protects more.
//!
//! One row a setting and nothing else; how rows are read is in `settings`. Sources: `sshd_config(5)`, CIS benchmarks,
//! NIST SP 800-52, the kernel's sysctl documentation, systemd.exec(5).

/// How a setting's values compare.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Words from the weakest to the strongest; those with a bar between them are equals.
    Scale(&'static [&'static str]),
    /// A switch that weakens when on.
    OnWeakens,
    /// A switch that protects when on.
    OnHardens,
    /// A number or duration that weakens as it grows.
    MoreWeakens,
    /// A number or duration that protects as it grows.
    MoreHardens,
    /// A list in which each entry grants: one that comes weakens.
    Grants,
    /// A list in which each entry restrains: one that goes weakens.
    Limits,
    /// A list that protects by having entries; one in another's place is neither better nor worse.
    Held,
    /// A list in which entries of these shapes weaken and no other counts.
    Loose(&'static [&'static str]),
    /// What a workflow's token may do: a word, or a level for each scope.
    Permissions,
    /// A list of algorithms.
    Algorithms,
    /// A list of protocol versions that are let in.
    Protocols,
    /// The least protocol version that is let in.
    LeastProtocol,
    /// A file mode's mask in octal.
    Mask,
}

/// A row: the kinds (none: every kind), the last part of the fact's name, the order, and what holds when unset.
pub(super) struct Row(
    pub(super) &'static [&'static str],
    pub(super) &'static str,
    pub(super) Order,
    pub(super) Option<&'static str>,
);

use Order::{
    Algorithms, Grants, Held, LeastProtocol, Limits, Loose, Mask, MoreHardens, MoreWeakens, OnHardens, OnWeakens,
    Permissions, Protocols, Scale,
};

const SSHD: &[&str] = &["sshd-config"];
const SSH: &[&str] = &["ssh-config"];
const BOTH_SSH: &[&str] = &["sshd-config", "ssh-config"];
const KERNEL: &[&str] = &["sysctl"];
const LOGIN: &[&str] = &["login-defs"];
const QUALITY: &[&str] = &["pwquality"];
const DOCKER: &[&str] = &["docker-daemon"];
const WEB: &[&str] = &["nginx-config", "apache-config", "haproxy-config", "openssl-config"];
const FORGE: &[&str] = &["github-workflow"];
const RULESET: &[&str] = &["github-ruleset", "branch-protection"];

/// A name that ends in `.*` stands for every fact in that map.
pub(super) const ROWS: &[Row] = &[
    Row(
        SSHD,
        "PermitRootLogin",
        Scale(&["yes", "without-password|prohibit-password", "forced-commands-only", "no"]),
        Some("prohibit-password"),
    ),
    Row(SSHD, "PasswordAuthentication", OnWeakens, Some("yes")),
    Row(SSHD, "PermitEmptyPasswords", OnWeakens, Some("no")),
    Row(SSHD, "KbdInteractiveAuthentication", OnWeakens, Some("yes")),
    Row(SSHD, "ChallengeResponseAuthentication", OnWeakens, Some("yes")),
    Row(SSHD, "PubkeyAuthentication", OnHardens, Some("yes")),
    Row(SSHD, "HostbasedAuthentication", OnWeakens, Some("no")),
    Row(SSHD, "IgnoreRhosts", Scale(&["no", "shosts-only", "yes"]), Some("yes")),
    Row(SSHD, "PermitUserEnvironment", OnWeakens, Some("no")),
    Row(SSHD, "PermitUserRC", OnWeakens, Some("yes")),
    Row(SSHD, "X11Forwarding", OnWeakens, Some("no")),
    Row(SSHD, "X11UseLocalhost", OnHardens, Some("yes")),
    Row(SSHD, "AllowTcpForwarding", Scale(&["yes|all", "remote|local", "no"]), Some("yes")),
    Row(SSHD, "AllowStreamLocalForwarding", Scale(&["yes|all", "remote|local", "no"]), Some("yes")),
    Row(SSHD, "AllowAgentForwarding", OnWeakens, Some("yes")),
    Row(SSHD, "DisableForwarding", OnHardens, Some("no")),
    Row(SSHD, "PermitTunnel", Scale(&["yes", "point-to-point|ethernet", "no"]), Some("no")),
    Row(SSHD, "GatewayPorts", Scale(&["yes", "clientspecified", "no"]), Some("no")),
    Row(SSHD, "StrictModes", OnHardens, Some("yes")),
    Row(SSHD, "UsePAM", OnHardens, None),
    Row(SSHD, "UsePrivilegeSeparation", Scale(&["no", "yes", "sandbox"]), None),
    Row(SSHD, "MaxAuthTries", MoreWeakens, Some("6")),
    Row(SSHD, "MaxSessions", MoreWeakens, Some("10")),
    Row(SSHD, "LoginGraceTime", MoreWeakens, Some("120")),
    Row(SSHD, "ClientAliveCountMax", MoreWeakens, Some("3")),
    Row(SSHD, "RequiredRSASize", MoreHardens, Some("1024")),
    Row(SSHD, "LogLevel", Scale(&["QUIET", "FATAL", "ERROR", "INFO", "VERBOSE"]), Some("INFO")),
    Row(SSHD, "AllowUsers", Grants, None),
    Row(SSHD, "AllowGroups", Grants, None),
    Row(SSHD, "DenyUsers", Limits, None),
    Row(SSHD, "DenyGroups", Limits, None),
    Row(SSHD, "AcceptEnv", Grants, None),
    Row(SSHD, "Protocol", Scale(&["1|1,2|2,1", "2"]), None),
    Row(SSH, "StrictHostKeyChecking", Scale(&["no|off", "accept-new", "ask", "yes"]), Some("ask")),
    Row(SSH, "UserKnownHostsFile", Loose(&["/dev/null"]), None),
    Row(SSH, "GlobalKnownHostsFile", Loose(&["/dev/null"]), None),
    Row(SSH, "ForwardAgent", OnWeakens, Some("no")),
    Row(SSH, "ForwardX11", OnWeakens, Some("no")),
    Row(SSH, "ForwardX11Trusted", OnWeakens, Some("no")),
    Row(SSH, "CheckHostIP", OnHardens, None),
    Row(SSH, "HashKnownHosts", OnHardens, Some("no")),
    Row(SSH, "VerifyHostKeyDNS", OnHardens, Some("no")),
    Row(SSH, "NoHostAuthenticationForLocalhost", OnWeakens, Some("no")),
    Row(BOTH_SSH, "Ciphers", Algorithms, None),
    Row(BOTH_SSH, "MACs", Algorithms, None),
    Row(BOTH_SSH, "KexAlgorithms", Algorithms, None),
    Row(BOTH_SSH, "HostKeyAlgorithms", Algorithms, None),
    Row(BOTH_SSH, "PubkeyAcceptedAlgorithms", Algorithms, None),
    Row(BOTH_SSH, "PubkeyAcceptedKeyTypes", Algorithms, None),
    Row(BOTH_SSH, "HostbasedAcceptedAlgorithms", Algorithms, None),
    Row(BOTH_SSH, "CASignatureAlgorithms", Algorithms, None),
    Row(BOTH_SSH, "GSSAPIKexAlgorithms", Algorithms, None),
    // Names of sysctl settings hold dots: the last part is enough, since no two of them disagree.
    Row(KERNEL, "randomize_va_space", Scale(&["0", "1", "2"]), None),
    Row(KERNEL, "kptr_restrict", Scale(&["0", "1", "2"]), None),
    Row(KERNEL, "dmesg_restrict", OnHardens, None),
    Row(KERNEL, "ptrace_scope", Scale(&["0", "1", "2", "3"]), None),
    Row(KERNEL, "unprivileged_bpf_disabled", Scale(&["0", "2", "1"]), None),
    Row(KERNEL, "bpf_jit_harden", Scale(&["0", "1", "2"]), None),
    Row(KERNEL, "perf_event_paranoid", Scale(&["-1", "0", "1", "2", "3", "4"]), None),
    Row(KERNEL, "kexec_load_disabled", OnHardens, None),
    Row(KERNEL, "modules_disabled", OnHardens, None),
    Row(KERNEL, "unprivileged_userns_clone", OnWeakens, None),
    Row(KERNEL, "sysrq", OnWeakens, None),
    Row(KERNEL, "suid_dumpable", OnWeakens, Some("0")),
    Row(KERNEL, "protected_hardlinks", OnHardens, None),
    Row(KERNEL, "protected_symlinks", OnHardens, None),
    Row(KERNEL, "protected_fifos", Scale(&["0", "1", "2"]), None),
    Row(KERNEL, "protected_regular", Scale(&["0", "1", "2"]), None),
    Row(KERNEL, "mmap_min_addr", MoreHardens, None),
    Row(KERNEL, "tcp_syncookies", Scale(&["0", "1|2"]), None),
    Row(KERNEL, "tcp_rfc1337", OnHardens, None),
    Row(KERNEL, "rp_filter", Scale(&["0", "2", "1"]), None),
    Row(KERNEL, "log_martians", OnHardens, None),
    Row(KERNEL, "accept_redirects", OnWeakens, None),
    Row(KERNEL, "secure_redirects", OnWeakens, None),
    Row(KERNEL, "send_redirects", OnWeakens, None),
    Row(KERNEL, "accept_source_route", OnWeakens, None),
    Row(KERNEL, "accept_ra", Scale(&["2", "1", "0"]), None),
    Row(KERNEL, "ip_forward", OnWeakens, Some("0")),
    Row(KERNEL, "forwarding", OnWeakens, Some("0")),
    Row(KERNEL, "icmp_echo_ignore_broadcasts", OnHardens, None),
    Row(KERNEL, "icmp_ignore_bogus_error_responses", OnHardens, None),
    Row(LOGIN, "PASS_MAX_DAYS", MoreWeakens, Some("99999")),
    Row(LOGIN, "PASS_MIN_DAYS", MoreHardens, Some("0")),
    Row(LOGIN, "PASS_MIN_LEN", MoreHardens, None),
    Row(LOGIN, "PASS_WARN_AGE", MoreHardens, None),
    Row(LOGIN, "LOGIN_RETRIES", MoreWeakens, None),
    Row(LOGIN, "FAIL_DELAY", MoreHardens, None),
    Row(LOGIN, "SHA_CRYPT_MIN_ROUNDS", MoreHardens, None),
    Row(LOGIN, "UMASK", Mask, Some("022")),
    Row(LOGIN, "ENCRYPT_METHOD", Scale(&["DES", "MD5", "SHA1", "SHA256", "SHA512", "BCRYPT|YESCRYPT"]), None),
    Row(QUALITY, "minlen", MoreHardens, Some("8")),
    Row(QUALITY, "minclass", MoreHardens, Some("0")),
    Row(QUALITY, "difok", MoreHardens, Some("1")),
    Row(QUALITY, "maxrepeat", MoreWeakens, None),
    Row(QUALITY, "maxsequence", MoreWeakens, None),
    Row(QUALITY, "retry", MoreWeakens, Some("1")),
    Row(QUALITY, "dcredit", MoreWeakens, Some("0")),
    Row(QUALITY, "ucredit", MoreWeakens, Some("0")),
    Row(QUALITY, "lcredit", MoreWeakens, Some("0")),
    Row(QUALITY, "ocredit", MoreWeakens, Some("0")),
    Row(QUALITY, "dictcheck", OnHardens, Some("1")),
    Row(QUALITY, "usercheck", OnHardens, Some("1")),
    Row(QUALITY, "enforcing", OnHardens, Some("1")),
    Row(QUALITY, "enforce_for_root", OnHardens, Some("0")),
    Row(WEB, "tls_protocols", Protocols, None),
    Row(WEB, "ssl_min_ver", LeastProtocol, None),
    Row(WEB, "MinProtocol", LeastProtocol, None),
    Row(WEB, "SECLEVEL", MoreHardens, None),
    Row(WEB, "tls_ciphers", Algorithms, None),
    Row(WEB, "CipherString", Algorithms, None),
    Row(WEB, "Ciphersuites", Algorithms, None),
    Row(WEB, "default_bits", MoreHardens, None),
    Row(WEB, "default_md", Algorithms, None),
    Row(WEB, "verify_client", Scale(&["off|none", "optional_no_ca", "optional", "on|require"]), Some("off")),
    Row(&["krb5-config"], "allow_weak_crypto", OnWeakens, Some("false")),
    Row(&["krb5-config"], "default_tgs_enctypes", Algorithms, None),
    Row(&["krb5-config"], "default_tkt_enctypes", Algorithms, None),
    Row(&["krb5-config"], "permitted_enctypes", Algorithms, None),
    Row(&["krb5-config"], "supported_enctypes", Algorithms, None),
    Row(DOCKER, "hosts", Loose(&["tcp://0.0.0.0*", "tcp://[::]*", "tcp://:*"]), None),
    Row(DOCKER, "insecure-registries", Grants, None),
    Row(DOCKER, "icc", OnWeakens, Some("true")),
    Row(DOCKER, "no-new-privileges", OnHardens, Some("false")),
    Row(DOCKER, "userland-proxy", OnWeakens, Some("true")),
    Row(DOCKER, "experimental", OnWeakens, Some("false")),
    Row(DOCKER, "tls", OnHardens, Some("false")),
    Row(DOCKER, "tlsverify", OnHardens, Some("false")),
    Row(DOCKER, "selinux-enabled", OnHardens, Some("false")),
    Row(DOCKER, "userns-remap", Held, None),
    Row(&["selinux-config"], "SELINUX", Scale(&["disabled", "permissive", "enforcing"]), None),
    Row(&["apparmor-profile"], "flags", Loose(&["complain", "unconfined", "default_allow"]), None),
    Row(&["apparmor-profile"], "profiles", Limits, None),
    Row(&["systemd-unit", "dockerfile"], "User", Scale(&["root|0"]), Some("root")),
    Row(&["dockerfile"], "user", Scale(&["root|0"]), Some("root")),
    Row(&["auditd-rules"], "rules", Limits, None),
    Row(&["auditd-rules"], "watches", Limits, None),
    Row(&["auditd-rules"], "enabled", Scale(&["0", "1", "2"]), None),
    Row(&["logging-config"], "remote", Held, None),
    Row(&["k8s-pod-security"], "enforce", Scale(&["privileged", "baseline", "restricted"]), Some("privileged")),
    Row(&["k8s-network-policy"], "objects", Limits, None),
    Row(&["htpasswd"], "users", Grants, None),
    Row(&["htpasswd"], "schemes.*", Scale(&["plain", "crypt", "sha1|sha", "apr1|md5", "bcrypt|sha256|sha512"]), None),
    Row(RULESET, "enforcement", Scale(&["disabled", "evaluate", "active"]), None),
    Row(RULESET, "rules", Limits, None),
    Row(RULESET, "bypass_actors", Grants, None),
    Row(FORGE, "permissions", Permissions, None),
    Row(FORGE, "triggers", Loose(&["pull_request_target", "workflow_run"]), None),
    Row(FORGE, "permissions.*", Scale(&["write", "read", "none"]), Some("none")),
    Row(FORGE, "job_permissions.*", Scale(&["write-all|write", "read-all|read", "none"]), None),
    Row(&["codeowners"], "owners.*", Held, None),
    Row(&["openpgp-public-key", "openpgp-private-key"], "revoked", OnHardens, Some("false")),
    Row(&["private-key-pem", "private-key-der"], "kdf_iterations", MoreHardens, None),
    Row(&["private-key-pem", "private-key-der"], "encryption", Scale(&["OpenSSL PEM", "PBES1", "PBES2"]), None),
    Row(&["dns-tsig-key"], "algorithm", Algorithms, None),
    Row(&["pkcs12-keystore"], "mac", Algorithms, None),
    Row(&["pkcs12-keystore"], "mac_iterations", MoreHardens, None),
    Row(&[], "encrypted", OnHardens, None),
    Row(&[], "bits", MoreHardens, None),
];
