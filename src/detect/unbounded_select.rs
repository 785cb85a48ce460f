//! A SELECT that sends all rows it finds: no LIMIT, no aggregate, and no predicate on a unique key.
//!
//! With statistics or a plan it says how many rows and bytes, and stays silent when they are few. OFFSET
//! paging is the other half: the rows before the page are read and thrown away each time, so the finding
//! gives the keyset rewrite. Left alone: locking reads, which work through their rows; INSERT … SELECT
//! and CREATE TABLE AS, which send nothing; and predicates of which nothing is known.

use serde_json::json;

use super::{Facts, PlanOrigin, Report, access, estimate, is_system, rewrite, select_star, words};
use crate::{
    catalog::Table,
    finding::{Confidence, Finding, Severity},
    rules::Rule,
    sql::{
        Shape, StatementKind, parse,
        shape::{Block, BlockId, Bound, Clause, Op, Operand, SortExpr, TableSource},
    },
};

pub(super) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    let Some(root) = shape.blocks.first() else { return };
    if !matches!(shape.kind, StatementKind::Select | StatementKind::With)
        || shape.creates_table
        || shape.target.is_some()
    {
        return;
    }
    report.findings.extend(offset(rule, facts, shape, root));
    if root.limit.is_none() && root.locking.is_none() {
        report.findings.extend(unbounded(rule, facts, shape));
    }
}

fn unbounded(rule: &Rule, facts: &Facts<'_>, shape: &Shape) -> Option<Finding> {
    let mut known = vec![None; shape.blocks.len()];
    let arms: Vec<BlockId> = select_star::outputs(shape, 0)
        .into_iter()
        .filter(|&id| !is_bounded(facts, shape, id, &mut known))
        .collect();
    let &first = arms.first()?;
    let block = &shape.blocks[first];
    let tables: Vec<String> = base_tables(block);
    if tables.is_empty() {
        return None;
    }
    let span = block.tables.iter().find_map(|table| super::known(&table.at));
    let measured = facts.query.rows.filter(|_| facts.query.calls > 0);
    let planned = facts.plan.map(|plan| (&plan.plan.root, plan.origin));
    let by_statistics = || -> Option<f64> {
        let catalog = facts.catalog?;
        let accesses = access::all(shape, catalog);
        arms.iter().map(|&id| estimate::block_rows(shape, catalog, id, &accesses)).sum()
    };
    let (rows, how, confidence) = if let Some(rows) = measured {
        (Some(rows as f64 / facts.query.calls as f64), "measured", Confidence::Measured)
    } else if let Some((root, origin)) = planned {
        match root.actual {
            Some(actual) if origin != PlanOrigin::Generic => {
                (Some(actual.rows * actual.loops), "measured", Confidence::Measured)
            }
            // Without values the planner takes a fixed part of the table for any range.
            _ if origin == PlanOrigin::Generic && ranges_over_parameters(block) => return None,
            _ => (Some(root.rows), "estimated", Confidence::Planned),
        }
    } else {
        (by_statistics(), "estimated", Confidence::Shape)
    };
    let filtered = block.tests().any(|test| test.clause == Clause::Where) || !block.conditions.is_empty();
    let grouped = !block.group_by.is_empty() || block.distinct;
    let list = words::list(&tables);
    // The program takes the first row: what it asks for has one.
    if facts.query.one_row && filtered {
        return None;
    }
    let Some(rows) = rows else {
        // Nothing is known of the size: only what is plainly whole is worth a word.
        if filtered || grouped || block.tables.len() > 1 {
            return None;
        }
        let because = format!("reads all rows of {list} (size not known)");
        let mut finding = facts.finding(rule, Confidence::Shape, because, rule.instead.trim().to_owned());
        finding.severity = Severity::Note;
        finding.span = span;
        return Some(finding);
    };
    // The estimate before GROUP BY and DISTINCT says nothing of what comes back.
    if rows < rule.param("rows") || grouped && confidence == Confidence::Shape {
        return None;
    }
    let width = planned.map(|(root, _)| f64::from(root.width)).or_else(|| known_width(facts, shape, &arms));
    let bytes = width.filter(|width| *width > 0.0).map(|width| rows * width);
    let size = bytes.map(|bytes| format!(", about {}", words::bytes(bytes))).unwrap_or_default();
    let from = if filtered { "" } else { "all rows of " };
    let because = format!("returns {}{size} ({how}) from {from}{list}", words::counted(rows, "row"));
    let mut finding = facts.finding(rule, confidence, because, rule.instead.trim().to_owned());
    finding.span = span;
    finding.detail.insert("rows".to_owned(), json!(rows.round()));
    finding.detail.insert("bytes".to_owned(), json!(bytes.map(f64::round)));
    Some(finding)
}

fn ranges_over_parameters(block: &Block) -> bool {
    block.tests().any(|test| {
        matches!(test.op, Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Between | Op::Like | Op::ILike)
            && !matches!(test.operand, Operand::Constant(_))
    })
}

fn base_tables(block: &Block) -> Vec<String> {
    let mut tables: Vec<String> = block
        .tables
        .iter()
        .filter_map(|table| match &table.source {
            TableSource::Table(name) if !is_system(name) => Some(name.plain()),
            _ => None,
        })
        .collect();
    tables.dedup();
    tables
}

/// At most one row, or as many as a list is long, or as many as an inner LIMIT lets through.
///
/// `known` holds what was found of each block; one that is still being looked at reads itself and has no
/// bound.
fn is_bounded(facts: &Facts<'_>, shape: &Shape, id: BlockId, known: &mut [Option<bool>]) -> bool {
    if let Some(known) = known[id] {
        return known;
    }
    known[id] = Some(false);
    let block = &shape.blocks[id];
    if block.limit.is_some() || block.tables.is_empty() || block.aggregates && block.group_by.is_empty() {
        known[id] = Some(true);
        return true;
    }
    let mut pinned = false;
    let mut followed = true;
    for (at, table) in block.tables.iter().enumerate() {
        let alone = match &table.source {
            TableSource::Cte { block, .. } | TableSource::Derived(block) => {
                shape.blocks[*block].limit.is_some()
                    || select_star::outputs(shape, *block)
                        .into_iter()
                        .all(|inner| is_bounded(facts, shape, inner, known))
            }
            TableSource::Values => true,
            TableSource::Table(_) => by_key(facts, shape, id, at, false),
            TableSource::Function(_) => false,
        };
        pinned |= alone;
        followed &= alone || by_key(facts, shape, id, at, true);
    }
    known[id] = Some(pinned && followed);
    pinned && followed
}

fn table_at<'a>(facts: &Facts<'a>, block: &Block, at: usize) -> Option<&'a Table> {
    match &block.tables[at].source {
        TableSource::Table(name) => facts.catalog?.table(name),
        _ => None,
    }
}

/// Every column of a unique key equals a value (or one of a list); with `joins`, also a column of
/// another table's row.
fn by_key(facts: &Facts<'_>, shape: &Shape, id: BlockId, at: usize, joins: bool) -> bool {
    let block = &shape.blocks[id];
    let Some(table) = table_at(facts, block, at) else { return false };
    let mut columns = Vec::new();
    for test in block.tests().filter(|test| test.wrapped.is_none() && matches!(test.op, Op::Eq | Op::In)) {
        let here = |column: &crate::sql::shape::ColumnRef| column.block == id && column.table == Some(at);
        match &test.operand {
            Operand::Column(other) if joins => {
                if here(other) {
                    columns.push(other.name.as_str());
                } else if here(&test.column) {
                    columns.push(test.column.name.as_str());
                }
            }
            Operand::Constant(_) | Operand::Parameter(_) | Operand::List { .. } if here(&test.column) => {
                columns.push(test.column.name.as_str());
            }
            // A scalar subquery gives one value.
            Operand::Subquery(_) if test.op == Op::Eq && here(&test.column) => {
                columns.push(test.column.name.as_str());
            }
            _ => {}
        }
    }
    table.unique_on(&columns)
}

fn known_width(facts: &Facts<'_>, shape: &Shape, arms: &[BlockId]) -> Option<f64> {
    let id = *arms.first()?;
    let block = &shape.blocks[id];
    block
        .projection
        .iter()
        .map(|item| match item {
            crate::sql::shape::Projected::Star { table, .. } => (0..block.tables.len())
                .filter(|at| table.is_none_or(|only| only == *at))
                .map(|at| estimate::width(table_at(facts, block, at)?))
                .sum::<Option<f64>>(),
            crate::sql::shape::Projected::Column { column, .. } => {
                let table = facts.catalog?.table(shape.table_of(column)?)?;
                Some(f64::from(table.column(&column.name)?.statistics.as_ref()?.average_width))
            }
            crate::sql::shape::Projected::Expression { .. } => None,
        })
        .sum()
}

/// OFFSET paging. A parameter counts by the largest value that the log's samples show.
fn offset(rule: &Rule, facts: &Facts<'_>, shape: &Shape, root: &Block) -> Option<Finding> {
    let bound = root.offset.as_ref()?;
    // The end of a batch that begins at a key: nobody asks for the next page of it.
    let keyed = root.order_by.first().is_some_and(|first| {
        root.tests().any(|test| {
            matches!(test.op, Op::Gt | Op::GtEq | Op::Lt | Op::LtEq)
                && matches!(&first.expr, SortExpr::Column(column) if *column == test.column)
        })
    });
    if keyed && root.limit == Some(Bound::Number(1)) {
        return None;
    }
    let logged = facts.query.samples.iter().filter_map(|sample| match bound {
        Bound::Parameter(name) => {
            let number: usize = name.strip_prefix('$')?.parse().ok()?;
            sample.binds.as_ref()?.get(number.checked_sub(1)?)?.as_ref()?.parse::<u64>().ok()
        }
        _ => match parse::parse(&sample.sql).ok()?.blocks.first()?.offset {
            Some(Bound::Number(number)) => Some(number),
            _ => None,
        },
    });
    let written = if let Bound::Number(number) = bound { Some(*number) } else { None };
    let largest = logged.max();
    let skipped = largest.max(written);
    let many = skipped.is_some_and(|skipped| skipped as f64 >= rule.param("offset"));
    if !many && skipped.is_some() {
        return None;
    }
    let because = match skipped {
        Some(skipped) => {
            let how = if largest.is_some() && facts.query.calls > 0 { "as the log shows, " } else { "" };
            format!(
                "{how}OFFSET reads {} and throws them away before each page",
                words::counted(skipped as f64, "row")
            )
        }
        None => "OFFSET of a parameter: each page reads and throws away all the pages before it".to_owned(),
    };
    let instead = rewrite::keyset(shape, facts.catalog).unwrap_or_else(|| {
        "Give the rows a unique order and continue after the last row seen: WHERE (key, id) > (:last_key, :last_id)"
            .to_owned()
    });
    let measured = largest.is_some() && facts.query.calls > 0;
    let confidence = if measured { Confidence::Measured } else { Confidence::Shape };
    let mut finding = facts.finding(rule, confidence, because, instead);
    if !many {
        finding.severity = Severity::Note;
    }
    finding.detail.insert("offset".to_owned(), json!(skipped));
    Some(finding)
}
