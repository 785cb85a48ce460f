//! How many rows a table has that nobody named.

use std::collections::BTreeMap;

use super::given::TableStats;
use crate::{
    catalog::{Catalog, Table, TableKind},
    names::RelName,
};

/// Of a table of which nothing is known.
pub(super) const PLAIN: f64 = 1000.0;

/// For one row of a table, those that refer to it.
const FOR_ONE: f64 = 10.0;

/// Rows, and where the figure is from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rows {
    pub rows: f64,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Given,
    /// As many as the largest table that it refers to.
    AsMany(RelName),
    /// A tenth of the smallest table that refers to it.
    ATenth(RelName),
    /// An even part of the partitioned table.
    PartOf(RelName),
    /// The partitions together.
    Partitions,
    /// [`PLAIN`].
    Nothing,
}

pub(super) fn stored(table: &Table) -> bool {
    !matches!(table.kind, TableKind::View | TableKind::Foreign)
}

/// The rows of every table.
pub(super) fn of(catalog: &Catalog, given: &BTreeMap<RelName, TableStats>) -> BTreeMap<RelName, Rows> {
    let tables: Vec<&Table> = catalog.tables.iter().filter(|table| stored(table)).collect();
    let mut known: BTreeMap<RelName, Rows> = BTreeMap::new();
    for table in &tables {
        if let Some(rows) = given.get(&table.name).and_then(|stats| stats.rows) {
            known.insert(table.name.clone(), Rows { rows: rows.0, why: Why::Given });
        }
    }
    partitioned(&tables, &mut known);
    // From what is given outwards: each round takes one step along the foreign keys.
    loop {
        let upwards = step(&tables, &known, |table| children_of(table, &known));
        let found = if upwards.is_empty() {
            step(&tables, &known, |table| parents_of(table, &tables, &known))
        } else {
            upwards
        };
        if found.is_empty() {
            break;
        }
        known.extend(found);
    }
    for table in &tables {
        let partition = table.partition_of.is_some();
        if !partition && !known.contains_key(&table.name) {
            known.insert(table.name.clone(), Rows { rows: PLAIN, why: Why::Nothing });
        }
    }
    partitioned(&tables, &mut known);
    known
}

fn step(
    tables: &[&Table],
    known: &BTreeMap<RelName, Rows>,
    of: impl Fn(&Table) -> Option<Rows>,
) -> Vec<(RelName, Rows)> {
    let unknown =
        tables.iter().filter(|table| table.partition_of.is_none() && !known.contains_key(&table.name));
    unknown.filter_map(|table| Some((table.name.clone(), of(table)?))).collect()
}

/// One that refers to others has at least a row for most of theirs.
fn children_of(table: &Table, known: &BTreeMap<RelName, Rows>) -> Option<Rows> {
    let parents = table.foreign_keys.iter().filter(|key| key.references != table.name);
    let largest = parents
        .filter_map(|key| known.get(&key.references).map(|rows| (rows.rows, &key.references)))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(Rows { rows: largest.0, why: Why::AsMany(largest.1.clone()) })
}

fn parents_of(table: &Table, tables: &[&Table], known: &BTreeMap<RelName, Rows>) -> Option<Rows> {
    let refers = |other: &&&Table| {
        other.name != table.name
            && other.partition_of.is_none()
            && other.foreign_keys.iter().any(|key| key.references == table.name)
    };
    let smallest = tables
        .iter()
        .filter(refers)
        .filter_map(|other| known.get(&other.name).map(|rows| (rows.rows, &other.name)))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    let tenth = (smallest.0 / FOR_ONE).round();
    (tenth > PLAIN).then(|| Rows { rows: tenth, why: Why::ATenth(smallest.1.clone()) })
}

/// From a partitioned table to its partitions, and back.
fn partitioned(tables: &[&Table], known: &mut BTreeMap<RelName, Rows>) {
    let parts = |name: &RelName| -> Vec<&&Table> {
        tables.iter().filter(|table| table.partition_of.as_ref() == Some(name)).collect()
    };
    // A partition may itself be partitioned: as often as there are levels.
    for _ in 0..8 {
        for table in tables.iter().filter(|table| table.kind == TableKind::Partitioned) {
            let parts = parts(&table.name);
            let (there, open): (Vec<&&Table>, Vec<&&Table>) =
                parts.into_iter().partition(|part| known.contains_key(&part.name));
            let sum: f64 = there.iter().filter_map(|part| Some(known.get(&part.name)?.rows)).sum();
            if let Some(all) = known.get(&table.name).map(|rows| rows.rows) {
                let each = ((all - sum).max(0.0) / open.len().max(1) as f64).round();
                for part in open {
                    known
                        .insert(part.name.clone(), Rows { rows: each, why: Why::PartOf(table.name.clone()) });
                }
            } else if !there.is_empty() {
                // Those of which nothing is known are as large as the others.
                let all = sum * (1.0 + open.len() as f64 / there.len() as f64);
                known.insert(table.name.clone(), Rows { rows: all.round(), why: Why::Partitions });
            }
        }
    }
}
