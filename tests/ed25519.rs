//! What Ed25519 means here, in numbers: the vectors of RFC 8032, each class of Wycheproof's, and the twelve cases of
//! `ed25519-speccheck` (Chalkias, Garillot, Nikolaenko; IACR ePrint 2020/1244), through SSH signatures and notes alike.
//!
//! All of Wycheproof's run too where `GIT_BASELINE_WYCHEPROOF` names its `ed25519_test.json`.

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::Verifier as _;
use git_baseline::crypto::{NoteKey, NoteKeyType, PrivateKey, Signature, Signer as _, check_key, verify_note};
use git_baseline::domain::{KeyName, NoteSignature, PublicKey};

/// A published case, and what is said of it here.
struct Case {
    name: &'static str,
    key: &'static str,
    message: &'static str,
    signature: &'static str,
    code: &'static str,
    /// Whether a verifier that is not strict accepts it, by the paper's table.
    lenient: bool,
}

const SPECCHECK: [Case; 12] = [
    Case {
        name: "0: key and R of small order",
        key: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        message: "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        signature: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a\
            0000000000000000000000000000000000000000000000000000000000000000",
        code: "GB-SIG-WEAK-KEY",
        lenient: true,
    },
    Case {
        name: "1: key of small order",
        key: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        message: "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        signature: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43\
            a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        code: "GB-SIG-WEAK-KEY",
        lenient: true,
    },
    Case {
        name: "2: R of small order, which every lenient verifier accepts",
        key: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        message: "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        signature: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa\
            8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        code: "GB-SIG-INVALID",
        lenient: true,
    },
    Case {
        name: "3: key and R of mixed order, sound in both equations",
        key: "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        message: "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        signature: "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f\
            87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        code: "holds",
        lenient: true,
    },
    Case {
        name: "4: key and R of mixed order, sound with the cofactor only",
        key: "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        message: "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        signature: "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512\
            5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        code: "GB-SIG-INVALID",
        lenient: false,
    },
    Case {
        name: "5: key of mixed order, sound with the cofactor and unreduced only",
        key: "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        message: "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        signature: "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7\
            e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        code: "GB-SIG-INVALID",
        lenient: false,
    },
    Case {
        name: "6: s above the order",
        key: "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        message: "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        signature: "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e\
            547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        code: "GB-SIG-INVALID",
        lenient: false,
    },
    Case {
        name: "7: s far above the order",
        key: "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        message: "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        signature: "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942\
            7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        code: "GB-SIG-INVALID",
        lenient: false,
    },
    Case {
        name: "8: R not canonical, reduced before hashing",
        key: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        message: "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        signature: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
            03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        code: "GB-SIG-INVALID",
        lenient: false,
    },
    Case {
        name: "9: R not canonical, hashed as it stands",
        key: "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        message: "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        signature: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
            ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        code: "GB-SIG-INVALID",
        lenient: false,
    },
    Case {
        name: "10: key not canonical, reduced before hashing",
        key: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        message: "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        signature: "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc\
            a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        code: "GB-SIG-WEAK-KEY",
        lenient: false,
    },
    Case {
        name: "11: key not canonical, hashed as it stands",
        key: "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        message: "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        signature: "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc\
            a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        code: "GB-SIG-WEAK-KEY",
        lenient: true,
    },
];

/// RFC 8032 §7.1: key, message, signature.
const RFC_8032: [[&str; 3]; 4] = [
    [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        TEST_1024,
        "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350\
         aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03",
    ],
];

/// The message of RFC 8032's "TEST 1024", which has 1023 bytes.
const TEST_1024: &str = "\
    08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1\
    e355f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d\
    658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a\
    7363c344fe6b199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e\
    06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc10\
    3b6621fcde2beca1231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed1\
    85ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d\
    502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f270\
    88d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089b\
    eccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba\
    b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969b\
    e3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb7\
    51fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda0847dd988d\
    cda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34df\
    f7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7\
    984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e4\
    88acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc820e308aa342721aac09\
    43bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5f\
    b93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f161\
    0e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d\
    b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef68d3a101e8a3b8ca\
    c60c905c15fc910840b94c00a0b9d0";

/// Every encoding of the eight points of small order that some verifier reads.
const SMALL_ORDER: [(&str, &str); 14] = [
    ("order 1", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("order 4, negative", "0000000000000000000000000000000000000000000000000000000000000080"),
    ("order 8, first", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("order 8, first, negative", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    ("order 8, second", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("order 8, second, negative", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    ("order 1, negative zero", "0100000000000000000000000000000000000000000000000000000000000080"),
    ("order 2, negative zero", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("order 1, y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order 1, y = p + 1, negative zero", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("order 4, y = p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("order 4, y = p, negative", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
];

/// The order of the group, least significant byte first.
const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn point(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

/// Key, message and signature; returns the code, or that it holds.
type Judge = fn([u8; 32], &[u8], &[u8]) -> &'static str;

/// What is said of a signature under a note.
fn judge(key: [u8; 32], message: &[u8], signature: &[u8]) -> &'static str {
    let name = KeyName::parse("example.org").unwrap();
    let key = match NoteKey::new(name.clone(), NoteKeyType::Log, key) {
        Ok(key) => key,
        Err(defect) => return defect.code(),
    };
    let line = NoteSignature { name, key_id: key.id(), signature: signature.to_vec() };
    verify_note(&key, message, &line).map_or_else(|defect| defect.code(), |()| "holds")
}

fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
}

fn ssh_key(key: [u8; 32]) -> PublicKey {
    let mut wire = Vec::new();
    put_string(&mut wire, b"ssh-ed25519");
    put_string(&mut wire, &key);
    PublicKey::from_wire(wire)
}

/// What is said of an SSH signature in the namespace `test`, from its armour on.
fn judge_ssh(key: [u8; 32], message: &[u8], signature: &[u8]) -> &'static str {
    let (mut blob, mut proof) = (b"SSHSIG\0\0\0\x01".to_vec(), Vec::new());
    put_string(&mut proof, b"ssh-ed25519");
    put_string(&mut proof, signature);
    for field in [ssh_key(key).as_wire(), b"test", b"", b"sha512", &proof] {
        put_string(&mut blob, field);
    }
    let lines: Vec<_> = Base64::encode_string(&blob).into_bytes().chunks(70).map(<[u8]>::to_vec).collect();
    let body = String::from_utf8(lines.join(&b'\n')).unwrap();
    let armor = format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n");
    Signature::parse_armor(armor.as_bytes())
        .and_then(|signature| signature.check("test", message))
        .map_or_else(|defect| defect.code(), |()| "holds")
}

/// The key, and the 64 bytes that it produces for a note and for an SSH signature in the namespace `test`.
fn produced(message: &[u8]) -> ([u8; 32], Vec<u8>, Vec<u8>) {
    let key = PrivateKey::generate([7; 32]);
    let armor = key.sign("test", message).unwrap().to_armor();
    let body: String = armor.lines().filter(|line| !line.starts_with('-')).collect();
    let bare = *Base64::decode_vec(&body).unwrap().last_chunk::<64>().unwrap();
    let public = *key.public_key().as_wire().last_chunk::<32>().unwrap();
    (public, key.sign_note(message).unwrap().to_vec(), bare.to_vec())
}

/// Adds to the scalar of a signature, or says that the sum needs more than 256 bits.
fn add_to_scalar(signature: &[u8], addend: &[u8]) -> Option<Vec<u8>> {
    let (mut sum, mut carry) = (signature[..32].to_vec(), 0);
    for (digit, other) in signature[32..].iter().zip(addend) {
        carry += u16::from(*digit) + u16::from(*other);
        sum.push((carry & 0xff).try_into().unwrap());
        carry >>= 8;
    }
    (carry == 0).then_some(sum)
}

#[test]
fn the_vectors_of_rfc_8032_hold_for_their_messages_only() {
    assert_eq!(hex(TEST_1024).len(), 1023);
    for [key, message, signature] in RFC_8032 {
        let (key, message, signature) = (point(key), hex(message), hex(signature));
        assert_eq!(judge(key, &message, &signature), "holds");
        assert_eq!(judge(key, &[&message[..], b"\0"].concat(), &signature), "GB-SIG-INVALID");
        for [other, _, another] in RFC_8032 {
            if point(other) != key {
                assert_eq!(judge(point(other), &message, &signature), "GB-SIG-INVALID");
                assert_eq!(judge(key, &message, &hex(another)), "GB-SIG-INVALID");
            }
        }
    }
}

#[test]
fn the_twelve_cases_get_the_strict_answer() {
    for case in &SPECCHECK {
        let (key, message, signature) = (point(case.key), hex(case.message), hex(case.signature));
        assert_eq!(judge(key, &message, &signature), case.code, "{}", case.name);
        // The paper's column for this very library without strictness: so the cases are what they say.
        let lenient = ed25519_dalek::VerifyingKey::from_bytes(&key)
            .and_then(|key| key.verify(&message, &ed25519_dalek::Signature::from_slice(&signature)?));
        assert_eq!(lenient.is_ok(), case.lenient, "{}, without strictness", case.name);
    }
}

#[test]
fn no_other_spelling_of_a_sound_signature_holds() {
    let message = b"configuration\n";
    let (key, note, ssh) = produced(message);
    assert_eq!((judge(key, message, &note), judge_ssh(key, message, &ssh)), ("holds", "holds"));
    for (judge, good) in [(judge as Judge, note), (judge_ssh, ssh)] {
        let mut cases: Vec<(String, Vec<u8>, &str)> = Vec::new();
        let mut sum = Some(good.clone());
        for times in 1.. {
            sum = sum.and_then(|sum| add_to_scalar(&sum, &hex(L)));
            let Some(sum) = sum.clone() else { break };
            cases.push((format!("s + {times} L"), sum, "GB-SIG-INVALID"));
        }
        assert!(cases.len() > 10, "the order has 253 bits");
        for bit in [253, 254, 255] {
            let mut high = good.clone();
            high[32 + bit / 8] |= 1 << (bit % 8);
            cases.push((format!("s + 2^{bit}"), high, "GB-SIG-INVALID"));
        }
        for bit in 0..512 {
            let mut changed = good.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            cases.push((format!("bit {bit} turned"), changed, "GB-SIG-INVALID"));
        }
        for length in 0..64 {
            cases.push((format!("cut off after {length}"), good[..length].to_vec(), "GB-SIG-MALFORMED"));
        }
        for (name, tail) in [("a zero byte more", &b"\0"[..]), ("white space", b"  "), ("the key after it", &key)] {
            cases.push((name.into(), [&good[..], tail].concat(), "GB-SIG-MALFORMED"));
        }
        cases.push(("a zero byte before it".into(), [b"\0", &good[..]].concat(), "GB-SIG-MALFORMED"));
        cases.push(("R and s the other way round".into(), [&good[32..], &good[..32]].concat(), "GB-SIG-INVALID"));
        let p = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
        let one = "0100000000000000000000000000000000000000000000000000000000000000";
        let order_less_one = L.replacen("ed", "ec", 1);
        for r in [&"00".repeat(32), one, L, p] {
            for s in [&"00".repeat(32), one, &order_less_one, L, p, &"ff".repeat(32)] {
                cases.push((format!("R = {r}, s = {s}"), hex(&format!("{r}{s}")), "GB-SIG-INVALID"));
            }
        }
        for (name, r) in SMALL_ORDER {
            for s in [&good[32..], &[0; 32]] {
                cases.push((format!("R of {name}"), [&hex(r), s].concat(), "GB-SIG-INVALID"));
            }
        }
        for (name, case, code) in cases {
            assert_eq!(judge(key, message, &case), code, "{name}");
        }
    }
}

#[test]
fn no_key_is_taken_that_others_can_sign_for_or_that_has_a_second_spelling() {
    let message = b"configuration\n";
    let trivial = [&hex(SMALL_ORDER[0].1)[..], &[0; 32]].concat();
    let mut cases: Vec<(String, [u8; 32])> =
        SMALL_ORDER.iter().map(|(name, key)| ((*name).to_owned(), point(key))).collect();
    for above in 0..19 {
        // y = p + above, which fits in 255 bits, with either sign.
        let mut key = [0xff; 32];
        key[0] = 0xed + above;
        cases.push((format!("y = p + {above}, negative"), key));
        key[31] = 0x7f;
        cases.push((format!("y = p + {above}"), key));
    }
    let mut off = [0; 32];
    off[0] = 2;
    cases.push(("not on the curve".into(), off));
    for (name, key) in cases {
        for signature in [trivial.clone(), vec![0; 64], [&key[..], &[0; 32]].concat()] {
            assert_eq!(judge(key, message, &signature), "GB-SIG-WEAK-KEY", "{name}");
            assert_eq!(judge_ssh(key, message, &signature), "GB-SIG-WEAK-KEY", "{name}");
        }
        assert_eq!(check_key(&ssh_key(key)).unwrap_err().code(), "GB-SIG-WEAK-KEY", "{name}");
    }
}

#[test]
fn all_of_wycheproofs_vectors_get_the_published_answer() {
    let Some(path) = std::env::var_os("GIT_BASELINE_WYCHEPROOF") else {
        return println!("skipped: GIT_BASELINE_WYCHEPROOF names no ed25519_test.json");
    };
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut run, mut wrong) = (0, Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = point(group["publicKey"]["pk"].as_str().unwrap());
        for test in group["tests"].as_array().unwrap() {
            let bytes = |name: &str| hex(test[name].as_str().unwrap());
            let found = judge(key, &bytes("msg"), &bytes("sig"));
            run += 1;
            if (found == "holds") != (test["result"] == "valid") {
                wrong.push(format!("{}: {found}, not {}", test["tcId"], test["result"]));
            }
        }
    }
    println!("{run} vectors");
    assert!(run > 100 && wrong.is_empty(), "{wrong:#?}");
}
