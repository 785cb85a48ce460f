//! Which table a column belongs to, once somebody knows the tables' columns.

use super::{
    Block, BlockId, ColumnRef, Condition, Op, Operand, Predicate, Projected, Role, Sargable, Shape, SortExpr,
    TableSource,
};
use crate::{names::RelName, sql::shape::Clause};

/// The block whose FROM can be seen from inside of a block, beside its own.
pub(crate) fn outer(blocks: &[Block], block: BlockId) -> Option<BlockId> {
    let Block { role, parent, .. } = blocks.get(block)?;
    let parent = (*parent)?;
    match role {
        Role::Root => None,
        // The neighbours in FROM, and the query that a CTE or an INSERT serves, cannot be seen.
        Role::Derived { lateral: false } | Role::Cte { .. } | Role::InsertSource => outer(blocks, parent),
        Role::Derived { lateral: true }
        | Role::SetArm
        | Role::Exists { .. }
        | Role::In { .. }
        | Role::Scalar => Some(parent),
    }
}

/// A block and all those that it stands in, itself first.
pub(crate) fn outer_reach(blocks: &[Block], block: BlockId) -> Vec<BlockId> {
    std::iter::successors(Some(block), |&id| blocks.get(id)?.parent).collect()
}

/// The block whose SELECT list names a block's output: of a set operation, its first arm.
pub(crate) fn output_block(blocks: &[Block], block: BlockId) -> Option<BlockId> {
    let mut at = block;
    while blocks.get(at)?.projection.is_empty() {
        // An arm comes later in the arena, so that this ends.
        at = (at + 1..blocks.len())
            .find(|&inner| blocks[inner].parent == Some(at) && blocks[inner].role == Role::SetArm)?;
    }
    Some(at)
}

/// The names of the columns that a block gives, where its text tells all of them.
pub(crate) fn output_names(blocks: &[Block], block: BlockId) -> Option<Vec<String>> {
    let at = output_block(blocks, block)?;
    let name = |item: &Projected| match item {
        Projected::Star { .. } => None,
        Projected::Column { column, alias } => Some(alias.clone().unwrap_or_else(|| column.name.clone())),
        Projected::Expression { alias, .. } => alias.clone(),
    };
    blocks[at].projection.iter().map(name).collect()
}

impl Op {
    /// The operator with its sides exchanged.
    pub(crate) fn turned(self) -> Op {
        match self {
            Op::Lt => Op::Gt,
            Op::LtEq => Op::GtEq,
            Op::Gt => Op::Lt,
            Op::GtEq => Op::LtEq,
            Op::Contains => Op::ContainedBy,
            Op::ContainedBy => Op::Contains,
            Op::HasKey => Op::Other,
            other => other,
        }
    }
}

impl Predicate {
    /// Of two bare columns, puts the one first that a nested loop would look up: the block's own
    /// rather than an outer block's, and that of the later table in FROM.
    pub(crate) fn orient(&mut self, own: BlockId) {
        let (None, Operand::Column(other)) = (&self.wrapped, &mut self.operand) else { return };
        let column = &mut self.column;
        let swap = if column.block == other.block {
            matches!((column.table, other.table), (Some(left), Some(right)) if left < right)
        } else {
            column.block != own && other.block == own
        };
        if swap {
            std::mem::swap(column, other);
            self.op = self.op.turned();
        }
        let same = column.table.is_some() && (column.block, column.table) == (other.block, other.table);
        match self.sargable {
            Sargable::Yes if same => self.sargable = Sargable::SelfComparison,
            Sargable::SelfComparison if !same => self.sargable = Sargable::Yes,
            _ => {}
        }
    }
}

impl Shape {
    /// Gives a table to columns that the text left unqualified among several, or whose only table in
    /// sight does not have them (they then belong to an outer block): `has_column` says whether a
    /// table has such a column, or `None` where nobody knows the table. Ambiguous ones stay as they are.
    pub fn resolve(&mut self, has_column: impl Fn(&RelName, &str) -> Option<bool>) {
        let mut blocks = std::mem::take(&mut self.blocks);
        let names = Names { blocks: &blocks.clone(), has_column: &has_column };
        for (id, block) in blocks.iter_mut().enumerate() {
            for condition in &mut block.conditions {
                names.condition(condition, id);
            }
            for item in &mut block.projection {
                match item {
                    Projected::Star { .. } => {}
                    Projected::Column { column, .. } => names.column(column, None),
                    Projected::Expression { columns, .. } => {
                        for column in columns {
                            names.column(column, None);
                        }
                    }
                }
            }
            let arguments = block.aggregate_calls.iter_mut().flat_map(|call| &mut call.columns);
            arguments.for_each(|column| names.column(column, None));
            block.distinct_on.iter_mut().for_each(|column| names.column(column, None));
            let sorts = block.group_by.iter_mut().chain(block.order_by.iter_mut().map(|key| &mut key.expr));
            for sort in sorts {
                if let SortExpr::Column(column) = sort {
                    names.column(column, None);
                }
            }
        }
        for reference in &mut self.references {
            names.column(&mut reference.column, None);
        }
        self.blocks = blocks;
    }
}

struct Names<'a, F> {
    blocks: &'a [Block],
    has_column: &'a F,
}

impl<F: Fn(&RelName, &str) -> Option<bool>> Names<'_, F> {
    fn condition(&self, condition: &mut Condition, own: BlockId) {
        match condition {
            Condition::Test(predicate) => {
                self.column(&mut predicate.column, None);
                if let Operand::Column(other) = &mut predicate.operand {
                    // USING names a column of what stands left of its join.
                    let before = match predicate.clause {
                        Clause::On(table) if predicate.text.starts_with("USING (") => Some(table),
                        _ => None,
                    };
                    self.column(other, before);
                }
                predicate.orient(own);
            }
            Condition::Any(conditions) | Condition::All(conditions) => {
                for condition in conditions {
                    self.condition(condition, own);
                }
            }
            Condition::Opaque { .. } => {}
        }
    }

    /// Among the tables before `before` only, where given.
    fn column(&self, column: &mut ColumnRef, before: Option<usize>) {
        if let Some(table) = column.table
            && self.has(column.block, table, &column.name) != Some(false)
        {
            return;
        }
        let mut scope = Some(column.block);
        while let Some(block) = scope {
            let tables = self.blocks[block].tables.len().min(before.unwrap_or(usize::MAX));
            let mut having = (0..tables).filter(|&table| self.has(block, table, &column.name) == Some(true));
            match (having.next(), having.next()) {
                (Some(only), None) => {
                    (column.block, column.table) = (block, Some(only));
                    return;
                }
                (Some(_), Some(_)) => return,
                (None, _) => {}
            }
            // One whose columns nobody knows may have it.
            if (0..tables).any(|table| self.has(block, table, &column.name).is_none()) {
                return;
            }
            scope = outer(self.blocks, block);
        }
    }

    /// `None` where neither the text nor the caller tells.
    fn has(&self, block: BlockId, table: usize, column: &str) -> Option<bool> {
        match &self.blocks[block].tables.get(table)?.source {
            TableSource::Table(name) => (self.has_column)(name, column),
            TableSource::Cte { block: inner, .. } | TableSource::Derived(inner) => {
                output_names(self.blocks, *inner).map(|names| names.iter().any(|name| name == column))
            }
            TableSource::Function(_) | TableSource::Values => None,
        }
    }
}
