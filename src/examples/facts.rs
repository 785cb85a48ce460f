//! What an example says of the database, as a catalog; and of repetition, as what the workload would find.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog::{Catalog, ColumnStatistics},
    rules::{Example, ExampleRepeats, ExampleRepetition},
    sources::ddl,
    sql::Fingerprint,
    workload::{Evidence, Occurrence, Repetition, RepetitionKind},
};

/// `None` where the example gives neither a schema nor settings.
pub(super) fn catalog(example: &Example) -> Result<Option<Catalog>, String> {
    if example.schema.is_none() && example.settings.is_empty() {
        return Ok(None);
    }
    let read = ddl::read(example.schema.as_deref().unwrap_or_default());
    if let Some(skipped) = read.skipped.first() {
        return Err(format!("its schema cannot be read: {skipped}"));
    }
    let mut catalog = read.catalog;
    catalog.settings.0.clone_from(&example.settings);
    let mut unused: BTreeSet<&String> = example.rows.keys().chain(example.statistics.keys()).collect();
    for table in &mut catalog.tables {
        if let Some((name, rows)) = example.rows.get_key_value(&table.name.name) {
            table.rows = Some(*rows);
            unused.remove(name);
        }
        for column in &mut table.columns {
            let name = format!("{}.{}", table.name.name, column.name);
            let Some(known) = example.statistics.get(&name) else { continue };
            unused.remove(&name);
            column.statistics = Some(ColumnStatistics {
                null_fraction: known.nulls,
                average_width: known.width,
                distinct: known.distinct,
                common: known.common.clone(),
                correlation: None,
                histogram: Vec::new(),
            });
        }
    }
    match unused.first() {
        Some(name) => Err(format!("nothing in its schema is called `{name}`")),
        None => Ok(Some(catalog)),
    }
}

pub(super) fn repetition(
    repeats: &ExampleRepeats,
    child: Fingerprint,
    parent: Option<Fingerprint>,
) -> Repetition {
    let total_us = repeats.milliseconds * 1000;
    Repetition {
        kind: match repeats.kind {
            ExampleRepetition::NPlusOne => RepetitionKind::NPlusOne,
            ExampleRepetition::Duplicate => RepetitionKind::Duplicate,
            ExampleRepetition::WriteLoop => RepetitionKind::WriteLoop,
        },
        child,
        parent,
        evidence: Evidence::Transaction,
        units: repeats.units,
        units_by_evidence: BTreeMap::from([(Evidence::Transaction, repeats.units)]),
        repeats: repeats.times * repeats.units,
        min_repeats: repeats.times,
        median_repeats: repeats.times,
        max_repeats: repeats.times,
        distinct_values: repeats.values * repeats.units,
        sizes: 0,
        total_us,
        occurrences: vec![Occurrence {
            start: Some(1_767_225_600_250_000),
            end: Some(1_767_225_601_750_000),
            sessions: vec![812],
            repeats: repeats.times,
            distinct_values: repeats.values,
            total_us: total_us / repeats.units,
        }],
    }
}
