//! Signatures under notes: the example of the specification, each binding, and what no key signs bare.

use super::super::testing::{Token, key};
use super::super::{SIGN_OFF_NAMESPACE, signed_data};
use super::*;

/// The example of C2SP signed-note.
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE: &str = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
const BODY: &str = "example.com/log\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
const TIME: u64 = 1_679_315_147;

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn log_key(seed: u8) -> NoteKey {
    NoteKey::from_public_key(name("example.com/log"), NoteKeyType::Log, key(seed).public_key()).unwrap()
}

fn witness(seed: u8) -> NoteKey {
    NoteKey::from_public_key(name("witness.example"), NoteKeyType::Witness, key(seed).public_key()).unwrap()
}

fn signed(signatures: Vec<NoteSignature>) -> SignedNote {
    SignedNote { text: BODY.to_owned(), signatures }
}

fn code<T>(verdict: Result<T, SignatureDefect>) -> &'static str {
    verdict.map_or_else(|defect| defect.code(), |_| "holds")
}

#[test]
fn the_example_of_the_specification_holds() {
    let example = NoteKey::parse(VKEY).unwrap();
    assert_eq!((example.to_string().as_str(), example.id()), (VKEY, [0x53, 0x0d, 0x90, 0x3a]));
    assert_eq!((example.name().as_str(), example.key_type()), ("example.com/foo", NoteKeyType::Log));
    let bytes = Base64::decode_vec(EXAMPLE).unwrap();
    let line = NoteSignature {
        name: name("example.com/foo"),
        key_id: bytes[..4].try_into().unwrap(),
        signature: bytes[4..].to_vec(),
    };
    assert_eq!(verify_note(&example, b"This is an example message.\n", &line), Ok(()));
    assert_eq!(verify_note(&example, b"This is an example message.", &line), Err(SignatureDefect::Invalid));
}

#[test]
fn a_verifier_key_has_one_spelling() {
    let good = witness(1).to_string();
    assert_eq!(NoteKey::parse(&good), Ok(witness(1)));
    let id = Hex(witness(1).id()).to_string();
    let (_, encoded) = good.rsplit_once(&format!("+{id}+")).unwrap();
    let of = |bytes: &[u8]| format!("witness.example+{id}+{}", Base64::encode_string(bytes));
    let weak = of(&[&[4][..], &[1], &[0; 31]].concat());
    for (bad, code) in [
        (String::new(), "GB-SIG-MALFORMED"),
        (good.replacen('+', " ", 1), "GB-SIG-MALFORMED"),
        (format!("+{id}+{encoded}"), "GB-SIG-MALFORMED"),
        (format!("a b+{id}+{encoded}"), "GB-SIG-MALFORMED"),
        (format!("other.example+{id}+{encoded}"), "GB-SIG-MALFORMED"),
        (format!("witness.example+00000000+{encoded}"), "GB-SIG-MALFORMED"),
        (format!("witness.example+{}+{encoded}", id.to_uppercase()), "GB-SIG-MALFORMED"),
        (format!("witness.example+0{id}+{encoded}"), "GB-SIG-MALFORMED"),
        (format!("witness.example+{encoded}"), "GB-SIG-MALFORMED"),
        (format!("{good}="), "GB-SIG-MALFORMED"),
        (format!("{good}\n"), "GB-SIG-MALFORMED"),
        (format!(" {good}"), "GB-SIG-MALFORMED"),
        (of(&[]), "GB-SIG-MALFORMED"),
        (of(&[4; 32]), "GB-SIG-MALFORMED"),
        (of(&[4; 34]), "GB-SIG-MALFORMED"),
        (of(&[6; 33]), "GB-SIG-ALGORITHM"),
        (of(&[2; 33]), "GB-SIG-ALGORITHM"),
        (weak, "GB-SIG-WEAK-KEY"),
    ] {
        assert_ne!(bad, good);
        assert_eq!(NoteKey::parse(&bad).unwrap_err().code(), code, "{bad:?}");
    }
    // Two spellings of one key: their ids differ, so that one line cannot count for both.
    let same = NoteKey::from_public_key(name("witness.example"), NoteKeyType::Log, key(1).public_key()).unwrap();
    assert_eq!(same.point(), witness(1).point());
    assert_eq!(&witness(1).public_key(), key(1).public_key());
    assert_ne!(same.id(), witness(1).id());
}

#[test]
fn a_checkpoint_is_signed_by_its_log_and_cosigned_by_a_witness() {
    let note = signed(vec![
        sign_checkpoint(&key(1), BODY).unwrap(),
        cosign(&key(2), &name("witness.example"), TIME, BODY).unwrap(),
        cosign(&key(2), &name("witness.example"), TIME + 9, BODY).unwrap(),
    ]);
    assert_eq!(log_key(1).check_checkpoint(&note), Ok(()));
    assert_eq!(witness(2).witnessed(&note), Ok(Some(TIME + 9)));
    assert_eq!(witness(3).witnessed(&note), Ok(None));
    assert_eq!(code(log_key(3).check_checkpoint(&note)), "GB-SIG-MISSING");
    let message = format!("cosignature/v1\ntime {TIME}\n{BODY}");
    let proof = key(2).sign_note(message.as_bytes()).unwrap();
    assert_eq!(note.signatures[1].signature, [&TIME.to_be_bytes()[..], &proof].concat());
}

#[test]
fn no_changed_byte_survives() {
    let (log, witness) = (log_key(1), witness(2));
    let lines = vec![sign_checkpoint(&key(1), BODY).unwrap(), cosign(&key(2), witness.name(), TIME, BODY).unwrap()];
    for at in 0..BODY.len() {
        let mut text = BODY.as_bytes().to_vec();
        text[at] ^= 1;
        assert!(verify_note(&log, &text, &lines[0]).is_err(), "byte {at} of the text");
        assert!(verify_cosignature(&witness, &text, &lines[1]).is_err(), "byte {at} of the text");
    }
    for line in &lines {
        for at in 0..line.signature.len() {
            for bit in [0x01, 0x80] {
                let mut changed = line.clone();
                changed.signature[at] ^= bit;
                let verdict = if line == &lines[0] {
                    verify_note(&log, BODY.as_bytes(), &changed)
                } else {
                    verify_cosignature(&witness, BODY.as_bytes(), &changed).map(|_| ())
                };
                assert!(verdict.is_err(), "bit {bit:#x} of byte {at} of {} bytes", line.signature.len());
            }
        }
        for length in [0, 7, 8, line.signature.len() - 1, line.signature.len() + 1] {
            let mut changed = line.clone();
            changed.signature.resize(length, 0);
            let verdicts =
                [code(verify_note(&log, BODY.as_bytes(), &changed)), code(verify_cosignature(&witness, b"", &changed))];
            assert!(verdicts.contains(&"GB-SIG-MALFORMED"), "{length} bytes: {verdicts:?}");
        }
    }
}

#[test]
fn one_bad_line_of_a_known_key_spoils_the_note_and_lines_of_unknown_keys_do_not() {
    let good = sign_checkpoint(&key(1), BODY).unwrap();
    let stranger = NoteSignature { name: name("example.com/log"), key_id: [0; 4], signature: vec![0; 2420] };
    assert_eq!(log_key(1).check_checkpoint(&signed(vec![stranger, good.clone()])), Ok(()));
    let mut forged = good.clone();
    forged.signature[0] ^= 1;
    assert_eq!(code(log_key(1).check_checkpoint(&signed(vec![good.clone(), forged]))), "GB-SIG-INVALID");
    let cosigned = cosign(&key(2), witness(2).name(), TIME, BODY).unwrap();
    let mut forged = cosigned.clone();
    forged.signature[7] ^= 1;
    assert_eq!(code(witness(2).witnessed(&signed(vec![cosigned, forged]))), "GB-SIG-INVALID");
    // The id is of the name too: the line of another name is another key's.
    let renamed = NoteSignature { name: name("other.example"), ..good };
    assert_eq!(code(log_key(1).check_checkpoint(&signed(vec![renamed]))), "GB-SIG-MISSING");
}

#[test]
fn a_signature_made_for_something_else_is_refused() {
    // One key for everything, which is when it matters.
    let (log, witness) = (log_key(1), witness(1));
    let theirs = cosign(&key(1), witness.name(), TIME, BODY).unwrap();
    let own = sign_checkpoint(&key(1), BODY).unwrap();
    let relabelled = NoteSignature { signature: theirs.signature[8..].to_vec(), ..own.clone() };
    assert_eq!(code(verify_note(&log, BODY.as_bytes(), &relabelled)), "GB-SIG-INVALID");
    assert_eq!(code(verify_note(&log, &cosigned(TIME, BODY.as_bytes()), &relabelled)), "GB-SIG-CONTEXT");
    let stamped = [&TIME.to_be_bytes()[..], &own.signature].concat();
    let relabelled = NoteSignature { signature: stamped, ..theirs.clone() };
    assert_eq!(code(verify_cosignature(&witness, BODY.as_bytes(), &relabelled)), "GB-SIG-INVALID");
    assert_eq!(code(verify_note(&witness, BODY.as_bytes(), &theirs)), "GB-SIG-CONTEXT");
    assert_eq!(code(verify_cosignature(&log, BODY.as_bytes(), &own)), "GB-SIG-CONTEXT");
    // Nor does the 64 bytes of an SSHSIG over the same text.
    let sshsig = key(1).sign("git-baseline.release", BODY.as_bytes()).unwrap();
    let borrowed = NoteSignature { signature: last_64_bytes(&sshsig), ..own.clone() };
    assert_eq!(code(verify_note(&log, BODY.as_bytes(), &borrowed)), "GB-SIG-INVALID");
    // Nor a checkpoint of this log by another log's name.
    let other = BODY.replace("example.com/log", "example.com/other");
    let theirs = NoteSignature { signature: key(1).sign_note(other.as_bytes()).unwrap().to_vec(), ..own };
    let note = SignedNote { text: other, signatures: vec![theirs] };
    assert_eq!(code(log.check_checkpoint(&note)), "GB-SIG-CONTEXT");
}

/// What the key itself produced for an SSHSIG.
fn last_64_bytes(signature: &super::super::Signature) -> Vec<u8> {
    let encoded: String = signature.to_armor().lines().filter(|line| !line.starts_with('-')).collect();
    Base64::decode_vec(&encoded).unwrap().last_chunk::<64>().unwrap().to_vec()
}

#[test]
fn a_time_is_a_time() {
    for time in [0, 1 << 63, u64::MAX] {
        assert_eq!(cosign(&key(2), witness(2).name(), time, BODY).unwrap_err().code(), "GB-KEY-SIGN");
        let proof = key(2).sign_note(&cosigned(time, BODY.as_bytes())).unwrap();
        let signature = [&time.to_be_bytes()[..], &proof].concat();
        let line = NoteSignature { name: witness(2).name().clone(), key_id: witness(2).id(), signature };
        assert_eq!(code(verify_cosignature(&witness(2), BODY.as_bytes(), &line)), "GB-SIG-MALFORMED", "{time}");
    }
    let last = i64::MAX.unsigned_abs();
    let line = cosign(&key(2), witness(2).name(), last, BODY).unwrap();
    assert_eq!(verify_cosignature(&witness(2), BODY.as_bytes(), &line), Ok(last));
}

#[test]
fn nothing_but_the_text_of_a_note_is_signed_bare() {
    let challenge = [&[0, 0, 0, 32][..], &[b'x'; 32], b"2ssh-connection\n"].concat();
    for (what, bytes) in [
        ("an SSHSIG", signed_data(SIGN_OFF_NAMESPACE, b"release")),
        ("what begins like one", b"SSHSIG\n".to_vec()),
        ("a challenge of an SSH server", challenge),
        ("text that does not end", b"text".to_vec()),
        ("a control character", b"te\x1bxt\n".to_vec()),
        ("what is no text", b"\xff\n".to_vec()),
        ("nothing", Vec::new()),
    ] {
        assert_eq!(key(1).sign_note(&bytes).unwrap_err().code(), "GB-KEY-SIGN", "{what}");
    }
    assert!(key(1).sign_note(BODY.as_bytes()).is_ok());
    assert!(key(1).sign_note(&cosigned(TIME, BODY.as_bytes())).is_ok());
}

#[test]
fn only_checkpoints_of_a_name_are_signed_and_only_by_plain_keys() {
    let bad = ["", "a b\n1\nx\n", "a+b\n1\nx\n", "\nx\n", "SSHSIG\n1\nx\n", "cosignature/v1\ntime 1\nx\n", "no end"];
    for body in bad {
        assert_eq!(sign_checkpoint(&key(1), body).unwrap_err().code(), "GB-KEY-SIGN", "{body:?}");
    }
    let token = Token::new(2, "ssh:", 1);
    let refused = sign_checkpoint(&token, BODY).unwrap_err();
    assert!(refused.to_string().contains("security key"), "{refused}");
    assert_eq!(cosign(&token, witness(1).name(), TIME, BODY), Err(refused));
    let defect = NoteKey::from_public_key(name("x"), NoteKeyType::Log, token.public_key()).unwrap_err();
    assert_eq!(defect.to_string().split(": ").last(), Some("only plain Ed25519"));
}

#[test]
fn what_a_faulty_keeper_returns_is_not_handed_on() {
    struct Faulty(super::super::PrivateKey);
    impl Signer for Faulty {
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }
        fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<super::super::Signature, SigningError> {
            self.0.sign(namespace, bytes)
        }
        fn sign_note(&self, _: &[u8]) -> Result<[u8; 64], SigningError> {
            self.0.sign_note(b"another text\n")
        }
    }
    assert_eq!(sign_checkpoint(&Faulty(key(1)), BODY).unwrap_err().code(), "GB-KEY-SIGN");
    assert_eq!(cosign(&Faulty(key(1)), witness(1).name(), TIME, BODY).unwrap_err().code(), "GB-KEY-SIGN");
}
