//! Foreign keys: whether an index serves them, whether their types hold, whether they are there once.

use super::{of_key, whole_tables};
use crate::{
    catalog::{Catalog, Column, ForeignKey, IndexSpec, KeyExpr, Table},
    detect::{Report, words},
    finding::Severity,
    names::quote_ident,
    rules::Rule,
};

/// A delete of the referenced row looks for its references in the whole table.
pub(in crate::detect) fn without_index(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    let threshold = rule.param("rows");
    for table in whole_tables(catalog).filter(|table| table.rows.is_none_or(|rows| rows >= threshold)) {
        for key in table.foreign_keys.iter().filter(|key| !served(table, key)) {
            let columns = key.columns.join(", ");
            let rows =
                table.rows.map(|rows| format!(" ({})", words::counted(rows, "row"))).unwrap_or_default();
            let target = key.references.plain();
            let because = if key.deletes {
                format!(
                    "no index of {}{rows} serves the foreign key ({columns}), through which each delete from {target} writes",
                    table.name.plain()
                )
            } else {
                format!(
                    "no index of {}{rows} serves the foreign key ({columns}), in which each delete from {target} looks",
                    table.name.plain()
                )
            };
            let names: Vec<&str> = key.columns.iter().map(String::as_str).collect();
            let instead = format!("{};", IndexSpec::btree(table.name.clone(), &names).create_concurrently());
            let mut found = of_key(rule, table, key, because, instead);
            // Nobody knows whether rows are ever deleted there, nor whether the table is large.
            if !key.deletes && table.rows.is_none() {
                found.severity = Severity::Note;
            }
            report.findings.push(found);
        }
    }
}

/// Whether an index leads to the rows that reference one key.
fn served(table: &Table, key: &ForeignKey) -> bool {
    table.indexes.iter().filter(|index| index.valid).any(|index| {
        let leads =
            index.spec.keys.first().is_some_and(
                |first| matches!(&first.expr, KeyExpr::Column(name) if key.columns.contains(name)),
            );
        // A partial one serves where it leaves out no more than rows without a reference.
        let whole = index.spec.predicate.as_deref().is_none_or(|predicate| {
            let predicate = predicate.to_lowercase();
            key.columns.iter().any(|column| {
                predicate.trim_matches(['(', ')']) == format!("{} is not null", quote_ident(column))
            })
        });
        leads && whole && matches!(index.spec.method.as_str(), "btree" | "hash" | "brin")
    }) || key.columns.is_empty()
}

/// The key is of another type than what it references.
pub(in crate::detect) fn types(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in whole_tables(catalog) {
        for key in &table.foreign_keys {
            let Some(target) = catalog.table(&key.references) else { continue };
            let primary: Vec<String> = target
                .indexes
                .iter()
                .filter(|index| index.primary)
                .flat_map(|index| super::key_columns(index))
                .map(str::to_owned)
                .collect();
            let referenced =
                if key.referenced_columns.is_empty() { &primary } else { &key.referenced_columns };
            for (own, other) in key.columns.iter().zip(referenced) {
                let (Some(own), Some(other)) = (table.column(own), target.column(other)) else { continue };
                let Some(why) = mismatch(own, other) else { continue };
                let because = format!(
                    "{}.{} is {} and references {}.{}, which is {}: {why}",
                    table.name.plain(),
                    own.name,
                    own.type_name,
                    target.name.plain(),
                    other.name,
                    other.type_name
                );
                let instead = format!("Give {} the type {}.", own.name, other.type_name);
                report.findings.push(of_key(rule, table, key, because, instead));
            }
        }
    }
}

fn mismatch(own: &Column, other: &Column) -> Option<&'static str> {
    let integer = |name: &str| ["smallint", "integer", "bigint"].iter().position(|known| *known == name);
    match (integer(&own.type_name), integer(&other.type_name)) {
        (Some(own), Some(other)) if own < other => Some("it cannot hold every key"),
        (Some(_), Some(_)) => None,
        (integer, of) if integer.is_some() != of.is_some() => {
            let numeric =
                |name: &str| name.starts_with("numeric") || name == "double precision" || name == "real";
            let either = if integer.is_some() { &other.type_name } else { &own.type_name };
            numeric(either).then_some("a join of both compares converted values, which an index on the converted side does not serve")
        }
        _ => None,
    }
}

/// The same reference twice: each write checks both.
pub(in crate::detect) fn duplicates(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in whole_tables(catalog) {
        for (at, key) in table.foreign_keys.iter().enumerate() {
            let first = table.foreign_keys[..at].iter().find(|first| {
                first.columns == key.columns
                    && catalog.table(&first.references).map(|t| &t.name)
                        == catalog.table(&key.references).map(|t| &t.name)
                    && first.references.name == key.references.name
                    && (first.referenced_columns == key.referenced_columns
                        || first.referenced_columns.is_empty()
                        || key.referenced_columns.is_empty())
            });
            let Some(first) = first.filter(|first| first.name != key.name) else { continue };
            let because = format!(
                "{} of {} is the foreign key {} again: ({}) references {}",
                key.name,
                table.name.plain(),
                first.name,
                key.columns.join(", "),
                key.references.plain()
            );
            let instead = format!("ALTER TABLE {} DROP CONSTRAINT {};", table.name, quote_ident(&key.name));
            report.findings.push(of_key(rule, table, key, because, instead));
        }
    }
}
