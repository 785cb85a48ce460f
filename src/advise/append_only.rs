//! BRIN for ranges of a column in whose order the rows lie, as times in a table that only grows: a few pages, where a B-tree
//! has an entry for each row.
//!
//! Proposed beside the B-tree; which of the two pays is the search's to say. Left alone: small tables, whose B-tree is small as well, tables whose rows
//! change, and columns that a B-tree leads with already. <https://www.postgresql.org/docs/current/brin.html>

use crate::catalog::{IndexKey, IndexSpec, KeyExpr, Table, TableKind};

/// A smaller table's B-tree is no burden.
const LEAST_BYTES: u64 = 128 * 1024 * 1024;

/// How far rows must lie in the column's order: a few that do not already widen many ranges.
const CORRELATION: f64 = 0.99;

/// Rows that were changed or deleted, as a part of all: what comes in their place lies elsewhere.
const CHANGED: f64 = 0.01;

/// The BRIN for a range of this key, where one is worth a thought.
pub(super) fn brin(table: &Table, key: &IndexKey) -> Option<IndexSpec> {
    let KeyExpr::Column(name) = &key.expr else { return None };
    let rows = table.rows?;
    let changed = table.activity.map_or(0.0, |activity| {
        (activity.updates.saturating_sub(activity.hot_updates) + activity.deletes) as f64
    });
    let has_btree = table.indexes.iter().any(|index| {
        index.valid
            && index.spec.method == "btree"
            && index.spec.keys.first().is_some_and(|lead| lead.expr == key.expr)
    });
    if table.kind != TableKind::Table
        || table.bytes? < LEAST_BYTES
        || correlation(table, name)?.abs() < CORRELATION
        || changed > rows * CHANGED
        || has_btree
    {
        return None;
    }
    let mut spec = IndexSpec::btree(table.name.clone(), &[name]);
    "brin".clone_into(&mut spec.method);
    Some(spec)
}

fn correlation(table: &Table, column: &str) -> Option<f64> {
    table.column(column)?.statistics.as_ref()?.correlation
}

/// Why a BRIN does, for the advice.
pub(super) fn why(spec: &IndexSpec, table: &Table) -> Option<String> {
    let KeyExpr::Column(name) = &spec.keys.first().filter(|_| spec.method == "brin")?.expr else {
        return None;
    };
    Some(format!(
        "the rows lie in the order of {name} (correlation {:.2}), so that a BRIN finds ranges of it in a few pages; it gives no order and \
         enforces nothing, and a B-tree is the answer where single rows are looked up",
        correlation(table, name)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Activity, Column, ColumnStatistics, Index},
        names::RelName,
    };

    fn events() -> Table {
        Table {
            name: RelName::new(Some("public"), "events"),
            rows: Some(3_000_000.0),
            bytes: Some(LEAST_BYTES),
            activity: Some(Activity { inserts: 3_000_000, updates: 100, ..Activity::default() }),
            columns: vec![Column {
                name: "at".to_owned(),
                type_name: "timestamp with time zone".to_owned(),
                statistics: Some(ColumnStatistics {
                    correlation: Some(0.995),
                    ..ColumnStatistics::default()
                }),
                ..Column::default()
            }],
            ..Table::default()
        }
    }

    #[test]
    fn only_large_tables_in_order_that_do_not_change_and_have_no_btree() {
        let key = IndexKey::column("at");
        let spec = brin(&events(), &key).expect("a BRIN");
        assert_eq!(spec.create(), "CREATE INDEX ON public.events USING brin (at)");
        let left_alone = |change: &dyn Fn(&mut Table)| {
            let mut table = events();
            change(&mut table);
            brin(&table, &key).is_none()
        };
        assert!(left_alone(&|table| table.bytes = Some(LEAST_BYTES - 1)));
        assert!(left_alone(&|table| table.columns[0].statistics = None));
        assert!(left_alone(&|table| {
            if let Some(known) = &mut table.columns[0].statistics {
                known.correlation = Some(0.98);
            }
        }));
        assert!(left_alone(&|table| {
            table.activity = Some(Activity { deletes: 40_000, ..Activity::default() });
        }));
        assert!(left_alone(&|table| table.kind = TableKind::Partitioned));
        assert!(left_alone(&|table| {
            let spec = IndexSpec::btree(table.name.clone(), &["at", "id"]);
            table.indexes.push(Index {
                name: "i".to_owned(),
                spec,
                unique: false,
                primary: false,
                constraint: false,
                valid: true,
                bytes: None,
                scans: None,
                definition: String::new(),
                at: None,
            });
        }));
    }
}
