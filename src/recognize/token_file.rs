//! Small text files of keys: age identities, minisign keys, `WireGuard` and TSIG configurations.
//!
//! Never here: a private or shared key, whole or in part. Serves the manuals of age, minisign, wg(8) and named.conf(5).

use base64ct::{Base64, Encoding};

use crate::domain::{Fact, Facts, RepoPath};

use super::text::{MOST_VALUES, bounded, hex, trimmed};
use super::{Recognized, derived, path};

/// How large such a file may be.
const MOST_BYTES: usize = 256 * 1024;

/// Recognises an identity of age, a key of minisign, a tunnel of `WireGuard` or a key of a name server.
pub(super) fn recognize(path: &RepoPath, bytes: &[u8]) -> Option<Recognized> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > MOST_BYTES || path::is_about(path) {
        return None;
    }
    match bytes.trim_ascii_start().first()? {
        b'u' => minisign(bytes),
        b'#' | b'A' | b'[' | b'k' | b'K' | b'/' | b';' => {
            age(bytes).or_else(|| wireguard(bytes)).or_else(|| tsig(bytes))
        }
        _ => None,
    }
}

/// Returns every line with its number, without white space at its ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (&[u8], u32)> {
    bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).zip(1_u32..)
}

fn contains(bytes: &[u8], marker: &str) -> bool {
    memchr::memmem::find(bytes, marker.as_bytes()).is_some()
}

fn age(bytes: &[u8]) -> Option<Recognized> {
    const MARKERS: [&str; 3] = ["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1", "AGE-PLUGIN-"];
    if !contains(bytes, "AGE-") {
        return None;
    }
    let mut identities = Vec::new();
    let mut recipients = Vec::new();
    for (line, number) in lines(bytes).filter(|(line, _)| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix(b"#") {
            let comment = trimmed(comment);
            let value = comment
                .split_once(": ")
                .filter(|(name, _)| name.eq_ignore_ascii_case("public key") || name.eq_ignore_ascii_case("recipient"));
            recipients.extend(value.map(|(_, value)| value.trim().to_owned()));
            continue;
        }
        let is_identity = MARKERS.iter().any(|marker| line.starts_with(marker.as_bytes()));
        let plain = line.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'-');
        if !is_identity || !plain || line.len() < 32 {
            return None;
        }
        identities.push((number, line.starts_with(b"AGE-PLUGIN-")));
    }
    let mut facts = Facts::new();
    match recipients.as_slice() {
        [] => {}
        [recipient] => facts.set("recipient", recipient.as_str()),
        many => facts.set("recipients", many.iter().take(MOST_VALUES).cloned().collect::<Vec<_>>()),
    }
    let mut found = Recognized::key("age-identity", facts);
    // A plugin's identity only names a token that holds the key.
    let clear: Vec<_> = identities.iter().filter(|(_, plugin)| !plugin).map(|(number, _)| *number).collect();
    if clear.is_empty() {
        found.facts.set("on_token", true);
    }
    for number in clear.iter().take(MOST_VALUES) {
        found = found.with_clear_key(Some(*number));
    }
    (!identities.is_empty()).then_some(found)
}

fn minisign(bytes: &[u8]) -> Option<Recognized> {
    const COMMENT: &[u8] = b"untrusted comment:";
    let mut lines = lines(bytes).filter(|(line, _)| !line.is_empty());
    let (comment, _) = lines.next()?;
    let comment = comment.strip_prefix(COMMENT)?;
    let (body, number) = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    let key = zeroize::Zeroizing::new(Base64::decode_vec(std::str::from_utf8(body).ok()?).ok()?);
    let mut facts = Facts::new();
    facts.set_some("comment", Some(trimmed(comment)).filter(|comment| !comment.is_empty()));
    match (key.len(), key.get(..2)?) {
        (42, b"Ed") => {
            let id: Vec<u8> = key.get(2..10)?.iter().rev().copied().collect();
            facts.set("key_id", hex(&id).to_uppercase());
            Some(Recognized::key("minisign-public-key", facts))
        }
        // Algorithm, key derivation (zero: none), checksum; then salt, two limits, key id and both keys.
        (158, b"Ed") => {
            let clear = key.get(2..4)? == [0, 0];
            facts.set("encrypted", !clear);
            let found = Recognized::key("minisign-secret-key", facts);
            Some(if clear { found.with_clear_key(Some(number)) } else { found })
        }
        _ => None,
    }
}

/// A section of a `WireGuard` file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    Interface,
    Peer,
}

fn wireguard(bytes: &[u8]) -> Option<Recognized> {
    if !["nterface]", "eer]", "[WireGuard"].iter().any(|section| contains(bytes, section)) {
        return None;
    }
    let mut facts = Facts::new();
    let mut peers: Vec<Facts> = Vec::new();
    let (mut section, mut private, mut shared) = (Section::None, None, None);
    for (line, number) in lines(bytes) {
        // No value holds "#": what is behind it is a comment.
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii_end();
        if line.is_empty() || line.first() == Some(&b';') {
            continue;
        }
        if line.first() == Some(&b'[') {
            section = match line.to_ascii_lowercase().as_slice() {
                b"[interface]" | b"[wireguard]" => Section::Interface,
                b"[peer]" | b"[wireguardpeer]" => Section::Peer,
                // systemd.netdev(5) names the device first.
                b"[netdev]" => Section::None,
                _ => return None,
            };
            if section == Section::Peer {
                peers.push(Facts::new());
            }
            continue;
        }
        let text = String::from_utf8_lossy(line);
        let (name, value) = text.split_once('=').map(|(name, value)| (name.trim(), value.trim()))?;
        let key = is_key(value);
        match (section, name.to_ascii_lowercase().as_str(), peers.last_mut()) {
            (Section::Interface, "privatekey", _) if key => {
                private = Some(number);
                facts.set_some("public_key", public_key(value));
            }
            (Section::Interface, "listenport", _) => facts.set_some("listen_port", value.parse::<u32>().ok()),
            (Section::Interface, "address", _) => facts.set("address", bounded(value.as_bytes())),
            (Section::Peer, "publickey", Some(peer)) if key => peer.set("public_key", value),
            (Section::Peer, "presharedkey", _) if key => shared = Some(number),
            (Section::Peer, "allowedips", Some(peer)) => {
                let all = peer.text("allowed_ips").map_or_else(|| value.to_owned(), |old| format!("{old}, {value}"));
                peer.set("allowed_ips", bounded(all.as_bytes()));
            }
            (Section::Peer, "endpoint", Some(peer)) => peer.set("endpoint", bounded(value.as_bytes())),
            _ => {}
        }
    }
    peers.truncate(MOST_VALUES);
    let has_peer = peers.iter().any(|peer| peer.text("public_key").is_some());
    facts.set("peers", Fact::List(peers.into_iter().map(Fact::Map).collect()));
    let mut found = Recognized::key("wireguard-config", facts);
    if let Some(line) = private {
        found = found.with_clear_key(Some(line));
    }
    if let Some(line) = shared {
        found = found.with_clear_symmetric_key(Some(line));
    }
    (private.is_some() || has_peer).then_some(found)
}

/// Returns the public key of a private one, both in base64.
fn public_key(private: &str) -> Option<String> {
    let mut key = zeroize::Zeroizing::new([0; 32]);
    let public = derived::x25519(Base64::decode(private, key.as_mut_slice()).ok()?)?;
    Some(Base64::encode_string(&public))
}

/// Says whether a text is 32 bytes in base64.
fn is_key(text: &str) -> bool {
    let mut key = [0; 32];
    text.len() == 44 && Base64::decode(text, &mut key).is_ok_and(|key| key.len() == 32)
}

/// `key "name" { algorithm …; secret "…"; };`, alone in a file or a few of them.
fn tsig(bytes: &[u8]) -> Option<Recognized> {
    let has = |word: &str| contains(bytes, word) || contains(bytes, &word.to_ascii_uppercase());
    if !has("algorithm") || !has("secret") {
        return None;
    }
    let mut keys: Vec<(Facts, u32)> = Vec::new();
    let mut weak = Vec::new();
    let mut open = false;
    let mut current = Facts::new();
    for (line, number) in lines(bytes) {
        let text = String::from_utf8_lossy(line);
        let text = before_comment(&text);
        if text.is_empty() || ["/*", "*"].iter().any(|comment| text.starts_with(comment)) {
            continue;
        }
        for statement in text.split_inclusive(['{', ';', '}']).map(str::trim).filter(|part| !matches!(*part, "" | ";"))
        {
            let mut words = statement.trim_end_matches(['{', ';']).split_whitespace();
            let word = words.next().map(str::to_ascii_lowercase);
            let value = words.next().map(|value| value.trim_matches('"'));
            match (open, word.as_deref(), value) {
                (false, Some("key"), Some(name)) => {
                    open = true;
                    current = Facts::new();
                    current.set("name", bounded(name.as_bytes()));
                }
                (true, Some("algorithm"), Some(name)) => {
                    let algorithm = bounded(name.to_ascii_lowercase().as_bytes());
                    weak.extend(is_weak_tsig(&algorithm).then(|| (number, algorithm.clone())));
                    current.set("algorithm", algorithm);
                }
                (true, Some("secret"), Some(secret)) if Base64::decode_vec(secret).is_ok() => {
                    keys.push((current.clone(), number));
                }
                (true, Some("}"), _) => open = false,
                (_, None, None) => {}
                _ => return None,
            }
        }
    }
    if keys.len() > MOST_VALUES || keys.iter().any(|(facts, _)| facts.text("algorithm").is_none()) {
        return None;
    }
    let lines: Vec<_> = keys.iter().map(|(_, line)| *line).collect();
    let facts = match keys.as_slice() {
        [] => return None,
        [(only, _)] => only.clone(),
        many => {
            let mut facts = Facts::new();
            facts.set("count", u32::try_from(many.len()).unwrap_or(u32::MAX));
            facts.set("keys", Fact::List(many.iter().map(|(facts, _)| Fact::Map(facts.clone())).collect()));
            facts
        }
    };
    let mut found = Recognized::key("dns-tsig-key", facts);
    for (line, algorithm) in weak {
        found = found.observe("tsig-weak-algorithm", Some(line), format!("{algorithm} is not to be used any more"));
    }
    Some(lines.into_iter().fold(found, |found, line| found.with_clear_symmetric_key(Some(line))))
}

/// Returns a line of a name server's configuration without the comment at its end.
fn before_comment(line: &str) -> &str {
    let mut quoted = false;
    let end = line.char_indices().find(|(at, character)| {
        quoted ^= *character == '"';
        let rest = line.get(*at..).unwrap_or_default();
        !quoted && ["#", "//"].iter().any(|comment| rest.starts_with(comment))
    });
    line.get(..end.map_or(line.len(), |(at, _)| at)).unwrap_or_default().trim()
}

/// RFC 8945 §6: MD5 must not be used, SHA-1 is not recommended.
fn is_weak_tsig(algorithm: &str) -> bool {
    ["hmac-md5", "hmac-sha1", "hmac-md5.sig-alg.reg.int"].contains(&algorithm.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Recognized> {
        recognize(&RepoPath::new("a"), text.as_bytes())
    }

    #[test]
    fn prose_about_keys_is_left_alone() {
        for text in [
            "# How to\nRun age-keygen; it prints AGE-SECRET-KEY-1 and more.\n",
            "[Interface]\nName = eth0\n",
            "[Interface]\nPrivateKey = <your key>\n",
            "key algorithm and secret are explained below\n",
            "untrusted comment: signature\nRWQAAEIy\ntrusted comment: x\nAAAA\n",
            "key \"a\" {\n  algorithm hmac-sha256;\n  secret \"not base64!\";\n};\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_on_one_line_and_several_keys_are_read() {
        let text = "key \"a\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\nkey b. { algorithm HMAC-MD5; secret \"c2VjcmV0\"; };\n";
        let found = found(text).unwrap();
        assert_eq!(found.facts.number("count"), Some(2));
        assert_eq!(
            found.observations.iter().map(|found| (found.rule, found.line)).collect::<Vec<_>>(),
            [
                ("tsig-weak-algorithm", Some(2)),
                ("symmetric-key-in-clear", Some(1)),
                ("symmetric-key-in-clear", Some(2))
            ]
        );
        assert!(!format!("{found:?}").contains("c2Vj"));
    }

    #[test]
    fn comments_and_capitals_do_not_hide_a_key() {
        let text = "KEY \"a\" // first\n{\n  algorithm HMAC-sha256; # b\n  SECRET \"c2Vj//==\"; // c\n};\n";
        let text = text.replace("c2Vj//==", "c2Vj//8=");
        let seen = found(&text).unwrap();
        assert_eq!((seen.facts.text("name"), seen.secret), (Some("a"), true));
        let key = "EBCX6Uu5v07wzJB0j/en/Pf9XnEona9tYQJntLQ2U2s=";
        for text in [
            format!("[interface] # me\nprivatekey={key} # mine\n[peer]\npublickey={key}\n"),
            format!("[NetDev]\nKind=wireguard\n[WireGuard]\nPrivateKey={key}\n[WireGuardPeer]\nPublicKey={key}\n"),
        ] {
            let seen = found(&text).unwrap();
            assert_eq!(
                (seen.kind.as_str(), seen.secret, seen.facts.list("peers").len()),
                ("wireguard-config", true, 1)
            );
        }
    }

    #[test]
    fn a_plugin_identity_is_no_secret() {
        let found =
            found("#       Serial: 1\n#    Recipient: age1yubikey1q\nAGE-PLUGIN-YUBIKEY-1QJWCEYYTQZYHDLCSGAA\n")
                .unwrap();
        assert!(!found.secret && found.observations.is_empty());
        assert_eq!(found.facts.text("recipient"), Some("age1yubikey1q"));
    }

    #[test]
    fn the_shared_key_of_a_peer_is_a_secret() {
        let key = "EBCX6Uu5v07wzJB0j/en/Pf9XnEona9tYQJntLQ2U2s=";
        let found = found(&format!("[Peer]\nPublicKey = {key}\nPresharedKey = {key}\n")).unwrap();
        assert_eq!(
            found.observations.iter().map(|found| (found.rule, found.line)).collect::<Vec<_>>(),
            [("symmetric-key-in-clear", Some(3))]
        );
    }
}
