//! Columns whose type or default costs.

use super::{key_columns, of_table, whole_tables};
use crate::{catalog::Catalog, detect::Report, names::quote_ident, rules::Rule};

/// `json` is text: parsed on each access, and no index takes it.
pub(in crate::detect) fn json(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in whole_tables(catalog) {
        for column in table.columns.iter().filter(|column| column.type_name == "json") {
            let because = format!("{}.{} is json, not jsonb", table.name.plain(), column.name);
            let name = quote_ident(&column.name);
            let instead = format!(
                "Where keys' order and white space need not be kept: ALTER TABLE {} ALTER COLUMN {name} TYPE jsonb USING {name}::jsonb; (it rewrites the table)",
                table.name
            );
            report.findings.push(of_table(rule, table, because, instead));
        }
    }
}

/// Random keys spread inserts over the whole index.
pub(in crate::detect) fn random_key(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    const RANDOM: &[&str] = &["gen_random_uuid", "uuid_generate_v4", "uuidv4"];
    for table in whole_tables(catalog) {
        let keys = table.indexes.iter().filter(|index| index.primary && index.spec.keys.len() == 1);
        for column in keys.flat_map(|index| key_columns(index)).filter_map(|name| table.column(name)) {
            let default = column.default.as_deref().unwrap_or_default().to_lowercase();
            let Some(function) = RANDOM.iter().find(|name| default.contains(*name)) else { continue };
            if table.rows.is_some_and(|rows| rows < rule.param("rows")) {
                continue;
            }
            let because = format!(
                "the primary key {}.{} is random ({function}): each insert goes to another page of the index",
                table.name.plain(),
                column.name
            );
            let instead = if catalog.version >= 180_000 {
                format!(
                    "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT uuidv7();",
                    table.name,
                    quote_ident(&column.name)
                )
            } else {
                "A UUID of version 7 begins with its time: uuidv7() from PostgreSQL 18 on, the application's before; or a bigint identity.".to_owned()
            };
            report.findings.push(of_table(rule, table, because, instead));
        }
    }
}
