//! What plans depend on, short enough for a file that people read: so that a plan that changed can be told from what.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use super::ServerBasis;
use crate::{
    catalog::{Catalog, Table},
    names::RelName,
    sql,
};

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableBasis {
    /// As ANALYZE counted them; absent where it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// A digest of columns, indexes and constraints.
    pub schema: String,
    /// A digest of what ANALYZE found.
    pub statistics: String,
}

/// What of `pg_settings` the planner reads.
const SETTINGS: &[&str] = &[
    "constraint_exclusion",
    "cursor_tuple_fraction",
    "effective_cache_size",
    "effective_io_concurrency",
    "from_collapse_limit",
    "hash_mem_multiplier",
    "jit",
    "join_collapse_limit",
    "max_parallel_workers_per_gather",
    "parallel_leader_participation",
    "plan_cache_mode",
    "recursive_worktable_factor",
    "work_mem",
];

/// Whole families of them.
fn is_planners(name: &str) -> bool {
    name.starts_with("enable_")
        || name.starts_with("geqo")
        || name.starts_with("min_parallel_")
        || name.ends_with("_cost")
        || SETTINGS.contains(&name)
}

/// Of the server, and of those tables. `planned_by` is the major version that makes the plans.
pub fn basis<'a>(
    catalog: &Catalog,
    planned_by: u32,
    tables: impl Iterator<Item = &'a RelName>,
) -> (ServerBasis, BTreeMap<String, TableBasis>) {
    let settings = catalog.settings.0.iter().filter(|(name, _)| is_planners(name));
    let server = ServerBasis {
        version: catalog.version,
        planned_by,
        settings: settings.map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    let found = tables.filter_map(|name| catalog.table(name));
    (server, found.map(|table| (full_name(table), of(table))).collect())
}

/// How a table is called in the file.
pub fn full_name(table: &Table) -> String {
    format!("{}.{}", table.name.schema.as_deref().unwrap_or("public"), table.name.name)
}

fn of(table: &Table) -> TableBasis {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
    let rows = table.rows.map(|rows| rows.max(0.0) as u64);
    TableBasis { rows, schema: sql::digest(&schema(table)), statistics: sql::digest(&statistics(table)) }
}

/// In words of its own, so that a later version of this program, which reads more, finds the same.
fn schema(table: &Table) -> String {
    let mut text = format!("{:?}\n", table.kind);
    for column in &table.columns {
        let _ = writeln!(text, "{} {} {}", column.name, column.type_name, column.not_null);
    }
    let mut indexes: Vec<String> = table
        .indexes
        .iter()
        .map(|index| format!("{} {} {} {}", index.name, index.spec.create(), index.unique, index.valid))
        .collect();
    indexes.sort();
    let mut foreign: Vec<String> = table
        .foreign_keys
        .iter()
        .map(|key| {
            format!("{} {} {}", key.columns.join(" "), key.references, key.referenced_columns.join(" "))
        })
        .collect();
    foreign.sort();
    text.push_str(&indexes.join("\n"));
    text.push_str(&foreign.join("\n"));
    for check in &table.checks {
        let _ = writeln!(text, "{} {}", check.condition, check.valid);
    }
    text
}

fn statistics(table: &Table) -> String {
    let mut text = format!("{:?} {:?} {:?}\n", table.rows, table.bytes, table.all_visible);
    for column in &table.columns {
        if let Some(found) = &column.statistics {
            let _ = writeln!(
                text,
                "{} {} {} {} {:?} {:?} {:?}",
                column.name,
                found.null_fraction,
                found.average_width,
                found.distinct,
                found.common,
                found.correlation,
                found.histogram
            );
        }
    }
    // Not the sizes of indexes: one that came or went is the schema's.
    text
}
