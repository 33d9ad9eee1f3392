//! Begins a baseline: proposes a policy from what the tree holds, and founds the log with trust root 1.
//!
//! Never here: committing for the user, or a second root where a log exists (contract §4, `init`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::codec;
use crate::collect::{self, Entry, Source as _};
use crate::crypto::{ROOT_NAMESPACE, RootSignature, Signer};
use crate::domain::{
    Digest, EntryKind, Floors, Manifest, ObjectId, Person, PersonId, PublicKey, RepoPath, Role, RoleName, Severity,
    Timestamp, TrustRoot,
};
use crate::jobs::checkpoint;
use crate::jobs::log::LOG_REF;
use crate::jobs::{Exit, Failure};
use crate::policy::Policy;
use crate::store::{Identity, IndexSource, RefEdit, Repository, TreeSource};

/// What a baseline is founded with.
pub struct Founding<'a> {
    /// The product's name.
    pub product: &'a str,
    /// Its document id; may be empty.
    pub document_id: &'a str,
    /// The founder's id.
    pub person: PersonId,
    /// His name in print.
    pub name: &'a str,
    /// His address.
    pub email: &'a str,
    /// The last commit before control; none where control covers the whole history.
    pub control_start: Option<ObjectId>,
    /// 32 random bytes.
    pub nonce: [u8; 32],
    /// Now.
    pub now: Timestamp,
    /// A plain key of the founder's that signs checkpoints, where his own is a security key, which cannot.
    pub log_signer: Option<&'a dyn Signer>,
}

/// Founds the log with trust root 1, and returns its fingerprint.
///
/// # Errors
/// `GB-LOG-EXISTS` where there is a log already; where the key cannot sign, or the repository cannot be written.
pub fn found(repository: &Repository, founding: &Founding<'_>, signer: &dyn Signer) -> Result<Digest, Failure> {
    if repository.reference(LOG_REF)?.is_some() {
        return Err(Failure::new(Exit::Usage, "GB-LOG-EXISTS", format!("this repository has {LOG_REF} already"))
            .because("a second first root would be another baseline")
            .hint("git baseline trust show"));
    }
    if !crate::crypto::is_plain(signer.public_key()) && founding.log_signer.is_none() {
        return Err(Failure::new(Exit::Usage, "GB-KEY-LOG", "a security key cannot sign checkpoints of the log")
            .because("their format (C2SP) knows plain Ed25519 keys only")
            .hint("name a plain key for that besides: `--log-key FILE`"));
    }
    let root = first_root(founding, repository, signer);
    let bytes = codec::encode(None, &root);
    let signature = signer.sign(ROOT_NAMESPACE, &bytes).map_err(|error| {
        Failure::new(Exit::Usage, error.code(), "the trust root could not be signed").because(error)
    })?;
    let armour = signature.to_armor();
    let name = Digest::of(armour.as_bytes());
    crate::crypto::first_root::<Failure>(&bytes, &[RootSignature { signature, position: None }], |_| Ok(root))?;
    let files = BTreeMap::from([
        ("trust/1/root.cbor".to_owned(), bytes.clone()),
        (format!("trust/1/signatures/{name}.sig"), armour.into_bytes()),
    ]);
    let identity =
        Identity { name: founding.name.to_owned(), email: founding.email.to_owned(), time: founding.now.seconds() };
    let message = format!("Found the baseline of {}\n", founding.product);
    let origin = origin(founding);
    let mut leaves = Vec::new();
    for (path, bytes) in &files {
        leaves.push(codec::leaf(path, &Digest::of(bytes), None));
    }
    let derived = checkpoint::derived(&origin, &leaves, founding.log_signer.unwrap_or(signer))?;
    let new = repository.append_to_log(None, &files, Some(&derived), &identity, &message)?;
    repository.update_refs(&[RefEdit { name: LOG_REF.to_owned(), expected: None, new, message }])?;
    Ok(Digest::of(&bytes))
}

fn first_root(founding: &Founding<'_>, repository: &Repository, signer: &dyn Signer) -> TrustRoot {
    let person = founding.person.clone();
    // A founder alone holds every role but the bot's; others join with `trust add-person`.
    let roles = RoleName::ALL.into_iter().filter(|role| *role != RoleName::Bot);
    TrustRoot {
        log: None,
        time: founding.now,
        nonce: founding.nonce,
        roles: roles.map(|name| Role { name, persons: vec![person.clone()], threshold: 1 }).collect(),
        floors: Floors { block: Severity::Critical, approvals: 0, change_control: false, emergency_days: 30 },
        origin: origin(founding),
        persons: vec![Person {
            id: founding.person.clone(),
            keys: keys_of(founding, signer),
            name: founding.name.to_owned(),
            emails: vec![founding.email.to_owned()],
        }],
        product: founding.product.to_owned(),
        quorums: Vec::new(),
        version: 1,
        witnesses: Vec::new(),
        document_id: founding.document_id.to_owned(),
        predecessor: None,
        revocations: Vec::new(),
        control_start: founding.control_start,
        object_format: repository.object_format(),
        witness_quorum: 0,
    }
}

fn keys_of(founding: &Founding<'_>, signer: &dyn Signer) -> Vec<PublicKey> {
    let all = [Some(signer), founding.log_signer].into_iter().flatten();
    let keys: BTreeSet<PublicKey> = all.map(|signer| signer.public_key().clone()).collect();
    keys.into_iter().collect()
}

/// The log's name in checkpoints: the product in plain letters, and enough of the nonce to be unique.
fn origin(founding: &Founding<'_>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let product: String = founding.product.chars().take(40).map(plain).collect();
    let unique = founding.nonce.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("git-baseline/{product}/{unique}")
}

/// Folders that hold test keys and examples in most projects; excluded visibly, for the user to strike out.
const FIXTURES: [&str; 8] = ["test", "tests", "testdata", "fixtures", "examples", "spec", "node_modules", "vendor"];

/// Returns the text of a policy that declares what HEAD holds; on an unborn branch, what is staged.
///
/// # Errors
/// Where an object is missing or malformed.
pub fn proposal(repository: &Repository, product: &str, document_id: &str) -> Result<String, Failure> {
    let policy = Policy::built_in();
    let (manifest, entries) = if let Some(tree) = repository.head_tree()? {
        let source = TreeSource::new(repository, tree);
        (collect::collect(&source, &policy)?.manifest, source.entries()?)
    } else {
        let source = IndexSource::open(repository)?;
        (collect::collect(&source, &policy)?.manifest, source.entries()?)
    };
    Ok(propose_policy(product, document_id, &manifest, &file_paths(&entries)))
}

/// Returns the text of a policy that declares what a manifest found.
fn propose_policy(product: &str, document_id: &str, manifest: &Manifest, entries: &[RepoPath]) -> String {
    let mut text = String::from(
        "# The policy of this product's baseline. Reference: docs/policy.md of git-baseline.\n\
         # Patterns are as in .gitignore, from the root; the last match wins. Review like code.\n\n",
    );
    let quoted = |text: &str| format!("{:?}", text.chars().filter(|c| !c.is_control()).collect::<String>());
    let _ = writeln!(text, "[product]\nname = {}", quoted(product));
    let _ = writeln!(text, "document_id = {}\n", quoted(document_id));
    text.push_str(
        "[change_control]\nrequired = false          # true: each commit that changes an item names a change request\n\
         trailer = \"Change-Request\"\napprovals = 1\nemergency_days = 7\n\n\
         [checks]\nblock = \"high\"            # the mildest severity that stops a release\n\
         rsa_min_bits = 2048\nexpiring_soon_days = 30\nmax_leaf_days = 398\n\n\
         # Controlled process documents, one or more a phase:\n\
         # [[process]]\n# phase = \"development\"     # development, maintenance, support\n\
         # document_id = \"CMP-001\"\n# path = \"docs/cm-plan.md\"\n",
    );
    let excluded = fixture_folders(entries);
    for item in manifest.items.iter().filter(|item| !below_any(&item.path, &excluded)) {
        if item.path.as_bytes().starts_with(b".baseline/") {
            continue;
        }
        let Ok(path) = std::str::from_utf8(item.path.as_bytes()) else { continue };
        let _ = write!(text, "\n[[item]]\npattern = {}\nkind = {}\n", quoted(&escape(path)), quoted(&item.kind));
        let _ = writeln!(text, "class = {}", quoted(item.class.as_str()));
    }
    for folder in &excluded {
        let _ = write!(text, "\n[[exclude]]\npattern = {}\n", quoted(&format!("{}/", escape(folder))));
        text.push_str("reason = \"proposed by init: looks like fixtures or third-party code; strike out what is part of the product\"\n");
    }
    text
}

/// Returns a pattern that matches this path alone, from the root.
fn escape(path: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | '\\' | '!' | '#');
    let mut pattern = String::from("/");
    for c in path.chars() {
        if special(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn fixture_folders(entries: &[RepoPath]) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for path in entries {
        let Ok(text) = std::str::from_utf8(path.as_bytes()) else { continue };
        let mut prefix = String::new();
        for name in text.split('/') {
            let is_file = prefix.len() + name.len() + usize::from(!prefix.is_empty()) == text.len();
            if is_file {
                break;
            }
            if !prefix.is_empty() {
                prefix.push('/');
            }
            prefix.push_str(name);
            if FIXTURES.contains(&name) {
                folders.insert(prefix);
                break;
            }
        }
    }
    folders
}

fn below_any(path: &RepoPath, folders: &BTreeSet<String>) -> bool {
    folders
        .iter()
        .any(|folder| path.as_bytes().strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.starts_with(b"/")))
}

/// Returns the paths of entries that are files or links.
fn file_paths(entries: &[Entry]) -> Vec<RepoPath> {
    entries.iter().filter(|entry| entry.mode.kind() != EntryKind::Gitlink).map(|entry| entry.path.clone()).collect()
}
