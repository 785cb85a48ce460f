//! What each query asks of each table: the columns that an index could serve, sorted by how it would
//! serve them.
//!
//! In: a [`Shape`] whose columns are resolved, and the catalog. Out: one [`Access`] per table that a
//! block reads. Left alone: views, foreign tables and single partitions (an index on the parent serves
//! them), conditions inside a NOT, and columns whose type no B-tree holds.

mod order;
mod reads;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    inverted::{self, Inverted},
    parts::{Part, is_equality, part, plain},
    patterns, selectivity,
};
use crate::{
    catalog::{Catalog, IndexKey, KeyExpr, Table, TableKind},
    error::NotJudged,
    sql::{
        Shape,
        shape::{
            Block, BlockId, Clause, ColumnRef, Condition, JoinKind, Op, Operand, Predicate, Projected, Role,
            Sargable, TableSource,
        },
    },
};

/// A condition that keeps few of a table's rows, whatever the query's values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    /// The column that it is about.
    pub(super) name: String,
    /// As SQL.
    pub(super) condition: String,
    /// Part of the rows, 0 to 1.
    pub(super) fraction: f64,
}

impl Kept {
    pub(super) fn column(&self) -> KeyExpr {
        KeyExpr::Column(self.name.clone())
    }
}

/// What one block of one query asks of one table.
#[derive(Clone, Debug)]
pub(super) struct Access<'a> {
    pub(super) table: &'a Table,
    /// `column = constant` or parameter, IN, IS TRUE.
    pub(super) equal: Vec<Part>,
    /// `column = column of another table`, with the position of that table in its block.
    pub(super) joined: Vec<(Part, (BlockId, usize))>,
    /// `<`, `BETWEEN`, `LIKE 'x%'`.
    pub(super) ranges: Vec<Part>,
    /// The sort that a LIMIT (or min, max) cuts short; empty where an order does not pay.
    pub(super) order: Vec<IndexKey>,
    /// The arms of an OR, where an index can serve each.
    pub(super) arms: Vec<Part>,
    /// What only an index of another kind than a B-tree serves.
    pub(super) inverted: Vec<Inverted>,
    /// What DISTINCT ON keeps the first row of, in the order in which it reads.
    pub(super) distinct: Vec<IndexKey>,
    /// Conditions for a partial index that excludes much.
    pub(super) partial: Vec<Kept>,
    /// Another table of the block is narrowed by a constant, and this one is looked up from it.
    pub(super) driven: bool,
    /// Every column of the table that the block reads; `None` when it takes whole rows or cannot be told.
    pub(super) reads: Option<BTreeSet<String>>,
}

/// What is known of the values that a statement's calls had.
pub(super) struct Values<'v> {
    /// Whether all calls have the same value in a condition.
    pub(super) is_constant: &'v dyn Fn(&Predicate) -> bool,
    /// Bind values of one call, by the parameter's number; empty where they are not known.
    pub(super) binds: &'v [Option<String>],
}

/// Every access of a statement; what cannot be advised on is counted in `not_judged`.
///
pub(super) fn accesses<'a>(
    shape: &Shape,
    catalog: &'a Catalog,
    values: &Values<'_>,
    not_judged: &mut NotJudged,
) -> Vec<Access<'a>> {
    let mut found: BTreeMap<(BlockId, usize), Access<'a>> = BTreeMap::new();
    for (id, block) in shape.blocks.iter().enumerate() {
        for (position, source) in block.tables.iter().enumerate() {
            let TableSource::Table(name) = &source.source else { continue };
            match catalog.table(name) {
                None => not_judged.add("index advice", format!("{} is not in the catalog", name.plain())),
                Some(table) => match table.kind {
                    TableKind::View | TableKind::Foreign => {
                        not_judged
                            .add("index advice", format!("{} is a view or foreign table", name.plain()));
                    }
                    TableKind::Partition => not_judged.add(
                        "index advice",
                        format!("{} is a partition: its parent is what to index", name.plain()),
                    ),
                    TableKind::Table | TableKind::Partitioned | TableKind::MaterializedView => {
                        let reads = reads::reads(shape, id, position, table);
                        found.insert((id, position), Access { reads, ..Access::of(table) });
                    }
                },
            }
        }
    }

    let mut reader = Reader { shape, values, found, not_judged };
    for block in &shape.blocks {
        for condition in &block.conditions {
            match condition {
                Condition::Test(predicate) => reader.test(block, predicate),
                Condition::Any(arms) => {
                    for predicate in common(arms) {
                        reader.test(block, predicate);
                    }
                    reader.any(arms);
                }
                Condition::All(_) | Condition::Opaque { .. } => {}
            }
        }
    }
    for (id, block) in shape.blocks.iter().enumerate() {
        reader.order(id, block);
    }
    reader.mark_driven();
    reader.found.into_values().filter(Access::asks).collect()
}

impl<'a> Access<'a> {
    fn of(table: &'a Table) -> Access<'a> {
        Access {
            table,
            equal: Vec::new(),
            joined: Vec::new(),
            ranges: Vec::new(),
            order: Vec::new(),
            arms: Vec::new(),
            inverted: Vec::new(),
            distinct: Vec::new(),
            partial: Vec::new(),
            driven: false,
            reads: None,
        }
    }

    /// Whether an index could do anything for it.
    fn asks(&self) -> bool {
        !(self.equal.is_empty()
            && self.joined.is_empty()
            && self.ranges.is_empty()
            && self.order.is_empty()
            && self.arms.is_empty()
            && self.inverted.is_empty()
            && self.distinct.is_empty())
    }

    /// Every key expression that an index for this access may begin with.
    pub(super) fn leads(&self) -> impl Iterator<Item = &KeyExpr> {
        let parts = self.equal.iter().chain(&self.ranges).chain(&self.arms);
        parts
            .map(|part| &part.key.expr)
            .chain(self.joined.iter().map(|(part, _)| &part.key.expr))
            .chain(self.order.first().map(|key| &key.expr))
            .chain(self.distinct.first().map(|key| &key.expr))
            .chain(self.inverted.iter().map(|inverted| &inverted.key.expr))
    }
}

struct Reader<'s, 'a, 'n> {
    shape: &'s Shape,
    values: &'s Values<'s>,
    found: BTreeMap<(BlockId, usize), Access<'a>>,
    not_judged: &'n mut NotJudged,
}

impl<'a> Reader<'_, 'a, '_> {
    fn place(&mut self, column: &ColumnRef) -> Option<(BlockId, usize)> {
        let Some(table) = column.table else {
            self.not_judged.add("index advice", format!("no table is known for column {}", column.name));
            return None;
        };
        self.found.contains_key(&(column.block, table)).then_some((column.block, table))
    }

    fn test(&mut self, block: &Block, predicate: &Predicate) {
        if let Operand::Column(other) = &predicate.operand
            && predicate.op == Op::Eq
            && predicate.sargable != Sargable::SelfComparison
        {
            self.join(predicate, other);
            return;
        }
        let filled = patterns::with_values(predicate, self.values.binds);
        let predicate = filled.as_ref().unwrap_or(predicate);
        let Some(place) = self.place(&predicate.column) else { return };
        if !narrows(block, &predicate.clause, &predicate.column) {
            return;
        }
        let table = self.found[&place].table;
        if predicate.wrapped.is_none() && matches!(predicate.op, Op::IsNull | Op::IsNotNull) {
            self.null_test(place, table, predicate);
            return;
        }
        let Some(part) = part(predicate, table) else {
            if let Some(inverted) = inverted::serving(predicate, table) {
                self.access(place).inverted.push(inverted);
            }
            return;
        };
        match (&predicate.operand, predicate.op) {
            // Compared with a subquery's rows or with another table's expression: a lookup per row.
            (Operand::Subquery(inner), Op::In) => {
                let inner = *inner;
                self.access(place).joined.push((part, (inner, 0)));
                self.feed(inner, place);
            }
            (Operand::Expression(_), Op::Eq) => {
                self.access(place).joined.push((part, place));
            }
            (_, op) if is_equality(op) => {
                let kept = self.rare(predicate, table);
                let access = self.access(place);
                access.partial.extend(kept);
                access.equal.push(part);
            }
            _ => self.access(place).ranges.push(part),
        }
    }

    fn access(&mut self, place: (BlockId, usize)) -> &mut Access<'a> {
        self.found.get_mut(&place).expect("`place` only gives tables that were found")
    }

    /// Both sides of a join can be looked up from the other.
    fn join(&mut self, predicate: &Predicate, other: &ColumnRef) {
        let sides = [(&predicate.column, other), (other, &predicate.column)];
        for (at, (side, opposite)) in sides.into_iter().enumerate() {
            let Some(place) = self.place(side) else { continue };
            let Some(from) = opposite.table.map(|table| (opposite.block, table)) else { continue };
            let table = self.found[&place].table;
            let part = if at == 0 { part(predicate, table) } else { plain(table, &side.name) };
            if let Some(part) = part {
                self.access(place).joined.push((part, from));
            }
        }
    }

    /// `x IN (SELECT y …)`: the subquery can also be looked up from outside, by `y`.
    fn feed(&mut self, inner: BlockId, from: (BlockId, usize)) {
        let Some(block) = self.shape.blocks.get(inner) else { return };
        if block.aggregates || !block.group_by.is_empty() || block.limit.is_some() {
            return;
        }
        let [Projected::Column { column, .. }] = block.projection.as_slice() else { return };
        let column = column.clone();
        let Some(place) = self.place(&column) else { return };
        if let Some(part) = plain(self.found[&place].table, &column.name) {
            self.access(place).joined.push((part, from));
        }
    }

    /// IS NULL is no equality to the planner (rows that match are not in one order), so it narrows
    /// best as the condition of a partial index, where it excludes at least half of the rows.
    fn null_test(&mut self, place: (BlockId, usize), table: &'a Table, predicate: &Predicate) {
        let Some(column) = table.column(&predicate.column.name) else { return };
        let Some(nulls) = column.statistics.as_ref().map(|statistics| statistics.null_fraction) else {
            return;
        };
        let (kept, words) =
            if predicate.op == Op::IsNull { (nulls, "IS NULL") } else { (1.0 - nulls, "IS NOT NULL") };
        if kept > 0.5 {
            return;
        }
        let name = crate::names::quote_ident(&column.name);
        let access = self.access(place);
        access.partial.push(Kept {
            name: column.name.clone(),
            condition: format!("{name} {words}"),
            fraction: kept,
        });
        if let Some(mut part) = plain(table, &predicate.column.name) {
            part.selectivity = Some(kept);
            access.ranges.push(part);
        }
    }

    /// `status = 'pending'` where the statement always has that value and few rows do: one of the column's
    /// common values, so that the statistics tell how many.
    fn rare(&self, predicate: &Predicate, table: &Table) -> Option<Kept> {
        /// A partial index on more is hardly smaller than one that begins with the column.
        const RARE: f64 = 0.1;
        /// More distinct values than a state has: the value is the query's, not the program's.
        const STATES: f64 = 16.0;
        if predicate.wrapped.is_some() {
            return None;
        }
        let column = table.column(&predicate.column.name)?;
        let statistics = column.statistics.as_ref()?;
        if statistics.distinct > STATES {
            return None;
        }
        let name = crate::names::quote_ident(&column.name);
        let condition = match (predicate.op, &predicate.operand) {
            (Op::IsTrue, _) => name,
            (Op::IsFalse, _) => format!("NOT {name}"),
            (Op::Eq, Operand::Constant(text)) if (self.values.is_constant)(predicate) => {
                format!("{name} = {text}")
            }
            _ => return None,
        };
        let fraction = selectivity::of_common(predicate, column)?;
        (fraction <= RARE).then(|| Kept { name: column.name.clone(), condition, fraction })
    }

    /// An OR is served by a bitmap of indexes, when each arm has one.
    fn any(&mut self, arms: &[Condition]) {
        let mut parts = Vec::new();
        let mut others = Vec::new();
        let mut places = Vec::new();
        for arm in arms {
            let mut tests = match arm {
                Condition::Test(predicate) => std::slice::from_ref(predicate).iter(),
                _ => return,
            };
            let Some(predicate) = tests.next() else { return };
            let filled = patterns::with_values(predicate, self.values.binds);
            let predicate = filled.as_ref().unwrap_or(predicate);
            if matches!(predicate.operand, Operand::Column(_) | Operand::Subquery(_) | Operand::Expression(_))
            {
                return;
            }
            let Some(place) = self.place(&predicate.column) else { return };
            let table = self.found[&place].table;
            places.push(place);
            match (part(predicate, table), inverted::serving(predicate, table)) {
                (Some(part), _) => parts.push(part),
                (None, Some(inverted)) => others.push(inverted),
                (None, None) => return,
            }
        }
        places.dedup();
        if let [place] = places.as_slice() {
            let place = *place;
            let access = self.access(place);
            access.arms.extend(parts);
            access.inverted.extend(others);
        }
    }

    fn mark_driven(&mut self) {
        let narrowed: Vec<(BlockId, usize)> = self
            .found
            .iter()
            .filter(|(_, access)| !access.equal.is_empty() || !access.ranges.is_empty())
            .map(|(&place, _)| place)
            .collect();
        for (&(id, position), access) in &mut self.found {
            let correlated = access.joined.iter().any(|(_, from)| from.0 != id);
            let lateral = matches!(self.shape.blocks[id].role, Role::Derived { lateral: true });
            access.driven = !access.joined.is_empty()
                && (correlated
                    || lateral
                    || narrowed.iter().any(|&(block, other)| block == id && other != position));
        }
    }
}

/// Whether a condition takes rows away from the column's table: one in the ON of an outer join leaves
/// the preserved side as it is.
fn narrows(block: &Block, clause: &Clause, column: &ColumnRef) -> bool {
    let Clause::On(position) = clause else { return true };
    match block.tables.get(*position).map(|table| table.join) {
        Some(JoinKind::Left) => column.table == Some(*position),
        Some(JoinKind::Right) => column.table != Some(*position),
        Some(JoinKind::Full) => false,
        _ => true,
    }
}

/// The tests that stand in every arm of an OR: they hold for each row, and the planner takes them out as well.
fn common(arms: &[Condition]) -> Vec<&Predicate> {
    let tests: Vec<Vec<&Predicate>> = arms.iter().map(tests_of).collect();
    let Some((first, rest)) = tests.split_first() else { return Vec::new() };
    let same = |one: &Predicate, other: &Predicate| {
        one.column == other.column
            && one.op == other.op
            && one.wrapped == other.wrapped
            && one.operand == other.operand
            && one.text == other.text
    };
    let in_all =
        |predicate: &&&Predicate| rest.iter().all(|arm| arm.iter().any(|other| same(predicate, other)));
    first.iter().filter(in_all).copied().collect()
}

/// The tests that an arm of an OR asks for together.
fn tests_of(arm: &Condition) -> Vec<&Predicate> {
    let all = if let Condition::All(all) = arm { all.as_slice() } else { std::slice::from_ref(arm) };
    let test =
        all.iter().map(|one| if let Condition::Test(predicate) = one { Some(predicate) } else { None });
    test.flatten().collect()
}
