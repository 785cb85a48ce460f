//! Indexes that can hardly serve a search, by their kind.

use super::{drop_index, of_index, stored};
use crate::{
    catalog::{Catalog, Column, Index, IndexSpec, KeyExpr, Table},
    detect::{Report, words},
    names::quote_ident,
    rules::Rule,
};

/// Each index with its only or first column.
fn led(catalog: &Catalog) -> impl Iterator<Item = (&Table, &Index, &Column)> {
    stored(catalog).filter(|table| table.partition_of.is_none()).flat_map(|table| {
        table.indexes.iter().filter(|index| index.valid).filter_map(move |index| {
            match &index.spec.keys.first()?.expr {
                KeyExpr::Column(name) => Some((table, index, table.column(name)?)),
                KeyExpr::Expression(_) => None,
            }
        })
    })
}

/// A B-tree compares arrays and documents as a whole.
pub(in crate::detect) fn whole_documents(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for (table, index, column) in led(catalog) {
        let array = column.type_name.ends_with("[]");
        if index.unique || index.spec.method != "btree" || !(array || column.type_name == "jsonb") {
            continue;
        }
        let because = format!(
            "the B-tree {} of {} is on {} ({}): it serves only comparisons of the whole value",
            index.name,
            table.name.plain(),
            column.name,
            column.type_name
        );
        let spec =
            IndexSpec { method: "gin".to_owned(), ..IndexSpec::btree(table.name.clone(), &[&column.name]) };
        let instead = format!("{}; {}", spec.create_concurrently(), drop_index(table, index));
        report.findings.push(of_index(rule, table, index, because, instead));
    }
}

/// Two values: no search leaves little of the table, but for a rare one.
pub(in crate::detect) fn booleans(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for (table, index, column) in led(catalog) {
        if column.type_name != "boolean"
            || index.unique
            || index.spec.predicate.is_some()
            || index.spec.keys.len() != 1
            || !index.spec.include.is_empty()
        {
            continue;
        }
        // A rare value is found by it.
        let rare = column.statistics.as_ref().is_some_and(|known| {
            known.common.iter().any(|(_, part)| *part < rule.param("fraction")) || known.common.len() == 1
        });
        if rare {
            continue;
        }
        let because = format!(
            "{} of {} is on {} alone, which has two values",
            index.name,
            table.name.plain(),
            column.name
        );
        let instead = format!(
            "Index the rare value only, on what is asked for with it: CREATE INDEX CONCURRENTLY ON {} (…) WHERE {}; {}",
            table.name,
            quote_ident(&column.name),
            drop_index(table, index)
        );
        report.findings.push(of_index(rule, table, index, because, instead));
    }
}

/// Most of its entries are NULL, which searches rarely ask for.
pub(in crate::detect) fn nulls(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for (table, index, column) in led(catalog) {
        let Some(known) = &column.statistics else { continue };
        let large = index.bytes.is_some_and(|bytes| bytes as f64 >= rule.param("bytes"));
        if known.null_fraction < rule.param("fraction")
            || !large
            || index.constraint
            || index.spec.predicate.is_some()
            || index.spec.keys.len() != 1
            || index.spec.method != "btree"
        {
            continue;
        }
        let because = format!(
            "{} of the entries of {}{} are NULL: {}.{}",
            words::percent(known.null_fraction),
            index.name,
            super::size(index),
            table.name.plain(),
            column.name
        );
        let unique = if index.unique { "UNIQUE " } else { "" };
        let spec = IndexSpec {
            predicate: Some(format!("{} IS NOT NULL", quote_ident(&column.name))),
            ..index.spec.clone()
        };
        let create = spec.create_concurrently().replacen("INDEX", &format!("{unique}INDEX"), 1);
        let instead = format!("Where no query looks for NULL: {create}; {}", drop_index(table, index));
        report.findings.push(of_index(rule, table, index, because, instead));
    }
}

/// WHERE column IS NOT NULL, of a column that cannot be NULL.
pub(in crate::detect) fn needless_predicate(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in stored(catalog) {
        for index in &table.indexes {
            let Some(predicate) = &index.spec.predicate else { continue };
            let bare = predicate.trim().trim_start_matches('(').trim_end_matches(')').trim();
            let lower = bare.to_lowercase();
            let Some(end) = lower.strip_suffix("is not null").map(|name| name.trim_end().len()) else {
                continue;
            };
            let name = bare.get(..end).unwrap_or_default().trim_matches('"');
            let column = table.column(name).or_else(|| table.column(&name.to_lowercase()));
            let Some(column) = column.filter(|column| column.not_null) else { continue };
            let because = format!(
                "{} of {} leaves out rows where {} is NULL, but the column is NOT NULL",
                index.name,
                table.name.plain(),
                column.name
            );
            let instead =
                "Leave the WHERE out: the planner then need not prove it for each query.".to_owned();
            report.findings.push(of_index(rule, table, index, because, instead));
        }
    }
}

/// Many keys: large, written often, and rarely used beyond the first ones.
pub(in crate::detect) fn many_keys(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for (table, index, _) in led(catalog) {
        let keys = index.spec.keys.len();
        if keys as f64 <= rule.param("keys")
            || index.constraint
            || index.unique
            || index.spec.method != "btree"
        {
            continue;
        }
        let because = format!("{} of {} has {keys} keys", index.name, table.name.plain());
        let instead =
            "Keep the keys that queries compare or sort by; what they only read can be INCLUDEd.".to_owned();
        report.findings.push(of_index(rule, table, index, because, instead));
    }
}

/// Long texts fill a B-tree's pages, and those of more than 2,704 bytes are refused.
pub(in crate::detect) fn long_texts(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for (table, index, column) in led(catalog) {
        let Some(width) = column.statistics.as_ref().map(|known| f64::from(known.average_width)) else {
            continue;
        };
        let textual = column.type_name == "text" || column.type_name.starts_with("character varying");
        if width < rule.param("bytes") || !textual || index.spec.method != "btree" {
            continue;
        }
        let because = format!(
            "{}{} of {} is on {}, whose values have {} on average",
            index.name,
            super::size(index),
            table.name.plain(),
            column.name,
            words::bytes(width)
        );
        let column = quote_ident(&column.name);
        let instead = if index.unique {
            format!(
                "CREATE UNIQUE INDEX CONCURRENTLY ON {} (sha256(convert_to({column}, 'UTF8')));",
                table.name
            )
        } else {
            format!(
                "For equality alone, CREATE INDEX CONCURRENTLY ON {} USING hash ({column}); {}",
                table.name,
                drop_index(table, index)
            )
        };
        report.findings.push(of_index(rule, table, index, because, instead));
    }
}

/// Rows lie in the order of the key: a BRIN of a few pages serves ranges as well.
pub(in crate::detect) fn brin(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for (table, index, column) in led(catalog) {
        let Some(correlation) = column.statistics.as_ref().and_then(|known| known.correlation) else {
            continue;
        };
        let timed = column.type_name.starts_with("timestamp") || column.type_name == "date";
        let rows = table.rows.unwrap_or(0.0);
        let append_only = table.activity.is_none_or(|activity| activity.updates + activity.deletes == 0);
        if index.unique
            || !timed
            || !append_only
            || index.spec.method != "btree"
            || index.spec.keys.len() != 1
            || index.spec.predicate.is_some()
            || correlation < rule.param("correlation")
            || rows < rule.param("rows")
        {
            continue;
        }
        let because = format!(
            "{} ({}) only grows, in the order of {}: the B-tree {}{} could be a BRIN of a few pages",
            table.name.plain(),
            words::counted(rows, "row"),
            column.name,
            index.name,
            super::size(index)
        );
        let spec =
            IndexSpec { method: "brin".to_owned(), ..IndexSpec::btree(table.name.clone(), &[&column.name]) };
        let instead = format!(
            "Where queries ask for ranges and do not sort by it with a LIMIT: {}; {}",
            spec.create_concurrently(),
            drop_index(table, index)
        );
        report.findings.push(of_index(rule, table, index, because, instead));
    }
}
