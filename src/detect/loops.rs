//! Which N+1s are one loop of the application: those that stand inside another one (orders, their items,
//! their products), and those that the same rows feed side by side.
//!
//! Two belong together when one's parent is the other, or both have one parent, and they were seen in the
//! same units of work: in a common session, at overlapping times.

use serde_json::{Value, json};

use super::link::{self, Link};
use crate::{
    sql::{
        Fingerprint, Shape,
        shape::{Block, Predicate},
    },
    workload::{Occurrence, Repetition},
};

/// Occurrences of the rarer one of two that are compared.
const COMPARED: usize = 64;

/// One N+1 that a rule has accepted.
pub(super) struct Child<'a> {
    pub(super) found: &'a Repetition,
    pub(super) block: &'a Block,
    pub(super) key: &'a Predicate,
    pub(super) parent: Option<&'a Shape>,
    pub(super) link: Option<Link>,
    /// Asks for a list of keys in each turn.
    pub(super) lists: bool,
    /// Others of its loop that ask by the same values.
    pub(super) same_values_as: Vec<Fingerprint>,
}

/// Children of one loop, into the slice that was given: the outermost and most expensive first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) child: usize,
    /// 1 for what the parent's rows feed, 2 for what those rows feed.
    pub(super) level: usize,
    /// The child that feeds it, where one does.
    pub(super) under: Option<usize>,
}

/// Every child in exactly one group, in the order of the most expensive child.
pub(super) fn groups(children: &[Child<'_>]) -> Vec<Group> {
    let under: Vec<Option<usize>> = (0..children.len()).map(|inner| outer(children, inner)).collect();
    let mut group: Vec<usize> = (0..children.len()).collect();
    for (inner, outer) in under.iter().enumerate() {
        if let Some(outer) = outer {
            join(&mut group, inner, *outer);
        }
    }
    for first in 0..children.len() {
        for second in first + 1..children.len() {
            let (a, b) = (children[first].found, children[second].found);
            if a.parent.is_some() && a.parent == b.parent && group[first] != group[second] && together(a, b) {
                join(&mut group, first, second);
            }
        }
    }
    let mut groups: Vec<(usize, Group)> = Vec::new();
    for child in 0..children.len() {
        let member = Member { child, level: level(&under, child), under: under[child] };
        match groups.iter_mut().find(|(number, _)| *number == group[child]) {
            Some((_, known)) => known.members.push(member),
            None => groups.push((group[child], Group { members: vec![member] })),
        }
    }
    for (_, group) in &mut groups {
        group.members.sort_by_key(|member| {
            (member.level, std::cmp::Reverse(children[member.child].found.total_us), member.child)
        });
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn join(group: &mut [usize], a: usize, b: usize) {
    let (from, to) = (group[a].max(group[b]), group[a].min(group[b]));
    group.iter_mut().filter(|number| **number == from).for_each(|number| *number = to);
}

/// How deep a child stands. Queries that feed each other in a circle stand where the circle is cut.
fn level(under: &[Option<usize>], child: usize) -> usize {
    let mut level = 1;
    let mut at = child;
    while let Some(outer) = under[at].filter(|_| level <= under.len()) {
        at = outer;
        level += 1;
    }
    level
}

/// The child whose rows feed this one: its parent, or one that shares its parent, begins before it, and
/// holds what its key is named after.
fn outer(children: &[Child<'_>], inner: usize) -> Option<usize> {
    let child = &children[inner];
    let parent = child.found.parent?;
    let direct = (0..children.len()).find(|&at| {
        at != inner && children[at].found.child == parent && together(children[at].found, child.found)
    });
    if direct.is_some() {
        return direct;
    }
    // What the parent's rows hold is fed by them.
    if child.link.is_some() {
        return None;
    }
    (0..children.len()).find(|&at| {
        let other = &children[at];
        at != inner
            && other.found.parent == Some(parent)
            && other.found.median_repeats <= child.found.median_repeats
            && feeds(other, child)
            && together(other.found, child.found)
            && begins_before(other.found, child.found)
    })
}

fn feeds(outer: &Child<'_>, inner: &Child<'_>) -> bool {
    link::by_names(outer.block, inner.block, inner.key)
}

/// Whether both were seen in the same units, as far as occurrences were kept.
fn together(a: &Repetition, b: &Repetition) -> bool {
    let (rare, common) = if a.units <= b.units { (a, b) } else { (b, a) };
    let compared = &rare.occurrences[..rare.occurrences.len().min(COMPARED)];
    let met =
        compared.iter().filter(|one| common.occurrences.iter().any(|other| overlap(one, other))).count();
    met * 2 >= compared.len().max(1)
}

/// Whether `a` was mostly seen where `b` was seen too, and there about as often: a turn of the loop may have
/// nothing to ask for.
pub(super) fn in_step(a: &Repetition, b: &Repetition) -> bool {
    let compared = &a.occurrences[..a.occurrences.len().min(COMPARED)];
    let as_often = |one: &Occurrence, other: &Occurrence| {
        one.repeats.abs_diff(other.repeats) * 5 <= other.repeats && overlap(one, other)
    };
    let met = compared.iter().filter(|one| b.occurrences.iter().any(|other| as_often(one, other))).count();
    met * 2 > compared.len()
}

fn overlap(a: &Occurrence, b: &Occurrence) -> bool {
    let sessions = a.sessions.iter().any(|session| b.sessions.contains(session));
    match (a.start, a.end, b.start, b.end) {
        (Some(start), Some(end), Some(first), Some(last)) => sessions && start <= last && first <= end,
        // Without times nothing tells the units of one session apart.
        _ => sessions,
    }
}

/// Whether in most common units the first repeat of `a` comes before that of `b`.
fn begins_before(a: &Repetition, b: &Repetition) -> bool {
    let mut balance = 0_i64;
    for one in &b.occurrences[..b.occurrences.len().min(COMPARED)] {
        if let Some(other) = a.occurrences.iter().find(|other| overlap(one, other)) {
            balance += if other.start < one.start { 1 } else { -1 };
        }
    }
    balance > 0
}

/// `detail.levels`: the query at the top, and what its rows feed, the outermost first.
pub(super) fn levels(children: &[Child<'_>], group: &Group) -> Value {
    let top: Option<Fingerprint> = group.members.first().and_then(|first| children[first.child].found.parent);
    let mut levels = vec![json!({
        "level": 0,
        "query": top.map(|id| id.to_string()),
        "under": null,
        "times": 1,
        "columns": [],
    })];
    for member in &group.members {
        let child = &children[member.child];
        levels.push(json!({
            "level": member.level,
            "query": child.found.child.to_string(),
            "under": member.under.map_or(child.found.parent, |at| Some(children[at].found.child)).map(|id| id.to_string()),
            "times": child.found.median_repeats,
            "columns": [child.key.column.name],
        }));
    }
    Value::Array(levels)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        sql::parse,
        workload::{Evidence, RepetitionKind},
    };

    fn repetition(child: u64, parent: u64, repeats: u64, start: i64) -> Repetition {
        let occurrence = Occurrence {
            start: Some(start),
            end: Some(start + 100),
            sessions: vec![7],
            repeats,
            distinct_values: repeats,
            total_us: 10 * repeats,
        };
        Repetition {
            kind: RepetitionKind::NPlusOne,
            child: Fingerprint(child),
            parent: Some(Fingerprint(parent)),
            evidence: Evidence::Transaction,
            units: 1,
            units_by_evidence: BTreeMap::from([(Evidence::Transaction, 1)]),
            repeats,
            min_repeats: repeats,
            median_repeats: repeats,
            max_repeats: repeats,
            distinct_values: repeats,
            sizes: 0,
            total_us: 10 * repeats,
            occurrences: vec![occurrence],
        }
    }

    /// The children of each group with their levels.
    fn grouped(found: &[(&str, Repetition)]) -> Vec<Vec<(u64, usize)>> {
        let shapes: Vec<Shape> =
            found.iter().map(|(sql, _)| parse::parse(sql).expect("a statement")).collect();
        let children: Vec<Child<'_>> = found
            .iter()
            .zip(&shapes)
            .map(|((_, found), shape)| {
                let block = shape.blocks.first().expect("a block");
                let key = super::super::look_alike::key(block).expect("a key");
                Child {
                    found,
                    block,
                    key,
                    parent: None,
                    link: None,
                    lists: false,
                    same_values_as: Vec::new(),
                }
            })
            .collect();
        let ids = |group: &Group| {
            group.members.iter().map(|member| (children[member.child].found.child.0, member.level)).collect()
        };
        groups(&children).iter().map(ids).collect()
    }

    const ITEMS: &str = "SELECT id, product_id FROM items WHERE order_id = $1";
    const PRODUCT: &str = "SELECT name FROM products WHERE id = $1";
    const USER: &str = "SELECT name FROM users WHERE id = $1";

    #[test]
    fn a_loop_inside_a_loop_is_one() {
        let nested = [(PRODUCT, repetition(3, 2, 60, 1_010)), (ITEMS, repetition(2, 1, 20, 1_000))];
        assert_eq!(grouped(&nested), [[(2, 1), (3, 2)]]);
    }

    /// One item an order: the parent is the same, the names tell.
    #[test]
    fn as_many_repeats_inside_as_outside() {
        let nested = [(ITEMS, repetition(2, 1, 20, 1_000)), (PRODUCT, repetition(3, 1, 20, 1_010))];
        assert_eq!(grouped(&nested), [[(2, 1), (3, 2)]]);
    }

    #[test]
    fn siblings_are_one_loop() {
        let siblings = [(USER, repetition(4, 1, 20, 1_000)), (ITEMS, repetition(2, 1, 20, 1_001))];
        assert_eq!(grouped(&siblings), [[(4, 1), (2, 1)]]);
    }

    #[test]
    fn the_same_parent_in_other_units_is_another_loop() {
        let apart = [(USER, repetition(4, 1, 20, 1_000)), (ITEMS, repetition(2, 1, 20, 900_000))];
        assert_eq!(grouped(&apart), [[(4, 1)], [(2, 1)]]);
        let fed_elsewhere = [(ITEMS, repetition(2, 1, 20, 1_000)), (PRODUCT, repetition(3, 2, 60, 900_000))];
        assert_eq!(grouped(&fed_elsewhere), [[(2, 1)], [(3, 1)]]);
    }

    #[test]
    fn a_circle_ends() {
        let circle = [(ITEMS, repetition(2, 3, 20, 1_000)), (PRODUCT, repetition(3, 2, 20, 1_000))];
        assert_eq!(grouped(&circle).len(), 1);
    }
}
