//! The tree against the reference vectors of RFC 6962, and against a plain transcription of its definitions.

use proptest::prelude::*;

use super::*;

/// The leaves of the certificate-transparency reference tests.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const NODE_2_3: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const NODE_4_5: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const NODE_6_7: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const NODE_4_7: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

fn reference(count: usize) -> Vec<Sha256Digest> {
    LEAVES[..count].iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn hashes(count: usize) -> Vec<Sha256Digest> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

fn head(hashes: &[Sha256Digest]) -> LogHead {
    LogHead { root: merkle_root(hashes), size: hashes.len() as u64 }
}

fn hex(proof: Option<Vec<Sha256Digest>>) -> Vec<String> {
    proof.unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn roots_are_those_of_the_reference_vectors() {
    assert_eq!(merkle_root(&[]).to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (at, root) in ROOTS.iter().enumerate() {
        assert_eq!(merkle_root(&reference(at + 1)).to_string(), *root);
    }
}

#[test]
fn proofs_are_those_of_the_reference_vectors() {
    let inclusion = |index, size| hex(inclusion_proof(&reference(size), index));
    assert_eq!(inclusion(0, 1), Vec::<String>::new());
    assert_eq!(inclusion(0, 8), [LEAF_1, NODE_2_3, NODE_4_7]);
    assert_eq!(inclusion(5, 8), [LEAF_4, NODE_6_7, ROOTS[3]]);
    assert_eq!(inclusion(2, 3), [ROOTS[1]]);
    assert_eq!(inclusion(1, 5), [ROOTS[0], NODE_2_3, LEAF_4]);
    let consistency = |old, size| hex(consistency_proof(&reference(size), old));
    assert_eq!(consistency(1, 1), Vec::<String>::new());
    assert_eq!(consistency(1, 8), [LEAF_1, NODE_2_3, NODE_4_7]);
    assert_eq!(consistency(6, 8), [NODE_4_5, NODE_6_7, ROOTS[3]]);
    assert_eq!(consistency(2, 5), [NODE_2_3, LEAF_4]);
}

/// RFC 6962 §2.1, word for word.
fn naive_root(d: &[Sha256Digest]) -> Sha256Digest {
    match d.len() {
        0 => Sha256Digest::of(b""),
        1 => d[0],
        n => {
            let k = naive_split(n);
            Sha256Digest::of(&[&[1][..], naive_root(&d[..k]).as_bytes(), naive_root(&d[k..]).as_bytes()].concat())
        }
    }
}

fn naive_split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// RFC 6962 §2.1.1, word for word.
fn naive_path(m: usize, d: &[Sha256Digest]) -> Vec<Sha256Digest> {
    if d.len() == 1 {
        return Vec::new();
    }
    let k = naive_split(d.len());
    if m < k {
        [naive_path(m, &d[..k]), vec![naive_root(&d[k..])]].concat()
    } else {
        [naive_path(m - k, &d[k..]), vec![naive_root(&d[..k])]].concat()
    }
}

/// RFC 6962 §2.1.2, word for word.
fn naive_subproof(m: usize, d: &[Sha256Digest], b: bool) -> Vec<Sha256Digest> {
    if m == d.len() {
        return if b { Vec::new() } else { vec![naive_root(d)] };
    }
    let k = naive_split(d.len());
    if m <= k {
        [naive_subproof(m, &d[..k], b), vec![naive_root(&d[k..])]].concat()
    } else {
        [naive_subproof(m - k, &d[k..], false), vec![naive_root(&d[..k])]].concat()
    }
}

#[test]
fn every_proof_of_small_trees_is_the_defined_one_and_proves_that_and_nothing_else() {
    let heads: Vec<_> = (0..=40).map(|count| head(&hashes(count))).collect();
    for size in 1..=40 {
        let tree = hashes(size);
        for index in 0..size {
            let proof = inclusion_proof(&tree, index as u64).unwrap();
            assert_eq!(proof, naive_path(index, &tree));
            for (other, leaf) in tree.iter().enumerate() {
                let verdict = verify_inclusion(leaf, other as u64, &heads[size], &proof);
                assert_eq!(verdict.is_ok(), other == index, "leaf {other} by the proof of {index} of {size}");
                let moved = verify_inclusion(&tree[index], other as u64, &heads[size], &proof);
                assert_eq!(moved.is_ok(), other == index, "leaf {index} of {size} moved to {other}");
            }
        }
        for old in 1..=size {
            let proof = consistency_proof(&tree, old as u64).unwrap();
            assert_eq!(proof, naive_subproof(old, &tree, true));
            for other in 1..=40 {
                let verdict = verify_consistency(&heads[other], &heads[size], &proof);
                assert_eq!(verdict.is_ok(), other == old, "{other} by the proof of {old} in {size}");
                if other != size {
                    assert!(verify_consistency(&heads[old], &heads[other], &proof).is_err(), "{old} in {other}");
                }
            }
        }
    }
}

#[test]
fn the_ends_of_the_range_have_answers() {
    let (tree, none) = (hashes(5), Vec::new());
    let (five, empty) = (head(&tree), head(&[]));
    assert_eq!(
        (inclusion_proof(&tree, 5), inclusion_proof(&tree, u64::MAX), inclusion_proof(&[], 0)),
        (None, None, None)
    );
    assert_eq!((consistency_proof(&tree, 6), consistency_proof(&tree, u64::MAX)), (None, None));
    assert_eq!((consistency_proof(&tree, 0), consistency_proof(&[], 0)), (Some(none.clone()), Some(none)));
    assert_eq!(verify_inclusion(&tree[0], 5, &five, &[]), Err(MerkleDefect::Range));
    assert_eq!(verify_inclusion(&tree[0], 0, &empty, &[]), Err(MerkleDefect::Range));
    assert_eq!(verify_inclusion(&tree[0], 0, &five, &[]), Err(MerkleDefect::Length));
    assert_eq!(verify_inclusion(&tree[0], 0, &five, &vec![tree[1]; 100_000]), Err(MerkleDefect::Length));
    assert_eq!(verify_consistency(&empty, &five, &[]), Ok(()));
    assert_eq!(verify_consistency(&empty, &empty, &[]), Ok(()));
    assert_eq!(verify_consistency(&five, &five, &[]), Ok(()));
    assert_eq!(verify_consistency(&empty, &five, &[tree[0]]), Err(MerkleDefect::Length));
    assert_eq!(verify_consistency(&five, &five, &[tree[0]]), Err(MerkleDefect::Length));
    assert_eq!(verify_consistency(&five, &empty, &[]), Err(MerkleDefect::Range));
    let four = head(&tree[..4]);
    assert_eq!(verify_consistency(&four, &five, &[]), Err(MerkleDefect::Length));
    assert_eq!(verify_consistency(&head(&tree[..3]), &five, &[]), Err(MerkleDefect::Length));
    assert_eq!(verify_consistency(&four, &five, &vec![tree[4]; 100_000]), Err(MerkleDefect::Length));
    // An empty tree has one root only, and trees of one size are one tree.
    let forged = LogHead { root: five.root, size: 0 };
    assert_eq!(verify_consistency(&forged, &five, &[]), Err(MerkleDefect::Root));
    assert_eq!(verify_consistency(&forged, &forged, &[]), Err(MerkleDefect::Root));
    assert_eq!(verify_consistency(&empty, &forged, &[]), Err(MerkleDefect::Root));
    let fork = LogHead { root: four.root, size: 5 };
    assert_eq!(verify_consistency(&five, &fork, &[]), Err(MerkleDefect::Root));
}

/// Returns a proof with one thing changed in each way.
fn spoiled(proof: &[Sha256Digest], at: usize, byte: usize, bit: u8) -> Vec<Vec<Sha256Digest>> {
    let mut all = Vec::new();
    let extra = Sha256Digest::of(b"extra");
    for place in 0..=proof.len() {
        let mut longer = proof.to_vec();
        longer.insert(place, extra);
        all.push(longer);
    }
    if !proof.is_empty() {
        let at = at % proof.len();
        let mut changed = *proof[at].as_bytes();
        changed[byte] ^= 1 << bit;
        all.push([&proof[..at], &[Sha256Digest::from_bytes(changed)], &proof[at + 1..]].concat());
        all.push([&proof[..at], &proof[at + 1..]].concat());
        let mut turned = proof.to_vec();
        turned.reverse();
        if turned != proof {
            all.push(turned);
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn large_trees_have_the_defined_roots_and_proofs(size in 1..3000_usize, index: prop::sample::Index) {
        let (tree, at) = (hashes(size), index.index(size));
        prop_assert_eq!(merkle_root(&tree), naive_root(&tree));
        prop_assert_eq!(inclusion_proof(&tree, at as u64), Some(naive_path(at, &tree)));
        prop_assert_eq!(consistency_proof(&tree, at as u64 + 1), Some(naive_subproof(at + 1, &tree, true)));
    }

    #[test]
    fn whatever_is_changed_in_a_proof_refutes_it(
        size in 1..2000_usize, index: prop::sample::Index, hash in 0..16_usize, byte in 0..32_usize, bit in 0..8_u8,
    ) {
        let (tree, at) = (hashes(size), index.index(size));
        let all = head(&tree);
        let proof = inclusion_proof(&tree, at as u64).unwrap();
        prop_assert_eq!(verify_inclusion(&tree[at], at as u64, &all, &proof), Ok(()));
        for bad in spoiled(&proof, hash, byte, bit) {
            prop_assert!(verify_inclusion(&tree[at], at as u64, &all, &bad).is_err());
        }
        let old = head(&tree[..=at]);
        let proof = consistency_proof(&tree, old.size).unwrap();
        prop_assert_eq!(verify_consistency(&old, &all, &proof), Ok(()));
        for bad in spoiled(&proof, hash, byte, bit) {
            prop_assert!(verify_consistency(&old, &all, &bad).is_err());
        }
        let mut root = *old.root.as_bytes();
        root[byte] ^= 1 << bit;
        let forged = LogHead { root: Sha256Digest::from_bytes(root), ..old };
        prop_assert!(verify_consistency(&forged, &all, &proof).is_err());
        let forged = LogHead { root: forged.root, ..all };
        prop_assert!(verify_consistency(&old, &forged, &proof).is_err());
    }

    #[test]
    fn sizes_without_bound_and_proofs_of_any_length_end_in_an_answer(
        sizes: [u64; 2], edge in 0..5_u64, index: u64, seeds in prop::collection::vec(any::<u8>(), 0..140),
    ) {
        let proof: Vec<_> = seeds.iter().map(|seed| Sha256Digest::of(&[*seed])).collect();
        let root = Sha256Digest::of(b"root");
        for [old, new] in [sizes, [edge, sizes[0]], [sizes[0], u64::MAX - edge], [1 << 63, u64::MAX]] {
            let (old, new) = (LogHead { root, size: old }, LogHead { root, size: new });
            prop_assert!(verify_consistency(&old, &new, &proof).is_err() || old == new);
            prop_assert!(verify_inclusion(&root, index, &new, &proof).is_err());
            prop_assert!(verify_inclusion(&root, new.size.wrapping_sub(1), &new, &proof).is_err() || new.size == 1);
        }
    }
}

#[test]
fn the_roots_over_every_beginning_are_those_of_the_definition() {
    let hashes: Vec<Sha256Digest> = (0..70_u8).map(|leaf| leaf_hash(&[leaf])).collect();
    let sizes: BTreeSet<usize> = (0..=70).collect();
    let roots = prefix_roots(&hashes, &sizes);
    assert_eq!(roots.len(), 71);
    for (size, root) in roots {
        assert_eq!(root, merkle_root(&hashes[..size]), "size {size}");
    }
    assert!(prefix_roots(&hashes, &BTreeSet::from([71])).is_empty());
}
