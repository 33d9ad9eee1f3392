//! The trust stores of the world, read as OpenSSL reads them: the system's bundle, certifi's where Python has it, and the
//! files that `GIT_BASELINE_ROOTS` names (with colons between them).

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use git_baseline::domain::{Fact, Facts, RepoPath};
use git_baseline::recognize::recognize;

fn stores() -> Vec<PathBuf> {
    let mut stores = vec![PathBuf::from("/etc/ssl/certs/ca-certificates.crt")];
    let certifi = Command::new("python3").args(["-c", "import certifi; print(certifi.where())"]).output();
    if let Some(found) = certifi.ok().filter(|output| output.status.success()) {
        stores.push(PathBuf::from(String::from_utf8(found.stdout).unwrap().trim()));
    }
    stores.extend(std::env::var("GIT_BASELINE_ROOTS").iter().flat_map(|list| list.split(':').map(PathBuf::from)));
    stores.retain(|store| store.is_file());
    stores
}

/// What OpenSSL prints of one certificate, as names and values.
fn openssl(pem: &str) -> Vec<(String, String)> {
    let arguments = "x509 -noout -subject -issuer -serial -startdate -enddate -fingerprint -sha256 -nameopt RFC2253 -dateopt iso_8601";
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

/// The digest of a certificate's public key, as OpenSSL makes it.
fn public_key(pem: &str) -> String {
    let script = "openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r";
    let mut child =
        Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).split(' ').next().unwrap_or_default().to_owned()
}

fn differences(pem: &str, facts: &Facts) -> Vec<String> {
    let told = openssl(pem);
    let find = |name: &str| told.iter().find(|(known, _)| known.contains(name)).map(|(_, value)| value.as_str());
    let wanted = [
        ("subject", find("subject").map(str::to_owned)),
        ("issuer", find("issuer").map(str::to_owned)),
        ("serial", find("serial").map(str::to_lowercase)),
        ("not_before", find("notBefore").map(|value| value.replace(' ', "T"))),
        ("not_after", find("notAfter").map(|value| value.replace(' ', "T"))),
        ("fingerprint_sha256", find("ingerprint").map(|value| value.replace(':', "").to_lowercase())),
        ("spki_sha256", Some(public_key(pem))),
    ];
    let other = wanted.into_iter().filter(|(name, value)| facts.text(name) != value.as_deref());
    other.map(|(name, value)| format!("{name}: {:?}, and OpenSSL says {value:?}", facts.text(name))).collect()
}

#[test]
fn every_root_of_the_known_stores_says_what_openssl_says() {
    let stores = stores();
    if stores.is_empty() {
        println!("skipped: no trust store is here");
    }
    for store in stores {
        let text = String::from_utf8_lossy(&std::fs::read(&store).unwrap()).into_owned();
        let pems: Vec<String> = text
            .split("-----BEGIN CERTIFICATE-----")
            .skip(1)
            .map(|rest| {
                let (body, _) = rest.split_once("-----END CERTIFICATE-----").unwrap();
                format!("-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----\n")
            })
            .collect();
        let found = recognize(&RepoPath::from("roots.pem"), text.as_bytes()).unwrap();
        let members = found.facts.list("certificates");
        assert_eq!((found.kind.as_str(), members.len()), ("certificate-bundle", pems.len()), "{}", store.display());
        assert!(!found.observations.iter().any(|seen| seen.rule == "unreadable"), "{}", store.display());
        for (pem, member) in pems.iter().zip(members) {
            let Fact::Map(facts) = member else { panic!("{member:?}") };
            assert_eq!(differences(pem, facts), Vec::<String>::new(), "{}", store.display());
        }
        println!("{}: {} certificates as OpenSSL reads them", store.display(), pems.len());
    }
}
