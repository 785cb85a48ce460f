//! CREATE TABLE, CREATE INDEX, ALTER TABLE and their kin → what they say of tables, columns, keys and
//! indexes.
//!
//! Read by hand from our scanner's tokens: sqlparser refuses a quarter of the ALTER TABLE statements
//! that applications have, and what it reads of them is less than we need. Expressions are skipped by
//! their brackets, so that no depth of nesting counts; a clause that the grammar does not have is an
//! error with its place, never skipped.

mod alter;
mod cursor;
mod index;
mod table;
mod types;

use crate::names::RelName;

pub use cursor::NotRead;

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Ddl {
    CreateTable(CreateTable),
    CreateIndex(CreateIndex),
    CreateView {
        name: RelName,
        materialized: bool,
    },
    AlterTable(AlterTable),
    DropTables(Vec<RelName>),
    DropIndexes(Vec<RelName>),
    /// A statement that is about none of them.
    Other,
}

#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "clauses that are there or not")]
pub struct CreateTable {
    /// As it is written, without a schema where it has none.
    pub name: RelName,
    pub if_not_exists: bool,
    pub temporary: bool,
    pub foreign: bool,
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    /// PARTITION BY.
    pub partitioned: bool,
    pub partition_of: Option<RelName>,
    pub inherits: Vec<RelName>,
    pub like: Vec<RelName>,
    /// CREATE TABLE … AS: its columns are the query's.
    pub as_query: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    pub name: String,
    /// As `format_type()` prints it; empty where CREATE TABLE AS only names the column.
    pub type_name: String,
    pub not_null: bool,
    /// The collation's name, without its schema.
    pub collation: Option<String>,
    /// SQL text.
    pub default: Option<String>,
    /// GENERATED … AS (…), with its expression.
    pub generated: Option<String>,
    pub identity: bool,
    /// PRIMARY KEY, UNIQUE, REFERENCES and CHECK, as constraints of this column.
    pub constraints: Vec<Constraint>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    pub name: Option<String>,
    pub kind: ConstraintKind,
    /// NOT VALID: present rows are not checked.
    pub not_valid: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    PrimaryKey(Keys),
    Unique(Keys),
    ForeignKey {
        columns: Vec<String>,
        references: RelName,
        referenced_columns: Vec<String>,
    },
    /// SQL text.
    Check(String),
    Exclude(CreateIndex),
    NotNull(String),
}

/// What a primary or unique key is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    Columns {
        columns: Vec<String>,
        include: Vec<String>,
    },
    /// USING INDEX.
    Index(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "clauses that are there or not")]
pub struct CreateIndex {
    pub name: Option<String>,
    pub if_not_exists: bool,
    pub table: RelName,
    pub unique: bool,
    pub concurrently: bool,
    /// Access method; `btree` where none is given.
    pub method: String,
    pub keys: Vec<Key>,
    pub include: Vec<String>,
    pub nulls_not_distinct: bool,
    /// SQL text.
    pub predicate: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// SQL text; a column's name as the catalog has it where `column`.
    pub text: String,
    pub column: bool,
    pub collation: Option<String>,
    pub opclass: Option<String>,
    pub desc: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterTable {
    pub name: RelName,
    /// ALTER TABLE, not ALTER INDEX, VIEW, SEQUENCE …
    pub only: bool,
    pub actions: Vec<Action>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    AddColumn {
        column: Column,
        if_not_exists: bool,
    },
    AddConstraint(Constraint),
    DropColumn(String),
    DropConstraint(String),
    SetType {
        column: String,
        type_name: String,
    },
    SetNotNull(String),
    DropNotNull(String),
    RenameColumn {
        from: String,
        to: String,
    },
    RenameConstraint {
        from: String,
        to: String,
    },
    /// RENAME TO.
    Rename(String),
    SetSchema(String),
    AttachPartition(RelName),
    DetachPartition(RelName),
    /// What changes nothing that a catalog of ours holds: its first words, such as `OWNER TO`.
    Other(String),
}

/// Reads one statement.
pub fn read(sql: &str) -> Result<Ddl, NotRead> {
    let mut cursor = cursor::Cursor::new(sql)?;
    let ddl = if cursor.take("create") {
        create(&mut cursor)?
    } else if cursor.take("alter") {
        alter::alter(&mut cursor)?
    } else if cursor.take("drop") {
        drop_statement(&mut cursor)?
    } else {
        Ddl::Other
    };
    if ddl != Ddl::Other {
        cursor.end()?;
    }
    Ok(ddl)
}

fn create(cursor: &mut cursor::Cursor<'_>) -> Result<Ddl, NotRead> {
    let replace = cursor.take_all(&["or", "replace"]);
    let unique = cursor.take("unique");
    if cursor.take("index") {
        return index::create(cursor, unique);
    }
    let _ = cursor.take("local") || cursor.take("global");
    let temporary = cursor.take("temporary") || cursor.take("temp");
    let _ = cursor.take("unlogged");
    let foreign = cursor.take("foreign");
    if !replace && !unique && cursor.take("table") {
        return table::create(cursor, temporary, foreign);
    }
    let _ = cursor.take("recursive");
    let materialized = cursor.take("materialized");
    if cursor.take("view") {
        let _ = cursor.take_all(&["if", "not", "exists"]);
        let name = cursor.relation()?;
        cursor.rest();
        return Ok(Ddl::CreateView { name, materialized });
    }
    Ok(Ddl::Other)
}

fn drop_statement(cursor: &mut cursor::Cursor<'_>) -> Result<Ddl, NotRead> {
    let _ = cursor.take("foreign") || cursor.take("materialized");
    let index = cursor.take("index");
    if !index && !cursor.take("table") && !cursor.take("view") {
        return Ok(Ddl::Other);
    }
    let _ = cursor.take("concurrently");
    let _ = cursor.take_all(&["if", "exists"]);
    let mut names = vec![cursor.relation()?];
    while cursor.take_punct(b',') {
        names.push(cursor.relation()?);
    }
    let _ = cursor.take("cascade") || cursor.take("restrict");
    Ok(if index { Ddl::DropIndexes(names) } else { Ddl::DropTables(names) })
}
