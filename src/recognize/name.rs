//! Distinguished and general names as one line of text, spelled as `openssl -nameopt RFC2253` does.
//!
//! Never here: comparing names. Serves RFC 2253 and RFC 5280 §4.2.1.6.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use super::der::{Element, Reader, SEQUENCE, SET};
use super::oid;
use super::text::{bounded, hex};

/// How many parts of a name are spelled.
const MOST_PARTS: usize = 64;

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
        0xa0 => {
            let mut inside = name.inside();
            format!("othername:{}", inside.next().and_then(Element::oid)?)
        }
        0x81 => format!("email:{}", bounded(content)),
        0x82 => format!("DNS:{}", bounded(content)),
        0xa4 => format!("DirName:{}", distinguished(name.inside().read(SEQUENCE)?)?),
        0x86 => format!("URI:{}", bounded(content)),
        0x87 => format!("IP Address:{}", address(content)),
        0x88 => format!("Registered ID:{}", Element { tag: super::der::OID, ..name }.oid()?),
        _ => return None,
    })
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

    #[test]
    fn addresses_are_spelled_as_openssl_does() {
        assert_eq!(address(&[10, 1, 2, 3]), "10.1.2.3");
        let mut six = [0; 16];
        (six[0], six[1], six[15]) = (0x20, 0x01, 0xab);
        assert_eq!(address(&six), "2001:0:0:0:0:0:0:AB");
        assert_eq!(address(&[1]), "<invalid>");
    }
}
