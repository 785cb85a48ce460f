//! What DDL statements do to one table.

use crate::{
    catalog::{Check, Column, ForeignKey, Table},
    finding::Location,
    sql::ddl::{self, Action, Constraint, ConstraintKind, Keys},
};

impl Table {
    /// What has no place yet was made here.
    pub(super) fn stands(&mut self, at: Option<&Location>) {
        let Some(at) = at else { return };
        self.at.get_or_insert_with(|| at.clone());
        for index in &mut self.indexes {
            index.at.get_or_insert_with(|| at.clone());
        }
        for key in &mut self.foreign_keys {
            key.at.get_or_insert_with(|| at.clone());
        }
    }

    /// An action that is about this table alone.
    pub(super) fn alter(&mut self, action: Action) {
        match action {
            Action::AddColumn { column, if_not_exists } => {
                if !(if_not_exists && self.column(&column.name).is_some()) {
                    self.add_column(column, false);
                }
            }
            Action::AddConstraint(constraint) => self.add_constraint(constraint),
            Action::ValidateConstraint(name) => {
                for check in self.checks.iter_mut().filter(|check| check.name == name) {
                    check.valid = true;
                }
            }
            Action::DropColumn(column) => {
                self.columns.retain(|known| known.name != column);
                self.indexes.retain(|index| !index.spec.uses(&column));
                self.foreign_keys.retain(|key| !key.columns.contains(&column));
            }
            Action::DropConstraint(name) => {
                self.indexes.retain(|index| !(index.constraint && index.name == name));
                self.foreign_keys.retain(|key| key.name != name);
                self.checks.retain(|check| check.name != name);
            }
            Action::SetType { column, type_name, .. } => {
                self.change_column(&column, |known| known.type_name = type_name);
            }
            Action::SetDefault { column, default } => {
                self.change_column(&column, |known| known.default = default);
            }
            Action::SetNotNull(column) => self.change_column(&column, |known| known.not_null = true),
            Action::DropNotNull(column) => self.change_column(&column, |known| known.not_null = false),
            Action::RenameColumn { from, to } => self.rename_column(&from, &to),
            Action::RenameConstraint { from, to } => {
                let indexes = self.indexes.iter_mut().map(|index| &mut index.name);
                let keys = self.foreign_keys.iter_mut().map(|key| &mut key.name);
                let checks = self.checks.iter_mut().map(|check| &mut check.name);
                for name in indexes.chain(keys).chain(checks).filter(|name| **name == from) {
                    name.clone_from(&to);
                }
            }
            Action::SetStorage(values) => self.storage.extend(values),
            Action::RowSecurity(on) => self.row_security = on,
            Action::Rename(_)
            | Action::SetSchema(_)
            | Action::AttachPartition(_)
            | Action::DetachPartition { .. }
            | Action::Other { .. } => {}
        }
    }

    fn change_column(&mut self, name: &str, change: impl FnOnce(&mut Column)) {
        if let Some(column) = self.columns.iter_mut().find(|known| known.name == name) {
            change(column);
        }
    }

    /// `known`: the column is the parent's, and only its options are said here.
    pub(super) fn add_column(&mut self, column: ddl::Column, known: bool) {
        let made = Column {
            name: column.name,
            type_name: column.type_name,
            not_null: column.not_null,
            c_collation: column
                .collation
                .is_some_and(|name| matches!(name.as_str(), "C" | "c" | "POSIX" | "posix")),
            statistics: None,
            default: column.default,
        };
        match self.columns.iter_mut().find(|column| column.name == made.name) {
            Some(column) if known || made.type_name.is_empty() => {
                column.not_null |= made.not_null;
                column.default = made.default.or(column.default.take());
            }
            Some(column) => *column = made,
            None => self.columns.push(made),
        }
        for constraint in column.constraints {
            self.add_constraint(constraint);
        }
    }

    pub(super) fn add_constraint(&mut self, constraint: Constraint) {
        match constraint.kind {
            ConstraintKind::PrimaryKey(keys) => {
                if let Keys::Columns { columns, .. } = &keys {
                    for column in columns {
                        self.change_column(column, |known| known.not_null = true);
                    }
                }
                self.constraint_index(constraint.name, keys, true);
            }
            ConstraintKind::Unique(keys) => self.constraint_index(constraint.name, keys, false),
            ConstraintKind::ForeignKey { columns, references, referenced_columns, deletes } => {
                let name = constraint
                    .name
                    .unwrap_or_else(|| format!("{}_{}_fkey", self.name.name, columns.join("_")));
                let references = references.or_public();
                let at = None;
                self.foreign_keys.push(ForeignKey {
                    name,
                    columns,
                    references,
                    referenced_columns,
                    deletes,
                    at,
                });
            }
            ConstraintKind::Exclude(index) => self.exclusion_index(constraint.name, index),
            ConstraintKind::NotNull(column) => self.change_column(&column, |known| known.not_null = true),
            ConstraintKind::Check(condition) => {
                let (name, valid) = (constraint.name.unwrap_or_default(), !constraint.not_valid);
                self.checks.retain(|check| name.is_empty() || check.name != name);
                self.checks.push(Check { name, condition, valid });
            }
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
            index.spec.rename_column(from, to);
            index.definition = index.spec.create();
        }
    }
}
