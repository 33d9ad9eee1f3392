//! Compares the recognisers with openssl and ssh-keygen on material made on the spot, and feeds them damaged material.
//!
//! Without these programs the tests say so and pass. No key is kept.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::domain::Fact;

/// Files by name, made by [`SCRIPT`].
struct Material(Vec<(String, Vec<u8>)>);

const SCRIPT: &str = r#"
set -e
openssl genrsa -out rsa.pem 1024
openssl rsa -in rsa.pem -traditional -out rsa1.pem
openssl rsa -in rsa.pem -traditional -aes128 -passout pass:x -out legacy.pem
openssl pkcs8 -in rsa.pem -topk8 -v1 PBE-MD5-DES -passout pass:x -out pbes1.pem -provider legacy -provider default || rm -f pbes1.pem
openssl pkcs8 -in rsa.pem -topk8 -scrypt -passout pass:x -outform DER -out scrypt.der
openssl rsa -in rsa.pem -pubout -out rsa.pub
openssl rsa -in rsa.pem -RSAPublicKey_out -out rsa1.pub
openssl ecparam -name secp384r1 -genkey -out ec.pem
openssl ec -in ec.pem -pubout -outform DER -out ec.spki
openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit -out explicit.pem
openssl genpkey -algorithm ed448 -out ed448.pem
openssl req -new -x509 -key rsa.pem -subj '/C=DE/O=Test, "Org"/CN=a b' -set_serial 0x00ff -days 9 -addext 'subjectAltName=DNS:b.test,DNS:a.test,IP:2001:db8::1,email:x@a.test' -out cert.pem
openssl x509 -in cert.pem -outform DER -out cert.bin
openssl x509 -in cert.pem -text -out verbose.txt
openssl req -new -key ec.pem -subj /CN=csr -addext subjectAltName=DNS:c.test -out r.csr
openssl crl2pkcs7 -nocrl -certfile cert.pem -outform DER -out c.p7b
cat cert.pem rsa.pem > both.pem
openssl pkcs12 -export -inkey rsa.pem -in cert.pem -passout pass:changeit -certpbe NONE -keypbe NONE -out open.p12
openssl pkcs12 -export -inkey rsa.pem -in cert.pem -passout pass: -macalg sha1 -out empty.p12
openssl pkcs12 -export -inkey rsa.pem -in cert.pem -passout pass:long-and-unknown -out closed.p12
openssl x509 -in cert.pem -noout -subject -issuer -serial -fingerprint -sha256 -nameopt RFC2253 -ext subjectAltName > cert.said
ssh-keygen -q -t ecdsa -b 384 -N '' -C 'me & you' -f ssh
ssh-keygen -q -t ed25519 -N x -f ssh-locked
ssh-keygen -q -s ssh -I id -n a,b -V 20250101Z:20260101Z -z 7 -O force-command=/bin/true ssh-locked.pub
ssh-keygen -lf ssh.pub > ssh.said
command -v gpg > /dev/null || exit 0
export GNUPGHOME="$PWD/home"
mkdir -m 700 home
gpg() { command gpg --batch --quiet --pinentry-mode loopback "$@"; }
gpg --passphrase '' --quick-gen-key 'Clear <c@a.test>' rsa2048 sign 2030-01-02
print=$(gpg --list-keys --with-colons | sed -n 's/^fpr:*\([0-9A-F]*\):/\1/p')
gpg --passphrase '' --quick-add-key "$print" cv25519 encr never
gpg --passphrase x --quick-gen-key 'Locked <l@a.test>' ed25519 cert never
gpg --list-keys --with-colons c@a.test > pgp.said
gpg --export --armor c@a.test > clear.asc
gpg --export > ring.gpg
gpg --export-secret-keys c@a.test > secret.gpg
gpg --passphrase x --export-secret-keys --armor l@a.test > locked.asc
gpgconf --kill all
rm -r home
"#;

fn material() -> &'static Material {
    static MADE: OnceLock<Material> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let made =
            Command::new("sh").args(["-c", SCRIPT]).current_dir(folder.path()).env("TZ", "UTC").output().unwrap();
        if !made.status.success() {
            println!("skipped: {}", String::from_utf8_lossy(&made.stderr));
            return Material(Vec::new());
        }
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| read(&entry.unwrap().path()));
        let mut files: Vec<_> = files.collect();
        files.sort();
        Material(files)
    })
}

fn read(path: &Path) -> (String, Vec<u8>) {
    (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())
}

impl Material {
    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(file, _)| file == name).map(|(_, bytes)| bytes.as_slice())
    }

    fn said(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name).unwrap().to_vec()).unwrap()
    }

    fn found(&self, name: &str) -> Recognized {
        recognize(&RepoPath::new(name), self.bytes(name).unwrap()).unwrap_or_else(|| panic!("{name} is not recognised"))
    }
}

fn rules(found: &Recognized) -> Vec<(&str, Option<u32>)> {
    found.observations.iter().map(|observation| (observation.rule, observation.line)).collect()
}

#[test]
fn one_key_has_one_digest_in_every_format() {
    let material = material();
    if material.0.is_empty() {
        return;
    }
    let digest = |name: &str| material.found(name).facts.text("spki_sha256").map(str::to_owned);
    for group in
        [&["rsa.pem", "rsa1.pem", "rsa.pub", "rsa1.pub", "cert.pem", "cert.bin"][..], &["ec.pem", "ec.spki", "r.csr"]]
    {
        let expected = digest(group[0]);
        assert!(expected.is_some());
        for name in group {
            assert_eq!(digest(name), expected, "{name}");
        }
    }
}

#[test]
fn private_keys_tell_their_protection() {
    let material = material();
    if material.0.is_empty() {
        return;
    }
    for (name, kind, rule) in [
        ("rsa.pem", "private-key-pem", Some(("private-key-in-clear", Some(1)))),
        ("ec.pem", "private-key-pem", Some(("private-key-in-clear", Some(4)))),
        ("explicit.pem", "private-key-pem", Some(("private-key-in-clear", Some(1)))),
        ("ed448.pem", "private-key-pem", Some(("private-key-in-clear", Some(1)))),
        ("legacy.pem", "private-key-pem", Some(("private-key-weak-encryption", Some(1)))),
        ("scrypt.der", "private-key-der", None),
        ("ssh", "openssh-private-key", Some(("private-key-in-clear", Some(1)))),
        ("ssh-locked", "openssh-private-key", None),
    ] {
        let found = material.found(name);
        assert_eq!(found.kind, kind, "{name}");
        assert_eq!(rules(&found), rule.into_iter().collect::<Vec<_>>(), "{name}");
        assert_eq!(found.secret, rule.is_some_and(|(rule, _)| rule == "private-key-in-clear"), "{name}");
        assert_eq!(found.facts.flag("encrypted"), Some(!found.secret), "{name}");
    }
    assert_eq!(material.found("explicit.pem").facts.number("bits"), Some(256));
    assert_eq!(material.found("ed448.pem").facts.number("bits"), Some(456));
    assert_eq!(material.found("scrypt.der").facts.text("kdf"), Some("scrypt"));
    if material.bytes("pbes1.pem").is_some() {
        assert_eq!(rules(&material.found("pbes1.pem")), [("private-key-weak-encryption", Some(1))]);
    }
}

#[test]
fn certificates_say_what_openssl_says() {
    let material = material();
    if material.0.is_empty() {
        return;
    }
    let said = material.said("cert.said");
    let facts = material.found("cert.pem").facts;
    for name in ["subject", "issuer"] {
        assert!(said.contains(&format!("{name}={}\n", facts.text(name).unwrap())), "{said}");
    }
    assert!(said.contains(&format!("serial={}\n", facts.text("serial").unwrap().to_uppercase())), "{said}");
    assert!(said.replace(':', "").to_lowercase().contains(facts.text("fingerprint_sha256").unwrap()), "{said}");
    for name in facts.list("san") {
        assert!(matches!(name, Fact::Text(name) if said.contains(name)), "{name} {said}");
    }
    let verbose = material.found("verbose.txt");
    assert_eq!((verbose.kind.as_str(), &verbose.facts), ("x509-certificate", &facts));
    assert_eq!(material.found("cert.bin").kind, "x509-certificate-der");
    assert_eq!(material.found("c.p7b").kind, "pkcs7-certificates");
    assert_eq!(material.found("both.pem").kind, "pem-combined");
    assert_eq!(material.found("r.csr").facts.list("san"), [Fact::from("DNS:c.test")]);
}

#[test]
fn key_stores_tell_what_is_open_and_a_password_of_the_manuals() {
    let material = material();
    if material.0.is_empty() {
        return;
    }
    let (clear, default) = (("private-key-in-clear", None), ("keystore-default-password", None));
    assert_eq!(rules(&material.found("open.p12")), [clear, default]);
    assert_eq!(rules(&material.found("empty.p12")), [default]);
    assert_eq!(rules(&material.found("closed.p12")), []);
    let open = material.found("open.p12").facts;
    let [Fact::Map(certificate)] = open.list("certificates") else { panic!("{open:?}") };
    assert_eq!(*certificate, material.found("cert.pem").facts);
}

#[test]
fn ssh_keys_say_what_ssh_keygen_says() {
    let material = material();
    if material.0.is_empty() {
        return;
    }
    let facts = material.found("ssh.pub").facts;
    let line = format!("384 {} me & you (ECDSA)\n", facts.text("fingerprint").unwrap());
    assert_eq!(material.said("ssh.said"), line);
    assert_eq!(material.found("ssh").facts.text("comment"), Some("me & you"));
    let certificate = material.found("ssh-locked-cert.pub").facts;
    assert_eq!(certificate.text("valid"), Some("from 2025-01-01T00:00:00 to 2026-01-01T00:00:00"));
    assert_eq!(certificate.text("signing_ca"), facts.text("fingerprint"));
    assert_eq!(certificate.text("fingerprint"), material.found("ssh-locked").facts.text("fingerprint"));
    assert_eq!(certificate.number("serial"), Some(7));
    assert_eq!(certificate.list("critical_options"), [Fact::from("force-command=/bin/true")]);
}

#[test]
fn openpgp_keys_say_what_gpg_says() {
    let material = material();
    if material.bytes("clear.asc").is_none() {
        println!("skipped: no gpg");
        return;
    }
    let said = material.said("pgp.said");
    let public = material.found("clear.asc");
    assert_eq!(public.kind, "openpgp-public-key");
    let facts = public.facts;
    assert!(said.contains(&format!(":{}:", facts.text("fingerprint").unwrap())), "{said}");
    assert_eq!(
        (facts.text("algorithm"), facts.number("bits"), facts.text("expires")),
        (Some("RSA"), Some(2048), Some("2030-01-02"))
    );
    assert_eq!(facts.list("user_ids"), [Fact::from("Clear <c@a.test>")]);
    let [Fact::Map(subkey)] = facts.list("subkeys") else { panic!("{facts:?}") };
    assert!(said.contains(&format!(":{}:", subkey.text("fingerprint").unwrap())), "{said}");
    assert_eq!((subkey.text("algorithm"), subkey.text("expires")), (Some("ECDH"), None));
    assert_eq!(material.found("ring.gpg").facts.number("count"), Some(2));
    let secret = material.found("secret.gpg");
    assert_eq!((secret.kind.as_str(), secret.secret), ("openpgp-private-key", true));
    assert_eq!(secret.facts.text("fingerprint"), facts.text("fingerprint"));
    let locked = material.found("locked.asc");
    assert_eq!((locked.facts.flag("encrypted"), locked.secret), (Some(true), false));
}

#[test]
fn quotations_of_keys_are_left_alone() {
    let material = material();
    let Some(key) = material.bytes("rsa.pem") else { return };
    let key = String::from_utf8(key.to_vec()).unwrap();
    let recognized = |path: &str, text: &str| recognize(&RepoPath::new(path), text.as_bytes()).map(|found| found.kind);
    assert_eq!(recognized("README.md", &format!("# Keys\n{key}")), None);
    assert_eq!(recognized("notes", &format!("An example:\n\n```\n{key}```\n")), None);
    assert_eq!(recognized("deploy", &format!("cat > key.pem <<EOF\n{key}EOF\n")), None);
    assert_eq!(recognized("data", &format!("\0\n{key}")), None);
    assert_eq!(recognized("odd.rs", &key).as_deref(), Some("private-key-pem"));
    assert_eq!(recognized("a", &key.replace('\n', "\r\n")).as_deref(), Some("private-key-pem"));
}

#[test]
fn half_a_key_is_a_secret_and_unreadable_where_the_name_claims_a_key() {
    let material = material();
    let Some(key) = material.bytes("rsa.pem") else { return };
    let half = &key[..key.len() / 2];
    let found = recognize(&RepoPath::new("tls/server.key"), half).unwrap();
    assert_eq!(
        (found.kind.as_str(), found.secret, rules(&found)),
        ("private-key-pem", true, vec![("unreadable", Some(1))])
    );
    assert_eq!(recognize(&RepoPath::new("tests/truncated.txt"), half), None);
}

#[test]
fn the_encoding_of_the_text_does_not_matter() {
    let material = material();
    let Some(key) = material.bytes("rsa.pem") else { return };
    let text = String::from_utf8(key.to_vec()).unwrap();
    let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}# caf\u{e9}\n{text}");
    let facts = |bytes: &[u8]| recognize(&RepoPath::new("a"), bytes).map(|found| (found.facts, found.secret));
    assert_eq!(facts(&wide), facts(key));
    assert_eq!(facts(marked.as_bytes()), facts(key));
    assert!(facts(key).is_some_and(|(_, secret)| secret));
}

/// Beginnings that lead into a reader.
const BEGINNINGS: &[&[u8]] = &[
    b"0\x82",
    b"0\x80",
    b"\xfe\xed\xfe\xed\0\0\0\x02",
    b"\xce\xce\xce\xce\0\0\0\x02\0\0\0\x01",
    b"\x98\x33\x04",
    b"\xc5\xff\0\0\0\x20\x04\0\0\0\0\x16",
    b"PuTTY-User-Key-File-3: a\nPublic-Lines: ",
    b"age-encryption.org/v1\n-> ",
    b"$ANSIBLE_VAULT;1.1;",
    b"untrusted comment: minisign\nRWQ",
    b"[Interface]\nPrivateKey = ",
    b"key \"a\" { algorithm a; secret \"",
    b"{\"kty\":\"RSA\",\"n\":\"",
    b"apiVersion: v1\nkind: Secret\ndata:\n  ",
    b"a: ENC[\nsops:\n  mac: ",
    b"ssh-rsa AAAAB3NzaC1yc2E",
    b"-----BEGIN PRIVATE KEY-----\n",
    b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n",
    b"A_PASSWORD='",
    b"\xff\xfe",
];

proptest! {
    #[test]
    fn anything_behind_a_known_beginning_never_panics(which in 0..BEGINNINGS.len(), tail: Vec<u8>, text in "\\PC*") {
        for tail in [tail.as_slice(), text.as_bytes()] {
            let bytes = [BEGINNINGS[which], tail].concat();
            for path in ["a", ".env", "a.yaml", "a.json", "a.toml", "a.pem", "a.der"] {
                recognize(&RepoPath::new(path), &bytes);
                read_declared(&RepoPath::new(path), "kind", ItemClass::Policy, &bytes);
            }
        }
    }

    #[test]
    fn damaged_material_never_panics(which: usize, cut: usize, flips in prop::collection::vec((any::<usize>(), any::<u8>()), 0..8)) {
        let material = material();
        if material.0.is_empty() {
            return Ok(());
        }
        let (name, bytes) = &material.0[which % material.0.len()];
        let mut bytes = bytes.clone();
        for (at, value) in flips {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if cut % 2 == 0 {
            bytes.truncate(cut / 2 % (bytes.len() + 1));
        }
        for path in [name.as_str(), "a.pem", "a.der", "a.pub", "a.key"] {
            recognize(&RepoPath::new(path), &bytes);
        }
        // The decoded body is damaged too, which damage to base64 alone does not reach.
        for block in pem::split(&bytes).whole {
            let mut body = block.bytes.to_vec();
            let at = cut % body.len();
            body[at] ^= 0x81;
            recognize(&RepoPath::new("a"), &body);
        }
    }
}
