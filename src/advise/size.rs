//! Size of a B-tree that does not exist yet, from the statistics.
//!
//! `HypoPG` gives every row an entry of its own and is 1.3 to 5 times too big where keys repeat: since
//! version 13 equal keys share one posting list
//! (<https://www.postgresql.org/docs/current/btree.html#BTREE-DEDUPLICATION>). The constants are those of
//! `nbtree.h` and `nbtsort.c`. Left alone: other access methods, and the part of a partial index, which
//! the caller knows.

use crate::catalog::{IndexSpec, KeyExpr, Table};

const PAGE: f64 = 8192.0;
/// Page header, and the special space of a B-tree page.
const PAGE_OVERHEAD: f64 = 24.0 + 16.0;
/// `BTREE_DEFAULT_FILLFACTOR`.
const FILL: f64 = 0.9;
/// `IndexTupleData`, before the key.
const TUPLE: f64 = 8.0;
/// `ItemIdData`, the line pointer of each entry.
const POINTER: f64 = 4.0;
/// One row's address within a posting list.
const ADDRESS: f64 = 6.0;
/// A new index builds posting lists of up to a tenth of a page (`_bt_load`).
const POSTING: f64 = 812.0;

/// Bytes of an index that holds `kept` of the table's rows; `None` where a figure is missing.
pub(super) fn btree(spec: &IndexSpec, table: &Table, kept: f64, version: u32) -> Option<u64> {
    if spec.method != "btree" {
        return None;
    }
    let rows = table.rows? * kept;
    let mut width = 0.0_f64;
    let mut distinct = 1.0_f64;
    let mut correlated_nulls = 0.0_f64;
    let mut deduplicates = version >= 130_000 && spec.include.is_empty();
    for key in &spec.keys {
        let KeyExpr::Column(name) = &key.expr else { return None };
        let column = table.column(name)?;
        let statistics = column.statistics.as_ref()?;
        width = align(width, alignment(&column.type_name)) + f64::from(statistics.average_width);
        distinct *= statistics.distinct.max(1.0);
        correlated_nulls = correlated_nulls.max(statistics.null_fraction);
        // Equal values of these may print differently, so that each keeps its own entry.
        deduplicates &= !["numeric", "real", "double precision", "jsonb"]
            .iter()
            .any(|type_name| column.type_name.starts_with(type_name));
    }
    for name in &spec.include {
        let column = table.column(name)?;
        width =
            align(width, alignment(&column.type_name)) + f64::from(column.statistics.as_ref()?.average_width);
    }

    // A NULL takes no room itself, and its row's entry gets a bitmap of 8 bytes.
    let key = align(width, 8.0) * (1.0 - correlated_nulls) + 8.0 * correlated_nulls;
    let plain = TUPLE + key + POINTER;
    let repeats = rows / distinct.clamp(1.0, rows.max(1.0));
    let entry = if deduplicates && repeats > 1.0 {
        let fits = ((POSTING - TUPLE - key) / ADDRESS).max(1.0);
        let lists = (repeats / fits).ceil();
        // A group of one stays a plain entry; the average of both kinds for few repeats.
        let listed = (lists * (TUPLE + key + POINTER) + align(repeats * ADDRESS, 8.0)) / repeats;
        listed.min(plain)
    } else {
        plain
    };
    let leaves = (rows * entry / ((PAGE - PAGE_OVERHEAD) * FILL)).ceil().max(1.0);
    let inner = (leaves * plain / ((PAGE - PAGE_OVERHEAD) * 0.7)).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole, positive number of bytes"
    )]
    let bytes = ((leaves + inner + 1.0) * PAGE) as u64;
    Some(bytes)
}

fn align(bytes: f64, to: f64) -> f64 {
    (bytes / to).ceil() * to
}

fn alignment(type_name: &str) -> f64 {
    match type_name {
        "bigint" | "double precision" => 8.0,
        name if name.starts_with("timestamp") => 8.0,
        "integer" | "date" | "real" | "oid" => 4.0,
        "smallint" => 2.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{Column, ColumnStatistics, IndexSpec, TableKind},
        names::RelName,
    };

    /// `real` is what PostgreSQL 15 gave the same index on TPC-H at scale 1.
    #[track_caller]
    fn check(rows: f64, columns: &[(&str, u32, f64)], real: u64) {
        let name = RelName::new(Some("public"), "t");
        let column = |(at, &(type_name, average_width, distinct)): (usize, &(&str, u32, f64))| Column {
            name: format!("c{at}"),
            type_name: type_name.to_owned(),
            not_null: true,
            c_collation: false,
            statistics: Some(ColumnStatistics { average_width, distinct, ..ColumnStatistics::default() }),
            ..Column::default()
        };
        let columns: Vec<Column> = columns.iter().enumerate().map(column).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let spec = IndexSpec::btree(name.clone(), &names);
        let table = Table {
            name,
            kind: TableKind::Table,
            rows: Some(rows),
            bytes: None,
            all_visible: None,
            columns: columns.clone(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            activity: None,
            ..Table::default()
        };
        let bytes = btree(&spec, &table, 1.0, 150_018).expect("everything is known");
        let off = bytes as f64 / real as f64;
        assert!((0.92..1.08).contains(&off), "{bytes} is {off:.2} times {real}");
    }

    #[test]
    fn sizes_are_those_of_real_indexes() {
        check(6_001_215.0, &[("integer", 4, 189_045.0)], 45_080_576);
        check(6_001_215.0, &[("date", 4, 2509.0)], 42_696_704);
        check(1_500_000.0, &[("integer", 4, 89_632.0), ("date", 4, 2406.0)], 33_710_080);
        check(1_500_000.0, &[("character(15)", 16, 1000.0)], 11_034_624);
        check(6_001_215.0, &[("numeric(15,2)", 5, 50.0)], 135_004_160);
        check(1_500_000.0, &[("character(1)", 2, 3.0)], 10_420_224);
        check(150_000.0, &[("character varying(25)", 19, 150_000.0)], 6_111_232);
        check(1_500_000.0, &[("character varying(79)", 49, 1_466_125.0)], 110_256_128);
        check(6_001_215.0, &[("character(10)", 11, 7.0), ("date", 4, 2509.0)], 44_580_864);
    }
}
