//! The families' tests share these; and all kinds are held against a corpus of labelled files, where there is one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::domain::Fact;

/// Returns the kind that a file is recognised as.
pub(super) fn kind_of(path: &str, text: &str) -> Option<String> {
    recognize(&path.into(), text.as_bytes()).map(|found| found.kind)
}

/// Returns the facts of a file that must be recognised.
pub(super) fn facts(path: &str, text: &str) -> Facts {
    recognize(&path.into(), text.as_bytes()).unwrap_or_else(|| panic!("{path} is not recognised")).facts
}

/// Returns rules and lines of a file that must be recognised.
pub(super) fn rules(path: &str, text: &str) -> Vec<(&'static str, Option<u32>)> {
    let found = recognize(&path.into(), text.as_bytes()).unwrap_or_else(|| panic!("{path} is not recognised"));
    found.observations.iter().map(|seen| (seen.rule, seen.line)).collect()
}

#[test]
fn a_declared_file_that_cannot_be_read_is_observed() {
    let found = read_declared(&"x".into(), "docker-daemon", ItemClass::Hardening, b"{").unwrap();
    assert_eq!(found.observations.first().map(|seen| seen.rule), Some("unreadable"));
    assert!(read_declared(&"x".into(), "x509-certificate", ItemClass::Certificate, b"{").is_none());
}

#[test]
fn names_of_kinds_are_unique() {
    let names: BTreeSet<_> = kinds().map(|kind| kind.name).collect();
    assert_eq!(names.len(), kinds().count());
}

/// Labels of a corpus, from the folder that `GIT_BASELINE_CORPUS` names.
fn corpus() -> Option<(PathBuf, serde_json::Value)> {
    let Some(folder) = std::env::var_os("GIT_BASELINE_CORPUS").map(PathBuf::from) else {
        println!("skipped: GIT_BASELINE_CORPUS names no folder with labels.json");
        return None;
    };
    let labels = std::fs::read(folder.join("labels.json")).unwrap();
    Some((folder, serde_json::from_slice(&labels).unwrap()))
}

fn json(fact: &Fact) -> serde_json::Value {
    serde_json::to_value(fact).unwrap()
}

#[test]
fn the_corpus_is_recognised_as_labelled() {
    let Some((folder, labels)) = corpus() else { return };
    let ours: BTreeSet<&str> = kinds().map(|kind| kind.name).collect();
    let (mut wrong, mut right) = (Vec::new(), 0);
    for label in labels["items"].as_array().unwrap() {
        let path = label["path"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(path)).unwrap();
        let found = recognize(&path.into(), &bytes);
        let expected = label["kind"].as_str().filter(|kind| ours.contains(kind));
        let kind = found.as_ref().map(|found| found.kind.as_str());
        if kind == expected {
            right += 1;
        } else {
            wrong.push(format!("{path}: {kind:?} instead of {expected:?}"));
        }
        let (Some(found), Some(_)) = (found, expected) else { continue };
        if found.class.as_str() != label["class"].as_str().unwrap() {
            wrong.push(format!("{path}: class {}", found.class));
        }
        for (name, value) in label["facts"].as_object().unwrap() {
            let fact = found.facts.find(name).map(json);
            if fact.as_ref() == Some(value) {
                right += 1;
            } else {
                wrong.push(format!("{path}: {name} is {fact:?} instead of {value}"));
            }
        }
        let seen: BTreeSet<_> =
            found.observations.iter().map(|seen| (seen.rule.to_owned(), seen.line.map(u64::from))).collect();
        let findings = label["findings"].as_array().unwrap();
        let wanted: BTreeSet<_> =
            findings.iter().map(|f| (f["check"].as_str().unwrap().to_owned(), f["line"].as_u64())).collect();
        right += seen.intersection(&wanted).count();
        wrong.extend(seen.symmetric_difference(&wanted).map(|finding| format!("{path}: finding {finding:?}")));
    }
    println!("corpus: {right} right, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const SAMPLES: &[(&str, &str)] = &[
    ("etc/ssh/sshd_config", "Port 22\nMatch User \"a b\"\n PermitRootLogin=yes # x\nCiphers +3des-cbc\n"),
    (
        "authorized_keys",
        "from=\"a,b\",restrict ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExp1WSMwUBn2VRoTWmmB6ULCZnrwp0O5uZO7sRO4req x\n",
    ),
    ("known_hosts", "@revoked * ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExp1WSMwUBn2VRoTWmmB6ULCZnrwp0O5uZO7sRO4req x\n"),
    ("sudoers", "Cmnd_Alias A = /bin/a, \\\n /bin/b\ndeploy ALL=(root) NOPASSWD: A, /bin/c \\: x\n#includedir /x\n"),
    ("sysctl.conf", "-net/ipv4.ip_forward = 1\nkernel.randomize_va_space=0\n"),
    ("a.nft", "table ip t {\n chain in { type filter hook input priority 0; policy accept; }\n}\n"),
    ("rules.v4", "*filter\n:INPUT ACCEPT [1:2]\n-A INPUT -j DROP\nCOMMIT\n"),
    ("a.json", "{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": [\"*\"], \"Resource\": \"*\\u00e4\"}]}"),
    (
        ".github/workflows/a.yml",
        "on: [push, {x: y}]\npermissions: write-all\njobs:\n  a:\n    steps:\n    - uses: a/b@v4\n    - run: echo ${{ github.head_ref }}\n",
    ),
    (
        "a.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: &a x}\nspec: {template: {spec: {containers: [{image: *a}]}}}\n",
    ),
    ("Dockerfile", "FROM --platform=x a:1 AS b\nUSER 1:1\nRUN x \\\n y\n"),
    ("pg_hba.conf", "host a b 10.0.0.0 255.0.0.0 md5 radiussecrets=x\nlocal all all trust\n"),
    ("a.yaml", "Statement:\n- Effect: Allow\n  Action: '*'\n  Resource: !Sub 'a${b}'\n"),
    (
        "b.nft",
        "define A = 1\ntable t {\n set s { elements = { 1,\n 2 } }\n}\nadd rule t c tcp dport { 1 } accept comment \"x\" # y\n",
    ),
    (
        "b.tf",
        "data \"aws_iam_policy_document\" \"a\" {\n statement {\n actions = [\"*\"]\n }\n}\nmodule \"m\" {\n source = <<-E\n x\n E\n}\n\
         resource \"a\" \"b\" {\n p = jsonencode({ Statement = [{ Effect = \"Allow\", \"Action\" : f(\"${x}\") }] })\n}\n",
    ),
    (
        "n.yaml",
        "apiVersion: a/v1\nkind: NetworkPolicy\nspec: {podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}, ingress: [{from: [{ipBlock: {cidr: ::/0}}]}]}\n",
    ),
    ("p.json", "{\"required_pull_request_reviews\": null, \"enforce_admins\": {\"enabled\": true}}"),
    ("syslog-ng.conf", "@version: 4\ndestination d { tcp(\"h\" port(1)); };\n"),
    ("log4j2.xml", "<a>\n<Socket host=\"h\"\n port=\"1\"/>%X{token}</a>\n"),
    (".htpasswd", "a:$apr1$x$y\nb:{SHA}z\n"),
    ("etc/nginx/a.conf", "server { listen 443 ssl; ssl_ciphers 'RC4:!a'; add_header X \"a;b\"; } # c\n"),
    ("apache2/a.conf", "<VirtualHost *>\nSSLProtocol all -SSLv3\nHeader set X \"y\"\n</VirtualHost>\n"),
    (
        "haproxy.cfg",
        "global\n ssl-default-bind-options ssl-min-ver TLSv1.0 force-tlsv10\nbackend b\n server s h:1 ssl verify none\n",
    ),
    (
        "_headers",
        "/*\n  Content-Security-Policy: default-src *; script-src 'unsafe-eval'\n  Strict-Transport-Security: max-age=3\n",
    ),
    ("a.te", "policy_module(app, 1.0)\npermissive app_t;\nallow a b:c d;\n"),
    ("usr.bin.a", "include <tunables/global>\n/usr/bin/a flags=(complain) {\n  /x Ux,\n}\n"),
    ("m.conf", "[request_definition]\nr = a\n[policy_effect]\ne = !some(where (p.eft == deny))\n"),
    ("p.csv", "p, a, b, c\ng, a, b\n"),
    ("a.rego", "package a\n\ndefault allow := true\nallow if { x }\n"),
    (
        "a.cedar",
        "@id(\"x\")\npermit (principal, action, resource);\nforbid (principal, action, resource) when { x };\n",
    ),
    ("a.service", "[Unit]\n[Service]\nExecStart=/bin/a \\\n b\nNoNewPrivileges=yes\n"),
    ("audit.rules", "-D\n-w /etc/passwd -p wa\n-e 0\n"),
    ("pam.d/a", "auth [success=1 default=ignore] pam_unix.so nullok\n@include x\n"),
    ("krb5.conf", "[libdefaults]\n default_tgs_enctypes = aes rc4\n"),
    ("openssl.cnf", "[a]\nCipherString = DEFAULT@SECLEVEL=0\n"),
    ("rsyslog.conf", "*.* @@h:1;x\naction(type=\"omfwd\" target=\"h\" port=\"1\")\n"),
    (
        "a.tf",
        "resource \"aws_security_group\" \"a\" {\n ingress {\n from_port = 22\n cidr_blocks = [\"0.0.0.0/0\"]\n }\n}\n",
    ),
    (".terraform.lock.hcl", "provider \"a\" {\n version = \"1\"\n}\n"),
    ("openapi.yaml", "openapi: 3.0.3\ninfo: {title: a, version: 1}\nservers:\n- url: http://a:b@c/\n"),
    ("s.toml", "[[service]]\nname = \"a\"\nendpoint = \"http://x\"\napi_version = \"latest\"\n"),
];

#[test]
fn every_sample_is_recognised() {
    for (path, text) in SAMPLES {
        assert!(kind_of(path, text).is_some(), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_mutation_of_a_sample_panics(
        sample in 0..SAMPLES.len(),
        cut in 0.0..1.0_f64,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let (path, text) = SAMPLES[sample];
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
        bytes.truncate((cut.mul_add(1.3, 0.2) * bytes.len() as f64) as usize);
        let _ = recognize(&path.into(), &bytes);
        for kind in kinds() {
            let _ = read_declared(&path.into(), kind.name, kind.class, &bytes);
        }
    }
}
