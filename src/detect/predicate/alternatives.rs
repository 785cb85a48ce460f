//! OR: of columns that only some of which have an index, of columns of two tables, and as the long form of a
//! row comparison.

use std::collections::BTreeSet;

use super::{Test, is_narrowed, push, push_sized, sized, tests};
use crate::{
    detect::{
        Facts, Report,
        access::{self, Access, Term},
        index_use, words,
    },
    rules::Rule,
    sql::{
        Shape,
        shape::{BlockId, Clause, Condition, JoinKind, Op, Operand, Predicate},
    },
};

/// With a catalog only: one alternative that no index serves makes the whole table be read.
pub(in crate::detect) fn across_columns(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    for access in access::all(shape, catalog) {
        if access.table.rows.is_some_and(|rows| rows < rule.param("rows")) || is_narrowed(&access) {
            continue;
        }
        for branches in &access.alternatives {
            let columns: BTreeSet<&str> =
                branches.iter().map(|term| term.predicate.column.name.as_str()).collect();
            let (served, not): (Vec<&Term<'_>>, Vec<&Term<'_>>) =
                branches.iter().partition(|term| serves(&access, term));
            // Without any index it is as good as a seq scan by one column, and an OR to widen a filter.
            if columns.len() < 2 || served.is_empty() || not.is_empty() {
                continue;
            }
            let name = |terms: &[&Term<'_>]| {
                let mut names: Vec<&str> =
                    terms.iter().map(|term| term.predicate.column.name.as_str()).collect();
                names.dedup();
                words::list(&names)
            };
            let Some(first) = not.first() else { continue };
            let because = format!(
                "the OR reads all of {}: indexes serve its test of {}, none that of {}",
                sized(access.table),
                name(&served),
                name(&not)
            );
            let instead = match index_use::on_key(&access, &first.key) {
                Some(index) => format!(
                    "{}, so that the two are combined (BitmapOr).",
                    index_use::command(Some(catalog), &index)
                ),
                None => rule.instead.trim().to_owned(),
            };
            let test = Test {
                shape,
                block: access.id,
                predicate: first.predicate,
                table: &access.table.name,
                optional: true,
            };
            push_sized(rule, facts, report, test, because, instead);
        }
    }
}

fn serves(access: &Access<'_>, term: &Term<'_>) -> bool {
    let alone =
        Access { terms: vec![term.clone()], alternatives: Vec::new(), order: Vec::new(), ..access.clone() };
    index_use::uses(&alone).iter().any(|found| !found.served.is_empty())
}

/// `a.x = 1 OR b.y = 2` after a join: a filter of the joined rows, which no index can begin with.
pub(in crate::detect) fn across_tables(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        let outer_join = block
            .tables
            .iter()
            .any(|table| !matches!(table.join, JoinKind::From | JoinKind::Inner | JoinKind::Cross));
        let filtered = block.tests().any(|test| {
            test.clause == Clause::Where
                && matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_) | Operand::List { .. })
                && !matches!(test.op, Op::NotEq | Op::NotIn | Op::NotLike | Op::IsNotNull)
        });
        if filtered || block.limit.is_some() || outer_join {
            continue;
        }
        for condition in &block.conditions {
            let Condition::Any(branches) = condition else { continue };
            let Some(sides) = branches.iter().map(|branch| one_table(branch, id)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let tables: BTreeSet<usize> = sides.iter().copied().collect();
            if tables.len() < 2 {
                continue;
            }
            let Some(test) = tests(shape).into_iter().find(|test| {
                test.optional
                    && test.predicate.column.block == id
                    && branches.iter().any(|branch| holds(branch, test.predicate))
            }) else {
                continue;
            };
            let names: Vec<String> = tables
                .iter()
                .filter_map(|&at| {
                    let table = &block.tables[at];
                    table.alias.clone()
                })
                .collect();
            if facts.catalog.is_some_and(|catalog| all_small(rule, shape, catalog, id)) {
                continue;
            }
            let because = format!(
                "the OR tests columns of {}: it can only filter the rows that their join made",
                words::list(&names)
            );
            push(rule, facts, report, test, because, rule.instead.trim().to_owned());
        }
    }
}

fn all_small(rule: &Rule, shape: &Shape, catalog: &crate::catalog::Catalog, id: BlockId) -> bool {
    access::all(shape, catalog)
        .iter()
        .filter(|access| access.id == id)
        .all(|access| access.table.rows.is_some_and(|rows| rows < rule.param("rows")))
}

/// The table that all tests of a branch are about, compared with values by what an index could serve.
fn one_table(branch: &Condition, block: BlockId) -> Option<usize> {
    match branch {
        Condition::Test(test) => (test.clause == Clause::Where
            && test.column.block == block
            && matches!(test.op, Op::Eq | Op::In | Op::Like | Op::Between)
            && matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_) | Operand::List { .. }))
        .then_some(test.column.table)
        .flatten(),
        Condition::All(_) | Condition::Any(_) | Condition::Opaque { .. } => None,
    }
}

fn holds(branch: &Condition, predicate: &Predicate) -> bool {
    matches!(branch, Condition::Test(test) if std::ptr::eq(test, predicate))
}

/// `a > x OR (a = x AND b > y)`.
pub(in crate::detect) fn row_comparison(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        for condition in &block.conditions {
            let Condition::Any(branches) = condition else { continue };
            let Some((first, second)) = keyset(branches) else { continue };
            // `a >= x` beside it is what an index is entered with.
            let bounded = block.tests().any(|test| {
                test.column == first.column && matches!(test.op, Op::Gt | Op::GtEq | Op::Lt | Op::LtEq)
            });
            let Some(test) = tests(shape).into_iter().find(|test| std::ptr::eq(test.predicate, first)) else {
                continue;
            };
            if bounded {
                continue;
            }
            let (a, b) = (&first.column.name, &second.column.name);
            let sign = if matches!(second.op, Op::Gt | Op::GtEq) { '>' } else { '<' };
            let equal = if matches!(second.op, Op::GtEq | Op::LtEq) { "=" } else { "" };
            let because = format!(
                "an index on ({a}, {b}) cannot be entered with {a} {sign} … OR ({a} = … AND {b} {sign}{equal} …)"
            );
            let instead = format!(
                "({a}, {b}) {sign}{equal} (value, value) is the same test, and an index on ({a}, {b}) begins right there."
            );
            push(rule, facts, report, test, because, instead);
        }
    }
}

/// The range of the first column and that of the second, where an OR compares two columns as a row: in one
/// direction, with the same value of the first in both branches.
fn keyset(branches: &[Condition]) -> Option<(&Predicate, &Predicate)> {
    let [one, two] = branches else { return None };
    let (Condition::Test(first), Condition::All(rest)) = (match (one, two) {
        (Condition::Test(_), _) => (one, two),
        _ => (two, one),
    }) else {
        return None;
    };
    let [Condition::Test(equal), Condition::Test(second)] = rest.as_slice() else { return None };
    let (equal, second) = if equal.op == Op::Eq { (equal, second) } else { (second, equal) };
    let direction = |op: Op| match op {
        Op::Gt | Op::GtEq => Some(true),
        Op::Lt | Op::LtEq => Some(false),
        _ => None,
    };
    let bare = [first, equal, second].iter().all(|test| test.wrapped.is_none());
    let value = |test: &Predicate| matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_));
    let same = same_value(&first.operand, &equal.operand);
    (bare
        && equal.op == Op::Eq
        && matches!(first.op, Op::Gt | Op::Lt)
        && first.column == equal.column
        && first.column != second.column
        && (first.column.block, first.column.table) == (second.column.block, second.column.table)
        && value(first)
        && value(second)
        && same
        && direction(first.op).is_some()
        && direction(first.op) == direction(second.op))
    .then_some((first, second))
}

/// `?` of two places may be one value; numbered ones tell.
fn same_value(a: &Operand, b: &Operand) -> bool {
    match (a, b) {
        (Operand::Parameter(a), Operand::Parameter(b)) => a == b || !a.starts_with(['$', ':']),
        (Operand::Constant(a), Operand::Constant(b)) => a == b,
        _ => false,
    }
}
