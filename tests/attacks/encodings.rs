//! A16: one meaning, validly signed, in other bytes than the one encoding.

use git_baseline::codec;
use git_baseline::domain::Release;

use crate::team::{LOG, Team};

type Spelling = (&'static str, &'static str, fn(&[u8]) -> Vec<u8>);

/// Where the text `name` of a map stands.
fn place(bytes: &[u8], key: &str) -> usize {
    let mut wanted = vec![0x60 + u8::try_from(key.len()).unwrap()];
    wanted.extend(key.as_bytes());
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap()
}

fn spliced(bytes: &[u8], from: usize, to: usize, new: &[u8]) -> Vec<u8> {
    [&bytes[..from], new, &bytes[to..]].concat()
}

const SPELLINGS: &[Spelling] = &[
    ("one byte too many", "GB-FMT-TRAILING", |bytes| [bytes, &[0]].concat()),
    ("cut off", "GB-FMT-TRUNCATED", |bytes| bytes[..bytes.len() - 1].to_vec()),
    ("in a tag", "GB-FMT-TAG", |bytes| [&[0xd9, 0xd9, 0xf7], bytes].concat()),
    ("a number in more bytes", "GB-FMT-NOT-SHORTEST", |bytes| {
        let at = place(bytes, "sequence") + 9;
        spliced(bytes, at, at + 1, &[0x18, bytes[at]])
    }),
    ("a number as a float", "GB-FMT-FLOAT", |bytes| {
        let at = place(bytes, "sequence") + 9;
        spliced(bytes, at, at + 1, &[0xf9, 0x40, 0])
    }),
    ("a text of unknown length", "GB-FMT-INDEFINITE", |bytes| {
        let at = place(bytes, "name") + 5;
        spliced(bytes, at, at + 6, b"\x7f\x651.1.0\xff")
    }),
    ("a text's length in more bytes", "GB-FMT-NOT-SHORTEST", |bytes| {
        let at = place(bytes, "name") + 5;
        spliced(bytes, at, at + 1, &[0x78, 5])
    }),
    ("no UTF-8", "GB-FMT-UTF8", |bytes| {
        let at = place(bytes, "name") + 6;
        spliced(bytes, at, at + 1, &[0xff])
    }),
    ("a length that no file has", "GB-FMT-TRUNCATED", |bytes| {
        let at = place(bytes, "name") + 5;
        spliced(bytes, at, at + 1, &[0x7b, 0, 0, 1, 0, 0, 0, 0, 0])
    }),
    ("a simple value that means nothing", "GB-FMT-SIMPLE", |bytes| {
        let at = place(bytes, "build") + 6;
        spliced(bytes, at, at + 1, &[0xf7])
    }),
    ("a key that nobody knows", "GB-FMT-FIELD", |bytes| {
        let at = place(bytes, "build");
        spliced(bytes, at, at + 6, b"\x65builx")
    }),
    ("one key twice", "GB-FMT-KEY-TWICE", |bytes| {
        let at = place(bytes, "name");
        spliced(bytes, at, at + 5, &bytes[place(bytes, "gate")..place(bytes, "gate") + 5])
    }),
    ("keys in another order", "GB-FMT-KEY-ORDER", |bytes| {
        let at = place(bytes, "name");
        spliced(bytes, at, at + 5, b"\x64aaaa")
    }),
    ("too deep", "GB-FMT-DEPTH", |bytes| {
        let at = place(bytes, "build") + 6;
        spliced(bytes, at, at + 1, &[[0x81; 300].as_slice(), &[0]].concat())
    }),
];

pub(crate) fn other_spellings() {
    let team = Team::new();
    let bytes = team.blob(&format!("{LOG}:releases/1.1.0/release.cbor"));
    for (at, (what, code, spell)) in SPELLINGS.iter().enumerate() {
        let forged = spell(&bytes);
        assert!(codec::decode::<Release>(&forged).is_err(), "{what}");
        let name = format!("2.0.{at}");
        let mut files = team.released_by(&name, &forged, &["anna", "berta"]);
        files.insert(format!("releases/{name}/release.cbor"), forged);
        team.log(&files);
        team.refused(&["verify", &name], 4, code, &name);
    }
    team.verified(&["1.0.0", "1.1.0"]);
    assert!(codec::decode::<Release>(&bytes).is_ok());
}
