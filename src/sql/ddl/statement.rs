//! What a DDL statement says.

use serde::{Deserialize, Serialize};

use crate::names::RelName;

/// One statement. Names are as the catalog has them; a schema that is not written is `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Ddl {
    /// BEGIN or START TRANSACTION.
    Begin,
    /// COMMIT, END, ABORT or ROLLBACK.
    End,
    /// SET of a parameter, in lower case, and its value without quotes.
    Set {
        name: String,
        value: String,
    },
    CreateTable(CreateTable),
    /// A CREATE TABLE of which only the name could be read: it is this file's, whatever it holds.
    UnreadTable(RelName),
    CreateIndex(CreateIndex),
    CreateView {
        name: RelName,
        materialized: bool,
    },
    CreatePolicy {
        table: RelName,
        policy: Policy,
    },
    /// ALTER TABLE, and ALTER VIEW, which is the same statement to PostgreSQL.
    AlterTable(Alter),
    AlterIndex(Alter),
    /// Views among them.
    DropTables(Vec<RelName>),
    DropIndexes {
        names: Vec<RelName>,
        concurrently: bool,
    },
    Reindex {
        /// `index`, `table`, `schema`, `database` or `system`.
        kind: String,
        name: Option<RelName>,
        concurrently: bool,
    },
    Vacuum {
        full: bool,
        /// None for every table.
        tables: Vec<RelName>,
    },
    Cluster {
        /// `None` for every table that was clustered before.
        table: Option<RelName>,
    },
    Refresh {
        view: RelName,
        concurrently: bool,
        with_data: bool,
    },
    /// ALTER TYPE … RENAME TO, in names as `format_type()` prints them.
    RenameType {
        from: String,
        to: String,
    },
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
    /// Storage parameters, such as `fillfactor`, and their values.
    pub storage: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "clauses that are there or not")]
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
    /// GENERATED … STORED: its value is kept in the row.
    pub stored: bool,
    pub identity: bool,
    /// `serial` and its kin: the default is the next value of a sequence.
    pub serial: bool,
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
        /// ON DELETE CASCADE, SET NULL or SET DEFAULT: a delete there writes here.
        deletes: bool,
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

/// A policy of row-level security.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub permissive: bool,
    /// `all`, `select`, `insert`, `update` or `delete`.
    pub command: String,
    /// Sorted; `public` where none is named.
    pub roles: Vec<String>,
    /// USING, as SQL text.
    pub using: Option<String>,
    /// WITH CHECK, as SQL text.
    pub check: Option<String>,
}

/// What one ALTER statement changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alter {
    pub name: RelName,
    /// ALTER TABLE ONLY: not the tables that inherit from it.
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
    ValidateConstraint(String),
    DropColumn(String),
    DropConstraint(String),
    SetType {
        column: String,
        type_name: String,
        /// SQL text.
        using: Option<String>,
    },
    /// SET DEFAULT with its SQL text, or DROP DEFAULT.
    SetDefault {
        column: String,
        default: Option<String>,
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
    DetachPartition {
        partition: RelName,
        /// CONCURRENTLY, or FINALIZE of one that was.
        concurrently: bool,
    },
    /// SET of storage parameters.
    SetStorage(Vec<(String, String)>),
    /// ENABLE or DISABLE ROW LEVEL SECURITY.
    RowSecurity(bool),
    /// What changes nothing that a catalog of ours holds.
    Other {
        /// Its first words, such as `OWNER TO`.
        what: String,
        /// It takes the table's ACCESS EXCLUSIVE lock, for which every query waits.
        blocks_reads: bool,
    },
}
