//! `SELECT *` that reaches the client.
//!
//! Followed from the outermost block through CTEs, derived tables and the arms of set operations: a star
//! counts where it takes every column of a table. Left alone: `count(*)`, EXISTS and IN, stars that an
//! outer list narrows or that a subquery's names already narrowed, and INSERT … SELECT and CREATE TABLE
//! AS, which send nothing to the client.

use std::fmt::Write as _;

use serde_json::json;

use super::{Facts, Report, access, estimate, index_use, words};
use crate::{
    catalog::{Catalog, Column, KeyExpr, Table},
    finding::{Confidence, Severity},
    rules::Rule,
    sql::{
        Shape, StatementKind,
        shape::{BlockId, Projected, Role, TableSource},
    },
};

pub(super) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    if !matches!(shape.kind, StatementKind::Select | StatementKind::With)
        || shape.creates_table
        || shape.target.is_some()
    {
        return;
    }
    let stars = stars(shape);
    let Some(&(first, _)) = stars.first() else { return };

    let names: Vec<String> = stars.iter().map(|&(id, position)| shown(shape, id, position)).collect();
    let mut names_once = names.clone();
    names_once.sort();
    names_once.dedup();
    let mut because = format!("reads every column of {}", words::list(&names_once));
    let known: Vec<&Table> =
        stars.iter().filter_map(|&(id, position)| table(shape, facts.catalog?, id, position)).collect();
    let all_known = known.len() == stars.len();
    let notable: Vec<(&Table, &Column)> = known
        .iter()
        .flat_map(|table| table.columns.iter().map(move |column| (*table, column)))
        .filter(|(_, column)| is_secret(&column.name) || is_wide(rule, column))
        .collect();
    describe(rule, &mut because, &known, &notable);
    let lost = facts.catalog.and_then(|catalog| lost_index_only_scan(shape, catalog, first));
    if let Some(lost) = &lost {
        let _ = write!(because, "; {lost}");
    }

    let instead = instead(rule, shape, &known, stars.len());
    let mut finding = facts.finding(rule, Confidence::Shape, because, instead);
    finding.span = star_at(shape, first);
    let columns = known.iter().map(|table| table.columns.len()).sum::<usize>();
    let narrow = columns as f64 <= rule.param("columns")
        || estimate_bytes(&known).is_some_and(|bytes| bytes < rule.param("row_bytes"));
    if all_known && notable.is_empty() && narrow {
        finding.severity = Severity::Note;
    }
    let listed: Vec<String> = notable.iter().map(|(_, column)| column.name.clone()).collect();
    finding.detail.insert("tables".to_owned(), json!(names_once));
    finding.detail.insert("wide_or_sensitive".to_owned(), json!(listed));
    report.findings.push(finding);
}

/// Where the first star of a block stands.
fn star_at(shape: &Shape, id: BlockId) -> Option<std::ops::Range<usize>> {
    shape.blocks.get(id)?.projection.iter().find_map(|projected| match projected {
        Projected::Star { at, .. } => super::known(at),
        _ => None,
    })
}

/// Every (block, table) of which a star takes all columns to the client.
fn stars(shape: &Shape) -> Vec<(BlockId, usize)> {
    let mut stars = Vec::new();
    let mut open = vec![0];
    let mut seen = vec![false; shape.blocks.len()];
    while let Some(id) = open.pop() {
        // A recursive CTE reads itself, and one CTE may be read twice.
        if seen.get(id).is_none_or(|&seen| seen) {
            continue;
        }
        seen[id] = true;
        for block_id in outputs(shape, id) {
            let block = &shape.blocks[block_id];
            for projected in &block.projection {
                let Projected::Star { table, .. } = projected else { continue };
                for (position, source) in block.tables.iter().enumerate() {
                    if table.is_some_and(|only| only != position) {
                        continue;
                    }
                    match &source.source {
                        TableSource::Table(_) => stars.push((block_id, position)),
                        TableSource::Cte { block, .. } | TableSource::Derived(block) => open.push(*block),
                        TableSource::Function(_) | TableSource::Values => {}
                    }
                }
            }
        }
    }
    stars.sort_unstable();
    stars.dedup();
    stars
}

/// The blocks whose rows a block returns: its arms if it is a set operation, else itself.
pub(super) fn outputs(shape: &Shape, id: BlockId) -> Vec<BlockId> {
    let mut found = vec![id];
    // A block stands before those inside it, so one pass meets every arm after its operation.
    for arm in id + 1..shape.blocks.len() {
        if shape.blocks[arm].role == Role::SetArm
            && let Some(parent) = shape.blocks[arm].parent
            && parent >= id
            && is_under(shape, parent, id)
        {
            found.retain(|&known| known != parent);
            found.push(arm);
        }
    }
    found
}

/// Whether a block is `root`, or an arm of an arm of it.
fn is_under(shape: &Shape, mut id: BlockId, root: BlockId) -> bool {
    while id != root {
        match shape.blocks[id].parent {
            Some(parent) if parent < id && shape.blocks[id].role == Role::SetArm => id = parent,
            _ => return false,
        }
    }
    true
}

fn shown(shape: &Shape, id: BlockId, position: usize) -> String {
    match &shape.blocks[id].tables[position].source {
        TableSource::Table(name) => name.plain(),
        _ => String::new(),
    }
}

fn table<'a>(shape: &Shape, catalog: &'a Catalog, id: BlockId, position: usize) -> Option<&'a Table> {
    match &shape.blocks[id].tables[position].source {
        TableSource::Table(name) => catalog.table(name),
        _ => None,
    }
}

/// Names that hold credentials in the common frameworks' schemas; a part of the name is enough.
fn is_secret(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "private_key",
        "credential",
        "otp_",
        "_otp",
        "salt",
        "ssn",
        "cvv",
        "card_number",
    ];
    // Counts and dates about a secret are none.
    const ABOUT: &[&str] = &["_at", "_count", "_id", "_type", "_expires", "_sent"];
    let name = name.to_lowercase();
    PARTS.iter().any(|part| name.contains(part)) && !ABOUT.iter().any(|end| name.ends_with(end))
}

/// By average width where statistics know it; documents and byte strings are wide by their type.
fn is_wide(rule: &Rule, column: &Column) -> bool {
    match &column.statistics {
        Some(statistics) if statistics.average_width > 0 => {
            f64::from(statistics.average_width) >= rule.param("column_bytes")
        }
        _ => matches!(column.type_name.as_str(), "json" | "jsonb" | "bytea" | "xml" | "tsvector"),
    }
}

fn estimate_bytes(tables: &[&Table]) -> Option<f64> {
    tables.iter().map(|table| estimate::width(table)).sum()
}

fn describe(rule: &Rule, because: &mut String, known: &[&Table], notable: &[(&Table, &Column)]) {
    let secrets: Vec<&str> = notable
        .iter()
        .filter(|(_, column)| is_secret(&column.name))
        .map(|(_, column)| column.name.as_str())
        .collect();
    if !secrets.is_empty() {
        let _ = write!(because, ", {} among them", words::list(&secrets));
    }
    let wide: Vec<String> = notable
        .iter()
        .filter(|(_, column)| is_wide(rule, column) && !is_secret(&column.name))
        .map(|(_, column)| match &column.statistics {
            Some(statistics) => {
                format!("{} ({})", column.name, words::bytes(f64::from(statistics.average_width)))
            }
            None => format!("{} ({})", column.name, column.type_name),
        })
        .collect();
    if !wide.is_empty() {
        let _ = write!(because, ", wide ones too: {}", words::list(&wide));
    }
    if let Some(bytes) = estimate_bytes(known).filter(|bytes| *bytes > 0.0) {
        let _ = write!(because, "; about {} a row", words::bytes(bytes));
    }
}

/// An index that serves the block's search and holds columns beside those it is searched by: a query
/// that names only these never visits the table.
fn lost_index_only_scan(shape: &Shape, catalog: &Catalog, id: BlockId) -> Option<String> {
    if shape.blocks[id].tables.len() != 1 {
        return None;
    }
    let accesses = access::all(shape, catalog);
    let access = accesses.iter().find(|access| access.id == id)?;
    let uses = index_use::uses(access);
    let covering = uses.iter().find(|found| {
        let columns = columns_of(found.index);
        let filters = access
            .filters()
            .all(|term| matches!(&term.key, KeyExpr::Column(name) if columns.contains(&name.as_str())));
        let more = columns.iter().any(|name| {
            !access.terms.iter().any(|term| matches!(&term.key, KeyExpr::Column(known) if known == name))
        });
        !found.served.is_empty() && filters && more && found.index.spec.method == "btree"
    })?;
    Some(format!(
        "index {} holds {}: a query for these alone could be answered by an index-only scan",
        covering.index.name,
        words::list(&columns_of(covering.index))
    ))
}

fn columns_of(index: &crate::catalog::Index) -> Vec<&str> {
    let keys = index.spec.keys.iter().filter_map(|key| match &key.expr {
        KeyExpr::Column(name) => Some(name.as_str()),
        KeyExpr::Expression(_) => None,
    });
    keys.chain(index.spec.include.iter().map(String::as_str)).collect()
}

/// With one known table, the list without its wide and secret columns, to start from.
fn instead(rule: &Rule, shape: &Shape, known: &[&Table], stars: usize) -> String {
    let [table] = known else { return rule.instead.trim().to_owned() };
    if stars != 1 || shape.blocks.len() != 1 || shape.blocks[0].tables.len() != 1 || table.columns.is_empty()
    {
        return rule.instead.trim().to_owned();
    }
    let kept: Vec<String> = table
        .columns
        .iter()
        .filter(|column| !is_secret(&column.name) && !is_wide(rule, column))
        .map(|column| crate::names::quote_ident(&column.name))
        .collect();
    if kept.is_empty() {
        return rule.instead.trim().to_owned();
    }
    format!(
        "Name the columns that the caller reads, at most: SELECT {} FROM {} …",
        kept.join(", "),
        table.name.plain()
    )
}
