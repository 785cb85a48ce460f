//! Rows that the planner expected and those that came, an order of magnitude apart: what then follows is
//! chosen for another size.
//!
//! Told once a query, of the lowest node that is off: what stands above it inherits the error. Left
//! alone: nodes that something above stopped early (a LIMIT, an EXISTS, a merge join), where fewer rows
//! than expected mean nothing.

use serde_json::json;

use super::{Facts, Report, conditions, measured, table, words};
use crate::{
    finding::Confidence,
    names::quote_ident,
    plan::Node,
    rules::Rule,
    sql::shape::{Operand, Sargable, TableSource},
};

pub(in crate::detect) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let mut misses = Vec::new();
    look(rule, &plan.root, false, &mut misses);
    let Some(worst) = misses.iter().max_by(|a, b| a.times.total_cmp(&b.times)) else { return };
    let of = match (&worst.node.relation, &worst.node.function) {
        (Some(name), _) => format!("of {name}"),
        (None, Some(function)) => format!("of the function {function}()"),
        (None, None) => format!("out of the {}", joined(worst.node)),
    };
    let loops = if worst.loops > 1.0 { " each time" } else { "" };
    let because = format!(
        "the planner expected {} {of}{loops} and got {}: off by a factor of {}",
        words::counted(worst.expected, "row"),
        words::count(worst.got),
        words::count(worst.times),
    );
    let (cause, instead) = instead(facts, worst.node, worst.got);
    let mut finding = facts.finding(rule, Confidence::Measured, because, instead).at_node(worst.node.number);
    finding.detail.insert("cause".to_owned(), json!(cause));
    finding.detail.insert("expected".to_owned(), json!(worst.expected));
    finding.detail.insert("got".to_owned(), json!(worst.got));
    report.findings.push(finding);
}

struct Miss<'a> {
    node: &'a Node,
    /// Rows a loop.
    expected: f64,
    got: f64,
    loops: f64,
    times: f64,
}

/// Whether the node or one below is off. `cut`: something above may have stopped it early.
fn look<'a>(rule: &Rule, node: &'a Node, cut: bool, misses: &mut Vec<Miss<'a>>) -> bool {
    let mut below = false;
    for child in &node.children {
        below |= look(rule, child, stops(node, child, cut), misses);
    }
    if below {
        return true;
    }
    let is_join = matches!(node.node_type.as_str(), "Nested Loop" | "Hash Join" | "Merge Join");
    let is_scan = (node.relation.is_some() || node.function.is_some()) && node.node_type.ends_with("Scan");
    let Some(actual) = node.actual.filter(|_| is_join || is_scan) else { return false };
    let (expected, got) = (node.rows.max(1.0), actual.rows.max(1.0));
    let times = (expected / got).max(got / expected);
    let weight = expected.max(got) * actual.loops;
    // A join that gives less than expected costs no more, and nothing tells the planner better.
    let harmless = got < expected && (cut || is_join);
    if times < rule.param("times") || weight < rule.param("rows") || harmless {
        return false;
    }
    misses.push(Miss { node, expected: node.rows, got: actual.rows, loops: actual.loops, times });
    true
}

/// Whether a child may end before it gave all its rows.
fn stops(node: &Node, child: &Node, cut: bool) -> bool {
    let takes_all = matches!(node.node_type.as_str(), "Sort" | "Hash" | "ModifyTable")
        || node.node_type == "Aggregate" && node.strategy.as_deref() != Some("Sorted");
    if takes_all {
        return false;
    }
    cut || matches!(node.node_type.as_str(), "Limit" | "Merge Join")
        || matches!(child.relationship.as_str(), "SubPlan" | "InitPlan")
        || matches!(node.join_type.as_deref(), Some("Semi" | "Anti" | "Right Semi" | "Right Anti"))
        // Memoize asks only for what it does not hold, and an inner side that finds nothing more ends.
        || node.node_type == "Nested Loop" && child.relationship == "Inner"
}

/// `join of orders and users`.
fn joined(node: &Node) -> String {
    let mut tables: Vec<String> = node.children.iter().filter_map(table).collect();
    tables.dedup();
    format!("join of {}", words::list(&tables))
}

/// The likely cause in a word (`join`, `function`, `parameter`, `stale_statistics`, `expression`,
/// `correlated_columns`, `column_statistics` or `condition`), and what helps against it.
fn instead(facts: &Facts<'_>, node: &Node, got: f64) -> (&'static str, String) {
    if let Some(function) = &node.function {
        let rows = words::count(got.max(1.0)).replace(',', "");
        let text = format!(
            "The planner takes what the function's definition says for its rows (1,000 where it says nothing): ALTER \
             FUNCTION {function} ROWS {rows}; or give it a planner support function."
        );
        return ("function", text);
    }
    let Some(relation) = &node.relation else {
        let text =
            "Keep the statistics of the joined tables fresh (ANALYZE), and filter before the join where \
                that is possible: no statistics of PostgreSQL say how columns of two tables go together."
                .to_owned();
        return ("join", text);
    };
    let analyze = format!("ANALYZE {relation}; and see that autovacuum analyses it often enough.");
    if conditions::has_parameter(node) && !has_init_plan(facts) {
        let text = "The plan is made for any value of its parameter, and this one is unlike the others: SET LOCAL \
                    plan_cache_mode = force_custom_plan in the transaction of this query (or ALTER ROLE … SET …) plans \
                    it with the value."
            .to_owned();
        return ("parameter", text);
    }
    if node.filter.is_none() && node.index_cond.is_none() && node.recheck_cond.is_none() {
        return ("stale_statistics", format!("The planner has another size of the table in mind: {analyze}"));
    }
    let (mut columns, mut expressions) = tested(facts, node);
    if columns.is_empty() && expressions.is_empty() {
        (columns, expressions) = tested_by_plan(node);
    }
    let name = |part: &str| quote_ident(&format!("{}_{part}", relation.name));
    if let Some(expression) = expressions.first() {
        let text = format!(
            "The planner guesses about an expression: CREATE STATISTICS {} ON ({expression}) FROM {relation}; \
             ANALYZE {relation}; (PostgreSQL 14 on; an index on the expression gives the same statistics).",
            name("expression"),
        );
        return ("expression", text);
    }
    let quoted: Vec<String> = columns.iter().take(8).map(|column| quote_ident(column)).collect();
    match &columns[..] {
        [] => {
            let text = format!(
                "No statistics tell how often this condition holds: a column that holds its result (GENERATED ALWAYS AS \
                 … STORED) has some, after ANALYZE {relation}; where none of it is an expression, ANALYZE alone may do."
            );
            ("condition", text)
        }
        [column] => {
            let text = format!(
                "The statistics of the column are old or too coarse: ANALYZE {relation}; where that does not help, \
                 ALTER TABLE {relation} ALTER COLUMN {} SET STATISTICS 1000; and ANALYZE again.",
                quote_ident(column)
            );
            ("column_statistics", text)
        }
        _ => {
            let text = format!(
                "The columns depend on each other, which the planner does not know: CREATE STATISTICS {} \
                 (dependencies, mcv) ON {} FROM {relation}; ANALYZE {relation};",
                name(&columns.iter().take(8).cloned().collect::<Vec<_>>().join("_")),
                quoted.join(", "),
            );
            ("correlated_columns", text)
        }
    }
}

/// Up to PostgreSQL 16 the result of an init plan looks like a parameter.
fn has_init_plan(facts: &Facts<'_>) -> bool {
    facts.plan.is_some_and(|known| {
        known.plan.nodes().iter().any(|node| matches!(node.relationship.as_str(), "InitPlan" | "SubPlan"))
    })
}

/// As [`tested`], read off the plan where the statement's text is not known.
fn tested_by_plan(node: &Node) -> (Vec<String>, Vec<String>) {
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    let Some(shape) = conditions::shape(node) else { return (columns, expressions) };
    for test in conditions::tests(&shape) {
        match &test.wrapped {
            // A varchar is compared as text, by the statistics of the column.
            Some(expression) if conditions::cast(test).is_none() && test.sargable == Sargable::Wrapped => {
                expressions.push(expression.clone());
            }
            Some(_) if conditions::cast(test).is_none() => {}
            _ if columns.contains(&test.column.name) => {}
            _ => columns.push(test.column.name.clone()),
        }
    }
    (columns, expressions)
}

/// The columns and expressions of the node's table that the statement compares with something else than
/// another column.
fn tested(facts: &Facts<'_>, node: &Node) -> (Vec<String>, Vec<String>) {
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    let Some(shape) = facts.shape else { return (columns, expressions) };
    let alias = node.alias.as_ref().or(node.relation.as_ref().map(|relation| &relation.name));
    for (id, block) in shape.blocks.iter().enumerate() {
        for test in block.tests() {
            let Some(table) = test.column.table.and_then(|at| block.tables.get(at)) else { continue };
            let same = matches!(&table.source, TableSource::Table(name)
                if table.alias.as_ref().or(Some(&name.name)) == alias);
            if test.column.block != id || !same || matches!(test.operand, Operand::Column(_)) {
                continue;
            }
            match &test.wrapped {
                Some(expression) if test.sargable == Sargable::Wrapped => {
                    expressions.push(expression.clone());
                }
                Some(_) => {}
                None if columns.contains(&test.column.name) => {}
                None => columns.push(test.column.name.clone()),
            }
        }
    }
    (columns, expressions)
}
