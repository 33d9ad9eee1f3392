//! What a difference means to somebody who knows the field: renewed, widened, weakened, and to whom.
//!
//! Derived from the facts before and after and from nothing else, since a note's text is signed (docs/format.md
//! §5.2). What no family here knows keeps its generic line. Never here: a value that a recogniser withheld.

mod account;
mod certificate;
mod component_list;
mod components;
mod headers;
mod identity;
mod line;
mod network;
mod policy;
mod secrets;
mod settings;
mod ssh;
mod strength;
mod sudoers;
mod table;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::domain::{ComponentDelta, FactChange, ItemDelta};
use account::Account;

pub use component_list::component_statements;
pub use line::fact_line;

/// Which way a change moves the protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Less is protected, or more is allowed.
    Weakened,
    /// More is protected, or less is allowed.
    Hardened,
    /// Neither, or it cannot be told from the facts.
    Neutral,
}

impl Direction {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weakened => "weakened",
            Self::Hardened => "hardened",
            Self::Neutral => "neutral",
        }
    }

    const fn opposite(self) -> Self {
        match self {
            Self::Weakened => Self::Hardened,
            Self::Hardened => Self::Weakened,
            Self::Neutral => Self::Neutral,
        }
    }
}

/// One thing that a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What happened, free of control characters.
    pub text: String,
    /// Which way it moves the protection.
    pub direction: Direction,
    /// Whether it speaks of the item as a whole.
    headline: bool,
}

/// The text, and the direction in brackets where there is one.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.direction {
            Direction::Neutral => f.write_str(&self.text),
            direction => write!(f, "{} ({})", self.text, direction.as_str()),
        }
    }
}

/// Returns what a change did, those of the item as a whole first; nothing when an item was added or removed.
pub fn statements(delta: &ItemDelta) -> Vec<Statement> {
    tell(delta).0
}

/// Returns all statements in one line, if there are any.
pub fn words(delta: &ItemDelta) -> Option<String> {
    let statements = statements(delta);
    (!statements.is_empty()).then(|| joined(statements.iter()))
}

/// Returns what stands in an item's own line.
pub(super) fn headline(delta: &ItemDelta) -> Option<String> {
    let statements = statements(delta);
    let of_the_whole: Vec<&Statement> = statements.iter().filter(|statement| statement.headline).collect();
    (!of_the_whole.is_empty()).then(|| joined(of_the_whole.into_iter()))
}

/// Returns the lines below an item's own: the other statements, then the facts that no statement tells.
pub fn change_lines(delta: &ItemDelta) -> Vec<String> {
    let (statements, rest) = tell(delta);
    let mut lines: Vec<String> =
        statements.iter().filter(|statement| !statement.headline).map(ToString::to_string).collect();
    lines.extend(rest.iter().map(fact_line));
    lines
}

/// Returns what stands in a component's own line, and the lines below it.
pub(super) fn component_words(delta: &ComponentDelta) -> (Option<String>, Vec<String>) {
    let (of_the_whole, others): (Vec<_>, Vec<_>) =
        component_statements(delta).into_iter().partition(|statement| statement.headline);
    let headline = (!of_the_whole.is_empty()).then(|| joined(of_the_whole.iter()));
    (headline, others.iter().map(ToString::to_string).collect())
}

fn joined<'a>(statements: impl Iterator<Item = &'a Statement>) -> String {
    statements.map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// One family's part of the account.
type Teller = fn(&mut Account<'_>);

/// The families, in the order in which they speak. The table of settings comes last and takes what is left.
const TELLERS: &[Teller] = &[
    identity::tell,
    certificate::tell,
    certificate::tell_bundle,
    certificate::tell_revocations,
    ssh::tell,
    sudoers::tell,
    policy::tell,
    network::tell,
    headers::tell,
    secrets::tell,
    components::tell,
    settings::tell,
];

/// Returns the statements and the facts that they leave untold.
fn tell(delta: &ItemDelta) -> (Vec<Statement>, Vec<FactChange>) {
    let Some(mut account) = Account::of(delta) else { return (Vec::new(), Vec::new()) };
    for teller in TELLERS {
        teller(&mut account);
    }
    account.finish()
}
