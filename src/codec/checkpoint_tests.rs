//! Signed notes and checkpoints: the examples of the specifications, and every other spelling.

use proptest::prelude::*;

use super::*;

const CHECKPOINT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const LOG: &str = "\u{2014} example.com/behind-the-sofa \
    Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
const WITNESS: &str = "\u{2014} witness.example.com/w1 \
    jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

fn example() -> String {
    format!("{CHECKPOINT}\n{LOG}{WITNESS}")
}

fn note_code(bytes: &[u8]) -> Result<SignedNote, &'static str> {
    parse_signed_note(bytes).map_err(|defect| defect.code())
}

#[test]
fn the_example_of_the_specification_is_read_and_written_as_it_stands() {
    let note = parse_signed_note(example().as_bytes()).unwrap();
    assert_eq!(note.text, CHECKPOINT);
    let names: Vec<_> = note.signatures.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["example.com/behind-the-sofa", "witness.example.com/w1"]);
    assert_eq!(note.signatures[0].key_id, [0x03, 0x3d, 0xe0, 0xae]);
    assert_eq!((note.signatures[0].signature.len(), note.signatures[1].signature.len()), (64, 72));
    assert_eq!(compose_signed_note(&note), Ok(example()));
    let checkpoint = parse_checkpoint(&note.text).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.head.size), ("example.com/behind-the-sofa", 20_852_163));
    let root = "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62";
    assert_eq!(checkpoint.head.root.to_string(), root);
    assert_eq!(compose_checkpoint(&checkpoint).as_deref(), Ok(CHECKPOINT));
}

#[test]
fn text_may_hold_blank_lines_and_end_in_one() {
    for text in ["Ognuno sta solo\n\ned \u{e8} subito sera.\n", "a\n\n", "\n", "\n\n", "\u{2014} x AAAAAAA=\n"] {
        let whole = format!("{text}\n{LOG}");
        assert_eq!(note_code(whole.as_bytes()).map(|note| note.text).as_deref(), Ok(text));
    }
}

#[test]
fn any_other_spelling_of_a_note_is_refused() {
    let good = example();
    let first = |new: &str| good.replacen("\u{2014} example.com/behind-the-sofa ", new, 1);
    for (what, bad) in [
        ("nothing", String::new()),
        ("no text", format!("\n{LOG}")),
        ("no signatures", format!("{CHECKPOINT}\n")),
        ("no blank line", format!("{CHECKPOINT}{LOG}")),
        ("text alone", CHECKPOINT.to_owned()),
        ("a last line that does not end", good.trim_end().to_owned()),
        ("a blank line at the end", format!("{good}\n")),
        ("a blank line between signatures is the last one", format!("{CHECKPOINT}\n{LOG}\nx\n")),
        ("text after the signatures", format!("{good}x\n")),
        ("a carriage return", good.replace('\n', "\r\n")),
        ("a tab", good.replacen("example", "exam\tple", 1)),
        ("a zero byte", good.replacen("example", "exam\0ple", 1)),
        ("a hyphen", first("- example.com/behind-the-sofa ")),
        ("an en dash", first("\u{2013} example.com/behind-the-sofa ")),
        ("no space after the dash", first("\u{2014}example.com/behind-the-sofa ")),
        ("two spaces after the dash", first("\u{2014}  example.com/behind-the-sofa ")),
        ("two spaces after the name", first("\u{2014} example.com/behind-the-sofa  ")),
        ("a non-breaking space in the name", first("\u{2014} example\u{a0}com ")),
        ("a plus in the name", first("\u{2014} example+com ")),
        ("an empty name", first("\u{2014}  ")),
        ("no name", first("\u{2014} ")),
        ("space at the end", good.replacen("8=\n", "8= \n", 1)),
        ("no padding", good.replacen("8=\n", "8\n", 1)),
        ("bits that mean nothing", good.replacen("AYQ8=\n", "AYQ9=\n", 1)),
        ("the other base64", good.replacen("Myq/5", "Myq_5", 1)),
        ("base64 in two lines", good.replacen("Myq/5", "Myq\n/5", 1)),
        ("four bytes", format!("{CHECKPOINT}\n\u{2014} x AAAAAA==\n")),
        ("three bytes", format!("{CHECKPOINT}\n\u{2014} x AAAA\n")),
        ("no bytes", format!("{CHECKPOINT}\n\u{2014} x \n")),
        ("a byte order mark before a signature", format!("{CHECKPOINT}\n\u{feff}{LOG}")),
    ] {
        assert_ne!(bad, good, "{what} changes nothing");
        assert_eq!(note_code(bad.as_bytes()), Err("GB-LOG-CHECKPOINT"), "{what}");
    }
    assert_eq!(note_code(b"a\n\n\xff\n"), Err("GB-LOG-CHECKPOINT"), "not UTF-8");
    assert_eq!(note_code(&[&b"\xff\n\n"[..], LOG.as_bytes()].concat()), Err("GB-LOG-CHECKPOINT"), "not UTF-8");
}

#[test]
fn notes_have_limits() {
    let lines = |count: usize| format!("{CHECKPOINT}\n{}", LOG.repeat(count));
    assert_eq!(note_code(lines(64).as_bytes()).unwrap().signatures.len(), 64);
    assert_eq!(parse_signed_note(lines(65).as_bytes()), Err(CheckpointDefect::TooManySignatures));
    let room = MOST_BYTES - LOG.len() - 2;
    let long = |size: usize| format!("{}\n\n{LOG}", "x".repeat(size));
    assert!(parse_signed_note(long(room).as_bytes()).is_ok());
    assert_eq!(parse_signed_note(long(room + 1).as_bytes()), Err(CheckpointDefect::TooLarge));
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let good = parse_signed_note(example().as_bytes()).unwrap();
    for text in ["", "no end", "a\n\nb", "bell\u{7}\n"] {
        let bad = SignedNote { text: text.to_owned(), ..good.clone() };
        assert!(compose_signed_note(&bad).is_err(), "{text:?}");
    }
    assert!(compose_signed_note(&SignedNote { signatures: Vec::new(), ..good.clone() }).is_err());
    let empty = NoteSignature { signature: Vec::new(), ..good.signatures[0].clone() };
    assert!(compose_signed_note(&SignedNote { signatures: vec![empty], ..good }).is_err());
    let checkpoint = parse_checkpoint(CHECKPOINT).unwrap();
    for origin in ["", "a\nb", "a\n1", "a\u{1b}"] {
        let bad = Checkpoint { origin: origin.to_owned(), ..checkpoint.clone() };
        assert!(compose_checkpoint(&bad).is_err(), "{origin:?}");
    }
    for line in ["", "a\nb", "a\n"] {
        let bad = Checkpoint { extensions: vec![line.to_owned()], ..checkpoint.clone() };
        assert!(compose_checkpoint(&bad).is_err(), "{line:?}");
    }
}

#[test]
fn any_other_spelling_of_a_checkpoint_is_refused() {
    let with = |old: &str, new: &str| CHECKPOINT.replacen(old, new, 1);
    for (what, bad) in [
        ("nothing", String::new()),
        ("a last line that does not end", CHECKPOINT.trim_end().to_owned()),
        ("an empty origin", with("example.com/behind-the-sofa", "")),
        ("two lines", "a\n1\n".to_owned()),
        ("a leading zero", with("20852163", "020852163")),
        ("a sign", with("20852163", "+20852163")),
        ("a negative size", with("20852163", "-1")),
        ("no size", with("20852163", "")),
        ("a size in another base", with("20852163", "0x1")),
        ("a size beyond 2^64", with("20852163", "18446744073709551616")),
        ("digits of another script", with("20852163", "\u{662}")),
        ("space around the size", with("20852163", "20852163 ")),
        (
            "31 bytes",
            with("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw=="),
        ),
        ("33 bytes", with("q2I=", "q2Jh")),
        ("no padding", with("q2I=", "q2I")),
        ("bits that mean nothing", with("q2I=", "q2J=")),
        ("an empty extension", format!("{CHECKPOINT}\n")),
        ("an empty extension before another", format!("{CHECKPOINT}\nx\n")),
        ("a carriage return", CHECKPOINT.replace('\n', "\r\n")),
        ("an empty log with another root", with("20852163", "0")),
    ] {
        assert_ne!(bad, CHECKPOINT, "{what} changes nothing");
        assert_eq!(parse_checkpoint(&bad).map_err(|defect| defect.code()), Err("GB-LOG-CHECKPOINT"), "{what}");
    }
    let extended = format!("{CHECKPOINT}one\n two\n");
    assert_eq!(parse_checkpoint(&extended).unwrap().extensions, ["one", " two"]);
    let empty = "a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    assert_eq!(parse_checkpoint(empty).unwrap().head, crate::codec::log_head(&[]));
    assert_eq!(parse_checkpoint(&with("20852163", "18446744073709551615")).unwrap().head.size, u64::MAX);
}

proptest! {
    #[test]
    fn any_bytes_end_in_an_answer_and_what_is_read_is_written_so(
        bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,20}(\n\\PC{0,9}){0,4}",
        at: prop::sample::Index, byte: u8,
    ) {
        let mut changed = example().into_bytes();
        let at = at.index(changed.len());
        changed[at] = byte;
        for bytes in [bytes, text.clone().into_bytes(), format!("{text}\n\n{LOG}").into_bytes(), changed] {
            if let Ok(note) = parse_signed_note(&bytes) {
                prop_assert_eq!(compose_signed_note(&note).unwrap().into_bytes(), bytes);
                if let Ok(checkpoint) = parse_checkpoint(&note.text) {
                    prop_assert_eq!(compose_checkpoint(&checkpoint).unwrap(), note.text);
                }
            }
        }
        let _ = parse_checkpoint(&text);
    }
}
