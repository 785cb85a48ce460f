//! Rules about tables and indexes as they are, whatever queries there are.

pub(super) mod columns;
pub(super) mod foreign_keys;
pub(super) mod index_kinds;
pub(super) mod indexes;
pub(super) mod policies;
pub(super) mod statistics;
pub(super) mod tables;
pub(super) mod unused;

use crate::{
    catalog::{Catalog, ForeignKey, Index, IndexKey, KeyExpr, Table, TableKind},
    finding::{Confidence, Finding, Location},
    rules::Rule,
};

/// A finding about a table, at the statement that made it.
fn of_table(rule: &Rule, table: &Table, because: String, instead: String) -> Finding {
    of_object(rule, table, &[], table.at.as_ref(), because, instead)
}

/// A finding about an index, at the statement that made it.
fn of_index(rule: &Rule, table: &Table, index: &Index, because: String, instead: String) -> Finding {
    of_object(rule, table, &[("index", &index.name)], index.at.as_ref(), because, instead)
}

/// A finding about a foreign key, at the statement that made it.
fn of_key(rule: &Rule, table: &Table, key: &ForeignKey, because: String, instead: String) -> Finding {
    of_object(rule, table, &[("columns", &key.columns.join(", "))], key.at.as_ref(), because, instead)
}

/// `detail` names what the finding is about: by that it is known again when its figures changed.
fn of_object(
    rule: &Rule,
    table: &Table,
    part: &[(&str, &str)],
    at: Option<&Location>,
    because: String,
    instead: String,
) -> Finding {
    let mut found = super::blank(rule, rule.confidence.unwrap_or(Confidence::Shape));
    found.at = at.cloned();
    found.because = because;
    found.instead = instead;
    found.detail.insert("table".to_owned(), table.name.to_string().into());
    for (name, value) in part {
        found.detail.insert((*name).to_owned(), (*value).into());
    }
    found
}

/// Tables that hold rows of their own or in partitions; a partition is its parent's matter.
fn whole_tables(catalog: &Catalog) -> impl Iterator<Item = &Table> {
    catalog.tables.iter().filter(|table| matches!(table.kind, TableKind::Table | TableKind::Partitioned))
}

/// Tables, partitions and materialized views.
fn stored(catalog: &Catalog) -> impl Iterator<Item = &Table> {
    catalog.tables.iter().filter(|table| {
        matches!(
            table.kind,
            TableKind::Table | TableKind::Partitioned | TableKind::Partition | TableKind::MaterializedView
        )
    })
}

fn key_sql(keys: &[IndexKey]) -> String {
    let keys: Vec<String> = keys.iter().map(IndexKey::sql).collect();
    keys.join(", ")
}

fn key_columns(index: &Index) -> Vec<&str> {
    index
        .spec
        .keys
        .iter()
        .filter_map(|key| match &key.expr {
            KeyExpr::Column(name) => Some(name.as_str()),
            KeyExpr::Expression(_) => None,
        })
        .collect()
}

/// `DROP INDEX CONCURRENTLY schema.name;`, or the ALTER TABLE that a constraint needs.
fn drop_index(table: &Table, index: &Index) -> String {
    let mut name = table.name.clone();
    name.name.clone_from(&index.name);
    if index.constraint {
        return format!(
            "ALTER TABLE {} DROP CONSTRAINT {};",
            table.name,
            crate::names::quote_ident(&index.name)
        );
    }
    // An index of a partitioned table can only be dropped as a whole.
    let how = if table.kind == TableKind::Partitioned { "" } else { "CONCURRENTLY " };
    format!("DROP INDEX {how}{name};")
}

/// `, 12 MB`, where the size is known.
fn size(index: &Index) -> String {
    index.bytes.map(|bytes| format!(" ({})", super::words::bytes(bytes as f64))).unwrap_or_default()
}
