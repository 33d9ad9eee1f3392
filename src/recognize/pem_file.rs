//! Files of PEM blocks: one certificate or key, a bundle of many, or a mixture as servers want it.
//!
//! Never here: text that only quotes such blocks. Serves RFC 7468.

use crate::domain::{Fact, Facts, RepoPath};

use super::certificate::Certificate;
use super::der::{self, INTEGER, Reader, SEQUENCE};
use super::pem::{self, Block, Blocks};
use super::private_key::PrivateKey;
use super::public_key::PublicKey;
use super::ssh::SshPrivateKey;
use super::text::MOST_VALUES;
use super::{Recognized, openpgp_file, path, pkcs7, request};

/// What a block is.
enum Part {
    Certificate(Box<Certificate>),
    Container(Vec<Certificate>),
    Request(Facts),
    RevocationList(Facts),
    DhParameters(i64),
    PrivateKey(Box<PrivateKey>),
    SshPrivateKey(Box<SshPrivateKey>),
    PublicKey(PublicKey),
    StaticKey,
}

/// The parts of a file, each list in the file's order.
#[derive(Default)]
struct Parts {
    certificates: Vec<Certificate>,
    containers: usize,
    requests: Vec<Facts>,
    revocation_lists: Vec<Facts>,
    dh: Vec<i64>,
    keys: Vec<(u32, PrivateKey)>,
    ssh_keys: Vec<(u32, SshPrivateKey)>,
    public_keys: Vec<PublicKey>,
    static_keys: Vec<u32>,
    broken: Vec<(String, u32)>,
}

/// Recognises a file that is made of PEM blocks.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if memchr::memmem::find(bytes, pem::BEGIN).is_none() {
        return recognize_empty(path, bytes);
    }
    let blocks = blocks_of(path, bytes)?;
    let mut parts = Parts::default();
    for block in &blocks.whole {
        parts.add(block);
    }
    parts.broken.extend(blocks.broken.iter().filter(|(label, _)| kind_of(label).is_some()).map(owned));
    parts.broken.sort_by_key(|(_, line)| *line);
    let Some(found) = parts.recognized().or_else(|| parts.claimed(path)) else {
        return openpgp_file::armoured(&blocks, bytes);
    };
    let found = parts.observe(found);
    Some(if blocks.more { found.unreadable(None, "more blocks than are looked at") } else { found })
}

/// Returns the blocks of a file that is made of them; none where they are only quoted.
pub(super) fn blocks_of<'a>(path: &RepoPath, bytes: &'a [u8]) -> Option<Blocks<'a>> {
    // A file that begins with a block is one whatever its name; programs contain a zero somewhere.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let begins = text.trim_ascii_start().starts_with(pem::BEGIN);
    if !begins && path::is_about(path) || memchr::memchr(0, bytes).is_some() {
        return None;
    }
    Some(pem::split(bytes)).filter(|blocks| begins || !blocks.quoted)
}

fn owned((label, line): &(&str, u32)) -> (String, u32) {
    ((*label).to_owned(), *line)
}

/// An empty file whose name claims key material was meant to be some.
fn recognize_empty(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    if bytes.len() > 64 || !bytes.trim_ascii().is_empty() {
        return None;
    }
    let (kind, class) = path::claim(path)?;
    Some(Recognized::new(kind, class, Facts::new()).unreadable(None, "the file is empty"))
}

/// Returns the kind of a file that holds one block of that label; none for blocks that are no configuration.
fn kind_of(label: &str) -> Option<&'static str> {
    Some(match label {
        "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => "x509-certificate",
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => "x509-csr",
        "X509 CRL" => "x509-crl",
        "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => "pkcs7-certificates",
        "DH PARAMETERS" | "X9.42 DH PARAMETERS" => "dh-parameters",
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY" => {
            "private-key-pem"
        }
        "OPENSSH PRIVATE KEY" => "openssh-private-key",
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "public-key-pem",
        "OpenVPN Static key V1" | "OpenVPN tls-crypt-v2 client key" | "OpenVPN tls-crypt-v2 server key" => {
            "openvpn-static-key"
        }
        _ => return None,
    })
}

/// Returns what a block of a known label holds.
fn read(block: &Block<'_>) -> Option<Part> {
    let bytes = block.bytes.as_slice();
    let element = || Reader::new(bytes).read(SEQUENCE);
    Some(match kind_of(block.label)? {
        "x509-certificate" => Part::Certificate(Box::new(Certificate::read(bytes)?)),
        "x509-csr" => Part::Request(request::request(element()?)?),
        "x509-crl" => Part::RevocationList(request::revocation_list(element()?)?),
        "pkcs7-certificates" => Part::Container(pkcs7::certificates(element()?, MOST_VALUES)?),
        "dh-parameters" => Part::DhParameters(der::bit_length(element()?.inside().read(INTEGER)?.content)),
        "openssh-private-key" => Part::SshPrivateKey(Box::new(SshPrivateKey::read(bytes)?)),
        "public-key-pem" => {
            // Some programs write one form under the other's label.
            let element = element()?;
            Part::PublicKey(PublicKey::from_spki(element).or_else(|| PublicKey::from_pkcs1(element))?)
        }
        // Its hexadecimal digits are base64 by chance; that there are enough of them is all that one can see.
        "openvpn-static-key" if bytes.len() >= 128 => Part::StaticKey,
        "openvpn-static-key" => return None,
        _ => Part::PrivateKey(Box::new(PrivateKey::from_pem(block.label, block.encryption.as_deref(), bytes)?)),
    })
}

/// Returns what is public about the private key in a block, and whether it stands in clear.
pub(super) fn private_key(block: &Block<'_>) -> Option<(Facts, bool)> {
    match read(block)? {
        Part::PrivateKey(key) => Some((key.brief(), key.protection.is_none())),
        Part::SshPrivateKey(key) => Some((key.facts(), key.cipher.is_none())),
        _ => None,
    }
}

impl Parts {
    fn add(&mut self, block: &Block<'_>) {
        match read(block) {
            Some(Part::Certificate(certificate)) => self.certificates.push(*certificate),
            Some(Part::Container(certificates)) => {
                self.containers += 1;
                self.certificates.extend(certificates);
            }
            Some(Part::Request(facts)) => self.requests.push(facts),
            Some(Part::RevocationList(facts)) => self.revocation_lists.push(facts),
            Some(Part::DhParameters(bits)) => self.dh.push(bits),
            Some(Part::PrivateKey(key)) => self.keys.push((block.line, *key)),
            Some(Part::SshPrivateKey(key)) => self.ssh_keys.push((block.line, *key)),
            Some(Part::PublicKey(key)) => self.public_keys.push(key),
            Some(Part::StaticKey) => self.static_keys.push(block.line),
            None if kind_of(block.label).is_some() => self.broken.push((block.label.to_owned(), block.line)),
            None => {}
        }
    }

    /// Says what the readable parts make up.
    fn recognized(&self) -> Option<Recognized> {
        let kinds = [
            self.certificates.len(),
            self.requests.len(),
            self.revocation_lists.len(),
            self.dh.len(),
            self.keys.len(),
            self.ssh_keys.len(),
            self.public_keys.len(),
            self.static_keys.len(),
        ];
        if kinds.iter().filter(|count| **count > 0).count() > 1 {
            return Some(Recognized::key("pem-combined", self.combined()));
        }
        if let [only] = self.certificates.as_slice()
            && self.containers == 0
        {
            return Some(Recognized::certificate("x509-certificate", only.facts()));
        }
        if !self.certificates.is_empty() {
            let kind = if self.containers > 0 { "pkcs7-certificates" } else { "certificate-bundle" };
            return Some(Recognized::certificate(kind, bundle(&self.certificates)));
        }
        let keys = || self.keys.iter().map(|(_, key)| key.facts()).collect();
        let ssh_keys = || self.ssh_keys.iter().map(|(_, key)| key.facts()).collect();
        let public_keys = || self.public_keys.iter().map(PublicKey::facts).collect();
        let dh = || self.dh.iter().map(|bits| dh_parameters(*bits)).collect();
        if !self.static_keys.is_empty() {
            let mut facts = Facts::new();
            facts.set("count", number(self.static_keys.len()));
            return Some(Recognized::key("openvpn-static-key", facts));
        }
        None.or_else(|| {
            one_or_many("requests", self.requests.clone()).map(|facts| Recognized::certificate("x509-csr", facts))
        })
        .or_else(|| {
            let lists = one_or_many("revocation_lists", self.revocation_lists.clone());
            lists.map(|facts| Recognized::certificate("x509-crl", facts))
        })
        .or_else(|| one_or_many("keys", keys()).map(|facts| Recognized::key("private-key-pem", facts)))
        .or_else(|| one_or_many("keys", ssh_keys()).map(|facts| Recognized::key("openssh-private-key", facts)))
        .or_else(|| one_or_many("keys", public_keys()).map(|facts| Recognized::key("public-key-pem", facts)))
        .or_else(|| one_or_many("parameters", dh()).map(|facts| Recognized::key("dh-parameters", facts)))
    }

    /// Says what a file was meant to be whose every block is broken, where its name claims key material too.
    fn claimed(&self, path: &RepoPath) -> Option<Recognized> {
        let (label, _) = self.broken.first()?;
        let (claimed, class) = path::claim(path)?;
        let kind = kind_of(label).unwrap_or(claimed);
        let found = Recognized::new(kind, class, Facts::new());
        Some(if label.ends_with("KEY") { Recognized::key(kind, found.facts) } else { found })
    }

    fn observe(&self, mut found: Recognized) -> Recognized {
        for (line, key) in &self.keys {
            found = observe_key(found, key, Some(*line));
        }
        for (line, _) in self.ssh_keys.iter().filter(|(_, key)| key.cipher.is_none()) {
            found = found.with_clear_key(Some(*line));
        }
        for line in self.static_keys.iter().take(MOST_VALUES) {
            found = found.with_clear_symmetric_key(Some(*line));
        }
        for (label, line) in self.broken.iter().take(MOST_VALUES) {
            // Half a private key is still half a secret.
            found.secret |= label.ends_with("PRIVATE KEY");
            found = found.unreadable(Some(*line), format!("a block {label} begins here and cannot be read"));
        }
        found.observations.sort_by_key(|observation| observation.line);
        found
    }

    fn combined(&self) -> Facts {
        let mut facts = if self.certificates.is_empty() { Facts::new() } else { bundle(&self.certificates) };
        let keys = self.keys.iter().map(|(_, key)| key.brief());
        let keys: Vec<_> = keys.chain(self.ssh_keys.iter().map(|(_, key)| key.facts())).take(MOST_VALUES).collect();
        match <[Facts; 1]>::try_from(keys) {
            Ok([key]) => facts.set("private_key", key),
            Err(keys) => facts.set_some("private_keys", some_maps(&keys)),
        }
        let public_keys: Vec<_> = self.public_keys.iter().take(MOST_VALUES).map(PublicKey::facts).collect();
        facts.set_some("public_keys", some_maps(&public_keys));
        facts.set_some("requests", some_maps(&self.requests));
        facts.set_some("revocation_lists", some_maps(&self.revocation_lists));
        facts.set_some("static_keys", Some(self.static_keys.len()).filter(|count| *count > 0).map(number));
        facts.set_some("dh_bits", self.dh.iter().min().copied());
        facts
    }
}

/// Says how a private key is protected, where that is not well.
pub(super) fn observe_key(found: Recognized, key: &PrivateKey, line: Option<u32>) -> Recognized {
    let Some(protection) = &key.protection else { return found.with_clear_key(line) };
    match protection.weakness {
        None => found,
        Some(weakness) => {
            let message = format!("the private key's encryption is weak: {weakness}");
            found.observe("private-key-weak-encryption", line, message)
        }
    }
}

/// Returns the facts of a set of certificates, in their order.
pub(super) fn bundle(certificates: &[Certificate]) -> Facts {
    let mut facts = Facts::new();
    facts.set("count", number(certificates.len()));
    let members = certificates.iter().take(MOST_VALUES).map(|certificate| Fact::from(certificate.brief()));
    facts.set("certificates", Fact::List(members.collect()));
    facts
}

/// Returns the facts of one object, or a list of those of many.
fn one_or_many(name: &str, objects: Vec<Facts>) -> Option<Facts> {
    if objects.is_empty() {
        return None;
    }
    Some(match <[Facts; 1]>::try_from(objects) {
        Ok([only]) => only,
        Err(many) => {
            let mut facts = Facts::new();
            facts.set("count", number(many.len()));
            facts.set_some(name, some_maps(&many));
            facts
        }
    })
}

fn some_maps(maps: &[Facts]) -> Option<Fact> {
    let list: Vec<_> = maps.iter().take(MOST_VALUES).cloned().map(Fact::Map).collect();
    (!list.is_empty()).then_some(Fact::List(list))
}

/// Returns the facts of a group.
pub(super) fn dh_parameters(bits: i64) -> Facts {
    let mut facts = Facts::new();
    facts.set("bits", bits);
    facts
}

fn number(count: usize) -> Fact {
    Fact::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_key_of_openvpn_is_a_secret_alone_and_beside_others() {
        let key = format!(
            "#\n# 2048 bit OpenVPN static key\n#\n-----BEGIN OpenVPN Static key V1-----\n{}-----END OpenVPN Static key V1-----\n",
            "0123456789abcdef0123456789abcdef\n".repeat(16)
        );
        let alone = recognize(&RepoPath::new("ta.key"), key.as_bytes()).unwrap();
        assert_eq!((alone.kind.as_str(), alone.secret), ("openvpn-static-key", true));
        assert_eq!(
            alone.observations.iter().map(|seen| (seen.rule, seen.line)).collect::<Vec<_>>(),
            [("symmetric-key-in-clear", Some(4))]
        );
        let short = "-----BEGIN OpenVPN Static key V1-----\n0123\n-----END OpenVPN Static key V1-----\n";
        assert_eq!(recognize(&RepoPath::new("a"), short.as_bytes()), None);
    }
}
