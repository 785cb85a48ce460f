//! DDL statements → [`Change`]: what a statement does to tables and indexes, for rules about schemas and
//! migrations.
//!
//! Read from tokens, not by the parser: a migration may hold any statement of any version, and what is not
//! known here is [`Change::Other`] or [`Action::Other`], never an error.

mod read;
mod tokens;
mod types;

pub use read::read;
pub use types::{rewrites, type_name};

use crate::names::RelName;

/// What one statement does. Names are folded; a schema that is not written is `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Begin,
    /// COMMIT, END or ROLLBACK.
    End,
    /// SET of a parameter, in lower case, and its value without quotes.
    Set {
        name: String,
        value: String,
    },
    CreateTable {
        table: RelName,
        partition_of: Option<RelName>,
        default_partition: bool,
        storage: Vec<(String, String)>,
        temporary: bool,
    },
    /// A view or materialized view.
    CreateView {
        view: RelName,
    },
    CreateIndex {
        name: Option<RelName>,
        table: RelName,
        concurrently: bool,
        unique: bool,
    },
    CreatePolicy {
        table: RelName,
        policy: Policy,
    },
    DropTable {
        tables: Vec<RelName>,
    },
    DropIndex {
        indexes: Vec<RelName>,
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
        tables: Vec<RelName>,
    },
    Cluster {
        table: Option<RelName>,
    },
    Refresh {
        view: RelName,
        concurrently: bool,
        with_data: bool,
    },
    AlterTable {
        table: RelName,
        actions: Vec<Action>,
    },
    Other,
}

/// One part of ALTER TABLE.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    AddColumn(AddedColumn),
    AddConstraint(AddedConstraint),
    Validate {
        constraint: String,
    },
    SetNotNull {
        column: String,
    },
    DropNotNull {
        column: String,
    },
    SetType {
        column: String,
        type_name: String,
        using: Option<String>,
    },
    DropColumn {
        column: String,
    },
    DropConstraint {
        constraint: String,
    },
    AttachPartition {
        partition: RelName,
    },
    DetachPartition {
        partition: RelName,
        concurrently: bool,
    },
    RenameColumn {
        from: String,
        to: String,
    },
    RenameTable {
        to: String,
    },
    SetSchema {
        to: String,
    },
    /// SET (fillfactor = 70, …).
    SetStorage(Vec<(String, String)>),
    RowSecurity(bool),
    /// What takes no ACCESS EXCLUSIVE lock: statistics targets, CLUSTER ON, triggers and the like.
    Light,
    Other,
}

#[expect(clippy::struct_excessive_bools, reason = "what a column can be, each on its own")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddedColumn {
    pub name: String,
    pub type_name: String,
    /// `serial` and its relatives, which are a default of `nextval()`.
    pub serial: bool,
    pub identity: bool,
    /// GENERATED ALWAYS AS (…) STORED.
    pub stored: bool,
    pub not_null: bool,
    pub unique: bool,
    pub primary: bool,
    pub references: Option<RelName>,
    pub default: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddedConstraint {
    pub name: Option<String>,
    pub kind: ConstraintKind,
    pub not_valid: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    /// The condition as it is written, without its parentheses.
    Check(String),
    NotNull(String),
    ForeignKey(Option<RelName>),
    Unique {
        using_index: Option<String>,
    },
    Primary {
        using_index: Option<String>,
    },
    Exclude,
}

/// A policy of row-level security.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Policy {
    pub name: String,
    pub permissive: bool,
    /// `all`, `select`, `insert`, `update` or `delete`.
    pub command: String,
    /// Sorted; `public` where none is named.
    pub roles: Vec<String>,
    pub using: Option<String>,
    pub check: Option<String>,
}
