//! What stands behind index advice: the frontier of size against gain, and what was thought of and left out.

use serde::{Deserialize, Serialize};

use super::{Report, rounded};
use crate::{
    advise::{Advice, AdviceKind, Advised, Point, drop_statements},
    finding::Finding,
};

/// The search for indexes, beside the advice that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexSearch {
    /// Sets of growing size; the last one is the advice. Empty where no planner was asked.
    pub frontier: Vec<Point>,
    /// By table and keys.
    pub rejected: Vec<RejectedIndex>,
    /// Questions that the planner was asked.
    pub asked: usize,
}

/// An index that was thought of and is not advised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedIndex {
    /// `schema.table`.
    pub table: String,
    /// `CREATE INDEX …`, without a `;`.
    pub sql: String,
    pub why: String,
}

impl IndexSearch {
    pub fn new(advised: &Advised) -> IndexSearch {
        IndexSearch {
            frontier: advised
                .frontier
                .iter()
                .map(|point| Point { left: rounded(point.left * 100.0) / 100.0, ..*point })
                .collect(),
            rejected: advised
                .rejected
                .iter()
                .map(|rejected| RejectedIndex {
                    table: rejected.index.table.to_string(),
                    sql: rejected.index.create(),
                    why: rejected.why.clone(),
                })
                .collect(),
            asked: advised.asked,
        }
    }
}

/// The rules about a query whose findings an index answers.
const ANSWERED: &[&str] = &["seq-scan", "missing-index", "index-order"];

/// The rule about a table whose findings an index answers.
const OF_KEYS: &str = "foreign-key-without-index";

/// Whether an advice is a given finding's: it drops the index that the finding is about.
fn drops(advice: &Advice, finding: &Finding) -> bool {
    advice.kind == AdviceKind::DropIndex
        && drop_statements(finding).is_some_and(|statements| statements.contains(&advice.sql))
}

/// The advice but for the pool, in the order in which a page numbers it.
pub fn changes(report: &Report) -> Vec<&Advice> {
    report.advice.iter().filter(|advice| advice.kind != AdviceKind::Pool).collect()
}

/// The number, from 1, of the change that does what a finding asks for: the index may serve more than this one, and then
/// differs from what the finding alone would want.
pub fn answering(report: &Report, finding: &Finding) -> Option<usize> {
    let does = |advice: &&Advice| {
        drops(advice, finding)
            || advice.kind == AdviceKind::CreateIndex
                && match &finding.query {
                    Some(id) => ANSWERED.contains(&finding.rule.as_str()) && advice.serves.contains(id),
                    None => finding.rule == OF_KEYS && leads_to_key(advice, finding),
                }
    };
    Some(changes(report).iter().position(does)? + 1)
}

/// The advised index begins with a column of the foreign key that a finding is about.
fn leads_to_key(advice: &Advice, finding: &Finding) -> bool {
    let text = |name: &str| finding.detail_text(name).unwrap_or_default();
    advice.index.as_ref().is_some_and(|index| {
        index.predicate.is_none()
            && index.table.to_string() == text("table")
            && text("columns").split(", ").any(|column| index.begins_with(column))
    })
}
