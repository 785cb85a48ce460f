//! The size of an index that does not exist, from the statistics of its columns.
//!
//! In: what an index would be, and what is known of its table. Out: pages, height and entries, as a new CREATE INDEX
//! would leave them. Pure: what only a planner can tell (how many rows a predicate leaves, what an expression gives)
//! is an argument. The tests hold it to real indexes.
//!
//! The constants are those of `nbtree.h`, `nbtsort.c`, `brin_page.h` and `hash.h`.

use super::{
    ColumnStatistics, IndexSpec, KeyExpr, Table,
    size_btree::btree,
    size_gin::{self, Entries},
    snapshot::Gin,
};

pub(super) const PAGE: f64 = 8192.0;
/// Page header, and the special space of a B-tree page.
pub(super) const OVERHEAD: f64 = 24.0 + 16.0;
/// `IndexTupleData`, before the key.
pub(super) const TUPLE: f64 = 8.0;
/// `ItemIdData`, the line pointer of each entry.
pub(super) const POINTER: f64 = 4.0;
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    pub pages: u64,
    /// Rows that it points to, or for BRIN those of the table.
    pub tuples: f64,
    /// Of a B-tree: the root's level.
    pub level: Option<u32>,
    /// Of a GIN index, where its entries are known.
    pub gin: Option<Gin>,
}

impl Size {
    pub fn bytes(&self) -> u64 {
        self.pages * 8192
    }
}

/// What is known of one key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Bytes of a value that is not NULL.
    pub width: f64,
    /// Bytes that a value is aligned to.
    pub alignment: f64,
    /// Different values, NULL not among them.
    pub distinct: f64,
    pub null_fraction: f64,
    /// Equal values may share an entry: not where they can print differently.
    pub shares: bool,
}

/// What `statistics` say of a plain column.
pub fn column(table: &Table, name: &str) -> Option<Key> {
    let column = table.column(name)?;
    let statistics = column.statistics.as_ref()?;
    Some(Key {
        width: width(&column.type_name, statistics),
        alignment: alignment(&column.type_name),
        distinct: statistics.distinct.max(1.0),
        null_fraction: statistics.null_fraction,
        shares: shares(&column.type_name),
    })
}

/// `avg_width` without what comes after the point: of numbers, of which a few bytes are all, it is told from the known ones.
fn width(type_name: &str, statistics: &ColumnStatistics) -> f64 {
    let average = f64::from(statistics.average_width);
    if !type_name.starts_with("numeric") || statistics.histogram.is_empty() {
        return average;
    }
    let common: f64 = statistics.common.iter().map(|(_, share)| share).sum();
    let known: f64 = statistics.common.iter().map(|(value, share)| share * numeric(value)).sum();
    let bounds = statistics.histogram.iter().map(|value| numeric(value)).sum::<f64>();
    let rest = (1.0 - statistics.null_fraction - common).max(0.0);
    let known = known + rest * bounds / statistics.histogram.len() as f64;
    // Values of other forms (NaN) change nothing.
    (known / (common + rest).max(f64::MIN_POSITIVE)).clamp(average, average + 1.0)
}

/// Bytes of a numeric: two of headers after one of length, and two for four digits on either side of the point.
fn numeric(text: &str) -> f64 {
    let (whole, part) = text.trim_start_matches('-').split_once('.').unwrap_or((text, ""));
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    3.0 + 2.0 * (whole.len().div_ceil(4) + part.len().div_ceil(4)) as f64
}

/// What an expression gives, as far as its type tells.
pub fn expression(type_name: &str, width: f64, distinct: f64) -> Key {
    let (alignment, shares) = (alignment(type_name), shares(type_name));
    Key { width, alignment, distinct: distinct.max(1.0), null_fraction: 0.0, shares }
}

/// What only a server can tell; what is not known stays out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Those that the index would have, where it is partial.
    pub rows: Option<f64>,
    /// Of each key of a GIN index.
    pub entries: Vec<Entries>,
    /// Different combinations of the keys' values, where they depend on each other.
    pub together: Option<f64>,
}

/// The size; `None` where a figure is missing or the access method is not known.
///
/// `of_expression` is asked for keys that are no column.
pub fn of(
    spec: &IndexSpec,
    table: &Table,
    version: u32,
    asked: &Asked,
    of_expression: &mut dyn FnMut(&str) -> Option<Key>,
) -> Option<Size> {
    let rows = asked.rows.or(table.rows)?.max(0.0);
    if spec.method == "gin" && asked.entries.len() == spec.keys.len() {
        return Some(gin_of(table, rows, &asked.entries));
    }
    let mut keys = Vec::new();
    for key in &spec.keys {
        let mut known = match &key.expr {
            KeyExpr::Column(name) => column(table, name)?,
            KeyExpr::Expression(text) => of_expression(text)?,
        };
        if key.opclass.as_deref().is_some_and(|name| name.ends_with("gist_trgm_ops")) {
            // A leaf holds the trigrams: one for each character and one more, of 3 bytes.
            known.width = 5.0 + 3.0 * (known.width + 1.0);
        }
        keys.push(known);
    }
    let included: Vec<Key> = spec.include.iter().map(|name| column(table, name)).collect::<Option<_>>()?;
    match spec.method.as_str() {
        "btree" => Some(btree(rows, &keys, &included, version, asked.together)),
        "brin" => Some(brin(table, rows, &keys)),
        "hash" => Some(hash(rows, &keys)),
        "gist" | "spgist" => Some(gist(rows, &keys)),
        "gin" => Some(gin(rows, &keys)),
        _ => None,
    }
}

/// One summary for 128 pages of the table.
fn brin(table: &Table, rows: f64, keys: &[Key]) -> Size {
    const RANGE: f64 = 128.0;
    /// Ranges that a page of the map has room for.
    const MAP: f64 = 1360.0;
    let heap = table.bytes.map_or(1.0, |bytes| (bytes as f64 / PAGE).max(1.0));
    let ranges = (heap / RANGE).ceil();
    let width: f64 = keys.iter().map(|key| 2.0 * align(key.width, key.alignment)).sum();
    let summary = align(8.0 + width, 8.0) + POINTER;
    let pages = 1.0 + (ranges / MAP).ceil() + (ranges * summary / (PAGE - 32.0)).ceil();
    Size { pages: whole(pages), tuples: rows, level: None, gin: None }
}

/// Entries are a hash of 4 bytes, none for NULL; buckets are three quarters full and grow in steps.
fn hash(rows: f64, keys: &[Key]) -> Size {
    let per_page = ((PAGE - OVERHEAD) / (16.0 + POINTER)).floor();
    let buckets = (rows / (per_page * 0.75)).ceil().max(2.0);
    // From 10 phases of doubling on, each is split in four steps.
    let doubled = 2_f64.powf(buckets.log2().floor());
    let quarter = doubled / 4.0;
    let buckets = doubled + ((buckets - doubled) / quarter).ceil() * quarter;
    // Those whose turn to be split has not come hold twice as much as the others, which may take further pages.
    let held: f64 = rows * keys.iter().map(|key| 1.0 - key.null_fraction).product::<f64>();
    let distinct: f64 = keys.iter().map(|key| key.distinct).product();
    // Few values fill few buckets.
    let (full, each) = if distinct < buckets {
        (distinct, held / distinct)
    } else {
        (2.0 * doubled - buckets, held / doubled)
    };
    let further = ((each - per_page) / per_page).ceil().max(0.0) * full;
    let pages = buckets + further + 2.0 + (buckets / 32_768.0).ceil();
    Size { pages: whole(pages), tuples: rows, level: None, gin: None }
}

/// Pages split in halves as they fill: two thirds are used.
fn gist(rows: f64, keys: &[Key]) -> Size {
    let width: f64 = keys.iter().map(|key| align(key.width, 8.0)).sum();
    let per_page = ((PAGE - OVERHEAD) * 0.68 / (TUPLE + align(width, 8.0) + POINTER)).max(2.0);
    let leaves = (rows / per_page).ceil().max(1.0);
    Size { pages: whole(leaves * (1.0 + 1.0 / per_page) + 1.0), tuples: rows, level: None, gin: None }
}

/// The keys of an index with several share its pages.
fn gin_of(table: &Table, rows: f64, entries: &[Entries]) -> Size {
    let heap = table.bytes.map_or(1.0, |bytes| bytes as f64 / PAGE);
    let all = entries.iter().map(|entries| size_gin::size(rows, heap, entries));
    let gin = all.fold(Gin { total_pages: 1, ..Gin::default() }, |sum, one| Gin {
        pending_pages: 0,
        total_pages: sum.total_pages.saturating_add(one.total_pages - 1),
        entry_pages: sum.entry_pages.saturating_add(one.entry_pages),
        data_pages: sum.data_pages.saturating_add(one.data_pages),
        entries: sum.entries + one.entries,
    });
    Size { pages: u64::from(gin.total_pages), tuples: rows, level: None, gin: Some(gin) }
}

/// Where nothing is known of what a value holds: a row has an item for each 12 bytes, and an item takes about 3.
fn gin(rows: f64, keys: &[Key]) -> Size {
    let items: f64 = keys.iter().map(|key| (key.width * (1.0 - key.null_fraction) / 12.0).max(1.0)).sum();
    let postings = rows * items * 3.0;
    Size { pages: whole(2.0 + (postings / (PAGE - 32.0)).ceil()), tuples: rows, level: None, gin: None }
}

pub(super) fn align(bytes: f64, to: f64) -> f64 {
    (bytes / to).ceil() * to
}

/// A positive number of pages.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and positive")]
pub(super) fn whole(pages: f64) -> u64 {
    pages.max(1.0).ceil() as u64
}

fn alignment(type_name: &str) -> f64 {
    match type_name {
        "bigint" | "double precision" | "money" => 8.0,
        name if name.starts_with("timestamp") || name.starts_with("time ") => 8.0,
        "integer" | "date" | "real" | "oid" => 4.0,
        "smallint" => 2.0,
        _ => 1.0,
    }
}

/// Equal values of these may print differently, so that each keeps its own entry.
fn shares(type_name: &str) -> bool {
    !["numeric", "real", "double precision", "jsonb"].iter().any(|name| type_name.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::Column, names::RelName};

    /// `real` is what PostgreSQL 15 gave the same index on TPC-H at scale 1.
    #[track_caller]
    fn check(rows: f64, columns: &[(&str, u32, f64)], real: u64) {
        let name = RelName::new(Some("public"), "t");
        let column = |(at, &(type_name, average_width, distinct)): (usize, &(&str, u32, f64))| {
            let statistics = ColumnStatistics { average_width, distinct, ..ColumnStatistics::default() };
            serde_json::from_value::<Column>(serde_json::json!({
                "name": format!("c{at}"), "type_name": type_name, "not_null": true, "c_collation": false,
                "statistics": statistics,
            }))
            .expect("a column")
        };
        let columns: Vec<Column> = columns.iter().enumerate().map(column).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let spec = IndexSpec::btree(name.clone(), &names);
        let table: Table = serde_json::from_value(serde_json::json!({
            "name": name, "kind": "table", "rows": rows, "bytes": null, "all_visible": null,
            "columns": columns, "indexes": [], "foreign_keys": [], "activity": null,
        }))
        .expect("a table");
        let bytes = of(&spec, &table, 150_018, &Asked::default(), &mut |_| None)
            .expect("everything is known")
            .bytes();
        let off = bytes as f64 / real as f64;
        assert!((0.93..1.07).contains(&off), "{bytes} is {off:.3} times {real}");
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

    /// As `pg_column_size` has them.
    #[test]
    fn numbers_take_their_digits() {
        for (text, bytes) in [("0", 3.0), ("12.50", 7.0), ("-12345.67", 9.0), ("901.00", 5.0), ("5", 5.0)] {
            assert!((numeric(text) - bytes).abs() < 0.1, "{text}");
        }
    }
}
