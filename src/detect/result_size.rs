//! How many rows a statement counts or returns, and which columns it carries along: rules beside
//! `select-star` and `unbounded-select`.

use std::ops::Range;

use serde_json::json;

use super::{Facts, Report, is_system, reads_system, words};
use crate::{
    catalog::{KeyExpr, Table},
    finding::Confidence,
    names::RelName,
    rules::Rule,
    sql::{
        Shape, StatementKind,
        shape::{Block, Bound, Condition, Projected, Role, TableSource},
    },
};

/// `INSERT INTO t SELECT * FROM s`.
pub(super) fn insert_select_star(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    let Some(target) = &shape.target else { return };
    let Some(source) = shape.blocks.iter().find(|block| block.role == Role::InsertSource) else { return };
    let star = source.projection.iter().find_map(|item| match item {
        Projected::Star { at, .. } => Some(at),
        _ => None,
    });
    let from: Vec<String> = source
        .projection
        .iter()
        .filter(|item| matches!(item, Projected::Star { .. }))
        .flat_map(|item| starred(source, item))
        .map(RelName::plain)
        .collect();
    if from.is_empty() {
        return;
    }
    let because =
        format!("{} takes every column of {}, by position", target.table.plain(), words::list(&from));
    let instead = rule.instead.trim().to_owned();
    let finding = facts.finding(rule, Confidence::Shape, because, instead);
    report.findings.push(star.iter().fold(finding, |finding, at| finding.on(at)));
}

fn starred<'a>(block: &'a Block, star: &Projected) -> Vec<&'a RelName> {
    let Projected::Star { table: only, .. } = star else { return Vec::new() };
    let tables = block.tables.iter().enumerate().filter(|(at, _)| only.is_none_or(|only| only == *at));
    tables
        .filter_map(|(_, table)| match &table.source {
            TableSource::Table(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// A LIMIT that bounds next to nothing.
pub(super) fn large_limit(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape.filter(|shape| shape.reads_only()) else { return };
    let Some(root) = shape.blocks.first() else { return };
    let Some(Bound::Number(limit)) = root.limit else { return };
    let limit = limit as f64;
    if limit < rule.param("rows") || root.aggregates && root.group_by.is_empty() || reads_system(root) {
        return;
    }
    // A table that is known to be smaller gives less.
    if let ([only], Some(catalog)) = (root.tables.as_slice(), facts.catalog)
        && let TableSource::Table(name) = &only.source
        && catalog.table(name).and_then(|table| table.rows).is_some_and(|rows| rows < rule.param("rows"))
    {
        return;
    }
    let because = format!("LIMIT lets {} through", words::counted(limit, "row"));
    let mut finding = facts.finding(rule, Confidence::Shape, because, rule.instead.trim().to_owned());
    finding.detail.insert("rows".to_owned(), json!(limit));
    report.findings.push(finding);
}

/// `(SELECT count(*) FROM …) > 0`: every row is counted to learn whether there is one.
pub(super) fn count_for_existence(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        let counted_here = |text: &str| {
            let plain = block.group_by.is_empty() && !block.tables.is_empty();
            plain.then(|| existence(text, &["count("])).flatten()
        };
        let mut texts: Vec<(&str, bool, Range<usize>)> = Vec::new();
        let mut open: Vec<&Condition> = block.conditions.iter().collect();
        while let Some(condition) = open.pop() {
            match condition {
                Condition::Opaque { text, at } => texts.push((text, false, at.clone())),
                Condition::Any(inside) | Condition::All(inside) => open.extend(inside),
                Condition::Test(_) => {}
            }
        }
        for item in &block.projection {
            if let Projected::Expression { text, .. } = item {
                texts.push((text, true, block.within()));
            }
        }
        for (text, projected, at) in texts {
            let there = existence(text, &["(select count("]).filter(|_| ends_as_one(text));
            let Some(there) = there.or_else(|| counted_here(text).filter(|_| projected)) else { continue };
            let word = if there { "EXISTS" } else { "NOT EXISTS" };
            let tables = counted_tables(shape, block, text);
            if tables.is_empty() {
                continue;
            }
            let because = format!(
                "counts all rows of {} that pass, to learn whether there is one",
                words::list(&tables)
            );
            let instead =
                format!("{word} (SELECT 1 FROM {} WHERE …): it stops at the first row.", tables.join(", "));
            report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&at));
        }
    }
}

/// Whether a text compares a count with nothing or one: `Some(true)` for "there is one".
fn existence(text: &str, begins: &[&str]) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let (text, negated) = match text.strip_prefix("not (").and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => (inside.to_owned(), true),
        None => (text, false),
    };
    if !begins.iter().any(|begin| text.starts_with(begin)) {
        return None;
    }
    // `count(a) FILTER (…) > 0` and `count(DISTINCT a) > 0` are asked of the same rows as others are.
    let close = text.rfind(')')?;
    let there = match text[close + 1..].trim() {
        "> 0" | ">= 1" | "<> 0" | "!= 0" => true,
        "= 0" | "< 1" => false,
        _ => return None,
    };
    let plain_call = text.starts_with("(select") || text[..close].matches('(').count() == 1;
    plain_call.then_some(there != negated)
}

/// Whether the subquery ends where the comparison begins, and does not group, so that it is one count.
fn ends_as_one(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut depth = 0_usize;
    let start = text.find("(select").unwrap_or_default();
    let last = text.rfind([')']).unwrap_or_default();
    let last = if text.starts_with("not (") { text[..last].rfind(')').unwrap_or_default() } else { last };
    let end = text.bytes().enumerate().skip(start).find_map(|(at, byte)| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0).then_some(at)
    });
    end == Some(last)
        && !text.contains(" group by ")
        && !text.contains(" having ")
        && !text.contains(" union ")
}

/// The tables that are counted: of the block, or of the subquery with that text.
fn counted_tables(shape: &Shape, block: &Block, text: &str) -> Vec<String> {
    let named_in = |block: &Block| -> Vec<String> {
        let tables = block.tables.iter().filter_map(|table| match &table.source {
            TableSource::Table(name) if !is_system(name) => Some(name.plain()),
            _ => None,
        });
        tables.collect()
    };
    if !text.to_ascii_lowercase().contains("(select") {
        return named_in(block);
    }
    let inner = shape.blocks.iter().find(|inner| {
        let under = inner.parent.is_some_and(|parent| std::ptr::eq(&raw const shape.blocks[parent], block));
        let counts = matches!(inner.projection.as_slice(), [Projected::Expression { text: count, aggregate: true, .. }]
            if count.to_ascii_lowercase().starts_with("count("));
        let tables = named_in(inner);
        under && counts && inner.role == Role::Scalar && !tables.is_empty() && tables.iter().all(|name| text.contains(name.as_str()))
    });
    inner.map(named_in).unwrap_or_default()
}

/// `SELECT count(*) FROM t` of a large table.
pub(super) fn count_everything(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape.filter(|shape| shape.kind == StatementKind::Select) else { return };
    let [block] = shape.blocks.as_slice() else { return };
    let ([Projected::Expression { text, .. }], [only]) =
        (block.projection.as_slice(), block.tables.as_slice())
    else {
        return;
    };
    let whole = matches!(text.to_ascii_lowercase().as_str(), "count(*)" | "count(1)")
        && block.conditions.is_empty()
        && block.group_by.is_empty()
        && !block.having;
    let TableSource::Table(name) = &only.source else { return };
    let Some(table) = facts.catalog.and_then(|catalog| catalog.table(name)).filter(|_| whole) else { return };
    let Some(rows) = table.rows.filter(|rows| *rows >= rule.param("rows")) else { return };
    let because = format!("counts all {} of {}", words::counted(rows, "row"), name.plain());
    let instead = format!(
        "Where about the number will do: SELECT reltuples::bigint FROM pg_class WHERE oid = '{name}'::regclass (as of the last \
         ANALYZE or VACUUM; -1 before the first). Where it must be exact and often, keep the count in a table of its own."
    );
    report.findings.push(facts.finding(rule, Confidence::Shape, because, instead));
}

/// `SELECT DISTINCT` with a key among the columns.
pub(super) fn distinct_with_key(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        let ([only], true, true) = (
            block.tables.as_slice(),
            block.distinct && block.distinct_on.is_empty(),
            block.group_by.is_empty(),
        ) else {
            continue;
        };
        let TableSource::Table(name) = &only.source else { continue };
        let Some(table) = catalog.table(name) else { continue };
        let whole = block.projection.iter().any(|item| matches!(item, Projected::Star { .. }));
        let columns: Vec<&str> = block
            .projection
            .iter()
            .filter_map(|item| match item {
                Projected::Column { column, .. } if column.block == id && column.table == Some(0) => {
                    Some(column.name.as_str())
                }
                _ => None,
            })
            .collect();
        let Some(key) = key_of(table, |name| whole || columns.contains(&name)) else { continue };
        let because =
            format!("DISTINCT with {} of {}, which no two rows share", words::list(&key), name.plain());
        let instead = rule.instead.trim().to_owned();
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}

/// The columns of a unique index without NULLs, all of which are given.
fn key_of(table: &Table, given: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
    table
        .indexes
        .iter()
        .filter(|index| index.unique && index.valid && index.spec.predicate.is_none())
        .find_map(|index| {
            index
                .spec
                .keys
                .iter()
                .map(|key| match &key.expr {
                    KeyExpr::Column(name) => {
                        let filled = table.column(name).is_some_and(|column| column.not_null);
                        (filled && given(name)).then_some(name.as_str())
                    }
                    KeyExpr::Expression(_) => None,
                })
                .collect()
        })
}
