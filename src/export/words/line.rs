//! A fact's change in one line, whatever the fact is.

use std::collections::BTreeSet;

use crate::domain::Show as _;
use crate::domain::{Fact, FactChange};

/// Returns one line for a fact's change.
pub fn fact_line(change: &FactChange) -> String {
    let name = change.name.shown();
    match (&change.before, &change.after) {
        (Some(Fact::List(before)), Some(Fact::List(after))) => {
            let (old, new): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
            let gone = before.iter().filter(|value| !new.contains(value)).map(|value| format!(" -{value}"));
            let come = after.iter().filter(|value| !old.contains(value)).map(|value| format!(" +{value}"));
            let parts: String = gone.chain(come).collect();
            if parts.is_empty() { format!("{name}: another order") } else { format!("{name}:{parts}") }
        }
        (before, after) => {
            let show = |value: &Option<Fact>| value.as_ref().map_or_else(|| "(none)".to_owned(), Fact::to_string);
            format!("{name}: {} → {}", show(before), show(after))
        }
    }
}
