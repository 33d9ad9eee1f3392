//! The account of one change while the families tell it: both sides, what was said, and which facts are told.

use std::collections::BTreeSet;

use super::{Direction, Statement, fact_line};
use crate::domain::Show as _;
use crate::domain::{ConfigurationItem, Fact, FactChange, Facts, ItemDelta};

/// No more is said of one item; the record holds every fact.
const MOST_STATEMENTS: usize = 200;

/// What is known of a change and what has been said of it.
pub(super) struct Account<'a> {
    /// The item before.
    pub(super) before: &'a ConfigurationItem,
    /// The item after.
    pub(super) after: &'a ConfigurationItem,
    changes: Vec<FactChange>,
    statements: Vec<Statement>,
    told: BTreeSet<String>,
}

impl<'a> Account<'a> {
    /// Opens the account of a change; none when the item is new or gone.
    pub(super) fn of(delta: &'a ItemDelta) -> Option<Self> {
        let (Some(before), Some(after)) = (&delta.before, &delta.after) else { return None };
        let changes = delta.fact_changes();
        Some(Self { before, after, changes, statements: Vec::new(), told: BTreeSet::new() })
    }

    /// Says something of the item as a whole.
    pub(super) fn headline(&mut self, direction: Direction, text: impl Into<String>) {
        self.statements.push(Statement { text: text.into(), direction, headline: true });
    }

    /// Says something of a part of it.
    pub(super) fn say(&mut self, direction: Direction, text: impl Into<String>) {
        self.statements.push(Statement { text: text.into(), direction, headline: false });
    }

    /// Says how a fact changed, with the reason behind it where there is one, and marks it as told.
    pub(super) fn say_change(&mut self, change: &FactChange, direction: Direction, why: &str) {
        let line = plain_line(change);
        let text = if why.is_empty() { line } else { format!("{line}: {why}") };
        self.say(direction, text);
        self.mark(change.name.clone());
    }

    /// Marks a fact, and what is inside it, as told.
    pub(super) fn mark(&mut self, name: impl Into<String>) {
        self.told.insert(name.into());
    }

    /// Says whether the item is of one of these kinds.
    pub(super) fn is_one_of(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.after.kind.as_str())
    }

    /// Returns the change of the fact of that name, unless it is told.
    pub(super) fn change(&self, name: &str) -> Option<FactChange> {
        self.changes.iter().find(|change| change.name == name && !self.is_told(change)).cloned()
    }

    /// Returns the changes that nobody has told yet.
    pub(super) fn untold(&self) -> Vec<FactChange> {
        self.changes.iter().filter(|change| !self.is_told(change)).cloned().collect()
    }

    /// Says whether nothing was said.
    pub(super) fn is_unspoken(&self) -> bool {
        self.statements.is_empty()
    }

    /// Says whether nothing was said and nothing is left to tell.
    pub(super) fn is_silent(&self) -> bool {
        self.is_unspoken() && self.changes.iter().all(|change| self.is_told(change))
    }

    /// Says whether the content is another while every fact is the same.
    pub(super) fn only_bytes_differ(&self) -> bool {
        self.changes.is_empty() && self.before.git_id != self.after.git_id
    }

    fn is_told(&self, change: &FactChange) -> bool {
        let name = change.name.as_str();
        self.told.contains(name)
            || name.match_indices('.').any(|(at, _)| name.get(..at).is_some_and(|head| self.told.contains(head)))
    }

    /// Closes the account: the statements in their order, and the facts that are left.
    pub(super) fn finish(self) -> (Vec<Statement>, Vec<FactChange>) {
        let rest = self.untold();
        let (mut all, parts): (Vec<_>, Vec<_>) = self.statements.into_iter().partition(|statement| statement.headline);
        all.extend(parts);
        if all.len() > MOST_STATEMENTS {
            // What weakens must not be what is left out.
            all.sort_by_key(|statement| (!statement.headline, statement.direction));
            let more = all.len() - MOST_STATEMENTS;
            let direction = all.get(MOST_STATEMENTS).map_or(Direction::Neutral, |statement| statement.direction);
            all.truncate(MOST_STATEMENTS);
            all.push(Statement { text: format!("… and {more} more such changes"), direction, headline: false });
        }
        (all, rest)
    }
}

/// Returns the line of a fact's change with quotation marks as they stand there; a policy is full of them.
pub(super) fn plain_line(change: &FactChange) -> String {
    fact_line(change).replace("\\'", "'").replace("\\\"", "\"")
}

/// Returns a text without control characters, and with its quotation marks.
pub(super) fn plain(text: &str) -> String {
    text.shown().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

/// Returns a fact's values as texts: those of a list, or its only one; those of a map behind their names.
pub(super) fn values(fact: Option<&Fact>) -> Vec<String> {
    match fact {
        None => Vec::new(),
        Some(Fact::Text(text)) => vec![text.clone()],
        Some(Fact::List(list)) => list.iter().flat_map(|value| values(Some(value))).collect(),
        Some(Fact::Map(facts)) => facts
            .iter()
            .flat_map(|(name, value)| values(Some(value)).into_iter().map(move |value| format!("{name}={value}")))
            .collect(),
        Some(other) => vec![other.to_string()],
    }
}

/// Returns what stands only before and what only after, each in its order.
pub(super) fn gone_and_come<'a>(before: &'a [String], after: &'a [String]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
    let gone = before.iter().filter(|value| !new.contains(value)).map(String::as_str).collect();
    let come = after.iter().filter(|value| !old.contains(value)).map(String::as_str).collect();
    (gone, come)
}

/// Returns the maps of a list.
pub(super) fn maps<'a>(facts: &'a Facts, name: &str) -> impl Iterator<Item = &'a Facts> {
    facts.list(name).iter().filter_map(|fact| match fact {
        Fact::Map(facts) => Some(facts),
        _ => None,
    })
}

/// Returns the fact of that name when it is a map.
pub(super) fn map<'a>(facts: &'a Facts, name: &str) -> Option<&'a Facts> {
    match facts.find(name) {
        Some(Fact::Map(inner)) => Some(inner),
        _ => None,
    }
}

/// Returns a text fact in a form that fits a line; `?` where there is none.
pub(super) fn shown(facts: &Facts, name: &str) -> String {
    facts.text(name).map_or_else(|| "?".to_owned(), |text| text.shown().to_string())
}

/// Returns texts behind a sign each, as ` +a +b`.
pub(super) fn signed(sign: char, texts: &[&str]) -> String {
    texts.iter().flat_map(|text| [String::from(' '), String::from(sign), text.shown().to_string()]).collect()
}
