//! What each commit of a range changed by itself, merges included, so that every difference has one commit that answers
//! for it.
//!
//! A merge answers for nothing that it only brings together; where its result is another than the sides give, that is
//! its own change, and needs a request of its own (A32). Serves contract §3.4.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec;
use crate::domain::{self, ObjectId, Segment, State, Subject};
use crate::jobs::Failure;
use crate::jobs::commit_delta::delta_between;
use crate::jobs::range::Judged;
use crate::policy::Policy;
use crate::store::Repository;

/// A commit of the range with its own change.
pub(super) struct OwnChange<'j> {
    /// The commit and its record.
    pub judged: &'j Judged,
    /// What it changed by itself, sorted.
    pub segments: Vec<Segment>,
}

/// Returns the commits of a range, parents before children, each with its own change. With `policy`, all are judged by
/// that one instead of their own.
///
/// # Errors
/// Where an object is missing or malformed.
pub(super) fn of<'j>(
    repository: &Repository,
    range: &'j [Judged],
    policy: Option<&Policy>,
) -> Result<Vec<OwnChange<'j>>, Failure> {
    let order = parents_first(range);
    let reach = reachable(&order);
    let mut touched: Vec<BTreeSet<Subject>> = Vec::with_capacity(order.len());
    let mut own = Vec::with_capacity(order.len());
    let places: BTreeMap<ObjectId, usize> =
        order.iter().enumerate().map(|(at, judged)| (judged.record.commit, at)).collect();
    for judged in &order {
        let parents = &judged.record.parents;
        let segments = if let [] | [_] = parents.as_slice() {
            first_parent(repository, judged, policy)?
        } else {
            let sides: Vec<Side> = parents
                .iter()
                .enumerate()
                .map(|(at, parent)| {
                    let others = parents.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, id)| id);
                    let brought = brought(*parent, others, &places, &reach, &touched);
                    Ok(Side { segments: against(repository, *parent, judged, policy, at)?, brought })
                })
                .collect::<Result<_, Failure>>()?;
            merge(&sides)
        };
        touched.push(segments.iter().map(|segment| segment.subject.clone()).collect());
        own.push(OwnChange { judged, segments });
    }
    Ok(own)
}

fn first_parent(repository: &Repository, judged: &Judged, policy: Option<&Policy>) -> Result<Vec<Segment>, Failure> {
    match judged.record.parents.first() {
        Some(parent) => against(repository, *parent, judged, policy, 0),
        None if policy.is_none() => Ok(recorded(judged)),
        None => {
            let delta = delta_between(repository, None, judged.record.tree, policy)?;
            Ok(domain::segments(&delta.items, &delta.components, codec::state_digest))
        }
    }
}

/// What the commit changed against one parent. Against the first, its record says so, and was recomputed.
fn against(
    repository: &Repository,
    parent: ObjectId,
    judged: &Judged,
    policy: Option<&Policy>,
    at: usize,
) -> Result<Vec<Segment>, Failure> {
    if at == 0 && policy.is_none() {
        return Ok(recorded(judged));
    }
    let before = repository.commit(parent)?.tree;
    let delta = delta_between(repository, Some(before), judged.record.tree, policy)?;
    Ok(domain::segments(&delta.items, &delta.components, codec::state_digest))
}

fn recorded(judged: &Judged) -> Vec<Segment> {
    domain::segments(&judged.record.items, &judged.record.components, codec::state_digest)
}

/// Parents before children; among others by id, whatever the order of the range, so that whoever signs a change, makes
/// a release or verifies it puts the same content together.
fn parents_first(range: &[Judged]) -> Vec<&Judged> {
    let known: BTreeMap<ObjectId, &Judged> = range.iter().map(|judged| (judged.record.commit, judged)).collect();
    let mut order = Vec::with_capacity(range.len());
    let mut done = BTreeSet::new();
    for start in known.values().rev().copied() {
        let mut stack = vec![(start, false)];
        while let Some((judged, parents_done)) = stack.pop() {
            let id = judged.record.commit;
            if parents_done {
                order.push(judged);
            } else if done.insert(id) {
                stack.push((judged, true));
                let parents = judged.record.parents.iter().rev().filter(|parent| !done.contains(parent));
                stack.extend(parents.filter_map(|parent| known.get(parent)).map(|parent| (*parent, false)));
            }
        }
    }
    order
}

/// Which commits of the range each commit reaches, itself too: one bit for each place in the order.
type Reach = Vec<Vec<u64>>;

fn reachable(order: &[&Judged]) -> Reach {
    let words = order.len().div_ceil(64);
    let places: BTreeMap<ObjectId, usize> =
        order.iter().enumerate().map(|(at, judged)| (judged.record.commit, at)).collect();
    let mut reach: Reach = Vec::with_capacity(order.len());
    for (at, judged) in order.iter().enumerate() {
        let mut bits = vec![0_u64; words];
        for parent in judged.record.parents.iter().filter_map(|parent| places.get(parent)) {
            if let Some(other) = reach.get(*parent) {
                bits.iter_mut().zip(other).for_each(|(bits, other)| *bits |= other);
            }
        }
        if let Some(word) = bits.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
        reach.push(bits);
    }
    reach
}

/// Everything that the commits of one side touched: those that one parent reaches, and no other parent.
fn brought<'a>(
    parent: ObjectId,
    others: impl Iterator<Item = &'a ObjectId>,
    places: &BTreeMap<ObjectId, usize>,
    reach: &Reach,
    touched: &[BTreeSet<Subject>],
) -> BTreeSet<Subject> {
    let bits_of = |id: &ObjectId| places.get(id).and_then(|at| reach.get(*at));
    let Some(mut bits) = bits_of(&parent).cloned() else { return BTreeSet::new() };
    for other in others.filter_map(bits_of) {
        bits.iter_mut().zip(other).for_each(|(bits, other)| *bits &= !other);
    }
    let set = |at: &usize| bits.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
    (0..touched.len()).filter(set).filter_map(|at| touched.get(at)).flatten().cloned().collect()
}

/// One side of a merge: what lies between its tip and the merge, and what its commits touched.
struct Side {
    segments: Vec<Segment>,
    brought: BTreeSet<Subject>,
}

impl Side {
    fn segment(&self, subject: &Subject) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.subject == *subject)
    }
}

/// The merge's own change: where its result is not what the sides give by themselves.
fn merge(sides: &[Side]) -> Vec<Segment> {
    let subjects: BTreeSet<&Subject> =
        sides.iter().flat_map(|side| &side.segments).map(|segment| &segment.subject).collect();
    let mut own = Vec::new();
    for subject in subjects {
        let found: Vec<Option<&Segment>> = sides.iter().map(|side| side.segment(subject)).collect();
        let Some(after) = found.iter().flatten().next().map(|segment| segment.after.clone()) else { continue };
        // A side without a difference had what the merge has.
        let state = |segment: Option<&Segment>| segment.map_or_else(|| after.clone(), |segment| segment.before.clone());
        let states: Vec<Option<State>> = found.iter().copied().map(state).collect();
        let touching: Vec<&Option<State>> = sides
            .iter()
            .zip(&states)
            .filter(|(side, _)| side.brought.contains(subject))
            .map(|(_, state)| state)
            .collect();
        let given = if touching.is_empty() { states.contains(&after) } else { touching.iter().all(|s| **s == after) };
        if given {
            continue;
        }
        // What the result replaces: the first side's state, or that of a side which the result passes over.
        let mut replaced = states.iter().chain(touching);
        let before = replaced.find(|state| **state != after).cloned().flatten();
        own.push(Segment { subject: subject.clone(), before, after });
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ItemClass;

    #[expect(clippy::unnecessary_wraps, reason = "what is gone is none, and stands beside it")]
    fn state(content: &str) -> Option<State> {
        let content = content.as_bytes().to_vec();
        Some(State { kind: "k".into(), mode: None, class: ItemClass::Key, content })
    }

    fn path() -> Subject {
        Subject::Path(b"a".to_vec())
    }

    /// A side that stood at `before` when it was merged into `after`.
    fn side(before: &str, after: &str, touched: bool) -> Side {
        let segment = Segment { subject: path(), before: state(before), after: state(after) };
        let segments = if before == after { Vec::new() } else { vec![segment] };
        Side { segments, brought: if touched { BTreeSet::from([path()]) } else { BTreeSet::new() } }
    }

    fn own(sides: &[Side]) -> Option<(Option<State>, Option<State>)> {
        merge(sides).pop().map(|segment| (segment.before, segment.after))
    }

    #[test]
    fn a_merge_answers_for_nothing_that_it_only_brings_together() {
        assert_eq!(own(&[side("1", "2", false), side("2", "2", true)]), None);
        assert_eq!(own(&[side("2", "2", true), side("1", "2", false)]), None);
        // One side began before the range, with an older state.
        assert_eq!(own(&[side("2", "2", false), side("1", "2", false)]), None);
        assert_eq!(own(&[side("2", "2", true), side("2", "2", true)]), None);
    }

    #[test]
    fn an_evil_merge_answers_for_what_it_makes() {
        assert_eq!(own(&[side("1", "9", false), side("2", "9", true)]), Some((state("1"), state("9"))));
        assert_eq!(own(&[side("1", "9", false), side("1", "9", false)]), Some((state("1"), state("9"))));
    }

    #[test]
    fn a_merge_that_passes_over_a_side_answers_for_it() {
        assert_eq!(own(&[side("1", "1", false), side("2", "1", true)]), Some((state("2"), state("1"))));
        // Both sides changed it: whichever wins, somebody decided.
        assert_eq!(own(&[side("2", "2", true), side("3", "2", true)]), Some((state("3"), state("2"))));
    }
}
