//! Figures for a schema of which nobody can ask the server: a snapshot without rows becomes one with stated
//! assumptions, and plans are made of it as of any other.
//!
//! In: the snapshot and the catalog of a server that ran the DDL, what its columns are stored as, and what the user
//! says of rows. Out: relation and column statistics, and of each table where its rows are from. Pure.
//!
//! docs/stats.md states every assumption. What is not sound to assume stays unknown: the planner then has defaults
//! of its own.

mod columns;
mod declared;
mod given;
mod rows;
mod sizes;
mod spans;
mod tell;
mod types;
mod values;

use std::collections::{BTreeMap, BTreeSet};

pub use given::{ColumnStats, Given, Name, RowsOf, Stats, TableStats};
pub use types::Stored;

use crate::{
    catalog::{
        Catalog, Table, TableKind,
        snapshot::{Assumed, AssumedRows, ColumnFigures, Relation, Snapshot},
    },
    error::Error,
    names::RelName,
};
use columns::{Around, How};
use rows::Rows;

/// What was assumed.
#[derive(Debug)]
pub struct Assumptions {
    rows: Vec<(RelName, Rows)>,
    columns: BTreeMap<How, u64>,
}

/// Gives every table and index of the snapshot its figures. `today` is in seconds since 1970, at the beginning of the
/// day: times of creation end there.
///
/// # Errors
/// What the user says of a table, column or value that there is not.
pub fn fill(
    snapshot: &mut Snapshot,
    catalog: &Catalog,
    stored: &[Stored],
    given: &Given,
    today: i64,
) -> Result<Assumptions, Error> {
    let wanted = given.of(catalog)?;
    let rows = rows::of(catalog, &wanted);
    let of_columns: BTreeMap<(&str, &str, &str), &Stored> = stored
        .iter()
        .map(|one| ((one.schema.as_str(), one.relation.as_str(), one.name.as_str()), one))
        .collect();
    let find = |table: &RelName, column: &str| {
        of_columns.get(&(table.schema.as_deref().unwrap_or_default(), table.name.as_str(), column)).copied()
    };
    let wishes = |table: &RelName, column: &str| {
        let columns = &wanted.get(table)?.columns;
        columns.iter().find(|(name, _)| name.0 == column).map(|(_, stats)| stats)
    };
    let rows_of = |table: &RelName| rows.get(table).map_or(rows::PLAIN, |rows| rows.rows);
    let tables = catalog.tables.iter().map(|table| (&table.name, table)).collect();
    let around = Around { tables: &tables, rows: &rows_of, stored: &find, given: &wishes, today };

    let mut tallied: BTreeMap<How, u64> = BTreeMap::new();
    let mut filled: BTreeMap<RelName, Filled> = BTreeMap::new();
    for table in catalog.tables.iter().filter(|table| rows::stored(table)) {
        let mut one =
            Filled { table: table.clone(), columns: Vec::new(), untold: BTreeSet::new(), pages: 0.0 };
        let own = rows_of(&table.name);
        for column in &table.columns {
            let (figures, how) = around.figures(table, column).map_err(|wrong| {
                let message = format!("{}.{}: {}", table.name.plain(), column.name, wrong.why);
                let keys = ["tables", &table.name.name, "columns", &column.name, wrong.key];
                given.refuse(&keys, message, None)
            })?;
            if table.partition_of.is_none() {
                *tallied.entry(how).or_default() += 1;
            }
            if how == How::Unknown {
                one.untold.insert(column.name.clone());
            }
            one.columns.push(figures);
        }
        one.table.rows = Some(own);
        for (column, figures) in one.table.columns.iter_mut().zip(&one.columns) {
            column.statistics = Some(sizes::statistics(figures, own));
            if let Some(stored) = find(&table.name, &column.name) {
                column.type_name.clone_from(&stored.type_name);
            }
        }
        let widths: Vec<_> = one
            .columns
            .iter()
            .filter_map(|figures| Some((find(&table.name, &figures.name)?, figures)))
            .collect();
        let width = wanted.get(&table.name).and_then(|stats| stats.width).map(|bytes| bytes.0);
        one.pages = sizes::heap(table, &widths, own, width);
        one.table.bytes = Some(whole(one.pages) * 8192);
        filled.insert(table.name.clone(), one);
    }
    let version = snapshot.server.version;
    for relation in &mut snapshot.relations {
        if relation.is_index() {
            index(relation, &filled, version, stored);
        } else if let Some(one) = filled.get(&relation.rel_name()) {
            one.write(relation);
        }
    }
    let rows: Vec<(RelName, Rows)> = catalog
        .tables
        .iter()
        .filter_map(|table| Some((table.name.clone(), rows.get(&table.name)?.clone())))
        .collect();
    let tables = rows
        .iter()
        .map(|(name, rows)| AssumedRows {
            table: format!("{}.{}", name.schema.as_deref().unwrap_or_default(), name.name),
            rows: rows.rows,
            why: tell::why(&rows.why),
        })
        .collect();
    snapshot.not_seen.retain(|unseen| !FILLED.contains(&unseen.what.as_str()));
    snapshot.assumed = Some(Assumed { form: Assumed::FORM, from: given.from().to_owned(), tables });
    Ok(Assumptions { rows, columns: tallied })
}

/// What a snapshot says that it did not see, and is assumed here.
const FILLED: &[&str] = &[
    "extended statistics",
    "figures of a GIN index",
    "height of an index",
    "statistics of an index on an expression",
];

/// A table with its figures.
struct Filled {
    table: Table,
    columns: Vec<ColumnFigures>,
    /// Columns whose figures serve for sizes alone.
    untold: BTreeSet<String>,
    pages: f64,
}

impl Filled {
    fn write(&self, relation: &mut Relation) {
        relation.tuples = self.table.rows.unwrap_or_default();
        let told = self.columns.iter().filter(|figures| !self.untold.contains(&figures.name));
        relation.columns = told.cloned().collect();
        // A partitioned table has no file of its own.
        if self.table.kind != TableKind::Partitioned {
            let pages = whole(self.pages);
            relation.pages = i64::try_from(pages).unwrap_or(i64::MAX);
            // As VACUUM leaves it.
            relation.visible = relation.pages;
            relation.blocks = Some(pages);
        }
    }
}

fn index(relation: &mut Relation, tables: &BTreeMap<RelName, Filled>, version: u32, stored: &[Stored]) {
    let on = |table: &&Filled| {
        table.table.name.schema.as_deref() == Some(relation.schema.as_str())
            && table.table.indexes.iter().any(|index| index.name == relation.name)
    };
    let Some(on) = tables.values().find(on) else { return };
    let Some(index) = on.table.indexes.iter().find(|index| index.name == relation.name) else { return };
    let keys: Vec<&Stored> =
        stored.iter().filter(|key| key.schema == relation.schema && key.relation == relation.name).collect();
    relation.columns = keys
        .iter()
        .filter_map(|key| sizes::of_expression(&on.table, key))
        .map(|(figures, _)| figures)
        .collect();
    if relation.kind == "I" {
        return;
    }
    if let Some(size) = sizes::index(&on.table, index, version, &keys) {
        relation.pages = i64::try_from(size.pages).unwrap_or(i64::MAX);
        relation.tuples = size.tuples.round();
        relation.blocks = Some(size.pages);
        relation.level = size.level;
        relation.gin = None;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and at most 1e13 rows"
)]
fn whole(pages: f64) -> u64 {
    pages.max(0.0).ceil() as u64
}
