//! Pages of tables and indexes, from the widths and shares of their columns.

use super::{columns::How, types::Stored};
use crate::catalog::{
    ColumnStatistics, Index, Table, array,
    size::{self, Size},
    snapshot::ColumnFigures,
};

const PAGE: f64 = 8192.0;
/// `SizeOfPageHeaderData`
const PAGE_HEADER: f64 = 24.0;
/// `SizeofHeapTupleHeader`
const ROW_HEADER: f64 = 23.0;
/// `ItemIdData`
const POINTER: f64 = 4.0;
/// `TOAST_TUPLE_THRESHOLD`: wider rows are cut to it.
const TOAST: f64 = 2032.0;
/// `TOAST_POINTER_SIZE`
const ELSEWHERE: f64 = 18.0;
/// A value that varies needs no alignment while its header is of one byte.
const SHORT: f64 = 127.0;

/// Rows that a partial index holds, where its condition does not tell: as the planner takes an inequality.
const SOME: f64 = 1.0 / 3.0;

/// Pages of a table's own file. `width` is what the user says of its rows.
pub(super) fn heap(
    table: &Table,
    columns: &[(&Stored, &ColumnFigures)],
    rows: f64,
    width: Option<f64>,
) -> f64 {
    let nullable = columns.iter().any(|(_, figures)| figures.null_frac > 0.0);
    let bitmap = if nullable { (columns.len() as f64 / 8.0).ceil() } else { 0.0 };
    let header = align(ROW_HEADER + bitmap, 8.0);
    let data = width.unwrap_or_else(|| {
        let mut widths: Vec<f64> = columns.iter().map(|(_, figures)| f64::from(figures.avg_width)).collect();
        // The widest go first, as TOAST takes them.
        while header + laid_out(columns, &widths) > TOAST {
            let varies = |at: &usize| columns[*at].0.length < 0 && widths[*at] > ELSEWHERE;
            let widest = (0..widths.len()).filter(varies).max_by(|a, b| widths[*a].total_cmp(&widths[*b]));
            let Some(widest) = widest else { break };
            widths[widest] = ELSEWHERE;
        }
        laid_out(columns, &widths)
    });
    let row = align(header + data.min(TOAST - header), 8.0) + POINTER;
    let fill = table.storage.get("fillfactor").and_then(|percent| percent.parse::<f64>().ok());
    let room = (PAGE - PAGE_HEADER) * fill.unwrap_or(100.0).clamp(10.0, 100.0) / 100.0;
    (rows / (room / row).floor().max(1.0)).ceil()
}

/// Bytes of a row's values, each where its type may begin.
fn laid_out(columns: &[(&Stored, &ColumnFigures)], widths: &[f64]) -> f64 {
    let mut end = 0.0;
    for ((stored, figures), width) in columns.iter().zip(widths) {
        let alignment = if stored.length < 0 && *width < SHORT { 1.0 } else { f64::from(stored.alignment) };
        let there = 1.0 - figures.null_frac;
        end += (align(end, alignment) - end) * there + width * there;
    }
    end
}

/// Of an index as CREATE INDEX would leave it; `None` of an access method that is not known.
pub(super) fn index(table: &Table, index: &Index, version: u32, stored: &[&Stored]) -> Option<Size> {
    let rows = table.rows? * index.spec.predicate.as_deref().map_or(1.0, |condition| share(table, condition));
    let asked = size::Asked { rows: Some(rows), ..size::Asked::default() };
    size::of(&index.spec, table, version, &asked, &mut |expression| {
        let own = stored.iter().find(|own| own.expression.as_deref() == Some(expression));
        let type_name = own.map_or("text", |own| own.type_name.as_str());
        let width = own.map_or(16.0, |own| own.width());
        let distinct = behind(table, expression)
            .map_or_else(|| table.rows.unwrap_or(1.0).sqrt(), |statistics| statistics.distinct);
        Some(size::expression(type_name, width, distinct))
    })
}

/// The statistics of the one column that an expression is made of.
fn behind<'a>(table: &'a Table, expression: &str) -> Option<&'a ColumnStatistics> {
    table.only_column_in(expression)?.statistics.as_ref()
}

/// Figures of an index's key that is an expression: as those of its column.
pub(super) fn of_expression(table: &Table, key: &Stored) -> Option<(ColumnFigures, How)> {
    let rows = table.rows?.max(1.0);
    let column = behind(table, key.expression.as_deref()?)?;
    let share = column.distinct / rows;
    let figures = ColumnFigures {
        name: key.name.clone(),
        null_frac: column.null_fraction,
        avg_width: i32::try_from(column.average_width).unwrap_or(i32::MAX),
        n_distinct: if share > 0.1 { -share.min(1.0) } else { column.distinct },
        correlation: key.sorts().then_some(0.0),
        ..ColumnFigures::default()
    };
    Some((figures, How::Middle))
}

/// Of the rows, those that meet the condition of a partial index, as the server prints it.
fn share(table: &Table, condition: &str) -> f64 {
    condition.split(" AND ").map(|part| of_part(table, part)).product()
}

fn of_part(table: &Table, part: &str) -> f64 {
    let part = part.trim_matches(['(', ')', ' ']);
    let statistics = |name: &str| {
        let name = name.trim_matches(['(', ')', ' ', '"']).split("::").next().unwrap_or_default();
        table.column(name.trim_matches([')', '"']))?.statistics.as_ref()
    };
    if let Some(of) = part.strip_suffix(" IS NOT NULL").and_then(statistics) {
        return 1.0 - of.null_fraction;
    }
    if let Some(of) = part.strip_suffix(" IS NULL").and_then(statistics) {
        return of.null_fraction;
    }
    let equal = part.split_once(" = ").filter(|(_, right)| !right.starts_with("ANY"));
    if let Some((of, value)) = equal.and_then(|(left, right)| Some((statistics(left)?, right))) {
        let value = value.split("::").next().unwrap_or_default().trim_matches(['\'', '(', ')']);
        let common = of.common.iter().find(|(known, _)| known == value).map(|(_, share)| *share);
        return common.unwrap_or((1.0 - of.null_fraction) / of.distinct.max(1.0));
    }
    let (name, value) = part.strip_prefix("NOT ").map_or((part, "t"), |name| (name, "f"));
    let flag = statistics(name).and_then(|of| of.common.iter().find(|(known, _)| known == value));
    flag.map_or(SOME, |(_, share)| *share)
}

/// As a catalog has them, which the model of sizes reads.
pub(super) fn statistics(figures: &ColumnFigures, rows: f64) -> ColumnStatistics {
    let values = figures.most_common_vals.as_deref().map(array::elements).unwrap_or_default();
    let shares = figures.most_common_freqs.as_deref().map(array::elements).unwrap_or_default();
    ColumnStatistics {
        null_fraction: figures.null_frac,
        average_width: figures.avg_width.unsigned_abs(),
        distinct: if figures.n_distinct < 0.0 { -figures.n_distinct * rows } else { figures.n_distinct },
        common: values.into_iter().zip(shares.iter().filter_map(|share| share.parse().ok())).collect(),
        correlation: figures.correlation,
        histogram: Vec::new(),
    }
}

fn align(bytes: f64, to: f64) -> f64 {
    (bytes / to).ceil() * to
}
