//! The statistics of a column of which only the declaration is known.

use std::collections::BTreeMap;

use super::{
    declared::{changes, class_is_time, is_serial, key_with, keyed, made, ranged, values},
    given::ColumnStats,
    spans::DAYS,
    types::{Class, Stored},
};
use crate::{
    catalog::{Column, Table, TableKind, array, snapshot::ColumnFigures},
    names::RelName,
};

/// NULL in a column that allows it; of a time, which mostly stands for something that has yet to happen, half.
const NULL: f64 = 0.1;
const NULL_TIME: f64 = 0.5;

/// More values than this share of the rows grow with them, as ANALYZE has it.
const GROWS: f64 = 0.1;

/// What a column is to be told by, for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    Given,
    /// A key of one column, or of a type whose values are all different.
    Different,
    /// A foreign key: as many as there are rows in its table.
    Reference,
    /// An enum, a boolean, or `CHECK (… IN (…))`: evenly.
    List,
    /// When the row was made.
    Made,
    /// With other columns it is a key: what these leave to it.
    PartOfKey,
    /// Nothing is known: the square root of the rows.
    Middle,
    /// A number or time of which nobody knows where it lies. It gets no statistics: with some and no histogram the
    /// planner takes a range for empty, without any for half a percent of the rows.
    Unknown,
}

/// What is known around a column.
pub(super) struct Around<'a> {
    pub(super) tables: &'a BTreeMap<&'a RelName, &'a Table>,
    pub(super) rows: &'a dyn Fn(&RelName) -> f64,
    pub(super) stored: &'a dyn Fn(&RelName, &str) -> Option<&'a Stored>,
    pub(super) given: &'a dyn Fn(&RelName, &str) -> Option<&'a ColumnStats>,
    /// Seconds since 1970 at the beginning of the day.
    pub(super) today: i64,
}

impl Around<'_> {
    /// # Errors
    /// The key of the given statistics that cannot be, and why.
    pub(super) fn figures(&self, table: &Table, column: &Column) -> Result<(ColumnFigures, How), Wrong> {
        let Some(stored) = (self.stored)(&table.name, &column.name) else {
            return Ok((ColumnFigures::default(), How::Middle));
        };
        let given = (self.given)(&table.name, &column.name);
        let rows = (self.rows)(&table.name).max(1.0);
        let class = stored.class();
        let made = class_is_time(class) && made(column);
        let null = self.nulls(table, column, stored, made);
        let (distinct, mut how) = self.distinct(table, column, stored, rows, null, 0);
        let mut distinct = distinct.clamp(1.0, (rows * (1.0 - null)).max(1.0));
        let mut common: Vec<(String, f64)> = Vec::new();
        if how == How::List {
            let list = values(table, column, stored);
            let share = (1.0 - null) / list.len() as f64;
            common = list.into_iter().map(|value| (value, share)).collect();
        }
        if let Some(given) = given.filter(|given| given.says_more_than_width()) {
            how = How::Given;
            if !given.most_common.is_empty() {
                common = given.most_common.iter().map(|(value, share)| (value.0.clone(), share.0)).collect();
                let sum: f64 = common.iter().map(|(_, share)| share).sum();
                if sum + null > 1.000_001 {
                    return Err(Wrong {
                        key: "most_common",
                        why: format!("the frequencies and null_frac ({null}) come to more than all rows"),
                    });
                }
                let rest = if sum + null > 0.999 { 0.0 } else { distinct };
                distinct = (common.len() as f64).max(rest);
            }
            if let Some(number) = given.n_distinct {
                distinct = if number.0 < 0.0 { -number.0 * rows } else { number.0 }.max(1.0);
            }
        }
        common.sort_by(|a, b| b.1.total_cmp(&a.1));
        // What is listed whole has no histogram, and one value has none.
        let listed = !common.is_empty() && common.len() as f64 >= distinct;
        let bounds = match self.span(table, column, stored, 0)? {
            Some(span) if !listed => span.bounds(distinct),
            _ => Vec::new(),
        };
        if bounds.is_empty() && matches!(how, How::Middle | How::Different) && ranged(column, class) {
            how = How::Unknown;
        }
        let serial = keyed(table, &column.name)
            && class == Class::Integer
            && self.parent(table, &column.name).is_none();
        // Rows come into a partition as time passes.
        let in_partition = stored.bound.is_some() && class_is_time(class);
        let in_order = stored.identity
            || is_serial(column)
            || serial
            || in_partition
            || (made && !changes(&column.name));
        let correlation = given.and_then(|given| given.correlation).map(|given| given.0);
        let figures = ColumnFigures {
            name: column.name.clone(),
            inherited: table.kind == TableKind::Partitioned,
            null_frac: round(null),
            avg_width: self.width(table, column),
            n_distinct: if distinct > GROWS * rows {
                -round((distinct / rows).min(1.0))
            } else {
                distinct.round()
            },
            most_common_vals: (!common.is_empty())
                .then(|| array::array(&common.iter().map(|(value, _)| value.clone()).collect::<Vec<_>>())),
            most_common_freqs: (!common.is_empty()).then(|| {
                let shares: Vec<String> = common.iter().map(|(_, share)| round(*share).to_string()).collect();
                format!("{{{}}}", shares.join(","))
            }),
            histogram_bounds: (!bounds.is_empty()).then(|| array::array(&bounds)),
            correlation: correlation.or_else(|| stored.sorts().then_some(f64::from(u8::from(in_order)))),
            ..ColumnFigures::default()
        };
        Ok((figures, how))
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 1e9")]
    fn width(&self, table: &Table, column: &Column) -> i32 {
        let given = (self.given)(&table.name, &column.name).and_then(|given| given.width);
        let stored = || (self.stored)(&table.name, &column.name).map(Stored::width);
        given.map(|bytes| bytes.0).or_else(stored).unwrap_or(4.0).round() as i32
    }

    fn nulls(&self, table: &Table, column: &Column, stored: &Stored, made: bool) -> f64 {
        let given = (self.given)(&table.name, &column.name).and_then(|given| given.null_frac);
        match given {
            Some(share) => share.0,
            // One that is filled by default is hardly ever emptied.
            None if column.not_null || stored.not_null || made || column.default.is_some() => 0.0,
            None if class_is_time(stored.class()) => NULL_TIME,
            None => NULL,
        }
    }

    /// Different values, and how they are known.
    pub(super) fn distinct(
        &self,
        table: &Table,
        column: &Column,
        stored: &Stored,
        rows: f64,
        null: f64,
        depth: u32,
    ) -> (f64, How) {
        let all = rows * (1.0 - null);
        if keyed(table, &column.name) || stored.identity || is_serial(column) {
            return (all, How::Different);
        }
        if let Some((parent, _)) = self.parent(table, &column.name) {
            return ((self.rows)(parent).min(all), How::Reference);
        }
        let list = values(table, column, stored);
        if !list.is_empty() {
            return (list.len() as f64, How::List);
        }
        let class = stored.class();
        if class_is_time(class) && made(column) {
            let days = if class == Class::Date { DAYS as f64 } else { f64::INFINITY };
            return (all.min(days), How::Made);
        }
        if class == Class::Whole {
            return (all, How::Different);
        }
        let middle = rows.sqrt().min(stored.most_values());
        // The last column of a key has at least as many values as the others leave to it.
        if depth == 0
            && let Some(others) = key_with(table, &column.name)
        {
            let of = |name: &&str| {
                let other = table.column(name)?;
                let stored = (self.stored)(&table.name, name)?;
                Some(self.distinct(table, other, stored, rows, 0.0, depth + 1).0)
            };
            let together: f64 = others.iter().filter_map(of).product();
            let left = (rows / together.max(1.0)).clamp(1.0, all.max(1.0));
            // A number counts within the rest of the key.
            return if class == Class::Integer {
                (left, How::PartOfKey)
            } else {
                (middle.max(left), How::Middle)
            };
        }
        // Times of day hardly repeat, whatever they are times of.
        if class == Class::Time { (all, How::Different) } else { (middle, How::Middle) }
    }
}

/// A given figure that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) key: &'static str,
    pub(super) why: String,
}

/// To six digits.
fn round(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
