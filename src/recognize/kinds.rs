//! The register of kinds: what each is called, how it is known, what is read of it and which rules judge it.
//!
//! docs/items.md is generated from it. Never here: the recognisers themselves. A name is never given another meaning.

use crate::domain::ItemClass;

/// What is known of a kind without any file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRow {
    /// Its name, in words.
    pub name: &'static str,
    /// The class of its items.
    pub class: ItemClass,
    /// How a file is known to be of this kind.
    pub how: &'static str,
    /// The standard or manual that it is read by.
    pub standard: &'static str,
    /// The facts that its items have, where the file gives them.
    pub facts: &'static [&'static str],
    /// The rules that judge it before all.
    pub rules: &'static [&'static str],
}

/// Returns every kind that content alone makes of a file, class by class.
pub const fn kinds() -> &'static [KindRow] {
    KINDS
}

/// Returns the row of a kind.
pub(super) fn find(name: &str) -> Option<&'static KindRow> {
    KINDS.iter().find(|row| row.name == name)
}

/// Writes one kind per entry: name, class, how it is known, standard; facts; rules.
macro_rules! register {
    ($($name:literal $class:ident $how:literal $standard:literal [$($fact:literal),*] [$($rule:literal),*];)*) => {
        const KINDS: &[KindRow] = &[$(KindRow {
            name: $name,
            class: ItemClass::$class,
            how: $how,
            standard: $standard,
            facts: &[$($fact),*],
            rules: &[$($rule),*],
        }),*];
    };
}

register! {
    // Key
    "age-encrypted" Key "begins with age's header, armoured or not" "age-encryption.org/v1"
        ["recipients"]
        ["unreadable"];
    "age-identity" Key "every line an identity of age or a comment" "age(1)"
        ["recipient"]
        ["private-key-in-clear"];
    "ansible-vault" Key "begins with $ANSIBLE_VAULT" "Ansible Vault 1.1, 1.2"
        ["version", "cipher", "vault_id"]
        [];
    "aws-credentials" Key "aws_secret_access_key in sections, or the path .aws/credentials" "AWS CLI"
        ["profiles"]
        ["secret-in-clear"];
    "dh-parameters" Key "PEM block DH PARAMETERS, or the DER of one" "RFC 7919"
        ["bits"]
        ["dh-params-short"];
    "dns-tsig-key" Key "key statements with algorithm and secret" "RFC 8945, named.conf(5)"
        ["name", "algorithm"]
        ["symmetric-key-in-clear", "tsig-weak-algorithm"];
    "dnssec-private-key" Key "begins with Private-key-format" "BIND, RFC 4034"
        ["algorithm", "bits", "created", "encrypted"]
        ["private-key-in-clear"];
    "dnssec-public-key" Key "a DNSKEY record alone in a .key file" "RFC 4034"
        ["zone", "role", "flags", "algorithm", "bits", "key_tag", "revoked"]
        [];
    "docker-config" Key "auths or a credentials store in JSON" "Docker CLI"
        ["registries", "credentials_store"]
        ["secret-in-clear"];
    "dotenv" Key "the name .env or .env.*, or assignments that hold a private key" "dotenv, systemd.exec(5)"
        ["keys"]
        ["secret-in-clear"];
    "embedded-private-key" Key "a private key that can be parsed inside JSON, YAML, TOML, HCL, XML, INI" "RFC 7468"
        ["count", "keys"]
        ["private-key-in-clear"];
    "gcp-service-account" Key "type service_account with a private key in JSON" "Google Cloud IAM"
        ["client_email", "project_id", "private_key_id", "private_key"]
        ["private-key-in-clear"];
    "git-credentials" Key "the name .git-credentials" "git-credential-store(1)"
        ["addresses"]
        ["secret-in-clear"];
    "git-crypt" Key "begins with git-crypt's mark" "git-crypt"
        []
        [];
    "git-crypt-key" Key "begins with the mark of git-crypt's keys" "git-crypt"
        []
        ["symmetric-key-in-clear"];
    "jks-keystore" Key "begins with the number of JKS or JCEKS" "sun.security.provider.JavaKeyStore"
        ["entries", "aliases", "certificates"]
        ["keystore-default-password"];
    "jwk" Key "JSON with the members that its kty demands" "RFC 7517, RFC 7638"
        ["kty", "kid", "bits", "private", "crv", "thumbprint_sha256"]
        ["symmetric-key-in-clear", "private-key-in-clear"];
    "jwks" Key "JSON with a list of such keys" "RFC 7517"
        ["count", "keys"]
        ["symmetric-key-in-clear", "private-key-in-clear", "rsa-too-short"];
    "k8s-secret" Key "kind Secret with values" "Kubernetes API, CIS 5.4"
        ["name", "keys"]
        ["k8s-secret-manifest"];
    "minisign-public-key" Key "comment and 42 bytes in base64" "minisign"
        ["key_id"]
        [];
    "minisign-secret-key" Key "comment and 158 bytes in base64" "minisign"
        ["encrypted"]
        ["private-key-in-clear"];
    "netrc" Key "the name .netrc" "netrc(5)"
        ["machines"]
        ["secret-in-clear"];
    "openpgp-private-key" Key "packets of a secret key, armoured or not" "RFC 9580, RFC 4880"
        ["fingerprint", "user_ids", "algorithm", "bits", "created", "expires", "encrypted"]
        ["private-key-in-clear", "pgp-key-expired", "pgp-key-weak"];
    "openpgp-public-key" Key "packets of a public key, armoured or not" "RFC 9580, RFC 4880"
        ["fingerprint", "user_ids", "algorithm", "bits", "created", "expires"]
        ["pgp-key-expired", "pgp-key-weak"];
    "openssh-certificate" Key "a public SSH key of a -cert-v01 type" "PROTOCOL.certkeys"
        ["key_id", "serial", "cert_type", "signing_ca", "principals", "valid", "fingerprint"]
        ["ssh-certificate-expired"];
    "openssh-private-key" Key "PEM block OPENSSH PRIVATE KEY" "PROTOCOL.key"
        ["bits", "fingerprint", "comment", "type", "spki_sha256", "encrypted"]
        ["private-key-in-clear", "ssh-key-too-short"];
    "openssh-public-key" Key "algorithm and blob that agree, or RFC 4716 markers" "RFC 4253, RFC 4716"
        ["bits", "fingerprint", "comment", "type", "spki_sha256", "role"]
        ["ssh-key-too-short", "dsa-key"];
    "openvpn-static-key" Key "PEM-like block OpenVPN Static key V1" "OpenVPN"
        ["count"]
        ["symmetric-key-in-clear"];
    "pem-combined" Key "PEM blocks of more than one sort" "RFC 7468"
        ["private_key", "count", "certificates"]
        ["private-key-in-clear"];
    "pgpass" Key "the name .pgpass, five fields a line" "libpq .pgpass"
        ["entries"]
        ["secret-in-clear"];
    "pkcs12-keystore" Key "DER of version 3 with a safe" "RFC 7292"
        ["mac", "mac_iterations", "encrypted", "certificates"]
        ["private-key-in-clear", "keystore-default-password"];
    "private-key-der" Key "DER of PKCS#8, PKCS#1, SEC 1 or DSA" "RFC 5958, RFC 8017, RFC 5915"
        ["algorithm", "bits", "curve", "spki_sha256", "container", "encrypted"]
        ["private-key-in-clear", "private-key-weak-encryption", "rsa-too-short", "dsa-key", "weak-curve"];
    "private-key-pem" Key "PEM block of a private key that can be parsed" "RFC 7468, RFC 5958"
        ["algorithm", "bits", "spki_sha256", "container", "encrypted", "curve", "public_exponent"]
        ["dsa-key", "private-key-in-clear", "private-key-weak-encryption", "weak-curve", "rsa-too-short", "rsa-bad-exponent", "unreadable"];
    "public-key-der" Key "DER of a SubjectPublicKeyInfo or an RSA key" "RFC 5280 4.1.2.7"
        ["algorithm", "bits", "public_exponent", "spki_sha256"]
        ["rsa-too-short", "rsa-bad-exponent", "dsa-key", "weak-curve"];
    "public-key-pem" Key "PEM block PUBLIC KEY" "RFC 7468"
        ["algorithm", "bits", "spki_sha256", "curve", "public_exponent"]
        ["rsa-too-short", "rsa-bad-exponent", "dsa-key", "weak-curve"];
    "putty-private-key" Key "begins with PuTTY-User-Key-File" "PuTTY appendix C"
        ["algorithm", "encrypted", "fingerprint", "comment"]
        ["private-key-in-clear"];
    "sealed-secret" Key "kind SealedSecret" "Sealed Secrets"
        ["name", "keys"]
        [];
    "sops-file" Key "sops with a checksum and ENC[ values; YAML, JSON, dotenv, INI" "SOPS"
        ["recipients", "version", "lastmodified", "encrypted_keys", "plain_keys"]
        ["secret-in-clear"];
    "ssh2-private-key" Key "begins with ssh.com's marker" "ssh.com"
        ["algorithm", "encrypted", "cipher", "comment"]
        ["private-key-in-clear"];
    "wireguard-config" Key "Interface and Peer with keys of 32 bytes" "wg(8), systemd.netdev(5)"
        ["public_key", "peers", "listen_port"]
        ["private-key-in-clear", "symmetric-key-in-clear"];

    // Certificate
    "certificate-bundle" Certificate "more than one PEM certificate" "RFC 7468, RFC 5280"
        ["count", "certificates"]
        ["bundle-duplicate"];
    "efi-signature-list" Certificate "lists of X.509 certificates or SHA-256 digests, to the last byte" "UEFI 32.4.1"
        ["count", "certificates", "digests_sha256", "owners"]
        [];
    "efi-signed-update" Certificate "signed lists, with moment and PKCS#7 signature before them" "UEFI 8.2.2"
        ["count", "certificates", "digests_sha256", "owners", "signed_at", "signers"]
        [];
    "pkcs7-certificates" Certificate "signed data of certificates, PEM or DER" "RFC 5652"
        ["count", "certificates"]
        ["rsa-too-short"];
    "x509-certificate" Certificate "one PEM certificate" "RFC 5280"
        ["subject", "issuer", "serial", "not_before", "not_after", "fingerprint_sha256", "version",
         "signature_algorithm", "key_algorithm", "key_bits", "curve", "spki_sha256", "is_ca",
         "basic_constraints_critical", "key_usage", "ext_key_usage", "ski", "self_issued", "san", "aki", "policies",
         "crl_distribution_points", "ocsp", "ca_issuers", "permitted_names", "excluded_names", "signature_hash"]
        ["certificate-missing-san", "certificate-validity-too-long", "unreadable", "certificate-expired",
         "certificate-not-yet-valid", "certificate-key-mismatch", "certificate-weak-signature", "ca-basic-constraints-not-critical", "ca-missing-key-cert-sign", "certificate-expiring-soon", "certificate-version-1",
         "rsa-too-short", "certificate-wildcard"];
    "x509-certificate-der" Certificate "DER of one certificate" "RFC 5280"
        ["subject", "issuer", "serial", "not_before", "not_after", "fingerprint_sha256", "version",
         "signature_algorithm", "key_algorithm", "key_bits", "spki_sha256", "san", "is_ca",
         "basic_constraints_critical", "key_usage", "ext_key_usage", "ski", "aki", "self_issued", "policies",
         "crl_distribution_points", "ocsp", "ca_issuers", "permitted_names", "excluded_names", "signature_hash"]
        ["certificate-expired", "certificate-not-yet-valid", "certificate-expiring-soon", "certificate-weak-signature", "rsa-too-short"];
    "x509-crl" Certificate "a revocation list, PEM or DER" "RFC 5280 5"
        ["issuer", "this_update", "next_update", "revoked_serials", "signature_algorithm", "aki", "crl_number",
         "issuing_distribution_point"]
        ["crl-stale"];
    "x509-csr" Certificate "a request, PEM or DER" "RFC 2986"
        ["subject", "san", "key_algorithm", "key_bits", "spki_sha256"]
        ["rsa-too-short", "weak-curve"];

    // Policy
    "android-manifest" Policy "the name AndroidManifest.xml, and its element" "Android app manifest"
        ["package", "permissions", "own_permissions", "exported", "debuggable", "allow_backup", "cleartext_traffic"]
        [];
    "apparmor-profile" Policy "profile blocks of AppArmor" "apparmor.d(5)"
        ["profiles", "flags", "rules"]
        ["apparmor-unconfined-exec", "mac-permissive"];
    "apple-entitlements" Policy "a property list of com.apple.security, or the extension" "Apple entitlements"
        ["entitlements"]
        [];
    "aws-iam-policy" Policy "statements with Effect and Action in JSON or YAML, also inside CloudFormation and answers of the API" "AWS IAM policy grammar"
        ["statements", "Statement[…]"]
        ["iam-admin-star", "iam-pass-role-star", "iam-wildcard-action", "iam-public-principal"];
    "casbin-model" Policy "sections of a Casbin model" "Casbin"
        ["effect"]
        ["policy-default-allow"];
    "casbin-policy" Policy "p and g lines, and the name" "Casbin"
        ["rules", "groupings"]
        [];
    "cedar-policy" Policy "permit and forbid, and the extension" "Cedar"
        ["policies", "Statement[…]", "ids"]
        ["policy-default-allow"];
    "http-headers" Policy "paths with indented headers, or the name _headers" "CSP 3, Fetch, RFC 6797"
        ["paths", "headers"]
        ["cors-wildcard", "csp-unsafe", "hsts-missing-or-short"];
    "k8s-network-policy" Policy "kind NetworkPolicy" "Kubernetes API"
        ["objects", "policies"]
        ["network-policy-allow-all"];
    "k8s-pod-security" Policy "labels of Pod Security, or an admission configuration" "Pod Security Standards"
        ["enforce"]
        ["pod-security-privileged"];
    "opa-rego" Policy "package and rules, and the extension" "OPA Rego"
        ["package", "rules", "defaults", "clauses"]
        ["policy-default-allow"];
    "seccomp-profile" Policy "defaultAction SCMP_ACT_* in JSON" "seccomp(2), OCI runtime"
        ["defaultAction"]
        ["seccomp-default-allow"];
    "selinux-policy" Policy "policy_module, module or type enforcement" "SELinux policy language"
        ["module", "version", "allow", "permissive"]
        ["mac-permissive"];

    // Access control
    "age-recipients" AccessControl "every line a recipient of age or an SSH key" "age(1)"
        ["recipients"]
        [];
    "allowed-signers" AccessControl "principals before a public SSH key" "ssh-keygen(1) ALLOWED SIGNERS"
        ["principals", "fingerprints"]
        [];
    "authorized-keys" AccessControl "public SSH keys with options, or the name" "sshd(8) AUTHORIZED_KEYS FILE FORMAT"
        ["keys", "count"]
        ["ssh-key-too-short"];
    "codeowners" AccessControl "the name CODEOWNERS" "GitHub, GitLab"
        ["rules", "owners", "order"]
        ["codeowners-no-default"];
    "github-ruleset" AccessControl "enforcement, target and rules in JSON, or protection of a branch" "GitHub rulesets, branch protection"
        ["enforcement", "rules", "bypass_actors", "parameters", "branches"]
        ["branch-protection-weak"];
    "group" AccessControl "every line a group of the system" "group(5)"
        ["groups", "members"]
        [];
    "htpasswd" AccessControl "user and password hash on every line" "htpasswd(1)"
        ["users"]
        ["htpasswd-weak-hash"];
    "iptables-save" AccessControl "tables, chains and COMMIT of iptables-save" "iptables-save(8)"
        ["chains", "rules", "rule_list"]
        ["firewall-default-accept", "firewall-open-world"];
    "k8s-rbac" AccessControl "kinds Role, ClusterRole and their bindings" "Kubernetes API, CIS 5.1"
        ["objects", "grants"]
        ["rbac-cluster-admin", "rbac-wildcard", "rbac-secrets-read", "api-version-deprecated"];
    "passwd" AccessControl "every line an account of the system" "passwd(5)"
        ["accounts", "superusers", "login_users"]
        ["account-second-superuser", "account-weak-hash", "account-without-password"];
    "shadow" AccessControl "every line an account and how its password is kept" "shadow(5)"
        ["passwords", "max_days"]
        ["account-weak-hash", "account-without-password"];
    "known-hosts" AccessControl "hosts before a public SSH key" "sshd(8) SSH_KNOWN_HOSTS FILE FORMAT"
        ["entries", "hashed", "revoked", "cert_authority"]
        [];
    "kubeconfig" AccessControl "kind Config with clusters or users" "Kubernetes kubeconfig v1"
        ["clusters", "users", "current-context"]
        ["private-key-in-clear", "secret-in-clear", "tls-verification-off"];
    "nftables" AccessControl "tables and chains of nft" "nft(8)"
        ["chains", "rules", "rule_list", "definitions", "hooks"]
        ["firewall-default-accept", "firewall-open-world"];
    "openpgp-ownertrust" AccessControl "fingerprints with levels of trust" "gpg(1) --export-ownertrust"
        ["keys"]
        [];
    "openpgp-trustdb" AccessControl "begins with the number of GnuPG's trust data base" "GnuPG"
        []
        [];
    "pg-hba" AccessControl "lines of host, local and their methods" "PostgreSQL pg_hba.conf"
        ["rules", "lines"]
        ["pg-hba-trust", "pg-hba-weak-method"];
    "sudoers" AccessControl "user specifications, or the name" "sudoers(5)"
        ["rules", "lines"]
        ["sudo-no-authenticate", "sudo-nopasswd", "sudo-all-commands"];
    "terraform" AccessControl "resource, data or module blocks in .tf" "Terraform"
        ["resources", "ingress", "Statement[…]"]
        ["firewall-open-world", "iam-admin-star", "iam-wildcard-action", "iam-pass-role-star", "iam-public-principal", "component-not-pinned"];

    // Hardening
    "apache-config" Hardening "directives of Apache in a file named as its configuration" "Mozilla server side TLS, RFC 9325"
        ["tls_protocols"]
        ["hsts-missing-or-short", "tls-weak-protocol"];
    "auditd-rules" Hardening "lines of auditctl" "audit.rules(7)"
        ["watches", "permissions", "rules"]
        ["audit-not-immutable", "audit-disabled"];
    "docker-daemon" Hardening "the name daemon.json, and its keys" "dockerd(8)"
        ["hosts"]
        ["docker-insecure-registry", "docker-socket-exposed"];
    "dockerfile" Hardening "the name, or FROM before other instructions" "Dockerfile reference"
        ["base_images", "user"]
        ["dockerfile-root-user", "image-not-pinned"];
    "fit-image-source" Hardening "a device tree that names a key to sign with" "U-Boot FIT signatures"
        ["default", "signatures"]
        [];
    "github-workflow" Hardening "on and jobs in YAML under .github/workflows" "GitHub Actions"
        ["permissions", "uses", "triggers", "job_permissions"]
        ["workflow-permissions-write-all", "workflow-pull-request-target", "workflow-script-injection", "workflow-unpinned-action"];
    "haproxy-config" Hardening "sections of HAProxy" "HAProxy, RFC 9325"
        ["ssl_min_ver", "sections", "certificates", "verify"]
        ["tls-verification-off", "tls-weak-cipher", "tls-weak-protocol"];
    "k8s-workload" Hardening "kinds that start containers" "Kubernetes API, CIS 5.2"
        ["images", "objects", "security"]
        ["image-not-pinned", "k8s-privileged-container", "api-version-deprecated"];
    "krb5-config" Hardening "sections of Kerberos" "krb5.conf(5)"
        ["default_realm"]
        ["krb5-weak-enctype"];
    "logging-config" Hardening "files of rsyslog, syslog-ng, journald, Log4j and Logback" "rsyslog.conf(5), RFC 5425"
        ["remote", "cleartext"]
        ["logging-remote-cleartext", "logging-sensitive"];
    "login-defs" Hardening "the name login.defs, or its words" "login.defs(5)"
        ["ENCRYPT_METHOD", "PASS_MAX_DAYS"]
        ["password-hash-weak"];
    "nginx-config" Hardening "directives of nginx in blocks" "nginx, RFC 9325"
        ["tls_protocols", "certificate", "headers"]
        ["csp-unsafe", "hsts-missing-or-short", "tls-weak-cipher", "tls-weak-protocol", "cors-wildcard", "tls-verification-off", "logging-sensitive"];
    "npmrc" Hardening "the name .npmrc with registries or credentials" "npmrc(5)"
        ["registries"]
        ["secret-in-clear", "tls-verification-off"];
    "openssl-config" Hardening "sections of OpenSSL with its words" "config(5)"
        ["MinProtocol", "SECLEVEL"]
        ["openssl-weak-policy"];
    "pam" Hardening "control words under pam.d, or pam.conf" "pam.conf(5)"
        ["modules"]
        ["pam-nullok", "pam-permit", "password-policy-weak"];
    "pip-config" Hardening "the names pip.conf, pip.ini and .pypirc" "pip, PyPI"
        ["sections"]
        ["secret-in-clear", "tls-verification-off"];
    "pwquality" Hardening "the name pwquality.conf, or its words" "pwquality.conf(5)"
        ["minlen"]
        ["password-policy-weak"];
    "selinux-config" Hardening "the name selinux/config, and SELINUX=" "selinux(8)"
        ["SELINUX", "SELINUXTYPE"]
        ["mac-permissive"];
    "ssh-config" Hardening "words of the client, Host blocks" "ssh_config(5)"
        ["hosts"]
        ["host-key-checking-off"];
    "sshd-config" Hardening "words of the server" "sshd_config(5)"
        ["PermitRootLogin", "PasswordAuthentication", "MaxAuthTries", "Port", "AllowGroups"]
        ["empty-passwords-permitted", "max-auth-tries-high", "password-authentication-enabled", "root-login-permitted", "ssh-weak-cipher", "ssh-weak-kex", "ssh-weak-mac", "user-environment-permitted",
         "x11-forwarding-enabled"];
    "entropy-config" Hardening "the name of a feeder of the kernel's pool under default or sysconfig" "NIST SP 800-90B"
        ["HRNGDEVICE"]
        [];
    "time-config" Hardening "words of chrony or ntpd, or the name" "chrony.conf(5), ntp.conf(5), timesyncd.conf(5)"
        ["servers", "authentication", "allow", "restrict", "makestep"]
        [];
    "sysctl" Hardening "keys of the kernel" "sysctl.d(5)"
        ["kernel.randomize_va_space", "kernel.kptr_restrict"]
        ["sysctl-weak"];
    "systemd-unit" Hardening "sections of a unit, and the extension" "systemd.exec(5)"
        ["User", "sandbox"]
        ["systemd-no-sandbox"];

    // Component
    "arm-template" Component "$schema of Azure's deployment templates" "Azure Resource Manager"
        ["resources", "role_assignments", "ingress"]
        ["api-version-deprecated"];
    "openapi" Component "openapi or swagger with paths or info" "OpenAPI 2, 3"
        ["title", "version", "openapi", "servers"]
        ["cleartext-endpoint"];
    "service-declaration" Component "service tables with an endpoint" "the policy of this program"
        ["services"]
        ["api-version-unpinned"];
    "terraform-lock" Component "the name .terraform.lock.hcl" "Terraform"
        ["providers"]
        [];
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the sources are read to compare them with the register")]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_words_and_unique_and_every_kind_says_how_it_is_known() {
        let names: BTreeSet<_> = KINDS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), KINDS.len());
        for row in KINDS {
            let plain = row.name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
            assert!(plain && !row.how.is_empty() && !row.standard.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn every_kind_of_the_settings_has_its_row_and_class() {
        for (name, class) in crate::recognize::settings::names() {
            assert_eq!(find(name).map(|row| row.class), Some(class), "{name}");
        }
    }

    #[test]
    fn every_kind_that_the_recognisers_name_has_a_row_and_every_row_a_recogniser() {
        let (mut used, mut sources) = (BTreeSet::new(), String::new());
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/recognize"), &mut used, &mut sources);
        let unknown: Vec<_> = used.iter().filter(|name| find(name).is_none()).collect();
        assert_eq!(unknown, Vec::<&String>::new());
        assert!(used.contains("dotenv"), "the search finds nothing any more: {used:?}");
        let idle = KINDS.iter().filter(|row| !sources.contains(&format!("\"{}\"", row.name)));
        assert_eq!(idle.map(|row| row.name).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    fn collect(folder: &Path, used: &mut BTreeSet<String>, sources: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, used, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("kinds.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                let packed: String = program.split_whitespace().collect();
                let calls = ["Recognized::key(\"", "Recognized::certificate(\"", "Recognized::new(\"", "Kind{name:\""];
                for rest in calls.iter().flat_map(|call| packed.split(call).skip(1)) {
                    used.insert(rest.chars().take_while(|c| *c != '"').collect());
                }
                sources.push_str(program);
            }
        }
    }
}
