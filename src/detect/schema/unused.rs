//! Indexes that the server does not use.

use super::{drop_index, of_index, stored};
use crate::{
    catalog::{Catalog, TableKind},
    detect::{Report, words},
    rules::Rule,
};

/// Since the counters were reset, no query used the index.
pub(in crate::detect) fn unused(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    let Some(counted) = catalog.counted else { return };
    let (days, least) = (rule.param("days"), rule.param("bytes"));
    if counted.days < days {
        report.not_judged.add(&rule.name, format!("the server has counted for less than {days:.0} days"));
        return;
    }
    for table in stored(catalog).filter(|table| table.kind != TableKind::Partitioned) {
        let foreign: Vec<&[String]> = table.foreign_keys.iter().map(|key| key.columns.as_slice()).collect();
        for index in &table.indexes {
            let Some(bytes) = index.bytes.filter(|bytes| *bytes as f64 >= least) else { continue };
            // An index of a foreign key may wait for the one delete that needs it.
            let keeps = index.unique
                || index.constraint
                || !index.valid
                || table.partition_of.is_some()
                || foreign.iter().any(|key| super::key_columns(index).iter().take(key.len()).eq(key.iter()));
            if keeps || index.scans != Some(0) {
                continue;
            }
            let writes = table.activity.map_or(0, |a| a.inserts + a.updates - a.hot_updates.min(a.updates));
            let because = format!(
                "{} of {} ({}) was not used in {}, and written for up to {}",
                index.name,
                table.name.plain(),
                words::bytes(bytes as f64),
                words::counted(counted.days.floor(), "day"),
                words::counted(writes as f64, "row")
            );
            let mut instead = drop_index(table, index);
            if counted.replicas {
                instead = format!(
                    "Ask pg_stat_user_indexes of every replica first, since each counts for itself; then {instead}"
                );
            }
            report.findings.push(of_index(rule, table, index, because, instead));
        }
    }
}

/// CREATE INDEX CONCURRENTLY failed: writes keep it up to date, and no query may use it.
pub(in crate::detect) fn invalid(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in stored(catalog) {
        for index in table.indexes.iter().filter(|index| !index.valid) {
            let because = format!(
                "{} of {}{} is invalid: no query can use it",
                index.name,
                table.name.plain(),
                super::size(index)
            );
            let mut name = table.name.clone();
            name.name.clone_from(&index.name);
            let instead = if table.kind == TableKind::Partitioned {
                format!(
                    "Attach an index of each partition of {} to it (ALTER INDEX {name} ATTACH PARTITION …).",
                    table.name.plain()
                )
            } else {
                format!("Where no build of it is running now: REINDEX INDEX CONCURRENTLY {name};")
            };
            report.findings.push(of_index(rule, table, index, because, instead));
        }
    }
}
