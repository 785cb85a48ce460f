//! Tables, columns, indexes, statistics and settings of a database: plain data, whoever read it
//! (the server or DDL text). What a private server needs to plan like another is in [`snapshot`].

pub mod redact;
pub mod size;
pub mod size_btree;
pub mod size_gin;
pub mod snapshot;
pub mod snapshot_changes;

mod apply;
pub mod array;
mod migration;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use migration::{Migration, Step};

use crate::{
    finding::Location,
    names::{RelName, quote_ident},
    sql::ddl::Policy,
};

/// What is known of one database. Names are as `pg_catalog` stores them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// `server_version_num`, such as 150018; 0 when unknown (DDL text).
    pub version: u32,
    pub database: String,
    /// The database sorts like C for the planner: C, POSIX, or the built-in provider of 17 and later (not
    /// libc's C.UTF-8). A plain B-tree then serves LIKE 'x%'.
    pub c_collation: bool,
    /// `search_path` resolved to existing schemas, in order.
    pub search_path: Vec<String>,
    /// Sorted by schema and name.
    pub tables: Vec<Table>,
    pub settings: Settings,
    /// Installed extensions and their versions.
    pub extensions: BTreeMap<String, String>,
    /// Extensions that CREATE EXTENSION could install.
    pub available_extensions: Vec<String>,
    /// Since when the server counts scans and writes; `None` when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// What a private server lacks of the one that it stands in for: plans that touch these tables are not production's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Absent>,
}

/// A table that is not here, or not as it is in production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// With its schema.
    pub table: RelName,
    /// Kind and name of the object that is missing.
    pub what: String,
    /// The server's words.
    pub why: String,
}

/// For how long `pg_stat_*` counted when the catalog was read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    pub days: f64,
    /// This is a standby, or standbys stream from it: each server counts its own scans only.
    pub replicas: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Always with its schema.
    pub name: RelName,
    pub kind: TableKind,
    /// `pg_class.reltuples`; `None` when never analysed (-1 there) or unknown.
    pub rows: Option<f64>,
    /// Heap size in bytes, without indexes and TOAST; `None` when unknown.
    pub bytes: Option<u64>,
    /// `relallvisible / relpages`, 0 to 1.
    pub all_visible: Option<f64>,
    pub columns: Vec<Column>,
    pub indexes: Vec<Index>,
    pub foreign_keys: Vec<ForeignKey>,
    pub activity: Option<Activity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<RelName>,
    /// Storage parameters that are set, such as `fillfactor`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<String, String>,
    /// Row-level security is enabled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub row_security: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// The statement that made it, where DDL text was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Empty where nobody named it.
    pub name: String,
    /// As SQL text.
    pub condition: String,
    /// Not NOT VALID.
    pub valid: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    #[default]
    Table,
    Partitioned,
    Partition,
    View,
    MaterializedView,
    Foreign,
}

/// `pg_stat_user_tables`, since the statistics were last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    pub seq_scans: u64,
    pub seq_rows: u64,
    pub index_scans: u64,
    pub inserts: u64,
    pub updates: u64,
    pub hot_updates: u64,
    pub deletes: u64,
    /// Seconds since 1970 of the last (auto)analyze.
    pub last_analyze: Option<i64>,
    /// As the server counts them, without ANALYZE.
    #[serde(default)]
    pub live_rows: u64,
    #[serde(default)]
    pub modified_since_analyze: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// As `format_type()` prints it: `bigint`, `character varying(255)`, `jsonb`.
    pub type_name: String,
    pub not_null: bool,
    /// The column's own collation sorts like C.
    pub c_collation: bool,
    pub statistics: Option<ColumnStatistics>,
    /// The default as SQL text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// `pg_stats`, as the role may see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// 0 to 1.
    pub null_fraction: f64,
    /// Bytes.
    pub average_width: u32,
    /// Distinct values, already made absolute (`pg_stats`' negative fractions times the rows).
    pub distinct: f64,
    /// Most common values as text with their frequency, the most common first.
    pub common: Vec<(String, f64)>,
    /// -1 to 1.
    pub correlation: Option<f64>,
    /// The histogram's bounds as text; empty when there is none.
    pub histogram: Vec<String>,
}

#[expect(clippy::struct_excessive_bools, reason = "the columns of pg_index, each on its own")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The index's own name, in the schema of its table.
    pub name: String,
    pub spec: IndexSpec,
    pub unique: bool,
    pub primary: bool,
    /// Made by a constraint (primary key, unique, exclusion): cannot be dropped alone.
    pub constraint: bool,
    /// `indisvalid` and `indisready`.
    pub valid: bool,
    /// On disk; `None` when unknown.
    pub bytes: Option<u64>,
    /// Times it was used since the statistics were reset; `None` when unknown.
    pub scans: Option<u64>,
    /// `CREATE INDEX …` as the server prints it; empty when unknown.
    pub definition: String,
    /// The statement that made it, where DDL text was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
}

/// What an index is, whether it exists or is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexSpec {
    pub table: RelName,
    /// Access method: `btree`, `gin`, `brin` …
    pub method: String,
    pub keys: Vec<IndexKey>,
    /// INCLUDE columns.
    pub include: Vec<String>,
    /// WHERE of a partial index, as SQL text.
    pub predicate: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexKey {
    pub expr: KeyExpr,
    pub desc: bool,
    /// As it sorts, default applied: NULLS FIRST for DESC, NULLS LAST for ASC.
    pub nulls_first: bool,
    /// Operator class, where it is not the type's default.
    pub opclass: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyExpr {
    Column(String),
    /// As the server prints it: `lower(email)`.
    Expression(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub references: RelName,
    pub referenced_columns: Vec<String>,
    /// ON DELETE CASCADE, SET NULL or SET DEFAULT: a delete there writes here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deletes: bool,
    /// The statement that made it, where DDL text was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
}

/// `pg_settings`, as text in each setting's own unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings(pub BTreeMap<String, String>);

impl Settings {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.parse().ok()
    }
}

impl Catalog {
    /// What is missing of the table that a name in SQL text means.
    pub fn absent(&self, name: &RelName) -> Option<&Absent> {
        let on_path = |schema: Option<&str>| match &name.schema {
            Some(named) => schema == Some(named),
            None if self.search_path.is_empty() => schema == Some("public"),
            None => self.search_path.iter().any(|searched| schema == Some(searched)),
        };
        self.absent
            .iter()
            .find(|absent| absent.table.name == name.name && on_path(absent.table.schema.as_deref()))
    }

    /// The table that a name in SQL text means: exact with a schema, along `search_path` without.
    pub fn table_mut(&mut self, name: &RelName) -> Option<&mut Table> {
        let found = self.table(name)?.name.clone();
        self.tables.iter_mut().find(|table| table.name == found)
    }

    /// The table that a name in SQL text means: exact with a schema, along `search_path` without.
    pub fn table(&self, name: &RelName) -> Option<&Table> {
        let exact = |schema: &str| {
            self.tables
                .binary_search_by(|table| {
                    (table.name.schema.as_deref().unwrap_or(""), table.name.name.as_str())
                        .cmp(&(schema, name.name.as_str()))
                })
                .ok()
                .map(|at| &self.tables[at])
        };
        match &name.schema {
            Some(schema) => exact(schema),
            None if self.search_path.is_empty() => exact("public"),
            None => self.search_path.iter().find_map(|schema| exact(schema)),
        }
    }

    /// Whether a table has such a column; `None` where the table, or what columns it has, is not known.
    pub fn has_column(&self, table: &RelName, column: &str) -> Option<bool> {
        let table = self.table(table).filter(|table| !table.columns.is_empty())?;
        Some(table.column(column).is_some())
    }
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column that an expression is made of; `None` where it names none, or several.
    pub fn only_column_in(&self, expression: &str) -> Option<&Column> {
        let words = |c: char| !(c.is_alphanumeric() || c == '_');
        let named = |column: &&Column| expression.split(words).any(|word| word == column.name);
        let mut named = self.columns.iter().filter(named);
        named.next().filter(|_| named.next().is_none())
    }

    /// Whether equality on these columns finds at most one row: they hold all keys of a valid unique
    /// index that is neither partial nor on expressions.
    pub fn unique_on(&self, columns: &[&str]) -> bool {
        self.indexes.iter().any(|index| {
            index.unique
                && index.valid
                && index.spec.predicate.is_none()
                && index
                    .spec
                    .keys
                    .iter()
                    .all(|key| matches!(&key.expr, KeyExpr::Column(name) if columns.contains(&name.as_str())))
        })
    }
}

impl IndexKey {
    /// An ascending key on a plain column.
    pub fn column(name: &str) -> IndexKey {
        IndexKey { expr: KeyExpr::Column(name.to_owned()), desc: false, nulls_first: false, opclass: None }
    }

    /// SQL text: `created_at DESC`, `lower(email)`, `name text_pattern_ops`.
    pub fn sql(&self) -> String {
        let mut sql = match &self.expr {
            KeyExpr::Column(name) => quote_ident(name),
            KeyExpr::Expression(expr) if is_call(expr) => expr.clone(),
            KeyExpr::Expression(expr) => format!("({expr})"),
        };
        if let Some(opclass) = &self.opclass {
            sql.push(' ');
            sql.push_str(opclass);
        }
        if self.desc {
            sql.push_str(" DESC");
        }
        match (self.desc, self.nulls_first) {
            (true, false) => sql.push_str(" NULLS LAST"),
            (false, true) => sql.push_str(" NULLS FIRST"),
            _ => {}
        }
        sql
    }
}

/// Whether an expression is one function call, which CREATE INDEX takes without parentheses.
fn is_call(expr: &str) -> bool {
    let Some(open) = expr.find('(') else { return false };
    if !expr.ends_with(')') || !expr[..open].bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b))
    {
        return false;
    }
    let mut depth = 0_usize;
    for (at, byte) in expr.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && at > open && at + 1 < expr.len() {
            return false;
        }
    }
    true
}

impl IndexSpec {
    /// A B-tree on plain ascending columns.
    pub fn btree(table: RelName, columns: &[&str]) -> IndexSpec {
        IndexSpec {
            table,
            method: "btree".to_owned(),
            keys: columns.iter().map(|name| IndexKey::column(name)).collect(),
            include: Vec::new(),
            predicate: None,
        }
    }

    /// Whether its first key is this column.
    pub fn begins_with(&self, column: &str) -> bool {
        self.keys.first().is_some_and(|key| matches!(&key.expr, KeyExpr::Column(name) if name == column))
    }

    /// `ON schema.table USING … (…) INCLUDE (…) WHERE …`: the end of every CREATE INDEX.
    fn tail(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(IndexKey::sql).collect();
        let mut sql = format!("ON {}", self.table);
        if self.method != "btree" {
            sql.push_str(" USING ");
            sql.push_str(&self.method);
        }
        sql.push_str(&format!(" ({})", keys.join(", ")));
        if !self.include.is_empty() {
            let columns: Vec<String> = self.include.iter().map(|name| quote_ident(name)).collect();
            sql.push_str(&format!(" INCLUDE ({})", columns.join(", ")));
        }
        if let Some(predicate) = &self.predicate {
            sql.push_str(&format!(" WHERE {predicate}"));
        }
        sql
    }

    /// `CREATE INDEX CONCURRENTLY …`, as a person runs it. The server names it.
    pub fn create_concurrently(&self) -> String {
        format!("CREATE INDEX CONCURRENTLY {}", self.tail())
    }

    /// `CREATE INDEX CONCURRENTLY name …`, or without CONCURRENTLY, which partitioned tables do not take.
    pub fn create_named(&self, name: &str, concurrently: bool) -> String {
        let how = if concurrently { "CONCURRENTLY " } else { "" };
        format!("CREATE INDEX {how}{} {}", quote_ident(name), self.tail())
    }

    /// `CREATE INDEX …`, for `HypoPG` and for private servers.
    pub fn create(&self) -> String {
        format!("CREATE INDEX {}", self.tail())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_made_of_whole_names() {
        let column = |name: &str| Column { name: name.to_owned(), ..Column::default() };
        let table =
            Table { columns: vec![column("id"), column("width"), column("body")], ..Table::default() };
        let only = |text: &str| table.only_column_in(text).map(|column| column.name.as_str());
        assert_eq!(only("abs(width)"), Some("width"), "which has an `id` inside");
        assert_eq!(only("lower((body)::text)"), Some("body"));
        assert_eq!((only("id + width"), only("now()")), (None, None));
    }
}
