//! Work in a subquery that nothing of the outer query can tell: DISTINCT of an IN list, an order that is
//! sorted away, a CTE that nothing reads.

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::{
        Shape,
        shape::{Block, BlockId, Role, SortExpr, TableSource},
    },
};

fn bounded(block: &Block) -> bool {
    block.limit.is_some() || block.offset.is_some() || block.distinct_on_keys > 0
}

/// `IN (SELECT DISTINCT …)`, or GROUP BY without an aggregate.
pub(in crate::detect) fn distinct(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        let Role::In { .. } = block.role else { continue };
        let grouped = !block.group_by.is_empty() && !block.aggregates && !block.having && !block.windows;
        let word = match (block.distinct, grouped) {
            (true, _) if block.group_by.is_empty() => "DISTINCT",
            (false, true) => "GROUP BY",
            _ => continue,
        };
        if bounded(block) {
            continue;
        }
        let name = keys::alias(block, 0);
        let because = format!(
            "{word} in the IN subquery on {name}: IN asks whether a value is there, not how often, and the {word} \
             keeps the planner from merging the subquery into a semi-join"
        );
        let instead = format!("Remove the {word} from the subquery: the result is the same.");
        let finding = facts.finding(rule, Confidence::Shape, because, instead);
        report.findings.push(finding.on(&block.at).with("word", word));
    }
}

/// ORDER BY without LIMIT where the outer query sorts again, or where no order exists.
pub(in crate::detect) fn order(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        if block.order_by.is_empty() || bounded(block) || block.locking.is_some() {
            continue;
        }
        let why = match block.role {
            Role::In { .. } => "IN knows no order".to_owned(),
            Role::Derived { lateral: false } | Role::Cte { .. } => {
                let Some(by) = sorted_again(shape, id) else { continue };
                by
            }
            _ => continue,
        };
        let key = match &block.order_by[0].expr {
            SortExpr::Column(column) => keys::shown(shape, column),
            SortExpr::Expression(_) => "an expression".to_owned(),
        };
        let because = format!("the subquery sorts by {key}, and nothing sees that order: {why}");
        let instead = "Remove the ORDER BY from the subquery.".to_owned();
        let finding = facts.finding(rule, Confidence::Shape, because, instead);
        report.findings.push(finding.on(&block.at).with("aggregated", why == AGGREGATED));
    }
}

const AGGREGATED: &str = "the outer query only aggregates";

/// Every reader sorts, and none depends on the order that its rows come in.
fn sorted_again(shape: &Shape, id: BlockId) -> Option<String> {
    let readers: Vec<&Block> = shape
        .blocks
        .iter()
        .filter(|block| {
            block.tables.iter().any(|table| match &table.source {
                TableSource::Derived(inner) | TableSource::Cte { block: inner, .. } => *inner == id,
                _ => false,
            })
        })
        .collect();
    let sorts = |block: &&Block| {
        // Ties, array_agg() and row_number() would see it: they may count on it.
        !block.order_by.is_empty() && !block.aggregates && !block.windows && block.limit.is_none()
    };
    let counts = |block: &&Block| {
        block.group_by.is_empty()
            && !block.windows
            && !block.aggregate_calls.is_empty()
            && block
                .aggregate_calls
                .iter()
                .all(|call| matches!(call.name.as_str(), "count" | "sum" | "min" | "max" | "avg"))
    };
    match readers.as_slice() {
        [] => None,
        all if all.iter().all(sorts) => Some("the outer query sorts again".to_owned()),
        all if all.iter().all(counts) => Some(AGGREGATED.to_owned()),
        _ => None,
    }
}

/// WITH x AS (SELECT …) that nothing reads.
pub(in crate::detect) fn cte(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    if shape.writes_in_cte {
        return;
    }
    for (id, block) in shape.blocks.iter().enumerate() {
        let Role::Cte { name } = &block.role else { continue };
        let read = shape.blocks.iter().enumerate().any(|(reader, block)| {
            reader != id
                && block.tables.iter().any(
                    |table| matches!(&table.source, TableSource::Cte { block: inner, .. } if *inner == id),
                )
        });
        if !read && !block.projection.is_empty() {
            let because = format!("nothing reads the CTE {name}: PostgreSQL does not even run it");
            let instead = format!("Remove {name}.");
            let finding = facts.finding(rule, Confidence::Shape, because, instead);
            report.findings.push(finding.on(&block.at).with("name", name.as_str()));
        }
    }
}
