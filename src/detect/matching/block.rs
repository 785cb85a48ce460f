//! A whole `match:` of one block, and its conditions about clauses, sorting, limits and writes.

use super::{Case, facts, join, names, node, predicate, truth::Truth};
use crate::{
    detect::words,
    rules::matching::{
        BlockWord, BoundMatch, BoundWord, Bounds, CallWord, ClauseWord, FunctionMatch, GroupMatch, KeyWord,
        Match, OneOf, OrderMatch, Placeholder, ProjectionMatch, SetMatch, SetWord, StatementWord, WriteMatch,
        WriteWord,
    },
    sql::{
        Shape, StatementKind,
        shape::{Block, BlockId, Bound, Projected, Role, SetKind, SortExpr, TableSource, WriteKind},
    },
};

impl<'a> Case<'a> {
    /// Whether all the conditions hold of this block.
    pub(super) fn holds(&self, m: &Match) -> Truth {
        let block = |test: &dyn Fn(&'a Shape, BlockId) -> Truth| match self.block {
            Some((shape, id)) => test(shape, id),
            None => Truth::Unknown,
        };
        Truth::of(true)
            .and_if(m.statement.as_ref(), |words| {
                block(&|shape, _| Truth::of(statement(shape).is_some_and(|word| words.has(&word))))
            })
            .and_if(m.block.as_ref(), |words| {
                block(&|shape, id| Truth::of(words.has(&role(&shape.blocks[id].role))))
            })
            .and_if(m.has.as_ref(), |words| {
                block(&|shape, id| Truth::of(words.0.iter().all(|word| clause(shape, id, *word))))
            })
            .and_if(m.lacks.as_ref(), |words| {
                block(&|shape, id| Truth::of(!words.0.iter().any(|word| clause(shape, id, *word))))
            })
            .and_if(m.tables.as_ref(), |bounds| {
                block(&|shape, id| self.count(bounds, shape.blocks[id].tables.len()))
            })
            .and_if(m.function.as_ref(), |function| block(&|shape, id| call(function, shape, id)))
            .and_if(m.limit.as_ref(), |limit| {
                block(&|shape, id| self.bound(limit, shape.blocks[id].limit.as_ref(), Placeholder::Limit))
            })
            .and_if(m.offset.as_ref(), |offset| {
                block(&|shape, id| self.bound(offset, shape.blocks[id].offset.as_ref(), Placeholder::Offset))
            })
            .and_if(m.set_operation.as_ref(), |set| block(&|shape, id| self.set(set, &shape.blocks[id])))
            .and_if(m.projection.as_ref(), |projection| {
                block(&|shape, id| self.projection(projection, shape, id))
            })
            .and_if(m.group.as_ref(), |group| block(&|shape, id| self.group(group, &shape.blocks[id])))
            .and_if(m.order.as_ref(), |order| block(&|shape, id| self.order(order, shape, id)))
            .and_if(m.predicate.as_ref(), |wanted| {
                block(&|shape, id| predicate::any(self, wanted, shape, id))
            })
            .and_if(m.join.as_ref(), |wanted| block(&|shape, id| join::any(self, wanted, shape, id)))
            .and_if(m.table.as_ref(), |wanted| {
                block(&|shape, id| {
                    Truth::any(
                        shape.blocks[id]
                            .tables
                            .iter()
                            .map(|table| facts::source(self, wanted, &table.source).at(&table.at)),
                    )
                })
            })
            .and_if(m.writes.as_ref(), |writes| block(&|shape, id| self.writes(writes, shape, id)))
            .and_if(m.contains.as_deref(), |inner| {
                block(&|shape, id| {
                    let within = (id + 1..shape.blocks.len()).filter(|&other| encloses(shape, id, other));
                    Truth::any(within.map(|other| Case { block: Some((shape, other)), ..*self }.holds(inner)))
                })
            })
            .and_if(m.inside.as_deref(), |outer| {
                block(&|shape, id| {
                    let around = (0..id).filter(|&other| encloses(shape, other, id));
                    Truth::any(around.map(|other| Case { block: Some((shape, other)), ..*self }.holds(outer)))
                })
            })
            .and_if(m.node.as_ref(), |wanted| node::any(self, wanted))
            .and_if(m.all.as_ref(), |all| {
                all.iter().fold(Truth::of(true), |truth, m| truth.and(|| self.holds(m)))
            })
            .and_if(m.any.as_ref(), |any| Truth::any(any.iter().map(|m| self.holds(m))))
            .and_if(m.not.as_deref(), |m| self.holds(m).negated())
            .and_if(m.unless.as_deref(), |m| Truth::of(!matches!(self.holds(m), Truth::Yes(_))))
    }

    pub(super) fn within(&self, bounds: &Bounds, number: f64) -> bool {
        bounds.hold(number, |name| self.param(name))
    }

    pub(super) fn count(&self, bounds: &Bounds, number: usize) -> Truth {
        Truth::of(self.within(bounds, number as f64)).fill(Placeholder::Count, || words::count(number as f64))
    }

    fn bound(&self, wanted: &BoundMatch, found: Option<&Bound>, place: Placeholder) -> Truth {
        let Some(found) = found else { return Truth::No };
        let kind = match found {
            Bound::Number(_) => BoundWord::Number,
            Bound::Parameter(_) => BoundWord::Parameter,
            Bound::Expression(_) => BoundWord::Expression,
        };
        Truth::of(wanted.kind.as_ref().is_none_or(|kinds| kinds.has(&kind))).and_if(
            wanted.number.as_ref(),
            |bounds| match found {
                Bound::Number(number) => Truth::of(self.within(bounds, *number as f64))
                    .fill(place, || words::count(*number as f64)),
                _ => Truth::No,
            },
        )
    }

    fn set(&self, wanted: &SetMatch, block: &Block) -> Truth {
        let operations = block.set_operations.iter().filter(|operation| {
            let kind = match operation.kind {
                SetKind::Union => SetWord::Union,
                SetKind::Intersect => SetWord::Intersect,
                SetKind::Except => SetWord::Except,
            };
            wanted.kind.as_ref().is_none_or(|kinds| kinds.has(&kind))
                && wanted.all.is_none_or(|all| operation.all == all)
        });
        Truth::of(operations.count() > 0)
            .and_if(wanted.arms.as_ref(), |bounds| self.count(bounds, block.set_operations.len() + 1))
    }

    fn projection(&self, wanted: &ProjectionMatch, shape: &Shape, id: BlockId) -> Truth {
        let block = &shape.blocks[id];
        let star = block.projection.iter().any(|item| matches!(item, Projected::Star { .. }));
        let scalar = block
            .projected_subqueries
            .iter()
            .any(|&inner| shape.blocks.get(inner).is_some_and(|inner| inner.role == Role::Scalar));
        let is = |asked: Option<bool>, found: bool| asked.is_none_or(|asked| asked == found);
        let holds = !block.projection.is_empty()
            && is(wanted.star, star)
            && is(wanted.scalar_subquery, scalar)
            && is(wanted.aggregate, block.aggregates)
            && is(wanted.window, block.windows);
        let star_at = block.projection.iter().find_map(|item| match item {
            Projected::Star { at, .. } if wanted.star == Some(true) => Some(at),
            _ => None,
        });
        let truth = Truth::of(holds);
        let truth = star_at.map_or(truth.clone(), |at| truth.at(at));
        truth.and_if(wanted.columns.as_ref(), |bounds| self.count(bounds, block.projection.len()))
    }

    fn group(&self, wanted: &GroupMatch, block: &Block) -> Truth {
        let by = |word: &KeyWord| match word {
            KeyWord::Ordinal => block.groups_by_position,
            KeyWord::Column => block.group_by.iter().any(|key| matches!(key, SortExpr::Column(_))),
            KeyWord::Expression => block.group_by.iter().any(|key| matches!(key, SortExpr::Expression(_))),
        };
        Truth::of(!block.group_by.is_empty())
            .and_if(wanted.by.as_ref(), |words| Truth::of(words.0.iter().any(by)))
            .and_if(wanted.function.as_ref(), |names| key_function(names, block.group_by.iter()))
            .and_if(wanted.keys.as_ref(), |bounds| self.count(bounds, block.group_by.len()))
    }

    fn order(&self, wanted: &OrderMatch, shape: &Shape, id: BlockId) -> Truth {
        let keys = &shape.blocks[id].order_by;
        let by = |word: &KeyWord| {
            keys.iter().any(|key| match word {
                KeyWord::Ordinal => key.ordinal,
                KeyWord::Column => !key.ordinal && matches!(key.expr, SortExpr::Column(_)),
                KeyWord::Expression => !key.ordinal && matches!(key.expr, SortExpr::Expression(_)),
            })
        };
        let columns = keys.iter().filter_map(|key| match &key.expr {
            SortExpr::Column(column) => Some(column),
            SortExpr::Expression(_) => None,
        });
        let mixed = keys.iter().any(|key| key.desc) && keys.iter().any(|key| !key.desc);
        let moved = keys.iter().any(|key| key.nulls_first != key.desc);
        let holds = !keys.is_empty()
            && wanted.by.as_ref().is_none_or(|words| words.0.iter().any(by))
            && wanted.mixed_directions.is_none_or(|asked| asked == mixed)
            && wanted.nulls_moved.is_none_or(|asked| asked == moved);
        Truth::of(holds)
            .and_if(wanted.function.as_ref(), |names| key_function(names, keys.iter().map(|key| &key.expr)))
            .and_if(wanted.keys.as_ref(), |bounds| self.count(bounds, keys.len()))
            .and_if(wanted.tables.as_ref(), |bounds| {
                let mut tables: Vec<_> =
                    columns.clone().filter_map(|column| Some((column.block, column.table?))).collect();
                tables.sort_unstable();
                tables.dedup();
                self.count(bounds, tables.len())
            })
            .and_if(wanted.column.as_ref(), |column| {
                Truth::any(columns.map(|found| facts::column(self, column, shape, found, None)))
            })
    }

    fn writes(&self, wanted: &WriteMatch, shape: &Shape, id: BlockId) -> Truth {
        // What a CTE writes, the shape does not hold.
        let Some(target) = shape.target.as_ref().filter(|_| id == 0) else { return Truth::No };
        let kind = match target.kind {
            WriteKind::Insert => WriteWord::Insert,
            WriteKind::Update => WriteWord::Update,
            WriteKind::Delete => WriteWord::Delete,
            WriteKind::Merge => WriteWord::Merge,
        };
        Truth::of(wanted.kind.as_ref().is_none_or(|kinds| kinds.has(&kind)))
            .fill(Placeholder::Table, || target.table.plain())
            .and_if(wanted.rows.as_ref(), |bounds| match target.rows {
                Some(rows) => self.count(bounds, rows),
                None => Truth::No,
            })
            .and_if(wanted.columns.as_ref(), |bounds| self.count(bounds, target.columns.len()))
            .and_if(wanted.table.as_ref(), |table| facts::table(self, table, &target.table))
            .and_if(wanted.column.as_ref(), |column| {
                let found = target
                    .columns
                    .iter()
                    .map(|name| facts::column_of(self, column, &target.table, name, None));
                Truth::any(found)
            })
    }
}

/// What the statement does, a leading WITH aside; `None` for a utility statement.
fn statement(shape: &Shape) -> Option<StatementWord> {
    match (&shape.target, shape.kind) {
        (Some(target), _) => Some(match target.kind {
            WriteKind::Insert => StatementWord::Insert,
            WriteKind::Update => StatementWord::Update,
            WriteKind::Delete => StatementWord::Delete,
            WriteKind::Merge => StatementWord::Merge,
        }),
        (None, StatementKind::Select | StatementKind::With) => Some(StatementWord::Select),
        (None, _) => None,
    }
}

fn role(role: &Role) -> BlockWord {
    match role {
        Role::Root => BlockWord::Root,
        Role::SetArm => BlockWord::SetArm,
        Role::Cte { .. } => BlockWord::Cte,
        Role::Derived { lateral: false } => BlockWord::Derived,
        Role::Derived { lateral: true } => BlockWord::Lateral,
        Role::Exists { negated: false } => BlockWord::Exists,
        Role::Exists { negated: true } => BlockWord::NotExists,
        Role::In { negated: false } => BlockWord::In,
        Role::In { negated: true } => BlockWord::NotIn,
        Role::Scalar => BlockWord::Scalar,
        Role::InsertSource => BlockWord::InsertSource,
    }
}

fn clause(shape: &Shape, id: BlockId, word: ClauseWord) -> bool {
    let block = &shape.blocks[id];
    let target = shape.target.as_ref().filter(|_| id == 0);
    match word {
        ClauseWord::From => !block.tables.is_empty(),
        ClauseWord::Where => block.filtered,
        ClauseWord::GroupBy => !block.group_by.is_empty(),
        ClauseWord::Having => block.having,
        ClauseWord::OrderBy => !block.order_by.is_empty(),
        ClauseWord::Limit => block.limit.is_some(),
        ClauseWord::Offset => block.offset.is_some(),
        ClauseWord::Distinct => block.distinct,
        ClauseWord::DistinctOn => !block.distinct_on.is_empty(),
        ClauseWord::Window => block.windows,
        ClauseWord::Locking => block.locking.is_some(),
        ClauseWord::With => shape
            .blocks
            .iter()
            .any(|inner| inner.parent == Some(id) && matches!(inner.role, Role::Cte { .. })),
        ClauseWord::Returning => target.is_some_and(|target| target.returning),
        ClauseWord::OnConflict => target.is_some_and(|target| target.on_conflict),
        ClauseWord::Into => id == 0 && shape.creates_table,
    }
}

/// Whether the inner block stands in the outer one, at any depth.
fn encloses(shape: &Shape, outer: BlockId, inner: BlockId) -> bool {
    let mut at = shape.blocks.get(inner).and_then(|block| block.parent);
    while let Some(id) = at {
        if id == outer {
            return true;
        }
        // A parent stands before its children, so that this ends.
        at = shape.blocks.get(id).and_then(|block| block.parent).filter(|&parent| parent < id);
    }
    false
}

fn key_function<'k>(names: &OneOf<String>, keys: impl Iterator<Item = &'k SortExpr>) -> Truth {
    let calls = keys.filter_map(|key| match key {
        SortExpr::Expression(text) => Some(predicate::calls(text)),
        SortExpr::Column(_) => None,
    });
    named(names, calls.flatten())
}

fn named(names: &OneOf<String>, calls: impl Iterator<Item = String>) -> Truth {
    let mut found = calls.filter(|call| names.has(call));
    match found.next() {
        Some(call) => Truth::of(true).fill(Placeholder::Function, || call),
        None => Truth::No,
    }
}

fn call(wanted: &FunctionMatch, shape: &Shape, id: BlockId) -> Truth {
    let block = &shape.blocks[id];
    let keys = |key: &SortExpr| match key {
        SortExpr::Expression(text) => predicate::calls(text),
        SortExpr::Column(_) => Vec::new(),
    };
    let at = |place: &CallWord| -> Vec<String> {
        match place {
            CallWord::Predicate => predicate::all(block)
                .iter()
                .filter_map(|(test, _)| test.wrapped.as_deref())
                .flat_map(predicate::calls)
                .collect(),
            CallWord::Projection => block
                .projection
                .iter()
                .flat_map(|item| match item {
                    Projected::Expression { text, .. } => predicate::calls(text),
                    _ => Vec::new(),
                })
                .collect(),
            CallWord::OrderBy => block.order_by.iter().flat_map(|key| keys(&key.expr)).collect(),
            CallWord::GroupBy => block.group_by.iter().flat_map(keys).collect(),
            CallWord::From => block
                .tables
                .iter()
                .filter_map(|table| match &table.source {
                    TableSource::Function(name) => Some(name.name.clone()),
                    _ => None,
                })
                .collect(),
        }
    };
    let found: Vec<String> = match &wanted.place {
        Some(places) => places.0.iter().flat_map(at).collect(),
        None => shape.functions.iter().map(|name| name.name.clone()).collect(),
    };
    match &wanted.name {
        Some(wanted) => named(wanted, found.into_iter()),
        None => match found.into_iter().next() {
            Some(call) => Truth::of(true).fill(Placeholder::Function, || call),
            None => Truth::No,
        },
    }
    .fill(Placeholder::Tables, || words::list(&names(shape, id)))
}
