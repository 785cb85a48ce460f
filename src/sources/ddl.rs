//! DDL text → [`Catalog`]: what [`sql::ddl`] reads, applied in order.
//!
//! For runs without a server, and for the rules' examples. There are no statistics in DDL, so rows,
//! sizes and histograms stay unknown. Other statements (functions, grants, COPY) are passed over; what
//! is about tables and indexes and cannot be read is named in [`Ddl::skipped`].
//!
//! [`sql::ddl`]: crate::sql::ddl

use crate::{
    catalog::{Catalog, Column, ForeignKey, Index, IndexKey, IndexSpec, KeyExpr, Table, TableKind},
    names::RelName,
    sql::{
        ddl::{self, Action, Constraint, ConstraintKind, CreateIndex, CreateTable, Keys},
        split,
    },
};

/// What DDL text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ddl {
    pub catalog: Catalog,
    /// Statements about tables and indexes that could not be read: line and column, their first words,
    /// and why.
    pub skipped: Vec<String>,
    /// Statements about tables and indexes.
    pub statements: u64,
}

/// Reads DDL text. Names without a schema are taken to be in `public`.
pub fn read(text: &str) -> Ddl {
    let mut ddl = Ddl::default();
    ddl.catalog.search_path = vec!["public".to_owned()];
    for range in split::statements(text) {
        let start = range.start;
        let sql = &text[range];
        match ddl::read(sql) {
            Ok(ddl::Ddl::Other) => {}
            Ok(statement) => {
                ddl.statements += 1;
                if let Err(why) = ddl.statement(statement) {
                    ddl.skip(text, start, sql, &why);
                }
            }
            Err(not_read) => {
                ddl.statements += 1;
                let (line, column) = split::position(text, start + not_read.byte);
                let why = format!("expected {} at line {line}, column {column}", not_read.expected);
                ddl.skip(text, start, sql, &why);
            }
        }
    }
    ddl.catalog.tables.sort_by(|a, b| a.name.cmp(&b.name));
    ddl
}

/// Why a change could not be made.
type Missing = String;

impl Ddl {
    fn skip(&mut self, text: &str, start: usize, sql: &str, why: &str) {
        let words: Vec<String> = sql.split_whitespace().take(4).map(str::to_ascii_lowercase).collect();
        let (line, column) = split::position(text, start);
        self.skipped.push(format!("{line}:{column}: {}: {why}", words.join(" ")));
    }

    fn statement(&mut self, statement: ddl::Ddl) -> Result<(), Missing> {
        match statement {
            ddl::Ddl::CreateTable(create) => self.create_table(create),
            ddl::Ddl::CreateIndex(create) => return self.create_index(create),
            ddl::Ddl::CreateView { name, materialized } => {
                let kind = if materialized { TableKind::MaterializedView } else { TableKind::View };
                let view = empty(named(name), kind);
                self.catalog.tables.retain(|known| known.name != view.name);
                self.catalog.tables.push(view);
            }
            ddl::Ddl::AlterTable(alter) => {
                let mut name = named(alter.name);
                for action in alter.actions {
                    self.alter(&mut name, action);
                }
            }
            ddl::Ddl::DropTables(names) => {
                for name in names.into_iter().map(named) {
                    self.catalog.tables.retain(|known| known.name != name);
                }
            }
            ddl::Ddl::DropIndexes(names) => {
                for name in names {
                    for table in &mut self.catalog.tables {
                        table.indexes.retain(|index| index.name != name.name);
                    }
                }
            }
            ddl::Ddl::Other => {}
        }
        Ok(())
    }

    fn table(&mut self, name: &RelName) -> Option<&mut Table> {
        self.catalog.tables.iter_mut().find(|known| known.name == *name)
    }

    fn create_table(&mut self, create: CreateTable) {
        let kind = match &create {
            CreateTable { foreign: true, .. } => TableKind::Foreign,
            CreateTable { partitioned: true, .. } => TableKind::Partitioned,
            CreateTable { partition_of: Some(_), .. } => TableKind::Partition,
            _ => TableKind::Table,
        };
        let mut table = empty(named(create.name), kind);
        if create.if_not_exists && self.table(&table.name).is_some() {
            return;
        }
        let partition = create.partition_of.is_some();
        for model in create.like.into_iter().chain(create.inherits).chain(create.partition_of) {
            if let Some(model) = self.table(&named(model)) {
                for column in &model.columns {
                    if table.column(&column.name).is_none() {
                        table.columns.push(column.clone());
                    }
                }
            }
        }
        for column in create.columns {
            add_column(&mut table, column, partition);
        }
        for constraint in create.constraints {
            constrain(&mut table, constraint);
        }
        self.catalog.tables.retain(|known| known.name != table.name);
        self.catalog.tables.push(table);
    }

    fn create_index(&mut self, create: CreateIndex) -> Result<(), Missing> {
        let name = named(create.table.clone());
        let Some(table) = self.table(&name) else { return Err(format!("there is no table {name}")) };
        if create.if_not_exists && table.indexes.iter().any(|index| Some(&index.name) == create.name.as_ref())
        {
            return Ok(());
        }
        let (called, unique) = (create.name.clone(), create.unique);
        push_index(table, called, spec(name, create), unique, false);
        Ok(())
    }

    /// A table that the text does not create is passed over: it may stand in another file.
    fn alter(&mut self, name: &mut RelName, action: Action) {
        let missing = self.table(name).is_none();
        if let (true, Action::Rename(to)) = (missing, &action) {
            // ALTER INDEX … RENAME.
            let indexes = self.catalog.tables.iter_mut().flat_map(|table| &mut table.indexes);
            for index in indexes.filter(|index| index.name == name.name) {
                index.name.clone_from(to);
            }
        }
        if let Action::AttachPartition(part) = &action
            && !missing
            && let Some(part) = self.table(&named(part.clone()))
            && part.kind == TableKind::Table
        {
            part.kind = TableKind::Partition;
        }
        if let Action::DetachPartition(part) = &action
            && let Some(part) = self.table(&named(part.clone()))
            && part.kind == TableKind::Partition
        {
            part.kind = TableKind::Table;
        }
        let Some(table) = self.table(name) else { return };
        match action {
            Action::AddColumn { column, if_not_exists } => {
                if !(if_not_exists && table.column(&column.name).is_some()) {
                    add_column(table, column, false);
                }
            }
            Action::AddConstraint(constraint) => constrain(table, constraint),
            Action::DropColumn(column) => {
                table.columns.retain(|known| known.name != column);
                table.indexes.retain(|index| !uses(index, &column));
                table.foreign_keys.retain(|key| !key.columns.contains(&column));
            }
            Action::DropConstraint(name) => {
                table.indexes.retain(|index| !(index.constraint && index.name == name));
                table.foreign_keys.retain(|key| key.name != name);
            }
            Action::SetType { column, type_name } => {
                for known in table.columns.iter_mut().filter(|known| known.name == column) {
                    known.type_name.clone_from(&type_name);
                }
            }
            Action::SetNotNull(column) => set_not_null(table, &column, true),
            Action::DropNotNull(column) => set_not_null(table, &column, false),
            Action::RenameColumn { from, to } => rename_column(table, &from, &to),
            Action::RenameConstraint { from, to } => {
                for index in table.indexes.iter_mut().filter(|index| index.name == from) {
                    index.name.clone_from(&to);
                }
                for key in table.foreign_keys.iter_mut().filter(|key| key.name == from) {
                    key.name.clone_from(&to);
                }
            }
            Action::Rename(to) => name.name = to,
            Action::SetSchema(schema) => name.schema = Some(schema),
            Action::AttachPartition(_) | Action::DetachPartition(_) | Action::Other(_) => {}
        }
        if table.name != *name {
            let old = std::mem::replace(&mut table.name, name.clone());
            self.renamed(&old, name);
        }
    }

    /// What refers to a table by its name follows it.
    fn renamed(&mut self, from: &RelName, to: &RelName) {
        for table in &mut self.catalog.tables {
            for index in table.indexes.iter_mut().filter(|index| index.spec.table == *from) {
                index.spec.table.clone_from(to);
                index.definition = index.spec.create();
            }
            for key in table.foreign_keys.iter_mut().filter(|key| key.references == *from) {
                key.references.clone_from(to);
            }
        }
    }
}

fn set_not_null(table: &mut Table, column: &str, not_null: bool) {
    for known in table.columns.iter_mut().filter(|known| known.name == column) {
        known.not_null = not_null;
    }
}

fn uses(index: &Index, column: &str) -> bool {
    index.spec.keys.iter().any(|key| matches!(&key.expr, KeyExpr::Column(name) if name == column))
        || index.spec.include.iter().any(|name| name == column)
}

fn rename_column(table: &mut Table, from: &str, to: &str) {
    for column in table.columns.iter_mut().filter(|column| column.name == from) {
        to.clone_into(&mut column.name);
    }
    for index in &mut table.indexes {
        for key in &mut index.spec.keys {
            if let KeyExpr::Column(name) = &mut key.expr
                && name == from
            {
                to.clone_into(name);
            }
        }
        for name in index.spec.include.iter_mut().filter(|name| *name == from) {
            to.clone_into(name);
        }
        index.definition = index.spec.create();
    }
    for name in table.foreign_keys.iter_mut().flat_map(|key| &mut key.columns).filter(|name| *name == from) {
        to.clone_into(name);
    }
}

/// A name with its schema.
fn named(name: RelName) -> RelName {
    RelName { schema: Some(name.schema.unwrap_or_else(|| "public".to_owned())), ..name }
}

fn empty(name: RelName, kind: TableKind) -> Table {
    Table {
        name,
        kind,
        rows: None,
        bytes: None,
        all_visible: None,
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        activity: None,
    }
}

/// `known`: the column is the parent's, and only its options are said here.
fn add_column(table: &mut Table, column: ddl::Column, known: bool) {
    let made = Column {
        name: column.name,
        type_name: column.type_name,
        not_null: column.not_null,
        c_collation: column
            .collation
            .is_some_and(|name| matches!(name.as_str(), "C" | "c" | "POSIX" | "posix")),
        statistics: None,
    };
    match table.columns.iter_mut().find(|column| column.name == made.name) {
        Some(column) if known || made.type_name.is_empty() => column.not_null |= made.not_null,
        Some(column) => *column = made,
        None => table.columns.push(made),
    }
    for constraint in column.constraints {
        constrain(table, constraint);
    }
}

fn constrain(table: &mut Table, constraint: Constraint) {
    match constraint.kind {
        ConstraintKind::PrimaryKey(keys) => {
            if let Keys::Columns { columns, .. } = &keys {
                for column in columns {
                    set_not_null(table, column, true);
                }
            }
            constraint_index(table, constraint.name, keys, true);
        }
        ConstraintKind::Unique(keys) => constraint_index(table, constraint.name, keys, false),
        ConstraintKind::ForeignKey { columns, references, referenced_columns } => {
            let name =
                constraint.name.unwrap_or_else(|| format!("{}_{}_fkey", table.name.name, columns.join("_")));
            let references = named(references);
            table.foreign_keys.push(ForeignKey { name, columns, references, referenced_columns });
        }
        ConstraintKind::Exclude(index) => {
            let keys: Vec<&str> =
                index.keys.iter().filter(|key| key.column).map(|key| key.text.as_str()).collect();
            let name =
                constraint.name.unwrap_or_else(|| format!("{}_{}_excl", table.name.name, keys.join("_")));
            let spec = spec(table.name.clone(), index);
            push_index(table, Some(name), spec, false, true);
        }
        ConstraintKind::NotNull(column) => set_not_null(table, &column, true),
        ConstraintKind::Check(_) => {}
    }
}

fn constraint_index(table: &mut Table, name: Option<String>, keys: Keys, primary: bool) {
    match keys {
        Keys::Index(name_of_index) => {
            let Some(index) = table.indexes.iter_mut().find(|index| index.name == name_of_index) else {
                return;
            };
            (index.constraint, index.primary, index.unique) = (true, primary, true);
            if let Some(name) = name {
                index.name = name;
            }
        }
        Keys::Columns { columns, include } => {
            let names: Vec<&str> = columns.iter().map(String::as_str).collect();
            let spec = IndexSpec { include, ..IndexSpec::btree(table.name.clone(), &names) };
            let suffix = if primary { "pkey".to_owned() } else { format!("{}_key", names.join("_")) };
            let called = name.unwrap_or_else(|| format!("{}_{suffix}", table.name.name));
            push_index(table, Some(called), spec, true, true);
            if let Some(index) = table.indexes.last_mut() {
                index.primary = primary;
            }
        }
    }
}

fn spec(table: RelName, index: CreateIndex) -> IndexSpec {
    IndexSpec {
        table,
        method: index.method,
        keys: index.keys.into_iter().map(key).collect(),
        include: index.include,
        predicate: index.predicate,
    }
}

fn key(key: ddl::Key) -> IndexKey {
    IndexKey {
        expr: if key.column { KeyExpr::Column(key.text) } else { KeyExpr::Expression(key.text) },
        desc: key.desc,
        nulls_first: key.nulls_first,
        opclass: key.opclass,
    }
}

/// Adds an index; one without a name gets it as `ChooseIndexName()` of PostgreSQL would.
fn push_index(table: &mut Table, name: Option<String>, spec: IndexSpec, unique: bool, constraint: bool) {
    let name = name.unwrap_or_else(|| {
        let keys: Vec<&str> = spec
            .keys
            .iter()
            .map(|key| match &key.expr {
                KeyExpr::Column(name) => name.as_str(),
                KeyExpr::Expression(expr) => {
                    expr.split('(').next().filter(|f| !f.is_empty()).unwrap_or("expr")
                }
            })
            .collect();
        format!("{}_{}_idx", table.name.name, keys.join("_"))
    });
    let definition = spec.create();
    table.indexes.push(Index {
        name,
        spec,
        unique,
        primary: false,
        constraint,
        valid: true,
        bytes: None,
        scans: None,
        definition,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_indexes_and_references() {
        let ddl = read(
            "CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(255) NOT NULL UNIQUE, \"Nick\" text);
             CREATE TABLE app.orders (
                 id bigint GENERATED ALWAYS AS IDENTITY, user_id bigint REFERENCES users (id) ON DELETE CASCADE,
                 created_at timestamptz, status text COLLATE \"C\", PRIMARY KEY (id), UNIQUE (user_id, created_at));
             CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE INDEX ON users (lower(email), \"Nick\" text_pattern_ops DESC);
             CREATE INDEX open ON app.orders USING gin (status gin_trgm_ops) WHERE status <> 'done';
             ALTER TABLE app.orders ADD CONSTRAINT o2 FOREIGN KEY (status) REFERENCES states (name);",
        );
        assert_eq!(ddl.skipped, Vec::<String>::new());
        let mut lines = Vec::new();
        for table in &ddl.catalog.tables {
            let columns: Vec<String> =
                table.columns.iter().map(|column| format!("{} {}", column.name, column.type_name)).collect();
            lines.push(format!("{} ({})", table.name, columns.join(", ")));
            for index in &table.indexes {
                let unique = if index.unique { "unique " } else { "" };
                lines.push(format!("  {unique}{}: {}", index.name, index.definition));
            }
            for key in &table.foreign_keys {
                lines.push(format!("  {} {:?} -> {}", key.name, key.columns, key.references));
            }
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        app.orders (id bigint, user_id bigint, created_at timestamp with time zone, status text)
          unique orders_pkey: CREATE INDEX ON app.orders (id)
          unique orders_user_id_created_at_key: CREATE INDEX ON app.orders (user_id, created_at)
          open: CREATE INDEX ON app.orders USING gin (status gin_trgm_ops) WHERE status <> 'done'
          orders_user_id_fkey ["user_id"] -> public.users
          o2 ["status"] -> public.states
        public.users (id bigint, email character varying(255), Nick text)
          unique users_pkey: CREATE INDEX ON public.users (id)
          unique users_email_key: CREATE INDEX ON public.users (email)
          users_lower_Nick_idx: CREATE INDEX ON public.users (lower(email), "Nick" text_pattern_ops DESC)
        "#);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let ddl = read("CREATE TABLE t (a int; CREATE INDEX ON nowhere (a)");
        assert_eq!(ddl.catalog.tables, Vec::new());
        assert_eq!(ddl.skipped.len(), 1, "{:?}", ddl.skipped);
    }
}
