//! INSERT, UPDATE, DELETE and MERGE: what they write, and the scan that finds it.

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, FromTable, Insert, Merge, MergeAction, MergeInsertKind,
    MergeUpdateKind, ObjectName, OnConflictAction, OnInsert, OutputClause, SelectItem, SetExpr, Statement,
    TableFactor, TableObject, Update, UpdateTableFromKind,
};

use super::scope::{Builder, parts, rel_name};
use crate::sql::shape::{BlockId, Clause, JoinKind, Role, Target, WriteKind};

impl Builder<'_> {
    /// A data-modifying statement whose scan is `block`.
    pub(super) fn write(&mut self, statement: &Statement, block: BlockId) {
        let target = match statement {
            Statement::Insert(insert) => self.insert(insert, block),
            Statement::Update(update) => self.update(update, block),
            Statement::Delete(delete) => self.delete(delete, block),
            Statement::Merge(merge) => self.merge(merge, block),
            _ => None,
        };
        // The statement's own, not what a CTE writes.
        if matches!(self.blocks[block].role, Role::Root) && self.target.is_none() {
            self.target = target;
        }
    }

    fn insert(&mut self, insert: &Insert, block: BlockId) -> Option<Target> {
        let TableObject::TableName(name) = &insert.table else { return None };
        let mut rows = None;
        if let Some(source) = &insert.source {
            if let SetExpr::Values(values) = &*source.body {
                rows = Some(values.rows.len());
            }
            self.query(source, Role::InsertSource, Some(block));
        }
        if let Some(OnInsert::OnConflict(conflict)) = &insert.on
            && let OnConflictAction::DoUpdate(update) = &conflict.action
        {
            self.assigned(&update.assignments, block);
            if let Some(selection) = &update.selection {
                self.inside(selection, block);
            }
        }
        self.returning(insert.returning.as_deref(), block);
        Some(Target {
            kind: WriteKind::Insert,
            table: rel_name(name),
            columns: insert.columns.iter().filter_map(|column| parts(column).pop()).collect(),
            rows,
            returning: insert.returning.is_some(),
            on_conflict: insert.on.is_some(),
        })
    }

    fn update(&mut self, update: &Update, block: BlockId) -> Option<Target> {
        self.joined(&update.table, block, JoinKind::From);
        if let Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) = &update.from
        {
            self.from(from, block);
        }
        if let Some(selection) = &update.selection {
            self.blocks[block].filtered = true;
            self.conditions(selection, block, Clause::Where);
        }
        let columns = self.assigned(&update.assignments, block);
        self.returning(update.returning.as_deref(), block);
        Some(target(WriteKind::Update, table(&update.table.relation)?, columns, update.returning.is_some()))
    }

    fn delete(&mut self, delete: &Delete, block: BlockId) -> Option<Target> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        self.from(from, block);
        if let Some(using) = &delete.using {
            self.from(using, block);
        }
        if let Some(selection) = &delete.selection {
            self.blocks[block].filtered = true;
            self.conditions(selection, block, Clause::Where);
        }
        self.returning(delete.returning.as_deref(), block);
        Some(target(
            WriteKind::Delete,
            table(&from.first()?.relation)?,
            Vec::new(),
            delete.returning.is_some(),
        ))
    }

    fn merge(&mut self, merge: &Merge, block: BlockId) -> Option<Target> {
        self.table_factor(&merge.table, block, JoinKind::From);
        let source = self.table_factor(&merge.source, block, JoinKind::Inner);
        self.conditions(&merge.on, block, Clause::On(source));
        let mut columns = Vec::new();
        for clause in &merge.clauses {
            if let Some(predicate) = &clause.predicate {
                self.inside(predicate, block);
            }
            match &clause.action {
                MergeAction::Insert(insert) => {
                    columns.extend(insert.columns.iter().filter_map(|column| parts(column).pop()));
                    if let MergeInsertKind::Values(values) = &insert.kind {
                        for value in values.rows.iter().flat_map(|row| &row.content) {
                            self.inside(value, block);
                        }
                    }
                }
                MergeAction::Update(update) => {
                    if let MergeUpdateKind::Set(assignments) = &update.kind {
                        columns.extend(self.assigned(assignments, block));
                    }
                }
                MergeAction::Delete { .. } | MergeAction::DoNothing { .. } => {}
            }
        }
        columns.sort();
        columns.dedup();
        if let Some(
            OutputClause::Returning { select_items, .. } | OutputClause::Output { select_items, .. },
        ) = &merge.output
        {
            self.returning(Some(select_items), block);
        }
        Some(target(WriteKind::Merge, table(&merge.table)?, columns, merge.output.is_some()))
    }

    /// Walks the values; the columns that are set, in order.
    fn assigned(&mut self, assignments: &[Assignment], block: BlockId) -> Vec<String> {
        let mut columns = Vec::new();
        for Assignment { target, value } in assignments {
            match target {
                AssignmentTarget::ColumnName(name) => columns.extend(parts(name).pop()),
                AssignmentTarget::Tuple(names) => {
                    columns.extend(names.iter().filter_map(|name| parts(name).pop()));
                }
            }
            self.inside(value, block);
        }
        columns
    }

    /// RETURNING makes no projection of the scan; only its subqueries count.
    fn returning(&mut self, items: Option<&[SelectItem]>, block: BlockId) {
        for item in items.unwrap_or_default() {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.inside(expr, block);
            }
        }
    }
}

fn table(factor: &TableFactor) -> Option<&ObjectName> {
    match factor {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    }
}

fn target(kind: WriteKind, table: &ObjectName, columns: Vec<String>, returning: bool) -> Target {
    Target { kind, table: rel_name(table), columns, rows: None, returning, on_conflict: false }
}
