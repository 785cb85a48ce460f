//! What an example says of the database, as a catalog; and of repetition, as what the workload would find.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    catalog::{Activity, Catalog, ColumnStatistics, Counted, Migration},
    rules::{Example, ExampleRepeats, ExampleRepetition, ExampleServer},
    sources::schema,
    sql::Fingerprint,
    workload::{Evidence, Occurrence, Repetition, RepetitionKind},
};

/// `None` where the example gives neither a schema nor settings.
pub(super) fn catalog(example: &Example) -> Result<Option<Catalog>, String> {
    if example.schema.is_none() && example.settings.is_empty() {
        return Ok(None);
    }
    let read = schema::read(example.schema.as_deref().unwrap_or_default());
    if let Some(skipped) = read.skipped.first() {
        return Err(format!("its schema cannot be read: {skipped:?}"));
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
                correlation: known.correlation,
                histogram: Vec::new(),
            });
        }
    }
    if let Some(name) = unused.first() {
        return Err(format!("nothing in its schema is called `{name}`"));
    }
    if let Some(server) = &example.server {
        counted(&mut catalog, server)?;
    }
    Ok(Some(catalog))
}

/// What a server has counted.
fn counted(catalog: &mut Catalog, server: &ExampleServer) -> Result<(), String> {
    catalog.version = server.version;
    catalog.counted = Some(Counted { days: server.days, replicas: server.replicas });
    let mut unused: BTreeSet<&String> = server.indexes.keys().chain(server.tables.keys()).collect();
    for table in &mut catalog.tables {
        if let Some((name, known)) = server.tables.get_key_value(&table.name.name) {
            unused.remove(name);
            table.activity = Some(Activity {
                live_rows: known.live_rows,
                modified_since_analyze: known.modified,
                inserts: known.inserts,
                updates: known.updates,
                hot_updates: known.hot_updates,
                deletes: known.deletes,
                ..Activity::default()
            });
        }
        for index in &mut table.indexes {
            if let Some((name, known)) = server.indexes.get_key_value(&index.name) {
                unused.remove(name);
                index.scans = Some(known.scans);
                index.bytes = Some(known.bytes);
                index.valid = !known.invalid;
            }
        }
    }
    unused.first().map_or(Ok(()), |name| Err(format!("nothing in its schema is called `{name}`")))
}

/// The migration of an example, with the schema that an earlier file made, and its rows.
pub(super) fn migrations(example: &Example, migration: &str) -> Vec<Migration> {
    const EARLIER: &str = "0001_earlier.sql";
    let earlier = example.schema.as_deref().unwrap_or_default();
    let mut migrations = schema::of_files(&[(EARLIER, earlier), ("0002_change.sql", migration)]).migrations;
    migrations.retain(|migration| migration.file != EARLIER);
    for table in migrations.iter_mut().flat_map(|migration| &mut migration.before.tables) {
        table.rows = example.rows.get(&table.name.name).copied();
    }
    migrations
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
