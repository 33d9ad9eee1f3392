//! The policy: which files are items, who owns them, what is left out and why, what a change needs.
//!
//! Parsed strictly from `.baseline/policy.toml` of the commit under examination: an unknown key is an error that
//! names file and line. Never here: trust, which no file of the tree can grant. Reference: docs/policy.md.

mod components_overlay;
mod deviations;
mod key_register;
mod pattern;
mod place;
mod raw;
mod statement_files;

use std::fmt;

use crate::domain::{Digest, Floors, ItemClass, RepoPath, Severity};
pub use components_overlay::{COMPONENTS_PATH, ComponentOverlay, Declared, Stated, Statement};
pub use deviations::{DEVIATIONS_PATH, Deviation};
pub use key_register::{Custody, KEYS_PATH, RegisteredKey, canonical};
use pattern::Pattern;
pub use statement_files::{ChangeFile, verification_record};

/// Where the policy stands in the tree.
pub const POLICY_PATH: &str = ".baseline/policy.toml";

/// The tracked files that are items by built-in rule, with their kinds. No policy can exclude them.
const BUILT_IN: [(&str, &str); 5] = [
    (POLICY_PATH, "baseline-policy"),
    (COMPONENTS_PATH, "baseline-components"),
    (".baseline/services.toml", "baseline-services"),
    (KEYS_PATH, "baseline-keys"),
    (DEVIATIONS_PATH, "baseline-deviations"),
];

/// A parsed policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Digest of the file's bytes; none for the built-in policy.
    pub digest: Option<Digest>,
    /// The product's name and document id, as the policy gives them.
    pub product: Product,
    /// What a change needs.
    pub change_control: ChangeControl,
    /// The controlled process documents.
    pub processes: Vec<Process>,
    /// Thresholds of checks.
    pub checks: Checks,
    /// Severities of rules, where they differ from the register's.
    pub severities: Vec<SeverityRule>,
    /// The severity that the trust root lets stop a release: what is as bad by the register cannot be made milder.
    pub severity_floor: Option<Severity>,
    items: Vec<(Pattern, ItemRule)>,
    excludes: Vec<(Pattern, Exclusion)>,
    scope: Vec<Pattern>,
    /// The policy at the other end of a range that is judged: what either lets in is in.
    also: Option<Box<Self>>,
}

/// `[product]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// The product's name.
    pub name: String,
    /// The document id of its configuration management plan.
    pub document_id: String,
}

/// `[change_control]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeControl {
    /// Whether a commit that changes items must name a change request.
    pub required: bool,
    /// The trailer that names it.
    pub trailer: String,
    /// How many approvals a change needs.
    pub approvals: u64,
    /// Within how many days an emergency must be approved.
    pub emergency_days: u64,
}

/// `[[process]]`: a controlled document of a phase (requirements A1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// `development`, `maintenance` or `support`.
    pub phase: String,
    /// The document's id.
    pub document_id: String,
    /// Where it stands.
    pub path: RepoPath,
}

/// `[checks]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// The mildest severity that stops a release.
    pub block: Severity,
    /// The least length of an RSA key, in bits.
    pub rsa_min_bits: i64,
    /// From how many days before its end a certificate is reported.
    pub expiring_soon_days: i64,
    /// The longest validity of a server's certificate, in days.
    pub max_leaf_days: i64,
    /// After how many days a key or a certificate must have been replaced; none where nobody asks.
    pub rotation_days: Option<i64>,
}

/// One line of `[checks.severity]`. Which rules there are is known to those who judge, not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeverityRule {
    /// The rule's name, as written.
    pub rule: String,
    /// How bad a finding of it is to be.
    pub severity: Severity,
    /// The line, from 1.
    pub line: usize,
}

/// `[[item]]` without its pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemRule {
    /// The kind, where the rule names one.
    pub kind: Option<String>,
    /// The class, where the rule names one.
    pub class: Option<ItemClass>,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// `[[exclude]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The pattern, as written.
    pub pattern: String,
    /// Why.
    pub reason: String,
}

/// What the policy says of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Left out, visibly.
    Excluded,
    /// An item by a rule.
    Declared(ItemRule),
    /// No rule names it: an item if it is recognised.
    Undeclared,
}

/// Why a policy cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Returns the policy of a repository that has none: everything recognised is listed, nothing is required.
    pub fn built_in() -> Self {
        Self {
            digest: None,
            product: Product::default(),
            change_control: ChangeControl::default(),
            processes: Vec::new(),
            checks: Checks::default(),
            severities: Vec::new(),
            severity_floor: None,
            items: Vec::new(),
            excludes: Vec::new(),
            scope: Vec::new(),
            also: None,
        }
    }

    /// Parses `.baseline/policy.toml`.
    ///
    /// # Errors
    /// [`PolicyError`] with file and line: no TOML, an unknown key, a value out of range, an empty pattern.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        raw::parse(bytes)
    }

    /// Returns the policy of a tree: the file's, or the built-in one where there is no file.
    ///
    /// # Errors
    /// As [`Policy::parse`].
    pub fn from_file(bytes: Option<&[u8]>) -> Result<Self, PolicyError> {
        bytes.map_or_else(|| Ok(Self::built_in()), Self::parse)
    }

    /// Returns the policy of a tree for a history that must not stop: where the file cannot be read, the built-in
    /// policy stands in, which hides nothing, under the digest of the file.
    pub fn from_file_or_built_in(bytes: Option<&[u8]>) -> Self {
        Self::from_file(bytes).unwrap_or_else(|_| Self { digest: bytes.map(Digest::of), ..Self::built_in() })
    }

    /// Says what the policy wants done with a path. The last match wins.
    pub fn treatment(&self, path: &RepoPath) -> Treatment {
        match (self.own_treatment(path), &self.also) {
            (Treatment::Excluded, Some(other)) => other.own_treatment(path),
            (Treatment::Undeclared, Some(other)) => match other.own_treatment(path) {
                declared @ Treatment::Declared(_) => declared,
                _ => Treatment::Undeclared,
            },
            (own, _) => own,
        }
    }

    fn own_treatment(&self, path: &RepoPath) -> Treatment {
        if let Some((_, kind)) = BUILT_IN.iter().find(|(built_in, _)| built_in.as_bytes() == path.as_bytes()) {
            let rule = ItemRule { kind: Some((*kind).to_owned()), class: Some(ItemClass::Policy), owner: None };
            return Treatment::Declared(rule);
        }
        let document = self.processes.iter().any(|process| process.path == *path);
        let excluded = last_match(&self.excludes, path).is_some();
        let outside = !self.scope.is_empty() && !in_scope(&self.scope, path);
        match last_match(&self.items, path) {
            _ if (excluded || outside) && !document => Treatment::Excluded,
            Some(rule) => Treatment::Declared(rule.clone()),
            None if document => Treatment::Declared(ItemRule {
                kind: Some("process-document".to_owned()),
                class: Some(ItemClass::Document),
                owner: None,
            }),
            None => Treatment::Undeclared,
        }
    }

    /// Returns what is left out, in the order of the file.
    pub fn exclusions(&self) -> impl Iterator<Item = &Exclusion> {
        self.excludes.iter().map(|(_, exclusion)| exclusion)
    }

    /// Returns the policy by which a range is judged: the union of the scopes and the stricter of the rules at its two
    /// ends, so that no commit of the range can loosen what it is judged by (contract §3.5).
    #[must_use]
    pub fn judged_with(mut self, other: &Self) -> Self {
        let (own, other_control) = (&mut self.change_control, &other.change_control);
        own.required |= other_control.required;
        own.approvals = own.approvals.max(other_control.approvals);
        own.emergency_days = own.emergency_days.min(other_control.emergency_days);
        self.checks.block = self.checks.block.min(other.checks.block);
        self.also = Some(Box::new(other.clone()));
        self
    }

    /// Says whether it lets in what another policy lets in besides.
    pub const fn is_widened(&self) -> bool {
        self.also.is_some()
    }

    /// Returns the policy as the trust root's floors raise it: the stricter of the two counts.
    #[must_use]
    pub fn raised_to(mut self, floors: &Floors) -> Self {
        self.change_control.required |= floors.change_control;
        self.change_control.approvals = self.change_control.approvals.max(floors.approvals);
        self.change_control.emergency_days = self.change_control.emergency_days.min(floors.emergency_days);
        self.checks.block = self.checks.block.min(floors.block);
        self.severity_floor = Some(floors.block);
        self
    }
}

fn last_match<'a, T>(rules: &'a [(Pattern, T)], path: &RepoPath) -> Option<&'a T> {
    let (pattern, value) = rules.iter().rev().find(|(pattern, _)| pattern.matches(path))?;
    (!pattern.is_negative()).then_some(value)
}

fn in_scope(scope: &[Pattern], path: &RepoPath) -> bool {
    scope.iter().rev().find(|pattern| pattern.matches(path)).is_some_and(|pattern| !pattern.is_negative())
}

impl Default for ChangeControl {
    fn default() -> Self {
        Self { required: false, trailer: "Change-Request".to_owned(), approvals: 1, emergency_days: 7 }
    }
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            block: Severity::Critical,
            rsa_min_bits: 2048,
            expiring_soon_days: 30,
            max_leaf_days: 398,
            rotation_days: None,
        }
    }
}
