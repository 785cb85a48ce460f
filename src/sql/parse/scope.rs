//! The shape under construction, and which table a name means.

use std::ops::Range;

use rustc_hash::FxHashSet;
use sqlparser::{
    ast::{Expr, Ident, ObjectName, ObjectNamePart, Spanned},
    tokenizer::Span,
};

use super::source::Source;
use crate::names::RelName;
use crate::sql::StatementKind;
use crate::sql::shape::{
    Block, BlockId, ColumnRef, JoinKind, JoinedBy, Reference, Role, Shape, TableRef, TableSource, Target,
    outer, output_names,
};

pub(super) struct Builder<'a> {
    source: &'a Source<'a>,
    pub(super) blocks: Vec<Block>,
    pub(super) target: Option<Target>,
    /// The CTE names that can be seen, the innermost last.
    pub(super) ctes: Vec<(String, BlockId)>,
    /// Columns that USING merged: block, name, and the left table's column.
    pub(super) merged: Vec<(BlockId, String, ColumnRef)>,
    /// Names of `tables[n]`'s columns, where an alias list gives them: block, table, names.
    pub(super) column_aliases: Vec<(BlockId, usize, Vec<String>)>,
    pub(super) references: FxHashSet<Reference>,
    /// The table whose ON is being read.
    pub(super) joining: Option<(BlockId, usize)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Source<'a>) -> Builder<'a> {
        Builder {
            source,
            blocks: Vec::new(),
            target: None,
            ctes: Vec::new(),
            merged: Vec::new(),
            column_aliases: Vec::new(),
            references: FxHashSet::default(),
            joining: None,
        }
    }

    pub(super) fn into_shape(mut self, kind: StatementKind) -> Shape {
        self.shrink();
        let mut references: Vec<Reference> = self.references.into_iter().collect();
        references.sort_by(|a, b| {
            let key = |r: &Reference| (r.column.block, r.column.table, r.on);
            key(a).cmp(&key(b)).then_with(|| a.column.name.cmp(&b.column.name))
        });
        Shape {
            kind,
            blocks: self.blocks,
            target: self.target,
            writes_in_cte: false,
            creates_table: false,
            functions: Vec::new(),
            references,
        }
    }

    /// Gives back the room that vectors took to grow: a check keeps the shapes of all statements, and most have
    /// one block with one condition, of which a vector makes room for four.
    fn shrink(&mut self) {
        for block in &mut self.blocks {
            block.tables.shrink_to_fit();
            block.conditions.shrink_to_fit();
            block.projection.shrink_to_fit();
        }
        self.blocks.shrink_to_fit();
    }

    /// A new, empty block.
    pub(super) fn block(&mut self, role: Role, parent: Option<BlockId>) -> BlockId {
        self.blocks.push(Block {
            role,
            parent,
            tables: Vec::new(),
            filtered: false,
            conditions: Vec::new(),
            projection: Vec::new(),
            projected_subqueries: Vec::new(),
            set_operations: Vec::new(),
            distinct: false,
            distinct_on: Vec::new(),
            distinct_on_keys: 0,
            materialized: None,
            aggregates: false,
            aggregate_calls: Vec::new(),
            window_calls: Vec::new(),
            group_by: Vec::new(),
            groups_by_position: false,
            having: false,
            windows: false,
            order_by: Vec::new(),
            limit: None,
            offset: None,
            locking: None,
            at: 0..0,
        });
        self.blocks.len() - 1
    }

    pub(super) fn add_table(
        &mut self,
        block: BlockId,
        source: TableSource,
        alias: Option<String>,
        join: JoinKind,
        span: Span,
    ) -> usize {
        let at = self.range(span);
        let tables = &mut self.blocks[block].tables;
        tables.push(TableRef { source, alias, join, joined_by: JoinedBy::Nothing, at });
        tables.len() - 1
    }

    pub(super) fn range(&self, span: Span) -> Range<usize> {
        self.source.range(span)
    }

    pub(super) fn placeholder(&self, number: &str) -> String {
        self.source.placeholder(number).to_owned()
    }

    /// An expression as SQL text.
    pub(super) fn text(&self, expr: &Expr) -> String {
        self.source.restore(expr.to_string())
    }

    pub(super) fn range_of(&self, expr: &Expr) -> Range<usize> {
        self.range(expr.span())
    }

    /// A column of a name of one to four parts: `c`, `t.c`, `s.t.c`, `d.s.t.c`.
    pub(super) fn column(&self, block: BlockId, parts: &[Ident]) -> Option<ColumnRef> {
        let (name, qualifiers) = parts.split_last()?;
        let name = ident(name);
        let Some(table) = qualifiers.last() else { return Some(self.unqualified(block, name)) };
        let table = ident(table);
        let schema = qualifiers.len().checked_sub(2).map(|at| ident(&qualifiers[at]));
        let mut scope = Some(block);
        while let Some(here) = scope {
            let found =
                self.blocks[here].tables.iter().position(|candidate| match (&schema, &candidate.source) {
                    (None, _) => candidate.alias.as_deref() == Some(&table),
                    (Some(schema), TableSource::Table(name)) => {
                        name.name == table && name.schema.as_ref().is_none_or(|known| known == schema)
                    }
                    (Some(_), _) => false,
                });
            if found.is_some() {
                return Some(ColumnRef { table: found, block: here, name });
            }
            scope = outer(&self.blocks, here);
        }
        // A name that nothing in sight has, such as the row `excluded` or a composite's field.
        Some(ColumnRef { table: None, block, name })
    }

    fn unqualified(&self, block: BlockId, name: String) -> ColumnRef {
        let mut scope = Some(block);
        while let Some(here) = scope {
            if let Some((.., column)) =
                self.merged.iter().find(|(at, merged, _)| *at == here && *merged == name)
            {
                return column.clone();
            }
            let tables = &self.blocks[here].tables;
            let mut candidates = (0..tables.len()).filter(|&at| self.may_have(here, at, &name));
            if let Some(first) = candidates.next() {
                let table = candidates.next().is_none().then_some(first);
                return ColumnRef { table, block: here, name };
            }
            scope = outer(&self.blocks, here);
        }
        ColumnRef { table: None, block, name }
    }

    /// Whether a table of FROM may have such a column, for all that the text says.
    fn may_have(&self, block: BlockId, table: usize, column: &str) -> bool {
        if let Some((.., names)) =
            self.column_aliases.iter().find(|(at, which, _)| (*at, *which) == (block, table))
        {
            return names.iter().any(|name| name == column);
        }
        match &self.blocks[block].tables[table].source {
            TableSource::Derived(inner) | TableSource::Cte { block: inner, .. } => {
                output_names(&self.blocks, *inner).is_none_or(|names| names.iter().any(|name| name == column))
            }
            _ => true,
        }
    }
}

/// A name as the catalog has it: folded to lower case unless quoted.
pub(super) fn ident(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_ascii_lowercase() }
}

pub(super) fn parts(name: &ObjectName) -> Vec<String> {
    let mut parts = Vec::with_capacity(name.0.len());
    for part in &name.0 {
        match part {
            ObjectNamePart::Identifier(part) => parts.push(ident(part)),
            ObjectNamePart::Function(part) => parts.push(ident(&part.name)),
        }
    }
    parts
}

/// The last two parts: a database before them is dropped.
pub(super) fn rel_name(name: &ObjectName) -> RelName {
    let mut parts = parts(name);
    let name = parts.pop().unwrap_or_default();
    RelName { schema: parts.pop(), name }
}
