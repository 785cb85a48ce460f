//! The size of an index that does not exist: what the size model needs besides statistics, asked of the private server.

use super::{entries, groups};
use crate::{
    catalog::{IndexSpec, KeyExpr, Table, size},
    plan::{Plan, Probe},
    server::Private,
};

/// The table with the types behind its domains: those say how values are stored.
pub(super) fn with_base_types(private: &mut Private<'_>, table: &Table) -> Result<Table, String> {
    const DOMAINS: &str = "
SELECT a.attname::text, pg_catalog.format_type(t.typbasetype, t.typtypmod)
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype = 'd'
 WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";
    let mut table = table.clone();
    for row in private.rows(DOMAINS, &[&table.name.to_string()])? {
        let [Some(name), Some(base)] = row.as_slice() else { continue };
        if let Some(column) = table.columns.iter_mut().find(|column| column.name == *name) {
            column.type_name.clone_from(base);
        }
    }
    Ok(table)
}

/// The size of the index on one table.
pub(super) fn measure(
    private: &mut Private<'_>,
    spec: &IndexSpec,
    table: &Table,
    version: u32,
) -> Result<size::Size, String> {
    let from = |private: &mut Private<'_>, list: &str, tail: &str| -> Result<Plan, String> {
        private.explain(&Probe {
            sql: format!("SELECT {list} FROM ONLY {}{tail}", table.name),
            binds: Vec::new(),
        })
    };
    let tail = spec.predicate.as_ref().map(|predicate| format!(" WHERE {predicate}")).unwrap_or_default();
    let rows = match &spec.predicate {
        Some(_) => Some(from(private, "1", &tail)?.root.rows),
        None => None,
    };
    let mut asked: Vec<(String, size::Key)> = Vec::new();
    let mut kinds: Vec<(String, String)> = Vec::new();
    for key in &spec.keys {
        if let KeyExpr::Expression(text) = &key.expr {
            let width = f64::from(from(private, &format!("({text})"), "")?.root.width);
            let planned = from(private, &format!("({text})"), " GROUP BY 1")?.root.rows;
            let distinct = groups::of_expression(private, table, text, planned);
            let kind = private.rows(
                &format!("SELECT pg_catalog.pg_typeof((SELECT ({text}) FROM {} LIMIT 0))::text", table.name),
                &[],
            );
            let kind =
                kind.ok().and_then(|rows| rows.into_iter().flatten().flatten().next()).unwrap_or_default();
            asked.push((text.clone(), size::expression(&kind, width, distinct)));
            kinds.push((text.clone(), kind));
        }
    }
    let mut of_expression = |text: &str| asked.iter().find(|(known, _)| known == text).map(|(_, key)| *key);
    let mut entries = Vec::new();
    if spec.method == "gin" {
        let count = rows.or(table.rows).unwrap_or(0.0);
        for key in &spec.keys {
            let kind = match &key.expr {
                KeyExpr::Column(name) => table.column(name).map_or("", |column| column.type_name.as_str()),
                KeyExpr::Expression(text) => {
                    kinds.iter().find(|(known, _)| known == text).map_or("", |(_, kind)| kind.as_str())
                }
            };
            entries.extend(entries::of(private, table, key, kind, count));
        }
    }
    let together = if spec.method == "btree" { groups::together(private, spec, table) } else { None };
    size::of(spec, table, version, &size::Asked { rows, entries, together }, &mut of_expression)
        .ok_or_else(|| format!("the statistics of {} are not known", table.name.plain()))
}
