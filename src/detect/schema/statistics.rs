//! What the server's counters say of tables.

use super::{of_table, stored};
use crate::{
    catalog::{Activity, Catalog, TableKind},
    detect::{Report, words},
    rules::Rule,
};

/// The planner guesses.
pub(in crate::detect) fn never_analyzed(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in stored(catalog).filter(|table| table.kind != TableKind::Partitioned) {
        let Some(activity) = table.activity else { continue };
        let rows = activity.live_rows as f64;
        if activity.last_analyze.is_some() || table.rows.is_some() || rows < rule.param("rows") {
            continue;
        }
        let because = format!("{} ({}) was never analysed", table.name.plain(), words::counted(rows, "row"));
        report.findings.push(of_table(rule, table, because, format!("ANALYZE {};", table.name)));
    }
}

/// The planner's numbers are of another time.
pub(in crate::detect) fn stale(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in stored(catalog).filter(|table| table.kind != TableKind::Partitioned) {
        let (Some(activity), Some(rows)) = (table.activity, table.rows) else { continue };
        let modified = activity.modified_since_analyze as f64;
        if rows < rule.param("rows")
            || modified < rows * rule.param("fraction")
            || is_load_counted_late(&activity, rows)
        {
            continue;
        }
        let because = format!(
            "{} of {} changed since it was last analysed with {}",
            words::counted(modified, "row"),
            table.name.plain(),
            words::counted(rows, "row")
        );
        let instead =
            format!("ANALYZE {0}; ALTER TABLE {0} SET (autovacuum_analyze_scale_factor = 0.02);", table.name);
        report.findings.push(of_table(rule, table, because, instead));
    }
}

/// A session sends its counts up to a second late: of a load and its ANALYZE the inserts are counted as changes since the
/// ANALYZE that saw them. Then all that was ever changed is the inserts of the very rows that were analysed.
fn is_load_counted_late(activity: &Activity, rows: f64) -> bool {
    activity.updates == 0
        && activity.deletes == 0
        && activity.modified_since_analyze == activity.inserts
        && (activity.inserts as f64 - rows).abs() <= rows * 0.01
}

/// Updates that find no room on their page write every index.
pub(in crate::detect) fn cold_updates(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in stored(catalog).filter(|table| table.kind != TableKind::Partitioned) {
        let Some(activity) = table.activity else { continue };
        let updates = activity.updates as f64;
        let hot = activity.hot_updates as f64 / updates.max(1.0);
        if updates < rule.param("updates")
            || hot >= rule.param("fraction")
            || table.storage.contains_key("fillfactor")
        {
            continue;
        }
        let because = format!(
            "{} of the {} of {} were HOT, and it has no fillfactor",
            words::percent(hot),
            words::counted(updates, "update"),
            table.name.plain()
        );
        let instead = format!(
            "Where updates change no indexed column: ALTER TABLE {} SET (fillfactor = 85);",
            table.name
        );
        report.findings.push(of_table(rule, table, because, instead));
    }
}
