//! DDL text → [`Catalog`]: CREATE TABLE with its keys, CREATE INDEX, and ALTER TABLE … ADD CONSTRAINT.
//!
//! For runs without a server, and for the rules' examples. There are no statistics in DDL, so rows,
//! sizes and histograms stay unknown. Other statements (functions, grants, COPY) are passed over; a
//! CREATE TABLE or CREATE INDEX that cannot be read is named in [`Ddl::skipped`].

use sqlparser::{
    ast::{
        AlterTableOperation, ColumnDef, ColumnOption, CreateIndex, CreateTable, CreateTableLikeKind,
        CreateView, DataType, Expr, ForeignKeyConstraint, Ident, IndexColumn, ObjectName, OrderBySort,
        ReferentialAction, Statement, TableConstraint,
    },
    dialect::PostgreSqlDialect,
    parser::Parser,
};

use crate::{
    catalog::{Catalog, Check, Column, ForeignKey, Index, IndexKey, IndexSpec, KeyExpr, Table, TableKind},
    finding::Location,
    names::RelName,
    sql::{change, split},
};

/// What DDL text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ddl {
    pub catalog: Catalog,
    /// Statements about tables and indexes that could not be read: their first words, and why.
    pub skipped: Vec<String>,
}

/// Reads DDL text. Names without a schema are taken to be in `public`.
pub fn read(text: &str) -> Ddl {
    let mut ddl = Ddl::default();
    ddl.catalog.search_path = vec!["public".to_owned()];
    for range in split::statements(text) {
        ddl.add(&text[range], None);
    }
    ddl
}

impl Ddl {
    /// Applies one statement. What it makes is said to stand `at`.
    pub fn add(&mut self, sql: &str, at: Option<&Location>) {
        let change = change::read(sql);
        if self.catalog.is_repeated(&change) {
            return;
        }
        let words: Vec<String> = sql.split_whitespace().take(4).map(str::to_ascii_lowercase).collect();
        let about = |word: &str| words.iter().any(|found| found == word);
        if about("table") || about("index") || about("view") {
            match Parser::parse_sql(&PostgreSqlDialect {}, sql) {
                Ok(statements) => {
                    for statement in statements {
                        self.statement(statement);
                    }
                }
                // What takes something away is read without the parser.
                Err(_) if about("drop") || about("partition") => {}
                Err(err) => self.skipped.push(format!("{}: {err}", words.join(" "))),
            }
            self.catalog.tables.sort_by(|a, b| a.name.cmp(&b.name));
        }
        self.catalog.apply(&change, at);
    }

    fn statement(&mut self, statement: Statement) {
        match statement {
            Statement::CreateTable(create) => self.create_table(&create),
            Statement::CreateIndex(create) => self.create_index(&create),
            Statement::CreateView(CreateView { name, materialized, .. }) => {
                let kind = if materialized { TableKind::MaterializedView } else { TableKind::View };
                self.catalog.tables.push(empty(relation(&name), kind));
            }
            Statement::AlterTable(alter) => {
                let table = relation(&alter.name);
                let Some(at) = self.catalog.tables.iter().position(|known| known.name == table) else {
                    return;
                };
                for operation in alter.operations {
                    match operation {
                        AlterTableOperation::AddConstraint { constraint, .. } => {
                            constrain(&mut self.catalog.tables[at], &constraint);
                        }
                        AlterTableOperation::AddColumn { column_def, .. } => {
                            add_column(&mut self.catalog.tables[at], &column_def);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        let kind = if create.partition_by.is_some() {
            TableKind::Partitioned
        } else if create.partition_of.is_some() {
            TableKind::Partition
        } else {
            TableKind::Table
        };
        let mut table = empty(relation(&create.name), kind);
        if let Some(CreateTableLikeKind::Plain(like) | CreateTableLikeKind::Parenthesized(like)) =
            &create.like
        {
            let model = relation(&like.name);
            if let Some(model) = self.catalog.tables.iter().find(|known| known.name == model) {
                table.columns.clone_from(&model.columns);
            }
        }
        for column in &create.columns {
            add_column(&mut table, column);
        }
        for constraint in &create.constraints {
            constrain(&mut table, constraint);
        }
        self.catalog.tables.push(table);
    }

    fn create_index(&mut self, create: &CreateIndex) {
        let name = relation(&create.table_name);
        let Some(table) = self.catalog.tables.iter_mut().find(|known| known.name == name) else {
            self.skipped.push(format!("{create}: there is no table {name}"));
            return;
        };
        let keys: Vec<IndexKey> = create.columns.iter().map(key).collect();
        let spec = IndexSpec {
            table: name,
            method: create
                .using
                .as_ref()
                .map_or("btree".to_owned(), |method| method.to_string().to_lowercase()),
            keys,
            include: create.include.iter().map(fold).collect(),
            predicate: create.predicate.as_ref().map(ToString::to_string),
        };
        let called = create.name.as_ref().map(|name| relation(name).name);
        push_index(table, called, spec, create.unique, false);
    }
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
        ..Table::default()
    }
}

fn add_column(table: &mut Table, column: &ColumnDef) {
    let name = fold(&column.name);
    let mut made = Column {
        name: name.clone(),
        type_name: type_name(&column.data_type),
        not_null: false,
        c_collation: false,
        statistics: None,
        default: None,
    };
    let own = std::slice::from_ref(&name);
    let mut constraints = Vec::new();
    for option in &column.options {
        match &option.option {
            ColumnOption::NotNull => made.not_null = true,
            ColumnOption::PrimaryKey(_) => {
                made.not_null = true;
                constraints.push((true, "pkey"));
            }
            ColumnOption::Unique(_) => constraints.push((false, "key")),
            ColumnOption::Collation(name) => {
                made.c_collation = matches!(relation(name).name.as_str(), "C" | "POSIX");
            }
            ColumnOption::Default(value) => made.default = Some(value.to_string()),
            ColumnOption::Check(check) => add_check(table, None, &check.expr),
            ColumnOption::ForeignKey(foreign) => foreign_key(table, foreign, own),
            _ => {}
        }
    }
    table.columns.push(made);
    for (primary, suffix) in constraints {
        constraint_index(table, None, own, primary, suffix);
    }
}

fn constrain(table: &mut Table, constraint: &TableConstraint) {
    match constraint {
        TableConstraint::PrimaryKey(primary) => {
            let columns = names(&primary.columns);
            for column in table.columns.iter_mut().filter(|column| columns.contains(&column.name)) {
                column.not_null = true;
            }
            constraint_index(table, primary.name.as_ref(), &columns, true, "pkey");
        }
        TableConstraint::Unique(unique) => {
            constraint_index(table, unique.name.as_ref(), &names(&unique.columns), false, "key");
        }
        TableConstraint::ForeignKey(foreign) => {
            let columns: Vec<String> = foreign.columns.iter().map(fold).collect();
            foreign_key(table, foreign, &columns);
        }
        TableConstraint::Check(check) => add_check(table, check.name.as_ref(), &check.expr),
        _ => {}
    }
}

fn add_check(table: &mut Table, name: Option<&Ident>, condition: &Expr) {
    let name = name.map(fold).unwrap_or_default();
    table.checks.push(Check { name, condition: condition.to_string(), valid: true });
}

fn constraint_index(
    table: &mut Table,
    name: Option<&Ident>,
    columns: &[String],
    primary: bool,
    suffix: &str,
) {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let spec = IndexSpec::btree(table.name.clone(), &names);
    let called = name.map(fold).or_else(|| {
        let middle = if primary { String::new() } else { format!("_{}", names.join("_")) };
        Some(format!("{}{middle}_{suffix}", table.name.name))
    });
    push_index(table, called, spec, true, true);
    if let Some(index) = table.indexes.last_mut() {
        index.primary = primary;
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
        at: None,
    });
}

fn foreign_key(table: &mut Table, foreign: &ForeignKeyConstraint, columns: &[String]) {
    let name =
        foreign.name.as_ref().map_or_else(|| format!("{}_{}_fkey", table.name.name, columns.join("_")), fold);
    table.foreign_keys.push(ForeignKey {
        name,
        columns: columns.to_vec(),
        references: relation(&foreign.foreign_table),
        referenced_columns: foreign.referred_columns.iter().map(fold).collect(),
        deletes: matches!(
            foreign.on_delete,
            Some(ReferentialAction::Cascade | ReferentialAction::SetNull | ReferentialAction::SetDefault)
        ),
        at: None,
    });
}

fn key(column: &IndexColumn) -> IndexKey {
    let options = &column.column.options;
    let desc = matches!(options.sort, Some(OrderBySort::Desc));
    IndexKey {
        expr: match &column.column.expr {
            Expr::Identifier(name) => KeyExpr::Column(fold(name)),
            Expr::Nested(inner) => KeyExpr::Expression(inner.to_string()),
            other => KeyExpr::Expression(other.to_string()),
        },
        desc,
        nulls_first: options.nulls_first.unwrap_or(desc),
        opclass: column.operator_class.as_ref().map(|name| relation(name).name),
    }
}

fn names(columns: &[IndexColumn]) -> Vec<String> {
    columns
        .iter()
        .map(|column| match &column.column.expr {
            Expr::Identifier(name) => fold(name),
            other => other.to_string(),
        })
        .collect()
}

/// As `format_type()` prints the common types; others as they are written, in lower case.
fn type_name(written: &DataType) -> String {
    change::type_name(&written.to_string())
}

/// A name as the catalog stores it: in lower case unless it was quoted.
fn fold(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

fn relation(name: &ObjectName) -> RelName {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
    match parts.as_slice() {
        [.., schema, name] => RelName::new(Some(schema), name),
        [name] => RelName::new(Some("public"), name),
        [] => RelName::new(Some("public"), ""),
    }
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
