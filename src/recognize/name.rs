//! Distinguished and general names as one line of text, spelled as `openssl -nameopt RFC2253` does.
//!
//! Never here: comparing names. Serves RFC 2253 and RFC 5280 §4.2.1.6.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use super::der::{Element, Reader, SEQUENCE, SET};
use super::oid;
use super::text::{bounded, hex};

const UTF8_STRING: u8 = 12;
const IA5_STRING: u8 = 22;

/// How many parts of a name are spelled.
const MOST_PARTS: usize = 256;

/// Returns a name's parts, last first, separated by commas.
pub(super) fn distinguished(name: Element<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for set in name.inside().take(MOST_PARTS) {
        if set.tag != SET {
            return None;
        }
        let mut pairs = set.inside().take(MOST_PARTS).map(pair).collect::<Option<Vec<_>>>()?;
        pairs.reverse();
        parts.push(pairs.join("+"));
    }
    parts.reverse();
    Some(parts.join(","))
}

/// Returns one alternative name with its type, as `openssl x509 -ext subjectAltName` prints it.
pub(super) fn general(name: Element<'_>) -> Option<String> {
    let content = name.content;
    Some(match name.tag {
        0xa0 => other(name)?,
        0x81 => format!("email:{}", bounded(content)),
        0x82 => format!("DNS:{}", bounded(content)),
        0xa4 => format!("DirName:{}", bounded(one_line(name.inside().read(SEQUENCE)?)?.as_bytes())),
        0x86 => format!("URI:{}", bounded(content)),
        0x87 => format!("IP Address:{}", address(content)),
        0x88 => format!("Registered ID:{}", Element { tag: super::der::OID, ..name }.oid()?),
        _ => return None,
    })
}

/// Returns a subtree of name constraints: a range of addresses has its mask behind it.
pub(super) fn subtree(name: Element<'_>) -> Option<String> {
    match (name.tag, name.content.len()) {
        (0x87, length @ (8 | 32)) => {
            let (network, mask) = name.content.split_at_checked(length / 2)?;
            Some(format!("IP:{}/{}", address(network), address(mask)))
        }
        _ => general(name),
    }
}

/// A name of a kind that a number names: text is shown, everything else is not.
fn other(name: Element<'_>) -> Option<String> {
    const KINDS: [(&str, &str); 5] = [
        ("1.3.6.1.4.1.311.20.2.3", "UPN"),
        ("1.3.6.1.5.5.7.8.5", "XmppAddr"),
        ("1.3.6.1.5.5.7.8.7", "SRVName"),
        ("1.3.6.1.5.5.7.8.8", "NAIRealm"),
        ("1.3.6.1.5.5.7.8.9", "SmtpUTF8Mailbox"),
    ];
    let mut inside = name.inside();
    let dotted = inside.next()?.oid()?;
    let value = inside.read(0xa0).and_then(|explicit| explicit.inside().next());
    let value = value.filter(|value| matches!(value.tag, UTF8_STRING | IA5_STRING)).map(|value| bounded(value.content));
    let kind = KINDS.iter().find(|(number, _)| *number == dotted).map_or(dotted.as_str(), |(_, kind)| kind);
    Some(format!("othername: {kind}::{}", value.as_deref().unwrap_or("<unsupported>")))
}

/// Returns a name first part first, as OpenSSL prints it among others.
fn one_line(name: Element<'_>) -> Option<String> {
    let mut line = String::new();
    for set in name.inside().take(MOST_PARTS) {
        for pair in set.inside().take(MOST_PARTS) {
            let mut inside = pair.inside();
            let dotted = inside.next()?.oid()?;
            let value = inside.next()?.content;
            let _ = write!(line, "/{}=", oid::attribute(&dotted).unwrap_or(&dotted));
            for byte in value.get(..value.len().min(2048)).unwrap_or_default() {
                match byte {
                    b'/' | b'+' => line.extend(['\\', char::from(*byte)]),
                    b' '..=b'~' => line.push(char::from(*byte)),
                    _ => drop(write!(line, "\\x{byte:02X}")),
                }
            }
        }
    }
    Some(line)
}

fn pair(pair: Element<'_>) -> Option<String> {
    let mut inside = pair.inside();
    let dotted = inside.next()?.oid()?;
    let value = inside.next()?;
    Some(match oid::attribute(&dotted) {
        Some(name) => format!("{name}={}", characters(value).map_or_else(|| dump(value), |text| escaped(&text))),
        None => format!("{dotted}={}", dump(value)),
    })
}

fn dump(value: Element<'_>) -> String {
    format!("#{}", hex(value.whole.get(..value.whole.len().min(256)).unwrap_or_default()).to_uppercase())
}

/// Returns what a string type says; none for what is no string.
fn characters(value: Element<'_>) -> Option<String> {
    let content = value.content.get(..value.content.len().min(2048))?;
    Some(match value.tag {
        12 => String::from_utf8_lossy(content).into_owned(),
        // T.61 is read as Latin-1, as everybody does; so are bytes that these types do not allow.
        18..=22 | 25..=27 => content.iter().map(|byte| char::from(*byte)).collect(),
        28 => wide::<4>(content, |unit| u32::from_be_bytes(*unit)),
        30 => wide::<2>(content, |unit| u16::from_be_bytes(*unit).into()),
        _ => return None,
    })
}

fn wide<const N: usize>(content: &[u8], read: impl Fn(&[u8; N]) -> u32) -> String {
    let (units, _) = content.as_chunks::<N>();
    units.iter().map(|unit| char::from_u32(read(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        let edge = matches!(character, ' ') && (index == 0 || index == last) || character == '#' && index == 0;
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => escaped.extend(['\\', character]),
            _ if edge => escaped.extend(['\\', character]),
            ' '..='~' => escaped.push(character),
            _ => {
                let mut utf8 = [0; 4];
                for byte in character.encode_utf8(&mut utf8).bytes() {
                    let _ = write!(escaped, "\\{byte:02X}");
                }
            }
        }
    }
    escaped
}

fn address(content: &[u8]) -> String {
    match content {
        [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
        _ => match <[u8; 16]>::try_from(content) {
            // OpenSSL writes IPv6 in groups without shortening, in capitals.
            Ok(bytes) => Ipv6Addr::from(bytes).segments().map(|group| format!("{group:X}")).join(":"),
            Err(_) => "<invalid>".to_owned(),
        },
    }
}

/// Returns the alternative names of a sequence of them, sorted.
pub(super) fn all_general(names: Reader<'_>, most: usize) -> Vec<String> {
    let mut spelled: Vec<_> = Iterator::take(names, most).filter_map(general).collect();
    spelled.sort();
    spelled.dedup();
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognize::der::{OID, encode, only};

    fn cn(tag: u8, value: &[u8]) -> String {
        let pair = encode(SEQUENCE, &[&encode(OID, &[&[0x55, 4, 3]]), &encode(tag, &[value])]);
        let name = encode(SEQUENCE, &[&encode(SET, &[&pair])]);
        distinguished(only(&name, SEQUENCE).unwrap()).unwrap()
    }

    #[test]
    fn text_is_escaped_as_openssl_does() {
        for (tag, value, expected) in [
            (12, "gerät".as_bytes(), "CN=ger\\C3\\A4t"),
            (20, b"ger\xe4t", "CN=ger\\C3\\A4t"),
            (30, b"\0g\0\xe4", "CN=g\\C3\\A4"),
            (12, b" a, b ", "CN=\\ a\\, b\\ "),
            (12, b"#a#", "CN=\\#a#"),
            (12, b"a\"+\\<>;\n", "CN=a\\\"\\+\\\\\\<\\>\\;\\0A"),
            (3, b"\0\x01", "CN=#03020001"),
        ] {
            assert_eq!(cn(tag, value), expected);
        }
    }

    fn general_of(tag: u8, parts: &[&[u8]]) -> String {
        general(only(&encode(tag, parts), tag).unwrap()).unwrap()
    }

    #[test]
    fn other_names_and_names_of_directories_are_spelled_as_openssl_does() {
        let upn = encode(OID, &[&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3]]);
        let text = encode(0xa0, &[&encode(UTF8_STRING, &[b"u@x.test"])]);
        let number = encode(0xa0, &[&[2, 1, 5]]);
        assert_eq!(general_of(0xa0, &[&upn, &text]), "othername: UPN::u@x.test");
        assert_eq!(general_of(0xa0, &[&encode(OID, &[&[0x2a, 3, 4]]), &number]), "othername: 1.2.3.4::<unsupported>");
        let part = |number: u8, value: &[u8]| {
            let pair = encode(SEQUENCE, &[&encode(OID, &[&[0x55, 4, number]]), &encode(UTF8_STRING, &[value])]);
            encode(SET, &[&pair])
        };
        let name = encode(SEQUENCE, &[&part(6, b"DE"), &part(10, "A/B é".as_bytes()), &part(3, b"z")]);
        assert_eq!(general_of(0xa4, &[&name]), "DirName:/C=DE/O=A\\/B \\xC3\\xA9/CN=z");
    }

    #[test]
    fn a_range_of_addresses_has_its_mask() {
        let range = encode(0x87, &[&[10, 0, 0, 0, 255, 0, 0, 0]]);
        assert_eq!(subtree(only(&range, 0x87).unwrap()).as_deref(), Some("IP:10.0.0.0/255.0.0.0"));
    }

    #[test]
    fn addresses_are_spelled_as_openssl_does() {
        assert_eq!(address(&[10, 1, 2, 3]), "10.1.2.3");
        let mut six = [0; 16];
        (six[0], six[1], six[15]) = (0x20, 0x01, 0xab);
        assert_eq!(address(&six), "2001:0:0:0:0:0:0:AB");
        assert_eq!(address(&[1]), "<invalid>");
    }
}
