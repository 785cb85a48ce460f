//! DDL text → the schema that it makes: what [`sql::ddl`] reads, applied in order; and which files are
//! migrations of what others made.
//!
//! For runs without a server, and for the rules' examples. There are no statistics in DDL, so rows,
//! sizes and histograms stay unknown. Other statements (functions, grants, COPY) are passed over.
//!
//! Files are applied in the order of their names with numbers as numbers, so that `V2` comes before `V10`.
//! The part of a migration that takes it back (`-- +goose Down`, `*.down.sql`) is left out.
//!
//! [`sql::ddl`]: crate::sql::ddl

mod files;
mod given;

use std::{collections::BTreeSet, fmt, path::PathBuf};

pub(super) use files::{is_down, undone};
pub(super) use given::{Given, given};

use super::scripts;
use crate::{
    catalog::{Catalog, Migration, Step, Table},
    error::{Error, NotJudged},
    finding::Location,
    names::RelName,
    sql::ddl::{self, Action, Ddl},
    workload::{Origin, Statement},
};

/// What DDL text says.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub catalog: Catalog,
    /// The files that change what other files made, unless they are several that make one schema.
    pub migrations: Vec<Migration>,
    /// Statements that could not be read or applied.
    pub skipped: Vec<Skipped>,
    /// Statements about tables and indexes.
    pub statements: u64,
}

/// A DDL statement that is not in the schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Skipped {
    /// Where it begins; an empty file name for a text without one.
    pub at: Location,
    /// Its first words.
    pub begins: String,
    pub why: Why,
}

/// Why a statement is not in the schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// PostgreSQL's grammar has something else there.
    Expected { what: &'static str, line: u64, column: u64 },
    /// An index of a table that no file makes.
    NoTable(RelName),
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.file.is_empty() {
            write!(f, "{}:", self.at.file)?;
        }
        write!(f, "{}:{}: {}: ", self.at.line, self.at.column, self.begins)?;
        match &self.why {
            Why::Expected { what, line, column } => {
                write!(f, "expected {what} at line {line}, column {column}")
            }
            Why::NoTable(name) => write!(f, "there is no table {name}"),
        }
    }
}

/// Reads the DDL of one text, such as a dump, in its order.
pub fn read(text: &str) -> Schema {
    let mut schema = Schema::empty();
    for statement in scripts::of_text("", text) {
        if let Some(ddl) = schema.statement(&statement) {
            schema.apply(ddl, &statement, None);
        }
    }
    schema
}

/// The statements of DDL files and folders, in the order in which they are applied. What takes a migration back is
/// not among them.
///
/// # Errors
/// A file that cannot be read; a path that holds no statement.
pub fn statements(paths: &[PathBuf]) -> Result<Vec<Statement>, Error> {
    let given = given(paths)?;
    Ok(in_order(&given.statements).into_iter().flat_map(|(_, list)| list).cloned().collect())
}

/// Reads the DDL of SQL files: their names and texts.
pub fn of_files(files: &[(&str, &str)]) -> Schema {
    let statements: Vec<Statement> =
        files.iter().flat_map(|(name, text)| scripts::of_text(name, text)).collect();
    of_statements(&Given::default(), &statements)
}

/// Reads the DDL among the statements of files, which stands on what was given as the schema.
pub(super) fn of_statements(given: &Given, statements: &[Statement]) -> Schema {
    let mut schema = Schema::empty();
    for (file, list) in in_order(&given.statements) {
        schema.script(file, &list);
    }
    let mut files = in_order(statements);
    files.retain(|(file, _)| !given.holds(file));
    let mut scripts: Vec<Migration> = files.iter().map(|(file, list)| schema.script(file, list)).collect();
    let made: BTreeSet<RelName> = scripts.iter().flat_map(made).collect();
    scripts.retain(|script| {
        let own: BTreeSet<RelName> = self::made(script).collect();
        let foreign = |name: &RelName| {
            !own.contains(name) && (files::is_migration(&script.file) || !made.contains(name))
        };
        script.steps.iter().any(|step| match subject(&step.ddl) {
            Some(table) => foreign(&table.or_public()),
            None => matches!(
                step.ddl,
                Ddl::Reindex { .. }
                    | Ddl::Vacuum { full: true, .. }
                    | Ddl::Cluster { .. }
                    | Ddl::DropIndexes { .. }
            ),
        })
    });
    schema.migrations = scripts;
    schema
}

/// The statements of each file, in the order in which the files are applied. What a program or a function sends is
/// sent when it runs.
fn in_order(statements: &[Statement]) -> Vec<(&str, Vec<&Statement>)> {
    let mut files: Vec<(&str, Vec<&Statement>)> = Vec::new();
    for statement in statements.iter().filter(|statement| statement.from == Origin::Script) {
        let file = statement.at.file.as_str();
        match files.last_mut() {
            Some((same, list)) if *same == file => list.push(statement),
            _ => files.push((file, vec![statement])),
        }
    }
    files.sort_by_cached_key(|(file, _)| files::natural(file));
    files
}

impl Schema {
    fn empty() -> Schema {
        let mut schema = Schema::default();
        schema.catalog.search_path = vec!["public".to_owned()];
        schema
    }

    /// The catalog, unless no statement makes a table.
    pub fn known(&self) -> Option<&Catalog> {
        (!self.catalog.tables.is_empty()).then_some(&self.catalog)
    }

    /// What was read and is not in the schema. What could not be read is counted where all statements are.
    pub fn not_judged(&self) -> NotJudged {
        let mut not_judged = NotJudged::default();
        let lost = |skipped: &&Skipped| matches!(skipped.why, Why::NoTable(_));
        if let Some(Skipped { at, .. }) = self.skipped.iter().find(lost) {
            let count = self.skipped.iter().filter(lost).count() as u64;
            let why = format!("no file makes their tables (first {}:{}:{})", at.file, at.line, at.column);
            not_judged.add_many("indexes", why, count);
        }
        not_judged
    }

    /// What a statement says, if it is one of DDL that can be read.
    fn statement(&mut self, statement: &Statement) -> Option<Ddl> {
        let read = ddl::read(&statement.text);
        if read.as_ref().map_or(true, about_tables) {
            self.statements += 1;
        }
        match read {
            Ok(Ddl::Other) => None,
            Ok(ddl) => Some(ddl),
            Err(not_read) => {
                let at = &statement.at;
                let column =
                    if not_read.line == 1 { at.column + not_read.column - 1 } else { not_read.column };
                let why =
                    Why::Expected { what: not_read.expected, line: at.line + not_read.line - 1, column };
                self.skip(statement, why);
                not_read.makes.map(Ddl::UnreadTable)
            }
        }
    }

    fn apply(&mut self, ddl: Ddl, statement: &Statement, at: Option<&Location>) {
        if let Err(missing) = self.catalog.apply(ddl, at) {
            self.skip(statement, Why::NoTable(missing));
        }
    }

    fn skip(&mut self, statement: &Statement, why: Why) {
        let words: Vec<String> =
            statement.text.split_whitespace().take(4).map(str::to_ascii_lowercase).collect();
        self.skipped.push(Skipped { at: statement.at.clone(), begins: words.join(" "), why });
    }

    /// Applies the DDL of one file, and keeps it.
    fn script(&mut self, file: &str, list: &[&Statement]) -> Migration {
        let mut script = Migration { file: file.to_owned(), ..Migration::default() };
        script.before.search_path.clone_from(&self.catalog.search_path);
        let (mut transaction, mut transactions) = (None, 0);
        // Tables that another file makes too: two dumps of one database, or of two. The first one counts.
        let mut shadows: BTreeSet<RelName> = BTreeSet::new();
        let others = |table: &Table| table.at.as_ref().is_some_and(|at| at.file != file);
        for statement in list {
            let Some(ddl) = self.statement(statement) else { continue };
            match &ddl {
                Ddl::Begin => {
                    transactions += 1;
                    transaction = Some(transactions);
                }
                Ddl::End => transaction = None,
                Ddl::CreateTable(create) => {
                    let name = create.name.or_public();
                    if self.catalog.table(&name).is_some_and(others) {
                        shadows.insert(name);
                    }
                }
                // It was made by a later version of the schema: PostgreSQL would refuse to add it again.
                Ddl::AlterTable(alter) => {
                    let name = alter.name.or_public();
                    let table = self.catalog.table(&name).filter(|table| others(table));
                    let there = |action: &Action| match action {
                        Action::AddColumn { column, if_not_exists: false } => {
                            table.is_some_and(|table| table.column(&column.name).is_some())
                        }
                        _ => false,
                    };
                    if alter.actions.iter().any(there) {
                        shadows.insert(name);
                    }
                }
                _ => {}
            }
            let subject = subject(&ddl).map(RelName::or_public);
            if let Some(table) = subject.as_ref().and_then(|name| self.catalog.table(name))
                && let Err(at) = script.before.tables.binary_search_by(|known| known.name.cmp(&table.name))
                && table.at.as_ref().is_none_or(|at| at.file != file)
            {
                script.before.tables.insert(at, table.clone());
            }
            if subject.is_none_or(|name| !shadows.contains(&name)) {
                self.apply(ddl.clone(), statement, Some(&statement.at));
            }
            script.steps.push(Step { ddl, at: statement.at.clone(), transaction });
        }
        script
    }
}

/// Tables, views and partitions that a file makes.
fn made(script: &Migration) -> impl Iterator<Item = RelName> {
    script.steps.iter().filter_map(|step| match &step.ddl {
        Ddl::CreateTable(create) => Some(create.name.or_public()),
        Ddl::UnreadTable(name) | Ddl::CreateView { name, .. } => Some(name.or_public()),
        Ddl::AlterTable(alter) => alter.actions.iter().find_map(|action| match action {
            Action::Rename(to) => Some(RelName::new(alter.name.schema.as_deref(), to).or_public()),
            _ => None,
        }),
        _ => None,
    })
}

/// The table or view that a statement is about.
fn subject(ddl: &Ddl) -> Option<&RelName> {
    match ddl {
        Ddl::CreateTable(create) => Some(&create.name),
        Ddl::CreateIndex(create) => Some(&create.table),
        Ddl::AlterTable(alter) => Some(&alter.name),
        Ddl::CreatePolicy { table: name, .. }
        | Ddl::CreateView { name, .. }
        | Ddl::Refresh { view: name, .. } => Some(name),
        _ => None,
    }
}

fn about_tables(ddl: &Ddl) -> bool {
    !matches!(ddl, Ddl::Begin | Ddl::End | Ddl::Set { .. } | Ddl::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_indexes_and_references() {
        let schema = read(
            "CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(255) NOT NULL UNIQUE, \"Nick\" text);
             CREATE TABLE app.orders (
                 id bigint GENERATED ALWAYS AS IDENTITY, user_id bigint REFERENCES users (id) ON DELETE CASCADE,
                 created_at timestamptz, status text COLLATE \"C\", PRIMARY KEY (id), UNIQUE (user_id, created_at));
             CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE INDEX ON users (lower(email), \"Nick\" text_pattern_ops DESC);
             CREATE INDEX open ON app.orders USING gin (status gin_trgm_ops) WHERE status <> 'done';
             ALTER TABLE app.orders ADD CONSTRAINT o2 FOREIGN KEY (status) REFERENCES states (name);",
        );
        assert_eq!(schema.skipped, Vec::new());
        let mut lines = Vec::new();
        for table in &schema.catalog.tables {
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
        let schema = read("CREATE TABLE t (a int; CREATE INDEX ON nowhere (a)");
        assert_eq!(schema.catalog.tables, Vec::new());
        assert_eq!(schema.skipped.len(), 1, "{:?}", schema.skipped);
    }
}
