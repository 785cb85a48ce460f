//! Size of a B-tree that does not exist yet, from the statistics.
//!
//! `HypoPG` gives every row an entry of its own and is 1.3 to 5 times too big where keys repeat: since
//! version 13 equal keys share one posting list
//! (<https://www.postgresql.org/docs/current/btree.html#BTREE-DEDUPLICATION>). The constants are those of
//! `nbtree.h` and `nbtsort.c`. Left alone: other access methods, and the part of a partial index, which
//! only the planner can tell.

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

/// Bytes; `None` where a figure is missing.
pub(super) fn btree(spec: &IndexSpec, table: &Table, version: u32) -> Option<u64> {
    if spec.method != "btree" || spec.predicate.is_some() {
        return None;
    }
    let rows = table.rows?;
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
