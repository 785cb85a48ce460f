//! Foreign keys that a DELETE or an UPDATE of the referenced columns has to look up: without an index
//! on the referencing side each deleted row scans that table.
//!
//! The look-up runs in a trigger, which no plan of the statement shows, so that this stays unverified.
//! <https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK>

use super::{
    candidates::{Candidate, MIN_ROWS},
    existing,
};
use crate::{
    catalog::{Catalog, TableKind},
    sql::{Shape, StatementKind},
};

/// Why such an index is not costed.
pub(super) const WHY: &str =
    "the look-up of referencing rows runs in the foreign key's trigger, which the planner does not cost";

/// The indexes that the statement's foreign-key checks lack.
pub(super) fn looked_up(query: usize, shape: &Shape, catalog: &Catalog) -> Vec<Candidate> {
    let Some(target) = &shape.target else { return Vec::new() };
    let Some(referenced) = catalog.table(&target.table) else { return Vec::new() };
    let mut lacking = Vec::new();
    for table in &catalog.tables {
        if table.kind == TableKind::Partition || table.rows.is_some_and(|rows| rows < MIN_ROWS) {
            continue;
        }
        for key in &table.foreign_keys {
            let touched = match shape.kind {
                StatementKind::Delete => true,
                StatementKind::Update => {
                    key.referenced_columns.iter().any(|column| target.columns.contains(column))
                }
                _ => false,
            };
            if touched && catalog.table(&key.references).is_some_and(|other| other.name == referenced.name) {
                let candidate = Candidate::equality(table, &key.columns, query);
                if existing::covering(&candidate, table).is_none() {
                    lacking.push(candidate);
                }
            }
        }
    }
    lacking
}
