//! Tables: keys, partitions, how many indexes.

use super::{of_table, whole_tables};
use crate::{
    catalog::{Catalog, KeyExpr},
    detect::{Report, words},
    rules::Rule,
};

/// Nothing tells one row from another.
pub(in crate::detect) fn without_key(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in whole_tables(catalog) {
        // A table of unknown columns (INHERITS, CREATE TABLE AS) may have its key elsewhere.
        if table.columns.len() < 2 || table.indexes.iter().any(|index| index.primary || index.unique) {
            continue;
        }
        let rows = table.rows.map(|rows| format!(" ({})", words::counted(rows, "row"))).unwrap_or_default();
        let because = format!("{}{rows} has no primary key and no unique index", table.name.plain());
        let instead = match table.column("id") {
            Some(_) => format!("ALTER TABLE {} ADD PRIMARY KEY (id);", table.name),
            None => format!(
                "Make the columns that identify a row of {} its primary key, or add an identity column.",
                table.name.plain()
            ),
        };
        report.findings.push(of_table(rule, table, because, instead));
    }
}

/// Every index is written on every insert.
pub(in crate::detect) fn many_indexes(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    let most = rule.param("indexes");
    for table in whole_tables(catalog).filter(|table| table.indexes.len() as f64 > most) {
        let because = format!("{} has {} indexes", table.name.plain(), table.indexes.len());
        let instead = "Let `sargable analyze` with a connection tell which of them no query uses.".to_owned();
        report.findings.push(of_table(rule, table, because, instead));
    }
}

/// An integer key that is halfway to its end.
pub(in crate::detect) fn key_exhaustion(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    let fraction = rule.param("fraction");
    for table in whole_tables(catalog) {
        let Some(rows) = table.rows else { continue };
        for index in table.indexes.iter().filter(|index| index.primary && index.spec.keys.len() == 1) {
            let Some(KeyExpr::Column(name)) = index.spec.keys.first().map(|key| &key.expr) else { continue };
            let Some(column) = table.column(name) else { continue };
            let largest = match column.type_name.as_str() {
                "integer" => 2_147_483_647.0,
                "smallint" => 32_767.0,
                _ => continue,
            };
            if rows < largest * fraction {
                continue;
            }
            let because = format!(
                "{}.{name} is {} and {} have used at least {} of its values",
                table.name.plain(),
                column.type_name,
                words::counted(rows, "row"),
                words::percent(rows / largest)
            );
            let instead = format!(
                "Move {name}, and every column that references it, to bigint before {} inserts fail: add a bigint column, fill it in batches, and swap the two.",
                table.name.plain()
            );
            report.findings.push(of_table(rule, table, because, instead));
        }
    }
}
