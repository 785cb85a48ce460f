//! What DDL statements do to a [`Catalog`], one after the other: a schema that CREATE and ALTER built up, as
//! dumps and migrations do.

mod indexes;
mod table;

use super::{Catalog, Table, TableKind};
use crate::{
    finding::Location,
    names::RelName,
    sql::ddl::{Action, Alter, CreateIndex, CreateTable, Ddl},
};

impl Catalog {
    /// Changes what the statement changes; what it makes is said to stand `at`. Names without a schema are
    /// taken to be in `public`. What is there already is not made again, as IF NOT EXISTS says; and a table
    /// that is not known is not altered: it may stand in another file.
    ///
    /// Errors: the table that CREATE INDEX names, where there is none.
    pub fn apply(&mut self, ddl: Ddl, at: Option<&Location>) -> Result<(), RelName> {
        match ddl {
            Ddl::CreateTable(create) => self.create_table(create, at),
            Ddl::CreateIndex(create) => return self.create_index(create, at),
            Ddl::CreateView { name, materialized } => {
                let kind = if materialized { TableKind::MaterializedView } else { TableKind::View };
                self.insert(Table { name: name.or_public(), kind, at: at.cloned(), ..Table::default() });
            }
            Ddl::CreatePolicy { table, policy } => {
                if let Some(table) = self.table_mut(&table.or_public()) {
                    table.policies.push(policy);
                }
            }
            Ddl::AlterTable(alter) => self.alter_table(alter, at),
            Ddl::AlterIndex(alter) => self.alter_index(&alter),
            Ddl::DropTables(names) => {
                let gone: Vec<RelName> = names.iter().map(RelName::or_public).collect();
                self.tables.retain(|table| !gone.contains(&table.name));
                for table in &mut self.tables {
                    table.foreign_keys.retain(|key| !gone.contains(&key.references));
                }
            }
            Ddl::DropIndexes { names, .. } => {
                for table in &mut self.tables {
                    table.indexes.retain(|index| names.iter().all(|gone| gone.name != index.name));
                }
            }
            Ddl::RenameType { from, to } => {
                let columns = self.tables.iter_mut().flat_map(|table| &mut table.columns);
                for column in columns.filter(|column| column.type_name == from) {
                    column.type_name.clone_from(&to);
                }
            }
            Ddl::Begin
            | Ddl::End
            | Ddl::Set { .. }
            | Ddl::Reindex { .. }
            | Ddl::Vacuum { .. }
            | Ddl::Cluster { .. }
            | Ddl::Refresh { .. }
            | Ddl::UnreadTable(_)
            | Ddl::Other => {}
        }
        Ok(())
    }

    /// Adds a table unless it is there.
    fn insert(&mut self, table: Table) {
        if let Err(at) = self.tables.binary_search_by(|known| known.name.cmp(&table.name)) {
            self.tables.insert(at, table);
        }
    }

    fn create_table(&mut self, create: CreateTable, at: Option<&Location>) {
        let kind = match &create {
            CreateTable { foreign: true, .. } => TableKind::Foreign,
            CreateTable { partitioned: true, .. } => TableKind::Partitioned,
            CreateTable { partition_of: Some(_), .. } => TableKind::Partition,
            _ => TableKind::Table,
        };
        let partition_of = create.partition_of.as_ref().map(RelName::or_public);
        let mut table = Table {
            name: create.name.or_public(),
            kind,
            partition_of,
            storage: create.storage.into_iter().collect(),
            ..Table::default()
        };
        let partition = create.partition_of.is_some();
        for model in create.like.into_iter().chain(create.inherits).chain(create.partition_of) {
            for column in self.table(&model.or_public()).map(|model| &model.columns).into_iter().flatten() {
                if table.column(&column.name).is_none() {
                    table.columns.push(column.clone());
                }
            }
        }
        for column in create.columns {
            table.add_column(column, partition);
        }
        for constraint in create.constraints {
            table.add_constraint(constraint);
        }
        table.stands(at);
        self.insert(table);
    }

    fn create_index(&mut self, create: CreateIndex, at: Option<&Location>) -> Result<(), RelName> {
        let name = create.table.or_public();
        let Some(table) = self.table_mut(&name) else { return Err(name) };
        table.create_index(create);
        table.stands(at);
        Ok(())
    }

    fn alter_table(&mut self, alter: Alter, at: Option<&Location>) {
        let mut name = alter.name.or_public();
        for action in alter.actions {
            match action {
                Action::Rename(to) => self.rename(&mut name, |name| name.name = to),
                Action::SetSchema(to) => self.rename(&mut name, |name| name.schema = Some(to)),
                Action::AttachPartition(partition) => {
                    if let Some(table) = self.table_mut(&partition.or_public()) {
                        table.partition_of = Some(name.clone());
                        if table.kind == TableKind::Table {
                            table.kind = TableKind::Partition;
                        }
                    }
                }
                Action::DetachPartition { partition, .. } => {
                    if let Some(table) = self.table_mut(&partition.or_public()) {
                        table.partition_of = None;
                        if table.kind == TableKind::Partition {
                            table.kind = TableKind::Table;
                        }
                    }
                }
                action => {
                    if let Some(table) = self.table_mut(&name) {
                        table.alter(action);
                    }
                }
            }
        }
        if let Some(table) = self.table_mut(&name) {
            table.stands(at);
        }
    }

    fn alter_index(&mut self, alter: &Alter) {
        let renamed = alter.actions.iter().find_map(|action| match action {
            Action::Rename(to) => Some(to),
            _ => None,
        });
        let Some(to) = renamed else { return };
        let indexes = self.tables.iter_mut().flat_map(|table| &mut table.indexes);
        for index in indexes.filter(|index| index.name == alter.name.name) {
            index.name.clone_from(to);
        }
    }

    /// Renames a table or index, and whatever refers to it by its name.
    fn rename(&mut self, name: &mut RelName, change: impl FnOnce(&mut RelName)) {
        let from = name.clone();
        change(name);
        let to = &*name;
        if self.table(to).is_some() {
            return;
        }
        let Some(table) = self.table_mut(&from) else { return };
        table.name.clone_from(to);
        for table in &mut self.tables {
            for index in table.indexes.iter_mut().filter(|index| index.spec.table == from) {
                index.spec.table.clone_from(to);
                index.definition = index.spec.create();
            }
            for key in table.foreign_keys.iter_mut().filter(|key| key.references == from) {
                key.references.clone_from(to);
            }
        }
        self.tables.sort_by(|a, b| a.name.cmp(&b.name));
    }
}
