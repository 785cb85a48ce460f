//! What DDL statements do to a [`Catalog`], one after the other: a schema that CREATE and ALTER built up, as
//! migrations do.

use super::{Catalog, Check, KeyExpr, Table};
use crate::{
    finding::Location,
    names::RelName,
    sql::change::{Action, AddedConstraint, Change, ConstraintKind},
};

/// The DDL of one file, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    pub file: String,
    pub steps: Vec<Step>,
    /// The tables that it changes as they were before it, as far as earlier files made them.
    pub before: Catalog,
    /// It changes what other files made, and is none of several files that make one schema.
    pub migration: bool,
}

/// One DDL statement of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub change: Change,
    pub at: Location,
    /// The number of the BEGIN … COMMIT around it.
    pub transaction: Option<u32>,
}

/// A name in DDL text: `public` where no schema is written.
pub(super) fn qualified(name: &RelName) -> RelName {
    RelName::new(Some(name.schema.as_deref().unwrap_or("public")), &name.name)
}

impl Catalog {
    /// Whether a statement makes what is there already: as IF NOT EXISTS says, or in a second dump.
    pub fn is_repeated(&self, change: &Change) -> bool {
        match change {
            Change::CreateTable { table, .. } | Change::CreateView { view: table } => {
                self.table(&qualified(table)).is_some()
            }
            Change::CreateIndex { name: Some(name), table, .. } => {
                let has = |table: &Table| table.indexes.iter().any(|index| index.name == name.name);
                self.table(&qualified(table)).is_some_and(has)
            }
            _ => false,
        }
    }

    /// Takes away and alters as a statement says, and tells where what it made stands. What it adds is
    /// already there (see `sources::ddl`).
    pub fn apply(&mut self, change: &Change, at: Option<&Location>) {
        match change {
            Change::CreateTable { table, partition_of, storage, .. } => {
                if let Some(table) = self.table_mut(&qualified(table)) {
                    table.partition_of = partition_of.as_ref().map(qualified);
                    table.storage.extend(storage.iter().cloned());
                    table.stands(at);
                }
            }
            Change::CreateIndex { table, .. } => self.change(table, |table| table.stands(at)),
            Change::CreatePolicy { table, policy } => {
                self.change(table, |table| table.policies.push(policy.clone()));
            }
            Change::DropTable { tables } => {
                let gone: Vec<RelName> = tables.iter().map(qualified).collect();
                self.tables.retain(|table| !gone.contains(&table.name));
                for table in &mut self.tables {
                    table.foreign_keys.retain(|key| !gone.contains(&key.references));
                }
            }
            Change::DropIndex { indexes, .. } => {
                for table in &mut self.tables {
                    table.indexes.retain(|index| indexes.iter().all(|gone| gone.name != index.name));
                }
            }
            Change::AlterTable { table, actions } => {
                let mut name = qualified(table);
                for action in actions {
                    match action {
                        Action::RenameTable { to } => {
                            self.rename(&name, RelName::new(name.schema.as_deref(), to));
                            name.name.clone_from(to);
                        }
                        Action::SetSchema { to } => {
                            self.rename(&name, RelName::new(Some(to), &name.name));
                            name.schema = Some(to.clone());
                        }
                        Action::AttachPartition { partition } => {
                            let parent = name.clone();
                            self.change(partition, |table| table.partition_of = Some(parent));
                        }
                        Action::DetachPartition { partition, .. } => {
                            self.change(partition, |table| table.partition_of = None);
                        }
                        action => self.change(&name, |table| table.alter(action)),
                    }
                }
                self.change(&name, |table| table.stands(at));
            }
            _ => {}
        }
    }

    fn change(&mut self, name: &RelName, change: impl FnOnce(&mut Table)) {
        if let Some(table) = self.table_mut(&qualified(name)) {
            change(table);
        }
    }

    fn rename(&mut self, from: &RelName, to: RelName) {
        if self.table(&to).is_some() || self.table(from).is_none() {
            return;
        }
        for table in &mut self.tables {
            if table.name == *from {
                table.name.clone_from(&to);
                for index in &mut table.indexes {
                    index.spec.table.clone_from(&to);
                }
            }
            for key in table.foreign_keys.iter_mut().filter(|key| key.references == *from) {
                key.references.clone_from(&to);
            }
        }
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

impl Table {
    /// What has no place yet was made here.
    fn stands(&mut self, at: Option<&Location>) {
        let Some(at) = at else { return };
        self.at.get_or_insert_with(|| at.clone());
        for index in &mut self.indexes {
            index.at.get_or_insert_with(|| at.clone());
        }
        for key in &mut self.foreign_keys {
            key.at.get_or_insert_with(|| at.clone());
        }
    }

    fn alter(&mut self, action: &Action) {
        match action {
            Action::SetNotNull { column } => self.set_not_null(column, true),
            Action::DropNotNull { column } => self.set_not_null(column, false),
            Action::SetType { column, type_name, .. } => {
                if let Some(column) = self.columns.iter_mut().find(|known| known.name == *column) {
                    column.type_name.clone_from(type_name);
                }
            }
            Action::DropColumn { column } => {
                self.columns.retain(|known| known.name != *column);
                let uses =
                    |key: &super::IndexKey| matches!(&key.expr, KeyExpr::Column(name) if name == column);
                self.indexes.retain(|index| {
                    !index.spec.keys.iter().any(uses) && !index.spec.include.contains(column)
                });
                self.foreign_keys.retain(|key| !key.columns.contains(column));
            }
            Action::DropConstraint { constraint } => {
                self.indexes.retain(|index| !(index.constraint && index.name == *constraint));
                self.foreign_keys.retain(|key| key.name != *constraint);
                self.checks.retain(|check| check.name != *constraint);
            }
            Action::RenameColumn { from, to } => self.rename_column(from, to),
            Action::SetStorage(values) => self.storage.extend(values.iter().cloned()),
            Action::RowSecurity(on) => self.row_security = *on,
            Action::Validate { constraint } => {
                for check in self.checks.iter_mut().filter(|check| check.name == *constraint) {
                    check.valid = true;
                }
            }
            Action::AddConstraint(added) => self.add(added),
            _ => {}
        }
    }

    fn add(&mut self, added: &AddedConstraint) {
        let name = added.name.clone().unwrap_or_default();
        match &added.kind {
            ConstraintKind::Check(condition) => {
                let valid = !added.not_valid;
                self.checks.retain(|check| name.is_empty() || check.name != name);
                self.checks.push(Check { name, condition: condition.clone(), valid });
            }
            ConstraintKind::Unique { using_index: Some(used) }
            | ConstraintKind::Primary { using_index: Some(used) } => {
                let primary = matches!(added.kind, ConstraintKind::Primary { .. });
                for index in self.indexes.iter_mut().filter(|index| index.name == *used) {
                    index.constraint = true;
                    index.primary = primary;
                    if !name.is_empty() {
                        index.name.clone_from(&name);
                    }
                }
            }
            _ => {}
        }
    }

    fn set_not_null(&mut self, column: &str, not_null: bool) {
        for known in self.columns.iter_mut().filter(|known| known.name == column) {
            known.not_null = not_null;
        }
    }

    fn rename_column(&mut self, from: &str, to: &str) {
        if self.column(to).is_some() {
            return;
        }
        let rename = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        self.columns.iter_mut().for_each(|column| rename(&mut column.name));
        self.foreign_keys.iter_mut().flat_map(|key| &mut key.columns).for_each(rename);
        for index in &mut self.indexes {
            index.spec.include.iter_mut().for_each(rename);
            for key in &mut index.spec.keys {
                if let KeyExpr::Column(name) = &mut key.expr {
                    rename(name);
                }
            }
        }
    }
}
