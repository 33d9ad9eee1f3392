//! The ordered register of rules: one table from which findings get severity, clause and hint.
//!
//! docs/checks.md is generated from it. Never here: how a rule is judged. A rule's name is never given another
//! meaning; a rule that goes leaves its name behind.

use crate::domain::{Rule, Severity};

/// Writes one rule per entry: name, severity, clause, hint.
macro_rules! register {
    ($($name:literal $severity:ident $clause:literal $hint:literal;)*) => {
        const RULES: &[Rule] = &[$(Rule {
            name: $name,
            severity: Severity::$severity,
            clause: $clause,
            hint: $hint,
        }),*];
    };
}

register! {
    // Keys and secrets.
    "private-key-in-clear" Critical "CWE-321, CWE-312"
        "replace the key everywhere it is in use, then `git rm --cached` the file and keep it in a vault";
    "private-key-weak-encryption" Medium "RFC 8018"
        "openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW";
    "secret-in-clear" Critical "CWE-798" "replace the secret, then encrypt the file (sops, age) or take it out of Git";
    "keystore-default-password" High "CWE-1392" "keytool -storepasswd -keystore FILE";
    "symmetric-key-in-clear" Critical "CWE-321, RFC 7517 s9.1"
        "replace the key everywhere it is in use, then `git rm --cached` the file and keep it in a vault";
    "rsa-too-short" High "NIST SP 800-131A r2, CABF BR 6.1.5" "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072";
    "rsa-bad-exponent" Medium "CABF BR 6.1.6" "make a new key with the public exponent 65537";
    "dsa-key" High "FIPS 186-5" "ssh-keygen -t ed25519, or openssl genpkey -algorithm ED25519";
    "weak-curve" High "NIST SP 800-131A r2, Mozilla root policy 5.1" "make a new key on P-256, P-384 or Ed25519";
    "dh-params-short" High "RFC 7919" "openssl dhparam -out FILE 2048";
    "ssh-key-too-short" High "NIST SP 800-131A r2" "ssh-keygen -t ed25519";
    "ssh-certificate-expired" High "PROTOCOL.certkeys, valid before" "let the certificate authority sign the key anew";
    "ssh-certificate-unlimited" Medium "PROTOCOL.certkeys, valid before and valid principals"
        "ssh-keygen -s CA -I ID -n PRINCIPAL -V +52w KEY.pub";
    "pgp-key-expired" Medium "RFC 9580 5.2.3.13" "gpg --quick-set-expire FINGERPRINT 1y, then export it again";
    "pgp-key-weak" High "RFC 9580 12.4" "make a new key on Curve25519, and certify it with the old one";
    "tsig-weak-algorithm" Medium "RFC 8945" "tsig-keygen -a hmac-sha256 NAME";

    // Certificates.
    "certificate-expired" High "RFC 5280 4.1.2.5" "renew the certificate, or take it out";
    "certificate-not-yet-valid" Medium "RFC 5280 4.1.2.5" "put it in use when its validity begins, or have it issued anew";
    "certificate-expiring-soon" Medium "RFC 5280 4.1.2.5" "renew the certificate now";
    "certificate-weak-signature" High "CABF BR 7.1.3.2, NIST SP 800-131A r2" "have it issued anew with SHA-256 or better";
    "certificate-validity-too-long" Low "CABF BR 6.3.2" "have it issued anew for a shorter time, or raise max_leaf_days";
    "certificate-missing-san" Medium "RFC 9525, CABF BR 7.1.2.7.12" "have it issued anew with its names as subjectAltName";
    "ca-basic-constraints-not-critical" Medium "RFC 5280 4.2.1.9" "issue it anew with basicConstraints=critical,CA:TRUE";
    "ca-missing-key-cert-sign" Medium "RFC 5280 4.2.1.3" "issue it anew with keyUsage=critical,keyCertSign,cRLSign";
    "certificate-wildcard" Info "CABF BR 3.2.2.6" "name the hosts, where they are few";
    "certificate-version-1" Medium "RFC 5280 4.1.2.1" "have it issued anew as version 3";
    "certificate-key-mismatch" High "RFC 5280 4.1.2.7" "put the key and the certificate that belong together beside each other";
    "bundle-duplicate" Low "RFC 5280 6.1" "take out one of the two";
    "bundle-contains-leaf" Low "RFC 5280 6.1.1" "keep certificates of authorities only in a trust bundle";
    "crl-stale" High "RFC 5280 5.1.2.5" "fetch the authority's current list";

    // What files say of each other.
    "chain-out-of-order" Medium "RFC 8446 4.4.2" "cat LEAF ISSUER ISSUER-OF-ISSUER > FILE";
    "chain-incomplete" Medium "RFC 8446 4.4.2" "put the certificate of its issuer behind the leaf";
    "issuer-key-mismatch" Medium "RFC 5280 4.2.1.1"
        "renew the certificate under the authority's present key, or put back the authority that issued it";
    "certificate-duplicate" Info "IEC 62304 cl. 8.1.1" "keep one of them, and let the others refer to it";
    "public-key-reused" Medium "NIST SP 800-57 pt. 1, 5.2" "make a key of its own for each use";
    "private-key-authorized" High "NIST SP 800-53 IA-5(2)"
        "make a new key, replace its public half in the list, and keep the private key out of the repository";
    "rotation-overdue" Medium "NIST SP 800-57 pt. 1, 5.3"
        "make a new key, put it in use, and take the old one out; or raise rotation_days";
    "key-unregistered" Low "NIST SP 800-57 pt. 2, 3.2.1" "enter the key in .baseline/keys.toml, or take it out";
    "key-register-stale" Info "NIST SP 800-57 pt. 2, 3.2.1"
        "take the key out of .baseline/keys.toml, or keep its public half or certificate beside the product";
    "key-register-differs" Medium "NIST SP 800-57 pt. 2, 3.2.1" "correct the algorithm in .baseline/keys.toml";
    "key-outside-custody" High "NIST SP 800-57 pt. 1, 8.1.5.1.1"
        "take the private key out of the repository, and make a new one where the register says that it is kept";
    "deviation-expired" Medium "IEC 62304 cl. 8.2.1" "mend what it is about, or have a new deviation approved";
    "deviation-unsigned" Info "IEC 62304 cl. 8.2.1" "git baseline sign deviation:ID --meaning approved --reason TEXT";
    "deviation-unused" Low "IEC 62304 cl. 8.2.1" "take it out of .baseline/deviations.toml";
    "deviation-void" Medium "IEC 62304 cl. 8.2.1"
        "name a rule of docs/checks.md as its clause; nothing accepts a secret in clear or a missing change request";
    "crl-issuer-unknown" Low "RFC 5280 5.1.2.3" "put the certificate of the list's issuer beside it";
    "crl-superseded" Low "RFC 5280 5.2.3" "take the older list out";
    "crl-older-than-authority" Low "RFC 5280 6.3.3" "fetch the list that the present authority signed";

    // Access lists.
    "authorized-keys-unrestricted-root" Medium "sshd(8) AUTHORIZED_KEYS FILE FORMAT" "add `restrict` or `from=` to root's keys";
    "authorized-keys-forwarding" Info "sshd(8) AUTHORIZED_KEYS FILE FORMAT" "put `restrict` before the key's options";
    "sudo-nopasswd" High "NIST SP 800-53 IA-11" "take NOPASSWD out, or name the exact commands of a service account";
    "sudo-all-commands" Medium "NIST SP 800-53 AC-6" "name the commands that are needed";
    "sudo-no-authenticate" High "NIST SP 800-53 IA-11" "take `!authenticate` out";
    "account-without-password" High "NIST SP 800-53 IA-5, CIS Debian 7.2.2" "passwd -l NAME, or set a password";
    "account-second-superuser" High "NIST SP 800-53 AC-6, CIS Debian 7.2.5" "give the account a user id of its own";
    "account-weak-hash" High "OWASP Password Storage, crypt(5)"
        "set ENCRYPT_METHOD YESCRYPT in login.defs, then have the password set anew";
    "htpasswd-weak-hash" High "OWASP Password Storage" "htpasswd -B FILE USER";
    "pg-hba-trust" Critical "CIS PostgreSQL" "use scram-sha-256, or peer for local connections";
    "pg-hba-weak-method" Medium "PostgreSQL documentation, password authentication" "use scram-sha-256 with hostssl";
    "codeowners-no-default" Low "GitHub documentation, code owners" "add a first line `* @OWNER`";
    "branch-protection-weak" High "OpenSSF Scorecard Branch-Protection"
        "set enforcement to active, and require a pull request with a review";
    "rbac-wildcard" High "CIS Kubernetes 5.1.3" "name verbs and resources";
    "rbac-cluster-admin" Critical "CIS Kubernetes 5.1.1" "bind a role with the rights that are needed";
    "rbac-secrets-read" Medium "CIS Kubernetes 5.1.2" "name the secrets with resourceNames";
    "firewall-open-world" High "CIS AWS 5.2" "name the networks that may connect";
    "firewall-default-accept" High "NIST SP 800-53 SC-7(5)" "set the chain's policy to drop";

    // Policies.
    "iam-admin-star" Critical "CIS AWS 1.16" "name the actions and the resources";
    "iam-public-principal" Critical "OWASP A01:2021" "name the principals, or add a condition";
    "iam-wildcard-action" High "NIST SP 800-53 AC-6" "name the actions of the service";
    "iam-pass-role-star" High "NIST SP 800-53 AC-6" "name the roles that may be passed";
    "network-policy-allow-all" High "CIS Kubernetes 5.3.2" "name who may connect in from or to";
    "pod-security-privileged" High "Kubernetes Pod Security Standards" "set the level to baseline or restricted";
    "k8s-secret-manifest" Critical "CIS Kubernetes 5.4" "replace the secret, then use a sealed or external secret";
    "mac-permissive" High "NIST SP 800-53 AC-3(3)" "set the profile or domain to enforce";
    "apparmor-unconfined-exec" Medium "apparmor.d(5)" "give the program a profile of its own (Px or Cx)";
    "seccomp-default-allow" High "Docker documentation, seccomp" "set defaultAction to SCMP_ACT_ERRNO and list what is allowed";
    "policy-default-allow" High "NIST SP 800-53 AC-3" "deny by default";
    "csp-unsafe" Medium "W3C CSP 3" "use nonces or hashes, and name the sources";
    "cors-wildcard" Medium "CWE-942" "name the origins";

    // Hardening.
    "root-login-permitted" High "CIS 5.1, NIST SP 800-53 AC-6(2)" "set `PermitRootLogin no`";
    "password-authentication-enabled" Medium "NIST SP 800-53 IA-2" "set `PasswordAuthentication no`";
    "empty-passwords-permitted" Critical "NIST SP 800-53 AC-17(a)" "set `PermitEmptyPasswords no`";
    "ssh-weak-cipher" High "NIST SP 800-131A r2" "keep aes256-gcm@openssh.com, aes128-gcm@openssh.com and chacha20-poly1305@openssh.com";
    "ssh-weak-mac" Medium "NIST SP 800-131A r2" "keep hmac-sha2-512-etm@openssh.com and hmac-sha2-256-etm@openssh.com";
    "ssh-weak-kex" High "RFC 9142" "keep mlkem768x25519-sha256, sntrup761x25519-sha512@openssh.com and curve25519-sha256";
    "x11-forwarding-enabled" Low "sshd_config(5)" "set `X11Forwarding no`";
    "user-environment-permitted" Medium "sshd_config(5)" "set `PermitUserEnvironment no`";
    "max-auth-tries-high" Low "sshd_config(5)" "set `MaxAuthTries 4`";
    "host-key-checking-off" High "ssh_config(5)" "set `StrictHostKeyChecking yes`, and pin the keys in known_hosts";
    "tls-weak-protocol" High "RFC 8996" "allow TLS 1.2 and TLS 1.3 only";
    "tls-weak-cipher" High "RFC 7465, RFC 9325" "keep ECDHE suites with AES-GCM or ChaCha20-Poly1305";
    "tls-verification-off" High "CWE-295" "verify the peer's certificate against a named authority";
    "hsts-missing-or-short" Low "RFC 6797" "send `Strict-Transport-Security: max-age=63072000`";
    "sysctl-weak" Medium "CIS 1.5, CIS 3.3" "set the value that the message names";
    "pam-nullok" High "NIST SP 800-53 IA-5" "take nullok out";
    "pam-permit" Critical "NIST SP 800-53 IA-2" "take pam_permit.so out, or put pam_deny.so before it";
    "password-policy-weak" Medium "NIST SP 800-63B" "set minlen to 12 or more";
    "password-hash-weak" High "CIS 5.4, NIST SP 800-63B" "set ENCRYPT_METHOD to YESCRYPT or SHA512";
    "audit-not-immutable" Low "CIS 6.3.3.20" "end the rules with `-e 2`";
    "audit-disabled" High "CIS 6.3.1" "end the rules with `-e 2`";
    "logging-remote-cleartext" Medium "NIST SP 800-53 AU-9" "send logs over TLS";
    "logging-sensitive" Medium "CWE-532" "leave the value out of the pattern";
    "docker-socket-exposed" Critical "CIS Docker 2" "set tlsverify with tlscacert, or leave the TCP host out";
    "docker-insecure-registry" High "CWE-319" "give the registry a certificate, and take it out of the list";
    "dockerfile-root-user" Medium "CIS Docker 4.1" "end with a `USER` that is not root";
    "image-not-pinned" Low "SLSA" "name the image by digest (@sha256:…)";
    "systemd-no-sandbox" Low "systemd.exec(5)" "systemd-analyze security UNIT";
    "k8s-privileged-container" Critical "Kubernetes Pod Security Standards, baseline" "take privileged out, and add the capabilities needed";
    "workflow-permissions-write-all" High "OpenSSF Scorecard Token-Permissions" "set `permissions: read-all`, and raise single jobs";
    "workflow-unpinned-action" Medium "OpenSSF Scorecard Pinned-Dependencies" "name the action by the full id of a commit";
    "workflow-pull-request-target" High "OpenSSF Scorecard Dangerous-Workflow" "use `pull_request`";
    "workflow-script-injection" High "OpenSSF Scorecard Dangerous-Workflow" "hand the value over as an environment variable";
    "krb5-weak-enctype" High "RFC 8429, RFC 6649" "keep aes256-cts-hmac-sha384-192 and aes256-cts-hmac-sha1-96";
    "openssl-weak-policy" High "RFC 8996, openssl config(5)" "set MinProtocol to TLSv1.2 and SECLEVEL to 2";

    // Components and services.
    "api-version-deprecated" Medium "Kubernetes deprecation policy" "move to the version that the message names";
    "api-version-unpinned" Medium "IEC 62304 cl. 8.1.2" "name an exact version";
    "component-not-pinned" Low "OpenSSF Scorecard Pinned-Dependencies" "name an exact version";
    "cleartext-endpoint" Medium "CWE-319" "use https";
    "component-version-unknown" Medium "IEC 62304 cl. 8.1.2" "give it an exact version in the file that names it";
    "component-out-of-support" Medium "FDA 524B, IEC 81001-5-1 4.3"
        "move to a supported version, or state the new end of support in .baseline/components.toml";
    "component-support-ending" Low "FDA 524B, IEC 81001-5-1 4.3" "plan the move to a supported version";
    "overlay-unused" Low "IEC 62304 cl. 8.1.2" "take the entry out of .baseline/components.toml, or mend its purl";
    "lock-unreadable" Medium "IEC 62304 cl. 8.1.2" "write the lock file anew with its package manager";
    "lock-missing" Low "IEC 62304 cl. 8.1.2" "write the lock file with its package manager, and commit it";
    "lock-unsupported" Low "IEC 62304 cl. 8.1.2" "state the components in .baseline/components.toml";

    // The baseline itself.
    "policy-invalid" High "IEC 62304 cl. 8.1.1" "mend the file in .baseline/ that is named, at that line";
    "change-request-unknown" High "IEC 62304 cl. 8.2.1" "git baseline change open ID --title TITLE";
    "change-unapproved" High "IEC 62304 cl. 8.2.1" "let somebody who took no part run `git baseline sign ID --meaning approved`";
    "change-unverified" Medium "IEC 62304 cl. 8.2.3" "git baseline sign ID --meaning verified --record FILE";
    "segregation-unproven" High "IEC 62304 cl. 8.2" "let the author record the commit, or sign it: `git config commit.gpgsign true`";
    "emergency-overdue" High "IEC 62304 cl. 8.2" "git baseline sign ID --meaning approved --commit COMMIT-OF-THAT-RELEASE, and verified";
    "change-request-missing" High "IEC 62304 cl. 8.2.1" "name it in the commit: git commit --amend --trailer \"Change-Request: ID\"";
    "unreadable" Info "IEC 62304 cl. 8.1.1" "mend the file, or declare another kind in .baseline/policy.toml";
    "item-undeclared" Info "IEC 62304 cl. 8.1.1" "add a rule to .baseline/policy.toml";
}

/// Returns every rule, in the order in which they are documented.
pub fn rules() -> &'static [Rule] {
    RULES
}

/// Returns the rule of that name.
pub(super) fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the sources are read to compare them with the register")]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_words_and_unique_and_every_rule_has_a_clause_and_a_hint() {
        let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            assert!(
                rule.name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-'),
                "{}",
                rule.name
            );
            assert!(!rule.clause.is_empty() && !rule.clause.contains("(m)") && !rule.hint.is_empty(), "{}", rule.name);
        }
    }

    #[test]
    fn every_rule_that_the_sources_name_is_registered() {
        let mut used = BTreeSet::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        let unknown: Vec<_> = used.iter().filter(|name| find(name).is_none()).collect();
        assert_eq!(unknown, Vec::<&String>::new());
        assert!(used.contains("certificate-expired"), "the search finds nothing any more: {used:?}");
    }

    fn collect(folder: &Path, used: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, used);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let program = text.split("#[cfg(test)]").next().unwrap();
                let packed: String = program.split_whitespace().collect();
                // Verdicts are pushed as pairs, but only in this module.
                let verdict = if folder.ends_with("checks") { "push((\"" } else { "verdict(\"" };
                for call in ["rule:\"", "finding(\"", "observe(\"", "observation(\"", "observed(\"", verdict] {
                    for rest in packed.split(call).skip(1) {
                        used.insert(rest.chars().take_while(|c| *c != '"').collect());
                    }
                }
            }
        }
    }
}
