//! Where a column's values lie, as far as that is sound.

use super::{
    columns::{Around, How, Wrong},
    declared::{is_serial, key_with, keyed, made},
    given::Value,
    types::{Class, Stored},
    values::{Span, of_bound},
};
use crate::{
    catalog::{Column, Table, TableKind},
    names::RelName,
};

/// Rows came evenly over so many days.
pub(super) const DAYS: i64 = 730;

const DAY: i64 = 86_400;

impl Around<'_> {
    /// The column that a foreign key of this one column refers to.
    pub(super) fn parent<'t>(&self, table: &'t Table, column: &str) -> Option<(&'t RelName, &'t str)> {
        let key = table.foreign_keys.iter().find(|key| key.columns == [column])?;
        let known = self.tables.contains_key(&key.references) && key.references != table.name;
        known.then_some((&key.references, key.referenced_columns.first()?.as_str()))
    }

    /// Where the values lie, as far as that is sound.
    pub(super) fn span(
        &self,
        table: &Table,
        column: &Column,
        stored: &Stored,
        depth: u32,
    ) -> Result<Option<Span>, Wrong> {
        let class = stored.class();
        let zone = stored.type_name.ends_with("with time zone");
        let assumed = self.assumed_span(table, column, stored, depth)?;
        let given = (self.given)(&table.name, &column.name);
        let Some(given) = given.filter(|given| given.min.is_some() || given.max.is_some()) else {
            return Ok(assumed);
        };
        let ends = assumed.map(|span| span.bounds(2.0)).unwrap_or_default();
        let end = |given: &Option<Value>, at: usize| {
            given.as_ref().map(|value| value.0.clone()).or_else(|| ends.get(at).cloned())
        };
        let key = if given.min.is_some() { "min" } else { "max" };
        let (Some(first), Some(last)) = (end(&given.min, 0), end(&given.max, 1)) else {
            return Err(Wrong { key, why: "min and max go together here: give both".to_owned() });
        };
        let span = Span::read(class, zone, &first, &last);
        let why = || format!("from `{first}` to `{last}` is no range of {}", stored.type_name);
        span.map(Some).ok_or_else(|| Wrong { key, why: why() })
    }

    fn assumed_span(
        &self,
        table: &Table,
        column: &Column,
        stored: &Stored,
        depth: u32,
    ) -> Result<Option<Span>, Wrong> {
        let class = stored.class();
        let zone = stored.type_name.ends_with("with time zone");
        if let Some(bound) = stored.bound.as_deref() {
            let ends = of_bound(bound);
            return Ok(ends.and_then(|(first, last)| Span::read(class, zone, &first, &last)));
        }
        if table.kind == TableKind::Partitioned
            && let Some(span) = self.over_partitions(table, &column.name, depth)?
        {
            return Ok(Some(span));
        }
        if let Some((parent, referenced)) = self.parent(table, &column.name) {
            let there = self.tables.get(parent).and_then(|table| Some((table, table.column(referenced)?)));
            return match (there, (self.stored)(parent, referenced)) {
                (Some((table, column)), Some(stored)) if depth < 8 => {
                    // What is wrong of it is said where it stands.
                    self.span(table, column, stored, depth + 1).or(Ok(None))
                }
                _ => Ok(None),
            };
        }
        let numbered = stored.identity || is_serial(column) || keyed(table, &column.name);
        if class == Class::Integer && numbered {
            let most = (self.rows)(&table.name);
            return Ok((most > 1.0).then_some(Span::Numbers { least: 1.0, most, whole: true }));
        }
        if class == Class::Integer && key_with(table, &column.name).is_some() {
            // Counted within the rest of the key.
            let rows = (self.rows)(&table.name).max(1.0);
            let (most, how) = self.distinct(table, column, stored, rows, 0.0, 0);
            let counted = how == How::PartOfKey && most.round() > 1.0;
            return Ok(counted.then_some(Span::Numbers { least: 1.0, most: most.round(), whole: true }));
        }
        let (first, mut last) = (self.today - DAYS * DAY, self.today);
        if !made(column) {
            // What has yet to happen to some rows: as much of it lies ahead.
            if column.not_null || stored.not_null {
                return Ok(None);
            }
            last = self.today + DAYS * DAY;
        }
        Ok(match class {
            Class::Time => Some(Span::Times { first, last, zone }),
            Class::Date => Some(Span::Dates { first, last }),
            _ => None,
        })
    }

    /// The range of all partitions, where each has one.
    fn over_partitions(&self, table: &Table, column: &str, depth: u32) -> Result<Option<Span>, Wrong> {
        let mut whole: Option<Span> = None;
        for part in self.tables.values().filter(|part| part.partition_of.as_ref() == Some(&table.name)) {
            let stored = (self.stored)(&part.name, column).filter(|stored| stored.bound.is_some());
            let (Some(stored), Some(column)) = (stored, part.column(column)) else { return Ok(None) };
            let Some(span) = self.assumed_span(part, column, stored, depth + 1)? else { return Ok(None) };
            whole = match whole {
                None => Some(span),
                Some(known) => known.with(span),
            };
        }
        Ok(whole)
    }
}
