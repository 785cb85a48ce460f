//! What a GIN index that does not exist would hold, from the statistics of its column: those of elements where there are
//! some, else the entries of the values that are known.

use crate::{
    catalog::{
        IndexKey, KeyExpr, Table,
        size_gin::{Entries, entries},
    },
    names::quote_ident,
    server::Private,
};

/// How an operator class takes values apart, as far as the size needs it, and the bytes of an entry.
struct Class {
    keys: &'static str,
    width: &'static str,
}

const TEXT: &str = "octet_length(key::text) + 1";
const NUMBER: &str = "4";

const ARRAY: Class = Class { keys: "SELECT element::text FROM unnest(held.value) AS element", width: TEXT };
const WORDS: Class = Class { keys: "SELECT lexeme FROM unnest(held.value)", width: TEXT };
const TRIGRAMS: Class = Class { keys: "SELECT unnest(show_trgm(held.value::text))", width: NUMBER };
/// Keys, elements and values.
const DOCUMENT: Class = Class {
    keys: "WITH RECURSIVE part (key, value) AS (
               SELECT NULL::text, held.value::jsonb
               UNION ALL
               SELECT inside.key, inside.value FROM part, LATERAL (
                   SELECT key, value FROM jsonb_each(CASE jsonb_typeof(part.value) WHEN 'object' THEN part.value ELSE '{}' END)
                   UNION ALL
                   SELECT NULL, value FROM jsonb_array_elements(CASE jsonb_typeof(part.value) WHEN 'array' THEN part.value ELSE '[]' END)
               ) AS inside (key, value))
           SELECT 'k' || key FROM part WHERE key IS NOT NULL
           UNION SELECT 'v' || value::text FROM part WHERE jsonb_typeof(value) NOT IN ('object', 'array')",
    width: TEXT,
};
/// Each value with the way to it, hashed.
const PATHS: Class = Class {
    keys: "WITH RECURSIVE part (path, value) AS (
               SELECT '', held.value::jsonb
               UNION ALL
               SELECT part.path || '/' || inside.key, inside.value FROM part, LATERAL (
                   SELECT key, value FROM jsonb_each(CASE jsonb_typeof(part.value) WHEN 'object' THEN part.value ELSE '{}' END)
                   UNION ALL
                   SELECT '', value FROM jsonb_array_elements(CASE jsonb_typeof(part.value) WHEN 'array' THEN part.value ELSE '[]' END)
               ) AS inside (key, value))
           SELECT path || '=' || value::text FROM part WHERE jsonb_typeof(value) NOT IN ('object', 'array')",
    width: NUMBER,
};

/// Entries of one key; `None` where its values cannot be taken apart or nothing is known of them.
pub(super) fn of(
    private: &mut Private<'_>,
    table: &Table,
    key: &IndexKey,
    kind: &str,
    rows: f64,
) -> Option<Entries> {
    let class = match (key.opclass.as_deref().map(|name| name.rsplit('.').next().unwrap_or(name)), kind) {
        (Some("jsonb_path_ops"), _) => PATHS,
        (Some("gin_trgm_ops"), _) => TRIGRAMS,
        (None | Some("jsonb_ops"), "jsonb") => DOCUMENT,
        (None | Some("tsvector_ops"), "tsvector") => WORDS,
        (None | Some("array_ops"), kind) if kind.ends_with("[]") => ARRAY,
        _ => return None,
    };
    let schema = table.name.schema.as_deref().unwrap_or("public");
    let column = match &key.expr {
        KeyExpr::Column(name) => {
            let elements = elements(private, [schema, &table.name.name, name], rows);
            if elements.is_some() {
                return elements;
            }
            table.column(name)?
        }
        KeyExpr::Expression(text) => table.only_column_in(text)?,
    };
    let expression = match &key.expr {
        KeyExpr::Column(name) => quote_ident(name),
        KeyExpr::Expression(text) => text.clone(),
    };
    let sql = include_str!("queries/entries.sql")
        .replace("%COLUMN%", &quote_ident(&column.name))
        .replace("%TYPE%", &column.type_name)
        .replace("%KEYS%", class.keys)
        .replace("%WIDTH%", class.width)
        .replace("%EXPRESSION%", &expression);
    let answer = tried(private, &sql, [schema, &table.name.name, &column.name])?;
    let mut seen = Vec::new();
    let (mut sample, mut width) = (0.0, 0.0);
    for row in &answer {
        let [count, share, of, bytes] = numbers(row)?;
        seen.push((count, share));
        (sample, width) = (of, bytes);
    }
    (!seen.is_empty()).then(|| entries(sample, rows, &seen, width))
}

fn elements(private: &mut Private<'_>, column: [&str; 3], rows: f64) -> Option<Entries> {
    let answer = tried(private, include_str!("queries/elements.sql"), column)?;
    let mut all = Entries::default();
    let mut average = 0.0;
    for row in &answer {
        let [share, mean, bytes] = numbers(row)?;
        all.common.push(share);
        (average, all.width) = (mean, bytes);
    }
    let least = all.common.iter().copied().fold(f64::INFINITY, f64::min);
    let rest = average - all.common.iter().sum::<f64>();
    // Those that are left are rarer than the rarest that is known: half as frequent as that. A little is rounding.
    if rest > 0.02 * average && least > 0.0 {
        all.rare_per_row = rest;
        all.rare = (rest / (least / 2.0)).min(rows * rest).max(1.0);
    }
    (!all.common.is_empty()).then_some(all)
}

/// The rows; a failure leaves the transaction as it was.
pub(super) fn tried(
    private: &mut Private<'_>,
    sql: &str,
    values: [&str; 3],
) -> Option<Vec<Vec<Option<String>>>> {
    private.rows("SAVEPOINT entries", &[]).ok()?;
    let answer = private.rows(sql, &values);
    let end = if answer.is_ok() { "RELEASE SAVEPOINT entries" } else { "ROLLBACK TO SAVEPOINT entries" };
    private.rows(end, &[]).ok()?;
    answer.ok()
}

pub(super) fn numbers<const N: usize>(row: &[Option<String>]) -> Option<[f64; N]> {
    let numbers: Option<Vec<f64>> = row.iter().map(|text| text.as_deref()?.parse().ok()).collect();
    numbers?.try_into().ok()
}
