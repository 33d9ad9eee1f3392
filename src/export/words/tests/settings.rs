//! Settings, lists and versions: which way each of them moves the protection.

use super::told;

#[test]
fn settings_know_their_direction() {
    for (path, before, after, expected) in [
        (
            "sshd_config",
            "PermitRootLogin prohibit-password\n",
            "PermitRootLogin yes\n",
            "PermitRootLogin: prohibit-password → yes (weakened)",
        ),
        ("sshd_config", "PermitRootLogin yes\nPort 22\n", "Port 22\n", "PermitRootLogin: yes → (none) (hardened)"),
        ("sshd_config", "Port 22\n", "Port 22\nPasswordAuthentication yes\n", "PasswordAuthentication: (none) → yes"),
        ("sshd_config", "MaxAuthTries 3\n", "MaxAuthTries 10\n", "MaxAuthTries: 3 → 10 (weakened)"),
        ("sshd_config", "LoginGraceTime 30\n", "LoginGraceTime 2m\n", "LoginGraceTime: 30 → 2m (weakened)"),
        (
            "sshd_config",
            "MACs hmac-md5,hmac-sha2-512\n",
            "MACs hmac-sha2-512\n",
            "MACs: -hmac-md5: weak algorithm removed (hardened)",
        ),
        ("sshd_config", "Banner /a\nPort 22\n", "Banner /b\nPort 22\n", "Banner: /a → /b"),
        (
            "etc/sysctl.d/a.conf",
            "kernel.kptr_restrict = 2\n",
            "kernel.kptr_restrict = 0\n",
            "kernel.kptr_restrict: 2 → 0 (weakened)",
        ),
        (
            "etc/sysctl.d/a.conf",
            "net.ipv4.conf.all.accept_redirects=1\n",
            "net.ipv4.conf.all.accept_redirects=0\n",
            "net.ipv4.conf.all.accept_redirects: 1 → 0 (hardened)",
        ),
        ("etc/login.defs", "UMASK 027\n", "UMASK 022\n", "UMASK: 027 → 022 (weakened)"),
        ("etc/login.defs", "PASS_MAX_DAYS 90\n", "PASS_MAX_DAYS 365\n", "PASS_MAX_DAYS: 90 → 365 (weakened)"),
        (
            "etc/selinux/config",
            "SELINUX=enforcing\n",
            "SELINUX=permissive\n",
            "SELINUX: enforcing → permissive (weakened)",
        ),
        (
            "a.service",
            "[Service]\nExecStart=/a\nNoNewPrivileges=yes\nPrivateTmp=yes\n",
            "[Service]\nExecStart=/a\nPrivateTmp=yes\n",
            "sandbox: -NoNewPrivileges=yes (weakened)",
        ),
        (
            "etc/pam.d/a",
            "auth required pam_unix.so\n",
            "auth required pam_unix.so nullok\n",
            "an empty password is let in (weakened)",
        ),
        (
            "nftables.conf",
            "table inet f {\nchain input {\ntype filter hook input priority 0; policy drop;\n}\n}\n",
            "table inet f {\nchain input {\ntype filter hook input priority 0; policy accept;\n}\n}\n",
            "chains.inet f input: drop → accept: what no rule takes is let in (weakened)",
        ),
        (
            ".github/workflows/a.yml",
            "on: push\npermissions: {contents: read}\njobs:\n  a: {runs-on: x}\n",
            "on: push\njobs:\n  a: {runs-on: x}\n",
            "permissions: [contents=read] → (none) (weakened)",
        ),
        (
            "rsyslog.d/a.conf",
            "action(type=\"omfwd\" target=\"h\" port=\"1\" StreamDriver=\"gtls\")\n",
            "action(type=\"omfwd\" target=\"h\" port=\"1\")\n",
            "cleartext: (none) → [h:1] (weakened)",
        ),
        (
            "pg_hba.conf",
            "local all all peer\n",
            "local all all peer\nhost all all 0.0.0.0/0 trust\n",
            "lines: +host all all 0.0.0.0/0 trust: let in without a password (weakened)",
        ),
    ] {
        let lines = told(path, before, after);
        assert!(lines.iter().any(|line| line.ends_with(expected)), "{expected}\n{lines:?}");
    }
}

#[test]
fn what_is_fetched_says_how_firmly_it_is_pinned() {
    let digest = format!("debian@sha256:{}", "a".repeat(64));
    let told = |before: &str, after: &str| told("Dockerfile", &format!("FROM {before}\n"), &format!("FROM {after}\n"));
    assert_eq!(told("debian:12.1", "debian:12.2"), ["base_images: debian:12.1 → debian:12.2: version drift"]);
    assert_eq!(
        told("debian:12.1", "debian:latest"),
        ["base_images: debian:12.1 → debian:latest: pinned less firmly (weakened)"]
    );
    assert!(told("debian:12.1", &digest).concat().ends_with("pinned more firmly (hardened)"));
    assert!(told("reg.test:5000/a:1", "reg.test:5000/a:2").concat().ends_with("version drift"));
}

#[test]
fn lists_say_whether_something_new_is_let_in_or_something_held_is_gone() {
    let unit = |options: &str| format!("[Service]\nExecStart=/a\n{options}");
    for (path, before, after, expected) in [
        (
            "a.service",
            unit("ProtectSystem=full\n"),
            unit("ProtectSystem=strict\n"),
            "sandbox: ProtectSystem=full → ProtectSystem=strict (hardened)",
        ),
        ("a.service", unit("PrivateTmp=yes\n"), unit("NoNewPrivileges=yes\n"), "sandbox: -PrivateTmp=yes (weakened)"),
        (
            "etc/docker/daemon.json",
            r#"{"hosts": ["tcp://127.0.0.1:2375"]}"#.into(),
            r#"{"hosts": ["tcp://0.0.0.0:2375"]}"#.into(),
            "(weakened)",
        ),
        (
            "etc/docker/daemon.json",
            r#"{"hosts": ["tcp://0.0.0.0:2375"]}"#.into(),
            r#"{"hosts": ["unix:///run/d.sock"]}"#.into(),
            "(hardened)",
        ),
        (
            "apparmor.d/usr.bin.a",
            "/usr/bin/a flags=(enforce) {\n  /etc/a r,\n}\n".into(),
            "/usr/bin/a flags=(complain) {\n  /etc/a r,\n}\n".into(),
            "flags: -enforce +complain (weakened)",
        ),
        (
            ".github/workflows/a.yml",
            "on: push\npermissions: read-all\njobs: {}\n".into(),
            "on: push\npermissions:\n  contents: write\njobs: {}\n".into(),
            "permissions: read-all → [contents=write] (weakened)",
        ),
        (
            "home/.ssh/config",
            "Host a\n  UserKnownHostsFile ~/.k\n".into(),
            "Host a\n  UserKnownHostsFile /dev/null\n".into(),
            "(weakened)",
        ),
    ] {
        let lines = told(path, &before, &after);
        assert!(lines.iter().any(|line| line.ends_with(expected)), "{expected}\n{lines:?}");
    }
}
