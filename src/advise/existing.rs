//! Proposed indexes against the ones that exist: what is there already, and what becomes needless.
//!
//! The planner is not asked: a hypothetical copy of an existing index looks a little cheaper than the
//! real one, so that equal and covered proposals must go before they are costed.

use super::{candidates::Candidate, expressions};
use crate::catalog::{Index, IndexKey, IndexSpec, KeyExpr, Table};

/// The existing index that serves all that the candidate would, if there is one.
pub(super) fn covering<'a>(candidate: &Candidate, table: &'a Table) -> Option<&'a Index> {
    table.indexes.iter().find(|index| index.valid && answers(&index.spec, candidate))
}

/// The unique index that finds at most one row when these columns are known.
pub(super) fn unique_within<'a>(table: &'a Table, known: &[&KeyExpr]) -> Option<&'a Index> {
    table.indexes.iter().find(|index| {
        index.unique
            && index.valid
            && index.spec.predicate.is_none()
            && index.spec.keys.iter().all(|key| known.iter().any(|expr| same_expr(expr, &key.expr)))
    })
}

/// Existing indexes that a new one makes needless: a leading part of it, made by no constraint and
/// used in no other way (unique, partial, INCLUDE, another operator class).
pub(super) fn replaced<'a>(spec: &IndexSpec, table: &'a Table) -> Vec<&'a Index> {
    table
        .indexes
        .iter()
        .filter(|index| {
            !index.unique
                && !index.constraint
                && !index.primary
                && index.valid
                && index.spec.include.is_empty()
                && index.spec.predicate == spec.predicate
                && index.spec.method == spec.method
                && index.spec.keys.len() < spec.keys.len()
                && leads(&index.spec.keys, &spec.keys)
        })
        .collect()
}

/// Whether one proposal is a leading part of the other.
pub(super) fn is_prefix(short: &IndexSpec, long: &IndexSpec) -> bool {
    short.table == long.table
        && short.method == long.method
        && short.predicate == long.predicate
        && short.include.iter().all(|name| holds(long, name))
        && short.keys.len() < long.keys.len()
        && leads(&short.keys, &long.keys)
}

/// Whether an index (proposed or chosen) does all that the candidate would.
pub(super) fn answers(have: &IndexSpec, want: &Candidate) -> bool {
    have.table == want.spec.table
        && have.method == want.spec.method
        && (have.predicate.is_none() || have.predicate == want.spec.predicate)
        && serves(&have.keys, &want.spec.keys, want.free)
        && want.spec.include.iter().all(|name| holds(have, name))
}

/// Whether an index gives a column's value, as a key or carried.
fn holds(index: &IndexSpec, column: &str) -> bool {
    index.include.iter().any(|name| name == column)
        || index.keys.iter().any(|key| matches!(&key.expr, KeyExpr::Column(name) if name == column))
}

/// `have` answers what `want` would: its first keys are the `free` equality keys of `want` in any
/// order, then the others in their order, or all of those the other way round.
fn serves(have: &[IndexKey], want: &[IndexKey], free: usize) -> bool {
    if have.len() < want.len() {
        return false;
    }
    let (equal, rest) = want.split_at(free.min(want.len()));
    let (have_equal, have_rest) = have.split_at(equal.len());
    equal.iter().all(|key| {
        have_equal.iter().any(|other| same_expr(&other.expr, &key.expr) && finds_equal(other, key))
    }) && same_order(&have_rest[..rest.len()], rest)
}

/// Equality is in the pattern operator classes too.
fn finds_equal(have: &IndexKey, want: &IndexKey) -> bool {
    have.opclass == want.opclass
        || have.opclass.as_deref().is_some_and(|opclass| opclass.ends_with("_pattern_ops"))
}

fn leads(short: &[IndexKey], long: &[IndexKey]) -> bool {
    short.len() <= long.len() && same_order(short, &long[..short.len()])
}

/// The same keys in the same order, read forwards or backwards. A single key may point either way.
pub(super) fn same_order(left: &[IndexKey], right: &[IndexKey]) -> bool {
    let same = |left: &IndexKey, right: &IndexKey| {
        same_expr(&left.expr, &right.expr) && left.opclass == right.opclass
    };
    let forwards =
        |left: &IndexKey, right: &IndexKey| left.desc == right.desc && left.nulls_first == right.nulls_first;
    let backwards =
        |left: &IndexKey, right: &IndexKey| left.desc != right.desc && left.nulls_first != right.nulls_first;
    let pairs = || left.iter().zip(right);
    left.len() == right.len()
        && pairs().all(|(left, right)| same(left, right))
        && (pairs().all(|(left, right)| forwards(left, right))
            || pairs().all(|(left, right)| backwards(left, right)))
}

pub(super) fn same_expr(left: &KeyExpr, right: &KeyExpr) -> bool {
    match (left, right) {
        (KeyExpr::Column(left), KeyExpr::Column(right)) => left == right,
        (KeyExpr::Expression(left), KeyExpr::Expression(right)) => expressions::same(left, right),
        _ => false,
    }
}
